//! Key sets: acceding, rotating, keys that were registered before, and the limit on class 0.

use crate::chain::{Effect, Reason};
use crate::charter::KeySet;
use crate::field::Short;
use crate::hash::ZEROS;
use crate::history::sample::*;
use crate::roster::{FLOOD, FLOOD_MS};
use crate::statement::Act;
use crate::statement::body::Accede;

fn with(keys: KeySet) -> Act {
    Act::Accede(Accede { keys, reservations: None, annexes: Vec::new().into() })
}

/// Puts a rotation of `de` signed by these, and gives what was found.
fn rotated(log: &mut Sample, keys: &KeySet, signers: &[(u8, u8)]) -> Vec<Reason> {
    let mut draft = log.draft("de", G, &rotate(keys.clone()));
    draft.signers = signers.to_vec();
    log.put(&draft)
}

#[test]
fn an_accede_is_signed_by_exactly_all_its_officers_of_whatever_class() {
    let accede_by = |signers: &[(u8, u8)]| {
        let mut log = Sample::founded_on(founding());
        let mut draft = log.draft("de", G, &accede("de"));
        assert_eq!(draft.signers, [(0, 10), (1, 11), (2, 12), (3, 13)]);
        draft.signers = signers.to_vec();
        let reasons = log.put(&draft);
        assert_eq!(log.roster().keys(&handle("de")).is_some(), reasons.is_empty());
        assert_eq!(log.chain("de", G).is_new(), !reasons.is_empty());
        reasons
    };
    assert_eq!(accede_by(&[(0, 10), (1, 11), (2, 12), (3, 13)]), []);
    let want = Reason::NotAllSigned { got: 3, want: 4 };
    assert_eq!(accede_by(&[(0, 10), (1, 11), (2, 12)]), std::slice::from_ref(&want));
    assert_eq!(want.effect(), Effect::Unauthentic);
    let unknown = [Reason::UnknownOfficer { officer: 4 }];
    assert_eq!(accede_by(&[(0, 10), (1, 11), (2, 12), (3, 13), (4, 14)]), unknown);
    assert_eq!(accede_by(&[(0, 10), (1, 11), (2, 12), (3, 12)]), [Reason::BadSignature { officer: 3 }]);
    assert_eq!(accede_by(&[]), [Reason::NoSignatures]);
}

#[test]
fn only_the_set_that_the_charter_announced_accedes() {
    let mut log = Sample::founded_on(founding());
    let mut other = first_set("de");
    other.thresholds[0] = 1;
    assert_eq!(log.put(&log.draft("de", G, &with(other))), [Reason::NotAnnounced]);
    assert_eq!(log.put(&log.draft("de", G, &accede("fr"))), [Reason::NotAnnounced]);
    assert_eq!(Reason::NotAnnounced.effect(), Effect::Unauthentic);
    log.say("de", G, &accede("de"));
}

#[test]
fn a_second_accede_is_refused() {
    let mut log = Sample::new();
    assert_eq!(log.put(&log.draft("de", G, &accede("de"))), [Reason::KeyRegistered { officer: 0 }]);
    assert_eq!(
        log.put(&log.draft("operator", G, &accede("operator"))),
        [Reason::KeyRegistered { officer: 0 }]
    );
    assert_eq!(Reason::KeyRegistered { officer: 0 }.effect(), Effect::Unauthentic);
    assert_eq!(log.history.pointer().index, 4);
}

#[test]
fn a_void_accede_registers_nothing_and_can_be_made_good() {
    let mut log = Sample::founded_on(founding());
    let mut draft = log.draft("de", G, &accede("de"));
    draft.statement.expires_at = draft.statement.issued_at.plus_ms(61 * DAY);
    assert_eq!(log.put(&draft), [Reason::LongestExpiry]);
    assert!(log.roster().keys(&handle("de")).is_none() && !log.roster().is_registered(&key(10).public()));
    log.say("de", G, &accede("de"));
    assert_eq!(log.roster().keys(&handle("de")).map(|k| k.since), Some(2));
}

