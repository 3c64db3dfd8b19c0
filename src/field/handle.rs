//! Handles: the names of partners in a log.

use super::serde_as_text;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// The most bytes of a handle.
pub const MAX_HANDLE: usize = 63;

/// A partner's name in the log: `[a-z0-9][a-z0-9.-]{0,62}`, e.g. `de`, `kiel`. The operator's is `operator`.
///
/// A short one lies in place, and takes no memory elsewhere: statements are read by the million, and each has an author.
#[derive(Clone, PartialEq, Eq)]
pub struct Handle(Kept);

/// How many bytes lie in place: as many as make a handle no larger than a `String`.
const IN_PLACE: usize = 22;

/// Where the text lies: the short ones always in place, so that equal handles lie alike.
#[derive(Clone, PartialEq, Eq)]
enum Kept {
    /// The text, then zeros.
    InPlace { len: u8, padded: [u8; IN_PLACE] },
    /// Longer than [`IN_PLACE`].
    Apart(Box<[u8]>),
}

/// The operator's handle, in every log.
pub const OPERATOR: &str = "operator";

/// A text is not a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a handle: want 1 to 63 of a-z, 0-9, dot and hyphen, the first a letter or digit")]
pub struct NotAHandle;

impl Handle {
    /// The handle as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("a handle is ASCII")
    }

    fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::InPlace { len, padded } => &padded[..usize::from(*len)],
            Kept::Apart(text) => text,
        }
    }

    /// Whether these are the bytes of a handle.
    #[must_use]
    pub fn fits(bytes: &[u8]) -> bool {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        (1..=MAX_HANDLE).contains(&bytes.len())
            && plain(bytes[0])
            && bytes.iter().all(|&b| plain(b) || b == b'.' || b == b'-')
    }

    /// The handle of these bytes, if they are one's.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        if !Self::fits(bytes) {
            return None;
        }
        let mut padded = [0; IN_PLACE];
        Some(Self(match padded.get_mut(..bytes.len()) {
            Some(text) => {
                text.copy_from_slice(bytes);
                Kept::InPlace { len: u8::try_from(bytes.len()).expect("at most 22"), padded }
            }
            None => Kept::Apart(bytes.into()),
        }))
    }

    /// The operator's.
    #[must_use]
    pub fn operator() -> Self {
        Self::of(OPERATOR.as_bytes()).expect("it is a handle")
    }

    /// Whether this is the operator's.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.as_bytes() == OPERATOR.as_bytes()
    }
}

impl FromStr for Handle {
    type Err = NotAHandle;
    fn from_str(s: &str) -> Result<Self, NotAHandle> {
        Self::of(s.as_bytes()).ok_or(NotAHandle)
    }
}

impl Ord for Handle {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for Handle {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Handle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(Handle);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_handles() {
        for good in ["de", "kiel", "0", "a.b-c", &"x".repeat(63)] {
            assert!(good.parse::<Handle>().is_ok(), "{good}");
        }
        for bad in ["", "De", "-a", ".a", "a_b", "a b", "é", "a\n", &"x".repeat(64)] {
            assert_eq!(bad.parse::<Handle>(), Err(NotAHandle), "{bad}");
        }
    }

    #[test]
    fn handles_are_in_the_order_of_their_texts() {
        let long = [22, 23, 63].map(|len| "b".repeat(len));
        let texts =
            ["0", "a", "a-", "a-b", "a.b", "a0", "aa", "aa0", "ab", "b", &long[0], &long[1], &long[2], "c"];
        assert_eq!(size_of::<Handle>(), size_of::<String>());
        let handles: Vec<Handle> = texts.iter().map(|text| text.parse().expect("a handle")).collect();
        assert!(texts.is_sorted() && handles.is_sorted());
        assert!(handles.iter().zip(texts).all(|(handle, text)| handle.as_str() == text));
        assert!(Handle::operator().is_operator() && !handles[0].is_operator());
    }
}
