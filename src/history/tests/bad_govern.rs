//! Bad entries of class 0, and an entry 0 that founds nothing.

use crate::chain::{Effect, Reason};
use crate::charter::{CharterError, KeySetError, Witnesses};
use crate::entry::Pointer;
use crate::hash::{ZEROS, sha256};
use crate::history::sample::*;
use crate::statement::body::Found;
use crate::statement::{Act, Head, Kind};

/// The reasons of a class-0 draft of `fr` after all acceded; nothing of it may count.
fn unauthentic(act: &Act, change: impl FnOnce(&mut Draft, &Sample)) -> Reason {
    let mut log = Sample::new();
    let mut draft = log.draft("fr", G, act);
    change(&mut draft, &log);
    let (chain, pointer) = (log.chain("fr", G), log.history.pointer());
    let mut reasons = log.put(&draft);
    assert_eq!(effect(&reasons), Effect::Unauthentic);
    assert_eq!((log.chain("fr", G), log.history.pointer()), (chain, pointer), "{reasons:?}");
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons.remove(0)
}

fn same() -> Act {
    rotate(first_set("fr"))
}

#[test]
fn log_author_chain_and_signatures_count_in_class_0_too() {
    let other = sha256(b"other");
    assert_eq!(unauthentic(&same(), |d, _| d.statement.log = other), Reason::OtherLog { log: other });
    assert_eq!(unauthentic(&same(), |d, _| d.statement.author = handle("xx")), Reason::UnknownAuthor);
    assert_eq!(unauthentic(&same(), |d, _| d.statement.seq = 3), Reason::Seq { got: 3, want: 1 });
    let prev = unauthentic(&same(), |d, _| d.statement.prev = other);
    assert!(matches!(prev, Reason::Prev { got, .. } if got == other));
    assert_eq!(unauthentic(&same(), |d, _| d.signers.clear()), Reason::NoSignatures);
    let forged = unauthentic(&same(), |d, _| d.signers = vec![(0, 21)]);
    assert_eq!(forged, Reason::BadSignature { officer: 0 });
}

#[test]
fn a_statement_expired_by_the_time_of_class_0_is_unauthentic() {
    let late = |d: &mut Draft, log: &Sample| d.statement.expires_at = log.now.plus_ms(0);
    let mut log = Sample::new();
    let mut draft = log.draft("fr", G, &same());
    late(&mut draft, &log);
    log.wait(1);
    let want = Reason::Expired { at: log.now, expires: draft.statement.expires_at };
    assert_eq!(log.put(&draft), [want]);
}

#[test]
fn a_wrong_pointer_makes_an_entry_of_class_0_unauthentic() {
    let mut log = Sample::new();
    for wrong in [Pointer::default(), pointer(&log, 3), Pointer { index: 4, leaf: ZEROS }] {
        let mut entry = log.entry(&log.draft("fr", G, &same()));
        entry.roster = wrong;
        let want = Reason::GovernPointer { got: wrong, want: pointer(&log, 4) };
        assert_eq!(log.put_entry(&entry), std::slice::from_ref(&want));
        assert_eq!(want.effect(), Effect::Unauthentic);
        assert_eq!(log.history.pointer(), pointer(&log, 4));
    }
    log.say("fr", G, &same());
    assert_eq!(log.history.pointer().index, 8);
}

#[test]
fn the_pointer_names_the_last_authentic_entry_void_ones_included() {
    let mut log = Sample::new();
    log.say("fr", C, &adopt(0));
    assert_eq!(log.put(&log.draft("fr", G, &approve(ZEROS))), [Reason::NoMotion]);
    assert_eq!(log.history.pointer(), pointer(&log, 6));
    let mut entry = log.entry(&log.draft("it", C, &adopt(0)));
    entry.roster = pointer(&log, 4);
    let want = Reason::Pointer { got: pointer(&log, 4), want: pointer(&log, 6) };
    assert_eq!(log.put_entry(&entry), std::slice::from_ref(&want));
    assert_eq!(want.effect(), Effect::OperatorsFault);
    assert_eq!(log.chain("it", C).seq, 1, "the statement counts");
}

#[test]
fn found_anywhere_but_at_0_is_unauthentic() {
    let mut log = Sample::new();
    let draft = log.draft("operator", G, &Act::Found(founding()));
    assert_eq!(log.put(&draft), [Reason::FoundAgain]);
    assert_eq!(Reason::FoundAgain.effect(), Effect::Unauthentic);
    // Entry 0's own statement, once more.
    let mut entry = decoded(&log.entries[0]).entry;
    entry.roster = log.history.pointer();
    entry.index = log.size();
    entry.link = log.history.head().leaf;
    let reasons = log.put_entry(&entry);
    for want in [Reason::FoundAgain, Reason::OtherLog { log: ZEROS }, Reason::Seq { got: 0, want: 1 }] {
        assert!(reasons.contains(&want), "{reasons:?}");
    }
}

