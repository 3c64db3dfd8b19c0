//! What a client keeps of each log: how far it has verified it, and the checkpoint it relied on.
//!
//! In `$XDG_STATE_HOME/servanda/LOG-ID/` (or `~/.local/state/…`). With it, signing costs the verification of what is new,
//! and a log that was rolled back or rewritten since is noticed.
//!
//! ```text
//! history, ledger, checkpoint-SIZE     how far the log was verified whole
//! seen                                 the newest checkpoint that was accepted from a server
//! replaced                             what was seen of an operator whose history its successor's prevailed over
//! objects/                             copies of what servers gave, and what was proven (store::cached)
//! ```

use super::Context;
use super::open::{Log, Place, read_problem};
use super::plain::plain;
use super::problem::Problem;
use anyhow::Result;
use servanda::checkpoint::{Claim, SignedCheckpoint, VerifiedCheckpoint};
use servanda::client::{Client, Tiles};
use servanda::codec::{decode_large, encode};
use servanda::hash::Hash;
use servanda::history::{History, Snapshot};
use servanda::merkle::builder::TileBuilder;
use servanda::merkle::prove::StoredTree;
use servanda::proof::succeeds;
use servanda::text::count;
use servanda::verify::{Audit, Options};
use std::fs;
use std::path::{Path, PathBuf};

/// The newest checkpoint that was accepted from a server.
const SEEN: &str = "seen";

/// The last checkpoint of an operator whose history did not prevail.
const REPLACED: &str = "replaced";

/// The longest kept history that is read, in bytes.
const MAX_KEPT: usize = 64 << 20;

/// Verifies a log from where it was last verified, and keeps how far that came: nothing is signed on one with findings.
pub fn history(context: &Context, log: &Log) -> Result<History> {
    match verified(context, log)? {
        (history, 0) => Ok(history),
        _ => Err(Problem::refused("this log does not verify, so nothing is signed on it")
            .hint("`servanda verify` tells what is wrong")
            .into()),
    }
}

/// Verifies a log from where it was last verified; gives the number of findings, too. Without any, keeps how far that
/// came.
///
/// # Errors
/// When what is stored is not what the checkpoint commits to, or not what was verified before.
pub fn verified(context: &Context, log: &Log) -> Result<(History, u64)> {
    let store = &log.place.public;
    let (size, root) = (log.checkpoint.size(), log.checkpoint.root());
    let folder = folder(&log.id());
    let (history, builder) = match folder.as_deref().and_then(resume) {
        Some((kept_root, history)) if (history.head().size, kept_root) == (size, root) => {
            return Ok((history, 0));
        }
        Some((kept_root, history)) => {
            let kept = history.head().size;
            let same = kept <= size && log.client()?.root_at(kept)? == kept_root;
            let said = if same { None } else { replaced(folder.as_deref(), kept, log)? };
            if let Some(said) = &said {
                if !log.place.is_remote {
                    context.screen.note(said);
                }
            } else if !same {
                return Err(Problem::refused(format!(
                    "this log does not contain the {} that you verified before",
                    count(kept, "entry", "entries")
                ))
                .hint("it was rolled back or rewritten: keep both, and run `servanda verify --since` with a checkpoint you kept")
                .into());
            }
            match said {
                Some(_) => (History::default(), TileBuilder::default()),
                None => {
                    let builder = StoredTree::open(Tiles(store), kept, kept_root).map(|tree| tree.builder());
                    (history, builder.map_err(servanda::client::ReadError::from)?)
                }
            }
        }
        None => (History::default(), TileBuilder::default()),
    };
    let bar = context.screen.progress(size, "verifying");
    let report = Audit::resume(store, Options::default(), history, builder, &mut |_| {})
        .run(size, &|done| bar.set_position(done))?;
    bar.finish_and_clear();
    if report.root != root {
        return Err(Problem::refused(
            "this log does not verify: its entries are not what its checkpoint commits to",
        )
        .hint("`servanda verify` tells what is wrong")
        .into());
    }
    if let Some(folder) = folder.filter(|_| report.findings == 0) {
        // Without a place to keep it the next time is slower, nothing else.
        let _ = keep(&folder, &report.history, root, log.checkpoint.as_str());
    }
    Ok((report.history, report.findings))
}

/// What is to be said where what was verified before was an earlier operator's, over whose history this one prevails.
fn replaced(folder: Option<&Path>, kept: u64, log: &Log) -> Result<Option<String>> {
    let note = folder.and_then(|folder| fs::read(folder.join(format!("checkpoint-{kept}"))).ok());
    let before = note.and_then(|note| SignedCheckpoint::parse(&note).ok());
    match before.filter(|before| before.claim().origin != log.checkpoint.origin()) {
        Some(before) => prevails(&log.place, &log.id(), before.claim(), &log.checkpoint),
        None => Ok(None),
    }
}

/// Keeps how far a log was verified by another way, where nothing of it was kept before: what was is what later
/// copies are held against, so it is only replaced by what contains it.
pub fn begin(log: &Hash, history: &History, checkpoint: &VerifiedCheckpoint) {
    if let Some(folder) = folder(log).filter(|folder| !folder.join("history").exists()) {
        let _ = keep(&folder, history, checkpoint.root(), checkpoint.as_str());
    }
}

