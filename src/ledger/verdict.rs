//! Verdicts: for each obligation at a time, whether it was kept, and who says so.
//!
//! Nothing here decides who is right: what the promisor claims, what the one to whom it is owed confirms, and what others
//! attest or dispute stand side by side, each with its entry.

use super::incident::Stances;
use super::obligation::{Obligation, Response, due_facets};
use super::pledge::{Facet, Gist, Line, Moment, Pledge};
use super::{Ledger, Said};
use crate::charter::rules::PledgeRules;
use crate::field::{Handle, Instant, Sum};
use crate::statement::body::{Answer, Obligation as Key, Occasion, Received};
use crate::statement::terms::{Bound, Force, Quantity};
use serde::Serialize;
use std::collections::BTreeMap;

/// What became of an obligation by a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Confirmed in full, in time.
    Kept,
    /// Confirmed in full, and late.
    KeptLate,
    /// Confirmed in part.
    PartKept,
    /// Delivery claimed, not confirmed.
    Claimed,
    /// Its deadline lies ahead, nothing claimed.
    NotYetDue,
    /// Past its deadline, no claim.
    Overdue,
    /// So stated.
    Declined,
    /// Called, and nothing says until when.
    NoDeadline,
    /// Best efforts or a target: not reported by its date.
    NotReported,
    /// Sealed, or without a measure.
    CannotBeJudged,
}

impl Verdict {
    /// All, from kept to what cannot be judged.
    pub const ALL: &'static [Self] = &[
        Self::Kept,
        Self::KeptLate,
        Self::PartKept,
        Self::Claimed,
        Self::NotYetDue,
        Self::Overdue,
        Self::Declined,
        Self::NoDeadline,
        Self::NotReported,
        Self::CannotBeJudged,
    ];

    /// The words for it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::KeptLate => "kept late",
            Self::PartKept => "part kept",
            Self::Claimed => "claimed",
            Self::NotYetDue => "not yet due",
            Self::Overdue => "overdue",
            Self::Declined => "declined",
            Self::NoDeadline => "no deadline",
            Self::NotReported => "not reported by the target date",
            Self::CannotBeJudged => "cannot be judged",
        }
    }
}

/// Sums of one obligation in its unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// How the pledged number is meant.
    pub bound: Bound,
    /// The unit.
    pub unit: String,
    /// What was pledged.
    pub promised: Sum,
    /// What its promisor claims to have delivered.
    pub claimed: Sum,
    /// What those to whom it is owed confirmed.
    pub confirmed: Sum,
}

impl Measured {
    /// What is not confirmed of what was pledged.
    #[must_use]
    pub fn outstanding(&self) -> Sum {
        self.promised.less(&self.confirmed)
    }
}

/// An obligation as it stands at a time, by one version of its terms.
#[derive(Clone, Debug)]
pub struct Owed<'a> {
    /// Which.
    pub key: Key,
    /// The pledge.
    pub pledge: &'a Pledge,
    /// Who owes it.
    pub line: Line,
    /// The terms' version, and towards whom.
    pub facet: Facet,
    /// The terms.
    pub gist: &'a Gist,
    /// What is recorded of it; none: nothing was said yet.
    pub obligation: Option<&'a Obligation>,
    /// Until when.
    pub deadline: Option<Instant>,
    /// What became of it.
    pub verdict: Verdict,
    /// The rule that gave the verdict, in words.
    pub why: &'static str,
    /// Its sums, where the terms have an open measure.
    pub measured: Option<Measured>,
    /// Disputes that stand.
    pub contested: Vec<&'a Said>,
    /// Third parties that attest the delivery.
    pub attested: Vec<&'a Said>,
}

