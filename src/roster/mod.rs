//! The roster: who may sign what from which index on. A fold over the authentic entries of class 0 alone, so that it can
//! be derived again from a roster file as well as from the whole log.
//!
//! [`Roster::found`] takes entry 0; [`Roster::govern`] each further entry of class 0; [`Roster::alone`] judges any other
//! entry as far as it and the roster tell. What needs the author's whole chain or the log's time is for `history`.
//! Signatures are checked in [`signing`], key sets registered in [`keys`], motions counted in [`motions`].

pub mod keys;
pub mod motions;
pub mod signing;

pub use keys::{InForce, Member};
pub use motions::NotUnderstood;

use crate::chain::Reason;
use crate::charter::{Charter, LEVEL};
use crate::entry::{Pointer, SignedEntry};
use crate::field::{Class, Handle, Instant};
use crate::hash::{Hash, ZEROS};
use crate::key::vkey::Vkey;
use crate::statement::{Act, ActError, Kind, Statement};
use std::collections::{BTreeMap, HashSet};

/// How many statements of class 0 an author may have sequenced within [`FLOOD_MS`].
pub const FLOOD: usize = 32;

/// Thirty days, in milliseconds.
pub const FLOOD_MS: u64 = 30 * 86_400_000;

/// Who may sign, after some entries.
#[derive(Clone, Debug)]
pub struct Roster {
    /// The log's id.
    pub log: Hash,
    /// The charter, as founded.
    pub charter: Charter,
    /// The key that checkpoints are signed with.
    pub vkey: Vkey,
    /// All who may ever sign, the operator included.
    pub members: BTreeMap<Handle, Member>,
    /// The last authentic entry of class 0.
    pub last: Pointer,
    /// From which entry on the roster is unknown to this program, and why.
    pub unknown: Option<NotUnderstood>,
    registered: HashSet<[u8; 32]>,
    time: Instant,
    proposals: BTreeMap<Hash, motions::Proposal>,
}

impl Roster {
    /// Founds the roster on entry 0.
    ///
    /// # Errors
    /// The reasons why the entry founds no log.
    pub fn found(e: &SignedEntry) -> Result<Self, Vec<Reason>> {
        let s = &e.statement;
        let no = |what: &str| Err(vec![Reason::NoFounding { what: what.to_owned() }]);
        if s.kind != Kind::Found.number() || s.class() != Class::Govern || !s.author.is_operator() {
            return no("it is not the operator's \"found\"");
        }
        if (s.log, s.seq, s.prev, s.seen.size, s.seen.leaf) != (ZEROS, 0, ZEROS, 0, ZEROS) {
            return no("log, seq, prev and seen must be zero in statement 0");
        }
        if e.entry.sequenced_at > s.expires_at {
            return Err(vec![Reason::Expired { at: e.entry.sequenced_at, expires: s.expires_at }]);
        }
        let found = match s.act() {
            Ok(Act::Found(found)) => found,
            Ok(_) => return no("its body is another act's"),
            Err(error) => return Err(vec![Reason::KeyBody { what: error.to_string() }]),
        };
        found.charter.check().map_err(|error| vec![Reason::Charter { error }])?;
        let vkey: Vkey = match found.vkey.parse() {
            Ok(vkey) => vkey,
            Err(error) => return no(&format!("its checkpoint key: {error}")),
        };
        if vkey.name() != found.charter.origin.as_str() || vkey.kind() != crate::key::vkey::Kind::Log {
            return no("its checkpoint key is not a log key of the origin's name");
        }
        let mut roster = Self {
            log: e.id,
            vkey,
            members: found
                .charter
                .partners
                .iter()
                .map(|p| (p.handle.clone(), Member::announced(p.keys)))
                .collect(),
            last: Pointer { index: 0, leaf: e.leaf },
            unknown: None,
            registered: HashSet::new(),
            time: e.entry.sequenced_at,
            proposals: BTreeMap::new(),
            charter: found.charter,
        };
        roster.register_other_keys()?;
        let operator = Handle::operator();
        let in_force = roster.admit_set(&operator, found.keys, 0, None).map_err(|r| vec![r])?;
        signing::all_signed(e, &in_force).map_err(|r| vec![r])?;
        if !roster.charter.rules.expiry_fits(s.issued_at, s.expires_at) {
            return Err(vec![Reason::NoFounding { what: Reason::LongestExpiry.to_string() }]);
        }
        let digest = in_force.set.digest(&operator);
        let mut member = Member::announced(digest);
        roster.register(&in_force);
        member.in_force = Some(in_force);
        member.chain.advance(e.id);
        member.recent.push_back(e.entry.sequenced_at);
        roster.members.insert(operator, member);
        Ok(roster)
    }

