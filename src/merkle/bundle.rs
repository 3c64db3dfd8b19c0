//! Entry bundles: up to 256 entries one after the other, each behind its length.
//!
//! The length has two bytes, most significant first, so an entry has at most 65,535 (c2sp.org/tlog-tiles, "Log
//! entries"). A bundle of `hi` and an empty entry:
//!
//! ```
//! use servanda::merkle::bundle;
//! let bytes = bundle::encode(&[&b"hi"[..], b""])?;
//! assert_eq!(bytes, [0, 2, b'h', b'i', 0, 0]);
//! assert_eq!(bundle::parse(&bytes, 2)?, [&b"hi"[..], b""]);
//! # Ok::<(), bundle::BundleError>(())
//! ```
//!
//! Entries are opaque here. Nothing in a bundle is authenticated: compare the leaf hashes.

use super::tile::TILE_WIDTH;

/// The longest entry, in bytes.
pub const ENTRY_MAX: usize = 65_535;

/// The longest bundle, in bytes.
pub const BUNDLE_MAX: usize = 256 * (2 + ENTRY_MAX);

/// Why bytes are no entry bundle, or entries make none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The bytes are more than any bundle may have.
    #[error("entry bundle has {0} bytes, more than {BUNDLE_MAX}")]
    TooLong(usize),
    /// There are more entries than a bundle holds.
    #[error("{0} entries, more than {TILE_WIDTH} of a bundle")]
    TooMany(usize),
    /// An entry is too long for its length to be written.
    #[error("entry {at} of the bundle has {len} bytes, more than {ENTRY_MAX}")]
    EntryTooLong {
        /// Which entry, from 0.
        at: usize,
        /// Its length.
        len: usize,
    },
    /// The bytes end within an entry, or before the last.
    #[error("entry bundle ends within entry {at} of {want}")]
    Truncated {
        /// The entry that is not whole, from 0.
        at: u16,
        /// The number of entries that there should be.
        want: u16,
    },
    /// Bytes follow the last entry.
    #[error("trailing bytes behind the last entry of the bundle: {0}")]
    Trailing(usize),
}

/// Joins entries to a bundle.
///
/// # Errors
/// [`BundleError::TooMany`] and [`BundleError::EntryTooLong`].
pub fn encode<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, BundleError> {
    if entries.len() > usize::from(TILE_WIDTH) {
        return Err(BundleError::TooMany(entries.len()));
    }
    let mut bytes = Vec::with_capacity(entries.iter().map(|entry| 2 + entry.as_ref().len()).sum());
    for (at, entry) in entries.iter().map(AsRef::as_ref).enumerate() {
        let len =
            u16::try_from(entry.len()).map_err(|_| BundleError::EntryTooLong { at, len: entry.len() })?;
        bytes.extend(len.to_be_bytes());
        bytes.extend(entry);
    }
    Ok(bytes)
}

/// Takes a bundle of `width` entries apart.
///
/// # Errors
/// [`BundleError`], unless there are exactly so many entries, and nothing else.
pub fn parse(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    if bytes.len() > BUNDLE_MAX {
        return Err(BundleError::TooLong(bytes.len()));
    }
    if width > TILE_WIDTH {
        return Err(BundleError::TooMany(width.into()));
    }
    let mut rest = bytes;
    let mut entry = |at| {
        let (entry, after) = split_entry(rest).ok_or(BundleError::Truncated { at, want: width })?;
        rest = after;
        Ok(entry)
    };
    let entries = (0..width).map(&mut entry).collect::<Result<_, _>>()?;
    if rest.is_empty() { Ok(entries) } else { Err(BundleError::Trailing(rest.len())) }
}

/// Takes the first `width` entries of a longer bundle: what the partial bundle of that width was.
///
/// None if there are fewer.
#[must_use]
pub fn truncated(bytes: &[u8], width: u16) -> Option<&[u8]> {
    let mut rest = bytes;
    for _ in 0..width {
        (_, rest) = split_entry(rest)?;
    }
    bytes.get(..bytes.len() - rest.len())
}

fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*len).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bundle_cut_short_or_prolonged_is_refused() {
        let bytes = encode(&["one", "", "three"]).unwrap();
        for len in 0..bytes.len() {
            assert!(matches!(parse(&bytes[..len], 3), Err(BundleError::Truncated { want: 3, .. })), "{len}");
        }
        assert_eq!(parse(&bytes, 4), Err(BundleError::Truncated { at: 3, want: 4 }));
        assert_eq!(parse(&bytes, 2), Err(BundleError::Trailing(7)));
        assert_eq!(truncated(&bytes, 2), Some(&bytes[..7]));
        assert_eq!(truncated(&bytes, 4), None);
    }

    #[test]
    fn the_257th_entry_and_the_65536th_byte_are_refused() {
        let longest = vec![0; ENTRY_MAX];
        let full = encode(&vec![&longest; 256]).unwrap();
        assert_eq!((full.len(), parse(&full, 256).map(|e| e.len())), (BUNDLE_MAX, Ok(256)));
        assert_eq!(encode(&[&b""[..]; 257]), Err(BundleError::TooMany(257)));
        assert_eq!(parse(&[0; 2 * 257], 257), Err(BundleError::TooMany(257)));
        let refused = encode(&[vec![], vec![0; ENTRY_MAX + 1]]);
        assert_eq!(refused, Err(BundleError::EntryTooLong { at: 1, len: ENTRY_MAX + 1 }));
        assert_eq!(parse(&vec![0; BUNDLE_MAX + 1], 256), Err(BundleError::TooLong(BUNDLE_MAX + 1)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_written_the_same(bytes in proptest::collection::vec(0..3u8, 0..40), width in 0..20u16) {
            if let Ok(entries) = parse(&bytes, width) {
                prop_assert_eq!(encode(&entries), Ok(bytes));
            }
        }

        #[test]
        fn entries_survive_a_bundle(entries: Vec<Vec<u8>>) {
            let width = u16::try_from(entries.len()).unwrap();
            let bytes = encode(&entries).unwrap();
            prop_assert_eq!(parse(&bytes, width), Ok(entries.iter().map(Vec::as_slice).collect()));
        }
    }
}
