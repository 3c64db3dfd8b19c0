//! Obligations: one occasion each on which a pledge must be kept, and what was answered and confirmed.
//!
//! A call's obligation arises with the entry that calls. A due's arises when it falls due, or with the first response
//! before that; until then it follows whatever terms are in force. What has arisen keeps its terms.

use super::few::Few;
use super::incident::Stances;
use super::pledge::{Facet, Gist, Line, Moment, Pledge};
use super::{Ledger, Said, Thing, Told, listed};
use crate::codec::List;
use crate::field::{Handle, Instant, Sum};
use crate::hash::Hash;
use crate::rule::Rule;
use crate::statement::body::{Answer, Confirm, Obligation as Key, Occasion, Received, Respond};
use crate::statement::terms::{Amount, Bounded, Quantity};
use serde::{Deserialize, Serialize};

/// What an obligation by call adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// An exercise: nothing is owed.
    pub exercise: bool,
}

/// A confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// Where.
    pub said: Said,
    /// What.
    pub received: Received,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Where.
    pub said: Said,
    /// How.
    pub answer: Answer,
    /// How much.
    pub quantity: Option<Amount>,
    /// When it was done, as its author says.
    pub done_at: Option<Instant>,
    /// What each of those to whom it is owed confirmed last.
    pub confirmed: Few<Handle, Confirmed>,
    /// Said by a thief, and disowned: it does not count.
    pub disowned: bool,
}

/// An obligation that a call or a response brought forth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// The entry with which it arose.
    pub arose: Said,
    /// By which terms, towards whom.
    pub facets: List<Facet>,
    /// Until when, by facet; none: no deadline.
    pub deadlines: List<Option<Instant>>,
    /// Where it arose from a call.
    pub call: Option<Call>,
    /// What was answered.
    pub responses: List<Response>,
    /// Who attests or disputes the delivery.
    pub stances: Stances,
    /// It rests on a stolen key's statement.
    pub disowned: bool,
}

impl Obligation {
    /// Everyone to whom it is owed.
    #[must_use]
    pub fn owed_to(&self) -> Vec<&Handle> {
        self.facets.iter().flat_map(|f| f.to.iter()).collect()
    }
}

/// Facets of a due, each with its deadline.
pub(super) type DueFacets = (Vec<Facet>, Vec<Option<Instant>>);

/// The terms of a due, in force when it falls due; or, where `early`, now if that is before. Towards each addressee it
/// arises once, under the terms under which it did so first: a due that was moved after its day is still owed by that day.
/// `numbers` are the versions that have it and that somebody took on; `known` those towards whom it arose before.
pub(super) fn due_facets(
    pledge: &Pledge,
    line: Line,
    (due, numbers): (u64, &[u32]),
    now: Moment,
    early: bool,
    known: &[&Handle],
) -> DueFacets {
    let days = numbers.iter().filter_map(|n| Some((due_of(pledge.version(*n).gist(), due)?, *n)));
    let mut days: Vec<_> = days.map(|(by, n)| (if early { by.min(now.at) } else { by }, n, by)).collect();
    days.sort_unstable();
    let mut facets: Vec<Facet> = Vec::new();
    let mut deadlines = Vec::new();
    for days in days.chunk_by(|a, b| a.0 == b.0) {
        let in_force = pledge.in_force(line, Moment { at: days[0].0, ..now });
        for (_, number, by) in days {
            let Some(mut facet) = in_force.iter().find(|f| f.version == *number).cloned() else { continue };
            let before = |to: &Handle| known.contains(&to) || facets.iter().any(|f| f.to.contains(to));
            facet.to.retain(|to| !before(to));
            if !facet.to.is_empty() {
                facets.push(facet);
                deadlines.push(Some(*by));
            }
        }
    }
    (facets, deadlines)
}

/// The versions that have a due, of those that anybody but these took on: no other can be in force.
fn versions_with(pledge: &Pledge, due: u64, known: &[&Handle]) -> Vec<u32> {
    let has = |n: &u32| due_of(pledge.version(*n).gist(), due).is_some();
    pledge.taken_on(known).into_iter().filter(has).collect()
}

fn due_of(gist: Option<&Gist>, due: u64) -> Option<Instant> {
    usize::try_from(due).ok().and_then(|n| gist?.dues.get(n)).map(|due| due.by)
}

