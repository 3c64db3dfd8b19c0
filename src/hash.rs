//! SHA-256 digests and the two prefixed hashes of the Merkle tree.
//!
//! Owns [`struct@Hash`], 32 raw bytes, shown as 64 lower-case hexadecimal digits. Leaves are hashed with a `0x00` prefix and
//! inner nodes with `0x01` (RFC 6962, section 2.1), so that no leaf can pass for a node:
//!
//! ```
//! use servanda::hash::{leaf_hash, node_hash, EMPTY_ROOT, Hash};
//! assert_eq!(EMPTY_ROOT.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
//! assert_eq!(leaf_hash(b"").to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
//! ```
//!
//! Labelled digests of Servanda's own objects (statement ids, key-set digests, seals) start with a label that ends in a
//! newline; [`labelled`] makes them, so that no two kinds of object can share a digest.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// A SHA-256 digest: 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Hash(pub [u8; 32]);

/// The root of a tree without leaves: SHA-256 of nothing (RFC 6962, section 2.1).
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Thirty-two zero bytes: what stands where there is nothing before.
pub const ZEROS: Hash = Hash([0; 32]);

/// Hashes the bytes alone, as for the digest of a document.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// Hashes a leaf's data: SHA-256(0x00 || data) (RFC 6962, section 2.1).
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    Hash(Sha256::new_with_prefix([0]).chain_update(data).finalize().into())
}

/// Hashes an inner node: SHA-256(0x01 || left || right) (RFC 6962, section 2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(Sha256::new_with_prefix([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// Hashes an object under a label that ends in a newline: SHA-256(label || data).
#[must_use]
pub fn labelled(label: &str, data: &[u8]) -> Hash {
    debug_assert!(label.ends_with('\n'));
    Hash(Sha256::new_with_prefix(label).chain_update(data).finalize().into())
}

/// A labelled digest of bytes that come piece by piece.
pub struct Labelled(Sha256);

impl Labelled {
    /// Begins with a label that ends in a newline.
    #[must_use]
    pub fn new(label: &str) -> Self {
        debug_assert!(label.ends_with('\n'));
        Self(Sha256::new_with_prefix(label))
    }

    /// Takes in the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

impl Hash {
    /// The first twelve hexadecimal digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(&self.0[..6])
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A text is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: want 64 lower-case hexadecimal digits")]
pub struct NotAHash;

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(s: &str) -> Result<Self, NotAHash> {
        let mut out = [0; 32];
        if s.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(NotAHash);
        }
        hex::decode_to_slice(s, &mut out).map_err(|_| NotAHash)?;
        Ok(Self(out))
    }
}

// Raw bytes in the canonical encoding, hexadecimal where people read it (JSON, TOML).
impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            String::deserialize(d)?.parse().map_err(de::Error::custom)
        } else {
            Ok(Self(<[u8; 32]>::deserialize(d)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_a_leaf_and_a_node_never_meet() {
        let (l, r) = (leaf_hash(b"l"), leaf_hash(b"r"));
        let mut joined = l.0.to_vec();
        joined.extend(r.0);
        assert_ne!(node_hash(&l, &r), leaf_hash(&joined));
    }

    #[test]
    fn upper_case_and_short_texts_are_no_digests() {
        let text = ZEROS.to_string();
        assert_eq!(text.parse(), Ok(ZEROS));
        assert_eq!(text[1..].parse::<Hash>(), Err(NotAHash));
        assert_eq!(EMPTY_ROOT.to_string().to_uppercase().parse::<Hash>(), Err(NotAHash));
    }
}
