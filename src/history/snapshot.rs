//! A history as it is kept between runs: all that cannot be derived from the entries of class 0 alone, and these.
//!
//! ```text
//! version 3 | head (size, [32]) | sequenced_at | effective time | [(handle, five chains)] | [(index, entry)]
//!           | (index, kind)? | (index, time)? of the last anchor | ledger's digest? | SHA-256("servanda/snapshot/1\n" || all before)
//! ```
//!
//! The ledger lies apart, named by its digest: it is much longer, and need not be written as often.
//!
//! The digest finds damage, not malice: whoever keeps a snapshot trusts the place where it lies. Roster and keys are
//! derived anew, signatures included.

use super::{Anchored, CLASSES, Folded, History};
use crate::chain::{AuthorChain, counts};
use crate::codec::{Bytes, List, encode};
use crate::entry::SignedEntry;
use crate::field::{Handle, Instant};
use crate::hash::{Hash, ZEROS, labelled};
use crate::ledger::Ledger;
use crate::roster::Roster;
use crate::statement::Head;
use serde::{Deserialize, Serialize};

/// The version that this program writes and reads.
const VERSION: u8 = 3;

/// What to keep of a history; encoded with [`encode`], decoded with [`decode_large`](crate::codec::decode_large).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    kept: Kept,
    digest: Hash,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    version: u8,
    head: Head,
    raw_time: Instant,
    time: Instant,
    chains: List<(Handle, [AuthorChain; CLASSES])>,
    govern: List<(u64, Bytes)>,
    incomplete: Option<(u64, u16)>,
    anchored: Option<Anchored>,
    ledger: KeptLedger,
}

/// What became of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum KeptLedger {
    NotYet,
    Of(Hash),
    Never,
}

/// Why a snapshot cannot be taken up: then everything is derived from the entries again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Of a version that this program does not know.
    #[error("snapshot of version {0}, this program knows version {VERSION}")]
    Version(u8),
    /// Damaged.
    #[error("the snapshot's digest is {got}, its content has {want}")]
    Digest {
        /// What it says.
        got: Hash,
        /// What its content has.
        want: Hash,
    },
    /// An entry of class 0 in it does not follow from those before.
    #[error("entry {0} does not follow from the entries of class 0 before it")]
    Govern(u64),
    /// The ledger that belongs to it is not the one given.
    #[error("the ledger that belongs to it is {0}")]
    Ledger(Hash),
    /// Its parts do not belong together.
    #[error("its {0} cannot be those of a history of {1} entries")]
    Parts(&'static str, u64),
}

impl Kept {
    fn digest(&self) -> Hash {
        labelled("servanda/snapshot/1\n", &encode(self))
    }

    /// The roster that the entries of class 0 add up to.
    fn roster(&self) -> Result<Option<Roster>, SnapshotError> {
        let mut roster: Option<Roster> = None;
        for (index, bytes) in &self.govern {
            let no = SnapshotError::Govern(*index);
            let Ok(e) = SignedEntry::decode(bytes) else { return Err(no) };
            match &mut roster {
                None if *index == 0 => roster = Some(Roster::found(&e).map_err(|_| no)?),
                Some(roster) if *index > roster.last.index && roster.unknown.is_none() => {
                    if !counts(&roster.govern(*index, &e)) {
                        return Err(no);
                    }
                }
                _ => return Err(no),
            }
        }
        Ok(roster)
    }

    fn check(&self, roster: Option<&Roster>) -> Result<(), SnapshotError> {
        let size = self.head.size;
        let parts = |what| Err(SnapshotError::Parts(what, size));
        let last = roster.map(|r| r.last);
        let fits = match (size.checked_sub(1), last) {
            (None, last) => self.head.leaf == ZEROS && last.is_none(),
            (Some(end), Some(last)) => last.index < end || (last.index == end && last.leaf == self.head.leaf),
            (Some(_), None) => true,
        };
        if !fits {
            return parts("head");
        }
        if self.time < self.raw_time || roster.is_some_and(|r| r.unknown.is_none() && self.time < r.time()) {
            return parts("times");
        }
        let known = |handle| roster.is_some_and(|r| r.members.contains_key(handle));
        if !self.chains.is_sorted_by(|(a, _), (b, _)| a < b) || !self.chains.iter().all(|(h, _)| known(h)) {
            return parts("chains");
        }
        if matches!(self.ledger, KeptLedger::Of(_)) && roster.is_none() {
            return parts("ledger");
        }
        if self.incomplete.is_some_and(|(index, _)| index >= size) {
            return parts("unknown acts");
        }
        let named = roster.is_some_and(|r| r.charter.rules.witnesses.is_some());
        let before = |anchored: Anchored| anchored.index < size && anchored.at <= self.time;
        if self.anchored.is_some() != named || !self.anchored.is_none_or(before) {
            return parts("last anchor");
        }
        Ok(())
    }
}

impl Snapshot {
    /// The digest of the ledger that belongs to it, if one does.
    #[must_use]
    pub fn ledger(&self) -> Option<Hash> {
        match self.kept.ledger {
            KeptLedger::Of(digest) => Some(digest),
            KeptLedger::NotYet | KeptLedger::Never => None,
        }
    }
}

