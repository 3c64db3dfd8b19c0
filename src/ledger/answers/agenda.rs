//! The agenda: what falls due until a moment, and what waits for somebody's word.

use super::super::incident::end;
use super::super::pledge::{Line, Moment, Pledge};
use super::super::verdict::Verdict;
use super::super::{Ledger, Said};
use super::{Filter, MotionRow, Status, motions};
use crate::charter::Aspect;
use crate::field::{Duration, Handle, Instant, Short};
use crate::hash::Hash;
use crate::roster::Roster;
use crate::statement::body::{Answer, Motion, Occasion};
use serde::Serialize;
use std::collections::BTreeSet;

const DAY_MS: u64 = 86_400_000;

/// What is to be done, or lapses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An obligation falls due, or is overdue.
    Due {
        /// Which occasion.
        occasion: Occasion,
        /// What to call it.
        label: String,
        /// What became of it so far.
        verdict: Verdict,
        /// The rule that the verdict rests on, in words.
        why: &'static str,
    },
    /// A delivery is claimed, and not confirmed.
    Unconfirmed {
        /// The response.
        response: Hash,
        /// What to call the occasion.
        label: String,
    },
    /// A pledge is proposed, or an amendment of it, and not accepted.
    Unaccepted {
        /// The version of the terms: 0 is the pledge, others are amendments.
        version: u32,
    },
    /// It is owed jointly by one who has not joined.
    Unjoined,
    /// A need was declared neither met nor failed.
    Need {
        /// Its number, from 0.
        need: u64,
        /// Which.
        label: Short,
    },
    /// A statement or obligation is disputed.
    Disputed {
        /// In which respects.
        aspects: Vec<Aspect>,
        /// The dispute.
        dispute: Hash,
    },
    /// The last moment to give notice, or to agree on an extension, before it ends.
    Notice {
        /// When it ends.
        valid_until: Instant,
    },
    /// A pledge ends.
    Ends,
    /// A withdrawal takes effect.
    Withdrawn,
    /// A review is to be held.
    Review,
    /// A motion can be approved.
    Motion(Box<MotionRow>),
}

/// Something on the agenda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// By when; none: without a date.
    pub by: Option<Instant>,
    /// Who is to act, as far as that is known.
    pub who: Vec<Handle>,
    /// The pledge's reference, or title.
    pub about: Option<Short>,
    /// What.
    pub what: What,
    /// The id of what it is about.
    pub id: Hash,
}

/// What falls due until a moment, seen from `when`, with all that waits for a word without a date; sorted by date.
#[must_use]
pub fn agenda(ledger: &Ledger, roster: &Roster, when: Moment, until: Instant) -> Vec<Item> {
    let mut items = Vec::new();
    let status = Status::of(ledger, when, &Filter::default());
    dues(&status, until, &mut items);
    claims(ledger, when, &mut items);
    for pledge in ledger.pledges().iter().filter(|p| !p.is_record() && when.has(&p.said)) {
        unaccepted(pledge, when, &mut items);
        open_needs(pledge, when, until, &mut items);
        ends(pledge, when, until, &mut items);
    }
    disputes(ledger, when, &mut items);
    reviews(ledger, when, until, &mut items);
    // One for a new operator does not lapse by time.
    let lapses = |m: &MotionRow| !matches!(m.motion, Motion::Operator { .. });
    for motion in motions(roster, None).into_iter().filter(|m| m.lapses_at >= when.at || !lapses(m)) {
        let voters = roster.charter.partners.iter().map(|p| &p.handle);
        let lacking = voters.filter(|h| motion.motion.target() != Some(h) && !roster.is_suspended(h));
        let lacking = lacking.filter(|h| !motion.approved_by.contains(h));
        items.push(Item {
            by: Some(motion.lapses_at).filter(|_| lapses(&motion)),
            who: lacking.cloned().collect(),
            about: None,
            id: motion.id,
            what: What::Motion(Box::new(motion)),
        });
    }
    items.sort_by_key(|item| (item.by.is_none(), item.by));
    items
}

