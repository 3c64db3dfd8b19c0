//! The teller: a thread with a history of its own that follows the writer, answers questions, and tells what is new.
//!
//! It reads what was committed from the published folder, hashed up to the committed root, and folds it a second time, without
//! signatures, which the writer checked. So no question ever delays a statement, and nobody waits for the journal of events.

mod answers;
mod follow;
mod telling;

pub use answers::{Ask, Filtered};

use super::journal::{Events, Journal};
use super::problem::{BUSY, Problem, STOPPED};
use super::progress::Progress;
use crate::field::Instant;
use crate::history::History;
use crate::store::Read;
use follow::Follower;
use serde_json::Value;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::oneshot;

/// The most questions that wait for an answer.
pub const MAX_QUESTIONS: usize = 64;

/// How often is looked what time brings.
const TICK: Duration = Duration::from_secs(1);

/// How long is waited where the log could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells the time.
pub type Clock = Box<dyn Fn() -> Instant + Send>;

type Answer = Result<Value, Problem>;

enum Message {
    Question(Ask, oneshot::Sender<Answer>),
    Moved,
    End,
}

/// What a teller works with.
pub struct Tools {
    /// The published folder.
    pub store: Arc<dyn Read>,
    /// What follows from the entries that the writer had when it was opened.
    pub history: History,
    /// The journal of events.
    pub journal: Journal,
    /// The name of another journal, should that one not go on.
    pub new_name: String,
    /// The clock.
    pub clock: Clock,
}

/// A teller at work.
pub struct Teller {
    asking: Asking,
    thread: JoinHandle<()>,
}

/// The way to ask.
#[derive(Clone)]
pub struct Asking {
    messages: SyncSender<Message>,
    events: Arc<Events>,
}

impl Asking {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// A problem, for whoever asked.
    pub async fn ask(&self, ask: Ask) -> Answer {
        let (answer, answered) = oneshot::channel();
        match self.messages.try_send(Message::Question(ask, answer)) {
            Ok(()) => answered.await.unwrap_or_else(|_| Err(ending())),
            Err(TrySendError::Full(_)) => {
                let why = format!("{MAX_QUESTIONS} questions wait already");
                Err(Problem::new(&BUSY).detail(why).retry_after(Duration::from_secs(1)))
            }
            Err(TrySendError::Disconnected(_)) => Err(ending()),
        }
    }

    /// What happened, as far as it is kept.
    #[must_use]
    pub fn events(&self) -> &Arc<Events> {
        &self.events
    }
}

fn ending() -> Problem {
    Problem::new(&STOPPED).detail("the server is ending")
}

impl Teller {
    /// Goes to work.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(tools: Tools, progress: Progress) -> io::Result<Self> {
        let (messages, inbox) = sync_channel(MAX_QUESTIONS);
        let wake = messages.clone();
        // Where many wait, it will look by itself.
        progress.on_step(move || drop(wake.try_send(Message::Moved)));
        let follower = Follower::new(tools, progress);
        let events = follower.events();
        let thread = thread::Builder::new().name("teller".to_owned());
        let thread = thread.spawn(move || run(follower, &inbox))?;
        Ok(Self { asking: Asking { messages, events }, thread })
    }

    /// The way to ask.
    #[must_use]
    pub fn asking(&self) -> Asking {
        self.asking.clone()
    }

    /// Tells what is left to tell, and ends.
    pub fn end(self) {
        if self.asking.messages.send(Message::End).is_ok() {
            let _ = self.thread.join();
        }
    }
}

fn run(mut follower: Follower, inbox: &Receiver<Message>) {
    let mut ends = false;
    while !ends {
        let wait = match follower.follow() {
            // There is more: whoever asks meanwhile is answered.
            Ok(true) => Duration::ZERO,
            Ok(false) => TICK,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(target: "servanda::teller", %error, cause, "could not read what was written");
                PAUSE
            }
        };
        let mut next = match inbox.recv_timeout(wait) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        while let Some(message) = next.take() {
            match message {
                Message::Question(ask, answer) => {
                    // Whoever does not wait for it any more need not have it.
                    let _ = answer.send(follower.answer(&ask));
                }
                Message::Moved => {}
                Message::End => ends = true,
            }
            next = inbox.try_recv().ok();
        }
    }
    while follower.follow().unwrap_or(false) {}
}
