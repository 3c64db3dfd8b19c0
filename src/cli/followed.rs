//! What followed from an act that went into the log: one line each, by the ledger.
//!
//! ```text
//! DEU-M1 (def47d0c8115) is in force
//! the incident 93ab01ff2c11 is established since entry 12; occurred 2 for, 0 against; kind 2 for, 0 against
//! de owes def47d0c8115/call/93ab01ff2c11, by 2026-12-02T12:00:00Z: not yet due
//! def47d0c8115/due/0 "first half", by 2027-06-30T23:59:59Z: part kept; of exactly 2 batteries: …
//! ```

use super::act::obligation;
use super::answers::cells::recorded;
use super::plain::{quoted, word};
use super::words;
use servanda::charter::Aspect;
use servanda::charter::rules::IncidentQuorum;
use servanda::field::{Handle, Instant};
use servanda::hash::Hash;
use servanda::history::History;
use servanda::ledger::answers::Sums;
use servanda::ledger::incident::Incident;
use servanda::ledger::verdict::Owed;
use servanda::ledger::{Ledger, Line, Moment, Pledge, Said, Thing};
use servanda::statement::Act;
use servanda::statement::body::{Obligation, Subject, Withdrawn};
use std::collections::BTreeSet;

/// How many lines are said of one act.
const LINES_MAX: usize = 8;

/// What followed from an act, by the statement's id; of an act upon many, the first few.
pub fn lines(history: &History, id: &Hash, act: &Act) -> Vec<String> {
    let Some(ledger) = history.ledger() else { return Vec::new() };
    let Some(roster) = history.roster() else { return Vec::new() };
    let view = View { ledger, now: history.times().1, quorum: &roster.charter.rules.incident_quorum };
    let mut lines = view.lines(id, act);
    let more = lines.len().saturating_sub(LINES_MAX);
    if more > 0 {
        lines.truncate(LINES_MAX);
        lines.push(format!("and {}", words::count(more, "more", "more")));
    }
    lines
}

struct View<'a> {
    ledger: &'a Ledger,
    now: Instant,
    quorum: &'a IncidentQuorum,
}

