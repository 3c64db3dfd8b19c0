//! A history kept and taken up again.

use crate::chain::Reason;
use crate::codec::{CodecError, decode_large, encode};
use crate::entry::SignedEntry;
use crate::hash::leaf_hash;
use crate::history::sample::*;
use crate::history::{History, Snapshot, SnapshotError};
use crate::statement::body::Motion;

const LIMIT: usize = 1 << 24;

/// Kept, written, read and taken up again.
fn again(history: &History) -> Result<History, SnapshotError> {
    let bytes = encode(&history.snapshot());
    History::resume(
        decode_large(&bytes, LIMIT).expect("what was encoded decodes"),
        history.ledger().map(encode).as_deref(),
    )
}

/// A log with something of everything.
fn varied() -> Sample {
    let mut found = founding();
    found.charter.level = 2;
    let mut log = Sample::acceded_on(found);
    log.say("fr", C, &adopt(0));
    log.say("de", G, &rotate(set(&[(11, "GC"), (14, "C"), (10, "G")], [1, 2, 0, 0, 0])));
    log.put_bytes(b"no entry".to_vec());
    log.say("de", C, &adopt(0));
    let id = log.say("de", G, &propose(Motion::Level { level: 3 }, log.now.plus_ms(20 * DAY)));
    log.say("fr", B, &withdraw());
    let mut unknown = log.draft("it", C, &adopt(1));
    unknown.statement.kind = 71;
    assert_eq!(log.put(&unknown), []);
    log.wait(DAY);
    let mut draft = log.draft("fr", C, &adopt(2));
    draft.signers.clear();
    assert_eq!(log.put(&draft), [Reason::NoSignatures]);
    let earlier = log.now.plus_ms(1);
    log.wait(DAY);
    log.say("fr", G, &approve(id));
    log.now = earlier;
    assert!(matches!(log.put(&log.draft("pl", C, &adopt(0)))[..], [Reason::TimeBack { .. }]));
    let mut seen = log.draft("it", G, &rotate(first_set("it")));
    seen.statement.seen.size = 1;
    assert!(matches!(log.put(&seen)[..], [Reason::GovernSeenBack { .. }]));
    let completing = log.draft("it", G, &approve(id));
    let mut late = log.draft("fr", C, &adopt(3));
    late.statement.expires_at = late.statement.issued_at;
    assert_eq!(log.put(&late).len(), 1);
    assert_eq!(log.put(&completing), []);
    assert_eq!(log.roster().charter.level, 3);
    carried(&mut log);
    let mut later = log.draft("fr", G, &approve(id));
    later.statement.kind = 5;
    assert_eq!(log.put(&later), []);
    assert!(log.history.unknown().is_some());
    assert!(log.put(&log.draft("pl", C, &adopt(1))).is_empty());
    log
}

/// Every motion that can be carried, and what follows.
fn carried(log: &mut Sample) {
    log.wait(30 * DAY);
    let pl = || handle("pl");
    let open = log.say("pl", G, &propose(Motion::Level { level: 4 }, log.now.plus_ms(20 * DAY)));
    log.carry(Motion::Suspend { handle: pl() }, &["de", "fr"]);
    assert_eq!(log.put(&log.draft("pl", C, &adopt(5))), [Reason::Suspended]);
    log.carry(Motion::Resume { handle: pl() }, &["de", "it"]);
    log.say("pl", C, &adopt(6));
    let keys = set(&[(40, "GCOB"), (45, "C")], [1, 1, 1, 1, 0]);
    let rekey = Motion::Rekey { handle: pl(), keys: keys.digest(&pl()), disown_from: Some(9) };
    log.carry(rekey, &["fr", "it"]);
    log.say("pl", G, &accede_with(keys));
    log.say("de", G, &approve(open));
    let found = log.roster().log;
    let rules = crate::charter::Rules { longest_expiry: crate::field::Duration::of_days(8), ..rules() };
    log.carry(Motion::Rules { rules, replaces: found }, &["de", "fr", "it"]);
    let keys = set(&[(3, "G"), (4, "L")], [1, 0, 0, 0, 1]);
    let operator = Motion::Operator {
        vkey: log_key("log.example/next", 98),
        keys: keys.digest(&crate::field::Handle::operator()),
        replaces: found,
    };
    log.now = log.now.plus_ms(900 * DAY);
    let id = log.say("de", G, &propose(operator, log.now));
    log.say("fr", G, &approve(id));
    log.now = start().plus_ms(60 * DAY);
    log.say("it", G, &approve(id));
    log.say("operator", G, &accede_with(keys));
    let keys = set(&[(50, "GCOB")], [1, 1, 1, 1, 0]).digest(&handle("se"));
    let (name, roles) = (short("Sweden"), crate::field::Roles::default().with(crate::field::Role::Observer));
    log.carry(Motion::Admit { handle: handle("se"), name, roles, keys }, &["de", "fr", "pl"]);
    log.say("se", G, &accede_with(set(&[(50, "GCOB")], [1, 1, 1, 1, 0])));
    log.say("se", C, &adopt(0));
}

