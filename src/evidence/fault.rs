//! A fault: an entry whose index, link, time or roster pointer is wrong, or an anchor whose time is, under a checkpoint of
//! the operator that sequenced it.
//!
//! Entry i and entry i − 1 are shown to be in the log; of the founding operator, no roster is needed. Time may go back
//! where a motion for a new operator is carried, so an entry that may carry one is not held against anybody for its time.
//!
//! A pointer goes on from one entry to the next: behind an entry of class 0 it names that one, behind any other it is the
//! same. An operator that hides an entry of class 0 from all roster files breaks this once, where the hiding begins, and
//! may be consistent ever after. Should the entry of class 0 that is passed over not count, its operator let it in.
//!
//! An anchor holds what its witnesses signed, and the roster file says whom the rules name: that its own time is far from
//! theirs is shown without a word by anybody else. That it is void is a finding, and no evidence.

use super::{Accused, Claim, Evidence, EvidenceError, Included, Opened, Signed, Trial, may_restart_time};
use crate::chain::Reason;
use crate::client::ReadError;
use crate::entry::{Pointer, SignedEntry};
use crate::field::Class;
use crate::hash::{ZEROS, leaf_hash};
use crate::key::vkey::Vkey;
use crate::roster::anchor::anchor;
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
        let mut wrong: Vec<_> = reasons(index, &e, before).iter().map(ToString::to_string).collect();
        if one_operator(&opened, index, trial)? {
            wrong.extend(pointer(index, &e, before));
        }
        wrong.extend(anchor_time(&opened, index, &e, trial)?.map(|reason| reason.to_string()));
        if wrong.is_empty() {
            return Err(EvidenceError::Nothing);
        }
        Ok((opened.key(), format!("sequenced entry {index}, which {}", wrong.join(", and "))))
    }
}

/// Whether the operator that signed was in force for the entry before as well: nobody answers for another's pointer.
fn one_operator(opened: &Opened, index: u64, trial: &Trial) -> Result<bool, EvidenceError> {
    match (&opened.chain, index.checked_sub(1)) {
        (Some(chain), Some(below)) => Ok(super::roster(chain, below, trial)?.vkey == opened.key()),
        _ => Ok(true),
    }
}

/// That an anchor's time is far from its witnesses', where there is a roster to tell whom the rules name.
fn anchor_time(
    opened: &Opened,
    index: u64,
    e: &SignedEntry,
    trial: &Trial,
) -> Result<Option<Reason>, EvidenceError> {
    let Some(chain) = opened.chain.as_ref().filter(|_| index > 0 && anchor(e).is_some()) else {
        return Ok(None);
    };
    let reasons = super::roster(chain, index, trial)?.alone(index, e).reasons;
    Ok(reasons.into_iter().find(|reason| matches!(reason, Reason::AnchorTime { .. })))
}

/// How an entry's roster pointer does not go on from the entry before.
fn pointer(index: u64, e: &SignedEntry, before: Option<&Included>) -> Option<String> {
    let got = e.entry.roster;
    let points = format!("points at entry {} ({}) as the last of class 0", got.index, got.leaf.short());
    let Some(before) = before else {
        return (got != Pointer::default()).then(|| format!("{points}, where nothing comes before it"));
    };
    // Behind bytes that are no entry, nothing is known; they are evidence themselves.
    let b = SignedEntry::decode(&before.entry).ok()?;
    if b.statement.class() == Class::Govern {
        let passes_over = got != Pointer { index: index - 1, leaf: b.leaf };
        passes_over
            .then(|| format!("{points}, past the entry before, {}, which is of that class", b.leaf.short()))
    } else {
        let want = b.entry.roster;
        (got != want).then(|| {
            let (at, leaf) = (want.index, want.leaf.short());
            format!("{points}, where the one before, of another class, points at entry {at} ({leaf})")
        })
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
        let fault = Fault { signed: self.signed()?, index, entry, before };
        let is_anchor = SignedEntry::decode(&fault.entry.entry).is_ok_and(|e| anchor(&e).is_some());
        if let Some(evidence) = self.accuse(Claim::Fault(fault.clone())) {
            return Ok(Some(evidence));
        }
        if !is_anchor {
            return Ok(None);
        }
        let signed = Signed::new(self.checkpoint, self.roster()?);
        Ok(self.accuse(Claim::Fault(Fault { signed, ..fault })))
    }
}
