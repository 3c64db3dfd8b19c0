//! The canonical encoding: the only file that knows bincode.
//!
//! bincode 2 with its standard configuration, through serde: u8 raw; every other integer as a varint (below 251 one
//! byte; else 251, 252 or 253 followed by 2, 4 or 8 bytes, little-endian); signed integers zigzag first; texts, byte
//! strings and lists behind their length; options 0 or 1; variants by number; structures and 32-byte digests as their
//! parts in order, nothing between them. `docs/spec.md` describes it so that nobody else needs bincode.
//!
//! ```
//! use servanda::codec::{decode, encode};
//! assert_eq!(encode(&(1u8, 250u64, 251u64, "ab")), [1, 250, 251, 251, 0, 2, b'a', b'b']);
//! assert_eq!(decode::<(u8, u64)>(&[1, 250], 16).unwrap(), (1, 250));
//! assert!(decode::<(u8, u64)>(&[1, 251, 250, 0], 16).is_err(), "over-long integer");
//! assert!(decode::<(u8, u64)>(&[1, 250, 0], 16).is_err(), "trailing byte");
//! ```
//!
//! Decoding is strict: the input's length is checked first, nothing is allocated on the word of a length alone (see
//! [`List`] and [`Bytes`]), and what does not encode to the very same bytes again is refused.

use crate::hash::{Hash, Labelled};
use bincode::config;
use bincode::enc::write::{SizeWriter, Writer};
use bincode::error::EncodeError;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// What bincode may read in one go, in bytes: a belt against bombs, no part of the format.
const BELT: usize = 1 << 20;

/// The same for files and snapshots, which hold many entries.
const LARGE_BELT: usize = 1 << 28;

/// How many bytes of memory a byte string keeps that is filled again and again ([`Bytes::refill`]).
const KEPT: usize = 2048;

/// Why bytes are not the canonical encoding of a value.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The input is longer than the type allows.
    #[error("{len} bytes, at most {limit} are allowed")]
    TooLong {
        /// The input's length.
        len: usize,
        /// The limit of this type.
        limit: usize,
    },
    /// The bytes are cut short, lie about a length, or hold a value that the type forbids.
    #[error("malformed: {0}")]
    Malformed(#[from] bincode::error::DecodeError),
    /// Bytes follow after the value.
    #[error("trailing bytes: {0}")]
    Trailing(usize),
    /// The value has another, shorter encoding.
    #[error("not the canonical encoding of its content")]
    NotCanonical,
}

/// Encodes a value.
///
/// # Panics
/// Never for this crate's types: they have no unsized or failing parts.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, config::standard()).expect("our types always encode")
}

/// The labelled digest of a value's encoding, which is not kept.
#[must_use]
pub fn digest<T: Serialize>(label: &str, value: &T) -> Hash {
    let mut pieces = Pieces { digest: Labelled::new(label), filled: Vec::with_capacity(2 * PIECE) };
    bincode::serde::encode_into_writer(value, &mut pieces, config::standard())
        .expect("our types always encode");
    pieces.digest.update(&pieces.filled);
    pieces.digest.finish()
}

/// How many bytes are gathered before they are hashed.
const PIECE: usize = 16 << 10;

/// Hashes an encoding, some kilobytes at a time.
struct Pieces {
    digest: Labelled,
    filled: Vec<u8>,
}

impl Writer for Pieces {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.filled.extend_from_slice(bytes);
        if self.filled.len() >= PIECE {
            self.digest.update(&self.filled);
            self.filled.clear();
        }
        Ok(())
    }
}

/// How many bytes a value's encoding has.
#[must_use]
pub fn encoded_len<T: Serialize>(value: &T) -> usize {
    let mut writer = SizeWriter::default();
    bincode::serde::encode_into_writer(value, &mut writer, config::standard())
        .expect("our types always encode");
    writer.bytes_written
}

/// Decodes a value from at most `limit` bytes, and refuses all but its one canonical encoding.
///
/// # Errors
/// [`CodecError`] says what is wrong with the bytes.
pub fn decode<T: DeserializeOwned + Serialize>(bytes: &[u8], limit: usize) -> Result<T, CodecError> {
    decode_belted::<T, BELT>(bytes, limit)
}

