//! Gathering cosignatures: what was signed goes to the witnesses and nowhere else, until a quorum of them has cosigned it.
//!
//! ```text
//! learn      once, on a thread of its own: how far does each witness know the log? one that is ahead ends it all
//! sign       the newest size that is applied; the note goes to a thread for each witness
//! publish    with a quorum, and all lines that have come until then; later lines are added while it is the newest
//! sign anew  a greater size, where there is no quorum in time; the same size is never signed otherwise
//! ```
//!
//! Commits go on throughout: without a quorum nothing is published, and nothing is lost. At the beginning of a run alone they
//! wait for the witnesses' times, as long as for a quorum: what was published is cosigned anew for that, and a clock that is
//! wrong dates no entry, unless the witnesses are silent.

use super::anchor::{self, Anchors};
use super::publish::Published;
use super::{Moment, Writing};
use crate::checkpoint::SignedCheckpoint;
use crate::gather::start::{Found, StartError, ask_all};
use crate::gather::{self, AskError, Crew, Round, Told, Transport};
use crate::log::{CHECKPOINT, LogError, MAX_CHECKPOINT};
use crate::policy::Policy;
use crate::server::door::Work;
use crate::store::Read;
use crate::submit::SubmitError;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

/// How long is waited before witnesses are asked again how far they know the log; twice as long each time, up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How long a note may be without a quorum before a greater size is signed instead.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// Who must have cosigned what is published, and how they are asked.
#[derive(Clone)]
pub struct Quorum {
    /// Witnesses and quorum.
    pub policy: Policy,
    /// How requests reach them.
    pub transport: Arc<dyn Transport>,
    /// The time, for cosignatures.
    pub clock: Arc<gather::Clock>,
    /// The log's tiles, as published.
    pub tiles: Arc<dyn Read>,
    /// How long a note may be without a quorum before a greater size is signed instead.
    pub timeout: Duration,
}

/// What is under way.
pub(super) struct Gathering {
    quorum: Quorum,
    queue: Sender<Work>,
    stage: Stage,
    /// Witnesses whose clock differs from the one here.
    skewed: BTreeSet<String>,
    /// Witnesses whose clock agreed with the one here, in this run.
    agreed: BTreeSet<String>,
    /// Until when commits wait for the witnesses' times; none: these are known, or were waited for long enough.
    hears_until: Option<Moment>,
    /// Whether the policy's quorum is less than the log's rules ask for, since a motion changed them.
    is_short: bool,
    pub(super) anchors: Anchors,
}

enum Stage {
    /// Nobody was asked, or too few answered.
    Before { at: Moment, pause: Duration },
    /// Witnesses are asked how far they know the log.
    Learning { pause: Duration },
    /// Witnesses are asked to cosign.
    AtWork { crew: Crew, note: Option<Box<Note>> },
}

/// A note on its way.
struct Note {
    round: Round,
    since: Moment,
    is_published: bool,
}

impl Gathering {
    pub(super) fn new(quorum: Quorum, queue: Sender<Work>) -> Self {
        let stage = Stage::Before { at: Moment::now(), pause: PAUSE.0 };
        let hears_until = Some(Moment::now() + quorum.timeout);
        let (skewed, agreed) = (BTreeSet::new(), BTreeSet::new());
        Self { quorum, queue, stage, skewed, agreed, hears_until, is_short: false, anchors: Anchors::new() }
    }

    /// When there is something to do, should nobody answer.
    pub(super) fn next_due(&self) -> Option<Moment> {
        [self.hears_until, self.next_step()].into_iter().flatten().min()
    }

    fn next_step(&self) -> Option<Moment> {
        match &self.stage {
            Stage::Before { at, .. } => Some(*at),
            Stage::AtWork { note: Some(note), .. } if !note.is_published => {
                Some(note.since + self.quorum.timeout)
            }
            Stage::AtWork { note: Some(_), .. } => Some(Moment::now() + anchor::LOOK),
            _ => None,
        }
    }

    /// The note that is published with its quorum, where it is the newest that was signed.
    pub(super) fn published_note(&self) -> Option<&SignedCheckpoint> {
        match &self.stage {
            Stage::AtWork { note: Some(note), .. } if note.is_published => Some(note.round.checkpoint()),
            _ => None,
        }
    }

    /// Sends a note to the witnesses; it takes the place of the one before.
    pub(super) fn send(&mut self, signed: &str) -> Result<(), SubmitError> {
        let Stage::AtWork { crew, note } = &mut self.stage else { return Ok(()) };
        let round = Round::new(signed, &self.quorum.policy).map_err(LogError::from)?;
        crew.ask(&round);
        *note = Some(Box::new(Note { round, since: Moment::now(), is_published: false }));
        Ok(())
    }

