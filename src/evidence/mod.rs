//! Evidence: files that convince a third party who pins the log's id, offline, that the operator did wrong.
//!
//! ```text
//! version 1 | statement 0, encoded | claim         under the label SERVANDA EVIDENCE (see `armor`)
//! claim = 0 fork | 1 broken promise | 2 fault | 3 admitted
//! signed = checkpoint, byte for byte | roster file under it, where the claim needs one
//! ```
//!
//! Each claim rests on what the operator signed and on nothing else: two things that conflict, or one checkpoint over a
//! bad entry. Statement 0 is the one whose id is pinned; the operator's checkpoint key follows from it, or, where a roster
//! file is given, from the chain of class 0 up to the entry in question. Below it stands nothing that a partner said: a
//! `seen` that does not fit the log is a finding, and evidence only together with the checkpoint that its author kept.
//!
//! What none of this can tell is whether the operator or a thief held the operator's keys.
//!
//! - [`fork`]: one key signed two histories;
//! - [`promise`]: a promise, and a checkpoint with another entry in its place;
//! - [`fault`]: an entry whose index, link, time or roster pointer is wrong, by itself or by the entry before; an anchor
//!   whose time is wrong by its witnesses;
//! - [`admitted`]: an entry that is unauthentic, or points at the wrong roster, as entry and roster chain alone show.

pub mod admitted;
pub mod fault;
pub mod fork;
pub mod promise;

use crate::checkpoint::{CheckpointError, SignedCheckpoint, VerifiedCheckpoint};
use crate::client::{Client, ReadError};
use crate::codec::{Bytes, List};
use crate::entry::{EntryError, SignedEntry};
use crate::field::{Class, Handle};
use crate::hash::{Hash, ZEROS};
use crate::key::vkey::{Kind as VkeyKind, Vkey};
use crate::merkle::verify::{ProofError, verify_inclusion};
use crate::policy::Policy;
use crate::promise::PromiseError;
use crate::proof::{Chain, MakeError, RosterFile, RosterFileError};
use crate::roster::{NotUnderstood, Roster};
use crate::statement::{self, Act, Kind, Statement};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version that this program writes and reads.
pub const VERSION: u8 = 1;

/// Misbehaviour of the operator, with all that it takes to see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    version: u8,
    /// Statement 0, encoded.
    founding: Bytes,
    /// What the operator did.
    claim: Claim,
}

/// What the operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "there is one of them at a time")]
pub enum Claim {
    /// It signed two histories.
    Fork(fork::Fork),
    /// It promised an entry, and published another.
    BrokenPromise(promise::BrokenPromise),
    /// It sequenced an entry wrongly.
    Fault(fault::Fault),
    /// It admitted an entry that does not count, or named the wrong roster.
    Admitted(admitted::Admitted),
}

/// A checkpoint as its operator signed it, and who was entitled to sign it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    note: Bytes,
    /// None: the founding key signed it, or in a fork the key that the roster beside the other checkpoint proves; and
    /// nothing else of the roster is needed.
    roster: Option<RosterFile>,
}

/// A leaf's hash, and its inclusion proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    hash: Hash,
    path: List<Hash>,
}

/// An entry, and its inclusion proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Included {
    entry: Bytes,
    path: List<Hash>,
}

/// The kinds of misbehaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misdeed {
    /// Two histories under one key.
    Fork,
    /// Another entry than was promised.
    BrokenPromise,
    /// Wrong index, link, time, an anchor's too, or a roster pointer that does not go on from the entry before.
    Fault,
    /// An entry let in that does not count, or a wrong roster pointer.
    Admitted,
}

impl fmt::Display for Misdeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fork => "fork",
            Self::BrokenPromise => "broken promise",
            Self::Fault => "operator's fault",
            Self::Admitted => "unauthentic entry admitted",
        })
    }
}

/// What evidence shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guilt {
    /// Who did it.
    pub who: Handle,
    /// The key that signed.
    pub key: Vkey,
    /// The log's id: evidence says something only to whom this is the log in question.
    pub log: Hash,
    /// The kind.
    pub kind: Misdeed,
    /// What was done, in a sentence whose subject is the operator.
    pub what: String,
}

