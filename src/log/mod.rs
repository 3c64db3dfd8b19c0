//! The writer of a log: opaque leaves in, tiles and checkpoints out, in an order that survives any crash.
//!
//! ```text
//! 0 open     epoch + 1 by compare-and-swap, which fences every earlier writer; finish what was committed; derive the
//!            right edge again from stored bytes; compare with the published checkpoint and the guard; tidy up
//! 2 stage    the new leaves in the next commit record; many in one object named by epoch, size and root, durable
//! 3 commit   compare-and-swap of private/commit: from here on nothing is lost
//! 4 apply    bundles and tiles, put if absent, durable; what is there already is compared, never overwritten
//! 5 sign     after deriving the right edge again from stored bytes, and comparing as in step 0
//! 6 publish  compare-and-swap of public/checkpoint that never lowers the size; then tidy up
//! ```
//!
//! Step 1, admitting statements, is the caller's (`submit`): leaves are opaque here. Several commits may share steps 4 to 6:
//! until then a commit record holds all leaves since the last ones that were applied. Whoever opens after a crash takes
//! steps 0 and 4 by the same code as a running writer. A commit whose outcome is unknown stops the writer: every call
//! answers [`LogError::Stopped`] until it is opened again.

mod edge;
mod record;
mod round;
#[cfg(test)]
mod tests;

use crate::text::count;
pub use edge::EdgeError;
pub use record::{Record, Staged, StagedError};

use crate::checkpoint::{BodyError, Checkpoint, CheckpointError, SignedCheckpoint};
use crate::client::ReadError;
use crate::codec::CodecError;
use crate::hash::{EMPTY_ROOT, Hash};
use crate::key::SigningKey;
use crate::merkle::builder::TileBuilder;
use crate::merkle::bundle::{self, BundleError};
use crate::merkle::tile::{TilePath, bundle_growth, growth};
use crate::store::guard::Guard;
use crate::store::{Store, StoreError, Swap};
use round::Rounds;

/// The name of the commit record.
pub const COMMIT: &str = "private/commit";

/// The name of the published checkpoint.
pub const CHECKPOINT: &str = "public/checkpoint";

/// The folder of staged objects.
const STAGED: &str = "private/staged";

/// The most leaves of one round.
pub const MAX_ROUND: usize = 4096;

/// The most bytes of one round's leaves.
pub const MAX_ROUND_BYTES: usize = 32 << 20;

/// The longest staged object: a full round with its lengths.
const MAX_STAGED: u64 = (MAX_ROUND_BYTES + 2 * MAX_ROUND + 8) as u64;

/// The longest checkpoint that is read, in bytes.
pub const MAX_CHECKPOINT: u64 = 1 << 20;

/// How many entries before the published checkpoint's last are tidied up after again by whoever opens.
const TIDIED_AGAIN: u64 = 2 * MAX_ROUND as u64;

/// How often opening tries again when another opens at the same moment.
const OPEN_TRIES: usize = 5;

/// Why the writer cannot go on. What was acknowledged is safe in every case.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// There is no commit record: no log was founded here.
    #[error("no log was founded here: {COMMIT} is missing")]
    NoLog,
    /// A log was founded here before.
    #[error("a log was founded here before")]
    Exists,
    /// The storage failed. Nothing was acknowledged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another writer took over, or opened at the same moment.
    #[error("another writer took over at epoch {epoch}")]
    Fenced {
        /// Its epoch, or this writer's own where only that much is known.
        epoch: u64,
    },
    /// An earlier call ended without a known outcome.
    #[error("the writer stopped after a failure whose outcome is unknown; open the log again")]
    Stopped,
    /// The commit record is damaged.
    #[error("{COMMIT} is damaged: {0}")]
    Record(#[from] CodecError),
    /// What was staged and committed is damaged.
    #[error("the committed round is damaged: {0}")]
    Staged(#[from] StagedError),
    /// Tiles before the right edge are not what the root commits to.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Stored bytes do not add up to the committed root.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// The published checkpoint is none.
    #[error("{CHECKPOINT}: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Origin or size cannot stand in a checkpoint.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// What is published or guarded is ahead of what is stored: a restored backup. Nothing was signed.
    #[error(
        "{place} knows {}, the log here has {size}, or other ones: was a backup restored? \
         nothing will be signed, or it would prove a fork",
        count(.ahead, "entry", "entries")
    )]
    Ahead {
        /// Where the greater size stands.
        place: &'static str,
        /// The greater size.
        ahead: u64,
        /// The size here.
        size: u64,
    },
    /// A leaf or a round is too long.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// More leaves than one round takes.
    #[error("{leaves} leaves of {bytes} bytes are more than one round takes")]
    Round {
        /// How many.
        leaves: usize,
        /// Of how many bytes together.
        bytes: usize,
    },
}

