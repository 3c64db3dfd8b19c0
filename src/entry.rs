//! Entries: statements with their signatures, as sequenced. An entry's encoding is the Merkle leaf's data, and its leaf
//! hash is the next entry's link: one hash is at once chain and tree.
//!
//! ```text
//! version 1 | index | link [32] | roster (index, [32]) | sequenced_at | statement | signatures
//! leaf hash = SHA-256(0x00 || encoded entry)
//! ```
//!
//! Bytes become a [`SignedEntry`] here, which says nothing yet about who signed; verdicts are for `roster` and `chain`.

use crate::codec::{Bytes, CodecError, List, Parts, decode, encode, encoded_len};
use crate::field::Instant;
use crate::hash::{Hash, ZEROS, leaf_hash};
use crate::statement::{self, Act, ActError, Signature, Statement, StatementError};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, OnceLock};

/// The most bytes of an entry (c2sp.org/tlog-tiles).
pub const MAX_ENTRY: usize = 65_535;

/// The most bytes of an entry's encoded signatures.
pub const MAX_SIGNATURES: usize = 16_000;

/// The version that this program writes and reads.
pub const VERSION: u8 = 1;

/// The last authentic entry of class 0 before an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pointer {
    /// Its index; 0 at index 0.
    pub index: u64,
    /// Its leaf hash; zeros at index 0.
    pub leaf: Hash,
}

/// An entry, its statement still encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 1.
    pub version: u8,
    /// Its place in the log, from 0.
    pub index: u64,
    /// The leaf hash of the entry before; zeros at index 0.
    pub link: Hash,
    /// The last authentic entry of class 0 before it.
    pub roster: Pointer,
    /// The operator's clock.
    pub sequenced_at: Instant,
    /// The statement, encoded.
    pub statement: Bytes,
    /// The officers' signatures over its id.
    pub signatures: List<Signature>,
}

/// Why bytes are not an entry.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Not the canonical encoding of an entry.
    #[error("not an entry: {0}")]
    Codec(#[from] CodecError),
    /// A version that this program does not know.
    #[error("entry of version {0}, this program knows version {VERSION}")]
    Version(u8),
    /// Too many signatures.
    #[error("signatures have {0} bytes, at most {MAX_SIGNATURES} are allowed")]
    Signatures(usize),
    /// The statement in it is none.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

/// An entry whose bytes are in order, and nothing more: its signatures were not checked.
#[derive(Clone, Debug)]
pub struct SignedEntry {
    /// The entry.
    pub entry: Entry,
    /// The statement in it.
    pub statement: Statement,
    /// The statement's id.
    pub id: Hash,
    /// The entry's leaf hash.
    pub leaf: Hash,
    act: OnceLock<Arc<Result<Act, ActError>>>,
}

impl SignedEntry {
    /// Reads an entry and the statement in it.
    ///
    /// # Errors
    /// [`EntryError`] says what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let entry = Entry::decode(bytes)?;
        let statement = Statement::decode(&entry.statement)?;
        let id = statement::id(&entry.statement);
        Ok(Self { entry, statement, id, leaf: leaf_hash(bytes), act: OnceLock::new() })
    }

    /// Takes an entry that was made here; what is judged of it before it has its place stays known.
    ///
    /// # Errors
    /// When what it holds is no statement.
    pub fn unplaced(entry: Entry) -> Result<Self, StatementError> {
        let statement = Statement::decode(&entry.statement)?;
        let id = statement::id(&entry.statement);
        Ok(Self { entry, statement, id, leaf: ZEROS, act: OnceLock::new() })
    }

    /// Gives it its place behind `link`, under the roster that stands there; tells the leaf's data.
    ///
    /// # Errors
    /// When the entry or its signatures are longer than allowed.
    pub fn place(&mut self, index: u64, link: Hash, roster: Pointer) -> Result<Vec<u8>, EntryError> {
        self.entry.index = index;
        self.entry.link = link;
        self.entry.roster = roster;
        let bytes = self.entry.encode()?;
        self.leaf = leaf_hash(&bytes);
        Ok(bytes)
    }

    /// The statement's act, its body decoded when first asked for, and then kept.
    ///
    /// # Errors
    /// As [`Statement::act`].
    pub fn act(&self) -> Result<&Act, &ActError> {
        let act: &Result<Act, ActError> = self.act.get_or_init(|| Arc::new(self.statement.act()));
        act.as_ref()
    }
}

