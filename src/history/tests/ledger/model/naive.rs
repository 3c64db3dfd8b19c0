//! The naive model: a list of what was said. Every answer reads all of it again, slowly, as `docs/ledger.md` says it.

use std::collections::{BTreeMap, BTreeSet};

/// In milliseconds since the founding; all numbers of hours are turned into these.
pub type Ms = u64;

pub const HOUR: Ms = 3_600_000;

/// `it`, who declares needs and has no role that counts.
pub const BENEFICIARY: usize = 2;

/// What terms say, here.
#[derive(Clone, Debug)]
pub struct Plan {
    pub due: Option<Ms>,
    pub amount: u64,
    pub at_most: bool,
    /// 0 on request, 1 once established, 2 either.
    pub starts: Option<u8>,
    pub guarded: bool,
    pub notice: Ms,
    pub need: bool,
    pub until: Option<Ms>,
    pub respond_within: Ms,
}

/// Who owes: the author, or the one whose first join this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    Author,
    Joined(usize),
}

/// Which obligation: of which pledge, who owes, which incident called; none: its due.
pub type Key = (usize, Row, Option<usize>);

/// What was said, by the numbers of what it speaks of.
#[derive(Clone, Debug)]
pub enum What {
    Void,
    Pledge { to: BTreeSet<usize>, plan: Plan },
    Amend { of: usize, to: BTreeSet<usize>, plan: Plan },
    Accept { of: usize },
    Join { of: usize },
    Withdraw { of: usize, ends: BTreeMap<usize, Ms> },
    Suspend { of: usize, from: Ms },
    Resume { of: usize },
    Need { of: usize, met: bool },
    Report { ceasefire: bool, exercise: bool, incident: usize, joins: Option<usize> },
    Stance { of: usize, agrees: bool },
    Invoke,
    Respond { key: Key, amount: Option<u64> },
    Confirm { of: usize, part: Option<u64> },
    Grace(Ms),
}

#[derive(Clone, Debug)]
pub struct Event {
    pub by: usize,
    pub at: Ms,
    pub what: What,
}

/// Terms towards one addressee, with the deadline.
pub type Facet = (usize, usize, Ms);

