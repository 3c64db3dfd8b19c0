//! News: what an entry brought, and what time brings. What servers send as events, and monitors raise as alerts.
//!
//! Both are told of it by the same function, so that both call it by the same key. A key follows from the log alone: from ids of
//! statements, which stay the same should a later operator sequence them anew, and never from clocks or sizes:
//!
//! ```text
//! called_upon:PLEDGE/call/INCIDENT/v0        in_force:PLEDGE:ua:STATEMENT        overdue:PLEDGE/due/1/v0
//! ```

use super::super::pledge::{Line, Moment, Pledge, State};
use super::super::verdict::{Owed, Verdict};
use super::super::{Ledger, Said, Thing};
use crate::field::{Handle, Instant, Short};
use crate::hash::Hash;
use crate::statement::Act;
use crate::statement::body::{Answer, Obligation as Key, Occasion, Received, Subject, Withdrawn};
use serde::Serialize;
use std::fmt;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// A pledge was made, or a record adopted.
    Pledged,
    /// A commitment was recorded that nobody signed here.
    Recorded,
    /// A pledge came into force towards someone.
    InForce,
    /// A pledge was withdrawn from.
    Withdrawn,
    /// An incident was established.
    IncidentEstablished,
    /// A pledge was called upon.
    CalledUpon,
    /// An obligation falls due soon.
    DueSoon,
    /// The deadline of an obligation has passed, and no delivery is on record.
    Overdue,
    /// An obligation was answered.
    Responded,
    /// An answer was confirmed, in full, in part or not.
    Confirmed,
    /// Something was disputed.
    Contested,
}

impl Happened {
    /// All of it.
    pub const ALL: [Self; 11] = [
        Self::Pledged,
        Self::Recorded,
        Self::InForce,
        Self::Withdrawn,
        Self::IncidentEstablished,
        Self::CalledUpon,
        Self::DueSoon,
        Self::Overdue,
        Self::Responded,
        Self::Confirmed,
        Self::Contested,
    ];

    /// The word for it, for programs; it never changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pledged => "pledged",
            Self::Recorded => "recorded",
            Self::InForce => "in_force",
            Self::Withdrawn => "withdrawn",
            Self::IncidentEstablished => "incident_established",
            Self::CalledUpon => "called_upon",
            Self::DueSoon => "due_soon",
            Self::Overdue => "overdue",
            Self::Responded => "responded",
            Self::Confirmed => "confirmed",
            Self::Contested => "contested",
        }
    }
}

/// A piece of news.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct News {
    /// What happened.
    pub what: Happened,
    /// What tells it from all others, in this log and for ever.
    pub key: String,
    /// When, by the log's time: of what time brings, the deadline.
    pub at: Instant,
    /// The entry that brought it; none: time did.
    pub index: Option<u64>,
    /// Within an exercise: nothing is owed.
    pub exercise: bool,
    /// The pledge, record or incident that it is about; of a dispute, what is disputed.
    pub about: Hash,
    /// Of an obligation: which occasion.
    pub occasion: Option<Occasion>,
    /// Who owes, or says it.
    pub by: Vec<Handle>,
    /// Towards whom.
    pub to: Vec<Handle>,
    /// The author's own reference.
    pub reference: Option<Short>,
    /// The pledge in a few words; none where its terms are sealed.
    pub title: Option<Short>,
    /// By when, where there is a deadline.
    pub deadline: Option<Instant>,
    /// Of an answer or confirmation, which: `delivered`, `in_full`.
    pub how: Option<&'static str>,
}

/// Tells what an entry brought whose act took effect, from the ledger after it, however much later that is.
#[must_use]
pub fn of_entry(ledger: &Ledger, said: &Said, act: &Act) -> Vec<News> {
    let mut told = Telling { ledger, said, news: Vec::new() };
    match act {
        Act::Pledge(_) | Act::Adopt(_) => told.made(Happened::Pledged, said.id),
        Act::Record(_) => told.made(Happened::Recorded, said.id),
        Act::Accept(body) => body.statements.iter().for_each(|id| told.in_force(id)),
        Act::Join(body) => told.in_force(&body.statement),
        Act::Amend(_) => told.in_force(&said.id),
        Act::Notice(body) => told.in_force(&body.statement),
        Act::Reveal(body) => told.in_force(&body.statement),
        Act::Withdraw(body) => told.withdrawn(&body.from),
        Act::Report(_) => told.established(said.id),
        Act::Attest(body) => {
            if let Subject::Statement(report) = &body.on {
                told.established(*report);
            }
        }
        Act::Dispute(body) => {
            told.contested(&body.on);
            if let Subject::Statement(report) = &body.on {
                told.established(*report);
            }
        }
        Act::Invoke(_) => told.called(),
        Act::Respond(body) => {
            let how = match body.answer {
                Answer::Acknowledged => "acknowledged",
                Answer::Delivered => "delivered",
                Answer::Declined => "declined",
            };
            told.answered(Happened::Responded, &body.obligation, how);
        }
        Act::Confirm(body) => {
            let how = match body.received {
                Received::InFull => "in_full",
                Received::InPart(_) => "in_part",
                Received::NotReceived => "not_received",
            };
            if let Some(Thing::Response(key, _)) = ledger.thing(&body.response) {
                told.answered(Happened::Confirmed, &key.clone(), how);
            }
        }
        _ => {}
    }
    told.news
}

