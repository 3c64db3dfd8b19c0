//! Rows and statements by ID, and what of each ID is which.
//!
//! A row that was refused leaves its ID in doubt: then nothing of it is withdrawn, and no other row takes its place. Rows
//! whose reference cannot be read at all leave every ID in doubt.

use super::account::Fate;
use super::compared::Offer;
use super::pairing::{Marks, pair};
use super::place::{Numbering, Place, Stem};
use super::spoken::Spoken;
use crate::cli::import::refusal::Refusal;
use crate::cli::import::sorting::{Ready, Refused};
use crate::cli::plain::{plain, quoted};
use crate::cli::problem::Problem;
use std::collections::HashMap;

/// A row that can be compared.
#[derive(Debug)]
pub struct Candidate {
    /// The row.
    pub ready: Ready,
    /// What it says.
    pub offer: Offer,
    /// Where its reference belongs.
    pub place: Place,
}

/// What is to become of a candidate.
#[derive(Debug)]
pub enum Verdict {
    /// It continues the statement at this position.
    Continues(usize),
    /// It is new.
    New,
    /// It is refused.
    Refused(Refusal),
}

/// A statement that is to be withdrawn.
#[derive(Clone, Copy, Debug)]
pub struct Leaving {
    /// Its position.
    pub statement: usize,
    /// Its group.
    pub group: u32,
    /// Whether no row has its reference; else one says it of somebody else.
    pub is_gone: bool,
}

/// One ID.
#[derive(Debug)]
struct Group {
    stem: Stem,
    statements: Vec<usize>,
    rows: Vec<usize>,
    /// Lines that were refused.
    refused: Vec<u64>,
}

/// What each ID's rows and statements are to each other.
#[derive(Debug)]
pub struct Settled {
    /// For each candidate: its group, and what is to become of it.
    pub verdicts: Vec<(u32, Verdict)>,
    /// For each statement: what becomes of it, where that is known already.
    pub fates: Vec<Option<Fate>>,
    /// What is to be withdrawn.
    pub leaving: Vec<Leaving>,
}

/// Settles what is what.
///
/// # Errors
/// Where a reference of the log may belong to two IDs of the file.
pub fn settle(
    numbering: &Numbering,
    spoken: &[Spoken],
    candidates: &[Candidate],
    refused: &[Refused],
    marks: &dyn Fn(&Offer) -> Marks,
    marks_of: &dyn Fn(&Spoken) -> Marks,
) -> Result<Settled, Problem> {
    let groups = groups(numbering, spoken, candidates, refused)?;
    let place = |row: &Refused| row.written.as_ref().is_some_and(|written| written.place.is_some());
    let unread = refused.iter().find(|row| !place(row)).map(|row| row.line);
    let mut settled = Settled {
        verdicts: candidates.iter().map(|_| (0, Verdict::New)).collect(),
        fates: vec![None; spoken.len()],
        leaving: Vec::new(),
    };
    for (number, group) in (0..).zip(&groups) {
        for row in &group.rows {
            settled.verdicts[*row].0 = number;
        }
        if matches!(group.stem, Stem::Whole(_)) && group.rows.len() + group.refused.len() > 1 {
            settled.claimed_twice(group, candidates);
            continue;
        }
        let one = matches!(group.stem, Stem::Whole(_)) && group.rows.len() == 1;
        let doubt = group.refused.first().copied().or(unread).filter(|_| !one);
        let statements: Vec<Marks> = group.statements.iter().map(|at| marks_of(&spoken[*at])).collect();
        let rows: Vec<Marks> = group.rows.iter().map(|row| marks(&candidates[*row].offer)).collect();
        let paired = pair(&statements, &rows, doubt.is_some());
        for (at, row) in paired.pairs {
            settled.verdicts[group.rows[row]].1 = Verdict::Continues(group.statements[at]);
        }
        if doubt.is_some() && !paired.gone.is_empty() {
            for row in paired.new {
                settled.verdicts[group.rows[row]].1 = Verdict::Refused(Refusal::InDoubt);
            }
        }
        for at in paired.gone {
            let statement = group.statements[at];
            match (doubt, &spoken[statement].over) {
                (Some(line), _) => {
                    let why = format!("line {line} was refused, and may be it");
                    settled.fates[statement] = Some(Fate::Left(why));
                }
                (None, Some(state)) => {
                    settled.fates[statement] = Some(Fate::Left(format!("it {}", plain(state))))
                }
                (None, None) => settled.leaving.push(Leaving { statement, group: number, is_gone: !one }),
            }
        }
    }
    Ok(settled)
}

