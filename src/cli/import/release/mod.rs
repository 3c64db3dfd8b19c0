//! `import --amend`: a new release of a table against the log, so that no revision is silent.
//!
//! ```text
//! rows -> fields -> acts       as for any import
//!      -> by ID                what the author's references in the log and those of the rows share
//!      -> paired               which row continues which statement
//!      -> acts                 what changed is amended, what is gone withdrawn, what is new recorded or pledged
//!      -> tried                on a copy of the ledger: what it would refuse is told, and left out
//! ```
//!
//! Equal rows say nothing, so the same file again changes nothing, and an import that was cut short goes on. Nothing is
//! withdrawn that a row might speak of which could not be read.

mod account;
mod compared;
mod grouping;
mod pairing;
pub mod place;
mod planning;
mod spoken;
mod trial;

pub use account::Account;
pub use compared::Source;

use super::judge::Judge;
use super::mapping::Mapping;
use super::refusal::Refusal;
use super::sorting::{Ready, Refused, Sorted};
use crate::cli::desk::Desk;
use crate::cli::problem::Problem;
use anyhow::Result;
use compared::Offer;
use grouping::{Candidate, settle};
use place::Numbering;
use planning::Planner;
use servanda::field::{Class, Handle, Instant};
use servanda::statement::Kind;
use servanda::text::count;
use spoken::{Heard, spoken};

/// A comparison that is asked for, as options.
#[derive(clap::Args, Debug)]
pub struct ReleaseArgs {
    /// Compare the file, a new release, with your pledges or records in the log: amend what changed, withdraw what is
    /// gone, sign what is new
    #[arg(long, conflicts_with = "skip_known", help_heading = "A new release")]
    pub amend: bool,
    /// Of your references in the log compare only those that begin so, where another table has the rest; may be repeated
    #[arg(long, value_name = "PREFIX", requires = "amend", help_heading = "A new release")]
    pub among: Vec<String>,
    /// Withdraw so many statements at most; without it half of those compared, since a release that lacks more is hardly
    /// the whole table
    #[arg(long, value_name = "NUMBER", requires = "amend", help_heading = "A new release")]
    pub withdraw_at_most: Option<usize>,
}

/// What a comparison needs.
pub struct Asked<'a> {
    /// What is asked for.
    pub args: &'a ReleaseArgs,
    /// The log.
    pub desk: &'a Desk,
    /// What each row is: a pledge or a record.
    pub kind: Kind,
    /// The mapping.
    pub mapping: &'a Mapping,
    /// How references are numbered.
    pub numbering: &'a Numbering,
    /// How rows become acts.
    pub judge: &'a Judge<'a>,
    /// Who signs.
    pub author: &'a Handle,
    /// When.
    pub now: Instant,
    /// The release.
    pub source: &'a Source,
}

/// What came of it.
pub struct Compared {
    /// What is to be signed, in order.
    pub ready: Vec<Ready>,
    /// Rows that are refused.
    pub refused: Vec<Refused>,
    /// What became of each row and statement.
    pub account: Account,
}

/// The class in which statements of a kind are signed, amended and withdrawn; none for kinds that cannot be compared.
pub fn class(kind: Kind) -> Option<Class> {
    match kind {
        Kind::Pledge => Some(Class::Commit),
        Kind::Record => Some(Class::Observe),
        _ => None,
    }
}

/// Compares the rows of a release with the log.
///
/// # Errors
/// When the log cannot be read, or references cannot be told apart.
pub fn compare(asked: &Asked<'_>, sorted: Sorted) -> Result<Compared> {
    let class = class(asked.kind).ok_or_else(|| {
        Problem::new(format!("{} cannot be compared with the log", asked.kind.name()))
            .hint("--amend compares pledges, and with --kind record records")
    })?;
    let Heard { spoken, used, apart } =
        spoken(asked.desk, asked.author, asked.kind == Kind::Record, asked.now)?;
    let spoken: Vec<_> = spoken.into_iter().filter(|one| asked.is_among(&one.reference)).collect();
    let Sorted { ready, mut refused, .. } = sorted;
    let candidates = asked.candidates(ready, &mut refused);
    let marks = |offer: &Offer| offer.marks(asked.mapping);
    let marks_of = |one: &spoken::Spoken| one.marks(asked.mapping);
    let settled = settle(asked.numbering, &spoken, &candidates, &refused, &marks, &marks_of)?;
    let Asked { judge, mapping, numbering, source, .. } = *asked;
    let planner = Planner { judge, mapping, numbering, source, spoken: &spoken, used: &used };
    let (planned, mut account) = planner.plan(candidates, settled, &mut refused);
    let planned =
        trial::tried(asked.desk, (asked.author, class, asked.now), planned, &mut account, &mut refused)?;
    account.apart = apart;
    account.to_accept = asked.kind == Kind::Pledge;
    account.add_refused(&refused);
    Ok(Compared { ready: planned.into_iter().map(|one| one.ready).collect(), refused, account })
}

impl Asked<'_> {
    fn is_among(&self, reference: &str) -> bool {
        self.args.among.is_empty() || self.args.among.iter().any(|prefix| reference.starts_with(prefix))
    }

    /// The rows that can be compared.
    fn candidates(&self, ready: Vec<Ready>, refused: &mut Vec<Refused>) -> Vec<Candidate> {
        let mut candidates = Vec::with_capacity(ready.len());
        for row in ready {
            let place = row.written.as_ref().and_then(|written| written.place.clone());
            let refusal = match (&row.reference, place) {
                (Some(reference), Some(place)) if row.kind == self.kind && self.is_among(reference) => {
                    match Offer::of(row.kind, &row.body) {
                        Some(offer) => {
                            candidates.push(Candidate { ready: row, offer, place });
                            continue;
                        }
                        None => Refusal::Sealed,
                    }
                }
                (Some(_), Some(_)) if row.kind == self.kind => Refusal::NotAmong,
                (Some(_), Some(_)) => Refusal::OtherKind { got: row.kind.name(), want: self.kind.name() },
                _ => Refusal::Unreferenced,
            };
            let Ready { line, reference, written, .. } = row;
            refused.push(Refused { line, reference, refusal, written });
        }
        candidates
    }
}

impl ReleaseArgs {
    /// Checks that no more is withdrawn than was allowed.
    ///
    /// # Errors
    /// When a release lacks too much of what the log has.
    pub fn check_withdrawn(&self, account: &Account) -> Result<(), Problem> {
        let (gone, before) = (account.withdrawn(), account.log.len());
        let most = self.withdraw_at_most.unwrap_or(before / 2);
        if gone <= most {
            return Ok(());
        }
        let allowed = match self.withdraw_at_most {
            Some(most) => format!("--withdraw-at-most allows {most}"),
            None => "that is more than half of them".to_owned(),
        };
        Err(Problem::refused(format!(
            "the release lacks {gone} of the {} compared with it, and {allowed}: nothing was signed",
            count(before, "statement", "statements")
        ))
        .hint(format!(
            "is it the whole table, and --map right? --among compares a part of your references; if all these are really \
             gone, say --withdraw-at-most {gone}"
        )))
    }
}
