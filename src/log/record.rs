//! The commit record and the object that a round is staged in.
//!
//! The record, `private/commit`, is (epoch, size, root, name of the staged object), in the canonical encoding. A staged
//! object, `private/staged/EPOCH-SIZE-ROOT`, holds the size before (8 bytes, most significant first) and the new leaves,
//! each behind its length (2 bytes, most significant first).

use super::{LogError, STAGED};
use crate::codec::{CodecError, decode, encode};
use crate::hash::Hash;
use crate::merkle::bundle::{self, BundleError};
use crate::merkle::tile::TILE_WIDTH;
use serde::{Deserialize, Serialize};

/// The longest commit record, in bytes.
pub(super) const MAX_RECORD: u64 = 512;

/// What is committed: the truth about a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Counts writers: each one that opens raises it.
    pub epoch: u64,
    /// The number of leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The object that the last round was staged in.
    pub staged: Option<String>,
}

/// Why a staged object is not the round that was committed.
#[derive(Debug, thiserror::Error)]
pub enum StagedError {
    /// The object is cut off.
    #[error("staged object ends within its first eight bytes")]
    Header,
    /// It starts at a size that the record does not reach.
    #[error("staged object goes from size {from} to size {to}")]
    Range {
        /// The size before.
        from: u64,
        /// The size after.
        to: u64,
    },
    /// The leaves in it are not as many.
    #[error(transparent)]
    Leaves(#[from] BundleError),
}

impl Record {
    /// The record of a round to be staged.
    #[must_use]
    pub fn staging(epoch: u64, size: u64, root: Hash) -> Self {
        Self { epoch, size, root, staged: Some(format!("{STAGED}/{epoch:020}-{size}-{root}")) }
    }

    /// The epoch in the name of a staged object.
    pub(super) fn staging_epoch(name: &str) -> Option<u64> {
        name.strip_prefix(STAGED)?.strip_prefix('/')?.split_once('-')?.0.parse().ok()
    }

    /// Encodes it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Decodes it.
    ///
    /// # Errors
    /// Where the bytes are no record.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        decode(bytes, usize::try_from(MAX_RECORD).expect("fits"))
    }

    /// Takes a staged object apart: the size before, and the leaves.
    pub(super) fn unstage(&self, bytes: &[u8]) -> Result<(u64, Vec<Vec<u8>>), StagedError> {
        let (from, mut rest) = bytes.split_first_chunk().ok_or(StagedError::Header)?;
        let from = u64::from_be_bytes(*from);
        let range = StagedError::Range { from, to: self.size };
        let mut missing = self.size.checked_sub(from).ok_or(range)?;
        let mut leaves = Vec::new();
        while missing > 0 {
            let width = u16::try_from(missing.min(TILE_WIDTH.into())).expect("at most 256");
            let chunk = bundle::truncated(rest, width).unwrap_or(rest);
            leaves.extend(bundle::parse(chunk, width)?.into_iter().map(<[u8]>::to_vec));
            rest = &rest[chunk.len()..];
            missing -= u64::from(width);
        }
        if rest.is_empty() { Ok((from, leaves)) } else { Err(BundleError::Trailing(rest.len()).into()) }
    }
}

/// The staged object of a round.
pub(super) fn stage(from: u64, leaves: &[Vec<u8>]) -> Result<Vec<u8>, LogError> {
    let mut bytes = from.to_be_bytes().to_vec();
    for chunk in leaves.chunks(TILE_WIDTH.into()) {
        bytes.extend(bundle::encode(chunk)?);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_round_reads_back() {
        let leaves: Vec<Vec<u8>> = (0..600u32).map(|i| i.to_be_bytes().to_vec()).collect();
        let staged = stage(100, &leaves).expect("stages");
        let record = Record::staging(7, 700, Hash([1; 32]));
        assert_eq!(record.unstage(&staged).expect("reads"), (100, leaves));
        assert_eq!(Record::staging_epoch(record.staged.as_ref().expect("named")), Some(7));
        assert!(record.unstage(&staged[..staged.len() - 1]).is_err());
        assert!(record.unstage(&[&staged[..], &[0]].concat()).is_err());
        assert!(Record::staging(7, 99, Hash([1; 32])).unstage(&staged).is_err());
    }

    #[test]
    fn a_record_reads_back() {
        let record = Record::staging(u64::MAX, u64::MAX, Hash([1; 32]));
        assert!(u64::try_from(record.encode().len()).is_ok_and(|len| len <= MAX_RECORD));
        assert_eq!(Record::decode(&record.encode()).expect("decodes"), record);
    }
}
