//! What an answer rests on: a log that was verified whole, and folded up to the moment that is asked about.
//!
//! The ledger at T folds all entries up to the last whose effective time is not after T, then lets time pass to T. For
//! the present and the future that is the verified history itself; for the past its beginning is folded again.

use super::cells;
use crate::cli::open::{Log, LogArgs};
use crate::cli::plain::plain;
use crate::cli::problem::Problem;
use crate::cli::{Context, Outcome, beginning, kept};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use servanda::field::{Handle, Instant};
use servanda::history::History;
use servanda::ledger::{Ledger, Moment};
use servanda::roster::Roster;
use servanda::text::count;

/// What no log can show.
const ELSEWHERE: &str = "This log cannot show promises made elsewhere, nor deeds that nobody recorded in it.";

/// Which log, at which moment.
#[derive(Args)]
pub struct BasisArgs {
    #[command(flatten)]
    log: LogArgs,
    /// The moment to ask about, past or future; now, unless you say otherwise
    #[arg(long, value_name = "TIME")]
    at: Option<Instant>,
}

/// A verified log at a moment.
pub struct Basis {
    log: Log,
    /// What follows from the entries up to the moment.
    history: History,
    /// The history of the whole log, where that is another.
    whole: Option<History>,
    /// The moment.
    pub when: Moment,
    /// The clock's time, or the last entry's if that is later.
    now: Instant,
    findings: u64,
}

impl Basis {
    /// Opens a log, verifies it, and folds it up to the moment.
    ///
    /// # Errors
    /// When it cannot be read, is not what its checkpoint commits to, or said nothing by then.
    pub fn open(context: &Context, args: &BasisArgs) -> anyhow::Result<Self> {
        let log = Log::open(&args.log, &context.screen)?;
        log.caution(&context.screen);
        let (history, findings) = kept::verified(context, &log)?;
        let now = context.clock.now().max(history.times().1);
        let basis = Self { log, history, whole: None, when: Moment::at(now), now, findings };
        basis.at(args.at.unwrap_or(now))
    }

    /// The same log at another moment.
    ///
    /// # Errors
    /// When it cannot be read, or said nothing by then.
    pub fn at(mut self, at: Instant) -> anyhow::Result<Self> {
        self.when = Moment::at(at);
        let whole = self.whole.take().unwrap_or_else(|| std::mem::take(&mut self.history));
        let size = beginning::size_at(&self.log, &whole, at)?;
        if size == whole.head().size {
            self.history = whole;
        } else {
            self.history = beginning::fold(&self.log, size, self.findings == 0)?;
            self.whole = Some(whole);
        }
        if self.history.ledger().is_none() || self.history.roster().is_none() {
            return Err(Problem::new(format!("this log says nothing up to {at}"))
                .hint("ask for a later time with --at")
                .into());
        }
        Ok(self)
    }

    /// The ledger at the moment.
    pub fn ledger(&self) -> &Ledger {
        self.history.ledger().expect("asked for as it was folded")
    }

    /// Who may sign at the moment.
    pub fn roster(&self) -> &Roster {
        self.history.roster().expect("asked for as it was folded")
    }

    /// A partner's name for people.
    pub fn name(&self, handle: &Handle) -> Option<String> {
        self.roster().charter.partner(handle).map(|p| p.name.to_string())
    }

    /// Checks that someone is a partner.
    ///
    /// # Errors
    /// When it is none; then all are named.
    pub fn check_partner(&self, handle: &Handle) -> anyhow::Result<()> {
        if self.roster().charter.partner(handle).is_some() {
            return Ok(());
        }
        let all: Vec<_> = self.roster().charter.partners.iter().map(|p| p.handle.as_str()).collect();
        Err(Problem::new(format!("{handle} is no partner's handle here"))
            .hint(format!("the partners are {}", all.join(", ")))
            .into())
    }

    /// The entry up to which the log was folded.
    fn entry(&self) -> u64 {
        self.history.head().size.saturating_sub(1)
    }

    /// The moment, with a word where it lies ahead.
    pub fn moment(&self) -> String {
        let ahead = if self.when.at > self.now { ", if nothing more is said" } else { "" };
        format!("{}{ahead}", self.when.at)
    }

    /// What the answer cannot take into account, in sentences.
    fn gaps(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some((index, kind)) = self.history.incomplete() {
            lines.push(format!(
                "Incomplete: act {kind} in entry {index} is not understood by this program; what follows from it is not told."
            ));
        }
        if let Some(what) = self.history.unknown() {
            lines.push(plain(&format!("Not checked: {what}.")));
        }
        lines
    }

    /// The last lines of every answer.
    pub fn last_lines(&self) -> Vec<String> {
        let mut lines = self.gaps();
        let entry = self.entry();
        let verified = match self.findings {
            0 if lines.is_empty() => format!("entry {entry}, verified"),
            0 => format!("entry {entry}, verified as far as it is understood"),
            n => format!(
                "entry {entry}; {} against this log, which `servanda verify` lists",
                count(n, "finding", "findings")
            ),
        };
        lines.push(format!("{ELSEWHERE} {verified}"));
        lines
    }

    /// Prints what programs read: the answer under its name, and what it rests on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn json<T: Serialize>(&self, context: &Context, name: &str, answer: &T) -> anyhow::Result<()> {
        if !context.screen.is_json() {
            return Ok(());
        }
        let mut out = json!({
            "at": self.when.at,
            "entry": self.entry(),
            "verified": self.findings == 0,
            "findings": self.findings,
            "incomplete_from": self.history.incomplete().map(|(index, _)| index),
            "unknown_from": self.history.unknown().map(|what| what.index),
            "log": self.log.id(),
            "size": self.log.checkpoint.size(),
            "root": self.log.checkpoint.root(),
            "pinned": self.log.is_pinned(),
            "cannot_show": "promises made elsewhere",
        });
        let fields = out.as_object_mut().expect("an object");
        fields.insert(name.to_owned(), serde_json::to_value(answer)?);
        context.screen.json::<Value>(&out)
    }

    /// How a verb that answered from this ends.
    pub fn outcome(&self) -> Outcome {
        match (self.findings, self.history.incomplete().is_some() || self.history.unknown().is_some()) {
            (_, true) => Outcome::Unchecked,
            (0, false) => Outcome::Good,
            (_, false) => Outcome::Bad,
        }
    }

    /// Says the last lines, and tells how the verb ends.
    pub fn finish(&self, context: &Context) -> Outcome {
        context.screen.say("");
        self.last_lines().iter().for_each(|line| cells::say(&context.screen, line));
        self.outcome()
    }
}
