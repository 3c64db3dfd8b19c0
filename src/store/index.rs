//! The index of ids: private, and rebuilt from the log whenever it is missing or wrong.
//!
//! Maps a statement's id to the index of its entry, so that look-ups need not read the log. It is kept by redb in one
//! file; nothing in it is believed without reading the entry it points at.
//!
//! A damaged file could still hide an entry, and stop redb in its tracks. So beside `index.redb` lies `index.sum`: length
//! and time of change of the file as its writer left it. It is emptied while a writer is at work, and compared before redb
//! sees a byte. A file that does not match, as after a crash, a restore or a change, is not used again. (A digest would tell
//! more, and make each statement wait the longer the longer the log is.) The writer holds the lock of `index.sum`, so that
//! of several commands at once the others wait or are told, and none is fenced in the midst.

use crate::hash::Hash;
use redb::{Database, Durability, ReadOnlyDatabase, ReadableDatabase, ReadableTable, TableDefinition};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

const IDS: TableDefinition<'_, [u8; 32], u64> = TableDefinition::new("ids");
const STATE: TableDefinition<'_, &str, (u64, [u8; 32])> = TableDefinition::new("state");

/// The index's file in a log's home.
pub const FILE: &str = "private/index.redb";

/// What the index may keep in memory, in bytes.
const CACHE: usize = 16 << 20;

/// How many matches of a shortened id are listed.
pub const MATCHES_MAX: usize = 16;

/// An index of ids, held by its one writer or by readers.
pub struct Index<D = Database> {
    db: D,
    /// Goes after the database, which must be closed by then.
    sum: Option<Sum>,
}

/// An index of ids that is read beside others who read it.
pub type ReadIndex = Index<ReadOnlyDatabase>;

/// The index cannot be used: rebuild it, or do without.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Another process uses it.
    #[error("another process uses the index of ids, private/index.redb")]
    Held,
    /// It is not as its last writer left it, or that one did not come to its end.
    #[error("the index of ids, private/index.redb, is in use, or was not left in order")]
    Disorder,
    /// The database failed, or the system did.
    #[error("the index of ids, private/index.redb, cannot be used: {0}")]
    Database(Box<redb::Error>),
}

impl<E: Into<redb::Error>> From<E> for IndexError {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::Held,
            error => Self::Database(Box::new(error)),
        }
    }
}

/// The longest content of `index.sum` that is read, in bytes.
const MAX_SUM: u64 = 100;

/// Length and time of change of a file, in a line.
fn about(file: &Path) -> io::Result<String> {
    let about = fs::metadata(file)?;
    Ok(format!("{} {}.{:09}\n", about.len(), about.mtime(), about.mtime_nsec()))
}

/// What says that an index was left in order; locked.
struct Sum {
    file: File,
    index: PathBuf,
    /// Whether all went well with the index so far.
    in_order: AtomicBool,
}

impl Sum {
    fn path(index: &Path) -> PathBuf {
        index.with_extension("sum")
    }

    fn lock(index: &Path) -> Result<Self, IndexError> {
        let path = Self::path(index);
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, index: index.to_owned(), in_order: false.into() }),
            Err(TryLockError::WouldBlock) => Err(IndexError::Held),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Whether the index is as its last writer left it.
    fn matches(sum: &File, index: &Path) -> io::Result<bool> {
        let mut said = String::new();
        sum.take(MAX_SUM).read_to_string(&mut said)?;
        Ok(about(index).is_ok_and(|about| about == said))
    }

    /// Writes it down that the index is in order.
    fn keep(&mut self) -> io::Result<()> {
        let sum = about(&self.index)?;
        self.file.set_len(0)?;
        io::Seek::rewind(&mut self.file)?;
        self.file.write_all(sum.as_bytes())
    }
}

impl Drop for Sum {
    fn drop(&mut self) {
        if *self.in_order.get_mut() {
            // Without it the index is built again.
            let _ = self.keep();
        }
    }
}

impl Index {
    /// Opens the index in a file, or makes an empty one where there is none in order.
    ///
    /// # Errors
    /// [`IndexError::Held`] where another process uses it; else when the file cannot be read or written.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let sum = Sum::lock(path)?;
        if !Sum::matches(&sum.file, path)? {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        let db = Database::builder().set_cache_size(CACHE).create(path)?;
        sum.file.set_len(0)?;
        Self::prepare(db, Some(sum))
    }

