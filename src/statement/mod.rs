//! Statements: what a partner signs.
//!
//! ```text
//! version 1 | log [32] | author | class | seq | prev [32] | seen (size, [32]) | issued_at | expires_at | kind | body
//! id        = SHA-256("servanda/statement/1\n" || encoded statement)
//! signature = Ed25519 over "servanda/sig/1\n" || id          47 bytes: its SHA-512 is one block
//! ```
//!
//! Here are the bytes and their own limits; whether a statement fits a log is for `roster` and `chain`. The acts stand
//! in [`act`], their bodies in [`body`], the terms of pledges in [`terms`]; [`check`] tells a good body without building it.

pub mod act;
pub mod body;
pub mod check;
pub mod terms;

pub use act::{Act, Kind};

use crate::codec::{Bytes, CodecError, Parts, decode, encode};
use crate::field::{Class, Handle, Instant};
use crate::hash::{Hash, ZEROS, labelled};
use crate::key::{ED25519, SigningKey};
use serde::{Deserialize, Serialize};

/// The most bytes of a statement.
pub const MAX_STATEMENT: usize = 49_152;

/// The most bytes of a statement of class 0, found excepted.
pub const MAX_GOVERN: usize = 16_384;

/// The version that this program writes and reads.
pub const VERSION: u8 = 1;

/// What signatures are made over: a label and the id.
const SIGNED_LABEL: &[u8; 15] = b"servanda/sig/1\n";

/// The head of a log: how many entries, and the leaf hash of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Head {
    /// The number of entries.
    pub size: u64,
    /// The leaf hash of entry `size − 1`; zeros at size 0.
    pub leaf: Hash,
}

/// A statement, its body still encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// 1.
    pub version: u8,
    /// The log's id; zeros in statement 0 itself.
    pub log: Hash,
    /// Who signs.
    pub author: Handle,
    /// The class's number: 0 govern, 1 commit, 2 operate, 3 observe, 4 operate the log.
    pub class: u8,
    /// Counts the author's statements of this class, from 0.
    pub seq: u64,
    /// The id of the author's statement of this class before; zeros for the first.
    pub prev: Hash,
    /// The head that the author had verified when signing.
    pub seen: Head,
    /// The author's clock.
    pub issued_at: Instant,
    /// The last moment at which it may be sequenced.
    pub expires_at: Instant,
    /// The act's number.
    pub kind: u16,
    /// The act's body, encoded.
    pub body: Bytes,
}

/// Why bytes are not a statement.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// Not the canonical encoding of a statement.
    #[error("not a statement: {0}")]
    Codec(#[from] CodecError),
    /// A version that this program does not know.
    #[error("statement of version {0}, this program knows version {VERSION}")]
    Version(u8),
    /// There are only five classes.
    #[error("statement of class {0}, which does not exist")]
    Class(u8),
    /// Class 0 is kept small, so that everyone can hold all of it.
    #[error("statement of class 0 has {0} bytes, at most {MAX_GOVERN} are allowed")]
    GovernTooLong(usize),
}

/// A signature as entries carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The officer's number; 128 + j for officer j of a rotation's new set.
    pub officer: u8,
    /// The algorithm: 1 is Ed25519.
    pub algorithm: u8,
    /// The signature in the algorithm's encoding; 64 bytes for Ed25519.
    pub bytes: Bytes,
}

impl Signature {
    pub(crate) fn blank() -> Self {
        Self { officer: 0, algorithm: 0, bytes: Bytes::default() }
    }

    /// Takes a signature off an entry's encoding, in the place of this one.
    pub(crate) fn refill(&mut self, parts: &mut Parts<'_>) -> Option<()> {
        self.officer = parts.byte()?;
        self.algorithm = parts.byte()?;
        self.bytes.refill(parts.bytes()?);
        Some(())
    }
}

