//! Limits, to the byte, on the whole way: what has just its size is drafted, submitted, verified, proven and checked; what
//! has one byte more is refused at the first door, and a finding where an operator lets it in all the same.

use crate::attacks::operator_of;
use crate::support::check_log::verified;
use crate::support::forge::forge;
use crate::support::office::Office;
use crate::support::small_log::{SmallLog, codes, key_set, long, officer, pledge, short, terms};
use crate::support::stored::Stored;
use crate::tamper::model;
use servanda::armor::File;
use servanda::charter::KeySet;
use servanda::charter::file::keys::{self, MAX_KEY_SET};
use servanda::codec::encode;
use servanda::draft::Draft;
use servanda::entry::{EntryError, MAX_SIGNATURES};
use servanda::field::time::LAST_INSTANT_MS;
use servanda::field::{Class, Instant};
use servanda::hash::{ZEROS, leaf_hash};
use servanda::proof::{RosterFile, judge, prove};
use servanda::statement::body::{Accede, Rotate};
use servanda::statement::{Act, Head, MAX_GOVERN, MAX_STATEMENT, Statement};
use servanda::store::memory::Memory;
use servanda::submit::SubmitError;
use servanda::verify::{Found, Held};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// A pledge of so many bytes as a statement.
fn long_pledge(log: &SmallLog, len: usize) -> Statement {
    let of = |more: usize| {
        let mut terms = terms("everything");
        terms.text = long(&"x".repeat(32_000));
        terms.source = Some(long(&"y".repeat(more)));
        log.draft("pl", pledge(&["ua"], terms))
    };
    let statement = of(10_000 + len - encode(&of(10_000)).len());
    assert_eq!(encode(&statement).len(), len);
    statement
}

/// An accede of so many bytes as a statement, `fr`'s first.
fn long_accede(log: &SmallLog, len: usize) -> Statement {
    let of = |more: usize| {
        let reservations = Some(long(&"x".repeat(more)));
        log.draft(
            "fr",
            Act::Accede(Accede { keys: key_set("fr"), reservations, annexes: Default::default() }),
        )
    };
    let statement = of(10_000 + len - encode(&of(10_000)).len());
    assert_eq!(encode(&statement).len(), len);
    statement
}

