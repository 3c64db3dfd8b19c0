//! Tiles, roots and proofs: ours and those of `tlog_tiles`, in memory at many sizes, and over a log's files.
//!
//! Their paths name the tile's height (`tile/8/0/001.p/44`) and call entries "data"; otherwise they are ours.

use super::with_byte;
use crate::support::small_log::{SmallLog, pledge, terms};
use crate::support::stored::in_home;
use proptest::prelude::*;
use servanda::hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
use servanda::merkle::builder::TileBuilder;
use servanda::merkle::prove::{StoredTree, TileReader};
use servanda::merkle::tile::{Level, TilePath, growth};
use servanda::merkle::tree::Frontier;
use servanda::merkle::verify::{verify_consistency, verify_inclusion};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;
use tlog_tiles::{
    EMPTY_HASH, Error, Hash as TheirHash, HashReader, Tile, TileHashReader, TileReader as TheirTileReader,
    check_record, check_tree, prove_record, prove_tree, record_hash, stored_hashes_for_record_hash,
    tree_hash,
};

const HEIGHT: u8 = 8;

/// Around one tile, several, a full tile of tiles.
const SIZES: [u64; 14] = [1, 2, 3, 8, 100, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537];

fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

fn their(hash: Hash) -> TheirHash {
    TheirHash(hash.0)
}

fn all_theirs(hashes: &[Hash]) -> Vec<TheirHash> {
    hashes.iter().copied().map(their).collect()
}

fn all_ours(hashes: &[TheirHash]) -> Vec<Hash> {
    hashes.iter().map(|hash| Hash(hash.0)).collect()
}

/// Our coordinates of one of their tiles, and the reverse.
fn ours_of(tile: &Tile) -> TilePath {
    let level = if tile.is_data() { Level::Entries } else { Level::Hash(tile.level()) };
    TilePath { level, index: tile.level_index(), width: tile.width().try_into().unwrap() }
}

fn theirs_of(path: TilePath) -> Tile {
    let (level, data) = match path.level {
        Level::Entries => (0, true),
        Level::Hash(level) => (level, false),
    };
    Tile::new(HEIGHT, level, path.index, path.width.into(), data)
}

/// Their path under our name for it.
fn renamed(path: &str) -> String {
    path.replacen("tile/8/", "tile/", 1).replacen("tile/data/", "tile/entries/", 1)
}

/// Their tree: every hash that it stores, in their order, of the largest size.
struct Dense(Vec<TheirHash>);

impl HashReader for Dense {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<TheirHash>, Error> {
        Ok(indexes.iter().map(|&at| self.0[usize::try_from(at).unwrap()]).collect())
    }
}

static DENSE: LazyLock<Dense> = LazyLock::new(|| {
    let mut dense = Dense(Vec::new());
    for index in 0..SIZES[SIZES.len() - 1] {
        let new = stored_hashes_for_record_hash(index, record_hash(&index.to_be_bytes()), &dense).unwrap();
        dense.0.extend(new);
    }
    dense
});

/// Stored tiles by our names.
#[derive(Clone)]
struct Tiles(BTreeMap<TilePath, Vec<u8>>);

impl TileReader for &Tiles {
    type Error = TilePath;

    fn tile(&self, path: TilePath) -> Result<Vec<u8>, TilePath> {
        self.0.get(&path).cloned().ok_or(path)
    }
}

