//! Evidence: what the operator did wrong convinces whoever pins the log's id; what it did not do convinces nobody.

#![allow(clippy::unwrap_used)]

use crate::support::small_log::{
    ORIGIN, SmallLog, accede, accept, at, codes, earlier, handle, key, key_set, officer, pledge, root, short,
    terms,
};
use crate::support::stored::Stored;
use proptest::prelude::*;
use servanda::armor::File;
use servanda::checkpoint::{self, Checkpoint};
use servanda::codec::{Bytes, decode_large, encode};
use servanda::entry::{Entry, Pointer};
use servanda::evidence::{Accused, Evidence, EvidenceError, Guilt, Misdeed, check, fork};
use servanda::field::{Class, Instant};
use servanda::hash::{Hash, ZEROS};
use servanda::key::vkey::Vkey;
use servanda::merkle::verify::verify_consistency;
use servanda::promise::Promise;
use servanda::proof::{RosterFile, RosterFileError};
use servanda::statement::body::{Anchor, Found, Rotate};
use servanda::statement::{self, Act, Statement};
use std::sync::LazyLock;

/// Everyone acceded, two pledges, an acceptance: entries 6, 7 and 8.
fn busy() -> SmallLog {
    let mut log = SmallLog::ready();
    let tanks = log.say("de", pledge(&["ua"], terms("tanks")));
    log.say("fr", pledge(&["ua"], terms("aircraft")));
    log.say("ua", accept(&[tanks]));
    assert!(log.findings().is_empty());
    log
}

/// The same beginning with another end, and longer.
fn other_end() -> SmallLog {
    let mut log = busy().cut(7);
    log.say("pl", pledge(&["ua"], terms("ammunition")));
    log.say("fr", pledge(&["ua"], terms("aircraft")));
    log.say("de", pledge(&["ua"], terms("money")));
    log
}

/// What a hand at the operator's does to an entry.
type Change = fn(&mut Entry);

/// Entry 6, changed by a hand at the operator's; everything after it is honest again.
fn with_entry(change: impl FnOnce(&mut Entry)) -> SmallLog {
    let mut log = SmallLog::ready();
    let statement = log.draft("de", pledge(&["ua"], terms("tanks")));
    let mut entry = log.sequence(&statement, log.sign(&statement));
    change(&mut entry);
    log.push_entry(&entry);
    log.say("fr", pledge(&["ua"], terms("aircraft")));
    log
}

/// What the entry at an index proves against the operator.
fn at_index(log: &SmallLog, index: u64) -> Option<Guilt> {
    let stored = Stored::new(log);
    let mut accused = Accused::new(&stored.checkpoint, stored.client()).unwrap();
    accused.at(index).unwrap().map(|evidence| check(&evidence, Some(&log.log_id())).unwrap())
}

fn guilt(log: &SmallLog, index: u64) -> Guilt {
    at_index(log, index).expect("evidence")
}

fn forked(one: &SmallLog, other: &SmallLog) -> Option<Evidence> {
    let (one, other) = (Stored::new(one), Stored::new(other));
    let mut accused = Accused::new(&one.checkpoint, one.client()).unwrap();
    accused.fork_with(&mut Accused::new(&other.checkpoint, other.client()).unwrap()).unwrap()
}

fn contradicted(now: &SmallLog, kept: &SmallLog) -> Option<Evidence> {
    let (now, kept) = (Stored::new(now), Stored::new(kept));
    Accused::new(&now.checkpoint, now.client()).unwrap().contradicts(&kept.checkpoint).unwrap()
}

fn promise(log: &SmallLog, index: usize, officer: &str) -> Promise {
    let entry = log.leaves()[index].clone();
    Promise::sign(log.log_id(), index.try_into().unwrap(), entry, &[(0, &key(officer))])
}

fn broken(log: &SmallLog, promise: &Promise) -> Option<Evidence> {
    let stored = Stored::new(log);
    Accused::new(&stored.checkpoint, stored.client()).unwrap().broken_promise(promise).unwrap()
}

// - forks -

