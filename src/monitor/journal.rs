//! The monitor's memory on disk, and the order in which it is written.
//!
//! ```text
//! STATE/state.redb          alerts by number, identities, what waits for which sink, what is kept
//!       history-DIGEST      the fold so far (`snapshot`); derived
//!       evidence/…          for `servanda check`
//!       checkpoints/SIZE-…  checkpoints that were relied on
//!
//! 1  Journal::keep     files, durable
//! 2  Journal::record   one transaction: new alerts, for which sinks, what is kept
//! 3  Journal::waiting  deliveries; after each, Journal::delivered
//! ```
//!
//! A crash before 2 leaves files that the same round writes again, since their names follow from the alerts' identities. A
//! crash after 2 loses nothing: what waits is delivered by the next run. An identity that was recorded is never recorded
//! again. A delivery that was cut off is made again, under the same identity.

use super::{Alert, Class, Kept, Round, Snapshot};
use crate::hash::Hash;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde_json::Value;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

const ALERTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("alerts");
const IDENTITIES: TableDefinition<'_, [u8; 32], u64> = TableDefinition::new("identities");
const WAITING: TableDefinition<'_, (&str, u64), ()> = TableDefinition::new("waiting");
const STATE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("state");

/// What the database may keep in memory, in bytes.
const CACHE: usize = 16 << 20;

/// The mode of the state's folders: alerts may be about what is not for everyone.
const FOLDER_MODE: u32 = 0o700;

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another monitor uses it.
    #[error("another monitor uses this state")]
    Held,
    /// It is of another log.
    #[error("this state is of log {got}, and {want} is to be monitored")]
    OtherLog {
        /// The log that it is of.
        got: String,
        /// The log to be monitored.
        want: Hash,
    },
    /// What is kept in it is not readable.
    #[error("what the state holds cannot be read: {0}")]
    Content(#[from] serde_json::Error),
    /// The database failed.
    #[error("the state cannot be used: {0}")]
    Database(Box<redb::Error>),
    /// The system did.
    #[error("the state cannot be written: {0}")]
    Io(#[from] io::Error),
}

/// Database errors of every kind.
macro_rules! from_redb {
    ($($error:ident)+) => {$(
        impl From<redb::$error> for JournalError {
            fn from(error: redb::$error) -> Self {
                match redb::Error::from(error) {
                    redb::Error::DatabaseAlreadyOpen => Self::Held,
                    error => Self::Database(Box::new(error)),
                }
            }
        }
    )+};
}

from_redb! { DatabaseError TransactionError TableError StorageError CommitError }

/// An alert as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its number in this state.
    pub number: u64,
    /// The alert for programs.
    pub json: Value,
}

impl Recorded {
    /// A field of it that is a text.
    #[must_use]
    pub fn text(&self, field: &str) -> &str {
        self.json[field].as_str().unwrap_or_default()
    }
}

/// Where alerts go: a name that stays the same, and the classes that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// What tells it from others.
    pub name: String,
    /// The classes.
    pub classes: Vec<Class>,
}

/// A monitor's state.
pub struct Journal {
    db: Database,
    folder: PathBuf,
}

