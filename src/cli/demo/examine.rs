//! What a reader of the demo's logs does: verifies all of one, holds it against what was kept, checks a single proof.
//!
//! Everything is read from the disk again, as anyone would who has the files.

use crate::cli::files;
use crate::cli::held::Held;
use crate::cli::open::{self, Log, Place};
use anyhow::Context as _;
use servanda::armor::File;
use servanda::chain::Finding;
use servanda::charter::file::founding::MAX_CHARTER_FILE;
use servanda::checkpoint::VerifiedCheckpoint;
use servanda::client::Client;
use servanda::entry::SignedEntry;
use servanda::field::Handle;
use servanda::hash::{Hash, leaf_hash, sha256};
use servanda::history::History;
use servanda::proof::{self, RosterFile};
use servanda::statement::Act;
use servanda::store::Read as _;
use servanda::submit::CHARTER;
use servanda::tlog_proof::{PROOF_MAX, TlogProof};
use servanda::trust::Trust;
use servanda::verify::{Audit, Found, ObjectFinding, Options, Trouble};
use std::collections::BTreeSet;
use std::path::Path;

/// What came of verifying a log.
pub struct Verdict {
    /// What is wrong.
    pub findings: Vec<Found>,
    /// Its checkpoint.
    pub checkpoint: VerifiedCheckpoint,
    /// How many statements' signatures were checked.
    pub signatures_checked: u64,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The findings about entries.
    pub fn entries(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter_map(|found| match found {
            Found::Entry(finding) => Some(finding),
            Found::Object(_) => None,
        })
    }

    /// How many entries from an index on have a finding of this code, and how many authors they have.
    pub fn count(&self, code: &str, from: u64) -> (usize, usize) {
        let of = || self.entries().filter(|f| f.index >= from && f.reason.code() == code);
        let entries: BTreeSet<_> = of().map(|f| f.index).collect();
        let authors: BTreeSet<_> = of().filter_map(|f| f.author.as_ref()).collect();
        (entries.len(), authors.len())
    }
}

/// Opens a log under a trust file, or under nothing but its own founding.
///
/// # Errors
/// When it is not readable, not accepted, or not the log that the trust file pins.
pub fn open(folder: &Path, trust: Option<&Trust>) -> anyhow::Result<Log> {
    let held = trust.map(|trust| Held { path: super::founding::TRUST.into(), trust: trust.clone() });
    Log::at(Place::find(folder)?, held)
}

/// Verifies all of a log, and that it contains what a checkpoint says which was kept.
pub fn verify(
    folder: &Path,
    trust: Option<&Trust>,
    since: Option<&VerifiedCheckpoint>,
) -> anyhow::Result<Verdict> {
    let log = open(folder, trust)?;
    let (size, root) = (log.checkpoint.size(), log.checkpoint.root());
    let mut findings = Vec::new();
    let mut take = |found| findings.push(found);
    let audit = Audit::new(&log.place.public, Options::default(), &mut take);
    let report = audit.run(size, &|_| {}).map_err(open::read_problem)?;
    let about = |name: &str, trouble| Found::Object(ObjectFinding { name: name.to_owned(), trouble });
    if report.root != root {
        findings.push(about("checkpoint", Trouble::Root { got: report.root, want: root }));
    }
    let text = log.place.public.get(CHARTER, MAX_CHARTER_FILE)?;
    if charter_digest(&report.history) != text.as_deref().map(sha256) {
        findings.push(about("charter.toml", Trouble::Differs));
    }
    if let Some(since) = since {
        findings.extend(since_then(&log, since)?.map(|trouble| about("checkpoint", trouble)));
    }
    Ok(Verdict { findings, checkpoint: log.checkpoint, signatures_checked: report.signatures_checked })
}

/// Whether a log was rolled back or rewritten since a checkpoint.
fn since_then(log: &Log, since: &VerifiedCheckpoint) -> anyhow::Result<Option<Trouble>> {
    let (size, held, want) = (log.checkpoint.size(), since.size(), since.root());
    if size < held {
        return Ok(Some(Trouble::Rollback { size, held }));
    }
    let got = log.client()?.root_at(held)?;
    Ok((got != want).then_some(Trouble::Rewritten { held, got, want }))
}

fn charter_digest(history: &History) -> Option<Hash> {
    let (_, bytes) = history.govern().first()?;
    match SignedEntry::decode(bytes).ok()?.statement.act() {
        Ok(Act::Found(found)) => Some(found.text),
        _ => None,
    }
}

/// All entries of a log, each as the checkpoint commits to it.
pub fn entries(log: &Log) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut client = log.client()?;
    (0..log.checkpoint.size()).map(|index| client.entry(index).map_err(open::read_problem)).collect()
}

/// A proof file and the roster file beside it, as texts.
pub fn prove(log: &Log, index: u64) -> anyhow::Result<(String, String)> {
    let mut client: Client<'_> = log.client()?;
    let proof = proof::prove(&mut client, index, log.checkpoint.as_str())?;
    Ok((proof.to_string(), File::Roster.write(&RosterFile::make(&mut client)?)?))
}

/// What a proof says.
pub struct Checked {
    /// The entry.
    pub entry: SignedEntry,
    /// The offices of those who signed it.
    pub offices: Vec<String>,
    /// The author's name.
    pub author: String,
    /// The checkpoint that it was proven under.
    pub checkpoint: VerifiedCheckpoint,
}

/// Checks a proof offline: with the two files, and with what the trust file says; the log is not read.
pub fn check(proof: &Path, roster: &Path, trust: &Trust) -> anyhow::Result<Checked> {
    let limit = u64::try_from(PROOF_MAX)?;
    let proof = TlogProof::parse(&files::read(proof, limit)?)?;
    let roster: RosterFile = File::Roster.read(&files::read(roster, File::Roster.text_limit())?)?;
    let bytes = proof.extra.as_deref().context("the proof holds no entry")?;
    let checkpoint = proof.verify(&leaf_hash(bytes), &trust.policy)?;
    let chain = roster.verify(checkpoint.size(), &checkpoint.root())?;
    let entry = SignedEntry::decode(bytes)?;
    let judged = proof::judge(&chain, proof.index, &entry, trust.log.as_ref())?;
    if let Some(reason) = judged.reasons.first() {
        anyhow::bail!("the entry {reason}");
    }
    let handle: &Handle = &entry.statement.author;
    let set = &judged.roster.keys(handle).context("the author has keys")?.set;
    let office = |officer: u8| set.officers.get(usize::from(officer)).map(|o| o.title.to_string());
    let offices = entry.entry.signatures.iter().filter_map(|s| office(s.officer)).collect();
    let author = judged.roster.charter.partner(handle).map_or_else(String::new, |p| p.name.to_string());
    Ok(Checked { entry, offices, author, checkpoint })
}
