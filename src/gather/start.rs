//! The question before the first signature: does any witness know more of this log than this log does?
//!
//! A log that was restored from a backup would sign a second history. Its witnesses know better, if enough of them can be
//! asked: those that answered must be in every quorum, so that no quorum knows what they do not.

use super::{AskError, Asked, Clock, Cosigned, Transport};
use crate::checkpoint::SignedCheckpoint;
use crate::policy::Policy;

/// Why nothing may be signed yet.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A witness knows another history, or more than there is here ([`AskError::stops_the_writer`]).
    #[error(transparent)]
    Stop(Box<AskError>),
    /// The witnesses that did not answer could be a quorum: asking again later may help.
    #[error("too few witnesses answered to tell whether this log was restored from a backup: {}", list(.0))]
    TooFew(Vec<AskError>),
}

fn list(errors: &[AskError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What the witnesses said.
#[derive(Debug)]
pub struct Found {
    /// All witnesses of the policy, with what is known of each; for [`super::Crew::start`].
    pub asked: Vec<Asked>,
    /// Cosignatures of the published note, by witnesses that did not know the log yet.
    pub lines: Vec<Cosigned>,
    /// What those said, or why they did not, who could not tell: for the operator to read.
    pub silent: Vec<AskError>,
}

/// Asks all witnesses of a policy at once how far they know the log, by its published note; `here` is the size that is
/// committed. Where nothing was published yet (`None`), nobody is asked.
///
/// Takes as long as the slowest answer, which the transport bounds.
///
/// # Errors
/// [`StartError`]: nothing may be signed.
pub fn ask_all(
    published: Option<&SignedCheckpoint>,
    here: u64,
    policy: &Policy,
    transport: &dyn Transport,
    clock: &Clock,
) -> Result<Found, StartError> {
    todo!("{published:?} {here} {policy:?} {:p} {:p}", transport, clock)
}
