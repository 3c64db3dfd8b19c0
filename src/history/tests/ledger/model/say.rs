//! What is said in the model's test: drawn at random, made into acts, and what the model makes of it.

use super::super::world::*;
use super::naive::{self, Bound, Claim, Got, HOUR, Key, Model, Ms, Plan, Row, Rules, What};
use super::{Both, NAMES, hours, id, moment};
use crate::charter::Sealable;
use crate::codec::encode;
use crate::hash::Hash;
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::{Due, OwedBy, Starts, Terms, Trigger};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What is said; numbers choose among what was said before.
#[derive(Clone, Debug)]
pub enum Say {
    Pledge(u8, Plan),
    Record(usize, u8, Plan),
    Adopt(usize),
    Amend(usize, u8, Plan),
    Accept(usize),
    Join(usize),
    Withdraw(usize),
    Suspend(usize, bool),
    Need(usize, bool),
    Reveal(usize),
    Report {
        ceasefire: bool,
        exercise: bool,
        joins: Option<usize>,
        supersedes: Option<usize>,
    },
    Stance(usize, bool),
    Invoke(usize, usize),
    Respond(usize, Claim),
    Confirm(usize, Got),
    Rules(Rules),
    /// How many of the last events count as a thief's, and who approves.
    Rekey(usize, u8),
    Restart(Ms),
}

/// Terms; days are counted from when they are said.
fn plan() -> impl Strategy<Value = Plan> {
    let of = |chance, max: u64| proptest::option::weighted(chance, (0..max).prop_map(|h| h * HOUR));
    let rare = || proptest::bool::weighted(0.2);
    let numbers = (1..5u64, 0..20u64, 0..30u64);
    let bound =
        prop_oneof![Just(Bound::Exactly), Just(Bound::AtMost), Just(Bound::AtLeast), Just(Bound::About)];
    let joint = proptest::option::weighted(0.15, 0..4usize);
    let trigger = (proptest::option::of(0..3u8), rare());
    let sealed = proptest::bool::weighted(0.1);
    (of(0.6, 60), numbers, bound, trigger, rare(), of(0.2, 120), joint, sealed).prop_map(
        |(due, (amount, notice, within), bound, (starts, guarded), need, until, joint, sealed)| {
            let (notice, respond_within) = (notice * HOUR, within * HOUR);
            Plan { due, amount, bound, starts, guarded, notice, need, until, respond_within, joint, sealed }
        },
    )
}

pub fn mostly() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.85)
}

pub fn say() -> impl Strategy<Value = Say> {
    let n = || 0..1000usize;
    let rarely = || proptest::bool::weighted(0.2);
    let claim = prop_oneof![
        5 => (0..4u64).prop_map(Claim::Part), 2 => Just(Claim::Whole), 1 => Just(Claim::Declined),
        1 => Just(Claim::Acknowledged),
    ];
    let got = prop_oneof![4 => (0..4u64).prop_map(Got::Part), 3 => Just(Got::Full), 1 => Just(Got::Nothing)];
    let rules = (0..40u64, 0..3u64, rarely()).prop_map(|(grace, tolerance, at_once)| Rules {
        grace: grace * HOUR,
        tolerance,
        at_once,
    });
    let some = |chance| proptest::option::weighted(chance, n());
    prop_oneof![
        3 => (1..15u8, plan()).prop_map(|(to, plan)| Say::Pledge(to, plan)),
        1 => (0..4usize, 1..15u8, plan()).prop_map(|(who, to, plan)| Say::Record(who, to, plan)),
        1 => n().prop_map(Say::Adopt),
        2 => (n(), 0..16u8, plan()).prop_map(|(of, to, plan)| Say::Amend(of, to, plan)),
        9 => n().prop_map(Say::Accept),
        3 => n().prop_map(Say::Join),
        1 => n().prop_map(Say::Withdraw),
        1 => (n(), any::<bool>()).prop_map(|(of, on)| Say::Suspend(of, on)),
        2 => (n(), mostly()).prop_map(|(of, met)| Say::Need(of, met)),
        1 => n().prop_map(Say::Reveal),
        3 => (rarely(), rarely(), some(0.3), some(0.15)).prop_map(|(ceasefire, exercise, joins, supersedes)| {
            Say::Report { ceasefire, exercise, joins, supersedes }
        }),
        4 => (n(), mostly()).prop_map(|(of, agrees)| Say::Stance(of, agrees)),
        3 => (n(), n()).prop_map(|(of, incident)| Say::Invoke(of, incident)),
        6 => (n(), claim).prop_map(|(of, claim)| Say::Respond(of, claim)),
        6 => (n(), got).prop_map(|(of, got)| Say::Confirm(of, got)),
        1 => rules.prop_map(Say::Rules),
        1 => (0..25usize, 0..16u8).prop_map(|(back, who)| Say::Rekey(back, who)),
        1 => (0..90u64).prop_map(|back| Say::Restart(back * HOUR)),
    ]
}

