//! A small log, built act by act, with honest defaults that a test may break one at a time.
//!
//! ```text
//! let mut log = SmallLog::ready();                              // founded, everyone acceded
//! let pledge = log.say("de", pledge(&["ua"], terms("tanks")));  // drafted, signed, sequenced, pushed: gives the id
//!
//! let mut statement = log.draft("de", accept(&[pledge]));       // change any field …
//! statement.seq += 1;
//! let signatures = log.sign(&statement);                        // … or who signs …
//! let mut entry = log.sequence(&statement, signatures);         // … or what the operator says
//! entry.index = 7;
//! assert_eq!(codes(&log.push_entry(&entry)), ["wrong-index", "wrong-seq"]);
//! ```
//!
//! It holds leaf bytes and a `History`, and stores nothing; [`Clone`] it to fork it. Keys are those of [`key`], whose
//! seeds anyone can derive: they prove nothing. Partners are `de`, `fr`, `pl` (guarantors), `ua` (beneficiary) and
//! `kiel` (observer); each has three ministers (officers 0 to 2: govern and commit, two must sign) and a duty officer
//! (officer 3: operate and observe). The clock starts at [`START`] and goes on by a minute with each entry.

#![allow(dead_code, reason = "each chapter uses a part")]
#![allow(clippy::unwrap_used)]

use servanda::chain::Finding;
use servanda::charter::rules::{Disputes, IncidentKind, IncidentQuorum};
use servanda::charter::{Aspect, Charter, KeySet, Officer, Partner, Rules, Sealable, Witnesses};
use servanda::checkpoint::Checkpoint;
use servanda::codec::{List, encode};
use servanda::cosignature;
use servanda::entry::{Entry, SignedEntry};
use servanda::field::{Class, Day, Decimal, Duration, Handle, Instant, Long, Role, Short};
use servanda::hash::{EMPTY_ROOT, Hash, ZEROS, labelled, leaf_hash, node_hash};
use servanda::history::History;
use servanda::key::vkey::Vkey;
use servanda::key::{ED25519, SigningKey};
use servanda::policy::Policy;
use servanda::statement::body::{Accede, Accept, Anchor, Approve, Found, Motion, Pledge, Propose, Review};
use servanda::statement::terms::{Force, Instrument, Quantity, Terms};
use servanda::statement::{self, Act, Signature, Statement};
use servanda::tlog_proof::TlogProof;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

pub const ORIGIN: &str = "guarantees.example/paris-2026";
pub const WITNESS: &str = "witness.example/one";
pub const START: &str = "2026-12-01T09:00Z";
pub const PARTNERS: [&str; 5] = ["de", "fr", "pl", "ua", "kiel"];

const MINUTE_MS: u64 = 60_000;

// - keys -

/// The seed of a key by its name: SHA-256("servanda/example-key/1\n" || name).
pub fn seed(name: &str) -> [u8; 32] {
    labelled("servanda/example-key/1\n", name.as_bytes()).0
}

/// All keys asked for so far, by their public halves.
static RING: LazyLock<Mutex<HashMap<[u8; 32], SigningKey>>> = LazyLock::new(Mutex::default);

/// The key of this name, e.g. `de/0`; officers' keys are found again by their public halves.
pub fn key(name: &str) -> SigningKey {
    let key = SigningKey::from_seed(&seed(name));
    RING.lock().unwrap().insert(key.public().to_bytes(), key.clone());
    key
}

fn owner_of(public: &[u8]) -> SigningKey {
    let public: [u8; 32] = public.try_into().expect("a whole key");
    RING.lock().unwrap().get(&public).cloned().expect("a key made by `key`")
}

/// An officer with the key of this name.
pub fn officer(name: &str, classes: &[Class]) -> Officer {
    Officer {
        title: short(&format!("office {name}")),
        algorithm: ED25519,
        key: key(name).public().to_bytes().to_vec().into(),
        classes: classes.iter().copied().collect(),
    }
}

