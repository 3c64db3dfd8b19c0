//! `servanda verify`: the full audit of a log, and its comparison with checkpoints and copies that the verifier holds.
//!
//! Findings are printed as they are made, so that memory does not grow with the log, nor with what is wrong with it.

use super::open::{self, Held, Place, TrustArgs};
use super::problem::Problem;
use super::screen::Screen;
use super::{Context, Outcome};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};
use servanda::charter::file::founding::MAX_CHARTER_FILE;
use servanda::checkpoint::{CheckpointError, SignedCheckpoint, VerifiedCheckpoint};
use servanda::client::{self, Client};
use servanda::entry::SignedEntry;
use servanda::field::{Class, Handle};
use servanda::hash::{Hash, sha256};
use servanda::history::History;
use servanda::merkle::tile::{Level, TILE_WIDTH, TilePath};
use servanda::policy::Policy;
use servanda::statement::Act;
use servanda::store::{Read, StoreError};
use servanda::submit::CHARTER;
use servanda::tlog_proof::TlogProof;
use servanda::verify::{Audit, Found, ObjectFinding, Options, Report, Trouble};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Verify a log: derive everything again from the stored bytes, and list all that does not hold
#[derive(Args)]
pub struct Verify {
    /// The log: its home, or a copy of its public part
    #[arg(env = "SERVANDA_LOG", value_name = "LOG", hide_env_values = true)]
    log: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// A checkpoint that you kept, or a proof file or a log that holds it: finds rollback and rewriting
    #[arg(long, value_name = "CHECKPOINT")]
    since: Option<PathBuf>,
    /// Check the signatures that vouch for others, and all of class 0
    #[arg(long)]
    quick: bool,
}

/// What is verified.
struct Subject {
    place: Place,
    held: Option<Held>,
    policy: Option<Policy>,
    /// Unverified; none where there is no checkpoint.
    signed: Option<SignedCheckpoint>,
    /// None where it is not accepted.
    checkpoint: Option<VerifiedCheckpoint>,
}

/// Runs the verb.
pub fn run(context: &Context, args: &Verify) -> anyhow::Result<Outcome> {
    let screen = &context.screen;
    let held = args.trust.read(screen)?;
    let place = Place::named(args.log.as_ref(), held.as_ref())?;
    let mut tally = Tally::new(screen);
    let subject = Subject::read(place, held, &mut tally)?;
    // Before anything is verified, so that a slip in what was typed is told at once.
    let since = args.since.as_ref().map(|path| kept(path, subject.policy.as_ref())).transpose()?;
    subject.introduce(screen);
    let Some(size) = subject.size()? else {
        return Ok(finish(screen, &subject, None, args.quick, tally));
    };
    let report = audit(&subject, size, args.quick, &mut tally)?;
    subject.compare(&report, &mut tally)?;
    if let (Some(since), Some(checkpoint)) = (&since, &subject.checkpoint) {
        compare_since(&subject.place, checkpoint, since, &mut tally)?;
    }
    Ok(finish(screen, &subject, Some(&report), args.quick, tally))
}

impl Subject {
    /// Reads the checkpoint; that it is missing or not accepted is a finding.
    fn read(place: Place, held: Option<Held>, tally: &mut Tally<'_>) -> anyhow::Result<Self> {
        let mut subject = Self { place, held, policy: None, signed: None, checkpoint: None };
        let finding = |trouble| ObjectFinding { name: "checkpoint".to_owned(), trouble };
        let Some(bytes) = subject.place.checkpoint()? else {
            tally.object(finding(Trouble::Missing));
            return Ok(subject);
        };
        match SignedCheckpoint::parse(&bytes) {
            Err(error) => tally.object(finding(Trouble::Checkpoint(error.to_string()))),
            Ok(signed) => {
                let founding = || Ok(subject.place.founding(signed.claim().size)?.1.vkey);
                match open::policy(subject.held.as_ref(), founding) {
                    Err(error) => tally.object(finding(Trouble::Checkpoint(error.to_string()))),
                    Ok(policy) => {
                        match signed.open(&policy) {
                            Ok(checkpoint) => subject.checkpoint = Some(checkpoint),
                            Err(error) => tally.object(finding(Trouble::Checkpoint(error.to_string()))),
                        }
                        subject.policy = Some(policy);
                    }
                }
                subject.signed = Some(signed);
            }
        }
        Ok(subject)
    }

