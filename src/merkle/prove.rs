//! Proofs made from stored tiles that nobody trusts.
//!
//! Whoever stores the tiles may have damaged or forged them. So a [`StoredTree`] is opened with a size and a root that
//! are trusted, from a verified checkpoint, say. Opening reads the partial tiles at the right edge and folds them into
//! a root, which must be the one given; any other tile is read only when it is needed, and must fold into the hash that
//! stands for it in the tile above, which was checked before:
//!
//! ```text
//! size 70,000:   tile/2/000.p/1, tile/1/001.p/17, tile/0/273.p/112   fold into the root
//!                tile/1/000    folds into hash 0 of tile/2/000
//!                tile/0/007    folds into hash 7 of tile/1/000
//! ```
//!
//! So a tree gives the right hash or an error, never a wrong one. The definitions of the proofs are those of RFC 6962,
//! sections 2.1.1 and 2.1.2. Reading is the caller's, behind [`TileReader`].

use super::builder::TileBuilder;
use super::bundle;
use super::tile::{Level, TileError, TilePath, edge};
use super::tree::{fold_peaks, perfect_root};
use crate::hash::Hash;
use std::collections::BTreeMap;

/// The most tiles that a [`StoredTree`] keeps in memory, of 8 KiB each.
pub const TILES_KEPT_MAX: usize = 1024;

/// The most roots of parts of tiles that a [`StoredTree`] keeps.
const ROOTS_KEPT_MAX: usize = 4096;

/// Where tiles are read from.
pub trait TileReader {
    /// Why a tile cannot be read.
    type Error;

    /// Reads a tile of hashes: 32 bytes for each hash of `path.width`, or an error if it is not there.
    ///
    /// A partial tile may have been deleted in favour of the full one: [`read_partial_or_full`].
    ///
    /// # Errors
    /// The reader's own.
    fn tile(&self, path: TilePath) -> Result<Vec<u8>, Self::Error>;

    /// Is told that these bytes of a full tile fold into the hash that stands for it in a tree whose root is trusted.
    fn proven(&self, path: TilePath, bytes: &[u8]) {
        let _ = (path, bytes);
    }
}

impl<F, E> TileReader for F
where
    F: Fn(TilePath) -> Result<Vec<u8>, E>,
{
    type Error = E;

    fn tile(&self, path: TilePath) -> Result<Vec<u8>, E> {
        self(path)
    }
}

/// Why a proof cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// A tile could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The tile.
        path: TilePath,
        /// The reader's error.
        source: E,
    },
    /// A tile has a wrong length.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The tiles at the right edge are not those of the tree with the trusted root.
    #[error("the right edge of the tree of size {size} folds into root {got}, want {want}")]
    Edge {
        /// The size of the tree.
        size: u64,
        /// The root that the tiles give.
        got: Hash,
        /// The trusted root.
        want: Hash,
    },
    /// A tile does not fold into the hash that stands for it one level up.
    #[error("{path} folds into {got}, want {want}")]
    Unauthentic {
        /// The tile.
        path: TilePath,
        /// What its hashes fold into.
        got: Hash,
        /// The hash above, which is right.
        want: Hash,
    },
    /// The tree has no such leaf.
    #[error("no leaf {index} in a tree of size {size}")]
    NoSuchLeaf {
        /// The index asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The tree never had such a size, or it is one from which nothing can be proved.
    #[error("no proof from size {asked} in a tree of size {size}")]
    NoSuchSize {
        /// The size asked for.
        asked: u64,
        /// The size of the tree.
        size: u64,
    },
}

/// A tree of known size and root whose tiles lie elsewhere.
#[derive(Debug)]
pub struct StoredTree<R> {
    reader: R,
    size: u64,
    root: Hash,
    /// By level and index; each was checked. The partial ones, at the right edge, are always here.
    tiles: BTreeMap<(u8, u64), Vec<Hash>>,
    /// By their first leaf and the logarithm of how many leaves: proofs of neighbours share most of them.
    roots: BTreeMap<(u64, u32), Hash>,
}