/// The key set that a partner, or the operator, has from the start: keys `de/0` to `de/3`, or `operator/0`.
pub fn key_set(handle: &str) -> KeySet {
    use Class::{Commit, Govern, Observe, Operate, OperateLog};
    if handle == "operator" {
        let only = officer("operator/0", &[Govern, OperateLog]);
        return KeySet { officers: vec![only].into(), thresholds: [1, 0, 0, 0, 1] };
    }
    let minister = |n: u8| officer(&format!("{handle}/{n}"), &[Govern, Commit]);
    let duty = officer(&format!("{handle}/3"), &[Operate, Observe]);
    let officers = vec![minister(0), minister(1), minister(2), duty].into();
    KeySet { officers, thresholds: [2, 2, 1, 1, 0] }
}

/// The witness's cosignature line under a checkpoint's text.
pub fn cosign(note: &str, at: Instant) -> String {
    let text = note.split_once("\n\n").expect("a note").0.to_owned() + "\n";
    let line = cosignature::cosign(WITNESS, &key("witness/0"), at.ms() / 1000, &text).unwrap();
    format!("{note}{line}")
}

pub fn witness_vkey() -> Vkey {
    Vkey::witness(WITNESS, key("witness/0").public()).unwrap()
}

pub fn log_vkey() -> Vkey {
    Vkey::log(ORIGIN, key("operator/checkpoint").public()).unwrap()
}

// - acts, short to write -

pub fn handle(name: &str) -> Handle {
    name.parse().unwrap()
}

pub fn handles(names: &[&str]) -> List<Handle> {
    names.iter().map(|name| handle(name)).collect()
}

pub fn short(text: &str) -> Short {
    Short::new(text).unwrap()
}

pub fn long(text: &str) -> Long {
    Long::new(text).unwrap()
}

pub fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

pub fn earlier(at: Instant, ms: u64) -> Instant {
    Instant::from_ms(at.ms() - ms).unwrap()
}

/// Terms with as little in them as possible: military, binding, from 2026-12-01.
pub fn terms(title: &str) -> Terms {
    Terms {
        reference: None,
        title: short(title),
        text: Long::default(),
        instruments: vec![Instrument::Military].into(),
        quantity: Quantity::None,
        within: None,
        force: Force::Binding,
        made_on: None,
        source: None,
        clause: None,
        valid_from: at("2026-12-01"),
        valid_until: None,
        notice_period: Duration::default(),
        owed_by: Default::default(),
        trigger: None,
        respond_within: None,
        dues: List::default(),
        needs: List::default(),
        annexes: List::default(),
    }
}

pub fn pledge(to: &[&str], terms: Terms) -> Act {
    Act::Pledge(Pledge { to: handles(to), terms: Sealable::Open(terms) })
}

pub fn accept(statements: &[Hash]) -> Act {
    Act::Accept(Accept { statements: statements.to_vec().into(), reservation: None })
}

/// What anyone may say at any time: that a meeting was held, so many days after 2026-01-01.
pub fn review(day: i64) -> Act {
    Act::Review(Review {
        held_on: Day::from_days(20_454 + day).unwrap(),
        attendance: List::default(),
        remarks: List::default(),
        decisions: List::default(),
        next_on: None,
        annexes: List::default(),
    })
}

/// Binds a partner with the key set that it has from the start.
pub fn accede(name: &str) -> Act {
    Act::Accede(Accede { keys: key_set(name), reservations: None, annexes: List::default() })
}

/// The charter of a small log, with its operator's keys; change what you like before it is founded.
pub fn founding() -> Found {
    let partner = |(name, role): (&str, Role)| Partner {
        handle: handle(name),
        name: short(&format!("Partner {name}")),
        roles: [role].into_iter().collect(),
        keys: key_set(name).digest(&handle(name)),
    };
    use Role::{Beneficiary, Guarantor, Observer};
    let roles = [Guarantor, Guarantor, Guarantor, Beneficiary, Observer];
    let incident = |label: &str| IncidentKind {
        label: short(label),
        definition: long("as the treaty defines it"),
        breaches: None,
    };
    let charter = Charter {
        origin: short(ORIGIN),
        title: short("Guarantees of Paris"),
        language: short("en"),
        level: 1,
        partners: PARTNERS.into_iter().zip(roles).map(partner).collect(),
        annexes: List::default(),
        rules: Rules {
            instruments: List::default(),
            incident_kinds: vec![incident("armed attack"), incident("ceasefire")].into(),
            incident_quorum: IncidentQuorum {
                count: 2,
                roles: [Guarantor, Beneficiary, Observer].into_iter().collect(),
                aspects: vec![Aspect::Occurred].into(),
                disputes: Disputes::Against,
            },
            motions: Default::default(),
            pledges: Default::default(),
            witnesses: None,
            longest_expiry: Duration::of_days(30),
        },
    };
    Found {
        charter,
        text: servanda::hash::sha256(b"the charter as its founders wrote it\n"),
        keys: key_set("operator"),
        vkey: short(&log_vkey().to_string()),
    }
}

