//! Leaf hashes in, tiles out.
//!
//! The writer makes the tiles it stores with a [`TileBuilder`]; the auditor makes them again from the entries alone and
//! compares. It is fed leaf hashes in order, hands out each tile when it is full, and knows the partial ones and the
//! root at any time:
//!
//! ```
//! use servanda::hash::leaf_hash;
//! use servanda::merkle::builder::TileBuilder;
//! let mut builder = TileBuilder::default();
//! let full: Vec<_> = (0..300).flat_map(|i: u32| builder.push(leaf_hash(&i.to_be_bytes()))).collect();
//! assert_eq!(full[0].path.to_string(), "tile/0/000");
//! let partial: Vec<_> = builder.partial().map(|tile| tile.path.to_string()).collect();
//! assert_eq!(partial, ["tile/0/001.p/44", "tile/1/000.p/1"]);
//! ```
//!
//! It goes on from the partial tiles of the right edge alone ([`TileBuilder::resume`], [`super::tile::edge`]). These are
//! taken as they are: compare the root with a trusted one before building on them.

use super::tile::{LEVELS, Level, TILE_LEN, TILE_WIDTH, TilePath, edge};
use super::tree::{Frontier, fold_peaks, perfect_root};
use crate::hash::Hash;

/// A tile of hashes, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Its name: level, index, and number of hashes.
    pub path: TilePath,
    /// Its hashes, 32 bytes each.
    pub bytes: Vec<u8>,
}

/// The right edge given is not that of a tree of the size given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EdgeError {
    /// A level has another number of hashes than the size asks for.
    #[error("right edge has width {got} on level {level}, want {want}")]
    Width {
        /// The level.
        level: u8,
        /// The number of hashes given.
        got: usize,
        /// The number that a tree of this size has in its partial tile there: 0 to 255.
        want: usize,
    },
    /// There are more levels than a tree can have.
    #[error("right edge has {0} levels, more than {LEVELS}")]
    Levels(usize),
}

/// A tree that grows, as its partial tiles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TileBuilder {
    size: u64,
    /// The hashes of the partial tile of each level, fewer than 256 each; the last level is not empty.
    levels: Vec<Vec<Hash>>,
}

impl TileBuilder {
    /// Goes on at a size, from the hashes of the partial tile of each level, from 0 upwards: an empty list where the
    /// size has none; empty lists at the end may be left out.
    ///
    /// # Errors
    /// [`EdgeError`], if these are not as many as a tree of that size has.
    pub fn resume(size: u64, mut levels: Vec<Vec<Hash>>) -> Result<Self, EdgeError> {
        while levels.pop_if(|level| level.is_empty()).is_some() {}
        if levels.len() > usize::from(LEVELS) {
            return Err(EdgeError::Levels(levels.len()));
        }
        for level in 0..LEVELS {
            let got = levels.get(usize::from(level)).map_or(0, Vec::len);
            let want =
                edge(size).find(|path| path.level == Level::Hash(level)).map_or(0, |path| path.width.into());
            if got != want {
                return Err(EdgeError::Width { level, got, want });
            }
        }
        Ok(Self { size, levels })
    }

    /// Appends a leaf; gives the tiles that it completes, from level 0 upwards: mostly none.
    ///
    /// # Panics
    /// At 2^64 − 1 leaves.
    pub fn push(&mut self, leaf: Hash) -> Vec<Tile> {
        self.size = self.size.checked_add(1).expect("a log has fewer than 2^64 leaves");
        let mut full = Vec::new();
        let mut hash = leaf;
        for level in 0..LEVELS {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::new());
            }
            let hashes = &mut self.levels[at];
            hashes.push(hash);
            if hashes.len() < usize::from(TILE_WIDTH) {
                break;
            }
            hash = perfect_root(hashes);
            full.push(tile(level, self.size, hashes));
            hashes.clear();
        }
        full
    }

    /// The partial tiles, from level 0 upwards.
    pub fn partial(&self) -> impl Iterator<Item = Tile> {
        (0..LEVELS)
            .zip(&self.levels)
            .filter(|(_, hashes)| !hashes.is_empty())
            .map(|(level, hashes)| tile(level, self.size, hashes))
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of the partial tile of each level: what [`TileBuilder::resume`] takes.
    #[must_use]
    pub fn edge(&self) -> &[Vec<Hash>] {
        &self.levels
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold_peaks(&self.peaks())
    }

    /// The same tree without its tiles.
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        Frontier::from_parts(self.size, self.peaks())
            .expect("partial tiles have a peak for each bit of the size")
    }

    /// The roots of the perfect subtrees that end at the right edge, the largest first.
    fn peaks(&self) -> Vec<Hash> {
        let mut peaks = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut rest = &hashes[..];
            while !rest.is_empty() {
                let (peak, after) = rest.split_at(1 << rest.len().ilog2());
                peaks.push(perfect_root(peak));
                rest = after;
            }
        }
        peaks
    }
}

