//! Proof files: that a leaf is in a log, for checking offline.
//!
//! c2sp.org/tlog-proof: a first line that names the format, extra bytes of the application's if there are any, the
//! index, the inclusion proof from the leaf's sibling upwards, an empty line, and the signed checkpoint as it is:
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! index 1
//! rzFuy5Go7nrpkhBwKy1HWPMM3eO/YePY54fXRoH5Cm4=
//!
//! log.example
//! 2
//! yzuItOHOrpOHmsTKLPTtf4pK9gvUQRjYdgHgjMPrDqU=
//!
//! — log.example hI2D[...]loI=
//! ```
//!
//! The leaf is not in it: the verifier computes its hash. Neither is the extra line vouched for by anything: compute
//! from it, never trust it. Times of cosignatures are not looked at.

use crate::checkpoint::{self, CheckpointError, VerifiedCheckpoint};
use crate::hash::Hash;
use crate::merkle::verify::{ProofError, verify_inclusion};
use crate::note::NOTE_MAX;
use crate::policy::Policy;
use crate::text::{self, HASH_BASE64_LEN, base64, decimal_u64, from_base64, hash_from_base64};
use std::fmt;

/// The most hashes in an inclusion proof: as many as a tree of 2^63 − 1 leaves is high.
pub const HASHES_MAX: usize = 63;

/// The longest extra bytes, in characters of base64: room for a largest entry (87,380), and some.
pub const EXTRA_MAX: usize = 128 * 1024;

/// The longest proof file, in bytes.
pub const PROOF_MAX: usize =
    HEADER.len() + 1 + EXTRA.len() + EXTRA_MAX + 1 + 32 + HASHES_MAX * (HASH_BASE64_LEN + 1) + NOTE_MAX;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
const EXTRA: &str = "extra ";
const INDEX: &str = "index ";

/// Why bytes are no proof file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// The bytes are more than any proof file may have.
    #[error("proof file has {0} bytes, more than {PROOF_MAX}")]
    TooLong(usize),
    /// The bytes are not UTF-8.
    #[error("proof file is not UTF-8")]
    Utf8,
    /// The first line does not name the format.
    #[error("proof file does not start with \"{HEADER}\"")]
    Header,
    /// There is no empty line, or no checkpoint after it.
    #[error("proof file has no checkpoint")]
    NoCheckpoint,
    /// The extra bytes are not base64, or too many.
    #[error("extra bytes are not base64, or more than {EXTRA_MAX} characters of it")]
    Extra,
    /// The line of the index is missing, or not a decimal number in its one form.
    #[error("proof file has no line \"index <n>\" in its place")]
    Index,
    /// A line of the inclusion proof is not 32 bytes in base64.
    #[error("hash {0} of the inclusion proof is not 32 bytes in base64")]
    Hash(usize),
    /// There are more hashes than any tree asks for.
    #[error("inclusion proof has {0} hashes, more than {HASHES_MAX}")]
    TooManyHashes(usize),
}

/// Why a proof file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The checkpoint is malformed, or the policy does not accept it.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The leaf is not shown to be in the tree.
    #[error(transparent)]
    Inclusion(#[from] ProofError),
}

/// A proof file, of which nothing was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Bytes for the application, vouched for by nothing.
    pub extra: Option<Vec<u8>>,
    /// The index of the leaf.
    pub index: u64,
    /// The inclusion proof: the leaf's sibling first.
    pub path: Vec<Hash>,
    /// The signed checkpoint, byte for byte.
    pub checkpoint: String,
}

