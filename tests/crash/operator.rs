//! The same through the one door: founding, admission, rounds of several statements; and what the operator keeps beside
//! the log (history, index of ids) damaged, lost or left behind.
//!
//! A [`SmallLog`] is the model: whatever fails, and however often it is begun anew, the log ends up with the model's very
//! bytes.

use super::*;
use crate::support::check_log::check_log;
use crate::support::forge::CHARTER_TEXT;
use crate::support::small_log::{SmallLog, accede, accept, at, pledge, review, terms};
use servanda::codec::encode;
use servanda::entry::SignedEntry;
use servanda::field::Instant;
use servanda::statement::Signature;
use servanda::store::index::Index;
use servanda::store::memory::{Among, Kind, Plan};
use servanda::store::{Read as _, Store as _, StoreError, Swap};
use servanda::submit::{Admitted, CHARTER, Founding, Operator, SNAPSHOT, SubmitError};

/// Two partners, a pledge, its acceptance, and some more.
pub(super) static MODEL: LazyLock<SmallLog> = LazyLock::new(|| {
    let mut log = SmallLog::founded_with(|found| {
        found.charter.partners.retain(|p| ["de", "ua"].contains(&p.handle.as_str()));
        found.charter.rules.incident_quorum.count = 1;
    });
    log.say("de", accede("de"));
    log.say("ua", accede("ua"));
    let promised = log.say("de", pledge(&["ua"], terms("tanks")));
    log.say("ua", accept(&[promised]));
    log.say("de", pledge(&["ua"], terms("ships")));
    log.say("de", pledge(&["ua"], terms("planes")));
    assert_eq!(log.findings(), []);
    log
});

pub(super) fn index() -> Index {
    Index::in_memory().unwrap()
}

pub(super) fn statement(model: &SmallLog, n: usize) -> (Vec<u8>, Vec<Signature>, Instant) {
    let entry = model.entry(n).entry;
    (entry.statement.0, entry.signatures.0, entry.sequenced_at)
}

pub(super) fn found(store: &Memory, index: Index) -> Result<Operator, SubmitError> {
    let (statement, signatures, now) = statement(&MODEL, 0);
    let founding = Founding { statement, signatures, charter_text: CHARTER_TEXT.to_vec() };
    Operator::found(Box::new(store.clone()), None, index, founding, now, &key("operator/checkpoint"))
}

pub(super) fn reopen(store: &Memory) -> Result<Operator, SubmitError> {
    Operator::open(Box::new(store.reopen()), None, index())
}

/// Founds the log or takes it over, and sends all that is to be in it, in rounds of two, one, and the rest.
fn work(store: &Memory, told: &mut u64) -> Result<(), SubmitError> {
    let opened = Operator::open(Box::new(store.clone()), None, index());
    let mut operator = match opened {
        Err(SubmitError::Log(LogError::NoLog)) => found(store, index())?,
        opened => opened?,
    };
    *told = operator.writer().size();
    for round in [1..3, 3..4, 4..7] {
        for n in round {
            let (statement, signatures, now) = statement(&MODEL, n);
            let admitted = operator.admit(&statement, &signatures, now)?;
            assert_eq!(admitted.index(), u64::try_from(n).unwrap());
        }
        operator.commit()?;
        *told = operator.writer().size();
        operator.publish(&key("operator/checkpoint"))?;
    }
    Ok(())
}

#[test]
fn whatever_call_fails_while_a_log_is_founded_and_filled_it_ends_up_with_the_same_bytes() {
    let calls = Memory::new();
    work(&calls, &mut 0).unwrap();
    assert_eq!(check_log(&calls, &policy()), MODEL.leaves());
    for nth in 0..u64::try_from(calls.calls().len()).unwrap() {
        for fault in &FAULTS[..3] {
            for power_cut in [false, true] {
                let store = Memory::new();
                store.plan(Plan { among: Among::All, nth, fault: *fault, dies: true });
                let mut told = 0;
                let worked = work(&store, &mut told);
                let what = format!("call {nth} {:?}, {fault:?}, {worked:?}", store.calls().last());
                let disk = if power_cut { store.power_cut() } else { store.reopen() };
                if let Some(served) = check_tree(&disk, &policy()) {
                    assert_eq!(served, MODEL.leaves()[..served.len()], "{what}");
                }
                let mut again = 0;
                work(&disk, &mut again).unwrap_or_else(|e| panic!("{what}: {e}"));
                assert!(again >= told);
                assert_eq!(check_log(&disk, &policy()), MODEL.leaves(), "{what}");
            }
        }
    }
}

