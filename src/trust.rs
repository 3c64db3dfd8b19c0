//! What a verifier must hold: `trust.toml`, handed out by a channel that its readers trust.
//!
//! ```toml
//! log = "c06ca6d2…"                    # 64 hex digits: the log's id
//! origin = "guarantees.example/paris-2026"
//! at = "https://guarantees.example/paris-2026"
//! policy = """
//! log guarantees.example/paris-2026+7d24e4d3+AYqI…
//! quorum none
//! """
//!
//! [[partner]]                          # if wanted: then a proof needs no roster file
//! handle = "de"
//! [partner.thresholds]
//! govern = 1
//! [[partner.officer]]
//! title = "Minister"
//! key = "ssh-ed25519 AAAA…"
//! classes = ["govern"]
//! ```
//!
//! The log id pins statement 0, and with it who the partners are; without it, whoever relies on this file must say "not
//! pinned". The policy (c2sp.org/tlog-policy) says which keys sign checkpoints; its `log` line is the founding key. A key
//! set has the fields of a key-set file ([`keys`]), its keys in it.

use crate::charter::KeySet;
use crate::charter::file::keys::{self, RawKeys, RawOfficer, Thresholds};
use crate::charter::file::{At, Wrong, line_of, parse};
use crate::field::Handle;
use crate::hash::Hash;
use crate::key::vkey::is_vkey_name;
use crate::policy::{Policy, PolicyError};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use toml::Spanned;

/// The longest trust file, in bytes.
pub const MAX_TRUST: usize = 4 << 20;

/// The longest place where a log can be read, in bytes.
pub const MAX_PLACE: usize = 2048;

/// What a verifier holds of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The log's id; none: nothing pins who the partners are.
    pub log: Option<Hash>,
    /// The log's name, as founded.
    pub origin: String,
    /// Where it can be read: a directory or URL, on one line, without blanks at its ends.
    pub at: Option<String>,
    /// Whose checkpoints count; one log in it has the origin's name.
    pub policy: Policy,
    /// Partners' key sets, for those that need no roster file.
    pub partners: BTreeMap<Handle, KeySet>,
}

/// What is wrong with a trust file, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}{wrong}", .line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct TrustError {
    /// The line, from 1; none where it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong.
    pub wrong: Distrust,
}

/// What is wrong with a trust file.
#[derive(Debug, thiserror::Error)]
pub enum Distrust {
    /// It is longer than a trust file may be.
    #[error("{0} bytes, at most {MAX_TRUST} are read")]
    TooLong(usize),
    /// It is no TOML, has an unknown field, or a key set in it is wrong.
    #[error("{0}")]
    File(Wrong),
    /// The origin is no key name.
    #[error("not an origin: {0:?}")]
    Origin(String),
    /// The place is empty, too long, or holds control characters.
    #[error("want a directory or URL of at most {MAX_PLACE} bytes, on one line")]
    Place,
    /// The policy is none.
    #[error("{}", in_policy(.0))]
    Policy(Box<PolicyError>),
    /// The policy has no log of this origin.
    #[error("the policy has no log named {0:?}")]
    NoLog(String),
    /// A partner stands there twice.
    #[error("{0} stands here twice")]
    HandleTwice(Handle),
    /// A key stands there for two partners.
    #[error("a key of {here} is also one of {there}")]
    KeyTwice {
        /// Whose it is here.
        here: Handle,
        /// Whose it is above.
        there: Handle,
    },
}

impl Trust {
    /// Reads a trust file.
    ///
    /// # Errors
    /// [`TrustError`] says which line is wrong, and why.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        if text.len() > MAX_TRUST {
            return Err(TrustError { line: None, wrong: Distrust::TooLong(text.len()) });
        }
        let at = |span: Range<usize>, wrong| TrustError {
            line: Some(line_of(text.as_bytes(), span.start)),
            wrong,
        };
        let in_file = |At { span, wrong }: At| TrustError {
            line: span.map(|span| line_of(text.as_bytes(), span.start)),
            wrong: Distrust::File(wrong),
        };
        let raw: Raw = parse(text).map_err(in_file)?;
        let origin = raw.origin.get_ref().clone();
        if !is_vkey_name(&origin) {
            return Err(at(raw.origin.span(), Distrust::Origin(origin)));
        }
        if let Some(place) = &raw.at
            && !is_place(place.get_ref())
        {
            return Err(at(place.span(), Distrust::Place));
        }
        let policy: Policy = raw.policy.get_ref().parse().map_err(|error| {
            let line = policy_line(text, raw.policy.span(), &error);
            TrustError { line: Some(line), wrong: Distrust::Policy(Box::new(error)) }
        })?;
        if !policy.logs().iter().any(|log| log.vkey.name() == origin) {
            return Err(at(raw.policy.span(), Distrust::NoLog(origin)));
        }
        let mut partners = BTreeMap::new();
        let mut owners = HashMap::new();
        for raw in raw.partner {
            let (handle, span) = (raw.handle.get_ref().clone(), raw.handle.span());
            if partners.contains_key(&handle) {
                return Err(at(span, Distrust::HandleTwice(handle)));
            }
            let set = RawKeys { thresholds: raw.thresholds, officer: raw.officer };
            let placed = set.check(&handle, &mut |_| Err(Wrong::NoKeyFiles)).map_err(in_file)?;
            for (key, span) in placed.keys.iter().zip(placed.spans) {
                if let Some(there) = owners.insert(key.to_bytes(), handle.clone()) {
                    return Err(at(span, Distrust::KeyTwice { here: handle, there }));
                }
            }
            partners.insert(handle, placed.set);
        }
        Ok(Self { log: raw.log, origin, at: raw.at.map(Spanned::into_inner), policy, partners })
    }
}