#[test]
fn two_logs_that_differ_prove_a_fork_at_the_first_index_that_does() {
    let (one, other) = (busy(), other_end());
    let evidence = forked(&one, &other).expect("they differ");
    let guilt = check(&evidence, Some(&one.log_id())).unwrap();
    assert_eq!((guilt.kind, guilt.who.is_operator(), guilt.log), (Misdeed::Fork, true, one.log_id()));
    let want = "signed two histories, one of 9 and one of 10 entries, with different entries 7: ";
    assert!(guilt.what.starts_with(want), "{}", guilt.what);
}

#[test]
fn a_log_and_its_own_past_prove_nothing() {
    assert_eq!(forked(&busy(), &busy()), None);
    assert_eq!(forked(&busy(), &busy().cut(4)), None);
    assert_eq!(forked(&busy().cut(4), &busy()), None);
    assert_eq!(contradicted(&busy(), &busy()), None);
    assert_eq!(contradicted(&busy(), &busy().cut(4)), None);
}

#[test]
fn one_founding_sequenced_twice_is_a_fork_at_index_0() {
    let one = busy();
    let mut other = SmallLog::empty();
    let mut entry = one.entry(0).entry;
    entry.sequenced_at = at("2026-12-01T09:05Z");
    other.push_entry(&entry);
    assert_eq!(one.log_id(), other.log_id());
    let guilt = check(&forked(&one, &other).expect("they differ"), Some(&one.log_id())).unwrap();
    assert!(guilt.what.contains("different entries 0"), "{}", guilt.what);
}

#[test]
fn a_kept_checkpoint_of_one_size_or_a_smaller_one_proves_a_rewritten_log() {
    let now = other_end();
    for (kept, want) in [(busy(), "whose first 9 entries differ"), (busy().cut(8), "whose first 8")] {
        let guilt = check(&contradicted(&now, &kept).expect("rewritten"), Some(&now.log_id())).unwrap();
        assert!(guilt.what.contains(want), "{}", guilt.what);
    }
    let guilt = check(&contradicted(&now.cut(9), &busy()).unwrap(), Some(&now.log_id())).unwrap();
    assert!(guilt.what.contains("with roots"), "{}", guilt.what);
}

#[test]
fn a_log_that_was_rolled_back_is_no_evidence_by_itself() {
    assert_eq!(contradicted(&busy().cut(8), &busy()), None);
}

#[test]
fn two_checkpoints_of_one_size_need_no_log() {
    let (one, other) = (Stored::new(&busy()), Stored::new(&other_end().cut(9)));
    let founding = busy().entry(0).entry.statement;
    let evidence = fork::of_checkpoints(&founding, &one.checkpoint, &other.checkpoint, None).unwrap();
    assert_eq!(check(&evidence, Some(&busy().log_id())).unwrap().kind, Misdeed::Fork);
    let none = fork::of_checkpoints(&founding, &one.checkpoint, &one.checkpoint, None);
    assert!(matches!(none, Err(EvidenceError::Nothing)));
}

#[test]
fn a_consistency_proof_binds_the_old_root() {
    let now = other_end();
    let stored = Stored::new(&now);
    let path = stored.client().consistency_proof(8).unwrap();
    let (old, new) = (now.root_at(8), now.root());
    assert!(verify_consistency(8, 10, &old, &new, &path).is_ok());
    assert!(verify_consistency(8, 10, &busy().root_at(8), &new, &path).is_err());
}

#[test]
fn a_partner_cannot_frame_the_operator_with_a_checkpoint_of_its_own() {
    let (one, other) = (busy(), other_end().cut(9));
    let policy = one.policy(false);
    let founding = one.entry(0).entry.statement;
    let ours = Stored::new(&one).checkpoint;
    for forger in ["de/0", "operator/0"] {
        let text = Checkpoint::new(ours.origin(), 9, root(other.hashes())).unwrap();
        let note = text.sign(&key(forger));
        assert!(checkpoint::open(note.as_bytes(), &policy).is_err());
        // Nor where it gets past its maker's own policy.
        let vkey = servanda::key::vkey::Vkey::log(ours.origin(), key(forger).public()).unwrap();
        let lax = servanda::policy::Policy::of(&[vkey], &[], None).unwrap();
        let forged = checkpoint::open(note.as_bytes(), &lax).unwrap();
        let evidence = fork::of_checkpoints(&founding, &ours, &forged, None);
        assert!(matches!(evidence, Err(EvidenceError::Checkpoint(_))), "{forger}: {evidence:?}");
    }
}

