//! When something is owed: dues and calls, incidents and their quorum, guards, exercises.

use super::world::*;
use crate::charter::Aspect;
use crate::charter::rules::{Disputes, Rules};
use crate::field::{Day, Duration};
use crate::hash::Hash;
use crate::ledger::State;
use crate::ledger::verdict::Verdict;
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::*;

fn is_established(w: &World, incident: &Hash) -> bool {
    let all = w.ledger().incidents();
    all.iter().find(|i| i.said.id == *incident).expect("an incident").established.is_some()
}

#[test]
fn a_due_follows_the_terms_in_force_until_its_day_and_keeps_them_from_then_on() {
    let mut w = World::new();
    let id = w.pledged(due("exactly 5 EUR", 2));
    let before = w.say("de", amend(id, "it", due("exactly 7 EUR", 4)));
    w.say("it", accept(&[before]));
    w.wait_days(5);
    let after = w.say("de", amend(id, "it", due("exactly 1 EUR", 9)));
    w.say("it", accept(&[after]));
    let owed = w.owed(day(10));
    assert_eq!(owed.len(), 1, "moved after its day, it is owed by that day, once");
    assert_eq!((owed[0].deadline, owed[0].facet.version), (Some(day(4)), 1));
    w.say("de", deliver(on_due(id, 0), "7 EUR"));
    assert_eq!(w.owed(day(10)).len(), 1);
}

#[test]
fn a_due_arises_with_its_first_response_and_no_word_of_others_brings_it_forth() {
    let mut w = World::new();
    let id = w.pledged(due("exactly 5 EUR", 9));
    let delivered = Subject::Obligation(on_due(id, 0));
    assert_eq!(w.refused("pl", dispute_on(delivered.clone(), &[Aspect::Delivered])), "no-obligation");
    w.say("de", respond(on_due(id, 0), Answer::Acknowledged));
    w.say("de", withdraw(&[id]));
    assert_eq!(w.verdict_at(day(10)), Verdict::Overdue, "it had arisen before the withdrawal");
    w.say("pl", dispute_on(delivered, &[Aspect::Delivered]));
    assert_eq!(w.owed(day(10))[0].contested.len(), 1);
}

#[test]
fn a_due_that_falls_into_a_suspension_or_after_the_end_is_not_owed() {
    let mut w = World::new();
    let id = w.pledged(due("", 2));
    w.say("it", notice(id, NoticeKind::Suspended));
    w.pledged(Terms { valid_until: Some(day(1)), ..due("", 2) });
    assert_eq!(w.owed(day(9)).len(), 0);
}

#[test]
fn on_request_is_called_by_a_requester_and_without_one_named_by_an_addressee() {
    let mut w = World::new();
    let id = w.pledged(called(Starts::OnRequest));
    let mut by_pl = called(Starts::OnRequest);
    by_pl.trigger.as_mut().unwrap().requesters = handles("pl");
    let other = w.pledged(by_pl);
    let incident = w.attack();
    assert_eq!(w.owed(w.now()).len(), 0, "established alone starts nothing here");
    assert_eq!(w.refused("it", invoke(&[other], Some(incident))), "not-requester");
    w.say("it", invoke(&[id], Some(incident)));
    assert_eq!(w.owed(w.now())[0].deadline, Some(w.now().plus(Duration::of_days(1))));
    w.say("pl", invoke(&[other], Some(incident)));
    assert_eq!(w.owed(w.now()).len(), 2);
}

#[test]
fn either_is_one_call_whichever_comes_first() {
    let mut w = World::new();
    let id = w.pledged(called(Starts::Either));
    let incident = w.say("de", report("attack", w.now()));
    w.say("it", invoke(&[id], Some(incident)));
    let deadline = w.owed(w.now())[0].deadline;
    w.say("pl", attest(incident));
    assert!(is_established(&w, &incident));
    let owed = w.owed(w.now());
    assert_eq!((owed.len(), owed[0].deadline), (1, deadline));
    assert_eq!(owed[0].key, on_call(id, incident));
}

#[test]
fn of_several_pledges_one_that_was_called_in_the_meantime_harms_nobody() {
    let mut w = World::new();
    let ids = [w.pledged(called(Starts::Either)), w.pledged(called(Starts::OnRequest))];
    let incident = w.attack();
    w.say("it", invoke(&ids, Some(incident)));
    assert_eq!(w.owed(w.now()).len(), 2);
}

