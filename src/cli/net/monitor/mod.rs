//! `servanda monitor`: follows the sources of a log, verifies all that is new, and raises alerts.
//!
//! ```text
//! a thread each source   reads its checkpoint, woken by events or by time  --> the round, here
//! the round              look, keep files, record, accept                  --> a bell for each sink
//! a thread each sink     delivers what waits in the state
//! ```
//!
//! Nothing is lost where this process is killed, so it listens for no signal. Exit codes of `--once`: 0 nothing to tell but
//! information; 1 misbehaviour, or against the policy; 2 something could not be checked, or not be delivered.

mod sinks;
mod watched;
mod webhook;

use super::config;
use crate::cli::held::TrustArgs;
use crate::cli::problem::{Hint as _, Problem};
use crate::cli::{Context, Outcome, files};
use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};
use servanda::armor::File;
use servanda::hash::Hash;
use servanda::monitor::journal::{Journal, JournalError};
use servanda::monitor::{Alert, Class, Monitor, Reading, Round, Settings, Snapshot};
use servanda::policy::Policy;
use servanda::text::count;
use sinks::Sinks;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use watched::Watched;

/// How often sources are asked where nothing wakes this up, in seconds.
const INTERVAL_S: u64 = 10;

/// After how long a checkpoint is stale where the policy names witnesses, in seconds: the operator appends an anchor hourly.
const STALE_AFTER_S: u64 = 2 * 3600;

/// How many days before its deadline something is due soon.
const DUE_SOON_DAYS: u64 = 7;

/// After how many entries the history is kept again: so few are soon verified.
const SNAPSHOT_EVERY: u64 = 1024;

/// And not before an eighth of what was kept has been added: to write it takes as long as the log is, and alerts wait.
const SNAPSHOT_PART: u64 = 8;

const DAY_MS: u64 = 86_400_000;

const EXAMPLE: &str = "\
Name every source that you can: the log, its mirrors, a copy that a partner was given. Two histories are found by comparing.
A sink may be given the classes that it takes: --webhook misbehaviour,policy=https://…

EXAMPLE
    servanda monitor https://guarantees.example/paris-2026 /mnt/copy --trust trust.toml --state monitor
    servanda monitor paris --trust trust.toml --state monitor --once || mail -s alarm duty@example";

/// Monitor a log: verify all that is new, compare its sources, and tell at once what needs attention
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct MonitorArgs {
    /// Complete these options from a file, its section [monitor]
    #[arg(long, env = "SERVANDA_CONFIG", value_name = "FILE", hide_env_values = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// What a configuration file can say as well.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Options {
    /// The log's sources: URLs, homes, copies
    #[arg(value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// What you trust about the log: its trust file, which must pin the log's id
    #[arg(long, env = "SERVANDA_TRUST", value_name = "FILE", hide_env_values = true)]
    trust: Option<PathBuf>,
    /// Accept checkpoints by this policy instead of the trust file's (c2sp.org/tlog-policy)
    #[arg(long, env = "SERVANDA_POLICY", value_name = "FILE", hide_env_values = true)]
    policy: Option<PathBuf>,
    /// Where this monitor keeps what it has verified and told
    #[arg(long, env = "SERVANDA_STATE", value_name = "DIR", hide_env_values = true)]
    state: Option<PathBuf>,
    /// Look once, deliver, and end: for cron
    #[arg(long)]
    once: bool,
    /// Ask the sources every so many seconds, should nothing wake this up before [default: 10]
    #[arg(long, env = "SERVANDA_INTERVAL", value_name = "SECONDS", hide_env_values = true)]
    interval: Option<u64>,
    /// A checkpoint is stale after so many seconds, 0 for never [default: 7200 with witnesses, else 0]
    #[arg(long, env = "SERVANDA_STALE_AFTER", value_name = "SECONDS", hide_env_values = true)]
    stale_after: Option<u64>,
    /// Something is due soon so many days before its deadline [default: 7]
    #[arg(long, env = "SERVANDA_DUE_SOON", value_name = "DAYS", hide_env_values = true)]
    due_soon: Option<u64>,
    /// A promise of the operator's that must be kept
    #[arg(long, value_name = "PROMISE")]
    expect: Vec<PathBuf>,
    /// Post alerts to this URL, signed (Standard Webhooks)
    #[arg(long, value_name = "[CLASSES=]URL")]
    webhook: Vec<String>,
    /// The file with the webhooks' secret: whsec_ and base64
    #[arg(long, env = "SERVANDA_WEBHOOK_SECRET_FILE", value_name = "FILE", hide_env_values = true)]
    webhook_secret: Option<PathBuf>,
    /// Run this command for each alert, which it reads on its standard input
    #[arg(long, value_name = "[CLASSES=]CMD")]
    exec: Vec<String>,
    /// Write metrics to this file, for Prometheus's textfile collector
    #[arg(long, env = "SERVANDA_METRICS", value_name = "FILE", hide_env_values = true)]
    metrics: Option<PathBuf>,
}

