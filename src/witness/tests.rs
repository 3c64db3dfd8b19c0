//! A witness over a store in memory: every check, races, failures of the disk.

use super::request::Request;
use super::*;
use crate::checkpoint::Checkpoint;
use crate::hash::EMPTY_ROOT;
use crate::merkle::reference::{consistency, leaves, root};
use crate::note::Note;
use crate::store::Read as _;
use crate::store::memory::{Among, Fault, Kind as Call, Memory, Plan};

const ORIGIN: &str = "log.example";
const NOW_S: u64 = 1_767_139_200;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn logs(seeds: &[u8]) -> Logs {
    let log = |seed: &u8| {
        let vkey = Vkey::log(ORIGIN, key(*seed).public()).unwrap();
        format!("vkey {vkey}\nqpd 24\ncontact nobody\n")
    };
    format!("logs/v0\n{}", seeds.iter().map(log).collect::<String>()).parse().unwrap()
}

fn witness(store: &Memory) -> Witness {
    Witness::open(Box::new(store.clone()), "w.example", key(9)).unwrap()
}

fn signed(size: u64, root: Hash) -> String {
    Checkpoint::new(ORIGIN, size, root).unwrap().sign(&key(1))
}

fn note(size: usize) -> String {
    signed(u64::try_from(size).unwrap(), root(&leaves(size)))
}

fn from(old: usize, size: usize) -> String {
    let proof = if old == 0 { vec![] } else { consistency(old, &leaves(size)) };
    Request::write(u64::try_from(old).unwrap(), &proof, &note(size))
}

fn ask(witness: &Witness, body: &str) -> Result<Cosigned, Refused> {
    witness.add_checkpoint(&logs(&[1]), body.as_bytes(), NOW_S)
}

fn status(answer: &Result<Cosigned, Refused>) -> u16 {
    match answer {
        Ok(_) => 200,
        Err(Refused::Because { why, .. }) => why.status(),
        Err(Refused::Failed(_)) => 500,
    }
}

fn answers(witness: &Witness, cases: &[(&str, String, u16)]) {
    for (what, body, want) in cases {
        let answer = ask(witness, body);
        assert_eq!(status(&answer), *want, "{what}: {answer:?}");
    }
}

fn signed_by_nobody() -> String {
    let text = Checkpoint::new(ORIGIN, 3, root(&leaves(3))).unwrap();
    text.sign(&key(2))
}

#[test]
fn a_checkpoint_is_cosigned_and_kept_before_the_answer() {
    let store = Memory::new();
    let witness = witness(&store);
    for (old, size) in [(0, 3), (3, 7), (7, 7), (7, 70)] {
        let cosigned = ask(&witness, &from(old, size)).unwrap();
        let kept = store.get(&object(ORIGIN), CHECKPOINT_MAX).unwrap().unwrap();
        assert_eq!(String::from_utf8(kept).unwrap(), note(size) + &cosigned.line);
        let answered = Note::parse((note(size) + &cosigned.line).as_bytes()).unwrap();
        let time = answered
            .open(&[witness.vkey()], |vkey, bytes| cosignature::verify(vkey.key(), answered.text(), bytes));
        assert_eq!(time.unwrap().verified[0].1, NOW_S);
    }
}

#[test]
fn the_monitoring_path_is_the_hash_of_the_origin() {
    let hex = "46613be2987d5d316f5ad065e4aa2eee26ccdd3de17a3735cd0da18156a22bdd";
    assert_eq!(object("go.sum database tree"), format!("public/{hex}/checkpoint"));
}