impl<R: TileReader> StoredTree<R> {
    /// Opens a tree whose size and root are trusted.
    ///
    /// # Errors
    /// [`ProveError::Read`], [`ProveError::Tile`] and [`ProveError::Edge`].
    pub fn open(reader: R, size: u64, root: Hash) -> Result<Self, ProveError<R::Error>> {
        let mut tree = Self { reader, size, root, tiles: BTreeMap::new(), roots: BTreeMap::new() };
        for path in edge(size) {
            let Level::Hash(level) = path.level else { continue };
            let (_, hashes) = tree.read(path)?;
            tree.tiles.insert((level, path.index), hashes);
        }
        let got = tree.builder().root();
        if got == root { Ok(tree) } else { Err(ProveError::Edge { size, got, want: root }) }
    }

    /// Opens a tree that was built here: its right edge need not be stored, as that of a size between two checkpoints
    /// never is.
    pub fn resume(reader: R, builder: &TileBuilder) -> Self {
        let mut tiles = BTreeMap::new();
        for path in edge(builder.size()) {
            let Level::Hash(level) = path.level else { continue };
            tiles.insert((level, path.index), builder.edge()[usize::from(level)].clone());
        }
        Self { reader, size: builder.size(), root: builder.root(), tiles, roots: BTreeMap::new() }
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root, which was trusted from the start.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.root
    }

    /// What goes on appending to this tree: its right edge, as it is stored and was checked.
    #[must_use]
    pub fn builder(&self) -> TileBuilder {
        let hashes = |path: TilePath| match path.level {
            Level::Hash(level) => Some((usize::from(level), self.tiles.get(&(level, path.index))?)),
            Level::Entries => None,
        };
        let mut levels = Vec::new();
        for (level, hashes) in edge(self.size).filter_map(hashes) {
            levels.resize(level, Vec::new());
            levels.push(hashes.clone());
        }
        TileBuilder::resume(self.size, levels).expect("the tiles of the edge have their widths")
    }

    /// The hash of the leaf at an index.
    ///
    /// # Errors
    /// [`ProveError`], if there is none, or a tile on the way is missing or wrong.
    pub fn leaf_hash(&mut self, index: u64) -> Result<Hash, ProveError<R::Error>> {
        self.check_index(index)?;
        self.node(index, 0)
    }

    /// The hashes of up to 256 leaves, those of the tile of level 0 with an index: what an entry bundle is held against.
    ///
    /// # Errors
    /// [`ProveError`], if there are none, or a tile on the way is missing or wrong.
    pub fn leaf_hashes(&mut self, tile: u64) -> Result<&[Hash], ProveError<R::Error>> {
        self.check_index(tile.saturating_mul(256))?;
        self.tile(0, tile)
    }

