//! What is true of a directory alone: files, modes, left-overs, and what else may stand in an object's place.

use super::*;
use std::os::unix::fs::symlink;
use std::sync::Barrier;
use std::thread;
use tempfile::TempDir;

fn home() -> (TempDir, Dir) {
    let folder = tempfile::tempdir().unwrap();
    let dir = Dir::create(&folder.path().join("made/on the way/log")).unwrap();
    (folder, dir)
}

fn objects(names: &[&str]) -> Vec<(String, Vec<u8>)> {
    names.iter().map(|name| ((*name).to_owned(), name.as_bytes().to_owned())).collect()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn left_over(dir: &Dir) -> usize {
    fs::read_dir(dir.temp()).unwrap().count()
}

#[test]
fn what_is_private_is_for_its_owner_only() {
    let (_folder, dir) = home();
    dir.put_all(&objects(&["public/tile/0/000", "private/staged/1"])).unwrap();
    assert_eq!(dir.swap("public/checkpoint", None, b"1").unwrap(), Swap::Done);
    assert_eq!(dir.swap("private/commit", None, b"1").unwrap(), Swap::Done);
    for (name, want) in [
        ("public/tile/0/000", 0o644),
        ("public/checkpoint", 0o644),
        ("private", 0o700),
        ("private/staged", 0o700),
        ("private/tmp", 0o700),
        ("private/staged/1", 0o600),
        ("private/commit", 0o600),
        ("private/lock", 0o600),
    ] {
        assert_eq!(mode(&dir.home.join(name)), want, "{name}");
    }
}

#[test]
fn nothing_is_left_over_by_success_conflict_or_refusal() {
    let (_folder, dir) = home();
    let names = ["public/1", "public/2", "public/3", "public/4", "public/5", "public/6"];
    for count in [1, 4, 5, 6] {
        dir.put_all(&objects(&names[..count])).unwrap();
        assert_eq!(left_over(&dir), 0);
    }
    dir.put_all(&[("public/1".into(), vec![])]).unwrap_err();
    fs::create_dir(dir.home.join("public/folder")).unwrap();
    assert!(matches!(dir.put_all(&objects(&["public/folder"])), Err(StoreError::NotAnObject { .. })));
    assert_eq!(dir.swap("public/checkpoint", None, b"1").unwrap(), Swap::Done);
    dir.swap("public/1/below an object", None, b"").unwrap_err();
    dir.swap("public/1/below-an-object", None, b"").unwrap_err();
    dir.put_all(&objects(&["public/1/below-an-object"])).unwrap_err();
    assert_eq!(left_over(&dir), 0);
}

#[test]
fn left_overs_count_for_nothing_until_they_are_cleaned() {
    let (_folder, dir) = home();
    dir.put_all(&objects(&["public/a", "private/b"])).unwrap();
    fs::write(dir.temp().join("torn"), "to").unwrap();
    fs::write(dir.temp().join("empty"), "").unwrap();
    assert_eq!(dir.list("private").unwrap(), ["private/b"]);
    let at_work = Waiting::open(&dir.temp()).unwrap();
    assert_eq!(Dir::open(&dir.home).map(|other| left_over(&other)).unwrap(), 2, "they may be somebody's");
    drop(at_work);
    assert_eq!(dir.clean_temp(), 2);
    assert_eq!(dir.clean_temp(), 0);
    fs::write(dir.temp().join("torn"), "to").unwrap();
    assert_eq!(Dir::open(&dir.home).map(|other| left_over(&other)).unwrap(), 0);
    assert_eq!(dir.list("public").unwrap(), ["public/a"]);
}

#[test]
fn a_put_whose_written_file_is_cleaned_away_fails_and_gives_no_name() {
    let (_folder, dir) = home();
    let temp = dir.write_temp("public/tile/a", b"a").unwrap();
    dir.clean_temp();
    let refused = dir.link("public/tile/a", b"a", temp.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Io { attempt: Attempt::Publish, .. }), "{refused:?}");
    assert_eq!(dir.get("public/tile/a", 1).unwrap(), None);
}

#[test]
fn folders_of_partial_tiles_go_with_their_last_object_and_no_others() {
    let (_folder, dir) = home();
    let names = ["public/tile/0/000.p/5", "public/tile/0/000.p/6", "private/staged/1"];
    dir.put_all(&objects(&names)).unwrap();
    dir.delete(names[0]).unwrap();
    assert!(dir.home.join("public/tile/0/000.p").is_dir());
    dir.delete(names[1]).unwrap();
    dir.delete(names[2]).unwrap();
    assert!(!dir.home.join("public/tile/0/000.p").exists());
    assert!(dir.home.join("public/tile/0").is_dir() && dir.home.join("private/staged").is_dir());
    let durable = dir.durable_folders();
    assert!(durable.contains("public/tile/0") && !durable.contains("public/tile/0/000.p"), "{durable:?}");
}