impl Statement {
    /// Decodes a statement of at most [`MAX_STATEMENT`] bytes.
    ///
    /// # Errors
    /// [`StatementError`] says what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, StatementError> {
        let mut statement = Self::blank();
        statement.refill(bytes)?;
        Ok(statement)
    }

    /// Room for a statement to be read into.
    pub(crate) fn blank() -> Self {
        Self {
            version: 0,
            log: ZEROS,
            author: Handle::operator(),
            class: 0,
            seq: 0,
            prev: ZEROS,
            seen: Head::default(),
            issued_at: Instant::default(),
            expires_at: Instant::default(),
            kind: 0,
            body: Bytes::default(),
        }
    }

    /// Reads another statement in the place of this one.
    pub(crate) fn refill(&mut self, bytes: &[u8]) -> Result<(), StatementError> {
        if self.read(bytes).is_none() {
            *self = decode(bytes, MAX_STATEMENT)?;
        }
        self.check(bytes.len())
    }

    /// Reads what [`decode`] would, only faster; none where that is to say what is wrong.
    fn read(&mut self, bytes: &[u8]) -> Option<()> {
        let mut parts = Parts::of(bytes);
        self.version = parts.byte()?;
        self.log = parts.hash()?;
        self.author = Handle::of(parts.bytes()?)?;
        self.class = parts.byte()?;
        self.seq = parts.number()?;
        self.prev = parts.hash()?;
        self.seen = Head { size: parts.number()?, leaf: parts.hash()? };
        self.issued_at = Instant::from_ms(parts.number()?).ok()?;
        self.expires_at = Instant::from_ms(parts.number()?).ok()?;
        self.kind = parts.number()?.try_into().ok()?;
        self.body.refill(parts.bytes()?);
        (parts.rest().is_empty() && bytes.len() <= MAX_STATEMENT).then_some(())
    }

    /// Encodes it.
    ///
    /// # Errors
    /// When it is longer than its class allows, or of no known version or class.
    pub fn encode(&self) -> Result<Vec<u8>, StatementError> {
        let bytes = encode(self);
        if bytes.len() > MAX_STATEMENT {
            return Err(CodecError::TooLong { len: bytes.len(), limit: MAX_STATEMENT }.into());
        }
        self.check(bytes.len())?;
        Ok(bytes)
    }

    fn check(&self, len: usize) -> Result<(), StatementError> {
        if self.version != VERSION {
            return Err(StatementError::Version(self.version));
        }
        let class = Class::from_number(self.class).ok_or(StatementError::Class(self.class))?;
        if class == Class::Govern && self.kind != Kind::Found.number() && len > MAX_GOVERN {
            return Err(StatementError::GovernTooLong(len));
        }
        Ok(())
    }

    /// The class.
    ///
    /// # Panics
    /// Never after [`Self::decode`], which refuses others.
    #[must_use]
    pub fn class(&self) -> Class {
        Class::from_number(self.class).expect("decode admits known classes only")
    }

    /// The act, where its kind is known and its body decodes.
    ///
    /// # Errors
    /// None of these two; see [`ActError`].
    pub fn act(&self) -> Result<Act, ActError> {
        let kind = Kind::from_number(self.kind).ok_or(ActError::UnknownKind(self.kind))?;
        Act::read_body(kind, &self.body).map_err(|error| ActError::Body { kind, error })
    }

    /// Tells whether there is an act, without making it.
    ///
    /// # Errors
    /// As [`Self::act`].
    pub fn check_act(&self) -> Result<(), ActError> {
        match Kind::from_number(self.kind) {
            Some(kind) if check::holds(kind, &self.body) => Ok(()),
            _ => self.act().map(drop),
        }
    }
}

/// Why a statement's act cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No kind of this number at this program's level.
    #[error("kind {0} is not known")]
    UnknownKind(u16),
    /// The body is not the canonical encoding of such an act.
    #[error("body of {}: {error}", kind.name())]
    Body {
        /// The kind.
        kind: Kind,
        /// What is wrong.
        error: CodecError,
    },
}

/// The id of an encoded statement.
#[must_use]
pub fn id(encoded: &[u8]) -> Hash {
    labelled("servanda/statement/1\n", encoded)
}

/// The 47 bytes that an officer signs.
#[must_use]
pub fn signed_bytes(id: &Hash) -> [u8; 47] {
    let mut out = [0; 47];
    out[..15].copy_from_slice(SIGNED_LABEL);
    out[15..].copy_from_slice(&id.0);
    out
}

/// Signs an id as an officer.
#[must_use]
pub fn sign(id: &Hash, officer: u8, key: &SigningKey) -> Signature {
    Signature { officer, algorithm: ED25519, bytes: key.sign(&signed_bytes(id)).to_vec().into() }
}

/// The log id of a statement: its own id where it is statement 0, whose log field is zeros.
#[must_use]
pub fn log_id(statement: &Statement, id: &Hash) -> Hash {
    if statement.log == ZEROS { *id } else { statement.log }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ways_of_reading_agree(
            handle in "[a-z0-9.-]{0,3}|[ -~]{1,70}",
            numbers in any::<[u64; 5]>(),
            shift in any::<[u8; 5]>(),
            (class, kind) in any::<(u8, u16)>(),
            body in proptest::collection::vec(any::<u8>(), 0..300),
            at in any::<prop::sample::Index>(),
            change in proptest::collection::vec(any::<u8>(), 0..9),
            cut in 0usize..12,
        ) {
            // Numbers of every length; a handle that may be none; then some bytes replaced by others.
            let n = |at: usize| numbers[at] >> (shift[at] % 64);
            let parts = (1u8, ZEROS, handle, class, n(0), ZEROS, (n(1), ZEROS), n(2), n(3), kind);
            let mut bytes = encode(&(parts, Bytes(body)));
            let mut read = Statement::blank();
            for changed in [false, true] {
                if changed {
                    let at = at.index(bytes.len());
                    let end = (at + cut).min(bytes.len());
                    bytes.splice(at..end, change.iter().copied());
                }
                let slow = decode::<Statement>(&bytes, MAX_STATEMENT).ok();
                // In the place of what was read before.
                let fast = read.read(&bytes).map(|()| &read);
                prop_assert_eq!(fast, slow.as_ref());
            }
        }
    }
}