#[test]
fn a_body_with_keys_that_does_not_decode_is_unauthentic() {
    for act in [&same(), &accede("fr")] {
        let reason = unauthentic(act, |d, _| d.statement.body.0.push(0));
        assert!(matches!(reason, Reason::KeyBody { .. }), "{reason:?}");
    }
}

#[test]
fn a_motions_body_that_does_not_decode_is_void() {
    let mut log = Sample::new();
    for kind in [Kind::Propose, Kind::Approve] {
        let mut draft = log.draft("fr", G, &approve(ZEROS));
        draft.statement.kind = kind.number();
        draft.statement.body.0.push(0);
        let reasons = log.put(&draft);
        assert!(matches!(reasons[..], [Reason::Body { .. }]), "{reasons:?}");
        assert_eq!(effect(&reasons), Effect::Void);
    }
    assert_eq!((log.chain("fr", G).seq, log.history.pointer().index), (3, 6));
}

#[test]
fn a_key_set_that_is_not_admissible_is_unauthentic() {
    let error = KeySetError::Threshold { class: G, threshold: 2, holders: 1 };
    let weak = rotate(set(&[(20, "G")], [2, 0, 0, 0, 0]));
    assert_eq!(unauthentic(&weak, |_, _| {}), Reason::KeySet { error });
    let error = KeySetError::Class { officer: 0, class: L, holder: "a partner" };
    let operators = rotate(set(&[(20, "GL")], [1, 0, 0, 0, 1]));
    assert_eq!(unauthentic(&operators, |_, _| {}), Reason::KeySet { error });
}

#[test]
fn an_algorithm_above_the_level_is_unauthentic_since_not_everyone_could_check_its_signatures() {
    let mut keys = set(&[(20, "G"), (21, "G")], [1, 0, 0, 0, 0]);
    keys.officers[1].algorithm = 6;
    let error = KeySetError::Algorithm { officer: 1, algorithm: 6 };
    assert_eq!(unauthentic(&rotate(keys), |_, _| {}), Reason::KeySet { error });
}

#[test]
fn the_operator_neither_proposes_nor_approves() {
    let mut log = Sample::new();
    for kind in [Kind::Propose, Kind::Approve] {
        let act = match kind {
            Kind::Propose => {
                propose(crate::statement::body::Motion::Level { level: 2 }, log.now.plus_ms(DAY))
            }
            _ => approve(ZEROS),
        };
        let want = Reason::NotForOperator { kind: kind.name() };
        assert_eq!(log.put(&log.draft("operator", G, &act)), std::slice::from_ref(&want));
        assert_eq!(want.effect(), Effect::Void);
    }
    assert_eq!(log.chain("operator", G).seq, 3);
}

#[test]
fn kinds_above_the_level_or_of_another_class_are_void_in_class_0_and_move_the_pointer() {
    let mut log = Sample::new();
    let mut draft = log.draft("fr", G, &approve(ZEROS));
    draft.statement.kind = 5;
    assert_eq!(log.put(&draft), [Reason::Level { kind: 5, level: 1 }]);
    assert_eq!(log.put(&log.draft("fr", G, &adopt(0))), [Reason::OtherClass { kind: "adopt", class: G }]);
    assert_eq!((log.chain("fr", G).seq, log.history.pointer().index), (3, 6));
    assert!(log.history.unknown().is_none());
}

/// The reasons of an entry 0, which founds nothing.
fn founds_nothing(found: Found, change: impl FnOnce(&mut Draft)) -> Reason {
    let mut log = Sample { now: start(), ..Sample::default() };
    let mut draft = log.draft("operator", G, &Act::Found(found));
    change(&mut draft);
    let mut reasons = log.put(&draft);
    assert!(log.history.roster().is_none() && log.history.govern().is_empty());
    assert_eq!(log.history.pointer(), Pointer::default());
    // Nobody signs in such a log, and nothing founds it later.
    let mut again = log.draft("operator", G, &Act::Found(founding()));
    again.statement.seen = Head::default();
    let reason = log.put(&again);
    assert!(matches!(reason[..], [Reason::NoFounding { .. }]), "{reason:?}");
    assert_eq!((effect(&reasons), reasons.len()), (Effect::Unauthentic, 1));
    reasons.remove(0)
}

