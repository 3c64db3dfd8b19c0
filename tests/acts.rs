//! Every act, statement and entry as bytes: what is written reads back the same, what is changed is refused or is
//! another object in its one form, and limits hold to the byte (`docs/spec.md`, "Encoding" and "Limits").

#![allow(clippy::unwrap_used)]

use crate::support::arbitrary::{self, Mutation};
use proptest::prelude::*;
use servanda::charter::{KeySet, Rules};
use servanda::codec::{Bytes, CodecError, List, decode, encode};
use servanda::entry::{Entry, EntryError, MAX_ENTRY, MAX_SIGNATURES, SignedEntry};
use servanda::field::{Class, Handle, Instant};
use servanda::hash::ZEROS;
use servanda::statement::check::holds;
use servanda::statement::terms::Terms;
use servanda::statement::{Act, Head, Kind, MAX_GOVERN, MAX_STATEMENT, Signature, Statement, StatementError};
use std::fmt::Debug;

/// Reads TOML that was written from a value; a number that TOML cannot hold must be refused by name.
fn toml_round_trip<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + Debug>(value: &T) {
    match toml::to_string(value) {
        Ok(text) => assert_eq!(&toml::from_str::<T>(&text).expect(&text), value, "{text}"),
        Err(error) => assert!(error.to_string().contains("out-of-range"), "{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_act_reads_back_from_its_bytes_and_from_json(acts in all_kinds()) {
        for act in acts {
            let body = act.encode_body();
            prop_assert!(body.len() < MAX_STATEMENT, "the strategy stays below the limit");
            let read = Act::decode_body(act.kind(), &body).unwrap();
            prop_assert_eq!(&read, &act);
            prop_assert_eq!(read.encode_body(), body);
            let json = serde_json::to_string(&act).unwrap();
            prop_assert_eq!(serde_json::from_str::<Act>(&json).expect(&json), act);
        }
    }

    #[test]
    fn what_people_write_reads_back_from_toml(
        terms in arbitrary::terms(), keys in arbitrary::key_set(), rules in arbitrary::rules()
    ) {
        toml_round_trip::<Terms>(&terms);
        toml_round_trip::<KeySet>(&keys);
        toml_round_trip::<Rules>(&rules);
    }

    #[test]
    fn a_changed_body_is_refused_or_another_body_in_its_one_form(
        acts in all_kinds(), mutation in arbitrary::mutation()
    ) {
        for act in acts {
            let body = act.encode_body();
            let changed = mutation.apply(&body);
            if let Ok(read) = Act::decode_body(act.kind(), &changed) {
                prop_assert_eq!(read.encode_body(), changed);
            }
        }
    }

    #[test]
    fn a_body_is_told_good_without_being_built_where_it_decodes_and_nowhere_else(
        acts in all_kinds(), mutations in proptest::collection::vec(arbitrary::mutation(), 1..4),
        other in proptest::sample::select(Kind::ALL), noise in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let agree = |kind, body: &[u8]| {
            let decodes = Act::decode_body(kind, body).is_ok();
            prop_assert_eq!(holds(kind, body), decodes, "{} {}", kind.name(), hex::encode(body));
            Ok(())
        };
        for act in acts {
            let mut body = act.encode_body();
            prop_assert!(holds(act.kind(), &body));
            agree(other, &body)?;
            agree(act.kind(), &noise)?;
            agree(act.kind(), &[&body[..], &noise[..]].concat())?;
            for mutation in &mutations {
                if !body.is_empty() {
                    body = mutation.apply(&body);
                    agree(act.kind(), &body)?;
                }
            }
        }
    }

    #[test]
    fn statements_and_entries_read_back(entry in arbitrary::entry()) {
        let bytes = entry.encode().unwrap();
        let read = SignedEntry::decode(&bytes).unwrap();
        prop_assert_eq!(&read.entry, &entry);
        prop_assert_eq!(read.entry.encode().unwrap(), bytes);
        prop_assert_eq!(read.statement.encode().unwrap(), entry.statement.0);
        let act = read.statement.act();
        prop_assert!(Kind::from_number(read.statement.kind).is_none() || act.is_ok());
    }

    #[test]
    fn a_changed_statement_or_entry_is_refused_or_another_one_in_its_one_form(
        entry in arbitrary::entry(), mutations in proptest::collection::vec(arbitrary::mutation(), 1..4)
    ) {
        let change = |bytes: &[u8]| {
            mutations.iter().fold(bytes.to_vec(), |b, m: &Mutation| if b.is_empty() { b } else { m.apply(&b) })
        };
        let changed = change(&entry.statement);
        if let Ok(read) = Statement::decode(&changed) {
            prop_assert_eq!(read.encode().unwrap(), changed);
        }
        let changed = change(&entry.encode().unwrap());
        if let Ok(read) = SignedEntry::decode(&changed) {
            prop_assert_eq!(read.entry.encode().unwrap(), changed);
            prop_assert_eq!(read.statement.encode().unwrap(), read.entry.statement.0);
        }
    }

    #[test]
    fn a_bit_flipped_in_a_statement_changes_its_id(statement in arbitrary::statement(), at: prop::sample::Index, bit in 0..8u8) {
        let bytes = statement.encode().unwrap();
        let flipped = Mutation::Flip(at, bit).apply(&bytes);
        prop_assert_ne!(servanda::statement::id(&bytes), servanda::statement::id(&flipped));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Statement::decode(&bytes);
        let _ = SignedEntry::decode(&bytes);
        for &kind in Kind::ALL {
            let _ = Act::decode_body(kind, &bytes);
        }
    }
}

/// One act of each kind.
fn all_kinds() -> impl Strategy<Value = Vec<Act>> {
    Kind::ALL.iter().map(|&kind| arbitrary::act_of(kind)).collect::<Vec<_>>()
}

/// A statement with a body of so many bytes.
fn statement(class: Class, kind: Kind, body: usize) -> Statement {
    Statement {
        version: 1,
        log: ZEROS,
        author: "de".parse::<Handle>().unwrap(),
        class: class.number(),
        seq: 0,
        prev: ZEROS,
        seen: Head::default(),
        issued_at: Instant::default(),
        expires_at: Instant::default(),
        kind: kind.number(),
        body: Bytes(vec![7; body]),
    }
}

/// A statement of exactly so many bytes, whatever they say.
fn statement_of_len(class: Class, kind: Kind, len: usize) -> Vec<u8> {
    let overhead = encode(&statement(class, kind, 300)).len() - 300;
    let bytes = encode(&statement(class, kind, len - overhead));
    assert_eq!(bytes.len(), len);
    bytes
}

fn entry(statement: Vec<u8>, signatures: Vec<Signature>) -> Entry {
    Entry {
        version: 1,
        index: 0,
        link: ZEROS,
        roster: Default::default(),
        sequenced_at: Instant::default(),
        statement: statement.into(),
        signatures: signatures.into(),
    }
}

/// Signatures of exactly so many bytes, encoded: a length, then each one's officer, algorithm, length, bytes.
fn signatures_of_len(len: usize) -> Vec<Signature> {
    let list = |last: usize| -> Vec<_> {
        let signature = |bytes| Signature { officer: 0, algorithm: 1, bytes: Bytes(vec![7; bytes]) };
        [signature(len - 700), signature(last)].into()
    };
    let rest = len + 300 - encode(&List(list(300))).len();
    let list = list(rest);
    assert_eq!(encode(&List(list.clone())).len(), len);
    list
}

#[test]
fn a_statement_may_have_49152_bytes_and_not_one_more() {
    for (class, kind) in [(Class::Commit, Kind::Pledge), (Class::Govern, Kind::Found)] {
        let longest = statement_of_len(class, kind, MAX_STATEMENT);
        assert_eq!(Statement::decode(&longest).unwrap().encode().unwrap(), longest);
        let longer = statement_of_len(class, kind, MAX_STATEMENT + 1);
        let refused = Statement::decode(&longer).unwrap_err();
        assert!(
            matches!(
                refused,
                StatementError::Codec(CodecError::TooLong { len: 49_153, limit: MAX_STATEMENT })
            ),
            "{refused}"
        );
        let overhead = longer.len() - 49_000;
        assert!(statement(class, kind, 49_000 + overhead).encode().is_err());
    }
}

#[test]
fn a_statement_of_class_0_may_have_16384_bytes_and_not_one_more() {
    for kind in [Kind::Accede, Kind::Rotate, Kind::Propose, Kind::Approve, Kind::Pledge] {
        let longest = statement_of_len(Class::Govern, kind, MAX_GOVERN);
        assert!(Statement::decode(&longest).is_ok(), "{kind:?}");
        let refused = Statement::decode(&statement_of_len(Class::Govern, kind, MAX_GOVERN + 1)).unwrap_err();
        assert!(matches!(refused, StatementError::GovernTooLong(16_385)), "{refused}");
    }
    assert!(Statement::decode(&statement_of_len(Class::Observe, Kind::Accede, MAX_GOVERN + 1)).is_ok());
}

#[test]
fn an_entry_may_have_65535_bytes_and_not_one_more() {
    let of_len = |len: usize| {
        let overhead = encode(&entry(vec![7; 60_000], vec![])).len() - 60_000;
        let bytes = encode(&entry(vec![7; len - overhead], vec![]));
        assert_eq!(bytes.len(), len);
        bytes
    };
    // No statement fills such an entry; so the longest one is refused for its statement, and a longer one unread.
    let at = SignedEntry::decode(&of_len(MAX_ENTRY)).unwrap_err();
    assert!(matches!(at, EntryError::Statement(StatementError::Codec(CodecError::TooLong { .. }))), "{at}");
    let past = SignedEntry::decode(&of_len(MAX_ENTRY + 1)).unwrap_err();
    let EntryError::Codec(CodecError::TooLong { len: 65_536, limit: MAX_ENTRY }) = past else {
        panic!("{past}")
    };
    assert!(entry(vec![7; MAX_ENTRY], vec![]).encode().is_err());
}

#[test]
fn the_longest_statement_with_the_most_signatures_fits_an_entry() {
    let statement = statement_of_len(Class::Commit, Kind::Pledge, MAX_STATEMENT);
    let mut largest = entry(statement, signatures_of_len(MAX_SIGNATURES));
    largest.index = u64::MAX;
    largest.roster.index = u64::MAX;
    largest.sequenced_at = Instant::from_ms(servanda::field::time::LAST_INSTANT_MS).unwrap();
    let bytes = largest.encode().unwrap();
    assert_eq!(bytes.len(), 65_247);
    assert!(SignedEntry::decode(&bytes).is_ok());
}

#[test]
fn signatures_may_have_16000_bytes_and_not_one_more() {
    let statement = statement_of_len(Class::Commit, Kind::Pledge, 500);
    let longest = encode(&entry(statement.clone(), signatures_of_len(MAX_SIGNATURES)));
    assert!(SignedEntry::decode(&longest).is_ok());
    let longer = entry(statement, signatures_of_len(MAX_SIGNATURES + 1));
    assert!(matches!(longer.encode(), Err(EntryError::Signatures(16_001))));
    assert!(matches!(SignedEntry::decode(&encode(&longer)), Err(EntryError::Signatures(16_001))));
}

/// A short statement, and where its `seq` stands.
fn small() -> (Vec<u8>, usize) {
    (encode(&statement(Class::Commit, Kind::Adopt, 32)), 1 + 32 + 3 + 1)
}

fn malformed(bytes: &[u8]) -> CodecError {
    match Statement::decode(bytes) {
        Err(StatementError::Codec(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn over_long_integers_are_refused_in_statement_and_entry() {
    let (good, seq) = small();
    assert_eq!(good[seq], 0);
    for long in [&[251, 0, 0][..], &[252, 0, 0, 0, 0], &[253, 0, 0, 0, 0, 0, 0, 0, 0]] {
        let bytes = [&good[..seq], long, &good[seq + 1..]].concat();
        assert!(matches!(malformed(&bytes), CodecError::NotCanonical), "{long:?}");
        // The index stands behind the version, the statement's length behind 75 bytes.
        let whole = encode(&entry(good.clone(), vec![]));
        let index = [&whole[..1], long, &whole[2..]].concat();
        assert!(matches!(SignedEntry::decode(&index), Err(EntryError::Codec(CodecError::NotCanonical))));
    }
    // A length, too, has one form; and a 16-byte integer is none at all.
    let at = good.len() - 33;
    assert_eq!(good[at], 32);
    let length = [&good[..at], &[251, 32, 0], &good[at + 1..]].concat();
    assert!(matches!(malformed(&length), CodecError::NotCanonical));
    let sixteen = [&good[..seq], &[254], &[0; 16], &good[seq + 1..]].concat();
    assert!(matches!(malformed(&sixteen), CodecError::Malformed(_)));
    assert!(matches!(
        malformed(&[&good[..seq], &[255], &good[seq + 1..]].concat()),
        CodecError::Malformed(_)
    ));
}

#[test]
fn trailing_bytes_are_refused_in_body_statement_and_entry() {
    let (good, _) = small();
    assert!(matches!(malformed(&[&good[..], &[0]].concat()), CodecError::Trailing(1)));
    let whole = encode(&entry(good.clone(), vec![]));
    assert!(SignedEntry::decode(&whole).is_ok());
    assert!(matches!(
        SignedEntry::decode(&[&whole[..], &[0]].concat()),
        Err(EntryError::Codec(CodecError::Trailing(1)))
    ));
    let inside = encode(&entry([&good[..], &[0]].concat(), vec![]));
    assert!(matches!(
        SignedEntry::decode(&inside),
        Err(EntryError::Statement(StatementError::Codec(CodecError::Trailing(1))))
    ));
    assert!(matches!(Act::decode_body(Kind::Adopt, &[7; 33]), Err(CodecError::Trailing(1))));
}

#[test]
fn lengths_that_lie_are_refused_before_anything_is_allocated() {
    let (good, _) = small();
    let at = good.len() - 33;
    for (lie, trailing) in
        [(&[31][..], true), (&[33], false), (&[253, 255, 255, 255, 255, 255, 255, 255, 127], false)]
    {
        let error = malformed(&[&good[..at], lie, &good[at + 1..]].concat());
        assert_eq!(matches!(error, CodecError::Trailing(1)), trailing, "{error}");
    }
    // The list of signatures is the entry's last byte: nine bytes that claim 2^63 − 1 of them, or one that is not there.
    let whole = encode(&entry(good, vec![]));
    for lie in [&[1][..], &[253, 255, 255, 255, 255, 255, 255, 255, 127]] {
        let bomb = [&whole[..whole.len() - 1], lie].concat();
        assert!(matches!(SignedEntry::decode(&bomb), Err(EntryError::Codec(CodecError::Malformed(_)))));
    }
    for &kind in Kind::ALL {
        assert!(Act::decode_body(kind, &[253, 255, 255, 255, 255, 255, 255, 255, 127]).is_err(), "{kind:?}");
    }
}

#[test]
fn other_versions_and_classes_are_refused() {
    let (good, seq) = small();
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Statement::decode(&bytes)
    };
    assert!(matches!(with(0, 0), Err(StatementError::Version(0))));
    assert!(matches!(with(0, 2), Err(StatementError::Version(2))));
    assert!(matches!(with(seq - 1, 5), Err(StatementError::Class(5))));
    assert!(with(seq - 1, 4).is_ok());
    let mut whole = encode(&entry(good, vec![]));
    whole[0] = 2;
    assert!(matches!(SignedEntry::decode(&whole), Err(EntryError::Version(2))));
}

#[test]
fn field_types_hold_their_limits_in_a_body() {
    // notice: a statement's id, what, effective_at?, text, annexes.
    let notice = |instant: &[u8], text: &[u8]| [&[7; 32][..], &[2, 1], instant, text, &[0]].concat();
    let last = [253, 0xff, 0xdb, 0x1f, 0xd2, 0x77, 0xe6, 0, 0];
    let after = [253, 0x00, 0xdc, 0x1f, 0xd2, 0x77, 0xe6, 0, 0];
    let ok = |bytes: Vec<u8>| Act::decode_body(Kind::Notice, &bytes).is_ok();
    assert_eq!(decode::<u64>(&last, 9).unwrap(), servanda::field::time::LAST_INSTANT_MS);
    assert!(ok(notice(&last, &[0])) && !ok(notice(&after, &[0])));
    let text = |len: u16| [&[251][..], &len.to_le_bytes(), &vec![b'x'; usize::from(len)]].concat();
    assert!(ok(notice(&last, &text(32_768))) && !ok(notice(&last, &text(32_769))));
    assert!(!ok(notice(&last, &[1, 0xff])), "not UTF-8");
    // A variant that does not exist, an option that is neither, a boolean that is neither.
    let mut other = notice(&last, &[0]);
    other[32] = 8;
    assert!(!ok(other));
    let mut neither = notice(&last, &[0]);
    neither[33] = 2;
    assert!(!ok(neither));
}
