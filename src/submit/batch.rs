//! Admitting many statements at once: signatures are checked on all cores, then each statement is judged in its turn.
//!
//! A signature is the only costly thing about a statement, and depends on nothing but the roster. So its verdict
//! ([`Roster::alone`]) is found beforehand, and used where that roster still stands when the statement's turn comes;
//! else, behind a statement of class 0 in the same batch, it is found again ([`crate::history::History::try_take`]).

use super::{Admitted, Operator, SubmitError};
use crate::codec::{Bytes, List};
use crate::entry::{Entry, Pointer, SignedEntry, VERSION};
use crate::field::{Class, Instant};
use crate::hash::ZEROS;
use crate::roster::Alone;
use crate::statement::{Signature, StatementError};
use rayon::prelude::*;

/// A statement with its signatures, as it comes to the door.
pub type Signed<'a> = (&'a [u8], &'a [Signature]);

impl Operator {
    /// Judges statements one after the other and sequences them at `now`, as [`Operator::admit`] does with each: one
    /// answer for each, and a statement that is refused leaves the log as it was.
    pub fn admit_all(
        &mut self,
        statements: &[Signed<'_>],
        now: Instant,
    ) -> Vec<Result<Admitted, SubmitError>> {
        let roster = self.roster();
        let entries: Vec<_> = statements.par_iter().map(|signed| unplaced(*signed, now)).collect();
        // The ledger asks for each act in its turn: it is made beforehand.
        entries.par_iter().flatten().for_each(|e| {
            let _ = e.act();
        });
        // Those of class 0 are judged in their turn, since it takes their place.
        let ordinary = |e: &SignedEntry| e.statement.class() != Class::Govern;
        let decoded: Vec<_> = entries.iter().flatten().filter(|e| ordinary(e)).collect();
        let mut judged = roster.alone_all(&decoded).into_iter();
        let mut next =
            |e: &SignedEntry| ordinary(e).then(|| judged.next().expect("a verdict for each that decodes"));
        entries
            .into_iter()
            .map(|e| {
                e.map(|e| {
                    let alone = next(&e);
                    (e, alone)
                })
            })
            .collect::<Vec<_>>()
            .into_iter()
            .map(|judged| {
                let (e, alone) = judged?;
                self.sequence(e, alone, now)
            })
            .collect()
    }

    fn sequence(
        &mut self,
        mut e: SignedEntry,
        alone: Option<Alone>,
        now: Instant,
    ) -> Result<Admitted, SubmitError> {
        if let Some(index) = self.find(&e.id, &e.statement, &e.entry.statement)? {
            return Ok(Admitted::Already { index });
        }
        self.check_in_office()?;
        if let Some(unknown) = self.history.unknown() {
            return Err(SubmitError::NotUnderstood(unknown.clone()));
        }
        let (last, _) = self.history.times();
        // The way out of a clock that ran ahead: a motion for a new operator is sequenced with the last entry's time, and
        // what completes it with the true one.
        let is_way_out = self.roster().never_expires(&e);
        if now < last && !is_way_out {
            return Err(SubmitError::Clock { now, last });
        }
        let (head, vkeys) = (self.history.head(), self.roster().vkeys.len());
        let mut bytes = e.place(head.size, head.leaf, self.history.pointer())?;
        let store = self.writer.store();
        let mut past = self.leaves.past(store);
        let mut taken = self.history.try_take(&bytes, &e, &mut past, alone.clone());
        if now < last && taken.is_err() {
            e.entry.sequenced_at = last;
            bytes = e.place(head.size, head.leaf, self.history.pointer())?;
            taken = self.history.try_take(&bytes, &e, &mut past, alone);
        }
        // Whoever could not be read has not been refused.
        self.leaves.failure()?;
        taken.map_err(SubmitError::Refused)?;
        if self.roster().vkeys.len() > vkeys {
            self.replaced = Some(head.size);
        }
        self.leaves.push(e.leaf);
        self.waiting_bytes += bytes.len();
        self.waiting.push(bytes);
        self.fresh.insert(e.id, head.size);
        Ok(Admitted::New { index: head.size })
    }
}

/// Makes a statement's entry, its place still open.
fn unplaced((statement, signatures): Signed<'_>, now: Instant) -> Result<SignedEntry, StatementError> {
    SignedEntry::unplaced(Entry {
        version: VERSION,
        index: 0,
        link: ZEROS,
        roster: Pointer::default(),
        sequenced_at: now,
        statement: Bytes(statement.to_vec()),
        signatures: List(signatures.to_vec()),
    })
}
