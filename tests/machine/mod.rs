//! The binary on a real file system: killed at any moment, failed by the system, out of room, restored from yesterday's
//! copy, several at once. What it acknowledged is there afterwards, with the same bytes at the same index.
//!
//! `crash` plans the faults of a store in memory; here nothing is planned with the program's help: processes are killed,
//! stopped and run against each other, system calls are made to fail by `strace`, file systems are mounted small or
//! read-only. What cannot be done on a machine is skipped, and said; with `SERVANDA_MACHINE=required` that is a failure.
//!
//! ```text
//! SERVANDA_KILLS=200     how many kills at random moments          SERVANDA_SEED=7   the same moments again
//! SERVANDA_FAULTS=all    every call fails in every way, not a sample; or how many of them
//! SERVANDA_SERVE_KILLS=100, SERVANDA_SOAK_SECONDS=600: see `network`
//! ```

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod faults;
mod full;
mod kills;
#[cfg(feature = "net")]
mod network;
mod restored;
mod several;

use crate::support::check_log::check_log;
use crate::support::office::{Ended, NOW, Office};
use servanda::checkpoint;
use servanda::client::Client;
use servanda::entry::SignedEntry;
use servanda::hash::{Hash, leaf_hash};
use servanda::policy::Policy;
use servanda::statement::Act;
use servanda::store::dir::PublicDir;
use servanda::trust::Trust;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many entries the log has that all starts from: ten more cross a tile's boundary.
const BASE: usize = 250;

/// Keys, statements to send, and the log that all starts from in `base`, with its guard file.
static OFFICE: LazyLock<Office> = LazyLock::new(|| {
    let office = Office::founded(&[
        ("de", "Germany", "guarantor", 1),
        ("ua", "Ukraine", "beneficiary", 1),
        ("fr", "France", "guarantor", 1),
    ]);
    fs::create_dir(office.path("base")).unwrap();
    fs::rename(office.path("log"), office.path("base/log")).unwrap();
    office.write("base/guard", "");
    let base = Case { folder: office.path("base"), home: office.path(""), kept: true };
    office.write("base.csv", &rows("B", BASE - 4));
    base.good(&import("base.csv", "de"));
    for (name, count) in [("ten", 10), ("few", 120), ("many", 400), ("rounds", 4150)] {
        let file = format!("{name}.csv");
        office.write(&file, &rows("N", count));
        let mut words = import(&file, "de");
        let out = format!("{name}.statement");
        words.extend(["--out", &out]);
        base.good(&words);
    }
    office
});

/// A table of pledges, to import.
fn rows(prefix: &str, count: usize) -> String {
    let row = |n| format!("{prefix}{n},some ships,military\n");
    "Id,What,Kind\n".to_owned() + &(0..count).map(row).collect::<String>()
}

/// The words of an import as a partner.
fn import<'a>(csv: &'a str, partner: &str) -> Vec<&'a str> {
    let key = match partner {
        "de" => "keys/de1",
        "fr" => "keys/fr1",
        _ => "keys/ua1",
    };
    let map = ["--map", "reference=Id,title=What,instruments=Kind", "--set", "to=ua", "--skip-known"];
    [&["import", csv, "--key", key, "--yes"][..], &map].concat()
}

/// A folder with a log and its guard file, for one attack; it goes when it is dropped.
struct Case {
    folder: PathBuf,
    /// Where commands are run.
    home: PathBuf,
    kept: bool,
}

impl Case {
    /// A copy of the log that all starts from.
    fn new() -> Self {
        Self::copy_of(&OFFICE.path("base"))
    }

    /// A copy of another one.
    fn copy_of(other: &Path) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("case-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let case = Self { folder: OFFICE.path(&name), home: OFFICE.path(""), kept: false };
        copy(other, &case.folder);
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The binary with the words of a command that writes to this log.
    fn writing(&self, words: &[&str]) -> Command {
        let mut command = self.binary(Path::new(env!("CARGO_BIN_EXE_servanda")), words);
        self.add_log(&mut command);
        command
    }

    fn add_log(&self, command: &mut Command) {
        command.arg("--log").arg(self.path("log")).args(["--log-key", "keys/log"]);
        command.arg("--guard").arg(self.path("guard"));
    }

    /// A program, with these words, in the office.
    fn binary(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
            command.env_remove(name);
        }
        command.env("SERVANDA_NOW", NOW).env("XDG_STATE_HOME", self.path("state"));
        command.current_dir(&self.home).args(words).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, words: &[&str]) -> Ended {
        ended(self.writing(words).output().unwrap())
    }

    /// Runs what must go well.
    fn good(&self, words: &[&str]) -> Ended {
        let ended = self.run(words);
        assert_eq!(ended.code, 0, "{words:?}: {}{}", ended.out, ended.err);
        ended
    }

    /// Runs a command that reads: the words, then the log.
    fn read(&self, words: &[&str]) -> Ended {
        let log = self.path("log").display().to_string();
        let words: Vec<&str> = match words[0] {
            "verify" => [words, &[&log]].concat(),
            _ => [words, &["--log", &log]].concat(),
        };
        let mut command = self.binary(Path::new(env!("CARGO_BIN_EXE_servanda")), &words);
        ended(command.arg("--trust").arg(OFFICE.path("base/log/trust.toml")).output().unwrap())
    }

