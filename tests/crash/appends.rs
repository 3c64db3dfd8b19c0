//! Every kind of append, at the one door: every storage call of it fails in every way, and so does every call of the
//! recovery after that.
//!
//! ```text
//! founding   class 0   a pledge   a round of several   applying or publishing what was committed
//!   x  nothing done, all done, part of it, done until the power is cut, done later
//!   x  the process dies and the next one opens; or the power is cut; or it lives on
//! ```

use super::operator::{MODEL, found, index, statement};
use super::*;
use crate::support::check_log::check_log;
use servanda::store::memory::{Among, Kind, Plan};
use servanda::submit::{Operator, SubmitError};

/// How a call fails; those held up arrive at once, within the recovery, or when that is over.
const WAYS: [Fault; 8] = [
    Fault::Fails,
    Fault::FailsButPersisted,
    Fault::Partly(0x5555_5555_5555_5555),
    Fault::Volatile,
    Fault::Lingers(0),
    Fault::Lingers(1),
    Fault::Lingers(4),
    Fault::Lingers(30),
];

/// An append: which entries of the model are there before, and which of them it adds.
#[derive(Debug)]
struct Append {
    kind: &'static str,
    before: usize,
    after: usize,
    /// How far these have come before.
    reached: Reached,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Nothing,
    Durable,
    Applied,
}

const APPENDS: [Append; 6] = [
    Append { kind: "founding", before: 0, after: 1, reached: Reached::Nothing },
    Append { kind: "class 0", before: 1, after: 2, reached: Reached::Nothing },
    Append { kind: "a pledge", before: 3, after: 4, reached: Reached::Nothing },
    Append { kind: "a round of several", before: 3, after: 7, reached: Reached::Nothing },
    Append { kind: "applying and publishing", before: 3, after: 7, reached: Reached::Durable },
    Append { kind: "publishing", before: 3, after: 7, reached: Reached::Applied },
];

impl Append {
    /// What is stored before it.
    fn start(&self) -> Objects {
        let store = Memory::new();
        if self.before > 0 {
            let mut operator = found(&store, index()).unwrap();
            admit(&mut operator, 1..self.before).unwrap();
            operator.publish(&key("operator/checkpoint")).unwrap();
            // Whoever opens keeps the history of these, and the next one derives what comes after.
            drop(operator);
            operator = Operator::open(Box::new(store.clone()), None, index()).unwrap();
            if self.reached >= Reached::Durable {
                admit(&mut operator, self.before..self.after).unwrap();
                operator.make_durable().unwrap();
            }
            if self.reached == Reached::Applied {
                operator.apply().unwrap();
            }
        }
        store.objects()
    }

    /// Does it, or what is left of it to do; `told` are the entries that were acknowledged as durable, then as published.
    fn run(&self, store: &Memory, told: &mut (usize, usize)) -> Result<Operator, SubmitError> {
        let opened = Operator::open(Box::new(store.clone()), None, index());
        let mut operator = match opened {
            Err(SubmitError::Log(LogError::NoLog)) => found(store, index())?,
            opened => opened?,
        };
        admit(&mut operator, 1.max(self.before)..self.after)?;
        operator.make_durable()?;
        told.0 = self.after;
        operator.publish(&key("operator/checkpoint"))?;
        told.1 = self.after;
        Ok(operator)
    }

    fn told(&self) -> (usize, usize) {
        (if self.reached >= Reached::Durable { self.after } else { self.before }, self.before)
    }

    /// The calls that it makes, each with the ways in which it can fail: a read has one.
    fn faults(&self, objects: &Objects) -> Vec<(u64, Fault)> {
        let store = Memory::holding(objects.clone());
        self.run(&store, &mut self.told()).unwrap();
        let ways = |kind| if matches!(kind, Kind::Get | Kind::List) { &WAYS[..1] } else { &WAYS };
        let calls = (0..).zip(store.calls());
        calls.flat_map(|(nth, call)| ways(call.kind).iter().map(move |fault| (nth, *fault))).collect()
    }

