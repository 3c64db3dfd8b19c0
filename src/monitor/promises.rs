//! Promises that are expected: the operator's signed word that an entry will stand at an index.

use super::sources::Opened;
use super::{Alert, Kind, Look, Monitor, PROMISE_LATE_MS};
use crate::armor::{ArmorError, File};
use crate::client::{Client, ReadError};
use crate::entry::{EntryError, SignedEntry};
use crate::evidence::Accused;
use crate::hash::{Hash, leaf_hash};
use crate::promise::Promise;

/// How many promises are expected at once.
pub const EXPECTED_MAX: usize = 10_000;

/// Why a promise cannot be expected.
#[derive(Debug, thiserror::Error)]
pub enum ExpectError {
    /// The file is none.
    #[error(transparent)]
    Armor(#[from] ArmorError),
    /// What it promises is no entry.
    #[error("what it promises is no entry: {0}")]
    Entry(#[from] EntryError),
    /// It is about another log.
    #[error("it is a promise about log {got}, and {want} is monitored")]
    OtherLog {
        /// The log that it is about.
        got: Hash,
        /// The log monitored.
        want: Hash,
    },
    /// There are too many.
    #[error("{EXPECTED_MAX} promises are expected already")]
    TooMany,
}

impl Monitor {
    /// Expects a promise to be kept, from the next round on; one that is expected already is fine.
    ///
    /// # Errors
    /// [`ExpectError`].
    pub fn expect(&mut self, text: &[u8]) -> Result<(), ExpectError> {
        let promise: Promise = File::Promise.read(text)?;
        let (got, want) = (promise.log, self.settings.log);
        if got != want {
            return Err(ExpectError::OtherLog { got, want });
        }
        SignedEntry::decode(&promise.entry)?;
        let text = File::Promise.write(&promise)?;
        if self.kept.promises.contains(&text) {
            return Ok(());
        }
        if self.kept.promises.len() == EXPECTED_MAX {
            return Err(ExpectError::TooMany);
        }
        self.kept.promises.push(text);
        Ok(())
    }
}

/// Looks at what was promised, under the checkpoint of a source that was followed.
pub(super) fn look(look: &mut Look<'_>, source: Option<&Opened<'_>>) {
    for text in std::mem::take(&mut look.out.kept.promises) {
        let Ok(promise) = File::Promise.read::<Promise>(text.as_bytes()) else { continue };
        let published = source.filter(|source| promise.index < source.checkpoint.size());
        let settled = match published {
            Some(source) => settle(look, source, &promise),
            None => {
                late(look, &promise);
                Ok(false)
            }
        };
        match settled {
            Ok(true) => {}
            Ok(false) => look.out.kept.promises.push(text),
            Err(error) => {
                look.trouble(source.map_or("", Opened::name), &error);
                look.out.kept.promises.push(text);
            }
        }
    }
}

/// Tells what became of a promise whose place is published.
fn settle(look: &mut Look<'_>, source: &Opened<'_>, promise: &Promise) -> Result<bool, ReadError> {
    let (checkpoint, index) = (&source.checkpoint, promise.index);
    let open = || Client::open(&source.reading.store, checkpoint.size(), checkpoint.root());
    let (got, want) = (open()?.leaf_hash(index)?, leaf_hash(&promise.entry));
    let subject = format!("entry {index} {want}");
    if got == want {
        look.alert(Kind::PromiseKept, subject, format!("the promised entry {index} is published"));
        return Ok(true);
    }
    let evidence = Accused::new(checkpoint, open()?)?.broken_promise(promise)?;
    let (kind, sentence) = match evidence {
        Some(_) => {
            let what = "was promised, and another entry stands there";
            (Kind::BrokenPromise, format!("entry {index}: {} {what}", want.short()))
        }
        None => {
            let what = "and this log's operator is not shown to have given that promise";
            (Kind::UnprovenPromise, format!("another entry {index} stands there than was promised, {what}"))
        }
    };
    look.accuse(Alert::new(kind, subject, sentence, look.now), || Ok(evidence)).map(|_| true)
}

/// Tells of a promise that should have been kept by now.
fn late(look: &mut Look<'_>, promise: &Promise) {
    let Ok(e) = SignedEntry::decode(&promise.entry) else { return };
    let (index, given) = (promise.index, e.entry.sequenced_at);
    if look.now.ms().saturating_sub(given.ms()) > PROMISE_LATE_MS {
        let subject = format!("entry {index} {}", leaf_hash(&promise.entry));
        let sentence = format!("entry {index}, promised {given}, is not published yet");
        look.condition(Kind::PromiseLate, format!("late {subject}"), subject, sentence, None);
    }
}
