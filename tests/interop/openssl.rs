//! OpenSSL: signatures of statements and checkpoints, verified from a public key in PEM.

use crate::support::missing;
use crate::support::small_log::{SmallLog, key, log_vkey, pledge, terms};
use base64ct::{Base64, Encoding};
use servanda::key::VerifyingKey;
use servanda::note::Note;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs OpenSSL in a folder; none where there is none of version 3 or later, the first that signs Ed25519 from files.
fn openssl(folder: &Path, args: &str) -> Option<Output> {
    let run = |args: &str| Command::new("openssl").current_dir(folder).args(args.split(' ')).output().ok();
    let version =
        run("version").map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default();
    let major = version.strip_prefix("OpenSSL ").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    if major < Some(3) {
        missing(&format!("there is no OpenSSL of version 3 or later, but {version:?}"));
        return None;
    }
    run(args)
}

fn pem(what: &str, der: &[u8]) -> String {
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", Base64::encode_string(der))
}

/// A public key as SubjectPublicKeyInfo (RFC 8410, section 4).
fn public_pem(key: &[u8]) -> String {
    let head = hex::decode("302a300506032b6570032100").unwrap();
    pem("PUBLIC KEY", &[&head, key].concat())
}

/// Whether OpenSSL says that a signature holds; none where there is no OpenSSL.
fn verifies(public: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("key.pem"), public_pem(public)).unwrap();
    fs::write(folder.path().join("message"), message).unwrap();
    fs::write(folder.path().join("signature"), signature).unwrap();
    let args = "pkeyutl -verify -pubin -inkey key.pem -rawin -in message -sigfile signature";
    let done = openssl(folder.path(), args)?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    match (done.status.success(), said.trim()) {
        (true, "Signature Verified Successfully") => Some(true),
        (false, "Signature Verification Failure") => Some(false),
        _ => panic!("{said}{}", String::from_utf8_lossy(&done.stderr)),
    }
}

fn holds_until_a_bit_changes(public: &[u8], message: &[u8], signature: &[u8]) {
    let Some(holds) = verifies(public, message, signature) else { return };
    assert!(holds);
    for at in [0, 31, 32, 62] {
        let mut bad = signature.to_vec();
        bad[at] ^= 1;
        assert_eq!(verifies(public, message, &bad), Some(false), "signature, byte {at}");
    }
    let mut bad = message.to_vec();
    *bad.last_mut().unwrap() ^= 1;
    assert_eq!(verifies(public, &bad, signature), Some(false), "message");
    let other = key("nobody/0").public().to_bytes();
    assert_eq!(verifies(&other, message, signature), Some(false), "another key");
}

#[test]
fn openssl_verifies_a_statements_signatures_and_refuses_a_flipped_bit() {
    let mut log = SmallLog::ready();
    log.say("de", pledge(&["ua"], terms("18 air defence systems")));
    let signed = log.entry(6);
    assert_eq!(signed.entry.signatures.len(), 2);
    let message = [b"servanda/sig/1\n", &signed.id.0[..]].concat();
    assert_eq!(message.len(), 47);
    for signature in &signed.entry.signatures {
        let public = key(&format!("de/{}", signature.officer)).public().to_bytes();
        holds_until_a_bit_changes(&public, &message, &signature.bytes);
    }
}

#[test]
fn openssl_verifies_a_checkpoints_signature_and_refuses_a_flipped_bit() {
    let note = Note::parse(SmallLog::ready().checkpoint().as_bytes()).unwrap();
    let public = log_vkey().key().to_bytes();
    holds_until_a_bit_changes(&public, note.text().as_bytes(), &note.signatures()[0].bytes);
}

#[test]
fn what_openssl_signs_holds_here_and_no_longer_with_a_flipped_bit() {
    let folder = tempfile::tempdir().unwrap();
    // A private key as PKCS #8 (RFC 8410, section 7), of the seed that is our key too.
    let head = hex::decode("302e020100300506032b657004220420").unwrap();
    let private = pem("PRIVATE KEY", &[head, [9; 32].to_vec()].concat());
    fs::write(folder.path().join("key.pem"), private).unwrap();
    fs::write(folder.path().join("message"), b"a message\n").unwrap();
    let args = "pkeyutl -sign -inkey key.pem -rawin -in message -out signature";
    let Some(done) = openssl(folder.path(), args) else { return };
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut signature = fs::read(folder.path().join("signature")).unwrap();
    let ours = servanda::key::SigningKey::from_seed(&[9; 32]);
    assert_eq!(signature, ours.sign(b"a message\n"));
    let public = openssl(folder.path(), "pkey -in key.pem -pubout -outform DER").unwrap().stdout;
    let public = VerifyingKey::admit(&public[12..]).unwrap();
    assert_eq!(public, ours.public());
    assert!(public.holds(b"a message\n", &signature));
    signature[5] ^= 1;
    assert!(!public.holds(b"a message\n", &signature));
}
