//! The first pass: all rows become acts, or are refused, before anything is signed.

use super::judge::{Judge, Judged, reference};
use super::mapping::{Mapping, Numbers};
use super::refusal::Refusal;
use super::release::place::{Numbering, Place};
use super::rows::{Cells, Row};
use crate::cli::act::{Fields, whole_ids};
use rayon::prelude::*;
use servanda::codec::{Bytes, encode};
use servanda::hash::{Hash, labelled};
use servanda::statement::Kind;
use std::collections::{HashMap, HashSet};

/// How many rows are judged at a time.
const BATCH: usize = 4096;

/// A row that can be signed.
#[derive(Debug)]
pub struct Ready {
    /// The line that it starts in.
    pub line: u64,
    /// Its reference.
    pub reference: Option<String>,
    /// What it does.
    pub kind: Kind,
    /// The act's body, encoded.
    pub body: Vec<u8>,
    /// Rows of one group come into the log together, or not at all.
    pub group: Option<u32>,
    /// What the row says, where that is needed once more.
    pub written: Option<Box<Written>>,
}

/// What a row says, before it is an act.
#[derive(Debug)]
pub struct Written {
    /// The fields that stand once in several rows, and by what these agree.
    pub once: Vec<(String, Vec<String>)>,
    /// All fields.
    pub fields: Fields,
    /// Where its reference belongs, if rows are compared with the log.
    pub place: Option<Place>,
}

/// A row that cannot.
#[derive(Debug)]
pub struct Refused {
    /// The line that it starts in.
    pub line: u64,
    /// Its reference, as far as that can be told.
    pub reference: Option<String>,
    /// Why.
    pub refusal: Refusal,
    /// What the row says, where that is needed once more.
    pub written: Option<Box<Written>>,
}

impl Refused {
    /// A row that is refused, and of which nothing else is needed.
    pub fn new(line: u64, reference: Option<String>, refusal: Refusal) -> Self {
        Self { line, reference, refusal, written: None }
    }
}

/// What rows are sorted for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// To be signed as they are: of two with one reference the second is refused.
    Signing,
    /// To be compared with the log: where their references belong is told, and who has which is left open.
    Comparing(&'a Numbering),
}

/// The rows of a file, sorted.
#[derive(Debug, Default)]
pub struct Sorted {
    /// Those to be signed, in the file's order.
    pub ready: Vec<Ready>,
    /// Those that were refused.
    pub refused: Vec<Refused>,
    /// How many the log has already.
    pub skipped: usize,
    /// Fields that stand in a row with these values, in the log.
    claimed: HashSet<(String, Vec<String>)>,
}

/// Makes acts of all rows; `whole_id` completes shortened ids, `progress` is told how many rows are done.
pub fn sort(
    rows: Vec<Row>,
    mapping: &Mapping,
    judge: &Judge<'_>,
    purpose: Purpose<'_>,
    whole_id: &mut dyn FnMut(&str) -> anyhow::Result<String>,
    progress: &dyn Fn(usize),
) -> Sorted {
    let mut sorted = Sorted::default();
    let (mut numbers, mut seen) = (Numbers::default(), HashMap::new());
    let mut rows = rows.into_iter();
    let mut done = 0;
    loop {
        let batch: Vec<Row> = rows.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return sorted;
        }
        done += batch.len();
        let mut mapped = Vec::with_capacity(batch.len());
        for Row { line, cells } in batch {
            let fields = cells.and_then(|cells| {
                let mut fields = mapping.fields(&cells, &mut numbers)?;
                judge.fall_back(&mut fields, mapping.otherwise());
                whole_ids(&mut fields.0, whole_id).map_err(Refusal::Act)?;
                Ok((fields, cells))
            });
            match fields {
                Ok((fields, cells)) => mapped.push((line, cells, fields)),
                Err(refusal) => sorted.refused.push(Refused::new(line, None, refusal)),
            }
        }
        let judge_one = |(line, cells, fields): (u64, Cells, Fields)| {
            let reference = reference(&fields);
            let place = match (purpose, &reference) {
                (Purpose::Comparing(numbering), Some(reference)) => {
                    Some(numbering.place(mapping, &cells, reference))
                }
                _ => None,
            };
            let wanted = place.is_some() || mapping.has_once();
            let written = wanted.then(|| {
                let once = mapping.once(&cells).into_iter().map(|(field, by)| (field.to_owned(), by));
                Box::new(Written { once: once.collect(), fields: fields.clone(), place })
            });
            (line, reference, judge.act(fields), written)
        };
        let judged: Vec<_> = mapped.into_par_iter().map(judge_one).collect();
        for (line, reference, judged, written) in judged {
            let judged = match purpose {
                Purpose::Signing => {
                    judged.and_then(|judged| first(&mut seen, line, reference.as_ref(), judged))
                }
                Purpose::Comparing(_) => judged,
            };
            match judged {
                Ok(Judged { kind, body }) => {
                    sorted.ready.push(Ready { line, reference, kind, body, group: None, written });
                }
                Err(refusal) => sorted.refused.push(Refused { line, reference, refusal, written }),
            }
        }
        progress(done);
    }
}

