//! What was found, printed as it comes, so that memory grows neither with the log nor with what is wrong with it; and the
//! summary at the end.
//!
//! For programs it is one object: the findings first, then everything else.

use super::super::screen::{self, Screen};
use super::super::{Outcome, held};
use super::Case;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use servanda::chain::Effect;
use servanda::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use servanda::field::{Class, Handle};
use servanda::history::History;
use servanda::text::count;
use servanda::verify::{Found, ObjectFinding, Report};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How many entries are remembered for taking evidence.
pub const ACCUSED_MAX: usize = 1000;

/// Prints findings as they come, and counts them.
pub struct Tally<'s> {
    /// Where to print.
    pub screen: &'s Screen,
    /// The entries that the operator is to blame for, as far as they are remembered.
    pub accused: Vec<u64>,
    /// The files of evidence that were written.
    pub evidence: Vec<PathBuf>,
    quick: bool,
    bar: ProgressBar,
    total: u64,
    /// By effect and code.
    counts: BTreeMap<(String, &'static str), u64>,
}

impl<'s> Tally<'s> {
    /// Nothing found yet.
    pub fn new(screen: &'s Screen, quick: bool) -> Self {
        let (accused, evidence, counts) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { screen, accused, evidence, quick, bar: ProgressBar::hidden(), total: 0, counts }
    }

    /// Prints above this bar from now on.
    pub fn show_above(&mut self, bar: ProgressBar) {
        self.bar = bar;
    }

    /// Takes a finding about an object.
    pub fn object(&mut self, finding: ObjectFinding) {
        self.take(Found::Object(finding));
    }

    /// Takes a finding.
    pub fn take(&mut self, found: Found) {
        let (effect, code) = match &found {
            Found::Entry(f) => (f.reason.effect(), f.reason.code()),
            Found::Object(f) => (Effect::Log, f.trouble.code()),
        };
        *self.counts.entry((effect.to_string(), code)).or_default() += 1;
        if let Found::Entry(f) = &found
            && f.reason.is_operators()
            && self.accused.last() != Some(&f.index)
            && self.accused.len() < ACCUSED_MAX
        {
            self.accused.push(f.index);
        }
        if self.screen.is_json() {
            let before = if self.total == 0 { "{\"findings\":[" } else { "," };
            screen::put(format_args!("{before}{}", in_json(&found)));
        } else {
            let line = match &found {
                Found::Entry(f) => f.to_string(),
                Found::Object(f) => f.to_string(),
            };
            self.bar.suspend(|| self.screen.say(line));
        }
        self.total += 1;
    }

    /// Whether nothing was found so far.
    pub fn is_clean(&self) -> bool {
        self.total == 0
    }

    /// Says what came of it. A log that nothing pins is not verified, however well it holds together.
    pub fn finish(self, case: &Case, report: Option<&Report>) -> anyhow::Result<Outcome> {
        let not_understood = report.and_then(|r| not_understood(&r.history));
        let outcome = match (self.total, &not_understood) {
            (0, None) if case.is_pinned() => Outcome::Good,
            (0, _) => Outcome::Unchecked,
            _ => Outcome::Bad,
        };
        if self.screen.is_json() {
            let before = if self.total == 0 { "{\"findings\":[" } else { "" };
            let rest = self.summary(case, report, outcome, not_understood).to_string();
            screen::put(format_args!("{before}],{}\n", rest.strip_prefix('{').expect("an object")));
            return Ok(outcome);
        }
        for ((effect, code), count) in &self.counts {
            self.screen.say(format!("{count} × {effect}: {code}"));
        }
        if let Some(report) = report {
            self.say_what_was_checked(report);
        }
        if let Some(roster) = report.and_then(|r| r.history.roster()).filter(|_| !case.is_pinned()) {
            self.screen.say(held::not_pinned(&roster.log));
        }
        let findings = count(self.total, "finding", "findings");
        self.screen.say(match (outcome, not_understood) {
            (Outcome::Good, _) => "verified: no findings".to_owned(),
            (Outcome::Unchecked, Some(what)) => format!("not verified: {what}"),
            (Outcome::Unchecked, None) => {
                "not verified: it holds together, but nothing says that this is the log you mean".to_owned()
            }
            _ if report.is_none() => format!("not verified: {findings}; the entries were not looked at"),
            _ => format!("not verified: {findings}"),
        });
        Ok(outcome)
    }

