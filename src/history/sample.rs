//! A small log for tests: four partners and an operator, whose private keys are seeds of one repeated byte.

use crate::chain::{AuthorChain, Effect, Finding, Reason};
use crate::charter::rules::{Disputes, IncidentQuorum, MotionRules, PledgeRules};
use crate::charter::{Aspect, Charter, KeySet, Officer, Partner, Rules, Witnesses};
use crate::checkpoint::Checkpoint;
use crate::codec::{Bytes, List, encode};
use crate::cosignature::cosign;
use crate::entry::{Entry, Pointer, SignedEntry};
use crate::field::{Class, Duration, Handle, Instant, Role, Roles, Short};
use crate::hash::{Hash, ZEROS, leaf_hash, sha256};
use crate::history::{History, Past};
use crate::key::vkey::Vkey;
use crate::key::{ED25519, SigningKey};
use crate::roster::{Carried, Roster};
use crate::statement::body::{Accede, Adopt, Anchor, Approve, Found, Motion, Propose, Rotate};
use crate::statement::{self, Act, Head, Signature, Statement};
use std::collections::HashMap;
use std::sync::LazyLock;

pub const G: Class = Class::Govern;
pub const C: Class = Class::Commit;
pub const B: Class = Class::Observe;
pub const L: Class = Class::OperateLog;

pub const DAY: u64 = 86_400_000;

