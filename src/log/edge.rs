//! The right edge of the tree, derived again from stored bytes before anything is built on it or signed.

use super::LogError;
use crate::client::{self, Client};
use crate::hash::{Hash, leaf_hash};
use crate::merkle::builder::{self, TileBuilder};
use crate::merkle::bundle::{self, BundleError};
use crate::merkle::tile::{LEVEL_MAX, Level, TILE_WIDTH, TileError, TilePath};
use crate::merkle::tree;
use crate::store::Read;

/// Why stored bytes do not add up to the committed root. Nothing may be signed.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// A tile or bundle of the right edge is gone.
    #[error("public/{0} is missing")]
    Missing(TilePath),
    /// A tile has another length than it should.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// A bundle is damaged.
    #[error("public/{path}: {error}")]
    Bundle {
        /// Which.
        path: TilePath,
        /// What is wrong.
        error: BundleError,
    },
    /// The hashes of a level are not as many as the size asks for.
    #[error(transparent)]
    Edge(#[from] builder::EdgeError),
    /// A tile holds another hash than the tile or bundle below it.
    #[error("public/{0} does not match what it stands for; a stored byte was changed")]
    Differs(TilePath),
    /// The right edge gives another root.
    #[error("stored tiles add up to root {got}, committed was {want}")]
    Root {
        /// The root derived.
        got: Hash,
        /// The root committed.
        want: Hash,
    },
}

/// Derives the right edge of the first `size` leaves: the last tile of each level, its last hash computed again from
/// the level below, and the entries of the last bundle. Gives what is partial of it.
pub(super) fn derive(
    store: &dyn Read,
    size: u64,
    root: Option<Hash>,
) -> Result<(TileBuilder, Vec<Vec<u8>>), LogError> {
    let mut levels: Vec<Vec<Hash>> = Vec::new();
    for level in 0..=LEVEL_MAX {
        let count = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
        let Some(last) = count.checked_sub(1).map(|last| last / u64::from(TILE_WIDTH)) else { break };
        let path = TilePath::at(Level::Hash(level), last, size).expect("the level has hashes");
        let hashes = tile(store, path)?;
        if let Some(below) = level.checked_sub(1) {
            check_last(store, path, below, &hashes)?;
        }
        levels.push(if path.is_full() { Vec::new() } else { hashes });
    }
    let builder = TileBuilder::resume(size, levels).map_err(EdgeError::from)?;
    root.map_or(Ok(()), |root| check_root(&builder, &root))?;
    Ok((builder, tail(store, size)?))
}

/// Checks that a tree has the root that was committed.
pub(super) fn check_root(builder: &TileBuilder, want: &Hash) -> Result<(), EdgeError> {
    let got = builder.root();
    if got == *want { Ok(()) } else { Err(EdgeError::Root { got, want: *want }) }
}

/// Checks a tile's last hash against the full tile below that it stands for; level 0 against the last entries.
fn check_last(store: &dyn Read, path: TilePath, below: u8, hashes: &[Hash]) -> Result<(), LogError> {
    let index = path.index * u64::from(TILE_WIDTH) + u64::from(path.width) - 1;
    let full = TilePath { level: Level::Hash(below), index, width: TILE_WIDTH };
    let under = tile(store, full)?;
    let differs = hashes.last() != Some(&tree::perfect_root(&under));
    if differs { Err(EdgeError::Differs(path).into()) } else { Ok(()) }
}

/// The entries of the last bundle where it is partial, checked against the tile of their leaf hashes.
fn tail(store: &dyn Read, size: u64) -> Result<Vec<Vec<u8>>, LogError> {
    let Some(last) = size.checked_sub(1) else { return Ok(Vec::new()) };
    let index = last / u64::from(TILE_WIDTH);
    let path = TilePath::at(Level::Entries, index, size).expect("the last entry has a bundle");
    let bytes = object(store, path)?;
    let entries = bundle::parse(&bytes, path.width).map_err(|error| EdgeError::Bundle { path, error })?;
    let leaves = TilePath { level: Level::Hash(0), ..path };
    if entries.iter().map(|entry| leaf_hash(entry)).ne(tile(store, leaves)?) {
        return Err(EdgeError::Differs(leaves).into());
    }
    Ok(if path.is_full() { Vec::new() } else { entries.into_iter().map(<[u8]>::to_vec).collect() })
}

fn tile(store: &dyn Read, path: TilePath) -> Result<Vec<Hash>, LogError> {
    Ok(path.hashes(&object(store, path)?).map_err(EdgeError::from)?)
}

fn object(store: &dyn Read, path: TilePath) -> Result<Vec<u8>, LogError> {
    // What was partial at an older size may be there in full only.
    Ok(client::object(store, path)?.ok_or(EdgeError::Missing(path))?)
}

/// The root that the log had at a size before, of those that are stored.
pub(super) fn root_at(store: &dyn Read, size: u64, stored: &TileBuilder) -> Result<Hash, LogError> {
    if size == stored.size() {
        return Ok(stored.root());
    }
    Ok(Client::open(store, stored.size(), stored.root())?.root_at(size)?)
}
