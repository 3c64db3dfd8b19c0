//! `servanda witness`: what the real server answers, case by case; killed, asked by many at once, given another list; and
//! the client that asks witnesses, over HTTP.

use super::{Answer, Server};
use crate::cli_verify::World;
use crate::support::small_log::{SmallLog, key, log_vkey, review};
use servanda::agent::Limits;
use servanda::checkpoint::{self, Checkpoint, SignedCheckpoint};
use servanda::client::Client;
use servanda::cosignature;
use servanda::gather::http::Http;
use servanda::gather::{Asked, Crew, Round, Told, start};
use servanda::hash::{Hash, leaf_hash, sha256};
use servanda::key::vkey::Vkey;
use servanda::merkle::builder::TileBuilder;
use servanda::note::Note;
use servanda::policy::Policy;
use servanda::store::memory::Memory;
use servanda::store::{Read, Store as _};
use servanda::witness::request::{PROOF_MAX, REQUEST_MAX, Request};
use std::fs;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const ORIGIN: &str = "grow.example/log";
const MOMENT: Duration = Duration::from_secs(30);

/// A log whose tiles are known at every size, under a key of its own.
struct Tree {
    store: Memory,
    roots: Vec<Hash>,
}

impl Tree {
    fn of(size: u64, leaf: impl Fn(u64) -> Hash) -> Self {
        let (store, mut builder) = (Memory::new(), TileBuilder::default());
        let mut roots = vec![builder.root()];
        for index in 0..size {
            let full = builder.push(leaf(index));
            let tiles = full.into_iter().chain(builder.partial());
            let objects: Vec<_> = tiles.map(|tile| (format!("public/{}", tile.path), tile.bytes)).collect();
            store.put_all(&objects).unwrap();
            roots.push(builder.root());
        }
        Self { store, roots }
    }

    fn new(size: u64) -> Self {
        Self::of(size, |index| leaf_hash(&index.to_be_bytes()))
    }

    fn root(&self, size: u64) -> Hash {
        self.roots[usize::try_from(size).unwrap()]
    }

    fn note(&self, size: u64) -> String {
        signed(ORIGIN, size, self.root(size))
    }

    fn proof(&self, old: u64, size: u64) -> Vec<Hash> {
        let mut log = Client::open(&self.store, size, self.root(size)).unwrap();
        if old == 0 { Vec::new() } else { log.consistency_proof(old).unwrap() }
    }

    fn body(&self, old: u64, size: u64) -> String {
        Request::write(old, &self.proof(old, size), &self.note(size))
    }
}

fn signed(origin: &str, size: u64, root: Hash) -> String {
    Checkpoint::new(origin, size, root).unwrap().sign(&key(origin))
}

fn listed(origin: &str) -> String {
    let vkey = Vkey::log(origin, key(origin).public()).unwrap();
    format!("vkey {vkey}\nqpd 86400\ncontact someone\n")
}

/// A folder with a witness's key and the list of one log.
fn folder() -> World {
    let world = World::with(&SmallLog::founded());
    world.run("keygen --witness w1.example --no-passphrase").ends(0).says("servanda witness STATE");
    world.write("logs", format!("logs/v0\n{}", listed(ORIGIN)));
    world
}

fn witness(world: &World) -> Server {
    Server::run(&world.path("."), "witness", &["state", "--log-list", "logs"])
}

