//! Every act at the command line, from files and from tables; what a refusal says. The stories tell the rest.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::office::{Ended, Office, Partner};
use serde_json::Value;
use servanda::statement::{Act, Kind};

const PARTNERS: [Partner<'static>; 3] = [
    ("de", "Germany", "guarantor", 1),
    ("fr", "France", "guarantor", 1),
    ("ua", "Ukraine", "beneficiary", 1),
];

/// Says something as a partner with one key, `@N` standing for entry N.
fn say(office: &Office, by: &str, args: &[&str]) -> Ended {
    let key = format!("keys/{by}1");
    let common = ["--log", "log", "--key", &key, "--yes"];
    office.run(&[args, &common].concat())
}

fn good(office: &Office, by: &str, args: &[&str]) -> Ended {
    let ended = say(office, by, args);
    assert_eq!(ended.code, 0, "{args:?}: {}{}", ended.out, ended.err);
    ended
}

#[track_caller]
fn refused(office: &Office, by: &str, args: &[&str], rule: &str) -> Ended {
    let size = office.size();
    let ended = say(office, by, args);
    assert_eq!(ended.code, 1, "{args:?}: {}{}", ended.out, ended.err);
    assert!(ended.err.contains(&format!("error: refused by rule {rule}: ")), "{rule}: {}", ended.err);
    assert!(ended.err.contains("hint: nothing was appended"), "{}", ended.err);
    assert_eq!(office.size(), size);
    ended
}

/// The body of the last entry's act.
fn last(office: &Office) -> Value {
    serde_json::to_value(office.entries().last().unwrap().act().unwrap()).unwrap()
}

/// An office in which entry 4 is a pledge of two dues, accepted in entry 5.
fn office() -> Office {
    let office = Office::founded(&PARTNERS);
    office.write(
        "pledge.toml",
        "to = \"ua\"\ntitle = \"Trucks\"\ninstruments = \"military\"\nquantity = \"exactly 10 trucks\"\n\
         dues = [\"first; 2027-06-30; exactly 4 trucks\", \"second; 2027-12-31; exactly 6 trucks\"]\n",
    );
    good(&office, "de", &["pledge", "--from", "pledge.toml"]);
    let ended = good(&office, "ua", &["accept", "@4"]);
    assert!(ended.out.contains("\"Trucks\" ("), "{}", ended.out);
    assert!(ended.out.contains(") is in force\n"), "{}", ended.out);
    office
}

#[test]
fn the_help_of_every_act_has_an_example() {
    let office = Office::founded(&PARTNERS);
    for kind in Kind::ALL.iter().filter(|kind| !matches!(kind, Kind::Found | Kind::Anchor)) {
        let ended = office.good(&[kind.name(), "--help"]);
        let example = format!("EXAMPLE\n    servanda {} ", kind.name());
        let keys = kind == &Kind::Rotate && ended.out.contains("EXAMPLE\n    servanda keygen");
        let shown = kind == &Kind::Amend && ended.out.contains("EXAMPLE\n    servanda show");
        assert!(ended.out.contains(&example) || keys || shown, "{}: {}", kind.name(), ended.out);
    }
}