// - promises -

#[test]
fn a_promise_and_another_entry_in_its_place_are_a_broken_promise() {
    let (promised, log) = (busy(), other_end());
    let evidence = broken(&log, &promise(&promised, 7, "operator/0")).expect("broken");
    let guilt = check(&evidence, Some(&log.log_id())).unwrap();
    assert_eq!(guilt.kind, Misdeed::BrokenPromise);
    assert!(guilt.what.contains("as entry 7"), "{}", guilt.what);
}

#[test]
fn a_promise_that_was_kept_or_is_still_to_be_kept_proves_nothing() {
    assert_eq!(broken(&busy(), &promise(&busy(), 7, "operator/0")), None);
    assert_eq!(broken(&busy(), &promise(&other_end(), 9, "operator/0")), None);
}

#[test]
fn what_others_promise_is_no_promise() {
    let (promised, log) = (busy(), other_end());
    for forger in ["de/0", "operator/checkpoint", "operator/1"] {
        assert_eq!(broken(&log, &promise(&promised, 7, forger)), None, "{forger}");
    }
    let mut other_log = promise(&promised, 7, "operator/0");
    other_log.log = Hash([7; 32]);
    assert_eq!(broken(&log, &other_log), None);
    let mut moved = promise(&promised, 7, "operator/0");
    moved.index = 8;
    assert_eq!(broken(&log, &moved), None);
}

#[test]
fn a_replaced_key_promises_nothing_any_more() {
    let mut log = busy();
    let mut keys = key_set("operator");
    keys.officers[0] = officer("operator/1", &[Class::Govern, Class::OperateLog]);
    log.say("operator", Act::Rotate(Rotate { keys }));
    let promised = {
        let mut fork = log.clone();
        fork.say("de", pledge(&["ua"], terms("money")));
        fork
    };
    log.say("fr", pledge(&["ua"], terms("money")));
    assert!(log.findings().is_empty() && promised.findings().is_empty());
    assert_eq!(broken(&log, &promise(&promised, 10, "operator/0")), None);
    let evidence = broken(&log, &promise(&promised, 10, "operator/1")).expect("broken");
    assert!(check(&evidence, Some(&log.log_id())).is_ok());
    // Below the rotation, the key that was in force there.
    let evidence = broken(&log, &promise(&other_end(), 7, "operator/0")).expect("broken");
    assert!(check(&evidence, Some(&log.log_id())).is_ok());
}

// - faults -

#[test]
fn a_wrong_index_link_or_time_is_a_fault() {
    let changes: [(&str, Change, &str); 3] = [
        ("wrong-index", |e| e.index = 7, "calls itself entry 7"),
        ("wrong-link", |e| e.link = ZEROS, "links to 000000000000"),
        ("time-back", |e| e.sequenced_at = at("2026-12-01T09:04Z"), "is dated 2026-12-01T09:04"),
    ];
    for (code, change, want) in changes {
        let log = with_entry(change);
        assert_eq!(codes(log.findings()), [code]);
        let guilt = guilt(&log, 6);
        assert_eq!(guilt.kind, Misdeed::Fault, "{code}");
        assert!(
            guilt.what.starts_with("sequenced entry 6, which") && guilt.what.contains(want),
            "{}",
            guilt.what
        );
        assert_eq!(at_index(&log, 5), None, "{code}: the one before is in order");
        assert_eq!(at_index(&log, 7), None, "{code}: the one after is in order");
    }
}

#[test]
fn entries_of_one_moment_are_no_fault_and_a_rotation_that_goes_back_is_one() {
    let log = SmallLog::ready();
    let before = log.entry(5).entry.sequenced_at;
    assert_eq!(at_index(&with_entry(|e| e.sequenced_at = before), 6), None);
    let mut log = log;
    let mut keys = key_set("de");
    keys.officers[3] = officer("de/4", &[Class::Operate, Class::Observe]);
    let statement = log.draft("de", Act::Rotate(Rotate { keys }));
    let mut entry = log.sequence(&statement, log.sign(&statement));
    entry.sequenced_at = at("2026-12-01T09:01Z");
    assert_eq!(codes(&log.push_entry(&entry)), ["time-back"]);
    assert!(guilt(&log, 6).what.contains("is dated 2026-12-01T09:01"));
}

