//! A witness: who cosigns a log's checkpoint only if it contains the one before.
//!
//! c2sp.org/tlog-witness. A witness knows some logs, and of each the last checkpoint that it cosigned; it is believed not
//! to cosign two histories, and its cosignatures say when it saw what. [`request`] is what it is asked, [`logs`] whom it
//! knows, [`judge`] the checks. This module owns the state between them, in any [`Store`]:
//!
//! ```text
//! public/HEX/checkpoint              cosigned last: the log's lines and this witness's; HEX is SHA-256(origin)
//! private/evidence/HEX/fork/…        two checkpoints of one size, both signed by the log; `servanda check` takes them
//! private/evidence/HEX/unproven/…    signed by the log, sent without a proof that holds; alone they prove nothing
//! ```
//!
//! The first is swapped, durable, before the cosignature leaves: of two requests at once, one wins, and the other is
//! judged again by what the winner left. So `public` is the monitoring prefix, as static files. What is read back is
//! verified like a stranger's: a flipped bit on the disk ends in an error, never in a cosignature.
//!
//! Who restores this state from a backup makes the witness forget what it cosigned. There is no way to tell from inside:
//! a witness whose state was lost takes a new key.

mod kept;
pub mod judge;
pub mod logs;
pub mod request;
#[cfg(test)]
mod tests;

pub use judge::Refusal;
pub use kept::{EVIDENCE_MAX, Kept};

use crate::checkpoint::SignedCheckpoint;
use crate::cosignature::{self, CosignatureError, cosign};
use crate::hash::{Hash, sha256};
use crate::key::SigningKey;
use crate::key::vkey::{Kind, Vkey, VkeyError};
use crate::store::{Store, StoreError, Swap};
use logs::Logs;

/// The longest checkpoint that is kept, in bytes: a log's lines and one more.
pub const CHECKPOINT_MAX: u64 = 64 << 10;

/// How often a request is judged again because another one won.
const TRIES: usize = 8;

/// Why the witness could not answer as it should: the fault is on its side.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The storage failed. Nothing was cosigned.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was cosigned last cannot be read back. Nothing is cosigned until a person has looked at it.
    #[error("{name} is damaged, or was signed by keys that are not known any more; nothing is cosigned")]
    Damaged {
        /// The object's name.
        name: String,
    },
    /// The clock, or the witness's name, cannot stand in a cosignature.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
    /// Others won each time; asking again may help.
    #[error("too many requests about this log at once")]
    Busy,
}

/// Why a request brought no cosignature.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The request is to blame, or the log.
    #[error("{why}")]
    Because {
        /// What is wrong.
        why: Box<Refusal>,
        /// The checkpoint's origin and size, where a known log signed it.
        about: Option<(String, u64)>,
        /// What was kept of it.
        kept: Kept,
    },
    /// The witness is to blame.
    #[error(transparent)]
    Failed(#[from] WitnessError),
}

impl From<Refusal> for Refused {
    fn from(why: Refusal) -> Self {
        Self::Because { why: why.into(), about: None, kept: Kept::Nothing }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What a witness answers with status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The cosignature's line, its end included.
    pub line: String,
    /// The log.
    pub origin: String,
    /// The size that is now the last one.
    pub size: u64,
}

/// A witness: its key, and what it cosigned. May be used by many threads, and by several processes on one store.
pub struct Witness {
    store: Box<dyn Store>,
    key: SigningKey,
    vkey: Vkey,
}

impl Witness {
    /// Opens a witness under a name over its state.
    ///
    /// # Errors
    /// [`VkeyError`], if the name cannot be one.
    pub fn open(store: Box<dyn Store>, name: &str, key: SigningKey) -> Result<Self, VkeyError> {
        let vkey = Vkey::witness(name, key.public())?;
        Ok(Self { store, key, vkey })
    }

    /// Its public key under its name: the line that policies hold.
    #[must_use]
    pub fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    /// Answers an add-checkpoint request, at a time in seconds since the Unix epoch. What it answers with is durable.
    ///
    /// # Errors
    /// [`Refused`]: nothing was cosigned.
    pub fn add_checkpoint(&self, logs: &Logs, body: &[u8], time_s: u64) -> Result<Cosigned, Refused> {
        let admitted = judge::admit(body, logs)?;
        let claim = admitted.checkpoint().claim();
        let (origin, size) = (claim.origin.to_owned(), claim.size);
        let name = object(&origin);
        let text = admitted.checkpoint().text();
        for _ in 0..TRIES {
            let old = self.store.get(&name, CHECKPOINT_MAX)?;
            let last = old.as_deref().map(|note| self.read_back(note, &name, &origin, logs)).transpose()?;
            if let Err(why) = admitted.follows(last) {
                let kept = kept::keep(&*self.store, &admitted, &why, last, old.as_deref());
                return Err(Refused::Because { why: why.into(), about: Some((origin, size)), kept });
            }
            let line = cosign(self.vkey.name(), &self.key, time_s, text).map_err(WitnessError::from)?;
            let note = format!("{}{line}", admitted.checkpoint().as_str());
            match self.store.swap(&name, old.as_deref(), note.as_bytes())? {
                Swap::Done => return Ok(Cosigned { line, origin, size }),
                Swap::Lost(_) => {}
            }
        }
        Err(WitnessError::Busy.into())
    }

    /// The size and root cosigned last for an origin; none before the first time.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn last(&self, logs: &Logs, origin: &str) -> Result<Option<(u64, Hash)>, WitnessError> {
        let name = object(origin);
        let note = self.store.get(&name, CHECKPOINT_MAX)?;
        note.map(|note| self.read_back(&note, &name, origin, logs)).transpose()
    }

    /// Reads what was cosigned last: signed by this witness's key, or the log's, where either was changed since.
    fn read_back(
        &self,
        note: &[u8],
        name: &str,
        origin: &str,
        logs: &Logs,
    ) -> Result<(u64, Hash), WitnessError> {
        let damaged = || WitnessError::Damaged { name: name.to_owned() };
        let read = SignedCheckpoint::parse(note).map_err(|_| damaged())?;
        let keys: Vec<&Vkey> = logs.keys(origin).unwrap_or_default().iter().chain([&self.vkey]).collect();
        let holds = |vkey: &Vkey, bytes: &[u8]| match vkey.kind() {
            Kind::Log => vkey.key().holds(read.text().as_bytes(), bytes).then_some(()),
            Kind::Cosignature => cosignature::verify(vkey.key(), read.text(), bytes).map(|_| ()),
        };
        read.note().open(&keys, holds).map_err(|_| damaged())?;
        let claim = read.claim();
        if claim.origin == origin { Ok((claim.size, claim.root)) } else { Err(damaged()) }
    }
}

/// The name of the object that holds what was cosigned last for an origin.
#[must_use]
pub fn object(origin: &str) -> String {
    format!("public/{}/checkpoint", folder(origin))
}

/// The folder of a log.
fn folder(origin: &str) -> String {
    hex::encode(sha256(origin.as_bytes()).0)
}
