//! Quick mode: the last statement of each author and class since the roster last changed.

use crate::chain::{Finding, Reason};
use crate::entry::SignedEntry;
use crate::field::Handle;
use crate::roster::{Roster, signing};
use std::collections::{BTreeMap, HashSet};

/// Statements whose signatures are still to be checked.
#[derive(Default)]
pub(super) struct Waiting(BTreeMap<(Handle, u8), (u64, SignedEntry)>);

impl Waiting {
    /// Keeps of these entries, by index, the last of each author and class, in the place of the one before.
    pub(super) fn keep(&mut self, entries: &[(u64, &SignedEntry)]) {
        let mut kept = HashSet::new();
        for &(index, e) in entries.iter().rev() {
            if kept.insert((&e.statement.author, e.statement.class)) {
                self.0.insert((e.statement.author.clone(), e.statement.class), (index, e.clone()));
            }
        }
    }

    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.0.len()).expect("few")
    }

    /// Checks the signatures under the roster that was in force for all of them.
    pub(super) fn check(self, roster: &Roster) -> Vec<Finding> {
        let waiting: Vec<_> = self.0.into_values().collect();
        // Who signed was judged before; here, whether the signatures hold.
        let keyed = |(_, e): &'_ (u64, SignedEntry)| {
            roster.keys(&e.statement.author).filter(|keys| signing::signers(e, keys).is_ok())
        };
        let entries: Vec<_> = waiting.iter().map(|w| (&w.1, keyed(w))).collect();
        let found = |((index, e), signed): (&(u64, SignedEntry), Result<(), Reason>)| {
            let reason = signed.err()?;
            Some(Finding { index: *index, author: Some(e.statement.author.clone()), id: Some(e.id), reason })
        };
        waiting.iter().zip(signing::signed_all(&entries)).filter_map(found).collect()
    }
}
