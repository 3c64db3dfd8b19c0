//! Restored backups: what is published, or a guard file, knows more than the storage does; then nothing is signed.

use super::*;
use servanda::checkpoint::Checkpoint;
use servanda::hash::{Hash, ZEROS};
use servanda::log::{CHECKPOINT, COMMIT, Record, Staged};
use servanda::store::guard::Guard;
use servanda::store::{Attempt, Read as _, Store as _, StoreError, Swap};
use std::sync::{Arc, Mutex};

/// A guard in memory.
#[derive(Clone, Default)]
struct TestGuard(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    head: Option<(u64, Hash)>,
    is_full: bool,
    /// What another writer keeps just before this one does.
    overtaken: Option<(u64, Hash)>,
}

impl TestGuard {
    fn of(head: Option<(u64, Hash)>) -> Self {
        Self(Arc::new(Mutex::new(Kept { head, ..Kept::default() })))
    }

    fn head(&self) -> Option<(u64, Hash)> {
        self.0.lock().unwrap().head
    }
}

impl Guard for TestGuard {
    fn last(&self) -> Result<Option<(u64, Hash)>, StoreError> {
        Ok(self.head())
    }

    fn keep(&self, size: u64, root: Hash) -> Result<(), StoreError> {
        let mut this = self.0.lock().unwrap();
        if this.is_full {
            let source = std::io::ErrorKind::StorageFull.into();
            return Err(StoreError::Io { attempt: Attempt::Write, name: "guard".into(), source });
        }
        if let Some(other) = this.overtaken.take() {
            this.head = Some(other);
            return Err(StoreError::Conflict { name: "guard".into() });
        }
        this.head = Some((size, root));
        Ok(())
    }
}

fn guarded(store: &Memory, guard: &TestGuard) -> Result<Writer, LogError> {
    Writer::open(Box::new(store.clone()), Some(Box::new(guard.clone())))
}

fn is_ahead<T>(result: Result<T, LogError>, place: &str, size: u64) -> bool {
    matches!(result, Err(LogError::Ahead { place: p, ahead, .. }) if p.contains(place) && ahead == size)
}

/// A log that has published ten more leaves than its backup.
fn with_backup() -> (Memory, Objects) {
    let store = base();
    let backup = store.objects();
    let mut writer = open(&store).unwrap();
    writer.append(&leaves(BASE..BASE + 10)).unwrap();
    publish(&mut writer).unwrap();
    (store, backup)
}

fn root_of(size: usize) -> Hash {
    open(&Memory::holding(log_of(size))).unwrap().root()
}

/// Puts a checkpoint of these in the place of the published one, signed by the log.
fn replace_checkpoint(store: &Memory, size: u64, root: Hash) {
    let note = Checkpoint::new(ORIGIN, size, root).unwrap().sign(&key("operator/checkpoint"));
    let old = store.get(CHECKPOINT, 1 << 20).unwrap();
    assert_eq!(store.swap(CHECKPOINT, old.as_deref(), note.as_bytes()).unwrap(), Swap::Done);
}

#[test]
fn a_commit_record_behind_the_published_checkpoint_is_refused() {
    let (now, backup) = with_backup();
    let mut restored = now.objects();
    restored.retain(|name, _| name.starts_with("public/"));
    restored.extend(
        backup.iter().filter(|(n, _)| n.starts_with("private/")).map(|(n, b)| (n.clone(), b.clone())),
    );
    let store = Memory::holding(restored);
    assert!(is_ahead(open(&store), "checkpoint", 260));
    assert_eq!(served(&store), leaves(0..BASE + 10), "what is published stays");
    // With the newer tiles gone, too, it is still ahead.
    let store = Memory::holding(backup);
    replace_checkpoint(&store, 260, root_of(260));
    assert!(is_ahead(open(&store), "checkpoint", 260));
}

#[test]
fn whatever_checkpoint_lies_beside_a_commit_that_was_not_applied_nothing_of_that_is_lost() {
    let store = base();
    open(&store).unwrap().commit(&leaves(BASE..BASE + 10)).unwrap();
    let before = store.get(CHECKPOINT, 1 << 20).unwrap().unwrap();
    for (size, root) in [(300, root_of(300)), (255, root_of(255)), (260, root_of(250)), (260, root_of(260))] {
        let disk = Memory::holding(store.objects());
        replace_checkpoint(&disk, size, root);
        let opened = open(&disk);
        match size {
            // An earlier one of the same history.
            255 => assert_eq!(super::size(&opened.unwrap()), BASE + 10),
            // Nobody published this: it would have been applied.
            260 if root == root_of(260) => assert!(matches!(opened, Err(LogError::Edge(_)))),
            _ => assert!(is_ahead(opened, "checkpoint", size), "{size}"),
        }
        let there = disk.get(CHECKPOINT, 1 << 20).unwrap();
        assert_eq!(disk.swap(CHECKPOINT, there.as_deref(), &before).unwrap(), Swap::Done);
        publish(&mut open(&disk).unwrap()).unwrap();
        assert_eq!(served(&disk), leaves(0..BASE + 10));
    }
}

#[test]
fn a_published_checkpoint_with_another_root_is_refused_and_an_older_one_of_this_history_is_not() {
    for (size, root, fits) in [
        (250, root_of(250), true),
        (249, root_of(249), true),
        (3, root_of(3), true),
        (250, root_of(249), false),
        (249, root_of(250), false),
        (3, ZEROS, false),
    ] {
        let store = base();
        replace_checkpoint(&store, size, root);
        let opened = open(&store);
        assert_eq!(opened.is_ok(), fits, "size {size}");
        assert!(fits || is_ahead(opened, "checkpoint", size));
    }
    let store = base();
    let old = store.get(CHECKPOINT, 1 << 20).unwrap();
    assert_eq!(store.swap(CHECKPOINT, old.as_deref(), b"no checkpoint\n").unwrap(), Swap::Done);
    assert!(matches!(open(&store), Err(LogError::Checkpoint(_))));
}

