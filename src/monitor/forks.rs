//! Sources held against the head verified before, and against each other: two histories under one log.
//!
//! Of the sources that contain the head, the largest is the measure of all others. Where none does, what a source gives is
//! held against the head's own checkpoint.

use super::sources::Opened;
use super::{Alert, Kind, Look};
use crate::client::{Client, ReadError};
use crate::evidence::Accused;
use crate::text::count;

/// Compares sources; gives those that can be followed, the largest first.
pub(super) fn compare<'o, 'r>(look: &mut Look<'_>, opened: &'o [Opened<'r>]) -> Vec<&'o Opened<'r>> {
    let (mut agreeing, mut others) = (Vec::new(), Vec::new());
    for source in opened {
        match contains_head(look, source) {
            Ok(true) if source.accepted => agreeing.push(source),
            Ok(_) => others.push(source),
            Err(error) => look.trouble(source.name(), &error),
        }
    }
    agreeing.sort_by_key(|source| std::cmp::Reverse(source.checkpoint.size()));
    let mut same: Vec<&Opened<'_>> = Vec::new();
    let Some((measure, rest)) = agreeing.split_first() else {
        for source in others {
            if let Err(error) = contradicts_head(look, source) {
                look.trouble(source.name(), &error);
            }
        }
        return same;
    };
    same.push(measure);
    settle(look, measure);
    for source in rest {
        if agrees(look, measure, source) {
            same.push(source);
        }
    }
    for source in others {
        agrees(look, measure, source);
    }
    same
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
    let Some(head) = &look.monitor.kept.head else { return Ok(true) };
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

/// Whether a source and the measure are of one history; that they are not is a fork.
fn agrees(look: &mut Look<'_>, measure: &Opened<'_>, source: &Opened<'_>) -> bool {
    let same = (measure.checkpoint.size(), measure.checkpoint.root())
        == (source.checkpoint.size(), source.checkpoint.root());
    if same || is_settled(look, source) {
        settle(look, source);
        return true;
    }
    match parted(look, measure, source) {
        Ok(false) => {
            settle(look, source);
            true
        }
        Ok(true) => false,
        Err(error) => {
            look.trouble(source.name(), &error);
            false
        }
    }
}

fn parted(look: &mut Look<'_>, measure: &Opened<'_>, source: &Opened<'_>) -> Result<bool, ReadError> {
    let (mut one, mut two) = (accused(measure)?, accused(source)?);
    let Some(index) = one.parts_from(&mut two)? else { return Ok(false) };
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
