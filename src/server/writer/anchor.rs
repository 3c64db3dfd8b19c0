//! Anchors: where the rules name witnesses, a freshly cosigned checkpoint goes into the log hourly, traffic or not.
//!
//! Its time is the lower median of its witnesses' times, and must lie close to the anchor's own: so what was published is
//! cosigned anew, where it is older, before it is appended. What it must be like, and since when the next one is awaited, the
//! log itself says: the roster and the history judge it here as they do wherever the log is verified.

use super::{Moment, Writing, officers};
use crate::codec::encode;
use crate::field::{Class, Duration as Span, Handle, Instant};
use crate::gather::SKEW_S;
use crate::key::SigningKey;
use crate::statement::body::Anchor;
use crate::statement::{self, Act};
use crate::submit::{Operator, SubmitError};
use std::time::Duration;

/// How long after an anchor the next one is due, in milliseconds.
const EVERY_MS: u64 = 3_600_000;

/// How far the checkpoint's time may be from the anchor's own, in milliseconds: less than what is an operator's fault.
const FRESH_MS: u64 = (SKEW_S - 60) * 1000;

/// How often is looked whether one is due; and how long is waited where one could not be appended.
pub(super) const LOOK: Duration = Duration::from_secs(10);

/// How long an anchor may take from its author to the log, in days.
const EXPIRY_DAYS: u64 = 1;

/// When the next anchor is tried.
pub(super) struct Anchors {
    /// Witnesses are not asked for one before.
    ask_after: Moment,
    /// None is appended before.
    append_after: Moment,
}

impl Anchors {
    pub(super) fn new() -> Self {
        Self { ask_after: Moment::now(), append_after: Moment::now() }
    }
}

impl Writing {
    /// Appends an anchor where one is due and what is published was cosigned just now; where that was longer ago, has it
    /// cosigned anew.
    pub(super) fn anchor(&mut self) -> Result<(), SubmitError> {
        let now = (self.tools.clock)();
        let (Some(gathering), Some(operator)) = (&mut self.gathering, &mut self.operator) else {
            return Ok(());
        };
        let (Some(last), Some(note)) = (operator.history().anchored(), gathering.published_note()) else {
            return Ok(());
        };
        if gathering.skew().is_some() || !is_due(last.at, now) {
            return Ok(());
        }
        let (size, anchor) =
            (note.claim().size, Anchor { checkpoint: note.as_str().as_bytes().to_vec().into() });
        let witnessed = operator.roster().witnessed(&anchor);
        let anchors = &mut gathering.anchors;
        if !witnessed.is_ok_and(|at| at.ms().abs_diff(now.ms()) <= FRESH_MS) {
            // Where there is more to publish, that is cosigned anyway.
            if size == operator.writer().size() && anchors.ask_after <= Moment::now() {
                anchors.ask_after = Moment::now() + LOOK;
                let signed = operator.sign(&self.tools.log_key)?;
                gathering.send(&signed)?;
            }
            return Ok(());
        }
        if anchors.append_after > Moment::now() {
            return Ok(());
        }
        match append(operator, &self.tools.officers, anchor, now) {
            Ok(()) => {}
            Err(
                error @ (SubmitError::Refused(_) | SubmitError::Clock { .. } | SubmitError::Replaced { .. }),
            ) => {
                anchors.append_after = Moment::now() + LOOK;
                tracing::warn!(target: "servanda::writer", %error, "no anchor could be appended");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        tracing::info!(target: "servanda::writer", size, "anchored");
        self.step();
        Ok(())
    }
}

/// Whether an anchor is due: an hour after the last one, or where time started anew since.
fn is_due(last: Instant, now: Instant) -> bool {
    now < last || now.ms() - last.ms() >= EVERY_MS
}

/// Says that this checkpoint was cosigned, and makes that durable.
fn append(
    operator: &mut Operator,
    keys: &[SigningKey],
    anchor: Anchor,
    now: Instant,
) -> Result<(), SubmitError> {
    let (history, roster) = (operator.history(), operator.roster());
    let expires_at = now.plus(Span::of_days(EXPIRY_DAYS)).min(now.plus(roster.charter.rules.longest_expiry));
    let (author, act) = (Handle::operator(), Act::Anchor(anchor));
    let said = history.next_statement(roster.log, author, Class::OperateLog, &act, now..expires_at);
    let statement = encode(&said);
    let id = statement::id(&statement);
    let signatures: Vec<_> =
        officers(roster, keys).into_iter().map(|(officer, key)| statement::sign(&id, officer, key)).collect();
    operator.admit(&statement, &signatures, now)?;
    operator.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_due_an_hour_after_the_last_and_where_time_started_anew() {
        let at = |ms| Instant::from_ms(ms).unwrap();
        assert!(!is_due(at(0), at(EVERY_MS - 1)) && is_due(at(0), at(EVERY_MS)));
        assert!(!is_due(at(5), at(5)) && is_due(at(5), at(4)));
    }
}
