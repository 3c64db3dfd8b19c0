//! Anchors that did not come: where the log's rules name witnesses, its operator owes one each hour.
//!
//! Nobody does wrong by leaving one out, but between two anchors nothing from outside bounds the operator's clock. How long
//! none came is read from the log alone: by its entries' times, and by when witnesses cosigned its checkpoint.

use super::sources::{self, Opened};
use super::{Kind, Look};
use crate::entry::SignedEntry;
use crate::field::Instant;
use crate::history::Anchored;
use crate::roster::anchor::anchor;
use crate::text::count;

/// After how long without an anchor that is told, in milliseconds: one that is due each hour was left out.
pub const ANCHOR_LATE_MS: u64 = 2 * 3_600_000;

/// How many gaps are told in a round.
const GAPS_MAX: usize = super::follow::FINDINGS_MAX;

/// A time without anchors: since when, and until when it has lasted.
pub(super) type Gap = (Anchored, Instant);

/// The gaps between the anchors of new entries.
pub(super) struct Gaps {
    since: Option<Anchored>,
    pub(super) found: Vec<Gap>,
}

impl Gaps {
    /// Goes on from what the log waited for.
    pub(super) fn after(since: Option<Anchored>) -> Self {
        Self { since, found: Vec::new() }
    }

    /// Takes the next entry that is neither void nor unauthentic, and the log's time with it.
    pub(super) fn take(&mut self, index: u64, e: &SignedEntry, at: Instant) {
        if anchor(e).is_none() {
            return;
        }
        if let Some(since) = self.since.filter(|since| is_late(*since, at))
            && self.found.len() < GAPS_MAX
        {
            self.found.push((since, at));
        }
        self.since = Some(Anchored { index, at });
    }
}

fn is_late(since: Anchored, at: Instant) -> bool {
    at.ms().saturating_sub(since.at.ms()) > ANCHOR_LATE_MS
}

/// Tells of gaps that have ended, and of the one that lasts.
pub(super) fn look(look: &mut Look<'_>, followed: Option<&Opened<'_>>) {
    for (since, until) in std::mem::take(&mut look.gaps) {
        tell(look, since, until);
    }
    let history = &look.history;
    let (since, size, time) = (history.anchored(), history.head().size, history.times().1);
    let checkpoint = followed.map(|source| &source.checkpoint).filter(|checkpoint| checkpoint.size() == size);
    let cosigned = checkpoint.and_then(sources::cosigned).map(|at| at.min(look.now));
    let until = cosigned.map_or(time, |at| at.max(time));
    if let Some(since) = since.filter(|since| is_late(*since, until)) {
        tell(look, since, until);
    }
}

/// The gap after an entry is one, however long it lasts.
fn tell(look: &mut Look<'_>, since: Anchored, until: Instant) {
    let Anchored { index, at } = since;
    let hours = count((until.ms() - at.ms()) / 3_600_000, "hour", "hours");
    let sentence = format!(
        "no anchor for {hours} after entry {index} of {at}: the log's rules name witnesses, and one is due each hour"
    );
    look.alert(Kind::AnchorMissing, format!("after entry {index}"), sentence);
}
