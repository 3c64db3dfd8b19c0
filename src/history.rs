//! The fold over all entries: what each one is worth, and what a bad one does.
//!
//! [`History::take`] judges entries one after the other, in the log's order: bytes, index, link, roster pointer, time,
//! author chain, `seen`, expiry, signatures. It is pure: which leaf stands where is asked of the caller, and the verdict
//! on signatures may be handed in, so that they can be checked elsewhere in parallel.

use crate::chain::{AuthorChain, Effect, Finding, Reason};
use crate::charter::LEVEL;
use crate::codec::{Bytes, List};
use crate::entry::{EntryError, Pointer, SignedEntry};
use crate::field::{Class, Handle, Instant};
use crate::hash::{Hash, ZEROS};
use crate::roster::{NotUnderstood, Roster};
use crate::statement::{Head, Kind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that follows from the entries so far, the ledger apart.
#[derive(Clone, Debug, Default)]
pub struct History {
    roster: Option<Roster>,
    chains: BTreeMap<(Handle, u8), AuthorChain>,
    head: Head,
    raw_time: Instant,
    time: Instant,
    govern: Vec<(u64, Vec<u8>)>,
    incomplete: Option<(u64, u16)>,
}

impl History {
    /// Judges the next entry. `bytes` are the leaf's data; `decoded` what they decode to; `leaf_at` gives the leaf hash of
    /// any entry before; `signed`, if given, is what [`Roster::alone`] says of this entry.
    pub fn take(
        &mut self,
        bytes: &[u8],
        leaf: Hash,
        decoded: Result<&SignedEntry, &EntryError>,
        leaf_at: &mut dyn FnMut(u64) -> Option<Hash>,
        signed: Option<Vec<Reason>>,
    ) -> Vec<Finding> {
        let index = self.head.size;
        let mut reasons = Vec::new();
        match decoded {
            Err(error) => reasons.push(Reason::Undecodable { what: error.to_string() }),
            Ok(e) => {
                self.operators_faults(index, e, &mut reasons);
                self.raw_time = e.entry.sequenced_at;
                self.time = self.time.max(self.raw_time);
                reasons.extend(self.judge(index, bytes, e, leaf_at, signed));
            }
        }
        self.head = Head { size: index + 1, leaf };
        let author = decoded.ok().map(|e| e.statement.author.clone());
        let id = decoded.ok().map(|e| e.id);
        reasons.into_iter().map(|reason| Finding { index, author: author.clone(), id, reason }).collect()
    }

    /// Takes an entry only if it leaves no finding; else the history stays as it was.
    ///
    /// # Errors
    /// What [`Self::take`] would find.
    pub fn try_take(
        &mut self,
        bytes: &[u8],
        e: &SignedEntry,
        leaf_at: &mut dyn FnMut(u64) -> Option<Hash>,
    ) -> Result<(), Vec<Finding>> {
        let before = self.clone();
        let findings = self.take(bytes, e.leaf, Ok(e), leaf_at, None);
        if findings.is_empty() {
            return Ok(());
        }
        *self = before;
        Err(findings)
    }

    fn operators_faults(&self, index: u64, e: &SignedEntry, reasons: &mut Vec<Reason>) {
        if e.entry.index != index {
            reasons.push(Reason::Index { got: e.entry.index });
        }
        if e.entry.link != self.head.leaf {
            reasons.push(Reason::Link { got: e.entry.link, want: self.head.leaf });
        }
        if e.entry.sequenced_at < self.raw_time {
            reasons.push(Reason::TimeBack { at: e.entry.sequenced_at, before: self.raw_time });
        }
        let want = self.pointer();
        let judged_here = e.statement.class() != Class::Govern || self.roster.is_none();
        if e.entry.roster != want && judged_here && self.unknown().is_none() {
            reasons.push(Reason::Pointer { got: e.entry.roster, want });
        }
    }

    fn judge(
        &mut self,
        index: u64,
        bytes: &[u8],
        e: &SignedEntry,
        leaf_at: &mut dyn FnMut(u64) -> Option<Hash>,
        signed: Option<Vec<Reason>>,
    ) -> Vec<Reason> {
        let s = &e.statement;
        let Some(roster) = &mut self.roster else { return self.found(index, bytes, e) };
        if roster.unknown.is_some() {
            return Vec::new();
        }
        let key = (s.author.clone(), s.class);
        let chain = self.chains.get(&key).copied().unwrap_or_default();
        let seen = seen(index, s.seen, chain.seen, leaf_at);
        if s.class() == Class::Govern {
            let mut reasons = roster.govern(index, e);
            if counts(&reasons) {
                self.govern.push((index, bytes.to_vec()));
                match seen {
                    // The next statement's `seen` is not compared with one that does not fit.
                    Err(reason) => reasons.push(reason.in_govern()),
                    Ok(()) => self.chains.entry(key).or_default().seen = s.seen.size,
                }
            }
            return reasons;
        }
        let mut reasons = signed.unwrap_or_else(|| roster.alone(e));
        if roster.members.contains_key(&s.author) {
            reasons.extend(chain.reason(s));
            reasons.extend(seen.err());
        }
        if roster.charter.level > LEVEL && Kind::from_number(s.kind).is_none() {
            self.incomplete.get_or_insert((index, s.kind));
        }
        let expired = reasons.iter().any(|r| matches!(r, Reason::Expired { .. }));
        if self.time > s.expires_at && !expired {
            reasons.push(Reason::ExpiredEffective { at: self.time, expires: s.expires_at });
        }
        if counts(&reasons) {
            let chain = self.chains.entry(key).or_default();
            chain.advance(e.id);
            chain.seen = s.seen.size;
        }
        reasons
    }

    fn found(&mut self, index: u64, bytes: &[u8], e: &SignedEntry) -> Vec<Reason> {
        if index > 0 {
            return vec![Reason::NoFounding {
                what: "entry 0 founds no log, so nobody may sign here".to_owned(),
            }];
        }
        match Roster::found(e) {
            Ok(roster) => {
                self.roster = Some(roster);
                self.govern.push((0, bytes.to_vec()));
                Vec::new()
            }
            Err(reasons) => reasons,
        }
    }

    /// Size and last leaf hash.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Who may sign now; none where entry 0 founded no log.
    #[must_use]
    pub fn roster(&self) -> Option<&Roster> {
        self.roster.as_ref()
    }

    /// The last authentic entry of class 0.
    #[must_use]
    pub fn pointer(&self) -> Pointer {
        self.roster.as_ref().map_or(Pointer::default(), |r| r.last)
    }

    /// The authentic entries of class 0 so far, by index.
    #[must_use]
    pub fn govern(&self) -> &[(u64, Vec<u8>)] {
        &self.govern
    }

    /// Where an author stands in a class.
    #[must_use]
    pub fn chain(&self, author: &Handle, class: Class) -> AuthorChain {
        let member = self.roster.as_ref().and_then(|r| r.members.get(author));
        let kept = self.chains.get(&(author.clone(), class.number())).copied().unwrap_or_default();
        match (class, member) {
            (Class::Govern, Some(m)) => AuthorChain { seen: kept.seen, ..m.chain },
            _ => kept,
        }
    }

    /// The `sequenced_at` of the last entry, and the effective time.
    #[must_use]
    pub fn times(&self) -> (Instant, Instant) {
        (self.raw_time, self.time)
    }

    /// The first entry, and its kind, of a later level than this program's: from there the ledger is incomplete.
    #[must_use]
    pub fn incomplete(&self) -> Option<(u64, u16)> {
        self.incomplete
    }

    /// From which entry on this program does not know who may sign.
    #[must_use]
    pub fn unknown(&self) -> Option<&NotUnderstood> {
        self.roster.as_ref().and_then(|r| r.unknown.as_ref())
    }
}

/// Whether an entry with these reasons is authentic: void, faulty or in order.
#[must_use]
pub fn counts(reasons: &[Reason]) -> bool {
    reasons.iter().all(|r| r.effect() != Effect::Unauthentic)
}

fn seen(
    index: u64,
    seen: Head,
    before: u64,
    leaf_at: &mut dyn FnMut(u64) -> Option<Hash>,
) -> Result<(), Reason> {
    if !(1..=index).contains(&seen.size) {
        return Err(Reason::SeenRange { size: seen.size, index });
    }
    if seen.size < before {
        return Err(Reason::SeenBack { size: seen.size, before });
    }
    if leaf_at(seen.size - 1) != Some(seen.leaf) {
        return Err(Reason::SeenOther { size: seen.size });
    }
    Ok(())
}

impl Reason {
    /// The same about a statement of class 0, where it does no harm to the statement.
    fn in_govern(self) -> Self {
        match self {
            Self::SeenRange { size, index } => Self::GovernSeenRange { size, index },
            Self::SeenBack { size, before } => Self::GovernSeenBack { size, before },
            Self::SeenOther { size } => Self::GovernSeenOther { size },
            other => other,
        }
    }
}

/// A history as it is kept between runs: all that cannot be derived from the entries of class 0 alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    version: u8,
    head: Head,
    raw_time: Instant,
    time: Instant,
    chains: List<((Handle, u8), AuthorChain)>,
    govern: List<(u64, Bytes)>,
    incomplete: Option<(u64, u16)>,
}

