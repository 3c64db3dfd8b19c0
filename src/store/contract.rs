//! The storage contract as tests: every promise of [`Read`] and [`Store`] that can be broken without cutting the power,
//! held against every store. What belongs to one store alone is tested beside it.

use super::dir::Dir;
use super::memory::Memory;
use super::{MAX_NAME_BYTES, MAX_SWAP_BYTES, Read as _, Store, StoreError, Swap};
use proptest::prelude::*;
use std::sync::Barrier;
use std::thread;

/// Holds a check against two handles on one store, as two processes would have them; for each kind of store.
fn every_store(check: impl Fn(&dyn Store, &dyn Store)) {
    let memory = Memory::new();
    check(&memory, &memory.reopen());
    let folder = tempfile::tempdir().unwrap();
    check(&Dir::create(folder.path()).unwrap(), &Dir::open(folder.path()).unwrap());
}

fn object(name: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    (name.to_owned(), bytes.to_owned())
}

#[test]
fn what_was_put_is_read_through_every_handle() {
    every_store(|a, b| {
        let objects = [object("public/tile/0/000", &[7; 8192]), object("private/empty", b"")];
        a.put_all(&objects).unwrap();
        for handle in [a, b] {
            assert_eq!(handle.get("public/tile/0/000", 8192).unwrap(), Some(vec![7; 8192]));
            assert_eq!(handle.get("private/empty", 0).unwrap(), Some(vec![]));
            assert_eq!(handle.get("public/tile/0/001", 8192).unwrap(), None);
            assert_eq!(handle.get("public/nowhere/at/all", 8192).unwrap(), None);
        }
        a.put_all(&[]).unwrap();
    });
}

#[test]
fn an_object_is_read_at_the_limit_and_refused_one_past_it() {
    every_store(|a, _| {
        a.put_all(&[object("public/a", b"1234")]).unwrap();
        assert_eq!(a.get("public/a", 4).unwrap().unwrap(), b"1234");
        assert_eq!(a.get("public/a", u64::MAX).unwrap().unwrap(), b"1234");
        let refused = a.get("public/a", 3).unwrap_err();
        assert!(matches!(refused, StoreError::TooLarge { name, size: 4, limit: 3 } if name == "public/a"));
    });
}

#[test]
fn putting_the_same_again_is_fine() {
    every_store(|a, b| {
        let all: Vec<_> = (0..9).map(|i| object(&format!("public/tile/{i}/000"), &[i; 100])).collect();
        a.put_all(&all[..5]).unwrap();
        b.put_all(&all).unwrap();
        a.put_all(&all).unwrap();
        b.put_all(&[all[0].clone(), all[0].clone(), object("public/b", b"b"), object("public/b", b"b")])
            .unwrap();
        assert_eq!(a.list("public").unwrap().len(), 10);
    });
}

#[test]
fn other_bytes_under_a_name_are_a_conflict_and_change_nothing() {
    every_store(|a, b| {
        a.put_all(&[object("public/a", b"one")]).unwrap();
        for other in [&b"two"[..], b"", b"on", b"one more"] {
            let objects = [object("public/b", b"new"), object("public/a", other), object("public/c", b"new")];
            let refused = b.put_all(&objects).unwrap_err();
            assert!(matches!(refused, StoreError::Conflict { name } if name == "public/a"));
            assert_eq!(a.get("public/a", 9).unwrap().unwrap(), b"one");
            for name in ["public/b", "public/c"] {
                assert!(a.get(name, 9).unwrap().is_none_or(|bytes| bytes == b"new"), "whole or not at all");
            }
        }
        let twice = [object("public/d", b"1"), object("public/d", b"2")];
        assert!(matches!(a.put_all(&twice), Err(StoreError::Conflict { name }) if name == "public/d"));
    });
}

#[test]
fn a_swap_succeeds_from_what_is_there_only() {
    every_store(|a, b| {
        let name = "private/records/commit";
        assert_eq!(a.swap(name, Some(b"?"), b"1").unwrap(), Swap::Lost(None));
        assert_eq!(a.get(name, 9).unwrap(), None);
        assert_eq!(a.swap(name, None, b"1").unwrap(), Swap::Done);
        assert_eq!(b.swap(name, None, b"2").unwrap(), Swap::Lost(Some(b"1".to_vec())));
        assert_eq!(b.swap(name, Some(b"1"), b"").unwrap(), Swap::Done);
        assert_eq!(a.swap(name, Some(b"1"), b"3").unwrap(), Swap::Lost(Some(b"".to_vec())));
        assert_eq!(a.swap(name, None, b"3").unwrap(), Swap::Lost(Some(b"".to_vec())), "empty is not absent");
        assert_eq!(a.swap(name, Some(b""), b"").unwrap(), Swap::Done);
        assert_eq!(b.get(name, 9).unwrap(), Some(vec![]));
    });
}

