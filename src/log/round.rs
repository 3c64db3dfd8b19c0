//! What a round adds to a log: the tiles and bundles that change, as objects.

use crate::hash::leaf_hash;
use crate::merkle::builder::TileBuilder;
use crate::merkle::bundle::{self, BundleError};
use crate::merkle::tile::{Level, TILE_WIDTH, TilePath, edge};

/// A round, worked out and not yet written.
pub(super) struct Round {
    /// The tree with the round in it.
    pub(super) builder: TileBuilder,
    /// The tiles and bundles that differ from those of the tree before, under their names.
    pub(super) objects: Vec<(String, Vec<u8>)>,
    /// The entries of the new last bundle, where it is partial.
    pub(super) tail: Vec<Vec<u8>>,
}

impl Round {
    /// Works out what leaves add to a tree; `tail` are the entries of its last bundle, where that is partial.
    pub(super) fn of(
        before: &TileBuilder,
        tail: &[Vec<u8>],
        leaves: &[Vec<u8>],
    ) -> Result<Self, BundleError> {
        let mut builder = before.clone();
        let mut tiles: Vec<_> = leaves.iter().flat_map(|leaf| builder.push(leaf_hash(leaf))).collect();
        // A partial tile of an upper level is stored already where it got no hash: its name says its width.
        tiles.extend(builder.partial().filter(|tile| edge(before.size()).all(|stored| stored != tile.path)));
        let mut objects: Vec<_> =
            tiles.into_iter().map(|t| (format!("public/{}", t.path), t.bytes)).collect();
        let width = usize::from(TILE_WIDTH);
        let first = before.size() / u64::from(TILE_WIDTH);
        let all: Vec<&Vec<u8>> = tail.iter().chain(leaves).collect();
        for (index, entries) in (first..).zip(all.chunks(width)) {
            let path = TilePath::at(Level::Entries, index, builder.size()).expect("the bundle has entries");
            objects.push((format!("public/{path}"), bundle::encode(entries)?));
        }
        let tail = all[all.len() / width * width..].iter().map(|entry| (*entry).clone()).collect();
        Ok(Self { builder, objects, tail })
    }
}
