//! A history as it is kept between runs: all that cannot be derived from the entries of class 0 alone, and these.
//!
//! ```text
//! version 1 | head (size, [32]) | sequenced_at | effective time | [(handle, five chains)] | [(index, entry)]
//!           | (index, kind)? | SHA-256("servanda/snapshot/1\n" || all before)
//! ```
//!
//! The digest finds damage, not malice: whoever keeps a snapshot trusts the place where it lies. Roster and keys are
//! derived anew, signatures included.

use super::{CLASSES, History};
use crate::chain::{AuthorChain, counts};
use crate::codec::{Bytes, List, encode};
use crate::entry::SignedEntry;
use crate::field::{Handle, Instant};
use crate::hash::{Hash, ZEROS, labelled};
use crate::roster::Roster;
use crate::statement::Head;
use serde::{Deserialize, Serialize};

/// The version that this program writes and reads.
const VERSION: u8 = 1;

/// What to keep of a history; encoded with [`encode`], decoded with [`decode_large`](crate::codec::decode_large).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    kept: Kept,
    digest: Hash,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    version: u8,
    head: Head,
    raw_time: Instant,
    time: Instant,
    chains: List<(Handle, [AuthorChain; CLASSES])>,
    govern: List<(u64, Bytes)>,
    incomplete: Option<(u64, u16)>,
}

/// Why a snapshot cannot be taken up: then everything is derived from the entries again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Of a version that this program does not know.
    #[error("snapshot of version {0}, this program knows version {VERSION}")]
    Version(u8),
    /// Damaged.
    #[error("the snapshot's digest is {got}, its content has {want}")]
    Digest {
        /// What it says.
        got: Hash,
        /// What its content has.
        want: Hash,
    },
    /// An entry of class 0 in it does not follow from those before.
    #[error("entry {0} does not follow from the entries of class 0 before it")]
    Govern(u64),
    /// Its parts do not belong together.
    #[error("its {0} cannot be those of a history of {1} entries")]
    Parts(&'static str, u64),
}

impl Kept {
    fn digest(&self) -> Hash {
        labelled("servanda/snapshot/1\n", &encode(self))
    }

    /// The roster that the entries of class 0 add up to.
    fn roster(&self) -> Result<Option<Roster>, SnapshotError> {
        let mut roster: Option<Roster> = None;
        for (index, bytes) in &self.govern {
            let no = SnapshotError::Govern(*index);
            let Ok(e) = SignedEntry::decode(bytes) else { return Err(no) };
            match &mut roster {
                None if *index == 0 => roster = Some(Roster::found(&e).map_err(|_| no)?),
                Some(roster) if *index > roster.last.index && roster.unknown.is_none() => {
                    if !counts(&roster.govern(*index, &e)) {
                        return Err(no);
                    }
                }
                _ => return Err(no),
            }
        }
        Ok(roster)
    }

    fn check(&self, roster: Option<&Roster>) -> Result<(), SnapshotError> {
        let size = self.head.size;
        let parts = |what| Err(SnapshotError::Parts(what, size));
        let last = roster.map(|r| r.last);
        let fits = match (size.checked_sub(1), last) {
            (None, last) => self.head.leaf == ZEROS && last.is_none(),
            (Some(end), Some(last)) => last.index < end || (last.index == end && last.leaf == self.head.leaf),
            (Some(_), None) => true,
        };
        if !fits {
            return parts("head");
        }
        if self.time < self.raw_time || roster.is_some_and(|r| r.unknown.is_none() && self.time < r.time()) {
            return parts("times");
        }
        let known = |handle| roster.is_some_and(|r| r.members.contains_key(handle));
        if !self.chains.is_sorted_by(|(a, _), (b, _)| a < b) || !self.chains.iter().all(|(h, _)| known(h)) {
            return parts("chains");
        }
        if self.incomplete.is_some_and(|(index, _)| index >= size) {
            return parts("unknown acts");
        }
        Ok(())
    }
}

impl History {
    /// What to keep.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let kept = Kept {
            version: VERSION,
            head: self.head,
            raw_time: self.raw_time,
            time: self.time,
            chains: self.chains.iter().map(|(handle, all)| (handle.clone(), *all)).collect(),
            govern: List(self.govern.clone()),
            incomplete: self.incomplete,
        };
        Snapshot { digest: kept.digest(), kept }
    }

    /// Takes a kept history up again; the roster is derived anew, signatures included.
    ///
    /// # Errors
    /// [`SnapshotError`] where it does not hold together: then everything is derived from the entries again.
    pub fn resume(snapshot: Snapshot) -> Result<Self, SnapshotError> {
        let Snapshot { kept, digest } = snapshot;
        if kept.version != VERSION {
            return Err(SnapshotError::Version(kept.version));
        }
        let want = kept.digest();
        if digest != want {
            return Err(SnapshotError::Digest { got: digest, want });
        }
        let roster = kept.roster()?;
        kept.check(roster.as_ref())?;
        let Kept { head, raw_time, time, incomplete, .. } = kept;
        Ok(Self {
            roster,
            chains: kept.chains.0.into_iter().collect(),
            head,
            raw_time,
            time,
            govern: kept.govern.0,
            incomplete,
        })
    }
}
