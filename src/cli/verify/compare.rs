//! Holding a log against other checkpoints and copies of it, and taking evidence of what is wrong.

use super::super::open::{self, Place};
use super::super::problem::{self, Problem};
use super::super::{files, kept, plain};
use super::tally::{ACCUSED_MAX, Tally};
use servanda::armor::File;
use servanda::checkpoint::{self, CheckpointError, VerifiedCheckpoint};
use servanda::client::{Client, ReadError};
use servanda::evidence::{Accused, Evidence, check};
use servanda::hash::leaf_hash;
use servanda::policy::Policy;
use servanda::promise::Promise;
use servanda::proof::RosterFile;
use servanda::text::count;
use servanda::tlog_proof::{PROOF_MAX, TlogProof};
use servanda::verify::{ObjectFinding, Trouble};
use std::fs;
use std::path::Path;

/// A checkpoint of the same log from elsewhere, and the log that it is of, where that was given.
pub struct Other {
    shown: String,
    checkpoint: VerifiedCheckpoint,
    place: Option<Place>,
}

impl Other {
    /// Reads a checkpoint, a proof file, or a log.
    pub fn read(path: &Path, policy: Option<&Policy>) -> anyhow::Result<Self> {
        let shown = path.display().to_string();
        let is_log = path.is_dir() || open::as_url(path).is_some();
        let place = is_log.then(|| Place::find(path)).transpose()?;
        let bytes = match &place {
            Some(place) => place
                .checkpoint()?
                .ok_or_else(|| Problem::new(format!("{shown}: the checkpoint is missing")))?,
            None => files::read_whole(path, u64::try_from(PROOF_MAX).expect("fits"))?,
        };
        let note = TlogProof::parse(&bytes).map_or(bytes, |proof| proof.checkpoint.into_bytes());
        let policy =
            policy.ok_or_else(|| Problem::new(format!("{shown}: no key is known to check it with")))?;
        // The operator's word counts, cosigned or not: it is held against the operator alone.
        let opened = checkpoint::open(&note, &policy.without_quorum());
        let checkpoint = opened.map_err(|error: CheckpointError| {
            Problem::new(format!("{shown} is no checkpoint of this log"))
                .hint("give a checkpoint, a proof file or a copy of the log")
                .because(error)
        })?;
        Ok(Self { shown, checkpoint, place })
    }
}

impl Other {
    /// Under which name it was signed.
    pub fn origin(&self) -> &str {
        self.checkpoint.origin()
    }
}

/// A log under its checkpoint, to be compared.
pub struct Bench<'a> {
    /// Where it lies.
    pub place: &'a Place,
    /// Its checkpoint.
    pub now: &'a VerifiedCheckpoint,
    /// Where evidence of a fork is written.
    pub out: &'a Path,
}