#[test]
fn a_fault_is_one_with_a_roster_file_too() {
    let log = with_entry(|e| e.roster.index = 4);
    let stored = Stored::new(&log);
    let mut accused = Accused::new(&stored.checkpoint, stored.client()).unwrap();
    let fault = encode(&accused.fault(6).unwrap().expect("evidence"));
    // Version, statement 0, claim 2, the checkpoint; then whether a roster file follows.
    let note = Bytes(stored.checkpoint.as_str().as_bytes().to_vec());
    let before = encode(&(1u8, log.entry(0).entry.statement, 2u8, note));
    let after =
        fault.strip_prefix(&before[..]).and_then(|rest| rest.strip_prefix(&[0])).expect("no roster file");
    let file = RosterFile::make(&mut stored.client()).unwrap();
    let with_file = [&before[..], &encode(&Some(file)), after].concat();
    let evidence: Evidence = decode_large(&with_file, 1 << 20).unwrap();
    let guilt = check(&evidence, Some(&log.log_id())).unwrap();
    assert_eq!(guilt.kind, Misdeed::Fault);
    assert!(guilt.what.contains("past the entry before"), "{}", guilt.what);
}

#[test]
fn time_that_a_motion_may_have_restarted_is_held_against_nobody() {
    let mut log = busy();
    let motion = servanda::statement::body::Motion::Suspend { handle: handle("kiel") };
    let propose = servanda::statement::body::Propose { motion, lapses_at: at("2027-01-01") };
    let statement = log.draft("de", Act::Propose(propose));
    let mut entry = log.sequence(&statement, log.sign(&statement));
    entry.sequenced_at = at("2026-12-01T09:01Z");
    assert!(codes(&log.push_entry(&entry)).contains(&"time-back"));
    assert_eq!(at_index(&log, 9), None);
}

/// A log whose rules name the witness, with an anchor of its first six entries, cosigned at a time; and a pledge.
fn anchored(at: impl FnOnce(Instant) -> Instant) -> SmallLog {
    let mut log = SmallLog::witnessed();
    let checkpoint = log.anchor_note(6, at(log.now)).into_bytes().into();
    log.say("operator", Act::Anchor(Anchor { checkpoint }));
    log.say("fr", pledge(&["ua"], terms("aircraft")));
    log
}

#[test]
fn an_anchor_far_from_its_witnesses_time_is_a_fault_shown_by_itself_and_the_roster() {
    let limit_ms = servanda::roster::anchor::ANCHOR_SKEW_MS;
    for log in [anchored(|now| earlier(now, limit_ms)), anchored(|now| now.plus_ms(limit_ms))] {
        assert!(log.findings().is_empty());
        assert_eq!(at_index(&log, 6), None);
    }
    let late = anchored(|now| earlier(now, limit_ms + 1000));
    for log in [&late, &anchored(|now| now.plus_ms(limit_ms + 1000))] {
        assert_eq!(codes(log.findings()), ["anchor-time"]);
        let guilt = guilt(log, 6);
        assert_eq!((guilt.kind, guilt.key.name()), (Misdeed::Fault, ORIGIN));
        assert!(
            guilt.what.starts_with("sequenced entry 6, which is dated 2026-12-01T09:06"),
            "{}",
            guilt.what
        );
        assert!(guilt.what.contains("when its witnesses cosigned it"), "{}", guilt.what);
        let stored = Stored::new(log);
        let mut accused = Accused::new(&stored.checkpoint, stored.client()).unwrap();
        assert_eq!(accused.admitted(6).unwrap(), None, "it was right to be let in");
        assert_eq!((at_index(log, 5), at_index(log, 7)), (None, None));
    }
    // About a log of other founders it says nothing.
    let stored = Stored::new(&late);
    let evidence = Accused::new(&stored.checkpoint, stored.client()).unwrap().at(6).unwrap().unwrap();
    assert!(check(&evidence, Some(&Hash([7; 32]))).is_err());
}

