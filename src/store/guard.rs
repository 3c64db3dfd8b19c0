//! The guard file: the head that was last signed, on a second medium.
//!
//! One line, size and root; empty until the first signature:
//!
//! ```text
//! 15 aca6c38a90af86e5f5199ed9e4104179eb0073a05ba6bedafd64938dbbfcddcb
//! ```
//!
//! A log without witnesses has nothing outside that remembers what it signed; should a backup of its storage be restored,
//! this file does, and the writer refuses to sign a fork. So it must lie on another medium, and be no part of that
//! backup. A guard file that is missing is an error, never a reason to begin a new one: the medium may not be mounted.

use super::{Attempt, StoreError};
use crate::hash::Hash;
use crate::text::decimal_u64;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The longest guard file: the greatest size, a blank, a root and the line's end.
pub const MAX_GUARD: usize = 20 + 1 + 64 + 1;

/// Keeps the last signed head on a second medium, so that a restored backup is noticed.
pub trait Guard: Send {
    /// Size and root last signed, or none yet.
    ///
    /// # Errors
    /// When it cannot be read: then nothing is signed.
    fn last(&self) -> Result<Option<(u64, Hash)>, StoreError>;

    /// Keeps a head, durably, before it is signed. What is kept never goes back, whoever else keeps heads here at the same
    /// moment: a writer that slept must not make this forget what the next one signed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a greater size, or another root of this size, is kept; else when it cannot be kept.
    /// Then nothing is signed.
    fn keep(&self, size: u64, root: Hash) -> Result<(), StoreError>;
}

/// A guard file in a directory.
#[derive(Debug)]
pub struct GuardFile(PathBuf);

impl GuardFile {
    /// Begins a guard file for a log that has signed nothing yet; one that is there and empty is fine, so that founding
    /// may be interrupted.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the file is there and has a head in it; [`StoreError::Io`].
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let guard = Self(path.to_owned());
        if !fs::exists(path).map_err(guard.error(Attempt::Read))? {
            let made = guard.write(b"", |file| file.persist_noclobber(path).map_err(|refused| refused.error));
            match made {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map_err(guard.error(Attempt::Write)).map(|()| guard),
            }
        }
        if guard.last()?.is_some() { Err(StoreError::Conflict { name: guard.name() }) } else { Ok(guard) }
    }

    /// Opens the guard file of a log.
    ///
    /// # Errors
    /// [`StoreError`], if it is not there, or not readable as one.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let guard = Self(path.to_owned());
        guard.last()?;
        Ok(guard)
    }

    fn write(
        &self,
        line: &[u8],
        place: impl FnOnce(tempfile::NamedTempFile) -> io::Result<File>,
    ) -> io::Result<()> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // One name for all: what a crash leaves behind is replaced, and does not pile up on the second medium.
        let mut new = self.0.file_name().unwrap_or_default().to_owned();
        new.push(".new");
        match fs::remove_file(folder.join(&new)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = tempfile::Builder::new().prefix(&new).rand_bytes(0).tempfile_in(folder)?;
        file.write_all(line)?;
        file.as_file().sync_all()?;
        place(file)?;
        File::open(folder)?.sync_all()
    }

    /// Waits until nobody else is keeping a head in this file; until it is closed, nobody does.
    fn lock(&self) -> io::Result<File> {
        loop {
            // For writing, since some network file systems lock no other.
            let file = OpenOptions::new().read(true).write(true).open(&self.0)?;
            while let Err(error) = file.lock() {
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
            let (held, there) = (file.metadata()?, fs::metadata(&self.0)?);
            // Whoever held it before has put another file in its place.
            if (held.dev(), held.ino()) == (there.dev(), there.ino()) {
                return Ok(file);
            }
        }
    }

    fn name(&self) -> String {
        self.0.display().to_string()
    }

    fn error(&self, attempt: Attempt) -> impl Fn(io::Error) -> StoreError {
        let name = self.name();
        move |source| StoreError::Io { attempt, name: name.clone(), source }
    }
}

