//! One line for each pledge and obligation, as it stands at a moment, with the ids that it rests on.
//!
//! A pledge has a row for each line of it (its author's, and one for each who joined on its own account), each version
//! of its terms and each state: accepted by one of two addressees, it has two rows.

use super::super::pledge::{Gist, Line, Moment, Origin, Pledge, State};
use super::super::verdict::{Owed, Verdict};
use super::super::{Ledger, Said};
use crate::field::{Handle, Instant, Short, Sum};
use crate::hash::Hash;
use crate::statement::body::{Answer, Occasion, Party};
use crate::statement::terms::{Bound, Force, Instrument, Quantity};
use serde::Serialize;

/// A line of a pledge or record towards those to whom it stands alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PledgeRow {
    /// The id that names it: the pledge's, or the join's of one who joined on its own account.
    pub id: Hash,
    /// The pledge's id.
    pub pledge: Hash,
    /// Who owes it, after whom it is called first; of a record, the partner whose promise it records.
    pub by: Vec<Handle>,
    /// Of a record: the promisor, partner or not.
    pub promisor: Option<Party>,
    /// Towards whom.
    pub to: Vec<Handle>,
    /// The author's own reference.
    pub reference: Option<Short>,
    /// In a few words; none where the terms are sealed.
    pub title: Option<Short>,
    /// By which means.
    pub instruments: Vec<Instrument>,
    /// How much.
    pub quantity: Quantity,
    /// How strongly it binds; none where the terms are sealed.
    pub force: Option<Force>,
    /// The pledge that it is part of: then left out of totals.
    pub within: Option<Hash>,
    /// Which version of the terms, from 0.
    pub version: u32,
    /// The word for how it stands ([`State::word`]).
    pub state: &'static str,
    /// The same as a predicate, e.g. `is in force`.
    pub stands: String,
    /// Whether nothing can come of it any more.
    pub is_over: bool,
    /// When an announced withdrawal takes effect.
    pub ends_at: Option<Instant>,
    /// Accepted with a reservation by these.
    pub reserved_by: Vec<Handle>,
    /// The statements of this version: its pledge, record or amendment.
    pub rests_on: Said,
}

/// An obligation as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObligationRow {
    /// The id of the pledge or join under which it is owed.
    pub id: Hash,
    /// Which occasion.
    pub occasion: Occasion,
    /// What to call the occasion: the due's label, or the call.
    pub label: String,
    /// Who owes it.
    pub by: Vec<Handle>,
    /// To whom.
    pub to: Vec<Handle>,
    /// The author's own reference.
    pub reference: Option<Short>,
    /// The pledge in a few words.
    pub title: Short,
    /// By which means.
    pub instruments: Vec<Instrument>,
    /// The pledge that its own is part of: then left out of totals.
    pub within: Option<Hash>,
    /// By when; none: no deadline.
    pub deadline: Option<Instant>,
    /// What became of it.
    pub verdict: Verdict,
    /// The rule that gave the verdict.
    pub why: &'static str,
    /// Its sums, where the terms have an open measure.
    pub sums: Option<Sums>,
    /// Whether its quantity is sealed.
    pub undisclosed: bool,
    /// Disputes that stand.
    pub contested: Vec<Said>,
    /// Third parties that attest the delivery.
    pub attested: Vec<Said>,
    /// Within an exercise: nothing is owed.
    pub exercise: bool,
    /// It arose from what a thief said.
    pub disowned: bool,
    /// The last statement on which the verdict rests: a confirmation, response or call, else the terms.
    pub rests_on: Said,
}

/// The sums of an obligation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// How the promised number is meant.
    pub bound: Bound,
    /// The unit.
    pub unit: String,
    /// What was promised.
    pub promised: Sum,
    /// What its promisor claims to have delivered; none: no delivery on record, which is not the same as 0.
    pub claimed: Option<Sum>,
    /// What those to whom it is owed confirmed; none: nothing on record.
    pub confirmed: Option<Sum>,
    /// What is not confirmed of what was promised.
    pub outstanding: Sum,
}

impl Sums {
    /// The sums of an obligation that was judged at a moment; none where its terms have no open measure.
    #[must_use]
    pub fn of(owed: &Owed<'_>, when: Moment) -> Option<Self> {
        let measured = owed.measured.as_ref()?;
        let deliveries = || owed.responses(when).filter(|r| r.answer == Answer::Delivered);
        let is_claimed = deliveries().next().is_some();
        let is_confirmed = deliveries().flat_map(|r| r.confirmed.values()).any(|c| when.has(&c.said));
        Some(Self {
            bound: measured.bound,
            unit: measured.unit.clone(),
            promised: measured.promised.clone(),
            claimed: is_claimed.then(|| measured.claimed.clone()),
            confirmed: is_confirmed.then(|| measured.confirmed.clone()),
            outstanding: measured.outstanding(),
        })
    }
}

