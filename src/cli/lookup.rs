//! Finding an entry by what a person calls it: a statement's id, whole or shortened, or `#12`.
//!
//! In a log's home the index of ids tells quickly; nothing in it is believed without reading the entry. Elsewhere, and
//! for what the index does not know yet, the entries are read one after the other.

use super::Context;
use super::open::{Log, read_problem};
use super::problem::Problem;
use servanda::client::Client;
use servanda::entry::SignedEntry;
use servanda::hash::Hash;
use servanda::merkle::tile::TILE_WIDTH;
use servanda::store::index::Index;
use std::collections::BTreeMap;

/// The fewest digits of a shortened id.
const DIGITS_MIN: usize = 4;

/// How many entries are listed where a shortened id fits several.
const LISTED: usize = 16;

/// The index of the entry that a text names.
///
/// # Errors
/// When it names none or several, or the log cannot be read.
pub fn index(context: &Context, log: &Log, text: &str) -> anyhow::Result<u64> {
    let size = log.checkpoint.size();
    if let Some(number) = text.strip_prefix('#') {
        let not_one = || Problem::new(format!("{text} is no entry")).hint("want # and a number, as in #12");
        let index: u64 = number.parse().map_err(|_| not_one())?;
        if index < size {
            return Ok(index);
        }
        let last = size.saturating_sub(1);
        return Err(Problem::new(format!("there is no entry {index}: the last one is {last}")).into());
    }
    let digits = text.to_ascii_lowercase();
    if !(DIGITS_MIN..=64).contains(&digits.len()) || digits.bytes().any(|b| !b.is_ascii_hexdigit()) {
        return Err(Problem::new(format!("{text:?} is no id"))
            .hint("want at least four of an id's hexadecimal digits, or an entry's number, as in #12")
            .into());
    }
    let found = starting_with(context, log, &digits)?;
    let mut all = found.iter();
    match (all.next(), all.next()) {
        (Some((_, index)), None) => Ok(*index),
        (None, _) => {
            Err(Problem::new(format!("no statement in this log has an id that starts with {digits}"))
                .hint("a statement on its way is in the log once its operator has published it")
                .into())
        }
        _ => {
            let lines = found.iter().take(LISTED).map(|(id, index)| format!("\n    {id}  entry {index}"));
            let lines: String = lines.collect();
            Err(Problem::new(format!("{digits} could be any of{lines}")).hint("give more digits").into())
        }
    }
}

/// The statements whose ids start with these digits, each with the first entry that has it.
fn starting_with(context: &Context, log: &Log, digits: &str) -> anyhow::Result<BTreeMap<Hash, u64>> {
    let mut client = log.client()?;
    let mut found = BTreeMap::new();
    let known = indexed(log, &mut client, digits, &mut found).unwrap_or(0);
    let size = client.size();
    let bar = context.screen.progress(size - known, "searching");
    let width = u64::from(TILE_WIDTH);
    for number in known / width..size.div_ceil(width) {
        let entries = client.bundle(number).map_err(read_problem)?;
        for (index, bytes) in (number * width..).zip(entries) {
            if let Ok(e) = SignedEntry::decode(&bytes)
                && e.id.to_string().starts_with(digits)
            {
                found.entry(e.id).or_insert(index);
            }
        }
        bar.set_position(((number + 1) * width).saturating_sub(known));
    }
    bar.finish_and_clear();
    Ok(found)
}

/// Looks into the index of ids; gives how many entries it knows, or none where it cannot be used.
fn indexed(log: &Log, client: &mut Client<'_>, digits: &str, found: &mut BTreeMap<Hash, u64>) -> Option<u64> {
    let path = log.place.home.as_ref()?.join("private/index.redb");
    // One that is held by the operator's process does not open: then the entries are read.
    let index = path.is_file().then(|| Index::open(&path).ok()).flatten()?;
    let (known, last) = index.state().ok()?;
    if known == 0 || known > client.size() || client.leaf_hash(known - 1).ok()? != last {
        return None;
    }
    for (id, at) in index.starting_with(digits).ok()? {
        let e = SignedEntry::decode(&client.entry(at).ok()?).ok()?;
        if e.id != id {
            return None;
        }
        found.insert(id, at);
    }
    Some(known)
}
