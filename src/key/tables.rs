//! Signatures checked by tables of multiples of their keys: the rule of [`super`], faster where a key signed much.
//!
//! A log has few authors and many signatures. The rule asks for the encoding of S·B − k·A; here both products are sums of
//! points looked up, 32 for each scalar, written to the base 256 with digits from −128 to 127:
//!
//! ```text
//! S = Σ s_i·256^i, k = Σ k_i·256^i      S·B − k·A = Σ s_i·(256^i·B) + k_i·(256^i·(−A))
//! ```
//!
//! That is the exact equation, by curve25519-dalek's own additions: no randomness, no cofactor, no second opinion
//! needed. All of it is public, so nothing need take constant time. Signatures of one key are taken together, digit by
//! digit, so that the part of the table in use stays in the first cache, and their results are encoded together, which
//! shares one inversion.
//!
//! A table takes [`TABLE_BYTES`] and as long to make as some twenty plain checks. So a key gets one after
//! [`WORTH_IT`] signatures, all together take [`MAX_BYTES`] at most, and the one that was not used for longest goes. Fewer
//! than [`AT_ONCE`] of a key go the plain way: for a few, a table is not in the cache, and where each of many partners says
//! something now and then, nobody shall wait until all of them have one.
//! No verdict depends on whether there is a table.

use super::{Claim, PUBLIC_KEY_LEN, VerifyingKey};
use curve25519_dalek::Scalar;
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::traits::Identity;
use rayon::prelude::*;
use sha2::{Digest, Sha512};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

/// How many digits a scalar has to the base 256.
const DIGITS: usize = 32;

/// The greatest digit.
const GREATEST: usize = 128;

/// The size of a table.
const TABLE_BYTES: usize = DIGITS * GREATEST * size_of::<EdwardsPoint>();

/// The memory for the tables of all keys.
const MAX_BYTES: usize = 64 << 20;

/// How many keys have tables at most.
const MAX_TABLES: usize = MAX_BYTES / TABLE_BYTES;

/// How many keys are counted at most before they have tables.
const MAX_COUNTED: usize = 4096;

/// After how many signatures a key gets a table.
const WORTH_IT: usize = 64;

/// How many of a key must be asked for at once to count.
const AT_ONCE: usize = 8;

/// The multiples of a point: for each digit's place i, j·256^i·P for j from 1 to 128.
pub(super) struct Table(Vec<EdwardsPoint>);

impl Table {
    /// Makes the table of a point.
    pub(super) fn of(point: EdwardsPoint) -> Self {
        let mut multiples = Vec::with_capacity(DIGITS * GREATEST);
        let mut unit = point;
        for _ in 0..DIGITS {
            let mut multiple = unit;
            for _ in 1..GREATEST {
                multiples.push(multiple);
                multiple += unit;
            }
            multiples.push(multiple);
            unit = multiple + multiple;
        }
        Self(multiples)
    }

    /// Adds the multiple of the point that a digit stands for in its place.
    fn add(&self, sum: &mut EdwardsPoint, place: usize, digit: i8) {
        let at = place * GREATEST + usize::from(digit.unsigned_abs());
        match digit {
            0 => {}
            1.. => *sum += &self.0[at - 1],
            _ => *sum -= &self.0[at - 1],
        }
    }
}

static BASE: LazyLock<Table> = LazyLock::new(|| Table::of(ED25519_BASEPOINT_POINT));

/// Writes a reduced scalar to the base 256, least digit first, digits from −128 to 127. The last takes a carry and has
/// room for it, since the order is below 2^253.
fn digits(scalar: &Scalar) -> [i8; DIGITS] {
    let mut carry = 0;
    scalar.as_bytes().map(|byte| {
        // 128 and more is written as 256 less, and one more of the next.
        let digit = u16::from(byte) + carry;
        carry = u16::from(digit > 127);
        digit.to_le_bytes()[0].cast_signed()
    })
}

/// The digits of S and k.
type Digits = ([i8; DIGITS], [i8; DIGITS]);

/// What is to be added up for a signature. None where S is not below the order, or R and S are not such as may count.
fn digits_of(claim: &Claim<'_>) -> Option<Digits> {
    let (r, s) = claim.parts()?;
    let s = Option::from(Scalar::from_canonical_bytes(*s))?;
    let digest = Sha512::new_with_prefix(r).chain_update(claim.key.to_bytes()).chain_update(claim.message);
    let k = Scalar::from_bytes_mod_order_wide(&digest.finalize().into());
    Some((digits(&s), digits(&k)))
}

