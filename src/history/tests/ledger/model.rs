//! Random acts by random partners at random times, against a naive model of the rules that was written from
//! `docs/ledger.md` alone; and what must hold after each of them.

mod naive;

use super::world::*;
use crate::charter::Aspect;
use crate::charter::rules::PledgeRules;
use crate::codec::encode;
use crate::field::{Duration, Handle, Instant};
use crate::hash::{Hash, sha256};
use crate::ledger::verdict::{Owed, Verdict};
use crate::ledger::{Ledger, Line, Moment, Said, Told};
use crate::roster::{Carried, Roster};
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::*;
use naive::{HOUR, Key, Model, Ms, Plan, Row, What};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const NAMES: [&str; 4] = ["de", "fr", "it", "pl"];

/// What is said; numbers choose among what was said before.
#[derive(Clone, Debug)]
enum Say {
    Pledge(u8, Plan),
    Amend(usize, u8, Plan),
    Accept(usize),
    Join(usize),
    Withdraw(usize),
    Suspend(usize, bool),
    Need(usize, bool),
    Report { ceasefire: bool, exercise: bool, joins: Option<usize> },
    Stance(usize, bool),
    Invoke(usize, usize),
    Respond(usize, Option<u64>),
    Confirm(usize, Option<u64>),
    Grace(Ms),
}

/// Terms; days are counted from when they are said.
fn plan() -> impl Strategy<Value = Plan> {
    let of = |chance, max: u64| proptest::option::weighted(chance, (0..max).prop_map(|h| h * HOUR));
    let rare = || proptest::bool::weighted(0.2);
    let numbers = (1..5u64, 0..20u64, 0..30u64);
    (of(0.6, 60), numbers, any::<bool>(), proptest::option::of(0..3u8), rare(), rare(), of(0.2, 120))
        .prop_map(|(due, (amount, notice, within), at_most, starts, guarded, need, until)| {
            let (notice, respond_within) = (notice * HOUR, within * HOUR);
            Plan { due, amount, at_most, starts, guarded, notice, need, until, respond_within }
        })
}

fn mostly() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.85)
}

fn say() -> impl Strategy<Value = Say> {
    let n = || 0..1000usize;
    let part = || proptest::option::weighted(0.7, 0..4u64);
    let rarely = || proptest::bool::weighted(0.2);
    prop_oneof![
        3 => (1..15u8, plan()).prop_map(|(to, plan)| Say::Pledge(to, plan)),
        2 => (n(), 0..16u8, plan()).prop_map(|(of, to, plan)| Say::Amend(of, to, plan)),
        9 => n().prop_map(Say::Accept),
        2 => n().prop_map(Say::Join),
        1 => n().prop_map(Say::Withdraw),
        1 => (n(), any::<bool>()).prop_map(|(of, on)| Say::Suspend(of, on)),
        2 => (n(), mostly()).prop_map(|(of, met)| Say::Need(of, met)),
        3 => (rarely(), rarely(), proptest::option::weighted(0.3, n()))
            .prop_map(|(ceasefire, exercise, joins)| Say::Report { ceasefire, exercise, joins }),
        4 => (n(), mostly()).prop_map(|(of, agrees)| Say::Stance(of, agrees)),
        3 => (n(), n()).prop_map(|(of, incident)| Say::Invoke(of, incident)),
        6 => (n(), part()).prop_map(|(of, amount)| Say::Respond(of, amount)),
        6 => (n(), part()).prop_map(|(of, part)| Say::Confirm(of, part)),
        1 => (0..40u64).prop_map(|hours| Say::Grace(hours * HOUR)),
    ]
}

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

fn amount(n: u64) -> String {
    format!("{n} EUR")
}

fn terms_of(plan: &Plan) -> Terms {
    let bound = if plan.at_most { "at most" } else { "exactly" };
    let quantity = open(&format!("{bound} {} EUR", plan.amount));
    let trigger = plan.starts.map(|starts| Trigger {
        only_after: plan.guarded.then(|| short("ceasefire")),
        ..trigger([Starts::OnRequest, Starts::OnceEstablished, Starts::Either][usize::from(starts)])
    });
    let dues = plan.due.map(|by| Due { label: short("d"), by: moment(by), quantity: quantity.clone() });
    Terms {
        dues: dues.into_iter().collect(),
        quantity,
        trigger,
        respond_within: Some(hours(plan.respond_within)),
        notice_period: hours(plan.notice),
        valid_until: plan.until.map(moment),
        needs: if plan.need { needing().needs } else { Default::default() },
        ..terms()
    }
}

