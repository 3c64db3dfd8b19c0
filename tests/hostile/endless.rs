//! An operator who signs a checkpoint over entries that are not there: every verb ends soon, and says where the log ends.

use crate::support::check_log::verified;
use crate::support::forge::{Objects, forge};
use crate::support::small_log::{ORIGIN, SmallLog, key, root};
use crate::tamper::model;
use servanda::checkpoint::Checkpoint;
use servanda::hash::{Hash, leaf_hash};
use servanda::merkle::builder::TileBuilder;
use servanda::merkle::tile::{Level, TilePath};
use servanda::store::memory::Memory;
use servanda::store::{Read, StoreError};
use servanda::verify::{Audit, Found, Held, ObjectFinding, Options, Trouble};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The size that the operator signs.
const CLAIMED: u64 = 1 << 60;

/// How long a verb may take, in seconds: far more than it needs, and far less than 2^60 entries would take.
const PATIENCE_S: u64 = 60;

/// So many leaves: the model's, then some that are no entries.
fn leaves(len: usize) -> Vec<Vec<u8>> {
    let mut leaves = model().leaves().to_vec();
    leaves.resize(len, b"no entry".to_vec());
    leaves
}

/// A log of 256 leaves under a checkpoint of [`CLAIMED`], with all the tiles that it takes to prove these 256: the first
/// tile of each level, each in the first place of the one above.
fn claiming_more(leaves: &[Vec<u8>]) -> Objects {
    let mut objects = forge(leaves);
    let mut hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let mut level = 0;
    while let Some(path) = TilePath::at(Level::Hash(level), 0, CLAIMED) {
        hashes.resize(path.width.into(), Hash([7; 32]));
        objects.insert(format!("public/{path}"), hashes.iter().flat_map(|hash| hash.0).collect());
        if !path.is_full() {
            break;
        }
        hashes = vec![root(&hashes)];
        level += 1;
    }
    let checkpoint = Checkpoint::new(ORIGIN, CLAIMED, root(&hashes)).unwrap();
    let note = checkpoint.sign(&key("operator/checkpoint"));
    objects.insert("public/checkpoint".to_owned(), note.into_bytes());
    objects
}

