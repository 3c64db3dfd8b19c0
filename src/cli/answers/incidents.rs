//! `incidents`: what each observer reported, side by side.

use super::agenda::aspect;
use super::basis::{Basis, BasisArgs};
use super::cells;
use crate::cli::plain::{cut, quoted, word};
use crate::cli::words::Page;
use crate::cli::{Context, Outcome};
use serde_json::json;
use servanda::field::Handle;
use servanda::ledger::answers::{AspectTally, IncidentRow, ReportRow, incidents, observations};
use servanda::statement::body::{Figure, When};
use servanda::text::count;

const AFTER: &str = "\
Figures stand beside each other as each observer gave them: they are never averaged. Whether an incident is \
established is a fact of the log by the charter's quorum, not a judgement.

EXAMPLE
  servanda incidents --log paris
  servanda incidents --log paris --at 2027-01-01";

/// How wide a figure's measure and period may be in a table, both together.
const FIGURE: usize = 100;

/// Show incidents as each observer reported them, and who vouches for which
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    basis: BasisArgs,
}

/// Runs the verb.
///
/// # Errors
/// When the log cannot be read.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let basis = Basis::open(context, &args.basis)?;
    let (real, exercises): (Vec<_>, Vec<_>) =
        incidents(basis.ledger(), basis.when).into_iter().partition(|i| !i.exercise);
    let observations = observations(basis.ledger(), basis.when);
    let answer = json!({"incidents": real, "exercises": exercises, "observations": observations});
    basis.json(context, "reports", &answer)?;
    let name = |handle: &Handle| basis.name(handle);
    let mut page = Page::new(&name);
    page.sentence(format!("Incidents at {}: {}", basis.moment(), real.len()));
    let quorum = basis.roster().charter.rules.incident_quorum.count;
    real.iter().for_each(|incident| show(&mut page, incident, quorum));
    if !exercises.is_empty() {
        page.gap();
        page.sentence(format!("Exercises: {}; nothing is owed because of them", exercises.len()));
        exercises.iter().for_each(|incident| show(&mut page, incident, quorum));
    }
    // On most of them nobody says anything but their reporter: those are figures, and a table shows more of them.
    let (alone, others): (Vec<_>, Vec<_>) = observations.iter().partition(|report| is_alone(report));
    if !observations.is_empty() {
        page.gap();
        page.sentence(observed(&observations));
        for report in others {
            page.gap();
            show_report(&mut page, report);
        }
    }
    page.finish().iter().for_each(|line| context.screen.say(line));
    if !alone.is_empty() {
        context.screen.say("");
        let mut rows = cells::headed(&["by", "when", "where", "figure", "value", "id", ""]);
        rows.extend(alone.into_iter().flat_map(rows_of));
        cells::table(&context.screen, &rows);
    }
    Ok(basis.finish(context))
}

/// How many observations there are, and how many of them their author has replaced.
fn observed(all: &[ReportRow]) -> String {
    let replaced = match all.iter().filter(|report| report.superseded_by.is_some()).count() {
        0 => String::new(),
        n => format!(", {n} of them superseded"),
    };
    format!("Observations, which report no incident: {}{replaced}", all.len())
}

/// Whether nobody but its reporter says anything of it.
fn is_alone(report: &ReportRow) -> bool {
    report.against.is_empty()
        && report.actor.is_none()
        && report.tally.iter().all(|tally| tally.disputed.is_empty() && tally.attested.len() <= 1)
}

/// A line for each figure of an observation.
fn rows_of(report: &ReportRow) -> Vec<Vec<String>> {
    let (from, to) = (point(report.from), point(report.to));
    let when = if from == to { from } else { format!("{from} to {to}") };
    let mut marks = Vec::new();
    marks.extend(report.superseded_by.map(|by| format!("superseded by {}", by.short())));
    marks.extend(report.disowned.then(|| "disowned: said with a stolen key".to_owned()));
    let row = |region: &str, figure: String, value: String| {
        let at = if region.is_empty() { report.place.as_str() } else { region };
        let at = if at.is_empty() { cells::NONE.to_owned() } else { cells::label(at) };
        let (by, id) = (report.said.by.to_string(), report.said.id.short());
        vec![by, when.clone(), at, figure, value, id, marks.join(", ")]
    };
    if report.figures.is_empty() {
        return vec![row("", "not recorded".to_owned(), String::new())];
    }
    report.figures.iter().map(|f| row(&f.region, measured(f), f.value.grouped())).collect()
}

