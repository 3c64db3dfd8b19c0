//! A store in memory that fails as planned: what the crash tests run the writer on.
//!
//! A [`Memory`] is one process's handle on a disk. It counts its calls; a [`Plan`] makes one of them fail, before or
//! after it was carried out, or only in part, and may kill the handle with it; [`Memory::stall`] runs something else,
//! another writer say, while the call waits. [`Memory::reopen`] is the process that starts next and sees what persisted:
//!
//! ```
//! use servanda::store::{Read, Store, memory::{Among, Fault, Memory, Plan}};
//! let first = Memory::new();
//! first.plan(Plan { among: Among::Changes, nth: 1, fault: Fault::FailsButPersisted, dies: true });
//! assert!(first.put_all(&[("private/a".into(), vec![1])]).is_ok());
//! assert!(first.put_all(&[("private/b".into(), vec![2])]).is_err());
//! assert!(first.get("private/b", 1).is_err(), "it has died");
//! assert_eq!(first.reopen().get("private/b", 1)?, Some(vec![2]));
//! # Ok::<(), servanda::store::StoreError>(())
//! ```
//!
//! All that is done is durable at once, but for deletions, and what [`Fault::Volatile`] did: [`Memory::power_cut`] undoes
//! both, as the contract allows. [`Fault::Lingers`] does it later, when another process is at work. That durability is
//! awaited where it must be, only a real disk shows ([`super::dir`]).

