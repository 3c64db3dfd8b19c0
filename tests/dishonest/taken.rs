//! What the operator does with what it is sent, and what it lets in: withheld, promised in vain, backdated, made up.

use super::server::{Dishonest, Reply};
use super::{NOW, Someone, busy, face};
use crate::support::small_log::{SmallLog, accede, at, key, pledge, review, terms};
use servanda::codec::encode;
use servanda::draft::Draft;
use servanda::entry::Entry;
use servanda::promise::Promise;
use servanda::statement::Act;
use servanda::statement::body::Rotate;
use std::fs;

/// What the operator sequences of a draft, honestly.
fn sequenced(log: &SmallLog, draft: &Draft) -> Entry {
    log.sequence(&draft.statement().unwrap(), draft.signatures.0.clone())
}

/// Takes a draft in, and proves it.
pub fn proven(log: &mut SmallLog, draft: &Draft) -> (u64, Reply) {
    let index = log.size();
    let entry = sequenced(log, draft);
    log.push_entry(&entry);
    let proof = log.proof(usize::try_from(index).unwrap(), &log.checkpoint());
    (index, Reply::proof(&proof))
}

/// The promise to publish a draft at a log's end.
fn promised(log: &SmallLog, draft: &Draft) -> Promise {
    let entry = encode(&sequenced(log, draft));
    Promise::sign(log.log_id(), log.size(), entry, &[(0, &key("operator/0"))])
}