fn dues(status: &Status, until: Instant, items: &mut Vec<Item>) {
    let open = |v: Verdict| matches!(v, Verdict::NotYetDue | Verdict::Overdue | Verdict::PartKept);
    let soon = |by: Option<Instant>| by.is_some_and(|by| by <= until);
    for row in status.obligations.iter().filter(|row| open(row.verdict) && soon(row.deadline)) {
        items.push(Item {
            by: row.deadline,
            who: row.by.clone(),
            about: Some(row.reference.clone().unwrap_or_else(|| row.title.clone())),
            id: row.id,
            what: What::Due {
                occasion: row.occasion.clone(),
                label: row.label.clone(),
                verdict: row.verdict,
                why: row.why,
            },
        });
    }
}

fn claims(ledger: &Ledger, when: Moment, items: &mut Vec<Item>) {
    let mut told = BTreeSet::new();
    for owed in ledger.owed(when).iter().filter(|o| !o.is_exercise()) {
        for response in owed.responses(when).filter(|r| r.answer == Answer::Delivered) {
            let silent =
                owed.facet.to.iter().filter(|to| {
                    !response.confirmed.get(*to).is_some_and(|confirmed| when.has(&confirmed.said))
                });
            let who: Vec<Handle> = silent.cloned().collect();
            // What has a quantity is delivered once: one confirmation speaks for it.
            let answered = response.quantity.is_some() && who.len() < owed.facet.to.len();
            if who.is_empty() || answered || !told.insert((response.said.id, who.clone())) {
                continue;
            }
            items.push(Item {
                by: None,
                who,
                about: Some(name(owed.gist)),
                id: response.said.id,
                what: What::Unconfirmed { response: response.said.id, label: owed.label() },
            });
        }
    }
}

fn name(gist: &super::super::Gist) -> Short {
    gist.reference.clone().unwrap_or_else(|| gist.title.clone())
}

/// What waits to be accepted by an addressee, or joined by one who is to owe jointly: of each pledge the last version.
fn unaccepted(pledge: &Pledge, when: Moment, items: &mut Vec<Item>) {
    let said = |n: &u32| when.has(&pledge.version(*n).said);
    let numbers = 0..u32::try_from(pledge.versions.len()).expect("few versions");
    let Some(last) = numbers.rev().find(said) else { return };
    let version = pledge.version(last);
    let accepted = |to: &Handle| version.accepted.get(to).is_some_and(|a| when.has(&a.said));
    let open = |to: &&Handle| !pledge.state(Line::Author, to, when).is_over();
    let waiting = |to: &&Handle| version.to_accept && !accepted(to);
    let live: Vec<&Handle> = version.to.iter().filter(open).collect();
    let mut item = |who: Vec<Handle>, what| {
        if !who.is_empty() {
            let about = version.gist().map(name);
            items.push(Item { by: None, who, about, id: version.said.id, what });
        }
    };
    item(live.iter().copied().filter(waiting).cloned().collect(), What::Unaccepted { version: last });
    if !live.is_empty() {
        let joined = |who: &&Handle| !version.joined.get(*who).is_some_and(|said| when.has(said));
        let lacking = version.gist().into_iter().flat_map(|g| g.jointly(&pledge.said.by)).filter(joined);
        item(lacking.cloned().collect(), What::Unjoined);
    }
}

fn open_needs(pledge: &Pledge, when: Moment, until: Instant, items: &mut Vec<Item>) {
    // Of each version that may still bind: the last one, and those accepted.
    let mut told = BTreeSet::new();
    let bound = pledge.addressees().into_iter().filter_map(|to| {
        let over = pledge.state(Line::Author, to, when).is_over();
        let numbers = || 0..u32::try_from(pledge.versions.len()).expect("few versions");
        let last = || numbers().rev().find(|n| when.has(&pledge.version(*n).said));
        if over { None } else { pledge.bound_by(Line::Author, to, when).or_else(last) }
    });
    for number in bound.filter(|n| told.insert(*n)).collect::<Vec<_>>() {
        let version = pledge.version(number);
        let Some(gist) = version.gist() else { continue };
        for (need, of) in (0..).zip(gist.needs.iter()) {
            let declared = version.declared.get(&need).is_some_and(|d| when.has(&d.said));
            if declared || of.due.is_some_and(|due| due > until) {
                continue;
            }
            items.push(Item {
                by: of.due,
                who: vec![of.declared_by.clone()],
                about: Some(name(gist)),
                id: version.said.id,
                what: What::Need { need, label: of.label.clone() },
            });
        }
    }
}

