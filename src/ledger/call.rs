//! Calls: what an established incident starts by itself, and what a requester starts.
//!
//! A trigger tests the pledge as it stood when the incident was first reported: in force then, towards whom, by which
//! terms; of a kind that it names, against whom it names, begun within its validity, its guards met. An exercise is
//! called upon the same way, and meets no guard of the real thing.

use super::incident::{Report, begin};
use super::obligation::{Call, Obligation};
use super::pledge::{Facet, Gist, Line, Moment, Pledge, State};
use super::{Ledger, Thing, Told, at, listed};
use crate::codec::List;
use crate::field::{Instant, Short};
use crate::hash::Hash;
use crate::rule::Rule;
use crate::statement::body::{Invoke, Obligation as Key, Occasion, Party};
use crate::statement::terms::{Starts, Trigger};
use std::collections::{BTreeSet, HashSet};

/// On which occasion pledges are called.
#[derive(Clone, Copy)]
pub(super) struct Trial<'a> {
    /// When the pledge must have been in force.
    pub when: Moment,
    /// The report that says what happened; none: nothing but the request.
    pub report: Option<&'a Report>,
    /// The call's id.
    pub call: Hash,
}

impl Trial<'_> {
    fn is_exercise(&self) -> bool {
        self.report.is_some_and(|r| r.exercise)
    }
}

impl Ledger {
    /// Calls upon everything that starts once this incident is established.
    pub(super) fn start(&mut self, told: &Told<'_>, incident: u32, report: u32) {
        let waiting: BTreeSet<u32> = self.waiting_for(self.report_at(report));
        for number in waiting {
            let trial = self.trial(incident, report);
            let by_itself =
                |gist: &Gist| gist.trigger.as_ref().is_some_and(|t| t.starts != Starts::OnRequest);
            let calls = self.calls(number, &trial, &by_itself).unwrap_or_default();
            self.call(told, number, self.incident_at(incident).said.id, calls);
        }
    }

    /// The pledges whose triggers name one of a report's kinds.
    pub(super) fn waiting_for(&self, report: &Report) -> BTreeSet<u32> {
        let kinds = report.kinds.iter().filter_map(|kind| self.watching.get(kind));
        kinds.flatten().copied().collect()
    }

