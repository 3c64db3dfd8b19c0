//! The operator's time: what its anchors, and the witnesses in them, bound; and anchors that say what is not so.

use super::{a_pledge, held_against, model};
use crate::support::check_log::{verified, verified_with};
use crate::support::forge::forge;
use crate::support::small_log::{
    ORIGIN, SmallLog, at, codes, cosign, earlier, key, pledge, terms, witness_vkey,
};
use servanda::chain::Effect;
use servanda::charter::{Rules, Witnesses};
use servanda::checkpoint::Checkpoint;
use servanda::evidence::{Accused, Misdeed, check};
use servanda::field::Instant;
use servanda::hash::Hash;
use servanda::roster::anchor::ANCHOR_SKEW_MS;
use servanda::statement::Act;
use servanda::statement::body::{Anchor, Motion};
use servanda::store::memory::Memory;
use servanda::verify::{Found, Held, Options};
use std::collections::BTreeMap;

const HOUR_MS: u64 = 3_600_000;

fn anchor(note: &str) -> Act {
    Act::Anchor(Anchor { checkpoint: note.as_bytes().to_vec().into() })
}

/// What door and verifier say to an anchor.
fn said(log: &SmallLog, note: &str) -> Vec<&'static str> {
    let statement = log.draft("operator", anchor(note));
    held_against(log, &statement, &log.sign(&statement))
}

fn signed(origin: &str, size: u64, root: Hash) -> String {
    Checkpoint::new(origin, size, root).unwrap().sign(&key("operator/checkpoint"))
}

#[test]
fn anchors_that_say_what_is_not_so_are_refused_at_the_door_and_void_in_the_log() {
    let log = model();
    let good = |size: usize| log.anchor_note(size, log.now);
    let made = |size, root| cosign(&signed(ORIGIN, size, root), log.now);
    for size in 1..=10 {
        assert_eq!(said(&log, &good(size)), [""; 0], "{size}");
    }
    let mut other = model().cut(9);
    other.say("de", pledge(&["ua"], terms("8 billion euros")));
    let lines = |note: &str| note.lines().map(str::to_owned).collect::<Vec<_>>();
    let twice = format!("{}{}\n", good(10), lines(&good(10))[5]);
    let by_another = format!("{}{}\n", log.checkpoint(), lines(&good(10))[5].replacen("/one", "/two", 1));
    for (note, code) in [
        (log.checkpoint(), "anchor-quorum"),
        (by_another, "anchor-quorum"),
        (other.anchor_note(10, log.now), "anchor-root"),
        (made(9, log.root()), "anchor-root"),
        (made(11, log.root()), "anchor-size"),
        (made(0, log.root_at(0)), "anchor-size"),
        (cosign(&signed("guarantees.example/other", 10, log.root()), log.now), "anchor-origin"),
        (good(10).replacen("\n10\n", "\n9\n", 1), "anchor-signed"),
        (format!("{}\n{}\n", lines(&good(10))[..4].join("\n"), lines(&good(10))[5]), "anchor-signed"),
        ("a photograph of a clock".to_owned(), "anchor-note"),
    ] {
        assert_eq!(said(&log, &note), [code], "{note}");
    }
    // The same witness twice is one witness.
    assert_eq!(said(&log, &twice), [""; 0]);
}

#[test]
fn where_two_witnesses_must_have_cosigned_one_of_them_twice_is_not_enough() {
    let second = servanda::key::vkey::Vkey::witness("w2", key("witness/1").public()).unwrap();
    let vkeys = [witness_vkey(), second].map(|vkey| vkey.to_string().parse().unwrap());
    let mut log = SmallLog::founded_with(|found| {
        found.charter.rules.witnesses = Some(Witnesses { vkeys: vkeys.to_vec().into(), quorum: 2 });
    });
    for name in ["de", "fr", "pl", "ua", "kiel"] {
        log.say(name, crate::support::small_log::accede(name));
    }
    let line = |seconds| {
        let text = log.checkpoint().split_once("\n\n").unwrap().0.to_owned() + "\n";
        servanda::cosignature::cosign("w2", &key("witness/1"), seconds, &text).unwrap()
    };
    let (note, now_s) = (log.anchor_note(6, log.now), log.now.ms() / 1000);
    let again = cosign(&note, log.now.plus_ms(60_000));
    assert_eq!(said(&log, &note), ["anchor-quorum"]);
    assert_eq!(said(&log, &again), ["anchor-quorum"]);
    assert_eq!(said(&log, &format!("{again}{}", line(now_s))), [""; 0]);
    // Of two the earlier one is the median.
    assert_eq!(said(&log, &format!("{note}{}", line(now_s + 3600))), [""; 0]);
    assert_eq!(said(&log, &format!("{note}{}", line(now_s - 3600))), ["anchor-time"]);
}

/// A log with an anchor each hour, by a true clock that the operator's own differs from, from an anchor on.
fn anchored_by(clock: impl Fn(u64, Instant) -> Instant) -> SmallLog {
    let mut log = SmallLog::witnessed();
    for hour in 0..6 {
        let now = log.now;
        log.now = clock(hour, now);
        log.say("operator", anchor(&log.anchor_note(log.leaves().len(), now)));
        log.say("de", pledge(&["ua"], terms(&format!("number {hour}"))));
        log.now = now.plus_ms(HOUR_MS);
    }
    log
}

fn held(log: &SmallLog) -> Held<'_> {
    Held { policy: None, log: Some(log.log_id()), checkpoint: None }
}

