//! Ed25519 keys: which ones may be registered, how a signature is made and checked.
//!
//! The one place that decides whether a signature holds. A public key is admitted only if it is canonically encoded, in
//! the prime-order subgroup, and not the identity; a signature holds if S < L, R recomputed equals the R given byte by
//! byte, and R is not the identity (RFC 8032, section 5.1.7, without cofactor multiplication). On admitted keys every
//! common cofactorless library gives the same verdict.
//!
//! Key files (OpenSSH) are read and written by [`openssh`]; text keys of logs and witnesses by [`vkey`].

pub mod openssh;
pub mod vkey;

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::traits::IsIdentity;
use ed25519_dalek::Signer;
use std::fmt;
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
        const IDENTITY: [u8; 32] = {
            let mut r = [0; 32];
            r[0] = 1;
            r
        };
        let Ok(raw) = <[u8; SIGNATURE_LEN]>::try_from(signature) else { return false };
        if raw[..32] == IDENTITY {
            return false;
        }
        // `verify` recomputes R and compares bytes; `admit` has excluded small-order keys.
        ed25519_dalek::Verifier::verify(&self.0, message, &ed25519_dalek::Signature::from_bytes(&raw)).is_ok()
    }
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
