//! Signed notes and vkeys: ours and those of `signed_note`.

use super::{known, signer, vkey, with_byte};
use proptest::prelude::*;
use servanda::key::SigningKey;
use servanda::key::vkey::Vkey;
use servanda::note::{Note, signature_line};
use signed_note::{
    Note as TheirNote, Signer as _, StandardSigner, StandardVerifier, Verifier as _, VerifierList,
};

const NAME: &str = "log.example/one";

fn ours(text: &str, name: &str, seed: &[u8; 32]) -> String {
    let signature = SigningKey::from_seed(seed).sign(text.as_bytes());
    format!("{text}\n{}", signature_line(&vkey(name, seed), &signature))
}

fn theirs(text: &str, signers: &[&StandardSigner]) -> String {
    let mut note = TheirNote::new(text.as_bytes(), &[]).unwrap();
    let signers: Vec<_> = signers.iter().map(|signer| *signer as _).collect();
    note.add_sigs(&signers).unwrap();
    String::from_utf8(note.to_bytes()).unwrap()
}

/// What was signed, who signed it, and how many lines were left unchecked; none where it does not open.
type Verdict = Option<(Vec<u8>, Vec<String>, usize)>;

fn we_open(note: &[u8], keys: &[&Vkey]) -> Verdict {
    let note = Note::parse(note).ok()?;
    let text = note.text().as_bytes();
    let opened = note.open(keys, |vkey, bytes| vkey.key().holds(text, bytes).then_some(())).ok()?;
    let names = opened.verified.iter().map(|(vkey, ())| vkey.name().to_owned()).collect();
    Some((text.to_vec(), names, opened.unchecked.len()))
}

fn they_open(note: &[u8], known: &VerifierList) -> Verdict {
    let note = TheirNote::from_bytes(note).ok()?;
    let (verified, unverified) = note.verify(known).ok()?;
    let names = verified.iter().map(|signature| signature.name().to_owned()).collect();
    Some((note.text().to_vec(), names, unverified.len()))
}

#[test]
fn every_byte_of_a_note_changed_in_every_way_is_judged_alike() {
    let (text, seed) = ("two lines,\n\nand an empty one\n", [1; 32]);
    let note = ours(text, NAME, &seed);
    let (vkey, known) = (vkey(NAME, &seed), known(&[&vkey(NAME, &seed)]));
    let good = (text.as_bytes().to_vec(), vec![NAME.to_owned()], 0);
    assert_eq!(we_open(note.as_bytes(), &[&vkey]), Some(good.clone()));
    assert_eq!(they_open(note.as_bytes(), &known), Some(good));
    for (at, to) in (0..note.len()).flat_map(|at| (0..=255).map(move |to| (at, to))) {
        let changed = with_byte(&note, at, to);
        if changed == note.as_bytes() {
            continue;
        }
        assert_eq!(we_open(&changed, &[&vkey]), None, "byte {at} to {to}");
        // Each byte can become one of many that fail in the same way; theirs are asked about a part of them.
        if to.is_multiple_of(5) || to.is_ascii_whitespace() {
            assert_eq!(they_open(&changed, &known), None, "byte {at} to {to}");
        }
    }
    for cut in 0..note.len() {
        assert_eq!(we_open(&note.as_bytes()[..cut], &[&vkey]), None, "cut at {cut}");
        assert_eq!(they_open(&note.as_bytes()[..cut], &known), None, "cut at {cut}");
    }
}

#[test]
fn a_note_that_both_of_us_signed_opens_for_both() {
    let (ours_key, theirs_key) = (vkey("ours.example", &[1; 32]), vkey("theirs.example", &[2; 32]));
    let both = |text: &str| {
        let line = theirs(text, &[&signer("theirs.example", &[2; 32])]);
        ours(text, "ours.example", &[1; 32]) + line.rsplit_once("\n\n").unwrap().1
    };
    let note = both("t\n");
    for keys in [&[&ours_key, &theirs_key][..], &[&ours_key], &[&theirs_key], &[]] {
        let verdict = we_open(note.as_bytes(), keys);
        assert_eq!(
            verdict.as_ref().map(|(_, names, left)| names.len() + left),
            (!keys.is_empty()).then_some(2)
        );
        assert_eq!(verdict, they_open(note.as_bytes(), &known(keys)));
    }
    // One bad signature by a known key spoils the note, whichever it is.
    for bad in [note.replace("ours.example ", "ours.examp1e "), both("u\n").replacen("u\n", "t\n", 1)] {
        for keys in [&[&ours_key, &theirs_key][..], &[&ours_key], &[&theirs_key]] {
            assert_eq!(we_open(bad.as_bytes(), keys), they_open(bad.as_bytes(), &known(keys)), "{bad}");
        }
    }
}