    fn say_what_was_checked(&self, report: &Report) {
        let (spoke, all) = authors(&report.history);
        let (size, signatures) = (report.history.head().size, report.signatures_checked);
        let entries = count(size, "entry", "entries");
        let authors = count(all, "author", "authors");
        let statements = count(signatures, "statement", "statements");
        self.screen.say(format!("{entries}, {spoke} of {authors}, the signatures of {statements} checked"));
        if self.quick {
            self.screen.say(
                "quick: relied on each author's last statement vouching for those before it, which is sound as long \
                 as clients sign only on what they kept or verified; the ledger and its rules were not looked at",
            );
        }
        if let Some(ledger) = report.history.ledger() {
            self.screen.say(format!("ledger {}", ledger.digest()));
        }
    }

    fn summary(
        &self,
        case: &Case,
        report: Option<&Report>,
        outcome: Outcome,
        not_understood: Option<String>,
    ) -> Value {
        let claim = case.signed.as_ref().map(SignedCheckpoint::claim);
        let checkpoint = case.checkpoint.as_ref();
        let cosigners = checkpoint.map(|c| c.cosigners()).unwrap_or_default();
        let counts = self
            .counts
            .iter()
            .map(|((effect, code), count)| json!({"effect": effect, "code": code, "count": count}));
        json!({
            "log": report.and_then(|r| r.history.roster()).map(|r| r.log),
            "pinned": case.is_pinned(),
            "origin": claim.map(|c| c.origin),
            "size": claim.map(|c| c.size),
            "root": claim.map(|c| c.root),
            "checkpoint_accepted": checkpoint.is_some(),
            "quorum_none": checkpoint.map(VerifiedCheckpoint::quorum_is_none),
            "witnesses":
                cosigners.iter().map(|c| json!({"name": c.name, "time_s": c.time_s})).collect::<Vec<_>>(),
            "unchecked_lines": checkpoint.map(VerifiedCheckpoint::unchecked),
            "entries": report.map(|r| r.history.head().size),
            "authors": report.map(|r| authors(&r.history).0),
            "signatures_checked": report.map(|r| r.signatures_checked),
            "quick": self.quick,
            "ledger": report.and_then(|r| r.history.ledger()).map(servanda::ledger::Ledger::digest),
            "counts": counts.collect::<Vec<_>>(),
            "evidence": self.evidence,
            "not_understood": not_understood,
            "verdict": outcome.word(),
        })
    }
}

fn in_json(found: &Found) -> Value {
    match found {
        Found::Entry(f) => json!({
            "index": f.index, "author": f.author, "id": f.id, "code": f.reason.code(),
            "effect": f.reason.effect(), "text": f.reason.to_string(),
        }),
        Found::Object(f) => json!({
            "object": f.name, "code": f.trouble.code(), "effect": Effect::Log, "text": f.trouble.to_string(),
        }),
    }
}

/// What goes beyond this program, if anything.
fn not_understood(history: &History) -> Option<String> {
    let unknown = history.unknown().map(ToString::to_string);
    let act =
        |(index, kind)| format!("act {kind} not understood: the ledger is incomplete from entry {index} on");
    unknown.or_else(|| history.incomplete().map(act))
}

/// How many have signed anything that counts, of all who might.
fn authors(history: &History) -> (usize, usize) {
    let Some(roster) = history.roster() else { return (0, 0) };
    let spoke = |h: &&Handle| Class::ALL.iter().any(|class| !history.chain(h, *class).is_new());
    (roster.members.keys().filter(spoke).count(), roster.members.len())
}
