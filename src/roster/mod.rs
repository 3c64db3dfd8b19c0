//! The roster: who may sign what from which index on. A fold over the authentic entries of class 0 alone, so that it can
//! be derived again from a roster file as well as from the whole log.
//!
//! [`Roster::found`] takes entry 0; [`Roster::govern`] each further entry of class 0; [`Roster::alone`] judges any entry
//! but the first as far as it and the roster tell: of class 0 that is everything. What needs the author's whole chain or
//! the log's time is for `history`. Entry 0 is founded in `founding`, signatures are checked in [`signing`], key sets
//! registered in [`keys`], anchors judged in [`anchor`], motions counted in [`motions`] and carried out in [`carried`].

pub mod anchor;
pub mod carried;
mod founding;
pub mod keys;
pub mod motions;
pub mod signing;

pub use carried::Carried;
pub use keys::{InForce, Member, Replaced};
pub use motions::{NotUnderstood, Open};

use crate::chain::{Reason, counts};
use crate::charter::{Charter, LEVEL};
use crate::entry::{Pointer, SignedEntry};
use crate::field::{Class, Handle, Instant};
use crate::hash::Hash;
use crate::key::vkey::Vkey;
use crate::statement::{Kind, Statement};
use keys::Holder;
use motions::Change;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many statements of class 0 an author may have sequenced within [`FLOOD_MS`].
pub const FLOOD: usize = 32;

/// Thirty days, in milliseconds: two statements so far apart are never counted together.
pub const FLOOD_MS: u64 = 30 * 86_400_000;

/// Who may sign, after some entries.
#[derive(Clone, Debug)]
pub struct Roster {
    /// The log's id.
    pub log: Hash,
    /// The charter as carried motions left it: partners, rules, level. Its origin is the founding one.
    pub charter: Charter,
    /// The key that checkpoints are signed with; its name is their origin.
    pub vkey: Vkey,
    /// All keys that checkpoints were signed with so far, `vkey` last, each with the smallest size that it signs.
    pub vkeys: Vec<(u64, Vkey)>,
    /// All who may ever sign, the operator included.
    pub members: BTreeMap<Handle, Member>,
    /// The last authentic entry of class 0.
    pub last: Pointer,
    /// From which entry on the roster is unknown to this program, and why.
    pub unknown: Option<NotUnderstood>,
    /// The witnesses that the rules name.
    witnesses: Vec<Vkey>,
    registered: HashMap<[u8; 32], Holder>,
    time: Instant,
    proposals: BTreeMap<Hash, motions::Proposal>,
    suspended: BTreeSet<Handle>,
    rules_set_by: Hash,
    operator_set_by: Hash,
}

/// What entry and roster alone tell of an entry, and by which roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alone {
    /// What is wrong with the entry.
    pub reasons: Vec<Reason>,
    /// The last authentic entry of class 0 when the entry was judged: another one there means another roster.
    pub roster: Pointer,
}

/// An entry of class 0, judged; what is to be done about it.
#[derive(Debug)]
pub(crate) struct Weighed {
    pub(crate) reasons: Vec<Reason>,
    time: Instant,
    counted: bool,
    change: Change,
}

impl Weighed {
    /// Whether the log's time may start anew with this entry.
    pub(crate) fn may_restart_time(&self) -> bool {
        match &self.change {
            Change::Unknown { .. } => true,
            Change::Carried(carried) => carried.is_for_operator(),
            _ => false,
        }
    }
}

impl Roster {
    /// Judges what entry and roster alone tell, for any entry but the first: what a proof with a roster file can know.
    /// `index` is the entry's place in the log, whatever it calls itself.
    ///
    /// In class 0 that is the whole verdict, pointer, chain and expiry included. Where the roster is
    /// [`unknown`](Self::unknown), it means nothing.
    #[must_use]
    pub fn alone(&self, index: u64, e: &SignedEntry) -> Alone {
        let reasons = match e.statement.class() {
            Class::Govern => self.weigh(index, e).reasons,
            _ => self.ordinary(e, signing::signed),
        };
        Alone { reasons, roster: self.last }
    }

