//! One call fails, in each of the ways that it can, and with it the process.

use super::*;
use servanda::store::memory::{Among, Plan};

/// One leaf; a round across a tile's boundary; within a tile; across two boundaries at once.
const ROUNDS: [usize; 4] = [1, 10, 3, 300];

/// What was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Acknowledged {
    appended: usize,
    published: usize,
}

impl Acknowledged {
    fn base() -> Self {
        Self { appended: BASE, published: BASE }
    }
}

fn work(store: &Memory, rounds: &[usize], told: &mut Acknowledged) -> Result<(), LogError> {
    let mut writer = open(store)?;
    for round in rounds {
        let from = size(&writer);
        writer.append(&leaves(from..from + round))?;
        told.appended = from + round;
        publish(&mut writer)?;
        told.published = told.appended;
    }
    Ok(())
}

/// The sizes between rounds: an append leaves no trace, or is complete.
fn whole_rounds(rounds: &[usize]) -> Vec<usize> {
    let mut sizes = vec![BASE];
    sizes.extend(rounds.iter().scan(BASE, |size, round| {
        *size += round;
        Some(*size)
    }));
    sizes
}

/// What is on the disk after a crash serves what was published, whole; and whoever opens it goes on from all that was
/// acknowledged.
fn check_after(disk: &Memory, rounds: &[usize], told: Acknowledged, what: &str) {
    let before = served(disk);
    assert!(before.len() >= told.published && before == leaves(0..before.len()), "{what}");
    let store = disk.reopen();
    let mut writer = open(&store).unwrap_or_else(|e| panic!("{what}: {e}"));
    let size = size(&writer);
    assert!(size >= told.appended && whole_rounds(rounds).contains(&size), "{what}: {size} after {told:?}");
    writer.append(&leaves(size..size + 1)).unwrap();
    publish(&mut writer).unwrap();
    assert_eq!(served(disk), leaves(0..size + 1), "{what}");
    check_tidy(&disk.objects());
}

fn calls_of(rounds: &[usize], among: Among) -> u64 {
    let store = base();
    work(&store, rounds, &mut Acknowledged::base()).unwrap();
    let counts = |kind| match among {
        Among::All => true,
        Among::Changes => {
            use servanda::store::memory::Kind::{Delete, Put, Swap};
            matches!(kind, Put | Swap | Delete)
        }
        Among::Only(only) => kind == only,
    };
    store.calls().into_iter().filter(|call| counts(call.kind)).count().try_into().unwrap()
}

#[test]
fn whatever_call_fails_what_was_acknowledged_is_there_and_nothing_half_is_served() {
    let calls = calls_of(&ROUNDS, Among::All);
    assert!(calls > 50, "{calls}");
    for nth in 0..calls {
        for fault in FAULTS {
            for power_cut in [false, true] {
                let store = base();
                store.plan(Plan { among: Among::All, nth, fault, dies: true });
                let mut told = Acknowledged::base();
                let worked = work(&store, &ROUNDS, &mut told);
                let what =
                    format!("call {nth} {:?}, {fault:?}, power cut: {power_cut}", store.calls().last());
                let disk = if power_cut { store.power_cut() } else { store.clone() };
                // Only what comes after publishing may fail in silence.
                assert!(worked.is_err() || told.published == BASE + 314, "{what}");
                check_after(&disk, &ROUNDS, told, &what);
            }
        }
    }
}

#[test]
fn a_writer_that_lives_on_after_a_fault_answers_stopped_and_changes_nothing() {
    for nth in 0..calls_of(&[10, 3], Among::Changes) {
        for fault in FAULTS {
            let store = base();
            store.plan(Plan { among: Among::Changes, nth, fault, dies: false });
            let mut told = Acknowledged::base();
            let Ok(mut writer) = open(&store) else {
                check_after(&store, &[10, 3], told, "opening");
                continue;
            };
            for round in [10, 3] {
                let from = size(&writer);
                if writer.append(&leaves(from..from + round)).is_err() {
                    break;
                }
                told.appended = from + round;
                if publish(&mut writer).is_err() {
                    break;
                }
                told.published = told.appended;
            }
            let what = format!("change {nth}, {fault:?}");
            if told.published < BASE + 13 {
                let before = store.objects();
                assert!(matches!(writer.append(&leaves(0..1)), Err(LogError::Stopped)), "{what}");
                assert!(matches!(publish(&mut writer), Err(LogError::Stopped)), "{what}");
                assert_eq!(store.objects(), before, "{what}");
            }
            check_after(&store, &[10, 3], told, &what);
        }
    }
}

#[test]
fn whatever_call_fails_during_recovery_too_what_was_acknowledged_is_there() {
    let rounds = [10];
    for nth in 0..calls_of(&rounds, Among::Changes) {
        for first in &FAULTS[..3] {
            let crashed = base();
            crashed.plan(Plan { among: Among::Changes, nth, fault: *first, dies: true });
            let mut told = Acknowledged::base();
            let _ = work(&crashed, &rounds, &mut told);
            let left = crashed.objects();
            let recovery = Memory::holding(left.clone());
            open(&recovery).unwrap();
            for again in 0..u64::try_from(recovery.calls().len()).unwrap() {
                for second in &FAULTS[..3] {
                    let store = Memory::holding(left.clone());
                    store.plan(Plan { among: Among::All, nth: again, fault: *second, dies: true });
                    let what = format!("change {nth} {first:?}, then call {again} {second:?}");
                    assert!(open(&store).is_err(), "{what}");
                    check_after(&store, &rounds, told, &what);
                }
            }
        }
    }
}

#[test]
fn a_round_that_was_committed_and_not_applied_is_applied_by_the_next_writer() {
    // Opening swaps once; then the round is put, committed, and put in place: the third put or swap after that.
    let store = base();
    let mut writer = open(&store).unwrap();
    store.plan(Plan {
        among: Among::Only(servanda::store::memory::Kind::Put),
        nth: 1,
        fault: Fault::Fails,
        dies: true,
    });
    assert!(writer.append(&leaves(BASE..BASE + 10)).is_err());
    assert!(!store.objects().contains_key("public/tile/0/000"), "it was not applied");
    let mut writer = open(&store.reopen()).unwrap();
    assert_eq!(size(&writer), BASE + 10);
    publish(&mut writer).unwrap();
    assert_eq!(served(&store), leaves(0..BASE + 10));
}

#[test]
fn a_power_cut_that_brings_back_a_staged_object_after_its_tiles_were_tidied_up_is_harmless() {
    let store = base();
    let mut writer = open(&store).unwrap();
    writer.append(&leaves(BASE..BASE + 10)).unwrap();
    publish(&mut writer).unwrap();
    let outgrown = |objects: &Objects| objects.keys().filter(|n| n.contains("/000.p/2")).count();
    check_tidy(&store.objects());
    let after = store.power_cut();
    let staged = |objects: &Objects| objects.keys().filter(|n| n.starts_with("private/staged")).count();
    assert!(staged(&after.objects()) > 0 && outgrown(&after.objects()) > 0, "the deletions were undone");
    // The partial tiles stay away, the staged object comes back: its round starts where only full tiles are left.
    let mut objects = after.objects();
    objects.retain(|name, _| !name.contains("/000.p/"));
    for disk in [after, Memory::holding(objects)] {
        let mut writer = open(&disk).unwrap();
        assert_eq!(size(&writer), BASE + 10);
        writer.append(&leaves(BASE + 10..BASE + 11)).unwrap();
        publish(&mut writer).unwrap();
        assert_eq!(served(&disk), leaves(0..BASE + 11));
        check_tidy(&disk.objects());
    }
}