fn full() -> Memory {
    let store = Memory::new();
    work(&store, &mut 0).unwrap();
    store
}

#[test]
fn a_founding_that_is_not_in_order_writes_nothing() {
    let (statement, signatures, now) = statement(&MODEL, 0);
    let good = Founding { statement, signatures, charter_text: CHARTER_TEXT.to_vec() };
    let found = |founding: Founding, log_key: &str| {
        let store = Memory::new();
        let result =
            Operator::found(Box::new(store.clone()), None, index(), founding, now, &key(log_key)).map(drop);
        assert!(result.is_ok() || store.objects().is_empty());
        result
    };
    assert!(found(good.clone(), "operator/checkpoint").is_ok());
    assert!(matches!(found(good.clone(), "operator/0"), Err(SubmitError::LogKey { .. })));
    let other_text = Founding { charter_text: b"another".to_vec(), ..good.clone() };
    assert!(matches!(found(other_text, "operator/checkpoint"), Err(SubmitError::CharterText { .. })));
    let unsigned = Founding { signatures: vec![], ..good };
    assert!(matches!(found(unsigned, "operator/checkpoint"), Err(SubmitError::Refused(_))));
}

#[test]
fn a_log_is_founded_once_and_a_founding_that_broke_off_may_be_made_again() {
    let store = full();
    let before = store.objects();
    assert!(matches!(found(&store, index()), Err(SubmitError::Log(LogError::Exists))));
    assert_eq!(check_log(&store, &policy()), MODEL.leaves());
    assert_eq!(before[CHARTER], store.objects()[CHARTER]);
    // An empty commit record and the charter are all that there is; another charter is not taken for it.
    let empty = || {
        let store = Memory::new();
        drop(Writer::create(Box::new(store.clone()), None).unwrap());
        store
    };
    let store = empty();
    store.put_all(&[(CHARTER.to_owned(), CHARTER_TEXT.to_vec())]).unwrap();
    assert!(matches!(reopen(&store), Err(SubmitError::Log(LogError::NoLog))));
    assert!(found(&store, index()).is_ok());
    let store = empty();
    store.put_all(&[(CHARTER.to_owned(), b"another".to_vec())]).unwrap();
    assert!(matches!(found(&store, index()), Err(SubmitError::Store(StoreError::Conflict { .. }))));
    assert!(store.get("public/checkpoint", 1000).unwrap().is_none());
}

#[test]
fn a_checkpoint_is_signed_with_the_logs_key_or_not_at_all() {
    let store = full();
    let before = store.objects()["public/checkpoint"].clone();
    let mut operator = reopen(&store).unwrap();
    assert!(matches!(operator.publish(&key("de/0")), Err(SubmitError::LogKey { .. })));
    assert_eq!(store.objects()["public/checkpoint"], before);
    assert_eq!(operator.publish(&key("operator/checkpoint")).unwrap().into_bytes(), before);
}

#[test]
fn a_statement_sent_again_gets_its_index_wherever_in_a_round_it_stands() {
    let store = full();
    // All of it in one round, none of whose entries but the last has a partial bundle that ends with it.
    let one_round = Memory::new();
    let mut operator = found(&one_round, index()).unwrap();
    for n in 1..7 {
        let (statement, signatures, now) = statement(&MODEL, n);
        assert_eq!(operator.admit(&statement, &signatures, now).unwrap().index(), u64::try_from(n).unwrap());
    }
    operator.publish(&key("operator/checkpoint")).unwrap();
    drop(operator);
    for store in [store, one_round] {
        let mut operator = reopen(&store).unwrap();
        for n in 0..7 {
            let (statement, _, _) = statement(&MODEL, n);
            let index = u64::try_from(n).unwrap();
            // Whatever the time, and with whatever signatures: those first sequenced stand.
            let again = operator.admit(&statement, &[], at("2020-01-01")).unwrap();
            assert_eq!(again, Admitted::Already { index });
            assert_eq!(operator.entry(index).unwrap(), MODEL.leaves()[n]);
        }
        assert!(operator.entry(7).is_err());
        operator.publish(&key("operator/checkpoint")).unwrap();
        assert_eq!(check_log(&store, &policy()), MODEL.leaves());
    }
}

