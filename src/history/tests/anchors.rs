//! Anchors: what makes one void, what time it has, and whose fault a wrong time is.

use crate::chain::{Effect, Reason};
use crate::charter::Witnesses;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::codec::encode;
use crate::field::Handle;
use crate::hash::sha256;
use crate::history::sample::*;
use crate::history::{Anchored, Past};
use crate::key::vkey::Vkey;
use crate::note::OpenError;
use crate::roster::anchor::ANCHOR_SKEW_MS;
use crate::statement::Act;
use crate::statement::body::Motion;

/// What is found where the operator says this, now.
fn said(log: &Sample, act: &Act) -> Vec<Reason> {
    log.clone().put(&log.draft("operator", L, act))
}

fn now_s(log: &Sample) -> u64 {
    log.now.ms() / 1000
}

/// A log whose rules name these witnesses.
fn witnessed_by(seeds: &[u8], quorum: u64) -> Sample {
    let mut found = founding();
    let vkeys = seeds.iter().map(|seed| witness(*seed)).collect();
    found.charter.rules.witnesses = Some(Witnesses { vkeys, quorum });
    Sample::acceded_on(found)
}

fn text(act: Act) -> String {
    let Act::Anchor(anchor) = act else { panic!("an anchor") };
    String::from_utf8(anchor.checkpoint.0).expect("text")
}

#[test]
fn an_anchor_of_any_size_before_it_is_in_order() {
    let mut log = Sample::new();
    for size in 1..=log.size() {
        assert_eq!(said(&log, &log.anchor_of(size, &[(91, now_s(&log))])), []);
    }
    // Lines by others are nobody's business, and a witness that says it twice has said it once.
    let twice = [(90, now_s(&log)), (77, 1), (90, 5)];
    assert_eq!(said(&log, &log.anchor_of(5, &twice)), []);
    log.say("operator", L, &log.anchor());
    log.say("operator", L, &log.anchor());
}

#[test]
fn an_anchors_own_time_is_within_five_minutes_of_its_witnesses_or_the_operators_fault() {
    let log = Sample::new();
    let (at, at_s, skew_s) = (log.now, now_s(&log), ANCHOR_SKEW_MS / 1000);
    assert_eq!(at.ms() % 1000, 0);
    for near_s in [at_s - skew_s, at_s + skew_s] {
        assert_eq!(said(&log, &log.anchor_of(5, &[(90, near_s)])), []);
    }
    for far_s in [at_s - skew_s - 1, at_s + skew_s + 1, 1, u64::MAX >> 1] {
        let found = said(&log, &log.anchor_of(5, &[(90, far_s)]));
        let [Reason::AnchorTime { at: own, witnessed }] = found[..] else { panic!("{far_s}: {found:?}") };
        assert_eq!(own, at);
        assert_eq!(witnessed, crate::field::Instant::default().plus_ms(far_s.saturating_mul(1000)));
        assert_eq!(effect(&found), Effect::OperatorsFault);
    }
    let mut late = log.clone();
    late.wait(ANCHOR_SKEW_MS + 1);
    assert_eq!(effect(&said(&late, &late.anchor_of(5, &[(90, at_s)]))), Effect::OperatorsFault);
    let mut limit = log.clone();
    limit.wait(ANCHOR_SKEW_MS);
    assert_eq!(said(&limit, &limit.anchor_of(5, &[(90, at_s)])), []);
}

#[test]
fn its_time_is_the_lower_median_of_the_witnesses_that_the_rules_name() {
    let log = witnessed_by(&[91, 92, 93, 94], 2);
    let (now, far) = (now_s(&log), 1);
    for (cosigned, fits) in [
        (&[(91, now), (92, now), (93, far)][..], true),
        (&[(91, far), (92, far), (93, now)], false),
        (&[(91, now), (92, far)], false),
        (&[(91, now), (92, now + 900)], true),
        (&[(91, now), (92, far), (93, now + 900), (94, far)], false),
        (&[(91, now), (92, far), (93, now + 900), (94, now)], true),
        // Of one witness the first line counts; of others none.
        (&[(91, now), (91, far), (91, far), (92, now)], true),
        (&[(91, far), (91, now), (91, now), (92, now)], false),
        (&[(91, now), (92, now), (95, far), (96, far), (97, far)], true),
    ] {
        let found = said(&log, &log.anchor_of(5, cosigned));
        assert_eq!(found.is_empty(), fits, "{cosigned:?}: {found:?}");
        assert!(fits || effect(&found) == Effect::OperatorsFault, "{cosigned:?}: {found:?}");
    }
}

#[test]
fn without_the_quorum_of_distinct_witnesses_that_the_rules_name_it_is_void() {
    let log = witnessed_by(&[91, 92, 93], 2);
    let now = now_s(&log);
    for (cosigned, got) in [
        (&[][..], 0),
        (&[(91, now)], 1),
        (&[(91, now), (91, now)], 1),
        (&[(91, now), (91, now + 1), (91, now + 2)], 1),
        (&[(92, now), (90, now), (94, now)], 1),
    ] {
        let found = said(&log, &log.anchor_of(5, cosigned));
        assert_eq!(found, [Reason::AnchorQuorum { got, want: 2, of: 3 }], "{cosigned:?}");
        assert_eq!(effect(&found), Effect::Void);
    }
}