impl Owed<'_> {
    /// Who owes it.
    #[must_use]
    pub fn by(&self) -> Vec<&Handle> {
        self.pledge.owing(self.line, self.facet.version)
    }

    /// Whether it belongs to an exercise.
    #[must_use]
    pub fn is_exercise(&self) -> bool {
        self.obligation.and_then(|o| o.call.as_ref()).is_some_and(|call| call.exercise)
    }

    /// Whether it rests on what was said with stolen keys: the pledge, a join, its terms, or the call.
    #[must_use]
    pub fn is_disowned(&self) -> bool {
        let join = match self.line {
            Line::Author => None,
            Line::Join(n) => Some(&self.pledge.joins[n]),
        };
        self.obligation.is_some_and(|o| o.disowned)
            || join.is_some_and(|join| join.disowned)
            || self.pledge.version(self.facet.version).disowned
    }

    /// What to call the occasion: a due's label, or the call.
    #[must_use]
    pub fn label(&self) -> String {
        match self.key.occasion {
            Occasion::Due(n) => {
                let due = usize::try_from(n).ok().and_then(|n| self.gist.dues.get(n));
                due.map_or_else(|| format!("due {n}"), |due| due.label.to_string())
            }
            Occasion::Call(id) => format!("call {}", id.short()),
        }
    }

    /// The responses said by a time that count.
    pub fn responses(&self, when: Moment) -> impl Iterator<Item = &Response> {
        let all = self.obligation.into_iter().flat_map(|o| o.responses.iter());
        all.filter(move |r| !r.disowned && when.has(&r.said))
    }

    /// The unit that its terms are counted in, where they have an open measure.
    fn unit(&self) -> Option<&str> {
        match self.gist.measure(&self.key.occasion) {
            Quantity::Open(pledged) => Some(&pledged.unit),
            _ => None,
        }
    }

    /// The deliveries claimed: what is counted in another unit is not one under these terms.
    fn deliveries(&self, when: Moment) -> impl Iterator<Item = &Response> {
        let fits = |r: &Response| match (&r.quantity, self.unit()) {
            (Some(amount), Some(unit)) => *amount.unit == *unit,
            _ => true,
        };
        self.responses(when).filter(move |r| r.answer == Answer::Delivered && fits(r))
    }
}

impl Ledger {
    /// All obligations as they stand at a moment, those of dues that lie ahead included, exercises too; ordered by pledge.
    #[must_use]
    pub fn owed(&self, when: Moment) -> Vec<Owed<'_>> {
        let mut all = Vec::new();
        for pledge in self.pledges.iter().filter(|p| !p.is_record() && p.said.at <= when.at) {
            all.extend(self.owed_under(pledge, when));
        }
        all
    }

    /// The same, of one pledge and all its lines.
    #[must_use]
    pub fn owed_under<'a>(&'a self, pledge: &'a Pledge, when: Moment) -> Vec<Owed<'a>> {
        let mut all = Vec::new();
        let dues = dues(pledge);
        for line in pledge.lines() {
            let id = pledge.line_id(line);
            for (due, numbers) in &dues {
                let key = Key { pledge: id, occasion: Occasion::Due(*due) };
                let recorded = self.obligations.get(&key).map(|o| &**o).filter(|o| o.arose.at <= when.at);
                let known = recorded.map(Obligation::owed_to).unwrap_or_default();
                // Who took the terms on after a first response is owed it on its day all the same.
                let (facets, deadlines) = due_facets(pledge, line, (*due, numbers), when, false, &known);
                all.extend(
                    recorded.into_iter().flat_map(|o| self.facets(key.clone(), pledge, line, o, when)),
                );
                let both = facets.into_iter().zip(deadlines);
                all.extend(
                    both.filter_map(|(f, d)| self.judge(key.clone(), pledge, line, f, d, recorded, when)),
                );
            }
            let from = Key { pledge: id, occasion: Occasion::Call(crate::hash::ZEROS) };
            let calls = self.obligations.range(from..).take_while(|(key, _)| key.pledge == id);
            for (key, obligation) in calls.filter(|(_, o)| o.arose.at <= when.at) {
                all.extend(self.facets(key.clone(), pledge, line, obligation, when));
            }
        }
        all
    }

    fn facets<'a>(
        &'a self,
        key: Key,
        pledge: &'a Pledge,
        line: Line,
        obligation: &'a Obligation,
        when: Moment,
    ) -> Vec<Owed<'a>> {
        let both = obligation.facets.iter().cloned().zip(obligation.deadlines.iter().copied());
        both.filter_map(|(f, d)| self.judge(key.clone(), pledge, line, f, d, Some(obligation), when))
            .collect()
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one obligation")]
    fn judge<'a>(
        &'a self,
        key: Key,
        pledge: &'a Pledge,
        line: Line,
        facet: Facet,
        deadline: Option<Instant>,
        obligation: Option<&'a Obligation>,
        when: Moment,
    ) -> Option<Owed<'a>> {
        let gist = pledge.version(facet.version).gist()?;
        let rules = self.rules_for(&key, obligation, deadline);
        let mut owed = Owed {
            key,
            pledge,
            line,
            facet,
            gist,
            obligation,
            deadline,
            verdict: Verdict::NotYetDue,
            why: "",
            measured: None,
            contested: Vec::new(),
            attested: Vec::new(),
        };
        owed.measured = measured(&owed, when);
        (owed.verdict, owed.why) = verdict(&owed, rules, when);
        let said_by = |s: &Said| when.has(s);
        if let Some(o) = obligation {
            owed.contested = standing(&o.stances, false).filter(|s| said_by(s)).collect();
            owed.attested = standing(&o.stances, true).filter(|s| said_by(s)).collect();
        }
        if let Occasion::Call(id) = owed.key.occasion
            && let Some(number) = self.incident_of(&id)
            && let incident = self.incident_at(number)
            && let Some((report, _)) = &incident.established
        {
            // What nothing rests on, such as who did it, contests nothing.
            let stances =
                self.report_at(*report).stances.iter().filter(|((a, _), _)| incident.on.contains(a));
            let disputes = stances.filter(|(_, s)| !s.agrees).map(|(_, s)| &s.said);
            owed.contested.extend(disputes.filter(|s| said_by(s)));
        }
        Some(owed)
    }
}

