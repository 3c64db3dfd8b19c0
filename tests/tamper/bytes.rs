//! Every byte of every object that a checkpoint commits to, and of the checkpoint: none can change without a finding that
//! names the place.

use super::*;
use crate::support::check_log::{check_log, verified, verified_with};
use crate::support::forge::{forge, operate, public};
use crate::support::small_log::{cosign, key};
use rayon::prelude::*;
use servanda::checkpoint::SignedCheckpoint;
use servanda::merkle::bundle;
use servanda::merkle::tile::{Level, TilePath, bundles, tiles};
use servanda::store::dir::Dir;
use servanda::store::memory::Memory;
use servanda::verify::{Held, Options, Subject};

const CHECKPOINT: &str = "public/checkpoint";

/// What the checkpoint commits to, and itself.
fn reached(objects: &Objects) -> Vec<String> {
    let size = SignedCheckpoint::parse(&objects[CHECKPOINT]).unwrap().claim().size;
    let mut names = vec![CHECKPOINT.to_owned(), "public/charter.toml".to_owned()];
    names.extend(tiles(size).chain(bundles(size)).map(|path| format!("public/{path}")));
    assert!(names.iter().all(|name| objects.contains_key(name)), "all of it is there");
    names
}

/// The model, written by an operator into a directory; what then lies below `public/`.
fn written(model: &SmallLog) -> Objects {
    let folder = tempfile::tempdir().unwrap();
    let store = Dir::create(&folder.path().join("home")).unwrap();
    let mut operator = operate(Box::new(store), model);
    operator.publish(&key("operator/checkpoint")).unwrap();
    let store = operator.writer().store();
    let names = store.list("public").unwrap();
    names.into_iter().map(|name| (name.clone(), store.get(&name, 1 << 20).unwrap().unwrap())).collect()
}

/// Whether findings name the place of a change: the object itself; for a bundle also the tile of its hashes, or the entry.
fn named(found: &BTreeSet<(String, &'static str)>, object: &str, at: usize, bytes: &[u8]) -> bool {
    let name = object.strip_prefix("public/").unwrap();
    let mut places = vec![name.to_owned()];
    if let Ok(path) = name.parse::<TilePath>()
        && path.level == Level::Entries
    {
        places.push(TilePath { level: Level::Hash(0), ..path }.to_string());
        let before =
            (1..path.width).take_while(|w| bundle::truncated(bytes, *w).unwrap().len() <= at).count();
        let index = path.index * 256 + u64::try_from(before).unwrap();
        places.extend([index, index + 1].map(|index| format!("entry {index}")));
    }
    found.iter().any(|(place, _)| places.contains(place))
}

#[test]
fn what_the_operator_writes_is_the_model_and_verifies() {
    let model = model();
    let objects = written(&model);
    let policy = model.policy(false);
    assert_eq!(check_log(&Memory::holding(objects.clone()), &policy), model.leaves());
    let held = Held { policy: Some(&policy), log: Some(model.log_id()), checkpoint: None };
    assert_eq!(verified(&Memory::holding(objects.clone()), held).0, []);
    let forged = forge(model.leaves());
    assert!(
        forged.iter().all(|(name, bytes)| objects.get(name) == Some(bytes)),
        "an honest forger writes the same"
    );
    assert_eq!(public(&objects).len(), objects.len());
}

#[test]
fn every_byte_of_a_small_log_is_guarded() {
    let model = model();
    let objects = written(&model);
    let policy = model.policy(false);
    let held = Held { policy: Some(&policy), log: Some(model.log_id()), checkpoint: None };
    for name in &reached(&objects) {
        let bytes = &objects[name];
        (0..bytes.len()).into_par_iter().for_each(|at| {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            let store = Changed { objects: &objects, name, bytes: Some(flipped) };
            let found = said(&verified(&store, held).0);
            assert!(named(&found, name, at, bytes), "{name} byte {at}: {found:?}");
        });
    }
}

#[test]
fn every_bit_of_a_checkpoint_is_guarded_with_a_policy_and_without_one_and_under_a_quorum() {
    let model = model();
    let mut objects = forge(model.leaves());
    // What is found in the checkpoint is found before anything else is read.
    let found = |objects: &Objects, bytes: Vec<u8>, held| {
        let store = Changed { objects, name: CHECKPOINT, bytes: Some(bytes) };
        let mut findings = Vec::new();
        Subject::read(&store, held, &mut |found| findings.push(found)).unwrap();
        findings
    };
    let alone = model.policy(false);
    let witnessed = model.policy(true);
    for (policy, cosigned) in [(Some(&alone), false), (None, false), (Some(&witnessed), true)] {
        if cosigned {
            let note = String::from_utf8(objects[CHECKPOINT].clone()).unwrap();
            assert!(
                !found(&objects, note.clone().into_bytes(), Held { policy, ..Held::default() }).is_empty()
            );
            objects.insert(CHECKPOINT.into(), cosign(&note, model.now).into_bytes());
        }
        let held = Held { policy, ..Held::default() };
        let bytes = objects[CHECKPOINT].clone();
        assert_eq!(found(&objects, bytes.clone(), held), []);
        (0..8 * bytes.len()).into_par_iter().for_each(|bit| {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let found = said(&found(&objects, flipped, held));
            assert!(found.iter().any(|(place, _)| place == "checkpoint"), "bit {bit}: {found:?}");
        });
    }
}

#[test]
fn the_bytes_of_a_log_of_several_tiles_are_guarded_wherever_one_looks() {
    let model = long_model(300);
    let objects = forge(model.leaves());
    let policy = model.policy(false);
    let held = Held { policy: Some(&policy), log: Some(model.log_id()), checkpoint: None };
    assert_eq!(verified(&Memory::holding(objects.clone()), held).0, []);
    for name in &reached(&objects) {
        let bytes = &objects[name];
        let step = (bytes.len() / 40).max(1);
        (0..bytes.len()).into_par_iter().step_by(step).for_each(|at| {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at / step % 8);
            let store = Changed { objects: &objects, name, bytes: Some(flipped) };
            // Signatures have no part in this; the first is looked at in both modes.
            let options = Options { quick: at > 0 };
            let found = said(&verified_with(&store, held, options).0);
            assert!(named(&found, name, at, bytes), "{name} byte {at}: {found:?}");
        });
    }
}