    /// An index in memory.
    ///
    /// # Errors
    /// Never in practice.
    pub fn in_memory() -> Result<Self, IndexError> {
        let backend = redb::backends::InMemoryBackend::new();
        Self::prepare(Database::builder().set_cache_size(CACHE).create_with_backend(backend)?, None)
    }

    fn prepare(db: Database, sum: Option<Sum>) -> Result<Self, IndexError> {
        let write = db.begin_write()?;
        write.open_table(IDS)?;
        write.open_table(STATE)?;
        write.commit()?;
        if let Some(sum) = &sum {
            sum.in_order.store(true, Ordering::Relaxed);
        }
        Ok(Self { db, sum })
    }

    /// Adds entries' ids; the log has `size` entries now, the last with this leaf hash. Not waited for: a lost index is
    /// rebuilt.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&self, ids: &[(Hash, u64)], size: u64, leaf: Hash) -> Result<(), IndexError> {
        self.or_disorder(self.try_add(ids, size, leaf))
    }

    fn try_add(&self, ids: &[(Hash, u64)], size: u64, leaf: Hash) -> Result<(), IndexError> {
        let mut write = self.db.begin_write()?;
        write.set_durability(Durability::None)?;
        {
            let mut table = write.open_table(IDS)?;
            for (id, index) in ids {
                // The first entry with a statement is the one that counts.
                if table.get(id.0)?.is_none() {
                    table.insert(id.0, index)?;
                }
            }
            write.open_table(STATE)?.insert("state", (size, leaf.0))?;
        }
        Ok(write.commit()?)
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn clear(&self) -> Result<(), IndexError> {
        self.or_disorder(self.try_clear())
    }

    fn try_clear(&self) -> Result<(), IndexError> {
        let write = self.db.begin_write()?;
        write.delete_table(IDS)?;
        write.delete_table(STATE)?;
        write.open_table(IDS)?;
        write.open_table(STATE)?;
        Ok(write.commit()?)
    }
}

impl ReadIndex {
    /// Opens an index for reading, as its writer left it.
    ///
    /// # Errors
    /// When there is none, a writer holds it, or it was not left in order.
    pub fn open_to_read(path: &Path) -> Result<Self, IndexError> {
        let in_order = File::open(Sum::path(path)).and_then(|sum| Sum::matches(&sum, path));
        if !in_order.unwrap_or(false) {
            return Err(IndexError::Disorder);
        }
        Ok(Self { db: ReadOnlyDatabase::open(path)?, sum: None })
    }
}

impl<D: ReadableDatabase> Index<D> {
    /// After a failure the file is not used again.
    fn or_disorder<T>(&self, done: Result<T, IndexError>) -> Result<T, IndexError> {
        if let (Err(_), Some(sum)) = (&done, &self.sum) {
            sum.in_order.store(false, Ordering::Relaxed);
        }
        done
    }

