//! The index of ids: private, and rebuilt from the log whenever it is missing or wrong.
//!
//! Maps a statement's id to the index of its entry, so that look-ups do not depend on the log's length. It is kept by
//! redb in one file; nothing in it is believed without reading the entry it points at. redb takes a file that was changed
//! behind its back for its own, and panics, unless it may check all of it first, which takes time in proportion to its
//! length. So whoever closes it notes length and time of change beside it, in `index.stamp`, and it is checked whenever
//! they are not those: after a crash, after a restore, after a change.

use crate::hash::Hash;
use redb::TableDefinition;
use redb::backends::FileBackend;
use redb::{BackendError, Builder, Database, Durability, ReadableDatabase, ReadableTable, StorageBackend};
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

const IDS: TableDefinition<'_, [u8; 32], u64> = TableDefinition::new("ids");
const STATE: TableDefinition<'_, &str, (u64, [u8; 32])> = TableDefinition::new("state");

/// The index's file in a log's home.
pub const FILE: &str = "private/index.redb";

/// What the index may keep in memory, in bytes.
const CACHE: usize = 16 << 20;

/// How many matches of a shortened id are listed.
pub const MATCHES_MAX: usize = 16;

/// An index of ids, held by its one writer or by readers.
pub struct Index {
    /// None only while it is being closed.
    db: Option<Database>,
    /// The file that its writer stamps.
    file: Option<PathBuf>,
}

impl Drop for Index {
    fn drop(&mut self) {
        drop(self.db.take());
        // Without a stamp it is checked the next time.
        let stamp = self.file.as_ref().and_then(|file| Some((file, stamp(file)?)));
        let _ = stamp.map(|(file, stamp)| fs::write(stamp_file(file), stamp));
    }
}

fn stamp_file(file: &Path) -> PathBuf {
    file.with_extension("stamp")
}

/// Length and time of change of a file.
fn stamp(file: &Path) -> Option<String> {
    let about = fs::metadata(file).ok()?;
    Some(format!("{} {}.{:09}\n", about.len(), about.mtime(), about.mtime_nsec()))
}

/// Opens databases; one that is not as its writer left it is checked first, each page by its checksum.
fn builder(file: &Path) -> Builder {
    let left = fs::read_to_string(stamp_file(file)).ok();
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(left.is_none() || left != stamp(file));
    builder
}

/// The index cannot be used: rebuild it, or do without.
#[derive(Debug, thiserror::Error)]
#[error("the index of ids cannot be used: {0}")]
pub struct IndexError(Box<redb::Error>);

impl<E: Into<redb::Error>> From<E> for IndexError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

impl Index {
    /// Opens the index in a file, or makes an empty one.
    ///
    /// # Errors
    /// When the file is locked, damaged or cannot be written.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        Self::prepare(builder(path).create(path)?, Some(path.to_owned()))
    }

    /// An index in memory.
    ///
    /// # Errors
    /// Never in practice.
    pub fn in_memory() -> Result<Self, IndexError> {
        let backend = redb::backends::InMemoryBackend::new();
        Self::prepare(Database::builder().set_cache_size(CACHE).create_with_backend(backend)?, None)
    }

    /// Opens an index for reading beside others who read it, as its writer left it. Nothing is written to the file: what is
    /// added stays in memory.
    ///
    /// # Errors
    /// When there is none, a writer holds it, or it is damaged.
    pub fn open_to_read(path: &Path) -> Result<Self, IndexError> {
        let file = File::open(path).map_err(redb::Error::Io)?;
        let len = file.metadata().map_err(redb::Error::Io)?.len();
        let file = FileBackend::new(file)?;
        let backend = Unwritten { file, state: Mutex::new(Written { stored: len, len, writes: Vec::new() }) };
        Ok(Self { db: Some(builder(path).create_with_backend(backend)?), file: None })
    }

    fn prepare(db: Database, file: Option<PathBuf>) -> Result<Self, IndexError> {
        let write = db.begin_write()?;
        write.open_table(IDS)?;
        write.open_table(STATE)?;
        write.commit()?;
        Ok(Self { db: Some(db), file })
    }

    fn db(&self) -> &Database {
        self.db.as_ref().expect("it is open until it is dropped")
    }

    /// Adds entries' ids; the log has `size` entries now, the last with this leaf hash. Not waited for: a lost index is
    /// rebuilt.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&self, ids: &[(Hash, u64)], size: u64, leaf: Hash) -> Result<(), IndexError> {
        let mut write = self.db().begin_write()?;
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
        let write = self.db().begin_write()?;
        write.delete_table(IDS)?;
        write.delete_table(STATE)?;
        write.open_table(IDS)?;
        write.open_table(STATE)?;
        Ok(write.commit()?)
    }

    /// How many entries are indexed, and the leaf hash of the last of them.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn state(&self) -> Result<(u64, Hash), IndexError> {
        let read = self.db().begin_read()?;
        let state = read.open_table(STATE)?.get("state")?.map(|v| v.value());
        Ok(state.map_or((0, Hash::default()), |(size, leaf)| (size, Hash(leaf))))
    }

    /// The index of the entry with this statement.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn find(&self, id: &Hash) -> Result<Option<u64>, IndexError> {
        Ok(self.db().begin_read()?.open_table(IDS)?.get(id.0)?.map(|v| v.value()))
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
        let table = self.db().begin_read()?.open_table(IDS)?;
        let matches = table.range(from..=to)?.take(MATCHES_MAX);
        matches
            .map(|m| m.map(|(id, index)| (Hash(id.value()), index.value())).map_err(IndexError::from))
            .collect()
    }
}