/// The last tile that a level has at a size.
fn tile(level: u8, size: u64, hashes: &[Hash]) -> Tile {
    let mut bytes = Vec::with_capacity(TILE_LEN);
    bytes.extend(hashes.iter().flat_map(|hash| hash.0));
    let last = ((size >> (8 * u32::from(level))) - 1) / u64::from(TILE_WIDTH);
    let path = TilePath::at(Level::Hash(level), last, size).expect("a level with hashes has a last tile");
    debug_assert_eq!(path.hashes_len(), bytes.len());
    Tile { path, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::EMPTY_ROOT;
    use crate::merkle::reference::{leaves, root};
    use crate::merkle::tile::{growth, tiles};
    use std::collections::BTreeMap;

    #[test]
    fn tiles_and_roots_are_those_of_the_definition() {
        let leaves = leaves(600);
        let mut builder = TileBuilder::default();
        assert_eq!((builder.root(), builder.partial().count()), (EMPTY_ROOT, 0));
        let mut full = vec![];
        for (leaf, size) in leaves.iter().zip(1..) {
            full.extend(builder.push(*leaf));
            assert_eq!(builder.size(), size);
            if size % 7 == 0 || size % 256 < 2 {
                let size = usize::try_from(size).unwrap();
                assert_eq!(builder.root(), root(&leaves[..size]), "size {size}");
                assert_eq!(builder.frontier().root(), builder.root());
            }
            let have: BTreeMap<_, _> =
                full.iter().cloned().chain(builder.partial()).map(|t| (t.path, t.bytes)).collect();
            assert!(have.keys().copied().eq(tiles(size)), "size {size}");
        }
        assert_eq!(full[1].path.to_string(), "tile/0/001");
        assert_eq!(full[1].path.hashes(&full[1].bytes).unwrap(), leaves[256..512]);
        let upper = builder.partial().last().unwrap();
        assert_eq!(upper.path.hashes(&upper.bytes).unwrap(), [root(&leaves[..256]), root(&leaves[256..512])]);
    }

    #[test]
    fn building_on_gives_the_tiles_of_the_growth() {
        let mut builder = TileBuilder::default();
        let leaf = EMPTY_ROOT;
        for _ in 0..65_000 {
            builder.push(leaf);
        }
        let mut resumed = TileBuilder::resume(builder.size(), builder.edge().to_vec()).unwrap();
        assert_eq!(resumed, builder);
        let mut written: Vec<_> = (0..1_000).flat_map(|_| resumed.push(leaf)).collect();
        written.extend(resumed.partial());
        let mut paths: Vec<_> = written.into_iter().map(|tile| tile.path).collect();
        paths.sort_unstable();
        assert!(paths.into_iter().eq(growth(65_000, 66_000)));
        for _ in 0..1_000 {
            builder.push(leaf);
        }
        assert_eq!(resumed.root(), builder.root());
    }

    #[test]
    fn an_edge_of_another_size_is_refused() {
        let edge = |widths: &[usize]| widths.iter().map(|&width| vec![EMPTY_ROOT; width]).collect::<Vec<_>>();
        assert!(TileBuilder::resume(300, edge(&[44, 1])).is_ok());
        assert!(TileBuilder::resume(256, edge(&[0, 1, 0])).is_ok());
        assert_eq!(
            TileBuilder::resume(300, edge(&[45, 1])),
            Err(EdgeError::Width { level: 0, got: 45, want: 44 })
        );
        assert_eq!(
            TileBuilder::resume(300, edge(&[44])),
            Err(EdgeError::Width { level: 1, got: 0, want: 1 })
        );
        assert_eq!(
            TileBuilder::resume(0, edge(&[0, 0, 1])),
            Err(EdgeError::Width { level: 2, got: 1, want: 0 })
        );
        assert_eq!(TileBuilder::resume(0, edge(&[0, 0, 0, 0, 0, 0, 0, 0, 1])), Err(EdgeError::Levels(9)));
    }

    #[test]
    fn the_largest_trees_have_a_tile_on_each_of_eight_levels() {
        let edge = vec![vec![EMPTY_ROOT; 255]; 8];
        let full = TileBuilder::resume(u64::MAX, edge).unwrap();
        assert_eq!((full.size(), full.partial().count()), (u64::MAX, 8));
    }
}
