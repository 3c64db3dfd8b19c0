//! What is committed and not yet in tiles: the tree with it and without, and what storing it adds, as objects.

use crate::hash::leaf_hash;
use crate::merkle::builder::{Tile, TileBuilder};
use crate::merkle::bundle::{self, BundleError};
use crate::merkle::tile::{Level, TILE_WIDTH, TilePath, edge};

/// The tree as it is stored, and the leaves that were committed since.
pub(super) struct Rounds {
    stored: TileBuilder,
    committed: TileBuilder,
    /// The tiles that got full since.
    full: Vec<Tile>,
    /// The entries of the stored tree's last bundle where that is partial, and behind them those that are not stored.
    entries: Vec<Vec<u8>>,
    /// How many of them are stored.
    tail: usize,
}

/// A tree with some leaves more, and the tiles that these fill.
pub(super) struct Grown {
    pub(super) tree: TileBuilder,
    full: Vec<Tile>,
}

impl Rounds {
    /// Nothing beyond what is stored: a tree, and the entries of its last bundle where that is partial.
    pub(super) fn none(stored: TileBuilder, tail: Vec<Vec<u8>>) -> Self {
        Self { committed: stored.clone(), stored, full: Vec::new(), tail: tail.len(), entries: tail }
    }

    /// The tree as it is stored.
    pub(super) fn stored(&self) -> &TileBuilder {
        &self.stored
    }

    /// The leaves that are not stored.
    pub(super) fn leaves(&self) -> &[Vec<u8>] {
        &self.entries[self.tail..]
    }

    /// Works out what the tree becomes with more leaves.
    pub(super) fn grown(&self, leaves: &[Vec<u8>]) -> Grown {
        let mut tree = self.committed.clone();
        let full = leaves.iter().flat_map(|leaf| tree.push(leaf_hash(leaf))).collect();
        Grown { tree, full }
    }

    /// These leaves are committed, and make that of the tree.
    pub(super) fn take(&mut self, grown: Grown, leaves: &[Vec<u8>]) {
        self.committed = grown.tree;
        self.full.extend(grown.full);
        self.entries.extend_from_slice(leaves);
    }

    /// The tiles and bundles of the committed tree that the stored one has not, under their names.
    pub(super) fn objects(&self) -> Result<Vec<(String, Vec<u8>)>, BundleError> {
        let (before, size) = (self.stored.size(), self.committed.size());
        // A partial tile of an upper level is stored already where it got no hash: its name says its width.
        let partial = self.committed.partial().filter(|tile| edge(before).all(|stored| stored != tile.path));
        let tile = |tile: Tile| (format!("public/{}", tile.path), tile.bytes);
        let mut objects: Vec<_> = self.full.iter().cloned().chain(partial).map(tile).collect();
        for (index, entries) in (before / u64::from(TILE_WIDTH)..).zip(self.entries.chunks(TILE_WIDTH.into()))
        {
            let path = TilePath::at(Level::Entries, index, size).expect("the bundle has entries");
            objects.push((format!("public/{path}"), bundle::encode(entries)?));
        }
        Ok(objects)
    }

    /// All that is committed is stored now.
    pub(super) fn are_stored(&mut self) {
        self.stored = self.committed.clone();
        self.full.clear();
        self.tail = self.entries.len() % usize::from(TILE_WIDTH);
        self.entries.drain(..self.entries.len() - self.tail);
    }
}
