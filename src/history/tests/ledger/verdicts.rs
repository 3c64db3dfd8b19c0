//! Verdicts: the table of `docs/ledger.md`, row by row.

use super::world::*;
use crate::charter::Aspect;
use crate::charter::rules::{PledgeRules, Rules};
use crate::field::Duration;
use crate::hash::Hash;
use crate::ledger::verdict::Verdict;
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::*;

/// A world with one due by day 2.
fn owing(quantity: &str) -> (World, Obligation) {
    let pledges = PledgeRules {
        tolerance: "0.1".parse().unwrap(),
        filing_grace: Duration::of_days(1),
        ..PledgeRules::default()
    };
    let mut w = World::ruled(Rules { pledges, ..rules() });
    let id = w.pledged(due(quantity, 2));
    (w, on_due(id, 0))
}

fn sums(w: &World) -> (String, String, String) {
    let owed = w.owed(w.now());
    let m = owed[0].measured.clone().unwrap();
    (m.claimed.to_string(), m.confirmed.to_string(), m.outstanding().to_string())
}

#[test]
fn not_yet_due_up_to_and_including_its_deadline_then_overdue() {
    let (w, _) = owing("");
    assert_eq!(w.verdict_at(day(2)), Verdict::NotYetDue);
    assert_eq!(w.verdict_at(day(2).plus_ms(1)), Verdict::Overdue);
}

#[test]
fn claimed_until_somebody_to_whom_it_is_owed_says_something_of_it() {
    let (mut w, owed) = owing("");
    w.say("de", respond(owed.clone(), Answer::Acknowledged));
    assert_eq!(w.verdict(), Verdict::NotYetDue);
    let response = w.say("de", deliver(owed, ""));
    assert_eq!((w.verdict(), w.verdict_at(day(9))), (Verdict::Claimed, Verdict::Claimed));
    w.say("it", confirm_as(response, Received::NotReceived));
    assert_eq!((w.verdict(), w.verdict_at(day(9))), (Verdict::NotYetDue, Verdict::Overdue));
    assert_eq!(w.owed(day(9))[0].why, "what was claimed was not received");
    w.say("it", confirm(response));
    assert_eq!(w.verdict(), Verdict::Kept, "the last word counts");
}

#[test]
fn in_time_is_by_the_entry_less_the_grace_or_by_the_confirmed_moment_of_delivery() {
    for (days, done, want) in [
        (3, None, Verdict::KeptLate),
        (2, None, Verdict::Kept),
        (9, Some(day(2)), Verdict::Kept),
        (9, Some(day(2).plus_ms(1)), Verdict::KeptLate),
    ] {
        let (mut w, owed) = owing("");
        w.wait_days(days);
        let response = w.say("de", respond_with(owed, Answer::Delivered, None, done));
        w.say("it", confirm(response));
        assert_eq!(w.verdict(), want, "{days} {done:?}");
    }
}

#[test]
fn parts_add_up_and_are_summed_exactly() {
    let (mut w, owed) = owing("exactly 5 EUR");
    let first = w.say("de", deliver(owed.clone(), "3.1 EUR"));
    w.say("it", confirm(first));
    assert_eq!(w.verdict(), Verdict::PartKept);
    let second = w.say("de", deliver(owed, "1.9 EUR"));
    assert_eq!(sums(&w), ("5".into(), "3.1".into(), "1.9".into()));
    w.say("it", confirm_part(second, "1.8 EUR"));
    assert_eq!(w.verdict_at(day(9)), Verdict::PartKept);
    w.say("it", confirm(second));
    assert_eq!((w.verdict(), sums(&w).1.as_str()), (Verdict::Kept, "5"));
}

#[test]
fn each_bound_is_kept_in_its_own_way() {
    for (quantity, delivered, want) in [
        ("exactly 100 EUR", "99.999 EUR", Verdict::PartKept),
        ("exactly 100 EUR", "101 EUR", Verdict::Kept),
        ("at most 100 EUR", "0.01 EUR", Verdict::Kept),
        ("at most 100 EUR", "0 EUR", Verdict::PartKept),
        ("at least 100 EUR", "90 EUR", Verdict::Kept),
        ("at least 100 EUR", "89.9 EUR", Verdict::PartKept),
        ("about 100 EUR", "90 EUR", Verdict::Kept),
        ("about 100 EUR", "89.9 EUR", Verdict::PartKept),
    ] {
        let (mut w, owed) = owing(quantity);
        let response = w.say("de", deliver(owed, delivered));
        w.say("it", confirm(response));
        assert_eq!(w.verdict(), want, "{quantity}: {delivered}");
    }
}

#[test]
fn all_in_time_but_the_last_part_is_kept_late() {
    let (mut w, owed) = owing("exactly 5 EUR");
    let first = w.say("de", deliver(owed.clone(), "3 EUR"));
    w.say("it", confirm(first));
    w.wait_days(4);
    let second = w.say("de", deliver(owed, "2 EUR"));
    w.say("it", confirm(second));
    assert_eq!(w.verdict(), Verdict::KeptLate);
}

#[test]
fn declined_is_the_last_word_unless_something_is_claimed() {
    let (mut w, owed) = owing("");
    w.say("de", respond(owed.clone(), Answer::Declined));
    assert_eq!(w.verdict_at(day(9)), Verdict::Declined);
    w.say("de", respond(owed.clone(), Answer::Acknowledged));
    assert_eq!(w.verdict(), Verdict::Declined);
    w.say("de", deliver(owed, ""));
    assert_eq!(w.verdict(), Verdict::Claimed);
}

