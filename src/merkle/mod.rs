//! The Merkle tree of a log: hashes of leaves, folded into one root that commits to all of them in order.
//!
//! RFC 6962, section 2.1, in the words used everywhere here: a tree of *size* n has leaves of *index* 0 to n − 1; its
//! root is the leaf's hash for n = 1, and else the hash of the roots of the first k leaves and of the rest, where k is the
//! greatest power of two below n:
//!
//! ```text
//! size 3:   root = node(node(leaf 0, leaf 1), leaf 2)
//! ```
//!
//! [`verify`] checks proofs and needs nothing else; [`tree`] folds leaves into a root; [`tile`], [`bundle`] and
//! [`builder`] are the stored form (c2sp.org/tlog-tiles); [`prove`] makes proofs from stored tiles that it
//! distrusts. Leaves are opaque here: what an entry means is for others to say.

pub mod builder;
pub mod bundle;
pub mod prove;
pub mod tile;
pub mod tree;
pub mod verify;

/// The definitions of RFC 6962, section 2.1, word for word: slow, and what everything else is compared with.
#[cfg(test)]
pub(crate) mod reference {
    use crate::hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};

    /// Leaf hashes of "0", "1", "2", …
    pub(crate) fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|i| leaf_hash(i.to_string().as_bytes())).collect()
    }

    fn split(size: usize) -> usize {
        size.next_power_of_two() / 2
    }

    /// MTH(D[n])
    pub(crate) fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => EMPTY_ROOT,
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len()));
                node_hash(&root(left), &root(right))
            }
        }
    }

    /// PATH(m, D[n])
    pub(crate) fn inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return vec![];
        }
        let k = split(leaves.len());
        let (left, right) = leaves.split_at(k);
        let (mut path, sibling) =
            if index < k { (inclusion(index, left), right) } else { (inclusion(index - k, right), left) };
        path.push(root(sibling));
        path
    }

    /// PROOF(m, D[n])
    pub(crate) fn consistency(old: usize, leaves: &[Hash]) -> Vec<Hash> {
        subproof(old, leaves, true)
    }

    fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if old == leaves.len() {
            return if whole { vec![] } else { vec![root(leaves)] };
        }
        let k = split(leaves.len());
        let (left, right) = leaves.split_at(k);
        let (mut path, sibling) = if old <= k {
            (subproof(old, left, whole), right)
        } else {
            (subproof(old - k, right, false), left)
        };
        path.push(root(sibling));
        path
    }
}