impl TlogProof {
    /// Reads a proof file; the checkpoint in it is taken as it is.
    ///
    /// # Errors
    /// [`TlogProofError`] says what is malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        if bytes.len() > PROOF_MAX {
            return Err(TlogProofError::TooLong(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| TlogProofError::Utf8)?;
        let body = text
            .strip_prefix(HEADER)
            .and_then(|rest| rest.strip_prefix('\n'))
            .ok_or(TlogProofError::Header)?;
        let divide = body.find("\n\n").ok_or(TlogProofError::NoCheckpoint)?;
        let (head, checkpoint) = (&body[..=divide], &body[divide + 2..]);
        if !checkpoint.ends_with('\n') || checkpoint.len() > NOTE_MAX {
            return Err(TlogProofError::NoCheckpoint);
        }
        let mut lines = text::lines(head).ok_or(TlogProofError::Index)?;
        let mut line = lines.next();
        let extra = line.and_then(|line| line.strip_prefix(EXTRA));
        if extra.is_some() {
            line = lines.next();
        }
        let short = |extra: &&str| extra.len() <= EXTRA_MAX;
        let extra = extra
            .map(|extra| Some(extra).filter(short).and_then(from_base64).ok_or(TlogProofError::Extra))
            .transpose()?;
        let index = line
            .and_then(|line| line.strip_prefix(INDEX))
            .and_then(decimal_u64)
            .ok_or(TlogProofError::Index)?;
        let count = lines.clone().count();
        if count > HASHES_MAX {
            return Err(TlogProofError::TooManyHashes(count));
        }
        let path = (1..)
            .zip(lines)
            .map(|(at, line)| hash_from_base64(line).ok_or(TlogProofError::Hash(at)))
            .collect::<Result<_, _>>()?;
        Ok(Self { extra, index, path, checkpoint: checkpoint.to_owned() })
    }

    /// Verifies that the leaf with this hash is in a log, at this index, under a checkpoint that the policy accepts.
    ///
    /// # Errors
    /// [`CheckError`] says what does not hold.
    pub fn verify(&self, leaf: &Hash, policy: &Policy) -> Result<VerifiedCheckpoint, CheckError> {
        let verified = checkpoint::open(self.checkpoint.as_bytes(), policy)?;
        verify_inclusion(self.index, verified.size(), leaf, &self.path, &verified.root())?;
        Ok(verified)
    }
}

