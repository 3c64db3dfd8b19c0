//! What a history asks of whoever holds the log: leaf hashes for `seen`, roots for anchors.
//!
//! None is taken to mean that the log has none: what could not be read is for the caller to notice, before it believes a
//! verdict.

use crate::hash::Hash;

/// The log before an entry.
pub trait Past {
    /// The leaf hash of an entry before.
    fn leaf_at(&mut self, index: u64) -> Option<Hash>;

    /// The root that the log had at a size: at most that of all entries before.
    fn root_at(&mut self, size: u64) -> Option<Hash>;
}

/// Before entry 0.
pub struct Nothing;

impl Past for Nothing {
    fn leaf_at(&mut self, _: u64) -> Option<Hash> {
        None
    }

    fn root_at(&mut self, _: u64) -> Option<Hash> {
        None
    }
}
