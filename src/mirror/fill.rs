//! Filling a copy: bundles and tiles, in batches, each hashed up to the trusted root before it is put.

use super::MirrorError;
use crate::checkpoint::VerifiedCheckpoint;
use crate::client::{self, Client, ReadError, Tiles};
use crate::hash::{Hash, leaf_hash};
use crate::merkle::builder::{Tile, TileBuilder};
use crate::merkle::bundle;
use crate::merkle::prove::StoredTree;
use crate::merkle::tile::{Level, TILE_WIDTH, TilePath, bundle_growth, growth};
use crate::store::{Read, Store, StoreError};
use crate::verify::reading_ahead;
use rayon::prelude::*;

/// How many bundles are fetched at once, and put at once: 512 MiB where every entry is of the greatest length,
/// 10 MiB as logs are.
const BATCH_BUNDLES: u64 = 32;

/// A source behind what an earlier attempt has put: what lies there need not be fetched again.
pub(super) struct Near<'a> {
    pub(super) copy: &'a dyn Store,
    pub(super) source: &'a dyn Read,
}

impl Read for Near<'_> {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let path = name.strip_prefix("public/").and_then(|path| path.parse::<TilePath>().ok());
        if path.is_some_and(|path| path.is_full())
            && let Ok(Some(there)) = self.copy.get(name, limit)
        {
            return Ok(Some(there));
        }
        self.source.get(name, limit)
    }

    fn at_once(&self) -> usize {
        self.source.at_once()
    }
}

/// The right edge of a copy, under its own checkpoint.
pub(super) fn edge(copy: &dyn Store, checkpoint: &VerifiedCheckpoint) -> Result<TileBuilder, ReadError> {
    let copy = super::Reading(copy);
    let tree = StoredTree::open(Tiles(&copy), checkpoint.size(), checkpoint.root());
    Ok(tree?.builder())
}

/// Puts all that a copy lacks of the log under a trusted checkpoint, from where `builder` stands.
pub(super) fn fill(
    source: &dyn Read,
    copy: &dyn Store,
    now: &VerifiedCheckpoint,
    mut builder: TileBuilder,
    progress: &dyn Fn(u64),
) -> Result<(), MirrorError> {
    let first = builder.size() / u64::from(TILE_WIDTH);
    reading_ahead(source, first, now.size(), |source| fill_from(source, copy, now, &mut builder, progress))?;
    let partial: Vec<_> = builder.partial().map(named).collect();
    copy.put_all(&partial).map_err(MirrorError::Store)?;
    assert_eq!(builder.root(), now.root(), "every leaf was proven under this root");
    Ok(())
}

/// Puts the bundles, and the tiles that they fill.
fn fill_from(
    source: &dyn Read,
    copy: &dyn Store,
    now: &VerifiedCheckpoint,
    builder: &mut TileBuilder,
    progress: &dyn Fn(u64),
) -> Result<(), MirrorError> {
    let size = now.size();
    let mut client = Client::open(source, size, now.root()).map_err(MirrorError::Source)?;
    let (mut number, end) = (builder.size() / u64::from(TILE_WIDTH), size.div_ceil(u64::from(TILE_WIDTH)));
    while number < end {
        let next = end.min(number + BATCH_BUNDLES);
        let paths: Vec<TilePath> =
            (number..next).map(|n| TilePath::at(Level::Entries, n, size).expect("below the size")).collect();
        let fetched: Vec<_> = paths.par_iter().map(|path| client::object(source, *path)).collect();
        let mut objects = Vec::new();
        for (path, fetched) in paths.into_iter().zip(fetched) {
            let bytes = fetched.and_then(|bytes| bytes.ok_or(ReadError::Missing(path)));
            let bytes = bytes.map_err(MirrorError::Source)?;
            let leaves = proven(&mut client, path, &bytes).map_err(MirrorError::Source)?;
            let known = builder.size() - path.index * u64::from(TILE_WIDTH);
            let new = leaves.into_iter().skip(usize::try_from(known).expect("within a bundle"));
            objects.extend(new.flat_map(|leaf| builder.push(leaf)).map(named));
            objects.push((format!("public/{path}"), bytes));
        }
        copy.put_all(&objects).map_err(MirrorError::Store)?;
        number = next;
        progress(builder.size());
    }
    Ok(())
}

/// The leaf hashes of a bundle whose entries are what the root commits to.
fn proven(client: &mut Client<'_>, path: TilePath, bytes: &[u8]) -> Result<Vec<Hash>, ReadError> {
    let entries = bundle::parse(bytes, path.width).map_err(|error| ReadError::Bundle { path, error })?;
    let want = client.leaf_hashes(path.index)?;
    let first = path.index * u64::from(TILE_WIDTH);
    match (first..).zip(entries.iter().zip(&want)).find(|(_, (entry, want))| leaf_hash(entry) != **want) {
        Some((index, _)) => Err(ReadError::Entry { path, index }),
        None => Ok(want),
    }
}

fn named(tile: Tile) -> (String, Vec<u8>) {
    (format!("public/{}", tile.path), tile.bytes)
}

/// Removes the partial tiles and bundles that became full between two sizes.
pub(super) fn tidy(copy: &dyn Store, from: u64, to: u64) -> Result<(), StoreError> {
    for path in growth(from, to).chain(bundle_growth(from, to)).filter(TilePath::is_full) {
        for partial in copy.list(&format!("public/{path}.p"))? {
            copy.delete(&partial)?;
        }
    }
    Ok(())
}
