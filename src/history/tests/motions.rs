//! Motions: counted up to the quorum; what cannot be carried is void.

use crate::chain::{Effect, Reason};
use crate::charter::Witnesses;
use crate::charter::rules::MotionRules;
use crate::field::{Instant, Role, Roles};
use crate::hash::{Hash, ZEROS, sha256};
use crate::history::sample::*;
use crate::statement::body::{Found, Motion};

fn suspend(who: &str) -> Motion {
    Motion::Suspend { handle: handle(who) }
}

fn operator(log: &Sample) -> Motion {
    let vkey = log_key("log.example/next", 98);
    Motion::Operator { vkey, keys: ZEROS, replaces: log.roster().log }
}

fn rules_motion(log: &Sample, witnesses: Option<Witnesses>) -> Motion {
    let rules = crate::charter::Rules { witnesses, ..rules() };
    Motion::Rules { rules, replaces: log.roster().log }
}

fn soon(log: &Sample) -> Instant {
    log.now.plus_ms(10 * DAY)
}

fn with_motions(rules: MotionRules) -> Sample {
    let mut found: Found = founding();
    found.charter.rules.motions = rules;
    Sample::acceded_on(found)
}

/// Makes the first propose and the others approve; tells after how many it is carried.
fn carried_after(log: &mut Sample, motion: Motion, who: &[&str]) -> Option<usize> {
    let mut id = None;
    for (n, who) in who.iter().enumerate() {
        log.wait(1000);
        let act = id.map_or_else(|| propose(motion.clone(), soon(log)), approve);
        let draft = log.draft(who, G, &act);
        let carried = log.carries(&draft);
        assert_eq!(log.put(&draft), []);
        let motion = *id.get_or_insert(crate::statement::id(&crate::codec::encode(&draft.statement)));
        let open = log.roster().proposals().any(|open| open.id == motion);
        assert_ne!(carried.is_some(), open, "carried or open");
        if let Some(carried) = carried {
            assert_eq!(carried.motion, motion);
            return Some(n + 1);
        }
    }
    None
}

#[test]
fn a_motion_is_carried_by_more_than_half_of_all_partners() {
    let all = ["de", "fr", "it", "pl"];
    let level = Motion::Level { level: 2 };
    assert_eq!(carried_after(&mut Sample::new(), level.clone(), &all), Some(3), "half of four is not enough");
    let mut two_acceded = Sample::founded_on(founding());
    for who in ["de", "fr"] {
        two_acceded.say(who, G, &accede(who));
    }
    assert_eq!(carried_after(&mut two_acceded, level, &["de", "fr"]), None, "those who did not accede count");
}

#[test]
fn the_target_is_left_out_of_both_sides_of_the_count() {
    assert_eq!(carried_after(&mut Sample::new(), suspend("pl"), &["de", "fr"]), Some(2), "two of three");
    assert_eq!(carried_after(&mut Sample::new(), suspend("pl"), &["pl", "de"]), None);
    let rekey = Motion::Rekey { handle: handle("pl"), keys: ZEROS, disown_from: Some(3) };
    assert_eq!(carried_after(&mut Sample::new(), rekey, &["de", "pl", "fr"]), Some(3));
}

#[test]
fn one_who_approves_twice_counts_once() {
    let level = Motion::Level { level: 2 };
    assert_eq!(carried_after(&mut Sample::new(), level, &["de", "de", "fr", "fr", "it"]), Some(5));
}

#[test]
fn a_share_and_a_floor_make_it_harder_never_easier() {
    let all = ["de", "fr", "it", "pl"];
    let rules = |share, floor| MotionRules { share, floor };
    let carried = |share, floor, motion: &Motion| {
        carried_after(&mut with_motions(rules(share, floor)), motion.clone(), &all)
    };
    let level = Motion::Level { level: 2 };
    assert_eq!(carried(Some((3, 4)), 0, &level), Some(3));
    assert_eq!(carried(Some((4, 5)), 0, &level), Some(4));
    assert_eq!(carried(Some((1, 2)), 0, &level), Some(3), "more than half in any case");
    assert_eq!(carried(None, 4, &level), Some(4));
    assert_eq!(carried(None, 5, &level), None);
    assert_eq!(carried(None, 1, &level), Some(3));
    assert_eq!(carried(None, 3, &suspend("pl")), Some(3));
    assert_eq!(carried(Some((u64::MAX, u64::MAX)), 0, &level), Some(4));
}

#[test]
fn a_lone_partners_propose_carries_its_motion() {
    let mut found = founding();
    found.charter.partners.0.truncate(1);
    let mut log = Sample::founded_on(found);
    log.say("de", G, &accede("de"));
    assert_eq!(carried_after(&mut log, Motion::Level { level: 2 }, &["de"]), Some(1));
}

