//! Motions, counted as far as to know when one is carried.
//!
//! Proposing approves. A motion lapses past `lapses_at` by the time of class 0, a motion for a new operator excepted,
//! or when what it replaces is no longer in force; proposing or approving one that has lapsed is void. Whether a motion
//! can take effect is asked at the approval that completes the quorum, and not before: one that cannot lapses, and that
//! approval is void. What a carried motion does comes with the ledger; until then the roster is unknown from there, and
//! says so.

use super::Roster;
use super::founding::witness_keys;
use super::keys::{Holder, InForce};
use crate::chain::Reason;
use crate::charter::{LEVEL, Rules};
use crate::entry::SignedEntry;
use crate::field::{Handle, Instant};
use crate::hash::Hash;
use crate::key::vkey::{Kind as VkeyKind, Vkey};
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
    Carried {
        /// Whether it is for a new operator: then time starts anew.
        operator: bool,
    },
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
    pub(super) fn never_expires(&self, e: &SignedEntry) -> bool {
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
    pub(super) fn motion(&self, e: &SignedEntry, time: Instant) -> (Option<Reason>, Change) {
        let author = &e.statement.author;
        match e.act() {
            Ok(Act::Propose(propose)) => match self.check_open(propose, time) {
                Ok(()) => self.approved(e.id, propose, BTreeSet::from([author]), Change::Propose),
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
                        self.approved(approve.motion, &p.propose, approvals, counted)
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

    /// Does what follows from an authentic entry.
    pub(super) fn change(&mut self, index: u64, e: &SignedEntry, change: Change) {
        let author = &e.statement.author;
        let kind = e.statement.kind;
        match change {
            Change::None => {}
            Change::Keys(mut in_force) => {
                in_force.since = index;
                self.register(author, &in_force);
                let member = self.members.get_mut(author).expect("only members' statements are authentic");
                member.in_force = Some(in_force);
            }
            Change::Propose => {
                let Ok(Act::Propose(propose)) = e.act() else { return };
                let time = self.time;
                self.proposals.retain(|_, p| !p.propose.has_lapsed(time));
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
            Change::Carried { .. } => self.lose(index, kind, "it carries a motion"),
            Change::Unknown { what } => self.lose(index, kind, what),
        }
    }

    pub(super) fn lose(&mut self, index: u64, kind: u16, what: &'static str) {
        self.unknown.get_or_insert(NotUnderstood { index, kind, what });
    }

    /// Whether a motion can still be approved.
    fn check_open(&self, propose: &Propose, time: Instant) -> Result<(), Reason> {
        if propose.has_lapsed(time) {
            return Err(Reason::MotionLapsed { at: time, lapses: propose.lapses_at });
        }
        match &propose.motion {
            // Nothing was carried yet: found set what is in force.
            Motion::Rules { replaces, .. } | Motion::Operator { replaces, .. } if *replaces != self.log => {
                Err(Reason::MotionOutdated { replaces: *replaces })
            }
            _ => Ok(()),
        }
    }

    /// What follows from these approvals: `counted`, or what completing the quorum does.
    fn approved(
        &self,
        id: Hash,
        propose: &Propose,
        approvals: BTreeSet<&Handle>,
        counted: Change,
    ) -> (Option<Reason>, Change) {
        if !self.reached(propose, &approvals) {
            return (None, counted);
        }
        match self.check_applies(&propose.motion) {
            Ok(()) => (None, Change::Carried { operator: propose.is_for_operator() }),
            Err(what) => (Some(Reason::Motion { what }), Change::Lapse(id)),
        }
    }

    /// Whether more than half, or the charter's higher share, and no fewer than its floor approve, of all partners but
    /// the target, acceded or not.
    fn reached(&self, propose: &Propose, approvals: &BTreeSet<&Handle>) -> bool {
        let target = match &propose.motion {
            Motion::Suspend { handle } | Motion::Resume { handle } | Motion::Rekey { handle, .. } => {
                Some(handle)
            }
            Motion::Admit { .. } | Motion::Rules { .. } | Motion::Level { .. } | Motion::Operator { .. } => {
                None
            }
        };
        let count = |n: usize| u128::try_from(n).expect("a count fits");
        let all = count(self.charter.partners.iter().filter(|p| Some(&p.handle) != target).count());
        let approvals = count(approvals.iter().filter(|h| Some(**h) != target).count());
        let rules = &self.charter.rules.motions;
        let (share, whole) = rules.share.unwrap_or((0, 1));
        approvals * 2 > all
            && approvals * u128::from(whole) >= all * u128::from(share)
            && approvals >= u128::from(rules.floor)
    }

    fn check_applies(&self, motion: &Motion) -> Result<(), &'static str> {
        let or = |fits: bool, why| if fits { Ok(()) } else { Err(why) };
        let partner = |handle| or(self.charter.partner(handle).is_some(), "there is no such partner");
        match motion {
            Motion::Admit { roles, .. } if roles.is_empty() => Err("it gives no role"),
            Motion::Admit { handle, .. } => or(!self.members.contains_key(handle), "the handle is taken"),
            Motion::Suspend { handle } | Motion::Rekey { handle, .. } => partner(handle),
            // Nobody is suspended before a motion was carried.
            Motion::Resume { handle } => partner(handle).and(Err("the partner is not suspended")),
            Motion::Rules { rules, .. } => or(self.rules_fit(rules), "the rules are not admissible"),
            Motion::Level { level } => or(*level > self.charter.level, "it does not raise the level"),
            Motion::Operator { vkey, .. } => self.vkey_fits(vkey),
        }
    }

    /// Whether rules can replace the log's: their witnesses' keys may serve for nothing else.
    fn rules_fit(&self, rules: &Rules) -> bool {
        let free = |key: &[u8; 32]| matches!(self.registered.get(key), None | Some(Holder::Witness));
        rules.check().is_ok()
            && witness_keys(rules).is_ok_and(|keys| keys.iter().all(|key| free(&key.to_bytes())))
    }

    fn vkey_fits(&self, vkey: &str) -> Result<(), &'static str> {
        let Ok(vkey) = vkey.parse::<Vkey>() else { return Err("the checkpoint key is none") };
        if vkey.kind() != VkeyKind::Log {
            Err("the checkpoint key is not a log key")
        } else if vkey.name() == self.vkey.name() {
            Err("its origin was used in this log before")
        } else if self.is_registered(vkey.key()) {
            Err("the checkpoint key was registered in this log before")
        } else {
            Ok(())
        }
    }

    /// Until when an open motion can be carried, for those who ask; one for a new operator does not lapse by time.
    #[must_use]
    pub fn lapses_at(&self, motion: &Hash) -> Option<Instant> {
        self.proposals.get(motion).map(|p| p.propose.lapses_at)
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