/// The dues of a pledge's versions that somebody took on, each with the versions that have it.
fn dues(pledge: &Pledge) -> BTreeMap<u64, Vec<u32>> {
    let mut dues: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    for number in pledge.taken_on(&[]) {
        let all = pledge.version(number).gist().map_or(&[][..], |gist| &gist.dues);
        (0..).zip(all).for_each(|(due, _)| dues.entry(due).or_default().push(number));
    }
    dues
}

impl Ledger {
    /// The rules by which an obligation is judged: those of the moment when it arose. Where nothing is recorded of it,
    /// there is nothing to judge by rules.
    fn rules_for(
        &self,
        key: &Key,
        obligation: Option<&Obligation>,
        deadline: Option<Instant>,
    ) -> &PledgeRules {
        let arose = obligation.map_or(u64::MAX, |o| o.arose.index);
        let due = deadline.filter(|_| matches!(key.occasion, Occasion::Due(_)));
        let known = self.rules.iter().rev();
        let known = known.filter(|(from, at, _)| *from < arose && due.is_none_or(|due| *at <= due));
        &known.into_iter().next().unwrap_or(&self.rules[0]).2
    }
}

fn standing(stances: &Stances, agrees: bool) -> impl Iterator<Item = &Said> {
    stances.values().filter(move |s| s.agrees == agrees).map(|s| &s.said)
}

/// What those to whom it is owed confirmed of a response.
enum Receipt {
    /// Nothing said.
    Open,
    /// All of it.
    Full,
    /// Some of it.
    Part(Sum),
    /// Nothing arrived.
    Nothing,
}

fn receipt(owed: &Owed<'_>, response: &Response, when: Moment) -> Receipt {
    let counts = |who: &Handle, said: &Said| owed.facet.to.contains(who) && when.has(said);
    let all: Vec<_> =
        response.confirmed.iter().filter(|(who, c)| counts(who, &c.said)).map(|(_, c)| c).collect();
    if all.is_empty() {
        return Receipt::Open;
    }
    let full = all.iter().filter(|c| c.received == Received::InFull).count();
    // A quantity is delivered once, to whomever; what has no measure is owed to each.
    let counted = response.quantity.is_some();
    let unit = owed.unit();
    if full == owed.facet.to.len() || (counted && full > 0) {
        return Receipt::Full;
    }
    let mut sum = Sum::zero();
    let mut parts = full;
    for confirmed in all {
        if let Received::InPart(amount) = &confirmed.received
            && unit.is_none_or(|unit| *unit == *amount.unit)
        {
            sum.add(&Sum::from(&amount.amount));
            parts += 1;
        }
    }
    if parts > 0 { Receipt::Part(sum) } else { Receipt::Nothing }
}

/// What a response delivers, as far as confirmed, of what is owed altogether.
fn confirmed(response: &Response, receipt: &Receipt, whole: &Sum) -> Sum {
    match receipt {
        Receipt::Full => response.quantity.as_ref().map_or_else(|| whole.clone(), |q| Sum::from(&q.amount)),
        Receipt::Part(sum) => match &response.quantity {
            Some(q) => sum.clone().min(Sum::from(&q.amount)),
            None => sum.clone().min(whole.clone()),
        },
        Receipt::Open | Receipt::Nothing => Sum::zero(),
    }
}