#[test]
fn an_object_that_is_missing_cut_prolonged_or_another_is_named() {
    for model in [model(), long_model(300)] {
        let objects = forge(model.leaves());
        let policy = model.policy(false);
        let held = Held { policy: Some(&policy), log: Some(model.log_id()), checkpoint: None };
        let names = reached(&objects);
        for name in &names {
            let bytes = &objects[name];
            let cut = |len: usize| Some(bytes[..len].to_vec());
            let longer = |by: usize| Some([&bytes[..], &vec![0; by]].concat());
            let mut changes = vec![None, cut(0), cut(bytes.len() / 2), cut(bytes.len() - 1)];
            changes.extend([longer(1), longer(32), longer((1 << 24) + (1 << 10))]);
            changes.extend(
                names.iter().filter(|other| *other != name).map(|other| Some(objects[other].clone())),
            );
            for changed in changes {
                let len = changed.as_ref().map(Vec::len);
                let store = Changed { objects: &objects, name, bytes: changed };
                let found = said(&verified_with(&store, held, Options { quick: true }).0);
                let place = name.strip_prefix("public/").unwrap();
                assert!(found.iter().any(|(p, _)| p == place), "{name} of {len:?} bytes: {found:?}");
            }
        }
    }
}

#[test]
fn two_objects_in_each_others_place_are_both_named() {
    let model = long_model(600);
    let objects = forge(model.leaves());
    let policy = model.policy(false);
    let held = Held { policy: Some(&policy), ..Held::default() };
    for (a, b) in [("tile/0/000", "tile/0/001"), ("tile/entries/000", "tile/entries/001")] {
        let mut swapped = objects.clone();
        let (name_a, name_b) = (format!("public/{a}"), format!("public/{b}"));
        swapped.insert(name_a.clone(), objects[&name_b].clone());
        swapped.insert(name_b, objects[&name_a].clone());
        let found = said(&verified_with(&Memory::holding(swapped), held, Options { quick: true }).0);
        let hashes = |name: &str| name.replace("entries", "0");
        for place in [hashes(a), hashes(b)] {
            assert!(found.contains(&(place, "differs")), "{a} and {b}");
        }
    }
}