impl Ledger {
    /// The rows of a pledge or record at a moment.
    #[must_use]
    pub fn pledge_rows(&self, pledge: &Pledge, when: Moment) -> Vec<PledgeRow> {
        let mut rows: Vec<PledgeRow> = Vec::new();
        for line in pledge.lines().filter(|line| is_said(pledge, *line, when)) {
            let first = rows.len();
            for to in pledge.addressees() {
                let state = pledge.state(line, to, when);
                let version = shown_version(pledge, line, to, when);
                let ends_at = pledge.line_ends_at(line, to);
                let stands = state.to_string();
                let alike = |row: &&mut PledgeRow| {
                    row.version == version && row.stands == stands && row.ends_at == ends_at
                };
                let reserved = pledge.version(version).accepted.get(to).is_some_and(|a| a.reserved);
                if let Some(row) = rows[first..].iter_mut().find(alike) {
                    row.to.push(to.clone());
                    row.reserved_by.extend(reserved.then(|| to.clone()));
                    continue;
                }
                let mut row = row(pledge, line, version, &state);
                row.to.push(to.clone());
                row.ends_at = ends_at;
                row.reserved_by.extend(reserved.then(|| to.clone()));
                rows.push(row);
            }
        }
        rows
    }
}

/// Whether a line was there at a moment.
fn is_said(pledge: &Pledge, line: Line, when: Moment) -> bool {
    let said = match line {
        Line::Author => &pledge.said,
        Line::Join(n) => &pledge.joins[n].said,
    };
    when.has(said)
}

/// The version that binds towards an addressee; where none does, the last one that is addressed to it.
fn shown_version(pledge: &Pledge, line: Line, to: &Handle, when: Moment) -> u32 {
    let said = |n: &u32| when.has(&pledge.version(*n).said);
    let numbers = 0..u32::try_from(pledge.versions.len()).expect("few versions");
    let last = || numbers.rev().filter(said).find(|n| pledge.version(*n).to.contains(to));
    pledge.bound_by(line, to, when).or_else(last).unwrap_or(0)
}

fn row(pledge: &Pledge, line: Line, version: u32, state: &State) -> PledgeRow {
    let of = pledge.version(version);
    let gist: Option<&Gist> = of.gist();
    let (by, promisor) = match &pledge.origin {
        Origin::Recorded { promisor, .. } => match promisor {
            Party::Handle(handle) => (vec![handle.clone()], Some(promisor.clone())),
            Party::Name(_) => (Vec::new(), Some(promisor.clone())),
        },
        _ => (pledge.owing(line, version).into_iter().cloned().collect(), None),
    };
    PledgeRow {
        id: pledge.line_id(line),
        pledge: pledge.said.id,
        by,
        promisor,
        to: Vec::new(),
        reference: gist.and_then(|g| g.reference.clone()),
        title: gist.map(|g| g.title.clone()),
        instruments: gist.map(|g| g.instruments.to_vec()).unwrap_or_default(),
        quantity: gist.map(|g| g.quantity.clone()).unwrap_or_default(),
        force: gist.map(|g| g.force),
        within: gist.and_then(|g| g.within),
        version,
        state: state.word(),
        stands: state.to_string(),
        is_over: state.is_over(),
        ends_at: None,
        reserved_by: Vec::new(),
        rests_on: of.said.clone(),
    }
}

impl ObligationRow {
    /// The row of an obligation that was judged at a moment.
    #[must_use]
    pub fn of(owed: &Owed<'_>, when: Moment) -> Self {
        let said = |all: &[&Said]| all.iter().map(|s| (*s).clone()).collect();
        let quantity = owed.gist.measure(&owed.key.occasion);
        Self {
            id: owed.key.pledge,
            occasion: owed.key.occasion.clone(),
            label: owed.label(),
            by: owed.by().into_iter().cloned().collect(),
            to: owed.facet.to.to_vec(),
            reference: owed.gist.reference.clone(),
            title: owed.gist.title.clone(),
            instruments: owed.gist.instruments.to_vec(),
            within: owed.gist.within,
            deadline: owed.deadline,
            verdict: owed.verdict,
            why: owed.why,
            sums: Sums::of(owed, when),
            undisclosed: matches!(quantity, Quantity::Sealed(_)),
            contested: said(&owed.contested),
            attested: said(&owed.attested),
            exercise: owed.is_exercise(),
            disowned: owed.is_disowned(),
            rests_on: rests_on(owed, when).clone(),
        }
    }
}

/// The last statement that the verdict rests on.
fn rests_on<'a>(owed: &'a Owed<'_>, when: Moment) -> &'a Said {
    let confirmed = owed.responses(when).filter(|r| r.answer == Answer::Delivered);
    let confirmed = confirmed.flat_map(|r| r.confirmed.values()).map(|c| &c.said);
    let confirmed = confirmed.filter(|s| when.has(s));
    let responses = owed.responses(when).map(|r| &r.said);
    let last = confirmed.chain(responses).max_by_key(|s| s.index);
    let arose = owed.obligation.map(|o| &o.arose);
    last.or(arose).unwrap_or(&owed.pledge.version(owed.facet.version).said)
}
