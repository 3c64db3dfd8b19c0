//! Disks that are full or fail: a server's, a witness's, a monitor's and a mirror's, each on a small file system that is filled up.

use super::*;
use crate::machine::full::Mount;
use crate::machine::{skipped, tool};
use crate::support::small_log::review;
use serde_json::Value;
use servanda::hash::sha256;
use servanda::store::index::Index;
use std::fs::File as Disk;

/// How many ids take more room than an index keeps in memory.
const IDS: u64 = 300_000;

/// A block of these file systems, in bytes.
const BLOCK: u64 = 4096;

/// A small file system, and the file that fills it up.
struct Small {
    _mount: Mount,
    filler: PathBuf,
}

impl Small {
    /// Mounts one; none where that cannot be done here.
    fn at(folder: &std::path::Path) -> Option<Self> {
        let mount = Mount::new(&["-t", "tmpfs", "-o", "size=12m", "none"], folder)?;
        Some(Self { _mount: mount, filler: folder.join("filler") })
    }

    /// Fills it up but for so many blocks.
    fn fill(&self, but: u64) {
        let mut file = Disk::create(&self.filler).unwrap();
        let block = vec![1; usize::try_from(BLOCK).unwrap()];
        while file.write_all(&block).is_ok() {}
        let full = file.metadata().unwrap().len() / BLOCK;
        file.set_len((full - but) * BLOCK).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(&self.filler).unwrap();
    }
}

#[test]
fn a_server_without_room_says_so_loses_nothing_and_goes_on_when_there_is_some() {
    let log = SmallLog::ready();
    let world = equip(&log);
    let Some(small) = Small::at(&world.path("disk")) else { return };
    super::super::copy(&world.path("paris"), &world.path("disk/paris"));
    let (mut server, address) = serving(&world, "disk/paris", " --guard guard");
    world.write("guard", "");
    server.start();
    let (mut speaker, mut papers, mut full) = (Speaker::new(&log, "de"), Vec::new(), 0);
    for (round, but) in [0, 1, 2, 3, 4, 6, 9, 14, 30].into_iter().enumerate() {
        small.fill(but);
        let (mut n, started) = (0, Instant::now());
        let open = loop {
            n += 1;
            let (letter, class) = speaker.sign(&pledge(&["ua"], terms(&format!("{round} {n}"))));
            let path = if n % 2 == 0 { "/add" } else { "/add?wait=durable" };
            let answer = ask(address, &post(path, &letter.text)).expect("an answer");
            match answer.status {
                200 | 202 => {
                    papers.push(Paper::of(&letter, &answer));
                    speaker.said(&letter, class);
                }
                507 => break (letter, class),
                status => panic!("{status}: {}", answer.text()),
            }
            assert!(started.elapsed() < PATIENCE, "it never was full, with {but} blocks");
        };
        full += 1;
        assert_eq!(get(address, "/readyz").unwrap().status, 503, "it says that it does not write");
        assert_eq!(get(address, "/checkpoint").unwrap().status, 200, "it serves what there is");
        // What is there can be verified all the time.
        world.run("verify disk/paris --trust trust.toml").ends(0);
        if round % 3 == 2 {
            server.kill();
        }
        small.make_room();
        if round % 3 == 2 {
            server.start();
        }
        let answer = send_until(address, "/add", &open.0);
        papers.push(Paper::of(&open.0, &answer));
        speaker.said(&open.0, open.1);
        until("it is ready", || get(address, "/readyz").is_some_and(|answer| answer.status == 200));
    }
    server.kill();
    assert!(server.told().contains("No space left on device"), "{}", server.told());
    let leaves = honoured(&world, "disk/paris", &papers);
    assert_eq!(leaves.len(), usize::try_from(log.size()).unwrap() + papers.len());
    eprintln!("{full} times full, {} statements in the end", papers.len());
}

#[test]
fn a_witness_without_room_cosigns_nothing_and_the_log_is_published_when_there_is_some() {
    let log = SmallLog::ready();
    let world = equip(&log);
    let Some(small) = Small::at(&world.path("w1")) else { return };
    let [mut w1, mut w2] = witnesses(&world, ["w1", "w2"]);
    let (mut server, address) = serving(&world, "paris", " --policy policy");
    w1.start();
    w2.start();
    server.start();
    let mut speaker = Speaker::new(&log, "de");
    let mut say = |path: &str, title: &str| {
        let (letter, class) = speaker.sign(&pledge(&["ua"], terms(title)));
        let answer = send_until(address, path, &letter);
        speaker.said(&letter, class);
        Paper::of(&letter, &answer)
    };
    let mut papers = vec![say("/add", "before")];
    until("the first is cosigned", || published(&world) > log.size());
    small.fill(0);
    let before = published(&world);
    papers.push(say("/add?wait=durable", "without room"));
    let unready =
        || get(address, "/readyz").is_some_and(|a| a.status == 503 && a.text().contains("no quorum"));
    until("it has no quorum", unready);
    papers.push(say("/add?wait=durable", "without room, again"));
    assert_eq!(published(&world), before, "nothing is published without its quorum");
    assert!(w1.told().contains("No space left on device"), "{}", w1.told());
    small.make_room();
    until("all is cosigned", || published(&world) == log.size() + 3);
    papers.push(say("/add", "after"));
    w1.kill();
    w1.start();
    papers.push(say("/add", "after a restart"));
    server.kill();
    honoured(&world, "paris", &papers);
}

