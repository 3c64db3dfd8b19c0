//! The dishonest operator as a real server, which holds all of the operator's keys: who notices what it does, after which look,
//! with which evidence; and that the evidence convinces offline, with the trust file alone.
//!
//! Everyone else is the real binary: partners read, pledge and verify by URL, each with a state folder of their own, and monitors
//! look once at a time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod anchored;
mod replaced;
mod server;
mod shown;
mod taken;

use crate::cli_verify::{Said, World};
use crate::support::forge::{Objects, forge};
use crate::support::small_log::{SmallLog, busy, key, other_end};
use serde_json::Value;
use servanda::key::openssh::write_private;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

/// The time of everyone, unless they look later.
const NOW: &str = "2026-12-02T12:00Z";

/// What is served of a log.
fn face(log: &SmallLog) -> Objects {
    forge(log.leaves())
}

/// Someone who has the trust file, and keeps what they saw: a partner with its officers' keys, or anyone else.
pub struct Someone(World);

impl Someone {
    /// One who only reads.
    fn new() -> Self {
        Self(World::with(&SmallLog::founded()))
    }

    /// A partner.
    pub fn partner(name: &str) -> Self {
        let one = Self::new();
        fs::create_dir(one.0.path("keys")).unwrap();
        for n in 0..2 {
            let (file, key_name) = (format!("keys/{n}"), format!("{name}/{n}"));
            one.0.write(&file, write_private(&key(&key_name), &key_name, None).unwrap().as_bytes());
            fs::set_permissions(one.0.path(&file), fs::Permissions::from_mode(0o600)).unwrap();
        }
        one
    }

    /// Runs a command.
    fn run(&self, line: &str) -> Said {
        self.0.run(line)
    }

    /// Signs a pledge to ua, and sends it.
    pub fn pledge(&self, title: &str, url: &str) -> Said {
        self.run(&format!(
            "pledge --key keys/0 --key keys/1 --to ua --title {title} --instrument military \
             --valid-from 2026-12-01 --yes --now {NOW} --log {url}"
        ))
    }

    /// One look of this one's monitor, at a time, with more options.
    fn look_at(&self, time: &str, sources: &str) -> Look {
        let line = format!("monitor {sources} --trust trust.toml --state s --once --json --now {time}");
        let said = self.run(&line);
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        Look { alerts: said.out.lines().map(parse).collect(), said }
    }

    fn look(&self, sources: &str) -> Look {
        self.look_at(NOW, sources)
    }

    /// The file that an alert names as its evidence.
    fn evidence(&self, alert: &Value) -> String {
        let name = alert["evidence"].as_str().unwrap_or_else(|| panic!("no evidence: {alert}"));
        format!("s/{}/{name}", alert["log"].as_str().unwrap())
    }

    /// Where this one keeps what it knows of the log.
    fn kept(&self) -> PathBuf {
        self.0.path("state/servanda").join(SmallLog::founded().log_id().to_string())
    }

    /// Gives a file to someone else, under a name.
    fn give(&self, file: &str, to: &Self, name: &str) {
        to.0.write(name, self.0.read(file));
    }

    /// Convinces a third party of a misdeed, who has nothing but the evidence and the trust file, and no network.
    #[track_caller]
    fn convinces(&self, file: &str, misdeed: &str) {
        let empty = tempfile::tempdir().unwrap();
        fs::write(empty.path().join("trust.toml"), self.0.read("trust.toml")).unwrap();
        fs::write(empty.path().join("the.evidence"), self.0.read(file)).unwrap();
        let program = env!("CARGO_BIN_EXE_servanda");
        let mut command = if without_network() { Command::new("unshare") } else { Command::new(program) };
        if without_network() {
            command.args(["-n", program]);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("XDG_STATE_HOME", empty.path().join("state"));
        command.args(["check", "the.evidence", "--trust", "trust.toml", "--json", "--now", NOW]);
        let ran = command.current_dir(empty.path()).output().unwrap();
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert_eq!(ran.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&ran.stderr));
        let told: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        let told = &told["files"][0];
        assert_eq!((&told["misdeed"], &told["pinned"]), (&misdeed.into(), &true.into()), "{text}");
    }
}

/// Whether this machine lets a test run a program where there is no network: it takes root.
fn without_network() -> bool {
    Command::new("unshare").args(["-n", "true"]).output().is_ok_and(|ran| ran.status.success())
}

/// What a monitor told in one look.
struct Look {
    said: Said,
    alerts: Vec<Value>,
}

impl Look {
    /// Class and kind of each alert.
    fn kinds(&self) -> Vec<String> {
        let word = |alert: &Value, field: &str| alert[field].as_str().unwrap().to_owned();
        self.alerts.iter().map(|alert| format!("{} {}", word(alert, "class"), word(alert, "kind"))).collect()
    }

    /// These alerts and no others, and the exit code.
    #[track_caller]
    fn tells(self, code: i32, kinds: &[&str]) -> Self {
        assert_eq!(
            (self.said.code, self.kinds()),
            (code, kinds.iter().map(ToString::to_string).collect()),
            "{}",
            self.said.err
        );
        self
    }
}
