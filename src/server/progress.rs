//! How far the log has come, for all who are not its writer: one small value, and a call that wakes whoever waits.

use crate::hash::Hash;
use std::sync::{Arc, Mutex};

/// Size and root of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// How many entries are durable, and in their tiles.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// How many of them are under the published checkpoint.
    pub published: u64,
}

/// Is called after each step.
type Wake = Box<dyn Fn() + Send>;

/// How far the log has come, and whether more can be written.
#[derive(Clone, Default)]
pub struct Progress(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    reached: Reached,
    /// Why nothing can be written.
    trouble: Option<String>,
    /// Why what is written is not published.
    quorum: Option<String>,
    wake: Option<Wake>,
}

impl Progress {
    /// How far the log has come.
    #[must_use]
    pub fn reached(&self) -> Reached {
        self.with(|state| state.reached)
    }

    /// Whether more can be written, and is published; or why not.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn ready(&self) -> Result<(), String> {
        self.with(|state| state.trouble.clone().or_else(|| state.quorum.clone()).map_or(Ok(()), Err))
    }

    /// Calls this after each step from now on; it must not wait for anything.
    pub fn on_step(&self, wake: impl Fn() + Send + 'static) {
        self.with(|state| state.wake = Some(Box::new(wake)));
    }

    /// Tells how far the log has come.
    pub fn step(&self, reached: Reached) {
        self.with(|state| {
            if state.reached != reached {
                state.reached = reached;
                state.wake.as_ref().inspect(|wake| wake());
            }
        });
    }

    /// Tells why nothing can be written; nothing: it can.
    pub fn trouble(&self, why: Option<String>) {
        self.with(|state| state.trouble = why);
    }

    /// Tells why what is written is not published; nothing: it is.
    pub fn quorum(&self, lacking: Option<String>) {
        self.with(|state| state.quorum = lacking);
    }

    fn with<T>(&self, on: impl FnOnce(&mut State) -> T) -> T {
        on(&mut self.0.lock().expect("nothing panics while it holds this"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn each_step_wakes_once() {
        let (progress, woken) = (Progress::default(), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&woken);
        progress.on_step(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let reached = Reached { size: 3, ..Reached::default() };
        progress.step(reached);
        progress.step(reached);
        assert_eq!((progress.reached(), woken.load(Ordering::Relaxed)), (reached, 1));
        assert_eq!(progress.ready(), Ok(()));
        progress.trouble(Some("no room".into()));
        assert_eq!(progress.ready(), Err("no room".into()));
    }
}
