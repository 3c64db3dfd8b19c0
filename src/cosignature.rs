//! Cosignatures: a witness's signature over a checkpoint and the time at which it saw it.
//!
//! c2sp.org/tlog-cosignature, Ed25519 ("cosignature/v1"). What is signed is a header of two lines before the whole text
//! of the checkpoint, without its signatures:
//!
//! ```text
//! cosignature/v1
//! time 1767139200
//! example.com/log
//! 15
//! rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=
//! ```
//!
//! In the note, behind the key id, stand the time as eight bytes, most significant first, and the signature: 72 bytes
//! (a time of 1: `00 00 00 00 00 00 00 01`). A cosignature says: at this time, the largest tree of this origin that the
//! witness had seen had this root. The time is in seconds since the Unix epoch, 1 to 2^63 − 1; what it is worth, and
//! whether it may lie ahead, is the caller's question.

use crate::field::Instant;
use crate::key::vkey::{Vkey, VkeyError};
use crate::key::{SIGNATURE_LEN, SigningKey, VerifyingKey};
use crate::note::signature_line;

/// The length of a cosignature behind the key id, in bytes.
pub const COSIGNATURE_LEN: usize = TIME_LEN + SIGNATURE_LEN;

/// The latest time that a cosignature can have, in seconds since the Unix epoch.
pub const TIME_S_MAX: u64 = i64::MAX as u64;

const TIME_LEN: usize = 8;

/// Why a cosignature cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// The time is 0, which says nothing, or too great.
    #[error("a cosignature cannot have time {0}: want 1 to {TIME_S_MAX} seconds since 1970")]
    Time(u64),
    /// The witness's name cannot be the name of a key.
    #[error(transparent)]
    Name(#[from] VkeyError),
}

/// Signs a checkpoint's text as a witness; gives the line to put below it, its end included.
///
/// Whether the checkpoint may be cosigned must have been decided before.
///
/// # Errors
/// [`CosignatureError`], if name or time cannot stand in a cosignature.
pub fn cosign(name: &str, key: &SigningKey, time_s: u64, text: &str) -> Result<String, CosignatureError> {
    let vkey = Vkey::witness(name, key.public())?;
    if !is_time(time_s) {
        return Err(CosignatureError::Time(time_s));
    }
    let mut bytes = time_s.to_be_bytes().to_vec();
    bytes.extend(key.sign(&message(time_s, text)));
    Ok(signature_line(&vkey, &bytes))
}

/// Verifies a cosignature (72 bytes, without the key id) over a checkpoint's text; gives its time in seconds since the
/// Unix epoch, or none if it does not hold.
#[must_use]
pub fn verify(key: &VerifyingKey, text: &str, cosignature: &[u8]) -> Option<u64> {
    let (time, signature) = cosignature.split_first_chunk::<TIME_LEN>()?;
    let time_s = u64::from_be_bytes(*time);
    (is_time(time_s) && key.holds(&message(time_s, text), signature)).then_some(time_s)
}

fn is_time(time_s: u64) -> bool {
    (1..=TIME_S_MAX).contains(&time_s)
}

fn message(time_s: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time_s}\n{text}").into_bytes()
}

/// When a checkpoint was cosigned, by the times of several witnesses, in seconds since the Unix epoch: their lower median, which
/// fewer than half of them cannot move beyond what the others say. None where nobody cosigned.
#[must_use]
pub fn median_time(mut times_s: Vec<u64>) -> Option<Instant> {
    times_s.sort_unstable();
    let median_s = times_s.get(times_s.len().checked_sub(1)? / 2)?;
    Some(Instant::default().plus_ms(median_s.saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Note;

    const TEXT: &str = "example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

    fn cosignature(time_s: u64) -> (VerifyingKey, Vec<u8>) {
        let key = SigningKey::from_seed(&[9; 32]);
        let note = format!("{TEXT}\n{}", cosign("w.example", &key, time_s, TEXT).unwrap());
        (key.public(), Note::parse(note.as_bytes()).unwrap().signatures()[0].bytes.clone())
    }

    #[test]
    fn a_cosignature_holds_for_its_text_and_time_alone() {
        for time_s in [1, 1_767_139_200, TIME_S_MAX] {
            let (key, bytes) = cosignature(time_s);
            assert_eq!(bytes.len(), COSIGNATURE_LEN);
            assert_eq!(verify(&key, TEXT, &bytes), Some(time_s));
            assert_eq!(verify(&key, &TEXT.replace("\n0\n", "\n1\n"), &bytes), None);
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                assert_eq!(verify(&key, TEXT, &changed), None, "byte {at}");
            }
            assert_eq!(verify(&key, TEXT, &bytes[..COSIGNATURE_LEN - 1]), None);
            assert_eq!(verify(&key, TEXT, &[&bytes[..], &[0]].concat()), None);
        }
        assert_eq!(verify(&cosignature(1).0, TEXT, &[]), None);
    }

    #[test]
    fn a_time_with_its_bytes_swapped_is_refused() {
        let (key, mut bytes) = cosignature(1234);
        bytes[..8].reverse();
        assert_eq!(verify(&key, TEXT, &bytes), None);
    }

    #[test]
    fn a_plain_signature_is_no_cosignature_and_none_is_a_plain_signature() {
        let key = SigningKey::from_seed(&[9; 32]);
        assert_eq!(verify(&key.public(), TEXT, &key.sign(TEXT.as_bytes())), None);
        let (key, bytes) = cosignature(1);
        assert!(!key.holds(TEXT.as_bytes(), &bytes[8..]));
    }

    #[test]
    fn times_0_and_beyond_the_last_are_refused() {
        let key = SigningKey::from_seed(&[9; 32]);
        for time_s in [0, TIME_S_MAX + 1, u64::MAX] {
            assert_eq!(cosign("w", &key, time_s, TEXT), Err(CosignatureError::Time(time_s)));
            let bytes = [&time_s.to_be_bytes()[..], &key.sign(&message(time_s, TEXT))].concat();
            assert_eq!(verify(&key.public(), TEXT, &bytes), None);
        }
        assert!(matches!(cosign("a b", &key, 1, TEXT), Err(CosignatureError::Name(_))));
    }
}
