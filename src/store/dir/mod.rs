//! A store in a directory: a log's home, and copies of its public part.
//!
//! A [`Dir`] is a home: object `public/tile/0/000` is the file of that path, and so for every name. [`PublicDir`] reads
//! what was copied or mirrored from the home's `public`, at any place. For Unix; tuned for Linux.
//!
//! ```text
//! paris/                      the home; --log names it
//!   public/            0755   served and copied as it stands; objects are 0644
//!     checkpoint              swapped
//!     tile/0/000 …            put
//!   private/           0700   objects are 0600
//!     commit …
//!     lock                    held while an object is swapped
//!     tmp/                    written, not yet named; what is here counts for nothing
//! ```
//!
//! All of it lies on one file system that has hard links, and is written from one machine. An object is a regular file
//! and nothing else: a link, a folder or a pipe in its place is refused, unread. Folders on the way may be links for
//! whoever reads; below `public` and `private` the writer makes its own.
//!
//! **Putting** goes through four phases, so that a name never holds part of an object. A crash of the process leaves
//! what the system calls have done; a power cut, in addition, any subset of what was not waited for.
//!
//! 1. *Write* every object to a file of its own in `private/tmp`, and wait until the bytes are on the medium (how:
//!    `waiting`). Crash: no name was given; the files are left over, torn or whole; [`Dir::open`] removes them.
//! 2. *Link* each file to its name. A link is refused where the name is taken, and what is there is compared. Folders
//!    are made on the way. Crash: some names are given, in any combination; whichever survive hold whole objects.
//! 3. *Wait* for the names: the files' folders, and every folder above that may be new. What was found in phase 2
//!    is waited for likewise, bytes and names, since whoever put it may have died before its own phase 3. Crash: as in 2.
//! 4. *Unlink* the first names in `private/tmp`, not before, lest a file system that reorders should keep the
//!    unlinking and lose the link. Crash: left-overs, as in 1.
//!
//! Where an error ends it early, phase 4 is all that follows. Nothing is retried: once waiting for a file has failed,
//! the system may have dropped its bytes and report success the next time; so that file is given up, and another call
//! writes a new one.
//!
//! **Swapping** holds `private/lock`, reads, compares, writes the new bytes as in phase 1, renames the file over the old
//! one, and waits for the folder. Crash before the rename: the old bytes. Crash after it: the new ones. Power cut before
//! the wait is over: either. The system lets go of the lock when a process dies. A process that is stopped while it
//! holds the lock makes others wait; it cannot make them lose an update.

mod public;
mod waiting;

pub use public::{PublicDir, open_any};

use super::{
    Attempt, MAX_SWAP_BYTES, Read, Store, StoreError, Swap, check_folder, check_name, check_size, size_of,
};
use public::{is_absence, is_folder, read_object};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use tempfile::{NamedTempFile, TempPath};
use waiting::{Waiting, side_by_side, sync};

/// How often a link is tried anew because its folder was removed in between (see [`Store::delete`]).
const MAX_LINK_TRIES: usize = 8;

/// A log's home, opened for writing.
#[derive(Debug)]
pub struct Dir {
    home: PathBuf,
    /// Folders whose names are known to be durable, as are those of the folders above; but for those that were removed since.
    durable_folders: Mutex<BTreeSet<String>>,
}

