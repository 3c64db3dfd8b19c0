//! A server that takes statements: 64 clients on connections that are kept, beside verifying the same signatures alone; and
//! a single client, beside what the disk takes. And its writer by itself, with the 64 clients in the same process.

use super::office::{NOW, Office};
use super::online::{Connection, Server, percentiles};
use super::{acts, better, made, timed};
use rayon::prelude::*;
use servanda::armor::File;
use servanda::draft::Draft;
use servanda::field::Handle;
use servanda::hash::{Hash, ZEROS};
use servanda::key::openssh::read_private;
use servanda::key::{Claim, SigningKey, hold};
use servanda::server::door::{Answer, Until};
use servanda::server::metrics::Metrics;
use servanda::server::progress::Progress;
use servanda::server::writer::{Tools, Writer};
use servanda::statement::body::Pledge;
use servanda::statement::{self, Act, Head, Signature, Statement, signed_bytes};
use servanda::store::dir::Dir;
use servanda::store::index::Index;
use servanda::submit::Operator;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

/// How many clients there are, each a partner of its own.
const CLIENTS: usize = 64;

/// How many statements each of them says until published, and as many until durable.
const EACH: usize = 200;

/// How many statements are said one after the other, for the latency of one; and as many until durable.
const SINGLE: usize = 200;

/// The options of a server that takes statements, beside those of all.
pub const WRITES: [&str; 8] =
    ["serve", "log", "--operator-key", "keys/op", "--partner-rate", "0", "--now", NOW];

/// Submissions a second until published and until durable, the same signatures' verification alone, and the latency of
/// a single one.
pub fn submissions() {
    let (office, said) = office_of_many();
    let said: Vec<Vec<_>> = said.into_iter().map(|all| all.into_iter().map(armoured).collect()).collect();
    let server = Server::start(&office.path("."), &WRITES);
    let floor = floor(&said);
    for (part, durable) in [(0..EACH, false), (EACH..2 * EACH, true)] {
        let (started, used) = (Instant::now(), server.processor_s());
        let taken: Vec<Duration> = thread::scope(|scope| {
            let say = |all| scope.spawn(move || say_all(server.address, all, durable));
            let clients: Vec<_> = said.iter().map(|all| say(&all[part.clone()])).collect();
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
        });
        let (seconds, all) = (started.elapsed().as_secs_f64(), (CLIENTS * EACH) as f64);
        println!(
            "{CLIENTS} clients, until {}: {:.0} a second, {:.0} µs of the server's processor time each; \
             verification alone {:.0} a second, {:.2} of it; {}",
            state(durable),
            all / seconds,
            (server.processor_s() - used) / all * 1e6,
            all / floor,
            floor / seconds,
            percentiles(taken)
        );
    }
    let single = &said[0][2 * EACH..];
    for (part, durable) in [(&single[..SINGLE], false), (&single[SINGLE..], true)] {
        let taken = say_all(server.address, part, durable);
        println!("one client, until {}: {}", state(durable), percentiles(taken));
    }
    println!("a synced write in this folder: {}", percentiles(synced(&office)));
}

/// The same 64 clients as threads of the writer's own process, which hand it their statements without HTTP.
pub fn writer() {
    let (office, said) = office_of_many();
    let (log_key, officer) = (key(&office, "log"), key(&office, "op"));
    let home = office.path("log");
    let index = Index::open(&home.join("private/index.redb")).unwrap();
    let operator = Operator::open(Box::new(Dir::open(&home).unwrap()), None, index).unwrap();
    let tools = Tools {
        log_key,
        officers: vec![officer],
        partner_rate: None,
        clock: Box::new(|| NOW.parse().unwrap()),
        quorum: None,
    };
    let opened_once = Box::new(|| panic!("the log failed"));
    let writer =
        Writer::start(operator, opened_once, tools, Progress::default(), &Metrics::default()).unwrap();
    for (part, until) in [(0..EACH, Until::Published), (EACH..2 * EACH, Until::Durable)] {
        let started = Instant::now();
        let taken: Vec<Duration> = thread::scope(|scope| {
            let writer = &writer;
            let hand_in = |all| scope.spawn(move || hand_in_all(writer, all, until));
            let clients: Vec<_> = said.iter().map(|all| hand_in(&all[part.clone()])).collect();
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
        });
        println!(
            "{CLIENTS} threads, until {}: {:.0} a second; {}",
            state(until == Until::Durable),
            (CLIENTS * EACH) as f64 / started.elapsed().as_secs_f64(),
            percentiles(taken)
        );
    }
    writer.end();
}

