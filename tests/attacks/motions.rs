//! Motions that are carried: what the suspended and the re-keyed still try, an operator that will not go, and proofs on
//! both sides of a change.

use super::*;
use crate::support::forge::{forge_as, public};
use crate::support::small_log::*;
use crate::support::stored::{CHARTER_TEXT, Stored};
use crate::tamper::said;
use servanda::chain::Reason;
use servanda::charter::KeySet;
use servanda::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use servanda::client::Client;
use servanda::entry::{Entry, SignedEntry};
use servanda::evidence::{Accused, Evidence, Misdeed, check, fork};
use servanda::field::{Class, Handle};
use servanda::hash::{Hash, ZEROS};
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

#[test]
fn the_next_operator_takes_a_log_over_from_a_copy_and_sets_a_clock_right_that_ran_ahead() {
    let mut model = SmallLog::ready();
    let ahead = at("2090-01-01");
    model.now = ahead;
    model.say("de", a_pledge());
    let copy = Memory::holding(forge(model.leaves()));
    let (size, root) = (model.size(), model.root());
    model.now = at("2026-12-02T12:00Z");
    let motion = next_operator(&model);
    let propose = model.draft("de", Act::Propose(Propose { motion, lapses_at: at("2026-12-20") }));
    let id = servanda::statement::id(&encode(&propose));
    let approvals = ["fr", "pl"].map(|name| model.draft(name, Act::Approve(Approve { motion: id })));
    let all: Vec<_> =
        [&propose, &approvals[0], &approvals[1]].map(|s| (encode(s), model.sign(s))).into_iter().collect();
    let signed: Vec<_> = all.iter().map(|(s, signatures)| (&s[..], &signatures[..])).collect();
    let take_over = |signed: &[servanda::submit::Signed<'_>], by: &str| {
        let store = Memory::new();
        let mut client = Client::open(&copy, size, root).unwrap();
        let copy = (&mut client, Some(CHARTER_TEXT.to_vec()));
        let index = Index::in_memory().unwrap();
        let taken = Operator::take_over(Box::new(store.clone()), index, copy, signed, model.now, &key(by));
        taken.map(|operator| (operator, store))
    };
    assert!(matches!(take_over(&signed[..2], "next/checkpoint"), Err(SubmitError::NotCarried)));
    assert!(matches!(take_over(&signed, "operator/checkpoint"), Err(SubmitError::LogKey { .. })));
    let (mut operator, store) = take_over(&signed, "next/checkpoint").unwrap();
    let times = |n| SignedEntry::decode(&operator.entry(n).unwrap()).unwrap().entry.sequenced_at;
    assert_eq!([size, size + 1, size + 2].map(times), [ahead, ahead, model.now]);
    let accession = model.draft("operator", accede_with(next_set()));
    let accession = servanda::statement::Statement { seen: operator.history().head(), ..accession };
    let set = next_set();
    let signature =
        servanda::statement::sign(&servanda::statement::id(&encode(&accession)), 0, &key("next/0"));
    assert_eq!(set.officers.len(), 1);
    operator.admit(&encode(&accession), &[signature], model.now).unwrap();
    operator.publish(&key("next/checkpoint")).unwrap();
    assert_eq!(found(public(&store.objects()), &model), []);
}

// - evidence after a succession -

/// A log as its second operator published it.
struct ByNext {
    store: Memory,
    checkpoint: VerifiedCheckpoint,
}

impl ByNext {
    fn new(log: &SmallLog) -> Self {
        let store = Memory::holding(forge_as(log.leaves(), NEXT, "next/checkpoint"));
        let policy = Policy::of(&[next_vkey()], &[], None).unwrap();
        let note = store.objects()["public/checkpoint"].clone();
        Self { checkpoint: servanda::checkpoint::open(&note, &policy).unwrap(), store }
    }

    fn client(&self) -> Client<'_> {
        Client::open(&self.store, self.checkpoint.size(), self.checkpoint.root()).unwrap()
    }

    fn accused(&self) -> Accused<'_> {
        Accused::new(&self.checkpoint, self.client()).unwrap()
    }
}

/// A log that goes on under its second operator: with its accession, and a pledge of this title.
fn goes_on(title: &str) -> SmallLog {
    let mut log = succeeded();
    log.say("operator", accede_with(next_set()));
    log.say("de", pledge(&["ua"], terms(title)));
    log.say("fr", a_pledge());
    assert_eq!(log.findings(), []);
    log
}

/// The same, with one entry changed by a hand at the operator's; all that follows is honest again.
fn with_entry(change: impl FnOnce(&mut Entry)) -> (SmallLog, u64) {
    let mut log = succeeded();
    log.say("operator", accede_with(next_set()));
    let index = log.size();
    let statement = log.draft("de", a_pledge());
    let mut entry = log.sequence(&statement, log.sign(&statement));
    change(&mut entry);
    log.push_entry(&entry);
    log.say("fr", a_pledge());
    (log, index)
}

