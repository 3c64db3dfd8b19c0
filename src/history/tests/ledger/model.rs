//! Random acts by random partners at random times, against a naive model of the rules that was written from
//! `docs/ledger.md` alone; and what must hold after each of them. Among what happens: rules that change, keys that are
//! stolen and what they said disowned, a clock that is set back with a new operator.

mod happens;
mod naive;
mod say;

use super::world::*;
use crate::charter::Aspect;
use crate::charter::rules::PledgeRules;
use crate::codec::encode;
use crate::field::{Class, Duration, Handle, Instant};
use crate::hash::{Hash, sha256};
use crate::ledger::answers::{Filter, Status};
use crate::ledger::verdict::{Owed, Verdict};
use crate::ledger::{Ledger, Line, Moment, Said, Told};
use crate::roster::{Carried, Roster};
use crate::statement::Act;
use crate::statement::body::{Motion, Obligation, Occasion};
use happens::Line as Owes;
use naive::{Event, HOUR, Key, Model, Ms, Row, Rules, What};
use proptest::prelude::*;
use say::{Say, mostly, say};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const NAMES: [&str; 4] = ["de", "fr", "it", "pl"];

/// Ledger and model side by side.
struct Both {
    ledger: Ledger,
    roster: Roster,
    model: Model,
    now: Ms,
}

static WORLD: LazyLock<(Ledger, Roster)> = LazyLock::new(|| {
    let w = World::new();
    (w.ledger().clone(), w.log.roster().clone())
});

fn moment(at: Ms) -> Instant {
    day(1).plus_ms(at)
}

fn id(n: usize) -> Hash {
    sha256(&n.to_be_bytes())
}

fn hours(ms: Ms) -> Duration {
    Duration::new(0, 0, ms).expect("few hours")
}

fn number(sum: &str) -> u64 {
    sum.replace(',', "").parse().expect("a small sum")
}

impl Both {
    fn new() -> Self {
        let (ledger, roster) = WORLD.clone();
        Self { ledger, roster, model: Model::default(), now: 0 }
    }

    fn index(&self, n: usize) -> u64 {
        self.roster.last.index + 1 + u64::try_from(n).expect("few")
    }

    fn line(&self, pledge: usize, row: Row) -> Hash {
        match row {
            Row::Author => id(pledge),
            Row::Joined(n) => id(n),
        }
    }

    fn obligation(&self, (pledge, row, call): Key) -> Obligation {
        let occasion = call.map_or(Occasion::Due(0), |incident| Occasion::Call(id(incident)));
        Obligation { pledge: self.line(pledge, row), occasion }
    }

    /// Says it to both, and compares. Where it is steered, somebody says it who may, if anybody may.
    fn say(&mut self, by: usize, steered: bool, say: &Say) {
        let may = |by: &usize| matches!(self.act(*by, say), Some((_, Some(_))));
        let by = (by..by + 4).map(|n| n % 4).find(may).filter(|_| steered).unwrap_or(by);
        let n = self.model.events.len();
        let said = Said { index: self.index(n), id: id(n), at: moment(self.now), by: handle(NAMES[by]) };
        match say {
            Say::Rules(rules) => return self.change_rules(&said, by, *rules),
            Say::Rekey(back, bits) => return self.rekey(&said, by, n.saturating_sub(*back), *bits),
            Say::Restart(back) => return self.restart(said, by, *back),
            _ => {}
        }
        let Some((act, mut what)) = self.act(by, say) else { return };
        if let (Some(What::Invoke), Act::Invoke(body)) = (&what, &act) {
            let number = |hash: Hash| (0..n).find(|n| id(*n) == hash).expect("said before");
            let (pledge, incident) = (number(body.pledges[0]), number(body.incident.expect("given")));
            self.model.events.push(Event { by, at: self.now, what: What::Invoke });
            let report = self.model.standing_report(incident);
            let called = report.is_some_and(|report| self.model.call(pledge, incident, report, n, &[0, 2]));
            what = called.then_some(What::Invoke);
            self.model.events.pop();
        }
        let before = encode(&self.ledger);
        let told = Told { said: &said, class: self.class(&act), act: &act, roster: &self.roster };
        let taken = self.ledger.take(&told);
        assert_eq!(taken.is_ok(), what.is_some(), "{n} {by}: {say:?} {taken:?}");
        assert!(taken.is_ok() || encode(&self.ledger) == before, "void, it changed something");
        let what = what.unwrap_or(What::Void);
        self.model.events.push(Event { by, at: self.now, what: what.clone() });
        match what {
            What::Report { joins, .. } => {
                [Some(n), joins].into_iter().flatten().for_each(|r| self.model.establish(r, n))
            }
            What::Stance { of, .. } => self.model.establish(of, n),
            What::Respond { key, .. } if key.2.is_none() => {
                let mut facets = self.model.facets(key, Some(self.now));
                facets.iter_mut().filter(|f| f.3 == usize::MAX).for_each(|f| f.3 = n);
                self.model.arisen.entry(key).or_insert((n, Vec::new())).1 = facets;
            }
            _ => {}
        }
    }

