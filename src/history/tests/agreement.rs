//! What the whole log says and what a roster file says: the same, on any log, however broken.

use crate::chain::{Reason, counts};
use crate::charter::KeySet;
use crate::codec::encode;
use crate::entry::{Entry, SignedEntry};
use crate::field::{Class, Duration, Handle, Role, Roles};
use crate::hash::{Hash, sha256};
use crate::history::sample::*;
use crate::history::{History, acts};
use crate::roster::Roster;
use crate::statement::Act;
use crate::statement::body::{Confirm, Motion, Received};
use proptest::prelude::*;

const WHO: [&str; 5] = ["operator", "de", "fr", "it", "pl"];

/// One entry to be made: by whom, what, and what is wrong with it.
#[derive(Clone, Debug)]
struct Step {
    who: usize,
    class: usize,
    what: u8,
    wait_ms: u64,
    wrong: Option<u8>,
    pick: usize,
}

fn step() -> impl Strategy<Value = Step> {
    let class = prop_oneof![1 => Just(0usize), 1 => 1..5usize];
    let wait = prop_oneof![3 => 0..5000u64, 1 => Just(3 * DAY)];
    let wrong = prop_oneof![2 => Just(None), 1 => (0..WRONGS).prop_map(Some)];
    (0..WHO.len(), class, any::<u8>(), wait, wrong, any::<usize>()).prop_map(
        |(who, class, what, wait_ms, wrong, pick)| {
            // Mostly the classes that the author has.
            let class = match (who, class) {
                (0, 1..4) if pick % 16 > 0 => 4,
                (1.., 4) if pick % 16 > 0 => 1,
                _ => class,
            };
            Step { who, class, what, wait_ms, wrong, pick }
        },
    )
}

/// A log made step by step, and what was found at each entry.
struct Made {
    log: Sample,
    found: Vec<Vec<Reason>>,
    motions: Vec<Hash>,
}

impl Made {
    fn new(level: u16) -> Self {
        let mut charter = founding();
        charter.charter.level = level;
        let log = Sample::founded_on(charter);
        Self { log, found: vec![Vec::new()], motions: vec![sha256(b"none")] }
    }

    fn act(&self, step: &Step) -> Act {
        let Step { who, class, what, pick, .. } = *step;
        let letters = if who == 0 { "GL" } else { "GCOB" };
        let thresholds = if who == 0 { [1, 0, 0, 0, 1] } else { [1, 1, 1, 1, 0] };
        // Few seeds, so that keys return that were used before.
        let seed = 100 + u8::try_from(pick % 12).expect("small");
        let lapses = self.log.now.plus_ms(2 * DAY);
        let acceded = self.log.roster().keys(&handle(WHO[who])).is_some();
        match (Class::ALL[class], what % 8) {
            (Class::Govern, 0) => self.accede(WHO[who]),
            (Class::Govern, _) if !acceded => self.accede(WHO[who]),
            (Class::Govern, 1 | 2) => rotate(set(&[(seed, letters), (seed + 1, letters)], thresholds)),
            (Class::Govern, 3 | 4) => propose(self.motion(what / 8, seed, pick), lapses),
            (Class::Govern, _) => {
                approve(self.motions[self.motions.len() - 1 - pick % self.motions.len().min(2)])
            }
            (Class::Commit, _) => adopt(what),
            (Class::Operate, _) => Act::Confirm(Confirm {
                response: sha256(b"response"),
                received: Received::InFull,
                note: Default::default(),
            }),
            (Class::Observe, _) => withdraw(),
            (Class::OperateLog, 0) => anchor(&[what]),
            (Class::OperateLog, _) => self.log.anchor(),
        }
    }

