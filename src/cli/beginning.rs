//! The beginning of a log that was verified: how much of it a moment knows, and what follows from that much.
//!
//! The ledger at T folds all entries up to the last whose effective time is not after T.

use super::open::{Log, read_problem};
use super::walk::{Order, walk};
use servanda::client::{Client, ReadError};
use servanda::entry::SignedEntry;
use servanda::field::Instant;
use servanda::hash::{Hash, leaf_hash};
use servanda::history::{History, Past};
use servanda::roster::Alone;
use std::ops::ControlFlow;

/// How many entries there are up to the last one whose effective time is not after a moment.
///
/// # Errors
/// When the log cannot be read.
pub fn size_at(log: &Log, whole: &History, at: Instant) -> anyhow::Result<u64> {
    let size = whole.head().size;
    if whole.times().1 <= at {
        return Ok(size);
    }
    // With a new operator the log's time starts anew.
    let vkeys = whole.roster().map_or(&[][..], |r| &r.vkeys);
    let anew: Vec<u64> = vkeys.iter().skip(1).map(|(size, _)| size.saturating_sub(1)).collect();
    let (mut time, mut known) = (Instant::default(), 0);
    walk(&mut log.client()?, 0..size, Order::Forward, &mut |index, bytes| {
        if let Ok(e) = SignedEntry::decode(bytes) {
            let raw = e.entry.sequenced_at;
            time = if anew.contains(&index) { raw } else { time.max(raw) };
        }
        if time <= at {
            known = index + 1;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(known)
}

/// The log before an entry.
struct Before<'a> {
    leaves: Vec<Hash>,
    client: Client<'a>,
    failure: Option<ReadError>,
}

impl Past for Before<'_> {
    fn leaf_at(&mut self, index: u64) -> Option<Hash> {
        self.leaves.get(usize::try_from(index).ok()?).copied()
    }

    fn root_at(&mut self, size: u64) -> Option<Hash> {
        self.client.root_at(size).map_err(|error| self.failure = Some(error)).ok()
    }
}

/// Folds the first entries of a log. Where verifying the whole of it `found_nothing`, every signature was found to hold,
/// and is not checked again.
///
/// # Errors
/// When the log cannot be read.
pub fn fold(log: &Log, size: u64, found_nothing: bool) -> anyhow::Result<History> {
    let mut history = History::default();
    let mut before = Before { leaves: Vec::new(), client: log.client()?, failure: None };
    walk(&mut log.client()?, 0..size, Order::Forward, &mut |_, bytes| {
        let leaf = leaf_hash(bytes);
        let held = history.roster().filter(|_| found_nothing);
        let alone = held.map(|roster| Alone { reasons: Vec::new(), roster: roster.last });
        history.take(bytes, leaf, SignedEntry::decode(bytes).as_ref(), &mut before, alone);
        before.leaves.push(leaf);
        before.failure.take().map_or(Ok(()), Err).map_err(read_problem)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(history)
}
