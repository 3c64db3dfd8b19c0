//! Pledges and records: their versions, who accepted and joined which, and how they stand at a moment.
//!
//! ```text
//! version 0 (pledge, record or adopt) | version 1 (amend) | …       each accepted by each addressee for itself
//! line: who owes          the author, or one who joined on its own     each with the version that it is bound to
//! state, towards one addressee: proposed, awaiting, not yet, in force, suspended, withdrawn, expired, lapsed
//! ```
//!
//! Everything said carries its entry's index and effective time, and nothing is ever taken back, so that a pledge can be
//! asked how it stood at any [`Moment`], past or future.

use super::Said;
use crate::charter::{Annex, Sealable};
use crate::codec::List;
use crate::field::{Day, Duration, Handle, Instant, Short};
use crate::hash::Hash;
use crate::statement::body::{NoticeKind, Party};
use crate::statement::terms::{Due, Force, Instrument, Need, OwedBy, Quantity, Terms, Trigger};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What rules and answers need of the terms; texts stay in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gist {
    /// The author's own reference.
    pub reference: Option<Short>,
    /// In a few words.
    pub title: Short,
    /// By which means.
    pub instruments: List<Instrument>,
    /// How much.
    pub quantity: Quantity,
    /// The pledge that this one is part of.
    pub within: Option<Hash>,
    /// How strongly it binds.
    pub force: Force,
    /// When it was given outside this log.
    pub made_on: Option<Day>,
    /// From when it holds.
    pub valid_from: Instant,
    /// The last moment at which it holds.
    pub valid_until: Option<Instant>,
    /// How long after it is announced a withdrawal takes effect.
    pub notice_period: Duration,
    /// Who owes it.
    pub owed_by: OwedBy,
    /// On which condition it is called.
    pub trigger: Option<Trigger>,
    /// How long after a call a response is due.
    pub respond_within: Option<Duration>,
    /// Instalments, by number.
    pub dues: List<Due>,
    /// What must happen first, by number.
    pub needs: List<Need>,
    /// The SHA-256 of its open annexes.
    pub agreements: List<Hash>,
}

impl From<&Terms> for Gist {
    fn from(t: &Terms) -> Self {
        let agreements = t.annexes.iter().filter_map(Annex::open).map(|document| document.sha256);
        Self {
            reference: t.reference.clone(),
            title: t.title.clone(),
            instruments: t.instruments.clone(),
            quantity: t.quantity.clone(),
            within: t.within,
            force: t.force,
            made_on: t.made_on,
            valid_from: t.valid_from,
            valid_until: t.valid_until,
            notice_period: t.notice_period,
            owed_by: t.owed_by.clone(),
            trigger: t.trigger.clone(),
            respond_within: t.respond_within,
            dues: t.dues.clone(),
            needs: t.needs.clone(),
            agreements: agreements.collect(),
        }
    }
}

impl Gist {
    /// Those who owe it beside its author, each once joined.
    pub fn jointly<'a>(&'a self, author: &'a Handle) -> impl Iterator<Item = &'a Handle> {
        let named: &[Handle] = match &self.owed_by {
            OwedBy::Author => &[],
            OwedBy::Jointly(all) => all,
        };
        named.iter().filter(move |h| *h != author)
    }
}

/// A moment to look at: what entries below an index say, and the time up to which it passed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Entries from this index on are not looked at.
    pub before: u64,
    /// The time.
    pub at: Instant,
}

impl Moment {
    /// After all entries, at a time.
    #[must_use]
    pub fn at(at: Instant) -> Self {
        Self { before: u64::MAX, at }
    }

    /// Whether something was said by then.
    #[must_use]
    pub fn has(self, said: &Said) -> bool {
        said.index < self.before && said.at <= self.at
    }
}

/// A need that was declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// Where.
    pub said: Said,
    /// Met, or failed.
    pub met: bool,
    /// From when: never before it was said.
    pub from: Instant,
}

/// An acceptance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Where.
    pub said: Said,
    /// Whether with a reservation.
    pub reserved: bool,
}

