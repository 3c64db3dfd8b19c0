//! The careless or lying partner: what it says to have seen, drafts out of their place, signatures made for something else,
//! whole batches of it.

use super::*;
use crate::support::forge::relinked;
use crate::support::small_log::{accede, handle, key, key_set, officer, review, short};
use crate::support::stored::Stored;
use crate::tamper::said;
use servanda::chain::Effect;
use servanda::codec::Bytes;
use servanda::evidence::Accused;
use servanda::field::{Class, Duration};
use servanda::hash::Hash;
use servanda::promise::{Promise, PromiseError, signed_bytes as promise_bytes};
use servanda::seal::{Opening, seal};
use servanda::statement::body::{Motion, Propose, Rotate};
use servanda::statement::{Head, id, sign};
use servanda::submit::Admitted;

fn propose(log: &SmallLog) -> Act {
    let lapses_at = log.now.plus(Duration::of_days(7));
    Act::Propose(Propose { motion: Motion::Suspend { handle: handle("de") }, lapses_at })
}

fn rotate(name: &str, new: &str) -> Act {
    let mut keys = key_set(name);
    keys.officers[0] = officer(new, &[Class::Govern, Class::Commit]);
    Act::Rotate(Rotate { keys })
}

/// Whether any entry of a log is evidence against anybody.
fn accuses(log: &SmallLog) -> bool {
    let stored = Stored::new(log);
    let mut accused = Accused::new(&stored.checkpoint, stored.client()).unwrap();
    (0..log.size()).any(|index| accused.at(index).unwrap().is_some())
}

fn is_clean(log: &SmallLog) -> bool {
    let policy = log.policy(false);
    let held = Held { policy: Some(&policy), log: Some(log.log_id()), checkpoint: None };
    said(&verified(&Memory::holding(forge(log.leaves())), held).0).is_empty()
}

// - what was seen -

/// Heads that a partner may make up, of a log of ten entries of which it had seen at least seven.
fn lies(log: &SmallLog) -> Vec<(&'static str, Head)> {
    let mut fork = log.cut(9);
    fork.say("de", a_pledge());
    let leaf = |n: usize| log.hashes()[n];
    vec![
        ("seen-range", Head { size: 0, leaf: Hash([0; 32]) }),
        ("seen-range", Head { size: 0, leaf: leaf(0) }),
        ("seen-range", Head { size: 11, leaf: leaf(9) }),
        ("seen-range", Head { size: u64::MAX, leaf: leaf(9) }),
        ("seen-back", Head { size: 1, leaf: leaf(0) }),
        ("seen-back", Head { size: 6, leaf: leaf(5) }),
        ("seen-other", Head { size: 10, leaf: leaf(8) }),
        ("seen-other", Head { size: 9, leaf: leaf(9) }),
        ("seen-other", Head { size: 10, leaf: fork.hashes()[9] }),
        ("seen-other", Head { size: 10, leaf: fork.root() }),
    ]
}

#[test]
fn a_lie_about_what_was_seen_costs_its_author_that_statement_and_accuses_nobody() {
    let log = model();
    for (code, seen) in lies(&log) {
        let mut lying = log.draft("pl", a_pledge());
        lying.seen = seen;
        let signatures = log.sign(&lying);
        assert_eq!(held_against(&log, &lying, &signatures), [code], "{seen:?}");
        // Let in all the same, it is as if it were not there: for its author, and for everybody else.
        let mut let_in = log.clone();
        let found = let_in.push_entry(&log.sequence(&lying, signatures));
        assert_eq!(found[0].reason.effect(), Effect::Unauthentic);
        assert_eq!(found[0].author.as_ref().map(ToString::to_string).as_deref(), Some("pl"));
        for (author, act) in [("pl", a_pledge()), ("de", a_pledge()), ("ua", review(1))] {
            assert_eq!(let_in.post(&let_in.draft(author, act)), [], "{author} after {seen:?}");
        }
        assert!(!accuses(&let_in), "{seen:?}");
    }
}

#[test]
fn in_class_0_the_lie_is_noted_and_the_statement_counts_so_that_no_lie_stops_a_rotation() {
    let mut log = model();
    log.say("pl", propose(&log));
    let log = log;
    for (seen, code) in [
        (Head { size: 0, leaf: log.hashes()[0] }, "seen-range"),
        (Head { size: u64::MAX, leaf: log.hashes()[0] }, "seen-range"),
        (Head { size: 5, leaf: log.hashes()[4] }, "seen-back"),
        (Head { size: 11, leaf: Hash([9; 32]) }, "seen-other"),
    ] {
        let mut lying = log.draft("pl", rotate("pl", "pl/4"));
        lying.seen = seen;
        let signatures = log.sign(&lying);
        assert_eq!(held_against(&log, &lying, &signatures), [code], "an honest operator refuses it");
        let mut let_in = log.clone();
        let found = let_in.push_entry(&log.sequence(&lying, signatures));
        assert_eq!(found.iter().map(|f| f.reason.effect()).collect::<Vec<_>>(), [Effect::Seen]);
        let pledged = |officer: &str| {
            let (mut next, s) = (let_in.clone(), let_in.draft("pl", a_pledge()));
            codes(&next.push_entry(&let_in.sequence(&s, let_in.sign_as(&s, &[(0, officer), (1, "pl/1")]))))
        };
        assert_eq!((pledged("pl/4"), pledged("pl/0")), (vec![], vec!["bad-signature"]));
        assert!(!accuses(&let_in), "{seen:?}");
    }
}

