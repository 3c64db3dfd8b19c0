//! Signatures of few keys: by tables, beside curve25519-dalek one by one.

use super::{in_turn, made, on};
use servanda::key::{Claim, VerifyingKey, hold};

/// How many signatures each key makes.
const EACH: usize = 1000;

pub fn by_tables() {
    let keys: Vec<_> = (0..made::AUTHORS).map(|n| made::key(&n.to_string())).collect();
    let signed: Vec<(VerifyingKey, [u8; 47], [u8; 64])> = (0..EACH * keys.len())
        .map(|n| {
            let (key, mut message) = (&keys[n % keys.len()], [7; 47]);
            message[..8].copy_from_slice(&n.to_le_bytes());
            (key.public(), message, key.sign(&message))
        })
        .collect();
    let claims: Vec<_> =
        signed.iter().map(|(key, message, signature)| Claim { key: *key, message, signature }).collect();
    let library = |(key, message, signature): &(VerifyingKey, [u8; 47], [u8; 64])| {
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key.to_bytes()).unwrap();
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    };
    let plain = |(key, message, signature): &(ed25519_dalek::VerifyingKey, &[u8; 47], &[u8; 64])| {
        ed25519_dalek::Verifier::verify(key, *message, &ed25519_dalek::Signature::from_bytes(signature))
            .is_ok()
    };
    assert!(signed.iter().take(100).all(library));
    let parsed: Vec<_> = signed
        .iter()
        .map(|(key, message, signature)| {
            (ed25519_dalek::VerifyingKey::from_bytes(&key.to_bytes()).unwrap(), message, signature)
        })
        .collect();
    for threads in [1, 2] {
        let ours = || on(threads, || assert!(hold(&claims).into_iter().all(|held| held)));
        let dalek = || {
            on(threads, || {
                use rayon::prelude::*;
                assert!(parsed.par_iter().with_min_len(256).all(plain));
            });
        };
        let (ours, dalek) = in_turn(12, ours, dalek);
        let each = |seconds: f64| seconds * 1e6 / claims.len() as f64;
        println!(
            "{threads} thread{}: tables {:.1} µs a signature, curve25519-dalek one by one {:.1} µs: {:.2} times as fast",
            if threads == 1 { "" } else { "s" },
            each(ours),
            each(dalek),
            dalek / ours
        );
    }
}