/// The newest checkpoint that was accepted from a server, if any was.
pub fn seen(log: &Hash) -> Option<PathBuf> {
    folder(log).map(|folder| folder.join(SEEN)).filter(|path| path.is_file())
}

/// What is to be said where a log's operator was replaced, and an earlier one showed another history than this one: it does not
/// stand, from where they part. None where this log contains what was seen.
///
/// # Errors
/// When the log cannot be read; or when it is the earlier operator that shows it.
pub fn prevails(
    place: &Place,
    log: &Hash,
    before: Claim<'_>,
    now: &VerifiedCheckpoint,
) -> Result<Option<String>> {
    let (store, shown) = (&place.public, place.path.display());
    let claim = Claim { origin: now.origin(), size: now.size(), root: now.root() };
    let Some(from) = succeeds(store, claim, before.origin, log).map_err(read_problem)? else {
        let what = format!(
            "{shown} is signed by {}, and knows of no operator {} before it, under whom you have seen this log",
            plain(now.origin()),
            plain(before.origin)
        );
        return Err(Problem::refused(what)
            .hint("an operator that was replaced may not know it, or not go: read the log where its new operator serves it")
            .into());
    };
    let mut client = Client::open(store, now.size(), now.root()).map_err(read_problem)?;
    if before.size <= now.size() && client.root_at(before.size).map_err(read_problem)? == before.root {
        return Ok(None);
    }
    Ok(Some(format!(
        "the partners replaced the operator {} by {}, in force from entry {from} on: this history prevails over the one of {} \
         that you have seen from {0}, from where they part; what stands in that one alone must be submitted again",
        plain(before.origin),
        plain(now.origin()),
        count(before.size, "entry", "entries"),
    )))
}

/// Holds a log on a server against the newest checkpoint of it that was accepted before, and keeps the newer one. What is to be
/// said where a new operator's history prevails over what was seen.
///
/// # Errors
/// When the server gives less than was seen, or another history, or is that of an operator who was replaced.
pub fn compare_with_seen(place: &Place, log: &Hash, now: &VerifiedCheckpoint) -> Result<Option<String>> {
    let shown = place.path.display();
    if let Some(path) = seen(log)
        && let Ok(before) = SignedCheckpoint::parse(&fs::read(&path)?)
    {
        if before.claim().origin != now.origin() {
            let said = prevails(place, log, before.claim(), now)?;
            if let Some(folder) = folder(log).filter(|_| said.is_some()) {
                // What the operator before had signed remains for whoever asks.
                let _ = write(&folder, REPLACED, before.as_str().as_bytes());
            }
            keep_seen(log, now);
            return Ok(said);
        }
        let (size, root) = (before.claim().size, before.claim().root);
        if now.size() < size {
            let what = format!(
                "{shown} has {}, and you have seen a checkpoint of {size}",
                count(now.size(), "entry", "entries")
            );
            let hint = format!(
                "it may only be behind: try again, or another source. if it stays so, the log was rolled back, and {} proves it",
                path.display()
            );
            return Err(Problem::refused(what).hint(hint).into());
        }
        let mut client = Client::open(&place.public, now.size(), now.root()).map_err(read_problem)?;
        if client.root_at(size).map_err(read_problem)? != root {
            let what = format!("{shown} has another history than the one you have seen up to entry {size}");
            let hint = format!("`servanda verify {shown} --since {}` takes the evidence", path.display());
            return Err(Problem::refused(what).hint(hint).into());
        }
        if now.size() == size {
            return Ok(None);
        }
    }
    keep_seen(log, now);
    Ok(None)
}

fn keep_seen(log: &Hash, now: &VerifiedCheckpoint) {
    if let Some(folder) = folder(log) {
        // Without a place to keep it a rollback is noticed later, or by others.
        let _ = write(&folder, SEEN, now.as_str().as_bytes());
    }
}

/// Where all this is kept of a log.
pub fn folder(log: &Hash) -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    Some(state.or_else(home)?.join("servanda").join(log.to_string()))
}

fn resume(folder: &Path) -> Option<(Hash, History)> {
    let bytes = fs::read(folder.join("history")).ok()?;
    let (root, snapshot) = decode_large::<(Hash, Snapshot)>(&bytes, MAX_KEPT).ok()?;
    let ledger = fs::read(folder.join("ledger")).ok();
    Some((root, History::resume(snapshot, ledger.as_deref()).ok()?))
}

fn keep(folder: &Path, history: &History, root: Hash, note: &str) -> std::io::Result<()> {
    if let Some(ledger) = history.ledger() {
        write(folder, "ledger", &encode(ledger))?;
    }
    write(folder, "history", &encode(&(root, history.snapshot())))?;
    write(folder, &format!("checkpoint-{}", history.head().size), note.as_bytes())
}

/// Writes a file whole, in the place of the one before.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.persist(folder.join(name)).map(|_| ()).map_err(std::io::Error::from)
}
