//! Go: `golang.org/x/mod/sumdb`, Tessera's fsck, and statements read with `crypto/ed25519` by the specification alone.

use crate::support::missing;
use crate::support::small_log::{SmallLog, log_vkey, pledge, terms};
use crate::support::stored::{Stored, leaves_in_home};
use base64ct::{Base64, Encoding};
use servanda::hash::Hash;
use servanda::trust::Trust;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

/// The program, built once; none where there is no Go, or its modules cannot be had.
static PROGRAM: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let go = ["go", "/usr/local/go/bin/go"].into_iter().find(|go| run(go, &["version"]).is_ok())?;
    if let Err(said) = run(go, &["mod", "download"]) {
        eprintln!("{said}");
        return None;
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop");
    run(go, &["build", "-trimpath", "-o", program.to_str().unwrap(), "."])
        .unwrap_or_else(|said| panic!("{said}"));
    Some(program)
});

/// Runs Go beside the program's source, with the modules that `go.sum` names and nothing newer.
fn run(go: &str, args: &[&str]) -> Result<(), String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    let mut command = Command::new(go);
    let command =
        command.current_dir(source).args(args).env("GOFLAGS", "-mod=readonly").env("GOTOOLCHAIN", "local");
    let done = command.output().map_err(|error| format!("{go}: {error}"))?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    if done.status.success() { Ok(()) } else { Err(format!("{go} {args:?}: {said}")) }
}

/// Whether the program is there; says so where it is not.
pub fn ready() -> bool {
    if PROGRAM.is_none() {
        missing("there is no Go of 1.25 or later, or its modules cannot be had");
    }
    PROGRAM.is_some()
}

/// Runs the program; gives its one line, and whether it accepts.
pub fn interop(args: &[&str]) -> (bool, String) {
    let done = Command::new(PROGRAM.as_ref().unwrap()).args(args).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    match done.status.code() {
        Some(0) if said.starts_with("ok ") => (true, said),
        Some(1) if said.starts_with("refused: ") => (false, said),
        other => panic!("{args:?} ended with {other:?}: {said}{}", String::from_utf8_lossy(&done.stderr)),
    }
}

#[track_caller]
pub fn accepts(args: &[&str], want: &str) {
    assert_eq!(interop(args), (true, format!("ok {}: {want}\n", args[0])));
}

#[track_caller]
pub fn refuses(args: &[&str], word: &str) {
    let (accepted, said) = interop(args);
    assert!(!accepted && said.contains(word), "{args:?}: no {word:?} in {said}");
}

/// A log on disk, and what a verifier holds of it.
pub struct Log {
    home: TempDir,
    pub public: PathBuf,
    pub vkey: String,
    pub id: String,
}

impl Log {
    pub fn of(log: &SmallLog) -> Self {
        Self { id: log.log_id().to_string(), ..Self::of_leaves(log.leaves()) }
    }

    fn of_leaves(leaves: &[Vec<u8>]) -> Self {
        let home = tempfile::tempdir().unwrap();
        leaves_in_home(home.path(), leaves);
        Self { public: home.path().join("public"), home, vkey: log_vkey().to_string(), id: String::new() }
    }

    pub fn dir(&self) -> &str {
        self.public.to_str().unwrap()
    }

    fn accepts(&self, command: &str, want: &str) {
        accepts(&[command, self.dir(), &self.vkey], want);
    }

    /// All that is said of a log as a whole, statements included.
    fn accepted(&self, size: u64, tiles: usize, places: usize, statements: &str) {
        let note = fs::read_to_string(self.public.join("checkpoint")).unwrap();
        let root = note.lines().nth(2).unwrap();
        self.accepts("note", &format!("size {size}, root {root}"));
        self.accepts(
            "tree",
            &format!("size {size}, {tiles} tiles, {places} inclusion and consistency proofs"),
        );
        let bundles = size.div_ceil(256);
        self.accepts("fsck", &format!("{} files, 0 errors", 1 + bundles + u64::try_from(tiles).unwrap()));
        if !statements.is_empty() {
            accepts(&["statements", self.dir(), &self.vkey, &self.id], statements);
        }
    }