impl Gist {
    /// How much is owed on an occasion: a due's own quantity, or the pledge's where it is the only due.
    #[must_use]
    pub fn measure(&self, occasion: &Occasion) -> &Quantity {
        match occasion {
            Occasion::Due(n) => {
                let due = usize::try_from(*n).ok().and_then(|n| self.dues.get(n));
                match due.map(|due| &due.quantity) {
                    Some(Quantity::None) if self.dues.len() == 1 => &self.quantity,
                    Some(quantity) => quantity,
                    None => &Quantity::None,
                }
            }
            Occasion::Call(_) => &self.quantity,
        }
    }
}

impl Ledger {
    /// The obligation of a key; `arisen` where nothing was recorded of it before.
    pub(super) fn obligation_mut(&mut self, key: &Key, arisen: Option<Obligation>) -> &mut Obligation {
        if let Some(arisen) = arisen {
            self.obligations.insert(key.clone(), Box::new(arisen));
        }
        self.obligations.get_mut(key).expect("recorded before, or arisen now")
    }

    /// The obligation of a due of which nothing is recorded yet; none where something is. `early`: before it falls due,
    /// too.
    ///
    /// # Errors
    /// [`Rule::NoObligation`] where nothing is owed.
    pub(super) fn arisen(&self, told: &Told<'_>, key: &Key, early: bool) -> Result<Option<Obligation>, Rule> {
        if self.obligations.contains_key(key) {
            return Ok(None);
        }
        let no = |why: &str| Rule::NoObligation { pledge: key.pledge, why: why.to_owned() };
        let (pledge, line) =
            self.line(&key.pledge).ok_or_else(|| no("it is no pledge or join of this log"))?;
        if pledge.is_record() {
            return Err(Rule::OnlyRecorded { id: key.pledge });
        }
        let Occasion::Due(due) = key.occasion else { return Err(no("it was not called upon by that name")) };
        let numbers = versions_with(pledge, due, &[]);
        let now = Moment::at(told.said.at);
        let (facets, deadlines) = due_facets(pledge, line, (due, &numbers), now, true, &[]);
        let ahead = |by: &Option<Instant>| by.is_some_and(|by| by > told.said.at);
        if !early && !deadlines.is_empty() && deadlines.iter().all(ahead) {
            return Err(no(&format!("due {due} lies ahead, and nothing was answered yet")));
        }
        if facets.is_empty() {
            let exists = pledge.versions.iter().any(|v| due_of(v.gist(), due).is_some());
            let state = pledge.overall(line, Moment::at(told.said.at));
            return Err(no(&if exists {
                format!("the pledge {state}, or was not in force when due {due} fell due")
            } else {
                format!("it has no due {due}; dues are counted from 0")
            }));
        }
        Ok(Some(Obligation {
            arose: told.said.clone(),
            facets: facets.into(),
            deadlines: deadlines.into(),
            call: None,
            responses: List::default(),
            stances: Stances::default(),
            disowned: false,
        }))
    }

    /// Towards whom else a due arises with a response, than those towards whom it arose before.
    fn further(&self, told: &Told<'_>, key: &Key, obligation: &Obligation) -> DueFacets {
        let (Occasion::Due(due), Some((pledge, line))) = (&key.occasion, self.line(&key.pledge)) else {
            return DueFacets::default();
        };
        let known = obligation.owed_to();
        let numbers = versions_with(pledge, *due, &known);
        due_facets(pledge, line, (*due, &numbers), Moment::at(told.said.at), true, &known)
    }

    /// Those to whom an obligation is owed by a moment: of a due, those towards whom it arose on its day as well.
    fn owed_to(&self, key: &Key, obligation: &Obligation, now: Moment) -> Vec<Handle> {
        let known = obligation.owed_to();
        let mut all: Vec<Handle> = known.iter().map(|to| (*to).clone()).collect();
        if let (Occasion::Due(due), Some((pledge, line))) = (&key.occasion, self.line(&key.pledge)) {
            let numbers = versions_with(pledge, *due, &known);
            let (facets, deadlines) = due_facets(pledge, line, (*due, &numbers), now, false, &known);
            let arisen = facets.into_iter().zip(deadlines).filter(|(_, by)| *by <= Some(now.at));
            all.extend(arisen.flat_map(|(facet, _)| facet.to.0));
        }
        all
    }

    /// Whoever owes an obligation.
    #[must_use]
    pub fn owing(&self, key: &Key, obligation: &Obligation) -> Vec<Handle> {
        self.owing_by(key, obligation.facets.iter())
    }

