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
mod release;
mod report;
mod rows;
mod sending;
mod sorting;
mod template;

use super::desk::{Desk, DeskArgs};
use super::files::read_whole;
use super::keys::SignerArgs;
use super::plain::plain;
use super::problem::Problem;
use super::{Context, Outcome, prompts, rounds, signing};
use anyhow::Result;
use chain::{Author, Unsigned};
use clap::Args;
use judge::Judge;
use mapping::{Mapping, MappingArgs};
use release::place::Numbering;
use release::{Account, Asked, Compared, ReleaseArgs, Source};
use report::Report;
use serde_json::json;
use servanda::field::{Class, Duration, Handle};
use servanda::hash::sha256;
use servanda::statement::{Kind, Statement};
use servanda::text::count;
use sorting::{Purpose, Ready, Refused, Sorted, has_own_reference};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

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

--amend compares a new release with the log by reference: what changed is amended, what is gone withdrawn, what is new \
signed; rows that say the same say nothing, and the same file again changes nothing. Rows that share an ID are told \
apart by what they say, not by their place: equal rows first, then those of equal title, so that an inserted row changes \
nothing else. A reference stays with what it stands for; a new row gets the next number of its ID, and none is given \
twice. Fields of which the mapping does not speak stay as they are. Where a row is refused, nothing is withdrawn that \
it might speak of. Of two rows with one reference neither counts. New terms of a pledge hold once they are accepted.

EXAMPLES
    servanda import pledges.csv --log paris --key keys/de-defence --set to=ua \\
        --map \"reference=No.,title=What,instruments=Kind\" --map \"quantity=up to {Sum} {Currency}\" \\
        --alias instruments:Financial=economic --absent \"n/a\"
    servanda import release-2.csv --amend --dry-run --log paris --key keys/de-defence --set to=ua \\
        --map \"reference=No.,title=What,instruments=Kind\" --map \"quantity=up to {Sum} {Currency}\"";

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
    release: ReleaseArgs,
    /// Check everything and tell what would be signed; sign nothing
    #[arg(long)]
    dry_run: bool,
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

/// What is to be signed, and what is not.
struct Work {
    /// How many rows there were.
    rows: usize,
    ready: Vec<Ready>,
    refused: Vec<Refused>,
    /// How many the log has already.
    skipped: usize,
    /// What became of the rows of a new release, and of what the log had.
    account: Option<Account>,
}

/// Imports a file.
pub fn run(context: &Context, args: Import) -> Result<Outcome> {
    let kind = judge::kind_named(&args.kind).ok_or_else(|| {
        let names = Kind::ALL.iter().filter(|kind| judge::is_for_many(**kind)).map(|kind| kind.name());
        Problem::new(format!("{:?} cannot be imported", args.kind))
            .hint(format!("--kind is one of {}", names.collect::<Vec<_>>().join(", ")))
    })?;
    let class = args.class_of(kind)?;
    let table = read(&args)?;
    let mut desk = Desk::open(context, &args.desk)?;
    match &args.out {
        _ if args.dry_run => {}
        Some(out) => super::files::must_be_free(out)?,
        None if desk.is_open() => {}
        None => return Err(closed().into()),
    }
    let keys = if args.dry_run { args.signer.load_any()? } else { args.signer.load()? };
    let handle = signing::author(&desk, args.author.as_ref(), &keys)?;
    let now = context.clock.now();
    let work = work(context, &args, &desk, kind, table, &handle)?;
    let author = Author { handle, keys: &keys, class: class.as_deref(), now, expires_in: args.expires_in };
    let (digest, kinds) = (sorting::digest(&work.ready), kinds(&work.ready));
    let Work { rows, ready, mut refused, skipped, mut account } = work;
    let before = refused.len();
    let statements = chain::chained(&desk, &author, ready, &mut refused)?;
    for row in &refused[before..] {
        account.iter_mut().for_each(|account| account.refuse(row.line, &row.refusal.to_string()));
    }
    refused.sort_by_key(|row| row.line);
    list(context, &refused);
    let (count, dry_run) = (statements.len(), args.dry_run);
    let report =
        Report { rows, statements: count, refused, skipped, digest, account, signed: false, dry_run };
    sign(context, &args, &mut desk, &author, (&statements, &kinds), report)
}

