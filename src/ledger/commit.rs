//! The acts upon pledges and records: pledge, record, adopt, accept, join, amend, withdraw, notice.

use super::few::Few;
use super::pledge::{
    Accepted, Declared, End, Gist, Line, Moment, Note, Origin, OwnJoin, Pause, Pledge, Version,
};
use super::terms::check_partner;
use super::{Ledger, Thing, Told, at, next};
use crate::charter::Sealable;
use crate::codec::List;
use crate::field::{Class, Handle, Instant, Role, Roles};
use crate::hash::Hash;
use crate::rule::Rule;
use crate::statement::body::{
    Accept, Adopt, Amend, Join, Notice, NoticeKind, Party, Pledge as PledgeBody, Record, Withdraw, Withdrawn,
};
use crate::statement::terms::Terms;
use std::collections::BTreeMap;

const OBSERVER: Role = Role::Observer;

impl Ledger {
    pub(super) fn pledge(&mut self, told: &Told<'_>, body: &PledgeBody) -> Result<(), Rule> {
        Self::check_to(told, &body.to, Some(&told.said.by))?;
        self.check_terms(told, &body.terms, Some(&told.said.by), None)?;
        let version = self.version(told, &body.to, gist(&body.terms));
        self.open(told, Origin::Pledged, version);
        Ok(())
    }

    pub(super) fn record(&mut self, told: &Told<'_>, body: &Record) -> Result<(), Rule> {
        told.check_role(Roles::default().with(OBSERVER))?;
        let promisor = match &body.promisor {
            Party::Handle(handle) => Some(handle),
            Party::Name(_) => None,
        };
        if let Some(promisor) = promisor {
            check_partner(told, promisor)?;
            if *promisor == told.said.by {
                return Err(Rule::OwnRecord);
            }
        }
        Self::check_to(told, &body.to, promisor)?;
        self.check_terms(told, &body.terms, promisor, None)?;
        let version = self.version(told, &body.to, gist(&body.terms));
        self.open(told, Origin::Recorded { promisor: body.promisor.clone(), adopted: None }, version);
        Ok(())
    }

    pub(super) fn adopt(&mut self, told: &Told<'_>, body: &Adopt) -> Result<(), Rule> {
        let unknown = Rule::Unknown { id: body.record, want: "record" };
        let Some(Thing::Pledge(number)) = self.things.get(&body.record).cloned() else { return Err(unknown) };
        let record = self.pledge_at(number);
        let Origin::Recorded { promisor, adopted } = &record.origin else { return Err(unknown) };
        if *promisor != Party::Handle(told.said.by.clone()) {
            return Err(Rule::NotPromisor { id: body.record });
        }
        if adopted.is_some() {
            return Err(Rule::Adopted { id: body.record });
        }
        self.check_live(told, number, body.record)?;
        let latest = self.pledge_at(number).latest();
        let (to, terms) = (latest.to.clone(), latest.terms.clone());
        if let Some(reference) = terms.open().and_then(|g| g.reference.as_ref()) {
            self.check_reference(told, &told.said.by, reference, None)?;
        }
        let version = self.version(told, &to, terms);
        if let Origin::Recorded { adopted, .. } = &mut self.pledges[at(number)].origin {
            *adopted = Some(told.said.clone());
        }
        self.open(told, Origin::Adopted { record: body.record }, version);
        Ok(())
    }

    /// New terms, by the rules of now.
    fn version(&self, told: &Told<'_>, to: &List<Handle>, terms: Sealable<Gist>) -> Version {
        Version {
            said: told.said.clone(),
            to: to.clone(),
            terms,
            open_from: told.said.index,
            to_accept: told.roster.charter.rules.pledges.need_acceptance,
            accepted: Few::default(),
            joined: Few::default(),
            declared: Few::default(),
            disowned: false,
        }
    }

