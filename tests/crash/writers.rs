//! Two writers: one sleeps while another takes over, or both race. Whoever is told "done" finds its leaves in the log;
//! whoever is too late is told so.

use super::*;
use servanda::store::dir::Dir;
use servanda::store::memory::{Among, Kind};
use servanda::store::{Read as _, Store};
use std::sync::{Arc, Mutex};

/// Leaves of one writer, and where it was told that they stand.
type Told = Arc<Mutex<Vec<(usize, Vec<Vec<u8>>)>>>;

/// Appends leaves of its own, and publishes them.
fn append(writer: &mut Writer, name: &str, count: usize, told: &Told) -> Result<(), LogError> {
    commit(writer, name, count, told)?;
    publish(writer).map(drop)
}

/// Commits leaves of its own.
fn commit(writer: &mut Writer, name: &str, count: usize, told: &Told) -> Result<(), LogError> {
    let from = size(writer);
    let own: Vec<_> = (0..count).map(|n| format!("{name} {from}+{n}").into_bytes()).collect();
    writer.commit(&own)?;
    told.lock().unwrap().push((from, own));
    Ok(())
}

fn sleeper(store: &Memory, told: &Told) -> Result<(), LogError> {
    let mut writer = open(store)?;
    append(&mut writer, "sleeper", 10, told)?;
    commit(&mut writer, "sleeper", 2, told)?;
    append(&mut writer, "sleeper", 3, told)
}

/// Everything that anyone was told stands where it was told.
fn check_told(leaves: &[Vec<u8>], told: &Told) {
    for (from, own) in &*told.lock().unwrap() {
        assert_eq!(leaves[*from..][..own.len()], own[..]);
    }
}

#[test]
fn a_writer_that_stalls_at_any_call_and_wakes_after_another_took_over_is_fenced_or_harmless() {
    let calls = base();
    sleeper(&calls, &Told::default()).unwrap();
    let calls = u64::try_from(calls.calls().len()).unwrap();
    let mut fenced = 0;
    for others in [1, 300] {
        for nth in 0..calls {
            let (store, told) = (base(), Told::default());
            let (other, others_told) = (store.reopen(), Arc::clone(&told));
            store.stall(Among::All, nth, move || {
                append(&mut open(&other).unwrap(), "other", others, &others_told).unwrap();
            });
            match sleeper(&store, &told) {
                Ok(()) => {}
                Err(LogError::Fenced { epoch }) => {
                    assert_eq!(epoch, 3, "the other's epoch, stalled at {nth}");
                    fenced += 1;
                }
                Err(other) => panic!(
                    "stalled at call {nth} {:?}: {other}",
                    store.calls()[usize::try_from(nth).unwrap()]
                ),
            }
            let before = served(&store);
            check_told(&before[..BASE], &Told::default());
            let mut next = open(&store.reopen()).unwrap();
            append(&mut next, "next", 1, &told).unwrap();
            check_told(&served(&store), &told);
            assert_eq!(served(&store)[..BASE], leaves(0..BASE));
        }
    }
    assert!(fenced > 20, "{fenced}");
}

#[test]
fn a_writer_that_wakes_up_is_told_who_took_over() {
    let store = base();
    let mut first = open(&store).unwrap();
    let second = open(&store.reopen()).unwrap();
    assert!(matches!(first.append(&leaves(0..1)), Err(LogError::Fenced { epoch: 3 })));
    assert!(matches!(first.append(&leaves(0..1)), Err(LogError::Stopped)));
    check_tidy(&store.objects());
    assert_eq!(second.size(), 250);
    // One that is behind what is published learns that it was overtaken, and not that a backup was restored.
    let mut first = open(&store).unwrap();
    let mut second = open(&store.reopen()).unwrap();
    append(&mut second, "second", 5, &Told::default()).unwrap();
    assert!(matches!(publish(&mut first), Err(LogError::Fenced { epoch: 5 })));
}

#[test]
fn a_checkpoint_that_was_overtaken_at_the_last_moment_is_not_said_to_be_published() {
    let (store, told) = (base(), Told::default());
    let mut writer = open(&store).unwrap();
    writer.append(&leaves(BASE..BASE + 10)).unwrap();
    let (other, others_told) = (store.reopen(), Arc::clone(&told));
    store.stall(Among::Only(Kind::Swap), 0, move || {
        append(&mut open(&other).unwrap(), "other", 1, &others_told).unwrap();
    });
    assert!(matches!(publish(&mut writer), Err(LogError::Fenced { epoch: 3 })));
    assert_eq!(served(&store).len(), BASE + 11, "what the other published stays");
    check_told(&served(&store), &told);
}

