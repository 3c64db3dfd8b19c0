//! Proving a single statement offline: who was entitled to sign, by the roster that the operator declared.
//!
//! A proof is a c2sp.org/tlog-proof with the entry in its `extra` line. Beside it goes a [`RosterFile`], one for all
//! proofs under one checkpoint of size n: entry n − 1 with its inclusion proof, and the entries of class 0 that its
//! roster pointer leads back to, down to entry 0, whose statement's id the verifier pins. The pointer of entry i must be
//! the last entry of class 0 below i in that chain.
//!
//! What this says: "signed by …, officers of … by the roster that the operator declared; entry i of the log". It never
//! says "in force"; and only full verification excludes a skipped entry, a repeated `seq`, a wrong `prev` or `seen`.

use crate::chain::Reason;
use crate::checkpoint::Claim;
use crate::client::{Client, ReadError};
use crate::codec::{Bytes, List};
use crate::entry::{EntryError, Pointer, SignedEntry};
use crate::field::Class;
use crate::hash::{Hash, leaf_hash};
use crate::history::counts;
use crate::key::vkey::Vkey;
use crate::merkle::verify::{ProofError, verify_inclusion};
use crate::policy::Policy;
use crate::roster::Roster;
use crate::store::Read;
use crate::text::count;
use crate::tlog_proof::TlogProof;
use serde::{Deserialize, Serialize};

/// Who may sign, provable under one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterFile {
    version: u8,
    /// The size of the checkpoint.
    pub size: u64,
    /// Entry `size − 1`.
    last: Bytes,
    /// Its inclusion proof.
    path: List<Hash>,
    /// The entries of class 0 before it that the pointers lead to, from entry 0 on, with their indexes.
    chain: List<(u64, Bytes)>,
}

/// Why a roster file proves no roster.
#[derive(Debug, thiserror::Error)]
pub enum RosterFileError {
    /// A version that this program does not know.
    #[error("roster file of version {0}, this program knows version 1")]
    Version(u8),
    /// It belongs to another checkpoint.
    #[error("the roster file is for a checkpoint of {}, the proof is under one of {want}", count(.got, "entry", "entries"))]
    Size {
        /// The roster file's size.
        got: u64,
        /// The checkpoint's size.
        want: u64,
    },
    /// Its last entry is not in the log.
    #[error("the roster file's last entry: {0}")]
    Inclusion(#[from] ProofError),
    /// An entry in it does not decode.
    #[error("the roster file holds no entry at index {index}: {error}")]
    Entry {
        /// The index that it should have.
        index: u64,
        /// What is wrong.
        error: EntryError,
    },
    /// The pointers do not lead from one entry to the next.
    #[error("the roster file's chain breaks below entry {0}")]
    Chain(u64),
    /// Entry 0 founds no log.
    #[error("entry 0 founds no log")]
    NoFounding,
    /// Entry 0 founds another log.
    #[error("the roster is that of log {got}, the trust file pins {want}")]
    OtherLog {
        /// The log founded by entry 0.
        got: Hash,
        /// The log pinned.
        want: Hash,
    },
    /// The operator's chain of class 0 holds an entry that does not count: evidence against it.
    #[error("entry {index} of the roster's chain does not count: it {reason}")]
    Unauthentic {
        /// Its index.
        index: u64,
        /// Why.
        reason: Reason,
    },
}

impl RosterFile {
    /// Makes the roster file of a log's checkpoint.
    ///
    /// # Errors
    /// When entries cannot be read, or the last one or one that is pointed at is none.
    pub fn make(client: &mut Client<'_>) -> Result<Self, MakeError> {
        let size = client.size();
        let index = size.checked_sub(1).ok_or(MakeError::Empty)?;
        let last = client.entry(index)?;
        let path = client.inclusion_proof(index)?;
        let mut chain = Vec::new();
        let (mut at, mut bytes) = (index, last.clone());
        while at > 0 {
            let entry = SignedEntry::decode(&bytes).map_err(|_| MakeError::NoEntry(at))?.entry;
            if entry.roster.index >= at {
                return Err(MakeError::Pointer(at));
            }
            at = entry.roster.index;
            bytes = client.entry(at)?;
            chain.push((at, Bytes(bytes.clone())));
        }
        chain.reverse();
        Ok(Self { version: 1, size, last: Bytes(last), path: List(path), chain: List(chain) })
    }

