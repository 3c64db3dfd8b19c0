//! The fold over all entries: what each one is worth, and what a bad one does.
//!
//! [`History::take`] judges entries one after the other, in the log's order: bytes, index, link, roster pointer, time,
//! author chain, `seen`, expiry, signatures, anchors; then what the [ledger](crate::ledger) makes of the act. It is pure:
//! which leaf stands where, and which root the log had, is asked of the caller ([`Past`]), and the verdict on signatures
//! may be handed in, so that they can be checked elsewhere in parallel. [`Snapshot`] keeps it.
//!
//! An entry that decodes moves the log's time, authentic or not: its time is the operator's word, not the author's.

mod anchored;
mod past;
mod snapshot;

pub use crate::chain::counts;
pub use anchored::Anchored;
pub use past::{Nothing, Past};
pub use snapshot::{Snapshot, SnapshotError};

use crate::chain::{AuthorChain, Finding, Reason, acts};
use crate::codec::Bytes;
use crate::entry::{EntryError, Pointer, SignedEntry};
use crate::field::{Class, Handle, Instant};
use crate::hash::Hash;
use crate::ledger::{Ledger, Said, Told};
use crate::roster::anchor::anchor;
use crate::roster::{Alone, NotUnderstood, Roster, Weighed};
use crate::statement::{Act, Head, Kind, Statement, VERSION};
use std::collections::BTreeMap;
use std::ops::Range;

/// How many classes there are.
const CLASSES: usize = Class::ALL.len();

/// Everything that follows from the entries so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    roster: Option<Roster>,
    /// By class number; of class 0 only what the author saw, the rest is the roster's.
    chains: BTreeMap<Handle, [AuthorChain; CLASSES]>,
    head: Head,
    raw_time: Instant,
    time: Instant,
    govern: Vec<(u64, Bytes)>,
    incomplete: Option<(u64, u16)>,
    anchored: Option<Anchored>,
    folded: Folded,
}

/// The ledger beside the rest: which acts are void by its rules is for it alone to say.
#[derive(Clone, Debug, Default)]
enum Folded {
    /// It begins with the founding.
    #[default]
    NotYet,
    /// It is derived.
    Ledger(Box<Ledger>),
    /// It is left out.
    Never,
}

/// What is wrong with an entry, and what it does.
struct Judged {
    reasons: Vec<Reason>,
    step: Step,
    restarts_time: bool,
}

enum Step {
    Nothing,
    Found(Box<Roster>),
    Govern { weighed: Box<Weighed>, saw: bool },
    Ordinary,
}

impl History {
    /// A history that derives no ledger, and so does not find acts that are void by the ledger's rules.
    #[must_use]
    pub fn without_ledger() -> Self {
        Self { folded: Folded::Never, ..Self::default() }
    }

    /// Whether it derives a ledger, or will once a log is founded.
    #[must_use]
    pub fn derives_ledger(&self) -> bool {
        !matches!(self.folded, Folded::Never)
    }

    /// What was promised, called upon and kept; none where it is left out, or nothing was founded.
    #[must_use]
    pub fn ledger(&self) -> Option<&Ledger> {
        match &self.folded {
            Folded::Ledger(ledger) => Some(ledger),
            Folded::NotYet | Folded::Never => None,
        }
    }

    /// Judges the next entry and takes it in, whatever it is worth. `bytes` are the leaf's data, `leaf` their leaf hash;
    /// `decoded` what they decode to; `past` knows what comes before. `alone`, if given, is what
    /// [`Roster::alone`] says of this entry; by another roster than this history's it is not used, but told again.
    pub fn take(
        &mut self,
        bytes: &[u8],
        leaf: Hash,
        decoded: Result<&SignedEntry, &EntryError>,
        past: &mut dyn Past,
        alone: Option<Alone>,
    ) -> Vec<Finding> {
        let index = self.head.size;
        match decoded {
            Ok(e) => {
                let mut judged = self.judge(e, past, alone);
                let mut reasons = std::mem::take(&mut judged.reasons);
                if acts(&reasons) {
                    reasons.extend(self.fold(e, &judged.step).err());
                }
                self.apply(bytes, leaf, e, judged, &reasons);
                findings(index, Some(e), reasons)
            }
            Err(error) => {
                // Time and pointer go on as if it were not there.
                self.head = Head { size: index + 1, leaf };
                findings(index, None, vec![Reason::Undecodable { what: error.to_string() }])
            }
        }
    }