#[test]
fn whoever_founds_a_log_where_there_is_one_does_not_disturb_its_writer() {
    let store = base();
    let mut writer = open(&store).unwrap();
    let again = Writer::create(Box::new(store.reopen()), None).map(drop);
    assert!(matches!(again, Err(LogError::Exists)));
    writer.append(&leaves(BASE..BASE + 1)).unwrap();
    // Of two founders at once, the later one finds the other's entries, whenever it looks.
    for nth in 0..3 {
        let store = Memory::new();
        drop(Writer::create(Box::new(store.clone()), None).unwrap());
        let (late, other) = (store.reopen(), store.reopen());
        late.stall(Among::All, nth, move || {
            let mut writer = Writer::create(Box::new(other), None).unwrap();
            append(&mut writer, "other", 1, &Told::default()).unwrap();
        });
        assert!(matches!(Writer::create(Box::new(late), None).map(drop), Err(LogError::Exists)), "{nth}");
    }
}

#[test]
fn no_more_than_one_round_stays_staged() {
    let store = base();
    let mut writer = open(&store).unwrap();
    // More than a commit record takes.
    let long = vec![vec![7; 60_000]; 3];
    for _ in 0..5 {
        writer.append(&long).unwrap();
        assert_eq!(store.list("private/staged").unwrap().len(), 1);
    }
    writer.append(&leaves(0..1)).unwrap();
    assert!(store.list("private/staged").unwrap().is_empty());
}

fn race(stores: [Box<dyn Fn() -> Box<dyn Store> + Send>; 2], rounds: usize) -> Told {
    let told = Told::default();
    std::thread::scope(|scope| {
        for (name, store) in ["a", "b"].into_iter().zip(stores) {
            let told = Arc::clone(&told);
            scope.spawn(move || {
                let mut done = 0;
                for _attempt in 0..10_000 {
                    let late = |e: &LogError| matches!(e, LogError::Fenced { .. });
                    let mut writer = match Writer::open(store(), None) {
                        Ok(writer) => writer,
                        Err(error) if late(&error) => continue,
                        Err(error) => panic!("{name}: {error}"),
                    };
                    while done < rounds {
                        match append(&mut writer, name, 1 + done % 3, &told) {
                            Ok(()) => done += 1,
                            Err(error) if late(&error) => break,
                            Err(error) => panic!("{name}: {error}"),
                        }
                        std::thread::yield_now();
                    }
                    if done == rounds {
                        return;
                    }
                    std::thread::sleep(std::time::Duration::from_micros(200 * (1 + done as u64 % 5)));
                }
                panic!("{name} got no further than {done} rounds");
            });
        }
    });
    told
}

#[test]
fn two_writers_racing_lose_nothing_that_either_was_told() {
    let disk = base();
    let handle = |disk: &Memory| {
        let disk = disk.clone();
        Box::new(move || Box::new(disk.reopen()) as Box<dyn Store>) as Box<dyn Fn() -> Box<dyn Store> + Send>
    };
    let told = race([handle(&disk), handle(&disk)], 60);
    publish(&mut open(&disk.reopen()).unwrap()).unwrap();
    check_told(&served(&disk), &told);
    assert!(told.lock().unwrap().len() >= 120);
}

#[test]
fn two_writers_racing_in_one_directory_lose_nothing_that_either_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    drop(Writer::create(Box::new(Dir::create(&home).unwrap()), None).unwrap());
    let handle = || {
        let home = home.clone();
        Box::new(move || Box::new(Dir::open(&home).unwrap()) as Box<dyn Store>)
            as Box<dyn Fn() -> Box<dyn Store> + Send>
    };
    let told = race([handle(), handle()], 5);
    let mut writer = Writer::open(Box::new(Dir::open(&home).unwrap()), None).unwrap();
    publish(&mut writer).unwrap();
    let leaves = check_tree(writer.store(), &policy()).unwrap();
    check_told(&leaves, &told);
    assert!(writer.store().list("private/staged").unwrap().is_empty());
}

#[test]
fn staged_objects_of_older_epochs_are_discarded_and_those_of_later_ones_are_not() {
    let store = base();
    let staged = |epoch: u64| format!("private/staged/{epoch:020}-251-{}", servanda::hash::ZEROS);
    let objects: Vec<_> = [0, 1, 2, 9].map(|epoch| (staged(epoch), b"left over".to_vec())).into();
    store.put_all(&objects).unwrap();
    store.put_all(&[("private/staged/no-name-of-ours".into(), vec![])]).unwrap();
    // It becomes the writer of epoch 2; one of epoch 9 may be about to commit.
    open(&store).unwrap();
    assert_eq!(store.list("private/staged").unwrap(), [staged(2), staged(9)]);
    assert_eq!(store.get(&staged(9), 9).unwrap().unwrap(), b"left over");
}
