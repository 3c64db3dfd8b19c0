//! Inclusion and consistency proofs, checked: the file that a sceptic reads.
//!
//! An *inclusion proof* of the leaf at an index in a tree of a size is the list of hashes that, folded into the leaf's
//! hash one after the other, give the root. A *consistency proof* from an old size to a new one is a list that gives
//! both roots, so that the first leaves of the new tree are all those of the old one, in place.
//!
//! ```
//! use servanda::hash::{leaf_hash, node_hash};
//! use servanda::merkle::verify::{verify_consistency, verify_inclusion};
//! let [a, b, c] = [b"a", b"b", b"c"].map(|data| leaf_hash(data));
//! let ab = node_hash(&a, &b);
//! let abc = node_hash(&ab, &c);
//! assert_eq!(verify_inclusion(1, 3, &b, &[a, c], &abc), Ok(()));
//! assert_eq!(verify_consistency(2, 3, &ab, &abc, &[c]), Ok(()));
//! ```
//!
//! The algorithms are those of RFC 9162, sections 2.1.3.2 and 2.1.4.2, whose steps the comments quote; the trees are
//! those of RFC 6962. The number of hashes follows from the numbers alone, and is compared first: a proof has one length.
//! Where the caller has size and root from is the caller's to know: nothing here is signed.

use crate::hash::{Hash, node_hash};

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The tree has no leaf at the index.
    #[error("no leaf {index} in a tree of size {size}")]
    NoSuchLeaf {
        /// The index asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// Nothing can be proved from an empty tree: every tree continues it.
    #[error("consistency with an empty tree says nothing")]
    OldEmpty,
    /// The old tree is larger than the new one.
    #[error("old size {old} is greater than new size {new}")]
    Shrunk {
        /// The size of the tree said to be older.
        old: u64,
        /// The size of the tree said to be newer.
        new: u64,
    },
    /// The proof has another number of hashes than the sizes ask for.
    #[error("proof of length {got}, want {want}")]
    Length {
        /// The number of hashes given.
        got: usize,
        /// The number that follows from index and sizes.
        want: usize,
    },
    /// Proof and leaf give another root than the tree's.
    #[error("inclusion proof gives root {got}, want {want}")]
    Root {
        /// The root that the proof gives.
        got: Hash,
        /// The tree's root.
        want: Hash,
    },
    /// The proof gives another root of the old tree.
    #[error("consistency proof gives old root {got}, want {want}")]
    OldRoot {
        /// The root that the proof gives.
        got: Hash,
        /// The old tree's root.
        want: Hash,
    },
    /// The proof gives another root of the new tree.
    #[error("consistency proof gives new root {got}, want {want}")]
    NewRoot {
        /// The root that the proof gives.
        got: Hash,
        /// The new tree's root.
        want: Hash,
    },
}

/// Verifies that the leaf at `index`, in a tree of `size` leaves with this root, has this hash.
///
/// # Errors
/// [`ProofError`] says why it does not follow.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    // "1. Compare leaf_index [...] against the tree_size [...]. If leaf_index is greater than or equal to tree_size,
    // then stop the process and fail the proof verification."
    let want = inclusion_len(index, size).ok_or(ProofError::NoSuchLeaf { index, size })?;
    if proof.len() != want {
        return Err(ProofError::Length { got: proof.len(), want });
    }
    // "2. Set fn to leaf_index and sn to tree_size - 1." "3. Set r to hash."
    let (mut f, mut s, mut r) = (index, size - 1, *leaf);
    // "4. For each value p in the inclusion_path array:"
    for p in proof {
        // "If LSB(fn) is set, or if fn is equal to sn, then: Set r to HASH(0x01 || p || r). If LSB(fn) is not set,
        // then right-shift both fn and sn equally until either LSB(fn) is set or fn is 0."
        if f & 1 == 1 || f == s {
            r = node_hash(p, &r);
            while f & 1 == 0 && f != 0 {
                (f, s) = (f >> 1, s >> 1);
            }
        // "Otherwise: Set r to HASH(0x01 || r || p)."
        } else {
            r = node_hash(&r, p);
        }
        // "Finally, right-shift both fn and sn one time."
        (f, s) = (f >> 1, s >> 1);
    }
    // "5. Compare sn to 0. Compare r against the root_hash." sn is 0 since the length is right.
    debug_assert_eq!(s, 0);
    if r == *root { Ok(()) } else { Err(ProofError::Root { got: r, want: *root }) }
}

