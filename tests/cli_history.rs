//! `history`, as a person runs it, over a coalition's first months.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

use crate::cli_verify::{World, trust};
use crate::support::coalition::Coalition;
use crate::support::small_log::{SmallLog, at, pledge, short, terms};
use serde_json::Value;
use servanda::statement::terms::Terms;
use std::fs;
use std::path::Path;

/// The time of all questions, unless one asks for another.
const NOW: &str = "2027-04-05T12:00Z";

/// Holds an output against the file of its name, or writes it where `SERVANDA_BLESS=1` asks for that.
fn golden(name: &str, got: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var("SERVANDA_BLESS").as_deref() == Ok("1") {
        fs::write(&path, got).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), got, "{name}");
}

fn told(world: &World, pledge: &str, more: &str) -> String {
    let said = world.run(&format!("history {pledge} --log paris --trust trust.toml --now {NOW}{more}"));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    said.out
}

#[test]
fn a_pledge_is_told_from_its_first_terms_to_its_verdicts() {
    let all = Coalition::new();
    let world = World::with(&all.log);
    golden("history-de-m1.txt", &told(&world, "DE-M1", ""));
    golden("history-fr-c1.txt", &told(&world, "FR-C1", ""));
}

#[test]
fn a_record_is_told_apart() {
    let all = Coalition::new();
    let world = World::with(&all.log);
    let out = told(&world, &all.record.short(), "");
    assert!(out.contains("a record: announced in public, not signed by its promisor"), "{out}");
    assert!(out.contains("is recorded, not pledged") && !out.contains("rule  "), "{out}");
}

#[test]
fn a_pledge_is_found_by_id_index_reference_amendment_and_join() {
    let all = Coalition::new();
    let world = World::with(&all.log);
    let want = told(&world, "DE-M1", "");
    let amendment = all.log.entry(16).id.to_string();
    for name in [&all.de_m1.to_string()[..12], "@6", "@16", &amendment[..16], "@29"] {
        assert_eq!(told(&world, name, ""), want, "{name}");
    }
    let none = world.run("history XX-1 --log paris --trust trust.toml");
    assert!(
        none.code == 2 && none.err.contains("no pledge or record here is called \"XX-1\""),
        "{}",
        none.err
    );
}

#[test]
fn the_past_is_told_without_what_came_later_and_the_future_with_time_alone() {
    let all = Coalition::new();
    let world = World::with(&all.log);
    let past = told(&world, "DE-M1", " --at 2027-01-20");
    assert!(!past.contains("entry 16") && past.contains("entry 15, verified"), "{past}");
    assert!(past.contains("claimed       not recorded"), "{past}");
    let future = told(&world, "DE-M1", " --at 2028-01-01");
    assert!(future.contains("no response on record by its deadline"), "{future}");
}

#[test]
fn programs_read_changes_verdicts_and_the_text_that_they_rest_on() {
    let all = Coalition::new();
    let world = World::with(&all.log);
    let object: Value = serde_json::from_str(&told(&world, "DE-M1", " --json")).unwrap();
    let amendment = object["entries"].as_array().unwrap().iter().find(|e| e["index"] == 16).unwrap();
    let fields: Vec<&str> =
        amendment["changes"].as_array().unwrap().iter().map(|c| c["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["text", "quantity", "valid", "due 0"]);
    assert_eq!(amendment["signed_by"], serde_json::json!(["office de/0", "office de/1"]));
    let first = &object["obligations"][0];
    assert_eq!(
        (&first["verdict"], &first["measured"]["confirmed"]),
        (&"part kept".into(), &"40,000,000".into())
    );
    assert!(first["text"][0].as_str().unwrap().contains("prevailing text"), "{first}");
    assert_eq!(object["basis"]["verified"], true);
}

#[test]
fn two_pledges_of_one_reference_are_listed() {
    let mut log = SmallLog::ready();
    let same = || Terms { reference: Some(short("A-1")), ..terms("Tanks") };
    let de = log.say("de", pledge(&["ua"], same()));
    let fr = log.say("fr", pledge(&["ua"], same()));
    let world = World::with(&log);
    let said = world.run("history A-1 --log paris --trust trust.toml");
    assert!(said.code == 2 && said.err.contains("\"A-1\" is what 2 pledges are called"), "{}", said.err);
    assert!(said.err.contains(&de.short()) && said.err.contains(&fr.short()), "{}", said.err);
}

#[test]
fn void_acts_stand_in_it_with_the_rule_that_they_broke() {
    let mut all = Coalition::new();
    all.log.now = at("2027-04-03T09:00Z");
    all.log.say("fr", crate::support::small_log::accept(&[all.de_m1]));
    let world = World::with(&all.log);
    assert_eq!(trust(&all.log).log, Some(all.log.log_id()));
    let said = world.run(&format!("history DE-M1 --log paris --trust trust.toml --now {NOW}"));
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.out.contains("void          accepts") && said.out.contains("1 finding against this log"),
        "{}",
        said.out
    );
}

#[test]
fn a_hostile_text_repaints_no_history() {
    let mut log = SmallLog::ready();
    let hostile = Terms {
        reference: Some(short("X-1")),
        text: crate::support::small_log::long("\u{1b}[2K\r\u{202e}\n  quantity  none"),
        ..terms("Nothing\u{1b}[31m\u{2066}\nentry 9")
    };
    log.say("de", pledge(&["ua"], hostile));
    let world = World::with(&log);
    let out = told(&world, "X-1", "");
    assert!(!out.contains(['\u{1b}', '\r', '\u{202e}', '\u{2066}']), "{out}");
    assert!(!out.lines().any(|l| l.starts_with("entry 9") || l.starts_with("  quantity  none")), "{out}");
}
