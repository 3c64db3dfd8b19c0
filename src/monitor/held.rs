//! A few new entries at hand: read once, proven under a checkpoint, and kept in memory for as long as a round takes.
//!
//! What was read so can be folded into the history itself, and not into a copy of it: neither the way to the source nor
//! bytes that were not committed to can stop that half-way.

use crate::checkpoint::VerifiedCheckpoint;
use crate::client::{Client, ReadError};
use crate::entry::SignedEntry;
use crate::field::Class;
use crate::merkle::builder::TileBuilder;
use crate::merkle::tile::TILE_WIDTH;
use crate::store::{Read, StoreError, size_of};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// How many new entries are few.
const FEW: u64 = 1024;

/// Tiles and bundles of a source, each read once. They never change under their names.
pub(super) struct Held<'a> {
    source: &'a dyn Read,
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl<'a> Held<'a> {
    pub(super) fn new(source: &'a dyn Read) -> Self {
        Self { source, objects: Mutex::default() }
    }

    /// Whether what a checkpoint adds to a tree is little, is all there, and leaves the roster as it is: where not, the
    /// audit says what is wrong, or new.
    pub(super) fn has_few(&self, tree: &TileBuilder, checkpoint: &VerifiedCheckpoint) -> bool {
        let new = checkpoint.size().saturating_sub(tree.size());
        tree.size() > 0 && (1..=FEW).contains(&new) && self.are_ordinary(tree, checkpoint).unwrap_or(false)
    }

    fn are_ordinary(&self, tree: &TileBuilder, checkpoint: &VerifiedCheckpoint) -> Result<bool, ReadError> {
        let (from, size, width) = (tree.size(), checkpoint.size(), u64::from(TILE_WIDTH));
        let mut client = Client::open(self, size, checkpoint.root())?;
        if client.root_at(from)? != tree.root() {
            return Ok(false);
        }
        for number in from / width..size.div_ceil(width) {
            for (index, bytes) in (number * width..).zip(client.bundle(number)?) {
                let is_ordinary = |e: &SignedEntry| e.statement.class() != Class::Govern;
                if index >= from && !SignedEntry::decode(&bytes).is_ok_and(|e| is_ordinary(&e)) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

impl Read for Held<'_> {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let objects = || self.objects.lock().expect("nothing panics while it holds this");
        if let Some(bytes) = objects().get(name).filter(|bytes| size_of(bytes) <= limit) {
            return Ok(Some(bytes.clone()));
        }
        let read = self.source.get(name, limit)?;
        if let Some(bytes) = &read {
            objects().insert(name.to_owned(), bytes.clone());
        }
        Ok(read)
    }

    fn proven(&self, name: &str, bytes: &[u8]) {
        self.source.proven(name, bytes);
    }
}