use super::{
    Attempt, MAX_SWAP_BYTES, Read, Store, StoreError, Swap, check_folder, check_name, check_size, size_of,
};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Read::get`].
    Get,
    /// [`Store::put_all`].
    Put,
    /// [`Store::swap`].
    Swap,
    /// [`Store::delete`].
    Delete,
    /// [`Store::list`].
    List,
}

/// One call as it was made; a call with a bad name is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What it asks for.
    pub kind: Kind,
    /// The object's name, or the folder's; of many objects, the first.
    pub name: String,
}

/// Which calls a plan counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// All of them.
    All,
    /// Those that can change something: put, swap, delete.
    Changes,
    /// Those of one kind.
    Only(Kind),
}

/// How a call fails. To the caller they all look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done.
    Fails,
    /// All is done, and only the answer is lost.
    FailsButPersisted,
    /// Done in part: object i of a put persists if bit i modulo 64 is set; of a swap or a delete, bit 0 decides.
    Partly(u64),
    /// All is done and seen by everyone, and undone by a power cut, unless a later call that went well has seen it too.
    Volatile,
    /// Nothing is done now; all is done, if it can be then, before the call of whatever handle that comes after so many
    /// others: a request that was held up on its way.
    Lingers(u64),
}

/// Makes one call fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The calls that count.
    pub among: Among,
    /// How many of them, from now on, go well before the one that fails.
    pub nth: u64,
    /// How that one fails.
    pub fault: Fault,
    /// Whether the process dies with it: then every later call of this handle fails, with nothing done.
    pub dies: bool,
}

/// The fault was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Planned {
    /// This call was to fail.
    #[error("planned fault")]
    Fault,
    /// An earlier call killed the process.
    #[error("this process has died, as planned")]
    Dead,
}

/// A handle on a store in memory. Clones are the same handle; [`Memory::reopen`] makes another one.
#[derive(Clone, Default)]
pub struct Memory {
    disk: Arc<Mutex<Disk>>,
    process: Arc<Mutex<Process>>,
}

#[derive(Default)]
struct Disk {
    objects: BTreeMap<String, Vec<u8>>,
    /// Deleted, but not for good.
    deleted: BTreeMap<String, Vec<u8>>,
    /// What a power cut puts in the place of objects that are not durable.
    volatile: BTreeMap<String, Option<Vec<u8>>>,
    /// Requests held up, and after how many more calls they arrive.
    lingering: Vec<(u64, Request)>,
}

/// What changes something.
enum Request {
    Put(Vec<(String, Vec<u8>)>),
    Swap(String, Option<Vec<u8>>, Vec<u8>),
    Delete(String),
}

#[derive(Default)]
struct Process {
    calls: Vec<Call>,
    coming: Vec<Coming>,
    dead: bool,
}

/// What is to come once `left` more calls of the counted ones were made.
struct Coming {
    among: Among,
    left: u64,
    event: Event,
}

enum Event {
    Fault(Fault, bool),
    Stall(Box<dyn FnOnce() + Send>),
}

impl Memory {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a store that holds these objects, as if restored from a backup.
    #[must_use]
    pub fn holding(objects: BTreeMap<String, Vec<u8>>) -> Self {
        let memory = Self::new();
        memory.disk().objects = objects;
        memory
    }

    /// Returns all objects there are, uncounted: a backup, or what a test looks at.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.disk().objects.clone()
    }

    /// Starts another process on the same store: alive, without plans, its count at nought.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self { disk: Arc::clone(&self.disk), process: Arc::default() }
    }

    /// Starts the first process after a power cut: this handle is dead, and what was deleted is there again, unless
    /// its name was used since. Other handles are the caller's to drop.
    #[must_use]
    pub fn power_cut(&self) -> Self {
        self.process().dead = true;
        let mut disk = self.disk();
        for (name, before) in std::mem::take(&mut disk.volatile) {
            disk.objects.remove(&name);
            disk.objects.extend(before.map(|bytes| (name, bytes)));
        }
        let mut objects = std::mem::take(&mut disk.deleted);
        objects.append(&mut disk.objects);
        disk.objects = objects;
        drop(disk);
        self.reopen()
    }

    /// Whether requests are still on their way.
    #[must_use]
    pub fn lingers(&self) -> bool {
        !self.disk().lingering.is_empty()
    }

    /// Plans a fault, counting from now; several plans count side by side.
    pub fn plan(&self, plan: Plan) {
        let Plan { among, nth, fault, dies } = plan;
        self.process().coming.push(Coming { among, left: nth, event: Event::Fault(fault, dies) });
    }

    /// Runs `meanwhile` just before a call is carried out, counting from now as in [`Plan`]: what another process does
    /// while this one sleeps. It may use other handles freely.
    pub fn stall(&self, among: Among, nth: u64, meanwhile: impl FnOnce() + Send + 'static) {
        self.process().coming.push(Coming { among, left: nth, event: Event::Stall(Box::new(meanwhile)) });
    }

    /// Returns the calls made on this handle so far, those that failed as planned included: its length is the range of
    /// [`Plan::nth`] that a test of every call goes through.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.process().calls.clone()
    }

    /// Counts a call, sleeps if it was to stall, and says how it is to fail, if so.
    fn begin(&self, kind: Kind, name: &str) -> Result<Option<Fault>, StoreError> {
        if self.process().dead {
            return Err(planned(kind, name, Planned::Dead));
        }
        self.disk().arrive();
        let due = self.process().count(Call { kind, name: name.to_owned() });
        let mut fault = None;
        for event in due {
            match event {
                Event::Stall(meanwhile) => meanwhile(), // no lock is held here
                Event::Fault(planned, dies) => {
                    fault = Some(planned);
                    self.process().dead |= dies;
                }
            }
        }
        Ok(fault)
    }

    /// Reads need no more: whatever the fault, they return nothing.
    fn begin_reading(&self, kind: Kind, name: &str) -> Result<MutexGuard<'_, Disk>, StoreError> {
        match self.begin(kind, name)? {
            None => Ok(self.disk()),
            Some(_) => Err(planned(kind, name, Planned::Fault)),
        }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().expect("nothing panics while it holds the disk")
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().expect("nothing panics while it holds the process")
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.disk().objects.keys()).finish()
    }
}

impl Read for Memory {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        check_name(name)?;
        let disk = self.begin_reading(Kind::Get, name)?;
        let Some(bytes) = disk.objects.get(name) else { return Ok(None) };
        check_size(name, size_of(bytes), limit)?;
        Ok(Some(bytes.clone()))
    }
}

impl Store for Memory {
    fn put_all(&self, objects: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        objects.iter().try_for_each(|(name, _)| check_name(name))?;
        let Some((first, _)) = objects.first() else { return Ok(()) };
        let fault = self.begin(Kind::Put, first)?;
        let mut disk = self.disk();
        disk.linger(fault, || Request::Put(objects.to_vec()));
        for (i, (name, bytes)) in objects.iter().enumerate() {
            if persists(fault, i) {
                disk.put(name, bytes, fault)?;
            }
        }
        answer(fault, Kind::Put, first, ())
    }

    fn swap(&self, name: &str, old: Option<&[u8]>, new: &[u8]) -> Result<Swap, StoreError> {
        check_name(name)?;
        check_size(name, size_of(new), MAX_SWAP_BYTES)?;
        let fault = self.begin(Kind::Swap, name)?;
        let mut disk = self.disk();
        let current = disk.objects.get(name);
        check_size(name, current.map_or(0, |bytes| size_of(bytes)), MAX_SWAP_BYTES)?;
        if current.map(Vec::as_slice) != old {
            let there = current.cloned();
            if fault.is_none() {
                disk.volatile.remove(name);
            }
            return answer(fault, Kind::Swap, name, Swap::Lost(there));
        }
        disk.linger(fault, || Request::Swap(name.to_owned(), old.map(<[u8]>::to_vec), new.to_owned()));
        if persists(fault, 0) {
            disk.swap(name, new, fault);
        }
        answer(fault, Kind::Swap, name, Swap::Done)
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        check_name(name)?;
        let fault = self.begin(Kind::Delete, name)?;
        let mut disk = self.disk();
        disk.linger(fault, || Request::Delete(name.to_owned()));
        if persists(fault, 0) {
            disk.delete(name);
        }
        answer(fault, Kind::Delete, name, ())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        check_folder(folder)?;
        let disk = self.begin_reading(Kind::List, folder)?;
        let below = |name: &&String| name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        Ok(disk.objects.keys().filter(below).cloned().collect())
    }
}

impl Disk {
    fn put(&mut self, name: &str, bytes: &[u8], fault: Option<Fault>) -> Result<(), StoreError> {
        match self.objects.get(name) {
            None => {
                self.objects.insert(name.to_owned(), bytes.to_owned());
                self.keep(name, None, fault);
            }
            Some(there) if there == bytes => {
                if fault != Some(Fault::Volatile) {
                    self.volatile.remove(name);
                }
            }
            Some(_) => return Err(StoreError::Conflict { name: name.to_owned() }),
        }
        Ok(())
    }

    fn swap(&mut self, name: &str, new: &[u8], fault: Option<Fault>) {
        let before = self.objects.insert(name.to_owned(), new.to_owned());
        self.keep(name, before, fault);
    }

    fn delete(&mut self, name: &str) {
        if let Some(bytes) = self.objects.remove(name) {
            // What was not durable is gone for good: a power cut may do either.
            if self.volatile.remove(name).is_none() {
                self.deleted.insert(name.to_owned(), bytes);
            }
        }
    }

    /// An object is durable now, or a power cut brings back what was durable before.
    fn keep(&mut self, name: &str, before: Option<Vec<u8>>, fault: Option<Fault>) {
        if fault == Some(Fault::Volatile) {
            self.volatile.entry(name.to_owned()).or_insert(before);
        } else {
            self.volatile.remove(name);
        }
    }

    fn linger(&mut self, fault: Option<Fault>, request: impl FnOnce() -> Request) {
        if let Some(Fault::Lingers(calls)) = fault {
            self.lingering.push((calls, request()));
        }
    }

    /// Carries out the requests whose time has come; nobody waits for their answers any more.
    fn arrive(&mut self) {
        for (left, request) in std::mem::take(&mut self.lingering) {
            match request {
                request if left > 0 => self.lingering.push((left - 1, request)),
                Request::Put(objects) => {
                    for (name, bytes) in objects {
                        let _ = self.put(&name, &bytes, None);
                    }
                }
                Request::Swap(name, old, new) if self.objects.get(&name) == old.as_ref() => {
                    self.swap(&name, &new, None);
                }
                Request::Swap(..) => {}
                Request::Delete(name) => self.delete(&name),
            }
        }
    }
}

impl Process {
    /// Records a call and takes out what was to come with it.
    fn count(&mut self, call: Call) -> Vec<Event> {
        let mut due = Vec::new();
        for mut coming in std::mem::take(&mut self.coming) {
            match (coming.among.counts(call.kind), coming.left) {
                (true, 0) => due.push(coming.event),
                (counted, _) => {
                    coming.left -= u64::from(counted);
                    self.coming.push(coming);
                }
            }
        }
        self.calls.push(call);
        due
    }
}

impl Among {
    fn counts(self, kind: Kind) -> bool {
        match self {
            Among::All => true,
            Among::Changes => matches!(kind, Kind::Put | Kind::Swap | Kind::Delete),
            Among::Only(only) => only == kind,
        }
    }
}

/// Whether the object at a position of a call is changed in spite of the fault.
fn persists(fault: Option<Fault>, position: usize) -> bool {
    match fault {
        None | Some(Fault::FailsButPersisted | Fault::Volatile) => true,
        Some(Fault::Fails | Fault::Lingers(_)) => false,
        Some(Fault::Partly(mask)) => mask >> (position % 64) & 1 == 1,
    }
}

fn answer<T>(fault: Option<Fault>, kind: Kind, name: &str, good: T) -> Result<T, StoreError> {
    if fault.is_none() { Ok(good) } else { Err(planned(kind, name, Planned::Fault)) }
}

fn planned(kind: Kind, name: &str, why: Planned) -> StoreError {
    let attempt = match kind {
        Kind::Get => Attempt::Read,
        Kind::Put => Attempt::Write,
        Kind::Swap => Attempt::Publish,
        Kind::Delete => Attempt::Delete,
        Kind::List => Attempt::List,
    };
    StoreError::Io { attempt, name: name.to_owned(), source: io::Error::other(why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<(String, Vec<u8>)> {
        (0..3).map(|i| (format!("public/{i}"), vec![i])).collect()
    }

    fn fault(error: &StoreError) -> Option<Planned> {
        match error {
            StoreError::Io { source, .. } => source.get_ref()?.downcast_ref().copied(),
            _ => None,
        }
    }

    #[test]
    fn a_fault_strikes_the_planned_call_and_no_other() {
        let memory = Memory::new();
        memory.put_all(&three()).unwrap();
        memory.plan(Plan { among: Among::Changes, nth: 1, fault: Fault::Fails, dies: false });
        memory.plan(Plan { among: Among::Only(Kind::Get), nth: 0, fault: Fault::Fails, dies: false });
        assert_eq!(fault(&memory.get("public/0", 1).unwrap_err()), Some(Planned::Fault));
        memory.delete("public/0").unwrap();
        memory.get("public/0", 1).unwrap();
        assert_eq!(fault(&memory.delete("public/1").unwrap_err()), Some(Planned::Fault));
        memory.delete("public/2").unwrap();
        assert_eq!(memory.objects().into_keys().collect::<Vec<_>>(), ["public/1"]);
        let kinds: Vec<_> = memory.calls().iter().map(|call| call.kind).collect();
        assert_eq!(kinds, [Kind::Put, Kind::Get, Kind::Delete, Kind::Get, Kind::Delete, Kind::Delete]);
    }

    #[test]
    fn a_fault_persists_as_much_as_was_planned() {
        for (fault, persisted) in [
            (Fault::Fails, 0),
            (Fault::FailsButPersisted, 3),
            (Fault::Partly(0b101), 2),
            (Fault::Partly(0b1000), 0),
        ] {
            let memory = Memory::new();
            memory.plan(Plan { among: Among::All, nth: 0, fault, dies: false });
            memory.put_all(&three()).unwrap_err();
            assert_eq!(memory.objects().len(), persisted, "{fault:?}");
            memory.put_all(&three()).unwrap();
        }
        for (fault, now) in [(Fault::Partly(0), b"old"), (Fault::Partly(1), b"new")] {
            let memory = Memory::new();
            assert_eq!(memory.swap("private/a", None, b"old").unwrap(), Swap::Done);
            memory.plan(Plan { among: Among::All, nth: 0, fault, dies: false });
            memory.swap("private/a", Some(b"old"), b"new").unwrap_err();
            assert_eq!(memory.get("private/a", 3).unwrap().unwrap(), now);
        }
    }

    #[test]
    fn a_dead_process_does_nothing_more_and_the_next_one_lives() {
        let memory = Memory::new();
        memory.plan(Plan { among: Among::All, nth: 0, fault: Fault::FailsButPersisted, dies: true });
        assert_eq!(fault(&memory.put_all(&three()).unwrap_err()), Some(Planned::Fault));
        assert_eq!(fault(&memory.clone().delete("public/0").unwrap_err()), Some(Planned::Dead));
        assert_eq!(fault(&memory.list("public").unwrap_err()), Some(Planned::Dead));
        assert_eq!(memory.calls().len(), 1, "a dead process makes no calls");
        let next = memory.reopen();
        assert_eq!(next.list("public").unwrap().len(), 3);
        assert_eq!(next.calls().len(), 1);
    }

    #[test]
    fn another_writer_can_run_while_a_call_is_stalled() {
        let memory = Memory::new();
        let other = memory.reopen();
        memory.stall(Among::Only(Kind::Swap), 1, move || {
            assert_eq!(other.swap("private/a", Some(b"1"), b"theirs").unwrap(), Swap::Done);
        });
        assert_eq!(memory.swap("private/a", None, b"1").unwrap(), Swap::Done);
        assert_eq!(
            memory.swap("private/a", Some(b"1"), b"ours").unwrap(),
            Swap::Lost(Some(b"theirs".to_vec()))
        );
    }

    #[test]
    fn a_power_cut_may_undo_deletions_and_nothing_else() {
        let memory = Memory::new();
        memory.put_all(&three()).unwrap();
        memory.delete("public/0").unwrap();
        memory.delete("public/1").unwrap();
        memory.put_all(&[("public/1".into(), vec![9])]).unwrap();
        let next = memory.power_cut();
        assert!(memory.list("public").is_err());
        assert_eq!(next.objects().into_values().collect::<Vec<_>>(), [vec![0], vec![9], vec![2]]);
    }

    #[test]
    fn what_was_not_durable_goes_with_a_power_cut_unless_a_later_call_saw_it() {
        for seen in [false, true] {
            let memory = Memory::new();
            assert_eq!(memory.swap("private/a", None, b"old").unwrap(), Swap::Done);
            for _ in 0..2 {
                memory.plan(Plan { among: Among::All, nth: 0, fault: Fault::Volatile, dies: false });
                memory.put_all(&three()).unwrap_err();
            }
            memory.plan(Plan { among: Among::All, nth: 0, fault: Fault::Volatile, dies: false });
            memory.swap("private/a", Some(b"old"), b"new").unwrap_err();
            assert_eq!(memory.objects().len(), 4, "they are there");
            if seen {
                memory.put_all(&three()).unwrap();
                assert_eq!(memory.swap("private/a", None, b"x").unwrap(), Swap::Lost(Some(b"new".to_vec())));
            }
            let next = memory.power_cut().objects();
            let want = if seen { (4, b"new".to_vec()) } else { (1, b"old".to_vec()) };
            assert_eq!((next.len(), next["private/a"].clone()), want);
        }
    }

    #[test]
    fn a_request_that_lingers_is_carried_out_later_if_it_still_fits() {
        for other in [false, true] {
            let memory = Memory::new();
            let linger =
                || memory.plan(Plan { among: Among::All, nth: 0, fault: Fault::Lingers(2), dies: false });
            linger();
            memory.put_all(&three()).unwrap_err();
            linger();
            memory.swap("private/a", None, b"late").unwrap_err();
            assert!(memory.lingers() && memory.objects().is_empty());
            if other {
                assert_eq!(memory.swap("private/a", None, b"other").unwrap(), Swap::Done);
            } else {
                memory.list("public").unwrap();
            }
            assert_eq!(memory.reopen().get("public/1", 1).unwrap(), Some(vec![1]), "of another handle");
            memory.list("public").unwrap();
            let there: &[u8] = if other { b"other" } else { b"late" };
            assert_eq!((memory.lingers(), memory.objects()["private/a"].as_slice()), (false, there));
        }
    }

    #[test]
    fn a_backup_restored_holds_what_it_held() {
        let memory = Memory::new();
        memory.put_all(&three()).unwrap();
        let backup = memory.objects();
        memory.delete("public/0").unwrap();
        let restored = Memory::holding(backup);
        assert_eq!(restored.get("public/0", 1).unwrap(), Some(vec![0]));
        assert_eq!(memory.get("public/0", 1).unwrap(), None, "a disk of its own");
    }
}
