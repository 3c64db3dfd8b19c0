//! Motions that are carried: what the suspended and the re-keyed still try, an operator that will not go, and proofs on
//! both sides of a change.

use super::*;
use crate::support::forge::{forge_as, public};
use crate::support::small_log::*;
use crate::support::stored::CHARTER_TEXT;
use crate::tamper::said;
use servanda::chain::Reason;
use servanda::charter::KeySet;
use servanda::checkpoint::SignedCheckpoint;
use servanda::client::Client;
use servanda::field::{Class, Handle};
use servanda::hash::Hash;
use servanda::key::vkey::Vkey;
use servanda::policy::Policy;
use servanda::proof::{self, RosterFile, policy_for};
use servanda::statement::body::{Accede, Adopt, Approve, Motion, Propose};
use servanda::store::index::Index;
use servanda::submit::CHARTER;
use servanda::verify::{Options, Trouble};

const NEXT: &str = "guarantees.example/next";

fn suspend(name: &str) -> Motion {
    Motion::Suspend { handle: handle(name) }
}

fn rekeyed_set() -> KeySet {
    let only = officer("fr/new", &[Class::Govern, Class::Commit]);
    KeySet { officers: vec![only].into(), thresholds: [1, 1, 0, 0, 0] }
}

fn rekey() -> Motion {
    Motion::Rekey { handle: handle("fr"), keys: rekeyed_set().digest(&handle("fr")), disown_from: None }
}

fn next_set() -> KeySet {
    let only = officer("next/0", &[Class::Govern, Class::OperateLog]);
    KeySet { officers: vec![only].into(), thresholds: [1, 0, 0, 0, 1] }
}

fn accede_with(keys: KeySet) -> Act {
    Act::Accede(Accede { keys, reservations: None, annexes: Vec::new().into() })
}

fn next_vkey() -> Vkey {
    Vkey::log(NEXT, key("next/checkpoint").public()).unwrap()
}

fn next_operator(log: &SmallLog) -> Motion {
    let keys = next_set().digest(&Handle::operator());
    Motion::Operator { vkey: short(&next_vkey().to_string()), keys, replaces: log.log_id() }
}

/// A log whose operator was replaced by its last entry.
fn succeeded() -> SmallLog {
    let mut log = SmallLog::ready();
    log.say("de", a_pledge());
    log.carry(next_operator(&log));
    assert_eq!(log.history().roster().unwrap().vkey, next_vkey());
    log
}

// - partners -

#[test]
fn what_the_suspended_sign_is_refused_and_void_where_it_was_let_in() {
    let mut log = SmallLog::ready();
    log.carry(suspend("fr"));
    assert_eq!(said_by(&log, "fr", a_pledge(), &[(0, "fr/0"), (1, "fr/1")]), ["suspended"]);
    let motion = Act::Propose(Propose { motion: suspend("de"), lapses_at: at("2027-01-01") });
    assert_eq!(said_by(&log, "fr", motion, &[(0, "fr/0"), (1, "fr/1")]), ["suspended"]);
}

#[test]
fn a_thief_whose_victim_was_re_keyed_signs_nothing_more() {
    let mut log = SmallLog::ready();
    log.carry(rekey());
    assert_eq!(said_by(&log, "fr", a_pledge(), &[(0, "fr/0"), (1, "fr/1")]), ["not-acceded"]);
    // Nor can it accede in its victim's place.
    let all = [(0, "fr/0"), (1, "fr/1"), (2, "fr/2"), (3, "fr/3")];
    assert_eq!(said_by(&log, "fr", accede("fr"), &all), ["not-announced"]);
    log.say("fr", accede_with(rekeyed_set()));
    assert_eq!(said_by(&log, "fr", a_pledge(), &[(0, "fr/new")]), [""; 0]);
}

#[test]
fn two_of_five_carry_nothing_however_they_go_about_it() {
    let mut log = SmallLog::ready();
    for motion in [suspend("pl"), rekey(), next_operator(&log), Motion::Level { level: 2 }] {
        let id = log.say("de", Act::Propose(Propose { motion, lapses_at: at("2027-01-01") }));
        for name in ["ua", "de", "ua"] {
            log.say(name, Act::Approve(Approve { motion: id }));
        }
    }
    let roster = log.history().roster().unwrap();
    assert_eq!((roster.proposals().count(), roster.vkeys.len(), roster.charter.level), (4, 1, 1));
    assert_eq!(log.findings(), []);
}

// - the operator -

