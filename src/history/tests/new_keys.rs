//! Keys that motions take away and announce: re-keyed partners, new operators.

use crate::chain::{Effect, Reason};
use crate::charter::KeySet;
use crate::field::{Handle, Instant};
use crate::hash::Hash;
use crate::history::sample::*;
use crate::roster::FLOOD;
use crate::statement::Act;
use crate::statement::body::Motion;

fn new_set() -> KeySet {
    set(&[(45, "GCOB")], [1, 1, 1, 1, 0])
}

fn rekey_to(who: &str, keys: &KeySet) -> Motion {
    Motion::Rekey { handle: handle(who), keys: keys.digest(&handle(who)), disown_from: None }
}

/// A log in which `pl` was just re-keyed.
fn rekeyed(keys: &KeySet) -> Sample {
    let mut log = Sample::new();
    log.carry(rekey_to("pl", keys), &["de", "fr"]);
    log
}

/// A draft by `pl` with its old key.
fn by_old(log: &Sample, class: crate::field::Class, act: &Act) -> Draft {
    Draft { signers: vec![(0, 40)], ..log.draft("pl", class, act) }
}

// - re-key -

#[test]
fn from_a_re_key_on_the_old_set_signs_nothing_and_the_new_one_after_its_accede() {
    let mut log = rekeyed(&new_set());
    let carried = log.size() - 1;
    for (class, act) in [(C, adopt(0)), (G, approve(crate::hash::ZEROS))] {
        assert_eq!(log.put(&by_old(&log, class, &act)), [Reason::NotAcceded]);
    }
    let mut rotation = by_old(&log, G, &accede("pl"));
    let act = rotate(set(&[(46, "GCOB")], [1, 1, 1, 1, 0]));
    (rotation.statement.kind, rotation.statement.body) = (act.kind().number(), act.encode_body().into());
    rotation.signers.push((128, 46));
    assert_eq!(log.put(&rotation), [Reason::NotAcceded]);
    let chain = log.chain("pl", G);
    assert_eq!(log.put(&log.draft("pl", G, &accede("pl"))), [Reason::NotAnnounced], "the founding set");
    log.say("pl", G, &accede_with(new_set()));
    assert_eq!(log.chain("pl", G).seq, chain.seq + 1, "its chain goes on");
    log.say("pl", C, &adopt(0));
    assert_eq!(log.put(&by_old(&log, C, &adopt(1))), [Reason::BadSignature { officer: 0 }]);
    let member = &log.roster().members[&handle("pl")];
    let past: Vec<_> = member.past.iter().map(|p| (p.keys.since, p.until)).collect();
    assert_eq!((past, member.rekeyed), (vec![(4, carried)], Some(carried)));
    let keys = log.roster().charter.partner(&handle("pl")).expect("partner").keys;
    assert_eq!(keys, new_set().digest(&handle("pl")));
}

#[test]
fn a_re_key_overrides_what_its_target_rotates_to_meanwhile() {
    let mut log = Sample::new();
    let id = log.say("de", G, &propose(rekey_to("pl", &new_set()), log.now.plus_ms(DAY)));
    // The thief moves on with the key it stole.
    log.say("pl", G, &rotate(set(&[(47, "GCOB")], [1, 1, 1, 1, 0])));
    log.say("fr", G, &approve(id));
    let thief = Draft { signers: vec![(0, 47)], ..log.draft("pl", C, &adopt(0)) };
    assert_eq!(log.put(&thief), [Reason::NotAcceded]);
    log.say("pl", G, &accede_with(new_set()));
    assert_eq!(log.roster().members[&handle("pl")].past.len(), 2);
}

