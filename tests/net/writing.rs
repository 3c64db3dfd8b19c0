//! Statements sent to a server: proofs and promises come back, refusals say why, and nothing that was given is ever broken.

use super::{Answer, Server};
use crate::cli_verify::World;
use crate::support::small_log::{SmallLog, accede, at, handle, key, key_set, log_vkey, pledge, short, terms};
use serde_json::Value;
use servanda::armor::File;
use servanda::charter::Partner;
use servanda::codec::encode;
use servanda::draft::Draft;
use servanda::entry::SignedEntry;
use servanda::field::{Class, Duration as Span, Handle, Role};
use servanda::hash::{Hash, leaf_hash};
use servanda::key::openssh::write_private;
use servanda::policy::Policy;
use servanda::promise::Promise;
use servanda::statement::{self, Act, Head, Signature, Statement};
use servanda::tlog_proof::TlogProof;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The time of servers here; the small logs' own is earlier.
pub const NOW: &str = "2026-12-02T12:00Z";

/// The options of a server that takes statements.
pub const WRITING: [&str; 6] = ["--log-key", "keys/log", "--operator-key", "keys/operator", "--now", NOW];

/// Without limits on who says how much.
const FAST: [&str; 4] = ["--rate", "0", "--partner-rate", "0"];

/// A log at `paris`, and its operator's keys.
pub fn world(log: &SmallLog) -> World {
    let world = World::with(log);
    fs::create_dir(world.path("keys")).unwrap();
    for (file, name) in [("keys/log", "operator/checkpoint"), ("keys/operator", "operator/0")] {
        world.write(file, write_private(&key(name), name, None).unwrap().as_bytes());
        fs::set_permissions(world.path(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    world
}

/// Serves the log at `paris`, and takes statements.
pub fn start(world: &World, options: &[&str]) -> Server {
    Server::start(&world.path("."), "paris", &[&WRITING[..], options].concat())
}

/// The name of one of many partners.
fn many(n: usize) -> String {
    format!("p{n:02}")
}

/// A log of so many more partners, all acceded.
pub fn crowd(count: usize) -> SmallLog {
    let mut log = SmallLog::founded_with(|found| {
        for n in 0..count {
            let name = many(n);
            found.charter.partners.push(Partner {
                handle: handle(&name),
                name: short(&format!("Partner {name}")),
                roles: [Role::Guarantor].into_iter().collect(),
                keys: key_set(&name).digest(&handle(&name)),
            });
        }
    });
    for n in 0..count {
        log.say(&many(n), accede(&many(n)));
    }
    for name in crate::support::small_log::PARTNERS {
        log.say(name, accede(name));
    }
    assert_eq!(log.findings(), []);
    log
}

/// Someone who says one thing after the other.
pub struct Author {
    name: Handle,
    log: Hash,
    seen: Head,
    seq: u64,
    prev: Hash,
}

impl Author {
    pub fn new(log: &SmallLog, name: &str) -> Self {
        let chain = log.history().chain(&handle(name), Class::Commit);
        let (log, seen) = (log.log_id(), log.history().head());
        Self { name: handle(name), log, seen, seq: chain.seq, prev: chain.prev }
    }

    /// The next statement: armoured, with its id.
    pub fn say(&mut self, act: &Act) -> (String, Hash) {
        let statement = Statement {
            version: statement::VERSION,
            log: self.log,
            author: self.name.clone(),
            class: Class::Commit.number(),
            seq: self.seq,
            prev: self.prev,
            seen: self.seen,
            issued_at: at(NOW),
            expires_at: at(NOW).plus(Span::of_days(7)),
            kind: act.kind().number(),
            body: act.encode_body().into(),
        };
        let id = statement::id(&encode(&statement));
        self.seq += 1;
        self.prev = id;
        let officers = [0, 1].map(|n| statement::sign(&id, n, &key(&format!("{}/{n}", self.name))));
        (armoured(&statement, officers.to_vec()), id)
    }

    pub fn pledge(&mut self, title: &str) -> (String, Hash) {
        self.say(&pledge(&["ua"], terms(title)))
    }
}

fn armoured(statement: &Statement, signatures: Vec<Signature>) -> String {
    let mut draft = Draft::new(statement, None).unwrap();
    draft.signatures = signatures.into();
    File::Statement.write(&draft).unwrap()
}

pub fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// What came back for a statement: verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// The index and the entry that was proved.
    Proof(u64, Vec<u8>),
    /// The promise.
    Promise(u64, Vec<u8>),
}

/// Verifies what a server answered.
pub fn given(answer: &Answer, id: Hash) -> Given {
    let of = |entry: &[u8], index: u64| {
        let e = SignedEntry::decode(entry).unwrap();
        assert_eq!((e.id, e.entry.index), (id, index));
    };
    match answer.status {
        200 => {
            let proof = TlogProof::parse(&answer.body).unwrap();
            let entry = proof.extra.clone().unwrap();
            let policy = Policy::of(&[log_vkey()], &[], None).unwrap();
            proof.verify(&leaf_hash(&entry), &policy).expect("the proof holds");
            of(&entry, proof.index);
            Given::Proof(proof.index, entry)
        }
        202 => {
            let promise: Promise = File::Promise.read(&answer.body).unwrap();
            let set = key_set("operator");
            let keys = set.admit(&Handle::operator()).unwrap();
            promise.check(&servanda::roster::InForce { set, keys, since: 0 }).expect("the promise holds");
            of(&promise.entry, promise.index);
            Given::Promise(promise.index, promise.entry.0)
        }
        status => panic!("{status}: {}", answer.text()),
    }
}

impl Given {
    pub fn index(&self) -> u64 {
        match self {
            Self::Proof(index, _) | Self::Promise(index, _) => *index,
        }
    }

    pub fn entry(&self) -> &[u8] {
        match self {
            Self::Proof(_, entry) | Self::Promise(_, entry) => entry,
        }
    }
}

fn problem(answer: &Answer, status: u16, name: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.field("content-type"), Some("application/problem+json"));
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((&said["type"], &said["status"]), (&format!("/problems/{name}").into(), &status.into()));
    said
}

#[test]
fn a_statement_is_answered_with_its_proof_and_goes_in_once() {
    let log = SmallLog::ready();
    let world = world(&log);
    let server = start(&world, &[]);
    let mut de = Author::new(&log, "de");
    let (first, id) = de.pledge("tanks");
    let answer = server.ask(&post("/add", &first));
    let proof = given(&answer, id);
    assert_eq!(proof.index(), 6);
    for path in ["/add", "/add?wait=durable"] {
        assert_eq!(given(&server.ask(&post(path, &first)), id), proof, "the same again");
    }
    let (second, id) = de.pledge("aircraft");
    let promise = given(&server.ask(&post("/add?wait=durable", &second)), id);
    assert!(matches!(promise, Given::Promise(7, _)), "{promise:?}");
    assert_eq!(given(&server.ask(&post("/add", &second)), id), Given::Proof(7, promise.entry().to_vec()));
    problem(&server.get("/promised/7", ""), 404, "not-there");
    problem(&server.get("/promised/8", ""), 404, "not-there");
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
    world.run("verify paris").ends(0).says("verified: no findings");
}

#[test]
fn what_does_not_go_in_is_told_why() {
    let log = SmallLog::ready();
    let world = world(&log);
    let server = start(&world, &[]);
    let mut de = Author::new(&log, "de");
    let add = |text: &str| server.ask(&post("/add", text));
    // A rule, and its code.
    let mut to_nobody = Author::new(&log, "fr");
    let said = problem(&add(&to_nobody.say(&pledge(&["xx"], terms("tanks"))).0), 422, "refused");
    assert_eq!((&said["rule"], &said["findings"][0]["code"]), (&"no-partner".into(), &"no-partner".into()));
    // Out of its place.
    de.pledge("not sent");
    let said = problem(&add(&de.pledge("tanks").0), 409, "outdated");
    assert_eq!(said["rule"], "wrong-seq");
    // Another's signature.
    let statement = log.draft("pl", pledge(&["ua"], terms("tanks")));
    let forged = log.sign_as(&statement, &[(0, "de/0"), (1, "de/1")]);
    let said = problem(&add(&armoured(&statement, forged)), 422, "refused");
    assert_eq!(said["rule"], "bad-signature");
    problem(&add(&armoured(&statement, Vec::new())), 400, "no-statement");
    for garbage in
        ["", "garbage", "-----BEGIN SERVANDA STATEMENT-----\nAAAA\n-----END SERVANDA STATEMENT-----\n"]
    {
        problem(&add(garbage), 400, "no-statement");
    }
    problem(&add(&"x".repeat(129 << 10)), 413, "too-long");
    problem(&server.ask(&post("/add?wait=for-ever", "x")), 400, "no-question");
    problem(&server.get("/add", ""), 405, "method");
    // None of it is there.
    assert_eq!(server.get("/entries/6", "").status, 404);
    let about = server.get("/problems/refused", "");
    assert!(about.status == 200 && about.text().contains("422"), "{about:?}");
}

#[test]
fn sixty_four_clients_share_commits() {
    const CLIENTS: usize = 64;
    const EACH: usize = 4;
    let log = crowd(CLIENTS);
    let world = world(&log);
    let server = start(&world, &FAST);
    let indexes: BTreeSet<u64> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let mut author = Author::new(&log, &many(n));
                let server = &server;
                scope.spawn(move || {
                    let stream = server.connect();
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let mut say = |n| {
                        let (text, id) = author.pledge(&format!("pledge {n}"));
                        (&stream).write_all(post("/add", &text).as_bytes()).unwrap();
                        given(&Answer::read(&mut reader, false), id)
                    };
                    (0..EACH).map(|n| say(n).index()).collect::<Vec<_>>()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(indexes, (log.size()..log.size() + 256).collect());
    let metrics = server.get("/metrics", "");
    let count = |name: &str| -> u64 {
        let line = metrics.text().lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("{name}: {}", metrics.text()))
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    assert_eq!(count("servanda_submissions_total{outcome=\"new\"}"), 256);
    assert_eq!(count("servanda_statement_seconds_count{state=\"durable\"}"), 256);
    assert_eq!(count("servanda_statement_seconds_count{state=\"published\"}"), 256);
    assert_eq!(count("servanda_statement_seconds_count{state=\"cosigned\"}"), 0);
    assert!(count("servanda_rounds_total") < 128, "statements share rounds: {}", metrics.text());
    drop(server);
    world.run("verify paris").ends(0);
}

#[test]
fn whatever_was_given_is_honoured_after_a_kill() {
    const CLIENTS: usize = 8;
    let log = crowd(CLIENTS);
    let world = world(&log);
    let mut all: Vec<(String, Hash, Given)> = Vec::new();
    let mut authors: Vec<Author> = (0..CLIENTS).map(|n| Author::new(&log, &many(n))).collect();
    for run in 0..3 {
        let server = start(&world, &FAST);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let clients: Vec<_> = authors
                .iter_mut()
                .enumerate()
                .map(|(n, author)| {
                    let (server, is_over) = (&server, &is_over);
                    scope.spawn(move || {
                        let path = if n % 2 == 0 { "/add" } else { "/add?wait=durable" };
                        let mut got = Vec::new();
                        while !is_over.load(Ordering::Relaxed) {
                            let before = (author.seq, author.prev);
                            let (text, id) = author.pledge(&format!("{run} {}", before.0));
                            match answered(server, &post(path, &text)) {
                                Some(answer) => got.push((text, id, given(&answer, id))),
                                // Nobody knows whether it is in: it is sent again below, in its place.
                                None => {
                                    (author.seq, author.prev) = before;
                                    break;
                                }
                            }
                        }
                        got
                    })
                })
                .collect();
            thread::sleep(Duration::from_millis(1500));
            server.signal("KILL");
            is_over.store(true, Ordering::Relaxed);
            all.extend(clients.into_iter().flat_map(|client| client.join().unwrap()));
        });
        drop(server);
        // Whoever asks again learns where it is; a statement that was signed anew would be another one.
        let server = start(&world, &FAST);
        for author in &mut authors {
            let (text, id) = author.pledge(&format!("{run} {}", author.seq));
            all.push((text.clone(), id, given(&server.ask(&post("/add", &text)), id)));
        }
    }
    assert!(all.len() > 3 * CLIENTS, "{}", all.len());
    let server = start(&world, &FAST);
    for (text, id, had) in &all {
        let has = given(&server.ask(&post("/add", text)), *id);
        assert_eq!((has.index(), has.entry()), (had.index(), had.entry()), "{id}");
    }
    drop(server);
    world.run("verify paris").ends(0);
}

/// The answer to a request, unless the server is gone.
fn answered(server: &Server, request: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(server.address()).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).ok()?;
    let mut first = [0];
    (stream.peek(&mut first).ok()? > 0).then_some(())?;
    Answer::read_whole(&mut BufReader::new(stream))
}