    fn open(&mut self, told: &Told<'_>, origin: Origin, version: Version) {
        let number = next(&self.pledges);
        if let Some(gist) = version.gist().cloned() {
            self.watch(number, &told.said.by, &gist);
        }
        self.things.insert(told.said.id, Thing::Pledge(number));
        let mut pledge = Pledge {
            said: told.said.clone(),
            origin,
            versions: List::default(),
            taken: Few::default(),
            joins: List::default(),
            ends: List::default(),
            pauses: List::default(),
            notes: List::default(),
            called: [false; 2],
        };
        pledge.add(version);
        self.pledges.push(pledge);
        self.wait_at_once(number, 0);
    }

    /// Has a pledge wait for the incidents of a version, which was said last, where somebody took it on at once.
    fn wait_at_once(&mut self, number: u32, version: u32) {
        if self.pledge_at(number).taken.values().any(|taken| taken.last() == Some(&version)) {
            self.wait(number, version);
        }
    }

    /// The pledge's number and version that an id names.
    fn named(&self, id: &Hash) -> Result<(u32, u32), Rule> {
        match self.things.get(id) {
            Some(Thing::Pledge(n)) => Ok((*n, 0)),
            Some(Thing::Amendment(n, version)) => Ok((*n, *version)),
            _ => Err(Rule::Unknown { id: *id, want: "pledge or amendment" }),
        }
    }

    /// Whether anything can still come of what a pledge's or record's author owes.
    fn check_live(&self, told: &Told<'_>, number: u32, id: Hash) -> Result<(), Rule> {
        let (pledge, now) = (self.pledge_at(number), Moment::at(told.said.at));
        if !pledge.line_is_over(Line::Author, now) {
            return Ok(());
        }
        Err(Rule::Ended { id, state: pledge.overall(Line::Author, now).to_string() })
    }

    /// Whether a version was disowned after a theft.
    fn check_owned(&self, number: u32, version: u32, id: Hash) -> Result<(), Rule> {
        let disowned = self.pledge_at(number).version(version).disowned;
        let state = || "was disowned after a theft of keys".to_owned();
        if disowned { Err(Rule::Ended { id, state: state() }) } else { Ok(()) }
    }

    fn check_pledged(&self, number: u32, id: Hash) -> Result<(), Rule> {
        if self.pledge_at(number).is_record() { Err(Rule::OnlyRecorded { id }) } else { Ok(()) }
    }

    pub(super) fn accept(&mut self, told: &Told<'_>, body: &Accept) -> Result<(), Rule> {
        let by = &told.said.by;
        let mut named = Vec::new();
        for id in body.statements.iter() {
            let (number, version) = self.named(id)?;
            self.check_pledged(number, *id)?;
            let pledge = self.pledge_at(number);
            if !pledge.version(version).to.contains(by) {
                return Err(Rule::NotAddressed { id: *id });
            }
            self.check_owned(number, version, *id)?;
            let state = pledge.state(Line::Author, by, Moment::at(told.said.at));
            if state.is_over() {
                return Err(Rule::Ended { id: *id, state: state.to_string() });
            }
            // What came later was accepted in its place; going back to older terms takes an amendment.
            let later = pledge.last_accepted(by).is_some_and(|last| last >= version);
            if later || named.contains(&(number, version)) {
                return Err(Rule::Accepted { id: *id });
            }
            named.push((number, version));
        }
        if named.is_empty() {
            return Err(Rule::NothingNamed { what: "pledge or amendment" });
        }
        for (number, version) in named {
            let accepted = Accepted { said: told.said.clone(), reserved: body.reservation.is_some() };
            self.pledges[at(number)].accept(version, accepted);
            self.wait(number, version);
        }
        self.things.insert(told.said.id, Thing::Other);
        Ok(())
    }