    /// The inclusion proof of the leaf at an index: its sibling first (RFC 6962, section 2.1.1).
    ///
    /// # Errors
    /// [`ProveError`], if there is no such leaf, or a tile on the way is missing or wrong.
    pub fn inclusion_proof(&mut self, index: u64) -> Result<Vec<Hash>, ProveError<R::Error>> {
        self.check_index(index)?;
        let (mut start, mut end, mut proof) = (0, self.size, Vec::new());
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                proof.push(self.range(middle, end)?);
                end = middle;
            } else {
                proof.push(self.range(start, middle)?);
                start = middle;
            }
        }
        proof.reverse();
        Ok(proof)
    }

    /// The consistency proof from an older size to this one (RFC 6962, section 2.1.2); empty from this size itself.
    ///
    /// # Errors
    /// [`ProveError`], if the older size is 0 or greater than this one, or a tile on the way is missing or wrong.
    pub fn consistency_proof(&mut self, old_size: u64) -> Result<Vec<Hash>, ProveError<R::Error>> {
        self.check_size(old_size)?;
        if old_size == 0 {
            return Err(ProveError::NoSuchSize { asked: 0, size: self.size });
        }
        let (mut start, mut end, mut proof) = (0, self.size, Vec::new());
        while old_size != end {
            let middle = start + split(end - start);
            if old_size <= middle {
                proof.push(self.range(middle, end)?);
                end = middle;
            } else {
                proof.push(self.range(start, middle)?);
                start = middle;
            }
        }
        // The old tree ends here. Its last part is given, unless it is all of the old tree, whose root is known.
        if start != 0 {
            proof.push(self.range(start, end)?);
        }
        proof.reverse();
        Ok(proof)
    }

    /// The root that the tree had when it had `size` leaves.
    ///
    /// # Errors
    /// [`ProveError`], if it never had, or a tile on the way is missing or wrong.
    pub fn root_at(&mut self, size: u64) -> Result<Hash, ProveError<R::Error>> {
        self.check_size(size)?;
        self.range(0, size)
    }

    fn check_index(&self, index: u64) -> Result<(), ProveError<R::Error>> {
        if index < self.size { Ok(()) } else { Err(ProveError::NoSuchLeaf { index, size: self.size }) }
    }

    fn check_size(&self, asked: u64) -> Result<(), ProveError<R::Error>> {
        if asked <= self.size { Ok(()) } else { Err(ProveError::NoSuchSize { asked, size: self.size }) }
    }

    /// The root of leaves `start` to `end` − 1, where `start` is a multiple of the greatest power of two in their number.
    fn range(&mut self, start: u64, end: u64) -> Result<Hash, ProveError<R::Error>> {
        let (mut at, mut peaks) = (start, Vec::new());
        while at < end {
            let log2 = (end - at).ilog2();
            peaks.push(self.node(at, log2)?);
            at += 1 << log2;
        }
        Ok(fold_peaks(&peaks))
    }

    /// The root of the 2^log2 leaves from `start` on, which is a multiple of that number.
    fn node(&mut self, start: u64, log2: u32) -> Result<Hash, ProveError<R::Error>> {
        if let Some(root) = self.roots.get(&(start, log2)) {
            return Ok(*root);
        }
        let level = u8::try_from(log2 / 8).expect("at most 7");
        let at = start >> (8 * u32::from(level));
        let hashes = self.tile(level, at / 256)?;
        let first = usize::try_from(at % 256).expect("less than 256");
        let root = perfect_root(&hashes[first..first + (1 << (log2 % 8))]);
        // A single hash is found as fast in its tile.
        if !log2.is_multiple_of(8) {
            if self.roots.len() >= ROOTS_KEPT_MAX {
                self.roots.clear();
            }
            self.roots.insert((start, log2), root);
        }
        Ok(root)
    }

    /// A tile of the tree, checked: kept from before, or read with those above it that are not here.
    fn tile(&mut self, level: u8, index: u64) -> Result<&[Hash], ProveError<R::Error>> {
        if self.tiles.len() >= TILES_KEPT_MAX {
            self.tiles.retain(|_, hashes| hashes.len() < 256);
        }
        let mut missing = Vec::new();
        let (mut l, mut i) = (level, index);
        while !self.tiles.contains_key(&(l, i)) {
            missing.push((l, i));
            (l, i) = (l + 1, i / 256);
        }
        for (level, index) in missing.into_iter().rev() {
            // What is not at the edge is full, and has its hash one level up.
            let path = TilePath { level: Level::Hash(level), index, width: 256 };
            let want =
                self.tiles[&(level + 1, index / 256)][usize::try_from(index % 256).expect("less than 256")];
            let (bytes, hashes) = self.read(path)?;
            let got = perfect_root(&hashes);
            if got != want {
                return Err(ProveError::Unauthentic { path, got, want });
            }
            self.reader.proven(path, &bytes);
            self.tiles.insert((level, index), hashes);
        }
        Ok(&self.tiles[&(level, index)])
    }

    fn read(&self, path: TilePath) -> Result<Tile, ProveError<R::Error>> {
        let bytes = self.reader.tile(path).map_err(|source| ProveError::Read { path, source })?;
        let hashes = path.hashes(&bytes)?;
        Ok((bytes, hashes))
    }
}

