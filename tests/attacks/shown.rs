//! What a person is told of the nastiest attacks, by the program as it is typed: the sentence, and the exit code.

use super::operator::{hidden_rotation, note, promised, said_after};
use super::*;
use crate::cli_verify::{World, trust};
use crate::support::forge::relinked;
use crate::support::small_log::{accede, founding, handle, key_set, log_vkey, review};
use crate::support::stored;
use servanda::armor::File;
use servanda::entry::Pointer;
use servanda::hash::Hash;
use servanda::statement::id;
use servanda::tlog_proof::TlogProof;
use servanda::trust::Trust;
use std::fs;

#[test]
fn a_rotation_that_all_pointers_hide_is_told_at_each_and_evidence_is_written_of_the_first() {
    let log = hidden_rotation(Pointer { index: 3, leaf: model().hashes()[3] });
    let world = World::with(&log);
    world
        .run("verify paris --evidence found")
        .ends(1)
        .says("entry 7 by pl: points at entry 3 as the last of class 0, which is entry 6")
        .says("3 × operator's fault: roster-pointer")
        .says("found/entry-7.evidence: evidence that the operator sequenced entry 7, which points at entry 3")
        .says("entry 8: no evidence");
    world.run("check found/entry-7.evidence").ends(0).says("operator's fault").says("past the entry before");
    // By the roster that the operator declared, the stolen key is good, and it never says more than that.
    world.run("prove #9 --log paris --out stolen.tlog-proof").ends(0);
    world
        .run("check stolen.tlog-proof")
        .ends(0)
        .says("by the roster that the operator declared")
        .says("It never says that they are in force");
}

#[test]
fn a_statement_dropped_before_anyone_saw_it_is_told_by_promise_and_kept_checkpoint() {
    let (before, mut log) = (model(), model());
    said_after(&mut log, "pl", a_pledge(), &before);
    said_after(&mut log, "de", a_pledge(), &before);
    let mut leaves = log.leaves().to_vec();
    leaves.remove(10);
    let world = World::with(&relinked(&leaves));
    world.write("promise", File::Promise.write(&promised(&log, 10)).unwrap());
    world.write("kept", log.checkpoint_at(11));
    world.run("verify paris").ends(0).says("verified: no findings");
    world
        .run("verify paris --promise promise --out broken.evidence")
        .ends(1)
        .says("has another entry 10 than the operator promised")
        .says("broken.evidence: evidence that the operator promised");
    world.run("check broken.evidence").ends(0).says("broken promise: the operator promised");
    world
        .run("verify paris --since kept")
        .ends(1)
        .says("contradicts the checkpoint of 11 entries")
        .says("evidence");
}

#[test]
fn a_log_whose_end_hides_who_may_promise_does_not_pass_for_one_that_promised_nothing() {
    let mut log = model();
    let promise = promised(
        &{
            let mut other = log.clone();
            other.say("pl", a_pledge());
            other
        },
        10,
    );
    log.say("ua", review(1));
    log.push(b"\x01 no entry".to_vec());
    let world = World::with(&log);
    world.write("promise", File::Promise.write(&promise).unwrap());
    world
        .run("verify paris --promise promise --evidence found")
        .ends(1)
        .says("entry 10 is another; but who could give that promise is not to be told")
        .never_says("did not give")
        .says("found/entry-11.evidence: evidence that the operator let entry 11 in");
}

#[test]
fn quick_passes_what_only_the_last_statement_vouches_for_and_says_on_what_it_relied() {
    let mut log = model();
    let first = log.draft("pl", a_pledge());
    let mut second = first.clone();
    (second.seq, second.prev) = (first.seq + 1, id(&encode(&first)));
    let swapped = log.sign_as(&first, &[(1, "pl/0"), (2, "pl/1")]);
    log.push_entry(&log.sequence(&first, swapped));
    let signatures = log.sign(&second);
    log.push_entry(&log.sequence(&second, signatures));
    let world = World::with(&log);
    world.run("verify paris --quick").ends(0).says("quick: relied on each author's last statement");
    world.run("verify paris").ends(1).says("entry 10 by pl: the signature of officer 1 does not hold");
}

