//! The frontier of a tree: as much of it as is needed to go on appending, and to know the root.
//!
//! Writing the size in binary, each one stands for a *peak*: the root of a perfect subtree, the largest on the left.
//! Appending a leaf merges peaks of equal size, as adding one carries; the root folds the peaks from the right.
//!
//! ```text
//! size 6 = 110 in binary:   peaks [root of leaves 0 to 3, root of leaves 4 and 5],  root = node(peak 0, peak 1)
//! ```
//!
//! ```
//! use servanda::hash::{EMPTY_ROOT, leaf_hash, node_hash};
//! use servanda::merkle::tree::Frontier;
//! let (a, b, mut tree) = (leaf_hash(b"a"), leaf_hash(b"b"), Frontier::default());
//! assert_eq!(tree.root(), EMPTY_ROOT);
//! tree.push(a);
//! tree.push(b);
//! assert_eq!((tree.size(), tree.root()), (2, node_hash(&a, &b)));
//! ```

use crate::hash::{EMPTY_ROOT, Hash, node_hash};

/// The right edge of a tree, as roots of perfect subtrees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// The peaks, the largest first: one for each bit that is set in `size`.
    peaks: Vec<Hash>,
}

/// A size asks for another number of peaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("peaks: {got} for a tree of size {size}, want {}", size.count_ones())]
pub struct PeaksError {
    /// The number of leaves.
    pub size: u64,
    /// The number of peaks given.
    pub got: usize,
}

impl Frontier {
    /// Puts a frontier together from its peaks, the largest first.
    ///
    /// The hashes are taken as they are: compare the root with one that is trusted.
    ///
    /// # Errors
    /// [`PeaksError`], if there is not one peak for each bit that is set in the size.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Result<Self, PeaksError> {
        if u32::try_from(peaks.len()) == Ok(size.count_ones()) {
            Ok(Self { size, peaks })
        } else {
            Err(PeaksError { size, got: peaks.len() })
        }
    }

    /// Appends a leaf.
    ///
    /// # Panics
    /// At 2^64 − 1 leaves.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("a peak for each bit set in the size");
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size = self.size.checked_add(1).expect("a log has fewer than 2^64 leaves");
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, the largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold_peaks(&self.peaks)
    }
}

/// Folds peaks, the largest first, into the root above them all.
pub(super) fn fold_peaks(peaks: &[Hash]) -> Hash {
    let above = |right: Hash, left: &Hash| node_hash(left, &right);
    peaks.split_last().map_or(EMPTY_ROOT, |(last, left)| left.iter().rev().fold(*last, above))
}

/// The root of a perfect subtree: of 1, 2, 4, … nodes of one level.
pub(crate) fn perfect_root(nodes: &[Hash]) -> Hash {
    debug_assert!(nodes.len().is_power_of_two());
    let mut level = nodes.to_vec();
    while level.len() > 1 {
        for i in 0..level.len() / 2 {
            level[i] = node_hash(&level[2 * i], &level[2 * i + 1]);
        }
        level.truncate(level.len() / 2);
    }
    level[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::reference::{leaves, root};

    #[test]
    fn roots_are_those_of_the_definition() {
        let leaves = leaves(140);
        let mut tree = Frontier::default();
        for size in 0..leaves.len() {
            assert_eq!(tree.root(), root(&leaves[..size]), "size {size}");
            let again = Frontier::from_parts(tree.size(), tree.peaks().to_vec());
            assert_eq!(again.as_ref(), Ok(&tree));
            tree.push(leaves[size]);
        }
    }

    #[test]
    fn a_frontier_with_a_peak_too_many_or_too_few_is_refused() {
        assert_eq!(Frontier::from_parts(5, vec![EMPTY_ROOT; 3]), Err(PeaksError { size: 5, got: 3 }));
        assert_eq!(Frontier::from_parts(5, vec![EMPTY_ROOT]), Err(PeaksError { size: 5, got: 1 }));
    }

    #[test]
    fn a_perfect_root_is_the_root() {
        let leaves = leaves(256);
        for size in [1, 2, 4, 64, 256] {
            assert_eq!(perfect_root(&leaves[..size]), root(&leaves[..size]));
        }
    }
}