/// Runs the verb.
pub fn run(context: &Context, args: MonitorArgs) -> Result<Outcome> {
    let options = config::completed(args.options, args.config.as_deref(), "monitor")?;
    let trust = TrustArgs { trust: options.trust.clone(), policy: options.policy.clone() };
    let held = trust.read(&context.screen)?.ok_or_else(|| {
        Problem::new("no trust file is named, and a monitor must know which log it is for")
            .hint("give the trust file that the operator hands out: --trust FILE")
    })?;
    let log = held.trust.log.ok_or_else(|| {
        Problem::new(format!("{} pins no log id, so any log would do", held.path.display()))
            .hint("get a trust file with a log id from a source you trust")
    })?;
    let policy = held.trust.policy.clone();
    let watched = watched::open(&options.sources)?;
    let state = options.state.as_deref().ok_or_else(|| {
        Problem::new("no folder is named for the monitor's state").hint("name one: --state DIR")
    })?;
    let state = state.join(log.to_string());
    let journal = Arc::new(Journal::open(&state, &log).map_err(|error| state_problem(&state, error))?);
    let settings = settings(&options, policy, log);
    let kept = journal.kept().map_err(|error| state_problem(&state, error))?;
    let snapshot = journal.snapshot(&kept);
    let mut monitor = Monitor::new(settings, kept, snapshot);
    for path in &options.expect {
        expect(&mut monitor, path)?;
    }
    journal.record_kept(&log, monitor.kept()).map_err(|error| state_problem(&state, error))?;
    let sinks = Sinks::new(context, &options, &state)?;
    let quorum = if held.trust.policy.quorum_is_none() { "; quorum none" } else { "" };
    let metrics = options.metrics;
    let shown = count(watched.len(), "source", "sources");
    context.screen.note(format!(
        "monitoring {}, {shown}, state in {}{quorum}",
        held.trust.origin,
        state.display()
    ));
    let mut watch = Watch { context, journal, monitor, log, state, snapshot: None, metrics, counts: None };
    if options.once {
        return watch.once(&watched, sinks);
    }
    let interval = Duration::from_secs(options.interval.unwrap_or(INTERVAL_S).max(1));
    watch.on(watched, sinks, interval)
}

fn settings(options: &Options, policy: Policy, log: Hash) -> Settings {
    let usual = if policy.quorum_is_none() { 0 } else { STALE_AFTER_S };
    let stale_after_ms = options.stale_after.unwrap_or(usual).saturating_mul(1000);
    Settings {
        policy,
        log,
        stale_after_ms: (stale_after_ms > 0).then_some(stale_after_ms),
        due_soon_ms: options.due_soon.unwrap_or(DUE_SOON_DAYS).saturating_mul(DAY_MS),
    }
}

fn expect(monitor: &mut Monitor, path: &Path) -> Result<()> {
    let text = files::read_whole(path, File::Promise.text_limit())?;
    monitor.expect(&text).map_err(|error| {
        Problem::new(format!("{} cannot be expected: {error}", path.display()))
            .hint("give the promise that submitting wrote")
            .into()
    })
}

fn state_problem(state: &Path, error: JournalError) -> anyhow::Error {
    let hint = match &error {
        JournalError::Held => "let one monitor at a time use a state, or name another with --state",
        JournalError::OtherLog { .. } => "name another folder with --state",
        _ => {
            "has the disk room, and is it all right? without this state, everything is verified and told anew"
        }
    };
    Problem::new(format!("{}: {error}", state.display())).hint(hint).into()
}

/// A monitor at work.
struct Watch<'a> {
    context: &'a Context,
    journal: Arc<Journal>,
    monitor: Monitor,
    log: Hash,
    state: PathBuf,
    /// The size of the history that is kept.
    snapshot: Option<u64>,
    metrics: Option<PathBuf>,
    /// How many alerts were recorded, by class and kind; none: to be counted again.
    counts: Option<BTreeMap<(String, String), u64>>,
}

/// What a round came to.
struct Looked {
    /// Whether there is misbehaviour, or something against the policy, new or not.
    bad: bool,
    /// Whether something could not be checked.
    unchecked: bool,
}

