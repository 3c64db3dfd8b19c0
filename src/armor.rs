//! Servanda's files as text that survives any way of sending: PEM (RFC 7468), each kind under a label of its own.
//!
//! ```text
//! -----BEGIN SERVANDA STATEMENT-----
//! AQEBAQ…
//! -----END SERVANDA STATEMENT-----
//! ```
//!
//! Inside is the canonical encoding of the kind's type, under the kind's limit.

use crate::codec::{CodecError, decode_large, encode};
use pem_rfc7468::LineEnding;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// A statement on its way to the log, signed by none, some or all of its officers.
    Statement,
    /// The operator's promise.
    Promise,
    /// A roster file.
    Roster,
    /// Evidence of misbehaviour.
    Evidence,
    /// What opens a sealed value.
    Opening,
}

impl File {
    const ALL: [Self; 5] = [Self::Statement, Self::Promise, Self::Roster, Self::Evidence, Self::Opening];

    /// The label between the dashes.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Statement => "SERVANDA STATEMENT",
            Self::Promise => "SERVANDA PROMISE",
            Self::Roster => "SERVANDA ROSTER",
            Self::Evidence => "SERVANDA EVIDENCE",
            Self::Opening => "SERVANDA OPENING",
        }
    }

    /// The most bytes inside.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::Statement | Self::Promise | Self::Opening => 1 << 18,
            Self::Roster => 16 << 20,
            Self::Evidence => 17 << 20,
        }
    }

    /// The most bytes of the text.
    #[must_use]
    pub fn text_limit(self) -> u64 {
        // Four characters for three bytes, a line end for 64 of them, two lines around.
        u64::try_from(self.limit() / 3 * 4 / 64 * 66 + 256).expect("fits")
    }

    /// Tells what a text holds by its first line.
    #[must_use]
    pub fn of(text: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|f| text.starts_with(format!("-----BEGIN {}-----", f.label()).as_bytes()))
    }

    /// Writes a value.
    ///
    /// # Errors
    /// When it is longer than the kind allows.
    pub fn write<T: Serialize>(self, value: &T) -> Result<String, ArmorError> {
        let bytes = encode(value);
        if bytes.len() > self.limit() {
            return Err(CodecError::TooLong { len: bytes.len(), limit: self.limit() }.into());
        }
        Ok(pem_rfc7468::encode_string(self.label(), LineEnding::LF, &bytes)?)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// When the text is no such file.
    pub fn read<T: DeserializeOwned + Serialize>(self, text: &[u8]) -> Result<T, ArmorError> {
        if u64::try_from(text.len()).is_ok_and(|len| len > self.text_limit()) {
            return Err(CodecError::TooLong { len: text.len(), limit: self.limit() }.into());
        }
        let (label, bytes) = pem_rfc7468::decode_vec(text)?;
        if label != self.label() {
            return Err(ArmorError::Label { want: self.label() });
        }
        Ok(decode_large(&bytes, self.limit())?)
    }
}

/// Why a text is not the file it should be.
#[derive(Debug, thiserror::Error)]
pub enum ArmorError {
    /// No PEM (RFC 7468).
    #[error("not a Servanda file: {0}")]
    Pem(#[from] pem_rfc7468::Error),
    /// Another kind of file.
    #[error("not a {want}: the first line says something else")]
    Label {
        /// The label wanted.
        want: &'static str,
    },
    /// What is inside is no such value.
    #[error("{0}")]
    Codec(#[from] CodecError),
}
