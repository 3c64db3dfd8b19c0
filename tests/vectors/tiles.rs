//! A log by another implementation: transparency-dev/tessera `testdata/log`, signed checkpoints, partial tiles and entry
//! bundles of sizes 1 to 15, and the checkpoint of size 0.

use super::{shared, text};
use servanda::checkpoint::open;
use servanda::hash::leaf_hash;
use servanda::merkle::builder::TileBuilder;
use servanda::merkle::bundle;
use servanda::merkle::prove::StoredTree;
use servanda::merkle::tile::{Level, TilePath, bundles, tiles};
use servanda::merkle::verify::{verify_consistency, verify_inclusion};
use servanda::policy::Policy;
use std::fs;

#[test]
fn tesseras_log_is_read_proved_and_built_again() {
    let Some(dir) = shared("vectors/tiles/tessera_testlog") else { return };
    let vkey = text("tiles/tessera_testlog/VKEY").unwrap().trim_end().parse().unwrap();
    let policy = Policy::of(&[vkey], &[], None).unwrap();
    let read = |path: TilePath| fs::read(dir.join(path.to_string()));
    let mut roots = vec![];
    for size in 0..=15 {
        let checkpoint = open(&fs::read(dir.join(format!("checkpoint.{size}"))).unwrap(), &policy).unwrap();
        assert_eq!(checkpoint.size(), size);
        let mut tree = StoredTree::open(read, size, checkpoint.root()).unwrap();
        let mut builder = TileBuilder::default();
        for path in bundles(size) {
            let bytes = read(path).unwrap();
            let entries = bundle::parse(&bytes, path.width).unwrap();
            assert_eq!(bundle::encode(&entries).unwrap(), bytes);
            for (entry, index) in entries.iter().zip(0..) {
                let leaf = leaf_hash(entry);
                assert_eq!(tree.leaf_hash(index).unwrap(), leaf);
                let proof = tree.inclusion_proof(index).unwrap();
                assert_eq!(verify_inclusion(index, size, &leaf, &proof, &checkpoint.root()), Ok(()));
                builder.push(leaf);
            }
        }
        assert_eq!(builder.root(), checkpoint.root());
        assert!(builder.partial().map(|tile| tile.path).eq(tiles(size)));
        for tile in builder.partial() {
            assert_eq!(read(tile.path).unwrap(), tile.bytes, "{}", tile.path);
        }
        for (old_root, old) in roots.iter().zip(0_u64..).skip(1) {
            assert_eq!(tree.root_at(old).unwrap(), *old_root);
            let proof = tree.consistency_proof(old).unwrap();
            assert_eq!(verify_consistency(old, size, old_root, &checkpoint.root(), &proof), Ok(()));
        }
        roots.push(checkpoint.root());
    }
    let newest = fs::read(dir.join("checkpoint")).unwrap();
    assert_eq!(open(&newest, &policy).unwrap().root(), roots[15]);
    let seventh = TilePath { level: Level::Entries, index: 0, width: 8 };
    assert_eq!(bundle::parse(&read(seventh).unwrap(), 8).unwrap()[7], b"eit");
}
