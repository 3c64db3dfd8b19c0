//! Opening a log for reading: where it lies, and what its checkpoint says to someone who trusts what is [`super::held`].
//!
//! A log is a directory or a URL. What a server gives is verified as what a disk gives; besides, it must go on from the
//! newest checkpoint that was accepted of this log before, wherever that came from ([`super::kept`]).

use super::files::{UNREAD, unreadable};
use super::held::{Held, TrustArgs, not_pinned, other_log};
use super::kept;
use super::plain::plain;
use super::problem::Problem;
use super::screen::Screen;
use anyhow::Error;
use clap::Args;
use servanda::checkpoint::{CheckpointError, SignedCheckpoint, VerifiedCheckpoint};
use servanda::client::{self, Client, ReadError};
use servanda::entry::SignedEntry;
use servanda::field::{Handle, Instant};
use servanda::hash::Hash;
use servanda::key::vkey::Vkey;
use servanda::log::{CHECKPOINT, MAX_CHECKPOINT};
use servanda::merkle::bundle;
use servanda::merkle::tile::{Level, TilePath};
use servanda::note::OpenError;
use servanda::policy::Policy;
use servanda::proof;
use servanda::roster::Roster;
use servanda::store::cached::Cached;
use servanda::store::dir::open_any;
use servanda::store::{Read, StoreError};
use servanda::verify::Trouble;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What to do where a server does not give what is there.
#[cfg(feature = "net")]
const UNFETCHED: &str = "this says nothing about the log: try again, or read another copy";

/// How many logs are named to someone who gave the wrong directory.
const NEARBY: usize = 3;

/// Which log, and what is trusted about it.
#[derive(Args, Clone, Debug)]
pub struct LogArgs {
    /// The log: its home, a copy of its public part, or the URL it is served at
    #[arg(long, env = "SERVANDA_LOG", value_name = "LOG", hide_env_values = true)]
    pub log: Option<PathBuf>,
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// Where a log lies.
#[derive(Clone)]
pub struct Place {
    /// As it was given: a directory, or a URL.
    pub path: PathBuf,
    /// Its public part.
    pub public: Arc<dyn Read>,
    /// Its home, where it is one.
    pub home: Option<PathBuf>,
    /// Whether it is on a server, which may give something else each time.
    pub is_remote: bool,
}

impl Place {
    /// Finds the log at a path.
    ///
    /// # Errors
    /// When there is none, with a hint where one may be.
    pub fn find(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        if let Some(url) = as_url(path) {
            return Self::on_server(path, url);
        }
        let about = fs::metadata(path).map_err(|e| unreadable(path, &e))?;
        if !about.is_dir() {
            return Err(Problem::new(format!("{shown} is a file, and a log is a directory"))
                .hint("to check a proof, checkpoint or evidence file, use \"servanda check FILE\"")
                .into());
        }
        // Refused here, and not as if nothing were in it.
        fs::read_dir(path).map_err(|e| unreadable(path, &e))?;
        let public = open_any(path).map_err(|e| match e {
            StoreError::NoLog { .. } => Problem::new(e.to_string()).hint(nearby(path)).into(),
            other => store_problem(other),
        })?;
        let home = (path.join("public").is_dir() && path.join("private").is_dir()).then(|| path.to_owned());
        Ok(Self { path: path.to_owned(), public: Arc::new(public), home, is_remote: false })
    }

    /// Finds the log at a URL.
    #[cfg(feature = "net")]
    fn on_server(path: &Path, url: &str) -> anyhow::Result<Self> {
        let public = super::net::reading(url)?;
        let place = Self { path: path.to_owned(), public: Arc::new(public), home: None, is_remote: true };
        match place.checkpoint()? {
            Some(_) => Ok(place),
            None => Err(Problem::new(format!("no log at {url}: there is no checkpoint"))
                .hint("the URL must be the one below which checkpoint and tile lie")
                .into()),
        }
    }

    #[cfg(not(feature = "net"))]
    fn on_server(_: &Path, url: &str) -> anyhow::Result<Self> {
        Err(Problem::new(format!("{url}: this program was built to read logs from directories alone"))
            .hint("copy the log's public part, and give the directory it lies in")
            .into())
    }

    /// Finds the log that was named, or that the trust file says where to read.
    ///
    /// # Errors
    /// When neither names one, or there is none.
    pub fn named(log: Option<&PathBuf>, held: Option<&Held>) -> anyhow::Result<Self> {
        if let Some(path) = log {
            return Self::find(path);
        }
        let named = held.and_then(|h| Some((h, h.trust.at.as_ref()?)));
        let Some((held, at)) = named else {
            return Err(Problem::new("no log is named")
                .hint("name it with --log LOG, or set SERVANDA_LOG")
                .into());
        };
        // A URL stays one; a relative path counts from the trust file.
        let path = if at.contains("://") {
            PathBuf::from(at)
        } else {
            held.path.parent().unwrap_or(Path::new("")).join(at)
        };
        Self::find(&path)
    }

