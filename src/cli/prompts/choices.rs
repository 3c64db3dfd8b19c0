//! What is open to an author, by the ledger: what it owes, what it can confirm, accept, call upon.
//!
//! Each is shown in one line, as tables show texts of others; beside it stands what the act's field takes.

use crate::cli::answers::cells;
use servanda::field::{Handle, Instant};
use servanda::hash::Hash;
use servanda::ledger::answers::{What, agenda};
use servanda::ledger::verdict::{Owed, Verdict};
use servanda::ledger::{Ledger, Line, Moment};
use servanda::roster::Roster;
use servanda::statement::body::{Answer, Occasion};
use servanda::statement::terms::Starts;
use std::collections::BTreeSet;

/// Who is asked, and by which state of things.
pub struct Seat<'a> {
    /// Who signs.
    pub author: &'a Handle,
    /// The partners, and the rules.
    pub roster: &'a Roster,
    /// What was said, and what follows.
    pub ledger: &'a Ledger,
    /// The time.
    pub now: Instant,
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is shown.
    pub shown: String,
    /// What stands for it in a field.
    pub value: String,
}

impl Choice {
    /// A choice between words.
    pub fn word(shown: &str, value: &str) -> Self {
        Self { shown: shown.to_owned(), value: value.to_owned() }
    }

    fn id(shown: String, id: &Hash) -> Self {
        Self { shown: format!("{shown} ({})", id.short()), value: id.to_string() }
    }
}

impl Seat<'_> {
    fn moment(&self) -> Moment {
        Moment::at(self.now)
    }

    /// What the author owes and has not settled: dues that lie ahead, and calls.
    pub fn owed(&self) -> Vec<Choice> {
        let mut told = BTreeSet::new();
        let mut all = self.ledger.owed(self.moment());
        all.retain(|owed| owed.by().contains(&self.author) && is_open(owed));
        all.retain(|owed| told.insert(owed.key.clone()));
        all.sort_by_key(|owed| (owed.deadline.is_none(), owed.deadline));
        let choice = |owed: &Owed<'_>| {
            let exercise = if owed.is_exercise() { "exercise: " } else { "" };
            let by = owed.deadline.map_or("no deadline".to_owned(), |by| format!("due {by}"));
            let label = cells::label(&owed.label());
            let shown = format!("{exercise}{}, {label}: {}, {by}", name(owed), owed.verdict.words());
            let value = match &owed.key.occasion {
                Occasion::Due(n) => format!("{}/due/{n}", owed.key.pledge),
                Occasion::Call(id) => format!("{}/call/{id}", owed.key.pledge),
            };
            Choice { shown, value }
        };
        all.iter().map(choice).collect()
    }

    /// Deliveries that others claim towards the author, who has not said what arrived.
    pub fn claimed(&self) -> Vec<Choice> {
        let (when, mut told) = (self.moment(), BTreeSet::new());
        let mut choices = Vec::new();
        for owed in self.ledger.owed(when).iter().filter(|owed| owed.facet.to.contains(self.author)) {
            for said in owed.responses(when).filter(|r| r.answer == Answer::Delivered) {
                if said.confirmed.contains_key(self.author) || !told.insert(said.said.id) {
                    continue;
                }
                let much = said.quantity.as_ref().map_or_else(String::new, |amount| {
                    format!(", {} {}", amount.amount.grouped(), cells::label(&amount.unit))
                });
                let shown =
                    format!("{}: delivered{much}, as {} says {}", name(owed), said.said.by, said.said.at);
                choices.push(Choice::id(shown, &said.said.id));
            }
        }
        choices
    }

    /// Pledges and amendments that wait for the author's word.
    pub fn proposed(&self) -> Vec<Choice> {
        let items = agenda(self.ledger, self.roster, self.moment(), self.now);
        let waits = items.iter().filter(|item| item.who.contains(self.author));
        let choice = |item: &servanda::ledger::answers::Item| {
            let What::Unaccepted { version } = item.what else { return None };
            let pledge = self.ledger.pledge_of(&item.id)?;
            let terms = pledge.version(version);
            let title = cells::pledge(
                terms.gist().and_then(|gist| gist.reference.as_ref()),
                terms.gist().map(|gist| &gist.title),
            );
            let what = if version == 0 { "pledges" } else { "gives new terms to" };
            Some(Choice::id(format!("{} {what} {title}", pledge.said.by), &item.id))
        };
        waits.filter_map(choice).collect()
    }

    /// Pledges in force that the author may call upon.
    pub fn callable(&self) -> Vec<Choice> {
        let when = self.moment();
        let choice = |pledge: &servanda::ledger::Pledge| {
            let facet = pledge.in_force(Line::Author, when).into_iter().find(|facet| {
                let trigger = pledge.version(facet.version).gist().and_then(|gist| gist.trigger.as_ref());
                trigger.is_some_and(|trigger| {
                    let named = trigger.requesters.contains(self.author);
                    let asked = trigger.requesters.is_empty() && facet.to.contains(self.author);
                    trigger.starts != Starts::OnceEstablished && (named || asked)
                })
            })?;
            let gist = pledge.version(facet.version).gist()?;
            let title = cells::pledge(gist.reference.as_ref(), Some(&gist.title));
            Some(Choice::id(format!("{}: {title}", pledge.said.by), &pledge.said.id))
        };
        self.ledger.pledges().iter().filter_map(choice).collect()
    }

    /// What was reported as an incident, the last one first.
    pub fn incidents(&self) -> Vec<Choice> {
        let choice = |incident: &servanda::ledger::incident::Incident| {
            let first = self.ledger.report_at(*incident.reports.first()?);
            let kinds: Vec<_> = first.kinds.iter().map(|kind| cells::label(kind)).collect();
            let place = if first.place.is_empty() {
                String::new()
            } else {
                format!(", {}", cells::label(&first.place))
            };
            let exercise = if incident.exercise { "exercise: " } else { "" };
            let shown = format!(
                "{exercise}{}{place}, reported by {} {}",
                kinds.join(", "),
                first.said.by,
                first.said.at
            );
            Some(Choice::id(shown, &incident.said.id))
        };
        self.ledger.incidents().iter().rev().filter_map(choice).collect()
    }

    /// The kinds of incident that the charter's rules define.
    pub fn kinds(&self) -> Vec<Choice> {
        let kinds = self.roster.charter.rules.incident_kinds.iter();
        kinds.map(|kind| Choice { shown: cells::label(&kind.label), value: kind.label.to_string() }).collect()
    }
}

fn is_open(owed: &Owed<'_>) -> bool {
    !matches!(owed.verdict, Verdict::Kept | Verdict::KeptLate | Verdict::Declined)
}

fn name(owed: &Owed<'_>) -> String {
    cells::pledge(owed.gist.reference.as_ref(), Some(&owed.gist.title))
}