#[test]
fn every_failure_has_the_status_that_the_text_gives_it() {
    let (store, fresh) = (Memory::new(), Memory::new());
    let (known, new) = (witness(&store), witness(&fresh));
    ask(&known, &from(0, 3)).unwrap();
    let proof = |n: usize| vec![Hash([7; 32]); n];
    let good = consistency(3, &leaves(7));
    let spoilt = note(3).replace("\n\n", "\nextension\n\n");
    answers(
        &known,
        &[
            ("not a body", "size 3\n".into(), 400),
            ("a leading zero", from(3, 7).replace("old 3", "old 03"), 400),
            ("a proof of 64 hashes", Request::write(3, &proof(64), &note(7)), 400),
            ("no note", "old 3\n\nnote\n".into(), 400),
            ("another log", Request::write(3, &good, &note(7).replace(ORIGIN, "other.example")), 404),
            (
                "a malformed checkpoint of another log",
                Request::write(3, &[], &spoilt.replace(ORIGIN, "o")),
                404,
            ),
            ("another key", Request::write(0, &[], &signed_by_nobody()), 403),
            ("a changed text", Request::write(3, &good, &note(7).replace("\n7\n", "\n8\n")), 403),
            ("a changed text with another line", Request::write(3, &good, &spoilt), 403),
            ("old size above size", Request::write(8, &[], &note(7)), 400),
            ("old size above size 0", Request::write(3, &[], &note(0)), 400),
            ("another old size", Request::write(2, &consistency(2, &leaves(7)), &note(7)), 409),
            ("old size 0", from(0, 7), 409),
            ("old size 0 with a proof", Request::write(0, &good, &note(7)), 409),
            ("no proof", Request::write(3, &[], &note(7)), 422),
            ("a proof one too long", Request::write(3, &[&good[..], &proof(1)].concat(), &note(7)), 422),
            ("another proof", Request::write(3, &proof(good.len()), &note(7)), 422),
            ("another root of this size", Request::write(3, &[], &signed(3, Hash([7; 32]))), 422),
            ("a proof to the same size", Request::write(3, &proof(1), &note(3)), 422),
            ("the same again", from(3, 3), 200),
            ("a larger one", from(3, 7), 200),
        ],
    );
    answers(
        &new,
        &[
            ("a size before the first", Request::write(3, &good, &note(7)), 409),
            ("a proof from nothing", Request::write(0, &good, &note(7)), 422),
            ("the empty tree with a proof", Request::write(0, &proof(1), &note(0)), 422),
            ("the empty tree", from(0, 0), 200),
            ("the empty tree again", from(0, 0), 200),
            ("from the empty tree with a proof", Request::write(0, &proof(1), &note(1)), 422),
            ("from the empty tree", from(0, 1), 200),
        ],
    );
}

#[test]
fn an_empty_tree_with_another_root_is_refused() {
    let text = format!("{ORIGIN}\n0\n{}\n", crate::text::base64(&[7; 32]));
    let vkey = Vkey::log(ORIGIN, key(1).public()).unwrap();
    let line = crate::note::signature_line(&vkey, &key(1).sign(text.as_bytes()));
    let body = |old: u64| Request::write(old, &[], &format!("{text}\n{line}"));
    let witness = witness(&Memory::new());
    answers(&witness, &[("old 0", body(0), 422), ("old 1", body(1), 400)]);
    let text = text.replace("\n0\n", "\n00\n");
    let line = crate::note::signature_line(&vkey, &key(1).sign(text.as_bytes()));
    let body = Request::write(0, &[], &format!("{text}\n{line}"));
    answers(&witness, &[("a size with a leading zero", body, 400)]);
}

#[test]
fn a_conflict_says_the_size() {
    let witness = witness(&Memory::new());
    ask(&witness, &from(0, 3)).unwrap();
    for body in [from(0, 7), from(2, 7)] {
        let Err(Refused::Because { why, about, .. }) = ask(&witness, &body) else { panic!("cosigned") };
        assert_eq!((*why, about), (Refusal::Moved(3), Some((ORIGIN.to_owned(), 7))));
    }
}

#[test]
fn lines_of_strangers_are_not_kept() {
    let store = Memory::new();
    let stranger = signed_by_nobody().replace(ORIGIN, "stranger");
    let forged = cosign("w.example", &key(3), 1, "whatever\n").unwrap();
    let body = format!("{}{}\n{forged}", from(0, 3), stranger.lines().last().unwrap());
    let cosigned = ask(&witness(&store), &body).unwrap();
    let kept = store.get(&object(ORIGIN), CHECKPOINT_MAX).unwrap().unwrap();
    assert_eq!(String::from_utf8(kept).unwrap(), note(3) + &cosigned.line);
}

