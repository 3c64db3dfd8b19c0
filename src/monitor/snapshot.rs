//! The history that was folded so far, as a file of its own, named by its digest.
//!
//! ```text
//! edge of the tree: [[hash]] | snapshot of the history | its ledger?
//! ```
//!
//! It is derived, and may be deleted: then everything is verified again.

use crate::codec::{Bytes, CodecError, List, decode_large, encode};
use crate::hash::{Hash, sha256};
use crate::history::{self, History, SnapshotError};
use crate::ledger::MAX_LEDGER;
use crate::merkle::builder::{EdgeError, TileBuilder};

/// The longest snapshot that is read, in bytes.
pub const MAX_SNAPSHOT: usize = MAX_LEDGER + (64 << 20);

/// A history, and the tree of its size.
#[derive(Debug)]
pub struct Snapshot {
    history: History,
    builder: TileBuilder,
}

/// Why a snapshot cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum UnreadSnapshot {
    /// Its bytes are none.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Its name is of other bytes.
    #[error("its content has digest {0}")]
    Digest(Hash),
    /// The history in it does not hold together.
    #[error(transparent)]
    History(#[from] SnapshotError),
    /// The tree in it does not.
    #[error(transparent)]
    Edge(#[from] EdgeError),
}

impl Snapshot {
    /// A history, and the tree of its size.
    #[must_use]
    pub fn of(history: &History, builder: &TileBuilder) -> Self {
        Self { history: history.clone(), builder: builder.clone() }
    }

    pub(super) fn into_parts(self) -> (History, TileBuilder) {
        (self.history, self.builder)
    }

    /// How many entries it is of.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.builder.size()
    }

    /// The bytes to keep, and the digest that names them.
    #[must_use]
    pub fn encode(&self) -> (Hash, Vec<u8>) {
        let edge: List<List<Hash>> = self.builder.edge().iter().map(|level| List(level.clone())).collect();
        let ledger = self.history.ledger().map(|ledger| Bytes(encode(ledger)));
        let bytes = encode(&(edge, self.history.snapshot(), ledger));
        (sha256(&bytes), bytes)
    }

    /// Takes up what was kept under a digest.
    ///
    /// # Errors
    /// [`UnreadSnapshot`].
    pub fn decode(bytes: &[u8], digest: &Hash) -> Result<Self, UnreadSnapshot> {
        let got = sha256(bytes);
        if got != *digest {
            return Err(UnreadSnapshot::Digest(got));
        }
        type Parts = (List<List<Hash>>, history::Snapshot, Option<Bytes>);
        let (edge, snapshot, ledger) = decode_large::<Parts>(bytes, MAX_SNAPSHOT)?;
        let history = History::resume(snapshot, ledger.as_ref().map(|bytes| &bytes.0[..]))?;
        let levels = edge.0.into_iter().map(|level| level.0).collect();
        let builder = TileBuilder::resume(history.head().size, levels)?;
        Ok(Self { history, builder })
    }
}
