//! Many statements into the log: a round of them shares one commit, and one checkpoint ends them all.

use super::desk;
use super::problem::Problem;
use anyhow::Result;
use servanda::field::Instant;
use servanda::key::SigningKey;
use servanda::submit::{Admitted, Operator, Signed, SubmitError};
use servanda::text::count;

/// Admits a round of statements and makes them durable; `before` came in earlier rounds of the same work.
///
/// # Errors
/// Where one is refused: then none of this round is appended, and those before stay.
pub fn round(
    operator: &mut Operator,
    statements: &[Signed<'_>],
    now: Instant,
    before: usize,
) -> Result<Vec<Admitted>> {
    let mut admitted = Vec::with_capacity(statements.len());
    for (at, answer) in (before..).zip(operator.admit_all(statements, now)) {
        admitted.push(answer.map_err(|error| refused(error, at, before))?);
    }
    operator.commit().map_err(|error| desk::failed("cannot append to the log", error))?;
    Ok(admitted)
}

/// Publishes what was committed; gives the size of the log. None where its rules name witnesses: `serve` asks them, and
/// publishes.
///
/// # Errors
/// Where it cannot be published: it stays committed.
pub fn publish(operator: &mut Operator, key: &SigningKey) -> Result<Option<u64>> {
    match operator.publish(key) {
        Ok(_) => {
            // A history that cannot be kept is derived again by whoever opens the log next.
            let _ = operator.rest();
            Ok(Some(operator.writer().published()))
        }
        Err(SubmitError::Unwitnessed(_)) => Ok(None),
        Err(error) => Err(desk::failed("all is in the log, but not published yet", error)),
    }
}

/// Where something stands that was published in a checkpoint of so many entries, or waits for its witnesses.
pub fn published(size: Option<u64>) -> String {
    match size {
        Some(size) => format!("published in the checkpoint of {}", count(size, "entry", "entries")),
        None => "durable; `servanda serve` publishes it with its witnesses' cosignatures".to_owned(),
    }
}

fn refused(error: SubmitError, at: usize, before: usize) -> anyhow::Error {
    match (error, before) {
        (error, 0) => desk::refusal(error),
        (error, _) => {
            let what = format!("statement {} of these was not appended", at + 1);
            let problem = match &error {
                SubmitError::Refused(_) => Problem::refused(what),
                _ => Problem::new(what),
            };
            let hint =
                format!("the first {before} are in the log for good; the next checkpoint publishes them");
            problem.hint(hint).because(error).into()
        }
    }
}