    fn owing_by<'f>(&self, key: &Key, facets: impl Iterator<Item = &'f Facet>) -> Vec<Handle> {
        let Some((pledge, line)) = self.line(&key.pledge) else { return Vec::new() };
        let mut all: Vec<Handle> = facets.flat_map(|f| pledge.owing(line, f.version)).cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The unit that an obligation is counted in, if its terms have one that stands open.
    fn measures<'f>(&self, key: &Key, facets: impl Iterator<Item = &'f Facet>) -> Vec<&Bounded> {
        let Some((pledge, _)) = self.line(&key.pledge) else { return Vec::new() };
        let gists = facets.filter_map(|f| pledge.version(f.version).gist());
        let open = gists.filter_map(|gist| match gist.measure(&key.occasion) {
            Quantity::Open(bounded) => Some(bounded),
            _ => None,
        });
        open.collect()
    }

    fn check_unit(measures: &[&Bounded], amount: &Amount) -> Result<(), Rule> {
        if measures.is_empty() || measures.iter().any(|m| m.unit == amount.unit) {
            return Ok(());
        }
        let mut units: Vec<&str> = measures.iter().map(|m| m.unit.as_str()).collect();
        units.dedup();
        Err(Rule::Unit { got: amount.unit.clone(), want: units.join(" or ") })
    }

    pub(super) fn respond(&mut self, told: &Told<'_>, body: &Respond) -> Result<(), Rule> {
        let key = &body.obligation;
        let arisen = self.arisen(told, key, true)?;
        let (further, deadlines) = match &arisen {
            Some(_) => DueFacets::default(),
            None => self.further(told, key, &self.obligations[key]),
        };
        let obligation = arisen.as_ref().unwrap_or_else(|| &self.obligations[key]);
        let facets = || obligation.facets.iter().chain(&further);
        let owing = self.owing_by(key, facets());
        if !owing.contains(&told.said.by) {
            return Err(Rule::NotOwed { by: listed(&owing) });
        }
        if body.answer != Answer::Delivered && (body.quantity.is_some() || body.done_at.is_some()) {
            return Err(Rule::OnlyDelivered);
        }
        if let Some(amount) = &body.quantity {
            Self::check_unit(&self.measures(key, facets()), amount)?;
        }
        if body.done_at.is_some_and(|at| at > told.said.at) {
            return Err(Rule::Future { at: told.said.at });
        }
        let obligation = self.obligation_mut(key, arisen);
        obligation.facets.extend(further);
        obligation.deadlines.extend(deadlines);
        let number = super::next(&obligation.responses);
        obligation.responses.push(Response {
            said: told.said.clone(),
            answer: body.answer.clone(),
            quantity: body.quantity.clone(),
            done_at: body.done_at,
            confirmed: Few::default(),
            disowned: false,
        });
        self.things.insert(told.said.id, Thing::Response(Box::new(key.clone()), number));
        Ok(())
    }

    pub(super) fn confirm(&mut self, told: &Told<'_>, body: &Confirm) -> Result<(), Rule> {
        let id = body.response;
        let Some(Thing::Response(key, number)) = self.things.get(&id).cloned() else {
            return Err(Rule::Unknown { id, want: "response" });
        };
        let obligation = &self.obligations[&key];
        let owed_to = self.owed_to(&key, obligation, Moment::at(told.said.at));
        if !owed_to.contains(&told.said.by) {
            return Err(Rule::NotOwedTo { id, to: listed(&owed_to) });
        }
        let response = &obligation.responses[super::at(number)];
        if response.answer != Answer::Delivered {
            return Err(Rule::NotClaimed { id });
        }
        if let Received::InPart(amount) = &body.received {
            let measures = self.measures(&key, obligation.facets.iter());
            Self::check_unit(&measures, amount)?;
            // A claim without an amount is of the whole.
            let whole = measures.into_iter().filter(|m| m.unit == amount.unit).map(Bounded::amount);
            let whole = whole.max_by_key(|whole| Sum::from(&whole.amount));
            if let Some(claimed) = response.quantity.clone().or(whole) {
                if amount.unit != claimed.unit {
                    return Err(Rule::Unit { got: amount.unit.clone(), want: claimed.unit.to_string() });
                }
                if Sum::from(&amount.amount) > Sum::from(&claimed.amount) {
                    return Err(Rule::MoreThanClaimed { claimed: claimed.to_string() });
                }
            }
        }
        let confirmed = Confirmed { said: told.said.clone(), received: body.received.clone() };
        let obligation = self.obligations.get_mut(&key).expect("looked up above");
        obligation.responses[super::at(number)].confirmed.insert(told.said.by.clone(), confirmed);
        self.things.insert(told.said.id, Thing::Other);
        Ok(())
    }

    /// The id by which an obligation's occasion is called: a call's, none for a due.
    #[must_use]
    pub fn call_of(key: &Key) -> Option<Hash> {
        match key.occasion {
            Occasion::Call(id) => Some(id),
            Occasion::Due(_) => None,
        }
    }
}