fn found(log: &SmallLog, options: Options) -> BTreeMap<u64, (&'static str, Effect)> {
    let (found, _) = verified_with(&Memory::holding(forge(log.leaves())), held(log), options);
    let entry = |found: Found| match found {
        Found::Entry(finding) => (finding.index, (finding.reason.code(), finding.reason.effect())),
        Found::Object(finding) => panic!("{finding}"),
    };
    found.into_iter().map(entry).collect()
}

#[test]
fn an_operator_that_backdates_is_shown_by_its_own_anchors_and_proven() {
    assert_eq!(anchored_by(|_, now| now).findings(), []);
    // From the third hour on its clock hardly moves: what comes later looks as if it had been said by then.
    let from = at("2026-12-01T11:10Z");
    let log = anchored_by(|hour, now| if hour < 3 { now } else { from.plus_ms(hour * 120_000) });
    let fault = ("anchor-time", Effect::OperatorsFault);
    let want: BTreeMap<_, _> = [(12, fault), (14, fault), (16, fault)].into();
    for quick in [false, true] {
        assert_eq!(found(&log, Options { quick }), want, "quick: {quick}");
    }
    let stored = crate::support::stored::Stored::new(&log);
    let mut accused = Accused::new(&stored.checkpoint, stored.client()).unwrap();
    for index in 0..log.size() {
        let evidence = accused.at(index).unwrap();
        assert_eq!(evidence.is_some(), want.contains_key(&index), "{index}");
        if let Some(evidence) = evidence {
            assert_eq!(check(&evidence, Some(&log.log_id())).unwrap().kind, Misdeed::Fault);
        }
    }
}

#[test]
fn an_operator_whose_clock_ran_ahead_is_shown_by_its_anchors_as_well() {
    let log = anchored_by(|hour, now| if hour < 3 { now } else { now.plus_ms(ANCHOR_SKEW_MS + 1) });
    let fault = ("anchor-time", Effect::OperatorsFault);
    assert_eq!(found(&log, Options::default()), [(12, fault), (14, fault), (16, fault)].into());
    // Old cosignatures do not help: what they say is old.
    let mut late = anchored_by(|_, now| now);
    let (size, before) = (late.leaves().len(), earlier(late.now, 2 * HOUR_MS));
    late.say("operator", anchor(&late.anchor_note(size, before)));
    assert_eq!(codes(late.findings()), ["anchor-time"]);
}

#[test]
fn void_anchors_and_faulty_ones_are_told_apart() {
    let mut log = anchored_by(|_, now| now);
    let index = log.size();
    log.say("operator", anchor(&log.checkpoint()));
    log.say("operator", anchor(&log.anchor_note(6, earlier(log.now, HOUR_MS))));
    log.say("operator", log.anchor());
    let want =
        [(index, ("anchor-quorum", Effect::Void)), (index + 1, ("anchor-time", Effect::OperatorsFault))];
    assert_eq!(found(&log, Options::default()), want.into());
}

#[test]
fn anchors_are_judged_alike_from_wherever_an_audit_goes_on() {
    use servanda::history::History;
    use servanda::merkle::builder::TileBuilder;
    use servanda::verify::Audit;
    // Longer than what is kept of the latest leaves, so that roots come from the tiles, too.
    let mut log = SmallLog::witnessed();
    let mut bad = Vec::new();
    for n in 0..60_u64 {
        for _ in 0..(n % 9) {
            log.say("ua", crate::support::small_log::review(i64::try_from(log.size()).unwrap()));
        }
        let size = log.leaves().len() - usize::try_from(n % 5).unwrap();
        let (root, size) = (log.root_at(size), u64::try_from(size).unwrap());
        let lies = n % 7 == 3;
        let note = cosign(&signed(ORIGIN, size - u64::from(lies), root), log.now);
        bad.extend(lies.then_some(log.size()));
        log.say("operator", anchor(&note));
    }
    let store = Memory::holding(forge(log.leaves()));
    let whole = verified(&store, held(&log)).0;
    let at = |found: &Found| match found {
        Found::Entry(finding) if finding.reason.code() == "anchor-root" => finding.index,
        other => panic!("{other:?}"),
    };
    assert_eq!(whole.iter().map(at).collect::<Vec<_>>(), bad);
    for known in [7_usize, 100, 255, 256, 257, log.leaves().len() - 1] {
        let mut builder = TileBuilder::default();
        log.hashes()[..known].iter().for_each(|leaf| drop(builder.push(*leaf)));
        let history: History = log.cut(known).history().clone();
        let history =
            History::resume(history.snapshot(), history.ledger().map(servanda::codec::encode).as_deref())
                .unwrap();
        let mut found = Vec::new();
        let mut report = |f: Found| found.push(f);
        let audit = Audit::resume(&store, Options::default(), history, builder, &mut report);
        let snapshot = audit.run(log.size(), &|_| {}).unwrap().history.snapshot();
        let first = u64::try_from(known).unwrap();
        let want: Vec<u64> = bad.iter().copied().filter(|index| *index >= first).collect();
        assert_eq!(found.iter().map(at).collect::<Vec<_>>(), want, "{known}");
        assert_eq!(snapshot, log.history().snapshot(), "{known}");
    }
}

#[test]
fn rules_that_name_no_witnesses_any_more_leave_no_anchor_in_force() {
    let mut log = SmallLog::witnessed();
    let rules = Rules { witnesses: None, ..log.history().roster().unwrap().charter.rules.clone() };
    log.say("operator", log.anchor());
    log.carry(Motion::Rules { rules, replaces: log.log_id() });
    assert_eq!(log.findings(), []);
    assert_eq!(said(&log, &log.anchor_note(6, log.now)), ["anchor-unnamed"]);
    let statement = log.draft("de", a_pledge());
    assert_eq!(held_against(&log, &statement, &log.sign(&statement)), [""; 0]);
}