#[test]
fn a_history_taken_up_anywhere_goes_on_as_the_original() {
    let log = varied();
    let mut whole = Sample { history: History::without_ledger(), ..Sample::default() };
    for at in 0..=log.entries.len() {
        let mut resumed = Sample { history: again(&whole.history).expect("in order"), ..whole.clone() };
        assert_eq!(resumed.history.snapshot(), whole.history.snapshot());
        let mut original = whole.clone();
        for bytes in &log.entries[at..] {
            assert_eq!(resumed.put_bytes(bytes.clone()), original.put_bytes(bytes.clone()));
            assert_eq!(resumed.history.snapshot(), original.history.snapshot());
            assert_eq!(resumed.history.unknown(), original.history.unknown());
            let charter = |log: &Sample| log.history.roster().map(|r| (r.charter.clone(), r.vkey.clone()));
            assert_eq!(charter(&resumed), charter(&original));
        }
        if let Some(bytes) = log.entries.get(at) {
            whole.put_bytes(bytes.clone());
        }
    }
    assert_eq!(whole.history.snapshot(), log.history.snapshot());
}

#[test]
fn a_log_that_nobody_founded_is_taken_up_as_such() {
    let mut log = Sample { now: start(), ..Sample::default() };
    log.put_bytes(b"no entry".to_vec());
    let resumed = again(&log.history).expect("in order");
    assert!(resumed.roster().is_none() && resumed.head() == log.history.head());
}

#[test]
fn any_flipped_bit_in_a_snapshot_is_found() {
    let mut log = Sample::new();
    log.say("fr", C, &adopt(0));
    let good = encode(&log.history.snapshot());
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        let resumed = decode_large::<Snapshot>(&bytes, LIMIT).map(|s| History::resume(s, None));
        assert!(!matches!(resumed, Ok(Ok(_))), "byte {at}");
    }
    for len in 0..good.len() {
        assert!(decode_large::<Snapshot>(&good[..len], LIMIT).is_err());
    }
    assert!(matches!(decode_large::<Snapshot>(&good, good.len() - 1), Err(CodecError::TooLong { .. })));
}

#[test]
fn a_snapshot_longer_than_any_entry_is_read() {
    let mut log = Sample::new();
    let long = |n: u8| Motion::Rules {
        rules: crate::charter::Rules {
            instruments: (0..40).map(|i| short(&format!("{n} {i:>250}"))).collect(),
            ..rules()
        },
        replaces: log.roster().log,
    };
    let motions: Vec<_> = (0..112).map(long).collect();
    for (n, motion) in motions.into_iter().enumerate() {
        let who = ["de", "fr", "it", "pl"][n % 4];
        log.say(who, G, &propose(motion, log.now.plus_ms(DAY)));
    }
    let mut bytes = encode(&log.history.snapshot());
    assert!(bytes.len() > 1 << 20, "{}", bytes.len());
    assert!(crate::codec::decode::<Snapshot>(&bytes, LIMIT).is_err(), "past the belt for statements");
    assert_eq!(again(&log.history).expect("in order").snapshot(), log.history.snapshot());
    bytes.push(0);
    assert!(decode_large::<Snapshot>(&bytes, LIMIT).is_err());
}

#[test]
fn an_entry_is_tried_without_leaving_a_trace() {
    let mut log = Sample::new();
    let before = log.history.snapshot();
    let leaves = log.leaves.clone();
    let good = encode(&log.entry(&log.draft("fr", G, &rotate(set(&[(21, "G")], [1, 0, 0, 0, 0])))));
    let mut draft = log.draft("fr", C, &adopt(0));
    draft.signers.clear();
    let refused = encode(&log.entry(&draft));
    let findings = log.history.try_take(
        &refused,
        &SignedEntry::decode(&refused).expect("entry"),
        &mut &leaves[..],
        None,
    );
    let findings = findings.expect_err("refused");
    assert_eq!((findings.len(), findings[0].index, &findings[0].reason), (1, 5, &Reason::NoSignatures));
    assert_eq!(log.history.snapshot(), before);
    let mut other = log.clone();
    assert_eq!(
        log.history.try_take(&good, &SignedEntry::decode(&good).expect("entry"), &mut &leaves[..], None),
        Ok(())
    );
    assert_eq!(other.put_bytes(good.clone()), []);
    assert_eq!(
        (log.history.snapshot(), log.history.head().leaf),
        (other.history.snapshot(), leaf_hash(&good))
    );
}
