//! Anchors held against the log that they stand in, and since when the next one is awaited.

use super::{History, Past};
use crate::chain::{Reason, acts};
use crate::checkpoint::SignedCheckpoint;
use crate::entry::SignedEntry;
use crate::field::Instant;
use crate::roster::anchor::anchor;
use serde::{Deserialize, Serialize};

/// Since when the log waits for its next anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchored {
    /// The entry: the last anchor that is neither void nor unauthentic; before there is one, the entry since which the
    /// rules name witnesses, or another operator is in office.
    pub index: u64,
    /// The log's effective time then.
    pub at: Instant,
}

impl History {
    /// Holds an anchor that is in order so far against the log; of one that is not, the time is nobody's fault.
    pub(super) fn judge_anchor(&self, e: &SignedEntry, past: &mut dyn Past, reasons: &mut Vec<Reason>) {
        let Some(anchor) = anchor(e) else { return };
        if acts(reasons)
            && let Ok(note) = SignedCheckpoint::parse(&anchor.checkpoint)
        {
            let (claim, index) = (note.claim(), self.head.size);
            let size = claim.size;
            if !(1..=index).contains(&size) {
                reasons.push(Reason::AnchorSize { size, index });
            } else if past.root_at(size) != Some(claim.root) {
                reasons.push(Reason::AnchorRoot { size });
            }
        }
        if !acts(reasons) {
            reasons.retain(|reason| !matches!(reason, Reason::AnchorTime { .. }));
        }
    }

    /// Notes since when an anchor is awaited, with the entry at an index; `anew`: since this one.
    pub(super) fn wait_for_anchor(&mut self, index: u64, anew: bool) {
        let named = self.roster.as_ref().is_some_and(|roster| roster.charter.rules.witnesses.is_some());
        let here = Anchored { index, at: self.time };
        self.anchored = match self.anchored {
            _ if !named => None,
            Some(since) if !anew => Some(since),
            _ => Some(here),
        };
    }

    /// Since when the log waits for its next anchor; none where its rules name no witnesses.
    #[must_use]
    pub fn anchored(&self) -> Option<Anchored> {
        self.anchored
    }
}
