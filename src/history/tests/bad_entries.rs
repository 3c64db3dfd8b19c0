//! Every row of the table "What a bad entry does", in classes 1 to 4: the reason, its effect, what follows for the chain.

use crate::chain::{AuthorChain, Effect, Reason};
use crate::codec::encode;
use crate::entry::{Entry, Pointer};
use crate::history::sample::*;
use crate::statement::{Act, Kind, Signature};

/// Puts a draft of `fr` in class commit that was changed, and checks that `want` is all that is found, and that the
/// chain advances where the statement counts.
fn statement(change: impl FnOnce(&mut Draft, &Sample), want: impl FnOnce(&Sample) -> Reason) {
    let mut log = Sample::new();
    log.say("fr", C, &adopt(0));
    let mut draft = log.draft("fr", C, &adopt(1));
    change(&mut draft, &log);
    let entry = log.entry(&draft);
    judged(log, &entry, want);
}

fn entry(change: impl FnOnce(&mut Entry, &Sample), want: impl FnOnce(&Sample) -> Reason) {
    let mut log = Sample::new();
    log.say("fr", C, &adopt(0));
    let mut entry = log.entry(&log.draft("fr", C, &adopt(1)));
    change(&mut entry, &log);
    judged(log, &entry, want);
}

fn judged(mut log: Sample, entry: &Entry, want: impl FnOnce(&Sample) -> Reason) {
    let want = want(&log);
    let before = (log.chain("fr", C), log.history.pointer());
    assert_eq!(log.put_entry(entry), std::slice::from_ref(&want), "{want}");
    let counts = want.effect() != Effect::Unauthentic;
    assert_eq!(log.chain("fr", C).seq, before.0.seq + u64::from(counts), "{want}");
    assert_eq!(log.chain("fr", C) == before.0, !counts, "{want}");
    assert_eq!(log.history.pointer(), before.1);
    // Whatever it was, the log goes on.
    log.now = log.now.max(log.history.times().1);
    log.say("fr", C, &adopt(2));
}

#[test]
fn a_statement_for_another_log_is_unauthentic() {
    let other = crate::hash::sha256(b"other");
    statement(|d, _| d.statement.log = other, |_| Reason::OtherLog { log: other });
}

#[test]
fn an_author_whom_nobody_knows_is_unauthentic() {
    statement(|d, _| d.statement.author = handle("xx"), |_| Reason::UnknownAuthor);
}

#[test]
fn a_partner_that_has_not_acceded_signs_nothing() {
    let mut log = Sample::founded_on(founding());
    log.say("fr", G, &accede("fr"));
    let mut draft = log.draft("fr", C, &adopt(0));
    draft.statement.author = handle("it");
    draft.signers = vec![(0, 30)];
    assert_eq!(log.put(&draft), [Reason::NotAcceded]);
    assert!(log.chain("it", C).is_new());
    assert_eq!(Reason::NotAcceded.effect(), Effect::Unauthentic);
}

#[test]
fn a_gap_or_repetition_in_the_authors_chain_is_unauthentic() {
    statement(|d, _| d.statement.seq = 2, |_| Reason::Seq { got: 2, want: 1 });
    statement(|d, _| d.statement.seq = 0, |_| Reason::Seq { got: 0, want: 1 });
}

#[test]
fn another_statement_before_is_unauthentic() {
    let other = crate::hash::sha256(b"other");
    let want = |log: &Sample| Reason::Prev { got: other, want: log.chain("fr", C).prev };
    statement(|d, _| d.statement.prev = other, want);
}

#[test]
fn a_statement_replayed_at_once_is_unauthentic() {
    let mut log = Sample::new();
    let draft = log.draft("fr", C, &adopt(0));
    assert_eq!(log.put(&draft), []);
    assert_eq!(log.put(&draft), [Reason::Seq { got: 0, want: 1 }]);
}

#[test]
fn a_statement_sequenced_after_its_expiry_is_unauthentic() {
    let at = |log: &Sample| log.now.plus_ms(7 * DAY + 1);
    let want = |log: &Sample| Reason::Expired { at: at(log), expires: log.now.plus_ms(7 * DAY) };
    entry(|e, log| e.sequenced_at = at(log), want);
    // At the very moment it still counts.
    let mut log = Sample::new();
    let draft = log.draft("fr", C, &adopt(0));
    log.now = draft.statement.expires_at;
    assert_eq!(log.put(&draft), []);
}

#[test]
fn an_entry_without_signatures_is_unauthentic() {
    statement(|d, _| d.signers.clear(), |_| Reason::NoSignatures);
}

#[test]
fn an_officer_whom_nobody_knows_makes_an_entry_unauthentic() {
    statement(|d, _| d.signers = vec![(0, 20), (1, 20)], |_| Reason::UnknownOfficer { officer: 1 });
    statement(|d, _| d.signers = vec![(0, 20), (128, 20)], |_| Reason::UnknownOfficer { officer: 128 });
}

