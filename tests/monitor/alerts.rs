//! Each kind of alert, by a log that was made so: what is told, once, and by which evidence others are convinced.

use super::{NOW, Watcher, busy, kinds, other_end, published};
use crate::support::forge::{forge, forge_as, relinked};
use crate::support::small_log::{
    ORIGIN, PARTNERS, SmallLog, accede, accept, at, cosign, earlier, key, review, short,
};
use servanda::armor::File;
use servanda::evidence::Misdeed;
use servanda::promise::Promise;
use servanda::statement::Act;
use servanda::statement::body::Anchor;

const HOUR_MS: u64 = 3_600_000;

#[test]
fn an_honest_log_is_followed_in_silence_over_restarts() {
    let mut watcher = Watcher::new(&busy(9));
    for size in [300, 301, 600] {
        let log = published(&busy(size));
        let alerts = watcher.look(&[("paris", Some(&log)), ("mirror", Some(&log))]);
        assert_eq!(kinds(&alerts), [] as [&str; 0]);
        assert_eq!(watcher.size(), size);
        watcher.restart();
        assert_eq!(watcher.monitor.history().head().size, size, "from where it was");
        assert!(watcher.look(&[("paris", Some(&log))]).is_empty());
    }
}

#[test]
fn a_fork_between_sources_is_told_once_and_convinces_others() {
    let mut watcher = Watcher::new(&busy(9));
    let (here, there) = (published(&busy(300)), published(&other_end(290)));
    let alerts = watcher.look(&[("paris", Some(&here)), ("rome", Some(&there))]);
    assert_eq!(kinds(&alerts), ["misbehaviour fork"]);
    assert!(alerts[0]["text"].as_str().unwrap().contains("part at entry 7"), "{}", alerts[0]);
    assert_eq!(watcher.guilt(&alerts[0]).kind, Misdeed::Fork);
    // Both grow; the fork is the same one.
    let (here, there) = (published(&busy(310)), published(&other_end(400)));
    for _ in 0..2 {
        assert!(watcher.look(&[("paris", Some(&here)), ("rome", Some(&there))]).is_empty());
        assert_eq!(watcher.size(), 310, "it goes on with the history that it had");
        watcher.restart();
    }
}

#[test]
fn a_source_that_rewrites_what_was_verified_is_told_with_evidence() {
    let mut watcher = Watcher::new(&busy(9));
    watcher.look(&[("paris", Some(&published(&busy(300))))]);
    let forked = published(&other_end(310));
    let alerts = watcher.look(&[("paris", Some(&forked))]);
    assert_eq!(kinds(&alerts), ["misbehaviour fork"]);
    assert_eq!(watcher.guilt(&alerts[0]).kind, Misdeed::Fork);
    assert_eq!(watcher.size(), 300);
    assert!(watcher.look(&[("paris", Some(&forked))]).is_empty());
}

#[test]
fn a_rollback_is_told_with_the_checkpoint_that_was_taken_back() {
    let mut watcher = Watcher::new(&busy(9));
    let (new, old) = (published(&busy(300)), published(&busy(290)));
    watcher.look(&[("paris", Some(&new))]);
    let alerts = watcher.look(&[("paris", Some(&old))]);
    assert_eq!(kinds(&alerts), ["misbehaviour rollback"]);
    let kept = watcher.folder.path().join(alerts[0]["evidence"].as_str().unwrap());
    assert_eq!(std::fs::read(kept).unwrap(), new["public/checkpoint"]);
    assert!(watcher.look(&[("paris", Some(&old))]).is_empty());
    assert!(watcher.look(&[("paris", Some(&new))]).is_empty());
}

#[test]
fn a_source_that_is_merely_behind_is_no_fork() {
    let mut watcher = Watcher::new(&busy(9));
    let (new, old) = (published(&busy(300)), published(&busy(270)));
    let alerts = watcher.look(&[("paris", Some(&new)), ("mirror", Some(&old))]);
    assert!(alerts.is_empty());
    let (new, forked) = (published(&busy(310)), published(&other_end(280)));
    let alerts = watcher.look(&[("paris", Some(&new)), ("mirror", Some(&forked))]);
    assert_eq!(kinds(&alerts), ["misbehaviour fork"], "though it is shorter than what was verified");
    assert_eq!(watcher.guilt(&alerts[0]).kind, Misdeed::Fork);
}

