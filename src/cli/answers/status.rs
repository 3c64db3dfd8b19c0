//! `status`: how things stand, or what changed between two moments.

use super::basis::{Basis, BasisArgs};
use super::cells;
use super::cells::headed;
use crate::cli::plain::plain;
use crate::cli::problem::Problem;
use crate::cli::screen::Screen;
use crate::cli::{Context, Outcome};
use serde_json::json;
use servanda::field::{Handle, Instant, Sum};
use servanda::ledger::answers::{
    Cell, Change, Changed, Filter, Matrix, ObligationRow, PledgeRow, Status, Sums, Tally, changes,
};
use servanda::ledger::verdict::Verdict;
use servanda::statement::terms::Instrument;

const AFTER: &str = "\
A pledge in force towards some and not towards others has a line for each. Each line ends with the id that it rests \
on: `servanda show ID` tells what was said, `servanda prove ID` proves it. Sums are exact; they keep bound and unit \
apart, leave out parts of other pledges, and count what is undisclosed.

EXAMPLE
  servanda status --log paris
  servanda status --log paris --partner de --verdict overdue
  servanda status --log paris --matrix --at 2027-06-30
  servanda status --log paris --diff 2026-12-01 2027-06-01";

/// Show how pledges, and what is owed under them, stand
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    basis: BasisArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// Partners against instruments
    #[arg(long, conflicts_with = "diff")]
    matrix: bool,
    /// What changed between two moments
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"], conflicts_with_all = ["at", "state", "verdict"])]
    diff: Option<Vec<Instant>>,
}

/// Which pledges and obligations.
#[derive(clap::Args)]
pub struct FilterArgs {
    /// Only what this partner owes
    #[arg(long, value_name = "HANDLE")]
    partner: Option<Handle>,
    /// Only what is owed to this partner
    #[arg(long, value_name = "HANDLE")]
    to: Option<Handle>,
    /// Only by this means: military, economic, political, humanitarian, or the charter's own
    #[arg(long, value_name = "NAME")]
    instrument: Option<String>,
    /// Only pledges that stand so, e.g. "in force", proposed, expired
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Only obligations of which this became, e.g. kept, overdue, "kept late"
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    verdict: Option<Verdict>,
}

fn verdict(text: &str) -> Result<Verdict, String> {
    let same = |v: &&Verdict| v.words() == text || v.words().replace(' ', "-") == text;
    Verdict::ALL.iter().find(same).copied().ok_or_else(|| {
        let all: Vec<_> = Verdict::ALL.iter().map(|v| v.words()).collect();
        format!("want one of: {}", all.join(", "))
    })
}

impl FilterArgs {
    /// The filter.
    ///
    /// # Errors
    /// When it names what is not there: an empty answer would be read as good news.
    fn filter(&self, basis: &Basis) -> anyhow::Result<Filter> {
        for handle in self.partner.iter().chain(&self.to) {
            basis.check_partner(handle)?;
        }
        let state = self.state.as_ref().map(|state| state.replace('-', " "));
        let words = servanda::ledger::State::WORDS;
        if state.as_deref().is_some_and(|state| !words.contains(&state)) {
            return Err(Problem::new("no pledge can stand so")
                .hint(format!("--state wants one of: {}", words.join(", ")))
                .into());
        }
        let instrument = self.instrument.as_deref().map(Instrument::named).transpose()?;
        if let Some(Instrument::Other(name)) = &instrument
            && !basis.roster().charter.rules.instruments.contains(name)
        {
            return Err(Problem::new("the charter names no such instrument")
                .hint("want military, economic, political, humanitarian, or one that its rules name")
                .into());
        }
        let (by, to) = (self.partner.clone(), self.to.clone());
        Ok(Filter { by, to, instrument, state, verdict: self.verdict })
    }
}

/// Runs the verb.
///
/// # Errors
/// When the log cannot be read, or is not what its checkpoint commits to.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let basis = Basis::open(context, &args.basis)?;
    let filter = args.filter.filter(&basis)?;
    if let Some(moments) = &args.diff {
        return diff(context, basis, &filter, moments);
    }
    let status = Status::of(basis.ledger(), basis.when, &filter);
    if args.matrix {
        let matrix = Matrix::of(&status);
        basis.json(context, "matrix", &matrix)?;
        show_matrix(&context.screen, &basis, &matrix);
    } else {
        basis.json(context, "status", &status)?;
        show(&context.screen, &basis, &status);
    }
    Ok(basis.finish(context))
}

fn show(screen: &Screen, basis: &Basis, status: &Status) {
    screen.say(format!("Status at {}", basis.moment()));
    screen.say("");
    if status.pledges.is_empty() {
        screen.say("No pledges.");
    } else {
        cells::table(screen, &pledge_rows(&status.pledges));
    }
    if !status.obligations.is_empty() {
        screen.say("");
        screen.say(format!("Owed: {}", tally(&status.tally)));
        cells::table(screen, &obligation_rows(&status.obligations));
    }
    if !status.pledges.is_empty() {
        cells::totals(screen, "pledges", &status.totals);
    }
    if status.totals.parts > 0 {
        cells::totals(screen, "parts of other pledges, left out above", &status.parts);
    }
    if !status.recorded.is_empty() {
        screen.say("");
        screen.say("Recorded, not pledged");
        cells::table(screen, &pledge_rows(&status.recorded));
        cells::totals(screen, "what is recorded, not pledged", &status.recorded_totals);
    }
    if !status.exercises.is_empty() {
        screen.say("");
        screen.say("Exercises: nothing is owed");
        cells::table(screen, &obligation_rows(&status.exercises));
    }
}

