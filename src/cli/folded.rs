//! A log verified whole and folded up to a moment: what `history` and `review-pack` answer from.
//!
//! The ledger at T folds all entries up to the last whose effective time is not after T, and then lets time pass to T.
//! What an answer rests on stands in its last line: `entry n, verified, checkpoint …`, or what is held against the log.

use super::open::{Log, read_problem};
use super::plain::plain;
use super::problem::Problem;
use super::{Context, Outcome, beginning, kept};
use serde_json::{Value, json};
use servanda::chain::{Effect, Finding};
use servanda::charter::Charter;
use servanda::field::{Handle, Instant};
use servanda::history::History;
use servanda::ledger::{Ledger, Moment};
use servanda::roster::Roster;
use servanda::text::count;
use servanda::verify::{Audit, Found, Options};
use std::collections::BTreeMap;

/// What follows from a log's entries up to a moment.
pub struct Folded {
    /// The fold.
    history: History,
    /// The moment to ask for.
    pub when: Moment,
    /// What verification of the whole log holds against entries.
    findings: BTreeMap<u64, Vec<Finding>>,
    /// How many findings there are altogether, those about objects included.
    found: u64,
}

impl Folded {
    /// Verifies a log under its checkpoint, and folds it up to a moment; none: the context's clock, but never before
    /// the last entry.
    ///
    /// # Errors
    /// When the log cannot be read, or nothing was founded before the moment.
    pub fn read(context: &Context, log: &Log, at: Option<Instant>) -> anyhow::Result<Self> {
        let (history, found) = kept::verified(context, log)?;
        // What is wrong with which entry is asked for only where anything is.
        let findings = if found == 0 { BTreeMap::new() } else { findings(log)? };
        let last = history.times().1;
        let at = at.unwrap_or_else(|| context.clock.now().max(last));
        let mut folded = Self { history, when: Moment::at(at), findings, found };
        if at < last {
            folded.history = folded.until(log, at)?;
        }
        if folded.history.ledger().is_none() {
            return Err(Problem::new(format!("this log says nothing up to {at}"))
                .hint("ask for a later time")
                .into());
        }
        Ok(folded)
    }

    /// The fold of the entries up to the last one whose effective time is not after `at`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn until(&self, log: &Log, at: Instant) -> anyhow::Result<History> {
        beginning::fold(log, beginning::size_at(log, &self.history, at)?, self.found == 0)
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        self.history.ledger().expect("there is one, or it was not read")
    }

    /// Who may sign.
    pub fn roster(&self) -> &Roster {
        self.history.roster().expect("a ledger begins with a roster")
    }

    /// The charter as it stands.
    pub fn charter(&self) -> &Charter {
        &self.roster().charter
    }

    /// A partner's name for people.
    pub fn name(&self, handle: &Handle) -> Option<String> {
        self.charter().partner(handle).map(|p| p.name.to_string())
    }

    /// How many entries were folded.
    pub fn size(&self) -> u64 {
        self.history.head().size
    }

    /// Whether an entry is its author's.
    pub fn is_authentic(&self, index: u64) -> bool {
        self.of(index).all(|f| f.reason.effect() != Effect::Unauthentic)
    }

    /// Why an entry is void, in words.
    pub fn void(&self, index: u64) -> Vec<String> {
        let void = self.of(index).filter(|f| f.reason.effect() == Effect::Void);
        void.map(|f| f.reason.to_string()).collect()
    }

    fn of(&self, index: u64) -> impl Iterator<Item = &Finding> {
        self.findings.get(&index).into_iter().flatten()
    }

    /// What the answer rests on, in sentences.
    pub fn basis(&self, log: &Log) -> Vec<String> {
        let (size, root) = (log.checkpoint.size(), log.checkpoint.root());
        let entry = self.size().saturating_sub(1);
        let mut lines = vec![match self.found {
            0 => format!("entry {entry}, verified, checkpoint of size {size}, root {root}"),
            n => format!(
                "entry {entry}; {} against this log, which \"servanda verify\" lists; checkpoint of size {size}, root {root}",
                count(n, "finding", "findings")
            ),
        }];
        if let Some((index, kind)) = self.history.incomplete() {
            lines.push(format!(
                "From entry {index} on this is incomplete: act {kind} there is not understood by this program."
            ));
        }
        if let Some(what) = self.history.unknown() {
            lines.push(plain(&format!("Not everything could be judged: {what}.")));
        }
        lines
    }

    /// The same for programs.
    pub fn json(&self, log: &Log) -> Value {
        json!({
            "at": self.when.at,
            "entry": self.size().saturating_sub(1),
            "verified": self.found == 0,
            "findings": self.found,
            "incomplete_from": self.history.incomplete().map(|(index, _)| index),
            "checkpoint": {
                "origin": log.checkpoint.origin(), "size": log.checkpoint.size(), "root": log.checkpoint.root(),
            },
            "pinned": log.is_pinned(),
        })
    }

    /// How a verb that answered from this ends.
    pub fn outcome(&self) -> Outcome {
        if self.history.incomplete().is_some() || self.history.unknown().is_some() {
            Outcome::Unchecked
        } else if self.found > 0 {
            Outcome::Bad
        } else {
            Outcome::Good
        }
    }
}

/// What verification of the whole log holds against its entries.
fn findings(log: &Log) -> anyhow::Result<BTreeMap<u64, Vec<Finding>>> {
    let mut findings: BTreeMap<u64, Vec<Finding>> = BTreeMap::new();
    let mut report = |found| {
        if let Found::Entry(finding) = found {
            findings.entry(finding.index).or_default().push(finding);
        }
    };
    let audit = Audit::new(&log.place.public, Options::default(), &mut report);
    audit.run(log.checkpoint.size(), &|_| {}).map_err(read_problem)?;
    Ok(findings)
}
