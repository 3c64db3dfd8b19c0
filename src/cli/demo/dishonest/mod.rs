//! What a dishonest operator may try, each on a copy of the log and with its own key; and what catches it.
//!
//! Every forgery is rebuilt from the first changed entry on: links, roster pointers, tiles, root, checkpoint. So nothing
//! that rests on hashes alone could tell. What catches it is what others signed ([`signed`]: statements, `prev`, `seen`),
//! what readers kept ([`kept`]: a checkpoint, a proof, a promise), and the log's id, which trust files pin.

mod kept;
mod signed;

use super::cast::Cast;
use super::examine::{self, Verdict};
use super::forge::Forgery;
use super::founding::Honest;
use crate::cli::words::count;
use anyhow::Context as _;
use servanda::armor::File;
use servanda::checkpoint::VerifiedCheckpoint;
use servanda::entry::SignedEntry;
use servanda::evidence::{self, Accused, Evidence};
use servanda::field::{Handle, Instant};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the forgeries.
pub const ATTACKS: &str = "attacks";

/// The code of a statement whose author had seen another history.
const SEEN: &str = "seen-other";

/// The honest log, and what it takes to forge it.
pub struct Scene<'s> {
    /// The demo's folder.
    pub dir: &'s Path,
    /// Who takes part, with all keys.
    pub cast: &'s Cast,
    /// The log.
    pub honest: &'s Honest,
    /// Its entries.
    pub entries: Vec<Vec<u8>>,
    /// Its last checkpoint, which its readers kept.
    pub kept: VerifiedCheckpoint,
    /// The time.
    pub now: Instant,
}

/// An attack, and what came of it.
#[derive(Debug)]
pub struct Attack {
    /// A word for programs.
    pub name: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// What was done.
    pub did: String,
    /// What was made anew, so that it looks sound.
    pub rebuilt: String,
    /// What catches it.
    pub caught: Vec<String>,
    /// Whether everything that should catch it does.
    pub is_caught: bool,
    /// What was written, below the demo's folder.
    pub files: Vec<String>,
}

/// Tries everything.
pub fn all(scene: &Scene<'_>) -> anyhow::Result<Vec<Attack>> {
    Ok(vec![
        signed::amount(scene)?,
        signed::dropped(scene)?,
        kept::rolled_back(scene)?,
        kept::forked(scene)?,
        signed::invented(scene)?,
        signed::own_log(scene)?,
        kept::last_dropped(scene)?,
    ])
}

impl Scene<'_> {
    /// The history as it is up to a size, to go on from.
    fn up_to(&self, size: u64) -> anyhow::Result<Forgery> {
        let mut forgery = Forgery::new(self.cast);
        forgery.keep(self.entries.get(..usize::try_from(size)?).context("the log has that size")?);
        Ok(forgery)
    }

    /// The entries from an index on.
    fn from(&self, index: u64) -> anyhow::Result<&[Vec<u8>]> {
        self.entries.get(usize::try_from(index)?..).context("the log has that index")
    }

    fn size(&self) -> u64 {
        self.kept.size()
    }

    /// A partner's name for people.
    fn name(&self, handle: &Handle) -> anyhow::Result<&str> {
        Ok(self.cast.member(handle.as_str())?.name.as_str())
    }

    /// Publishes a forgery; gives its folder.
    fn publish(&self, name: &str, forgery: &Forgery) -> anyhow::Result<PathBuf> {
        let folder = self.dir.join(ATTACKS).join(name);
        forgery.publish(&folder, &self.honest.charter)?;
        Ok(folder)
    }

    /// Verifies a forgery as its readers do, who have the trust file.
    fn verify(&self, folder: &Path, since: Option<&VerifiedCheckpoint>) -> anyhow::Result<Verdict> {
        examine::verify(folder, Some(&self.honest.trust), since)
    }

    /// Writes evidence into a file, and checks that file as a third party does who has the trust file; says so.
    fn convince(&self, name: &str, evidence: Option<Evidence>) -> anyhow::Result<String> {
        let evidence = evidence.context("this should be evidence")?;
        let path = self.dir.join(ATTACKS).join(name);
        fs::write(&path, File::Evidence.write(&evidence)?)?;
        let read: Evidence = File::Evidence.read(&fs::read(&path)?)?;
        let guilt = evidence::check(&read, self.honest.trust.log.as_ref())?;
        Ok(format!("{ATTACKS}/{name} proves it to others, offline ({})", guilt.kind))
    }

    /// Evidence about one entry of a forgery.
    fn evidence_at(&self, folder: &Path, index: u64) -> anyhow::Result<Option<Evidence>> {
        let log = examine::open(folder, Some(&self.honest.trust))?;
        Ok(Accused::new(&log.checkpoint, log.client()?)?.at(index)?)
    }
}

/// What a verdict says of the first bad entry, in its own words; and how many later statements tell of another history.
fn findings(verdict: &Verdict) -> anyhow::Result<Vec<String>> {
    let first = verdict.entries().next().context("this should be found")?;
    let (statements, authors) = verdict.count(SEEN, first.index + 1);
    let later = format!(
        "{} by {} say that their authors saw another history",
        count(statements, "later statement", "later statements"),
        count(authors, "partner", "partners"),
    );
    Ok(vec![first.to_string(), later])
}

/// How many entries were made anew, in words.
fn rebuilt(from: u64, to: u64) -> String {
    let entries = count(usize::try_from(to - from).unwrap_or(usize::MAX), "entry", "entries");
    format!("{entries}, from {from} on: links, tiles, root, checkpoint, and the log's signature on it")
}

/// The statement in an entry, with its signatures and the time at which it was sequenced.
fn decoded(bytes: &[u8]) -> anyhow::Result<SignedEntry> {
    Ok(SignedEntry::decode(bytes)?)
}