#[test]
fn entry_0_founds_nothing_unless_it_is_the_operators_found() {
    let no = |reason| assert!(matches!(reason, Reason::NoFounding { .. }), "{reason:?}");
    no(founds_nothing(founding(), |d| d.statement.author = handle("de")));
    no(founds_nothing(founding(), |d| d.statement.class = 1));
    no(founds_nothing(founding(), |d| d.statement.kind = 1));
    no(founds_nothing(founding(), |d| d.statement.log = sha256(b"other")));
    no(founds_nothing(founding(), |d| d.statement.seq = 1));
    no(founds_nothing(founding(), |d| d.statement.prev = sha256(b"other")));
    no(founds_nothing(founding(), |d| d.statement.seen.size = 1));
    no(founds_nothing(founding(), |d| d.statement.expires_at = start().plus_ms(61 * DAY)));
    let expired =
        founds_nothing(founding(), |d| d.statement.expires_at = "2025-12-31".parse().expect("instant"));
    assert!(matches!(expired, Reason::Expired { .. }), "{expired:?}");
    let body = founds_nothing(founding(), |d| d.statement.body.0.push(0));
    assert!(matches!(body, Reason::KeyBody { .. }), "{body:?}");
}

#[test]
fn entry_0_may_be_sequenced_up_to_the_moment_at_which_it_expires() {
    let mut log = Sample { now: start(), ..Sample::default() };
    let draft = log.draft("operator", G, &Act::Found(founding()));
    log.now = draft.statement.expires_at;
    assert_eq!(log.clone().put(&draft), []);
    log.wait(1);
    assert!(matches!(log.put(&draft)[..], [Reason::Expired { .. }]));
}

#[test]
fn entry_0_founds_nothing_on_a_charter_or_keys_that_do_not_fit() {
    let with = |change: &dyn Fn(&mut Found)| {
        let mut found = founding();
        change(&mut found);
        founds_nothing(found, |_| {})
    };
    let charter = with(&|f| f.charter.partners.0.clear());
    assert_eq!(charter, Reason::Charter { error: CharterError::NoPartners });
    let error = KeySetError::NoGovern;
    assert_eq!(with(&|f| f.keys = set(&[(2, "L")], [0, 0, 0, 0, 1])), Reason::KeySet { error });
    let no = |reason| assert!(matches!(reason, Reason::NoFounding { .. }), "{reason:?}");
    no(with(&|f| f.vkey = short("nonsense")));
    no(with(&|f| f.vkey = log_key("other.example/log", 99)));
    no(with(&|f| f.vkey = witness(99)));
    let witnesses = |vkeys: Vec<_>| Some(Witnesses { vkeys: vkeys.into(), quorum: 1 });
    no(with(&|f| f.charter.rules.witnesses = witnesses(vec![witness(90), witness(90)])));
    no(with(&|f| f.charter.rules.witnesses = witnesses(vec![witness(99)])));
    no(with(&|f| f.charter.rules.witnesses = witnesses(vec![log_key("w.example", 90)])));
    no(with(&|f| f.charter.rules.witnesses = witnesses(vec![short("nonsense")])));
    let taken = |officer| Reason::KeyRegistered { officer };
    assert_eq!(with(&|f| f.keys = set(&[(1, "G"), (99, "L")], [1, 0, 0, 0, 1])), taken(1), "checkpoint key");
    assert_eq!(with(&|f| f.keys = set(&[(90, "G")], [1, 0, 0, 0, 0])), taken(0), "a witness's key");
}

#[test]
fn entry_0_is_signed_by_all_the_operators_officers() {
    let want = Reason::NotAllSigned { got: 1, want: 2 };
    assert_eq!(founds_nothing(founding(), |d| d.signers = vec![(0, 1)]), want);
    let forged = founds_nothing(founding(), |d| d.signers = vec![(0, 1), (1, 1)]);
    assert_eq!(forged, Reason::BadSignature { officer: 1 });
}

#[test]
fn entry_0_with_a_wrong_pointer_founds_nothing_with_a_wrong_index_or_link_it_does() {
    let mut log = Sample { now: start(), ..Sample::default() };
    let good = log.entry(&log.draft("operator", G, &Act::Found(founding())));
    let wrong = Pointer { index: 1, leaf: ZEROS };
    let mut entry = good.clone();
    entry.roster = wrong;
    let want = Reason::GovernPointer { got: wrong, want: Pointer::default() };
    assert_eq!(log.clone().put_entry(&entry), [want]);
    let mut entry = good;
    (entry.index, entry.link) = (3, sha256(b"other"));
    let reasons = log.put_entry(&entry);
    assert_eq!(effect(&reasons), Effect::OperatorsFault);
    assert_eq!((reasons.len(), log.history.roster().is_some()), (2, true));
}