fn pick<T: Copy>(all: &[T], n: usize) -> Option<T> {
    (!all.is_empty()).then(|| all[n % all.len()])
}

impl Both {
    fn new() -> Self {
        let (ledger, roster) = WORLD.clone();
        Self { ledger, roster, model: Model::default(), now: 0 }
    }

    /// The numbers of what was said and fits.
    fn those(&self, fits: impl Fn(usize, &What) -> bool) -> Vec<usize> {
        let all = self.model.events.iter().enumerate();
        all.filter(|(n, e)| fits(*n, &e.what)).map(|(n, _)| n).collect()
    }

    fn versions(&self) -> Vec<usize> {
        self.those(|_, w| matches!(w, What::Pledge { .. } | What::Amend { .. }))
    }

    fn pledges(&self) -> Vec<usize> {
        self.model.pledges().collect()
    }

    fn reports(&self) -> Vec<usize> {
        self.those(|_, w| matches!(w, What::Report { .. }))
    }

    fn later(&self, plan: &Plan) -> Plan {
        let after = |t: Ms| t + self.now;
        Plan { due: plan.due.map(after), until: plan.until.map(after), ..plan.clone() }
    }

    fn keys(&self) -> Vec<Key> {
        let dues = self
            .pledges()
            .into_iter()
            .flat_map(|p| self.model.rows(p).into_iter().map(move |row| (p, row, None)));
        dues.chain(self.model.arisen.keys().copied().filter(|key| key.2.is_some())).collect()
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

    /// The act, and what the model makes of it: none where it breaks a rule.
    fn act(&self, by: usize, say: &Say) -> Option<(Act, Option<What>)> {
        let (m, t) = (&self.model, self.now);
        let to_of = |bits: u8| (0..4usize).filter(|n| bits & (1 << n) != 0).collect::<BTreeSet<_>>();
        let names = |to: &BTreeSet<usize>| to.iter().map(|n| NAMES[*n]).collect::<Vec<_>>().join(" ");
        let reaches = |to: &BTreeSet<usize>| !to.is_empty() && !to.contains(&by);
        Some(match say {
            Say::Pledge(bits, plan) => {
                let (to, plan) = (to_of(*bits), self.later(plan));
                let act = pledge(&names(&to), terms_of(&plan));
                (act, (reaches(&to) && fits(&plan)).then_some(What::Pledge { to, plan }))
            }
            Say::Amend(of, bits, plan) => {
                let of = pick(&self.pledges(), *of)?;
                let (to, plan) = (to_of(*bits), self.later(plan));
                let act = amend(id(of), &names(&to), terms_of(&plan));
                let may = m.events[of].by == by && !m.row_is_over(of, Row::Author, t) && reaches(&to);
                (act, (may && fits(&plan)).then_some(What::Amend { of, to, plan }))
            }
            Say::Accept(of) => {
                let of = pick(&self.versions(), *of)?;
                let pledge = m.pledge_of(of);
                let before = m.versions(pledge).into_iter().filter(|v| *v >= of).any(|v| {
                    m.events.iter().any(|e| e.by == by && matches!(e.what, What::Accept { of } if of == v))
                });
                let over = Model::is_over(m.state(pledge, Row::Author, by, usize::MAX, t));
                let may = m.terms(of).0.contains(&by) && !before && !over;
                (accept(&[id(of)]), may.then_some(What::Accept { of }))
            }
            Say::Join(of) => {
                let of = pick(&self.versions(), *of)?;
                let pledge = m.pledge_of(of);
                let before = m.events.iter().any(|e| {
                    let joins = |what: &What| matches!(what, What::Join { of: v } if m.pledge_of(*v) == pledge && *v >= of);
                    e.by == by && joins(&e.what)
                });
                let own = m.events[pledge].by == by || m.terms(of).0.contains(&by);
                let may = !own && !before && !m.row_is_over(pledge, Row::Author, t);
                (join(id(of)), may.then_some(What::Join { of }))
            }
            Say::Withdraw(of) => {
                let rows =
                    self.pledges().into_iter().flat_map(|p| m.rows(p).into_iter().map(move |row| (p, row)));
                let all: Vec<_> = rows.map(|(p, row)| if let Row::Joined(n) = row { n } else { p }).collect();
                let of = pick(&all, *of)?;
                let party = match m.events[of].what {
                    What::Join { .. } => m.events[of].by == by,
                    _ => m.events[of].by == by || m.addressees(of).contains(&by),
                };
                let ends = if party { m.leaving(of, by, t) } else { BTreeMap::new() };
                (withdraw(&[id(of)]), (!ends.is_empty()).then_some(What::Withdraw { of, ends }))
            }
            Say::Suspend(of, on) => {
                let of = pick(&self.pledges(), *of)?;
                let party = m.events[of].by == by || m.addressees(of).contains(&by);
                let may = party && !m.row_is_over(of, Row::Author, t) && m.is_suspended_by(of, by) != *on;
                let from = m.suspends_from(of, by, t);
                let what = if *on { What::Suspend { of, from } } else { What::Resume { of } };
                let kind = if *on { NoticeKind::Suspended } else { NoticeKind::Resumed };
                (notice(id(of), kind), may.then_some(what))
            }
            Say::Need(of, met) => {
                let of = pick(&self.versions(), *of)?;
                let may = m.terms(of).1.need
                    && by == naive::BENEFICIARY
                    && !m.is_told(of, t)
                    && !m.row_is_over(m.pledge_of(of), Row::Author, t);
                let kind = if *met { NoticeKind::NeedMet(0) } else { NoticeKind::NeedFailed(0) };
                (notice(id(of), kind), may.then_some(What::Need { of, met: *met }))
            }
            _ => return self.happening(by, say),
        })
    }

    /// The same of what happens outside, and of what is done about it.
    fn happening(&self, by: usize, say: &Say) -> Option<(Act, Option<What>)> {
        let m = &self.model;
        Some(match say {
            Say::Report { ceasefire, exercise, joins } => {
                let joins = joins.and_then(|n| pick(&self.reports(), n));
                let kind = if *ceasefire { "ceasefire" } else { "attack" };
                let body = Report { exercise: *exercise, joins: joins.map(id), ..reported(kind, start()) };
                let incident = joins.map_or(m.events.len(), |n| m.report(n).2);
                let may = joins.is_none_or(|n| m.report(n).1 == *exercise);
                let what = What::Report { ceasefire: *ceasefire, exercise: *exercise, incident, joins };
                (Act::Report(body), may.then_some(what))
            }
            Say::Stance(of, agrees) => {
                let of = pick(&self.reports(), *of)?;
                let act = if *agrees { attest(id(of)) } else { dispute(id(of)) };
                (act, (by != naive::BENEFICIARY).then_some(What::Stance { of, agrees: *agrees }))
            }
            Say::Invoke(of, incident) => {
                let of = pick(&self.pledges(), *of)?;
                let incident = pick(&self.reports(), *incident).map(|n| m.report(n).2)?;
                let facing = m.rows(of).into_iter().flat_map(|row| m.facing(of, row, incident));
                let may =
                    facing.filter(|(v, _)| matches!(m.terms(*v).1.starts, Some(0 | 2))).any(|f| f.1 == by);
                (invoke(&[id(of)], Some(id(incident))), may.then_some(What::Invoke))
            }
            Say::Respond(of, claim) => {
                let key = pick(&self.keys(), *of)?;
                let owed = m.arisen.contains_key(&key) || !m.due(key.0, key.1, Some(self.now)).is_empty();
                let may = owed && m.owner(key.0, key.1) == by;
                let act = match claim {
                    Some(n) => deliver(self.obligation(key), &amount(*n)),
                    None => respond(self.obligation(key), Answer::Declined),
                };
                (act, may.then_some(What::Respond { key, amount: *claim }))
            }
            Say::Confirm(of, part) => {
                let of = pick(&self.those(|_, w| matches!(w, What::Respond { .. })), *of)?;
                let What::Respond { key, amount: claimed } = &m.events[of].what else { return None };
                let owed_to = m.arisen[key].1.iter().any(|f| f.1 == by);
                let may = owed_to && claimed.is_some_and(|c| part.is_none_or(|p| p <= c));
                let act = part.map_or_else(|| confirm(id(of)), |n| confirm_part(id(of), &amount(n)));
                (act, may.then_some(What::Confirm { of, part: *part }))
            }
            _ => return None,
        })
    }

    /// Says it to both, and compares. Where it is steered, somebody says it who may, if anybody may.
    fn say(&mut self, by: usize, steered: bool, say: &Say) {
        let may = |by: &usize| matches!(self.act(*by, say), Some((_, Some(_))));
        let by = (by..by + 4).map(|n| n % 4).find(may).filter(|_| steered).unwrap_or(by);
        let n = self.model.events.len();
        let said = Said {
            index: self.roster.last.index + 1 + u64::try_from(n).expect("few"),
            id: id(n),
            at: moment(self.now),
            by: handle(NAMES[by]),
        };
        if let Say::Grace(grace) = say {
            return self.change_rules(&said, by, *grace);
        }
        let Some((act, mut what)) = self.act(by, say) else { return };
        if let (Some(What::Invoke), Act::Invoke(body)) = (&what, &act) {
            let number = |hash: Hash| (0..n).find(|n| id(*n) == hash).expect("said before");
            let (pledge, incident) = (number(body.pledges[0]), number(body.incident.expect("given")));
            let report = self.model.established.get(&incident).map_or(incident, |(report, _)| *report);
            self.model.events.push(naive::Event { by, at: self.now, what: What::Invoke });
            what = self.model.call(pledge, incident, report, n, &[0, 2]).then_some(What::Invoke);
            self.model.events.pop();
        }
        let before = encode(&self.ledger);
        let told = Told { said: &said, class: act.kind().classes()[0], act: &act, roster: &self.roster };
        let taken = self.ledger.take(&told);
        assert_eq!(taken.is_ok(), what.is_some(), "{n} {by}: {say:?} {taken:?}");
        assert!(taken.is_ok() || encode(&self.ledger) == before, "void, it changed something");
        let what = what.unwrap_or(What::Void);
        self.model.events.push(naive::Event { by, at: self.now, what: what.clone() });
        match what {
            What::Report { joins, .. } => {
                [Some(n), joins].into_iter().flatten().for_each(|r| self.model.establish(r, n))
            }
            What::Stance { of, .. } => self.model.establish(of, n),
            What::Respond { key, .. } if !self.model.arisen.contains_key(&key) => {
                let facets = self.model.due(key.0, key.1, Some(self.now));
                self.model.arisen.insert(key, (n, facets));
            }
            _ => {}
        }
    }

    fn change_rules(&mut self, said: &Said, by: usize, grace: Ms) {
        let before = self.lines(self.now);
        let pledges = PledgeRules { filing_grace: hours(grace), ..PledgeRules::default() };
        let rules = crate::charter::Rules { pledges, ..self.roster.charter.rules.clone() };
        let what = Motion::Rules { rules: rules.clone(), replaces: NOTHING };
        let carried = Carried { motion: said.id, what, approved_by: BTreeSet::new() };
        self.ledger.govern(said, None, Some(&carried));
        self.roster.charter.rules = rules;
        self.model.events.push(naive::Event { by, at: self.now, what: What::Grace(grace) });
        assert_eq!(before, self.lines(self.now), "a change of rules altered what arose before");
    }

    /// What the ledger says is owed, in the model's words.
    fn lines(&self, at: Ms) -> Vec<naive::Line> {
        let numbers: BTreeMap<Hash, usize> = (0..self.model.events.len()).map(|n| (id(n), n)).collect();
        let who = |h: &Handle| NAMES.iter().position(|name| *name == h.as_str()).expect("a partner");
        let since = |i: Instant| i.ms() - moment(0).ms();
        let number = |text: String| text.parse().expect("a small sum");
        let line = |o: &Owed<'_>| {
            let row = match o.line {
                Line::Author => Row::Author,
                Line::Join(_) => Row::Joined(numbers[&o.key.pledge]),
            };
            let call = Ledger::call_of(&o.key).map(|id| numbers[&id]);
            let sums = o.measured.as_ref().expect("all are measured");
            let version = numbers[&o.pledge.version(o.facet.version).said.id];
            let (claimed, confirmed) = (number(sums.claimed.to_string()), number(sums.confirmed.to_string()));
            let key = (numbers[&o.pledge.said.id], row, call);
            let to = o.facet.to.iter().map(who).collect();
            (
                key,
                version,
                to,
                o.verdict.words(),
                since(o.deadline.expect("all have one")),
                claimed,
                confirmed,
            )
        };
        let mut lines: Vec<_> = self.ledger.owed(Moment::at(moment(at))).iter().map(line).collect();
        lines.sort();
        lines
    }

    fn agree(&self) {
        for at in [self.now, self.now + 25 * HOUR, self.now + 500 * HOUR] {
            for pledge in self.pledges() {
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
        let owed = self.ledger.owed(Moment::at(moment(self.now)));
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
        for report in self.ledger.reports() {
            for aspect in [Aspect::Occurred, Aspect::Kind] {
                let (yes, no) = report.tally(aspect);
                assert!(yes + no <= 3, "three partners count, each once");
            }
        }
    }
}

fn fits(plan: &Plan) -> bool {
    plan.until.is_none_or(|until| moment(until) >= start())
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
