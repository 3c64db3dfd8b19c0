//! Key sets: a partner's officers, what each may sign, and how many must.
//!
//! An officer's number is the position in the set, 0 to 127. The charter binds a set by its digest,
//! SHA-256("servanda/keys/1\n" || encoded (handle, set)).

use crate::codec::{Bytes, List, encode};
use crate::field::{Class, Classes, Handle, Short};
use crate::hash::{Hash, labelled};
use crate::key::{ED25519, KeyError, VerifyingKey};
use crate::text::count;
use serde::{Deserialize, Serialize};

/// The most officers in a set.
pub const MAX_OFFICERS: usize = 128;

/// Officers and thresholds of one partner, as signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    /// The officers; the position is the officer number.
    pub officers: List<Officer>,
    /// For each class in order how many of its holders must sign; 0 where it has no holders.
    pub thresholds: [u8; 5],
}

/// A person or office that signs for a partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Officer {
    /// The office, for people.
    pub title: Short,
    /// The signature algorithm: 1 is Ed25519.
    pub algorithm: u8,
    /// The public key, in the algorithm's encoding.
    pub key: Bytes,
    /// What the officer may sign.
    pub classes: Classes,
}

/// Why a key set cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// More than 128 officers.
    #[error("{0} officers, at most {MAX_OFFICERS} are allowed")]
    TooMany(usize),
    /// An algorithm that the log's level does not have.
    #[error("officer {officer}: algorithm {algorithm} is not known at this level")]
    Algorithm {
        /// The officer's number.
        officer: usize,
        /// The algorithm's number.
        algorithm: u8,
    },
    /// A key that may not be registered.
    #[error("officer {officer}: {error}")]
    Key {
        /// The officer's number.
        officer: usize,
        /// What is wrong with the key.
        error: KeyError,
    },
    /// Two officers with one key: thresholds count officers, and one person would count twice.
    #[error("officers {0} and {1} have the same key")]
    Twice(usize, usize),
    /// The operator's class in a partner's set, or a partner's in the operator's.
    #[error("officer {officer} holds class \"{class}\", which is not for {holder}")]
    Class {
        /// The officer's number.
        officer: usize,
        /// The class.
        class: Class,
        /// Who may not hold it.
        holder: &'static str,
    },
    /// A threshold that nobody or too few could meet, or none where there are holders.
    #[error("threshold of class \"{class}\" is {threshold}, but {} it", count(.holders, "officer holds", "officers hold"))]
    Threshold {
        /// The class.
        class: Class,
        /// The threshold given.
        threshold: u8,
        /// How many officers hold the class.
        holders: usize,
    },
    /// Nobody could ever replace a key.
    #[error("no officer holds \"govern\", so no key could ever be replaced")]
    NoGovern,
}

impl KeySet {
    /// The digest by which charter and motions announce a set.
    #[must_use]
    pub fn digest(&self, handle: &Handle) -> Hash {
        labelled("servanda/keys/1\n", &encode(&(handle, self)))
    }

    /// How many officers hold a class.
    #[must_use]
    pub fn holders(&self, class: Class) -> usize {
        self.officers.iter().filter(|o| o.classes.has(class)).count()
    }

    /// The threshold of a class, 0 where nobody holds it.
    #[must_use]
    pub fn threshold(&self, class: Class) -> u8 {
        self.thresholds[usize::from(class.number())]
    }

