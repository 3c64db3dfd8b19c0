//! What one partner could take from another through a gap between two rules, and what a theft or a restart leaves behind.

use super::world::*;
use crate::charter::Sealable;
use crate::charter::rules::{PledgeRules, Rules};
use crate::field::{Class, Duration};
use crate::hash::Hash;
use crate::history::sample::{accede_with, log_key, set};
use crate::ledger::State;
use crate::ledger::answers::{Changed, Filter, Status, What, agenda, changes};
use crate::ledger::verdict::Verdict;
use crate::ledger::{Line, Moment};
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::*;

/// Gives a partner new keys; what it said from an index on is disowned.
fn rekey(w: &mut World, name: &str, from: u64, who: &[&str]) {
    let keys = set(&[(50, "GCOB")], [1, 1, 1, 1, 0]);
    let handle = handle(name);
    w.carry(Motion::Rekey { keys: keys.digest(&handle), handle, disown_from: Some(from) }, who);
    w.say(name, accede_with(keys));
}

// - dues -

#[test]
fn a_response_to_one_addressee_takes_no_due_from_another_who_accepts_later() {
    let mut w = World::new();
    let id = w.say("de", pledge("it pl", due("exactly 5 EUR", 9)));
    w.say("it", accept(&[id]));
    w.say("de", respond(on_due(id, 0), Answer::Acknowledged));
    w.say("pl", accept(&[id]));
    let owed = w.owed(day(10));
    let to: Vec<_> = owed.iter().map(|o| o.facet.to.to_vec()).collect();
    assert_eq!(to, [vec![handle("it")], vec![handle("pl")]], "it is owed to both on its day");
    assert!(owed.iter().all(|o| o.verdict == Verdict::Overdue && o.deadline == Some(day(9))));
    let response = w.say("de", deliver(on_due(id, 0), "5 EUR"));
    w.say("pl", confirm(response));
    let kept: Vec<_> = w.owed(day(10)).iter().map(|o| o.verdict).collect();
    assert_eq!(kept, [Verdict::Claimed, Verdict::Kept]);
}

#[test]
fn who_took_a_due_on_late_confirms_once_it_arose() {
    let mut w = World::new();
    let id = w.say("de", pledge("it pl", due("exactly 5 EUR", 9)));
    w.say("it", accept(&[id]));
    let response = w.say("de", deliver(on_due(id, 0), "5 EUR"));
    w.say("pl", accept(&[id]));
    assert_eq!(w.refused("pl", confirm(response)), "not-owed-to", "its day is still to come");
    w.wait_days(9);
    w.say("pl", confirm(response));
    let verdicts: Vec<_> = w.owed(w.now()).iter().map(|o| o.verdict).collect();
    assert_eq!(verdicts, [Verdict::Claimed, Verdict::Kept]);
}

#[test]
fn nobody_confirms_more_than_the_whole_where_no_amount_was_claimed() {
    let mut w = World::new();
    let id = w.pledged(due("exactly 5 EUR", 2));
    let response = w.say("de", deliver(on_due(id, 0), ""));
    assert_eq!(w.refused("it", confirm_part(response, "6 EUR")), "more-than-claimed");
    w.say("it", confirm_part(response, "5 EUR"));
    assert_eq!(w.verdict(), Verdict::Kept);
}

#[test]
fn what_was_acknowledged_alone_is_overdue_and_not_without_response() {
    let mut w = World::new();
    let id = w.pledged(due("", 2));
    let why = |w: &World| w.owed(day(3))[0].why;
    assert_eq!(why(&w), "no response on record by its deadline");
    w.say("de", respond(on_due(id, 0), Answer::Acknowledged));
    assert_eq!(w.verdict_at(day(3)), Verdict::Overdue);
    assert_eq!(why(&w), "acknowledged, and no delivery on record by its deadline");
}

// - who is bound by which terms -

#[test]
fn where_no_acceptance_is_needed_an_amendment_counts_from_its_acceptance_and_not_from_before() {
    let pledges = PledgeRules { need_acceptance: false, ..PledgeRules::default() };
    let mut w = World::ruled(Rules { pledges, ..rules() });
    let id = w.say("de", pledge("it", called(Starts::OnceEstablished)));
    let less = w.say("de", amend(id, "it", terms()));
    let incident = w.say("de", report("attack", w.now()));
    w.say("it", accept(&[less]));
    w.say("pl", attest(incident));
    assert_eq!(w.owed(w.now()).len(), 1, "when the incident was reported the first terms bound");
}

