//! Ed25519: one verdict for every edge case.
//!
//! RFC 8032, section 7.1; C2SP/wycheproof `ed25519_test.json`; novifinancial/ed25519-speccheck `cases.json`. A key that
//! is not admitted counts as a refusal, whatever the signature.

use super::{cases, hexadecimal, string, text};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use serde_json::Value;
use servanda::key::{Claim, KeyError, SigningKey, VerifyingKey};
use sha2::{Digest, Sha512};

/// The verdict on a signature, the same however often it is asked: alone, and so often that the key gets a table.
fn holds(key: VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    let alone = key.holds(message, signature);
    let often = servanda::key::hold(&[Claim { key, message, signature }; 100]);
    assert!(often.iter().all(|held| *held == alone), "a table changes the verdict");
    alone
}

#[test]
fn rfc_8032_signs_and_verifies() {
    let Some(cases) = cases("ed25519/rfc8032_7_1.json") else { return };
    assert_eq!(cases.len(), 5);
    for case in &cases {
        let key = SigningKey::from_seed(&hexadecimal(case, "secret").try_into().unwrap());
        let (message, signature) = (hexadecimal(case, "message"), hexadecimal(case, "signature"));
        assert_eq!(key.public().to_bytes()[..], hexadecimal(case, "public"), "{case}");
        assert_eq!(key.sign(&message)[..], signature, "{case}");
        let public = VerifyingKey::admit(&hexadecimal(case, "public")).unwrap();
        assert!(holds(public, &message, &signature), "{case}");
    }
}

#[test]
fn wycheproof_agrees_on_every_signature() {
    let Some(text) = text("ed25519/wycheproof_ed25519_test.json") else { return };
    let file: Value = serde_json::from_str(&text).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let key = VerifyingKey::admit(&hexadecimal(&group["publicKey"], "pk")).unwrap();
        for case in group["tests"].as_array().unwrap() {
            let want = string(case, "result") == "valid";
            assert_eq!(holds(key, &hexadecimal(case, "msg"), &hexadecimal(case, "sig")), want, "{case}");
            *if want { &mut valid } else { &mut invalid } += 1;
        }
    }
    assert_eq!((valid, invalid), (88, 63));
}

/// Libraries differ on all twelve; here none is accepted. All but two fall with the key.
#[test]
fn speccheck_finds_nothing_that_passes() {
    use KeyError::{NotCanonical, Weak};
    let want = [
        (Err(Weak), "S = 0, A of small order, R of small order"),
        (Err(Weak), "A of small order, R of mixed order"),
        (Err(Weak), "A of mixed order, R of small order"),
        (Err(Weak), "A and R of mixed order; holds with and without the cofactor"),
        (Err(Weak), "A and R of mixed order; holds with the cofactor alone"),
        (Err(Weak), "A of mixed order, R of order L; holds with the cofactor alone"),
        (Ok(()), "S > L, A and R of order L"),
        (Ok(()), "S far above L, A and R of order L"),
        (Err(Weak), "A of mixed order, R of small order and not canonical, reduced for the hash"),
        (Err(Weak), "A of mixed order, R of small order and not canonical, hashed as it is"),
        (Err(NotCanonical), "A of small order and not canonical, reduced for the hash"),
        (Err(NotCanonical), "A of small order and not canonical, hashed as it is"),
    ];
    let Some(cases) = cases("ed25519/speccheck_cases.json") else { return };
    assert_eq!(cases.len(), want.len());
    for (at, (case, (admitted, what))) in cases.iter().zip(want).enumerate() {
        let key = VerifyingKey::admit(&hexadecimal(case, "pub_key"));
        assert_eq!(key.map(|_| ()), admitted, "case {at}: {what}");
        if let Ok(key) = key {
            assert!(
                !holds(key, &hexadecimal(case, "message"), &hexadecimal(case, "signature")),
                "case {at}: {what}"
            );
        }
    }
}

/// The one comparison that some libraries make and others leave to the caller: with the nonce 0, R is the identity, the
/// equation holds, and the signature tells the private key to everyone.
#[test]
fn a_signature_whose_r_is_the_identity_is_refused() {
    let secret = Scalar::from(12_345_678_901_u64);
    let public = EdwardsPoint::mul_base(&secret).compress();
    let r = <CompressedEdwardsY as Identity>::identity();
    let message = b"servanda";
    let digest = Sha512::new_with_prefix(r.0).chain_update(public.0).chain_update(message).finalize();
    let k = Scalar::from_bytes_mod_order_wide(&digest.into());
    let signature = [r.0, (k * secret).to_bytes()].concat();

    let lenient = ed25519_dalek::VerifyingKey::from_bytes(&public.0).unwrap();
    let raw = ed25519_dalek::Signature::from_slice(&signature).unwrap();
    assert!(ed25519_dalek::Verifier::verify(&lenient, message, &raw).is_ok());
    assert!(lenient.verify_strict(message, &raw).is_err());
    assert!(!holds(VerifyingKey::admit(&public.0).unwrap(), message, &signature));
}
