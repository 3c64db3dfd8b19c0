//! What a monitor keeps between rounds and between runs, the folded history apart.

use crate::checkpoint::VerifiedCheckpoint;
use crate::field::Instant;
use crate::hash::Hash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a monitor keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// The newest head that was verified whole.
    pub head: Option<Seen>,
    /// Up to which entry news were told.
    pub told: u64,
    /// The newest checkpoint of each source that the log's operator signed.
    pub sources: BTreeMap<String, Seen>,
    /// What held in the last round and may go on.
    pub episodes: BTreeMap<String, Episode>,
    /// Promises that are still expected, as they travel.
    pub promises: Vec<String>,
    /// The file of the history.
    pub snapshot: Option<Hash>,
    /// When a checkpoint was put beside for good.
    pub checkpoint_at: Instant,
}

/// Something that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// The subject that it got when it began.
    pub subject: String,
    /// At which source, if it is about one.
    pub source: Option<String>,
}

/// A checkpoint that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The log's name then.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The root.
    pub root: Hash,
    /// The note.
    pub note: String,
    /// Since when this head was seen.
    pub since: Instant,
}

impl Seen {
    /// A checkpoint, seen since it was seen first.
    #[must_use]
    pub fn new(checkpoint: &VerifiedCheckpoint, before: Option<&Self>, now: Instant) -> Self {
        let (origin, size, root) = (checkpoint.origin().to_owned(), checkpoint.size(), checkpoint.root());
        let same = before.filter(|before| (before.size, before.root) == (size, root));
        let since = same.map_or(now, |before| before.since);
        Self { origin, size, root, note: checkpoint.as_str().to_owned(), since }
    }
}
