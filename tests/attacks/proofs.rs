//! Proofs offline: under a made-up key, under a replaced one, with a roster file that was made up or altered.

use super::*;
use crate::support::forge::Objects;
use crate::support::small_log::{ORIGIN, cosign, key, key_set, officer, review};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use servanda::chain::Reason;
use servanda::checkpoint::{Checkpoint, VerifiedCheckpoint};
use servanda::client::Client;
use servanda::codec::{Bytes, CodecError, List, decode_large};
use servanda::entry::{Pointer, SignedEntry};
use servanda::field::Class;
use servanda::hash::{Hash, leaf_hash};
use servanda::proof::{Judged, RosterFile, RosterFileError, judge, prove};
use servanda::statement::body::Rotate;
use servanda::tlog_proof::TlogProof;

const LIMIT: usize = 16 << 20;

/// A roster file as it is encoded, open to changes.
#[derive(Clone, Serialize, Deserialize)]
struct Raw {
    version: u8,
    size: u64,
    last: Bytes,
    path: List<Hash>,
    chain: List<(u64, Bytes)>,
}

impl Raw {
    fn of(roster: &RosterFile) -> Self {
        decode_large(&encode(roster), LIMIT).unwrap()
    }

    fn file(&self) -> RosterFile {
        decode_large(&encode(self), LIMIT).unwrap()
    }
}

/// A published log, and what its operator hands out.
struct Published {
    objects: Objects,
    checkpoint: VerifiedCheckpoint,
}

impl Published {
    fn of(log: &SmallLog) -> Self {
        let objects = forge(log.leaves());
        let note = &objects["public/checkpoint"];
        let checkpoint = servanda::checkpoint::open(note, &log.policy(false)).unwrap();
        Self { objects, checkpoint }
    }

    fn with<T>(&self, ask: impl FnOnce(&mut Client<'_>) -> T) -> T {
        let store = Memory::holding(self.objects.clone());
        ask(&mut Client::open(&store, self.checkpoint.size(), self.checkpoint.root()).unwrap())
    }

    fn roster(&self) -> RosterFile {
        self.with(|client| RosterFile::make(client).unwrap())
    }

    fn proof(&self, index: u64) -> TlogProof {
        self.with(|client| prove(client, index, self.checkpoint.as_str()).unwrap())
    }

    fn judged(&self, roster: &RosterFile, index: u64, pinned: Hash) -> Result<Judged, RosterFileError> {
        let chain = roster.verify(self.checkpoint.size(), &self.checkpoint.root())?;
        let entry = self.proof(index).extra.unwrap();
        judge(&chain, index, &SignedEntry::decode(&entry).unwrap(), Some(&pinned))
    }
}

fn reasons(judged: &Judged) -> Vec<&'static str> {
    judged.reasons.iter().map(Reason::code).collect()
}

/// What a roster file and a proof show of an entry, to someone who pins the log's id.
pub fn judged_offline(log: &SmallLog, index: u64) -> Vec<&'static str> {
    let published = Published::of(log);
    reasons(&published.judged(&published.roster(), index, log.log_id()).unwrap())
}

#[test]
fn every_entry_of_an_honest_log_is_proved_with_one_roster_file() {
    let log = model();
    let published = Published::of(&log);
    let roster = published.roster();
    for index in 0..10 {
        let proof = published.proof(index);
        let entry = proof.extra.clone().unwrap();
        assert_eq!(entry, log.leaves()[usize::try_from(index).unwrap()]);
        assert_eq!(proof.verify(&leaf_hash(&entry), &log.policy(false)).unwrap(), published.checkpoint);
        let judged = published.judged(&roster, index, log.log_id()).unwrap();
        assert_eq!(reasons(&judged), [""; 0], "{index}");
    }
}

#[test]
fn every_byte_of_a_proof_counts() {
    let log = model();
    let published = Published::of(&log);
    let policy = log.policy(true);
    let mut proof = published.proof(7);
    proof.checkpoint = cosign(&proof.checkpoint, log.now);
    let holds = |text: &[u8]| {
        let Ok(proof) = TlogProof::parse(text) else { return false };
        proof.extra.as_ref().is_some_and(|entry| proof.verify(&leaf_hash(entry), &policy).is_ok())
    };
    let text = proof.to_string().into_bytes();
    assert!(holds(&text));
    (0..text.len()).into_par_iter().for_each(|at| {
        for bit in [at % 8, 5] {
            let mut changed = text.clone();
            changed[at] ^= 1 << bit;
            assert!(!holds(&changed), "byte {at} bit {bit}");
        }
        assert!(!holds(&text[..at]));
    });
    assert!(!holds(&[&text[..], b"\n"].concat()));
}