#[test]
fn a_monitor_or_a_mirror_without_room_ends_with_a_hint_and_the_next_run_tells_all_of_it_once() {
    let log = SmallLog::ready();
    let world = equip(&log);
    let Some(small) = Small::at(&world.path("disk")) else { return };
    let (mut server, address) = serving(&world, "paris", "");
    server.start();
    let words =
        format!("monitor http://{address} --trust trust.toml --state disk/m --interval 1 --now {NOW}");
    world.run(&format!("{words} --once")).ends(0);
    world.run("mirror paris disk/copy --trust trust.toml").ends(0);
    let mut monitor = Part::new(world.path("."), "m", &words);
    monitor.spawn(Stdio::null());
    small.fill(0);
    let mut speaker = Speaker::new(&log, "de");
    for n in 0..20 {
        let (letter, class) = speaker.sign(&pledge(&["ua"], terms(&format!("pledge {n}"))));
        assert_eq!(send_until(address, "/add", &letter).status, 200);
        speaker.said(&letter, class);
    }
    let mut code = None;
    until("the monitor ends", || {
        code = monitor.ended();
        code.is_some()
    });
    assert_eq!(code, Some(2), "{}", monitor.told());
    let told = monitor.told();
    assert!(told.contains("No space left on device") && told.contains("hint: "), "{told}");
    assert!(!told.contains("panicked"), "{told}");
    world
        .run("mirror paris disk/copy --trust trust.toml")
        .ends(2)
        .says("No space left on device")
        .says("hint:");
    world.run("verify disk/copy --trust trust.toml").ends(0);
    small.make_room();
    world.run("mirror paris disk/copy --trust trust.toml").ends(0);
    assert_eq!(ledger(&world, "disk/copy"), ledger(&world, "paris"));
    let said = world.run(&format!("{words} --once --json")).ends(0);
    let alerts = said.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let pledged: Vec<_> = alerts.filter(|alert| alert["kind"] == "pledged").collect();
    assert_eq!(pledged.len(), 20, "{pledged:#?}");
}

/// Makes all reads of a file by a process fail, until it is dropped; none where that cannot be done here.
struct Unreadable(Child);

impl Unreadable {
    fn of(pid: u32, file: &std::path::Path) -> Option<Self> {
        if tool("strace", &["-qq", "-o", "/dev/null", "true"]).is_none() {
            skipped("strace is missing, or may not trace here");
            return None;
        }
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=pread64:error=EIO", "-P"]).arg(file);
        let tracing = Self(command.args(["-p", &pid.to_string()]).stderr(Stdio::null()).spawn().unwrap());
        let tasks = PathBuf::from(format!("/proc/{pid}/task"));
        until("it is traced", || {
            let mut all = fs::read_dir(&tasks).unwrap().flatten();
            all.all(|task| {
                let about = fs::read_to_string(task.path().join("status")).unwrap_or_default();
                !about.contains("TracerPid:\t0\n")
            })
        });
        Some(tracing)
    }
}

impl Drop for Unreadable {
    fn drop(&mut self) {
        // It lets go of the process, and ends.
        let _ = tool("kill", &["-INT", &self.0.id().to_string()]);
        let _ = self.0.wait();
    }
}

#[test]
fn an_index_of_ids_that_failed_once_is_made_anew_and_the_same_statement_gets_its_index() {
    let mut log = SmallLog::ready();
    while log.size() < 400 {
        log.say("de", review(20_000));
    }
    let world = equip(&log);
    let letter = |n: usize| {
        let entry = log.entry(n);
        let mut draft = Draft::new(&entry.statement, None).unwrap();
        draft.signatures = entry.entry.signatures.clone();
        Letter { text: File::Statement.write(&draft).unwrap(), id: entry.id }
    };
    let (mut server, address) = serving(&world, "paris", "");
    // So many ids that not all of them are in memory, all but those of the log made up.
    let path = world.path("paris/private/index.redb");
    let ids = (0..400_u64).map(|n| (log.entry(usize::try_from(n).unwrap()).id, n));
    let ids: Vec<_> = ids.chain((400..IDS).map(|n| (sha256(&n.to_be_bytes()), n))).collect();
    let index = Index::open(&path).unwrap();
    index.add(&ids, 400, leaf_hash(log.leaves().last().unwrap())).unwrap();
    drop(index);
    server.start();
    let pid = server.child.as_ref().unwrap().id();
    let Some(unreadable) = Unreadable::of(pid, &path.canonicalize().unwrap()) else { return };
    // One of these is not in memory.
    let failed = (6..200).find(|n| {
        let answer = ask(address, &post("/add", &letter(*n).text)).expect("an answer");
        assert!(matches!(answer.status, 200 | 503), "{}: {}", answer.status, answer.text());
        answer.status == 503
    });
    drop(unreadable);
    let failed = failed.expect("a read that fails");
    let paper = Paper::of(&letter(failed), &send_until(address, "/add", &letter(failed)));
    assert_eq!(usize::try_from(paper.given.index()).unwrap(), failed);
    server.kill();
    honoured(&world, "paris", &[paper]);
}