/// Tells what time brings between two moments, the first left out: what falls due within `soon_ms` milliseconds, and what is
/// overdue. Where the whole time to act is short, it falls due soon once half of it is gone.
#[must_use]
pub fn of_time(ledger: &Ledger, from: Instant, to: Instant, soon_ms: u64) -> Vec<News> {
    let mut news = Vec::new();
    for owed in ledger.owed(Moment::at(to)) {
        let Some(deadline) = owed.deadline else { continue };
        let arose = ledger.obligations().get(&owed.key).map_or(0, |obligation| obligation.arose.at.ms());
        let half = arose + deadline.ms().saturating_sub(arose) / 2;
        let soon = deadline.ms().saturating_sub(soon_ms).max(half.min(deadline.ms()));
        let what = match owed.verdict {
            // A deadline is met at its last millisecond.
            Verdict::Overdue if deadline >= from => Happened::Overdue,
            Verdict::NotYetDue | Verdict::PartKept
                if deadline > to && soon > from.ms() && soon <= to.ms() =>
            {
                Happened::DueSoon
            }
            _ => continue,
        };
        news.push(News { at: deadline, ..of_owed(what, None, &owed) });
    }
    news.sort_by(|a, b| (a.at, &a.key).cmp(&(b.at, &b.key)));
    news
}

/// Tells which calls are open at a moment: for whoever begins to watch a log that is not new.
#[must_use]
pub fn open_calls(ledger: &Ledger, when: Instant) -> Vec<News> {
    let open = |owed: &Owed<'_>| {
        let verdict = owed.verdict;
        matches!(owed.key.occasion, Occasion::Call(_))
            && matches!(
                verdict,
                Verdict::NotYetDue | Verdict::NoDeadline | Verdict::PartKept | Verdict::Overdue
            )
    };
    let owed = ledger.owed(Moment::at(when));
    let arose = |owed: &Owed<'_>| ledger.obligations().get(&owed.key).map(|obligation| &obligation.arose);
    owed.iter()
        .filter(|owed| open(owed))
        .map(|owed| of_owed(Happened::CalledUpon, arose(owed), owed))
        .collect()
}

/// News being told of an entry.
struct Telling<'a> {
    ledger: &'a Ledger,
    said: &'a Said,
    news: Vec<News>,
}