    /// Reads the checkpoint, unverified; none where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn checkpoint(&self) -> anyhow::Result<Option<Vec<u8>>> {
        self.public.get(CHECKPOINT, MAX_CHECKPOINT).map_err(store_problem)
    }

    /// The log's id, where it is on a server: then what it gave before was kept under it.
    pub fn log_on_server(&self, held: Option<&Held>, signed: Option<&SignedCheckpoint>) -> Option<Hash> {
        let pinned = held.and_then(|held| held.trust.log);
        let declared = || Some(self.founding(signed?.claim().size).ok()?.1.log);
        self.is_remote.then(|| pinned.or_else(declared)).flatten()
    }

    /// Reads entry 0, unverified, and the roster that it founds.
    ///
    /// # Errors
    /// When it cannot be read, or founds no log.
    pub fn founding(&self, size: u64) -> anyhow::Result<(SignedEntry, Roster)> {
        let no = |what: &str| Problem::refused(format!("{}: {what}", self.path.display()));
        let path = TilePath::at(Level::Entries, 0, size).ok_or_else(|| no("the log is empty"))?;
        let bytes = client::object(&self.public, path).map_err(read_problem)?;
        let bytes = bytes.ok_or_else(|| no("entry 0 is missing"))?;
        let entries = bundle::parse(&bytes, path.width).map_err(|e| no(&e.to_string()))?;
        founded(entries[0]).map_err(|what| no(&what).into())
    }
}

/// A path that means a URL.
pub fn as_url(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.starts_with("http://") || text.starts_with("https://"))
}

/// The roster that entry 0 founds.
fn founded(entry: &[u8]) -> Result<(SignedEntry, Roster), String> {
    let entry = SignedEntry::decode(entry).map_err(|e| format!("entry 0: {e}"))?;
    let roster = Roster::found(&entry).map_err(|_| "entry 0 founds no log".to_owned())?;
    Ok((entry, roster))
}

/// The policy of a log of which nothing but its founding is known.
pub fn founding_policy(vkey: &Vkey) -> Policy {
    Policy::of(std::slice::from_ref(vkey), &[], None).expect("a log's key is one")
}

/// The policy to open a checkpoint by: the trust file's, else that of the log's founding; with the keys of later operators.
fn policy_for(place: &Place, held: Option<&Held>, signed: &SignedCheckpoint) -> anyhow::Result<Policy> {
    let policy = match held {
        Some(held) => held.trust.policy.clone(),
        None => founding_policy(&place.founding(signed.claim().size)?.1.vkey),
    };
    let pinned = held.and_then(|held| held.trust.log.as_ref());
    proof::policy_for(&place.public, signed.claim(), &policy, pinned).map_err(read_problem)
}

/// What a checkpoint on a server, which is not accepted, contradicts that was seen of its log before: what its operator signed
/// without a quorum is evidence as well.
fn contradicted(
    place: &Place,
    held: Option<&Held>,
    signed: &SignedCheckpoint,
    policy: &Policy,
) -> Option<Error> {
    let now = signed.open(&policy.without_quorum()).ok()?;
    let log = place.log_on_server(held, Some(signed))?;
    kept::contradicted(place, &log, &now)
}

/// A log under a checkpoint that the policy accepts, its entry 0 proven, and pinned where the trust file pins it.
pub struct Log {
    /// Where it lies.
    pub place: Place,
    /// The trust file, if there is one.
    pub held: Option<Held>,
    /// The checkpoint.
    pub checkpoint: VerifiedCheckpoint,
    /// The roster that entry 0 founded.
    pub founded: Roster,
    /// The public part for reads that are proven, by copies on this machine where it lies on another.
    near: Arc<dyn Read>,
    /// Whether it counts only if the operator in office at its end signed it.
    in_office: bool,
    /// What is to be said where this history prevails over one that was seen.
    replaced: Option<String>,
}

impl Log {
    /// Opens a log.
    ///
    /// # Errors
    /// Exit code 1 where the checkpoint is not accepted, what is stored is not what it commits to, it is another log than the
    /// trust file pins, or an operator signed who was replaced below its end; 2 where something cannot be read.
    pub fn open(args: &LogArgs, screen: &Screen) -> anyhow::Result<Self> {
        let held = args.trust.read(screen)?;
        let place = Place::named(args.log.as_ref(), held.as_ref())?;
        Self::at(place, held)
    }