#[test]
fn an_annex_that_was_only_offered_ends_nothing_when_its_agreement_is_left() {
    let mut w = World::new();
    let treaty = Hash([7; 32]);
    let under = || Terms { annexes: vec![document(treaty)].into(), ..terms() };
    let [apart, dropped] = [w.pledged(terms()), w.pledged(under())];
    w.say("de", amend(apart, "it", under()));
    let without = w.say("de", amend(dropped, "it", terms()));
    w.say("it", accept(&[without]));
    assert_eq!(w.refused("it", leave(treaty)), "nothing-named");
    let carried = w.pledged(under());
    w.say("it", leave(treaty));
    let over = [apart, dropped, carried].map(|id| w.state(&id).is_over());
    assert_eq!(over, [false, false, true]);
}

#[test]
fn the_end_of_the_authors_part_is_not_told_of_one_who_joined() {
    let mut w = World::new();
    let id = w.pledged(Terms { notice_period: Duration::of_days(10), ..terms() });
    let own = w.say("fr", join(id));
    w.say("de", withdraw(&[id]));
    let status = Status::of(w.ledger(), Moment::at(w.now()), &Filter::default());
    let ends = |id| status.pledges.iter().find(|row| row.id == id).expect("a row").ends_at.is_some();
    assert_eq!((ends(id), ends(own)), (true, false));
    w.say("fr", withdraw(&[own]));
    let all = agenda(w.ledger(), w.log.roster(), Moment::at(w.now()), day(30));
    let leaving = all.iter().filter(|item| matches!(item.what, What::Withdrawn)).map(|item| item.id);
    assert_eq!(leaving.collect::<Vec<_>>(), [id, own]);
}

#[test]
fn an_observer_withdraws_its_record_of_a_promise_to_itself() {
    let mut w = World::new();
    let recorded = w.say("pl", record("de", "it pl", terms()));
    w.say_in(Class::Observe, "pl", withdraw(&[recorded]));
    assert!(w.ledger().pledge_of(&recorded).unwrap().is_over(Moment::at(w.now())));
}

// - seals -

#[test]
fn opening_a_sealed_record_opens_the_pledge_that_adopted_it() {
    let mut w = World::new();
    let hidden = Terms { reference: Some(short("M1")), ..due("exactly 5 EUR", 3) };
    let terms = Sealable::Sealed(w.sealed("pl", "terms", &hidden));
    let promisor = Party::Handle(handle("de"));
    let body = Record { promisor, to: handles("it"), terms, source: long("") };
    let recorded = w.say("pl", Act::Record(body));
    let adopted = w.say("de", adopt(recorded));
    w.say("it", accept(&[adopted]));
    let before = Status::of(w.ledger(), Moment::at(day(5)), &Filter::default());
    assert_eq!(w.owed(day(5)).len(), 0);
    let other = w.say("de", pledge("it", Terms { reference: Some(short("M1")), ..super::world::terms() }));
    assert_eq!(w.refused("pl", reveal(recorded, "terms", &hidden)), "reference-taken", "of the promisor's");
    w.say("de", withdraw(&[other]));
    w.say("pl", reveal(recorded, "terms", &hidden));
    assert_eq!(w.owed(day(5)).len(), 1);
    let named = pledge("it", Terms { reference: Some(short("M1")), ..super::world::terms() });
    assert_eq!(w.refused("de", named), "reference-taken");
    let after = Status::of(w.ledger(), Moment::at(day(5)), &Filter::default());
    let opened: Vec<_> = changes(&before, &after)
        .into_iter()
        .filter(|c| matches!(c.what, Changed::Opened(_)))
        .map(|c| c.id)
        .collect();
    assert_eq!(opened, [adopted, recorded]);
}

#[test]
fn opening_a_records_quantity_opens_it_in_the_pledge_that_adopted_it() {
    let mut w = World::new();
    let amount: Bounded = "exactly 5 EUR".parse().unwrap();
    let mut terms = due("", 3);
    terms.dues.0[0].quantity = Quantity::Sealed(w.sealed("pl", "terms.dues.0.quantity", &amount));
    let earlier = w.say("pl", record("de", "it", terms.clone()));
    let recorded = w.say_in(Class::Observe, "pl", amend(earlier, "it", terms));
    let adopted = w.say("de", adopt(earlier));
    w.say("it", accept(&[adopted]));
    w.say("pl", reveal(earlier, "terms.dues.0.quantity", &amount));
    assert!(w.owed(day(2))[0].measured.is_none(), "another version was adopted");
    w.say("pl", reveal(recorded, "terms.dues.0.quantity", &amount));
    assert!(w.owed(day(2))[0].measured.is_some());
}

// - a theft -