fn measured(owed: &Owed<'_>, when: Moment) -> Option<Measured> {
    let Quantity::Open(pledged) = owed.gist.measure(&owed.key.occasion) else { return None };
    let promised = Sum::from(&pledged.amount);
    let (mut claims, mut receipts) = (Sum::zero(), Sum::zero());
    for response in owed.deliveries(when) {
        let claim = response.quantity.as_ref().map_or_else(|| promised.clone(), |q| Sum::from(&q.amount));
        claims.add(&claim);
        receipts.add(&confirmed(response, &receipt(owed, response, when), &promised));
    }
    let unit = pledged.unit.to_string();
    Some(Measured { bound: pledged.bound, unit, promised, claimed: claims, confirmed: receipts })
}

fn is_timely(response: &Response, deadline: Option<Instant>, rules: &PledgeRules) -> bool {
    deadline.is_none_or(|deadline| match response.done_at {
        // Asked only of what was confirmed: then the day of delivery counts.
        Some(done) => done <= deadline,
        None => response.said.at <= deadline.plus(rules.filing_grace),
    })
}

/// Whether these deliveries, as far as confirmed, are all that was owed.
fn is_all(owed: &Owed<'_>, deliveries: &[(&Response, Receipt)], rules: &PledgeRules) -> bool {
    let whole = deliveries.iter().any(|(r, c)| matches!(c, Receipt::Full) && r.quantity.is_none());
    if whole {
        return true;
    }
    let Some(measured) = &owed.measured else {
        // Sealed, or without a measure: whoever it is owed to says that it is all.
        let sealed = matches!(owed.gist.measure(&owed.key.occasion), Quantity::Sealed(_));
        return !sealed && deliveries.iter().any(|(_, c)| matches!(c, Receipt::Full));
    };
    let mut sum = Sum::zero();
    deliveries.iter().for_each(|(r, c)| sum.add(&confirmed(r, c, &measured.promised)));
    match measured.bound {
        Bound::Exactly => sum >= measured.promised,
        Bound::AtLeast | Bound::About => sum.reaches(&measured.promised, &rules.tolerance),
        Bound::AtMost => !sum.is_zero(),
    }
}

fn verdict(owed: &Owed<'_>, rules: &PledgeRules, when: Moment) -> (Verdict, &'static str) {
    let deliveries: Vec<_> = owed.deliveries(when).map(|r| (r, receipt(owed, r, when))).collect();
    let open = deliveries.iter().any(|(_, c)| matches!(c, Receipt::Open));
    let part = deliveries.iter().any(|(_, c)| matches!(c, Receipt::Full | Receipt::Part(_)));
    if is_all(owed, &deliveries, rules) {
        let timely = deliveries.into_iter().filter(|(r, _)| is_timely(r, owed.deadline, rules));
        return if is_all(owed, &timely.collect::<Vec<_>>(), rules) {
            (Verdict::Kept, "confirmed in full, delivered in time")
        } else {
            (Verdict::KeptLate, "confirmed in full, delivered after the deadline")
        };
    }
    if part {
        let measurable = owed.measured.is_some() || *owed.gist.measure(&owed.key.occasion) == Quantity::None;
        return if measurable {
            (Verdict::PartKept, "confirmed in part")
        } else {
            (Verdict::CannotBeJudged, "confirmed in part of a sealed quantity")
        };
    }
    if open {
        return (Verdict::Claimed, "delivery claimed, not confirmed");
    }
    let last = owed.responses(when).filter(|r| r.answer != Answer::Acknowledged).last();
    if last.is_some_and(|r| r.answer == Answer::Declined) {
        return (Verdict::Declined, "its promisor declined");
    }
    match owed.deadline {
        None => (Verdict::NoDeadline, "called upon, and the terms set no deadline"),
        Some(deadline) if when.at <= deadline => {
            (Verdict::NotYetDue, "its deadline lies ahead, nothing is claimed")
        }
        Some(_) if matches!(owed.gist.force, Force::BestEfforts | Force::Target) => {
            (Verdict::NotReported, "best efforts or a target, and nothing is reported by its date")
        }
        Some(_) if deliveries_refused(owed, when) => (Verdict::Overdue, "what was claimed was not received"),
        Some(_) if owed.responses(when).next().is_some() => {
            (Verdict::Overdue, "acknowledged, and no delivery on record by its deadline")
        }
        Some(_) => (Verdict::Overdue, "no response on record by its deadline"),
    }
}

fn deliveries_refused(owed: &Owed<'_>, when: Moment) -> bool {
    owed.deliveries(when).any(|r| matches!(receipt(owed, r, when), Receipt::Nothing))
}
