//! The cast of the demo: who takes part, with which keys, and what each pledges. All of it comes from `examples/ukraine`,
//! which is part of the program, so that the demo needs no checkout.
//!
//! Every key is made up. Officer n of a partner, or of the operator, has the Ed25519 key of the seed
//!
//! ```text
//! SHA-256("servanda example seed\n" || handle || "/" || n)        e.g. "de/0": 3134e33a…
//! SHA-256("servanda example seed\noperator/log")                  the key that checkpoints are signed with
//! ```
//!
//! so that anyone can sign with them, and no signature proves anything about those named.

use crate::cli::act::{self, Around, Fields};
use anyhow::Context as _;
use serde::Deserialize;
use servanda::charter::file::keys;
use servanda::charter::{KeySet, Officer};
use servanda::field::{Class, Classes, Day, Handle, Instant, Roles, Short};
use servanda::hash::{Hash, labelled};
use servanda::key::openssh::PublicLine;
use servanda::key::vkey::Vkey;
use servanda::key::{ED25519, SigningKey};
use servanda::statement::{Act, Kind};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The log's unique name.
pub const ORIGIN: &str = "servanda.example/ukraine-2024";

/// The log's title.
pub const TITLE: &str = "What 27 partners pledged to Ukraine: an example, signed by no government";

/// The name of the charter's file.
pub const CHARTER: &str = "charter.toml";

/// What the seeds of all keys of the example begin with.
const SEED: &str = "servanda example seed\n";

/// What the seeds begin with of keys that the dishonest operator makes up for others.
const MADE_UP: &str = "servanda example: made up by the operator\n";

const PARTNERS: &str = include_str!("../../../examples/ukraine/partners.toml");
const KINDS: &str = include_str!("../../../examples/ukraine/kinds.toml");

macro_rules! pledges {
    ($($handle:literal)+) => {
        [$(($handle, include_str!(concat!("../../../examples/ukraine/pledges/", $handle, ".toml")))),+]
    };
}

/// Each guarantor's pledges, in the order in which the agreements were signed.
const PLEDGES: [(&str, &str); 27] = pledges!(
    "gb" "fr" "de" "dk" "ca" "it" "nl" "fi" "lv" "es" "be" "pt" "se" "no" "is" "jp" "us" "eu" "lt" "ee" "pl" "lu" "ro"
    "cz" "si" "ie" "al"
);

/// Who takes part in a log.
#[derive(Clone)]
pub struct Cast {
    /// The partners, in the charter's order.
    pub partners: Vec<Member>,
    /// The operator.
    pub operator: Member,
    /// The key that checkpoints are signed with.
    pub log_key: SigningKey,
    kinds: Kinds,
}

/// A partner, or the operator, with all its officers' keys.
#[derive(Clone)]
pub struct Member {
    /// The name in the log.
    pub handle: Handle,
    /// The name for people.
    pub name: Short,
    /// What it is in the log; the operator is nothing.
    pub roles: Roles,
    /// The officers and thresholds.
    pub set: KeySet,
    /// The officers' private keys, in their order.
    pub keys: Vec<SigningKey>,
}

