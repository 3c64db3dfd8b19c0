//! The files in which founders write down a charter and key sets, in TOML: `charter.toml` and `*.keys.toml`.
//!
//! [`founding`] reads a charter with all that it names, [`keys`] a key set. What they give is what gets signed; what is
//! wrong with a file is told with its name and line:
//!
//! ```
//! use servanda::charter::file::keys;
//! use std::path::Path;
//! let mut read = |_: &Path, _: u64| Ok(b"[thresholds]\ngovern = 1\n[[officer]]\ntitel = \"Minister\"\n".to_vec());
//! let error = keys::read(Path::new("de.keys.toml"), &"de".parse()?, &mut read).unwrap_err();
//! assert!(error.to_string().starts_with("de.keys.toml, line 4: unknown field `titel`"));
//! # Ok::<(), servanda::field::handle::NotAHandle>(())
//! ```
//!
//! Files name others by paths relative to their own folder. Reading is the caller's ([`ReadFile`]); nothing here touches
//! a disk. Texts are brought to NFC before they are parsed, names of files included, since they are what will be signed;
//! the digest of `charter.toml` is that of the file as it is.

pub mod founding;
pub mod keys;
mod rules;

pub use founding::Founding;

use super::rules::RulesError;
use super::{CharterError, KeySetError, LEVEL};
use crate::field::text::TextTooLong;
use crate::field::{Class, Handle};
use crate::key::openssh::KeyFileError;
use crate::key::vkey::VkeyError;
use serde::de::DeserializeOwned;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use unicode_normalization::UnicodeNormalization as _;

/// Reads a file whole; of one with more than so many bytes, that many and at least one more.
pub type ReadFile<'a> = dyn FnMut(&Path, u64) -> io::Result<Vec<u8>> + 'a;

/// What is wrong with a file, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {wrong}", .file.display(), Line(*.line))]
pub struct FileError {
    /// The file, by the path that leads to it.
    pub file: PathBuf,
    /// The line, from 1; none where it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong.
    pub wrong: Wrong,
}

/// Where in a file, as it is shown behind the file's name.
pub(crate) struct Line(pub(crate) Option<usize>);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The system refused.
    #[error("could not be read: {0}")]
    Io(#[from] io::Error),
    /// It is larger than what is read of its kind.
    #[error("has more than {limit} bytes")]
    TooLong {
        /// The most bytes that are read.
        limit: u64,
    },
}

/// What is wrong with a charter or a key set as written.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// The file cannot be read.
    #[error("{why}")]
    Unreadable {
        /// What it should hold.
        content: Content,
        /// Why not.
        why: Unreadable,
    },
    /// A file that this one names cannot be read.
    #[error("{content} {} {why}", .path.display())]
    Named {
        /// What it should hold.
        content: Content,
        /// Where it was looked for.
        path: PathBuf,
        /// Why it cannot be read.
        why: Unreadable,
    },
    /// The file is not UTF-8.
    #[error("not UTF-8 text")]
    Utf8,
    /// The file is no TOML, or has an unknown field, lacks one, or a value is not what the field holds.
    #[error("{}", .0.message())]
    Toml(Box<toml::de::Error>),
    /// A threshold for a class that does not exist.
    #[error("unknown class {0:?}: want some of {classes}", classes = class_names())]
    Class(String),
    /// A class has holders, and no threshold.
    #[error("no threshold for class \"{class}\"; officers that hold it: {holders}")]
    NoThreshold {
        /// The class.
        class: Class,
        /// How many officers hold it.
        holders: usize,
    },
    /// An officer has both `key` and `key_file`, or neither.
    #[error("an officer needs one of key and key_file")]
    OneKey,
    /// The line in `key` is no key that may be registered.
    #[error("{0}")]
    Key(KeyFileError),
    /// The file that `key_file` names holds no key that may be registered.
    #[error("{}: {error}", .path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: KeyFileError,
    },
    /// A `key_file`, where keys must stand in the file itself.
    #[error("the key itself must stand here: want key = \"ssh-ed25519 …\"")]
    NoKeyFiles,
    /// The key set cannot be registered.
    #[error("{0}")]
    Set(KeySetError),
    /// The set is longer than the statement that would bring it into force can carry.
    #[error("the set has {0} bytes as it is signed, at most {max} fit a statement", max = keys::MAX_KEY_SET)]
    SetTooLong(usize),
    /// The charter founds no log.
    #[error("{0}")]
    Charter(CharterError),
    /// The charter asks for a level that this program does not know.
    #[error("level {0}, this program knows levels 1 to {LEVEL}")]
    Level(u16),
    /// The checkpoint key, or a witness's, is no vkey.
    #[error("not a vkey: {0}")]
    Vkey(VkeyError),
    /// The checkpoint key is a witness's, or a witness's key a log's.
    #[error("the vkey of {0:?} is for the other role: logs have type 0x01, witnesses 0x04")]
    VkeyRole(String),
    /// The checkpoint key is another log's.
    #[error("the vkey's name is {name:?}, and must be the origin {origin:?}")]
    VkeyName {
        /// The name in the vkey.
        name: String,
        /// The charter's origin.
        origin: String,
    },
    /// The checkpoint key, with the origin in it, is longer than statement 0 can carry.
    #[error("the origin is too long for its vkey: {0}")]
    VkeyTooLong(TextTooLong),
    /// One public key stands in two places.
    #[error("the key of {here} is also that of {there}; each must be used once")]
    KeyTwice {
        /// Whose key it is here.
        here: Owner,
        /// Whose key it is above.
        there: Owner,
    },
    /// An annex has both `file` and `size` with `sha256`, or neither.
    #[error("an annex needs file, or else size and sha256")]
    AnnexContent,
    /// A clause of an annex that the charter has not.
    #[error("clause of annex {annex}, but the charter's annexes are {of}, counted from 0")]
    Clause {
        /// The annex named.
        annex: u64,
        /// How many there are.
        of: usize,
    },
    /// A text that is shown as one line is empty, or holds line breaks or other control characters.
    #[error("want a text of one line, not empty")]
    OneLine,
}

