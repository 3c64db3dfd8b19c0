//! An operator that is replaced, by the real binaries: it hands over, or it will not go; witnesses, mirrors, clients and monitors
//! follow the partners' motion.

use super::Server;
use super::founding::{MOMENT, PARTNERS, answers, founded, pledge, policy, reaches, witness};
use crate::support::office::{Ended, NOW, Office};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Makes the keys of the next operator.
fn next_operator(office: &Office) {
    office.good(&["keygen", "keys/next-op", "--no-passphrase"]);
    office.good(&["keygen", "keys/next", "--log", "guarantees.example/next", "--no-passphrase"]);
    office.write(
        "next.toml",
        "[thresholds]\ngovern = 1\n\"operate the log\" = 1\n[[officer]]\ntitle = \"next\"\n\
         key_file = \"keys/next-op.pub\"\nclasses = [\"govern\", \"operate the log\"]\n",
    );
}

const MOTION: [&str; 5] = ["propose", "--operator", "keys/next.vkey", "--keys", "next.toml"];

/// Lets the next operator accede in the log's home that it has now.
fn accede_next(office: &Office, home: &str) -> Ended {
    let who = ["accede", "--log", home, "--as", "operator", "--keys", "next.toml", "--key", "keys/next-op"];
    office.good(&[&who[..], &["--log-key", "keys/next", "--yes"]].concat())
}

fn serve_next(office: &Office, home: &str, options: &[&str]) -> Server {
    let keys = ["--log-key", "keys/next", "--operator-key", "keys/next-op", "--now", NOW];
    Server::start(&office.path("."), home, &[&keys[..], options].concat())
}

#[test]
fn an_operator_that_is_replaced_hands_over_and_its_readers_follow() {
    let office = Office::founded(&PARTNERS);
    next_operator(&office);
    office.write("trust.toml", &office.read("log/trust.toml"));
    let server = Server::start(&office.path("."), "log", &["--operator-key", "keys/op", "--now", NOW]);
    let url = server.url.as_str();
    let by = |key: &str, args: &[&str]| office.good(&[args, &["--key", key, "--yes", "--log", url]].concat());
    let motion = by("keys/de1", &MOTION);
    assert!(motion.out.contains("entry 3, published"), "{}", motion.out);
    // What completes the motion is promised: the next operator publishes it.
    let carried = by("keys/ua1", &["approve", "@3"]);
    assert!(carried.out.contains("entry 4, promised and not published yet"), "{}", carried.out);
    let id = carried.out.split_whitespace().next().unwrap().to_owned();
    // From then on the old one takes nothing, and names the new one.
    office.good(&pledge("log/public", &["--draft", "pledge.statement"]));
    let refused = server.post("/add", &office.read("pledge.statement"));
    assert_eq!(refused.status, 410, "{refused:?}");
    assert!(refused.text().contains(office.read("keys/next.vkey").trim_end()), "{}", refused.text());
    let said = office.run(&["submit", "pledge.statement", "--log", url]);
    assert!(said.code == 1 && said.err.contains("new operator"), "{}", said.err);
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));

    let said = accede_next(&office, "log");
    assert!(said.out.contains("entry 5, published in the checkpoint of 6 entries"), "{}", said.out);
    let server = serve_next(&office, "log", &[]);
    // The trust file is the one that the founding wrote.
    let promise = fs::read_dir(office.path(".")).unwrap().map(|file| file.unwrap().file_name());
    let promise =
        promise.map(|name| name.into_string().unwrap()).find(|name| name.ends_with(".promise")).unwrap();
    assert!(id.starts_with(promise.trim_end_matches(".promise")), "{promise} {id}");
    let said = office.good(&["verify", &server.url, "--promise", &promise]);
    assert!(said.out.contains("origin   guarantees.example/next"), "{}", said.out);
    assert!(said.out.contains("kept, as entry 4"), "{}", said.out);
    let said = office.good(&["submit", "pledge.statement", "--log", &server.url]);
    assert!(said.out.contains("entry 6, published in the checkpoint of 7 entries"), "{}", said.out);
}

/// A client that has seen the successor refuses what the operator before shows, to read and to sign.
fn does_not_go_back(office: &Office, url: &str) {
    for args in [&["verify", url][..], &pledge(url, &[])[..]] {
        let said = office.run(args);
        let told = said.err.contains("you have seen it under its next operator");
        assert!(said.code == 1 && told, "{} {}", said.code, said.err);
    }
}

