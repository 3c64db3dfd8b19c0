//! Reading files as objects, and a log's public part wherever it lies.
//!
//! `public/checkpoint` is the file `public/checkpoint` of a home, and the file `checkpoint` of a copy. Copies may come
//! from anyone: only a regular file within the caller's limit is read, and a pipe or a device in its place is refused
//! without waiting for what it might say.

use super::io_error;
use crate::store::{Attempt, Read, StoreError, check_name, check_size, size_of};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// A log's public part, for reading. Private objects are not there.
#[derive(Debug, Clone)]
pub struct PublicDir {
    root: PathBuf,
}

impl PublicDir {
    /// Opens a copy of a log's public part: object `public/checkpoint` is the file `checkpoint` in this folder.
    ///
    /// # Errors
    /// [`StoreError::NoLog`] if this is no folder; [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !is_folder(path, ".")? {
            return Err(StoreError::NoLog { path: path.to_owned() });
        }
        Ok(Self { root: std::path::absolute(path).map_err(io_error(Attempt::Read, "."))? })
    }

    /// Opens an object's file, for whoever gives it out piece by piece; its size goes with it. None where there is no object.
    ///
    /// # Errors
    /// [`StoreError::NotAnObject`], [`StoreError::BadName`], [`StoreError::Io`].
    pub fn file(&self, name: &str) -> Result<Option<(File, u64)>, StoreError> {
        check_name(name)?;
        let Some(path) = name.strip_prefix("public/") else { return Ok(None) };
        open_object(&self.root.join(path), name)
    }

    /// The folder that holds `checkpoint`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl Read for PublicDir {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        check_name(name)?;
        let Some(path) = name.strip_prefix("public/") else { return Ok(None) };
        read_object(&self.root.join(path), name, limit)
    }
}

/// Opens the public part of the log at a path for reading: a home, known by its folder `public`, or else a copy, known
/// by its file `checkpoint`.
///
/// # Errors
/// [`StoreError::NoLog`] if there is neither; [`StoreError::Io`].
pub fn open_any(path: &Path) -> Result<PublicDir, StoreError> {
    if is_folder(&path.join("public"), "public")? {
        PublicDir::open(&path.join("public"))
    } else if about(&path.join("checkpoint"), "checkpoint")?.is_some() {
        PublicDir::open(path)
    } else {
        Err(StoreError::NoLog { path: path.to_owned() })
    }
}

/// Reads a regular file whole.
pub(super) fn read_object(path: &Path, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let Some((file, size)) = open_object(path, name)? else { return Ok(None) };
    check_size(name, size, limit)?;
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
    // One byte more than allowed, in case the file has grown.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(io_error(Attempt::Read, name))?;
    check_size(name, size_of(&bytes), limit)?;
    Ok(Some(bytes))
}

/// Opens a regular file, and only that, without waiting for a pipe's other end; gives its size, too.
fn open_object(path: &Path, name: &str) -> Result<Option<(File, u64)>, StoreError> {
    let not_an_object = || StoreError::NotAnObject { name: name.to_owned() };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::io::retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())) {
        Ok(file) => File::from(file),
        // A link (POSIX; FreeBSD says the second), a socket.
        Err(Errno::LOOP | Errno::MLINK | Errno::NXIO) => {
            return Err(not_an_object());
        }
        Err(e) => {
            let e = io::Error::from(e);
            return if is_absence(&e) { Ok(None) } else { Err(io_error(Attempt::Read, name)(e)) };
        }
    };
    let about = file.metadata().map_err(io_error(Attempt::Read, name))?;
    if !about.is_file() {
        return Err(not_an_object());
    }
    Ok(Some((file, about.len())))
}

/// Whether there is a folder, be it behind a link.
pub(super) fn is_folder(path: &Path, name: &str) -> Result<bool, StoreError> {
    Ok(about(path, name)?.is_some_and(|about| about.is_dir()))
}

fn about(path: &Path, name: &str) -> Result<Option<Metadata>, StoreError> {
    match fs::metadata(path) {
        Ok(about) => Ok(Some(about)),
        Err(e) if is_absence(&e) => Ok(None),
        Err(e) => Err(io_error(Attempt::Read, name)(e)),
    }
}

/// There is nothing under a name, be it that what should be a folder on its way is a file.
pub(super) fn is_absence(e: &io::Error) -> bool {
    matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
