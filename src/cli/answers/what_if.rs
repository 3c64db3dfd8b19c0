//! `what-if`: who would owe what by when if an incident happened, and who would not, and why.

use super::basis::{Basis, BasisArgs};
use super::cells;
use crate::cli::plain::{plain, quoted};
use crate::cli::problem::Problem;
use crate::cli::screen::Screen;
use crate::cli::{Context, Outcome};
use serde_json::json;
use servanda::field::{Handle, Short};
use servanda::ledger::answers::{Trial, Would, WouldNot};
use servanda::statement::terms::Starts;
use servanda::text::count;

const AFTER: &str = "\
Nothing is reported and nothing is owed because of this. Deadlines count from the moment that is asked about, as if \
the call were made then.

EXAMPLE
  servanda what-if \"armed attack\" --against ua --log paris
  servanda what-if \"armed attack\" --against ua --log paris --at 2027-06-01T12:00Z";

/// Tell who would owe what by when if an incident happened, and who would not, and why
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The kind of incident, as the charter's rules name it
    #[arg(value_name = "KIND")]
    kind: String,
    /// Against which partner
    #[arg(long, value_name = "PARTNER")]
    against: Handle,
    #[command(flatten)]
    basis: BasisArgs,
}

/// Runs the verb.
///
/// # Errors
/// When the log cannot be read, or its rules name no such kind.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let basis = Basis::open(context, &args.basis)?;
    basis.check_partner(&args.against)?;
    let kinds = &basis.roster().charter.rules.incident_kinds;
    let Some(kind) = kinds.iter().map(|k| &k.label).find(|label| label.as_str() == args.kind) else {
        return Err(no_kind(&args.kind, kinds.iter().map(|k| &k.label)).into());
    };
    let trial = basis.ledger().what_if(kind, &args.against, basis.when);
    let answer = json!({"kind": kind, "against": args.against, "trial": trial});
    basis.json(context, "what_if", &answer)?;
    let against = cells::who(&args.against, basis.name(&args.against));
    context.screen.say(format!("If {} against {against} happened at {}", quoted(kind), basis.moment()));
    show(&context.screen, &trial);
    Ok(basis.finish(context))
}

fn no_kind<'k>(kind: &str, known: impl Iterator<Item = &'k Short>) -> Problem {
    let known: Vec<_> = known.map(|label| quoted(label)).collect();
    let none = "they name none: a motion can replace them".to_owned();
    Problem::new(format!("the charter's rules name no incident kind {}", quoted(kind)))
        .hint(if known.is_empty() { none } else { format!("they name {}", known.join(", ")) })
}

fn show(screen: &Screen, trial: &Trial) {
    screen.say("");
    if trial.would.is_empty() {
        screen.say("Nobody would owe anything.");
    } else {
        let heading = ["would owe", "pledge", "to", "quantity", "started", "by when", "id"];
        let mut rows = cells::headed(&heading);
        rows.extend(trial.would.iter().map(would_row));
        cells::table(screen, &rows);
    }
    if !trial.would_not.is_empty() {
        screen.say("");
        let mut rows = cells::headed(&["would not owe", "pledge", "why", "id"]);
        rows.extend(trial.would_not.iter().map(would_not_row));
        cells::table(screen, &rows);
    }
    let other = count(trial.other_kinds, "pledge waits", "pledges wait");
    let recorded = count(trial.recorded, "commitment is", "commitments are");
    let sealed = count(trial.undisclosed, "pledge has", "pledges have");
    let apart = [
        (trial.undisclosed, format!("{sealed} sealed terms, which may or may not be for this")),
        (trial.other_kinds, format!("{other} for incidents of other kinds")),
        (trial.recorded, format!("{recorded} recorded, not pledged")),
    ];
    let apart: Vec<_> = apart.into_iter().filter(|(n, _)| *n > 0).map(|(_, words)| words).collect();
    if !apart.is_empty() {
        screen.say("");
        screen.say(format!("Apart from these: {}", apart.join("; ")));
    }
}

fn would_row(row: &Would) -> Vec<String> {
    let asked = format!("on request of {}", cells::handles(&row.requesters));
    let started = match row.starts {
        Starts::OnRequest => asked,
        Starts::OnceEstablished => "once established".to_owned(),
        Starts::Either => format!("once established, or {asked}"),
    };
    vec![
        cells::handles(&row.by),
        cells::pledge(row.reference.as_ref(), Some(&row.title)),
        cells::handles(&row.to),
        cells::quantity(&row.quantity),
        started,
        cells::by(row.deadline),
        row.rests_on.id.short(),
    ]
}

fn would_not_row(row: &WouldNot) -> Vec<String> {
    vec![
        cells::handles(&row.by),
        cells::pledge(row.reference.as_ref(), Some(&row.title)),
        plain(&row.why),
        row.rests_on.id.short(),
    ]
}
