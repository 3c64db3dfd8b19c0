//! The writer: the one thread that owns the [`Operator`] and the log's key.
//!
//! ```text
//! take what waits -> admit, one commit for all of it -> durable: promises -> apply, publish -> proofs -> take what waits …
//! ```
//!
//! While one round is written the next one gathers in the queue, so rounds grow with load by themselves; only behind a large
//! one is waited for company, some milliseconds (`taken`). A failure whose outcome is unknown closes the log; everyone whose
//! statement was in that round is told that it is not known, and the log is opened again, after a while that grows. Whoever
//! then sends the same statement again learns what became of it. Only where another writer has taken over it stays closed.

mod anchor;
mod counts;
mod publish;
mod quorum;
mod round;
mod taken;

pub use quorum::{Quorum, TIMEOUT};

use super::door::{Answer, Door, Places, Refusal, Submission, Work};
use super::metrics::Metrics;
use super::progress::{Progress, Reached};
use super::rates::{Rate, Rates};
use crate::armor::File;
use crate::client::Client;
use crate::field::{Class, Handle, Instant};
use crate::key::SigningKey;
use crate::log::LogError;
use crate::promise::Promise;
use crate::roster::{InForce, Roster};
use crate::submit::{Operator, SubmitError};
use counts::Counts;
use publish::{Pending, Published};
use quorum::Gathering;
use rayon::prelude::*;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant as Moment};
use std::{io, mem};
use taken::{Company, Taken};
use tokio::sync::oneshot::Sender;

/// How often one partner may say something: so often at once, and a second.
pub const PARTNER_RATE: Rate = Rate { burst: 100, per_second: 50 };

/// How many authors are remembered for that.
const AUTHORS: usize = 4096;

/// How long is waited before a log that failed is opened again; twice as long each time, up to the second.
const REOPEN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// How long a checkpoint may be put off while statements keep coming and nobody waits for a proof: those who wait until
/// theirs is durable are answered the sooner, and monitors hear of it late by no more.
const PUT_OFF: Duration = Duration::from_millis(20);

/// After how long without anything to do the history is kept.
const REST: Duration = Duration::from_secs(1);

/// Tells the time of new entries.
pub type Clock = Box<dyn Fn() -> Instant + Send>;

/// Opens the log for writing; called again after a failure.
pub type Opening = Box<dyn FnMut() -> Result<Operator, SubmitError> + Send>;

/// What the writer works with.
pub struct Tools {
    /// Signs checkpoints.
    pub log_key: SigningKey,
    /// Keys of the operator's officers, who sign promises.
    pub officers: Vec<SigningKey>,
    /// How often one partner may say something; none: as often as it likes.
    pub partner_rate: Option<Rate>,
    /// The clock.
    pub clock: Clock,
    /// Who must have cosigned what is published; none: nobody.
    pub quorum: Option<Quorum>,
}

/// A writer at work.
pub struct Writer {
    door: Door,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Goes to work on an opened log.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        operator: Operator,
        open: Opening,
        mut tools: Tools,
        progress: Progress,
        metrics: &Metrics,
    ) -> io::Result<Self> {
        let (door, work) = Door::new();
        let gathering = tools.quorum.take().map(|quorum| Gathering::new(quorum, door.queue()));
        let partners = tools.partner_rate.map(|rate| Rates::new(rate, AUTHORS));
        let counts = Counts::new(metrics);
        let writing = Writing {
            open,
            operator: Some(operator),
            tools,
            partners,
            published: None,
            pending: Pending::default(),
            held: Vec::new(),
            gathering,
            progress,
            counts,
            reopen: None,
            publish_by: None,
            rest_at: None,
            company: Company::after(0, 0),
            queue: door.places(),
            waited: 0,
        };
        let thread = thread::Builder::new().name("writer".to_owned()).spawn(move || writing.run(&work))?;
        Ok(Self { door, thread })
    }

    /// The way in.
    #[must_use]
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// Lets it finish what it was given, and waits for that.
    pub fn end(self) {
        self.door.end();
        // It has told why, should it have broken off.
        let _ = self.thread.join();
    }
}

/// When a log that failed is opened again.
struct Reopen {
    /// None: never.
    at: Option<Moment>,
    pause: Duration,
    why: String,
    no_room: bool,
}

struct Writing {
    open: Opening,
    /// None while it is closed after a failure.
    operator: Option<Operator>,
    tools: Tools,
    partners: Option<Rates<Handle>>,
    published: Option<Published>,
    pending: Pending,
    /// What waits at the beginning of a run, until the witnesses have told their times.
    held: Vec<Submission>,
    /// None where nobody need cosign what is published.
    gathering: Option<Gathering>,
    progress: Progress,
    counts: Counts,
    reopen: Option<Reopen>,
    /// When a checkpoint that was put off is due.
    publish_by: Option<Moment>,
    /// When to do what waits until nothing else is to be done; none: it is done.
    rest_at: Option<Moment>,
    company: Company,
    /// Those who wait at the door.
    queue: Places,
    /// How many waited there when others were answered last.
    waited: usize,
}