    pub(super) fn join(&mut self, told: &Told<'_>, body: &Join) -> Result<(), Rule> {
        let (number, version) = self.named(&body.statement)?;
        let id = body.statement;
        self.check_pledged(number, id)?;
        self.check_owned(number, version, id)?;
        self.check_live(told, number, id)?;
        let by = &told.said.by;
        let pledge = self.pledge_at(number);
        if pledge.said.by == *by || pledge.version(version).to.contains(by) {
            return Err(Rule::JoinsOwn { id });
        }
        let jointly =
            pledge.version(version).gist().is_some_and(|g| g.jointly(&pledge.said.by).any(|h| h == by));
        let own = pledge.joins.iter().position(|join| join.said.by == *by);
        let joined = if jointly {
            pledge.version(version).joined.contains_key(by)
        } else {
            own.is_some_and(|n| pledge.joins[n].versions.keys().any(|v| *v >= version))
        };
        if joined {
            return Err(Rule::Joined { id });
        }
        let pledge = &mut self.pledges[at(number)];
        let thing = if jointly {
            pledge.versions[at(version)].joined.insert(by.clone(), told.said.clone());
            Thing::Joined(number)
        } else if let Some(n) = own {
            pledge.joins[n].versions.insert(version, told.said.clone());
            Thing::Joined(number)
        } else {
            let join = next(&pledge.joins);
            let versions = [(version, told.said.clone())].into_iter().collect();
            pledge.joins.push(OwnJoin { said: told.said.clone(), versions, disowned: false });
            Thing::Join(number, join)
        };
        self.things.insert(told.said.id, thing);
        Ok(())
    }

    pub(super) fn amend(&mut self, told: &Told<'_>, body: &Amend) -> Result<(), Rule> {
        let id = body.statement;
        let Some(Thing::Pledge(number)) = self.things.get(&id).cloned() else {
            return Err(Rule::Unknown { id, want: "pledge or record" });
        };
        let pledge = self.pledge_at(number);
        if pledge.said.by != told.said.by {
            return Err(Rule::NotAuthor { id, author: pledge.said.by.clone() });
        }
        check_class(told, pledge)?;
        self.check_live(told, number, id)?;
        let promisor = pledge.promisor();
        Self::check_to(told, &body.to, promisor)?;
        self.check_terms(told, &body.terms, promisor, Some(number))?;
        let mut version = self.version(told, &body.to, gist(&body.terms));
        carry_needs(self.pledge_at(number).latest(), &mut version);
        if let Some(gist) = version.gist().cloned() {
            self.watch(number, &told.said.by, &gist);
        }
        let of = next(&self.pledge_at(number).versions);
        self.things.insert(told.said.id, Thing::Amendment(number, of));
        self.pledges[at(number)].add(version);
        self.wait_at_once(number, of);
        Ok(())
    }

    pub(super) fn withdraw(&mut self, told: &Told<'_>, body: &Withdraw) -> Result<(), Rule> {
        let by = &told.said.by;
        let named = match &body.from {
            Withdrawn::Pledges(ids) => self.withdrawn(told, ids)?,
            Withdrawn::Agreement(sha256) => self.under_agreement(told, sha256),
        };
        if named.is_empty() {
            return Err(Rule::NothingNamed { what: "pledge from which its author could withdraw" });
        }
        for ((number, _), effective) in named {
            let by = by.clone();
            let end = End { said: told.said.clone(), by, effective, disowned: false, undone: None };
            self.pledges[at(number)].ends.push(end);
        }
        self.things.insert(told.said.id, Thing::Other);
        Ok(())
    }

    /// What ends when, where each of these is withdrawn by its author, an addressee, or the one who joined.
    fn withdrawn(&self, told: &Told<'_>, ids: &[Hash]) -> Result<Vec<Leaving>, Rule> {
        let by = &told.said.by;
        let now = Moment::at(told.said.at);
        let mut named = BTreeMap::new();
        for id in ids {
            let (number, line) = match self.things.get(id) {
                Some(Thing::Pledge(number)) => (*number, Line::Author),
                Some(Thing::Join(number, join)) => (*number, Line::Join(at(*join))),
                _ => return Err(Rule::Unknown { id: *id, want: "pledge, record or join" }),
            };
            let pledge = self.pledge_at(number);
            match line {
                Line::Author => check_party(pledge, by)?,
                Line::Join(_) if pledge.owner(line) == by => {}
                Line::Join(_) => return Err(Rule::NoPart { id: *id }),
            }
            check_class(told, pledge)?;
            let left = self.leaving(number, line, by, now);
            if left.is_empty() {
                let state = pledge.overall(line, now);
                let over = "was withdrawn before, with effect later".to_owned();
                let state = if state.is_over() { state.to_string() } else { over };
                return Err(Rule::Ended { id: *id, state });
            }
            if named.insert((number, line), left).is_some() {
                return Err(Rule::Twice { what: id.short() });
            }
        }
        Ok(named.into_iter().collect())
    }

