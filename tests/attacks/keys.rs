//! Stolen, replaced, made-up and borrowed keys: who may bring which key set into force.

use super::*;
use crate::support::small_log::{accede, key_set, officer};
use servanda::charter::KeySet;
use servanda::field::Class::{Commit, Govern};
use servanda::statement::body::{Accede, Rotate};

fn rotate(keys: KeySet) -> Act {
    Act::Rotate(Rotate { keys })
}

/// A partner's first key set with another key for officer 0.
fn replaced(name: &str, new: &str) -> KeySet {
    let mut keys = key_set(name);
    keys.officers[0] = officer(new, &[Govern, Commit]);
    keys
}

#[test]
fn a_stolen_key_is_worth_nothing_after_it_was_replaced() {
    let log = model();
    // de/0 was officer 0 until entry 6.
    let by = |signers: &[(u8, &str)]| said_by(&log, "de", a_pledge(), signers);
    assert!(by(&[(0, "de/4"), (1, "de/1")]).is_empty());
    assert_eq!(by(&[(0, "de/0"), (1, "de/1")]), ["bad-signature"]);
    assert_eq!(by(&[(1, "de/1"), (4, "de/0")]), ["unknown-officer"]);
    let back = rotate(replaced("de", "de/0"));
    assert_eq!(
        said_by(&log, "de", back.clone(), &[(0, "de/0"), (1, "de/1"), (128, "de/0")]),
        ["bad-signature"]
    );
    // Not even its owner brings it back.
    assert_eq!(said_by(&log, "de", back, &[(0, "de/4"), (1, "de/1"), (128, "de/0")]), ["key-registered"]);
}

#[test]
fn one_thief_among_the_officers_cannot_take_over_the_partner() {
    let log = model();
    let theirs = || rotate(replaced("pl", "thief"));
    let by = |signers: &[(u8, &str)]| said_by(&log, "pl", theirs(), signers);
    assert!(by(&[(1, "pl/1"), (2, "pl/2"), (128, "thief")]).is_empty(), "two ministers may");
    assert_eq!(by(&[(1, "pl/1"), (128, "thief")]), ["below-threshold"]);
    assert_eq!(by(&[(128, "thief")]), ["below-threshold"]);
    assert_eq!(by(&[(3, "pl/3"), (128, "thief")]), ["wrong-class"]);
    assert_eq!(by(&[(1, "pl/1"), (2, "pl/1"), (128, "thief")]), ["bad-signature"]);
    // The new key's holder must have signed, and nobody as holder of a key that is kept.
    assert_eq!(by(&[(1, "pl/1"), (2, "pl/2")]), ["new-keys-signed"]);
    assert_eq!(by(&[(1, "pl/1"), (2, "pl/2"), (128, "pl/1")]), ["bad-signature"]);
    assert_eq!(by(&[(1, "pl/1"), (2, "pl/2"), (128, "thief"), (129, "pl/1")]), ["new-keys-signed"]);
}

#[test]
fn nobody_registers_a_key_that_is_or_was_anybodys() {
    let log = model();
    for taken in ["de/0", "de/1", "de/4", "ua/3", "operator/0", "operator/checkpoint"] {
        let act = rotate(replaced("pl", taken));
        let against = said_by(&log, "pl", act, &[(1, "pl/1"), (2, "pl/2"), (128, taken)]);
        assert_eq!(against, ["key-registered"], "{taken}");
    }
}

#[test]
fn who_accedes_does_so_with_the_announced_keys_and_all_of_them() {
    let log = model().cut(3);
    let all = [(0, "pl/0"), (1, "pl/1"), (2, "pl/2"), (3, "pl/3")];
    assert!(said_by(&log, "pl", accede("pl"), &all).is_empty());
    assert_eq!(said_by(&log, "pl", accede("pl"), &all[..3]), ["not-all-signed"]);
    assert_eq!(said_by(&log, "pl", a_pledge(), &all[..2]), ["not-acceded"]);
    let made_up = Act::Accede(Accede {
        keys: replaced("pl", "made up"),
        reservations: None,
        annexes: Default::default(),
    });
    let signers = [(0, "made up"), (1, "pl/1"), (2, "pl/2"), (3, "pl/3")];
    assert_eq!(said_by(&log, "pl", made_up, &signers), ["not-announced"]);
    // Another partner's announced keys are not one's own.
    let signers = [(0, "de/0"), (1, "de/1"), (2, "de/2"), (3, "de/3")];
    assert_eq!(said_by(&log, "pl", accede("de"), &signers), ["not-announced"]);
}
