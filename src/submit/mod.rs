//! The one door into a log: statements are judged against what the log holds, sequenced, and appended in rounds.
//!
//! [`Operator::admit`] judges a statement exactly as every verifier will, and refuses it where an entry with it would
//! leave any finding. What was admitted is durable after [`Operator::commit`], and published after
//! [`Operator::publish`]. Statements that arrive together share one round. Sending the same statement again gives the
//! same index.

mod batch;
mod founding;
mod kept;
mod leaves;
mod succession;

pub use batch::Signed;
pub use founding::{CHARTER, Founding};
pub use kept::SNAPSHOT;
pub use leaves::{Known, Leaves};

use crate::chain::Finding;
use crate::client::{self, Client, ReadError};
use crate::entry::{EntryError, SignedEntry};
use crate::field::Instant;
use crate::hash::{Hash, leaf_hash};
use crate::history::History;
use crate::key::vkey::Vkey;
use crate::key::{SigningKey, VerifyingKey};
use crate::log::{LogError, MAX_ROUND, MAX_ROUND_BYTES, Writer};
use crate::merkle::bundle;
use crate::merkle::tile::{Level, TILE_WIDTH, TilePath};
use crate::roster::Roster;
use crate::statement::{Signature, Statement, StatementError};
use crate::store::guard::Guard;
use crate::store::index::{Index, IndexError};
use crate::store::{Store, StoreError};
use crate::text::count;
use std::collections::HashMap;

/// How many ids an index may lack that cannot be written.
const FRESH_MAX: usize = 1 << 16;

/// How many ids the index may lag behind: to add them together takes less than to add each round's.
const INDEX_EVERY: usize = 1024;

/// Where a statement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It was admitted now, and will be durable with the next commit.
    New {
        /// Its index.
        index: u64,
    },
    /// It was in the log, or admitted, before; the signatures first sequenced stand.
    Already {
        /// Its index.
        index: u64,
    },
}

impl Admitted {
    /// The index.
    #[must_use]
    pub fn index(self) -> u64 {
        match self {
            Self::New { index } | Self::Already { index } => index,
        }
    }
}

/// Why a statement was refused, or could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// It is no statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It does not fit an entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// Rules refuse it: an entry with it would leave these findings.
    #[error("refused: {}", .0.iter().map(|f| f.reason.to_string()).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Finding>),
    /// The operator's clock lies before the last entry.
    #[error("the clock says {now}, but the last entry was sequenced {last}; nothing was appended")]
    Clock {
        /// The clock.
        now: Instant,
        /// The last entry's time.
        last: Instant,
    },
    /// The charter's text is not the one whose digest statement 0 carries.
    #[error("statement 0 carries the digest {want} of the charter's text, the text given has {got}")]
    CharterText {
        /// The digest of the text given.
        got: Hash,
        /// The digest in the statement.
        want: Hash,
    },
    /// The operator was replaced by a statement that was admitted: nothing may follow it under the old key.
    #[error(
        "the operator was replaced by entry {index}: this key no longer signs checkpoints; from there on it is for {} to \
         admit and publish", .vkey.name()
    )]
    Replaced {
        /// The index of the entry that replaced it.
        index: u64,
        /// The key that checkpoints are signed with from there on.
        vkey: Box<Vkey>,
    },
    /// The key is not the one that checkpoints of this log are signed with.
    #[error("checkpoints of this log are signed with the key of {want}, not with {got:?}")]
    LogKey {
        /// The public half of the key given.
        got: Box<VerifyingKey>,
        /// The log's key.
        want: Box<Vkey>,
    },
    /// The log's rules ask for witnesses, who were not asked.
    #[error(
        "the log's rules ask for the cosignatures of {}: nothing is published before that",
        count(.0, "witness", "witnesses")
    )]
    Unwitnessed(u64),
    /// The statements that should replace the operator do not.
    #[error("these statements carry no motion for a new operator")]
    NotCarried,
    /// The stored log does not verify, so that nothing can be built on it.
    #[error("the stored log does not verify: {0}")]
    Broken(Box<Finding>),
    /// The log goes beyond what this program understands.
    #[error("{0}")]
    NotUnderstood(crate::roster::NotUnderstood),
    /// The statements' ids cannot be looked up.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The log cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The operator at work: the writer, and what follows from the entries so far.
pub struct Operator {
    writer: Writer,
    history: History,
    leaves: Leaves,
    index: Index,
    waiting: Vec<Vec<u8>>,
    waiting_bytes: usize,
    /// The entry that replaced the operator at work.
    replaced: Option<u64>,
    /// What the index of ids does not know yet.
    fresh: HashMap<Hash, u64>,
    /// The size of the snapshot.
    kept: u64,
}