#[test]
fn vkeys_are_the_same_text_and_every_damaged_one_is_refused_by_both() {
    let text = vkey(NAME, &[7; 32]).to_string();
    let read = StandardVerifier::new(&text).unwrap();
    let written = signer(NAME, &[7; 32]);
    assert_eq!((read.name(), read.key_id()), (written.name(), written.key_id()));
    assert_eq!(read.key_id().to_be_bytes(), text.parse::<Vkey>().unwrap().key_id());
    for (at, to) in (0..text.len()).flat_map(|at| (0..0x80).map(move |to| (at, to))) {
        let changed = String::from_utf8(with_byte(&text, at, to)).unwrap();
        // Both take the id's digits in either case or one: see the test on strictness.
        if changed != text && !changed.eq_ignore_ascii_case(&text) {
            assert!(changed.parse::<Vkey>().is_err(), "{changed:?}");
            assert!(StandardVerifier::new(&changed).is_err(), "{changed:?}");
        }
    }
}

#[test]
fn where_ours_is_stricter() {
    let (seed, text) = ([7; 32], "t\n");
    let good = vkey(NAME, &seed).to_string();
    let [name, id, key] = good.split('+').collect::<Vec<_>>()[..] else { panic!("{good}") };
    // A vkey has one form: digits in lower case.
    let upper = format!("{name}+{}+{key}", id.to_uppercase());
    assert!(upper != good && StandardVerifier::new(&upper).is_ok() && upper.parse::<Vkey>().is_err());
    // A key of small order, under which anyone signs: the identity.
    let mut identity = [0; 33];
    (identity[0], identity[1]) = (1, 1);
    let id = signed_note::key_id(NAME, &identity);
    let weak = format!("{NAME}+{id:08x}+{}", super::Base64::encode_string(&identity));
    assert!(StandardVerifier::new(&weak).is_ok() && weak.parse::<Vkey>().is_err());
    // A second line by a key that signed well is looked at too.
    let (a, b) = (ours(text, NAME, &seed), ours("other\n", NAME, &seed));
    let twice = a + b.rsplit_once("\n\n").unwrap().1;
    let vkey = vkey(NAME, &seed);
    assert!(they_open(twice.as_bytes(), &known(&[&vkey])).is_some());
    assert_eq!(we_open(twice.as_bytes(), &[&vkey]), None);
}

use super::Encoding as _;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_sign_the_same_bytes_and_open_each_others(
        text in "(\\PC{0,30}\n){1,4}", name in "[a-z.*/é-]{1,20}", seed: [u8; 32], other: [u8; 32],
    ) {
        let note = theirs(&text, &[&signer(&name, &seed)]);
        prop_assert_eq!(&ours(&text, &name, &seed), &note);
        let (right, wrong) = (vkey(&name, &seed), vkey(&name, &other));
        let good = Some((text.clone().into_bytes(), vec![name.clone()], 0));
        prop_assert_eq!(&we_open(note.as_bytes(), &[&right]), &good);
        prop_assert_eq!(&they_open(note.as_bytes(), &known(&[&right])), &good);
        prop_assert_eq!(we_open(note.as_bytes(), &[&wrong]), None);
        prop_assert_eq!(they_open(note.as_bytes(), &known(&[&wrong])), None);
    }

    #[test]
    fn any_text_is_a_note_for_both_or_for_neither(
        note in "([ab é\n—+\t]{0,8}\n\n)?(— ?[ab+\u{a0}]{0,3} [AB/=]{0,8}(AA==|AAA=|AAAA|AB==)?\n){0,3}\n?",
    ) {
        let (ours, theirs) = (Note::parse(note.as_bytes()), TheirNote::from_bytes(note.as_bytes()));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours.text().as_bytes(), theirs.text());
            prop_assert_eq!(theirs.to_bytes(), note.into_bytes());
        }
    }
}
