//! Verified reads: entries, leaf hashes and proofs out of a store that is not trusted, under a checkpoint that is.
//!
//! Whatever is handed out here was hashed up to the root that the caller trusts. A partial tile or bundle that has been
//! replaced by the full one is cut from that (c2sp.org/tlog-tiles).

use crate::hash::{Hash, leaf_hash};
use crate::merkle::builder::TileBuilder;
use crate::merkle::bundle::{self, BUNDLE_MAX, BundleError};
use crate::merkle::prove::{ProveError, StoredTree, TileReader, read_partial_or_full};
use crate::merkle::tile::{Level, TILE_LEN, TILE_WIDTH, TilePath};
use crate::store::{Read, StoreError};

/// Why something could not be read under a trusted root.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An object that the checkpoint commits to is not there.
    #[error("public/{0} is missing")]
    Missing(TilePath),
    /// A tile is not what the root commits to.
    #[error(transparent)]
    Tree(#[from] Box<ProveError<ReadError>>),
    /// A bundle is damaged.
    #[error("public/{path}: {error}")]
    Bundle {
        /// Which.
        path: TilePath,
        /// What is wrong.
        error: BundleError,
    },
    /// An entry is not the one that the root commits to.
    #[error("public/{path}: entry {index} is not the one that the checkpoint commits to")]
    Entry {
        /// The bundle.
        path: TilePath,
        /// The entry's index.
        index: u64,
    },
}

impl ReadError {
    /// Whether the log is to blame, and not the way to it: what is missing or differs was committed to.
    #[must_use]
    pub fn is_tampering(&self) -> bool {
        match self {
            Self::Store(_) => false,
            Self::Tree(error) => match &**error {
                ProveError::Read { source, .. } => source.is_tampering(),
                ProveError::NoSuchLeaf { .. } | ProveError::NoSuchSize { .. } => false,
                _ => true,
            },
            _ => true,
        }
    }
}

impl From<ProveError<ReadError>> for ReadError {
    fn from(error: ProveError<ReadError>) -> Self {
        match error {
            ProveError::Read { source, .. } => source,
            other => Self::Tree(Box::new(other)),
        }
    }
}

/// The tiles of a store.
#[derive(Clone, Copy)]
pub struct Tiles<'a>(pub &'a dyn Read);

impl TileReader for Tiles<'_> {
    type Error = ReadError;

    fn tile(&self, path: TilePath) -> Result<Vec<u8>, ReadError> {
        object(self.0, path)?.ok_or(ReadError::Missing(path))
    }

    fn proven(&self, path: TilePath, bytes: &[u8]) {
        self.0.proven(&format!("public/{path}"), bytes);
    }
}

/// The tiles of a log's beginning, out of those of a larger log: whoever has no more than the newest checkpoint commits to, as
/// a mirror, has not the narrower tiles of every size before.
pub struct BeginningOf<'a> {
    /// Where the larger log is read.
    pub store: &'a dyn Read,
    /// Its size.
    pub size: u64,
}

impl TileReader for BeginningOf<'_> {
    type Error = ReadError;

    fn tile(&self, path: TilePath) -> Result<Vec<u8>, ReadError> {
        let wider = TilePath::at(path.level, path.index, self.size).filter(|wider| wider.width > path.width);
        let mut bytes = Tiles(self.store).tile(wider.unwrap_or(path))?;
        // Too short a one stays as it is: whoever takes it apart will say so.
        bytes.truncate(path.hashes_len());
        Ok(bytes)
    }
}

/// Reads a tile or bundle as it is stored, unchecked; none where neither it nor the full one is there.
///
/// # Errors
/// When the storage fails.
pub fn object(store: &dyn Read, path: TilePath) -> Result<Option<Vec<u8>>, ReadError> {
    let limit = if path.level == Level::Entries { BUNDLE_MAX } else { TILE_LEN };
    let limit = u64::try_from(limit).expect("limits fit");
    Ok(read_partial_or_full(path, |path| store.get(&format!("public/{path}"), limit))?)
}

