//! One call fails, in each of the ways that it can, and with it the process.

use super::*;
use servanda::store::memory::{Among, Plan};

/// What a writer does.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many leaves, durable and in their tiles.
    Append(usize),
    /// So many leaves, durable.
    Commit(usize),
    Publish,
}
use Step::{Append, Commit, Publish};

/// One leaf; a round across a tile's boundary; within a tile; across two boundaries at once, and too long for the record.
const ONE_BY_ONE: [Step; 8] =
    [Append(1), Publish, Append(10), Publish, Append(3), Publish, Append(300), Publish];

/// Several commits that are applied together; one that the record has no room for beside the one before; one behind that.
const TOGETHER: [Step; 8] =
    [Commit(1), Commit(10), Publish, Commit(3), Commit(300), Commit(1), Commit(1), Publish];

/// What was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Acknowledged {
    durable: usize,
    published: usize,
}

impl Acknowledged {
    fn base() -> Self {
        Self { durable: BASE, published: BASE }
    }
}

fn work(store: &Memory, steps: &[Step], told: &mut Acknowledged) -> Result<(), LogError> {
    let mut writer = open(store)?;
    for step in steps {
        let from = size(&writer);
        match step {
            Append(round) => writer.append(&leaves(from..from + round))?,
            Commit(round) => writer.commit(&leaves(from..from + round))?,
            Publish => {
                publish(&mut writer)?;
                told.published = from;
            }
        }
        told.durable = size(&writer);
    }
    Ok(())
}

/// The sizes between rounds: a round leaves no trace, or is complete.
fn whole_rounds(steps: &[Step]) -> Vec<usize> {
    let mut sizes = vec![BASE];
    sizes.extend(steps.iter().scan(BASE, |size, step| {
        *size += match step {
            Append(round) | Commit(round) => *round,
            Publish => 0,
        };
        Some(*size)
    }));
    sizes
}

/// What is on the disk after a crash serves what was published, whole; and whoever opens it goes on from all that was
/// acknowledged.
fn check_after(disk: &Memory, steps: &[Step], told: Acknowledged, what: &str) {
    let before = served(disk);
    assert!(before.len() >= told.published && before == leaves(0..before.len()), "{what}");
    let store = disk.reopen();
    let mut writer = open(&store).unwrap_or_else(|e| panic!("{what}: {e}"));
    let size = size(&writer);
    assert!(size >= told.durable && whole_rounds(steps).contains(&size), "{what}: {size} after {told:?}");
    writer.append(&leaves(size..size + 1)).unwrap();
    publish(&mut writer).unwrap();
    assert_eq!(served(disk), leaves(0..size + 1), "{what}");
    check_tidy(&disk.objects());
}

fn calls_of(steps: &[Step], among: Among) -> u64 {
    let store = base();
    work(&store, steps, &mut Acknowledged::base()).unwrap();
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
    for steps in [&ONE_BY_ONE, &TOGETHER] {
        let calls = calls_of(steps, Among::All);
        assert!(calls > 40, "{calls}");
        let all = *whole_rounds(steps).last().unwrap();
        for nth in 0..calls {
            for fault in FAULTS {
                for power_cut in [false, true] {
                    let store = base();
                    store.plan(Plan { among: Among::All, nth, fault, dies: true });
                    let mut told = Acknowledged::base();
                    let worked = work(&store, steps, &mut told);
                    let what =
                        format!("call {nth} {:?}, {fault:?}, power cut: {power_cut}", store.calls().last());
                    let disk = if power_cut { store.power_cut() } else { store.clone() };
                    // Only what comes after publishing may fail in silence.
                    assert!(worked.is_err() || told.published == all, "{what}");
                    check_after(&disk, steps, told, &what);
                }
            }
        }
    }
}

#[test]
fn a_writer_that_lives_on_after_a_fault_answers_stopped_and_changes_nothing() {
    for steps in [&[Append(10), Publish, Append(3), Publish][..], &[Commit(10), Commit(3), Publish]] {
        for nth in 0..calls_of(steps, Among::Changes) {
            for fault in FAULTS {
                let store = base();
                store.plan(Plan { among: Among::Changes, nth, fault, dies: false });
                let mut told = Acknowledged::base();
                let Ok(mut writer) = open(&store) else {
                    check_after(&store, steps, told, "opening");
                    continue;
                };
                let mut go_on = |step: &Step| {
                    let from = size(&writer);
                    match step {
                        Append(round) => writer.append(&leaves(from..from + round))?,
                        Commit(round) => writer.commit(&leaves(from..from + round))?,
                        Publish => told.published = publish(&mut writer).map(|_| from)?,
                    }
                    told.durable = size(&writer);
                    Ok::<_, LogError>(())
                };
                let ended = steps.iter().try_for_each(&mut go_on);
                let what = format!("change {nth}, {fault:?}");
                assert!(ended.is_err() || told.published == BASE + 13, "{what}");
                if ended.is_err() {
                    let before = store.objects();
                    assert!(matches!(writer.append(&leaves(0..1)), Err(LogError::Stopped)), "{what}");
                    assert!(matches!(writer.apply(), Err(LogError::Stopped)), "{what}");
                    assert!(matches!(publish(&mut writer), Err(LogError::Stopped)), "{what}");
                    assert_eq!(store.objects(), before, "{what}");
                }
                check_after(&store, steps, told, &what);
            }
        }
    }
}

