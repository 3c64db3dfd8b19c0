//! What carried motions do: admission, suspension, rules, level.

use crate::chain::{Effect, Reason};
use crate::charter::Witnesses;
use crate::charter::rules::MotionRules;
use crate::field::{Class, Duration, Role, Roles};
use crate::hash::{Hash, ZEROS, sha256};
use crate::history::sample::*;
use crate::statement::Act;
use crate::statement::body::{Answer, Confirm, Motion, Obligation, Occasion, Received, Respond};

const O: Class = Class::Operate;

fn suspend(who: &str) -> Motion {
    Motion::Suspend { handle: handle(who) }
}

fn resume(who: &str) -> Motion {
    Motion::Resume { handle: handle(who) }
}

fn admit(who: &str) -> Motion {
    let keys = set(&[(50, "GCOB")], [1, 1, 1, 1, 0]).digest(&handle(who));
    Motion::Admit {
        handle: handle(who),
        name: short("Sweden"),
        roles: Roles::default().with(Role::Observer),
        keys,
    }
}

fn motion_rules(share: Option<(u64, u64)>, floor: u64) -> Sample {
    let mut found = founding();
    found.charter.rules.motions = MotionRules { share, floor };
    Sample::acceded_on(found)
}

fn respond() -> Act {
    Act::Respond(Respond {
        obligation: Obligation { pledge: ZEROS, occasion: Occasion::Due(0) },
        answer: Answer::Acknowledged,
        quantity: None,
        done_at: None,
        note: Default::default(),
        annexes: Default::default(),
    })
}

fn confirm() -> Act {
    Act::Confirm(Confirm { response: ZEROS, received: Received::InFull, note: Default::default() })
}

// - admit -

#[test]
fn the_admitted_accede_with_the_set_announced_and_then_sign() {
    let mut log = Sample::new();
    log.carry(admit("se"), &["de", "fr", "it"]);
    let partner = log.roster().charter.partner(&handle("se")).expect("a partner").clone();
    assert_eq!((&*partner.name, partner.roles), ("Sweden", Roles::default().with(Role::Observer)));
    let keys = set(&[(50, "GCOB")], [1, 1, 1, 1, 0]);
    let mut early = log.draft("se", C, &adopt(0));
    early.signers = vec![(0, 50)];
    assert_eq!(log.put(&early), [Reason::NotAcceded]);
    let other = accede_with(set(&[(51, "GCOB")], [1, 1, 1, 1, 0]));
    assert_eq!(log.put(&log.draft("se", G, &other)), [Reason::NotAnnounced]);
    log.say("se", G, &accede_with(keys));
    log.say("se", C, &adopt(0));
}

#[test]
fn the_admitted_count_for_the_quorum_acceded_or_not() {
    let mut log = Sample::new();
    let level = Motion::Level { level: 2 };
    assert_eq!(log.roster().quorum(&level), 3, "of four");
    log.carry(admit("se"), &["de", "fr", "it"]);
    log.carry(admit("no"), &["de", "fr", "it"]);
    assert_eq!(log.roster().quorum(&level), 4, "of six");
}

#[test]
fn one_handle_is_admitted_once() {
    let mut log = Sample::new();
    let (one, other) = (admit("se"), admit("se"));
    let late = log.say("pl", G, &propose(other, log.now.plus_ms(DAY)));
    log.carry(one, &["de", "fr", "it"]);
    log.say("de", G, &approve(late));
    let taken = Reason::Motion { what: "the handle is taken" };
    assert_eq!(log.put(&log.draft("fr", G, &approve(late))), [taken]);
}

// - suspend and resume -

