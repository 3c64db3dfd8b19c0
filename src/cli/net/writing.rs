//! What a server that takes statements needs: the log's home, its keys, and two threads, of which one writes and one tells.

use super::limits;
use crate::cli::clock::Clock;
use crate::cli::desk::{self, open_index};
use crate::cli::problem::{Hint as _, Problem};
use crate::cli::{Context, files, keys};
use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};
use servanda::field::{Class, Handle};
use servanda::gather;
use servanda::gather::http::Http;
use servanda::key::SigningKey;
use servanda::policy::{POLICY_MAX, Policy};
use servanda::roster::Roster;
use servanda::server::journal::Journal;
use servanda::server::metrics::Metrics;
use servanda::server::progress::{Progress, Reached};
use servanda::server::rates::Rate;
use servanda::server::teller::{self, Teller};
use servanda::server::writer::{self, PARTNER_RATE, Quorum, TIMEOUT, Writer};
use servanda::store::dir::{Dir, PublicDir};
use servanda::store::guard::{Guard, GuardFile};
use servanda::store::index::{self, Index};
use servanda::submit::{Operator, SubmitError};
use servanda::text::count;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where an officer's key of the operator lies, unless it is named.
const OPERATOR: &str = "keys/operator";

/// Where the journal of events lies in a log's home.
const EVENTS: &str = "private/events";

/// Who may write, and how much.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct WritingArgs {
    /// Take no statements, even where the log's key is at hand
    #[arg(long, env = "SERVANDA_READ_ONLY", hide_env_values = true)]
    read_only: bool,
    /// The private key that signs checkpoints [default: keys/log, if it is there]
    #[arg(long, env = "SERVANDA_LOG_KEY", value_name = "FILE", hide_env_values = true)]
    log_key: Option<PathBuf>,
    /// A file with the passphrase of the log's key on its first line, instead of asking
    #[arg(long, env = "SERVANDA_LOG_PASSPHRASE_FILE", value_name = "FILE", hide_env_values = true)]
    log_passphrase_file: Option<PathBuf>,
    /// The key of an officer of the operator, who gives promises; once for each that must sign [default: keys/operator]
    #[arg(long, env = "SERVANDA_OPERATOR_KEY", value_name = "FILE", hide_env_values = true)]
    operator_key: Vec<PathBuf>,
    /// A file with the passphrase of those keys on its first line, instead of asking
    #[arg(long, env = "SERVANDA_PASSPHRASE_FILE", value_name = "FILE", hide_env_values = true)]
    passphrase_file: Option<PathBuf>,
    /// Keep the last signed head in this file, on another medium, to notice a restored backup
    #[arg(long, env = "SERVANDA_GUARD", value_name = "FILE", hide_env_values = true)]
    guard: Option<PathBuf>,
    /// Publish nothing before a quorum of this policy's witnesses has cosigned it (c2sp.org/tlog-policy, with URLs)
    #[arg(long, env = "SERVANDA_POLICY", value_name = "FILE", hide_env_values = true)]
    policy: Option<PathBuf>,
    /// How many seconds to wait for a quorum before a newer checkpoint is signed instead [default: 2]
    #[arg(long, env = "SERVANDA_WITNESS_TIMEOUT", value_name = "SECONDS", hide_env_values = true)]
    witness_timeout: Option<u32>,
    /// How many statements a second one partner may send, 0 for any number [default: 50]
    #[arg(long, env = "SERVANDA_PARTNER_RATE", value_name = "N", hide_env_values = true)]
    partner_rate: Option<u32>,
}

/// The keys that a log is written with.
pub struct Keys {
    log: SigningKey,
    officers: Vec<SigningKey>,
}

/// The threads at work.
pub struct Work {
    /// How far the log has come.
    pub progress: Progress,
    /// Writes.
    pub writer: Writer,
    /// Tells.
    pub teller: Teller,
}

impl Work {
    /// Ends both, once all that was taken is written and told.
    pub fn end(self) {
        self.writer.end();
        self.teller.end();
    }
}

impl WritingArgs {
    /// The keys to write with; none: it is to be served for reading.
    ///
    /// # Errors
    /// When one cannot be loaded, or the other is missing.
    pub fn keys(&self) -> Result<Option<Keys>> {
        let usual = |path: &str| Path::new(path).exists().then(|| PathBuf::from(path));
        let Some(log) = self.log_key.clone().or_else(|| usual(keys::LOG)).filter(|_| !self.read_only) else {
            return Ok(None);
        };
        let mut named = self.operator_key.clone();
        if named.is_empty() {
            named.extend(usual(OPERATOR));
        }
        if named.is_empty() {
            return Err(Problem::new(
                "whoever takes statements gives promises, and there is no key to sign them with",
            )
            .hint("name the key of an officer of the operator with --operator-key, or serve with --read-only")
            .into());
        }
        let log = keys::load(&log, self.log_passphrase_file.as_deref())?;
        let load = |path: &PathBuf| keys::load(path, self.passphrase_file.as_deref());
        let officers = named.iter().map(load).collect::<Result<_>>()?;
        Ok(Some(Keys { log, officers }))
    }