#[test]
fn a_seen_that_never_moves_is_allowed_and_guards_nothing_of_what_came_between() {
    let mut log = model().cut(4);
    let first = Head { size: 1, leaf: log.hashes()[0] };
    let lazy = |log: &mut SmallLog| {
        let mut statement = log.draft("de", a_pledge());
        statement.seen = first;
        assert_eq!(log.post(&statement), []);
    };
    lazy(&mut log);
    log.say("pl", a_pledge());
    lazy(&mut log);
    assert!(is_clean(&log));
    // pl's pledge, before which de said it stood at one entry, can go without anyone's signature being in the way.
    let mut leaves = log.leaves().to_vec();
    leaves.remove(5);
    let without = relinked(&leaves);
    assert_eq!(without.log_id(), log.log_id());
    assert!(is_clean(&without));
    // Its own chain still holds its statements in their order.
    let mut leaves = log.leaves().to_vec();
    leaves.swap(4, 6);
    assert!(!is_clean(&relinked(&leaves)));
}

// - signatures -

#[test]
fn a_signature_made_for_one_purpose_serves_no_other() {
    let log = model();
    let statement = log.draft("operator", log.anchor());
    let bytes = encode(&statement);
    let statement_id = id(&bytes);
    let officer = key("operator/0");
    let with = |message: &[u8]| {
        let signature = Signature { officer: 0, algorithm: 1, bytes: officer.sign(message).to_vec().into() };
        held_against(&log, &statement, &[signature])
    };
    assert_eq!(with(&servanda::statement::signed_bytes(&statement_id)), [""; 0]);
    let promise = promise_bytes(&log.log_id(), 10, &statement_id);
    let ssh = [b"SSHSIG".as_slice(), &statement_id.0].concat();
    let other_label = [b"servanda/sig/2\n".as_slice(), &statement_id.0].concat();
    for message in
        [&statement_id.0[..], &bytes, &promise, &ssh, &other_label, log.checkpoint().as_bytes(), b""]
    {
        assert_eq!(with(message), ["bad-signature"]);
    }
    // Nor does a statement's signature make a promise.
    let mut made = Promise::sign(log.log_id(), 9, log.leaves()[9].clone(), &[]);
    for digest in [id(&log.leaves()[9]), log.hashes()[9], log.log_id()] {
        made.signatures = vec![sign(&digest, 0, &officer)].into();
        let operator = log.history().roster().unwrap().keys(&handle("operator")).unwrap();
        assert_eq!(made.check(operator).map(drop), Err(PromiseError::Bad(0)));
    }
}

#[test]
fn a_statement_that_differs_in_one_field_from_what_was_signed_was_not_signed() {
    let log = model();
    let signed = log.draft("pl", a_pledge());
    let signatures = log.sign(&signed);
    let changes: [fn(&mut Statement); 6] = [
        |s| s.expires_at = s.expires_at.plus_ms(1),
        |s| s.issued_at = s.issued_at.plus_ms(1),
        |s| s.seen = Head { size: 9, leaf: s.prev },
        |s| s.body.0.push(0),
        |s| s.kind = 33,
        |s| s.class = 2,
    ];
    for change in changes {
        let mut other = signed.clone();
        change(&mut other);
        let against = held_against(&log, &other, &signatures);
        assert!(against.contains(&"bad-signature") || against.contains(&"wrong-class"), "{against:?}");
    }
    assert_eq!(held_against(&log, &signed, &signatures), [""; 0]);
}

#[test]
fn every_algorithm_byte_but_the_keys_own_is_refused_for_every_signer() {
    let log = model();
    let statement = log.draft("pl", a_pledge());
    for algorithm in (0..=255).filter(|a| *a != 1) {
        for at in [0, 1] {
            let mut signatures = log.sign(&statement);
            signatures[at].algorithm = algorithm;
            let mut let_in = log.clone();
            let found = let_in.push_entry(&log.sequence(&statement, signatures));
            assert_eq!(codes(&found), ["algorithm"], "{algorithm}");
        }
    }
}

