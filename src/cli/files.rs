//! Files that verbs read and write whole: read up to a limit, written once and never over another.

use super::problem::{Hint, Problem};
use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

/// Mode of files for all to read.
pub const PUBLIC: u32 = 0o644;

/// Mode of files for their owner alone.
pub const SECRET: u32 = 0o600;

/// Mode of folders that are made for keys.
const KEY_FOLDER: u32 = 0o700;

/// What to do where the system cannot read what is there.
pub const UNREAD: &str =
    "is its medium all right? this says nothing about the log: try again, or read another copy";

/// Reads a file, and of one longer than the limit one byte more.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// When it is not there, too long, or cannot be read.
pub fn read_whole(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let bytes = read(path, limit).map_err(|e| unreadable(path, &e))?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len <= limit) {
        return Ok(bytes);
    }
    Err(Problem::new(format!("{} has more than {limit} bytes, too many for such a file", path.display()))
        .into())
}

/// Says why a path cannot be read, and what to do.
pub fn unreadable(path: &Path, error: &io::Error) -> anyhow::Error {
    let shown = path.display();
    let problem = match error.kind() {
        ErrorKind::NotFound => {
            Problem::new(format!("there is nothing at {shown}")).hint("look for a typing error")
        }
        ErrorKind::PermissionDenied => {
            Problem::new(format!("no permission to read {shown}")).hint("ask its owner")
        }
        ErrorKind::IsADirectory => {
            Problem::new(format!("{shown} is a directory")).hint("give one of the files in it")
        }
        _ => Problem::new(format!("could not read {shown}: {error}")).hint(UNREAD),
    };
    problem.into()
}

/// Refuses a path that is taken.
pub fn must_be_free(path: &Path) -> anyhow::Result<()> {
    // A link that leads nowhere is taken as well.
    match path.symlink_metadata() {
        Ok(_) => Err(taken(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => {
            let problem = Problem::new(format!("{} cannot be written", path.display())).because(error);
            Err(problem.hint("check the folder's permissions, or name another path").into())
        }
    }
}

/// Writes a new file, whole or not at all, durable; makes the folder for it where there is none.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    match try_write_new(path, bytes, mode) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(taken(path)),
        done => done.or_hint(
            || format!("{} cannot be written", path.display()),
            || "check the folder's permissions, or name another path".to_owned(),
        ),
    }
}

/// Writes a new file; one that is there with the same bytes is fine.
pub fn write_once(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let limit = u64::try_from(bytes.len()).expect("fits");
    if path.is_file() && read(path, limit).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    write_new(path, bytes, mode)
}

fn try_write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(KEY_FOLDER).create(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    // By a hard link, which never takes another's place.
    file.persist_noclobber(path).map_err(|refused| refused.error)?;
    File::open(folder)?.sync_all()
}

/// Writes a file whole, in the place of the one before. Not waited for: it is written again before long.
#[cfg(feature = "net")]
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.as_file().set_permissions(Permissions::from_mode(PUBLIC))?;
    file.write_all(bytes)?;
    file.persist(path).map(|_| ()).map_err(|refused| refused.error)
}

fn taken(path: &Path) -> anyhow::Error {
    Problem::new(format!("{} is there already; nothing was overwritten", path.display()))
        .hint("name another path, or move that file away first")
        .into()
}
