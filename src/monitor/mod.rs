//! Monitoring: an audit that goes on, over one or several sources of a log, with alerts.
//!
//! A [`Round`] is what one look at the sources comes to. It is pure but for reading the sources; time is an argument:
//!
//! ```text
//! sources    each one's checkpoint, under the policy: answered? signed? cosigned? older than before? stale?
//! forks      each held against the head verified before, and against the others
//! follow     what is new, verified whole, from where it was; findings; news of the ledger
//! promises   those that are expected: kept, broken, late?
//! anchors    those that the rules ask for: did one not come for hours?
//! ```
//!
//! Nothing of it counts until a [`journal::Journal`] has recorded it: evidence first, then all alerts and what is kept in
//! one transaction, then [`Monitor::accept`]. What was not recorded is found again, to the same identity.
//!
//! Entries are read from one source, and judged once. Of the others it is verified that their checkpoints commit to the
//! same history.

pub mod alert;
mod anchors;
mod follow;
mod forks;
mod held;
pub mod journal;
mod kept;
mod promises;
mod snapshot;
mod sources;
mod succession;
mod told;

pub use alert::{Alert, Class, Kind};
pub use anchors::ANCHOR_LATE_MS;
pub use kept::{Episode, Kept, Seen};
pub use promises::ExpectError;
pub use snapshot::{Snapshot, UnreadSnapshot};

use crate::armor::File;
use crate::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use crate::client::ReadError;
use crate::evidence::Evidence;
use crate::field::Instant;
use crate::hash::Hash;
use crate::history::History;
use crate::ledger::answers::news;
use crate::merkle::builder::TileBuilder;
use crate::policy::Policy;
use crate::roster::anchor::ANCHOR_SKEW_MS;
use crate::store::{Read, StoreError};
use sources::Opened;
use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

/// How far a clock may be ahead of this monitor's, in milliseconds (as an entry's time of an anchor's).
pub const CLOCK_AHEAD_MS: u64 = ANCHOR_SKEW_MS;

/// After how long a promise that is not kept is late, in milliseconds: a day.
pub const PROMISE_LATE_MS: u64 = 86_400_000;

/// After how long another checkpoint is put beside for good, in milliseconds.
const CHECKPOINT_EVERY_MS: u64 = 3_600_000;

/// What a monitor goes by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose checkpoints count.
    pub policy: Policy,
    /// The log's id.
    pub log: Hash,
    /// After how many milliseconds a checkpoint is stale; none: never.
    pub stale_after_ms: Option<u64>,
    /// How many milliseconds before its deadline something is due soon.
    pub due_soon_ms: u64,
}

/// What a source gave as its checkpoint; none where it says that there is none.
pub type Given = Result<Option<Vec<u8>>, StoreError>;

/// A source, and the checkpoint that it gave.
pub struct Reading {
    /// The source's name, as its owner calls it.
    pub name: String,
    /// Where the rest is read.
    pub store: Arc<dyn Read>,
    /// Its checkpoint.
    pub note: Arc<Given>,
}

/// What one look at the sources comes to.
#[derive(Debug, Default)]
pub struct Round {
    /// What there is to tell, those that were told before included.
    pub alerts: Vec<Alert>,
    /// Files to be kept before anything is told: names below the monitor's state, and contents.
    pub files: Vec<(String, Vec<u8>)>,
    /// What is to be kept.
    pub kept: Kept,
    /// Whether something could not be checked.
    pub unchecked: bool,
    /// What follows from the entries, where there are new ones.
    pub verified: Option<(History, TileBuilder)>,
    /// Sources whose checkpoint was found to be of this history.
    settled: BTreeMap<String, (u64, Hash)>,
}

/// A monitor of one log.
pub struct Monitor {
    settings: Settings,
    kept: Kept,
    history: History,
    builder: TileBuilder,
    settled: BTreeMap<String, (u64, Hash)>,
}

impl Monitor {
    /// Goes on from what was kept, and from the history that was; without one, everything is verified anew.
    #[must_use]
    pub fn new(settings: Settings, kept: Kept, snapshot: Option<Snapshot>) -> Self {
        let (history, builder) = snapshot.map_or_else(Default::default, Snapshot::into_parts);
        Self { settings, kept, history, builder, settled: BTreeMap::new() }
    }

