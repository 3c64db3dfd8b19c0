//! Users' stories, and the README: what they say is typed is run, and what they say is answered must be answered.
//!
//! A story is a Markdown file in `tests/stories/`. Two kinds of blocks in it are alive:
//!
//! ````text
//! ```toml                              ```console
//! # file: charter.toml                 $ servanda verify paris --trust other.toml
//! origin = "guarantees.example/paris"  ? 2
//! ```                                  error: other.toml cannot be read: No such file or directory
//!                                      ```
//! ````
//!
//! A `toml` block is written to the file that it names, whole; of a `text` block the first line is left out
//! (`# file: NAME, mode 0600` sets the mode). In `console`, a line that begins with `$` is run (`\` continues it); `?` is
//! its exit code where that is not 0; the rest is all that it wrote, to both streams. A line `…` stands for any lines.
//! Commands are `servanda`, or one of [`TOOLS`]; any other is an error, so that nothing is skipped. `export NAME=VALUE` holds
//! from then on, in the stories that go on from it, too. A word with `*` in it stands for the one file that is called so.
//!
//! A story is played in an empty folder, without a terminal, at noon of 1 December 2026. One that begins with
//! `<!-- continues NAME -->` goes on where that one ended. Keys are random: `keygen` is run, and then the key that it made
//! is replaced, in files and output, by one whose seed is [`SEED`] and the path: so ids are the same every time.
//!
//! `SERVANDA_BLESS=1` writes what was answered into the stories.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use servanda::hash::sha256;
use servanda::key::SigningKey;
use servanda::key::openssh::{PublicLine, write_private};
use servanda::key::vkey::Vkey;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What a story may run besides `servanda`.
const TOOLS: [&str; 3] = ["chmod", "cp", "rm"];

/// Before a key's path, its seed. These keys are known to all and prove nothing.
const SEED: &str = "servanda story key\n";

const NOW: &str = "2026-12-01T12:00Z";

/// Where a story is played.
struct Stage {
    folder: TempDir,
    /// How many commands of the story were run; those of one before are not counted.
    commands: usize,
    /// What was exported.
    exported: Vec<(String, String)>,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("desk")).unwrap();
        Self { folder, commands: 0, exported: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("desk").join(name)
    }

    /// Runs a command; gives its exit code, and what it wrote.
    fn run(&mut self, line: &str) -> (i32, String) {
        let words: Vec<String> = words(line).into_iter().map(|word| self.named(word)).collect();
        if words[0] == "export" {
            let pair =
                |word: &String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            self.exported.extend(words[1..].iter().map(|word| pair(word).expect("NAME=VALUE")));
            self.commands += 1;
            return (0, String::new());
        }
        let program = match words[0].as_str() {
            "servanda" => env!("CARGO_BIN_EXE_servanda"),
            tool => {
                TOOLS.iter().find(|t| **t == tool).unwrap_or_else(|| panic!("no story runs {tool}: {line}"))
            }
        };
        let (mut read, write) = std::io::pipe().unwrap();
        let mut command = Command::new(program);
        command.args(&words[1..]).current_dir(self.path("")).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("SERVANDA_NOW", NOW);
        command.env("HOME", self.folder.path()).env("XDG_STATE_HOME", self.folder.path().join("state"));
        command.envs(self.exported.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(write.try_clone().unwrap()).stderr(write);
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut said = String::new();
        read.read_to_string(&mut said).unwrap();
        let code = child.wait().unwrap().code().unwrap();
        self.commands += 1;
        if words.get(1).is_some_and(|verb| verb == "keygen") && code == 0 {
            said = self.known_key(&words[2..], &said);
        }
        (code, said)
    }

    /// The file that a word with one `*` in it stands for.
    fn named(&self, word: String) -> String {
        let Some((before, after)) = word.split_once('*') else { return word };
        let names =
            fs::read_dir(self.path("")).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
        let fits = |name: &String| name.starts_with(before) && name.ends_with(after);
        let found: Vec<String> = names.filter(fits).collect();
        assert_eq!(found.len(), 1, "{word} stands for {found:?}");
        found.into_iter().next().unwrap()
    }

    /// Puts a key that is known to all in the place of the one just made.
    fn known_key(&self, arguments: &[String], said: &str) -> String {
        let mut given = (None, None, None, None);
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "--comment" => given.1 = rest.next(),
                "--passphrase-file" => given.2 = rest.next(),
                "--log" => given.3 = rest.next(),
                "--no-passphrase" => {}
                path => given.0 = Some(path),
            }
        }
        let (path, comment, passphrase, log) = given;
        let path = path.unwrap_or(if log.is_some() { "keys/log" } else { "keys/officer" });
        let key = SigningKey::from_seed(&sha256(format!("{SEED}{path}").as_bytes()).0);
        let comment = comment.or(log).cloned().unwrap_or_default();
        let passphrase = passphrase.map(|file| fs::read_to_string(self.path(file)).unwrap());
        let private = write_private(&key, &comment, passphrase.as_ref().map(|text| text.trim_end())).unwrap();
        fs::write(self.path(path), private.as_bytes()).unwrap();

        let beside = self.path(&format!("{path}.{}", if log.is_some() { "vkey" } else { "pub" }));
        let made = fs::read_to_string(&beside).unwrap();
        let (line, said) = match log {
            Some(origin) => (Vkey::log(origin, key.public()).unwrap().to_string(), said.to_owned()),
            None => {
                let new = PublicLine { key: key.public(), comment };
                let old = PublicLine::parse(&made).unwrap();
                (new.to_string(), said.replace(&old.fingerprint(), &new.fingerprint()))
            }
        };
        fs::write(&beside, format!("{line}\n")).unwrap();
        said.replace(made.trim_end(), &line)
    }

    /// Writes the file that a block is.
    fn write(&self, kind: &str, named: &str, lines: &[&str]) {
        let (name, mode) = named.split_once(", mode ").unwrap_or((named, "0644"));
        let from = usize::from(kind == "```text");
        fs::write(self.path(name), lines[from..].join("\n") + "\n").unwrap();
        let mode = u32::from_str_radix(mode, 8).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Plays a story, and gives it as it went.
    fn play(&mut self, text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        let mut went: Vec<String> = Vec::new();
        if let Some(before) = lines[0].strip_prefix("<!-- continues ").and_then(|l| l.strip_suffix(" -->")) {
            self.play(&fs::read_to_string(folder().join(before)).unwrap());
            self.commands = 0;
        }
        let mut at = 0;
        while at < lines.len() {
            let kind = lines[at];
            went.push(kind.to_owned());
            at += 1;
            if !kind.starts_with("```") {
                continue;
            }
            let end = at + lines[at..].iter().position(|line| *line == "```").expect("a block ends");
            let block = &lines[at..end];
            if let Some(named) = block.first().and_then(|line| line.strip_prefix("# file: ")) {
                self.write(kind, named, block);
            }
            if kind == "```console" {
                went.extend(self.play_block(block));
            } else {
                went.extend(block.iter().map(|line| (*line).to_owned()));
            }
            went.push("```".to_owned());
            at = end + 1;
        }
        went.join("\n") + "\n"
    }

    fn play_block(&mut self, block: &[&str]) -> Vec<String> {
        let mut went: Vec<String> = Vec::new();
        let mut lines = block.iter().copied().peekable();
        while let Some(line) = lines.next() {
            let mut command =
                line.strip_prefix("$ ").unwrap_or_else(|| panic!("not a command: {line}")).to_owned();
            went.push(line.to_owned());
            while command.ends_with('\\') {
                command.pop();
                let more = lines.next().expect("a line after \\");
                command.push_str(more);
                went.push(more.to_owned());
            }
            let mut told = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                told.push(line);
            }
            let (code, said) = self.run(&command);
            let mark = (code != 0).then(|| format!("? {code}"));
            let is: Vec<&str> = mark.iter().map(String::as_str).chain(said.lines()).collect();
            assert!(
                !is.iter().any(|l| l.starts_with("$ ") || l.starts_with("```")),
                "{command} ends its block"
            );
            let kept = if fits(&told, &is) { told } else { is };
            went.extend(kept.into_iter().map(str::to_owned));
        }
        went
    }
}

