//! Statements going in: an import of many, and one more on a short and on a long log.

use super::office::Office;
use super::{acts, better, made, timed};
use rayon::prelude::*;
use servanda::hash::leaf_hash;
use servanda::key::{Claim, hold};
use servanda::statement::{self, Head, signed_bytes};
use servanda::store::dir::Dir;
use servanda::store::index::Index;
use servanda::submit::Operator;
use std::fs;
use std::path::Path;
use std::time::Instant;

/// How many rows are imported.
const ROWS: usize = 100_000;

const IMPORT: [&str; 13] = [
    "import",
    "rows.csv",
    "--log",
    "log",
    "--key",
    "keys/de1",
    "--set",
    "to=ua",
    "--yes",
    "--map",
    "reference=Id,title=What,instruments=Kind",
    "--map",
    "quantity=up to {Sum} EUR,made_on=Day",
];

/// `servanda import`, from the table to the published checkpoint, beside signing, verifying and hashing alone.
pub fn import() {
    let mut taken = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let office =
            Office::founded(&[("de", "Germany", "guarantor", 1), ("ua", "Ukraine", "beneficiary", 1)]);
        let rows: String = (0..ROWS)
            .map(|n| format!("P{n},Artillery ammunition and spare parts,military,{n}000,2022-03-01\n"))
            .collect();
        office.write("rows.csv", &format!("Id,What,Kind,Sum,Day\n{rows}"));
        let started = Instant::now();
        let ended = office.good(&IMPORT);
        taken.0.push(started.elapsed());
        assert!(ended.out.contains(&format!("{ROWS} signed")), "{}", ended.out);
        let len = office.entries().last().unwrap().entry.statement.len();
        taken.1.push(timed(&mut || floor(len)));
    }
    let (ours, floor) = (better(taken.0), better(taken.1));
    let rate = |seconds: f64| ROWS as f64 / seconds;
    println!(
        "import of {ROWS} rows: {:.0} a second, floor {:.0} a second, {:.2} of it",
        rate(ours),
        rate(floor),
        floor / ours
    );
}

/// What no import can be faster than, on all cores.
fn floor(len: usize) {
    let key = made::key("floor");
    let rows: Vec<_> = (0..ROWS)
        .into_par_iter()
        .map(|n| {
            let mut bytes = vec![0; len];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            let id = statement::id(&bytes);
            let signature = statement::sign(&id, 0, &key);
            bytes.extend_from_slice(&signature.bytes);
            std::hint::black_box(leaf_hash(&bytes));
            (signed_bytes(&id), signature)
        })
        .collect();
    let claim =
        |(message, signature): &'_ ([u8; 47], statement::Signature)| (*message, signature.bytes.to_vec());
    let owned: Vec<_> = rows.iter().map(claim).collect();
    let public = key.public();
    let claims: Vec<_> =
        owned.iter().map(|(message, signature)| Claim { key: public, message, signature }).collect();
    assert!(hold(&claims).into_iter().all(|held| held));
}

/// One statement, from opening the log to the published checkpoint, on 1,000 entries and on the whole log.
pub fn one_statement() {
    for size in [1_000, made::entries()] {
        let copy = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        copy_of(&made::log(size), copy.path());
        let taken = (0..20).map(|_| timed(&mut || say_one(copy.path()))).collect();
        println!("one statement on {size} entries, opened, published: {:.1} ms", better(taken) * 1e3);
    }
}

fn say_one(home: &Path) {
    let index = Index::open(&home.join("private/index.redb")).unwrap();
    let mut log = Operator::open(Box::new(Dir::open(home).unwrap()), None, index).unwrap();
    let handle = "p07".parse().unwrap();
    let now = log.history().times().1;
    let act = acts::pledge(7, now, log.history().head().size);
    let chain = log.history().chain(&handle, act.kind().classes()[0]);
    let mut author = made::Author { key: made::key("p07"), handle, chains: [(chain.seq, chain.prev); 5] };
    let seen: Head = log.history().head();
    let (statement, signatures) = author.say(log.roster().log, seen, now, &act);
    log.admit(&statement, &signatures, now).unwrap();
    log.publish(&made::log_key()).unwrap();
}

/// Copies a log: what is never changed in place by another name for the same file, the rest byte by byte.
fn copy_of(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_of(&from, &to);
        } else if from.components().any(|part| part.as_os_str() == "private") {
            fs::copy(&from, &to).unwrap();
        } else {
            fs::hard_link(&from, &to).unwrap();
        }
    }
}
