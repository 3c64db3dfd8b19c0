//! `export`: a log for other programs, a line an entry.

use super::open::{Log, LogArgs};
use super::plain::plain;
use super::problem::Hint as _;
use super::screen::{Screen, until_closed};
use super::walk::{Order, walk};
use super::{Context, Outcome, files, words};
use serde_json::json;
use servanda::charter::Sealable;
use servanda::entry::{EntryError, SignedEntry};
use servanda::field::{Class, Handle};
use servanda::hash::Hash;
use servanda::statement::Act;
use servanda::statement::body::{Obligation, Occasion, Received, Subject, Withdrawn};
use servanda::statement::terms::{Amount, Quantity, Terms};
use servanda::text::count;
use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

const AFTER: &str = "\
jsonl has all that the entries say, in the form in which acts can be drafted; csv the main columns of it, for \
spreadsheets. Characters that do not show are written out in csv, and what a spreadsheet would take for a formula gets \
an apostrophe before it.

EXAMPLE
  servanda export --log paris --out paris.jsonl
  servanda export --log paris --format csv > paris.csv";

/// The columns of CSV.
const COLUMNS: [&str; 22] = [
    "index",
    "id",
    "sequenced_at",
    "author",
    "class",
    "kind",
    "act",
    "seq",
    "issued_at",
    "expires_at",
    "to",
    "on",
    "reference",
    "title",
    "instruments",
    "force",
    "bound",
    "amount",
    "unit",
    "valid_from",
    "valid_until",
    "summary",
];

/// Write a log for other programs, a line an entry
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    log: LogArgs,
    /// How to write it
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// A new file to write to, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A format for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// JSON lines: an object a line
    Jsonl,
    /// Comma-separated values, the first line naming them
    Csv,
}

/// Runs the verb.
///
/// # Errors
/// When the log cannot be read, or the file not written.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let screen = &context.screen;
    let log = Log::open(&args.log, screen)?;
    log.caution(screen);
    match &args.out {
        None => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            until_closed(write(&log, screen, args.format, &mut out), ())?;
        }
        Some(path) => {
            files::must_be_free(path)?;
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let cannot = || format!("{} cannot be written", path.display());
            let hint = || "check the folder's permissions, or name another path".to_owned();
            let mut file = tempfile::NamedTempFile::new_in(folder).or_hint(cannot, hint)?;
            let mut out = BufWriter::new(file.as_file_mut());
            write(&log, screen, args.format, &mut out)?;
            drop(out);
            file.as_file().set_permissions(Permissions::from_mode(files::PUBLIC)).or_hint(cannot, hint)?;
            file.as_file().sync_all().or_hint(cannot, hint)?;
            file.persist_noclobber(path).or_hint(cannot, hint)?;
            let entries = count(log.checkpoint.size(), "entry is", "entries are");
            screen.note(format!("{entries} in {}", path.display()));
        }
    }
    Ok(Outcome::Good)
}

fn write(log: &Log, screen: &Screen, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut client = log.client()?;
    let size = client.size();
    let bar = screen.progress(size, "exporting");
    if format == Format::Csv {
        out.write_all(&line(&COLUMNS.map(str::to_owned))?)?;
    }
    walk(&mut client, 0..size, Order::Forward, &mut |index, bytes| {
        let entry = SignedEntry::decode(bytes);
        match format {
            Format::Jsonl => writeln!(out, "{}", object(index, bytes, &entry))?,
            Format::Csv => out.write_all(&line(&record(index, &entry))?)?,
        }
        bar.set_position(index + 1);
        Ok(ControlFlow::Continue(()))
    })?;
    bar.finish_and_clear();
    Ok(out.flush()?)
}

/// A line of comma-separated values (RFC 4180, with a bare line feed).
fn line(cells: &[String]) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(cells)?;
    Ok(csv.into_inner().map_err(|e| e.into_error())?)
}

fn object(index: u64, bytes: &[u8], entry: &Result<SignedEntry, EntryError>) -> serde_json::Value {
    match entry {
        Ok(e) => words::json(e),
        Err(error) => json!({"index": index, "undecodable": error.to_string(), "bytes": hex::encode(bytes)}),
    }
}

/// The cells of an entry, in the columns' order.
fn record(index: u64, entry: &Result<SignedEntry, EntryError>) -> [String; COLUMNS.len()] {
    let mut cells = BTreeMap::from([("index", index.to_string())]);
    match entry {
        Err(error) => {
            cells.insert("summary", format!("cannot be read: {error}"));
        }
        Ok(e) => {
            let s = &e.statement;
            cells.extend([
                ("id", e.id.to_string()),
                ("sequenced_at", e.entry.sequenced_at.to_string()),
                ("author", s.author.to_string()),
                ("class", Class::from_number(s.class).map_or(String::new(), |c| c.to_string())),
                ("kind", s.kind.to_string()),
                ("seq", s.seq.to_string()),
                ("issued_at", s.issued_at.to_string()),
                ("expires_at", s.expires_at.to_string()),
                ("summary", words::summary(s)),
            ]);
            if let Ok(act) = e.act() {
                cells.insert("act", act.kind().name().to_owned());
                of_act(&mut cells, act);
            }
        }
    }
    COLUMNS.map(|column| guarded(&cells.remove(column).unwrap_or_default()))
}

