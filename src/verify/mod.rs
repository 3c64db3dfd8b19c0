//! The full audit: derives everything again from the stored bytes, and reports all that does not hold.
//!
//! ```text
//! bundles -> entries -> leaf hashes -> tiles -> root        compared with the stored tiles and the checkpoint
//!                    -> statements -> roster, chains         judged by `history`
//! ```
//!
//! Bundles are read and decoded, and signatures checked, on all cores; the fold runs in the log's order. Between two
//! entries of class 0 the roster stands still, so a whole stretch of signatures can be checked at once. Memory holds one
//! batch of bundles, the latest leaf hashes, and what each author needs: it does not grow with the log.
//!
//! In quick mode signatures are checked for all of class 0, and for the last statement of each author, class and key
//! set: that one vouches for those before it through `prev`. Sound as long as clients sign only on a `prev` that they
//! kept or verified.

mod log;
mod objects;
mod quick;

pub use log::{Held, Outcome, Subject, log};
pub use objects::{ObjectFinding, Trouble};

use crate::chain::{Effect, Finding};
use crate::client::{self, ReadError};
use crate::entry::{EntryError, SignedEntry};
use crate::field::Class;
use crate::hash::{Hash, leaf_hash};
use crate::history::History;
use crate::merkle::builder::TileBuilder;
use crate::merkle::bundle;
use crate::merkle::tile::{Level, TILE_WIDTH, TilePath};
use crate::roster::{Alone, signing};
use crate::store::Read;
use crate::submit::Leaves;
use objects::Objects;
use rayon::prelude::*;

/// How many bytes of bundles one batch holds, unless a single bundle is longer.
const BATCH_BYTES: usize = 8 << 20;

/// How many bundles one batch holds.
const BATCH_BUNDLES: u64 = 16;

/// Something that verification holds against the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// About an entry.
    Entry(Finding),
    /// About a published object.
    Object(ObjectFinding),
}

/// How to verify.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Check the signatures that vouch for others, and class 0.
    pub quick: bool,
}

/// What was verified.
#[derive(Debug)]
pub struct Report {
    /// What follows from the entries.
    pub history: History,
    /// The root that the entries add up to.
    pub root: Hash,
    /// How many findings there were.
    pub findings: u64,
    /// How many statements' signatures were checked.
    pub signatures_checked: u64,
}

/// An audit that goes on from what was verified before, or from nothing.
pub struct Audit<'a> {
    store: &'a dyn Read,
    options: Options,
    history: History,
    objects: Objects,
    leaves: Leaves,
    quick: quick::Waiting,
    signatures_checked: u64,
    findings: u64,
    report: &'a mut dyn FnMut(Found),
}

/// A bundle as read; none where it is missing.
type Bundle = (TilePath, Option<Vec<u8>>);

/// A leaf as read.
struct Leaf<'b> {
    bytes: &'b [u8],
    hash: Hash,
    decoded: Result<SignedEntry, EntryError>,
}

impl<'a> Audit<'a> {
    /// Starts from nothing; findings go to `report` as they are made.
    pub fn new(store: &'a dyn Read, options: Options, report: &'a mut dyn FnMut(Found)) -> Self {
        Self::resume(store, options, History::default(), TileBuilder::default(), report)
    }

    /// Goes on from a history that was verified, and the tree of the same size.
    pub fn resume(
        store: &'a dyn Read,
        options: Options,
        history: History,
        builder: TileBuilder,
        report: &'a mut dyn FnMut(Found),
    ) -> Self {
        let leaves = Leaves::new(history.head().size, builder.root());
        let objects = Objects::new(builder);
        Self {
            store,
            options,
            history,
            objects,
            leaves,
            quick: quick::Waiting::default(),
            signatures_checked: 0,
            findings: 0,
            report,
        }
    }

    /// Verifies all entries up to `size`, and the tiles over them. `progress` is told the entries done.
    ///
    /// # Errors
    /// When the storage fails; what is missing or wrong is a finding.
    pub fn run(mut self, size: u64, progress: &dyn Fn(u64)) -> Result<Report, ReadError> {
        let width = u64::from(TILE_WIDTH);
        let mut number = self.history.head().size / width;
        while number < size.div_ceil(width) {
            let bundles = self.read_batch(number, size)?;
            let leaves = self.decode(&bundles);
            number += u64::try_from(bundles.len()).expect("few");
            let known = self.history.head().size;
            let skip =
                usize::try_from(known.saturating_sub(bundles[0].0.index * width)).expect("within a bundle");
            self.batch(&leaves[skip..])?;
            progress(self.history.head().size);
        }
        self.finish_quick();
        let objects = std::mem::take(&mut self.objects);
        let root = objects.finish(self.store, &mut |f| self.found(Found::Object(f)))?;
        Ok(Report {
            history: self.history,
            root,
            findings: self.findings,
            signatures_checked: self.signatures_checked,
        })
    }

    fn found(&mut self, found: Found) {
        self.findings += 1;
        (self.report)(found);
    }

