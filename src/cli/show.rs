//! `show`: one entry in words, with who signed it and whether the signatures hold.

use super::lookup::{Wanted, find};
use super::open::{Log, LogArgs, read_problem};
use super::plain::{plain, quoted};
use super::{Context, Outcome, words};
use serde_json::{Value, json};
use servanda::chain::Finding;
use servanda::charter::{KeySet, LEVEL, Officer};
use servanda::client::Client;
use servanda::entry::SignedEntry;
use servanda::field::Handle;
use servanda::key::{ED25519, VerifyingKey};
use servanda::proof::{Judged, RosterFile, judge};
use servanda::roster::Roster;
use servanda::roster::signing::NEW;
use servanda::statement::{Act, Kind, Signature, signed_bytes};
use servanda::text::count;

const AFTER: &str = "\
An entry is named by its statement's id, of which four digits will do where no other begins with them, by its index, \
written @12 or '#12', or, where it is a pledge or record, by its author's reference. The signatures are checked by the roster in force at the entry's index; what needs the whole log \
(that nothing was left out, say) is for `verify`.

EXAMPLE
  servanda show 3f9c02 --log paris
  servanda show @12 --log paris --trust trust.toml";

/// Show everything that one entry says, and who signed it
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The statement's id or its first digits, @ and the entry's index, or a pledge's reference
    #[arg(value_name = "ID")]
    id: Wanted,
    #[command(flatten)]
    log: LogArgs,
}

/// Runs the verb.
///
/// # Errors
/// When there is no such entry, or the log cannot be read.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let screen = &context.screen;
    let log = Log::open(&args.log, screen)?;
    log.caution(screen);
    let index = find(&log, screen, &args.id)?;
    let mut client = log.client()?;
    let bytes = client.entry(index).map_err(read_problem)?;
    let e = match SignedEntry::decode(&bytes) {
        Ok(e) => e,
        Err(error) => {
            let (len, what) = (count(bytes.len(), "byte is", "bytes are"), plain(&error.to_string()));
            screen.say(format!("entry {index} cannot be read: {what}; its {len}"));
            screen.say(hex::encode(&bytes));
            screen.json(&json!({
                "index": index, "undecodable": error.to_string(), "bytes": hex::encode(&bytes), "pinned": log.is_pinned(),
            }))?;
            return Ok(Outcome::Bad);
        }
    };
    let verdict = Verdict::of(&log, &mut client, index, &e);
    if screen.is_json() {
        screen.json(&verdict.json(&log, &e))?;
    } else {
        let names = |handle: &Handle| log.name(handle);
        let page = words::statement(&e.statement, &names);
        for line in page.iter().chain(&verdict.lines(&log, index, &e, &names)) {
            screen.say(line);
        }
    }
    Ok(verdict.outcome())
}

/// What the entry and the roster at its index tell.
struct Verdict {
    /// None where the roster is not known; then why.
    judged: Result<Judged, String>,
    findings: Vec<Finding>,
    signers: Vec<Signer>,
}

/// Who signed, and whether the signature holds.
struct Signer {
    number: u8,
    officer: Option<Officer>,
    holds: bool,
}

impl Verdict {
    fn of(log: &Log, client: &mut Client<'_>, index: u64, e: &SignedEntry) -> Self {
        let judged = judged(log, client, index, e);
        let roster = judged.as_ref().ok().map(|j| &j.roster);
        let reasons = judged.as_ref().map(|j| j.reasons.clone()).unwrap_or_default();
        let finding =
            |reason| Finding { index, author: Some(e.statement.author.clone()), id: Some(e.id), reason };
        let findings = reasons.into_iter().map(finding).collect();
        let signers = e.entry.signatures.iter().map(|s| signer(roster, e, s)).collect();
        Self { judged, findings, signers }
    }

    fn outcome(&self) -> Outcome {
        match (&self.judged, self.findings.is_empty()) {
            (Err(_), _) => Outcome::Unchecked,
            (Ok(_), true) => Outcome::Good,
            (Ok(_), false) => Outcome::Bad,
        }
    }