/// What a verifier finds who holds the trust file of the founding.
fn found(objects: crate::support::forge::Objects, log: &SmallLog) -> Vec<(String, &'static str)> {
    let policy = log.policy(false);
    [false, true]
        .map(|quick| {
            let held = Held { policy: Some(&policy), log: Some(log.log_id()), checkpoint: None };
            let store = Memory::holding(objects.clone());
            let (found, _) = crate::support::check_log::verified_with(&store, held, Options { quick });
            said(&found).into_iter().collect::<Vec<_>>()
        })
        .into_iter()
        .reduce(|whole, quick| {
            assert_eq!(whole, quick);
            whole
        })
        .unwrap()
}

fn on_checkpoint(code: &'static str) -> Vec<(String, &'static str)> {
    vec![("checkpoint".to_owned(), code)]
}

#[test]
fn the_old_operator_commits_its_own_removal_and_stops_and_the_new_one_goes_on() {
    let mut model = SmallLog::ready();
    let (mut old, store) = operator_of(&model);
    old.publish(&key("operator/checkpoint")).unwrap();
    let size = model.size();
    model.carry(next_operator(&model));
    let part = |n: u64| {
        let entry = model.entry(n.try_into().unwrap()).entry;
        (entry.statement.0, entry.signatures.0, entry.sequenced_at)
    };
    let last = model.size() - 1;
    for n in size..=last {
        let (statement, signatures, now) = part(n);
        assert_eq!(old.admit(&statement, &signatures, now).unwrap().index(), n);
    }
    let (statement, signatures, now) = part(last);
    assert_eq!(old.admit(&statement, &signatures, now).unwrap().index(), last, "sent again");
    let after = model.draft("de", a_pledge());
    let refused = old.admit(&encode(&after), &model.sign(&after), model.now).unwrap_err();
    assert!(matches!(&refused, SubmitError::Replaced { index, .. } if *index == last), "{refused}");
    for by in ["operator/checkpoint", "next/checkpoint"] {
        let stopped = old.publish(&key(by)).unwrap_err();
        assert!(matches!(stopped, SubmitError::Replaced { .. }), "{stopped}");
    }
    drop(old);

    let mut new = Operator::open(Box::new(store.clone()), None, Index::in_memory().unwrap()).unwrap();
    assert_eq!(new.history().head(), model.history().head(), "nothing was lost");
    let refused = new.publish(&key("operator/checkpoint")).unwrap_err();
    assert!(matches!(refused, SubmitError::LogKey { .. }), "{refused}");
    for (who, act) in [("operator", accede_with(next_set())), ("de", a_pledge())] {
        let s = model.draft(who, act);
        new.admit(&encode(&s), &model.sign(&s), model.now).unwrap();
        model.post(&s);
    }
    let note = new.publish(&key("next/checkpoint")).unwrap();
    assert!(note.starts_with(&format!("{NEXT}\n{}\n", model.size())));
    assert_eq!(found(public(&store.objects()), &model), []);
}

#[test]
fn a_checkpoint_counts_under_the_key_in_force_at_its_size_alone() {
    let log = succeeded();
    let size = log.leaves().len();
    let by = |size: usize, origin, by| found(forge_as(&log.leaves()[..size], origin, by), &log);
    assert_eq!(by(size, NEXT, "next/checkpoint"), []);
    assert_eq!(by(size - 1, ORIGIN, "operator/checkpoint"), []);
    // An operator that will not go.
    assert_eq!(by(size, ORIGIN, "operator/checkpoint"), on_checkpoint("key"));
    // One that comes before it was asked, under its own name or the old one.
    assert_eq!(by(size - 1, NEXT, "next/checkpoint"), on_checkpoint("checkpoint"));
    assert_eq!(by(size, ORIGIN, "next/checkpoint"), on_checkpoint("checkpoint"));
    assert_eq!(by(size, NEXT, "operator/checkpoint"), on_checkpoint("checkpoint"));
}

#[test]
fn a_tail_that_the_old_operator_hid_cannot_stop_its_removal() {
    // The old operator shows some a log with a pledge more, and the motion to none.
    let mut common = SmallLog::ready();
    let mut hidden = common.clone();
    hidden.say("kiel", Act::Adopt(Adopt { record: Hash([7; 32]) }));
    hidden.say("ua", a_pledge());
    common.carry(next_operator(&common));
    common.say("operator", accede_with(next_set()));
    let size = common.size();
    let tail = hidden.entry(hidden.leaves().len() - 1);
    assert_eq!(tail.statement.author, handle("ua"));
    assert_eq!(found(forge_as(common.leaves(), NEXT, "next/checkpoint"), &common), []);
    // Of the tail, what its author signed on top of it does not fit any more, and is to be signed anew.
    common.post(&tail.statement);
    assert_eq!(common.findings().last().map(|f| (f.index, f.reason.code())), Some((size, "seen-other")));
}

