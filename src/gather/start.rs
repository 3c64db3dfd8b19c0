//! The question before the first signature: does any witness know more of this log than this log does?
//!
//! A log that was restored from a backup would sign a second history. Its witnesses know better, if enough of them can be
//! asked: those that answered must be in every quorum, so that no quorum knows what they do not.

use super::{AskError, Asked, Clock, Cosigned, Transport};
use crate::checkpoint::SignedCheckpoint;
use crate::policy::Policy;
use std::thread;

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
    let mut found = Found { asked: Vec::new(), lines: Vec::new(), silent: Vec::new() };
    found.asked.extend(policy.witnesses().iter().cloned().map(Asked::new));
    let Some(published) = published else { return Ok(found) };
    let learnt: Vec<_> = thread::scope(|scope| {
        let learn = |asked: &mut Asked| asked.learn(published, transport, clock);
        let threads: Vec<_> = found.asked.iter_mut().map(|asked| scope.spawn(move || learn(asked))).collect();
        threads.into_iter().map(|thread| thread.join().expect("asking does not panic")).collect()
    });
    let mut answered = Vec::new();
    for (asked, learnt) in found.asked.iter().zip(learnt) {
        let (witness, ahead) = (asked.witness().name.clone(), asked.size());
        if ahead > here {
            let ahead = AskError::Ahead { witness, ahead, size: here };
            return Err(StartError::Stop(Box::new(ahead)));
        }
        match learnt {
            Err(error) => found.silent.push(error),
            Ok(line) => {
                found.lines.extend(line);
                answered.push(witness);
            }
        }
    }
    // Without a quorum nobody needs to have seen anything.
    let enough =
        policy.quorum_is_none() || policy.intersects_every_quorum(answered.iter().map(String::as_str));
    if enough { Ok(found) } else { Err(StartError::TooFew(found.silent)) }
}
