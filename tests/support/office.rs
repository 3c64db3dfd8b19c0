//! A folder with keys, a charter and a log in it, and the command line run there as a person would.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use servanda::client::Client;
use servanda::entry::SignedEntry;
use servanda::store::dir::Dir;
use servanda::verify::{Audit, Options};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The folder.
pub struct Office(TempDir);

/// A partner of the office's log: handle, name, role, how many officers it has and must sign commitments.
pub type Partner<'a> = (&'a str, &'a str, &'a str, usize);

/// How a command ended.
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The time of all commands, unless they say another.
pub const NOW: &str = "2026-12-01T12:00Z";

impl Office {
    /// Founds a log of these partners in `log`, all of whom have acceded; keys have no passphrases.
    pub fn founded(partners: &[Partner<'_>]) -> Self {
        Self::founded_under(partners, "")
    }

    /// The same under rules of its own, as the charter has them.
    pub fn founded_under(partners: &[Partner<'_>], rules: &str) -> Self {
        let office = Self::prepared_under(partners, rules);
        office.good(&["init", "log", "--key", "keys/op", "--yes"]);
        partners.iter().for_each(|partner| drop(office.good(&Self::accede(partner, "log"))));
        office
    }

    /// What it takes for a partner to accede, in the log at a place.
    pub fn accede<'a>((handle, _, _, officers): &Partner<'a>, log: &'a str) -> Vec<&'a str> {
        let leaked = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        let mut args = vec!["accede", "--log", log, "--as", handle];
        args.extend(["--keys", leaked(format!("{handle}.toml")), "--yes"]);
        args.extend((1..=*officers).flat_map(|n| ["--key", leaked(format!("keys/{handle}{n}"))]));
        args
    }

    /// Makes keys and a charter of these partners, of which `init` founds a log.
    pub fn prepared(partners: &[Partner<'_>]) -> Self {
        Self::prepared_under(partners, "")
    }

    /// The same under rules of its own, as the charter has them.
    pub fn prepared_under(partners: &[Partner<'_>], rules: &str) -> Self {
        let office = Self(tempfile::tempdir().unwrap());
        office.good(&["keygen", "keys/op", "--no-passphrase"]);
        office.good(&["keygen", "--log", "guarantees.example/office", "--no-passphrase"]);
        let officer = |key: &str, classes: &str| {
            format!("[[officer]]\ntitle = \"{key}\"\nkey_file = \"keys/{key}.pub\"\nclasses = [{classes}]\n")
        };
        let operator = "[thresholds]\ngovern = 1\n\"operate the log\" = 1\n".to_owned();
        office.write("op.toml", &(operator + &officer("op", "\"govern\", \"operate the log\"")));
        let mut charter = "origin = \"guarantees.example/office\"\ntitle = \"Office\"\nlanguage = \"en\"\n\
             [operator]\nkeys = \"op.toml\"\nvkey = \"keys/log.vkey\"\n"
            .to_owned();
        for (handle, name, role, officers) in partners {
            let mut set =
                format!("thresholds = {{ govern = 1, commit = {officers}, operate = 1, observe = 1 }}\n");
            for n in 1..=*officers {
                office.good(&["keygen", &format!("keys/{handle}{n}"), "--no-passphrase"]);
                set += &officer(&format!("{handle}{n}"), "\"govern\", \"commit\", \"operate\", \"observe\"");
            }
            office.write(&format!("{handle}.toml"), &set);
            charter += &format!(
                "[[partner]]\nhandle = \"{handle}\"\nname = \"{name}\"\nroles = [\"{role}\"]\nkeys = \"{handle}.toml\"\n"
            );
        }
        office.write("charter.toml", &(charter + rules));
        office
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// What a file in the folder says.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs the command line without a terminal.
    pub fn run(&self, args: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
            command.env_remove(name);
        }
        command.env("SERVANDA_NOW", NOW).env("XDG_STATE_HOME", self.path("state"));
        ended(command.current_dir(self.folder()).args(args).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs the commands of a shell script, `servanda` among them, with the environment that it asks for.
    pub fn sh(&self, script: &str, variables: &[(&str, &str)]) -> Ended {
        let binary = Path::new(env!("CARGO_BIN_EXE_servanda")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("sh");
        command.env("SERVANDA_NOW", NOW).env("XDG_STATE_HOME", self.path("state")).env("PATH", path);
        command.envs(variables.iter().copied());
        ended(command.current_dir(self.folder()).args(["-c", script]).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs what must go well.
    pub fn good(&self, args: &[&str]) -> Ended {
        let ended = self.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {}{}", ended.out, ended.err);
        ended
    }

    /// The size of the published checkpoint.
    pub fn size(&self) -> u64 {
        let note = fs::read_to_string(self.path("log/public/checkpoint")).unwrap();
        note.lines().nth(1).unwrap().parse().unwrap()
    }

    /// All entries of the log, after the whole of it was verified without a finding.
    pub fn entries(&self) -> Vec<SignedEntry> {
        let store = Dir::open(&self.path("log")).unwrap();
        let mut findings = Vec::new();
        let mut report = |found| findings.push(found);
        let audit = Audit::new(&store, Options::default(), &mut report).run(self.size(), &|_| {}).unwrap();
        assert_eq!(findings, []);
        let mut client = Client::open(&store, self.size(), audit.root).unwrap();
        let bundles = (0..self.size().div_ceil(256)).flat_map(|number| client.bundle(number).unwrap());
        bundles.map(|bytes| SignedEntry::decode(&bytes).unwrap()).collect()
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }
}

fn ended(output: Output) -> Ended {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}