/// Verifies that the first `old_size` leaves under the new root are exactly those under the old root.
///
/// # Errors
/// [`ProofError`] says why it does not follow; an old size of 0 is refused, since it proves nothing.
pub fn verify_consistency(
    old_size: u64,
    new_size: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    let want = consistency_len(old_size, new_size)?;
    if proof.len() != want {
        return Err(ProofError::Length { got: proof.len(), want });
    }
    // "2. If first is an exact power of 2, then prepend first_hash to the consistency_path array." So, too, where the
    // sizes are equal: the old root is then all there is.
    let (mut fr, rest) = match proof.split_first() {
        Some((first, rest)) if !old_size.is_power_of_two() => (*first, rest),
        _ => (*old_root, proof),
    };
    // "3. Set fn to first - 1 and sn to second - 1." "4. If LSB(fn) is set, then right-shift both fn and sn equally
    // until LSB(fn) is not set." "5. Set both fr and sr to the first value in the consistency_path array."
    let shift = (old_size - 1).trailing_ones();
    let (mut f, mut s) = ((old_size - 1) >> shift, (new_size - 1) >> shift);
    let mut sr = fr;
    // "6. For each subsequent value c in the consistency_path array:"
    for c in rest {
        // "If LSB(fn) is set, or if fn is equal to sn, then: Set fr to HASH(0x01 || c || fr). Set sr to HASH(0x01 || c
        // || sr). If LSB(fn) is not set, then right-shift both fn and sn equally until either LSB(fn) is set or fn is 0."
        if f & 1 == 1 || f == s {
            fr = node_hash(c, &fr);
            sr = node_hash(c, &sr);
            while f & 1 == 0 && f != 0 {
                (f, s) = (f >> 1, s >> 1);
            }
        // "Otherwise: Set sr to HASH(0x01 || sr || c)."
        } else {
            sr = node_hash(&sr, c);
        }
        // "Finally, right-shift both fn and sn one time."
        (f, s) = (f >> 1, s >> 1);
    }
    // "7. After completing iterating through the consistency_path array as described above, verify that the fr
    // calculated is equal to the first_hash supplied, that the sr calculated is equal to the second_hash supplied, and
    // that sn is 0." sn is 0 since the length is right; where the sizes are equal, nothing was folded.
    debug_assert!(s == 0 || old_size == new_size);
    if fr != *old_root {
        return Err(ProofError::OldRoot { got: fr, want: *old_root });
    }
    if sr == *new_root { Ok(()) } else { Err(ProofError::NewRoot { got: sr, want: *new_root }) }
}

/// The number of hashes in the inclusion proof of a leaf, or none if the tree has no such leaf.
///
/// Below the level where the leaf's way to the root meets the right edge there is a sibling on each level; above it,
/// only where a subtree lies to the left, which is where the index has a one.
#[must_use]
pub fn inclusion_len(index: u64, size: u64) -> Option<usize> {
    if index >= size {
        return None;
    }
    let inner = bit_len(index ^ (size - 1));
    let left = index.checked_shr(inner).unwrap_or(0).count_ones();
    Some((inner + left) as usize)
}

