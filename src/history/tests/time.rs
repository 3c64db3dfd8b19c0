//! The log's time: raw and effective, and the time of class 0.

use crate::chain::{Effect, Reason};
use crate::field::Instant;
use crate::history::sample::*;

fn plus(days: u64) -> Instant {
    start().plus_ms(days * DAY)
}

#[test]
fn effective_time_never_goes_back_and_raw_time_does() {
    let mut log = Sample::new();
    log.now = plus(10);
    log.say("fr", C, &adopt(0));
    let high = log.now;
    log.now = plus(5);
    let draft = log.draft("fr", C, &adopt(1));
    assert_eq!(log.put(&draft), [Reason::TimeBack { at: plus(5), before: high }]);
    assert_eq!(log.history.times(), (plus(5), high));
    // Later than the entry before, it is no fault, though the effective time is later still.
    log.now = plus(6);
    let draft = log.draft("fr", C, &adopt(2));
    assert_eq!(log.put(&draft), []);
    assert_eq!(log.history.times(), (plus(6), high));
}

#[test]
fn a_statement_expired_by_the_effective_time_alone_is_void() {
    let mut log = Sample::new();
    log.now = plus(10);
    log.say("fr", C, &adopt(0));
    let high = log.now;
    log.now = plus(2);
    let mut draft = log.draft("it", C, &adopt(1));
    draft.statement.expires_at = plus(3);
    let want = Reason::ExpiredEffective { at: high, expires: plus(3) };
    let back = Reason::TimeBack { at: plus(2), before: high };
    assert_eq!(log.put(&draft), [want.clone(), back]);
    assert_eq!((want.effect(), log.chain("it", C).seq), (Effect::Void, 1));
    // Past its own time, it is unauthentic, and void is not said beside it.
    log.now = plus(4);
    let draft = Draft {
        statement: crate::statement::Statement { seq: 1, prev: log.chain("it", C).prev, ..draft.statement },
        ..draft
    };
    assert_eq!(log.put(&draft), [Reason::Expired { at: plus(4), expires: plus(3) }]);
}

#[test]
fn a_statement_that_expires_at_the_effective_time_counts() {
    let mut log = Sample::new();
    log.now = plus(10);
    log.say("fr", C, &adopt(0));
    let high = log.now;
    log.now = plus(9);
    let mut draft = log.draft("it", C, &adopt(1));
    draft.statement.expires_at = high;
    assert_eq!(log.put(&draft), [Reason::TimeBack { at: plus(9), before: high }]);
}

#[test]
fn an_unauthentic_entry_that_decodes_moves_the_time() {
    let mut log = Sample::new();
    log.now = plus(10);
    let mut draft = log.draft("fr", C, &adopt(0));
    draft.signers.clear();
    assert_eq!(log.put(&draft), [Reason::NoSignatures]);
    assert_eq!(log.history.times(), (plus(10), plus(10)));
}

#[test]
fn class_0_expires_by_the_greatest_time_of_its_own_entries() {
    let mut log = Sample::new();
    // The log's time runs ahead in another class: nothing to class 0.
    log.now = plus(50);
    log.say("fr", C, &adopt(0));
    log.now = plus(1);
    let mut draft = log.draft("it", G, &rotate(first_set("it")));
    draft.statement.expires_at = plus(2);
    assert!(matches!(log.put(&draft)[..], [Reason::TimeBack { .. }]), "it counts");
    // It runs ahead in class 0, and back.
    log.now = plus(20);
    log.say("it", G, &rotate(first_set("it")));
    let high = log.now;
    log.now = plus(3);
    let mut draft = log.draft("pl", G, &rotate(first_set("pl")));
    draft.statement.expires_at = plus(19);
    let back = Reason::TimeBack { at: plus(3), before: high };
    assert_eq!(log.put(&draft), [Reason::Expired { at: high, expires: plus(19) }, back]);
    assert!(log.chain("pl", G).seq == 1 && log.roster().time() == high);
    // At the very moment it counts.
    draft.statement.expires_at = high;
    assert_eq!(log.put(&draft), []);
}

#[test]
fn void_entries_of_class_0_count_for_its_time_and_unauthentic_ones_do_not() {
    let mut log = Sample::new();
    log.now = plus(10);
    let mut draft = log.draft("fr", G, &rotate(first_set("fr")));
    draft.signers.clear();
    assert_eq!(log.put(&draft), [Reason::NoSignatures]);
    assert!(log.roster().time() < plus(1));
    assert_eq!(log.put(&log.draft("fr", G, &approve(crate::hash::ZEROS))), [Reason::NoMotion]);
    assert_eq!(log.roster().time(), plus(10));
}
