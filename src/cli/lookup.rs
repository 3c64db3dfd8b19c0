//! Finding an entry by what people call it: a statement's id, whole or shortened, its index, or the reference of a pledge or
//! record.
//!
//! In a log's home the index of ids answers; where it is missing, behind or held by the operator, all entries are read.
//! Nothing that it says is believed: entries are read under the checkpoint, and their ids computed again.

use super::named;
use super::open::{Log, read_problem};
use super::problem::Problem;
use super::screen::Screen;
use super::walk::{Order, walk};
use super::words;
use servanda::charter::Sealable;
use servanda::client::Client;
use servanda::entry::SignedEntry;
use servanda::field::Short;
use servanda::hash::Hash;
use servanda::statement::Act;
use servanda::store::index::{self, IndexError, MATCHES_MAX, ReadIndex};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::str::FromStr;

/// The fewest digits of an id.
pub const DIGITS_MIN: usize = 4;

/// What someone calls an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Its index, written `#12` or, where the shell takes that for a comment, `@12`.
    Index(u64),
    /// The first digits of its statement's id, or all of them; lower case.
    Id(String),
    /// The author's own reference for a pledge or record: any other text.
    Reference(String),
}

/// A text names no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "want {DIGITS_MIN} to 64 hexadecimal digits of a statement's id, @12 for the entry of index 12, or the reference of a pledge"
)]
pub struct NotAName;

impl FromStr for Wanted {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        if let Some(index) = text.strip_prefix(['#', '@']).and_then(servanda::text::decimal_u64) {
            return Ok(Self::Index(index));
        }
        let digits = text.to_ascii_lowercase();
        let fits = (DIGITS_MIN..=64).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        if fits {
            return Ok(Self::Id(digits));
        }
        let reference =
            Short::new(text).ok().filter(|text| !text.is_empty() && !text.contains(char::is_control));
        reference.map(|text| Self::Reference(text.to_string())).ok_or(NotAName)
    }
}

/// Finds the one entry that is meant, and gives its index.
///
/// # Errors
/// When there is none, or several, which are listed; when the log cannot be read.
pub fn find(log: &Log, screen: &Screen, wanted: &Wanted) -> anyhow::Result<u64> {
    let size = log.checkpoint.size();
    let text = match wanted {
        Wanted::Index(index) if *index < size => return Ok(*index),
        Wanted::Index(index) => {
            return Err(Problem::new(format!(
                "there is no entry {index}: the last one is {}",
                size.saturating_sub(1)
            ))
            .hint("the first is entry 0")
            .into());
        }
        Wanted::Id(text) | Wanted::Reference(text) => text,
    };
    let mut client = log.client()?;
    let is_id = matches!(wanted, Wanted::Id(_));
    let mut found = if is_id { in_index(log, screen, &mut client, text)? } else { Matches::new() };
    let bar = screen.progress(size, "looking through the log");
    let by_id: Wants<'_> = &|e| e.id.to_string().starts_with(text);
    let by_reference: Wants<'_> = &|e| has_reference(e, text);
    // Digits may be a reference as well.
    for wants in [by_id, by_reference].into_iter().skip(usize::from(!is_id)) {
        if found.is_empty() {
            let enough = if text.len() == 64 { 1 } else { MATCHES_MAX };
            scan(&mut client, wants, enough, 0, &mut found, &|done| bar.set_position(done))?;
        }
    }
    bar.finish_and_clear();
    let mut matches = found.iter();
    match (matches.next(), matches.next()) {
        (None, _) if is_id => Err(none(text).into()),
        (None, _) => Err(named::none(text).into()),
        (Some((_, (index, _))), None) => Ok(*index),
        _ if is_id => Err(ambiguous(text, &found).into()),
        _ => {
            let (many, lines) = listed(&found, 12);
            Err(named::ambiguous(text, &many, &lines).into())
        }
    }
}

/// Whether an entry is a pledge or record of its author's own reference, as it was made; amendments have other ids.
fn has_reference(e: &SignedEntry, reference: &str) -> bool {
    let terms = match e.act() {
        Ok(Act::Pledge(body)) => &body.terms,
        Ok(Act::Record(body)) => &body.terms,
        _ => return false,
    };
    matches!(terms, Sealable::Open(terms) if terms.reference.as_deref() == Some(reference))
}

/// The one entry among those that an index of ids names.
///
/// # Errors
/// When there is none, or several, which are listed.
pub fn one(digits: &str, matches: &[(Hash, u64)]) -> anyhow::Result<u64> {
    match matches {
        [(_, index)] => Ok(*index),
        [] => Err(none(digits).into()),
        several => {
            let several = several.iter().map(|(id, index)| (*id, (*index, String::new()))).collect();
            Err(ambiguous(digits, &several).into())
        }
    }
}

