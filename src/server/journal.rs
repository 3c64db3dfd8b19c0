//! The journal of events: numbered, bounded, and still there after a restart.
//!
//! In files of lines; a batch of events counts once the line that ends it is durable, and nobody
//! is told of it before:
//!
//! ```text
//! servanda events 1 18c4f0a2b31 LOG-ID            the journal's name, and the log's
//! 17 called_upon {"key":"called_upon:…",…}
//! @ 212 210 1796126400000                         told: so many entries, so many as published, until this time
//! ```
//!
//! Whoever listens has a number and no queue. The journal may be deleted: another one begins, under another name.
//!
//! Where the disk does not take a batch, the journal goes on in memory, as bounded as before, and its files go, so that nobody reads
//! half of it after a restart. With the next event a file is begun anew, from that event on: what was told before is gone after a
//! restart, and whoever asks for it is told to read the log.

use crate::field::Instant;
use crate::hash::Hash;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use tokio::sync::watch;

/// How many events are kept, at most.
pub const KEPT: usize = 32_768;

/// How many events a file takes before the next one is begun.
const FILE: usize = KEPT / 2;

/// The longest file that is read, in bytes: longer ones are none of ours.
const MAX_FILE: u64 = 1 << 30;

const FORMAT: &str = "servanda events 1";

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in the journal, from 1.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// What it says, in a line of JSON.
    pub data: String,
}

/// What was told so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// So many entries.
    pub size: u64,
    /// So many of them as published.
    pub published: u64,
    /// What time brought until then.
    pub until: Instant,
}

/// The place that was asked for is gone, or was never there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such place in this journal")]
pub struct Gone;

/// What listeners share.
#[derive(Debug)]
pub struct Events {
    /// The journal's name.
    name: String,
    kept: RwLock<VecDeque<Arc<Event>>>,
    last: watch::Sender<u64>,
}

impl Events {
    /// The journal's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of the last event, and of each that comes.
    #[must_use]
    pub fn last(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// The next events after a number, at most `most`.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn after(&self, number: u64, most: usize) -> Result<Vec<Arc<Event>>, Gone> {
        let kept = self.kept.read().expect("nothing panics while it holds this");
        let last = *self.last.borrow();
        let first = kept.front().map_or(last + 1, |event| event.number);
        if number > last || number + 1 < first {
            return Err(Gone);
        }
        let from = usize::try_from(number + 1 - first).map_err(|_| Gone)?;
        Ok(kept.iter().skip(from).take(most).cloned().collect())
    }
}

/// The journal, for the one who writes it.
#[derive(Debug)]
pub struct Journal {
    events: Arc<Events>,
    folder: Option<PathBuf>,
    log: Hash,
    file: Option<File>,
    /// How many events are in the file.
    filled: usize,
    told: Option<Told>,
    /// Whether nothing of it is on the disk, which took no batch when it was tried last.
    lost: bool,
}

impl Journal {
    /// Opens the journal of a log in a folder, or begins one under this name where there is none that could go on. No folder:
    /// in memory.
    #[must_use]
    pub fn open(folder: Option<&Path>, log: Hash, new_name: &str) -> Self {
        let read = folder.and_then(|folder| read(folder, &log).inspect_err(unread).ok().flatten());
        let (name, kept, told) = read.unwrap_or_else(|| (new_name.to_owned(), VecDeque::new(), None));
        let last = kept.back().map_or(0, |event| event.number);
        let events = Events { name, kept: RwLock::new(kept), last: watch::Sender::new(last) };
        let folder = folder.map(Path::to_owned);
        Self { events: Arc::new(events), folder, log, file: None, filled: 0, told, lost: false }
    }

    /// Begins another journal, should this one not belong to what is told now.
    #[must_use]
    pub fn anew(self, new_name: &str) -> Self {
        let events =
            Events { name: new_name.to_owned(), kept: RwLock::default(), last: watch::Sender::new(0) };
        self.forget();
        Self { events: Arc::new(events), file: None, filled: 0, told: None, lost: false, ..self }
    }

    /// What listeners share.
    #[must_use]
    pub fn events(&self) -> Arc<Events> {
        Arc::clone(&self.events)
    }

    /// What was told; none: nothing yet.
    #[must_use]
    pub fn told(&self) -> Option<Told> {
        self.told
    }

