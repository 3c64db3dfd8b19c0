//! The index of ids: private, and rebuilt from the log whenever it is missing or wrong.
//!
//! Maps a statement's id to the index of its entry, so that look-ups do not depend on the log's length. It is kept by
//! redb in one file; nothing in it is believed without reading the entry it points at.

use crate::hash::Hash;
use redb::{Database, Durability, ReadOnlyDatabase, ReadableDatabase, ReadableTable, TableDefinition};
use std::path::Path;

const IDS: TableDefinition<'_, [u8; 32], u64> = TableDefinition::new("ids");
const STATE: TableDefinition<'_, &str, (u64, [u8; 32])> = TableDefinition::new("state");

/// The index's file in a log's home.
pub const FILE: &str = "private/index.redb";

/// What the index may keep in memory, in bytes.
const CACHE: usize = 16 << 20;

/// How many matches of a shortened id are listed.
pub const MATCHES_MAX: usize = 16;

/// An index of ids, held by its one writer or by readers.
pub struct Index<D = Database>(D);

/// An index of ids that is read beside others who read it.
pub type ReadIndex = Index<ReadOnlyDatabase>;

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
        Self::prepare(Database::builder().set_cache_size(CACHE).create(path)?)
    }

    /// An index in memory.
    ///
    /// # Errors
    /// Never in practice.
    pub fn in_memory() -> Result<Self, IndexError> {
        let backend = redb::backends::InMemoryBackend::new();
        Self::prepare(Database::builder().set_cache_size(CACHE).create_with_backend(backend)?)
    }

    fn prepare(db: Database) -> Result<Self, IndexError> {
        let write = db.begin_write()?;
        write.open_table(IDS)?;
        write.open_table(STATE)?;
        write.commit()?;
        Ok(Self(db))
    }

    /// Adds entries' ids; the log has `size` entries now, the last with this leaf hash. Not waited for: a lost index is
    /// rebuilt.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&self, ids: &[(Hash, u64)], size: u64, leaf: Hash) -> Result<(), IndexError> {
        let mut write = self.0.begin_write()?;
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
        let write = self.0.begin_write()?;
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
        Ok(Self(ReadOnlyDatabase::open(path)?))
    }
}

impl<D: ReadableDatabase> Index<D> {
    /// How many entries are indexed, and the leaf hash of the last of them.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn state(&self) -> Result<(u64, Hash), IndexError> {
        let read = self.0.begin_read()?;
        let state = read.open_table(STATE)?.get("state")?.map(|v| v.value());
        Ok(state.map_or((0, Hash::default()), |(size, leaf)| (size, Hash(leaf))))
    }

    /// The index of the entry with this statement.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn find(&self, id: &Hash) -> Result<Option<u64>, IndexError> {
        Ok(self.0.begin_read()?.open_table(IDS)?.get(id.0)?.map(|v| v.value()))
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
        let table = self.0.begin_read()?.open_table(IDS)?;
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
    fn the_first_entry_of_a_statement_counts() {
        let index = Index::in_memory().expect("memory");
        let id = Hash([1; 32]);
        index.add(&[(id, 3), (id, 9)], 10, Hash::default()).expect("adds");
        assert_eq!(index.find(&id).expect("reads"), Some(3));
        index.clear().expect("clears");
        assert_eq!(index.find(&id).expect("reads"), None);
    }
}
