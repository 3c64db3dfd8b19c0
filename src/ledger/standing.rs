//! How a pledge stands at a moment: towards whom it is bound by which version, and whether that is in force.
//!
//! `docs/ledger.md` has the states in the order in which they are looked for. Each side of a pledge ends and is suspended
//! by itself: what a partner withdraws concerns what it owes, or what is owed to it.

use super::Said;
use super::pledge::{Declared, End, Facet, Line, Moment, Origin, Pause, Pledge};
use crate::field::{Handle, Instant, Short};
use std::fmt;

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

impl Pledge {
    fn binds(&self, line: Line, version: u32, when: Moment) -> bool {
        let v = self.version(version);
        when.has(&v.said)
            && match line {
                Line::Author => v.lacks_joiner(&self.said.by, when).is_none(),
                Line::Join(n) => self.joins[n].versions.get(&version).is_some_and(|said| when.has(said)),
            }
    }

    /// The versions that an addressee had taken on, the last one first.
    fn taken_by(&self, to: &Handle, when: Moment) -> impl Iterator<Item = u32> {
        let taken = self.taken.get(to).map_or(&[][..], |all| all);
        // In the order in which it took them on.
        let by_then = taken.partition_point(|n| {
            let version = self.version(*n);
            let accepted = version.accepted.get(to).filter(|_| !self.holds_at_once(*n, to));
            when.has(&version.said) && accepted.is_none_or(|a| when.has(&a.said))
        });
        taken[..by_then].iter().rev().copied()
    }

    /// Whether an addressee took a version on without a word: the first that reached it, where none was asked for.
    fn holds_at_once(&self, number: u32, to: &Handle) -> bool {
        let first = self.taken.get(to).and_then(|all| all.first()) == Some(&number);
        let before = || (0..number).all(|earlier| !self.version(earlier).to.contains(to));
        first && !self.version(number).to_accept && before()
    }

    /// The version by which a line is bound towards an addressee: the last one that both took on.
    #[must_use]
    pub fn bound_by(&self, line: Line, to: &Handle, when: Moment) -> Option<u32> {
        self.taken_by(to, when).find(|n| self.binds(line, *n, when))
    }

    /// Whether what a partner ends or suspends concerns a line towards an addressee: as the one who owes, or is owed.
    fn concerns(&self, by: &Handle, line: Line, to: &Handle) -> bool {
        by == to || by == self.owner(line)
    }

    fn end(&self, line: Line, to: &Handle, stands: impl Fn(&End) -> bool) -> Option<Instant> {
        let ends = self.ends.iter().filter(|end| stands(end) && self.concerns(&end.by, line, to));
        ends.filter_map(|end| end.effective.get(to)).min().copied()
    }

    /// How a line stands towards an addressee.
    #[must_use]
    pub fn state(&self, line: Line, to: &Handle, when: Moment) -> State {
        match (self.standing(line, to, when), self.paused(line, to, when)) {
            (State::InForce, Some(by)) => State::Suspended(by.clone()),
            (state, _) => state,
        }
    }

    /// The same, whoever suspended it.
    fn standing(&self, line: Line, to: &Handle, when: Moment) -> State {
        let end = self.end(line, to, |end| when.has(&end.said) && !is_undone(&end.undone, when));
        if let Some(end) = end.filter(|end| *end <= when.at) {
            return State::Withdrawn(end);
        }
        if let Origin::Recorded { adopted, .. } = &self.origin {
            let adopted = adopted.as_ref().is_some_and(|said| when.has(said));
            return if adopted { State::Adopted } else { State::Recorded };
        }
        let Some(number) = self.bound_by(line, to, when) else { return self.unbound(line, to, when) };
        let version = self.version(number);
        // Terms opened later were its terms all along: the seal held them.
        let Some(gist) = version.gist() else { return State::InForce };
        if let Some(until) = gist.valid_until.filter(|until| when.at > *until) {
            return State::Expired(until);
        }
        for (need, number) in gist.needs.iter().zip(0..) {
            let declared = version.declared.get(&number).filter(|d| when.has(&d.said) && d.from <= when.at);
            match declared.filter(|d| !is_undone(&d.undone, when)) {
                Some(Declared { met: true, .. }) => {}
                Some(_) => return State::Lapsed(need.label.clone()),
                None => return State::Awaiting(format!("{} (declared by {})", need.label, need.declared_by)),
            }
        }
        if when.at < gist.valid_from {
            return State::NotYet(gist.valid_from);
        }
        State::InForce
    }

    /// How it stands where no version binds yet.
    fn unbound(&self, line: Line, to: &Handle, when: Moment) -> State {
        let accepted = self.taken_by(to, when).next().map(|n| self.version(n));
        match (line, accepted) {
            (Line::Author, Some(v)) => match v.lacks_joiner(&self.said.by, when) {
                Some(joiner) => State::Awaiting(format!("{joiner} to join")),
                None => State::Proposed,
            },
            _ => State::Proposed,
        }
    }

    fn paused(&self, line: Line, to: &Handle, when: Moment) -> Option<&Handle> {
        let holds = |pause: &&Pause| {
            let resumed =
                pause.resumed.as_ref().is_some_and(|(said, from)| when.has(said) && *from <= when.at);
            let stands = when.has(&pause.said) && pause.from <= when.at && !is_undone(&pause.undone, when);
            let concerned = pause.said.by == *to || (line == Line::Author && pause.said.by == self.said.by);
            stands && !resumed && concerned
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

    /// When a withdrawal that was announced ends what the author owes an addressee.
    #[must_use]
    pub fn ends_at(&self, to: &Handle) -> Option<Instant> {
        self.line_ends_at(Line::Author, to)
    }

    /// When a withdrawal that was announced ends a line towards an addressee.
    #[must_use]
    pub fn line_ends_at(&self, line: Line, to: &Handle) -> Option<Instant> {
        self.end(line, to, |end| end.undone.is_none())
    }

    /// Whether nothing can come of it any more, towards anyone.
    #[must_use]
    pub fn is_over(&self, when: Moment) -> bool {
        self.lines().all(|line| self.line_is_over(line, when))
    }

    /// Whether nothing can come of a line any more, towards anyone.
    #[must_use]
    pub fn line_is_over(&self, line: Line, when: Moment) -> bool {
        self.taken.keys().all(|to| self.standing(line, to, when).is_over())
    }
}

fn is_undone(undone: &Option<Said>, when: Moment) -> bool {
    undone.as_ref().is_some_and(|said| when.has(said))
}
