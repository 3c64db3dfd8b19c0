//! Commands that write, given a URL: what they sign is sent, and what comes back is verified before anything is said of it.

use super::Server;
use crate::support::office::{NOW, Office};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

const WRITING: [&str; 6] = ["--operator-key", "keys/op", "--now", NOW, "--partner-rate", "0"];

fn office() -> Office {
    Office::founded(&[("de", "Germany", "guarantor", 1), ("ua", "Ukraine", "beneficiary", 1)])
}

fn start(office: &Office, options: &[&str]) -> Server {
    Server::start(&office.path("."), "log", &[&WRITING[..], options].concat())
}

/// The first word of what was said: a statement's id.
fn id(out: &str) -> String {
    out.split_whitespace().next().unwrap().to_owned()
}

const PLEDGE: [&str; 13] = [
    "pledge",
    "--key",
    "keys/de1",
    "--to",
    "ua",
    "--title",
    "Mine clearance",
    "--instrument",
    "military",
    "--valid-from",
    "2026-12-01",
    "--yes",
    "--log",
];

#[test]
fn a_pledge_is_made_and_accepted_by_url() {
    let office = office();
    let server = start(&office, &[]);
    let url = server.url.as_str();
    let said = office.good(&[&PLEDGE[..], &[url]].concat());
    let id = id(&said.out);
    assert!(said.out.contains("entry 3, published in the checkpoint of 4 entries"), "{}", said.out);
    assert!(said.err.contains("quorum none"), "{}", said.err);
    let said = office.good(&["accept", &id[..8], "--key", "keys/ua1", "--yes", "--log", url]);
    assert!(said.out.contains("entry 4, published"), "{}", said.out);
    assert!(said.out.contains("is in force"), "what followed is told: {}", said.out);
    // A rule, by its name; nothing is kept of what was refused.
    let refused = office.run(&["accept", &id[..8], "--key", "keys/ua1", "--yes", "--log", url]);
    assert_eq!(refused.code, 1, "{}{}", refused.out, refused.err);
    assert!(refused.err.contains("refused by rule accepted-already"), "{}", refused.err);
    drop(server);
    assert_eq!(office.size(), 5);
    office.entries();
}

#[test]
fn a_draft_is_submitted_by_url_and_goes_in_once() {
    let office = office();
    office.good(&[&PLEDGE[..], &["log", "--draft", "pledge.statement"]].concat());
    let server = start(&office, &[]);
    for _ in 0..2 {
        let said = office.good(&["submit", "pledge.statement", "--log", &server.url]);
        assert!(said.out.contains("entry 3, published"), "{}", said.out);
    }
    let json = office.good(&["submit", "pledge.statement", "--log", &server.url, "--json"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json[0]["index"], &json[0]["published"]), (&3.into(), &4.into()));
    drop(server);
    assert_eq!(office.size(), 4);
}

#[test]
fn a_statement_whose_answer_was_lost_is_kept_and_goes_in_once() {
    let office = office();
    let server = start(&office, &[]);
    // What is between takes the statement to the server, and loses its answer.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let to = server.address();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut near = stream.unwrap();
            let mut far = std::net::TcpStream::connect(to).unwrap();
            thread::spawn(move || {
                let mut bytes = [0; 1 << 16];
                while let Ok(read @ 1..) = near.read(&mut bytes) {
                    let loses = bytes.starts_with(b"POST ");
                    far.write_all(&bytes[..read]).unwrap();
                    let read = far.read(&mut bytes).unwrap();
                    if loses || near.write_all(&bytes[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    let said = office.run(&[&PLEDGE[..], &[&url]].concat());
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(said.err.contains("Do not sign it anew"), "{}", said.err);
    let kept = fs::read_dir(office.path(".")).unwrap().map(|entry| entry.unwrap().path());
    let kept =
        kept.into_iter().find(|path| path.extension().is_some_and(|e| e == "statement")).expect("it is kept");
    let said = office.good(&["submit", &kept.display().to_string(), "--log", &server.url]);
    assert!(said.out.contains("entry 3, published"), "{}", said.out);
    drop(server);
    assert_eq!(office.size(), 4, "however often it was sent");
}

#[test]
fn a_server_that_takes_no_statements_says_so() {
    let office = office();
    let server = start(&office, &["--read-only"]);
    let said = office.run(&[&PLEDGE[..], &[&server.url]].concat());
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(said.err.contains("this server takes no statements"), "{}", said.err);
}
