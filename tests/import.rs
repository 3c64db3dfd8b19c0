//! `import` as a person runs it: what stops it and what does not, lines and exit codes, many statements in few rounds.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::office::Office;
use crate::support::small_log::{ORIGIN, SmallLog, key, officer, pledge, terms};
use servanda::field::{Class, Instant};
use servanda::key::SigningKey;
use servanda::log::{COMMIT, MAX_ROUND, Writer};
use servanda::statement::body::Rotate;
use servanda::statement::{Act, Kind, Signature, Statement};
use servanda::store::index::Index;
use servanda::store::memory::{Kind as CallKind, Memory};
use servanda::submit::{Operator, Signed};
use std::fs;

const PARTNERS: [(&str, &str, &str, usize); 3] = [
    ("de", "Germany", "guarantor", 1),
    ("fr", "France", "guarantor", 2),
    ("ua", "Ukraine", "beneficiary", 1),
];

const IMPORT: [&str; 9] =
    ["import", "rows.csv", "--log", "log", "--key", "keys/de1", "--set", "to=ua", "--yes"];
const MAPS: [&str; 4] =
    ["--map", "reference=Id,title=What,instruments=Kind", "--map", "quantity=up to {Sum} EUR,made_on=Day"];

const MIXED: &str = "Id, What ,Kind,Sum,Day\r
A1,\"one,\r
in two lines\",military,1000,2022-03-01 00:00:00\r
A2,two,military,until 5,2022-03-01\r
\r
A1,three,military,\"1,000.50\",\r
A4,four,military\r
A5,five,humanitarian,35000000.0,2022-03-02\r
";

/// An office with rows to import.
fn office(rows: &str) -> Office {
    let office = Office::founded(&PARTNERS);
    office.write("rows.csv", rows);
    office
}

fn import<'a>(more: &[&'a str]) -> Vec<&'a str> {
    IMPORT.iter().chain(&MAPS).chain(more).copied().collect()
}

/// The references of the pledges in the log.
fn references(office: &Office) -> Vec<String> {
    let reference = |e: &servanda::entry::SignedEntry| match e.act().unwrap() {
        Act::Pledge(pledge) => Some(pledge.terms.open()?.reference.as_ref()?.to_string()),
        _ => None,
    };
    office.entries().iter().filter_map(reference).collect()
}

const REFUSED: &str = "\
line 4 (A2): quantity: not a quantity: want e.g. \"exactly 7100000000 EUR\", \"up to 3000000000 EUR\", \
\"at least 5 vehicles\", \"about 10 t\"; the row says \"up to until 5 EUR\"
line 6 (A1): line 2 has the same reference
line 7: it has 3 cells, the first row 5
";

#[test]
fn one_bad_row_stops_the_whole_and_all_bad_rows_are_listed() {
    let office = office(MIXED);
    let ended = office.run(&import(&[]));
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert_eq!(ended.out, format!("{REFUSED}5 rows: 0 signed, 3 refused, 2 good and not signed.\n"));
    assert!(ended.err.ends_with("Mend these rows, or leave them out with --keep-going.\n"), "{}", ended.err);
    assert_eq!(office.size(), 4, "the founding and three accessions");
}

#[test]
fn with_keep_going_the_good_rows_are_signed_and_rows_add_up() {
    let office = office(MIXED);
    let ended = office.run(&import(&["--keep-going"]));
    assert_eq!(ended.code, 1, "{}", ended.err);
    let entries = "Entries 4 to 5, published in the checkpoint of 6 entries.\n";
    assert_eq!(ended.out, format!("{REFUSED}{entries}5 rows: 2 signed, 3 refused.\n"));
    assert!(ended.err.contains("5 rows make 2 statements: 2 pledge. The first:"), "{}", ended.err);
    assert!(ended.err.contains("The digest of all 2 acts is "), "{}", ended.err);
    assert_eq!(references(&office), ["A1", "A5"]);
    let entries = office.entries();
    let Act::Pledge(last) = entries[5].act().unwrap() else { panic!("a pledge") };
    let json = serde_json::to_value(last.terms.open().unwrap()).unwrap();
    assert_eq!(json["quantity"]["amount"], "35000000");
    assert_eq!(json["made_on"], "2022-03-02");
}

