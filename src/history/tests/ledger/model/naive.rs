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
    pub bound: Bound,
    /// 0 on request, 1 once established, 2 either.
    pub starts: Option<u8>,
    pub guarded: bool,
    pub notice: Ms,
    pub need: bool,
    pub until: Option<Ms>,
    pub respond_within: Ms,
    /// Who owes jointly with the one who promises.
    pub joint: Option<usize>,
    pub sealed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Exactly,
    AtMost,
    AtLeast,
    About,
}

/// Who owes: the author, or the one whose first join this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    Author,
    Joined(usize),
}

/// Which obligation: of which pledge, who owes, which incident called; none: its due.
pub type Key = (usize, Row, Option<usize>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    Declined,
    Acknowledged,
    Whole,
    Part(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    Full,
    Part(u64),
    Nothing,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    pub grace: Ms,
    /// How much may be lacking, in quarters.
    pub tolerance: u64,
    /// Pledges hold without acceptance.
    pub at_once: bool,
}

/// What was said, by the numbers of what it speaks of.
#[derive(Clone, Debug)]
pub enum What {
    Void,
    Pledge {
        to: BTreeSet<usize>,
        plan: Plan,
        adopts: Option<usize>,
    },
    Record {
        promisor: usize,
        to: BTreeSet<usize>,
        plan: Plan,
    },
    Amend {
        of: usize,
        to: BTreeSet<usize>,
        plan: Plan,
    },
    Accept {
        of: usize,
    },
    Join {
        of: usize,
        jointly: bool,
    },
    Withdraw {
        of: usize,
        ends: BTreeMap<usize, Ms>,
    },
    Suspend {
        of: usize,
        from: Ms,
    },
    Resume {
        of: usize,
    },
    Need {
        of: usize,
        met: bool,
    },
    Reveal {
        of: usize,
    },
    Report {
        ceasefire: bool,
        exercise: bool,
        incident: usize,
        joins: Option<usize>,
        supersedes: Option<usize>,
    },
    Stance {
        of: usize,
        agrees: bool,
    },
    Invoke,
    Respond {
        key: Key,
        claim: Claim,
    },
    Confirm {
        of: usize,
        got: Got,
    },
    Rules(Rules),
    /// What one said from an event on is disowned.
    Rekey {
        target: usize,
        from: usize,
    },
}

#[derive(Clone, Debug)]
pub struct Event {
    pub by: usize,
    pub at: Ms,
    pub what: What,
}

/// What ends: with which event, of which pledge, by whom, towards whom and when.
#[derive(Clone, Debug)]
pub struct End {
    pub event: usize,
    pub pledge: usize,
    pub by: usize,
    pub ends: BTreeMap<usize, Ms>,
}

/// Terms towards one addressee, with the deadline, and the event with which it arose.
pub type Facet = (usize, usize, Ms, usize);

#[derive(Clone, Default)]
pub struct Model {
    pub events: Vec<Event>,
    /// Incident, by the report and entry that established it.
    pub established: BTreeMap<usize, (usize, usize)>,
    /// What arose, with which entry.
    pub arisen: BTreeMap<Key, (usize, Vec<Facet>)>,
    /// What ended because it was disowned.
    pub disowned: Vec<End>,
}

impl Model {
    pub fn said(&self, n: usize, cut: usize, t: Ms) -> bool {
        n < cut && self.events[n].at <= t
    }

    /// All numbers below `cut` whose time is not after `t`.
    pub fn all(&self, cut: usize, t: Ms) -> impl Iterator<Item = (usize, &Event)> {
        let upto = self.events.iter().enumerate().take(cut);
        upto.filter(move |(_, e)| e.at <= t)
    }

    pub fn any(&self, fits: impl Fn(usize, &Event) -> bool) -> bool {
        self.events.iter().enumerate().any(|(n, e)| fits(n, e))
    }

    pub fn versions(&self, pledge: usize) -> Vec<usize> {
        let of = |(n, e): (usize, &Event)| match e.what {
            What::Pledge { .. } | What::Record { .. } if n == pledge => Some(n),
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
            What::Pledge { to, plan, .. } | What::Record { to, plan, .. } | What::Amend { to, plan, .. } => {
                (to, plan)
            }
            other => panic!("no terms: {other:?}"),
        }
    }

    pub fn is_record(&self, pledge: usize) -> bool {
        matches!(self.events[pledge].what, What::Record { .. })
    }

    pub fn is_adopted(&self, record: usize) -> Option<usize> {
        let adopts = |e: &Event| matches!(e.what, What::Pledge { adopts: Some(of), .. } if of == record);
        self.events.iter().position(adopts)
    }

    /// The version whose seal hides these terms: an adopted pledge has its record's last.
    pub fn source(&self, version: usize) -> usize {
        match self.events[version].what {
            What::Pledge { adopts: Some(record), .. } => {
                *self.versions(record).last().expect("a record has one")
            }
            _ => version,
        }
    }

    /// The terms, where they stand open.
    pub fn open(&self, version: usize) -> Option<&Plan> {
        let source = self.source(version);
        let plan = self.terms(version).1;
        let revealed = || self.any(|_, e| matches!(e.what, What::Reveal { of } if of == source));
        (!plan.sealed || revealed()).then_some(plan)
    }

    pub fn addressees(&self, pledge: usize) -> BTreeSet<usize> {
        self.versions(pledge).into_iter().flat_map(|v| self.terms(v).0.clone()).collect()
    }

    /// The author, then those who joined on their own account, each by its first join.
    pub fn rows(&self, pledge: usize) -> Vec<Row> {
        let mut seen = BTreeSet::new();
        let joins = self.events.iter().enumerate().filter_map(|(n, e)| match e.what {
            What::Join { of, jointly: false } if self.pledge_of(of) == pledge && seen.insert(e.by) => {
                Some(Row::Joined(n))
            }
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

    /// Whoever owes a row by a version.
    pub fn owing(&self, pledge: usize, row: Row, version: usize) -> Vec<usize> {
        let joint = self.open(version).and_then(|plan| plan.joint).filter(|_| row == Row::Author);
        [self.owner(pledge, row)].into_iter().chain(joint).collect()
    }

    /// The rules that stand before an event.
    pub fn rules(&self, before: usize) -> Rules {
        let last = self.events[..before].iter().rev().find_map(|e| match e.what {
            What::Rules(rules) => Some(rules),
            _ => None,
        });
        last.unwrap_or_default()
    }

    /// Whether an addressee took a version on, by its word or, where none was asked for, by being the first to reach it.
    fn is_taken(&self, version: usize, to: usize, cut: usize, t: Ms) -> bool {
        let before = self.versions(self.pledge_of(version)).into_iter().filter(|v| *v < version);
        let first =
            self.terms(version).0.contains(&to) && before.into_iter().all(|v| !self.terms(v).0.contains(&to));
        let accepts = |e: &Event| e.by == to && matches!(e.what, What::Accept { of } if of == version);
        (first && self.rules(version).at_once && self.said(version, cut, t))
            || self.all(cut, t).any(|(_, e)| accepts(e))
    }

    fn lacks_joiner(&self, pledge: usize, version: usize, cut: usize, t: Ms) -> bool {
        let joint =
            self.open(version).and_then(|plan| plan.joint).filter(|who| *who != self.events[pledge].by);
        joint.is_some_and(|who| {
            let joins = |e: &Event| matches!(e.what, What::Join { of, jointly: true } if of == version);
            !self.all(cut, t).any(|(_, e)| e.by == who && joins(e))
        })
    }

    pub fn bound(&self, pledge: usize, row: Row, to: usize, cut: usize, t: Ms) -> Option<usize> {
        let takes_on = |v: usize| match row {
            Row::Author => self.said(v, cut, t) && !self.lacks_joiner(pledge, v, cut, t),
            Row::Joined(_) => {
                let by = self.owner(pledge, row);
                let joins = |e: &Event| matches!(e.what, What::Join { of, jointly: false } if of == v);
                self.all(cut, t).any(|(_, e)| e.by == by && joins(e))
            }
        };
        let mut all = self.versions(pledge).into_iter().rev();
        all.find(|v| self.is_taken(*v, to, cut, t) && takes_on(*v))
    }

    /// Whether what was said with an event was disowned by then.
    pub fn is_undone(&self, n: usize, cut: usize, t: Ms) -> bool {
        let by = self.events[n].by;
        self.all(cut, t).any(|(r, e)| {
            r > n && matches!(e.what, What::Rekey { target, from } if target == by && n >= from)
        })
    }

    pub fn is_stolen(&self, n: usize) -> bool {
        self.is_undone(n, usize::MAX, Ms::MAX)
    }

    /// Whether a version is a thief's, or was joined by one as one who owes jointly.
    pub fn is_disowned(&self, version: usize) -> bool {
        let joins = |e: &Event| matches!(e.what, What::Join { of, jointly: true } if of == version);
        self.is_stolen(version) || self.any(|n, e| joins(e) && self.is_stolen(n))
    }

    /// Whether an end by `by` concerns a row towards `to`.
    fn concerns(&self, by: usize, pledge: usize, row: Row, to: usize) -> bool {
        by == to || by == self.owner(pledge, row)
    }

    /// When what a row owes ends; announced by `t`, or at any time.
    fn end(&self, pledge: usize, row: Row, to: usize, cut: usize, t: Ms) -> Option<Ms> {
        let said = |(n, e): (usize, &Event)| match &e.what {
            What::Withdraw { of, ends } if self.row_of(*of).0 == pledge => {
                let counts = self.concerns(e.by, pledge, row, to) && !self.is_undone(n, cut, t);
                ends.get(&to).filter(|_| counts).copied()
            }
            _ => None,
        };
        let of = |end: &End| {
            let counts = end.pledge == pledge && self.said(end.event, cut, t);
            let counts = counts && self.concerns(end.by, pledge, row, to);
            end.ends.get(&to).filter(|_| counts).copied()
        };
        self.all(cut, t).filter_map(said).chain(self.disowned.iter().filter_map(of)).min()
    }

    /// The pledge and row that a withdrawal names.
    pub fn row_of(&self, of: usize) -> (usize, Row) {
        match self.events[of].what {
            What::Join { of: version, .. } => (self.pledge_of(version), Row::Joined(of)),
            _ => (of, Row::Author),
        }
    }

    /// The last declaration of a version's need: its own, or that of the version before, whose need it repeats.
    fn declared(&self, version: usize, cut: usize) -> Option<usize> {
        let tells = |e: &Event| matches!(e.what, What::Need { of, .. } if of == version);
        let own = (0..cut.min(self.events.len())).rev().find(|n| tells(&self.events[*n]));
        own.or_else(|| {
            let before = self.versions(self.pledge_of(version)).into_iter().rev().find(|v| *v < version)?;
            let plan = self.terms(before).1;
            let opens = |e: &Event| matches!(e.what, What::Reveal { of } if of == self.source(before));
            let was_open = !plan.sealed || self.any(|n, e| n < version && opens(e));
            let both = was_open && plan.need && !self.terms(version).1.sealed && self.terms(version).1.need;
            let told = both.then(|| self.declared(before, version)).flatten();
            told.filter(|n| !self.is_undone(*n, version, Ms::MAX))
        })
    }

    fn need(&self, version: usize, cut: usize, t: Ms) -> Option<bool> {
        let told = self.declared(version, usize::MAX)?;
        let What::Need { met, .. } = self.events[told].what else { return None };
        (self.said(told, cut, t) && !self.is_undone(told, cut, t)).then_some(met)
    }

    pub fn state(&self, pledge: usize, row: Row, to: usize, cut: usize, t: Ms) -> &'static str {
        let standing = self.standing(pledge, row, to, cut, t);
        if standing == "in force" && self.is_suspended(pledge, row, to, cut, t) {
            "suspended"
        } else {
            standing
        }
    }

    fn standing(&self, pledge: usize, row: Row, to: usize, cut: usize, t: Ms) -> &'static str {
        if self.end(pledge, row, to, cut, t).is_some_and(|end| end <= t) {
            return "withdrawn";
        }
        if self.is_record(pledge) {
            let adopted = self.is_adopted(pledge).is_some_and(|n| self.said(n, cut, t));
            return if adopted { "adopted" } else { "recorded" };
        }
        let Some(version) = self.bound(pledge, row, to, cut, t) else {
            let taken = self.versions(pledge).into_iter().rev().find(|v| self.is_taken(*v, to, cut, t));
            let waits = taken.is_some_and(|v| row == Row::Author && self.lacks_joiner(pledge, v, cut, t));
            return if waits { "awaiting" } else { "proposed" };
        };
        let Some(plan) = self.open(version) else { return "in force" };
        if plan.until.is_some_and(|until| t > until) {
            return "expired";
        }
        match (plan.need, self.need(version, cut, t)) {
            (true, None) => "awaiting",
            (true, Some(false)) => "lapsed",
            _ => "in force",
        }
    }

    fn is_suspended(&self, pledge: usize, row: Row, to: usize, cut: usize, t: Ms) -> bool {
        self.all(cut, t).any(|(n, e)| {
            let concerned = e.by == to || (row == Row::Author && e.by == self.events[pledge].by);
            let resumes = |e: &Event| matches!(e.what, What::Resume { of } if of == pledge);
            let resumed = self.all(cut, t).any(|(m, r)| m > n && r.by == e.by && resumes(r));
            matches!(e.what, What::Suspend { of, from } if of == pledge && from <= t)
                && concerned
                && !resumed
                && !self.is_undone(n, cut, t)
        })
    }

    pub fn is_over(state: &str) -> bool {
        ["withdrawn", "expired", "lapsed", "adopted"].contains(&state)
    }

    /// Whether nothing can come of what a row owes.
    pub fn row_is_over(&self, pledge: usize, row: Row, t: Ms) -> bool {
        let all = self.addressees(pledge);
        all.into_iter().all(|to| Self::is_over(self.standing(pledge, row, to, usize::MAX, t)))
    }

    fn notice(&self, pledge: usize, row: Row, to: usize, t: Ms) -> Ms {
        let bound = self.bound(pledge, row, to, usize::MAX, t).filter(|_| !self.is_record(pledge));
        t + bound.and_then(|v| self.open(v)).map_or(0, |plan| plan.notice)
    }

    /// What a withdrawal of a row by `by` ends when.
    pub fn leaving(&self, pledge: usize, row: Row, by: usize, t: Ms) -> BTreeMap<usize, Ms> {
        let own = self.owner(pledge, row) == by;
        let rows = if own { vec![row] } else { self.rows(pledge) };
        let concerned = |to: &usize| self.is_record(pledge) || (*to == by) != own;
        let open = |to: &usize| {
            rows.iter().any(|r| {
                self.end(pledge, *r, *to, usize::MAX, t).is_none()
                    && !Self::is_over(self.standing(pledge, *r, *to, usize::MAX, t))
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
        let all = self.addressees(pledge).into_iter();
        all.map(|to| self.notice(pledge, Row::Author, to, t)).max().unwrap_or(t)
    }

    pub fn is_suspended_by(&self, pledge: usize, by: usize) -> bool {
        let said = self.events.iter().enumerate().rev().filter(|(_, e)| e.by == by);
        let last = said.filter_map(|(n, e)| match e.what {
            What::Suspend { of, .. } if of == pledge && !self.is_stolen(n) => Some(n),
            _ => None,
        });
        last.take(1).any(|n| {
            let resumes = |e: &Event| matches!(e.what, What::Resume { of } if of == pledge);
            !self.any(|m, e| m > n && e.by == by && resumes(e))
        })
    }

    pub fn is_told(&self, version: usize) -> bool {
        self.declared(version, usize::MAX).is_some_and(|told| !self.is_stolen(told))
    }

    pub fn pledges(&self) -> impl Iterator<Item = usize> {
        let all = self.events.iter().enumerate();
        all.filter(|(_, e)| matches!(e.what, What::Pledge { .. })).map(|(n, _)| n)
    }

    pub fn records(&self) -> impl Iterator<Item = usize> {
        (0..self.events.len()).filter(|n| self.is_record(*n))
    }

    /// Time starts anew at a moment: what was said later was said then.
    pub fn restart(&mut self, at: Ms) {
        let earlier = |t: &mut Ms, said: Ms| *t -= said.saturating_sub(at);
        for end in &mut self.disowned {
            let said = self.events[end.event].at;
            end.ends.values_mut().for_each(|t| earlier(t, said));
        }
        let moved: Vec<_> = self.events.iter().map(|e| e.at).collect();
        for (e, said) in self.events.iter_mut().zip(moved) {
            match &mut e.what {
                What::Withdraw { ends, .. } => ends.values_mut().for_each(|t| earlier(t, said)),
                What::Suspend { from, .. } => earlier(from, said),
                _ => {}
            }
            e.at = said.min(at);
        }
        let mut arisen = std::mem::take(&mut self.arisen);
        for (_, facets) in arisen.iter_mut().filter(|(key, _)| key.2.is_some()).map(|(_, arisen)| arisen) {
            for (version, _, deadline, _) in facets {
                let within = self.open(*version).expect("it was called by these terms").respond_within;
                *deadline = (*deadline).min(at + within);
            }
        }
        self.arisen = arisen;
    }
}
