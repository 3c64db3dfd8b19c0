//! Storage: objects under names, and the contract that every store keeps.
//!
//! A verifier needs [`Read`]; the writer of a log needs [`Store`]. Both know objects as bytes under names and nothing
//! of what they mean. Names are relative paths; `public/` holds what is published (c2sp.org/tlog-tiles, byte for
//! byte), `private/` what the writer keeps for itself:
//!
//! ```
//! use servanda::store::{Read, Store, Swap, memory::Memory};
//! let store = Memory::new();
//! store.put_all(&[("public/tile/0/000".into(), vec![7; 8192])])?;
//! assert_eq!(store.get("public/tile/0/000", 8192)?, Some(vec![7; 8192]));
//! assert_eq!(store.swap("private/commit", None, b"epoch 1")?, Swap::Done);
//! assert_eq!(store.swap("private/commit", None, b"epoch 2")?, Swap::Lost(Some(b"epoch 1".to_vec())));
//! # Ok::<(), servanda::store::StoreError>(())
//! ```
//!
//! An object comes into being in one of two ways, and a caller uses one name in one of them only: *put*, then it never
//! changes; or *swapped*, then it changes as a whole. Nor is a name ever both an object and a folder of others; a store
//! may refuse either. The write order that makes a log of this is [`crate::log`]'s business.
//!
//! [`memory`] fails on demand, for tests; [`dir`] is a directory on a disk; `http` reads what a server publishes, and
//! [`cached`] keeps copies of that. `contract` holds every store to the words below.

pub mod cached;
#[cfg(test)]
mod contract;
pub mod dir;
pub mod guard;
#[cfg(feature = "net")]
pub mod http;
pub mod index;
pub mod memory;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 255;

/// The largest object that can be swapped, in bytes: records and checkpoints are small.
pub const MAX_SWAP_BYTES: u64 = 1 << 20;

/// Reading objects by name: all that a verifier needs.
pub trait Read: Send + Sync {
    /// Returns the object's bytes, or `None` where there is none.
    ///
    /// The bytes are whole: those of one put or one swap, never of two, never cut short by this program or by a crash.
    /// They need not be those that were written: whoever can write to the medium can change them, so a caller checks
    /// them. They need not be durable yet, if their writer has had no answer. At most `limit` bytes are kept.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] if the object has more than `limit` bytes, [`StoreError::NotAnObject`] if something
    /// else is in its place, [`StoreError::BadName`], [`StoreError::Io`].
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Is told that these bytes of a full tile or bundle are what a trusted root commits to: whoever keeps copies
    /// ([`cached`]) may keep them.
    fn proven(&self, name: &str, bytes: &[u8]) {
        let _ = (name, bytes);
    }

    /// How many objects are best asked for at once, on threads of their own: of a store that is far away several, of one that
    /// is at hand none.
    fn at_once(&self) -> usize {
        0
    }
}

impl<R: Read + ?Sized> Read for Arc<R> {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(name, limit)
    }

    fn proven(&self, name: &str, bytes: &[u8]) {
        (**self).proven(name, bytes);
    }

    fn at_once(&self) -> usize {
        (**self).at_once()
    }
}

/// Reading and writing: what the writer of a log needs. Any number of handles, in any number of threads and processes,
/// may use one store at once; a handle sees what another has done as soon as that one has had its answer.
pub trait Store: Read {
    /// Puts every object whose name is free; one that is there with the same bytes is fine.
    ///
    /// Never changes an object that is there. On `Ok` all of them are durable, those found included: no crash and no
    /// power cut from then on loses one. On `Err` any subset may have been put, each of them whole, and durable or
    /// not, or be put yet by a request that was held up; the same call may be made again. At no moment, and after no power
    /// cut, does a name hold part of an object.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a name holds other bytes, or comes twice with different ones;
    /// [`StoreError::NotAnObject`], [`StoreError::BadName`] (then nothing was put), [`StoreError::Io`].
    fn put_all(&self, objects: &[(String, Vec<u8>)]) -> Result<(), StoreError>;

    /// Puts `new` in the place of `old`, and only of `old`; `None` stands for no object.
    ///
    /// Of several callers that hold the same `old`, one is [`Swap::Done`] and the others are [`Swap::Lost`]. Readers
    /// see the old bytes or the new ones. [`Swap::Done`] is durable; so are the bytes that [`Swap::Lost`] brings,
    /// though they may have been swapped again since. On `Err` the outcome is unknown, now and after a crash, and a request
    /// that was held up may yet do it where `old` is still there: whoever goes on must find out by another swap that is
    /// answered.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] if `new`, or what is there, has more than [`MAX_SWAP_BYTES`] (then nothing was done);
    /// [`StoreError::NotAnObject`], [`StoreError::BadName`] (likewise), [`StoreError::Io`].
    fn swap(&self, name: &str, old: Option<&[u8]>, new: &[u8]) -> Result<Swap, StoreError>;

    /// Deletes an object; that there is none is fine. Need not be durable: after a power cut it may be there again.
    ///
    /// # Errors
    /// [`StoreError::BadName`], [`StoreError::Io`] (then it may be gone or not).
    fn delete(&self, name: &str) -> Result<(), StoreError>;

    /// Returns the names of all objects below a folder (`private/staged`, `public`; no slash at the end), in ascending
    /// order of their bytes. A folder that is not there is empty. What comes or goes meanwhile may be in it or not.
    ///
    /// # Errors
    /// [`StoreError::BadName`], [`StoreError::Io`].
    fn list(&self, folder: &str) -> Result<Vec<String>, StoreError>;
}

