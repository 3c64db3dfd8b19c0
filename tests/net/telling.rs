//! What a server tells: answers as the command line gives them, and events, from any place in its journal, without gap or repeat.

use super::writing::{Author, given, post, start, world};
use super::{Answer, Server};
use crate::support::small_log::{SmallLog, accept, terms};
use serde_json::Value;
use servanda::field::Duration as Span;
use servanda::statement::Act;
use servanda::statement::body::Pledge;
use servanda::statement::terms::{Due, Quantity};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

/// Everyone acceded, two pledges, an acceptance.
fn busy() -> SmallLog {
    let mut log = SmallLog::ready();
    let tanks = log.say("de", crate::support::small_log::pledge(&["ua"], terms("tanks")));
    log.say("fr", crate::support::small_log::pledge(&["ua"], terms("aircraft")));
    log.say("ua", accept(&[tanks]));
    log
}

fn json(server: &Server, path: &str) -> Value {
    let answer = server.get(path, "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.field("content-type"), Some("application/json"), "{path}");
    serde_json::from_slice(&answer.body).unwrap()
}

#[test]
fn answers_are_those_of_the_command_line() {
    let log = busy();
    let world = world(&log);
    let server = start(&world, &[]);
    let now = super::writing::NOW;
    for (path, line, name) in [
        ("/status", "status --log paris --json", "status"),
        (
            "/status?partner=de&state=in-force",
            "status --log paris --partner de --state in-force --json",
            "status",
        ),
        ("/incidents", "incidents --log paris --json", "reports"),
        ("/roster", "roster --log paris --json", "roster"),
    ] {
        let here = world.run(&format!("{line} --now {now}")).ends(0).json();
        let there = json(&server, path);
        assert_eq!(there[name], here[name], "{path}");
        for field in ["at", "entry", "log", "size", "root", "cannot_show"] {
            assert_eq!(there[field], here[field], "{path}: {field}");
        }
        assert_eq!(there["published"], 9);
    }
    let here = world.run(&format!("agenda --until 2027-06-30 --log paris --json --now {now}")).ends(0).json();
    assert_eq!(json(&server, "/agenda?until=2027-06-30")["agenda"]["items"], here["agenda"]["items"]);
    assert!(json(&server, "/agenda")["agenda"]["until"].is_string());
    let mut here = world.run("show @6 --log paris --json").ends(0).json();
    let there = json(&server, "/entries/6");
    for name in ["signers", "findings", "not_checked", "pinned"] {
        here.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(there["published"], true);
    let mut there = there;
    there.as_object_mut().unwrap().remove("published");
    assert_eq!(there, here);
    let id = log.entry(6).id;
    let pledges = json(&server, "/pledges");
    assert_eq!(pledges["pledges"]["pledges"].as_array().unwrap().len(), 2);
    for called in [id.to_string(), id.short()] {
        let pledge = json(&server, &format!("/pledges/{called}"));
        assert_eq!(pledge["pledge"]["id"], id.to_string());
        assert_eq!(pledge["pledge"]["rows"][0]["state"], "in force");
    }
}

#[test]
fn questions_that_nobody_understands_are_refused() {
    let world = world(&busy());
    let server = start(&world, &[]);
    for (path, status) in [
        ("/status?partner=xx", 400),
        ("/status?state=wonderful", 400),
        ("/status?verdict=guilty", 400),
        ("/status?instrument=magic", 400),
        ("/status?colour=red", 400),
        ("/agenda?until=soon", 400),
        ("/pledges/abc", 404),
        ("/pledges/ffffffffffff", 404),
        ("/entries/9", 404),
        ("/entries/x", 404),
        ("/entries/-1", 404),
        ("/promised/6", 404),
    ] {
        let answer = server.get(path, "");
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert_eq!(answer.field("content-type"), Some("application/problem+json"), "{path}");
    }
}

#[test]
fn a_program_learns_what_there_is() {
    let world = world(&busy());
    let server = start(&world, &[]);
    let api = json(&server, "/openapi.json");
    for path in [
        "/add",
        "/promised/{index}",
        "/events",
        "/status",
        "/pledges",
        "/pledges/{id}",
        "/incidents",
        "/agenda",
        "/roster",
        "/entries/{index}",
        "/checkpoint",
        "/healthz",
        "/readyz",
        "/metrics",
    ] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
    assert_eq!(server.get("/healthz", "").status, 200);
    assert_eq!(server.get("/readyz", "").status, 200);
}

/// Someone who listens to events.
struct Listener(BufReader<TcpStream>);

/// An event: id, name, data.
type Heard = (String, String, Value);

impl Listener {
    fn start(server: &Server, from: Option<&str>) -> Self {
        let mut stream = server.connect();
        let from = from.map_or(String::new(), |from| format!("Last-Event-ID: {from}\r\n"));
        stream
            .write_all(format!("GET /events HTTP/1.1\r\nHost: localhost\r\n{from}\r\n").as_bytes())
            .unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0);
            assert!(!line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.1 200"), "{line}");
        }
        Self(reader)
    }

    /// The next thing that is said: the id, and an event unless it is the place alone.
    fn next(&mut self) -> (String, Option<(String, Value)>) {
        let (mut id, mut name, mut data) = (String::new(), None, None);
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "it ended");
            // The lengths of chunks stand between.
            match line.trim_end().split_once(": ") {
                Some(("id", said)) => id = said.to_owned(),
                Some(("event", said)) => name = Some(said.to_owned()),
                Some(("data", said)) => data = Some(serde_json::from_str(said).unwrap()),
                _ if line == "\n" && !id.is_empty() => return (id, name.zip(data)),
                _ => {}
            }
        }
    }

    fn event(&mut self) -> Heard {
        loop {
            if let (id, Some((name, data))) = self.next() {
                return (id, name, data);
            }
        }
    }

    /// All events up to one of this name and key.
    fn until(&mut self, name: &str, key: &str) -> Vec<Heard> {
        let mut heard = vec![self.event()];
        while !heard.last().is_some_and(|(_, n, data)| n == name && data["key"] == key) {
            heard.push(self.event());
        }
        heard
    }
}

