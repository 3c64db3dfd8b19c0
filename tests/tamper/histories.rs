//! Histories rewritten by an operator with the log's own key: as they are, or with links, indexes, pointers, times, tiles,
//! root and checkpoint all made right again. What it cannot make right is what partners signed.

use super::*;
use crate::support::check_log::{verified, verified_with};
use crate::support::forge::{forge, relinked};
use crate::support::small_log::{ORIGIN, at, handle, key, log_vkey};
use servanda::checkpoint::{self, Checkpoint, VerifiedCheckpoint};
use servanda::client::ReadError;
use servanda::codec::encode;
use servanda::entry::{Entry, Pointer, SignedEntry};
use servanda::hash::ZEROS;
use servanda::key::vkey::Vkey;
use servanda::merkle::builder::TileBuilder;
use servanda::policy::Policy;
use servanda::statement::{Head, Statement};
use servanda::store::memory::{Among, Fault, Memory, Plan};
use servanda::verify::{Audit, Held, Options, Outcome, log};

fn verify(objects: &Objects, log: &SmallLog) -> BTreeSet<(String, &'static str)> {
    let policy = log.policy(false);
    let held = Held { policy: Some(&policy), log: Some(log.log_id()), checkpoint: None };
    said(&verified(&Memory::holding(objects.clone()), held).0)
}

/// What is found in leaves that the operator only signed.
fn as_they_are(leaves: &[Vec<u8>], log: &SmallLog) -> BTreeSet<(String, &'static str)> {
    verify(&forge(leaves), log)
}

/// What is found once it has made right all that it can.
fn made_right(leaves: &[Vec<u8>], log: &SmallLog) -> BTreeSet<(String, &'static str)> {
    verify(&forge(relinked(leaves).leaves()), log)
}

/// What is found where it changes the bundle, and nothing else.
fn in_the_bundle(leaves: &[Vec<u8>], log: &SmallLog) -> BTreeSet<(String, &'static str)> {
    let mut objects = forge(log.leaves());
    let name = format!("public/tile/entries/000.p/{}", log.size());
    objects.insert(name, servanda::merkle::bundle::encode(leaves).unwrap());
    verify(&objects, log)
}

fn at_entry(index: u64, code: &'static str) -> (String, &'static str) {
    (format!("entry {index}"), code)
}

/// The same entry with another statement, and the signatures of the old one.
fn with_statement(log: &SmallLog, index: usize, change: impl FnOnce(&mut Statement)) -> Vec<u8> {
    let mut e = log.entry(index);
    change(&mut e.statement);
    e.entry.statement = encode(&e.statement).into();
    encode(&e.entry)
}

#[test]
fn nothing_is_found_in_an_honest_log_however_it_is_rebuilt() {
    let log = model();
    assert_eq!(as_they_are(log.leaves(), &log), BTreeSet::new());
    assert_eq!(relinked(log.leaves()).leaves(), log.leaves());
    assert_eq!(in_the_bundle(log.leaves(), &log), BTreeSet::new());
}

#[test]
fn an_audit_that_goes_on_from_where_another_ended_ends_as_one_over_everything() {
    let model = long_model(512);
    let store = Memory::holding(forge(model.leaves()));
    let audited = |known: usize, quick: bool| {
        let past = model.cut(known);
        let mut builder = TileBuilder::default();
        past.hashes().iter().for_each(|leaf| drop(builder.push(*leaf)));
        let mut found = Vec::new();
        let mut report = |f| found.push(f);
        let options = Options { quick };
        let audit = Audit::resume(&store, options, past.history().clone(), builder, &mut report);
        let report = audit.run(512, &|_| {}).unwrap();
        assert_eq!((report.root, report.history.head()), (model.root(), model.history().head()));
        assert_eq!((report.findings, found), (0, vec![]));
        report.signatures_checked
    };
    for known in [0, 1, 255, 256, 257, 300, 511, 512] {
        assert_eq!(audited(known, false), 512 - u64::try_from(known).unwrap(), "from {known} on");
    }
    // Of class 0 all; besides those the last of `de` and `ua` before the rotation, and of each author and class after it.
    assert_eq!(audited(0, true), 5 + 2 + 4);
    assert_eq!(audited(300, true), 1);
}

/// Three hundred entries, and one behind them whose author saw the first hundred.
fn with_an_old_head() -> SmallLog {
    let mut log = long_model(300);
    let mut statement = log.draft("pl", pledge(&["ua"], terms("3 brigades")));
    statement.seen = Head { size: 100, leaf: log.hashes()[99] };
    assert_eq!(log.post(&statement), []);
    log
}

