//! A log with witnesses, by the real binaries: founded, published once its quorum has cosigned, and run on while they fail.

use super::Server;
use crate::support::office::{NOW, Office, Partner};
use servanda::key::SigningKey;
use servanda::key::vkey::Vkey;
use std::thread;
use std::time::{Duration, Instant};

pub(super) const PARTNERS: [Partner<'static>; 2] =
    [("de", "Germany", "guarantor", 1), ("ua", "Ukraine", "beneficiary", 1)];

/// How long to wait for what must come.
pub(super) const MOMENT: Duration = Duration::from_secs(60);

/// A log in `log` whose rules name two witnesses, and its keys. Nothing of it is published.
pub(super) fn founded(quorum: usize) -> Office {
    let office = Office::prepared(&PARTNERS);
    for n in [1, 2] {
        let (name, path) = (format!("w{n}.example"), format!("keys/w{n}"));
        office.good(&["keygen", "--witness", &name, &path, "--no-passphrase"]);
    }
    let [one, two] = vkeys(&office);
    let rules = format!("[rules.witnesses]\nvkeys = [\"{one}\", \"{two}\"]\nquorum = {quorum}\n");
    office.write("charter.toml", &(office.read("charter.toml") + &rules));
    let said = office.good(&["init", "log", "--key", "keys/op", "--yes"]);
    assert!(said.out.contains(&format!("{quorum} of its 2 witnesses")), "{}", said.out);
    assert!(!office.path("log/public/checkpoint").exists(), "published without its witnesses");
    office.write("trust.toml", &office.read("log/trust.toml"));
    let log = office.read("keys/log.vkey");
    office.write("logs", &format!("logs/v0\nvkey {log}qpd 86400\ncontact op@guarantees.example\n"));
    office
}

fn vkeys(office: &Office) -> [String; 2] {
    [1, 2].map(|n| office.read(&format!("keys/w{n}.vkey")).trim_end().to_owned())
}

/// One of the two witnesses, at an address.
pub(super) fn witness(office: &Office, n: usize, listen: &str) -> Server {
    witness_then(office, n, listen, NOW)
}

fn witness_then(office: &Office, n: usize, listen: &str, now: &str) -> Server {
    let (state, key) = (format!("w{n}"), format!("keys/w{n}"));
    let options = [&*state, "--log-list", "logs", "--key", &key, "--now", now];
    Server::run_at(&office.path("."), "witness", listen, &options)
}

/// Writes the policy that says where the witnesses are.
pub(super) fn policy(office: &Office, urls: [&str; 2], quorum: usize) {
    let [one, two] = vkeys(office);
    let witnesses = format!("witness w1 {one} {}/\nwitness w2 {two} {}/\n", urls[0], urls[1]);
    office.write("policy", &format!("{witnesses}group g {quorum} w1 w2\nquorum g\n"));
}

fn serve(office: &Office) -> Server {
    serve_then(office, NOW)
}

fn serve_then(office: &Office, now: &str) -> Server {
    let options = ["--operator-key", "keys/op", "--policy", "policy", "--witness-timeout", "1", "--now", now];
    Server::start(&office.path("."), "log", &options)
}

/// Waits until the published checkpoint has so many entries.
pub(super) fn reaches(server: &Server, size: u64) -> String {
    let begun = Instant::now();
    loop {
        let answer = server.get("/checkpoint", "");
        if answer.status == 200 && answer.text().lines().nth(1) == Some(&size.to_string()) {
            return answer.text().to_owned();
        }
        assert!(begun.elapsed() < MOMENT, "not published: {answer:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until a path has this status.
pub(super) fn answers(server: &Server, path: &str, status: u16) {
    let begun = Instant::now();
    while server.get(path, "").status != status {
        assert!(begun.elapsed() < MOMENT, "{path} does not come to {status}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Sends a signed statement; the status of the answer, and the answer.
fn add(office: &Office, server: &Server, statement: &str) -> (u16, String) {
    let answer = server.post("/add?wait=durable", &office.read(statement));
    (answer.status, answer.text().to_owned())
}

pub(super) fn pledge<'a>(log: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let what = ["pledge", "--key", "keys/de1", "--to", "ua", "--title", "Mine clearance", "--yes"];
    [&what[..], &["--instrument", "military", "--valid-from", "2026-12-01", "--log", log], more].concat()
}

#[test]
fn a_log_with_two_witnesses_is_founded_and_run_by_its_partners_over_the_network() {
    let office = founded(2);
    let (one, two) = (witness(&office, 1, "127.0.0.1:0"), witness(&office, 2, "127.0.0.1:0"));
    policy(&office, [&one.url, &two.url], 2);
    let server = serve(&office);
    let url = server.url.as_str();
    reaches(&server, 1);
    let said = office.good(&["verify", url]);
    assert!(said.out.contains("witnessed by w1.example") && said.out.contains("w2.example"), "{}", said.out);
    assert!(
        !said.out.contains("quorum none") && !said.err.contains("quorum none"),
        "{}{}",
        said.out,
        said.err
    );
    for partner in &PARTNERS {
        office.good(&Office::accede(partner, url));
    }
    let said = office.good(&pledge(url, &[]));
    assert!(said.out.contains("entry 3, published in the checkpoint of 4 entries"), "{}", said.out);
    assert!(!said.err.contains("quorum none"), "{}", said.err);
    let said = office.good(&["accept", "@3", "--key", "keys/ua1", "--yes", "--log", url]);
    assert!(said.out.contains("is in force"), "{}", said.out);
    assert_eq!(server.get("/readyz", "").status, 200);
    // By a policy in a file of its own; what it relies on is said.
    office.good(&["verify", url, "--policy", "policy"]);
    office.write("nobody", "quorum none\n");
    let said = office.good(&["verify", url, "--policy", "nobody"]);
    assert!(said.out.contains("quorum none"), "{}", said.out);
    let said = office.good(&["status", "--log", url, "--policy", "nobody"]);
    assert!(said.err.contains("quorum none"), "{}", said.err);
    let stranger = Vkey::witness("w3.example", SigningKey::from_seed(&[3; 32]).public()).unwrap();
    office.write("stranger", &format!("witness w3 {stranger}\nquorum w3\n"));
    let said = office.run(&["verify", url, "--policy", "stranger"]);
    assert!(said.code == 1 && said.out.contains("quorum"), "{} {}{}", said.code, said.out, said.err);
    let other = Vkey::log("other.example", SigningKey::from_seed(&[4; 32]).public()).unwrap();
    office.write("other", &format!("log {other}\nquorum none\n"));
    let said = office.run(&["verify", url, "--policy", "other"]);
    assert!(said.code == 2 && said.err.contains("it names other logs"), "{}", said.err);
    // What was proved convinces offline, by the trust file that init wrote.
    office.good(&["prove", "@3", "--log", url, "--out", "pledge.tlog-proof"]);
    let said = office.good(&["check", "pledge.tlog-proof"]);
    assert!(said.out.contains("w1.example") && said.out.contains("w2.example"), "{}", said.out);
}

#[test]
fn without_its_quorum_nothing_is_published_and_every_promise_is_given_and_kept() {
    let office = founded(2);
    office.good(&[&Office::accede(&PARTNERS[0], "log")[..], &["--draft", "de.statement"]].concat());
    let one = witness(&office, 1, "127.0.0.1:0");
    // The second has an address, and is not there.
    let two = witness(&office, 2, "127.0.0.1:0");
    let (address, place) = (two.address().to_string(), two.url.clone());
    drop(two);
    policy(&office, [&one.url, &place], 2);
    let server = serve(&office);
    let (status, promise) = add(&office, &server, "de.statement");
    assert_eq!(status, 202, "{promise}");
    office.write("de.promise", &promise);
    answers(&server, "/readyz", 503);
    assert_eq!(server.get("/promised/1", "").status, 200);
    assert_eq!(server.get("/checkpoint", "").status, 404);
    assert!(!office.path("log/public/checkpoint").exists());
    let said = office.run(&["verify", &server.url]);
    assert!(said.code == 2 && said.err.contains("there is no checkpoint"), "{} {}", said.code, said.err);
    // It comes back, at the address where it was.
    let _two = witness(&office, 2, &address);
    reaches(&server, 2);
    let said = office.good(&["verify", &server.url, "--promise", "de.promise"]);
    assert!(said.out.contains("kept"), "{}", said.out);
    answers(&server, "/readyz", 200);
}

#[test]
fn one_of_two_witnesses_is_enough_where_the_rules_say_so() {
    let office = founded(1);
    // By the operator's own hand, while nobody serves it: durable, and no more than that.
    let said = office.good(&Office::accede(&PARTNERS[0], "log"));
    assert!(said.out.contains("entry 1, durable; `servanda serve` publishes it"), "{}", said.out);
    assert!(!office.path("log/public/checkpoint").exists());
    let (one, two) = (witness(&office, 1, "127.0.0.1:0"), witness(&office, 2, "127.0.0.1:0"));
    let (address, place) = (two.address().to_string(), two.url.clone());
    drop(two);
    policy(&office, [&one.url, &place], 1);
    let server = serve(&office);
    reaches(&server, 2);
    office.good(&Office::accede(&PARTNERS[1], &server.url));
    let said = office.good(&pledge(&server.url, &[]));
    assert!(said.out.contains("entry 3, published in the checkpoint of 4 entries"), "{}", said.out);
    let said = office.good(&["verify", &server.url]);
    assert!(said.out.contains("w1.example") && !said.out.contains("w2.example"), "{}", said.out);
    drop(server);
    // Nobody publishes it past its witnesses.
    let before = office.read("log/public/checkpoint");
    office.good(&pledge("log", &[]));
    assert_eq!(office.read("log/public/checkpoint"), before);
    // A writer that begins must know that none of them is ahead of it: here the silent one alone could be a quorum.
    let server = serve(&office);
    answers(&server, "/readyz", 503);
    assert!(server.get("/readyz", "").text().contains("too few witnesses answered"));
    assert_eq!(office.read("log/public/checkpoint"), before);
    let _two = witness(&office, 2, &address);
    reaches(&server, 5);
}

#[test]
fn a_policy_that_asks_for_less_than_the_rules_is_refused() {
    let office = founded(2);
    let options = ["serve", "log", "--operator-key", "keys/op", "--listen", "127.0.0.1:0"];
    let said = office.run(&options);
    assert!(said.code == 2 && said.err.contains("ask for the cosignatures of 2 witnesses"), "{}", said.err);
    policy(&office, ["http://127.0.0.1:9", "http://127.0.0.1:9"], 1);
    let said = office.run(&[&options[..], &["--policy", "policy"]].concat());
    assert!(said.code == 2 && said.err.contains("a quorum without so many of them"), "{}", said.err);
    office.write("policy", "quorum none\n");
    let said = office.run(&[&options[..], &["--policy", "policy"]].concat());
    assert!(said.code == 2 && said.err.contains("quorum none asks nobody"), "{}", said.err);
}

#[test]
fn an_anchor_goes_in_hourly_with_or_without_traffic_and_never_twice() {
    let office = founded(2);
    let at = |time: &str| {
        let now = format!("2026-12-01T{time}Z");
        let one = witness_then(&office, 1, "127.0.0.1:0", &now);
        let two = witness_then(&office, 2, "127.0.0.1:0", &now);
        policy(&office, [&one.url, &two.url], 2);
        (serve_then(&office, &now), one, two)
    };
    {
        let (server, _one, _two) = at("12:00");
        reaches(&server, 1);
    }
    {
        // 59 minutes later none is due: what comes next in the log is what a partner said.
        let (server, _one, _two) = at("12:59");
        let said = office.good(&Office::accede(&PARTNERS[0], &server.url));
        assert!(said.out.contains("entry 1, published in the checkpoint of 2 entries"), "{}", said.out);
    }
    {
        // After an hour one is, though nobody says anything.
        let (server, _one, _two) = at("13:01");
        reaches(&server, 3);
        let said = office.good(&["show", "@2", "--log", &server.url]);
        assert!(said.out.contains("records a cosigned checkpoint"), "{}", said.out);
        let said = office.good(&Office::accede(&PARTNERS[1], &server.url));
        assert!(said.out.contains("entry 3, published in the checkpoint of 4 entries"), "{}", said.out);
    }
    // Two hours later what is published is old, and is cosigned anew before it is anchored.
    let (server, _one, _two) = at("15:01");
    reaches(&server, 5);
    let said = office.good(&["show", "@4", "--log", &server.url, "--json"]);
    assert!(said.out.contains("anchor"), "{}", said.out);
    office.good(&["verify", &server.url, "--now", "2026-12-01T15:01Z"]);
}