#[test]
fn events_tell_what_an_entry_brought() {
    let log = busy();
    let world = world(&log);
    let server = start(&world, &[]);
    let mut listener = Listener::start(&server, None);
    let mut de = Author::new(&log, "de");
    let (text, id) = de.pledge("ships");
    given(&server.ask(&post("/add", &text)), id);
    let heard = listener.until("published", "published:10");
    let names: Vec<&str> = heard.iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(names, ["entry", "pledged", "published"]);
    let (_, _, pledged) = &heard[1];
    assert_eq!(pledged["key"], format!("pledged:{id}"));
    assert_eq!((&pledged["index"], &pledged["exercise"]), (&9.into(), &false.into()));
    assert!(["durable", "published"].contains(&pledged["state"].as_str().unwrap()), "{pledged}");
    assert_eq!(
        (&pledged["about"], &pledged["by"][0], &pledged["to"][0]),
        (&id.to_string().into(), &"de".into(), &"ua".into())
    );
    // It is in force once it is accepted, and so it is said.
    let mut ua = Author::new(&log, "ua");
    let (text, accepted) = ua.say(&accept(&[id]));
    given(&server.ask(&post("/add", &text)), accepted);
    let heard = listener.until("published", "published:11");
    let in_force = heard.iter().find(|(_, name, _)| name == "in_force").expect("in force");
    assert_eq!(in_force.2["key"], format!("in_force:{id}:ua:{accepted}"));
}

#[test]
fn time_brings_events_too() {
    let log = SmallLog::ready();
    let world = world(&log);
    let mut terms = terms("half of it soon");
    terms.dues = vec![Due {
        label: crate::support::small_log::short("first half"),
        by: log.now.plus(Span::of_days(3)),
        quantity: Quantity::None,
    }]
    .into();
    let mut de = Author::new(&log, "de");
    let pledge = Act::Pledge(Pledge {
        to: crate::support::small_log::handles(&["ua"]),
        terms: servanda::charter::Sealable::Open(terms),
    });
    let server = start(&world, &[]);
    let (text, id) = de.say(&pledge);
    given(&server.ask(&post("/add", &text)), id);
    let (text, accepted) = Author::new(&log, "ua").say(&accept(&[id]));
    given(&server.ask(&post("/add", &text)), accepted);
    let mut listener = Listener::start(&server, None);
    let (place, _) = listener.next();
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
    // The next one runs days later.
    let later = ["--log-key", "keys/log", "--operator-key", "keys/operator", "--now", "2026-12-05T00:00Z"];
    let server = Server::start(&world.path("."), "paris", &later);
    let mut listener = Listener::start(&server, Some(&place));
    let heard = listener.until("overdue", &format!("overdue:{id}/due/0/v0"));
    assert_eq!(heard.last().map(|(_, _, overdue)| &overdue["index"]), Some(&Value::Null), "{heard:?}");
}