#[test]
fn a_partner_that_has_not_acceded_cannot_rotate() {
    let mut log = Sample::founded_on(founding());
    let mut draft = log.draft("it", G, &approve(ZEROS));
    (draft.statement.kind, draft.statement.body) = (2, rotate(first_set("it")).encode_body().into());
    draft.signers = vec![(0, 30), (128, 30)];
    assert_eq!(log.put(&draft), [Reason::NotAcceded]);
}

#[test]
fn a_rotation_is_signed_by_the_old_threshold_and_by_exactly_the_new_keys() {
    // Officer 1 goes to the front, 0 stays, two are new.
    let new = set(&[(11, "GC"), (14, "C"), (10, "G"), (15, "OB")], [2, 2, 1, 1, 0]);
    let good = [(0, 10), (2, 12), (129, 14), (131, 15)];
    for (signers, want) in [
        (&good[..], None),
        (&[(0, 10), (1, 11), (2, 12), (129, 14), (131, 15)], None),
        (&[(0, 10), (129, 14), (131, 15)], Some(Reason::BelowThreshold { got: 1, want: 2, class: G })),
        (&[(129, 14), (131, 15)], Some(Reason::BelowThreshold { got: 0, want: 2, class: G })),
        (&[(0, 10), (3, 13), (129, 14), (131, 15)], Some(Reason::WrongClass { officer: 3, class: G })),
        (&[(0, 10), (2, 12), (4, 14), (129, 14)], Some(Reason::UnknownOfficer { officer: 4 })),
        (&[(0, 10), (2, 12), (129, 14)], Some(Reason::NewKeysSigned { officer: 3 })),
        (&[(0, 10), (2, 12)], Some(Reason::NewKeysSigned { officer: 1 })),
        (&[(0, 10), (2, 12), (128, 11), (129, 14), (131, 15)], Some(Reason::NewKeysSigned { officer: 0 })),
        (&[(0, 10), (2, 12), (129, 14), (131, 15), (132, 16)], Some(Reason::NewKeysSigned { officer: 4 })),
        (&[(0, 10), (2, 12), (129, 15), (131, 15)], Some(Reason::BadSignature { officer: 129 })),
        (&[(0, 10), (2, 13), (129, 14), (131, 15)], Some(Reason::BadSignature { officer: 2 })),
        (&[(129, 14), (0, 10), (2, 12), (131, 15)], Some(Reason::SignatureOrder)),
        (&[(0, 10), (2, 12), (129, 14), (131, 15), (255, 15)], Some(Reason::NewKeysSigned { officer: 127 })),
    ] {
        let mut log = Sample::new();
        let reasons = rotated(&mut log, &new, signers);
        assert_eq!(reasons.first(), want.as_ref(), "{signers:?}");
        let in_force = log.roster().keys(&handle("de")).expect("acceded");
        assert_eq!((in_force.since == 5, in_force.set == new), (want.is_none(), want.is_none()));
    }
}

#[test]
fn a_new_officers_signature_is_of_its_keys_algorithm() {
    let mut log = Sample::new();
    let mut entry = log.entry(&log.draft("fr", G, &rotate(set(&[(20, "G"), (21, "G")], [1, 0, 0, 0, 0]))));
    entry.signatures[1].algorithm = 6;
    assert_eq!(log.put_entry(&entry), [Reason::Algorithm { officer: 129, algorithm: 6 }]);
}

