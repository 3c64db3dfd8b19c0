//! A thread for each witness: each sends the newest note, tries again after a pause, and hands back what came.

use super::{AskError, Asked, Clock, Cosigned, Round, Transport};
use crate::checkpoint::SignedCheckpoint;
use crate::store::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// What came of asking a witness.
#[derive(Debug)]
pub enum Told {
    /// A cosignature, verified: for [`Round::take`]. It may be of a note that was replaced meanwhile.
    Cosigned(Cosigned),
    /// None, and why. The same note, or the one that has replaced it, is sent again after a pause, unless
    /// [`AskError::stops_the_writer`]: such a witness is not asked again.
    Failed(AskError),
}

/// The threads. Dropping it ends them: at once, or when the answer that one waits for has come.
#[derive(Debug)]
pub struct Crew {
    slots: Vec<Arc<Slot>>,
}

impl Crew {
    /// Starts a thread for each witness. `hand` is called by these threads with all that comes, and must not wait long.
    ///
    /// `tiles` must hold the tiles of every note that is to be sent, before it is.
    ///
    /// # Panics
    /// When the system gives no more threads.
    pub fn start(
        asked: Vec<Asked>,
        tiles: Arc<dyn Read>,
        transport: Arc<dyn Transport>,
        clock: Arc<Clock>,
        hand: impl Fn(Told) + Send + Sync + 'static,
    ) -> Self {
        let hand: Arc<dyn Fn(Told) + Send + Sync> = Arc::new(hand);
        let start = |asked: Asked| {
            let slot = Arc::<Slot>::default();
            let worker = Worker {
                asked,
                slot: Arc::clone(&slot),
                tiles: Arc::clone(&tiles),
                transport: Arc::clone(&transport),
                clock: Arc::clone(&clock),
                hand: Arc::clone(&hand),
            };
            let thread = thread::Builder::new().name("witness".to_owned());
            thread.spawn(move || worker.work()).expect("the system gives a thread a witness");
            slot
        };
        Self { slots: asked.into_iter().map(start).collect() }
    }

    /// Has a note sent to every witness; it takes the place of one that is not sent yet. Does not wait.
    pub fn ask(&self, round: &Round) {
        let note = Arc::new(round.checkpoint().clone());
        for slot in &self.slots {
            slot.held().next = Some(Arc::clone(&note));
            slot.changed.notify_all();
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for slot in &self.slots {
            slot.held().ended = true;
            slot.changed.notify_all();
        }
    }
}

/// What a thread is to do.
#[derive(Debug, Default)]
struct Slot {
    held: Mutex<Held>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Held {
    /// The note to send next.
    next: Option<Arc<SignedCheckpoint>>,
    ended: bool,
}

impl Slot {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("nothing panics while it holds this")
    }

    /// Waits for a note; none at the end.
    fn next(&self) -> Option<Arc<SignedCheckpoint>> {
        let idle = |held: &mut Held| !held.ended && held.next.is_none();
        let mut held = self.changed.wait_while(self.held(), idle).expect("as in held");
        if held.ended { None } else { held.next.take() }
    }

    /// Puts a note back that was not cosigned, unless a newer one is there; waits, whatever comes but the end.
    fn again(&self, note: Arc<SignedCheckpoint>, pause: Duration) {
        let mut held = self.held();
        held.next.get_or_insert(note);
        drop(self.changed.wait_timeout_while(held, pause, |held| !held.ended).expect("as in held"));
    }
}

/// What a thread has.
struct Worker {
    asked: Asked,
    slot: Arc<Slot>,
    tiles: Arc<dyn Read>,
    transport: Arc<dyn Transport>,
    clock: Arc<Clock>,
    hand: Arc<dyn Fn(Told) + Send + Sync>,
}

impl Worker {
    fn work(mut self) {
        while let Some(note) = self.slot.next() {
            match self.asked.ask(&note, &*self.tiles, &*self.transport, &*self.clock) {
                Ok(cosigned) => (self.hand)(Told::Cosigned(cosigned)),
                Err(error) => {
                    let stops = error.stops_the_writer();
                    (self.hand)(Told::Failed(error));
                    if stops {
                        return;
                    }
                    self.slot.again(note, self.asked.pause());
                }
            }
        }
    }
}