#[test]
fn a_re_keyed_set_may_hold_the_partners_own_old_keys_and_nobody_elses() {
    // 41 was in force once; 40 was, until the re-key.
    let mut log = Sample::new();
    log.say("pl", G, &rotate(set(&[(40, "GCOB"), (41, "C")], [1, 1, 1, 1, 0])));
    log.say("pl", G, &rotate(set(&[(40, "GCOB")], [1, 1, 1, 1, 0])));
    let own = set(&[(40, "GCOB"), (41, "C"), (45, "C")], [1, 1, 1, 1, 0]);
    log.carry(rekey_to("pl", &own), &["de", "fr"]);
    log.say("pl", G, &accede_with(own.clone()));
    assert_eq!(log.roster().keys(&handle("pl")).expect("in force").set, own);
    // Once acceded, the exception is over.
    log.say("pl", G, &rotate(set(&[(40, "GCOB")], [1, 1, 1, 1, 0])));
    let back = rotate(set(&[(40, "GCOB"), (45, "C")], [1, 1, 1, 1, 0]));
    assert_eq!(log.put(&log.draft("pl", G, &back)), [Reason::KeyRegistered { officer: 1 }]);
    assert_eq!(log.put(&log.draft("pl", G, &accede_with(own))), [Reason::KeyRegistered { officer: 0 }]);
    for seed in [20, 1, 99, 90] {
        let others = set(&[(45, "GCOB"), (seed, "C")], [1, 1, 1, 1, 0]);
        let mut log = rekeyed(&others);
        let accede = log.draft("pl", G, &accede_with(others));
        assert_eq!(log.put(&accede), [Reason::KeyRegistered { officer: 1 }], "{seed}");
    }
}

#[test]
fn an_old_accede_is_not_replayed_after_a_re_key_to_the_same_set() {
    let mut log = Sample::new();
    let old = decoded(&log.entries[4]);
    log.carry(rekey_to("pl", &first_set("pl")), &["de", "fr"]);
    let mut entry = log.entry(&log.draft("pl", G, &accede("pl")));
    (entry.statement, entry.signatures) = (old.entry.statement.clone(), old.entry.signatures.clone());
    assert_eq!(log.put_entry(&entry), [Reason::Seq { got: 0, want: 1 }]);
    log.say("pl", G, &accede("pl"));
    log.say("pl", C, &adopt(0));
}

#[test]
fn the_approvals_of_one_who_is_re_keyed_count_no_longer_until_given_anew() {
    let mut log = Sample::new();
    let level = Motion::Level { level: 2 };
    let own = log.say("pl", G, &propose(level.clone(), log.now.plus_ms(9 * DAY)));
    log.say("de", G, &approve(own));
    log.carry(rekey_to("pl", &new_set()), &["de", "fr"]);
    log.say("fr", G, &approve(own));
    assert_eq!(log.roster().charter.level, 1, "two of four, the thief's apart");
    log.say("pl", G, &accede_with(new_set()));
    log.say("pl", G, &approve(own));
    assert_eq!(log.roster().charter.level, 2);
}

#[test]
fn a_re_keyed_partner_counts_for_the_quorum_before_it_accedes() {
    let log = rekeyed(&new_set());
    assert_eq!(log.roster().quorum(&Motion::Level { level: 2 }), 3);
}

#[test]
fn who_was_suspended_stays_so_after_a_re_key_accedes_and_may_no_more() {
    let mut log = Sample::new();
    log.carry(Motion::Suspend { handle: handle("pl") }, &["de", "fr"]);
    log.carry(rekey_to("pl", &new_set()), &["de", "fr"]);
    log.say("pl", G, &accede_with(new_set()));
    assert_eq!(log.put(&log.draft("pl", C, &adopt(0))), [Reason::Suspended]);
    let twice = [Reason::KeyRegistered { officer: 0 }, Reason::Suspended];
    assert_eq!(log.put(&log.draft("pl", G, &accede_with(new_set()))), twice);
    log.carry(Motion::Resume { handle: handle("pl") }, &["de", "fr"]);
    log.say("pl", C, &adopt(1));
}

#[test]
fn one_who_never_acceded_can_be_re_keyed() {
    let mut log = Sample::founded_on(founding());
    for who in ["de", "fr", "it"] {
        log.say(who, G, &accede(who));
    }
    log.carry(rekey_to("pl", &new_set()), &["de", "fr"]);
    assert_eq!(log.put(&log.draft("pl", G, &accede("pl"))), [Reason::NotAnnounced]);
    log.say("pl", G, &accede_with(new_set()));
    assert!(log.roster().members[&handle("pl")].past.is_empty());
}

