//! Waiting until bytes and names are on the medium.
//!
//! Few files and folders are waited for with one fsync each; many with one syncfs, which is faster by far but waits for
//! whatever else is being written to that file system. From Linux 5.8 on, syncfs reports bytes that were lost since its
//! handle was opened, so that is opened before anything is written. Other systems have no syncfs: one fsync each.
//!
//! Whatever fails here is not tried again on the same file: the system may have dropped the bytes that it could not
//! write, and report success the next time.

use super::io_error;
use crate::store::{Attempt, StoreError};
use std::fs::File;
use std::io;
use std::path::Path;

/// Up to this many files and folders are waited for one by one.
const MAX_SINGLE_SYNCS: usize = 4;

/// Waits for what is written after it was opened. While it is open, nobody cleans up in that folder.
pub(super) struct Waiting {
    filesystem: File,
}

impl Waiting {
    /// Opens it by the folder that is written to first.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let filesystem = File::open(folder).map_err(io_error(Attempt::Write, "private/tmp"))?;
        // The system lets go of it with the file. Where folders cannot be locked, they are never cleaned up either.
        while filesystem.lock_shared().is_err_and(|e| e.kind() == io::ErrorKind::Interrupted) {}
        Ok(Self { filesystem })
    }

    /// Runs `clean` while nobody writes to a folder; none where somebody does, or it cannot be told.
    pub(super) fn while_idle<T>(folder: &Path, clean: impl FnOnce() -> T) -> Option<T> {
        let folder = File::open(folder).ok()?;
        folder.try_lock().ok()?;
        Some(clean())
    }

    /// Whether to wait for this many files with [`Waiting::for_all`] rather than with [`sync`] for each.
    pub(super) fn at_once(files: usize) -> bool {
        cfg!(target_os = "linux") && files > MAX_SINGLE_SYNCS
    }

    /// Waits until all that was written to the file system is on the medium.
    pub(super) fn for_all(&self) -> Result<(), StoreError> {
        sync_all(&self.filesystem).map_err(io_error(Attempt::MakeDurable, "."))
    }
}

/// Waits until a file's bytes, or a folder's names, are on the medium.
pub(super) fn sync(path: &Path, name: &str) -> Result<(), StoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(io_error(Attempt::MakeDurable, name))
}

#[cfg(target_os = "linux")]
fn sync_all(filesystem: &File) -> io::Result<()> {
    Ok(rustix::io::retry_on_intr(|| rustix::fs::syncfs(filesystem))?)
}

#[cfg(not(target_os = "linux"))]
fn sync_all(_: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
