//! What only lies in files and is read by libraries: the guard file, the index of ids, and the writer's own objects.

use crate::support::arbitrary::{Mutation, mutation};
use crate::support::forge::operate;
use crate::tamper::model;
use proptest::collection::vec;
use proptest::prelude::*;
use servanda::hash::Hash;
use servanda::log::Writer;
use servanda::store::guard::{Guard as _, GuardFile};
use servanda::store::index::{Index, ReadIndex};
use servanda::store::memory::Memory;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// An index of ids as a file.
static INDEX: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.redb");
    let ids: Vec<_> = (0..200u8).map(|n| (Hash([n; 32]), n.into())).collect();
    Index::open(&path).unwrap().add(&ids, 200, Hash([9; 32])).unwrap();
    fs::read(&path).unwrap()
});

fn open_index(path: &Path) {
    if let Ok(index) = ReadIndex::open_to_read(path) {
        let _ = (index.state(), index.find(&Hash([3; 32])), index.starting_with("03"));
    }
    if let Ok(index) = Index::open(path) {
        let _ = (index.state(), index.find(&Hash([3; 32])), index.starting_with("03"));
        let _ = index.add(&[(Hash([201; 32]), 201)], 202, Hash([8; 32]));
        let _ = index.clear();
    }
}

/// A writer's objects with a round that is committed and not yet applied.
static WRITTEN: LazyLock<Memory> = LazyLock::new(|| {
    let store = Memory::new();
    drop(operate(Box::new(store.clone()), &model()));
    store
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_guard_file_is_a_head_in_its_one_form_or_refused(text in "([0-9]{0,4} [0-9a-f]{63,64}\n?|.{0,90})") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guard");
        fs::write(&path, &text).unwrap();
        if let Ok(guard) = GuardFile::open(&path) {
            let written = guard.last().unwrap().map_or(String::new(), |(size, root)| format!("{size} {root}\n"));
            prop_assert_eq!(written, text);
        }
    }

    #[test]
    fn a_changed_index_of_ids_is_refused_or_answers(changes in vec(mutation(), 1..5)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.redb");
        let bytes = changes.iter().fold(INDEX.clone(), |bytes, change: &Mutation| change.apply(&bytes));
        fs::write(&path, bytes).unwrap();
        open_index(&path);
    }

    #[test]
    fn a_writer_opens_on_changed_objects_with_the_same_log_or_not_at_all(
        which in any::<prop::sample::Index>(), changes in vec(mutation(), 1..3)
    ) {
        let mut objects = WRITTEN.objects();
        let names: Vec<_> = objects.keys().cloned().collect();
        let object = objects.get_mut(which.get(&names)).unwrap();
        for change in changes.iter().take(if object.is_empty() { 0 } else { 3 }) {
            if !object.is_empty() {
                *object = change.apply(object);
            }
        }
        let store = Memory::holding(objects);
        if let Ok(writer) = Writer::open(Box::new(store), None) {
            let tail_is_gone = writer.size() < model().size();
            prop_assert!(tail_is_gone || writer.root() == model().root(), "{}", which.get(&names));
        }
    }
}
