//! The whole check of a log: its checkpoint, everything under it, and what the verifier holds besides.
//!
//! ```text
//! checkpoint   under the policy, else under the key that entry 0 declares; or under that of a later operator
//! entries …    the full audit, up to the checkpoint's size; they must add up to its root
//! log          the key that signed is the one in force after all entries; its id is the one that the verifier pins
//! charter      charter.toml has the digest that entry 0 gives
//! kept         a checkpoint that the verifier holds is of this very history
//! ```
//!
//! In two steps, so that a program can say what it is about to verify: [`Subject::read`], then [`Subject::verify`].
//! [`log`] is both.

use super::objects::{self, ObjectFinding, Trouble};
use super::{Audit, Found, Options, Report};
use crate::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use crate::client::{self, Client, ReadError};
use crate::entry::SignedEntry;
use crate::hash::{Hash, sha256};
use crate::history::History;
use crate::key::vkey::Vkey;
use crate::log::{CHECKPOINT, MAX_CHECKPOINT};
use crate::merkle::bundle;
use crate::merkle::tile::{Level, TILE_WIDTH, TilePath};
use crate::policy::Policy;
use crate::proof::policy_for;
use crate::roster::Roster;
use crate::statement::Act;
use crate::store::Read;
use crate::submit::CHARTER;

/// The longest `charter.toml` that is read, in bytes.
const MAX_CHARTER: u64 = crate::charter::file::founding::MAX_CHARTER_FILE;

/// What a verifier holds of a log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held<'a> {
    /// Whose checkpoints count; none: those of the key that entry 0 declares, with nobody's cosignature.
    pub policy: Option<&'a Policy>,
    /// The log's id; none: nothing says which log it must be, and whoever shows the outcome says so.
    pub log: Option<Hash>,
    /// A checkpoint of this log that was verified before.
    pub checkpoint: Option<&'a VerifiedCheckpoint>,
}

/// A log to be verified, its checkpoint read.
pub struct Subject<'a> {
    store: &'a dyn Read,
    held: Held<'a>,
    /// The checkpoint as it is published; none where there is none.
    pub signed: Option<SignedCheckpoint>,
    /// The same, verified; none where it is not accepted.
    pub checkpoint: Option<VerifiedCheckpoint>,
    /// By which policy it was judged; none where that would be entry 0's, and this founds no log.
    pub policy: Option<Policy>,
    findings: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What the audit made of the entries; none where there is no telling how many there should be.
    pub report: Option<Report>,
    /// How many findings there were altogether, the checkpoint's included. None at all: verified.
    pub findings: u64,
}

/// Verifies a log: all of [`Subject`] at once.
///
/// # Errors
/// When the storage fails; what is missing or wrong is a finding.
pub fn log(
    store: &dyn Read,
    held: Held<'_>,
    options: Options,
    progress: &dyn Fn(u64),
    report: &mut dyn FnMut(Found),
) -> Result<Outcome, ReadError> {
    Subject::read(store, held, report)?.verify(options, progress, report)
}

