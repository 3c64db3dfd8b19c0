//! `servanda verify`: the full audit of a log, and its comparison with checkpoints and copies that the verifier holds.
//!
//! Here the log is read and audited; [`tally`] prints findings as they are made, [`compare`] holds the log against other
//! checkpoints and copies, and takes evidence.

mod compare;
mod tally;

use super::held::{Held, TrustArgs};
use super::open::{self, Place};
use super::screen::Screen;
use super::{Context, Outcome, kept};
use clap::Args;
use compare::{Bench, Other};
use servanda::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use servanda::verify::{self, Options, Subject};
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
    /// The log: its home, a copy of its public part, or the URL it is served at
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

/// A log, and what is known of it before it is verified.
struct Case {
    place: Place,
    held: Option<Held>,
    /// Unverified; none where there is no checkpoint.
    signed: Option<SignedCheckpoint>,
    /// None where it is not accepted.
    checkpoint: Option<VerifiedCheckpoint>,
    /// The same, cosigned or not: what is held against its operator.
    word: Option<VerifiedCheckpoint>,
}

/// Runs the verb.
pub fn run(context: &Context, args: &Verify) -> anyhow::Result<Outcome> {
    let screen = &context.screen;
    let held = args.trust.read(screen)?;
    let place = Place::named(args.log.as_ref(), held.as_ref())?;
    let mut tally = Tally::new(screen, args.quick);
    let trust = held.as_ref().map(|h| &h.trust);
    let what =
        verify::Held { policy: trust.map(|t| &t.policy), log: trust.and_then(|t| t.log), checkpoint: None };
    let subject = Subject::read(&place.public, what, &mut |f| tally.take(f)).map_err(open::read_problem)?;
    // Before anything is verified, so that a slip in what was typed is told at once.
    let other = |path: &PathBuf| Other::read(path, subject.policy.as_ref());
    let remembered = Remembered::of(&place, held.as_ref(), &subject)?;
    let since = args.since.as_ref().map(other).transpose()?;
    let against = args.against.as_ref().map(other).transpose()?;
    let (signed, checkpoint) = (subject.signed.clone(), subject.checkpoint.clone());
    let word = word(&subject);
    let case = Case { place: place.clone(), held: held.clone(), signed, checkpoint, word };
    case.introduce(screen);
    let size = subject.size().map_err(open::read_problem)?.unwrap_or(0);
    let bar = screen.progress(size, "verifying");
    tally.show_above(bar.clone());
    let options = Options { quick: args.quick };
    let verified = subject.verify(options, &|done| bar.set_position(done), &mut |f| tally.take(f));
    bar.finish_and_clear();
    let report = verified.map_err(open::read_problem)?.report;
    if let Some(now) = &case.word {
        let mut bench = Bench { place: &case.place, now, out: &args.out };
        // Of a server, by what it gave before, unless another checkpoint was named.
        if let Some(since) = since.as_ref().or(remembered.seen.as_ref()) {
            bench.since(since, &mut tally)?;
        }
        for (path, doubted) in &remembered.doubted {
            bench.doubted(path, doubted, &mut tally)?;
        }
        if let Some(against) = &against {
            bench.against(against, &mut tally)?;
        }
        if let (Some(promise), Some(_)) = (&args.promise, &case.checkpoint) {
            bench.promise(promise, &mut tally)?;
        }
        if let Some(folder) = &args.evidence {
            bench.evidence(folder, &mut tally)?;
        }
    }
    let log = report.as_ref().and_then(|report| Some(report.history.roster()?.log));
    // One that cannot be opened here was signed by an operator of whom this log says nothing.
    if let (true, None, Some(log), Some(now)) =
        (case.place.is_remote, &remembered.seen, &log, &case.checkpoint)
    {
        kept::against_seen(&case.place, log, now)?;
    }
    let outcome = tally.finish(&case, report.as_ref())?;
    if let (Some(log), Some(report), Some(now), Outcome::Good) = (log, &report, &case.checkpoint, outcome) {
        if case.place.is_remote {
            kept::compare_with_seen(&case.place, &log, now)?.iter().for_each(|said| screen.say(said));
        }
        if report.history.ledger().is_some() {
            kept::begin(&log, &report.history, now);
        }
    }
    // The process ends here, and a long ledger is millions of small pieces.
    std::mem::forget(report);
    Ok(outcome)
}

/// The checkpoint as its operator signed it, cosigned or not.
fn word(subject: &Subject<'_>) -> Option<VerifiedCheckpoint> {
    let policy = subject.policy.as_ref()?.without_quorum();
    subject.checkpoint.clone().or_else(|| subject.signed.as_ref()?.open(&policy).ok())
}

/// What was kept of a log on a server.
#[derive(Default)]
struct Remembered {
    /// The newest checkpoint that was accepted.
    seen: Option<Other>,
    /// Checkpoints that did not go on from it.
    doubted: Vec<(PathBuf, Other)>,
}

impl Remembered {
    /// What was kept, as far as it says anything about the log under its operator in office.
    fn of(place: &Place, held: Option<&Held>, subject: &Subject<'_>) -> anyhow::Result<Self> {
        let (Some(log), Some(now)) = (place.log_on_server(held, subject.signed.as_ref()), word(subject))
        else {
            return Ok(Self::default());
        };
        let open = |path: PathBuf| -> anyhow::Result<Option<(PathBuf, Other)>> {
            let Ok(other) = Other::read(&path, subject.policy.as_ref()) else { return Ok(None) };
            let counts = kept::succeeds(place, &log, &now, other.origin())?.is_none();
            Ok(counts.then_some((path, other)))
        };
        let seen = kept::seen(&log).map(open).transpose()?.flatten().map(|(_, other)| other);
        let doubted = kept::doubted(&log).into_iter().filter_map(|path| open(path).transpose());
        Ok(Self { seen, doubted: doubted.collect::<anyhow::Result<_>>()? })
    }
}

impl Case {
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
}