/// Refuses a reference that an earlier good row has.
fn first(
    seen: &mut HashMap<String, u64>,
    line: u64,
    reference: Option<&String>,
    judged: Judged,
) -> Result<Judged, Refusal> {
    let Some(reference) = reference.filter(|_| has_own_reference(judged.kind)) else { return Ok(judged) };
    match seen.get(reference) {
        Some(before) => Err(Refusal::Twice(*before)),
        None => {
            seen.insert(reference.clone(), line);
            Ok(judged)
        }
    }
}

/// Whether the reference in an act of this kind is its own: an amendment repeats its pledge's.
pub fn has_own_reference(kind: Kind) -> bool {
    matches!(kind, Kind::Pledge | Kind::Record)
}

impl Sorted {
    /// Takes out the rows whose references the log has: passed over where `skip`, else refused.
    pub fn without_known(&mut self, known: &HashMap<String, u64>, skip: bool) {
        for row in std::mem::take(&mut self.ready) {
            let own = row.reference.as_ref().filter(|_| has_own_reference(row.kind));
            let refusal = match own.map(|reference| known.get(reference)) {
                Some(Some(entry)) => Refusal::Known(*entry),
                None if skip => Refusal::NoReference,
                _ => {
                    self.ready.push(row);
                    continue;
                }
            };
            if let Refusal::Known(_) = refusal {
                // What stands once in rows like this one stands in the log.
                self.claimed.extend(row.written.into_iter().flat_map(|written| written.once));
                if skip {
                    self.skipped += 1;
                    continue;
                }
            }
            self.refused.push(Refused::new(row.line, row.reference, refusal));
        }
    }

    /// Leaves fields that stand once in rows that agree out of all but the first good one of them.
    pub fn with_once(&mut self, judge: &Judge<'_>) {
        for mut row in std::mem::take(&mut self.ready) {
            let Some(mut written) = row.written.take() else {
                self.ready.push(row);
                continue;
            };
            let mut changed = false;
            for (field, by) in written.once {
                if written.fields.0.contains_key(&field) && !self.claimed.insert((field.clone(), by)) {
                    written.fields.0.shift_remove(&field);
                    changed = true;
                }
            }
            match if changed { judge.act(written.fields).map(Some) } else { Ok(None) } {
                Ok(again) => {
                    row.body = again.map_or(row.body, |judged| judged.body);
                    self.ready.push(row);
                }
                Err(refusal) => self.refused.push(Refused::new(row.line, row.reference, refusal)),
            }
        }
    }

    /// How many rows there were.
    pub fn rows(&self) -> usize {
        self.ready.len() + self.refused.len() + self.skipped
    }
}

/// One digest for all acts, for those who compare what they are about to sign: over the digests of the acts in their
/// order, each over kind and body. The clock has no part in it, unless a field was left to it.
pub fn digest(ready: &[Ready]) -> Hash {
    let digest =
        |row: &Ready| labelled("servanda/act/1\n", &encode(&(row.kind.number(), Bytes(row.body.clone()))));
    let all: Vec<u8> = ready.iter().flat_map(|row| digest(row).0).collect();
    labelled("servanda/acts/1\n", &all)
}
