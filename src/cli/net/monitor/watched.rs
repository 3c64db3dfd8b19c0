//! Sources being watched: a thread each that reads its checkpoint, woken by time, or by the source's events.
//!
//! Events are believed nothing: that one came is a reason to look.

use crate::cli::net;
use crate::cli::open;
use crate::cli::problem::Problem;
use anyhow::Result;
use servanda::agent::{Agent, AgentError, Url};
use servanda::log::{CHECKPOINT, MAX_CHECKPOINT};
use servanda::monitor::{Given, Reading};
use servanda::store::Read;
use servanda::store::dir::open_any;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How often a directory's checkpoint is read: that costs next to nothing.
const DIRECTORY_INTERVAL: Duration = Duration::from_millis(250);

/// How long is waited before a stream of events that ended is asked for again: a server that was begun anew is back soon. Twice as
/// long each time that none begins, up to the second.
const EVENTS_AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// The least time between two looks at a source: one that tells of events without end is not looked at without end.
const BREATH: Duration = Duration::from_millis(10);

/// How long the first round waits for sources that have not answered: histories are best compared with all at hand.
const FIRST_ROUND: Duration = Duration::from_secs(3);

/// The most sources of one monitor.
const SOURCES_MAX: usize = 64;

/// A source.
pub struct Watched {
    name: String,
    store: Arc<dyn Read>,
    /// Where its events are, if it is on a server.
    events: Option<(Agent, String)>,
}

/// Opens sources; a server need not answer yet.
///
/// # Errors
/// When none is named, one is named twice, or a directory holds no log.
pub fn open(paths: &[PathBuf]) -> Result<Vec<Watched>> {
    let names: BTreeSet<&PathBuf> = paths.iter().collect();
    if paths.is_empty() || names.len() < paths.len() || paths.len() > SOURCES_MAX {
        return Err(Problem::new(format!("want 1 to {SOURCES_MAX} sources, each of them once"))
            .hint("name the log, and its mirrors: servanda monitor SOURCE…")
            .into());
    }
    paths.iter().map(|path| open_one(path)).collect()
}

fn open_one(path: &Path) -> Result<Watched> {
    let name = path.display().to_string();
    let Some(url) = open::as_url(path) else {
        let store = open_any(path).map_err(open::store_problem)?;
        return Ok(Watched { name, store: Arc::new(store), events: None });
    };
    let store = net::reading(url)?;
    let prefix: Url = url.parse().map_err(AgentError::from)?;
    let agent = Agent::new(&prefix, &net::limits())?;
    Ok(Watched { name, store: Arc::new(store), events: Some((agent, prefix.at("events"))) })
}

impl Watched {
    fn read(&self) -> Given {
        self.store.get(CHECKPOINT, MAX_CHECKPOINT)
    }

    fn reading(&self, note: Arc<Given>) -> Reading {
        Reading { name: self.name.clone(), store: Arc::clone(&self.store), note }
    }
}

/// Reads all checkpoints at once, each as long as it takes.
pub fn read_all(watched: &[Watched]) -> Vec<Reading> {
    thread::scope(|scope| {
        let asked: Vec<_> = watched.iter().map(|one| scope.spawn(move || one.read())).collect();
        let read = |(one, asked): (&Watched, thread::ScopedJoinHandle<'_, Given>)| {
            one.reading(Arc::new(asked.join().expect("reading does not panic")))
        };
        watched.iter().zip(asked).map(read).collect()
    })
}

/// What a source gave last; none: it has not answered yet, not even by failing.
type Slot = Arc<Mutex<Option<Arc<Given>>>>;

/// What the sources gave last.
pub struct Watching(Vec<(Arc<Watched>, Slot)>);

impl Watching {
    /// The readings of all that have answered yet, be it by failing.
    pub fn readings(&self) -> Vec<Reading> {
        let last = |(one, slot): &(Arc<Watched>, Slot)| {
            let note = slot.lock().expect("nothing panics while it holds this").clone()?;
            Some(one.reading(note))
        };
        self.0.iter().filter_map(last).collect()
    }

    /// Waits until every source has answered, be it by failing; not for long.
    pub fn wait_for_all(&self, woken: &Receiver<()>) {
        let begun = Instant::now();
        while self.readings().len() < self.0.len() {
            let Some(left) = FIRST_ROUND.checked_sub(begun.elapsed()) else { return };
            let _ = woken.recv_timeout(left);
        }
    }
}

/// Watches from now on; the receiver is told when there is something to look at.
pub fn start(watched: Vec<Watched>, interval: Duration) -> (Watching, Receiver<()>) {
    let (wake, woken) = sync_channel(1);
    let mut all = Vec::new();
    for one in watched {
        let (one, slot) = (Arc::new(one), Arc::new(Mutex::new(None)));
        let (poke, poked) = sync_channel(1);
        let listening = Arc::clone(&one);
        thread::spawn(move || listen(&listening, &poke));
        let every = if one.events.is_some() { interval } else { interval.min(DIRECTORY_INTERVAL) };
        let (of, into, wake) = (Arc::clone(&one), Arc::clone(&slot), wake.clone());
        thread::spawn(move || follow(&of, &into, &wake, &poked, every));
        all.push((one, slot));
    }
    (Watching(all), woken)
}

/// Reads a source's checkpoint whenever it is time; wakes the round when something is new.
fn follow(
    one: &Watched,
    into: &Mutex<Option<Arc<Given>>>,
    wake: &SyncSender<()>,
    poked: &Receiver<()>,
    every: Duration,
) {
    loop {
        let given = Arc::new(one.read());
        let mut last = into.lock().expect("nothing panics while it holds this");
        let same = match last.as_deref() {
            Some(Ok(before)) => matches!(&*given, Ok(now) if now == before),
            Some(Err(_)) => given.is_err(),
            None => false,
        };
        *last = Some(given);
        drop(last);
        if !same {
            // Where one wake waits already, that one will do.
            let _ = wake.try_send(());
        }
        thread::sleep(BREATH);
        let _ = poked.recv_timeout(every);
    }
}

/// Listens to a source's events, and pokes whenever one comes.
fn listen(one: &Watched, poke: &SyncSender<()>) {
    let Some((agent, url)) = &one.events else {
        // The other end waits, instead of being told that nobody is there.
        loop {
            thread::park();
        }
    };
    let mut pause = EVENTS_AGAIN.0;
    loop {
        if let Ok(mut stream) = agent.stream(url, &[("accept", "text/event-stream")]) {
            pause = EVENTS_AGAIN.0;
            // Nobody told of what came before.
            let _ = poke.try_send(());
            let mut chunk = [0; 4096];
            while let Ok(len) = stream.read(&mut chunk) {
                if len == 0 {
                    break;
                }
                // A comment keeps the connection; nothing else needs to be understood.
                if !chunk[..len].starts_with(b":") {
                    let _ = poke.try_send(());
                }
            }
        }
        thread::sleep(pause);
        pause = (pause * 2).min(EVENTS_AGAIN.1);
    }
}
