//! Leaf hashes by index, for `seen`: the latest from memory, older ones from the stored tiles, each proven.
//!
//! Judging takes an entry's leaf hash or none, and none makes a statement that has seen it unauthentic. So one that cannot
//! be read is a failure, which whoever judges asks for afterwards ([`Leaves::failure`]): a disk that hiccups must not
//! decide what counts.

use crate::client::{Client, ReadError};
use crate::hash::Hash;
use crate::merkle::builder::TileBuilder;
use crate::merkle::tile::TILE_WIDTH;
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
    failure: Option<ReadError>,
}

impl Leaves {
    /// Leaf hashes of a log of which so much is stored.
    #[must_use]
    pub fn new(stored: TileBuilder) -> Self {
        Self { first: stored.size(), stored, recent: Vec::new(), tile: None, failure: None }
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

    /// Why a leaf hash could not be read since this was last asked.
    ///
    /// # Errors
    /// [`ReadError`]: what was judged meanwhile was judged without knowing.
    pub fn failure(&mut self) -> Result<(), ReadError> {
        self.failure.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha256;
    use crate::merkle::builder::Tile;
    use crate::store::Store as _;
    use crate::store::memory::Memory;

    #[test]
    fn an_old_leaf_is_found_at_every_size_though_only_the_last_sizes_edge_is_stored() {
        let leaf = |n: u64| sha256(&n.to_be_bytes());
        let mut builder = TileBuilder::default();
        let size = 70_000;
        let full: Vec<Tile> = (0..size).flat_map(|n| builder.push(leaf(n))).collect();
        let store = Memory::new();
        let named = |tile: Tile| (format!("public/{}", tile.path), tile.bytes);
        store
            .put_all(&full.into_iter().chain(builder.partial()).map(named).collect::<Vec<_>>())
            .expect("puts");

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
}