    /// Adds events, by name and data, and tells all who listen, also where the disk does not take them.
    pub fn add(&mut self, new: Vec<(String, String)>, told: Told) {
        let last = *self.events.last.borrow();
        let numbered: Vec<Arc<Event>> = (last + 1..)
            .zip(new)
            .map(|(number, (name, data))| Arc::new(Event { number, name, data }))
            .collect();
        // A file without an event would not tell after which one it begins.
        if self.folder.is_some() && !(self.lost && numbered.is_empty()) {
            self.keep(&numbered, told);
        }
        self.told = Some(told);
        let last = last + u64::try_from(numbered.len()).expect("few");
        let mut kept = self.events.kept.write().expect("nothing panics while it holds this");
        kept.extend(numbered);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
        drop(kept);
        self.events.last.send_if_modified(|before| std::mem::replace(before, last) != last);
    }

    /// Writes a batch; where that fails all that is on the disk goes.
    fn keep(&mut self, new: &[Arc<Event>], told: Told) {
        let was_lost = self.lost;
        match self.write(new, told) {
            Ok(()) if was_lost => {
                self.lost = false;
                tracing::info!(target: "servanda::events", "the journal of events is written again");
            }
            Ok(()) => {}
            Err(error) => {
                self.forget();
                (self.file, self.lost) = (None, true);
                if !was_lost {
                    tracing::error!(
                        target: "servanda::events", %error,
                        "the journal of events cannot be written: it goes on in memory, and is tried again with the next event"
                    );
                }
            }
        }
    }

    fn write(&mut self, new: &[Arc<Event>], told: Told) -> io::Result<()> {
        use std::fmt::Write as _;
        let mut text = String::new();
        for Event { number, name, data } in new.iter().map(AsRef::as_ref) {
            let _ = writeln!(text, "{number} {name} {data}");
        }
        let _ = writeln!(text, "@ {} {} {}", told.size, told.published, told.until.ms());
        if self.file.is_none() || self.filled >= FILE {
            self.begin_file()?;
        }
        self.filled += new.len();
        let file = self.file.as_mut().expect("it was just begun");
        file.write_all(text.as_bytes())?;
        file.sync_data()
    }

    /// Begins a file, and removes those that hold nothing of what is kept.
    fn begin_file(&mut self) -> io::Result<()> {
        let folder = self.folder.as_ref().expect("asked by who has one");
        fs::create_dir_all(folder)?;
        let next = self.events.last.borrow().saturating_add(1);
        let path = folder.join(format!("{next:020}"));
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
        file.write_all(format!("{FORMAT} {} {}\n", self.events.name, self.log).as_bytes())?;
        // Not where that is all there is: the batch to come is whole, or there is no journal.
        if let Some(told) = self.told.filter(|_| !self.lost) {
            file.write_all(format!("@ {} {} {}\n", told.size, told.published, told.until.ms()).as_bytes())?;
        }
        File::open(folder)?.sync_all()?;
        let first = self.events.kept.read().expect("nothing panics while it holds this");
        let first = first.front().map_or(next, |event| event.number);
        let all = files(folder)?;
        let is_kept = |path: &Path| number(path).is_none_or(|number| number > first);
        for (old, _) in all.iter().zip(&all[1..]).filter(|(_, next)| !is_kept(next)) {
            fs::remove_file(old)?;
        }
        (self.file, self.filled) = (Some(file), 0);
        Ok(())
    }

    fn forget(&self) {
        for path in self.folder.iter().filter_map(|folder| files(folder).ok()).flatten() {
            // What stays is of another name, and never goes on.
            let _ = fs::remove_file(path);
        }
    }
}

fn unread(error: &io::Error) {
    tracing::warn!(target: "servanda::events", %error, "the journal of events cannot be read; another one begins");
}

/// The number of a file's first event.
fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.parse().ok()
}

/// The files of a journal, the oldest first.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let all = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        all => all?,
    };
    let mut files = all.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

type Read = (String, VecDeque<Arc<Event>>, Option<Told>);