    /// The same of many entries of classes 1 to 4 at once, their signatures checked on all cores.
    #[must_use]
    pub fn alone_all(&self, entries: &[&SignedEntry]) -> Vec<Alone> {
        let keyed: Vec<_> = entries.iter().map(|e| (*e, self.keys(&e.statement.author))).collect();
        let signed = signing::signed_all(&keyed);
        entries.par_iter().zip(signed).map(|(e, signed)| self.alone_by(e, |_, _| signed)).collect()
    }

    /// The same of one, with `check` for its signatures: [`signing::signed`], or [`signing::signers`] where the
    /// signatures themselves are checked elsewhere.
    #[must_use]
    pub fn alone_by(
        &self,
        e: &SignedEntry,
        check: impl FnOnce(&SignedEntry, &InForce) -> Result<(), Reason>,
    ) -> Alone {
        Alone { reasons: self.ordinary(e, check), roster: self.last }
    }

    fn ordinary(
        &self,
        e: &SignedEntry,
        check: impl FnOnce(&SignedEntry, &InForce) -> Result<(), Reason>,
    ) -> Vec<Reason> {
        let s = &e.statement;
        let mut reasons = Vec::new();
        if s.log != self.log {
            reasons.push(Reason::OtherLog { log: s.log });
        }
        if e.entry.sequenced_at > s.expires_at {
            reasons.push(Reason::Expired { at: e.entry.sequenced_at, expires: s.expires_at });
        }
        let Some(member) = self.members.get(&s.author) else {
            reasons.push(Reason::UnknownAuthor);
            return reasons;
        };
        let keys = member.in_force.as_ref().ok_or(Reason::NotAcceded);
        reasons.extend(keys.and_then(|keys| check(e, keys)).err());
        reasons.extend(self.void(e));
        self.judge_anchor(e, &mut reasons);
        reasons
    }

    /// Whether the statement's signatures follow rules of their own: kinds 0 to 2 in class 0. In another class these
    /// kinds carry no keys; they are void there, as all kinds of another class are.
    #[must_use]
    pub fn carries_keys(&self, s: &Statement) -> bool {
        s.class() == Class::Govern && s.kind <= Kind::Rotate.number()
    }

    /// Tells why a statement is void by its author's suspension, or by what it says alone: its level, class, body,
    /// longest expiry.
    #[must_use]
    pub fn void(&self, e: &SignedEntry) -> Vec<Reason> {
        let s = &e.statement;
        let mut reasons = Vec::new();
        if self.is_barred(s) {
            reasons.push(Reason::Suspended);
        }
        if !self.charter.rules.expiry_fits(s.issued_at, s.expires_at) {
            reasons.push(Reason::LongestExpiry);
        }
        let Some(kind) = Kind::from_number(s.kind) else {
            if self.charter.level <= LEVEL {
                reasons.push(Reason::Level { kind: s.kind, level: self.charter.level });
            }
            return reasons;
        };
        if !kind.classes().contains(&s.class()) {
            reasons.push(Reason::OtherClass { kind: kind.name(), class: s.class() });
        }
        if matches!(kind, Kind::Propose | Kind::Approve) && s.author.is_operator() {
            reasons.push(Reason::NotForOperator { kind: kind.name() });
        }
        // Bodies that carry keys are for `weigh`: there a bad one makes the entry unauthentic. Here it is not kept: of
        // millions, few are looked at again.
        if !self.carries_keys(s)
            && !self.is_later_motion(s)
            && let Some(error) = e.body_error()
        {
            reasons.push(Reason::Body { what: format!("body of \"{}\": {error}", kind.name()) });
        }
        reasons
    }