#[test]
fn one_of_two_partners_is_not_more_than_half() {
    let mut found = founding();
    found.charter.partners.0.truncate(2);
    let mut log = Sample::founded_on(found);
    for who in ["de", "fr"] {
        log.say(who, G, &accede(who));
    }
    assert_eq!(carried_after(&mut log, Motion::Level { level: 2 }, &["de", "fr"]), Some(2));
}

#[test]
fn whoever_has_a_role_and_a_handle_of_its_own_is_admitted() {
    let roles = Roles::default().with(Role::Observer);
    let admit = Motion::Admit { handle: handle("es"), name: short("es"), roles, keys: ZEROS };
    assert_eq!(carried_after(&mut Sample::new(), admit, &["de", "fr", "it"]), Some(3));
}

#[test]
fn a_carried_motion_is_told_with_those_whose_approvals_counted() {
    let mut log = Sample::new();
    let motion = Motion::Rekey { handle: handle("pl"), keys: ZEROS, disown_from: Some(7) };
    let id = log.say("de", G, &propose(motion.clone(), soon(&log)));
    log.say("pl", G, &approve(id));
    let open: Vec<_> = log.roster().proposals().map(|open| (open.id, open.approved_by.len())).collect();
    assert_eq!((open, log.roster().quorum(&motion)), (vec![(id, 1)], 2), "the target's counts for nothing");
    let carried = log.carries(&log.draft("it", G, &approve(id))).expect("carried");
    assert_eq!((carried.motion, &carried.what), (id, &motion));
    assert_eq!(carried.approved_by, [handle("de"), handle("it")].into());
    log.say("it", G, &approve(id));
    assert_eq!(log.put(&log.draft("fr", G, &approve(id))), [Reason::NoMotion], "it is no longer open");
}

#[test]
fn approvals_of_nothing_are_void() {
    let mut log = Sample::new();
    let mut void = log.draft("de", G, &propose(suspend("pl"), soon(&log)));
    void.statement.expires_at = void.statement.issued_at.plus_ms(61 * DAY);
    assert_eq!(log.put(&void), [Reason::LongestExpiry]);
    let void = crate::statement::id(&crate::codec::encode(&void.statement));
    for id in [ZEROS, sha256(b"no motion"), void, log.roster().log] {
        assert_eq!(log.put(&log.draft("fr", G, &approve(id))), [Reason::NoMotion]);
    }
    assert_eq!((Reason::NoMotion.effect(), log.chain("fr", G).seq), (Effect::Void, 5));
}

/// Lets `fr` approve at a time, and gives what was found.
fn approved_at(log: &mut Sample, who: &str, id: Hash, at: Instant) -> Vec<Reason> {
    log.now = at;
    log.put(&log.draft(who, G, &approve(id)))
}

#[test]
fn a_motion_lapses_past_its_moment_by_the_time_of_class_0() {
    let mut log = Sample::new();
    let lapses = soon(&log);
    let id = log.say("de", G, &propose(suspend("pl"), lapses));
    assert_eq!(log.roster().lapses_at(&id), Some(lapses));
    let late = lapses.plus_ms(1);
    let mut early = log.clone();
    assert_eq!(approved_at(&mut early, "fr", id, lapses), []);
    assert!(early.roster().is_suspended(&handle("pl")), "carried at the very moment");
    let want = Reason::MotionLapsed { at: late, lapses };
    assert_eq!(approved_at(&mut log, "fr", id, late), std::slice::from_ref(&want));
    assert_eq!(want.effect(), Effect::Void);
    // Time that goes back revives nothing.
    let back = approved_at(&mut log, "it", id, lapses);
    assert_eq!(back[0], want);
    assert!(!log.roster().is_suspended(&handle("pl")));
}

#[test]
fn proposing_what_has_lapsed_already_is_void() {
    let mut log = Sample::new();
    let lapses = start();
    let want = Reason::MotionLapsed { at: log.now, lapses };
    assert_eq!(log.put(&log.draft("de", G, &propose(suspend("pl"), lapses))), [want]);
}

#[test]
fn lapsed_motions_are_forgotten_and_open_ones_are_not() {
    let mut log = Sample::new();
    let lapsed = log.say("de", G, &propose(suspend("pl"), soon(&log)));
    let next = operator(&log);
    let kept = log.say("de", G, &propose(next, start()));
    log.wait(11 * DAY);
    let open = log.say("de", G, &propose(suspend("fr"), soon(&log)));
    assert_eq!(log.roster().lapses_at(&lapsed), None);
    assert!(log.roster().lapses_at(&kept).is_some() && log.roster().lapses_at(&open).is_some());
    assert_eq!(log.put(&log.draft("fr", G, &approve(lapsed))), [Reason::NoMotion]);
}

