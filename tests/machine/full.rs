//! No room, and no permission to write: small file systems and read-only ones, mounted for the test.

use super::*;
use std::collections::BTreeMap;

/// How many sizes of a disk are tried.
const SIZES: usize = 16;

/// A mounted file system; it goes when it is dropped.
pub(super) struct Mount(PathBuf);

impl Mount {
    /// Mounts by these words, which `mount` gets, and the folder; none where that is not allowed.
    pub(super) fn new(words: &[&str], folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let shown = folder.display().to_string();
        let mounted = tool("mount", &[words, &[&shown]].concat());
        if mounted.is_none() {
            skipped("file systems cannot be mounted here");
        }
        mounted.map(|_| Self(folder.to_owned()))
    }

    /// Changes how it is mounted.
    fn again(&self, options: &str) {
        tool("mount", &["-o", &format!("remount,{options}"), self.0.to_str().unwrap()])
            .expect("it was mounted");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let shown = self.0.display().to_string();
        // Lazily, if someone is still in there.
        let _ = tool("umount", &[&shown]).or_else(|| tool("umount", &["-l", &shown]));
    }
}

/// All files of a folder, with their bytes.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.append(&mut contents(&path));
            found.insert(path, Vec::new());
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

/// How many blocks of 4 KiB a folder takes in memory.
fn blocks(folder: &Path) -> usize {
    let files = contents(folder);
    files.values().map(|bytes| bytes.len().div_ceil(4096) + 1).sum()
}

#[test]
fn a_full_disk_loses_nothing_and_the_import_goes_on_when_there_is_room() {
    let mut failed = 0;
    let base = OFFICE.path("base");
    // So large that the base fits, and a little more each time, so that it ends in another place.
    let fits = blocks(&base) * 4 + 8;
    for kib in (fits..fits + 12 * SIZES).step_by(12) {
        let folder = OFFICE.path("small");
        let Some(mount) = Mount::new(&["-t", "tmpfs", "-o", &format!("size={kib}k"), "none"], &folder) else {
            return;
        };
        copy(&base, &folder);
        let case = Case { folder: folder.clone(), home: OFFICE.path(""), kept: true };
        let (mut seen, what) = (Seen::default(), format!("{kib} KiB"));
        seen.look(&case, &what);
        let words = import("many.csv", "de");
        let ended = case.run(&words);
        seen.told(&case, &ended, &what);
        case.verifies(&what);
        if ended.code != 0 {
            told_clearly(&ended, &what);
            assert!(ended.err.contains("No space left on device"), "{what}: {}", ended.err);
            failed += 1;
            // Once more, while it is full: the same again.
            let again = case.run(&words);
            told_clearly(&again, &what);
            seen.told(&case, &again, &what);
        }
        mount.again("size=64m");
        let ended = case.good(&words);
        seen.told(&case, &ended, &what);
        let want: Vec<String> = [referred("B", BASE - 4), referred("N", 400)].concat();
        assert_eq!(references(&case.leaves()), want, "{what}");
        assert_eq!(case.left_over(), 0, "{what}");
    }
    eprintln!("{failed} of {SIZES} imports ran out of room");
    assert!(failed > 5, "{failed}");
}

#[test]
fn where_nothing_can_be_written_reading_goes_well_and_writing_fails_clearly() {
    let case = Case::new();
    // A copy's index of ids is made anew by the first who writes.
    case.good(&["submit", "ten.statement"]);
    let shown = case.folder.display().to_string();
    let Some(mount) = Mount::new(&["--bind", &shown], &case.folder) else { return };
    mount.again("bind,ro");
    let before = contents(&case.folder);
    assert!(fs::write(case.path("probe"), "").is_err(), "it is read-only");
    let id = SignedEntry::decode(&case.leaves()[100]).unwrap().id.to_string();
    let out = OFFICE.path("read-only.tlog-proof").display().to_string();
    for words in [
        vec!["verify"],
        vec!["log"],
        vec!["show", &id],
        vec!["show", "@3"],
        vec!["prove", &id, "--out", &out],
    ] {
        let ended = case.read(&words);
        assert_eq!(ended.code, 0, "{words:?}: {}{}", ended.out, ended.err);
        assert!(!ended.err.contains("index of ids"), "{}", ended.err);
    }
    let pledge =
        ["pledge", "--key", "keys/de1", "--yes", "--to", "ua", "--title", "x", "--instrument", "military"];
    for words in [&import("many.csv", "de")[..], &["submit", "ten.statement"], &pledge] {
        let ended = case.run(words);
        told_clearly(&ended, words[0]);
        assert!(ended.err.contains("Read-only file system"), "{}", ended.err);
    }
    assert_eq!(contents(&case.folder), before);
    drop(mount);
    case.good(&import("few.csv", "de"));
}
