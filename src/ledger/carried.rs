//! What carried motions do to the ledger: rules for what arises from then on, and a thief's statements disowned.
//!
//! A re-key may disown its target's statements from an index on. Established incidents stand; obligations that have
//! arisen stay, marked; pledges and joins among those statements, and acceptances, end as if withdrawn then, with notice
//! unless the addressee approved the motion; what nobody took on yet cannot be taken on. Withdrawals, suspensions and
//! declared needs among them count no longer, from that entry on; nor do reports, attestations, responses, confirmations.

use super::few::Few;
use super::pledge::{End, Line, Moment, Pledge};
use super::{Ledger, Said, Thing, at, next};
use crate::field::Handle;
use crate::roster::carried::Carried;
use crate::statement::Act;
use crate::statement::body::Motion;
use std::collections::BTreeSet;

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
            Some((Motion::Rules { rules, .. }, _)) => {
                self.rules.push((said.index, said.at, rules.pledges.clone()));
            }
            Some((Motion::Operator { .. }, _)) => self.restart(said.at),
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
            self.undo_disowned(said, number, &stolen);
            self.end_disowned(said, number, target, &stolen, approved_by);
        }
        for report in &mut self.reports.0 {
            report.disowned |= stolen(&report.said);
            report.stances.retain(|_, stance| !stolen(&stance.said));
        }
        (0..next(&self.incidents)).for_each(|number| self.find_standing(number));
        for (key, obligation) in &mut self.obligations {
            let by_pledge = self.things.get(&key.pledge).and_then(|thing| match thing {
                Thing::Pledge(n) => Some(&self.pledges[at(*n)].said),
                Thing::Join(n, join) => Some(&self.pledges[at(*n)].joins[at(*join)].said),
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

    /// What a thief ended, suspended or declared on a pledge does not count from now on.
    fn undo_disowned(&mut self, said: &Said, number: u32, stolen: &dyn Fn(&Said) -> bool) {
        let pledge = &mut self.pledges[at(number)];
        let undo = |of: &Said, undone: &mut Option<Said>| {
            if stolen(of) && undone.is_none() {
                *undone = Some(said.clone());
            }
        };
        pledge.ends.0.iter_mut().filter(|end| !end.disowned).for_each(|end| undo(&end.said, &mut end.undone));
        pledge.pauses.0.iter_mut().for_each(|pause| undo(&pause.said, &mut pause.undone));
        pledge.joins.0.iter_mut().for_each(|join| join.disowned |= stolen(&join.said));
        for version in &mut pledge.versions.0 {
            version.disowned |= stolen(&version.said) || version.joined.values().any(stolen);
            version.declared.values_mut().for_each(|d| undo(&d.said, &mut d.undone));
        }
    }

    fn end_disowned(
        &mut self,
        said: &Said,
        number: u32,
        target: &Handle,
        stolen: &dyn Fn(&Said) -> bool,
        approved_by: &BTreeSet<Handle>,
    ) {
        let now = Moment::at(said.at);
        let pledge = self.pledge_at(number);
        let mut ends = Vec::new();
        for line in pledge.lines() {
            // Where the thief joined as one who owes jointly, nobody owes it any more, its author included.
            let jointly = line == Line::Author
                && pledge.versions.iter().any(|v| v.joined.get(target).is_some_and(stolen));
            let author = Some(pledge.owner(line)).filter(|by| jointly && *by != target);
            for by in [target].into_iter().chain(author) {
                let mut effective = Few::default();
                for (to, at) in self.leaving(number, line, by, now) {
                    let bound = pledge.bound_by(line, &to, now);
                    if is_of_thief(pledge, line, bound, &to, stolen) {
                        let at = if approved_by.contains(&to) { said.at } else { at };
                        effective.insert(to, at);
                    }
                }
                if !effective.is_empty() {
                    let (said, by) = (said.clone(), by.clone());
                    ends.push(End { said, by, effective, disowned: true, undone: None });
                }
            }
        }
        self.pledges[at(number)].ends.extend(ends);
    }
}

/// Whether what binds a line towards an addressee rests on a thief's word: terms, join, its own or that of one who owes
/// jointly, or acceptance. Where nothing binds yet, whether the pledge or join does.
fn is_of_thief(
    pledge: &Pledge,
    line: Line,
    bound: Option<u32>,
    to: &Handle,
    stolen: &dyn Fn(&Said) -> bool,
) -> bool {
    let join = match line {
        Line::Author => None,
        Line::Join(n) => Some(&pledge.joins[n]),
    };
    match bound.map(|n| (n, pledge.version(n))) {
        Some((n, version)) => {
            stolen(&version.said)
                || (line == Line::Author && version.joined.values().any(stolen))
                || version.accepted.get(to).is_some_and(|accepted| stolen(&accepted.said))
                || join.and_then(|join| join.versions.get(&n)).is_some_and(stolen)
        }
        None => stolen(join.map_or(&pledge.said, |join| &join.said)),
    }
}
