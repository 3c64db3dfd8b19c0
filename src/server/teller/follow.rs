//! Following the writer: entries are read as they were committed, folded, and told.

use super::telling::{self, State};
use super::{Clock, TICK, Tools};
use crate::chain::{Reason, acts};
use crate::client::{Client, ReadError};
use crate::entry::SignedEntry;
use crate::field::{Class, Instant};
use crate::hash::{Hash, leaf_hash};
use crate::history::{History, Past};
use crate::ledger::Said;
use crate::merkle::tile::TILE_WIDTH;
use crate::roster::Alone;
use crate::server::journal::{Events, Journal, Told};
use crate::server::progress::{Progress, Reached};
use crate::store::Read;
use std::sync::Arc;
use std::time::Instant as Moment;

/// What comes before an entry. What cannot be read makes a finding here that is none; it is told when the log is verified.
struct Committed<'a, 'b> {
    client: &'a mut Client<'b>,
    /// What the author saw, where the writer checked it.
    seen: Option<Hash>,
}

impl Past for Committed<'_, '_> {
    fn leaf_at(&mut self, index: u64) -> Option<Hash> {
        self.seen.or_else(|| self.client.leaf_hash(index).ok())
    }

    fn root_at(&mut self, size: u64) -> Option<Hash> {
        self.client.root_at(size).ok()
    }
}

/// How many bundles are folded before questions are answered again.
const AT_ONCE: u64 = 16;

/// How much longer to rest than it took to look at what time brought.
const REST: u32 = 20;

/// What follows from the entries so far, and what was told of it.
pub(super) struct Follower {
    pub(super) store: Arc<dyn Read>,
    pub(super) history: History,
    /// The root over the entries that were folded.
    pub(super) root: Hash,
    pub(super) reached: Reached,
    /// From which entry on the writer that runs now checked the signatures.
    checked_from: u64,
    /// From which entry on there is something to tell.
    tell_from: u64,
    journal: Journal,
    told: Told,
    progress: Progress,
    /// When it is worth looking again at what time brought.
    look_again: Moment,
    pub(super) clock: Clock,
}

impl Follower {
    pub(super) fn new(tools: Tools, progress: Progress) -> Self {
        let Tools { store, history, journal, new_name, clock } = tools;
        let (size, reached) = (history.head().size, progress.reached());
        let first = Told { size, published: reached.published, until: clock() };
        // One that knows more than the log belongs to another, or to one that was not restored.
        let journal = match journal.told() {
            Some(told) if told.size > size => journal.anew(&new_name),
            _ => journal,
        };
        let mut journal = journal;
        if journal.told().is_none() {
            // So that a place in it is one after a restart, too.
            journal.add(Vec::new(), first);
        }
        let told = journal.told().unwrap_or(first);
        // What was committed and not told is folded again, for there is but one history, and it goes forwards.
        let (history, checked_from) =
            if told.size < size { (History::default(), size) } else { (history, size) };
        let root = if history.head().size == reached.size { reached.root } else { Hash::default() };
        let tell_from = told.size;
        let look_again = Moment::now();
        Self {
            store,
            history,
            root,
            reached,
            checked_from,
            tell_from,
            journal,
            told,
            progress,
            look_again,
            clock,
        }
    }

    pub(super) fn events(&self) -> Arc<Events> {
        self.journal.events()
    }

    /// Whether all that was there when the server began is folded.
    pub(super) fn has_caught_up(&self) -> bool {
        self.history.head().size >= self.checked_from
    }

    /// Folds and tells some of what is new; whether there is more.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn follow(&mut self) -> Result<bool, ReadError> {
        self.reached = self.progress.reached();
        let mut new = Vec::new();
        let size = self.fold(&mut new)?;
        let is_done = size == self.reached.size;
        let mut told = Told { size: size.max(self.told.size), ..self.told };
        if is_done {
            self.root = self.reached.root;
            told.until = self.look_at_time(&mut new);
            if self.reached.published > self.told.published {
                told.published = self.reached.published;
                new.push(telling::published(self.reached.published, self.history.times().1));
            }
        }
        let is_worth_keeping = told.size != self.told.size || told.published != self.told.published;
        if is_worth_keeping || !new.is_empty() {
            self.journal.add(new, told);
            self.told = told;
        }
        self.told.until = told.until;
        Ok(!is_done)
    }

    /// Tells what time brought, where it is worth looking again; until when it was told.
    fn look_at_time(&mut self, new: &mut Vec<(String, String)>) -> Instant {
        let (now, begun) = ((self.clock)().max(self.told.until), Moment::now());
        let (Some(ledger), true) = (self.history.ledger(), begun >= self.look_again) else {
            return self.told.until;
        };
        let state = State::of(self.history.head().size, self.reached.published);
        new.extend(telling::of_time(ledger, self.told.until, now, state));
        // All that is owed is looked at: on a long ledger not all the time.
        self.look_again = begun + (begun.elapsed() * REST).max(TICK);
        now
    }

    fn fold(&mut self, new: &mut Vec<(String, String)>) -> Result<u64, ReadError> {
        let (from, Reached { size, root, published }) = (self.history.head().size, self.reached);
        if from >= size {
            return Ok(from);
        }
        let store = Arc::clone(&self.store);
        let mut client = Client::open(&store, size, root)?;
        let width = u64::from(TILE_WIDTH);
        for number in (from / width..size.div_ceil(width)).take(usize::try_from(AT_ONCE).expect("few")) {
            for (index, bytes) in (number * width..).zip(client.bundle(number)?) {
                if index >= from {
                    self.take(index, &bytes, &mut client, published, new);
                }
            }
        }
        Ok(self.history.head().size)
    }

    fn take(
        &mut self,
        index: u64,
        bytes: &[u8],
        client: &mut Client<'_>,
        published: u64,
        new: &mut Vec<(String, String)>,
    ) {
        let decoded = SignedEntry::decode(bytes);
        let is_checked = index >= self.checked_from;
        let of_others = |e: &SignedEntry| e.statement.class() != Class::Govern;
        let alone = decoded.as_ref().ok().filter(|e| is_checked && of_others(e));
        let alone = alone.map(|_| Alone { reasons: Vec::new(), roster: self.history.pointer() });
        let seen = decoded.as_ref().map_or(Hash::default(), |e| e.statement.seen.leaf);
        let mut past = Committed { client, seen: is_checked.then_some(seen) };
        let findings = self.history.take(bytes, leaf_hash(bytes), decoded.as_ref(), &mut past, alone);
        let reasons: Vec<Reason> = findings.into_iter().map(|finding| finding.reason).collect();
        let Ok(e) = decoded else { return };
        if index < self.tell_from {
            return;
        }
        let at: Instant = self.history.times().1;
        let said = Said { index, id: e.id, at, by: e.statement.author.clone() };
        let state = State::of(index.saturating_add(1), published);
        new.push(telling::entry(&e, &said, state));
        if acts(&reasons)
            && let (Some(ledger), Ok(act)) = (self.history.ledger(), e.act())
        {
            new.extend(telling::of_entry(ledger, &said, act, state));
        }
    }
}
