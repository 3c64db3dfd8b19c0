//! A copy of a log: from wherever it is read to a store, every byte verified before it is kept.
//!
//! ```text
//! 1  the source's checkpoint, under the policy; entry 0, under the pinned id
//! 2  the copy's checkpoint, if there is one: the source must contain it
//! 3  bundles and tiles from there on: hashed up to the new root, then put, durable, batch by batch
//! 4  the checkpoint, swapped last
//! ```
//!
//! What lies in the copy is where it goes on; there is no other state. A crash leaves objects that nothing commits to yet,
//! which are compared, and not fetched, the next time. A checkpoint is never replaced by one that does not contain it: a
//! source that is older changes nothing, one that has another history gives evidence.
//!
//! What is copied is what the log's operator signed, be it good or bad: statements are judged by `verify` and monitors, on
//! the copy as well as on the log.

mod fill;

use crate::checkpoint::{CheckpointError, SignedCheckpoint, VerifiedCheckpoint};
use crate::client::{Client, ReadError};
use crate::entry::SignedEntry;
use crate::evidence::{Accused, Evidence};
use crate::hash::{Hash, sha256};
use crate::key::vkey::Vkey;
use crate::log::{CHECKPOINT, COMMIT, MAX_CHECKPOINT};
use crate::merkle::builder::TileBuilder;
use crate::policy::Policy;
use crate::proof::{key_in_office, policy_for};
use crate::roster::Roster;
use crate::statement::Act;
use crate::store::{MAX_SWAP_BYTES, Read, Store, StoreError, Swap};
use crate::submit::CHARTER;
use crate::text::count;

/// The longest `charter.toml` that is copied, in bytes.
const MAX_CHARTER: u64 = crate::charter::file::founding::MAX_CHARTER_FILE;

/// What must be true of the source.
#[derive(Clone, Copy, Debug)]
pub struct Trusted<'a> {
    /// Whose checkpoints count.
    pub policy: &'a Policy,
    /// The log's id; none: whichever log entry 0 founds.
    pub log: Option<Hash>,
}

/// What a copy became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The log's id.
    pub log: Hash,
    /// How many entries the copy had.
    pub from: u64,
    /// How many it has.
    pub to: u64,
    /// The checkpoint under which it has them.
    pub checkpoint: VerifiedCheckpoint,
    /// What became of the charter's text.
    pub charter: Charter,
}

/// What became of the charter's text, which no checkpoint commits to, but entry 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charter {
    /// The copy has it.
    Copied,
    /// The source does not give it, or gives another one.
    Missing,
}

/// Why nothing was copied, or not all. The copy's checkpoint is the one it was; what is under it is whole.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The source has no checkpoint.
    #[error("the source has no checkpoint")]
    NoCheckpoint,
    /// The source's checkpoint is not accepted.
    #[error("the source's checkpoint is not accepted: {0}")]
    Checkpoint(#[source] CheckpointError),
    /// The source's checkpoint commits to no entries.
    #[error("the source's checkpoint commits to no entries")]
    Empty,
    /// Entry 0 founds no log.
    #[error("entry 0 of the source founds no log")]
    Founding,
    /// The source is another log.
    #[error("the source is log {got}, want {want}")]
    OtherLog {
        /// The source's id.
        got: Hash,
        /// The id that it should have.
        want: Hash,
    },
    /// The source could not be read, or gives what its checkpoint does not commit to.
    #[error(transparent)]
    Source(ReadError),
    /// The source is older than the copy, whose beginning it is.
    #[error("the source has {}, the copy has {held}", count(.size, "entry", "entries"))]
    Behind {
        /// The source's size.
        size: u64,
        /// The copy's size.
        held: u64,
    },
    /// The source has another history than the copy.
    #[error("the source has another history than the copy, whose checkpoint is of {}", count(.held, "entry", "entries"))]
    Fork {
        /// The source's size.
        size: u64,
        /// The copy's size.
        held: u64,
        /// What convinces others; none where two operators' keys signed.
        evidence: Option<Box<Evidence>>,
    },
    /// The checkpoint is by an operator who was replaced by what is below it: a copy that followed it could not follow the next
    /// one.
    #[error("the source's checkpoint is signed with the key of {got}, but the log's is {want}")]
    Replaced {
        /// The key that signed it.
        got: Box<Vkey>,
        /// The key of the operator in office.
        want: Box<Vkey>,
    },
    /// A log is written where the copy should be.
    #[error("a log is written there, which no copy may get in the way of")]
    Written,
    /// The copy's own checkpoint is not accepted.
    #[error("the copy's own checkpoint is not accepted: {0}")]
    CopysCheckpoint(#[source] CheckpointError),
    /// The copy could not be read, or does not hold what its checkpoint commits to.
    #[error("the copy is damaged or cannot be read: {0}")]
    Copy(#[source] ReadError),
    /// The copy could not be written, or holds other bytes in an object's place.
    #[error(transparent)]
    Store(StoreError),
    /// Another program changed the copy's checkpoint meanwhile.
    #[error("another program changed the copy's checkpoint meanwhile")]
    Raced,
}

impl MirrorError {
    /// Whether the log or its source is to blame, and not the way to it.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        match self {
            Self::Source(error) | Self::Copy(error) => error.is_tampering(),
            Self::Checkpoint(_)
            | Self::CopysCheckpoint(_)
            | Self::Empty
            | Self::Founding
            | Self::OtherLog { .. }
            | Self::NoCheckpoint
            | Self::Behind { .. }
            | Self::Replaced { .. }
            | Self::Fork { .. } => true,
            Self::Written | Self::Raced => false,
            Self::Store(error) => matches!(error, StoreError::Conflict { .. }),
        }
    }
}