impl Dir {
    /// Opens a home that is there, and removes what crashed writers left over in `private/tmp`, unless one is at work there.
    ///
    /// # Errors
    /// [`StoreError::NoHome`] if the path lacks one of the folders `public` and `private`; [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let home = std::path::absolute(path).map_err(io_error(Attempt::Read, "."))?;
        if !is_folder(&home.join("public"), "public")? || !is_folder(&home.join("private"), "private")? {
            return Err(StoreError::NoHome { path: path.to_owned() });
        }
        make_folder(&home.join("private/tmp"), 0o700)
            .map_err(io_error(Attempt::MakeFolder, "private/tmp"))?;
        let dir = Self { home, durable_folders: Mutex::default() };
        dir.clean_temp();
        Ok(dir)
    }

    /// Makes a home, durable, and opens it. What is there already stays as it is, so that making it may be interrupted.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let home = std::path::absolute(path).map_err(io_error(Attempt::Read, "."))?;
        let missing: Vec<_> = home.ancestors().take_while(|folder| !folder.exists()).collect();
        for folder in missing.iter().rev() {
            make_folder(folder, 0o755).map_err(io_error(Attempt::MakeFolder, "."))?;
        }
        for (name, mode) in [("public", 0o755), ("private", 0o700)] {
            make_folder(&home.join(name), mode).map_err(io_error(Attempt::MakeFolder, name))?;
        }
        // The home's own name too, even if it was there: an earlier attempt may have got no further.
        let made = missing.into_iter().chain([home.as_path()]);
        for folder in made.clone().chain(made.filter_map(Path::parent)).collect::<BTreeSet<_>>() {
            sync(folder, ".")?;
        }
        Self::open(&home)
    }

    /// Removes what crashed writers left over. Everyone who puts or swaps holds the folder's lock meanwhile, shared, so
    /// whatever is there when nobody does counts for nothing. Returns how many files went; one that stays harms nobody.
    fn clean_temp(&self) -> usize {
        let remove_all = || {
            let left = fs::read_dir(self.temp()).into_iter().flatten().flatten();
            left.filter(|entry| fs::remove_file(entry.path()).is_ok()).count()
        };
        Waiting::while_idle(&self.temp(), remove_all).unwrap_or(0)
    }

    fn temp(&self) -> PathBuf {
        self.home.join("private/tmp")
    }

    /// Writes an object's bytes to a file that has no name yet but a passing one.
    fn write_temp(&self, name: &str, bytes: &[u8]) -> Result<NamedTempFile, StoreError> {
        // Never the same name again, in whatever process: else one that sleeps could link another's bytes.
        let mut file = tempfile::Builder::new()
            .prefix("")
            .rand_bytes(20)
            .tempfile_in(self.temp())
            .map_err(io_error(Attempt::Write, name))?;
        file.write_all(bytes).map_err(io_error(Attempt::Write, name))?;
        if name.starts_with("public/") {
            let readable = Permissions::from_mode(0o644);
            file.as_file().set_permissions(readable).map_err(io_error(Attempt::Write, name))?;
        }
        Ok(file)
    }

    /// Phase 1 for all objects.
    fn write_all(&self, objects: &[(String, Vec<u8>)], wait: &Waiting) -> Result<Vec<TempPath>, StoreError> {
        let many = Waiting::at_once(objects.len());
        let (mut temps, mut files) = (Vec::with_capacity(objects.len()), Vec::new());
        for (name, bytes) in objects {
            let (file, temp) = self.write_temp(name, bytes)?.into_parts();
            temps.push(temp);
            // Many would be too many to have open.
            files.extend((!many).then_some((file, name)));
        }
        if many {
            wait.for_all()?;
        }
        side_by_side(&files, |(file, name)| file.sync_all().map_err(io_error(Attempt::MakeDurable, name)))?;
        Ok(temps)
    }

    /// Phase 2 for one object. Returns whether the name was free; if not, the same bytes are there.
    fn link(&self, name: &str, bytes: &[u8], temp: &Path) -> Result<bool, StoreError> {
        let place = self.home.join(name);
        let mut refusal = ErrorKind::NotFound.into();
        for _ in 0..MAX_LINK_TRIES {
            match fs::hard_link(temp, &place) {
                Ok(()) => return Ok(true),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => match self.get(name, size_of(bytes)) {
                    Ok(Some(there)) if there == bytes => return Ok(false),
                    Ok(None) => refusal = e, // deleted just now
                    Ok(Some(_)) | Err(StoreError::TooLarge { .. }) => {
                        return Err(StoreError::Conflict { name: name.to_owned() });
                    }
                    Err(other) => return Err(other),
                },
                Err(e) if e.kind() == ErrorKind::NotFound => {
                    self.make_folders(name)?;
                    refusal = e;
                }
                Err(e) => return Err(io_error(Attempt::Publish, name)(e)),
            }
        }
        Err(io_error(Attempt::Publish, name)(refusal))
    }

    fn make_folders(&self, name: &str) -> Result<(), StoreError> {
        let mode = if name.starts_with("public/") { 0o755 } else { 0o700 };
        for folder in folders_above(name).into_iter().rev().skip(1) {
            if make_folder(&self.home.join(folder), mode).map_err(io_error(Attempt::MakeFolder, folder))? {
                // It may have been there, and another process removed it.
                self.durable_folders().remove(folder);
            }
        }
        Ok(())
    }

    /// Phase 3: waits for the names of these objects, and altogether for those that were found.
    fn wait_for_names(&self, names: &[&str], found: &[&str], wait: &Waiting) -> Result<(), StoreError> {
        let mut awaited: BTreeSet<&str> = found.iter().copied().collect();
        let mut new_folders = BTreeSet::new();
        let durable = self.durable_folders();
        for name in names {
            let above = folders_above(name);
            awaited.insert(above[0]);
            // The name of a folder is durable once the folder above it was waited for.
            for pair in above.windows(2).take_while(|pair| !durable.contains(pair[0])) {
                awaited.insert(pair[1]);
                new_folders.insert(pair[0]);
            }
        }
        drop(durable);
        if Waiting::at_once(awaited.len()) {
            wait.for_all()?;
        } else {
            let awaited: Vec<_> = awaited.into_iter().collect();
            side_by_side(&awaited, |name| sync(&self.home.join(name), name))?;
        }
        self.durable_folders().extend(new_folders.into_iter().map(str::to_owned));
        Ok(())
    }

    fn durable_folders(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.durable_folders.lock().expect("nothing panics while it holds this")
    }

    /// Waits until no other handle, in this process or another, is swapping; until the file is closed, none can.
    fn lock(&self) -> Result<File, StoreError> {
        let path = self.home.join("private/lock");
        let lock = || {
            let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
            while let Err(e) = file.lock() {
                if e.kind() != ErrorKind::Interrupted {
                    return Err(e);
                }
            }
            Ok(file)
        };
        lock().map_err(io_error(Attempt::Lock, "private/lock"))
    }
}

