//! What terms may say: everything that they name must exist, in the charter, among the partners or in the log.

use super::{Gist, Ledger, Line, Moment, Told};
use crate::charter::Sealable;
use crate::field::{Handle, Short};
use crate::rule::Rule;
use crate::statement::terms::{Instrument, OwedBy, Starts, Terms, Trigger};
use std::collections::HashSet;

impl Ledger {
    /// Checks whom a commitment is addressed to: partners, each once, and not the one who commits itself.
    pub(super) fn check_to(told: &Told<'_>, to: &[Handle], promisor: Option<&Handle>) -> Result<(), Rule> {
        if to.is_empty() {
            return Err(Rule::NothingNamed { what: "addressee" });
        }
        let mut seen = HashSet::new();
        for handle in to {
            check_partner(told, handle)?;
            if promisor == Some(handle) {
                return Err(Rule::ToItself);
            }
            if !seen.insert(handle) {
                return Err(Rule::Twice { what: handle.to_string() });
            }
        }
        Ok(())
    }

    /// Checks terms as far as they stand open. `promisor` is whoever commits itself, where that is a partner; `own` the
    /// number of the pledge that they are for, where there is one already.
    pub(super) fn check_terms(
        &self,
        told: &Told<'_>,
        terms: &Sealable<Terms>,
        promisor: Option<&Handle>,
        own: Option<u32>,
    ) -> Result<(), Rule> {
        let Some(t) = terms.open() else { return Ok(()) };
        let rules = &told.roster.charter.rules;
        if t.instruments.is_empty() {
            return Err(Rule::NothingNamed { what: "instrument" });
        }
        for instrument in t.instruments.iter() {
            if let Instrument::Other(name) = instrument
                && !rules.instruments.contains(name)
            {
                return Err(Rule::NoInstrument { name: name.clone() });
            }
        }
        if t.valid_until.is_some_and(|until| until < t.valid_from) {
            return Err(Rule::EndsFirst);
        }
        if let Some(clause) = &t.clause
            && usize::try_from(clause.annex).map_or(true, |annex| annex >= t.annexes.len())
        {
            return Err(Rule::NoAnnex { annex: clause.annex });
        }
        if let OwedBy::Jointly(all) = &t.owed_by {
            all.iter().try_for_each(|h| check_partner(told, h))?;
            let mut seen = HashSet::new();
            if let Some(again) = all.iter().find(|h| !seen.insert(*h)) {
                return Err(Rule::Twice { what: again.to_string() });
            }
            if !promisor.is_none_or(|p| all.contains(p)) {
                return Err(Rule::NotOwing);
            }
        }
        t.needs.iter().try_for_each(|need| check_partner(told, &need.declared_by))?;
        if let Some(trigger) = &t.trigger {
            self.check_trigger(told, trigger)?;
        }
        if let Some(within) = t.within
            && self.number_of(&within).is_none_or(|n| Some(n) == own)
        {
            return Err(Rule::Unknown { id: within, want: "other pledge" });
        }
        t.reference.as_ref().map_or(Ok(()), |r| self.check_reference(told, &told.said.by, r, own))
    }

    fn check_trigger(&self, told: &Told<'_>, trigger: &Trigger) -> Result<(), Rule> {
        for kind in trigger.kinds.iter().chain(&trigger.only_after) {
            check_kind(told, kind)?;
        }
        if trigger.kinds.is_empty() && trigger.starts == Starts::OnceEstablished {
            // No incident would ever start it, and nobody could ask.
            return Err(Rule::NothingNamed { what: "incident kind" });
        }
        let against = trigger.against.iter().flat_map(|all| all.iter());
        against.chain(trigger.requesters.iter()).try_for_each(|h| check_partner(told, h))?;
        match trigger.after {
            Some(after) if self.number_of(&after).is_none() => {
                Err(Rule::Unknown { id: after, want: "pledge" })
            }
            _ => Ok(()),
        }
    }

    /// Whether a reference is free among the live pledges and records of an author.
    pub(super) fn check_reference(
        &self,
        told: &Told<'_>,
        author: &Handle,
        reference: &Short,
        own: Option<u32>,
    ) -> Result<(), Rule> {
        let key = (author.clone(), reference.clone());
        let Some(taken) = self.references.get(&key) else { return Ok(()) };
        let pledge = self.pledge_at(*taken);
        let stands = Some(*taken) != own
            && pledge.latest().gist().and_then(|g| g.reference.as_ref()) == Some(reference)
            && !pledge.line_is_over(Line::Author, Moment::at(told.said.at));
        if stands {
            Err(Rule::ReferenceTaken { reference: reference.clone(), pledge: pledge.said.id })
        } else {
            Ok(())
        }
    }

    /// Notes for which kinds of incident a pledge waits, once somebody took a version on: what nobody accepted costs
    /// nobody anything when an incident is established.
    pub(super) fn wait(&mut self, number: u32, version: u32) {
        let gist = self.pledge_at(number).version(version).gist();
        let kinds = gist.and_then(|g| g.trigger.as_ref()).map(|t| t.kinds.clone());
        for kind in kinds.iter().flat_map(|kinds| kinds.iter()) {
            self.watching.entry(kind.clone()).or_default().insert(number);
        }
    }

    /// Notes by which reference a pledge is known, on which documents it rests.
    pub(super) fn watch(&mut self, number: u32, author: &Handle, gist: &Gist) {
        if let Some(reference) = &gist.reference {
            self.references.insert((author.clone(), reference.clone()), number);
        }
        for sha256 in gist.agreements.iter() {
            self.agreements.entry(*sha256).or_default().insert(number);
        }
    }
}

pub(super) fn check_partner(told: &Told<'_>, handle: &Handle) -> Result<(), Rule> {
    if told.is_partner(handle) { Ok(()) } else { Err(Rule::NoPartner { handle: handle.clone() }) }
}

pub(super) fn check_kind(told: &Told<'_>, kind: &Short) -> Result<(), Rule> {
    let kinds = &told.roster.charter.rules.incident_kinds;
    if kinds.iter().any(|k| k.label == *kind) { Ok(()) } else { Err(Rule::NoKind { kind: kind.clone() }) }
}