/// A source, and the copy that is made of it.
pub struct Mirror<'a> {
    source: &'a dyn Read,
    copy: &'a dyn Store,
    log: Hash,
    charter: Hash,
    now: VerifiedCheckpoint,
    held: Option<Held>,
}

/// The copy's checkpoint as it lies there.
struct Held {
    note: Vec<u8>,
    checkpoint: VerifiedCheckpoint,
}

impl<'a> Mirror<'a> {
    /// Reads both checkpoints, and verifies that the source contains what the copy has. Nothing is written yet.
    ///
    /// # Errors
    /// [`MirrorError`].
    pub fn begin(
        source: &'a dyn Read,
        copy: &'a dyn Store,
        trusted: Trusted<'_>,
    ) -> Result<Self, MirrorError> {
        if copy.get(COMMIT, MAX_SWAP_BYTES).map_err(MirrorError::Store)?.is_some() {
            return Err(MirrorError::Written);
        }
        let now = accepted(source, trusted)?.ok_or(MirrorError::NoCheckpoint)?;
        if now.size() == 0 {
            return Err(MirrorError::Empty);
        }
        let client = Client::open(source, now.size(), now.root());
        let entry = client.and_then(|mut client| client.entry(0)).map_err(MirrorError::Source)?;
        let (log, charter) = founded(&entry).ok_or(MirrorError::Founding)?;
        if let Some(want) = trusted.log.filter(|want| *want != log) {
            return Err(MirrorError::OtherLog { got: log, want });
        }
        let held = held(copy, trusted)?;
        let mirror = Self { source, copy, log, charter, now, held };
        mirror.compare()?;
        if mirror.from() < mirror.now.size() {
            mirror.is_in_office()?;
        }
        Ok(mirror)
    }

    /// Refuses the checkpoint of an operator who is not in office at its end.
    fn is_in_office(&self) -> Result<(), MirrorError> {
        let now = &self.now;
        let want = key_in_office(self.source, now.claim(), Some(&self.log)).map_err(MirrorError::Source)?;
        match want.filter(|want| want != now.log()) {
            Some(want) => {
                Err(MirrorError::Replaced { got: Box::new(now.log().clone()), want: Box::new(want) })
            }
            None => Ok(()),
        }
    }

