//! What carried motions do to the ledger: rules, suspension, disowned statements, and time that starts anew.

use super::world::*;
use crate::charter::rules::PledgeRules;
use crate::field::{Class, Duration, Instant};
use crate::history::sample::{accede_with, log_key, set};
use crate::ledger::State;
use crate::ledger::verdict::Verdict;
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::*;

fn change_rules(w: &mut World, pledges: PledgeRules) {
    let replaces = w.log.roster().rules_set_by();
    let rules = crate::charter::Rules { pledges, ..w.log.roster().charter.rules.clone() };
    w.carry(Motion::Rules { rules, replaces }, &["de", "fr", "it"]);
}

/// Gives `de` new keys; what it said from an index on is disowned.
fn rekey(w: &mut World, disown_from: u64, who: &[&str]) {
    let keys = set(&[(50, "GCOB")], [1, 1, 1, 1, 0]);
    let handle = handle("de");
    w.carry(Motion::Rekey { keys: keys.digest(&handle), handle, disown_from: Some(disown_from) }, who);
    w.say("de", accede_with(keys));
}

fn replace_operator(w: &mut World, at: Instant) {
    let replaces = w.log.roster().operator_set_by();
    let keys = set(&[(60, "G"), (61, "L")], [1, 0, 0, 0, 1]).digest(&handle("operator"));
    let motion = Motion::Operator { vkey: log_key("log.example/new", 98), keys, replaces };
    let lapses_at = w.now();
    let id = w.say("de", Act::Propose(Propose { motion, lapses_at }));
    w.say("fr", Act::Approve(Approve { motion: id }));
    w.log.now = at;
    w.say("it", Act::Approve(Approve { motion: id }));
}

#[test]
fn a_change_of_rules_touches_nothing_that_arose() {
    let mut w = World::new();
    let [late, missed, ahead] = [2, 2, 9].map(|by| w.pledged(due("", by)));
    w.wait_days(3);
    let response = w.say("de", deliver(on_due(late, 0), ""));
    w.say("it", confirm(response));
    let verdicts = |w: &World| w.owed(w.now()).iter().map(|o| o.verdict).collect::<Vec<_>>();
    assert_eq!(verdicts(&w), [Verdict::KeptLate, Verdict::Overdue, Verdict::NotYetDue]);
    let generous = PledgeRules { filing_grace: Duration::of_days(30), ..PledgeRules::default() };
    change_rules(&mut w, PledgeRules { need_acceptance: false, ..generous });
    assert_eq!(verdicts(&w), [Verdict::KeptLate, Verdict::Overdue, Verdict::NotYetDue]);
    let response = w.say("de", deliver(on_due(missed, 0), ""));
    w.say("it", confirm(response));
    assert_eq!(verdicts(&w)[1], Verdict::KeptLate, "it fell due under the rules of before");
    w.wait_days(10);
    let response = w.say("de", deliver(on_due(ahead, 0), ""));
    w.say("it", confirm(response));
    assert_eq!(verdicts(&w)[2], Verdict::Kept, "this one fell due under the new ones");
    let proposed = w.say("de", pledge("it", terms()));
    assert_eq!(w.state(&proposed), State::InForce);
}

#[test]
fn a_proposal_of_before_waits_for_acceptance_as_the_rules_of_its_entry_say() {
    let mut w = World::new();
    let id = w.say("de", pledge("it", terms()));
    change_rules(&mut w, PledgeRules { need_acceptance: false, ..PledgeRules::default() });
    assert_eq!(w.state(&id), State::Proposed);
}

#[test]
fn the_suspended_respond_and_confirm_and_still_owe() {
    let mut w = World::new();
    let id = w.pledged(due("", 9));
    w.carry(Motion::Suspend { handle: handle("de") }, &["fr", "it"]);
    w.carry(Motion::Suspend { handle: handle("it") }, &["fr", "pl"]);
    let response = w.say("de", deliver(on_due(id, 0), ""));
    w.say("it", confirm(response));
    assert_eq!(w.verdict(), Verdict::Kept);
    let draft = w.log.draft("de", Class::Commit, &withdraw(&[id]));
    assert_eq!(w.log.put(&draft), [crate::chain::Reason::Suspended]);
    assert_eq!(w.state(&id), State::InForce);
}

#[test]
fn what_a_thief_pledged_ends_with_notice_unless_the_addressee_approved() {
    let mut w = World::new();
    let noticed = || Terms { notice_period: Duration::of_days(10), ..due("", 5) };
    let honest = w.pledged(noticed());
    let from = w.log.size();
    let to_it = w.pledged(noticed());
    let to_pl = w.say("de", pledge("pl", noticed()));
    w.say("pl", accept(&[to_pl]));
    let open = w.say("de", amend(honest, "it", terms()));
    rekey(&mut w, from, &["fr", "it"]);
    assert_eq!(w.state(&honest), State::InForce);
    assert!(matches!(w.state(&to_it), State::Withdrawn(_)), "it approved");
    assert_eq!(w.state(&to_pl), State::InForce, "with notice");
    assert!(matches!(w.state_at(&to_pl, day(12)), State::Withdrawn(_)));
    assert_eq!(w.refused("it", accept(&[open])), "ended");
    assert_eq!(w.owed(day(20)).iter().map(|o| o.pledge.said.id).collect::<Vec<_>>(), [honest, to_pl]);
}

