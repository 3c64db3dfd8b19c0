//! One witness, as the log's writer knows it: how far it has seen the log, and what it answers.

use super::{Answer, Clock, Head, SIZE_TYPE, SKEW_S, Transport, Unreached};
use crate::checkpoint::{Claim, SIZE_MAX, SignedCheckpoint};
use crate::client::{Client, ReadError};
use crate::cosignature;
use crate::hash::Hash;
use crate::note::NoteSignature;
use crate::policy::Witness;
use crate::store::Read;
use crate::text::{count, decimal_u64};
use crate::witness::request::Request;
use std::time::Duration;

/// How long is waited at first before a witness that gave no cosignature is asked again; twice as long each time.
pub const PAUSE: Duration = Duration::from_secs(1);

/// The longest that is waited before it is asked again.
pub const PAUSE_MAX: Duration = Duration::from_secs(60);

/// The longest part of a refusal that is kept, in characters.
const REASON_MAX: usize = 200;

/// Why a witness gave no cosignature that counts.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No answer came.
    #[error("witness {witness} cannot be reached: {why}")]
    Unreached {
        /// Its name in the policy.
        witness: String,
        /// Why not.
        why: Unreached,
    },
    /// It refused.
    #[error("witness {witness} answered with status {status}{}", said(.reason))]
    Refused {
        /// Its name in the policy.
        witness: String,
        /// The status: 404 where it does not know the log, 403 where it knows another key.
        status: u16,
        /// The beginning of what it said, unverified.
        reason: String,
    },
    /// It says that the log's checkpoint does not contain the one that it cosigned before, and it said at which size.
    /// Nothing more may be signed: that would be, or prove, a fork.
    #[error(
        "witness {witness} knows {} of another history (status {status}{}): nothing more may be signed",
        count(.size, "entry", "entries"), said(.reason)
    )]
    Fork {
        /// Its name in the policy.
        witness: String,
        /// The size up to which it says to know the log.
        size: u64,
        /// The status.
        status: u16,
        /// The beginning of what it said, unverified.
        reason: String,
    },
    /// It says that it cosigned a greater size than the one that it was asked about: a restored backup, or another writer.
    #[error("witness {witness} knows {}, the log here has {size}", count(.ahead, "entry", "entries"))]
    Ahead {
        /// Its name in the policy.
        witness: String,
        /// The size that it says to know.
        ahead: u64,
        /// The size that it was asked about.
        size: u64,
    },
    /// It said another size twice, or none where it had to.
    #[error("witness {witness} answered with status 409, and no size that leads further")]
    NoSize {
        /// Its name in the policy.
        witness: String,
    },
    /// There is no line by its key in its answer.
    #[error("witness {witness} answered without a cosignature by its key")]
    NoLine {
        /// Its name in the policy.
        witness: String,
    },
    /// The line under its name does not verify.
    #[error("the cosignature of witness {witness} does not verify")]
    BadLine {
        /// Its name in the policy.
        witness: String,
    },
    /// Its clock and the one here are too far apart; nobody can tell here which one is wrong.
    #[error("the clock of witness {witness} differs from the one here by {} seconds", apart(.theirs_s, .ours_s))]
    Clock {
        /// Its name in the policy.
        witness: String,
        /// The time in its cosignature, in seconds since the Unix epoch.
        theirs_s: u64,
        /// The time here.
        ours_s: u64,
    },
    /// The consistency proof could not be made from the log's own tiles.
    #[error("no consistency proof for witness {witness}: {why}")]
    Proof {
        /// Its name in the policy.
        witness: String,
        /// Why not.
        why: Box<ReadError>,
    },
}

impl AskError {
    /// Whether the log must not sign any more, until a person has looked at it.
    #[must_use]
    pub fn stops_the_writer(&self) -> bool {
        matches!(self, Self::Fork { .. } | Self::Ahead { .. })
    }

    /// The witness's name in the policy.
    #[must_use]
    pub fn witness(&self) -> &str {
        match self {
            Self::Unreached { witness, .. }
            | Self::Refused { witness, .. }
            | Self::Fork { witness, .. }
            | Self::Ahead { witness, .. }
            | Self::NoSize { witness }
            | Self::NoLine { witness }
            | Self::BadLine { witness }
            | Self::Clock { witness, .. }
            | Self::Proof { witness, .. } => witness,
        }
    }
}

fn apart(one_s: &u64, other_s: &u64) -> u64 {
    one_s.abs_diff(*other_s)
}

fn said(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason:?}") }
}

/// A cosignature that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The witness's name in the policy.
    pub witness: String,
    /// Of what it is.
    pub head: Head,
    /// The line, its end included.
    pub line: String,
    /// When the witness saw the checkpoint, in seconds since the Unix epoch, by its own clock.
    pub time_s: u64,
}

/// One witness, and what is known of it.
#[derive(Debug, Clone)]
pub struct Asked {
    witness: Witness,
    /// The size up to which it knows the log, as far as that is known here; at first 0, and its 409 says better.
    size: u64,
    /// How often in a row it gave no cosignature.
    failures: u32,
}

impl Asked {
    /// A witness of a policy, of which nothing is known yet.
    #[must_use]
    pub fn new(witness: Witness) -> Self {
        Self { witness, size: 0, failures: 0 }
    }

    /// The witness.
    #[must_use]
    pub fn witness(&self) -> &Witness {
        &self.witness
    }

