//! Totals: per bound and unit, exact, what was promised, claimed, confirmed, and is outstanding.
//!
//! "Up to 3 and at least 2" are never added up, nor EUR and USD. A pledge to several partners counts once; one that
//! waits for calls counts once, and once for each further call. Parts of other pledges (`within`) are left out and
//! shown apart, as are pledges that are not in force; what is sealed is counted as undisclosed, never as 0.

use super::super::pledge::{Line, Moment, Pledge, State};
use super::super::verdict::Owed;
use super::rows::Sums;
use crate::field::{Handle, Sum};
use crate::statement::body::{Obligation as Key, Occasion};
use crate::statement::terms::{Bound, Bounded, Quantity};
use serde::Serialize;
use std::collections::BTreeMap;

/// A sum of pledges with one bound and unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Total {
    /// How the pledged numbers are meant.
    pub bound: Bound,
    /// The unit, equal byte by byte.
    pub unit: String,
    /// How many pledges were counted.
    pub pledges: u64,
    /// What they promise.
    pub promised: Sum,
    /// What their promisors claim to have delivered; none: nothing on record, which is not the same as 0.
    pub claimed: Option<Sum>,
    /// What those to whom it is owed confirmed; none: nothing on record.
    pub confirmed: Option<Sum>,
    /// What is not confirmed of what was promised, pledge by pledge: what one delivers beyond does not make up for another.
    pub outstanding: Sum,
}

/// Sums over pledges, and what they leave out.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// By unit and bound.
    pub by: Vec<Total>,
    /// Pledges, or dues of them, whose quantity is sealed.
    pub undisclosed: u64,
    /// Pledges that state no quantity.
    pub unmeasured: u64,
    /// Parts of other pledges, left out.
    pub parts: u64,
    /// Pledges that bind nobody yet, or ended before anything was owed under them, left out.
    pub not_in_force: u64,
}

/// What one line of a pledge adds to the totals.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Share {
    by: BTreeMap<(String, Bound), Amounts>,
    undisclosed: bool,
    is_part: bool,
    is_left_out: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Amounts {
    promised: Sum,
    claimed: Option<Sum>,
    confirmed: Option<Sum>,
}

impl Totals {
    /// Adds what a line of a pledge adds, part or not.
    pub fn add(&mut self, share: &Share) {
        if share.is_left_out {
            self.not_in_force += 1;
            return;
        }
        self.undisclosed += u64::from(share.undisclosed);
        self.unmeasured += u64::from(share.by.is_empty() && !share.undisclosed);
        share.by.iter().for_each(|(key, amounts)| self.add_amounts(key, amounts));
    }

    fn add_amounts(&mut self, (unit, bound): &(String, Bound), amounts: &Amounts) {
        let place = self.by.binary_search_by(|t| (&t.unit, t.bound).cmp(&(unit, *bound)));
        let place = place.unwrap_or_else(|place| {
            let new = Total {
                bound: *bound,
                unit: unit.clone(),
                pledges: 0,
                promised: Sum::zero(),
                claimed: None,
                confirmed: None,
                outstanding: Sum::zero(),
            };
            self.by.insert(place, new);
            place
        });
        let total = &mut self.by[place];
        total.pledges += 1;
        total.promised.add(&amounts.promised);
        add_recorded(&mut total.claimed, amounts.claimed.as_ref());
        add_recorded(&mut total.confirmed, amounts.confirmed.as_ref());
        let confirmed = amounts.confirmed.clone().unwrap_or_default();
        total.outstanding.add(&amounts.promised.less(&confirmed));
    }
}

