//! A map of few entries: most pledges have one addressee, most responses one who confirms.
//!
//! It behaves and encodes as a map in the order of its keys does, and takes hardly more memory than what it holds: a
//! ledger keeps several for each pledge, and a tree has room for eleven in its first node. To insert takes time in
//! proportion to what it holds, so its keys are things of which there are few: partners, aspects, needs, versions.

use crate::codec::List;
use serde::{Deserialize, Serialize};

/// Keys in order, each with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Few<K, V>(List<(K, V)>);

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(List::default())
    }
}

impl<K: Ord, V> Few<K, V> {
    fn find(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(k, _)| k.cmp(key))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    /// Whether a key has a value.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    /// Gives a key a value, in place of the one it had.
    pub(super) fn insert(&mut self, key: K, value: V) {
        match self.find(&key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    /// The value of a key, which is given the default one where it has none.
    pub(super) fn or_default(&mut self, key: &K) -> &mut V
    where
        K: Clone,
        V: Default,
    {
        let at = self.find(key).unwrap_or_else(|at| {
            self.0.insert(at, (key.clone(), V::default()));
            at
        });
        &mut self.0[at].1
    }
}

impl<K, V> Few<K, V> {
    /// All keys with their values, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Lets go of all but some.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        self.0.retain(|(key, value)| keep(key, value));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K, V> IntoIterator for Few<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.0.into_iter()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Few<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(all: I) -> Self {
        let mut few = Self::default();
        all.into_iter().for_each(|(key, value)| few.insert(key, value));
        few
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{decode, encode};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_holds_and_encodes_what_a_map_does(all in prop::collection::vec((0..20u8, any::<u16>()), 0..40)) {
            let (mut few, mut map) = (Few::default(), BTreeMap::new());
            for (key, value) in all {
                few.insert(key, value);
                map.insert(key, value);
                prop_assert_eq!(few.len(), map.len());
            }
            prop_assert!(few.iter().eq(map.iter()));
            for key in 0..20 {
                prop_assert_eq!(few.get(&key), map.get(&key));
            }
            prop_assert_eq!(encode(&few), encode(&map));
            prop_assert_eq!(&decode::<Few<u8, u16>>(&encode(&map), 1000).unwrap(), &few);
            for key in 0..20 {
                prop_assert_eq!(*few.or_default(&key), *map.entry(key).or_default());
            }
        }
    }
}