#[test]
fn a_checkpoint_published_meanwhile_is_neither_lowered_nor_contradicted() {
    for (size, root) in [(300, root_of(300)), (260, root_of(250)), (250, root_of(249))] {
        let store = base();
        let mut writer = open(&store).unwrap();
        writer.append(&leaves(BASE..BASE + 10)).unwrap();
        replace_checkpoint(&store, size, root);
        let there = store.get(CHECKPOINT, 1 << 20).unwrap();
        assert!(is_ahead(publish(&mut writer), "checkpoint", size));
        assert_eq!(store.get(CHECKPOINT, 1 << 20).unwrap(), there);
    }
}

#[test]
fn a_guard_file_ahead_of_a_restored_backup_stops_the_writer() {
    let (store, guard) = (base(), TestGuard::default());
    let backup = store.objects();
    let mut writer = guarded(&store, &guard).unwrap();
    writer.append(&leaves(BASE..BASE + 10)).unwrap();
    publish(&mut writer).unwrap();
    assert_eq!(guard.head(), Some((260, root_of(260))));
    let restored = Memory::holding(backup);
    assert!(is_ahead(guarded(&restored, &guard), "guard", 260));
    // Nor does it help to append up to that size: the roots differ.
    let mut writer = open(&restored).unwrap();
    writer.append(&leaves(1000..1010)).unwrap();
    drop(writer);
    assert!(is_ahead(guarded(&restored, &guard), "guard", 260));
    assert!(guarded(&store, &guard).is_ok(), "the log itself goes on");
}

#[test]
fn a_guard_that_moves_on_or_cannot_be_written_stops_the_signature() {
    for head in [(300, root_of(300)), (260, root_of(250)), (100, root_of(250))] {
        let (store, guard) = (base(), TestGuard::default());
        let mut writer = guarded(&store, &guard).unwrap();
        writer.append(&leaves(BASE..BASE + 10)).unwrap();
        guard.0.lock().unwrap().head = Some(head);
        assert!(is_ahead(publish(&mut writer), "guard", head.0));
        assert_eq!((served(&store).len(), guard.head()), (BASE, Some(head)));
    }
    let (store, guard) = (base(), TestGuard::of(Some((250, root_of(250)))));
    let mut writer = guarded(&store, &guard).unwrap();
    writer.append(&leaves(BASE..BASE + 10)).unwrap();
    guard.0.lock().unwrap().is_full = true;
    assert!(matches!(publish(&mut writer), Err(LogError::Store(StoreError::Io { .. }))));
    assert_eq!(served(&store).len(), BASE, "nothing was signed");
    guard.0.lock().unwrap().is_full = false;
    publish(&mut writer).unwrap();
    assert_eq!(guard.head(), Some((260, root_of(260))));
}

#[test]
fn a_guard_that_moves_on_at_the_last_moment_says_who_took_over() {
    for taken_over in [false, true] {
        let (store, guard) = (base(), TestGuard::default());
        let mut writer = guarded(&store, &guard).unwrap();
        writer.append(&leaves(BASE..BASE + 10)).unwrap();
        guard.0.lock().unwrap().overtaken = Some((300, root_of(300)));
        if taken_over {
            drop(open(&store.reopen()).unwrap());
            assert!(matches!(publish(&mut writer), Err(LogError::Fenced { epoch: 3 })));
        } else {
            assert!(is_ahead(publish(&mut writer), "guard", 300));
        }
        assert_eq!(served(&store).len(), BASE, "nothing was signed");
    }
}

#[test]
fn a_head_that_will_not_be_published_is_not_kept_in_the_guard_either() {
    let (store, guard) = (base(), TestGuard::default());
    let mut writer = guarded(&store, &guard).unwrap();
    writer.append(&leaves(BASE..BASE + 10)).unwrap();
    replace_checkpoint(&store, 300, root_of(300));
    assert!(is_ahead(publish(&mut writer), "checkpoint", 300));
    assert_eq!(guard.head(), None);
}

#[test]
fn a_damaged_commit_record_is_an_error_and_never_a_panic() {
    let store = base();
    let record = store.get(COMMIT, 1 << 20).unwrap().unwrap();
    // Its beginning, and the leaves here and there.
    for at in (0..64).chain((64..record.len()).step_by(31)) {
        for bit in 0..8 {
            let mut damaged = record.clone();
            damaged[at] ^= 1 << bit;
            let mut objects = BASE_LOG.clone();
            objects.insert(COMMIT.to_owned(), damaged);
            let store = Memory::holding(objects);
            if let Ok(writer) = open(&store) {
                // The epoch says nothing of the log, nor does what was staged, once it is published.
                assert_eq!((writer.size(), writer.root()), (250, root_of(250)), "byte {at} bit {bit}");
            }
        }
    }
    let last = Record { epoch: u64::MAX, size: 0, root: servanda::hash::EMPTY_ROOT, staged: Staged::Nothing };
    let store = Memory::new();
    assert_eq!(store.swap(COMMIT, None, &last.encode()).unwrap(), Swap::Done);
    assert!(matches!(open(&store), Err(LogError::Fenced { epoch: u64::MAX })));
}
