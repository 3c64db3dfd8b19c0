//! Witnesses of ours, reached without a network, and some that lie.

use super::start::StartError;
use super::*;
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::cosignature::cosign;
use crate::hash::leaf_hash;
use crate::key::SigningKey;
use crate::key::vkey::Vkey;
use crate::merkle::builder::TileBuilder;
use crate::merkle::tree::Frontier;
use crate::policy::Policy;
use crate::store::memory::Memory;
use crate::store::{Read, Store as _};
use crate::witness::{Refused, logs::Logs, request::Request};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

const ORIGIN: &str = "log.example";
const NOW_S: u64 = 1_767_139_200;
const MOMENT: Duration = Duration::from_secs(20);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

/// Leaves, or from one on others.
fn leaf(index: u64, fork: bool) -> Hash {
    leaf_hash(format!("{index} {}", fork && index >= 5).as_bytes())
}

/// A log's tiles, as they are at every size up to one.
fn tiles(size: u64, fork: bool) -> Arc<dyn Read> {
    let (store, mut builder) = (Memory::new(), TileBuilder::default());
    for index in 0..size {
        let full = builder.push(leaf(index, fork));
        for tile in full.into_iter().chain(builder.partial()) {
            store.put_all(&[(format!("public/{}", tile.path), tile.bytes)]).unwrap();
        }
    }
    Arc::new(store)
}

fn note(size: u64, fork: bool) -> SignedCheckpoint {
    let mut tree = Frontier::default();
    (0..size).for_each(|index| tree.push(leaf(index, fork)));
    let note = Checkpoint::new(ORIGIN, size, tree.root()).unwrap().sign(&key(1));
    SignedCheckpoint::parse(note.as_bytes()).unwrap()
}

fn policy(threshold: Option<usize>) -> Policy {
    let log = Vkey::log(ORIGIN, key(1).public()).unwrap();
    let witnesses = [2, 3, 4].map(|n| Vkey::witness(&format!("w{n}"), key(n).public()).unwrap());
    Policy::of(&[log], &witnesses, threshold).unwrap()
}

