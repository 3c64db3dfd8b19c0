//! Gathering cosignatures: what a log's writer asks of witnesses, and what their answers are worth.
//!
//! c2sp.org/tlog-witness, the client's side. Nothing here knows a network or a clock: requests leave by a [`Transport`],
//! and the time is asked of a [`Clock`]. An answer is bytes until its cosignature was verified under the policy.
//!
//! - [`asked`]: one witness. The size up to which it knows the log, a consistency proof from there, one more try on 409.
//! - [`round`]: one note, and the cosignatures that it got so far: are they a quorum?
//! - [`start`]: the question before the first signature: is any witness ahead of this log?
//! - [`crew`]: a thread for each witness, which hands back lines as they come.
//!
//! In a writer:
//!
//! ```text
//! let found = start::ask_all(published, size, &policy, &transport, &clock)?;   // refuses after a restored backup
//! let crew = Crew::start(found.asked, store, transport, clock, move |told| queue.send(told));
//! loop {
//!     let mut round = Round::new(&writer.sign(…)?, &policy)?;
//!     crew.ask(&round);
//!     // for each `told` from the queue, for up to 2 seconds:
//!     round.take(&told);
//!     if round.has_quorum() { writer.publish_cosigned(round.note())?; }
//! }
//! ```

pub mod asked;
pub mod crew;
#[cfg(feature = "net")]
pub mod http;
pub mod round;
pub mod start;
#[cfg(test)]
mod tests;

use crate::charter::rules::Witnesses;
use crate::hash::Hash;
use crate::key::VerifyingKey;
use crate::policy::{Policy, Witness};
use crate::roster::anchor::ANCHOR_SKEW_MS;
use std::error::Error;

pub use asked::{AskError, Asked, Cosigned};
pub use crew::{Crew, Told};
pub use round::Round;

/// How far a witness's clock may be from the one here, in seconds.
pub const SKEW_S: u64 = ANCHOR_SKEW_MS / 1000;

/// The most bytes of an answer that are read.
pub const ANSWER_MAX: u64 = 64 << 10;

/// The media type of an answer that is a size.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// The time, in seconds since the Unix epoch.
pub type Clock = dyn Fn() -> u64 + Send + Sync;

/// How requests reach witnesses.
pub trait Transport: Send + Sync {
    /// Sends the body of an add-checkpoint request to a witness, once, and brings its answer, of at most [`ANSWER_MAX`]
    /// bytes. Must come back within a bounded time.
    ///
    /// # Errors
    /// [`Unreached`]: then it is not known whether the witness cosigned.
    fn add_checkpoint(&self, witness: &Witness, body: &[u8]) -> Result<Answer, Unreached>;
}

/// What a witness answered: bytes that nobody verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The media type, without its parameters.
    pub media_type: Option<String>,
    /// The content.
    pub body: Vec<u8>,
}

/// No answer came.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreached(#[source] pub Box<dyn Error + Send + Sync>);

/// Whether every quorum of a policy has as many of the witnesses that a log's rules name as these ask for.
#[must_use]
pub fn suits(policy: &Policy, rules: Option<&Witnesses>) -> bool {
    rules.is_none_or(|rules| {
        let keys: Vec<VerifyingKey> = rules.keys().map(|vkey| *vkey.key()).collect();
        u64::try_from(policy.fewest_of(&keys)).is_ok_and(|fewest| fewest >= rules.quorum)
    })
}

/// A size and the root at it.
pub type Head = (u64, Hash);
