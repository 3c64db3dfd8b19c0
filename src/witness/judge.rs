//! Whether a checkpoint may be cosigned: every check of add-checkpoint, in its order, without the state between requests.
//!
//! c2sp.org/tlog-witness fixes what each failure answers; the order is that of the other witnesses:
//!
//! ```text
//!  1  the body is well-formed                                   400
//!  2  the origin is known                                       404
//!  3  a key of that origin signed; none of its lines is bad     403
//!  4  the checkpoint is well-formed                             400
//!  5  old size <= size                                          400
//!  6  size 0 has the root of the empty tree                     422
//!  7  old size == the size cosigned last                        409, and that size
//!  8  old size 0: no proof                                      422
//!  9  old size == size: the same root                           422
//! 10  the consistency proof holds                               422
//! ```

use super::logs::Logs;
use super::request::{Request, RequestError};
use crate::checkpoint::{BodyError, CheckpointError, SignedCheckpoint};
use crate::hash::{EMPTY_ROOT, Hash};
use crate::key::vkey::Vkey;
use crate::merkle::verify::{ProofError, verify_consistency};
use crate::note::{Note, NoteSignature, OpenError};

/// Why a checkpoint is not cosigned, though the witness is in order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is malformed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The witness knows no log of this origin.
    #[error("no log of origin {0:?} is known here")]
    UnknownOrigin(String),
    /// No key of the log signed, or a line under its name is bad.
    #[error(transparent)]
    Signature(#[from] OpenError),
    /// The note is signed, and no checkpoint.
    #[error(transparent)]
    Body(BodyError),
    /// The old size is greater than the size.
    #[error("old size {old} is greater than the checkpoint's size {size}")]
    Backwards {
        /// The old size.
        old: u64,
        /// The checkpoint's size.
        size: u64,
    },
    /// The size is 0, and the root another one than that of the empty tree.
    #[error("size 0 with a root other than that of the empty tree")]
    EmptyRoot,
    /// The old size is not the one that was cosigned last, which is this.
    #[error("the size cosigned last is {0}")]
    Moved(u64),
    /// There is a proof from size 0.
    #[error("a proof from size 0 must be empty")]
    SurplusProof,
    /// Another root of this size was cosigned before.
    #[error("another root of size {0} was cosigned before")]
    OtherRoot(u64),
    /// The proof does not lead from what was cosigned last to this checkpoint.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Refusal {
    /// The HTTP status that says it.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Request(_) | Self::Body(_) | Self::Backwards { .. } => 400,
            Self::Signature(_) => 403,
            Self::UnknownOrigin(_) => 404,
            Self::Moved(_) => 409,
            Self::EmptyRoot | Self::SurplusProof | Self::OtherRoot(_) | Self::Proof(_) => 422,
        }
    }
}

/// What a log signed, and nothing more: how it fits to what was cosigned before is open. Only [`admit`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    old: u64,
    proof: Vec<Hash>,
    checkpoint: SignedCheckpoint,
}

/// Checks 1 to 6: reads a body, and verifies that a known log signed the checkpoint in it.
///
/// # Errors
/// [`Refusal`].
pub fn admit(body: &[u8], logs: &Logs) -> Result<Admitted, Refusal> {
    let Request { old, proof, note } = Request::parse(body)?;
    let origin = note.text().lines().next().unwrap_or_default();
    let keys = logs.keys(origin).ok_or_else(|| Refusal::UnknownOrigin(origin.chars().take(255).collect()))?;
    let signed = signed_by(&note, keys)?;
    let checkpoint = match SignedCheckpoint::parse(signed.as_bytes()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return Err(no_checkpoint(error, old)),
    };
    let size = checkpoint.claim().size;
    if old > size {
        return Err(Refusal::Backwards { old, size });
    }
    Ok(Admitted { old, proof, checkpoint })
}

/// The note with those lines alone that known keys signed: anything else in it is the sender's.
fn signed_by(note: &Note, keys: &[Vkey]) -> Result<String, OpenError> {
    let keys: Vec<&Vkey> = keys.iter().collect();
    let text = note.text();
    let opened = note.open(&keys, |vkey, bytes| vkey.key().holds(text.as_bytes(), bytes).then_some(()))?;
    let mut signed = format!("{text}\n");
    for (vkey, ()) in &opened.verified {
        let is_its = |line: &&NoteSignature| line.name == vkey.name() && line.key_id == vkey.key_id();
        let line = note.signatures().iter().find(is_its).expect("its line was verified");
        signed.push_str(&line.line);
        signed.push('\n');
    }
    Ok(signed)
}

/// A checkpoint's form is checked as a whole, and answered in the order above.
fn no_checkpoint(error: CheckpointError, old: u64) -> Refusal {
    match error {
        CheckpointError::Body(BodyError::EmptyRoot(_)) if old > 0 => Refusal::Backwards { old, size: 0 },
        CheckpointError::Body(BodyError::EmptyRoot(_)) => Refusal::EmptyRoot,
        CheckpointError::Body(error) => Refusal::Body(error),
        CheckpointError::Note(error) => Refusal::Request(error.into()),
        _ => unreachable!("reading a checkpoint checks its form alone"),
    }
}

impl Admitted {
    /// The checkpoint, with the lines of the log's keys alone.
    #[must_use]
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Checks 7 to 10: whether it contains what was cosigned last, given as size and root; before the first time none.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn follows(&self, last: Option<(u64, Hash)>) -> Result<(), Refusal> {
        let (known, known_root) = last.unwrap_or((0, EMPTY_ROOT));
        let (size, root) = (self.checkpoint.claim().size, self.checkpoint.claim().root);
        if self.old != known {
            return Err(Refusal::Moved(known));
        }
        if known == 0 {
            return if self.proof.is_empty() { Ok(()) } else { Err(Refusal::SurplusProof) };
        }
        if size == known && root != known_root {
            return Err(Refusal::OtherRoot(size));
        }
        Ok(verify_consistency(known, size, &known_root, &root, &self.proof)?)
    }

    /// Whether it and what was cosigned last cannot both be of one history, whatever proof is brought: one size, two
    /// roots.
    #[must_use]
    pub fn contradicts(&self, last: Option<(u64, Hash)>) -> bool {
        let claim = self.checkpoint.claim();
        last.is_some_and(|(size, root)| size == claim.size && root != claim.root)
    }
}