    /// What is kept.
    #[must_use]
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// What follows from the entries that were verified.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The history for a file, and its size.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.history, &self.builder)
    }

    /// Notes in which file the history is.
    pub fn snapshot_kept(&mut self, digest: Hash) {
        self.kept.snapshot = Some(digest);
    }

    /// Looks at what the sources gave. `known` tells of an alert's identity whether it was recorded; `progress` is told the
    /// entries verified.
    ///
    /// A round that is not accepted, since it could not be recorded, takes what was verified with it: what comes then is as
    /// after a start without a history.
    pub fn round(
        &mut self,
        readings: &[Reading],
        now: Instant,
        known: &dyn Fn(&Hash) -> bool,
        progress: &dyn Fn(u64),
    ) -> Round {
        let mut kept = self.kept.clone();
        // Of a source that has not answered yet, what held goes on.
        let looked_at = |name: &String| readings.iter().any(|reading| reading.name == *name);
        kept.episodes.retain(|_, episode| episode.source.as_ref().is_some_and(|name| !looked_at(name)));
        let out = Round { kept, settled: self.settled.clone(), ..Round::default() };
        let (history, builder) = (mem::take(&mut self.history), mem::take(&mut self.builder));
        let (anew, policy) = (self.anew(), self.policy(&history));
        let (has_verified, gaps) = (false, Vec::new());
        let mut look = Look { monitor: self, history, builder, has_verified, gaps, policy, now, known, out };
        let opened: Vec<Opened<'_>> =
            readings.iter().filter_map(|reading| sources::open(&mut look, reading)).collect();
        let begins_anew = succession::prevails_over_head(&mut look, &opened);
        let before = begins_anew.then(|| {
            look.monitor = &anew;
            (look.out.kept.head, look.out.kept.told) = (None, 0);
            look.out.settled.clear();
            (mem::take(&mut look.history), mem::take(&mut look.builder))
        });
        let agreeing = forks::compare(&mut look, &opened);
        let followed = follow::follow(&mut look, &agreeing, progress);
        if let Some(before) = before.filter(|_| !look.has_verified) {
            // What was verified before is all that there is.
            look.monitor = self;
            (look.out.kept.head, look.out.kept.told) = (self.kept.head.clone(), self.kept.told);
            (look.history, look.builder) = before;
        }
        promises::look(&mut look, followed);
        anchors::look(&mut look, followed);
        look.ledger();
        let Look { history, builder, has_verified, mut out, .. } = look;
        match has_verified {
            true => out.verified = Some((history, builder)),
            false => (self.history, self.builder) = (history, builder),
        }
        out
    }

    /// Takes a round that was recorded.
    pub fn accept(&mut self, round: Round) {
        let snapshot = self.kept.snapshot;
        self.kept = Kept { snapshot: round.kept.snapshot.or(snapshot), ..round.kept };
        self.settled = round.settled;
        if let Some((history, builder)) = round.verified {
            (self.history, self.builder) = (history, builder);
        }
    }

    /// The same, as if nothing had been verified yet.
    fn anew(&self) -> Self {
        let kept = Kept { head: None, told: 0, ..self.kept.clone() };
        let (history, builder) = Default::default();
        Self { settings: self.settings.clone(), kept, history, builder, settled: BTreeMap::new() }
    }

    /// The verifier's policy, with the keys that the log's own entries have brought since.
    fn policy(&self, history: &History) -> Policy {
        let policy = &self.settings.policy;
        let ours: Vec<_> = policy.logs().iter().map(|log| log.vkey.clone()).collect();
        let theirs = history.roster().map_or(&[][..], |roster| &roster.vkeys);
        let new = theirs.iter().map(|(_, vkey)| vkey.clone()).filter(|vkey| !ours.contains(vkey));
        let all: Vec<_> = ours.iter().cloned().chain(new).collect();
        policy.with_logs(all).unwrap_or_else(|_| policy.clone())
    }
}

/// A round being made.
struct Look<'a> {
    monitor: &'a Monitor,
    /// What follows from the entries, and the tree over them: before this round, and then after it.
    history: History,
    builder: TileBuilder,
    has_verified: bool,
    /// Times without anchors among the new entries.
    gaps: Vec<anchors::Gap>,
    policy: Policy,
    now: Instant,
    known: &'a dyn Fn(&Hash) -> bool,
    out: Round,
}

