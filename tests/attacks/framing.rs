//! Nobody is framed: an adversary without the operator's keys, holding everything that an honest one ever signed, and every
//! partner's key besides, puts together whatever it likes, and none of it is evidence.
//!
//! Evidence is built here field by field, in the form in which it is encoded, out of a pool: checkpoints of all sizes and of
//! another log under the same key, roster files, entries, paths, promises, all of them honest; and the same made by the
//! adversary with its own keys. Most of it starts from parts that belong together, with a few of them exchanged, so that
//! one wrong part stands among right ones.

use super::*;
use crate::support::small_log::{accede, accept, handle, key, key_set, log_vkey, officer, review};
use crate::support::stored::Stored;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use servanda::checkpoint::{Checkpoint, SignedCheckpoint};
use servanda::codec::{Bytes, List, decode_large};
use servanda::entry::Entry;
use servanda::evidence::{Evidence, Guilt, Misdeed, check};
use servanda::field::{Class, Duration};
use servanda::hash::{Hash, leaf_hash, node_hash};
use servanda::promise::Promise;
use servanda::proof::RosterFile;
use servanda::statement::body::{Motion, Propose, Rotate};
use std::sync::LazyLock;

// - evidence as it is encoded -

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Raw {
    version: u8,
    founding: Bytes,
    claim: Claim,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)]
