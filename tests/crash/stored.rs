//! Stored bytes that were changed: found before anything is built on them or signed.

use super::*;
use servanda::hash::leaf_hash;
use servanda::log::CHECKPOINT;
use servanda::merkle::bundle;

const SIZE: usize = 600;

/// The objects that the right edge of 600 leaves consists of.
const EDGE: [&str; 4] =
    ["public/tile/0/001", "public/tile/0/002.p/88", "public/tile/1/000.p/2", "public/tile/entries/002.p/88"];

fn with(objects: &Objects, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Memory {
    let mut objects = objects.clone();
    change(objects.get_mut(name).unwrap_or_else(|| panic!("{name} is not there")));
    Memory::holding(objects)
}

#[test]
fn a_flipped_bit_at_the_right_edge_keeps_the_log_shut() {
    let objects = log_of(SIZE);
    for name in &EDGE {
        // The larger ones by a prime step.
        let len = objects[*name].len();
        for at in (0..len).step_by(if len > 1000 { 13 } else { 1 }) {
            let store = with(&objects, name, |bytes| bytes[at] ^= 1 << (at % 8));
            assert!(matches!(open(&store), Err(LogError::Edge(_))), "{name} byte {at}");
        }
        let changes: [fn(&mut Vec<u8>); 3] = [|b| b.truncate(b.len() - 1), |b| b.push(0), Vec::clear];
        for change in changes {
            let store = with(&objects, name, change);
            assert!(open(&store).is_err(), "{name}");
        }
        let mut without = objects.clone();
        without.remove(*name);
        assert!(matches!(open(&Memory::holding(without)), Err(LogError::Edge(_))), "{name} missing");
    }
}

#[test]
fn a_bit_that_flips_between_opening_and_signing_stops_the_signature() {
    for name in &EDGE {
        let store = Memory::holding(log_of(SIZE));
        let mut writer = open(&store).unwrap();
        let before = store.objects();
        let damaged = with(&before, name, |bytes| bytes[0] ^= 1);
        swap_behind_its_back(&store, name, &damaged.objects()[*name]);
        assert!(matches!(publish(&mut writer), Err(LogError::Edge(_))), "{name}");
        assert_eq!(store.objects()[CHECKPOINT], before[CHECKPOINT], "nothing was signed");
        swap_behind_its_back(&store, name, &before[*name]);
        publish(&mut writer).unwrap();
    }
}

/// Changes an object that never changes.
fn swap_behind_its_back(store: &Memory, name: &str, bytes: &[u8]) {
    use servanda::store::{Store as _, Swap};
    let there = store.objects()[name].clone();
    assert_eq!(store.reopen().swap(name, Some(&there), bytes).unwrap(), Swap::Done);
}

#[test]
fn recovery_writes_nothing_that_does_not_add_up_to_the_committed_root() {
    for own in [leaves(SIZE..SIZE + 10), vec![vec![7; 60_000]; 3]] {
        committed_and_damaged(&own);
    }
}

/// These are committed, and not applied: the record holds them, or an object where there is one.
fn committed_and_damaged(own: &[Vec<u8>]) {
    let store = Memory::holding(log_of(SIZE));
    open(&store).unwrap().commit(own).unwrap();
    let committed = store.objects();
    let object = committed.keys().find(|name| name.starts_with("private/staged/"));
    let staged = object.map_or(servanda::log::COMMIT, String::as_str);
    for name in ["public/tile/0/002.p/88", "public/tile/1/000.p/2", "public/tile/entries/002.p/88", staged] {
        let damaged = with(&committed, name, |bytes| *bytes.last_mut().unwrap() ^= 1);
        let before = damaged.objects();
        assert!(open(&damaged).is_err(), "{name}");
        let changed: Vec<_> =
            damaged.objects().into_iter().filter(|(n, b)| before.get(n) != Some(b)).collect();
        assert!(changed.iter().all(|(n, _)| n == servanda::log::COMMIT), "{name}: wrote {changed:?}");
        // So that mending the byte mends the log.
        swap_behind_its_back(&damaged, name, &committed[name]);
        let mut writer = open(&damaged.reopen()).unwrap();
        publish(&mut writer).unwrap();
        assert_eq!(served(&damaged), [&leaves(0..SIZE)[..], own].concat());
    }
    if let Some(object) = object {
        let mut gone = committed.clone();
        gone.remove(object);
        assert!(
            matches!(open(&Memory::holding(gone)), Err(LogError::Edge(_))),
            "the committed round is lost"
        );
    }
}

#[test]
fn what_an_immutable_path_holds_is_compared_and_never_overwritten() {
    use servanda::store::{Store as _, StoreError};
    let store = base();
    store.put_all(&[("public/tile/0/000".into(), vec![7; 8192])]).unwrap();
    let mut writer = open(&store).unwrap();
    let refused = writer.append(&leaves(BASE..BASE + 10));
    assert!(
        matches!(refused, Err(LogError::Store(StoreError::Conflict { name })) if name == "public/tile/0/000")
    );
    assert_eq!(store.objects()["public/tile/0/000"], [7; 8192]);
    assert_eq!(served(&store), leaves(0..BASE));
}

#[test]
fn where_no_level_has_a_partial_tile_below_the_last_one_each_last_hash_is_still_derived() {
    // 65,536 leaves: the right edge is one hash, of a tile of full tiles.
    let objects = log_of(1 << 16);
    assert!(open(&Memory::holding(objects.clone())).is_ok());
    for name in ["public/tile/2/000.p/1", "public/tile/1/000", "public/tile/0/255", "public/tile/entries/255"]
    {
        let store = with(&objects, name, |bytes| *bytes.last_mut().unwrap() ^= 1);
        assert!(matches!(open(&store), Err(LogError::Edge(_))), "{name}");
    }
    // Another last entry, and its hash with it: only the tile above tells.
    let mut store = objects.clone();
    let bytes = store.get_mut("public/tile/entries/255").unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let last = bundle::parse(bytes, 256).unwrap().last().map(|entry| leaf_hash(entry)).unwrap();
    store.get_mut("public/tile/0/255").unwrap()[8192 - 32..].copy_from_slice(&last.0);
    assert!(matches!(open(&Memory::holding(store)), Err(LogError::Edge(_))));
}

#[test]
fn rounds_and_leaves_have_limits() {
    let store = base();
    let mut writer = open(&store).unwrap();
    let many = vec![vec![]; servanda::log::MAX_ROUND + 1];
    assert!(matches!(writer.append(&many), Err(LogError::Round { leaves: 4097, bytes: 0 })));
    let long = vec![vec![0; bundle::ENTRY_MAX]; servanda::log::MAX_ROUND_BYTES / bundle::ENTRY_MAX + 1];
    assert!(matches!(writer.append(&long), Err(LogError::Round { .. })));
    assert!(matches!(writer.append(&[vec![0; bundle::ENTRY_MAX + 1]]), Err(LogError::Bundle(_))));
    writer.append(&many[1..]).unwrap();
    writer.append(&long[1..]).unwrap();
    assert_eq!(writer.size(), 250 + 4096 + u64::try_from(long.len()).unwrap() - 1);
    publish(&mut writer).unwrap();
    assert!(open(&store).is_ok());
}
