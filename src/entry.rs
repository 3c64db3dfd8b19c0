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

/// For how many signatures an entry keeps memory that is filled again and again.
const KEPT_SIGNATURES: usize = 16;

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
        let mut entry = Self::blank();
        entry.refill(bytes)?;
        Ok(entry)
    }

    /// Room for an entry to be read into ([`Self::refill`]).
    pub(crate) fn blank() -> Self {
        Self {
            entry: Entry::blank(),
            statement: Statement::blank(),
            id: ZEROS,
            leaf: ZEROS,
            act: OnceLock::new(),
        }
    }

    /// Reads another entry in the place of this one, as [`Self::decode`], and takes no memory where there is enough.
    ///
    /// # Errors
    /// As [`Self::decode`]; then what is left here is none.
    pub(crate) fn refill(&mut self, bytes: &[u8]) -> Result<(), EntryError> {
        self.entry.refill(bytes)?;
        self.statement.refill(&self.entry.statement)?;
        self.id = statement::id(&self.entry.statement);
        self.leaf = leaf_hash(bytes);
        self.act = OnceLock::new();
        Ok(())
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

    /// What is wrong with the body of a known kind, without making an act where none was made yet.
    pub(crate) fn body_error(&self) -> Option<String> {
        let told = |error: &ActError| match error {
            ActError::Body { error, .. } => Some(error.to_string()),
            ActError::UnknownKind(_) => None,
        };
        match self.act.get() {
            Some(act) => act.as_ref().as_ref().err().and_then(told),
            None => self.statement.check_act().err().as_ref().and_then(told),
        }
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
    fn blank() -> Self {
        Self {
            version: 0,
            index: 0,
            link: ZEROS,
            roster: Pointer::default(),
            sequenced_at: Instant::default(),
            statement: Bytes::default(),
            signatures: List::default(),
        }
    }

    /// Reads another entry in the place of this one, its statement as bytes.
    fn refill(&mut self, bytes: &[u8]) -> Result<(), EntryError> {
        if self.read(bytes).is_none() {
            *self = decode(bytes, MAX_ENTRY)?;
        }
        self.check()
    }

    /// Reads what [`decode`] would, only faster; none where that is to say what is wrong.
    fn read(&mut self, bytes: &[u8]) -> Option<()> {
        let mut parts = Parts::of(bytes);
        self.version = parts.byte()?;
        self.index = parts.number()?;
        self.link = parts.hash()?;
        self.roster = Pointer { index: parts.number()?, leaf: parts.hash()? };
        self.sequenced_at = Instant::from_ms(parts.number()?).ok()?;
        self.statement.refill(parts.bytes()?);
        // They grow as they arrive, whatever number is claimed.
        let mut taken = 0;
        for _ in 0..parts.number()? {
            if taken == self.signatures.len() {
                self.signatures.push(Signature::blank());
            }
            self.signatures[taken].refill(&mut parts)?;
            taken += 1;
        }
        self.signatures.truncate(taken);
        self.signatures.shrink_to(KEPT_SIGNATURES);
        (parts.rest().is_empty() && bytes.len() <= MAX_ENTRY).then_some(())
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
        let mut read = Entry::blank();
        read.refill(&longest).expect("at the limit");
        assert_eq!(read, entry(MAX_ENTRY - around));
        let past = entry(MAX_ENTRY - around + 1).encode();
        assert!(matches!(
            past,
            Err(EntryError::Codec(CodecError::TooLong { len: 65_536, limit: MAX_ENTRY }))
        ));
    }

    #[test]
    fn what_was_filled_with_much_keeps_little() {
        let mut entry = Entry::blank();
        let signature = |len: usize| Signature { officer: 0, algorithm: 0, bytes: vec![0; len].into() };
        for (statement, signatures) in [(40_000, 5_000), (3, 1)] {
            let mut much = Entry::blank();
            much.version = VERSION;
            much.statement = vec![0; statement].into();
            much.signatures = (0..signatures).map(|_| signature(0)).collect();
            entry.refill(&encode(&much)).expect("an entry");
            assert_eq!(entry, much);
        }
        assert!(entry.statement.0.capacity() <= 2048);
        assert!(entry.signatures.capacity() <= KEPT_SIGNATURES);
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
            let mut read = Entry::blank();
            for changed in [false, true] {
                if changed {
                    let at = at.index(bytes.len());
                    let end = (at + cut).min(bytes.len());
                    bytes.splice(at..end, change.iter().copied());
                }
                // In the place of what was read before.
                let fast = read.read(&bytes).map(|()| &read);
                let slow = decode::<Entry>(&bytes, MAX_ENTRY).ok();
                prop_assert_eq!(fast, slow.as_ref());
            }
        }
    }
}