    /// Takes an entry only if it leaves no finding; else the history stays as it was. `alone` as for [`Self::take`].
    ///
    /// # Errors
    /// What [`Self::take`] would find.
    pub fn try_take(
        &mut self,
        bytes: &[u8],
        e: &SignedEntry,
        past: &mut dyn Past,
        alone: Option<Alone>,
    ) -> Result<(), Vec<Finding>> {
        let mut judged = self.judge(e, past, alone);
        if judged.reasons.is_empty() {
            judged.reasons.extend(self.fold(e, &judged.step).err());
        }
        if judged.reasons.is_empty() {
            self.apply(bytes, e.leaf, e, judged, &[]);
            Ok(())
        } else {
            Err(findings(self.head.size, Some(e), judged.reasons))
        }
    }

    /// Tells the ledger an act of classes 1 to 3; that it breaks a rule is the last thing that can make it void.
    fn fold(&mut self, e: &SignedEntry, step: &Step) -> Result<(), Reason> {
        let (Step::Ordinary, Folded::Ledger(ledger), Some(roster)) = (step, &mut self.folded, &self.roster)
        else {
            return Ok(());
        };
        let Ok(act) = e.act() else { return Ok(()) };
        let said = said(e, self.head.size, self.time.max(e.entry.sequenced_at));
        let told = Told { said: &said, class: e.statement.class(), act, roster };
        let told = ledger.take(&told);
        // Behind an act that is not understood nobody can tell what breaks a rule.
        told.or_else(|rule| if self.incomplete.is_some() { Ok(()) } else { Err(Reason::Rule { rule }) })
    }

    fn judge(&self, e: &SignedEntry, past: &mut dyn Past, alone: Option<Alone>) -> Judged {
        let mut reasons = Vec::new();
        if e.entry.index != self.head.size {
            reasons.push(Reason::Index { got: e.entry.index });
        }
        if e.entry.link != self.head.leaf {
            reasons.push(Reason::Link { got: e.entry.link, want: self.head.leaf });
        }
        let (step, restarts_time) = match &self.roster {
            // Who may sign is unknown, and whether pointer and time are right.
            Some(roster) if roster.unknown.is_some() => (Step::Nothing, false),
            Some(roster) if e.statement.class() == Class::Govern => {
                self.judge_govern(roster, e, past, &mut reasons)
            }
            Some(roster) => (self.judge_ordinary(roster, e, past, alone, &mut reasons), false),
            None => (self.judge_founding(e, &mut reasons), false),
        };
        let known = self.unknown().is_none();
        if known && !restarts_time && e.entry.sequenced_at < self.raw_time {
            reasons.push(Reason::TimeBack { at: e.entry.sequenced_at, before: self.raw_time });
        }
        Judged { reasons, step, restarts_time }
    }

    fn judge_founding(&self, e: &SignedEntry, reasons: &mut Vec<Reason>) -> Step {
        if self.head.size > 0 {
            let what = "entry 0 founds no log, so nobody may sign here".to_owned();
            reasons.push(Reason::NoFounding { what });
            return Step::Nothing;
        }
        match Roster::found(e) {
            Ok(roster) => Step::Found(Box::new(roster)),
            Err(reason) => {
                reasons.push(reason);
                Step::Nothing
            }
        }
    }

    fn judge_govern(
        &self,
        roster: &Roster,
        e: &SignedEntry,
        past: &mut dyn Past,
        reasons: &mut Vec<Reason>,
    ) -> (Step, bool) {
        let mut weighed = roster.weigh(self.head.size, e);
        let authentic = counts(&weighed.reasons);
        reasons.append(&mut weighed.reasons);
        if !authentic {
            return (Step::Nothing, false);
        }
        let restarts_time = weighed.may_restart_time();
        let chain = self.chain(&e.statement.author, Class::Govern);
        let seen = chain.check_seen(self.head.size, e.statement.seen, &mut |index| past.leaf_at(index));
        let saw = seen.is_ok();
        reasons.extend(seen.err().map(Reason::in_govern));
        (Step::Govern { weighed: Box::new(weighed), saw }, restarts_time)
    }

    fn judge_ordinary(
        &self,
        roster: &Roster,
        e: &SignedEntry,
        past: &mut dyn Past,
        alone: Option<Alone>,
        reasons: &mut Vec<Reason>,
    ) -> Step {
        let s = &e.statement;
        let alone = alone
            .filter(|alone| alone.roster == roster.last)
            .unwrap_or_else(|| roster.alone(self.head.size, e));
        let known = !alone.reasons.contains(&Reason::UnknownAuthor);
        reasons.extend(alone.reasons);
        if e.entry.roster != roster.last {
            reasons.push(Reason::Pointer { got: e.entry.roster, want: roster.last });
        }
        if known {
            let chain = self.kept(&s.author, s.class());
            reasons.extend(chain.reason(s));
            let mut leaf_at = |index| past.leaf_at(index);
            reasons.extend(chain.check_seen(self.head.size, s.seen, &mut leaf_at).err());
        }
        // By its own time it is unauthentic, which is told already.
        if self.time > s.expires_at && e.entry.sequenced_at <= s.expires_at {
            reasons.push(Reason::ExpiredEffective { at: self.time, expires: s.expires_at });
        }
        self.judge_anchor(e, past, reasons);
        if counts(reasons) { Step::Ordinary } else { Step::Nothing }
    }