impl Bench<'_> {
    /// Finds rollback and rewriting since a checkpoint that the verifier holds.
    pub fn since(&mut self, since: &Other, tally: &mut Tally<'_>) -> anyhow::Result<()> {
        let (size, held) = (self.now.size(), since.checkpoint.size());
        if let Some(said) = self.prevails(since) {
            tally.screen.say(said);
            return Ok(());
        }
        if size < held {
            tally.object(about_checkpoint(Trouble::Rollback { size, held }));
            return Ok(());
        }
        if self.contains(since, tally)? {
            tally.screen.say(format!("nothing was changed below entry {held}, where {} ends", since.shown));
        }
        Ok(())
    }

    /// Holds the log against a checkpoint that was refused when a server gave it; one that proves to be of the same history
    /// is forgotten.
    pub fn doubted(&mut self, path: &Path, other: &Other, tally: &mut Tally<'_>) -> anyhow::Result<()> {
        let (size, held) = (self.now.size(), other.checkpoint.size());
        // One is enough.
        if !tally.evidence.is_empty() {
            return Ok(());
        }
        if size < held {
            tally.object(about_checkpoint(Trouble::Rollback { size, held }));
        } else if self.contains(other, tally)? {
            // Where it stays it is looked at again.
            let _ = fs::remove_file(path);
        }
        Ok(())
    }

    /// Finds two histories.
    pub fn against(&mut self, other: &Other, tally: &mut Tally<'_>) -> anyhow::Result<()> {
        if let Some(said) = self.prevails(other) {
            tally.screen.say(said);
            return Ok(());
        }
        let common = self.now.size().min(other.checkpoint.size());
        let same = match &other.place {
            Some(place) => self.agrees(other, place, tally)?,
            None if self.now.size() < other.checkpoint.size() => {
                tally.screen.say(format!(
                    "{} is ahead of this log, and does not show whether it goes on from it: give the log that it is of",
                    other.shown
                ));
                return Ok(());
            }
            None => self.contains(other, tally)?,
        };
        if same {
            tally.screen.say(format!("the same history as {}, up to entry {common}", other.shown));
        }
        Ok(())
    }

    /// Tells whether a promise was kept; that it was broken is a finding.
    pub fn promise(&mut self, path: &Path, tally: &mut Tally<'_>) -> anyhow::Result<()> {
        let shown = path.display();
        let bytes = files::read_whole(path, File::Promise.text_limit())?;
        let promise: Promise = File::Promise.read(&bytes).map_err(|e| {
            Problem::new(format!("{shown} is no promise"))
                .hint("give the file that submitting wrote")
                .because(e)
        })?;
        let (index, size) = (promise.index, self.now.size());
        if index >= size {
            tally.screen.say(format!(
                "{shown}: still to be kept, since the log has {}, and it is of entry {index}",
                count(size, "entry", "entries")
            ));
            return Ok(());
        }
        let Some(mut log) = readable(self.accused(), tally)? else { return Ok(()) };
        let Some(evidence) = readable(log.broken_promise(&promise), tally)? else { return Ok(()) };
        let client = Client::open(&self.place.public, size, self.now.root());
        let leaf = readable(client.and_then(|mut client| client.leaf_hash(index)), tally)?;
        if leaf == Some(leaf_hash(&promise.entry)) {
            tally.screen.say(format!("{shown}: kept, as entry {index}"));
        } else if let Some(evidence) = evidence {
            tally.object(about_checkpoint(Trouble::BrokenPromise { index }));
            write(self.out, &evidence, tally);
        } else if !self.gives_a_roster(index) {
            tally.screen.say(format!(
                "{shown}: entry {index} is another; but who could give that promise is not to be told, since the log \
                 gives no roster there: keep the promise, and try it against other checkpoints"
            ));
        } else {
            let problem = Problem::new(format!("{shown}: this log's operator did not give that promise"))
                .hint("its signature, or the log that it is about, is another");
            if tally.is_clean() {
                return Err(problem.into());
            }
            problem::print(&problem.into());
        }
        Ok(())
    }

    /// Whether the operator's own chain tells who could sign for it at an index. One that breaks it must not look like
    /// one that promised nothing.
    fn gives_a_roster(&self, index: u64) -> bool {
        let (size, root) = (self.now.size(), self.now.root());
        let client = Client::open(&self.place.public, size, root).ok();
        let file = client.and_then(|mut client| RosterFile::make(&mut client).ok());
        let chain = file.and_then(|file| file.verify(size, &root).ok());
        chain.is_some_and(|chain| chain.roster_before(index, None).is_ok())
    }

    /// Writes evidence of every entry that the operator is to blame for, where it can be shown.
    pub fn evidence(&mut self, folder: &Path, tally: &mut Tally<'_>) -> anyhow::Result<()> {
        let accused = tally.accused.clone();
        let Some(mut log) = readable(self.accused(), tally)? else { return Ok(()) };
        for index in &accused {
            match readable(log.at(*index), tally)? {
                Some(Some(evidence)) => {
                    write(&folder.join(format!("entry-{index}.evidence")), &evidence, tally);
                }
                Some(None) => tally.screen.say(format!(
                    "entry {index}: no evidence, since the entry and the roster alone do not show what is wrong"
                )),
                None => return Ok(()),
            }
        }
        if accused.len() == ACCUSED_MAX {
            tally.screen.say(format!("evidence was taken of the first {ACCUSED_MAX} entries alone"));
        }
        Ok(())
    }

    fn accused(&self) -> Result<Accused<'_>, ReadError> {
        accused(self.place, self.now)
    }

    /// What is to be said where the other one is of an operator before, and of another history than this log's.
    fn prevails(&self, other: &Other) -> Option<String> {
        let theirs = other.checkpoint.claim();
        // Only where it can be: it takes reading the log.
        if theirs.origin == self.now.origin() {
            return None;
        }
        let log = self.place.founding(self.now.size()).ok()?.1.log;
        // Where it is the other one that prevails, the two are compared as they are.
        kept::prevails(self.place, &log, theirs, self.now).ok().flatten()
    }

    /// Whether the log contains what a checkpoint of no larger size says; that it does not is a finding.
    fn contains(&self, other: &Other, tally: &mut Tally<'_>) -> anyhow::Result<bool> {
        let held = other.checkpoint.size();
        let read = Client::open(&self.place.public, self.now.size(), self.now.root())
            .and_then(|mut client| client.root_at(held));
        let Some(got) = readable(read, tally)? else { return Ok(false) };
        let want = other.checkpoint.root();
        if got == want {
            return Ok(true);
        }
        tally.object(about_checkpoint(Trouble::Rewritten { held, got, want }));
        let evidence = self.accused().and_then(|mut log| log.contradicts(&other.checkpoint));
        if let Some(Some(evidence)) = readable(evidence, tally)? {
            write(self.out, &evidence, tally);
        }
        Ok(false)
    }

    /// Whether one of two logs is the beginning of the other; that neither is, is a finding.
    fn agrees(&self, other: &Other, place: &Place, tally: &mut Tally<'_>) -> anyhow::Result<bool> {
        let both = self.accused().and_then(|one| Ok((one, accused(place, &other.checkpoint)?)));
        let Some((mut one, mut two)) = readable(both, tally)? else { return Ok(false) };
        let Some(parts) = readable(one.parts_from(&mut two), tally)? else { return Ok(false) };
        let Some(index) = parts else { return Ok(true) };
        tally.object(about_checkpoint(Trouble::Fork { index, other: other.shown.clone() }));
        if let Some(Some(evidence)) = readable(one.fork_with(&mut two), tally)? {
            write(self.out, &evidence, tally);
        }
        Ok(false)
    }
}