/// The same for files and snapshots, which are longer than any statement or entry.
///
/// # Errors
/// [`CodecError`] says what is wrong with the bytes.
pub fn decode_large<T: DeserializeOwned + Serialize>(bytes: &[u8], limit: usize) -> Result<T, CodecError> {
    decode_belted::<T, LARGE_BELT>(bytes, limit)
}

/// Decodes bytes that are known to be a canonical encoding, and does not look at that again.
///
/// # Errors
/// Where they are none after all.
pub(crate) fn decode_checked<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLong { len: bytes.len(), limit });
    }
    let belt = config::standard().with_limit::<LARGE_BELT>();
    let (value, read) = bincode::serde::borrow_decode_from_slice(bytes, belt)?;
    if read == bytes.len() { Ok(value) } else { Err(CodecError::Trailing(bytes.len() - read)) }
}

fn decode_belted<T: DeserializeOwned + Serialize, const BELT: usize>(
    bytes: &[u8],
    limit: usize,
) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLong { len: bytes.len(), limit });
    }
    let (value, read) =
        bincode::serde::borrow_decode_from_slice(bytes, config::standard().with_limit::<BELT>())?;
    if read != bytes.len() {
        return Err(CodecError::Trailing(bytes.len() - read));
    }
    let mut same = Same(bytes);
    match bincode::serde::encode_into_writer(&value, &mut same, config::standard()) {
        Ok(()) if same.0.is_empty() => Ok(value),
        _ => Err(CodecError::NotCanonical),
    }
}

/// Takes an encoding as long as it is that of these bytes, and keeps nothing of it.
struct Same<'a>(&'a [u8]);

impl Writer for Same<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0 = self.0.strip_prefix(bytes).ok_or(EncodeError::Other("it differs"))?;
        Ok(())
    }
}

/// Takes canonical encodings apart without copying, for what is read by the million. It refuses without saying why:
/// [`decode`], which must give the same value or a reason, is for that.
pub(crate) struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    /// The parts of these bytes.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What follows after the parts taken.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    fn raw<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (raw, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*raw)
    }

    /// A u8.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.raw().map(|[byte]| byte)
    }

    /// A u64, or a narrower one from u16 on, in its shortest form.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let (number, least) = match self.byte()? {
            small @ 0..=250 => (small.into(), 0),
            251 => (u16::from_le_bytes(self.raw()?).into(), 251),
            252 => (u32::from_le_bytes(self.raw()?).into(), 1 << 16),
            253 => (u64::from_le_bytes(self.raw()?), 1 << 32),
            _ => return None,
        };
        (number >= least).then_some(number)
    }

    /// An i64.
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let zigzag = self.number()?;
        Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }

    /// A text.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// A digest.
    pub(crate) fn hash(&mut self) -> Option<Hash> {
        self.raw().map(Hash)
    }

    /// A byte string or the bytes of a text, behind its length.
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }
}

/// A sequence that grows as its elements arrive, whatever length it claims.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> List<T> {
    /// Adds an element. Most lists stay short, and there are millions of them: they grow by little.
    pub fn push(&mut self, element: T) {
        self.make_room();
        self.0.push(element);
    }

    /// Puts an element in its place, all behind it one further.
    ///
    /// # Panics
    /// Past the end.
    pub fn insert(&mut self, at: usize, element: T) {
        self.make_room();
        self.0.insert(at, element);
    }

    fn make_room(&mut self) {
        if self.0.len() == self.0.capacity() {
            self.0.reserve_exact((self.0.len() / 2).max(1));
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> Deref for List<T> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(v: Vec<T>) -> Self {
        Self(v)
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
                let mut all = List::default();
                while let Some(element) = seq.next_element()? {
                    all.push(element);
                }
                Ok(all)
            }
        }
        d.deserialize_seq(Elements(PhantomData))
    }
}