impl FromStr for Trust {
    type Err = TrustError;

    fn from_str(text: &str) -> Result<Self, TrustError> {
        Self::parse(text)
    }
}

/// The file, with a comment for whoever gets it.
impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# What a verifier of this log holds. Get it by a channel you trust, and keep it.\n")?;
        match &self.log {
            Some(log) => writeln!(f, "# The log's id: pins who the partners are.\nlog = \"{log}\"")?,
            None => writeln!(f, "# No log id: nothing here pins who the partners are.")?,
        }
        writeln!(f, "origin = {}", keys::quoted(&self.origin))?;
        if let Some(at) = &self.at {
            writeln!(f, "at = {}", keys::quoted(at))?;
        }
        writeln!(f, "\n# Whose signatures a checkpoint needs (c2sp.org/tlog-policy).")?;
        if self.policy.quorum_is_none() {
            writeln!(
                f,
                "# \"quorum none\": no witness needs to have seen it, so others may be shown another log."
            )?;
        }
        let policy = self.policy.to_string().replace('\\', "\\\\").replace('"', "\\\"");
        writeln!(f, "policy = \"\"\"\n{policy}\"\"\"")?;
        for (handle, set) in &self.partners {
            writeln!(f, "\n[[partner]]\nhandle = \"{handle}\"\n")?;
            keys::write(f, set, "partner.")?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    log: Option<Hash>,
    origin: Spanned<String>,
    at: Option<Spanned<String>>,
    policy: Spanned<String>,
    #[serde(default)]
    partner: Vec<RawPartner>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPartner {
    handle: Spanned<Handle>,
    thresholds: Option<Spanned<Thresholds>>,
    #[serde(default)]
    officer: Vec<RawOfficer>,
}

fn is_place(place: &str) -> bool {
    place == place.trim()
        && (1..=MAX_PLACE).contains(&place.len())
        && !place.contains(|c: char| c.is_control())
}

/// What is wrong with a policy, without the line in it: the file's own line is told.
fn in_policy(error: &PolicyError) -> String {
    match error {
        PolicyError::Line { reason, .. } => format!("policy: {reason}"),
        other => other.to_string(),
    }
}

/// The file's line in which the policy is wrong: where its lines are the file's own, the very line.
fn policy_line(text: &str, span: Range<usize>, error: &PolicyError) -> usize {
    let first = line_of(text.as_bytes(), span.start);
    let written = &text[span];
    let inside = match error {
        PolicyError::Line { line, .. } if written.starts_with("\"\"\"") || written.starts_with("'''") => {
            // A line end right behind the quotes is no part of the policy.
            if written[3..].starts_with(['\n', '\r']) { *line } else { *line - 1 }
        }
        _ => 0,
    };
    first + inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::Officer;
    use crate::field::{Class, Short};
    use crate::key::vkey::Vkey;
    use crate::key::{ED25519, SigningKey};
    use proptest::prelude::*;

    const ORIGIN: &str = "guarantees.example/paris-2026";

    fn set(seed: u8) -> KeySet {
        let officer = Officer {
            title: Short::new("Minister \"of\" Defence").unwrap(),
            algorithm: ED25519,
            key: SigningKey::from_seed(&[seed; 32]).public().to_bytes().to_vec().into(),
            classes: [Class::Govern, Class::Commit].into_iter().collect(),
        };
        KeySet { officers: vec![officer].into(), thresholds: [1, 1, 0, 0, 0] }
    }

    fn trust(witnesses: u8) -> Trust {
        let log = Vkey::log(ORIGIN, SigningKey::from_seed(&[90; 32]).public()).unwrap();
        let witness = |seed| {
            Vkey::witness(&format!("w\"\\{seed}"), SigningKey::from_seed(&[seed; 32]).public()).unwrap()
        };
        let witnesses: Vec<_> = (100..100 + witnesses).map(witness).collect();
        let threshold = (!witnesses.is_empty()).then_some(witnesses.len());
        Trust {
            log: Some(Hash([7; 32])),
            origin: ORIGIN.into(),
            at: Some("https://guarantees.example/paris-2026".into()),
            policy: Policy::of(&[log], &witnesses, threshold).unwrap(),
            partners: BTreeMap::from([("de".parse().unwrap(), set(1)), ("fr".parse().unwrap(), set(2))]),
        }
    }

    #[test]
    fn a_trust_file_reads_back_to_what_was_written() {
        let plain = Trust { log: None, at: None, partners: BTreeMap::new(), ..trust(0) };
        for trust in [trust(0), trust(3), plain] {
            let text = trust.to_string();
            assert_eq!(Trust::parse(&text).unwrap(), trust, "{text}");
        }
    }

    #[test]
    fn a_file_without_witnesses_says_so() {
        assert!(trust(0).to_string().contains("# \"quorum none\": no witness"));
        assert!(!trust(1).to_string().contains("quorum none"));
        assert!(Trust { log: None, ..trust(0) }.to_string().contains("# No log id"));
    }

    #[test]
    fn each_fault_is_told_with_its_line() {
        let good = trust(1).to_string();
        let line = |needle: &str| {
            1 + good.lines().position(|line| line.starts_with(needle)).unwrap_or_else(|| panic!("{needle}"))
        };
        let key = |seed: u8| set_line(&set(seed));
        for (old, new, at, want) in [
            ("log = \"07", "log = \"0", line("log ="), "not a digest"),
            ("log = \"07", "id = \"07", line("log ="), "unknown field `id`"),
            (ORIGIN, "a b", line("origin"), "not an origin: \"a b\""),
            (ORIGIN, "other.example", line("policy"), "the policy has no log named \"other.example\""),
            ("https:", " https:", line("at ="), "want a directory or URL"),
            ("https:", "https:\\n", line("at ="), "want a directory or URL"),
            ("\nquorum", "\nqorum", line("quorum"), "policy: \"qorum\" is not log"),
            ("\nwitness", "\nwitness w", line("witness"), "policy: vkey is not"),
            ("handle = \"fr\"", "handle = \"de\"", line("handle = \"fr"), "de stands here twice"),
            ("handle = \"fr\"", "handle = \"FR\"", line("handle = \"fr"), "not a handle"),
            ("commit = 1", "commit = 2", line("commit"), "threshold of class \"commit\" is 2"),
            ("commit = 1", "comit = 1", line("commit"), "unknown class \"comit\""),
            (&key(2), &key(1), line(&key(2)), "a key of fr is also one of de"),
            ("key = \"ssh", "key_file = \"ssh", line("key ="), "the key itself must stand here"),
            ("key = \"ssh", "key = \"sh", line("key ="), "not a public key line"),
        ] {
            assert!(good.contains(old), "{old}");
            let told = Trust::parse(&good.replacen(old, new, 1)).unwrap_err().to_string();
            let start = format!("line {at}: ");
            assert!(
                told.starts_with(&start) && told[start.len()..].starts_with(want),
                "{told}\nwant {at}, {want}"
            );
        }
    }

    fn set_line(set: &KeySet) -> String {
        let text = keys::to_toml(set);
        text.lines().find(|line| line.starts_with("key")).unwrap().to_owned()
    }

    #[test]
    fn a_policy_on_one_line_is_wrong_in_that_line() {
        for (policy, line) in [
            ("\"quorum none\\nlog x\\n\"", 3),
            ("'''quorum none\nlog x\n'''", 4),
            ("\"\"\"\n\nlog x\n\"\"\"", 5),
            ("\"log x\"", 3),
        ] {
            let text = format!("\norigin = \"{ORIGIN}\"\npolicy = {policy}\n");
            assert_eq!(Trust::parse(&text).unwrap_err().line, Some(line), "{text}");
        }
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let mut text = trust(0).to_string() + "#";
        text.push_str(&"x".repeat(MAX_TRUST - text.len()));
        assert!(Trust::parse(&text).is_ok());
        text.push('x');
        let error = Trust::parse(&text).unwrap_err();
        assert!(matches!(error.wrong, Distrust::TooLong(len) if len == MAX_TRUST + 1), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,300}") {
            let _ = Trust::parse(&text);
        }

        #[test]
        fn a_changed_character_is_refused_or_reads_back(at in any::<prop::sample::Index>(), to in ".") {
            let good = trust(2).to_string();
            let at = good.floor_char_boundary(at.index(good.len()));
            let text = format!("{}{to}{}", &good[..at], &good[at + 1..]);
            if let Ok(read) = Trust::parse(&text) {
                prop_assert_eq!(Trust::parse(&read.to_string()).unwrap(), read);
            }
        }
    }
}