/// The one writer of a log.
pub struct Writer {
    store: Box<dyn Store>,
    guard: Option<Box<dyn Guard>>,
    record: Record,
    rounds: Rounds,
    /// Size and root of the published checkpoint.
    published: (u64, Hash),
    stopped: bool,
}

impl Writer {
    /// Founds an empty log, or takes over one that was founded and never got an entry.
    ///
    /// # Errors
    /// [`LogError::Exists`] where there is one with entries; else when the storage fails.
    pub fn create(store: Box<dyn Store>, guard: Option<Box<dyn Guard>>) -> Result<Self, LogError> {
        let record = Record { epoch: 0, size: 0, root: EMPTY_ROOT, staged: Staged::Nothing };
        match store.swap(COMMIT, None, &record.encode())? {
            Swap::Done => {}
            // An earlier founding broke off: there is nothing to lose.
            Swap::Lost(Some(there)) if Record::decode(&there)?.size == 0 => {}
            Swap::Lost(_) => return Err(LogError::Exists),
        }
        let writer = Self::open(store, guard)?;
        if writer.size() == 0 { Ok(writer) } else { Err(LogError::Exists) }
    }

    /// Takes over a log: fences other writers, finishes what was committed, checks what is stored.
    ///
    /// # Errors
    /// [`LogError`]: the log stays as it is, or as its last commit says.
    pub fn open(store: Box<dyn Store>, guard: Option<Box<dyn Guard>>) -> Result<Self, LogError> {
        let record = fence(&*store)?;
        if let Some(staged) = staged(&*store, &record)? {
            finish(&*store, &record, &staged)?;
        }
        discard_staged(&*store, &record)?;
        let (tree, tail) = edge::derive(&*store, record.size, Some(record.root))?;
        let rounds = Rounds::none(tree, tail);
        let mut writer = Self { store, guard, record, rounds, published: (0, EMPTY_ROOT), stopped: false };
        let checked = writer.compare_published().and_then(|_| writer.compare_guard());
        checked.map_err(|error| writer.or_fenced(error))?;
        // Whoever published last may have died before it had tidied up.
        writer.tidy(writer.published().saturating_sub(TIDIED_AGAIN))?;
        Ok(writer)
    }

