//! Anchors: what the operator and the witnesses that the rules name have signed of the log's time, as far as entry and
//! roster tell. Whether the root is the log's is for `history`.
//!
//! The checkpoint in it is this log's under the name, and by the key, that it had at that size; its witnesses are those
//! of the rules in force where the anchor stands. Each counts once, by the first of its lines; a line of theirs, or of
//! the operator, that does not hold spoils it all. Its time is the lower median of theirs.

use super::Roster;
use crate::chain::{Reason, acts};
use crate::charter::Rules;
use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::cosignature;
use crate::entry::SignedEntry;
use crate::field::{Class, Instant};
use crate::key::vkey::{Kind as VkeyKind, Vkey};
use crate::statement::body::Anchor;
use crate::statement::{Act, Kind};

/// How far an anchor's `sequenced_at` may be from its witnesses' time, in milliseconds.
pub const ANCHOR_SKEW_MS: u64 = 5 * 60 * 1000;

/// The anchor that an entry is, in the class that anchors are for.
#[must_use]
pub fn anchor(e: &SignedEntry) -> Option<&Anchor> {
    let s = &e.statement;
    if s.kind != Kind::Anchor.number() || s.class() != Class::OperateLog {
        return None;
    }
    match e.act() {
        Ok(Act::Anchor(anchor)) => Some(anchor),
        _ => None,
    }
}

/// The keys of the witnesses that rules name, with their names.
pub(super) fn witnesses(rules: &Rules) -> Vec<Vkey> {
    rules.witnesses.iter().flat_map(|witnesses| witnesses.keys()).collect()
}

impl Roster {
    /// The key that checkpoints of a size are signed with, of those so far.
    #[must_use]
    pub fn vkey_at(&self, size: u64) -> &Vkey {
        self.vkeys.iter().rev().find(|(from, _)| *from <= size).map_or(&self.vkeys[0].1, |(_, vkey)| vkey)
    }

    /// Adds what is wrong with an anchor to what is wrong with its entry otherwise.
    pub(super) fn judge_anchor(&self, e: &SignedEntry, reasons: &mut Vec<Reason>) {
        let Some(anchor) = anchor(e).filter(|_| acts(reasons)) else { return };
        match self.witnessed(anchor) {
            Ok(witnessed) => {
                let at = e.entry.sequenced_at;
                if at.ms().abs_diff(witnessed.ms()) > ANCHOR_SKEW_MS {
                    reasons.push(Reason::AnchorTime { at, witnessed });
                }
            }
            Err(reason) => reasons.push(reason),
        }
    }

    /// When an anchor's checkpoint was cosigned: the lower median of its witnesses' times.
    ///
    /// # Errors
    /// Why it is void.
    pub fn witnessed(&self, anchor: &Anchor) -> Result<Instant, Reason> {
        let Some(rules) = &self.charter.rules.witnesses else { return Err(Reason::AnchorUnnamed) };
        let note = SignedCheckpoint::parse(&anchor.checkpoint);
        let note = note.map_err(|error| Reason::AnchorNote { error })?;
        let claim = note.claim();
        let vkey = self.vkey_at(claim.size);
        if vkey.name() != claim.origin {
            let (got, want) = (claim.origin.to_owned(), vkey.name().to_owned());
            return Err(Reason::AnchorOrigin { got, want });
        }
        let keys: Vec<&Vkey> = std::iter::once(vkey).chain(&self.witnesses).collect();
        let signers = note.signers(&keys).map_err(|error| Reason::AnchorSigned { error: error.into() })?;
        if !signers.verified.iter().any(|(by, _)| by.kind() == VkeyKind::Log) {
            let error = CheckpointError::NotSigned(claim.origin.to_owned());
            return Err(Reason::AnchorSigned { error });
        }
        let times: Vec<u64> = signers.verified.iter().filter_map(|(_, time_s)| *time_s).collect();
        let (got, want, of) = (times.len(), rules.quorum, self.witnesses.len());
        match cosignature::median_time(times) {
            Some(at) if u64::try_from(got).is_ok_and(|got| got >= want) => Ok(at),
            _ => Err(Reason::AnchorQuorum { got, want, of }),
        }
    }
}
