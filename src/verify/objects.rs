//! The published objects, held against what the entries add up to.

use super::gap::GAP_BUNDLES;
use crate::client::{self, ReadError};
use crate::hash::Hash;
use crate::key::vkey::Vkey;
use crate::merkle::builder::{Tile, TileBuilder};
use crate::merkle::bundle::BundleError;
use crate::merkle::tile::TilePath;
use crate::store::{Read, StoreError};
use crate::text::count;
use std::fmt;

/// What is wrong with a published object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectFinding {
    /// Its name below `public/`.
    pub name: String,
    /// What is wrong.
    pub trouble: Trouble,
}

/// What is wrong with a published object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is not there.
    Missing,
    /// It is not there, and neither are many after it; or they hold other entries. What lies behind is not looked at.
    Gap {
        /// Whether they are not there.
        missing: bool,
        /// The first entry that is not looked at.
        from: u64,
        /// How many entries the checkpoint says there are.
        size: u64,
    },
    /// It is longer than such an object can be.
    TooLarge,
    /// A folder, a link or the like is in its place.
    NotAnObject,
    /// Its bytes are not what the entries add up to.
    Differs,
    /// It is no bundle of so many entries.
    Bundle(BundleError),
    /// The entries add up to another root than the checkpoint says.
    Root {
        /// What they add up to.
        got: Hash,
        /// What the checkpoint says.
        want: Hash,
    },
    /// It is no checkpoint that the policy accepts.
    Checkpoint(String),
    /// It was signed with a key that is not the log's.
    Key {
        /// The key that signed it.
        got: Box<Vkey>,
        /// The key that the log declares.
        want: Box<Vkey>,
    },
    /// It commits to no entries.
    Empty,
    /// It is another log's, or another founding of this one.
    Log {
        /// The log's id.
        got: Hash,
        /// The id that was pinned.
        want: Hash,
    },
    /// It is older than a checkpoint that the verifier holds.
    Rollback {
        /// Its size.
        size: u64,
        /// The size of the one held.
        held: u64,
    },
    /// It contradicts a checkpoint that the verifier holds.
    Rewritten {
        /// The size of the one held.
        held: u64,
        /// The root that the log has at that size.
        got: Hash,
        /// The root that the one held has.
        want: Hash,
    },
    /// Another copy of the log has another history.
    Fork {
        /// The first entry that differs.
        index: u64,
        /// Where the other copy lies.
        other: String,
    },
    /// The operator promised another entry.
    BrokenPromise {
        /// Where it was to be published.
        index: u64,
    },
}

impl Trouble {
    /// A word for programs that never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Gap { .. } => "gap",
            Self::TooLarge => "too-large",
            Self::NotAnObject => "not-an-object",
            Self::Differs => "differs",
            Self::Bundle(_) => "bundle",
            Self::Root { .. } => "root",
            Self::Checkpoint(_) => "checkpoint",
            Self::Key { .. } => "key",
            Self::Empty => "empty",
            Self::Log { .. } => "log-id",
            Self::Rollback { .. } => "rollback",
            Self::Rewritten { .. } => "rewritten",
            Self::Fork { .. } => "fork",
            Self::BrokenPromise { .. } => "broken-promise",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::Gap { missing, from, size } => {
                let (after, entries) = (GAP_BUNDLES - 1, size - from);
                match missing {
                    true => write!(f, "is missing, and so are the {after} bundles after it"),
                    false => write!(f, "comes after {GAP_BUNDLES} bundles without an entry in its place"),
                }?;
                match entries {
                    1 => write!(f, ": entry {from} was not looked at"),
                    _ => write!(f, ": the {entries} entries from {from} on were not looked at"),
                }
            }
            Self::TooLarge => f.write_str("is longer than such an object can be"),
            Self::NotAnObject => f.write_str("is not a regular file"),
            Self::Differs => f.write_str("is not what the entries add up to"),
            Self::Bundle(error) => write!(f, "is damaged: {error}"),
            Self::Root { got, want } => write!(f, "says root {want}, but the entries add up to {got}"),
            Self::Checkpoint(why) => write!(f, "is not accepted: {why}"),
            Self::Key { got, want } => write!(f, "is signed with the key of {got}, but the log's is {want}"),
            Self::Empty => f.write_str("commits to no entries, so no log was founded"),
            Self::Log { got, want } => write!(f, "is of log {got}, but the trust file pins {want}"),
            Self::Rollback { size, held } => {
                write!(
                    f,
                    "has {}, but you hold a checkpoint of {held}: the log was rolled back",
                    count(size, "entry", "entries")
                )
            }
            Self::Rewritten { held, got, want } => write!(
                f,
                "contradicts the checkpoint of {} that you hold: its root was {want}, here it is {got}",
                count(held, "entry", "entries")
            ),
            Self::BrokenPromise { index } => {
                write!(f, "has another entry {index} than the operator promised")
            }
            Self::Fork { index, other } => {
                write!(f, "and that of {other} are of two histories, which part at entry {index}")
            }
        }
    }
}