impl Operator {
    /// Takes over a log: the writer's opening, then the history from its snapshot on, and the index of ids.
    ///
    /// # Errors
    /// When the log cannot be opened, or what is stored does not verify.
    pub fn open(
        store: Box<dyn Store>,
        guard: Option<Box<dyn Guard>>,
        index: Index,
    ) -> Result<Self, SubmitError> {
        Self::take_up(Writer::open(store, guard)?, index)
    }

    fn take_up(writer: Writer, index: Index) -> Result<Self, SubmitError> {
        let history = kept::resume(&writer)?;
        let kept = history.head().size;
        let leaves = Leaves::new(writer.stored().clone());
        let mut operator = Self {
            writer,
            history,
            leaves,
            index,
            waiting: Vec::new(),
            waiting_bytes: 0,
            replaced: None,
            fresh: HashMap::new(),
            kept,
        };
        operator.catch_up_history()?;
        operator.catch_up_index()?;
        operator.keep_snapshot()?;
        Ok(operator)
    }

    /// What follows from all entries, those admitted included.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Who may sign now.
    ///
    /// # Panics
    /// Never: an operator holds a founded log.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        self.history.roster().expect("an operator holds a founded log")
    }

    /// The writer, for its size, root and storage.
    #[must_use]
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The index of ids.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Judges a statement and sequences it at `now`.
    ///
    /// # Errors
    /// [`SubmitError::Refused`] with every finding; the log is as it was.
    ///
    /// # Panics
    /// Never.
    pub fn admit(
        &mut self,
        statement: &[u8],
        signatures: &[Signature],
        now: Instant,
    ) -> Result<Admitted, SubmitError> {
        self.admit_all(&[(statement, signatures)], now).pop().expect("one answer for each")
    }

    /// The entry at an index, committed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, SubmitError> {
        if let Some(entry) = self.writer.unapplied(index) {
            return Ok(entry.to_vec());
        }
        Ok(Client::resume(self.writer.store(), self.writer.stored()).entry(index)?)
    }

    /// The entry at an index that was admitted and is not committed yet.
    #[must_use]
    pub fn uncommitted(&self, index: u64) -> Option<&[u8]> {
        let at = usize::try_from(index.checked_sub(self.writer.size())?).ok()?;
        self.waiting.get(at).map(Vec::as_slice)
    }

    /// Whether the next statement should wait for a commit, since one round takes no more: a greater one is appended in
    /// several, each durable by itself.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_ROUND || self.waiting_bytes + bundle::ENTRY_MAX > MAX_ROUND_BYTES
    }

    /// Makes all that was admitted durable, and applies it: readers of the store find all of it.
    ///
    /// # Errors
    /// As for [`Self::make_durable`], [`Self::apply`] and [`Self::keep_many_ids`].
    pub fn commit(&mut self) -> Result<(), SubmitError> {
        self.make_durable()?;
        self.apply()?;
        self.keep_many_ids()
    }

    /// Makes all that was admitted durable; its tiles may follow with [`Self::apply`].
    ///
    /// # Errors
    /// When it cannot: then open the log again to learn what was appended.
    pub fn make_durable(&mut self) -> Result<(), SubmitError> {
        let mut done = 0;
        while done < self.waiting.len() {
            let round = &self.waiting[done..][..round_len(&self.waiting[done..])];
            self.writer.commit(round)?;
            done += round.len();
        }
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.leaves.stored(self.writer.stored());
        Ok(())
    }

    /// Puts all that is committed into its tiles ([`Writer::apply`]).
    ///
    /// # Errors
    /// When it cannot: what is committed stays so, and whoever opens the log next applies it.
    pub fn apply(&mut self) -> Result<(), SubmitError> {
        self.writer.apply()?;
        self.leaves.stored(self.writer.stored());
        Ok(())
    }

    /// Brings the index of ids up to date where it lacks many. One that cannot be written loses nothing: what it lacks is kept in
    /// memory, and the next call, or the next opening, makes up for it.
    ///
    /// # Errors
    /// When it lacks more than 65,536 ids.
    pub fn keep_many_ids(&mut self) -> Result<(), SubmitError> {
        if self.fresh.len() >= INDEX_EVERY { self.keep_ids() } else { Ok(()) }
    }

    /// Brings the index of ids up to date; what it does not take is kept in memory, up to a limit.
    fn keep_ids(&mut self) -> Result<(), SubmitError> {
        let ids: Vec<_> = self.fresh.iter().map(|(id, index)| (*id, *index)).collect();
        let added = self.index.add(&ids, self.writer.size(), self.history.head().leaf);
        indexed(&mut self.fresh, added)
    }

    /// Refuses where a statement that was admitted replaced the operator: who was at work until then commits, hands over,
    /// and stops. Whoever opens the log next is the new one, with a key of its own.
    ///
    /// # Errors
    /// [`SubmitError::Replaced`] says by which entry.
    pub fn check_in_office(&self) -> Result<(), SubmitError> {
        match self.replaced {
            Some(index) => Err(SubmitError::Replaced { index, vkey: Box::new(self.roster().vkey.clone()) }),
            None => Ok(()),
        }
    }

    /// How many witnesses must have cosigned what is published, by the log's rules; 0 where these name none.
    #[must_use]
    pub fn quorum_asked(&self) -> u64 {
        self.roster().charter.rules.witnesses.as_ref().map_or(0, |witnesses| witnesses.quorum)
    }

    /// Commits, signs a checkpoint and publishes it; gives the note.
    ///
    /// # Errors
    /// When it cannot: what was committed stays durable. Nothing is done with another key than the log's; but where a
    /// statement that was admitted replaced the operator, all is committed before that is told. Where the rules name
    /// witnesses, [`SubmitError::Unwitnessed`]: what is committed waits for whoever gathers their cosignatures
    /// ([`Self::sign`], [`Self::publish_cosigned`]), and nothing was signed.
    pub fn publish(&mut self, log_key: &SigningKey) -> Result<String, SubmitError> {
        let origin = self.commit_in_office(log_key)?;
        let asked = self.quorum_asked();
        if asked > 0 {
            return Err(SubmitError::Unwitnessed(asked));
        }
        let note = self.writer.publish(&origin, log_key)?;
        self.keep_at_last()?;
        Ok(note)
    }

    /// Publishes, where the rules name no witnesses; else what is committed is durable, and stays so.
    fn publish_unless_witnessed(&mut self, log_key: &SigningKey) -> Result<(), SubmitError> {
        match self.publish(log_key) {
            Ok(_) | Err(SubmitError::Unwitnessed(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Commits, and signs a checkpoint that is for witnesses and nobody else until they have cosigned it
    /// ([`Writer::sign`]); gives the note.
    ///
    /// # Errors
    /// As for [`Self::publish`].
    pub fn sign(&mut self, log_key: &SigningKey) -> Result<String, SubmitError> {
        let origin = self.commit_in_office(log_key)?;
        Ok(self.writer.sign(&origin, log_key)?)
    }

    /// Publishes a note that [`Self::sign`] gave, with the cosignatures that the log's rules ask for.
    ///
    /// # Errors
    /// As for [`Writer::publish_cosigned`].
    pub fn publish_cosigned(&mut self, note: &str) -> Result<(), SubmitError> {
        self.writer.publish_cosigned(note)?;
        self.keep_at_last()
    }

    /// Commits as the operator in office, whose key this must be; gives the log's name under it.
    fn commit_in_office(&mut self, log_key: &SigningKey) -> Result<String, SubmitError> {
        if self.replaced.is_some() {
            self.commit()?;
        }
        self.check_in_office()?;
        check_log_key(self.roster(), log_key)?;
        self.commit()?;
        Ok(self.roster().vkey.name().to_owned())
    }

    /// The index of a statement that the log holds or that was admitted, its bytes compared. One that was sequenced and
    /// did not count, by the fault of an operator before, is as if it were not there: its author may send it again.
    fn find(&self, id: &Hash, s: &Statement, bytes: &[u8]) -> Result<Option<u64>, SubmitError> {
        if let Some(index) = self.fresh.get(id) {
            return Ok(Some(*index));
        }
        if s.seq >= self.history.chain(&s.author, s.class()).seq {
            return Ok(None);
        }
        let Some(index) = self.index.find(id)?.filter(|index| *index < self.writer.size()) else {
            return Ok(None);
        };
        let entry = self.entry(index)?;
        Ok(SignedEntry::decode(&entry).is_ok_and(|e| *e.entry.statement == *bytes).then_some(index))
    }

    /// Judges the entries that the snapshot does not know.
    fn catch_up_history(&mut self) -> Result<(), SubmitError> {
        let store = self.writer.store();
        for_each_entry(&self.writer, self.history.head().size, |_, bytes| {
            let decoded = SignedEntry::decode(bytes);
            let mut past = self.leaves.past(store);
            self.history.take(bytes, leaf_hash(bytes), decoded.as_ref(), &mut past, None);
            Ok(self.leaves.failure()?)
        })?;
        match self.history.roster() {
            Some(_) => Ok(()),
            None if self.writer.size() == 0 => Err(LogError::NoLog.into()),
            None => Err(SubmitError::Broken(Box::new(Finding {
                index: 0,
                author: None,
                id: None,
                reason: crate::chain::Reason::NoFounding { what: "entry 0 founds no log".to_owned() },
            }))),
        }
    }

    fn catch_up_index(&mut self) -> Result<(), SubmitError> {
        let size = self.writer.size();
        let (mut known, last) = self.index.state()?;
        let store = self.writer.store();
        let matches = known <= size && (known == 0 || self.leaves.at(store, known - 1) == Some(last));
        self.leaves.failure()?;
        if !matches {
            self.index.clear()?;
            known = 0;
        }
        let mut ids = Vec::new();
        for_each_entry(&self.writer, known, |index, bytes| {
            if let Ok(e) = SignedEntry::decode(bytes) {
                ids.push((e.id, index));
            }
            if ids.len() >= MAX_ROUND {
                self.index.add(&ids, index + 1, leaf_hash(bytes))?;
                ids.clear();
            }
            Ok(())
        })?;
        Ok(self.index.add(&ids, size, self.history.head().leaf)?)
    }
}

/// Refuses another key than the one that checkpoints are signed with.
fn check_log_key(roster: &Roster, key: &SigningKey) -> Result<(), SubmitError> {
    let (got, want) = (key.public(), &roster.vkey);
    if got == *want.key() {
        Ok(())
    } else {
        Err(SubmitError::LogKey { got: Box::new(got), want: Box::new(want.clone()) })
    }
}

/// How many of these entries one round takes.
fn round_len(waiting: &[Vec<u8>]) -> usize {
    let sizes = waiting.iter().scan(0, |sum, entry| {
        *sum += entry.len();
        Some(*sum)
    });
    sizes.take(MAX_ROUND).take_while(|sum| *sum <= MAX_ROUND_BYTES).count()
}

/// Reads the committed entries from one size on, bundle by bundle, each entry held against the committed root: stored
/// bytes that were changed must not decide who may sign.
fn for_each_entry(
    writer: &Writer,
    from: u64,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), SubmitError>,
) -> Result<(), SubmitError> {
    let (store, size, width) = (writer.store(), writer.size(), u64::from(TILE_WIDTH));
    if from >= size {
        return Ok(());
    }
    let mut client = Client::open(store, size, writer.root())?;
    for number in from / width..size.div_ceil(width) {
        let path = TilePath::at(Level::Entries, number, size).expect("within the log");
        let bytes = client::object(store, path)?.ok_or(ReadError::Missing(path))?;
        let entries = bundle::parse(&bytes, path.width).map_err(|error| ReadError::Bundle { path, error })?;
        for (index, bytes) in (number * width..).zip(entries).filter(|(index, _)| *index >= from) {
            if leaf_hash(bytes) != client.leaf_hash(index)? {
                return Err(ReadError::Entry { path, index }.into());
            }
            each(index, bytes)?;
        }
    }
    Ok(())
}

/// Forgets ids that the index of ids has taken; keeps those that it has not, as long as they are few.
fn indexed(fresh: &mut HashMap<Hash, u64>, added: Result<(), IndexError>) -> Result<(), SubmitError> {
    match added {
        Ok(()) => fresh.clear(),
        // Opened again, the log makes another index.
        Err(error) if fresh.len() > FRESH_MAX => return Err(error.into()),
        Err(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_round_takes_is_appended_in_several() {
        let rounds = |mut waiting: &[Vec<u8>]| {
            let mut lens = Vec::new();
            while !waiting.is_empty() {
                lens.push(round_len(waiting));
                waiting = &waiting[lens[lens.len() - 1]..];
            }
            lens
        };
        assert_eq!(rounds(&vec![vec![]; MAX_ROUND]), [MAX_ROUND]);
        assert_eq!(rounds(&vec![vec![]; 2 * MAX_ROUND + 1]), [MAX_ROUND, MAX_ROUND, 1]);
        let longest = vec![vec![0; bundle::ENTRY_MAX]; MAX_ROUND_BYTES / bundle::ENTRY_MAX + 1];
        assert_eq!(rounds(&longest), [longest.len() - 1, 1]);
    }

    #[test]
    fn ids_that_the_index_does_not_take_are_kept_up_to_a_limit() {
        let id = |n: usize| (leaf_hash(&n.to_be_bytes()), 0);
        let mut fresh: HashMap<Hash, u64> = (0..FRESH_MAX).map(id).collect();
        let failed = || Err(IndexError::Held);
        assert!(indexed(&mut fresh, failed()).is_ok());
        assert_eq!(fresh.len(), FRESH_MAX);
        fresh.extend([id(FRESH_MAX)]);
        assert!(matches!(indexed(&mut fresh, failed()), Err(SubmitError::Index(IndexError::Held))));
        assert_eq!(fresh.len(), FRESH_MAX + 1, "none is forgotten that the index has not");
        assert!(indexed(&mut fresh, Ok(())).is_ok());
        assert!(fresh.is_empty());
    }
}