#[test]
fn an_anchor_of_another_history_shows_that_the_operator_signed_two() {
    let honest = SmallLog::witnessed();
    let mut other = honest.cut(5);
    other.say("kiel", accede("kiel"));
    for (size, forked) in [(6, true), (5, false), (1, false)] {
        let mut log = honest.clone();
        let checkpoint = other.anchor_note(size, log.now).into_bytes().into();
        log.say("operator", Act::Anchor(Anchor { checkpoint }));
        assert_eq!(codes(log.findings()), if forked { &["anchor-root"][..] } else { &[] });
        let guilt = at_index(&log, 6);
        assert_eq!(guilt.as_ref().map(|guilt| guilt.kind), forked.then_some(Misdeed::Fork));
        assert!(guilt.is_none_or(|guilt| guilt.what.contains("one of 6 and one of 7 entries")));
    }
    // What another key signed under the log's name accuses nobody.
    let mut log = honest.clone();
    let forged = Checkpoint::new(ORIGIN, 6, other.root()).unwrap().sign(&key("de/0"));
    log.say("operator", Act::Anchor(Anchor { checkpoint: forged.into_bytes().into() }));
    assert_eq!((codes(log.findings()), at_index(&log, 6)), (vec!["anchor-signed"], None));
}

#[test]
fn an_anchor_that_is_void_is_no_evidence_whatever_its_time() {
    let void = |change: fn(&SmallLog) -> String| {
        let mut log = SmallLog::witnessed();
        let checkpoint = change(&log).into_bytes().into();
        log.say("operator", Act::Anchor(Anchor { checkpoint }));
        assert_eq!((log.findings().len(), at_index(&log, 6)), (1, None));
        codes(log.findings())[0]
    };
    assert_eq!(void(|log| log.checkpoint()), "anchor-quorum");
    assert_eq!(
        void(|log| log.anchor_note(6, at("2026-11-01")).replacen("\n6\n", "\n5\n", 1)),
        "anchor-signed"
    );
    assert_eq!(void(|_| "nothing".to_owned()), "anchor-note");
}

// - entries that should not be there -

#[test]
fn an_unauthentic_entry_that_was_let_in_is_evidence() {
    let changes: [(Change, &str); 4] = [
        (|e| e.signatures.0.truncate(1), "is signed by 1 officer,"),
        (|e| e.signatures.0.clear(), "bears no signature"),
        (|e| e.signatures.0[1].bytes.0[40] ^= 1, "does not hold"),
        (|e| e.sequenced_at = at("2027-06-01"), "expired"),
    ];
    for (change, want) in changes {
        let guilt = guilt(&with_entry(change), 6);
        assert_eq!(guilt.kind, Misdeed::Admitted);
        assert!(guilt.who.is_operator(), "never the partner in whose name it stands");
        assert!(
            guilt.what.starts_with("let entry 6 in, which") && guilt.what.contains(want),
            "{}",
            guilt.what
        );
    }
}

#[test]
fn a_statement_forged_in_a_partners_name_is_evidence_against_the_operator() {
    let mut log = busy();
    let statement = log.draft("de", pledge(&["ua"], terms("everything")));
    let forged = log.sign_as(&statement, &[(0, "fr/0"), (1, "fr/1")]);
    log.push_entry(&log.sequence(&statement, forged));
    let guilt = guilt(&log, 9);
    assert_eq!((guilt.kind, guilt.who.is_operator()), (Misdeed::Admitted, true));
}

#[test]
fn a_forged_accede_or_one_of_unannounced_keys_is_evidence() {
    let mut log = SmallLog::founded();
    let mut keys = key_set("de");
    keys.officers[0] = officer("mallory", &[Class::Govern, Class::Commit]);
    let act = Act::Accede(servanda::statement::body::Accede {
        keys,
        reservations: None,
        annexes: Default::default(),
    });
    log.say("de", act);
    assert_eq!(codes(log.findings()), ["not-announced"]);
    assert!(guilt(&log, 1).what.contains("was not announced"));
}

#[test]
fn bytes_that_are_no_entry_are_evidence_wherever_they_stand() {
    for last in [false, true] {
        let mut log = busy();
        log.push(b"\x01 no entry".to_vec());
        if !last {
            log.say("de", pledge(&["ua"], terms("money")));
        }
        assert_eq!(guilt(&log, 9).kind, Misdeed::Admitted, "last: {last}");
    }
}

