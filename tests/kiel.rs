//! Release 7 of the Kiel Institute's Ukraine Support Tracker, recorded by the commands of `examples/kiel/README.md`: rows
//! in are records and refused rows; nothing is guessed, no sum is counted twice, and the log verifies.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::office::{Ended, Office};
use crate::support::shared;
use servanda::field::Decimal;
use servanda::statement::Act;
use servanda::statement::body::{Party, Record};
use servanda::statement::terms::{Instrument, Quantity, Terms};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Release 7.
pub const NAME: &str = "kiel_main_2022-10_release7.csv";

/// The shell commands in the example's text: release 7, its undated rows, and the next release.
pub fn commands() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kiel/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// An office with an observer.
pub fn office() -> Office {
    Office::founded(&[
        ("de", "Germany", "guarantor", 1),
        ("ua", "Ukraine", "beneficiary", 1),
        ("kiel", "Kiel Institute", "observer", 1),
    ])
}

/// Runs one of them.
pub fn run(office: &Office, command: &str) -> Ended {
    office.sh(command, &[("SERVANDA_LOG", "log"), ("SERVANDA_KEY", "keys/kiel1")])
}

fn records(office: &Office) -> Vec<Record> {
    let record = |e: &servanda::entry::SignedEntry| match e.act().unwrap() {
        Act::Record(record) => Some(record.clone()),
        _ => None,
    };
    office.entries().iter().filter_map(record).collect()
}

fn terms(record: &Record) -> &Terms {
    record.terms.open().unwrap()
}

fn reference(record: &Record) -> &str {
    terms(record).reference.as_ref().unwrap()
}

/// The sums recorded, by id.
fn sums(records: &[Record]) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for record in records {
        if let Quantity::Open(quantity) = &terms(record).quantity {
            let id = reference(record).split('.').next().unwrap().to_owned();
            *sums.entry(id).or_default() += number(&quantity.amount);
        }
    }
    sums
}

fn number(decimal: &Decimal) -> f64 {
    decimal.as_str().parse().unwrap()
}

/// What the file itself says the sums of its ids are, where a source gave one.
fn totals(file: &Path) -> BTreeMap<String, f64> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (id, given) = (column("ID"), column("Monetary Value as Given by Source"));
    let (first, total) = (column("Total_value_dummy (1 is first row in the package)"), column("Total"));
    let rows = reader.records().map(Result::unwrap);
    let with_total =
        rows.filter(|row| &row[first] == "1" && &row[given] != "Not given" && !row[total].is_empty());
    with_total.map(|row| (row[id].to_owned(), row[total].parse().unwrap())).collect()
}

#[test]
fn release_7_is_recorded_row_by_row() {
    let Some(file) = shared(&format!("data/kiel/{NAME}")) else { return };
    let office = office();
    std::os::unix::fs::symlink(&file, office.path(NAME)).unwrap();
    let [first, second, _] = &commands()[..] else { panic!("three commands") };

    let ended = run(&office, first);
    assert_eq!(ended.code, 1, "rows were refused: {}", ended.err);
    assert!(ended.out.ends_with("1032 rows: 850 signed, 182 refused.\n"), "{}", ended.out);
    let refused: Vec<&str> = ended.out.lines().filter(|line| line.starts_with("line ")).collect();
    assert_eq!(refused.len(), 182);
    assert!(refused.iter().all(|line| line.contains("): made_on: not a day: ")));
    for said in [
        "line 150 (CZM8.1): made_on: not a day: want e.g. 2026-12-01; the row says \"unspecified\"",
        "line 151 (CZM9.1): made_on: not a day: want e.g. 2026-12-01; the row says \"until 3/10/2022\"",
        "line 1283 (EUH1.1): made_on: not a day: want e.g. 2026-12-01; the row says \"Undisclosed\"",
    ] {
        assert!(refused.contains(&said), "{said}\n{}", ended.out);
    }
    check_records(&records(&office), 850);

    let ended = run(&office, second);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(
        ended.out.ends_with("1032 rows: 182 signed, 0 refused, 850 in the log already.\n"),
        "{}",
        ended.out
    );
    let all = records(&office);
    check_records(&all, 1032);
    check_all(&all, &file);
}

/// What holds of the records of either run.
fn check_records(records: &[Record], count: usize) {
    assert_eq!(records.len(), count);
    let references: BTreeSet<&str> = records.iter().map(reference).collect();
    assert_eq!(references.len(), count, "no reference comes twice");
    assert!(records.iter().all(|record| record.to.0 == ["ua".parse().unwrap()] && !record.source.is_empty()));
    let first = &records[0];
    let Quantity::Open(quantity) = &terms(first).quantity else { panic!("a sum was given") };
    assert_eq!(quantity.to_string(), "exactly 35,000,000 AUD");
    assert_eq!(first.promisor, Party::Name("Australia".parse().unwrap()));
    assert_eq!((reference(first), terms(first).title.as_str()), ("AUH1.1", "Assistance"));
    assert_eq!(terms(first).instruments.0, [Instrument::Humanitarian]);
    assert_eq!(terms(first).made_on.unwrap().to_string(), "2022-03-01");
    assert_eq!(terms(first).valid_from.to_string(), "2022-03-01T00:00:00Z");
    assert_eq!(first.source.lines().count(), 2);
}

fn check_all(records: &[Record], file: &Path) {
    let who: BTreeSet<String> = records.iter().map(|record| format!("{:?}", record.promisor)).collect();
    assert_eq!(who.len(), 43, "{who:?}");
    let germany = Party::Handle("de".parse().unwrap());
    assert_eq!(records.iter().filter(|record| record.promisor == germany).count(), 99);
    let economic = |record: &&Record| terms(record).instruments.0 == [Instrument::Economic];
    assert_eq!(records.iter().filter(economic).count(), 58);
    assert_eq!(records.iter().filter(|record| terms(record).made_on.is_none()).count(), 182);

    let howitzer = records.iter().find(|record| reference(record) == "LTM8.2").unwrap();
    let text = &terms(howitzer).text;
    assert!(text.contains("Lithuania has delivered an unspecified amount of M50"), "{text}");
    let said = "\nAnnounced: 2022-09-07\nSum of the whole announcement: 25732856.275917873 EUR\n\
                Item: M101 105mm howitzer\nType of item: Heavy weapon\nNumber: undisclosed\nDelivered: undisclosed";
    assert!(text.ends_with(said), "{text}");
    assert_eq!(terms(howitzer).quantity, Quantity::None, "the sum stands in the first row");

    let (recorded, totals) = (sums(records), totals(file));
    assert_eq!((recorded.len(), totals.len()), (293, 292));
    let differing = totals.iter().filter(|(id, total)| (recorded[*id] - **total).abs() > 0.01);
    let differing: Vec<&str> = differing.map(|(id, _)| id.as_str()).collect();
    assert_eq!(differing, ["USM1", "USM5", "USM6"], "sums that the file adds up otherwise");
    assert!((recorded["DEM1"] - 1_200_000_000.0).abs() < 0.01, "one sum in 91 rows");
}