#[test]
fn what_is_durable_is_known_and_built_upon_before_its_tiles_are_written() {
    let store = Memory::new();
    let mut operator = found(&store, index()).unwrap();
    for n in 1..7 {
        let (statement, signatures, now) = statement(&MODEL, n);
        operator.admit(&statement, &signatures, now).unwrap();
        operator.make_durable().unwrap();
        for known in 0..=n {
            assert_eq!(operator.entry(known.try_into().unwrap()).unwrap(), MODEL.leaves()[known]);
        }
        let again = operator.admit(&statement, &[], now).unwrap();
        assert_eq!(again, Admitted::Already { index: n.try_into().unwrap() });
    }
    assert!(operator.entry(7).is_err());
    assert!(!store.objects().contains_key("public/tile/entries/000.p/7"));
    for apply in [false, true] {
        if apply {
            operator.apply().unwrap();
        }
        let store = Memory::holding(store.objects());
        let mut next = reopen(&store).unwrap();
        assert_eq!(next.history().snapshot(), MODEL.history().snapshot());
        next.publish(&key("operator/checkpoint")).unwrap();
        assert_eq!(check_log(&store, &policy()), MODEL.leaves());
    }
}

#[test]
fn a_statement_that_an_operator_before_spoilt_can_be_sent_again() {
    // Sequenced without its signatures: it did not count.
    let mut spoilt = MODEL.cut(3);
    let statement_3 = MODEL.entry(3).statement;
    let signatures = MODEL.entry(3).entry.signatures.0;
    assert!(!spoilt.push_entry(&spoilt.sequence(&statement_3, vec![])).is_empty());
    let store = Memory::new();
    let mut writer = Writer::create(Box::new(store.clone()), None).unwrap();
    writer.append(spoilt.leaves()).unwrap();
    drop(writer);
    let mut operator = reopen(&store).unwrap();
    let admitted = operator.admit(&encode(&statement_3), &signatures, spoilt.now).unwrap();
    assert_eq!(admitted, Admitted::New { index: 4 });
    operator.publish(&key("operator/checkpoint")).unwrap();
    let entry = SignedEntry::decode(&operator.entry(4).unwrap()).unwrap();
    assert_eq!(entry.statement, statement_3);
}

#[test]
fn a_snapshot_that_is_lost_damaged_too_long_or_of_another_log_is_derived_again() {
    let good = full().objects();
    let other = {
        let store = Memory::new();
        work(&store, &mut 0).unwrap();
        let mut operator = reopen(&store).unwrap();
        let (statement, signatures) = {
            let draft = MODEL.draft("de", pledge(&["ua"], terms("bread")));
            (encode(&draft), MODEL.sign(&draft))
        };
        operator.admit(&statement, &signatures, MODEL.now).unwrap();
        operator.publish(&key("operator/checkpoint")).unwrap();
        drop(operator);
        drop(reopen(&store).unwrap());
        store.objects()[SNAPSHOT].clone()
    };
    let len = good[SNAPSHOT].len();
    let mut kept: Vec<Option<Vec<u8>>> =
        vec![None, Some(vec![]), Some(other), Some(vec![0; (1 << 20) + 1]), Some(good[SNAPSHOT].clone())];
    kept.extend((0..len).step_by(97).map(|at| {
        let mut damaged = good[SNAPSHOT].clone();
        damaged[at] ^= 1 << (at % 8);
        Some(damaged)
    }));
    for snapshot in kept {
        let mut objects = good.clone();
        objects.remove(SNAPSHOT);
        objects.extend(snapshot.map(|bytes| (SNAPSHOT.to_owned(), bytes)));
        let store = Memory::holding(objects);
        let operator = reopen(&store).unwrap();
        assert_eq!(operator.history().snapshot(), MODEL.history().snapshot());
        assert_eq!(store.objects()[SNAPSHOT], reopened_snapshot());
    }
}

/// The snapshot that an operator keeps who opens the full log.
fn reopened_snapshot() -> Vec<u8> {
    static KEPT: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let store = full();
        drop(reopen(&store).unwrap());
        store.objects()[SNAPSHOT].clone()
    });
    KEPT.clone()
}