#[test]
fn the_suspended_respond_and_confirm_and_all_else_of_theirs_is_void() {
    let mut log = Sample::new();
    let open = log.say("de", G, &propose(Motion::Level { level: 2 }, log.now.plus_ms(DAY)));
    log.carry(suspend("pl"), &["de", "fr"]);
    assert!(log.roster().is_suspended(&handle("pl")) && !log.roster().is_suspended(&handle("de")));
    let motion = propose(suspend("de"), log.now.plus_ms(DAY));
    let keys = rotate(set(&[(41, "GCOB")], [1, 1, 1, 1, 0]));
    for (class, act) in [(C, adopt(0)), (B, withdraw()), (G, motion), (G, approve(open)), (G, keys)] {
        let seq = log.chain("pl", class).seq;
        assert_eq!(log.put(&log.draft("pl", class, &act)), [Reason::Suspended], "{act:?}");
        assert_eq!(log.chain("pl", class).seq, seq + 1, "its chain goes on");
    }
    assert_eq!(Reason::Suspended.effect(), Effect::Void);
    let approved: Vec<_> = log.roster().proposals().map(|open| open.approved_by.len()).collect();
    assert_eq!(approved, [1], "neither its motion nor its approval is there");
    assert_eq!(log.roster().keys(&handle("pl")).expect("in force").set, first_set("pl"), "nor its rotation");
    log.say("pl", O, &respond());
    log.say("pl", O, &confirm());
    // By suspension nobody is let off a signature.
    let mut forged = log.draft("pl", C, &adopt(1));
    forged.signers = vec![(0, 20)];
    let both = log.put(&forged);
    assert_eq!(both, [Reason::BadSignature { officer: 0 }, Reason::Suspended]);
    let seq = log.chain("pl", C).seq;
    log.put(&forged);
    assert_eq!(log.chain("pl", C).seq, seq);
}

#[test]
fn the_entry_that_carries_a_suspension_is_judged_by_what_was_in_force_before() {
    let mut log = motion_rules(Some((3, 4)), 0);
    let id = log.say("de", G, &propose(suspend("pl"), log.now.plus_ms(DAY)));
    log.say("fr", G, &approve(id));
    log.carry(suspend("it"), &["de", "fr", "pl"]);
    // Two of two approve, since `it` has no vote; and the target itself is the next to say something.
    let carried = log.carries(&log.draft("pl", G, &approve(id))).expect("carried");
    assert_eq!(carried.approved_by, ["de", "fr"].map(handle).into());
    log.say("pl", G, &approve(id));
    assert_eq!(log.put(&log.draft("pl", C, &adopt(0))), [Reason::Suspended]);
}

#[test]
fn one_who_resumes_goes_on_with_the_chains_and_keys_it_had() {
    let mut log = Sample::new();
    log.carry(suspend("pl"), &["de", "fr"]);
    assert_eq!(log.put(&log.draft("pl", C, &adopt(0))), [Reason::Suspended]);
    log.carry(resume("pl"), &["fr", "it"]);
    assert!(!log.roster().is_suspended(&handle("pl")));
    log.say("pl", C, &adopt(1));
    log.say("pl", G, &rotate(set(&[(41, "GCOB")], [1, 1, 1, 1, 0])));
}

#[test]
fn suspending_twice_and_resuming_who_is_not_suspended_cannot_take_effect() {
    let mut log = Sample::new();
    log.carry(suspend("pl"), &["de", "fr"]);
    for (motion, what) in
        [(suspend("pl"), "the partner is suspended already"), (resume("it"), "the partner is not suspended")]
    {
        let id = log.say("de", G, &propose(motion, log.now.plus_ms(DAY)));
        assert_eq!(log.put(&log.draft("fr", G, &approve(id))), [Reason::Motion { what }]);
    }
}

#[test]
fn the_suspended_count_on_neither_side_and_their_approvals_count_again_once_they_resume() {
    let mut log = Sample::new();
    let level = Motion::Level { level: 2 };
    let open = log.say("pl", G, &propose(level.clone(), log.now.plus_ms(DAY)));
    log.carry(suspend("pl"), &["de", "fr"]);
    assert_eq!(log.roster().quorum(&level), 2, "of three");
    log.say("de", G, &approve(open));
    assert_eq!(log.roster().charter.level, 1, "of two approvals one does not count");
    log.carry(resume("pl"), &["fr", "it"]);
    assert_eq!(log.roster().quorum(&level), 3);
    let mut draft = log.draft("fr", G, &approve(open));
    let carried = log.carries(&draft).expect("three of four");
    assert_eq!(carried.approved_by, ["de", "fr", "pl"].map(handle).into());
    draft.statement.seen = log.history.head();
    assert_eq!(log.put(&draft), []);
    assert_eq!(log.roster().charter.level, 2);
}

#[test]
fn a_quorum_that_a_suspension_completes_takes_one_more_approval_even_a_repeated_one() {
    let mut log = Sample::new();
    let open = log.say("de", G, &propose(Motion::Level { level: 2 }, log.now.plus_ms(DAY)));
    log.say("fr", G, &approve(open));
    log.carry(suspend("pl"), &["de", "fr"]);
    assert_eq!(log.roster().charter.level, 1, "two of three, but nobody said so since");
    log.say("de", G, &approve(open));
    assert_eq!(log.roster().charter.level, 2);
}