#[test]
fn every_byte_of_a_roster_file_counts() {
    let log = model();
    let published = Published::of(&log);
    let bytes = encode(&published.roster());
    let (size, root) = (published.checkpoint.size(), published.checkpoint.root());
    let holds = |bytes: &[u8]| {
        let roster: Result<RosterFile, CodecError> = decode_large(bytes, LIMIT);
        let chain = roster.ok().and_then(|roster| roster.verify(size, &root).ok());
        chain.is_some_and(|chain| chain.roster_before(size, Some(&log.log_id())).is_ok())
    };
    assert!(holds(&bytes));
    (0..bytes.len()).into_par_iter().for_each(|at| {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(!holds(&changed), "byte {at}");
    });
    assert!(!holds(&bytes[..bytes.len() - 1]) && !holds(&[&bytes[..], &[0]].concat()));
}

#[test]
fn a_chain_with_an_entry_left_out_doubled_moved_or_put_in_is_refused() {
    let log = model();
    let published = Published::of(&log);
    let good = Raw::of(&published.roster());
    assert_eq!(good.chain.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 1, 2, 3, 6]);
    let (size, root) = (published.checkpoint.size(), published.checkpoint.root());
    let refused = |change: &dyn Fn(&mut Raw)| {
        let mut raw = good.clone();
        change(&mut raw);
        raw.file().verify(size, &root).map(drop).unwrap_err()
    };
    for n in 0..5 {
        assert!(
            matches!(refused(&|raw| drop(raw.chain.remove(n))), RosterFileError::Chain(_)),
            "{n} left out"
        );
        let doubled = refused(&|raw| {
            let entry = raw.chain[n].clone();
            raw.chain.insert(n, entry);
        });
        assert!(matches!(doubled, RosterFileError::Chain(_)), "{n} doubled");
    }
    for n in 0..4 {
        assert!(matches!(refused(&|raw| raw.chain.swap(n, n + 1)), RosterFileError::Chain(_)));
    }
    assert!(matches!(refused(&|raw| raw.chain[4].0 = 5), RosterFileError::Chain(_)));
    assert!(matches!(
        refused(&|raw| raw.chain.push((7, Bytes(log.leaves()[7].clone())))),
        RosterFileError::Chain(9)
    ));
    assert!(matches!(
        refused(&|raw| raw.last = Bytes(log.leaves()[8].clone())),
        RosterFileError::Inclusion(_)
    ));
    assert!(matches!(refused(&|raw| raw.size = 9), RosterFileError::Size { got: 9, want: 10 }));
    assert!(matches!(refused(&|raw| raw.version = 2), RosterFileError::Version(2)));
    assert!(matches!(refused(&|raw| raw.chain[2].1.0.clear()), RosterFileError::Entry { index: 2, .. }));
}

#[test]
fn a_proof_under_a_made_up_key_is_refused_by_policy_or_by_the_pinned_id() {
    let log = model();
    // Made-up partners under a made-up checkpoint key: the policy refuses it.
    let mut theirs = SmallLog::founded_with(|found| {
        found.charter.partners.retain(|p| p.handle.as_str() == "de");
        found.charter.partners[0].keys = replaced_set("made up").digest(&found.charter.partners[0].handle);
        found.charter.rules.incident_quorum.count = 1;
    });
    theirs.push_entry(&made_up_accede(&theirs));
    assert_eq!(theirs.findings(), []);
    let statement = theirs.draft("de", a_pledge());
    theirs
        .push_entry(&theirs.sequence(&statement, theirs.sign_as(&statement, &[(0, "made up"), (1, "de/1")])));
    let published = Published::of(&theirs);
    let note = Checkpoint::new(ORIGIN, 3, theirs.root()).unwrap().sign(&key("made up too"));
    let proof = TlogProof { checkpoint: note, ..published.proof(2) };
    assert!(proof.verify(&theirs.hashes()[2], &log.policy(false)).is_err());
    // Under the log's own key, an operator who made it up: proof and roster file hold together, and are another log's.
    let proof = published.proof(2);
    assert!(proof.verify(&theirs.hashes()[2], &log.policy(false)).is_ok());
    let refused = published.judged(&published.roster(), 2, log.log_id());
    assert!(matches!(refused, Err(RosterFileError::OtherLog { .. })));
    // With the roster file of the real log it does not even get that far.
    let (size, root) = (published.checkpoint.size(), published.checkpoint.root());
    assert!(Published::of(&log).roster().verify(size, &root).is_err());
    let real = Published::of(&log.cut(3)).roster();
    assert!(matches!(real.verify(size, &root), Err(RosterFileError::Inclusion(_))));
}

