//! Words that tables share; texts of others only as `plain` shows them, and cut to a column.

use crate::cli::plain::{cut, plain, quoted, word, wrap_hanging};
use crate::cli::screen::{self, Screen};
use dialoguer::console::Term;
use servanda::field::{Handle, Instant, Short, Sum};
use servanda::hash::Hash;
use servanda::ledger::Said;
use servanda::ledger::answers::{ObligationRow, PledgeRow, Total, Totals};
use servanda::ledger::verdict::Verdict;
use servanda::statement::body::Party;
use servanda::statement::terms::{Instrument, Quantity};
use std::io::IsTerminal as _;

/// How wide a title may be in a table.
const TITLE: usize = 40;

/// How wide any other text of others may be.
const LABEL: usize = 28;

/// What stands where nothing is to be said.
pub const NONE: &str = "–";

/// Partners by their handles.
pub fn handles(all: &[Handle]) -> String {
    if all.is_empty() {
        NONE.to_owned()
    } else {
        all.iter().map(Handle::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// A partner by name and handle.
pub fn who(handle: &Handle, name: Option<String>) -> String {
    name.map_or_else(|| handle.to_string(), |name| format!("{} ({handle})", word(&name)))
}

/// A pledge by its reference, then title.
pub fn pledge(reference: Option<&Short>, title: Option<&Short>) -> String {
    let title = title.map_or_else(|| "sealed terms".to_owned(), |title| word(title));
    match reference {
        // What follows a reference that fills the column would be quotation marks alone.
        Some(reference) => cut(&format!("{} {title}", label(reference)), TITLE),
        None => short(&title, TITLE),
    }
}

/// A label that others chose.
pub fn label(text: &str) -> String {
    short(&word(text), LABEL)
}

/// A pledge by its reference or title alone.
pub fn title(text: &str) -> String {
    short(&word(text), TITLE)
}

/// The beginning of a word, its closing quotation mark kept.
fn short(word: &str, width: usize) -> String {
    let shown = cut(word, width);
    if shown != word && word.starts_with('"') { cut(word, width - 1) + "\"" } else { shown }
}

/// Means, in words.
pub fn instruments(all: &[Instrument]) -> String {
    let names = all.iter().map(|i| label(i.name())).collect::<Vec<_>>();
    if names.is_empty() { NONE.to_owned() } else { names.join(", ") }
}

/// A quantity as a table has it.
pub fn quantity(q: &Quantity) -> String {
    match q {
        Quantity::None => NONE.to_owned(),
        Quantity::Open(q) => format!("{} {} {}", q.bound.words(), q.amount.grouped(), label(&q.unit)),
        Quantity::Sealed(_) => "undisclosed".to_owned(),
    }
}

/// A moment, or that there is none.
pub fn by(at: Option<Instant>) -> String {
    at.map_or_else(|| "no deadline".to_owned(), |at| at.to_string())
}

/// A partner, or somebody else between quotation marks.
pub fn party(party: &Party) -> String {
    match party {
        Party::Handle(handle) => handle.to_string(),
        Party::Name(name) => quoted(name),
    }
}

/// How a pledge stands, with what is announced.
pub fn stands(row: &PledgeRow) -> String {
    let mut out = match row.state {
        word @ ("proposed" | "in force" | "recorded" | "adopted") => word.to_owned(),
        _ => plain(row.stands.trim_start_matches("is ").trim_start_matches("was ")),
    };
    if let Some(at) = row.ends_at.filter(|_| !row.is_over) {
        out += &format!(", withdrawn from {at}");
    }
    if !row.reserved_by.is_empty() {
        out += &format!(", with a reservation of {}", handles(&row.reserved_by));
    }
    out
}

/// A verdict in a table, with its marks.
pub fn verdict(row: &ObligationRow) -> String {
    let mut out = match (row.verdict, &row.sums) {
        (Verdict::PartKept, Some(sums)) => {
            format!("part kept ({} of {})", recorded(sums.confirmed.as_ref()), sums.promised)
        }
        (Verdict::Overdue, _) => format!("overdue: {}", row.why),
        (verdict, _) => verdict.words().to_owned(),
    };
    if !row.contested.is_empty() {
        out += &format!(", contested by {}", handles(&distinct(&row.contested)));
    }
    if !row.attested.is_empty() {
        out += &format!(", attested by {}", handles(&distinct(&row.attested)));
    }
    if row.disowned {
        out += ", disowned";
    }
    out
}

/// Those who said something, each once.
pub fn distinct(said: &[Said]) -> Vec<Handle> {
    let mut all: Vec<Handle> = said.iter().map(|s| s.by.clone()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Ids by which one can go on, at most two of them.
pub fn ids<'h>(ids: impl IntoIterator<Item = &'h Hash>) -> String {
    let mut all: Vec<String> = Vec::new();
    for id in ids.into_iter().map(Hash::short) {
        if !all.contains(&id) {
            all.push(id);
        }
    }
    match &all[..] {
        [one, two, _, ..] => format!("{one} {two} …"),
        few => few.join(" "),
    }
}

/// How far in the rest of a line stands that a terminal is too narrow for: no text of others reaches the first column.
const INDENT: usize = 4;

/// Says a line that is fit to be shown, broken before a terminal would break it.
pub fn say(screen: &Screen, line: &str) {
    let width = std::io::stdout().is_terminal().then(|| usize::from(Term::stdout().size().1).max(5 * INDENT));
    match width {
        None => screen.say(line),
        Some(width) => {
            for (i, part) in wrap_hanging(line, width, width - INDENT).into_iter().enumerate() {
                let indent = if i == 0 { 0 } else { INDENT };
                screen.say(format!("{:indent$}{part}", ""));
            }
        }
    }
}

/// Says aligned columns; the first row is the heading.
pub fn table(screen: &Screen, rows: &[Vec<String>]) {
    screen::table(rows).iter().for_each(|line| say(screen, line));
}

/// A table's heading.
pub fn headed(heading: &[&str]) -> Vec<Vec<String>> {
    vec![heading.iter().map(|word| (*word).to_owned()).collect()]
}

/// What sums leave out, in words; nothing where they leave out nothing.
pub fn left_out(totals: &Totals) -> Option<String> {
    let of = [
        (totals.undisclosed, "undisclosed"),
        (totals.unmeasured, "without a stated quantity"),
        (totals.parts, "part of another pledge"),
        (totals.not_in_force, "not binding yet, or ended before anything was owed"),
    ];
    let parts: Vec<_> = of.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if parts.is_empty() { None } else { Some(parts.join(", ")) }
}

/// Sums as a table, with what they leave out.
pub fn totals(screen: &Screen, what: &str, totals: &Totals) {
    screen.say("");
    if totals.by.is_empty() {
        screen.say(format!("Totals of {what}: no open quantity"));
    } else {
        let heading = ["bound and unit", "pledges", "promised", "claimed", "confirmed", "outstanding"];
        let mut rows = headed(&heading);
        rows.extend(totals.by.iter().map(total));
        screen.say(format!("Totals of {what}"));
        table(screen, &rows);
    }
    if let Some(left_out) = left_out(totals) {
        say(screen, &format!("left out: {left_out}"));
    }
}

fn total(t: &Total) -> Vec<String> {
    vec![
        format!("{} {}", t.bound.words(), label(&t.unit)),
        t.pledges.to_string(),
        t.promised.to_string(),
        recorded(t.claimed.as_ref()),
        recorded(t.confirmed.as_ref()),
        t.outstanding.to_string(),
    ]
}

/// A sum, or that nothing is on record, which is not the same as 0.
pub fn recorded(sum: Option<&Sum>) -> String {
    sum.map_or_else(|| "not recorded".to_owned(), ToString::to_string)
}