    /// Changes a file of the log for as long as `look` looks.
    fn with(&self, name: &str, change: impl FnOnce(&mut Vec<u8>), look: impl FnOnce()) {
        let path = self.public.join(name);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        change(&mut bad);
        assert_ne!(bad, good);
        fs::write(&path, bad).unwrap();
        look();
        fs::write(&path, good).unwrap();
    }

    /// Every program that reads these files refuses them with a byte of this one changed.
    fn refused_with_a_flip_in(&self, name: &str, at: usize) {
        self.with(
            name,
            |bytes| bytes[at] ^= 1,
            || {
                for command in ["tree", "fsck"] {
                    refuses(&[command, self.dir(), &self.vkey], "");
                }
                refuses(&["statements", self.dir(), &self.vkey, &self.id], "");
            },
        );
    }
}

/// The entries of the demo's log.
const SIZE: usize = 172;

/// A log of the demo that the binary made, its home and its trust file.
pub static DEMO: LazyLock<Log> = LazyLock::new(|| {
    let home = tempfile::tempdir().unwrap();
    servanda(home.path(), &["demo", "demo"]);
    let trust: Trust = fs::read_to_string(home.path().join("demo/trust.toml")).unwrap().parse().unwrap();
    let (id, vkey) = (trust.log.unwrap().to_string(), trust.policy.logs()[0].vkey.to_string());
    Log { public: home.path().join("demo/log/public"), home, vkey, id }
});