#[test]
fn an_accede_of_the_suspended_is_void_and_can_be_made_once_they_resume() {
    let mut log = Sample::founded_on(founding());
    for who in ["de", "fr", "it"] {
        log.say(who, G, &accede(who));
    }
    log.carry(suspend("pl"), &["de", "fr"]);
    assert_eq!(log.put(&log.draft("pl", G, &accede("pl"))), [Reason::Suspended]);
    assert!(log.roster().keys(&handle("pl")).is_none() && log.chain("pl", G).seq == 1);
    log.carry(resume("pl"), &["de", "fr"]);
    log.say("pl", G, &accede("pl"));
}

#[test]
fn an_unknown_kind_by_the_suspended_is_void_at_every_level() {
    let mut found = founding();
    found.charter.level = 2;
    let mut log = Sample::acceded_on(found);
    log.carry(suspend("pl"), &["de", "fr"]);
    for (class, kind) in [(C, 71), (G, 5)] {
        let mut draft = log.draft("pl", class, &adopt(0));
        draft.statement.kind = kind;
        assert_eq!(log.put(&draft), [Reason::Suspended]);
    }
    assert_eq!((log.history.unknown(), log.history.incomplete()), (None, None));
}

// - rules and level -

fn rules_motion(longest: u64, replaces: Hash) -> Motion {
    let rules = crate::charter::Rules { longest_expiry: Duration::of_days(longest), ..rules() };
    Motion::Rules { rules, replaces }
}

#[test]
fn new_rules_count_from_the_next_entry_on() {
    let mut log = Sample::new();
    let found = log.roster().log;
    let id = log.say("de", G, &propose(rules_motion(3, found), log.now.plus_ms(DAY)));
    log.say("fr", G, &approve(id));
    // It expires in seven days: too long by the rules that it brings.
    log.say("it", G, &approve(id));
    assert_eq!(log.roster().charter.rules.longest_expiry, Duration::of_days(3));
    assert_eq!(log.roster().rules_set_by(), id);
    assert_eq!(log.put(&log.draft("it", C, &adopt(0))), [Reason::LongestExpiry]);
    let mut draft = log.draft("it", C, &adopt(0));
    draft.statement.expires_at = draft.statement.issued_at.plus_ms(3 * DAY);
    assert_eq!(log.put(&draft), []);
}

#[test]
fn rules_and_operator_motions_name_what_was_carried_last_and_others_lapse() {
    let mut log = Sample::new();
    let found = log.roster().log;
    let outdated = log.say("pl", G, &propose(rules_motion(50, found), log.now.plus_ms(DAY)));
    let first = log.carry(rules_motion(40, found), &["de", "fr", "it"]);
    let want = Reason::MotionOutdated { replaces: found };
    assert_eq!(log.put(&log.draft("de", G, &approve(outdated))), std::slice::from_ref(&want));
    assert!(log.roster().proposals().next().is_none(), "it is no longer open");
    let again = propose(rules_motion(30, found), log.now.plus_ms(DAY));
    assert_eq!(log.put(&log.draft("de", G, &again)), std::slice::from_ref(&want));
    let second = log.carry(rules_motion(30, first), &["de", "fr", "it"]);
    assert_eq!(log.roster().rules_set_by(), second);
    // The operator is still the founding one.
    assert_eq!(log.roster().operator_set_by(), found);
    let unknown = propose(rules_motion(20, sha256(b"x")), log.now.plus_ms(DAY));
    assert!(matches!(log.put(&log.draft("de", G, &unknown))[..], [Reason::MotionOutdated { .. }]));
}

#[test]
fn the_witnesses_of_new_rules_are_nobodys_statement_keys() {
    let mut log = Sample::new();
    let witnesses = Some(Witnesses { vkeys: vec![witness(90), witness(92)].into(), quorum: 2 });
    let rules = crate::charter::Rules { witnesses, ..rules() };
    log.carry(Motion::Rules { rules, replaces: log.roster().log }, &["de", "fr", "it"]);
    for seed in [90, 91, 92] {
        let keys = rotate(set(&[(seed, "GCOB")], [1, 1, 1, 1, 0]));
        let registered = [Reason::KeyRegistered { officer: 0 }];
        assert_eq!(log.put(&log.draft("fr", G, &keys)), registered, "{seed}: old and new ones");
    }
}

