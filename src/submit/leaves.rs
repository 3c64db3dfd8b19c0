//! Leaf hashes by index, for `seen`: the latest from memory, older ones from the stored tiles, each proven.
//!
//! Judging takes an entry's leaf hash or none, and none makes a statement that has seen it unauthentic. So one that cannot
//! be read is a failure, which whoever judges asks for afterwards ([`Leaves::failure`]): a disk that hiccups must not
//! decide what counts.

use crate::client::{Client, ReadError};
use crate::hash::Hash;
use crate::merkle::tile::TILE_WIDTH;
use crate::store::Read;

/// How many leaf hashes are kept in memory.
const RECENT: usize = 1 << 14;

/// Leaf hashes by index.
#[derive(Debug)]
pub struct Leaves {
    /// How many are stored, and the root over them.
    stored: (u64, Hash),
    /// The leaf hashes from index `first` on.
    first: u64,
    recent: Vec<Hash>,
    tile: Option<(u64, Vec<Hash>)>,
    failure: Option<ReadError>,
}

impl Leaves {
    /// Leaf hashes of a log of which so many are stored, under this root.
    #[must_use]
    pub fn new(stored: u64, root: Hash) -> Self {
        Self { stored: (stored, root), first: stored, recent: Vec::new(), tile: None, failure: None }
    }

    /// Takes the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.recent.push(leaf);
    }

    /// So many leaves are stored now, under this root; what memory need not hold is dropped.
    pub fn stored(&mut self, size: u64, root: Hash) {
        self.stored = (size, root);
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
            let (size, root) = self.stored;
            match Client::open(store, size, root).and_then(|mut client| client.leaf_hashes(number)) {
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
