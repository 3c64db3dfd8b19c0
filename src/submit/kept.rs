//! The history that an operator keeps, so that the next opening need not derive it: when, where, and how it is taken up.
//!
//! It is private, and nobody's word is taken for it: one that does not belong to the log's root at its size is derived again.

use super::{Operator, SubmitError};
use crate::codec::{decode_large, encode};
use crate::hash::Hash;
use crate::history::{History, Snapshot, SnapshotError};
use crate::ledger::MAX_LEDGER;
use crate::log::Writer;
use crate::store::{MAX_SWAP_BYTES, StoreError, Swap};

/// The name of the snapshot.
pub const SNAPSHOT: &str = "private/snapshot";

/// The folder of the ledgers that snapshots name, each under its digest.
const LEDGERS: &str = "private/ledger";

/// How many statements a ledger may know that is written at every opening; a longer one is written every
/// [`SNAPSHOT_EVERY`] entries.
const SHORT_LEDGER: usize = 256;

/// The longest snapshot that is read, in bytes.
const MAX_SNAPSHOT: u64 = MAX_SWAP_BYTES;

/// After how many entries a history is kept again: so few are soon derived.
const SNAPSHOT_EVERY: u64 = 1024;

/// A running operator that has nothing else to do keeps it again only when an eighth of what was kept has been added: to
/// write it takes as long as the log is, and nobody is answered meanwhile.
const SNAPSHOT_PART: u64 = 8;

/// One that always has something to do keeps it again when the log has doubled, and has so many entries more.
const SNAPSHOT_AT_LAST: u64 = 1 << 17;

impl Operator {
    /// What is put off while there is something to do, for whoever has nothing to do now: the index of ids is brought up to
    /// date, and the history is kept, so that the next opening is short.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn rest(&mut self) -> Result<(), SubmitError> {
        if self.waiting.is_empty() && !self.fresh.is_empty() {
            self.keep_ids()?;
        }
        self.keep_snapshot_after(SNAPSHOT_EVERY, SNAPSHOT_PART)
    }

    /// Keeps the history where it is high time, though there is more to do.
    pub(super) fn keep_at_last(&mut self) -> Result<(), SubmitError> {
        self.keep_snapshot_after(SNAPSHOT_AT_LAST, 1)
    }

    /// Keeps the history where at least so many entries, and that part of what was kept, have been added.
    fn keep_snapshot_after(&mut self, entries: u64, part: u64) -> Result<(), SubmitError> {
        // What is admitted and not committed belongs to no history that may be kept.
        let is_due = self.writer.size() - self.kept >= entries.max(self.kept / part);
        if self.waiting.is_empty() && is_due { self.keep_snapshot() } else { Ok(()) }
    }

    /// Keeps the history of all that is committed, so that the next opening need not derive it; a lost or damaged one is
    /// derived again.
    pub(super) fn keep_snapshot(&mut self) -> Result<(), SubmitError> {
        let store = self.writer.store();
        let long = self.history.ledger().is_some_and(|ledger| ledger.len() > SHORT_LEDGER);
        if long && self.writer.size() - self.kept < SNAPSHOT_EVERY {
            return Ok(());
        }
        let ledger = self.history.ledger().map(encode);
        let snapshot = self.history.snapshot();
        let name = snapshot.ledger().as_ref().map(ledger_name);
        let new = encode(&(self.writer.root(), snapshot));
        let old = store.get(SNAPSHOT, MAX_SNAPSHOT)?;
        let fits = u64::try_from(new.len()).is_ok_and(|len| len <= MAX_SNAPSHOT)
            && ledger.as_ref().is_none_or(|bytes| bytes.len() <= MAX_LEDGER);
        if old.as_ref() != Some(&new) && fits {
            let ledger = name.clone().zip(ledger);
            store.put_all(&ledger.into_iter().collect::<Vec<_>>())?;
            // Whoever was faster kept one as good, and its ledger.
            if store.swap(SNAPSHOT, old.as_deref(), &new)? == Swap::Done {
                for other in store.list(LEDGERS)?.iter().filter(|other| Some(*other) != name.as_ref()) {
                    store.delete(other)?;
                }
            }
        }
        self.kept = self.writer.size();
        Ok(())
    }
}

/// Takes up the kept history where its root is the log's at that size, else an empty one.
pub(super) fn resume(writer: &Writer) -> Result<History, SubmitError> {
    let bytes = match writer.store().get(SNAPSHOT, MAX_SNAPSHOT) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(History::default()),
        Err(StoreError::TooLarge { .. }) => {
            // None of ours; and nothing can be swapped for it.
            writer.store().delete(SNAPSHOT)?;
            return Ok(History::default());
        }
        Err(error) => return Err(error.into()),
    };
    let limit = usize::try_from(MAX_SNAPSHOT).expect("fits");
    let Ok((root, snapshot)) = decode_large::<(Hash, Snapshot)>(&bytes, limit) else {
        return Ok(History::default());
    };
    let ledger = kept_ledger(writer, &snapshot)?;
    let history = match (History::resume(snapshot, ledger.as_deref()), ledger) {
        (Ok(history), _) => history,
        (Err(SnapshotError::Ledger(digest)), Some(_)) => {
            // None of ours; and what is in its place cannot be put anew.
            writer.store().delete(&ledger_name(&digest))?;
            return Ok(History::default());
        }
        (Err(_), _) => return Ok(History::default()),
    };
    let fits = writer.root_at(history.head().size)? == Some(root);
    Ok(if fits { history } else { History::default() })
}

/// The ledger that a snapshot names, as it lies there; none where it names none, or it is lost.
fn kept_ledger(writer: &Writer, snapshot: &Snapshot) -> Result<Option<Vec<u8>>, SubmitError> {
    let Some(digest) = snapshot.ledger() else { return Ok(None) };
    let limit = u64::try_from(MAX_LEDGER).expect("fits");
    match writer.store().get(&ledger_name(&digest), limit) {
        Err(StoreError::TooLarge { .. }) => Ok(Some(Vec::new())),
        read => Ok(read?),
    }
}

fn ledger_name(digest: &Hash) -> String {
    format!("{LEDGERS}/{digest}")
}