fn guilt(evidence: &Evidence, log: &SmallLog) -> (Misdeed, Vkey) {
    let guilt = check(evidence, Some(&log.log_id())).unwrap();
    (guilt.kind, guilt.key)
}

#[test]
fn a_second_operators_faults_are_evidence_against_it() {
    let changes: [fn(&mut Entry); 3] =
        [|e| e.link = ZEROS, |e| e.index += 1, |e| e.sequenced_at = at("2026-12-01T09:01Z")];
    for change in changes {
        let (log, index) = with_entry(change);
        let by_next = ByNext::new(&log);
        let evidence = by_next.accused().fault(index).unwrap().expect("a fault");
        assert_eq!(guilt(&evidence, &log), (Misdeed::Fault, next_vkey()));
        assert_eq!(by_next.accused().fault(index + 1).unwrap(), None, "the next one is in order");
    }
    let (log, index) = with_entry(|e| e.signatures.0.clear());
    let evidence = ByNext::new(&log).accused().at(index).unwrap().expect("let in");
    assert_eq!(guilt(&evidence, &log), (Misdeed::Admitted, next_vkey()));
}

#[test]
fn nobody_answers_for_what_was_sequenced_before_its_key_came_into_force() {
    let mut log = SmallLog::ready();
    let index = log.size();
    let statement = log.draft("de", a_pledge());
    let mut entry = log.sequence(&statement, log.sign(&statement));
    entry.link = ZEROS;
    log.push_entry(&entry);
    log.carry(next_operator(&log));
    log.say("operator", accede_with(next_set()));
    log.say("fr", a_pledge());
    let by_next = ByNext::new(&log);
    for at in 0..log.size() {
        assert_eq!(by_next.accused().at(at).unwrap(), None, "{at}");
    }
    // The founding operator signed over it: its own checkpoint is evidence.
    let stored = Stored::new(&log.cut(usize::try_from(index).unwrap() + 1));
    let evidence = Accused::new(&stored.checkpoint, stored.client()).unwrap().fault(index).unwrap().unwrap();
    assert_eq!(guilt(&evidence, &log).0, Misdeed::Fault);
}

#[test]
fn a_second_operator_that_signs_two_histories_forks() {
    let (one, other) = (goes_on("tanks"), goes_on("ships"));
    let (a, b) = (ByNext::new(&one), ByNext::new(&other));
    let evidence = a.accused().fork_with(&mut b.accused()).unwrap().expect("a fork");
    assert_eq!(guilt(&evidence, &one), (Misdeed::Fork, next_vkey()));
    // A kept checkpoint, of this size or a smaller one, is enough beside the log.
    let kept = ByNext::new(&other.cut(other.leaves().len() - 1));
    for kept in [&b.checkpoint, &kept.checkpoint] {
        let evidence = a.accused().contradicts(kept).unwrap().expect("rewritten");
        assert_eq!(guilt(&evidence, &one), (Misdeed::Fork, next_vkey()));
    }
    // And two checkpoints with one roster file, whosever of the two it is.
    let founding = one.entry(0).entry.statement;
    for file in [&a, &b].map(|by| RosterFile::make(&mut by.client()).unwrap()) {
        let evidence = fork::of_checkpoints(&founding, &a.checkpoint, &b.checkpoint, Some(&file)).unwrap();
        assert_eq!(guilt(&evidence, &one), (Misdeed::Fork, next_vkey()));
    }
    assert!(fork::of_checkpoints(&founding, &a.checkpoint, &b.checkpoint, None).is_err());
    assert_eq!(a.accused().fork_with(&mut a.accused()).unwrap(), None);
}

#[test]
fn a_succession_is_no_fork_of_the_old_operators_log() {
    let log = goes_on("tanks");
    let mut hidden = SmallLog::ready();
    hidden.say("de", pledge(&["ua"], terms("a tail that nobody was shown")));
    hidden.say("ua", a_pledge());
    let (by_next, old) = (ByNext::new(&log), Stored::new(&hidden));
    let mut theirs = Accused::new(&old.checkpoint, old.client()).unwrap();
    assert_eq!(by_next.accused().fork_with(&mut theirs).unwrap(), None, "two keys");
    assert_eq!(by_next.accused().contradicts(&old.checkpoint).unwrap(), None);
    // Nor is a checkpoint below the size from which on its key signs evidence against the second operator.
    let early = hidden.cut(hidden.leaves().len() - 1);
    let early = ByNext::new(&early);
    assert_eq!(by_next.accused().contradicts(&early.checkpoint).unwrap(), None);
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