fn ends(pledge: &Pledge, when: Moment, until: Instant, items: &mut Vec<Item>) {
    let lines =
        pledge.lines().flat_map(|line| pledge.in_force(line, when).into_iter().map(move |f| (line, f)));
    for (line, facet) in lines {
        let Some(gist) = pledge.version(facet.version).gist() else { continue };
        let mut item = |by: Instant, to: &[Handle], what| {
            if by >= when.at && by <= until {
                let who = [pledge.owner(line)].into_iter().chain(to).cloned().collect();
                items.push(Item {
                    by: Some(by),
                    who,
                    about: Some(name(gist)),
                    id: pledge.line_id(line),
                    what,
                });
            }
        };
        for to in &facet.to {
            if let Some(by) = pledge.line_ends_at(line, to) {
                item(by, std::slice::from_ref(to), What::Withdrawn);
            }
        }
        let Some(valid_until) = gist.valid_until else { continue };
        if gist.notice_period != Duration::default()
            && let Some(by) = last_before(valid_until, gist.notice_period)
        {
            item(by, &facet.to, What::Notice { valid_until });
        }
        item(valid_until, &facet.to, What::Ends);
    }
}

/// The last moment up to which notice of any moment takes effect no later than `end`, if it takes effect a duration
/// after it; none before the epoch. Months are clamped: at noon on the 28th a month may lead further than at midnight on
/// the 31st, and then the 28th at midnight is told.
#[must_use]
pub fn last_before(end: Instant, d: Duration) -> Option<Instant> {
    let fits = |ms: u64| Instant::from_ms(ms).is_ok_and(|at| at.plus(d) <= end);
    if !fits(0) {
        return None;
    }
    let (mut low, mut high) = (0, end.ms() + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) { low = middle } else { high = middle }
    }
    // Up to three days later are clamped to the same one.
    let earlier = (1..=3).rev().filter_map(|days| low.checked_sub(days * DAY_MS));
    let first = earlier.into_iter().find(|ms| fits(*ms) && !fits(ms + 1));
    Instant::from_ms(first.unwrap_or(low)).ok()
}

fn disputes(ledger: &Ledger, when: Moment, items: &mut Vec<Item>) {
    for report in ledger.reports().iter().filter(|r| !r.exercise && when.has(&r.said)) {
        if report.superseded_by.is_some() {
            continue;
        }
        let against = report.stances.iter().filter(|(_, s)| !s.agrees && when.has(&s.said));
        let against: Vec<_> = against.map(|((aspect, _), s)| (*aspect, &s.said)).collect();
        grouped(&against, &report.said.id, items);
    }
    for (key, obligation) in ledger.obligations() {
        let exercise = obligation.call.as_ref().is_some_and(|c| c.exercise);
        let against = obligation.stances.iter().filter(|(_, s)| !s.agrees && when.has(&s.said));
        let against: Vec<_> = against.map(|((aspect, _), s)| (*aspect, &s.said)).collect();
        if !exercise {
            grouped(&against, &key.pledge, items);
        }
    }
}

fn grouped(against: &[(Aspect, &Said)], id: &Hash, items: &mut Vec<Item>) {
    let disputes: BTreeSet<Hash> = against.iter().map(|(_, said)| said.id).collect();
    for dispute in disputes {
        let of = || against.iter().filter(|(_, said)| said.id == dispute);
        items.push(Item {
            by: None,
            who: of().take(1).map(|(_, said)| said.by.clone()).collect(),
            about: None,
            id: *id,
            what: What::Disputed { aspects: of().map(|(aspect, _)| *aspect).collect(), dispute },
        });
    }
}

fn reviews(ledger: &Ledger, when: Moment, until: Instant, items: &mut Vec<Item>) {
    // From the last one back: what was held after a review, and is recorded later, took the place of its next one.
    let mut held_later = None;
    for review in ledger.reviews().iter().rev().filter(|r| when.has(&r.said)) {
        let was_held = held_later.is_some_and(|held| held > review.held_on);
        held_later = held_later.max(Some(review.held_on));
        let Some(next_on) = review.next_on.filter(|_| !was_held) else { continue };
        let by = end(crate::statement::body::When::Day(next_on));
        if by <= until {
            let who = vec![review.said.by.clone()];
            items.push(Item { by: Some(by), who, about: None, id: review.said.id, what: What::Review });
        }
    }
}
