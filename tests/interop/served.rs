//! A served log, read over HTTP by programs that are not ours: Go's sumdb packages, Tessera's client and fsck, a parser of
//! Prometheus's text format, and curl.
//!
//! Between Go and the server stands one that changes a byte on the way: then each of them refuses.

use super::go::{DEMO, Log, accepts, interop, long_log, ready, refuses};
use crate::net::{Answer, Server};
use crate::support::missing;
use crate::support::office::{NOW, Office};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Programs that read a log under its key alone.
const READERS: [&str; 4] = ["note", "tree", "fsck", "client"];

/// What is changed on its way: which object, and where.
type Flip = Arc<Mutex<Option<(String, usize)>>>;

/// Stands before a server, and passes on what is asked and answered, a byte changed.
fn between(server: SocketAddr) -> (String, Flip) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let flip = Flip::default();
    let flips = Arc::clone(&flip);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let flips = Arc::clone(&flips);
            thread::spawn(move || pass_on(&stream, server, &flips));
        }
    });
    (url, flip)
}

/// Passes on one request after the other, as long as they come.
fn pass_on(near: &TcpStream, server: SocketAddr, flips: &Flip) -> Option<()> {
    let mut asked = BufReader::new(near.try_clone().ok()?).lines().map_while(Result::ok);
    loop {
        let path = asked.next()?.split(' ').nth(1)?.to_owned();
        asked.by_ref().find(String::is_empty)?;
        let mut far = TcpStream::connect(server).ok()?;
        write!(far, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").ok()?;
        let Answer { status, mut body, .. } = Answer::read(&mut BufReader::new(far), false);
        if let Some((name, at)) = flips.lock().unwrap().as_ref()
            && path[1..] == **name
        {
            body[*at] ^= 1;
        }
        let mut answer =
            format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        answer.extend(body);
        (&*near).write_all(&answer).ok()?;
    }
}

fn served(log: &Log) -> Server {
    Server::start(log.public.parent().unwrap(), ".", &["--rate", "0"])
}

#[test]
fn go_reads_a_served_log_whole_and_refuses_it_with_a_byte_changed_on_its_way() {
    if !ready() {
        return;
    }
    let log = Log::of(&long_log(257));
    let server = served(&log);
    let (url, flip) = between(server.address());
    for url in [&server.url, &url] {
        for command in READERS {
            // Word for word what is said of the same files on disk.
            let (accepted, said) = interop(&[command, log.dir(), &log.vkey]);
            assert!(accepted, "{said}");
            assert_eq!(interop(&[command, url, &log.vkey]), (true, said));
        }
        accepts(&["client", url, &log.vkey], "size 257, every entry included, 92 sizes consistent");
    }
    for (name, at) in [
        ("checkpoint", 40),
        ("tile/0/000", 9),
        ("tile/0/001.p/1", 31),
        ("tile/1/000.p/1", 0),
        ("tile/entries/000", 700),
        ("tile/entries/001.p/1", 60),
    ] {
        *flip.lock().unwrap() = Some((name.to_owned(), at));
        // Whoever reads the note alone reads nothing else; Tessera's client asks for no tile of a single hash.
        let readers = if name == "checkpoint" { &READERS[..] } else { &READERS[1..] };
        for command in readers {
            refuses(&[command, &url, &log.vkey], "");
        }
    }
}

#[test]
fn go_checks_every_statement_of_the_demos_served_log() {
    if !ready() {
        return;
    }
    let log = &*DEMO;
    let server = served(log);
    let (url, flip) = between(server.address());
    let args = ["statements", log.dir(), &log.vkey, &log.id];
    let said = interop(&args);
    assert!(said.0, "{}", said.1);
    assert_eq!(interop(&["statements", &server.url, &log.vkey, &log.id]), said);
    assert_eq!(interop(&["statements", &url, &log.vkey, &log.id]), said);
    for name in ["checkpoint", "tile/entries/000.p/172", "charter.toml"] {
        *flip.lock().unwrap() = Some((name.to_owned(), 50));
        refuses(&["statements", &url, &log.vkey, &log.id], "");
    }
}

#[test]
fn a_parser_of_prometheus_text_accepts_what_is_counted() {
    if !ready() {
        return;
    }
    let office = Office::founded(&[("de", "Germany", "guarantor", 1)]);
    let server = Server::start(&office.path("."), "log", &["--operator-key", "keys/op", "--now", NOW]);
    server.get("/checkpoint", "");
    server.get("/nowhere", "");
    server.post("/add", "no statement");
    let (accepted, said) = interop(&["metrics", &server.url]);
    let families = said.split(' ').nth(2).and_then(|number| number.parse::<u32>().ok());
    assert!(accepted && families >= Some(10), "{said}");
}

/// What curl gives of a URL; none where there is no curl.
fn curl(options: &[&str], url: &str) -> Option<Vec<u8>> {
    let mut command = Command::new("curl");
    let Ok(done) = command.args(["--silent", "--show-error", "--fail"]).args(options).arg(url).output()
    else {
        missing("there is no curl");
        return None;
    };
    assert!(done.status.success(), "{url}: {}", String::from_utf8_lossy(&done.stderr));
    Some(done.stdout)
}

#[test]
fn curl_reads_every_object() {
    let log = Log::of(&long_log(257));
    let server = served(&log);
    let at = |path: &str| format!("{}/{path}", server.url);
    for path in ["checkpoint", "charter.toml", "tile/0/000", "tile/1/000.p/1", "tile/entries/000"] {
        for options in [&[][..], &["--compressed"]] {
            let Some(body) = curl(options, &at(path)) else { return };
            assert!(body == fs::read(log.public.join(path)).unwrap(), "{path}");
        }
    }
    let tile = fs::read(log.public.join("tile/0/000")).unwrap();
    assert_eq!(curl(&["--range", "32-63"], &at("tile/0/000")).unwrap(), tile[32..64]);
    let seen = curl(&["--head"], &at("tile/0/000")).unwrap();
    assert!(String::from_utf8(seen).unwrap().to_lowercase().contains("content-length: 8192"));
}

/// Ends with the test.
struct Listening(Child);

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn curl_listens_sends_and_asks() {
    let office = Office::founded(&[("de", "Germany", "guarantor", 1), ("ua", "Ukraine", "beneficiary", 1)]);
    let pledge =
        "pledge --key keys/de1 --to ua --title Mines --instrument military --valid-from 2026-12-01 --yes";
    let draft = [&pledge.split(' ').collect::<Vec<_>>()[..], &["--log", "log", "--draft", "p.statement"]];
    office.good(&draft.concat());
    let server = Server::start(&office.path("."), "log", &["--operator-key", "keys/op", "--now", NOW]);
    let url = format!("{}/events", server.url);
    let mut command = Command::new("curl");
    let command = command.args(["--silent", "--no-buffer", "--dump-header", "-", &url]);
    let Ok(mut child) = command.stdout(Stdio::piped()).spawn() else {
        return missing("there is no curl");
    };
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let _listening = Listening(child);
    let (tell, told) = channel();
    thread::spawn(move || lines.into_iter().try_for_each(|line| tell.send(line)));
    let until = |start: &str| loop {
        let line = told.recv_timeout(Duration::from_secs(60)).unwrap();
        if line.starts_with(start) {
            return line;
        }
    };
    // It listens once the head of the answer is whole.
    until("HTTP/1.1 200");
    while !told.recv_timeout(Duration::from_secs(60)).unwrap().is_empty() {}
    let statement = format!("@{}", office.path("p.statement").display());
    let add = format!("{}/add", server.url);
    let proof = curl(&["--data-binary", &statement], &add).unwrap();
    assert!(proof.starts_with(b"c2sp.org/tlog-proof@v1\n"), "{}", String::from_utf8_lossy(&proof));
    until("event: pledged");
    let data = until("data: ");
    let event: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(event["index"], 3);
    for path in ["status", "roster", "incidents", "agenda", "entries/3", "pledges", "openapi.json"] {
        let body = curl(&[], &format!("{}/{path}", server.url)).unwrap();
        assert!(serde_json::from_slice::<Value>(&body).unwrap().is_object(), "{path}");
    }
    for path in ["healthz", "readyz", "metrics", "problems/not-there"] {
        assert!(!curl(&[], &format!("{}/{path}", server.url)).unwrap().is_empty(), "{path}");
    }
}