    /// Reads some bundles; one that is missing is a finding, and none.
    fn read_batch(&mut self, first: u64, size: u64) -> Result<Vec<Bundle>, ReadError> {
        let mut batch = Vec::new();
        let mut total = 0;
        let paths = (first..first + BATCH_BUNDLES).map_while(|n| TilePath::at(Level::Entries, n, size));
        for path in paths {
            let bytes = client::object(self.store, path);
            let bytes = objects::read(&path.to_string(), bytes, &mut |f| self.found(Found::Object(f)))?;
            total += bytes.as_ref().map_or(0, Vec::len);
            batch.push((path, bytes));
            if total >= BATCH_BYTES {
                break;
            }
        }
        Ok(batch)
    }

    /// Takes bundles apart, decodes their entries, hashes them; damaged ones give leaves without bytes.
    fn decode<'b>(&mut self, bundles: &'b [Bundle]) -> Vec<Leaf<'b>> {
        let mut entries: Vec<&[u8]> = Vec::new();
        for (path, bytes) in bundles {
            match bytes.as_ref().map(|bytes| bundle::parse(bytes, path.width)) {
                Some(Ok(parsed)) => {
                    entries.extend(parsed);
                    continue;
                }
                Some(Err(error)) => {
                    self.found(Found::Object(ObjectFinding::new(*path, Trouble::Bundle(error))));
                }
                // That it is missing was found as it was read.
                None => {}
            }
            entries.extend(std::iter::repeat_n(&[][..], path.width.into()));
        }
        let decode =
            |bytes: &'b [u8]| Leaf { bytes, hash: leaf_hash(bytes), decoded: SignedEntry::decode(bytes) };
        entries.into_par_iter().map(decode).collect()
    }

    fn batch(&mut self, leaves: &[Leaf<'_>]) -> Result<(), ReadError> {
        let governs =
            |leaf: &Leaf<'_>| leaf.decoded.as_ref().is_ok_and(|e| e.statement.class() == Class::Govern);
        let mut rest = leaves;
        while !rest.is_empty() {
            let stretch = rest.iter().position(governs).unwrap_or(rest.len());
            let (same_roster, after) = rest.split_at(stretch);
            self.stretch(same_roster)?;
            let (govern, after) = after.split_at(after.len().min(1));
            for leaf in govern {
                if self.options.quick {
                    self.finish_quick();
                }
                self.signatures_checked += 1;
                self.take(leaf, None)?;
            }
            rest = after;
        }
        self.leaves.stored(self.history.head().size, self.objects.root());
        Ok(())
    }

    /// Judges entries between two of class 0: their signatures in parallel, then the fold.
    fn stretch(&mut self, leaves: &[Leaf<'_>]) -> Result<(), ReadError> {
        let quick = self.options.quick;
        let verdicts: Vec<_> = match self.history.roster() {
            None => leaves.iter().map(|_| None).collect(),
            Some(roster) => {
                let judge = |leaf: &Leaf<'_>| {
                    let e = leaf.decoded.as_ref().ok()?;
                    let check = if quick { signing::signers } else { signing::signed };
                    Some(roster.alone_by(e, check))
                };
                leaves.par_iter().map(judge).collect()
            }
        };
        for (leaf, verdict) in leaves.iter().zip(verdicts) {
            let index = self.history.head().size;
            let authentic = self.take(leaf, verdict)?;
            match &leaf.decoded {
                // One that does not count vouches for nobody.
                Ok(e) if quick && authentic => self.quick.remember(index, e),
                Ok(_) if !quick => self.signatures_checked += 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// Judges an entry; tells whether it is authentic.
    fn take(&mut self, leaf: &Leaf<'_>, alone: Option<Alone>) -> Result<bool, ReadError> {
        let (store, leaves) = (self.store, &mut self.leaves);
        let mut leaf_at = |index| leaves.at(store, index);
        let findings = self.history.take(leaf.bytes, leaf.hash, leaf.decoded.as_ref(), &mut leaf_at, alone);
        match self.leaves.failure() {
            // That a tile is missing or wrong is found as it is compared.
            Err(error) if !error.is_tampering() => return Err(error),
            _ => {}
        }
        self.leaves.push(leaf.hash);
        let authentic = findings.iter().all(|f| f.reason.effect() != Effect::Unauthentic);
        for finding in findings {
            self.found(Found::Entry(finding));
        }
        let mut objects = std::mem::take(&mut self.objects);
        let pushed = objects.push(self.store, leaf.hash, &mut |f| self.found(Found::Object(f)));
        self.objects = objects;
        pushed.map(|()| authentic)
    }

    /// Checks the signatures that vouch for those before them.
    fn finish_quick(&mut self) {
        let waiting = std::mem::take(&mut self.quick);
        self.signatures_checked += waiting.len();
        if let Some(roster) = self.history.roster().cloned() {
            for finding in waiting.check(&roster) {
                self.found(Found::Entry(finding));
            }
        }
    }
}
