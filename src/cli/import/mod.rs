//! `import`: many statements from a table, signed in one go.
//!
//! ```text
//! rows -> fields -> acts       all of them, before anything is signed: a bad row stops the whole, or is left out
//!      -> statements           one chain, each behind the one before
//!      -> signatures           on all cores
//!      -> rounds               each of some thousand statements durable with one commit; one checkpoint at the end
//! ```

mod chain;
mod judge;
mod known;
mod mapping;
mod refusal;
mod rows;
mod sorting;
mod template;

use super::desk::{Desk, DeskArgs};
use super::keys::SignerArgs;
use super::open::read_file;
use super::plain::plain;
use super::problem::Problem;
use super::{Context, Outcome, prompts, rounds, signing};
use anyhow::Result;
use chain::{Author, Signers, Unsigned};
use clap::Args;
use judge::Judge;
use mapping::{Mapping, MappingArgs};
use serde_json::json;
use servanda::armor::File;
use servanda::codec::List;
use servanda::draft::Draft;
use servanda::field::{Duration, Handle};
use servanda::hash::Hash;
use servanda::log::MAX_ROUND;
use servanda::statement::{Kind, Statement};
use servanda::submit::Signed;
use servanda::text::count;
use sorting::{Refused, Sorted, has_own_reference};
use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The longest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 28;

const AFTER: &str = "\
A file is CSV, its first row naming the columns, or JSON lines with the fields that `--from` files have. A value with \
braces is a template:

    --map reference={ID}.{#ID}                  {#ID} numbers the rows that share an ID: 1, 2, …
    --map \"title={Items|Kind of aid}\"           the first of these that says something
    --map \"quantity=exactly {Sum} {Currency}\"   no quantity where either says nothing
    --map \"text=Explanation,text=Items: {Items}\"  a line each; lists (to, instruments) take a value each

\\, \\{ \\} and \\\\ stand for the characters themselves. Days may carry a midnight (2022-03-01 00:00:00), sums thousands' \
commas; whatever would have to be guessed is refused, with its line.

All rows are checked before anything is signed. One refused row stops the whole: nothing is signed then, and all \
refused rows are listed. With --keep-going the good ones are signed. Exit code 1 either way if any row was refused.

An import that was interrupted keeps what it committed. Statements carry the time they were signed, so the same file \
signed again makes new ones: a row whose reference is in a pledge or record of yours is refused, or passed over with \
--skip-known, which takes up where it broke off.

EXAMPLE
    servanda import pledges.csv --log paris --key keys/de-defence --set to=ua \\
        --map \"reference=No.,title=What,instruments=Kind\" --map \"quantity=up to {Sum} {Currency}\" \\
        --alias instruments:Financial=economic --absent \"n/a\"";

/// Sign many statements from a CSV or JSON lines file
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Import {
    /// The file
    file: PathBuf,
    /// What each row is: pledge, record, report, … (a JSON line may say its own `kind`)
    #[arg(long, value_name = "ACT", default_value = "pledge")]
    kind: String,
    #[command(flatten)]
    mapping: MappingArgs,
    /// What separates the cells of a CSV file: one character, or `tab`
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = separator, help_heading = "Mapping")]
    separator: u8,
    /// Sign the good rows even if others are refused; exit code 1 all the same
    #[arg(long)]
    keep_going: bool,
    /// Pass over rows whose reference a pledge or record of yours in the log has already
    #[arg(long)]
    skip_known: bool,
    #[command(flatten)]
    desk: DeskArgs,
    #[command(flatten)]
    signer: SignerArgs,
    /// The partner that signs; told by the key, unless you say it
    #[arg(long = "as", value_name = "HANDLE", env = "SERVANDA_AS", hide_env_values = true)]
    author: Option<Handle>,
    /// Sign in this class, where an act allows several
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// How long the statements may wait for the log
    #[arg(long, value_name = "DURATION", default_value = "7 days")]
    expires_in: Duration,
    /// Write the signed statements into this file, for the operator's `servanda submit`, instead of into the log
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Sign without being asked
    #[arg(long, short)]
    yes: bool,
}

fn separator(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text == "tab" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        _ => Err("want one character, e.g. ';', or tab".to_owned()),
    }
}

/// What became of the file.
struct Report {
    rows: usize,
    statements: usize,
    refused: Vec<Refused>,
    skipped: usize,
    digest: Hash,
    signed: bool,
}