type Cells = BTreeMap<&'static str, String>;

fn of_act(cells: &mut Cells, act: &Act) {
    let handles = |all: &[Handle]| all.iter().map(Handle::as_str).collect::<Vec<_>>().join(" ");
    let on = |ids: &[Hash]| ids.iter().map(Hash::to_string).collect::<Vec<_>>().join(" ");
    let obligation = |o: &Obligation| match &o.occasion {
        Occasion::Due(n) => format!("{} due {n}", o.pledge),
        Occasion::Call(id) => format!("{} call {id}", o.pledge),
    };
    let subject = |s: &Subject| match s {
        Subject::Statement(id) => id.to_string(),
        Subject::Obligation(o) => obligation(o),
    };
    let (to, on, terms) = match act {
        Act::Pledge(p) => (handles(&p.to), String::new(), Some(&p.terms)),
        Act::Record(r) => (handles(&r.to), String::new(), Some(&r.terms)),
        Act::Amend(a) => (handles(&a.to), a.statement.to_string(), Some(&a.terms)),
        Act::Accept(a) => (String::new(), on(&a.statements), None),
        Act::Join(j) => (String::new(), j.statement.to_string(), None),
        Act::Adopt(a) => (String::new(), a.record.to_string(), None),
        Act::Approve(a) => (String::new(), a.motion.to_string(), None),
        Act::Notice(n) => (String::new(), n.statement.to_string(), None),
        Act::Invoke(i) => (String::new(), on(&i.pledges), None),
        Act::Withdraw(w) => match &w.from {
            Withdrawn::Pledges(ids) => (String::new(), on(ids), None),
            Withdrawn::Agreement(annex) => (String::new(), format!("annex {annex}"), None),
        },
        Act::Attest(a) => (String::new(), subject(&a.on), None),
        Act::Dispute(d) => (String::new(), subject(&d.on), None),
        Act::Respond(r) => (String::new(), obligation(&r.obligation), None),
        Act::Confirm(c) => (String::new(), c.response.to_string(), None),
        Act::Reveal(r) => (String::new(), format!("{} {}", r.statement, r.field), None),
        _ => return,
    };
    cells.extend([("to", to), ("on", on)]);
    match (act, terms) {
        (_, Some(Sealable::Open(terms))) => of_terms(cells, terms),
        (_, Some(Sealable::Sealed(seal))) => {
            cells.insert("title", format!("sealed: {seal}"));
        }
        (Act::Respond(r), _) => of_amount(cells, r.quantity.as_ref()),
        (Act::Confirm(c), _) => {
            if let Received::InPart(amount) = &c.received {
                of_amount(cells, Some(amount));
            }
        }
        _ => {}
    }
}

fn of_terms(cells: &mut Cells, t: &Terms) {
    let instruments: Vec<_> = t.instruments.iter().map(|i| i.name()).collect();
    cells.extend([
        ("reference", t.reference.as_deref().unwrap_or_default().to_owned()),
        ("title", t.title.to_string()),
        ("instruments", instruments.join("; ")),
        ("force", words::force(t.force).to_owned()),
        ("valid_from", t.valid_from.to_string()),
        ("valid_until", t.valid_until.map_or(String::new(), |at| at.to_string())),
    ]);
    match &t.quantity {
        Quantity::None => {}
        Quantity::Sealed(seal) => {
            cells.insert("bound", format!("sealed: {seal}"));
        }
        Quantity::Open(q) => cells.extend([
            ("bound", q.bound.words().to_owned()),
            ("amount", q.amount.to_string()),
            ("unit", q.unit.to_string()),
        ]),
    }
}

fn of_amount(cells: &mut Cells, amount: Option<&Amount>) {
    if let Some(a) = amount {
        cells.extend([("amount", a.amount.to_string()), ("unit", a.unit.to_string())]);
    }
}

/// A cell that shows what is in it, and that no spreadsheet computes.
fn guarded(cell: &str) -> String {
    let shown = plain(cell);
    // Some take fullwidth signs for the same, and look past blanks.
    let formula = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    if shown.trim_start().starts_with(formula) { format!("'{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_a_second_line() {
        assert_eq!(guarded("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(guarded("-1+2"), "'-1+2");
        assert_eq!(guarded(" =1"), "' =1");
        assert_eq!(guarded("\u{ff1d}1"), "'\u{ff1d}1");
        assert_eq!(guarded("a\r\n=1"), "a\\r\\n=1");
        assert_eq!(guarded("\t=1"), "\\t=1");
        assert_eq!(guarded("7100000000"), "7100000000");
    }
}