#[test]
fn statements_at_their_limit_are_proven_and_longer_ones_are_refused_or_found() {
    type Make = fn(&SmallLog, usize) -> Statement;
    let acceded = SmallLog::founded();
    for (log, make, limit) in
        [(model(), long_pledge as Make, MAX_STATEMENT), (acceded, long_accede, MAX_GOVERN)]
    {
        let (at, past) = (make(&log, limit), make(&log, limit + 1));
        let (mut operator, _) = operator_of(&log);
        // One past: at the desk, at the door, and in the log of an operator who has no door.
        assert!(at.encode().is_ok() && past.encode().is_err());
        let refused = operator.admit(&encode(&past), &log.sign(&past), log.now);
        assert!(matches!(refused, Err(SubmitError::Statement(_))), "{refused:?}");
        let mut let_in = log.clone();
        let_in.push_entry(&log.sequence(&past, log.sign(&past)));
        let policy = log.policy(false);
        let held = Held { policy: Some(&policy), log: Some(log.log_id()), checkpoint: None };
        let found = verified(&Memory::holding(forge(let_in.leaves())), held).0;
        let [Found::Entry(finding)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((finding.index, finding.reason.code()), (log.size(), "undecodable"));
        assert!(finding.reason.to_string().contains(&(limit + 1).to_string()), "{}", finding.reason);

        // At the limit: all the way.
        operator.admit(&encode(&at), &log.sign(&at), log.now).unwrap();
        let mut longest = log.clone();
        assert_eq!(longest.post(&at), []);
        let stored = Stored::new(&longest);
        assert_eq!(verified(&Memory::holding(forge(longest.leaves())), held).0, []);
        let mut client = stored.client();
        let proof = prove(&mut client, log.size(), stored.checkpoint.as_str()).unwrap();
        let leaf = leaf_hash(proof.extra.as_ref().unwrap());
        let under = proof.verify(&leaf, &policy).unwrap();
        let roster = RosterFile::make(&mut client).unwrap();
        let roster: RosterFile = File::Roster.read(File::Roster.write(&roster).unwrap().as_bytes()).unwrap();
        let chain = roster.verify(under.size(), &under.root()).unwrap();
        let entry = longest.entry(usize::try_from(log.size()).unwrap());
        assert!(judge(&chain, log.size(), &entry, Some(&log.log_id())).unwrap().reasons.is_empty());
    }
}

/// A key set of 128 officers, all of whom may govern, one enough.
fn crowd(name: &str, from: usize) -> KeySet {
    let officers = (from..from + 128).map(|n| officer(&format!("{name}/{n}"), &[Class::Govern])).collect();
    KeySet { officers, thresholds: [1, 0, 0, 0, 0] }
}

#[test]
fn a_rotation_signed_by_more_than_an_entry_holds_is_refused_or_found() {
    let old = crowd("crowd", 0);
    let mut log = SmallLog::founded_with(|found| {
        let partner = found.charter.partners.iter_mut().find(|p| p.handle.as_str() == "de").unwrap();
        partner.keys = old.digest(&partner.handle);
    });
    let accede = Act::Accede(Accede { keys: old, reservations: None, annexes: Default::default() });
    let accede = log.draft("de", accede);
    assert_eq!(log.post(&accede), []);
    // Signatures have 67 bytes each: 238 fit. All 128 old ones sign, and as many new ones as there are.
    for (new, fits) in [(110, true), (111, false)] {
        let keys = crowd("crowd", new);
        let rotate = log.draft("de", Act::Rotate(Rotate { keys }));
        let names: Vec<_> = (0..new + 128).map(|n| format!("crowd/{n}")).collect();
        let number = |n: usize| u8::try_from(n).unwrap();
        let old = (0..128).map(|n| (number(n), &*names[n]));
        let fresh = (128 - new..128).map(|n| (number(128 + n), &*names[new + n]));
        let signers: Vec<_> = old.chain(fresh).collect();
        let signatures = log.sign_as(&rotate, &signers);
        let (mut operator, _) = operator_of(&log);
        let admitted = operator.admit(&encode(&rotate), &signatures, log.now);
        let mut let_in = log.clone();
        let found = let_in.push_entry(&log.sequence(&rotate, signatures));
        if fits {
            assert_eq!((admitted.unwrap().index(), found), (log.size(), vec![]));
        } else {
            let refused = admitted.unwrap_err();
            let SubmitError::Entry(EntryError::Signatures(len)) = refused else { panic!("{refused}") };
            assert!(len > MAX_SIGNATURES && len < MAX_SIGNATURES + 67);
            assert_eq!(codes(&found), ["undecodable"]);
        }
    }
}

/// A key set of so many bytes, encoded.
fn set_of_len(len: usize) -> KeySet {
    let mut set = crowd("long", 0);
    let mut missing = len - encode(&set).len();
    for officer in &mut set.officers.0 {
        // Titles below 251 bytes have a length of one byte.
        let more = missing.min(250 - officer.title.len());
        officer.title = short(&format!("{}{}", officer.title, "x".repeat(more)));
        missing -= more;
    }
    assert_eq!(encode(&set).len(), len);
    set
}

#[test]
fn a_key_set_with_which_nobody_could_accede_is_refused_as_it_is_read() {
    let read = |set: &KeySet| {
        let text = keys::to_toml(set);
        keys::read(Path::new("de.toml"), &"de".parse().unwrap(), &mut |_, _| Ok(text.clone().into_bytes()))
    };
    let longest = set_of_len(MAX_KEY_SET);
    assert_eq!(read(&longest).unwrap(), longest);
    let refused = read(&set_of_len(MAX_KEY_SET + 1)).unwrap_err();
    assert!(refused.to_string().starts_with("de.toml: the set has 16001 bytes as it is signed"), "{refused}");
    // The longest accede and rotation with it fit: all else at its longest, but for what an author may add.
    let head = Head { size: u64::MAX, leaf: ZEROS };
    for act in [
        Act::Accede(Accede { keys: longest.clone(), reservations: None, annexes: Default::default() }),
        Act::Rotate(Rotate { keys: longest }),
    ] {
        let mut statement = SmallLog::founded().draft("de", act);
        statement.author = "d".repeat(63).parse().unwrap();
        (statement.seq, statement.seen) = (u64::MAX, head);
        (statement.issued_at, statement.expires_at) = (last_instant(), last_instant());
        assert!(statement.encode().is_ok());
    }
}

fn last_instant() -> Instant {
    Instant::from_ms(LAST_INSTANT_MS).unwrap()
}

/// What a command says when all is well.
const GOOD: i32 = 0;

#[test]
fn the_longest_pledge_goes_from_the_desk_to_the_proof_and_a_longer_one_stays_there() {
    let office = Office::founded(&[("de", "Germany", "guarantor", 2), ("ua", "Ukraine", "beneficiary", 1)]);
    let draft = |name: &str, text: usize, source: usize| {
        let (text, source) = ("x".repeat(text), "y".repeat(source));
        office.write(
            "pledge.toml",
            &format!("to = [\"ua\"]\ntitle = \"all\"\ninstruments = [\"military\"]\ntext = \"{text}\"\nsource = \"{source}\"\n"),
        );
        let draft = ["pledge", "--from", "pledge.toml", "--log", "log", "--key", "keys/de1", "--draft", name];
        office.run(&[&draft[..], &["--yes"]].concat())
    };
    assert_eq!(draft("short", 32_768, 10_000).code, GOOD);
    let short: Draft = File::Statement.read(&fs::read(office.path("short")).unwrap()).unwrap();
    let source = 10_000 + MAX_STATEMENT - short.statement.len();
    // A field too long, a statement too long: refused as they are written down, and nothing is signed.
    for (text, source, what) in [
        (32_769, 1, "text has 32769 bytes, at most 32768 are allowed"),
        (32_768, source + 1, "49153 bytes, at most 49152 are allowed"),
    ] {
        let refused = draft("refused", text, source);
        assert!(refused.code != GOOD && refused.err.contains(what), "{}", refused.err);
        assert!(!office.path("refused").exists());
    }
    assert_eq!(draft("longest", 32_768, source).code, GOOD);
    office.good(&["sign", "longest", "--key", "keys/de2", "--yes"]);
    office.good(&["submit", "longest", "--log", "log"]);
    assert_eq!(office.entries().last().unwrap().entry.statement.len(), MAX_STATEMENT);
    office.good(&["verify", "log", "--trust", "log/trust.toml"]);
    office.good(&["prove", "#3", "--log", "log", "--out", "longest.tlog-proof"]);
    office.good(&["check", "longest.tlog-proof", "--trust", "log/trust.toml"]);
    office.good(&["show", "#3", "--log", "log"]);
}

#[test]
fn files_longer_than_their_kind_are_refused_unread() {
    let office = Office::founded(&[("de", "Germany", "guarantor", 1)]);
    let long = |name: &str, len: u64| {
        let file = fs::File::create(office.path(name)).unwrap();
        file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
        file.set_len(len).unwrap();
    };
    for (name, len, args) in [
        ("long.evidence", File::Evidence.text_limit(), &["check", "long.evidence"][..]),
        ("long.roster", File::Roster.text_limit(), &["check", "x", "--roster", "long.roster"]),
        ("long.trust", 4 << 20, &["verify", "log", "--trust", "long.trust"]),
        ("long.toml", 1 << 20, &["pledge", "--from", "long.toml", "--log", "log"]),
        ("long.statement", 1 << 18, &["sign", "long.statement", "--key", "keys/de1"]),
        ("long.promise", File::Promise.text_limit(), &["verify", "log", "--promise", "long.promise"]),
        ("long.since", 1_200_000, &["verify", "log", "--since", "long.since"]),
        ("long.charter", 1 << 20, &["init", "other", "--charter", "long.charter"]),
        (
            "long.key",
            65_536,
            &[
                "pledge",
                "--log",
                "log",
                "--key",
                "long.key",
                "--to",
                "de",
                "--title",
                "x",
                "--instrument",
                "military",
            ],
        ),
    ] {
        long(name, len + 100_000);
        let refused = office.run(args);
        let said = refused.err.contains("more than") || refused.err.contains("at most");
        assert!(refused.code == 2 && said, "{args:?}: {} {}", refused.code, refused.err);
    }
}