#[test]
fn officers_of_a_set_sign_from_its_rotation_on_and_not_before_nor_after_the_next() {
    let log = model();
    // de/0 until entry 6, de/4 from 7 on.
    let before = log.cut(6);
    assert_eq!(said_by(&before, "de", a_pledge(), &[(0, "de/0"), (1, "de/1")]), [""; 0]);
    assert_eq!(said_by(&before, "de", a_pledge(), &[(0, "de/4"), (1, "de/1")]), ["bad-signature"]);
    assert_eq!(said_by(&before, "de", a_pledge(), &[(1, "de/1"), (128, "de/4")]), ["unknown-officer"]);
    assert_eq!(said_by(&log, "de", a_pledge(), &[(1, "de/1"), (128, "de/4")]), ["unknown-officer"]);
    // A draft that the old officers signed dies with them, however long it lasts; in class 0, too.
    let late = log.draft("de", a_pledge());
    let signatures = log.sign_as(&late, &[(0, "de/0"), (1, "de/1")]);
    assert_eq!(held_against(&log, &late, &signatures), ["bad-signature"]);
    let motion = log.draft("de", propose(&log));
    let signatures = log.sign_as(&motion, &[(0, "de/0"), (1, "de/1")]);
    assert_eq!(held_against(&log, &motion, &signatures), ["bad-signature"]);
}

// - drafts -

#[test]
fn a_draft_whose_place_was_taken_is_refused_however_late_its_expiry() {
    let mut log = model();
    let mut old = log.draft("pl", a_pledge());
    old.expires_at = old.issued_at.plus(Duration::of_days(30));
    let signatures = log.sign(&old);
    log.say("pl", pledge(&["ua"], terms("said instead")));
    assert_eq!(held_against(&log, &old, &signatures), ["wrong-seq"]);
    log.say("pl", a_pledge());
    assert_eq!(held_against(&log, &old, &signatures), ["seen-back", "wrong-seq"]);
    // Given the number that comes next, it is not what was signed, and does not follow what comes before.
    let mut renumbered = old.clone();
    renumbered.seq += 2;
    assert_eq!(held_against(&log, &renumbered, &signatures), ["bad-signature", "seen-back", "wrong-prev"]);
    // One that was taken is answered with its place, as often as it comes.
    let (mut operator, _) = operator_of(&log);
    let taken = log.entry(10);
    for _ in 0..2 {
        let again = operator.admit(&taken.entry.statement, &taken.entry.signatures, log.now).unwrap();
        assert_eq!(again, Admitted::Already { index: 10 });
    }
}

#[test]
fn of_two_signed_drafts_for_one_place_the_operator_may_take_either() {
    let log = model();
    let (one, two) =
        (log.draft("pl", a_pledge()), log.draft("pl", pledge(&["ua"], terms("thought better of"))));
    for (taken, left) in [(&one, &two), (&two, &one)] {
        let mut with = log.clone();
        assert_eq!(with.post(taken), []);
        assert!(is_clean(&with), "its author signed it, and it has not expired");
        assert_eq!(held_against(&with, left, &log.sign(left)), ["wrong-seq"]);
        assert!(!accuses(&with));
    }
}

#[test]
fn a_draft_of_another_log_is_refused_whatever_else_fits() {
    let log = model();
    let mut draft = log.draft("pl", a_pledge());
    for other in [Hash([0; 32]), Hash([7; 32]), log.root(), log.hashes()[0]] {
        draft.log = other;
        assert_eq!(held_against(&log, &draft, &log.sign(&draft)), ["other-log"]);
    }
    let mut motion = log.draft("pl", propose(&log));
    motion.log = Hash([7; 32]);
    assert_eq!(held_against(&log, &motion, &log.sign(&motion)), ["other-log"]);
}

// - batches -