/// A tile as it was read: its bytes, and the hashes in them.
type Tile = (Vec<u8>, Vec<Hash>);

/// The greatest power of two that is less than a number of at least 2.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// Reads a tile or bundle that may be there in full only: partial ones may be deleted once the full one exists
/// (c2sp.org/tlog-tiles, "Partial tiles"). What was full is cut to the width asked for.
///
/// `read` says none where there is no such object; so does this, if neither is there.
///
/// # Errors
/// Those of `read`.
pub fn read_partial_or_full<E>(
    path: TilePath,
    mut read: impl FnMut(TilePath) -> Result<Option<Vec<u8>>, E>,
) -> Result<Option<Vec<u8>>, E> {
    if let found @ Some(_) = read(path)? {
        return Ok(found);
    }
    if path.is_full() {
        return Ok(None);
    }
    let mut full = read(path.full())?;
    if let Some(bytes) = &mut full {
        // Too short a one stays as it is: whoever takes it apart will say so.
        let cut = match path.level {
            Level::Hash(_) => path.hashes_len(),
            Level::Entries => bundle::truncated(bytes, path.width).map_or(bytes.len(), <[u8]>::len),
        };
        bytes.truncate(cut);
    }
    Ok(full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{EMPTY_ROOT, leaf_hash};
    use crate::merkle::reference::{consistency, inclusion, leaves, root};
    use crate::merkle::tile::tiles;
    use crate::merkle::tree::Frontier;
    use crate::merkle::verify::{verify_consistency, verify_inclusion};
    use proptest::prelude::*;
    use std::cell::Cell;

    type Tiles = BTreeMap<TilePath, Vec<u8>>;

    fn store(leaves: &[Hash]) -> Tiles {
        let mut builder = TileBuilder::default();
        let mut tiles: Tiles =
            leaves.iter().flat_map(|leaf| builder.push(*leaf)).map(|tile| (tile.path, tile.bytes)).collect();
        tiles.extend(builder.partial().map(|tile| (tile.path, tile.bytes)));
        tiles
    }

    fn open(
        tiles: &Tiles,
        size: usize,
        root: Hash,
    ) -> Result<StoredTree<impl TileReader<Error = ()>>, ProveError<()>> {
        StoredTree::open(|path| tiles.get(&path).cloned().ok_or(()), size.try_into().unwrap(), root)
    }

    #[test]
    fn proofs_are_those_of_the_definition() {
        for size in [1, 2, 3, 255, 256, 257, 300, 512, 777] {
            let leaves = leaves(size);
            let tiles = store(&leaves);
            let mut tree = open(&tiles, size, root(&leaves)).unwrap();
            assert_eq!((usize::try_from(tree.size()), tree.root()), (Ok(size), root(&leaves)));
            for (index, i) in (0..size).zip(0..).step_by(if size > 4 { 17 } else { 1 }) {
                assert_eq!(tree.leaf_hash(i), Ok(leaves[index]));
                assert_eq!(tree.inclusion_proof(i), Ok(inclusion(index, &leaves)), "{i} of {size}");
                assert_eq!(
                    tree.consistency_proof(i + 1),
                    Ok(consistency(index + 1, &leaves)),
                    "{i} + 1 to {size}"
                );
                assert_eq!(tree.root_at(i), Ok(root(&leaves[..index])));
            }
            let n = u64::try_from(size).unwrap();
            assert_eq!(tree.consistency_proof(n), Ok(vec![]));
            assert_eq!(tree.root_at(n), Ok(root(&leaves)));
            assert_eq!(tree.leaf_hash(n), Err(ProveError::NoSuchLeaf { index: n, size: n }));
            assert_eq!(tree.inclusion_proof(n), Err(ProveError::NoSuchLeaf { index: n, size: n }));
            assert_eq!(tree.root_at(n + 1), Err(ProveError::NoSuchSize { asked: n + 1, size: n }));
            assert_eq!(tree.consistency_proof(n + 1), Err(ProveError::NoSuchSize { asked: n + 1, size: n }));
            assert_eq!(tree.consistency_proof(0), Err(ProveError::NoSuchSize { asked: 0, size: n }));
        }
    }

    #[test]
    fn an_empty_tree_has_its_root_and_nothing_else() {
        let tiles = Tiles::new();
        let mut tree = open(&tiles, 0, EMPTY_ROOT).unwrap();
        assert_eq!(tree.root_at(0), Ok(EMPTY_ROOT));
        assert_eq!(tree.leaf_hashes(0).unwrap_err(), ProveError::NoSuchLeaf { index: 0, size: 0 });
        let other = Hash([7; 32]);
        assert_eq!(
            open(&tiles, 0, other).err(),
            Some(ProveError::Edge { size: 0, got: EMPTY_ROOT, want: other })
        );
    }

    /// A tree of three levels of tiles.
    fn large() -> (Vec<Hash>, Tiles, Hash) {
        let leaves: Vec<Hash> = (0..66_000_u32).map(|i| leaf_hash(&i.to_be_bytes())).collect();
        let mut tree = Frontier::default();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        let tiles = store(&leaves);
        (leaves, tiles, tree.root())
    }

    #[test]
    fn proofs_across_three_levels_of_tiles_verify() {
        let (leaves, tiles, new) = large();
        let mut tree = open(&tiles, leaves.len(), new).unwrap();
        for i in [0, 1, 255, 256, 40_000, 65_535, 65_536, 65_999] {
            let leaf = leaves[usize::try_from(i).unwrap()];
            assert_eq!(verify_inclusion(i, 66_000, &leaf, &tree.inclusion_proof(i).unwrap(), &new), Ok(()));
            let (old, proof) = (tree.root_at(i + 1).unwrap(), tree.consistency_proof(i + 1).unwrap());
            assert_eq!(verify_consistency(i + 1, 66_000, &old, &new, &proof), Ok(()));
        }
        assert_eq!(tree.leaf_hashes(256).unwrap(), &leaves[65_536..65_792]);
        assert_eq!(tree.leaf_hashes(257).unwrap(), &leaves[65_792..]);
        assert_eq!(tree.builder().root(), new);
    }

    #[test]
    fn a_flipped_bit_in_any_tile_is_found_and_never_used() {
        let (leaves, good, new) = large();
        for path in tiles(66_000) {
            let mut bad = good.clone();
            bad.get_mut(&path).unwrap()[17] ^= 4;
            let Ok(mut tree) = open(&bad, leaves.len(), new) else {
                assert!(!path.is_full(), "{path} is not at the edge");
                continue;
            };
            assert!(path.is_full(), "{path} is at the edge");
            let Level::Hash(level) = path.level else { unreachable!() };
            let below = path.index << (8 * (u32::from(level) + 1));
            let refused = tree.leaf_hash(below).unwrap_err();
            assert!(matches!(refused, ProveError::Unauthentic { path: at, .. } if at == path), "{refused}");
            // The proof of a far leaf needs the root of this tile at most, which is checked.
            let proof = tree.inclusion_proof(65_999).unwrap();
            assert_eq!(verify_inclusion(65_999, 66_000, &leaves[65_999], &proof, &new), Ok(()));
        }
    }

    #[test]
    fn a_tile_missing_cut_or_swapped_is_found() {
        let (leaves, good, new) = large();
        let [first, second, last] =
            ["tile/0/000", "tile/0/001", "tile/0/257.p/208"].map(|path| path.parse::<TilePath>().unwrap());
        let mut bad = good.clone();
        bad.remove(&first);
        let refused = open(&bad, leaves.len(), new).unwrap().leaf_hash(0);
        assert_eq!(refused, Err(ProveError::Read { path: first, source: () }));
        bad.insert(first, good[&second].clone());
        let refused = open(&bad, leaves.len(), new).unwrap().leaf_hash(0);
        assert!(matches!(refused, Err(ProveError::Unauthentic { .. })));
        bad.insert(last, good[&last][32..].to_vec());
        assert!(matches!(
            open(&bad, leaves.len(), new).err(),
            Some(ProveError::Tile(TileError::Length { .. }))
        ));
    }

    #[test]
    fn a_tile_is_read_once_as_long_as_few_are_kept() {
        let leaves = leaves(300);
        let tiles = store(&leaves);
        let reads = Cell::new(0);
        let reader = |path| {
            reads.set(reads.get() + 1);
            tiles.get(&path).cloned().ok_or(())
        };
        let mut tree = StoredTree::open(reader, 300, root(&leaves)).unwrap();
        for (i, leaf) in (0..).zip(&leaves) {
            assert_eq!(tree.leaf_hash(i), Ok(*leaf));
        }
        assert_eq!(reads.get(), 3);
    }

    #[test]
    fn more_tiles_than_are_kept_are_read_again() {
        let leaves = vec![EMPTY_ROOT; 256 * (TILES_KEPT_MAX + 5)];
        let tiles = store(&leaves);
        let mut frontier = Frontier::default();
        leaves.iter().for_each(|leaf| frontier.push(*leaf));
        let mut tree = open(&tiles, leaves.len(), frontier.root()).unwrap();
        for tile in 0..u64::try_from(TILES_KEPT_MAX).unwrap() + 5 {
            assert_eq!(tree.leaf_hashes(tile).unwrap().len(), 256);
            assert!(tree.tiles.len() <= TILES_KEPT_MAX + 8);
        }
    }

    #[test]
    fn a_partial_tile_is_cut_from_the_full_one_where_it_was_deleted() {
        let leaves = leaves(256);
        let tiles = store(&leaves);
        let read = |path: TilePath| Ok::<_, ()>(tiles.get(&path).cloned());
        let reader = |path| read_partial_or_full(path, read)?.ok_or(());
        let mut tree = StoredTree::open(reader, 100, root(&leaves[..100])).unwrap();
        assert_eq!(tree.leaf_hash(99), Ok(leaves[99]));
        let bundles =
            |path: TilePath| Ok::<_, ()>(path.is_full().then(|| bundle::encode(&[b"x"; 256]).unwrap()));
        let path = TilePath { level: Level::Entries, index: 0, width: 3 };
        let cut = read_partial_or_full(path, bundles).unwrap().unwrap();
        assert_eq!(bundle::parse(&cut, 3).unwrap().len(), 3);
        assert_eq!(read_partial_or_full(path, |_| Ok::<_, ()>(None)), Ok(None));
    }

    proptest! {
        #[test]
        fn whatever_is_stored_no_wrong_hash_comes_out(size in 1..700usize, at: prop::sample::Index, byte: prop::sample::Index, flip: u8, index: prop::sample::Index) {
            let leaves = leaves(size);
            let mut tiles = store(&leaves);
            let at = at.index(tiles.len());
            let tile = tiles.values_mut().nth(at).unwrap();
            let byte = byte.index(tile.len());
            tile[byte] ^= flip;
            if let Ok(mut tree) = open(&tiles, size, root(&leaves)) {
                let index = index.index(size);
                let i = u64::try_from(index).unwrap();
                if let Ok(hash) = tree.leaf_hash(i) {
                    prop_assert_eq!(hash, leaves[index]);
                }
                if let Ok(proof) = tree.inclusion_proof(i) {
                    prop_assert_eq!(proof, inclusion(index, &leaves));
                }
                if let Ok(hash) = tree.root_at(i) {
                    prop_assert_eq!(hash, root(&leaves[..index]));
                }
            }
        }
    }
}
