//! News: what each entry of the coalition brought, what time brings, and that it is told alike whenever it is asked for.

use super::{NOW, accept, coalition, compare, pledge};
use crate::support::small_log::{SmallLog, at};
use serde_json::json;
use servanda::entry::SignedEntry;
use servanda::field::Instant;
use servanda::ledger::Said;
use servanda::ledger::answers::News;
use servanda::ledger::answers::news::{of_entry, of_time};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const DAY_MS: u64 = 86_400_000;

/// What an entry of a log brought, from the ledger after another.
fn brought(log: &SmallLog, index: usize, after: &SmallLog) -> Vec<News> {
    let e: SignedEntry = log.entry(index);
    let time = log.cut(index + 1).history().times().1;
    let said = Said { index: index.try_into().unwrap(), id: e.id, at: time, by: e.statement.author.clone() };
    let Some(ledger) = after.history().ledger() else { return Vec::new() };
    e.act().map_or(Vec::new(), |act| of_entry(ledger, &said, act))
}

fn line(text: &mut String, news: &News, log: &SmallLog) {
    let mut key = news.key.clone();
    // Ids are long: an entry's is told by its index.
    for index in 0..usize::try_from(log.size()).unwrap() {
        key = key.replace(&log.entry(index).id.to_string(), &format!("@{index}"));
    }
    let all = |handles: &[servanda::field::Handle]| {
        handles.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    let title = news.title.as_ref().map_or("", |title| title.as_str());
    let exercise = if news.exercise { " exercise" } else { "" };
    let by = news.deadline.map_or(String::new(), |by| format!(" by {by}"));
    let how = news.how.map_or(String::new(), |how| format!(" {how}"));
    let (author, to) = (all(&news.by), all(&news.to));
    writeln!(text, "{} {key}{how}{exercise}: {author} -> {to} {title:?}{by}", news.at).unwrap();
}

#[test]
fn what_each_entry_and_each_day_brought() {
    let (log, _) = coalition();
    let mut text = String::new();
    for index in 0..usize::try_from(log.size()).unwrap() {
        for news in brought(&log, index, &log.cut(index + 1)) {
            write!(text, "{index:>2}  ").unwrap();
            line(&mut text, &news, &log);
        }
    }
    let ledger = log.history().ledger().unwrap();
    for news in of_time(ledger, at("2026-12-01T00:00Z"), at("2028-01-01T00:00Z"), 3 * DAY_MS) {
        text.push_str("    ");
        line(&mut text, &news, &log);
    }
    compare("news", &text);
}

#[test]
fn what_an_entry_brought_is_told_alike_however_much_later() {
    let (log, _) = coalition();
    let mut keys = BTreeSet::new();
    for index in 0..usize::try_from(log.size()).unwrap() {
        let then = brought(&log, index, &log.cut(index + 1));
        assert_eq!(brought(&log, index, &log), then, "entry {index}");
        for news in then {
            assert!(keys.insert(news.key.clone()), "{} is told twice", news.key);
            assert!(news.key.starts_with(news.what.name()));
        }
    }
}

#[test]
fn what_time_brings_is_told_once_however_it_is_cut() {
    let (log, _) = coalition();
    let ledger = log.history().ledger().unwrap();
    let (start, end) = (at(NOW), at("2028-01-01T00:00Z"));
    let keys = |all: Vec<News>| all.into_iter().map(|news| news.key).collect::<Vec<_>>();
    let steps = |step: u64| {
        let (mut told, mut from) = (Vec::new(), start);
        while from < end {
            let to = from.plus_ms(step).min(end);
            told.extend(keys(of_time(ledger, from, to, 3 * DAY_MS)));
            from = to;
        }
        told
    };
    let by_day = steps(DAY_MS);
    assert!(
        by_day.iter().any(|key| key.starts_with("due_soon:"))
            && by_day.iter().any(|key| key.starts_with("overdue:"))
    );
    assert_eq!(by_day.iter().collect::<BTreeSet<_>>().len(), by_day.len(), "nothing is told twice");
    assert_eq!(steps(DAY_MS / 7), by_day);
}

#[test]
fn a_deadline_is_met_at_its_last_moment() {
    let mut log = SmallLog::ready();
    let due = json!({"dues": [{"label": "now", "by": "2026-12-20T00:00:00Z"}]});
    let due = log.say("de", pledge("Now", &due));
    log.say("ua", accept(&[due]));
    let ledger = log.history().ledger().unwrap();
    let between = |from: &str, to: &str| {
        let instant = |text: &str| text.parse::<Instant>().unwrap();
        of_time(ledger, instant(from), instant(to), 0).len()
    };
    assert_eq!(between("2026-12-19T00:00:00Z", "2026-12-20T00:00:00Z"), 0);
    assert_eq!(between("2026-12-20T00:00:00Z", "2026-12-20T00:00:00.001Z"), 1);
    assert_eq!(between("2026-12-20T00:00:00.001Z", "2027-12-20T00:00:00Z"), 0);
}
