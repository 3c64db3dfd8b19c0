//! The log that is measured: made once by the one door, and kept under the target directory.

use super::acts::{self, Cycle};
use rayon::prelude::*;
use servanda::charter::rules::{Disputes, IncidentKind, IncidentQuorum};
use servanda::charter::{Aspect, Charter, KeySet, Officer, Partner, Rules};
use servanda::codec::List;
use servanda::field::{Class, Duration, Handle, Instant, Long, Role, Short};
use servanda::hash::{Hash, ZEROS, labelled, sha256};
use servanda::key::vkey::Vkey;
use servanda::key::{ED25519, SigningKey};
use servanda::statement::body::{Accede, Found};
use servanda::statement::{self, Act, Head, Signature, Statement, VERSION};
use servanda::store::dir::Dir;
use servanda::store::index::Index;
use servanda::submit::{Founding, Operator};
use std::path::{Path, PathBuf};

pub const ORIGIN: &str = "bench.example/log";

/// How many partners sign.
pub const AUTHORS: usize = 30;

const START: &str = "2026-12-01T09:00Z";

/// How many entries the log is to have.
pub fn entries() -> u64 {
    std::env::var("SERVANDA_BENCH_ENTRIES").map_or(1_000_000, |n| n.parse().expect("a number of entries"))
}

/// The folder of the log with so many entries, made where it is missing.
pub fn log(entries: u64) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let home = target.join(format!("acts-{entries}"));
    let done = target.join(format!("acts-{entries}.done"));
    if !done.exists() {
        if home.exists() {
            std::fs::remove_dir_all(&home).unwrap();
        }
        eprintln!("making a log of {entries} entries …");
        make(&home, entries);
        std::fs::write(done, "").unwrap();
    }
    home
}

pub fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(&labelled("servanda/bench-key/1\n", name.as_bytes()).0)
}

pub fn log_key() -> SigningKey {
    key("checkpoint")
}

pub fn handle(author: usize) -> Handle {
    format!("p{author:02}").parse().unwrap()
}

pub fn short(text: &str) -> Short {
    Short::new(text).unwrap()
}

fn set(name: &str, classes: &[Class], thresholds: [u8; 5]) -> KeySet {
    let key = key(name).public().to_bytes().to_vec().into();
    let officer = Officer {
        title: short("ministry"),
        algorithm: ED25519,
        key,
        classes: classes.iter().copied().collect(),
    };
    KeySet { officers: vec![officer].into(), thresholds }
}

fn set_of(author: usize) -> KeySet {
    set(
        &format!("p{author:02}"),
        &[Class::Govern, Class::Commit, Class::Operate, Class::Observe],
        [1, 1, 1, 1, 0],
    )
}

fn founding() -> Found {
    let partner = |author: usize| Partner {
        handle: handle(author),
        name: short(&format!("Partner {author}")),
        roles: [Role::Guarantor, Role::Observer].into_iter().collect(),
        keys: set_of(author).digest(&handle(author)),
    };
    let charter = Charter {
        origin: short(ORIGIN),
        title: short("A log to be measured"),
        language: short("en"),
        level: 1,
        partners: (0..AUTHORS).map(partner).collect(),
        annexes: List::default(),
        rules: Rules {
            instruments: List::default(),
            incident_kinds: vec![IncidentKind {
                label: short("shelling"),
                definition: Long::new("Artillery fire upon a settlement").unwrap(),
                breaches: None,
            }]
            .into(),
            incident_quorum: IncidentQuorum {
                count: 2,
                roles: [Role::Guarantor].into_iter().collect(),
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
        text: sha256(b""),
        keys: set("operator", &[Class::Govern, Class::OperateLog], [1, 0, 0, 0, 1]),
        vkey: short(&Vkey::log(ORIGIN, log_key().public()).unwrap().to_string()),
    }
}

/// Who says something, and what stands before it.
pub struct Author {
    pub handle: Handle,
    pub key: SigningKey,
    /// The chain of each class: the next number, and the last statement.
    pub chains: [(u64, Hash); 5],
}

impl Author {
    /// Signs the next statement.
    pub fn say(&mut self, log: Hash, seen: Head, now: Instant, act: &Act) -> (Vec<u8>, Vec<Signature>) {
        let class = act.kind().classes()[0];
        let chain = &mut self.chains[usize::from(class.number())];
        let (seq, prev) = *chain;
        let s = Statement {
            version: VERSION,
            log,
            author: self.handle.clone(),
            class: class.number(),
            seq,
            prev,
            seen,
            issued_at: now,
            expires_at: now.plus(Duration::of_days(7)),
            kind: act.kind().number(),
            body: act.encode_body().into(),
        };
        let bytes = s.encode().unwrap();
        let id = statement::id(&bytes);
        *chain = (seq + 1, id);
        let signature = statement::sign(&id, 0, &self.key);
        (bytes, vec![signature])
    }
}

fn make(home: &Path, entries: u64) {
    let now: Instant = START.parse().unwrap();
    let author = |handle: Handle| Author { key: key(handle.as_str()), handle, chains: [(0, ZEROS); 5] };
    let mut operator = author("operator".parse().unwrap());
    let (statement, signatures) = operator.say(ZEROS, Head::default(), now, &Act::Found(founding()));
    let founding = Founding { statement, signatures, charter_text: Vec::new() };
    let store = Dir::create(home).unwrap();
    let index = Index::open(&home.join("private/index.redb")).unwrap();
    let mut log = Operator::found(Box::new(store), None, index, founding, now, &log_key()).unwrap();
    let id = log.roster().log;
    for at in 0..AUTHORS {
        let accede = Act::Accede(Accede { keys: set_of(at), reservations: None, annexes: List::default() });
        let sent = author(handle(at)).say(id, log.history().head(), now, &accede);
        log.admit(&sent.0, &sent.1, now).unwrap();
    }
    log.commit().unwrap();
    let mut authors: Vec<_> = (0..AUTHORS).map(|at| author(handle(at))).collect();
    let (mut now, mut cycle) = (now, Cycle::new());
    while log.history().head().size < entries {
        now = now.plus(Duration::new(0, 0, 50 * 60_000).unwrap());
        let seen = log.history().head();
        let left = usize::try_from(entries - seen.size).unwrap();
        // Each author writes its own part of the round; they come in turn.
        let parts: Vec<Vec<_>> = authors
            .par_iter_mut()
            .enumerate()
            .map(|(at, author)| {
                let places = (0..acts::EACH).map(|place| (place, place * AUTHORS + at));
                let places = places.filter(|(_, number)| *number < left);
                places
                    .map(|(place, number)| {
                        let act = acts::act(&cycle, at, place, now, seen.size + number as u64);
                        author.say(id, seen, now, &act)
                    })
                    .collect()
            })
            .collect();
        let round = (0..parts[0].len()).flat_map(|n| parts.iter().filter_map(move |part| part.get(n)));
        let round: Vec<_> = round.map(|(bytes, signatures)| (&bytes[..], &signatures[..])).collect();
        for admitted in log.admit_all(&round, now) {
            admitted.unwrap();
        }
        log.commit().unwrap();
        let ids = |part: &Vec<(Vec<u8>, _)>| part.iter().map(|(bytes, _)| statement::id(bytes)).collect();
        acts::said(&mut cycle, parts.iter().map(ids).collect());
    }
    log.publish(&log_key()).unwrap();
}
