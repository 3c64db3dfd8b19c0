//! What a client keeps of each log: how far it has verified it, and the checkpoint it relied on.
//!
//! In `$XDG_STATE_HOME/servanda/LOG-ID/` (or `~/.local/state/…`). With it, signing costs the verification of what is new,
//! and a log that was rolled back or rewritten since is noticed.
//!
//! ```text
//! history, ledger, checkpoint-SIZE     how far the log was verified whole
//! seen                                 the newest checkpoint that was accepted from a server
//! doubted/other-SIZE-ROOT, older-…     checkpoints that a server gave, cosigned or not, and that do not go on from `seen`: until
//!                                      `verify` finds them to be of the same history, or takes the evidence
//! replaced                             what was seen of an operator whose history its successor's prevailed over
//! objects/                             copies of what servers gave, and what was proven (store::cached)
//! ```

use super::Context;
use super::open::{Log, Place, read_problem};
use super::plain::plain;
use super::problem::Problem;
use anyhow::Result;
use servanda::checkpoint::{Claim, SignedCheckpoint, VerifiedCheckpoint};
use servanda::client::{BeginningOf, Client};
use servanda::codec::{decode_large, encode};
use servanda::hash::Hash;
use servanda::history::{History, Snapshot};
use servanda::merkle::builder::TileBuilder;
use servanda::merkle::prove::StoredTree;
use servanda::proof;
use servanda::text::count;
use servanda::verify::{Audit, Options};
use std::fs;
use std::path::{Path, PathBuf};

/// The newest checkpoint that was accepted from a server.
const SEEN: &str = "seen";

/// Where checkpoints are kept that do not go on from what was seen.
const DOUBTED: &str = "doubted";

