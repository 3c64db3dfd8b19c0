//! Registering key sets: possession proved, no key twice, rotation carried out.

use super::motions::{Change, LATER_ALGORITHM};
use super::{FLOOD, FLOOD_MS, Roster, signing};
use crate::chain::{AuthorChain, Reason};
use crate::charter::{KeySet, KeySetError, LEVEL};
use crate::entry::SignedEntry;
use crate::field::{Handle, Instant};
use crate::hash::Hash;
use crate::key::VerifyingKey;
use crate::statement::{Act, Kind};

/// A key set from the entry on at which it came into force.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The set.
    pub set: KeySet,
    /// Its keys, by officer number.
    pub keys: Vec<VerifyingKey>,
    /// The index of the entry that brought it.
    pub since: u64,
}

/// A key set that is no longer in force.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// The set, and since when it was in force.
    pub keys: InForce,
    /// The index of the entry that replaced it: the last one that it could sign.
    pub until: u64,
}

/// Whose a registered key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// The log's own, for checkpoints.
    Checkpoint,
    /// A witness's that the rules name.
    Witness,
    /// An officer's of this partner, or of the operator.
    Officer(Handle),
}

/// Which registered keys a new set may hold.
#[derive(Clone, Copy)]
pub(super) enum Kept<'a> {
    /// None.
    None,
    /// Those of the set that it replaces.
    Of(&'a InForce),
    /// All that were ever registered to its author: after a re-key.
    Own,
}

/// One who may sign: a partner, or the operator.
#[derive(Clone, Debug)]
pub struct Member {
    /// The digest of the key set that charter or motion announced.
    pub announced: Hash,
    /// The key set in force, after the accede; none before it, and from a re-key, or a new operator's motion, on.
    pub in_force: Option<InForce>,
    /// The sets that were in force before, in the order in which they were replaced.
    pub past: Vec<Replaced>,
    /// The index of the entry that carried the last motion to re-key it.
    pub rekeyed: Option<u64>,
    /// The chain of class 0; its `seen` is for `history` alone.
    pub chain: AuthorChain,
    /// When the statements of class 0 were sequenced that count for [`FLOOD`], in the order of time.
    times: Vec<Instant>,
}

impl Member {
    /// One whose keys are announced, and who has not acceded.
    #[must_use]
    pub fn announced(digest: Hash) -> Self {
        Self {
            announced: digest,
            in_force: None,
            past: Vec::new(),
            rekeyed: None,
            chain: AuthorChain::default(),
            times: Vec::new(),
        }
    }

    /// Whether it was re-keyed, and has not acceded with the new set yet.
    #[must_use]
    pub fn awaits_new_keys(&self) -> bool {
        self.in_force.is_none() && self.rekeyed.is_some()
    }

    /// Puts another set, or none, in the place of the one in force.
    pub(super) fn replace(&mut self, new: Option<InForce>, until: u64) {
        let old = std::mem::replace(&mut self.in_force, new);
        self.past.extend(old.map(|keys| Replaced { keys, until }));
    }

    /// Announces another set by a motion that the entry at `index` carries: the old one signs nothing from there on, and
    /// the count for [`FLOOD`] starts anew.
    pub(super) fn announce(&mut self, digest: Hash, index: u64) {
        self.replace(None, index);
        self.announced = digest;
        self.times.clear();
    }

    /// Whether a statement sequenced at this time would be one more than [`FLOOD`] within any [`FLOOD_MS`]. All times
    /// are kept and compared: a clock may go back, and no window is forgotten then.
    pub(super) fn flooded(&self, at: Instant) -> bool {
        let from = self.times.partition_point(|then| then.ms() + FLOOD_MS <= at.ms());
        let to = self.times.partition_point(|then| then.ms() < at.ms() + FLOOD_MS);
        let mut near = self.times[from..to].to_vec();
        near.insert(near.partition_point(|then| *then <= at), at);
        near.windows(FLOOD + 1).any(|w| w[FLOOD].ms() - w[0].ms() < FLOOD_MS)
    }

    pub(super) fn remember(&mut self, at: Instant) {
        self.times.insert(self.times.partition_point(|then| *then <= at), at);
    }
}

