//! How pledges stand: accepted, awaiting, amended, withdrawn, suspended, recorded, sealed.

use super::world::*;
use crate::charter::Sealable;
use crate::charter::rules::{PledgeRules, Rules};
use crate::field::Duration;
use crate::field::{Class, Instant};
use crate::hash::Hash;
use crate::ledger::{Line, Moment, State};
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::*;

fn bound(w: &World, id: &Hash, to: &str) -> Option<u32> {
    let (pledge, line) = w.ledger().line(id).expect("a line");
    pledge.bound_by(line, &handle(to), Moment::at(w.now()))
}

fn noticed(days: u64) -> Terms {
    Terms { notice_period: Duration::of_days(days), ..terms() }
}

#[test]
fn a_pledge_is_in_force_towards_each_addressee_once_that_one_accepted() {
    let mut w = World::new();
    let id = w.say("de", pledge("it pl", terms()));
    assert_eq!(w.state(&id), State::Proposed);
    w.say("it", accept(&[id]));
    assert_eq!((w.towards(&id, "it"), w.towards(&id, "pl")), (State::InForce, State::Proposed));
}

#[test]
fn where_no_acceptance_is_needed_pledges_hold_at_once_and_amendments_are_accepted_all_the_same() {
    let pledges = PledgeRules { need_acceptance: false, ..PledgeRules::default() };
    let mut w = World::ruled(Rules { pledges, ..rules() });
    let id = w.say("de", pledge("it", due("exactly 5 EUR", 9)));
    assert_eq!(w.state(&id), State::InForce);
    let less = w.say("de", amend(id, "it pl", due("exactly 1 EUR", 9)));
    assert_eq!((bound(&w, &id, "it"), bound(&w, &id, "pl")), (Some(0), Some(1)), "pl is new to it");
    w.say("it", accept(&[less]));
    assert_eq!(bound(&w, &id, "it"), Some(1));
}

#[test]
fn an_amendment_holds_towards_each_once_it_accepted_and_the_old_terms_until_then() {
    let mut w = World::new();
    let id = w.say("de", pledge("it pl", terms()));
    w.say("it", accept(&[id]));
    w.say("pl", accept(&[id]));
    let amendment = w.say("de", amend(id, "it", needing()));
    assert_eq!((bound(&w, &id, "it"), bound(&w, &id, "pl")), (Some(0), Some(0)));
    w.say("it", accept(&[amendment]));
    assert_eq!((bound(&w, &id, "it"), bound(&w, &id, "pl")), (Some(1), Some(0)));
    assert_eq!(w.refused("pl", accept(&[amendment])), "not-addressed");
    assert_eq!(w.towards(&id, "pl"), State::InForce, "to leave somebody out takes a withdrawal");
}

#[test]
fn validity_begins_and_ends_with_its_very_milliseconds() {
    let mut w = World::new();
    let id = w.pledged(Terms { valid_from: day(2), valid_until: Some(day(3)), ..terms() });
    let before = |at: Instant| Instant::from_ms(at.ms() - 1).unwrap();
    assert_eq!(w.state_at(&id, before(day(2))), State::NotYet(day(2)));
    assert_eq!(w.state_at(&id, day(2)), State::InForce);
    assert_eq!(w.state_at(&id, day(3)), State::InForce);
    assert_eq!(w.state_at(&id, day(3).plus_ms(1)), State::Expired(day(3)));
    w.wait_days(4);
    assert_eq!(w.refused("de", amend(id, "it", terms())), "ended");
    let late = w.say("de", pledge("it", Terms { valid_until: Some(day(3)), ..terms() }));
    w.say("it", accept(&[late]));
    assert_eq!(w.state(&late), State::Expired(day(3)), "accepted after its validity");
}

#[test]
fn a_need_is_awaited_until_it_was_declared_met_and_fails_for_good() {
    let mut w = World::new();
    let [met, failed] = [(); 2].map(|()| w.pledged(needing()));
    assert!(matches!(w.state(&met), State::Awaiting(_)));
    w.say("it", notice_from(met, NoticeKind::NeedMet(0), Some(day(5))));
    w.say("it", notice(failed, NoticeKind::NeedFailed(0)));
    assert!(matches!(w.state(&met), State::Awaiting(_)));
    assert_eq!(w.state_at(&met, day(5)), State::InForce);
    assert_eq!(w.state(&failed), State::Lapsed(short("ratification")));
}

#[test]
fn a_need_counts_from_no_earlier_than_its_entry_and_is_kept_by_an_amendment_that_repeats_it() {
    let mut w = World::new();
    let id = w.pledged(needing());
    w.wait_days(3);
    w.say("it", notice_from(id, NoticeKind::NeedMet(0), Some(day(1))));
    assert!(matches!(w.state_at(&id, day(2)), State::Awaiting(_) | State::Proposed));
    let again = w.say("de", amend(id, "it", needing()));
    w.say("it", accept(&[again]));
    assert_eq!(w.state(&id), State::InForce);
    let mut other = needing();
    other.needs.0[0].label = short("money");
    let other = w.say("de", amend(id, "it", other));
    w.say("it", accept(&[other]));
    assert!(matches!(w.state(&id), State::Awaiting(_)));
    w.say("it", notice(other, NoticeKind::NeedMet(0)));
    assert_eq!(w.state(&id), State::InForce);
}