/// Hands in one statement after the other; how long each took.
fn hand_in_all(writer: &Writer, all: &[Signed], until: Until) -> Vec<Duration> {
    let door = writer.door();
    let hand_in = |(statement, signatures): &Signed| {
        let answered = door.submit(statement.clone(), signatures.clone(), until).unwrap();
        let answer = answered.blocking_recv().unwrap().unwrap();
        assert!(until == Until::Durable || matches!(answer, Answer::Proof(_)));
    };
    all.iter().map(|signed| timed(&mut || hand_in(signed))).collect()
}

/// A statement, encoded, and its signatures.
type Signed = (Vec<u8>, Vec<Signature>);

/// A log of so many partners, and what each of them will say.
fn office_of_many() -> (Office, Vec<Vec<Signed>>) {
    let handles: Vec<String> = (0..CLIENTS).map(|n| format!("q{n:02}")).collect();
    let mut partners: Vec<_> = handles.iter().map(|h| (h.as_str(), h.as_str(), "guarantor", 1)).collect();
    // Whom all of them pledge to.
    partners.push(("p00", "Ukraine", "beneficiary", 1));
    let office = Office::founded(&partners);
    let said = statements(&office, &handles);
    (office, said)
}

fn key(office: &Office, name: &str) -> SigningKey {
    let bytes = fs::read(office.path(&format!("keys/{name}"))).unwrap();
    read_private(&bytes, || unreachable!("it has no passphrase")).unwrap().0
}

fn state(durable: bool) -> &'static str {
    if durable { "durable" } else { "published" }
}

fn pledge_to(handle: &str, now: servanda::field::Instant, number: usize) -> Act {
    match acts::pledge(0, now, u64::try_from(number).unwrap()) {
        Act::Pledge(pledge) => Act::Pledge(Pledge { to: vec![handle.parse().unwrap()].into(), ..pledge }),
        other => other,
    }
}

/// The id and head of an office's log, at rest.
pub fn log_of(office: &Office) -> (Hash, Head) {
    let home = office.path("log");
    let index = Index::open(&home.join("private/index.redb")).unwrap();
    let log = Operator::open(Box::new(Dir::open(&home).unwrap()), None, index).unwrap();
    (log.roster().log, log.history().head())
}

/// The first officer of one of an office's partners.
pub fn author(office: &Office, handle: &str) -> made::Author {
    let key = key(office, &format!("{handle}1"));
    made::Author { key, handle: handle.parse::<Handle>().unwrap(), chains: [(0, ZEROS); 5] }
}

/// A statement as it is submitted.
pub fn armoured((bytes, signatures): Signed) -> (String, Statement) {
    let statement = Statement::decode(&bytes).unwrap();
    let mut draft = Draft::new(&statement, None).unwrap();
    draft.signatures = signatures.into();
    (File::Statement.write(&draft).unwrap(), statement)
}

/// All that the clients will say, signed: each one's chain.
fn statements(office: &Office, handles: &[String]) -> Vec<Vec<Signed>> {
    let (id, seen) = log_of(office);
    let now = NOW.parse().unwrap();
    let each = |handle: &String| {
        let mut author = author(office, handle);
        let count = 2 * EACH + if *handle == handles[0] { 2 * SINGLE } else { 0 };
        let one = |n: usize| author.say(id, seen, now, &pledge_to("p00", now, n));
        (0..count).map(one).collect()
    };
    handles.par_iter().map(each).collect()
}

/// The signatures of all that the clients said until published, verified alone on all cores; in seconds.
fn floor(said: &[Vec<(String, Statement)>]) -> f64 {
    let keys: Vec<SigningKey> = (0..CLIENTS).map(|n| made::key(&format!("floor {n}"))).collect();
    let owned: Vec<_> = said
        .par_iter()
        .zip(&keys)
        .flat_map(|(all, key)| {
            all[..EACH].par_iter().map(move |(_, statement)| {
                let id = statement::id(&servanda::codec::encode(statement));
                (key.public(), signed_bytes(&id), statement::sign(&id, 0, key).bytes.to_vec())
            })
        })
        .collect();
    let claims: Vec<_> =
        owned.iter().map(|(key, message, signature)| Claim { key: *key, message, signature }).collect();
    let verify = || assert!(hold(&claims).into_iter().all(|held| held));
    better((0..3).map(|_| timed(&mut { verify })).collect())
}

/// Says all of it on one connection; how long each took.
fn say_all(address: SocketAddr, all: &[(String, Statement)], durable: bool) -> Vec<Duration> {
    let mut server = Connection::to(address);
    all.iter().map(|(text, _)| timed(&mut || server.add(text, durable))).collect()
}

/// How long it takes to write a small file there, and to wait for the disk.
fn synced(office: &Office) -> Vec<Duration> {
    let path = office.path("synced");
    let write = || {
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(&[7; 4096]).unwrap();
        file.sync_all().unwrap();
    };
    (0..SINGLE).map(|_| timed(&mut { write })).collect()
}