    fn motion(&self, what: u8, seed: u8, pick: usize) -> Motion {
        let handle = handle(WHO[pick % 5]);
        let roster = self.log.roster();
        // Of what was carried before, the last, or not.
        let of = |last: Hash| if pick.is_multiple_of(7) { roster.log } else { last };
        match what % 8 {
            0 | 1 => Motion::Suspend { handle },
            2 => Motion::Resume { handle },
            3 => Motion::Level { level: roster.charter.level + u16::from(what / 8) },
            4 => Motion::Rekey {
                keys: rekey_set(seed).digest(&handle),
                handle,
                disown_from: pick.is_multiple_of(3).then_some(self.log.size() + 1),
            },
            5 => {
                let handle = crate::history::sample::handle(["se", "no"][pick % 2]);
                let (name, roles) = (short("new"), Roles::default().with(Role::Observer));
                Motion::Admit { keys: rekey_set(seed).digest(&handle), handle, name, roles }
            }
            6 => {
                let mut rules = rules();
                rules.motions.floor = u64::try_from(pick % 3).expect("small");
                rules.longest_expiry = Duration::of_days(u64::try_from(pick % 20).expect("small"));
                Motion::Rules { rules, replaces: of(roster.rules_set_by()) }
            }
            _ => Motion::Operator {
                vkey: log_key(&format!("log.example/{}", pick % 9), 200 + seed % 8),
                keys: set(&[(seed, "G"), (seed + 1, "L")], [1, 0, 0, 0, 1]).digest(&Handle::operator()),
                replaces: of(roster.operator_set_by()),
            },
        }
    }

    /// An accede with the set that was announced last, if a motion announced it.
    fn accede(&self, who: &str) -> Act {
        let announced = self.log.roster().members[&handle(who)].announced;
        let operators = |seed| set(&[(seed, "G"), (seed + 1, "L")], [1, 0, 0, 0, 1]);
        let made = (100..112).map(|seed| if who == "operator" { operators(seed) } else { rekey_set(seed) });
        made.into_iter()
            .find(|set| set.digest(&handle(who)) == announced)
            .map_or_else(|| accede(who), accede_with)
    }

    fn make(&mut self, step: &Step) {
        self.log.wait(step.wait_ms);
        let act = self.act(step);
        let mut draft = self.log.draft(WHO[step.who], Class::ALL[step.class], &act);
        if let Some(wrong) = step.wrong {
            spoil_statement(&mut draft, wrong, step.pick, &self.log);
        }
        let mut entry = self.log.entry(&draft);
        if let Some(wrong) = step.wrong {
            spoil_entry(&mut entry, wrong, step.pick, &self.log);
        }
        let mut bytes = encode(&entry);
        if step.wrong == Some(WRONGS - 1) {
            let at = step.pick % bytes.len();
            bytes[at] ^= 1 << (step.pick % 8);
        }
        self.found.push(self.log.put_bytes(bytes));
        if matches!(act, Act::Propose(_)) {
            let id = crate::statement::id(&entry.statement);
            self.motions.push(id);
            if !step.pick.is_multiple_of(4) {
                self.support(id);
            }
        }
    }

    /// Lets all approve a motion until it is carried, or lapses.
    fn support(&mut self, id: Hash) {
        for who in &WHO[1..] {
            if self.log.roster().unknown.is_none() && self.log.roster().proposals().any(|open| open.id == id)
            {
                let draft = self.log.draft(who, G, &approve(id));
                self.found.push(self.log.put(&draft));
            }
        }
    }
}

/// The sets that motions announce for partners: one key, from those that rotations take too.
fn rekey_set(seed: u8) -> KeySet {
    set(&[(seed, "GCOB")], [1, 1, 1, 1, 0])
}

/// How many things can be wrong.
const WRONGS: u8 = 22;

