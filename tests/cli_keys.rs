//! `keygen` and `init`, as a person runs them: what is written, who may read it, what is refused and how.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use servanda::charter::file::Founding;
use servanda::checkpoint;
use servanda::entry::SignedEntry;
use servanda::hash::{leaf_hash, sha256};
use servanda::key::vkey::Vkey;
use servanda::merkle::bundle;
use servanda::roster::Roster;
use servanda::store::dir::Dir;
use servanda::trust::Trust;
use servanda::verify::{Audit, Options};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder to work in.
struct Desk(TempDir);

/// How a command ended: exit code, standard output, standard error.
type Ended = (i32, String, String);

fn ended(output: Output) -> Ended {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs the command line without a terminal.
    fn run(&self, line: &str) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
            command.env_remove(name);
        }
        let command = command.current_dir(self.path()).args(line.split_whitespace());
        ended(command.stdin(Stdio::null()).output().unwrap())
    }

    fn good(&self, line: &str) -> String {
        let (code, out, err) = self.run(line);
        assert_eq!(code, 0, "{line}: {err}");
        out
    }

    /// Runs what must fail with exit code 2 and say nothing on standard output; gives standard error.
    fn refused(&self, line: &str) -> String {
        let (code, out, err) = self.run(line);
        assert_eq!((code, out.as_str()), (2, ""), "{line}: {err}");
        err
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path().join(name)).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A charter of two partners, with all the keys that it needs.
    fn with_charter() -> Self {
        let desk = Self::new();
        for key in ["op", "clerk", "de", "ua"] {
            desk.good(&format!("keygen keys/{key} --no-passphrase"));
        }
        desk.good("keygen --log guarantees.example/paris --no-passphrase");
        let officer = |name: &str, classes: &str| {
            format!(
                "[[officer]]\ntitle = \"{name}\"\nkey_file = \"keys/{name}.pub\"\nclasses = [{classes}]\n"
            )
        };
        let operator = "[thresholds]\ngovern = 1\n\"operate the log\" = 1\n".to_owned();
        let (op, clerk) = (officer("op", "\"govern\""), officer("clerk", "\"operate the log\""));
        desk.write("operator.keys.toml", &(operator + &op + &clerk));
        for partner in ["de", "ua"] {
            let text = format!("thresholds = {{ govern = 1 }}\n{}", officer(partner, "\"govern\""));
            desk.write(&format!("{partner}.keys.toml"), &text);
        }
        desk.write("charter.toml", CHARTER);
        desk
    }
}

const CHARTER: &str = r#"origin = "guarantees.example/paris"
title = "Paris Framework"
language = "en"

[operator]
keys = "operator.keys.toml"
vkey = "keys/log.vkey"

[[partner]]
handle = "de"
name = "Germany"
roles = ["guarantor"]
keys = "de.keys.toml"

[[partner]]
handle = "ua"
name = "Ukraine"
roles = ["beneficiary", "observer"]
keys = "ua.keys.toml"
"#;

const INIT: &str = "init paris --key keys/op --key keys/clerk --yes --now 2026-12-01T12:00Z";

fn ssh_keygen(desk: &Desk, args: &[&str]) -> Option<String> {
    match Command::new("ssh-keygen").current_dir(desk.path()).args(args).output() {
        Ok(done) => {
            assert!(done.status.success(), "ssh-keygen {args:?}: {}", String::from_utf8_lossy(&done.stderr));
            Some(String::from_utf8(done.stdout).unwrap())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            crate::support::missing("there is no ssh-keygen");
            None
        }
        Err(error) => panic!("ssh-keygen: {error}"),
    }
}

#[test]
fn ssh_keygen_reads_the_keys_that_keygen_makes() {
    let desk = Desk::new();
    desk.write("secret", "correct horse\n");
    desk.set_mode("secret", 0o600);
    let said = desk.good("keygen --passphrase-file secret --comment minister");
    let public = desk.read("keys/officer.pub");
    let Some(derived) = ssh_keygen(&desk, &["-y", "-P", "correct horse", "-f", "keys/officer"]) else {
        return;
    };
    assert_eq!(derived, public);
    let shown = ssh_keygen(&desk, &["-l", "-f", "keys/officer"]).unwrap();
    let fingerprint = shown.split(' ').nth(1).unwrap();
    assert!(fingerprint.starts_with("SHA256:") && said.contains(fingerprint), "{said}\n{shown}");
    assert!(said.contains(&format!("key = \"{}\"", public.trim_end())), "{said}");
}

#[test]
fn private_keys_are_for_their_owner_alone_and_public_ones_for_all() {
    let desk = Desk::new();
    desk.good("keygen --no-passphrase");
    desk.good("keygen --no-passphrase --log a.example/x");
    assert_eq!(desk.mode("keys"), 0o700);
    for name in ["keys/officer", "keys/log"] {
        assert_eq!(desk.mode(name), 0o600, "{name}");
    }
    for name in ["keys/officer.pub", "keys/log.vkey"] {
        assert_eq!(desk.mode(name), 0o644, "{name}");
    }
    let vkey: Vkey = desk.read("keys/log.vkey").trim_end().parse().unwrap();
    assert_eq!(vkey.name(), "a.example/x");
    assert_eq!(fs::read_dir(desk.path().join("keys")).unwrap().count(), 4, "nothing is left over");
}