/// The file of the one promise that someone was given.
fn promise_of(one: &Someone) -> String {
    let mut names =
        fs::read_dir(one.0.path(".")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.find(|name| name.ends_with(".promise")).expect("a promise")
}

fn at_noon(size: u64) -> SmallLog {
    let mut log = busy(size);
    log.now = at(NOW);
    log
}

#[test]
fn a_statement_that_gets_no_answer_is_kept_by_its_author_and_missed_by_its_next_one() {
    let (de, anyone) = (Someone::partner("de"), Someone::new());
    let server = Dishonest::showing(face(&busy(9)));
    let url = &server.url;
    // At once, to its author; nothing can be proven of silence.
    let said = de.pledge("ships", url).ends(2);
    assert!(said.err.contains("it goes in once") || said.err.contains("Do not sign it anew"), "{}", said.err);
    let kept = fs::read_dir(de.0.path(".")).unwrap().map(|e| e.unwrap().path());
    assert_eq!(
        kept.filter(|path| path.extension().is_some_and(|e| e == "statement")).count(),
        1,
        "it is kept"
    );
    anyone.look(url).tells(0, &[]);
    // Its author's next one is let in: everyone sees that one is missing.
    let mut log = at_noon(9);
    let withheld = log.draft("de", pledge(&["ua"], terms("ships")));
    let mut next = log.draft("de", review(1));
    let mut also = log.clone();
    also.post(&withheld);
    next.seq += 1;
    next.prev = servanda::statement::id(&encode(&withheld));
    assert!(!log.post(&next).is_empty());
    server.show(face(&log));
    let look = anyone.look(url).tells(1, &["misbehaviour missing_statement"]);
    assert!(look.alerts[0]["evidence"].is_null(), "it takes more of the log to show than evidence holds");
    de.run(&format!("verify {url}")).ends(1).says("entry 9");
}

#[test]
fn a_statement_that_was_proven_to_its_author_alone_is_a_fork_that_its_author_proves() {
    let (de, fr) = (Someone::partner("de"), Someone::partner("fr"));
    let server = Dishonest::showing(face(&busy(9)));
    let url = &server.url;
    let mut log = at_noon(9);
    server.takes(move |draft, objects| {
        let (_, reply) = proven(&mut log, &draft);
        *objects = face(&log);
        reply
    });
    de.pledge("ships", url).ends(0).says("entry 9, published in the checkpoint of 10 entries");
    // To all others, it was never said.
    server.show(face(&busy(12)));
    fr.run(&format!("verify {url}")).ends(0);
    de.run(&format!("log --log {url}")).ends(1).says("another history");
    de.run(&format!("verify {url} --out withheld.evidence")).ends(1);
    de.convinces("withheld.evidence", "fork");
}

#[test]
fn a_proof_under_another_history_is_refused_and_kept_by_whoever_sent_the_statement() {
    // What is shown stays as it is; the proof is of a history of its own, of which nothing is shown.
    for size in [9, 20] {
        let de = Someone::partner("de");
        let server = Dishonest::showing(face(&busy(12)));
        let url = &server.url;
        let mut log = super::other_end(size);
        log.now = at(NOW);
        server.takes(move |draft, _| proven(&mut log, &draft).1);
        let said = de.pledge("ships", url);
        assert_ne!(said.code, 0, "{}{}", said.out, said.err);
        // The one trace of it is the answer: it is not thrown away.
        server.show(face(&busy(25)));
        let said = de.run(&format!("verify {url} --out answered.evidence")).ends(1);
        assert!(de.0.path("answered.evidence").is_file(), "{}{}", said.out, said.err);
        de.convinces("answered.evidence", "fork");
    }
}

#[test]
fn a_broken_promise_is_noticed_at_the_next_look_and_proven_by_whoever_holds_it() {
    let de = Someone::partner("de");
    let server = Dishonest::showing(face(&busy(9)));
    let url = &server.url;
    let log = at_noon(9);
    server.takes(move |draft, _| Reply::promise(&promised(&log, &draft)));
    de.pledge("ships", url).ends(0).says("promised and not published yet");
    let promise = promise_of(&de);
    let sources = format!("{url} --expect {promise}");
    de.look(&sources).tells(0, &[]);
    de.run(&format!("verify {url} --promise {promise}")).ends(0).says("still to be kept");
    // Late, a day after: nothing is proven yet.
    let late = de.look_at("2026-12-03T12:01Z", &sources).tells(0, &["availability promise_late"]);
    assert!(late.alerts[0]["evidence"].is_null());
    // Broken.
    server.show(face(&busy(10)));
    let look = de.look(&sources).tells(1, &["misbehaviour broken_promise"]);
    de.convinces(&de.evidence(&look.alerts[0]), "broken-promise");
    de.run(&format!("verify {url} --promise {promise} --out broken.evidence")).ends(1);
    de.convinces("broken.evidence", "broken-promise");
}

#[test]
fn a_promise_is_kept_before_the_server_can_do_anything_else() {
    let (de, fr) = (Someone::partner("de"), Someone::partner("fr"));
    let server = Dishonest::showing(face(&busy(9)));
    for (one, file) in [(&de, "de.statement"), (&fr, "fr.statement")] {
        one.run(&format!(
            "pledge --key keys/0 --key keys/1 --to ua --title ships --instrument military \
             --valid-from 2026-12-01 --yes --now {NOW} --log {} --draft {file}",
            server.url
        ))
        .ends(0);
    }
    fr.give("fr.statement", &de, "fr.statement");
    let (log, mut answers) = (at_noon(9), 0);
    server.takes(move |draft, objects| {
        answers += 1;
        objects.clear();
        if answers == 1 { Reply::promise(&promised(&log, &draft)) } else { Reply::nothing() }
    });
    de.run(&format!("submit de.statement fr.statement --log {}", server.url)).ends(2);
    let promise = promise_of(&de);
    server.show(face(&busy(10)));
    de.run(&format!("verify {} --promise {promise} --out broken.evidence", server.url)).ends(1);
    de.convinces("broken.evidence", "broken-promise");
}

#[test]
fn a_backdated_entry_is_noticed_by_its_author_at_once_and_by_everyone_at_the_next_look() {
    let (de, anyone) = (Someone::partner("de"), Someone::new());
    let mut log = busy(12);
    log.wait_ms(3_600_000);
    log.say("fr", review(20_000));
    let server = Dishonest::showing(face(&log));
    let url = &server.url;
    anyone.look(url).tells(0, &[]);
    server.takes(move |draft, objects| {
        let index = log.leaves().len();
        let mut entry = sequenced(&log, &draft);
        entry.sequenced_at = at("2026-12-01T09:20Z");
        log.push_entry(&entry);
        *objects = face(&log);
        Reply::proof(&log.proof(index, &log.checkpoint()))
    });
    let said = de.pledge("ships", url).ends(1);
    assert!(said.err.contains("does not verify"), "{}{}", said.out, said.err);
    let look = anyone.look(url).tells(1, &["misbehaviour operators_fault", "information pledged"]);
    anyone.convinces(&anyone.evidence(&look.alerts[0]), "fault");
    de.run(&format!("verify {url} --evidence faults")).ends(1);
    de.convinces("faults/entry-13.evidence", "fault");
}

#[test]
fn a_partner_that_was_made_up_is_noticed_by_everyone_at_the_next_look() {
    let anyone = Someone::new();
    let mut log = busy(12);
    let server = Dishonest::showing(face(&log));
    let url = &server.url;
    anyone.look(url).tells(0, &[]);
    log.say("atlantis", accede("atlantis"));
    log.say("atlantis", pledge(&["ua"], terms("trident")));
    server.show(face(&log));
    let look = anyone.look(url);
    assert!(
        look.said.code == 1 && look.kinds().iter().all(|kind| kind == "misbehaviour unauthentic"),
        "{:?}",
        look.kinds()
    );
    // What it let in first; then the roster that it says to go by.
    for (alert, misdeed) in look.alerts.iter().zip(["admitted", "fault"]) {
        anyone.convinces(&anyone.evidence(alert), misdeed);
    }
    Someone::new().run(&format!("verify {url}")).ends(1).says("atlantis");
    let de = Someone::partner("de");
    assert_eq!(de.pledge("ships", url).code, 1, "nothing is signed on it");
    de.run(&format!("verify {url} --evidence faults")).ends(1);
    de.convinces("faults/entry-12.evidence", "admitted");
    let status = de.run(&format!("status --log {url} --now {NOW}"));
    assert!(!status.out.contains("trident"), "{}", status.out);
}

#[test]
fn a_partners_keys_that_were_swapped_are_noticed_by_everyone_at_the_next_look() {
    let (de, anyone) = (Someone::partner("de"), Someone::new());
    let mut log = busy(12);
    let server = Dishonest::showing(face(&log));
    let url = &server.url;
    anyone.look(url).tells(0, &[]);
    // The operator rotates de's keys to its own, and pledges in its name.
    let keys = crate::support::small_log::key_set("made-up");
    let rotate = log.draft("de", Act::Rotate(Rotate { keys }));
    let signers = [
        (0, "made-up/0"),
        (1, "made-up/1"),
        (128, "made-up/0"),
        (129, "made-up/1"),
        (130, "made-up/2"),
        (131, "made-up/3"),
    ];
    let signatures = log.sign_as(&rotate, &signers);
    log.push_entry(&log.sequence(&rotate, signatures));
    let forged = log.draft("de", pledge(&["ua"], terms("everything")));
    let signatures = log.sign_as(&forged, &[(0, "made-up/0"), (1, "made-up/1")]);
    log.push_entry(&log.sequence(&forged, signatures));
    server.show(face(&log));
    let look = anyone.look(url).tells(1, &["misbehaviour unauthentic", "misbehaviour unauthentic"]);
    // What it let in first; then the roster that it says to go by.
    for (alert, misdeed) in look.alerts.iter().zip(["admitted", "fault"]) {
        anyone.convinces(&anyone.evidence(alert), misdeed);
    }
    // The partner in whose name it is says nothing more on this log, and is not bound by it.
    assert_eq!(de.pledge("ships", url).code, 1);
    de.run(&format!("verify {url} --evidence faults")).ends(1);
    de.convinces("faults/entry-12.evidence", "admitted");
}
