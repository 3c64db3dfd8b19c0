//! Provisions of real agreements, pledged as a user would, and what follows from them at given times.
//!
//! Each `*.toml` beside this file is a family of provisions and reads as a specification. A provision says
//!
//! ```text
//! agreement   which text of ../shared/data it is from; `words` find the passages in it: "from these words … to these".
//!             The test reads the passages themselves from that text, and they are the pledge's `text`, verbatim
//! pledge      the fields as `servanda pledge --from` reads them, and it does; `all` are those that all pledges share
//! says        phrase | where it went: no loss. Every word of the passages stands in one of these phrases; `text` where no
//!             other field holds it, `no field` where a field's absence says it
//! then        what partners do, and how things stand at named moments: no pretence
//! ```
//!
//! What partners do here after signature is made up. [`play`] has the verbs of `then`, [`stand`] what can be asked.

#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod play;
mod provision;
mod stand;
mod typed;

use crate::support::shared;
use play::Play;
use provision::{Family, Provision};
use servanda::statement::terms::Bounded;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// All families, by file.
const FAMILIES: [(&str, &str); 5] = [
    ("consultation", include_str!("consultation.toml")),
    ("assistance", include_str!("assistance.toml")),
    ("money", include_str!("money.toml")),
    ("in_kind", include_str!("in_kind.toml")),
    ("duration", include_str!("duration.toml")),
];

fn family(name: &str) -> Vec<Provision> {
    let (_, text) = FAMILIES.iter().find(|(family, _)| *family == name).expect("a family");
    let family: Family = toml::from_str(text).unwrap_or_else(|error| panic!("{name}.toml: {error}"));
    family.provision
}

/// Reads the words of each provision of a family, checks that nothing of them is lost, and lets time pass.
fn walk(name: &str) {
    let Some(data) = shared("data/security_agreements/text") else { return };
    for provision in family(name) {
        let passages = provision.passages(&data);
        provision.check_says(&passages);
        Play::of(&provision, &data, &passages).run();
    }
}

#[test]
fn consultations_are_called_for_as_the_agreements_say() {
    walk("consultation");
}

#[test]
fn assistance_at_discretion_is_called_upon_and_never_overdue() {
    walk("assistance");
}

#[test]
fn sums_keep_their_bounds_years_and_conditions() {
    walk("money");
}

#[test]
fn things_and_people_are_counted_as_they_are_promised() {
    walk("in_kind");
}

#[test]
fn agreements_begin_end_and_are_changed_as_they_say() {
    walk("duration");
}

#[test]
fn there_are_many_provisions_of_many_agreements_each_named_once() {
    let all: Vec<Provision> = FAMILIES.iter().flat_map(|(name, _)| family(name)).collect();
    let agreements: BTreeSet<&str> = all.iter().map(|p| p.agreement.as_str()).collect();
    let names: BTreeSet<&str> = all.iter().map(|p| p.name.as_str()).collect();
    assert!(all.len() >= 24 && agreements.len() >= 12, "{} of {}", all.len(), agreements.len());
    assert_eq!(names.len(), all.len());
}

#[test]
fn numbers_as_agreements_write_them_are_refused_and_not_guessed() {
    let read = |text: &str| text.parse::<Bounded>().map(|q| q.to_string());
    assert_eq!(read("at least 1,500,000 EUR").unwrap(), "at least 1,500,000 EUR");
    // "EUR 1,5 million" (Spain), "1.072 million euro" (Belgium), "7.1 billion euro" (Germany)
    for unclear in
        ["at least 1,5 EUR", "exactly 1.072.000 EUR", "exactly 1.072 million EUR", "exactly 7.1 billion EUR"]
    {
        assert!(read(unclear).is_err(), "{unclear}");
    }
}

#[test]
fn the_table_of_words_in_the_docs_quotes_the_agreements() {
    let Some(data) = shared("data/security_agreements/text") else { return };
    let docs = include_str!("../../docs/ledger.md");
    let table = docs.lines().skip_while(|line| !line.starts_with("| words | agreement |")).skip(2);
    let rows: Vec<Vec<&str>> =
        table.take_while(|line| line.starts_with('|')).map(|l| l.split('|').collect()).collect();
    assert!(rows.len() > 30, "the table was not found");
    for row in rows {
        let (words, agreement) = (row[1], row[2].trim());
        let partner = agreement.rsplit_once('(').expect("a name and (ISO)").1.trim_end_matches(')');
        let is_it = |path: &PathBuf| path.to_string_lossy().ends_with(&format!("_{partner}.txt"));
        let mut paths = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
        let text = fs::read_to_string(paths.find(is_it).expect("its text")).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for quoted in words.split('"').skip(1).step_by(2) {
            assert!(text.contains(quoted), "{agreement} does not say {quoted:?}");
        }
    }
}