#[test]
fn two_copies_in_which_other_officers_signed_are_a_fork() {
    let log = model();
    let s = log.draft("pl", a_pledge());
    let with = |signers: &[(u8, &str)]| {
        let mut other = log.clone();
        other.push_entry(&log.sequence(&s, log.sign_as(&s, signers)));
        other
    };
    let world = World::with(&with(&[(0, "pl/0"), (1, "pl/1")]));
    world.log("theirs", &with(&[(0, "pl/0"), (2, "pl/2")]));
    for copy in ["paris", "theirs"] {
        world.run(&format!("verify {copy}")).ends(0);
    }
    world
        .run("verify paris --against theirs")
        .ends(1)
        .says("part at entry 10")
        .says("fork.evidence: evidence");
    world.run("check fork.evidence").ends(0).says("with different entries 10");
}

#[test]
fn a_checkpoint_with_more_in_it_and_another_charter_are_refused() {
    let log = model();
    let world = World::with(&log);
    let body = log.checkpoint().split_once("\n\n").unwrap().0.to_owned();
    let extended = note(&format!("{body}\nall is well\n"), &[(&log_vkey(), "operator/checkpoint")]);
    world.write("paris/public/checkpoint", &extended);
    world.run("verify paris").ends(1).says("checkpoint is not accepted: checkpoint has 4 lines, want 3");
    world.write("extended", extended);
    world.run("check extended").ends(2).says("none of the files that can be checked");
    world.write("paris/public/checkpoint", log.checkpoint());
    world.write("paris/public/charter.toml", "title = \"Another\"\n");
    world.run("verify paris").ends(1).says("charter.toml is not what the entries add up to");
}

#[test]
fn a_partners_lie_about_what_it_saw_is_told_and_is_nobody_elses_fault() {
    let mut log = model();
    let mut lying = log.draft("pl", a_pledge());
    lying.seen.leaf = Hash([9; 32]);
    log.post(&lying);
    let world = World::with(&log);
    world
        .run("verify paris --evidence found")
        .ends(1)
        .says("entry 10 by pl: its author saw another entry 9 than this log has")
        .says("1 × unauthentic: seen-other")
        .says("entry 10: no evidence")
        .never_says("operator's fault");
    assert!(!world.path("found").exists());
}

#[test]
fn a_log_founded_again_under_the_same_name_is_not_the_one_that_is_pinned() {
    let log = model();
    let mut again = SmallLog::empty();
    again.wait_ms(1);
    again.say("operator", Act::Found(founding()));
    again.say("de", accede("de"));
    let world = World::with(&log);
    world.log("again", &again);
    world.run("verify again").ends(1).says("is of log").says("log: log-id");
    world.run("verify paris --against again").ends(1).says("part at entry 0");
    world.run("check fork.evidence").ends(0).says("with different entries 0");
}

