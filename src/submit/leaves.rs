//! Leaf hashes by index, for `seen`, and roots by size, for anchors: the latest from memory, older ones from the stored
//! tiles, each proven.
//!
//! Judging takes an entry's leaf hash or none, and none makes a statement that has seen it unauthentic. So one that cannot
//! be read is a failure, which whoever judges asks for afterwards ([`Leaves::failure`]): a disk that hiccups must not
//! decide what counts. The same goes for roots.
//!
//! Anchors in order are of ever greater sizes, each close to the end: the tree over what the last one asked for is kept,
//! and goes on to the next. So a log costs one more walk over its leaf hashes, and none where there are no anchors.

use crate::client::{Client, ReadError};
use crate::hash::Hash;
use crate::history::Past;
use crate::merkle::builder::TileBuilder;
use crate::merkle::tile::TILE_WIDTH;
use crate::merkle::tree::Frontier;
use crate::store::Read;

/// How many leaf hashes are kept in memory.
const RECENT: usize = 1 << 14;

/// Leaf hashes by index.
#[derive(Debug)]
pub struct Leaves {
    /// The tree over those that are stored: its full tiles lie there, its right edge may not.
    stored: TileBuilder,
    /// The leaf hashes from index `first` on.
    first: u64,
    recent: Vec<Hash>,
    tile: Option<(u64, Vec<Hash>)>,
    /// The tree over as many leaves as were asked for last, from memory.
    asked: Option<Frontier>,
    failure: Option<ReadError>,
}

impl Leaves {
    /// Leaf hashes of a log of which so much is stored.
    #[must_use]
    pub fn new(stored: TileBuilder) -> Self {
        Self { first: stored.size(), stored, recent: Vec::new(), tile: None, asked: None, failure: None }
    }

    /// Takes the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.recent.push(leaf);
    }

    /// So much is stored now; what memory need not hold is dropped.
    pub fn stored(&mut self, builder: &TileBuilder) {
        let size = builder.size();
        self.stored = builder.clone();
        let surplus = self.recent.len().saturating_sub(RECENT);
        let droppable = usize::try_from(size - self.first).unwrap_or(usize::MAX).min(surplus);
        self.recent.drain(..droppable);
        self.first += u64::try_from(droppable).expect("fits");
        self.tile = None;
    }

    /// The leaf hash at an index; none where there is none, or it cannot be read: then there is a failure.
    pub fn at(&mut self, store: &dyn Read, index: u64) -> Option<Hash> {
        if let Some(recent) = index.checked_sub(self.first) {
            return self.recent.get(usize::try_from(recent).ok()?).copied();
        }
        let number = index / u64::from(TILE_WIDTH);
        if self.tile.as_ref().is_none_or(|(have, _)| *have != number) {
            match Client::resume(store, &self.stored).leaf_hashes(number) {
                Ok(hashes) => self.tile = Some((number, hashes)),
                Err(error) => {
                    self.failure = Some(error);
                    return None;
                }
            }
        }
        let (_, hashes) = self.tile.as_ref()?;
        hashes.get(usize::try_from(index % u64::from(TILE_WIDTH)).ok()?).copied()
    }

    /// The root over the first `size` leaves; none where there are fewer, or it cannot be read: then there is a failure.
    pub fn root_at(&mut self, store: &dyn Read, size: u64) -> Option<Hash> {
        let asked = self.asked.take().filter(|tree| tree.size() >= self.first);
        let begin = match asked {
            Some(asked) if asked.size() <= size => asked,
            _ if self.stored.size() <= size => self.stored.frontier(),
            asked => {
                self.asked = asked;
                let read = Client::resume(store, &self.stored).root_at(size);
                return read.map_err(|error| self.failure = Some(error)).ok();
            }
        };
        let (from, to) = (self.place(begin.size())?, self.place(size)?);
        let mut tree = begin;
        self.recent.get(from..to)?.iter().for_each(|leaf| tree.push(*leaf));
        let root = tree.root();
        self.asked = Some(tree);
        Some(root)
    }

    fn place(&self, index: u64) -> Option<usize> {
        usize::try_from(index.checked_sub(self.first)?).ok()
    }

    /// The same for whoever judges entries.
    pub fn past<'a>(&'a mut self, store: &'a dyn Read) -> Known<'a> {
        Known { leaves: self, store }
    }

    /// Why a leaf hash or root could not be read since this was last asked.
    ///
    /// # Errors
    /// [`ReadError`]: what was judged meanwhile was judged without knowing.
    pub fn failure(&mut self) -> Result<(), ReadError> {
        self.failure.take().map_or(Ok(()), Err)
    }
}