#[test]
fn a_bad_bundle_or_tile_is_told_and_another_source_asked() {
    let good = published(&busy(600));
    for name in ["public/tile/entries/001", "public/tile/0/001", "public/tile/entries/002.p/88"] {
        let mut bad = good.clone();
        bad.get_mut(name).unwrap()[100] ^= 1;
        let mut watcher = Watcher::new(&busy(9));
        let alerts = watcher.look(&[("paris", Some(&bad))]);
        assert_eq!(kinds(&alerts)[0], "misbehaviour tampering", "{name}");
        assert!(watcher.look(&[("paris", Some(&bad))]).is_empty(), "{name}: it is the same one");
        let alerts = watcher.look(&[("paris", Some(&bad)), ("mirror", Some(&good))]);
        assert!(alerts.is_empty(), "{name}: {alerts:?}");
        assert_eq!(watcher.size(), 600, "{name}");

        let mut missing = good.clone();
        missing.remove(name);
        let alerts = Watcher::new(&busy(9)).look(&[("paris", Some(&missing))]);
        assert_eq!(kinds(&alerts)[0], "misbehaviour tampering", "{name}");
    }
}

#[test]
fn another_key_and_what_is_no_checkpoint_are_not_accepted() {
    let log = busy(20);
    let other = forge_as(log.leaves(), ORIGIN, "de/minister");
    let mut garbled = published(&log);
    garbled.insert("public/checkpoint".into(), b"hello\n".to_vec());
    for bad in [other, garbled] {
        let mut watcher = Watcher::new(&log);
        let alerts = watcher.look(&[("paris", Some(&bad))]);
        assert_eq!(kinds(&alerts), ["misbehaviour checkpoint_not_accepted"]);
        assert!(watcher.look(&[("paris", Some(&bad))]).is_empty());
        assert!(watcher.look(&[("paris", Some(&published(&log)))]).is_empty());
    }
}

#[test]
fn a_source_that_is_gone_is_told_each_time_it_goes() {
    let log = published(&busy(20));
    let mut watcher = Watcher::new(&busy(9));
    watcher.look(&[("paris", Some(&log))]);
    for _ in 0..2 {
        watcher.wait(HOUR_MS / 4);
        assert_eq!(kinds(&watcher.look(&[("paris", None)])), ["availability unreachable"]);
        watcher.wait(1000);
        assert!(watcher.look(&[("paris", None)]).is_empty(), "as long as it lasts it is one");
        assert!(watcher.look(&[("paris", Some(&log))]).is_empty());
    }
}

#[test]
fn an_outage_goes_on_while_nothing_was_heard_of_its_source() {
    let log = published(&busy(20));
    let mut watcher = Watcher::new(&busy(9));
    assert_eq!(kinds(&watcher.look(&[("paris", Some(&log)), ("oslo", None)])), ["availability unreachable"]);
    watcher.restart();
    watcher.wait(1000);
    assert!(watcher.look(&[("paris", Some(&log))]).is_empty());
    watcher.wait(1000);
    assert!(watcher.look(&[("paris", Some(&log)), ("oslo", None)]).is_empty(), "it is the same one");
}

#[test]
fn a_checkpoint_that_stays_is_stale_by_its_head() {
    let mut watcher = Watcher::new(&busy(9));
    let old = published(&busy(20));
    watcher.look(&[("paris", Some(&old))]);
    watcher.wait(2 * HOUR_MS);
    assert!(watcher.look(&[("paris", Some(&old))]).is_empty());
    watcher.wait(1);
    assert_eq!(kinds(&watcher.look(&[("paris", Some(&old))])), ["availability stale"]);
    watcher.wait(HOUR_MS);
    watcher.restart();
    assert!(watcher.look(&[("paris", Some(&old))]).is_empty());
    let new = published(&busy(21));
    assert!(watcher.look(&[("paris", Some(&new))]).is_empty());
    watcher.wait(3 * HOUR_MS);
    assert_eq!(kinds(&watcher.look(&[("paris", Some(&new))])), ["availability stale"], "another head");
}