impl Wrong {
    /// Says what to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable { content, .. } | Self::Named { content, .. } => Some(content.hint()),
            Self::Key(error) | Self::KeyFile { error, .. } => error.hint(),
            Self::KeyTwice { .. } => Some("make another key with: servanda keygen"),
            Self::SetTooLong(_) => Some("shorten the titles, or name fewer officers"),
            Self::NoThreshold { .. } => Some("say under [thresholds] how many of them must sign"),
            Self::VkeyName { .. } => Some("make the log's key with: servanda keygen --log ORIGIN"),
            Self::Charter(CharterError::Rules(RulesError::Quorum { .. })) => {
                Some("leave out [rules.witnesses] for a log without witnesses")
            }
            _ => None,
        }
    }
}

/// What a file is meant to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// `charter.toml`.
    Charter,
    /// A key set.
    Keys,
    /// A public key line.
    PublicKey,
    /// A vkey.
    Vkey,
    /// A treaty's text.
    Annex,
}

impl Content {
    fn hint(self) -> &'static str {
        match self {
            Self::Charter => "give the path of the charter that the founders wrote",
            Self::Keys => {
                "ask the partner for its key-set file; paths are relative to the file that names it"
            }
            Self::PublicKey => {
                "ask the officer for the .pub file that servanda keygen wrote, or put its line into key = \"…\""
            }
            Self::Vkey => {
                "make it with: servanda keygen --log ORIGIN; paths are relative to the file that names it"
            }
            Self::Annex => {
                "put the document there, or give its size and sha256; paths are relative to the charter"
            }
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Charter => "charter",
            Self::Keys => "key set",
            Self::PublicKey => "public key",
            Self::Vkey => "vkey",
            Self::Annex => "annex",
        })
    }
}

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// An officer's, by number.
    Officer(Handle, usize),
    /// The log's own, for checkpoints.
    Log,
    /// A witness's, by the name in its vkey.
    Witness(String),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Officer(handle, officer) => write!(f, "officer {officer} of {handle}"),
            Self::Log => f.write_str("the log itself"),
            Self::Witness(name) => write!(f, "witness {name}"),
        }
    }
}

/// Something wrong at a place in a text; none where it is about the whole.
#[derive(Debug)]
pub(crate) struct At {
    pub(crate) span: Option<Range<usize>>,
    pub(crate) wrong: Wrong,
}

impl At {
    fn new(span: Range<usize>, wrong: Wrong) -> Self {
        Self { span: Some(span), wrong }
    }
}

/// A file with its text in NFC.
struct Source {
    file: PathBuf,
    text: String,
}

impl Source {
    fn of(file: &Path, bytes: &[u8]) -> Result<Self, FileError> {
        let text = std::str::from_utf8(bytes).map_err(|error| FileError {
            file: file.to_owned(),
            line: Some(line_of(bytes, error.valid_up_to())),
            wrong: Wrong::Utf8,
        })?;
        Ok(Self { file: file.to_owned(), text: text.nfc().collect() })
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, FileError> {
        parse(&self.text).map_err(|at| self.error(at))
    }

    fn error(&self, at: At) -> FileError {
        let line = at.span.map(|span| line_of(self.text.as_bytes(), span.start));
        FileError { file: self.file.clone(), line, wrong: at.wrong }
    }

    /// The path of a file that this one names.
    fn path(&self, named: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(named)
    }

    /// Reads a file that this one names.
    fn named(
        &self,
        named: &str,
        content: Content,
        limit: u64,
        read: &mut ReadFile,
    ) -> Result<Vec<u8>, Wrong> {
        let path = self.path(named);
        bytes(&path, limit, read).map_err(|why| Wrong::Named { content, path, why })
    }
}

/// Parses TOML into a structure that knows all of its fields.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, At> {
    toml::from_str(text).map_err(|error| At { span: error.span(), wrong: Wrong::Toml(Box::new(error)) })
}

/// Reads a file of at most `limit` bytes.
fn bytes(path: &Path, limit: u64, read: &mut ReadFile) -> Result<Vec<u8>, Unreadable> {
    let bytes = read(path, limit)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|len| len <= limit);
    if fits { Ok(bytes) } else { Err(Unreadable::TooLong { limit }) }
}

/// The names of all classes.
fn class_names() -> String {
    Class::ALL.iter().map(|class| class.name()).collect::<Vec<_>>().join(", ")
}

/// The number of the line, from 1, in which a byte stands.
pub(crate) fn line_of(text: &[u8], at: usize) -> usize {
    1 + text.iter().take(at).filter(|&&byte| byte == b'\n').count()
}

/// Refuses a text that cannot be shown as one line.
fn one_line(text: &toml::Spanned<impl std::ops::Deref<Target = str>>) -> Result<(), At> {
    let shown = &**text.get_ref();
    if shown.trim().is_empty() || shown.contains(char::is_control) {
        return Err(At::new(text.span(), Wrong::OneLine));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
