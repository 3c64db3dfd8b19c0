//! Past and future: what was not said by then is not told, and what is asked ahead lets time pass.

use super::*;
use crate::support::small_log::short;
use servanda::ledger::answers::{Filter, Status};
use servanda::ledger::{Ledger, Moment};
use servanda::statement::Kind;

#[test]
fn the_past_is_told_as_it_stood_then() {
    let (log, _) = coalition();
    let desk = Desk::of(&log);
    // Each entry is a minute after the one before: entry n was the last one at 09:00 plus n minutes.
    for size in [7, 12, 14, 20, 24] {
        let then = log.cut(size);
        let now = log.entry(size - 1).entry.sequenced_at;
        let want = Status::of(then.history().ledger().unwrap(), Moment::at(now), &Filter::default());
        let answer = desk.json(&["status", "--at", &now.to_string()]);
        assert_eq!(answer["entry"], json!(size - 1));
        assert_eq!(answer["status"], serde_json::to_value(&want).unwrap());
    }
}

#[test]
fn the_future_lets_time_pass_and_says_so() {
    let (log, _) = coalition();
    let desk = Desk::of(&log);
    let later = desk.good(&["status", "--at", "2028-01-01", "--partner", "de"]);
    assert!(later.contains("2028-01-01T00:00:00Z, if nothing more is said"), "{later}");
    assert!(later.contains("overdue: no response on record by its deadline"), "{later}");
    assert!(!later.contains("broken"), "{later}");
}

#[test]
fn an_act_of_a_later_level_makes_answers_incomplete_and_is_told() {
    let mut log = SmallLog::founded_with(|found| found.charter.level = 9);
    for name in ["de", "ua"] {
        log.say(name, crate::support::small_log::accede(name));
    }
    let mut later = log.draft("de", pledge("Something", &json!({})));
    later.kind = 60;
    later.body = vec![1, 2, 3].into();
    assert!(Kind::from_number(60).is_none());
    log.post(&later);
    assert!(log.history().incomplete().is_some());
    let ended = Desk::of(&log).run(&["brief", "de"]);
    assert_eq!(ended.code, 2, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("Incomplete: act 60 in entry 3 is not understood"), "{}", ended.out);
}

#[test]
fn a_log_with_a_void_act_is_answered_without_it_and_not_called_verified() {
    let mut log = SmallLog::ready();
    let id = log.say("de", pledge("Tanks", &json!({})));
    log.say("ua", accept(&[id]));
    log.say("ua", accept(&[id]));
    assert!(!log.findings().is_empty());
    let desk = Desk::of(&log);
    for args in [&["status"][..], &["brief", "de"], &["status", "--at", "2026-12-01T09:08:30Z"]] {
        let ended = desk.run(args);
        assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
        assert!(ended.out.contains("1 finding against this log") && ended.out.contains("in force"));
        assert!(!ended.out.contains("verified"), "{}", ended.out);
    }
}

#[test]
fn what_if_changes_nothing() {
    let (log, _) = coalition();
    let ledger: &Ledger = log.history().ledger().unwrap();
    let before = ledger.digest();
    let trial = ledger.what_if(&short("armed attack"), &handle("ua"), Moment::at(at(NOW)));
    assert!(!trial.would.is_empty() && !trial.would_not.is_empty());
    assert_eq!(ledger.digest(), before);
}
