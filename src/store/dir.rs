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
//! 1. *Write* every object to a file of its own in `private/tmp`, and wait until the bytes are on the medium. Crash: no
//!    name was given; the files are left over, torn or whole, and [`Dir::clean_temp`] removes them.
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
//!
//! **Waiting**: few files with one fsync each, many with one syncfs, which is faster by far but waits for whatever else
//! is being written to that file system. From Linux 5.8 on, syncfs reports bytes lost since its handle was opened, so
//! that is opened before anything is written. Other systems have no syncfs and get one fsync per file.

use super::{
    Attempt, MAX_SWAP_BYTES, Read, Store, StoreError, Swap, check_folder, check_name, check_size, size_of,
};
use rustix::fs::{Mode, OFlags};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tempfile::{NamedTempFile, TempPath};

/// Up to this many files and folders are waited for one by one.
const MAX_SINGLE_SYNCS: usize = 4;

/// How often a link is tried anew because its folder was removed in between (see [`Store::delete`]).
const MAX_LINK_TRIES: usize = 8;

/// A log's home, opened for writing.
#[derive(Debug)]
pub struct Dir {
    home: PathBuf,
    /// Folders whose names are known to be durable, as are those of the folders above. None of them is ever removed.
    durable_folders: Mutex<BTreeSet<PathBuf>>,
}

/// A log's public part, wherever it lies, for reading.
#[derive(Debug, Clone)]
pub struct PublicDir {
    root: PathBuf,
}

impl Dir {
    /// Opens a home that is there.
    ///
    /// # Errors
    /// [`StoreError::NoHome`] if the path lacks one of the folders `public` and `private`; [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let home = std::path::absolute(path).map_err(io_error(Attempt::Read, "."))?;
        if !is_folder(&home, "public")? || !is_folder(&home, "private")? {
            return Err(StoreError::NoHome { path: path.to_owned() });
        }
        make_folder(&home.join("private/tmp"), 0o700)
            .map_err(io_error(Attempt::MakeFolder, "private/tmp"))?;
        Ok(Self { home, durable_folders: Mutex::default() })
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
        let dir = Self::open(&home)?;
        sync(&home).map_err(io_error(Attempt::MakeDurable, "."))?;
        for above in missing.iter().filter_map(|folder| folder.parent()) {
            sync(above).map_err(io_error(Attempt::MakeDurable, "."))?;
        }
        Ok(dir)
    }

    /// Removes what crashed writers left over. For a writer that has just fenced off all others: should one of them be
    /// alive and in the middle of a put or swap, that call fails, and nothing worse. Returns how many files there were.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn clean_temp(&self) -> Result<u64, StoreError> {
        let mut removed = 0;
        for entry in fs::read_dir(self.temp()).map_err(io_error(Attempt::List, "private/tmp"))? {
            let path = entry.map_err(io_error(Attempt::List, "private/tmp"))?.path();
            match fs::remove_file(path) {
                Ok(()) => removed += 1,
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(io_error(Attempt::Delete, "private/tmp")(e)),
            }
        }
        Ok(removed)
    }

    fn temp(&self) -> PathBuf {
        self.home.join("private/tmp")
    }

    /// Writes an object's bytes to a file that has no name yet but a passing one.
    fn write_temp(&self, name: &str, bytes: &[u8], wait: bool) -> Result<NamedTempFile, StoreError> {
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
        if wait {
            file.as_file().sync_all().map_err(io_error(Attempt::MakeDurable, name))?;
        }
        Ok(file)
    }

    /// Phase 1.
    fn write_all(&self, objects: &[(String, Vec<u8>)], wait: &Waiting) -> Result<Vec<TempPath>, StoreError> {
        let singly = !wait.at_once(objects.len());
        let write =
            |(name, bytes): &(String, Vec<u8>)| Ok(self.write_temp(name, bytes, singly)?.into_temp_path());
        let temps = objects.iter().map(write).collect::<Result<_, StoreError>>()?;
        if !singly {
            wait.for_all().map_err(io_error(Attempt::MakeDurable, "."))?;
        }
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
        for folder in folders_above(name).into_iter().rev() {
            make_folder(&self.home.join(folder), mode).map_err(io_error(Attempt::MakeFolder, folder))?;
        }
        Ok(())
    }

    /// Phase 3: waits for the names of these objects, and for all of those that were found.
    fn wait_for_names(&self, names: &[&str], found: &[&str], wait: &Waiting) -> Result<(), StoreError> {
        let mut durable = self.durable_folders.lock().expect("nothing panics while it holds this");
        let mut awaited: BTreeSet<&str> = found.iter().copied().collect();
        let mut new_folders = BTreeSet::new();
        for name in names {
            let above = folders_above(name);
            awaited.insert(above[0]);
            // The name of a folder is durable once the folder above it was waited for.
            for pair in above.windows(2).take_while(|pair| !durable.contains(Path::new(pair[0]))) {
                awaited.insert(pair[1]);
                new_folders.insert(pair[0]);
            }
        }
        if wait.at_once(awaited.len()) {
            wait.for_all().map_err(io_error(Attempt::MakeDurable, "."))?;
        } else {
            for name in awaited {
                sync(&self.home.join(name)).map_err(io_error(Attempt::MakeDurable, name))?;
            }
        }
        durable.extend(new_folders.into_iter().filter(|folder| !is_passing(folder)).map(PathBuf::from));
        Ok(())
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
        let wait = Waiting::open(&self.home)?;
        let temps = self.write_all(objects, &wait)?; // phase 1
        let mut found = Vec::new();
        for ((name, bytes), temp) in objects.iter().zip(&temps) {
            if !self.link(name, bytes, temp)? {
                found.push(name.as_str()); // phase 2
            }
        }
        let names: Vec<_> = objects.iter().map(|(name, _)| name.as_str()).collect();
        self.wait_for_names(&names, &found, &wait)?; // phase 3
        drop(temps); // phase 4
        Ok(())
    }

    fn swap(&self, name: &str, old: Option<&[u8]>, new: &[u8]) -> Result<Swap, StoreError> {
        check_name(name)?;
        check_size(name, size_of(new), MAX_SWAP_BYTES)?;
        let wait = Waiting::open(&self.home)?;
        let _held = self.lock()?;
        let current = self.get(name, MAX_SWAP_BYTES)?;
        if current.as_deref() != old {
            if current.is_some() {
                self.wait_for_names(&[name], &[name], &wait)?;
            }
            return Ok(Swap::Lost(current));
        }
        let temp = self.write_temp(name, new, true)?;
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
                let kind = entry.file_type().map_err(io_error(Attempt::List, &folder))?;
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

impl PublicDir {
    /// Opens the public part of the log at a path: that of a home, or else a copy. Tells them apart by the home's folder
    /// `public` and the copy's file `checkpoint`.
    ///
    /// # Errors
    /// [`StoreError::NoLog`] if the path has neither; [`StoreError::Io`].
    pub fn find(path: &Path) -> Result<Self, StoreError> {
        if is_folder(path, "public")? {
            Self::open(&path.join("public"))
        } else if path.join("checkpoint").is_file() {
            Self::open(path)
        } else {
            Err(StoreError::NoLog { path: path.to_owned() })
        }
    }

    /// Opens a copy of a log's public part: object `public/checkpoint` is the file `checkpoint` at this path.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let root = std::path::absolute(path).map_err(io_error(Attempt::Read, "public"))?;
        Ok(Self { root })
    }

    /// The folder that holds `checkpoint`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl Read for PublicDir {
    /// As the trait has it; private objects are not there.
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        check_name(name)?;
        let Some(path) = name.strip_prefix("public/") else { return Ok(None) };
        read_object(&self.root.join(path), name, limit)
    }
}

