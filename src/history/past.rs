//! What a history asks of whoever holds the log: leaf hashes for `seen`, roots for anchors.
//!
//! None is taken to mean that the log has none: what could not be read is for the caller to notice, before it believes a
//! verdict.

use crate::hash::{EMPTY_ROOT, Hash, node_hash};

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

/// All leaf hashes before, of a short log: a root costs a walk over all that it is of.
impl Past for &[Hash] {
    fn leaf_at(&mut self, index: u64) -> Option<Hash> {
        self.get(usize::try_from(index).ok()?).copied()
    }

    fn root_at(&mut self, size: u64) -> Option<Hash> {
        let mut peaks = Vec::new();
        for (leaf, number) in self.get(..usize::try_from(size).ok()?)?.iter().zip(1_u64..) {
            let merged = (0..number.trailing_zeros()).fold(*leaf, |right, _| {
                let left = peaks.pop().expect("a peak for each bit set in the number before");
                node_hash(&left, &right)
            });
            peaks.push(merged);
        }
        Some(peaks.into_iter().rev().reduce(|right, left| node_hash(&left, &right)).unwrap_or(EMPTY_ROOT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::reference::{leaves, root};

    #[test]
    fn of_all_leaf_hashes_roots_are_those_of_the_definition_and_of_no_more() {
        let leaves = leaves(70);
        let mut past = &leaves[..];
        for size in 0..=leaves.len() {
            assert_eq!(past.root_at(size.try_into().expect("small")), Some(root(&leaves[..size])), "{size}");
        }
        assert_eq!((past.root_at(71), past.leaf_at(70), past.leaf_at(69)), (None, None, Some(leaves[69])));
        assert_eq!((Nothing.root_at(0), Nothing.leaf_at(0)), (None, None));
    }
}