    /// Why nothing may be committed: the clock here differs from that of so many witnesses that no quorum is without them.
    pub(super) fn skew(&self) -> Option<String> {
        let names = || self.skewed.iter().map(String::as_str);
        let is_too_many = !self.skewed.is_empty() && self.quorum.policy.intersects_every_quorum(names());
        is_too_many.then(|| {
            let names: Vec<&str> = names().collect();
            format!("the clock here differs by more than 5 minutes from that of {}", names.join(", "))
        })
    }

    /// Whether commits wait: the witnesses that have answered in this run tell neither that the clock here is right nor that it
    /// is wrong, and may do so yet.
    pub(super) fn hears_times(&mut self) -> bool {
        let agreed = self.agreed.iter().map(String::as_str);
        let is_told = self.skew().is_some() || self.quorum.policy.satisfied(agreed);
        self.hears_until = self.hears_until.filter(|until| !is_told && *until > Moment::now());
        self.hears_until.is_some()
    }

    /// Takes what a witness's answer tells about the clock here.
    fn takes_time(&mut self, told: Result<&gather::Cosigned, &AskError>) {
        match told {
            Ok(line) => {
                self.skewed.remove(&line.witness);
                self.agreed.insert(line.witness.clone());
            }
            Err(AskError::Clock { witness, .. }) => {
                self.agreed.remove(witness);
                self.skewed.insert(witness.clone());
            }
            Err(_) => {}
        }
    }

    /// Asks on a thread of its own how far the witnesses know the log.
    fn learn(&mut self, published: Option<SignedCheckpoint>, size: u64, pause: Duration) {
        let (quorum, queue) = (self.quorum.clone(), self.queue.clone());
        let asking = thread::Builder::new().name("asking".to_owned()).spawn(move || {
            let Quorum { policy, transport, clock, .. } = &quorum;
            let found = ask_all(published.as_ref(), size, policy, &**transport, &**clock);
            // Where nobody takes it the server is ending.
            let _ = queue.send(Work::Learned(Box::new(found)));
        });
        self.stage = match asking {
            Ok(_) => Stage::Learning { pause },
            Err(_) => Stage::Before { at: Moment::now() + pause, pause },
        };
    }
}

impl Writing {
    /// Takes the next step towards a published checkpoint with its quorum.
    pub(super) fn gather(&mut self) -> Result<(), SubmitError> {
        self.anchor()?;
        let (Some(gathering), Some(operator)) = (&mut self.gathering, &mut self.operator) else {
            return Ok(());
        };
        let rules = operator.roster().charter.rules.witnesses.as_ref();
        gathering.is_short = !gather::suits(&gathering.quorum.policy, rules);
        let writer = operator.writer();
        let size = writer.size();
        match &mut gathering.stage {
            Stage::Before { at, pause } if *at <= Moment::now() => {
                let (pause, note) = (*pause, writer.store().get(CHECKPOINT, MAX_CHECKPOINT)?);
                let note =
                    note.map(|note| SignedCheckpoint::parse(&note)).transpose().map_err(LogError::from)?;
                // One by an operator before is of another log, to witnesses.
                let origin = operator.roster().vkey.name();
                let note = note.filter(|note| note.claim().origin == origin);
                gathering.learn(note, size, pause);
            }
            Stage::AtWork { note, .. } => {
                // After the log was opened again.
                if let Some(note) = note.as_ref().filter(|note| note.is_published && self.published.is_none())
                {
                    self.published = Some(Published::of(note.round.note())?);
                }
                let is_due = note.as_ref().is_none_or(|note| {
                    let waited = note.since.elapsed() >= gathering.quorum.timeout;
                    note.round.head().0 < size && (note.is_published || waited)
                });
                if is_due && !gathering.is_short {
                    let signed = operator.sign(&self.tools.log_key)?;
                    gathering.send(&signed)?;
                    self.publish_with_quorum()?;
                }
            }
            _ => {}
        }
        self.tell_quorum();
        Ok(())
    }

    /// Takes what the witnesses said of how far they know the log.
    pub(super) fn learned(&mut self, found: Result<Found, StartError>) {
        let Some(gathering) = &mut self.gathering else { return };
        let Stage::Learning { pause } = gathering.stage else { return };
        let found = match found {
            Ok(found) => found,
            Err(StartError::Stop(error)) => return self.stop_for_good(&error),
            Err(error) => {
                if let StartError::TooFew(errors) = &error {
                    errors.iter().for_each(|error| gathering.takes_time(Err(error)));
                }
                tracing::warn!(target: "servanda::witnesses", %error, "nothing is signed yet");
                self.progress.quorum(Some(gathering.skew().unwrap_or_else(|| error.to_string())));
                let next = (pause * 2).min(PAUSE.1);
                gathering.stage = Stage::Before { at: Moment::now() + pause, pause: next };
                return;
            }
        };
        found.lines.iter().for_each(|line| gathering.takes_time(Ok(line)));
        for error in &found.silent {
            gathering.takes_time(Err(error));
            tracing::warn!(target: "servanda::witnesses", %error, "a witness did not say how far it knows the log");
        }
        let Quorum { tiles, transport, clock, .. } = gathering.quorum.clone();
        let queue = gathering.queue.clone();
        let hand = move |told| drop(queue.send(Work::Told(Box::new(told))));
        let crew = Crew::start(found.asked, tiles, transport, clock, hand);
        gathering.stage = Stage::AtWork { crew, note: None };
        if let Err(error) = self.take_up(&found.lines) {
            self.fail(&error);
        }
    }