    fn apply(&mut self, bytes: &[u8], leaf: Hash, e: &SignedEntry, judged: Judged, reasons: &[Reason]) {
        let s = &e.statement;
        let index = self.head.size;
        self.raw_time = e.entry.sequenced_at;
        self.time = if judged.restarts_time { self.raw_time } else { self.time.max(self.raw_time) };
        self.head = Head { size: index + 1, leaf };
        match judged.step {
            Step::Nothing => {}
            Step::Found(roster) => {
                if matches!(self.folded, Folded::NotYet) {
                    let ledger = Ledger::new(roster.log, roster.charter.rules.pledges.clone());
                    self.folded = Folded::Ledger(Box::new(ledger));
                }
                self.roster = Some(*roster);
                self.govern.push((0, Bytes(bytes.to_vec())));
            }
            Step::Govern { weighed, saw } => {
                let roster = self.roster.as_mut().expect("it judged the entry");
                let carried = roster.take(index, e, *weighed);
                if let Folded::Ledger(ledger) = &mut self.folded {
                    ledger.govern(
                        &said(e, index, self.time),
                        e.act().ok().filter(|_| acts(reasons)),
                        carried.as_ref(),
                    );
                }
                self.govern.push((index, Bytes(bytes.to_vec())));
                if saw {
                    self.kept_mut(&s.author, s.class()).seen = s.seen.size;
                }
            }
            Step::Ordinary => {
                let chain = self.kept_mut(&s.author, s.class());
                chain.advance(e.id);
                chain.seen = s.seen.size;
                if Kind::from_number(s.kind).is_none() && acts(reasons) {
                    self.incomplete.get_or_insert((index, s.kind));
                }
            }
        }
        let is_anchor = acts(reasons) && anchor(e).is_some();
        self.wait_for_anchor(index, is_anchor || judged.restarts_time);
    }

    fn kept(&self, author: &Handle, class: Class) -> AuthorChain {
        self.chains.get(author).map_or(AuthorChain::default(), |all| all[usize::from(class.number())])
    }

    fn kept_mut(&mut self, author: &Handle, class: Class) -> &mut AuthorChain {
        if !self.chains.contains_key(author) {
            self.chains.insert(author.clone(), Default::default());
        }
        let all = self.chains.get_mut(author).expect("it is there");
        &mut all[usize::from(class.number())]
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
    pub fn govern(&self) -> &[(u64, Bytes)] {
        &self.govern
    }

    /// Where an author stands in a class.
    #[must_use]
    pub fn chain(&self, author: &Handle, class: Class) -> AuthorChain {
        let member = self.roster.as_ref().and_then(|r| r.members.get(author));
        let kept = self.kept(author, class);
        match (class, member) {
            (Class::Govern, Some(m)) => AuthorChain { seen: kept.seen, ..m.chain },
            _ => kept,
        }
    }

    /// What an author says next in a class: at the end of its chain, having seen all of the log; `valid` from when it is issued
    /// until it expires.
    #[must_use]
    pub fn next_statement(
        &self,
        log: Hash,
        author: Handle,
        class: Class,
        act: &Act,
        valid: Range<Instant>,
    ) -> Statement {
        let chain = self.chain(&author, class);
        Statement {
            version: VERSION,
            log,
            author,
            class: class.number(),
            seq: chain.seq,
            prev: chain.prev,
            seen: self.head,
            issued_at: valid.start,
            expires_at: valid.end,
            kind: act.kind().number(),
            body: act.encode_body().into(),
        }
    }

    /// The `sequenced_at` of the last entry that decodes, and the effective time.
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

fn said(e: &SignedEntry, index: u64, at: Instant) -> Said {
    Said { index, id: e.id, at, by: e.statement.author.clone() }
}

fn findings(index: u64, e: Option<&SignedEntry>, reasons: Vec<Reason>) -> Vec<Finding> {
    let author = || e.map(|e| e.statement.author.clone());
    let finding = |reason| Finding { index, author: author(), id: e.map(|e| e.id), reason };
    reasons.into_iter().map(finding).collect()
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