#[test]
fn a_checkpoint_without_its_quorum_is_not_followed_and_an_old_cosignature_is_stale() {
    let log = busy(20);
    let mut bare = published(&log);
    let mut watcher = Watcher::with(&log, true);
    assert_eq!(kinds(&watcher.look(&[("paris", Some(&bare))])), ["policy no_quorum"]);
    assert_eq!(watcher.size(), 0);
    let note = String::from_utf8(bare["public/checkpoint"].clone()).unwrap();
    let cosigned = |time: &str| cosign(&note, at(time)).into_bytes();
    bare.insert("public/checkpoint".into(), cosigned("2026-12-01T23:59Z"));
    assert!(watcher.look(&[("paris", Some(&bare))]).is_empty());
    assert_eq!(watcher.size(), 20);
    bare.insert("public/checkpoint".into(), cosigned("2026-12-01T21:00Z"));
    assert_eq!(kinds(&watcher.look(&[("paris", Some(&bare))])), ["availability stale"]);
    bare.insert("public/checkpoint".into(), cosigned("2026-12-02T00:06Z"));
    assert_eq!(kinds(&watcher.look(&[("paris", Some(&bare))])), ["policy clock_ahead"]);
}

#[test]
fn an_entry_of_the_future_is_told() {
    let log = published(&busy(20));
    let mut watcher = Watcher::new(&busy(9));
    watcher.now = at("2026-12-01T08:00Z");
    assert_eq!(kinds(&watcher.look(&[("paris", Some(&log))])), ["policy clock_ahead"]);
}

#[test]
fn a_statement_left_out_is_told_by_its_authors_next_one() {
    let log = busy(20);
    // Fr's second review is withheld; all others are sequenced anew.
    let mut leaves = log.leaves().to_vec();
    leaves.remove(10);
    let left_out = relinked(&leaves);
    let mut watcher = Watcher::new(&log);
    let alerts = watcher.look(&[("paris", Some(&forge(left_out.leaves())))]);
    assert!(kinds(&alerts).contains(&"misbehaviour missing_statement".to_owned()), "{:?}", kinds(&alerts));
    assert_eq!(watcher.size(), 19, "what is wrong with entries keeps nobody from following");
}

#[test]
fn a_void_act_is_against_the_policy_and_a_forged_entry_misbehaviour_with_evidence() {
    let mut log = busy(9);
    // Accepted by one that it is not addressed to: void by the ledger's rules.
    let s = log.draft("pl", accept(&[log.entry(6).id]));
    let findings = log.post(&s);
    assert_eq!(findings.len(), 1, "{findings:?}");
    let mut watcher = Watcher::new(&log);
    let alerts = watcher.look(&[("paris", Some(&published(&log)))]);
    assert_eq!(kinds(&alerts), ["policy void_act"]);

    let mut log = busy(9);
    let s = log.draft("de", review(20_000));
    let mut signatures = log.sign(&s);
    signatures[0].bytes.0[3] ^= 1;
    let entry = log.sequence(&s, signatures);
    log.push_entry(&entry);
    let mut watcher = Watcher::new(&log);
    let alerts = watcher.look(&[("paris", Some(&published(&log)))]);
    assert_eq!(kinds(&alerts), ["misbehaviour unauthentic"]);
    assert_eq!(watcher.guilt(&alerts[0]).kind, Misdeed::Admitted);
}

