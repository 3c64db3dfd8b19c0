//! The monitor ends at every step, and another one goes on: no alert is lost, none is recorded twice.

use super::{Watcher, busy, kinds, other_end, published};
use servanda::monitor::journal::Sink;
use servanda::monitor::{Class, Reading, Snapshot};
use servanda::store::memory::Memory;
use servanda::store::{Read, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

/// Looks, and ends after so many steps.
fn ends_after(watcher: &mut Watcher, steps: usize, sources: &[super::Source<'_>]) {
    let mut round = watcher.round(sources);
    let journal = watcher.journal();
    let sinks = [Sink { name: "test".into(), classes: Class::ALL.to_vec() }];
    for (file, step) in (1..).zip(round.files.clone()).take(steps) {
        journal.keep(&[step]).unwrap();
        if file == steps {
            return;
        }
    }
    let steps = steps.saturating_sub(round.files.len());
    if steps >= 1
        && let Some((history, builder)) = &round.verified
    {
        round.kept.snapshot = Some(journal.keep_snapshot(&Snapshot::of(history, builder)).unwrap());
    }
    if steps >= 2 {
        journal.record(&watcher.settings.log, &round, &sinks).unwrap();
    }
    if steps >= 3 {
        let waiting = journal.waiting("test", 0, 1).unwrap();
        journal.delivered("test", &waiting.iter().map(|w| w.number).collect::<Vec<_>>()).unwrap();
    }
}

#[test]
fn whichever_step_is_the_last_every_alert_is_told_and_recorded_once() {
    let (here, there) = (published(&busy(300)), published(&other_end(290)));
    let sources = [("paris", Some(&here)), ("rome", Some(&there)), ("oslo", None)];
    let want = {
        let mut whole = Watcher::new(&busy(9));
        kinds(&whole.look(&sources))
    };
    assert_eq!(want, ["availability unreachable", "misbehaviour fork"]);
    for steps in 0..8 {
        let mut watcher = Watcher::new(&busy(9));
        ends_after(&mut watcher, steps, &sources);
        let first = watcher.journal().waiting("test", 0, 10).unwrap();
        watcher.restart();
        // The clock went on; the outage began when it was recorded first, or is recorded now.
        watcher.wait(60_000);
        watcher.look(&sources);
        let counts = watcher.journal().counts().unwrap();
        assert!(counts.values().all(|n| *n == 1), "{steps}: {counts:?}");
        assert_eq!(counts.len(), 2, "{steps}: {counts:?}");
        assert_eq!(watcher.size(), 300);
        let ids: BTreeSet<_> = first.iter().map(|a| a.text("id").to_owned()).collect();
        assert_eq!(ids.len(), first.len());
        // What was recorded and not delivered was delivered by the one that went on.
        assert!(watcher.deliver().is_empty(), "{steps}");
    }
}

#[test]
fn without_its_history_a_monitor_verifies_anew_and_tells_nothing_twice() {
    let log = published(&busy(300));
    let mut watcher = Watcher::new(&busy(9));
    watcher.look(&[("paris", Some(&log)), ("oslo", None)]);
    for entry in std::fs::read_dir(watcher.folder.path()).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("history-") {
            std::fs::write(entry.path(), b"damaged").unwrap();
        }
    }
    watcher.restart();
    assert_eq!(watcher.monitor.history().head().size, 0);
    let more = published(&busy(310));
    assert!(watcher.look(&[("paris", Some(&more)), ("oslo", None)]).is_empty());
    assert_eq!((watcher.size(), watcher.monitor.history().head().size), (310, 310));
}

#[test]
fn a_round_that_could_not_be_recorded_is_made_again_and_nothing_is_missing() {
    let mut watcher = Watcher::new(&busy(9));
    watcher.look(&[("paris", Some(&published(&busy(300))))]);
    drop(watcher.round(&[("paris", Some(&published(&busy(310))))]));
    assert!(watcher.look(&[("paris", Some(&published(&busy(320))))]).is_empty());
    assert_eq!((watcher.size(), watcher.monitor.history().head().size), (320, 320));
}

/// A source that gives so many objects, and from then on other bytes or none.
struct Turns {
    objects: Memory,
    left: AtomicUsize,
    lies: bool,
}

impl Read for Turns {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let is_good = self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        let read = self.objects.get(name, limit)?;
        match (is_good, self.lies) {
            (true, _) => Ok(read),
            (false, true) => Ok(read.map(|bytes| bytes.iter().map(|byte| byte ^ 1).collect())),
            (false, false) => Err(StoreError::NoLog { path: "gone".into() }),
        }
    }
}

#[test]
fn wherever_in_a_round_a_source_turns_bad_nothing_of_it_counts_and_the_next_one_is_as_if_it_had_not_been() {
    let logs: Vec<_> = [250, 257, 270].into_iter().map(|size| published(&busy(size))).collect();
    let derived = |watcher: &Watcher| {
        let history = watcher.monitor.history();
        (watcher.size(), history.head(), servanda::codec::encode(history.ledger().unwrap()))
    };
    let mut want = Watcher::new(&busy(9));
    want.look(&[("paris", Some(&logs[2]))]);
    for lies in [false, true] {
        for gives in 0.. {
            let mut watcher = Watcher::new(&busy(9));
            watcher.look(&[("paris", Some(&logs[0]))]);
            let (objects, left) = (Memory::holding(logs[1].clone()), AtomicUsize::new(gives));
            let store = Arc::new(Turns { objects, left, lies });
            let note = Arc::new(Ok(logs[1].get("public/checkpoint").cloned()));
            let told =
                kinds(&watcher.look_at(&[Reading { name: "paris".into(), store: store.clone(), note }]));
            let is_whole = watcher.size() == 257;
            let turned = store.left.load(SeqCst) == 0;
            let bad = if lies { "misbehaviour tampering" } else { "availability unreachable" };
            // What is compared and not needed may differ, and is told; the rest is committed to.
            assert!(told.iter().all(|kind| kind == bad), "{gives}: {told:?}");
            assert!(is_whole || told == [bad], "{gives}: {told:?}");
            watcher.look(&[("paris", Some(&logs[2]))]);
            assert_eq!(derived(&watcher), derived(&want), "{gives}, lies: {lies}");
            if !turned {
                assert!(gives > 5, "it was asked for more than that");
                break;
            }
        }
    }
}

#[test]
fn few_entries_at_a_time_or_all_at_once_give_the_same_history() {
    let (mut often, mut once) = (Watcher::new(&busy(9)), Watcher::new(&busy(9)));
    for size in [200, 201, 255, 256, 257, 700, 2500] {
        often.look(&[("paris", Some(&published(&busy(size))))]);
    }
    once.look(&[("paris", Some(&published(&busy(2500))))]);
    let derived = |watcher: &Watcher| {
        let history = watcher.monitor.history();
        (history.head(), history.times(), servanda::codec::encode(history.ledger().unwrap()))
    };
    assert_eq!(derived(&often), derived(&once));
}

#[test]
fn two_monitors_do_not_share_a_state() {
    let watcher = Watcher::new(&busy(9));
    let again = servanda::monitor::journal::Journal::open(watcher.folder.path(), &watcher.settings.log);
    assert!(matches!(again, Err(servanda::monitor::journal::JournalError::Held)));
}