impl TheirTileReader for Tiles {
    fn height(&self) -> u8 {
        HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        tiles.iter().map(|tile| self.0.get(&ours_of(tile)).cloned().ok_or(Error::InvalidTile)).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// Our tiles of a size, and the root.
fn ours(size: u64) -> (Tiles, Hash) {
    let mut builder = TileBuilder::default();
    let mut tiles: Vec<_> = (0..size).flat_map(|index| builder.push(leaf(index))).collect();
    tiles.extend(builder.partial());
    (Tiles(tiles.into_iter().map(|tile| (tile.path, tile.bytes)).collect()), builder.root())
}

/// Their tiles of a size, and the root.
fn theirs(size: u64) -> (Tiles, Hash) {
    let tiles = Tile::new_tiles(HEIGHT, 0, size);
    let read = |tile: &Tile| (ours_of(tile), tile.read_data(&*DENSE).unwrap());
    (Tiles(tiles.iter().map(read).collect()), Hash(tree_hash(size, &*DENSE).unwrap().0))
}

/// A few indexes of a tree: its ends, those around tiles, and some between.
fn some_below(size: u64) -> Vec<u64> {
    let mut all = vec![0, 1, 254, 255, 256, 257, size / 2, size / 3, size - 1, 65_279, 65_280, 65_535];
    all.retain(|&index| index < size);
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn leaf_hashes_nodes_and_roots_are_the_same() {
    assert_eq!(EMPTY_HASH.0, EMPTY_ROOT.0);
    assert_eq!(record_hash(b"leaf").0, leaf_hash(b"leaf").0);
    assert_eq!(tlog_tiles::node_hash(their(leaf(1)), their(leaf(2))).0, node_hash(&leaf(1), &leaf(2)).0);
    let mut tree = Frontier::default();
    for size in 0..=SIZES[SIZES.len() - 1] {
        if size <= 1030 || size % 251 == 0 || size >= 65_280 {
            assert_eq!(tree_hash(size, &*DENSE).unwrap().0, tree.root().0, "size {size}");
        }
        tree.push(leaf(size));
    }
}

#[test]
fn the_same_tiles_are_written_at_every_size() {
    for size in SIZES {
        let ((ours, our_root), (theirs, their_root)) = (ours(size), theirs(size));
        assert_eq!(our_root, their_root, "size {size}");
        assert!(ours.0 == theirs.0, "tiles of size {size}");
    }
}

#[test]
fn each_proves_from_the_others_tiles_and_both_accept_the_same_proofs() {
    for size in SIZES {
        let ((ours, root), (theirs, _)) = (ours(size), theirs(size));
        let mut tree = StoredTree::open(&theirs, size, root).unwrap();
        let reader = TileHashReader::new(size, their(root), &ours);
        for index in some_below(size) {
            let proof = tree.inclusion_proof(index).unwrap();
            assert_eq!(all_ours(&prove_record(size, index, &reader).unwrap()), proof, "{index} of {size}");
            inclusion(size, root, index, &proof);
            let proof = tree.consistency_proof(index + 1).unwrap();
            assert_eq!(all_ours(&prove_tree(size, index + 1, &reader).unwrap()), proof, "{index} of {size}");
            consistency(size, root, index + 1, &proof);
        }
        assert!(tree.inclusion_proof(size).is_err() && prove_record(size, size, &reader).is_err());
    }
}

/// Whether both accept an inclusion proof; they must agree.
fn both_accept_record(size: u64, root: Hash, index: u64, leaf: Hash, proof: &[Hash]) -> bool {
    let ours = verify_inclusion(index, size, &leaf, proof, &root).is_ok();
    let theirs = check_record(&all_theirs(proof), size, their(root), index, their(leaf)).is_ok();
    assert_eq!(ours, theirs, "inclusion of {index} in {size}");
    ours
}

fn both_accept_tree(size: u64, root: Hash, old: u64, old_root: Hash, proof: &[Hash]) -> bool {
    let ours = verify_consistency(old, size, &old_root, &root, proof).is_ok();
    let theirs = check_tree(&all_theirs(proof), size, their(root), old, their(old_root)).is_ok();
    assert_eq!(ours, theirs, "consistency of {old} and {size}");
    ours
}

/// Proofs with something wrong: a bit of a hash, one hash more, one less, two changed places.
fn damaged(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = vec![[proof, &[leaf(7)]].concat(), [&[leaf(7)], proof].concat()];
    for at in 0..proof.len() {
        let mut flipped = proof.to_vec();
        flipped[at].0[at % 32] ^= 1 << (at % 8);
        all.push(flipped);
        all.push([&proof[..at], &proof[at + 1..]].concat());
        if at > 0 {
            let mut swapped = proof.to_vec();
            swapped.swap(at - 1, at);
            all.push(swapped);
        }
    }
    all
}

fn inclusion(size: u64, root: Hash, index: u64, proof: &[Hash]) {
    assert!(both_accept_record(size, root, index, leaf(index), proof));
    for bad in damaged(proof) {
        assert!(!both_accept_record(size, root, index, leaf(index), &bad), "{index} of {size}");
    }
    assert!(!both_accept_record(size, root, index, leaf(index + 1), proof));
    assert!(!both_accept_record(size, leaf(0).max(leaf(1)), index, leaf(index + 2), proof));
    // A neighbour's place, and trees of other sizes: whatever they say, they say it together.
    for other in [index ^ 1, index + 1, index.saturating_sub(1)] {
        assert!(other == index || !both_accept_record(size, root, other, leaf(index), proof));
    }
    for other in [size + 1, size.saturating_sub(1), size * 2] {
        both_accept_record(other, root, index, leaf(index), proof);
    }
}

fn consistency(size: u64, root: Hash, old: u64, proof: &[Hash]) {
    let old_root = Hash(tree_hash(old, &*DENSE).unwrap().0);
    assert!(both_accept_tree(size, root, old, old_root, proof));
    for bad in damaged(proof) {
        assert!(!both_accept_tree(size, root, old, old_root, &bad), "{old} and {size}");
    }
    assert!(!both_accept_tree(size, root, old, leaf(old + 1), proof));
    assert!(!both_accept_tree(size, leaf(old + 1), old, old_root, proof));
    for other in [old + 1, old - 1, 0] {
        if other <= size {
            both_accept_tree(size, root, other, old_root, proof);
        }
    }
}

// Their reader alone hands out hashes of tiles that it did not check, where several peaks of the tree lie in one tile, as at
// size 1000 (CVE-2026-56865 in the Go code that it was ported from). A proof made of them does not hold.
#[test]
fn a_flipped_bit_in_any_tile_is_refused_by_their_reader_and_by_ours() {
    for size in [256, 513, 1000] {
        let (good, root) = ours(size);
        for (path, bytes) in &good.0 {
            for at in [0, 31, bytes.len() / 2, bytes.len() - 1] {
                let mut bad = good.clone();
                bad.0.get_mut(path).unwrap()[at] ^= 0x20;
                // A hash that this very tile holds: it is never handed out unchecked.
                let index = match path.level {
                    Level::Hash(0) => path.index * 256,
                    _ => 0,
                };
                let stored = tlog_tiles::stored_hash_index(0, index);
                let reader = TileHashReader::new(size, their(root), &bad);
                let theirs = reader.read_hashes(&[stored]).and_then(|leaf| {
                    check_record(&prove_record(size, index, &reader)?, size, their(root), index, leaf[0])
                });
                assert!(theirs.is_err(), "{path} byte {at} of size {size}");
                let ours = StoredTree::open(&bad, size, root).map(|mut tree| tree.leaf_hash(index));
                assert!(!matches!(ours, Ok(Ok(_))), "{path} byte {at} of size {size}");
            }
        }
    }
}

/// A log's directory as their tile reader; it reads files and adapts nothing but their names.
struct Folder(PathBuf);

impl TheirTileReader for Folder {
    fn height(&self) -> u8 {
        HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read =
            |tile: &Tile| std::fs::read(self.0.join(renamed(&tile.path()))).map_err(|_| Error::InvalidTile);
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

#[test]
fn they_read_the_files_of_a_log_of_several_tiles_and_prove_every_entry() {
    let mut log = SmallLog::ready();
    while log.size() < 520 {
        log.say("de", pledge(&["ua"], terms("one of many")));
    }
    for size in [6, 255, 256, 257, 520] {
        let home = tempfile::tempdir().unwrap();
        let log = log.cut(size);
        in_home(home.path(), &log);
        let folder = Folder(home.path().join("public"));
        let note = std::fs::read(folder.0.join("checkpoint")).unwrap();
        let note = signed_note::Note::from_bytes(&note).unwrap();
        note.verify(&super::known(&[&crate::support::small_log::log_vkey()])).unwrap();
        let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
        assert_eq!((checkpoint.size(), checkpoint.hash().0), (log.size(), log.root().0));
        let reader = TileHashReader::new(checkpoint.size(), *checkpoint.hash(), &folder);
        for (index, leaf) in (0..).zip(log.leaves()).step_by(if size > 300 { 13 } else { 1 }) {
            let proof = prove_record(checkpoint.size(), index, &reader).unwrap();
            assert!(both_accept_record(log.size(), log.root(), index, leaf_hash(leaf), &all_ours(&proof)));
        }
        for old in [1, 6, size / 2, size] {
            let (old_root, old) = (log.root_at(old), old.try_into().unwrap());
            let proof = all_ours(&prove_tree(checkpoint.size(), old, &reader).unwrap());
            assert!(both_accept_tree(log.size(), log.root(), old, old_root, &proof));
        }
        // The same folder with one bit changed in its first tile.
        let tile =
            folder.0.join(if size < 256 { format!("tile/0/000.p/{size}") } else { "tile/0/000".into() });
        let mut bytes = std::fs::read(&tile).unwrap();
        bytes[40] ^= 1;
        std::fs::write(&tile, bytes).unwrap();
        assert!(prove_record(checkpoint.size(), 0, &reader).is_err());
    }
}

#[test]
fn every_damaged_path_is_refused_by_both() {
    for path in
        ["tile/8/0/000", "tile/8/63/x001/x234/067.p/44", "tile/8/data/x001/000.p/255", "tile/8/2/999.p/1"]
    {
        assert_eq!(ours_of(&Tile::from_path(path).unwrap()), renamed(path).parse().unwrap());
        for (at, to) in ("tile/8/".len()..path.len()).flat_map(|at| (0x20..0x7f).map(move |to| (at, to))) {
            let changed = String::from_utf8(with_byte(path, at, to)).unwrap();
            let ours = renamed(&changed).parse::<TilePath>();
            // Theirs panic at a level past 63, and at a width of 0.
            let level = changed.split('/').nth(2).and_then(|level| level.parse::<u8>().ok());
            if level.is_some_and(|level| level > 63)
                || changed.ends_with(".p/0")
                || changed.ends_with(".p/000")
            {
                assert!(ours.is_err(), "{changed}");
                continue;
            }
            let theirs = Tile::from_path(&changed).ok().map(|tile| ours_of(&tile));
            assert_eq!(ours.ok(), theirs, "{changed}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_tile_has_one_name(level in 0..=63_u8, index: u64, shift in 0..64_u32, width in 1..=256_u16, entries: bool) {
        let level = if entries { Level::Entries } else { Level::Hash(level) };
        let path = TilePath { level, index: index >> shift, width };
        let tile = theirs_of(path);
        prop_assert_eq!(renamed(&tile.path()), path.to_string());
        prop_assert_eq!(ours_of(&tile), path);
        // Theirs read no path of more than 52 bytes.
        if tile.path().len() <= 52 {
            prop_assert_eq!(Tile::from_path(&tile.path()).unwrap(), tile);
        }
    }

    #[test]
    fn a_growth_writes_the_same_tiles(from in 0..1_u64 << 48, by in 0..200_000_u64, near in 0..3_u64, power in 0..40_u32) {
        for from in [from, (1 << power) + near, ((1_u64 << power) + near).saturating_sub(2)] {
            let theirs = Tile::new_tiles(HEIGHT, from, from + by);
            prop_assert!(growth(from, from + by).eq(theirs.iter().map(ours_of)), "{} by {}", from, by);
        }
    }

    #[test]
    fn any_proof_is_judged_alike(
        size in 1..70_u64, at: prop::sample::Index, hashes in proptest::collection::vec(0..140_u64, 0..9), good: bool,
    ) {
        let index = at.index(size.try_into().unwrap()).try_into().unwrap();
        let root = Hash(tree_hash(size, &*DENSE).unwrap().0);
        let mut proof = all_ours(&DENSE.read_hashes(&hashes).unwrap());
        if good {
            proof = all_ours(&prove_record(size, index, &*DENSE).unwrap());
        }
        prop_assert!(both_accept_record(size, root, index, leaf(index), &proof) || !good);
        if good {
            proof = all_ours(&prove_tree(size, index + 1, &*DENSE).unwrap());
        }
        let old_root = Hash(tree_hash(index + 1, &*DENSE).unwrap().0);
        prop_assert!(both_accept_tree(size, root, index + 1, old_root, &proof) || !good);
    }
}
