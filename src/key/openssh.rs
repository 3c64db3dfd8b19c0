//! OpenSSH key files: partners' public key lines, and private keys with or without a passphrase.
//!
//! A public key is one line, as `ssh-keygen` writes it into `*.pub`:
//!
//! ```text
//! ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFeZ… duty officer, de
//! ```
//!
//! Its middle is 68 characters of base64 for 51 bytes: the name and the key, each after its length as u32, big-endian
//! (RFC 4253, section 6.6; RFC 8709, section 4):
//!
//! ```text
//! 0000000b "ssh-ed25519" 00000020 key[32]
//! ```
//!
//! A private key stands in OpenSSH's own armour (OpenSSH, `PROTOCOL.key`): [`read_private`], [`write_private`].
//!
//! This module reads and writes bytes: which file, its permissions, and how to ask for a passphrase are the caller's.
//! No error holds a secret.

mod private;

pub use private::{KDF_ROUNDS, MAX_KDF_ROUNDS, MAX_PRIVATE_LEN, read_private, write_private};

use super::{KeyError, VerifyingKey};
use crate::hash::sha256;
use base64ct::{Base64, Base64Unpadded, Encoding};
use std::fmt;
use std::str::FromStr;

/// The longest public key line that is looked at, in bytes. Ours have 80 and the comment; the limit leaves room to name
/// what a longer one holds (RSA keys, certificates).
pub const MAX_LINE_LEN: usize = 16_384;

/// The longest comment, in bytes.
pub const MAX_COMMENT_LEN: usize = 1_024;

const ED25519_NAME: &str = "ssh-ed25519";

/// Why a key line or a key file cannot be used, or not be written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The input is longer than the limit.
    #[error("key file has {len} bytes, at most {max} are read")]
    TooLong {
        /// The length of the input, in bytes.
        len: usize,
        /// [`MAX_LINE_LEN`] or [`MAX_PRIVATE_LEN`].
        max: usize,
    },
    /// The text is not one line of the form `ssh-ed25519 BASE64 comment`.
    #[error("not a public key line: want ssh-ed25519, base64 and a comment, on one line")]
    NotAPublicLine,
    /// The key is of another algorithm: of a private file, or of a line.
    #[error("the key's algorithm is {0}, want ssh-ed25519")]
    Algorithm(String),
    /// The line holds a certificate, not a key.
    #[error("this is a certificate ({0}), want a plain ssh-ed25519 key")]
    Certificate(String),
    /// The key's second half stays in a security token; what it signs is not a plain Ed25519 signature.
    #[error("the key is bound to a security token ({0}), which signs in another form; want ssh-ed25519")]
    Token(String),
    /// The public key is one that is never registered.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The comment holds control characters, or is no UTF-8, or too long.
    #[error("the key's comment must be text of at most {MAX_COMMENT_LEN} bytes without control characters")]
    Comment,
    /// A private key file, where a public key line was wanted.
    #[error("this is a private key file, want the public one")]
    PrivateGiven,
    /// A public key line, where a private key file was wanted.
    #[error("this is a public key, want the private key file")]
    PublicGiven,
    /// A PEM file (PKCS #8, or the older forms of OpenSSL).
    #[error("this is a PEM private key, want one in OpenSSH's format")]
    Pem,
    /// A PuTTY file.
    #[error("this is a PuTTY private key, want one in OpenSSH's format")]
    Putty,
    /// The file is no private key in any form known here.
    #[error("not an OpenSSH private key file")]
    NotAPrivateFile,
    /// The armour is there, but what it holds is cut or damaged.
    #[error("the private key file is damaged or cut short")]
    Damaged,
    /// The file holds several keys, or none.
    #[error("the private key file holds {0} keys, want 1")]
    Count(u32),
    /// The file is encrypted in a way not known here.
    #[error("the private key file is encrypted with {cipher} and {kdf}, which is not supported")]
    Encryption {
        /// The cipher, as the file names it.
        cipher: String,
        /// The key derivation function, as the file names it.
        kdf: String,
    },
    /// The file asks for no rounds of key derivation, or for more than are computed here.
    #[error("the private key file asks for {0} rounds of bcrypt, want 1 to {MAX_KDF_ROUNDS}")]
    Rounds(u32),
    /// The passphrase could not be asked for.
    #[error("the private key file is encrypted, and no passphrase could be read")]
    NoPassphrase(#[source] std::io::Error),
    /// The passphrase does not open the file; or its encrypted part is damaged, which cannot be told apart.
    #[error("wrong passphrase for the private key file")]
    WrongPassphrase,
    /// The passphrase to encrypt with is empty.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The public half in the file is not the public half of its seed.
    #[error("the private key file contradicts itself: its public half belongs to another key")]
    PublicHalf,
    /// The system has no randomness to give.
    #[error("no randomness from the system")]
    Random(#[source] getrandom::Error),
}

impl KeyFileError {
    /// Tells what to do about it, where a command does it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Algorithm(_) | Self::Certificate(_) | Self::Token(_) => {
                Some("make a key with: ssh-keygen -t ed25519 -f FILE")
            }
            Self::Pem => Some("a recent OpenSSH converts an Ed25519 key in place: ssh-keygen -p -f FILE"),
            Self::Putty => Some("convert it with: puttygen FILE.ppk -O private-openssh-new -o FILE"),
            Self::PublicGiven => Some("the private key file has the same name without .pub"),
            Self::PrivateGiven => Some("print its public half with: ssh-keygen -y -f FILE"),
            Self::Encryption { .. } | Self::Rounds(_) => Some("encrypt it anew with: ssh-keygen -p -f FILE"),
            Self::Comment => Some("change it with: ssh-keygen -c -f FILE"),
            _ => None,
        }
    }
}