    /// Judges an entry of class 0 at `index`, and takes it in where it is authentic: there [`counts`] the answer.
    ///
    /// Where the roster is [`unknown`](Self::unknown), no further entry can be judged.
    pub fn govern(&mut self, index: u64, e: &SignedEntry) -> Vec<Reason> {
        let weighed = self.weigh(index, e);
        let reasons = weighed.reasons.clone();
        if counts(&reasons) {
            self.take(index, e, weighed);
        }
        reasons
    }

    /// Judges an entry of class 0 at `index`; [`Self::take`] does what follows where it [`counts`].
    pub(crate) fn weigh(&self, index: u64, e: &SignedEntry) -> Weighed {
        let s = &e.statement;
        let at = e.entry.sequenced_at;
        let time = self.time.max(at);
        let mut reasons = Vec::new();
        if s.log != self.log {
            reasons.push(Reason::OtherLog { log: s.log });
        }
        if e.entry.roster != self.last {
            reasons.push(Reason::GovernPointer { got: e.entry.roster, want: self.last });
        }
        if time > s.expires_at && !self.never_expires(e) {
            reasons.push(Reason::Expired { at: time, expires: s.expires_at });
        }
        let Some(member) = self.members.get(&s.author) else {
            reasons.push(Reason::UnknownAuthor);
            return Weighed { reasons, time, counted: false, change: Change::None };
        };
        reasons.extend(member.chain.reason(s));
        let void = self.void(e);
        // What accedes was announced by charter or motion, once; void ones could be repeated without end.
        let counted = s.kind != Kind::Accede.number() || !void.is_empty();
        if counted && member.flooded(at) {
            reasons.push(Reason::Flood);
        }
        let change =
            if self.carries_keys(s) { self.new_keys(e, member) } else { self.govern_signed(e, member) };
        let mut change = change.unwrap_or_else(|reason| {
            reasons.push(reason);
            Change::None
        });
        reasons.extend(void);
        if reasons.is_empty() && !self.carries_keys(s) {
            let (void, moved) = self.motion(index, e, time);
            reasons.extend(void);
            change = moved;
        } else if !counts(&reasons) || (!reasons.is_empty() && !change.is_unknown()) {
            // Void, it changes nothing; unless not even that can be told.
            change = Change::None;
        }
        Weighed { reasons, time, counted, change }
    }

    fn govern_signed(&self, e: &SignedEntry, member: &Member) -> Result<Change, Reason> {
        signing::signed(e, member.in_force.as_ref().ok_or(Reason::NotAcceded)?)?;
        Ok(Change::None)
    }

    /// Takes in an authentic entry of class 0, as this very roster judged it; gives the motion that it carries.
    pub(crate) fn take(&mut self, index: u64, e: &SignedEntry, weighed: Weighed) -> Option<Carried> {
        let Weighed { time, counted, change, .. } = weighed;
        let author = &e.statement.author;
        let member = self.members.get_mut(author).expect("only members' statements are authentic");
        member.chain.advance(e.id);
        if counted {
            member.remember(e.entry.sequenced_at);
        }
        self.time = time;
        self.last = Pointer { index, leaf: e.leaf };
        self.change(index, e, change)
    }

    /// The author's key set, where it has one in force.
    #[must_use]
    pub fn keys(&self, author: &Handle) -> Option<&InForce> {
        self.members.get(author).and_then(|m| m.in_force.as_ref())
    }

    /// An author's key set that was in force before the entry at an index; of the operator, the one that promises that entry.
    #[must_use]
    pub fn keys_before(&self, author: &Handle, index: u64) -> Option<&InForce> {
        let member = self.members.get(author)?;
        let replaced = member.past.iter().find(|past| past.until >= index).map(|past| &past.keys);
        replaced.or(member.in_force.as_ref()).filter(|keys| keys.since < index)
    }

    /// By which expiries in class 0 are judged: the greatest `sequenced_at` among its authentic entries since the operator
    /// last changed.
    #[must_use]
    pub fn time(&self) -> Instant {
        self.time
    }
}
