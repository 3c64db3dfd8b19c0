//! The naive model of what happens: incidents, calls, dues, verdicts, and what a theft leaves behind.

use super::naive::{BENEFICIARY, Bound, Claim, End, Event, Facet, Got, Key, Model, Ms, Row, What};
use std::collections::{BTreeMap, BTreeSet};

/// One obligation by one version: key, version, towards whom, verdict, deadline, claimed, confirmed.
pub type Line = (Key, usize, BTreeSet<usize>, &'static str, Ms, u64, u64);

impl Model {
    /// Kind, exercise, incident.
    pub fn report(&self, n: usize) -> (bool, bool, usize) {
        match self.events[n].what {
            What::Report { ceasefire, exercise, incident, .. } => (ceasefire, exercise, incident),
            ref other => panic!("no report: {other:?}"),
        }
    }

    pub fn is_superseded(&self, report: usize) -> bool {
        self.any(|_, e| matches!(e.what, What::Report { supersedes: Some(of), .. } if of == report))
    }

    /// The report by which an incident stands: the one established, else the first that stands at all.
    pub fn standing_report(&self, incident: usize) -> Option<usize> {
        let of =
            |n: &usize| matches!(self.events[*n].what, What::Report { incident: i, .. } if i == incident);
        let stands = |n: &usize| !self.is_superseded(*n) && !self.is_stolen(*n);
        let established = self.established.get(&incident).map(|(report, _)| *report);
        established.or_else(|| (0..self.events.len()).filter(of).find(stands))
    }

    /// What each partner said last of a report: on what occurred, and on its kind. A thief's word is forgotten when it is
    /// disowned, and so is what it took the place of.
    fn words(&self, report: usize) -> [BTreeMap<usize, (bool, usize)>; 2] {
        let mut words = [BTreeMap::new(), BTreeMap::new()];
        for (n, e) in self.events.iter().enumerate() {
            if let What::Rekey { target, from } = e.what {
                words
                    .iter_mut()
                    .for_each(|words| words.retain(|by, (_, said)| *by != target || *said < from));
            }
            let [occurred, kind] = match e.what {
                _ if n == report => [Some(true); 2],
                What::Report { joins: Some(of), ceasefire, .. } if of == report => {
                    [Some(true), (ceasefire == self.report(report).0).then_some(true)]
                }
                What::Stance { of, agrees } if of == report => [Some(agrees); 2],
                _ => [None; 2],
            };
            if e.by != BENEFICIARY {
                occurred.map(|word| words[0].insert(e.by, (word, n)));
                kind.map(|word| words[1].insert(e.by, (word, n)));
            }
        }
        words
    }

    /// Establishes a report's incident if it reaches the quorum of two, and starts what waits for that.
    pub fn establish(&mut self, report: usize, now: usize) {
        let (_, _, incident) = self.report(report);
        let reached = self.words(report).iter().all(|words| {
            let yes = words.values().filter(|(word, _)| *word).count();
            yes >= 2 + (words.len() - yes)
        });
        let stands = !self.is_superseded(report) && !self.is_stolen(report);
        if !reached || !stands || self.established.contains_key(&incident) {
            return;
        }
        self.established.insert(incident, (report, now));
        let pledges: Vec<_> = self.pledges().collect();
        for pledge in pledges {
            self.call(pledge, incident, report, now, &[1, 2]);
        }
    }

    /// What is in force towards whom when an incident is first reported.
    pub fn facing(&self, pledge: usize, row: Row, incident: usize) -> Vec<(usize, usize)> {
        let (cut, t) = (incident + 1, self.events[incident].at);
        let all = self.addressees(pledge).into_iter();
        let in_force = all.filter(|to| self.state(pledge, row, *to, cut, t) == "in force");
        in_force.map(|to| (self.bound(pledge, row, to, cut, t).expect("in force"), to)).collect()
    }

    fn is_guarded(&self, incident: usize) -> bool {
        let exercise = self.report(incident).1;
        !self.established.iter().any(|(other, (report, _))| {
            *other != incident && self.report(*report).0 && (exercise || !self.report(*report).1)
        })
    }

    /// Calls upon a pledge; tells whether anything was called.
    pub fn call(&mut self, pledge: usize, incident: usize, report: usize, now: usize, starts: &[u8]) -> bool {
        if self.report(report).0 {
            return false;
        }
        let mut called = false;
        for row in self.rows(pledge) {
            let key = (pledge, row, Some(incident));
            for (version, to) in self.facing(pledge, row, incident) {
                let Some(plan) = self.open(version) else { continue };
                let fits = plan.starts.is_some_and(|s| starts.contains(&s))
                    && !(plan.guarded && self.is_guarded(incident));
                let deadline = self.events[now].at + plan.respond_within;
                let before = self.arisen.get(&key).is_some_and(|(_, all)| all.iter().any(|f| f.1 == to));
                if fits && !before {
                    self.arisen.entry(key).or_insert((now, Vec::new())).1.push((version, to, deadline, now));
                    called = true;
                }
            }
        }
        called
    }

    /// Towards whom a due arises, by which terms: once towards each, by the first day on which it did.
    pub fn due(&self, pledge: usize, row: Row, early: Option<Ms>) -> Vec<Facet> {
        let mut days: Vec<(Ms, usize, Ms)> = Vec::new();
        for v in self.versions(pledge) {
            let due = self.open(v).and_then(|plan| plan.due);
            days.extend(due.map(|by| (early.map_or(by, |now| by.min(now)), v, by)));
        }
        days.sort_unstable();
        let mut facets: Vec<Facet> = Vec::new();
        for (at, v, by) in days {
            for to in self.addressees(pledge) {
                if self.state(pledge, row, to, usize::MAX, at) == "in force"
                    && self.bound(pledge, row, to, usize::MAX, at) == Some(v)
                    && !facets.iter().any(|f| f.1 == to)
                {
                    facets.push((v, to, by, usize::MAX));
                }
            }
        }
        facets
    }

    /// All facets of an obligation: those that arose, and of a due those that arise later, or, where `early`, now.
    pub fn facets(&self, key: Key, early: Option<Ms>) -> Vec<Facet> {
        let mut all = self.arisen.get(&key).map(|(_, facets)| facets.clone()).unwrap_or_default();
        if key.2.is_none() {
            let known: BTreeSet<usize> = all.iter().map(|f| f.1).collect();
            all.extend(self.due(key.0, key.1, early).into_iter().filter(|f| !known.contains(&f.1)));
        }
        all
    }

    /// All obligations at a moment after everything that was said.
    pub fn owed(&self, t: Ms) -> Vec<Line> {
        let mut keys: BTreeSet<Key> = self.arisen.keys().copied().collect();
        let dues = |p| self.rows(p).into_iter().map(move |row| (p, row, None));
        keys.extend(self.pledges().flat_map(dues));
        let mut lines: Vec<Line> = keys.into_iter().flat_map(|key| self.judged(key, t)).collect();
        lines.sort();
        lines
    }

    fn judged(&self, key: Key, t: Ms) -> Vec<Line> {
        let arose = self.arisen.get(&key).map_or(usize::MAX, |(n, _)| *n);
        let mut groups: BTreeMap<(usize, usize), (BTreeSet<usize>, Ms)> = BTreeMap::new();
        for (version, to, by, with) in self.facets(key, None) {
            groups.entry((version, with)).or_insert((BTreeSet::new(), by)).0.insert(to);
        }
        let line = |((version, _), (to, by)): ((usize, usize), (BTreeSet<usize>, Ms))| {
            let counts = |n: usize, e: &Event| n < arose && (key.2.is_some() || e.at <= by);
            let rules = self.events.iter().enumerate().rev().find_map(|(n, e)| match e.what {
                What::Rules(rules) if counts(n, e) => Some(rules),
                _ => None,
            });
            let rules = rules.unwrap_or_default();
            let judged = self.verdict(key, version, &to, (by, rules.grace, rules.tolerance), t);
            (key, version, to, judged.0, by, judged.1, judged.2)
        };
        groups.into_iter().map(line).collect()
    }

    /// What each of those to whom it is owed said last of a response.
    fn received(&self, response: usize, to: &BTreeSet<usize>, t: Ms) -> Vec<Got> {
        let mut words: BTreeMap<usize, (Got, usize)> = BTreeMap::new();
        for (n, e) in self.events.iter().enumerate() {
            match e.what {
                What::Confirm { of, got } if of == response => drop(words.insert(e.by, (got, n))),
                What::Rekey { target, from } => words.retain(|by, (_, said)| *by != target || *said < from),
                _ => {}
            }
        }
        let counts = |(by, (_, n)): &(&usize, &(Got, usize))| to.contains(by) && self.events[*n].at <= t;
        words.iter().filter(counts).map(|(_, (got, _))| *got).collect()
    }

    fn verdict(
        &self,
        key: Key,
        version: usize,
        to: &BTreeSet<usize>,
        (by, grace, tolerance): (Ms, Ms, u64),
        t: Ms,
    ) -> (&'static str, u64, u64) {
        let plan = self.open(version).expect("it is owed by these terms");
        let (mut claimed, mut confirmed, mut timely) = (0, 0, 0);
        let (mut whole, mut whole_timely) = (false, false);
        let (mut open, mut declined, mut part) = (false, false, false);
        for (n, e) in self.all(usize::MAX, t) {
            let What::Respond { key: of, claim } = &e.what else { continue };
            if *of != key || self.is_stolen(n) {
                continue;
            }
            let amount = match claim {
                Claim::Acknowledged => continue,
                Claim::Declined => {
                    declined = true;
                    continue;
                }
                Claim::Whole => plan.amount,
                Claim::Part(n) => *n,
            };
            declined = false;
            claimed += amount;
            let words = self.received(n, to, t);
            let fulls = words.iter().filter(|got| **got == Got::Full).count();
            let parts = words.iter().map(|got| if let Got::Part(n) = got { *n } else { 0 }).sum::<u64>();
            let full = if *claim == Claim::Whole { fulls == to.len() } else { fulls > 0 };
            let in_time = e.at <= by + grace;
            open |= words.is_empty();
            part |= words.iter().any(|got| *got != Got::Nothing);
            whole |= full && *claim == Claim::Whole;
            whole_timely |= full && *claim == Claim::Whole && in_time;
            let sum = if full { amount } else { parts.min(amount) };
            confirmed += sum;
            timely += if in_time { sum } else { 0 };
        }
        let all = |sum: u64| match plan.bound {
            Bound::Exactly => sum >= plan.amount,
            Bound::AtMost => sum > 0,
            Bound::AtLeast | Bound::About => 4 * sum >= (4 - tolerance) * plan.amount,
        };
        let verdict = if whole_timely || all(timely) {
            "kept"
        } else if whole || all(confirmed) {
            "kept late"
        } else if part {
            "part kept"
        } else if open {
            "claimed"
        } else if declined {
            "declined"
        } else if t <= by {
            "not yet due"
        } else {
            "overdue"
        };
        (verdict, claimed, confirmed)
    }

    // - a theft -

    /// What ends because the target's statements were disowned with the last event, and towards whom at once.
    pub fn disown(&mut self, target: usize, from: usize, approved: &BTreeSet<usize>) {
        let event = self.events.len() - 1;
        let now = self.events[event].at;
        let is_his = |n: usize| self.events[n].by == target && n >= from && n < event;
        let mut all = Vec::new();
        for pledge in self.pledges().chain(self.records()) {
            for row in self.rows(pledge) {
                let joint = |v: usize| {
                    let joins = |e: &Event| matches!(e.what, What::Join { of, jointly: true } if of == v);
                    row == Row::Author && self.any(|n, e| joins(e) && is_his(n))
                };
                let author = self.owner(pledge, row);
                let any_joint = author != target && self.versions(pledge).into_iter().any(joint);
                for by in [target].into_iter().chain(any_joint.then_some(author)) {
                    let stolen = |to: usize| match self.bound(pledge, row, to, usize::MAX, now) {
                        None => is_his(if let Row::Joined(n) = row { n } else { pledge }),
                        Some(v) => {
                            let rests = |e: &Event| match e.what {
                                What::Accept { of } => of == v && e.by == to,
                                What::Join { of, jointly: false } => of == v && e.by == author,
                                _ => false,
                            };
                            let joined = |e: &Event| matches!(e.what, What::Join { .. });
                            let own = |e: &Event| !joined(e) || row != Row::Author;
                            is_his(v) || joint(v) || self.any(|n, e| rests(e) && own(e) && is_his(n))
                        }
                    };
                    let mut ends = self.leaving(pledge, row, by, now);
                    ends.retain(|to, _| stolen(*to));
                    let at_once = ends.iter_mut().filter(|(to, _)| approved.contains(to));
                    at_once.for_each(|(_, at)| *at = now);
                    if !ends.is_empty() {
                        all.push(End { event, pledge, by, ends });
                    }
                }
            }
        }
        self.disowned.extend(all);
    }
}