    /// What was acknowledged is there; and whoever comes next brings it to its end, with the model's bytes.
    fn check(&self, disk: &Memory, told: (usize, usize), what: &str) {
        let model = MODEL.leaves();
        if let Some(served) = check_tree(&disk.reopen(), &policy()) {
            assert!(served.len() >= told.1 && served == model[..served.len()], "{what}");
        } else {
            assert_eq!(told.1, 0, "{what}");
        }
        let mut told = told;
        for again in 0.. {
            let store = disk.reopen();
            if let Ok(operator) = Operator::open(Box::new(store.clone()), None, index()) {
                assert!(operator.writer().size() >= u64::try_from(told.0).unwrap(), "{what}: {told:?}");
            }
            match self.run(&store, &mut told) {
                Ok(_) if !disk.lingers() => break,
                Ok(_) => {}
                // What arrives in the midst looks like another writer, who is one in the end: come again.
                Err(SubmitError::Log(LogError::Fenced { .. } | LogError::Exists)) if again < 3 => {}
                Err(error) => panic!("{what}, again {again}: {error}"),
            }
            assert!(again < 30, "{what}: it never ends");
        }
        assert_eq!(check_log(&disk.reopen(), &policy()), model[..self.after], "{what}");
        drop(open(&disk.reopen()).unwrap());
        check_tidy(&disk.objects());
    }
}

fn admit(operator: &mut Operator, entries: Range<usize>) -> Result<(), SubmitError> {
    for n in entries {
        let (statement, signatures, now) = statement(&MODEL, n);
        assert_eq!(operator.admit(&statement, &signatures, now)?.index(), u64::try_from(n).unwrap());
    }
    Ok(())
}

#[test]
fn whatever_call_of_whatever_append_fails_in_whatever_way_nothing_acknowledged_is_lost() {
    for append in &APPENDS {
        let start = append.start();
        for (nth, fault) in append.faults(&start) {
            for power_cut in [false, true] {
                let store = Memory::holding(start.clone());
                store.plan(Plan { among: Among::All, nth, fault, dies: true });
                let mut told = append.told();
                let failed = append.run(&store, &mut told).map(drop);
                let call = store.calls().last().cloned();
                let what = format!("{}, call {nth} {call:?}, {fault:?}, cut: {power_cut}", append.kind);
                assert!(failed.is_err() || told.1 == append.after, "{what}");
                let disk = if power_cut { store.power_cut() } else { store.reopen() };
                append.check(&disk, told, &what);
            }
        }
    }
}

#[test]
fn an_operator_that_lives_on_after_a_fault_appends_nothing_more_until_it_opens_again() {
    for append in &APPENDS {
        let start = append.start();
        for (nth, fault) in append.faults(&start) {
            let store = Memory::holding(start.clone());
            let mut told = append.told();
            let what = format!("{}, call {nth}, {fault:?}", append.kind);
            store.plan(Plan { among: Among::All, nth, fault, dies: false });
            let opened = Operator::open(Box::new(store.clone()), None, index());
            let Ok(mut operator) = opened else {
                append.check(&store, told, &what);
                continue;
            };
            let mut work = || {
                admit(&mut operator, 1.max(append.before)..append.after)?;
                operator.make_durable()?;
                told.0 = append.after;
                operator.publish(&key("operator/checkpoint"))
            };
            // Once more after the failure: it ends well, or is refused, and lies about neither.
            if work().or_else(|_| work()).is_ok() {
                told.1 = append.after;
            }
            append.check(&store, told, &what);
        }
    }
}

#[test]
fn whatever_call_fails_during_the_recovery_of_whatever_append_nothing_acknowledged_is_lost() {
    for append in &APPENDS {
        let start = append.start();
        let mut left = Vec::new();
        for (nth, fault) in append.faults(&start) {
            let store = Memory::holding(start.clone());
            store.plan(Plan { among: Among::All, nth, fault, dies: true });
            let mut told = append.told();
            let _ = append.run(&store, &mut told);
            let disk = if fault == Fault::Volatile { store.power_cut() } else { store };
            left.push((disk.objects(), told));
        }
        // Many faults leave the same behind.
        left.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        left.dedup_by(|a, b| a.0 == b.0);
        for (n, (objects, told)) in left.iter().enumerate() {
            let faults = append.faults(objects);
            // When exactly a request arrives is varied above.
            for (again, fault) in
                faults.into_iter().filter(|(_, fault)| !matches!(fault, Fault::Lingers(0 | 4 | 30)))
            {
                let store = Memory::holding(objects.clone());
                store.plan(Plan { among: Among::All, nth: again, fault, dies: true });
                let mut told = *told;
                let _ = append.run(&store, &mut told);
                let what = format!("{}, left {n}, then call {again} {fault:?}", append.kind);
                let disk = if fault == Fault::Volatile { store.power_cut() } else { store.reopen() };
                append.check(&disk, told, &what);
            }
        }
        eprintln!(
            "{}: {} states left behind, each recovered from under every fault",
            append.kind,
            left.len()
        );
    }
}