#[test]
fn after_a_re_key_the_count_of_statements_starts_anew() {
    let mut log = Sample::new();
    // The thief spends all that its victim may say in class 0.
    for n in 0..FLOOD {
        let officers = [(40, "GCOB"), (41 + u8::try_from(n % 2).expect("small"), "C")];
        let keys = if n < 2 { set(&officers, [1, 1, 1, 1, 0]) } else { first_set("pl") };
        log.say("pl", G, &rotate(keys));
    }
    assert_eq!(log.put(&log.draft("pl", G, &rotate(first_set("pl")))), [Reason::Flood]);
    log.carry(rekey_to("pl", &new_set()), &["de", "fr"]);
    log.say("pl", G, &accede_with(new_set()));
    for _ in 0..FLOOD {
        log.say("pl", G, &rotate(new_set()));
    }
    assert_eq!(log.put(&log.draft("pl", G, &rotate(new_set()))), [Reason::Flood]);
}

#[test]
fn what_a_re_key_disowns_lies_at_or_before_the_entry_that_carries_it() {
    let mut log = Sample::new();
    let motion = |from| Motion::Rekey {
        handle: handle("pl"),
        keys: new_set().digest(&handle("pl")),
        disown_from: Some(from),
    };
    let id = log.say("de", G, &propose(motion(6), log.now.plus_ms(DAY)));
    let later = log.say("de", G, &propose(motion(9), log.now.plus_ms(DAY)));
    let mut early = log.clone();
    let what = "it disowns what is yet to come";
    assert_eq!(early.put(&early.draft("fr", G, &approve(later))), [Reason::Motion { what }], "entry 7");
    log.say("fr", C, &adopt(0));
    // What an entry calls itself makes no difference.
    let mut entry = log.entry(&log.draft("fr", G, &approve(later)));
    entry.index = 9;
    let reasons = log.clone().put_entry(&entry);
    assert_eq!(reasons, [Reason::Index { got: 9 }, Reason::Motion { what }]);
    let carried = log.carries(&log.draft("fr", G, &approve(id))).expect("carried");
    assert_eq!(carried.what, motion(6));
    log.say("fr", C, &adopt(1));
    assert!(log.carries(&log.draft("fr", G, &approve(later))).is_some(), "entry 9 itself");
}

// - operator -

fn operator_set() -> KeySet {
    set(&[(3, "G"), (4, "L")], [1, 0, 0, 0, 1])
}

fn operator(name: &str, seed: u8, keys: &KeySet, replaces: Hash) -> Motion {
    Motion::Operator { vkey: log_key(name, seed), keys: keys.digest(&Handle::operator()), replaces }
}

/// A log whose operator was just replaced, and the motion's id.
fn succeeded() -> (Sample, Hash) {
    let mut log = Sample::new();
    let motion = operator("log.example/next", 98, &operator_set(), log.roster().log);
    let id = log.carry(motion, &["de", "fr", "it"]);
    (log, id)
}

#[test]
fn a_new_operators_key_counts_at_once_and_its_set_after_an_accede() {
    let (mut log, id) = succeeded();
    let roster = log.roster();
    assert_eq!(
        (roster.vkey.to_string(), roster.operator_set_by()),
        (log_key("log.example/next", 98).to_string(), id)
    );
    assert_eq!(&*roster.charter.origin, "log.example/sample", "as founded");
    let signed: Vec<_> = roster.vkeys.iter().map(|(from, vkey)| (*from, vkey.name())).collect();
    assert_eq!(signed, [(1, "log.example/sample"), (8, "log.example/next")], "entry 7 carried it");
    let by_old = Draft { signers: vec![(1, 2)], ..log.draft("operator", L, &log.anchor()) };
    assert_eq!(log.put(&by_old), [Reason::NotAcceded]);
    let chain = log.chain("operator", G);
    assert_eq!(chain.seq, 1, "its chain of class 0 goes on");
    log.say("operator", G, &accede_with(operator_set()));
    let anchor = log.anchor();
    log.say("operator", L, &anchor);
    let by_old = Draft { signers: vec![(1, 2)], ..log.draft("operator", L, &log.anchor()) };
    assert_eq!(log.put(&by_old), [Reason::BadSignature { officer: 1 }]);
}

#[test]
fn the_same_operator_comes_back_with_new_keys_alone() {
    let mut log = Sample::new();
    let old = first_set("operator");
    let motion = operator("log.example/next", 98, &old, log.roster().log);
    log.carry(motion, &["de", "fr", "it"]);
    let accede = log.draft("operator", G, &accede_with(old));
    assert_eq!(log.put(&accede), [Reason::KeyRegistered { officer: 0 }]);
}