/// The audit of a log from its 301st entry on, and how much it finds.
fn of_the_last_entry(store: &dyn Read, log: &SmallLog) -> Result<u64, ReadError> {
    let past = log.cut(300);
    let mut builder = TileBuilder::default();
    past.hashes().iter().for_each(|leaf| drop(builder.push(*leaf)));
    let mut report = |_| {};
    let audit = Audit::resume(store, Options::default(), past.history().clone(), builder, &mut report);
    audit.run(301, &|_| {}).map(|report| report.findings)
}

#[test]
fn a_read_that_fails_is_an_error_and_no_finding() {
    let model = with_an_old_head();
    let (policy, kept) = (model.policy(false), kept(&model, 100));
    let held = Held { policy: Some(&policy), log: Some(model.log_id()), checkpoint: Some(&kept) };
    let store = Memory::holding(forge(model.leaves()));
    let whole = |store: &Memory| {
        log(store, held, Options::default(), &|_| {}, &mut |_| {}).map(|outcome| outcome.findings)
    };
    let resumed = |store: &Memory| of_the_last_entry(store, &model);
    for audit in [&whole as &dyn Fn(&Memory) -> Result<u64, ReadError>, &resumed] {
        let counted = store.reopen();
        assert_eq!(audit(&counted).unwrap(), 0);
        for nth in 0..u64::try_from(counted.calls().len()).unwrap() {
            let failing = store.reopen();
            failing.plan(Plan { among: Among::All, nth, fault: Fault::Fails, dies: false });
            assert!(audit(&failing).is_err(), "read {nth}: {:?}", failing.calls().last());
        }
    }
}

#[test]
fn a_tile_that_is_gone_is_a_finding_and_no_error_wherever_it_would_be_read() {
    let model = with_an_old_head();
    let mut objects = forge(model.leaves());
    objects.remove("public/tile/0/000").unwrap();
    let (policy, kept) = (model.policy(false), kept(&model, 100));
    let held = Held { policy: Some(&policy), log: Some(model.log_id()), checkpoint: Some(&kept) };
    let store = Memory::holding(objects);
    assert_eq!(said(&verified(&store, held).0), [("tile/0/000".to_owned(), "missing")].into());
    assert!(of_the_last_entry(&store, &model).unwrap() > 0);
}

#[test]
fn what_does_not_count_vouches_for_nothing_in_a_quick_audit() {
    let mut log = model();
    let statement = log.draft("pl", pledge(&["ua"], terms("4 brigades")));
    let mut entry = log.sequence(&statement, log.sign(&statement));
    entry.signatures[0].bytes.0[40] ^= 1;
    log.push_entry(&entry);
    let mut later = statement;
    later.seq += 7;
    log.post(&later);
    let policy = log.policy(false);
    let held = Held { policy: Some(&policy), log: Some(log.log_id()), checkpoint: None };
    let store = Memory::holding(forge(log.leaves()));
    let found = said(&verified_with(&store, held, Options { quick: true }).0);
    assert!(found.contains(&at_entry(10, "bad-signature")), "{found:?}");
    assert!(found.contains(&at_entry(11, "wrong-seq")), "{found:?}");
}

#[test]
fn a_changed_amount_is_found() {
    let log = model();
    let mut leaves = log.leaves().to_vec();
    leaves[4] = with_statement(&log, 4, |s| {
        let place = s.body.windows(2).position(|w| w == b"18").unwrap();
        s.body.0[place] = b'0';
    });
    assert!(in_the_bundle(&leaves, &log).contains(&("tile/0/000.p/10".into(), "differs")));
    let found = as_they_are(&leaves, &log);
    assert!(
        found.is_superset(&[at_entry(4, "bad-signature"), at_entry(5, "wrong-link")].into()),
        "{found:?}"
    );
    let found = made_right(&leaves, &log);
    // Whoever signed after it had seen the pledge as it was.
    let want = [at_entry(4, "bad-signature"), at_entry(5, "seen-other"), at_entry(9, "wrong-seq")];
    assert!(found.is_superset(&want.into()), "{found:?}");
    assert!(!found.iter().any(|(_, code)| *code == "wrong-link"));
}

