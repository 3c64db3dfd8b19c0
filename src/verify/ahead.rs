//! Reading ahead: of a log that is far away, bundles and tiles are asked for before the audit comes to them, several at once.
//!
//! The audit asks for bundles in their order, and for the tiles over them in theirs. Each of the two is fetched ahead of where
//! it has come to, so far and no further. What it asks for otherwise, or before it was begun, is fetched there and then; so
//! nothing ever waits but for an object that is on its way. What is given out is what the store gave, errors included.

use crate::merkle::bundle::BUNDLE_MAX;
use crate::merkle::tile::{Level, TILE_LEN, TilePath};
use crate::store::{Read, StoreError};
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;

/// How many bundles, and how many tiles, may be fetched before they are asked for: two batches.
const AHEAD: u64 = 64;

/// How many bytes may wait to be asked for; those on their way come on top.
const AHEAD_BYTES: usize = 16 << 20;

type Given = Result<Option<Vec<u8>>, StoreError>;

/// A store that is read ahead.
pub(super) struct Ahead<'a> {
    store: &'a dyn Read,
    size: u64,
    state: Mutex<State>,
    /// Something came, was taken, or it is over.
    changed: Condvar,
}

struct State {
    lanes: [Lane; 2],
    waiting_bytes: usize,
    is_over: bool,
}

/// Objects of one level, in their order.
struct Lane {
    level: Level,
    /// The next to be begun.
    next: u64,
    /// What was asked for last.
    asked: u64,
    /// What was begun and not asked for yet; none while it is on its way.
    begun: BTreeMap<u64, Option<Given>>,
}

impl Lane {
    fn new(level: Level, first: u64) -> Self {
        Self { level, next: first, asked: first, begun: BTreeMap::new() }
    }

    /// The next object to fetch; none where the log ends.
    fn path(&self, size: u64) -> Option<TilePath> {
        TilePath::at(self.level, self.next, size)
    }
}

/// Ends the reading ahead, also where the audit breaks off.
struct Ending<'a, 'b>(&'a Ahead<'b>);

impl Drop for Ending<'_, '_> {
    fn drop(&mut self) {
        self.0.state().is_over = true;
        self.0.changed.notify_all();
    }
}

impl<'a> Ahead<'a> {
    /// Reads a log of this size ahead, from a bundle on.
    pub(super) fn new(store: &'a dyn Read, first: u64, size: u64) -> Self {
        let lanes = [Lane::new(Level::Entries, first), Lane::new(Level::Hash(0), first)];
        let state = Mutex::new(State { lanes, waiting_bytes: 0, is_over: false });
        Self { store, size, state, changed: Condvar::new() }
    }

