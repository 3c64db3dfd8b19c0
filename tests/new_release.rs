//! `import --amend`: a new release of a table against the log, by small tables: what is amended, withdrawn, new, left
//! alone, and that it adds up; releases that are wrong; imports that are cut short.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::office::{Ended, Office};
use serde_json::Value;
use servanda::statement::terms::Quantity;
use servanda::statement::{Act, Kind};
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const PARTNERS: [(&str, &str, &str, usize); 3] = [
    ("de", "Germany", "guarantor", 1),
    ("ua", "Ukraine", "beneficiary", 1),
    ("obs", "Observers", "observer", 1),
];

const HEAD: &str = "Id,Who,What,Kind,Sum,Text\n";
const FIRST: &str = "\
A,Germany,Tanks,military,10,Ten tanks
A,Germany,Trucks,military,,Two trucks
B,France,Tents,humanitarian,5,Five tents
C,France,Fuel,economic,7,Fuel
";

/// How a table is imported, besides what its references are.
const MAPS: [&str; 6] = [
    "--map",
    "title=What,instruments=Kind,text=Text",
    "--map",
    "quantity=exactly {Sum} EUR",
    "--set",
    "to=ua",
];
const RECORDS: [&str; 8] =
    ["--kind", "record", "--key", "keys/obs1", "--map", "promisor=Who", "--set", "source=a press release"];

/// References by ID and number.
const NUMBERED: [&str; 2] = ["--map", "reference={Id}.{#Id}"];
/// References by ID alone.
const PLAIN: [&str; 2] = ["--map", "reference=Id"];

fn args<'a>(of: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    let all = [&["import", "table.csv", "--log", "log", "--yes"], &MAPS[..], of, more];
    all.concat()
}

/// An office that recorded a table.
fn office(reference: &[&str], rows: &str) -> Office {
    let office = Office::founded(&PARTNERS);
    office.write("table.csv", &format!("{HEAD}{rows}"));
    office.good(&args(&RECORDS, reference));
    office
}

/// A new release of the table.
fn release(office: &Office, rows: &str, reference: &[&str], more: &[&str]) -> Ended {
    office.write("table.csv", &format!("{HEAD}{rows}"));
    office.run(&args(&RECORDS, &[reference, &["--amend"], more].concat()))
}

/// The acts from an entry on: kind, reference of pledges, records and amendments, sum.
fn acts(office: &Office, from: usize) -> Vec<String> {
    let shown = |e: &servanda::entry::SignedEntry| {
        let act = e.act().unwrap();
        let terms = match act {
            Act::Record(body) => body.terms.open(),
            Act::Pledge(body) => body.terms.open(),
            Act::Amend(body) => body.terms.open(),
            Act::Withdraw(body) => return format!("withdraw: {}", body.text.as_str()),
            _ => None,
        };
        let Some(terms) = terms else { return act.kind().name().to_owned() };
        let sum = match &terms.quantity {
            Quantity::Open(sum) => format!(", {} {}", sum.amount.as_str(), sum.unit.as_str()),
            _ => String::new(),
        };
        let reference = terms.reference.as_ref().map_or("", |r| r.as_str());
        format!("{} {reference}: {}{sum}", act.kind().name(), terms.title.as_str())
    };
    office.entries()[from..].iter().map(shown).collect()
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}{}", ended.out, ended.err))
}

