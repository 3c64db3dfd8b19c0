//! What a partner has said under its own references, as it stands: what a new release is compared with.
//!
//! The ledger tells which statements there are and how they stand; their texts are read out of the log. The last terms
//! count that the author gave, accepted or not: an import does not repeat what waits for acceptance.

use crate::cli::desk::Desk;
use crate::cli::open::read_problem;
use crate::cli::problem::Problem;
use anyhow::Result;
use servanda::charter::Sealable;
use servanda::codec::List;
use servanda::entry::SignedEntry;
use servanda::field::{Handle, Instant, Long};
use servanda::hash::Hash;
use servanda::ledger::pledge::Origin;
use servanda::ledger::{Ledger, Line, Moment, Pledge, State};
use servanda::merkle::tile::TILE_WIDTH;
use servanda::statement::Act;
use servanda::statement::body::Party;
use servanda::statement::terms::Terms;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A statement in the log.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// The id that names it.
    pub id: Hash,
    /// The entry of it.
    pub index: u64,
    /// The author's reference.
    pub reference: String,
    /// To whom, by its last version.
    pub to: List<Handle>,
    /// The terms, by its last version.
    pub terms: Terms,
    /// Of a record: who promised, and where it was announced.
    pub record: Option<(Party, Long)>,
    /// Why no new terms can be given; none: they can.
    pub over: Option<String>,
}

/// All that a partner has said.
#[derive(Debug, Default)]
pub struct Heard {
    /// Statements with a reference that are not withdrawn, in the log's order.
    pub spoken: Vec<Spoken>,
    /// Every reference that was ever used.
    pub used: BTreeSet<String>,
    /// How many cannot be compared: sealed, or without a reference.
    pub apart: usize,
}

/// Where the parts of a statement stand.
struct Found<'a> {
    pledge: &'a Pledge,
    to: &'a List<Handle>,
    reference: String,
    /// The entry of the terms.
    terms: u64,
    over: Option<String>,
}

/// Reads what an author has recorded, or pledged, out of the log. At the operator's desk that includes what was committed
/// and not published yet, as by an import that was interrupted.
///
/// # Errors
/// When the log cannot be read, or nobody can tell how it stands.
pub fn spoken(desk: &Desk, author: &Handle, records: bool, now: Instant) -> Result<Heard> {
    let ledger = desk.history().ledger().ok_or_else(|| Problem::new("this log has no ledger"))?;
    let mut heard = Heard::default();
    let mut found: HashMap<String, Found<'_>> = HashMap::new();
    for pledge in ledger.pledges().iter().filter(|p| p.said.by == *author && p.is_record() == records) {
        let referred = pledge.versions.iter().filter_map(|v| v.gist()?.reference.as_ref());
        heard.used.extend(referred.map(ToString::to_string));
        if matches!(pledge.overall(Line::Author, Moment::at(now)), State::Withdrawn(_)) {
            continue;
        }
        let Some(one) = last_terms(ledger, pledge, now) else {
            heard.apart += 1;
            continue;
        };
        // One live statement at most has a reference; of others the last one counts.
        let lives = |other: &Found<'_>| other.over.is_none();
        if one.over.is_none() || !found.get(&one.reference).is_some_and(lives) {
            found.insert(one.reference.clone(), one);
        }
    }
    let mut found: Vec<Found<'_>> = found.into_values().collect();
    found.sort_by_key(|one| one.pledge.said.index);
    let wanted = found.iter().flat_map(|one| [one.terms, one.pledge.said.index]).collect();
    let acts = acts(desk, &wanted)?;
    for one in found {
        match one.read(&acts) {
            Some(spoken) => heard.spoken.push(spoken),
            None => heard.apart += 1,
        }
    }
    Ok(heard)
}

/// Where the last terms of a pledge stand that its author did not disown, if they bear a reference.
fn last_terms<'a>(ledger: &'a Ledger, pledge: &'a Pledge, now: Instant) -> Option<Found<'a>> {
    let version = pledge.versions.iter().rev().find(|v| !v.disowned)?;
    let reference = version.gist()?.reference.as_ref()?.to_string();
    let is_first = version.said.index == pledge.said.index;
    let terms = match &pledge.origin {
        // An adopt has no terms of its own.
        Origin::Adopted { record } if is_first => ledger.pledge_of(record)?.latest().said.index,
        _ => version.said.index,
    };
    Some(Found { pledge, to: &version.to, reference, terms, over: over(pledge, now) })
}

/// Why a pledge takes no new terms.
fn over(pledge: &Pledge, now: Instant) -> Option<String> {
    let when = Moment::at(now);
    if pledge.line_is_over(Line::Author, when) {
        return Some(pledge.overall(Line::Author, when).to_string());
    }
    let ends = pledge.addressees().into_iter().map(|to| pledge.ends_at(to));
    let last = ends.collect::<Option<Vec<Instant>>>()?.into_iter().max()?;
    Some(format!("was withdrawn with effect from {last}"))
}

/// The acts of these entries.
fn acts(desk: &Desk, wanted: &BTreeSet<u64>) -> Result<BTreeMap<u64, Act>> {
    let mut client = desk.client()?;
    let width = u64::from(TILE_WIDTH);
    let bundles: BTreeSet<u64> = wanted.iter().map(|index| index / width).collect();
    let mut acts = BTreeMap::new();
    for number in bundles {
        let entries = client.bundle(number).map_err(read_problem)?;
        for (index, bytes) in (number * width..).zip(entries).filter(|(index, _)| wanted.contains(index)) {
            let entry =
                SignedEntry::decode(&bytes).map_err(|e| Problem::new(format!("entry {index}: {e}")))?;
            if let Ok(act) = entry.act() {
                acts.insert(index, act.clone());
            }
        }
    }
    Ok(acts)
}

impl Found<'_> {
    /// The statement with its texts; none where the terms were sealed when they were signed.
    fn read(self, acts: &BTreeMap<u64, Act>) -> Option<Spoken> {
        let terms = match acts.get(&self.terms)? {
            Act::Pledge(body) => &body.terms,
            Act::Record(body) => &body.terms,
            Act::Amend(body) => &body.terms,
            _ => return None,
        };
        let Sealable::Open(terms) = terms else { return None };
        let record = match acts.get(&self.pledge.said.index)? {
            Act::Record(body) => Some((body.promisor.clone(), body.source.clone())),
            _ => None,
        };
        Some(Spoken {
            id: self.pledge.said.id,
            index: self.pledge.said.index,
            reference: self.reference,
            to: self.to.clone(),
            terms: terms.clone(),
            record,
            over: self.over,
        })
    }
}