/// A file that is read, and what was written over it in memory: checking a database means to write to it.
#[derive(Debug)]
struct Unwritten {
    file: FileBackend,
    state: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    /// The file's length.
    stored: u64,
    /// The length as it would be.
    len: u64,
    /// Where what was written, in this order: a few pages.
    writes: Vec<(u64, Vec<u8>)>,
}

impl Unwritten {
    fn state(&self) -> MutexGuard<'_, Written> {
        self.state.lock().expect("nothing panics while it holds this")
    }
}

impl StorageBackend for Unwritten {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let there = usize::try_from(state.stored.saturating_sub(offset)).unwrap_or(usize::MAX).min(out.len());
        let (from_file, beyond) = out.split_at_mut(there);
        self.file.read(offset, from_file)?;
        beyond.fill(0);
        let within = |at: u64| usize::try_from(at - offset).expect("within what is read");
        let end = offset + u64::try_from(out.len()).expect("fits");
        for (at, bytes) in &state.writes {
            let (from, to) = (offset.max(*at), end.min(at + u64::try_from(bytes.len()).expect("fits")));
            if from < to {
                let skip = usize::try_from(from - at).expect("within what was written");
                let (from, to) = (within(from), within(to));
                out[from..to].copy_from_slice(&bytes[skip..skip + to - from]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        (state.len, state.stored) = (len, state.stored.min(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.state().writes.push((offset, data.to_vec()));
        Ok(())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        // Whoever only reads shares the file with all who do.
        self.file.try_lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
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
        assert!(Index::open_to_read(&path).is_err() && !path.exists());
        let index = Index::open(&path).expect("opens");
        index.add(&[(Hash([1; 32]), 3)], 4, Hash([2; 32])).expect("adds");
        assert!(Index::open_to_read(&path).is_err(), "the writer holds it");
        drop(index);
        let (one, two) = (Index::open_to_read(&path), Index::open_to_read(&path));
        assert_eq!(one.expect("opens").find(&Hash([1; 32])).expect("reads"), Some(3));
        assert_eq!(two.expect("opens").state().expect("reads"), (4, Hash([2; 32])));
    }

    #[test]
    fn what_is_not_as_its_writer_left_it_is_checked_and_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("index.redb");
        let index = Index::open(&path).expect("opens");
        let ids: Vec<_> = (0..1000).map(|n: u64| (crate::hash::sha256(&n.to_le_bytes()), n)).collect();
        index.add(&ids, 1000, Hash([2; 32])).expect("adds");
        drop(index);
        assert_eq!(fs::read_to_string(stamp_file(&path)).ok(), stamp(&path));
        assert!(Index::open(&path).is_ok());
        let good = fs::read(&path).expect("reads");
        for at in (0..good.len()).step_by(good.len() / 40) {
            let mut bad = good.clone();
            bad[at..].iter_mut().take(64).for_each(|byte| *byte = !*byte);
            fs::write(&path, bad).expect("writes");
            // Refused, or what was changed is in no use.
            if let Ok(index) = Index::open_to_read(&path) {
                assert_eq!(index.find(&ids[500].0).expect("reads"), Some(500), "{at}");
            }
        }
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