#[test]
fn what_a_thief_withdrew_suspended_and_declared_counts_no_longer() {
    let mut w = World::new();
    let [withdrawn, suspended] = [(); 2].map(|()| w.pledged(terms()));
    let mut need = needing();
    need.needs.0[0].declared_by = handle("de");
    let needing = w.pledged(need);
    let kept = w.pledged(due("", 9));
    let from = w.log.size();
    w.say("de", withdraw(&[withdrawn]));
    w.say("de", notice(suspended, NoticeKind::Suspended));
    w.say("de", notice(needing, NoticeKind::NeedMet(0)));
    let response = w.say("de", deliver(on_due(kept, 0), ""));
    w.say("it", confirm(response));
    assert!(w.state(&withdrawn).is_over());
    assert_eq!(w.verdict(), Verdict::Kept);
    rekey(&mut w, from, &["fr", "pl"]);
    assert_eq!((w.state(&withdrawn), w.state(&suspended)), (State::InForce, State::InForce));
    assert!(matches!(w.state(&needing), State::Awaiting(_)));
    assert_eq!(w.verdict(), Verdict::NotYetDue, "the response was the thief's");
    w.say("de", notice(needing, NoticeKind::NeedMet(0)));
    assert_eq!(w.state(&needing), State::InForce);
    w.say("de", withdraw(&[withdrawn]));
    assert!(w.state(&withdrawn).is_over());
}

#[test]
fn established_incidents_stand_and_what_they_called_stays_marked() {
    let mut w = World::new();
    let from = w.log.size();
    let id = w.pledged(called(Starts::OnceEstablished));
    let incident = w.attack();
    let open = w.say("de", report("attack", w.now()));
    rekey(&mut w, from, &["fr", "it"]);
    w.say("pl", attest(open));
    w.say("fr", attest(open));
    let all = w.ledger().incidents();
    assert_eq!([all[0].established.is_some(), all[1].established.is_some()], [true, false]);
    assert!(w.ledger().obligations()[&on_call(id, incident)].disowned);
    assert_eq!(w.owed(w.now()).len(), 1);
}

#[test]
fn what_was_said_by_a_clock_that_ran_ahead_counts_once_time_starts_anew() {
    let mut w = World::new();
    w.log.now = "2090-01-01".parse().expect("instant");
    let ahead = day(30_000);
    let mut terms = due("exactly 5 EUR", 9);
    terms.notice_period = Duration::of_days(10);
    let id = w.pledged(terms);
    let needing = w.pledged(needing());
    w.say("it", notice(needing, NoticeKind::NeedMet(0)));
    let call = w.pledged(called(Starts::OnceEstablished));
    let incident =
        w.say("de", Act::Report(Report { from: When::Instant(day(0)), ..reported("attack", w.now()) }));
    w.say("pl", attest(incident));
    let leaving = w.pledged(Terms { notice_period: Duration::of_days(10), ..super::world::terms() });
    w.say("de", withdraw(&[leaving]));
    let paused = w.pledged(super::world::terms());
    w.say("it", notice(paused, NoticeKind::Suspended));
    replace_operator(&mut w, day(3));
    assert!(w.now() < ahead);
    let restart = w.now();
    assert_eq!((w.state(&id), w.state(&needing)), (State::InForce, State::InForce));
    assert_eq!(w.state(&paused), State::Suspended(handle("it")));
    assert_eq!(w.state(&leaving), State::InForce);
    let left = w.state_at(&leaving, restart.plus(Duration::of_days(10)));
    assert_eq!(left, State::Withdrawn(restart.plus(Duration::of_days(10))));
    let owed = w.owed(restart);
    let due = owed.iter().find(|o| o.key == on_due(id, 0)).expect("the due lies ahead again");
    assert_eq!(due.verdict, Verdict::NotYetDue);
    let called = owed.iter().find(|o| o.key == on_call(call, incident)).expect("called");
    assert_eq!(called.deadline, Some(restart.plus(Duration::of_days(1))), "counted anew");
    let response = w.say("de", deliver(on_due(id, 0), "5 EUR"));
    w.say("it", confirm(response));
    let owed = w.owed(w.now());
    assert!(owed.iter().any(|o| o.key == on_due(id, 0) && o.verdict == Verdict::Kept));
}

#[test]
fn a_clock_that_did_not_run_ahead_restarts_without_a_trace() {
    let mut w = World::new();
    let id = w.pledged(called(Starts::OnceEstablished));
    w.attack();
    let (digest, deadline) = (w.ledger().digest(), w.owed(w.now())[0].deadline);
    let later = w.now().plus_ms(DAY);
    replace_operator(&mut w, later);
    assert_eq!((w.ledger().digest(), w.owed(w.now())[0].deadline), (digest, deadline));
    assert_eq!(w.state(&id), State::InForce);
}