/// The terms as pledged, or as one amendment has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Where.
    pub said: Said,
    /// To whom.
    pub to: List<Handle>,
    /// The terms.
    pub terms: Sealable<Gist>,
    /// From which entry on the terms stand open: another than its own where they were sealed.
    pub open_from: u64,
    /// Whether it waits for acceptance, by the rules of its time.
    pub to_accept: bool,
    /// Who accepted it.
    pub accepted: BTreeMap<Handle, Accepted>,
    /// Those named as owing jointly who joined it.
    pub joined: BTreeMap<Handle, Said>,
    /// Its needs that were declared, by number.
    pub declared: BTreeMap<u64, Declared>,
}

impl Version {
    /// The terms, where they stand open.
    #[must_use]
    pub fn gist(&self) -> Option<&Gist> {
        self.terms.open()
    }

    fn is_accepted(&self, by: &Handle, when: Moment) -> bool {
        self.to.contains(by) && (!self.to_accept || self.accepted.get(by).is_some_and(|a| when.has(&a.said)))
    }

    fn lacks_joiner<'a>(&'a self, author: &'a Handle, when: Moment) -> Option<&'a Handle> {
        let joined = |h: &Handle| self.joined.get(h).is_some_and(|said| when.has(said));
        self.gist()?.jointly(author).find(|h| !joined(h))
    }
}

/// One who joined on its own account: owes the same beside the author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnJoin {
    /// The first join, whose id names the line.
    pub said: Said,
    /// Which versions it joined.
    pub versions: BTreeMap<u32, Said>,
}

/// A withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Where.
    pub said: Said,
    /// From when on nothing new is owed, towards each.
    pub effective: BTreeMap<Handle, Instant>,
    /// Disowned after a theft, not withdrawn.
    pub disowned: bool,
}

/// A suspension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Where.
    pub said: Said,
    /// From when.
    pub from: Instant,
    /// Where and when it was resumed.
    pub resumed: Option<(Said, Instant)>,
}

/// A notice without effect of its own: a reservation, objection, clarification or correction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Where.
    pub said: Said,
    /// Of what.
    pub notice: NoticeKind,
}

/// How a commitment came into this log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Pledged by its promisor.
    Pledged,
    /// Recorded by an observer.
    Recorded {
        /// Who promised.
        promisor: Party,
        /// Where the promisor adopted it.
        adopted: Option<Said>,
    },
    /// A record adopted by its promisor.
    Adopted {
        /// The record's id.
        record: Hash,
    },
}

/// A pledge or record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pledge {
    /// Where it was first said; the statement's id names it.
    pub said: Said,
    /// How it came.
    pub origin: Origin,
    /// The terms, first as pledged, then each amendment.
    pub versions: List<Version>,
    /// Those who joined on their own.
    pub joins: List<OwnJoin>,
    /// Withdrawals.
    pub ends: List<End>,
    /// Suspensions.
    pub pauses: List<Pause>,
    /// Notices without effect.
    pub notes: List<Note>,
}

/// Who owes, in a pledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// The author, with those who owe jointly.
    Author,
    /// The one of this number who joined.
    Join(usize),
}

/// How a pledge stands towards one addressee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not accepted.
    Proposed,
    /// Accepted, and waits for a need or for one who is to join.
    Awaiting(String),
    /// Holds from a later moment on.
    NotYet(Instant),
    /// In force.
    InForce,
    /// Suspended, by whom.
    Suspended(Handle),
    /// Withdrawn, from when on.
    Withdrawn(Instant),
    /// Past its validity.
    Expired(Instant),
    /// A need of it failed.
    Lapsed(Short),
    /// Recorded only: never in force.
    Recorded,
    /// A record that was adopted.
    Adopted,
}

impl State {
    /// All words for it.
    pub const WORDS: [&'static str; 10] = [
        "proposed",
        "awaiting",
        "not yet valid",
        "in force",
        "suspended",
        "withdrawn",
        "expired",
        "lapsed",
        "recorded",
        "adopted",
    ];