#[test]
fn a_signature_of_another_algorithm_makes_an_entry_unauthentic() {
    let want = |algorithm| move |_: &Sample| Reason::Algorithm { officer: 0, algorithm };
    entry(|e, _| e.signatures[0].algorithm = 6, want(6));
    entry(|e, _| e.signatures[0].algorithm = 0, want(0));
}

#[test]
fn a_signature_that_does_not_hold_makes_an_entry_unauthentic() {
    entry(|e, _| e.signatures[0] = bad(&e.signatures[0]), |_| Reason::BadSignature { officer: 0 });
    entry(|e, _| e.signatures[0].bytes.0.clear(), |_| Reason::BadSignature { officer: 0 });
    statement(|d, _| d.signers = vec![(0, 21)], |_| Reason::BadSignature { officer: 0 });
}

/// Reasons of a statement of `de`, whose officers 1 and 2 may commit, by these signers.
fn signed_by(signers: &[(u8, u8)]) -> Vec<Reason> {
    let mut log = Sample::new();
    let mut draft = log.draft("de", C, &adopt(0));
    assert_eq!(draft.signers, [(1, 11), (2, 12)]);
    draft.signers = signers.to_vec();
    log.put(&draft)
}

#[test]
fn signatures_ascend_strictly_by_officer() {
    assert_eq!(signed_by(&[(1, 11), (2, 12)]), []);
    assert_eq!(signed_by(&[(2, 12), (1, 11)]), [Reason::SignatureOrder]);
    assert_eq!(signed_by(&[(1, 11), (1, 11)]), [Reason::SignatureOrder]);
    assert_eq!(signed_by(&[(1, 11), (2, 12), (2, 12)]), [Reason::SignatureOrder]);
    assert_eq!(Reason::SignatureOrder.effect(), Effect::Unauthentic);
}

#[test]
fn every_signer_must_hold_the_class() {
    assert_eq!(signed_by(&[(0, 10), (1, 11)]), [Reason::WrongClass { officer: 0, class: C }]);
    let three = [(0, 10), (1, 11), (2, 12)];
    assert_eq!(signed_by(&three), [Reason::WrongClass { officer: 0, class: C }], "though the others suffice");
    assert_eq!(Reason::WrongClass { officer: 0, class: C }.effect(), Effect::Unauthentic);
}

#[test]
fn too_few_officers_sign_nothing() {
    let want = Reason::BelowThreshold { got: 1, want: 2, class: C };
    assert_eq!(signed_by(&[(1, 11)]), std::slice::from_ref(&want));
    assert_eq!(want.effect(), Effect::Unauthentic);
}

#[test]
fn one_bad_signature_among_enough_makes_an_entry_unauthentic() {
    let mut log = Sample::new();
    let mut entry = log.entry(&log.draft("de", G, &approve(crate::hash::ZEROS)));
    let id = crate::statement::id(&entry.statement);
    entry.signatures.push(bad(&crate::statement::sign(&id, 2, &key(12))));
    assert_eq!(log.put_entry(&entry), [Reason::BadSignature { officer: 2 }]);
}

#[test]
fn a_class_that_nobody_holds_cannot_be_signed() {
    let mut log = Sample::new();
    let anchor = log.anchor();
    log.say("operator", L, &anchor);
    let mut draft = log.draft("fr", L, &anchor);
    draft.signers = vec![(0, 20)];
    assert_eq!(log.put(&draft), [Reason::WrongClass { officer: 0, class: L }]);
    let mut draft = log.draft("operator", C, &adopt(0));
    draft.signers = vec![(0, 1)];
    assert_eq!(log.put(&draft), [Reason::WrongClass { officer: 0, class: C }]);
}

#[test]
fn a_statement_that_expires_too_late_is_void() {
    let late = |d: &mut Draft| d.statement.expires_at = d.statement.issued_at.plus_ms(60 * DAY + 1);
    statement(|d, _| late(d), |_| Reason::LongestExpiry);
    let mut log = Sample::new();
    let mut draft = log.draft("fr", C, &adopt(0));
    draft.statement.expires_at = draft.statement.issued_at.plus_ms(60 * DAY);
    assert_eq!(log.put(&draft), []);
    assert_eq!(Reason::LongestExpiry.effect(), Effect::Void);
}

#[test]
fn a_kind_above_the_level_is_void() {
    statement(|d, _| d.statement.kind = 71, |_| Reason::Level { kind: 71, level: 1 });
}

