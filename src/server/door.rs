//! The way from requests to the writer: a bounded queue, what comes out of it, and why something does not go in.
//!
//! A submission takes one of [`MAX_WAITING`] places and its length of [`MAX_WAITING_BYTES`], until it is durable or refused.
//! Where either is used up it is refused at once: nobody waits for a place.

use super::problem::{
    BUSY, FAILED, NO_ROOM, NO_STATEMENT, NOT_THERE, OUTDATED, Problem, REFUSED, REPLACED, STOPPED, TOO_OFTEN,
};
use crate::chain::{Finding, Reason};
use crate::gather::Told;
use crate::gather::start::{Found, StartError};
use crate::log::LogError;
use crate::statement::Signature;
use crate::store::StoreError;
use crate::submit::SubmitError;
use serde_json::json;
use std::io::ErrorKind;
use std::sync::mpsc::Sender;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// The most submissions that wait for the writer.
pub const MAX_WAITING: usize = 1024;

/// The most bytes of statements and signatures that wait for the writer.
pub const MAX_WAITING_BYTES: usize = 32 << 20;

/// How long someone is to wait where the queue is full.
const RETRY: Duration = Duration::from_secs(1);

/// Until when whoever submits wants to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// Until a proof can be given.
    #[default]
    Published,
    /// Until a promise can be given.
    Durable,
}

/// What came of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is published: its proof (c2sp.org/tlog-proof).
    Proof(String),
    /// It is durable: the operator's promise, armoured.
    Promise(String),
}

/// Why a statement is not in the log, or not known to be.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The queue is full.
    #[error("{MAX_WAITING} statements wait already")]
    Full,
    /// Its author has said too much.
    #[error("{author} has said too much at once")]
    TooOften {
        /// Who.
        author: String,
        /// How long to wait.
        wait: Duration,
    },
    /// The door refuses it.
    #[error(transparent)]
    Door(#[from] SubmitError),
    /// The writer failed; what became of the statement is not known.
    #[error("{why}")]
    Failed {
        /// Why.
        why: String,
        /// Whether there was no room.
        no_room: bool,
    },
    /// There is no such promise to give.
    #[error("entry {0} is published, or not in the log")]
    NoPromise(u64),
    /// The writer has ended.
    #[error("the server is ending")]
    Ended,
}

impl Refusal {
    /// What a failure of the writer means for those whose statements it had.
    #[must_use]
    pub fn failed(error: &SubmitError) -> Self {
        Self::Failed { why: error.to_string(), no_room: is_no_room(error) }
    }
}

/// Whether a failure came of a full disk.
fn is_no_room(error: &SubmitError) -> bool {
    let store = match error {
        SubmitError::Store(error) | SubmitError::Log(LogError::Store(error)) => error,
        _ => return false,
    };
    let full = |kind| matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    matches!(store, StoreError::Io { source, .. } if full(source.kind()))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let said = refusal.to_string();
        match refusal {
            Refusal::Full => Self::new(&BUSY).detail(said).retry_after(RETRY),
            Refusal::TooOften { wait, .. } => Self::new(&TOO_OFTEN).detail(said).retry_after(wait),
            Refusal::Failed { no_room: true, .. } => Self::new(&NO_ROOM).detail(said),
            Refusal::Failed { .. } | Refusal::Ended => Self::new(&STOPPED).detail(said).retry_after(RETRY),
            Refusal::NoPromise(_) => Self::new(&NOT_THERE).detail(said),
            Refusal::Door(error) => of_door(&error),
        }
    }
}

fn of_door(error: &SubmitError) -> Problem {
    match error {
        SubmitError::Statement(_) | SubmitError::Entry(_) => {
            Problem::new(&NO_STATEMENT).detail(error.to_string())
        }
        SubmitError::Refused(findings) => refused(findings),
        SubmitError::Replaced { index, vkey } => Problem::new(&REPLACED)
            .detail(error.to_string())
            .with("index", *index)
            .with("successor", vkey.to_string()),
        SubmitError::Clock { .. } | SubmitError::NotUnderstood(_) => {
            Problem::new(&STOPPED).detail(error.to_string()).retry_after(RETRY)
        }
        // The reason is for the operator.
        _ => Problem::new(&FAILED),
    }
}

fn refused(findings: &[Finding]) -> Problem {
    let out_of_place = |f: &Finding| matches!(f.reason, Reason::Seq { .. } | Reason::Prev { .. });
    let kind = if findings.iter().any(out_of_place) { &OUTDATED } else { &REFUSED };
    let all: Vec<String> = findings.iter().map(|f| f.reason.to_string()).collect();
    let told = |f: &Finding| json!({"code": f.reason.code(), "effect": f.reason.effect(), "text": f.reason.to_string()});
    let told: Vec<_> = findings.iter().map(told).collect();
    let rule = findings.first().map(|f| f.reason.code());
    Problem::new(kind).detail(all.join("; ")).with("rule", rule).with("findings", told)
}

