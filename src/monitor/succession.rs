//! Of two histories, the one with the carried motion for a new operator prevails, from where they part.
//!
//! An operator that was replaced may go on, with entries that its successor's history has not. That is told, and is no fork:
//! no key signed two histories. Where such entries were verified here before, everything is verified anew.

use super::sources::Opened;
use super::{Kind, Look};
use crate::client::{Client, ReadError};
use crate::proof::succeeds;
use crate::text::count;
use std::collections::BTreeMap;

/// From which entry on a source's operator is in force, if it came after that of an origin.
pub(super) fn after(look: &Look<'_>, source: &Opened<'_>, origin: &str) -> Result<Option<u64>, ReadError> {
    succeeds(&source.reading.store, source.checkpoint.claim(), origin, Some(look.log()))
}

/// Whether a source's history prevails over the head that was verified before, and does not contain it; tells so.
pub(super) fn prevails_over_head(look: &mut Look<'_>, opened: &[Opened<'_>]) -> bool {
    let Some(head) = look.monitor.kept.head.clone() else { return false };
    for source in opened.iter().filter(|source| source.accepted) {
        let judged = after(look, source, &head.origin).and_then(|from| {
            let Some(from) = from else { return Ok(None) };
            let checkpoint = &source.checkpoint;
            if checkpoint.size() < head.size {
                return Ok(Some(from));
            }
            let mut client = Client::open(&source.reading.store, checkpoint.size(), checkpoint.root())?;
            Ok((client.root_at(head.size)? != head.root).then_some(from))
        });
        match judged {
            Ok(Some(from)) => {
                let sentence = format!(
                    "the partners replaced the operator {} by {}, in force from entry {from} on: the history of {} prevails \
                     over the {} verified before, from where they part; all of it is verified anew",
                    head.origin,
                    source.checkpoint.origin(),
                    source.name(),
                    count(head.size, "entry", "entries")
                );
                let subject = format!("{} {} from {from}", head.size, head.root);
                look.alert(Kind::Replaced, subject, sentence).source = Some(source.name().to_owned());
                return true;
            }
            Ok(None) => {}
            Err(error) => look.trouble(source.name(), &error),
        }
    }
    false
}

/// How many operators were in office before each source's, where they differ: the history of a later one is followed first.
pub(super) fn ranks(look: &Look<'_>, opened: &[Opened<'_>]) -> BTreeMap<String, usize> {
    let mut origins: Vec<&str> = opened.iter().map(|source| source.checkpoint.origin()).collect();
    origins.sort_unstable();
    origins.dedup();
    let rank = |source: &Opened<'_>| {
        // What cannot be read is told by whoever compares it.
        origins.iter().filter(|origin| matches!(after(look, source, origin), Ok(Some(_)))).count()
    };
    match origins.len() {
        0 | 1 => BTreeMap::new(),
        _ => opened.iter().map(|source| (source.name().to_owned(), rank(source))).collect(),
    }
}

/// Tells that a source still shows the history of an operator who was replaced, which parts from `measure` at an entry.
pub(super) fn is_replaced(
    look: &mut Look<'_>,
    measure: &Opened<'_>,
    source: &Opened<'_>,
    index: u64,
) -> Result<bool, ReadError> {
    let (here, there, origin) = (measure.name(), source.name(), source.checkpoint.origin());
    let Some(from) = after(look, measure, origin)? else { return Ok(false) };
    let sentence = format!(
        "{there} shows the history of {origin}, whom the partners replaced from entry {from} on: that of {here} prevails, \
         from entry {index} on, where they part"
    );
    let subject = format!("{origin} parts at entry {index}, replaced from {from}");
    let key = format!("replaced {there}");
    look.condition(Kind::Replaced, key, subject, sentence, Some(there));
    Ok(true)
}