impl Guard for GuardFile {
    fn last(&self) -> Result<Option<(u64, Hash)>, StoreError> {
        let mut text = String::new();
        let limit = MAX_GUARD as u64 + 1;
        File::open(&self.0)
            .and_then(|file| file.take(limit).read_to_string(&mut text))
            .map_err(self.error(Attempt::Read))?;
        if text.is_empty() {
            return Ok(None);
        }
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "not a guard file: want size and root");
        parse(&text).map(Some).ok_or_else(|| self.error(Attempt::Read)(damaged()))
    }

    fn keep(&self, size: u64, root: Hash) -> Result<(), StoreError> {
        // Not where the file has gone: then the medium may have, and what lies below is another.
        let _held = self.lock().map_err(self.error(Attempt::Lock))?;
        match self.last()? {
            Some((kept, other)) if kept > size || (kept == size && other != root) => {
                return Err(StoreError::Conflict { name: self.name() });
            }
            Some((kept, _)) if kept == size => return Ok(()),
            _ => {}
        }
        let line = format!("{size} {root}\n");
        self.write(line.as_bytes(), |file| file.persist(&self.0).map_err(|refused| refused.error))
            .map_err(self.error(Attempt::Write))
    }
}

fn parse(text: &str) -> Option<(u64, Hash)> {
    let (size, root) = text.strip_suffix('\n')?.split_once(' ')?;
    Some((decimal_u64(size)?, root.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn what_is_kept_is_read_back_by_whoever_opens_it() {
        let folder = folder();
        let path = folder.path().join("guard");
        let guard = GuardFile::create(&path).unwrap();
        assert_eq!(guard.last().unwrap(), None);
        for (size, root) in [(1, Hash([1; 32])), (u64::MAX, Hash([0xff; 32]))] {
            guard.keep(size, root).unwrap();
            assert_eq!(GuardFile::open(&path).unwrap().last().unwrap(), Some((size, root)));
        }
        assert_eq!(fs::read(&path).unwrap().len(), MAX_GUARD);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left over");
    }

    #[test]
    fn what_is_kept_never_goes_back() {
        let folder = folder();
        let path = folder.path().join("guard");
        let guard = GuardFile::create(&path).unwrap();
        let roots = [1, 2].map(|n| Hash([n; 32]));
        guard.keep(10, roots[0]).unwrap();
        for (size, root) in [(9, roots[0]), (0, roots[0]), (10, roots[1])] {
            assert!(matches!(guard.keep(size, root), Err(StoreError::Conflict { .. })));
            assert_eq!(guard.last().unwrap(), Some((10, roots[0])));
        }
        guard.keep(10, roots[0]).unwrap();
        // Many at once: the greatest stays.
        std::thread::scope(|scope| {
            for n in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for size in (11 + n..60).step_by(4) {
                        // One that was overtaken is refused.
                        let _ = GuardFile::open(path).unwrap().keep(size, roots[0]);
                    }
                });
            }
        });
        assert_eq!(guard.last().unwrap(), Some((59, roots[0])));
    }

    #[test]
    fn what_a_crash_leaves_behind_does_not_pile_up() {
        let folder = folder();
        let path = folder.path().join("guard");
        fs::write(folder.path().join("guard.new"), "9").unwrap();
        let guard = GuardFile::create(&path).unwrap();
        fs::write(folder.path().join("guard.new"), "99 torn").unwrap();
        guard.keep(1, Hash([1; 32])).unwrap();
        assert_eq!(guard.last().unwrap(), Some((1, Hash([1; 32]))));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_guard_file_is_never_begun_anew() {
        let folder = folder();
        let path = folder.path().join("guard");
        assert!(matches!(GuardFile::open(&path), Err(StoreError::Io { .. })));
        let guard = GuardFile::create(&path).unwrap();
        assert!(GuardFile::create(&path).is_ok());
        guard.keep(1, Hash([1; 32])).unwrap();
        assert!(matches!(GuardFile::create(&path), Err(StoreError::Conflict { .. })));
        fs::remove_file(&path).unwrap();
        assert!(guard.keep(1, Hash([1; 32])).is_err() && !path.exists());
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let folder = folder();
        let path = folder.path().join("guard");
        let good = format!("15 {}\n", Hash([7; 32]));
        fs::write(&path, &good).unwrap();
        assert!(GuardFile::open(&path).is_ok());
        for bad in [&good[..good.len() - 1], &format!("0{good}"), &format!("{good}\n"), " ", "15", "15\n"] {
            fs::write(&path, bad).unwrap();
            assert!(GuardFile::open(&path).is_err(), "{bad:?}");
        }
    }
}