    fn trial(&self, incident: u32, report: u32) -> Trial<'_> {
        let incident = self.incident_at(incident);
        let when = Moment { before: incident.said.index + 1, at: incident.said.at };
        Trial { when, report: Some(self.report_at(report)), call: incident.said.id }
    }

    /// The lines of a pledge that a trial calls, with the terms in force then; those called for it before are left out.
    ///
    /// # Errors
    /// Why none of its terms fit.
    pub(super) fn calls(
        &self,
        number: u32,
        trial: &Trial<'_>,
        starts: &dyn Fn(&Gist) -> bool,
    ) -> Result<Vec<(Line, Vec<Facet>)>, Rule> {
        let pledge = self.pledge_at(number);
        let mut called = Vec::new();
        let mut refusal = None;
        for line in pledge.lines() {
            let mut facets = pledge.in_force(line, trial.when);
            facets.retain(|facet| {
                let gist = pledge.version(facet.version).gist();
                gist.is_some_and(starts)
                    && self.fits(pledge, gist, trial).map_err(|rule| refusal.get_or_insert(rule)).is_ok()
            });
            if facets.is_empty() {
                continue;
            }
            let key = Key { pledge: pledge.line_id(line), occasion: Occasion::Call(trial.call) };
            // One call; terms that start otherwise towards others may join it later.
            let before = self.obligations.get(&key).map(|o| o.owed_to()).unwrap_or_default();
            facets.iter_mut().for_each(|facet| facet.to.retain(|to| !before.contains(&to)));
            facets.retain(|facet| !facet.to.is_empty());
            if facets.is_empty() {
                refusal = Some(Rule::Called { id: pledge.said.id });
            } else {
                called.push((line, facets));
            }
        }
        if called.is_empty() {
            Err(refusal.unwrap_or_else(|| not_in_force(pledge, trial.when)))
        } else {
            Ok(called)
        }
    }

    /// Whether terms fit what happened.
    fn fits(&self, pledge: &Pledge, gist: Option<&Gist>, trial: &Trial<'_>) -> Result<(), Rule> {
        let id = pledge.said.id;
        let (Some(gist), Some(trigger)) = (gist, gist.and_then(|g| g.trigger.as_ref())) else {
            return Err(Rule::NoTrigger { id });
        };
        let not = |why: String| Err(Rule::DoesNotFit { id, why });
        match trial.report {
            None if !trigger.kinds.is_empty() => {
                let kinds: Vec<_> = trigger.kinds.iter().map(Short::as_str).collect();
                return Err(Rule::NeedsIncident { id, kinds: kinds.join(" or ") });
            }
            None => {}
            Some(report) => {
                if !trigger.kinds.is_empty() && !report.kinds.iter().any(|kind| trigger.kinds.contains(kind))
                {
                    return not("it takes an incident of another kind".to_owned());
                }
                if !against(trigger, report) {
                    let want = trigger
                        .against
                        .as_ref()
                        .map_or_else(|| "a partner".to_owned(), |all| listed(all.iter()));
                    return not(format!("it takes an incident against {want}"));
                }
                let from = begin(report.from);
                if from < gist.valid_from || gist.valid_until.is_some_and(|until| from > until) {
                    return not(format!("it held from {}, the incident began {from}", gist.valid_from));
                }
            }
        }
        self.guards(trigger, trial).or_else(not)
    }

    /// Whether the guards of a trigger are met: what must have come first.
    fn guards(&self, trigger: &Trigger, trial: &Trial<'_>) -> Result<(), String> {
        let exercise = trial.is_exercise();
        if let Some(kind) = &trigger.only_after {
            let first = trial.report.map_or(trial.when.at, |r| begin(r.from));
            let own = self.incident_of(&trial.call);
            let before = |exercise| {
                let began = self.occurred.get(&(kind.clone(), exercise)).into_iter().flatten();
                began.take(2).any(|(at, number)| Some(*number) != own && *at <= first)
            };
            if !(before(false) || (exercise && before(true))) {
                return Err(format!(
                    "it holds only after {:?}, of which no incident is established",
                    kind.as_str()
                ));
            }
        }
        if let Some(after) = trigger.after {
            let [real, drill] = self.number_of(&after).map_or([false; 2], |n| self.pledge_at(n).called);
            if !(real || (exercise && drill)) {
                return Err(format!(
                    "it holds only after {} was called upon, which it was not",
                    after.short()
                ));
            }
        }
        Ok(())
    }

    /// Lets obligations arise from a call.
    fn call(&mut self, told: &Told<'_>, number: u32, call: Hash, calls: Vec<(Line, Vec<Facet>)>) {
        let exercise = self.incident_of(&call).is_some_and(|n| self.incident_at(n).exercise);
        if !calls.is_empty() {
            self.pledges[at(number)].called[usize::from(exercise)] = true;
        }
        for (line, facets) in calls {
            let key = Key { pledge: self.pledge_at(number).line_id(line), occasion: Occasion::Call(call) };
            let deadlines = self.deadlines(&key, &facets, told.said.at);
            let obligation = self.obligations.entry(key).or_insert_with(|| {
                Box::new(Obligation {
                    arose: told.said.clone(),
                    facets: List::default(),
                    deadlines: List::default(),
                    call: Some(Call { exercise }),
                    responses: List::default(),
                    stances: super::incident::Stances::default(),
                    disowned: false,
                })
            });
            obligation.facets.extend(facets);
            obligation.deadlines.extend(deadlines);
        }
    }

    /// Until when a call at a moment is to be answered, by facet.
    pub(super) fn deadlines(&self, key: &Key, facets: &[Facet], at: Instant) -> Vec<Option<Instant>> {
        let Some((pledge, _)) = self.line(&key.pledge) else { return Vec::new() };
        let within = |facet: &Facet| pledge.version(facet.version).gist().and_then(|g| g.respond_within);
        facets.iter().map(|facet| within(facet).map(|period| at.plus(period))).collect()
    }

    pub(super) fn invoke(&mut self, told: &Told<'_>, body: &Invoke) -> Result<(), Rule> {
        if body.pledges.is_empty() {
            return Err(Rule::NothingNamed { what: "pledge" });
        }
        if body.requested_at > told.said.at {
            return Err(Rule::Future { at: told.said.at });
        }
        let incident = match body.incident {
            Some(id) => {
                let unknown = Rule::Unknown { id, want: "incident's first report" };
                let number = self.incident_of(&id).ok_or(unknown.clone())?;
                if self.incident_at(number).said.id != id {
                    return Err(unknown);
                }
                Some(number)
            }
            None => None,
        };
        let mut calls = Vec::new();
        let mut refusal = None;
        let mut seen = HashSet::new();
        for id in body.pledges.iter() {
            let Some(Thing::Pledge(number)) = self.things.get(id) else {
                return Err(Rule::Unknown { id: *id, want: "pledge" });
            };
            if !seen.insert(number) {
                return Err(Rule::Twice { what: id.short() });
            }
            match self.on_request(told, *number, incident) {
                Ok(lines) => calls.push((*number, lines)),
                // What was called in the meantime harms nobody.
                Err(rule @ Rule::Called { .. }) => refusal = Some(rule),
                Err(rule) => return Err(rule),
            }
        }
        if let (true, Some(rule)) = (calls.is_empty(), refusal) {
            return Err(rule);
        }
        let exercise = incident.is_some_and(|n| self.incident_at(n).exercise);
        self.things.insert(told.said.id, Thing::Invoke { exercise });
        let call = body.incident.unwrap_or(told.said.id);
        for (number, lines) in calls {
            self.call(told, number, call, lines);
        }
        Ok(())
    }

    fn on_request(
        &self,
        told: &Told<'_>,
        number: u32,
        incident: Option<u32>,
    ) -> Result<Vec<(Line, Vec<Facet>)>, Rule> {
        let pledge = self.pledge_at(number);
        let id = pledge.said.id;
        if pledge.is_record() {
            return Err(Rule::OnlyRecorded { id });
        }
        let by = &told.said.by;
        let now = Moment { before: told.said.index, at: told.said.at };
        let trial = match incident {
            Some(n) => {
                let established = self.incident_at(n).established.as_ref().map(|(report, _)| *report);
                let why = || "it was reported with stolen keys, and disowned".to_owned();
                let disowned = || Rule::DoesNotFit { id, why: why() };
                self.trial(n, established.or_else(|| self.standing_report(n)).ok_or_else(disowned)?)
            }
            None => Trial { when: now, report: None, call: told.said.id },
        };
        let facets: Vec<_> = pledge.lines().flat_map(|line| pledge.in_force(line, trial.when)).collect();
        if facets.is_empty() {
            return Err(not_in_force(pledge, trial.when));
        }
        let trigger = |f: &Facet| pledge.version(f.version).gist().and_then(|g| g.trigger.as_deref());
        if !facets.iter().any(|f| trigger(f).is_some()) {
            return Err(Rule::NoTrigger { id });
        }
        let on_request = |t: &Trigger| t.starts != Starts::OnceEstablished;
        let mut may = BTreeSet::new();
        for facet in facets.iter().filter(|f| trigger(f).is_some_and(on_request)) {
            let requesters = trigger(facet).map_or(&[][..], |t| &t.requesters);
            may.extend(if requesters.is_empty() { facet.to.iter() } else { requesters.iter() });
        }
        if may.is_empty() {
            return Err(Rule::NotOnRequest { id });
        }
        if !may.contains(by) {
            return Err(Rule::NotRequester { id, may: listed(may) });
        }
        self.calls(number, &trial, &|gist| gist.trigger.as_deref().is_some_and(on_request))
    }

    /// The report of an incident that says how it stands before it is established: the first that nothing supersedes and
    /// that no thief made.
    fn standing_report(&self, incident: u32) -> Option<u32> {
        let incident = self.incident_at(incident);
        incident.reports.get(at(incident.stands)).copied()
    }
}

/// Whether an incident is against one whom a trigger names; without a name, against any partner.
fn against(trigger: &Trigger, report: &Report) -> bool {
    report.against.iter().any(|party| match (party, &trigger.against) {
        (Party::Handle(handle), Some(all)) => all.contains(handle),
        (Party::Handle(_), None) => true,
        (Party::Name(_), _) => false,
    })
}

fn not_in_force(pledge: &Pledge, when: Moment) -> Rule {
    let state = pledge.overall(Line::Author, when);
    let state = if state == State::InForce {
        "is in force towards others only".to_owned()
    } else {
        state.to_string()
    };
    Rule::NotInForce { id: pledge.said.id, state }
}