/// A log of trusted size and root.
pub struct Client<'a> {
    store: &'a dyn Read,
    tree: StoredTree<Tiles<'a>>,
    /// The bundle that an entry was read from last, as it is stored: whoever reads one of it often reads another.
    last: Option<(TilePath, Vec<u8>)>,
}

impl<'a> Client<'a> {
    /// Opens a log whose size and root are trusted; the right edge is checked at once.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the root commits to.
    pub fn open(store: &'a dyn Read, size: u64, root: Hash) -> Result<Self, ReadError> {
        Ok(Self { store, tree: StoredTree::open(Tiles(store), size, root)?, last: None })
    }

    /// Opens a log as far as it was derived here from its entries.
    #[must_use]
    pub fn resume(store: &'a dyn Read, builder: &TileBuilder) -> Self {
        Self { store, tree: StoredTree::resume(Tiles(store), builder), last: None }
    }

    /// The number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// When it cannot be read, or is not the one that the root commits to.
    pub fn entry(&mut self, index: u64) -> Result<Vec<u8>, ReadError> {
        let want = self.tree.leaf_hash(index)?;
        let (number, at) = (index / u64::from(TILE_WIDTH), index % u64::from(TILE_WIDTH));
        let path = TilePath::at(Level::Entries, number, self.size()).expect("the tree has the leaf");
        if self.last.as_ref().is_none_or(|(last, _)| *last != path) {
            let bytes = object(self.store, path)?.ok_or(ReadError::Missing(path))?;
            self.last = Some((path, bytes));
        }
        let (_, bytes) = self.last.as_ref().expect("it was just read");
        let entries = bundle::parse(bytes, path.width).map_err(|error| ReadError::Bundle { path, error })?;
        let entry = entries[usize::try_from(at).expect("at most 255")];
        if leaf_hash(entry) == want { Ok(entry.to_vec()) } else { Err(ReadError::Entry { path, index }) }
    }

    /// Reads the up to 256 entries of a bundle.
    ///
    /// # Errors
    /// As for [`Self::entry`].
    pub fn bundle(&mut self, number: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        let want = self.tree.leaf_hashes(number)?.to_vec();
        let size = self.tree.size();
        let path = TilePath::at(Level::Entries, number, size).expect("the tree has the leaves");
        let bytes = object(self.store, path)?.ok_or(ReadError::Missing(path))?;
        let entries = bundle::parse(&bytes, path.width).map_err(|error| ReadError::Bundle { path, error })?;
        let first = number * u64::from(TILE_WIDTH);
        match (first..).zip(entries.iter().zip(&want)).find(|(_, (entry, want))| leaf_hash(entry) != **want) {
            Some((index, _)) => Err(ReadError::Entry { path, index }),
            None => {
                if path.is_full() {
                    self.store.proven(&format!("public/{path}"), &bytes);
                }
                Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
            }
        }
    }

    /// The leaf hashes of the up to 256 entries of a bundle.
    ///
    /// # Errors
    /// As for [`Self::entry`].
    pub fn leaf_hashes(&mut self, number: u64) -> Result<Vec<Hash>, ReadError> {
        Ok(self.tree.leaf_hashes(number)?.to_vec())
    }

    /// The leaf hash of an entry.
    ///
    /// # Errors
    /// As for [`Self::entry`].
    pub fn leaf_hash(&mut self, index: u64) -> Result<Hash, ReadError> {
        Ok(self.tree.leaf_hash(index)?)
    }

    /// The inclusion proof of an entry.
    ///
    /// # Errors
    /// As for [`Self::entry`].
    pub fn inclusion_proof(&mut self, index: u64) -> Result<Vec<Hash>, ReadError> {
        Ok(self.tree.inclusion_proof(index)?)
    }

    /// The consistency proof from an older size.
    ///
    /// # Errors
    /// As for [`Self::entry`], and where the log never had that size.
    pub fn consistency_proof(&mut self, old_size: u64) -> Result<Vec<Hash>, ReadError> {
        Ok(self.tree.consistency_proof(old_size)?)
    }

    /// The root at an older size.
    ///
    /// # Errors
    /// As for [`Self::consistency_proof`].
    pub fn root_at(&mut self, size: u64) -> Result<Hash, ReadError> {
        Ok(self.tree.root_at(size)?)
    }
}
