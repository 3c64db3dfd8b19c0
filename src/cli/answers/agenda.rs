//! `agenda`: what falls due, and what waits for somebody's word.

use super::basis::{Basis, BasisArgs};
use super::cells;
use crate::cli::plain::cut;
use crate::cli::{Context, Outcome, send, words};
use serde_json::json;
use servanda::charter::Aspect;
use servanda::field::{Day, Duration, Handle, Instant};
use servanda::hash::Hash;
use servanda::ledger::answers::{Item, What, agenda};
use servanda::ledger::verdict::Verdict;
use servanda::text::count;
use std::path::PathBuf;

const AFTER: &str = "\
Whatever waits without a date comes last. Drafts are statements that still go from officer to officer: name their \
files, and those that lack signatures are listed, too.

EXAMPLE
  servanda agenda --log paris
  servanda agenda --until 2026-12-31 --log paris --partner de drafts/*.statement";

/// How wide a draft's summary may be.
const SUMMARY: usize = 60;

/// How far ahead is looked where nobody says how far, in days.
const AHEAD_DAYS: u64 = 90;

/// List what falls due until a day, and what waits for somebody's word
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Until when: a moment, or the end of a day (UTC); else for 90 days
    #[arg(long, value_name = "DATE", value_parser = end_of_day)]
    until: Option<Instant>,
    /// Only what this partner is to do
    #[arg(long, value_name = "HANDLE")]
    partner: Option<Handle>,
    /// Statements that are being signed
    #[arg(value_name = "DRAFT")]
    drafts: Vec<PathBuf>,
    #[command(flatten)]
    basis: BasisArgs,
}

fn end_of_day(text: &str) -> Result<Instant, String> {
    match text.parse::<Day>() {
        Ok(day) => Ok(day.end()),
        Err(_) => text.parse::<Instant>().map_err(|error| error.to_string()),
    }
}

/// A draft that lacks signatures.
#[derive(serde::Serialize)]
struct Unsigned {
    id: Hash,
    author: Handle,
    missing: usize,
    summary: String,
    expires_at: Instant,
}

/// Runs the verb.
///
/// # Errors
/// When the log or a draft cannot be read.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let screen = &context.screen;
    let mut drafts = unsigned(&args.drafts)?;
    let basis = Basis::open(context, &args.basis)?;
    let until = args.until.unwrap_or_else(|| basis.when.at.plus(Duration::of_days(AHEAD_DAYS)));
    let mut items = agenda(basis.ledger(), basis.roster(), basis.when, until);
    if let Some(partner) = &args.partner {
        basis.check_partner(partner)?;
        items.retain(|item| item.who.contains(partner));
        drafts.retain(|draft| draft.author == *partner);
    }
    let answer = json!({"until": until, "items": items, "drafts": drafts});
    basis.json(context, "agenda", &answer)?;
    screen.say(format!("Agenda from {} until {}", basis.moment(), until));
    screen.say("");
    if items.is_empty() && drafts.is_empty() {
        screen.say("Nothing falls due, and nothing waits for anybody's word.");
    } else {
        let mut rows = cells::headed(&["when", "who", "what", "id"]);
        rows.extend(items.iter().map(|item| row(&basis, item)));
        rows.extend(drafts.iter().map(draft_row));
        cells::table(screen, &rows);
    }
    Ok(basis.finish(context))
}

fn unsigned(paths: &[PathBuf]) -> anyhow::Result<Vec<Unsigned>> {
    let mut all = Vec::new();
    for path in paths {
        for draft in send::read_all(path)? {
            let statement = draft.statement()?;
            if draft.missing() > 0 {
                all.push(Unsigned {
                    id: draft.id(),
                    author: statement.author.clone(),
                    missing: draft.missing(),
                    summary: words::summary(&statement),
                    expires_at: statement.expires_at,
                });
            }
        }
    }
    Ok(all)
}

fn draft_row(draft: &Unsigned) -> Vec<String> {
    let lacks = count(draft.missing, "signature", "signatures");
    let what = format!("draft, lacks {lacks} before it expires: {}", cut(&draft.summary, SUMMARY));
    vec![draft.expires_at.to_string(), draft.author.to_string(), what, draft.id.short()]
}

fn row(basis: &Basis, item: &Item) -> Vec<String> {
    let about = item.about.as_ref().map_or_else(|| "sealed terms".to_owned(), |about| cells::title(about));
    let what = match &item.what {
        What::Due { label, verdict: Verdict::Overdue, why, .. } => {
            format!("{about}, {}: overdue, {why}", cells::label(label))
        }
        What::Due { label, verdict, .. } => {
            let is_past = item.by.is_some_and(|by| by < basis.when.at);
            let falls = if is_past { "fell due" } else { "falls due" };
            format!("{about}, {}: {falls}, {}", cells::label(label), verdict.words())
        }
        What::Unconfirmed { label, .. } => {
            format!("{about}, {}: delivery claimed, to be confirmed or not", cells::label(label))
        }
        What::Unaccepted { version: 0 } => format!("{about}: proposed, to be accepted or not"),
        What::Unaccepted { .. } => format!("{about}: amendment, to be accepted or not"),
        What::Unjoined => format!("{about}: owed jointly, to be joined or not"),
        What::Need { need, label } => {
            format!("{about}: need {need}, {}, to be declared met or failed", cells::label(label))
        }
        What::Disputed { aspects, .. } => {
            let aspects: Vec<_> = aspects.iter().map(|a| aspect(*a)).collect();
            format!("disputed, which stands: {}", aspects.join(", "))
        }
        What::Notice { valid_until } => {
            format!("{about}: last moment to extend it or give notice; it ends {valid_until}")
        }
        What::Ends => format!("{about}: ends"),
        What::Withdrawn => format!("{about}: its withdrawal takes effect"),
        What::Review => "review meeting".to_owned(),
        What::Motion(motion) => {
            let names = |handle: &Handle| basis.name(handle);
            let (moved, approved) = (words::moved(&motion.motion, &names), motion.approved_by.len());
            let quorum = motion.quorum;
            format!("motion {moved}: {approved} of the {quorum} approvals that it takes")
        }
    };
    let when = item.by.map_or_else(|| "no date".to_owned(), |at| at.to_string());
    vec![when, cells::handles(&item.who), what, item.id.short()]
}

/// The word for an aspect.
pub fn aspect(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Occurred => "occurred",
        Aspect::Kind => "kind",
        Aspect::Attribution => "attribution",
        Aspect::Figures => "figures",
        Aspect::Delivered => "delivered",
    }
}