    /// Opens a log at a place under a trust file.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn at(place: Place, held: Option<Held>) -> anyhow::Result<Self> {
        Self::under(place, held, true)
    }

    /// Opens a copy that is taken over from an operator who was replaced, and may have signed beyond that.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn to_take_over(place: Place, held: Option<Held>) -> anyhow::Result<Self> {
        Self::under(place, held, false)
    }

    fn under(place: Place, held: Option<Held>, in_office: bool) -> anyhow::Result<Self> {
        let bytes = place.checkpoint()?.ok_or_else(|| {
            Problem::refused(format!("{}: the checkpoint is missing", place.path.display()))
                .hint(
                    "a log without a checkpoint proves nothing: ask its operator for all of it. where the rules name \
                     witnesses there is none until they have cosigned one, which `servanda serve --policy` asks for",
                )
        })?;
        let signed = SignedCheckpoint::parse(&bytes).map_err(|e| checkpoint_problem(&e, held.as_ref()))?;
        let policy = policy_for(&place, held.as_ref(), &signed)?;
        let checkpoint = signed.open(&policy).map_err(|error| {
            let contradicted = contradicted(&place, held.as_ref(), &signed, &policy);
            not_accepted(&error, held.as_ref(), contradicted)
        })?;
        let mut client =
            Client::open(&place.public, checkpoint.size(), checkpoint.root()).map_err(read_problem)?;
        let entry = client.entry(0).map_err(read_problem)?;
        let (_, founded) = founded(&entry).map_err(Problem::refused)?;
        if let Some(held) = &held
            && let Some(want) = held.trust.log.filter(|want| *want != founded.log)
        {
            return Err(other_log(held, &founded.log, &want).into());
        }
        let near = match kept::folder(&founded.log).filter(|_| place.is_remote) {
            Some(folder) => Arc::new(Cached::new(Arc::clone(&place.public), folder.join("objects"))),
            None => Arc::clone(&place.public),
        };
        let mut log = Self { place, held, checkpoint, founded, near, in_office, replaced: None };
        // Before anything of it is kept.
        log.must_be_in_office()?;
        if log.place.is_remote {
            log.replaced = kept::compare_with_seen(&log.place, &log.founded.log, &log.checkpoint)?;
        }
        Ok(log)
    }

    /// Refuses a checkpoint that another operator signed than the one in office at its end, as the log under it declares: one
    /// that was replaced may go on signing.
    fn must_be_in_office(&self) -> anyhow::Result<()> {
        let key = proof::key_in_office(&self.near, self.checkpoint.claim(), Some(&self.founded.log));
        match key.map_err(read_problem)? {
            Some(key) => self.must_be_signed_by(&key),
            None => Ok(()),
        }
    }

    /// Refuses a checkpoint that another operator signed than the one with this key, who is in office at its end.
    ///
    /// # Errors
    /// When another one did, unless the log is to be taken over.
    pub fn must_be_signed_by(&self, want: &Vkey) -> anyhow::Result<()> {
        let got = self.checkpoint.log();
        if got == want || !self.in_office {
            return Ok(());
        }
        let (got, want) = (Box::new(got.clone()), Box::new(want.clone()));
        let office = plain(want.name());
        Err(Problem::refused(format!("the checkpoint {}", Trouble::Key { got, want }))
            .hint(format!("its operator was replaced: read the log where {office} serves it"))
            .into())
    }

    /// The policy to open a checkpoint of this log by.
    ///
    /// # Errors
    /// When the log cannot be read.
    #[cfg(feature = "net")]
    pub fn policy_for(&self, signed: &SignedCheckpoint) -> anyhow::Result<Policy> {
        policy_for(&self.place, self.held.as_ref(), signed)
    }

    /// Verified reads.
    ///
    /// # Errors
    /// When the right edge cannot be read any more.
    pub fn client(&self) -> anyhow::Result<Client<'_>> {
        Client::open(&self.near, self.checkpoint.size(), self.checkpoint.root()).map_err(read_problem)
    }

    /// The log's id.
    pub fn id(&self) -> Hash {
        self.founded.log
    }

    /// Whether the trust file pins the log's id.
    pub fn is_pinned(&self) -> bool {
        self.held.as_ref().is_some_and(|h| h.trust.log.is_some())
    }

    /// Says, beside the result, what nothing vouches for: which log this is, and that all are shown the same one.
    pub fn caution(&self, screen: &Screen) {
        if !self.is_pinned() {
            screen.note(not_pinned(&self.id()));
        }
        if self.checkpoint.quorum_is_none() {
            screen.note(QUORUM_NONE);
        }
        self.replaced.iter().for_each(|said| screen.note(said));
    }

    /// A partner's name for people, as founded.
    pub fn name(&self, handle: &Handle) -> Option<String> {
        self.founded.charter.partner(handle).map(|p| p.name.to_string())
    }
}

