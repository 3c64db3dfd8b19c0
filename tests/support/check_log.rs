//! The one checker: whatever happened before, this must hold of what a log has published.
//!
//! [`check_tree`] knows nothing of entries, and derives every object again from the leaves by the library's definitions
//! of a tree alone; [`check_log`] verifies besides, as `servanda verify` does, and wants no finding.

#![allow(dead_code, reason = "each chapter uses a part")]
#![allow(clippy::unwrap_used)]

use servanda::checkpoint;
use servanda::client;
use servanda::hash::leaf_hash;
use servanda::log::{CHECKPOINT, MAX_CHECKPOINT};
use servanda::merkle::builder::TileBuilder;
use servanda::merkle::bundle;
use servanda::merkle::tile::bundles;
use servanda::policy::Policy;
use servanda::store::Read;
use servanda::verify::{Found, Held, Options, Outcome, log};

/// Checks that all objects of the published checkpoint are there and are what its leaves add up to; gives the leaves.
/// None where nothing is published.
pub fn check_tree(store: &dyn Read, policy: &Policy) -> Option<Vec<Vec<u8>>> {
    let note = store.get(CHECKPOINT, MAX_CHECKPOINT).unwrap()?;
    let checkpoint = checkpoint::open(&note, policy).expect("a checkpoint of the log");
    let mut leaves: Vec<Vec<u8>> = Vec::new();
    for path in bundles(checkpoint.size()) {
        let bytes = client::object(store, path).unwrap().unwrap_or_else(|| panic!("{path} is missing"));
        let entries = bundle::parse(&bytes, path.width).unwrap_or_else(|e| panic!("{path}: {e}"));
        leaves.extend(entries.into_iter().map(<[u8]>::to_vec));
    }
    let mut builder = TileBuilder::default();
    let mut tiles: Vec<_> = leaves.iter().flat_map(|leaf| builder.push(leaf_hash(leaf))).collect();
    tiles.extend(builder.partial());
    for tile in tiles {
        let stored = client::object(store, tile.path).unwrap();
        assert!(stored.as_ref() == Some(&tile.bytes), "{} is missing or wrong", tile.path);
    }
    assert_eq!((builder.size(), builder.root()), (checkpoint.size(), checkpoint.root()));
    Some(leaves)
}

/// Checks a published log whole: no finding; gives its leaves.
pub fn check_log(store: &dyn Read, policy: &Policy) -> Vec<Vec<u8>> {
    let leaves = check_tree(store, policy).expect("a published log");
    let (findings, outcome) = verified(store, Held { policy: Some(policy), ..Held::default() });
    assert_eq!((findings, outcome.findings), (vec![], 0));
    leaves
}

/// Everything that verification holds against a log.
pub fn verified(store: &dyn Read, held: Held<'_>) -> (Vec<Found>, Outcome) {
    verified_with(store, held, Options::default())
}

/// The same with options.
pub fn verified_with(store: &dyn Read, held: Held<'_>, options: Options) -> (Vec<Found>, Outcome) {
    let mut findings = Vec::new();
    let outcome = log(store, held, options, &|_| {}, &mut |found| findings.push(found)).unwrap();
    assert_eq!(u64::try_from(findings.len()).unwrap(), outcome.findings, "each one is counted");
    (findings, outcome)
}
