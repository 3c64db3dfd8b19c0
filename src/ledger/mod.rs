//! The ledger: what was promised, what was called upon, who kept it. A fold over the acts of authentic entries, pure and
//! the same for everyone.
//!
//! [`Ledger::take`] is told one act after the other, in the log's order; an act that breaks a rule is void, changes
//! nothing, and leaves the [`Rule`] that it broke. Nothing here reads a clock: everything said carries its entry's index
//! and effective time, and answers are asked for a moment, past or future ([`pledge::Moment`]).
//!
//! | subject | file |
//! | --- | --- |
//! | pledges, records | [`pledge`]; how they stand in `standing`, the acts upon them in `commit`, what terms may say in `terms` |
//! | incidents, and who vouches for them | [`incident`] |
//! | calls upon pledges | `call` |
//! | obligations, responses, verdicts | [`obligation`], [`verdict`] |
//! | what carried motions do to all this | `carried`, `restart` |
//! | what people ask of all this | [`answers`] |
//!
//! The rules stand in one table in `docs/ledger.md`.

pub mod answers;
mod call;
mod carried;
mod commit;
pub mod few;
pub mod incident;
pub mod obligation;
pub mod pledge;
mod restart;
mod reveal;
mod standing;
mod terms;
pub mod verdict;

pub use pledge::{Gist, Line, Moment, Pledge, State};

use crate::charter::rules::PledgeRules;
use crate::codec::{CodecError, List, decode_checked, digest};
use crate::field::{Class, Day, Handle, Instant, Role, Roles, Short};
use crate::hash::{Hash, labelled};
use crate::roster::Roster;
use crate::rule::Rule;
use crate::statement::Act;
use crate::statement::body::{Obligation as Key, Review as ReviewBody};
use incident::{Incident, Report};
use obligation::Obligation;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where something was said: what every answer rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The entry's index.
    pub index: u64,
    /// The statement's id.
    pub id: Hash,
    /// The entry's effective time.
    pub at: Instant,
    /// The author.
    pub by: Handle,
}

/// What an id stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Thing {
    /// A pledge or record, by number.
    Pledge(u32),
    /// An amendment: the pledge's number, and the version's.
    Amendment(u32, u32),
    /// A join on its own account: the pledge's number, and the join's.
    Join(u32, u32),
    /// A join of one who owes jointly, or a further one: the pledge's number.
    Joined(u32),
    /// A report, by number.
    Report(u32),
    /// A response: what it answers, and which response to it.
    Response(Box<Key>, u32),
    /// A call upon pledges.
    Invoke {
        /// Whether within an exercise.
        exercise: bool,
    },
    /// A statement without effect of its own.
    Other,
}

/// A value under seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sealed {
    seal: Hash,
    by: Handle,
}

/// A review meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Where.
    pub said: Said,
    /// The day it was held.
    pub held_on: Day,
    /// The day of the next one.
    pub next_on: Option<Day>,
    /// The statements on which something was remarked.
    pub remarks: List<Hash>,
}

/// Everything that follows from the acts so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    log: Hash,
    things: BTreeMap<Hash, Thing>,
    pledges: List<Pledge>,
    /// By author and reference: the last live pledge that bears it.
    references: BTreeMap<(Handle, Short), u32>,
    /// By the incident kind of a trigger: the pledges that wait for it.
    watching: BTreeMap<Short, BTreeSet<u32>>,
    /// By the SHA-256 of an annex: the pledges and records that carry it.
    agreements: BTreeMap<Hash, BTreeSet<u32>>,
    /// By incident kind, and whether in an exercise: established incidents, by when they began.
    occurred: BTreeMap<(Short, bool), BTreeSet<(Instant, u32)>>,
    reports: List<Report>,
    incidents: List<Incident>,
    obligations: BTreeMap<Key, Box<Obligation>>,
    reviews: List<Review>,
    seals: BTreeMap<(Hash, Short), Sealed>,
    reservations: List<Said>,
    /// The rules for pledges, each from an entry on, and its effective time.
    rules: List<(u64, Instant, PledgeRules)>,
}

/// What the ledger is told of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Index, id, effective time, author.
    pub said: &'a Said,
    /// The statement's class.
    pub class: Class,
    /// What it does.
    pub act: &'a Act,
    /// Who may do what, after this entry.
    pub roster: &'a Roster,
}

impl Told<'_> {
    fn is_partner(&self, handle: &Handle) -> bool {
        !handle.is_operator() && self.roster.members.contains_key(handle)
    }

    fn has_role(&self, roles: Roles) -> bool {
        let partner = self.roster.charter.partner(&self.said.by);
        partner.is_some_and(|p| roles.iter().any(|role| p.roles.has(role)))
    }

    fn check_role(&self, roles: Roles) -> Result<(), Rule> {
        let names = || roles.iter().map(Role::name).collect::<Vec<_>>().join(" or ");
        if self.has_role(roles) { Ok(()) } else { Err(Rule::Role { want: names() }) }
    }
}

impl Ledger {
    /// The ledger of a log that was just founded, with these rules.
    #[must_use]
    pub fn new(log: Hash, rules: PledgeRules) -> Self {
        Self {
            log,
            things: BTreeMap::new(),
            pledges: List::default(),
            references: BTreeMap::new(),
            watching: BTreeMap::new(),
            agreements: BTreeMap::new(),
            occurred: BTreeMap::new(),
            reports: List::default(),
            incidents: List::default(),
            obligations: BTreeMap::new(),
            reviews: List::default(),
            seals: BTreeMap::new(),
            reservations: List::default(),
            rules: vec![(0, Instant::default(), rules)].into(),
        }
    }

