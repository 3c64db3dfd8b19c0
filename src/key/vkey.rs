//! Text keys of logs and witnesses: a name, a role, an Ed25519 public key.
//!
//! One line (c2sp.org/signed-note, "Verifier keys"): the name, the key id in hexadecimal, and base64 of the role's byte
//! before the 32 bytes of the key, joined by `+`. Base64 may itself hold a `+`; a name may not.
//!
//! ```
//! use servanda::key::vkey::{Kind, Vkey};
//! let text = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
//! let vkey: Vkey = text.parse()?;
//! assert_eq!((vkey.name(), vkey.kind(), vkey.key_id()), ("example.com/foo", Kind::Log, [0x53, 0x0d, 0x90, 0x3a]));
//! assert_eq!(vkey.to_string(), text);
//! # Ok::<(), servanda::key::vkey::VkeyError>(())
//! ```
//!
//! The key id, SHA-256(name || 0x0A || role || key)[..4], finds the signature that a key is meant for. It has 32 bits
//! and vouches for nothing; but one that does not fit the key beside it shows a damaged or forged line, so reading
//! recomputes it. Which roles there are is [`Kind`]; other types (ECDSA, ML-DSA) are refused.

use super::{KeyError, PUBLIC_KEY_LEN, VerifyingKey};
use crate::hash::sha256;
use crate::text;
use std::fmt;
use std::str::FromStr;

/// The longest name of a key, in bytes: as for an origin.
pub const KEY_NAME_MAX: usize = 255;

/// The length of a key id, in bytes.
pub const KEY_ID_LEN: usize = 4;

/// The longest text of a vkey, in bytes: name, eight digits, 44 characters for 33 bytes, two `+`.
pub const VKEY_MAX: usize = KEY_NAME_MAX + 1 + 2 * KEY_ID_LEN + 1 + 44;

/// What a key signs: one key, one kind of statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// 0x01: signs the text of a note, as a log signs its checkpoints.
    Log,
    /// 0x04: signs timestamped cosignatures of checkpoints, as witnesses do (c2sp.org/tlog-cosignature).
    Cosignature,
}

impl Kind {
    /// The byte that stands for the kind before the key.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Log, Self::Cosignature].into_iter().find(|kind| kind.byte() == byte)
    }
}

/// Why a text is not a key of a log or witness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VkeyError {
    /// The text is longer than any vkey can be.
    #[error("vkey has {0} bytes, more than {VKEY_MAX}")]
    TooLong(usize),
    /// There are no three parts joined by `+`.
    #[error("vkey is not name+id+key")]
    Parts,
    /// The name is empty, too long, or holds whitespace, a control character or `+`.
    #[error("not a key name: {0:?}")]
    Name(String),
    /// The key id is not eight lower-case hexadecimal digits.
    #[error("not a key id: {0:?}, want 8 lower-case hexadecimal digits")]
    KeyId(String),
    /// The key is not canonical base64, or empty.
    #[error("key is not base64")]
    Base64,
    /// The key is of a type other than 0x01 and 0x04.
    #[error("key of type {0:#04x}, want 0x01 (log) or 0x04 (cosignature)")]
    Kind(u8),
    /// The public key cannot be admitted.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key id belongs to another name or key.
    #[error("key id {} does not fit: name and key give {}", hex::encode(.got), hex::encode(.want))]
    Mismatch {
        /// What the text says.
        got: [u8; KEY_ID_LEN],
        /// What follows from name, kind and key.
        want: [u8; KEY_ID_LEN],
    },
}

/// The public key of a log or witness under its name; name and key were checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Vkey {
    name: String,
    kind: Kind,
    key: VerifyingKey,
}

impl Vkey {
    /// Names a log's key; the name is the log's origin.
    ///
    /// # Errors
    /// [`VkeyError::Name`], if the name cannot be written in a vkey.
    pub fn log(name: &str, key: VerifyingKey) -> Result<Self, VkeyError> {
        Self::new(name, Kind::Log, key)
    }

    /// Names a witness's key.
    ///
    /// # Errors
    /// [`VkeyError::Name`], if the name cannot be written in a vkey.
    pub fn witness(name: &str, key: VerifyingKey) -> Result<Self, VkeyError> {
        Self::new(name, Kind::Cosignature, key)
    }

    fn new(name: &str, kind: Kind, key: VerifyingKey) -> Result<Self, VkeyError> {
        if !is_vkey_name(name) {
            return Err(VkeyError::Name(name.chars().take(KEY_NAME_MAX).collect()));
        }
        Ok(Self { name: name.to_owned(), kind, key })
    }

    /// The name: of a log, its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key signs.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The four bytes before this key's signatures in notes.
    #[must_use]
    pub fn key_id(&self) -> [u8; KEY_ID_LEN] {
        key_id(&self.name, self.kind, &self.key)
    }
}

/// Tells whether a note may name a key so: not empty, no whitespace of any script, no `+`.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

/// Tells whether a log or witness may be called so: a key name of at most 255 bytes, without control characters.
#[must_use]
pub fn is_vkey_name(name: &str) -> bool {
    is_key_name(name) && name.len() <= KEY_NAME_MAX && !name.contains(char::is_control)
}