impl<'a> Subject<'a> {
    /// Reads the checkpoint; that it is missing, or not accepted, is a finding.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn read(
        store: &'a dyn Read,
        held: Held<'a>,
        report: &mut dyn FnMut(Found),
    ) -> Result<Self, ReadError> {
        let mut subject = Self { store, held, signed: None, checkpoint: None, policy: None, findings: 0 };
        let bytes = store.get(CHECKPOINT, MAX_CHECKPOINT).map_err(ReadError::from);
        let mut tell = |f| subject.findings += found(f, report);
        let Some(bytes) = objects::read(name_of(CHECKPOINT), bytes, &mut tell)? else { return Ok(subject) };
        let signed = match SignedCheckpoint::parse(&bytes) {
            Ok(signed) => signed,
            Err(error) => {
                tell(on_checkpoint(Trouble::Checkpoint(error.to_string())));
                return Ok(subject);
            }
        };
        let policy = match held.policy {
            Some(policy) => Some(policy.clone()),
            None => founding_key(store, signed.claim().size)?
                .map(|vkey| Policy::of(&[vkey], &[], None).expect("a log's key is one")),
        };
        let policy = policy.map(|p| policy_for(store, signed.claim(), &p, held.log.as_ref()));
        subject.policy = policy.transpose()?;
        match subject.policy.as_ref().map(|policy| signed.open(policy)) {
            Some(Ok(checkpoint)) => subject.checkpoint = Some(checkpoint),
            Some(Err(error)) => subject.tell(on_checkpoint(Trouble::Checkpoint(error.to_string())), report),
            None => {
                let why = "entry 0 declares no key to check it with".to_owned();
                subject.tell(on_checkpoint(Trouble::Checkpoint(why)), report);
            }
        }
        subject.signed = Some(signed);
        Ok(subject)
    }

    /// How many entries there should be. A size that nobody vouches for is believed only where there are so many.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn size(&self) -> Result<Option<u64>, ReadError> {
        let Some(claim) = self.signed.as_ref().map(SignedCheckpoint::claim) else { return Ok(None) };
        if self.checkpoint.is_some() {
            return Ok(Some(claim.size));
        }
        let last = claim.size.checked_sub(1).map(|last| last / u64::from(TILE_WIDTH));
        let path = last.and_then(|number| TilePath::at(Level::Entries, number, claim.size));
        let Some(path) = path else { return Ok(None) };
        // One in the wrong form is there, for the audit to tell.
        let there = objects::read("", client::object(self.store, path), &mut |_| {})?;
        Ok(there.map(|_| claim.size))
    }

    /// Verifies what is under the checkpoint, and holds it against what the verifier holds. `progress` is told the
    /// entries done.
    ///
    /// # Errors
    /// When the storage fails; what is missing or wrong is a finding.
    pub fn verify(
        mut self,
        options: Options,
        progress: &dyn Fn(u64),
        report: &mut dyn FnMut(Found),
    ) -> Result<Outcome, ReadError> {
        let Some(size) = self.size()? else { return Ok(Outcome { report: None, findings: self.findings }) };
        let audit = Audit::new(self.store, options, report).run(size, progress)?;
        self.findings += audit.findings;
        self.compare_checkpoint(&audit, report);
        self.compare_charter(&audit.history, report)?;
        self.compare_held(report)?;
        Ok(Outcome { report: Some(audit), findings: self.findings })
    }

    /// Holds what the entries add up to against the checkpoint, its key and the pinned id.
    fn compare_checkpoint(&mut self, audit: &Report, report: &mut dyn FnMut(Found)) {
        let claim = self.signed.as_ref().expect("a size was claimed").claim();
        let (size, want) = (claim.size, claim.root);
        // Where a gap ended the audit, fewer entries than claimed add up to another root, which says nothing new.
        if audit.root != want && audit.history.head().size == size {
            self.tell(on_checkpoint(Trouble::Root { got: audit.root, want }), report);
        }
        if size == 0 {
            self.tell(on_checkpoint(Trouble::Empty), report);
        }
        let Some(roster) = audit.history.roster() else { return };
        let signer = self.checkpoint.as_ref().map(|c| c.log().clone());
        if let Some(got) = signer.filter(|got| roster.unknown.is_none() && *got != roster.vkey) {
            let trouble = Trouble::Key { got: Box::new(got), want: Box::new(roster.vkey.clone()) };
            self.tell(on_checkpoint(trouble), report);
        }
        if let Some(want) = self.held.log.filter(|want| *want != roster.log) {
            let path = TilePath::at(Level::Entries, 0, size).expect("a roster comes of entries");
            self.tell(ObjectFinding::new(path, Trouble::Log { got: roster.log, want }), report);
        }
    }

    fn compare_charter(&mut self, history: &History, report: &mut dyn FnMut(Found)) -> Result<(), ReadError> {
        let Some(want) = charter_digest(history) else { return Ok(()) };
        let name = name_of(CHARTER);
        let bytes = self.store.get(CHARTER, MAX_CHARTER).map_err(ReadError::from);
        let text = objects::read(name, bytes, &mut |f| self.tell(f, report))?;
        if text.is_some_and(|text| sha256(&text) != want) {
            self.tell(ObjectFinding { name: name.to_owned(), trouble: Trouble::Differs }, report);
        }
        Ok(())
    }

    /// Finds rollback and rewriting since the checkpoint that the verifier holds.
    fn compare_held(&mut self, report: &mut dyn FnMut(Found)) -> Result<(), ReadError> {
        let (Some(held), Some(now)) = (self.held.checkpoint, &self.checkpoint) else { return Ok(()) };
        let (size, held, want) = (now.size(), held.size(), held.root());
        if size < held {
            self.tell(on_checkpoint(Trouble::Rollback { size, held }), report);
            return Ok(());
        }
        match Client::open(self.store, size, now.root()).and_then(|mut client| client.root_at(held)) {
            Ok(got) if got == want => Ok(()),
            Ok(got) => {
                self.tell(on_checkpoint(Trouble::Rewritten { held, got, want }), report);
                Ok(())
            }
            // The tiles that it would take are findings themselves.
            Err(error) if error.is_tampering() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn tell(&mut self, finding: ObjectFinding, report: &mut dyn FnMut(Found)) {
        self.findings += found(finding, report);
    }
}

fn found(finding: ObjectFinding, report: &mut dyn FnMut(Found)) -> u64 {
    report(Found::Object(finding));
    1
}

fn on_checkpoint(trouble: Trouble) -> ObjectFinding {
    ObjectFinding { name: name_of(CHECKPOINT).to_owned(), trouble }
}

/// A published object's name below `public/`.
fn name_of(object: &'static str) -> &'static str {
    object.strip_prefix("public/").expect("it is published")
}

/// The key that entry 0 declares, unverified; none where it founds no log.
fn founding_key(store: &dyn Read, size: u64) -> Result<Option<Vkey>, ReadError> {
    let Some(path) = TilePath::at(Level::Entries, 0, size) else { return Ok(None) };
    let bytes = objects::read("", client::object(store, path), &mut |_| {})?.unwrap_or_default();
    let Ok(entries) = bundle::parse(&bytes, path.width) else { return Ok(None) };
    let founding = SignedEntry::decode(entries[0]).ok().and_then(|e| Roster::found(&e).ok());
    Ok(founding.map(|roster| roster.vkey))
}

/// The SHA-256 that the founding gives for the charter's text.
fn charter_digest(history: &History) -> Option<Hash> {
    let (_, bytes) = history.govern().first()?;
    match SignedEntry::decode(bytes).ok()?.act() {
        Ok(Act::Found(found)) => Some(found.text),
        _ => None,
    }
}