    /// The source's checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.now
    }

    /// How many entries the copy has under its checkpoint.
    #[must_use]
    pub fn from(&self) -> u64 {
        self.held.as_ref().map_or(0, |held| held.checkpoint.size())
    }

    /// Copies what the copy has not, and swaps its checkpoint. `progress` is told the entries that are there.
    ///
    /// # Errors
    /// [`MirrorError`]: then the copy is what it was, with objects beside it that nothing commits to.
    pub fn run(self, progress: &dyn Fn(u64)) -> Result<Copied, MirrorError> {
        let (from, to) = (self.from(), self.now.size());
        if from < to {
            self.fill(progress)?;
        }
        let charter = self.copy_charter()?;
        self.swap()?;
        if from < to {
            // What tidying leaves behind harms nobody.
            let _ = fill::tidy(self.copy, from, to);
        }
        Ok(Copied { log: self.log, from, to, checkpoint: self.now, charter })
    }

    /// Fills from the source and from what an earlier attempt put; where that is damaged, from the source alone, so that
    /// what differs is told.
    fn fill(&self, progress: &dyn Fn(u64)) -> Result<(), MirrorError> {
        let builder = match &self.held {
            None => TileBuilder::default(),
            Some(held) => fill::edge(self.copy, &held.checkpoint).map_err(MirrorError::Copy)?,
        };
        let near = fill::Near { copy: self.copy, source: self.source };
        let fill = |from: &dyn Read| fill::fill(from, self.copy, &self.now, builder.clone(), progress);
        match fill(&near) {
            Err(MirrorError::Source(error)) if error.is_tampering() => fill(self.source),
            filled => filled,
        }
    }

    /// Holds the source against the copy's checkpoint.
    fn compare(&self) -> Result<(), MirrorError> {
        let Some(Held { checkpoint: before, .. }) = &self.held else { return Ok(()) };
        let (size, held) = (self.now.size(), before.size());
        let (older, larger) = if size < held { (&self.now, before) } else { (before, &self.now) };
        let in_copy = size < held;
        let blame = |error| if in_copy { MirrorError::Copy(error) } else { MirrorError::Source(error) };
        let store: &dyn Read = if in_copy { &Reading(self.copy) } else { self.source };
        let open = || Client::open(store, larger.size(), larger.root());
        let root = open().and_then(|mut client| client.root_at(older.size())).map_err(blame)?;
        if root == older.root() {
            return if in_copy { Err(MirrorError::Behind { size, held }) } else { Ok(()) };
        }
        let accused = open().and_then(|client| Accused::new(larger, client));
        let evidence = accused.and_then(|mut accused| accused.contradicts(older)).map_err(blame)?;
        Err(MirrorError::Fork { size, held, evidence: evidence.map(Box::new) })
    }

    /// Copies the charter's text, where it is the one that entry 0 gives the digest of.
    fn copy_charter(&self) -> Result<Charter, MirrorError> {
        let is_it = |text: &Vec<u8>| sha256(text) == self.charter;
        if self.copy.get(CHARTER, MAX_CHARTER).ok().flatten().as_ref().is_some_and(is_it) {
            return Ok(Charter::Copied);
        }
        let text = match self.source.get(CHARTER, MAX_CHARTER) {
            Ok(text) => text.filter(is_it),
            Err(StoreError::TooLarge { .. } | StoreError::NotAnObject { .. }) => None,
            Err(error) => return Err(MirrorError::Source(error.into())),
        };
        let Some(text) = text else { return Ok(Charter::Missing) };
        self.copy.put_all(&[(CHARTER.to_owned(), text)]).map_err(MirrorError::Store)?;
        Ok(Charter::Copied)
    }

    /// Puts the new checkpoint in the place of the one before; one of the same size only where as many cosigned it.
    fn swap(&self) -> Result<(), MirrorError> {
        let (old, new) = (self.held.as_ref(), self.now.as_str().as_bytes());
        if let Some(Held { note, checkpoint }) = old {
            let fewer = self.now.cosigners().len() < checkpoint.cosigners().len();
            if note == new || (checkpoint.size() == self.now.size() && fewer) {
                return Ok(());
            }
        }
        let old = old.map(|held| held.note.as_slice());
        match self.copy.swap(CHECKPOINT, old, new).map_err(MirrorError::Store)? {
            Swap::Done => Ok(()),
            Swap::Lost(_) => Err(MirrorError::Raced),
        }
    }
}

/// Copies what a copy has not yet: all of [`Mirror`] at once.
///
/// # Errors
/// [`MirrorError`].
pub fn copy(
    source: &dyn Read,
    copy: &dyn Store,
    trusted: Trusted<'_>,
    progress: &dyn Fn(u64),
) -> Result<Copied, MirrorError> {
    Mirror::begin(source, copy, trusted)?.run(progress)
}

/// A store that is only read.
struct Reading<'a>(&'a dyn Store);

impl Read for Reading<'_> {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(name, limit)
    }
}

/// The source's checkpoint under the policy; none where there is none.
fn accepted(source: &dyn Read, trusted: Trusted<'_>) -> Result<Option<VerifiedCheckpoint>, MirrorError> {
    let note = source.get(CHECKPOINT, MAX_CHECKPOINT).map_err(|e| MirrorError::Source(e.into()))?;
    let Some(note) = note else { return Ok(None) };
    let signed = SignedCheckpoint::parse(&note).map_err(MirrorError::Checkpoint)?;
    let policy = policy_for(source, signed.claim(), trusted.policy, trusted.log.as_ref());
    let policy = policy.map_err(MirrorError::Source)?;
    signed.open(&policy).map(Some).map_err(MirrorError::Checkpoint)
}

/// The copy's checkpoint. It was accepted when it was put there: by now the policy may ask for other witnesses.
fn held(copy: &dyn Store, trusted: Trusted<'_>) -> Result<Option<Held>, MirrorError> {
    let Some(note) = copy.get(CHECKPOINT, MAX_CHECKPOINT).map_err(MirrorError::Store)? else {
        return Ok(None);
    };
    let signed = SignedCheckpoint::parse(&note).map_err(MirrorError::CopysCheckpoint)?;
    let policy = policy_for(&Reading(copy), signed.claim(), trusted.policy, trusted.log.as_ref());
    let policy = policy.map_err(MirrorError::Copy)?.without_quorum();
    let checkpoint = signed.open(&policy).map_err(MirrorError::CopysCheckpoint)?;
    Ok(Some(Held { note, checkpoint }))
}

/// The id of the log that an entry founds, and the SHA-256 of its charter's text.
fn founded(entry: &[u8]) -> Option<(Hash, Hash)> {
    let entry = SignedEntry::decode(entry).ok()?;
    let roster = Roster::found(&entry).ok()?;
    match entry.act() {
        Ok(Act::Found(found)) => Some((roster.log, found.text)),
        _ => None,
    }
}
