//! Leaf hashes by index, for `seen`: the latest from memory, older ones from the stored tiles.

use crate::client;
use crate::hash::Hash;
use crate::merkle::tile::{Level, TILE_WIDTH, TilePath};
use crate::store::Read;

/// How many leaf hashes are kept in memory.
const RECENT: usize = 1 << 14;

/// Leaf hashes by index.
#[derive(Debug)]
pub struct Leaves {
    stored: u64,
    /// The leaf hashes from index `first` on.
    first: u64,
    recent: Vec<Hash>,
    tile: Option<(u64, Vec<Hash>)>,
}

impl Leaves {
    /// Leaf hashes of a log of which so many are stored.
    #[must_use]
    pub fn new(stored: u64) -> Self {
        Self { stored, first: stored, recent: Vec::new(), tile: None }
    }

    /// Takes the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.recent.push(leaf);
    }

    /// So many leaves are stored now; what memory need not hold is dropped.
    pub fn stored(&mut self, size: u64) {
        self.stored = size;
        let surplus = self.recent.len().saturating_sub(RECENT);
        let droppable = usize::try_from(size - self.first).unwrap_or(usize::MAX).min(surplus);
        self.recent.drain(..droppable);
        self.first += u64::try_from(droppable).expect("fits");
        self.tile = None;
    }

    /// The leaf hash at an index; none where the stored tile is missing or damaged.
    pub fn at(&mut self, store: &dyn Read, index: u64) -> Option<Hash> {
        if let Some(recent) = index.checked_sub(self.first) {
            return self.recent.get(usize::try_from(recent).ok()?).copied();
        }
        let number = index / u64::from(TILE_WIDTH);
        if self.tile.as_ref().is_none_or(|(have, _)| *have != number) {
            let path = TilePath::at(Level::Hash(0), number, self.stored)?;
            let bytes = client::object(store, path).ok()??;
            self.tile = Some((number, path.hashes(&bytes).ok()?));
        }
        let (_, hashes) = self.tile.as_ref()?;
        hashes.get(usize::try_from(index % u64::from(TILE_WIDTH)).ok()?).copied()
    }
}