/// What is to be said whenever a quorum of none is relied on.
const QUORUM_NONE: &str = "quorum none: nobody but the operator vouches that others are shown the same log";

/// What a checkpoint's acceptance rests on, in sentences.
pub fn vouched(checkpoint: &VerifiedCheckpoint) -> Vec<String> {
    let mut lines: Vec<String> = checkpoint
        .cosigners()
        .iter()
        .map(|c| format!("witnessed by {} at {}", c.name, seconds(c.time_s)))
        .collect();
    if checkpoint.quorum_is_none() {
        lines.push(QUORUM_NONE.to_owned());
    }
    if !checkpoint.unchecked().is_empty() {
        let names: Vec<_> = checkpoint.unchecked().iter().filter_map(|l| l.split(' ').nth(1)).collect();
        lines.push(format!("unchecked, since the policy has no such keys: {}", names.join(", ")));
    }
    lines
}

/// A witness's time.
pub fn seconds(time_s: u64) -> String {
    match Instant::from_ms(time_s.saturating_mul(1000)) {
        Ok(at) => at.to_string(),
        Err(_) => format!("second {time_s}"),
    }
}

/// Says why a checkpoint was not accepted, and what to do.
pub fn checkpoint_problem(error: &CheckpointError, held: Option<&Held>) -> Error {
    not_accepted(error, held, None)
}

/// The same, with what else is held against it.
fn not_accepted(error: &CheckpointError, held: Option<&Held>, besides: Option<Error>) -> Error {
    let trusted = held.map_or("the log's founding".to_owned(), |h| h.path.display().to_string());
    let hint = match error {
        CheckpointError::UnknownOrigin(origin) => {
            let ours = held.map_or("", |h| &h.trust.origin);
            format!("{trusted} is about {ours}, the checkpoint about {origin}: is it another log's?")
        }
        CheckpointError::Quorum { .. } => {
            format!(
                "{trusted} asks for more witnesses: wait for them, or ask the operator why they are missing"
            )
        }
        CheckpointError::Open(OpenError::NoKnownSignature) | CheckpointError::NotSigned(_) => {
            format!("no key in {trusted} signed it: another log, or a key that was replaced")
        }
        CheckpointError::Open(_) => {
            "it was changed after it was signed, or signed by someone else".to_owned()
        }
        CheckpointError::Note(_) | CheckpointError::Body(_) => {
            "want a signed note of origin, size and root (c2sp.org/tlog-checkpoint)".to_owned()
        }
    };
    let problem = Problem::refused(format!("the checkpoint is not accepted: {error}"));
    match besides {
        // Nobody is to wait for the witnesses of another history.
        Some(besides) => problem.because(besides).into(),
        None => problem.hint(hint).into(),
    }
}

/// Says what could not be read under a trusted root: exit code 1 where the log is to blame.
pub fn read_problem(error: ReadError) -> Error {
    match error {
        ReadError::Store(error) => store_problem(error),
        error if error.is_tampering() => {
            Problem::refused("what is stored is not what the checkpoint commits to")
                .hint("\"servanda verify\" lists all that is wrong")
                .because(error)
                .into()
        }
        error => Problem::new("could not read the log").because(error).into(),
    }
}

/// Says why the storage failed.
pub fn store_problem(error: StoreError) -> Error {
    let problem = Problem::new("could not read the log");
    match &error {
        StoreError::Io { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
            problem.hint("you have no permission to read it: ask its owner").because(error).into()
        }
        StoreError::Io { .. } => problem.hint(UNREAD).because(error).into(),
        #[cfg(feature = "net")]
        StoreError::Fetch { .. } => problem.hint(UNFETCHED).because(error).into(),
        _ => problem.because(error).into(),
    }
}

/// Where a log may be, for someone who gave a directory that has none.
fn nearby(path: &Path) -> String {
    let below = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let above = path.ancestors().skip(1).take(3).map(Path::to_owned);
    let is_log =
        |path: &PathBuf| path.join("public/checkpoint").is_file() || path.join("checkpoint").is_file();
    let found: Vec<_> = below.chain(above).filter(is_log).take(NEARBY).collect();
    if found.is_empty() {
        return "give the log's home, which has the folders public and private, or a copy of its public part, \
                which has the file checkpoint"
            .to_owned();
    }
    let found: Vec<_> = found.iter().map(|path| path.display().to_string()).collect();
    format!("did you mean {}?", found.join(" or "))
}
