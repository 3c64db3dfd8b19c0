//! Registering key sets: possession proved, no key twice, rotation carried out.

use super::{FLOOD, FLOOD_MS, Roster, signing};
use crate::chain::{AuthorChain, Reason};
use crate::charter::KeySet;
use crate::entry::SignedEntry;
use crate::field::{Handle, Instant};
use crate::hash::Hash;
use crate::key::VerifyingKey;
use crate::statement::{Act, Kind};
use std::collections::VecDeque;

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

/// One who may sign: a partner, or the operator.
#[derive(Clone, Debug)]
pub struct Member {
    /// The digest of the key set that charter or motion announced.
    pub announced: Hash,
    /// The key set in force, after the accede.
    pub in_force: Option<InForce>,
    /// The chain of class 0.
    pub chain: AuthorChain,
    /// When the last statements of class 0 were sequenced, accedes excepted; at most [`FLOOD`].
    pub(super) recent: VecDeque<Instant>,
}

impl Member {
    /// One whose keys are announced, and who has not acceded.
    #[must_use]
    pub fn announced(digest: Hash) -> Self {
        Self { announced: digest, in_force: None, chain: AuthorChain::default(), recent: VecDeque::new() }
    }

    pub(super) fn flooded(&self, at: Instant) -> bool {
        self.recent.iter().filter(|&&then| at.ms().saturating_sub(then.ms()) < FLOOD_MS).count() >= FLOOD
    }

    pub(super) fn remember(&mut self, at: Instant) {
        self.recent.push_back(at);
        if self.recent.len() > FLOOD {
            // The earliest goes: it is the first to leave any window.
            let earliest = self.recent.iter().enumerate().min_by_key(|(_, then)| **then).map(|(i, _)| i);
            self.recent.remove(earliest.expect("not empty"));
        }
    }
}

impl Roster {
    /// The key set that an accede or rotate brings into force, if all is in order.
    pub(super) fn new_keys(
        &self,
        index: u64,
        e: &SignedEntry,
        member: &Member,
    ) -> Result<Option<InForce>, Reason> {
        let s = &e.statement;
        if s.kind == Kind::Found.number() {
            return Err(Reason::FoundAgain);
        }
        match s.act().map_err(|error| Reason::KeyBody { what: error.to_string() })? {
            Act::Accede(accede) => {
                if accede.keys.digest(&s.author) != member.announced {
                    return Err(Reason::NotAnnounced);
                }
                let in_force = self.admit_set(&s.author, accede.keys, index, None)?;
                signing::all_signed(e, &in_force)?;
                Ok(Some(in_force))
            }
            Act::Rotate(rotate) => {
                let old = member.in_force.as_ref().ok_or(Reason::NotAcceded)?;
                let in_force = self.admit_set(&s.author, rotate.keys, index, Some(old))?;
                signing::rotation_signed(e, old, &in_force)?;
                Ok(Some(in_force))
            }
            _ => Ok(None),
        }
    }

    /// Admits a set into this log: sound in itself, and no key registered before but those carried over.
    pub(super) fn admit_set(
        &self,
        author: &Handle,
        set: KeySet,
        since: u64,
        old: Option<&InForce>,
    ) -> Result<InForce, Reason> {
        let keys = set.admit(author).map_err(|error| Reason::KeySet { error })?;
        for (officer, key) in keys.iter().enumerate() {
            let kept =
                old.and_then(|old| old.keys.iter().position(|k| k == key).map(|i| &old.set.officers[i]));
            match kept {
                Some(before) if before.algorithm != set.officers[officer].algorithm => {
                    return Err(Reason::KeptAlgorithm { officer });
                }
                Some(_) => {}
                None if self.registered.contains(&key.to_bytes()) => {
                    return Err(Reason::KeyRegistered { officer });
                }
                None => {}
            }
        }
        Ok(InForce { set, keys, since })
    }

    pub(super) fn register(&mut self, in_force: &InForce) {
        self.registered.extend(in_force.keys.iter().map(VerifyingKey::to_bytes));
    }

    /// Whether a key was ever registered in this log, for whomever and whatever.
    #[must_use]
    pub fn is_registered(&self, key: &VerifyingKey) -> bool {
        self.registered.contains(&key.to_bytes())
    }
}