/// The number of hashes in a consistency proof.
///
/// # Errors
/// [`ProofError`], if there can be no such proof.
pub fn consistency_len(old_size: u64, new_size: u64) -> Result<usize, ProofError> {
    if old_size == 0 {
        return Err(ProofError::OldEmpty);
    }
    if old_size > new_size {
        return Err(ProofError::Shrunk { old: old_size, new: new_size });
    }
    if old_size == new_size {
        return Ok(0);
    }
    // The last complete subtree of the old tree is proved to be included in both; it is given unless it is all of
    // the old tree. Counting from its level up, it has the inclusion proof of the old tree's last leaf.
    let (last, level) = (old_size - 1, old_size.trailing_zeros());
    let inner = bit_len(last ^ (new_size - 1));
    let left = last.checked_shr(inner).unwrap_or(0).count_ones();
    Ok((inner - level + left) as usize + usize::from(!old_size.is_power_of_two()))
}

fn bit_len(n: u64) -> u32 {
    u64::BITS - n.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::EMPTY_ROOT;
    use crate::merkle::reference::{consistency, inclusion, leaves, root};
    use proptest::prelude::*;

    const MOST: usize = 70;

    #[test]
    fn every_proof_of_every_small_tree_verifies() {
        let leaves = leaves(MOST);
        for (size, n) in (0..=MOST).zip(0..) {
            let new = root(&leaves[..size]);
            for (index, i) in (0..size).zip(0..) {
                let proof = inclusion(index, &leaves[..size]);
                assert_eq!(inclusion_len(i, n), Some(proof.len()));
                assert_eq!(verify_inclusion(i, n, &leaves[index], &proof, &new), Ok(()), "{i} of {n}");
            }
            for (old, m) in (1..=size).zip(1..) {
                let proof = consistency(old, &leaves[..size]);
                assert_eq!(consistency_len(m, n), Ok(proof.len()), "{m} to {n}");
                assert_eq!(
                    verify_consistency(m, n, &root(&leaves[..old]), &new, &proof),
                    Ok(()),
                    "{m} to {n}"
                );
            }
        }
    }

    #[test]
    fn the_largest_trees_are_folded_like_small_ones() {
        // Two perfect subtrees of 2^63 and 2^62 leaves, and behind them a leaf or two.
        let [big, small, leaf, last] = [1, 2, 3, 4].map(|n| Hash([n; 32]));
        let index = 3 << 62;
        let old = node_hash(&big, &node_hash(&small, &leaf));
        assert_eq!(verify_inclusion(index, index + 1, &leaf, &[small, big], &old), Ok(()));
        let new = node_hash(&big, &node_hash(&small, &node_hash(&leaf, &last)));
        assert_eq!(verify_consistency(index + 1, index + 2, &old, &new, &[leaf, last, small, big]), Ok(()));
    }

    #[test]
    fn a_proof_one_hash_too_long_or_too_short_is_refused() {
        let leaves = leaves(7);
        let (old, new) = (root(&leaves[..3]), root(&leaves));
        let included = |proof: &[Hash]| verify_inclusion(5, 7, &leaves[5], proof, &new);
        let consistent = |proof: &[Hash]| verify_consistency(3, 7, &old, &new, proof);
        for (mut proof, check) in [
            (inclusion(5, &leaves), &included as &dyn Fn(&[Hash]) -> Result<(), ProofError>),
            (consistency(3, &leaves), &consistent),
        ] {
            let want = proof.len();
            assert_eq!(check(&proof), Ok(()));
            proof.push(new);
            assert_eq!(check(&proof), Err(ProofError::Length { got: want + 1, want }));
            proof.truncate(want - 1);
            assert_eq!(check(&proof), Err(ProofError::Length { got: want - 1, want }));
        }
    }

    #[test]
    fn an_index_equal_to_the_size_is_refused() {
        let leaf = leaves(1)[0];
        assert_eq!(verify_inclusion(0, 1, &leaf, &[], &leaf), Ok(()));
        let refused = verify_inclusion(1, 1, &leaf, &[], &leaf);
        assert_eq!(refused, Err(ProofError::NoSuchLeaf { index: 1, size: 1 }));
        let refused = verify_inclusion(0, 0, &EMPTY_ROOT, &[], &EMPTY_ROOT);
        assert_eq!(refused, Err(ProofError::NoSuchLeaf { index: 0, size: 0 }));
    }

    #[test]
    fn nothing_is_consistent_with_an_empty_a_larger_or_a_different_tree() {
        let (a, b) = (leaves(1)[0], leaves(2)[1]);
        assert_eq!(verify_consistency(0, 0, &EMPTY_ROOT, &EMPTY_ROOT, &[]), Err(ProofError::OldEmpty));
        assert_eq!(verify_consistency(0, 1, &EMPTY_ROOT, &a, &[]), Err(ProofError::OldEmpty));
        assert_eq!(verify_consistency(2, 1, &a, &a, &[]), Err(ProofError::Shrunk { old: 2, new: 1 }));
        assert_eq!(verify_consistency(5, 5, &a, &a, &[]), Ok(()));
        assert_eq!(verify_consistency(5, 5, &a, &b, &[]), Err(ProofError::NewRoot { got: a, want: b }));
    }

    #[test]
    fn numbers_up_to_the_last_do_not_overflow() {
        assert_eq!(inclusion_len(0, u64::MAX), Some(64));
        assert_eq!(inclusion_len(u64::MAX - 1, u64::MAX), Some(63));
        assert_eq!(consistency_len(1, u64::MAX), Ok(64));
        assert_eq!(consistency_len(u64::MAX - 1, u64::MAX), Ok(64));
        let (hash, proof) = (leaves(1)[0], [EMPTY_ROOT; 64]);
        assert!(matches!(verify_inclusion(0, u64::MAX, &hash, &proof, &hash), Err(ProofError::Root { .. })));
        let refused = verify_consistency(u64::MAX - 1, u64::MAX, &hash, &hash, &proof);
        assert!(matches!(refused, Err(ProofError::OldRoot { .. })));
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_found(size in 1..200usize, a: prop::sample::Index, b: prop::sample::Index, bit in 0..256usize) {
            let leaves = leaves(size);
            let (index, old) = (a.index(size), 1 + a.index(size));
            let (n, i) = (u64::try_from(size).unwrap(), u64::try_from(index).unwrap());
            let flipped = |mut hashes: Vec<Hash>| {
                let at = b.index(hashes.len());
                hashes[at].0[bit / 8] ^= 1 << (bit % 8);
                hashes
            };

            let inclusion = [vec![leaves[index], root(&leaves)], inclusion(index, &leaves)].concat();
            let [leaf, new, ref proof @ ..] = flipped(inclusion)[..] else { unreachable!() };
            prop_assert!(verify_inclusion(i, n, &leaf, proof, &new).is_err());

            let consistency = [vec![root(&leaves[..old]), root(&leaves)], consistency(old, &leaves)].concat();
            let [old, new, ref proof @ ..] = flipped(consistency)[..] else { unreachable!() };
            prop_assert!(verify_consistency(i + 1, n, &old, &new, proof).is_err());
        }

        #[test]
        fn no_numbers_and_hashes_panic(a: u64, b: u64, small in 0..9u64, len in 0..70usize) {
            let proof = vec![EMPTY_ROOT; len];
            for (a, b) in [(a, b), (small, b), (b.saturating_sub(small), b)] {
                let _ = verify_inclusion(a, b, &EMPTY_ROOT, &proof, &EMPTY_ROOT);
                let _ = verify_consistency(a, b, &EMPTY_ROOT, &EMPTY_ROOT, &proof);
                if let Ok(len) = consistency_len(a, b) {
                    let _ = verify_consistency(a, b, &EMPTY_ROOT, &EMPTY_ROOT, &vec![EMPTY_ROOT; len]);
                }
            }
        }
    }
}