#[test]
fn a_hostile_batch_is_judged_as_its_statements_would_be_one_by_one() {
    let log = model();
    let draft = |log: &SmallLog, title: &str| log.draft("pl", pledge(&["ua"], terms(title)));
    let mut ahead = log.clone();
    let first = draft(&ahead, "first");
    ahead.post(&first);
    let second = draft(&ahead, "second");
    ahead.post(&second);
    let third = draft(&ahead, "third");
    let rival = draft(&log, "rival");
    let good = |s: &Statement| (encode(s), log.sign(s));
    let spoilt = |s: &Statement| {
        let (bytes, mut signatures) = good(s);
        signatures[0].bytes.0[9] ^= 1;
        (bytes, signatures)
    };
    let answer = |batch: &[(Vec<u8>, Vec<Signature>)]| {
        let tell = |answered: Result<Admitted, SubmitError>| match answered {
            Ok(Admitted::New { index }) => format!("new {index}"),
            Ok(Admitted::Already { index }) => format!("already {index}"),
            Err(SubmitError::Refused(found)) => codes(&found).join(" "),
            Err(other) => panic!("{other}"),
        };
        let (mut operator, _) = operator_of(&log);
        let signed: Vec<_> = batch.iter().map(|(bytes, signatures)| (&bytes[..], &signatures[..])).collect();
        let together: Vec<_> = operator.admit_all(&signed, log.now).into_iter().map(tell).collect();
        let (mut operator, _) = operator_of(&log);
        let alone: Vec<_> = signed.iter().map(|(b, s)| tell(operator.admit(b, s, log.now))).collect();
        assert_eq!(together, alone);
        together
    };
    assert_eq!(answer(&[good(&first), good(&first), good(&second)]), ["new 10", "already 10", "new 11"]);
    let mut blind = second.clone();
    blind.seen = log.history().head();
    let mut blind_third = third.clone();
    (blind_third.seen, blind_third.prev) = (blind.seen, id(&encode(&blind)));
    let all = [good(&first), good(&blind), good(&blind_third)];
    assert_eq!(answer(&all), ["new 10", "new 11", "new 12"]);
    assert_eq!(answer(&[good(&first), good(&rival)]), ["new 10", "wrong-seq"], "two in one place");
    assert_eq!(answer(&[good(&rival), good(&first), good(&blind)]), ["new 10", "wrong-seq", "wrong-prev"]);
    let all = [spoilt(&first), good(&blind), good(&blind_third)];
    assert_eq!(answer(&all), ["bad-signature", "wrong-seq", "wrong-seq"], "built on one that was refused");
    assert_eq!(
        answer(&[spoilt(&first), good(&first)]),
        ["bad-signature", "new 10"],
        "a spoilt copy is in no way"
    );
    assert_eq!(answer(&[good(&first), spoilt(&first)]), ["new 10", "already 10"]);
    // A rotation in the batch decides who may sign behind it.
    let rotation = log.draft("pl", rotate("pl", "pl/4"));
    let by = |officer: &str| (encode(&first), log.sign_as(&first, &[(0, officer), (1, "pl/1")]));
    assert_eq!(answer(&[good(&rotation), by("pl/0")]), ["new 10", "bad-signature"]);
    assert_eq!(answer(&[good(&rotation), by("pl/4")]), ["new 10", "new 11"]);
    assert_eq!(answer(&[by("pl/4"), good(&rotation), by("pl/4")]), ["bad-signature", "new 10", "new 11"]);
    let mut spoilt_rotation = good(&rotation);
    spoilt_rotation.1.pop();
    assert_eq!(
        answer(&[spoilt_rotation, by("pl/4"), by("pl/0")]),
        ["new-keys-signed", "bad-signature", "new 10"]
    );
    // So does an accede, and nobody signs before its own.
    let (young, twice) = (log.cut(3), accede("pl"));
    let (mut operator, _) = operator_of(&young);
    let (early, accede) = (young.draft("pl", a_pledge()), young.draft("pl", twice));
    let signed = [(&early, young.sign(&early)), (&accede, young.sign(&accede)), (&early, young.sign(&early))];
    let signed: Vec<_> = signed.iter().map(|(s, signatures)| (encode(*s), signatures)).collect();
    let signed: Vec<_> = signed.iter().map(|(bytes, s)| (&bytes[..], &s[..])).collect();
    let answers: Vec<_> = operator.admit_all(&signed, young.now).into_iter().map(Result::ok).collect();
    let want = [None, Some(Admitted::New { index: 3 }), Some(Admitted::New { index: 4 })];
    assert_eq!(answers, want);
}

// - seals -

#[test]
fn a_seal_copied_by_its_own_author_shows_that_two_values_are_one_and_nothing_else() {
    let log = model();
    let (salt, value) = (Hash([9; 32]), b"18 systems".to_vec());
    let make = |field: &str| seal(&log.log_id(), &handle("de"), &salt, &short(field), &value);
    let opening = |field: &str, value: &[u8]| Opening {
        log: log.log_id(),
        author: handle("de"),
        field: short(field),
        salt,
        value: Bytes(value.to_vec()),
    };
    // It is bound to the field, and not to the statement: the same seal twice opens twice, to the same value.
    assert_eq!(make("terms.quantity"), opening("terms.quantity", &value).seal());
    for field in ["terms", "terms.dues.0.quantity", "terms.quantity.", "annexes.0"] {
        assert_ne!(make("terms.quantity"), opening(field, &value).seal(), "{field}");
    }
    for other in [&b"19 systems"[..], b"18 system", b"18 systems ", b""] {
        assert_ne!(make("terms.quantity"), opening("terms.quantity", other).seal());
    }
    // Moving a byte between the field's name and the value makes another seal.
    assert_ne!(opening("terms", b"xvalue").seal(), opening("termsx", b"value").seal());
}