#[test]
fn what_the_log_has_is_refused_or_passed_over_and_never_signed_twice() {
    let office = office("Id,What,Kind,Sum,Day\nA1,one,military,1,\nA2,two,military,2,\n");
    office.good(&import(&[]));
    let before = office.size();
    let checkpoint = fs::read(office.path("log/public/checkpoint")).unwrap();
    office.write(
        "rows.csv",
        "Id,What,Kind,Sum,Day\nA1,one,military,1,\nA2,two,military,2,\nA3,three,military,3,\n",
    );
    let ended = office.run(&import(&["--keep-going"]));
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.starts_with(
            "line 2 (A1): entry 4 of the log has the same reference; --skip-known passes over such rows\n"
        ),
        "{}",
        ended.out
    );
    assert!(ended.out.ends_with("3 rows: 1 signed, 2 refused.\n"), "{}", ended.out);
    let ended = office.good(&import(&["--skip-known"]));
    assert_eq!(ended.out, "3 rows: 0 signed, 0 refused, 3 in the log already.\n");
    assert_eq!((references(&office).len(), office.size()), (3, before + 1));

    // Committed and not published, as an import leaves it that is interrupted between its rounds and the end.
    fs::write(office.path("log/public/checkpoint"), checkpoint).unwrap();
    let ended = office.good(&import(&["--skip-known"]));
    assert!(
        ended.out.starts_with("What was committed before is published in the checkpoint of 7 entries.\n")
    );
    assert_eq!(office.size(), before + 1);
    office.write("rows.csv", "Id,What,Kind,Sum,Day\n,one,military,1,\n");
    let ended = office.run(&import(&["--skip-known"]));
    assert_eq!(ended.code, 1);
    assert!(ended.out.starts_with("line 2: it has no reference, so that --skip-known cannot tell"));
}

#[test]
fn all_officers_whom_the_threshold_asks_for_sign_here() {
    let office = office("Id,What,Kind,Sum,Day\nA1,one,military,1,\n");
    let mut args = import(&[]);
    args[5] = "keys/fr1";
    let ended = office.run(&args);
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .err
            .contains("error: 2 officers of fr must sign in class \"commit\", and 1 key is here\nhint: ")
    );
    args.extend(["--key", "keys/fr2"]);
    office.good(&args);
    assert_eq!(office.entries()[4].entry.signatures.len(), 2);
    args.extend(["--key", "keys/ua1"]);
    let ended = office.run(&args);
    assert_ne!(ended.code, 0);
    assert_eq!(office.size(), 5);
}

#[test]
fn without_the_operators_key_many_statements_travel_in_one_file() {
    let rows: String = (0..300).map(|n| format!("A{n},what,military,{n},\n")).collect();
    let office = office(&format!("Id,What,Kind,Sum,Day\n{rows}"));
    fs::rename(office.path("keys/log"), office.path("keys/away")).unwrap();
    let ended = office.run(&import(&[]));
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("hint: sign into a file with --out FILE"), "{}", ended.err);
    let ended = office.good(&import(&["--out", "many.statement"]));
    assert!(ended.out.ends_with("300 rows: 300 signed, 0 refused.\n"), "{}", ended.out);
    let ended = office.run(&import(&["--out", "many.statement"]));
    assert_eq!(ended.code, 2, "nothing is overwritten");
    let text = fs::read_to_string(office.path("many.statement")).unwrap();
    assert_eq!(text.matches("-----BEGIN SERVANDA STATEMENT-----").count(), 300);

    let submit = ["submit", "many.statement", "--log", "log", "--log-key", "keys/away"];
    let ended = office.good(&submit);
    assert_eq!(ended.out.matches("published in the checkpoint of 304 entries").count(), 300);
    assert_eq!(references(&office).len(), 300);
    let ended = office.good(&submit);
    assert_eq!(ended.out.matches("(it was in the log already)").count(), 300);
    office.write(
        "many.statement",
        &text.replacen("BEGIN SERVANDA STATEMENT-----\n", "BEGIN SERVANDA STATEMENT-----\n!", 1),
    );
    let ended = office.run(&submit);
    assert_eq!(ended.code, 2);
    assert!(ended.err.starts_with("error: many.statement: number 1 in it: "), "{}", ended.err);
}