impl Settled {
    /// Refuses a row after all; what it would continue stays as it is.
    pub fn refuse(&mut self, row: usize, line: u64, refusal: Refusal) {
        if let Verdict::Continues(statement) = self.verdicts[row].1 {
            self.fates[statement] = Some(Fate::Left(format!("line {line} was refused: {refusal}")));
        }
        self.verdicts[row].1 = Verdict::Refused(refusal);
    }

    /// Of several rows with one reference nobody can tell which is right.
    fn claimed_twice(&mut self, group: &Group, candidates: &[Candidate]) {
        let line = |row: &usize| candidates[*row].ready.line;
        let mut lines: Vec<u64> = group.rows.iter().map(line).chain(group.refused.iter().copied()).collect();
        lines.sort_unstable();
        for row in &group.rows {
            let other = lines.iter().find(|other| **other != line(row)).copied().unwrap_or_default();
            self.verdicts[*row].1 = Verdict::Refused(Refusal::Twice(other));
        }
        let shown: Vec<String> = lines.iter().map(u64::to_string).collect();
        for at in &group.statements {
            self.fates[*at] = Some(Fate::Left(format!("lines {} have its reference", shown.join(", "))));
        }
    }
}

/// Everything by ID: those of the file in its order, then what the log alone has.
fn groups(
    numbering: &Numbering,
    spoken: &[Spoken],
    candidates: &[Candidate],
    refused: &[Refused],
) -> Result<Vec<Group>, Problem> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known: HashMap<Stem, usize> = HashMap::new();
    let mut of = |groups: &mut Vec<Group>, stem: &Stem| {
        *known.entry(stem.clone()).or_insert_with(|| {
            let stem = stem.clone();
            groups.push(Group { stem, statements: Vec::new(), rows: Vec::new(), refused: Vec::new() });
            groups.len() - 1
        })
    };
    for (row, candidate) in candidates.iter().enumerate() {
        let group = of(&mut groups, &candidate.place.stem);
        groups[group].rows.push(row);
    }
    for row in refused {
        if let Some(place) = row.written.as_ref().and_then(|written| written.place.as_ref()) {
            let group = of(&mut groups, &place.stem);
            groups[group].refused.push(row.line);
        }
    }
    let mut numbers: Vec<Option<u64>> = vec![None; spoken.len()];
    for (at, one) in spoken.iter().enumerate() {
        let places = numbering.places(&one.reference);
        let mut found = places.iter().filter_map(|place| Some((known.get(&place.stem)?, place.number)));
        let group = match (found.next(), found.next()) {
            (Some((group, number)), None) => {
                numbers[at] = number;
                *group
            }
            (Some(_), Some(_)) => return Err(of_two(&one.reference)),
            (None, _) => {
                let stem = Stem::Whole(one.reference.clone());
                groups.push(Group { stem, statements: Vec::new(), rows: Vec::new(), refused: Vec::new() });
                groups.len() - 1
            }
        };
        groups[group].statements.push(at);
    }
    for group in &mut groups {
        group.statements.sort_by_key(|at| (numbers[*at], *at));
    }
    Ok(groups)
}

fn of_two(reference: &str) -> Problem {
    Problem::new(format!("the reference {} of the log may belong to two of the file's", quoted(reference)))
        .hint("number references behind something that no ID holds, e.g. reference={ID}/{#ID}")
}