#[test]
fn of_another_history_another_size_or_another_log_it_is_void() {
    let log = Sample::new();
    let now = now_s(&log);
    let cosigned = |origin: &str, size, root, seed| {
        let checkpoint = Checkpoint::new(origin, size, root).expect("a checkpoint");
        let line = crate::cosignature::cosign("w90.example", &key(90), now, &checkpoint.to_string());
        anchor((checkpoint.sign(&key(seed)) + &line.expect("a line")).as_bytes())
    };
    let own = "log.example/sample";
    let root = |size| (&log.leaves[..]).root_at(size).expect("so many");
    assert_eq!(said(&log, &cosigned(own, 4, root(4), 99)), []);
    for (act, want) in [
        (cosigned(own, 4, root(5), 99), Reason::AnchorRoot { size: 4 }),
        (cosigned(own, 5, sha256(b"other"), 99), Reason::AnchorRoot { size: 5 }),
        (cosigned(own, 6, root(5), 99), Reason::AnchorSize { size: 6, index: 5 }),
        (cosigned(own, 1 << 62, root(5), 99), Reason::AnchorSize { size: 1 << 62, index: 5 }),
        (cosigned(own, 0, root(0), 99), Reason::AnchorSize { size: 0, index: 5 }),
        (
            cosigned("log.example/other", 5, root(5), 99),
            Reason::AnchorOrigin { got: "log.example/other".into(), want: own.into() },
        ),
    ] {
        let found = said(&log, &act);
        assert_eq!(found, std::slice::from_ref(&want));
        assert_eq!(effect(&found), Effect::Void);
    }
    // Another key under the log's name is an unknown key.
    let error = CheckpointError::NotSigned(own.into());
    assert_eq!(said(&log, &cosigned(own, 5, root(5), 98)), [Reason::AnchorSigned { error }]);
}

#[test]
fn a_note_that_is_none_or_bears_a_signature_that_does_not_hold_is_void() {
    let log = Sample::new();
    for bytes in [&b""[..], b"note", &[0xff; 40], b"log.example/sample\n5\n"] {
        let found = said(&log, &anchor(bytes));
        assert!(matches!(found[..], [Reason::AnchorNote { .. }]), "{found:?}");
        assert_eq!(effect(&found), Effect::Void);
    }
    let good = text(log.anchor());
    let changed = good.replacen("\n5\n", "\n4\n", 1);
    let name = "log.example/sample".to_owned();
    let key_id = log.roster().vkey.key_id();
    let error = CheckpointError::Open(OpenError::BadSignature { name, key_id });
    assert_eq!(said(&log, &anchor(changed.as_bytes())), [Reason::AnchorSigned { error }]);
    // One bad line of a named witness is enough, whoever else cosigned.
    let other = text(log.anchor_of(4, &[(91, 7)]));
    let spoilt = good + other.lines().last().expect("a line") + "\n";
    let found = said(&log, &anchor(spoilt.as_bytes()));
    let [Reason::AnchorSigned { error: CheckpointError::Open(OpenError::BadSignature { name, .. }) }] =
        &found[..]
    else {
        panic!("{found:?}")
    };
    assert_eq!(name, "w91.example");
}

#[test]
fn where_the_rules_name_no_witnesses_every_anchor_is_void() {
    let mut found = founding();
    found.charter.rules.witnesses = None;
    let log = Sample::acceded_on(found);
    assert_eq!(said(&log, &log.anchor()), [Reason::AnchorUnnamed]);
    assert_eq!(said(&log, &anchor(b"")), [Reason::AnchorUnnamed]);
    assert_eq!(Reason::AnchorUnnamed.effect(), Effect::Void);
}

#[test]
fn the_witnesses_are_those_of_the_rules_where_the_anchor_stands() {
    let mut log = Sample::new();
    let before = log.anchor();
    assert_eq!(said(&log, &before), []);
    let mut rules = rules();
    rules.witnesses = Some(Witnesses { vkeys: vec![witness(92)].into(), quorum: 1 });
    let replaces = log.roster().rules_set_by();
    log.carry(Motion::Rules { rules: rules.clone(), replaces }, &["de", "fr", "it"]);
    assert_eq!(said(&log, &before), [Reason::AnchorQuorum { got: 0, want: 1, of: 1 }]);
    assert_eq!(said(&log, &log.anchor_of(5, &[(92, now_s(&log))])), []);
    rules.witnesses = None;
    let replaces = log.roster().rules_set_by();
    log.carry(Motion::Rules { rules, replaces }, &["de", "fr", "it"]);
    assert_eq!(said(&log, &log.anchor_of(5, &[(92, now_s(&log))])), [Reason::AnchorUnnamed]);
}