/// How a compare-and-swap ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Swap {
    /// The new bytes are there, durable.
    Done,
    /// Nothing was changed, since other bytes than the old ones are there: these, or no object.
    Lost(Option<Vec<u8>>),
}

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The name breaks the rules of [`check_name`]: the caller's fault.
    #[error("not a name of an object: {name:?}")]
    BadName {
        /// The name as it was given.
        name: String,
    },
    /// The object is larger than the caller is ready to read, or than what can be swapped.
    #[error("{name} has {size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// The object's name.
        name: String,
        /// Its size in bytes; of one that grows while it is read, what was seen of it.
        size: u64,
        /// The most it may have.
        limit: u64,
    },
    /// An object that never changes would have to: two writers, a fork, or tampering.
    #[error("{name} is there already, with other bytes")]
    Conflict {
        /// The object's name.
        name: String,
    },
    /// A folder, a link, a pipe or the like is where the object belongs.
    #[error("{name} is not a regular file")]
    NotAnObject {
        /// The object's name.
        name: String,
    },
    /// The system refused.
    #[error("could not {attempt} {}", if name == "." { "the log's home" } else { name })]
    Io {
        /// What was being done.
        attempt: Attempt,
        /// The name of the object or folder it was done to; `.` is the log's home.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A server could not be asked, or did not give the object.
    #[cfg(feature = "net")]
    #[error("could not fetch {url}")]
    Fetch {
        /// Where the object should be.
        url: String,
        /// Why not.
        source: crate::agent::AgentError,
    },
    /// A path leads to no log.
    #[error("no log at {}: there is neither a folder public nor a file checkpoint", path.display())]
    NoLog {
        /// The path as it was given.
        path: PathBuf,
    },
    /// A path leads to no log's home, which a writer needs; it may be a copy of the public part.
    #[error("no log to write to at {}: there are no two folders public and private", path.display())]
    NoHome {
        /// The path as it was given.
        path: PathBuf,
    },
}

/// What was being done when the system refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Reading an object, or finding out whether there is one.
    Read,
    /// Reading the names in a folder.
    List,
    /// Writing bytes under a name that nobody reads.
    Write,
    /// Giving written bytes their name.
    Publish,
    /// Waiting until bytes or names are on the medium.
    MakeDurable,
    /// Waiting for other swaps to end.
    Lock,
    /// Deleting an object or a left-over.
    Delete,
    /// Making a folder.
    MakeFolder,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Attempt::Read => "read",
            Attempt::List => "list",
            Attempt::Write => "write",
            Attempt::Publish => "put in place",
            Attempt::MakeDurable => "make durable",
            Attempt::Lock => "lock",
            Attempt::Delete => "delete",
            Attempt::MakeFolder => "make the folder",
        })
    }
}

/// Checks an object's name: `public/…` or `private/…`, at most [`MAX_NAME_BYTES`], segments of `[A-Za-z0-9._-]` other
/// than `.` and `..`. `private/lock` and `private/tmp` belong to the stores themselves.
///
/// # Errors
/// [`StoreError::BadName`].
pub fn check_name(name: &str) -> Result<(), StoreError> {
    let below_a_root = name.starts_with("public/") || name.starts_with("private/");
    if below_a_root && is_path(name) && !is_reserved(name) { Ok(()) } else { Err(bad_name(name)) }
}

/// Checks the name of a folder to list: as of an object, and `public` and `private` themselves.
fn check_folder(folder: &str) -> Result<(), StoreError> {
    if matches!(folder, "public" | "private") { Ok(()) } else { check_name(folder) }
}

fn is_path(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let segment = |s: &str| !matches!(s, "" | "." | "..") && s.bytes().all(allowed);
    name.len() <= MAX_NAME_BYTES && name.split('/').all(segment)
}

fn is_reserved(name: &str) -> bool {
    matches!(name, "private/lock" | "private/tmp")
        || name.starts_with("private/tmp/")
        || name.starts_with("private/lock/")
}

fn bad_name(name: &str) -> StoreError {
    StoreError::BadName { name: name.to_owned() }
}

/// Checks the size of an object against a limit, in bytes.
fn check_size(name: &str, size: u64, limit: u64) -> Result<(), StoreError> {
    if size <= limit { Ok(()) } else { Err(StoreError::TooLarge { name: name.to_owned(), size, limit }) }
}

/// The length of bytes in memory as a size.
pub(crate) fn size_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("no memory has 2^64 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_strict_relative_paths() {
        let longest = format!("public/{}", "a".repeat(MAX_NAME_BYTES - 7));
        for good in [
            "public/checkpoint",
            "public/tile/0/x001/234.p/5",
            "private/staged/1-2-a_B",
            "public/...",
            &longest,
        ] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        let too_long = format!("{longest}a");
        for bad in [
            "",
            "/",
            "public",
            "public/",
            "/public/a",
            "public//a",
            "public/a/",
            "public/.",
            "public/../private/commit",
            "public/a/..",
            "public/a b",
            "public/a\0",
            "public/ä",
            "public/a\\b",
            "other/a",
            "publicity/a",
            "private/tmp",
            "private/tmp/a",
            "private/lock",
            "private/lock/a",
            &too_long,
        ] {
            assert!(matches!(check_name(bad), Err(StoreError::BadName { name }) if name == bad), "{bad}");
        }
    }

    #[test]
    fn errors_name_the_object_and_what_was_attempted() {
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = StoreError::Io { attempt: Attempt::MakeDurable, name: "public/tile".into(), source };
        assert_eq!(error.to_string(), "could not make durable public/tile");
        assert!(std::error::Error::source(&error).is_some());
        let source = io::Error::from(io::ErrorKind::StorageFull);
        let error = StoreError::Io { attempt: Attempt::Lock, name: ".".into(), source };
        assert_eq!(error.to_string(), "could not lock the log's home");
    }
}