#[test]
fn either_of_two_keys_may_sign_and_both_must_be_good() {
    let checkpoint = Checkpoint::new(ORIGIN, 3, root(&leaves(3))).unwrap();
    let (one, two) = (checkpoint.sign(&key(1)), checkpoint.sign(&key(2)));
    let line = |note: &str| format!("{}\n", note.lines().last().unwrap());
    let witness = witness(&Memory::new());
    let status = |note: &str, logs: &Logs| {
        let old = witness.last(logs, ORIGIN).unwrap().map_or(0, |(size, _)| size);
        status(&witness.add_checkpoint(logs, Request::write(old, &[], note).as_bytes(), NOW_S))
    };
    let both = logs(&[1, 2]);
    assert_eq!(status(&two, &both), 200);
    assert_eq!(status(&(one.clone() + &line(&two)), &both), 200);
    let bad = line(&Checkpoint::new(ORIGIN, 4, root(&leaves(4))).unwrap().sign(&key(2)));
    assert_eq!(status(&(one.clone() + &bad), &both), 403);
    // Of an unknown key nothing is asked.
    assert_eq!(status(&(one + &bad), &logs(&[1])), 200);
}

#[test]
fn of_two_requests_at_once_one_wins_and_no_leaf_is_lost() {
    let store = Memory::new();
    let witness = witness(&store);
    ask(&witness, &from(0, 3)).unwrap();
    for size in [9, 20, 41] {
        let old = usize::try_from(witness.last(&logs(&[1]), ORIGIN).unwrap().unwrap().0).unwrap();
        let answers: Vec<_> = std::thread::scope(|scope| {
            let ask = |size| status(&ask(&witness, &from(old, size)));
            let threads: Vec<_> = [size, size + 3].map(|size| scope.spawn(move || ask(size))).into();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(answers.contains(&200) && answers.contains(&409), "{answers:?}");
        let last = witness.last(&logs(&[1]), ORIGIN).unwrap().unwrap().0;
        let winner = if answers[0] == 200 { size } else { size + 3 };
        assert_eq!(last, u64::try_from(winner).unwrap());
    }
}

#[test]
fn two_roots_of_one_size_are_kept_as_evidence() {
    let store = Memory::new();
    let witness = witness(&store);
    ask(&witness, &from(0, 3)).unwrap();
    let other = signed(3, Hash([7; 32]));
    // Whatever the request's old size, and so its status.
    for (old, want) in [(3, 422), (0, 409)] {
        let Err(Refused::Because { why, kept, .. }) = ask(&witness, &Request::write(old, &[], &other)) else {
            panic!("cosigned")
        };
        assert_eq!(why.status(), want);
        let Kept::Fork(names) = kept else { panic!("{kept:?}") };
        let read = |name: &str| String::from_utf8(store.get(name, 1 << 16).unwrap().unwrap()).unwrap();
        assert!(read(&names[0]).starts_with(&note(3)));
        assert_eq!(read(&names[1]), other);
    }
    assert_eq!(store.list("private/evidence").unwrap().len(), 2);
}

#[test]
fn a_checkpoint_without_a_good_proof_is_kept_apart() {
    let store = Memory::new();
    let witness = witness(&store);
    ask(&witness, &from(0, 3)).unwrap();
    for _ in 0..2 {
        let Err(Refused::Because { kept, .. }) = ask(&witness, &Request::write(3, &[], &note(7))) else {
            panic!("cosigned")
        };
        assert!(matches!(kept, Kept::Unproven(name) if name.contains("/unproven/7-")));
    }
    let Err(Refused::Because { kept, .. }) = ask(&witness, &from(0, 9)) else { panic!("cosigned") };
    assert!(matches!(kept, Kept::Nothing));
    assert_eq!(store.list("private/evidence").unwrap().len(), 1);
}

#[test]
fn the_checkpoint_past_the_limit_is_not_kept() {
    let store = Memory::new();
    let witness = witness(&store);
    ask(&witness, &from(0, 3)).unwrap();
    let folder = format!("private/evidence/{}/unproven", folder(ORIGIN));
    let full: Vec<_> = (0..EVIDENCE_MAX - 1).map(|n| (format!("{folder}/{n}"), vec![])).collect();
    store.put_all(&full).unwrap();
    let kept = |body: &str| match ask(&witness, body) {
        Err(Refused::Because { kept, .. }) => kept,
        other => panic!("{other:?}"),
    };
    assert!(matches!(kept(&Request::write(3, &[], &note(7))), Kept::Unproven(_)));
    assert!(matches!(kept(&Request::write(3, &[], &note(8))), Kept::Full));
    assert!(matches!(kept(&Request::write(3, &[], &note(7))), Kept::Unproven(_)));
    // There is room for what proves something.
    assert!(matches!(kept(&Request::write(3, &[], &signed(3, EMPTY_ROOT))), Kept::Fork(_)));
}

#[test]
fn a_flipped_bit_in_the_state_ends_in_an_error() {
    let store = Memory::new();
    ask(&witness(&store), &from(0, 3)).unwrap();
    let kept = store.get(&object(ORIGIN), CHECKPOINT_MAX).unwrap().unwrap();
    for at in 0..kept.len() {
        let mut changed = kept.clone();
        changed[at] ^= 1;
        let there = Memory::new();
        assert_eq!(there.swap(&object(ORIGIN), None, &changed).unwrap(), Swap::Done);
        let answer = ask(&witness(&there), &from(3, 7));
        // Where one of the two lines became a stranger's, the other one still vouches for the text.
        if let Err(Refused::Failed(WitnessError::Damaged { .. })) = answer {
            continue;
        }
        let start = note(3).find('—').unwrap();
        assert!(at >= start && answer.is_ok(), "byte {at}: {answer:?}");
    }
}

#[test]
fn a_changed_key_of_log_or_witness_leaves_the_state_readable() {
    let store = Memory::new();
    ask(&witness(&store), &from(0, 3)).unwrap();
    assert!(witness(&store).last(&logs(&[2]), ORIGIN).is_ok());
    let renamed = Witness::open(Box::new(store.clone()), "new.example", key(8)).unwrap();
    assert!(ask(&renamed, &from(3, 7)).is_ok());
    let stranger = Witness::open(Box::new(store), "other.example", key(7)).unwrap();
    let last = stranger.last(&logs(&[2]), ORIGIN);
    assert!(matches!(last, Err(WitnessError::Damaged { .. })));
}

#[test]
fn a_clock_that_stands_at_0_cosigns_nothing() {
    let store = Memory::new();
    let answer = witness(&store).add_checkpoint(&logs(&[1]), from(0, 3).as_bytes(), 0);
    assert!(matches!(answer, Err(Refused::Failed(WitnessError::Cosignature(_)))));
    assert_eq!(store.list("public").unwrap(), Vec::<String>::new());
}

#[test]
fn no_failure_of_the_disk_takes_back_a_cosignature() {
    let faults =
        [Fault::Fails, Fault::FailsButPersisted, Fault::Partly(0), Fault::Partly(1), Fault::Volatile];
    for fault in faults {
        let mut store = Memory::new();
        ask(&witness(&store), &from(0, 3)).unwrap();
        store.plan(Plan { among: Among::Only(Call::Swap), nth: 0, fault, dies: true });
        assert_eq!(status(&ask(&witness(&store), &from(3, 7))), 500, "{fault:?}");
        store = store.power_cut();
        let last = witness(&store).last(&logs(&[1]), ORIGIN).unwrap().unwrap().0;
        assert!(last == 3 || last == 7, "{fault:?}: {last}");
        let old = usize::try_from(last).unwrap();
        ask(&witness(&store), &from(old, 9)).unwrap();
        let last = witness(&store.power_cut()).last(&logs(&[1]), ORIGIN).unwrap().unwrap().0;
        assert_eq!(last, 9, "{fault:?}");
    }
}
