//! What lies above this program's level, in a log whose level may have it.

use crate::chain::{Effect, Reason};
use crate::charter::{KeySet, KeySetError};
use crate::hash::ZEROS;
use crate::history::sample::*;
use crate::statement::body::{Found, Motion};
use crate::statement::{Act, Kind};

fn level_2() -> Found {
    let mut found = founding();
    found.charter.level = 2;
    found
}

fn later_keys() -> KeySet {
    let mut keys = set(&[(20, "G"), (21, "G")], [1, 0, 0, 0, 0]);
    keys.officers[1].algorithm = 6;
    keys
}

#[test]
fn an_unknown_kind_leaves_the_ledger_incomplete_from_there() {
    let mut log = Sample::acceded_on(level_2());
    for kind in [71, 72] {
        let mut draft = log.draft("fr", C, &adopt(0));
        draft.statement.kind = kind;
        assert_eq!(log.put(&draft), []);
    }
    assert_eq!(log.history.incomplete(), Some((5, 71)), "the first");
    assert_eq!(log.history.unknown(), None);
    log.say("fr", C, &adopt(1));
    log.say("fr", G, &rotate(first_set("fr")));
}

#[test]
fn an_unknown_kind_that_does_not_count_leaves_the_ledger_complete() {
    let mut log = Sample::acceded_on(level_2());
    let mut draft = log.draft("fr", C, &adopt(0));
    draft.statement.kind = 71;
    let unauthentic = Draft { signers: vec![(0, 21)], ..draft.clone() };
    assert_eq!(log.put(&unauthentic), [Reason::BadSignature { officer: 0 }]);
    draft.statement.expires_at = draft.statement.issued_at.plus_ms(61 * DAY);
    assert_eq!(log.put(&draft), [Reason::LongestExpiry], "void");
    assert_eq!(log.history.incomplete(), None);
}

/// Checks that nobody knows who may sign from the last entry on, and that nothing is judged after it.
fn lost(mut log: Sample, kind: u16) {
    let unknown = log.history.unknown().expect("lost").clone();
    assert_eq!((unknown.index, unknown.kind), (log.size() - 1, kind), "{unknown}");
    let before = (log.history.pointer(), log.chain("fr", C), log.chain("fr", G));
    for class in [C, G] {
        let act = if class == C { adopt(9) } else { approve(ZEROS) };
        let mut draft = log.draft("fr", class, &act);
        draft.signers = vec![(9, 99)];
        draft.statement.seq = 7;
        let mut entry = log.entry(&draft);
        entry.roster = pointer(&log, 0);
        entry.sequenced_at = start();
        assert_eq!(log.put_entry(&entry), [], "not judged");
        entry.index = 77;
        entry.link = ZEROS;
        assert_eq!(effect(&log.put_entry(&entry)), Effect::OperatorsFault, "what needs no roster");
    }
    assert_eq!((log.history.pointer(), log.chain("fr", C), log.chain("fr", G)), before);
    assert_eq!(log.history.unknown(), Some(&unknown));
}

#[test]
fn an_unknown_kind_of_class_0_leaves_the_roster_unknown() {
    let mut log = Sample::acceded_on(level_2());
    let mut draft = log.draft("fr", G, &approve(ZEROS));
    draft.statement.kind = 5;
    let forged = Draft { signers: vec![(0, 21)], ..draft.clone() };
    assert_eq!(log.put(&forged), [Reason::BadSignature { officer: 0 }]);
    assert_eq!(log.history.unknown(), None, "signatures are checked without knowing the kind");
    assert_eq!(log.put(&draft), []);
    let said =
        "act 5 not understood: a kind of class 0 of a later level; who may sign is unknown from entry 6 on";
    assert_eq!(log.history.unknown().expect("lost").to_string(), said);
    lost(log, 5);
}

