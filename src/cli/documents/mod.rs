//! `open`: documents held against the log, and sealed values opened against it.
//!
//! A document is told by its SHA-256 and size alone, whatever its name. An opening is believed only where the seal that
//! it makes stands in a statement of the same author, in the same log, at the same place; what was sealed inside other
//! sealed terms is found once those are opened, too.

mod parts;

use super::files::read_whole;
use super::open::{Log, LogArgs};
use super::plain::{plain, quoted, word};
use super::problem::{Hint as _, Problem};
use super::screen::Screen;
use super::walk::{Order, walk};
use super::{Context, Outcome, words};
use parts::Part;
use serde_json::{Value, json};
use servanda::armor::File;
use servanda::charter::Document;
use servanda::codec::decode;
use servanda::entry::SignedEntry;
use servanda::field::Handle;
use servanda::hash::Hash;
use servanda::seal::Opening;
use servanda::statement::MAX_STATEMENT;
use servanda::statement::terms::{Bounded, Terms};
use sha2::{Digest as _, Sha256};
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

const AFTER: &str = "\
A document is told by its digest: it may lie anywhere, under any name. What was sealed is opened with the file that its \
author kept; only who sealed a value can open it. That a statement carries a document does not say that the statement \
counts: see `show` and `verify`.

EXAMPLE
  servanda open agreement.pdf --log paris
  servanda open --opening 3f9c02ab44d1.terms.quantity.opening --log paris";

/// Tell which statements carry a document, and opens what was sealed
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Documents
    #[arg(value_name = "FILE", required_unless_present = "opening")]
    files: Vec<PathBuf>,
    /// What opens a sealed value: a file that its author kept; may be repeated
    #[arg(long, value_name = "FILE")]
    opening: Vec<PathBuf>,
    #[command(flatten)]
    log: LogArgs,
}

/// A part of a statement in the log.
struct Found {
    index: u64,
    id: Hash,
    author: Handle,
    name: String,
    part: Part,
    /// Whether it was inside something sealed.
    opened: bool,
    /// Whether it is a seal that was opened.
    unsealed: bool,
}

/// An opening as it was read.
struct Key {
    path: PathBuf,
    opening: Opening,
    /// The part that it opens.
    fits: Option<usize>,
}

/// A document as it was read.
struct Measured {
    path: PathBuf,
    size: u64,
    sha256: Hash,
}