/// One way to wait for many files.
struct Waiting {
    #[cfg(target_os = "linux")]
    filesystem: File,
}

impl Waiting {
    /// Opened before anything is written, so that it is told of what gets lost from then on.
    #[cfg(target_os = "linux")]
    fn open(home: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            filesystem: File::open(home.join("private/tmp")).map_err(io_error(Attempt::MakeDurable, "."))?,
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn open(_: &Path) -> Result<Self, StoreError> {
        Ok(Self {})
    }

    /// Whether to wait for this many files with [`Waiting::for_all`] rather than [`sync`] for each.
    fn at_once(&self, files: usize) -> bool {
        cfg!(target_os = "linux") && files > MAX_SINGLE_SYNCS
    }

    /// Waits until all that was written to the file system is on the medium.
    #[cfg(target_os = "linux")]
    fn for_all(&self) -> io::Result<()> {
        Ok(rustix::io::retry_on_intr(|| rustix::fs::syncfs(&self.filesystem))?)
    }

    #[cfg(not(target_os = "linux"))]
    fn for_all(&self) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }
}

/// Waits until a file's bytes, or a folder's names, are on the medium.
fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Reads a regular file, and only that, without waiting for a pipe's other end.
fn read_object(path: &Path, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let not_an_object = || StoreError::NotAnObject { name: name.to_owned() };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::io::retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())) {
        Ok(file) => File::from(file),
        // A link (POSIX; FreeBSD says the second), a socket.
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::MLINK | rustix::io::Errno::NXIO) => {
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
    check_size(name, about.len(), limit)?;
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0).saturating_add(1));
    // One byte more than allowed, in case the file has grown.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(io_error(Attempt::Read, name))?;
    check_size(name, size_of(&bytes), limit)?;
    Ok(Some(bytes))
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

/// Makes a folder unless it is there. The mode is the most that the process's mask lets through.
fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

fn is_folder(path: &Path, name: &str) -> Result<bool, StoreError> {
    match fs::metadata(path.join(name)) {
        Ok(about) => Ok(about.is_dir()),
        Err(e) if is_absence(&e) => Ok(false),
        Err(e) => Err(io_error(Attempt::Read, name)(e)),
    }
}

/// There is nothing under a name, be it that what should be a folder on its way is a file.
fn is_absence(e: &io::Error) -> bool {
    matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn io_error(attempt: Attempt, name: &str) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Io { attempt, name: name.to_owned(), source }
}
