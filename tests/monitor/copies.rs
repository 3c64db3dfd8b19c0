//! Mirrors: what is copied is what was signed, a copy goes on where it was stopped, and never goes back.

use super::{busy, convicts, other_end, published};
use crate::cli_verify::World;
use crate::support::check_log::check_log;
use crate::support::forge::Objects;
use crate::support::small_log::SmallLog;
use servanda::armor::File;
use servanda::evidence::check;
use servanda::mirror::{Charter, Copied, MirrorError, Trusted, copy};
use servanda::store::memory::{Among, Fault, Memory, Plan};
use servanda::store::{Read as _, Store as _};

fn mirror(source: &Objects, into: &Memory, log: &SmallLog) -> Result<Copied, MirrorError> {
    let policy = log.policy(false);
    let trusted = Trusted { policy: &policy, log: Some(log.log_id()) };
    copy(&Memory::holding(source.clone()), into, trusted, &|_| {})
}

#[test]
fn a_copy_is_the_log_at_every_size() {
    let into = Memory::new();
    for (from, to) in [(0, 9), (9, 9), (9, 256), (256, 300), (300, 700)] {
        let log = busy(to);
        let source = published(&log);
        let copied = mirror(&source, &into, &log).unwrap();
        assert_eq!((copied.from, copied.to, copied.charter), (from, to, Charter::Copied));
        assert_eq!(check_log(&into, &log.policy(false)), log.leaves());
        assert_eq!(into.objects()["public/checkpoint"], source["public/checkpoint"]);
    }
    let partial = |name: &&String| name.contains("/000.p/") || name.contains("/001.p/");
    let left: Vec<String> = into.objects().keys().filter(partial).cloned().collect();
    assert!(left.iter().all(|name| name.starts_with("public/tile/1/")), "outgrown: {left:?}");
}

#[test]
fn whichever_call_fails_the_copy_is_whole_and_goes_on() {
    let (old, new) = (busy(200), busy(600));
    for fault in [Fault::Fails, Fault::FailsButPersisted, Fault::Partly(0x5555_5555_5555_5555)] {
        for nth in 0.. {
            let into = Memory::new();
            mirror(&published(&old), &into, &old).unwrap();
            let died = into.reopen();
            died.plan(Plan { among: Among::Changes, nth, fault, dies: true });
            let failed = mirror(&published(&new), &died, &new).is_err();
            let after = into.reopen();
            let policy = new.policy(false);
            let size = check_log(&after, &policy).len();
            assert!([200, 600].contains(&size), "{fault:?} {nth}");
            mirror(&published(&new), &after, &new).unwrap();
            assert_eq!(check_log(&after, &policy), new.leaves(), "{fault:?} {nth}");
            if !failed {
                break;
            }
        }
    }
}

#[test]
fn what_was_put_before_is_not_fetched_again() {
    let log = busy(600);
    let (source, into) = (Memory::holding(published(&log)), Memory::new());
    let died = into.reopen();
    // All but the swap.
    died.plan(Plan {
        among: Among::Only(servanda::store::memory::Kind::Swap),
        nth: 0,
        fault: Fault::Fails,
        dies: true,
    });
    let policy = log.policy(false);
    let trusted = Trusted { policy: &policy, log: Some(log.log_id()) };
    assert!(copy(&source, &died, trusted, &|_| {}).is_err());
    let again = source.reopen();
    copy(&again, &into, trusted, &|_| {}).unwrap();
    let fetched: Vec<String> = again.calls().into_iter().map(|call| call.name).collect();
    let full = ["public/tile/entries/001", "public/tile/0/001"];
    assert!(!full.iter().any(|name| fetched.iter().any(|f| f == name)), "{fetched:?}");
}

#[test]
fn an_older_source_and_another_history_change_nothing() {
    let log = busy(300);
    let into = Memory::new();
    mirror(&published(&log), &into, &log).unwrap();
    let before = into.objects();
    assert!(matches!(
        mirror(&published(&busy(290)), &into, &log),
        Err(MirrorError::Behind { size: 290, held: 300 })
    ));
    for size in [280, 300, 310] {
        match mirror(&published(&other_end(size)), &into, &log) {
            Err(MirrorError::Fork { evidence: Some(evidence), .. }) => {
                assert!(check(&evidence, Some(&log.log_id())).is_ok());
            }
            other => panic!("{size}: {other:?}"),
        }
    }
    assert_eq!(into.objects(), before);
}

#[test]
fn a_source_that_lies_about_an_object_gives_nothing_and_a_damaged_copy_is_told() {
    let log = busy(600);
    let good = published(&log);
    for name in ["public/tile/entries/001", "public/tile/0/001", "public/tile/0/002.p/88"] {
        let mut bad = good.clone();
        bad.get_mut(name).unwrap()[100] ^= 1;
        let into = Memory::new();
        let error = mirror(&bad, &into, &log).unwrap_err();
        assert!(error.is_finding(), "{name}: {error}");
        assert!(!into.objects().contains_key("public/checkpoint"));
        let kept = into.objects();
        assert!(kept.iter().all(|(name, bytes)| good.get(name) == Some(bytes)), "only what was verified");
        mirror(&good, &into, &log).unwrap();
    }
    let into = Memory::new();
    let mut damaged = good["public/tile/entries/001"].clone();
    damaged[100] ^= 1;
    into.put_all(&[("public/tile/entries/001".into(), damaged)]).unwrap();
    assert!(matches!(mirror(&good, &into, &log), Err(MirrorError::Store(_))));
    assert!(into.get("public/checkpoint", 1 << 20).unwrap().is_none());
}

#[test]
fn a_log_is_never_copied_over_its_own_writer() {
    let log = busy(20);
    let into = Memory::new();
    into.put_all(&[("private/commit".into(), vec![1])]).unwrap();
    assert!(matches!(mirror(&published(&log), &into, &log), Err(MirrorError::Written)));
    let policy = log.policy(false);
    let mut other = log.log_id();
    other.0[0] ^= 1;
    let trusted = Trusted { policy: &policy, log: Some(other) };
    let copied = copy(&Memory::holding(published(&log)), &Memory::new(), trusted, &|_| {});
    assert!(matches!(copied, Err(MirrorError::OtherLog { .. })));
}

#[cfg(feature = "net")]
#[test]
fn the_command_copies_from_a_directory_and_from_a_server_and_the_copy_is_a_log() {
    let world = World::with(&busy(300));
    world.run("mirror paris copy").ends(0).says("copy is a copy of 300 entries, verified");
    world.run("verify copy").ends(0);
    world.run("mirror paris copy").ends(0).says("copy has all 300 entries, as the source has");
    let server = crate::net::Server::start(&world.path("."), "copy", &[]);
    world.run(&format!("mirror {} second", server.url)).ends(0);
    world.run("status --log second --now 2027-01-01T00:00Z").ends(0);
    world.run("verify second --against paris").ends(0);
    world.log("longer", &busy(310));
    let said = world.run("mirror longer second --json").ends(0).json();
    assert_eq!((said["from"].as_u64(), said["size"].as_u64()), (Some(300), Some(310)));
    world.run("mirror paris second").ends(1).says("the source has 300 entries, the copy has 310");
    world.log("forked", &other_end(320));
    world.run("mirror forked second --out two.evidence").ends(1).says("evidence that the operator");
    assert!(File::of(&world.read("two.evidence")) == Some(File::Evidence));
    convicts(&world.path("two.evidence"), &busy(9).log_id());
    world.run("check two.evidence").ends(0);
    world.run("verify second").ends(0);
    world.run("mirror paris paris").ends(2).says("a log is written there");
}