/// The codes of findings, in the order of the entries and, for one entry, of the alphabet.
pub fn codes(findings: &[Finding]) -> Vec<&'static str> {
    let mut codes: Vec<_> = findings.iter().map(|f| (f.index, f.reason.code())).collect();
    codes.sort_unstable();
    codes.into_iter().map(|(_, code)| code).collect()
}

/// Lets the rules name the witness.
pub fn name_witness(found: &mut Found) {
    let vkeys = vec![short(&witness_vkey().to_string())].into();
    found.charter.rules.witnesses = Some(Witnesses { vkeys, quorum: 1 });
}

// - the log -

/// A log in memory: leaves, what they add up to, and a clock.
#[derive(Clone, Debug)]
pub struct SmallLog {
    /// The clock of everyone: of the next draft, and of the next entry.
    pub now: Instant,
    leaves: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
    history: History,
    findings: Vec<Finding>,
}

impl SmallLog {
    /// A log without entries.
    pub fn empty() -> Self {
        Self {
            now: at(START),
            leaves: Vec::new(),
            hashes: Vec::new(),
            history: History::default(),
            findings: Vec::new(),
        }
    }

    /// A log with its founding entry, the charter changed before.
    pub fn founded_with(change: impl FnOnce(&mut Found)) -> Self {
        let mut found = founding();
        change(&mut found);
        let mut log = Self::empty();
        log.say("operator", Act::Found(found));
        log
    }

    /// A log with its founding entry alone.
    pub fn founded() -> Self {
        Self::founded_with(|_| {})
    }

    /// A log in which all have acceded.
    pub fn ready() -> Self {
        let mut log = Self::founded();
        for name in PARTNERS {
            log.say(name, accede(name));
        }
        log
    }

    /// The same, and its rules name the witness.
    pub fn witnessed() -> Self {
        let mut log = Self::founded_with(name_witness);
        for name in PARTNERS {
            log.say(name, accede(name));
        }
        log
    }

    /// Says something with honest defaults; gives the statement's id. Look at [`Self::findings`] for what came of it.
    pub fn say(&mut self, author: &str, act: Act) -> Hash {
        let statement = self.draft(author, act);
        self.post(&statement);
        statement::id(&encode(&statement))
    }

    /// Lets partners approve a motion until it is no longer open; gives its id.
    pub fn carry(&mut self, motion: Motion) -> Hash {
        let lapses_at = at("2027-06-01");
        let target = motion.target().cloned();
        let mut voters = PARTNERS.iter().filter(|name| target != Some(handle(name)));
        let id = self.say(voters.next().unwrap(), Act::Propose(Propose { motion, lapses_at }));
        for name in voters {
            if self.history.roster().unwrap().proposals().any(|open| open.id == id) {
                self.say(name, Act::Approve(Approve { motion: id }));
            }
        }
        id
    }

    /// Drafts a statement: its author's next one in the act's usual class, having seen everything, for seven days.
    pub fn draft(&self, author: &str, act: Act) -> Statement {
        self.draft_in(author, act.kind().classes()[0], act)
    }

    /// The same in another class.
    pub fn draft_in(&self, author: &str, class: Class, act: Act) -> Statement {
        let author = handle(author);
        let chain = self.history.chain(&author, class);
        Statement {
            version: statement::VERSION,
            log: self.log_id(),
            author,
            class: class.number(),
            seq: chain.seq,
            prev: chain.prev,
            seen: self.history.head(),
            issued_at: self.now,
            expires_at: self.now.plus(Duration::of_days(7)),
            kind: act.kind().number(),
            body: act.encode_body().into(),
        }
    }