    /// The size up to which it knows the log, as far as that is known here.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How long to wait before it is asked again: nothing, where its last answer was a cosignature.
    #[must_use]
    pub fn pause(&self) -> Duration {
        match self.failures.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => PAUSE.saturating_mul(1 << doublings.min(6)).min(PAUSE_MAX),
        }
    }

    /// Asks the witness to cosign a note, with a consistency proof out of the log's tiles from the size that it knows; on
    /// 409 once more, from the size that it says.
    ///
    /// # Errors
    /// [`AskError`]: there is no cosignature that counts.
    pub fn ask(
        &mut self,
        note: &SignedCheckpoint,
        tiles: &dyn Read,
        transport: &dyn Transport,
        clock: &Clock,
    ) -> Result<Cosigned, AskError> {
        let asked = self.ask_twice(note, tiles, transport, clock);
        self.failures = if asked.is_ok() { 0 } else { self.failures.saturating_add(1) };
        asked
    }

    /// Asks the witness how far it knows the log, by a published note and `old 0`: one that knows nothing yet cosigns it.
    ///
    /// # Errors
    /// [`AskError`]: it is not known how far it knows the log.
    pub fn learn(
        &mut self,
        published: &SignedCheckpoint,
        transport: &dyn Transport,
        clock: &Clock,
    ) -> Result<Option<Cosigned>, AskError> {
        let (witness, size) = (self.witness.name.clone(), published.claim().size);
        let answer = self.send(0, &[], published, transport)?;
        match answer.status {
            200 => {
                self.size = size;
                self.cosignature(published, &answer, clock).map(Some)
            }
            409 => {
                self.size = said_size(&answer).ok_or(AskError::NoSize { witness })?;
                Ok(None)
            }
            status => Err(AskError::Refused { witness, status, reason: excerpt(&answer) }),
        }
    }

    fn ask_twice(
        &mut self,
        note: &SignedCheckpoint,
        tiles: &dyn Read,
        transport: &dyn Transport,
        clock: &Clock,
    ) -> Result<Cosigned, AskError> {
        let (witness, size) = (self.witness.name.clone(), note.claim().size);
        for _ in 0..2 {
            if self.size > size {
                return Err(AskError::Ahead { witness, ahead: self.size, size });
            }
            let proof = self.proof(note, tiles)?;
            let answer = self.send(self.size, &proof, note, transport)?;
            match answer.status {
                200 => {
                    let cosigned = self.cosignature(note, &answer, clock)?;
                    self.size = size;
                    return Ok(cosigned);
                }
                409 => match said_size(&answer) {
                    // Where the sizes are equal and the roots are not, the text once said 409.
                    Some(now) if now == self.size && now == size && now > 0 => {
                        return Err(AskError::Fork { witness, size, status: 409, reason: excerpt(&answer) });
                    }
                    Some(now) if now != self.size => self.size = now,
                    _ => return Err(AskError::NoSize { witness }),
                },
                422 if self.size > 0 => {
                    let reason = excerpt(&answer);
                    return Err(AskError::Fork { witness, size: self.size, status: 422, reason });
                }
                status => return Err(AskError::Refused { witness, status, reason: excerpt(&answer) }),
            }
        }
        Err(AskError::NoSize { witness })
    }

    fn send(
        &self,
        old: u64,
        proof: &[Hash],
        note: &SignedCheckpoint,
        transport: &dyn Transport,
    ) -> Result<Answer, AskError> {
        let body = Request::write(old, proof, note.as_str());
        let answer = transport.add_checkpoint(&self.witness, body.as_bytes());
        answer.map_err(|why| AskError::Unreached { witness: self.witness.name.clone(), why })
    }

    /// The consistency proof from the size that the witness knows.
    fn proof(&self, note: &SignedCheckpoint, tiles: &dyn Read) -> Result<Vec<Hash>, AskError> {
        let Claim { size, root, .. } = note.claim();
        if self.size == 0 || self.size == size {
            return Ok(Vec::new());
        }
        let proof = Client::open(tiles, size, root).and_then(|mut log| log.consistency_proof(self.size));
        proof.map_err(|why| AskError::Proof { witness: self.witness.name.clone(), why: Box::new(why) })
    }

    /// Finds the witness's own line in an answer, and verifies it. Others are nobody's business here.
    fn cosignature(
        &self,
        note: &SignedCheckpoint,
        answer: &Answer,
        clock: &Clock,
    ) -> Result<Cosigned, AskError> {
        let Witness { name, vkey, .. } = &self.witness;
        let witness = name.clone();
        let is_its =
            |signature: &NoteSignature| signature.name == vkey.name() && signature.key_id == vkey.key_id();
        let lines = std::str::from_utf8(&answer.body).unwrap_or_default().lines();
        let Some(signature) = lines.filter_map(NoteSignature::parse).find(is_its) else {
            return Err(AskError::NoLine { witness });
        };
        let Some(time_s) = cosignature::verify(vkey.key(), note.text(), &signature.bytes) else {
            return Err(AskError::BadLine { witness });
        };
        let ours_s = clock();
        if time_s.abs_diff(ours_s) > SKEW_S {
            return Err(AskError::Clock { witness, theirs_s: time_s, ours_s });
        }
        let head = (note.claim().size, note.claim().root);
        Ok(Cosigned { witness, head, line: signature.line + "\n", time_s })
    }
}

/// The size in an answer with status 409.
fn said_size(answer: &Answer) -> Option<u64> {
    if answer.media_type.as_deref() != Some(SIZE_TYPE) {
        return None;
    }
    let text = std::str::from_utf8(&answer.body).ok()?;
    decimal_u64(text.strip_suffix('\n')?).filter(|size| *size <= SIZE_MAX)
}

/// The beginning of what a witness said with a refusal.
fn excerpt(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).trim().chars().take(REASON_MAX).collect()
}
