//! Each claim, held against its seeds, arbitrary bytes, and seeds that were changed: bits, cuts, repetitions, pieces of
//! another seed, lengths that lie, numbers that are too long, nesting that is too deep.

use super::claims::CLAIMS;
use super::seeds::{Seeds, seeds};
use crate::support::arbitrary::{Any, Mutation, mutation};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::LazyLock;

static SEEDS: LazyLock<Seeds> = LazyLock::new(seeds);

/// A change to a seed.
#[derive(Clone, Debug)]
enum Change {
    /// Of one place.
    Small(Mutation),
    /// A stretch repeated so often.
    Repeat(Index, Index, usize),
    /// The rest replaced by that of another seed.
    Splice(Index, Index, Index),
    /// The longest number of so many bytes, as varints have it, in the place of as many.
    Lie(Index, u8),
}

fn change() -> Any<Change> {
    let index = any::<Index>;
    prop_oneof![
        4 => mutation().prop_map(Change::Small),
        1 => (index(), index(), 1..40usize).prop_map(|(from, to, n)| Change::Repeat(from, to, n)),
        1 => (index(), index(), index()).prop_map(|(at, other, from)| Change::Splice(at, other, from)),
        1 => (index(), 250..=255u8).prop_map(|(at, marker)| Change::Lie(at, marker)),
    ]
    .boxed()
}

impl Change {
    fn apply(&self, bytes: &[u8], seeds: &[&Vec<u8>]) -> Vec<u8> {
        if bytes.is_empty() {
            return Vec::new();
        }
        match self {
            Self::Small(mutation) => mutation.apply(bytes),
            Self::Repeat(from, to, times) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let (from, to) = (from.min(to), from.max(to));
                [&bytes[..to], &bytes[from..to].repeat(*times), &bytes[to..]].concat()
            }
            Self::Splice(at, other, from) => {
                let other = seeds[other.index(seeds.len())];
                [&bytes[..at.index(bytes.len())], &other[from.index(other.len().max(1)).min(other.len())..]]
                    .concat()
            }
            Self::Lie(at, marker) => {
                let at = at.index(bytes.len());
                let lie = [*marker, 255, 255, 255, 255, 255, 255, 255, 255];
                let len = match marker {
                    251 => 3,
                    252 => 5,
                    253 => 9,
                    _ => 1,
                };
                [&bytes[..at], &lie[..len], bytes.get(at + len..).unwrap_or_default()].concat()
            }
        }
    }
}

#[test]
fn every_claim_holds_of_its_seeds_and_of_their_every_beginning() {
    for (name, claim) in CLAIMS {
        for seed in SEEDS[name].values() {
            let step = (seed.len() / 64).max(1);
            (0..=seed.len()).step_by(step).for_each(|len| claim(&seed[..len]));
            claim(seed);
        }
    }
}

#[test]
fn deep_nesting_ends_in_an_error() {
    let deep = |open: &str, close: &str| {
        let depth = 30_000;
        format!("a = {}{}\n", open.repeat(depth), close.repeat(depth)).into_bytes()
    };
    let texts = [deep("[", "]"), deep("{a=", "}"), deep("[", ""), "[a.".repeat(20_000).into_bytes()];
    let dotted = [format!("[{}a]\n", "a.".repeat(30_000)).into_bytes()];
    for (_, claim) in CLAIMS {
        texts.iter().chain(&dotted).for_each(|text| claim(text));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_claim_holds_of_arbitrary_bytes(bytes in vec(any::<u8>(), 0..400), text in ".{0,120}") {
        for (_, claim) in CLAIMS {
            claim(&bytes);
            claim(text.as_bytes());
        }
    }

    #[test]
    fn every_claim_holds_of_changed_seeds(picks in vec(any::<Index>(), 4), changes in vec(change(), 1..4)) {
        for (name, claim) in CLAIMS {
            let seeds: Vec<_> = SEEDS[name].values().collect();
            for pick in &picks {
                let seed = pick.get(&seeds).to_vec();
                claim(&changes.iter().fold(seed, |bytes, change| change.apply(&bytes, &seeds)));
            }
        }
    }
}
