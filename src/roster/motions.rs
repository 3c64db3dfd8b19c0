//! Motions, counted as far as to know when one is carried.
//!
//! Proposing approves. A motion lapses past `lapses_at` by the time of class 0, a motion for a new operator excepted,
//! or when what it replaces is no longer in force; proposing or approving one that has lapsed is void. Approvals are
//! counted when one more is given, by who is suspended then and by the rules in force then. Whether a motion can take
//! effect is asked at the approval that completes the quorum, and not before: one that cannot lapses, and that approval
//! is void. What a carried one does stands in [`super::carried`].

use super::Roster;
use super::carried::Carried;
use super::keys::InForce;
use crate::chain::Reason;
use crate::charter::LEVEL;
use crate::entry::SignedEntry;
use crate::field::{Handle, Instant};
use crate::hash::Hash;
use crate::statement::body::{Motion, Propose};
use crate::statement::{Act, ActError, Kind, Statement};
use std::collections::BTreeSet;
use std::fmt;

/// How many motions this program's level has; they are numbered from 0, and the number is a body's first byte.
const MOTIONS: u8 = 7;

/// A key set with an algorithm of a later level.
pub(super) const LATER_ALGORITHM: &str = "a key of an algorithm of a later level";

/// A motion with those who approve it.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    propose: Propose,
    approvals: BTreeSet<Handle>,
}

/// A motion that can still be approved.
#[derive(Clone, Debug)]
pub struct Open<'a> {
    /// The id of its propose.
    pub id: Hash,
    /// What is moved, and until when.
    pub propose: &'a Propose,
    /// Those whose approvals count now, of the [`quorum`](Roster::quorum) that it takes.
    pub approved_by: BTreeSet<&'a Handle>,
}

/// What an authentic entry of class 0 changes beside its author's chain.
#[derive(Debug)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// Its author's keys.
    Keys(InForce),
    /// A motion is made: the entry's.
    Propose,
    /// A motion is approved.
    Approve(Hash),
    /// A motion lapses, since it cannot take effect.
    Lapse(Hash),
    /// A motion is carried.
    Carried(Box<Carried>),
    /// Something that this program does not understand.
    Unknown {
        /// What it is.
        what: &'static str,
    },
}

impl Change {
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
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
    pub(crate) fn never_expires(&self, e: &SignedEntry) -> bool {
        match e.act() {
            Ok(Act::Propose(p)) => p.is_for_operator(),
            Ok(Act::Approve(a)) => self.proposals.get(&a.motion).is_some_and(|p| p.propose.is_for_operator()),
            _ => false,
        }
    }

    /// Whether a propose is of a motion that this program's level has not, in a log whose level may have it.
    pub(super) fn is_later_motion(&self, s: &Statement) -> bool {
        self.charter.level > LEVEL
            && s.kind == Kind::Propose.number()
            && s.body.first().is_some_and(|number| *number >= MOTIONS)
    }

    /// What an entry of class 0 other than kinds 0 to 2 changes that is in order so far, and why it is void after all.
    pub(super) fn motion(&self, index: u64, e: &SignedEntry, time: Instant) -> (Option<Reason>, Change) {
        let author = &e.statement.author;
        match e.act() {
            Ok(Act::Propose(propose)) => match self.check_open(propose, time) {
                Ok(()) => self.approved(index, (e.id, propose), [author].into(), Change::Propose),
                Err(reason) => (Some(reason), Change::None),
            },
            Ok(Act::Approve(approve)) => {
                let Some(p) = self.proposals.get(&approve.motion) else {
                    return (Some(Reason::NoMotion), Change::None);
                };
                let approvals = p.approvals.iter().chain([author]).collect();
                match self.check_open(&p.propose, time) {
                    Ok(()) => {
                        let counted = Change::Approve(approve.motion);
                        self.approved(index, (approve.motion, &p.propose), approvals, counted)
                    }
                    Err(reason) => (Some(reason), Change::None),
                }
            }
            Err(ActError::UnknownKind(_)) => {
                (None, Change::Unknown { what: "a kind of class 0 of a later level" })
            }
            Err(ActError::Body { .. }) => (None, Change::Unknown { what: "a motion of a later level" }),
            Ok(_) => (None, Change::None),
        }
    }

    /// Does what follows from an authentic entry; gives the motion that it carries.
    pub(super) fn change(&mut self, index: u64, e: &SignedEntry, change: Change) -> Option<Carried> {
        let author = &e.statement.author;
        match change {
            Change::None => {}
            Change::Keys(mut in_force) => {
                in_force.since = index;
                self.register(author, &in_force);
                let member = self.members.get_mut(author).expect("only members' statements are authentic");
                member.replace(Some(in_force), index);
            }
            Change::Propose => {
                let Ok(Act::Propose(propose)) = e.act() else { return None };
                self.forget_lapsed();
                let approvals = BTreeSet::from([author.clone()]);
                self.proposals.insert(e.id, Proposal { propose: propose.clone(), approvals });
            }
            Change::Approve(motion) => {
                let proposal = self.proposals.get_mut(&motion).expect("approved as pending");
                proposal.approvals.insert(author.clone());
            }
            Change::Lapse(motion) => {
                self.proposals.remove(&motion);
            }
            Change::Carried(carried) => {
                self.proposals.remove(&carried.motion);
                self.carry(index, e.entry.sequenced_at, &carried);
                return Some(*carried);
            }
            Change::Unknown { what } => self.lose(index, e.statement.kind, what),
        }
        None
    }