#[test]
fn bytes_of_a_later_version_are_evidence_unless_the_log_may_have_it() {
    for level in [1, 2] {
        let mut log = SmallLog::founded_with(|found| found.charter.level = level);
        log.push(b"\x02 of a later version".to_vec());
        log.push(b"\x01 no entry".to_vec());
        log.say("de", accede("de"));
        assert_eq!(at_index(&log, 1).is_some(), level == 1);
        assert_eq!(guilt(&log, 2).kind, Misdeed::Admitted, "level {level}");
    }
}

#[test]
fn a_wrong_roster_pointer_is_evidence() {
    let log = with_entry(|e| e.roster.index = 4);
    // By the entry before, which is of class 0 …
    let guilt = guilt(&log, 6);
    assert_eq!(guilt.kind, Misdeed::Fault);
    assert!(guilt.what.contains("points at entry 4 ("), "{}", guilt.what);
    assert!(guilt.what.contains("as the last of class 0, past the entry before"), "{}", guilt.what);
    // … and by the roster chain of the log's end.
    let stored = Stored::new(&log);
    let mut accused = Accused::new(&stored.checkpoint, stored.client()).unwrap();
    let guilt = check(&accused.admitted(6).unwrap().expect("evidence"), Some(&log.log_id())).unwrap();
    assert_eq!(guilt.kind, Misdeed::Admitted);
    let want = "points at entry 4 as the last of class 0, which is entry 5";
    assert!(guilt.what.contains(want), "{}", guilt.what);
}

#[test]
fn a_roster_chain_through_an_entry_that_does_not_count_proves_no_roster() {
    let mut log = busy();
    let mut keys = key_set("de");
    keys.officers[3] = officer("mallory", &[Class::Operate, Class::Observe]);
    let statement = log.draft("de", Act::Rotate(Rotate { keys }));
    let forged = log.sign_as(&statement, &[(0, "mallory"), (1, "mallory"), (131, "mallory")]);
    log.push_entry(&log.sequence(&statement, forged));
    // The last entry of a log may be such a one: nobody points at it.
    let chain = |log: &SmallLog| {
        let stored = Stored::new(log);
        let file = RosterFile::make(&mut stored.client()).unwrap();
        file.verify(log.size(), &log.root()).unwrap()
    };
    assert!(chain(&log).roster_before(10, None).is_ok());
    log.push(b"\x01 no entry".to_vec());
    let statement = log.draft("fr", pledge(&["ua"], terms("money")));
    let mut entry = log.sequence(&statement, log.sign(&statement));
    entry.roster = Pointer { index: 9, leaf: log.hashes()[9] };
    log.push_entry(&entry);
    let broken = chain(&log).roster_before(12, None);
    assert!(matches!(broken, Err(RosterFileError::Unauthentic { index: 9, .. })), "{broken:?}");
    assert!(chain(&log).roster_before(9, None).is_ok());
    assert_eq!(guilt(&log, 9).kind, Misdeed::Admitted);
    assert_eq!(guilt(&log, 10).kind, Misdeed::Admitted, "what is no entry needs no roster");
}

#[test]
fn what_a_partner_says_to_have_seen_accuses_nobody() {
    let mut log = busy();
    let mut lying = log.draft("de", pledge(&["ua"], terms("money")));
    lying.seen.leaf = Hash([9; 32]);
    log.post(&lying);
    assert_eq!(codes(log.findings()), ["seen-other"]);
    assert_eq!(at_index(&log, 9), None);
}

#[test]
fn a_gap_in_a_partners_chain_is_a_finding_and_no_evidence() {
    let mut log = busy();
    let mut late = log.draft("de", pledge(&["ua"], terms("money")));
    late.seq += 1;
    log.post(&late);
    assert_eq!(codes(log.findings()), ["wrong-seq"]);
    assert_eq!(at_index(&log, 9), None);
}

#[test]
fn an_honest_log_gives_no_evidence_at_any_index() {
    let log = busy();
    for index in 0..log.size() {
        assert_eq!(at_index(&log, index), None, "{index}");
    }
}

#[test]
fn a_void_statement_is_no_evidence() {
    let mut log = busy();
    let mut void = log.draft("de", pledge(&["ua"], terms("money")));
    void.kind = 9999;
    log.post(&void);
    assert_eq!(codes(log.findings()), ["level"]);
    assert_eq!(at_index(&log, 9), None);
}