/// How many of those are kept of a log, of each sort. Of those that were larger than what was seen, the first: one proves a fork.
/// Of those that were smaller, which a source that is merely behind gives day by day, the last.
const DOUBTED_MAX: usize = 64;

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
/// When what is stored is not what the checkpoint commits to, or not what was verified before; or when the operator who
/// signed the checkpoint was replaced by what is below it.
pub fn verified(context: &Context, log: &Log) -> Result<(History, u64)> {
    let store = &log.place.public;
    let (size, root) = (log.checkpoint.size(), log.checkpoint.root());
    let folder = folder(&log.id());
    let (history, builder) = match folder.as_deref().and_then(resume) {
        Some((kept_root, history)) if (history.head().size, kept_root) == (size, root) => {
            signed_in_office(&history, log)?;
            return Ok((history, 0));
        }
        Some((kept_root, history)) => {
            let kept = history.head().size;
            let same = kept <= size && log.client()?.root_at(kept)? == kept_root;
            if same {
                let tree = StoredTree::open(BeginningOf { store, size }, kept, kept_root);
                let builder = tree.map(|tree| tree.builder());
                (history, builder.map_err(servanda::client::ReadError::from)?)
            } else if let Some(said) = replaced(folder.as_deref(), kept, log)? {
                // Of a log on a server this was said when it was opened.
                if !log.place.is_remote {
                    context.screen.note(said);
                }
                (History::default(), TileBuilder::default())
            } else {
                return Err(Problem::refused(format!(
                    "this log does not contain the {} that you verified before",
                    count(kept, "entry", "entries")
                ))
                .hint("it was rolled back or rewritten: keep both, and run `servanda verify --since` with a checkpoint you kept")
                .into());
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
    signed_in_office(&report.history, log)?;
    if let Some(folder) = folder.filter(|_| report.findings == 0) {
        // Without a place to keep it the next time is slower, nothing else.
        let _ = keep(&folder, &report.history, root, log.checkpoint.as_str());
    }
    Ok((report.history, report.findings))
}

/// Refuses a checkpoint by another operator than the one in office at its end, by all that was verified.
fn signed_in_office(history: &History, log: &Log) -> Result<()> {
    match history.roster().filter(|roster| roster.unknown.is_none()) {
        Some(roster) => log.must_be_signed_by(&roster.vkey),
        None => Ok(()),
    }
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

/// The checkpoints of a log that its operator signed and that did not go on from what was seen when they came.
pub fn doubted(log: &Hash) -> Vec<PathBuf> {
    let all = folder(log).and_then(|folder| fs::read_dir(folder.join(DOUBTED)).ok());
    let mut paths: Vec<PathBuf> = all.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// What is to be said where a log's operator was replaced, and an earlier one showed another history than this one: it does not
/// stand, from where they part. None where this log contains what was seen, or has no such operator.
///
/// # Errors
/// When the log cannot be read.
pub fn prevails(
    place: &Place,
    log: &Hash,
    before: Claim<'_>,
    now: &VerifiedCheckpoint,
) -> Result<Option<String>> {
    match succeeds(place, log, now, before.origin)? {
        Some(from) => prevails_from(place, from, before, now),
        None => Ok(None),
    }
}

fn prevails_from(
    place: &Place,
    from: u64,
    before: Claim<'_>,
    now: &VerifiedCheckpoint,
) -> Result<Option<String>> {
    let mut client = Client::open(&place.public, now.size(), now.root()).map_err(read_problem)?;
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
/// When the server gives less than was seen, or another history, or is that of an operator who was replaced. What it signed is
/// kept: it may never show it again.
pub fn compare_with_seen(place: &Place, log: &Hash, now: &VerifiedCheckpoint) -> Result<Option<String>> {
    let (goes_on, said) = against_seen(place, log, now)?;
    if let Some(folder) = folder(log).filter(|_| goes_on) {
        if said.is_some() {
            // What the operator before had signed remains for whoever asks.
            let _ = fs::copy(folder.join(SEEN), folder.join(REPLACED));
        }
        // Without a place to keep it a rollback is noticed later, or by others.
        let _ = write(&folder, SEEN, now.as_str().as_bytes());
    }
    Ok(said)
}

/// Whether a log on a server says more than the newest checkpoint of it that was accepted before; and what is to be said where a
/// new operator's history prevails over that.
///
/// # Errors
/// As for [`compare_with_seen`].
pub fn against_seen(place: &Place, log: &Hash, now: &VerifiedCheckpoint) -> Result<(bool, Option<String>)> {
    let Some(path) = seen(log) else { return Ok((true, None)) };
    let Ok(before) = SignedCheckpoint::parse(&fs::read(&path)?) else { return Ok((true, None)) };
    if let Some(from) = succeeds(place, log, now, before.claim().origin)? {
        return Ok((true, prevails_from(place, from, before.claim(), now)?));
    }
    let differs = differs(place, before.claim(), &path, now).transpose();
    if let Some(differs) = differs {
        // Without a place to keep it nothing can be proven with it, and it is refused all the same.
        let kept = doubt(log, now, now.size() < before.claim().size).ok().flatten();
        let kept = kept.map_or(String::new(), |path| format!("; what it signed is kept: {}", path.display()));
        let Differs { what, hint } = differs?;
        return Err(Problem::refused(what).hint(format!("{hint}{kept}")).into());
    }
    let says_more = now.size() > before.claim().size || now.origin() != before.claim().origin;
    Ok((says_more, None))
}

/// What a server contradicts that was seen of it before, with a checkpoint that lacks its quorum, and so is accepted by nobody: its
/// operator signed it all the same, and may never show it again. It is kept; the error says where, and how evidence is made.
pub fn contradicted(place: &Place, log: &Hash, now: &VerifiedCheckpoint) -> Option<anyhow::Error> {
    against_seen(place, log, now).err().filter(Problem::is_refusal)
}

/// Keeps a checkpoint that does not go on from what was seen; where, if there was room for it.
fn doubt(log: &Hash, now: &VerifiedCheckpoint, is_older: bool) -> std::io::Result<Option<PathBuf>> {
    let Some(folder) = folder(log) else { return Ok(None) };
    let sort = if is_older { "older" } else { "other" };
    let of_sort = |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(sort));
    let there: Vec<PathBuf> = doubted(log).into_iter().filter(of_sort).collect();
    if there.len() >= DOUBTED_MAX {
        let came = |path: &&PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
        match there.iter().min_by_key(came) {
            Some(first) if is_older => fs::remove_file(first)?,
            _ => return Ok(None),
        }
    }
    let name = format!("{sort}-{}-{}", now.size(), now.root().short());
    let folder = folder.join(DOUBTED);
    write(&folder, &name, now.as_str().as_bytes()).map(|()| Some(folder.join(name)))
}

/// From which size on a log has an operator who came after the one of an origin, if it has: then what that one signed says
/// nothing here.
pub fn succeeds(place: &Place, log: &Hash, now: &VerifiedCheckpoint, origin: &str) -> Result<Option<u64>> {
    proof::succeeds(&place.public, now.claim(), origin, Some(log)).map_err(read_problem)
}

/// A log does not contain what was seen.
struct Differs {
    what: String,
    hint: String,
}

/// How a log differs from what a checkpoint says that was seen before; none: it contains that.
fn differs(
    place: &Place,
    before: Claim<'_>,
    path: &Path,
    now: &VerifiedCheckpoint,
) -> Result<Option<Differs>> {
    let (shown, size, since) = (place.path.display(), before.size, path.display());
    let is_behind = now.size() < size;
    if !is_behind {
        let mut client = Client::open(&place.public, now.size(), now.root()).map_err(read_problem)?;
        if client.root_at(size).map_err(read_problem)? == before.root {
            return Ok(None);
        }
    }
    let what = if is_behind {
        let has = count(now.size(), "entry", "entries");
        format!("{shown} has {has}, and you have seen a checkpoint of {size}")
    } else {
        format!("{shown} has another history than the one you have seen up to entry {size}")
    };
    let hint = if now.origin() != before.origin {
        format!("you have seen it under its next operator, {}: read it there", plain(before.origin))
    } else if is_behind {
        format!(
            "it may only be behind: try again, or another source. if it stays so, the log was rolled back, and {since} proves it"
        )
    } else {
        format!("`servanda verify {shown} --since {since}` takes the evidence")
    };
    Ok(Some(Differs { what, hint }))
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