fn write(objects: &Objects, home: &Path) {
    for (name, bytes) in objects {
        let path = home.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Runs a command; gives its exit code and both outputs, their line breaks undone.
fn run(folder: &Path, line: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
        command.env_remove(name);
    }
    let file = |name| fs::File::create(folder.join(name)).unwrap();
    command.args(line.split(' ')).current_dir(folder).env("XDG_STATE_HOME", folder.join("state"));
    command.env("SERVANDA_NOW", "2026-12-01T12:00Z").stdin(Stdio::null());
    let mut child = command.stdout(file("out")).stderr(file("err")).spawn().unwrap();
    let begun = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code().unwrap();
        }
        if begun.elapsed() > Duration::from_secs(PATIENCE_S) {
            child.kill().unwrap();
            panic!("{line}: still running after {PATIENCE_S} seconds");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let said = |name| String::from_utf8_lossy(&fs::read(folder.join(name)).unwrap()).into_owned();
    let all = said("out") + " " + &said("err");
    (code, all.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn every_verb_ends_soon_on_a_checkpoint_over_entries_that_are_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let objects = claiming_more(&leaves(256));
    write(&objects, &folder.path().join("vast"));
    write(&forge(&leaves(256)), &folder.path().join("true"));
    fs::write(folder.path().join("old"), &forge(&leaves(256))["public/checkpoint"]).unwrap();
    let gap = "tile/entries/001 is missing, and so are the 15 bundles after it: the 1152921504606846720 entries \
               from 256 on were not looked at";
    let no_tile = "is missing";
    for (line, code, what) in [
        ("verify vast", 1, gap),
        ("verify vast --quick", 1, gap),
        ("verify vast --json", 1, "\"code\":\"gap\""),
        ("verify vast --since old", 1, "nothing was changed below entry 256"),
        ("verify vast --against true", 1, "the same history as true, up to entry 256"),
        ("verify true --against vast", 1, "the same history as vast, up to entry 256"),
        ("verify vast --evidence found", 1, gap),
        ("log --log vast", 1, no_tile),
        ("log --log vast --limit 3", 0, "found"),
        ("log --log vast --reverse", 1, no_tile),
        ("log --log vast --author pl --kind approve", 1, no_tile),
        ("export --log vast", 1, no_tile),
        ("export --log vast --format csv --out vast.csv", 1, no_tile),
        ("show #4 --log vast", 2, "18 air defence systems"),
        ("show abcd1234 --log vast", 1, no_tile),
        ("prove #4 --log vast", 1, no_tile),
        ("prove abcd1234 --log vast", 1, no_tile),
        ("check vast/public/checkpoint", 2, "nothing to check it by"),
        ("accept abcd1234 --log vast --as ua --draft a.draft --yes", 1, "this log does not verify"),
    ] {
        let (ended, said) = run(folder.path(), line);
        assert_eq!((ended, said.contains(what)), (code, true), "{line}: {said}");
    }
    // Without the tiles that prove the first entries, too.
    let bare = objects.into_iter().filter(|(name, _)| !name.starts_with("public/tile/7")).collect();
    write(&bare, &folder.path().join("bare"));
    for (line, what) in [("verify bare", gap), ("log --log bare", "tile/7/000.p/16 is missing")] {
        let (ended, said) = run(folder.path(), line);
        assert_eq!((ended, said.contains(what)), (1, true), "{line}: {said}");
    }
}

#[test]
fn a_few_missing_bundles_are_found_one_by_one_and_many_in_a_row_as_one_gap() {
    let all = forge(&leaves(17 * 256));
    let policy = model().policy(false);
    let held = Held { policy: Some(&policy), ..Held::default() };
    let found_without = |missing: std::ops::Range<u64>| {
        let mut objects = all.clone();
        for number in missing {
            objects.remove(&format!("public/{}", TilePath::at(Level::Entries, number, 17 * 256).unwrap()));
        }
        let found = verified(&Memory::holding(objects), held).0;
        let about = |found: Found| match found {
            Found::Object(finding) => Some((finding.name, finding.trouble)),
            Found::Entry(_) => None,
        };
        found.into_iter().filter_map(about).collect::<Vec<_>>()
    };
    let few = found_without(1..16);
    let missing = few.iter().filter(|(_, trouble)| *trouble == Trouble::Missing).count();
    assert_eq!((missing, few.last().unwrap().1.code()), (15, "root"));
    let gap = Trouble::Gap { missing: true, from: 256, size: 17 * 256 };
    assert_eq!(found_without(1..17), [("tile/entries/001".to_owned(), gap)]);
    let gap = Trouble::Gap { missing: true, from: 0, size: 17 * 256 };
    assert_eq!(found_without(0..16), [("tile/entries/000".to_owned(), gap)]);
}

/// A log that answers with its first bundle whatever bundle is asked for.
struct Repeating(Memory);

impl Read for Repeating {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let name = if name.starts_with("public/tile/entries/") { "public/tile/entries/000" } else { name };
        self.0.get(name, limit)
    }
}

#[test]
fn bundles_that_repeat_for_ever_end_the_audit() {
    let store = Repeating(Memory::holding(forge(&leaves(256))));
    let mut found = Vec::new();
    let mut report = |f| found.push(f);
    let audit = Audit::new(&store, Options { quick: true }, &mut report);
    let report = audit.run(CLAIMED, &|_| {}).unwrap();
    let Some(Found::Object(last)) = found.last() else { panic!("{:?}", found.last()) };
    // The first bundle is in its place; 16 follow that are not, and the rest of their batch of four.
    let gap = Trouble::Gap { missing: false, from: report.history.head().size, size: CLAIMED };
    assert_eq!((&*last.name, &last.trouble), ("tile/entries/020", &gap));
    let said = "comes after 16 bundles without an entry in its place: the ";
    assert!(last.trouble.to_string().starts_with(said), "{}", last.trouble);
}

#[test]
fn a_resumed_audit_says_from_which_entry_on_it_did_not_look() {
    let leaves = leaves(300);
    let (mut log, mut builder) = (SmallLog::empty(), TileBuilder::default());
    for leaf in &leaves {
        builder.push(leaf_hash(leaf));
        log.push(leaf.clone());
    }
    let store = Memory::holding(forge(&leaves));
    let mut found = Vec::new();
    let mut report = |f| found.push(f);
    let audit = Audit::resume(&store, Options::default(), log.history().clone(), builder, &mut report);
    let report = audit.run(CLAIMED, &|_| {}).unwrap();
    assert_eq!((report.root, report.history.head().size), (log.root(), 300));
    let trouble = Trouble::Gap { missing: true, from: 300, size: CLAIMED };
    assert_eq!(found, [Found::Object(ObjectFinding { name: "tile/entries/001".to_owned(), trouble })]);
}