/// A pledge as the example has it.
#[derive(Clone, Debug)]
pub struct Pledge {
    /// Whose it is.
    pub author: Handle,
    /// Its author's own reference, e.g. `DEU-M1`.
    pub reference: String,
    /// The day on which the agreement was signed.
    pub made_on: Day,
    fields: Fields,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPartners {
    key_sets: BTreeMap<String, RawSet>,
    partner: Vec<RawPartner>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSet {
    officers: Vec<RawOfficer>,
    thresholds: BTreeMap<String, u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOfficer {
    title: Short,
    classes: Classes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPartner {
    handle: Handle,
    name: Short,
    roles: Roles,
    key_set: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kinds {
    instruments: Vec<String>,
    incident_kinds: Vec<IncidentKind>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct IncidentKind {
    label: String,
    definition: String,
}

impl Cast {
    /// The cast of the example.
    pub fn of_the_example() -> anyhow::Result<Self> {
        let raw: RawPartners = toml::from_str(PARTNERS).context("partners.toml of the example")?;
        let set = |name: &str| raw.key_sets.get(name).with_context(|| format!("no key set {name:?}"));
        let partners = raw
            .partner
            .iter()
            .map(|p| Member::new(p.handle.clone(), p.name.clone(), p.roles, set(&p.key_set)?, SEED));
        let partners = partners.collect::<anyhow::Result<_>>()?;
        let name = Short::new("the operator")?;
        let operator = Member::new(Handle::operator(), name, Roles::default(), set("operator")?, SEED)?;
        let kinds = toml::from_str(KINDS).context("kinds.toml of the example")?;
        Ok(Self { partners, operator, log_key: key(SEED, "operator/log"), kinds })
    }

    /// The cast of a log that the operator makes up: its own keys are real, those of everybody else are not, and there is
    /// a partner more.
    pub fn made_up(&self) -> anyhow::Result<Self> {
        let mut cast = self.clone();
        let invented = self.invented()?;
        cast.partners.push(invented);
        for member in &mut cast.partners {
            member.keys = keys_of(MADE_UP, &member.handle, member.keys.len());
            for (officer, key) in member.set.officers.iter_mut().zip(&member.keys) {
                officer.key = key.public().to_bytes().to_vec().into();
            }
        }
        Ok(cast)
    }

    /// A partner that the charter does not know.
    pub fn invented(&self) -> anyhow::Result<Member> {
        let state = self.partners.first().context("the example has partners")?;
        let handle: Handle = "atlantis".parse()?;
        let keys = keys_of(MADE_UP, &handle, state.keys.len());
        let mut set = state.set.clone();
        for (officer, key) in set.officers.iter_mut().zip(&keys) {
            officer.key = key.public().to_bytes().to_vec().into();
        }
        let roles = servanda::field::Role::Guarantor;
        Ok(Member { handle, name: Short::new("Atlantis")?, roles: [roles].into_iter().collect(), set, keys })
    }

    /// The partner of a handle.
    pub fn member(&self, handle: &str) -> anyhow::Result<&Member> {
        let found = self.partners.iter().find(|m| m.handle.as_str() == handle);
        found.with_context(|| format!("{handle} is no partner of the example"))
    }

    /// The vkey of the log.
    pub fn vkey(&self) -> anyhow::Result<Vkey> {
        Ok(Vkey::log(ORIGIN, self.log_key.public())?)
    }

    /// The files that a log is founded on, by their names: the charter, and what it names.
    pub fn files(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        for member in self.partners.iter().chain([&self.operator]) {
            let head = format!("# Made up: the keys of {} in this example.\n\n", member.name);
            files.insert(keys_file(&member.handle), head + &keys::to_toml(&member.set));
        }
        files.insert("keys/log.vkey".to_owned(), format!("{}\n", self.vkey()?));
        files.insert(CHARTER.to_owned(), self.charter()?);
        Ok(files)
    }

    /// The charter as its founders would write it.
    fn charter(&self) -> anyhow::Result<String> {
        let mut text = String::from(
            "# No government signed this. Those named were not asked, and took no part; their keys are made up.\n\n",
        );
        writeln!(text, "origin = {}\ntitle = {}\nlanguage = \"en\"\n", quoted(ORIGIN), quoted(TITLE))?;
        let operator = quoted(&keys_file(&self.operator.handle));
        writeln!(text, "[operator]\nkeys = {operator}\nvkey = \"keys/log.vkey\"")?;
        for m in &self.partners {
            let roles: Vec<_> = m.roles.iter().map(|role| quoted(role.name())).collect();
            writeln!(
                text,
                "\n[[partner]]\nhandle = {}\nname = {}",
                quoted(m.handle.as_str()),
                quoted(&m.name)
            )?;
            writeln!(text, "roles = [{}]\nkeys = {}", roles.join(", "), quoted(&keys_file(&m.handle)))?;
        }
        let instruments: Vec<_> = self.kinds.instruments.iter().map(|name| quoted(name)).collect();
        writeln!(text, "\n[rules]\ninstruments = [{}]", instruments.join(", "))?;
        text.push_str(RULES);
        for kind in &self.kinds.incident_kinds {
            writeln!(text, "\n[[rules.incident_kinds]]\nlabel = {}", quoted(&kind.label))?;
            writeln!(text, "definition = {}", quoted(&kind.definition))?;
        }
        Ok(text)
    }
}

/// The rules beside the words: nobody agreed on them, they are there to play with.
const RULES: &str = "\
pledges = { need_acceptance = true, tolerance = \"0.05\", filing_grace = \"2 hours\" }
longest_expiry = \"30 days\"

[rules.incident_quorum]
count = 2
roles = [\"guarantor\", \"beneficiary\", \"observer\"]
aspects = [\"occurred\", \"kind\"]
disputes = \"against\"
";

impl Member {
    fn new(handle: Handle, name: Short, roles: Roles, raw: &RawSet, seed: &str) -> anyhow::Result<Self> {
        let keys = keys_of(seed, &handle, raw.officers.len());
        let officer = |(raw, key): (&RawOfficer, &SigningKey)| Officer {
            title: raw.title.clone(),
            algorithm: ED25519,
            key: key.public().to_bytes().to_vec().into(),
            classes: raw.classes,
        };
        let officers = raw.officers.iter().zip(&keys).map(officer).collect();
        let mut thresholds = [0; 5];
        for (name, threshold) in &raw.thresholds {
            let class = Class::from_name(name).with_context(|| format!("no class {name:?}"))?;
            thresholds[usize::from(class.number())] = *threshold;
        }
        let set = KeySet { officers, thresholds };
        set.admit(&handle)?;
        Ok(Self { handle, name, roles, set, keys })
    }

    /// The keys of as many officers as a class needs; of all officers where it is to accede.
    pub fn signers(&self, class: Class, kind: Kind) -> impl Iterator<Item = &SigningKey> {
        let all = matches!(kind, Kind::Accede | Kind::Found);
        let want = if all { self.keys.len() } else { self.set.threshold(class).into() };
        let holders = self.set.officers.iter().zip(&self.keys);
        holders.filter(move |(o, _)| all || o.classes.has(class)).map(|(_, key)| key).take(want)
    }

    /// The public line of an officer's key.
    pub fn public_line(&self, officer: usize) -> PublicLine {
        let comment =
            format!("{} of {}, made up for an example", self.set.officers[officer].title, self.name);
        PublicLine { key: self.keys[officer].public(), comment }
    }
}

impl Pledge {
    /// All pledges of the example, in the order of the agreements.
    pub fn all() -> anyhow::Result<Vec<Self>> {
        let mut all = Vec::new();
        for (handle, text) in PLEDGES {
            let author: Handle = handle.parse()?;
            let table: toml::Table = text.parse().with_context(|| format!("{handle}.toml of the example"))?;
            let pledges = table.get("pledge").and_then(toml::Value::as_array);
            for pledge in pledges.with_context(|| format!("{handle}.toml holds no pledges"))? {
                all.push(Self::new(author.clone(), pledge)?);
            }
        }
        all.sort_by_key(|pledge| pledge.made_on);
        Ok(all)
    }

    fn new(author: Handle, pledge: &toml::Value) -> anyhow::Result<Self> {
        let text = |name: &str| {
            let value = pledge.get(name).and_then(toml::Value::as_str);
            value.with_context(|| format!("a pledge of {author} without {name}"))
        };
        let (reference, made_on) = (text("reference")?.to_owned(), text("made_on")?.parse()?);
        let serde_json::Value::Object(fields) = serde_json::to_value(pledge)? else {
            anyhow::bail!("a pledge of {author} is no table");
        };
        Ok(Self { author, reference, made_on, fields: Fields(fields) })
    }

    /// The act, as `servanda pledge` makes it of the same fields; `ids` knows the pledges before by their references.
    pub fn act(&self, now: Instant, ids: &BTreeMap<String, Hash>) -> anyhow::Result<Act> {
        let complete = |reference: &str| {
            let id = ids.get(reference).with_context(|| format!("no pledge {reference} comes before"))?;
            Ok(id.to_string())
        };
        let language = "en".to_owned();
        let around =
            Around { now, language, complete_id: &complete, folder: None, roster: None, ledger: None };
        act::act(Kind::Pledge, self.fields.clone(), &around)
            .with_context(|| format!("pledge {} of the example", self.reference))
    }
}

/// The name of a partner's key-set file.
fn keys_file(handle: &Handle) -> String {
    format!("partners/{handle}.keys.toml")
}

fn keys_of(seed: &str, handle: &Handle, officers: usize) -> Vec<SigningKey> {
    (0..officers).map(|n| key(seed, &format!("{handle}/{n}"))).collect()
}

fn key(seed: &str, name: &str) -> SigningKey {
    SigningKey::from_seed(&labelled(seed, name.as_bytes()).0)
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