// - as a file -

/// One of each kind.
pub static EVIDENCE: LazyLock<Vec<Evidence>> = LazyLock::new(|| {
    let mut all = vec![
        forked(&busy(), &other_end()).unwrap(),
        contradicted(&other_end(), &busy()).unwrap(),
        broken(&other_end(), &promise(&busy(), 7, "operator/0")).unwrap(),
    ];
    for log in [with_entry(|e| e.link = ZEROS), with_entry(|e| e.signatures.0.truncate(1))] {
        let stored = Stored::new(&log);
        all.push(Accused::new(&stored.checkpoint, stored.client()).unwrap().at(6).unwrap().unwrap());
    }
    all
});

#[test]
fn evidence_survives_its_file_and_is_about_one_log() {
    for evidence in &*EVIDENCE {
        let text = File::Evidence.write(evidence).unwrap();
        assert_eq!(File::of(text.as_bytes()), Some(File::Evidence));
        let read: Evidence = File::Evidence.read(text.as_bytes()).unwrap();
        assert_eq!(&read, evidence);
        assert!(check(&read, Some(&busy().log_id())).is_ok());
        assert!(check(&read, None).is_ok());
        let other = check(&read, Some(&Hash([1; 32])));
        let other = other.unwrap_err();
        assert!(matches!(other, EvidenceError::OtherLog { .. }) && !other.is_not_understood());
    }
}

#[test]
fn evidence_of_another_version_is_not_understood() {
    let mut bytes = encode(&EVIDENCE[0]);
    bytes[0] = 2;
    let later: Evidence = decode_large(&bytes, 1 << 20).unwrap();
    assert!(check(&later, None).unwrap_err().is_not_understood());
}

#[test]
fn a_statement_that_founds_no_log_is_no_founding() {
    let statement = busy().entry(6).entry.statement;
    let one = Stored::new(&busy()).checkpoint;
    let other = Stored::new(&other_end().cut(9)).checkpoint;
    let evidence = fork::of_checkpoints(&statement, &one, &other, None);
    assert!(matches!(evidence, Err(EvidenceError::Founding)));
    assert_ne!(statement::id(&statement), busy().log_id());
}

#[test]
fn a_founding_is_the_operators_and_has_a_log_key_under_the_logs_name() {
    let honest = Statement::decode(&busy().entry(0).entry.statement).unwrap();
    let one = Stored::new(&busy()).checkpoint;
    let other = Stored::new(&other_end().cut(9)).checkpoint;
    let founds = |change: &dyn Fn(&mut Statement, &mut Found)| {
        let mut statement = honest.clone();
        let Ok(Act::Found(mut found)) = honest.act() else { panic!("a founding") };
        change(&mut statement, &mut found);
        statement.body = Act::Found(found).encode_body().into();
        let evidence = fork::of_checkpoints(&statement.encode().unwrap(), &one, &other, None);
        !matches!(evidence, Err(EvidenceError::Founding))
    };
    let public = key("operator/checkpoint").public();
    assert!(founds(&|_, _| {}));
    assert!(!founds(&|s, _| s.log = Hash([1; 32])));
    assert!(!founds(&|s, _| s.author = handle("de")));
    assert!(!founds(&|_, f| f.vkey = short("nonsense")));
    assert!(!founds(&|_, f| f.vkey = short(&Vkey::log("other.example", public).unwrap().to_string())));
    assert!(!founds(&|_, f| f.vkey = short(&Vkey::witness(ORIGIN, public).unwrap().to_string())));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_change_breaks_it(which in 0..5usize, at in any::<prop::sample::Index>(), bit in 0..8u32) {
        let mut bytes = encode(&EVIDENCE[which]);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = decode_large::<Evidence>(&bytes, 1 << 24) {
            let guilt = check(&changed, Some(&busy().log_id()));
            prop_assert!(guilt.is_err(), "byte {at} of {}: {guilt:?}", bytes.len());
        }
    }

    #[test]
    fn any_bytes_are_checked_or_refused(bytes: Vec<u8>) {
        if let Ok(evidence) = decode_large::<Evidence>(&bytes, 1 << 24) {
            let _ = check(&evidence, None);
        }
    }
}