#[test]
fn a_kind_of_another_class_is_void() {
    let want = |kind: Kind| move |_: &Sample| Reason::OtherClass { kind: kind.name(), class: C };
    let report = |d: &mut Draft, act: &Act| {
        d.statement.kind = act.kind().number();
        d.statement.body = act.encode_body().into();
    };
    statement(|d, _| report(d, &anchor(b"")), want(Kind::Anchor));
    // Outside class 0 these carry no keys, and follow no rules of their own.
    statement(|d, _| report(d, &rotate(first_set("fr"))), want(Kind::Rotate));
    statement(|d, _| report(d, &Act::Found(founding())), want(Kind::Found));
    statement(|d, _| report(d, &approve(crate::hash::ZEROS)), want(Kind::Approve));
}

#[test]
fn a_body_that_does_not_decode_is_void() {
    let mut log = Sample::new();
    for body in [vec![], vec![1; 31], vec![1; 33]] {
        let mut draft = log.draft("fr", C, &adopt(0));
        draft.statement.body = body.into();
        let reasons = log.put(&draft);
        assert!(matches!(reasons[..], [Reason::Body { .. }]), "{reasons:?}");
        assert_eq!(effect(&reasons), Effect::Void);
    }
    assert_eq!(log.chain("fr", C).seq, 3);
}

#[test]
fn a_void_statement_advances_the_chain_and_an_unauthentic_one_does_not() {
    let mut log = Sample::new();
    let mut void = log.draft("fr", C, &adopt(0));
    void.statement.kind = 71;
    let unauthentic = Draft { signers: vec![(0, 21)], ..void.clone() };
    assert_eq!(effect(&log.put(&unauthentic)[..1]), Effect::Unauthentic);
    assert_eq!(log.chain("fr", C), AuthorChain::default());
    assert_eq!(effect(&log.put(&void)), Effect::Void);
    let id = crate::statement::id(&encode(&void.statement));
    assert_eq!(log.chain("fr", C), AuthorChain { seq: 1, prev: id, seen: void.statement.seen.size });
}

#[test]
fn a_wrong_index_link_pointer_or_time_is_the_operators_fault_and_the_statement_counts() {
    entry(|e, _| e.index += 1, |log| Reason::Index { got: log.size() + 1 });
    let other = crate::hash::sha256(b"other");
    let link = |log: &Sample| Reason::Link { got: other, want: log.history.head().leaf };
    entry(|e, _| e.link = other, link);
    let before = |log: &Sample| Reason::TimeBack { at: start(), before: log.now };
    entry(|e, _| e.sequenced_at = start(), before);
    for wrong in [Pointer::default(), Pointer { index: 4, leaf: other }] {
        entry(|e, _| e.roster = wrong, |log| Reason::Pointer { got: wrong, want: pointer(log, 4) });
    }
    entry(
        |e, log| e.roster = pointer(log, 3),
        |log| Reason::Pointer { got: pointer(log, 3), want: pointer(log, 4) },
    );
}

#[test]
fn a_fault_of_the_operators_is_found_in_an_unauthentic_entry_too() {
    let mut log = Sample::new();
    let mut entry = log.entry(&log.draft("fr", C, &adopt(1)));
    entry.index = 7;
    entry.signatures.clear();
    assert_eq!(log.put_entry(&entry), [Reason::Index { got: 7 }, Reason::NoSignatures]);
}

#[test]
fn links_run_over_the_leaf_bytes_as_stored() {
    let mut log = Sample::new();
    let reasons = log.put_bytes(b"no entry".to_vec());
    assert!(matches!(reasons[..], [Reason::Undecodable { .. }]));
    let entry = log.entry(&log.draft("fr", C, &adopt(1)));
    assert_eq!(entry.link, crate::hash::leaf_hash(b"no entry"));
    assert_eq!(log.put_entry(&entry), []);
}

#[test]
fn an_undecodable_entry_leaves_time_and_pointer_as_they_were() {
    let mut log = Sample::new();
    let good = log.entry(&log.draft("fr", G, &rotate(set(&[(21, "G")], [1, 0, 0, 0, 0]))));
    let mut statement = good.statement.clone();
    statement.0.push(0);
    let long = Signature { officer: 200, algorithm: 1, bytes: vec![0; 16_000].into() };
    let undecodable = [
        Entry { version: 2, ..good.clone() },
        Entry { statement, ..good.clone() },
        Entry { signatures: vec![long].into(), ..good },
    ];
    for mut entry in undecodable {
        entry.sequenced_at = log.now.plus_ms(DAY);
        let (times, pointer, size) = (log.history.times(), log.history.pointer(), log.size());
        let reasons = log.put_entry(&entry);
        assert!(matches!(reasons[..], [Reason::Undecodable { .. }]), "{reasons:?}");
        assert_eq!(effect(&reasons), Effect::Unauthentic);
        assert_eq!((log.history.times(), log.history.pointer(), log.size()), (times, pointer, size + 1));
    }
    log.say("fr", C, &adopt(0));
}
