//! The full audit: derives everything again from the stored bytes, and reports all that does not hold.
//!
//! ```text
//! bundles -> entries -> leaf hashes -> tiles -> root        compared with the stored tiles and the checkpoint
//!                    -> statements -> roster, chains         judged by `history`
//! ```
//!
//! Bundles are read and decoded, and signatures checked, on all cores; the fold runs in the log's order. Between two
//! entries of class 0 the roster stands still, so a whole stretch of signatures can be checked at once. Memory holds one
//! batch of bundles and the next, the latest leaf hashes, and what each author needs: it does not grow with the log.
//!
//! In quick mode signatures are checked for all of class 0, and for the last statement of each author, class and key
//! set: that one vouches for those before it through `prev`. Sound as long as clients sign only on a `prev` that they
//! kept or verified. It derives no ledger, and so does not find acts that are void by the ledger's rules.

mod ahead;
mod batch;
mod gap;
mod log;
mod objects;
mod quick;

pub use log::{Held, Outcome, Subject, log};
pub use objects::{ObjectFinding, Trouble};

use crate::chain::{Effect, Finding};
use crate::client::ReadError;
use crate::hash::Hash;
use crate::history::History;
use crate::merkle::builder::TileBuilder;
use crate::merkle::tile::TILE_WIDTH;
use crate::roster::Roster;
use crate::store::Read;
use crate::submit::Leaves;
use ahead::Ahead;
use batch::{Batch, Leaf, Look};
use gap::Strays;
use objects::Objects;
use std::ops::Range;

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
    /// What follows from the entries: all of them, or those before a gap ([`Trouble::Gap`]).
    pub history: History,
    /// The root that these entries add up to.
    pub root: Hash,
    /// How many findings there were.
    pub findings: u64,
    /// How many statements' signatures were checked.
    pub signatures_checked: u64,
}

/// Does work that asks a store for bundles, and for the tiles over them, in their order, from a bundle on. Where the store is
/// far away, both are fetched ahead.
pub fn reading_ahead<T>(store: &dyn Read, first: u64, size: u64, work: impl FnOnce(&dyn Read) -> T) -> T {
    let (threads, bundles) = (store.at_once(), size.div_ceil(u64::from(TILE_WIDTH)).saturating_sub(first));
    // What one or two requests bring is not worth a thread.
    if threads == 0 || bundles < 2 {
        return work(store);
    }
    let ahead = Ahead::new(store, first, size);
    ahead.during(threads, || work(&ahead))
}

/// An audit that goes on from what was verified before, or from nothing.
pub struct Audit<'a> {
    store: &'a dyn Read,
    options: Options,
    history: History,
    objects: Objects,
    leaves: Leaves,
    strays: Strays,
    quick: quick::Waiting,
    signatures_checked: u64,
    findings: u64,
    report: &'a mut dyn FnMut(Found),
}

impl<'a> Audit<'a> {
    /// Starts from nothing; findings go to `report` as they are made.
    pub fn new(store: &'a dyn Read, options: Options, report: &'a mut dyn FnMut(Found)) -> Self {
        let history = if options.quick { History::without_ledger() } else { History::default() };
        Self::resume(store, options, history, TileBuilder::default(), report)
    }

    /// Goes on from a history that was verified, and the tree of the same size.
    pub fn resume(
        store: &'a dyn Read,
        options: Options,
        history: History,
        builder: TileBuilder,
        report: &'a mut dyn FnMut(Found),
    ) -> Self {
        let leaves = Leaves::new(builder.clone());
        let objects = Objects::new(builder);
        Self {
            store,
            options,
            history,
            objects,
            leaves,
            strays: Strays::default(),
            quick: quick::Waiting::default(),
            signatures_checked: 0,
            findings: 0,
            report,
        }
    }

    /// Verifies all entries up to `size`, and the tiles over them. `progress` is told the entries done. Stops where many
    /// bundles in a row are missing, or hold other entries: that is a finding, and what lies behind is not looked at.
    ///
    /// # Errors
    /// When the storage fails; what is missing or wrong is a finding.
    pub fn run(self, size: u64, progress: &dyn Fn(u64)) -> Result<Report, ReadError> {
        let first = self.history.head().size / u64::from(TILE_WIDTH);
        reading_ahead(self.store, first, size, |store| self.through(store).run_here(size, progress))
    }