fn show(page: &mut Page<'_>, incident: &IncidentRow, quorum: u64) {
    page.gap();
    page.sentence(format!("Incident {}", incident.said.id.short()));
    let established = match (&incident.established, &incident.report) {
        (Some(by), Some(report)) => {
            let report = report.short();
            format!("by entry {}, {}, as report {report} has it: {}", by.index, by.at, by.id.short())
        }
        _ => format!("no: no report has reached the quorum of {quorum}"),
    };
    page.row("established", established);
    let called = match incident.called.len() {
        0 => "nothing".to_owned(),
        n => format!("{}: {}", count(n, "pledge", "pledges"), cells::ids(&incident.called)),
    };
    page.row("called upon", called);
    for report in &incident.reports {
        page.gap();
        show_report(page, report);
    }
}

fn show_report(page: &mut Page<'_>, report: &ReportRow) {
    let said = &report.said;
    let who = page.who(&said.by);
    page.row("report of", format!("{who}, entry {}, {}: {}", said.index, said.at, said.id.short()));
    if let Some(by) = &report.superseded_by {
        page.row("", format!("superseded by its author: {}", by.short()));
    }
    if report.disowned {
        page.row("", "disowned: said with a stolen key");
    }
    if !report.kinds.is_empty() {
        page.row("kinds", report.kinds.iter().map(|k| quoted(k)).collect::<Vec<_>>().join(", "));
    }
    let against: Vec<_> = report.against.iter().map(cells::party).collect();
    page.row("against", if against.is_empty() { "not recorded".to_owned() } else { against.join(", ") });
    page.row("actor", report.actor.as_ref().map_or_else(|| "not recorded".to_owned(), cells::party));
    if !report.place.is_empty() {
        page.row("place", quoted(&report.place));
    }
    page.row("time", format!("{} to {}", point(report.from), point(report.to)));
    if report.figures.is_empty() {
        page.row("figures", "not recorded");
    }
    for figure in &report.figures {
        page.row("figure", figure_words(figure));
    }
    for tally in &report.tally {
        page.row(aspect(tally.aspect), tally_words(tally));
    }
}

fn point(when: When) -> String {
    match when {
        When::Instant(at) => at.to_string(),
        When::Day(day) => day.to_string(),
    }
}

fn figure_words(figure: &Figure) -> String {
    let mut out = format!("{}: {}", quoted(&figure.measure), figure.value.grouped());
    for (word, text) in [("in", &figure.region), ("period", &figure.period)] {
        if !text.is_empty() {
            out += &format!(", {word} {}", quoted(text));
        }
    }
    out
}

/// What is measured, and when.
fn measured(figure: &Figure) -> String {
    let period = if figure.period.is_empty() { String::new() } else { format!(", {}", word(&figure.period)) };
    cut(&format!("{}{period}", word(&figure.measure)), FIGURE)
}

fn tally_words(tally: &AspectTally) -> String {
    let side = |counted: usize, said: &[servanda::ledger::Said], word: &str| {
        let who = cells::distinct(said);
        let all = if counted == who.len() { String::new() } else { format!(", {counted} of them counted") };
        let who = if who.is_empty() { "nobody".to_owned() } else { cells::handles(&who) };
        format!("{word} by {who}{all}")
    };
    let mut out = side(tally.counted_for, &tally.attested, "vouched for");
    if !tally.disputed.is_empty() {
        out += &format!("; {}", side(tally.counted_against, &tally.disputed, "disputed"));
    }
    let ids: Vec<_> = tally.disputed.iter().chain(&tally.attested).map(|s| s.id).collect();
    format!("{out}: {}", cells::ids(&ids))
}
