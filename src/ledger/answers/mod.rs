//! Answers: what people ask of a ledger, derived from it at a moment, the same for everyone.
//!
//! Each is plain data, owned and serialisable, and each row names the statement that it rests on. Texts in them are
//! other people's, as they signed them: whoever shows them makes them fit for a screen or page.
//!
//! | question | answer |
//! | --- | --- |
//! | how do things stand? | [`Status`]: rows, [`Totals`], tallies; [`Matrix`] |
//! | what changed between two moments? | [`mod@changes`] |
//! | what falls due until then? | [`mod@agenda`] |
//! | what did this entry bring, what does time? | [`mod@news`] |
//! | who would owe what if this happened now? | [`what_if`](Ledger::what_if) |
//! | who reported what? | [`mod@incidents`] |
//! | whose keys counted when? | [`mod@service`] |
//! | what does an entry say? | [`mod@entry`] |

pub mod agenda;
pub mod changes;
pub mod entry;
pub mod incidents;
pub mod news;
pub mod rows;
pub mod service;
pub mod totals;
pub mod trial;

pub use agenda::{Item, What, agenda};
pub use changes::{Change, Changed, changes};
pub use entry::entry;
pub use incidents::{AspectTally, IncidentRow, ReportRow, incidents, observations};
pub use news::{Happened, News};
pub use rows::{ObligationRow, PledgeRow, Sums};
pub use service::{MemberRow, MotionRow, SetRow, motions, service};
pub use totals::{Share, Total, Totals};
pub use trial::{Trial, Would, WouldNot};

use super::Ledger;
use super::pledge::Moment;
use super::verdict::Verdict;
use crate::field::Handle;
use crate::statement::terms::Instrument;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What of a ledger is asked for; nothing set: all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Owed by this partner, jointly or alone; of records, promised by it.
    pub by: Option<Handle>,
    /// Owed or addressed to this partner.
    pub to: Option<Handle>,
    /// By this means, among others or alone.
    pub instrument: Option<Instrument>,
    /// Pledges that stand so towards someone, by the word for it ([`super::State::word`]).
    pub state: Option<String>,
    /// Obligations of which this became, and their pledges.
    pub verdict: Option<Verdict>,
}

impl Filter {
    fn admits(&self, row: &PledgeRow) -> bool {
        self.by.as_ref().is_none_or(|by| row.by.contains(by))
            && self.to.as_ref().is_none_or(|to| row.to.contains(to))
            && self.instrument.as_ref().is_none_or(|i| row.instruments.contains(i))
            && self.state.as_ref().is_none_or(|state| row.state == state)
    }

    fn admits_owed(&self, row: &ObligationRow) -> bool {
        self.to.as_ref().is_none_or(|to| row.to.contains(to)) && self.verdict.is_none_or(|v| row.verdict == v)
    }
}

/// How many obligations became what.
pub type Tally = BTreeMap<Verdict, u64>;

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Status {
    /// Pledges, in the log's order.
    pub pledges: Vec<PledgeRow>,
    /// What is owed under them, exercises left out.
    pub obligations: Vec<ObligationRow>,
    /// What exercises called upon: nothing is owed.
    pub exercises: Vec<ObligationRow>,
    /// What observers recorded and nobody pledged.
    pub recorded: Vec<PledgeRow>,
    /// Sums over these pledges and all that is owed under them, whatever the filter leaves out of that; parts of other
    /// pledges left out.
    pub totals: Totals,
    /// Sums over those parts.
    pub parts: Totals,
    /// Sums over the records, parts left out.
    pub recorded_totals: Totals,
    /// How many of the obligations became what.
    pub tally: Tally,
    /// How many of the obligations are contested.
    pub contested: u64,
}

