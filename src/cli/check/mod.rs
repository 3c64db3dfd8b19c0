//! `servanda check`: files that prove something, checked offline: proofs, checkpoints, promises, drafts, evidence.
//!
//! Each file is told by its first line. [`proof`] checks what says who signed what in which log; [`papers`] the rest;
//! [`forks`] holds the checkpoints of several files against each other.

mod forks;
mod papers;
mod proof;

use super::files;
use super::held::{Held, TrustArgs};
use super::problem::Problem;
use super::{Context, Outcome, plain};
use clap::Args;
use forks::Seen;
use serde_json::{Map, Value, json};
use servanda::armor::File;
use servanda::checkpoint::SignedCheckpoint;
use servanda::hash::Hash;
use servanda::proof::RosterFile;
use servanda::tlog_proof::TlogProof;
use std::path::{Path, PathBuf};

const EXAMPLE: &str = "\
EXAMPLE
    servanda check 8f21c04a77be.tlog-proof --trust trust.toml     # with 13.roster beside it
    servanda check fork.evidence --trust trust.toml
    servanda check checkpoint-from-one checkpoint-from-another    # were two histories shown?";

/// Check proofs, checkpoints, promises, drafts and evidence, offline
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Check {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// The roster file [default: among the files, or beside the proof]
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
    /// Where to write evidence, should the files hold two histories
    #[arg(long, value_name = "FILE", default_value = "fork.evidence")]
    out: PathBuf,
}

/// A file as read, nothing in it verified.
enum Paper {
    Proof(Box<TlogProof>),
    Checkpoint(Box<SignedCheckpoint>),
    Pem(File, Vec<u8>),
}

/// What is known to check files by.
struct Known {
    held: Option<Held>,
    rosters: Vec<RosterFile>,
}

/// What came of a file.
struct Told {
    lines: Vec<String>,
    json: Map<String, Value>,
    outcome: Outcome,
}

impl Told {
    fn new(kind: &str) -> Self {
        let json = Map::from_iter([("kind".to_owned(), json!(kind))]);
        Self { lines: Vec::new(), json, outcome: Outcome::Good }
    }

    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// For programs.
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.json.insert(key.to_owned(), value.into());
    }

    /// Something does not hold.
    fn bad(&mut self, why: impl Into<String>) {
        self.outcome = Outcome::Bad;
        self.fault(why);
    }

    /// Something could not be checked.
    fn unchecked(&mut self, why: impl Into<String>) {
        self.outcome = worse(self.outcome, Outcome::Unchecked);
        self.fault(why);
    }

    fn fault(&mut self, why: impl Into<String>) {
        let why = why.into();
        if let Value::Array(all) = self.json.entry("problems").or_insert_with(|| json!([])) {
            all.push(json!(why));
        }
        self.say(why);
    }
}

/// The worse of two outcomes.
fn worse(one: Outcome, other: Outcome) -> Outcome {
    let rank = |outcome| match outcome {
        Outcome::Good => 0,
        Outcome::Unchecked => 1,
        Outcome::Bad => 2,
    };
    if rank(one) >= rank(other) { one } else { other }
}