fn servanda(folder: &Path, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
    let done =
        command.current_dir(folder).args(args).args(["--now", "2026-12-01T12:00Z"]).env_clear().output();
    let done = done.unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

pub fn long_log(size: u64) -> SmallLog {
    let mut log = SmallLog::ready();
    while log.size() < size {
        log.say("de", pledge(&["ua"], terms("one of many")));
    }
    assert_eq!(log.findings(), []);
    log
}

#[test]
fn go_reads_the_demos_log_whole_and_refuses_it_with_a_byte_changed() {
    if !ready() {
        return;
    }
    let log = &*DEMO;
    let (bundle_path, tile_path) = (format!("tile/entries/000.p/{SIZE}"), format!("tile/0/000.p/{SIZE}"));
    log.accepted(SIZE as u64, 1, 92, &format!("{SIZE} statements by 31 authors, 311 signatures"));
    let bundle = fs::read(log.public.join(&bundle_path)).unwrap().len();
    let copy = Log { home: tempfile::tempdir().unwrap(), public: PathBuf::new(), ..Log::of_leaves(&[]) };
    let copy =
        Log { public: copy.home.path().join("public"), vkey: log.vkey.clone(), id: log.id.clone(), ..copy };
    copy_folder(&log.public, &copy.public);
    for at in (0..bundle).step_by(bundle / 12).chain([1, bundle - 1]) {
        copy.refused_with_a_flip_in(&bundle_path, at);
    }
    for at in [0, 31, 1700, SIZE * 32 - 1] {
        copy.refused_with_a_flip_in(&tile_path, at);
    }
    let note = fs::read_to_string(copy.public.join("checkpoint")).unwrap();
    let size_line = note.find(&format!("\n{SIZE}\n")).unwrap();
    for at in [0, size_line + 1, size_line + 6, note.len() - 20] {
        copy.refused_with_a_flip_in("checkpoint", at);
        copy.with("checkpoint", |bytes| bytes[at] ^= 1, || refuses(&["note", copy.dir(), &copy.vkey], ""));
    }
    for command in ["note", "tree", "fsck"] {
        refuses(&[command, copy.dir(), &log_vkey().to_string()], "");
    }
    let other_id = Hash([7; 32]).to_string();
    refuses(&["statements", copy.dir(), &copy.vkey, &other_id], "this is log");
    let charter = |bytes: &mut Vec<u8>| bytes.push(b'\n');
    copy.with("charter.toml", charter, || {
        refuses(&["statements", copy.dir(), &copy.vkey, &copy.id], "charter.toml is not the text");
    });
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn go_checks_proof_files_of_the_binary_and_refuses_changed_ones() {
    if !ready() {
        return;
    }
    let (log, folder) = (&*DEMO, tempfile::tempdir().unwrap());
    let at = |name: String| folder.path().join(name).to_str().unwrap().to_owned();
    for index in [0, 12, 63, 64, SIZE - 1] {
        let (proof, roster) = (at(format!("{index}.tlog-proof")), at(format!("{index}.roster")));
        let args = ["prove", &format!("#{index}"), "--log", "log", "--out", &proof, "--roster", &roster];
        servanda(&log.home.path().join("demo"), &args);
        let (accepted, said) = interop(&["proof", &log.vkey, &proof]);
        assert!(accepted && said.contains(&format!("entry {index} of {SIZE} is statement ")), "{said}");
    }
    let file = at(format!("{}.tlog-proof", SIZE - 1));
    let path = file.as_str();
    refuses(&["proof", &log_vkey().to_string(), path], "no verifiable signatures");
    let good = fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = good.lines().collect();
    for at in 0..lines.len() {
        // A character in the middle of each line, and the line itself gone.
        let mut flipped: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let middle = flipped[at].len() / 2;
        let middle =
            (middle..=flipped[at].len()).find(|&middle| flipped[at].is_char_boundary(middle)).unwrap();
        let to = if flipped[at][middle..].starts_with('1') { "2" } else { "1" };
        let end = flipped[at][middle..].chars().next().map_or(middle, |c| middle + c.len_utf8());
        flipped[at].replace_range(middle..end, to);
        let gone: Vec<String> =
            [&lines[..at], &lines[at + 1..]].concat().iter().map(ToString::to_string).collect();
        for bad in [flipped, gone] {
            fs::write(&file, bad.join("\n") + "\n").unwrap();
            refuses(&["proof", &log.vkey, path], "");
        }
    }
}

/// Proofs that we make of the stored log, as the program reads them.
fn our_proofs(stored: &Stored, places: &[u64]) -> String {
    let mut client = stored.client();
    let line = |what: &str, at: u64, hashes: Vec<Hash>| {
        let hashes: Vec<_> = hashes.iter().map(|hash| Base64::encode_string(&hash.0)).collect();
        format!("{what} {at} {}\n", hashes.join(","))
    };
    let mut all = String::new();
    for &at in places {
        all += &line("inclusion", at, client.inclusion_proof(at).unwrap());
        all += &line("consistency", at + 1, client.consistency_proof(at + 1).unwrap());
    }
    all
}

#[test]
fn go_reads_logs_around_a_full_tile_and_checks_our_proofs_of_them() {
    if !ready() {
        return;
    }
    let long = long_log(257);
    for (size, tiles) in [(1, 1), (6, 1), (255, 1), (256, 2), (257, 3)] {
        let small = long.cut(size);
        let log = Log::of(&small);
        let (authors, signatures) =
            (size.min(6), (0..size).map(|at| small.entry(at).entry.signatures.len()).sum::<usize>());
        let (_, said) = interop(&["tree", log.dir(), &log.vkey]);
        assert!(said.starts_with(&format!("ok tree: size {size}, {tiles} tiles, ")), "{said}");
        let statements = format!("{size} statements by {authors} authors, {signatures} signatures");
        accepts(&["statements", log.dir(), &log.vkey, &log.id], &statements);
        log.accepts("fsck", &format!("{} files, 0 errors", 1 + size.div_ceil(256) + tiles));
        let places: Vec<u64> = (0..u64::try_from(size).unwrap()).collect();
        let file = log.home.path().join("proofs");
        let proofs = our_proofs(&Stored::new(&small), &places);
        fs::write(&file, &proofs).unwrap();
        log_proofs(&log, &file, &format!("size {size}, {} proofs", 2 * size));
        if size > 6 {
            // The proof of one place at another, and a consistency proof of another size.
            for (from, to) in [("inclusion 5 ", "inclusion 4 "), ("consistency 5 ", "consistency 7 ")] {
                fs::write(&file, proofs.replacen(from, to, 1)).unwrap();
                refuses(
                    &["proofs", log.dir(), &log.vkey, file.to_str().unwrap()],
                    "invalid transparency proof",
                );
            }
        }
    }
}

fn log_proofs(log: &Log, file: &Path, want: &str) {
    accepts(&["proofs", log.dir(), &log.vkey, file.to_str().unwrap()], want);
}

#[test]
fn go_reads_logs_around_a_full_tile_of_tiles_and_finds_a_changed_one_on_every_level() {
    if !ready() {
        return;
    }
    let leaves: Vec<_> = (0..65_537_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    for (size, tiles) in [(65_535, 257), (65_536, 258), (65_537, 259)] {
        let log = Log::of_leaves(&leaves[..size]);
        let (_, said) = interop(&["tree", log.dir(), &log.vkey]);
        assert!(said.starts_with(&format!("ok tree: size {size}, {tiles} tiles, ")), "{said}");
        log.accepts("fsck", &format!("{} files, 0 errors", 1 + size.div_ceil(256) + tiles));
        if size == 65_537 {
            for name in ["tile/entries/128", "tile/0/200", "tile/0/256.p/1", "tile/1/000", "tile/2/000.p/1"] {
                log.with(
                    name,
                    |bytes| bytes[9] ^= 0x40,
                    || {
                        refuses(&["tree", log.dir(), &log.vkey], "");
                        refuses(&["fsck", log.dir(), &log.vkey], "");
                    },
                );
            }
        }
    }
}

#[test]
fn go_finds_statements_that_nobody_signed_in_a_log_whose_tree_is_right() {
    if !ready() {
        return;
    }
    // Each is signed into the tree by its operator, so that tree and fsck have nothing to say.
    let forged = |change: &dyn Fn(&SmallLog, &mut servanda::entry::Entry)| {
        let mut small = SmallLog::ready();
        let statement = small.draft("de", pledge(&["ua"], terms("forged")));
        let mut entry = small.sequence(&statement, small.sign(&statement));
        change(&small, &mut entry);
        small.push_entry(&entry);
        let log = Log::of(&small);
        let (tree, said) = interop(&["tree", log.dir(), &log.vkey]);
        assert!(tree && interop(&["fsck", log.dir(), &log.vkey]).0, "{said}");
        log
    };
    let honest = forged(&|_, _| {});
    accepts(
        &["statements", honest.dir(), &honest.vkey, &honest.id],
        "7 statements by 6 authors, 23 signatures",
    );
    type Change = (&'static str, &'static dyn Fn(&SmallLog, &mut servanda::entry::Entry));
    let changes: [Change; 5] = [
        ("bad-signature", &|_, entry| entry.signatures.0[1].bytes.0[40] ^= 1),
        ("below-threshold", &|_, entry| drop(entry.signatures.0.pop())),
        ("signature-order", &|_, entry| entry.signatures.0.reverse()),
        ("bad-signature", &|_, entry| *entry.statement.0.last_mut().unwrap() ^= 1),
        ("wrong-link", &|_, entry| entry.link.0[0] ^= 1),
    ];
    for (code, change) in changes {
        let log = forged(change);
        refuses(&["statements", log.dir(), &log.vkey, &log.id], &format!("entry 6: {code}"));
    }
}

#[test]
fn go_judges_the_vectors_by_the_specification_alone_as_we_do() {
    if !ready() {
        return;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/vectors.json");
    let (accepted, said) = interop(&["vectors", file.to_str().unwrap()]);
    let defects = said.split(' ').nth(4).and_then(|count| count.parse::<usize>().ok());
    assert!(accepted && said.starts_with("ok vectors: 42 entries, ") && defects >= Some(100), "{said}");
    // Vectors that say something else, of entries or of what is wrong with them, are contradicted.
    let good = fs::read_to_string(&file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("vectors.json");
    for (from, to) in [
        (r#""code":"wrong-prev""#, r#""code":"wrong-seq""#),
        (r#""code":"bad-signature","effect":"unauthentic""#, r#""code":"level","effect":"void""#),
        (r#""findings":[]"#, r#""findings":[{"index":42,"code":"expired","effect":"unauthentic"}]"#),
    ] {
        let at =
            good.find("\"wrong\"").unwrap() + good[good.find("\"wrong\"").unwrap()..].find(from).unwrap();
        fs::write(&bad, format!("{}{to}{}", &good[..at], &good[at + from.len()..])).unwrap();
        refuses(&["vectors", bad.to_str().unwrap()], "wrong, ");
    }
}
