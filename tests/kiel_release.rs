//! The tracker's release of January 2023 against a log that holds release 7, by the commands of `examples/kiel/README.md`:
//! the report adds up row by row, the figures by the first row of each id follow from it, and the log then says what the
//! release says, and no more.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::kiel::{NAME, commands, office, run};
use crate::support::office::Office;
use crate::support::shared;
use serde_json::Value;
use servanda::hash::Hash;
use servanda::statement::Act;
use servanda::statement::body::{Party, Withdrawn};
use servanda::statement::terms::{Quantity, Terms};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The release after it.
const NEXT: &str = "kiel_main_2023-01.csv";

/// A record as it stands in the log.
#[derive(Clone)]
struct Standing {
    promisor: Party,
    source: String,
    /// As first recorded.
    first: Terms,
    /// As last amended.
    last: Terms,
    withdrawn: bool,
}

/// The records of a log by their references; a reference is never given twice here.
fn standing(office: &Office) -> BTreeMap<String, Standing> {
    let mut by_id: BTreeMap<Hash, Standing> = BTreeMap::new();
    for entry in office.entries() {
        match entry.act().unwrap() {
            Act::Record(body) => {
                let terms = body.terms.open().unwrap().clone();
                let standing = Standing {
                    promisor: body.promisor.clone(),
                    source: body.source.to_string(),
                    first: terms.clone(),
                    last: terms,
                    withdrawn: false,
                };
                by_id.insert(entry.id, standing);
            }
            Act::Amend(body) => {
                let record = by_id.get_mut(&body.statement).unwrap();
                record.last = body.terms.open().unwrap().clone();
            }
            Act::Withdraw(body) => {
                let Withdrawn::Pledges(ids) = &body.from else { panic!("by id") };
                ids.iter().for_each(|id| by_id.get_mut(id).unwrap().withdrawn = true);
            }
            _ => {}
        }
    }
    let count = by_id.len();
    let named = by_id.into_values().map(|one| (one.first.reference.as_ref().unwrap().to_string(), one));
    let all: BTreeMap<String, Standing> = named.collect();
    assert_eq!(all.len(), count, "no reference comes twice");
    all
}

/// The sum that the text of a record names, as the table wrote it.
fn sum(terms: &Terms) -> Option<&str> {
    let line = terms.text.lines().find_map(|line| line.strip_prefix("Sum of the whole announcement: "))?;
    line.split(' ').next()
}

/// What the table's column `Explanation` said.
fn explanation(terms: &Terms) -> &str {
    let text = terms.text.as_str();
    text.split_once("\nAnnounced: ")
        .map_or(if text.starts_with("Announced: ") { "" } else { text }, |(all, _)| all)
}

/// The ids of a table in its order, with how many rows they have, and the first row of each.
fn ids(file: &Path) -> Vec<String> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let id = reader.headers().unwrap().iter().position(|name| name == "ID").unwrap();
    reader.records().map(|row| row.unwrap()[id].to_owned()).collect()
}

fn recorded(release: &Path) -> Office {
    let office = office();
    std::os::unix::fs::symlink(release, office.path(NAME)).unwrap();
    let [first, second, _] = &commands()[..] else { panic!("three commands") };
    assert_eq!(run(&office, first).code, 1, "undated rows are refused");
    assert_eq!(run(&office, second).code, 0);
    office
}

fn is(one: &Value, became: &str) -> bool {
    one["became"] == became
}

fn count(told: &[Value], became: &str) -> usize {
    told.iter().filter(|one| is(one, became)).count()
}

#[test]
fn the_next_release_is_signed_change_by_change() {
    let (Some(before), Some(after)) =
        (shared(&format!("data/kiel/{NAME}")), shared(&format!("data/kiel/{NEXT}")))
    else {
        return;
    };
    let office = recorded(&before);
    std::os::unix::fs::symlink(&after, office.path(NEXT)).unwrap();
    let amend = &commands()[2];
    let size = office.size();
    let old = standing(&office);
    assert_eq!(old.len(), 1032);

    let tried = run(&office, &amend.replace("--yes", "--dry-run --json"));
    assert_eq!((tried.code, office.size()), (0, size), "{}", tried.err);
    let told: Value = serde_json::from_str(&tried.out).unwrap();
    let rows = told["release"]["rows"].as_array().unwrap();
    let log = told["release"]["log"].as_array().unwrap();
    adds_up(rows, log);

    let ended = run(&office, amend);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let now = standing(&office);
    by_first_rows(rows, (&old, &now), &ids(&before), &ids(&after));
    says_what_the_release_says(&now, &after, amend);
    let withdrawn: BTreeSet<&str> =
        log.iter().filter(|one| is(one, "withdrawn")).map(|one| one["reference"].as_str().unwrap()).collect();
    let said: BTreeSet<&str> =
        now.iter().filter(|(_, one)| one.withdrawn).map(|(name, _)| name.as_str()).collect();
    assert_eq!(said, withdrawn);
    let listed = ended.out.lines().filter(|line| line.starts_with("withdrawn: ")).count();
    assert_eq!(listed, withdrawn.len());

    let size = office.size();
    let again = run(&office, amend);
    assert_eq!((again.code, office.size()), (0, size));
    assert!(again.out.ends_with("Nothing changed.\n"), "{}", again.out);
}

