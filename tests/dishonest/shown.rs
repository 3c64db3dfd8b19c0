//! What the operator shows: two histories, an older log, the same checkpoint for ever, bad objects, another key's checkpoint.

use super::server::Dishonest;
use super::{NOW, Someone, busy, face, other_end};
use crate::net::Server;
use crate::support::forge::{forge, forge_as};
use crate::support::small_log::{ORIGIN, SmallLog, at, cosign, log_vkey, witness_vkey};
use servanda::hash::sha256;
use servanda::trust::Trust;
use servanda::witness::request::Request;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn two_partners_shown_two_histories_hold_proof_once_they_compare() {
    let (de, fr) = (Someone::partner("de"), Someone::partner("fr"));
    let server = Dishonest::showing(face(&busy(12)));
    let url = &server.url;
    de.run(&format!("verify {url}")).ends(0).says("verified: no findings");
    server.show(face(&other_end(11)));
    // Alone, nobody can tell.
    fr.run(&format!("verify {url}")).ends(0).says("verified: no findings");
    // De sends what it was given.
    fs::copy(de.kept().join("seen"), fr.0.path("seen-by-de")).unwrap();
    server.show(face(&other_end(13)));
    let line = format!("verify {url} --against seen-by-de --out compared.evidence");
    fr.run(&line).ends(1).says("contradicts the checkpoint of 12");
    fr.convinces("compared.evidence", "fork");
}

#[test]
fn whoever_is_shown_two_histories_itself_holds_both_though_the_server_goes_back() {
    let de = Someone::partner("de");
    let server = Dishonest::showing(face(&busy(12)));
    let url = &server.url;
    de.run(&format!("log --log {url}")).ends(0);
    // Once, and never again.
    server.show(face(&other_end(14)));
    de.run(&format!("status --log {url} --now {NOW}"))
        .ends(1)
        .says("another history than the one you have seen");
    // Nor do older ones, however many, take the place of what proves it.
    let doubted = de.kept().join("doubted");
    let count = |sort: &str| {
        let names = fs::read_dir(&doubted).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(sort)).count()
    };
    (0..64).for_each(|n| fs::write(doubted.join(format!("older-{n}")), "").unwrap());
    server.show(face(&busy(10)));
    de.run(&format!("log --log {url}")).ends(1).says("you have seen a checkpoint of 12");
    assert_eq!((count("older-"), count("other-")), (64, 1));
    server.show(face(&busy(15)));
    de.run(&format!("log --log {url}")).ends(0);
    let told = de.run(&format!("verify {url}")).ends(1);
    let told = told.says("contradict");
    assert!(told.out.contains("fork.evidence"), "{}{}", told.out, told.err);
    de.convinces("fork.evidence", "fork");
}

#[test]
fn a_monitor_that_is_shown_two_histories_tells_it_at_its_next_look() {
    let anyone = Someone::new();
    let server = Dishonest::showing(face(&busy(12)));
    anyone.look(&server.url).tells(0, &[]);
    server.show(face(&other_end(14)));
    let look = anyone.look(&server.url).tells(1, &["misbehaviour fork"]);
    anyone.convinces(&anyone.evidence(&look.alerts[0]), "fork");
    anyone.look(&server.url).tells(1, &[]);
    // Two servers at once, at the first look.
    let (other, anyone) = (Dishonest::showing(face(&busy(12))), Someone::new());
    let look = anyone.look(&format!("{} {}", other.url, server.url)).tells(1, &["misbehaviour fork"]);
    anyone.convinces(&anyone.evidence(&look.alerts[0]), "fork");
}

#[test]
fn a_witness_that_is_asked_for_two_histories_refuses_and_keeps_both() {
    let (one, other) = (busy(12), other_end(12));
    let witness = Someone::new();
    witness.run("keygen --witness w1.example --no-passphrase").ends(0);
    witness.0.write("logs", format!("logs/v0\nvkey {}\nqpd 1\ncontact c\n", log_vkey()));
    let server = Server::run(&witness.0.path("."), "witness", &["state", "--log-list", "logs"]);
    let ask =
        |old, log: &SmallLog| server.post("/add-checkpoint", &Request::write(old, &[], &log.checkpoint()));
    assert_eq!(ask(0, &one).status, 200);
    assert_eq!(ask(12, &other).status, 422);
    let kept = format!("state/private/evidence/{}/fork", hex::encode(sha256(ORIGIN.as_bytes()).0));
    let files = fs::read_dir(witness.0.path(&kept)).unwrap();
    let mut files: Vec<String> =
        files.map(|e| format!("{kept}/{}", e.unwrap().file_name().to_str().unwrap())).collect();
    files.sort();
    // Whoever can read the log, shown either way, makes evidence of them.
    let log = Dishonest::showing(face(&one));
    let line = format!("verify {} --against {} --out kept.evidence", log.url, files[0]);
    let said = witness.run(&line);
    let line = format!("verify {} --against {} --out kept.evidence", log.url, files[1]);
    assert_eq!(said.code + witness.run(&line).code, 1, "one of the two contradicts what is shown");
    witness.convinces("kept.evidence", "fork");
}

