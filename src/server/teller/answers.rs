//! Answers to questions, as the command line gives them to programs (`--json`): the same derivations, the same names.
//!
//! What a server says of itself need not be believed, so it does not say that anything was verified: whoever wants to know reads
//! the log, and verifies.

use super::Answer;
use super::follow::Follower;
use crate::field::{Day, Handle, Instant};
use crate::hash::Hash;
use crate::ledger::answers::{
    Filter, ObligationRow, Status, agenda, incidents, motions, observations, service,
};
use crate::ledger::verdict::Verdict;
use crate::ledger::{Ledger, Moment, State};
use crate::roster::Roster;
use crate::server::problem::{BUSY, NO_QUESTION, NOT_THERE, Problem};
use crate::statement::body::Motion;
use crate::statement::terms::Instrument;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// How far the agenda looks ahead where nothing is said, in milliseconds: 90 days.
const AHEAD_MS: u64 = 90 * 24 * 3600 * 1000;

/// How many digits an id must be given with, at least.
const MIN_DIGITS: usize = 4;

/// A question.
#[derive(Clone, Debug)]
pub enum Ask {
    /// How things stand.
    Status(Filtered),
    /// Pledges, as they stand.
    Pledges(Filtered),
    /// One pledge, by its id or its first digits.
    Pledge(String),
    /// Who reported what.
    Incidents,
    /// What falls due until then: a day, or a moment.
    Agenda(Option<String>),
    /// Whose keys counted when.
    Roster,
}

/// What of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filtered {
    partner: Option<String>,
    to: Option<String>,
    instrument: Option<String>,
    state: Option<String>,
    verdict: Option<String>,
}

impl Filtered {
    /// The filter. It is refused where it names what is not there: an empty answer would be read as good news.
    fn filter(&self, roster: &Roster) -> Result<Filter, Problem> {
        let partner = |name: &Option<String>| -> Result<Option<Handle>, Problem> {
            let Some(name) = name else { return Ok(None) };
            let handle = name.parse::<Handle>().ok().filter(|h| roster.charter.partner(h).is_some());
            handle.map(Some).ok_or_else(|| no_question("there is no such partner"))
        };
        let state = self.state.as_ref().map(|state| state.replace('-', " "));
        if state.as_deref().is_some_and(|state| !State::WORDS.contains(&state)) {
            return Err(no_question(format!("state: want one of {}", State::WORDS.join(", "))));
        }
        let instrument = match self.instrument.as_deref().map(Instrument::named) {
            None => None,
            Some(Ok(Instrument::Other(name))) if !roster.charter.rules.instruments.contains(&name) => {
                return Err(no_question("the charter names no such instrument"));
            }
            Some(Ok(instrument)) => Some(instrument),
            Some(Err(_)) => return Err(no_question("the charter names no such instrument")),
        };
        let verdict = self.verdict.as_deref().map(|word| word.replace('-', " "));
        let verdict = match verdict {
            None => None,
            Some(word) => Some(*Verdict::ALL.iter().find(|v| v.words() == word).ok_or_else(|| {
                let all: Vec<_> = Verdict::ALL.iter().map(|v| v.words()).collect();
                no_question(format!("verdict: want one of {}", all.join(", ")))
            })?),
        };
        Ok(Filter { by: partner(&self.partner)?, to: partner(&self.to)?, instrument, state, verdict })
    }
}

fn no_question(why: impl Into<String>) -> Problem {
    Problem::new(&NO_QUESTION).detail(why)
}

