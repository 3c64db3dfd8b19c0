//! One note on its way to a quorum.

use super::{Cosigned, Head};
use crate::checkpoint::{CheckpointError, SignedCheckpoint, VerifiedCheckpoint};
use crate::policy::Policy;
use std::collections::BTreeSet;

/// A note that the log signed, with the cosignatures that it got so far.
#[derive(Debug, Clone)]
pub struct Round {
    policy: Policy,
    note: SignedCheckpoint,
    /// By their names in the policy.
    cosigned: BTreeSet<String>,
}

impl Round {
    /// Begins with a note as the log signed it; cosignatures that are there already count, if they verify.
    ///
    /// # Errors
    /// [`CheckpointError`], where it is no checkpoint that a log of the policy signed.
    pub fn new(note: &str, policy: &Policy) -> Result<Self, CheckpointError> {
        let note = SignedCheckpoint::parse(note.as_bytes())?;
        let opened = note.open(&policy.without_quorum())?;
        Ok(Self { policy: policy.clone(), note, cosigned: names(&opened) })
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> Head {
        (self.note.claim().size, self.note.claim().root)
    }

    /// The note as it is now, with all lines so far: what to publish once there is a quorum.
    #[must_use]
    pub fn note(&self) -> &str {
        self.note.as_str()
    }

    /// The same, for asking witnesses.
    #[must_use]
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.note
    }

    /// Takes a line, if it is of this note; tells whether the note changed by it.
    pub fn take(&mut self, cosigned: &Cosigned) -> bool {
        if cosigned.head != self.head() {
            return false;
        }
        // By the same rules as every reader's, and not by what the line is said to be.
        let Ok(note) = self.note.with_cosignatures(&cosigned.line, &self.policy) else { return false };
        let Ok(opened) = note.open(&self.policy.without_quorum()) else { return false };
        if note == self.note {
            return false;
        }
        (self.note, self.cosigned) = (note, names(&opened));
        true
    }

    /// The witnesses that have cosigned, by their names in the policy.
    pub fn cosigned(&self) -> impl Iterator<Item = &str> {
        self.cosigned.iter().map(String::as_str)
    }

    /// Whether they are a quorum; always so where the policy asks for none.
    #[must_use]
    pub fn has_quorum(&self) -> bool {
        self.policy.satisfied(self.cosigned())
    }

    /// Whether every witness of the policy has cosigned, so that no more lines are to come.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.cosigned.len() == self.policy.witnesses().len()
    }
}

fn names(opened: &VerifiedCheckpoint) -> BTreeSet<String> {
    opened.cosigners().iter().map(|cosigner| cosigner.name.clone()).collect()
}
