//! A broken promise: the operator's signed word that an entry will stand at an index, and a checkpoint with another there.
//!
//! A promise counts under the operator's key set in force before its index, by the chain of the checkpoint that it is held
//! against: what a key signed that had been replaced by then accuses nobody. A promise that is merely not kept yet is a
//! matter of availability, and no evidence.

use super::{Accused, Claim, Evidence, EvidenceError, Leaf, Signed, Trial, roster};
use crate::client::ReadError;
use crate::field::Handle;
use crate::hash::leaf_hash;
use crate::key::vkey::Vkey;
use crate::promise::Promise;
use serde::{Deserialize, Serialize};

/// A promise, and what stands in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenPromise {
    promise: Promise,
    /// With its roster file.
    signed: Signed,
    /// The leaf at the promised index.
    leaf: Leaf,
}

impl BrokenPromise {
    pub(super) fn check(&self, trial: &Trial) -> Result<(Vkey, String), EvidenceError> {
        let (promise, leaf) = (&self.promise, &self.leaf);
        let index = promise.index;
        if promise.log != trial.log {
            return Err(EvidenceError::OtherLog { got: promise.log, want: trial.log });
        }
        let opened = self.signed.open(trial, Some(index))?;
        let chain = opened.chain.as_ref().ok_or(EvidenceError::NoRoster)?;
        let roster = roster(chain, index, trial)?;
        let operator = roster.keys(&Handle::operator()).ok_or(EvidenceError::NoRoster)?;
        promise.check(operator)?;
        opened.includes(index, &leaf.hash, &leaf.path)?;
        let promised = leaf_hash(&promise.entry);
        if promised == leaf.hash {
            return Err(EvidenceError::Nothing);
        }
        let (promised, published) = (promised.short(), leaf.hash.short());
        let what = format!("promised {promised} as entry {index}, and published {published} there");
        Ok((opened.key(), what))
    }
}

impl Accused<'_> {
    /// Evidence that the log holds another entry than was promised. None where it holds the promised one, or none yet at
    /// that index.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn broken_promise(&mut self, promise: &Promise) -> Result<Option<Evidence>, ReadError> {
        if promise.index >= self.checkpoint.size() {
            return Ok(None);
        }
        let (leaf, roster) = (self.leaf(promise.index)?, self.roster()?);
        let signed = Signed::new(self.checkpoint, roster);
        Ok(self.accuse(Claim::BrokenPromise(BrokenPromise { promise: promise.clone(), signed, leaf })))
    }
}