#[test]
fn whatever_call_fails_during_recovery_too_what_was_acknowledged_is_there() {
    for steps in [&[Append(10), Publish][..], &[Commit(10), Commit(4), Publish], &[Append(14), Commit(300)]] {
        for nth in 0..calls_of(steps, Among::Changes) {
            for first in &FAULTS[..3] {
                let crashed = base();
                crashed.plan(Plan { among: Among::Changes, nth, fault: *first, dies: true });
                let mut told = Acknowledged::base();
                let _ = work(&crashed, steps, &mut told);
                let left = crashed.objects();
                let recovery = Memory::holding(left.clone());
                open(&recovery).unwrap();
                for again in 0..u64::try_from(recovery.calls().len()).unwrap() {
                    for second in &FAULTS[..3] {
                        let store = Memory::holding(left.clone());
                        store.plan(Plan { among: Among::All, nth: again, fault: *second, dies: true });
                        let what = format!("{steps:?}, change {nth} {first:?}, then call {again} {second:?}");
                        assert!(open(&store).is_err(), "{what}");
                        check_after(&store, steps, told, &what);
                    }
                }
            }
        }
    }
}

#[test]
fn what_was_committed_and_not_applied_is_applied_by_the_next_writer() {
    for rounds in [&[10][..], &[1, 9], &[14, 300], &[14, 300, 2]] {
        let store = base();
        let mut writer = open(&store).unwrap();
        let mut to = BASE;
        for round in rounds {
            writer.commit(&leaves(to..to + round)).unwrap();
            to += round;
        }
        assert!(
            !store.objects().keys().any(|name| name.ends_with(&format!("p/{}", to % 256))),
            "not applied"
        );
        drop(writer);
        let mut writer = open(&store.reopen()).unwrap();
        assert_eq!(size(&writer), to);
        publish(&mut writer).unwrap();
        assert_eq!(served(&store), leaves(0..to));
        check_tidy(&store.objects());
    }
}

#[test]
fn what_is_published_beside_a_later_commit_leaves_what_that_staged() {
    let store = Memory::holding(log_of(LONG.start));
    let mut writer = open(&store).unwrap();
    let note = writer.sign(ORIGIN, &key("operator/checkpoint")).unwrap();
    writer.commit(&leaves(LONG)).unwrap();
    // With more cosignatures, say.
    writer.publish_cosigned(&note).unwrap();
    drop(writer);
    assert_eq!(size(&open(&store.reopen()).unwrap()), LONG.end);
}

#[test]
fn a_power_cut_that_brings_back_a_staged_object_after_its_tiles_were_tidied_up_is_harmless() {
    let store = Memory::holding(log_of(LONG.start));
    let mut writer = open(&store).unwrap();
    writer.append(&leaves(LONG)).unwrap();
    publish(&mut writer).unwrap();
    let outgrown = |objects: &Objects| objects.keys().filter(|n| n.contains("/001.p/8")).count();
    check_tidy(&store.objects());
    let after = store.power_cut();
    let staged = |objects: &Objects| objects.keys().filter(|n| n.starts_with("private/staged")).count();
    assert!(staged(&after.objects()) > 0 && outgrown(&after.objects()) > 0, "the deletions were undone");
    // The partial tiles stay away, the staged object comes back: its round starts where only full tiles are left.
    let mut objects = after.objects();
    objects.retain(|name, _| !name.contains("/001.p/"));
    for disk in [after, Memory::holding(objects)] {
        let mut writer = open(&disk).unwrap();
        assert_eq!(size(&writer), LONG.end);
        writer.append(&leaves(LONG.end..LONG.end + 1)).unwrap();
        publish(&mut writer).unwrap();
        assert_eq!(served(&disk), leaves(0..LONG.end + 1));
        check_tidy(&disk.objects());
    }
}