fn amount(n: u64) -> String {
    format!("{n} EUR")
}

/// The terms of a plan, promised by this one.
fn terms_of(plan: &Plan, promisor: usize) -> Terms {
    let bound = match plan.bound {
        Bound::Exactly => "exactly",
        Bound::AtMost => "at most",
        Bound::AtLeast => "at least",
        Bound::About => "about",
    };
    let quantity = open(&format!("{bound} {} EUR", plan.amount));
    let trigger = plan.starts.map(|starts| Trigger {
        only_after: plan.guarded.then(|| short("ceasefire")),
        ..trigger([Starts::OnRequest, Starts::OnceEstablished, Starts::Either][usize::from(starts)])
    });
    let dues = plan.due.map(|by| Due { label: short("d"), by: moment(by), quantity: quantity.clone() });
    let owed_by = plan.joint.map_or(OwedBy::Author, |joint| {
        OwedBy::Jointly(
            [promisor, joint]
                .into_iter()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .map(|n| handle(NAMES[n]))
                .collect(),
        )
    });
    Terms {
        dues: dues.into_iter().collect(),
        quantity,
        trigger,
        owed_by,
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

/// Whether terms end after they begin; sealed, nobody can tell.
fn fits(plan: &Plan) -> bool {
    plan.until.is_none_or(|until| moment(until) >= start())
}

impl Both {
    /// The numbers of what was said and fits.
    fn those(&self, fits: impl Fn(usize, &What) -> bool) -> Vec<usize> {
        let all = self.model.events.iter().enumerate();
        all.filter(|(n, e)| fits(*n, &e.what)).map(|(n, _)| n).collect()
    }

    fn versions(&self) -> Vec<usize> {
        self.those(|_, w| matches!(w, What::Pledge { .. } | What::Record { .. } | What::Amend { .. }))
    }

    fn commitments(&self) -> Vec<usize> {
        self.those(|_, w| matches!(w, What::Pledge { .. } | What::Record { .. }))
    }

    fn reports(&self) -> Vec<usize> {
        self.those(|_, w| matches!(w, What::Report { .. }))
    }

    fn later(&self, plan: &Plan) -> Plan {
        let after = |t: Ms| t + self.now;
        Plan { due: plan.due.map(after), until: plan.until.map(after), ..plan.clone() }
    }

    fn keys(&self) -> Vec<Key> {
        let m = &self.model;
        let dues = m.pledges().flat_map(|p| m.rows(p).into_iter().map(move |row| (p, row, None)));
        dues.chain(m.arisen.keys().copied().filter(|key| key.2.is_some())).collect()
    }

    /// The terms as they are said, under seal or not. `promisor` owes; `by` says it, and seals it.
    fn said(&self, plan: &Plan, promisor: usize, by: usize) -> Sealable<Terms> {
        let terms = terms_of(plan, promisor);
        if plan.sealed { Sealable::Sealed(self.seal(&terms, by)) } else { Sealable::Open(terms) }
    }

    fn seal(&self, terms: &Terms, by: usize) -> Hash {
        crate::seal::seal(&self.roster.log, &handle(NAMES[by]), &salt(), &short("terms"), &encode(terms))
    }

    fn promisor(&self, pledge: usize) -> usize {
        match self.model.events[pledge].what {
            What::Record { promisor, .. } => promisor,
            _ => self.model.events[pledge].by,
        }
    }

    /// The act, and what the model makes of it: none where it breaks a rule.
    pub fn act(&self, by: usize, say: &Say) -> Option<(Act, Option<What>)> {
        let (m, t) = (&self.model, self.now);
        let to_of = |bits: u8| (0..4usize).filter(|n| bits & (1 << n) != 0).collect::<BTreeSet<_>>();
        let names = |to: &BTreeSet<usize>| to.iter().map(|n| handle(NAMES[*n])).collect();
        let good = |plan: &Plan| plan.sealed || fits(plan);
        let reaches = |to: &BTreeSet<usize>, promisor| !to.is_empty() && !to.contains(&promisor);
        Some(match say {
            Say::Pledge(bits, plan) => {
                let (to, plan) = (to_of(*bits), self.later(plan));
                let act = Act::Pledge(Pledge { to: names(&to), terms: self.said(&plan, by, by) });
                let may = reaches(&to, by) && good(&plan);
                (act, may.then_some(What::Pledge { to, plan, adopts: None }))
            }
            Say::Record(promisor, bits, plan) => {
                let (to, plan, promisor) = (to_of(*bits), self.later(plan), *promisor);
                let terms = self.said(&plan, promisor, by);
                let who = Party::Handle(handle(NAMES[promisor]));
                let act = Act::Record(Record { promisor: who, to: names(&to), terms, source: long("") });
                let may = [1, 3].contains(&by) && promisor != by && reaches(&to, promisor) && good(&plan);
                (act, may.then_some(What::Record { promisor, to, plan }))
            }
            Say::Adopt(of) => {
                let of = pick(&self.commitments(), *of)?;
                let may = m.is_record(of) && self.promisor(of) == by && !m.row_is_over(of, Row::Author, t);
                let last = *m.versions(of).last().expect("it has one");
                let (to, plan) = m.terms(last);
                let what = What::Pledge { to: to.clone(), plan: plan.clone(), adopts: Some(of) };
                (adopt(id(of)), (may && m.is_adopted(of).is_none()).then_some(what))
            }
            Say::Amend(of, bits, plan) => {
                let of = pick(&self.commitments(), *of)?;
                let (to, plan) = (to_of(*bits), self.later(plan));
                let terms = self.said(&plan, self.promisor(of), by);
                let act = Act::Amend(Amend { statement: id(of), to: names(&to), terms });
                let may = m.events[of].by == by && !m.row_is_over(of, Row::Author, t);
                let may = may && reaches(&to, self.promisor(of)) && good(&plan);
                (act, may.then_some(What::Amend { of, to, plan }))
            }
            _ => return self.answered(by, say),
        })
    }

    /// What is said to a version of a pledge: who stands by it, who leaves it, what became of its needs.
    fn answered(&self, by: usize, say: &Say) -> Option<(Act, Option<What>)> {
        let (m, t) = (&self.model, self.now);
        Some(match say {
            Say::Accept(of) => {
                let of = pick(&self.versions(), *of)?;
                let pledge = m.pledge_of(of);
                let before =
                    m.versions(pledge).into_iter().filter(|v| *v >= of).any(|v| {
                        m.any(|_, e| e.by == by && matches!(e.what, What::Accept { of } if of == v))
                    });
                let over = Model::is_over(m.state(pledge, Row::Author, by, usize::MAX, t));
                let may = m.terms(of).0.contains(&by) && !before && !over && !m.is_record(pledge);
                (accept(&[id(of)]), (may && !m.is_disowned(of)).then_some(What::Accept { of }))
            }
            Say::Join(of) => {
                let of = pick(&self.versions(), *of)?;
                (join(id(of)), self.joins(by, of))
            }
            Say::Withdraw(of) => {
                let rows = self
                    .commitments()
                    .into_iter()
                    .flat_map(|p| m.rows(p).into_iter().map(move |row| (p, row)));
                let all: Vec<_> = rows.map(|(p, row)| if let Row::Joined(n) = row { n } else { p }).collect();
                let of = pick(&all, *of)?;
                let (pledge, row) = m.row_of(of);
                let addressed =
                    row == Row::Author && !m.is_record(pledge) && m.addressees(pledge).contains(&by);
                let party = m.owner(pledge, row) == by || addressed;
                let ends = if party { m.leaving(pledge, row, by, t) } else { Default::default() };
                (withdraw(&[id(of)]), (!ends.is_empty()).then_some(What::Withdraw { of, ends }))
            }
            Say::Suspend(of, on) => {
                let of = pick(&self.commitments(), *of)?;
                let party = m.events[of].by == by || m.addressees(of).contains(&by);
                let may = party && !m.row_is_over(of, Row::Author, t) && m.is_suspended_by(of, by) != *on;
                let from = m.suspends_from(of, by, t);
                let what = if *on { What::Suspend { of, from } } else { What::Resume { of } };
                let kind = if *on { NoticeKind::Suspended } else { NoticeKind::Resumed };
                (notice(id(of), kind), (may && !m.is_record(of)).then_some(what))
            }
            Say::Need(of, met) => {
                let of = pick(&self.versions(), *of)?;
                let may = m.open(of).is_some_and(|plan| plan.need)
                    && by == naive::BENEFICIARY
                    && !m.is_told(of)
                    && !m.is_record(m.pledge_of(of))
                    && !m.row_is_over(m.pledge_of(of), Row::Author, t);
                let kind = if *met { NoticeKind::NeedMet(0) } else { NoticeKind::NeedFailed(0) };
                (notice(id(of), kind), may.then_some(What::Need { of, met: *met }))
            }
            Say::Reveal(of) => {
                let of = pick(&self.versions(), *of)?;
                let (pledge, plan) = (m.pledge_of(of), m.terms(of).1);
                let value = terms_of(plan, self.promisor(pledge));
                let own = plan.sealed && m.source(of) == of && m.events[of].by == by;
                let may = own && m.open(of).is_none() && fits(plan);
                (reveal(id(of), "terms", &value), may.then_some(What::Reveal { of }))
            }
            _ => return self.happening(by, say),
        })
    }

    fn joins(&self, by: usize, of: usize) -> Option<What> {
        let m = &self.model;
        let pledge = m.pledge_of(of);
        let jointly = m.open(of).is_some_and(|plan| plan.joint == Some(by));
        let before = m.any(|_, e| match e.what {
            What::Join { of: v, jointly: true } => jointly && v == of && e.by == by,
            What::Join { of: v, jointly: false } => {
                !jointly && m.pledge_of(v) == pledge && v >= of && e.by == by
            }
            _ => false,
        });
        let own = m.events[pledge].by == by || m.terms(of).0.contains(&by);
        let may = !own && !before && !m.row_is_over(pledge, Row::Author, self.now);
        (may && !m.is_record(pledge) && !m.is_disowned(of)).then_some(What::Join { of, jointly })
    }

    /// The report, where it breaks no rule.
    fn reports_as(
        &self,
        by: usize,
        says: (bool, bool),
        joins: Option<usize>,
        supersedes: Option<usize>,
    ) -> Option<What> {
        let m = &self.model;
        let (ceasefire, exercise) = says;
        let named: Vec<usize> = joins.into_iter().chain(supersedes).collect();
        let incidents: BTreeSet<usize> = named.iter().map(|n| m.report(*n).2).collect();
        let alike = named.iter().all(|n| m.report(*n).1 == exercise && !m.is_superseded(*n));
        let own = supersedes.is_none_or(|n| m.events[n].by == by);
        let incident = incidents.first().copied().unwrap_or(m.events.len());
        let what = What::Report { ceasefire, exercise, incident, joins, supersedes };
        (alike && own && incidents.len() <= 1).then_some(what)
    }

    /// The same of what happens outside, and of what is done about it.
    fn happening(&self, by: usize, say: &Say) -> Option<(Act, Option<What>)> {
        let m = &self.model;
        Some(match say {
            Say::Report { ceasefire, exercise, joins, supersedes } => {
                let of = |n: &Option<usize>| n.and_then(|n| pick(&self.reports(), n));
                let (joins, supersedes) = (of(joins), of(supersedes));
                let kind = if *ceasefire { "ceasefire" } else { "attack" };
                let (joined, replaced) = (joins.map(id), supersedes.map(id));
                let body = Report {
                    exercise: *exercise,
                    joins: joined,
                    supersedes: replaced,
                    ..reported(kind, start())
                };
                (Act::Report(body), self.reports_as(by, (*ceasefire, *exercise), joins, supersedes))
            }
            Say::Stance(of, agrees) => {
                let of = pick(&self.reports(), *of)?;
                let act = if *agrees { attest(id(of)) } else { dispute(id(of)) };
                let may = by != naive::BENEFICIARY && !m.is_superseded(of);
                (act, may.then_some(What::Stance { of, agrees: *agrees }))
            }
            Say::Invoke(of, incident) => {
                let of = pick(&self.commitments(), *of)?;
                let incident = pick(&self.reports(), *incident).map(|n| m.report(n).2)?;
                let facing = m.rows(of).into_iter().flat_map(|row| m.facing(of, row, incident));
                let may =
                    facing.filter(|(v, _)| matches!(m.open(*v).and_then(|plan| plan.starts), Some(0 | 2)));
                let may = may.filter(|_| !m.is_record(of)).any(|f| f.1 == by);
                (invoke(&[id(of)], Some(id(incident))), may.then_some(What::Invoke))
            }
            Say::Respond(of, claim) => {
                let key = pick(&self.keys(), *of)?;
                let owing = |f: &naive::Facet| m.owing(key.0, key.1, f.0).contains(&by);
                let may = m.facets(key, Some(self.now)).iter().any(owing);
                let obligation = self.obligation(key);
                let act = match claim {
                    Claim::Part(n) => deliver(obligation, &amount(*n)),
                    Claim::Whole => deliver(obligation, ""),
                    Claim::Declined => respond(obligation, Answer::Declined),
                    Claim::Acknowledged => respond(obligation, Answer::Acknowledged),
                };
                (act, may.then_some(What::Respond { key, claim: *claim }))
            }
            Say::Confirm(of, got) => {
                let of = pick(&self.those(|_, w| matches!(w, What::Respond { .. })), *of)?;
                let What::Respond { key, claim } = &m.events[of].what else { return None };
                let arisen = &m.arisen[key].1;
                let all = m.facets(*key, None);
                let arose = |f: &&naive::Facet| f.3 != usize::MAX || f.2 <= self.now;
                let owed_to = all.iter().filter(arose).any(|f| f.1 == by);
                let most = match claim {
                    Claim::Part(n) => Some(*n),
                    Claim::Whole => arisen.iter().filter_map(|f| Some(m.open(f.0)?.amount)).max(),
                    _ => None,
                };
                let may = most.is_some_and(|most| !matches!(got, Got::Part(n) if *n > most));
                let act = match got {
                    Got::Full => confirm(id(of)),
                    Got::Part(n) => confirm_part(id(of), &amount(*n)),
                    Got::Nothing => confirm_as(id(of), Received::NotReceived),
                };
                (act, (owed_to && may).then_some(What::Confirm { of, got: *got }))
            }
            _ => return None,
        })
    }
}