fn spoil_statement(draft: &mut Draft, wrong: u8, pick: usize, log: &Sample) {
    let s = &mut draft.statement;
    match wrong {
        0 => s.log = sha256(b"other"),
        1 => s.author = handle(["xx", "fr", "operator"][pick % 3]),
        2 => s.class = u8::try_from(pick % 5).expect("small"),
        3 => s.seq = u64::try_from(pick % 4).expect("small"),
        4 => s.prev = sha256(b"other"),
        5 => s.seen.size = u64::try_from(pick % (log.leaves.len() + 2)).expect("small"),
        6 => s.seen.leaf = sha256(b"other"),
        7 => s.expires_at = start().plus_ms(u64::try_from(pick % 40).expect("small") * DAY),
        8 => s.issued_at = start(),
        9 => s.kind = [0, 1, 2, 3, 4, 5, 16, 32, 71][pick % 9],
        10 => s.body.0.truncate(pick % (s.body.len() + 1)),
        11 => draft.signers.truncate(pick % 3),
        12 => draft.signers.iter_mut().for_each(|(officer, _)| *officer ^= u8::from(pick.is_multiple_of(2))),
        13 => draft.signers.push((128, 77)),
        14 => draft.signers.reverse(),
        _ => {}
    }
}

fn spoil_entry(entry: &mut Entry, wrong: u8, pick: usize, log: &Sample) {
    match wrong {
        15 => entry.index += 1,
        16 => entry.link = sha256(b"other"),
        17 => entry.roster = pointer(log, u64::try_from(pick % log.leaves.len()).expect("small")),
        18 => entry.sequenced_at = start(),
        19 => entry.sequenced_at = log.now.plus_ms([1000, 3_600_000, 20 * DAY][pick % 3]),
        20 => entry.signatures.0.iter_mut().for_each(|s| *s = bad(s)),
        _ => {}
    }
}

/// The entries of class 0 as a roster file has them: back from the pointer that the next entry must have.
fn chain_back(log: &Sample) -> Vec<(u64, SignedEntry)> {
    let mut chain = Vec::new();
    let mut at = log.history.pointer();
    loop {
        let e = decoded(&log.entries[usize::try_from(at.index).expect("small")]);
        assert_eq!(e.leaf, at.leaf);
        let (index, before) = (at.index, e.entry.roster);
        chain.push((index, e));
        if index == 0 {
            break;
        }
        assert!(before.index < index);
        at = before;
    }
    chain.reverse();
    chain
}

/// What roster and entry alone can tell, of what was found in the whole log.
fn told_alone(reasons: &[Reason], class: Class) -> Vec<Reason> {
    let whole_log = |r: &&Reason| match r {
        Reason::Index { .. }
        | Reason::Link { .. }
        | Reason::Pointer { .. }
        | Reason::TimeBack { .. }
        | Reason::ExpiredEffective { .. }
        | Reason::GovernSeenRange { .. }
        | Reason::GovernSeenBack { .. }
        | Reason::GovernSeenOther { .. }
        | Reason::SeenRange { .. }
        | Reason::SeenBack { .. }
        | Reason::SeenOther { .. }
        | Reason::AnchorSize { .. }
        | Reason::AnchorRoot { .. } => true,
        Reason::Seq { .. } | Reason::Prev { .. } => class != Class::Govern,
        _ => false,
    };
    reasons.iter().filter(|r| !whole_log(r)).cloned().collect()
}