#[test]
fn keys_rotate_through_generations() {
    let mut log = Sample::new();
    let committed = |log: &mut Sample, signers: &[(u8, u8)]| {
        let mut draft = log.draft("de", C, &adopt(0));
        draft.signers = signers.to_vec();
        log.put(&draft)
    };
    // Renumbered: officer 1 is now 0, and officer 2 has gone; 14 is new and holds commit.
    let second = set(&[(11, "GC"), (14, "C"), (10, "G")], [1, 2, 0, 0, 0]);
    log.say("de", G, &rotate(second));
    assert_eq!(committed(&mut log, &[(0, 11), (1, 14)]), []);
    assert_eq!(committed(&mut log, &[(1, 11), (2, 12)]), [Reason::WrongClass { officer: 2, class: C }]);
    assert_eq!(committed(&mut log, &[(0, 11), (1, 12)]), [Reason::BadSignature { officer: 1 }], "replaced");
    // By the new threshold one governor is enough; all keys are replaced but one, whose title and classes change.
    let mut third = set(&[(16, "G"), (14, "GO"), (17, "C")], [2, 1, 1, 0, 0]);
    third.officers[1].title = Short::new("promoted").expect("short");
    assert_eq!(rotated(&mut log, &third, &[(2, 10), (128, 16), (130, 17)]), []);
    assert_eq!(log.roster().keys(&handle("de")).map(|k| (k.since, &k.set)), Some((9, &third)));
    assert_eq!(committed(&mut log, &[(0, 11)]), [Reason::WrongClass { officer: 0, class: C }]);
    assert_eq!(committed(&mut log, &[(2, 17)]), []);
    // What was replaced never returns, neither here nor elsewhere; nor does what others have.
    for old in [11, 12, 20, 1, 2, 90, 99] {
        let back = set(&[(16, "G"), (14, "G"), (old, "C")], [2, 1, 0, 0, 0]);
        let reasons = rotated(&mut log, &back, &[(0, 16), (1, 14), (130, old)]);
        assert_eq!(reasons, [Reason::KeyRegistered { officer: 2 }], "{old}");
    }
    let stolen = set(&[(20, "G"), (12, "C")], [1, 1, 0, 0, 0]);
    assert_eq!(log.put(&log.draft("fr", G, &rotate(stolen))), [Reason::KeyRegistered { officer: 1 }]);
    // By the third set two must govern, and the rotation before it counts no more.
    let fourth = set(&[(18, "G")], [1, 0, 0, 0, 0]);
    let few = Reason::BelowThreshold { got: 1, want: 2, class: G };
    assert_eq!(rotated(&mut log, &fourth, &[(0, 16), (128, 18)]), [few]);
    assert_eq!(rotated(&mut log, &fourth, &[(0, 16), (1, 14), (128, 18)]), []);
    assert_eq!(committed(&mut log, &[(0, 18)]), [Reason::WrongClass { officer: 0, class: C }]);
}

#[test]
fn an_unauthentic_rotation_registers_nothing() {
    let mut log = Sample::new();
    let new = set(&[(21, "G")], [1, 0, 0, 0, 0]);
    let mut draft = log.draft("fr", G, &rotate(new.clone()));
    draft.signers[0].1 = 22;
    assert_eq!(log.put(&draft), [Reason::BadSignature { officer: 0 }]);
    log.say("fr", G, &rotate(new));
}

#[test]
fn a_void_rotation_leaves_the_old_keys_in_force() {
    let mut log = Sample::new();
    let new = set(&[(21, "GC")], [1, 1, 0, 0, 0]);
    let mut draft = log.draft("fr", G, &rotate(new.clone()));
    draft.statement.expires_at = draft.statement.issued_at.plus_ms(61 * DAY);
    assert_eq!(log.put(&draft), [Reason::LongestExpiry]);
    log.say("fr", C, &adopt(0));
    log.say("fr", G, &rotate(new));
}

#[test]
fn a_kept_key_keeps_its_algorithm() {
    let mut log = Sample::new();
    let mut keys = first_set("de");
    keys.officers.swap(1, 3);
    keys.officers[3].algorithm = 6;
    let want = Reason::KeptAlgorithm { officer: 3 };
    assert_eq!(rotated(&mut log, &keys, &[(0, 10), (1, 11)]), std::slice::from_ref(&want));
    assert_eq!(want.effect(), Effect::Unauthentic);
}

#[test]
fn the_operator_rotates_its_keys_as_partners_do() {
    let mut log = Sample::new();
    log.say("operator", G, &rotate(set(&[(3, "G"), (2, "L")], [1, 0, 0, 0, 1])));
    let mut draft = log.draft("operator", G, &rotate(first_set("operator")));
    draft.signers = vec![(0, 3), (128, 1)];
    assert_eq!(log.put(&draft), [Reason::KeyRegistered { officer: 0 }]);
}