#[test]
fn name_and_key_are_those_that_the_log_had_at_the_anchors_size() {
    let mut log = Sample::new();
    let keys = set(&[(3, "G"), (4, "L")], [1, 0, 0, 0, 1]);
    let vkey = log_key("log.example/next", 98);
    let motion =
        Motion::Operator { vkey, keys: keys.digest(&Handle::operator()), replaces: log.roster().log };
    log.carry(motion, &["de", "fr", "it"]);
    log.say("operator", G, &accede_with(keys));
    let (now, root) = (now_s(&log), |size| (&log.leaves[..]).root_at(size).expect("so many"));
    for size in 1..=log.size() {
        assert_eq!(said(&log, &log.anchor_of(size, &[(90, now)])), [], "{size}");
    }
    // Entry 7 carried the motion: the old name ends with size 7, and the new one begins with 8.
    for (origin, seed, size) in [("log.example/sample", 99, 8), ("log.example/next", 98, 7)] {
        let checkpoint = Checkpoint::new(origin, size, root(size)).expect("a checkpoint");
        let found = said(&log, &anchor(checkpoint.sign(&key(seed)).as_bytes()));
        assert!(matches!(&found[..], [Reason::AnchorOrigin { got, .. }] if got == origin), "{found:?}");
    }
}

#[test]
fn of_an_anchor_that_is_void_or_unauthentic_otherwise_the_time_is_nobodys_fault() {
    let log = Sample::new();
    let other = Checkpoint::new("log.example/sample", 5, sha256(b"other")).expect("a checkpoint");
    let line = crate::cosignature::cosign("w90.example", &key(90), 1, &other.to_string()).expect("a line");
    let act = anchor((other.sign(&key(99)) + &line).as_bytes());
    assert_eq!(said(&log, &act), [Reason::AnchorRoot { size: 5 }]);
    let far = log.anchor_of(5, &[(90, 1)]);
    let mut replayed = log.draft("operator", L, &far);
    replayed.statement.seq = 7;
    assert_eq!(log.clone().put(&replayed), [Reason::Seq { got: 7, want: 0 }]);
    let mut forged = log.draft("operator", L, &far);
    forged.signers = vec![(1, 1)];
    assert_eq!(log.clone().put(&forged), [Reason::BadSignature { officer: 1 }]);
}

#[test]
fn at_the_door_it_is_refused_for_what_every_verifier_would_find() {
    let mut log = Sample::new();
    for act in [anchor(b""), log.anchor_of(5, &[]), log.anchor_of(5, &[(90, 1)]), log.anchor()] {
        let bytes = encode(&log.entry(&log.draft("operator", L, &act)));
        let (before, want) = (log.history.snapshot(), said(&log, &act));
        let tried = log.history.try_take(&bytes, &decoded(&bytes), &mut &log.leaves[..], None);
        let refused: Vec<_> = tried.err().unwrap_or_default().into_iter().map(|f| f.reason).collect();
        assert_eq!(refused, want);
        assert_eq!(log.history.snapshot() == before, !want.is_empty());
    }
}

#[test]
fn the_log_waits_for_an_anchor_since_the_last_one_that_counts() {
    let mut log = Sample::new();
    assert_eq!(log.history.anchored(), Some(Anchored { index: 0, at: start() }), "since it was founded");
    let act = log.anchor();
    log.say("operator", L, &act);
    let first = Some(Anchored { index: 5, at: log.now });
    assert_eq!(log.history.anchored(), first);
    log.wait(DAY);
    assert_eq!(effect(&log.put(&log.draft("operator", L, &act))), Effect::OperatorsFault);
    let late = Some(Anchored { index: 6, at: log.now });
    assert_eq!(log.history.anchored(), late, "its operator is at fault, and it counts");
    log.wait(1000);
    assert_eq!(effect(&log.put(&log.draft("operator", L, &anchor(b"")))), Effect::Void);
    assert_eq!(log.history.anchored(), late, "a void one does not");
    let mut rules = rules();
    for witnesses in [None, rules.witnesses.clone()] {
        rules.witnesses = witnesses;
        let motion = Motion::Rules { rules: rules.clone(), replaces: log.roster().rules_set_by() };
        log.carry(motion, &["de", "fr", "it"]);
        let since = rules.witnesses.as_ref().map(|_| Anchored { index: log.size() - 1, at: log.now });
        assert_eq!(log.history.anchored(), since, "since the rules name witnesses");
    }
    let replaces = log.roster().log;
    let keys = set(&[(3, "G"), (4, "L")], [1, 0, 0, 0, 1]).digest(&Handle::operator());
    let vkey = Vkey::log("log.example/next", key(98).public()).expect("vkey");
    let motion = Motion::Operator { vkey: short(&vkey.to_string()), keys, replaces };
    log.carry(motion, &["de", "fr", "it"]);
    let anew = Anchored { index: log.size() - 1, at: log.now };
    assert_eq!(log.history.anchored(), Some(anew), "since another operator is in office");
}