    /// Forgets the motions that can no longer be approved.
    pub(super) fn forget_lapsed(&mut self) {
        let mut proposals = std::mem::take(&mut self.proposals);
        proposals.retain(|_, p| self.check_open(&p.propose, self.time).is_ok());
        self.proposals = proposals;
    }

    /// What a partner approved under keys that were taken from it counts no longer.
    pub(super) fn withdraw_approvals(&mut self, handle: &Handle) {
        self.proposals.values_mut().for_each(|p| {
            p.approvals.remove(handle);
        });
    }

    pub(super) fn lose(&mut self, index: u64, kind: u16, what: &'static str) {
        self.unknown.get_or_insert(NotUnderstood { index, kind, what });
    }

    /// Whether a motion can still be approved.
    fn check_open(&self, propose: &Propose, time: Instant) -> Result<(), Reason> {
        if propose.has_lapsed(time) {
            return Err(Reason::MotionLapsed { at: time, lapses: propose.lapses_at });
        }
        let (replaces, in_force) = match &propose.motion {
            Motion::Rules { replaces, .. } => (*replaces, self.rules_set_by),
            Motion::Operator { replaces, .. } => (*replaces, self.operator_set_by),
            _ => return Ok(()),
        };
        if replaces == in_force { Ok(()) } else { Err(Reason::MotionOutdated { replaces }) }
    }

    /// What follows from these approvals: `counted`, or what completing the quorum does.
    fn approved(
        &self,
        index: u64,
        (motion, propose): (Hash, &Propose),
        mut approvals: BTreeSet<&Handle>,
        counted: Change,
    ) -> (Option<Reason>, Change) {
        let what = &propose.motion;
        approvals.retain(|handle| self.has_vote(handle, what));
        if u64::try_from(approvals.len()).expect("a count fits") < self.quorum(what) {
            return (None, counted);
        }
        match self.check_applies(index, what) {
            Ok(()) => {
                let approved_by = approvals.into_iter().cloned().collect();
                (None, Change::Carried(Box::new(Carried { motion, what: what.clone(), approved_by })))
            }
            Err(what) => (Some(Reason::Motion { what }), Change::Lapse(motion)),
        }
    }

    /// Whether a partner's approval of a motion counts now: neither the target's does nor that of the suspended.
    fn has_vote(&self, handle: &Handle, motion: &Motion) -> bool {
        motion.target() != Some(handle) && !self.is_suspended(handle)
    }

    /// How many approvals a motion needs now: more than half, or the charter's higher share, and no fewer than its
    /// floor, of all partners but the target and the suspended, acceded or not.
    #[must_use]
    pub fn quorum(&self, motion: &Motion) -> u64 {
        let votes = self.charter.partners.iter().filter(|p| self.has_vote(&p.handle, motion)).count();
        let votes = u64::try_from(votes).expect("a count fits");
        let rules = &self.charter.rules.motions;
        let (part, whole) = rules.share.unwrap_or((0, 1));
        let share = (u128::from(votes) * u128::from(part)).div_ceil(u128::from(whole));
        let share = u64::try_from(share).expect("a share is at most the whole");
        share.max(votes / 2 + 1).max(rules.floor)
    }

    /// The motions that can still be approved, by id.
    pub fn proposals(&self) -> impl Iterator<Item = Open<'_>> {
        let open = self.proposals.iter().filter(|(_, p)| self.check_open(&p.propose, self.time).is_ok());
        open.map(|(id, p)| Open {
            id: *id,
            propose: &p.propose,
            approved_by: p.approvals.iter().filter(|h| self.has_vote(h, &p.propose.motion)).collect(),
        })
    }

    /// Until when an open motion can be carried, for those who ask; one for a new operator does not lapse by time.
    #[must_use]
    pub fn lapses_at(&self, motion: &Hash) -> Option<Instant> {
        self.proposals.get(motion).map(|p| p.propose.lapses_at)
    }
}

impl Motion {
    /// Whom it is about, and who has no say in it.
    #[must_use]
    pub fn target(&self) -> Option<&Handle> {
        match self {
            Self::Suspend { handle } | Self::Resume { handle } | Self::Rekey { handle, .. } => Some(handle),
            Self::Admit { .. } | Self::Rules { .. } | Self::Level { .. } | Self::Operator { .. } => None,
        }
    }
}

impl Propose {
    fn is_for_operator(&self) -> bool {
        matches!(self.motion, Motion::Operator { .. })
    }

    fn has_lapsed(&self, time: Instant) -> bool {
        time > self.lapses_at && !self.is_for_operator()
    }
}