/// The proof file.
impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "{EXTRA}{}", base64(extra))?;
        }
        writeln!(f, "{INDEX}{}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", base64(&hash.0)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::key::SigningKey;
    use crate::key::vkey::Vkey;
    use crate::merkle::reference::{inclusion, leaves, root};
    use proptest::prelude::*;

    fn proof(index: usize, size: usize) -> (TlogProof, Hash, Policy) {
        let (key, leaves) = (SigningKey::from_seed(&[1; 32]), leaves(size));
        let checkpoint = Checkpoint::new("log.example", size.try_into().unwrap(), root(&leaves)).unwrap();
        let policy = Policy::of(&[Vkey::log("log.example", key.public()).unwrap()], &[], None).unwrap();
        let (path, checkpoint) = (inclusion(index, &leaves), checkpoint.sign(&key));
        let proof = TlogProof { extra: None, index: index.try_into().unwrap(), path, checkpoint };
        (proof, leaves[index], policy)
    }

    #[test]
    fn a_proof_holds_for_its_leaf_index_and_log_alone() {
        let (proof, leaf, policy) = proof(4, 11);
        assert_eq!(TlogProof::parse(proof.to_string().as_bytes()).as_ref(), Ok(&proof));
        assert_eq!(proof.verify(&leaf, &policy).unwrap().size(), 11);
        assert!(matches!(
            proof.verify(&Hash([0; 32]), &policy),
            Err(CheckError::Inclusion(ProofError::Root { .. }))
        ));
        for (index, want) in [(3, false), (5, false), (11, false), (4, true)] {
            assert_eq!(
                TlogProof { index, ..proof.clone() }.verify(&leaf, &policy).is_ok(),
                want,
                "index {index}"
            );
        }
        let other = Vkey::log("log.example", SigningKey::from_seed(&[2; 32]).public()).unwrap();
        let refused = proof.verify(&leaf, &policy.with_logs([other]).unwrap());
        assert!(matches!(refused, Err(CheckError::Checkpoint(CheckpointError::Open(_)))));
        let longer = TlogProof { path: [&proof.path[..], &[leaf]].concat(), ..proof.clone() };
        assert!(matches!(
            longer.verify(&leaf, &policy),
            Err(CheckError::Inclusion(ProofError::Length { .. }))
        ));
    }

    #[test]
    fn a_proof_file_has_one_form() {
        use TlogProofError::*;
        let (proof, ..) = proof(4, 11);
        let good = TlogProof { extra: Some(b"extra".to_vec()), ..proof }.to_string();
        assert!(TlogProof::parse(good.as_bytes()).is_ok());
        let refused = |from: &str, to: &str| {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good);
            TlogProof::parse(bad.as_bytes()).unwrap_err()
        };
        assert_eq!(refused("@v1", "@v2"), Header);
        assert_eq!(refused("@v1\n", "@v1\r\n"), Header);
        assert_eq!(refused("extra ", "Extra "), Index);
        assert_eq!(refused("ZXh0cmE=", "ZXh0cmF="), Extra); // stray bits
        assert_eq!(refused("ZXh0cmE=", "ZXh0cmE=\nextra ZXh0cmE="), Index);
        for index in ["04", "+4", "-4", "4 ", "", "4\r", "18446744073709551616"] {
            assert_eq!(refused("index 4", &format!("index {index}")), Index, "{index:?}");
        }
        assert_eq!(refused("index 4\n", ""), Index);
        assert_eq!(refused("index 4\n", "index 4\nAAAA\n"), Hash(1));
        assert_eq!(refused("\n\n", "\n"), Hash(5));
        assert_eq!(refused("\n\n", "\n\r\n"), Hash(5));
        assert_eq!(TlogProof::parse(b"c2sp.org/tlog-proof@v1\nindex 0\n\n"), Err(NoCheckpoint));
        assert_eq!(TlogProof::parse(good.trim_end().as_bytes()), Err(NoCheckpoint));
        assert_eq!(TlogProof::parse(b"c2sp.org/tlog-proof@v1\n\n\ncheckpoint\n"), Err(Index));
        assert_eq!(TlogProof::parse(b"\xff"), Err(Utf8));
    }

    #[test]
    fn the_64th_hash_and_extra_past_the_limit_are_refused() {
        let (proof, ..) = proof(0, 1);
        let hashes = |count| TlogProof { path: vec![Hash([7; 32]); count], ..proof.clone() }.to_string();
        assert!(TlogProof::parse(hashes(HASHES_MAX).as_bytes()).is_ok());
        let refused = TlogProof::parse(hashes(HASHES_MAX + 1).as_bytes());
        assert_eq!(refused, Err(TlogProofError::TooManyHashes(HASHES_MAX + 1)));
        let extra = |len| TlogProof { extra: Some(vec![7; len]), ..proof.clone() }.to_string();
        assert!(TlogProof::parse(extra(EXTRA_MAX / 4 * 3).as_bytes()).is_ok());
        assert_eq!(TlogProof::parse(extra(EXTRA_MAX / 4 * 3 + 1).as_bytes()), Err(TlogProofError::Extra));
        let padded = |len: usize| vec![b'x'; len];
        assert_eq!(TlogProof::parse(&padded(PROOF_MAX)), Err(TlogProofError::Header));
        assert_eq!(TlogProof::parse(&padded(PROOF_MAX + 1)), Err(TlogProofError::TooLong(PROOF_MAX + 1)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_written_the_same(rest in "(extra [A-Z]{0,4}\n)?(index [0-9]{0,3}\n)?([A-D]{43}=\n){0,3}(\n){0,2}.{0,5}\n", raw: Vec<u8>) {
            let _ = TlogProof::parse(&raw);
            let text = format!("{HEADER}\n{rest}");
            if let Ok(proof) = TlogProof::parse(text.as_bytes()) {
                prop_assert_eq!(proof.to_string(), text);
            }
        }

        #[test]
        fn every_proof_file_is_read_back(extra: Option<Vec<u8>>, index: u64, hashes: Vec<[u8; 32]>, checkpoint in "\\PC{0,20}\n") {
            let path: Vec<_> = hashes.into_iter().take(HASHES_MAX).map(Hash).collect();
            let proof = TlogProof { extra, index, path, checkpoint };
            prop_assert_eq!(TlogProof::parse(proof.to_string().as_bytes()), Ok(proof));
        }
    }
}