    /// The number of committed leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.record.size
    }

    /// The root over them.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.record.root
    }

    /// The tree over those that are stored in tiles: all of them, once they are applied.
    pub(crate) fn stored(&self) -> &TileBuilder {
        self.rounds.stored()
    }

    /// A leaf that is committed and not applied yet.
    pub(crate) fn unapplied(&self, index: u64) -> Option<&[u8]> {
        let at = usize::try_from(index.checked_sub(self.stored().size())?).ok()?;
        self.rounds.leaves().get(at).map(Vec::as_slice)
    }

    /// The size of the published checkpoint.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.published.0
    }

    /// The root that the log had at a size before; none where it is not that long, in tiles.
    ///
    /// # Errors
    /// When the tiles cannot be read, or are not what the root commits to.
    pub fn root_at(&self, size: u64) -> Result<Option<Hash>, LogError> {
        let stored = self.stored();
        (size <= stored.size()).then(|| edge::root_at(&*self.store, size, stored)).transpose()
    }

    /// The storage, for reading.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Commits leaves in one round, and applies it: on return they are durable and in their tiles, not yet published.
    ///
    /// # Errors
    /// [`LogError`]: then whether they were appended is told by opening the log again.
    pub fn append(&mut self, leaves: &[Vec<u8>]) -> Result<(), LogError> {
        self.commit(leaves)?;
        self.apply()
    }

    /// Commits leaves in one round: on return they are durable. Their tiles follow with [`Self::apply`], or with whatever
    /// cannot do without them.
    ///
    /// # Errors
    /// [`LogError`]: then whether they were committed is told by opening the log again.
    pub fn commit(&mut self, leaves: &[Vec<u8>]) -> Result<(), LogError> {
        if self.stopped {
            return Err(LogError::Stopped);
        }
        if leaves.is_empty() {
            return Ok(());
        }
        let bytes = leaves.iter().map(Vec::len).sum();
        if leaves.len() > MAX_ROUND || bytes > MAX_ROUND_BYTES {
            return Err(LogError::Round { leaves: leaves.len(), bytes });
        }
        if let Some((at, leaf)) = leaves.iter().enumerate().find(|(_, leaf)| leaf.len() > bundle::ENTRY_MAX) {
            return Err(BundleError::EntryTooLong { at, len: leaf.len() }.into());
        }
        if record::staged_len(&[self.rounds.leaves(), leaves]) > record::MAX_HERE {
            self.apply()?;
        }
        self.stopped = true;
        self.commit_round(leaves)?;
        self.stopped = false;
        Ok(())
    }

    fn commit_round(&mut self, leaves: &[Vec<u8>]) -> Result<(), LogError> {
        let grown = self.rounds.grown(leaves);
        let staged = record::stage(self.stored().size(), &[self.rounds.leaves(), leaves])?;
        let mut next = Record::staging(self.record.epoch, grown.tree.size(), grown.tree.root());
        if staged.len() <= record::MAX_HERE {
            next.staged = Staged::Here(staged.into());
        } else if let Some(name) = next.object() {
            self.store.put_all(&[(name.to_owned(), staged)])?;
        }
        match self.store.swap(COMMIT, Some(&self.record.encode()), &next.encode())? {
            Swap::Done => {}
            Swap::Lost(_) => {
                // If it stays, whoever took over removes it when it opens again.
                let _ = next.object().map(|name| self.store.delete(name));
                return Err(self.fenced());
            }
        }
        let before = std::mem::replace(&mut self.record, next);
        self.rounds.take(grown, leaves);
        // What an object held was applied before this: it has served.
        before.object().map_or(Ok(()), |name| Ok(self.store.delete(name)?))
    }

    /// Puts all that is committed into its tiles.
    ///
    /// # Errors
    /// [`LogError`]: what is committed stays so, and whoever opens the log applies it.
    pub fn apply(&mut self) -> Result<(), LogError> {
        if self.stopped {
            return Err(LogError::Stopped);
        }
        if self.rounds.leaves().is_empty() {
            return Ok(());
        }
        self.stopped = true;
        self.store.put_all(&self.rounds.objects()?)?;
        self.stopped = false;
        self.rounds.are_stored();
        Ok(())
    }

    /// Signs a checkpoint over all committed leaves and publishes it; gives the note.
    ///
    /// # Errors
    /// [`LogError`]: then an older checkpoint stays published, or, where the storage failed, this one may be.
    pub fn publish(&mut self, origin: &str, key: &SigningKey) -> Result<String, LogError> {
        let (note, old) = self.sign_after(origin, key)?;
        let head = (self.record.size, self.record.root);
        self.replace_published(old.as_deref(), &note, head)?;
        Ok(note)
    }

    /// Signs a checkpoint over all committed leaves, and publishes nothing: the note is for the witnesses that the log's
    /// rules ask for, and for nobody else until they have cosigned it ([`Self::publish_cosigned`]). More may be appended
    /// meanwhile.
    ///
    /// # Errors
    /// [`LogError`]: then nothing was signed.
    pub fn sign(&mut self, origin: &str, key: &SigningKey) -> Result<String, LogError> {
        Ok(self.sign_after(origin, key)?.0)
    }

    /// Publishes a note that [`Self::sign`] gave, with cosignatures; again, where more came later. Whether they are a quorum
    /// is the caller's to tell.
    ///
    /// # Errors
    /// [`LogError`]: one that is not of this log, or smaller than the published one ([`LogError::Ahead`]), is not published.
    pub fn publish_cosigned(&mut self, note: &str) -> Result<(), LogError> {
        if self.stopped {
            return Err(LogError::Stopped);
        }
        let signed = SignedCheckpoint::parse(note.as_bytes())?;
        let head = (signed.claim().size, signed.claim().root);
        self.compare(head, "the note to be published")?;
        let old = self.compare_published().map_err(|error| self.or_fenced(error))?;
        if head.0 < self.published() {
            let (place, ahead) = ("the published checkpoint", self.published());
            return Err(LogError::Ahead { place, ahead, size: head.0 });
        }
        self.replace_published(old.as_deref(), note, head)
    }

    /// Signs what is committed, after step 5's comparisons; gives the checkpoint that is published now, too.
    fn sign_after(&mut self, origin: &str, key: &SigningKey) -> Result<(String, Option<Vec<u8>>), LogError> {
        self.apply()?;
        let (derived, _) = edge::derive(&*self.store, self.record.size, Some(self.record.root))?;
        let checkpoint = Checkpoint::new(origin, self.record.size, derived.root())?;
        let checked = self.compare_published().and_then(|old| self.compare_guard().map(|()| old));
        let old = checked.map_err(|error| self.or_fenced(error))?;
        self.keep_in_guard(&checkpoint)?;
        Ok((checkpoint.sign(key), old))
    }

    /// Puts a note in the place of the published one, and tidies up.
    fn replace_published(
        &mut self,
        old: Option<&[u8]>,
        note: &str,
        head: (u64, Hash),
    ) -> Result<(), LogError> {
        let from = self.published();
        self.stopped = true;
        match self.store.swap(CHECKPOINT, old, note.as_bytes())? {
            Swap::Done => {}
            Swap::Lost(_) => return Err(self.fenced()),
        }
        self.stopped = false;
        self.published = head;
        // It is published. What tidying leaves behind harms nobody, and is removed by whoever opens next.
        let _ = self.tidy(from);
        Ok(())
    }

    /// Removes what the published checkpoint has outgrown since size `from`: the staged object, where it is applied, and
    /// partial tiles that are now full.
    fn tidy(&self, from: u64) -> Result<(), LogError> {
        if let Some(name) = self.record.object().filter(|_| self.rounds.leaves().is_empty()) {
            self.store.delete(name)?;
        }
        let to = self.published();
        for path in growth(from, to).chain(bundle_growth(from, to)).filter(TilePath::is_full) {
            for partial in self.store.list(&format!("public/{path}.p"))? {
                self.store.delete(&partial)?;
            }
        }
        Ok(())
    }

    /// Compares the published checkpoint with what is stored; gives its bytes.
    fn compare_published(&mut self) -> Result<Option<Vec<u8>>, LogError> {
        let Some(note) = self.store.get(CHECKPOINT, MAX_CHECKPOINT)? else { return Ok(None) };
        let signed = SignedCheckpoint::parse(&note)?;
        let head = (signed.claim().size, signed.claim().root);
        if head != self.published {
            self.compare(head, "the published checkpoint")?;
            self.published = head;
        }
        Ok(Some(note))
    }

    fn compare_guard(&self) -> Result<(), LogError> {
        let last = self.guard.as_ref().map(|guard| guard.last()).transpose()?.flatten();
        last.map_or(Ok(()), |head| self.compare(head, "the guard file"))
    }

    /// Keeps the head that is to be signed. Whoever overtook since it was compared may be the next writer.
    fn keep_in_guard(&self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        let Some(guard) = &self.guard else { return Ok(()) };
        let (size, root) = (checkpoint.size(), checkpoint.root());
        match guard.keep(size, root) {
            Err(StoreError::Conflict { .. }) => {
                let ahead = guard.last()?.map_or(size, |(kept, _)| kept);
                Err(self.or_fenced(LogError::Ahead { place: "the guard file", ahead, size }))
            }
            kept => Ok(kept?),
        }
    }

    fn compare(&self, (size, root): (u64, Hash), place: &'static str) -> Result<(), LogError> {
        let same = self.root_at(size)? == Some(root);
        if same { Ok(()) } else { Err(LogError::Ahead { place, ahead: size, size: self.size() }) }
    }

    /// Who is ahead of a writer may simply be the next one.
    fn or_fenced(&self, error: LogError) -> LogError {
        if !matches!(error, LogError::Ahead { .. }) {
            return error;
        }
        match self.fenced() {
            LogError::Fenced { epoch } if epoch > self.record.epoch => LogError::Fenced { epoch },
            _ => error,
        }
    }

    /// Says who took over, as far as that can be read.
    fn fenced(&self) -> LogError {
        let now = self.store.get(COMMIT, record::MAX_RECORD).ok().flatten();
        let epoch = now.and_then(|bytes| Record::decode(&bytes).ok()).map(|record| record.epoch);
        LogError::Fenced { epoch: epoch.unwrap_or(self.record.epoch) }
    }
}

