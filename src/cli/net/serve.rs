//! `servanda serve`: a log over HTTP. So far, as it lies in a directory, for reading.

use super::config;
use super::listen::ListenArgs;
use super::trace::TraceArgs;
use crate::cli::open::{self, Place};
use crate::cli::problem::Problem;
use crate::cli::{Context, Outcome};
use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};
use servanda::log::{CHECKPOINT, MAX_CHECKPOINT};
use servanda::server::front::Front;
use servanda::server::metrics::Metrics;
use servanda::server::{api, health, problem, public};
use servanda::store::Read as _;
use servanda::store::dir::{PublicDir, open_any};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use utoipa::OpenApi as _;

const EXAMPLE: &str = "\
It serves the log as it lies there, for reading; anyone can verify what is read. SIGTERM or Ctrl-C ends it.

EXAMPLE
    servanda serve paris
    servanda status --log http://127.0.0.1:7660       # from another terminal
    servanda serve paris --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem";

/// Serve a log over HTTP
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Serve {
    /// Complete these options from a file, its section [serve]
    #[arg(long, env = "SERVANDA_CONFIG", value_name = "FILE", hide_env_values = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// What a configuration file can say as well.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Options {
    /// The log: its home, or a copy of its public part
    #[arg(env = "SERVANDA_LOG", value_name = "LOG", hide_env_values = true)]
    log: Option<PathBuf>,
    #[command(flatten)]
    #[serde(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    #[serde(flatten)]
    trace: TraceArgs,
}

/// Runs the verb.
pub fn run(context: &Context, args: Serve) -> Result<Outcome> {
    let options = config::completed(args.options, args.config.as_deref(), "serve")?;
    let path = options
        .log
        .as_deref()
        .ok_or_else(|| Problem::new("no log is named").hint("name its directory: servanda serve LOG"))?;
    let folder = folder(path)?;
    options.trace.start()?;
    let metrics = Arc::<Metrics>::default();
    let shown = path.display();
    options.listen.serve(context, &format!("serving {shown}, for reading,"), Arc::clone(&metrics), |_| {
        let ready = readiness(folder.clone());
        let routes = public::routes(folder)
            .merge(health::routes(Arc::clone(&metrics), ready))
            .merge(problem::routes())
            .merge(api::routes(api::Reading::openapi()));
        Front::new(metrics, options.listen.rate()).before(routes)
    })?;
    Ok(Outcome::Good)
}

/// The public part of the log in a directory.
fn folder(path: &Path) -> Result<PublicDir> {
    if let Some(url) = open::as_url(path) {
        return Err(Problem::new(format!("{url} is served already"))
            .hint("to serve a copy of it, give the directory that the copy lies in")
            .into());
    }
    // With a hint where it is another directory that was meant.
    Place::find(path)?;
    open_any(path).map_err(open::store_problem)
}

/// A server of what lies in a directory is ready while there is a checkpoint.
fn readiness(folder: PublicDir) -> health::Ready {
    Arc::new(move || match folder.get(CHECKPOINT, MAX_CHECKPOINT) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err("there is no checkpoint".to_owned()),
        Err(error) => Err(error.to_string()),
    })
}