#[test]
fn an_operators_fault_is_told_with_evidence() {
    let mut log = busy(9);
    let s = log.draft("fr", review(20_000));
    let signatures = log.sign(&s);
    let mut entry = log.sequence(&s, signatures);
    entry.link.0[0] ^= 1;
    log.push_entry(&entry);
    let mut watcher = Watcher::new(&log);
    let alerts = watcher.look(&[("paris", Some(&published(&log)))]);
    assert_eq!(kinds(&alerts), ["misbehaviour operators_fault"]);
    assert_eq!(watcher.guilt(&alerts[0]).kind, Misdeed::Fault);
}

/// A promise of the log's operator of an entry that is not there yet.
fn promised(log: &SmallLog) -> (Vec<u8>, SmallLog) {
    let s = log.draft("de", review(20_001));
    let entry = log.sequence(&s, log.sign(&s));
    let mut kept = log.clone();
    kept.push_entry(&entry);
    let bytes = kept.leaves().last().unwrap().clone();
    let promise = Promise::sign(log.log_id(), log.size(), bytes, &[(0, &key("operator/0"))]);
    (File::Promise.write(&promise).unwrap().into_bytes(), kept)
}

#[test]
fn a_promise_is_kept_broken_or_late() {
    let log = busy(9);
    let (promise, kept) = promised(&log);
    let mut watcher = Watcher::new(&log);
    watcher.monitor.expect(&promise).unwrap();
    assert!(watcher.look(&[("paris", Some(&published(&log)))]).is_empty());
    watcher.restart();
    watcher.wait(86_400_000);
    assert_eq!(
        kinds(&watcher.look(&[("paris", Some(&published(&log)))])),
        ["availability stale", "availability promise_late"]
    );
    assert_eq!(kinds(&watcher.look(&[("paris", Some(&published(&kept)))])), ["information promise_kept"]);
    assert!(watcher.monitor.kept().promises.is_empty());

    let mut watcher = Watcher::new(&log);
    watcher.monitor.expect(&promise).unwrap();
    let alerts = watcher.look(&[("paris", Some(&published(&busy(12))))]);
    assert_eq!(kinds(&alerts), ["misbehaviour broken_promise"]);
    assert_eq!(watcher.guilt(&alerts[0]).kind, Misdeed::BrokenPromise);
    assert!(watcher.monitor.expect(b"garbage").is_err());
}

#[test]
fn a_monitor_of_another_log_believes_nothing() {
    let log = busy(9);
    let mut watcher = Watcher::new(&log);
    watcher.settings.log.0[0] ^= 1;
    watcher.folder = tempfile::tempdir().unwrap();
    watcher.restart();
    let alerts = watcher.look(&[("paris", Some(&published(&log)))]);
    assert_eq!(kinds(&alerts), ["misbehaviour checkpoint_not_accepted"]);
    assert_eq!(watcher.now, at(NOW));
}

#[test]
fn a_larger_source_that_is_worth_nothing_keeps_nobody_from_following_another() {
    let log = busy(20);
    // The operator's own log, of the same name and under the same key.
    let mut own = SmallLog::founded_with(|found| found.charter.title = short("another"));
    for name in PARTNERS {
        own.say(name, accede(name));
    }
    while own.size() < 40 {
        own.say("fr", review(20_000));
    }
    let mut watcher = Watcher::new(&log);
    let (honest, own) = (published(&log), published(&own));
    let alerts = watcher.look(&[("own", Some(&own)), ("paris", Some(&honest))]);
    assert_eq!(kinds(&alerts), ["misbehaviour fork"]);
    assert_eq!(watcher.guilt(&alerts[0]).kind, Misdeed::Fork, "for whoever pins the log's id");
    assert_eq!(watcher.size(), 20);
    // A fork that is larger, and gives nothing of what it commits to.
    let mut forked = published(&other_end(60));
    forked.get_mut("public/tile/entries/000.p/60").unwrap()[2000] ^= 1;
    let mut watcher = Watcher::new(&log);
    let alerts = watcher.look(&[("rome", Some(&forked)), ("paris", Some(&honest))]);
    assert!(kinds(&alerts).contains(&"misbehaviour tampering".to_owned()), "{:?}", kinds(&alerts));
    assert_eq!(watcher.size(), 20);
}

