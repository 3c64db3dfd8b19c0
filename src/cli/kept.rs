//! What a client keeps of each log: how far it has verified it, and the checkpoint it relied on.
//!
//! In `$XDG_STATE_HOME/servanda/LOG-ID/` (or `~/.local/state/…`). With it, signing costs the verification of what is new,
//! and a log that was rolled back or rewritten since is noticed.

use super::Context;
use super::open::Log;
use super::problem::Problem;
use anyhow::Result;
use servanda::checkpoint::VerifiedCheckpoint;
use servanda::client::Tiles;
use servanda::codec::{decode_large, encode};
use servanda::hash::Hash;
use servanda::history::{History, Snapshot};
use servanda::merkle::builder::TileBuilder;
use servanda::merkle::prove::StoredTree;
use servanda::text::count;
use servanda::verify::{Audit, Options};
use std::fs;
use std::path::{Path, PathBuf};

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
            if !same {
                return Err(Problem::refused(format!(
                    "this log does not contain the {} that you verified before",
                    count(kept, "entry", "entries")
                ))
                .hint("it was rolled back or rewritten: keep both, and run `servanda verify --since` with a checkpoint you kept")
                .into());
            }
            let builder = StoredTree::open(Tiles(store), kept, kept_root).map(|tree| tree.builder());
            (history, builder.map_err(servanda::client::ReadError::from)?)
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

/// Keeps how far a log was verified by another way, where nothing of it was kept before: what was is what later
/// copies are held against, so it is only replaced by what contains it.
pub fn begin(log: &Hash, history: &History, checkpoint: &VerifiedCheckpoint) {
    if let Some(folder) = folder(log).filter(|folder| !folder.join("history").exists()) {
        let _ = keep(&folder, history, checkpoint.root(), checkpoint.as_str());
    }
}

fn folder(log: &Hash) -> Option<PathBuf> {
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
    fs::create_dir_all(folder)?;
    let write = |name: &str, bytes: &[u8]| {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.persist(folder.join(name)).map(|_| ()).map_err(std::io::Error::from)
    };
    if let Some(ledger) = history.ledger() {
        write("ledger", &encode(ledger))?;
    }
    write("history", &encode(&(root, history.snapshot())))?;
    write(&format!("checkpoint-{}", history.head().size), note.as_bytes())
}
