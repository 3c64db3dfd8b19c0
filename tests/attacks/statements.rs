//! Statements forged, replayed, shelved, malformed; signatures stripped, padded, reordered, repeated; promises and seals
//! that are somebody else's.

use super::*;
use crate::support::small_log::{accept, handle, key, key_set, review, short};
use crate::tamper::Change;
use servanda::codec::Bytes;
use servanda::entry::EntryError;
use servanda::field::{Class, Duration};
use servanda::hash::{Hash, ZEROS};
use servanda::promise::{Promise, PromiseError};
use servanda::roster::InForce;
use servanda::seal::{Opening, seal};
use servanda::statement::body::{Motion, Propose};
use servanda::statement::{MAX_STATEMENT, StatementError};
use servanda::submit::Admitted;

#[test]
fn whoever_holds_too_few_keys_or_those_of_another_class_says_nothing() {
    let log = model();
    let none: [&str; 0] = [];
    let by = |signers: &[(u8, &str)]| said_by(&log, "pl", a_pledge(), signers);
    assert_eq!(by(&[(0, "pl/0"), (1, "pl/1")]), none);
    assert_eq!(by(&[(0, "pl/0"), (1, "pl/1"), (2, "pl/2")]), none, "more than need be");
    assert_eq!(by(&[]), ["no-signatures"]);
    assert_eq!(by(&[(0, "pl/0")]), ["below-threshold"]);
    assert_eq!(by(&[(0, "pl/0"), (3, "pl/3")]), ["wrong-class"]);
    assert_eq!(
        by(&[(0, "pl/0"), (1, "pl/1"), (3, "pl/3")]),
        ["wrong-class"],
        "one too many of another class"
    );
    assert_eq!(by(&[(0, "de/4"), (1, "de/1")]), ["bad-signature"], "another partner's officers");
    assert_eq!(by(&[(0, "operator/0"), (1, "operator/checkpoint")]), ["bad-signature"]);
    assert_eq!(said_by(&log, "ua", review(1), &[(3, "ua/3")]), none);
    assert_eq!(said_by(&log, "ua", review(1), &[(0, "ua/0"), (1, "ua/1")]), ["wrong-class"]);
    assert_eq!(said_by(&log, "operator", a_pledge(), &[(0, "operator/0")]), ["wrong-class"]);
    // The duty officer cannot pledge by calling a pledge something that duty officers sign.
    let disguised = log.draft_in("pl", Class::Operate, a_pledge());
    assert_eq!(held_against(&log, &disguised, &log.sign_as(&disguised, &[(3, "pl/3")])), ["other-class"]);
}

#[test]
fn signatures_added_removed_reordered_or_repeated_are_refused() {
    let log = model();
    let statement = log.draft("pl", a_pledge());
    let good = log.sign(&statement);
    let against = |change: &dyn Fn(&mut Vec<Signature>)| {
        let mut signatures = good.clone();
        change(&mut signatures);
        held_against(&log, &statement, &signatures)
    };
    assert!(against(&|_| {}).is_empty());
    assert_eq!(against(&|s| s.truncate(1)), ["below-threshold"]);
    assert_eq!(against(&|s| s.clear()), ["no-signatures"]);
    assert_eq!(against(&|s| s.reverse()), ["signature-order"]);
    assert_eq!(against(&|s| s.push(s[1].clone())), ["signature-order"]);
    assert_eq!(against(&|s| s.insert(0, s[0].clone())), ["signature-order"]);
    let padded = |officer: u8, bytes: Vec<u8>| {
        against(&move |s| s.push(Signature { officer, algorithm: 1, bytes: Bytes(bytes.clone()) }))
    };
    assert_eq!(padded(2, vec![0; 64]), ["bad-signature"]);
    assert_eq!(padded(2, good[0].bytes.0.clone()), ["bad-signature"]);
    assert_eq!(padded(9, good[0].bytes.0.clone()), ["unknown-officer"]);
    assert_eq!(padded(128, good[0].bytes.0.clone()), ["unknown-officer"]);
    assert_eq!(padded(255, vec![]), ["unknown-officer"]);
    assert_eq!(against(&|s| s[0].officer = 2), ["signature-order"]);
    assert_eq!(against(&|s| s[1].officer = 2), ["bad-signature"]);
    assert_eq!(against(&|s| s[0].algorithm = 6), ["algorithm"]);
    assert_eq!(against(&|s| s[0].bytes.0.truncate(63)), ["bad-signature"]);
    assert_eq!(against(&|s| s[0].bytes.0.push(0)), ["bad-signature"]);
    assert_eq!(
        against(&|s| s[0].bytes = Bytes(plus_order(&s[0].bytes))),
        ["bad-signature"],
        "the same S, once more"
    );
}

/// The group's order, least significant byte first (RFC 8032, section 5.1).
const ORDER: [u8; 32] = {
    let mut order = [0; 32];
    let low = 0x14de_f9de_a2f7_9cd6_5812_631a_5cf5_d3ed_u128.to_le_bytes();
    let mut i = 0;
    while i < 16 {
        order[i] = low[i];
        i += 1;
    }
    order[31] = 0x10;
    order
};