#[test]
fn a_record_is_swapped_at_the_limit_and_refused_one_past_it() {
    every_store(|a, _| {
        let limit = usize::try_from(MAX_SWAP_BYTES).unwrap();
        let (most, more) = (vec![1; limit], vec![1; limit + 1]);
        assert!(matches!(a.swap("private/a", None, &more), Err(StoreError::TooLarge { .. })));
        assert_eq!(a.get("private/a", u64::MAX).unwrap(), None);
        assert_eq!(a.swap("private/a", None, &most).unwrap(), Swap::Done);
        assert_eq!(a.swap("private/a", Some(&most), b"").unwrap(), Swap::Done);
        a.put_all(&[object("private/b", &more)]).unwrap();
        assert!(matches!(a.swap("private/b", None, b""), Err(StoreError::TooLarge { .. })));
    });
}

#[test]
fn a_deleted_object_is_gone_and_its_name_free() {
    every_store(|a, b| {
        let name = "public/tile/0/000.p/5";
        a.put_all(&[object(name, b"one"), object("public/tile/0/000.p/6", b"six")]).unwrap();
        b.delete(name).unwrap();
        b.delete(name).unwrap();
        b.delete("public/nowhere/at/all").unwrap();
        assert_eq!(a.get(name, 9).unwrap(), None);
        assert_eq!(a.list("public").unwrap(), ["public/tile/0/000.p/6"]);
        b.delete("public/tile/0/000.p/6").unwrap();
        a.put_all(&[object(name, b"two")]).unwrap();
        assert_eq!(b.get(name, 9).unwrap().unwrap(), b"two");
        assert_eq!(b.swap("private/commit", None, b"1").unwrap(), Swap::Done);
        a.delete("private/commit").unwrap();
        assert_eq!(b.swap("private/commit", Some(b"1"), b"2").unwrap(), Swap::Lost(None));
    });
}

#[test]
fn a_folder_lists_all_below_it_in_order_and_nothing_else() {
    every_store(|a, b| {
        let mut names = ["private/staged/b", "private/staged/a/z", "private/staged/a.b", "private/staged/B"];
        a.put_all(&names.map(|name| object(name, b""))).unwrap();
        a.put_all(&[object("private/stagedx", b""), object("public/staged/a", b"")]).unwrap();
        assert_eq!(a.swap("private/commit", None, b"").unwrap(), Swap::Done);
        names.sort_unstable();
        assert_eq!(b.list("private/staged").unwrap(), names);
        assert_eq!(b.list("private/staged/a").unwrap(), ["private/staged/a/z"]);
        assert_eq!(b.list("public").unwrap(), ["public/staged/a"]);
        let mut private = names.to_vec();
        private.insert(0, "private/commit");
        private.push("private/stagedx");
        assert_eq!(b.list("private").unwrap(), private);
        for nothing in ["public/x", "private/staged/b", "public/staged/a/b"] {
            assert!(b.list(nothing).unwrap().is_empty(), "{nothing}");
        }
    });
}

#[test]
fn bad_names_are_refused_and_nothing_is_done() {
    let long = format!("public/{}", "a".repeat(MAX_NAME_BYTES));
    every_store(|a, _| {
        for name in
            ["", "a", "/public/a", "public/../private/a", "public//a", "public/a b", "private/lock", &long]
        {
            let bad = |e: StoreError| matches!(e, StoreError::BadName { name: n } if n == name);
            assert!(bad(a.get(name, 9).unwrap_err()), "{name}");
            assert!(bad(a.put_all(&[object("public/good", b""), object(name, b"")]).unwrap_err()), "{name}");
            assert!(bad(a.swap(name, None, b"").unwrap_err()), "{name}");
            assert!(bad(a.delete(name).unwrap_err()), "{name}");
            assert!(bad(a.list(name).unwrap_err()), "{name}");
        }
        assert!(a.list("public/").is_err());
        assert!(a.list("public").unwrap().is_empty());
        assert!(a.list("private").unwrap().is_empty());
    });
}

#[test]
fn of_two_that_swap_at_once_exactly_one_wins() {
    every_store(|a, b| {
        let mut current: Option<Vec<u8>> = None;
        for round in 0..20_u8 {
            let start = Barrier::new(2);
            let race = |handle: &dyn Store, new: &[u8]| {
                start.wait();
                handle.swap("private/commit", current.as_deref(), new).unwrap()
            };
            let (news, race) = ([[round, 1], [round, 2]], &race);
            let (one, two) = thread::scope(|scope| {
                let one = scope.spawn(move || race(a, &news[0]));
                let two = scope.spawn(move || race(b, &news[1]));
                (one.join().unwrap(), two.join().unwrap())
            });
            let winner = match (one, two) {
                (Swap::Done, Swap::Lost(now)) if now.as_deref() == Some(&news[0]) => news[0],
                (Swap::Lost(now), Swap::Done) if now.as_deref() == Some(&news[1]) => news[1],
                other => panic!("{other:?}"),
            };
            assert_eq!(a.get("private/commit", 9).unwrap().unwrap(), winner);
            current = Some(winner.to_vec());
        }
    });
}