#[test]
fn no_origin_and_no_checkpoint_key_comes_back() {
    let (mut log, id) = succeeded();
    for (name, seed, what) in [
        ("log.example/sample", 97, "its origin was used in this log before"),
        ("log.example/next", 97, "its origin was used in this log before"),
        ("log.example/third", 99, "the checkpoint key was registered in this log before"),
        ("log.example/third", 98, "the checkpoint key was registered in this log before"),
    ] {
        let motion = operator(name, seed, &set(&[(5, "G")], [1, 0, 0, 0, 0]), id);
        let motion = log.say("de", G, &propose(motion, log.now.plus_ms(DAY)));
        log.say("fr", G, &approve(motion));
        assert_eq!(
            log.put(&log.draft("it", G, &approve(motion))),
            [Reason::Motion { what }],
            "{name} {seed}"
        );
    }
    log.carry(operator("log.example/third", 97, &operator_set(), id), &["de", "fr", "it"]);
    assert_eq!(log.roster().members[&Handle::operator()].past.len(), 1, "the second never acceded");
    let keys = rotate(set(&[(98, "GCOB")], [1, 1, 1, 1, 0]));
    let registered = Reason::KeyRegistered { officer: 0 };
    assert_eq!(log.put(&log.draft("fr", G, &keys)), [registered], "nor does it sign statements");
}

#[test]
fn of_two_motions_for_an_operator_the_second_lapses_with_the_first() {
    let mut log = Sample::new();
    let found = log.roster().log;
    let other =
        log.say("pl", G, &propose(operator("log.example/other", 96, &operator_set(), found), log.now));
    log.carry(operator("log.example/next", 98, &operator_set(), found), &["de", "fr", "it"]);
    assert_eq!(log.put(&log.draft("de", G, &approve(other))), [Reason::NoMotion]);
    let again = propose(operator("log.example/other", 96, &operator_set(), found), log.now);
    let want = Reason::MotionOutdated { replaces: found };
    assert_eq!(log.put(&log.draft("de", G, &again)), std::slice::from_ref(&want));
    assert_eq!(want.effect(), Effect::Void);
}

/// A log whose clock ran to 2090, in which a motion lapsed by it; then a new operator sets it right.
fn clock_gone_wild() -> (Sample, Hash) {
    let mut log = Sample::new();
    let lapsed = log.say("pl", G, &propose(Motion::Level { level: 2 }, log.now.plus_ms(30 * DAY)));
    log.now = "2090-01-01".parse().expect("instant");
    let motion = operator("log.example/next", 98, &operator_set(), log.roster().log);
    let id = log.say("de", G, &propose(motion, Instant::from_ms(0).expect("instant")));
    log.say("fr", G, &approve(id));
    log.now = start().plus_ms(DAY);
    assert_eq!(log.put(&log.draft("it", G, &approve(id))), []);
    (log, lapsed)
}

#[test]
fn with_a_new_operator_time_starts_anew_in_class_0_and_in_all_others() {
    let (mut log, _) = clock_gone_wild();
    assert_eq!((log.roster().time(), log.history.times()), (log.now, (log.now, log.now)));
    // By the time before, all of these would have expired.
    log.say("de", G, &rotate(first_set("de")));
    log.say("fr", C, &adopt(0));
    log.say("operator", G, &accede_with(operator_set()));
    log.carry(Motion::Suspend { handle: handle("pl") }, &["de", "fr"]);
}

#[test]
fn what_lapsed_before_time_starts_anew_does_not_come_back() {
    let (mut log, lapsed) = clock_gone_wild();
    assert!(log.roster().proposals().next().is_none());
    assert_eq!(log.put(&log.draft("de", G, &approve(lapsed))), [Reason::NoMotion]);
}

#[test]
fn what_an_old_operator_said_in_class_0_is_not_counted_against_the_new_one() {
    let mut log = Sample::new();
    let replaces = log.roster().log;
    for _ in 0..FLOOD - 1 {
        log.say("operator", G, &rotate(first_set("operator")));
    }
    let more = log.draft("operator", G, &rotate(first_set("operator")));
    assert_eq!(log.put(&more), [Reason::Flood]);
    log.carry(operator("log.example/next", 98, &operator_set(), replaces), &["de", "fr", "it"]);
    log.say("operator", G, &accede_with(operator_set()));
    log.say("operator", G, &rotate(operator_set()));
}