/// The rules name the witness; an anchor each hour of these, and a review on the half hour, from nine on.
fn anchored(hours: u64, anchors: impl Fn(u64) -> bool) -> SmallLog {
    let mut log = SmallLog::witnessed();
    let begin = log.now;
    for hour in 0..hours {
        log.now = begin.plus_ms(hour * HOUR_MS);
        if anchors(hour) {
            log.say("operator", log.anchor());
        }
        log.now = begin.plus_ms(hour * HOUR_MS + HOUR_MS / 2);
        log.say("fr", review(20_000));
    }
    assert!(log.findings().is_empty());
    log
}

#[test]
fn anchors_that_did_not_come_are_told_once_and_are_nobodys_fault() {
    let log = anchored(4, |_| true);
    let mut watcher = Watcher::new(&log);
    assert!(watcher.look(&[("paris", Some(&published(&log)))]).is_empty());
    // Two hours without one are told while they last, though more is said meanwhile.
    for (hours, want) in [(5, &[][..]), (6, &["availability anchor_missing"]), (9, &[])] {
        let log = anchored(hours, |hour| hour < 4);
        let alerts = watcher.look(&[("paris", Some(&published(&log)))]);
        assert_eq!(kinds(&alerts), want, "{hours}");
        if let Some(alert) = alerts.first() {
            assert!(
                alert["text"].as_str().unwrap().contains("no anchor for 2 hours after entry 12"),
                "{alert}"
            );
        }
        watcher.restart();
    }
    // The next one ends it; what then follows in order is not worth a word.
    let log = anchored(14, |hour| !(4..=9).contains(&hour));
    assert!(watcher.look(&[("paris", Some(&published(&log)))]).is_empty());
    // A gap that began and ended since the last look is told as well, and void anchors fill none.
    let mut watcher = Watcher::new(&log);
    watcher.look(&[("paris", Some(&published(&anchored(2, |_| true))))]);
    let alerts = watcher.look(&[("paris", Some(&published(&log)))]);
    assert_eq!(kinds(&alerts), ["availability anchor_missing"]);
    let mut void = anchored(4, |_| true);
    for _ in 0..3 {
        void.wait_ms(HOUR_MS);
        let checkpoint = void.checkpoint().into_bytes().into();
        void.say("operator", Act::Anchor(Anchor { checkpoint }));
    }
    let mut watcher = Watcher::new(&void);
    let alerts = kinds(&watcher.look(&[("paris", Some(&published(&void)))]));
    assert_eq!(alerts, [&["policy void_act"; 3][..], &["availability anchor_missing"]].concat());
}

#[test]
fn an_anchor_far_from_its_witnesses_time_is_misbehaviour_with_evidence() {
    let mut log = anchored(2, |_| true);
    let checkpoint = log.anchor_note(8, earlier(log.now, HOUR_MS)).into_bytes().into();
    log.say("operator", Act::Anchor(Anchor { checkpoint }));
    let mut watcher = Watcher::new(&log);
    let alerts = watcher.look(&[("paris", Some(&published(&log)))]);
    assert_eq!(kinds(&alerts), ["misbehaviour operators_fault"]);
    let guilt = watcher.guilt(&alerts[0]);
    assert!(
        guilt.kind == Misdeed::Fault && guilt.what.contains("when its witnesses cosigned it"),
        "{guilt:?}"
    );
}

#[test]
fn that_no_anchor_comes_is_told_by_the_checkpoints_witnesses_where_nothing_else_is_said() {
    let log = anchored(2, |_| true);
    let mut watcher = Watcher::with(&log, true);
    let mut source = published(&log);
    for (time, want) in [("12:06", &[][..]), ("12:07", &["availability anchor_missing"]), ("13:00", &[])] {
        let at = at(&format!("2026-12-01T{time}Z"));
        source.insert("public/checkpoint".into(), log.anchor_note(log.leaves().len(), at).into_bytes());
        watcher.now = at;
        assert_eq!(kinds(&watcher.look(&[("paris", Some(&source))])), want, "{time}");
    }
}
