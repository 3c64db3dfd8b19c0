//! litewitness (filippo.io/torchwood): a witness that is not ours cosigns our log, asked by the client that the writer uses.
//!
//! Its logs are rows in its database, its key lies in an ssh-agent.

use crate::cli_verify::{World, trust};
use crate::support::missing;
use crate::support::small_log::{ORIGIN, SmallLog, log_vkey, review};
use servanda::agent::Limits;
use servanda::checkpoint::{self, SignedCheckpoint};
use servanda::gather::http::Http;
use servanda::gather::{AskError, Asked, Round, start};
use servanda::policy::Policy;
use servanda::store::dir::Dir;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program to its end; gives what it said.
fn run(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// The version that is built where there is none; it takes Go of 1.27 or later, which an older Go fetches.
const VERSION: &str = "filippo.io/torchwood/cmd/litewitness@v0.10.0";

/// The program: one that is there, else built once and kept beside the tests; none where it cannot be had.
static PROGRAM: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("litewitness");
    let built = folder.join("litewitness");
    for program in [PathBuf::from("litewitness"), built.clone()] {
        if Command::new(&program).arg("--help").stdin(Stdio::null()).output().is_ok() {
            return Some(program);
        }
    }
    for go in ["go", "/usr/local/go/bin/go"] {
        let mut command = Command::new(go);
        command.args(["install", VERSION]).env("GOBIN", &folder).env("GOTOOLCHAIN", "auto");
        match command.env_remove("GOFLAGS").output() {
            Ok(done) if done.status.success() => return Some(built),
            Ok(done) => eprintln!("{}", String::from_utf8_lossy(&done.stderr)),
            Err(_) => {}
        }
    }
    None
});

/// The witness, and how to reach it.
struct Litewitness {
    _folder: TempDir,
    _agent: Running,
    _witness: Running,
    vkey: String,
    url: String,
}

impl Litewitness {
    /// Starts it with one log; none where a program is missing.
    fn start(origin: &str, log_vkey: &str) -> Option<Self> {
        let Some(litewitness) = &*PROGRAM else {
            missing("there is no litewitness, and it cannot be built");
            return None;
        };
        for program in ["ssh-agent", "ssh-add", "ssh-keygen", "sqlite3"] {
            let there = Command::new(program).arg("--help").stdin(Stdio::null()).output();
            if there.is_err() {
                missing(&format!("there is no {program}"));
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (key, socket, database) = (path("key"), path("agent"), path("db"));
        let quiet = |command: &mut Command| {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let agent = Running(quiet(Command::new("ssh-agent").args(["-D", "-a", &socket])));
        wait_for(|| Path::new(&socket).exists().then_some(()));
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]));
        run(Command::new("ssh-add").args(["-q", &key]).env("SSH_AUTH_SOCK", &socket));
        let said = run(Command::new("ssh-keygen").args(["-l", "-f", &key]));
        let fingerprint = said.split(' ').nth(1).unwrap();

        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(litewitness);
        command.args(["-name", "litewitness.example", "-db", &database, "-ssh-agent", &socket]);
        command.args(["-key", fingerprint, "-listen", &free.to_string()]);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let witness = Running(child);
        let mut vkey = None;
        for line in lines.by_ref() {
            let line = line.unwrap();
            if let Some((_, said)) = line.split_once("vkey=") {
                vkey = Some(said.trim_matches('"').to_owned());
            }
            if line.contains("msg=listening") {
                break;
            }
        }
        // What it goes on to say is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let rows = format!(
            "insert into log values ('{origin}', 0, '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');\
             insert into key values ('{origin}', '{log_vkey}');"
        );
        run(Command::new("sqlite3").args(["-cmd", ".timeout 10000", &database, &rows]));
        wait_for(|| std::net::TcpStream::connect(free).ok());
        let vkey = vkey.expect("it says its vkey");
        Some(Self { _folder: folder, _agent: agent, _witness: witness, vkey, url: format!("http://{free}") })
    }
}

fn wait_for<T>(mut there: impl FnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = there() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it never came");
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn litewitness_cosigns_our_log_and_refuses_its_fork() {
    let log_vkey = log_vkey().to_string();
    let Some(witness) = Litewitness::start(ORIGIN, &log_vkey) else { return };
    let text = format!("log {log_vkey}\nwitness lite {} {}\nquorum lite\n", witness.vkey, witness.url);
    let policy: Policy = text.parse().unwrap();
    let http = Http::new(&policy, &Limits::default()).unwrap();

    let mut log = SmallLog::ready();
    let size = usize::try_from(log.size()).unwrap();
    let mut fork = log.cut(size);
    while log.size() < 300 {
        log.say("de", review(20_000));
    }
    let world = World::with(&log);
    let tiles = Dir::open(&world.path("paris")).unwrap();
    let signed = |note: String| SignedCheckpoint::parse(note.as_bytes()).unwrap();

    // It knows nothing, cosigns what is published, and says how far it came by 409.
    let published = signed(log.checkpoint_at(5));
    let found = start::ask_all(Some(&published), log.size(), &policy, &http, &now_s).unwrap();
    assert_eq!((found.lines.len(), found.asked[0].size()), (1, 5));
    let again = start::ask_all(Some(&published), log.size(), &policy, &http, &now_s).unwrap();
    assert_eq!((again.lines.len(), again.asked[0].size()), (0, 5));
    assert!(start::ask_all(Some(&published), 4, &policy, &http, &now_s).is_err(), "a restored backup");

    // From there with a proof, from nothing by way of its 409, and the same again.
    let mut asked = found.asked.into_iter().next().unwrap();
    for size in [6, 256, 300, 300] {
        asked.ask(&signed(log.checkpoint_at(size)), &tiles, &http, &now_s).unwrap();
    }
    let mut asked = Asked::new(policy.witnesses()[0].clone());
    let cosigned = asked.ask(&signed(log.checkpoint()), &tiles, &http, &now_s).unwrap();
    let mut round = Round::new(&log.checkpoint(), &policy).unwrap();
    assert!(round.take(&cosigned) && round.has_quorum());
    assert_eq!(checkpoint::open(round.note().as_bytes(), &policy).unwrap().cosigners()[0].name, "lite");

    // Whoever reads the log under the policy is satisfied with it, and not without.
    let mut pinned = trust(&log);
    pinned.policy = policy;
    world.write("trust.toml", pinned.to_string());
    assert_ne!(world.run("verify paris --trust trust.toml").code, 0);
    world.write("paris/public/checkpoint", round.note());
    world.run("verify paris --trust trust.toml").ends(0).never_says("quorum none");

    // Another history stops the writer.
    while fork.size() < 301 {
        fork.say("fr", review(20_001));
    }
    let forked = World::with(&fork);
    let tiles = Dir::open(&forked.path("paris")).unwrap();
    let refused = asked.ask(&signed(fork.checkpoint()), &tiles, &http, &now_s).unwrap_err();
    assert!(matches!(refused, AskError::Fork { .. }) && refused.stops_the_writer(), "{refused}");
}
