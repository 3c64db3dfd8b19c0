//! Commands that are given a URL: they say what they say of the directory, believe nothing unproven, and notice when a server
//! goes back on what it gave before.

use super::Server;
use crate::cli_verify::World;
use crate::support::small_log::{SmallLog, accept, pledge, review, terms};
use serde_json::Value;
use std::fs;

/// Everyone acceded, two pledges, an acceptance, and what follows; more than one bundle.
fn busy(reviews: u64) -> SmallLog {
    let mut log = SmallLog::ready();
    let tanks = log.say("de", pledge(&["ua"], terms("tanks")));
    log.say("fr", pledge(&["ua"], terms("aircraft")));
    log.say("ua", accept(&[tanks]));
    while log.size() < 9 + reviews {
        log.say("fr", review(20_000));
    }
    log
}

fn serve(world: &World, log: &str) -> Server {
    Server::start(&world.path("."), log, &[])
}

#[test]
fn every_reading_command_says_of_a_url_what_it_says_of_the_directory() {
    let world = World::with(&busy(290));
    let server = serve(&world, "paris");
    let ledger = |said: &Value| said["ledger"].as_str().expect("a ledger").to_owned();
    let here = world.run("verify paris --json").ends(0).json();
    let there = world.run(&format!("verify {} --json", server.url)).ends(0).json();
    assert_eq!(ledger(&here), ledger(&there));
    for line in [
        "log --log LOG",
        "log --log LOG --author de --json",
        "show @7 --log LOG",
        "show @298 --log LOG",
        "status --log LOG --json --now 2027-01-01T00:00Z",
        "brief ua --log LOG --now 2027-01-01T00:00Z",
        "agenda --until 2028-01-01 --log LOG --now 2027-01-01T00:00Z",
        "incidents --log LOG",
        "roster --log LOG",
        "history @6 --log LOG --now 2027-01-01T00:00Z",
        "prove @6 --log LOG --out a.tlog-proof --roster a.roster",
        "export --log LOG",
    ] {
        let here = world.run(&line.replace("LOG", "paris"));
        let there = world.run(&line.replace("LOG", &server.url));
        assert_eq!((there.code, &there.out), (here.code, &here.out), "{line}\n{}{}", here.err, there.err);
        assert_eq!(there.code, 0, "{line}: {}", there.err);
    }
    // Ids are found without the index that only the home has.
    let id = SmallLog::clone(&busy(0)).entry(6).id.short();
    assert_eq!(
        world.run(&format!("show {id} --log {}", server.url)).ends(0).out,
        world.run(&format!("show {id} --log paris")).out
    );
    // Drafts are made on what is served.
    world.run(&format!("verify paris --against {}", server.url)).ends(0).says("the same history as");
}

#[test]
fn the_trust_file_names_the_url() {
    let log = busy(0);
    let world = World::with(&log);
    let server = serve(&world, "paris");
    let trust = servanda::trust::Trust { at: Some(server.url.clone()), ..crate::cli_verify::trust(&log) };
    world.write("trust.toml", trust.to_string());
    world.run("verify").ends(0).says("verified: no findings");
    world.run("log").ends(0).says("pledges to ua");
}

#[test]
fn what_was_proven_is_kept_and_need_not_be_asked_for_again() {
    let log = busy(520);
    let world = World::with(&log);
    let server = serve(&world, "paris");
    world.run(&format!("log --log {}", server.url)).ends(0);
    let kept = world.path("state/servanda").join(log.log_id().to_string()).join("objects/tile");
    for name in ["entries/000", "entries/001", "0/001"] {
        assert!(kept.join(name).is_file(), "{name}");
    }
    assert!(!kept.join("entries/002.p").exists());
    fs::remove_file(world.path("paris/public/tile/entries/001")).unwrap();
    world.run(&format!("log --log {}", server.url)).ends(0);
    // Copies are not what is verified.
    world.run(&format!("verify {}", server.url)).ends(1).says("tile/entries/001 is missing");
}

