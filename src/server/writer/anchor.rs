//! Anchors: where the rules name witnesses, a freshly cosigned checkpoint goes into the log hourly, traffic or not.
//!
//! Its time is the lower median of its witnesses' times, and must lie close to the anchor's own: so what was published is
//! cosigned anew, where it is older, before it is appended. When the last anchor was is read from the log itself; before the
//! first one the founding counts.

use super::{Moment, Writing, officers};
use crate::charter::rules::Witnesses;
use crate::checkpoint::SignedCheckpoint;
use crate::codec::encode;
use crate::entry::SignedEntry;
use crate::field::{Class, Duration as Span, Handle, Instant};
use crate::gather::SKEW_S;
use crate::key::SigningKey;
use crate::policy::Policy;
use crate::statement::body::Anchor;
use crate::statement::{self, Act, Statement, VERSION};
use crate::submit::{Operator, SubmitError};
use std::time::Duration;

/// How long after an anchor the next one is due, in milliseconds.
const EVERY_MS: u64 = 3_600_000;

/// How far the checkpoint's time may be from the anchor's own, in seconds: less than what is an operator's fault.
const FRESH_S: u64 = SKEW_S - 60;

/// How often is looked whether one is due; and how long is waited where one could not be appended.
pub(super) const LOOK: Duration = Duration::from_secs(10);

/// How long an anchor may take from its author to the log, in days.
const EXPIRY_DAYS: u64 = 1;

/// What is known of the log's anchors.
pub(super) struct Anchors {
    /// When the last one was sequenced; none where it was not looked up yet.
    last: Option<Instant>,
    /// Witnesses are not asked for one before.
    ask_after: Moment,
    /// None is appended before.
    append_after: Moment,
}

impl Anchors {
    pub(super) fn new() -> Self {
        Self { last: None, ask_after: Moment::now(), append_after: Moment::now() }
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
        let rules = operator.roster().charter.rules.witnesses.clone();
        let (Some(rules), Some(note)) = (rules, gathering.published_note()) else { return Ok(()) };
        let (note, size) = (note.clone(), note.claim().size);
        let policy = gathering.policy().clone();
        if gathering.skew().is_some() {
            return Ok(());
        }
        let anchors = &mut gathering.anchors;
        let last = match anchors.last {
            Some(last) => last,
            None => *anchors.last.insert(last_anchor(operator)?),
        };
        if !is_due(last, now) {
            return Ok(());
        }
        let time_s = time_s(&note, &policy, &rules);
        if time_s.is_none_or(|time_s| time_s.abs_diff(now.ms() / 1000) > FRESH_S) {
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
        match append(operator, &self.tools.officers, note.as_str(), now) {
            Ok(()) => anchors.last = Some(now),
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

/// The lower median of the times at which those of the rules' witnesses cosigned, if they are as many as these ask for.
fn time_s(note: &SignedCheckpoint, policy: &Policy, rules: &Witnesses) -> Option<u64> {
    let opened = note.open(policy).ok()?;
    let named: Vec<_> = rules.keys().map(|vkey| *vkey.key()).collect();
    let cosigners = opened.cosigners().iter().filter(|cosigner| named.contains(cosigner.vkey.key()));
    let mut times: Vec<u64> = cosigners.map(|cosigner| cosigner.time_s).collect();
    times.sort_unstable();
    let enough = u64::try_from(times.len()).is_ok_and(|len| len >= rules.quorum);
    times.get(times.len().checked_sub(1)? / 2).copied().filter(|_| enough)
}

/// When the last anchor was sequenced: the operator says nothing else in its class. Before the first, when the log was founded.
fn last_anchor(operator: &Operator) -> Result<Instant, SubmitError> {
    let chain = operator.history().chain(&Handle::operator(), Class::OperateLog);
    let index = if chain.seq == 0 { None } else { operator.index().find(&chain.prev)? };
    let entry = SignedEntry::decode(&operator.entry(index.unwrap_or(0))?)?;
    Ok(entry.entry.sequenced_at)
}

/// Says that this checkpoint was cosigned, and makes that durable.
fn append(operator: &mut Operator, keys: &[SigningKey], note: &str, now: Instant) -> Result<(), SubmitError> {
    let (author, class) = (Handle::operator(), Class::OperateLog);
    let act = Act::Anchor(Anchor { checkpoint: note.as_bytes().to_vec().into() });
    let (history, roster) = (operator.history(), operator.roster());
    let chain = history.chain(&author, class);
    let longest = now.plus(roster.charter.rules.longest_expiry);
    let statement = encode(&Statement {
        version: VERSION,
        log: roster.log,
        author,
        class: class.number(),
        seq: chain.seq,
        prev: chain.prev,
        seen: history.head(),
        issued_at: now,
        expires_at: now.plus(Span::of_days(EXPIRY_DAYS)).min(longest),
        kind: act.kind().number(),
        body: act.encode_body().into(),
    });
    let id = statement::id(&statement);
    let signatures: Vec<_> =
        officers(roster, keys).into_iter().map(|(officer, key)| statement::sign(&id, officer, key)).collect();
    operator.admit(&statement, &signatures, now)?;
    operator.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::cosignature::cosign;
    use crate::hash::Hash;
    use crate::key::vkey::Vkey;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    fn witness(seed: u8) -> Vkey {
        Vkey::witness(&format!("w{seed}"), key(seed).public()).unwrap()
    }

    #[test]
    fn an_anchor_is_due_an_hour_after_the_last_and_where_time_started_anew() {
        let at = |ms| Instant::from_ms(ms).unwrap();
        assert!(!is_due(at(0), at(EVERY_MS - 1)) && is_due(at(0), at(EVERY_MS)));
        assert!(!is_due(at(5), at(5)) && is_due(at(5), at(4)));
    }

    #[test]
    fn its_time_is_the_lower_median_of_the_witnesses_that_the_rules_name() {
        let log = Vkey::log("log.example", key(100).public()).unwrap();
        let policy = Policy::of(&[log], &[1, 2, 3, 4].map(witness), Some(1)).unwrap();
        let rules = |of: &[u8], quorum| {
            let vkeys = of.iter().map(|seed| crate::field::Short::new(witness(*seed).to_string()).unwrap());
            Witnesses { vkeys: vkeys.collect(), quorum }
        };
        let checkpoint = Checkpoint::new("log.example", 7, Hash([7; 32])).unwrap();
        let line =
            |seed: u8, at| cosign(&format!("w{seed}"), &key(seed), at, &checkpoint.to_string()).unwrap();
        let note = [checkpoint.sign(&key(100)), line(1, 30), line(2, 10), line(3, 20), line(4, 90)].concat();
        let note = SignedCheckpoint::parse(note.as_bytes()).unwrap();
        for (of, quorum, want) in [
            (&[1, 2, 3][..], 2, Some(20)),
            (&[1, 2], 2, Some(10)),
            (&[4], 1, Some(90)),
            (&[1, 5], 2, None),
            (&[5], 1, None),
        ] {
            assert_eq!(time_s(&note, &policy, &rules(of, quorum)), want, "{of:?}");
        }
    }
}