    /// Goes on from what is published, with lines that came for it; where it has no quorum it goes to the witnesses again.
    fn take_up(&mut self, lines: &[gather::Cosigned]) -> Result<(), SubmitError> {
        let (Some(gathering), Some(operator)) = (&mut self.gathering, &mut self.operator) else {
            return Ok(());
        };
        let Stage::AtWork { crew, note } = &mut gathering.stage else { return Ok(()) };
        let Some(bytes) = operator.writer().store().get(CHECKPOINT, MAX_CHECKPOINT)? else { return Ok(()) };
        let text = String::from_utf8(bytes).unwrap_or_default();
        // One by an operator before is not for this one to have cosigned.
        let Ok(mut round) = Round::new(&text, &gathering.quorum.policy) else { return Ok(()) };
        let more = lines.iter().filter(|line| round.take(line)).count() > 0;
        if more {
            operator.publish_cosigned(round.note())?;
        }
        let (is_published, size) = (round.has_quorum(), round.head().0);
        if is_published {
            self.published = Some(Published::of(round.note())?);
        }
        if size == operator.writer().size() {
            // With its quorum too: a fresh cosignature tells the witness's time.
            crew.ask(&round);
        } else if !is_published {
            // What has more entries is signed, and sent instead.
            return Ok(());
        }
        *note = Some(Box::new(Note { round, since: Moment::now(), is_published }));
        Ok(())
    }

    /// Takes what came of asking a witness.
    pub(super) fn told(&mut self, told: Told) {
        let Some(gathering) = &mut self.gathering else { return };
        match &told {
            Told::Cosigned(line) => gathering.takes_time(Ok(line)),
            Told::Failed(error) => gathering.takes_time(Err(error)),
        }
        match told {
            Told::Cosigned(line) => {
                let Stage::AtWork { note: Some(note), .. } = &mut gathering.stage else { return };
                let is_new = note.round.take(&line);
                if is_new && let Err(error) = self.publish_with_quorum() {
                    self.fail(&error);
                }
            }
            Told::Failed(error) if error.stops_the_writer() => self.stop_for_good(&error),
            Told::Failed(error) => {
                tracing::warn!(target: "servanda::witnesses", %error, "no cosignature");
            }
        }
        self.tell_quorum();
    }

    /// Publishes the note on its way once it has its quorum; again, where more lines have come.
    fn publish_with_quorum(&mut self) -> Result<(), SubmitError> {
        let (Some(gathering), Some(operator)) = (&mut self.gathering, &mut self.operator) else {
            return Ok(());
        };
        let Stage::AtWork { note: Some(note), .. } = &mut gathering.stage else { return Ok(()) };
        let is_newest = note.round.head().0 >= operator.writer().published();
        if !note.round.has_quorum() || !is_newest {
            return Ok(());
        }
        operator.publish_cosigned(note.round.note())?;
        note.is_published = true;
        self.published = Some(Published::of(note.round.note())?);
        self.step();
        Ok(())
    }

    /// Tells whether there is a quorum, as far as it is known.
    fn tell_quorum(&self) {
        let Some(gathering) = &self.gathering else { return };
        let lacking = match &gathering.stage {
            Stage::AtWork { note: Some(note), .. } if !note.is_published => {
                let waits = note.since.elapsed() >= gathering.quorum.timeout;
                waits.then(|| format!("no quorum for the checkpoint of size {}", note.round.head().0))
            }
            Stage::AtWork { .. } => None,
            Stage::Before { .. } | Stage::Learning { .. } => return,
        };
        let short = || {
            "the rules ask for other witnesses than the policy now: serve with another --policy".to_owned()
        };
        self.progress.quorum(gathering.skew().or(gathering.is_short.then(short)).or(lacking));
    }

    /// A witness knows what this log does not: nothing more is signed, and nothing written.
    fn stop_for_good(&mut self, error: &AskError) {
        tracing::error!(target: "servanda::witnesses", %error, "the log is closed for good: was a backup restored?");
        self.close(error.to_string(), false, None);
        self.gathering = None;
    }
}
