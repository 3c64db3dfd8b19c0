//! Each source's checkpoint by itself: whether it came, who signed it, and how old it is.

use super::{Alert, CLOCK_AHEAD_MS, Kind, Look, Reading, Seen, told_whole};
use crate::checkpoint::{CheckpointError, SignedCheckpoint, VerifiedCheckpoint};
use crate::cosignature;
use crate::field::Instant;
use crate::proof::policy_for;
use crate::text::count;

/// A source whose checkpoint the log's operator signed.
pub(super) struct Opened<'a> {
    pub(super) reading: &'a Reading,
    pub(super) checkpoint: VerifiedCheckpoint,
    /// Whether a quorum cosigned it, so that it can be followed.
    pub(super) accepted: bool,
}

impl Opened<'_> {
    pub(super) fn name(&self) -> &str {
        &self.reading.name
    }
}

/// Opens what a source gave; none where that is no checkpoint of this log.
pub(super) fn open<'a>(look: &mut Look<'_>, reading: &'a Reading) -> Option<Opened<'a>> {
    let name = &reading.name;
    let note = match &*reading.note {
        Ok(Some(note)) => note,
        Ok(None) => {
            look.unreachable(name, "it has no checkpoint");
            return None;
        }
        Err(error) => {
            look.unreachable(name, &told_whole(error));
            return None;
        }
    };
    let signed = match SignedCheckpoint::parse(note) {
        Ok(signed) => signed,
        Err(error) => return unaccepted(look, name, &error.to_string()),
    };
    let log = *look.log();
    let policy = match policy_for(&reading.store, signed.claim(), &look.policy, Some(&log)) {
        Ok(policy) => policy,
        Err(error) => {
            look.trouble(name, &error);
            return None;
        }
    };
    let (checkpoint, accepted) = match signed.open(&policy) {
        Ok(checkpoint) => (checkpoint, true),
        Err(CheckpointError::Quorum { cosigned, of }) => match signed.open(&policy.without_quorum()) {
            Ok(checkpoint) => {
                no_quorum(look, name, &checkpoint, cosigned.len(), of);
                (checkpoint, false)
            }
            Err(error) => return unaccepted(look, name, &error.to_string()),
        },
        Err(error) => return unaccepted(look, name, &error.to_string()),
    };
    let opened = Opened { reading, checkpoint, accepted };
    compare_with_before(look, &opened);
    age(look, &opened);
    Some(opened)
}

/// What a source gives is none that counts, since the last one that did.
pub(super) fn unaccepted<T>(look: &mut Look<'_>, name: &str, why: &str) -> Option<T> {
    look.out.unchecked = true;
    let last = look.monitor.kept.sources.get(name);
    let last = last.map_or("the beginning".to_owned(), |seen| format!("{} {}", seen.size, seen.root));
    let sentence = format!("the checkpoint of {name} is not accepted: {why}");
    let (key, subject) = (format!("unaccepted {name}"), format!("{name} after {last}"));
    look.condition(Kind::Unaccepted, key, subject, sentence, Some(name));
    None
}

fn no_quorum(look: &mut Look<'_>, name: &str, checkpoint: &VerifiedCheckpoint, got: usize, of: usize) {
    let sentence = format!(
        "the checkpoint of {name}, of {}, is cosigned by {got} of {}: no quorum",
        count(checkpoint.size(), "entry", "entries"),
        count(of, "witness", "witnesses")
    );
    let subject = format!("{} {}", checkpoint.size(), checkpoint.root());
    look.condition(Kind::NoQuorum, format!("quorum {name}"), subject, sentence, Some(name));
}

/// Whether a source went back behind what it gave before; keeps the newest.
fn compare_with_before(look: &mut Look<'_>, opened: &Opened<'_>) {
    let (name, now) = (opened.name(), &opened.checkpoint);
    let before = look.monitor.kept.sources.get(name);
    if let Some(before) = before.filter(|before| before.origin == now.origin() && now.size() < before.size) {
        let sentence = format!(
            "{name} went back: it has {}, and had given a checkpoint of {}",
            count(now.size(), "entry", "entries"),
            before.size
        );
        let subject = format!("{name} {} {} {} {}", before.size, before.root, now.size(), now.root());
        let mut alert = Alert::new(Kind::Rollback, subject, sentence, look.now).of(name);
        // The operator's signature under more than the source shows now.
        let file = format!("evidence/rollback-{}.checkpoint", alert.id(look.log()).short());
        alert.evidence = Some(file.clone());
        look.out.files.push((file, before.note.clone().into_bytes()));
        look.out.alerts.push(alert);
        return;
    }
    let seen = Seen::new(now, before, look.now);
    look.out.kept.sources.insert(name.to_owned(), seen);
}

/// When witnesses of the policy cosigned: the lower median of their times.
pub(super) fn cosigned(checkpoint: &VerifiedCheckpoint) -> Option<Instant> {
    cosignature::median_time(checkpoint.cosigners().iter().map(|cosigner| cosigner.time_s).collect())
}

/// Whether a checkpoint is old, or of the future.
fn age(look: &mut Look<'_>, opened: &Opened<'_>) {
    let (name, checkpoint) = (opened.name(), &opened.checkpoint);
    let cosigned = cosigned(checkpoint).map(Instant::ms);
    let since = look.out.kept.sources.get(name).map(|seen| seen.since.ms());
    let head = format!("{} {}", checkpoint.size(), checkpoint.root());
    let now = look.now.ms();
    let of = count(checkpoint.size(), "entry", "entries");
    if cosigned.is_some_and(|at| at.saturating_sub(now) > CLOCK_AHEAD_MS) {
        let sentence =
            format!("the witnesses of {name} cosigned at a time that is ahead of {} here", look.now);
        let (key, subject) = (format!("clock of witnesses {name}"), format!("{name} {head}"));
        look.condition(Kind::ClockAhead, key, subject, sentence, Some(name));
    }
    let old = cosigned.or(since).map_or(0, |at| now.saturating_sub(at));
    if look.monitor.settings.stale_after_ms.is_some_and(|after| old > after) {
        let minutes = count(old / 60_000, "minute", "minutes");
        let sentence = format!("the checkpoint of {name}, of {of}, is {minutes} old");
        look.condition(Kind::Stale, format!("stale {name}"), format!("{name} {head}"), sentence, Some(name));
    }
}