    /// How many entries to verify. A size that nobody vouches for is believed only where there are so many entries.
    fn size(&self) -> anyhow::Result<Option<u64>> {
        let Some(claim) = self.signed.as_ref().map(SignedCheckpoint::claim) else { return Ok(None) };
        if self.checkpoint.is_some() {
            return Ok(Some(claim.size));
        }
        let last = claim.size.checked_sub(1).map(|last| last / u64::from(TILE_WIDTH));
        let Some(path) = last.and_then(|n| TilePath::at(Level::Entries, n, claim.size)) else {
            return Ok(None);
        };
        let there = match client::object(&self.place.public, path) {
            Ok(bytes) => bytes.is_some(),
            Err(error) => return Err(open::read_problem(error)),
        };
        Ok(there.then_some(claim.size))
    }

    fn introduce(&self, screen: &Screen) {
        let Some(claim) = self.signed.as_ref().map(SignedCheckpoint::claim) else { return };
        let pinned = self.held.as_ref().and_then(|h| Some((h.trust.log?, h)));
        let log = match (pinned, self.place.founding(claim.size)) {
            (Some((id, held)), _) => format!("{id}, pinned by {}", held.path.display()),
            (None, Ok((_, roster))) => format!("{}, not pinned", roster.log),
            (None, Err(_)) => "unknown: entry 0 founds none".to_owned(),
        };
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        screen.table(&[
            row("log", log),
            row("origin", claim.origin.to_owned()),
            row("entries", claim.size.to_string()),
            row("root", claim.root.to_string()),
        ]);
        for line in self.checkpoint.iter().flat_map(open::vouched) {
            screen.say(line);
        }
    }

    /// Holds what the entries add up to against checkpoint, trust file and charter.
    fn compare(&self, report: &Report, tally: &mut Tally<'_>) -> anyhow::Result<()> {
        let finding = |name: &str, trouble| ObjectFinding { name: name.to_owned(), trouble };
        let want = self.signed.as_ref().expect("a size was claimed").claim().root;
        if report.root != want {
            tally.object(finding("checkpoint", Trouble::Root { got: report.root, want }));
        }
        let Some(roster) = report.history.roster() else { return Ok(()) };
        let pinned = self.held.as_ref().and_then(|h| h.trust.log);
        if let Some(want) = pinned.filter(|want| *want != roster.log) {
            tally.object(finding("tile/entries", Trouble::Log { got: roster.log, want }));
        }
        let name = CHARTER.strip_prefix("public/").expect("it is published");
        match (charter_digest(&report.history), self.place.public.get(CHARTER, MAX_CHARTER_FILE)) {
            (Some(want), Ok(Some(text))) if sha256(&text) == want => {}
            (None, _) => {}
            (_, Ok(Some(_))) => tally.object(finding(name, Trouble::Differs)),
            (_, Ok(None)) => tally.object(finding(name, Trouble::Missing)),
            (_, Err(StoreError::TooLarge { .. })) => tally.object(finding(name, Trouble::TooLarge)),
            (_, Err(error)) => return Err(open::store_problem(error)),
        }
        Ok(())
    }
}

/// The SHA-256 that the founding gives for the charter's text.
fn charter_digest(history: &History) -> Option<Hash> {
    let (_, bytes) = history.govern().first()?;
    match SignedEntry::decode(bytes).ok()?.statement.act() {
        Ok(Act::Found(found)) => Some(found.text),
        _ => None,
    }
}

fn audit(subject: &Subject, size: u64, quick: bool, tally: &mut Tally<'_>) -> anyhow::Result<Report> {
    let bar = tally.screen.progress(size, "verifying");
    tally.bar = bar.clone();
    let mut report = |found| tally.take(found);
    let audit = Audit::new(&subject.place.public, Options { quick }, &mut report);
    let report = audit.run(size, &|done| bar.set_position(done)).map_err(open::read_problem);
    bar.finish_and_clear();
    report
}