impl Follower {
    /// Answers a question.
    pub(super) fn answer(&self, ask: &Ask) -> Answer {
        let (Some(ledger), Some(roster)) = (self.history.ledger(), self.history.roster()) else {
            return Err(self.behind());
        };
        if !self.has_caught_up() {
            return Err(self.behind());
        }
        let when = Moment::at((self.clock)().max(self.history.times().1));
        let (name, answer) = match ask {
            Ask::Status(filtered) => ("status", value(&Status::of(ledger, when, &filtered.filter(roster)?))),
            Ask::Pledges(filtered) => {
                let status = Status::of(ledger, when, &filtered.filter(roster)?);
                ("pledges", json!({"pledges": status.pledges, "recorded": status.recorded}))
            }
            Ask::Pledge(digits) => ("pledge", pledge(ledger, when, digits)?),
            Ask::Incidents => ("reports", reports(ledger, when)),
            Ask::Agenda(until) => {
                let until = until.as_deref().map_or_else(|| Ok(when.at.plus_ms(AHEAD_MS)), end_of_day)?;
                let items = agenda(ledger, roster, when, until);
                ("agenda", json!({"until": until, "items": items}))
            }
            Ask::Roster => {
                let mut open = motions(roster, None);
                let is_open = |motion: &Motion| matches!(motion, Motion::Operator { .. });
                open.retain(|m| m.lapses_at >= when.at || is_open(&m.motion));
                ("roster", json!({"members": service(roster, None), "motions": open}))
            }
        };
        Ok(self.framed(when, roster, name, answer))
    }

    fn behind(&self) -> Problem {
        let (size, of) = (self.history.head().size, self.reached.size);
        Problem::new(&BUSY)
            .detail(format!("{size} of {of} entries are read"))
            .retry_after(Duration::from_secs(1))
    }

    fn framed(&self, when: Moment, roster: &Roster, name: &str, answer: Value) -> Value {
        let size = self.history.head().size;
        let mut out = json!({
            "at": when.at,
            "entry": size.saturating_sub(1),
            "incomplete_from": self.history.incomplete().map(|(index, _)| index),
            "unknown_from": self.history.unknown().map(|what| what.index),
            "log": roster.log,
            "size": size,
            "published": self.reached.published.min(size),
            "cannot_show": "promises made elsewhere",
        });
        let fields = out.as_object_mut().expect("an object");
        if size == self.reached.size {
            fields.insert("root".to_owned(), json!(self.root));
        }
        fields.insert(name.to_owned(), answer);
        out
    }
}

fn value<T: Serialize>(answer: &T) -> Value {
    serde_json::to_value(answer).expect("answers are data")
}

fn end_of_day(text: &str) -> Result<Instant, Problem> {
    let day = text.parse::<Day>().map(Day::end);
    day.or_else(|_| text.parse::<Instant>()).map_err(|_| no_question("until: want a day or a moment"))
}

fn reports(ledger: &Ledger, when: Moment) -> Value {
    let (real, exercises): (Vec<_>, Vec<_>) = incidents(ledger, when).into_iter().partition(|i| !i.exercise);
    json!({"incidents": real, "exercises": exercises, "observations": observations(ledger, when)})
}

/// One pledge or record: its rows, and what is owed under it.
fn pledge(ledger: &Ledger, when: Moment, digits: &str) -> Result<Value, Problem> {
    let no = |why: String| Problem::new(&NOT_THERE).detail(why);
    if digits.len() < MIN_DIGITS {
        return Err(no(format!("want an id, or at least {MIN_DIGITS} digits of one")));
    }
    let ids = |p: &crate::ledger::Pledge| {
        let lines = p.lines().map(|line| p.line_id(line)).collect::<Vec<_>>();
        p.versions.iter().map(|v| v.said.id).chain(lines).collect::<Vec<Hash>>()
    };
    let called = |id: &Hash| id.to_string().starts_with(digits);
    let mut found = ledger.pledges().iter().filter(|p| ids(p).iter().any(called));
    let (Some(pledge), None) = (found.next(), found.next()) else {
        return Err(no("no pledge or record, or more than one, is called so".to_owned()));
    };
    let obligations: Vec<_> =
        ledger.owed_under(pledge, when).iter().map(|owed| ObligationRow::of(owed, when)).collect();
    Ok(json!({
        "id": pledge.said.id, "said": pledge.said, "rows": ledger.pledge_rows(pledge, when), "obligations": obligations,
    }))
}
