//! Motions, counted as far as to know when one would be carried.
//!
//! What a carried motion does comes with the ledger; until then the roster is unknown from there, and says so.

use super::Roster;
use crate::charter::LEVEL;
use crate::entry::SignedEntry;
use crate::field::{Handle, Instant};
use crate::hash::Hash;
use crate::key::vkey::Vkey;
use crate::statement::body::{Motion, Propose};
use crate::statement::{Act, ActError, Kind, Statement};
use std::collections::BTreeSet;
use std::fmt;

/// A motion with those who approve it.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    propose: Propose,
    approvals: BTreeSet<Handle>,
}

/// Something in class 0 that this program does not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUnderstood {
    /// From which entry on the roster is unknown.
    pub index: u64,
    /// The act's number.
    pub kind: u16,
    /// What it is.
    pub what: &'static str,
}

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, kind, what } = self;
        write!(f, "act {kind} not understood: {what}; who may sign is unknown from entry {index} on")
    }
}

impl Roster {
    /// A motion for a new operator, and approvals of it, do not expire.
    pub(super) fn never_expires(&self, s: &Statement) -> bool {
        let operator = |p: &Propose| matches!(p.motion, Motion::Operator { .. });
        match s.act() {
            Ok(Act::Propose(p)) => operator(&p),
            Ok(Act::Approve(a)) => self.proposals.get(&a.motion).is_some_and(|p| operator(&p.propose)),
            _ => false,
        }
    }

    /// Counts a propose or approve that was taken in.
    pub(super) fn motion(&mut self, index: u64, e: &SignedEntry) {
        let author = e.statement.author.clone();
        let motion = match e.statement.act() {
            Ok(Act::Propose(propose)) => {
                self.proposals.insert(e.id, Proposal { propose, approvals: BTreeSet::from([author]) });
                e.id
            }
            Ok(Act::Approve(approve)) => {
                let Some(proposal) = self.proposals.get_mut(&approve.motion) else { return };
                proposal.approvals.insert(author);
                approve.motion
            }
            Err(ActError::UnknownKind(kind)) if self.charter.level > LEVEL => {
                return self.lose(index, kind, "a kind of class 0 of a later level");
            }
            Err(ActError::Body { kind: kind @ (Kind::Propose | Kind::Approve), .. })
                if self.charter.level > LEVEL =>
            {
                return self.lose(index, kind.number(), "a motion of a later level");
            }
            _ => return,
        };
        if self.carried(&self.proposals[&motion]) {
            self.lose(index, e.statement.kind, "it carries a motion");
        }
    }

    fn lose(&mut self, index: u64, kind: u16, what: &'static str) {
        self.unknown.get_or_insert(NotUnderstood { index, kind, what });
    }

    /// Whether more than half, or the charter's higher share, and no fewer than its floor approve, and the motion can
    /// take effect.
    fn carried(&self, p: &Proposal) -> bool {
        let target = match &p.propose.motion {
            Motion::Suspend { handle } | Motion::Resume { handle } | Motion::Rekey { handle, .. } => {
                Some(handle)
            }
            _ => None,
        };
        let count = |n: usize| u128::try_from(n).expect("a count fits");
        let all = self.charter.partners.iter().filter(|m| Some(&m.handle) != target).count();
        let approvals = p.approvals.iter().filter(|h| Some(*h) != target).count();
        let rules = &self.charter.rules.motions;
        let (of, whole) = rules.share.unwrap_or((0, 1));
        let lapsed = self.time > p.propose.lapses_at && !matches!(p.propose.motion, Motion::Operator { .. });
        count(approvals) * 2 > count(all)
            && count(approvals) * u128::from(whole) >= count(all) * u128::from(of)
            && count(approvals) >= u128::from(rules.floor)
            && !lapsed
            && self.can_apply(&p.propose.motion)
    }

    fn can_apply(&self, motion: &Motion) -> bool {
        match motion {
            Motion::Admit { handle, roles, .. } => !self.members.contains_key(handle) && !roles.is_empty(),
            Motion::Suspend { handle } | Motion::Rekey { handle, .. } => {
                self.charter.partner(handle).is_some()
            }
            // Nobody is suspended before a motion was carried.
            Motion::Resume { .. } => false,
            Motion::Rules { rules, replaces } => *replaces == self.log && rules.check().is_ok(),
            Motion::Level { level } => *level > self.charter.level,
            Motion::Operator { vkey, replaces, .. } => {
                *replaces == self.log && vkey.parse::<Vkey>().is_ok_and(|v| v.name() != self.vkey.name())
            }
        }
    }

    /// Until when a motion can be carried, for those who ask.
    #[must_use]
    pub fn lapses_at(&self, motion: &Hash) -> Option<Instant> {
        self.proposals.get(motion).map(|p| p.propose.lapses_at)
    }
}
