//! How often someone may ask: a bucket that holds so many requests, and fills again at a rate.
//!
//! Many are remembered, but never more than a limit: those who have asked least recently are forgotten first, and begin with
//! a full bucket should they come back.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Who counts as one when it comes to addresses: an IPv4 address, or an IPv6 network of 64 bits, of which one host has as many
/// addresses as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source([u8; 8]);

impl Source {
    /// The source that an address belongs to.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let mut source = [0; 8];
        match address.to_canonical() {
            // No network of IPv6 begins so: ::/64 is nobody's but the loopback address's.
            IpAddr::V4(address) => source[4..].copy_from_slice(&address.octets()),
            IpAddr::V6(address) => source.copy_from_slice(&address.octets()[..8]),
        }
        Self(source)
    }
}

/// A rate.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// How many requests at once, after some time without any.
    pub burst: u32,
    /// How many a second, on and on.
    pub per_second: u32,
}

/// What is left of a bucket, when it was last looked at.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

/// Buckets by who asks.
#[derive(Debug)]
pub struct Rates<K> {
    rate: Rate,
    /// How many are remembered in each of the two generations.
    most: usize,
    buckets: Mutex<Generations<K>>,
}

/// Who asked since the last change of generations, and who asked in the one before.
#[derive(Debug)]
struct Generations<K> {
    young: HashMap<K, Bucket>,
    old: HashMap<K, Bucket>,
}

impl<K: Eq + Hash + Clone> Rates<K> {
    /// Full buckets for everyone; at most `most` are remembered.
    #[must_use]
    pub fn new(rate: Rate, most: usize) -> Self {
        let buckets = Generations { young: HashMap::new(), old: HashMap::new() };
        Self { rate, most: (most / 2).max(1), buckets: Mutex::new(buckets) }
    }

    /// The rate.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes a request out of someone's bucket.
    ///
    /// # Errors
    /// Where it is empty: how long to wait.
    pub fn take(&self, who: &K, now: Instant) -> Result<(), Duration> {
        let (burst, per_second) = (f64::from(self.rate.burst), f64::from(self.rate.per_second));
        let mut all = self.buckets.lock().expect("nothing panics while it holds this");
        let before = all.young.get(who).or_else(|| all.old.get(who)).copied();
        let left = before.map_or(burst, |bucket| {
            let gone = now.saturating_duration_since(bucket.at).as_secs_f64();
            (bucket.left + gone * per_second).min(burst)
        });
        let taken = if left >= 1.0 { Ok(left - 1.0) } else { Err(left) };
        if all.young.len() >= self.most && !all.young.contains_key(who) {
            all.old = std::mem::take(&mut all.young);
        }
        all.young.insert(who.clone(), Bucket { left: taken.unwrap_or(left), at: now });
        drop(all);
        taken.map(|_| ()).map_err(|left| Duration::from_secs_f64((1.0 - left) / per_second.max(0.001)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Source {
        Source::of(address.parse().unwrap())
    }

    #[test]
    fn a_source_is_an_address_or_a_network() {
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_eq!(source("192.0.2.1"), source("::ffff:192.0.2.1"));
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let rates = Rates::new(Rate { burst: 3, per_second: 10 }, 8);
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        for _ in 0..3 {
            assert_eq!(rates.take(&"a", at(0)), Ok(()));
        }
        let wait = rates.take(&"a", at(0)).unwrap_err();
        assert!(wait > Duration::from_millis(99) && wait < Duration::from_millis(101), "{wait:?}");
        assert_eq!(rates.take(&"b", at(0)), Ok(()), "another's is full");
        assert!(rates.take(&"a", at(50)).is_err());
        assert_eq!(rates.take(&"a", at(110)), Ok(()));
        assert!(rates.take(&"a", at(111)).is_err());
        // However long it is left alone, it holds no more than it can.
        for _ in 0..3 {
            assert_eq!(rates.take(&"a", at(1_000_000)), Ok(()));
        }
        assert!(rates.take(&"a", at(1_000_000)).is_err());
        // A clock that goes back fills nothing.
        assert!(rates.take(&"a", at(0)).is_err());
    }

    #[test]
    fn no_more_are_remembered_than_the_limit_and_the_silent_go_first() {
        let rates = Rates::new(Rate { burst: 1, per_second: 1 }, 100);
        let now = Instant::now();
        assert!(rates.take(&0, now).is_ok());
        for who in 1..10_000 {
            assert!(rates.take(&who, now).is_ok());
            // Who keeps asking is not forgotten.
            assert!(rates.take(&0, now).is_err());
            let all = rates.buckets.lock().unwrap();
            assert!(all.young.len() + all.old.len() <= 100);
        }
    }
}