    /// A record is dealt with in class observe.
    fn class(&self, act: &Act) -> Class {
        let of = match act {
            Act::Amend(body) => Some(body.statement),
            Act::Withdraw(body) => match &body.from {
                crate::statement::body::Withdrawn::Pledges(ids) => ids.first().copied(),
                crate::statement::body::Withdrawn::Agreement(_) => None,
            },
            _ => None,
        };
        let record = of.and_then(|id| self.ledger.pledge_of(&id)).is_some_and(|p| p.is_record());
        if record { Class::Observe } else { act.kind().classes()[0] }
    }

    fn carry(&mut self, said: &Said, by: usize, what: Motion, event: What, approved: &BTreeSet<usize>) {
        let approved_by = approved.iter().map(|n| handle(NAMES[*n])).collect();
        let carried = Carried { motion: said.id, what, approved_by };
        self.ledger.govern(said, None, Some(&carried));
        self.model.events.push(Event { by, at: self.now, what: event });
    }

    fn change_rules(&mut self, said: &Said, by: usize, rules: Rules) {
        let before = self.lines(self.now);
        let pledges = PledgeRules {
            filing_grace: hours(rules.grace),
            tolerance: ["0", "0.25", "0.5"][usize::try_from(rules.tolerance).expect("small")]
                .parse()
                .expect("a share"),
            need_acceptance: !rules.at_once,
        };
        let of = crate::charter::Rules { pledges, ..self.roster.charter.rules.clone() };
        let motion = Motion::Rules { rules: of.clone(), replaces: NOTHING };
        self.carry(said, by, motion, What::Rules(rules), &BTreeSet::new());
        self.roster.charter.rules = of;
        assert_eq!(before, self.lines(self.now), "a change of rules altered what arose before");
    }

    /// `by` gets new keys; what it said from an event on is disowned.
    fn rekey(&mut self, said: &Said, by: usize, from: usize, bits: u8) {
        let arisen = |lines: Vec<Owes>| -> BTreeSet<_> {
            let arose = |l: &Owes| l.0.2.is_some() || l.4 <= self.now;
            lines.into_iter().filter(arose).map(|l| (l.0, l.1, l.2, l.4)).collect()
        };
        let before = arisen(self.lines(self.now));
        let approved = (0..4).filter(|n| *n != by && bits & (1 << n) != 0).collect();
        let (handle, disown_from) = (handle(NAMES[by]), Some(self.index(from)));
        let motion = Motion::Rekey { handle, keys: NOTHING, disown_from };
        self.carry(said, by, motion, What::Rekey { target: by, from }, &approved);
        self.model.disown(by, from, &approved);
        let after = self.lines(self.now);
        let arose = |l: &Owes| l.0.2.is_some() || l.4 <= self.now;
        let after: BTreeSet<_> = after.into_iter().filter(arose).map(|l| (l.0, l.1, l.2, l.4)).collect();
        assert_eq!(before, after, "what has arisen stays");
    }

    /// The log's time starts anew, so much earlier.
    fn restart(&mut self, said: Said, by: usize, back: Ms) {
        self.now = self.now.saturating_sub(back);
        let said = Said { at: moment(self.now), ..said };
        let motion = Motion::Operator { vkey: short("next"), keys: NOTHING, replaces: NOTHING };
        self.model.restart(self.now);
        self.carry(&said, by, motion, What::Void, &BTreeSet::new());
    }