impl Watch<'_> {
    /// One round, and what is to be delivered.
    fn once(&mut self, watched: &[Watched], mut sinks: Sinks) -> Result<Outcome> {
        let readings = watched::read_all(watched);
        let looked = self.round(&readings, &sinks)?;
        let delivered = sinks.deliver_once(&self.journal);
        Ok(match looked {
            Looked { bad: true, .. } => Outcome::Bad,
            Looked { unchecked: false, .. } if delivered => Outcome::Good,
            _ => Outcome::Unchecked,
        })
    }

    /// Rounds for ever.
    fn on(&mut self, watched: Vec<Watched>, sinks: Sinks, interval: Duration) -> Result<Outcome> {
        let bells = sinks.start(&self.journal);
        let (watching, woken) = watched::start(watched, interval);
        watching.wait_for_all(&woken);
        loop {
            let readings = watching.readings();
            if !readings.is_empty() {
                self.round(&readings, &bells)?;
                bells.ring();
            }
            // Whatever comes until then is looked at in the next round.
            let _ = woken.recv_timeout(interval);
            while woken.try_recv().is_ok() {}
        }
    }

    /// Looks, keeps, records.
    fn round(&mut self, readings: &[Reading], sinks: &impl sinks::Named) -> Result<Looked> {
        let now = self.context.clock.now();
        let size = self.monitor.kept().head.as_ref().map_or(0, |head| head.size);
        let first = self.monitor.kept().head.is_none();
        let bar = self.context.screen.progress(0, "verifying");
        // An identity that cannot be looked up is taken for new; the transaction will tell.
        let known = |id: &Hash| self.journal.knows(id).unwrap_or(false);
        let mut round = self.monitor.round(readings, now, &known, &|done| bar.set_position(done));
        bar.finish_and_clear();
        let is_bad = |alert: &Alert| matches!(alert.kind.class(), Class::Misbehaviour | Class::Policy);
        let looked = Looked { bad: round.alerts.iter().any(is_bad), unchecked: round.unchecked };
        let changed =
            round.kept != *self.monitor.kept() || round.alerts.iter().any(|a| !known(&a.id(&self.log)));
        if changed {
            self.record(&mut round, sinks).map_err(|error| state_problem(&self.state, error))?;
        }
        self.monitor.accept(round);
        let head = self.monitor.kept().head.as_ref().map_or(0, |head| head.size);
        if first && head > size {
            self.context.screen.note(format!("verified {}", count(head, "entry", "entries")));
        }
        if let Some(path) = self.metrics.clone() {
            self.write_metrics(&path, readings.len(), looked.unchecked)?;
        }
        Ok(looked)
    }

    /// The order that loses nothing: files, the history now and then, one transaction.
    fn record(&mut self, round: &mut Round, sinks: &impl sinks::Named) -> Result<(), JournalError> {
        self.journal.keep(&round.files)?;
        if let Some((history, builder)) = &round.verified {
            let size = builder.size();
            if self.snapshot.is_none_or(|kept| size >= kept + SNAPSHOT_EVERY.max(kept / SNAPSHOT_PART)) {
                let snapshot = Snapshot::of(history, builder);
                round.kept.snapshot = Some(self.journal.keep_snapshot(&snapshot)?);
                self.snapshot = Some(size);
            }
        }
        self.journal.record(&self.log, round, sinks.all())?;
        self.counts = None;
        self.journal.tidy(&round.kept);
        Ok(())
    }

    /// Writes what is counted, in Prometheus's text format, whole.
    fn write_metrics(&mut self, path: &Path, sources: usize, unchecked: bool) -> Result<()> {
        let mut text = String::from("# TYPE servanda_monitor_alerts_total counter\n");
        let counts = match self.counts.take() {
            Some(counts) => counts,
            None => self.journal.counts().map_err(|error| state_problem(&self.state, error))?,
        };
        for ((class, kind), number) in self.counts.insert(counts) {
            text += &format!("servanda_monitor_alerts_total{{class=\"{class}\",kind=\"{kind}\"}} {number}\n");
        }
        let kept = self.monitor.kept();
        for (name, value) in [
            ("entries", kept.head.as_ref().map_or(0, |head| head.size)),
            ("sources", u64::try_from(sources).expect("few")),
            ("conditions", u64::try_from(kept.episodes.len()).expect("few")),
            ("promises_expected", u64::try_from(kept.promises.len()).expect("few")),
            ("unchecked", u64::from(unchecked)),
            ("looked_at_seconds", self.context.clock.now().ms() / 1000),
        ] {
            text += &format!("# TYPE servanda_monitor_{name} gauge\nservanda_monitor_{name} {value}\n");
        }
        files::replace(path, text.as_bytes()).or_hint(
            || format!("{} cannot be written", path.display()),
            || "check the folder's permissions, or name another file with --metrics".to_owned(),
        )
    }
}