/// Imports a file.
pub fn run(context: &Context, args: Import) -> Result<Outcome> {
    let kind = judge::kind_named(&args.kind).ok_or_else(|| {
        let names = Kind::ALL.iter().filter(|kind| judge::is_for_many(**kind)).map(|kind| kind.name());
        Problem::new(format!("{:?} cannot be imported", args.kind))
            .hint(format!("--kind is one of {}", names.collect::<Vec<_>>().join(", ")))
    })?;
    let (rows, mapping) = read(&args)?;
    let mut desk = Desk::open(context, &args.desk)?;
    match &args.out {
        Some(out) => super::files::must_be_free(out)?,
        None if desk.is_open() => {}
        None => return Err(closed().into()),
    }
    let keys = args.signer.load()?;
    let handle = signing::author(&desk, args.author.as_ref(), &keys)?;
    let now = context.clock.now();
    let sorted = sorted(context, &args, &desk, kind, (rows, &mapping), &handle)?;
    let author =
        Author { handle, keys: &keys, class: args.class.as_deref(), now, expires_in: args.expires_in };
    let (rows, digest, kinds) = (sorted.rows(), sorted.digest(), kinds(&sorted));
    let Sorted { ready, mut refused, skipped, .. } = sorted;
    let statements = chain::chained(&desk, &author, ready, &mut refused)?;
    let signers = chain::signers(&desk, &author, &statements)?;
    refused.sort_by_key(|row| row.line);
    list(context, &refused);
    let mut report = Report { rows, statements: statements.len(), refused, skipped, digest, signed: false };
    if statements.is_empty() || (!args.keep_going && !report.refused.is_empty()) {
        if statements.is_empty() {
            publish_left(context, &mut desk)?;
        }
        return report.end(context, None);
    }
    show(context, &desk, &report, &kinds, &statements[0])?;
    prompts::confirm(&format!("Sign {}?", count(report.statements, "statement", "statements")), args.yes)?;
    report.signed = true;
    if let Some(out) = &args.out {
        write(context, &desk, &author, &statements, &signers, out)?;
        return report.end(context, Some(json!({ "file": out })));
    }
    let (first, last, published) = append(context, &mut desk, &statements, &signers)?;
    let entries = count(published, "entry", "entries");
    context.screen.say(format!("Entries {first} to {last}, published in the checkpoint of {entries}."));
    report.end(context, Some(json!({ "first": first, "last": last, "published": published })))
}

fn closed() -> Problem {
    Problem::new("the log cannot be written from here")
        .hint("sign into a file with --out FILE, and send it to the log's operator, to `servanda submit`")
}

/// Reads the file and the mapping for it.
fn read(args: &Import) -> Result<(Vec<rows::Row>, Mapping)> {
    let shown = args.file.display();
    let bytes = read_file(&args.file, MAX_FILE)?;
    let table =
        rows::read(&bytes, args.separator).map_err(|error| Problem::new(format!("{shown}: {error}")))?;
    let mapping = Mapping::new(&args.mapping, &table.columns).map_err(|error| {
        let columns: Vec<String> = table.columns.iter().map(|name| plain(name)).collect();
        Problem::new(error.to_string()).hint(match columns.as_slice() {
            [one] => format!("the file has one column, {one:?}: is --separator right?"),
            all => format!("the columns of {shown} are: {}", all.join(" | ")),
        })
    })?;
    Ok((table.rows, mapping))
}

/// The first pass over all rows.
fn sorted(
    context: &Context,
    args: &Import,
    desk: &Desk,
    kind: Kind,
    (rows, mapping): (Vec<rows::Row>, &Mapping),
    author: &Handle,
) -> Result<Sorted> {
    let judge =
        Judge::new(kind, context.clock.now(), desk.roster()?, desk.history().ledger(), args.file.parent());
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut whole_id = |text: &str| match ids.get(text) {
        Some(id) => Ok(id.clone()),
        None => {
            let id = desk.whole_id(context, text)?.to_string();
            ids.insert(text.to_owned(), id.clone());
            Ok(id)
        }
    };
    let bar = context.screen.progress(u64::try_from(rows.len())?, "checking");
    let done = |rows| bar.set_position(u64::try_from(rows).unwrap_or(u64::MAX));
    let mut sorted = sorting::sort(rows, mapping, &judge, &mut whole_id, &done);
    bar.finish_and_clear();
    let own = |row: &sorting::Ready| row.reference.is_some() && has_own_reference(row.kind);
    if args.skip_known || sorted.ready.iter().any(own) {
        sorted.without_known(&known::references(context, desk, author)?, args.skip_known);
    }
    sorted.with_once(&judge);
    Ok(sorted)
}

fn kinds(sorted: &Sorted) -> String {
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for row in &sorted.ready {
        *kinds.entry(row.kind).or_default() += 1;
    }
    kinds.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect::<Vec<_>>().join(", ")
}

fn list(context: &Context, refused: &[Refused]) {
    for Refused { line, reference, refusal } in refused {
        let reference = reference.as_ref().map_or(String::new(), |r| format!(" ({})", plain(r)));
        context.screen.say(format!("line {line}{reference}: {refusal}"));
    }
}