/// How many became what, in words.
pub fn tally(tally: &Tally) -> String {
    let each = tally.iter().map(|(verdict, n)| format!("{n} {}", verdict.words()));
    each.collect::<Vec<_>>().join(", ")
}

fn pledge_rows(pledges: &[PledgeRow]) -> Vec<Vec<String>> {
    let mut rows = headed(&["partner", "pledge", "to", "instrument", "quantity", "state", "id"]);
    for row in pledges {
        let part = if row.within.is_some() { " (part)" } else { "" };
        rows.push(vec![
            row.promisor.as_ref().map_or_else(|| cells::handles(&row.by), cells::party),
            cells::pledge(row.reference.as_ref(), row.title.as_ref()),
            cells::handles(&row.to),
            cells::instruments(&row.instruments),
            cells::quantity(&row.quantity) + part,
            cells::stands(row),
            row.rests_on.id.short(),
        ]);
    }
    rows
}

fn obligation_rows(obligations: &[ObligationRow]) -> Vec<Vec<String>> {
    let heading = ["partner", "pledge", "occasion", "to", "due", "verdict", "claimed", "confirmed", "id"];
    let mut rows = headed(&heading);
    for row in obligations {
        let sum = |of: fn(&Sums) -> Option<&Sum>| match (&row.sums, row.undisclosed) {
            (None, true) => "undisclosed".to_owned(),
            (None, false) => cells::NONE.to_owned(),
            (Some(sums), _) => match of(sums) {
                Some(sum) => format!("{sum} {}", cells::label(&sums.unit)),
                None => cells::recorded(None),
            },
        };
        rows.push(vec![
            cells::handles(&row.by),
            cells::pledge(row.reference.as_ref(), Some(&row.title)),
            cells::label(&row.label),
            cells::handles(&row.to),
            cells::by(row.deadline),
            cells::verdict(row),
            sum(|sums| sums.claimed.as_ref()),
            sum(|sums| sums.confirmed.as_ref()),
            row.rests_on.id.short(),
        ]);
    }
    rows
}

fn show_matrix(screen: &Screen, basis: &Basis, matrix: &Matrix) {
    screen.say(format!("Partners and instruments at {}", basis.moment()));
    screen.say("");
    if matrix.rows.is_empty() {
        screen.say("No pledges.");
        return;
    }
    let instruments = matrix.instruments.iter().map(|i| cells::label(i.name()));
    let mut rows = vec![std::iter::once("partner".to_owned()).chain(instruments).collect::<Vec<_>>()];
    for row in &matrix.rows {
        rows.push(std::iter::once(row.partner.to_string()).chain(row.cells.iter().map(cell)).collect());
    }
    cells::table(screen, &rows);
    screen.say("");
    screen.say(
        "A pledge by several means counts under each; one that several owe jointly, under each of them.",
    );
}

fn cell(cell: &Cell) -> String {
    let states = [(cell.in_force, "in force"), (cell.open, "open"), (cell.over, "over")];
    let states = states.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    let mut parts: Vec<String> = states.collect();
    if !cell.tally.is_empty() {
        parts.push(format!("owed: {}", tally(&cell.tally)));
    }
    if parts.is_empty() { cells::NONE.to_owned() } else { parts.join("; ") }
}

fn diff(context: &Context, basis: Basis, filter: &Filter, moments: &[Instant]) -> anyhow::Result<Outcome> {
    let screen = &context.screen;
    let [from, to] = moments else { return Err(Problem::new("want two moments").into()) };
    if from > to {
        return Err(Problem::new("the first moment lies after the second").into());
    }
    let basis = basis.at(*from)?;
    let before = Status::of(basis.ledger(), basis.when, filter);
    let basis = basis.at(*to)?;
    let after = Status::of(basis.ledger(), basis.when, filter);
    let changes = changes(&before, &after);
    basis.json(context, "diff", &json!({"from": from, "to": to, "changes": changes}))?;
    screen.say(format!("What changed from {from} to {}", basis.moment()));
    screen.say("");
    if changes.is_empty() {
        screen.say("Nothing.");
    } else {
        let mut rows = headed(&["partner", "pledge", "occasion", "towards", "change", "id"]);
        rows.extend(changes.iter().map(change_row));
        cells::table(screen, &rows);
    }
    Ok(basis.finish(context))
}

fn change_row(change: &Change) -> Vec<String> {
    let what = match &change.what {
        Changed::New(stands) => format!("new: {}", plain(stands)),
        Changed::State { from, to } => format!("{} -> {}", plain(from), plain(to)),
        Changed::Version { from, to } => format!("terms: version {from} -> {to}"),
        Changed::Owed(verdict) => format!("owed: {}", verdict.words()),
        Changed::Verdict { from, to } => format!("{} -> {}", from.words(), to.words()),
        Changed::NotOwed(verdict) => format!("no longer owed: {} before", verdict.words()),
        Changed::Contested { from, to } => format!("disputes: {from} -> {to}"),
        Changed::Opened(what) => format!("revealed: {}", plain(what)),
    };
    vec![
        cells::handles(&change.by),
        cells::pledge(change.reference.as_ref(), change.title.as_ref()),
        change.label.as_deref().map_or_else(|| cells::NONE.to_owned(), cells::label),
        change.towards.as_ref().map_or_else(|| cells::NONE.to_owned(), ToString::to_string),
        what,
        change.rests_on.id.short(),
    ]
}
