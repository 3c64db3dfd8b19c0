//! Pledges as a user types them: fields in a TOML file, read by `servanda pledge --from`, written as a draft.
//!
//! The log at which they are typed has the same founding entry as the one in which they are played, so that what is sealed
//! for one is sealed for the other.

use super::play::founded;
use crate::support::stored;
use servanda::armor::File;
use servanda::draft::Draft;
use servanda::field::Instant;
use servanda::seal::Opening;
use servanda::statement::Act;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use tempfile::TempDir;
use toml::Table;

static HOME: LazyLock<TempDir> = LazyLock::new(|| {
    let home = tempfile::tempdir().unwrap();
    stored::in_home(&home.path().join("log"), &founded(None));
    home
});

/// A folder in which one provision is typed.
pub struct Typed(TempDir);

impl Typed {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Types an act that is read from a file, as a partner, at a time; gives it, and what opens what it seals.
    pub fn act(
        &self,
        verb: &str,
        by: &str,
        fields: &Table,
        seal: &[String],
        now: Instant,
    ) -> (Act, Vec<Opening>) {
        fs::write(self.path("fields.toml"), toml::to_string(fields).unwrap()).unwrap();
        let log = HOME.path().join("log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
            command.env_remove(name);
        }
        command
            .args([verb, "--from", "fields.toml", "--as", by, "--draft", "typed.statement", "--log"])
            .arg(log);
        command.args(["--now", &now.to_string()]).env("XDG_STATE_HOME", self.path("state"));
        for field in seal {
            command.args(["--seal", field.as_str()]);
        }
        let output = command.current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{verb} {fields}: {said}");
        let typed = self.path("typed.statement");
        let draft: Draft = File::Statement.read(&fs::read(&typed).unwrap()).unwrap();
        fs::remove_file(&typed).unwrap();
        let act = draft.statement().unwrap().act().unwrap();
        (act, draft.openings.iter().cloned().collect())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// The agreement as a pledge's annex: the file itself, its language and standing by what its last lines say.
pub fn annex(data: &Path, agreement: &str) -> Table {
    let (_, partner) = agreement.split_once('_').expect("day_partner");
    let (language, standing) = match partner {
        "ITA" => ("uk", "authentic"),
        "DEU" | "CAN" | "CZE" => ("en", "authentic"),
        "FRA" => ("en", "translation"),
        _ => ("en", "prevailing"),
    };
    let file = data.canonicalize().unwrap().join(format!("{agreement}.txt"));
    let mut annex = Table::new();
    for (name, value) in [
        ("file", file.to_string_lossy().as_ref()),
        ("label", &format!("Agreement with Ukraine, {agreement}")),
        ("language", language),
        ("standing", standing),
    ] {
        annex.insert(name.to_owned(), value.into());
    }
    annex
}
