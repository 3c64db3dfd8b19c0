//! A log and all who deal with it over a network, as processes: killed, cut off, out of room, by wrong clocks, and all at once.
//!
//! Clients keep what they were given. After each blow all of it must be honoured: the same index, the same bytes, under
//! checkpoints of one history.
//!
//! ```text
//! SERVANDA_SERVE_KILLS=100   how many kills of a server under load     SERVANDA_SOAK_SECONDS=600   how long the soak lasts
//! ```

mod clocks;
mod cut;
mod full;
mod kills;
mod soak;

use super::Dice;
use crate::cli_verify::World;
use crate::net::Answer;
use crate::net::writing::{Given, given, post};
use crate::support::check_log::check_log;
use crate::support::small_log::{PARTNERS, SmallLog, at, handle, key_set, log_vkey, pledge, terms};
use servanda::armor::File;
use servanda::codec::encode;
use servanda::draft::Draft;
use servanda::entry::SignedEntry;
use servanda::field::{Class, Duration as Span, Handle};
use servanda::hash::{Hash, leaf_hash};
use servanda::policy::Policy;
use servanda::statement::{self, Act, Head, Statement};
use servanda::store::dir::PublicDir;
use servanda::tlog_proof::TlogProof;
use servanda::trust::Trust;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything is waited for that must come.
const PATIENCE: Duration = Duration::from_secs(90);

/// The time that all go by; the small logs' own is earlier.
const NOW: &str = crate::net::writing::NOW;

/// Waits until something holds.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "it never came: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Tells the others that it is over, also where a test gives way.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A port that nobody uses, outside of those that the system gives to clients: it stays a server's over its restarts.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let start = 20_000 + u16::try_from(std::process::id() % 100).unwrap() * 100;
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed) % 100;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A part of the network: a process that can be killed and started again.
struct Part {
    name: &'static str,
    folder: PathBuf,
    words: Vec<String>,
    /// The network namespace that it is in, if not this one.
    within: Option<String>,
    child: Option<Child>,
}

impl Part {
    fn new(folder: PathBuf, name: &'static str, words: &str) -> Self {
        let words = words.split(' ').map(str::to_owned).collect();
        Self { name, folder, words, within: None, child: None }
    }

