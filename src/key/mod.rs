//! Ed25519 keys: which ones may be registered, how a signature is made and checked.
//!
//! The one place that decides whether a signature holds. A public key is admitted only if it is canonically encoded, in
//! the prime-order subgroup, and not the identity; a signature holds if S < L, R recomputed equals the R given byte by
//! byte, and R is not the identity (RFC 8032, section 5.1.7, without cofactor multiplication). On admitted keys every
//! common cofactorless library gives the same verdict.
//!
//! Key files (OpenSSH) are read and written by [`openssh`]; text keys of logs and witnesses by [`vkey`].

pub mod openssh;
mod tables;
pub mod vkey;

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::traits::{Identity, IsIdentity};
use ed25519_dalek::Signer;
use rayon::prelude::*;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroize;

/// The algorithm number of Ed25519 in signatures and key sets.
pub const ED25519: u8 = 1;

/// The length of an Ed25519 public key, in bytes.
pub const PUBLIC_KEY_LEN: usize = 32;

/// The length of an Ed25519 signature, in bytes.
pub const SIGNATURE_LEN: usize = 64;

/// Why bytes are not a public key that may be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key has another length than 32 bytes.
    #[error("public key has {0} bytes, want 32")]
    Length(usize),
    /// The bytes encode no point of the curve, or encode one in a second way.
    #[error("public key is not a canonically encoded point")]
    NotCanonical,
    /// The point has a small-order component (the identity included): others could agree on signatures by accident.
    #[error("public key is weak: not of prime order")]
    Weak,
}

/// A public key that was admitted: canonical, of prime order, not the identity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Admits a public key.
    ///
    /// # Errors
    /// [`KeyError`] says why the key cannot be registered.
    pub fn admit(bytes: &[u8]) -> Result<Self, KeyError> {
        let raw: [u8; PUBLIC_KEY_LEN] = bytes.try_into().map_err(|_| KeyError::Length(bytes.len()))?;
        let point = CompressedEdwardsY(raw).decompress().ok_or(KeyError::NotCanonical)?;
        if point.compress().0 != raw {
            return Err(KeyError::NotCanonical);
        }
        if point.is_identity() || !point.is_torsion_free() {
            return Err(KeyError::Weak);
        }
        ed25519_dalek::VerifyingKey::from_bytes(&raw).map(Self).map_err(|_| KeyError::NotCanonical)
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PUBLIC_KEY_LEN] {
        self.0.to_bytes()
    }

    /// Tells whether `signature` (64 bytes) is this key's over `message`: the rule of this module, everywhere.
    #[must_use]
    pub fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        hold(&[Claim { key: *self, message, signature }])[0]
    }

    fn point(&self) -> EdwardsPoint {
        CompressedEdwardsY(self.to_bytes()).decompress().expect("an admitted key is a point")
    }
}

/// A signature that is said to be a key's over a message.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The key.
    pub key: VerifyingKey,
    /// The message.
    pub message: &'a [u8],
    /// The signature: 64 bytes, else it does not hold.
    pub signature: &'a [u8],
}

impl Claim<'_> {
    /// R and S, where they are as long as they must be and R is not the identity.
    fn parts(&self) -> Option<(&[u8; 32], &[u8; 32])> {
        let (r, s) = self.signature.split_first_chunk()?;
        Some((r, s.try_into().ok()?)).filter(|_| *r != CompressedEdwardsY::identity().0)
    }

    /// Tells it without a table: as the library does it.
    fn holds_plainly(&self) -> bool {
        let Some((r, s)) = self.parts() else { return false };
        // `verify` recomputes R and compares bytes; `admit` has excluded small-order keys.
        let signature = ed25519_dalek::Signature::from_components(*r, *s);
        ed25519_dalek::Verifier::verify(&self.key.0, self.message, &signature).is_ok()
    }
}

/// The most signatures of one key that are checked in one go: the more, the longer a part of the table stays at hand.
const RUN: usize = 1024;

/// Tells which signatures hold, each by the rule of this module: what [`VerifyingKey::holds`] says of each alone. Many at
/// once are checked on all cores, and faster, where few keys made them.
#[must_use]
pub fn hold(claims: &[Claim<'_>]) -> Vec<bool> {
    let mut by_key: Vec<usize> = (0..claims.len()).collect();
    by_key.sort_by_key(|at| claims[*at].key.to_bytes());
    let runs: Vec<&[usize]> = by_key.chunk_by(|a, b| claims[*a].key == claims[*b].key).collect();
    let asked: Vec<_> = runs.iter().map(|run| (claims[run[0]].key, run.len())).collect();
    let tables = tables::get(&asked);
    let parts: Vec<_> = runs
        .iter()
        .zip(&tables)
        .flat_map(|(run, table)| run.chunks(RUN).map(move |part| (part, table)))
        .collect();
    let check = |(part, table): (&[usize], &Option<Arc<tables::Table>>)| -> Vec<(usize, bool)> {
        let held = match table {
            Some(minus) => tables::hold(minus, part.iter().map(|at| &claims[*at])),
            None => part.iter().map(|at| claims[*at].holds_plainly()).collect(),
        };
        part.iter().copied().zip(held).collect()
    };
    let mut answers = vec![false; claims.len()];
    for (at, held) in parts.into_par_iter().flat_map_iter(check).collect::<Vec<_>>() {
        answers[at] = held;
    }
    answers
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", hex::encode(self.to_bytes()))
    }
}

