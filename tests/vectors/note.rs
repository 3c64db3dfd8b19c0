//! Signed notes and checkpoints: golang/mod `sumdb/note`, transparency-dev/formats `log`, sigsum/sigsum-go
//! `pkg/checkpoint`.

use super::{cases, hexadecimal, number, string, text};
use serde_json::Value;
use servanda::checkpoint::{BodyError, CheckpointError, SignedCheckpoint, open};
use servanda::cosignature::{self, cosign};
use servanda::hash::Hash;
use servanda::key::SigningKey;
use servanda::key::vkey::Vkey;
use servanda::note::{Note, OpenError, signature_line};
use servanda::policy::Policy;
use servanda::text::{base64, from_base64, hash_from_base64};

fn golang() -> Option<Value> {
    Some(serde_json::from_str(&text("note/golang_note_open.json")?).unwrap())
}

fn list<'a>(value: &'a Value, field: &str) -> Vec<&'a str> {
    value[field].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn notes_open_as_in_go() {
    let Some(file) = golang() else { return };
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let keys: Vec<Vkey> = list(case, "verifiers").iter().map(|vkey| vkey.parse().unwrap()).collect();
        let keys: Vec<&Vkey> = keys.iter().collect();
        let note = Note::parse(&from_base64(string(case, "note_base64")).unwrap());
        let opened = note.as_ref().map(|note| {
            note.open(&keys, |vkey, bytes| vkey.key().holds(note.text().as_bytes(), bytes).then_some(()))
        });
        let got = match &opened {
            Err(_) => "malformed note",
            Ok(Err(OpenError::NoKnownSignature)) => "no verifiable signatures",
            Ok(Err(OpenError::AmbiguousKey { .. })) => "ambiguous key",
            Ok(Err(OpenError::BadSignature { .. })) => "invalid signature",
            Ok(Ok(_)) => "ok",
        };
        assert_eq!(got, string(case, "want"), "{}", case["name"]);
        if let Ok(Ok(opened)) = opened {
            let counts = (opened.verified.len(), opened.unchecked.len());
            let want = (case["verified"].as_u64().unwrap(), case["unverified"].as_u64().unwrap());
            assert_eq!(
                (u64::try_from(counts.0), u64::try_from(counts.1)),
                (Ok(want.0), Ok(want.1)),
                "{}",
                case["name"]
            );
        }
    }
}

#[test]
fn every_part_and_every_change_of_a_vkey_is_refused_as_in_go() {
    let Some(file) = golang() else { return };
    for bad in list(&file, "bad_vkeys") {
        assert!(bad.parse::<Vkey>().is_err(), "{bad}");
    }
    for good in list(&file, "good_vkeys") {
        assert_eq!(good.parse::<Vkey>().unwrap().to_string(), good);
        for (from, to) in (0..good.len()).flat_map(|from| (from..good.len()).map(move |to| (from, to))) {
            assert!(good[from..to].parse::<Vkey>().is_err(), "{}", &good[from..to]);
        }
        for at in 0..good.len() {
            let mut changed = good.as_bytes().to_vec();
            changed[at] += 1;
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed.parse::<Vkey>().is_err(), "{changed}");
        }
    }
}

#[test]
fn a_note_is_signed_as_in_go() {
    let Some(file) = golang() else { return };
    // PRIVATE+KEY+name+id+base64 of 0x01 and the seed: Go's form of a private key, of no other use here.
    let parts: Vec<&str> = string(&file, "skey").splitn(5, '+').collect();
    let seed = from_base64(parts[4]).unwrap()[1..].try_into().unwrap();
    let key = SigningKey::from_seed(&seed);
    let vkey = Vkey::log(parts[2], key.public()).unwrap();
    assert_eq!(hex::encode(vkey.key_id()), parts[3]);
    let text = string(&file, "sign_text");
    let note = format!("{text}\n{}", signature_line(&vkey, &key.sign(text.as_bytes())));
    assert_eq!(note, string(&file, "sign_want"));
}

/// `formats` lets roots of any length and extension lines pass; here a root has 32 bytes, and there are no extension
/// lines. So its five good bodies are refused too, for that reason alone: with a root of 32 bytes, two of them pass.
#[test]
fn checkpoint_bodies_are_judged_more_strictly_than_by_formats() {
    let Some(cases) = cases("note/formats_checkpoint_bodies.json") else { return };
    assert_eq!(cases.len(), 12);
    let parse = |body: &str| SignedCheckpoint::parse(format!("{body}\n— log AAAAAAA=\n").as_bytes());
    let mut passed = 0;
    for case in &cases {
        let body = string(case, "body");
        let refused = parse(body).unwrap_err();
        assert!(matches!(refused, CheckpointError::Body(_) | CheckpointError::Note(_)), "{case}: {refused}");
        if case["want_error"] == false {
            let mut lines: Vec<&str> = body.split('\n').collect();
            let root = base64(&[7; 32]);
            lines[2] = &root;
            match parse(&lines.join("\n")) {
                Ok(_) => passed += 1,
                Err(CheckpointError::Body(BodyError::Lines(count))) => assert!(count > 3, "{case}"),
                Err(other) => panic!("{case}: {other}"),
            }
        }
    }
    assert_eq!(passed, 2);
}

#[test]
fn a_sigsum_log_and_its_witness_are_understood() {
    let Some(text) = text("note/sigsum_go_checkpoint.json") else { return };
    let file: Value = serde_json::from_str(&text).unwrap();
    let key = SigningKey::from_seed(&hexadecimal(&file, "seed_hex").try_into().unwrap());

    let note = string(&file, "valid_checkpoint");
    let origin = note.lines().next().unwrap();
    let policy = Policy::of(&[Vkey::log(origin, key.public()).unwrap()], &[], None).unwrap();
    let verified = open(note.as_bytes(), &policy).unwrap();
    assert_eq!((verified.size(), verified.checkpoint().sign(&key)), (10, note.to_owned()));

    let input = &file["cosign_input"];
    let root: Hash = hash_from_base64(string(input, "root_b64")).unwrap();
    let body =
        servanda::checkpoint::Checkpoint::new(string(input, "origin"), number(input, "size"), root).unwrap();
    let (body, name) = (body.to_string(), string(&file, "cosignature_key_name"));
    let time_s = number(&file, "cosignature_timestamp");
    let lines = string(&file, "cosignature_lines");
    let good = lines.lines().nth(1).unwrap();
    assert_eq!(cosign(name, &key, time_s, &body).unwrap().trim_end(), good);
    // Of the four lines only the second has the right name, key id and length.
    let witness = Vkey::witness(name, key.public()).unwrap();
    let note = Note::parse(format!("{body}\n{lines}").as_bytes()).unwrap();
    let known: Vec<_> = note
        .signatures()
        .iter()
        .filter(|line| line.name == name && line.key_id == witness.key_id())
        .map(|line| cosignature::verify(witness.key(), &body, &line.bytes))
        .collect();
    assert_eq!(known, [Some(time_s), None]);
    let refused = note.open(&[&witness], |vkey, bytes| cosignature::verify(vkey.key(), &body, bytes));
    assert!(matches!(refused, Err(OpenError::BadSignature { .. })));
}