    /// What is published verifies, says the binary.
    fn verifies(&self, what: &str) {
        let ended = self.read(&["verify"]);
        assert_eq!(ended.code, 0, "{what}: {}{}", ended.out, ended.err);
    }

    /// The published checkpoint.
    fn checkpoint(&self) -> Vec<u8> {
        fs::read(self.path("log/public/checkpoint")).unwrap()
    }

    /// All leaves, after all objects were derived from them again and verified.
    fn leaves(&self) -> Vec<Vec<u8>> {
        check_log(&PublicDir::open(&self.path("log/public")).unwrap(), &policy())
    }

    /// What crashed writers left over in `private/tmp`, and staged rounds.
    fn left_over(&self) -> usize {
        let count = |name| fs::read_dir(self.path(name)).map_or(0, Iterator::count);
        count("log/private/tmp") + count("log/private/staged")
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        if !self.kept && !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The policy of the log that all starts from.
fn policy() -> Policy {
    let trust = fs::read_to_string(OFFICE.path("base/log/trust.toml")).unwrap();
    Trust::parse(&trust).unwrap().policy
}

/// What was seen of a log: it only grows.
#[derive(Default)]
struct Seen {
    leaves: Vec<Hash>,
    /// How many different checkpoints.
    checkpoints: usize,
}

impl Seen {
    /// Reads what is published, every entry proven, and holds it against all that was seen before.
    fn look(&mut self, case: &Case, what: &str) {
        let store = PublicDir::open(&case.path("log/public")).unwrap();
        let note = case.checkpoint();
        let signed = checkpoint::open(&note, &policy()).unwrap_or_else(|e| panic!("{what}: {e}"));
        let mut client = Client::open(&store, signed.size(), signed.root()).unwrap();
        let bundles = (0..signed.size().div_ceil(256)).flat_map(|n| client.bundle(n).unwrap());
        let leaves: Vec<Hash> = bundles.map(|bytes| leaf_hash(&bytes)).collect();
        assert!(
            leaves.starts_with(&self.leaves),
            "{what}: {} entries, {} seen",
            leaves.len(),
            self.leaves.len()
        );
        self.checkpoints += usize::from(leaves.len() > self.leaves.len());
        self.leaves = leaves;
    }

    /// What a command said that it put in is there: where it ended well, all that is published then.
    fn told(&mut self, case: &Case, ended: &Ended, what: &str) {
        assert!(!ended.err.contains("panicked"), "{what}: {}", ended.err);
        self.look(case, what);
        let said = ended.out.lines().filter_map(|line| line.split_once("published in the checkpoint of "));
        for (_, rest) in said {
            let size: usize = rest.split(' ').next().unwrap().trim_end_matches('.').parse().unwrap();
            assert!(self.leaves.len() >= size, "{what}: {size} entries were said to be published");
        }
    }
}

/// The references of the pledges among entries, in their order.
fn references(leaves: &[Vec<u8>]) -> Vec<String> {
    let reference = |bytes: &Vec<u8>| match SignedEntry::decode(bytes).unwrap().act().unwrap() {
        Act::Pledge(pledge) => Some(pledge.terms.open()?.reference.as_ref()?.to_string()),
        _ => None,
    };
    leaves.iter().filter_map(reference).collect()
}

/// The references of a table.
fn referred(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}{n}")).collect()
}

fn ended(output: Output) -> Ended {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A failure that is told as it should be: exit code 2, what is wrong, what to do, and no panic.
fn told_clearly(ended: &Ended, what: &str) {
    assert_eq!(ended.code, 2, "{what}: {}{}", ended.out, ended.err);
    let said = |word: &str| ended.err.lines().any(|line| line.starts_with(word));
    assert!(said("error: ") && said("hint: ") && !ended.err.contains("panicked"), "{what}: {}", ended.err);
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// Runs a tool of the system; none where it is not there or refuses.
fn tool(program: &str, words: &[&str]) -> Option<Output> {
    let output = Command::new(program).args(words).stdin(Stdio::null()).output().ok()?;
    output.status.success().then_some(output)
}

/// Sends a signal to a child.
fn signal(child: &Child, name: &str) {
    tool("kill", &[&format!("-{name}"), &child.id().to_string()]).expect("it is our child");
}

/// Says that something cannot be done here; where the machine must do all, that is a failure.
fn skipped(why: &str) {
    let required = std::env::var("SERVANDA_MACHINE").as_deref() == Ok("required");
    assert!(!required, "{why}, and SERVANDA_MACHINE=required");
    eprintln!("skipped: {why}");
}

/// Numbers that look random, from a seed that is printed.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let clock = || std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let given = std::env::var("SERVANDA_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| u64::try_from(clock() % 1_000_000).unwrap());
        eprintln!("SERVANDA_SEED={seed}");
        Self(seed)
    }

    /// A number below a bound (splitmix64).
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }
}
