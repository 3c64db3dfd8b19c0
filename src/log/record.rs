//! The commit record, and where the leaves are that it commits and no tiles hold yet: staged.
//!
//! The record, `private/commit`, is (epoch, size, root, staged), in the canonical encoding. What is staged is the size before
//! (8 bytes, most significant first) and the leaves from there on, each behind its length (2 bytes, most significant first).
//! Few bytes stand in the record itself, so that one swap makes them durable; more in an object,
//! `private/staged/EPOCH-SIZE-ROOT`, which the record names.

use super::{LogError, STAGED};
use crate::codec::{Bytes, CodecError, decode_large, encode};
use crate::hash::Hash;
use crate::merkle::bundle::{self, BundleError};
use crate::merkle::tile::TILE_WIDTH;
use serde::{Deserialize, Serialize};

/// The most bytes that are staged in the record itself.
pub(super) const MAX_HERE: usize = 1 << 17;

/// The longest commit record, in bytes.
pub(super) const MAX_RECORD: u64 = MAX_HERE as u64 + 512;

/// What is committed: the truth about a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Counts writers: each one that opens raises it.
    pub epoch: u64,
    /// The number of leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The leaves that its tiles may not hold yet.
    pub staged: Staged,
}

/// Where leaves are that are committed, and may not be in their tiles yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Staged {
    /// There are none.
    Nothing,
    /// In the object of this name, unless that is gone: then they are in their tiles.
    Object(String),
    /// In the record.
    Here(Bytes),
}

/// Why what is staged is not what was committed.
#[derive(Debug, thiserror::Error)]
pub enum StagedError {
    /// It is cut off.
    #[error("what is staged ends within its first eight bytes")]
    Header,
    /// It starts at a size that the record does not reach.
    #[error("what is staged goes from size {from} to size {to}")]
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
    /// The record of leaves that are staged in an object.
    #[must_use]
    pub fn staging(epoch: u64, size: u64, root: Hash) -> Self {
        let name = format!("{STAGED}/{epoch:020}-{size}-{root}");
        Self { epoch, size, root, staged: Staged::Object(name) }
    }

    /// The name of the object that its leaves are staged in, if any.
    pub(super) fn object(&self) -> Option<&str> {
        match &self.staged {
            Staged::Object(name) => Some(name),
            Staged::Nothing | Staged::Here(_) => None,
        }
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
        decode_large(bytes, usize::try_from(MAX_RECORD).expect("fits"))
    }

    /// Takes apart what is staged: the size before, and the leaves.
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

/// Leaves from a size on, as they are staged.
pub(super) fn stage(from: u64, leaves: &[&[Vec<u8>]]) -> Result<Vec<u8>, LogError> {
    let mut bytes = Vec::with_capacity(staged_len(leaves));
    bytes.extend(from.to_be_bytes());
    for chunk in leaves.iter().flat_map(|leaves| leaves.chunks(TILE_WIDTH.into())) {
        bytes.extend(bundle::encode(chunk)?);
    }
    Ok(bytes)
}

/// How many bytes leaves take where they are staged.
pub(super) fn staged_len(leaves: &[&[Vec<u8>]]) -> usize {
    size_of::<u64>()
        + leaves.iter().copied().flatten().map(|leaf| size_of::<u16>() + leaf.len()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_round_reads_back() {
        let leaves: Vec<Vec<u8>> = (0..600u32).map(|i| i.to_be_bytes().to_vec()).collect();
        let staged = stage(100, &[&leaves[..7], &leaves[7..]]).expect("stages");
        assert_eq!(staged.len(), staged_len(&[&leaves]));
        let record = Record::staging(7, 700, Hash([1; 32]));
        assert_eq!(record.unstage(&staged).expect("reads"), (100, leaves));
        assert_eq!(Record::staging_epoch(record.object().expect("named")), Some(7));
        assert!(record.unstage(&staged[..staged.len() - 1]).is_err());
        assert!(record.unstage(&[&staged[..], &[0]].concat()).is_err());
        assert!(Record::staging(7, 99, Hash([1; 32])).unstage(&staged).is_err());
    }

    #[test]
    fn a_record_reads_back() {
        let object = Record::staging(u64::MAX, u64::MAX, Hash([1; 32]));
        for staged in [object.staged.clone(), Staged::Nothing, Staged::Here(vec![7; MAX_HERE].into())] {
            let record = Record { staged, ..object.clone() };
            assert!(u64::try_from(record.encode().len()).is_ok_and(|len| len <= MAX_RECORD));
            assert_eq!(Record::decode(&record.encode()).expect("decodes"), record);
        }
    }
}