impl ObjectFinding {
    /// A finding about a tile or bundle.
    #[must_use]
    pub fn new(path: TilePath, trouble: Trouble) -> Self {
        Self { name: path.to_string(), trouble }
    }
}

impl fmt::Display for ObjectFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.trouble)
    }
}

/// Gives an object's bytes; one that is missing, too long or no object is a finding, and none.
pub(super) fn read(
    name: &str,
    read: Result<Option<Vec<u8>>, ReadError>,
    found: &mut dyn FnMut(ObjectFinding),
) -> Result<Option<Vec<u8>>, ReadError> {
    let trouble = match read {
        Ok(Some(bytes)) => return Ok(Some(bytes)),
        Ok(None) => Trouble::Missing,
        Err(ReadError::Store(StoreError::TooLarge { .. })) => Trouble::TooLarge,
        Err(ReadError::Store(StoreError::NotAnObject { .. })) => Trouble::NotAnObject,
        Err(error) => return Err(error),
    };
    found(ObjectFinding { name: name.to_owned(), trouble });
    Ok(None)
}

/// The same of a tile or bundle, empty where there is none.
pub(super) fn present(
    path: TilePath,
    bytes: Result<Option<Vec<u8>>, ReadError>,
    found: &mut dyn FnMut(ObjectFinding),
) -> Result<Vec<u8>, ReadError> {
    Ok(read(&path.to_string(), bytes, found)?.unwrap_or_default())
}

/// The tree that the entries add up to, each tile compared as it comes to be.
#[derive(Default)]
pub(super) struct Objects(TileBuilder);

impl Objects {
    pub(super) fn new(builder: TileBuilder) -> Self {
        Self(builder)
    }

    /// The tree over all leaves so far.
    pub(super) fn tree(&self) -> &TileBuilder {
        &self.0
    }

    /// The root over all leaves so far.
    pub(super) fn root(&self) -> Hash {
        self.0.root()
    }

    pub(super) fn push(
        &mut self,
        store: &dyn Read,
        leaf: Hash,
        found: &mut dyn FnMut(ObjectFinding),
    ) -> Result<(), ReadError> {
        self.0.push(leaf).into_iter().try_for_each(|tile| compare(store, &tile, found))
    }

    /// Compares the partial tiles, and gives the root.
    pub(super) fn finish(
        self,
        store: &dyn Read,
        found: &mut dyn FnMut(ObjectFinding),
    ) -> Result<Hash, ReadError> {
        self.0.partial().try_for_each(|tile| compare(store, &tile, found))?;
        Ok(self.0.root())
    }
}

fn compare(store: &dyn Read, tile: &Tile, found: &mut dyn FnMut(ObjectFinding)) -> Result<(), ReadError> {
    let mut reported = false;
    let stored = present(tile.path, client::object(store, tile.path), &mut |f| {
        reported = true;
        found(f);
    })?;
    if stored != tile.bytes && !reported {
        found(ObjectFinding::new(tile.path, Trouble::Differs));
    }
    Ok(())
}
