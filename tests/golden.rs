//! Test vectors: a fixed log, byte for byte, and what is held against entries with one defect each.
//!
//! `docs/vectors.json` is made here from fixed keys and compared whole; `SERVANDA_BLESS=1 cargo test golden` writes it
//! again. The bytes are described in `docs/spec.md`. Other chapters build logs of their own with `support::small_log`.

#![allow(clippy::unwrap_used)]

mod bodies;
mod primitives;
mod story;
mod wrong;

use crate::support::small_log::*;
use serde_json::{Map, Value, json};
use servanda::chain::Finding;
use servanda::codec::encode;
use servanda::field::Handle;
use servanda::hash::{EMPTY_ROOT, Hash};
use servanda::merkle::verify::verify_inclusion;
use servanda::statement::{Act, Kind};
use servanda::tlog_proof::TlogProof;
use std::collections::BTreeSet;
use std::path::Path;
use story::{Story, story};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/vectors.json");

fn findings(findings: &[Finding]) -> Value {
    let mut all: Vec<_> = findings
        .iter()
        .map(|f| (f.index, f.reason.code(), serde_json::to_value(f.reason.effect()).unwrap()))
        .collect();
    all.sort_by_key(|(index, code, _)| (*index, *code));
    all.into_iter()
        .map(|(index, code, effect)| json!({"index": index, "code": code, "effect": effect}))
        .collect()
}

fn keys() -> Value {
    let mut names = vec!["operator/0".to_owned(), "operator/checkpoint".into(), "witness/0".into()];
    names.extend(PARTNERS.iter().flat_map(|p| (0..4).map(move |n| format!("{p}/{n}"))));
    names.extend(["de/1b", "de/4", "de/4b", "fr/2b"].map(str::to_owned));
    let one = |name: String| {
        let public = hex::encode(key(&name).public().to_bytes());
        json!({"seed": hex::encode(seed(&name)), "public": public, "name": name})
    };
    names.into_iter().map(one).collect()
}

fn key_sets() -> Value {
    let one = |name: &&str| {
        let set = key_set(name);
        let encoded = hex::encode(encode(&(handle(name), &set)));
        json!({"handle": name, "set": set, "encoded": encoded, "digest": set.digest(&handle(name))})
    };
    ["operator", "de", "kiel"].iter().map(one).collect()
}

fn entries(log: &SmallLog) -> Value {
    (0..log.leaves().len())
        .map(|index| {
            let e = log.entry(index);
            let act = e.statement.act().unwrap();
            json!({
                "index": index,
                "author": e.statement.author,
                "class": e.statement.class().name(),
                "kind": e.statement.kind,
                "act": act,
                "id": e.id,
                "entry": hex::encode(&log.leaves()[index]),
                "leaf": e.leaf,
                "root": log.root_at(index + 1),
            })
        })
        .collect()
}

fn seals(story: &Story) -> Value {
    let one = |o: &story::Opening| {
        json!({
            "what": o.what, "log": o.log, "author": o.author, "salt": o.salt, "field": o.field,
            "value": hex::encode(&o.value), "seal": o.seal(),
        })
    };
    story.openings.iter().map(one).collect()
}

fn body_vectors() -> Value {
    let one = |(name, act): (String, Act)| {
        let body = hex::encode(act.encode_body());
        json!({"name": name, "kind": act.kind().number(), "act": act, "body": body})
    };
    bodies::bodies().into_iter().map(one).collect()
}

fn wrong(log: &SmallLog) -> Value {
    let one = |case: wrong::Case| {
        let entries: Vec<_> = case.entries.iter().map(hex::encode).collect();
        json!({"name": case.name, "after": case.after, "entries": entries, "findings": findings(&case.findings)})
    };
    wrong::cases(log).into_iter().map(one).collect()
}

/// The checkpoint of the whole log with its cosignature, and the proof of entry 7 under it.
fn committed(log: &SmallLog) -> (String, TlogProof) {
    let cosigned = cosign(&log.checkpoint(), at("2026-12-01T12:00Z"));
    let proof = log.proof(7, &cosigned);
    (cosigned, proof)
}

fn vectors() -> String {
    let story = story();
    let log = &story.log;
    let (cosigned, proof) = committed(log);
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| drop(all.insert(name.to_owned(), value));
    put(
        "about",
        json!(
            "Test vectors of Servanda, level 1; docs/spec.md says what they are. Byte strings are hexadecimal."
        ),
    );
    put("keys", json!({"seed": "SHA-256(\"servanda/example-key/1\\n\" || name)", "keys": keys()}));
    put("encoding", primitives::good());
    put("refused", primitives::refused());
    put("key_sets", key_sets());
    put("seals", seals(&story));
    put("bodies", body_vectors());
    put(
        "log",
        json!({
            "id": log.log_id(), "origin": ORIGIN, "vkey": log_vkey().to_string(),
            "witness": witness_vkey().to_string(), "empty_root": EMPTY_ROOT, "findings": findings(log.findings()),
            "entries": entries(log), "checkpoint": log.checkpoint(), "cosigned": cosigned, "proof": proof.to_string(),
        }),
    );
    put("wrong", wrong(log));
    let mut text = String::new();
    write_lines(&mut text, &all.into(), 0);
    text + "\n"
}