/// A statement on its way to the writer.
pub(super) struct Submission {
    pub(super) statement: Vec<u8>,
    pub(super) signatures: Vec<Signature>,
    pub(super) until: Until,
    pub(super) arrived: Instant,
    pub(super) answer: oneshot::Sender<Result<Answer, Refusal>>,
    /// Its place in the queue, and its bytes.
    pub(super) _place: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

/// What the writer is told.
pub(super) enum Work {
    Submission(Box<Submission>),
    /// Give the promise of a durable entry, armoured.
    Promise(u64, oneshot::Sender<Result<String, Refusal>>),
    /// What the witnesses say of how far they know the log.
    Learned(Box<Result<Found, StartError>>),
    /// What came of asking a witness to cosign.
    Told(Box<Told>),
    /// Take nothing more, and end.
    End,
}

/// The places of those who wait for the writer.
#[derive(Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Places {
    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        MAX_WAITING - self.0.available_permits()
    }
}

/// The way in.
#[derive(Clone)]
pub struct Door {
    queue: Sender<Work>,
    places: Places,
    bytes: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new() -> (Self, mpsc::Receiver<Work>) {
        // It is the places that bound it.
        let (queue, work) = mpsc::channel();
        let (places, bytes) =
            (Places(Arc::new(Semaphore::new(MAX_WAITING))), Arc::new(Semaphore::new(MAX_WAITING_BYTES)));
        (Self { queue, places, bytes }, work)
    }

    /// How many statements wait for the writer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.places.taken()
    }

    /// Hands a statement to the writer; what comes of it is answered once.
    ///
    /// # Errors
    /// [`Refusal::Full`], [`Refusal::Ended`].
    pub fn submit(
        &self,
        statement: Vec<u8>,
        signatures: Vec<Signature>,
        until: Until,
    ) -> Result<oneshot::Receiver<Result<Answer, Refusal>>, Refusal> {
        let arrived = Instant::now();
        let len = statement.len() + signatures.iter().map(|s| s.bytes.len()).sum::<usize>();
        let len = u32::try_from(len).map_err(|_| Refusal::Full)?;
        let place = Arc::clone(&self.places.0).try_acquire_owned().map_err(|_| Refusal::Full)?;
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(len).map_err(|_| Refusal::Full)?;
        let (answer, answered) = oneshot::channel();
        let submission = Submission { statement, signatures, until, arrived, answer, _place: (place, bytes) };
        self.queue.send(Work::Submission(Box::new(submission))).map_err(|_| Refusal::Ended)?;
        Ok(answered)
    }

    /// Asks for the promise of an entry that is durable and not published.
    ///
    /// # Errors
    /// [`Refusal::Full`], [`Refusal::Ended`], [`Refusal::NoPromise`].
    pub async fn promise(&self, index: u64) -> Result<String, Refusal> {
        let _place = Arc::clone(&self.places.0).try_acquire_owned().map_err(|_| Refusal::Full)?;
        let (answer, answered) = oneshot::channel();
        self.queue.send(Work::Promise(index, answer)).map_err(|_| Refusal::Ended)?;
        answered.await.map_err(|_| Refusal::Ended)?
    }

    /// The places, which keep nobody at work.
    pub(super) fn places(&self) -> Places {
        self.places.clone()
    }

    /// The queue itself, for those who are few.
    pub(super) fn queue(&self) -> Sender<Work> {
        self.queue.clone()
    }

    pub(super) fn end(&self) {
        // Whoever has ended need not be told.
        let _ = self.queue.send(Work::End);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse as _;

    #[test]
    fn no_more_wait_than_there_are_places() {
        let (door, work) = Door::new();
        let submit = |len: usize| door.submit(vec![0; len], Vec::new(), Until::Published);
        let held: Vec<_> = (0..MAX_WAITING).map(|_| submit(10)).collect();
        assert!(held.iter().all(Result::is_ok));
        assert!(matches!(submit(10), Err(Refusal::Full)));
        assert_eq!(door.waiting(), MAX_WAITING);
        drop(work.recv().unwrap());
        assert!(submit(10).is_ok(), "a place is free when its statement is done");
        drop(work);
        let (door, _work) = Door::new();
        let submit = |len: usize| door.submit(vec![0; len], Vec::new(), Until::Published);
        assert!(submit(MAX_WAITING_BYTES).is_ok());
        assert!(matches!(submit(1), Err(Refusal::Full)));
    }

    #[test]
    fn refusals_have_statuses() {
        let status = |refusal: Refusal| Problem::from(refusal).into_response().status().as_u16();
        let finding = |reason| Finding { index: 1, author: None, id: None, reason };
        let door = |reason| Refusal::Door(SubmitError::Refused(vec![finding(reason)]));
        assert_eq!(status(door(Reason::Suspended)), 422);
        assert_eq!(status(door(Reason::Seq { got: 1, want: 2 })), 409);
        assert_eq!(status(Refusal::Full), 503);
        let wait = Duration::from_secs(2);
        assert_eq!(status(Refusal::TooOften { author: "de".into(), wait }), 429);
        assert_eq!(status(Refusal::NoPromise(3)), 404);
        let full = std::io::Error::from(ErrorKind::StorageFull);
        let store = StoreError::Io { attempt: crate::store::Attempt::Write, name: "x".into(), source: full };
        assert_eq!(status(Refusal::failed(&SubmitError::Store(store))), 507);
        assert_eq!(status(Refusal::failed(&SubmitError::Log(LogError::Stopped))), 503);
    }
}