#[test]
fn an_entry_dropped_from_the_middle_is_found() {
    let log = model();
    for dropped in 0..9_usize {
        let mut leaves = log.leaves().to_vec();
        leaves.remove(dropped);
        let next = u64::try_from(dropped).unwrap();
        assert!(in_the_bundle(&leaves, &log).contains(&("tile/entries/000.p/10".into(), "bundle")));
        let found = as_they_are(&leaves, &log);
        assert!(found.contains(&at_entry(next, "wrong-index")) || dropped == 0, "{dropped}: {found:?}");
        assert!(found.contains(&at_entry(next, "wrong-link")), "{dropped}: {found:?}");
        let found = made_right(&leaves, &log);
        assert!(!found.is_empty(), "entry {dropped} is dropped without a trace");
    }
    // By the next who signs, who had seen it.
    let mut leaves = log.leaves().to_vec();
    leaves.remove(7);
    assert!(made_right(&leaves, &log).contains(&at_entry(7, "seen-range")));
}

#[test]
fn a_statement_that_nobody_saw_is_missed_by_its_authors_next_one() {
    let mut log = model();
    let seen = log.history().head();
    for title in ["first", "second"] {
        let mut statement = log.draft("pl", pledge(&["ua"], terms(title)));
        statement.seen = seen;
        assert_eq!(log.post(&statement), []);
    }
    let mut leaves = log.leaves().to_vec();
    leaves.remove(10);
    let found = made_right(&leaves, &log);
    assert_eq!(found, [at_entry(10, "wrong-seq")].into(), "{found:?}");
}

#[test]
fn entries_reordered_duplicated_or_inserted_are_found() {
    let log = model();
    for first in 1..9_usize {
        let mut leaves = log.leaves().to_vec();
        leaves.swap(first, first + 1);
        let index = u64::try_from(first).unwrap();
        let found = as_they_are(&leaves, &log);
        let want = [at_entry(index, "wrong-index"), at_entry(index, "wrong-link")];
        assert!(found.is_superset(&want.into()), "{first}: {found:?}");
        assert!(!made_right(&leaves, &log).is_empty(), "{first}");
        assert!(!in_the_bundle(&leaves, &log).is_empty(), "{first}");
    }
    for doubled in 1..10_usize {
        let mut leaves = log.leaves().to_vec();
        leaves.insert(doubled + 1, leaves[doubled].clone());
        let index = u64::try_from(doubled + 1).unwrap();
        assert!(as_they_are(&leaves, &log).contains(&at_entry(index, "wrong-link")));
        assert!(made_right(&leaves, &log).contains(&at_entry(index, "wrong-seq")), "{doubled}");
    }
    let mut leaves = log.leaves().to_vec();
    leaves.insert(5, b"no entry at all".to_vec());
    assert!(made_right(&leaves, &log).contains(&at_entry(5, "undecodable")));
    leaves[5] = log.leaves()[0].clone();
    assert!(made_right(&leaves, &log).contains(&at_entry(5, "found-again")));
}

#[test]
fn statements_that_neither_author_had_seen_can_be_reordered_until_a_checkpoint_is_out() {
    let mut log = model();
    let seen = log.history().head();
    for author in ["pl", "de"] {
        let mut statement = log.draft(author, pledge(&["ua"], terms("at the same time")));
        statement.seen = seen;
        assert_eq!(log.post(&statement), []);
    }
    let mut leaves = log.leaves().to_vec();
    leaves.swap(10, 11);
    let other = relinked(&leaves);
    assert_eq!(made_right(&leaves, &log), BTreeSet::new());
    let kept = kept(&log, 11);
    let outcome = against(&other, &kept);
    assert_eq!(outcome, [("checkpoint".to_owned(), "rewritten")].into());
}

/// A checkpoint of a log at a size, as a verifier keeps it.
fn kept(log: &SmallLog, size: usize) -> VerifiedCheckpoint {
    checkpoint::open(log.checkpoint_at(size).as_bytes(), &log.policy(false)).unwrap()
}

/// What someone finds who kept a checkpoint.
fn against(log: &SmallLog, kept: &VerifiedCheckpoint) -> BTreeSet<(String, &'static str)> {
    let policy = log.policy(false);
    let held = Held { policy: Some(&policy), log: Some(log.log_id()), checkpoint: Some(kept) };
    said(&verified(&Memory::holding(forge(log.leaves())), held).0)
}

#[test]
fn a_tail_that_is_cut_off_is_found_by_a_kept_checkpoint_alone() {
    let log = model();
    let cut = log.cut(7);
    assert_eq!(verify(&forge(cut.leaves()), &log), BTreeSet::new(), "it is a log as good as any");
    for size in 1..=10 {
        let want = if size > 7 { [("checkpoint".to_owned(), "rollback")].into() } else { BTreeSet::new() };
        assert_eq!(against(&cut, &kept(&log, size)), want, "{size}");
    }
    // A proof that someone holds is such a checkpoint, and so is what comes with a promise kept.
    let proof = log.proof(8, &log.checkpoint());
    let held = proof.verify(&log.hashes()[8], &log.policy(false)).unwrap();
    assert_eq!(against(&cut, &held), [("checkpoint".to_owned(), "rollback")].into());
}