impl Roster {
    /// The key set that an accede or rotate brings into force, if all is in order.
    pub(super) fn new_keys(&self, e: &SignedEntry, member: &Member) -> Result<Change, Reason> {
        let s = &e.statement;
        if s.kind == Kind::Found.number() {
            return Err(Reason::FoundAgain);
        }
        let admitted = match e.act().map_err(|error| Reason::KeyBody { what: error.to_string() })? {
            Act::Accede(accede) => {
                if accede.keys.digest(&s.author) != member.announced {
                    return Err(Reason::NotAnnounced);
                }
                let kept = if member.awaits_new_keys() { Kept::Own } else { Kept::None };
                self.admit_set(&s.author, &accede.keys, kept).and_then(|new| {
                    signing::all_signed(e, &new)?;
                    Ok(new)
                })
            }
            Act::Rotate(rotate) => {
                let old = member.in_force.as_ref().ok_or(Reason::NotAcceded)?;
                // First, so that only the partner's own officers can bring in what is not understood.
                signing::old_officers_signed(e, old)?;
                self.admit_set(&s.author, &rotate.keys, Kept::Of(old)).and_then(|new| {
                    signing::new_officers_signed(e, old, &new)?;
                    Ok(new)
                })
            }
            _ => return Ok(Change::None),
        };
        match admitted {
            Ok(in_force) => Ok(Change::Keys(in_force)),
            Err(Reason::KeySet { error: KeySetError::Algorithm { .. } }) if self.charter.level > LEVEL => {
                Ok(Change::Unknown { what: LATER_ALGORITHM })
            }
            Err(reason) => Err(reason),
        }
    }

    /// Admits a set into this log: sound in itself, and no key registered before but those kept. From which
    /// entry on it is in force is for [`Roster::take`] to say.
    pub(super) fn admit_set(&self, author: &Handle, set: &KeySet, kept: Kept<'_>) -> Result<InForce, Reason> {
        let own = matches!(kept, Kept::Own).then(|| Holder::Officer(author.clone()));
        let old: &[_] = if let Kept::Of(old) = kept { &old.set.officers } else { &[] };
        let kept = |key: &[u8]| old.iter().find(|o| *o.key == *key);
        for (officer, new) in set.officers.iter().enumerate() {
            if kept(&new.key).is_some_and(|before| before.algorithm != new.algorithm) {
                return Err(Reason::KeptAlgorithm { officer });
            }
        }
        let keys = set.admit(author).map_err(|error| Reason::KeySet { error })?;
        for (officer, key) in keys.iter().enumerate() {
            let bytes = key.to_bytes();
            let holder = self.registered.get(&bytes);
            if holder.is_some() && holder != own.as_ref() && kept(&bytes).is_none() {
                return Err(Reason::KeyRegistered { officer });
            }
        }
        Ok(InForce { set: set.clone(), keys, since: 0 })
    }

    pub(super) fn register(&mut self, holder: &Handle, in_force: &InForce) {
        let holders = in_force.keys.iter().map(|key| (key.to_bytes(), Holder::Officer(holder.clone())));
        self.registered.extend(holders);
    }

    /// Whether a key was ever registered in this log, for whomever and whatever.
    #[must_use]
    pub fn is_registered(&self, key: &VerifyingKey) -> bool {
        self.registered.contains_key(&key.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::ZEROS;
    use proptest::prelude::*;

    fn at(ms: u64) -> Instant {
        Instant::from_ms(ms).expect("in range")
    }

    #[test]
    fn two_statements_30_days_apart_are_not_counted_together() {
        let mut member = Member::announced(ZEROS);
        member.remember(at(1));
        (1..FLOOD).for_each(|_| member.remember(at(5)));
        assert!(member.flooded(at(FLOOD_MS)) && member.flooded(at(0)) && member.flooded(at(3)));
        assert!(!member.flooded(at(FLOOD_MS + 1)));
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_the_limit_and_nothing_less_is_refused(
            days in prop::collection::vec(0..45u64, 1..150)
        ) {
            let mut member = Member::announced(ZEROS);
            let mut admitted: Vec<u64> = Vec::new();
            for day in days {
                let with: Vec<_> = admitted.iter().copied().chain([day]).collect();
                let most = with.iter().map(|from| with.iter().filter(|d| (*from..from + 30).contains(*d)).count());
                let flooded = most.max() > Some(FLOOD);
                let time = at(day * 86_400_000);
                prop_assert_eq!(member.flooded(time), flooded);
                if !flooded {
                    member.remember(time);
                    admitted = with;
                }
            }
        }
    }
}
