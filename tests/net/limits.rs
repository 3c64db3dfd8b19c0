//! Limits of a server, and how it ends.

use super::{Answer, Server};
use crate::cli_verify::World;
use crate::support::small_log::SmallLog;
use std::io::{BufReader, Read as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

const GET: &str = "GET /checkpoint HTTP/1.1\r\nHost: x\r\n\r\n";

fn world() -> World {
    World::with(&SmallLog::ready())
}

#[test]
fn a_head_is_read_up_to_its_limits() {
    let world = world();
    let server = Server::start(&world.path("."), "paris", &[]);
    let fields = |count: usize| (0..count).map(|n| format!("X-{n}: 1\r\n")).collect::<String>();
    assert_eq!(server.get("/checkpoint", &fields(60)).status, 200);
    assert_eq!(server.get("/checkpoint", &fields(70)).status, 431);
    assert_eq!(server.get("/checkpoint", &format!("X: {}\r\n", "x".repeat(10_000))).status, 200);
    assert_eq!(server.get("/checkpoint", &format!("X: {}\r\n", "x".repeat(20_000))).status, 431);
    let mut stream = server.connect();
    stream.write_all(b"\x16\x03\x01garbage\r\n\r\n").unwrap();
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 400"), "{said:?}");
}

#[test]
fn an_address_has_so_many_connections_and_others_are_served_when_they_end() {
    let world = world();
    let server = Server::start(&world.path("."), "paris", &["--max-connections-each", "3"]);
    let mut held: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for stream in &mut held {
        stream.write_all(GET.as_bytes()).unwrap();
        assert_eq!(Answer::read(&mut BufReader::new(stream.try_clone().unwrap()), false).status, 200);
    }
    let mut more = server.connect();
    let _ = more.write_all(GET.as_bytes());
    let mut said = Vec::new();
    let _ = more.read_to_end(&mut said);
    assert!(said.is_empty(), "the fourth is closed");
    drop(held);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) {
        let mut stream = server.connect();
        let _ = stream.write_all(GET.as_bytes());
        let mut said = [0; 12];
        if stream.read_exact(&mut said).is_ok() {
            assert_eq!(&said, b"HTTP/1.1 200");
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("nobody is served any more");
}

#[test]
fn whoever_asks_too_often_is_told_to_wait() {
    let world = world();
    let server = Server::start(&world.path("."), "paris", &["--rate", "5"]);
    let stream = server.connect();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut ask = || {
        (&stream).write_all(GET.as_bytes()).unwrap();
        Answer::read(&mut reader, false)
    };
    let answers: Vec<Answer> = (0..40).map(|_| ask()).collect();
    assert!(answers[..10].iter().all(|answer| answer.status == 200), "twice the rate at once");
    let refused = answers.iter().find(|answer| answer.status == 429).expect("forty at once are too many");
    assert_eq!(refused.field("retry-after"), Some("1"));
    assert!(refused.text().contains("/problems/too-often"), "{}", refused.text());
    thread::sleep(Duration::from_millis(1100));
    assert_eq!(ask().status, 200);
    let free = Server::start(&world.path("."), "paris", &["--rate", "0"]);
    assert!((0..40).all(|_| free.get("/checkpoint", "").status == 200));
}

#[test]
fn a_server_ends_when_it_is_asked_to() {
    let world = world();
    for signal in ["TERM", "INT"] {
        let server = Server::start(&world.path("."), "paris", &[]);
        assert_eq!(server.get("/checkpoint", "").status, 200);
        // One that is kept for later does not keep it from ending.
        let mut idle = server.connect();
        idle.write_all(GET.as_bytes()).unwrap();
        assert_eq!(Answer::read(&mut BufReader::new(idle.try_clone().unwrap()), false).status, 200);
        let begun = Instant::now();
        server.signal(signal);
        assert_eq!(server.ended(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(idle.read(&mut [0]).unwrap(), 0, "the connection is closed");
    }
}

#[test]
fn a_request_that_has_begun_is_given_some_time_and_no_more() {
    let world = world();
    let server = Server::start(&world.path("."), "paris", &[]);
    let mut slow = server.connect();
    slow.write_all(b"GET /checkpoint HTTP/1.1\r\n").unwrap();
    thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn options_come_from_a_file_too() {
    let world = world();
    world.write("servanda.toml", "[serve]\nlog = \"nowhere\"\nrate = 5\n[monitor]\nanything = 1\n");
    let server = Server::start(&world.path("."), "paris", &["--config", "servanda.toml"]);
    let refused = (0..40).any(|_| server.get("/checkpoint", "").status == 429);
    assert!(refused, "the rate is the file's, the log the one on the command line");
    world.write("wrong.toml", "[serve]\nrate-limit = 5\n");
    world.run("serve paris --config wrong.toml").ends(2).says("[serve] has no option rate-limit");
}

#[test]
fn a_server_says_in_a_line_what_it_was_asked() {
    let world = world();
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_servanda"))
        .args(["serve", "paris", "--listen", "127.0.0.1:0", "--trace-format", "json", "--json"])
        .env_remove("SERVANDA_TRACE")
        .current_dir(world.path("."))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = child;
    let mut line = String::new();
    std::io::BufRead::read_line(&mut BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let url = said["url"].as_str().unwrap().trim_end_matches('/').to_owned();
    let server = Server { child, url };
    server.get("/checkpoint", "");
    server.signal("TERM");
    let mut log = String::new();
    let mut server = server;
    server.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let request = lines.iter().find(|line| line["path"] == "/checkpoint").expect("a line for the request");
    assert_eq!((&request["method"], &request["status"]), (&"GET".into(), &200.into()));
    assert!(request["us"].is_number() && request["peer"].is_string(), "{request}");
}