/// Reads a journal of this log, up to the last batch that is whole; none where there is none, or it is damaged before that.
fn read(folder: &Path, log: &Hash) -> io::Result<Option<Read>> {
    let mut all: Option<Read> = None;
    for path in files(folder)? {
        if fs::metadata(&path)?.len() > MAX_FILE {
            return Ok(None);
        }
        let Ok(text) = String::from_utf8(fs::read(&path)?) else { return Ok(None) };
        let Some((name, events, told)) = parsed(&text, log) else { return Ok(None) };
        let (known, kept, last) = all.get_or_insert_with(|| (name.to_owned(), VecDeque::new(), None));
        let next = kept.back().map(|event| event.number + 1);
        let follows = next.is_none_or(|next| events.first().is_none_or(|event| event.number == next));
        if *known != name || !follows {
            return Ok(None);
        }
        kept.extend(events);
        *last = told.or(*last);
    }
    if let Some((_, kept, _)) = &mut all {
        kept.drain(..kept.len().saturating_sub(KEPT));
    }
    Ok(all.filter(|(_, _, told)| told.is_some()))
}

/// The journal's name, and the whole batches of a file.
#[allow(clippy::type_complexity, reason = "read once, into a journal")]
fn parsed<'a>(text: &'a str, log: &Hash) -> Option<(&'a str, Vec<Arc<Event>>, Option<Told>)> {
    let (head, rest) = text.split_once('\n')?;
    let (name, of) = head.strip_prefix(FORMAT)?.strip_prefix(' ')?.split_once(' ')?;
    if of != log.to_string() {
        return None;
    }
    let (mut events, mut batch, mut told) = (Vec::new(), Vec::new(), None);
    // What has no end was cut off.
    for line in rest.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let mut words = line.splitn(3, ' ');
        let (first, second, third) = (words.next()?, words.next()?, words.next()?);
        if first == "@" {
            let (published, until) = third.split_once(' ')?;
            let until = Instant::from_ms(until.parse().ok()?).ok()?;
            told = Some(Told { size: second.parse().ok()?, published: published.parse().ok()?, until });
            events.append(&mut batch);
        } else {
            let (name, data) = (second.to_owned(), third.to_owned());
            batch.push(Arc::new(Event { number: first.parse().ok()?, name, data }));
        }
    }
    let in_order = events.windows(2).all(|two| two[0].number + 1 == two[1].number);
    in_order.then_some((name, events, told))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: Hash = Hash([7; 32]);

    fn told(size: u64) -> Told {
        Told { size, published: size, until: Instant::from_ms(size * 1000).unwrap() }
    }

    fn add(journal: &mut Journal, from: u64, count: u64) {
        let new = (from..from + count).map(|n| ("entry".to_owned(), format!("{{\"n\":{n}}}")));
        journal.add(new.collect(), told(from + count));
    }

    fn numbers(journal: &Journal, after: u64) -> Result<Vec<u64>, Gone> {
        Ok(journal.events().after(after, usize::MAX)?.iter().map(|event| event.number).collect())
    }

    #[test]
    fn who_listens_gets_all_that_comes_after_a_place() {
        let mut journal = Journal::open(None, LOG, "a");
        assert_eq!(numbers(&journal, 0), Ok(vec![]));
        assert_eq!(numbers(&journal, 1), Err(Gone));
        add(&mut journal, 0, 3);
        assert_eq!(numbers(&journal, 0), Ok(vec![1, 2, 3]));
        assert_eq!(numbers(&journal, 2), Ok(vec![3]));
        assert_eq!(numbers(&journal, 3), Ok(vec![]));
        assert_eq!(numbers(&journal, 4), Err(Gone));
        assert_eq!(*journal.events().last().borrow(), 3);
        let kept = u64::try_from(KEPT).unwrap();
        add(&mut journal, 3, kept);
        assert_eq!(numbers(&journal, 2), Err(Gone));
        assert_eq!(numbers(&journal, 3).unwrap().len(), KEPT);
    }

    #[test]
    fn it_goes_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name| Journal::open(Some(folder.path()), LOG, name);
        let mut journal = open("a");
        assert_eq!(journal.told(), None);
        add(&mut journal, 0, 3);
        add(&mut journal, 3, 2);
        drop(journal);
        let mut journal = open("b");
        assert_eq!((journal.events().name(), journal.told()), ("a", Some(told(5))));
        assert_eq!(numbers(&journal, 1), Ok(vec![2, 3, 4, 5]));
        add(&mut journal, 5, 1);
        drop(journal);
        let journal = open("c");
        assert_eq!((numbers(&journal, 4), journal.told()), (Ok(vec![5, 6]), Some(told(6))));
        // Nothing was said, and yet time went by.
        drop(journal);
        open("c").add(Vec::new(), told(9));
        assert_eq!((numbers(&open("c"), 5), open("c").told()), (Ok(vec![6]), Some(told(9))));
    }

    #[test]
    fn a_batch_that_was_cut_off_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Journal::open(Some(folder.path()), LOG, "b");
        let mut journal = Journal::open(Some(folder.path()), LOG, "a");
        add(&mut journal, 0, 3);
        add(&mut journal, 3, 2);
        drop(journal);
        let path = files(folder.path()).unwrap().pop().unwrap();
        let whole = fs::read(&path).unwrap();
        let first_batch = whole.iter().enumerate().filter(|(_, byte)| **byte == b'@').nth(1).unwrap().0;
        for len in [whole.len() - 1, whole.len() - 9, whole.len() - 30] {
            assert!(len > first_batch / 2);
            fs::write(&path, &whole[..len]).unwrap();
            let journal = open();
            assert_eq!((journal.events().name(), journal.told()), ("a", Some(told(3))), "{len}");
            assert_eq!(numbers(&journal, 0), Ok(vec![1, 2, 3]), "{len}");
        }
        let mut journal = open();
        add(&mut journal, 3, 1);
        drop(journal);
        assert_eq!(numbers(&open(), 0), Ok(vec![1, 2, 3, 4]));
    }

    #[test]
    fn one_that_is_damaged_or_of_another_log_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(Some(folder.path()), LOG, "a");
        add(&mut journal, 0, 3);
        drop(journal);
        assert_eq!(Journal::open(Some(folder.path()), Hash([8; 32]), "b").events().name(), "b");
        let path = files(folder.path()).unwrap().pop().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for (from, to) in
            [("2 entry", "7 entry"), ("2 entry", "x entry"), ("events 1", "events 2"), ("@ ", "@")]
        {
            fs::write(&path, text.replacen(from, to, 1)).unwrap();
            let journal = Journal::open(Some(folder.path()), LOG, "b");
            assert_eq!((journal.events().name(), journal.told()), ("b", None), "{from} {to}");
        }
        fs::write(&path, text).unwrap();
        let journal = Journal::open(Some(folder.path()), LOG, "b").anew("c");
        assert_eq!((journal.events().name(), journal.told()), ("c", None));
        assert!(files(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn a_disk_that_takes_nothing_is_tried_again_and_nothing_is_read_twice() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("events");
        let open = |name| Journal::open(Some(&folder), LOG, name);
        // In the folder's place lies a file.
        fs::write(&folder, "").unwrap();
        let mut journal = open("a");
        add(&mut journal, 0, 3);
        add(&mut journal, 3, 0);
        assert_eq!((numbers(&journal, 0), journal.told()), (Ok(vec![1, 2, 3]), Some(told(3))));
        fs::remove_file(&folder).unwrap();
        add(&mut journal, 3, 0);
        assert!(!folder.exists(), "without an event there is nothing to begin with");
        add(&mut journal, 3, 2);
        add(&mut journal, 5, 1);
        assert_eq!(numbers(&journal, 0), Ok(vec![1, 2, 3, 4, 5, 6]));
        drop(journal);
        let journal = open("b");
        assert_eq!((journal.events().name(), journal.told()), ("a", Some(told(6))));
        assert_eq!((numbers(&journal, 3), numbers(&journal, 2)), (Ok(vec![4, 5, 6]), Err(Gone)));
        // Cut off in its first batch it is none.
        let path = files(&folder).unwrap().pop().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.split_inclusive('\n').take(2).collect::<String>()).unwrap();
        assert_eq!(open("b").events().name(), "b");
    }

    #[test]
    fn a_journal_in_memory_keeps_no_more_than_one_on_a_disk() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("events"), "").unwrap();
        let mut journal = Journal::open(Some(&place.path().join("events")), LOG, "a");
        let kept = u64::try_from(KEPT).unwrap();
        add(&mut journal, 0, kept);
        add(&mut journal, kept, 5);
        assert_eq!((numbers(&journal, 5).unwrap().len(), numbers(&journal, 4)), (KEPT, Err(Gone)));
    }

    #[test]
    fn old_files_go() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(Some(folder.path()), LOG, "a");
        let file = u64::try_from(FILE).unwrap();
        for round in 0..5 {
            add(&mut journal, round * file, file);
        }
        assert_eq!(files(folder.path()).unwrap().len(), 3);
        drop(journal);
        let journal = Journal::open(Some(folder.path()), LOG, "b");
        assert_eq!(numbers(&journal, 3 * file).unwrap().len(), KEPT);
        assert_eq!(numbers(&journal, 3 * file - 1), Err(Gone));
    }
}