/// Whether what a story tells is what happened; `…` stands for any lines.
fn fits(told: &[&str], is: &[&str]) -> bool {
    let Some(gap) = told.iter().position(|line| *line == "…") else { return told == is };
    let (head, tail) = (&told[..gap], &told[gap + 1..]);
    is.starts_with(head) && (gap..=is.len()).any(|from| fits(tail, &is[from..]))
}

/// A command line's words; double quotes hold blanks together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, part) in line.split('"').enumerate() {
        if n % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories")
}

fn stories() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    found.sort();
    found.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    found
}

/// Plays one story; gives the first line that went otherwise.
fn played(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).unwrap();
    let mut stage = Stage::new();
    let went = stage.play(&text);
    let typed = text.lines().filter(|line| line.starts_with("$ ")).count();
    assert_eq!(stage.commands, typed, "{}: commands that were not run", path.display());
    assert!(stage.commands > 2, "{} runs nothing", path.display());
    if went == text {
        return Ok(());
    }
    if std::env::var_os("SERVANDA_BLESS").is_some() {
        fs::write(path, went).unwrap();
        return Ok(());
    }
    let at = went.lines().zip(text.lines()).take_while(|(is, told)| is == told).count();
    let line = |of: &str| of.lines().nth(at).unwrap_or("(nothing)").to_owned();
    Err(format!("{}:{}: told {:?}, is {:?}", path.display(), at + 1, line(&text), line(&went)))
}

#[test]
fn every_story_and_the_readme_went_as_they_are_told() {
    let all = stories();
    assert_eq!(all.len(), 17, "stories");
    let wrong: Vec<String> = all.iter().filter_map(|path| played(path).err()).collect();
    assert!(wrong.is_empty(), "SERVANDA_BLESS=1 writes what is:\n{}", wrong.join("\n"));
}

#[test]
fn a_gap_stands_for_any_lines_and_nothing_else_does() {
    assert!(fits(&["a", "…", "c"], &["a", "b", "b", "c"]));
    assert!(fits(&["a", "…"], &["a"]));
    assert!(!fits(&["a", "…", "c"], &["a", "b"]));
    assert!(!fits(&["a"], &["a", "b"]));
    assert!(!fits(&["b", "…"], &["a", "b"]));
}