/// Runs the verb.
///
/// # Errors
/// When a file or the log cannot be read.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let screen = &context.screen;
    // Before the log is read, so that a slip in what was typed is told at once.
    let mut keys = args.opening.iter().map(|path| key(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let files = args.files.iter().map(|path| measure(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let log = Log::open(&args.log, screen)?;
    log.caution(screen);
    let mut found = parts_of(&log, screen)?;
    open_all(&log, &mut keys, &mut found);
    let mut outcome = Outcome::Good;
    let mut report = |worse| outcome = worst(outcome, worse);
    let opened: Vec<Value> =
        keys.iter().map(|key| say_opened(screen, &log, key, &found, &mut report)).collect();
    let carried: Vec<Value> =
        files.iter().map(|file| say_carried(screen, file, &found, &mut report)).collect();
    screen.json(&json!({
        "openings": opened, "files": carried, "sealed_annexes": still_sealed(&found), "pinned": log.is_pinned(),
    }))?;
    Ok(outcome)
}

/// Bad outweighs unchecked, which outweighs good.
fn worst(a: Outcome, b: Outcome) -> Outcome {
    match (a, b) {
        (Outcome::Bad, _) | (_, Outcome::Bad) => Outcome::Bad,
        (Outcome::Unchecked, _) | (_, Outcome::Unchecked) => Outcome::Unchecked,
        _ => Outcome::Good,
    }
}

fn key(path: &Path) -> anyhow::Result<Key> {
    let text = read_whole(path, File::Opening.text_limit())?;
    let opening = File::Opening.read(&text).or_hint(
        || format!("{} opens nothing", path.display()),
        || "want a file that begins with -----BEGIN SERVANDA OPENING-----".to_owned(),
    )?;
    Ok(Key { path: path.to_owned(), opening, fits: None })
}

/// Computes a file's digest without holding it in memory.
fn measure(path: &Path) -> anyhow::Result<Measured> {
    let read = || -> std::io::Result<(u64, Hash)> {
        let mut file = std::fs::File::open(path)?;
        let (mut size, mut hasher, mut chunk) = (0, Sha256::new(), vec![0; 1 << 16]);
        loop {
            let n = file.read(&mut chunk)?;
            if n == 0 {
                return Ok((size, Hash(hasher.finalize().into())));
            }
            hasher.update(&chunk[..n]);
            size += u64::try_from(n).expect("a chunk's length fits");
        }
    };
    let (size, sha256) =
        read().map_err(|e| Problem::new(format!("could not read {}", path.display())).because(e))?;
    Ok(Measured { path: path.to_owned(), size, sha256 })
}

/// All documents and seals in the log.
fn parts_of(log: &Log, screen: &Screen) -> anyhow::Result<Vec<Found>> {
    let mut client = log.client()?;
    let size = client.size();
    let bar = screen.progress(size, "reading the log");
    let mut found = Vec::new();
    walk(&mut client, 0..size, Order::Forward, &mut |index, bytes| {
        if let Ok(e) = SignedEntry::decode(bytes)
            && let Ok(act) = e.act()
        {
            let (id, author) = (e.id, &e.statement.author);
            let part = |(name, part)| Found {
                index,
                id,
                author: author.clone(),
                name,
                part,
                opened: false,
                unsealed: false,
            };
            found.extend(parts::of_act(act).into_iter().map(part));
        }
        bar.set_position(index + 1);
        Ok(ControlFlow::Continue(()))
    })?;
    bar.finish_and_clear();
    Ok(found)
}

/// Fits openings to seals until no further one fits; what was inside them is found then.
fn open_all(log: &Log, keys: &mut [Key], found: &mut Vec<Found>) {
    let mut progress = true;
    while progress {
        progress = false;
        for key in keys.iter_mut().filter(|key| key.fits.is_none() && key.opening.log == log.id()) {
            let (opening, seal) = (&key.opening, Part::Seal(key.opening.seal()));
            let fits = |f: &Found| f.author == opening.author && f.name == *opening.field && f.part == seal;
            key.fits = found.iter().position(fits);
            if let Some(place) = key.fits {
                progress = true;
                found[place].unsealed = true;
                let (index, id, author) = (found[place].index, found[place].id, found[place].author.clone());
                let inside = inside(&opening.field, &opening.value);
                found.extend(inside.into_iter().map(|(name, part)| Found {
                    index,
                    id,
                    author: author.clone(),
                    name,
                    part,
                    opened: true,
                    unsealed: false,
                }));
            }
        }
    }
}

/// What an opened value holds.
fn inside(field: &str, value: &[u8]) -> Vec<(String, Part)> {
    if field == "terms" {
        return decode::<Terms>(value, MAX_STATEMENT).map(|t| parts::of_terms(&t)).unwrap_or_default();
    }
    let document = || decode::<Document>(value, MAX_STATEMENT).ok();
    let document = parts::is_annex(field).then(document).flatten();
    document.map(|d| (field.to_owned(), Part::Document(d))).into_iter().collect()
}

fn say_opened(
    screen: &Screen,
    log: &Log,
    key: &Key,
    found: &[Found],
    report: &mut dyn FnMut(Outcome),
) -> Value {
    let (opening, path) = (&key.opening, key.path.display().to_string());
    let field = plain(&opening.field);
    let Some(part) = key.fits.map(|place| &found[place]) else {
        report(Outcome::Bad);
        let author = &opening.author;
        let why = if opening.log == log.id() {
            format!("no statement of {author} in this log has its seal at {field}")
        } else {
            format!("it is for log {}, and this is {}", opening.log.short(), log.id().short())
        };
        screen.say(format!("{path} opens nothing here: {why}"));
        return json!({"file": path, "opened": false, "why": why});
    };
    let names = |handle: &Handle| log.name(handle);
    let mut page = words::Page::new(&names);
    let who = page.who(&part.author);
    page.sentence(format!("{path} opens {field} of entry {}, sealed by {who}.", part.index));
    page.gap();
    page.hash("statement", &part.id);
    page.hash("seal", &opening.seal());
    words::opened(&mut page, &opening.field, &opening.value);
    page.gap();
    let lines = page.finish();
    lines.iter().for_each(|line| screen.say(line));
    let value = &opening.value;
    let read = match opening.field.as_str() {
        "terms" => decode::<Terms>(value, MAX_STATEMENT).ok().map(|t| json!(t)),
        name if parts::is_annex(name) => decode::<Document>(value, MAX_STATEMENT).ok().map(|d| json!(d)),
        _ => decode::<Bounded>(value, MAX_STATEMENT).ok().map(|q| json!(q)),
    };
    if read.is_none() {
        report(Outcome::Bad);
    }
    json!({
        "file": path, "opened": true, "index": part.index, "id": part.id, "author": part.author,
        "field": opening.field, "value": read, "bytes": opening.value,
    })
}

/// A size in bytes.
fn bytes(size: u64) -> String {
    words::count(words::grouped(size), "byte", "bytes")
}

fn say_carried(screen: &Screen, file: &Measured, found: &[Found], report: &mut dyn FnMut(Outcome)) -> Value {
    let path = file.path.display().to_string();
    let mut rows = Vec::new();
    let mut list = Vec::new();
    screen.say(format!("{path}: {}, SHA-256 {}", bytes(file.size), file.sha256));
    for f in found {
        let document = match &f.part {
            Part::Document(d) if d.sha256 == file.sha256 => Some(d),
            Part::Text(sha256) if *sha256 == file.sha256 => None,
            _ => continue,
        };
        rows.push(f.row(document));
        list.push(f.json(document, file));
        if let Some(d) = document.filter(|d| d.size != file.size) {
            report(Outcome::Bad);
            let size = bytes(d.size);
            screen.say(format!("entry {} gives its size as {size}, which is wrong", f.index));
        }
    }
    if !list.is_empty() {
        let heading = ["entry", "author", "statement", "annex", "language", "standing", "label"];
        rows.insert(0, heading.map(str::to_owned).to_vec());
        screen.table(&rows);
    } else {
        let sealed = still_sealed(found);
        report(if sealed == 0 { Outcome::Bad } else { Outcome::Unchecked });
        screen.say("no statement in this log carries it openly");
        if sealed > 0 {
            let annexes = words::count(sealed, "annex is", "annexes or terms are");
            screen.say(format!("{annexes} sealed, and cannot be compared without --opening"));
        }
    }
    json!({"file": path, "size": file.size, "sha256": file.sha256, "carried": list})
}

impl Found {
    /// A line about a document that it carries; of the charter's text nothing is said.
    fn row(&self, document: Option<&Document>) -> Vec<String> {
        let of = |say: &dyn Fn(&Document) -> String| document.map_or(String::new(), say);
        let opened = if self.opened { " (opened)" } else { "" };
        vec![
            self.index.to_string(),
            self.author.to_string(),
            self.id.short(),
            format!("{}{opened}", self.name),
            of(&|d| word(&d.language)),
            of(&|d| words::standing(d.standing).to_owned()),
            of(&|d| quoted(&d.label)),
        ]
    }

    fn json(&self, document: Option<&Document>, file: &Measured) -> Value {
        json!({
            "index": self.index, "author": self.author, "id": self.id, "annex": self.name, "opened": self.opened,
            "document": document, "size_matches": document.map(|d| d.size == file.size),
        })
    }
}

/// How many seals may hide a document.
fn still_sealed(found: &[Found]) -> usize {
    let seals = found.iter().filter(|f| matches!(f.part, Part::Seal(_)) && !f.unsealed);
    seals.filter(|f| f.name == "terms" || parts::is_annex(&f.name)).count()
}
