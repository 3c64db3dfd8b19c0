//! Hostile clients of a server that takes statements: listeners and idle connections by the thousand, slow, huge and endless
//! bodies, garbage on every route, replays, floods. Meanwhile an honest partner gets its proof, and memory stays bounded.

use super::writing::{Author, Given, given, post, start, world};
use super::{Answer, Server};
use crate::cli_verify::World;
use crate::dishonest::Someone;
use crate::support::small_log::{SmallLog, pledge, terms};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The most that the server may hold in memory, in KiB.
const RESIDENT_MAX: u64 = 256 << 10;

/// The most listeners of a server (`server::events`).
const LISTENERS: usize = 4096;

/// How many more connections there are that say nothing.
const IDLE: usize = 1000;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with room for all of them, from one address.
fn besieged(options: &[&str]) -> (World, Server) {
    let world = world(&SmallLog::ready());
    let room = ["--max-connections", "8192", "--max-connections-each", "8192"];
    let server = start(&world, &[&room[..], options].concat());
    (world, server)
}

/// What a process holds in memory, in KiB.
fn resident(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[track_caller]
fn is_modest(server: &Server) {
    let held = resident(server);
    eprintln!("it holds {held} KiB");
    assert!(held < RESIDENT_MAX, "{held} KiB");
}

/// An honest partner pledges by URL, and gets its proof.
#[track_caller]
fn an_honest_pledge_is_proven(server: &Server, name: &str) {
    Someone::partner(name).pledge("ships", &server.url).ends(0).says("published in the checkpoint of");
}

/// Lets this process, and those that it starts, open so many files; gives how many connections there is room for.
fn room_for(connections: usize) -> usize {
    // A server opens one for each, this process too.
    let want = connections + 500;
    let of = |line: &str| line.split_whitespace().nth(3).and_then(|soft| soft.parse::<usize>().ok());
    let soft = || {
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        limits.lines().find(|line| line.starts_with("Max open files")).and_then(of).unwrap_or(usize::MAX)
    };
    if soft() < want {
        let (own, limit) = (std::process::id().to_string(), format!("--nofile={want}:"));
        let _ = Command::new("prlimit").args(["--pid", &own, &limit]).output();
    }
    let room = soft().saturating_sub(500).min(connections);
    if room < connections {
        crate::support::missing(&format!("room for {connections} connections, there is for {room}"));
    }
    room
}

#[test]
fn thousands_who_listen_or_say_nothing_stop_nobody() {
    let room = room_for(LISTENERS + IDLE + 100);
    let listeners = room.saturating_sub(IDLE + 100).min(LISTENERS);
    let (_world, server) = besieged(&["--rate", "0"]);
    let idle: Vec<TcpStream> = (0..IDLE.min(room / 5)).map(|_| server.connect()).collect();
    let mut all = Vec::with_capacity(listeners);
    for _ in 0..listeners {
        let mut stream = server.connect();
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        all.push(BufReader::with_capacity(256, stream));
    }
    for reader in &mut all {
        let mut line = String::new();
        reader.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        reader.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    }
    if listeners == LISTENERS {
        let answer = server.get("/events", "");
        assert_eq!(answer.status, 503, "one more is refused: {answer:?}");
    }
    an_honest_pledge_is_proven(&server, "de");
    is_modest(&server);
    // All of them are told; one that does not read costs its socket.
    for reader in all.iter_mut().step_by(100) {
        let mut line = String::new();
        while !line.contains("event: pledged") {
            assert!(reader.read_line(&mut line).unwrap() > 0, "{line}");
        }
    }
    drop((idle, all));
    let begun = Instant::now();
    while !server.get("/metrics", "").text().contains("servanda_listeners 0") {
        assert!(begun.elapsed() < PATIENCE, "their places are free again");
        thread::sleep(Duration::from_millis(100));
    }
    is_modest(&server);
}

#[test]
fn slow_huge_and_endless_bodies_are_refused_and_stop_nobody() {
    let (_world, server) = besieged(&["--rate", "0"]);
    // Begun, and never ended: heads, and bodies of which half is there.
    let half = [b'x'; 60_000];
    let slow: Vec<TcpStream> = (0..400)
        .map(|n| {
            let mut stream = server.connect();
            if n % 2 == 0 {
                stream.write_all(b"POST /add HTTP/1.1\r\nHost: x\r\nContent-Len").unwrap();
            } else {
                stream.write_all(b"POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: 120000\r\n\r\n").unwrap();
                stream.write_all(&half).unwrap();
            }
            stream
        })
        .collect();
    an_honest_pledge_is_proven(&server, "de");
    is_modest(&server);
    // Announced as too long: refused before it is sent.
    for length in ["131073", "1073741824", "9223372036854775807"] {
        let head = format!("POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        assert_eq!(server.ask(&head).status, 413, "{length}");
    }
    // Of no announced length, and endless.
    for _ in 0..4 {
        let mut stream = server.connect();
        stream.write_all(b"POST /add HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        let chunk = [b"8000\r\n", &[b'x'; 0x8000][..], b"\r\n"].concat();
        let sent = (0..4096).take_while(|_| stream.write_all(&chunk).is_ok()).count();
        assert!(sent < 4096, "it reads {sent} chunks of 32 KiB");
    }
    is_modest(&server);
    an_honest_pledge_is_proven(&server, "fr");
    // Those that were begun are given up after ten seconds.
    let mut stream = slow.into_iter().nth(1).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut said = [0; 12];
    stream.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HTTP/1.1 408");
}

/// All that a server answers, and some that it does not.
const ROUTES: [&str; 20] = [
    "/checkpoint",
    "/charter.toml",
    "/tile/0/000",
    "/tile/entries/000.p/6",
    "/add",
    "/promised/6",
    "/events",
    "/status",
    "/pledges",
    "/pledges/6",
    "/incidents",
    "/agenda",
    "/roster",
    "/entries/0",
    "/openapi.json",
    "/problems/refused",
    "/healthz",
    "/readyz",
    "/metrics",
    "/private/commit",
];

#[test]
fn garbage_on_every_route_gets_a_refusal_or_nothing() {
    let (world, server) = besieged(&["--rate", "0"]);
    let long = "x".repeat(9000);
    for route in ROUTES {
        for tail in [
            "?",
            "?wait=%00",
            "/../../etc/passwd",
            "/%2e%2e/private/commit",
            "%00",
            "%",
            "/\u{fffd}",
            "?at=-1",
            &long,
        ] {
            let answer = answered(
                &server,
                format!("GET {route}{tail} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes(),
            );
            assert!(
                answer.is_none_or(|status| (200..500).contains(&status)),
                "GET {route}{tail}: {answer:?}"
            );
        }
        for method in ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "OPTIONS", "GARBAGE", "get", "POST"] {
            let body = "-----BEGIN SERVANDA STATEMENT-----\n\u{0}\u{ff}";
            let length = body.len();
            let request = format!(
                "{method} {route} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            let answer = answered(&server, request.as_bytes());
            assert!(answer.is_none_or(|status| (200..500).contains(&status)), "{method} {route}: {answer:?}");
        }
        for fields in [
            "Content-Length: -1",
            "Content-Length: 5\r\nContent-Length: 6",
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Range: bytes=99999999999999999999-",
            "Range: bytes=5-1,,;",
            "If-None-Match: \u{ff}\"",
            "Last-Event-ID: 18446744073709551616-18446744073709551616",
            "Accept-Encoding: gzip;q=NaN, *;q=-1",
            "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAAA",
            "Expect: 100-continue",
            ": nothing",
        ] {
            let request = format!("GET {route} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n\r\n");
            let answer = answered(&server, request.as_bytes());
            assert!(answer.is_none_or(|status| (100..500).contains(&status)), "{fields} {route}: {answer:?}");
        }
    }
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://elsewhere/checkpoint HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n",
        b"GET /checkpoint HTTP/1.1\nHost: x\n\n",
        b"\r\n\r\n\r\n\r\n",
        &[0xff; 20_000],
    ] {
        let answer = answered(&server, bytes);
        assert!(answer.is_none_or(|status| status < 500 || status == 505), "{bytes:?}: {answer:?}");
    }
    an_honest_pledge_is_proven(&server, "de");
    is_modest(&server);
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
    world.run("verify paris").ends(0).says("verified: no findings");
}

/// The status that a request gets, if any, before the connection ends or a moment is over.
fn answered(server: &Server, request: &[u8]) -> Option<u16> {
    let mut stream = server.connect();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let _ = stream.write_all(request);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut line = String::new();
    let _ = BufReader::new(stream).read_line(&mut line);
    line.strip_prefix("HTTP/1.1 ").or(line.strip_prefix("HTTP/1.0 "))?.get(..3)?.parse().ok()
}

#[test]
fn a_statement_that_is_sent_again_and_again_is_in_the_log_once() {
    let (world, server) = besieged(&["--rate", "0", "--partner-rate", "0"]);
    let log = SmallLog::ready();
    let (text, id) = Author::new(&log, "de").pledge("tanks");
    let indexes: BTreeSet<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (server, text) = (&server, &text);
                let path = if n % 2 == 0 { "/add" } else { "/add?wait=durable" };
                scope.spawn(move || {
                    let stream = server.connect();
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let mut send = || {
                        (&stream).write_all(post(path, text).as_bytes()).unwrap();
                        given(&Answer::read(&mut reader, false), id).index()
                    };
                    (0..40).map(|_| send()).collect::<Vec<u64>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(indexes, BTreeSet::from([log.size()]));
    // So it is after another one, and after a restart.
    let (next, next_id) = Author::new(&log, "fr").pledge("ships");
    assert_eq!(given(&server.ask(&post("/add", &next)), next_id).index(), log.size() + 1);
    server.signal("KILL");
    drop(server);
    let server = start(&world, &[]);
    let again = given(&server.ask(&post("/add", &text)), id);
    assert!(matches!(again, Given::Proof(index, _) if index == log.size()), "{again:?}");
    assert_eq!(server.get(&format!("/entries/{}", log.size() + 2), "").status, 404);
}

#[test]
fn a_flood_is_turned_away_and_stops_nobody() {
    let (world, server) = besieged(&["--rate", "5"]);
    let log = SmallLog::ready();
    // Of statements that nobody signed, questions, and objects.
    let statement = log.draft("pl", pledge(&["ua"], terms("tanks")));
    let mut draft = servanda::draft::Draft::new(&statement, None).unwrap();
    draft.signatures = log.sign_as(&statement, &[(0, "de/0"), (1, "de/1")]).into();
    let forged = post("/add", &servanda::armor::File::Statement.write(&draft).unwrap());
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let requests = [forged, get("/status"), get("/checkpoint"), get("/entries/3")];
    let (is_over, is_full) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (server, is_over, is_full) = (&server, &is_over, &is_full);
                let request = &requests[n % 4];
                scope.spawn(move || {
                    let stream = server.connect();
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let mut statuses = BTreeSet::new();
                    while !is_over.load(Ordering::Relaxed) {
                        (&stream).write_all(request.as_bytes()).unwrap();
                        statuses.insert(Answer::read(&mut reader, false).status);
                        is_full.fetch_or(statuses.contains(&429), Ordering::Relaxed);
                    }
                    statuses
                })
            })
            .collect();
        // One at the same address, who waits as it is told to.
        let stream = server.connect();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (text, id) = Author::new(&log, "de").pledge("ships");
        let begun = Instant::now();
        while !is_full.load(Ordering::Relaxed) {
            assert!(begun.elapsed() < PATIENCE, "nobody is turned away");
            thread::sleep(Duration::from_millis(5));
        }
        let index = loop {
            (&stream).write_all(post("/add", &text).as_bytes()).unwrap();
            let answer = Answer::read(&mut reader, false);
            if answer.status == 200 {
                break given(&answer, id).index();
            }
            assert_eq!(answer.status, 429, "{}", answer.text());
            assert!(begun.elapsed() < PATIENCE, "it never gets in");
            thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(index, log.size());
        is_modest(&server);
        is_over.store(true, Ordering::Relaxed);
        let statuses: BTreeSet<u16> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert!(
            statuses.contains(&429) && statuses.is_subset(&BTreeSet::from([200, 422, 429])),
            "{statuses:?}"
        );
    });
    drop(server);
    world.run("verify paris").ends(0);
}