#[test]
fn no_increment_is_lost_among_many_swappers() {
    every_store(|a, b| {
        let count = |handle: &dyn Store| {
            for _ in 0..10 {
                let mut old = handle.get("private/count", 8).unwrap();
                loop {
                    let new = old.as_deref().map_or(1, |bytes| bytes[0] + 1);
                    match handle.swap("private/count", old.as_deref(), &[new]).unwrap() {
                        Swap::Done => break,
                        Swap::Lost(now) => old = now,
                    }
                }
            }
        };
        let count = &count;
        thread::scope(|scope| {
            [a, b, a, b].map(|handle| scope.spawn(move || count(handle))).map(|t| t.join().unwrap())
        });
        assert_eq!(a.get("private/count", 8).unwrap().unwrap(), [40]);
    });
}

#[test]
fn of_many_that_put_different_bytes_at_once_exactly_one_wins() {
    every_store(|a, b| {
        let start = Barrier::new(4);
        let start = &start;
        let won = thread::scope(|scope| {
            [(a, 1), (b, 2), (a, 3), (b, 4)]
                .map(|(handle, who): (&dyn Store, u8)| {
                    scope.spawn(move || {
                        start.wait();
                        let put = handle.put_all(&[object("public/tile/1/000", &[who; 8192])]);
                        assert!(matches!(put, Ok(()) | Err(StoreError::Conflict { .. })), "{put:?}");
                        put.is_ok().then_some(who)
                    })
                })
                .map(|thread| thread.join().unwrap())
        });
        let won: Vec<_> = won.into_iter().flatten().collect();
        assert_eq!(won.len(), 1);
        assert_eq!(b.get("public/tile/1/000", 8192).unwrap().unwrap(), [won[0]; 8192]);
    });
}

#[test]
fn readers_never_see_part_of_an_object() {
    every_store(|a, b| {
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut old = None;
                for i in 1..=20 {
                    let new = vec![i; 50_000];
                    assert_eq!(a.swap("public/checkpoint", old.as_deref(), &new).unwrap(), Swap::Done);
                    a.put_all(&[object(&format!("public/tile/0/{i:03}"), &new)]).unwrap();
                    old = Some(new);
                }
            });
            while !writer.is_finished() {
                for name in ["public/checkpoint", "public/tile/0/010", "public/tile/0/020"] {
                    if let Some(bytes) = b.get(name, 50_000).unwrap() {
                        assert!(bytes.len() == 50_000 && bytes.iter().all(|byte| *byte == bytes[0]));
                    }
                }
            }
        });
    });
}

#[derive(Debug, Clone)]
enum Step {
    Put(Vec<(usize, u8)>),
    Swap(usize, Option<u8>, u8),
    Delete(usize),
    Get(usize, u64),
    List(usize),
}

const PUT_NAMES: [&str; 5] =
    ["public/a", "public/tile/0/000", "public/tile/0/001.p/3", "public/tile/0/001.p/4", "private/staged/1-2"];
const SWAPPED_NAMES: [&str; 2] = ["public/checkpoint", "private/commit"];
const FOLDERS: [&str; 5] = ["public", "private", "public/tile", "public/tile/0/001.p", "private/staged"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        prop::collection::vec((0..PUT_NAMES.len(), 0..3_u8), 0..7).prop_map(Step::Put),
        (0..SWAPPED_NAMES.len(), prop::option::of(0..3_u8), 0..3_u8)
            .prop_map(|(name, old, new)| Step::Swap(name, old, new)),
        (0..PUT_NAMES.len() + SWAPPED_NAMES.len()).prop_map(Step::Delete),
        (0..PUT_NAMES.len() + SWAPPED_NAMES.len(), 0..4_u64).prop_map(|(name, limit)| Step::Get(name, limit)),
        (0..FOLDERS.len()).prop_map(Step::List),
    ];
    prop::collection::vec(step, 1..25)
}

/// Does a step and writes down what came of it, as any caller could tell.
fn outcome(store: &dyn Store, step: &Step) -> String {
    let any_name = |i: usize| PUT_NAMES.iter().chain(&SWAPPED_NAMES).nth(i).unwrap();
    // Byte n stands for n bytes of n.
    let bytes = |n: u8| vec![n; n.into()];
    match step {
        Step::Put(objects) => {
            let objects: Vec<_> = objects.iter().map(|(i, n)| object(PUT_NAMES[*i], &bytes(*n))).collect();
            format!("{:?}", store.put_all(&objects))
        }
        Step::Swap(i, old, new) => {
            format!("{:?}", store.swap(SWAPPED_NAMES[*i], old.map(bytes).as_deref(), &bytes(*new)))
        }
        Step::Delete(i) => format!("{:?}", store.delete(any_name(*i))),
        Step::Get(i, limit) => format!("{:?}", store.get(any_name(*i), *limit)),
        Step::List(i) => format!("{:?}", store.list(FOLDERS[*i])),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_directory_and_memory_agree_on_everything(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let handles = [Dir::create(folder.path()).unwrap(), Dir::open(folder.path()).unwrap()];
        let memory = Memory::new();
        for (i, step) in steps.iter().enumerate() {
            prop_assert_eq!(outcome(&handles[i % 2], step), outcome(&memory, step), "{:?}", step);
        }
        for (name, bytes) in memory.objects() {
            prop_assert_eq!(handles[0].get(&name, 9).unwrap(), Some(bytes));
        }
    }
}