    /// Reads ahead on so many threads while `work` is done.
    pub(super) fn during<T>(&self, threads: usize, work: impl FnOnce() -> T) -> T {
        thread::scope(|scope| {
            let _ending = Ending(self);
            for _ in 0..threads {
                scope.spawn(|| self.fetch());
            }
            work()
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds this")
    }

    /// Fetches one object after the other.
    fn fetch(&self) {
        while let Some((lane, path)) = self.begin() {
            let limit = if path.level == Level::Entries { BUNDLE_MAX } else { TILE_LEN };
            let limit = u64::try_from(limit).expect("limits fit");
            let given = self.store.get(&format!("public/{path}"), limit);
            let mut state = self.state();
            state.waiting_bytes += len(&given);
            state.lanes[lane].begun.insert(path.index, Some(given));
            drop(state);
            self.changed.notify_all();
        }
    }

    /// What to fetch next, as soon as there is room for it; none where there is no more.
    fn begin(&self) -> Option<(usize, TilePath)> {
        let mut state = self.state();
        loop {
            let next =
                state.lanes.iter().enumerate().filter_map(|(at, lane)| Some((at, lane.path(self.size)?)));
            let next: Vec<_> = next.collect();
            if state.is_over || next.is_empty() {
                return None;
            }
            let has_room =
                |(at, path): &(usize, TilePath)| path.index < state.lanes[*at].asked.saturating_add(AHEAD);
            let next = next.into_iter().filter(has_room).min_by_key(|(_, path)| path.index);
            match next.filter(|_| state.waiting_bytes < AHEAD_BYTES) {
                Some((at, path)) => {
                    let lane = &mut state.lanes[at];
                    lane.next += 1;
                    lane.begun.insert(path.index, None);
                    return Some((at, path));
                }
                None => state = self.changed.wait(state).expect("nothing panics while it holds this"),
            }
        }
    }

    /// What was fetched ahead; none where that was not begun.
    fn take(&self, path: TilePath) -> Option<Given> {
        let mut state = self.state();
        let at = state.lanes.iter().position(|lane| lane.level == path.level)?;
        if TilePath::at(path.level, path.index, self.size) != Some(path) {
            return None;
        }
        let lane = &mut state.lanes[at];
        lane.asked = lane.asked.max(path.index);
        if !lane.begun.contains_key(&path.index) {
            lane.next = lane.next.max(path.index + 1);
        }
        self.changed.notify_all();
        while state.lanes[at].begun.get(&path.index)?.is_none() {
            state = self.changed.wait(state).expect("nothing panics while it holds this");
        }
        let given = state.lanes[at].begun.remove(&path.index).flatten()?;
        state.waiting_bytes -= len(&given);
        drop(state);
        self.changed.notify_all();
        Some(given)
    }
}

impl Read for Ahead<'_> {
    fn get(&self, name: &str, limit: u64) -> Given {
        let path = name.strip_prefix("public/").and_then(|path| path.parse().ok());
        let given = path.and_then(|path| self.take(path));
        given.unwrap_or_else(|| self.store.get(name, limit))
    }

    fn proven(&self, name: &str, bytes: &[u8]) {
        self.store.proven(name, bytes);
    }
}

fn len(given: &Given) -> usize {
    given.as_ref().ok().and_then(Option::as_ref).map_or(0, Vec::len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    /// Gives every object its name as its bytes, some a finding, after a moment; knows what was asked, and how many at once.
    #[derive(Default)]
    struct Far {
        asked: Mutex<Vec<String>>,
        now: AtomicUsize,
        most: AtomicUsize,
    }

    impl Read for Far {
        fn get(&self, name: &str, _: u64) -> Given {
            self.asked.lock().unwrap().push(name.to_owned());
            self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
            thread::sleep(Duration::from_micros(300));
            self.now.fetch_sub(1, SeqCst);
            if name.ends_with("7") {
                return Ok(None);
            }
            if name.ends_with("8") {
                return Err(StoreError::TooLarge { name: name.to_owned(), size: 2, limit: 1 });
            }
            Ok(Some(name.as_bytes().to_vec()))
        }
    }

    fn name(level: Level, index: u64, size: u64) -> String {
        format!("public/{}", TilePath::at(level, index, size).unwrap())
    }

    #[test]
    fn each_object_is_asked_for_once_and_several_at_once() {
        let (far, size) = (Far::default(), 300 * 256 + 9);
        let ahead = Ahead::new(&far, 100, size);
        let ask = |name: &str| match ahead.get(name, 1 << 30) {
            Ok(None) => assert!(name.ends_with("7")),
            Ok(Some(bytes)) => assert_eq!(bytes, name.as_bytes()),
            Err(_) => assert!(name.ends_with("8")),
        };
        ahead.during(8, || {
            for batch in (100..301).step_by(32) {
                (batch..301.min(batch + 32)).for_each(|n| ask(&name(Level::Entries, n, size)));
                (batch..301.min(batch + 32)).for_each(|n| ask(&name(Level::Hash(0), n, size)));
            }
            // What is not ahead, and what has been there.
            ask("public/checkpoint");
            ask("public/tile/1/000");
            ask(&name(Level::Hash(0), 3, size));
            ask(&name(Level::Entries, 120, size));
        });
        let mut asked = far.asked.lock().unwrap().clone();
        assert_eq!(asked.len(), 2 * 201 + 4);
        asked.sort();
        asked.dedup();
        assert_eq!(asked.len(), 2 * 201 + 3);
        assert!((2..=9).contains(&far.most.load(SeqCst)));
    }

    #[test]
    fn no_more_is_fetched_than_was_allowed() {
        let (far, size) = (Far::default(), 1000 * 256);
        let ahead = Ahead::new(&far, 0, size);
        let fetched = || far.asked.lock().unwrap().len();
        let most = usize::try_from(2 * AHEAD).unwrap();
        ahead.during(4, || {
            while fetched() < most {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_millis(20));
            assert_eq!(fetched(), most);
        });
        assert_eq!(fetched(), most, "it ends");
    }

    #[test]
    fn what_is_skipped_or_out_of_order_is_fetched_there_and_then() {
        let (far, size) = (Far::default(), 500 * 256);
        let ahead = Ahead::new(&far, 0, size);
        ahead.during(3, || {
            for index in [0, 400, 5, 401, 2, 499, 498, 1] {
                let name = name(Level::Entries, index, size);
                if let Ok(Some(bytes)) = ahead.get(&name, 9999) {
                    assert_eq!(bytes, name.as_bytes());
                }
            }
        });
    }
}