fn vkey(world: &World) -> Vkey {
    String::from_utf8(world.read("keys/witness.vkey")).unwrap().trim_end().parse().unwrap()
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn path(origin: &str) -> String {
    format!("{}/checkpoint", hex::encode(sha256(origin.as_bytes()).0))
}

fn add(server: &Server, body: &str) -> Answer {
    server.post("/add-checkpoint", body)
}

#[test]
fn a_checkpoint_is_cosigned_and_shown_to_monitors() {
    let (world, tree) = (folder(), Tree::new(300));
    let (server, vkey) = (witness(&world), vkey(&world));
    let monitored = format!("/{}", path(ORIGIN));
    assert_eq!(server.get(&monitored, "").status, 404);
    for (old, size) in [(0, 1), (1, 256), (256, 256), (256, 300)] {
        let answer = add(&server, &tree.body(old, size));
        assert_eq!((answer.status, answer.field("content-type")), (200, Some("text/plain; charset=utf-8")));
        let note = tree.note(size) + answer.text();
        let read = Note::parse(note.as_bytes()).unwrap();
        let opened = read.open(&[&vkey], |vkey, bytes| cosignature::verify(vkey.key(), read.text(), bytes));
        assert!(opened.unwrap().verified[0].1.abs_diff(now_s()) < 60);
        let shown = server.get(&monitored, "");
        assert_eq!((shown.status, shown.text()), (200, &*note));
        assert_eq!(shown.field("cache-control"), Some("no-cache"));
        // So it lies on the disk, for any static server.
        assert_eq!(world.read(&format!("state/public/{}", path(ORIGIN))), note.as_bytes());
    }
    assert_eq!(server.get("/readyz", "").status, 200);
    let counted = server.get("/metrics", "");
    for line in [
        format!("servanda_witness_size{{origin=\"{ORIGIN}\"}} 300"),
        format!("servanda_witness_cosigned_total{{origin=\"{ORIGIN}\"}} 4"),
    ] {
        assert!(counted.text().lines().any(|l| l == line), "{line}\n{}", counted.text());
    }
    let described = server.get("/openapi.json", "");
    assert!(described.text().contains("/add-checkpoint"));
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn every_refusal_has_its_status() {
    let (world, tree) = (folder(), Tree::new(20));
    let server = witness(&world);
    let other = tree.note(7).replace(ORIGIN, "other.example");
    let hashes = |n: usize| vec![Hash([7; 32]); n];
    let strange = Checkpoint::new(ORIGIN, 7, tree.root(7)).unwrap().sign(&key("stranger"));
    let sealed = |text: String| {
        let vkey = Vkey::log(ORIGIN, key(ORIGIN).public()).unwrap();
        let line = servanda::note::signature_line(&vkey, &key(ORIGIN).sign(text.as_bytes()));
        format!("{text}\n{line}")
    };
    let empty = sealed(format!("{ORIGIN}\n0\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n"));
    let extended =
        sealed(format!("{}extension\n", tree.note(7).split("\n\n").next().unwrap().to_owned() + "\n"));
    let proof = tree.proof(3, 7);
    let cases = [
        ("an empty body", String::new(), 400),
        ("no old size", tree.note(7), 400),
        ("a leading zero", tree.body(3, 7).replace("old 3", "old 03"), 400),
        ("64 hashes", Request::write(3, &hashes(PROOF_MAX + 1), &tree.note(7)), 400),
        ("a line that is no hash", "old 3\nAAAA\n\n".to_owned() + &tree.note(7), 400),
        ("line ends of another system", tree.body(3, 7).replace('\n', "\r\n"), 400),
        ("another log", Request::write(3, &proof, &other), 404),
        ("another key", Request::write(3, &proof, &strange), 403),
        ("a bad signature", tree.body(3, 7).replace("\n7\n", "\n8\n"), 403),
        ("an extension line", Request::write(3, &proof, &extended), 400),
        ("old size above size", Request::write(8, &[], &tree.note(7)), 400),
        ("size 0 with another root", Request::write(0, &[], &empty), 422),
        ("old size 0", tree.body(0, 7), 409),
        ("another old size", tree.body(2, 7), 409),
        ("no proof", Request::write(3, &[], &tree.note(7)), 422),
        ("another proof", Request::write(3, &hashes(proof.len()), &tree.note(7)), 422),
        ("another root of the size", Request::write(3, &[], &signed(ORIGIN, 3, Hash([7; 32]))), 422),
    ];
    assert_eq!(add(&server, &Request::write(0, &hashes(1), &tree.note(3))).status, 422);
    assert_eq!(add(&server, &tree.body(0, 3)).status, 200);
    for (what, body, want) in &cases {
        let answer = add(&server, body);
        assert_eq!(answer.status, *want, "{what}: {}", answer.text());
        let media = answer.field("content-type").unwrap();
        if *want == 409 {
            assert_eq!((media, answer.text()), ("text/x.tlog.size", "3\n"), "{what}");
        } else {
            assert_eq!((media, answer.text().ends_with('\n')), ("text/plain; charset=utf-8", true), "{what}");
        }
    }
    assert_eq!(add(&server, &"x".repeat(REQUEST_MAX)).status, 400);
    // What is announced as too long is refused before it is sent.
    let head = format!(
        "POST /add-checkpoint HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        REQUEST_MAX + 1
    );
    assert_eq!(server.ask(&head).status, 413);
    assert_eq!(server.get("/add-checkpoint", "").status, 405);
    for path in [
        "/",
        "/AB/checkpoint",
        "/../private/lock",
        "/private/evidence",
        &format!("/{}", path(ORIGIN).to_uppercase()),
    ] {
        assert_eq!(server.get(path, "").status, 404, "{path}");
    }
    // None of this moved it.
    assert_eq!(add(&server, &tree.body(3, 7)).status, 200);
}

#[test]
fn of_many_requests_at_once_one_wins() {
    let (world, tree) = (folder(), Tree::new(60));
    let server = witness(&world);
    add(&server, &tree.body(0, 3));
    let mut old = 3;
    for _ in 0..3 {
        let answers: Vec<(u64, Answer)> = std::thread::scope(|scope| {
            let ask = |size| (size, add(&server, &tree.body(old, size)));
            let threads: Vec<_> = (old + 1..=old + 8).map(|size| scope.spawn(move || ask(size))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let won: Vec<u64> = answers.iter().filter(|(_, a)| a.status == 200).map(|(size, _)| *size).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        for (_, answer) in answers.iter().filter(|(_, a)| a.status != 200) {
            assert_eq!((answer.status, answer.text()), (409, &*format!("{}\n", won[0])));
        }
        old = won[0];
    }
}

#[test]
fn a_witness_that_is_killed_takes_nothing_back() {
    let (world, tree) = (folder(), Tree::new(400));
    let mut cosigned = 0;
    for round in 0..8 {
        let server = witness(&world);
        // What cannot be cosigned tells the size as well.
        let answer = add(&server, &Request::write(0, &[Hash([7; 32])], &tree.note(400)));
        let begun: u64 = if answer.status == 422 { 0 } else { answer.text().trim_end().parse().unwrap() };
        assert!(begun >= cosigned, "{begun} after {cosigned}");
        let address = server.address();
        let seen = Mutex::new(begun);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for size in begun + 1..400 {
                    let body = tree.body(size - 1, size);
                    let request = format!(
                        "POST /add-checkpoint HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    match raw(address, &request) {
                        Some(answer) if answer.starts_with("HTTP/1.1 200 ") => *seen.lock().unwrap() = size,
                        Some(answer) if answer.is_empty() => return,
                        Some(answer) => panic!("{answer}"),
                        None => return,
                    }
                }
            });
            std::thread::sleep(Duration::from_millis(30 + 37 * round));
            server.signal("KILL");
        });
        drop(server);
        cosigned = *seen.lock().unwrap();
    }
    assert!(cosigned > 0, "it never had the time to cosign");
}

/// What comes back before the connection ends; none where none could be made.
fn raw(address: std::net::SocketAddr, request: &str) -> Option<String> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(MOMENT)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..length]).into_owned())
}