    /// Starts it, and does not wait until it is ready.
    fn spawn(&mut self, stdout: Stdio) {
        assert!(self.child.is_none(), "{} runs", self.name);
        let binary = env!("CARGO_BIN_EXE_servanda");
        let mut command = match &self.within {
            None => Command::new(binary),
            Some(space) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", space, binary]);
                command
            }
        };
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
            command.env_remove(name);
        }
        let told = fs::OpenOptions::new().create(true).append(true).open(self.told_in()).unwrap();
        command.env("XDG_STATE_HOME", self.folder.join(format!("{}.home", self.name)));
        command.current_dir(&self.folder).args(&self.words).stdin(Stdio::null()).stdout(stdout).stderr(told);
        self.child = Some(command.spawn().unwrap());
    }

    /// Starts a server, and waits until it listens.
    fn start(&mut self) {
        self.spawn(Stdio::piped());
        let stdout = self.child.as_mut().unwrap().stdout.take().unwrap();
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert!(line.contains("http"), "{} did not start: {}", self.name, self.told());
    }

    /// kill -9; tells whether it still ran.
    fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return false };
        let ran = child.try_wait().unwrap().is_none();
        let _ = child.kill();
        child.wait().unwrap();
        ran
    }

    /// Gives it another clock, from its next start on.
    fn goes_by(&mut self, now: &str) {
        let place = self.words.iter().position(|word| word == "--now").unwrap();
        self.words[place + 1] = now.to_owned();
    }

    /// The exit code, if it has ended by itself.
    fn ended(&mut self) -> Option<i32> {
        let code = self.child.as_mut()?.try_wait().unwrap()?.code();
        self.child = None;
        code
    }

    /// What it said on standard error, in all its runs.
    fn told(&self) -> String {
        fs::read_to_string(self.told_in()).unwrap_or_default()
    }

    fn told_in(&self) -> PathBuf {
        self.folder.join(format!("{}.told", self.name))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let told = self.told();
            let tail: Vec<&str> = told.lines().rev().take(12).collect();
            eprintln!("- {} said last -", self.name);
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// Gives a world its operator's keys, and a trust file with all key sets in it, so that proofs and promises are checked by it alone.
fn equip(log: &SmallLog) -> World {
    let world = crate::net::writing::world(log);
    let mut trust = crate::cli_verify::trust(log);
    for name in PARTNERS.into_iter().chain(["operator"]) {
        trust.partners.insert(handle(name), key_set(name));
    }
    world.write("trust.toml", trust.to_string());
    world
}

/// Makes witnesses for the world's log: their parts, and the policy `policy` that asks for all of them.
fn witnesses<const N: usize>(world: &World, names: [&'static str; N]) -> [Part; N] {
    world.write("logs", format!("logs/v0\nvkey {}\nqpd 86400\ncontact someone\n", log_vkey()));
    let mut policy = format!("log {}\n", log_vkey());
    let parts = names.map(|name| {
        world.run(&format!("keygen --witness {name}.example keys/{name} --no-passphrase")).ends(0);
        let vkey = String::from_utf8(world.read(&format!("keys/{name}.vkey"))).unwrap();
        let port = free_port();
        policy += &format!("witness {name} {} http://127.0.0.1:{port}/\n", vkey.trim_end());
        let words = format!(
            "witness {name} --log-list logs --key keys/{name} --listen 127.0.0.1:{port} --trace warn --now {NOW}"
        );
        Part::new(world.path("."), name, &words)
    });
    policy += &format!("group all all {}\nquorum all\n", names.join(" "));
    pin(world, &policy);
    parts
}

/// Makes this the policy of the world's server and of its readers.
fn pin(world: &World, policy: &str) {
    world.write("policy", policy);
    let trust = String::from_utf8(world.read("trust.toml")).unwrap();
    let mut trust = Trust::parse(&trust).unwrap();
    trust.policy = policy.parse().unwrap();
    world.write("trust.toml", trust.to_string());
}

/// The world's server that takes statements, and its address.
fn serving(world: &World, log: &str, more: &str) -> (Part, SocketAddr) {
    let port = free_port();
    let words = format!(
        "serve {log} --log-key keys/log --operator-key keys/operator --listen 127.0.0.1:{port} --rate 0 \
         --partner-rate 0 --trace warn --now {NOW}{more}"
    );
    (Part::new(world.path("."), "serve", &words), SocketAddr::from(([127, 0, 0, 1], port)))
}

/// The answer to a request; none where there was no connection, or it was cut off.
fn ask(address: SocketAddr, request: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    stream.write_all(request.as_bytes()).ok()?;
    Answer::read_whole(&mut BufReader::new(stream))
}

fn get(address: SocketAddr, path: &str) -> Option<Answer> {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
}

/// Someone who speaks in the name of a partner, and remembers the places in its chains.
struct Speaker {
    name: Handle,
    /// What its clock says.
    now: &'static str,
    log: Hash,
    seen: Head,
    chains: BTreeMap<u8, (u64, Hash)>,
}

/// A statement that was signed.
#[derive(Clone)]
struct Letter {
    text: String,
    id: Hash,
}

impl Speaker {
    fn new(log: &SmallLog, name: &str) -> Self {
        let name = handle(name);
        let chain = |class: Class| {
            let chain = log.history().chain(&name, class);
            (class.number(), (chain.seq, chain.prev))
        };
        let chains = [Class::Commit, Class::Operate, Class::Observe].map(chain).into();
        Self { name, now: NOW, log: log.log_id(), seen: log.history().head(), chains }
    }

    /// Signs the next statement of the act's usual class; its place is taken once it is [`Self::said`].
    fn sign(&self, act: &Act) -> (Letter, Class) {
        let class = act.kind().classes()[0];
        let (seq, prev) = self.chains[&class.number()];
        let statement = Statement {
            version: statement::VERSION,
            log: self.log,
            author: self.name.clone(),
            class: class.number(),
            seq,
            prev,
            seen: self.seen,
            issued_at: at(self.now),
            expires_at: at(self.now).plus(Span::of_days(7)),
            kind: act.kind().number(),
            body: act.encode_body().into(),
        };
        let id = statement::id(&encode(&statement));
        let officers: &[u8] = if class == Class::Commit { &[0, 1] } else { &[3] };
        let sign = |n: &u8| {
            let key = crate::support::small_log::key(&format!("{}/{n}", self.name));
            statement::sign(&id, *n, &key)
        };
        let mut draft = Draft::new(&statement, None).unwrap();
        draft.signatures = officers.iter().map(sign).collect::<Vec<_>>().into();
        (Letter { text: File::Statement.write(&draft).unwrap(), id }, class)
    }

    /// It is in the log.
    fn said(&mut self, letter: &Letter, class: Class) {
        let chain = self.chains.get_mut(&class.number()).unwrap();
        *chain = (chain.0 + 1, letter.id);
    }
}

/// What someone was given for a statement, as it came.
struct Paper {
    letter: Letter,
    given: Given,
    body: Vec<u8>,
}

impl Paper {
    fn of(letter: &Letter, answer: &Answer) -> Self {
        Self { letter: letter.clone(), given: given(answer, letter.id), body: answer.body.clone() }
    }
}

/// Sends a statement once; none: it is not known what became of it, or the server says to send it again.
fn send(address: SocketAddr, path: &str, letter: &Letter) -> Option<Answer> {
    ask(address, &post(path, &letter.text)).filter(|answer| !matches!(answer.status, 429 | 503 | 507))
}

/// Sends a statement until it is known what became of it.
#[track_caller]
fn send_until(address: SocketAddr, path: &str, letter: &Letter) -> Answer {
    let mut answer = None;
    until("an answer to a statement", || {
        answer = send(address, path, letter);
        answer.is_some()
    });
    answer.unwrap()
}

/// The leaves of a published log, after all its objects were derived from them again and verified.
fn leaves(world: &World, log: &str) -> Vec<Vec<u8>> {
    let policy = Policy::of(&[log_vkey()], &[], None).unwrap();
    check_log(&PublicDir::open(&world.path(log).join("public")).unwrap(), &policy)
}

/// Everything that anyone was given holds: for the binary, offline, and of the log as it is now. Gives the log's leaves.
fn honoured(world: &World, log: &str, papers: &[Paper]) -> Vec<Vec<u8>> {
    let leaves = leaves(world, log);
    let ids: Vec<Hash> = leaves.iter().map(|leaf| SignedEntry::decode(leaf).unwrap().id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "no statement is there twice");
    let mut builder = servanda::merkle::builder::TileBuilder::default();
    let mut roots = vec![builder.root()];
    for leaf in &leaves {
        builder.push(leaf_hash(leaf));
        roots.push(builder.root());
    }
    let _ = fs::create_dir(world.path("papers"));
    let mut files = Vec::new();
    for (n, paper) in papers.iter().enumerate() {
        let index = usize::try_from(paper.given.index()).unwrap();
        assert!(index < leaves.len(), "entry {index} was given, the log has {}", leaves.len());
        assert!(leaves[index] == paper.given.entry(), "entry {index} is another than was given");
        assert_eq!(ids[index], paper.letter.id, "entry {index}");
        let kind = match &paper.given {
            Given::Promise(..) => "promise",
            Given::Proof(..) => {
                let note = TlogProof::parse(&paper.body).unwrap().checkpoint;
                let signed = servanda::checkpoint::SignedCheckpoint::parse(note.as_bytes()).unwrap();
                let (size, root) = (usize::try_from(signed.claim().size).unwrap(), signed.claim().root);
                assert!(size < roots.len() && roots[size] == root, "another history of {size} was proved");
                "tlog-proof"
            }
        };
        let name = format!("papers/{n}.{kind}");
        world.write(&name, &paper.body);
        files.push(name);
    }
    for files in files.chunks(400) {
        world.run(&format!("check {} --trust trust.toml", files.join(" "))).ends(0);
    }
    leaves
}

/// The size of the published checkpoint.
fn published(world: &World) -> u64 {
    let note = String::from_utf8(world.read("paris/public/checkpoint")).unwrap();
    note.lines().nth(1).unwrap().parse().unwrap()
}

/// The ledger's digest and the size, as `verify` derives them from what lies somewhere.
fn ledger(world: &World, place: &str) -> (String, u64) {
    let said = world.run(&format!("verify {place} --trust trust.toml --json")).ends(0).json();
    (said["ledger"].as_str().expect("a digest").to_owned(), said["size"].as_u64().expect("a size"))
}
