//! The body of an add-checkpoint request: an old size, a consistency proof, a checkpoint.
//!
//! c2sp.org/tlog-witness, add-checkpoint:
//!
//! ```text
//! old 20852014
//! PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
//! jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
//!
//! example.com/behind-the-sofa
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```
//!
//! There is one way to write each line, and every other is refused. What stands in the checkpoint is not looked at here:
//! which log it is of decides what comes first ([`super::judge`]).

use crate::hash::Hash;
use crate::note::{Note, NoteError};
use crate::text::{self, decimal_u64, hash_from_base64};

/// The longest body, in bytes: a proof of 63 hashes and a note with signatures by every witness there may be leave room.
pub const REQUEST_MAX: usize = 128 << 10;

/// The most hashes of a consistency proof.
pub const PROOF_MAX: usize = 63;

const OLD: &str = "old ";

/// Why bytes are no such body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It is longer than a body may be.
    #[error("a body of {0} bytes, more than {REQUEST_MAX}")]
    TooLong(usize),
    /// It is not UTF-8.
    #[error("not UTF-8 from byte {0} on")]
    Utf8(usize),
    /// The first line is not `old SIZE`.
    #[error("the first line is not \"old \" and a decimal number")]
    OldSize,
    /// No empty line ends the proof.
    #[error("no empty line before the checkpoint")]
    NoCheckpoint,
    /// A line of the proof is not 32 bytes in base64.
    #[error("line {0} of the proof is not 32 bytes in base64")]
    ProofLine(usize),
    /// The proof has more lines than one may have.
    #[error("the proof has more than {PROOF_MAX} lines")]
    ProofTooLong,
    /// What follows is no note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// What is asked of a witness: its form was checked, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The size up to which the witness is said to know the log; 0: not at all.
    pub old: u64,
    /// The consistency proof from there.
    pub proof: Vec<Hash>,
    /// The checkpoint to be cosigned.
    pub note: Note,
}

impl Request {
    /// Reads a body.
    ///
    /// # Errors
    /// [`RequestError`] says what is malformed.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > REQUEST_MAX {
            return Err(RequestError::TooLong(body.len()));
        }
        let body = std::str::from_utf8(body).map_err(|e| RequestError::Utf8(e.valid_up_to()))?;
        let (first, mut rest) = body.split_once('\n').ok_or(RequestError::OldSize)?;
        let old = first.strip_prefix(OLD).and_then(decimal_u64).ok_or(RequestError::OldSize)?;
        let mut proof = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(RequestError::NoCheckpoint)?;
            rest = after;
            if line.is_empty() {
                break;
            }
            if proof.len() == PROOF_MAX {
                return Err(RequestError::ProofTooLong);
            }
            proof.push(hash_from_base64(line).ok_or(RequestError::ProofLine(proof.len() + 1))?);
        }
        Ok(Self { old, proof, note: Note::parse(rest.as_bytes())? })
    }

    /// Writes the body that asks a witness, which knows the log up to size `old`, to cosign a note.
    #[must_use]
    pub fn write(old: u64, proof: &[Hash], note: &str) -> String {
        let proof: String = proof.iter().map(|hash| text::base64(&hash.0) + "\n").collect();
        format!("{OLD}{old}\n{proof}\n{note}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::key::SigningKey;
    use proptest::prelude::*;

    fn note() -> String {
        Checkpoint::new("log.example", 7, Hash([9; 32])).unwrap().sign(&SigningKey::from_seed(&[1; 32]))
    }

    fn refused(body: &str) -> RequestError {
        Request::parse(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_body_is_read_as_it_was_written() {
        for (old, hashes) in [(0, 0), (3, 4), (u64::MAX, PROOF_MAX)] {
            let proof = vec![Hash([7; 32]); hashes];
            let request = Request::parse(Request::write(old, &proof, &note()).as_bytes()).unwrap();
            assert_eq!((request.old, &request.proof), (old, &proof));
            assert_eq!(request.note, Note::parse(note().as_bytes()).unwrap());
        }
    }

    #[test]
    fn a_size_has_one_form() {
        for bad in ["007", "+7", "-7", " 7", "7 ", "", "7\r", "0x7", "18446744073709551616"] {
            assert_eq!(refused(&format!("old {bad}\n\n{}", note())), RequestError::OldSize, "{bad:?}");
        }
        for bad in ["Old 7", "old\t7", "7", "", "size 7", "old7"] {
            assert_eq!(refused(&format!("{bad}\n\n{}", note())), RequestError::OldSize, "{bad:?}");
        }
        assert_eq!(refused(""), RequestError::OldSize);
        assert_eq!(refused("old 7"), RequestError::OldSize);
    }

    #[test]
    fn the_64th_line_of_a_proof_is_refused() {
        let proof = vec![Hash([7; 32]); PROOF_MAX + 1];
        assert_eq!(refused(&Request::write(3, &proof, &note())), RequestError::ProofTooLong);
    }

    #[test]
    fn a_line_that_is_no_hash_is_refused() {
        let short = text::base64(&[7; 31]);
        let long = text::base64(&[7; 33]);
        let good = text::base64(&[7; 32]);
        for bad in [&*short, &*long, " ", "\r", &format!("{good} "), &format!("{good}\r"), &good[..43]] {
            let refusal = refused(&format!("old 3\n{good}\n{bad}\n\n{}", note()));
            assert_eq!(refusal, RequestError::ProofLine(2), "{bad:?}");
        }
    }

    #[test]
    fn a_body_that_was_cut_off_is_refused() {
        let body = Request::write(3, &[Hash([7; 32])], &note());
        for end in 0..body.len() {
            assert!(Request::parse(&body.as_bytes()[..end]).is_err(), "{end}");
        }
        assert_eq!(refused("old 3\n"), RequestError::NoCheckpoint);
        assert!(matches!(refused("old 3\n\n"), RequestError::Note(_)));
    }

    #[test]
    fn the_byte_past_the_limit_is_refused() {
        let padded = |len: usize| {
            let line = note().lines().last().unwrap().to_owned() + "\n";
            let mut body = Request::write(0, &[], &note());
            while body.len() + line.len() <= len && body.len() < len {
                body.push_str(&line);
            }
            body.push_str(&"x".repeat(len - body.len()));
            body
        };
        assert!(matches!(refused(&padded(REQUEST_MAX)), RequestError::Note(_)));
        assert_eq!(refused(&padded(REQUEST_MAX + 1)), RequestError::TooLong(REQUEST_MAX + 1));
        assert_eq!(Request::parse(b"old 1\n\xff"), Err(RequestError::Utf8(6)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read(bytes: Vec<u8>) {
            let _ = Request::parse(&bytes);
        }

        #[test]
        fn what_was_read_is_written_the_same(
            body in "old (0|[1-9][0-9]{0,4})\n([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=\n){0,3}\n"
        ) {
            let body = format!("{body}{}", note());
            let request = Request::parse(body.as_bytes()).unwrap();
            prop_assert_eq!(Request::write(request.old, &request.proof, &note()), body);
        }
    }
}
