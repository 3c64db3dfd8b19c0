//! Random acts by random partners at random times, against a naive model of the rules that was written from
//! `docs/ledger.md` alone: it keeps a list of what was said and answers every question by reading all of it again.

use super::world::*;
use crate::charter::rules::PledgeRules;
use crate::charter::{Aspect, Sealable};
use crate::codec::encode;
use crate::field::{Duration, Handle, Instant};
use crate::hash::{Hash, sha256};
use crate::ledger::verdict::{Owed, Verdict};
use crate::ledger::{Ledger, Line, Moment, Said, Told};
use crate::roster::{Carried, Roster};
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const NAMES: [&str; 4] = ["de", "fr", "it", "pl"];
const HOUR: u64 = 3_600_000;

/// What terms say, here: hours, small amounts.
#[derive(Clone, Debug)]
struct Plan {
    due: Option<u64>,
    amount: u64,
    at_most: bool,
    starts: Option<u8>,
    guarded: bool,
    notice: u64,
    need: bool,
    until: Option<u64>,
}

/// What is said; the numbers choose among what was said before.
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
    Grace(u64),
}

fn plan() -> impl Strategy<Value = Plan> {
    let some = |max: u64| proptest::option::of(0..max);
    (some(90), 1..5u64, any::<bool>(), proptest::option::of(0..3u8), proptest::bool::weighted(0.2), 0..20u64)
        .prop_flat_map(move |(due, amount, at_most, starts, guarded, notice)| {
            (proptest::bool::weighted(0.2), proptest::option::weighted(0.2, 0..120u64)).prop_map(
                move |(need, until)| Plan { due, amount, at_most, starts, guarded, notice, need, until },
            )
        })
}

fn say() -> impl Strategy<Value = Say> {
    let any = || 0..1000usize;
    let part = || proptest::option::of(0..4u64);
    prop_oneof![
        3 => (1..16u8, plan()).prop_map(|(to, plan)| Say::Pledge(to, plan)),
        2 => (any(), 1..16u8, plan()).prop_map(|(of, to, plan)| Say::Amend(of, to, plan)),
        6 => any().prop_map(Say::Accept),
        2 => any().prop_map(Say::Join),
        2 => any().prop_map(Say::Withdraw),
        2 => (any(), any::<bool>()).prop_map(|(of, on)| Say::Suspend(of, on)),
        2 => (any(), proptest::bool::weighted(0.8)).prop_map(|(of, met)| Say::Need(of, met)),
        3 => (proptest::bool::weighted(0.3), proptest::bool::weighted(0.2), proptest::option::weighted(0.3, any()))
            .prop_map(|(ceasefire, exercise, joins)| Say::Report { ceasefire, exercise, joins }),
        4 => (any(), proptest::bool::weighted(0.8)).prop_map(|(of, agrees)| Say::Stance(of, agrees)),
        3 => (any(), any()).prop_map(|(of, incident)| Say::Invoke(of, incident)),
        5 => (any(), part()).prop_map(|(of, amount)| Say::Respond(of, amount)),
        5 => (any(), part()).prop_map(|(of, amount)| Say::Confirm(of, amount)),
        1 => (0..40u64).prop_map(Say::Grace),
    ]
}