/// A signature whose S is greater by the group's order.
fn plus_order(signature: &[u8]) -> Vec<u8> {
    let mut changed = signature.to_vec();
    let mut carry = 0;
    for (byte, add) in changed[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(carry, 0);
    changed
}

#[test]
fn a_statement_replayed_in_this_log_gets_its_old_index_and_is_found_where_it_was_sequenced_again() {
    let log = model();
    let (mut operator, _) = operator_of(&log);
    for n in 0..10 {
        let e = log.entry(n);
        let again = operator.admit(&e.entry.statement, &e.entry.signatures, log.now).unwrap();
        assert_eq!(again, Admitted::Already { index: u64::try_from(n).unwrap() });
        let mut twice = log.clone();
        let found = twice.push_entry(&log.sequence(&e.statement, e.entry.signatures.0));
        let code = if n == 0 { "found-again" } else { "wrong-seq" };
        assert!(codes(&found).contains(&code), "{n}: {found:?}");
    }
}

#[test]
fn a_statement_of_another_log_is_refused_and_so_is_one_that_was_made_to_look_like_this_ones() {
    let log = model();
    let mut other = SmallLog::founded_with(|found| {
        found.charter.partners.retain(|p| ["de", "pl", "ua"].contains(&p.handle.as_str()));
        found.charter.title = short("Guarantees of Kiel");
    });
    for name in ["de", "ua", "pl"] {
        other.say(name, crate::support::small_log::accede(name));
    }
    other.say("pl", a_pledge());
    // The same place in its author's chain, the same keys.
    let statement = other.draft("pl", a_pledge());
    let signatures = other.sign(&statement);
    let against = held_against(&log, &statement, &signatures);
    assert!(against.contains(&"other-log") && against.contains(&"wrong-prev"), "{against:?}");
    let mut patched = log.draft("pl", a_pledge());
    patched.body = statement.body.clone();
    assert_eq!(held_against(&log, &patched, &signatures), ["bad-signature"]);
}

#[test]
fn a_draft_that_was_shelved_does_not_come_alive_after_its_expiry() {
    let mut log = model();
    let shelved = log.draft("pl", a_pledge());
    let signatures = log.sign(&shelved);
    let rekeyed = log.draft("pl", Act::Rotate(servanda::statement::body::Rotate { keys: key_set("pl") }));
    let signatures_0 = log.sign(&rekeyed);
    let day = 86_400_000;
    log.wait_ms(7 * day - 1);
    assert!(held_against(&log, &shelved, &signatures).is_empty());
    log.wait_ms(2);
    assert_eq!(held_against(&log, &shelved, &signatures), ["expired"]);
    assert_eq!(held_against(&log, &rekeyed, &signatures_0), ["expired"]);
    // Nor does it help to write a later expiry on it: the charter has a longest.
    let mut long = log.draft("pl", a_pledge());
    long.expires_at = long.issued_at.plus(Duration::of_days(31));
    assert_eq!(held_against(&log, &long, &log.sign(&long)), ["longest-expiry"]);
}

#[test]
fn a_place_in_the_chain_that_is_not_the_next_is_refused() {
    let log = model();
    let changes: [Change<Statement>; 7] = [
        ("wrong-seq", |s| s.seq += 1),
        ("wrong-seq", |s| s.seq = 0),
        ("wrong-prev", |s| s.prev = ZEROS),
        ("unknown-author", |s| s.author = handle("xx")),
        ("seen-range", |s| s.seen.size = u64::MAX),
        ("seen-back", |s| s.seen.size = 1),
        ("seen-other", |s| s.seen.leaf = Hash([1; 32])),
    ];
    for (code, change) in changes {
        let mut statement = log.draft("pl", a_pledge());
        change(&mut statement);
        let signatures = log.sign_as(&statement, &[(0, "pl/0"), (1, "pl/1")]);
        assert_eq!(held_against(&log, &statement, &signatures), [code]);
    }
}

#[test]
fn nobody_makes_every_proof_heavy() {
    let mut log = model();
    let propose = |log: &SmallLog| {
        let lapses_at = log.now.plus(Duration::of_days(7));
        Act::Propose(Propose { motion: Motion::Suspend { handle: handle("de") }, lapses_at })
    };
    for _ in 0..32 {
        assert!(log.post(&log.draft("pl", propose(&log))).is_empty());
    }
    let statement = log.draft("pl", propose(&log));
    assert_eq!(held_against(&log, &statement, &log.sign(&statement)), ["flood"]);
}

#[test]
fn malformed_input_is_an_error_and_changes_nothing() {
    let log = model();
    let (mut operator, store) = operator_of(&log);
    let before = store.objects();
    let good = encode(&log.draft("pl", a_pledge()));
    let signatures = log.sign(&log.draft("pl", a_pledge()));
    for bytes in
        [&b""[..], b"garbage", &[good.clone(), vec![0]].concat(), &good[1..], &vec![0; MAX_STATEMENT + 1]]
    {
        assert!(matches!(operator.admit(bytes, &signatures, log.now), Err(SubmitError::Statement(_))));
    }
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1 << (at % 8);
        let refused = operator.admit(&changed, &signatures, log.now);
        assert!(
            matches!(
                refused,
                Err(SubmitError::Refused(_) | SubmitError::Statement(StatementError::Codec(_)))
                    | Err(SubmitError::Statement(StatementError::Version(_) | StatementError::Class(_)))
            ),
            "byte {at}: {refused:?}"
        );
    }
    let heavy = vec![Signature { officer: 0, algorithm: 1, bytes: Bytes(vec![0; 16_000]) }];
    let refused = operator.admit(&good, &heavy, log.now);
    assert!(matches!(refused, Err(SubmitError::Entry(EntryError::Signatures(_)))));
    let early = operator.admit(&good, &signatures, crate::support::small_log::at("2026-12-01T09:05Z"));
    assert!(matches!(early, Err(SubmitError::Clock { .. })));
    assert_eq!(store.objects(), before);
    assert!(operator.admit(&good, &signatures, log.now).is_ok(), "and the right one is taken");
}