#[test]
fn an_index_of_ids_of_another_log_or_ahead_or_behind_is_rebuilt() {
    let store = full();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let states: [(u64, servanda::hash::Hash); 4] = [
        (0, Default::default()),
        (3, servanda::hash::Hash([7; 32])),
        (900, servanda::hash::Hash([7; 32])),
        (3, MODEL.hashes()[2]),
    ];
    for (size, leaf) in states {
        let wrong = Index::open(&path).unwrap();
        wrong.clear().unwrap();
        wrong.add(&[(servanda::hash::ZEROS, 1)], size, leaf).unwrap();
        let operator = Operator::open(Box::new(store.reopen()), None, wrong).unwrap();
        assert_eq!(operator.index().state().unwrap(), (7, *MODEL.hashes().last().unwrap()));
        for n in 3..7 {
            let id = MODEL.entry(n).id;
            assert_eq!(operator.index().find(&id).unwrap(), Some(u64::try_from(n).unwrap()));
        }
    }
}

#[test]
fn an_index_that_points_at_another_entry_is_not_believed() {
    let store = full();
    let wrong = index();
    let ids: Vec<_> = (0..7).map(|n| (MODEL.entry(n).id, (u64::try_from(n).unwrap() + 1) % 7)).collect();
    wrong.add(&ids, 7, *MODEL.hashes().last().unwrap()).unwrap();
    let mut operator = Operator::open(Box::new(store.reopen()), None, wrong).unwrap();
    for n in 0..7 {
        let (statement, signatures, _) = statement(&MODEL, n);
        let refused = operator.admit(&statement, &signatures, MODEL.now);
        assert!(matches!(refused, Err(SubmitError::Refused(_))), "it is no new one either");
    }
}

#[test]
fn stored_entries_that_were_changed_do_not_decide_who_may_sign() {
    let mut objects = full().objects();
    objects.remove(SNAPSHOT);
    // In the middle of a log, behind the right edge: 300 more entries of one author.
    let mut model = MODEL.clone();
    let store = Memory::holding(objects);
    let mut operator = reopen(&store).unwrap();
    for n in 0..300 {
        let draft = model.draft("ua", review(n));
        let signatures = model.sign(&draft);
        operator.admit(&encode(&draft), &signatures, model.now).unwrap();
        model.post(&draft);
    }
    operator.publish(&key("operator/checkpoint")).unwrap();
    drop(operator);
    let bundle = &store.objects()["public/tile/entries/000"];
    let mut changed = bundle.clone();
    changed[300] ^= 1;
    assert_eq!(store.swap("public/tile/entries/000", Some(bundle), &changed).unwrap(), Swap::Done);
    // Were there a snapshot of them, these entries would not be read again.
    store.delete(SNAPSHOT).unwrap();
    let refused = reopen(&store).map(drop);
    assert!(matches!(refused, Err(SubmitError::Read(_))), "{refused:?}");
}

#[test]
fn a_read_that_fails_while_the_history_is_derived_decides_nothing() {
    // The history of the first three is kept; what partners said after that is derived, and their `seen` read.
    let store = Memory::new();
    drop(found(&store, index()).unwrap());
    for entries in [1..3, 3..7] {
        let mut operator = reopen(&store).unwrap();
        for n in entries {
            let (statement, signatures, now) = statement(&MODEL, n);
            operator.admit(&statement, &signatures, now).unwrap();
        }
        operator.publish(&key("operator/checkpoint")).unwrap();
    }
    let objects = store.objects();
    let (mut failed, want) = (0, MODEL.history().snapshot());
    for nth in 0..64 {
        let store = Memory::holding(objects.clone());
        store.plan(Plan { among: Among::Only(Kind::Get), nth, fault: Fault::Fails, dies: false });
        match Operator::open(Box::new(store.clone()), None, index()) {
            Ok(operator) => assert_eq!(operator.history().snapshot(), want, "read {nth}"),
            Err(_) => failed += 1,
        }
        // Nor did it keep anything wrong.
        assert_eq!(reopen(&store).unwrap().history().snapshot(), want, "after read {nth}");
    }
    assert!(failed > 10, "{failed}");
}