fn none(digits: &str) -> Problem {
    Problem::new(format!("no statement in this log has an id that begins with {digits}"))
        .hint("\"servanda log\" lists what is in it")
}

/// Statements by id, with their first entry's index.
type Matches = BTreeMap<Hash, (u64, String)>;

/// Whether an entry is looked for.
type Wants<'a> = &'a dyn Fn(&SignedEntry) -> bool;

/// Asks the index of ids; nothing where it does not help.
fn in_index(log: &Log, screen: &Screen, client: &mut Client<'_>, digits: &str) -> anyhow::Result<Matches> {
    let mut found = Matches::new();
    let Some(path) = log.place.home.as_ref().map(|home| home.join(index::FILE)).filter(|p| p.is_file())
    else {
        return Ok(found);
    };
    let asked = ReadIndex::open_to_read(&path).and_then(|index| ask(&index, digits));
    let (size, leaf, hits) = match asked {
        Ok(asked) => asked,
        Err(error) => {
            screen.note(format!("{error}; reading all entries instead"));
            return Ok(found);
        }
    };
    let known = size.min(client.size());
    if known == 0 || (known == size && client.leaf_hash(known - 1).map_err(read_problem)? != leaf) {
        return Ok(found);
    }
    let wants: Wants<'_> = &|e| e.id.to_string().starts_with(digits);
    for index in hits.into_iter().filter(|index| *index < known) {
        let bytes = client.entry(index).map_err(read_problem)?;
        take(&mut found, wants, index, &bytes);
    }
    scan(client, wants, MATCHES_MAX, known, &mut found, &|_| {})?;
    Ok(found)
}

/// How many entries an index knows, the last one's leaf hash, and where it finds such ids.
fn ask(index: &ReadIndex, digits: &str) -> Result<(u64, Hash, Vec<u64>), IndexError> {
    let (size, leaf) = index.state()?;
    let hits = index.starting_with(digits)?.into_iter().map(|(_, at)| at).collect();
    Ok((size, leaf, hits))
}

/// Reads the entries from one on until enough are found.
fn scan(
    client: &mut Client<'_>,
    wants: Wants<'_>,
    enough: usize,
    from: u64,
    found: &mut Matches,
    progress: &dyn Fn(u64),
) -> anyhow::Result<()> {
    let range = from..client.size();
    walk(client, range, Order::Forward, &mut |index, bytes| {
        take(found, wants, index, bytes);
        progress(index);
        Ok(if found.len() < enough { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })
}

fn take(found: &mut Matches, wants: Wants<'_>, index: u64, bytes: &[u8]) {
    if let Ok(e) = SignedEntry::decode(bytes)
        && wants(&e)
    {
        // The first entry with a statement is the one that counts.
        found.entry(e.id).or_insert_with(|| (index, words::summary(&e.statement)));
    }
}

fn ambiguous(digits: &str, found: &Matches) -> Problem {
    let (many, lines) = listed(found, digits.len().max(12) + 4);
    Problem::new(format!("{digits} is the beginning of {many} ids"))
        .hint(format!("give more digits of the one you mean:{lines}"))
}

/// How many there are, and a line each, with so many digits of the id.
fn listed(found: &Matches, digits: usize) -> (String, String) {
    let line = |(id, (index, summary)): (&Hash, &(u64, String))| {
        format!("\n  {}  @{index}  {summary}", &id.to_string()[..digits.min(64)])
    };
    let many = if found.len() >= MATCHES_MAX { "at least " } else { "" };
    (format!("{many}{}", found.len()), found.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_indexes_and_references_name_an_entry() {
        assert_eq!("#12".parse(), Ok(Wanted::Index(12)));
        assert_eq!("@0".parse(), Ok(Wanted::Index(0)));
        assert_eq!("AB12".parse(), Ok(Wanted::Id("ab12".to_owned())));
        assert_eq!("0".repeat(64).parse(), Ok(Wanted::Id("0".repeat(64))));
        for other in ["abc", "#", "#-1", "#012", "@1x", "wxyz", &"0".repeat(65), "ab 12", "DEU-C24"] {
            assert_eq!(other.parse(), Ok(Wanted::Reference(other.to_owned())), "{other}");
        }
        for bad in ["", "a\nb", &"x".repeat(10_000)] {
            assert_eq!(bad.parse::<Wanted>(), Err(NotAName), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_names_an_entry_in_one_way_or_none(text in "[#@]?[0-9a-fA-F]{0,66}|.{0,20}") {
            let again = match text.parse::<Wanted>() {
                Ok(Wanted::Index(index)) => format!("@{index}"),
                Ok(Wanted::Id(digits)) => digits,
                Ok(Wanted::Reference(again)) => {
                    prop_assert_eq!(again, text);
                    return Ok(());
                }
                Err(NotAName) => return Ok(()),
            };
            prop_assert_eq!(again, text.replacen('#', "@", 1).to_ascii_lowercase());
        }
    }
}