#[test]
fn one_partner_cannot_crowd_out_the_others() {
    let log = SmallLog::ready();
    let world = world(&log);
    let server = start(&world, &["--partner-rate", "1"]);
    let (mut de, mut fr) = (Author::new(&log, "de"), Author::new(&log, "fr"));
    for _ in 0..2 {
        let (text, id) = de.pledge("tanks");
        given(&server.ask(&post("/add", &text)), id);
    }
    let refused = server.ask(&post("/add", &de.pledge("tanks").0));
    problem(&refused, 429, "too-often");
    assert!(refused.field("retry-after").is_some());
    let (text, id) = fr.pledge("aircraft");
    given(&server.ask(&post("/add", &text)), id);
    // What others say in a partner's name costs it nothing.
    let statement = log.draft("pl", pledge(&["ua"], terms("tanks")));
    for _ in 0..4 {
        let forged = log.sign_as(&statement, &[(0, "de/0"), (1, "de/1")]);
        problem(&server.ask(&post("/add", &armoured(&statement, forged))), 422, "refused");
    }
    let answer = server.ask(&post("/add", &armoured(&statement, log.sign(&statement))));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn two_servers_do_not_write_one_log() {
    let log = SmallLog::ready();
    let world = world(&log);
    let _server = start(&world, &[]);
    let line = format!("serve paris --listen 127.0.0.1:0 {}", WRITING.join(" "));
    world.run(&line).ends(2).says("another servanda is at work on this log");
    world.run("serve paris --log-key keys/log --operator-key keys/log").ends(2);
}