impl Entry {
    /// Decodes an entry, its statement as bytes.
    fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let entry = match Self::read(bytes) {
            Some(entry) => entry,
            None => decode(bytes, MAX_ENTRY)?,
        };
        entry.check()?;
        Ok(entry)
    }

    /// Reads it as [`decode`] would, only faster; none where that is to say what is wrong.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut parts = Parts::of(bytes);
        let mut entry = Self {
            version: parts.byte()?,
            index: parts.number()?,
            link: parts.hash()?,
            roster: Pointer { index: parts.number()?, leaf: parts.hash()? },
            sequenced_at: Instant::from_ms(parts.number()?).ok()?,
            statement: Bytes(parts.bytes()?.to_vec()),
            signatures: List::default(),
        };
        // It grows as they arrive, whatever number is claimed.
        for _ in 0..parts.number()? {
            entry.signatures.push(Signature::read(&mut parts)?);
        }
        (parts.rest().is_empty() && bytes.len() <= MAX_ENTRY).then_some(entry)
    }

    /// Encodes it.
    ///
    /// # Errors
    /// When it or its signatures are longer than allowed.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        self.check()?;
        let bytes = encode(self);
        if bytes.len() > MAX_ENTRY {
            return Err(CodecError::TooLong { len: bytes.len(), limit: MAX_ENTRY }.into());
        }
        Ok(bytes)
    }

    fn check(&self) -> Result<(), EntryError> {
        if self.version != VERSION {
            return Err(EntryError::Version(self.version));
        }
        let signatures = encoded_len(&self.signatures);
        if signatures > MAX_SIGNATURES { Err(EntryError::Signatures(signatures)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_entry_is_written_up_to_its_limit() {
        let entry = |statement: usize| Entry {
            version: VERSION,
            index: 0,
            link: ZEROS,
            roster: Pointer::default(),
            sequenced_at: Instant::default(),
            statement: Bytes(vec![0; statement]),
            signatures: List::default(),
        };
        let around = entry(MAX_ENTRY / 2).encode().expect("short").len() - MAX_ENTRY / 2;
        let longest = entry(MAX_ENTRY - around).encode().expect("at the limit");
        assert_eq!(longest.len(), MAX_ENTRY);
        assert_eq!(Entry::decode(&longest).expect("at the limit"), entry(MAX_ENTRY - around));
        let past = entry(MAX_ENTRY - around + 1).encode();
        assert!(matches!(
            past,
            Err(EntryError::Codec(CodecError::TooLong { len: 65_536, limit: MAX_ENTRY }))
        ));
    }

    proptest! {
        #[test]
        fn both_ways_of_reading_agree(
            (version, officer, algorithm) in any::<(u8, u8, u8)>(),
            numbers in any::<[u64; 3]>(),
            shift in any::<[u8; 3]>(),
            statement in proptest::collection::vec(any::<u8>(), 0..300),
            signatures in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70), 0..4),
            at in any::<prop::sample::Index>(),
            change in proptest::collection::vec(any::<u8>(), 0..9),
            cut in 0usize..12,
        ) {
            let n = |at: usize| numbers[at] >> (shift[at] % 64);
            let signatures: Vec<_> =
                signatures.into_iter().map(|bytes| (officer, algorithm, Bytes(bytes))).collect();
            let mut bytes = encode(&(version, n(0), ZEROS, (n(1), ZEROS), n(2), Bytes(statement), signatures));
            for changed in [false, true] {
                if changed {
                    let at = at.index(bytes.len());
                    let end = (at + cut).min(bytes.len());
                    bytes.splice(at..end, change.iter().copied());
                }
                prop_assert_eq!(Entry::read(&bytes), decode::<Entry>(&bytes, MAX_ENTRY).ok());
            }
        }
    }
}