impl Look<'_> {
    fn log(&self) -> &Hash {
        &self.monitor.settings.log
    }

    fn alert(&mut self, kind: Kind, subject: String, sentence: String) -> &mut Alert {
        self.out.alerts.push(Alert::new(kind, subject, sentence, self.now));
        self.out.alerts.last_mut().expect("one was pushed")
    }

    /// Alerts to what may hold for many rounds: as long as it does, under the subject that it began with.
    fn condition(
        &mut self,
        kind: Kind,
        key: String,
        subject: String,
        sentence: String,
        source: Option<&str>,
    ) {
        let source = source.map(str::to_owned);
        let begun = self.monitor.kept.episodes.get(&key).cloned();
        let episode = begun.unwrap_or(Episode { subject, source: source.clone() });
        let subject = episode.subject.clone();
        self.out.kept.episodes.insert(key, episode);
        self.alert(kind, subject, sentence).source = source;
    }

    /// Alerts with evidence, where there is some; it is made once.
    fn accuse(
        &mut self,
        mut alert: Alert,
        evidence: impl FnOnce() -> Result<Option<Evidence>, ReadError>,
    ) -> Result<bool, ReadError> {
        let id = alert.id(self.log());
        let mut proven = true;
        if !(self.known)(&id) {
            let made = evidence()?.and_then(|evidence| File::Evidence.write(&evidence).ok());
            proven = made.is_some();
            if let Some(text) = made {
                let name = format!("evidence/{}-{}.evidence", alert.kind.name(), id.short());
                alert.evidence = Some(name.clone());
                self.out.files.push((name, text.into_bytes()));
            }
        }
        self.out.alerts.push(alert);
        Ok(proven)
    }

    /// A source could not be read, or gives what its checkpoint does not commit to.
    fn trouble(&mut self, name: &str, error: &ReadError) {
        self.out.unchecked = true;
        match error.is_tampering() {
            true => self.tampering(name, &error.to_string()),
            false => self.unreachable(name, &told_whole(error)),
        }
    }

    fn tampering(&mut self, name: &str, what: &str) {
        let sentence = format!("{name} gives what its checkpoint does not commit to: {what}");
        let (key, subject) = (format!("tampering {name}"), format!("{name} {what}"));
        self.condition(Kind::Tampering, key, subject, sentence, Some(name));
    }

    fn unreachable(&mut self, name: &str, why: &str) {
        self.out.unchecked = true;
        let (key, subject) = (format!("unreachable {name}"), format!("{name} since {}", self.now));
        self.condition(Kind::Unreachable, key, subject, format!("{name} cannot be read: {why}"), Some(name));
    }

    /// A checkpoint that was kept, for evidence.
    fn reopen(&self, seen: &Seen) -> Option<VerifiedCheckpoint> {
        SignedCheckpoint::parse(seen.note.as_bytes()).ok()?.open(&self.policy.without_quorum()).ok()
    }

    /// What time brings, and what of the log is beyond this program or this clock.
    fn ledger(&mut self) {
        let history = &self.history;
        let (now, soon_ms) = (self.now, self.monitor.settings.due_soon_ms);
        let brought = history.ledger().map(|ledger| news::of_time(ledger, Instant::default(), now, soon_ms));
        let unknown = history.unknown().map(ToString::to_string);
        let incomplete = history.incomplete().map(|(index, kind)| {
            format!("act {kind} not understood: the ledger is incomplete from entry {index} on")
        });
        let (size, time) = (history.head().size, history.times().0);
        for news in brought.unwrap_or_default() {
            self.news(news);
        }
        if let Some(sentence) = unknown.or(incomplete) {
            self.out.unchecked = true;
            self.condition(Kind::NotUnderstood, "not understood".into(), sentence.clone(), sentence, None);
        }
        let ahead = time.ms().saturating_sub(now.ms());
        if ahead > CLOCK_AHEAD_MS {
            let sentence = format!("the last entry is dated {time}, but it is {now} here");
            let subject = format!("entry {}", size.saturating_sub(1));
            self.condition(Kind::ClockAhead, "clock of the log".into(), subject, sentence, None);
        }
    }

    /// Alerts to news, unless they were told.
    fn news(&mut self, news: crate::ledger::answers::News) {
        let alert = told::news(news, self.now);
        if !(self.known)(&alert.id(self.log())) {
            self.out.alerts.push(alert);
        }
    }
}

/// An error with its causes.
fn told_whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