/// The log before an entry, as far as it is stored and in memory.
pub struct Known<'a> {
    leaves: &'a mut Leaves,
    store: &'a dyn Read,
}

impl Past for Known<'_> {
    fn leaf_at(&mut self, index: u64) -> Option<Hash> {
        self.leaves.at(self.store, index)
    }

    fn root_at(&mut self, size: u64) -> Option<Hash> {
        self.leaves.root_at(self.store, size)
    }
}

/// All leaf hashes before, of a short log: a root costs a walk over all that it is of.
impl Past for &[Hash] {
    fn leaf_at(&mut self, index: u64) -> Option<Hash> {
        self.get(usize::try_from(index).ok()?).copied()
    }

    fn root_at(&mut self, size: u64) -> Option<Hash> {
        let mut tree = Frontier::default();
        self.get(..usize::try_from(size).ok()?)?.iter().for_each(|leaf| tree.push(*leaf));
        Some(tree.root())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha256;
    use crate::history::Nothing;
    use crate::merkle::builder::Tile;
    use crate::merkle::reference::{leaves, root};
    use crate::store::Store as _;
    use crate::store::memory::Memory;

    fn leaf(n: u64) -> Hash {
        sha256(&n.to_be_bytes())
    }

    /// The tiles of a log of this size.
    fn stored(size: u64) -> Memory {
        let mut builder = TileBuilder::default();
        let full: Vec<Tile> = (0..size).flat_map(|n| builder.push(leaf(n))).collect();
        let store = Memory::new();
        let named = |tile: Tile| (format!("public/{}", tile.path), tile.bytes);
        let tiles: Vec<_> = full.into_iter().chain(builder.partial()).map(named).collect();
        store.put_all(&tiles).expect("puts");
        store
    }

    #[test]
    fn an_old_leaf_is_found_at_every_size_though_only_the_last_sizes_edge_is_stored() {
        let size = 70_000;
        let store = stored(size);
        let mut builder = TileBuilder::default();
        let mut leaves = Leaves::new(builder.clone());
        for n in 0..size {
            builder.push(leaf(n));
            leaves.push(leaf(n));
            if n % 4_000 == 3_999 {
                leaves.stored(&builder);
                for old in [0, n / 3, n / 2, n] {
                    assert_eq!(leaves.at(&store, old), Some(leaf(old)), "{old} at {n}");
                    assert!(leaves.failure().is_ok(), "{old} at {n}");
                }
            }
        }
    }

    #[test]
    fn a_root_is_known_at_every_size_in_whatever_order_they_are_asked_for() {
        let size = 40_000;
        let store = stored(size);
        let (mut tree, mut builder) = (Frontier::default(), TileBuilder::default());
        let mut leaves = Leaves::new(builder.clone());
        let mut roots = vec![tree.root()];
        let ask = |leaves: &mut Leaves, roots: &[Hash], size: u64| {
            let want = roots[usize::try_from(size / 50).expect("small")];
            assert_eq!(leaves.root_at(&store, size), Some(want), "{size}");
            assert!(leaves.failure().is_ok(), "{size}");
        };
        for n in 0..size {
            tree.push(leaf(n));
            builder.push(leaf(n));
            leaves.push(leaf(n));
            if n % 50 != 49 {
                continue;
            }
            roots.push(tree.root());
            // As anchors in order do, and then back and forth.
            ask(&mut leaves, &roots, n + 1);
            if n % 4_000 == 1_999 {
                leaves.stored(&builder);
                for old in [n + 1, (n + 1) / 100 * 50, 0, 50, (n + 1) / 150 * 50, n + 1] {
                    ask(&mut leaves, &roots, old);
                }
            }
            if n % 4_000 == 2_999 {
                for old in [(n + 1) / 100 * 50, n - 499, n - 1_499, n + 1] {
                    ask(&mut leaves, &roots, old);
                }
            }
        }
        assert_eq!(leaves.root_at(&store, size + 1), None);
        assert!(leaves.failure().is_ok());
    }

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

    #[test]
    fn a_root_that_cannot_be_read_is_a_failure() {
        let mut builder = TileBuilder::default();
        (0..1_000).for_each(|n| drop(builder.push(leaf(n))));
        let mut leaves = Leaves::new(builder);
        assert_eq!(leaves.root_at(&Memory::new(), 300), None);
        assert!(leaves.failure().is_err());
        assert!(leaves.failure().is_ok(), "it is told once");
        assert!(leaves.root_at(&Memory::new(), 1_000).is_some(), "the last one is at hand");
    }
}