#[test]
fn keygen_overwrites_nothing() {
    let desk = Desk::new();
    desk.good("keygen --no-passphrase");
    let before = desk.read("keys/officer");
    let said = desk.refused("keygen --no-passphrase");
    assert!(
        said.starts_with("error: keys/officer is there already; nothing was overwritten\nhint: "),
        "{said}"
    );
    fs::remove_file(desk.path().join("keys/officer")).unwrap();
    let said = desk.refused("keygen --no-passphrase");
    assert!(said.starts_with("error: keys/officer.pub is there already"), "{said}");
    assert!(!desk.path().join("keys/officer").exists() && !before.is_empty());
}

#[test]
fn keygen_without_a_terminal_says_how_to_give_a_passphrase() {
    let desk = Desk::new();
    let said = desk.refused("keygen");
    assert_eq!(
        said,
        "error: no passphrase could be read: there is no terminal to ask at\n\
         hint: name a file that holds one: --passphrase-file FILE; or leave the key unencrypted: --no-passphrase\n"
    );
    assert!(!desk.path().join("keys/officer").exists());
    for (text, mode, want) in [
        ("secret\n", 0o644, "error: p can be read or changed by others (mode 0644)\nhint: chmod 600 p"),
        ("\n", 0o600, "error: p must hold a passphrase on one line"),
        ("one\ntwo\n", 0o600, "error: p must hold a passphrase on one line"),
        (&"x".repeat(1025), 0o600, "error: p has more than 1024 bytes"),
    ] {
        desk.write("p", text);
        desk.set_mode("p", mode);
        let said = desk.refused("keygen --passphrase-file p");
        assert!(said.starts_with(want), "{said}");
    }
    assert!(desk.refused("keygen --log a+b --no-passphrase").contains("\"a+b\" cannot be an origin"));
}

#[test]
fn what_init_founds_is_what_the_charter_says_and_the_trust_file_pins_it() {
    let desk = Desk::with_charter();
    let said = desk.good(&format!("{INIT} --at https://guarantees.example/paris"));
    let trust = Trust::parse(&desk.read("paris/trust.toml")).unwrap();
    assert_eq!(
        (trust.origin.as_str(), trust.at.as_deref()),
        ("guarantees.example/paris", Some("https://guarantees.example/paris"))
    );
    assert!(said.contains(&trust.log.unwrap().to_string()), "{said}");

    let bundle_bytes = fs::read(desk.path().join("paris/public/tile/entries/000.p/1")).unwrap();
    let entries = bundle::parse(&bundle_bytes, 1).unwrap();
    let entry = SignedEntry::decode(entries[0]).unwrap();
    assert_eq!(Some(entry.id), trust.log);
    let roster = Roster::found(&entry).unwrap();
    let mut read = |path: &Path, _: u64| fs::read(path);
    let founding = Founding::read(&desk.path().join("charter.toml"), &mut read).unwrap();
    assert_eq!(roster.charter, founding.charter);
    assert_eq!(desk.read("paris/public/charter.toml"), CHARTER);
    assert_eq!(founding.text_digest(), sha256(CHARTER.as_bytes()));

    let opened = checkpoint::open(desk.read("paris/public/checkpoint").as_bytes(), &trust.policy).unwrap();
    assert_eq!((opened.size(), opened.root()), (1, leaf_hash(entries[0])));
    assert!(opened.quorum_is_none());
    let store = Dir::open(&desk.path().join("paris")).unwrap();
    let mut report = |found| panic!("{found:?}");
    let audit = Audit::new(&store, Options::default(), &mut report).run(1, &|_| ()).unwrap();
    assert_eq!((audit.root, audit.findings), (opened.root(), 0));
}

#[test]
fn init_shows_in_words_what_it_founds_and_asks() {
    let desk = Desk::with_charter();
    let (code, out, err) = desk.run(INIT.replace(" --yes", "").as_str());
    assert_eq!(code, 2);
    for words in
        ["guarantees.example/paris", "de  Germany  guarantor", "1 of 1 govern", "none: nobody outside sees"]
    {
        assert!(out.contains(words), "{words}\n{out}");
    }
    assert!(
        err.contains("nobody confirmed") && err.contains("hint: read the above, then say --yes"),
        "{err}"
    );
    assert!(!desk.path().join("paris").exists());
}

#[test]
fn init_founds_no_log_over_another_and_overwrites_no_trust_file() {
    let desk = Desk::with_charter();
    desk.good(INIT);
    let said = desk.refused(INIT);
    assert!(said.contains("error: paris/trust.toml is there already"), "{said}");
    let (code, _, err) = desk.run(&format!("{INIT} --trust elsewhere.toml"));
    assert!(code == 2 && err.contains("no log was founded in paris: a log was founded here before"), "{err}");
    assert!(!desk.path().join("elsewhere.toml").exists());
}

