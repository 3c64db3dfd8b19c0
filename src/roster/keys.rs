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

/// One who may sign: a partner, or the operator.
#[derive(Clone, Debug)]
pub struct Member {
    /// The digest of the key set that charter or motion announced.
    pub announced: Hash,
    /// The key set in force, after the accede.
    pub in_force: Option<InForce>,
    /// The chain of class 0; its `seen` is for `history` alone.
    pub chain: AuthorChain,
    /// When the statements of class 0 were sequenced that count for [`FLOOD`], in the order of time.
    times: Vec<Instant>,
}

impl Member {
    /// One whose keys are announced, and who has not acceded.
    #[must_use]
    pub fn announced(digest: Hash) -> Self {
        Self { announced: digest, in_force: None, chain: AuthorChain::default(), times: Vec::new() }
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
                self.admit_set(&s.author, &accede.keys, None).and_then(|new| {
                    signing::all_signed(e, &new)?;
                    Ok(new)
                })
            }
            Act::Rotate(rotate) => {
                let old = member.in_force.as_ref().ok_or(Reason::NotAcceded)?;
                // First, so that only the partner's own officers can bring in what is not understood.
                signing::old_officers_signed(e, old)?;
                self.admit_set(&s.author, &rotate.keys, Some(old)).and_then(|new| {
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

    /// Admits a set into this log: sound in itself, and no key registered before but those carried over. From which
    /// entry on it is in force is for [`Roster::take`] to say.
    pub(super) fn admit_set(
        &self,
        author: &Handle,
        set: &KeySet,
        old: Option<&InForce>,
    ) -> Result<InForce, Reason> {
        let kept = |key: &[u8]| old.and_then(|old| old.set.officers.iter().find(|o| *o.key == *key));
        for (officer, new) in set.officers.iter().enumerate() {
            if kept(&new.key).is_some_and(|before| before.algorithm != new.algorithm) {
                return Err(Reason::KeptAlgorithm { officer });
            }
        }
        let keys = set.admit(author).map_err(|error| Reason::KeySet { error })?;
        for (officer, key) in keys.iter().enumerate() {
            if self.is_registered(key) && kept(&key.to_bytes()).is_none() {
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