#[test]
fn an_obligation_is_named_by_its_pledge_alone_where_one_is_open() {
    let office = office();
    let ended = say(&office, "de", &["respond", "@4", "--delivered"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("has several open obligations\nhint: say which one:\n"), "{}", ended.err);
    assert!(ended.err.contains("/due/1 \"second\", by 2027-12-31T23:59:59Z: not yet due\n"), "{}", ended.err);
    let id = office.entries()[4].id.to_string();
    good(
        &office,
        "de",
        &["respond", &format!("{}/due/0", &id[..8]), "--delivered", "--quantity", "4 trucks"],
    );
    assert_eq!(
        last(&office)["respond"]["obligation"],
        serde_json::json!({ "pledge": id, "occasion": { "due": 0 } })
    );
    let ended = good(&office, "ua", &["confirm", "@6", "--in-full"]);
    assert!(
        ended.out.contains(
            "/due/0 \"first\", by 2027-06-30T23:59:59Z: kept; of exactly 4 trucks: claimed 4, confirmed 4\n"
        ),
        "{}",
        ended.out
    );
    good(&office, "de", &["respond", "@4", "--declined", "--note", "None are left"]);
    assert_eq!(last(&office)["respond"]["obligation"]["occasion"], serde_json::json!({ "due": 1 }));
    refused(&office, "de", &["respond", "@4/due/2", "--delivered"], "no-obligation");
    refused(&office, "de", &["respond", "@4/call/@5", "--delivered"], "no-obligation");
    refused(&office, "fr", &["respond", "@4/due/1", "--delivered"], "not-owed");
    refused(&office, "de", &["respond", "@4/due/1", "--delivered", "--quantity", "1 tank"], "unit");
    assert_eq!(say(&office, "de", &["respond", "@4/Due/1", "--delivered"]).code, 2);
    assert_eq!(say(&office, "de", &["respond", "@0", "--delivered"]).code, 2);
}

/// A pledge to Ukraine that its author calls so.
fn referred(office: &Office, by: &str, reference: &str) -> String {
    let terms =
        ["--to", "ua", "--title", "Help", "--instrument", "military", "--quantity", "exactly 4 trucks"];
    let due = ["--due", "all; 2027-06-30; exactly 4 trucks", "--reference", reference];
    good(office, by, &[&["pledge"], &terms[..], &due].concat());
    office.entries().last().unwrap().id.to_string()
}

#[test]
fn a_pledge_is_called_by_its_reference_wherever_one_is_taken() {
    let office = Office::founded(&PARTNERS);
    let id = referred(&office, "de", "DEU/C24");
    let body = |kind: &str, field: &str| last(&office)[kind][field].clone();
    good(&office, "ua", &["accept", "DEU/C24"]);
    assert_eq!(body("accept", "statements"), serde_json::json!([id]));
    // Of new terms under the same reference it is those that are accepted.
    let title = ["--title", "More help", "--instrument", "military", "--reference", "DEU/C24"];
    let terms =
        ["--to", "ua", "--quantity", "exactly 4 trucks", "--due", "all; 2027-06-30; exactly 4 trucks"];
    good(&office, "de", &[&["amend", "DEU/C24"], &title[..], &terms].concat());
    assert_eq!(body("amend", "statement"), id.as_str());
    let new = office.entries().last().unwrap().id.to_string();
    good(&office, "ua", &["accept", "DEU/C24"]);
    assert_eq!(body("accept", "statements"), serde_json::json!([new]));
    let owed = serde_json::json!({ "pledge": id, "occasion": { "due": 0 } });
    good(&office, "de", &["respond", "DEU/C24/due/0", "--acknowledged"]);
    assert_eq!(body("respond", "obligation"), owed);
    good(&office, "de", &["respond", "DEU/C24", "--delivered"]);
    assert_eq!(body("respond", "obligation"), owed);
    good(&office, "fr", &["attest", "DEU/C24"]);
    assert_eq!(body("attest", "on"), serde_json::json!({ "obligation": owed }));
    good(&office, "ua", &["notice", "DEU/C24", "--clarification", "--text", "With thanks"]);
    assert_eq!(body("notice", "statement"), id.as_str());
    for read in [["show", "DEU/C24"], ["prove", "DEU/C24"], ["history", "DEU/C24"]] {
        let ended = office.good(&[&read[..], &["--log", "log"]].concat());
        assert!(ended.out.contains(&id[..12]) || ended.out.contains("Help"), "{read:?}: {}", ended.out);
    }
    good(&office, "de", &["withdraw", "DEU/C24"]);
    assert_eq!(body("withdraw", "from"), serde_json::json!({ "pledges": [id] }));
}

#[test]
fn a_reference_that_could_be_several_is_refused_with_all_of_them() {
    let office = Office::founded(&PARTNERS);
    let (one, other) = (referred(&office, "de", "A-1"), referred(&office, "fr", "A-1"));
    let size = office.size();
    let ids = [&one[..12], &other[..12]];
    let told = |ended: &Ended, ids: &[&str]| {
        assert_eq!(ended.code, 2, "{}{}", ended.out, ended.err);
        assert!(ids.iter().all(|id| ended.err.contains(id)), "{}", ended.err);
    };
    for act in
        [&["accept", "A-1"][..], &["respond", "A-1/due/0", "--delivered"], &["notice", "A-1", "--objection"]]
    {
        told(&say(&office, "ua", act), &ids);
    }
    for read in ["show", "prove", "history"] {
        told(&office.run(&[read, "A-1", "--log", "log"]), &ids);
        let ended = office.run(&[read, "A-2", "--log", "log"]);
        told(&ended, &[]);
        assert!(ended.err.contains("no pledge or record here is called \"A-2\""), "{}", ended.err);
    }
    told(&say(&office, "ua", &["accept", "A-2"]), &["no pledge or record here is called"]);
    assert_eq!(office.size(), size);
    // A reference that is the beginning of another statement's id is not taken for either.
    let digits = &office.entries()[0].id.to_string()[..4];
    let third = referred(&office, "de", digits);
    told(&say(&office, "ua", &["accept", digits]), &[&third[..12]]);
    good(&office, "ua", &["accept", &third[..12]]);
}

#[test]
fn new_terms_are_as_strong_and_hold_as_long_ago_as_the_old_ones_unless_they_say_otherwise() {
    let office = Office::founded(&PARTNERS);
    let terms = ["--to", "ua", "--title", "Trucks", "--instrument", "military"];
    let old = ["--force", "binding", "--valid-from", "2026-11-01"];
    good(&office, "de", &[&["pledge"], &terms[..], &old[..]].concat());
    good(&office, "de", &[&["amend", "@4"], &terms[..]].concat());
    let open = |office: &Office| last(office)["amend"]["terms"]["open"].clone();
    let kept = open(&office);
    assert_eq!((&kept["force"], &kept["valid_from"]), (&"binding".into(), &"2026-11-01T00:00:00Z".into()));
    let new = ["--force", "target", "--valid-from", "2027-01-01"];
    good(&office, "de", &[&["amend", "@4"], &terms[..], &new[..]].concat());
    let said = open(&office);
    assert_eq!((&said["force"], &said["valid_from"]), (&"target".into(), &"2027-01-01T00:00:00Z".into()));
}

#[test]
fn parties_are_partners_by_handle_or_shown_name_and_others_by_name() {
    let office = office();
    for (written, meant) in [
        ("ua", serde_json::json!("ua")),
        ("Ukraine", serde_json::json!("ua")),
        ("Unmarked forces", serde_json::json!({ "name": "Unmarked forces" })),
        ("name:hackers", serde_json::json!({ "name": "hackers" })),
    ] {
        good(&office, "fr", &["report", "--against", written, "--began", "2026-11-30"]);
        let body = last(&office);
        assert_eq!(body["report"]["against"], serde_json::json!([meant]), "{written}");
        assert_eq!(body["report"]["to"], "2026-11-30", "what has no end ends when it began");
    }
    let ended =
        refused(&office, "fr", &["report", "--against", "hackers", "--began", "2026-11-30"], "no-partner");
    assert!(ended.err.contains("somebody else is written name:"), "{}", ended.err);
    refused(&office, "fr", &["report", "--kind", "attack", "--began", "2026-11-30"], "no-incident-kind");
}

#[test]
fn a_needs_label_does_for_its_number() {
    let office = office();
    let pledge = ["pledge", "--to", "ua", "--title", "Loan", "--instrument", "economic"];
    let needs = ["--need", "budget; de", "--need", "ratification; ua"];
    good(&office, "de", &[&pledge[..], &needs[..]].concat());
    let ended = say(&office, "ua", &["notice", "@6", "--need-met", "ratified"]);
    assert!(ended.err.contains("its needs are: 0 \"budget\", 1 \"ratification\""), "{}", ended.err);
    good(&office, "ua", &["notice", "@6", "--need-met", "ratification"]);
    assert_eq!(last(&office)["notice"]["notice"], serde_json::json!({ "need_met": 1 }));
    refused(&office, "ua", &["notice", "@6", "--need-failed", "0"], "not-declarer");
    refused(&office, "ua", &["notice", "@6", "--need-failed", "2"], "no-need");
}

#[test]
fn what_the_log_would_refuse_is_said_before_a_draft_of_it_is_signed() {
    let office = office();
    let ended = say(&office, "ua", &["accept", "@4", "--draft", "again.statement"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        ended
            .err
            .contains("As the log stands, it would refuse this by its rule accepted-already: it accepts "),
        "{}",
        ended.err
    );
}

#[test]
fn annexes_of_all_acts_that_carry_some_can_be_sealed_and_revealed() {
    let office = office();
    office.write("paper.txt", "Nobody is to read this.\n");
    let sealed = ["--annex", "paper.txt; Paper", "--seal", "annexes.0"];
    for (by, args) in [
        ("fr", &["report", "--began", "2026-11-30"][..]),
        ("de", &["respond", "@4/due/0", "--delivered"]),
        ("fr", &["attest", "@4/due/0"]),
        ("fr", &["dispute", "@8"]),
        ("fr", &["notice", "@4", "--objection"]),
        ("fr", &["review", "--held-on", "2026-11-30"]),
    ] {
        good(&office, by, &[args, &sealed[..]].concat());
        let id = office.entries().last().unwrap().id.short();
        let opening = format!("{id}.annexes.0.opening");
        let other = if by == "fr" { "de" } else { "fr" };
        refused(&office, other, &["reveal", &opening, "--as", other], "not-sealer");
        good(&office, by, &["reveal", &opening]);
        assert_eq!(last(&office)["reveal"]["field"], "annexes.0", "{args:?}");
        let ended = say(&office, by, &["reveal", &opening]);
        assert_eq!(ended.code, 1, "{}", ended.err);
        assert!(ended.err.contains("is sealed now that"), "{}", ended.err);
    }
}

const ROWS: &str = r#"{"kind": "pledge", "to": "ua", "title": "Flour", "instruments": "humanitarian", "dues": "one; 2027-03-01"}
{"kind": "join", "statement": "@4"}
{"kind": "record", "promisor": "Germany", "to": "ua", "title": "Said on the radio", "instruments": "political", "source": "Radio"}
{"kind": "adopt", "record": "@6"}
{"kind": "notice", "statement": "@4", "notice": "objection", "text": "Too late"}
{"kind": "notice", "statement": "@4", "notice": "need_met 0"}
{"kind": "report", "from": "2026-11-01", "to": "2026-11-30", "figures": ["explosions; 1,204; Donetsk", "flights; 3"]}
{"kind": "attest", "on": "@4/due/0"}
{"kind": "dispute", "on": "@4/due/1", "aspects": "delivered"}
{"kind": "invoke", "pledges": "@4"}
{"kind": "respond", "obligation": "@4/due/0", "answer": "delivered", "quantity": "4 trucks", "done_at": "2026-11-30"}
{"kind": "confirm", "response": "@6", "received": "in part 2 trucks"}
{"kind": "review", "held_on": "2026-11-30", "remarks": "@4; on its way", "decisions": ["Go on", "Meet again"]}
{"kind": "withdraw", "pledges": ["@4"], "text": "No more"}
{"kind": "amend", "statement": "@4", "to": "ua", "title": "Lorries", "instruments": "military"}
"#;

#[test]
fn every_act_can_stand_in_an_import_file() {
    let office = office();
    office.write("rows.jsonl", ROWS);
    good(&office, "de", &["respond", "@4/due/0", "--delivered"]);
    let import = ["import", "rows.jsonl", "--kind", "pledge", "--out", "all.statement"];
    let ended = good(&office, "fr", &import);
    assert!(ended.out.contains("15 rows: 15 signed, 0 refused."), "{}", ended.out);
    let ended = say(&office, "ua", &["submit", "all.statement"]);
    assert_ne!(ended.code, 0, "most of it is not for France to say");
}

#[test]
fn acts_from_a_table_go_into_the_log_as_those_that_are_typed() {
    let office = office();
    let rows = "kind,on,aspects,obligation,answer,quantity,received,response\n\
                respond,,,@4/due/0,delivered,4 trucks,,\nrespond,,,@4/due/1,declined,,,\n";
    office.write("rows.csv", rows);
    good(&office, "de", &["import", "rows.csv"]);
    office.write("rows.csv", "kind,on,received,response\nconfirm,,in full,@6\ndispute,@4/due/1,,\n");
    good(&office, "ua", &["import", "rows.csv"]);
    let acts: Vec<Kind> = office.entries()[6..].iter().map(|e| e.act().unwrap().kind()).collect();
    assert_eq!(acts, [Kind::Respond, Kind::Respond, Kind::Confirm, Kind::Dispute]);
    let Act::Dispute(dispute) = office.entries()[9].act().unwrap().clone() else { panic!("a dispute") };
    assert_eq!(dispute.aspects.len(), 1, "delivered goes without saying");
}
