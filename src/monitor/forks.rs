//! Sources held against the head verified before, and against each other: two histories under one log.
//!
//! Of the sources that contain the head, the largest is the measure of all others. Where none does, what a source gives is
//! held against the head's own checkpoint. Before there is a head, a source must at least be of the log that is pinned.
//!
//! That a source is the measure says nothing in its favour. Should it not give what it commits to, another one is
//! followed, be it that the two parted.

use super::sources::{self, Opened};
use super::{Alert, Kind, Look, succession};
use crate::client::{Client, ReadError};
use crate::entry::SignedEntry;
use crate::evidence::Accused;
use crate::hash::Hash;
use crate::roster::Roster;
use crate::text::count;
use crate::verify::Trouble;

/// Compares sources; gives those that can be followed, in the order in which they are tried.
pub(super) fn compare<'o, 'r>(look: &mut Look<'_>, opened: &'o [Opened<'r>]) -> Vec<&'o Opened<'r>> {
    let (mut agreeing, mut others) = (Vec::new(), Vec::new());
    for source in opened {
        match contains_head(look, source) {
            Ok(true) if source.accepted => agreeing.push(source),
            Ok(_) => others.push(source),
            Err(error) => look.trouble(source.name(), &error),
        }
    }
    let ranks = succession::ranks(look, opened);
    let rank = |source: &Opened<'_>| ranks.get(source.name()).copied().unwrap_or(0);
    agreeing.sort_by_key(|source| std::cmp::Reverse((rank(source), source.checkpoint.size())));
    let Some((measure, rest)) = agreeing.split_first() else {
        for source in others {
            let told = match look.monitor.kept.head {
                Some(_) => contradicts_head(look, source),
                None => is_of_another_log(look, source),
            };
            if let Err(error) = told {
                look.trouble(source.name(), &error);
            }
        }
        return agreeing;
    };
    settle(look, measure);
    for source in rest.iter().copied().chain(others) {
        hold_against(look, measure, source);
    }
    agreeing
}

fn settle(look: &mut Look<'_>, source: &Opened<'_>) {
    let head = (source.checkpoint.size(), source.checkpoint.root());
    look.out.settled.insert(source.name().to_owned(), head);
}

fn is_settled(look: &Look<'_>, source: &Opened<'_>) -> bool {
    let head = (source.checkpoint.size(), source.checkpoint.root());
    look.monitor.settled.get(source.name()) == Some(&head)
}

/// Whether a source has the history that was verified before; one that is shorter has not.
fn contains_head(look: &Look<'_>, source: &Opened<'_>) -> Result<bool, ReadError> {
    let Some(head) = &look.monitor.kept.head else {
        return Ok(founded(source)? == Some(*look.log()));
    };
    let checkpoint = &source.checkpoint;
    if checkpoint.size() < head.size {
        return Ok(false);
    }
    if is_settled(look, source) || (checkpoint.size(), checkpoint.root()) == (head.size, head.root) {
        return Ok(true);
    }
    Ok(client(source)?.root_at(head.size)? == head.root)
}

fn client<'a>(source: &'a Opened<'_>) -> Result<Client<'a>, ReadError> {
    Client::open(&source.reading.store, source.checkpoint.size(), source.checkpoint.root())
}

fn accused<'a>(source: &'a Opened<'_>) -> Result<Accused<'a>, ReadError> {
    Accused::new(&source.checkpoint, client(source)?)
}

/// The id of the log that entry 0 founds, if it founds one.
fn founded(source: &Opened<'_>) -> Result<Option<Hash>, ReadError> {
    if source.checkpoint.size() == 0 {
        return Ok(None);
    }
    let entry = SignedEntry::decode(&client(source)?.entry(0)?).ok();
    Ok(entry.filter(|entry| Roster::found(entry).is_ok()).map(|entry| entry.id))
}

/// Tells of a source that is of another log than the one that is pinned.
fn is_of_another_log(look: &mut Look<'_>, source: &Opened<'_>) -> Result<(), ReadError> {
    let (got, want) = (founded(source)?, *look.log());
    let why = match got {
        Some(got) if got == want => return Ok(()),
        Some(got) => Trouble::Log { got, want }.to_string(),
        None => "entry 0 founds no log".to_owned(),
    };
    sources::unaccepted::<()>(look, source.name(), &why);
    Ok(())
}

/// Compares a source with the measure; that they are of two histories is a fork.
fn hold_against(look: &mut Look<'_>, measure: &Opened<'_>, source: &Opened<'_>) {
    let same = (measure.checkpoint.size(), measure.checkpoint.root())
        == (source.checkpoint.size(), source.checkpoint.root());
    if same || is_settled(look, source) {
        settle(look, source);
        return;
    }
    match parted(look, measure, source) {
        Ok(false) => settle(look, source),
        Ok(true) => {}
        Err(error) => look.trouble(source.name(), &error),
    }
}

fn parted(look: &mut Look<'_>, measure: &Opened<'_>, source: &Opened<'_>) -> Result<bool, ReadError> {
    let (mut one, mut two) = (accused(measure)?, accused(source)?);
    let Some(index) = one.parts_from(&mut two)? else { return Ok(false) };
    if succession::is_replaced(look, measure, source, index)? {
        return Ok(true);
    }
    let mut leaves = [client(measure)?.leaf_hash(index)?, client(source)?.leaf_hash(index)?];
    leaves.sort_unstable();
    let subject = format!("entry {index} {} {}", leaves[0], leaves[1]);
    let (here, there) = (measure.name(), source.name());
    let sentence = format!("{here} and {there} show two histories of this log, which part at entry {index}");
    let alert = Alert::new(Kind::Fork, subject, sentence, look.now).of(there);
    look.accuse(alert, || one.fork_with(&mut two))?;
    Ok(true)
}

/// Holds a source against the head where nothing else shows it any more.
fn contradicts_head(look: &mut Look<'_>, source: &Opened<'_>) -> Result<(), ReadError> {
    let Some(head) = look.monitor.kept.head.clone() else { return Ok(()) };
    if source.checkpoint.size() < head.size {
        return Ok(());
    }
    let got = client(source)?.root_at(head.size)?;
    if got == head.root {
        return Ok(());
    }
    let name = source.name();
    let roster = look.history.roster();
    let place = |origin: &str| roster?.vkeys.iter().position(|(_, vkey)| vkey.name() == origin);
    if let (Some(theirs), Some(ours)) = (place(source.checkpoint.origin()), place(&head.origin))
        && theirs < ours
    {
        let origin = source.checkpoint.origin();
        let sentence =
            format!("{name} shows the history of {origin}, whom the partners replaced by {}", head.origin);
        let (key, subject) = (format!("replaced {name}"), format!("{origin} replaced by {}", head.origin));
        look.condition(Kind::Replaced, key, subject, sentence, Some(name));
        return Ok(());
    }
    let sentence = format!(
        "{name} shows another history than the {} verified before",
        count(head.size, "entry", "entries")
    );
    let subject = format!("{} entries {} {got}", head.size, head.root);
    let alert = Alert::new(Kind::Fork, subject, sentence, look.now).of(name);
    let kept = look.reopen(&head);
    let evidence = || match kept {
        Some(kept) => accused(source)?.contradicts(&kept),
        None => Ok(None),
    };
    look.accuse(alert, evidence).map(|_| ())
}