/// Signs what is to be signed, and says what became of the file.
fn sign(
    context: &Context,
    args: &Import,
    desk: &mut Desk,
    author: &Author<'_>,
    (statements, kinds): (&[Unsigned], &str),
    mut report: Report,
) -> Result<Outcome> {
    if let Some(account) = &report.account
        && let Err(problem) = args.release.check_withdrawn(account)
    {
        report.end(context, None)?;
        return Err(problem.into());
    }
    let stops = !args.keep_going && !report.refused.is_empty();
    if statements.is_empty() || stops || args.dry_run {
        if statements.is_empty() && !args.dry_run {
            sending::publish_left(context, desk)?;
        }
        return report.end(context, None);
    }
    let signers = chain::signers(desk, author, statements)?;
    show(context, desk, &report, kinds, &statements[0])?;
    if let Some(account) = report.account.as_ref().filter(|_| !args.yes) {
        account.lines().iter().for_each(|line| context.screen.note(line));
    }
    prompts::confirm(&format!("Sign {}?", count(report.statements, "statement", "statements")), args.yes)?;
    report.signed = true;
    if let Some(out) = &args.out {
        sending::write(context, desk, author, statements, &signers, out)?;
        return report.end(context, Some(json!({ "file": out })));
    }
    let (first, last, published) = sending::append(context, desk, statements, &signers)?;
    context.screen.say(format!("Entries {first} to {last}, {}.", rounds::published(published)));
    report.end(context, Some(json!({ "first": first, "last": last, "published": published })))
}

impl Import {
    /// The class to sign in, where it is not left to the keys.
    fn class_of(&self, kind: Kind) -> Result<Option<String>> {
        let Some(class) = release::class(kind).filter(|_| self.release.amend) else {
            return Ok(self.class.clone());
        };
        match &self.class {
            Some(said) if Class::from_name(said) != Some(class) => {
                let what = format!("each {} is amended and withdrawn in class \"{class}\"", kind.name());
                Err(Problem::new(what).hint("leave --class out").into())
            }
            _ => Ok(Some(class.to_string())),
        }
    }
}

fn closed() -> Problem {
    Problem::new("the log cannot be written from here")
        .hint("sign into a file with --out FILE, and send it to the log's operator, to `servanda submit`")
}

/// Reads the file and the mapping for it.
fn read(args: &Import) -> Result<(Vec<rows::Row>, Mapping, Source)> {
    let shown = args.file.display();
    let bytes = read_whole(&args.file, MAX_FILE)?;
    let table =
        rows::read(&bytes, args.separator).map_err(|error| Problem::new(format!("{shown}: {error}")))?;
    let mapping = Mapping::new(&args.mapping, &table.columns).map_err(|error| {
        let columns: Vec<String> = table.columns.iter().map(|name| plain(name)).collect();
        Problem::new(error.to_string()).hint(match columns.as_slice() {
            [one] => format!("the file has one column, {one:?}: is --separator right?"),
            all => format!("the columns of {shown} are: {}", all.join(" | ")),
        })
    })?;
    let name = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((table.rows, mapping, Source { name, digest: sha256(&bytes) }))
}

/// The first pass over all rows: what is to be signed, and what is not.
fn work(
    context: &Context,
    args: &Import,
    desk: &Desk,
    kind: Kind,
    (rows, mapping, source): (Vec<rows::Row>, Mapping, Source),
    author: &Handle,
) -> Result<Work> {
    let now = context.clock.now();
    let judge = Judge::new(kind, now, desk.roster()?, desk.history().ledger(), args.file.parent());
    if !args.release.amend {
        let mut sorted = sorted(context, desk, rows, &mapping, &judge, Purpose::Signing)?;
        let own = |row: &Ready| row.reference.is_some() && has_own_reference(row.kind);
        if args.skip_known || sorted.ready.iter().any(own) {
            sorted.without_known(&known::references(context, desk, author)?, args.skip_known);
        }
        sorted.with_once(&judge);
        let rows = sorted.rows();
        let Sorted { ready, refused, skipped, .. } = sorted;
        return Ok(Work { rows, ready, refused, skipped, account: None });
    }
    let numbering = Numbering::of(&mapping).map_err(|error| {
        Problem::new(error.to_string()).hint("say which column is the reference, e.g. --map reference=ID")
    })?;
    let sorted = sorted(context, desk, rows, &mapping, &judge, Purpose::Comparing(&numbering))?;
    let asked = Asked {
        args: &args.release,
        desk,
        kind,
        mapping: &mapping,
        numbering: &numbering,
        judge: &judge,
        author,
        now,
        source: &source,
    };
    let Compared { ready, refused, account } = release::compare(&asked, sorted)?;
    Ok(Work { rows: account.rows.len(), ready, refused, skipped: 0, account: Some(account) })
}

/// All rows as acts, or refused.
fn sorted(
    context: &Context,
    desk: &Desk,
    rows: Vec<rows::Row>,
    mapping: &Mapping,
    judge: &Judge<'_>,
    purpose: Purpose<'_>,
) -> Result<Sorted> {
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
    let sorted = sorting::sort(rows, mapping, judge, purpose, &mut whole_id, &done);
    bar.finish_and_clear();
    Ok(sorted)
}

fn kinds(ready: &[Ready]) -> String {
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for row in ready {
        *kinds.entry(row.kind).or_default() += 1;
    }
    kinds.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect::<Vec<_>>().join(", ")
}

fn list(context: &Context, refused: &[Refused]) {
    for Refused { line, reference, refusal, .. } in refused {
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
