//! What the pledges add up to, in words that promise no more than they say: each sum with its bound and unit and the number
//! of pledges it is of, each condition with how many stand under it.

use super::play::Pledged;
use crate::cli::words::{count, grouped, listed};
use servanda::field::Instant;
use servanda::ledger::verdict::{Owed, Verdict};
use servanda::ledger::{Ledger, Moment};
use servanda::statement::terms::{Bound, Bounded, Force, Quantity, Starts, Terms};
use std::collections::{BTreeMap, BTreeSet};

const BOUNDS: [Bound; 4] = [Bound::Exactly, Bound::AtLeast, Bound::AtMost, Bound::About];

/// The sum that a pledge states, if it states one in the open.
pub fn sum(terms: &Terms) -> Option<&Bounded> {
    match &terms.quantity {
        Quantity::Open(sum) => Some(sum),
        Quantity::None | Quantity::Sealed(_) => None,
    }
}

/// The sums, a row for each unit and bound; what is part of another pledge is left out, so that nothing counts twice.
pub fn sums(pledges: &[Pledged]) -> Vec<Vec<String>> {
    // By unit and bound: the amount, and of how many pledges.
    let mut totals: BTreeMap<(&str, usize), (u64, usize)> = BTreeMap::new();
    for sum in pledges.iter().filter(|p| p.terms.within.is_none()).filter_map(|p| sum(&p.terms)) {
        // The example's sums are whole numbers, as its test says.
        let Ok(amount) = sum.amount.as_str().parse::<u64>() else { continue };
        let bound = BOUNDS.iter().position(|b| *b == sum.bound).expect("all bounds stand there");
        let total = totals.entry((sum.unit.as_str(), bound)).or_default();
        *total = (total.0.saturating_add(amount), total.1 + 1);
    }
    let row = |((unit, bound), (amount, of)): ((&str, usize), (u64, usize))| {
        let words = BOUNDS[bound].words().to_owned();
        vec![unit.to_owned(), words, format!("{:>15}", grouped(amount)), count(of, "pledge", "pledges")]
    };
    totals.into_iter().map(row).collect()
}

/// How many pledges have which property, in sentences.
pub fn conditions(pledges: &[Pledged]) -> Vec<String> {
    let of = |holds: &dyn Fn(&Terms) -> bool| pledges.iter().filter(|p| holds(&p.terms)).count();
    let consult: Vec<_> = pledges.iter().filter(|p| p.terms.trigger.is_some()).collect();
    let partners = consult.iter().map(|p| &p.author).collect::<BTreeSet<_>>().len();
    let trigger = |holds: &dyn Fn(&servanda::statement::terms::Trigger) -> bool| {
        consult.iter().filter(|p| p.terms.trigger.as_ref().is_some_and(holds)).count()
    };
    let at_once = trigger(&|t| t.starts == Starts::OnceEstablished);
    let later = trigger(&|t| t.only_after.is_some());
    let wider = trigger(&|t| t.against.as_ref().is_some_and(|a| a.len() > 1));
    let dues: usize = pledges.iter().map(|p| p.terms.dues.len()).sum();
    let (parts, waiting) = (of(&|t| t.within.is_some()), of(&|t| !t.needs.is_empty()));
    let binding = of(&|t| t.force == Force::Binding);
    vec![
        format!(
            "{} of {} partners to consult within 24 hours: {} on request, {at_once} from the attack on; {later} only after \
             hostilities have ceased; {wider} on an attack on either of two.",
            count(consult.len(), "pledge", "pledges"),
            partners,
            consult.len() - at_once,
        ),
        format!(
            "{} with a date; {} part of another sum, and left out above; {} for something to happen first (a parliament's \
             approval, say); {binding} binding by its words, all others political.",
            count(dues, "due", "dues"),
            count(parts, "pledge is", "pledges are"),
            count(waiting, "pledge waits", "pledges wait"),
        ),
    ]
}

/// How many obligations of a sort stand how, in words.
pub fn verdicts(ledger: &Ledger, until: Instant, of: impl Fn(&Owed<'_>) -> bool) -> String {
    let owed = ledger.owed(Moment::at(until));
    let counts = Verdict::ALL.iter().filter_map(|verdict| {
        let n = owed.iter().filter(|owed| of(owed) && owed.verdict == *verdict).count();
        (n > 0).then(|| format!("{n} {}", verdict.words()))
    });
    listed(counts, "and")
}
