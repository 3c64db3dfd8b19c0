//! Texts with a limit on their bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::Deref;

/// UTF-8 of at most `MAX` bytes. Verifiers take it as it is; the author's tool brings it to NFC before signing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Text<const MAX: usize>(String);

/// A label, title or name: at most 256 bytes.
pub type Short = Text<256>;

/// A paragraph or several: at most 32,768 bytes.
pub type Long = Text<32_768>;

/// A text is longer than its field allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("text has {len} bytes, at most {max} are allowed")]
pub struct TextTooLong {
    /// The text's length in bytes.
    pub len: usize,
    /// The field's limit in bytes.
    pub max: usize,
}

impl<const MAX: usize> Text<MAX> {
    /// Takes a text as it is.
    ///
    /// # Errors
    /// When it is longer than `MAX` bytes.
    pub fn new(text: impl Into<String>) -> Result<Self, TextTooLong> {
        let text = text.into();
        if text.len() > MAX { Err(TextTooLong { len: text.len(), max: MAX }) } else { Ok(Self(text)) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const MAX: usize> std::str::FromStr for Text<MAX> {
    type Err = TextTooLong;
    fn from_str(s: &str) -> Result<Self, TextTooLong> {
        Self::new(s)
    }
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        super::visit_text(d, str::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_counts_bytes_and_holds_to_the_byte() {
        assert!(Short::new("é".repeat(128)).is_ok());
        assert_eq!(Short::new("x".repeat(257)), Err(TextTooLong { len: 257, max: 256 }));
        let long = crate::codec::encode(&"x".repeat(257));
        assert!(crate::codec::decode::<Short>(&long, 1000).is_err());
    }
}
