//! A fault: an entry whose index, link or time is wrong, under a checkpoint of the operator that sequenced it.
//!
//! Entry i and, for link and time, entry i − 1 are shown to be in the log. Time may go back where a motion for a new
//! operator is carried, so an entry that may carry one is not held against anybody for its time.

use super::{Accused, Claim, Evidence, EvidenceError, Included, Signed, Trial, may_restart_time};
use crate::chain::Reason;
use crate::client::ReadError;
use crate::entry::SignedEntry;
use crate::hash::{ZEROS, leaf_hash};
use crate::key::vkey::Vkey;
use serde::{Deserialize, Serialize};

/// An entry, and the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    signed: Signed,
    index: u64,
    entry: Included,
    /// None for entry 0, and for it alone.
    before: Option<Included>,
}

impl Fault {
    pub(super) fn check(&self, trial: &Trial) -> Result<(Vkey, String), EvidenceError> {
        let index = self.index;
        let opened = self.signed.open(trial, Some(index))?;
        opened.includes(index, &leaf_hash(&self.entry.entry), &self.entry.path)?;
        let before = match (&self.before, index.checked_sub(1)) {
            (None, None) => None,
            (Some(included), Some(below)) => {
                opened.includes(below, &leaf_hash(&included.entry), &included.path)?;
                Some(included)
            }
            _ => return Err(EvidenceError::Nothing),
        };
        let e =
            SignedEntry::decode(&self.entry.entry).map_err(|error| EvidenceError::Entry { index, error })?;
        let reasons = reasons(index, &e, before);
        if reasons.is_empty() {
            return Err(EvidenceError::Nothing);
        }
        let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
        Ok((opened.key(), format!("sequenced entry {index}, which {}", reasons.join(", and "))))
    }
}

/// What is wrong with an entry, as far as the one before tells.
fn reasons(index: u64, e: &SignedEntry, before: Option<&Included>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if e.entry.index != index {
        reasons.push(Reason::Index { got: e.entry.index });
    }
    let want = before.map_or(ZEROS, |b| leaf_hash(&b.entry));
    if e.entry.link != want {
        reasons.push(Reason::Link { got: e.entry.link, want });
    }
    // Over an entry that does not decode, time goes on as if it were not there.
    if let Some(Ok(b)) = before.map(|b| SignedEntry::decode(&b.entry))
        && e.entry.sequenced_at < b.entry.sequenced_at
        && !may_restart_time(&e.statement)
    {
        reasons.push(Reason::TimeBack { at: e.entry.sequenced_at, before: b.entry.sequenced_at });
    }
    reasons
}

impl Accused<'_> {
    /// Evidence that the entry at an index, or its place after the one before, is wrong. None where it is not.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn fault(&mut self, index: u64) -> Result<Option<Evidence>, ReadError> {
        let entry = self.included(index)?;
        let before = index.checked_sub(1).map(|below| self.included(below)).transpose()?;
        let signed = Signed::new(self.checkpoint, None);
        Ok(self.accuse(Claim::Fault(Fault { signed, index, entry, before })))
    }
}