impl Telling<'_> {
    fn before(&self) -> Moment {
        Moment { before: self.said.index, at: self.said.at }
    }

    fn after(&self) -> Moment {
        Moment { before: self.said.index.saturating_add(1), at: self.said.at }
    }

    /// A pledge or record, and whether it is in force at once.
    fn made(&mut self, what: Happened, id: Hash) {
        let Some(pledge) = self.ledger.pledge_of(&id) else { return };
        let key = format!("{}:{id}", what.name());
        let to = pledge.addressees().into_iter().cloned().collect();
        let news = News { to, key, ..self.of_pledge(what, pledge, Line::Author) };
        self.news.push(news);
        self.in_force(&id);
    }

    /// Towards whom a pledge came into force.
    fn in_force(&mut self, id: &Hash) {
        let Some(pledge) = self.ledger.pledge_of(id) else { return };
        for line in pledge.lines() {
            for to in pledge.addressees() {
                let now = pledge.state(line, to, self.after()) == State::InForce;
                if now && pledge.state(line, to, self.before()) != State::InForce {
                    let key = format!("in_force:{}:{to}:{}", pledge.line_id(line), self.said.id);
                    let to = vec![to.clone()];
                    let news = News { to, key, ..self.of_pledge(Happened::InForce, pledge, line) };
                    self.news.push(news);
                }
            }
        }
    }

    fn withdrawn(&mut self, from: &Withdrawn) {
        let ledger = self.ledger;
        let ended = |pledge: &&Pledge| pledge.ends.iter().any(|end| end.said.id == self.said.id);
        let pledges: Vec<&Pledge> = match from {
            Withdrawn::Pledges(ids) => {
                ids.iter().filter_map(|id| ledger.pledge_of(id)).filter(ended).collect()
            }
            Withdrawn::Agreement(_) => ledger.pledges().iter().filter(ended).collect(),
        };
        for pledge in pledges {
            let key = format!("withdrawn:{}:{}", pledge.said.id, self.said.id);
            let ends = pledge.ends.iter().find(|end| end.said.id == self.said.id);
            let to: Vec<Handle> = ends.map_or(Vec::new(), |end| end.effective.keys().cloned().collect());
            let deadline = ends.and_then(|end| end.effective.values().max().copied());
            let of = self.of_pledge(Happened::Withdrawn, pledge, Line::Author);
            self.news.push(News { by: vec![self.said.by.clone()], to, deadline, key, ..of });
        }
    }

    /// The incident of a report, if this entry established it, and what that called upon.
    fn established(&mut self, report: Hash) {
        let ledger = self.ledger;
        let Some(Thing::Report(number)) = ledger.thing(&report) else { return };
        let Some(incident) = ledger.report_at(*number).incident.map(|n| ledger.incident_at(n)) else {
            return;
        };
        if incident.established.as_ref().is_none_or(|(_, said)| said.id != self.said.id) {
            return;
        }
        let id = incident.said.id;
        self.news.push(News {
            exercise: incident.exercise,
            by: vec![incident.said.by.clone()],
            ..self.bare(Happened::IncidentEstablished, format!("incident_established:{id}"), id)
        });
        self.called();
    }

    /// What arose with this entry.
    fn called(&mut self) {
        let ledger = self.ledger;
        let arose =
            ledger.obligations().iter().filter(|(_, o)| o.arose.id == self.said.id && o.call.is_some());
        let keys: Vec<&Key> = arose.map(|(key, _)| key).collect();
        for key in keys {
            self.of_obligation(Happened::CalledUpon, key);
        }
    }

    fn answered(&mut self, what: Happened, key: &Key, how: &'static str) {
        let from = self.news.len();
        self.of_obligation(what, key);
        for news in &mut self.news[from..] {
            // An obligation may be answered more than once.
            news.key = format!("{}:{}", news.key, self.said.id);
            news.how = Some(how);
            news.by = vec![self.said.by.clone()];
        }
    }

    fn contested(&mut self, on: &Subject) {
        let key = |subject: &dyn fmt::Display, by: &Hash| format!("contested:{subject}:{by}");
        match on {
            Subject::Obligation(obligation) => {
                let from = self.news.len();
                self.of_obligation(Happened::Contested, obligation);
                for news in &mut self.news[from..] {
                    news.key = format!("{}:{}", news.key, self.said.id);
                    news.by = vec![self.said.by.clone()];
                }
            }
            Subject::Statement(id) => {
                let by = vec![self.said.by.clone()];
                let news = self.bare(Happened::Contested, key(id, &self.said.id), *id);
                self.news.push(News { by, ..news });
            }
        }
    }

    /// An obligation, by each version of its terms.
    fn of_obligation(&mut self, what: Happened, key: &Key) {
        let Some((pledge, _)) = self.ledger.line(&key.pledge) else { return };
        for owed in self.ledger.owed_under(pledge, self.after()).iter().filter(|owed| owed.key == *key) {
            self.news.push(of_owed(what, Some(self.said), owed));
        }
    }

    fn of_pledge(&self, what: Happened, pledge: &Pledge, line: Line) -> News {
        let gist = pledge.latest().gist();
        News {
            by: vec![pledge.owner(line).clone()],
            reference: gist.and_then(|gist| gist.reference.clone()),
            title: gist.map(|gist| gist.title.clone()),
            ..self.bare(what, String::new(), pledge.line_id(line))
        }
    }

    fn bare(&self, what: Happened, key: String, about: Hash) -> News {
        News { at: self.said.at, index: Some(self.said.index), ..bare(what, key, about) }
    }
}

fn bare(what: Happened, key: String, about: Hash) -> News {
    News {
        what,
        key,
        at: Instant::default(),
        index: None,
        exercise: false,
        about,
        occasion: None,
        by: Vec::new(),
        to: Vec::new(),
        reference: None,
        title: None,
        deadline: None,
        how: None,
    }
}

fn of_owed(what: Happened, said: Option<&Said>, owed: &Owed<'_>) -> News {
    let Key { pledge, occasion } = &owed.key;
    let which = match occasion {
        Occasion::Due(n) => format!("due/{n}"),
        Occasion::Call(id) => format!("call/{id}"),
    };
    let key = format!("{}:{pledge}/{which}/v{}", what.name(), owed.facet.version);
    News {
        at: said.map_or(Instant::default(), |said| said.at),
        index: said.map(|said| said.index),
        exercise: owed.is_exercise(),
        occasion: Some(occasion.clone()),
        by: owed.by().into_iter().cloned().collect(),
        to: owed.facet.to.iter().cloned().collect(),
        reference: owed.gist.reference.clone(),
        title: Some(owed.gist.title.clone()),
        deadline: owed.deadline,
        ..bare(what, key, *pledge)
    }
}