    /// The same audit, reading through another store.
    fn through<'b>(self, store: &'b dyn Read) -> Audit<'b>
    where
        'a: 'b,
    {
        let Self { options, history, objects, leaves, strays, quick, signatures_checked, findings, .. } =
            self;
        let report: &'b mut dyn FnMut(Found) = self.report;
        Audit {
            store,
            options,
            history,
            objects,
            leaves,
            strays,
            quick,
            signatures_checked,
            findings,
            report,
        }
    }

    fn run_here(mut self, size: u64, progress: &dyn Fn(u64)) -> Result<Report, ReadError> {
        let width = u64::from(TILE_WIDTH);
        let known = self.history.head().size;
        let mut skip = usize::try_from(known % width).expect("within a bundle");
        let look = Look { quick: self.options.quick, acts: self.history.derives_ledger() };
        let first = || Batch::read(self.store, known / width, size, self.history.roster(), look, None);
        let mut read = (known < size).then(first);
        let (mut served, mut roster) = (None, None);
        while let Some(batch) = read.take() {
            let mut batch = batch?;
            if batch.len == 0 || self.strays.are_many() {
                let finding = gap::finding(batch.number, self.history.head().size, size, batch.len == 0);
                self.found(Found::Object(finding));
                break;
            }
            // Mostly the one before: there are few entries of class 0.
            if roster.as_ref().map(|known: &Roster| known.last) != self.history.roster().map(|now| now.last) {
                roster = self.history.roster().cloned();
            }
            let (store, roster) = (self.store, roster.as_ref());
            let next = batch.number + batch.len;
            // While this batch is folded, the next one is read and its signatures are checked.
            rayon::in_place_scope(|scope| {
                if next < size.div_ceil(width) {
                    let (read, served) = (&mut read, served.take());
                    scope.spawn(move |_| {
                        *read = Some(Batch::read(store, next, size, roster, look, served));
                    });
                }
                self.fold(&mut batch, std::mem::take(&mut skip))
            })?;
            progress(self.history.head().size);
            served = Some(batch);
        }
        self.finish_quick();
        let objects = std::mem::take(&mut self.objects);
        let root = if self.history.head().size < size {
            // Nothing is published for a size that the log never had.
            objects.root()
        } else {
            objects.finish(self.store, &mut |f| self.found(Found::Object(f)))?
        };
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

    /// Judges a batch's entries in the log's order.
    fn fold(&mut self, batch: &mut Batch, skip: usize) -> Result<(), ReadError> {
        for finding in std::mem::take(&mut batch.findings) {
            self.found(Found::Object(finding));
        }
        self.strays.count(&batch.leaves, batch.number);
        let mut at = skip;
        while at < batch.leaves.len() {
            let stretch = batch.leaves[at..].iter().position(Leaf::governs);
            let end = stretch.map_or(batch.leaves.len(), |len| at + len);
            self.stretch(batch, at..end)?;
            if end < batch.leaves.len() {
                if self.options.quick {
                    self.finish_quick();
                }
                self.signatures_checked += 1;
                self.take(batch, end)?;
            }
            at = end + 1;
        }
        self.leaves.stored(self.objects.tree());
        Ok(())
    }

    /// Judges entries between two of class 0.
    fn stretch(&mut self, batch: &mut Batch, range: Range<usize>) -> Result<(), ReadError> {
        let first = self.history.head().size;
        let told = batch.verdicts[range.clone()].iter().flatten().next().map(|verdict| verdict.roster);
        if let Some(roster) = self.history.roster()
            && told != Some(roster.last)
        {
            // The roster moved on since the batch was read.
            let look = Look { quick: self.options.quick, acts: false };
            batch.judge(range.clone(), roster, look);
        }
        // One that does not count vouches for nobody.
        let mut counts = Vec::with_capacity(range.len());
        for at in range.clone() {
            counts.push(self.take(batch, at)?);
        }
        let entries = (first..).zip(&batch.leaves[range]);
        if self.options.quick {
            let counted = entries.zip(counts).filter(|(_, counts)| *counts);
            let counted = counted.filter_map(|((index, leaf), _)| Some((index, leaf.ordinary()?)));
            self.quick.keep(&counted.collect::<Vec<_>>());
        } else {
            self.signatures_checked +=
                u64::try_from(entries.filter(|(_, leaf)| leaf.ordinary().is_some()).count()).expect("few");
        }
        Ok(())
    }

    /// Judges an entry; tells whether it is authentic.
    fn take(&mut self, batch: &mut Batch, at: usize) -> Result<bool, ReadError> {
        let alone = batch.verdicts[at].take();
        let leaf = &batch.leaves[at];
        let mut past = self.leaves.past(self.store);
        let findings = self.history.take(batch.bytes(leaf), leaf.hash, leaf.decoded(), &mut past, alone);
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
