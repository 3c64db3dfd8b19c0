//! A dishonest operator's hands: a complete public tree out of any leaves, signed with the log's own key.
//!
//! ```text
//! let leaves = edited(log.leaves());
//! forge(&leaves)                        // as they are: links, indexes and pointers may not fit
//! forge(relinked(&leaves).leaves())     // index, link, roster pointer and time made right again
//! ```
//!
//! What it cannot make is a partner's signature.

#![allow(dead_code, reason = "each chapter uses a part")]
#![allow(clippy::unwrap_used)]

pub use super::stored::CHARTER_TEXT;

use super::small_log::{ORIGIN, SmallLog, key};
use servanda::entry::{Entry, SignedEntry};
use servanda::field::Instant;
use servanda::log::Writer;
use servanda::store::Store;
use servanda::store::index::Index;
use servanda::store::memory::Memory;
use servanda::submit::{CHARTER, Founding, Operator};
use std::collections::BTreeMap;

/// Objects by name.
pub type Objects = BTreeMap<String, Vec<u8>>;

/// The public objects of a log with these leaves, whatever they are, signed with the log's key.
pub fn forge(leaves: &[Vec<u8>]) -> Objects {
    forge_as(leaves, ORIGIN, "operator/checkpoint")
}

/// The same under another origin, and signed with the key of another name.
pub fn forge_as(leaves: &[Vec<u8>], origin: &str, by: &str) -> Objects {
    let store = Memory::new();
    let mut writer = Writer::create(Box::new(store.clone()), None).unwrap();
    for round in leaves.chunks(1000) {
        writer.append(round).unwrap();
    }
    writer.publish(origin, &key(by)).unwrap();
    let mut objects = public(&store.objects());
    objects.insert(CHARTER.to_owned(), CHARTER_TEXT.to_vec());
    objects
}

/// An honest operator, who founds the log, admits all that the model holds, and makes it durable.
pub fn operate(store: Box<dyn Store>, model: &SmallLog) -> Operator {
    let part = |n: usize| {
        let entry = model.entry(n).entry;
        (entry.statement.0, entry.signatures.0, entry.sequenced_at)
    };
    let (statement, signatures, now) = part(0);
    let founding = Founding { statement, signatures, charter_text: CHARTER_TEXT.to_vec() };
    let (index, log_key) = (Index::in_memory().unwrap(), key("operator/checkpoint"));
    let mut operator = Operator::found(store, None, index, founding, now, &log_key).unwrap();
    for n in 1..model.leaves().len() {
        let (statement, signatures, now) = part(n);
        operator.admit(&statement, &signatures, now).unwrap();
    }
    operator.commit().unwrap();
    operator
}

/// The public ones among objects.
pub fn public(objects: &Objects) -> Objects {
    objects
        .iter()
        .filter(|(name, _)| name.starts_with("public/"))
        .map(|(n, b)| (n.clone(), b.clone()))
        .collect()
}

/// The same statements and signatures, sequenced as an operator would who had nothing to hide: index, link, roster
/// pointer, and a time that never goes back. Leaves that are no entries stay as they are.
pub fn relinked(leaves: &[Vec<u8>]) -> SmallLog {
    let mut log = SmallLog::empty();
    let mut last = Instant::default();
    for leaf in leaves {
        let Ok(e) = SignedEntry::decode(leaf) else {
            log.push(leaf.clone());
            continue;
        };
        last = last.max(e.entry.sequenced_at);
        let entry = Entry {
            index: log.size(),
            link: log.history().head().leaf,
            roster: log.history().pointer(),
            sequenced_at: last,
            ..e.entry
        };
        log.push_entry(&entry);
    }
    log
}
