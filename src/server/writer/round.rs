//! One round: all that waits is admitted, shares one commit, and is durable.

use super::counts::Came;
use super::publish::Waiting;
use super::quorum::Gathering;
use super::{Promised, Writing, answer};
use crate::chain::{Finding, Reason};
use crate::field::Handle;
use crate::server::door::{Answer, Refusal, Submission, Until};
use crate::statement::Statement;
use crate::submit::{Admitted, Signed, SubmitError};
use std::time::Instant;
use tokio::sync::oneshot::Sender;

/// A statement that was looked at, and what came of it.
type Judged = (Submission, Result<(Admitted, Option<Vec<u8>>), SubmitError>);

impl Writing {
    /// Admits what waits, and makes it durable.
    pub(super) fn round(&mut self, submissions: Vec<Submission>) {
        let submissions = self.admissible(submissions);
        let now = (self.tools.clock)();
        if let Some(why) = self.gathering.as_ref().and_then(Gathering::skew) {
            for submission in submissions {
                answer(submission.answer, Err(Refusal::Failed { why: why.clone(), no_room: false }));
            }
            return;
        }
        let operator = match self.operator() {
            Ok(operator) => operator,
            Err(Refusal::Failed { why, no_room }) => {
                let refusal = || Refusal::Failed { why: why.clone(), no_room };
                submissions.into_iter().for_each(|s| answer(s.answer, Err(refusal())));
                return;
            }
            Err(_) => return,
        };
        let signed: Vec<Signed<'_>> =
            submissions.iter().map(|s| (&s.statement[..], &s.signatures[..])).collect();
        let admitted = operator.admit_all(&signed, now);
        let with_entry =
            |admitted: Admitted| (admitted, operator.uncommitted(admitted.index()).map(<[u8]>::to_vec));
        let judged: Vec<_> = admitted.into_iter().map(|judged| judged.map(with_entry)).collect();
        let judged: Vec<Judged> = submissions.into_iter().zip(judged).collect();
        let size = operator.writer().size();
        let committed = operator.make_durable();
        let is_new = operator.writer().size() > size;
        self.charge(&judged);
        self.waited = self.queue.taken() - judged.len();
        match committed {
            Ok(()) => {
                self.went_well();
                if is_new {
                    self.counts.rounds.inc();
                }
                let mut promised = Vec::new();
                let broken = judged.into_iter().filter_map(|one| self.durable(one, &mut promised)).last();
                self.give_promises(promised);
                // An index of ids that failed once fails from then on: it is made anew with the log.
                if let Some(error) = broken {
                    self.fail(&error);
                }
            }
            Err(error) => {
                self.fail(&error);
                // Even who was refused was judged by what may not be in the log now.
                for (submission, _) in judged {
                    self.counts.submission("failed");
                    answer(submission.answer, Err(Refusal::failed(&error)));
                }
            }
        }
    }

    /// Refuses those whose authors have said too much; who they say they are is not known yet, and cost nobody anything.
    fn admissible(&self, submissions: Vec<Submission>) -> Vec<Submission> {
        let Some(partners) = &self.partners else { return submissions };
        let (mut admissible, now) = (Vec::with_capacity(submissions.len()), Instant::now());
        for submission in submissions {
            let author = Statement::decode(&submission.statement).ok().map(|s| s.author);
            let wait = author.as_ref().and_then(|author| partners.wait(author, now));
            match author.zip(wait) {
                Some((author, wait)) => {
                    self.counts.submission("too_often");
                    answer(submission.answer, Err(Refusal::TooOften { author: author.to_string(), wait }));
                }
                None => admissible.push(submission),
            }
        }
        admissible
    }

    /// Counts what partners said: what bears their signatures, in the log or not.
    fn charge(&self, judged: &[Judged]) {
        let Some(partners) = &self.partners else { return };
        let now = Instant::now();
        for author in judged.iter().filter_map(|(submission, judged)| author(submission, judged)) {
            partners.charge(&author, now);
        }
    }

    /// Whoever waits for no more than this is to have a promise; the others wait until it is published. Gives the failure of
    /// the index of ids, where there was one.
    fn durable(&mut self, (submission, judged): Judged, promised: &mut Vec<Promised>) -> Option<SubmitError> {
        let Submission { until, arrived, answer: to, .. } = submission;
        let (admitted, entry) = match judged {
            Ok(judged) => judged,
            Err(error @ SubmitError::Index(_)) => {
                self.counts.submission("failed");
                answer(to, Err(Refusal::failed(&error)));
                return Some(error);
            }
            Err(error) => {
                self.refused(error, to);
                return None;
            }
        };
        let index = admitted.index();
        let is_new = matches!(admitted, Admitted::New { .. });
        self.counts.submission(if is_new { "new" } else { "known" });
        if is_new {
            self.counts.came(Came::Durable, arrived);
        }
        let is_published = self.published.as_ref().is_some_and(|published| index < published.size);
        // Its proof is at hand, or soon will be.
        if until == Until::Published || is_published {
            self.pending.wait(index, Waiting { arrived, is_new, entry, answer: to });
            return None;
        }
        match entry.map_or_else(|| self.entry(index), Ok) {
            Ok(entry) => promised.push((index, entry, to)),
            Err(error) => answer(to, Err(error)),
        }
        None
    }

    /// Answers whose statement was not taken.
    fn refused(&self, error: SubmitError, to: Sender<Result<Answer, Refusal>>) {
        self.counts.submission("refused");
        if !matches!(error, SubmitError::Refused(_) | SubmitError::Statement(_) | SubmitError::Entry(_)) {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(target: "servanda::writer", %error, cause, "a statement could not be taken");
        }
        answer(to, Err(error.into()));
    }

    fn entry(&mut self, index: u64) -> Result<Vec<u8>, Refusal> {
        Ok(self.operator()?.entry(index)?)
    }
}

/// Who said something that bears their signatures.
fn author(
    submission: &Submission,
    judged: &Result<(Admitted, Option<Vec<u8>>), SubmitError>,
) -> Option<Handle> {
    let unsigned = |f: &Finding| {
        matches!(
            f.reason,
            Reason::OtherLog { .. }
                | Reason::UnknownAuthor
                | Reason::NotAcceded
                | Reason::NoSignatures
                | Reason::SignatureOrder
                | Reason::UnknownOfficer { .. }
                | Reason::Algorithm { .. }
                | Reason::BadSignature { .. }
                | Reason::WrongClass { .. }
                | Reason::BelowThreshold { .. }
                | Reason::NotAllSigned { .. }
                | Reason::NewKeysSigned { .. }
        )
    };
    let holds = match judged {
        Ok(_) => true,
        Err(SubmitError::Refused(findings)) => !findings.iter().any(unsigned),
        Err(_) => false,
    };
    holds.then(|| Some(Statement::decode(&submission.statement).ok()?.author)).flatten()
}
