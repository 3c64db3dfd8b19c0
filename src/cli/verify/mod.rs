//! `servanda verify`: the full audit of a log, and its comparison with checkpoints and copies that the verifier holds.
//!
//! Here the log is read and audited; [`tally`] prints findings as they are made, [`compare`] holds the log against other
//! checkpoints and copies, and takes evidence.

mod compare;
mod tally;

use super::open::{self, Held, Place, TrustArgs};
use super::problem::Problem;
use super::screen::Screen;
use super::{Context, Outcome};
use clap::Args;
use compare::Other;
use servanda::charter::file::founding::MAX_CHARTER_FILE;
use servanda::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use servanda::client;
use servanda::entry::SignedEntry;
use servanda::hash::{Hash, sha256};
use servanda::history::History;
use servanda::merkle::tile::{Level, TILE_WIDTH, TilePath};
use servanda::policy::Policy;
use servanda::statement::Act;
use servanda::store::{Read, StoreError};
use servanda::submit::CHARTER;
use servanda::verify::{Audit, ObjectFinding, Options, Report, Trouble};
use std::path::PathBuf;
use tally::Tally;

const EXAMPLE: &str = "\
EXAMPLE
    servanda verify paris --trust trust.toml
    servanda verify paris --since checkpoint-of-last-year      # was anything taken back?
    servanda verify paris --against /mnt/copy-from-the-press   # are others shown the same?";

/// Verify a log: derive everything again from the stored bytes, and list all that does not hold
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Verify {
    /// The log: its home, or a copy of its public part
    #[arg(env = "SERVANDA_LOG", value_name = "LOG", hide_env_values = true)]
    log: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// A checkpoint that you kept, or a proof file or a log that holds it: finds rollback and rewriting
    #[arg(long, value_name = "CHECKPOINT")]
    since: Option<PathBuf>,
    /// Another copy of the log, or a checkpoint or proof file that someone else was given: finds forks
    #[arg(long, value_name = "LOG")]
    against: Option<PathBuf>,
    /// A promise that the operator gave: was it kept?
    #[arg(long, value_name = "FILE")]
    promise: Option<PathBuf>,
    /// Where to write the evidence of a fork, of rewriting, or of a broken promise
    #[arg(long, value_name = "FILE", default_value = "fork.evidence")]
    out: PathBuf,
    /// Write evidence of every entry that its operator sequenced wrongly, or should not have let in, to this directory
    #[arg(long, value_name = "DIR")]
    evidence: Option<PathBuf>,
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
    let mut tally = Tally::new(screen, args.quick);
    let subject = Subject::read(place, held, &mut tally)?;
    // Before anything is verified, so that a slip in what was typed is told at once.
    let other = |path: &PathBuf| Other::read(path, subject.policy.as_ref());
    let since = args.since.as_ref().map(other).transpose()?;
    let against = args.against.as_ref().map(other).transpose()?;
    subject.introduce(screen);
    let Some(size) = subject.size()? else { return tally.finish(&subject, None) };
    let report = audit(&subject, size, args.quick, &mut tally)?;
    subject.compare(&report, &mut tally)?;
    if let Some(checkpoint) = &subject.checkpoint {
        let mut bench = compare::Bench { place: &subject.place, now: checkpoint, out: &args.out };
        if let Some(since) = &since {
            bench.since(since, &mut tally)?;
        }
        if let Some(against) = &against {
            bench.against(against, &mut tally)?;
        }
        if let Some(promise) = &args.promise {
            bench.promise(promise, &mut tally)?;
        }
        if let Some(folder) = &args.evidence {
            bench.evidence(folder, &mut tally)?;
        }
    }
    tally.finish(&subject, Some(&report))
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
                    Err(error) if Problem::is_refusal(&error) => {
                        tally.object(finding(Trouble::Checkpoint(error.to_string())));
                    }
                    Err(error) => return Err(error),
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

    /// Whether the trust file pins the log's id.
    fn is_pinned(&self) -> bool {
        self.held.as_ref().is_some_and(|h| h.trust.log.is_some())
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
    tally.show_above(bar.clone());
    let mut report = |found| tally.take(found);
    let audit = Audit::new(&subject.place.public, Options { quick }, &mut report);
    let report = audit.run(size, &|done| bar.set_position(done)).map_err(open::read_problem);
    bar.finish_and_clear();
    report
}