    /// The same of all that carries an agreement's annex, and that a partner is party to.
    fn under_agreement(&self, told: &Told<'_>, sha256: &Hash) -> Vec<Leaving> {
        let by = &told.said.by;
        let mut named = Vec::new();
        for number in self.agreements.get(sha256).into_iter().flatten() {
            let pledge = self.pledge_at(*number);
            if check_class(told, pledge).is_err() {
                continue;
            }
            let party = |line: &Line| match line {
                Line::Author => check_party(pledge, by).is_ok(),
                Line::Join(_) => pledge.owner(*line) == by,
            };
            for line in pledge.lines().filter(party) {
                let mut left = self.leaving(*number, line, by, Moment::at(told.said.at));
                left.retain(|to, _| carries(pledge, line, to, sha256, Moment::at(told.said.at)));
                if !left.is_empty() {
                    named.push(((*number, line), left));
                }
            }
        }
        named
    }

    /// Towards whom a partner's withdrawal ends what has not been withdrawn, and when: of the line's owner what it owes,
    /// of an addressee all that is owed to it.
    pub(super) fn leaving(&self, number: u32, line: Line, by: &Handle, now: Moment) -> Few<Handle, Instant> {
        let pledge = self.pledge_at(number);
        let lines = || pledge.lines().filter(|l| pledge.owner(line) != by || *l == line);
        let own = pledge.owner(line) == by;
        // Of a record everything ends, also what its author recorded of a promise to itself.
        let concerned = |to: &&Handle| pledge.is_record() || (*to == by) != own;
        let open = |to: &&Handle| {
            lines().any(|l| pledge.line_ends_at(l, to).is_none() && !pledge.state(l, to, now).is_over())
        };
        let ends = pledge.addressees().into_iter().filter(concerned).filter(open);
        ends.map(|to| (to.clone(), lines().map(|l| notice_end(pledge, l, to, now)).max().unwrap_or(now.at)))
            .collect()
    }

    pub(super) fn notice(&mut self, told: &Told<'_>, body: &Notice) -> Result<(), Rule> {
        let id = body.statement;
        let from = body.effective_at.map_or(told.said.at, |at| at.max(told.said.at));
        match &body.notice {
            NoticeKind::NeedMet(need) => self.need(told, id, *need, true, from)?,
            NoticeKind::NeedFailed(need) => self.need(told, id, *need, false, from)?,
            NoticeKind::Suspended | NoticeKind::Resumed => {
                self.pause(told, id, body.notice == NoticeKind::Suspended, from)?;
            }
            NoticeKind::Reservation
            | NoticeKind::Objection
            | NoticeKind::Clarification
            | NoticeKind::Correction => {
                if !self.things.contains_key(&id) {
                    return Err(Rule::Unknown { id, want: "statement" });
                }
                if let Some(number) = self.number_of(&id) {
                    let note = Note { said: told.said.clone(), notice: body.notice.clone() };
                    self.pledges[at(number)].notes.push(note);
                }
            }
        }
        self.things.insert(told.said.id, Thing::Other);
        Ok(())
    }

    fn need(&mut self, told: &Told<'_>, id: Hash, need: u64, met: bool, from: Instant) -> Result<(), Rule> {
        let (number, version) = self.named(&id)?;
        self.check_pledged(number, id)?;
        self.check_live(told, number, id)?;
        let version = &mut self.pledges[at(number)].versions[at(version)];
        let needs = version.gist().map_or(&[][..], |g| &g.needs);
        let of = needs.len();
        let Some(named) = usize::try_from(need).ok().and_then(|n| needs.get(n)) else {
            return Err(Rule::NoNeed { need, of });
        };
        if named.declared_by != told.said.by {
            return Err(Rule::NotDeclarer { label: named.label.clone(), by: named.declared_by.clone() });
        }
        if version.declared.get(&need).is_some_and(|declared| declared.undone.is_none()) {
            return Err(Rule::NeedTold { label: named.label.clone() });
        }
        version.declared.insert(need, Declared { said: told.said.clone(), met, from, undone: None });
        Ok(())
    }