#[test]
fn a_trigger_without_kinds_is_called_on_request_without_an_incident() {
    let mut w = World::new();
    let kinds = Vec::new().into();
    let trigger = Some(Trigger { kinds, ..trigger(Starts::OnRequest) });
    let id = w.pledged(Terms { trigger, ..terms() });
    let call = w.say("it", invoke(&[id], None));
    w.say("it", invoke(&[id], None));
    let owed = w.owed(w.now());
    assert_eq!((owed.len(), owed[0].verdict, owed[0].deadline), (2, Verdict::NoDeadline, None));
    assert!(owed.iter().any(|o| o.key == on_call(id, call)));
}

#[test]
fn terms_towards_others_that_start_otherwise_join_the_same_call() {
    let mut w = World::new();
    let id = w.say("de", pledge("it pl", called(Starts::OnRequest)));
    w.say("it", accept(&[id]));
    let by_itself = w.say("de", amend(id, "pl", called(Starts::OnceEstablished)));
    w.say("pl", accept(&[by_itself]));
    let incident = w.say("de", report("attack", w.now()));
    w.say("it", invoke(&[id], Some(incident)));
    assert_eq!(w.owed(w.now()).len(), 1);
    w.say("pl", attest(incident));
    let owed = w.owed(w.now());
    assert_eq!((owed.len(), w.ledger().obligations().len()), (2, 1));
    assert!(owed[0].deadline < owed[1].deadline);
}

#[test]
fn one_who_joined_is_called_too() {
    let mut w = World::new();
    let id = w.pledged(called(Starts::OnceEstablished));
    let own = w.say("fr", join(id));
    let incident = w.attack();
    let owed = w.owed(w.now());
    assert_eq!(
        owed.iter().map(|o| o.key.clone()).collect::<Vec<_>>(),
        [on_call(id, incident), on_call(own, incident)]
    );
    assert_eq!(owed[1].by(), [&handle("fr")]);
}

#[test]
fn the_pledge_is_tested_as_it_stood_when_the_incident_was_first_reported() {
    let mut w = World::new();
    let before = w.pledged(called(Starts::OnceEstablished));
    let incident = w.say("de", report("attack", w.now()));
    w.say("de", withdraw(&[before]));
    let after = w.pledged(called(Starts::OnceEstablished));
    w.say("pl", attest(incident));
    let owed = w.owed(w.now());
    assert_eq!(owed.len(), 1);
    assert_eq!((owed[0].pledge.said.id, w.state(&after)), (before, State::InForce));
}

#[test]
fn a_trigger_asks_against_whom_and_when_it_began() {
    let mut w = World::new();
    let against = |names: &str| {
        let trigger = Trigger { against: Some(handles(names)), ..trigger(Starts::OnceEstablished) };
        Terms { trigger: Some(trigger), ..terms() }
    };
    let late = Terms { valid_from: day(1), ..called(Starts::OnceEstablished) };
    let [it, pl, late] = [against("it"), against("pl"), late].map(|terms| w.pledged(terms));
    w.wait_days(2);
    let when = When::Day("2026-01-01".parse::<Day>().unwrap());
    let id = w.say("de", Act::Report(Report { from: when, to: when, ..reported("attack", w.now()) }));
    w.say("pl", attest(id));
    let called: Vec<_> = w.owed(w.now()).iter().map(|o| o.pledge.said.id).collect();
    assert_eq!(called, [it], "not {} nor {}", pl.short(), late.short());
}

#[test]
fn guards_ask_for_what_came_first() {
    let mut w = World::new();
    let after_ceasefire =
        Trigger { only_after: Some(short("ceasefire")), ..trigger(Starts::OnceEstablished) };
    let guarded = w.pledged(Terms { trigger: Some(after_ceasefire), ..terms() });
    let first = w.pledged(called(Starts::OnRequest));
    let after_first = Trigger { after: Some(first), ..trigger(Starts::OnceEstablished) };
    let escalated = w.pledged(Terms { trigger: Some(after_first), ..terms() });
    let incident = w.attack();
    assert_eq!(w.owed(w.now()).len(), 0);
    w.say("it", invoke(&[first], Some(incident)));
    let ceasefire = w.say("de", report("ceasefire", w.now()));
    w.say("pl", attest(ceasefire));
    w.attack();
    let mut called: Vec<_> = w.owed(w.now()).iter().map(|o| o.pledge.said.id).collect();
    called.sort_unstable();
    let mut want = vec![first, guarded, escalated];
    want.sort_unstable();
    assert_eq!(called, want);
}

#[test]
fn no_incident_is_its_own_guard() {
    let mut w = World::new();
    let after_attack = Trigger { only_after: Some(short("attack")), ..trigger(Starts::OnceEstablished) };
    w.pledged(Terms { trigger: Some(after_attack), ..terms() });
    w.attack();
    assert_eq!(w.owed(w.now()).len(), 0);
    w.attack();
    assert_eq!(w.owed(w.now()).len(), 1);
}

