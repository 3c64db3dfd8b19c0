//! Handles: the names of partners in a log.

use super::serde_as_text;
use std::fmt;
use std::str::FromStr;

/// A partner's name in the log: `[a-z0-9][a-z0-9.-]{0,62}`, e.g. `de`, `kiel`. The operator's is `operator`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle(String);

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
        &self.0
    }

    /// The operator's.
    #[must_use]
    pub fn operator() -> Self {
        Self(OPERATOR.to_owned())
    }

    /// Whether this is the operator's.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.0 == OPERATOR
    }
}

impl FromStr for Handle {
    type Err = NotAHandle;
    fn from_str(s: &str) -> Result<Self, NotAHandle> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let bytes = s.as_bytes();
        let fits = (1..=63).contains(&bytes.len())
            && plain(bytes[0])
            && bytes.iter().all(|&b| plain(b) || b == b'.' || b == b'-');
        if fits { Ok(Self(s.to_owned())) } else { Err(NotAHandle) }
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
}