#[test]
fn json_lines_may_say_what_they_are_each() {
    let office = office("");
    let lines = [
        r#"{"title":"consult","instruments":["political"],"respond_within":"24h","reference":"C1","trigger":{"kinds":[],"starts":"on_request","requesters":["ua"]}}"#,
        r#"{"kind":"report","from":"2026-11-01","to":"2026-11-02 00:00:00","text":"quiet","actor":"somebody"}"#,
        r#"{"kind":"rotate"}"#,
        r#"{"title":"x","instruments":"military","colour":"red"}"#,
        r#"{"title":"x","instruments":"military","quantity":{"bound":"exactly","amount":0.5,"unit":"t"}}"#,
        "{\"title\":",
    ];
    office.write("rows.jsonl", &lines.join("\n"));
    let mut args = IMPORT.to_vec();
    args[1] = "rows.jsonl";
    args[7] = "to=Ukraine";
    args.extend(["--keep-going", "--json"]);
    let ended = office.run(&args);
    assert_eq!(ended.code, 1, "{}", ended.err);
    let json: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&json["rows"], &json["statements"]), (&6.into(), &1.into()), "{json}");
    let reasons: Vec<&str> =
        json["refused"].as_array().unwrap().iter().map(|r| r["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons.len(), 5);
    // `to` is set for all rows, and a report's is a moment.
    assert!(
        reasons[0].starts_with("to: not a moment: ") && reasons[0].ends_with("\"Ukraine\""),
        "{reasons:?}"
    );
    assert_eq!(reasons[1], "kind: \"rotate\" is no act that can be imported");
    assert!(reasons[2].contains("unknown field `colour`"), "{reasons:?}");
    assert!(reasons[4].starts_with("it is not JSON: EOF"), "{reasons:?}");

    office.write("rows.jsonl", lines[1]);
    let report = ["import", "rows.jsonl", "--log", "log", "--key", "keys/de1", "--yes"];
    office.good(&report);
    let last = office.entries().pop().unwrap();
    assert_eq!(last.statement.kind, Kind::Report.number());
}

#[test]
fn a_mapping_that_cannot_be_meant_is_refused_before_anything_else() {
    let office = office("Id;What\nA1;one\n");
    let run = |more: &[&str]| {
        let ended = office.run(&IMPORT.iter().chain(more).copied().collect::<Vec<_>>());
        assert_eq!((ended.code, ended.out.as_str()), (2, ""));
        ended.err
    };
    let said = run(&["--map", "title=What"]);
    assert!(said.ends_with("the file has one column, \"Id;What\": is --separator right?\n"), "{said}");
    let said = run(&["--map", "title=Title", "--separator", ";"]);
    assert_eq!(
        said,
        "error: title: there is no column \"Title\" in the file\nhint: the columns of rows.csv are: Id | What\n"
    );
    let said = run(&["--kind", "found"]);
    assert!(
        said.starts_with("error: \"found\" cannot be imported\nhint: --kind is one of propose, "),
        "{said}"
    );
    let said = run(&["--separator", "\""]);
    assert!(said.contains("want one character"), "{said}");
}

#[test]
fn without_a_terminal_nothing_is_signed_unasked() {
    let office = office("Id,What,Kind,Sum,Day\nA1,one,military,1,\n");
    let mut args = import(&[]);
    args.retain(|arg| *arg != "--yes");
    let ended = office.run(&args);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("error: there is no terminal to ask on"), "{}", ended.err);
    assert_eq!(office.size(), 4);
}

#[test]
fn a_dry_run_checks_all_and_signs_nothing() {
    let office = office("Id,What,Kind,Sum,Day\nA1,one,military,1,\nA2,two,military,2,\n");
    let ended = office.good(&import(&["--dry-run"]));
    assert_eq!(ended.out, "2 rows: 0 signed, 0 refused, 2 good and not signed.\n");
    assert!(ended.err.ends_with("Nothing was signed, as --dry-run asks.\n"), "{}", ended.err);
    assert_eq!(office.size(), 4);
}

#[test]
fn what_cannot_be_read_in_a_row_is_what_the_user_chose_for_it() {
    let office =
        office("Id,What,Kind,Sum,Day\nA1,one,military,1,in spring\nA2,two,military,some,2022-03-01\n");
    let ended = office.run(&import(&["--keep-going", "--else", "made_on="]));
    assert_eq!(ended.code, 1, "the sum of the second is refused as before");
    assert!(ended.out.starts_with("line 3 (A2): quantity: not a quantity"), "{}", ended.out);
    let day = |office: &Office| {
        let entries = office.entries();
        let Act::Pledge(last) = entries.last().unwrap().act().unwrap() else { panic!("a pledge") };
        last.terms.open().unwrap().made_on.map(|day| day.to_string())
    };
    assert_eq!(day(&office), None);
    office.write("rows.csv", "Id,What,Kind,Sum,Day\nA3,one,military,1,in spring\nA4,two,military,1,\n");
    office.good(&import(&["--else", "made_on=2022-03-20"]));
    assert_eq!(day(&office), Some("2022-03-20".to_owned()), "where nothing is said, too");
}

#[test]
fn five_thousand_rows_become_five_thousand_entries() {
    let rows: String = (0..5000).map(|n| format!("A{n},what,military,{n},2022-03-01\n")).collect();
    let office = office(&format!("Id,What,Kind,Sum,Day\n{rows}"));
    let ended = office.good(&import(&[]));
    let entries = "Entries 4 to 5003, published in the checkpoint of 5004 entries.\n";
    assert_eq!(ended.out, format!("{entries}5000 rows: 5000 signed, 0 refused.\n"));
    let entries = office.entries();
    let pledges: Vec<&Statement> = entries[4..].iter().map(|e| &e.statement).collect();
    assert!((0..).zip(&pledges).all(|(seq, s)| s.seq == seq && s.seen.size == 4));
}