impl Status {
    /// How a ledger stands at a moment, as far as a filter admits.
    #[must_use]
    pub fn of(ledger: &Ledger, when: Moment, filter: &Filter) -> Self {
        let mut status = Self::default();
        for pledge in ledger.pledges().iter().filter(|p| when.has(&p.said)) {
            let mut rows = ledger.pledge_rows(pledge, when);
            rows.retain(|row| filter.admits(row));
            if rows.is_empty() {
                continue;
            }
            if pledge.is_record() {
                status.add_record(pledge, rows, filter, when);
                continue;
            }
            let owed = ledger.owed_under(pledge, when);
            let lines = pledge.lines().filter(|line| rows.iter().any(|r| r.id == pledge.line_id(*line)));
            for line in lines.collect::<Vec<_>>() {
                let id = pledge.line_id(line);
                let all: Vec<_> = owed.iter().filter(|o| o.key.pledge == id).collect();
                let mut obligations: Vec<_> = all.iter().map(|o| ObligationRow::of(o, when)).collect();
                obligations.retain(|row| filter.admits_owed(row));
                if filter.verdict.is_some() && obligations.is_empty() {
                    continue;
                }
                status.add_share(&Share::of(pledge, line, &all, when));
                obligations.into_iter().for_each(|row| status.add_obligation(row));
                status.pledges.extend(rows.iter().filter(|r| r.id == id).cloned());
            }
        }
        status
    }

    fn add_record(&mut self, pledge: &super::Pledge, rows: Vec<PledgeRow>, filter: &Filter, when: Moment) {
        if filter.verdict.is_some() {
            return;
        }
        let share = Share::of(pledge, super::Line::Author, &[], when);
        if share.is_part() {
            self.recorded_totals.parts += 1;
        } else {
            self.recorded_totals.add(&share);
        }
        self.recorded.extend(rows);
    }

    fn add_share(&mut self, share: &Share) {
        if share.is_part() {
            self.totals.parts += 1;
            self.parts.add(share);
        } else {
            self.totals.add(share);
        }
    }

    fn add_obligation(&mut self, row: ObligationRow) {
        if row.exercise {
            self.exercises.push(row);
            return;
        }
        *self.tally.entry(row.verdict).or_default() += 1;
        self.contested += u64::from(!row.contested.is_empty());
        self.obligations.push(row);
    }
}

/// What a partner pledged by one means.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Cell {
    /// Pledges in force towards someone.
    pub in_force: u64,
    /// All others that are not over.
    pub open: u64,
    /// Those that are over.
    pub over: u64,
    /// What became of what was owed.
    pub tally: Tally,
}

/// Partners against instruments. A pledge by several means counts under each; one that several owe jointly, under each
/// of them.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Matrix {
    /// The columns.
    pub instruments: Vec<Instrument>,
    /// The rows.
    pub rows: Vec<MatrixRow>,
}

/// A row of a [`Matrix`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatrixRow {
    /// Who owes.
    pub partner: Handle,
    /// A cell for every column.
    pub cells: Vec<Cell>,
}

impl Matrix {
    /// The matrix of a status.
    #[must_use]
    pub fn of(status: &Status) -> Self {
        let all = status.pledges.iter().flat_map(|p| p.instruments.iter().cloned());
        let instruments: Vec<Instrument> = all.collect::<BTreeSet<_>>().into_iter().collect();
        let mut rows: BTreeMap<Handle, Vec<Cell>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        // Of a pledge's rows, the one that stands best comes first.
        let rank = |row: &PledgeRow| (row.state != "in force", row.is_over);
        let mut pledges: Vec<_> = status.pledges.iter().collect();
        pledges.sort_by_key(|row| rank(row));
        for pledge in pledges.into_iter().filter(|row| seen.insert(row.id)) {
            for by in &pledge.by {
                let cells =
                    rows.entry(by.clone()).or_insert_with(|| vec![Cell::default(); instruments.len()]);
                for (cell, _) in of_means(cells, &instruments, &pledge.instruments) {
                    match (pledge.state, pledge.is_over) {
                        ("in force", _) => cell.in_force += 1,
                        (_, true) => cell.over += 1,
                        (_, false) => cell.open += 1,
                    }
                }
            }
        }
        for owed in &status.obligations {
            for by in &owed.by {
                let cells =
                    rows.entry(by.clone()).or_insert_with(|| vec![Cell::default(); instruments.len()]);
                for (cell, _) in of_means(cells, &instruments, &owed.instruments) {
                    *cell.tally.entry(owed.verdict).or_default() += 1;
                }
            }
        }
        let rows = rows.into_iter().map(|(partner, cells)| MatrixRow { partner, cells });
        Self { instruments, rows: rows.collect() }
    }
}

fn of_means<'c>(
    cells: &'c mut [Cell],
    columns: &'c [Instrument],
    means: &'c [Instrument],
) -> impl Iterator<Item = (&'c mut Cell, &'c Instrument)> {
    cells.iter_mut().zip(columns).filter(|(_, column)| means.contains(column))
}