    fn lines(&self, log: &Log, index: u64, e: &SignedEntry, names: words::Names<'_>) -> Vec<String> {
        let mut page = words::Page::new(names);
        page.gap();
        page.row("entry", format!("{index} of a log of size {}", log.checkpoint.size()));
        page.row("sequenced", format!("at {} by the operator's clock", e.entry.sequenced_at));
        page.hash("leaf hash", &e.leaf);
        page.hash("link", &e.entry.link);
        page.row("roster", format!("as of entry {}, whose leaf hash was", e.entry.roster.index));
        page.hash("", &e.entry.roster.leaf);
        page.gap();
        for signer in &self.signers {
            page.row(&signer.key(), signer.words(&e.statement.author));
        }
        page.gap();
        for finding in &self.findings {
            page.sentence(plain(&finding.to_string()));
        }
        match (&self.judged, self.outcome()) {
            (Err(what), _) => page.sentence(format!("Not checked: {}.", plain(what))),
            (_, Outcome::Good) => {
                page.sentence("In order, as far as the entry and the roster at its index tell.");
                page.sentence("Whether nothing was left out or moved is for \"servanda verify\" to tell.");
            }
            _ => page.sentence("Not in order."),
        }
        page.finish()
    }

    fn json(&self, log: &Log, e: &SignedEntry) -> Value {
        let mut out = words::json(e);
        let findings = self.findings.iter().map(
            |f| json!({"code": f.reason.code(), "effect": f.reason.effect(), "text": f.reason.to_string()}),
        );
        let signers = self.signers.iter().map(|s| {
            json!({
                "officer": s.number,
                "title": s.officer.as_ref().map(|o| &o.title),
                "classes": s.officer.as_ref().map(|o| o.classes),
                "holds": s.holds,
            })
        });
        let fields = out.as_object_mut().expect("an object");
        fields.insert("signers".to_owned(), signers.collect());
        fields.insert("findings".to_owned(), findings.collect());
        fields.insert("not_checked".to_owned(), json!(self.judged.as_ref().err()));
        fields.insert("pinned".to_owned(), json!(log.is_pinned()));
        out
    }
}

/// Judges an entry by the roster before it, as the operator's pointers declare it.
fn judged(log: &Log, client: &mut Client<'_>, index: u64, e: &SignedEntry) -> Result<Judged, String> {
    let unknown = |what: String| format!("the roster at this index is not known: {what}");
    let file = RosterFile::make(client).map_err(|error| unknown(error.to_string()))?;
    let chain = file.verify(client.size(), &client.root()).map_err(|error| unknown(error.to_string()))?;
    let judged = judge(&chain, index, e, Some(&log.id())).map_err(|error| unknown(error.to_string()))?;
    if let Some(what) = &judged.roster.unknown {
        return Err(what.to_string());
    }
    if judged.roster.charter.level > LEVEL && Kind::from_number(e.statement.kind).is_none() {
        return Err(format!("act {} not understood", e.statement.kind));
    }
    Ok(judged)
}

fn signer(roster: Option<&Roster>, e: &SignedEntry, s: &Signature) -> Signer {
    let s_new = s.officer.checked_sub(NEW);
    let carried = carried_keys(roster, e);
    let set = match (carried, e.act()) {
        (Some(set), Ok(Act::Rotate(_))) if s_new.is_some() => Some(set),
        (Some(set), Ok(Act::Found(_) | Act::Accede(_))) => Some(set),
        _ => roster.and_then(|r| r.keys(&e.statement.author)).map(|k| &k.set),
    };
    let place = if matches!(e.act(), Ok(Act::Rotate(_))) { s_new.unwrap_or(s.officer) } else { s.officer };
    let officer = set.and_then(|set| set.officers.get(usize::from(place))).cloned();
    let key = officer.as_ref().filter(|o| o.algorithm == ED25519 && s.algorithm == ED25519);
    let key = key.and_then(|o| VerifyingKey::admit(&o.key).ok());
    let holds = key.is_some_and(|key| key.holds(&signed_bytes(&e.id), &s.bytes));
    Signer { number: s.officer, officer, holds }
}

/// The key set that the statement itself brings, in kinds 0 to 2.
fn carried_keys<'e>(roster: Option<&Roster>, e: &'e SignedEntry) -> Option<&'e KeySet> {
    if !roster.is_some_and(|r| r.carries_keys(&e.statement)) {
        return None;
    }
    match e.act() {
        Ok(Act::Found(f)) => Some(&f.keys),
        Ok(Act::Accede(a)) => Some(&a.keys),
        Ok(Act::Rotate(r)) => Some(&r.keys),
        _ => None,
    }
}

impl Signer {
    fn key(&self) -> String {
        match self.number.checked_sub(NEW) {
            Some(new) => format!("new off. {new}"),
            None => format!("officer {}", self.number),
        }
    }

    fn words(&self, author: &Handle) -> String {
        let holds = if self.holds { "the signature holds" } else { "the signature does not hold" };
        match &self.officer {
            Some(o) => format!("{} ({}): {holds}", quoted(&o.title), o.classes),
            None => format!("no such officer of {author} is known at this index: not checked"),
        }
    }
}