/// Tells which of these signatures hold, all of the key whose negative the table is of.
pub(super) fn hold<'a>(minus: &Table, claims: impl Iterator<Item = &'a Claim<'a>>) -> Vec<bool> {
    let (claims, digits): (Vec<_>, Vec<_>) = claims.map(|claim| (claim, digits_of(claim))).unzip();
    // What cannot hold is added up as nothing.
    let zeros = ([0; DIGITS], [0; DIGITS]);
    let mut sums = vec![EdwardsPoint::identity(); claims.len()];
    let base = &*BASE;
    for place in 0..DIGITS {
        for (sum, digits) in sums.iter_mut().zip(&digits) {
            minus.add(sum, place, digits.as_ref().unwrap_or(&zeros).1[place]);
        }
        for (sum, digits) in sums.iter_mut().zip(&digits) {
            base.add(sum, place, digits.as_ref().unwrap_or(&zeros).0[place]);
        }
    }
    let encoded = EdwardsPoint::compress_batch_alloc(&sums);
    let holds = |((claim, digits), CompressedEdwardsY(got)): ((&Claim<'_>, &Option<Digits>), _)| {
        digits.is_some() && claim.signature.starts_with(&got)
    };
    claims.into_iter().zip(&digits).zip(encoded).map(holds).collect()
}

/// A key of which signatures were checked.
struct Known {
    /// How many since it was last without a table.
    signatures: usize,
    /// The call that last asked for it.
    used: u64,
    minus: Option<Arc<Table>>,
}

/// The keys of which signatures were checked lately.
#[derive(Default)]
struct Cache {
    keys: HashMap<[u8; PUBLIC_KEY_LEN], Known>,
    calls: u64,
}

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

fn cache() -> MutexGuard<'static, Cache> {
    CACHE.lock().expect("nothing panics while it holds this")
}

/// Gives the tables of those keys for which so many signatures are now to be checked: those that there are, and those
/// that are worth making.
pub(super) fn get(asked: &[(VerifyingKey, usize)]) -> Vec<Option<Arc<Table>>> {
    let (mut tables, worth) = cache().look_up(asked);
    let made: Vec<_> =
        worth.into_par_iter().map(|at| (at, Arc::new(Table::of(-asked[at].0.point())))).collect();
    if !made.is_empty() {
        let mut cache = cache();
        for (at, table) in made {
            cache.keep(asked[at].0.to_bytes(), Arc::clone(&table));
            tables[at] = Some(table);
        }
    }
    tables
}

impl Cache {
    /// Counts the signatures; gives the tables that there are, and which keys are to get one. Not more at once than may
    /// be kept.
    fn look_up(&mut self, asked: &[(VerifyingKey, usize)]) -> (Vec<Option<Arc<Table>>>, Vec<usize>) {
        self.calls += 1;
        let (mut worth, mut given) = (Vec::new(), 0);
        let mut look_up = |(at, (key, signatures)): (usize, &(VerifyingKey, usize))| {
            if *signatures < AT_ONCE {
                return None;
            }
            let fresh = Known { signatures: 0, used: 0, minus: None };
            let known = self.keys.entry(key.to_bytes()).or_insert(fresh);
            known.signatures += signatures;
            known.used = self.calls;
            if given == MAX_TABLES || (known.minus.is_none() && known.signatures < WORTH_IT) {
                return None;
            }
            given += 1;
            if known.minus.is_none() {
                worth.push(at);
            }
            known.minus.clone()
        };
        let tables = asked.iter().enumerate().map(&mut look_up).collect();
        if self.keys.len() > MAX_COUNTED {
            self.keys.retain(|_, known| known.minus.is_some());
        }
        (tables, worth)
    }