#[test]
fn a_due_that_fell_due_under_stolen_terms_is_marked_though_nobody_answered_it() {
    let mut w = World::new();
    let honest = w.pledged(due("", 2));
    let from = w.log.size();
    let stolen = w.pledged(due("", 2));
    let amended = w.say("de", amend(honest, "it", due("", 2)));
    let own = w.say("fr", pledge("it", due("", 2)));
    w.say("it", accept(&[amended, own]));
    let joined = w.say("de", join(own));
    w.wait_days(3);
    rekey(&mut w, "de", from, &["fr", "it"]);
    let owed = w.owed(w.now());
    let marks: Vec<_> = owed.iter().map(|o| (o.key.pledge, o.is_disowned())).collect();
    assert_eq!(marks, [(honest, true), (stolen, true), (own, false), (joined, true)]);
}

#[test]
fn one_whose_stolen_keys_joined_jointly_owes_no_longer() {
    let mut w = World::new();
    let jointly = || Terms {
        owed_by: OwedBy::Jointly(handles("fr de")),
        notice_period: Duration::of_days(5),
        ..due("", 9)
    };
    let bound = w.say("fr", pledge("it pl", jointly()));
    w.say("it", accept(&[bound]));
    let plain = w.say("fr", pledge("it", terms()));
    w.say("it", accept(&[plain]));
    let from = w.log.size();
    w.say("de", join(bound));
    let offered = w.say("fr", amend(plain, "it", jointly()));
    w.say("de", join(offered));
    assert_eq!(w.state(&bound), State::InForce);
    rekey(&mut w, "de", from, &["fr", "pl"]);
    assert_eq!(w.towards(&bound, "it"), State::InForce, "with notice");
    let (pledge, line) = w.ledger().line(&bound).unwrap();
    assert!(matches!(pledge.state(line, &handle("it"), Moment::at(day(7))), State::Withdrawn(_)));
    assert_eq!(w.refused("pl", accept(&[bound])), "ended", "nor what it joined before");
    assert_eq!(w.refused("it", accept(&[offered])), "ended", "what a thief joined cannot be taken on");
    assert_eq!(w.state(&plain), State::InForce, "the terms of before stand");
}

#[test]
fn nothing_is_called_upon_because_of_what_a_thief_alone_reported() {
    let mut w = World::new();
    let id = w.pledged(called(Starts::Either));
    let from = w.log.size();
    let [alone, joined] = [(); 2].map(|()| w.say("de", report("attack", w.now())));
    let own = Report { joins: Some(joined), ..reported("attack", w.now()) };
    w.say("pl", Act::Report(Report { kinds: vec![short("ceasefire"), short("attack")].into(), ..own }));
    rekey(&mut w, "de", from, &["fr", "it"]);
    assert_eq!(w.refused("it", invoke(&[id], Some(alone))), "does-not-fit");
    w.say("it", invoke(&[id], Some(joined)));
    assert_eq!(w.owed(w.now()).len(), 1, "another's report stands");
}

// - a restart -

#[test]
fn a_deadline_that_a_later_entry_added_is_counted_anew_by_itself() {
    let mut w = World::new();
    let id = w.say("de", pledge("it pl", called(Starts::OnRequest)));
    w.say("it", accept(&[id]));
    let by_itself = w.say("de", amend(id, "pl", called(Starts::OnceEstablished)));
    w.say("pl", accept(&[by_itself]));
    let incident = w.say("de", report("attack", w.now()));
    w.say("it", invoke(&[id], Some(incident)));
    let honest = w.owed(w.now())[0].deadline;
    let replaces = w.log.roster().operator_set_by();
    w.log.now = "2090-01-01".parse().expect("instant");
    w.say("pl", attest(incident));
    let keys = set(&[(60, "G"), (61, "L")], [1, 0, 0, 0, 1]).digest(&handle("operator"));
    let motion = Motion::Operator { vkey: log_key("log.example/new", 98), keys, replaces };
    let lapses_at = day(1);
    let motion = w.say("de", Act::Propose(Propose { motion, lapses_at }));
    let open = agenda(w.ledger(), w.log.roster(), Moment::at(w.now()), w.now());
    let by: Vec<_> = open.iter().filter(|i| matches!(i.what, What::Motion(_))).map(|item| item.by).collect();
    assert_eq!(by, [None], "it does not lapse by time");
    w.say("fr", Act::Approve(Approve { motion }));
    w.log.now = day(3);
    w.say("it", Act::Approve(Approve { motion }));
    let anew = w.now().plus(Duration::of_days(1));
    let deadlines: Vec<_> = w.owed(w.now()).iter().map(|o| o.deadline).collect();
    assert_eq!(deadlines, [honest, Some(anew)]);
    assert_eq!(w.ledger().line(&id).map(|(_, line)| line), Some(Line::Author));
}
