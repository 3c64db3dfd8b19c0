//! A fork: one operator's key signed two histories.
//!
//! Two checkpoints conflict in one of three ways: they have one size and different roots; they have different leaves at
//! one index, each with its inclusion proof; or the larger one's tree, as a consistency proof shows, had another root at
//! the smaller one's size. The last needs the larger log alone: who kept a checkpoint can hold it against any later one, and so
//! can anyone with one that the operator itself put into the log, as an anchor.
//!
//! Of a later operator than the founding one, a roster file under one of the two shows who that is, and from which size on
//! its key signs: what it signs below that is held against nobody.

use super::{Accused, Claim, Evidence, EvidenceError, Leaf, Opened, Signed, Trial};
use crate::checkpoint::{self, VerifiedCheckpoint};
use crate::client::ReadError;
use crate::codec::List;
use crate::entry::SignedEntry;
use crate::hash::Hash;
use crate::key::vkey::Vkey;
use crate::merkle::verify::verify_consistency;
use crate::policy::Policy;
use crate::proof::RosterFile;
use crate::roster::anchor::anchor;
use crate::text::count;
use serde::{Deserialize, Serialize};

/// Two checkpoints that one history cannot have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    one: Signed,
    other: Signed,
    conflict: Conflict,
}

/// Where they conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Conflict {
    /// One size, two roots.
    Roots,
    /// One index, two leaves.
    Leaves { index: u64, one: Leaf, other: Leaf },
    /// At the size of `one`, the tree of `other` had this root, by the consistency proof.
    Prefix { root: Hash, path: List<Hash> },
}

impl Fork {
    pub(super) fn check(&self, trial: &Trial) -> Result<(Vkey, String), EvidenceError> {
        let (one, other) = self.open(trial)?;
        if one.checkpoint.log() != other.checkpoint.log() {
            return Err(EvidenceError::TwoKeys(Box::new(one.key()), Box::new(other.key())));
        }
        let (a, b) = (&one.checkpoint, &other.checkpoint);
        let two = format!(
            "signed two histories, one of {} and one of {}",
            a.size(),
            count(b.size(), "entry", "entries")
        );
        let what = match &self.conflict {
            Conflict::Roots if a.size() == b.size() && a.root() != b.root() => {
                format!("{two}, with roots {} and {}", a.root().short(), b.root().short())
            }
            Conflict::Leaves { index, one: l, other: r } if l.hash != r.hash => {
                one.includes(*index, &l.hash, &l.path)?;
                other.includes(*index, &r.hash, &r.path)?;
                format!("{two}, with different entries {index}: {} and {}", l.hash.short(), r.hash.short())
            }
            Conflict::Prefix { root, path } if *root != a.root() => {
                verify_consistency(a.size(), b.size(), root, &b.root(), path)?;
                format!(
                    "{two}, whose first {}: their root is {} in one and {} in the other",
                    count(a.size(), "entry differs", "entries differ"),
                    a.root().short(),
                    root.short()
                )
            }
            _ => return Err(EvidenceError::Nothing),
        };
        Ok((one.key(), what))
    }

    /// Opens both: each as its operator's, or, without a roster of its own, by the key that the other's roster proves.
    fn open(&self, trial: &Trial) -> Result<(Opened, Opened), EvidenceError> {
        match (&self.one.roster, &self.other.roster) {
            (None, Some(_)) => {
                let other = self.other.open(trial, None)?;
                Ok((beside(&self.one, &other, trial)?, other))
            }
            (Some(_), None) => {
                let one = self.one.open(trial, None)?;
                let other = beside(&self.other, &one, trial)?;
                Ok((one, other))
            }
            _ => Ok((self.one.open(trial, None)?, self.other.open(trial, None)?)),
        }
    }
}

/// Opens a checkpoint by the key of another's operator, of a size at which that key was in force.
fn beside(signed: &Signed, other: &Opened, trial: &Trial) -> Result<Opened, EvidenceError> {
    let key = other.key();
    let checkpoint = match signed.signed_by(key.clone()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => match signed.open(trial, None) {
            Ok(founding) => return Err(EvidenceError::TwoKeys(Box::new(founding.key()), Box::new(key))),
            Err(_) => return Err(error),
        },
    };
    if let Some(chain) = &other.chain {
        let roster = super::roster(chain, other.checkpoint.size(), trial)?;
        let from = roster.vkeys.iter().find(|(_, vkey)| *vkey == key).map_or(u64::MAX, |(from, _)| *from);
        if checkpoint.size() < from {
            return Err(EvidenceError::Nothing);
        }
    }
    Ok(Opened { checkpoint, chain: None })
}