#[test]
fn a_seal_copied_from_another_partner_does_not_open_as_ones_own() {
    let log = model();
    let (salt, value) = (Hash([9; 32]), b"18 systems".to_vec());
    let field = short("terms.quantity");
    let sealed = seal(&log.log_id(), &handle("de"), &salt, &field, &value);
    let own = Opening { log: log.log_id(), author: handle("de"), field, salt, value: Bytes(value) };
    assert_eq!(own.seal(), sealed);
    let others: [fn(&mut Opening); 5] = [
        |o| o.author = handle("pl"),
        |o| o.log = ZEROS,
        |o| o.field = short("terms"),
        |o| o.salt = ZEROS,
        |o| o.value.0.push(0),
    ];
    for change in others {
        let mut opening = own.clone();
        change(&mut opening);
        assert_ne!(opening.seal(), sealed);
    }
}

#[test]
fn a_promise_is_the_operators_for_one_entry_at_one_index_of_one_log() {
    let log = model();
    let roster = log.history().roster().unwrap();
    let operator: &InForce = roster.keys(&handle("operator")).unwrap();
    let entry = log.leaves()[9].clone();
    let officer = key("operator/0");
    let good = Promise::sign(log.log_id(), 9, entry.clone(), &[(0, &officer)]);
    assert!(good.check(operator).is_ok());
    let changes: [fn(&mut Promise); 4] = [
        |p| p.index = 8,
        |p| p.log = ZEROS,
        |p| *p.entry.0.last_mut().unwrap() ^= 1,
        |p| p.signatures[0].bytes.0[0] ^= 1,
    ];
    for change in changes {
        let mut changed = good.clone();
        change(&mut changed);
        assert_eq!(changed.check(operator).map(drop), Err(PromiseError::Bad(0)));
    }
    // Nobody else can put words into the operator's mouth; nor can the key that signs checkpoints.
    for name in ["de/1", "operator/checkpoint"] {
        let forged = Promise::sign(log.log_id(), 9, entry.clone(), &[(0, &key(name))]);
        assert_eq!(forged.check(operator).map(drop), Err(PromiseError::Bad(0)));
    }
    let unsigned = Promise::sign(log.log_id(), 9, entry.clone(), &[]);
    assert!(matches!(unsigned.check(operator), Err(PromiseError::Signatures { got: 0, want: 1 })));
    let twice = Promise::sign(log.log_id(), 9, entry.clone(), &[(0, &officer), (0, &officer)]);
    assert!(matches!(twice.check(operator), Err(PromiseError::Signatures { .. })));
    let stranger = Promise::sign(log.log_id(), 9, entry, &[(7, &officer)]);
    assert_eq!(stranger.check(operator).map(drop), Err(PromiseError::Officer(7)));
    let nothing = Promise::sign(log.log_id(), 9, b"no entry".to_vec(), &[(0, &officer)]);
    assert_eq!(nothing.check(operator).map(drop), Err(PromiseError::Entry));
}

#[test]
fn an_acceptance_names_the_exact_statement() {
    // Moved behind an amendment of the same pledge by reordering, it does not fit what it had seen.
    let mut log = model();
    let seen = log.history().head();
    let offer = log.say("de", pledge(&["ua"], terms("as offered")));
    let mut acceptance = log.draft("ua", accept(&[offer]));
    let signatures = log.sign(&acceptance);
    let mut moved = log.cut(10);
    moved.say("de", pledge(&["ua"], terms("not as offered")));
    assert_eq!(held_against(&moved, &acceptance, &signatures), ["seen-other"]);
    acceptance.seen = seen;
    assert_eq!(held_against(&moved, &acceptance, &signatures), ["bad-signature"]);
}