    /// Signs as the rules ask: kinds 0 and 1 by all officers in the body, a rotation by old ministers and new keys, all
    /// else by the first officers of the class that reach its threshold.
    pub fn sign(&self, s: &Statement) -> Vec<Signature> {
        let in_force = self.keys(&s.author);
        let holders = |class: Class, set: &KeySet| -> Vec<(u8, SigningKey)> {
            let all = (0..).zip(&set.officers).filter(|(_, o)| o.classes.has(class));
            all.take(usize::from(set.threshold(class))).map(|(n, o)| (n, owner_of(&o.key))).collect()
        };
        let everyone = |set: &KeySet| -> Vec<(u8, SigningKey)> {
            (0..).zip(&set.officers).map(|(n, o)| (n, owner_of(&o.key))).collect()
        };
        let signers = match s.act() {
            Ok(Act::Found(found)) => everyone(&found.keys),
            Ok(Act::Accede(accede)) => everyone(&accede.keys),
            Ok(Act::Rotate(rotate)) => {
                let mut signers = holders(Class::Govern, &in_force);
                let kept = |o: &Officer| in_force.officers.iter().any(|old| old.key == o.key);
                let new = (128..).zip(&rotate.keys.officers).filter(|(_, o)| !kept(o));
                signers.extend(new.map(|(n, o)| (n, owner_of(&o.key))));
                signers
            }
            _ => holders(Class::from_number(s.class).unwrap_or(Class::Govern), &in_force),
        };
        let id = statement::id(&encode(s));
        signers.iter().map(|(officer, key)| statement::sign(&id, *officer, key)).collect()
    }

    /// Signs as these officers with the keys of these names, whatever the rules ask.
    pub fn sign_as(&self, s: &Statement, signers: &[(u8, &str)]) -> Vec<Signature> {
        let id = statement::id(&encode(s));
        signers.iter().map(|(officer, name)| statement::sign(&id, *officer, &key(name))).collect()
    }

    /// Puts a statement in sequence as an honest operator would.
    pub fn sequence(&self, s: &Statement, signatures: Vec<Signature>) -> Entry {
        Entry {
            version: servanda::entry::VERSION,
            index: self.size(),
            link: self.history.head().leaf,
            roster: self.history.pointer(),
            sequenced_at: self.now,
            statement: encode(s).into(),
            signatures: signatures.into(),
        }
    }

    /// Signs, sequences and pushes a statement; gives what is held against it.
    pub fn post(&mut self, s: &Statement) -> Vec<Finding> {
        let signatures = self.sign(s);
        self.push_entry(&self.sequence(s, signatures))
    }

    /// Pushes an entry, whatever its limits.
    pub fn push_entry(&mut self, entry: &Entry) -> Vec<Finding> {
        self.push(encode(entry))
    }

    /// Pushes a leaf, whatever it is; gives what is held against it.
    pub fn push(&mut self, bytes: Vec<u8>) -> Vec<Finding> {
        let leaf = leaf_hash(&bytes);
        let decoded = SignedEntry::decode(&bytes);
        let found = self.history.take(&bytes, leaf, decoded.as_ref(), &mut &self.hashes[..], None);
        self.leaves.push(bytes);
        self.hashes.push(leaf);
        self.findings.extend(found.iter().cloned());
        self.wait_ms(MINUTE_MS);
        found
    }

    /// Lets time pass.
    pub fn wait_ms(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
    }