/// One obligation by one version: key, version, towards whom, verdict, deadline, claimed, confirmed.
pub type Line = (Key, usize, BTreeSet<usize>, &'static str, Ms, u64, u64);

#[derive(Clone, Default)]
pub struct Model {
    pub events: Vec<Event>,
    /// Incident, by the report and entry that established it.
    pub established: BTreeMap<usize, (usize, usize)>,
    /// What arose, with which entry.
    pub arisen: BTreeMap<Key, (usize, Vec<Facet>)>,
}

impl Model {
    fn said(&self, n: usize, cut: usize, t: Ms) -> bool {
        n < cut && self.events[n].at <= t
    }

    /// All numbers below `cut` whose time is not after `t`.
    fn all(&self, cut: usize, t: Ms) -> impl Iterator<Item = (usize, &Event)> {
        let upto = self.events.iter().enumerate().take(cut);
        upto.filter(move |(_, e)| e.at <= t)
    }

    pub fn versions(&self, pledge: usize) -> Vec<usize> {
        let of = |(n, e): (usize, &Event)| match e.what {
            What::Pledge { .. } if n == pledge => Some(n),
            What::Amend { of, .. } if of == pledge => Some(n),
            _ => None,
        };
        self.all(usize::MAX, Ms::MAX).filter_map(of).collect()
    }

    pub fn pledge_of(&self, version: usize) -> usize {
        if let What::Amend { of, .. } = self.events[version].what { of } else { version }
    }

    pub fn terms(&self, version: usize) -> (&BTreeSet<usize>, &Plan) {
        match &self.events[version].what {
            What::Pledge { to, plan } | What::Amend { to, plan, .. } => (to, plan),
            other => panic!("no terms: {other:?}"),
        }
    }

    pub fn addressees(&self, pledge: usize) -> BTreeSet<usize> {
        self.versions(pledge).into_iter().flat_map(|v| self.terms(v).0.clone()).collect()
    }

    /// The author, then those who joined, each by its first join.
    pub fn rows(&self, pledge: usize) -> Vec<Row> {
        let mut seen = BTreeSet::new();
        let joins = self.events.iter().enumerate().filter_map(|(n, e)| match e.what {
            What::Join { of } if self.pledge_of(of) == pledge && seen.insert(e.by) => Some(Row::Joined(n)),
            _ => None,
        });
        let joins: Vec<_> = joins.collect();
        [Row::Author].into_iter().chain(joins).collect()
    }

    pub fn owner(&self, pledge: usize, row: Row) -> usize {
        match row {
            Row::Author => self.events[pledge].by,
            Row::Joined(n) => self.events[n].by,
        }
    }

    fn bound(&self, pledge: usize, row: Row, to: usize, cut: usize, t: Ms) -> Option<usize> {
        let accepted = |v: usize| {
            self.all(cut, t).any(|(_, e)| e.by == to && matches!(e.what, What::Accept { of } if of == v))
        };
        let taken = |v: usize| match row {
            Row::Author => self.said(v, cut, t),
            Row::Joined(_) => {
                let by = self.owner(pledge, row);
                self.all(cut, t).any(|(_, e)| e.by == by && matches!(e.what, What::Join { of } if of == v))
            }
        };
        self.versions(pledge).into_iter().rev().find(|v| accepted(*v) && taken(*v))
    }

    /// Whether a withdrawal by `by` of `of` ends what a row owes to `to`.
    fn ends(&self, (of, by): (usize, usize), pledge: usize, row: Row, to: usize) -> bool {
        if of != pledge {
            return row == Row::Joined(of);
        }
        by == to || (row == Row::Author && by == self.events[pledge].by)
    }

    fn end(&self, pledge: usize, row: Row, to: usize, cut: usize, t: Ms) -> Option<Ms> {
        let of = |(_, e): (usize, &Event)| match &e.what {
            What::Withdraw { of, ends } if self.ends((*of, e.by), pledge, row, to) => ends.get(&to).copied(),
            _ => None,
        };
        self.all(cut, t).filter_map(of).min()
    }

    fn need(&self, version: usize, cut: usize, t: Ms) -> Option<bool> {
        let told = self.all(cut, t).find_map(|(_, e)| match e.what {
            What::Need { of, met } if of == version => Some(met),
            _ => None,
        });
        told.or_else(|| {
            let before = self.versions(self.pledge_of(version)).into_iter().rev().find(|v| *v < version)?;
            self.terms(before).1.need.then(|| self.need(before, cut.min(version), t)).flatten()
        })
    }

    pub fn state(&self, pledge: usize, row: Row, to: usize, cut: usize, t: Ms) -> &'static str {
        if self.end(pledge, row, to, cut, t).is_some_and(|end| end <= t) {
            return "withdrawn";
        }
        let Some(version) = self.bound(pledge, row, to, cut, t) else { return "proposed" };
        let plan = self.terms(version).1;
        if plan.until.is_some_and(|until| t > until) {
            return "expired";
        }
        match (plan.need, self.need(version, cut, t)) {
            (true, None) => return "awaiting",
            (true, Some(false)) => return "lapsed",
            _ => {}
        }
        let suspended = self.all(cut, t).any(|(n, e)| {
            let concerned = e.by == to || (row == Row::Author && e.by == self.events[pledge].by);
            let resumed = |e: &Event| {
                self.all(cut, t).any(|(m, r)| {
                    m > n && r.by == e.by && matches!(r.what, What::Resume { of } if of == pledge)
                })
            };
            matches!(e.what, What::Suspend { of, from } if of == pledge && from <= t)
                && concerned
                && !resumed(e)
        });
        if suspended { "suspended" } else { "in force" }
    }

    pub fn is_over(state: &str) -> bool {
        ["withdrawn", "expired", "lapsed"].contains(&state)
    }

    /// Whether nothing can come of what a row owes.
    pub fn row_is_over(&self, pledge: usize, row: Row, t: Ms) -> bool {
        let all = self.addressees(pledge);
        all.into_iter().all(|to| Self::is_over(self.state(pledge, row, to, usize::MAX, t)))
    }

    fn notice(&self, pledge: usize, row: Row, to: usize, t: Ms) -> Ms {
        t + self.bound(pledge, row, to, usize::MAX, t).map_or(0, |v| self.terms(v).1.notice)
    }

    /// What a withdrawal ends when.
    pub fn leaving(&self, of: usize, by: usize, t: Ms) -> BTreeMap<usize, Ms> {
        let (pledge, row) = match self.events[of].what {
            What::Join { of: version } => (self.pledge_of(version), Row::Joined(of)),
            _ => (of, Row::Author),
        };
        let own = self.owner(pledge, row) == by;
        let rows = if own { vec![row] } else { self.rows(pledge) };
        let concerned = |to: &usize| if own { *to != by } else { *to == by && row == Row::Author };
        let open = |to: &usize| {
            rows.iter().any(|r| {
                self.end(pledge, *r, *to, usize::MAX, t).is_none()
                    && !self.all(usize::MAX, t).any(|(_, e)| {
                        matches!(&e.what, What::Withdraw { of, ends }
                        if self.ends((*of, e.by), pledge, *r, *to) && ends.contains_key(to))
                    })
                    && !Self::is_over(self.state(pledge, *r, *to, usize::MAX, t))
            })
        };
        let all = self.addressees(pledge).into_iter().filter(concerned).filter(open);
        all.map(|to| (to, rows.iter().map(|r| self.notice(pledge, *r, to, t)).max().expect("a row")))
            .collect()
    }

    /// From when on a suspension holds.
    pub fn suspends_from(&self, pledge: usize, by: usize, t: Ms) -> Ms {
        if by != self.events[pledge].by {
            return t;
        }
        self.addressees(pledge)
            .into_iter()
            .map(|to| self.notice(pledge, Row::Author, to, t))
            .max()
            .unwrap_or(t)
    }

    pub fn is_suspended_by(&self, pledge: usize, by: usize) -> bool {
        let last = self.events.iter().rev().find_map(|e| match e.what {
            What::Suspend { of, .. } if of == pledge && e.by == by => Some(true),
            What::Resume { of } if of == pledge && e.by == by => Some(false),
            _ => None,
        });
        last == Some(true)
    }

    pub fn is_told(&self, version: usize, t: Ms) -> bool {
        self.need(version, usize::MAX, t).is_some()
    }

    pub fn report(&self, n: usize) -> (bool, bool, usize) {
        match self.events[n].what {
            What::Report { ceasefire, exercise, incident, .. } => (ceasefire, exercise, incident),
            ref other => panic!("no report: {other:?}"),
        }
    }

    /// What each partner said last of a report: on what occurred, and on its kind.
    fn words(&self, report: usize) -> [BTreeMap<usize, bool>; 2] {
        let mut words = [BTreeMap::new(), BTreeMap::new()];
        for (n, e) in self.events.iter().enumerate() {
            let [occurred, kind] = match e.what {
                _ if n == report => [Some(true); 2],
                What::Report { joins: Some(of), ceasefire, .. } if of == report => {
                    [Some(true), (ceasefire == self.report(report).0).then_some(true)]
                }
                What::Stance { of, agrees } if of == report => [Some(agrees); 2],
                _ => [None; 2],
            };
            if e.by != BENEFICIARY {
                occurred.map(|word| words[0].insert(e.by, word));
                kind.map(|word| words[1].insert(e.by, word));
            }
        }
        words
    }

    /// Establishes a report's incident if it reaches the quorum of two, and starts what waits for that.
    pub fn establish(&mut self, report: usize, now: usize) {
        let (_, _, incident) = self.report(report);
        let reached = self.words(report).iter().all(|words| {
            let yes = words.values().filter(|word| **word).count();
            yes >= 2 + (words.len() - yes)
        });
        if !reached || self.established.contains_key(&incident) {
            return;
        }
        self.established.insert(incident, (report, now));
        let pledges: Vec<_> = self.pledges().collect();
        for pledge in pledges {
            self.call(pledge, incident, report, now, &[1, 2]);
        }
    }

    pub fn pledges(&self) -> impl Iterator<Item = usize> {
        let all = self.events.iter().enumerate();
        all.filter(|(_, e)| matches!(e.what, What::Pledge { .. })).map(|(n, _)| n)
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
                let plan = self.terms(version).1.clone();
                let fits = plan.starts.is_some_and(|s| starts.contains(&s))
                    && !(plan.guarded && self.is_guarded(incident));
                let deadline = self.events[now].at + plan.respond_within;
                let before = self.arisen.get(&key).is_some_and(|(_, all)| all.iter().any(|f| f.1 == to));
                if fits && !before {
                    self.arisen.entry(key).or_insert((now, Vec::new())).1.push((version, to, deadline));
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
            days.extend(self.terms(v).1.due.map(|by| (early.map_or(by, |now| by.min(now)), v, by)));
        }
        days.sort_unstable();
        let mut facets: Vec<Facet> = Vec::new();
        for (at, v, by) in days {
            for to in self.addressees(pledge) {
                if self.state(pledge, row, to, usize::MAX, at) == "in force"
                    && self.bound(pledge, row, to, usize::MAX, at) == Some(v)
                    && !facets.iter().any(|f| f.1 == to)
                {
                    facets.push((v, to, by));
                }
            }
        }
        facets
    }

    /// All obligations at a moment after everything that was said.
    pub fn owed(&self, t: Ms) -> Vec<Line> {
        let mut lines = Vec::new();
        for pledge in self.pledges() {
            for row in self.rows(pledge) {
                let key = (pledge, row, None);
                let due = match self.arisen.get(&key) {
                    Some((n, facets)) => (*n, facets.clone()),
                    None => (usize::MAX, self.due(pledge, row, None)),
                };
                lines.extend(self.judged(key, &due, t));
            }
        }
        for (key, arisen) in self.arisen.iter().filter(|(key, _)| key.2.is_some()) {
            lines.extend(self.judged(*key, arisen, t));
        }
        lines.sort();
        lines
    }

    fn judged(&self, key: Key, (arose, facets): &(usize, Vec<Facet>), t: Ms) -> Vec<Line> {
        let versions: BTreeSet<usize> = facets.iter().map(|f| f.0).collect();
        let mut lines = Vec::new();
        for version in versions {
            let to: BTreeSet<usize> = facets.iter().filter(|f| f.0 == version).map(|f| f.1).collect();
            let by = facets.iter().filter(|f| f.0 == version).map(|f| f.2).next().expect("a facet");
            let grace = self.events.iter().enumerate().rev().find_map(|(n, e)| match e.what {
                What::Grace(grace) if n < *arose && (key.2.is_some() || e.at <= by) => Some(grace),
                _ => None,
            });
            let (verdict, claimed, confirmed) = self.verdict(key, version, &to, (by, grace.unwrap_or(0)), t);
            lines.push((key, version, to, verdict, by, claimed, confirmed));
        }
        lines
    }

    fn verdict(
        &self,
        key: Key,
        version: usize,
        to: &BTreeSet<usize>,
        (by, grace): (Ms, Ms),
        t: Ms,
    ) -> (&'static str, u64, u64) {
        let plan = self.terms(version).1;
        let (mut claimed, mut confirmed, mut timely, mut open, mut declined) = (0, 0, 0, false, false);
        let mut any = false;
        for (n, e) in self.all(usize::MAX, t) {
            let What::Respond { key: of, amount } = &e.what else { continue };
            if *of != key {
                continue;
            }
            declined = amount.is_none();
            let Some(amount) = amount else { continue };
            claimed += amount;
            let mut words: BTreeMap<usize, Option<u64>> = BTreeMap::new();
            for (_, c) in self.all(usize::MAX, t) {
                if let What::Confirm { of, part } = c.what
                    && of == n
                    && to.contains(&c.by)
                {
                    words.insert(c.by, part);
                }
            }
            open |= words.is_empty();
            any |= !words.is_empty();
            let full = words.values().any(Option::is_none);
            let sum = if full { *amount } else { words.values().flatten().sum::<u64>().min(*amount) };
            confirmed += sum;
            timely += if e.at <= by + grace { sum } else { 0 };
        }
        let all = |sum: u64| if plan.at_most { sum > 0 } else { sum >= plan.amount };
        let verdict = if all(timely) {
            "kept"
        } else if all(confirmed) {
            "kept late"
        } else if any {
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
}