fn show(context: &Context, desk: &Desk, report: &Report, kinds: &str, first: &Unsigned) -> Result<()> {
    let rows = count(report.rows, "row makes", "rows make");
    let statements = count(report.statements, "statement", "statements");
    context.screen.note(format!("{rows} {statements}: {kinds}. The first:\n"));
    signing::show(context, desk, &Statement::decode(&first.bytes)?)?;
    let acts = count(report.statements, "act", "acts");
    context.screen.note(format!("\nThe digest of all {acts} is {}.", report.digest));
    Ok(())
}

/// Signs the statements, round by round, and appends each round while the next one is being signed.
fn append(
    context: &Context,
    desk: &mut Desk,
    statements: &[Unsigned],
    signers: &Signers<'_>,
) -> Result<(u64, u64, u64)> {
    let bar = context.screen.progress(u64::try_from(statements.len())?, "signing");
    let (operator, key) = desk.operator().ok_or_else(closed)?;
    let mut batches = statements.chunks(MAX_ROUND);
    let mut next = batches.next().map(|batch| (batch, chain::sign(batch, signers)));
    let (mut first, mut last, mut done) = (None, 0, 0);
    while let Some((batch, signatures)) = next.take() {
        let now = context.clock.now();
        let signed: Vec<Signed<'_>> =
            batch.iter().zip(&signatures).map(|(s, by)| (&s.bytes[..], &by[..])).collect();
        let (appended, following) = rayon::join(
            || rounds::round(operator, &signed, now, done),
            || batches.next().map(|batch| (batch, chain::sign(batch, signers))),
        );
        let appended = appended?;
        first = first.or_else(|| appended.first().map(|at| at.index()));
        last = appended.last().map_or(last, |at| at.index());
        done += batch.len();
        bar.set_position(u64::try_from(done)?);
        next = following;
    }
    bar.finish_and_clear();
    let published = rounds::publish(operator, key)?;
    Ok((first.unwrap_or(last), last, published))
}

/// Publishes what an interrupted import committed, where nothing new will be.
fn publish_left(context: &Context, desk: &mut Desk) -> Result<()> {
    let Some((operator, key)) = desk.operator() else { return Ok(()) };
    if operator.writer().size() > operator.writer().published() {
        let entries = count(rounds::publish(operator, key)?, "entry", "entries");
        context.screen.say(format!("What was committed before is published in the checkpoint of {entries}."));
    }
    Ok(())
}

/// Signs the statements and writes them into one file.
fn write(
    context: &Context,
    desk: &Desk,
    author: &Author<'_>,
    statements: &[Unsigned],
    signers: &Signers<'_>,
    out: &Path,
) -> Result<()> {
    let set = desk.roster()?.keys(&author.handle).map(|keys| keys.set.clone());
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let readable = std::fs::Permissions::from_mode(0o644);
    let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(folder)?;
    let bar = context.screen.progress(u64::try_from(statements.len())?, "signing");
    for batch in statements.chunks(MAX_ROUND) {
        for (statement, signatures) in batch.iter().zip(chain::sign(batch, signers)) {
            let mut draft = Draft::new(&Statement::decode(&statement.bytes)?, set.clone())?;
            draft.signatures = List(signatures);
            file.write_all(File::Statement.write(&draft)?.as_bytes())?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let len = file.as_file().metadata()?.len();
    if len > super::send::MAX_STATEMENTS {
        return Err(Problem::new(format!("{len} bytes are more than `servanda submit` reads from one file"))
            .hint("split the rows over several files")
            .into());
    }
    file.persist_noclobber(out)
        .map_err(|error| Problem::new(format!("cannot write {}", out.display())).because(error.error))?;
    context.screen.say(format!("Send {} to the log's operator, to `servanda submit`.", out.display()));
    Ok(())
}

impl Report {
    /// Says what became of the file: its rows add up.
    fn end(self, context: &Context, place: Option<serde_json::Value>) -> Result<Outcome> {
        let refused = self.refused.len();
        let (signed, good) = if self.signed { (self.statements, 0) } else { (0, self.statements) };
        let mut parts = vec![format!("{signed} signed"), format!("{refused} refused")];
        if good > 0 {
            parts.push(format!("{good} good and not signed"));
        }
        if self.skipped > 0 {
            parts.push(format!("{} in the log already", self.skipped));
        }
        context.screen.say(format!("{}: {}.", count(self.rows, "row", "rows"), parts.join(", ")));
        if good > 0 {
            context.screen.note("Nothing was signed. Mend these rows, or leave them out with --keep-going.");
        }
        let rows = self.refused.iter().map(
            |row| json!({ "line": row.line, "reference": row.reference, "reason": row.refusal.to_string() }),
        );
        context.screen.json(&json!({
            "rows": self.rows, "statements": signed, "skipped": self.skipped,
            "refused": rows.collect::<Vec<_>>(), "digest": self.digest, "to": place,
        }))?;
        Ok(if refused > 0 { Outcome::Bad } else { Outcome::Good })
    }
}