#[test]
fn a_motion_for_a_new_operator_neither_expires_nor_lapses_by_time() {
    let mut log = Sample::new();
    let next = operator(&log);
    let mut draft = log.draft("de", G, &propose(next, start()));
    let id = crate::statement::id(&crate::codec::encode(&draft.statement));
    log.now = draft.statement.expires_at.plus_ms(400 * DAY);
    draft.statement.seen = log.history.head();
    assert_eq!(log.put(&draft), []);
    let mut draft = log.draft("fr", G, &approve(id));
    log.now = draft.statement.expires_at.plus_ms(1);
    assert_eq!(log.put(&draft), []);
    // The approval of another motion, or of none, expires.
    draft = log.draft("it", G, &approve(ZEROS));
    let expires = draft.statement.expires_at;
    log.now = expires.plus_ms(1);
    assert_eq!(log.put(&draft), [Reason::Expired { at: log.now, expires },]);
    draft = log.draft("it", G, &approve(id));
    assert_eq!(log.put(&draft), []);
    assert_eq!(log.roster().vkey.name(), "log.example/next");
}

#[test]
fn the_entry_that_carries_a_new_operator_starts_time_anew() {
    let mut log = Sample::new();
    log.now = "2090-01-01".parse().expect("instant");
    let next = operator(&log);
    let id = log.say("de", G, &propose(next, start()));
    log.say("fr", G, &approve(id));
    log.now = start().plus_ms(DAY);
    assert_eq!(log.put(&log.draft("it", G, &approve(id))), [], "no time that went back");
    assert_eq!(log.history.times(), (log.now, log.now));
    assert_eq!(log.roster().time(), log.now);
}

#[test]
fn what_replaces_something_no_longer_in_force_is_void() {
    let mut log = Sample::new();
    let replaces = sha256(b"another");
    for motion in [
        Motion::Rules { rules: rules(), replaces },
        Motion::Operator { vkey: log_key("log.example/next", 98), keys: ZEROS, replaces },
    ] {
        let want = Reason::MotionOutdated { replaces };
        assert_eq!(log.put(&log.draft("de", G, &propose(motion, soon(&log)))), std::slice::from_ref(&want));
        assert_eq!(want.effect(), Effect::Void);
    }
}

#[test]
fn a_motion_that_cannot_take_effect_lapses_at_completion_and_that_approval_is_void() {
    let log = Sample::new();
    let replaces = log.roster().log;
    let admit = |who: &str, roles| Motion::Admit { handle: handle(who), name: short(""), roles, keys: ZEROS };
    let role = Roles::default().with(Role::Observer);
    let next = |vkey| Motion::Operator { vkey, keys: ZEROS, replaces };
    let witnesses = |vkey| Some(Witnesses { vkeys: vec![vkey].into(), quorum: 1 });
    let mut inadmissible = rules();
    inadmissible.incident_quorum.count = 0;
    for motion in [
        suspend("xx"),
        suspend("operator"),
        Motion::Resume { handle: handle("pl") },
        Motion::Rekey { handle: handle("xx"), keys: ZEROS, disown_from: None },
        Motion::Rekey { handle: handle("pl"), keys: ZEROS, disown_from: Some(7) },
        admit("fr", role),
        admit("operator", role),
        admit("xx", Roles::default()),
        Motion::Level { level: 1 },
        Motion::Rules { rules: inadmissible, replaces },
        rules_motion(&log, witnesses(short("nonsense"))),
        rules_motion(&log, witnesses(witness(20))),
        rules_motion(&log, witnesses(witness(99))),
        rules_motion(&log, Some(Witnesses { vkeys: vec![witness(92), witness(92)].into(), quorum: 1 })),
        next(short("nonsense")),
        next(log_key("log.example/sample", 98)),
        next(log_key("log.example/next", 99)),
        next(log_key("log.example/next", 20)),
        next(witness(98)),
    ] {
        let mut log = log.clone();
        let id = log.say("de", G, &propose(motion.clone(), soon(&log)));
        let mut void = log.put(&log.draft("fr", G, &approve(id)));
        if void.is_empty() {
            void = log.put(&log.draft("it", G, &approve(id)));
        }
        assert!(matches!(void[..], [Reason::Motion { .. }]), "{motion:?}: {void:?}");
        assert_eq!(effect(&void), Effect::Void);
        assert_eq!(log.put(&log.draft("de", G, &approve(id))), [Reason::NoMotion], "it has lapsed");
    }
}

#[test]
fn rules_may_keep_witnesses_and_name_new_ones() {
    let mut log = Sample::new();
    let vkeys = vec![witness(90), witness(92)].into();
    let motion = rules_motion(&log, Some(Witnesses { vkeys, quorum: 2 }));
    assert_eq!(carried_after(&mut log, motion, &["de", "fr", "it"]), Some(3));
}