#[test]
fn without_its_witnesses_another_history_is_accepted_by_nobody() {
    let log = busy(12);
    let de = Someone::partner("de");
    let trust = Trust { policy: log.policy(true), ..crate::cli_verify::trust(&log) };
    assert!(trust.to_string().contains(&witness_vkey().to_string()));
    de.0.write("trust.toml", trust.to_string());
    let cosigned = |log: &SmallLog, time: &str| {
        let mut objects = face(log);
        objects.insert("public/checkpoint".into(), cosign(&log.checkpoint(), at(time)).into_bytes());
        objects
    };
    let server = Dishonest::showing(cosigned(&log, "2026-12-02T11:59Z"));
    let url = &server.url;
    de.run(&format!("verify {url}")).ends(0);
    de.look(url).tells(0, &[]);
    server.show(face(&other_end(14)));
    de.run(&format!("log --log {url}"))
        .ends(1)
        .says("no quorum")
        .says("another history than the one you have seen")
        .says("doubted/other-14-");
    assert_eq!(de.pledge("ships", url).code, 1);
    // That it was signed at all is evidence.
    let look = de.look(url).tells(1, &["policy no_quorum", "misbehaviour fork"]);
    de.convinces(&de.evidence(&look.alerts[1]), "fork");
    de.run(&format!("verify {url} --out shown.evidence")).ends(1).says("no quorum").says("contradict");
    de.convinces("shown.evidence", "fork");
    // And it was kept, though the server never shows it again.
    server.show(cosigned(&busy(16), "2026-12-02T12:30Z"));
    de.run(&format!("verify {url} --out kept.evidence")).ends(1).says("contradict");
    de.convinces("kept.evidence", "fork");
}

#[test]
fn a_checkpoint_without_its_quorum_that_goes_on_is_refused_and_not_doubted() {
    let log = busy(12);
    let de = Someone::partner("de");
    let trust = Trust { policy: log.policy(true), ..crate::cli_verify::trust(&log) };
    de.0.write("trust.toml", trust.to_string());
    let mut objects = face(&log);
    let note = cosign(&log.checkpoint(), at("2026-12-02T11:59Z"));
    objects.insert("public/checkpoint".into(), note.into_bytes());
    let server = Dishonest::showing(objects);
    let url = &server.url;
    de.run(&format!("log --log {url}")).ends(0);
    server.show(face(&busy(14)));
    let said = de.run(&format!("log --log {url}")).ends(1).says("no quorum").says("asks for more witnesses");
    said.never_says("another history");
    assert!(!de.kept().join("doubted").exists());
}

#[test]
fn who_saw_more_notices_a_rollback_and_holds_proof_once_the_log_goes_on_otherwise() {
    let (de, anyone) = (Someone::partner("de"), Someone::new());
    let server = Dishonest::showing(face(&busy(12)));
    let url = &server.url;
    de.run(&format!("log --log {url}")).ends(0);
    anyone.look(url).tells(0, &[]);
    server.show(face(&busy(10)));
    de.run(&format!("log --log {url}")).ends(1).says("you have seen a checkpoint of 12");
    de.run(&format!("verify {url}")).ends(1).says("the log was rolled back");
    assert_eq!(de.pledge("ships", url).code, 1, "nothing is signed on it");
    let look = anyone.look(url).tells(1, &["misbehaviour rollback"]);
    let taken_back = anyone.evidence(&look.alerts[0]);
    assert_eq!(anyone.0.read(&taken_back), face(&busy(12))["public/checkpoint"]);
    // One that saw nothing of it cannot know; nor do two checkpoints, one the beginning of the other, prove anything.
    Someone::new().run(&format!("verify {url}")).ends(0);
    // What it took back cannot be put right, other than by what stood there.
    server.show(face(&other_end(13)));
    de.run(&format!("verify {url} --out rolled-back.evidence")).ends(1);
    de.convinces("rolled-back.evidence", "fork");
    let look = anyone.look(url).tells(1, &["misbehaviour fork"]);
    anyone.convinces(&anyone.evidence(&look.alerts[0]), "fork");
    // Nor by whoever saw the shorter one alone, with the file that the monitor kept.
    let late = Someone::new();
    anyone.give(&taken_back, &late, "taken-back");
    late.run(&format!("verify {url} --since taken-back --out late.evidence")).ends(1);
    late.convinces("late.evidence", "fork");
}

