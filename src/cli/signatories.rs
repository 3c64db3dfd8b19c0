//! Who signed an entry: the officers of its signatures, under the key set that was in force at its index.

use super::plain::quoted;
use super::words::listed;
use servanda::charter::KeySet;
use servanda::entry::SignedEntry;
use servanda::field::{Handle, Short};
use servanda::roster::Roster;

/// The titles of those who signed an authentic entry of classes 1 to 4, in the signatures' order; none for an officer
/// who is not known.
pub fn titles(roster: &Roster, index: u64, e: &SignedEntry) -> Vec<Option<Short>> {
    let set = key_set(roster, index, &e.statement.author);
    let title = |officer: u8| set.and_then(|s| s.officers.get(usize::from(officer))).map(|o| o.title.clone());
    e.entry.signatures.iter().map(|s| title(s.officer)).collect()
}

/// The same as words.
pub fn words(titles: &[Option<Short>]) -> String {
    let one = |title: &Option<Short>| title.as_ref().map_or("an unknown officer".to_owned(), |t| quoted(t));
    listed(titles.iter().map(one), "and")
}

/// The key set that could sign the entry at an index.
fn key_set<'r>(roster: &'r Roster, index: u64, author: &Handle) -> Option<&'r KeySet> {
    let member = roster.members.get(author)?;
    let past =
        member.past.iter().find(|old| old.keys.since < index && index <= old.until).map(|old| &old.keys);
    past.or_else(|| member.in_force.as_ref().filter(|now| now.since < index)).map(|keys| &keys.set)
}
