//! What a command is given to trust about a log: a trust file, a policy.
//!
//! Trust comes from a file that the reader names, or from `trust.toml` in the working directory; never from anything
//! that lies beside the log, which whoever changed the log could have put there. Without one the log's own founding key
//! has to do, and whatever is said about the log is said with "not pinned".

use super::files::read_whole;
use super::problem::Problem;
use super::screen::Screen;
use clap::Args;
use servanda::hash::Hash;
use servanda::policy::{POLICY_MAX, Policy};
use servanda::trust::{MAX_TRUST, Trust};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The trust file that is taken where none is named.
const TRUST: &str = "trust.toml";

/// What is trusted about a log.
#[derive(Args, Clone, Debug, Default)]
pub struct TrustArgs {
    /// What you trust about the log: its trust file; trust.toml in this directory if you name none
    #[arg(long, env = "SERVANDA_TRUST", value_name = "FILE", hide_env_values = true)]
    pub trust: Option<PathBuf>,
    /// Accept checkpoints by this policy instead of the trust file's (c2sp.org/tlog-policy)
    #[arg(long, env = "SERVANDA_POLICY", value_name = "FILE", hide_env_values = true)]
    pub policy: Option<PathBuf>,
}

/// A trust file, and where it was read.
#[derive(Clone, Debug)]
pub struct Held {
    /// Where it was read.
    pub path: PathBuf,
    /// What it says.
    pub trust: Trust,
}

impl TrustArgs {
    /// Reads the trust file that was named, or the one in the working directory, which is told; with the policy that was named,
    /// in the place of its own.
    ///
    /// # Errors
    /// When one was named and is not there, or is none; or the policy is not about the trust file's log.
    pub fn read(&self, screen: &Screen) -> anyhow::Result<Option<Held>> {
        let held = self.read_trust(screen)?;
        match &self.policy {
            Some(path) => with_policy(held, path).map(Some),
            None => Ok(held),
        }
    }

    fn read_trust(&self, screen: &Screen) -> anyhow::Result<Option<Held>> {
        let path = match &self.trust {
            Some(path) => path.clone(),
            None if Path::new(TRUST).is_file() => {
                screen.note("trusting trust.toml in this directory");
                PathBuf::from(TRUST)
            }
            None => return Ok(None),
        };
        let bytes = read_whole(&path, u64::try_from(MAX_TRUST).expect("fits"))?;
        let not_one = |what: String| Problem::new(format!("{}: {what}", path.display()));
        let text = String::from_utf8(bytes).map_err(|_| not_one("not a text".into()))?;
        let trust = Trust::parse(&text).map_err(|e| {
            not_one(e.to_string()).hint("the operator hands out the trust file that \"servanda init\" wrote")
        })?;
        Ok(Some(Held { path, trust }))
    }
}

/// Takes a policy in the place of a trust file's; one that names no log is about the trust file's. Without a trust file it is all
/// that is trusted, and no log's id is pinned.
fn with_policy(held: Option<Held>, path: &Path) -> anyhow::Result<Held> {
    let not_one = |what: String| Problem::new(format!("{}: {what}", path.display()));
    let bytes = read_whole(path, u64::try_from(POLICY_MAX).expect("fits"))?;
    let policy = Policy::parse(&bytes)
        .map_err(|e| not_one(e.to_string()).hint("want a policy in the form of c2sp.org/tlog-policy"))?;
    let Some(held) = held else {
        let log = policy.logs().first().cloned();
        let log = log.ok_or_else(|| {
            not_one("it names no log".to_owned()).hint("add a line: log VKEY; or name a trust file as well")
        })?;
        let origin = log.vkey.name().to_owned();
        let trust = Trust { log: None, origin, at: log.url, policy, partners: BTreeMap::new() };
        return Ok(Held { path: path.to_owned(), trust });
    };
    let logs = held.trust.policy.logs().iter().map(|log| log.vkey.clone());
    let policy = match policy.logs() {
        [] => policy.with_logs(logs).map_err(|e| not_one(e.to_string()))?,
        ours if ours.iter().any(|log| log.vkey.name() == held.trust.origin) => policy,
        _ => {
            let what = format!(
                "it names other logs than {}, which {} is about",
                held.trust.origin,
                held.path.display()
            );
            return Err(not_one(what)
                .hint("leave its log lines out, or name the trust file of that log")
                .into());
        }
    };
    Ok(Held { trust: Trust { policy, ..held.trust }, ..held })
}

/// The sentence about a log id that nothing pins.
pub fn not_pinned(id: &Hash) -> String {
    format!(
        "not pinned: nothing you gave says which log this must be; compare the id {id} with one from a source you trust"
    )
}

pub fn other_log(held: &Held, got: &Hash, want: &Hash) -> Problem {
    Problem::refused(format!(
        "this is log {}, but {} pins {}",
        got.short(),
        held.path.display(),
        want.short()
    ))
    .hint("is it the trust file of another log? if not, do not believe this one")
}
