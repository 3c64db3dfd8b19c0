//! Checkpoints and cosignatures: ours and those of `tlog_tiles` and `signed_note`.

use super::{known, signer, vkey, with_byte};
use proptest::prelude::*;
use servanda::checkpoint::{self, Checkpoint, SIZE_MAX};
use servanda::cosignature;
use servanda::hash::Hash;
use servanda::key::SigningKey;
use servanda::key::vkey::{Vkey, is_vkey_name};
use servanda::policy::Policy;
use signed_note::{Note, Signature, Signer as _, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{Checkpoint as TheirCheckpoint, Hash as TheirHash};

const ORIGIN: &str = "log.example/one";
const WITNESS: &str = "witness.example/w";
const LOG_SEED: [u8; 32] = [1; 32];
const WITNESS_SEED: [u8; 32] = [2; 32];

fn signed(size: u64, root: Hash) -> String {
    Checkpoint::new(ORIGIN, size, root).unwrap().sign(&SigningKey::from_seed(&LOG_SEED))
}

fn text_of(note: &str) -> String {
    note.split_once("\n\n").unwrap().0.to_owned() + "\n"
}

/// Origin, size and root, where a text without signatures is a checkpoint's.
type Body = Option<(String, u64, [u8; 32])>;

fn they_read(text: &[u8]) -> Body {
    let read = TheirCheckpoint::from_bytes(text).ok()?;
    Some((read.origin().to_owned(), read.size(), read.hash().0))
}

/// Ours are read with their signature alone, so the text is signed first.
fn we_read(text: &str, seed: &[u8; 32]) -> Body {
    let mut note = Note::new(text.as_bytes(), &[]).ok()?;
    let origin = text.split('\n').next().filter(|name| is_vkey_name(name))?;
    note.add_sigs(&[&signer(origin, seed)]).ok()?;
    let policy = Policy::of(&[vkey(origin, seed)], &[], None).unwrap();
    let opened = checkpoint::open(&note.to_bytes(), &policy).ok()?;
    Some((opened.origin().to_owned(), opened.size(), opened.root().0))
}

fn witness() -> Vkey {
    Vkey::witness(WITNESS, SigningKey::from_seed(&WITNESS_SEED).public()).unwrap()
}

fn cosigned_policy() -> Policy {
    Policy::of(&[vkey(ORIGIN, &LOG_SEED)], &[witness()], Some(1)).unwrap()
}

/// A witness's key as their notes know keys: their Ed25519, and the bytes that c2sp.org/tlog-cosignature says are signed.
struct Cosigner(StandardVerifier);

impl Verifier for Cosigner {
    fn name(&self) -> &str {
        WITNESS
    }

    fn key_id(&self) -> u32 {
        let key = SigningKey::from_seed(&WITNESS_SEED).public().to_bytes();
        signed_note::key_id(WITNESS, &[&[4], &key[..]].concat())
    }

    fn verify(&self, text: &[u8], cosignature: &[u8]) -> bool {
        let Some((time, signature)) = cosignature.split_first_chunk() else { return false };
        let head = format!("cosignature/v1\ntime {}\n", u64::from_be_bytes(*time));
        self.0.verify(&[head.as_bytes(), text].concat(), signature)
    }
}

fn log_and_cosigner() -> VerifierList {
    let verifier = |vkey: Vkey| StandardVerifier::new(&vkey.to_string()).unwrap();
    let cosigner = Cosigner(verifier(vkey(WITNESS, &WITNESS_SEED)));
    VerifierList::new(vec![Box::new(verifier(vkey(ORIGIN, &LOG_SEED))), Box::new(cosigner)])
}

#[test]
fn our_cosignature_is_unknown_to_their_log_key_and_verified_by_their_ed25519() {
    let plain = signed(257, Hash([9; 32]));
    let witness_key = SigningKey::from_seed(&WITNESS_SEED);
    let line = cosignature::cosign(WITNESS, &witness_key, 1_767_139_200, &text_of(&plain)).unwrap();
    let note = Note::from_bytes((plain.clone() + &line).as_bytes()).unwrap();
    let (verified, unverified) = note.verify(&known(&[&vkey(ORIGIN, &LOG_SEED)])).unwrap();
    assert_eq!((verified.len(), unverified.len(), unverified[0].name()), (1, 1, WITNESS));
    let (verified, unverified) = note.verify(&log_and_cosigner()).unwrap();
    assert_eq!((verified.len(), unverified.len()), (2, 0));
    // Another time, or another text, and their Ed25519 says no.
    let mut late = verified[1].signature().to_vec();
    late[7] ^= 1;
    assert!(
        !Cosigner(StandardVerifier::new(&vkey(WITNESS, &WITNESS_SEED).to_string()).unwrap())
            .verify(note.text(), &late)
    );
    let moved = signed(258, Hash([9; 32])) + &line;
    assert!(Note::from_bytes(moved.as_bytes()).unwrap().verify(&log_and_cosigner()).is_err());
}

#[test]
fn a_cosignature_that_they_made_counts_for_our_quorum_until_a_byte_changes() {
    let plain = signed(257, Hash([9; 32]));
    let time_s: u64 = 1_767_139_200;
    let message = format!("cosignature/v1\ntime {time_s}\n{}", text_of(&plain));
    let bytes = signer(WITNESS, &WITNESS_SEED).sign(message.as_bytes()).unwrap();
    let id = u32::from_be_bytes(witness().key_id());
    let note = |bytes: &[u8]| {
        let line = Signature::new(WITNESS.to_owned(), id, bytes.to_vec()).unwrap().to_bytes();
        [plain.as_bytes(), &line].concat()
    };
    let good = [&time_s.to_be_bytes(), &bytes[..]].concat();
    let opened = checkpoint::open(&note(&good), &cosigned_policy()).unwrap();
    assert_eq!(opened.cosigners().len(), 1);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert!(checkpoint::open(&note(&bad), &cosigned_policy()).is_err(), "byte {at}");
    }
    assert!(checkpoint::open(plain.as_bytes(), &cosigned_policy()).is_err(), "without it there is no quorum");
}