#[test]
fn an_exercise_meets_no_guard_of_the_real_thing() {
    let mut w = World::new();
    let first = w.pledged(called(Starts::OnRequest));
    let guards = Trigger {
        only_after: Some(short("ceasefire")),
        after: Some(first),
        ..trigger(Starts::OnceEstablished)
    };
    let guarded = w.pledged(Terms { trigger: Some(guards), ..terms() });
    let drill = w.say("de", exercise("ceasefire", w.now()));
    w.say("pl", attest(drill));
    let drill = w.say("de", exercise("attack", w.now()));
    w.say("it", invoke(&[first], Some(drill)));
    w.attack();
    assert!(w.owed(w.now()).iter().all(|o| o.is_exercise() && o.pledge.said.id == first));
    w.say("pl", attest(drill));
    let owed = w.owed(w.now());
    assert!(owed.iter().any(|o| o.pledge.said.id == guarded) && owed.iter().all(|o| o.is_exercise()));
}

#[test]
fn a_quorum_never_counts_one_partner_twice_and_only_roles_that_count() {
    let mut w = World::new();
    let id = w.say("de", report("attack", start()));
    w.say("de", attest(id));
    w.say("de", Act::Report(Report { joins: Some(id), ..reported("attack", start()) }));
    assert!(!is_established(&w, &id));
    w.say("it", Act::Report(Report { joins: Some(id), ..reported("attack", start()) }));
    assert!(!is_established(&w, &id), "it has no role that counts");
    w.say("pl", Act::Report(Report { joins: Some(id), ..reported("attack", start()) }));
    assert!(is_established(&w, &id), "joining attests what both say");
}

#[test]
fn joining_attests_only_what_both_say() {
    let mut w = World::new();
    let id = w.say("de", report("attack", start()));
    w.say("pl", Act::Report(Report { joins: Some(id), ..reported("attack ceasefire", start()) }));
    assert!(!is_established(&w, &id), "another kind");
    let all = &w.ledger().reports()[0];
    assert_eq!((all.tally(Aspect::Occurred), all.tally(Aspect::Kind)), ((2, 0), (1, 0)));
}

#[test]
fn what_supersedes_starts_from_none_and_what_is_established_stands() {
    let mut w = World::new();
    let first = w.say("de", report("attack", w.now()));
    let second = Report { supersedes: Some(first), ..reported("attack", w.now()) };
    let second = w.say("de", Act::Report(second));
    assert!(!is_established(&w, &first));
    w.say("pl", attest(second));
    assert!(is_established(&w, &first));
    w.say("de", Act::Report(Report { supersedes: Some(second), ..reported("attack", w.now()) }));
    w.say("pl", report("", w.now()));
    assert!(is_established(&w, &first));
}

#[test]
fn the_last_word_of_each_counts_and_disputes_as_the_rules_say() {
    for (disputes, after) in [(Disputes::Against, true), (Disputes::Vetoes, false)] {
        let mut rules = Rules { ..rules() };
        rules.incident_quorum.disputes = disputes;
        rules.incident_quorum.count = 1;
        let mut w = World::ruled(rules);
        let id = w.say("it", report("attack", w.now()));
        w.say("pl", dispute(id));
        w.say("de", attest(id));
        assert!(!is_established(&w, &id), "one against one");
        w.say("fr", attest(id));
        assert_eq!(is_established(&w, &id), after, "{disputes:?}: two against one");
        w.say("pl", attest(id));
        assert!(is_established(&w, &id), "pl changed its mind");
        w.say("pl", dispute(id));
        assert!(is_established(&w, &id), "a fact from then on");
    }
}

#[test]
fn an_observation_opens_no_incident_and_may_be_superseded_into_one() {
    let mut w = World::new();
    let id = w.say("pl", report("", w.now()));
    assert_eq!((w.ledger().incidents().len(), w.ledger().reports().len()), (0, 1));
    w.say("pl", Act::Report(Report { supersedes: Some(id), ..reported("attack", w.now()) }));
    assert_eq!(w.ledger().incidents().len(), 1);
}

#[test]
fn a_review_is_noted() {
    let mut w = World::new();
    let held_on = "2026-01-01".parse().unwrap();
    let (attendance, remarks, decisions, annexes) = Default::default();
    let next_on = Some("2026-07-01".parse().unwrap());
    let review = Review { held_on, attendance, remarks, decisions, next_on, annexes };
    w.say("fr", Act::Review(review));
    assert_eq!(w.ledger().reviews()[0].next_on, next_on);
}