    /// What the ledger says is owed, in the model's words.
    fn lines(&self, at: Ms) -> Vec<Owes> {
        let numbers: BTreeMap<Hash, usize> = (0..self.model.events.len()).map(|n| (id(n), n)).collect();
        let who = |h: &Handle| NAMES.iter().position(|name| *name == h.as_str()).expect("a partner");
        let since = |i: Instant| i.ms() - moment(0).ms();
        let line = |o: &Owed<'_>| {
            let row = match o.line {
                Line::Author => Row::Author,
                Line::Join(_) => Row::Joined(numbers[&o.key.pledge]),
            };
            let call = Ledger::call_of(&o.key).map(|id| numbers[&id]);
            let sums = o.measured.as_ref().expect("all are measured");
            let version = numbers[&o.pledge.version(o.facet.version).said.id];
            let sum = |sum: &crate::field::Sum| number(&sum.to_string());
            let key = (numbers[&o.pledge.said.id], row, call);
            let (deadline, to) =
                (since(o.deadline.expect("all have one")), o.facet.to.iter().map(who).collect());
            (key, version, to, o.verdict.words(), deadline, sum(&sums.claimed), sum(&sums.confirmed))
        };
        let mut lines: Vec<_> = self.ledger.owed(Moment::at(moment(at))).iter().map(line).collect();
        lines.sort();
        lines
    }

    fn agree(&self) {
        for at in [self.now, self.now + 25 * HOUR, self.now + 500 * HOUR] {
            for pledge in self.model.pledges().chain(self.model.records()) {
                for row in self.model.rows(pledge) {
                    let (of, line) = self.ledger.line(&self.line(pledge, row)).expect("a line");
                    for to in self.model.addressees(pledge) {
                        let got = of.state(line, &handle(NAMES[to]), Moment::at(moment(at)));
                        let want = self.model.state(pledge, row, to, usize::MAX, at);
                        assert_eq!(got.word(), want, "pledge {pledge} {row:?} towards {to}");
                    }
                }
            }
            assert_eq!(self.lines(at), self.model.owed(at));
        }
        let established: Vec<_> =
            self.ledger.incidents().iter().filter(|i| i.established.is_some()).collect();
        assert_eq!(established.len(), self.model.established.len());
    }

    /// What must hold whatever is said.
    fn hold(&self) {
        let when = Moment::at(moment(self.now));
        let owed = self.ledger.owed(when);
        let mut seen = BTreeSet::new();
        for o in &owed {
            for to in o.facet.to.iter() {
                assert!(seen.insert((o.key.clone(), to.clone())), "one verdict towards each");
            }
            let sums = o.measured.as_ref().expect("measured");
            assert!(sums.confirmed <= sums.claimed, "no more is confirmed than claimed");
            let mut outstanding = sums.outstanding();
            outstanding.add(&sums.confirmed);
            assert!(outstanding >= sums.promised, "confirmed and outstanding add up to what was promised");
            if matches!(o.verdict, Verdict::Kept | Verdict::KeptLate | Verdict::PartKept) {
                let recorded = o.obligation.expect("somebody said so");
                let answered = recorded.responses.iter().map(|r| r.said.index).min().expect("a response");
                assert!(recorded.arose.index <= answered, "it arose before it was kept");
            }
        }
        self.totals_add_up(&owed, when);
        for report in self.ledger.reports() {
            for aspect in [Aspect::Occurred, Aspect::Kind] {
                let (yes, no) = report.tally(aspect);
                assert!(yes + no <= 3, "three partners count, each once");
            }
        }
    }

    /// What was confirmed altogether is the sum of what was confirmed of each, every occasion counted once.
    fn totals_add_up(&self, owed: &[Owed<'_>], when: Moment) {
        let mut by_key: BTreeMap<_, &Owed<'_>> = BTreeMap::new();
        for o in owed.iter().filter(|o| !o.is_exercise()) {
            let last = by_key.entry(&o.key).or_insert(o);
            if o.facet.version >= last.facet.version {
                *last = o;
            }
        }
        let sums = by_key.values().map(|o| o.measured.as_ref().expect("measured"));
        let each: u64 = sums.map(|m| number(&m.confirmed.to_string())).sum();
        let totals = Status::of(&self.ledger, when, &Filter::default()).totals;
        let confirmed = totals.by.iter().filter_map(|t| t.confirmed.as_ref());
        assert_eq!(confirmed.map(|sum| number(&sum.to_string())).sum::<u64>(), each, "totals add up");
        for total in &totals.by {
            assert!(total.outstanding <= total.promised, "no more is outstanding than promised");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_said_the_ledger_follows_the_rules(
        all in proptest::collection::vec((0..4usize, mostly(), 0..9u64, say()), 1..90)
    ) {
        let mut both = Both::new();
        for (by, steered, wait, say) in &all {
            both.now += wait * HOUR;
            both.say(*by, *steered, say);
            both.hold();
        }
        both.agree();
    }
}
