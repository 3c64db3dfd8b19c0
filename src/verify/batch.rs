//! A batch of bundles: read, taken apart, hashed, and judged as far as entry and roster tell, on all cores, while the
//! batch before is folded.
//!
//! What it finds waits in it until its turn comes, so that findings stay in the log's order. Its verdicts are those of
//! the roster that stood when it was read; whoever folds it holds them against the roster then in force.

use super::{ObjectFinding, Trouble, gap, objects};
use crate::client::{self, ReadError};
use crate::entry::{EntryError, SignedEntry};
use crate::field::Class;
use crate::hash::{Hash, ZEROS, leaf_hash};
use crate::merkle::bundle;
use crate::merkle::tile::{Level, TILE_WIDTH, TilePath};
use crate::roster::{Alone, Roster, signing};
use crate::store::Read;
use rayon::prelude::*;
use std::ops::Range;

/// How many bytes of bundles one batch holds, unless a single bundle is longer.
const BATCH_BYTES: usize = 8 << 20;

/// How many bundles one batch holds: so many that signatures of one key come together.
const BATCH_BUNDLES: u64 = 32;

/// How many in quick mode, where nothing is won by more, and fewer stay in the processor's cache.
const QUICK_BUNDLES: u64 = 4;

/// What is looked at beforehand.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// Whether signatures are left to those that vouch for them.
    pub(super) quick: bool,
    /// Whether somebody will ask for the acts.
    pub(super) acts: bool,
}

/// A batch of bundles.
pub(super) struct Batch {
    /// The first bundle's number.
    pub(super) number: u64,
    /// How many bundles it has: none only where a gap begins.
    pub(super) len: u64,
    /// What is wrong with the bundles themselves.
    pub(super) findings: Vec<ObjectFinding>,
    /// Their entries.
    pub(super) leaves: Vec<Leaf>,
    /// What the roster then in force says of each that is not of class 0.
    pub(super) verdicts: Vec<Option<Alone>>,
    bundles: Vec<Vec<u8>>,
}

/// A leaf as read.
pub(super) struct Leaf {
    /// Its bundle in the batch, and its bytes in there.
    place: (usize, Range<usize>),
    pub(super) hash: Hash,
    /// What was read, where nothing was wrong.
    entry: SignedEntry,
    error: Option<EntryError>,
}

impl Leaf {
    fn blank() -> Self {
        Self { place: (0, 0..0), hash: ZEROS, entry: SignedEntry::blank(), error: None }
    }

    /// What the bytes decode to.
    pub(super) fn decoded(&self) -> Result<&SignedEntry, &EntryError> {
        self.error.as_ref().map_or(Ok(&self.entry), Err)
    }

    /// The entry, unless it is of class 0, or none.
    pub(super) fn ordinary(&self) -> Option<&SignedEntry> {
        self.decoded().ok().filter(|e| e.statement.class() != Class::Govern)
    }

    /// Whether it is an entry of class 0.
    pub(super) fn governs(&self) -> bool {
        self.decoded().is_ok_and(|e| e.statement.class() == Class::Govern)
    }

    /// Decodes and hashes a leaf's data, in the place of what was here.
    fn refill(&mut self, place: (usize, Range<usize>), bytes: &[u8]) {
        self.place = place;
        self.error = self.entry.refill(bytes).err();
        self.hash = if self.error.is_none() { self.entry.leaf } else { leaf_hash(bytes) };
    }
}