/// When the sample log is founded.
pub fn start() -> Instant {
    "2026-01-01".parse().expect("instant")
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

pub fn handle(name: &str) -> Handle {
    name.parse().expect("handle")
}

pub fn short(text: &str) -> Short {
    Short::new(text).expect("short")
}

/// A key set of officers (seed, classes), a letter of `GCOBL` each.
pub fn set(officers: &[(u8, &str)], thresholds: [u8; 5]) -> KeySet {
    let class = |letter: char| Class::ALL["GCOBL".find(letter).expect("a class's letter")];
    let officer = |&(seed, classes): &(u8, &str)| Officer {
        title: short(&format!("officer {seed}")),
        algorithm: ED25519,
        key: key(seed).public().to_bytes().to_vec().into(),
        classes: classes.chars().map(class).collect(),
    };
    KeySet { officers: officers.iter().map(officer).collect(), thresholds }
}

/// The sets of the sample: `de` has four officers and needs two to govern and commit, the others have one.
pub fn first_set(who: &str) -> KeySet {
    match who {
        "operator" => set(&[(1, "G"), (2, "L")], [1, 0, 0, 0, 1]),
        "de" => set(&[(10, "G"), (11, "GC"), (12, "GCO"), (13, "OB")], [2, 2, 1, 1, 0]),
        "fr" => set(&[(20, "GCOB")], [1, 1, 1, 1, 0]),
        "it" => set(&[(30, "GCOB")], [1, 1, 1, 1, 0]),
        _ => set(&[(40, "GCOB")], [1, 1, 1, 1, 0]),
    }
}

pub fn rules() -> Rules {
    Rules {
        instruments: List::default(),
        incident_kinds: List::default(),
        incident_quorum: IncidentQuorum {
            count: 1,
            roles: Roles::default().with(Role::Observer),
            aspects: vec![Aspect::Occurred].into(),
            disputes: Disputes::Against,
        },
        motions: MotionRules::default(),
        pledges: PledgeRules::default(),
        witnesses: Some(Witnesses { vkeys: vec![witness(90), witness(91)].into(), quorum: 1 }),
        longest_expiry: Duration::of_days(60),
    }
}

pub fn witness(seed: u8) -> Short {
    short(&Vkey::witness(&format!("w{seed}.example"), key(seed).public()).expect("vkey").to_string())
}

pub fn log_key(origin: &str, seed: u8) -> Short {
    short(&Vkey::log(origin, key(seed).public()).expect("vkey").to_string())
}

/// What founds the sample.
pub fn founding() -> Found {
    let partner = |name: &&str| Partner {
        handle: handle(name),
        name: short(name),
        roles: Roles::default().with(Role::Guarantor),
        keys: first_set(name).digest(&handle(name)),
    };
    Found {
        charter: Charter {
            origin: short("log.example/sample"),
            title: short("sample"),
            language: short("en"),
            level: 1,
            partners: ["de", "fr", "it", "pl"].iter().map(partner).collect(),
            annexes: List::default(),
            rules: rules(),
        },
        text: ZEROS,
        keys: first_set("operator"),
        vkey: log_key("log.example/sample", 99),
    }
}

/// A statement not signed yet, and who will sign it: officer numbers and seeds.
#[derive(Clone)]
pub struct Draft {
    pub statement: Statement,
    pub signers: Vec<(u8, u8)>,
}

/// A log that grows.
#[derive(Clone, Default)]
pub struct Sample {
    pub history: History,
    pub entries: Vec<Vec<u8>>,
    pub leaves: Vec<Hash>,
    pub now: Instant,
}

/// Reads what a log of tests encoded.
pub fn decoded(bytes: &[u8]) -> SignedEntry {
    SignedEntry::decode(bytes).expect("an entry")
}

/// The seed of a public key.
fn seed(key: &[u8]) -> u8 {
    static SEEDS: LazyLock<HashMap<Vec<u8>, u8>> =
        LazyLock::new(|| (0..=255).map(|n| (self::key(n).public().to_bytes().to_vec(), n)).collect());
    SEEDS[key]
}

impl Sample {
    /// A log with entry 0 alone.
    pub fn founded_on(found: Found) -> Self {
        // Acts refer to what was never said: who may sign is asked here, not what it means.
        let mut log = Self { now: start(), history: History::without_ledger(), ..Self::default() };
        let draft = log.draft("operator", G, &Act::Found(found));
        assert_eq!(log.put(&draft), []);
        log
    }

    /// A log in which all have acceded: entries 0 to 4.
    pub fn new() -> Self {
        Self::acceded_on(founding())
    }

    pub fn acceded_on(found: Found) -> Self {
        let mut log = Self::founded_on(found);
        for who in ["de", "fr", "it", "pl"] {
            log.say(who, G, &accede(who));
        }
        log
    }

    pub fn roster(&self) -> &Roster {
        self.history.roster().expect("founded")
    }

    pub fn size(&self) -> u64 {
        self.history.head().size
    }

    /// Lets so many milliseconds pass.
    pub fn wait(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
    }

    /// A statement in order, with just as many signers as it needs.
    pub fn draft(&self, author: &str, class: Class, act: &Act) -> Draft {
        let log = self.history.roster().map_or(ZEROS, |r| r.log);
        let valid = self.now..self.now.plus_ms(7 * DAY);
        let statement = self.history.next_statement(log, handle(author), class, act, valid);
        let signers = self.signers(&statement.author, class, act);
        Draft { statement, signers }
    }

    fn signers(&self, author: &Handle, class: Class, act: &Act) -> Vec<(u8, u8)> {
        let number = |i: usize| u8::try_from(i).expect("few");
        let all = |set: &KeySet| {
            set.officers.iter().enumerate().map(|(i, o)| (number(i), seed(&o.key))).collect::<Vec<_>>()
        };
        // Who has not acceded has nobody to sign with.
        let now = self.history.roster().and_then(|r| r.keys(author));
        let old = || {
            let Some(set) = now.map(|keys| &keys.set) else { return Vec::new() };
            let held = all(set).into_iter().filter(|(i, _)| set.officers[usize::from(*i)].classes.has(class));
            held.take(usize::from(set.threshold(class).max(1))).collect::<Vec<_>>()
        };
        match act {
            Act::Found(found) => all(&found.keys),
            Act::Accede(accede) => all(&accede.keys),
            Act::Rotate(rotate) => {
                let had = all(&now.expect("acceded").set);
                let fresh = all(&rotate.keys).into_iter().filter(|(_, s)| !had.iter().any(|(_, h)| h == s));
                old().into_iter().chain(fresh.map(|(i, s)| (128 + i, s))).collect()
            }
            _ => old(),
        }
    }

    /// The entry of a draft, in order apart from what the draft says.
    pub fn entry(&self, draft: &Draft) -> Entry {
        let statement = encode(&draft.statement);
        let id = statement::id(&statement);
        let sign = |&(officer, seed): &(u8, u8)| statement::sign(&id, officer, &key(seed));
        let Head { size, leaf } = self.history.head();
        Entry {
            version: 1,
            index: size,
            link: leaf,
            roster: self.history.pointer(),
            sequenced_at: self.now,
            statement: Bytes(statement),
            signatures: draft.signers.iter().map(sign).collect(),
        }
    }

    /// Takes leaf bytes, whatever they are, and gives the reasons found.
    pub fn put_bytes(&mut self, bytes: Vec<u8>) -> Vec<Reason> {
        let leaf = leaf_hash(&bytes);
        let decoded = SignedEntry::decode(&bytes);
        let findings = self.history.take(&bytes, leaf, decoded.as_ref(), &mut &self.leaves[..], None);
        self.leaves.push(leaf);
        self.entries.push(bytes);
        findings.into_iter().map(|Finding { reason, .. }| reason).collect()
    }

    pub fn put_entry(&mut self, entry: &Entry) -> Vec<Reason> {
        self.put_bytes(encode(entry))
    }

    pub fn put(&mut self, draft: &Draft) -> Vec<Reason> {
        self.put_entry(&self.entry(draft))
    }

    /// Says something in order, a second later; gives its id.
    pub fn say(&mut self, author: &str, class: Class, act: &Act) -> Hash {
        self.wait(1000);
        let draft = self.draft(author, class, act);
        assert_eq!(self.put(&draft), [], "{author}: {act:?}");
        statement::id(&encode(&draft.statement))
    }

    /// What an entry of class 0 that is in order would carry.
    pub fn carries(&self, draft: &Draft) -> Option<Carried> {
        let e = decoded(&encode(&self.entry(draft)));
        let mut roster = self.roster().clone();
        let weighed = roster.weigh(self.size(), &e);
        assert_eq!(weighed.reasons, []);
        roster.take(self.size(), &e, weighed)
    }

    /// The first of these makes a motion, the others approve it, and the last of them carries it; gives its id.
    pub fn carry(&mut self, motion: Motion, who: &[&str]) -> Hash {
        let (last, before) = who.split_last().expect("somebody");
        let lapses_at = self.now.plus_ms(10 * DAY);
        let mut id = None;
        for who in before {
            let act = id.map_or_else(|| propose(motion.clone(), lapses_at), approve);
            let said = self.say(who, G, &act);
            id = id.or(Some(said));
        }
        let act = id.map_or_else(|| propose(motion.clone(), lapses_at), approve);
        self.wait(1000);
        let carried = self.carries(&self.draft(last, G, &act)).expect("carried");
        assert_eq!(carried.what, motion);
        assert_eq!(self.put(&self.draft(last, G, &act)), []);
        carried.motion
    }

    /// An anchor of the first `size` entries, signed by the operator of that size, and cosigned by the witnesses of these
    /// seeds at these times, in seconds since the Unix epoch.
    pub fn anchor_of(&self, size: u64, cosigned: &[(u8, u64)]) -> Act {
        let vkey = self.roster().vkey_at(size);
        let root = (&self.leaves[..]).root_at(size).expect("so many");
        let checkpoint = Checkpoint::new(vkey.name(), size, root).expect("a checkpoint");
        let mut note = checkpoint.sign(&key(seed(&vkey.key().to_bytes())));
        let line = |&(seed, at_s): &(u8, u64)| {
            cosign(&format!("w{seed}.example"), &key(seed), at_s, &checkpoint.to_string()).expect("a line")
        };
        note.extend(cosigned.iter().map(line));
        anchor(note.as_bytes())
    }

    /// An anchor of all entries, in order.
    pub fn anchor(&self) -> Act {
        self.anchor_of(self.size(), &[(90, self.now.ms() / 1000)])
    }

    /// Where an author stands in a class.
    pub fn chain(&self, author: &str, class: Class) -> AuthorChain {
        self.history.chain(&handle(author), class)
    }
}

/// The one effect of these reasons.
pub fn effect(reasons: &[Reason]) -> Effect {
    let first = reasons.first().expect("a reason").effect();
    assert!(reasons.iter().all(|r| r.effect() == first), "{reasons:?}");
    first
}

pub fn accede(who: &str) -> Act {
    accede_with(first_set(who))
}

pub fn accede_with(keys: KeySet) -> Act {
    Act::Accede(Accede { keys, reservations: None, annexes: List::default() })
}

pub fn anchor(note: &[u8]) -> Act {
    Act::Anchor(Anchor { checkpoint: note.to_vec().into() })
}

pub fn rotate(keys: KeySet) -> Act {
    Act::Rotate(Rotate { keys })
}

/// Something to say in class commit.
pub fn adopt(n: u8) -> Act {
    Act::Adopt(Adopt { record: sha256(&[n]) })
}

pub fn propose(motion: Motion, lapses_at: Instant) -> Act {
    Act::Propose(Propose { motion, lapses_at })
}

pub fn approve(motion: Hash) -> Act {
    Act::Approve(Approve { motion })
}

/// The pointer at an entry of the sample.
pub fn pointer(log: &Sample, index: u64) -> Pointer {
    Pointer { index, leaf: log.leaves[usize::try_from(index).expect("small")] }
}

/// A signature that does not hold.
pub fn bad(signature: &Signature) -> Signature {
    let mut bytes = signature.bytes.0.clone();
    bytes[0] ^= 1;
    Signature { bytes: Bytes(bytes), ..signature.clone() }
}

/// Something to say in class observe.
pub fn withdraw() -> Act {
    let from = crate::statement::body::Withdrawn::Pledges(List::default());
    Act::Withdraw(crate::statement::body::Withdraw { from, text: Default::default() })
}