#[test]
fn a_list_that_is_read_again_adds_logs_and_rekeys_none() {
    let (world, tree) = (folder(), Tree::new(20));
    let server = witness(&world);
    let second = |status| {
        let note = signed("second.example", 1, leaf_hash(b"a"));
        let deadline = std::time::Instant::now() + MOMENT;
        loop {
            let answer = add(&server, &Request::write(0, &[], &note)).status;
            if answer == status || std::time::Instant::now() > deadline {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    assert_eq!(second(404), 404);
    let rekeyed = format!(
        "logs/v0\n{}origin {ORIGIN}\nqpd 1\ncontact c\n",
        listed("thief").split("qpd").next().unwrap()
    );
    world.write("logs", rekeyed + &listed("second.example"));
    server.signal("HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(second(404), 404, "a list with another key for a log that is known was taken");
    world.write("logs", format!("logs/v0\n{}", listed("second.example")));
    server.signal("HUP");
    assert_eq!(second(200), 200);
    assert_eq!(add(&server, &tree.body(0, 3)).status, 200, "a log that left the list is known still");
}

#[test]
fn what_a_witness_kept_proves_a_fork_offline() {
    let mut one = SmallLog::ready();
    let mut other = one.cut(6);
    one.say("de", review(20_000));
    other.say("fr", review(20_001));
    let world = World::with(&one);
    world.run("keygen --witness w1.example --no-passphrase").ends(0);
    world.write("logs", format!("logs/v0\nvkey {}\nqpd 1\ncontact c\n", log_vkey()));
    let server = witness(&world);
    assert_eq!(add(&server, &Request::write(0, &[], &one.checkpoint())).status, 200);
    let size = one.size();
    assert_eq!(add(&server, &Request::write(size, &[], &other.checkpoint())).status, 422);
    let counted = server.get("/metrics", "");
    assert!(
        counted.text().contains("servanda_witness_evidence_total{kind=\"fork\"} 1"),
        "{}",
        counted.text()
    );
    let origin = log_vkey().name().to_owned();
    let kept = format!("state/private/evidence/{}/fork", hex::encode(sha256(origin.as_bytes()).0));
    let mut files: Vec<String> = fs::read_dir(world.path(&kept))
        .unwrap()
        .map(|entry| format!("{kept}/{}", entry.unwrap().file_name().to_str().unwrap()))
        .collect();
    files.sort();
    assert_eq!(files.len(), 2);
    world
        .run(&format!("check {} {}", files[0], files[1]))
        .ends(1)
        .says("two of these files are of two histories");
    world.run("prove #2 --log paris --out one.tlog-proof").ends(0);
    let check = format!("check {} {} {size}.roster", files[0], files[1]);
    world.run(&check).ends(1).says("fork.evidence");
    world.run("check fork.evidence").ends(0).says("fork: the operator signed two histories");
}

#[test]
fn what_is_missing_is_said_with_a_hint() {
    let world = World::with(&SmallLog::founded());
    world.run("witness").ends(2).says("hint: name its folder: servanda witness STATE --log-list FILE");
    world.run("witness state").ends(2).says("--log-list FILE");
    world.run("witness state --log-list none").ends(2).says("none cannot be read");
    world.write("bad", "logs/v0\nvkey a+b+c\n");
    world.run("witness state --log-list bad").ends(2).says("line 2").says("hint:");
    world.write("logs", "logs/v0\n");
    world.run("witness state --log-list logs").ends(2).says("servanda keygen --witness NAME");
    world.run("keygen --witness w1.example --no-passphrase").ends(0);
    world.run("keygen --log w1.example keys/log --no-passphrase").ends(0);
    world.run("witness state --log-list logs --key keys/log").ends(2).says("is not the witness's key");
    assert!(!world.path("state/public").exists(), "a state was made for nothing");
    world.write("config.toml", "[witness]\nlisten = \"0.0.0.0:0\"\nlog-list = \"logs\"\n");
    world.run("witness state --config config.toml").ends(2).says("--plain-http");
    world.run("keygen --witness a+b").ends(2).says("cannot be a witness's name");
}

fn policy(servers: &[(&World, String)]) -> Policy {
    let log = Vkey::log(ORIGIN, key(ORIGIN).public()).unwrap();
    let mut text = format!("log {log}\n");
    for (n, (world, url)) in servers.iter().enumerate() {
        text.push_str(&format!("witness w{n} {} {url}/\n", vkey(world)));
    }
    (text + "group both all w0 w1\nquorum both\n").parse().unwrap()
}

#[test]
fn a_log_gathers_cosignatures_from_two_witnesses() {
    let (one, two) = (folder(), folder());
    let (first, second) = (witness(&one), witness(&two));
    let tree = Tree::new(300);
    let policy = policy(&[(&one, first.url.clone()), (&two, second.url.clone())]);
    let http = Arc::new(Http::new(&policy, &Limits::default()).unwrap());
    // One knows the log already.
    assert_eq!(add(&first, &tree.body(0, 70)).status, 200);
    let published = SignedCheckpoint::parse(tree.note(60).as_bytes()).unwrap();
    assert!(start::ask_all(Some(&published), 69, &policy, &*http, &now_s).is_err(), "a restored backup");
    let found = start::ask_all(Some(&published), 300, &policy, &*http, &now_s).unwrap();
    assert_eq!(found.asked.iter().map(Asked::size).collect::<Vec<_>>(), [70, 60]);

    let (send, told) = mpsc::channel();
    let tiles: Arc<dyn Read> = Arc::new(tree.store.clone());
    let hand = move |told| drop(send.send(told));
    let crew = Crew::start(found.asked, tiles, http, Arc::new(now_s), hand);
    for size in [256, 300] {
        let mut round = Round::new(&tree.note(size), &policy).unwrap();
        crew.ask(&round);
        while !round.has_quorum() {
            match told.recv_timeout(MOMENT).expect("they answer") {
                Told::Cosigned(cosigned) => assert!(round.take(&cosigned)),
                Told::Failed(error) => panic!("{error}"),
            }
        }
        let opened = checkpoint::open(round.note().as_bytes(), &policy).unwrap();
        assert_eq!((opened.size(), opened.cosigners().len()), (size, 2));
    }
    // One that is gone: no quorum, and its name.
    drop(second);
    crew.ask(&Round::new(&tree.note(300), &policy).unwrap());
    let failed = (0..2).map(|_| told.recv_timeout(MOMENT).expect("both come to an end"));
    let failed: Vec<String> = failed
        .filter_map(|told| if let Told::Failed(e) = told { Some(e.witness().to_owned()) } else { None })
        .collect();
    assert_eq!(failed, ["w1"]);
}

#[test]
fn a_forked_log_is_stopped_by_its_witness() {
    let (one, two) = (folder(), folder());
    let (first, second) = (witness(&one), witness(&two));
    let (tree, fork) = (Tree::new(20), Tree::of(20, |index| leaf_hash(&(index / 2).to_be_bytes())));
    let policy = policy(&[(&one, first.url.clone()), (&two, second.url.clone())]);
    let http = Http::new(&policy, &Limits::default()).unwrap();
    let mut asked = Asked::new(policy.witnesses()[0].clone());
    let mut ask = |tree: &Tree, size| {
        let note = SignedCheckpoint::parse(tree.note(size).as_bytes()).unwrap();
        asked.ask(&note, &tree.store, &http, &now_s)
    };
    ask(&tree, 9).unwrap();
    let refused = ask(&fork, 20).unwrap_err();
    assert!(refused.stops_the_writer(), "{refused}");
    ask(&tree, 20).unwrap();
}
