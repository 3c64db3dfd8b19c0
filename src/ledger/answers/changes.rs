//! What changed between two moments: of pledges, of what is owed.

use super::Status;
use crate::field::{Handle, Short};
use crate::hash::Hash;
use crate::ledger::Said;
use crate::ledger::verdict::Verdict;
use crate::statement::body::Occasion;
use crate::statement::terms::Quantity;
use serde::Serialize;
use std::collections::BTreeMap;

/// What happened to a pledge or obligation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// A pledge or record that was not there; how it stands.
    New(String),
    /// How a pledge stands towards some.
    State {
        /// Before.
        from: String,
        /// After.
        to: String,
    },
    /// By which version of its terms, from 0.
    Version {
        /// Before.
        from: u32,
        /// After.
        to: u32,
    },
    /// Something is owed that was not; what became of it.
    Owed(Verdict),
    /// What became of an obligation.
    Verdict {
        /// Before.
        from: Verdict,
        /// After.
        to: Verdict,
    },
    /// What was to fall due does not any more.
    NotOwed(Verdict),
    /// What was sealed stands open now: how much, or that it states no quantity.
    Opened(String),
    /// Disputes that stand: how many before, how many after.
    Contested {
        /// Before.
        from: usize,
        /// After.
        to: usize,
    },
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The pledge or join.
    pub id: Hash,
    /// Of which obligation, if of one.
    pub occasion: Option<Occasion>,
    /// The obligation's label.
    pub label: Option<String>,
    /// Who owes it.
    pub by: Vec<Handle>,
    /// Towards whom.
    pub towards: Option<Handle>,
    /// The author's own reference.
    pub reference: Option<Short>,
    /// In a few words; none where the terms are sealed.
    pub title: Option<Short>,
    /// What changed.
    pub what: Changed,
    /// The statement that it rests on.
    pub rests_on: Said,
}

/// Tells what changed from one status to another, pledges first.
#[must_use]
pub fn changes(before: &Status, after: &Status) -> Vec<Change> {
    let mut all = Vec::new();
    pledges(before, after, &mut all);
    obligations(before, after, &mut all);
    all
}

fn pledges(before: &Status, after: &Status, all: &mut Vec<Change>) {
    let rows = |status: &Status| {
        let rows = status.pledges.iter().chain(&status.recorded).cloned().collect::<Vec<_>>();
        rows.into_iter()
            .flat_map(|row| row.to.clone().into_iter().map(move |to| ((row.id, to), row.clone())))
            .collect::<Vec<_>>()
    };
    let old: BTreeMap<_, _> = rows(before).into_iter().collect();
    for ((id, towards), row) in rows(after) {
        let mut tell = |what| {
            all.push(Change {
                id,
                occasion: None,
                label: None,
                by: row.by.clone(),
                towards: Some(towards.clone()),
                reference: row.reference.clone(),
                title: row.title.clone(),
                what,
                rests_on: row.rests_on.clone(),
            });
        };
        match old.get(&(id, towards.clone())) {
            None => tell(Changed::New(row.stands.clone())),
            Some(was) => {
                if was.version != row.version {
                    tell(Changed::Version { from: was.version, to: row.version });
                } else if is_sealed(was) && !is_sealed(&row) {
                    tell(Changed::Opened(match &row.quantity {
                        Quantity::Open(quantity) => quantity.to_string(),
                        _ => "terms without an open quantity".to_owned(),
                    }));
                }
                if was.stands != row.stands {
                    tell(Changed::State { from: was.stands.clone(), to: row.stands.clone() });
                }
            }
        }
    }
}

/// Whether terms or quantity of a pledge are sealed.
fn is_sealed(row: &super::PledgeRow) -> bool {
    row.title.is_none() || matches!(row.quantity, Quantity::Sealed(_))
}

fn obligations(before: &Status, after: &Status, all: &mut Vec<Change>) {
    let rows = |status: &Status| {
        let rows = status.obligations.clone();
        let keyed = rows.into_iter().flat_map(|row| {
            row.to.clone().into_iter().map(move |to| ((row.id, row.occasion.clone(), to), row.clone()))
        });
        keyed.collect::<Vec<_>>()
    };
    let old: BTreeMap<_, _> = rows(before).into_iter().collect();
    let new: BTreeMap<_, _> = rows(after).into_iter().collect();
    let mut tell = |key: &(Hash, Occasion, Handle), row: &super::ObligationRow, what| {
        all.push(Change {
            id: key.0,
            occasion: Some(key.1.clone()),
            label: Some(row.label.clone()),
            by: row.by.clone(),
            towards: Some(key.2.clone()),
            reference: row.reference.clone(),
            title: Some(row.title.clone()),
            what,
            rests_on: row.rests_on.clone(),
        });
    };
    for (key, row) in rows(after) {
        match old.get(&key) {
            None => tell(&key, &row, Changed::Owed(row.verdict)),
            Some(was) => {
                if was.verdict != row.verdict {
                    tell(&key, &row, Changed::Verdict { from: was.verdict, to: row.verdict });
                }
                if was.undisclosed
                    && let Some(sums) = row.sums.as_ref().filter(|_| !row.undisclosed)
                {
                    let (bound, sum, unit) = (sums.bound.words(), &sums.promised, &sums.unit);
                    tell(&key, &row, Changed::Opened(format!("{bound} {sum} {unit}")));
                }
                if was.contested.len() != row.contested.len() {
                    let (from, to) = (was.contested.len(), row.contested.len());
                    tell(&key, &row, Changed::Contested { from, to });
                }
            }
        }
    }
    for (key, row) in rows(before).iter().filter(|(key, _)| !new.contains_key(key)) {
        tell(key, row, Changed::NotOwed(row.verdict));
    }
}