#[test]
fn who_is_named_owes_only_after_joining_that_very_version() {
    let mut w = World::new();
    let jointly = || Terms { owed_by: OwedBy::Jointly(handles("de fr")), ..due("", 9) };
    let id = w.pledged(jointly());
    assert_eq!(w.state(&id), State::Awaiting("fr to join".into()));
    w.say("fr", join(id));
    assert_eq!(w.state(&id), State::InForce);
    assert_eq!(w.owed(day(9))[0].by(), [&handle("de"), &handle("fr")]);
    let amendment = w.say("de", amend(id, "it", jointly()));
    w.say("it", accept(&[amendment]));
    assert_eq!(bound(&w, &id, "it"), Some(0), "fr has not joined the amendment");
    w.say("fr", join(amendment));
    assert_eq!(bound(&w, &id, "it"), Some(1));
}

#[test]
fn who_joins_on_its_own_owes_the_same_and_is_bound_by_what_it_joined() {
    let mut w = World::new();
    let id = w.pledged(due("exactly 5 EUR", 9));
    let own = w.say("fr", join(id));
    let amendment = w.say("de", amend(id, "it", due("exactly 7 EUR", 9)));
    w.say("it", accept(&[amendment]));
    assert_eq!((bound(&w, &id, "it"), bound(&w, &own, "it")), (Some(1), Some(0)));
    let owed: Vec<_> = w.owed(w.now()).iter().map(|o| o.measured.clone().unwrap().promised).collect();
    assert_eq!(owed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["7", "5"]);
    w.say("fr", join(amendment));
    assert_eq!(bound(&w, &own, "it"), Some(1));
}

#[test]
fn a_withdrawal_takes_effect_after_the_notice_period_and_what_is_owed_by_then_stays_owed() {
    let mut w = World::new();
    let mut two = Terms { notice_period: Duration::of_days(10), ..due("", 5) };
    two.dues.0.push(Due { label: short("second"), by: day(20), quantity: Quantity::None });
    let id = w.pledged(two);
    w.say("de", withdraw(&[id]));
    let end = w.now().plus(Duration::of_days(10));
    assert_eq!(w.state_at(&id, Instant::from_ms(end.ms() - 1).unwrap()), State::InForce);
    assert_eq!(w.state_at(&id, end), State::Withdrawn(end));
    let owed: Vec<_> = w.owed(day(30)).iter().map(|o| o.label()).collect();
    assert_eq!(owed, ["first"]);
    assert_eq!(w.refused("de", withdraw(&[id])), "ended");
    w.wait_days(12);
    w.say("de", respond(on_due(id, 0), Answer::Declined));
    assert_eq!(w.refused("de", respond(on_due(id, 1), Answer::Declined)), "no-obligation");
}

#[test]
fn what_binds_nobody_yet_needs_no_notice() {
    let mut w = World::new();
    let id = w.say("de", pledge("it", noticed(10)));
    w.say("de", withdraw(&[id]));
    assert_eq!(w.state(&id), State::Withdrawn(w.now()));
}

#[test]
fn each_side_ends_only_what_is_its_own() {
    let mut w = World::new();
    let id = w.say("de", pledge("it pl", noticed(1)));
    w.say("it", accept(&[id]));
    w.say("pl", accept(&[id]));
    let own = w.say("fr", join(id));
    w.say("de", withdraw(&[id]));
    w.wait_days(2);
    assert!(matches!(w.state(&id), State::Withdrawn(_)));
    assert_eq!(w.state(&own), State::InForce, "fr has not withdrawn");
    w.say("it", withdraw(&[id]));
    w.wait_days(2);
    let (pledge, line) = w.ledger().line(&own).unwrap();
    let now = Moment::at(w.now());
    assert!(matches!(pledge.state(line, &handle("it"), now), State::Withdrawn(_)), "nothing is owed to it");
    assert_eq!(pledge.state(line, &handle("pl"), now), State::InForce);
    w.say("fr", withdraw(&[own]));
    w.wait_days(2);
    assert!(matches!(w.state(&own), State::Withdrawn(_)));
    assert_eq!(w.refused("pl", withdraw(&[id])), "ended");
}

#[test]
fn all_that_carries_an_agreements_annex_is_withdrawn_at_once() {
    let mut w = World::new();
    let treaty = Hash([7; 32]);
    let under = || Terms { annexes: vec![document(treaty)].into(), ..terms() };
    let ids = [w.pledged(under()), w.pledged(terms()), w.pledged(under())];
    let foreign = w.say("fr", pledge("pl", under()));
    w.say("de", leave(treaty));
    let over = ids.map(|id| w.state(&id).is_over());
    assert_eq!((over, w.state(&foreign)), ([true, false, true], State::Proposed));
    assert_eq!(w.refused("de", leave(treaty)), "nothing-named");
}