fn replaced_set(new: &str) -> servanda::charter::KeySet {
    let mut keys = key_set("de");
    keys.officers[0] = officer(new, &[Class::Govern, Class::Commit]);
    keys
}

fn made_up_accede(log: &SmallLog) -> servanda::entry::Entry {
    let act = Act::Accede(servanda::statement::body::Accede {
        keys: replaced_set("made up"),
        reservations: None,
        annexes: List::default(),
    });
    let s = log.draft("de", act);
    log.sequence(&s, log.sign_as(&s, &[(0, "made up"), (1, "de/1"), (2, "de/2"), (3, "de/3")]))
}

/// A log whose operator sequenced a rotation that de never signed, and points at it ever after.
fn usurped() -> SmallLog {
    let mut log = model();
    let rotation = log.draft("de", Act::Rotate(Rotate { keys: replaced_set("usurper") }));
    let signers = [(1, "usurper"), (2, "usurper"), (128, "usurper")];
    log.push_entry(&log.sequence(&rotation, log.sign_as(&rotation, &signers)));
    let pointer = Pointer { index: 10, leaf: log.hashes()[10] };
    let statement = log.draft("de", a_pledge());
    let signatures = log.sign_as(&statement, &[(0, "usurper"), (1, "de/1")]);
    log.push_entry(&servanda::entry::Entry { roster: pointer, ..log.sequence(&statement, signatures) });
    log
}

#[test]
fn a_key_that_the_operator_made_up_on_the_way_is_told_by_the_roster_file() {
    let log = usurped();
    let published = Published::of(&log);
    let refused = published.judged(&published.roster(), 11, log.log_id());
    let Err(RosterFileError::Unauthentic { index: 10, reason }) = refused else { panic!("{refused:?}") };
    assert_eq!(reason.code(), "bad-signature");
    // The same with more behind it.
    let mut log = log;
    let statement = log.draft("pl", a_pledge());
    let pointer = Pointer { index: 10, leaf: log.hashes()[10] };
    log.push_entry(&servanda::entry::Entry {
        roster: pointer,
        ..log.sequence(&statement, log.sign(&statement))
    });
    let published = Published::of(&log);
    let refused = published.judged(&published.roster(), 12, log.log_id());
    assert!(matches!(refused, Err(RosterFileError::Unauthentic { index: 10, .. })));
}

#[test]
fn a_pointer_at_an_entry_of_another_class_is_no_link_of_the_chain() {
    let mut log = model();
    let pointer = Pointer { index: 9, leaf: log.hashes()[9] };
    let statement = log.draft("pl", a_pledge());
    let signatures = log.sign(&statement);
    log.push_entry(&servanda::entry::Entry { roster: pointer, ..log.sequence(&statement, signatures) });
    let published = Published::of(&log);
    let refused = published.roster().verify(published.checkpoint.size(), &published.checkpoint.root());
    assert!(matches!(refused.map(drop), Err(RosterFileError::Chain(10))));
}

#[test]
fn a_replaced_key_passes_only_where_the_operator_lies_in_a_pointer() {
    let mut log = model();
    // de/0 was replaced at entry 6; the thief's entry points before that.
    let before = Pointer { index: 3, leaf: log.hashes()[3] };
    let statement = log.draft("de", a_pledge());
    let signatures = log.sign_as(&statement, &[(0, "de/0"), (1, "de/1")]);
    let thiefs = servanda::entry::Entry { roster: before, ..log.sequence(&statement, signatures) };
    let found = log.push_entry(&thiefs);
    assert_eq!(codes(&found), ["bad-signature", "roster-pointer"], "full verification");
    // As the log's last entry, its pointer is where the roster file begins: there the old key is in force.
    let published = Published::of(&log);
    let judged = published.judged(&published.roster(), 10, log.log_id()).unwrap();
    assert_eq!(reasons(&judged), [""; 0], "the lie, by itself, is not seen offline");
    // Once another entry stands behind it, the chain shows the rotation, and the lie.
    log.say("ua", review(1));
    let published = Published::of(&log);
    let judged = published.judged(&published.roster(), 10, log.log_id()).unwrap();
    assert_eq!(reasons(&judged), ["bad-signature", "roster-pointer"]);
}
