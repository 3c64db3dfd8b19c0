//! Strict text: one way to write a number, a byte string, a line.
//!
//! Notes, checkpoints, proofs and policies are lines of text that other programs compare byte by byte, so each value has
//! exactly one form here, and every other form is refused rather than repaired (C2SP, common conventions):
//!
//! ```
//! use servanda::text::{decimal_u64, from_base64, lines};
//! assert_eq!(decimal_u64("70"), Some(70));
//! assert_eq!(decimal_u64("+70"), None); // the standard library would take this, and 070
//! assert_eq!(from_base64("/w=="), Some(vec![0xff]));
//! assert_eq!(from_base64("/x=="), None); // stray bits behind the last byte
//! assert_eq!(lines("a\n\nb\n").map(Iterator::collect), Some(vec!["a", "", "b"]));
//! assert!(lines("a\nb").is_none()); // the last line has no end
//! ```
//!
//! For people, [`count`] writes a number with its word. Limits on sizes belong to the parsers, who know what to expect.

use crate::hash::Hash;
use base64ct::{Base64, Encoding};
use std::fmt;

/// The length of a digest in base64, in characters.
pub const HASH_BASE64_LEN: usize = 44;

/// Reads a decimal number in its one form: digits alone, no leading zeros, at most 2^64 − 1.
#[must_use]
pub fn decimal_u64(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| canonical)
}

/// Writes base64 with the standard alphabet and padding (RFC 4648, section 4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Reads base64 with the standard alphabet and padding; refuses stray bits, missing padding, spaces and line ends.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}

/// Reads a digest of exactly 32 bytes from base64.
#[must_use]
pub fn hash_from_base64(text: &str) -> Option<Hash> {
    let bytes = (text.len() == HASH_BASE64_LEN).then(|| from_base64(text))??;
    bytes.try_into().ok().map(Hash)
}

/// Splits a block of lines, each ended by a line feed, and gives them without it.
///
/// None if the block is empty or its last line has no end. A carriage return is a character like any other: whoever
/// reads the line refuses it.
#[must_use]
pub fn lines(block: &str) -> Option<std::str::Split<'_, char>> {
    Some(block.strip_suffix('\n')?.split('\n'))
}

/// Writes a count with its word in the singular or plural: `1 entry`, `12 entries`.
#[must_use]
pub fn count(n: impl fmt::Display, one: &str, many: &str) -> String {
    let n = n.to_string();
    let word = if n == "1" { one } else { many };
    format!("{n} {word}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_has_one_form() {
        for good in [0, 1, 10, 1 << 63, u64::MAX] {
            assert_eq!(decimal_u64(&good.to_string()), Some(good));
        }
        for bad in
            ["", "00", "007", "+7", "-7", "-0", " 7", "7 ", "7\r", "0x7", "7_0", "٧", "18446744073709551616"]
        {
            assert_eq!(decimal_u64(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn one_is_singular_and_all_else_plural() {
        let entries = |n: u64| count(n, "entry", "entries");
        assert_eq!([0, 1, 2, 11].map(entries), ["0 entries", "1 entry", "2 entries", "11 entries"]);
    }

    #[test]
    fn base64_with_stray_bits_or_spaces_is_refused() {
        for bad in ["/x==", "//9=", "/w=", "/w", "/w== ", "/w==\n", "_w==", "=", "/w==/w=="] {
            assert_eq!(from_base64(bad), None, "{bad:?}");
        }
        assert_eq!(from_base64(""), Some(vec![]));
    }

    #[test]
    fn a_digest_of_31_or_33_bytes_is_refused() {
        assert_eq!(hash_from_base64(&base64(&[7; 32])), Some(Hash([7; 32])));
        assert_eq!(hash_from_base64(&base64(&[7; 31])), None);
        assert_eq!(hash_from_base64(&base64(&[7; 33])), None);
        // One bit behind the 32 bytes.
        assert_eq!(hash_from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB="), None);
    }

    #[test]
    fn lines_keep_empty_ones_and_carriage_returns() {
        assert_eq!(lines("\n").map(Iterator::collect), Some(vec![""]));
        assert_eq!(lines("a\r\n").map(Iterator::collect), Some(vec!["a\r"]));
        assert!(lines("").is_none());
    }

    proptest! {
        #[test]
        fn what_is_read_as_a_number_is_written_the_same(text in "[+0-9 -]{0,21}") {
            if let Some(n) = decimal_u64(&text) {
                prop_assert_eq!(n.to_string(), text);
            }
        }

        #[test]
        fn what_is_read_as_base64_is_written_the_same(text in "[A-Za-d0-9+/=]{0,12}") {
            if let Some(bytes) = from_base64(&text) {
                prop_assert_eq!(base64(&bytes), text);
            }
        }

        #[test]
        fn bytes_survive_base64(bytes: Vec<u8>) {
            prop_assert_eq!(from_base64(&base64(&bytes)), Some(bytes));
        }
    }
}