    /// Everything held against the log so far.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    pub fn history(&self) -> &History {
        &self.history
    }

    /// The key set of an author in force, or the one that it will accede with.
    pub fn keys(&self, author: &Handle) -> KeySet {
        let in_force = self.history.roster().and_then(|roster| roster.keys(author));
        in_force.map_or_else(|| key_set(author.as_str()), |in_force| in_force.set.clone())
    }

    /// The log's id; zeros while it is not founded.
    pub fn log_id(&self) -> Hash {
        self.history.roster().map_or(ZEROS, |roster| roster.log)
    }

    // - what the log commits to -

    pub fn size(&self) -> u64 {
        self.leaves.len().try_into().unwrap()
    }

    /// The leaves' data.
    pub fn leaves(&self) -> &[Vec<u8>] {
        &self.leaves
    }

    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The entry at an index, decoded.
    pub fn entry(&self, index: usize) -> SignedEntry {
        SignedEntry::decode(&self.leaves[index]).expect("an entry")
    }

    /// The same log when it had so many entries; its clock goes on.
    pub fn cut(&self, size: usize) -> Self {
        let mut log = Self::empty();
        self.leaves[..size].iter().for_each(|leaf| drop(log.push(leaf.clone())));
        log.now = self.now;
        log
    }

    pub fn root(&self) -> Hash {
        root(&self.hashes)
    }

    pub fn root_at(&self, size: usize) -> Hash {
        root(&self.hashes[..size])
    }

    /// The checkpoint of a size, signed with the founding checkpoint key.
    pub fn checkpoint_at(&self, size: usize) -> String {
        let checkpoint = Checkpoint::new(ORIGIN, size.try_into().unwrap(), self.root_at(size)).unwrap();
        checkpoint.sign(&key("operator/checkpoint"))
    }

    /// The checkpoint of the whole log.
    pub fn checkpoint(&self) -> String {
        self.checkpoint_at(self.leaves.len())
    }

    /// The checkpoint of a size, cosigned by the witness at a time.
    pub fn anchor_note(&self, size: usize, at: Instant) -> String {
        cosign(&self.checkpoint_at(size), at)
    }

    /// An anchor of the whole log, cosigned now.
    pub fn anchor(&self) -> Act {
        let checkpoint = self.anchor_note(self.leaves.len(), self.now).into_bytes().into();
        Act::Anchor(Anchor { checkpoint })
    }

    /// The inclusion proof of a leaf in the tree of a size: PATH(m, D[n]) of RFC 6962, section 2.1.1.
    pub fn inclusion(&self, index: usize, size: usize) -> Vec<Hash> {
        let (mut low, mut high, mut path) = (0, size, Vec::new());
        while high - low > 1 {
            let middle = low + (high - low).next_power_of_two() / 2;
            if index < middle {
                path.push(root(&self.hashes[middle..high]));
                high = middle;
            } else {
                path.push(root(&self.hashes[low..middle]));
                low = middle;
            }
        }
        path.reverse();
        path
    }

    /// A proof file for the entry at an index under a signed checkpoint of this log, the entry in it.
    pub fn proof(&self, index: usize, checkpoint: &str) -> TlogProof {
        let size = checkpoint.lines().nth(1).unwrap().parse().unwrap();
        TlogProof {
            extra: Some(self.leaves[index].clone()),
            index: index.try_into().unwrap(),
            path: self.inclusion(index, size),
            checkpoint: checkpoint.to_owned(),
        }
    }

    /// A policy that accepts this log's checkpoints, cosigned by the witness or, without it, by nobody.
    pub fn policy(&self, witnessed: bool) -> Policy {
        let (witnesses, quorum) = if witnessed { (vec![witness_vkey()], Some(1)) } else { (vec![], None) };
        Policy::of(&[log_vkey()], &witnesses, quorum).unwrap()
    }
}

/// MTH(D[n]) of RFC 6962, section 2.1, over leaf hashes.
pub fn root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = hashes.split_at(hashes.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}

/// A decimal, as people write it.
pub fn decimal(text: &str) -> Decimal {
    Decimal::from_human(text).unwrap()
}

/// Everyone acceded, two pledges, an acceptance: entries 6, 7 and 8; then reviews.
pub fn busy(size: u64) -> SmallLog {
    let mut log = SmallLog::ready();
    let tanks = log.say("de", pledge(&["ua"], terms("tanks")));
    log.say("fr", pledge(&["ua"], terms("aircraft")));
    log.say("ua", accept(&[tanks]));
    while log.size() < size {
        log.say("fr", review(20_000));
    }
    assert!(log.findings().is_empty());
    log
}

/// The first seven entries of [`busy`], and others.
pub fn other_end(size: u64) -> SmallLog {
    let mut log = busy(9).cut(7);
    log.say("pl", pledge(&["ua"], terms("ammunition")));
    while log.size() < size {
        log.say("de", review(20_000));
    }
    assert!(log.findings().is_empty());
    log
}