#[test]
fn a_quorum_is_counted_by_the_rules_in_force_at_the_last_approval() {
    let mut log = Sample::new();
    let mut rules = rules();
    rules.motions.floor = 4;
    let open = log.say("de", G, &propose(Motion::Level { level: 2 }, log.now.plus_ms(DAY)));
    log.carry(Motion::Rules { rules, replaces: log.roster().log }, &["de", "fr", "it"]);
    log.say("fr", G, &approve(open));
    log.say("it", G, &approve(open));
    assert_eq!(log.roster().charter.level, 1);
    log.say("pl", G, &approve(open));
    assert_eq!(log.roster().charter.level, 2);
}

#[test]
fn above_a_raised_level_programs_know_less_and_below_it_the_same() {
    let mut log = Sample::new();
    let mut later = log.draft("de", C, &adopt(0));
    later.statement.kind = 71;
    assert_eq!(log.put(&later), [Reason::Level { kind: 71, level: 1 }]);
    log.carry(Motion::Level { level: 3 }, &["de", "fr", "it"]);
    let mut later = log.draft("de", C, &adopt(0));
    later.statement.kind = 71;
    assert_eq!(log.put(&later), []);
    assert_eq!(log.history.incomplete(), Some((log.size() - 1, 71)));
    assert_eq!(log.history.unknown(), None);
    let lower = log.say("de", G, &propose(Motion::Level { level: 2 }, log.now.plus_ms(DAY)));
    log.say("fr", G, &approve(lower));
    let what = "it does not raise the level";
    assert_eq!(log.put(&log.draft("it", G, &approve(lower))), [Reason::Motion { what }]);
}

// - a minority that would rule (the design's table of attacks, row 20) -

#[test]
fn those_who_accede_first_cannot_rule_before_the_others_come() {
    let mut log = Sample::founded_on(founding());
    for who in ["de", "fr"] {
        log.say(who, G, &accede(who));
    }
    for motion in [suspend("it"), Motion::Level { level: 2 }, admit("se")] {
        let id = log.say("de", G, &propose(motion.clone(), log.now.plus_ms(DAY)));
        let carried = log.carries(&log.draft("fr", G, &approve(id))).is_some();
        // Two of the three who may judge a fourth are a majority, acceded or not; of four, they are none.
        assert_eq!(carried, motion.target().is_some(), "{motion:?}");
    }
}

#[test]
fn one_by_one_suspensions_shrink_the_quorum_and_never_below_the_floor() {
    // Without a floor, two may shut out the others one by one.
    let mut log = Sample::new();
    log.carry(suspend("pl"), &["de", "fr"]);
    log.carry(suspend("it"), &["de", "fr"]);
    assert_eq!(log.roster().quorum(&Motion::Level { level: 2 }), 2);
    // With one of three, it ends with the first.
    let mut log = motion_rules(None, 3);
    log.carry(suspend("pl"), &["de", "fr", "it"]);
    assert_eq!(log.roster().quorum(&Motion::Level { level: 2 }), 3, "of three");
    let id = log.say("de", G, &propose(suspend("it"), log.now.plus_ms(DAY)));
    log.say("fr", G, &approve(id));
    assert_eq!((log.roster().quorum(&suspend("it")), log.roster().is_suspended(&handle("it"))), (3, false));
}

#[test]
fn a_share_is_of_those_who_have_a_vote() {
    let log = motion_rules(Some((3, 4)), 0);
    let quorum = |log: &Sample, motion: &Motion| log.roster().quorum(motion);
    let level = Motion::Level { level: 2 };
    assert_eq!((quorum(&log, &level), quorum(&log, &suspend("pl"))), (3, 3), "of four, of three");
    let mut log = log;
    log.carry(suspend("pl"), &["de", "fr", "it"]);
    assert_eq!((quorum(&log, &level), quorum(&log, &suspend("it"))), (3, 2), "of three, of two");
}

#[test]
fn motions_made_to_weigh_on_every_proof_are_stopped_by_the_count() {
    let mut log = Sample::new();
    for _ in 0..crate::roster::FLOOD {
        log.say("pl", G, &propose(suspend("de"), log.now.plus_ms(DAY)));
    }
    let more = propose(suspend("de"), log.now.plus_ms(DAY));
    assert_eq!(log.put(&log.draft("pl", G, &more)), [Reason::Flood]);
    // It stops neither the others nor what they do about it.
    log.carry(suspend("pl"), &["de", "fr"]);
    // To suspend nobody is let off the count, and to resume gives none back.
    log.carry(resume("pl"), &["de", "fr"]);
    assert_eq!(log.put(&log.draft("pl", G, &more)), [Reason::Flood]);
}
