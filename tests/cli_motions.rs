//! Motions at the command line: each one made, approved, carried; and the operator's hand-over.

#![allow(clippy::unwrap_used)]

use crate::support::office::{Ended, Office, Partner};

const PARTNERS: [Partner<'static>; 3] = [
    ("de", "Germany", "guarantor", 1),
    ("fr", "France", "guarantor", 1),
    ("ua", "Ukraine", "beneficiary", 1),
];

fn office() -> Office {
    let office = Office::founded(&PARTNERS);
    for name in ["new", "next-op"] {
        office.good(&["keygen", &format!("keys/{name}"), "--no-passphrase"]);
    }
    office.good(&["keygen", "keys/next", "--log", "guarantees.example/next", "--no-passphrase"]);
    let officer = |key: &str, classes: &str| {
        format!("[[officer]]\ntitle = \"{key}\"\nkey_file = \"keys/{key}.pub\"\nclasses = [{classes}]\n")
    };
    office.write("new.toml", &("[thresholds]\ngovern = 1\n".to_owned() + &officer("new", "\"govern\"")));
    let operator = "[thresholds]\ngovern = 1\n\"operate the log\" = 1\n".to_owned();
    office.write("next.toml", &(operator + &officer("next-op", "\"govern\", \"operate the log\"")));
    office
}

/// The id that a command printed first.
fn id(ended: &Ended) -> String {
    ended.out.lines().next().unwrap().to_owned()
}

/// Lets `de` move, and `fr` and `ua` approve until it is carried; gives the last answer.
fn carried(office: &Office, motion: &[&str], voters: &[&str]) -> Ended {
    let propose = ["propose", "--log", "log", "--key", "keys/de1", "--yes"];
    let mut ended = office.good(&[&propose[..], motion].concat());
    let id = id(&ended);
    for voter in voters {
        assert!(ended.out.contains("approval of the 2 that it takes"), "{}", ended.out);
        let key = format!("keys/{voter}1");
        ended = office.good(&["approve", &id[..8], "--log", "log", "--key", &key, "--yes"]);
    }
    ended
}

#[test]
fn every_motion_can_be_made_and_carried_at_the_command_line() {
    let office = office();
    let carry = |motion: &[&str], voters: &[&str]| {
        let ended = carried(&office, motion, voters);
        let from = office.size();
        let want = format!("the motion is carried, and in force from entry {from} on");
        assert!(ended.out.contains(&want), "{motion:?}: {}", ended.out);
    };
    carry(&["--suspend", "ua"], &["fr"]);
    let refused = office.run(&[
        "withdraw",
        "--log",
        "log",
        "--key",
        "keys/ua1",
        "--agreement",
        &"0".repeat(64),
        "--yes",
    ]);
    assert!(refused.code == 1 && refused.err.contains("its author is suspended"), "{}", refused.err);
    carry(&["--resume", "ua"], &["fr"]);
    office.write("rules.toml", "[rules]\nlongest_expiry = \"8 days\"\nincident_quorum = { count = 1, roles = [\"observer\"], aspects = [\"occurred\"], disputes = \"against\" }\n");
    carry(&["--rules", "rules.toml"], &["fr"]);
    // The second names the first as what it replaces.
    carry(&["--rules", "rules.toml"], &["ua"]);
    carry(&["--re-key", "ua", "--keys", "new.toml", "--disown-from", "2"], &["fr"]);
    office.good(&["accede", "--log", "log", "--keys", "new.toml", "--key", "keys/new", "--yes"]);
    office.write("level.toml", "lapses_at = \"2026-12-20\"\n[motion.level]\nlevel = 2\n");
    carry(&["--from", "level.toml"], &["fr"]);
    office.write("admit.toml", "thresholds = { govern = 1 }\n[[officer]]\ntitle = \"x\"\nkey_file = \"keys/se.pub\"\nclasses = [\"govern\"]\n");
    office.good(&["keygen", "keys/se", "--no-passphrase"]);
    carry(
        &[
            "--admit",
            "se",
            "--name",
            "Sweden",
            "--role",
            "guarantor",
            "--role",
            "observer",
            "--keys",
            "admit.toml",
        ],
        &["fr"],
    );
    office.good(&["accede", "--log", "log", "--keys", "admit.toml", "--key", "keys/se", "--yes"]);
    assert_eq!(office.run(&["verify", "log", "--trust", "log/trust.toml"]).code, 0);
}