#[test]
fn a_listener_goes_on_where_it_was_without_gap_or_repeat() {
    let log = busy();
    let world = world(&log);
    let mut fr = Author::new(&log, "fr");
    let mut say = |server: &Server, count: u64| {
        for n in 0..count {
            let (text, id) = fr.pledge(&format!("pledge {n}"));
            given(&server.ask(&post("/add", &text)), id);
        }
    };
    let server = start(&world, &[]);
    let mut whole = Listener::start(&server, None);
    let (mut place, _) = whole.next();
    let begun = place.clone();
    let mut cut: Vec<Heard> = Vec::new();
    say(&server, 3);
    let mut all = whole.until("published", "published:12");
    // One who hears two at a time, and comes again each time.
    while cut.len() < all.len() {
        let mut listener = Listener::start(&server, Some(&place));
        for _ in 0..2.min(all.len() - cut.len()) {
            cut.push(listener.event());
        }
        place = cut.last().unwrap().0.clone();
    }
    assert_eq!(cut, all);
    server_ends(&server, "TERM");
    // Restarted, and killed.
    for (signal, size) in [("TERM", 14), ("KILL", 16)] {
        let server = start(&world, &[]);
        say(&server, 2);
        let mut listener = Listener::start(&server, Some(&place));
        let more = listener.until("published", &format!("published:{size}"));
        place = more.last().unwrap().0.clone();
        all.extend(more);
        server_ends(&server, signal);
    }
    let server = start(&world, &[]);
    let again = Listener::start(&server, Some(&begun)).until("published", "published:16");
    assert_eq!(again, all, "the journal has all of it");
    let numbers: Vec<u64> =
        all.iter().map(|(id, ..)| id.split_once('-').unwrap().1.parse().unwrap()).collect();
    assert!(numbers.windows(2).all(|two| two[0] + 1 == two[1]), "{numbers:?}");
    let entries: Vec<&Value> =
        all.iter().filter(|(_, name, _)| name == "entry").map(|(_, _, data)| &data["index"]).collect();
    assert_eq!(entries, (9..16).map(Value::from).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    for gone in ["nonsense", "abc-1", &format!("{}-999", begun.split_once('-').unwrap().0)] {
        let (_, name, _) = Listener::start(&server, Some(gone)).event();
        assert_eq!(name, "reset", "{gone}");
    }
}

fn server_ends(server: &Server, signal: &str) {
    let gone = || TcpStream::connect(server.address()).is_err();
    server.signal(signal);
    while !gone() {
        thread::sleep(Duration::from_millis(20));
    }
    // Its locks go with it, a moment later.
    thread::sleep(Duration::from_millis(200));
}

#[test]
fn listeners_end_with_the_server() {
    let world = world(&busy());
    let server = start(&world, &[]);
    let mut listeners: Vec<Listener> = (0..20).map(|_| Listener::start(&server, None)).collect();
    listeners.iter_mut().for_each(|listener| drop(listener.next()));
    let metrics = server.get("/metrics", "");
    assert!(metrics.text().contains("servanda_listeners 20"), "{}", metrics.text());
    let begun = std::time::Instant::now();
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn what_is_read_needs_no_more_than_a_plain_request() {
    let world = world(&busy());
    let server = start(&world, &[]);
    let mut stream = server.connect();
    stream.write_all(b"GET /status HTTP/1.0\r\n\r\n").unwrap();
    let answer = Answer::read(&mut BufReader::new(stream), false);
    assert!(answer.status == 200 && answer.text().contains("\"tanks\""), "{answer:?}");
}
