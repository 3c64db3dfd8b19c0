//! `log`: what is in a log, a line an entry.

use super::open::{self, LogArgs};
use super::screen::until_closed;
use super::walk::{Order, walk};
use super::{Context, Outcome, plain, words};
use dialoguer::console::Term;
use serde_json::json;
use servanda::entry::{EntryError, SignedEntry};
use servanda::field::{Class, Handle};
use servanda::statement::Kind;
use std::io::{BufWriter, IsTerminal as _, Write};
use std::ops::ControlFlow;

const AFTER: &str = "\
The columns: index, time by the operator's clock, author, the id's first digits, what it does. With --json, one object \
a line. The entries are those that the checkpoint commits to; who signed them is for `show` and `verify` to tell.

EXAMPLE
  servanda log --log paris --author de --kind pledge
  servanda log --log paris --reverse --limit 20";

/// List what is in a log, a line an entry
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    log: LogArgs,
    /// Only what this partner said
    #[arg(long, value_name = "HANDLE")]
    author: Option<Handle>,
    /// Only acts of this kind, by name or number
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<u16>,
    /// The latest first
    #[arg(long)]
    reverse: bool,
    /// At most so many lines
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// Reads a kind's name or number.
pub fn kind(text: &str) -> Result<u16, String> {
    let named = Kind::ALL.iter().find(|k| k.name() == text).map(|k| k.number());
    named.or_else(|| text.parse().ok()).ok_or_else(|| {
        let names: Vec<_> = Kind::ALL.iter().map(|k| k.name()).collect();
        format!("want a number or one of {}", names.join(", "))
    })
}

/// Runs the verb.
///
/// # Errors
/// When the log cannot be read, or is not what its checkpoint commits to.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let log = open::Log::open(&args.log, &context.screen)?;
    log.caution(&context.screen);
    let mut client = log.client()?;
    let size = client.size();
    let handles = log.founded.charter.partners.iter().map(|p| p.handle.as_str().len());
    let columns = Columns {
        index: size.saturating_sub(1).to_string().len(),
        author: handles.max().unwrap_or(0).max("operator".len()),
        screen: std::io::stdout().is_terminal().then(|| usize::from(Term::stdout().size().1)),
    };
    let mut out = BufWriter::new(anstream::stdout());
    let order = if args.reverse { Order::Backward } else { Order::Forward };
    let mut left = args.limit.unwrap_or(u64::MAX);
    let walked = walk(&mut client, 0..size, order, &mut |index, bytes| {
        if left == 0 {
            return Ok(ControlFlow::Break(()));
        }
        let entry = SignedEntry::decode(bytes);
        if args.wants(&entry) {
            let line =
                if context.screen.is_json() { object(index, &entry) } else { columns.line(index, &entry) };
            writeln!(out, "{line}")?;
            left -= 1;
        }
        Ok(ControlFlow::Continue(()))
    });
    until_closed(walked.and_then(|()| Ok(out.flush()?)), ())?;
    Ok(Outcome::Good)
}

impl Args {
    /// What cannot be read is nobody's, and of no kind.
    fn wants(&self, entry: &Result<SignedEntry, EntryError>) -> bool {
        match entry {
            Err(_) => self.author.is_none() && self.kind.is_none(),
            Ok(e) => {
                self.author.as_ref().is_none_or(|want| *want == e.statement.author)
                    && self.kind.is_none_or(|want| want == e.statement.kind)
            }
        }
    }
}

/// How wide the columns are.
struct Columns {
    index: usize,
    author: usize,
    /// Where lines are cut off, on a terminal, lest it break them itself.
    screen: Option<usize>,
}

impl Columns {
    fn line(&self, index: u64, entry: &Result<SignedEntry, EntryError>) -> String {
        let line = match entry {
            Ok(e) => {
                let s = &e.statement;
                let summary = words::summary(s);
                // The author has a column of its own.
                let said = summary.strip_prefix(s.author.as_str()).unwrap_or(&summary);
                let said = said.trim_start_matches([':', ' ']);
                let (id, at, author) = (e.id.short(), e.entry.sequenced_at, &s.author);
                format!("{index:>i$}  {at:24}  {author:a$}  {id}  {said}", i = self.index, a = self.author)
            }
            Err(error) => {
                let error = plain::plain(&error.to_string());
                format!("{index:>i$}  cannot be read: {error}", i = self.index)
            }
        };
        self.screen.map_or(line.clone(), |width| plain::cut(&line, width))
    }
}

fn object(index: u64, entry: &Result<SignedEntry, EntryError>) -> String {
    match entry {
        Ok(e) => json!({
            "index": index,
            "sequenced_at": e.entry.sequenced_at,
            "author": e.statement.author,
            "class": Class::from_number(e.statement.class).map(Class::name),
            "kind": e.statement.kind,
            "id": e.id,
            "summary": words::summary(&e.statement),
        }),
        Err(error) => json!({"index": index, "undecodable": error.to_string()}),
    }
    .to_string()
}
