//! Commands that speak to a network: what they share.
//!
//! Reading a log by URL is not among them: every command does that, through [`reading`].

#[cfg(feature = "tls")]
mod certificate;
mod config;
mod listen;
pub mod mirror;
pub mod monitor;
pub mod sending;
pub mod serve;
mod trace;
pub mod witness;
mod writing;

use super::files;
use super::problem::{Hint, Problem};
use anyhow::Result;
use clap::Args;
use servanda::agent::{AgentError, Limits, Url};
use servanda::store::http::Http;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The longest file of certificates that is read, in bytes.
const MAX_CERTIFICATES: u64 = 1 << 20;

/// How this process makes requests; the usual way where it was not said.
static LIMITS: OnceLock<Limits> = OnceLock::new();

/// How servers are checked, whichever command asks them.
#[derive(Args)]
pub struct NetArgs {
    /// Check https servers by the certificates in this file (PEM), instead of the system's
    #[arg(
        long,
        global = true,
        env = "SERVANDA_CA",
        value_name = "FILE",
        hide_env_values = true,
        hide_short_help = true
    )]
    ca: Option<PathBuf>,
}

/// Takes these for all requests of this process.
///
/// # Errors
/// When the file cannot be read.
pub fn set_up(args: NetArgs) -> Result<()> {
    let Some(path) = args.ca else { return Ok(()) };
    let read = files::read(&path, MAX_CERTIFICATES).or_hint(
        || format!("{} cannot be read", path.display()),
        || "give a file of certificates in PEM".to_owned(),
    )?;
    let limits = Limits { roots: Some(read), ..Limits::default() };
    LIMITS.set(limits).map_err(|_| Problem::new("certificates were given twice").into())
}

/// How this process makes requests.
pub fn limits() -> Limits {
    LIMITS.get().cloned().unwrap_or_default()
}

/// The log at a URL, for reading.
///
/// # Errors
/// When it is no URL, or servers like it cannot be asked.
pub fn reading(url: &str) -> Result<Http> {
    let prefix: Url = url.parse().map_err(AgentError::from)?;
    Http::new(prefix, &limits()).or_hint(
        || format!("{url} cannot be asked"),
        || "is the file given with --ca one of certificates (PEM)?".to_owned(),
    )
}