fn agrees(made: &Made) -> Result<(), TestCaseError> {
    let history = &made.log.history;
    let mut chain = chain_back(&made.log).into_iter().peekable();
    let (_, first) = chain.next().expect("entry 0");
    let mut roster = Roster::found(&first).expect("founded");
    let mut authentic = vec![0];
    for (i, bytes) in made.log.entries.iter().enumerate().skip(1) {
        let index = u64::try_from(i).expect("small");
        if roster.unknown.is_some() {
            let judged = |r: &Reason| !matches!(r.code(), "undecodable" | "wrong-index" | "wrong-link");
            prop_assert!(!made.found[i].iter().any(judged), "entry {}: {:?}", i, made.found[i]);
            continue;
        }
        let Ok(e) = SignedEntry::decode(bytes) else { continue };
        let class = e.statement.class();
        let mut told = roster.alone(index, &e);
        if !acts(&made.found[i]) {
            // What makes an anchor void or unauthentic may lie in the whole log: then its time is nobody's fault.
            told.reasons.retain(|reason| !matches!(reason, Reason::AnchorTime { .. }));
        }
        prop_assert_eq!(&told.reasons, &told_alone(&made.found[i], class), "entry {}", i);
        if chain.peek().is_some_and(|(at, _)| *at == index) {
            chain.next();
            prop_assert_eq!(&roster.govern(index, &e), &told.reasons);
            authentic.push(index);
        }
        let is_in_chain = authentic.last() == Some(&index);
        prop_assert_eq!(is_in_chain, class == Class::Govern && counts(&made.found[i]), "entry {}", i);
    }
    let kept: Vec<_> = history.govern().iter().map(|(index, _)| *index).collect();
    prop_assert_eq!(kept, authentic);
    prop_assert_eq!(&roster.unknown, &history.roster().expect("founded").unknown);
    prop_assert_eq!(roster.last, history.pointer());
    let whole = history.roster().expect("founded");
    prop_assert_eq!(&roster.charter, &whole.charter);
    prop_assert_eq!((&roster.vkey, roster.time()), (&whole.vkey, whole.time()));
    prop_assert_eq!(
        (roster.rules_set_by(), roster.operator_set_by()),
        (whole.rules_set_by(), whole.operator_set_by())
    );
    let open = |r: &Roster| r.proposals().map(|o| (o.id, o.approved_by.len())).collect::<Vec<_>>();
    prop_assert_eq!(open(&roster), open(whole));
    for who in WHO {
        prop_assert_eq!(roster.is_suspended(&handle(who)), whole.is_suspended(&handle(who)));
        let chain = roster.members[&handle(who)].chain;
        let whole = made.log.chain(who, G);
        prop_assert_eq!((chain.seq, chain.prev), (whole.seq, whole.prev));
        let set = |r: &Roster| r.keys(&handle(who)).map(|k| (k.since, k.set.clone()));
        prop_assert_eq!(set(&roster), set(history.roster().expect("founded")));
    }
    Ok(())
}

/// Judges the log again, with verdicts of rosters that may be older than the entry, taken up again now and then.
fn judged_again(made: &Made, every: usize) -> Result<(), TestCaseError> {
    let mut history = History::without_ledger();
    let mut older: Option<Roster> = None;
    for (i, bytes) in made.log.entries.iter().enumerate() {
        let decoded = SignedEntry::decode(bytes);
        if i % every == 0 {
            older = history.roster().cloned();
            history = History::resume(history.snapshot(), history.ledger().map(encode).as_deref())
                .map_err(|e| TestCaseError::fail(e.to_string()))?;
        }
        let alone = decoded
            .as_ref()
            .ok()
            .and_then(|e| older.as_ref().map(|r| r.alone(u64::try_from(i).expect("small"), e)));
        let mut tried = history.clone();
        let findings =
            history.take(bytes, made.log.leaves[i], decoded.as_ref(), &mut &made.log.leaves[..], alone);
        let reasons: Vec<_> = findings.into_iter().map(|f| f.reason).collect();
        prop_assert_eq!(&reasons, &made.found[i], "entry {}", i);
        if let Ok(e) = &decoded {
            let before = tried.snapshot();
            let good = tried.try_take(bytes, e, &mut &made.log.leaves[..], None).is_ok();
            prop_assert_eq!(good, reasons.is_empty());
            prop_assert_eq!(tried.snapshot(), if good { history.snapshot() } else { before });
            prop_assert!(counts(&reasons) || !acts(&reasons), "what does not count does not act");
        }
    }
    prop_assert_eq!(history.snapshot(), made.log.history.snapshot());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_roster_file_and_the_whole_log_tell_the_same(
        steps in prop::collection::vec(step(), 1..40), level in 1..=2u16, late in 0..16usize, every in 1..9usize
    ) {
        let mut made = Made::new(level);
        for (n, who) in WHO[1..].iter().enumerate().filter(|(n, _)| late & 3 << n != 3 << n) {
            made.log.wait(u64::try_from(n).expect("small"));
            let draft = made.log.draft(who, G, &accede(who));
            made.found.push(made.log.put(&draft));
        }
        for step in &steps {
            made.make(step);
        }
        agrees(&made)?;
        judged_again(&made, every)?;
    }
}
