//! Incidents: what each observer reported, side by side, and who vouches for which report on which aspect.
//!
//! A report of some kind opens an incident, or joins one; one without a kind is an observation. An incident is
//! *established* once a report of it reaches the charter's quorum: on each aspect that the rules name, so many distinct
//! partners of the roles that they name, the reporter included, each with its last word. That is a fact of the log from
//! then on, whatever is said later.

use super::few::Few;
use super::obligation::Obligation;
use super::terms::{check_kind, check_partner};
use super::{Ledger, Said, Thing, Told, at, next};
use crate::charter::Aspect;
use crate::charter::rules::{Disputes, IncidentQuorum};
use crate::codec::List;
use crate::field::{Handle, Instant, Short};
use crate::hash::Hash;
use crate::rule::Rule;
use crate::statement::body::{Figure, Obligation as Key, Party, Report as ReportBody, Subject, When};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What one partner said last about an aspect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stance {
    /// Where.
    pub said: Said,
    /// That it is so, or not.
    pub agrees: bool,
    /// Whether the author had a role that counts.
    pub counts: bool,
}

/// What partners say of something: by aspect and partner, the last word of each.
pub type Stances = Few<(Aspect, Handle), Stance>;

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Where.
    pub said: Said,
    /// The incident that it is of, by number; none: an observation.
    pub incident: Option<u32>,
    /// Of which kinds.
    pub kinds: List<Short>,
    /// Who did it.
    pub actor: Option<Party>,
    /// Against whom.
    pub against: List<Party>,
    /// Where.
    pub place: Short,
    /// From when.
    pub from: When,
    /// Until when.
    pub to: When,
    /// Figures.
    pub figures: List<Figure>,
    /// An exercise.
    pub exercise: bool,
    /// The report of the same author that it replaces.
    pub supersedes: Option<Hash>,
    /// The report of the same author that replaced it.
    pub superseded_by: Option<Hash>,
    /// Who vouches for it, who disputes it.
    pub stances: Stances,
    /// Notable to readers: it was said by a thief, and disowned.
    pub disowned: bool,
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its first report, whose id names it.
    pub said: Said,
    /// All its reports, by number.
    pub reports: List<u32>,
    /// The position of the first of them that nothing supersedes and no thief made; past the last where there is none.
    pub(super) stands: u32,
    /// An exercise.
    pub exercise: bool,
    /// Which report was established, and by the entry that completed the quorum.
    pub established: Option<(u32, Said)>,
    /// On which aspects that is, by the rules of then.
    pub on: List<Aspect>,
}

/// The first moment of a point in time or day.
#[must_use]
pub fn begin(when: When) -> Instant {
    match when {
        When::Instant(at) => at,
        When::Day(day) => day.start(),
    }
}

/// The last moment of a point in time or day.
#[must_use]
pub fn end(when: When) -> Instant {
    match when {
        When::Instant(at) => at,
        When::Day(day) => day.end(),
    }
}

impl Report {
    /// Whether it says anything on an aspect.
    #[must_use]
    pub fn says(&self, aspect: Aspect) -> bool {
        match aspect {
            Aspect::Occurred => true,
            Aspect::Kind => !self.kinds.is_empty(),
            Aspect::Attribution => self.actor.is_some(),
            Aspect::Figures => !self.figures.is_empty(),
            Aspect::Delivered => false,
        }
    }

    /// On which aspects another report says the same.
    fn agreed(&self, other: &Self) -> Vec<Aspect> {
        let same = |aspect: &Aspect| {
            self.says(*aspect)
                && match aspect {
                    Aspect::Occurred => same_parties(&self.against, &other.against) && self.meets(other),
                    Aspect::Kind => same_set(&self.kinds, &other.kinds),
                    Aspect::Attribution => self.actor == other.actor,
                    Aspect::Figures => self.figures == other.figures,
                    Aspect::Delivered => false,
                }
        };
        [Aspect::Occurred, Aspect::Kind, Aspect::Attribution, Aspect::Figures]
            .into_iter()
            .filter(same)
            .collect()
    }

    /// Whether both speak of some moment in common.
    fn meets(&self, other: &Self) -> bool {
        begin(self.from) <= end(other.to) && begin(other.from) <= end(self.to)
    }

    /// How many partners vouch for an aspect and how many dispute it, those that count.
    #[must_use]
    pub fn tally(&self, aspect: Aspect) -> (usize, usize) {
        let of = self.stances.iter().filter(|((a, _), s)| *a == aspect && s.counts);
        let (yes, no): (Vec<_>, Vec<_>) = of.partition(|(_, s)| s.agrees);
        (yes.len(), no.len())
    }

