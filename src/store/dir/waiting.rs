//! Waiting until bytes and names are on the medium.
//!
//! Few files and folders are waited for with one fsync each, side by side, since a disk that takes one takes several in
//! the same time; many with one syncfs, which waits for whatever else is being written to that file system. From Linux 5.8
//! on, syncfs reports bytes that were lost since its handle was opened, so that is opened before anything is written. Other
//! systems have no syncfs: one fsync each.
//!
//! Whatever fails here is not tried again on the same file: the system may have dropped the bytes that it could not
//! write, and report success the next time.

use super::io_error;
use crate::store::{Attempt, StoreError};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::LazyLock;

/// Up to this many files and folders are waited for singly, side by side.
const MAX_SINGLE_SYNCS: usize = 12;

/// How many files and folders are waited for at the same time.
const THREADS_MAX: usize = 4;

/// The stack of a thread that only waits, in bytes.
const STACK: usize = 256 << 10;

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

    /// Whether to wait for this many files with [`Waiting::for_all`] rather than for each ([`side_by_side`]).
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

/// Runs `wait` for each of these at the same time; gives the first of their failures.
pub(super) fn side_by_side<T: Sync>(
    all: &[T],
    wait: impl Fn(&T) -> Result<(), StoreError> + Sync,
) -> Result<(), StoreError> {
    // They sleep more than they work: threads of their own, which whoever computes does not miss.
    static THREADS: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
        let named = ThreadPoolBuilder::new().thread_name(|_| "waiting".to_owned());
        named.num_threads(THREADS_MAX).stack_size(STACK).build().ok()
    });
    match &*THREADS {
        Some(threads) if all.len() > 1 => {
            let done: Vec<_> = threads.install(|| all.par_iter().with_max_len(1).map(&wait).collect());
            done.into_iter().collect()
        }
        // Where the system gives no threads, one waits after the other.
        _ => all.iter().try_for_each(wait),
    }
}

#[cfg(target_os = "linux")]
fn sync_all(filesystem: &File) -> io::Result<()> {
    Ok(rustix::io::retry_on_intr(|| rustix::fs::syncfs(filesystem))?)
}

#[cfg(not(target_os = "linux"))]
fn sync_all(_: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