#[test]
fn the_33rd_statement_of_class_0_within_30_days_is_unauthentic() {
    let mut log = Sample::new();
    let first = log.now.plus_ms(1000);
    // Void ones count like others; the accede does not.
    for n in 0..FLOOD {
        log.wait(1000);
        let void = log.draft("fr", G, &approve(ZEROS));
        let good = log.draft("fr", G, &rotate(first_set("fr")));
        assert!(log.put(if n % 2 == 0 { &void } else { &good }).iter().all(|r| *r == Reason::NoMotion));
    }
    let mut draft = log.draft("fr", G, &rotate(first_set("fr")));
    draft.statement.expires_at = log.now.plus_ms(40 * DAY);
    assert_eq!(log.put(&draft), [Reason::Flood]);
    assert_eq!(Reason::Flood.effect(), Effect::Unauthentic);
    log.now = first.plus_ms(FLOOD_MS - 1);
    assert_eq!(log.put(&draft), [Reason::Flood]);
    assert_eq!(log.put(&log.draft("it", G, &rotate(first_set("it")))), [], "others are free to go on");
    log.now = first.plus_ms(FLOOD_MS);
    assert_eq!(log.put(&draft), []);
    assert_eq!(log.chain("fr", G).seq, 34);
    draft = log.draft("fr", G, &rotate(first_set("fr")));
    assert_eq!(log.put(&draft), [Reason::Flood], "the second is still within");
}

#[test]
fn the_operators_found_is_counted_too() {
    let mut log = Sample::founded_on(founding());
    for n in 1..=FLOOD {
        let reasons = log.put(&log.draft("operator", G, &rotate(first_set("operator"))));
        assert_eq!(reasons.contains(&Reason::Flood), n == FLOOD, "{n}");
    }
}

#[test]
fn a_verdict_by_the_roster_before_a_rotation_is_told_again() {
    let mut log = Sample::new();
    let before = log.roster().clone();
    log.say("fr", G, &rotate(set(&[(21, "GCOB")], [1, 1, 1, 1, 0])));
    let mut draft = log.draft("fr", C, &adopt(0));
    draft.signers = vec![(0, 20)];
    let bytes = crate::codec::encode(&log.entry(&draft));
    let e = decoded(&bytes);
    let stale = before.alone(e.entry.index, &e);
    assert_eq!(stale.reasons, [], "signed by the key that was in force");
    let leaves = log.leaves.clone();
    let findings = log.history.take(&bytes, e.leaf, Ok(&e), &mut &leaves[..], Some(stale));
    let reasons: Vec<_> = findings.into_iter().map(|f| f.reason).collect();
    assert_eq!(reasons, [Reason::BadSignature { officer: 0 }]);
}

#[test]
fn a_clock_that_ran_ahead_and_came_back_floods_nobody() {
    let mut log = Sample::new();
    let now = log.now;
    log.now = "2090-01-01".parse().expect("instant");
    for _ in 0..FLOOD {
        log.say("fr", G, &rotate(first_set("fr")));
    }
    log.now = now;
    for n in 0..=FLOOD {
        log.wait(1000);
        let mut draft = log.draft("fr", G, &rotate(first_set("fr")));
        (draft.statement.issued_at, draft.statement.expires_at) =
            ("2090-02-01".parse().expect("instant"), "2090-02-01".parse().expect("instant"));
        let reasons = log.put(&draft);
        assert_eq!(reasons.contains(&Reason::Flood), n == FLOOD, "{n}: {reasons:?}");
    }
}

#[test]
fn void_accedes_are_limited_too_and_a_good_one_is_not() {
    let mut log = Sample::founded_on(founding());
    for n in 0..=FLOOD {
        let mut draft = log.draft("fr", G, &accede("fr"));
        draft.statement.expires_at = draft.statement.issued_at.plus_ms(61 * DAY);
        let reasons = log.put(&draft);
        assert_eq!(reasons.contains(&Reason::Flood), n == FLOOD, "{n}: {reasons:?}");
    }
    log.say("fr", G, &accede("fr"));
}