/// Computes the key id: SHA-256(name || 0x0A || kind || key)[..4] (c2sp.org/signed-note).
#[must_use]
pub fn key_id(name: &str, kind: Kind, key: &VerifyingKey) -> [u8; KEY_ID_LEN] {
    let mut bytes = name.as_bytes().to_vec();
    bytes.extend([b'\n', kind.byte()]);
    bytes.extend(key.to_bytes());
    let [a, b, c, d, ..] = sha256(&bytes).0;
    [a, b, c, d]
}

impl fmt::Display for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 1 + PUBLIC_KEY_LEN];
        bytes[0] = self.kind.byte();
        bytes[1..].copy_from_slice(&self.key.to_bytes());
        write!(f, "{}+{}+{}", self.name, hex::encode(self.key_id()), text::base64(&bytes))
    }
}

impl fmt::Debug for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vkey({self})")
    }
}

impl FromStr for Vkey {
    type Err = VkeyError;

    fn from_str(text: &str) -> Result<Self, VkeyError> {
        if text.len() > VKEY_MAX {
            return Err(VkeyError::TooLong(text.len()));
        }
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VkeyError::Parts);
        };
        let mut got = [0; KEY_ID_LEN];
        if id.contains(|c: char| c.is_ascii_uppercase()) || hex::decode_to_slice(id, &mut got).is_err() {
            return Err(VkeyError::KeyId(id.to_owned()));
        }
        let bytes = text::from_base64(key).ok_or(VkeyError::Base64)?;
        let (&kind, key) = bytes.split_first().ok_or(VkeyError::Base64)?;
        let kind = Kind::from_byte(kind).ok_or(VkeyError::Kind(kind))?;
        let vkey = Self::new(name, kind, VerifyingKey::admit(key)?)?;
        let want = vkey.key_id();
        if got == want { Ok(vkey) } else { Err(VkeyError::Mismatch { got, want }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;
    use proptest::prelude::*;

    const FOO: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    fn key() -> VerifyingKey {
        SigningKey::from_seed(&[1; 32]).public()
    }

    #[test]
    fn key_ids_are_those_that_others_print() {
        for text in [
            FOO,
            "mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O",
            "witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN",
            "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
            "fake.log.origin/log+527eabb8+AddT9PtBhhNAsDYZ0V0euiRbXuvrLsw4L6vKARfipnmz",
            "test-witness+26349ef0+BIQDFTUlktisMqJzWn8qhteWrRr4dLcQ9R37T+8LQyQF",
        ] {
            assert_eq!(text.parse::<Vkey>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_key_id_of_another_name_or_role_is_refused() {
        let other_name = FOO.replace("foo", "fop");
        assert!(matches!(other_name.parse::<Vkey>(), Err(VkeyError::Mismatch { .. })));
        let log = Vkey::log("a", key()).unwrap();
        let witness = Vkey::witness("a", key()).unwrap();
        assert_ne!(log.key_id(), witness.key_id());
    }

    #[test]
    fn names_with_plus_or_space_of_any_script_are_refused() {
        for bad in ["", "a b", "a+b", "a\u{a0}b", "a\u{2003}b", "a\nb", "a\u{7f}", "a\u{1}"] {
            assert!(matches!(Vkey::log(bad, key()), Err(VkeyError::Name(_))), "{bad:?}");
        }
        assert!(Vkey::log(&"n".repeat(KEY_NAME_MAX), key()).unwrap().to_string().parse::<Vkey>().is_ok());
        assert!(matches!(Vkey::log(&"n".repeat(KEY_NAME_MAX + 1), key()), Err(VkeyError::Name(_))));
    }

    #[test]
    fn each_part_has_one_form() {
        let refused = |text: &str| text.parse::<Vkey>().unwrap_err();
        assert_eq!(refused(&"n".repeat(VKEY_MAX + 1)), VkeyError::TooLong(VKEY_MAX + 1));
        assert_eq!(refused("example.com/foo+530d903a"), VkeyError::Parts);
        assert!(matches!(refused(&FOO.replace("530d903a", "530D903A")), VkeyError::KeyId(_)));
        assert!(matches!(refused(&FOO.replace("530d903a", "530d903")), VkeyError::KeyId(_)));
        assert_eq!(refused(&FOO.replace("3U2k", "3U2")), VkeyError::Base64);
        assert_eq!(refused("a+00000000+"), VkeyError::Base64);
        assert_eq!(refused(&FOO.replace("+Aeky", "+Bkyy")), VkeyError::Kind(0x06));
        assert_eq!(refused(&FOO.replace("rnKv3U2k", "rnKv")), VkeyError::Key(KeyError::Length(29)));
    }

    #[test]
    fn a_weak_key_is_no_vkey() {
        let mut identity = [0; 33];
        (identity[0], identity[1]) = (1, 1);
        let text = format!("a+00000000+{}", text::base64(&identity));
        assert_eq!(text.parse::<Vkey>(), Err(VkeyError::Key(KeyError::Weak)));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_written_the_same(text in "\\PC{0,40}|[a-c+]{0,4}\\+[0-9a-f]{8}\\+[A-Za-z0-9+/]{44}") {
            if let Ok(vkey) = text.parse::<Vkey>() {
                prop_assert_eq!(vkey.to_string(), text);
            }
        }

        #[test]
        fn every_vkey_is_read_back(name in "[^\\s\\pC+]{1,60}", seed: [u8; 32], log: bool) {
            let key = SigningKey::from_seed(&seed).public();
            let vkey = if log { Vkey::log(&name, key) } else { Vkey::witness(&name, key) }.unwrap();
            prop_assert_eq!(vkey.to_string().parse(), Ok(vkey));
        }
    }
}
