//! Monitors and mirrors: real logs made dishonest, and what is told, with which evidence; crashes between all steps.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod alerts;
#[cfg(feature = "net")]
mod binary;
mod copies;
mod crashes;
mod news;

use crate::support::forge::{Objects, forge};
use crate::support::small_log::{SmallLog, at, busy, other_end};
use serde_json::Value;
use servanda::armor::File;
use servanda::evidence::{Evidence, Guilt, check};
use servanda::field::Instant;
use servanda::hash::Hash;
use servanda::monitor::journal::{Journal, Sink};
use servanda::monitor::{Class, Monitor, Reading, Round, Settings};
use servanda::store::StoreError;
use servanda::store::memory::Memory;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// When monitors look, unless a test says another time.
const NOW: &str = "2026-12-02T00:00Z";

/// A log's public objects, as its operator signs them.
fn published(log: &SmallLog) -> Objects {
    forge(log.leaves())
}

/// A source and what it gives; none: it does not answer.
type Source<'a> = (&'a str, Option<&'a Objects>);

/// A monitor with its state in a folder.
struct Watcher {
    folder: TempDir,
    settings: Settings,
    journal: Option<Journal>,
    monitor: Monitor,
    now: Instant,
}

impl Watcher {
    fn new(log: &SmallLog) -> Self {
        Self::with(log, false)
    }

    fn with(log: &SmallLog, witnessed: bool) -> Self {
        let settings = Settings {
            policy: log.policy(witnessed),
            log: log.log_id(),
            stale_after_ms: Some(7_200_000),
            due_soon_ms: 86_400_000,
        };
        let folder = tempfile::tempdir().unwrap();
        let monitor = Monitor::new(settings.clone(), Default::default(), None);
        let mut watcher = Self { folder, settings, journal: None, monitor, now: at(NOW) };
        watcher.restart();
        watcher
    }

    /// The process is killed, and another one started.
    fn restart(&mut self) {
        self.journal = None;
        let journal = Journal::open(self.folder.path(), &self.settings.log).unwrap();
        let kept = journal.kept().unwrap();
        let snapshot = journal.snapshot(&kept);
        self.monitor = Monitor::new(self.settings.clone(), kept, snapshot);
        self.journal = Some(journal);
    }

    fn journal(&self) -> &Journal {
        self.journal.as_ref().unwrap()
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
    }

    /// A look at sources that is not recorded yet.
    fn round(&mut self, sources: &[Source<'_>]) -> Round {
        self.round_of(&sources.iter().map(reading).collect::<Vec<_>>())
    }

    fn round_of(&mut self, readings: &[Reading]) -> Round {
        let journal = self.journal.as_ref().unwrap();
        let known = |id: &Hash| journal.knows(id).unwrap();
        self.monitor.round(readings, self.now, &known, &|_| {})
    }

    /// A look at sources, recorded; gives the new alerts.
    fn look(&mut self, sources: &[Source<'_>]) -> Vec<Value> {
        self.look_at(&sources.iter().map(reading).collect::<Vec<_>>())
    }

    fn look_at(&mut self, readings: &[Reading]) -> Vec<Value> {
        let round = self.round_of(readings);
        self.journal().keep(&round.files).unwrap();
        self.record(round)
    }

    fn record(&mut self, mut round: Round) -> Vec<Value> {
        let sinks = [Sink { name: "test".into(), classes: Class::ALL.to_vec() }];
        if round.verified.is_some() {
            round.kept.snapshot = round.verified.as_ref().map(|(history, builder)| {
                self.journal().keep_snapshot(&servanda::monitor::Snapshot::of(history, builder)).unwrap()
            });
        }
        self.journal().record(&self.settings.log, &round, &sinks).unwrap();
        self.monitor.accept(round);
        self.deliver()
    }

    /// What waits, taken as delivered.
    fn deliver(&self) -> Vec<Value> {
        let waiting = self.journal().waiting("test", 0, 1000).unwrap();
        let numbers: Vec<u64> = waiting.iter().map(|recorded| recorded.number).collect();
        self.journal().delivered("test", &numbers).unwrap();
        waiting.into_iter().map(|recorded| recorded.json).collect()
    }

    /// What the evidence of an alert shows to whoever pins the log's id.
    fn guilt(&self, alert: &Value) -> Guilt {
        let name = alert["evidence"].as_str().unwrap_or_else(|| panic!("no evidence: {alert}"));
        convicts(&self.folder.path().join(name), &self.settings.log)
    }

    fn size(&self) -> u64 {
        self.monitor.kept().head.as_ref().map_or(0, |head| head.size)
    }
}

fn convicts(path: &Path, log: &Hash) -> Guilt {
    let evidence: Evidence = File::Evidence.read(&std::fs::read(path).unwrap()).unwrap();
    check(&evidence, Some(log)).unwrap()
}

fn reading((name, objects): &Source<'_>) -> Reading {
    let store = Memory::holding(objects.cloned().unwrap_or_default());
    let note = match objects {
        Some(objects) => Ok(objects.get("public/checkpoint").cloned()),
        None => Err(StoreError::NoLog { path: "gone".into() }),
    };
    Reading { name: (*name).to_owned(), store: Arc::new(store), note: Arc::new(note) }
}

/// Class and kind of alerts.
fn kinds(alerts: &[Value]) -> Vec<String> {
    let word = |alert: &Value, field: &str| alert[field].as_str().unwrap().to_owned();
    alerts.iter().map(|alert| format!("{} {}", word(alert, "class"), word(alert, "kind"))).collect()
}