/// A byte string: raw behind its length; hexadecimal where people read it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl Bytes {
    /// Holds these from now on, in the memory that it has; what was much more than is usual is given back.
    pub(crate) fn refill(&mut self, bytes: &[u8]) {
        self.0.clear();
        self.0.shrink_to(KEPT);
        self.0.reserve_exact(bytes.len());
        self.0.extend_from_slice(bytes);
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(v: Vec<u8>) -> Self {
        Self(v)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.serialize_str(&hex::encode(&self.0))
        } else {
            s.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Raw;
        impl<'de> Visitor<'de> for Raw {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(v.to_vec()))
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Bytes, E> {
                hex::decode(v).map(Bytes).map_err(E::custom)
            }
        }
        // Borrowed: the length is held against the bytes that are left before anything is copied.
        if d.is_human_readable() { d.deserialize_str(Raw) } else { d.deserialize_bytes(Raw) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nine_byte_bomb_is_refused() {
        let bomb = [253, 255, 255, 255, 255, 255, 255, 255, 127];
        assert!(decode::<Bytes>(&bomb, 64).is_err());
        assert!(decode::<List<u64>>(&bomb, 64).is_err());
        assert!(decode::<String>(&bomb, 64).is_err());
    }

    #[test]
    fn a_length_that_lies_is_refused() {
        assert!(decode::<Bytes>(&[4, 1, 2, 3], 64).is_err());
        assert!(decode::<List<u8>>(&[4, 1, 2, 3], 64).is_err());
        assert!(matches!(decode::<Bytes>(&[2, 1, 2, 3], 64), Err(CodecError::Trailing(1))));
        assert!(matches!(decode::<Bytes>(&[0, 1, 2, 3], 64), Err(CodecError::Trailing(3))));
    }

    #[test]
    fn a_type_that_forgets_what_it_read_is_refused() {
        struct First(u8);
        impl Serialize for First {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(s)
            }
        }
        impl<'de> Deserialize<'de> for First {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                <(u8, u8)>::deserialize(d).map(|(first, _)| Self(first))
            }
        }
        assert!(matches!(decode::<First>(&[1, 2], 64), Err(CodecError::NotCanonical)));
    }

    #[test]
    fn over_long_integers_are_refused() {
        for long in [&[251, 5, 0][..], &[252, 5, 0, 0, 0], &[253, 5, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(matches!(decode::<u64>(long, 64), Err(CodecError::NotCanonical)), "{long:?}");
        }
    }

    #[test]
    fn the_limit_holds_to_the_byte() {
        let four = encode(&Bytes(vec![1, 2, 3]));
        assert_eq!(decode::<Bytes>(&four, 4).expect("at the limit"), Bytes(vec![1, 2, 3]));
        assert!(matches!(decode::<Bytes>(&four, 3), Err(CodecError::TooLong { len: 4, limit: 3 })));
    }

    #[test]
    fn parts_take_the_shortest_form_alone() {
        for number in [0, 250, 251, 65_535, 65_536, u64::from(u32::MAX), 1 << 32, u64::MAX] {
            let bytes = encode(&number);
            let mut parts = Parts::of(&bytes);
            assert_eq!((parts.number(), parts.rest()), (Some(number), &[][..]), "{number}");
            assert_eq!(encoded_len(&number), bytes.len());
            for cut in 0..bytes.len() {
                assert_eq!(Parts::of(&bytes[..cut]).number(), None);
            }
        }
        for long in [
            &[251, 250, 0][..],
            &[252, 255, 255, 0, 0],
            &[253, 255, 255, 255, 255, 0, 0, 0, 0],
            &[254],
            &[255],
        ] {
            assert_eq!(Parts::of(long).number(), None, "{long:?}");
        }
        assert_eq!(Parts::of(&[3, 1, 2]).bytes(), None);
        assert_eq!(Parts::of(&[253, 255, 255, 255, 255, 255, 255, 255, 127]).bytes(), None);
    }

    #[test]
    fn people_read_bytes_as_hexadecimal_digits() {
        let bytes = Bytes(vec![0, 10, 255]);
        let json = serde_json::to_string(&bytes).expect("json");
        assert_eq!(json, r#""000aff""#);
        assert_eq!(serde_json::from_str::<Bytes>(&json).expect("json"), bytes);
        for bad in [r#""0""#, r#""0g""#, "[0]"] {
            assert!(serde_json::from_str::<Bytes>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn signed_integers_are_zigzag() {
        assert_eq!(encode(&(-1i64, 1i64, -126i64)), [1, 2, 251, 251, 0]);
        for number in [0, 1, -1, 125, -125, 126, -126, i64::MAX, i64::MIN] {
            assert_eq!(Parts::of(&encode(&number)).signed(), Some(number), "{number}");
        }
    }
}