#[test]
fn a_proof_put_together_of_two_or_with_another_roster_proves_nothing() {
    let log = model();
    let world = World::with(&log);
    world.log("younger", &log.cut(8));
    let foreign = SmallLog::founded_with(|found| found.charter.rules.incident_quorum.count = 1);
    let mut foreign_log = foreign.clone();
    for name in ["de", "pl", "ua", "fr", "kiel"] {
        foreign_log.say(name, accede(name));
    }
    while foreign_log.size() < 10 {
        foreign_log.say("de", a_pledge());
    }
    stored::in_home(&world.path("foreign"), &foreign_log);
    let (one, two) = (log.proof(7, &log.checkpoint()), log.proof(9, &log.checkpoint()));
    let spliced = TlogProof { extra: two.extra.clone(), ..one.clone() };
    world.write("spliced.tlog-proof", spliced.to_string());
    world.run("check spliced.tlog-proof").ends(1).says("the entry is not in the log at this index");
    let moved = TlogProof { index: 9, ..one.clone() };
    world.write("moved.tlog-proof", moved.to_string());
    world.run("check moved.tlog-proof").ends(1).says("the entry is not in the log at this index");
    // Another log's proof: same name, same key, another founding.
    world.write("foreign.tlog-proof", foreign_log.proof(7, &foreign_log.checkpoint()).to_string());
    world.run("check foreign.tlog-proof").ends(1).says("it is meant for log").never_says("as pinned");
    world.run("prove #0 --log younger --out younger.tlog-proof").ends(0);
    fs::remove_file(world.path("trust.toml")).unwrap();
    world.run("prove #0 --log foreign --out foreign-0.tlog-proof").ends(0);
    world.write("trust.toml", trust(&log).to_string());
    fs::rename(world.path("10.roster"), world.path("foreign.roster")).unwrap();
    fs::rename(world.path("8.roster"), world.path("older.roster")).unwrap();
    world.write("one.tlog-proof", one.to_string());
    world.run("check one.tlog-proof --roster foreign.roster").ends(1).says("the roster file does not hold");
    world.run("check one.tlog-proof --roster older.roster").ends(2).says("author not checked");
    world
        .run("check foreign.tlog-proof --roster foreign.roster")
        .ends(1)
        .says("pins")
        .never_says("signed by");
    // A trust file with keys that somebody made up for the author.
    let made_up = Trust { partners: [(handle("pl"), key_set("fr"))].into(), ..trust(&log) };
    world.write("made-up.toml", made_up.to_string());
    world.run("check one.tlog-proof --trust made-up.toml").ends(1).says("does not count");
    let unpinned = Trust { log: None, partners: [(handle("pl"), key_set("pl"))].into(), ..trust(&log) };
    world.write("unpinned.toml", unpinned.to_string());
    world
        .run("check one.tlog-proof --trust unpinned.toml")
        .ends(2)
        .says("by the keys in your trust file")
        .says("not pinned");
}

#[test]
fn without_a_pinned_log_nothing_is_called_verified_whichever_verb_is_asked() {
    let log = model();
    let world = World::with(&log);
    world.run("prove #7 --log paris --out one.tlog-proof").ends(0);
    world.write("mine", log.checkpoint());
    world.log("other", &{
        let mut other = log.cut(9);
        other.say("pl", a_pledge());
        other
    });
    world.run("verify paris --against other").ends(1);
    let unpinned = Trust { log: None, ..trust(&log) };
    world.write("trust.toml", unpinned.to_string());
    for line in
        ["verify paris", "verify paris --quick", "check one.tlog-proof", "check mine", "check fork.evidence"]
    {
        world.run(line).ends(2).says("not pinned").never_says("verified: no findings");
    }
    let json = world.run("verify paris --json").ends(2).json();
    assert_eq!((&json["verdict"], &json["pinned"]), (&"unchecked".into(), &false.into()));
    assert_eq!(json["findings"], serde_json::json!([]));
    world
        .run("verify paris")
        .says("not verified: it holds together, but nothing says that this is the log you mean");
    // What is wrong is wrong, pinned or not.
    world.run("verify paris --against other").ends(1);
    fs::remove_file(world.path("paris/public/charter.toml")).unwrap();
    world.run("verify paris").ends(1);
    world.write("trust.toml", trust(&log).to_string());
    world.run("check one.tlog-proof").ends(0);
}

#[test]
fn a_promise_is_checked_offline_by_the_operators_keys_in_the_trust_file_and_the_way_there_is_told() {
    let log = model();
    let world = World::with(&log);
    world.write("promise", File::Promise.write(&promised(&log, 9)).unwrap());
    world
        .run("check promise")
        .ends(2)
        .says("use `servanda verify LOG --promise FILE`")
        .says("put the operator's key set into the trust file, as a [[partner]] with handle = \"operator\"");
    world.run("verify paris --promise promise").ends(0).says("kept, as entry 9");
    let pinned = Trust { partners: [(handle("operator"), key_set("operator"))].into(), ..trust(&log) };
    world.write("trust.toml", pinned.to_string());
    world.run("check promise").ends(0).says("signed by the operator, by the keys in your trust file");
}