    /// How many entries are indexed, and the leaf hash of the last of them.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn state(&self) -> Result<(u64, Hash), IndexError> {
        let read = self.db.begin_read()?;
        let state = read.open_table(STATE)?.get("state")?.map(|v| v.value());
        Ok(state.map_or((0, Hash::default()), |(size, leaf)| (size, Hash(leaf))))
    }

    /// The index of the entry with this statement.
    ///
    /// # Errors
    /// When the file is damaged, or cannot be read: from then on always, until it is made anew by the next opening.
    pub fn find(&self, id: &Hash) -> Result<Option<u64>, IndexError> {
        self.or_disorder(self.try_find(id))
    }

    fn try_find(&self, id: &Hash) -> Result<Option<u64>, IndexError> {
        Ok(self.db.begin_read()?.open_table(IDS)?.get(id.0)?.map(|v| v.value()))
    }

    /// The entries whose ids start with these hexadecimal digits, by id; at most [`MATCHES_MAX`].
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn starting_with(&self, digits: &str) -> Result<Vec<(Hash, u64)>, IndexError> {
        let bound = |fill: char| {
            let mut out = [0; 32];
            let filled = digits.chars().chain(std::iter::repeat(fill)).take(64).collect::<String>();
            hex::decode_to_slice(filled, &mut out).ok().map(|()| out)
        };
        let (Some(from), Some(to)) = (bound('0'), bound('f')) else { return Ok(Vec::new()) };
        let table = self.db.begin_read()?.open_table(IDS)?;
        let matches = table.range(from..=to)?.take(MATCHES_MAX);
        matches
            .map(|m| m.map(|(id, index)| (Hash(id.value()), index.value())).map_err(IndexError::from))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_whole_and_shortened() {
        let index = Index::in_memory().expect("memory");
        let (a, b) = (Hash([0xab; 32]), Hash([[0xab; 16], [0xcd; 16]].concat().try_into().expect("32")));
        index.add(&[(a, 3), (b, 4)], 5, Hash([1; 32])).expect("adds");
        assert_eq!(index.state().expect("reads"), (5, Hash([1; 32])));
        assert_eq!(index.find(&a).expect("reads"), Some(3));
        assert_eq!(index.starting_with("ab").expect("reads"), [(a, 3), (b, 4)]);
        assert_eq!(index.starting_with(&a.to_string()[..33]).expect("reads"), [(a, 3)]);
        assert_eq!(index.starting_with("ac").expect("reads"), []);
        assert_eq!(index.starting_with("zz").expect("reads"), []);
    }

    #[test]
    fn readers_wait_for_nobody_and_make_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("index.redb");
        assert!(ReadIndex::open_to_read(&path).is_err() && !path.exists());
        let index = Index::open(&path).expect("opens");
        index.add(&[(Hash([1; 32]), 3)], 4, Hash([2; 32])).expect("adds");
        assert!(ReadIndex::open_to_read(&path).is_err(), "the writer holds it");
        drop(index);
        let (one, two) = (ReadIndex::open_to_read(&path), ReadIndex::open_to_read(&path));
        assert_eq!(one.expect("opens").find(&Hash([1; 32])).expect("reads"), Some(3));
        assert_eq!(two.expect("opens").state().expect("reads"), (4, Hash([2; 32])));
    }

    #[test]
    fn one_that_was_not_left_in_order_is_made_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("index.redb");
        let fill = || {
            let index = Index::open(&path).expect("opens");
            index.add(&[(Hash([1; 32]), 3)], 4, Hash([2; 32])).expect("adds");
        };
        let knows = || Index::open(&path).expect("opens").state().expect("reads").0;
        fill();
        assert_eq!(knows(), 4);
        let (good, sum) =
            (fs::read(&path).expect("there"), fs::read(path.with_extension("sum")).expect("there"));
        let damaged = |at: usize| {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            bytes
        };
        let cases = [damaged(0), damaged(good.len() - 1), good[..good.len() / 2].to_vec(), vec![]];
        for bytes in cases {
            fs::write(&path, bytes).expect("writes");
            fs::write(path.with_extension("sum"), &sum).expect("writes");
            assert!(matches!(ReadIndex::open_to_read(&path), Err(IndexError::Disorder)));
            assert_eq!(knows(), 0);
        }
        fill();
        fs::remove_file(path.with_extension("sum")).expect("was there");
        assert_eq!(knows(), 0, "nobody says that it is in order");
        fill();
        fs::remove_file(&path).expect("was there");
        assert_eq!(knows(), 0);
    }

    #[test]
    fn whoever_comes_second_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("index.redb");
        let first = Index::open(&path).expect("opens");
        assert!(matches!(Index::open(&path), Err(IndexError::Held)));
        drop(first);
        let reader = ReadIndex::open_to_read(&path).expect("opens");
        assert!(matches!(Index::open(&path), Err(IndexError::Held)));
        drop(reader);
        assert!(Index::open(&path).is_ok());
    }

    #[test]
    fn the_first_entry_of_a_statement_counts() {
        let index = Index::in_memory().expect("memory");
        let id = Hash([1; 32]);
        index.add(&[(id, 3), (id, 9)], 10, Hash::default()).expect("adds");
        assert_eq!(index.find(&id).expect("reads"), Some(3));
        index.clear().expect("clears");
        assert_eq!(index.find(&id).expect("reads"), None);
    }
}
