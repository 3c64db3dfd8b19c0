//! Every storage call fails once, writers stall and race, backups are restored; then the one checker looks.
//!
//! Most of it is about the writer alone, on leaves that mean nothing: `leaf 0`, `leaf 1`, … The log that all starts from
//! has [`BASE`] of them, so that a round of ten crosses the first tile's boundary.

#![allow(clippy::unwrap_used)]

mod appends;
mod backups;
mod faults;
mod operator;
mod stored;
mod writers;

use crate::support::check_log::check_tree;
use crate::support::forge::Objects;
use crate::support::small_log::{ORIGIN, key, log_vkey};
use servanda::log::{LogError, Writer};
use servanda::merkle::tile::TilePath;
use servanda::policy::Policy;
use servanda::store::memory::{Fault, Memory};
use std::ops::Range;
use std::sync::LazyLock;

/// The leaves of the log that all starts from.
const BASE: usize = 250;

/// Leaves so long that all of them in one round are staged in an object.
const LONG: Range<usize> = BASE + 14..BASE + 314;

/// How a call fails: nothing done, all done, or every other object, or the first alone.
const FAULTS: [Fault; 5] = [
    Fault::Fails,
    Fault::FailsButPersisted,
    Fault::Partly(0x5555_5555_5555_5555),
    Fault::Partly(0xaaaa_aaaa_aaaa_aaaa),
    Fault::Partly(1),
];

static BASE_LOG: LazyLock<Objects> = LazyLock::new(|| log_of(BASE));

/// A disk with the log that all starts from.
fn base() -> Memory {
    Memory::holding(BASE_LOG.clone())
}

/// A published log of so many leaves.
fn log_of(size: usize) -> Objects {
    let store = Memory::new();
    let mut writer = Writer::create(Box::new(store.clone()), None).unwrap();
    for from in (0..size).step_by(servanda::log::MAX_ROUND) {
        writer.append(&leaves(from..size.min(from + servanda::log::MAX_ROUND))).unwrap();
    }
    publish(&mut writer).unwrap();
    store.objects()
}

fn leaves(range: Range<usize>) -> Vec<Vec<u8>> {
    let rest = |n| if LONG.contains(&n) { " and so on".repeat(50) } else { String::new() };
    range.map(|n| format!("leaf {n}{}", rest(n)).into_bytes()).collect()
}

fn policy() -> Policy {
    Policy::of(&[log_vkey()], &[], None).unwrap()
}

fn open(store: &Memory) -> Result<Writer, LogError> {
    Writer::open(Box::new(store.clone()), None)
}

fn publish(writer: &mut Writer) -> Result<String, LogError> {
    writer.publish(ORIGIN, &key("operator/checkpoint"))
}

fn size(writer: &Writer) -> usize {
    writer.size().try_into().unwrap()
}

/// What is served now, whole and verified.
fn served(disk: &Memory) -> Vec<Vec<u8>> {
    check_tree(&disk.reopen(), &policy()).expect("a published log")
}

/// Checks that nothing was left over: no staged object, no partial tile beside its full one.
fn check_tidy(objects: &Objects) {
    let private: Vec<_> = objects.keys().filter(|name| name.starts_with("private/staged/")).collect();
    assert!(private.is_empty(), "left over: {private:?}");
    for name in objects.keys().filter(|name| name.contains(".p/")) {
        let path: TilePath = name.strip_prefix("public/").unwrap().parse().unwrap();
        assert!(!objects.contains_key(&format!("public/{}", path.full())), "outgrown: {name}");
    }
}