#[test]
fn what_is_no_motion_is_told_before_anything_is_signed() {
    let office = office();
    let run = |args: &[&str]| {
        office.run(&[&["propose", "--log", "log", "--key", "keys/de1", "--yes"], args].concat())
    };
    for (args, want) in [
        (&[][..], "nothing is moved"),
        (&["--re-key", "ua"], "no key set is named"),
        (&["--admit", "se", "--keys", "new.toml"], "no display name"),
        (&["--operator", "keys/op.pub", "--keys", "next.toml"], "this is no vkey"),
        (&["--rules", "new.toml"], "has no [rules]"),
        (&["--suspend", "ua", "--resume", "fr"], "cannot be used with"),
        (&["--suspend", "ua", "--disown-from", "7"], "--disown-from goes with --re-key alone"),
        (
            &["--suspend", "ua", "--keys", "new.toml"],
            "--keys goes with --admit, --re-key or --operator alone",
        ),
    ] {
        let ended = run(args);
        assert!(ended.code == 2 && ended.err.contains(want), "{args:?}: {}", ended.err);
    }
    let ended = office.run(&["approve", "@1", "--log", "log", "--key", "keys/de1", "--yes"]);
    assert!(ended.code == 1 && ended.err.contains("is no motion that can be approved"), "{}", ended.err);
}

#[test]
fn the_old_operator_hands_over_and_the_new_one_goes_on_in_the_same_home() {
    let office = office();
    let next = ["--operator", "keys/next.vkey", "--keys", "next.toml"];
    let ended = carried(&office, &next, &["ua"]);
    assert!(ended.out.contains("committed and not published"), "{}", ended.out);
    assert!(ended.out.contains("the operator was replaced by entry 5"), "{}", ended.out);
    let accede = [
        "accede",
        "--log",
        "log",
        "--as",
        "operator",
        "--keys",
        "next.toml",
        "--key",
        "keys/next-op",
        "--yes",
    ];
    let refused = office.run(&accede);
    assert!(
        refused.code == 2 && refused.err.contains("not the key that the log's checkpoints"),
        "{}",
        refused.err
    );
    office.good(&[&accede[..], &["--log-key", "keys/next"]].concat());
    let verified = office.good(&["verify", "log", "--trust", "log/trust.toml"]);
    assert!(verified.out.contains("origin   guarantees.example/next"), "{}", verified.out);
    // Readers who hold the founding's trust file go on reading.
    office.good(&["log", "--log", "log", "--trust", "log/trust.toml"]);
    let out = ["--out", "six.tlog-proof"];
    office.good(&[&["prove", "@6", "--log", "log", "--trust", "log/trust.toml"][..], &out].concat());
    let checked = office.good(&["check", "six.tlog-proof", "--trust", "log/trust.toml"]);
    assert!(checked.out.contains("in guarantees.example/next, sequenced"), "{}", checked.out);
}

#[test]
fn the_next_operator_takes_the_log_over_where_the_old_one_appends_no_motion() {
    let office = office();
    office.sh("cp -r log/public copy", &[]);
    let by = |key: &str, out: &str, args: &[&str]| {
        let trust = ["--log", "copy", "--trust", "log/trust.toml", "--yes", "--key", key, "--out", out];
        office.good(&[args, &trust].concat())
    };
    by("keys/de1", "motion", &["propose", "--operator", "keys/next.vkey", "--keys", "next.toml"]);
    let shown = by("keys/fr1", "approval", &["approve", "motion"]);
    assert!(shown.err.contains("guarantees.example/next"), "{}", shown.err);
    let submit = |files: &[&str]| {
        let to =
            ["--take-over", "copy", "--log", "next", "--log-key", "keys/next", "--trust", "log/trust.toml"];
        office.run(&[&["submit"], files, &to].concat())
    };
    let alone = submit(&["motion"]);
    assert!(alone.code == 1 && alone.err.contains("carry no motion for a new operator"), "{}", alone.err);
    assert!(!office.path("next").exists(), "nothing is left behind");
    let taken = submit(&["motion", "approval"]);
    assert!(
        taken.code == 0 && taken.out.contains("as guarantees.example/next"),
        "{}{}",
        taken.out,
        taken.err
    );
    assert_eq!(submit(&["motion", "approval"]).code, 2, "it is there");
    let accede =
        ["accede", "--log", "next", "--as", "operator", "--keys", "next.toml", "--key", "keys/next-op"];
    office.good(&[&accede[..], &["--log-key", "keys/next", "--yes"]].concat());
    let verified = office.good(&["verify", "next", "--trust", "log/trust.toml", "--against", "copy"]);
    assert!(verified.out.contains("origin   guarantees.example/next"), "{}", verified.out);
    let wrong = office.run(&["approve", "copy/charter.toml", "--log", "copy", "--trust", "log/trust.toml"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
}