impl Read for Dir {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        check_name(name)?;
        read_object(&self.home.join(name), name, limit)
    }
}

impl Store for Dir {
    fn put_all(&self, objects: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        objects.iter().try_for_each(|(name, _)| check_name(name))?;
        if objects.is_empty() {
            return Ok(());
        }
        let wait = Waiting::open(&self.temp())?;
        let temps = self.write_all(objects, &wait)?;
        let mut found = Vec::new();
        for ((name, bytes), temp) in objects.iter().zip(&temps) {
            if !self.link(name, bytes, temp)? {
                found.push(name.as_str());
            }
        }
        let names: Vec<_> = objects.iter().map(|(name, _)| name.as_str()).collect();
        self.wait_for_names(&names, &found, &wait)?;
        drop(temps); // phase 4
        Ok(())
    }

    fn swap(&self, name: &str, old: Option<&[u8]>, new: &[u8]) -> Result<Swap, StoreError> {
        check_name(name)?;
        check_size(name, size_of(new), MAX_SWAP_BYTES)?;
        let wait = Waiting::open(&self.temp())?;
        let _held = self.lock()?;
        let current = self.get(name, MAX_SWAP_BYTES)?;
        if current.as_deref() != old {
            if current.is_some() {
                self.wait_for_names(&[name], &[name], &wait)?;
            }
            return Ok(Swap::Lost(current));
        }
        let temp = self.write_temp(name, new)?;
        temp.as_file().sync_all().map_err(io_error(Attempt::MakeDurable, name))?;
        self.make_folders(name)?;
        temp.persist(self.home.join(name)).map_err(|e| io_error(Attempt::Publish, name)(e.error))?;
        self.wait_for_names(&[name], &[], &wait)?;
        Ok(Swap::Done)
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        check_name(name)?;
        match fs::remove_file(self.home.join(name)) {
            Err(e) if !is_absence(&e) => return Err(io_error(Attempt::Delete, name)(e)),
            _ => {}
        }
        let folder = folders_above(name)[0];
        if is_passing(folder) {
            self.durable_folders().remove(folder);
            // Succeeds with the last object only; if it does not, an empty folder stays.
            let _ = fs::remove_dir(self.home.join(folder));
        }
        Ok(())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        check_folder(folder)?;
        let mut names = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(self.home.join(&folder)) {
                Ok(entries) => entries,
                Err(e) if is_absence(&e) => continue,
                Err(e) => return Err(io_error(Attempt::List, &folder)(e)),
            };
            for entry in entries {
                let entry = entry.map_err(io_error(Attempt::List, &folder))?;
                let Some(name) = entry.file_name().to_str().map(|last| format!("{folder}/{last}")) else {
                    continue;
                };
                let kind = match entry.file_type() {
                    Ok(kind) => kind,
                    Err(e) if is_absence(&e) => continue,
                    Err(e) => return Err(io_error(Attempt::List, &folder)(e)),
                };
                // What no caller could have put is no object.
                match check_name(&name) {
                    Ok(()) if kind.is_dir() => folders.push(name),
                    Ok(()) if kind.is_file() => names.push(name),
                    _ => {}
                }
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

/// The folders above an object, from its own up to the home, which is the empty path.
fn folders_above(name: &str) -> Vec<&str> {
    let mut folders: Vec<_> = name.rmatch_indices('/').map(|(at, _)| &name[..at]).collect();
    folders.push("");
    folders
}

/// Whether a folder goes with its last object: those of partial tiles and bundles (`tile/0/000.p`).
fn is_passing(folder: &str) -> bool {
    folder.starts_with("public/") && folder.ends_with(".p")
}

/// Makes a folder unless it is there; whether it was made. The mode is the most that the process's mask lets through.
fn make_folder(path: &Path, mode: u32) -> io::Result<bool> {
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => Ok(true),
        // If this is no folder, whatever is done in it next says so.
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e),
    }
}

/// The home itself is the empty path here, and `.` to whoever is told.
fn io_error(attempt: Attempt, name: &str) -> impl Fn(io::Error) -> StoreError {
    let name = if name.is_empty() { "." } else { name };
    move |source| StoreError::Io { attempt, name: name.to_owned(), source }
}

#[cfg(test)]
mod tests;
