//! A server that takes statements: 64 clients on connections that are kept, beside verifying the same signatures alone.

use super::office::Office;
use super::{acts, better, made, timed};
use rayon::prelude::*;
use servanda::armor::File;
use servanda::draft::Draft;
use servanda::hash::ZEROS;
use servanda::key::openssh::read_private;
use servanda::key::{Claim, SigningKey, hold};
use servanda::statement::body::Pledge;
use servanda::statement::{self, Act, Statement, signed_bytes};
use servanda::store::dir::Dir;
use servanda::store::index::Index;
use servanda::submit::Operator;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How many clients there are, each a partner of its own.
const CLIENTS: usize = 64;

/// How many statements each of them says.
const EACH: usize = 200;

/// How many statements are said one after the other, for the latency of one.
const SINGLE: usize = 200;

/// Submissions a second until published, the same signatures' verification alone, and the latency of a single one.
pub fn submissions() {
    let handles: Vec<String> = (0..CLIENTS).map(|n| format!("q{n:02}")).collect();
    let mut partners: Vec<_> = handles.iter().map(|h| (h.as_str(), h.as_str(), "guarantor", 1)).collect();
    // Whom all of them pledge to.
    partners.push(("p00", "Ukraine", "beneficiary", 1));
    let office = Office::founded(&partners);
    let said: Vec<Vec<(String, Statement)>> = statements(&office, &handles);
    let server = Server::start(&office);
    let started = Instant::now();
    let taken: Vec<Duration> = thread::scope(|scope| {
        let clients: Vec<_> =
            said.iter().map(|all| scope.spawn(|| say_all(server.address, &all[..EACH]))).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let seconds = started.elapsed().as_secs_f64();
    let all = CLIENTS * EACH;
    let floor = floor(&said);
    println!(
        "{CLIENTS} clients, published: {:.0} a second; verification alone {:.0} a second, {:.2} of it; {}",
        all as f64 / seconds,
        all as f64 / floor,
        floor / seconds,
        percentiles(taken)
    );
    let taken = say_all(server.address, &said[0][EACH..]);
    println!("one client, one after the other, published: {}", percentiles(taken));
    println!("a synced write of this folder: {}", percentiles(synced(&office)));
    server.end();
}

fn pledge_to(handle: &str, now: servanda::field::Instant, number: usize) -> Act {
    match acts::pledge(0, now, u64::try_from(number).unwrap()) {
        Act::Pledge(pledge) => Act::Pledge(Pledge { to: vec![handle.parse().unwrap()].into(), ..pledge }),
        other => other,
    }
}

/// All that the clients will say, signed: each one's chain.
fn statements(office: &Office, handles: &[String]) -> Vec<Vec<(String, Statement)>> {
    let home = office.path("log");
    let index = Index::open(&home.join("private/index.redb")).unwrap();
    let log = Operator::open(Box::new(Dir::open(&home).unwrap()), None, index).unwrap();
    let (id, seen) = (log.roster().log, log.history().head());
    let now = super::office::NOW.parse().unwrap();
    let keys: Vec<SigningKey> = handles
        .iter()
        .map(|handle| {
            let bytes = fs::read(office.path(&format!("keys/{handle}1"))).unwrap();
            read_private(&bytes, || unreachable!("it has no passphrase")).unwrap().0
        })
        .collect();
    let each = |(handle, key): (&String, &SigningKey)| {
        let (key, handle_of) = (key.clone(), handle.parse().unwrap());
        let mut author = made::Author { key, handle: handle_of, chains: [(0, ZEROS); 5] };
        let count = EACH + if *handle == handles[0] { SINGLE } else { 0 };
        let one = |n: usize| {
            let act = pledge_to(&handles[usize::from(*handle == handles[0])], now, n);
            let (bytes, signatures) = author.say(id, seen, now, &act);
            let statement = Statement::decode(&bytes).unwrap();
            let mut draft = Draft::new(&statement, None).unwrap();
            draft.signatures = signatures.into();
            (File::Statement.write(&draft).unwrap(), statement)
        };
        (0..count).map(one).collect()
    };
    handles.iter().zip(&keys).map(each).collect()
}

/// The signatures of all that 64 clients said, verified alone on all cores; in seconds.
fn floor(said: &[Vec<(String, Statement)>]) -> f64 {
    let key = made::key("floor");
    let owned: Vec<_> = said
        .par_iter()
        .flat_map(|all| &all[..EACH])
        .map(|(_, statement)| {
            let id = statement::id(&servanda::codec::encode(statement));
            (signed_bytes(&id), statement::sign(&id, 0, &key).bytes.to_vec())
        })
        .collect();
    let public = key.public();
    let claims: Vec<_> =
        owned.iter().map(|(message, signature)| Claim { key: public, message, signature }).collect();
    let verify = || assert!(hold(&claims).into_iter().all(|held| held));
    better((0..3).map(|_| timed(&mut { verify })).collect())
}

/// Says all of it on one connection; how long each took until it was published.
fn say_all(address: SocketAddr, all: &[(String, Statement)]) -> Vec<Duration> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    all.iter()
        .map(|(text, _)| {
            let len = text.len();
            let request = format!("POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: {len}\r\n\r\n{text}");
            let started = Instant::now();
            (&stream).write_all(request.as_bytes()).unwrap();
            let (mut head, mut length) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") {
                let from = head.len();
                assert!(reader.read_line(&mut head).unwrap() > 0, "cut off");
                if let Some((name, value)) = head[from..].trim_end().split_once(": ")
                    && name.eq_ignore_ascii_case("content-length")
                {
                    length = value.parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            assert!(head.starts_with("HTTP/1.1 200"), "{head}{}", String::from_utf8_lossy(&body));
            started.elapsed()
        })
        .collect()
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

fn percentiles(mut taken: Vec<Duration>) -> String {
    taken.sort_unstable();
    let at = |percent: usize| taken[(taken.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    format!("p50 {:.2} ms, p99 {:.2} ms", at(50), at(99))
}

/// The real server.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(office: &Office) -> Self {
        let options = [
            "serve",
            "log",
            "--operator-key",
            "keys/op",
            "--listen",
            "127.0.0.1:0",
            "--rate",
            "0",
            "--partner-rate",
            "0",
            "--trace",
            "off",
            "--now",
            super::office::NOW,
        ];
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        let mut child =
            command.args(options).current_dir(office.path(".")).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().rsplit(' ').next().unwrap().trim_end_matches('/');
        let address = url.split("://").nth(1).unwrap().parse().unwrap();
        Self { child, address }
    }

    fn end(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