#[test]
fn of_two_histories_each_is_good_alone_and_neither_beside_the_others_checkpoint() {
    let log = model();
    let (mut one, mut two) = (log.cut(9), log.cut(9));
    one.say("de", pledge(&["ua"], terms("ships")));
    two.say("de", pledge(&["ua"], terms("nothing")));
    two.say("pl", pledge(&["ua"], terms("planes")));
    for history in [&one, &two] {
        assert_eq!(history.findings(), []);
        assert_eq!(verify(&forge(history.leaves()), &log), BTreeSet::new());
        assert_eq!(against(history, &kept(&one, 9)), BTreeSet::new(), "up to there they are one");
    }
    assert_eq!(against(&two, &kept(&one, 10)), [("checkpoint".to_owned(), "rewritten")].into());
    assert_eq!(against(&one, &kept(&two, 10)), [("checkpoint".to_owned(), "rewritten")].into());
    assert_eq!(against(&one, &kept(&two, 11)), [("checkpoint".to_owned(), "rollback")].into());
    // Nor can the two be joined: what a partner saw of one is not in the other.
    let mut joined = one.clone();
    let found = joined.push(two.leaves()[10].clone());
    assert!(found.iter().any(|f| f.reason.code() == "seen-other"), "{found:?}");
}

/// Sequences a statement of the operator's making, and makes the log whole around it.
fn slipped_in(log: &SmallLog, s: &Statement, signers: &[(u8, &str)]) -> BTreeSet<(String, &'static str)> {
    let mut log = log.clone();
    log.push_entry(&log.sequence(s, log.sign_as(s, signers)));
    verify(&forge(log.leaves()), &log)
}

#[test]
fn partners_and_keys_that_were_made_up_are_found() {
    let log = model();
    let honest = log.draft("de", pledge(&["ua"], terms("everything")));
    // de's officer 0 has key de/4 since the rotation.
    assert_eq!(slipped_in(&log, &honest, &[(0, "de/4"), (1, "de/1")]), BTreeSet::new());
    let mut invented = honest.clone();
    invented.author = handle("xx");
    assert_eq!(
        slipped_in(&log, &invented, &[(0, "de/4"), (1, "de/1")]),
        [at_entry(10, "unknown-author")].into()
    );
    for signers in
        [[(0, "made up"), (1, "de/1")], [(0, "de/0"), (1, "de/1")], [(0, "de/4"), (1, "operator/0")]]
    {
        let officer = if signers[0].1 == "de/4" { 1 } else { 0 };
        let found = slipped_in(&log, &honest, &signers);
        assert_eq!(found, [at_entry(10, "bad-signature")].into(), "officer {officer}");
    }
}

#[test]
fn signatures_of_one_statement_do_not_fit_another() {
    let log = model();
    let mut statement = log.draft("de", pledge(&["ua"], terms("everything")));
    let signatures = log.sign(&statement);
    statement.body = pledge(&["pl"], terms("everything")).encode_body().into();
    let mut forged = log.clone();
    forged.push_entry(&log.sequence(&statement, signatures));
    assert_eq!(verify(&forge(forged.leaves()), &log), [at_entry(10, "bad-signature")].into());
}

#[test]
fn what_the_operator_says_of_an_entry_is_checked_against_its_neighbours() {
    let log = model();
    let changes: [Change<Entry>; 6] = [
        ("time-back", |e| e.sequenced_at = at("2026-12-01T08:59Z")),
        ("wrong-index", |e| e.index = 9),
        ("wrong-link", |e| e.link = ZEROS),
        ("roster-pointer", |e| e.roster = Pointer { index: 3, ..e.roster }),
        ("roster-pointer", |e| e.roster.leaf = ZEROS),
        ("expired", |e| e.sequenced_at = at("2027-01-01T00:00Z")),
    ];
    let statement = log.draft("pl", pledge(&["ua"], terms("a promise")));
    for (code, change) in changes {
        let mut entry = log.sequence(&statement, log.sign(&statement));
        change(&mut entry);
        let mut changed = log.clone();
        changed.push_entry(&entry);
        assert_eq!(verify(&forge(changed.leaves()), &log), [at_entry(10, code)].into());
    }
}