    /// Keeps a key's table; where there are too many, the one that was not used for longest goes.
    fn keep(&mut self, key: [u8; PUBLIC_KEY_LEN], table: Arc<Table>) {
        self.keys.insert(key, Known { signatures: WORTH_IT, used: self.calls, minus: Some(table) });
        let kept = self.keys.iter().filter(|(_, known)| known.minus.is_some());
        if kept.clone().count() > MAX_TABLES
            && let Some(oldest) = kept.min_by_key(|(_, known)| known.used).map(|(key, _)| *key)
        {
            self.keys.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;
    use proptest::prelude::*;

    fn key(n: u64) -> SigningKey {
        SigningKey::from_seed(&crate::hash::sha256(&n.to_le_bytes()).0)
    }

    fn product(table: &Table, scalar: &Scalar) -> EdwardsPoint {
        let mut sum = EdwardsPoint::identity();
        for (place, digit) in digits(scalar).into_iter().enumerate() {
            table.add(&mut sum, place, digit);
        }
        sum
    }

    #[test]
    fn a_table_multiplies_as_the_library_does_to_the_edges_of_the_digits() {
        let point = key(1).public().point();
        let table = Table::of(point);
        let powers = (0..32).map(|n| (0..n).fold(Scalar::ONE, |power, _| power * Scalar::from(256_u64)));
        let edges = [0, 1, 127, 128, 129, 255, 256].map(|n: u64| Scalar::from(n));
        for power in powers {
            for scalar in
                edges.iter().flat_map(|edge| [power * edge, -(power * edge), power * edge - Scalar::ONE])
            {
                assert_eq!(product(&table, &scalar), point * scalar, "{scalar:?}");
                assert_eq!(product(&BASE, &scalar), EdwardsPoint::mul_base(&scalar), "{scalar:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn digits_add_up(bytes in any::<[u8; 32]>()) {
            let scalar = Scalar::from_bytes_mod_order(bytes);
            let digits = digits(&scalar);
            let sum = digits.iter().rev().fold(Scalar::ZERO, |sum, digit| {
                let part = Scalar::from(u64::from(digit.unsigned_abs()));
                sum * Scalar::from(256_u64) + if *digit < 0 { -part } else { part }
            });
            prop_assert_eq!(sum, scalar);
        }
    }

    fn count(cache: &Cache) -> usize {
        cache.keys.values().filter(|known| known.minus.is_some()).count()
    }

    #[test]
    fn a_key_gets_a_table_once_it_has_signed_enough() {
        let (mut cache, key) = (Cache::default(), key(1).public());
        assert_eq!(cache.look_up(&[(key, WORTH_IT - 1)]).1, [0; 0]);
        assert_eq!(cache.look_up(&[(key, AT_ONCE)]).1, [0]);
        cache.keep(key.to_bytes(), Arc::new(Table(Vec::new())));
        let (tables, worth) = cache.look_up(&[(key, AT_ONCE)]);
        assert!(tables[0].is_some() && worth.is_empty());
    }

    #[test]
    fn a_key_that_signs_a_few_at_a_time_gets_no_table() {
        let (mut cache, key) = (Cache::default(), key(1).public());
        for _ in 0..WORTH_IT {
            let (tables, worth) = cache.look_up(&[(key, AT_ONCE - 1)]);
            assert!(tables[0].is_none() && worth.is_empty());
        }
        assert!(cache.keys.is_empty());
    }

    #[test]
    fn tables_take_bounded_memory_and_the_one_longest_unused_goes() {
        assert!((90..=MAX_BYTES / TABLE_BYTES).contains(&MAX_TABLES));
        assert_eq!(Table::of(ED25519_BASEPOINT_POINT).0.capacity() * size_of::<EdwardsPoint>(), TABLE_BYTES);
        let keys: Vec<_> = (0..MAX_TABLES as u64 + 5).map(|n| key(n).public()).collect();
        let mut cache = Cache::default();
        // More in one call than may be kept: the rest goes the plain way.
        let asked: Vec<_> = keys.iter().map(|key| (*key, WORTH_IT)).collect();
        assert_eq!(cache.look_up(&asked).1.len(), MAX_TABLES);
        for key in &keys {
            cache.look_up(&[(*key, AT_ONCE), (keys[0], AT_ONCE)]);
            cache.keep(key.to_bytes(), Arc::new(Table(Vec::new())));
        }
        assert_eq!(count(&cache), MAX_TABLES);
        let asked = [keys[0], keys[1], keys[MAX_TABLES]].map(|key| (key, AT_ONCE));
        let (tables, _) = cache.look_up(&asked);
        assert_eq!(tables.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
        // Who lost its table has to sign as much again before it gets another.
        assert_eq!(cache.look_up(&[(keys[1], WORTH_IT - AT_ONCE - 1)]).1, [0; 0]);
    }

    #[test]
    fn keys_that_signed_little_are_forgotten_before_they_are_too_many() {
        let mut cache = Cache::default();
        let kept = key(0).public();
        cache.keep(kept.to_bytes(), Arc::new(Table(Vec::new())));
        for n in 0..=MAX_COUNTED as u64 {
            let mut raw = [0; 32];
            raw[..8].copy_from_slice(&n.to_le_bytes());
            cache.keys.insert(raw, Known { signatures: 1, used: 0, minus: None });
        }
        assert!(cache.look_up(&[(kept, AT_ONCE)]).0[0].is_some());
        assert_eq!(cache.keys.len(), 1);
    }
}