    /// Witness keys and the checkpoint key may be nobody's statement key.
    fn register_other_keys(&mut self) -> Result<(), Vec<Reason>> {
        let no = |what: String| vec![Reason::NoFounding { what }];
        self.registered.insert(self.vkey.key().to_bytes());
        for text in self.charter.rules.witnesses.iter().flat_map(|w| &w.vkeys) {
            let vkey: Vkey = text.parse().map_err(|error| no(format!("witness {text}: {error}")))?;
            if vkey.kind() != crate::key::vkey::Kind::Cosignature {
                return Err(no(format!("witness {text}: not a cosignature key (type 0x04)")));
            }
            if !self.registered.insert(vkey.key().to_bytes()) {
                return Err(no(format!("witness {text}: the key serves twice")));
            }
        }
        Ok(())
    }

    /// Judges what entry and roster alone tell, for any entry but the first: what a proof with a roster file can know.
    /// In class 0 it leaves to [`Self::govern`] what kinds 1 and 2, pointer and chain need.
    #[must_use]
    pub fn alone(&self, e: &SignedEntry) -> Vec<Reason> {
        self.alone_by(e, signing::signed)
    }

    /// The same, with `signed` to check the signatures of ordinary entries: [`signing::signed`], or
    /// [`signing::signers`] where the signatures themselves are checked elsewhere.
    #[must_use]
    pub fn alone_by(
        &self,
        e: &SignedEntry,
        check: impl FnOnce(&SignedEntry, &InForce) -> Result<(), Reason>,
    ) -> Vec<Reason> {
        let s = &e.statement;
        let mut reasons = Vec::new();
        if s.log != self.log {
            reasons.push(Reason::OtherLog { log: s.log });
        }
        let Some(member) = self.members.get(&s.author) else {
            reasons.push(Reason::UnknownAuthor);
            return reasons;
        };
        if s.class() != Class::Govern && e.entry.sequenced_at > s.expires_at {
            reasons.push(Reason::Expired { at: e.entry.sequenced_at, expires: s.expires_at });
        }
        if !self.carries_keys(s) {
            let signed = member.in_force.as_ref().ok_or(Reason::NotAcceded);
            if let Err(reason) = signed.and_then(|keys| check(e, keys)) {
                reasons.push(reason);
            }
        }
        reasons.extend(self.void(s));
        reasons
    }

    /// Whether the statement's signatures follow rules of their own: kinds 0 to 2 in class 0.
    #[must_use]
    pub fn carries_keys(&self, s: &Statement) -> bool {
        s.class() == Class::Govern && s.kind <= Kind::Rotate.number()
    }

    /// Tells why a statement is void by what it says alone: its level, class, body, longest expiry.
    #[must_use]
    pub fn void(&self, s: &Statement) -> Vec<Reason> {
        let mut reasons = Vec::new();
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
        // In class 0, kinds 0 to 2 with a bad body are unauthentic; `govern` says so.
        if let Err(ActError::Body { error, .. }) = s.act()
            && !self.carries_keys(s)
            && self.charter.level <= LEVEL
        {
            reasons.push(Reason::Body { what: format!("body of \"{}\": {error}", kind.name()) });
        }
        reasons
    }

    /// Judges an entry of class 0 at `index`, and takes it in where it is authentic.
    ///
    /// An empty answer, or one of void reasons alone, means that it is.
    pub fn govern(&mut self, index: u64, e: &SignedEntry) -> Vec<Reason> {
        let mut reasons = self.alone(e);
        let s = &e.statement;
        if e.entry.roster != self.last {
            reasons.push(Reason::GovernPointer { got: e.entry.roster, want: self.last });
        }
        let Some(member) = self.members.get(&s.author) else { return reasons };
        reasons.extend(member.chain.reason(s));
        let time = self.time.max(e.entry.sequenced_at);
        if time > s.expires_at && !self.never_expires(s) {
            reasons.push(Reason::Expired { at: time, expires: s.expires_at });
        }
        let accede = s.kind == Kind::Accede.number();
        if !accede && member.flooded(e.entry.sequenced_at) {
            reasons.push(Reason::Flood);
        }
        let keys = if self.carries_keys(s) { self.new_keys(index, e, member) } else { Ok(None) };
        let keys = keys.unwrap_or_else(|reason| {
            reasons.push(reason);
            None
        });
        if reasons.iter().any(|r| r.effect() == crate::chain::Effect::Unauthentic) {
            return reasons;
        }
        self.take(index, e, time, keys.filter(|_| reasons.is_empty()));
        if reasons.is_empty() {
            self.motion(index, e);
        }
        reasons
    }

    fn take(&mut self, index: u64, e: &SignedEntry, time: Instant, keys: Option<InForce>) {
        if let Some(in_force) = &keys {
            self.register(in_force);
        }
        let member = self.members.get_mut(&e.statement.author).expect("only members' statements are taken");
        member.chain.advance(e.id);
        if e.statement.kind != Kind::Accede.number() {
            member.remember(e.entry.sequenced_at);
        }
        if keys.is_some() {
            member.in_force = keys;
        }
        self.time = time;
        self.last = Pointer { index, leaf: e.leaf };
    }

    /// The author's key set, where it has one in force.
    #[must_use]
    pub fn keys(&self, author: &Handle) -> Option<&InForce> {
        self.members.get(author).and_then(|m| m.in_force.as_ref())
    }
}