/// Runs the verb.
pub fn run(context: &Context, args: &Check) -> anyhow::Result<Outcome> {
    let screen = &context.screen;
    let mut known = Known { held: args.trust.read(screen)?, rosters: Vec::new() };
    known.rosters.extend(args.roster.as_deref().map(read_roster).transpose()?);
    let papers: Vec<_> = args.files.iter().map(|p| Ok((p, read(p)?))).collect::<anyhow::Result<_>>()?;
    for (path, paper) in &papers {
        if let Paper::Pem(File::Roster, bytes) = paper {
            known.rosters.push(roster(path, bytes)?);
        }
        if let (None, Paper::Proof(proof)) = (&args.roster, paper) {
            known.rosters.extend(beside(path, proof)?);
        }
    }
    let (mut outcome, mut seen, mut reports) = (Outcome::Good, Seen::default(), Vec::new());
    for (path, paper) in &papers {
        let told = match paper {
            Paper::Proof(proof) => proof::tell(proof, &known, &mut seen),
            Paper::Checkpoint(signed) => papers::checkpoint(signed, &known, &mut seen),
            Paper::Pem(File::Roster, _) if papers.len() > 1 => continue,
            Paper::Pem(file, bytes) => papers::pem(*file, bytes, path, &known)?,
        };
        outcome = worse(outcome, told.outcome);
        reports.push((path.display().to_string(), told));
    }
    // Evidence is taken of what several files show together.
    if let Some(told) = seen.conflict(&known, &args.out) {
        outcome = Outcome::Bad;
        reports.push((args.out.display().to_string(), told));
    }
    let several = reports.len() > 1;
    let mut all = Vec::new();
    for (name, mut told) in reports {
        if several {
            screen.say(format!("{name}:"));
        }
        told.lines.iter().flat_map(|line| wrapped(line)).for_each(|line| screen.say(line));
        if several {
            screen.say("");
        }
        told.set("file", name);
        told.set("verdict", told.outcome.word());
        all.push(Value::Object(told.json));
    }
    screen.json(&json!({"files": all, "verdict": outcome.word()}))?;
    Ok(outcome)
}

/// Breaks a sentence before the terminal would; what follows stands further in.
fn wrapped(line: &str) -> Vec<String> {
    let mut lines = plain::wrap_hanging(line, plain::WIDTH, plain::WIDTH - 4);
    for (n, line) in lines.iter_mut().enumerate() {
        line.truncate(line.trim_end().len());
        if n > 0 {
            line.insert_str(0, "    ");
        }
    }
    lines
}

impl Known {
    fn pinned(&self) -> Option<&Hash> {
        self.held.as_ref().and_then(|held| held.trust.log.as_ref())
    }

    /// The roster file under a checkpoint: the one that holds, else any of its size.
    fn roster(&self, size: u64, root: &Hash) -> Option<&RosterFile> {
        let mut of_size = self.rosters.iter().filter(|roster| roster.size == size);
        let holds = of_size.clone().find(|roster| roster.verify(size, root).is_ok());
        holds.or_else(|| of_size.next())
    }
}

/// Reads a file and tells what it is.
fn read(path: &Path) -> anyhow::Result<Paper> {
    let shown = path.display();
    let bytes = files::read_whole(path, File::Evidence.text_limit())?;
    if let Some(file) = File::of(&bytes) {
        return Ok(Paper::Pem(file, bytes));
    }
    if bytes.starts_with(b"c2sp.org/tlog-proof@v1\n") {
        let damaged = |e| Problem::new(format!("{shown} is damaged")).hint("ask for it again").because(e);
        return Ok(Paper::Proof(Box::new(TlogProof::parse(&bytes).map_err(damaged)?)));
    }
    let unknown = |e| {
        Problem::new(format!("{shown} is none of the files that can be checked"))
            .hint(
                "want a proof, a checkpoint, or a file that begins with -----BEGIN SERVANDA …; \
                 for a log's directory use `servanda verify`",
            )
            .because(e)
    };
    Ok(Paper::Checkpoint(Box::new(SignedCheckpoint::parse(&bytes).map_err(unknown)?)))
}

fn read_roster(path: &Path) -> anyhow::Result<RosterFile> {
    roster(path, &files::read_whole(path, File::Roster.text_limit())?)
}

fn roster(path: &Path, bytes: &[u8]) -> anyhow::Result<RosterFile> {
    let damaged = |e| {
        Problem::new(format!("{} is no roster file", path.display()))
            .hint("`servanda prove` writes one beside each proof")
            .because(e)
    };
    Ok(File::Roster.read(bytes).map_err(damaged)?)
}

/// The roster file that lies beside a proof, if there is one.
fn beside(path: &Path, proof: &TlogProof) -> anyhow::Result<Option<RosterFile>> {
    let Ok(signed) = SignedCheckpoint::parse(proof.checkpoint.as_bytes()) else { return Ok(None) };
    let path = path.with_file_name(format!("{}.roster", signed.claim().size));
    if path.is_file() { read_roster(&path).map(Some) } else { Ok(None) }
}