/// What a witness does instead of its work.
#[derive(Clone)]
enum Instead {
    Silence,
    Status(u16, &'static str),
    Size(&'static str),
    Line(fn(&str) -> String),
}

/// Three witnesses.
struct World {
    witnesses: BTreeMap<String, crate::witness::Witness>,
    logs: Logs,
    instead: Mutex<BTreeMap<String, Instead>>,
    asked: AtomicU64,
}

impl World {
    fn new() -> Self {
        let open = |n: u8| {
            let name = format!("w{n}");
            let witness = crate::witness::Witness::open(Box::new(Memory::new()), &name, key(n)).unwrap();
            (name, witness)
        };
        let vkey = Vkey::log(ORIGIN, key(1).public()).unwrap();
        Self {
            witnesses: [2, 3, 4].map(open).into(),
            logs: format!("logs/v0\nvkey {vkey}\nqpd 1\ncontact nobody\n").parse().unwrap(),
            instead: Mutex::default(),
            asked: AtomicU64::new(0),
        }
    }

    fn now(&self, name: &str, instead: Option<Instead>) {
        let mut all = self.instead.lock().unwrap();
        match instead {
            Some(instead) => all.insert(name.to_owned(), instead),
            None => all.remove(name),
        };
    }
}

fn answer(status: u16, media_type: &str, body: &str) -> Result<Answer, Unreached> {
    Ok(Answer { status, media_type: Some(media_type.to_owned()), body: body.into() })
}

impl Transport for World {
    fn add_checkpoint(&self, witness: &Witness, body: &[u8]) -> Result<Answer, Unreached> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let instead = self.instead.lock().unwrap().get(&witness.name).cloned();
        match instead {
            Some(Instead::Silence) => return Err(Unreached("no route".into())),
            Some(Instead::Status(status, body)) => return answer(status, "text/plain", body),
            Some(Instead::Size(body)) => return answer(409, SIZE_TYPE, body),
            Some(Instead::Line(line)) => {
                let text = Request::parse(body).unwrap().note.text().to_owned();
                return answer(200, "text/plain", &line(&text));
            }
            None => {}
        }
        match self.witnesses[&witness.name].add_checkpoint(&self.logs, body, NOW_S) {
            Ok(cosigned) => answer(200, "text/plain", &cosigned.line),
            Err(Refused::Because { why, .. }) => match *why {
                crate::witness::Refusal::Moved(size) => answer(409, SIZE_TYPE, &format!("{size}\n")),
                why => answer(why.status(), "text/plain", &why.to_string()),
            },
            Err(Refused::Failed(error)) => answer(500, "text/plain", &error.to_string()),
        }
    }
}

fn clock() -> u64 {
    NOW_S
}

fn asked(n: usize) -> Asked {
    Asked::new(policy(Some(2)).witnesses()[n].clone())
}

#[test]
fn a_witness_is_asked_from_the_size_that_it_knows() {
    let (world, log) = (World::new(), tiles(300, false));
    let mut w2 = asked(0);
    for size in [1, 7, 7, 256, 300] {
        let cosigned = w2.ask(&note(size, false), &*log, &world, &clock).unwrap();
        assert_eq!((cosigned.head.0, w2.size(), cosigned.time_s), (size, size, NOW_S));
    }
    assert_eq!(world.asked.load(Ordering::SeqCst), 5);
}

#[test]
fn on_409_it_is_asked_once_more_from_the_size_that_it_says() {
    let (world, log) = (World::new(), tiles(300, false));
    asked(0).ask(&note(70, false), &*log, &world, &clock).unwrap();
    let mut again = asked(0);
    assert!(again.ask(&note(300, false), &*log, &world, &clock).is_ok());
    assert_eq!(world.asked.load(Ordering::SeqCst), 3);
    let mut behind = asked(0);
    let refused = behind.ask(&note(70, false), &*log, &world, &clock).unwrap_err();
    assert!(matches!(refused, AskError::Ahead { ahead: 300, size: 70, .. }), "{refused}");
    assert!(refused.stops_the_writer());
}

#[test]
fn another_history_than_the_one_that_it_knows_stops_the_writer() {
    let (world, log, fork) = (World::new(), tiles(20, false), tiles(20, true));
    asked(0).ask(&note(9, false), &*log, &world, &clock).unwrap();
    for size in [9, 20] {
        let refused = asked(0).ask(&note(size, true), &*fork, &world, &clock).unwrap_err();
        assert!(matches!(refused, AskError::Fork { size: 9, status: 422, .. }), "{refused}");
        assert!(refused.stops_the_writer());
    }
    // What forked beyond the size that it knows is its own log still.
    assert!(asked(0).ask(&note(20, false), &*log, &world, &clock).is_ok());
}

#[test]
fn a_409_that_leads_nowhere_is_no_loop() {
    let (world, log) = (World::new(), tiles(20, false));
    for body in ["0\n", "7", "07\n", "7\n7\n", "", "-1\n", "9223372036854775808\n"] {
        world.now("w2", Some(Instead::Size(body)));
        let refused = asked(0).ask(&note(20, false), &*log, &world, &clock).unwrap_err();
        assert!(matches!(refused, AskError::NoSize { .. }), "{body:?}: {refused}");
    }
    // A size that is good, and the same answer again.
    world.now("w2", Some(Instead::Size("7\n")));
    let refused = asked(0).ask(&note(20, false), &*log, &world, &clock).unwrap_err();
    assert!(matches!(refused, AskError::NoSize { .. }), "{refused}");
    world.now("w2", Some(Instead::Status(409, "7\n")));
    let refused = asked(0).ask(&note(20, false), &*log, &world, &clock).unwrap_err();
    assert!(matches!(refused, AskError::NoSize { .. }), "{refused}");
    // Older witnesses say so where the root is another one.
    world.now("w2", Some(Instead::Size("20\n")));
    let refused = asked(0).ask(&note(20, false), &*log, &world, &clock).unwrap_err();
    assert!(matches!(refused, AskError::Fork { size: 20, status: 409, .. }), "{refused}");
}

#[test]
fn only_the_line_of_its_own_key_counts() {
    let (world, log) = (World::new(), tiles(20, false));
    let ask = |line: fn(&str) -> String| {
        world.now("w2", Some(Instead::Line(line)));
        asked(0).ask(&note(20, false), &*log, &world, &clock)
    };
    let strangers = |text: &str| cosign("w3", &key(3), NOW_S, text).unwrap() + "garbage\n";
    let own = |text: &str| cosign("w2", &key(2), NOW_S, text).unwrap();
    let other_text = |_: &str| cosign("w2", &key(2), NOW_S, "other\n").unwrap();
    assert!(matches!(ask(strangers), Err(AskError::NoLine { .. })));
    assert!(matches!(ask(|_| String::new()), Err(AskError::NoLine { .. })));
    assert!(matches!(ask(other_text), Err(AskError::BadLine { .. })));
    let cosigned =
        ask(|text| cosign("w3", &key(3), 1, text).unwrap() + &cosign("w2", &key(2), NOW_S, text).unwrap());
    assert_eq!(cosigned.unwrap().line, own(note(20, false).text()));
}

#[test]
fn a_clock_5_minutes_off_counts_and_a_second_more_does_not() {
    let (world, log) = (World::new(), tiles(20, false));
    let ask = |line: fn(&str) -> String| {
        world.now("w2", Some(Instead::Line(line)));
        asked(0).ask(&note(20, false), &*log, &world, &clock)
    };
    assert!(ask(|text| cosign("w2", &key(2), NOW_S - SKEW_S, text).unwrap()).is_ok());
    assert!(ask(|text| cosign("w2", &key(2), NOW_S + SKEW_S, text).unwrap()).is_ok());
    let late = ask(|text| cosign("w2", &key(2), NOW_S - SKEW_S - 1, text).unwrap()).unwrap_err();
    assert!(matches!(late, AskError::Clock { .. }) && !late.stops_the_writer());
    assert_eq!(late.to_string(), "the clock of witness w2 differs from the one here by 301 seconds");
    assert!(ask(|text| cosign("w2", &key(2), NOW_S + SKEW_S + 1, text).unwrap()).is_err());
}

#[test]
fn pauses_double_up_to_a_minute_and_end_with_a_cosignature() {
    let (world, log) = (World::new(), tiles(20, false));
    let mut w2 = asked(0);
    assert_eq!(w2.pause(), Duration::ZERO);
    world.now("w2", Some(Instead::Silence));
    let pauses: Vec<_> = (0..8)
        .map(|_| {
            let refused = w2.ask(&note(20, false), &*log, &world, &clock).unwrap_err();
            assert!(matches!(refused, AskError::Unreached { .. }));
            w2.pause().as_secs()
        })
        .collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    world.now("w2", Some(Instead::Status(404, "no such log\u{1b}[2J")));
    let refused = w2.ask(&note(20, false), &*log, &world, &clock).unwrap_err();
    assert_eq!(refused.to_string(), r#"witness w2 answered with status 404: "no such log\u{1b}[2J""#);
    world.now("w2", None);
    w2.ask(&note(20, false), &*log, &world, &clock).unwrap();
    assert_eq!(w2.pause(), Duration::ZERO);
}

#[test]
fn a_round_has_its_quorum_when_the_policy_says_so() {
    let (world, log, policy) = (World::new(), tiles(20, false), policy(Some(2)));
    let mut round = Round::new(note(20, false).as_str(), &policy).unwrap();
    assert!(!round.has_quorum());
    let line = |n: usize, size| asked(n).ask(&note(size, false), &*log, &world, &clock).unwrap();
    let first = line(0, 20);
    assert!(round.take(&first) && !round.take(&first) && !round.has_quorum());
    assert!(!round.take(&line(1, 19)) && !round.has_quorum(), "a line of another size counts");
    let mut other = Round::new(note(20, false).as_str(), &policy).unwrap();
    let renamed = Cosigned { witness: "w3".to_owned(), ..first.clone() };
    assert!(other.take(&renamed) && !other.take(&first));
    assert_eq!(other.cosigned().collect::<Vec<_>>(), ["w2"], "a line counts under another name");
    assert!(round.take(&line(1, 20)) && round.has_quorum() && !round.is_complete());
    assert!(round.take(&line(2, 20)) && round.is_complete());
    let opened = crate::checkpoint::open(round.note().as_bytes(), &policy).unwrap();
    assert_eq!(opened.cosigners().len(), 3);
    // Whoever goes on with what was published counts what is there.
    assert!(Round::new(round.note(), &policy).unwrap().is_complete());
    let unsigned = round.note().replace(ORIGIN, "other.example");
    assert!(Round::new(&unsigned, &policy).is_err());
}

#[test]
fn without_a_quorum_to_reach_a_round_has_it() {
    let round = Round::new(note(20, false).as_str(), &policy(None)).unwrap();
    assert!(round.has_quorum() && !round.is_complete());
}

#[test]
fn before_the_first_signature_every_witness_says_how_far_it_knows_the_log() {
    let (world, log, policy) = (World::new(), tiles(20, false), policy(Some(2)));
    asked(0).ask(&note(20, false), &*log, &world, &clock).unwrap();
    let published = note(9, false);
    let ask = |published, here| start::ask_all(published, here, &policy, &world, &clock);
    let found = ask(Some(&published), 20).unwrap();
    // The first knew more; the others cosigned what is published.
    let sizes: Vec<u64> = found.asked.iter().map(Asked::size).collect();
    assert_eq!((sizes, found.lines.len(), found.silent.len()), (vec![20, 9, 9], 2, 0));
    let refused = ask(Some(&published), 19).unwrap_err();
    assert!(matches!(refused, StartError::Stop(_)), "{refused}");
    world.now("w3", Some(Instead::Silence));
    assert_eq!(ask(Some(&published), 20).unwrap().silent.len(), 1);
    // The two that are silent are a quorum.
    world.now("w4", Some(Instead::Silence));
    let refused = ask(Some(&published), 20).unwrap_err();
    assert!(matches!(&refused, StartError::TooFew(silent) if silent.len() == 2), "{refused}");
    let before = world.asked.load(Ordering::SeqCst);
    assert_eq!(ask(None, 0).unwrap().asked.len(), 3);
    assert_eq!(world.asked.load(Ordering::SeqCst), before);
}

#[test]
fn one_that_is_ahead_stops_the_writer_without_any_quorum_too() {
    let (world, log, policy) = (World::new(), tiles(20, false), policy(None));
    asked(0).ask(&note(20, false), &*log, &world, &clock).unwrap();
    for silent in ["w3", "w4"] {
        world.now(silent, Some(Instead::Silence));
    }
    let ask = |here| start::ask_all(Some(&note(9, false)), here, &policy, &world, &clock);
    assert!(ask(20).is_ok());
    assert!(matches!(ask(19), Err(StartError::Stop(_))));
}

fn crew(world: &Arc<World>, log: Arc<dyn Read>) -> (Crew, mpsc::Receiver<Told>) {
    let (send, told) = mpsc::channel();
    let all = policy(Some(2)).witnesses().iter().cloned().map(Asked::new).collect();
    let transport: Arc<dyn Transport> = Arc::clone(world) as Arc<dyn Transport>;
    let crew = Crew::start(all, log, transport, Arc::new(clock), move |told| drop(send.send(told)));
    (crew, told)
}

#[test]
fn a_crew_hands_back_lines_until_there_is_a_quorum() {
    let world = Arc::new(World::new());
    world.now("w3", Some(Instead::Silence));
    let (crew, told) = crew(&world, tiles(20, false));
    let mut round = Round::new(note(20, false).as_str(), &policy(Some(2))).unwrap();
    crew.ask(&round);
    while !round.has_quorum() {
        match told.recv_timeout(MOMENT).expect("two answer") {
            Told::Cosigned(cosigned) => assert!(round.take(&cosigned)),
            Told::Failed(error) => assert_eq!(error.witness(), "w3"),
        }
    }
    // It is asked again by itself, and its line comes late.
    world.now("w3", None);
    while !round.is_complete() {
        if let Told::Cosigned(cosigned) = told.recv_timeout(MOMENT).expect("the third answers") {
            round.take(&cosigned);
        }
    }
    assert!(crate::checkpoint::open(round.note().as_bytes(), &policy(Some(2))).is_ok());
}

#[test]
fn a_crew_sends_the_newest_note_and_ends_when_it_is_dropped() {
    let world = Arc::new(World::new());
    let (crew, told) = crew(&world, tiles(20, false));
    for size in 1..=20 {
        crew.ask(&Round::new(note(size, false).as_str(), &policy(Some(2))).unwrap());
    }
    let mut newest = 0;
    while newest < 3 {
        let Told::Cosigned(cosigned) = told.recv_timeout(MOMENT).expect("all answer") else {
            panic!("refused")
        };
        newest += usize::from(cosigned.head.0 == 20);
    }
    drop(crew);
    // The threads hold the other end.
    assert!(matches!(told.recv_timeout(MOMENT), Err(mpsc::RecvTimeoutError::Disconnected)));
}

#[test]
fn a_witness_that_knows_a_fork_is_not_asked_again() {
    let world = Arc::new(World::new());
    asked(0).ask(&note(9, true), &*tiles(9, true), &*world, &clock).unwrap();
    let (crew, told) = crew(&world, tiles(20, false));
    crew.ask(&Round::new(note(20, false).as_str(), &policy(Some(2))).unwrap());
    let all: Vec<Told> = (0..3).map(|_| told.recv_timeout(MOMENT).expect("all answer")).collect();
    let forks = all.iter().filter(|told| matches!(told, Told::Failed(error) if error.stops_the_writer()));
    assert_eq!(forks.count(), 1);
}