impl History {
    /// What to keep, the ledger apart.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let kept = Kept {
            version: VERSION,
            head: self.head,
            raw_time: self.raw_time,
            time: self.time,
            chains: self.chains.iter().map(|(handle, all)| (handle.clone(), *all)).collect(),
            govern: List(self.govern.clone()),
            incomplete: self.incomplete,
            anchored: self.anchored,
            ledger: match &self.folded {
                Folded::NotYet => KeptLedger::NotYet,
                Folded::Ledger(ledger) => KeptLedger::Of(ledger.digest()),
                Folded::Never => KeptLedger::Never,
            },
        };
        Snapshot { digest: kept.digest(), kept }
    }

    /// Takes a kept history up again, with the ledger of [`Snapshot::ledger`] as it was encoded; the roster is derived
    /// anew, signatures included.
    ///
    /// # Errors
    /// [`SnapshotError`] where it does not hold together: then everything is derived from the entries again.
    pub fn resume(snapshot: Snapshot, ledger: Option<&[u8]>) -> Result<Self, SnapshotError> {
        let Snapshot { kept, digest } = snapshot;
        if kept.version != VERSION {
            return Err(SnapshotError::Version(kept.version));
        }
        let want = kept.digest();
        if digest != want {
            return Err(SnapshotError::Digest { got: digest, want });
        }
        let roster = kept.roster()?;
        kept.check(roster.as_ref())?;
        let Kept { head, raw_time, time, incomplete, anchored, .. } = kept;
        let folded = match (kept.ledger, ledger) {
            (KeptLedger::NotYet, _) => Folded::NotYet,
            (KeptLedger::Never, _) => Folded::Never,
            (KeptLedger::Of(want), Some(bytes)) => {
                let ledger = Ledger::decode(bytes, &want).map_err(|_| SnapshotError::Ledger(want))?;
                Folded::Ledger(Box::new(ledger))
            }
            (KeptLedger::Of(want), None) => return Err(SnapshotError::Ledger(want)),
        };
        Ok(Self {
            folded,
            roster,
            chains: kept.chains.0.into_iter().collect(),
            head,
            raw_time,
            time,
            govern: kept.govern.0,
            incomplete,
            anchored,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample::*;
    use crate::statement::body::Motion;

    /// Whether a snapshot, changed and given a digest that fits, is taken up.
    fn resumed(log: &Sample, change: impl FnOnce(&mut Kept)) -> Result<(), SnapshotError> {
        let mut kept = log.history.snapshot().kept;
        change(&mut kept);
        History::resume(Snapshot { digest: kept.digest(), kept }, log.history.ledger().map(encode).as_deref())
            .map(drop)
    }

    fn sample() -> Sample {
        let mut log = Sample::new();
        log.say("fr", C, &adopt(0));
        log
    }

    #[test]
    fn a_snapshot_of_another_version_is_refused() {
        assert_eq!(resumed(&sample(), |_| {}), Ok(()));
        assert_eq!(resumed(&sample(), |k| k.version = 1), Err(SnapshotError::Version(1)));
    }

    #[test]
    fn entries_of_class_0_that_do_not_follow_are_refused() {
        let log = sample();
        let refused = |index, change: &dyn Fn(&mut Kept)| {
            assert_eq!(resumed(&log, |k| change(k)), Err(SnapshotError::Govern(index)));
        };
        refused(1, &|k| drop(k.govern.remove(0)));
        refused(2, &|k| drop(k.govern.remove(1)));
        refused(3, &|k| k.govern[2].0 = 3);
        refused(1, &|k| k.govern[2].0 = 1);
        refused(1, &|k| k.govern[0].0 = 1);
        refused(4, &|k| k.govern[4].1.0.push(0));
        let ordinary = Bytes(log.entries[5].clone());
        refused(5, &|k| k.govern.push((5, ordinary.clone())));
    }

    #[test]
    fn nothing_of_class_0_follows_where_the_roster_is_unknown() {
        let mut log = Sample::new();
        log.carry(Motion::Level { level: 2 }, &["de", "fr", "it"]);
        let mut later = log.draft("fr", G, &approve(ZEROS));
        later.statement.kind = 5;
        assert_eq!(log.put(&later), []);
        assert_eq!(resumed(&log, |_| {}), Ok(()));
        let next = Bytes(crate::codec::encode(&log.entry(&log.draft("it", G, &approve(ZEROS)))));
        assert_eq!(resumed(&log, |k| k.govern.push((9, next))), Err(SnapshotError::Govern(9)));
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused() {
        let log = sample();
        let refused = |what, change: &dyn Fn(&mut Kept)| {
            let got = resumed(&log, |k| change(k));
            assert!(matches!(got, Err(SnapshotError::Parts(part, _)) if part == what), "{what}: {got:?}");
        };
        refused("head", &|k| k.head.size = 0);
        refused("head", &|k| k.head.size = 4);
        refused("head", &|k| k.head.size = 5);
        refused("times", &|k| k.time = start());
        refused("times", &|k| (k.raw_time, k.time) = (start(), start()));
        refused("chains", &|k| k.chains.0.reverse());
        refused("chains", &|k| k.chains[0].0 = k.chains[1].0.clone());
        refused("chains", &|k| k.chains[0].0 = handle("a"));
        refused("unknown acts", &|k| k.incomplete = Some((6, 71)));
        assert_eq!(resumed(&log, |k| k.incomplete = Some((5, 71))), Ok(()));
        refused("last anchor", &|k| k.anchored = None);
        refused("last anchor", &|k| k.anchored = Some(Anchored { index: 6, at: start() }));
        let later = log.now.plus_ms(1);
        refused("last anchor", &|k| k.anchored = Some(Anchored { index: 5, at: later }));
        assert_eq!(resumed(&log, |k| k.anchored = Some(Anchored { index: 5, at: log.now })), Ok(()));
        let empty = Sample::default();
        assert_eq!(resumed(&empty, |_| {}), Ok(()));
        let one = resumed(&empty, |k| k.head.leaf = Hash([1; 32]));
        assert_eq!(one, Err(SnapshotError::Parts("head", 0)));
    }
}