    /// The word for it, for tables and programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Awaiting(_) => "awaiting",
            Self::NotYet(_) => "not yet valid",
            Self::InForce => "in force",
            Self::Suspended(_) => "suspended",
            Self::Withdrawn(_) => "withdrawn",
            Self::Expired(_) => "expired",
            Self::Lapsed(_) => "lapsed",
            Self::Recorded => "recorded",
            Self::Adopted => "adopted",
        }
    }

    /// Whether nothing can come of it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Withdrawn(_) | Self::Expired(_) | Self::Lapsed(_) | Self::Adopted)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proposed => f.write_str("is proposed, not accepted"),
            Self::Awaiting(what) => write!(f, "is awaiting {what}"),
            Self::NotYet(from) => write!(f, "holds only from {from} on"),
            Self::InForce => f.write_str("is in force"),
            Self::Suspended(by) => write!(f, "is suspended by {by}"),
            Self::Withdrawn(at) => write!(f, "was withdrawn with effect from {at}"),
            Self::Expired(at) => write!(f, "expired {at}"),
            Self::Lapsed(need) => write!(f, "lapsed: the need {:?} failed", need.as_str()),
            Self::Recorded => f.write_str("is recorded, not pledged"),
            Self::Adopted => f.write_str("was adopted by its promisor, whose pledge stands in its place"),
        }
    }
}

/// Terms in force towards some addressees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facet {
    /// Which version.
    pub version: u32,
    /// Towards whom.
    pub to: List<Handle>,
}

