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

/// Waits for what is written after it was opened.
pub(super) struct Waiting {
    filesystem: File,
}

impl Waiting {
    /// Opens it by any folder of the file system.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { filesystem: File::open(folder).map_err(io_error(Attempt::MakeDurable, "."))? })
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
