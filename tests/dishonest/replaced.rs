//! An operator that was replaced by a carried motion, and goes on signing.

use super::server::Dishonest;
use super::{NOW, Someone, busy, face};
use crate::support::forge::{forge, forge_as};
use crate::support::small_log::{SmallLog, handle, key, officer, pledge, review, short, terms};
use servanda::charter::KeySet;
use servanda::field::{Class, Handle};
use servanda::key::vkey::Vkey;
use servanda::statement::Act;
use servanda::statement::body::{Accede, Motion};

const NEXT: &str = "guarantees.example/next";

fn next_set() -> KeySet {
    let only = officer("next/0", &[Class::Govern, Class::OperateLog]);
    KeySet { officers: vec![only].into(), thresholds: [1, 0, 0, 0, 1] }
}

fn next_vkey() -> Vkey {
    Vkey::log(NEXT, key("next/checkpoint").public()).unwrap()
}

/// A log of so many entries, and the same one after its partners carried a new operator, who acceded.
fn succession(size: u64) -> (SmallLog, SmallLog) {
    let mut log = busy(size);
    let old = log.clone();
    let keys = next_set().digest(&Handle::operator());
    log.carry(Motion::Operator { vkey: short(&next_vkey().to_string()), keys, replaces: log.log_id() });
    log.say(
        "operator",
        Act::Accede(Accede { keys: next_set(), reservations: None, annexes: Vec::new().into() }),
    );
    assert_eq!(log.history().roster().unwrap().vkey, next_vkey());
    assert_eq!(log.findings(), []);
    assert!(log.history().roster().unwrap().keys(&handle("de")).is_some());
    (old, log)
}

#[test]
fn one_that_signs_over_its_own_removal_is_accepted_by_nobody() {
    let (old, mut log) = succession(12);
    let (de, anyone) = (Someone::partner("de"), Someone::new());
    let server = Dishonest::showing(face(&old));
    let url = &server.url;
    de.run(&format!("log --log {url}")).ends(0);
    anyone.look(url).tells(0, &[]);
    log.say("fr", review(20_000));
    server.show(forge(log.leaves()));
    de.run(&format!("verify {url}")).ends(1).says("key");
    let look = anyone.look(url).tells(1, &["misbehaviour checkpoint_not_accepted"]);
    assert!(look.alerts[0]["evidence"].is_null(), "it is the log's operator no more");
    assert_eq!(de.pledge("ships", url).code, 1, "nothing is signed on it");
    de.run(&format!("status --log {url} --now {NOW}")).ends(1).says("was replaced");
    de.run(&format!("mirror {url} copy")).ends(1).says("was replaced");
    refuses_to_read(&de, url);
    // The next operator, at another place, is believed by what the partners signed.
    let next = Dishonest::showing(forge_as(log.leaves(), NEXT, "next/checkpoint"));
    de.run(&format!("verify {}", next.url)).ends(0);
    de.run(&format!("mirror {} copy", next.url)).ends(0);
    anyone.look(&next.url).tells(0, &[]);
    reads(&de, &next.url, "by-url");
    reads(&de, "copy", "by-copy");
    // The old one's checkpoint is no better on a disk, for one who never saw another.
    let late = Someone::new();
    late.run(&format!("mirror {} copy", next.url)).ends(0);
    late.0.write("copy/public/checkpoint", &forge(log.leaves())["public/checkpoint"]);
    refuses_to_read(&late, "copy");
}

/// What reads without verifying all of a log.
const READERS: [&str; 4] = ["log", "show @12", "prove @12", "export"];

#[track_caller]
fn refuses_to_read(someone: &Someone, place: &str) {
    for reader in READERS {
        let said = someone.run(&format!("{reader} --log {place}"));
        said.ends(1).says("is signed with the key of").says("its operator was replaced");
    }
}

#[track_caller]
fn reads(someone: &Someone, place: &str, name: &str) {
    for reader in ["log", "show @12", "export"] {
        someone.run(&format!("{reader} --log {place}")).ends(0);
    }
    let (proof, roster) = (format!("{name}.tlog-proof"), format!("{name}.roster"));
    someone.run(&format!("prove @12 --log {place} --out {proof} --roster {roster}")).ends(0);
    someone.run(&format!("check {proof} --roster {roster}")).ends(0).says(NEXT);
}

#[test]
fn one_that_hides_its_removal_is_refused_by_whoever_saw_it() {
    let (old, log) = succession(12);
    let (de, anyone) = (Someone::partner("de"), Someone::new());
    let next = Dishonest::showing(forge_as(log.leaves(), NEXT, "next/checkpoint"));
    de.run(&format!("log --log {}", next.url)).ends(0);
    anyone.look(&next.url).tells(0, &[]);
    // The old one goes on as if nothing had happened, and has more entries than the new one.
    let mut stays = old.clone();
    stays.say("ua", pledge(&["de"], terms("nothing happened")));
    while stays.size() < log.size() + 5 {
        stays.say("fr", review(20_000));
    }
    let server = Dishonest::showing(face(&stays));
    let url = &server.url;
    for line in ["log --log", "verify"] {
        let said = de.run(&format!("{line} {url}"));
        assert_eq!(said.code, 1, "{line}: {}{}", said.out, said.err);
    }
    assert_eq!(de.pledge("ships", url).code, 1, "nothing is signed on it");
    let status = de.run(&format!("status --log {url} --now {NOW}"));
    assert_eq!(status.code, 1, "{}", status.out);
    let look = anyone.look(&format!("{} {url}", next.url)).tells(1, &["policy operator_replaced"]);
    assert!(look.alerts[0]["text"].as_str().unwrap().contains("prevails"), "{}", look.alerts[0]);
    // Nor is it gone back to as it was when it was replaced.
    server.show(face(&old));
    de.run(&format!("log --log {url}")).ends(1).says("you have seen it under its next operator");
    // And the new one is believed as before.
    de.run(&format!("verify {}", next.url)).ends(0);
}

#[test]
fn a_tail_that_it_hid_does_not_keep_anyone_from_its_successor() {
    let (old, log) = succession(12);
    let de = Someone::partner("de");
    let mut hidden = old.clone();
    hidden.say("fr", review(20_001));
    let server = Dishonest::showing(face(&hidden));
    de.run(&format!("verify {}", server.url)).ends(0);
    let next = Dishonest::showing(forge_as(log.leaves(), NEXT, "next/checkpoint"));
    de.run(&format!("verify {}", next.url)).ends(0);
    de.run(&format!("log --log {}", next.url)).ends(0);
}