// - the door -

/// An operator over what a small log has stored, and its handle on the storage.
fn operator(log: &SmallLog) -> (Operator, Memory) {
    let store = Memory::new();
    let mut writer = Writer::create(Box::new(store.clone()), None).unwrap();
    writer.append(log.leaves()).unwrap();
    writer.publish(ORIGIN, &log_key()).unwrap();
    drop(writer);
    let operator = Operator::open(Box::new(store.clone()), None, Index::in_memory().unwrap()).unwrap();
    (operator, store)
}

fn log_key() -> SigningKey {
    key("operator/checkpoint")
}

type Sent = (Vec<u8>, Vec<Signature>);

/// A statement in its author's chain, who has seen the log as it is; the model goes on with it.
fn next(model: &mut SmallLog, seen: &SmallLog, author: &str, act: Act) -> Sent {
    let mut s = model.draft(author, act);
    s.seen = seen.history().head();
    let signatures = model.sign(&s);
    assert_eq!(model.post(&s), [], "the model finds nothing");
    (s.encode().unwrap(), signatures)
}

fn borrowed(sent: &[Sent]) -> Vec<Signed<'_>> {
    sent.iter().map(|(bytes, signatures)| (&bytes[..], &signatures[..])).collect()
}

#[test]
fn a_round_of_thousands_is_one_commit() {
    let log = SmallLog::ready();
    let mut model = log.clone();
    let sent: Vec<Sent> = (0..5000)
        .map(|n| next(&mut model, &log, "kiel", pledge(&["ua"], terms(&format!("pledge {n}")))))
        .collect();
    let (mut operator, store) = operator(&log);
    let commits = || store.calls().iter().filter(|c| c.kind == CallKind::Swap && c.name == COMMIT).count();
    let before = (operator.writer().size(), commits());
    for round in borrowed(&sent).chunks(MAX_ROUND) {
        assert!(operator.admit_all(round, model.now).iter().all(Result::is_ok));
        operator.commit().unwrap();
    }
    assert_eq!((operator.writer().size(), commits()), (before.0 + 5000, before.1 + 2));
}

#[test]
fn statements_admitted_together_get_the_answers_that_each_would_get_alone() {
    let log = SmallLog::ready();
    let mut model = log.clone();
    let mut sent = Vec::new();
    let say = |model: &mut SmallLog, author: &str, title: &str| {
        next(model, &log, author, pledge(&["ua"], terms(title)))
    };
    sent.push(say(&mut model, "de", "one"));
    sent.push(say(&mut model, "fr", "two"));
    // A statement of class 0 in between: the roster that signatures were checked against is no longer the last.
    let mut set = model.keys(&"de".parse().unwrap());
    let place = set.officers.iter().position(|o| o.classes.has(Class::Commit)).unwrap();
    set.officers[place].key = officer("de/new", &[Class::Commit]).key;
    let old = model.clone();
    sent.push(next(&mut model, &log, "de", Act::Rotate(Rotate { keys: set })));
    sent.push(say(&mut model, "de", "signed with the new key"));
    // By the old key, which no longer counts; and once more what was sent before.
    let mut late = model.draft("de", pledge(&["ua"], terms("by a key that was replaced")));
    late.seen = log.history().head();
    sent.push((late.encode().unwrap(), old.sign(&late)));
    sent.push(sent[0].clone());
    let (mut broken, signatures) = say(&mut model, "pl", "changed on its way");
    *broken.last_mut().unwrap() ^= 1;
    sent.push((broken, signatures));
    sent.push((b"no statement".to_vec(), Vec::new()));
    sent.push(say(&mut model, "fr", "last"));

    let shown = |answers: Vec<_>| -> Vec<String> { answers.iter().map(|a| format!("{a:?}")).collect() };
    let now: Instant = model.now;
    let (mut one, mut all) = (operator(&log).0, operator(&log).0);
    let singly: Vec<String> =
        borrowed(&sent).into_iter().map(|(s, by)| format!("{:?}", one.admit(s, by, now))).collect();
    let together: Vec<String> = shown(all.admit_all(&borrowed(&sent), now));
    assert_eq!(singly, together);
    assert_eq!(together.iter().filter(|answer| answer.starts_with("Ok(New")).count(), 5, "{together:#?}");
    assert_eq!(together.iter().filter(|answer| answer.starts_with("Ok(Already")).count(), 1);
    assert_eq!(one.history().head(), all.history().head(), "leaf by leaf the same log");
    one.publish(&log_key()).unwrap();
    all.publish(&log_key()).unwrap();
    assert_eq!(one.writer().root(), all.writer().root());
}