impl View<'_> {
    fn lines(&self, id: &Hash, act: &Act) -> Vec<String> {
        match act {
            Act::Pledge(_) | Act::Record(_) | Act::Adopt(_) => self.pledges(&[*id]),
            Act::Accept(body) => body.statements.iter().flat_map(|id| self.taken_on(id)).collect(),
            Act::Join(body) => self.taken_on(&body.statement),
            Act::Amend(_) => self.taken_on(id),
            Act::Notice(body) => self.pledges(&[body.statement]),
            Act::Withdraw(body) => match &body.from {
                Withdrawn::Pledges(ids) => self.pledges(ids),
                Withdrawn::Agreement(_) => self.pledges(&self.withdrawn(id)),
            },
            Act::Report(_) => self.incident(id, id),
            Act::Attest(body) => self.subject(id, &body.on),
            Act::Dispute(body) => self.subject(id, &body.on),
            Act::Invoke(_) => self.called(id),
            Act::Respond(body) => self.obligation(&body.obligation),
            Act::Confirm(body) => self.response(&body.response),
            Act::Reveal(body) => self.pledges(&[body.statement]),
            _ => Vec::new(),
        }
    }

    fn pledges(&self, ids: &[Hash]) -> Vec<String> {
        ids.iter().filter_map(|id| self.ledger.pledge_of(id)).map(|pledge| self.pledge(pledge)).collect()
    }

    fn withdrawn(&self, id: &Hash) -> Vec<Hash> {
        let ended = |p: &&Pledge| p.ends.iter().any(|end| end.said.id == *id);
        self.ledger.pledges().iter().filter(ended).map(|p| p.said.id).collect()
    }

    /// How a pledge stands, towards each where that differs.
    fn pledge(&self, pledge: &Pledge) -> String {
        let when = Moment::at(self.now);
        let name = named(pledge, when);
        let mut states: Vec<(String, Vec<&Handle>)> = Vec::new();
        for to in pledge.addressees() {
            let ends = pledge.ends_at(to).filter(|at| *at > self.now);
            let ends = ends.map_or(String::new(), |at| format!(", and ends {at}"));
            let state = format!("{}{ends}", pledge.state(Line::Author, to, when));
            match states.iter_mut().find(|(known, _)| *known == state) {
                Some((_, all)) => all.push(to),
                None => states.push((state, vec![to])),
            }
        }
        let joined = pledge.joins.len();
        let joined = match joined {
            0 => String::new(),
            _ => format!("; {} joined on their own account", words::listed(joiners(pledge), "and")),
        };
        let states: Vec<String> = match states.as_slice() {
            [(state, _)] => vec![state.clone()],
            several => several.iter().map(|(state, to)| format!("{state} towards {}", all(to))).collect(),
        };
        format!("{name} {}{joined}", states.join(", "))
    }

    /// How a pledge stands, and whom an amendment of it waits for.
    fn taken_on(&self, id: &Hash) -> Vec<String> {
        self.pledges(&[*id]).into_iter().chain(self.waiting(id)).collect()
    }

    fn waiting(&self, id: &Hash) -> Option<String> {
        let pledge =
            self.ledger.pledge_of(id).filter(|pledge| pledge.said.id != *id && !pledge.is_record())?;
        let version = pledge.versions.iter().find(|v| v.said.id == *id)?;
        let accepts = version.to.iter().filter(|to| version.to_accept && !version.accepted.contains_key(*to));
        let jointly = version.gist().into_iter().flat_map(|gist| gist.jointly(&pledge.said.by));
        let joins: Vec<_> = jointly.filter(|by| !version.joined.contains_key(*by)).collect();
        let accepts: Vec<_> = accepts.collect();
        let parts = [(&accepts, "accepted"), (&joins, "joined")];
        let parts = parts.iter().filter(|(who, _)| !who.is_empty());
        let parts: Vec<_> = parts.map(|(who, did)| format!("{} {did} it", each(who))).collect();
        let new = format!("the terms of {}", id.short());
        Some(if parts.is_empty() {
            format!("{new} hold")
        } else {
            format!("{new} hold once {}", parts.join(" and "))
        })
    }

    fn subject(&self, id: &Hash, on: &Subject) -> Vec<String> {
        match on {
            Subject::Obligation(key) => self.obligation(key),
            Subject::Statement(on) => match self.ledger.thing(on) {
                Some(Thing::Response(key, _)) => self.obligation(key),
                _ => self.incident(on, id),
            },
        }
    }

    /// How the incident of a report stands, and what an entry that established it called upon.
    fn incident(&self, report: &Hash, by: &Hash) -> Vec<String> {
        let Some(Thing::Report(number)) = self.ledger.thing(report) else { return Vec::new() };
        let Some(incident) = self.ledger.report_at(*number).incident else {
            return vec!["an observation: no incident is reported".to_owned()];
        };
        let incident = self.ledger.incident_at(incident);
        let mut lines = vec![self.established(incident, *number)];
        if incident.established.as_ref().is_some_and(|(_, said)| said.id == *by) {
            lines.extend(self.called(by));
        }
        lines
    }

    fn established(&self, incident: &Incident, report: u32) -> String {
        let report = self.ledger.report_at(report);
        let said = |aspect: &Aspect| {
            let (yes, no) = report.tally(*aspect);
            (yes + no > 0).then(|| format!("{} {yes} for, {no} against", words::aspect(*aspect)))
        };
        let all = [Aspect::Occurred, Aspect::Kind, Aspect::Attribution, Aspect::Figures];
        let tallies = all.iter().filter_map(said).collect::<Vec<_>>().join("; ");
        let what = if incident.exercise { "exercise" } else { "incident" };
        let of = if report.said.id == incident.said.id {
            String::new()
        } else {
            format!(" by the report {}", report.said.id.short())
        };
        let which = incident.said.id.short();
        let stands = match &incident.established {
            Some((_, said)) => format!("is established since entry {}", said.index),
            None => format!(
                "is not established, which takes {} on {}",
                self.quorum.count,
                words::aspects(&self.quorum.aspects)
            ),
        };
        format!("the {what} {which} {stands};{of} {tallies}")
    }

    /// What arose with an entry.
    fn called(&self, by: &Hash) -> Vec<String> {
        let arose = self.ledger.obligations().iter().filter(|(_, o)| o.arose.id == *by);
        let lines = arose.flat_map(|(key, obligation)| {
            let exercise = obligation.call.as_ref().is_some_and(|call| call.exercise);
            let owes = if exercise { "would owe" } else { "owes" };
            let owed = self.owed(key).into_iter();
            owed.map(move |owed| {
                let title = quoted(&owed.gist.title);
                format!("{} {owes} {title}: {}", all(&owed.by()), obligation::line(&owed))
            })
        });
        lines.collect()
    }

    fn response(&self, id: &Hash) -> Vec<String> {
        match self.ledger.thing(id) {
            Some(Thing::Response(key, _)) => self.obligation(key),
            _ => Vec::new(),
        }
    }

    fn owed(&self, key: &Obligation) -> Vec<Owed<'_>> {
        let Some((pledge, _)) = self.ledger.line(&key.pledge) else { return Vec::new() };
        let mut all = self.ledger.owed_under(pledge, Moment::at(self.now));
        all.retain(|owed| owed.key == *key);
        all
    }

    /// How an obligation stands.
    fn obligation(&self, key: &Obligation) -> Vec<String> {
        let line = |owed: Owed<'_>| {
            let sums = Sums::of(&owed, Moment::at(self.now)).map_or(String::new(), |m| {
                let (unit, bound) = (word(&m.unit), m.bound.words());
                let (claimed, confirmed) = (recorded(m.claimed.as_ref()), recorded(m.confirmed.as_ref()));
                format!("; of {bound} {} {unit}: claimed {claimed}, confirmed {confirmed}", m.promised)
            });
            let by = |what: &str, all: &[&Said]| {
                let names: BTreeSet<&Handle> = all.iter().map(|said| &said.by).collect();
                let names = words::listed(names.into_iter().map(ToString::to_string), "and");
                if all.is_empty() { String::new() } else { format!("; {what} by {names}") }
            };
            let (attested, contested) = (by("attested", &owed.attested), by("contested", &owed.contested));
            format!("{}{sums}{attested}{contested}", obligation::line(&owed))
        };
        self.owed(key).into_iter().map(line).collect()
    }
}

/// A pledge by the reference or title of the terms in force; of the first ones where none are.
fn named(pledge: &Pledge, when: Moment) -> String {
    let bound = pledge.addressees().into_iter().find_map(|to| pledge.bound_by(Line::Author, to, when));
    let gist = pledge.version(bound.unwrap_or(0)).gist();
    let name = gist.map_or("sealed terms".to_owned(), |gist| {
        gist.reference.as_ref().map_or_else(|| quoted(&gist.title), |reference| word(reference))
    });
    format!("{name} ({})", pledge.said.id.short())
}

fn joiners(pledge: &Pledge) -> impl Iterator<Item = String> {
    pledge.joins.iter().map(|join| join.said.by.to_string())
}

fn all(handles: &[&Handle]) -> String {
    words::listed(handles.iter().map(ToString::to_string), "and")
}

fn each(handles: &[&Handle]) -> String {
    let each = if handles.len() > 1 { "each of " } else { "" };
    format!("{each}{} has", all(handles))
}