/// Reads a checkpoint that the verifier holds: a note, a proof file, or a log's.
fn kept(path: &Path, policy: Option<&Policy>) -> anyhow::Result<VerifiedCheckpoint> {
    let shown = path.display();
    let bytes = if path.is_dir() {
        let place = Place::find(path)?;
        place.checkpoint()?.ok_or_else(|| Problem::new(format!("{shown}: the checkpoint is missing")))?
    } else {
        let limit = u64::try_from(servanda::tlog_proof::PROOF_MAX).expect("fits");
        open::read_file(path, limit)?
    };
    let note = TlogProof::parse(&bytes).map_or(bytes, |proof| proof.checkpoint.into_bytes());
    let no_policy = || Problem::new(format!("{shown}: no key is known to check it with"));
    // The operator's word counts, cosigned or not: it is held against the operator alone.
    let policy = policy.ok_or_else(no_policy)?.without_quorum();
    servanda::checkpoint::open(&note, &policy).map_err(|error: CheckpointError| {
        Problem::new(format!("{shown} is no checkpoint of this log"))
            .hint("give a checkpoint, a proof file or a log's directory that you kept")
            .because(error)
            .into()
    })
}

/// Finds rollback and rewriting since a checkpoint that the verifier holds.
fn compare_since(
    place: &Place,
    now: &VerifiedCheckpoint,
    since: &VerifiedCheckpoint,
    tally: &mut Tally<'_>,
) -> anyhow::Result<()> {
    let held = since.size();
    let finding = |trouble| ObjectFinding { name: "checkpoint".to_owned(), trouble };
    if now.size() < held {
        tally.object(finding(Trouble::Rollback { size: now.size(), held }));
        return Ok(());
    }
    let root = Client::open(&place.public, now.size(), now.root()).and_then(|mut c| c.root_at(held));
    match root {
        Ok(got) if got == since.root() => {
            tally.screen.say(format!("nothing changed below entry {held}, where your checkpoint ends"));
        }
        Ok(got) => tally.object(finding(Trouble::Rewritten { held, got, want: since.root() })),
        // The tiles that it would take are findings themselves.
        Err(error) if error.is_tampering() => {
            tally.screen.say("the checkpoint that you hold could not be compared: tiles are damaged");
        }
        Err(error) => return Err(open::read_problem(error)),
    }
    Ok(())
}

/// Prints findings as they come, and counts them.
struct Tally<'s> {
    screen: &'s Screen,
    bar: ProgressBar,
    total: u64,
    /// By effect and code.
    counts: BTreeMap<(String, &'static str), u64>,
}

impl<'s> Tally<'s> {
    fn new(screen: &'s Screen) -> Self {
        if screen.is_json() {
            anstream::print!("{{\"findings\":[");
        }
        Self { screen, bar: ProgressBar::hidden(), total: 0, counts: BTreeMap::new() }
    }

    fn object(&mut self, finding: ObjectFinding) {
        self.take(Found::Object(finding));
    }

    fn take(&mut self, found: Found) {
        let (effect, code) = match &found {
            Found::Entry(f) => (f.reason.effect(), f.reason.code()),
            Found::Object(f) => (servanda::chain::Effect::Log, f.trouble.code()),
        };
        *self.counts.entry((effect.to_string(), code)).or_default() += 1;
        if self.screen.is_json() {
            let comma = if self.total == 0 { "" } else { "," };
            anstream::print!("{comma}{}", in_json(&found));
        } else {
            let line = match &found {
                Found::Entry(f) => f.to_string(),
                Found::Object(f) => f.to_string(),
            };
            self.bar.suspend(|| self.screen.say(line));
        }
        self.total += 1;
    }
}

fn in_json(found: &Found) -> Value {
    match found {
        Found::Entry(f) => json!({
            "index": f.index, "author": f.author, "id": f.id, "code": f.reason.code(),
            "effect": f.reason.effect(), "text": f.reason.to_string(),
        }),
        Found::Object(f) => json!({
            "object": f.name, "code": f.trouble.code(), "effect": servanda::chain::Effect::Log,
            "text": f.trouble.to_string(),
        }),
    }
}