impl Accused<'_> {
    /// The first index at which this log and another differ; none where one is the beginning of the other.
    ///
    /// # Errors
    /// When either log cannot be read.
    pub fn parts_from(&mut self, other: &mut Accused<'_>) -> Result<Option<u64>, ReadError> {
        let common = self.checkpoint.size().min(other.checkpoint.size());
        let mut same = |size| Ok::<_, ReadError>(self.client.root_at(size)? == other.client.root_at(size)?);
        if same(common)? {
            return Ok(None);
        }
        // The roots of the first `low` leaves are the same, those of the first `high` are not.
        let (mut low, mut high) = (0, common);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if same(middle)? { low = middle } else { high = middle }
        }
        Ok(Some(low))
    }

    /// Evidence that this log and another, each under a checkpoint of the same operator, differ; at the first index where
    /// they do. None where one is the beginning of the other.
    ///
    /// # Errors
    /// When either log cannot be read.
    pub fn fork_with(&mut self, other: &mut Accused<'_>) -> Result<Option<Evidence>, ReadError> {
        let Some(index) = self.parts_from(other)? else { return Ok(None) };
        let conflict = Conflict::Leaves { index, one: self.leaf(index)?, other: other.leaf(index)? };
        let (one, other) = (self.signed()?, other.signed()?);
        Ok(self.accuse(Claim::Fork(Fork { one, other, conflict })))
    }

    /// Evidence that this log does not contain what a checkpoint of the same operator says. None where it does, or where
    /// the checkpoint is of a larger size: then it takes the log that it is of.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn contradicts(&mut self, kept: &VerifiedCheckpoint) -> Result<Option<Evidence>, ReadError> {
        let (size, now) = (kept.size(), self.checkpoint.size());
        let conflict = if size == now {
            Conflict::Roots
        } else if size == 0 || size > now {
            return Ok(None);
        } else {
            let path = List(self.client.consistency_proof(size)?);
            Conflict::Prefix { root: self.client.root_at(size)?, path }
        };
        let (one, other) = (Signed::new(kept, None), self.signed()?);
        Ok(self.accuse(Claim::Fork(Fork { one, other, conflict })))
    }

    /// Evidence that the anchor at an index, if there is one, is of another history than the log that it stands in, both
    /// signed by the operator of this checkpoint. None where it is not.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn forked_anchor(&mut self, index: u64) -> Result<Option<Evidence>, ReadError> {
        let entry = self.client.entry(index)?;
        let kept = anchored(&entry, self.checkpoint.log());
        kept.map_or(Ok(None), |kept| self.contradicts(&kept))
    }
}

/// The checkpoint in an anchor, where this key signed it.
fn anchored(entry: &[u8], key: &Vkey) -> Option<VerifiedCheckpoint> {
    let e = SignedEntry::decode(entry).ok()?;
    let policy = Policy::of(std::slice::from_ref(key), &[], None).ok()?;
    checkpoint::open(&anchor(&e)?.checkpoint, &policy).ok()
}

/// Evidence that two checkpoints of one operator have one size and different roots; `founding` is statement 0. Of a later
/// operator than the founding one it takes a roster file under either.
///
/// # Errors
/// When there is no such conflict, or statement 0 founds no log.
pub fn of_checkpoints(
    founding: &[u8],
    one: &VerifiedCheckpoint,
    other: &VerifiedCheckpoint,
    roster: Option<&RosterFile>,
) -> Result<Evidence, EvidenceError> {
    let founded = Trial::open(founding)?.vkey == *one.log();
    let under = |c: &VerifiedCheckpoint| {
        roster.filter(|r| !founded && r.verify(c.size(), &c.root()).is_ok()).cloned()
    };
    let (one, other) = (Signed::new(one, under(one)), Signed::new(other, under(other)));
    let fork = Fork { one, other, conflict: Conflict::Roots };
    let founding = crate::codec::Bytes(founding.to_vec());
    let evidence = Evidence { version: super::VERSION, founding, claim: Claim::Fork(fork) };
    super::check(&evidence, None).map(|_| evidence)
}
