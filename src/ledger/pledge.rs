//! Pledges and records: their versions, who accepted and joined which, withdrawals, suspensions, notices.
//!
//! ```text
//! version 0 (pledge, record or adopt) | version 1 (amend) | …       each accepted by each addressee for itself
//! line: who owes          the author, or one who joined on its own     each with the version that it is bound to
//! state, towards one addressee: proposed, awaiting, not yet, in force, suspended, withdrawn, expired, lapsed
//! ```
//!
//! Everything said carries its entry's index and effective time, and nothing is ever taken back, so that a pledge can be
//! asked how it stood at any [`Moment`], past or future.

pub use super::standing::State;

use super::Said;
use super::few::Few;
use crate::charter::{Annex, Sealable};
use crate::codec::List;
use crate::field::{Day, Duration, Handle, Instant, Short};
use crate::hash::Hash;
use crate::statement::body::{NoticeKind, Party};
use crate::statement::terms::{Due, Force, Instrument, Need, OwedBy, Quantity, Terms, Trigger};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
    pub trigger: Option<Box<Trigger>>,
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
            trigger: t.trigger.clone().map(Box::new),
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
    /// Where it was disowned, said by a thief: from then on it was never declared.
    pub undone: Option<Said>,
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
    pub accepted: Few<Handle, Accepted>,
    /// Those named as owing jointly who joined it.
    pub joined: Few<Handle, Said>,
    /// Its needs that were declared, by number.
    pub declared: Few<u64, Declared>,
    /// Said, or joined as one who owes jointly, by a thief, and disowned: nobody can take it on any more.
    pub disowned: bool,
}

impl Version {
    /// The terms, where they stand open.
    #[must_use]
    pub fn gist(&self) -> Option<&Gist> {
        self.terms.open()
    }

    pub(super) fn lacks_joiner<'a>(&'a self, author: &'a Handle, when: Moment) -> Option<&'a Handle> {
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
    pub versions: Few<u32, Said>,
    /// Said by a thief, and disowned.
    pub disowned: bool,
}

/// A withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Where.
    pub said: Said,
    /// Who leaves: one who owes, and then what it owes ends; or an addressee, and then all that is owed to it.
    pub by: Handle,
    /// From when on nothing new is owed, towards each.
    pub effective: Few<Handle, Instant>,
    /// Disowned after a theft, not withdrawn.
    pub disowned: bool,
    /// Where the withdrawal itself was disowned, said by a thief: from then on it does not count.
    pub undone: Option<Said>,
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
    /// Where it was disowned, said by a thief: from then on it does not count.
    pub undone: Option<Said>,
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
    /// Everyone to whom any version is addressed, with the versions that it took on, in order.
    pub(super) taken: Few<Handle, List<u32>>,
    /// Those who joined on their own.
    pub joins: List<OwnJoin>,
    /// Withdrawals.
    pub ends: List<End>,
    /// Suspensions.
    pub pauses: List<Pause>,
    /// Notices without effect.
    pub notes: List<Note>,
    /// Whether any line of it was called upon: in earnest, and in an exercise.
    pub(super) called: [bool; 2],
}

/// Who owes, in a pledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// The author, with those who owe jointly.
    Author,
    /// The one of this number who joined.
    Join(usize),
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

    /// Who promised, where that is a partner.
    #[must_use]
    pub fn promisor(&self) -> Option<&Handle> {
        match &self.origin {
            Origin::Recorded { promisor: Party::Handle(handle), .. } => Some(handle),
            Origin::Recorded { .. } => None,
            Origin::Pledged | Origin::Adopted { .. } => Some(&self.said.by),
        }
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
        self.taken.keys().collect()
    }

    /// The versions that anybody but these took on, in order: no other one can bind.
    pub(super) fn taken_on(&self, known: &[&Handle]) -> BTreeSet<u32> {
        let others = self.taken.iter().filter(|(to, _)| !known.contains(to));
        others.flat_map(|(_, taken)| taken.iter().copied()).collect()
    }

    /// Adds a version. Where the charter asks for no acceptance, a new addressee takes on what first reaches it; what
    /// changes that, it accepts all the same.
    pub(super) fn add(&mut self, version: Version) {
        let number = u32::try_from(self.versions.len()).expect("few versions");
        for to in version.to.iter() {
            let known = self.taken.contains_key(to);
            let taken = self.taken.or_default(to);
            if !known && !version.to_accept {
                taken.push(number);
            }
        }
        self.versions.push(version);
    }

    /// The last version that an addressee accepted by its own word.
    pub(super) fn last_accepted(&self, by: &Handle) -> Option<u32> {
        let last = *self.taken.get(by)?.last()?;
        self.version(last).accepted.contains_key(by).then_some(last)
    }

    /// Has an addressee accept a version.
    pub(super) fn accept(&mut self, number: u32, accepted: Accepted) {
        let by = accepted.said.by.clone();
        let taken = self.taken.or_default(&by);
        if taken.last() != Some(&number) {
            taken.push(number);
        }
        let version = usize::try_from(number).expect("few versions");
        self.versions[version].accepted.insert(by, accepted);
    }
}