impl Writing {
    fn run(mut self, work: &Receiver<Work>) {
        // What an earlier run committed and did not publish.
        self.publish();
        let (mut ends, mut next) = (false, None);
        while !ends {
            let taken = match next.take().map_or_else(|| self.wait_for(work), Ok) {
                Ok(first) => Taken::from(first, work, &self.company),
                Err(RecvTimeoutError::Timeout) => Taken::default(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            ends = taken.ends;
            let submitted = taken.submissions.len();
            self.open_again();
            taken.witnesses.into_iter().for_each(|said| self.heard(said));
            self.held.extend(taken.submissions);
            if ends || !self.hears_times() {
                let submissions = mem::take(&mut self.held);
                if !submissions.is_empty() {
                    self.rest_at = Some(Moment::now() + REST);
                    self.round(submissions);
                }
            }
            next = self.may_put_off().then(|| work.try_recv().ok()).flatten();
            if next.is_none() || ends {
                self.publish_by = None;
                self.apply();
                self.publish();
                self.step();
                self.rest();
            }
            self.keep_ids();
            self.company = Company::after(submitted, self.waited);
            for (index, answer) in taken.promises {
                // Whoever does not wait for it any more need not have it.
                let _ = answer.send(self.promise(index));
            }
        }
        tracing::info!(target: "servanda::writer", "ended");
    }

    /// Waits for the next that there is to do.
    fn wait_for(&self, work: &Receiver<Work>) -> Result<Work, RecvTimeoutError> {
        match self.next_due() {
            None => work.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => work.recv_timeout(at.saturating_duration_since(Moment::now())),
        }
    }

    /// Puts what is committed into its tiles.
    fn apply(&mut self) {
        if let Some(Err(error)) = self.operator.as_mut().map(Operator::apply) {
            self.fail(&error);
        }
    }

    /// Keeps the ids of what is committed, once whoever waited for it is answered.
    fn keep_ids(&mut self) {
        if let Some(Err(error)) = self.operator.as_mut().map(Operator::keep_many_ids) {
            self.fail(&error);
        }
    }

    /// Does what waits until nothing else is to be done, where that is so for a while.
    fn rest(&mut self) {
        if self.rest_at.is_none_or(|at| at > Moment::now()) {
            return;
        }
        self.rest_at = None;
        if let Some(Err(error)) = self.operator.as_mut().map(Operator::rest) {
            // Whoever opens the log next derives it again.
            tracing::warn!(target: "servanda::writer", %error, "the history could not be kept");
        }
    }

    /// Whether the next round may go before the checkpoint over this one.
    fn may_put_off(&mut self) -> bool {
        if !self.pending.is_empty() {
            return false;
        }
        let now = Moment::now();
        now < *self.publish_by.get_or_insert(now + PUT_OFF)
    }

    /// When there is something to do, whether or not anybody comes.
    fn next_due(&self) -> Option<Moment> {
        let reopen = self.reopen.as_ref().and_then(|reopen| reopen.at);
        let gathering = self.gathering.as_ref().filter(|_| self.operator.is_some());
        [reopen, gathering.and_then(Gathering::next_due), self.rest_at].into_iter().flatten().min()
    }

    /// Whether commits wait for the witnesses' times.
    fn hears_times(&mut self) -> bool {
        self.operator.is_some() && self.gathering.as_mut().is_some_and(Gathering::hears_times)
    }

    /// Takes what came from witnesses.
    fn heard(&mut self, said: Work) {
        match said {
            Work::Learned(found) => self.learned(*found),
            Work::Told(told) => self.told(*told),
            _ => {}
        }
    }

    /// The operator, or why there is none.
    fn operator(&mut self) -> Result<&mut Operator, Refusal> {
        let closed = self.reopen.as_ref();
        let why = closed.map_or_else(String::new, |reopen| reopen.why.clone());
        let no_room = closed.is_some_and(|reopen| reopen.no_room);
        self.operator.as_mut().ok_or(Refusal::Failed { why, no_room })
    }

    /// Closes the log after a failure.
    fn fail(&mut self, error: &SubmitError) {
        self.counts.failures.inc();
        let is_over = matches!(error, SubmitError::Log(LogError::Fenced { .. } | LogError::Ahead { .. }));
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(target: "servanda::writer", %error, cause, for_good = is_over, "the log is closed");
        let pause = self.reopen.take().map_or(REOPEN.0, |before| (before.pause * 2).min(REOPEN.1));
        if let Refusal::Failed { why, no_room } = Refusal::failed(error) {
            self.close(why, no_room, (!is_over).then_some(pause));
        }
    }

    /// Closes the log, to be opened again after a pause, or never.
    fn close(&mut self, why: String, no_room: bool, pause: Option<Duration>) {
        // The index of ids must be free before it can be opened again.
        self.operator = None;
        self.published = None;
        self.progress.trouble(Some(why.clone()));
        let at = pause.map(|pause| Moment::now() + pause);
        self.reopen = Some(Reopen { at, pause: pause.unwrap_or(REOPEN.1), why, no_room });
    }

    /// Opens the log again where it is time for that.
    fn open_again(&mut self) {
        let due = self.reopen.as_ref().and_then(|reopen| reopen.at);
        if self.operator.is_some() || due.is_none_or(|at| at > Moment::now()) {
            return;
        }
        match (self.open)() {
            Ok(operator) => {
                tracing::info!(target: "servanda::writer", size = operator.writer().size(), "the log is open again");
                self.operator = Some(operator);
                self.progress.trouble(None);
                // The pause stays for the case that it fails again at once; `round` ends it.
                self.reopen.iter_mut().for_each(|reopen| reopen.at = None);
            }
            Err(error) => self.fail(&error),
        }
    }

    /// All goes well again.
    fn went_well(&mut self) {
        self.reopen = None;
    }

    /// Tells how far the log has come, as readers find it.
    fn step(&self) {
        let Some(operator) = &self.operator else { return };
        let writer = operator.writer();
        let stored = writer.stored();
        let reached = Reached { size: stored.size(), root: stored.root(), published: writer.published() };
        self.counts.reached(reached);
        self.progress.step(reached);
    }

    /// The promise of an entry that is durable and not published.
    fn promise(&mut self, index: u64) -> Result<String, Refusal> {
        let operator = self.operator()?;
        let writer = operator.writer();
        if !(writer.published()..writer.size()).contains(&index) {
            return Err(Refusal::NoPromise(index));
        }
        let entry = operator.entry(index)?;
        self.promise_of(index, entry)
    }

    /// The operator's word that this entry will be published at this index.
    fn promise_of(&mut self, index: u64, entry: Vec<u8>) -> Result<String, Refusal> {
        let keys = mem::take(&mut self.tools.officers);
        let signed = self.operator().and_then(|operator| promise(operator.roster(), &keys, index, entry));
        self.tools.officers = keys;
        signed
    }

    /// Gives whoever waits for them such promises, signed on all cores.
    fn give_promises(&self, all: Vec<Promised>) {
        let Some(operator) = &self.operator else { return };
        let (roster, keys) = (operator.roster(), &self.tools.officers[..]);
        all.into_par_iter().for_each(|(index, entry, to)| {
            answer(to, promise(roster, keys, index, entry).map(Answer::Promise));
        });
    }
}

/// A durable entry, and who waits for its promise.
type Promised = (u64, Vec<u8>, Sender<Result<Answer, Refusal>>);

/// The operator's word that this entry will be published at this index.
fn promise(roster: &Roster, keys: &[SigningKey], index: u64, entry: Vec<u8>) -> Result<String, Refusal> {
    let promise = Promise::sign(roster.log, index, entry, &officers_before(roster, keys, index));
    File::Promise.write(&promise).map_err(|error| Refusal::Failed { why: error.to_string(), no_room: false })
}

/// Which officers of the operator have these keys, and may give promises; by their numbers.
#[must_use]
pub fn officers<'a>(roster: &Roster, keys: &'a [SigningKey]) -> Vec<(u8, &'a SigningKey)> {
    roster.keys(&Handle::operator()).map(|operator| numbered(operator, keys)).unwrap_or_default()
}

/// The same before the entry at an index, whose promise they sign: it may be the one that replaced them.
fn officers_before<'a>(roster: &Roster, keys: &'a [SigningKey], index: u64) -> Vec<(u8, &'a SigningKey)> {
    let operator = roster.keys_before(&Handle::operator(), index);
    operator.map(|operator| numbered(operator, keys)).unwrap_or_default()
}

fn numbered<'a>(operator: &InForce, keys: &'a [SigningKey]) -> Vec<(u8, &'a SigningKey)> {
    let numbered = (0..).zip(operator.keys.iter().zip(operator.set.officers.iter()));
    let may = numbered.filter(|(_, (_, officer))| officer.classes.has(Class::OperateLog));
    may.filter_map(|(number, (public, _))| Some((number, keys.iter().find(|key| key.public() == *public)?)))
        .collect()
}

/// An inclusion proof and the entry, from what is published.
fn client<'a>(operator: &'a Operator, published: &Published) -> Result<Client<'a>, SubmitError> {
    let writer = operator.writer();
    if published.size == writer.stored().size() {
        return Ok(Client::resume(writer.store(), writer.stored()));
    }
    Ok(Client::open(writer.store(), published.size, published.root)?)
}

/// Answers someone, who may have gone.
fn answer(to: Sender<Result<Answer, Refusal>>, what: Result<Answer, Refusal>) {
    let _ = to.send(what);
}