#[test]
fn an_unknown_kind_of_class_0_may_restart_time_as_a_motion_for_a_new_operator_does() {
    let mut log = Sample::acceded_on(level_2());
    let mut draft = log.draft("fr", G, &approve(ZEROS));
    let before = log.now;
    log.now = start();
    assert_eq!(log.clone().put(&draft), [Reason::NoMotion, Reason::TimeBack { at: start(), before }]);
    draft.statement.kind = 5;
    assert_eq!(log.put(&draft), []);
}

#[test]
fn an_unknown_motion_leaves_the_roster_unknown_and_a_bad_body_of_a_known_one_does_not() {
    let mut log = Sample::acceded_on(level_2());
    let lapses = log.now.plus_ms(DAY);
    let mut draft = log.draft("fr", G, &propose(Motion::Level { level: 3 }, lapses));
    draft.statement.body.0.push(0);
    assert!(matches!(log.put(&draft)[..], [Reason::Body { .. }]));
    let mut draft = log.draft("fr", G, &approve(ZEROS));
    draft.statement.body.0.push(0);
    assert!(matches!(log.put(&draft)[..], [Reason::Body { .. }]));
    let mut draft = log.draft("fr", G, &propose(Motion::Level { level: 3 }, lapses));
    draft.statement.body.0[0] = 7;
    assert_eq!(log.put(&draft), []);
    lost(log, Kind::Propose.number());
}

#[test]
fn the_motions_of_this_level_are_numbered_below_seven() {
    let last = Motion::Operator { vkey: short(""), keys: ZEROS, replaces: ZEROS };
    assert_eq!(crate::codec::encode(&last)[0], 6);
}

#[test]
fn a_key_of_an_unknown_algorithm_leaves_the_roster_unknown_if_the_old_officers_brought_it() {
    let mut log = Sample::acceded_on(level_2());
    let mut draft = log.draft("fr", G, &rotate(later_keys()));
    draft.signers = vec![(0, 22), (129, 21)];
    assert_eq!(log.put(&draft), [Reason::BadSignature { officer: 0 }]);
    assert_eq!(log.history.unknown(), None);
    draft.signers = vec![(0, 20), (129, 21)];
    draft.statement.expires_at = draft.statement.issued_at.plus_ms(61 * DAY);
    // Void or unauthentic: not to be told without that algorithm.
    assert_eq!(log.put(&draft), [Reason::LongestExpiry]);
    lost(log, Kind::Rotate.number());
}

#[test]
fn an_accede_with_a_key_of_an_unknown_algorithm_leaves_the_roster_unknown() {
    let mut found = level_2();
    found.charter.partners[1].keys = later_keys().digest(&handle("fr"));
    let mut log = Sample::founded_on(found);
    let keys = later_keys();
    let act =
        Act::Accede(crate::statement::body::Accede { keys, reservations: None, annexes: Vec::new().into() });
    assert_eq!(log.put(&log.draft("fr", G, &act)), []);
    lost(log, Kind::Accede.number());
}

#[test]
fn an_operator_with_a_key_of_an_unknown_algorithm_leaves_the_roster_unknown_from_0() {
    let mut found = level_2();
    found.keys.officers[1].algorithm = 6;
    let log = Sample::founded_on(found);
    lost(log, 0);
}

#[test]
fn at_level_1_none_of_this_is_unknown() {
    let mut found = founding();
    found.keys.officers[1].algorithm = 6;
    let mut log = Sample { now: start(), ..Sample::default() };
    let error = KeySetError::Algorithm { officer: 1, algorithm: 6 };
    assert_eq!(log.put(&log.draft("operator", G, &Act::Found(found))), [Reason::KeySet { error }]);
    let mut log = Sample::new();
    let mut draft = log.draft("fr", G, &propose(Motion::Level { level: 3 }, log.now.plus_ms(DAY)));
    draft.statement.body.0[0] = 7;
    assert!(matches!(log.put(&draft)[..], [Reason::Body { .. }]));
    assert_eq!(log.history.unknown(), None);
}