#[test]
fn a_checkpoint_that_is_served_for_ever_is_stale_and_proves_nothing() {
    let (de, anyone) = (Someone::partner("de"), Someone::new());
    let server = Dishonest::showing(face(&busy(12)));
    let sources = format!("{} --stale-after 3600", server.url);
    anyone.look(&sources).tells(0, &[]);
    anyone.look_at("2026-12-02T12:59Z", &sources).tells(0, &[]);
    let look = anyone.look_at("2026-12-02T13:01Z", &sources).tells(0, &["availability stale"]);
    assert_eq!(look.alerts[0]["evidence"], serde_json::Value::Null);
    anyone.look_at("2026-12-02T15:00Z", &sources).tells(0, &[]);
    // A partner notices once it was shown more, be it by a proof of what it said.
    let mut log = busy(12);
    log.now = at(NOW);
    server.takes(move |draft, objects| {
        let old = objects.clone();
        let (index, reply) = super::taken::proven(&mut log, &draft);
        assert_eq!(index, 12);
        *objects = face(&log);
        objects.extend(old);
        reply
    });
    // The very next read of the log shows less than the proof.
    de.pledge("ships", &server.url).ends(1).says("has 12 entries, and you have seen a checkpoint of 13");
    de.run(&format!("log --log {}", server.url)).ends(1).says("you have seen a checkpoint of 13");
}

#[test]
fn objects_that_are_not_what_was_signed_are_noticed_at_once_and_prove_nothing() {
    let log = busy(300);
    let good = face(&log);
    for name in ["public/tile/entries/000", "public/tile/0/000", "public/tile/entries/001.p/44"] {
        let (de, anyone) = (Someone::partner("de"), Someone::new());
        let mut bad = good.clone();
        bad.get_mut(name).unwrap()[1000] ^= 1;
        let server = Dishonest::showing(bad);
        let url = &server.url;
        de.run(&format!("verify {url}")).ends(1);
        assert_eq!(de.pledge("ships", url).code, 1, "{name}: nothing is signed on it");
        let look = anyone.look(url).tells(1, &["misbehaviour tampering"]);
        assert_eq!(look.alerts[0]["evidence"], serde_json::Value::Null, "nothing of it is signed");
        // Whoever is given good ones by another goes on.
        let mirror = Dishonest::showing(good.clone());
        let look = anyone.look(&format!("{url} {}", mirror.url));
        assert!(look.kinds().is_empty() && look.said.code != 0, "{}", look.said.err);
        server.show(good.clone());
        anyone.look(url).tells(0, &[]);
        de.run(&format!("verify {url}")).ends(0);
    }
}

#[test]
fn another_keys_checkpoint_is_accepted_by_nobody() {
    let log = busy(12);
    let (de, anyone) = (Someone::partner("de"), Someone::new());
    let server = Dishonest::showing(face(&log));
    let url = &server.url;
    anyone.look(url).tells(0, &[]);
    // The same log, and one of the operator's own, under a key that it made.
    for other in [
        forge_as(log.leaves(), ORIGIN, "operator/another"),
        forge_as(other_end(20).leaves(), ORIGIN, "operator/another"),
    ] {
        server.show(other);
        de.run(&format!("verify {url}")).ends(1);
        de.run(&format!("log --log {url}")).ends(1);
        assert_eq!(de.pledge("ships", url).code, 1);
        let look = anyone.look(url);
        assert_eq!(look.said.code, 1, "{}", look.said.err);
        assert!(look.alerts.iter().all(|alert| alert["evidence"].is_null()), "nothing of it is the log's");
        assert!(look.kinds().iter().all(|kind| kind == "misbehaviour checkpoint_not_accepted"));
    }
    // Under the log's own key a log of its own is a fork of its name, for whoever pins the id.
    let mut own =
        SmallLog::founded_with(|found| found.charter.partners.retain(|p| p.handle.as_str() != "fr"));
    own.wait_ms(1);
    server.show(forge(own.leaves()));
    de.run(&format!("verify {url}")).ends(1).says("pin");
    let look = anyone.look(&format!("{url} {}", Dishonest::showing(face(&log)).url));
    assert_eq!(look.said.code, 1, "{}", look.said.err);
}

#[test]
fn events_without_end_wake_a_monitor_no_more_than_it_can_look() {
    let anyone = Someone::new();
    let server = Dishonest::showing(face(&busy(12)));
    server.floods();
    let line = format!("monitor {} --trust trust.toml --state s --interval 3600 --now {NOW}", server.url);
    let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
    command.args(line.split(' ')).current_dir(anyone.0.path(".")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut monitor = command.spawn().unwrap();
    let begun = Instant::now();
    let looked_by = |looks: u64| {
        while server.looks() < looks && begun.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(20));
        }
        server.looks()
    };
    let woken = looked_by(3);
    thread::sleep(Duration::from_secs(2));
    let then = server.looks();
    let _ = monitor.kill();
    let _ = monitor.wait();
    assert!(woken >= 3, "events wake it");
    assert!(then - woken < 250, "{} looks in two seconds", then - woken);
}
