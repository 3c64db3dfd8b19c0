//! What carried motions do to the ledger: rules for what arises from then on, and a thief's statements disowned.
//!
//! A re-key may disown its target's statements from an index on. Established incidents stand; obligations that have
//! arisen stay, marked; pledges among those statements, and acceptances, end as if withdrawn then, with notice unless the
//! addressee approved the motion. Reports, attestations, responses and confirmations among them count no longer.

use super::pledge::{End, Line, Moment};
use super::{Ledger, Said, at, next};
use crate::charter::rules::PledgeRules;
use crate::field::Handle;
use std::collections::{BTreeMap, BTreeSet};

impl Ledger {
    /// Takes note of new rules, from the next entry on.
    pub fn rules_carried(&mut self, index: u64, rules: &PledgeRules) {
        self.rules.push((index, rules.clone()));
    }

    /// Disowns what a partner's stolen keys said from an index on. `said` is the entry that completed the motion,
    /// `approved_by` those who approved it.
    pub fn disown(&mut self, said: &Said, target: &Handle, from: u64, approved_by: &BTreeSet<Handle>) {
        let stolen = |s: &Said| s.by == *target && s.index >= from;
        for number in 0..next(&self.pledges) {
            self.end_disowned(said, number, &stolen, approved_by);
        }
        for report in &mut self.reports.0 {
            report.disowned |= stolen(&report.said);
            report.stances.retain(|_, stance| !stolen(&stance.said));
        }
        for (key, obligation) in &mut self.obligations {
            let by_pledge = self.things.get(&key.pledge).and_then(|thing| match thing {
                super::Thing::Pledge(n) => Some(&self.pledges[at(*n)].said),
                _ => None,
            });
            let from_theft =
                by_pledge.is_some_and(&stolen) || (obligation.call.is_some() && stolen(&obligation.arose));
            obligation.disowned |= from_theft;
            obligation.stances.retain(|_, stance| !stolen(&stance.said));
            for response in &mut obligation.responses.0 {
                response.disowned |= stolen(&response.said);
                response.confirmed.retain(|_, confirmed| !stolen(&confirmed.said));
            }
        }
    }

    fn end_disowned(
        &mut self,
        said: &Said,
        number: u32,
        stolen: &dyn Fn(&Said) -> bool,
        approved_by: &BTreeSet<Handle>,
    ) {
        let now = Moment::at(said.at);
        let pledge = self.pledge_at(number);
        let leaving = self.leaving(number, &pledge.said.by, now);
        let mut effective = BTreeMap::new();
        for (to, at) in leaving {
            let bound = pledge.bound_by(Line::Author, &to, now).map(|n| pledge.version(n));
            let version = bound.or_else(|| pledge.versions.last());
            let of_thief = version.is_some_and(|v| {
                stolen(&v.said) || v.accepted.get(&to).is_some_and(|accepted| stolen(&accepted.said))
            });
            if of_thief {
                let at = if approved_by.contains(&to) { said.at } else { at };
                effective.insert(to, at);
            }
        }
        if !effective.is_empty() {
            self.pledges[at(number)].ends.push(End { said: said.clone(), effective, disowned: true });
        }
    }
}