    /// Takes in an act that is authentic and void for no other reason.
    ///
    /// # Errors
    /// The rule that it breaks; then nothing has changed.
    pub fn take(&mut self, told: &Told<'_>) -> Result<(), Rule> {
        match told.act {
            Act::Pledge(body) => self.pledge(told, body)?,
            Act::Accept(body) => self.accept(told, body)?,
            Act::Join(body) => self.join(told, body)?,
            Act::Amend(body) => self.amend(told, body)?,
            Act::Withdraw(body) => self.withdraw(told, body)?,
            Act::Notice(body) => self.notice(told, body)?,
            Act::Record(body) => self.record(told, body)?,
            Act::Adopt(body) => self.adopt(told, body)?,
            Act::Report(body) => self.report(told, body)?,
            Act::Attest(body) => self.stance(told, &body.on, &body.aspects, true)?,
            Act::Dispute(body) => self.stance(told, &body.on, &body.aspects, false)?,
            Act::Invoke(body) => self.invoke(told, body)?,
            Act::Respond(body) => self.respond(told, body)?,
            Act::Confirm(body) => self.confirm(told, body)?,
            Act::Review(body) => self.review(told, body),
            Act::Reveal(body) => self.reveal(told, body)?,
            Act::Found(_)
            | Act::Accede(_)
            | Act::Rotate(_)
            | Act::Propose(_)
            | Act::Approve(_)
            | Act::Anchor(_) => {}
        }
        self.seal(told);
        Ok(())
    }

    fn review(&mut self, told: &Told<'_>, body: &ReviewBody) {
        self.things.insert(told.said.id, Thing::Other);
        self.reviews.push(Review {
            said: told.said.clone(),
            held_on: body.held_on,
            next_on: body.next_on,
            remarks: body.remarks.iter().map(|r| r.statement).collect(),
        });
    }

    /// How many statements it knows by their ids.
    #[must_use]
    pub fn len(&self) -> usize {
        self.things.len()
    }

    /// Whether nothing was said yet that it knows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// What an id stands for, if the ledger knows it.
    #[must_use]
    pub fn thing(&self, id: &Hash) -> Option<&Thing> {
        self.things.get(id)
    }

    /// All pledges and records, in the log's order.
    #[must_use]
    pub fn pledges(&self) -> &[Pledge] {
        &self.pledges
    }

    /// The pledge or record of this number, as [`Thing`] has it.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn pledge_at(&self, number: u32) -> &Pledge {
        &self.pledges[at(number)]
    }

    /// The pledge, and the line of it, that an id names in obligations.
    #[must_use]
    pub fn line(&self, id: &Hash) -> Option<(&Pledge, Line)> {
        match self.things.get(id)? {
            Thing::Pledge(n) => Some((self.pledge_at(*n), Line::Author)),
            Thing::Join(n, join) => Some((self.pledge_at(*n), Line::Join(at(*join)))),
            _ => None,
        }
    }

    /// The pledge or record that an id belongs to: its own, an amendment's or a join's.
    #[must_use]
    pub fn pledge_of(&self, id: &Hash) -> Option<&Pledge> {
        self.number_of(id).map(|n| self.pledge_at(n))
    }

    fn number_of(&self, id: &Hash) -> Option<u32> {
        match self.things.get(id)? {
            Thing::Pledge(n) | Thing::Amendment(n, _) | Thing::Join(n, _) | Thing::Joined(n) => Some(*n),
            _ => None,
        }
    }

    /// All reports, in the log's order.
    #[must_use]
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// The report of this number, as [`Thing`] has it.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn report_at(&self, number: u32) -> &Report {
        &self.reports[at(number)]
    }

    /// All incidents, by their first report.
    #[must_use]
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// The obligations that calls and responses brought forth; those of dues alone are derived
    /// ([`Ledger::owed`](verdict)).
    #[must_use]
    pub fn obligations(&self) -> &BTreeMap<Key, Box<Obligation>> {
        &self.obligations
    }

    /// Review meetings.
    #[must_use]
    pub fn reviews(&self) -> &[Review] {
        &self.reviews
    }

    /// Accessions with reservations.
    #[must_use]
    pub fn reservations(&self) -> &[Said] {
        &self.reservations
    }

    /// The rules for pledges that stood at a time, and entry.
    #[must_use]
    pub fn rules_before(&self, index: u64) -> &PledgeRules {
        let known = self.rules.iter().rev().find(|(from, ..)| *from < index);
        &known.unwrap_or(&self.rules[0]).2
    }

    /// The digest of all this: two who folded the same log compare one line.
    #[must_use]
    pub fn digest(&self) -> Hash {
        digest(LABEL, self)
    }

    /// Reads a ledger that was kept, by its digest.
    ///
    /// # Errors
    /// [`CodecError`] where the bytes are another ledger's, or none's.
    pub fn decode(bytes: &[u8], digest: &Hash) -> Result<Self, CodecError> {
        if labelled(LABEL, bytes) == *digest {
            // Its digest says that it was encoded here.
            decode_checked(bytes, MAX_LEDGER)
        } else {
            Err(CodecError::NotCanonical)
        }
    }
}

/// The longest ledger that is kept, in bytes.
pub const MAX_LEDGER: usize = 256 << 20;

/// Before the encoded ledger, for its digest.
const LABEL: &str = "servanda/ledger/1\n";

/// A number as a position.
fn at(number: u32) -> usize {
    usize::try_from(number).expect("a position fits")
}

/// The next number in a list.
fn next<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).expect("fewer than 2^32 of anything")
}

fn listed<'a>(handles: impl IntoIterator<Item = &'a Handle>) -> String {
    let names: Vec<_> = handles.into_iter().map(Handle::as_str).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}