impl Pledge {
    /// The version of this number.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn version(&self, number: u32) -> &Version {
        &self.versions[usize::try_from(number).expect("few versions")]
    }

    /// The last version, whoever accepted it.
    ///
    /// # Panics
    /// Never: every pledge has one.
    #[must_use]
    pub fn latest(&self) -> &Version {
        self.versions.last().expect("every pledge has a version")
    }

    /// Whether it is a record.
    #[must_use]
    pub fn is_record(&self) -> bool {
        matches!(self.origin, Origin::Recorded { .. })
    }

    /// All lines.
    pub fn lines(&self) -> impl Iterator<Item = Line> + use<> {
        std::iter::once(Line::Author).chain((0..self.joins.len()).map(Line::Join))
    }

    /// The id that names a line in obligations.
    #[must_use]
    pub fn line_id(&self, line: Line) -> Hash {
        match line {
            Line::Author => self.said.id,
            Line::Join(n) => self.joins[n].said.id,
        }
    }

    /// The partner after whom a line is called.
    #[must_use]
    pub fn owner(&self, line: Line) -> &Handle {
        match line {
            Line::Author => &self.said.by,
            Line::Join(n) => &self.joins[n].said.by,
        }
    }

    /// Whoever owes a line by a version: its owner, and those who owe jointly.
    #[must_use]
    pub fn owing(&self, line: Line, version: u32) -> Vec<&Handle> {
        let jointly = match (line, self.version(version).gist()) {
            (Line::Author, Some(gist)) => gist.jointly(&self.said.by).collect(),
            _ => Vec::new(),
        };
        std::iter::once(self.owner(line)).chain(jointly).collect()
    }

    /// Everyone to whom any version is addressed.
    #[must_use]
    pub fn addressees(&self) -> Vec<&Handle> {
        let mut all: Vec<&Handle> = self.versions.iter().flat_map(|v| v.to.iter()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn binds(&self, line: Line, version: u32, when: Moment) -> bool {
        let v = self.version(version);
        when.has(&v.said)
            && match line {
                Line::Author => v.lacks_joiner(&self.said.by, when).is_none(),
                Line::Join(n) => self.joins[n].versions.get(&version).is_some_and(|said| when.has(said)),
            }
    }

    fn numbers(&self) -> impl DoubleEndedIterator<Item = u32> {
        0..u32::try_from(self.versions.len()).expect("few versions")
    }

    /// The version by which a line is bound towards an addressee: the last one that both took on.
    #[must_use]
    pub fn bound_by(&self, line: Line, to: &Handle, when: Moment) -> Option<u32> {
        self.numbers().rev().find(|n| self.version(*n).is_accepted(to, when) && self.binds(line, *n, when))
    }

    /// How a line stands towards an addressee.
    #[must_use]
    pub fn state(&self, line: Line, to: &Handle, when: Moment) -> State {
        let ends = self.ends.iter().filter(|end| when.has(&end.said));
        let end = ends.filter_map(|end| end.effective.get(to)).min();
        if let Some(end) = end.filter(|end| **end <= when.at) {
            return State::Withdrawn(*end);
        }
        if let Origin::Recorded { adopted, .. } = &self.origin {
            let adopted = adopted.as_ref().is_some_and(|said| when.has(said));
            return if adopted { State::Adopted } else { State::Recorded };
        }
        let Some(number) = self.bound_by(line, to, when) else { return self.unbound(line, to, when) };
        let version = self.version(number);
        let Some(gist) = version.gist().filter(|_| version.open_from < when.before) else {
            return State::InForce;
        };
        if let Some(until) = gist.valid_until.filter(|until| when.at > *until) {
            return State::Expired(until);
        }
        for (need, number) in gist.needs.iter().zip(0..) {
            match version.declared.get(&number).filter(|d| when.has(&d.said) && d.from <= when.at) {
                Some(Declared { met: true, .. }) => {}
                Some(_) => return State::Lapsed(need.label.clone()),
                None => return State::Awaiting(format!("{} (declared by {})", need.label, need.declared_by)),
            }
        }
        if when.at < gist.valid_from {
            return State::NotYet(gist.valid_from);
        }
        match self.paused(to, when) {
            Some(by) => State::Suspended(by.clone()),
            None => State::InForce,
        }
    }

    /// How it stands where no version binds yet.
    fn unbound(&self, line: Line, to: &Handle, when: Moment) -> State {
        let accepted = self.numbers().rev().map(|n| self.version(n));
        let accepted =
            accepted.filter(|v| when.has(&v.said) && v.is_accepted(to, when)).max_by_key(|v| v.said.index);
        match (line, accepted) {
            (Line::Author, Some(v)) => match v.lacks_joiner(&self.said.by, when) {
                Some(joiner) => State::Awaiting(format!("{joiner} to join")),
                None => State::Proposed,
            },
            _ => State::Proposed,
        }
    }

    fn paused(&self, to: &Handle, when: Moment) -> Option<&Handle> {
        let holds = |pause: &&Pause| {
            let concerned = pause.said.by == *to || !self.addressees().contains(&&pause.said.by);
            let resumed =
                pause.resumed.as_ref().is_some_and(|(said, from)| when.has(said) && *from <= when.at);
            concerned && when.has(&pause.said) && pause.from <= when.at && !resumed
        };
        self.pauses.iter().find(holds).map(|pause| &pause.said.by)
    }

    /// The terms in force, each with those towards whom; none where it is in force towards nobody.
    #[must_use]
    pub fn in_force(&self, line: Line, when: Moment) -> Vec<Facet> {
        let mut facets: Vec<Facet> = Vec::new();
        for to in self.addressees() {
            if self.state(line, to, when) != State::InForce {
                continue;
            }
            let Some(version) = self.bound_by(line, to, when) else { continue };
            match facets.iter_mut().find(|f| f.version == version) {
                Some(facet) => facet.to.push(to.clone()),
                None => facets.push(Facet { version, to: vec![to.clone()].into() }),
            }
        }
        facets
    }

    /// How it stands altogether: as it does towards whomever it stands best.
    #[must_use]
    pub fn overall(&self, line: Line, when: Moment) -> State {
        let rank = |state: &State| match state {
            State::InForce => 0,
            State::Suspended(_) => 1,
            State::NotYet(_) => 2,
            State::Awaiting(_) => 3,
            State::Proposed | State::Recorded => 4,
            State::Lapsed(_) => 5,
            State::Expired(_) => 6,
            State::Withdrawn(_) | State::Adopted => 7,
        };
        let states = self.addressees().into_iter().map(|to| self.state(line, to, when));
        states.min_by_key(rank).unwrap_or(State::Proposed)
    }

    /// When a withdrawal that was announced takes effect towards an addressee.
    #[must_use]
    pub fn ends_at(&self, to: &Handle) -> Option<Instant> {
        self.ends.iter().filter_map(|end| end.effective.get(to)).min().copied()
    }

    /// Whether nothing can come of it any more, towards anyone.
    #[must_use]
    pub fn is_over(&self, when: Moment) -> bool {
        self.lines().all(|line| self.overall(line, when).is_over())
    }
}