#[test]
fn best_efforts_and_targets_are_not_reported_by_their_date_never_overdue() {
    for force in [Force::BestEfforts, Force::Target] {
        let mut w = World::new();
        w.pledged(Terms { force, ..due("", 2) });
        assert_eq!((w.verdict(), w.verdict_at(day(9))), (Verdict::NotYetDue, Verdict::NotReported));
    }
}

#[test]
fn called_without_a_period_it_has_no_deadline() {
    let mut w = World::new();
    w.pledged(Terms { respond_within: None, ..called(Starts::OnceEstablished) });
    w.attack();
    assert_eq!((w.verdict(), w.verdict_at(day(9000))), (Verdict::NoDeadline, Verdict::NoDeadline));
}

#[test]
fn a_sealed_quantity_cannot_be_judged_until_it_is_revealed() {
    let mut w = World::new();
    let amount: Bounded = "exactly 5 EUR".parse().unwrap();
    let mut sealed = due("", 2);
    sealed.dues.0[0].quantity = Quantity::Sealed(w.sealed("de", "terms.dues.0.quantity", &amount));
    let id = w.pledged(sealed);
    let response = w.say("de", deliver(on_due(id, 0), "4 EUR"));
    assert_eq!(w.verdict(), Verdict::Claimed);
    w.say("it", confirm(response));
    assert_eq!(w.verdict(), Verdict::CannotBeJudged);
    w.say("de", reveal(id, "terms.dues.0.quantity", &amount));
    assert_eq!((w.verdict(), sums(&w).2.as_str()), (Verdict::PartKept, "1"));
}

#[test]
fn without_a_measure_each_of_those_to_whom_it_is_owed_confirms() {
    let mut w = World::new();
    let id = w.say("de", pledge("it pl", due("", 2)));
    w.say("it", accept(&[id]));
    w.say("pl", accept(&[id]));
    let response = w.say("de", deliver(on_due(id, 0), ""));
    w.say("it", confirm(response));
    assert_eq!(w.verdict(), Verdict::PartKept);
    w.say("pl", confirm(response));
    assert_eq!(w.verdict(), Verdict::Kept);
}

#[test]
fn those_who_owe_jointly_may_each_respond() {
    let mut w = World::new();
    let id = w.pledged(Terms { owed_by: OwedBy::Jointly(handles("de fr")), ..due("exactly 5 EUR", 2) });
    w.say("fr", join(id));
    for (by, amount) in [("de", "2 EUR"), ("fr", "3 EUR")] {
        let response = w.say(by, deliver(on_due(id, 0), amount));
        w.say("it", confirm(response));
    }
    assert_eq!(w.verdict(), Verdict::Kept);
}

#[test]
fn amounts_towards_others_in_another_unit_are_no_delivery_under_these_terms() {
    let mut w = World::new();
    let id = w.say("de", pledge("it pl", due("exactly 5 EUR", 2)));
    w.say("it", accept(&[id]));
    let dollars = w.say("de", amend(id, "pl", due("exactly 5 USD", 2)));
    w.say("pl", accept(&[dollars]));
    let response = w.say("de", deliver(on_due(id, 0), "5 USD"));
    w.say("pl", confirm(response));
    let owed: Vec<_> = w.owed(w.now()).iter().map(|o| o.verdict).collect();
    assert_eq!(owed, [Verdict::NotYetDue, Verdict::Kept]);
}

#[test]
fn contested_and_attested_are_marks_beside_the_verdict() {
    let (mut w, owed) = owing("");
    let response = w.say("de", deliver(owed.clone(), ""));
    w.say("pl", attest_on(Subject::Obligation(owed), &[Aspect::Delivered]));
    w.say("fr", dispute_on(Subject::Statement(response), &[Aspect::Delivered]));
    {
        let owed = w.owed(w.now());
        assert_eq!((owed[0].attested.len(), owed[0].contested.len()), (1, 1));
        assert_eq!(owed[0].verdict, Verdict::Claimed);
    }
    w.say("fr", attest_on(Subject::Statement(response), &[Aspect::Delivered]));
    let owed = w.owed(w.now());
    assert_eq!((owed[0].attested.len(), owed[0].contested.len()), (2, 0), "the last word");
}

#[test]
fn a_call_is_contested_while_its_established_report_is_disputed() {
    let mut w = World::new();
    w.pledged(called(Starts::OnceEstablished));
    let id: Hash = w.attack();
    w.say("fr", dispute(id));
    assert!(!w.owed(w.now())[0].contested.is_empty());
    w.say("fr", attest(id));
    assert!(w.owed(w.now())[0].contested.is_empty());
}

#[test]
fn nobody_confirms_more_than_was_claimed_and_a_claim_without_amount_is_the_whole() {
    let (mut w, owed) = owing("exactly 5 EUR");
    let response = w.say("de", deliver(owed, ""));
    assert_eq!(sums(&w), ("5".into(), "0".into(), "5".into()));
    w.say("it", confirm_part(response, "2 EUR"));
    assert_eq!((w.verdict(), sums(&w).1.as_str()), (Verdict::PartKept, "2"));
    w.say("it", confirm(response));
    assert_eq!(w.verdict(), Verdict::Kept);
    assert!(matches!(w.ledger().thing(&response), Some(crate::ledger::Thing::Response(..))));
    let _: Act = confirm(response);
}