    /// Proves the chain under a verified root, and gives its entries of class 0 with their indexes, entry 0 first.
    ///
    /// # Errors
    /// [`RosterFileError`] says where it breaks.
    pub fn verify(&self, size: u64, root: &Hash) -> Result<Chain, RosterFileError> {
        if self.version != 1 {
            return Err(RosterFileError::Version(self.version));
        }
        if self.size != size {
            return Err(RosterFileError::Size { got: self.size, want: size });
        }
        let index = size.checked_sub(1).ok_or(RosterFileError::NoFounding)?;
        verify_inclusion(index, size, &leaf_hash(&self.last), &self.path, root)?;
        let decode = |index, bytes: &[u8]| {
            SignedEntry::decode(bytes).map_err(|error| RosterFileError::Entry { index, error })
        };
        let last = decode(index, &self.last)?;
        let mut entries = Vec::new();
        let mut above = (index, last.entry.roster);
        for (at, bytes) in self.chain.iter().rev() {
            let e = decode(*at, bytes)?;
            let (below, want) = above;
            let fits = want == (Pointer { index: *at, leaf: e.leaf }) && *at < below;
            if !fits || e.statement.class() != Class::Govern {
                return Err(RosterFileError::Chain(below));
            }
            above = (*at, e.entry.roster);
            entries.push((*at, e));
        }
        entries.reverse();
        if above.0 != 0 {
            return Err(RosterFileError::Chain(above.0));
        }
        if last.statement.class() == Class::Govern {
            entries.push((index, last));
        }
        Ok(Chain { entries, end: index })
    }
}

/// Why a roster file cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// A log without entries has no roster.
    #[error("the log has no entries")]
    Empty,
    /// Entries could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An entry that is pointed at, or the last, is none.
    #[error("entry {0} does not decode, so the roster cannot be followed from it")]
    NoEntry(u64),
    /// A pointer that does not point back.
    #[error("entry {0} does not point back")]
    Pointer(u64),
}

/// The entries of class 0 of a log, proved to be what the operator declared. Only [`RosterFile::verify`] makes one.
#[derive(Clone, Debug)]
pub struct Chain {
    entries: Vec<(u64, SignedEntry)>,
    /// The index of the log's last entry, which is in nobody's pointer.
    end: u64,
}

impl Chain {
    /// The last entry of class 0 below an index.
    #[must_use]
    pub fn pointer_below(&self, index: u64) -> Option<Pointer> {
        let last = self.entries.iter().rev().find(|(at, _)| *at < index)?;
        Some(Pointer { index: last.0, leaf: last.1.leaf })
    }

    /// The roster that stands before entry `index`; from where it is [`unknown`](Roster::unknown) on, as it was there.
    ///
    /// # Errors
    /// When entry 0 founds no log or another one, or an entry does not count.
    pub fn roster_before(&self, index: u64, pinned: Option<&Hash>) -> Result<Roster, RosterFileError> {
        let mut entries = self.entries.iter();
        let (_, first) = entries.next().ok_or(RosterFileError::NoFounding)?;
        let mut roster = Roster::found(first).map_err(|_| RosterFileError::NoFounding)?;
        if let Some(want) = pinned.filter(|want| **want != roster.log) {
            return Err(RosterFileError::OtherLog { got: roster.log, want: *want });
        }
        for (at, e) in entries.take_while(|(at, _)| *at < index) {
            if roster.unknown.is_some() {
                // Nothing from here on can be judged.
                break;
            }
            let mut reasons = roster.govern(*at, e).into_iter();
            let reason = reasons.find(|r| !counts(std::slice::from_ref(r)));
            // The last entry of a log may be one that does not count.
            if let Some(reason) = reason.filter(|_| *at != self.end) {
                return Err(RosterFileError::Unauthentic { index: *at, reason });
            }
        }
        Ok(roster)
    }

    /// The entry of class 0 at an index.
    #[must_use]
    pub fn at(&self, index: u64) -> Option<&SignedEntry> {
        self.entries.iter().find(|(at, _)| *at == index).map(|(_, e)| e)
    }
}

/// What a proof says about an entry.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What is wrong with the entry, as far as it and the roster tell.
    pub reasons: Vec<Reason>,
    /// The roster that stood before it.
    pub roster: Roster,
}

/// Judges entry `index` by a proved chain: its pointer, its signatures, its own expiry, and whether it is void by what it
/// says alone.
///
/// # Errors
/// When the chain gives no roster there.
pub fn judge(
    chain: &Chain,
    index: u64,
    e: &SignedEntry,
    pinned: Option<&Hash>,
) -> Result<Judged, RosterFileError> {
    if index == 0 {
        let roster = chain.roster_before(1, pinned)?;
        let reasons = Roster::found(e).err().into_iter().collect();
        return Ok(Judged { reasons, roster });
    }
    let roster = chain.roster_before(index, pinned)?;
    let want = chain.pointer_below(index).unwrap_or_default();
    let mut reasons = roster.alone(index, e).reasons;
    if e.statement.class() != Class::Govern && e.entry.roster != want {
        reasons.push(Reason::Pointer { got: e.entry.roster, want });
    }
    if e.entry.index != index {
        reasons.push(Reason::Index { got: e.entry.index });
    }
    Ok(Judged { reasons, roster })
}