#[test]
fn a_new_operators_key_is_believed_from_a_pinned_founding_or_a_known_one_alone() {
    let log = succeeded();
    let store = Memory::holding(forge_as(log.leaves(), NEXT, "next/checkpoint"));
    let note = store.objects()["public/checkpoint"].clone();
    let signed = SignedCheckpoint::parse(&note).unwrap();
    let ours = log.policy(false);
    let opens = |policy: &Policy, pinned: Option<Hash>| {
        let policy = policy_for(&store, signed.claim(), policy, pinned.as_ref()).unwrap();
        signed.open(&policy).is_ok()
    };
    assert!(opens(&ours, Some(log.log_id())) && opens(&ours, None));
    let others = Policy::of(&[Vkey::log(ORIGIN, key("de/0").public()).unwrap()], &[], None).unwrap();
    assert!(!opens(&others, None), "founded with another key than the policy's");
    assert!(!opens(&ours, Some(Hash([7; 32]))), "another log");
    // Without the tiles that it takes, nothing is known of it; that they are missing is found otherwise.
    let mut objects = store.objects();
    objects.retain(|name, _| !name.contains("entries"));
    let bare = Memory::holding(objects);
    assert_eq!(policy_for(&bare, signed.claim(), &ours, None).unwrap(), ours);
}

#[test]
fn an_earlier_checkpoint_of_the_old_operator_still_shows_that_nothing_was_changed() {
    let mut log = SmallLog::ready();
    let policy = log.policy(false);
    let kept = servanda::checkpoint::open(log.checkpoint().as_bytes(), &policy).unwrap();
    log.carry(next_operator(&log));
    let held = Held { policy: Some(&policy), log: Some(log.log_id()), checkpoint: Some(&kept) };
    let store = |log: &SmallLog| {
        let mut objects = forge_as(log.leaves(), NEXT, "next/checkpoint");
        objects.insert(CHARTER.to_owned(), CHARTER_TEXT.to_vec());
        Memory::holding(objects)
    };
    assert_eq!(verified(&store(&log), held).0, []);
    let mut other = SmallLog::founded();
    other.now = at("2026-12-01T11:00Z");
    for name in PARTNERS {
        other.say(name, accede(name));
    }
    other.carry(next_operator(&other));
    let found = verified(&store(&other), held).0;
    assert!(
        found.iter().any(|f| matches!(f, Found::Object(o) if matches!(o.trouble, Trouble::Rewritten { .. }))),
        "{found:?}"
    );
}

// - proofs -

#[test]
fn proofs_hold_on_both_sides_of_a_carried_motion() {
    let mut log = SmallLog::ready();
    let before = log.size();
    log.say("fr", a_pledge());
    log.carry(suspend("fr"));
    let void = log.size();
    log.say("fr", a_pledge());
    log.carry(rekey());
    log.say("fr", accede_with(rekeyed_set()));
    log.carry(Motion::Resume { handle: handle("fr") });
    let last = log.size();
    log.say("fr", a_pledge());
    log.carry(next_operator(&log));
    let store = Memory::holding(forge_as(log.leaves(), NEXT, "next/checkpoint"));
    let root = log.root();
    let mut client = Client::open(&store, log.size(), root).unwrap();
    let chain = RosterFile::make(&mut client).unwrap().verify(log.size(), &root).unwrap();
    assert_eq!(chain.roster_before(log.size(), Some(&log.log_id())).unwrap().vkey, next_vkey());
    for (index, want) in [(before, vec![]), (void, vec![Reason::Suspended]), (last, vec![])] {
        let e = log.entry(index.try_into().unwrap());
        let judged = proof::judge(&chain, index, &e, Some(&log.log_id())).unwrap();
        assert_eq!(judged.reasons, want, "{index}");
    }
    for index in 1..log.size() {
        let e = log.entry(index.try_into().unwrap());
        let judged = proof::judge(&chain, index, &e, None).unwrap();
        assert_eq!(judged.reasons.is_empty(), index != void, "{index}: {:?}", judged.reasons);
    }
}