    fn pause(&mut self, told: &Told<'_>, id: Hash, suspends: bool, from: Instant) -> Result<(), Rule> {
        let (number, _) = self.named(&id)?;
        self.check_pledged(number, id)?;
        self.check_live(told, number, id)?;
        let by = &told.said.by;
        let pledge = self.pledge_at(number);
        check_party(pledge, by)?;
        let last = pledge.pauses.iter().rposition(|p| p.said.by == *by && p.undone.is_none());
        let open = last.filter(|n| pledge.pauses[*n].resumed.is_none());
        // Who owes cannot suspend faster than it could withdraw; who is owed waives its own.
        let author = pledge.said.by == *by && suspends;
        let now = Moment::at(told.said.at);
        let all = pledge.addressees().into_iter().map(|to| notice_end(pledge, Line::Author, to, now));
        let from = all.max().filter(|_| author).map_or(from, |notice| from.max(notice));
        let pauses = &mut self.pledges[at(number)].pauses;
        match (suspends, open) {
            (true, None) => pauses.push(Pause { said: told.said.clone(), from, resumed: None, undone: None }),
            (false, Some(n)) => pauses[n].resumed = Some((told.said.clone(), from)),
            _ => return Err(Rule::NotPaused { paused: suspends }),
        }
        Ok(())
    }
}

/// Whether what binds a line towards an addressee carries an agreement's annex; where nothing binds, what was last offered
/// to it. An annex that an author adds to an offer ends nothing that rests on other terms.
fn carries(pledge: &Pledge, line: Line, to: &Handle, sha256: &Hash, now: Moment) -> bool {
    let offered = || pledge.versions.iter().rev().find(|v| v.to.contains(to));
    let version = pledge.bound_by(line, to, now).map(|n| pledge.version(n)).or_else(offered);
    version.and_then(Version::gist).is_some_and(|gist| gist.agreements.contains(sha256))
}

/// What ends: a line of a pledge, towards whom and when.
type Leaving = ((u32, Line), Few<Handle, Instant>);

/// When a withdrawal announced now takes effect; what binds nobody yet needs no notice.
fn notice_end(pledge: &Pledge, line: Line, to: &Handle, now: Moment) -> Instant {
    if pledge.is_record() {
        return now.at;
    }
    let bound = pledge.bound_by(line, to, now).and_then(|v| pledge.version(v).gist());
    bound.map_or(now.at, |gist| now.at.plus(gist.notice_period))
}

fn gist(terms: &Sealable<Terms>) -> Sealable<Gist> {
    match terms {
        Sealable::Open(terms) => Sealable::Open(Gist::from(terms)),
        Sealable::Sealed(seal) => Sealable::Sealed(*seal),
    }
}

/// A need that new terms repeat stays declared.
fn carry_needs(old: &Version, new: &mut Version) {
    let (Some(before), Some(after)) = (old.gist(), new.gist()) else { return };
    let same = |need: &crate::statement::terms::Need| {
        let same =
            |n: &crate::statement::terms::Need| n.label == need.label && n.declared_by == need.declared_by;
        u64::try_from(before.needs.iter().position(same)?).ok()
    };
    let declared = after
        .needs
        .iter()
        .zip(0..)
        .filter_map(|(need, number)| Some((number, old.declared.get(&same(need)?)?.clone())))
        .filter(|(_, declared)| declared.undone.is_none());
    new.declared = declared.collect();
}

fn check_party(pledge: &Pledge, by: &Handle) -> Result<(), Rule> {
    let addressed = !pledge.is_record() && pledge.addressees().contains(&by);
    if pledge.said.by == *by || addressed { Ok(()) } else { Err(Rule::NoPart { id: pledge.said.id }) }
}

/// A pledge is dealt with in class commit, a record in class observe.
fn check_class(told: &Told<'_>, pledge: &Pledge) -> Result<(), Rule> {
    let want = if pledge.is_record() { Class::Observe } else { Class::Commit };
    if told.class == want { Ok(()) } else { Err(Rule::ClassOf { id: pledge.said.id, want: want.name() }) }
}