impl Journal {
    /// Opens the state of a log in a folder, or begins it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(folder: &Path, log: &Hash) -> Result<Self, JournalError> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
        let db = Database::builder().set_cache_size(CACHE).create(folder.join("state.redb"))?;
        let write = db.begin_write()?;
        write.open_table(ALERTS)?;
        write.open_table(IDENTITIES)?;
        write.open_table(WAITING)?;
        let other = {
            let mut state = write.open_table(STATE)?;
            let name = log.to_string();
            let got = state.get("log")?.map(|got| String::from_utf8_lossy(got.value()).into_owned());
            if got.is_none() {
                state.insert("log", name.as_bytes())?;
            }
            got.filter(|got| *got != name)
        };
        write.commit()?;
        match other {
            Some(got) => Err(JournalError::OtherLog { got, want: *log }),
            None => Ok(Self { db, folder: folder.to_owned() }),
        }
    }

    /// What was kept; nothing at the beginning.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn kept(&self) -> Result<Kept, JournalError> {
        let state = self.db.begin_read()?.open_table(STATE)?;
        let kept = state.get("kept")?;
        kept.map_or(Ok(Kept::default()), |kept| Ok(serde_json::from_slice(kept.value())?))
    }

    /// The history that what was kept names, if it is there and in order; else everything is verified again.
    #[must_use]
    pub fn snapshot(&self, kept: &Kept) -> Option<Snapshot> {
        let digest = kept.snapshot?;
        let bytes = fs::read(self.folder.join(history_name(&digest))).ok()?;
        Snapshot::decode(&bytes, &digest).ok()
    }

    /// Keeps a round's files. A file that is there stays.
    ///
    /// # Errors
    /// When one cannot be written: then nothing is told.
    pub fn keep(&self, files: &[(String, Vec<u8>)]) -> Result<(), JournalError> {
        files.iter().try_for_each(|(name, bytes)| self.write(name, bytes))
    }

    /// Keeps the history; gives the digest that names it, for [`Kept::snapshot`]. Others are removed by
    /// [`Self::tidy`], once that is recorded.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_snapshot(&self, snapshot: &Snapshot) -> Result<Hash, JournalError> {
        let (digest, bytes) = snapshot.encode();
        self.write(&history_name(&digest), &bytes)?;
        Ok(digest)
    }

    /// Removes histories that nothing names any more.
    pub fn tidy(&self, kept: &Kept) {
        let named = kept.snapshot.map(|digest| history_name(&digest));
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("history-") && Some(&name) != named.as_ref() {
                // One that stays takes room, nothing else.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Whether an alert of this identity was recorded.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn knows(&self, id: &Hash) -> Result<bool, JournalError> {
        Ok(self.db.begin_read()?.open_table(IDENTITIES)?.get(id.0)?.is_some())
    }

    /// Records a round in one transaction: its new alerts, for the sinks that take them, and what is kept. Gives the number
    /// of new alerts.
    ///
    /// # Errors
    /// When it cannot be written: then nothing of it was recorded, or all.
    pub fn record(&self, log: &Hash, round: &Round, sinks: &[Sink]) -> Result<usize, JournalError> {
        self.record_all(log, &round.alerts, &round.kept, sinks)
    }

    /// Records what is kept, without a round.
    ///
    /// # Errors
    /// As for [`Self::record`].
    pub fn record_kept(&self, log: &Hash, kept: &Kept) -> Result<(), JournalError> {
        self.record_all(log, &[], kept, &[]).map(|_| ())
    }

    fn record_all(
        &self,
        log: &Hash,
        alerts: &[Alert],
        kept: &Kept,
        sinks: &[Sink],
    ) -> Result<usize, JournalError> {
        let write = self.db.begin_write()?;
        let mut new = 0;
        {
            let (mut table, mut identities) = (write.open_table(ALERTS)?, write.open_table(IDENTITIES)?);
            let mut waiting = write.open_table(WAITING)?;
            let mut number = table.last()?.map_or(0, |(number, _)| number.value() + 1);
            for alert in alerts {
                let id = alert.id(log);
                if identities.get(id.0)?.is_some() {
                    continue;
                }
                identities.insert(id.0, number)?;
                table.insert(number, serde_json::to_vec(&alert.json(log))?.as_slice())?;
                for sink in sinks.iter().filter(|sink| sink.classes.contains(&alert.kind.class())) {
                    waiting.insert((sink.name.as_str(), number), ())?;
                }
                (number, new) = (number + 1, new + 1);
            }
            write.open_table(STATE)?.insert("kept", serde_json::to_vec(kept)?.as_slice())?;
        }
        write.commit()?;
        Ok(new)
    }

    /// What waits for a sink, the oldest first, from a number on; at most so many.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn waiting(&self, sink: &str, from: u64, most: usize) -> Result<Vec<Recorded>, JournalError> {
        let read = self.db.begin_read()?;
        let (waiting, alerts) = (read.open_table(WAITING)?, read.open_table(ALERTS)?);
        let mut all = Vec::new();
        for item in waiting.range((sink, from)..=(sink, u64::MAX))?.take(most) {
            let number = item?.0.value().1;
            if let Some(json) = alerts.get(number)? {
                all.push(Recorded { number, json: serde_json::from_slice(json.value())? });
            }
        }
        Ok(all)
    }

    /// An alert was delivered to a sink.
    ///
    /// # Errors
    /// When it cannot be written: then it will be delivered again.
    pub fn delivered(&self, sink: &str, numbers: &[u64]) -> Result<(), JournalError> {
        let write = self.db.begin_write()?;
        {
            let mut waiting = write.open_table(WAITING)?;
            for number in numbers {
                waiting.remove((sink, *number))?;
            }
        }
        write.commit()?;
        Ok(())
    }

    /// How many alerts were recorded, by class and kind.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn counts(&self) -> Result<std::collections::BTreeMap<(String, String), u64>, JournalError> {
        let alerts = self.db.begin_read()?.open_table(ALERTS)?;
        let mut counts = std::collections::BTreeMap::new();
        for item in alerts.iter()? {
            let (number, json) = item?;
            let recorded = Recorded { number: number.value(), json: serde_json::from_slice(json.value())? };
            let key = (recorded.text("class").to_owned(), recorded.text("kind").to_owned());
            *counts.entry(key).or_insert(0) += 1;
        }
        Ok(counts)
    }

    /// Writes a file whole, durable; one that is there stays.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), JournalError> {
        let path = self.folder.join(name);
        let folder = path.parent().unwrap_or(&self.folder);
        if path.is_file() {
            // A crash may have come before its name was durable.
            return Ok(File::open(folder)?.sync_all()?);
        }
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|refused| refused.error)?;
        File::open(folder)?.sync_all()?;
        Ok(File::open(&self.folder)?.sync_all()?)
    }
}

fn history_name(digest: &Hash) -> String {
    format!("history-{digest}")
}
