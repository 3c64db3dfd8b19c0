//! A log's objects changed byte by byte, and histories rewritten by the log's own operator: what is found.
//!
//! Both start from [`model`], a log of three partners in which something of each kind was said. Findings are compared as
//! pairs of a place and a code: `("entry 4", "bad-signature")`, `("tile/0/000.p/10", "differs")`.

#![allow(clippy::unwrap_used)]

mod bytes;
mod files;
mod histories;

use crate::support::forge::Objects;
use crate::support::small_log::{
    SmallLog, accede, accept, key_set, name_witness, officer, pledge, review, terms,
};
use servanda::field::Class;
use servanda::hash::Hash;
use servanda::statement::Act;
use servanda::statement::body::Rotate;
use servanda::store::{Read, StoreError};
use servanda::verify::Found;
use std::collections::BTreeSet;

/// Ten entries: found, three accedes, pledge (4), accept (5), de's rotation (6), pledge (7), accept (8), pledge (9).
pub fn model() -> SmallLog {
    model_with(|_| {})
}

/// The same, and its rules name the witness.
pub fn witnessed_model() -> SmallLog {
    model_with(name_witness)
}

fn model_with(change: impl FnOnce(&mut servanda::statement::body::Found)) -> SmallLog {
    let mut log = SmallLog::founded_with(|found| {
        change(found);
        found.charter.partners.retain(|p| ["de", "pl", "ua"].contains(&p.handle.as_str()));
    });
    for name in ["de", "ua", "pl"] {
        log.say(name, accede(name));
    }
    let first = log.say("de", pledge(&["ua"], terms("18 air defence systems")));
    log.say("ua", accept(&[first]));
    let mut keys = key_set("de");
    keys.officers[0] = officer("de/4", &[Class::Govern, Class::Commit]);
    log.say("de", Act::Rotate(Rotate { keys }));
    let second = log.say("pl", pledge(&["ua"], terms("2 brigades")));
    log.say("ua", accept(&[second]));
    log.say("de", pledge(&["ua"], terms("7.1 billion euros")));
    assert_eq!((log.findings(), log.size()), (&[][..], 10));
    log
}

/// The same with so many statements of one signature each behind it.
fn long_model(size: u64) -> SmallLog {
    let mut log = model();
    while log.size() < size {
        log.say("ua", review(i64::try_from(log.size()).unwrap()));
    }
    assert_eq!(log.findings(), []);
    log
}

/// Objects, one of which was changed or is gone.
struct Changed<'a> {
    objects: &'a Objects,
    name: &'a str,
    bytes: Option<Vec<u8>>,
}

impl Read for Changed<'_> {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = if name == self.name { self.bytes.as_ref() } else { self.objects.get(name) };
        match bytes.map(|bytes| u64::try_from(bytes.len()).unwrap()) {
            Some(size) if size > limit => Err(StoreError::TooLarge { name: name.to_owned(), size, limit }),
            _ => Ok(bytes.cloned()),
        }
    }
}

/// A change, and the code of what is found.
pub type Change<T> = (&'static str, fn(&mut T));

/// Where something is wrong, and what.
pub fn said(findings: &[Found]) -> BTreeSet<(String, &'static str)> {
    let place = |found: &Found| match found {
        Found::Entry(f) => (format!("entry {}", f.index), f.reason.code()),
        Found::Object(f) => (f.name.clone(), f.trouble.code()),
    };
    findings.iter().map(place).collect()
}
