//! Cloudflare's crates `signed_note` and `tlog_tiles` beside ours: each reads what the other wrote, and both refuse the
//! same damage. Where one is stricter than the other, a test says so.

#![allow(clippy::unwrap_used)]

mod checkpoints;
mod notes;
mod trees;

use base64ct::{Base64, Encoding};
use servanda::key::SigningKey;
use servanda::key::vkey::Vkey;
use signed_note::{StandardSigner, StandardVerifier, VerifierList};

/// Their signer with the key of a seed, by way of the text that they read it from.
fn signer(name: &str, seed: &[u8; 32]) -> StandardSigner {
    let id = Vkey::log(name, SigningKey::from_seed(seed).public()).unwrap().key_id();
    let secret = Base64::encode_string(&[&[1], &seed[..]].concat());
    StandardSigner::new(&format!("PRIVATE+KEY+{name}+{}+{secret}", hex::encode(id))).unwrap()
}

/// Our vkey of a seed.
fn vkey(name: &str, seed: &[u8; 32]) -> Vkey {
    Vkey::log(name, SigningKey::from_seed(seed).public()).unwrap()
}

/// Their list of known keys, read from the text of ours.
fn known(vkeys: &[&Vkey]) -> VerifierList {
    let verifier = |vkey: &&Vkey| StandardVerifier::new(&vkey.to_string()).unwrap();
    VerifierList::new(vkeys.iter().map(|vkey| Box::new(verifier(vkey)) as _).collect())
}

/// A text with one of its bytes replaced, as bytes.
fn with_byte(text: &str, at: usize, to: u8) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = to;
    bytes
}
