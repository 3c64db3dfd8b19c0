//! Acts named and nothing else, on a terminal: what is open to the one who signs is listed, chosen and signed.
//!
//! The terminal is one that script(1) makes; where that is missing, these tests say so and are skipped.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::office::{Ended, Office};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// Enter, and a line marked.
const ENTER: &str = "\\r";
const SPACE: &str = " ";

/// Before the first key, and between one and the next: whoever types waits for the question.
const PAUSE: &str = "0.3";

/// Types keys at a verb; nothing where there is no script(1).
fn typed(office: &Office, verb: &str, by: &str, keys: &[&str]) -> Option<Ended> {
    let there = Command::new("script").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        eprintln!("skipped: script(1) is missing, which makes a terminal to type at");
        return None;
    }
    let keys: String = keys.iter().map(|key| format!("sleep {PAUSE}; printf '{key}'; ")).collect();
    // The pause at the end keeps the terminal open until all is said.
    let command = format!("servanda {verb} --log log --key keys/{by}1");
    Some(office.sh(&format!("({keys} sleep 2) | script -qec '{command}' /dev/null"), &[("TERM", "xterm")]))
}

fn good(office: &Office, by: &str, args: &[&str]) {
    office.good(&[args, &["--log", "log", "--key", &format!("keys/{by}1"), "--yes"]].concat());
}

/// The body of the last entry's act.
fn last(office: &Office) -> Value {
    serde_json::to_value(office.entries().last().unwrap().act().unwrap()).unwrap()
}

fn office() -> Office {
    let office = Office::founded(&[("de", "Germany", "guarantor", 1), ("ua", "Ukraine", "beneficiary", 1)]);
    office.write(
        "trucks.toml",
        "to = \"ua\"\ntitle = \"Trucks\"\ninstruments = \"military\"\nquantity = \"exactly 10 trucks\"\n\
         dues = [\"first; 2027-06-30; exactly 4 trucks\", \"second; 2027-12-31; exactly 6 trucks\"]\n",
    );
    good(&office, "de", &["pledge", "--from", "trucks.toml"]);
    office
}

#[test]
fn what_is_pledged_claimed_and_owed_is_listed_chosen_and_signed() {
    let office = office();
    let Some(ended) = typed(&office, "accept", "ua", &[SPACE, ENTER, ENTER, "y"]) else { return };
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(ended.out.contains("de pledges Trucks ("), "{}", ended.out);
    assert_eq!(last(&office)["accept"]["statements"], json!([office.entries()[3].id]));

    // Delivered, four trucks, at no told time, without a note.
    let keys = [ENTER, ENTER, "4 trucks\\r", ENTER, ENTER, "y"];
    let ended = typed(&office, "respond", "de", &keys).unwrap();
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(ended.out.contains("Trucks, second: not yet due, due 2027-12-31"), "{}", ended.out);
    let said = last(&office);
    assert_eq!(said["respond"]["answer"], "delivered");
    assert_eq!(said["respond"]["obligation"]["occasion"], json!({ "due": 0 }));

    let ended = typed(&office, "confirm", "ua", &[ENTER, ENTER, ENTER, "y"]).unwrap();
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(ended.out.contains("delivered, 4 trucks, as de says"), "{}", ended.out);
    assert_eq!(last(&office)["confirm"]["received"], "in_full");
}

#[test]
fn where_nothing_is_open_nothing_is_asked() {
    let office = office();
    for (verb, by, why) in [
        ("accept", "de", "nothing waits for de to accept it"),
        ("confirm", "ua", "no delivery waits for ua to confirm it"),
        ("respond", "ua", "ua owes nothing that is open"),
        ("invoke", "ua", "no pledge in force can be called upon by ua"),
    ] {
        let Some(ended) = typed(&office, verb, by, &[]) else { return };
        assert_eq!(ended.code, 2, "{}", ended.out);
        assert!(ended.out.contains(why), "{verb}: {}", ended.out);
    }
    assert_eq!(office.size(), 4);
}

#[test]
fn a_no_signs_nothing() {
    let office = office();
    let Some(ended) = typed(&office, "accept", "ua", &[SPACE, ENTER, ENTER, "n"]) else { return };
    assert_eq!(ended.code, 2, "{}", ended.out);
    assert!(ended.out.contains("not signed, as you said"), "{}", ended.out);
    assert_eq!(office.size(), 4);
}