#[test]
fn objects_come_and_go_in_one_folder_at_once() {
    let (_folder, dir) = home();
    let start = Barrier::new(3);
    thread::scope(|scope| {
        for who in 0..3 {
            let (dir, start) = (&dir, &start);
            scope.spawn(move || {
                let name = format!("public/tile/0/000.p/{who}");
                start.wait();
                for _ in 0..30 {
                    // The folder may be removed by another thread at any moment before the object is in it.
                    dir.link_whole(&name);
                    assert_eq!(dir.get(&name, 99).unwrap().as_deref(), Some(name.as_bytes()));
                    dir.delete(&name).unwrap();
                }
            });
        }
    });
    assert!(dir.list("public").unwrap().is_empty());
}

impl Dir {
    /// A put that waits for nothing.
    fn link_whole(&self, name: &str) {
        let temp = self.write_temp(name, name.as_bytes()).unwrap();
        assert!(self.link(name, name.as_bytes(), temp.path()).unwrap());
    }
}

#[test]
fn only_a_regular_file_is_an_object() {
    let (_folder, dir) = home();
    dir.put_all(&objects(&["public/real"])).unwrap();
    let place = |name: &str| dir.home.join(name);
    fs::create_dir(place("public/folder")).unwrap();
    symlink("real", place("public/link")).unwrap();
    symlink("/dev/zero", place("public/endless")).unwrap();
    symlink("itself", place("public/itself")).unwrap();
    let fifo = place("public/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place("public/socket")).unwrap();
    let copy = open_any(&dir.home).unwrap();
    for name in
        ["public/folder", "public/link", "public/endless", "public/itself", "public/pipe", "public/socket"]
    {
        let refused = |e: StoreError| matches!(e, StoreError::NotAnObject { name: n } if n == name);
        assert!(refused(dir.get(name, 99).unwrap_err()), "{name}");
        assert!(refused(copy.get(name, 99).unwrap_err()), "{name}");
        assert!(refused(dir.put_all(&objects(&[name])).unwrap_err()), "{name}");
        assert!(refused(dir.swap(name, None, b"").unwrap_err()), "{name}");
    }
    assert_eq!(dir.list("public").unwrap(), ["public/real"]);
    assert_eq!(dir.get("public/real/below", 99).unwrap(), None);
}

#[test]
fn a_file_longer_than_it_claims_is_refused_all_the_same() {
    // The kernel's own files have size 0 and bytes in them.
    if let Ok(proc) = PublicDir::open(Path::new("/proc/self")) {
        assert!(matches!(
            proc.get("public/status", 10),
            Err(StoreError::TooLarge { size: 11, limit: 10, .. })
        ));
    }
}

#[test]
fn a_home_and_a_copy_of_its_public_part_are_told_apart() {
    let (folder, dir) = home();
    assert_eq!(dir.swap("public/checkpoint", None, b"signed").unwrap(), Swap::Done);
    assert_eq!(dir.swap("private/commit", None, b"1").unwrap(), Swap::Done);
    for (path, root) in
        [(dir.home.clone(), dir.home.join("public")), (dir.home.join("public"), dir.home.join("public"))]
    {
        let copy = open_any(&path).unwrap();
        assert_eq!(copy.root(), root);
        assert_eq!(copy.get("public/checkpoint", 6).unwrap().unwrap(), b"signed");
        assert!(matches!(copy.get("public/checkpoint", 5), Err(StoreError::TooLarge { .. })));
        assert_eq!(copy.get("private/commit", 6).unwrap(), None);
        assert!(matches!(copy.get("public/../private/commit", 6), Err(StoreError::BadName { .. })));
    }
    assert!(matches!(Dir::open(&dir.home.join("public")), Err(StoreError::NoHome { .. })));
    let nothing = folder.path().join("nothing");
    for path in [&nothing, &folder.path().to_owned()] {
        assert_eq!(
            open_any(path).unwrap_err().to_string(),
            format!("no log at {}: there is neither a folder public nor a file checkpoint", path.display())
        );
        assert!(matches!(Dir::open(path), Err(StoreError::NoHome { .. })));
    }
    assert!(matches!(PublicDir::open(&nothing), Err(StoreError::NoLog { .. })));
    assert!(!nothing.exists());
}

#[test]
fn making_a_home_twice_changes_nothing() {
    let (_folder, dir) = home();
    dir.put_all(&objects(&["public/a"])).unwrap();
    fs::remove_dir(dir.temp()).unwrap(); // a copy may have left it out
    let again = Dir::create(&dir.home).unwrap();
    assert_eq!(again.list("public").unwrap(), ["public/a"]);
    again.put_all(&objects(&["public/b"])).unwrap();
}

#[test]
fn what_fails_of_the_home_itself_is_called_by_a_name() {
    let folders = folders_above("public/checkpoint");
    let error = io_error(Attempt::MakeDurable, folders[1])(io::Error::from(ErrorKind::Other));
    assert_eq!(folders, ["public", ""]);
    assert_eq!(error.to_string(), "could not make durable the log's home");
}