impl History {
    /// What to keep.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            version: 1,
            head: self.head,
            raw_time: self.raw_time,
            time: self.time,
            chains: self.chains.iter().map(|(k, c)| (k.clone(), *c)).collect(),
            govern: self.govern.iter().map(|(i, b)| (*i, Bytes(b.clone()))).collect(),
            incomplete: self.incomplete,
        }
    }

    /// Takes a kept history up again; the roster is derived anew, signatures included. None where it does not hold
    /// together: then everything is derived from the entries again.
    #[must_use]
    pub fn resume(snapshot: &Snapshot) -> Option<Self> {
        if snapshot.version != 1 {
            return None;
        }
        let mut roster: Option<Roster> = None;
        let mut govern = Vec::new();
        for (index, bytes) in &snapshot.govern {
            let e = SignedEntry::decode(bytes).ok()?;
            let fits = match &mut roster {
                None => *index == 0 && Roster::found(&e).map(|r| roster = Some(r)).is_ok(),
                Some(roster) => counts(&roster.govern(*index, &e)),
            };
            if !fits {
                return None;
            }
            govern.push((*index, bytes.0.clone()));
        }
        let Snapshot { head, raw_time, time, incomplete, .. } = *snapshot;
        if roster.is_none() || head.size == 0 || head.leaf == ZEROS {
            return None;
        }
        Some(Self {
            roster,
            chains: snapshot.chains.iter().cloned().collect(),
            head,
            raw_time,
            time,
            govern,
            incomplete,
        })
    }
}