    /// Opens the log, and begins to work on it.
    ///
    /// # Errors
    /// When it cannot be opened, or the keys are not its operator's.
    pub fn start(
        &self,
        context: &Context,
        home: &Path,
        folder: PublicDir,
        keys: Keys,
        metrics: &Metrics,
    ) -> Result<Work> {
        let shown = home.display();
        let index = open_index(context, home)?;
        let operator = self.open(home, index)?;
        let quorum = self.quorum(operator.roster(), &folder, context.clock)?;
        check(&operator, &keys, quorum.as_ref())?;
        let writer = operator.writer();
        let progress = Progress::default();
        progress.step(Reached { size: writer.size(), root: writer.root(), published: writer.published() });
        let clock = context.clock;
        let now = move || clock.now();
        let log = operator.roster().log;
        let new_name = format!("{:x}", context.clock.real_ms());
        let tools = teller::Tools {
            store: Arc::new(folder),
            history: operator.history().clone(),
            journal: Journal::open(Some(&home.join(EVENTS)), log, &new_name),
            new_name,
            clock: Box::new(now),
        };
        let teller = Teller::start(tools, progress.clone())?;
        let tools = writer::Tools {
            log_key: keys.log,
            officers: keys.officers,
            partner_rate: self.partner_rate(),
            clock: Box::new(now),
            quorum,
        };
        let (args, again) = (self.clone(), home.to_owned());
        let open = move || args.open_again(&again);
        let writer = Writer::start(operator, Box::new(open), tools, progress.clone(), metrics)?;
        tracing::info!(log = %shown, "taking statements");
        Ok(Work { progress, writer, teller })
    }

    fn open(&self, home: &Path, index: Index) -> Result<Operator> {
        let shown = home.display();
        let dir = Dir::open(home).or_hint(
            || format!("cannot write the log at {shown}"),
            || "are you its operator? to serve it for reading, say --read-only".into(),
        )?;
        let guard = self.guard().or_hint(
            || "cannot read the guard file".into(),
            || "is its medium mounted? a guard file that is gone is never begun anew".into(),
        )?;
        Operator::open(Box::new(dir), guard, index)
            .map_err(|error| desk::failed(format!("cannot open the log at {shown} for writing"), error))
    }

    /// The same after a failure.
    fn open_again(&self, home: &Path) -> Result<Operator, SubmitError> {
        let index = Index::open(&home.join(index::FILE))?;
        Operator::open(Box::new(Dir::open(home)?), self.guard()?, index)
    }

    /// Who must have cosigned what is published; none: nobody.
    fn quorum(&self, roster: &Roster, folder: &PublicDir, clock: Clock) -> Result<Option<Quorum>> {
        let Some(path) = &self.policy else { return Ok(None) };
        let cannot = || format!("{} cannot be used", path.display());
        let want = || "want a policy (c2sp.org/tlog-policy) that gives each witness's URL".to_owned();
        let bytes = files::read(path, u64::try_from(POLICY_MAX)?).or_hint(cannot, want)?;
        let policy = Policy::parse(&bytes).or_hint(cannot, want)?;
        let policy = policy.with_logs([roster.vkey.clone()]).or_hint(cannot, want)?;
        if policy.quorum_is_none() {
            return Err(Problem::new(format!("{}: quorum none asks nobody", path.display()))
                .hint("leave out --policy to publish without witnesses")
                .into());
        }
        let transport = Arc::new(Http::new(&policy, &limits()).or_hint(cannot, want)?);
        let timeout = self.witness_timeout.map_or(TIMEOUT, |seconds| Duration::from_secs(seconds.into()));
        let clock = Arc::new(move || clock.now().ms() / 1000);
        Ok(Some(Quorum { policy, transport, clock, tiles: Arc::new(folder.clone()), timeout }))
    }

    fn guard(&self) -> Result<Option<Box<dyn Guard>>, servanda::store::StoreError> {
        let guard = self.guard.as_deref().map(GuardFile::open).transpose()?;
        Ok(guard.map(|guard| Box::new(guard) as Box<dyn Guard>))
    }

    fn partner_rate(&self) -> Option<Rate> {
        let per_second = self.partner_rate.unwrap_or(PARTNER_RATE.per_second);
        (per_second > 0).then(|| Rate { per_second, burst: per_second.saturating_mul(2) })
    }
}

/// Refuses keys that are not those of the operator in office.
fn check(operator: &Operator, keys: &Keys, quorum: Option<&Quorum>) -> Result<()> {
    let roster = operator.roster();
    if *roster.vkey.key() != keys.log.public() {
        return Err(Problem::new("this is not the key that the log's checkpoints are signed with")
            .hint(format!("its public half must be {}", roster.vkey))
            .into());
    }
    let rules = roster.charter.rules.witnesses.as_ref();
    let asked = operator.quorum_asked();
    let wants =
        || format!("the log's rules ask for the cosignatures of {}", count(asked, "witness", "witnesses"));
    match quorum {
        None if asked > 0 => {
            return Err(Problem::new(wants())
                .hint("name a policy that says where they are with --policy, or serve with --read-only")
                .into());
        }
        Some(quorum) if !gather::suits(&quorum.policy, rules) => {
            let what = format!("{}, and the policy has a quorum without so many of them", wants());
            return Err(Problem::new(what).hint("name in the policy the witnesses of the charter").into());
        }
        _ => {}
    }
    let set = roster.keys(&Handle::operator()).map(|keys| keys.set.threshold(Class::OperateLog));
    let (got, want) = (writer::officers(roster, &keys.officers).len(), usize::from(set.unwrap_or(1)).max(1));
    if got < want {
        return Err(Problem::new(format!(
            "a promise takes the signatures of {want} of the operator's officers that operate the log, here are keys of {got}"
        ))
        .hint("name their keys with --operator-key, once each; `servanda roster operator` lists them")
        .into());
    }
    Ok(())
}
