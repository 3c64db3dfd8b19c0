//! Copies of full tiles and bundles on disk, in front of a store that is far away.
//!
//! A copy is kept only of what was proven under a trusted root ([`Read::proven`]), and given out only while its SHA-256,
//! which stands before its bytes, is right. So neither a server nor a damaged disk can put into it what then looks like
//! tampering by somebody else. Full tiles and bundles never change; nothing else is kept.
//!
//! Whoever reads through copies must have made sure first that the history is the one that the copies are of; and whoever
//! asks whether a server gives the right bytes does not read through copies.

use super::dir::PublicDir;
use super::{Read, StoreError, check_name, size_of};
use crate::hash::{Hash, sha256};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The most bytes of copies that are kept in a folder; what comes then is read from afar again.
pub const MAX_KEPT: u64 = 1 << 30;

/// The bytes of a SHA-256.
const DIGEST_LEN: u64 = 32;

/// A store with copies in front of it.
#[derive(Debug)]
pub struct Cached<R> {
    source: R,
    folder: PathBuf,
    limit: u64,
    /// The bytes that lie in the folder; none until something is to be kept.
    kept: Mutex<Option<u64>>,
}

impl<R> Cached<R> {
    /// Reads from `source`, and keeps copies in a folder, which need not be there.
    pub fn new(source: R, folder: PathBuf) -> Self {
        Self { source, folder, limit: MAX_KEPT, kept: Mutex::new(None) }
    }

    /// The copy of an object, if it is there and whole.
    fn copy(&self, name: &str, limit: u64) -> Option<Vec<u8>> {
        let folder = PublicDir::open(&self.folder).ok()?;
        let mut bytes = folder.get(name, limit.saturating_add(DIGEST_LEN)).ok()??;
        let (digest, content) = bytes.split_first_chunk()?;
        if sha256(content) != Hash(*digest) {
            return None;
        }
        bytes.drain(..digest.len());
        Some(bytes)
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.folder.join(name.strip_prefix("public/").unwrap_or(name));
        let size = size_of(bytes);
        let mut kept = self.kept.lock().expect("nothing panics while it holds this");
        let before = kept.unwrap_or_else(|| size_below(&self.folder));
        *kept = Some(before);
        if path.exists() || before.saturating_add(size) > self.limit {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(parent)?;
        let mut file = tempfile::NamedTempFile::new_in(parent)?;
        file.write_all(&sha256(bytes).0)?;
        file.write_all(bytes)?;
        // Not waited for: a copy that a crash tears is not given out.
        file.persist(&path)?;
        *kept = Some(before.saturating_add(size));
        Ok(())
    }
}

impl<R: Read> Read for Cached<R> {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        check_name(name)?;
        match never_changes(name).then(|| self.copy(name, limit)).flatten() {
            Some(copy) => Ok(Some(copy)),
            None => self.source.get(name, limit),
        }
    }

    fn proven(&self, name: &str, bytes: &[u8]) {
        if check_name(name).is_ok() && never_changes(name) {
            // Without a copy the next reading is slower, nothing else.
            let _ = self.keep(name, bytes);
        }
    }

    fn at_once(&self) -> usize {
        self.source.at_once()
    }
}

/// Whether an object is a full tile or bundle.
fn never_changes(name: &str) -> bool {
    let path = name.strip_prefix("public/").and_then(|path| path.parse().ok());
    path.is_some_and(|path: crate::merkle::tile::TilePath| path.is_full())
}

/// The bytes of all files below a folder, as far as they can be told.
fn size_below(folder: &Path) -> u64 {
    let (mut open, mut sum) = (vec![folder.to_owned()], 0_u64);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(about) if about.is_dir() => open.push(entry.path()),
                Ok(about) => sum = sum.saturating_add(about.len()),
                Err(_) => {}
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store as _;
    use crate::store::memory::Memory;

    const TILE: &str = "public/tile/0/x001/000";

    fn cached(folder: &Path, limit: u64) -> (Memory, Cached<Memory>) {
        let far = Memory::new();
        let near = Cached { limit, ..Cached::new(far.reopen(), folder.join("objects")) };
        (far, near)
    }

    fn put(store: &Memory, name: &str, bytes: &[u8]) {
        store.put_all(&[(name.to_owned(), bytes.to_vec())]).unwrap();
    }

    #[test]
    fn what_was_proven_is_given_from_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (far, near) = cached(folder.path(), MAX_KEPT);
        put(&far, TILE, b"hashes");
        assert_eq!(near.get(TILE, 6).unwrap().unwrap(), b"hashes");
        far.delete(TILE).unwrap();
        assert_eq!(near.get(TILE, 6).unwrap(), None, "nothing is kept that was not proven");
        near.proven(TILE, b"hashes");
        assert_eq!(near.get(TILE, 6).unwrap().unwrap(), b"hashes");
        let again = Cached::new(far, folder.path().join("objects"));
        assert_eq!(again.get(TILE, 6).unwrap().unwrap(), b"hashes");
        assert_eq!(again.get(TILE, 5).unwrap(), None, "a copy that is longer than the caller takes is none");
    }

    #[test]
    fn only_what_never_changes_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (_, near) = cached(folder.path(), MAX_KEPT);
        for name in ["public/checkpoint", "public/tile/0/000.p/7", "public/charter.toml", "private/commit"] {
            near.proven(name, b"bytes");
            assert_eq!(near.get(name, 9).unwrap(), None, "{name}");
        }
        for name in ["public/tile/entries/000", "public/tile/63/000"] {
            near.proven(name, b"bytes");
            assert!(near.get(name, 9).unwrap().is_some(), "{name}");
        }
    }

    #[test]
    fn a_damaged_copy_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let (far, near) = cached(folder.path(), MAX_KEPT);
        put(&far, TILE, b"hashes");
        near.proven(TILE, b"hashes");
        let path = folder.path().join("objects/tile/0/x001/000");
        let good = fs::read(&path).unwrap();
        far.delete(TILE).unwrap();
        for bad in [&good[..good.len() - 1], &good[..31], &[&good[..], b"!"].concat(), &[good[0] ^ 1; 38]] {
            fs::write(&path, bad).unwrap();
            assert_eq!(near.get(TILE, 99).unwrap(), None);
        }
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let (_, near) = cached(folder.path(), 10);
        near.proven("public/tile/0/000", b"12345");
        near.proven("public/tile/0/001", b"123456");
        near.proven("public/tile/0/002", b"12345");
        let there = |name: &str| near.get(name, 99).unwrap().is_some();
        assert!(there("public/tile/0/000") && !there("public/tile/0/001") && there("public/tile/0/002"));
        let (_, again) = cached(folder.path(), 10);
        again.proven("public/tile/0/003", b"1");
        assert_eq!(again.get("public/tile/0/003", 99).unwrap(), None, "what lay there before counts");
    }
}
