//! What carried motions do to the ledger: rules for what arises from then on, and a thief's statements disowned.
//!
//! A re-key may disown its target's statements from an index on. Established incidents stand; obligations that have
//! arisen stay, marked; pledges among those statements, and acceptances, end as if withdrawn then, with notice unless the
//! addressee approved the motion. Reports, attestations, responses and confirmations among them count no longer.

use super::pledge::{End, Line, Moment};
use super::{Ledger, Said, at, next};
use crate::field::Handle;
use crate::roster::carried::Carried;
use crate::statement::Act;
use crate::statement::body::Motion;
use std::collections::{BTreeMap, BTreeSet};

impl Ledger {
    /// Takes in an authentic entry of class 0: its act, where that is not void, and the motion that it carried.
    pub fn govern(&mut self, said: &Said, act: Option<&Act>, carried: Option<&Carried>) {
        if let Some(Act::Accede(body)) = act {
            self.seal_annexes(said, &body.annexes);
            if body.reservations.is_some() {
                self.reservations.push(said.clone());
            }
        }
        match carried.map(|c| (&c.what, &c.approved_by)) {
            Some((Motion::Rules { rules, .. }, _)) => self.rules.push((said.index, rules.pledges.clone())),
            Some((Motion::Rekey { handle, disown_from: Some(from), .. }, approved_by)) => {
                self.disown(said, handle, *from, approved_by);
            }
            _ => {}
        }
    }

    /// Disowns what a partner's stolen keys said from an index on. `said` is the entry that completed the motion,
    /// `approved_by` those who approved it.
    fn disown(&mut self, said: &Said, target: &Handle, from: u64, approved_by: &BTreeSet<Handle>) {
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
