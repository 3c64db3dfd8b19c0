//! What if: who would owe what by when if an incident happened now, and who would not, and why.
//!
//! A hypothetical report goes through the same trial as a real one, and changes nothing.

use super::super::call::Trial as Case;
use super::super::incident::{Report, Stances};
use super::super::pledge::{Line, Moment};
use super::super::{Ledger, Said};
use crate::codec::List;
use crate::field::{Handle, Instant, Short};
use crate::hash::{Hash, ZEROS};
use crate::rule::Rule;
use crate::statement::body::{Party, When};
use crate::statement::terms::{Quantity, Starts};
use serde::Serialize;

/// One who would owe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Would {
    /// The pledge or join.
    pub id: Hash,
    /// Who would owe it.
    pub by: Vec<Handle>,
    /// To whom.
    pub to: Vec<Handle>,
    /// The author's own reference.
    pub reference: Option<Short>,
    /// In a few words.
    pub title: Short,
    /// How much.
    pub quantity: Quantity,
    /// What would start it.
    pub starts: Starts,
    /// Who may ask, where a request starts it.
    pub requesters: Vec<Handle>,
    /// Until when, if it were called at that very moment; none: no deadline.
    pub deadline: Option<Instant>,
    /// The terms.
    pub rests_on: Said,
}

/// One who would not owe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WouldNot {
    /// The pledge.
    pub id: Hash,
    /// Who pledged it.
    pub by: Vec<Handle>,
    /// The author's own reference.
    pub reference: Option<Short>,
    /// In a few words.
    pub title: Short,
    /// The word for the rule.
    pub code: &'static str,
    /// Why not.
    pub why: String,
    /// The terms.
    pub rests_on: Said,
}

/// What would follow.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Trial {
    /// Who would owe.
    pub would: Vec<Would>,
    /// Who would not, of all who pledged something for such an incident, or for any request.
    pub would_not: Vec<WouldNot>,
    /// How many pledges wait for incidents of other kinds.
    pub other_kinds: u64,
    /// How many commitments for such an incident are recorded, not pledged.
    pub recorded: u64,
    /// How many pledges have sealed terms: whether they would be called nobody else can tell.
    pub undisclosed: u64,
}

impl Ledger {
    /// Tries an incident of a kind against a partner, begun and called upon at a moment.
    #[must_use]
    pub fn what_if(&self, kind: &Short, against: &Handle, when: Moment) -> Trial {
        let report = supposed(kind, against, when.at);
        let case = Case { when, report: Some(&report), call: ZEROS };
        let mut trial = Trial::default();
        for (number, pledge) in (0..).zip(self.pledges()).filter(|(_, p)| when.has(&p.said)) {
            let triggers = || {
                let said = pledge.versions.iter().filter(|v| when.has(&v.said));
                said.filter_map(|v| v.gist()?.trigger.as_ref())
            };
            if triggers().next().is_none() {
                let sealed = pledge.versions.iter().filter(|v| when.has(&v.said)).all(|v| v.gist().is_none());
                trial.undisclosed += u64::from(sealed && !pledge.is_record() && !pledge.is_over(when));
                continue;
            }
            if !triggers().any(|t| t.kinds.is_empty() || t.kinds.contains(kind)) {
                trial.other_kinds += 1;
                continue;
            }
            if pledge.is_record() {
                trial.recorded += 1;
                continue;
            }
            match self.calls(number, &case, &|_| true) {
                Ok(lines) => self.add_would(&mut trial, number, &lines, when.at),
                Err(rule) => self.add_would_not(&mut trial, number, &rule),
            }
        }
        trial
    }

    fn add_would(
        &self,
        trial: &mut Trial,
        number: u32,
        lines: &[(Line, Vec<super::super::pledge::Facet>)],
        at: Instant,
    ) {
        let pledge = self.pledge_at(number);
        for (line, facet) in lines.iter().flat_map(|(line, facets)| facets.iter().map(move |f| (*line, f))) {
            let version = pledge.version(facet.version);
            let Some(gist) = version.gist() else { continue };
            let Some(trigger) = &gist.trigger else { continue };
            let may_ask = match (trigger.starts, trigger.requesters.is_empty()) {
                (Starts::OnceEstablished, _) => Vec::new(),
                (_, true) => facet.to.to_vec(),
                (_, false) => trigger.requesters.to_vec(),
            };
            // Without a kind that it names, no incident starts it by itself.
            let starts = if trigger.kinds.is_empty() { Starts::OnRequest } else { trigger.starts };
            trial.would.push(Would {
                id: pledge.line_id(line),
                by: pledge.owing(line, facet.version).into_iter().cloned().collect(),
                to: facet.to.to_vec(),
                reference: gist.reference.clone(),
                title: gist.title.clone(),
                quantity: gist.quantity.clone(),
                starts,
                requesters: may_ask,
                deadline: gist.respond_within.map(|d| at.plus(d)),
                rests_on: version.said.clone(),
            });
        }
    }

    fn add_would_not(&self, trial: &mut Trial, number: u32, rule: &Rule) {
        let pledge = self.pledge_at(number);
        let last = (0..).zip(pledge.versions.iter()).filter(|(_, v)| v.gist().is_some()).last();
        let Some((of, version)) = last else { return };
        let Some(gist) = version.gist() else { return };
        let why = match rule {
            Rule::DoesNotFit { why, .. } => why.clone(),
            Rule::NotInForce { state, .. } => format!("it {state}"),
            other => format!("an invoke would be void: it {other}"),
        };
        trial.would_not.push(WouldNot {
            id: pledge.said.id,
            by: pledge.owing(Line::Author, of).into_iter().cloned().collect(),
            reference: gist.reference.clone(),
            title: gist.title.clone(),
            code: rule.code(),
            why,
            rests_on: version.said.clone(),
        });
    }
}

/// A report that nobody made.
fn supposed(kind: &Short, against: &Handle, at: Instant) -> Report {
    let said = Said { index: u64::MAX, id: ZEROS, at, by: against.clone() };
    Report {
        said,
        incident: None,
        kinds: vec![kind.clone()].into(),
        actor: None,
        against: vec![Party::Handle(against.clone())].into(),
        place: Short::default(),
        from: When::Instant(at),
        to: When::Instant(at),
        figures: List::default(),
        exercise: false,
        supersedes: None,
        superseded_by: None,
        stances: Stances::default(),
        disowned: false,
    }
}
