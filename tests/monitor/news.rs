//! What the ledger says becomes alerts: called upon, due soon, overdue, withdrawn, contested; once, and never of old.

use super::{Watcher, kinds, published};
use crate::support::coalition::Coalition;
use crate::support::small_log::{SmallLog, at};

/// A watcher that looked at a beginning of a log, and what it tells when it looks at all of it.
fn told(log: &SmallLog, before: usize, now: &str) -> Vec<serde_json::Value> {
    let mut watcher = Watcher::new(log);
    watcher.settings.stale_after_ms = None;
    watcher.restart();
    watcher.now = at("2026-12-01T09:30Z");
    watcher.look(&[("paris", Some(&published(&log.cut(before))))]);
    watcher.now = at(now);
    let alerts = watcher.look(&[("paris", Some(&published(log)))]);
    watcher.restart();
    assert!(watcher.look(&[("paris", Some(&published(log)))]).is_empty(), "told once");
    alerts
}

#[test]
fn what_entries_bring_is_told_when_they_come_and_what_lies_before_is_not() {
    let log = Coalition::new().log;
    let size = usize::try_from(log.size()).unwrap();
    let all = told(&log, 6, "2027-05-01T00:00Z");
    for kind in ["pledged", "in_force", "incident_established", "called_upon"] {
        assert!(kinds(&all).contains(&format!("information {kind}")), "{kind}: {:?}", kinds(&all));
    }
    let called = all.iter().find(|alert| alert["kind"] == "called_upon").unwrap();
    let text = called["text"].as_str().unwrap();
    assert!(text.contains("called upon") && called["news"]["key"] == called["subject"], "{called}");
    let none = told(&log, size, "2027-05-01T00:00Z");
    assert!(none.iter().all(|a| ["due_soon", "overdue"].contains(&a["kind"].as_str().unwrap())), "{none:?}");
}

#[test]
fn what_time_brings_is_told_when_it_comes() {
    let log = Coalition::new().log;
    let objects = published(&log);
    let mut watcher = Watcher::new(&log);
    watcher.settings.stale_after_ms = None;
    watcher.restart();
    watcher.now = log.history().times().1;
    watcher.look(&[("paris", Some(&objects))]);
    let mut all = Vec::new();
    for _ in 0..250 {
        watcher.wait(86_400_000);
        all.extend(watcher.look(&[("paris", Some(&objects))]));
    }
    for kind in ["due_soon", "overdue"] {
        assert!(kinds(&all).contains(&format!("information {kind}")), "{kind}: {:?}", kinds(&all));
    }
    let mut ids: Vec<&str> = all.iter().map(|alert| alert["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let before = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), before, "each is told once");
    let overdue = all.iter().find(|alert| alert["kind"] == "overdue").unwrap();
    assert!(overdue["text"].as_str().unwrap().starts_with("no delivery by "), "{overdue}");
}