/// Rows, and what the log had, are accounted for once each.
fn adds_up(rows: &[Value], log: &[Value]) {
    let changed = |what: &str| rows.iter().filter(|row| row["changed"] == what).count();
    assert_eq!((rows.len(), log.len()), (1190, 1032));
    let [unchanged, amended, new, refused] =
        ["unchanged", "amended", "new", "refused"].map(|b| count(rows, b));
    assert_eq!(unchanged + amended + new + refused, rows.len());
    assert_eq!((unchanged, amended, new, refused), (598, 236, 356, 0));
    assert_eq!(changed("amount") + changed("text") + changed("both") + changed("other"), amended);
    assert_eq!([changed("amount"), changed("text"), changed("both"), changed("other")], [0, 208, 27, 1]);
    let [withdrawn, left] = ["withdrawn", "left"].map(|became| count(log, became));
    assert_eq!((count(log, "unchanged"), count(log, "amended")), (unchanged, amended));
    assert_eq!(unchanged + amended + withdrawn + left, log.len());
    assert_eq!((withdrawn, left), (198, 0));
}

/// The figures of whoever compares the tables by the first row of each id: 27 sums and 65 explanations changed, 4 ids gone,
/// 66 new. They follow from the report and the log, though rows are paired by what they say: where another row has come
/// first, the first row is not the one that it was.
fn by_first_rows(
    rows: &[Value],
    (old, now): (&BTreeMap<String, Standing>, &BTreeMap<String, Standing>),
    before: &[String],
    after: &[String],
) {
    assert_eq!(after.len(), rows.len(), "the report has every row, in the file's order");
    let known: BTreeSet<&String> = before.iter().collect();
    let mut first: BTreeMap<&String, &Value> = BTreeMap::new();
    for (id, row) in after.iter().zip(rows) {
        first.entry(id).or_insert(row);
    }
    let gone: Vec<&str> = known.iter().filter(|id| !first.contains_key(**id)).map(|id| id.as_str()).collect();
    assert_eq!(gone, ["ITF2", "MTH2", "USM7", "USM8"]);
    for id in gone {
        let all: Vec<_> = now.iter().filter(|(name, _)| name.split('.').next() == Some(id)).collect();
        assert!(!all.is_empty() && all.iter().all(|(_, one)| one.withdrawn), "{id}");
    }
    assert_eq!(first.keys().filter(|id| !known.contains(**id)).count(), 66);
    let (mut sums, mut texts, mut others) = (0, 0, Vec::new());
    for (id, row) in first.iter().filter(|(id, _)| known.contains(**id)) {
        let was = &old[&format!("{id}.1")].last;
        let is = &now[row["reference"].as_str().unwrap()].last;
        sums += usize::from(sum(was) != sum(is));
        texts += usize::from(explanation(was) != explanation(is));
        if row["reference"] != format!("{id}.1") {
            others.push(id.as_str());
        }
    }
    assert_eq!((sums, texts), (27, 65));
    // In these another row has come first: as the tables are compared by first rows, it stands for the one before it.
    assert_eq!(others, ["DEM1", "FRH6", "PTM3", "USM1"]);
    assert_eq!(first.len() - 66, 428);
    // Row by row, sums were amended 27 times, too, but not the same: one of Germany's rows passes the sum on to another,
    // and what was the first row under USM1 has kept its own.
    let amended =
        rows.iter().filter(|row| row["changed"] == "both").map(|row| row["reference"].as_str().unwrap());
    let amended: Vec<&str> = amended.map(|name| name.split('.').next().unwrap()).collect();
    let ids: BTreeSet<&str> = amended.iter().copied().collect();
    assert_eq!((amended.len(), ids.len(), ids.contains("USM1")), (27, 26, false));
    assert_eq!(amended.iter().filter(|id| **id == "DEM1").count(), 2);
}

/// The log says what the release says: as one does in which it was recorded afresh.
fn says_what_the_release_says(now: &BTreeMap<String, Standing>, after: &Path, amend: &str) {
    let afresh = office();
    std::os::unix::fs::symlink(after, afresh.path(NEXT)).unwrap();
    let ended = run(&afresh, &amend.replace("--amend ", ""));
    assert!(ended.out.ends_with("1190 rows: 1190 signed, 0 refused.\n"), "{}{}", ended.out, ended.err);
    let said = |all: &BTreeMap<String, Standing>| {
        let mut said = all.values().filter(|one| !one.withdrawn).map(words).collect::<Vec<_>>();
        said.sort();
        said
    };
    assert_eq!(said(now), said(&standing(&afresh)));
    assert_eq!(sums(now), sums(&standing(&afresh)), "no sum is counted twice");
}

/// What a record says, but for its reference, and for the sum that stands once among those that repeat it.
fn words(one: &Standing) -> String {
    let t = &one.last;
    let source = t.source.as_ref().map_or(one.source.as_str(), |source| source.as_str());
    let id = t.reference.as_ref().unwrap().split('.').next().unwrap();
    format!(
        "{id} {:?} {:?} {:?} {:?} {:?} {:?} {source:?}",
        one.promisor, t.title, t.text, t.instruments, t.made_on, t.valid_from
    )
}

/// The sums that are recorded, by id.
fn sums(all: &BTreeMap<String, Standing>) -> Vec<(String, String)> {
    let mut sums = Vec::new();
    for (name, one) in all.iter().filter(|(_, one)| !one.withdrawn) {
        if let Quantity::Open(sum) = &one.last.quantity {
            sums.push((name.split('.').next().unwrap().to_owned(), sum.to_string()));
        }
    }
    sums.sort();
    sums
}
