//! The operator lies with its own keys, and makes links, tiles, root and signature right around each lie: what verification
//! finds, what is evidence, and what leaves no trace at all.

use super::*;
use crate::support::forge::{CHARTER_TEXT, Objects, relinked};
use crate::support::small_log::{ORIGIN, accede, accept, founding, key, key_set, log_vkey, officer, review};
use crate::support::stored::Stored;
use crate::tamper::said;
use proptest::prelude::*;
use proptest::sample::Index;
use servanda::checkpoint::{self, Checkpoint};
use servanda::entry::{Entry, Pointer};
use servanda::evidence::{Accused, Evidence, EvidenceError, Guilt, Misdeed, check, fork};
use servanda::field::Class;
use servanda::hash::Hash;
use servanda::key::vkey::Vkey;
use servanda::note::signature_line;
use servanda::promise::Promise;
use servanda::statement::body::Rotate;
use servanda::submit::{Admitted, CHARTER};
use servanda::verify::Options;
use std::collections::BTreeSet;

type Codes = BTreeSet<(String, &'static str)>;

/// What verification finds in objects, under this log's trust file.
fn found_in(objects: Objects, log: &SmallLog, quick: bool) -> Codes {
    let policy = log.policy(false);
    let held = Held { policy: Some(&policy), log: Some(log.log_id()), checkpoint: None };
    let store = Memory::holding(objects);
    said(&crate::support::check_log::verified_with(&store, held, Options { quick }).0)
}

fn found(other: &SmallLog, log: &SmallLog) -> Codes {
    found_in(forge(other.leaves()), log, false)
}

/// What someone finds besides who kept a checkpoint of the log at its full size.
fn found_by_checkpoint(other: &SmallLog, log: &SmallLog) -> Codes {
    let policy = log.policy(false);
    let kept = checkpoint::open(log.checkpoint().as_bytes(), &policy).unwrap();
    let held = Held { policy: Some(&policy), log: Some(log.log_id()), checkpoint: Some(&kept) };
    said(&verified(&Memory::holding(forge(other.leaves())), held).0)
}

fn at_entries(codes: &[(u64, &'static str)]) -> Codes {
    codes.iter().map(|(index, code)| (format!("entry {index}"), *code)).collect()
}

fn on_checkpoint(code: &'static str) -> Codes {
    [("checkpoint".to_owned(), code)].into()
}

/// What the entry at an index proves, and against whom.
fn evidence_at(log: &SmallLog, index: u64) -> Option<Guilt> {
    let stored = Stored::new(log);
    let mut accused = Accused::new(&stored.checkpoint, stored.client()).unwrap();
    accused.at(index).unwrap().map(|evidence| check(&evidence, Some(&log.log_id())).unwrap())
}

fn forked(one: &SmallLog, other: &SmallLog) -> Option<Evidence> {
    let (one, other) = (Stored::new(one), Stored::new(other));
    let mut accused = Accused::new(&one.checkpoint, one.client()).unwrap();
    accused.fork_with(&mut Accused::new(&other.checkpoint, other.client()).unwrap()).unwrap()
}

fn broken(log: &SmallLog, promise: &Promise) -> Option<Guilt> {
    let stored = Stored::new(log);
    let evidence =
        Accused::new(&stored.checkpoint, stored.client()).unwrap().broken_promise(promise).unwrap();
    evidence.map(|evidence| check(&evidence, Some(&log.log_id())).unwrap())
}

pub fn promised(log: &SmallLog, index: usize) -> Promise {
    let entry = log.leaves()[index].clone();
    Promise::sign(log.log_id(), index.try_into().unwrap(), entry, &[(0, &key("operator/0"))])
}

/// The log with one more statement, drafted when the author had seen so many entries.
pub fn said_after(log: &mut SmallLog, author: &str, act: Act, seen: &SmallLog) {
    let mut statement = log.draft(author, act);
    statement.seen = seen.history().head();
    assert_eq!(log.post(&statement), []);
}

// - times -

#[test]
fn a_time_changed_after_the_fact_is_found_by_whoever_signed_later_and_in_the_unseen_tail_by_nobody() {
    let log = model();
    for index in 0..10_u64 {
        let mut leaves = log.leaves().to_vec();
        let at = usize::try_from(index).unwrap();
        let mut entry = log.entry(at).entry;
        entry.sequenced_at = entry.sequenced_at.plus_ms(1);
        leaves[at] = encode(&entry);
        let other = relinked(&leaves);
        assert_eq!(other.log_id(), log.log_id());
        let found = found(&other, &log);
        if index < 9 {
            assert!(found.is_superset(&at_entries(&[(index + 1, "seen-other")])), "{index}: {found:?}");
        } else {
            assert_eq!(found, Codes::new(), "nobody had signed on it");
        }
        assert!(found_by_checkpoint(&other, &log).contains(&("checkpoint".into(), "rewritten")), "{index}");
        assert!(forked(&log, &other).is_some(), "and two checkpoints are evidence");
    }
}

#[test]
fn a_statement_may_be_dated_anywhere_between_its_neighbours_and_its_expiry() {
    let log = model();
    let statement = log.draft("pl", a_pledge());
    let day = 86_400_000;
    let dated = |ms: u64| {
        let mut entry = log.sequence(&statement, log.sign(&statement));
        entry.sequenced_at = log.entry(9).entry.sequenced_at.plus_ms(ms);
        let mut other = log.clone();
        other.push_entry(&entry);
        found(&other, &log)
    };
    for ms in [0, 1, 60_000, day, 7 * day] {
        assert_eq!(dated(ms), Codes::new(), "{ms}: order is certain, dates are the operator's word");
    }
    assert_eq!(dated(7 * day + 60_001), at_entries(&[(10, "expired")]));
}

// - roster pointers -

/// Everyone honest but the operator, whose pointers pass over de's rotation (6) from entry 7 on; with it a thief who
/// holds de's old key: entry 9.
pub fn hidden_rotation(pointer: Pointer) -> SmallLog {
    let mut log = model().cut(7);
    for author in ["pl", "ua"] {
        let act = if author == "pl" { a_pledge() } else { review(1) };
        let statement = log.draft(author, act);
        let signatures = log.sign(&statement);
        log.push_entry(&Entry { roster: pointer, ..log.sequence(&statement, signatures) });
    }
    let statement = log.draft("de", a_pledge());
    let signatures = log.sign_as(&statement, &[(0, "de/0"), (1, "de/1")]);
    log.push_entry(&Entry { roster: pointer, ..log.sequence(&statement, signatures) });
    log
}

#[test]
fn a_rotation_that_all_pointers_hide_is_found_at_each_and_is_evidence_where_the_hiding_begins() {
    let log = hidden_rotation(Pointer { index: 3, leaf: model().hashes()[3] });
    let want = [(7, "roster-pointer"), (8, "roster-pointer"), (9, "roster-pointer"), (9, "bad-signature")];
    assert_eq!(found(&log, &log), at_entries(&want));
    // A roster file follows the pointers, and so does whoever has nothing else: the old key passes …
    assert_eq!(super::proofs::judged_offline(&log, 9), [""; 0]);
    // … and the lie is on record, where it was told first.
    let guilt = evidence_at(&log, 7).expect("evidence");
    assert_eq!((guilt.kind, guilt.who.is_operator()), (Misdeed::Fault, true));
    assert!(guilt.what.contains("points at entry 3 ("), "{}", guilt.what);
    assert!(guilt.what.contains("past the entry before"), "{}", guilt.what);
    assert_eq!(evidence_at(&log, 6), None, "de's rotation is in order");
    assert_eq!(evidence_at(&log, 8), None, "by themselves, later entries go on as the one before");
}

#[test]
fn a_pointer_at_a_rotation_that_is_not_in_the_log_is_found_and_evidence() {
    // de signed two rotations for one place; the log has one, and its pointers name the other.
    let mut shadow = model().cut(6);
    let mut keys = key_set("de");
    keys.officers[0] = officer("de/5", &[Class::Govern, Class::Commit]);
    shadow.say("de", Act::Rotate(Rotate { keys }));
    let log = hidden_rotation(Pointer { index: 6, leaf: shadow.hashes()[6] });
    let found = found(&log, &log);
    assert!(found.is_superset(&at_entries(&[(7, "roster-pointer"), (9, "bad-signature")])), "{found:?}");
    let guilt = evidence_at(&log, 7).expect("evidence");
    assert!(guilt.what.contains("past the entry before"), "{}", guilt.what);
}

#[test]
fn a_pointer_that_changes_with_nothing_of_class_0_between_is_evidence() {
    let mut log = model();
    let statement = log.draft("pl", a_pledge());
    let lie = Pointer { index: 3, leaf: log.hashes()[3] };
    log.push_entry(&Entry { roster: lie, ..log.sequence(&statement, log.sign(&statement)) });
    log.say("ua", review(1));
    assert_eq!(found(&log, &log), at_entries(&[(10, "roster-pointer")]));
    for (index, want) in [(10, "points at entry 3 ("), (11, "points at entry 6 (")] {
        let guilt = evidence_at(&log, index).expect("evidence");
        assert_eq!(guilt.kind, Misdeed::Fault);
        assert!(guilt.what.contains(want) && guilt.what.contains("of another class"), "{}", guilt.what);
    }
}

#[test]
fn a_founding_entry_with_a_pointer_founds_nothing_and_is_evidence_and_one_without_signatures_founds_nothing()
{
    let log = model();
    let spoilt = |change: fn(&mut Entry)| {
        let mut entry = log.entry(0).entry;
        change(&mut entry);
        let mut other = SmallLog::empty();
        other.push_entry(&entry);
        assert_eq!(other.log_id(), servanda::hash::ZEROS);
        let stored = Stored::new(&other);
        let mut accused = Accused::new(&stored.checkpoint, stored.client()).unwrap();
        let evidence = accused.at(0).unwrap();
        (found(&other, &log), evidence.map(|evidence| check(&evidence, Some(&log.log_id())).unwrap()))
    };
    let (pointing, guilt) = spoilt(|e| e.roster.leaf = Hash([1; 32]));
    assert_eq!(pointing, at_entries(&[(0, "roster-pointer")]));
    let what = guilt.expect("evidence").what;
    assert!(what.contains("where nothing comes before it"), "{what}");
    let (unsigned, guilt) = spoilt(|e| e.signatures.0.clear());
    assert_eq!((unsigned, guilt), (at_entries(&[(0, "no-signatures")]), None));
}

// - what is not there, or elsewhere -

#[test]
fn an_authors_last_statement_dropped_before_anyone_saw_it_is_missed_by_its_promise_and_its_author_alone() {
    let (before, mut log) = (model(), model());
    said_after(&mut log, "pl", a_pledge(), &before);
    said_after(&mut log, "de", a_pledge(), &before);
    let mut leaves = log.leaves().to_vec();
    leaves.remove(10);
    let without = relinked(&leaves);
    assert_eq!(found(&without, &log), Codes::new(), "verification alone finds nothing");
    assert_eq!(found_by_checkpoint(&without, &log), on_checkpoint("rollback"));
    let guilt = broken(&without, &promised(&log, 10)).expect("broken");
    assert_eq!((guilt.kind, guilt.who.is_operator()), (Misdeed::BrokenPromise, true));
    // The author goes on where it stands; no honest operator takes it, and a dishonest one is found out.
    let mut next = log.draft("pl", a_pledge());
    next.seen = before.history().head();
    assert_eq!(held_against(&without, &next, &log.sign(&next)), ["wrong-seq"]);
    // Whoever saw it misses it, too.
    log.say("ua", review(1));
    let mut leaves = log.leaves().to_vec();
    leaves.remove(10);
    assert_eq!(found(&relinked(&leaves), &log), at_entries(&[(11, "seen-range")]));
}

#[test]
fn a_statement_held_back_until_its_expiry_leaves_no_trace_where_no_promise_was_given() {
    let before = model();
    let mut log = model();
    let held_back = log.draft("pl", a_pledge());
    let signatures = log.sign(&held_back);
    let expected = log.sequence(&held_back, signatures.clone());
    let promise = Promise::sign(log.log_id(), 10, encode(&expected), &[(0, &key("operator/0"))]);
    for author in ["de", "ua"] {
        let act = if author == "de" { a_pledge() } else { review(1) };
        said_after(&mut log, author, act, &before);
    }
    log.wait_ms(6 * 86_400_000);
    assert_eq!(held_against(&log, &held_back, &signatures), [""; 0]);
    log.push_entry(&log.sequence(&held_back, signatures.clone()));
    assert_eq!(found(&log, &log), Codes::new());
    assert!(broken(&log, &promise).is_some(), "promised as entry 10, published as entry 12");
    let mut late = before;
    late.wait_ms(8 * 86_400_000);
    assert_eq!(held_against(&late, &held_back, &signatures), ["expired"]);
}

#[test]
fn two_chains_of_one_author_can_change_places_where_neither_had_seen_the_other() {
    let (before, mut log) = (model(), model());
    let acceptance = accept(&[log.entry(9).id]);
    said_after(&mut log, "ua", acceptance, &before);
    said_after(&mut log, "ua", review(1), &before);
    let swapped = |log: &SmallLog| {
        let mut leaves = log.leaves().to_vec();
        leaves.swap(10, 11);
        relinked(&leaves)
    };
    assert_eq!(found(&swapped(&log), &log), Codes::new());
    assert_eq!(found_by_checkpoint(&swapped(&log), &log), on_checkpoint("rewritten"));
    // An author that says what it saw is not moved.
    let mut log = before;
    log.say("ua", accept(&[log.entry(9).id]));
    log.say("ua", review(1));
    assert_eq!(found(&swapped(&log), &log), at_entries(&[(10, "seen-range")]));
}

// - signatures -

#[test]
fn which_officers_signed_beyond_the_threshold_is_the_operators_choice_until_someone_holds_the_entry() {
    let log = model();
    let statement = log.draft("pl", a_pledge());
    let all = log.sign_as(&statement, &[(0, "pl/0"), (1, "pl/1"), (2, "pl/2")]);
    let with = |signatures: &[&Signature]| {
        let mut other = log.clone();
        other.push_entry(&log.sequence(&statement, signatures.iter().copied().cloned().collect()));
        other
    };
    let full = with(&[&all[0], &all[1], &all[2]]);
    for two in [[0, 1], [0, 2], [1, 2]] {
        let fewer = with(&[&all[two[0]], &all[two[1]]]);
        assert_eq!(found(&fewer, &log), Codes::new(), "{two:?}: who is named did sign");
        assert_eq!(fewer.entry(10).id, full.entry(10).id, "one statement, one id");
        assert_eq!(found_by_checkpoint(&fewer, &full), on_checkpoint("rewritten"));
        assert!(broken(&fewer, &promised(&full, 10)).is_some());
        let guilt = check(&forked(&full, &fewer).unwrap(), Some(&log.log_id())).unwrap();
        assert!(guilt.what.contains("different entries 10"), "{}", guilt.what);
    }
    for one in &all {
        assert_eq!(found(&with(&[one]), &log), at_entries(&[(10, "below-threshold")]));
    }
    // Nobody but the operator has that choice: what was sequenced first stands.
    let (mut operator, _) = operator_of(&log);
    let bytes = encode(&statement);
    assert_eq!(operator.admit(&bytes, &all[..2], log.now).unwrap(), Admitted::New { index: 10 });
    assert_eq!(operator.admit(&bytes, &all, log.now).unwrap(), Admitted::Already { index: 10 });
}

#[test]
fn quick_takes_the_signatures_of_all_but_an_authors_last_statement_on_trust() {
    let mut log = model();
    let first = log.draft("pl", a_pledge());
    // Signed by officers 0 and 1; the operator says, by 1 and 2.
    let signatures = log.sign_as(&first, &[(1, "pl/0"), (2, "pl/1")]);
    let mut second = log.draft("pl", a_pledge());
    (second.seq, second.prev) = (first.seq + 1, servanda::statement::id(&encode(&first)));
    log.push_entry(&log.sequence(&first, signatures));
    let signatures = log.sign(&second);
    log.push_entry(&log.sequence(&second, signatures));
    assert_eq!(found_in(forge(log.leaves()), &log, true), Codes::new(), "the second vouches for the words");
    let want = at_entries(&[(10, "bad-signature"), (11, "wrong-seq")]);
    assert_eq!(found(&log, &log), want, "and not for who signed them");
    assert_eq!(evidence_at(&log, 10).expect("evidence").kind, Misdeed::Admitted);
    assert_eq!(evidence_at(&log, 11), None, "the statement on which it was built accuses nobody");
    // As the last of its author, it is looked at.
    assert_eq!(found_in(forge(log.cut(11).leaves()), &log, true), at_entries(&[(10, "bad-signature")]));
}

// - checkpoints -

/// A note over this text, signed by keys of these names.
pub fn note(text: &str, signers: &[(&Vkey, &str)]) -> String {
    let line = |(vkey, name): &(&Vkey, &str)| signature_line(vkey, &key(name).sign(text.as_bytes()));
    format!("{text}\n{}", signers.iter().map(line).collect::<String>())
}

#[test]
fn a_checkpoint_has_one_form_one_origin_and_one_key() {
    let log = model();
    let body = Checkpoint::new(ORIGIN, 10, log.root()).unwrap().to_string();
    let (ours, other) = (log_vkey(), "other.example/log");
    let same_key = Vkey::log(other, key("operator/checkpoint").public()).unwrap();
    let officer = Vkey::log(ORIGIN, key("operator/0").public()).unwrap();
    let with = |text: String| {
        let mut objects = forge(log.leaves());
        objects.insert("public/checkpoint".into(), text.into_bytes());
        found_in(objects, &log, false)
    };
    let good = "operator/checkpoint";
    assert_eq!(with(note(&body, &[(&ours, good)])), Codes::new());
    let renamed = body.replace(ORIGIN, other);
    for (what, text) in [
        ("an extension line", note(&format!("{body}extension\n"), &[(&ours, good)])),
        ("another origin under the same key", note(&renamed, &[(&same_key, good)])),
        ("another origin, our name in the signature", note(&renamed, &[(&ours, good)])),
        ("our origin, the other name in the signature", note(&body, &[(&same_key, good)])),
        ("an officer of the operator", note(&body, &[(&officer, "operator/0")])),
        ("our key's name over another's signature", note(&body, &[(&ours, "operator/0")])),
        ("nobody", format!("{body}\n")),
        ("a root of size 0", note(&body.replace("\n10\n", "\n0\n"), &[(&ours, good)])),
    ] {
        assert_eq!(with(text), on_checkpoint("checkpoint"), "{what}");
    }
    // A line by a stranger beside the log's own changes nothing.
    assert_eq!(with(note(&body, &[(&ours, good), (&officer, "operator/0")])), Codes::new());
}

#[test]
fn what_one_key_signs_under_another_name_is_no_fork() {
    let (log, policy) = (model(), model().policy(false));
    let other = Vkey::log("other.example/log", key("operator/checkpoint").public()).unwrap();
    let elsewhere =
        Checkpoint::new(other.name(), 10, Hash([7; 32])).unwrap().sign(&key("operator/checkpoint"));
    let elsewhere = checkpoint::open(elsewhere.as_bytes(), &policy.with_logs([other]).unwrap()).unwrap();
    let ours = checkpoint::open(log.checkpoint().as_bytes(), &policy).unwrap();
    let founding = log.entry(0).entry.statement;
    for (one, two) in [(&ours, &elsewhere), (&elsewhere, &ours), (&elsewhere, &elsewhere)] {
        let evidence = fork::of_checkpoints(&founding, one, two, None);
        assert!(matches!(evidence, Err(EvidenceError::Checkpoint(_))), "{evidence:?}");
    }
}

#[test]
fn two_checkpoints_of_one_size_and_root_are_no_fork_whoever_cosigned_which() {
    let log = model();
    let text = log.checkpoint();
    let cosigned = crate::support::small_log::cosign(&text, log.now);
    let open = |text: &str| checkpoint::open(text.as_bytes(), &log.policy(false)).unwrap();
    let founding = log.entry(0).entry.statement;
    let evidence = fork::of_checkpoints(&founding, &open(&text), &open(&cosigned), None);
    assert!(matches!(evidence, Err(EvidenceError::Nothing)));
}

// - charter and founding -

#[test]
fn another_charter_beside_the_log_is_found_whatever_it_says() {
    let log = model();
    let with = |text: Option<&[u8]>| {
        let mut objects = forge(log.leaves());
        match text {
            Some(text) => objects.insert(CHARTER.into(), text.to_vec()),
            None => objects.remove(CHARTER),
        };
        found_in(objects, &log, true)
    };
    let on_charter = |code| Codes::from([("charter.toml".to_owned(), code)]);
    assert_eq!(with(Some(CHARTER_TEXT)), Codes::new());
    assert_eq!(with(Some(b"the charter as somebody else wrote it\n")), on_charter("differs"));
    assert_eq!(with(Some(b"")), on_charter("differs"));
    assert_eq!(with(Some(CHARTER_TEXT.trim_ascii_end())), on_charter("differs"), "not a newline less");
    assert_eq!(with(None), on_charter("missing"));
}

#[test]
fn a_log_founded_again_on_the_same_charter_is_another_log_and_a_fork_of_its_name() {
    let log = model();
    let mut founded = founding();
    founded.charter.partners.retain(|p| ["de", "pl", "ua"].contains(&p.handle.as_str()));
    let mut again = SmallLog::empty();
    again.wait_ms(1);
    again.say("operator", Act::Found(founded));
    assert_ne!(again.log_id(), log.log_id(), "a millisecond is another statement 0");
    // What partners signed in the first is worth nothing in the second.
    for n in 1..10 {
        let e = log.entry(n);
        let mut moved = again.clone();
        let found = moved.push_entry(&again.sequence(&e.statement, e.entry.signatures.0));
        assert!(codes(&found).contains(&"other-log"), "{n}");
    }
    // They can sign the second anew; then whoever pins either log holds evidence: one key, one name, two logs.
    again.say("de", accede("de"));
    assert_eq!(found(&again, &log), [("tile/entries/000.p/2".to_owned(), "log-id")].into());
    assert_eq!(found_in(forge(again.leaves()), &again, false), Codes::new());
    for (pinned, one, other) in [(&log, &log, &again), (&again, &again, &log)] {
        let guilt = check(&forked(one, other).unwrap(), Some(&pinned.log_id())).unwrap();
        assert!(guilt.what.contains("different entries 0"), "{}", guilt.what);
    }
}

// - the operator's own statements -

#[test]
fn what_only_the_operator_may_say_no_partner_can_and_the_operator_speaks_for_nobody_else() {
    let log = model();
    let anchor = || log.anchor();
    assert_eq!(said_by(&log, "operator", anchor(), &[(0, "operator/0")]), [""; 0]);
    assert_eq!(said_by(&log, "operator", anchor(), &[(0, "operator/checkpoint")]), ["bad-signature"]);
    assert_eq!(said_by(&log, "pl", anchor(), &[(0, "pl/0"), (1, "pl/1")]), ["wrong-class"]);
    assert_eq!(said_by(&log, "pl", anchor(), &[(3, "pl/3")]), ["wrong-class"]);
    assert_eq!(said_by(&log, "pl", anchor(), &[(0, "operator/0")]), ["wrong-class"]);
    assert_eq!(said_by(&log, "pl", a_pledge(), &[(0, "operator/0")]), ["below-threshold"]);
    assert_eq!(said_by(&log, "operator", review(1), &[(0, "operator/0")]), ["wrong-class"]);
    // Its statements form a chain as well, so that it cannot drop one from the middle.
    let mut said = log.clone();
    said.say("operator", anchor());
    said.say("operator", anchor());
    let mut leaves = said.leaves().to_vec();
    leaves.remove(10);
    let found = found(&relinked(&leaves), &log);
    assert!(found.is_superset(&at_entries(&[(10, "wrong-seq")])), "{found:?}");
}

#[test]
fn the_operator_rotates_its_keys_as_it_must_and_no_other_way() {
    let log = model();
    let set = |name: &str| {
        let mut keys = key_set("operator");
        keys.officers[0] = officer(name, &[Class::Govern, Class::OperateLog]);
        Act::Rotate(Rotate { keys })
    };
    let by = |act, signers: &[(u8, &str)]| said_by(&log, "operator", act, signers);
    let (old, new) = ((0, "operator/0"), (128, "operator/1"));
    assert_eq!(by(set("operator/1"), &[old, new]), [""; 0]);
    assert_eq!(by(set("operator/1"), &[old]), ["new-keys-signed"]);
    assert_eq!(by(set("operator/1"), &[new]), ["below-threshold"]);
    assert_eq!(by(set("operator/1"), &[(0, "operator/1"), new]), ["bad-signature"]);
    for taken in ["operator/checkpoint", "de/1", "de/0"] {
        assert_eq!(by(set(taken), &[old, (128, taken)]), ["key-registered"], "{taken}");
    }
    // A key that was replaced signs neither statements nor promises above the rotation; below it, it can still be made to.
    let mut rotated = log.clone();
    rotated.say("operator", set("operator/1"));
    let anchor = rotated.anchor();
    assert_eq!(said_by(&rotated, "operator", anchor.clone(), &[old]), ["bad-signature"]);
    assert_eq!(said_by(&rotated, "operator", anchor, &[(0, "operator/1")]), [""; 0]);
    rotated.say("pl", a_pledge());
    let lie = |index: u64| {
        let entry = rotated.leaves()[8].clone();
        Promise::sign(log.log_id(), index, entry, &[(0, &key("operator/0"))])
    };
    assert_eq!(broken(&rotated, &lie(11)), None);
    assert!(
        broken(&rotated, &lie(9)).is_some(),
        "a promise bears no date: a thief of the old key accuses its owner"
    );
}

#[test]
fn a_promise_is_broken_by_another_index_other_bytes_or_another_entry_and_not_by_silence() {
    let (log, pl) = (model(), model().draft("pl", a_pledge()));
    let mut honest = log.clone();
    honest.post(&pl);
    let promise = promised(&honest, 10);
    assert_eq!(broken(&honest, &promise), None, "kept");
    assert_eq!(broken(&log, &promise), None, "still to be kept");
    assert_eq!(broken(&log.cut(5), &promise), None, "a log that shrank is found by a kept checkpoint");
    let mut elsewhere = log.clone();
    elsewhere.say("ua", review(1));
    let signatures = log.sign(&pl);
    elsewhere.push_entry(&elsewhere.sequence(&pl, signatures.clone()));
    assert_eq!(elsewhere.findings(), []);
    assert!(broken(&elsewhere, &promise).is_some(), "as entry 11");
    let mut later = log.clone();
    let mut entry = log.sequence(&pl, signatures);
    entry.sequenced_at = entry.sequenced_at.plus_ms(1);
    later.push_entry(&entry);
    let guilt = broken(&later, &promise).expect("the same statement, a millisecond later");
    assert!(guilt.what.starts_with("promised "), "{}", guilt.what);
    // An end of the log that gives no roster hides the broken promise, and is evidence itself.
    elsewhere.push(b"\x01 no entry".to_vec());
    assert_eq!(broken(&elsewhere, &promise), None);
    assert_eq!(evidence_at(&elsewhere, 12).expect("evidence").kind, Misdeed::Admitted);
}

// - anything of it -

/// One thing that an operator does to leaves before it makes everything else right.
#[derive(Clone, Debug)]
enum Edit {
    Drop(Index),
    Move(Index, Index),
    Repeat(Index, Index),
    Date(Index, i64),
    Strip(Index, Index),
    Reword(Index, Index, u8),
    SayItself(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        at().prop_map(Edit::Drop),
        (at(), at()).prop_map(|(from, to)| Edit::Move(from, to)),
        (at(), at()).prop_map(|(from, to)| Edit::Repeat(from, to)),
        (at(), -200_000..200_000_i64).prop_map(|(at, ms)| Edit::Date(at, ms)),
        (at(), at()).prop_map(|(at, which)| Edit::Strip(at, which)),
        (at(), at(), 0..8u8).prop_map(|(at, byte, bit)| Edit::Reword(at, byte, bit)),
        at().prop_map(Edit::SayItself),
    ]
}

fn edited(leaves: &mut Vec<Vec<u8>>, edit: &Edit) {
    let count = leaves.len();
    let entry = |leaf: &[u8]| servanda::entry::SignedEntry::decode(leaf).map(|e| e.entry);
    match edit {
        Edit::Drop(at) => drop(leaves.remove(at.index(count))),
        Edit::Move(from, to) => {
            let leaf = leaves.remove(from.index(count));
            leaves.insert(to.index(count), leaf);
        }
        Edit::Repeat(from, to) => leaves.insert(to.index(count + 1), leaves[from.index(count)].clone()),
        Edit::Date(at, ms) => {
            let leaf = &mut leaves[at.index(count)];
            let Ok(mut entry) = entry(leaf) else { return };
            let Some(at) = entry.sequenced_at.ms().checked_add_signed(*ms) else { return };
            entry.sequenced_at = servanda::field::Instant::from_ms(at).unwrap();
            *leaf = encode(&entry);
        }
        Edit::Strip(at, which) => {
            let leaf = &mut leaves[at.index(count)];
            let Ok(mut entry) = entry(leaf) else { return };
            if !entry.signatures.is_empty() {
                entry.signatures.0.remove(which.index(entry.signatures.len()));
            }
            *leaf = encode(&entry);
        }
        Edit::Reword(at, byte, bit) => {
            let leaf = &mut leaves[at.index(count)];
            let Ok(mut entry) = entry(leaf) else { return };
            let byte = byte.index(entry.statement.len());
            entry.statement.0[byte] ^= 1 << bit;
            *leaf = encode(&entry);
        }
        Edit::SayItself(at) => {
            let so_far = relinked(&leaves[..at.index(count + 1)]);
            if so_far.log_id() == servanda::hash::ZEROS {
                return;
            }
            let statement = so_far.draft("operator", so_far.anchor());
            let said = so_far.sequence(&statement, so_far.sign(&statement));
            leaves.insert(so_far.leaves().len(), encode(&said));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_an_operator_rebuilds_without_a_finding_is_a_beginning_of_what_partners_signed(
        edits in prop::collection::vec(edit(), 1..4)
    ) {
        // In the model, everyone had seen all that came before.
        let log = model();
        let mut leaves = log.leaves().to_vec();
        for edit in &edits {
            if !leaves.is_empty() {
                edited(&mut leaves, edit);
            }
        }
        let other = relinked(&leaves);
        if !leaves.is_empty() && found(&other, &log).is_empty() {
            let ids = |log: &SmallLog| (0..log.leaves().len()).map(|n| log.entry(n)).collect::<Vec<_>>();
            let theirs: Vec<_> = ids(&other).into_iter().filter(|e| e.statement.class < 4).collect();
            let honest = ids(&log);
            prop_assert!(theirs.iter().zip(&honest).all(|(a, b)| a.id == b.id), "{edits:?}");
            prop_assert!(theirs.len() <= honest.len());
            // And byte for byte, the envelope of the last one apart, which nobody had seen.
            let seen = theirs.len() - 1;
            prop_assert_eq!(&other.hashes()[..seen], &log.hashes()[..seen], "{:?}", edits);
        }
    }
}
