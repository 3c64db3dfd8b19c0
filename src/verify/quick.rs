//! Quick mode: the last statement of each author and class since the roster last changed.

use crate::chain::Finding;
use crate::entry::SignedEntry;
use crate::field::Handle;
use crate::roster::{Roster, signing};
use std::collections::BTreeMap;

/// Statements whose signatures are still to be checked.
#[derive(Default)]
pub(super) struct Waiting(BTreeMap<(Handle, u8), (u64, SignedEntry)>);

impl Waiting {
    /// Keeps an entry in the place of its author's before.
    pub(super) fn remember(&mut self, index: u64, e: &SignedEntry) {
        self.0.insert((e.statement.author.clone(), e.statement.class), (index, e.clone()));
    }

    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.0.len()).expect("few")
    }

    /// Checks the signatures under the roster that was in force for all of them.
    pub(super) fn check(self, roster: &Roster) -> Vec<Finding> {
        let check = |(index, e): (u64, SignedEntry)| {
            let keys = roster.keys(&e.statement.author)?;
            // Who signed was judged before; here, whether the signatures hold.
            signing::signers(&e, keys).ok()?;
            let reason = signing::signed(&e, keys).err()?;
            Some(Finding { index, author: Some(e.statement.author), id: Some(e.id), reason })
        };
        self.0.into_values().filter_map(check).collect()
    }
}