    /// Admits a set as far as the set alone tells, and gives its keys in officers' order. Whether a key was registered
    /// before is the roster's to say.
    ///
    /// # Errors
    /// [`KeySetError`] names the first officer or class that does not fit.
    pub fn admit(&self, handle: &Handle) -> Result<Vec<VerifyingKey>, KeySetError> {
        if self.officers.len() > MAX_OFFICERS {
            return Err(KeySetError::TooMany(self.officers.len()));
        }
        let mut keys = Vec::new();
        for (officer, o) in self.officers.iter().enumerate() {
            if o.algorithm != ED25519 {
                return Err(KeySetError::Algorithm { officer, algorithm: o.algorithm });
            }
            let key = VerifyingKey::admit(&o.key).map_err(|error| KeySetError::Key { officer, error })?;
            if let Some(other) = keys.iter().position(|k| *k == key) {
                return Err(KeySetError::Twice(other, officer));
            }
            keys.push(key);
            let (allowed, holder): (&[Class], _) = if handle.is_operator() {
                (&[Class::Govern, Class::OperateLog], "the operator")
            } else {
                (&[Class::Govern, Class::Commit, Class::Operate, Class::Observe], "a partner")
            };
            if let Some(class) = o.classes.iter().find(|c| !allowed.contains(c)) {
                return Err(KeySetError::Class { officer, class, holder });
            }
        }
        for &class in Class::ALL {
            let (threshold, holders) = (self.threshold(class), self.holders(class));
            let fits =
                if holders == 0 { threshold == 0 } else { (1..=holders).contains(&usize::from(threshold)) };
            if !fits {
                return Err(KeySetError::Threshold { class, threshold, holders });
            }
        }
        if self.holders(Class::Govern) == 0 {
            return Err(KeySetError::NoGovern);
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;

    fn set(officers: &[(u8, &[Class])], thresholds: [u8; 5]) -> KeySet {
        let officer = |&(seed, classes): &(u8, &[Class])| Officer {
            title: Short::new("officer").expect("short"),
            algorithm: ED25519,
            key: SigningKey::from_seed(&[seed; 32]).public().to_bytes().to_vec().into(),
            classes: classes.iter().copied().collect(),
        };
        KeySet { officers: officers.iter().map(officer).collect(), thresholds }
    }

    fn de() -> Handle {
        "de".parse().expect("handle")
    }

    #[test]
    fn a_plain_set_is_admitted() {
        let keys = set(&[(1, &[Class::Govern, Class::Commit]), (2, &[Class::Operate])], [1, 1, 1, 0, 0])
            .admit(&de());
        assert_eq!(keys.map(|k| k.len()), Ok(2));
    }

    #[test]
    fn thresholds_that_nobody_meets_are_refused() {
        for thresholds in [[2, 0, 0, 0, 0], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0]] {
            let refused = set(&[(1, &[Class::Govern])], thresholds).admit(&de());
            assert!(matches!(refused, Err(KeySetError::Threshold { .. })), "{refused:?}");
        }
        assert_eq!(set(&[(1, &[Class::Commit])], [0, 1, 0, 0, 0]).admit(&de()), Err(KeySetError::NoGovern));
    }

    #[test]
    fn one_key_for_two_officers_is_refused() {
        let twice = set(&[(1, &[Class::Govern]), (1, &[Class::Govern])], [2, 0, 0, 0, 0]);
        assert_eq!(twice.admit(&de()), Err(KeySetError::Twice(0, 1)));
    }

    #[test]
    fn partners_and_operator_hold_their_own_classes_only() {
        let log = set(&[(1, &[Class::Govern, Class::OperateLog])], [1, 0, 0, 0, 1]);
        assert!(log.admit(&Handle::operator()).is_ok());
        assert!(matches!(log.admit(&de()), Err(KeySetError::Class { class: Class::OperateLog, .. })));
        let state = set(&[(1, &[Class::Govern, Class::Commit])], [1, 1, 0, 0, 0]);
        assert!(matches!(
            state.admit(&Handle::operator()),
            Err(KeySetError::Class { class: Class::Commit, .. })
        ));
    }

    #[test]
    fn weak_keys_and_unknown_algorithms_are_refused() {
        let mut weak = set(&[(1, &[Class::Govern])], [1, 0, 0, 0, 0]);
        weak.officers[0].key = Bytes([&[1u8][..], &[0; 31]].concat());
        assert!(matches!(weak.admit(&de()), Err(KeySetError::Key { officer: 0, error: KeyError::Weak })));
        weak.officers[0].algorithm = 6;
        assert_eq!(weak.admit(&de()), Err(KeySetError::Algorithm { officer: 0, algorithm: 6 }));
    }

    #[test]
    fn the_digest_binds_the_handle() {
        let keys = set(&[(1, &[Class::Govern])], [1, 0, 0, 0, 0]);
        assert_ne!(keys.digest(&de()), keys.digest(&"fr".parse().expect("handle")));
    }
}