/// Says what came of it.
fn finish(
    screen: &Screen,
    subject: &Subject,
    report: Option<&Report>,
    quick: bool,
    tally: Tally<'_>,
) -> Outcome {
    let not_understood = report.and_then(|r| not_understood(&r.history));
    let outcome = match (tally.total, &not_understood) {
        (0, None) => Outcome::Good,
        (0, Some(_)) => Outcome::Unchecked,
        _ => Outcome::Bad,
    };
    if screen.is_json() {
        let rest =
            Value::Object(summary(subject, report, quick, &tally, outcome, not_understood)).to_string();
        anstream::println!("],{}", rest.strip_prefix('{').expect("an object"));
        return outcome;
    }
    for ((effect, code), count) in &tally.counts {
        screen.say(format!("{count} × {effect}: {code}"));
    }
    if let Some(report) = report {
        let (spoke, all) = authors(&report.history);
        let signatures = report.signatures_checked;
        let size = report.history.head().size;
        screen.say(format!(
            "{size} entries, {spoke} of {all} authors, the signatures of {signatures} statements checked"
        ));
        if quick {
            screen.say(
                "quick: relied on each author's last statement vouching for those before it, which is sound as long as \
                 clients sign only on what they kept or verified",
            );
        }
    }
    let pinned = subject.held.as_ref().is_some_and(|h| h.trust.log.is_some());
    if let Some(roster) = report.and_then(|r| r.history.roster()).filter(|_| !pinned) {
        screen.say(open::not_pinned(&roster.log));
    }
    screen.say(match (outcome, not_understood) {
        (Outcome::Good, _) => "verified: no findings".to_owned(),
        (_, Some(what)) if tally.total == 0 => format!("not verified: {what}"),
        _ if report.is_none() => {
            format!("not verified: {}; the entries were not looked at", plural(tally.total))
        }
        _ => format!("not verified: {}", plural(tally.total)),
    });
    outcome
}

fn plural(findings: u64) -> String {
    if findings == 1 { "1 finding".to_owned() } else { format!("{findings} findings") }
}

/// What goes beyond this program, if anything.
fn not_understood(history: &History) -> Option<String> {
    let unknown = history.unknown().map(ToString::to_string);
    let act =
        |(index, kind)| format!("act {kind} not understood: the ledger is incomplete from entry {index} on");
    unknown.or_else(|| history.incomplete().map(act))
}

/// How many have signed anything that counts, of all who might.
fn authors(history: &History) -> (usize, usize) {
    let Some(roster) = history.roster() else { return (0, 0) };
    let spoke = |h: &&Handle| Class::ALL.iter().any(|class| !history.chain(h, *class).is_new());
    (roster.members.keys().filter(spoke).count(), roster.members.len())
}

fn summary(
    subject: &Subject,
    report: Option<&Report>,
    quick: bool,
    tally: &Tally<'_>,
    outcome: Outcome,
    not_understood: Option<String>,
) -> Map<String, Value> {
    let claim = subject.signed.as_ref().map(SignedCheckpoint::claim);
    let checkpoint = subject.checkpoint.as_ref();
    let cosigners = checkpoint.map(|c| c.cosigners()).unwrap_or_default();
    let counts = tally
        .counts
        .iter()
        .map(|((effect, code), count)| json!({"effect": effect, "code": code, "count": count}));
    let value = json!({
        "log": report.and_then(|r| r.history.roster()).map(|r| r.log),
        "pinned": subject.held.as_ref().is_some_and(|h| h.trust.log.is_some()),
        "origin": claim.map(|c| c.origin),
        "size": claim.map(|c| c.size),
        "root": claim.map(|c| c.root),
        "checkpoint_accepted": checkpoint.is_some(),
        "quorum_none": checkpoint.map(VerifiedCheckpoint::quorum_is_none),
        "witnesses": cosigners.iter().map(|c| json!({"name": c.name, "time_s": c.time_s})).collect::<Vec<_>>(),
        "unchecked_lines": checkpoint.map(|c| c.unchecked()),
        "entries": report.map(|r| r.history.head().size),
        "authors": report.map(|r| authors(&r.history).0),
        "signatures_checked": report.map(|r| r.signatures_checked),
        "quick": quick,
        "counts": counts.collect::<Vec<_>>(),
        "not_understood": not_understood,
        "verdict": match outcome {
            Outcome::Good => "good",
            Outcome::Bad => "bad",
            Outcome::Unchecked => "unchecked",
        },
    });
    match value {
        Value::Object(map) => map,
        _ => unreachable!("an object was made"),
    }
}
