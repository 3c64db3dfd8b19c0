//! A server that lies about the time, in a log whose rules name a witness.

use super::server::Dishonest;
use super::{Someone, face};
use crate::cli_verify::World;
use crate::support::small_log::{SmallLog, at, pledge, review, terms};
use servanda::statement::Act;
use servanda::statement::body::Anchor;

const HOUR_MS: u64 = 3_600_000;

/// One who only reads, and trusts the log of these founders.
fn anyone() -> Someone {
    Someone(World::with(&SmallLog::witnessed()))
}

/// Two hours of a log that is anchored each hour.
fn anchored() -> SmallLog {
    let mut log = SmallLog::witnessed();
    for _ in 0..2 {
        log.say("operator", log.anchor());
        log.wait_ms(HOUR_MS);
        log.say("fr", review(20_000));
    }
    assert!(log.findings().is_empty());
    log
}

#[test]
fn a_statement_backdated_by_hours_is_shown_by_the_next_anchor_and_proven() {
    let (anyone, mut log) = (anyone(), anchored());
    let server = Dishonest::showing(face(&log));
    let url = &server.url;
    anyone.look(url).tells(0, &[]);
    // It is 14:30; the pledge was to be there by noon.
    log.say("de", pledge(&["ua"], terms("ships")));
    server.show(face(&log));
    anyone.look(url).tells(0, &["information pledged"]);
    // The anchor that is due, cosigned now, and dated so that time does not go back; or dated now, three hours after the last.
    let truth = at("2026-12-01T14:30Z");
    let mut faulty = log.clone();
    let checkpoint = faulty.anchor_note(log.leaves().len(), truth).into_bytes().into();
    faulty.say("operator", Act::Anchor(Anchor { checkpoint }));
    server.show(face(&faulty));
    let look = anyone.look(url);
    let kinds = look.kinds();
    assert_eq!((look.said.code, &*kinds), (1, &["misbehaviour operators_fault".to_owned()][..]));
    anyone.convinces(&anyone.evidence(&look.alerts[0]), "fault");
    anyone.run(&format!("verify {url} --evidence faults")).ends(1).says("when its witnesses cosigned it");
    anyone.convinces(&format!("faults/entry-{}.evidence", faulty.size() - 1), "fault");
    Someone(World::with(&log)).run(&format!("verify {url} --quick")).ends(1).says("operator's fault");
}

#[test]
fn one_that_anchors_late_so_that_it_can_backdate_is_told_to_have_left_anchors_out() {
    let (anyone, mut log) = (anyone(), anchored());
    let server = Dishonest::showing(face(&log));
    let url = &server.url;
    anyone.look(url).tells(0, &[]);
    log.say("de", pledge(&["ua"], terms("ships")));
    log.now = at("2026-12-01T14:30Z");
    log.say("operator", log.anchor());
    assert!(log.findings().is_empty());
    server.show(face(&log));
    anyone.look(url).tells(0, &["information pledged", "availability anchor_missing"]);
    anyone.run(&format!("verify {url}")).ends(0);
}

#[test]
fn an_anchor_of_another_history_is_void_and_proves_at_the_next_look_that_two_were_signed() {
    let (anyone, honest) = (anyone(), anchored());
    let mut other = honest.cut(9);
    other.say("ua", review(20_001));
    let server = Dishonest::showing(face(&honest));
    let url = &server.url;
    anyone.look(url).tells(0, &[]);
    let mut log = honest.clone();
    let checkpoint = other.anchor_note(10, honest.now).into_bytes().into();
    log.say("operator", Act::Anchor(Anchor { checkpoint }));
    server.show(face(&log));
    let look = anyone.look(url).tells(1, &["misbehaviour fork"]);
    anyone.convinces(&anyone.evidence(&look.alerts[0]), "fork");
    anyone.run(&format!("verify {url} --evidence found")).ends(1).says("anchors another history");
    anyone.convinces("found/entry-10.evidence", "fork");
}

#[test]
fn anchors_without_the_quorum_or_of_what_is_to_come_are_void_at_the_next_look() {
    let honest = anchored();
    let of = |note: String| Act::Anchor(Anchor { checkpoint: note.into_bytes().into() });
    let more = {
        let mut log = honest.clone();
        log.say("fr", review(20_000));
        log.say("fr", review(20_000));
        log
    };
    for (act, says) in [
        (of(honest.checkpoint()), "is cosigned by 0 of 1 witness whom the rules name"),
        (of(more.anchor_note(12, honest.now)), "anchors 12 entries, where 1 to 10 are possible"),
    ] {
        let anyone = anyone();
        let server = Dishonest::showing(face(&honest));
        anyone.look(&server.url).tells(0, &[]);
        let mut log = honest.clone();
        log.say("operator", act);
        log.say("fr", review(20_002));
        server.show(face(&log));
        anyone.look(&server.url).tells(1, &["policy void_act"]);
        anyone.run(&format!("verify {}", server.url)).ends(1).says(says);
    }
}