#[test]
fn a_typo_in_the_charter_or_a_key_set_is_told_with_its_line() {
    let desk = Desk::with_charter();
    desk.write("charter.toml", &CHARTER.replace("roles = [\"guarantor\"]", "rolls = [\"guarantor\"]"));
    let said = desk.refused(INIT);
    assert!(
        said.starts_with(
            "error: the charter does not found a log: charter.toml, line 12: unknown field `rolls`"
        ),
        "{said}"
    );
    desk.write("charter.toml", &CHARTER.replace("ua.keys", "au.keys"));
    let said = desk.refused(INIT);
    assert!(
        said.contains("charter.toml, line 19: key set au.keys.toml could not be read: No such file"),
        "{said}"
    );
    assert!(said.contains("\nhint: ask the partner for its key-set file"), "{said}");
    desk.write("charter.toml", CHARTER);
    desk.write("ua.keys.toml", &desk.read("de.keys.toml"));
    let said = desk.refused(INIT);
    assert!(
        said.contains("ua.keys.toml, line 4: the key of officer 0 of ua is also that of officer 0 of de"),
        "{said}"
    );
    assert!(!desk.path().join("paris").exists());
}

#[test]
fn init_names_the_key_that_is_missing_foreign_or_open_to_others() {
    let desk = Desk::with_charter();
    let said = desk.refused(&INIT.replace(" --key keys/clerk", ""));
    assert!(
        said.starts_with("error: all officers of the operator must sign, missing: clerk\nhint: "),
        "{said}"
    );
    let said = desk.refused(&format!("{INIT} --key keys/de"));
    assert!(said.contains("is not one of the operator's"), "{said}");
    let said = desk.refused(&INIT.replace(" --key keys/op --key keys/clerk", ""));
    assert!(said.contains("no key was named, and keys/officer is not there"), "{said}");
    let said = desk.refused(&format!("{INIT} --log-key keys/de"));
    assert!(said.contains("keys/de is not the key of the charter's vkey"), "{said}");
    let said = desk.refused(&INIT.replace("keys/op", "keys/po"));
    assert!(
        said.contains("keys/po cannot be read: No such file") && said.contains("servanda keygen"),
        "{said}"
    );
    for mode in [0o640, 0o604, 0o620] {
        desk.set_mode("keys/op", mode);
        let said = desk.refused(INIT);
        assert!(
            said.contains("keys/op can be read or changed by others")
                && said.contains("hint: chmod 600 keys/op"),
            "{said}"
        );
    }
}

#[test]
fn encrypted_keys_open_with_their_passphrase_file_alone() {
    let desk = Desk::with_charter();
    if ssh_keygen(&desk, &["-q", "-p", "-P", "", "-N", "sesame", "-f", "keys/op"]).is_none() {
        return;
    }
    let said = desk.refused(INIT);
    assert!(
        said.contains("the key keys/op cannot be used") && said.contains("there is no terminal to ask at"),
        "{said}"
    );
    assert!(said.contains("--passphrase-file"), "{said}");
    for (passphrase, good) in [("open sesame\n", false), ("sesame\r\n", true)] {
        desk.write("p", passphrase);
        desk.set_mode("p", 0o600);
        let (code, _, err) = desk.run(&format!("{INIT} --passphrase-file p"));
        assert_eq!(code == 0, good, "{err}");
        assert!(good || err.contains("wrong passphrase"), "{err}");
    }
}

#[test]
fn a_charter_with_witnesses_founds_a_log_that_is_not_published_and_a_trust_file_that_asks_for_them() {
    let desk = Desk::with_charter();
    let key = servanda::key::SigningKey::from_seed(&[1; 32]).public();
    let witness = Vkey::witness("witness.example", key).unwrap();
    desk.write("charter.toml", &format!("{CHARTER}[rules.witnesses]\nvkeys = [\"{witness}\"]\nquorum = 1\n"));
    let said = desk.good(INIT);
    assert!(said.contains("1 of its 1 witness") && said.contains("https://…"), "{said}");
    assert!(!desk.path().join("paris/public/checkpoint").exists());
    let trust: servanda::trust::Trust = desk.read("paris/trust.toml").parse().unwrap();
    assert!(!trust.policy.quorum_is_none());
    assert!(trust.policy.satisfied(["witness.example"]) && !trust.policy.satisfied([]));
}

#[test]
fn the_guard_file_holds_the_head_that_was_signed() {
    let desk = Desk::with_charter();
    let (code, _, err) = desk.run(&format!("{INIT} --guard usb/guard"));
    assert!(code == 2 && err.contains("on another medium"), "{err}");
    assert!(!desk.path().join("paris").exists());
    fs::create_dir(desk.path().join("usb")).unwrap();
    desk.good(&format!("{INIT} --guard usb/guard"));
    assert!(desk.read("usb/guard").starts_with("1 "));
    let (code, _, err) = desk.run(&format!("{} --guard usb/guard", INIT.replace("paris", "other")));
    assert!(code == 2 && err.contains("each log has a guard file of its own"), "{err}");
}