fn about_checkpoint(trouble: Trouble) -> ObjectFinding {
    ObjectFinding { name: "checkpoint".to_owned(), trouble }
}

fn accused<'a>(place: &'a Place, checkpoint: &'a VerifiedCheckpoint) -> Result<Accused<'a>, ReadError> {
    let client = Client::open(&place.public, checkpoint.size(), checkpoint.root())?;
    Accused::new(checkpoint, client)
}

/// What was read; none, and said so, where the log is too damaged to prove anything by it.
fn readable<T>(read: Result<T, ReadError>, tally: &Tally<'_>) -> anyhow::Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_tampering() => {
            tally.screen.say(format!("could not be compared or proven, since the log is damaged: {error}"));
            Ok(None)
        }
        Err(error) => Err(open::read_problem(error)),
    }
}

/// Writes evidence, and says what it shows; that it cannot be written changes nothing about what was found.
fn write(path: &Path, evidence: &Evidence, tally: &mut Tally<'_>) {
    let guilt = check(evidence, None).expect("evidence was checked as it was made");
    let write = || -> anyhow::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        files::write_once(path, File::Evidence.write(evidence)?.as_bytes(), files::PUBLIC)
    };
    match write() {
        Ok(()) => {
            let shown = path.display();
            tally.screen.say(format!("{shown}: evidence that the operator {}", plain::plain(&guilt.what)));
            tally.evidence.push(path.to_owned());
        }
        Err(error) => problem::print(&error),
    }
}
