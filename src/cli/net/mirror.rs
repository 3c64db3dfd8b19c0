//! `servanda mirror`: a verified copy of a log, which serves as a log itself.
//!
//! Exit codes: 0 the copy has all that the source has; 1 the source is damaged, older, or of another history, and the copy
//! stays what it was; 2 the source could not be read, or the copy not be written.

use crate::cli::held::{self, TrustArgs};
use crate::cli::open::{self, Place};
use crate::cli::problem::{self, Problem};
use crate::cli::{Context, Outcome, files, plain};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use servanda::armor::File;
use servanda::evidence::{Evidence, check};
use servanda::mirror::{Charter, Copied, Mirror, MirrorError, Trusted};
use servanda::policy::Policy;
use servanda::store::dir::Dir;
use servanda::text::count;
use std::path::{Path, PathBuf};

const EXAMPLE: &str = "\
It goes on where it was stopped, and never takes back what the copy has. Run it again to bring the copy up to date.

EXAMPLE
    servanda mirror https://guarantees.example/paris-2026 copy --trust trust.toml
    servanda serve copy";

/// Copy a log, verifying every byte: a copy that can be read, verified and served like the log itself
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct MirrorArgs {
    /// The log: its home, a copy of its public part, or the URL it is served at
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// Where the copy lies, or will
    #[arg(value_name = "DIR")]
    copy: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// Where to write the evidence of a fork
    #[arg(long, value_name = "FILE", default_value = "fork.evidence")]
    out: PathBuf,
}

/// Runs the verb.
pub fn run(context: &Context, args: &MirrorArgs) -> Result<Outcome> {
    let screen = &context.screen;
    let held = args.trust.read(screen)?;
    let place = Place::find(&args.source)?;
    let store = Dir::create(&args.copy).map_err(open::store_problem)?;
    let policy = match &held {
        Some(held) => held.trust.policy.clone(),
        None => founding_policy(&place)?,
    };
    let log = held.as_ref().and_then(|held| held.trust.log);
    let trusted = Trusted { policy: &policy, log };
    let mirror = Mirror::begin(&place.public, &store, trusted);
    let mirror = match mirror {
        Ok(mirror) => mirror,
        Err(error) => return refused(context, args, error),
    };
    let bar = screen.progress(mirror.checkpoint().size(), "copying");
    bar.set_position(mirror.from());
    let copied = mirror.run(&|done| bar.set_position(done));
    bar.finish_and_clear();
    match copied {
        Ok(copied) => say(context, args, &copied, log.is_some()),
        Err(error) => refused(context, args, error),
    }
}

/// The policy of a log of which nothing but its founding is known.
fn founding_policy(place: &Place) -> Result<Policy> {
    let note = place.checkpoint()?.ok_or_else(|| Problem::refused("the source has no checkpoint"))?;
    let signed = servanda::checkpoint::SignedCheckpoint::parse(&note)
        .map_err(|error| open::checkpoint_problem(&error, None))?;
    Ok(open::founding_policy(&place.founding(signed.claim().size)?.1.vkey))
}

fn say(context: &Context, args: &MirrorArgs, copied: &Copied, is_pinned: bool) -> Result<Outcome> {
    let screen = &context.screen;
    let Copied { from, to, checkpoint, charter, .. } = copied;
    let shown = args.copy.display();
    screen.say(match from {
        from if from == to => format!("{shown} has all {}, as the source has", count(to, "entry", "entries")),
        0 => format!("{shown} is a copy of {}, verified", count(to, "entry", "entries")),
        from => format!("{shown} has {}, {} of them new, verified", count(to, "entry", "entries"), to - from),
    });
    for line in open::vouched(checkpoint) {
        screen.note(line);
    }
    if !is_pinned {
        screen.note(held::not_pinned(&copied.log));
    }
    if *charter == Charter::Missing {
        screen.say(
            "the source does not give the charter's text that entry 0 names: charter.toml was not copied",
        );
    }
    screen.json(&json!({
        "log": copied.log, "pinned": is_pinned, "from": from, "size": to, "root": checkpoint.root(),
        "quorum_none": checkpoint.quorum_is_none(), "charter": *charter == Charter::Copied, "verdict":
            if *charter == Charter::Copied { "good" } else { "bad" },
    }))?;
    Ok(if *charter == Charter::Copied { Outcome::Good } else { Outcome::Bad })
}

/// Says why the copy is not what the source is; writes evidence, where there is any.
fn refused(context: &Context, args: &MirrorArgs, error: MirrorError) -> Result<Outcome> {
    let (source, copy) = (args.source.display(), args.copy.display());
    let error = match error {
        MirrorError::Source(error) => return Err(open::read_problem(error)),
        error => error,
    };
    let hint = match &error {
        MirrorError::Behind { .. } => format!(
            "nothing was changed in {copy}. {source} may only be behind: try again, or another source. if it stays so, the \
             log was rolled back, and the copy's checkpoint proves it"
        ),
        MirrorError::Fork { evidence: Some(evidence), .. } => {
            write_evidence(context, &args.out, evidence);
            format!("nothing was changed in {copy}. keep both, and hand the evidence to the partners")
        }
        MirrorError::Fork { .. } => {
            format!("nothing was changed in {copy}. keep both, and tell the partners")
        }
        MirrorError::Replaced { want, .. } => {
            format!(
                "its operator was replaced: copy the log from where {} serves it",
                plain::plain(want.name())
            )
        }
        MirrorError::Written => format!("{copy} is a log's home that has a writer: name another directory"),
        MirrorError::Checkpoint(error) => return Err(open::checkpoint_problem(error, None)),
        MirrorError::Source(_) => "try again, or another source".to_owned(),
        MirrorError::Copy(_) | MirrorError::CopysCheckpoint(_) => {
            "the copy was changed, or its disk is not all right: move it away, and copy anew".to_owned()
        }
        MirrorError::Store(_) => {
            "has the disk room, and is it all right? it goes on where it stopped".to_owned()
        }
        MirrorError::Raced => "let one program at a time write to a copy".to_owned(),
        MirrorError::OtherLog { .. } => "is it the trust file of another log?".to_owned(),
        MirrorError::NoCheckpoint | MirrorError::Empty | MirrorError::Founding => {
            "ask its operator for the log".to_owned()
        }
    };
    let what = error.to_string();
    let problem = if error.is_finding() { Problem::refused(what) } else { Problem::new(what) };
    Err(problem.hint(hint).because(error).into())
}

fn write_evidence(context: &Context, out: &Path, evidence: &Evidence) {
    let written = File::Evidence.write(evidence).map_err(anyhow::Error::from);
    let guilt = check(evidence, None).expect("evidence was checked as it was made");
    match written.and_then(|text| files::write_once(out, text.as_bytes(), files::PUBLIC)) {
        Ok(()) => context.screen.say(format!(
            "{}: evidence that the operator {}",
            out.display(),
            plain::plain(&guilt.what)
        )),
        Err(error) => problem::print(&error),
    }
}