/// How many rows, or statements of the log, became what.
fn tally(told: &Value) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for one in told.as_array().unwrap() {
        *tally.entry(one["became"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    tally
}

const SECOND: &str = "\
A,Germany,Boats,military,1,One boat
A,Germany,Tanks,military,12,Ten tanks
A,Germany,Trucks,military,,Two trucks
B,France,Tents,humanitarian,5,\"Five tents, and stoves\"
D,Poland,Beds,humanitarian,3,Three beds
";

#[test]
fn a_new_release_becomes_amendments_withdrawals_and_records_and_adds_up() {
    let office = office(&NUMBERED, FIRST);
    let ended = release(&office, SECOND, &NUMBERED, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert_eq!(
        ended.out,
        "Entries 8 to 12, published in the checkpoint of 13 entries.\n\
         withdrawn: C.1 (entry 7, \"Fuel\")\n\
         5 rows: 1 unchanged, 2 amended (1 of the amount, 1 of the text, 0 of both, 0 of other fields), 2 new, 0 refused.\n\
         4 in the log before: 1 unchanged, 2 amended, 1 withdrawn, 0 left as they were.\n\
         5 statements signed.\n"
    );
    let digest = servanda::hash::sha256(&fs::read(office.path("table.csv")).unwrap());
    assert_eq!(
        acts(&office, 8),
        [
            // The row that was inserted is new, and those behind it keep their references.
            "amend A.1: Tanks, 12 EUR".to_owned(),
            "record A.3: Boats, 1 EUR".to_owned(),
            "amend B.1: Tents, 5 EUR".to_owned(),
            "record D.1: Beds, 3 EUR".to_owned(),
            format!("withdraw: C.1 is not in the release table.csv, SHA-256 {digest}"),
        ]
    );
    let history = office.good(&["history", "A.1", "--log", "log"]);
    assert!(
        history.out.contains("  quantity      exactly 10 EUR\n                → exactly 12 EUR\n"),
        "{}",
        history.out
    );

    let again = release(&office, SECOND, &NUMBERED, &[]);
    assert_eq!(again.code, 0);
    assert_eq!(
        again.out,
        "5 rows: 5 unchanged, 0 amended (0 of the amount, 0 of the text, 0 of both, 0 of other fields), 0 new, 0 refused.\n\
         5 in the log before: 5 unchanged, 0 amended, 0 withdrawn, 0 left as they were.\n\
         Nothing changed.\n"
    );
    assert_eq!(office.size(), 13);

    // What is gone comes back as a new record, under a number that was never given.
    let back = release(&office, &format!("{SECOND}C,France,Fuel,economic,7,Fuel\n"), &NUMBERED, &["--json"]);
    assert_eq!(json(&back)["release"]["rows"][5]["reference"], "C.2");
    assert_eq!(acts(&office, 13), ["record C.2: Fuel, 7 EUR"]);
}

#[test]
fn a_dry_run_tells_all_and_signs_nothing() {
    let office = office(&NUMBERED, FIRST);
    let ended = release(&office, SECOND, &NUMBERED, &["--dry-run", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let told = json(&ended);
    assert_eq!((&told["rows"], &told["statements"], &told["to"]), (&5.into(), &0.into(), &Value::Null));
    let rows = tally(&told["release"]["rows"]);
    assert_eq!((rows["unchanged"], rows["amended"], rows["new"]), (1, 2, 2));
    let log = tally(&told["release"]["log"]);
    assert_eq!((log["unchanged"], log["amended"], log["withdrawn"]), (1, 2, 1));
    let tents = &told["release"]["rows"][3];
    assert_eq!((&tents["fields"], &tents["changed"]), (&serde_json::json!(["text"]), &"text".into()));
    assert_eq!(office.size(), 8);
    // From a copy, without any key.
    fs::remove_dir_all(office.path("keys")).unwrap();
    let mut words = args(&RECORDS, &["--map", "reference={Id}.{#Id}", "--amend", "--dry-run", "--as", "obs"]);
    words.retain(|word| !matches!(*word, "--key" | "keys/obs1"));
    let ended = office.run(&words);
    assert_eq!(
        (ended.code, ended.err.contains("Nothing was signed, as --dry-run asks.")),
        (0, true),
        "{}",
        ended.err
    );
}

#[test]
fn of_two_rows_with_one_reference_neither_counts() {
    let office =
        office(&PLAIN, "A,Germany,Tanks,military,10,Ten tanks\nB,France,Tents,humanitarian,5,Five tents\n");
    let rows =
        "A,Germany,Tanks,military,11,x\nB,France,Tents,humanitarian,6,Six\nA,Germany,Tanks,military,12,y\n";
    let ended = release(&office, rows, &PLAIN, &[]);
    assert_eq!(ended.code, 1);
    assert!(ended.out.contains("\nNot signed: this is what the release would change.\n"), "{}", ended.out);
    assert!(ended.out.ends_with("\n1 statement not signed.\n"), "{}", ended.out);
    let ended = release(&office, rows, &PLAIN, &["--keep-going"]);
    assert_eq!(ended.code, 1);
    assert_eq!(
        ended.out,
        "line 2 (A): line 4 has the same reference\n\
         line 4 (A): line 2 has the same reference\n\
         Entries 6 to 6, published in the checkpoint of 7 entries.\n\
         left as it was: A (entry 4, \"Tanks\"): lines 2, 4 have its reference\n\
         3 rows: 0 unchanged, 1 amended (0 of the amount, 0 of the text, 1 of both, 0 of other fields), 0 new, 2 refused.\n\
         2 in the log before: 0 unchanged, 1 amended, 0 withdrawn, 1 left as they were.\n\
         1 statement signed.\n"
    );
    assert_eq!(acts(&office, 6), ["amend B: Tents, 6 EUR"]);
}

#[test]
fn an_empty_release_withdraws_nothing_unless_so_many_are_allowed() {
    let office = office(&NUMBERED, FIRST);
    let size = office.size();
    for (more, said) in [
        (&[][..], "and that is more than half of them: nothing was signed"),
        (&["--withdraw-at-most", "3"], "and --withdraw-at-most allows 3: nothing was signed"),
        (&["--dry-run"], "and that is more than half of them: nothing was signed"),
    ] {
        let ended = release(&office, "", &NUMBERED, more);
        assert_eq!(ended.code, 1, "{}", ended.err);
        let want = format!("error: the release lacks 4 of the 4 statements compared with it, {said}\n");
        assert!(ended.err.contains(&want), "{}", ended.err);
        assert!(ended.err.ends_with("say --withdraw-at-most 4\n"), "{}", ended.err);
        assert!(ended.out.contains("withdrawn: B.1 (entry 6, \"Tents\")\n"), "what it would be is told");
    }
    office.write("table.csv", "");
    let ended = office.run(&args(&RECORDS, &["--map", "reference=Id", "--amend", "--withdraw-at-most", "9"]));
    assert_eq!((ended.code, ended.err.as_str()), (2, "error: table.csv: the file is empty\n"));
    assert_eq!(office.size(), size);
    let ended = release(&office, "", &NUMBERED, &["--withdraw-at-most", "4"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        ended.out.contains("\n4 in the log before: 0 unchanged, 0 amended, 4 withdrawn, 0 left"),
        "{}",
        ended.out
    );
    assert_eq!(office.size(), size + 4);
}

#[test]
fn a_release_without_its_id_column_is_refused() {
    let office = office(&NUMBERED, FIRST);
    let run = |table: &str, words: &[&str]| {
        office.write("table.csv", table);
        let ended = office.run(&args(&RECORDS, words));
        assert_eq!((ended.code, office.size()), (2, 8), "{}", ended.err);
        ended.err
    };
    let without = "Who,What,Kind,Sum,Text\nGermany,Tanks,military,10,Ten tanks\n";
    let said = run(without, &["--amend", "--map", "reference={Id}.{#Id}"]);
    assert!(
        said.starts_with("error: reference: there is no column \"Id\" in the file\nhint: the columns"),
        "{said}"
    );
    let said = run(without, &["--amend"]);
    assert!(
        said.starts_with("error: no column is mapped to the reference, by which rows are compared"),
        "{said}"
    );
    let said = run(&format!("{HEAD}{FIRST}"), &["--amend", "--map", "reference={Id}{#Id}"]);
    assert!(said.contains("must stand between the number of a reference and its columns"), "{said}");
    let said = run(&format!("{HEAD}{FIRST}"), &["--amend", "--map", "reference=Id", "--class", "commit"]);
    assert!(said.contains("each record is amended and withdrawn in class \"observe\""), "{said}");

    // The column is there, and empty: nobody can tell what is gone.
    let ended = release(&office, &FIRST.replace("C,France", ",France"), &NUMBERED, &["--keep-going"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.contains(
            "line 5: it has no reference by which it could be compared with the log\n\
             left as it was: C.1 (entry 7, \"Fuel\"): line 5 was refused, and may be it\n"
        ),
        "{}",
        ended.out
    );
    assert_eq!(office.size(), 8);
}

#[test]
fn nothing_is_withdrawn_that_a_row_might_speak_of_which_could_not_be_read() {
    let office = office(&NUMBERED, FIRST);
    // A sum that is none: the row's ID is known, and C is gone all the same.
    let rows = "A,Germany,Tanks,military,some,Ten tanks\nA,Germany,Lorries,military,,Four\nB,France,Tents,humanitarian,6,Six\n";
    let ended = release(&office, rows, &NUMBERED, &["--keep-going", "--json"]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    let told = json(&ended);
    let log: Vec<&str> = told["release"]["log"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["became"].as_str().unwrap())
        .collect();
    assert_eq!(log, ["left", "left", "amended", "withdrawn"], "{told}");
    let why = told["refused"][1]["reason"].as_str().unwrap();
    assert!(why.starts_with("rows that were refused may be of the same ID"), "{why}");
    assert_eq!(acts(&office, 8).len(), 2);

    // A quote that is never closed takes in the rest of the file.
    let rows = "A,Germany,Tanks,military,10,\"Ten tanks\n";
    let ended = release(&office, rows, &NUMBERED, &["--keep-going"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.contains("3 in the log before: 0 unchanged, 0 amended, 0 withdrawn, 3 left"),
        "{}",
        ended.out
    );
    assert_eq!(office.size(), 10);
}

#[test]
fn what_stands_in_no_column_stays_and_what_another_table_has_is_not_touched() {
    let office = office(
        &PLAIN,
        "A/1,Germany,Tanks,military,10,Ten tanks\nB/1,France,Tents,humanitarian,5,Five tents\n",
    );
    office.good(&[
        "amend",
        "@4",
        "--class",
        "observe",
        "--to",
        "ua",
        "--title",
        "Tanks",
        "--text",
        "Ten tanks",
        "--instrument",
        "military",
        "--quantity",
        "exactly 10 EUR",
        "--reference",
        "A/1",
        "--valid-from",
        "2026-12-01T12:00Z",
        "--made-on",
        "2026-11-20",
        "--log",
        "log",
        "--key",
        "keys/obs1",
        "--yes",
    ]);
    let rows = "A/1,Germany,Tanks,military,11,Ten tanks\n";
    let ended = release(&office, rows, &PLAIN, &["--among", "A/"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        ended.out.contains("\n1 in the log before: 0 unchanged, 1 amended, 0 withdrawn, 0 left"),
        "{}",
        ended.out
    );
    let Act::Amend(last) = office.entries().pop().unwrap().act().unwrap().clone() else {
        panic!("an amendment")
    };
    assert_eq!(last.terms.open().unwrap().made_on.unwrap().to_string(), "2026-11-20");
    let ended =
        release(&office, "B/1,France,Tents,humanitarian,6,Six\n", &PLAIN, &["--among", "A/", "--keep-going"]);
    assert!(
        ended.out.starts_with("line 2 (B/1): its reference does not begin as --among says\n"),
        "{}",
        ended.out
    );
    assert_eq!(office.size(), 8);
}

#[test]
fn another_promisor_or_source_makes_it_what_it_is() {
    let office = office(&PLAIN, "A,Germany,Tanks,military,10,Ten tanks\n");
    let ended =
        release(&office, "A,France,Tanks,military,10,Ten tanks\n", &PLAIN, &["--withdraw-at-most", "1"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let said = acts(&office, 5);
    assert!(said[0].starts_with("withdraw: A is another's promise in the release table.csv, "), "{said:?}");
    assert_eq!(said[1], "record A: Tanks, 10 EUR");

    // A record's own source cannot be amended: a later one stands in the terms.
    let of = |source: &'static str| {
        let mut words = args(&RECORDS, &["--map", "reference=Id", "--amend", "--json"]);
        words.iter_mut().filter(|word| **word == "source=a press release").for_each(|word| *word = source);
        json(&office.good(&words))["release"]["rows"][0].clone()
    };
    assert_eq!(of("source=a speech")["fields"], serde_json::json!(["source"]));
    assert_eq!(of("source=a speech")["became"], "unchanged");
    assert_eq!(of("source=a press release")["changed"], "other");
    assert_eq!(of("source=a press release")["became"], "unchanged");
    let Act::Amend(last) = office.entries().pop().unwrap().act().unwrap().clone() else {
        panic!("an amendment")
    };
    assert_eq!(last.terms.open().unwrap().source, None, "as recorded");
}

#[test]
fn a_sum_that_several_rows_repeat_stays_where_it_is() {
    let once = [&NUMBERED[..], &["--once", "quantity=Id,Sum"]].concat();
    let office = office(&once, "A,Germany,Tanks,military,10,x\nA,Germany,Trucks,military,10,y\n");
    assert_eq!(acts(&office, 4), ["record A.1: Tanks, 10 EUR", "record A.2: Trucks"]);
    // Another row comes first: the sum is not said a second time.
    let rows =
        "A,Germany,Boats,military,10,z\nA,Germany,Tanks,military,10,x\nA,Germany,Trucks,military,10,y\n";
    assert_eq!(release(&office, rows, &once, &[]).code, 0);
    assert_eq!(acts(&office, 6), ["record A.3: Boats"]);
    // The row that held it is gone: the first of the rest holds it.
    let rows = "A,Germany,Boats,military,10,z\nA,Germany,Trucks,military,10,y\n";
    assert_eq!(release(&office, rows, &once, &[]).code, 0);
    let said = acts(&office, 7);
    assert_eq!(said[1..], ["amend A.3: Boats, 10 EUR"], "{said:?}");
    assert!(release(&office, rows, &once, &[]).out.ends_with("Nothing changed.\n"));
}

// - pledges -

const PLEDGES: [&str; 4] = ["--key", "keys/de1", "--set", "notice_period=6 months"];

fn pledged(office: &Office, rows: &str, more: &[&str]) -> Ended {
    office.write("table.csv", &format!("{HEAD}{rows}"));
    office.run(&args(&PLEDGES, &[&PLAIN[..], more].concat()))
}

const PLEDGED: &str = "A,-,Tanks,military,10,Ten\nB,-,Tents,humanitarian,5,Five\nC,-,Fuel,economic,7,Fuel\n";

#[test]
fn new_terms_of_a_pledge_wait_to_be_accepted_and_a_withdrawal_for_its_notice() {
    let office = Office::founded(&PARTNERS);
    assert_eq!(pledged(&office, PLEDGED, &[]).code, 0);
    office.good(&["accept", "@4", "@5", "@6", "--log", "log", "--key", "keys/ua1", "--yes"]);
    let second = "A,-,Tanks,military,12,Ten\nB,-,Tents,humanitarian,5,Five\n";
    let ended = pledged(&office, second, &["--amend"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert_eq!(
        ended.out,
        "Entries 8 to 9, published in the checkpoint of 10 entries.\n\
         withdrawn with effect from 2027-06-01T12:00:00Z: C (entry 6, \"Fuel\")\n\
         2 rows: 1 unchanged, 1 amended (1 of the amount, 0 of the text, 0 of both, 0 of other fields), 0 new, 0 refused.\n\
         3 in the log before: 1 unchanged, 1 amended, 1 withdrawn, 0 left as they were.\n\
         New terms hold towards each addressee once it accepts them; until then the old ones do.\n\
         2 statements signed.\n"
    );
    let history = office.good(&["history", "A", "--log", "log"]).out;
    assert!(history.contains("Ukraine (ua): is in force, by the terms of entry 4\n"), "{history}");
    office.good(&["accept", "@8", "--log", "log", "--key", "keys/ua1", "--yes"]);
    let history = office.good(&["history", "A", "--log", "log"]).out;
    assert!(history.contains("Ukraine (ua): is in force, by the terms of entry 8\n"), "{history}");

    let again = pledged(&office, second, &["--amend"]);
    assert_eq!(again.code, 0);
    let left =
        "left as it was: C (entry 6, \"Fuel\"): it was withdrawn with effect from 2027-06-01T12:00:00Z\n";
    assert!(again.out.starts_with(left) && again.out.ends_with("Nothing changed.\n"), "{}", again.out);

    // What is withdrawn takes no new terms, and is not revived.
    let third = format!("{second}C,-,Fuel,economic,9,Fuel\n");
    let ended = pledged(&office, &third, &["--amend", "--keep-going"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.starts_with(
            "line 4 (C): entry 6 has the reference and takes no new terms: it was withdrawn with effect from 2027-06-01T12:00:00Z\n"
        ),
        "{}",
        ended.out
    );
    assert_eq!(office.size(), 11);
    let mut words = args(&PLEDGES, &["--map", "reference=Id", "--amend", "--now", "2027-07-01"]);
    words.extend(["--json"]);
    assert_eq!(
        json(&office.good(&words))["release"]["rows"][2]["became"],
        "new",
        "once it is over, it is pledged anew"
    );
}

#[test]
fn what_the_ledger_would_refuse_is_told_before_anything_is_signed() {
    let office = Office::founded(&PARTNERS);
    assert_eq!(pledged(&office, PLEDGED, &[]).code, 0);
    let rows = PLEDGED.replace("military", "magic");
    let ended = pledged(&office, &rows, &["--amend", "--keep-going"]);
    assert_eq!(ended.code, 1);
    assert!(ended.out.starts_with("line 2 (A): refused by rule no-instrument: it "), "{}", ended.out);
    assert!(
        ended.out.contains("left as it was: A (entry 4, \"Tanks\"): line 2 was refused: refused by rule"),
        "{}",
        ended.out
    );
    assert_eq!(office.size(), 7);
}

// - cut short, or on its way as a file -

#[test]
fn an_import_that_was_committed_and_not_published_is_ended_by_the_same_command() {
    let office = office(&NUMBERED, FIRST);
    let checkpoint = fs::read(office.path("log/public/checkpoint")).unwrap();
    release(&office, SECOND, &NUMBERED, &[]);
    fs::write(office.path("log/public/checkpoint"), checkpoint).unwrap();
    let ended = release(&office, SECOND, &NUMBERED, &[]);
    assert!(
        ended.out.starts_with("What was committed before is published in the checkpoint of 13 entries.\n"),
        "{}",
        ended.out
    );
    assert!(ended.out.ends_with("Nothing changed.\n"), "{}", ended.out);
    assert_eq!(office.size(), 13);
}

#[test]
fn killed_between_two_rounds_it_ends_as_if_it_had_not_been() {
    // More than one round: 600 IDs of ten rows, each changed, with a row more and another row less.
    let table = |changed: bool| -> String {
        let row = |id: usize, n: usize| {
            format!("I{id},Germany,item {n},military,{},t{id}\n", if changed { n + 1 } else { n })
        };
        let ten = if changed { 0..10 } else { 1..11 };
        (0..600).flat_map(|id| ten.clone().map(move |n| row(id, n))).collect()
    };
    let office = office(&NUMBERED, &table(false));
    let size = office.size();
    office.write("table.csv", &format!("{HEAD}{}", table(true)));
    let words = args(&RECORDS, &["--map", "reference={Id}.{#Id}", "--amend"]);
    let commit = || fs::read(office.path("log/private/commit")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_servanda"))
        .args(&words)
        .current_dir(office.path(""))
        .env("SERVANDA_NOW", crate::support::office::NOW)
        .env("XDG_STATE_HOME", office.path("state"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The first change is that of opening, the second the first round's.
    for _ in 0..2 {
        let before = commit();
        while commit() == before && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(1));
        }
    }
    child.kill().unwrap();
    let was_killed = child.wait().unwrap().code().is_none();
    let ended = office.good(&words);
    eprintln!("killed: {was_killed}; then {}", ended.out.lines().last().unwrap());
    // 9 of each ten amended, one withdrawn, one new.
    assert_eq!(office.size(), size + 600 * 11);
    assert!(office.good(&words).out.ends_with("Nothing changed.\n"));
    let mut kinds = BTreeMap::new();
    for entry in &office.entries()[usize::try_from(size).unwrap()..] {
        *kinds.entry(entry.statement.kind).or_insert(0) += 1;
    }
    let want = [(Kind::Amend, 5400), (Kind::Withdraw, 600), (Kind::Record, 600)];
    assert_eq!(kinds, want.map(|(kind, count)| (kind.number(), count)).into());
}

#[test]
fn without_the_operators_key_the_statements_travel_in_one_file() {
    let office = office(&NUMBERED, FIRST);
    fs::rename(office.path("keys/log"), office.path("keys/away")).unwrap();
    let ended = release(&office, SECOND, &NUMBERED, &["--out", "second.statement"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.ends_with("5 statements signed.\n"), "{}", ended.out);
    office.good(&["submit", "second.statement", "--log", "log", "--log-key", "keys/away"]);
    assert_eq!(office.size(), 13);
    fs::rename(office.path("keys/away"), office.path("keys/log")).unwrap();
    assert!(release(&office, SECOND, &NUMBERED, &[]).out.ends_with("Nothing changed.\n"));
}
