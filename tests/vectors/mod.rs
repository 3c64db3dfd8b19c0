//! Other people's known answers.
//!
//! They lie in the shared folder, with their source, commit and licence (`PROVENANCE.json` there); none is copied here.
//! Where our rules are stricter than theirs, the test says so case by case.

// A vector that cannot be read is a failure like any other.
#![allow(clippy::unwrap_used)]

mod ed25519;
mod golden;
mod merkle;
mod note;
mod policy;
mod tiles;
mod tlog_proof;

use crate::support::shared;
use serde_json::Value;
use servanda::hash::Hash;
use servanda::text::hash_from_base64;

/// A file of vectors as text, or none where the shared folder is not here.
fn text(path: &str) -> Option<String> {
    let path = shared(&format!("vectors/{path}"))?;
    Some(std::fs::read_to_string(path).expect("the file can be read"))
}

/// The array in a JSON file of vectors, or none where the shared folder is not here.
fn cases(path: &str) -> Option<Vec<Value>> {
    Some(serde_json::from_str(&text(path)?).expect("an array in JSON"))
}

fn string<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} is a text in {case}"))
}

fn number(case: &Value, field: &str) -> u64 {
    case[field].as_u64().unwrap_or_else(|| panic!("{field} is a number in {case}"))
}

fn hexadecimal(case: &Value, field: &str) -> Vec<u8> {
    hex::decode(string(case, field)).expect("hexadecimal")
}

/// A digest, or none if it has not 32 bytes.
fn hash(value: &Value) -> Option<Hash> {
    hash_from_base64(value.as_str()?)
}

/// Digests, or none if one has not 32 bytes; `null` is no digests.
fn hashes(value: &Value) -> Option<Vec<Hash>> {
    value.as_array().map_or(Some(Vec::new()), |list| list.iter().map(hash).collect())
}