/// A public key as one OpenSSH line: the form in which partners show their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicLine {
    /// The key, admitted.
    pub key: VerifyingKey,
    /// What follows the key: for people, trusted by nobody. Empty where there is none.
    pub comment: String,
}

impl PublicLine {
    /// Parses one line, with or without its newline; no options before the key, nothing after the line.
    ///
    /// # Errors
    /// [`KeyFileError`] names what the line holds instead: another algorithm, a certificate, a weak key, several lines.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        if text.len() > MAX_LINE_LEN {
            return Err(KeyFileError::TooLong { len: text.len(), max: MAX_LINE_LEN });
        }
        if text.starts_with("-----BEGIN ") {
            return Err(KeyFileError::PrivateGiven);
        }
        let line = text.strip_suffix('\n').map_or(text, |l| l.strip_suffix('\r').unwrap_or(l));
        let (name, rest) = line.split_once(' ').ok_or(KeyFileError::NotAPublicLine)?;
        if name != ED25519_NAME {
            return Err(if is_algorithm(name) {
                other_algorithm(name.as_bytes())
            } else {
                KeyFileError::NotAPublicLine
            });
        }
        let (base64, comment) = rest.split_once(' ').unwrap_or((rest, ""));
        let blob = Base64::decode_vec(base64).map_err(|_| KeyFileError::NotAPublicLine)?;
        let key = read_public_blob(&blob)?.ok_or(KeyFileError::NotAPublicLine)?;
        check_comment(comment)?;
        Ok(Self { key: VerifyingKey::admit(key)?, comment: comment.to_owned() })
    }

    /// The fingerprint as `ssh-keygen -l` shows it: `SHA256:` and the digest in base64 without padding.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", Base64Unpadded::encode_string(&sha256(&public_blob(&self.key)).0))
    }
}

impl FromStr for PublicLine {
    type Err = KeyFileError;

    fn from_str(text: &str) -> Result<Self, KeyFileError> {
        Self::parse(text)
    }
}

impl fmt::Display for PublicLine {
    /// Writes the line without a newline, as `ssh-keygen -y` does: no space where there is no comment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ED25519_NAME} {}", Base64::encode_string(&public_blob(&self.key)))?;
        if self.comment.is_empty() { Ok(()) } else { write!(f, " {}", self.comment) }
    }
}

/// A public key as SSH sends it: the name and the key.
fn public_blob(key: &VerifyingKey) -> Vec<u8> {
    let mut blob = Vec::new();
    put_string(&mut blob, ED25519_NAME.as_bytes());
    put_string(&mut blob, &key.to_bytes());
    blob
}

/// The key's bytes out of such a blob, not admitted yet; none where the blob is not just a name and a key.
fn read_public_blob(blob: &[u8]) -> Result<Option<&[u8]>, KeyFileError> {
    let mut wire = Wire(blob);
    match wire.string() {
        None => Ok(None),
        Some(name) if name == ED25519_NAME.as_bytes() => Ok(wire.string().filter(|_| wire.0.is_empty())),
        Some(name) => Err(other_algorithm(name)),
    }
}

/// Tells whether a word is the name of an SSH key algorithm; not whether it is one of ours.
fn is_algorithm(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_graphic())
        && ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"].iter().any(|start| word.starts_with(start))
}

fn other_algorithm(name: &[u8]) -> KeyFileError {
    let shown = printable(name);
    if shown.contains("-cert-v") {
        KeyFileError::Certificate(shown)
    } else if shown.starts_with("sk-") {
        KeyFileError::Token(shown)
    } else {
        KeyFileError::Algorithm(shown)
    }
}

fn check_comment(comment: &str) -> Result<(), KeyFileError> {
    let fits = comment.len() <= MAX_COMMENT_LEN && !comment.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(KeyFileError::Comment) }
}

/// A name out of a file, fit to be shown: at most 64 bytes of it, in printable ASCII.
fn printable(name: &[u8]) -> String {
    name[..name.len().min(64)].escape_ascii().to_string()
}

/// A reader of SSH's strings: bytes after their length as u32, big-endian (RFC 4251, section 5).
struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    fn u32(&mut self) -> Option<u32> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*head))
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.u32()?).ok()?;
        let (string, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(string)
    }
}

/// Appends one of SSH's strings.
fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    let len = u32::try_from(bytes.len()).expect("keys and comments are short");
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
}
