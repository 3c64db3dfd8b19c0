//! Publishing: nothing signed leaves before its quorum; and the proofs that can be given from then on.

use super::counts::Came;
use super::{Writing, answer, client};
use crate::checkpoint::SignedCheckpoint;
use crate::hash::Hash;
use crate::key::SigningKey;
use crate::log::{CHECKPOINT, LogError, MAX_CHECKPOINT};
use crate::server::door::{Answer, Refusal};
use crate::submit::{Operator, SubmitError};
use crate::tlog_proof::TlogProof;
use std::collections::BTreeMap;
use std::mem;
use std::time::Instant;
use tokio::sync::oneshot::Sender;

/// The published checkpoint.
pub(super) struct Published {
    pub(super) size: u64,
    pub(super) root: Hash,
    note: String,
}

impl Published {
    /// What was published, by the note itself.
    pub(super) fn of(note: &str) -> Result<Self, SubmitError> {
        let signed = SignedCheckpoint::parse(note.as_bytes()).map_err(LogError::from)?;
        Ok(Self { size: signed.claim().size, root: signed.claim().root, note: note.to_owned() })
    }
}

/// Who waits for the proof of a durable entry.
pub(super) struct Waiting {
    pub(super) arrived: Instant,
    /// Whether the statement came in with this submission.
    pub(super) is_new: bool,
    /// The entry, where it is at hand.
    pub(super) entry: Option<Vec<u8>>,
    pub(super) answer: Sender<Result<Answer, Refusal>>,
}

/// All who wait, by the indexes of their entries. There are no more of them than there are connections.
#[derive(Default)]
pub(super) struct Pending(BTreeMap<u64, Vec<Waiting>>);

impl Pending {
    pub(super) fn wait(&mut self, index: u64, who: Waiting) {
        self.0.entry(index).or_default().push(who);
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets those who wait no more.
    fn forget_gone(&mut self) {
        self.0.retain(|_, all| {
            all.retain(|one| !one.answer.is_closed());
            !all.is_empty()
        });
    }

    /// Those whose entries are below a size.
    fn below(&mut self, size: u64) -> BTreeMap<u64, Vec<Waiting>> {
        let beyond = self.0.split_off(&size);
        mem::replace(&mut self.0, beyond)
    }
}

impl Writing {
    /// Publishes what is committed, and gives proofs to those who wait for them.
    pub(super) fn publish(&mut self) {
        self.pending.forget_gone();
        let Some(operator) = &mut self.operator else { return };
        if let Err(replaced) = operator.check_in_office() {
            return self.hand_over(&replaced);
        }
        let done = if self.gathering.is_some() { self.gather() } else { self.publish_at_once() };
        if let Err(error) = done {
            return self.fail(&error);
        }
        self.give_proofs();
    }

    /// Where nobody need have cosigned it.
    fn publish_at_once(&mut self) -> Result<(), SubmitError> {
        let Some(operator) = &mut self.operator else { return Ok(()) };
        let asked = operator.quorum_asked();
        if asked > 0 {
            // A motion brought them in while this server ran: all goes on but publishing.
            let why =
                format!("the rules ask for the cosignatures of {asked} witnesses now: serve with --policy");
            self.progress.quorum(Some(why));
            return Ok(());
        }
        let size = operator.writer().size();
        if self.published.as_ref().is_none_or(|published| published.size < size) {
            self.published = Some(published(operator, &self.tools.log_key)?);
            self.step();
        }
        Ok(())
    }

    /// Gives proofs to those who wait for what is published.
    fn give_proofs(&mut self) {
        let (Some(operator), Some(published)) = (&self.operator, &self.published) else { return };
        let ready = self.pending.below(published.size);
        if ready.is_empty() {
            return;
        }
        self.waited = self.queue.taken();
        let mut client = match client(operator, published) {
            Ok(client) => client,
            Err(error) => return self.fail(&error),
        };
        for (index, all) in ready {
            for one in all {
                let Waiting { arrived, is_new, entry, answer: to } = one;
                let proof = entry.map_or_else(|| client.entry(index), Ok).and_then(|entry| {
                    let path = client.inclusion_proof(index)?;
                    let checkpoint = published.note.clone();
                    Ok(TlogProof { extra: Some(entry), index, path, checkpoint })
                });
                if is_new {
                    self.counts.came(Came::Published, arrived);
                    if self.gathering.is_some() {
                        self.counts.came(Came::Cosigned, arrived);
                    }
                }
                answer(
                    to,
                    proof
                        .map(|proof| Answer::Proof(proof.to_string()))
                        .map_err(|e| SubmitError::from(e).into()),
                );
            }
        }
    }

    /// The operator was replaced: nothing more is signed. Those who wait have the promise that what is committed is handed over.
    fn hand_over(&mut self, replaced: &SubmitError) {
        if self.progress.ready().is_ok() {
            tracing::warn!(target: "servanda::writer", %replaced, "this operator's work is done");
            self.progress.trouble(Some(replaced.to_string()));
        }
        for (index, all) in self.pending.below(u64::MAX) {
            for one in all {
                let entry = one.entry.map_or_else(|| self.entry_at(index), Ok);
                let promise = entry.and_then(|entry| self.promise_of(index, entry));
                answer(one.answer, promise.map(Answer::Promise));
            }
        }
    }

    fn entry_at(&mut self, index: u64) -> Result<Vec<u8>, Refusal> {
        Ok(self.operator()?.entry(index)?)
    }
}

/// Publishes all that is committed, unless that is done.
fn published(operator: &mut Operator, log_key: &SigningKey) -> Result<Published, SubmitError> {
    let writer = operator.writer();
    let note = if writer.published() == writer.size() {
        let bytes = writer.store().get(CHECKPOINT, MAX_CHECKPOINT)?.unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    } else {
        operator.publish(log_key)?
    };
    Published::of(&note)
}