/// The policy to open a checkpoint of a log by: the verifier's, whose `log` line is the founding key; and beside it the
/// keys of later operators, where the checkpoint names an origin that only one of them can have. These are learnt by the
/// roster chain from the last entry, read under a root that nobody vouches for yet: the signature, checked last, is over
/// it. The chain must lead to the log that is pinned, or else to a founding key of the policy.
///
/// Where the log shows no such operator, it is the verifier's policy alone.
///
/// # Errors
/// When the storage fails.
pub fn policy_for(
    store: &dyn Read,
    claim: Claim<'_>,
    policy: &Policy,
    pinned: Option<&Hash>,
) -> Result<Policy, ReadError> {
    if policy.logs().iter().any(|log| log.vkey.name() == claim.origin) {
        return Ok(policy.clone());
    }
    let roster = understood_roster(store, claim, pinned)?;
    let founded = |vkey: &Vkey| pinned.is_some() || policy.logs().iter().any(|log| log.vkey == *vkey);
    let all = roster.filter(|r| r.unknown.is_none() && founded(&r.vkeys[0].1)).and_then(|r| {
        let ours = policy.logs().iter().map(|log| log.vkey.clone());
        let theirs = r.vkeys.iter().map(|(_, vkey)| vkey.clone());
        let others: Vec<_> = theirs.filter(|vkey| ours.clone().all(|our| our != *vkey)).collect();
        policy.with_logs(ours.chain(others)).ok()
    });
    Ok(all.unwrap_or_else(|| policy.clone()))
}

/// From which size on the operator in office at a checkpoint's end, who signed it, is in force, where it came after the one of
/// another origin: then the partners carried its motion in the history under that checkpoint, which prevails over whatever
/// the one before shows, from where they part. None where that history does not say so.
///
/// The checkpoint must have been accepted under [`policy_for`] with the same pin.
///
/// # Errors
/// When the storage fails.
pub fn succeeds(
    store: &dyn Read,
    claim: Claim<'_>,
    before: &str,
    pinned: Option<&Hash>,
) -> Result<Option<u64>, ReadError> {
    // Only where it can be: it takes reading the log.
    if claim.origin == before {
        return Ok(None);
    }
    let roster = understood_roster(store, claim, pinned)?.filter(|roster| roster.unknown.is_none());
    let Some(roster) = roster else { return Ok(None) };
    let place = |origin: &str| roster.vkeys.iter().position(|(_, vkey)| vkey.name() == origin);
    let (Some(one), Some(two)) = (place(before), place(claim.origin)) else { return Ok(None) };
    let is_in_office = roster.vkey.name() == claim.origin;
    Ok((one < two && is_in_office).then(|| roster.vkeys[two].0))
}

/// The key of the operator in office at a checkpoint's end, as the log under it declares; none where that cannot be told.
///
/// # Errors
/// When the storage fails.
pub fn key_in_office(
    store: &dyn Read,
    claim: Claim<'_>,
    pinned: Option<&Hash>,
) -> Result<Option<Vkey>, ReadError> {
    let roster = understood_roster(store, claim, pinned)?;
    Ok(roster.filter(|roster| roster.unknown.is_none()).map(|roster| roster.vkey))
}

/// The roster at a checkpoint's end; none where the log gives none, for whichever reason but that it cannot be read.
fn understood_roster(
    store: &dyn Read,
    claim: Claim<'_>,
    pinned: Option<&Hash>,
) -> Result<Option<Roster>, ReadError> {
    match declared_roster(store, claim, pinned) {
        Err(error) if !error.is_tampering() => Err(error),
        roster => Ok(roster.ok().flatten()),
    }
}

/// The roster at a checkpoint's end, as the log under it declares.
fn declared_roster(
    store: &dyn Read,
    claim: Claim<'_>,
    pinned: Option<&Hash>,
) -> Result<Option<Roster>, ReadError> {
    let mut client = Client::open(store, claim.size, claim.root)?;
    let file = match RosterFile::make(&mut client) {
        Err(MakeError::Read(error)) => return Err(error),
        file => file.ok(),
    };
    let chain = file.and_then(|file| file.verify(claim.size, &claim.root).ok());
    Ok(chain.and_then(|chain| chain.roster_before(claim.size, pinned).ok()))
}

/// Makes the proof of an entry under a signed checkpoint, the entry in it.
///
/// # Errors
/// When the entry cannot be read.
pub fn prove(client: &mut Client<'_>, index: u64, checkpoint: &str) -> Result<TlogProof, ReadError> {
    Ok(TlogProof {
        extra: Some(client.entry(index)?),
        index,
        path: client.inclusion_proof(index)?,
        checkpoint: checkpoint.to_owned(),
    })
}
