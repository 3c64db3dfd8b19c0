//! Where the audit stops: many bundles in a row that are missing, or hold other entries than belong there.
//!
//! Whoever signs checkpoints can sign any size. A checkpoint over 2^60 entries costs its operator nothing, and to list
//! what is missing one by one would take for ever. So a few missing bundles are found one by one, and [`GAP_BUNDLES`] in a
//! row end the audit with one finding, which says from where on nothing was looked at. So do as many in a row of whose
//! entries not one is in its place, be it that a link makes a folder its own subfolder, and the same bundles come for ever.

use super::batch::Leaf;
use super::{ObjectFinding, Trouble, objects};
use crate::client::{self, ReadError};
use crate::merkle::tile::{Level, TILE_WIDTH, TilePath};
use crate::store::Read;

/// How many bundles in a row end the audit where they are missing, or hold other entries.
pub(super) const GAP_BUNDLES: u64 = 16;

/// Whether a gap begins at a bundle that is missing.
pub(super) fn begins(store: &dyn Read, number: u64, size: u64) -> Result<bool, ReadError> {
    for number in number + 1..number + GAP_BUNDLES {
        let Some(path) = TilePath::at(Level::Entries, number, size) else { return Ok(false) };
        // A folder in its place, and what is too long, is no bundle either.
        if objects::read("", client::object(store, path), &mut |_| {})?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The finding that ends an audit before a bundle, all entries below `from` being judged.
pub(super) fn finding(number: u64, from: u64, size: u64, missing: bool) -> ObjectFinding {
    let path = TilePath::at(Level::Entries, number, size).expect("below the size");
    ObjectFinding::new(path, Trouble::Gap { missing, from, size })
}

/// How many bundles in a row, up to the last one read, have no entry in its place.
#[derive(Default)]
pub(super) struct Strays(u64);

impl Strays {
    /// Counts on with the leaves of the bundles from `number` on.
    pub(super) fn count(&mut self, leaves: &[Leaf], number: u64) {
        for (number, leaves) in (number..).zip(leaves.chunks(TILE_WIDTH.into())) {
            let in_place = |(index, leaf): (u64, &Leaf)| leaf.decoded().is_ok_and(|e| e.entry.index == index);
            let any = (number * u64::from(TILE_WIDTH)..).zip(leaves).any(in_place);
            self.0 = if any { 0 } else { self.0 + 1 };
        }
    }

    /// Whether they are so many that the audit ends.
    pub(super) fn are_many(&self) -> bool {
        self.0 >= GAP_BUNDLES
    }
}
