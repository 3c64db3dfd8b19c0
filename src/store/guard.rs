//! The guard file: the last signed head on a second medium, so that a restored backup is noticed.
//!
//! One line, "size root\n", in decimal and hexadecimal; written to a file beside it, waited for, and renamed.

use super::{Attempt, StoreError};
use crate::hash::Hash;
use crate::text::decimal_u64;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Keeps the last signed head on a second medium, so that a restored backup is noticed.
pub trait Guard: Send {
    /// Size and root last signed, or none yet.
    ///
    /// # Errors
    /// When it cannot be read: then nothing is signed.
    fn last(&self) -> Result<Option<(u64, Hash)>, StoreError>;

    /// Keeps a head, durably, before it is signed.
    ///
    /// # Errors
    /// When it cannot be kept: then nothing is signed.
    fn keep(&self, size: u64, root: Hash) -> Result<(), StoreError>;
}

/// A guard in a file.
#[derive(Debug)]
pub struct FileGuard(PathBuf);

impl FileGuard {
    /// The guard in this file, which need not be there yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    fn error(&self, attempt: Attempt) -> impl FnOnce(io::Error) -> StoreError {
        let name = self.0.display().to_string();
        move |source| StoreError::Io { attempt, name, source }
    }
}

impl Guard for FileGuard {
    fn last(&self) -> Result<Option<(u64, Hash)>, StoreError> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(self.error(Attempt::Read)(e)),
        };
        let head = text.strip_suffix('\n').and_then(|line| line.split_once(' '));
        let head = head.and_then(|(size, root)| Some((decimal_u64(size)?, root.parse().ok()?)));
        match head {
            Some(head) => Ok(Some(head)),
            None => {
                Err(self.error(Attempt::Read)(io::Error::new(ErrorKind::InvalidData, "not a guard file")))
            }
        }
    }

    fn keep(&self, size: u64, root: Hash) -> Result<(), StoreError> {
        let keep = || {
            let folder = self.0.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            writeln!(file, "{size} {root}")?;
            file.as_file().sync_all()?;
            file.persist(&self.0)?;
            File::open(folder)?.sync_all()
        };
        keep().map_err(self.error(Attempt::Write))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_reads_back_and_refuses_what_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("guard");
        let guard = FileGuard::new(&path);
        assert_eq!(guard.last().expect("none yet"), None);
        guard.keep(7, Hash([3; 32])).expect("kept");
        assert_eq!(guard.last().expect("reads"), Some((7, Hash([3; 32]))));
        fs::write(&path, "07 00\n").expect("writes");
        assert!(guard.last().is_err());
    }
}