/// Writes JSON with one vector a line: objects and lists are opened two levels deep.
fn write_lines(out: &mut String, value: &Value, depth: usize) {
    let (open, items, close): (_, Vec<(String, &Value)>, _) = match value {
        Value::Object(map) if depth < 2 => {
            ('{', map.iter().map(|(k, v)| (format!("{}: ", json!(k)), v)).collect(), '}')
        }
        Value::Array(all) if depth < 3 => ('[', all.iter().map(|v| (String::new(), v)).collect(), ']'),
        _ => return out.push_str(&value.to_string()),
    };
    out.push(open);
    for (at, (key, item)) in items.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(key);
        let inner = if value.is_array() { usize::MAX } else { depth + 1 };
        write_lines(out, item, inner);
    }
    out.push('\n');
    out.push(close);
}

#[test]
fn the_vectors_are_what_they_were() {
    let want = vectors();
    if std::env::var("SERVANDA_BLESS").as_deref() == Ok("1") {
        std::fs::write(VECTORS, &want).unwrap();
    }
    let have = std::fs::read_to_string(VECTORS).unwrap_or_default();
    if let Some(at) = (0..have.lines().count().max(want.lines().count()))
        .find(|&n| have.lines().nth(n) != want.lines().nth(n))
    {
        let line =
            |text: &str| text.lines().nth(at).unwrap_or("nothing").chars().take(200).collect::<String>();
        panic!(
            "docs/vectors.json, line {}: is\n{}\nand would be\n{}\nIf the bytes were meant to change, run SERVANDA_BLESS=1 cargo test golden",
            at + 1,
            line(&have),
            line(&want)
        );
    }
    assert_eq!(have, want);
}

#[test]
fn nothing_is_held_against_the_golden_log_and_every_act_is_in_it() {
    let log = story().log;
    assert_eq!(log.findings(), []);
    assert!(log.history().unknown().is_none() && log.history().incomplete().is_none());
    let kinds: BTreeSet<_> = (0..log.leaves().len()).map(|at| log.entry(at).statement.kind).collect();
    assert_eq!(kinds, Kind::ALL.iter().map(|kind| kind.number()).collect());
}

#[test]
fn checkpoint_and_proof_of_the_golden_log_hold() {
    let log = story().log;
    let (_, proof) = committed(&log);
    let read = TlogProof::parse(proof.to_string().as_bytes()).unwrap();
    let leaf = servanda::hash::leaf_hash(read.extra.as_ref().unwrap());
    let verified = read.verify(&leaf, &log.policy(true)).unwrap();
    assert_eq!((verified.size(), verified.root()), (log.size(), log.root()));
    for size in 1..=log.leaves().len() {
        for index in 0..size {
            let (path, root) = (log.inclusion(index, size), log.root_at(size));
            let (i, n) = (index.try_into().unwrap(), size.try_into().unwrap());
            assert_eq!(verify_inclusion(i, n, &log.hashes()[index], &path, &root), Ok(()));
        }
    }
}

/// The codes in the source, read as text: the macro there keeps no list. What breaks a rule of the ledger has the rule's.
fn codes_in_source() -> BTreeSet<String> {
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/chain.rs")).unwrap();
    let reasons = source.split("reasons! {").nth(1).unwrap().split("\n}\n").next().unwrap();
    let effects = ["Unauthentic", "Void", "OperatorsFault", "Seen", "Log"];
    let mut codes = BTreeSet::new();
    for line in reasons.lines().filter(|line| !line.trim_start().starts_with("///")) {
        let mut quoted = line.split('"');
        let (Some(_), Some(code), Some(effect)) = (quoted.next(), quoted.next(), quoted.next()) else {
            continue;
        };
        assert!(effects.contains(&effect.trim()), "{line}");
        if code != "rule" {
            codes.insert(code.to_owned());
        }
    }
    codes
}

#[test]
fn every_reason_has_a_vector() {
    let log = story().log;
    let have: BTreeSet<String> =
        wrong::cases(&log).iter().flat_map(|case| codes(&case.findings)).map(str::to_owned).collect();
    assert_eq!(have, codes_in_source());
}

#[test]
fn every_reason_stands_in_the_specification() {
    let spec = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/spec.md")).unwrap();
    let (_, table) = spec.split_once("## What a bad entry does").unwrap();
    for code in codes_in_source() {
        assert!(table.contains(&format!("`{code}`")), "docs/spec.md says nothing of {code}");
    }
}

#[test]
fn what_looks_wrong_and_is_not_leaves_nothing_behind() {
    for case in wrong::cases(&story().log) {
        // A clock that goes back is the operator's fault all the same.
        let held: Vec<_> = codes(&case.findings);
        let nothing = held.iter().all(|code| *code == "time-back");
        let wanted = if case.name.starts_with("not wrong") { nothing } else { !held.is_empty() };
        assert!(wanted, "{}: {held:?}", case.name);
    }
}

#[test]
fn what_people_read_in_the_vectors_is_what_the_bytes_say() {
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(VECTORS).unwrap()).unwrap();
    for entry in vectors["log"]["entries"].as_array().unwrap() {
        let bytes = hex::decode(entry["entry"].as_str().unwrap()).unwrap();
        let e = servanda::entry::SignedEntry::decode(&bytes).unwrap();
        let act: Act = serde_json::from_value(entry["act"].clone()).unwrap();
        assert_eq!(act, e.statement.act().unwrap());
        assert_eq!(entry["author"].as_str().unwrap().parse::<Handle>().unwrap(), e.statement.author);
        assert_eq!(entry["id"].as_str().unwrap().parse::<Hash>().unwrap(), e.id);
    }
    for body in vectors["bodies"].as_array().unwrap() {
        let act: Act = serde_json::from_value(body["act"].clone()).unwrap();
        assert_eq!(hex::encode(act.encode_body()), body["body"].as_str().unwrap(), "{}", body["name"]);
    }
}