/// Why evidence shows nothing, or cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A version that this program does not know.
    #[error("evidence of version {0}, this program knows version {VERSION}")]
    Version(u8),
    /// What should be statement 0 founds no log.
    #[error("its statement 0 founds no log")]
    Founding,
    /// It is about another log.
    #[error("it is about log {got}, the trust file pins {want}")]
    OtherLog {
        /// Which log it is about.
        got: Hash,
        /// The log pinned.
        want: Hash,
    },
    /// A checkpoint in it was not signed by the operator in force.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The roster file in it proves nothing.
    #[error(transparent)]
    Roster(#[from] RosterFileError),
    /// It needs a roster file, and has none.
    #[error("it has no roster file to judge by")]
    NoRoster,
    /// The roster goes beyond what this program understands.
    #[error("{0}")]
    NotUnderstood(NotUnderstood),
    /// The charter's level is above this program's, so that what looks wrong need not be.
    #[error("the log is of level {0}, which this program does not know")]
    Level(u16),
    /// Something is not shown to be in the log.
    #[error(transparent)]
    Inclusion(#[from] ProofError),
    /// What should be an entry is none.
    #[error("entry {index}: {error}")]
    Entry {
        /// The index.
        index: u64,
        /// What is wrong.
        error: EntryError,
    },
    /// The promise in it is none.
    #[error(transparent)]
    Promise(#[from] PromiseError),
    /// The two checkpoints bear different keys' signatures.
    #[error("two operators' keys signed the checkpoints: {0} and {1}")]
    TwoKeys(Box<Vkey>, Box<Vkey>),
    /// What it shows is in order.
    #[error("what it shows is in order, and holds nothing against the operator")]
    Nothing,
}

impl EvidenceError {
    /// Whether a later version of this program may find that it holds.
    #[must_use]
    pub fn is_not_understood(&self) -> bool {
        matches!(self, Self::Version(_) | Self::NotUnderstood(_) | Self::Level(_))
    }
}

/// Checks evidence against the log id that the verifier pins; without one, against whatever log it says it is about.
///
/// # Errors
/// [`EvidenceError`] says why it shows nothing, or cannot be checked.
pub fn check(evidence: &Evidence, pinned: Option<&Hash>) -> Result<Guilt, EvidenceError> {
    if evidence.version != VERSION {
        return Err(EvidenceError::Version(evidence.version));
    }
    let trial = Trial::open(&evidence.founding)?;
    if let Some(want) = pinned.filter(|want| **want != trial.log) {
        return Err(EvidenceError::OtherLog { got: trial.log, want: *want });
    }
    let (kind, (key, what)) = match &evidence.claim {
        Claim::Fork(fork) => (Misdeed::Fork, fork.check(&trial)?),
        Claim::BrokenPromise(broken) => (Misdeed::BrokenPromise, broken.check(&trial)?),
        Claim::Fault(fault) => (Misdeed::Fault, fault.check(&trial)?),
        Claim::Admitted(admitted) => (Misdeed::Admitted, admitted.check(&trial)?),
    };
    Ok(Guilt { who: Handle::operator(), key, log: trial.log, kind, what })
}

/// What follows from statement 0.
struct Trial {
    log: Hash,
    vkey: Vkey,
}

impl Trial {
    fn open(founding: &[u8]) -> Result<Self, EvidenceError> {
        let no = EvidenceError::Founding;
        let Ok(s) = Statement::decode(founding) else { return Err(no) };
        let Ok(Act::Found(found)) = s.act() else { return Err(no) };
        let Ok(vkey) = found.vkey.parse::<Vkey>() else { return Err(no) };
        let named = vkey.name() == found.charter.origin.as_str() && vkey.kind() == VkeyKind::Log;
        if !named || s.log != ZEROS || !s.author.is_operator() {
            return Err(no);
        }
        Ok(Self { log: statement::id(founding), vkey })
    }
}

/// A checkpoint that the operator in force signed, with the roster chain under it.
struct Opened {
    checkpoint: VerifiedCheckpoint,
    chain: Option<Chain>,
}

impl Signed {
    fn new(checkpoint: &VerifiedCheckpoint, roster: Option<RosterFile>) -> Self {
        Self { note: Bytes(checkpoint.as_str().as_bytes().to_vec()), roster }
    }

    /// Verifies that the operator signed it who was in force at an index, or else at the checkpoint's end.
    fn open(&self, trial: &Trial, index: Option<u64>) -> Result<Opened, EvidenceError> {
        let signed = SignedCheckpoint::parse(&self.note)?;
        let claim = signed.claim();
        // Read under a root that nobody vouches for yet: the signature below is over it.
        let chain = self.roster.as_ref().map(|r| r.verify(claim.size, &claim.root)).transpose()?;
        let vkey = match &chain {
            None => trial.vkey.clone(),
            Some(chain) => roster(chain, index.unwrap_or(claim.size), trial)?.vkey,
        };
        Ok(Opened { checkpoint: self.signed_by(vkey)?, chain })
    }

    /// Verifies that a key signed it.
    fn signed_by(&self, vkey: Vkey) -> Result<VerifiedCheckpoint, EvidenceError> {
        let policy = Policy::of(&[vkey], &[], None).expect("a log's key is one");
        Ok(SignedCheckpoint::parse(&self.note)?.open(&policy)?)
    }
}

/// The roster before an index, if this program can tell.
fn roster(chain: &Chain, index: u64, trial: &Trial) -> Result<Roster, EvidenceError> {
    let roster = chain.roster_before(index, Some(&trial.log))?;
    match roster.unknown {
        Some(unknown) => Err(EvidenceError::NotUnderstood(unknown)),
        None => Ok(roster),
    }
}

impl Opened {
    /// Verifies that a leaf is in the tree.
    fn includes(&self, index: u64, leaf: &Hash, path: &[Hash]) -> Result<(), EvidenceError> {
        let (size, root) = (self.checkpoint.size(), self.checkpoint.root());
        Ok(verify_inclusion(index, size, leaf, path, &root)?)
    }

    fn key(&self) -> Vkey {
        self.checkpoint.log().clone()
    }
}

/// A log under a checkpoint that its operator signed, to take evidence from.
pub struct Accused<'a> {
    checkpoint: &'a VerifiedCheckpoint,
    client: Client<'a>,
    founding: Bytes,
    /// Made when it is first needed; none where it cannot be made.
    roster: Option<Option<RosterFile>>,
}

impl<'a> Accused<'a> {
    /// Takes a log under a verified checkpoint. One whose entry 0 is none gives no evidence.
    ///
    /// # Errors
    /// When entry 0 cannot be read.
    pub fn new(checkpoint: &'a VerifiedCheckpoint, mut client: Client<'a>) -> Result<Self, ReadError> {
        let entry = SignedEntry::decode(&client.entry(0)?);
        let founding = entry.map_or_else(|_| Bytes::default(), |e| e.entry.statement);
        Ok(Self { checkpoint, client, founding, roster: None })
    }

    /// The checkpoint, to be held against its operator; where a later operator than the founding one signed it, with the
    /// roster file that shows who that is.
    fn signed(&mut self) -> Result<Signed, ReadError> {
        let founded = Trial::open(&self.founding).is_ok_and(|trial| trial.vkey == *self.checkpoint.log());
        let roster = if founded { None } else { self.roster()? };
        Ok(Signed::new(self.checkpoint, roster))
    }

    /// The roster file under the checkpoint; none where the log's end gives none.
    fn roster(&mut self) -> Result<Option<RosterFile>, ReadError> {
        if self.roster.is_none() {
            self.roster = Some(match RosterFile::make(&mut self.client) {
                Ok(roster) => Some(roster),
                Err(MakeError::Read(error)) => return Err(error),
                Err(_) => None,
            });
        }
        Ok(self.roster.clone().flatten())
    }

    fn leaf(&mut self, index: u64) -> Result<Leaf, ReadError> {
        Ok(Leaf { hash: self.client.leaf_hash(index)?, path: List(self.client.inclusion_proof(index)?) })
    }

    fn included(&mut self, index: u64) -> Result<Included, ReadError> {
        let entry = Bytes(self.client.entry(index)?);
        Ok(Included { entry, path: List(self.client.inclusion_proof(index)?) })
    }

    /// Evidence that holds; none where it shows nothing.
    fn accuse(&self, claim: Claim) -> Option<Evidence> {
        let evidence = Evidence { version: VERSION, founding: self.founding.clone(), claim };
        check(&evidence, None).is_ok().then_some(evidence)
    }

    /// Evidence about the entry at an index, where entry, entry before and roster chain alone show that the operator did
    /// wrong, or the entry is an anchor of another history.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn at(&mut self, index: u64) -> Result<Option<Evidence>, ReadError> {
        let fault = self.fault(index)?;
        let found = if fault.is_some() { fault } else { self.forked_anchor(index)? };
        if found.is_some() { Ok(found) } else { self.admitted(index) }
    }
}

/// Whether a statement may complete a motion for a new operator, which starts the log's time anew: any act of class 0 but
/// those that only carry keys.
fn may_restart_time(s: &Statement) -> bool {
    s.class() == Class::Govern && s.kind > Kind::Rotate.number()
}