#[test]
fn what_an_author_claims_to_have_seen_must_be_this_log() {
    let log = model();
    let changes: [Change<Statement>; 5] = [
        ("seen-range", |s| s.seen.size = 11),
        ("seen-range", |s| s.seen.size = 0),
        ("seen-back", |s| s.seen.size = 5),
        ("seen-other", |s| s.seen.size = 9),
        ("seen-other", |s| s.seen.leaf = ZEROS),
    ];
    for (code, change) in changes {
        // pl's pledge at 7 had seen seven entries.
        let mut statement = log.draft("pl", pledge(&["ua"], terms("a lie")));
        change(&mut statement);
        let mut lied = log.clone();
        lied.post(&statement);
        assert_eq!(verify(&forge(lied.leaves()), &log), [at_entry(10, code)].into());
    }
}

#[test]
fn another_founding_under_the_same_name_and_keys_is_another_log() {
    let log = model();
    let mut other = SmallLog::founded_with(|found| {
        found.charter.partners.retain(|p| ["de", "pl", "ua"].contains(&p.handle.as_str()));
        found.charter.rules.incident_quorum.count = 1;
    });
    other.say("de", crate::support::small_log::accede("de"));
    assert_ne!(log.log_id(), other.log_id());
    let found = verify(&forge(other.leaves()), &log);
    assert_eq!(found, [("tile/entries/000.p/2".to_owned(), "log-id")].into());
    // The same statement 0 in another entry: the id is the same, a kept checkpoint tells.
    let mut again = log.entry(0).entry;
    again.sequenced_at = again.sequenced_at.plus_ms(1);
    let again = relinked(&[encode(&again)]);
    assert_eq!(verify(&forge(again.leaves()), &log), BTreeSet::new());
    assert_eq!(against(&again, &kept(&log, 1)), [("checkpoint".to_owned(), "rewritten")].into());
}

#[test]
fn a_checkpoint_that_the_logs_key_did_not_sign_is_not_accepted() {
    let log = model();
    let objects = forge(log.leaves());
    let signed_by = |name: &str| {
        let note = Checkpoint::new(ORIGIN, log.size(), log.root()).unwrap().sign(&key(name));
        let mut objects = objects.clone();
        objects.insert("public/checkpoint".into(), note.into_bytes());
        objects
    };
    let found = verify(&signed_by("a thief"), &log);
    assert_eq!(found, [("checkpoint".to_owned(), "checkpoint")].into());
    // A policy that names another key than the log's own does not make it the log's.
    let theirs = Vkey::log(ORIGIN, key("a thief").public()).unwrap();
    let policy = Policy::of(&[log_vkey(), theirs], &[], None).unwrap();
    let held = Held { policy: Some(&policy), ..Held::default() };
    let found = said(&verified(&Memory::holding(signed_by("a thief")), held).0);
    assert_eq!(found, [("checkpoint".to_owned(), "key")].into());
}

#[test]
fn a_checkpoint_over_another_root_or_over_nothing_is_found() {
    let log = model();
    let with = |size: u64, root: Hash| {
        let note = Checkpoint::new(ORIGIN, size, root).unwrap().sign(&key("operator/checkpoint"));
        let mut objects = forge(log.leaves());
        objects.insert("public/checkpoint".into(), note.into_bytes());
        objects
    };
    assert_eq!(verify(&with(10, log.root_at(9)), &log), [("checkpoint".to_owned(), "root")].into());
    let found = verify(&with(11, log.root()), &log);
    assert!(found.contains(&("tile/entries/000.p/11".to_owned(), "missing")), "{found:?}");
    let found = verify(&with(0, servanda::hash::EMPTY_ROOT), &log);
    assert_eq!(found, [("checkpoint".to_owned(), "empty")].into());
    let nothing = verified(&Memory::new(), Held::default());
    assert!(matches!(nothing.1, Outcome { report: None, findings: 1 }));
    assert_eq!(said(&nothing.0), [("checkpoint".to_owned(), "missing")].into());
}

#[test]
fn without_a_policy_the_key_that_entry_0_declares_counts_and_nothing_pins_the_log() {
    let log = model();
    let (found, outcome) = verified(&Memory::holding(forge(log.leaves())), Held::default());
    assert_eq!(said(&found), BTreeSet::new());
    assert_eq!(outcome.report.unwrap().history.roster().unwrap().log, log.log_id());
    // Where entry 0 founds nothing there is no key.
    let mut leaves = log.leaves().to_vec();
    leaves[0] = b"no founding".to_vec();
    let found = said(&verified(&Memory::holding(forge(&leaves)), Held::default()).0);
    assert!(found.contains(&("checkpoint".to_owned(), "checkpoint")), "{found:?}");
    assert!(found.contains(&at_entry(0, "undecodable")) && found.contains(&at_entry(1, "no-founding")));
    assert!(SignedEntry::decode(&leaves[1]).is_ok());
}