#[test]
fn what_a_server_changes_is_found_and_what_it_does_not_give_is_told_apart() {
    let world = World::with(&busy(0));
    let server = serve(&world, "paris");
    let bundle = world.path("paris/public/tile/entries/000.p/9");
    let good = fs::read(&bundle).unwrap();
    let mut bad = good.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    fs::write(&bundle, bad).unwrap();
    world.run(&format!("verify {}", server.url)).ends(1);
    world.run(&format!("show @8 --log {}", server.url)).ends(1).says("not what the checkpoint commits to");
    fs::write(&bundle, &good).unwrap();
    world.run(&format!("verify {}", server.url)).ends(0);
    // What lies in its place and is no file cannot be given: that says nothing about the log.
    fs::remove_file(&bundle).unwrap();
    fs::create_dir(&bundle).unwrap();
    world.run(&format!("verify {}", server.url)).ends(2).says("the server answered with status 500");
    fs::remove_dir(&bundle).unwrap();
    world.run(&format!("verify {}", server.url)).ends(1).says("is missing");
    let url = server.url.clone();
    drop(server);
    world.run(&format!("verify {url}")).ends(2).says("could not fetch").says("says nothing about the log");
}

#[test]
fn a_url_without_a_log_and_what_is_no_url_are_told() {
    let world = World::with(&busy(0));
    let server = serve(&world, "paris");
    world
        .run(&format!("verify {}/paris", server.url))
        .ends(2)
        .says("no log at")
        .says("there is no checkpoint");
    world.run("verify http://").ends(2).says("the URL names no host");
    world.run("verify http://me@127.0.0.1/").ends(2).says("a user's name");
    world.run(&format!("serve {}", server.url)).ends(2).says("is served already");
    world.run("serve nowhere").ends(2).says("there is nothing at nowhere");
    world.run("serve paris/private").ends(2).says("did you mean paris?");
}

#[test]
fn a_server_that_goes_back_is_noticed() {
    let (long, short) = (busy(3), busy(0));
    let world = World::with(&long);
    world.log("older", &short);
    let (new, old) = (serve(&world, "paris"), serve(&world, "older"));
    // Whoever never saw more of it cannot know.
    world.run(&format!("log --log {}", old.url)).ends(0);
    world.run(&format!("log --log {}", new.url)).ends(0);
    world
        .run(&format!("log --log {}", old.url))
        .ends(1)
        .says("has 9 entries, and you have seen a checkpoint of 12");
    world.run(&format!("verify {}", old.url)).ends(1).says("the log was rolled back");
    world.run(&format!("verify {}", new.url)).ends(0).says("nothing was changed below entry 12");
}

#[test]
fn a_server_with_another_history_is_refused_and_proved_to_have_one() {
    let one = busy(3);
    let mut two = busy(0);
    for _ in 0..5 {
        two.say("pl", review(20_001));
    }
    let world = World::with(&one);
    world.log("other", &two);
    let (here, there) = (serve(&world, "paris"), serve(&world, "other"));
    world.run(&format!("verify {}", here.url)).ends(0);
    world
        .run(&format!("status --log {}", there.url))
        .ends(1)
        .says("another history than the one you have seen");
    world
        .run(&format!("verify {} --out fork.evidence", there.url))
        .ends(1)
        .says("contradicts the checkpoint of 12");
    // Anyone is convinced by the file, without network.
    world.run("verify paris").ends(0);
    let evidence = world.path("fork.evidence");
    assert!(evidence.is_file(), "a checkpoint that is contradicted is evidence");
    world.run("check fork.evidence").ends(0).says("signed");
}

#[test]
fn a_mirror_without_the_tiles_of_an_earlier_size_is_gone_on_with() {
    let world = World::with(&busy(0));
    let server = serve(&world, "paris");
    let ask = |url: &str| world.run(&format!("status --log {url} --now 2027-01-01T00:00Z"));
    ask(&server.url).ends(0);
    world.log("longer", &busy(3));
    world.run("mirror longer copy").ends(0);
    assert!(!world.path("copy/public/tile/0/000.p/9").exists());
    let copy = serve(&world, "copy");
    ask(&copy.url).ends(0);
    // What it has is still held against what was verified.
    let mut other = busy(0).cut(8);
    while other.size() < 15 {
        other.say("pl", review(20_001));
    }
    world.log("other", &other);
    world.run("mirror other another").ends(0);
    ask("another").ends(1).says("does not contain the 12 entries that you verified before");
}
