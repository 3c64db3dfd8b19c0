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

    /// Reads the values of a text that holds one or several, one after the other; the limit is each one's.
    ///
    /// # Errors
    /// When one of them is no such file.
    pub fn read_all<T: DeserializeOwned + Serialize>(self, text: &[u8]) -> Result<Vec<T>, ArmorError> {
        let starts = |at: &usize| (*at == 0 || text[at - 1] == b'\n') && text[*at..].starts_with(BEGIN);
        // Whatever stands before the first one goes with it, as in a text of one.
        let later = (0..text.len()).filter(|at| text[*at] == b'-').filter(starts).skip(1);
        let mut ends: Vec<usize> = later.collect();
        ends.push(text.len());
        let mut from = 0;
        let mut values = Vec::with_capacity(ends.len());
        for (block, to) in (1..).zip(&ends) {
            let one = if ends.len() > 1 { text[from..*to].trim_ascii_end() } else { text };
            values.push(match self.read(one) {
                Err(error) if ends.len() > 1 => {
                    return Err(ArmorError::Block { block, error: Box::new(error) });
                }
                read => read?,
            });
            from = *to;
        }
        Ok(values)
    }
}

/// How every one begins.
const BEGIN: &[u8] = b"-----BEGIN ";

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
    /// One of several.
    #[error("number {block} in it: {error}")]
    Block {
        /// Which, from 1.
        block: usize,
        /// What is wrong with it.
        error: Box<Self>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(value: &[u64]) -> String {
        File::Opening.write(&value.to_vec()).expect("short")
    }

    #[test]
    fn a_text_holds_one_value_or_several() {
        let (one, two) = (vec![1u64], vec![2u64, 3]);
        let read = |text: &str| File::Opening.read_all::<Vec<u64>>(text.as_bytes());
        assert_eq!(read(&block(&one)).expect("one"), vec![one.clone()]);
        for between in ["", "\n", "\r\n \n"] {
            let text = format!("{}{between}{}\n\n", block(&one), block(&two));
            assert_eq!(read(&text).expect("two"), [one.clone(), two.clone()], "{between:?}");
        }
        let before = format!("from the ministry\n{}{}", block(&one), block(&two));
        assert_eq!(read(&before).expect("two").len(), 2);
    }

    #[test]
    fn one_bad_value_among_several_is_named() {
        let bad = block(&[2]).replace("BEGIN", "BEGIN X");
        let all = format!("{}{bad}{}", block(&[1]), block(&[3]));
        let error = File::Opening.read_all::<Vec<u64>>(all.as_bytes()).expect_err("refused");
        assert!(matches!(error, ArmorError::Block { block: 2, .. }), "{error}");
        assert!(File::Opening.read_all::<Vec<u64>>(b"").is_err());
        assert!(File::Statement.read_all::<Vec<u64>>(block(&[1]).as_bytes()).is_err());
    }

    #[test]
    fn the_limit_is_each_ones() {
        let longest = File::Opening.limit() - 8;
        let text = File::Opening.write(&vec![7u8; longest]).expect("within the limit");
        let all = text.repeat(3);
        assert_eq!(File::Opening.read_all::<Vec<u8>>(all.as_bytes()).expect("three").len(), 3);
        assert!(File::Opening.write(&vec![7u8; File::Opening.limit()]).is_err());
    }
}