/// Raises the epoch, so that no earlier writer can commit any more.
fn fence(store: &dyn Store) -> Result<Record, LogError> {
    for _ in 0..OPEN_TRIES {
        let old = store.get(COMMIT, record::MAX_RECORD)?.ok_or(LogError::NoLog)?;
        let mut record = Record::decode(&old)?;
        // Only a damaged record has the last epoch there is.
        record.epoch = record.epoch.checked_add(1).ok_or(LogError::Fenced { epoch: u64::MAX })?;
        if store.swap(COMMIT, Some(&old), &record.encode())? == Swap::Done {
            return Ok(record);
        }
    }
    let now = store.get(COMMIT, record::MAX_RECORD)?.ok_or(LogError::NoLog)?;
    Err(LogError::Fenced { epoch: Record::decode(&now)?.epoch })
}

/// What is staged and may not be in its tiles; what is published was applied before. Where more is published, or something else,
/// that is told when it is compared.
fn staged(store: &dyn Store, record: &Record) -> Result<Option<Vec<u8>>, LogError> {
    match &record.staged {
        Staged::Nothing => Ok(None),
        Staged::Object(name) => Ok(store.get(name, MAX_STAGED)?),
        Staged::Here(staged) => {
            let note = store.get(CHECKPOINT, MAX_CHECKPOINT)?;
            let signed = note.as_deref().and_then(|note| SignedCheckpoint::parse(note).ok());
            let head = signed.map(|signed| (signed.claim().size, signed.claim().root));
            Ok((head != Some((record.size, record.root))).then(|| staged.to_vec()))
        }
    }
}

/// Applies what is committed, as an earlier writer may not have done; until it adds up to the committed root, nothing is
/// written.
fn finish(store: &dyn Store, record: &Record, staged: &[u8]) -> Result<(), LogError> {
    let (from, leaves) = record.unstage(staged)?;
    let (stored, tail) = edge::derive(store, from, None)?;
    let mut rounds = Rounds::none(stored, tail);
    let grown = rounds.grown(&leaves);
    edge::check_root(&grown.tree, &record.root)?;
    rounds.take(grown, &leaves);
    Ok(store.put_all(&rounds.objects()?)?)
}

/// Removes what earlier writers staged and did not commit. A later writer's stays: it may be about to commit.
fn discard_staged(store: &dyn Store, record: &Record) -> Result<(), LogError> {
    for name in store.list(STAGED)? {
        let older = Record::staging_epoch(&name).is_none_or(|epoch| epoch < record.epoch);
        if older && record.object() != Some(&name) {
            store.delete(&name)?;
        }
    }
    Ok(())
}