#[test]
fn an_addressee_waives_at_once_and_an_author_suspends_no_faster_than_it_could_withdraw() {
    let mut w = World::new();
    let id = w.pledged(noticed(10));
    w.say("it", notice(id, NoticeKind::Suspended));
    assert_eq!(w.state(&id), State::Suspended(handle("it")));
    w.say("it", notice(id, NoticeKind::Resumed));
    assert_eq!(w.state(&id), State::InForce);
    w.say("de", withdraw(&[id]));
    w.wait_days(1);
    w.say("de", notice(id, NoticeKind::Suspended));
    assert_eq!(w.state(&id), State::InForce, "a withdrawal that is running is no way around");
    assert!(w.state_at(&id, w.now().plus(Duration::of_days(9))).is_over());
    let other = w.pledged(noticed(10));
    w.say("de", notice_from(other, NoticeKind::Suspended, Some(day(0))));
    let from = w.now().plus(Duration::of_days(10));
    assert_eq!(w.state_at(&other, from), State::Suspended(handle("de")));
    assert_eq!(w.state(&other), State::InForce);
}

#[test]
fn a_suspension_is_one_sides_too() {
    let mut w = World::new();
    let id = w.say("de", pledge("it pl", terms()));
    w.say("it", accept(&[id]));
    w.say("pl", accept(&[id]));
    let own = w.say("fr", join(id));
    w.say("it", notice(id, NoticeKind::Suspended));
    assert_eq!(w.towards(&id, "pl"), State::InForce);
    w.say("de", notice(id, NoticeKind::Suspended));
    assert_eq!(w.towards(&id, "pl"), State::Suspended(handle("de")));
    assert_eq!(w.state(&own), State::InForce);
}

#[test]
fn a_record_is_never_in_force_and_an_adopted_one_is_a_pledge_of_its_promisor() {
    let mut w = World::new();
    let jointly = Terms { owed_by: OwedBy::Jointly(handles("de fr")), ..due("", 1) };
    let recorded = w.say("pl", record("de", "it", jointly));
    assert_eq!((w.state(&recorded), w.owed(day(2)).len()), (State::Recorded, 0));
    let adopted = w.say("de", adopt(recorded));
    assert_eq!((w.state(&recorded), w.state(&adopted)), (State::Adopted, State::Proposed));
    w.say("it", accept(&[adopted]));
    w.say("fr", join(adopted));
    assert_eq!((w.state(&adopted), w.owed(day(2)).len()), (State::InForce, 1));
    assert_eq!(w.refused_in(Class::Observe, "pl", &amend(recorded, "it", terms())), "ended");
}

#[test]
fn a_reference_is_free_again_once_its_pledge_is_over_or_amended_to_another() {
    let mut w = World::new();
    let named = |name: &str| Terms { reference: Some(short(name)), ..terms() };
    let first = w.pledged(named("M1"));
    w.say("de", amend(first, "it", named("M1")));
    assert_eq!(w.refused("de", pledge("it", named("M1"))), "reference-taken");
    w.say("fr", pledge("it", named("M1")));
    w.say("de", amend(first, "it", named("M2")));
    let second = w.pledged(named("M1"));
    w.say("de", withdraw(&[second]));
    w.say("de", pledge("it", named("M1")));
    let recorded = w.say("pl", record("de", "it", named("M2")));
    assert_eq!(w.refused("de", adopt(recorded)), "reference-taken");
    w.say("de", withdraw(&[first]));
    w.say("de", adopt(recorded));
}

#[test]
fn sealed_terms_are_in_force_and_opened_they_were_its_terms_all_along() {
    let mut w = World::new();
    let hidden = Terms { reference: Some(short("M1")), ..due("exactly 5 EUR", 3) };
    let id = w.sealed_pledge(&hidden);
    w.say("it", accept(&[id]));
    assert_eq!((w.state(&id), w.owed(day(5)).len()), (State::InForce, 0));
    w.wait_days(4);
    w.say("de", reveal(id, "terms", &hidden));
    assert_eq!(w.owed(w.now()).len(), 1);
    assert_eq!(
        w.refused("de", pledge("it", Terms { reference: Some(short("M1")), ..terms() })),
        "reference-taken"
    );
}

#[test]
fn an_amendment_under_seal_may_repeat_its_pledges_reference_when_it_is_opened() {
    let mut w = World::new();
    let named = Terms { reference: Some(short("M1")), ..terms() };
    let id = w.pledged(named.clone());
    let terms = Sealable::Sealed(w.sealed("de", "terms", &named));
    let hidden = w.say("de", Act::Amend(Amend { statement: id, to: handles("it"), terms }));
    w.say("de", amend(id, "it", named.clone()));
    w.say("de", reveal(hidden, "terms", &named));
}

#[test]
fn notices_without_effect_are_noted_and_change_no_state() {
    let mut w = World::new();
    let id = w.pledged(terms());
    w.say("pl", notice(id, NoticeKind::Objection));
    let pledge = w.ledger().pledge_of(&id).unwrap();
    assert_eq!((pledge.notes.len(), w.state(&id)), (1, State::InForce));
    assert_eq!(pledge.line_id(Line::Author), id);
}