impl Batch {
    /// Reads some bundles of a log of this size, into the memory of a batch that has served.
    ///
    /// # Errors
    /// When the storage fails; what is missing or damaged is a finding, and its entries are leaves without bytes.
    pub(super) fn read(
        store: &dyn Read,
        number: u64,
        size: u64,
        roster: Option<&Roster>,
        look: Look,
        served: Option<Self>,
    ) -> Result<Self, ReadError> {
        let (mut findings, mut total) = (Vec::new(), 0);
        let mut read: Vec<(TilePath, Vec<u8>)> = Vec::new();
        let mut there = Vec::new();
        let most = if look.quick { QUICK_BUNDLES } else { BATCH_BUNDLES };
        let paths = (number..number + most).map_while(|n| TilePath::at(Level::Entries, n, size));
        for path in paths {
            let bytes = client::object(store, path);
            if matches!(bytes, Ok(None)) && gap::begins(store, path.index, size)? {
                break;
            }
            let bytes = objects::read(&path.to_string(), bytes, &mut |f| findings.push(f))?;
            there.push(bytes.is_some());
            read.push((path, bytes.unwrap_or_default()));
            total += read.last().map_or(0, |(_, bytes)| bytes.len());
            if total >= BATCH_BYTES {
                break;
            }
        }
        let (mut leaves, mut verdicts) = served.map_or_else(Default::default, |b| (b.leaves, b.verdicts));
        leaves.resize_with(read.iter().map(|(path, _)| usize::from(path.width)).sum(), Leaf::blank);
        verdicts.clear();
        verdicts.resize_with(leaves.len(), || None);
        // All but the last are full.
        let parts = leaves.par_chunks_mut(TILE_WIDTH.into()).zip(&read).enumerate();
        let damages: Vec<_> =
            parts.map(|(at, (leaves, (path, bytes)))| take_apart(at, *path, bytes, leaves)).collect();
        for ((there, (path, _)), damage) in there.into_iter().zip(&read).zip(damages) {
            // That one is missing was found as it was read.
            let damage = damage.filter(|_| there);
            findings.extend(damage.map(|error| ObjectFinding::new(*path, Trouble::Bundle(error))));
        }
        let mut batch = Self {
            number,
            len: u64::try_from(read.len()).expect("few"),
            findings,
            leaves,
            verdicts,
            bundles: read.into_iter().map(|(_, bytes)| bytes).collect(),
        };
        if let Some(roster) = roster {
            let whole = 0..batch.leaves.len();
            batch.judge(whole, roster, look);
        }
        Ok(batch)
    }

    /// Judges some of the entries, as far as entry and roster tell.
    pub(super) fn judge(&mut self, range: Range<usize>, roster: &Roster, look: Look) {
        let (leaves, verdicts) = (&self.leaves[range.clone()], &mut self.verdicts[range]);
        if look.acts {
            leaves.par_iter().filter_map(Leaf::ordinary).for_each(|e| {
                let _ = e.act();
            });
        }
        if look.quick {
            let judge = |e| roster.alone_by(e, signing::signers);
            let all = verdicts.par_iter_mut().zip(leaves);
            all.for_each(|(verdict, leaf)| *verdict = leaf.ordinary().map(judge));
            return;
        }
        let ordinary: Vec<_> = leaves.iter().filter_map(Leaf::ordinary).collect();
        let mut judged = roster.alone_all(&ordinary).into_iter();
        for (verdict, leaf) in verdicts.iter_mut().zip(leaves) {
            *verdict = leaf.ordinary().and_then(|_| judged.next());
        }
    }

    /// A leaf's data.
    pub(super) fn bytes(&self, leaf: &Leaf) -> &[u8] {
        let (bundle, range) = &leaf.place;
        &self.bundles[*bundle][range.clone()]
    }
}

/// Takes a bundle apart, decodes its entries, hashes them; a damaged one gives leaves without bytes.
fn take_apart(at: usize, path: TilePath, bytes: &[u8], leaves: &mut [Leaf]) -> Option<bundle::BundleError> {
    let (entries, damage) = match bundle::parse(bytes, path.width) {
        Ok(entries) => (entries, None),
        Err(error) => (vec![&[][..]; path.width.into()], Some(error)),
    };
    let mut end = 0;
    for (leaf, entry) in leaves.iter_mut().zip(entries) {
        // Each entry stands behind two bytes for its length.
        let start = if damage.is_some() { 0 } else { end + 2 };
        end = start + entry.len();
        leaf.refill((at, start..end), entry);
    }
    damage
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample::{Sample, decoded};

    #[test]
    fn bundles_of_entries_out_of_place_are_counted_until_one_is_in_place() {
        let some = decoded(&Sample::new().entries[4]);
        let bundle = |index: u64| {
            let mut entry = some.clone();
            entry.entry.index = index;
            [Leaf { place: (0, 0..0), hash: some.leaf, entry, error: None }]
        };
        let mut strays = gap::Strays::default();
        for number in 0..40 {
            strays.count(&bundle(number * 256), number);
            assert!(!strays.are_many());
        }
        for (many, number) in (1..).zip(40..60) {
            strays.count(&bundle(number * 256 + 1), number);
            assert_eq!(strays.are_many(), many >= gap::GAP_BUNDLES);
        }
        strays.count(&bundle(60 * 256), 60);
        assert!(!strays.are_many());
    }
}
