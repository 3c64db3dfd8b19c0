//! Incidents: what each observer reported, side by side. Nothing is averaged, and nobody is said to be right.

use super::super::incident::{Incident, Report};
use super::super::pledge::Moment;
use super::super::{Ledger, Said};
use crate::charter::Aspect;
use crate::field::{Handle, Short};
use crate::hash::Hash;
use crate::statement::body::{Figure, Occasion, Party, When};
use serde::Serialize;
use std::collections::BTreeMap;

/// What was said of a report on one aspect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AspectTally {
    /// Which.
    pub aspect: Aspect,
    /// Who vouches for it, the reporter included, with the statements.
    pub attested: Vec<Said>,
    /// Who disputes it.
    pub disputed: Vec<Said>,
    /// How many of those who vouch count for the quorum.
    pub counted_for: usize,
    /// How many of those who dispute count.
    pub counted_against: usize,
}

/// A report as its author said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportRow {
    /// Where it was said, by whom.
    pub said: Said,
    /// Of which kinds; none: an observation.
    pub kinds: Vec<Short>,
    /// Who did it.
    pub actor: Option<Party>,
    /// Against whom.
    pub against: Vec<Party>,
    /// Where.
    pub place: Short,
    /// From when.
    pub from: When,
    /// Until when.
    pub to: When,
    /// Figures: this author's alone.
    pub figures: Vec<Figure>,
    /// An exercise.
    pub exercise: bool,
    /// The report of the same author that replaced it.
    pub superseded_by: Option<Hash>,
    /// It was said by a thief, and disowned.
    pub disowned: bool,
    /// By aspect on which it says something.
    pub tally: Vec<AspectTally>,
}

/// An incident with all that was reported of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentRow {
    /// Its first report, whose id names it.
    pub said: Said,
    /// An exercise.
    pub exercise: bool,
    /// Which report was established.
    pub report: Option<Hash>,
    /// The entry that established it; none: not established.
    pub established: Option<Said>,
    /// All reports, in the log's order.
    pub reports: Vec<ReportRow>,
    /// The pledges and joins that it called upon.
    pub called: Vec<Hash>,
}

/// All incidents reported by a moment, those of exercises among them.
#[must_use]
pub fn incidents(ledger: &Ledger, when: Moment) -> Vec<IncidentRow> {
    let mut called: BTreeMap<Hash, Vec<Hash>> = BTreeMap::new();
    for (key, _) in ledger.obligations().iter().filter(|(_, o)| when.has(&o.arose)) {
        if let Occasion::Call(id) = key.occasion {
            called.entry(id).or_default().push(key.pledge);
        }
    }
    let known = ledger.incidents().iter().filter(|i| when.has(&i.said));
    known.map(|i| row(ledger, i, called.remove(&i.said.id).unwrap_or_default(), when)).collect()
}

/// Reports that name no kind, and belong to no incident.
#[must_use]
pub fn observations(ledger: &Ledger, when: Moment) -> Vec<ReportRow> {
    let known = ledger.reports().iter().filter(|r| r.incident.is_none() && when.has(&r.said));
    known.map(|report| report_row(ledger, report, when)).collect()
}

fn row(ledger: &Ledger, incident: &Incident, called: Vec<Hash>, when: Moment) -> IncidentRow {
    let reports = incident.reports.iter().map(|n| ledger.report_at(*n)).filter(|r| when.has(&r.said));
    let established = incident.established.as_ref().filter(|(_, said)| when.has(said));
    IncidentRow {
        said: incident.said.clone(),
        exercise: incident.exercise,
        report: established.map(|(n, _)| ledger.report_at(*n).said.id),
        established: established.map(|(_, said)| said.clone()),
        reports: reports.map(|r| report_row(ledger, r, when)).collect(),
        called,
    }
}

fn report_row(ledger: &Ledger, report: &Report, when: Moment) -> ReportRow {
    let aspects = [Aspect::Occurred, Aspect::Kind, Aspect::Attribution, Aspect::Figures];
    let superseded = report.superseded_by.filter(|by| match ledger.thing(by) {
        Some(super::super::Thing::Report(n)) => when.has(&ledger.report_at(*n).said),
        _ => false,
    });
    ReportRow {
        said: report.said.clone(),
        kinds: report.kinds.to_vec(),
        actor: report.actor.clone(),
        against: report.against.to_vec(),
        place: report.place.clone(),
        from: report.from,
        to: report.to,
        figures: report.figures.to_vec(),
        exercise: report.exercise,
        superseded_by: superseded,
        disowned: report.disowned,
        tally: aspects.into_iter().filter(|a| report.says(*a)).map(|a| tally(report, a, when)).collect(),
    }
}

fn tally(report: &Report, aspect: Aspect, when: Moment) -> AspectTally {
    let all: Vec<_> = report
        .stances
        .iter()
        .filter(|((a, _), s)| *a == aspect && when.has(&s.said))
        .map(|(_, s)| s)
        .collect();
    let said = |agrees: bool| -> Vec<Said> {
        all.iter().filter(|s| s.agrees == agrees).map(|s| s.said.clone()).collect()
    };
    let counted = |agrees: bool| all.iter().filter(|s| s.agrees == agrees && s.counts).count();
    AspectTally {
        aspect,
        attested: said(true),
        disputed: said(false),
        counted_for: counted(true),
        counted_against: counted(false),
    }
}

impl AspectTally {
    /// Those who vouch for it.
    pub fn attesting(&self) -> impl Iterator<Item = &Handle> {
        self.attested.iter().map(|s| &s.by)
    }

    /// Those who dispute it.
    pub fn disputing(&self) -> impl Iterator<Item = &Handle> {
        self.disputed.iter().map(|s| &s.by)
    }
}