enum Claim {
    Fork { one: Signed, other: Signed, conflict: Conflict },
    BrokenPromise { promise: Promise, signed: Signed, leaf: Leaf },
    Fault { signed: Signed, index: u64, entry: Included, before: Option<Included> },
    Admitted { signed: Signed, index: u64, entry: Included },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Signed {
    note: Bytes,
    roster: Option<RosterFile>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Conflict {
    Roots,
    Leaves { index: u64, one: Leaf, other: Leaf },
    Prefix { root: Hash, path: List<Hash> },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Leaf {
    hash: Hash,
    path: List<Hash>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Included {
    entry: Bytes,
    path: List<Hash>,
}

impl Raw {
    fn check(&self, pinned: Option<&Hash>) -> Option<Guilt> {
        let evidence: Evidence = decode_large(&encode(self), 1 << 24).expect("its own form");
        check(&evidence, pinned).ok()
    }
}

// - the pool -

/// A history, and what its operator hands out under each size.
struct History {
    log: SmallLog,
    notes: Vec<Bytes>,
    rosters: Vec<RosterFile>,
}

impl History {
    /// `note` signs the checkpoint of a size.
    fn of(log: SmallLog, note: impl Fn(&SmallLog, usize) -> String) -> Self {
        let sizes = || 1..=log.leaves().len();
        let notes = sizes().map(|size| Bytes(note(&log, size).into_bytes())).collect();
        let roster = |size| RosterFile::make(&mut Stored::new(&log.cut(size)).client()).unwrap();
        let rosters = sizes().map(roster).collect();
        Self { log, notes, rosters }
    }

    fn size(&self) -> usize {
        self.log.leaves().len()
    }

    /// A checkpoint of a size with its roster file or without.
    fn signed(&self, size: usize, with_roster: bool) -> Signed {
        let roster = with_roster.then(|| self.rosters[size - 1].clone());
        Signed { note: self.notes[size - 1].clone(), roster }
    }

    fn path(&self, index: usize, size: usize) -> List<Hash> {
        List(self.log.inclusion(index, size))
    }

    fn leaf(&self, index: usize, size: usize) -> Leaf {
        Leaf { hash: self.log.hashes()[index], path: self.path(index, size) }
    }

    fn included(&self, index: usize, size: usize) -> Included {
        Included { entry: Bytes(self.log.leaves()[index].clone()), path: self.path(index, size) }
    }

    fn promise(&self, index: usize, officer: &str) -> Promise {
        let entry = self.log.leaves()[index].clone();
        Promise::sign(self.log.log_id(), index.try_into().unwrap(), entry, &[(0, &key(officer))])
    }
}

struct Pool {
    honest: History,
    /// Other histories of the same log: made by the adversary, or, where the operator is dishonest, signed by it.
    others: Vec<History>,
    notes: Vec<Bytes>,
    rosters: Vec<RosterFile>,
    entries: Vec<Bytes>,
    hashes: Vec<Hash>,
    promises: Vec<Promise>,
    foundings: Vec<Bytes>,
}

/// Twelve entries in which rotations, the operator's too, a motion, and statements of all classes happen.
fn honest_log() -> SmallLog {
    let mut log = SmallLog::founded_with(|found| {
        found.charter.partners.retain(|p| ["de", "pl", "ua"].contains(&p.handle.as_str()));
    });
    for name in ["de", "ua", "pl"] {
        log.say(name, accede(name));
    }
    let tanks = log.say("de", pledge(&["ua"], terms("tanks")));
    let mut keys = key_set("de");
    keys.officers[0] = officer("de/4", &[Class::Govern, Class::Commit]);
    log.say("de", Act::Rotate(Rotate { keys }));
    log.say("ua", accept(&[tanks]));
    let mut keys = key_set("operator");
    keys.officers[0] = officer("operator/1", &[Class::Govern, Class::OperateLog]);
    log.say("operator", Act::Rotate(Rotate { keys }));
    log.say("pl", a_pledge());
    let lapses_at = log.now.plus(Duration::of_days(7));
    log.say("pl", Act::Propose(Propose { motion: Motion::Suspend { handle: handle("de") }, lapses_at }));
    log.say("ua", review(1));
    log.say("de", a_pledge());
    assert_eq!((log.findings(), log.size()), (&[][..], 12));
    log
}

/// The honest log with another end, which the partners help to make.
fn other_end(log: &SmallLog, from: usize) -> SmallLog {
    let mut other = log.cut(from);
    other.say("pl", pledge(&["ua"], terms("another history")));
    other.say("de", pledge(&["ua"], terms("of which nobody else knows")));
    while other.size() < log.size() {
        other.say("pl", a_pledge());
    }
    other
}

/// A log in which everything that an operator can do wrong is done.
fn bad_log(log: &SmallLog) -> SmallLog {
    let mut bad = log.cut(8);
    let statement = bad.draft("pl", a_pledge());
    let good = bad.sequence(&statement, bad.sign(&statement));
    bad.push_entry(&Entry { index: 3, link: Hash([7; 32]), ..good.clone() });
    bad.push_entry(&Entry { roster: Default::default(), signatures: List(vec![]), ..good });
    bad.push(b"\x01 no entry".to_vec());
    bad.say("ua", accept(&[log.entry(4).id]));
    bad
}

fn pool(equivocating: bool) -> Pool {
    let log = honest_log();
    let ours = |log: &SmallLog, size: usize| log.checkpoint_at(size);
    let theirs = |log: &SmallLog, size: usize| {
        let text = Checkpoint::new(log_vkey().name(), size.try_into().unwrap(), log.root_at(size)).unwrap();
        text.sign(&key("de/0"))
    };
    let honest = History::of(log.clone(), ours);
    let ends = [other_end(&log, 9), other_end(&log, 6)];
    let others: Vec<_> = match equivocating {
        true => ends.into_iter().map(|log| History::of(log, ours)).collect(),
        false => ends.into_iter().map(|log| History::of(log, theirs)).collect(),
    };
    let bad = bad_log(&log);
    // What the operator signed elsewhere: a log of another name under the same key.
    let elsewhere = |size: usize| {
        let size_of = size.try_into().unwrap();
        let text = Checkpoint::new("other.example/log", size_of, bad.root_at(size)).unwrap();
        Bytes(text.sign(&key("operator/checkpoint")).into_bytes())
    };
    let mut notes: Vec<Bytes> = (1..=bad.leaves().len()).map(elsewhere).collect();
    notes.extend((1..=bad.leaves().len()).map(|size| Bytes(theirs(&bad, size).into_bytes())));
    // An honest text with an honest signature under another text.
    let (first, last) = (log.checkpoint_at(3), log.checkpoint());
    let (text, line) = (last.split_once("\n\n").unwrap().0, first.split_once("\n\n").unwrap().1);
    notes.push(Bytes(format!("{text}\n\n{line}").into_bytes()));
    notes.extend(honest.notes.iter().chain(others.iter().flat_map(|o| &o.notes)).cloned());
    let mut entries: Vec<Bytes> = bad.leaves()[8..].iter().cloned().map(Bytes).collect();
    entries.extend(others.iter().flat_map(|o| o.log.leaves()[6..].iter().cloned().map(Bytes)));
    entries.extend(log.leaves().iter().cloned().map(Bytes));
    let mut hashes: Vec<Hash> = log.hashes().to_vec();
    hashes.extend(log.hashes().windows(2).map(|w| node_hash(&w[0], &w[1])));
    hashes.extend((1..=log.leaves().len()).map(|size| log.root_at(size)));
    hashes.extend(entries.iter().map(|entry| leaf_hash(entry)));
    let mut promises = Vec::new();
    for index in 0..log.leaves().len() {
        // Officer 0 was operator/0 until entry 7; each key promised what was published under it.
        promises.push(honest.promise(index, if index <= 7 { "operator/0" } else { "operator/1" }));
        promises.push(honest.promise(index, "de/1"));
        let moved = Promise { index: promises[0].index + 1, ..promises[promises.len() - 2].clone() };
        promises.push(moved);
    }
    promises.extend(others.iter().flat_map(|o| (6..o.size()).map(|index| o.promise(index, "pl/0"))));
    let foreign = SmallLog::founded_with(|found| found.charter.rules.incident_quorum.count = 1);
    let founding = |log: &SmallLog| log.entry(0).entry.statement;
    let foundings = vec![founding(&log), founding(&foreign), log.entry(4).entry.statement, Bytes::default()];
    let rosters: Vec<_> =
        honest.rosters.iter().chain(others.iter().flat_map(|o| &o.rosters)).cloned().collect();
    Pool { honest, others, notes, rosters, entries, hashes, promises, foundings }
}

static HONEST: LazyLock<Pool> = LazyLock::new(|| pool(false));
static EQUIVOCATING: LazyLock<Pool> = LazyLock::new(|| pool(true));

// - putting it together -

/// The adversary's choices, one after the other.
struct Choices<'a> {
    from: &'a [u64],
    at: usize,
}

impl Choices<'_> {
    fn below(&mut self, count: usize) -> usize {
        self.at += 1;
        let (value, count) =
            (u128::from(self.from[self.at % self.from.len()]), u128::try_from(count).unwrap());
        usize::try_from((value * count) >> 64).unwrap()
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// Once in so many times.
    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

impl Pool {
    /// The honest history, or another.
    fn history(&self, choose: &mut Choices<'_>) -> &History {
        if choose.one_in(2) { &self.honest } else { &self.others[choose.below(self.others.len())] }
    }

    fn swap_hash(&self, choose: &mut Choices<'_>, hash: &mut Hash) {
        if choose.one_in(6) {
            *hash = choose.of(&self.hashes);
        }
    }

    fn swap_path(&self, choose: &mut Choices<'_>, path: &mut List<Hash>) {
        match choose.below(12) {
            0 => drop(path.0.pop()),
            1 => path.0.push(choose.of(&self.hashes)),
            2 if !path.0.is_empty() => {
                let at = choose.below(path.0.len());
                path.0[at] = choose.of(&self.hashes);
            }
            3 => path.0.reverse(),
            _ => {}
        }
    }

    fn swap_signed(&self, choose: &mut Choices<'_>, signed: &mut Signed) {
        if choose.one_in(6) {
            signed.note = choose.of(&self.notes);
        }
        match choose.below(8) {
            0 => signed.roster = None,
            1 => signed.roster = Some(choose.of(&self.rosters)),
            _ => {}
        }
    }

    fn swap_leaf(&self, choose: &mut Choices<'_>, leaf: &mut Leaf) {
        self.swap_hash(choose, &mut leaf.hash);
        self.swap_path(choose, &mut leaf.path);
    }

    fn swap_included(&self, choose: &mut Choices<'_>, included: &mut Included) {
        if choose.one_in(6) {
            included.entry = choose.of(&self.entries);
        }
        self.swap_path(choose, &mut included.path);
    }

    /// Parts that belong together.
    fn whole(&self, choose: &mut Choices<'_>) -> Claim {
        let h = self.history(choose);
        let size = 1 + choose.below(h.size());
        let index = choose.below(size);
        let number = u64::try_from(index).unwrap();
        let signed = h.signed(size, choose.one_in(2));
        match choose.below(6) {
            0 => Claim::Admitted {
                signed: h.signed(size, true),
                index: number,
                entry: h.included(index, size),
            },
            1 => {
                let before = index.checked_sub(1).map(|below| h.included(below, size));
                Claim::Fault { signed, index: number, entry: h.included(index, size), before }
            }
            2 => {
                let promise = choose.of(&self.promises);
                let index = usize::try_from(promise.index).unwrap().min(h.size() - 1);
                let size = index + 1 + choose.below(h.size() - index);
                Claim::BrokenPromise { promise, signed: h.signed(size, true), leaf: h.leaf(index, size) }
            }
            kind => {
                let o = self.history(choose);
                let other_size = if kind == 3 { size } else { 1 + choose.below(o.size()) };
                let other = o.signed(other_size, choose.one_in(4));
                let conflict = match kind {
                    3 => Conflict::Roots,
                    4 => {
                        let index = choose.below(size.min(other_size));
                        let (one, other) = (h.leaf(index, size), o.leaf(index, other_size));
                        Conflict::Leaves { index: index.try_into().unwrap(), one, other }
                    }
                    _ => {
                        let root = o.log.root_at(size.min(other_size));
                        let path = consistency(o.log.hashes(), size.min(other_size), other_size);
                        Conflict::Prefix { root, path: List(path) }
                    }
                };
                Claim::Fork { one: signed, other, conflict }
            }
        }
    }

    fn raw(&self, choose: &mut Choices<'_>) -> Raw {
        let mut claim = self.whole(choose);
        let founding = if choose.one_in(8) { choose.of(&self.foundings) } else { self.foundings[0].clone() };
        if choose.one_in(3) {
            return Raw { version: 1, founding, claim };
        }
        match &mut claim {
            Claim::Fork { one, other, conflict } => {
                self.swap_signed(choose, one);
                self.swap_signed(choose, other);
                if choose.one_in(8) {
                    std::mem::swap(one, other);
                }
                match conflict {
                    Conflict::Roots => {}
                    Conflict::Leaves { index, one, other } => {
                        if choose.one_in(8) {
                            *index = u64::try_from(choose.below(13)).unwrap();
                        }
                        self.swap_leaf(choose, one);
                        self.swap_leaf(choose, other);
                    }
                    Conflict::Prefix { root, path } => {
                        self.swap_hash(choose, root);
                        self.swap_path(choose, path);
                    }
                }
            }
            Claim::BrokenPromise { promise, signed, leaf } => {
                match choose.below(8) {
                    0 => promise.index = u64::try_from(choose.below(13)).unwrap(),
                    1 => promise.entry = choose.of(&self.entries),
                    2 => promise.signatures = choose.of(&self.promises).signatures,
                    // What the operator signed as statements is no promise.
                    3 => promise.signatures = List(self.honest.log.entry(7).entry.signatures.0),
                    4 => promise.log = choose.of(&self.hashes),
                    _ => {}
                }
                self.swap_signed(choose, signed);
                self.swap_leaf(choose, leaf);
            }
            Claim::Fault { signed, index, entry, before } => {
                self.swap_signed(choose, signed);
                if choose.one_in(8) {
                    *index = u64::try_from(choose.below(13)).unwrap();
                }
                self.swap_included(choose, entry);
                match before {
                    Some(_) if choose.one_in(12) => *before = None,
                    Some(before) => self.swap_included(choose, before),
                    None if choose.one_in(4) => *before = Some(entry.clone()),
                    None => {}
                }
            }
            Claim::Admitted { signed, index, entry } => {
                self.swap_signed(choose, signed);
                if choose.one_in(8) {
                    *index = u64::try_from(choose.below(13)).unwrap();
                }
                self.swap_included(choose, entry);
            }
        }
        Raw { version: 1, founding, claim }
    }
}

/// PROOF(m, D[n]) of RFC 6962, section 2.1.2, over leaf hashes.
fn consistency(hashes: &[Hash], old: usize, new: usize) -> Vec<Hash> {
    fn subproof(m: usize, d: &[Hash], complete: bool) -> Vec<Hash> {
        let root = crate::support::small_log::root;
        if m == d.len() {
            return if complete { vec![] } else { vec![root(d)] };
        }
        let k = d.len().next_power_of_two() / 2;
        if m <= k {
            let mut path = subproof(m, &d[..k], complete);
            path.push(root(&d[k..]));
            path
        } else {
            let mut path = subproof(m - k, &d[k..], false);
            path.push(root(&d[..k]));
            path
        }
    }
    subproof(old, &hashes[..new], true)
}

/// What the operator of the pool signed of a size, by its own name: the roots.
fn signed_roots(pool: &Pool, size: u64) -> Vec<Hash> {
    let all = std::iter::once(&pool.honest).chain(&pool.others).flat_map(|h| &h.notes);
    let claims = all.filter_map(|note| {
        let signed = SignedCheckpoint::parse(note).ok()?;
        let opened = signed.open(&pool.honest.log.policy(false)).ok()?;
        (opened.size() == size).then(|| opened.root())
    });
    claims.collect()
}

#[test]
fn the_honest_operator_of_the_pool_signed_one_history_and_the_other_more() {
    for size in 1..=12 {
        assert_eq!(signed_roots(&HONEST, size).len(), 1);
        let roots = signed_roots(&EQUIVOCATING, size);
        assert_eq!(roots.len(), 3);
        assert_eq!(roots.iter().any(|root| *root != roots[0]), size > 6);
    }
}

#[test]
fn what_the_same_hand_puts_together_of_two_signed_histories_is_evidence_of_a_fork_and_of_nothing_else() {
    // So the adversary below is not merely clumsy.
    let pool = &*EQUIVOCATING;
    let log = pool.honest.log.log_id();
    let mut kinds = Vec::new();
    for n in 0..1500 {
        let from: Vec<u64> = (0..60).map(|i| arbitrary(n * 60 + i)).collect();
        let raw = pool.raw(&mut Choices { from: &from, at: 0 });
        if let Some(guilt) = raw.check(Some(&log)) {
            assert!(guilt.who.is_operator() && guilt.log == log);
            assert_eq!(guilt.key, log_vkey());
            kinds.push((
                guilt.kind,
                match &raw.claim {
                    Claim::Fork { conflict: Conflict::Roots, .. } => 1,
                    Claim::Fork { conflict: Conflict::Leaves { .. }, .. } => 2,
                    Claim::Fork { conflict: Conflict::Prefix { .. }, .. } => 3,
                    _ => 0,
                },
            ));
        }
    }
    assert!(kinds.len() > 20, "{}", kinds.len());
    for form in [1, 2, 3] {
        assert!(kinds.contains(&(Misdeed::Fork, form)), "form {form} never held");
    }
    // A promise that the other history breaks is one, too; no entry of these histories is at fault.
    assert!(
        kinds.iter().all(|(kind, _)| matches!(kind, Misdeed::Fork | Misdeed::BrokenPromise)),
        "{kinds:?}"
    );
}

/// A number that looks arbitrary, and is the same each time.
fn arbitrary(n: u64) -> u64 {
    let digest = servanda::hash::sha256(&n.to_be_bytes());
    u64::from_be_bytes(digest.0[..8].try_into().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn nobody_frames_an_operator_with_what_it_honestly_signed(from in prop::collection::vec(any::<u64>(), 60)) {
        let pool = &*HONEST;
        let log = pool.honest.log.log_id();
        let raw = pool.raw(&mut Choices { from: &from, at: 0 });
        let guilt = raw.check(Some(&log));
        prop_assert!(guilt.is_none(), "{guilt:?} by {raw:?}");
        // Nor without a pinned id, about a log that the adversary founded in its name.
        let guilt = raw.check(None);
        prop_assert!(guilt.as_ref().is_none_or(|guilt| guilt.key != log_vkey()), "{guilt:?} by {raw:?}");
    }
}

// - evidence that does hold, altered -

/// Evidence that holds: each form of each kind.
fn holding() -> Vec<(Misdeed, Raw)> {
    let pool = &*EQUIVOCATING;
    let (honest, other) = (&pool.honest, &pool.others[0]);
    let raw = |claim| Raw { version: 1, founding: pool.foundings[0].clone(), claim };
    let fork = |conflict, size| Claim::Fork {
        one: honest.signed(size, false),
        other: other.signed(11, false),
        conflict,
    };
    let leaves = Conflict::Leaves { index: 9, one: honest.leaf(9, 12), other: other.leaf(9, 11) };
    let prefix =
        Conflict::Prefix { root: other.log.root_at(10), path: List(consistency(other.log.hashes(), 10, 11)) };
    let broken = Claim::BrokenPromise {
        promise: honest.promise(10, "operator/1"),
        signed: other.signed(11, true),
        leaf: other.leaf(10, 11),
    };
    let bad = bad_log(&honest.log).cut(9);
    let bad = History::of(bad, |log, size| log.checkpoint_at(size));
    let fault = Claim::Fault {
        signed: bad.signed(9, false),
        index: 8,
        entry: bad.included(8, 9),
        before: Some(bad.included(7, 9)),
    };
    let mut unsigned = honest.log.cut(8);
    let statement = unsigned.draft("pl", a_pledge());
    unsigned.push_entry(&unsigned.sequence(&statement, vec![]));
    let unsigned = History::of(unsigned, |log, size| log.checkpoint_at(size));
    let admitted =
        Claim::Admitted { signed: unsigned.signed(9, true), index: 8, entry: unsigned.included(8, 9) };
    vec![
        (Misdeed::Fork, raw(fork(Conflict::Roots, 11))),
        (Misdeed::Fork, raw(fork(leaves, 12))),
        (Misdeed::Fork, raw(fork(prefix, 10))),
        (Misdeed::BrokenPromise, raw(broken)),
        (Misdeed::Fault, raw(fault)),
        (Misdeed::Admitted, raw(admitted)),
    ]
}

#[test]
fn evidence_of_every_kind_holds_about_its_log_and_no_other_and_only_in_this_version() {
    for (kind, raw) in holding() {
        let log = EQUIVOCATING.honest.log.log_id();
        assert_eq!(raw.check(Some(&log)).map(|guilt| guilt.kind), Some(kind));
        assert!(raw.check(Some(&Hash([1; 32]))).is_none(), "{kind}");
        assert!(Raw { version: 0, ..raw.clone() }.check(Some(&log)).is_none(), "{kind}");
        assert!(Raw { version: 2, ..raw.clone() }.check(Some(&log)).is_none(), "{kind}");
        for founding in &EQUIVOCATING.foundings[1..] {
            let other = Raw { founding: founding.clone(), ..raw.clone() };
            assert!(other.check(Some(&log)).is_none(), "{kind} with another founding");
        }
    }
}

#[test]
fn every_byte_of_evidence_of_every_kind_counts() {
    use rayon::prelude::*;
    let log = EQUIVOCATING.honest.log.log_id();
    for (kind, raw) in holding() {
        let bytes = encode(&raw);
        let holds = |bytes: &[u8]| {
            let evidence = decode_large::<Evidence>(bytes, 1 << 24);
            evidence.is_ok_and(|evidence| check(&evidence, Some(&log)).is_ok())
        };
        assert!(holds(&bytes));
        let step = (bytes.len() / 1500).max(1);
        (0..bytes.len()).into_par_iter().step_by(step).for_each(|at| {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(!holds(&changed), "{kind}: byte {at}");
        });
        assert!(!holds(&bytes[..bytes.len() - 1]) && !holds(&[&bytes[..], &[0]].concat()), "{kind}");
    }
}

#[test]
fn halves_that_are_equal_or_exchanged_show_what_they_show_and_no_more() {
    let log = EQUIVOCATING.honest.log.log_id();
    for (_, raw) in holding().into_iter().take(3) {
        let Claim::Fork { one, other, conflict } = raw.claim.clone() else { unreachable!("the first three") };
        let with = |one: &Signed, other: &Signed, conflict: Conflict| {
            let claim = Claim::Fork { one: one.clone(), other: other.clone(), conflict };
            Raw { claim, ..raw.clone() }.check(Some(&log))
        };
        assert!(with(&one, &one, conflict.clone()).is_none(), "twice the one");
        assert!(with(&other, &other, conflict.clone()).is_none(), "twice the other");
        let exchanged = with(&other, &one, conflict.clone());
        assert_eq!(
            exchanged.is_some(),
            matches!(conflict, Conflict::Roots),
            "each proof is for its own half"
        );
        if let Conflict::Leaves { index, one: l, other: r } = conflict {
            let back = Conflict::Leaves { index, one: r.clone(), other: l.clone() };
            assert!(with(&other, &one, back).is_some(), "all of it turned around is the same");
            let same = Conflict::Leaves { index, one: l.clone(), other: l };
            assert!(with(&one, &one, same).is_none(), "one leaf twice");
        }
    }
}

#[test]
fn evidence_accuses_the_operator_and_never_the_partner_in_whose_name_an_entry_stands() {
    for (_, raw) in holding() {
        let guilt = raw.check(None).expect("it holds");
        assert!(guilt.who.is_operator());
        assert_eq!(guilt.key, log_vkey());
    }
    // An operator's fabrication in a partner's name is evidence against the operator itself, whatever it looks like.
    let log = honest_log();
    for signers in [vec![], vec![(0, "operator/1")], vec![(0, "pl/0")], vec![(0, "made up"), (1, "made up")]]
    {
        let mut forged = log.clone();
        let statement = log.draft("pl", pledge(&["ua"], terms("what pl never said")));
        let signatures = log.sign_as(&statement, &signers);
        assert_ne!(codes(&forged.push_entry(&log.sequence(&statement, signatures))), [""; 0]);
        let stored = Stored::new(&forged);
        let mut accused = servanda::evidence::Accused::new(&stored.checkpoint, stored.client()).unwrap();
        let evidence = accused.at(12).unwrap().expect("evidence");
        assert!(check(&evidence, Some(&log.log_id())).unwrap().who.is_operator());
    }
}