#[test]
fn every_byte_of_a_checkpoints_text_changed_is_read_alike() {
    let text = text_of(&signed(65_536, Hash([0xab; 32])));
    assert!(they_read(text.as_bytes()).is_some());
    let mut read = 0;
    for (at, to) in (0..text.len()).flat_map(|at| (0..0x80).map(move |to| (at, to))) {
        let changed = String::from_utf8(with_byte(&text, at, to)).unwrap();
        let (ours, theirs) = (we_read(&changed, &LOG_SEED), they_read(changed.as_bytes()));
        // Theirs knows of no signature, so an origin may be no name of a key; nor has ours extension lines.
        let name = changed.split('\n').next().is_some_and(is_vkey_name);
        if name && changed.lines().count() == 3 {
            assert_eq!(ours, theirs, "byte {at} to {to}: {changed:?}");
            read += usize::from(ours.is_some());
        } else {
            assert_eq!(ours, None, "byte {at} to {to}: {changed:?}");
        }
    }
    assert!(read > 1000, "other origins, sizes and roots are other checkpoints: {read}");
}

#[test]
fn where_ours_is_stricter() {
    let extended = text_of(&signed(1, Hash([1; 32]))) + "an extension line\n";
    assert!(they_read(extended.as_bytes()).is_some() && we_read(&extended, &LOG_SEED).is_none());
    // A tree without leaves has one root.
    let empty = format!("{ORIGIN}\n0\n{}\n", TheirHash([1; 32]));
    assert!(they_read(empty.as_bytes()).is_some() && we_read(&empty, &LOG_SEED).is_none());
    // Go's logs count in int64; theirs in u64.
    let at = |size: u64| format!("{ORIGIN}\n{size}\n{}\n", TheirHash([1; 32]));
    assert_eq!(we_read(&at(SIZE_MAX), &LOG_SEED), they_read(at(SIZE_MAX).as_bytes()));
    let beyond = at(SIZE_MAX + 1);
    assert!(they_read(beyond.as_bytes()).is_some() && we_read(&beyond, &LOG_SEED).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_checkpoint_is_the_same_bytes_whoever_writes_it(
        origin in "[a-z.*/é-]{1,20}", size in 1..=SIZE_MAX, root: [u8; 32], seed: [u8; 32],
    ) {
        let ours = Checkpoint::new(&origin, size, Hash(root)).unwrap();
        let theirs = TheirCheckpoint::new(&origin, size, TheirHash(root), "").unwrap();
        prop_assert_eq!(ours.to_string().into_bytes(), theirs.to_bytes());
        let body = Some((origin.clone(), size, root));
        prop_assert_eq!(&they_read(ours.to_string().as_bytes()), &body);
        prop_assert_eq!(&we_read(&String::from_utf8(theirs.to_bytes()).unwrap(), &seed), &body);
        let note = Note::from_bytes(ours.sign(&SigningKey::from_seed(&seed)).as_bytes()).unwrap();
        prop_assert!(note.verify(&known(&[&vkey(&origin, &seed)])).is_ok());
    }

    #[test]
    fn any_three_lines_are_a_checkpoint_for_both_or_for_neither(
        size in "(0|1|01|-1|\\+1| 1|1 |[0-9]{1,22}|é)", root in "([A-D]{43}=|[A-D]{42}A=|[A-D]{42}==|[A-D]{44}|[A-D]{43})", end in "(\n|)",
    ) {
        let text = format!("{ORIGIN}\n{size}\n{root}{end}");
        let (ours, theirs) = (we_read(&text, &LOG_SEED), they_read(text.as_bytes()));
        if size.parse::<u64>().is_ok_and(|size| size == 0 || size > SIZE_MAX) {
            prop_assert_eq!(ours, None);
        } else {
            prop_assert_eq!(ours, theirs, "{:?}", text);
        }
    }
}
