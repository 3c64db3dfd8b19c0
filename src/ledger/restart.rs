//! What happens to the ledger when the log's time starts anew under another operator.
//!
//! The time of the operator before is not believed any more where it lies ahead: whatever was said before the restart
//! counts as said no later than the restart. What is counted from there moves along: the deadline of a call is counted
//! anew, other moments (the end of a notice period, from when on a need or a suspension counts) keep their distance.
//! Dates that partners wrote themselves stay as they are.

use super::incident::Stances;
use super::pledge::{Origin, Pledge};
use super::{Ledger, Said};
use crate::field::Instant;
use crate::statement::body::Occasion;

/// The moment of a restart.
struct Restart(Instant);

impl Restart {
    /// Takes what was said back to the restart.
    fn said(&self, said: &mut Said) {
        said.at = said.at.min(self.0);
    }

    /// The same; tells by how many milliseconds.
    fn moved(&self, said: &mut Said) -> u64 {
        let ahead = said.at.ms().saturating_sub(self.0.ms());
        self.said(said);
        ahead
    }

    fn stances(&self, stances: &mut Stances) {
        stances.values_mut().for_each(|stance| self.said(&mut stance.said));
    }

    fn pledge(&self, pledge: &mut Pledge) {
        self.said(&mut pledge.said);
        if let Origin::Recorded { adopted: Some(said), .. } = &mut pledge.origin {
            self.said(said);
        }
        for version in &mut pledge.versions.0 {
            self.said(&mut version.said);
            version.accepted.values_mut().for_each(|accepted| self.said(&mut accepted.said));
            version.joined.values_mut().for_each(|said| self.said(said));
            for declared in version.declared.values_mut() {
                earlier(&mut declared.from, self.moved(&mut declared.said));
                self.undone(&mut declared.undone);
            }
        }
        for join in &mut pledge.joins.0 {
            self.said(&mut join.said);
            join.versions.values_mut().for_each(|said| self.said(said));
        }
        for end in &mut pledge.ends.0 {
            let ahead = self.moved(&mut end.said);
            end.effective.values_mut().for_each(|at| earlier(at, ahead));
            self.undone(&mut end.undone);
        }
        for pause in &mut pledge.pauses.0 {
            earlier(&mut pause.from, self.moved(&mut pause.said));
            if let Some((said, from)) = &mut pause.resumed {
                earlier(from, self.moved(said));
            }
            self.undone(&mut pause.undone);
        }
        pledge.notes.0.iter_mut().for_each(|note| self.said(&mut note.said));
    }

    fn undone(&self, undone: &mut Option<Said>) {
        undone.iter_mut().for_each(|said| self.said(said));
    }
}

fn earlier(at: &mut Instant, by: u64) {
    *at = Instant::from_ms(at.ms().saturating_sub(by)).expect("earlier than one that can be told");
}

impl Ledger {
    /// Lets time start anew at the entry that replaced the operator.
    pub(super) fn restart(&mut self, at: Instant) {
        let restart = Restart(at);
        self.pledges.0.iter_mut().for_each(|pledge| restart.pledge(pledge));
        for report in &mut self.reports.0 {
            restart.said(&mut report.said);
            restart.stances(&mut report.stances);
        }
        for incident in &mut self.incidents.0 {
            restart.said(&mut incident.said);
            incident.established.iter_mut().for_each(|(_, said)| restart.said(said));
        }
        self.restart_obligations(&restart);
        self.reviews.0.iter_mut().for_each(|review| restart.said(&mut review.said));
        self.reservations.0.iter_mut().for_each(|said| restart.said(said));
        self.rules.0.iter_mut().for_each(|(_, from, _)| *from = at.min(*from));
    }

    fn restart_obligations(&mut self, restart: &Restart) {
        let mut all = std::mem::take(&mut self.obligations);
        for (key, obligation) in &mut all {
            restart.said(&mut obligation.arose);
            if matches!(key.occasion, Occasion::Call(_)) {
                // Of each facet by itself: a later entry may have added it.
                let latest = self.deadlines(key, &obligation.facets, restart.0);
                let both = obligation.deadlines.iter().zip(latest);
                obligation.deadlines = both.map(|(set, latest)| (*set).min(latest)).collect();
            }
            restart.stances(&mut obligation.stances);
            for response in &mut obligation.responses.0 {
                restart.said(&mut response.said);
                response.confirmed.values_mut().for_each(|c| restart.said(&mut c.said));
            }
        }
        self.obligations = all;
    }
}
