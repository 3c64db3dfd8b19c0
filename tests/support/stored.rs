//! A small log as it is stored and published, by the same writer as any log: in memory, or in a directory.

#![allow(dead_code, reason = "each chapter uses a part")]
#![allow(clippy::unwrap_used)]

use super::small_log::{ORIGIN, SmallLog, key};
use servanda::checkpoint::{self, VerifiedCheckpoint};
use servanda::client::Client;
use servanda::log::{MAX_ROUND, Writer};
use servanda::store::dir::Dir;
use servanda::store::memory::Memory;
use servanda::store::{Read as _, Store};
use servanda::submit::CHARTER;
use std::path::Path;

/// The charter's text, whose digest the founding of a small log carries.
pub const CHARTER_TEXT: &[u8] = b"the charter as its founders wrote it\n";

/// A log in memory, and its checkpoint.
pub struct Stored {
    store: Memory,
    /// The checkpoint.
    pub checkpoint: VerifiedCheckpoint,
}

impl Stored {
    /// Stores a log, whatever is wrong with it.
    pub fn new(log: &SmallLog) -> Self {
        let store = Memory::new();
        publish(Box::new(store.reopen()), log.leaves());
        let note = store.get("public/checkpoint", 1 << 20).unwrap().unwrap();
        Self { store, checkpoint: checkpoint::open(&note, &log.policy(false)).unwrap() }
    }

    /// Verified reads.
    pub fn client(&self) -> Client<'_> {
        Client::open(&self.store, self.checkpoint.size(), self.checkpoint.root()).unwrap()
    }
}

/// Stores a log in a home.
pub fn in_home(home: &Path, log: &SmallLog) {
    leaves_in_home(home, log.leaves());
}

/// Stores leaves in a home, whatever they are, under the key and the name of a small log.
pub fn leaves_in_home(home: &Path, leaves: &[Vec<u8>]) {
    publish(Box::new(Dir::create(home).unwrap()), leaves);
}

fn publish(store: Box<dyn Store>, leaves: &[Vec<u8>]) {
    store.put_all(&[(CHARTER.to_owned(), CHARTER_TEXT.to_vec())]).unwrap();
    let mut writer = Writer::create(store, None).unwrap();
    leaves.chunks(MAX_ROUND).for_each(|round| writer.append(round).unwrap());
    writer.publish(ORIGIN, &key("operator/checkpoint")).unwrap();
}
