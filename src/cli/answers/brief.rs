//! `brief`: did they keep their word? For somebody with one minute.

use super::basis::{Basis, BasisArgs};
use super::cells;
use super::status::tally;
use crate::cli::{Context, Outcome};
use serde_json::json;
use servanda::field::Handle;
use servanda::hash::Hash;
use servanda::ledger::answers::{Filter, ObligationRow, Status};
use servanda::ledger::verdict::Verdict;
use servanda::text::count;
use std::collections::BTreeMap;

const AFTER: &str = "\
At most ten lines. `servanda status --partner PARTNER` has every pledge and obligation behind them.

EXAMPLE
  servanda brief de --log paris
  servanda brief de --log paris --at 2027-12-31";

/// The most lines of sums, so that all fits ten lines.
const SUMS: usize = 2;

/// Tell in ten lines whether a partner kept its word
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The partner's handle
    #[arg(value_name = "PARTNER")]
    partner: Handle,
    #[command(flatten)]
    basis: BasisArgs,
}

/// Runs the verb.
///
/// # Errors
/// When the log cannot be read, or has no such partner.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let basis = Basis::open(context, &args.basis)?;
    basis.check_partner(&args.partner)?;
    let filter = Filter { by: Some(args.partner.clone()), ..Filter::default() };
    let status = Status::of(basis.ledger(), basis.when, &filter);
    let brief = json!({
        "partner": args.partner,
        "name": basis.name(&args.partner),
        "suspended": basis.roster().is_suspended(&args.partner),
        "states": states(&status),
        "tally": status.tally,
        "contested": contested(&status),
        "totals": status.totals,
        "parts": status.parts,
        "exercises": status.exercises.len(),
        "recorded": status.recorded.len(),
    });
    basis.json(context, "brief", &brief)?;
    lines(&basis, &args.partner, &status).iter().for_each(|line| cells::say(&context.screen, line));
    Ok(basis.outcome())
}

/// How many pledges stand how; each once, as it stands best.
fn states(status: &Status) -> BTreeMap<&'static str, u64> {
    let mut best: BTreeMap<Hash, (bool, bool, &'static str)> = BTreeMap::new();
    for row in &status.pledges {
        let rank = (row.state != "in force", row.is_over, row.state);
        best.entry(row.id).and_modify(|old| *old = (*old).min(rank)).or_insert(rank);
    }
    let mut states = BTreeMap::new();
    for (_, _, state) in best.into_values() {
        *states.entry(state).or_default() += 1;
    }
    states
}

fn ids_of<'r>(rows: impl Iterator<Item = &'r ObligationRow>) -> Vec<Hash> {
    rows.map(|row| row.rests_on.id).collect()
}

/// The disputes that stand.
fn contested(status: &Status) -> Vec<Hash> {
    status.obligations.iter().flat_map(|row| row.contested.iter().map(|said| said.id)).collect()
}

fn lines(basis: &Basis, partner: &Handle, status: &Status) -> Vec<String> {
    let states = states(status);
    let all: u64 = states.values().sum();
    let each: Vec<_> = states.iter().map(|(state, n)| format!("{n} {state}")).collect();
    let each = if each.is_empty() { String::new() } else { format!(": {}", each.join(", ")) };
    let who = cells::who(partner, basis.name(partner));
    let pledges = count(all, "pledge", "pledges");
    let suspended = if basis.roster().is_suspended(partner) { ", suspended by the others" } else { "" };
    let mut lines = vec![format!("{who}{suspended}, at {}: {pledges}{each}.", basis.moment())];
    lines.push(match status.obligations.len() {
        0 => "Owed so far: nothing.".to_owned(),
        n => format!("Owed: {n}: {}.", tally(&status.tally)),
    });
    lines.push(not_kept(status));
    lines.extend(sums(status));
    lines.push(match status.contested {
        0 => "Contested: nothing.".to_owned(),
        n => format!("Contested: {n} of what is owed ({}).", cells::ids(&contested(status))),
    });
    let apart = [
        (status.recorded.len(), "recorded by observers, not pledged"),
        (status.exercises.len(), "called upon in exercises"),
    ];
    let apart: Vec<_> = apart.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !apart.is_empty() {
        lines.push(format!("Apart from this: {}.", apart.join(", ")));
    }
    lines.extend(basis.last_lines());
    lines
}

/// What was not kept by its day, with the ids to go on from.
fn not_kept(status: &Status) -> String {
    let words = [
        (Verdict::Declined, "declined"),
        (Verdict::PartKept, "part kept"),
        (Verdict::KeptLate, "kept late"),
        (Verdict::Claimed, "claimed, not confirmed"),
    ];
    let of = |verdict| status.obligations.iter().filter(move |row| row.verdict == verdict);
    // Nothing on record, and something that was not received, are two things.
    let mut overdue: BTreeMap<&str, Vec<Hash>> = BTreeMap::new();
    for row in of(Verdict::Overdue) {
        overdue.entry(row.why).or_default().push(row.rests_on.id);
    }
    let overdue = overdue.into_iter().map(|(why, ids)| (format!("overdue: {why}"), ids));
    let others = words.into_iter().map(|(verdict, words)| (words.to_owned(), ids_of(of(verdict))));
    let each = overdue.chain(others).filter(|(_, ids)| !ids.is_empty());
    let each: Vec<_> =
        each.map(|(words, ids)| format!("{} {words} ({})", ids.len(), cells::ids(&ids))).collect();
    if each.is_empty() {
        "Nothing overdue, declined, kept in part or late, or unconfirmed.".to_owned()
    } else {
        format!("{}.", each.join("; "))
    }
}

fn sums(status: &Status) -> Vec<String> {
    let by = &status.totals.by;
    let line = |t: &servanda::ledger::answers::Total| {
        let (claimed, confirmed) =
            (cells::recorded(t.claimed.as_ref()), cells::recorded(t.confirmed.as_ref()));
        format!(
            "{}, {}, {}: promised {}; claimed {claimed}; confirmed {confirmed}; outstanding {}.",
            cells::label(&t.unit),
            t.bound.words(),
            count(t.pledges, "pledge", "pledges"),
            t.promised,
            t.outstanding,
        )
    };
    let mut lines: Vec<String> = by.iter().take(SUMS).map(line).collect();
    let mut rest = Vec::new();
    if by.len() > SUMS {
        rest.push(count(by.len() - SUMS, "sum in another bound or unit", "sums in other bounds or units"));
    }
    rest.extend(cells::left_out(&status.totals));
    if !rest.is_empty() {
        lines.push(format!("Not in these sums: {}.", rest.join(", ")));
    }
    lines
}