impl Share {
    /// What a line of a pledge adds, given what is owed under it; of a record, what it records. `owed` may hold what is
    /// owed under other lines.
    #[must_use]
    pub fn of(pledge: &Pledge, line: Line, owed: &[&Owed<'_>], when: Moment) -> Self {
        let recorded = (pledge.is_record() && !pledge.is_over(when)).then(|| last_said(pledge, when));
        let id = pledge.line_id(line);
        let owed = once(owed.iter().copied().filter(|o| o.key.pledge == id && !o.is_exercise()));
        let mut share = Self::default();
        let Some(version) = promised_by(pledge, line, !owed.is_empty(), when).or(recorded) else {
            // What ended before its time promises what had arisen by then.
            share.is_left_out = owed.is_empty();
            share.is_part = owed.iter().any(|o| o.gist.within.is_some());
            owed.iter().for_each(|o| share.add_owed(o, when));
            return share;
        };
        let Some(gist) = pledge.version(version).gist() else {
            // What had arisen by terms that stood open is told all the same.
            share.undisclosed = true;
            owed.iter().for_each(|o| share.add_owed(o, when));
            return share;
        };
        share.is_part = gist.within.is_some();
        let whole = match &gist.quantity {
            Quantity::Open(q) => {
                let calls = owed.iter().filter(|o| matches!(o.key.occasion, Occasion::Call(_))).count();
                (0..calls.max(1)).for_each(|_| share.promise(q));
                Some(q)
            }
            Quantity::Sealed(_) => {
                share.undisclosed = true;
                None
            }
            Quantity::None => None,
        };
        for due in &gist.dues {
            match &due.quantity {
                Quantity::Open(q) if whole.is_none_or(|whole| whole.unit != q.unit) => share.promise(q),
                Quantity::Sealed(_) => share.undisclosed |= whole.is_none(),
                Quantity::Open(_) | Quantity::None => {}
            }
        }
        owed.iter().for_each(|o| share.add_delivered(o, whole, when));
        share
    }

    /// Whether it is part of another pledge, in whose total it is contained.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.is_part
    }

    fn promise(&mut self, q: &Bounded) {
        let amounts = self.by.entry((q.unit.to_string(), q.bound)).or_default();
        amounts.promised.add(&Sum::from(&q.amount));
    }

    /// Adds an obligation of a pledge that is over: what it promised is what had arisen by then.
    fn add_owed(&mut self, owed: &Owed<'_>, when: Moment) {
        let quantity = owed.gist.measure(&owed.key.occasion);
        match quantity {
            Quantity::Open(q) => self.promise(q),
            Quantity::Sealed(_) => self.undisclosed = true,
            Quantity::None => {}
        }
        self.add_delivered(owed, None, when);
    }

    /// Adds what was claimed and confirmed, beside the whole's promise where it counts in the same unit.
    fn add_delivered(&mut self, owed: &Owed<'_>, whole: Option<&Bounded>, when: Moment) {
        let Some(Sums { bound, unit, claimed, confirmed, .. }) = Sums::of(owed, when) else { return };
        let bound = whole.filter(|q| q.unit.as_str() == unit).map_or(bound, |q| q.bound);
        let amounts = self.by.entry((unit, bound)).or_default();
        add_recorded(&mut amounts.claimed, claimed.as_ref());
        add_recorded(&mut amounts.confirmed, confirmed.as_ref());
    }
}

/// Adds what is on record; nothing on record stays nothing.
fn add_recorded(sum: &mut Option<Sum>, more: Option<&Sum>) {
    if let Some(more) = more {
        sum.get_or_insert_default().add(more);
    }
}

/// The version whose terms are promised to somebody, whole: in force, suspended, to hold from later on; or past its
/// validity, where anything was owed under it.
fn promised_by(pledge: &Pledge, line: Line, any_owed: bool, when: Moment) -> Option<u32> {
    let holds = |to: &&Handle| match pledge.state(line, to, when) {
        State::InForce | State::Suspended(_) | State::NotYet(_) => true,
        State::Expired(_) => any_owed,
        _ => false,
    };
    pledge.addressees().into_iter().filter(holds).filter_map(|to| pledge.bound_by(line, to, when)).max()
}

/// The last version said by a moment.
fn last_said(pledge: &Pledge, when: Moment) -> u32 {
    let numbers = 0..u32::try_from(pledge.versions.len()).expect("few versions");
    numbers.rev().find(|n| when.has(&pledge.version(*n).said)).unwrap_or(0)
}

/// Each occasion once: where several versions apply towards several partners, by the last of them.
fn once<'o, 'a: 'o>(owed: impl Iterator<Item = &'o Owed<'a>>) -> Vec<&'o Owed<'a>> {
    let mut by_key: BTreeMap<&Key, &Owed<'a>> = BTreeMap::new();
    for owed in owed {
        let last = by_key.entry(&owed.key).or_insert(owed);
        if owed.facet.version >= last.facet.version {
            *last = owed;
        }
    }
    by_key.into_values().collect()
}