    fn reaches(&self, quorum: &IncidentQuorum) -> bool {
        let enough = |aspect: &Aspect| {
            let (yes, no) = self.tally(*aspect);
            let yes = match quorum.disputes {
                Disputes::Against => yes.saturating_sub(no),
                Disputes::Vetoes if no > 0 => 0,
                Disputes::Vetoes => yes,
            };
            self.says(*aspect) && u64::try_from(yes).is_ok_and(|yes| yes >= quorum.count)
        };
        !quorum.aspects.is_empty() && quorum.aspects.iter().all(enough)
    }
}

fn same_set(a: &[Short], b: &[Short]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect()
}

fn same_parties(a: &[Party], b: &[Party]) -> bool {
    let within = |a: &[Party], b: &[Party]| a.iter().all(|party| b.contains(party));
    within(a, b) && within(b, a)
}

impl Ledger {
    /// The incident that a report's id belongs to, by number.
    pub(super) fn incident_of(&self, id: &Hash) -> Option<u32> {
        match self.things.get(id)? {
            Thing::Report(n) => self.report_at(*n).incident,
            _ => None,
        }
    }

    /// The incident of this number.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn incident_at(&self, number: u32) -> &Incident {
        &self.incidents[at(number)]
    }

    pub(super) fn report(&mut self, told: &Told<'_>, body: &ReportBody) -> Result<(), Rule> {
        body.kinds.iter().try_for_each(|kind| check_kind(told, kind))?;
        for party in body.actor.iter().chain(body.against.iter()) {
            if let Party::Handle(handle) = party {
                check_partner(told, handle)?;
            }
        }
        if begin(body.from) > end(body.to) {
            return Err(Rule::EndsFirst);
        }
        if begin(body.from) > told.said.at {
            return Err(Rule::Future { at: told.said.at });
        }
        let joined = self.joined(body)?;
        let replaced = self.replaced(told, body)?;
        let of = |number: Option<u32>| number.and_then(|n| self.report_at(n).incident);
        let incident = of(joined).or(of(replaced));
        for (number, id) in [(joined, body.joins), (replaced, body.supersedes)] {
            if let (Some(number), Some(id)) = (number, id) {
                let report = self.report_at(number);
                let elsewhere = report.incident.is_some() && report.incident != incident;
                if report.exercise != body.exercise || elsewhere {
                    return Err(Rule::Mixed { id });
                }
            }
        }
        let report = new_report(told, body);
        self.put_report(told, report, joined, incident, replaced);
        Ok(())
    }

    /// The report of an incident that a report joins.
    fn joined(&self, body: &ReportBody) -> Result<Option<u32>, Rule> {
        let Some(id) = body.joins else { return Ok(None) };
        match self.things.get(&id) {
            Some(Thing::Report(n)) if self.report_at(*n).incident.is_some() => {
                match self.report_at(*n).superseded_by {
                    Some(by) => Err(Rule::Superseded { id, by }),
                    None => Ok(Some(*n)),
                }
            }
            _ => Err(Rule::Unknown { id, want: "report of an incident" }),
        }
    }

    fn replaced(&self, told: &Told<'_>, body: &ReportBody) -> Result<Option<u32>, Rule> {
        let Some(id) = body.supersedes else { return Ok(None) };
        let Some(Thing::Report(number)) = self.things.get(&id) else {
            return Err(Rule::Unknown { id, want: "report" });
        };
        let old = self.report_at(*number);
        if old.said.by != told.said.by {
            return Err(Rule::NotReporter { id });
        }
        match old.superseded_by {
            Some(by) => Err(Rule::Superseded { id, by }),
            None => Ok(Some(*number)),
        }
    }

    fn put_report(
        &mut self,
        told: &Told<'_>,
        mut report: Report,
        joined: Option<u32>,
        incident: Option<u32>,
        replaced: Option<u32>,
    ) {
        let number = next(&self.reports);
        let opens = !report.kinds.is_empty() && incident.is_none();
        report.incident = if opens { Some(next(&self.incidents)) } else { incident };
        let mut touched = vec![number];
        if let Some(joined) = joined {
            for aspect in report.agreed(self.report_at(joined)) {
                let stance = said_stance(told, true);
                self.reports[at(joined)].stances.insert((aspect, told.said.by.clone()), stance);
            }
            touched.push(joined);
        }
        if let Some(replaced) = replaced {
            self.reports[at(replaced)].superseded_by = Some(told.said.id);
        }
        if opens {
            self.incidents.push(Incident {
                said: told.said.clone(),
                reports: List::default(),
                stands: 0,
                exercise: report.exercise,
                established: None,
                on: List::default(),
            });
        }
        if let Some(incident) = report.incident {
            self.incidents[at(incident)].reports.push(number);
        }
        self.things.insert(told.said.id, Thing::Report(number));
        let incident = report.incident;
        self.reports.push(report);
        incident.into_iter().for_each(|n| self.find_standing(n));
        touched.into_iter().for_each(|n| self.establish(told, n));
    }

    /// Finds the first report of an incident that stands; what does not stand once never does again.
    pub(super) fn find_standing(&mut self, number: u32) {
        let incident = &mut self.incidents[at(number)];
        let falls = |n: &u32| {
            let report = &self.reports[at(*n)];
            report.superseded_by.is_some() || report.disowned
        };
        while incident.reports.get(at(incident.stands)).is_some_and(falls) {
            incident.stands += 1;
        }
    }

    pub(super) fn stance(
        &mut self,
        told: &Told<'_>,
        on: &Subject,
        aspects: &[Aspect],
        agrees: bool,
    ) -> Result<(), Rule> {
        told.check_role(told.roster.charter.rules.incident_quorum.roles)?;
        if aspects.is_empty() {
            return Err(Rule::NothingNamed { what: "aspect" });
        }
        let stance = said_stance(told, agrees);
        let all = |stances: &mut Stances| {
            for aspect in aspects {
                stances.insert((*aspect, told.said.by.clone()), stance.clone());
            }
        };
        let delivery = aspects.iter().all(|a| *a == Aspect::Delivered);
        match on {
            Subject::Obligation(key) => {
                let arisen = self.check_vouching(told, key, delivery, agrees)?;
                all(&mut self.obligation_mut(key, arisen).stances);
            }
            Subject::Statement(id) => match self.things.get(id).cloned() {
                Some(Thing::Report(number)) => {
                    let report = self.report_at(number);
                    if let Some(by) = report.superseded_by {
                        return Err(Rule::Superseded { id: *id, by });
                    }
                    if !aspects.iter().all(|a| report.says(*a)) {
                        return Err(Rule::Aspect);
                    }
                    all(&mut self.reports[at(number)].stances);
                    self.establish(told, number);
                }
                Some(Thing::Response(key, _)) => {
                    let arisen = self.check_vouching(told, &key, delivery, agrees)?;
                    all(&mut self.obligation_mut(&key, arisen).stances);
                }
                Some(_) => return Err(Rule::Aspect),
                None => return Err(Rule::Unknown { id: *id, want: "report, response or obligation" }),
            },
        }
        self.things.insert(told.said.id, Thing::Other);
        Ok(())
    }

    /// Whether a partner may vouch for, or dispute, a delivery; gives the obligation where nothing is recorded of it yet.
    /// What others say brings no due forth before it falls due.
    fn check_vouching(
        &self,
        told: &Told<'_>,
        key: &Key,
        delivery: bool,
        agrees: bool,
    ) -> Result<Option<Obligation>, Rule> {
        if !delivery {
            return Err(Rule::Aspect);
        }
        let arisen = self.arisen(told, key, false)?;
        let owed = arisen.as_ref().unwrap_or_else(|| &self.obligations[key]);
        let own = agrees && self.owing(key, owed).contains(&told.said.by);
        if own { Err(Rule::OwnWord) } else { Ok(arisen) }
    }

    /// Establishes a report's incident if it reaches the quorum now, and starts what waits for that.
    fn establish(&mut self, told: &Told<'_>, number: u32) {
        let report = self.report_at(number);
        let Some(incident) = report.incident else { return };
        let quorum = &told.roster.charter.rules.incident_quorum;
        let open = self.incident_at(incident).established.is_none() && report.superseded_by.is_none();
        if open && !report.disowned && report.reaches(quorum) {
            let (began, exercise) = (begin(report.from), report.exercise);
            for kind in report.kinds.clone().iter() {
                self.occurred.entry((kind.clone(), exercise)).or_default().insert((began, incident));
            }
            let established = &mut self.incidents[at(incident)];
            established.established = Some((number, told.said.clone()));
            established.on = quorum.aspects.clone();
            self.start(told, incident, number);
        }
    }
}

fn said_stance(told: &Told<'_>, agrees: bool) -> Stance {
    let counts = told.has_role(told.roster.charter.rules.incident_quorum.roles);
    Stance { said: told.said.clone(), agrees, counts }
}

fn new_report(told: &Told<'_>, body: &ReportBody) -> Report {
    let mut report = Report {
        said: told.said.clone(),
        incident: None,
        kinds: body.kinds.clone(),
        actor: body.actor.clone(),
        against: body.against.clone(),
        place: body.place.clone(),
        from: body.from,
        to: body.to,
        figures: body.figures.clone(),
        exercise: body.exercise,
        supersedes: body.supersedes,
        superseded_by: None,
        stances: Stances::default(),
        disowned: false,
    };
    for aspect in [Aspect::Occurred, Aspect::Kind, Aspect::Attribution, Aspect::Figures] {
        if report.says(aspect) {
            report.stances.insert((aspect, told.said.by.clone()), said_stance(told, true));
        }
    }
    report
}
