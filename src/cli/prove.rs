//! `servanda prove`: a statement's proof, for whoever has no log at hand, and the roster file that goes beside it.

use super::open::{Log, LogArgs, read_problem};
use super::{Context, Outcome, files, lookup};
use clap::Args;
use serde_json::json;
use servanda::armor::File;
use servanda::entry::SignedEntry;
use servanda::proof::{self, MakeError, RosterFile};
use std::path::PathBuf;

const EXAMPLE: &str = "\
EXAMPLE
    servanda prove 8f21c0 --log paris        # writes 8f21c04a77be.tlog-proof and 13.roster
    servanda check 8f21c04a77be.tlog-proof --trust trust.toml";

/// Write a proof that a statement is in the log, and who signed it; to be checked offline
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Prove {
    /// The statement's id or its first digits, @ and the entry's index, or a pledge's reference
    #[arg(value_name = "ID")]
    id: lookup::Wanted,
    #[command(flatten)]
    log: LogArgs,
    /// Where to write the proof [default: the id, shortened, and .tlog-proof]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where to write the roster file [default: beside the proof, the checkpoint's size and .roster]
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
}

/// Runs the verb.
pub fn run(context: &Context, args: Prove) -> anyhow::Result<Outcome> {
    let screen = &context.screen;
    let log = Log::open(&args.log, screen)?;
    let index = lookup::find(&log, &context.screen, &args.id)?;
    let size = log.checkpoint.size();
    let mut client = log.client()?;
    let proof = proof::prove(&mut client, index, log.checkpoint.as_str()).map_err(read_problem)?;
    let entry = proof.extra.as_deref().and_then(|bytes| SignedEntry::decode(bytes).ok());
    let name = entry.as_ref().map_or(format!("entry-{index}"), |e| e.id.short());
    let out = args.out.unwrap_or_else(|| PathBuf::from(format!("{name}.tlog-proof")));
    let roster = args.roster.unwrap_or_else(|| out.with_file_name(format!("{size}.roster")));
    let roster_file = match RosterFile::make(&mut client) {
        Ok(roster_file) => Ok(File::Roster.write(&roster_file)?),
        Err(MakeError::Read(error)) => return Err(read_problem(error)),
        Err(error) => Err(error),
    };
    files::write_once(&out, proof.to_string().as_bytes(), files::PUBLIC)?;
    if let Ok(text) = &roster_file {
        files::write_once(&roster, text.as_bytes(), files::PUBLIC)?;
    }
    screen.say(format!("{}: entry {index} of {size}, proven", out.display()));
    let outcome = match &roster_file {
        Ok(_) => {
            screen.say(format!(
                "{}: who may sign; it serves every proof under this checkpoint, so send it along",
                roster.display()
            ));
            Outcome::Good
        }
        Err(error) => {
            screen.say(format!("no roster file, so nobody can tell who signed it: {error}"));
            Outcome::Bad
        }
    };
    log.caution(screen);
    screen.json(&json!({
        "index": index, "size": size, "id": entry.map(|e| e.id), "proof": out,
        "roster": roster_file.is_ok().then_some(roster),
    }))?;
    Ok(outcome)
}