/// A private key; wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Makes the key of a seed of 32 bytes (RFC 8032, section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Makes a new key from the system's randomness.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        let key = Self::from_seed(&seed);
        seed.zeroize();
        Ok(key)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    /// Signs a message: 64 bytes, the same each time (RFC 8032, section 5.1.6).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        self.0.sign(message).to_bytes()
    }

    /// The seed, for the key file alone.
    pub(crate) fn seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(private half of {:?})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
    use curve25519_dalek::{EdwardsPoint, Scalar};
    use ed25519_dalek::hazmat::ExpandedSecretKey;
    use proptest::prelude::*;
    use sha2::{Digest, Sha512};

    /// The eight points of small order, and the six further encodings of theirs that a lax decoder takes: y not reduced,
    /// or x = 0 with the sign bit set (Chalkias, Garillot, Nikolaenko: Taming the many EdDSAs, table 1).
    const SMALL: [&str; 8] = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ];
    const SMALL_MISENCODED: [&str; 6] = [
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];

    fn unhex(text: &str) -> [u8; 32] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn points_of_small_order_are_weak() {
        for text in SMALL {
            assert_eq!(VerifyingKey::admit(&unhex(text)), Err(KeyError::Weak), "{text}");
        }
        let mut listed: Vec<_> = SMALL.iter().map(|text| unhex(text)).collect();
        let mut all: Vec<_> = EIGHT_TORSION.iter().map(|point| point.compress().0).collect();
        listed.sort_unstable();
        all.sort_unstable();
        assert_eq!(listed, all, "the list is the whole torsion subgroup");
    }

    #[test]
    fn second_encodings_of_a_point_are_not_canonical() {
        for text in SMALL_MISENCODED {
            assert_eq!(VerifyingKey::admit(&unhex(text)), Err(KeyError::NotCanonical), "{text}");
        }
        // Every y from p = 2^255 - 19 to 2^255 - 1, with either sign.
        for (low, sign) in (0xed..=0xffu8).flat_map(|low| [(low, 0x7f), (low, 0xff)]) {
            let mut raw = [0xff; 32];
            (raw[0], raw[31]) = (low, sign);
            assert_eq!(VerifyingKey::admit(&raw), Err(KeyError::NotCanonical), "{low:02x}, {sign:02x}");
        }
    }

    #[test]
    fn points_of_mixed_order_are_weak() {
        for n in 1..50u64 {
            let good = ED25519_BASEPOINT_POINT * Scalar::from(n);
            assert!(VerifyingKey::admit(&good.compress().0).is_ok(), "{n}");
            for torsion in &EIGHT_TORSION[1..] {
                assert_eq!(VerifyingKey::admit(&(good + torsion).compress().0), Err(KeyError::Weak), "{n}");
            }
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for len in [0, 31, 33, 64] {
            assert_eq!(VerifyingKey::admit(&vec![1; len]), Err(KeyError::Length(len)));
        }
    }

    /// Signs with this R, as only the key's owner can: S = r + k·a.
    fn sign_with(seed: &[u8; 32], r: Scalar, point: &[u8; 32], message: &[u8]) -> [u8; 64] {
        let secret = ExpandedSecretKey::from(seed);
        let public = SigningKey::from_seed(seed).public().to_bytes();
        let digest = Sha512::new().chain_update(point).chain_update(public).chain_update(message).finalize();
        let k = Scalar::from_bytes_mod_order_wide(&digest.into());
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(point);
        signature[32..].copy_from_slice((r + k * secret.scalar).as_bytes());
        signature
    }

    #[test]
    fn a_signature_whose_r_is_the_identity_does_not_hold() {
        let (seed, message) = ([7; 32], b"pacta");
        let key = SigningKey::from_seed(&seed).public();
        let one = sign_with(&seed, Scalar::ONE, &ED25519_BASEPOINT_POINT.compress().0, message);
        assert!(holds(&key, message, &one), "the forger's arithmetic is right");
        let identity = sign_with(&seed, Scalar::ZERO, &unhex(SMALL[0]), message);
        let lax = ed25519_dalek::Verifier::verify(&key.0, message, &ed25519_dalek::Signature::from(identity));
        assert!(lax.is_ok(), "without the comparison it would hold");
        assert!(!holds(&key, message, &identity));
        for point in SMALL.iter().chain(&SMALL_MISENCODED) {
            assert!(
                !holds(&key, message, &sign_with(&seed, Scalar::ZERO, &unhex(point), message)),
                "{point}"
            );
        }
    }

    #[test]
    fn a_signature_with_s_plus_the_order_does_not_hold() {
        let key = SigningKey::from_seed(&[8; 32]);
        let signature = key.sign(b"m");
        // L, little-endian (RFC 8032, section 5.1).
        let order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut other = signature;
        let mut carry = 0;
        for (byte, add) in other[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
        }
        assert!(holds(&key.public(), b"m", &signature) && !holds(&key.public(), b"m", &other));
    }

    #[test]
    fn debug_output_of_a_private_key_shows_the_public_half_alone() {
        let key = SigningKey::from_seed(&[0xa7; 32]);
        assert_eq!(format!("{key:?}"), format!("SigningKey(private half of {:?})", key.public()));
    }

    fn strict(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
        key.0.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }

    /// The verdict on a signature, after it was seen that a table of the key gives the same.
    fn holds(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
        let claim = Claim { key: *key, message, signature };
        let verdict = claim.holds_plainly();
        assert_eq!(tables::hold(&tables::Table::of(-key.point()), [claim].iter()), [verdict]);
        assert_eq!(key.holds(message, signature), verdict);
        verdict
    }

    #[test]
    fn each_of_many_signatures_gets_its_own_verdict_whoever_made_them() {
        let keys: Vec<_> = (0..5).map(|n| SigningKey::from_seed(&[n; 32])).collect();
        // Key n makes 10^n signatures at most; every seventh is another key's, every eleventh cut short.
        let made: Vec<_> = (0..3000_usize)
            .map(|n| {
                let at = (0..5).find(|at| n % 10_usize.pow(4 - at) == 0).expect("10^0 divides all") as usize;
                let signer = if n % 7 == 0 { (at + 1) % 5 } else { at };
                let message = n.to_le_bytes();
                let signature = keys[signer].sign(&message);
                (keys[at].public(), message, signature[..64 - usize::from(n % 11 == 0)].to_vec())
            })
            .collect();
        let claims: Vec<_> =
            made.iter().map(|(key, message, signature)| Claim { key: *key, message, signature }).collect();
        let want: Vec<_> = (0..3000).map(|n| n % 7 != 0 && n % 11 != 0).collect();
        assert_eq!(hold(&claims), want);
        assert_eq!(hold(&claims), want, "again, with the tables that there are now");
        assert!(hold(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_signed_holds_and_what_is_changed_does_not(
            seed in any::<[u8; 32]>(),
            message in proptest::collection::vec(any::<u8>(), 1..100),
            at in any::<prop::sample::Index>(),
            bit in 0u32..8,
        ) {
            let key = SigningKey::from_seed(&seed);
            let signature = key.sign(&message);
            prop_assert_eq!(VerifyingKey::admit(&key.public().to_bytes()), Ok(key.public()));
            prop_assert!(holds(&key.public(), &message, &signature) && strict(&key.public(), &message, &signature));
            let mut changed = signature;
            changed[at.index(64)] ^= 1u8 << bit;
            prop_assert!(!holds(&key.public(), &message, &changed) && !strict(&key.public(), &message, &changed));
            let mut other = message.clone();
            other[at.index(message.len())] ^= 1u8 << bit;
            prop_assert!(!holds(&key.public(), &other, &signature) && !strict(&key.public(), &other, &signature));
            prop_assert!(!holds(&key.public(), &message, &signature[..63]));
        }

        #[test]
        fn the_verdict_is_that_of_strict_verification(
            seed in any::<[u8; 32]>(), r in 0u64..4, torsion in 0usize..8, message in any::<[u8; 4]>()
        ) {
            // R of every kind: in the subgroup, out of it, the identity; S fits R's part in the subgroup.
            let point = ED25519_BASEPOINT_POINT * Scalar::from(r) + EIGHT_TORSION[torsion];
            let signature = sign_with(&seed, Scalar::from(r), &point.compress().0, &message);
            let key = SigningKey::from_seed(&seed).public();
            prop_assert_eq!(holds(&key, &message, &signature), strict(&key, &message, &signature));
            prop_assert_eq!(holds(&key, &message, &signature), r != 0 && torsion == 0);
        }

        #[test]
        fn random_signatures_get_the_verdict_of_strict_verification(
            seed in any::<[u8; 32]>(), r in any::<[u8; 32]>(), s in any::<[u8; 32]>()
        ) {
            let key = SigningKey::from_seed(&seed).public();
            let signature: [u8; 64] = [r, s].concat().try_into().unwrap();
            prop_assert_eq!(holds(&key, b"m", &signature), strict(&key, b"m", &signature));
        }

        #[test]
        fn admitted_is_what_survives_eight_and_its_inverse(raw in any::<[u8; 32]>()) {
            // P is in the subgroup of order L just if (1/8 mod L)·8·P = P: another way than the one in `admit`.
            let expected = CompressedEdwardsY(raw).decompress().is_some_and(|point: EdwardsPoint| {
                let back = point.mul_by_cofactor() * Scalar::from(8u8).invert();
                back == point && point.compress().0 == raw && !point.is_small_order()
            });
            prop_assert_eq!(VerifyingKey::admit(&raw).is_ok(), expected);
        }
    }
}