#[test]
fn against_an_operator_that_will_not_go_the_motion_prevails_for_witnesses_mirrors_clients_and_monitors() {
    let office = founded(2);
    next_operator(&office);
    let (one, two) = (witness(&office, 1, "127.0.0.1:0"), witness(&office, 2, "127.0.0.1:0"));
    policy(&office, [&one.url, &two.url], 2);
    let options = ["--operator-key", "keys/op", "--policy", "policy", "--now", NOW];
    let old = Server::start(&office.path("."), "log", &options);
    reaches(&old, 1);
    PARTNERS.iter().for_each(|partner| drop(office.good(&Office::accede(partner, &old.url))));
    office.good(&["mirror", &old.url, "copy"]);
    // The partners sign on their copy, and the old operator learns nothing of it.
    let by = |key: &str, args: &[&str], out: &str| {
        office.good(&[args, &["--key", key, "--yes", "--log", "copy", "--out", out]].concat())
    };
    by("keys/de1", &MOTION, "motion");
    by("keys/ua1", &["approve", "motion"], "approval");
    let take =
        ["submit", "motion", "approval", "--take-over", "copy", "--log", "next", "--log-key", "keys/next"];
    let said = office.good(&take);
    assert!(said.out.contains("`servanda serve` publishes it as guarantees.example/next"), "{}", said.out);
    assert!(!office.path("next/public/checkpoint").exists(), "published without its witnesses");
    accede_next(&office, "next");
    // Meanwhile the old one goes on, and its readers rely on that.
    let said = office.good(&pledge(&old.url, &[]));
    assert!(said.out.contains("entry 3, published in the checkpoint of 4 entries"), "{}", said.out);
    office.good(&["verify", &old.url]);
    let monitor = |sources: &[&str]| {
        let args = ["--trust", "trust.toml", "--state", "monitor", "--once", "--stale-after", "0"];
        office.run(&[&["monitor"][..], sources, &args].concat())
    };
    let said = monitor(&[&old.url]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);

    // To the witnesses the successor is a log of its own: they must be told.
    let server = serve_next(&office, "next", &["--policy", "policy", "--witness-timeout", "1"]);
    answers(&server, "/readyz", 503);
    assert_eq!(server.get("/checkpoint", "").status, 404);
    let next = office.read("keys/next.vkey");
    office.write(
        "logs",
        &format!("{}vkey {next}qpd 86400\ncontact next@guarantees.example\n", office.read("logs")),
    );
    one.signal("HUP");
    two.signal("HUP");
    reaches(&server, 6);

    // A client that relied on the old one's tail is told which history prevails; the trust file stays as it was.
    let said = office.good(&["verify", &server.url]);
    assert!(said.out.contains("prevails over the one of 4 entries"), "{}{}", said.out, said.err);
    let said = office.good(&pledge(&server.url, &[]));
    assert!(
        said.out.contains("entry 6, published in the checkpoint of 7 entries"),
        "{}{}",
        said.out,
        said.err
    );
    does_not_go_back(&office, &old.url);
    // A mirror that had nothing of the tail goes on.
    let said = office.good(&["mirror", &server.url, "copy"]);
    assert!(said.out.contains("7 entries, 4 of them new"), "{}", said.out);
    // A monitor that had verified the tail verifies the other history anew, and tells of both.
    let said = monitor(&[&old.url, &server.url]);
    let told = format!("{}{}", said.out, said.err);
    assert!(told.contains("all of it is verified anew"), "{told}");
    assert!(told.contains("shows the history of guarantees.example/office"), "{told}");
    assert!(!told.contains("two histories"), "no key signed two: {told}");
    assert_eq!(said.code, 1, "what is against the policy counts: {told}");
    let begun = Instant::now();
    while monitor(&[&server.url]).code != 0 {
        assert!(begun.elapsed() < MOMENT, "the monitor does not follow the new operator");
        thread::sleep(Duration::from_millis(100));
    }
    // The old one's histories against each other, by hand.
    let said = office.good(&["verify", &server.url, "--against", "log"]);
    assert!(said.out.contains("prevails over the one of 4 entries"), "{}{}", said.out, said.err);
}
