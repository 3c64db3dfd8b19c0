//! `servanda serve`: a log over HTTP. With the log's key at hand it takes statements, and tells what follows from them;
//! without, it serves what lies in a directory, for reading.

use super::config;
use super::listen::{Ears, ListenArgs};
use super::trace::TraceArgs;
use super::writing::{self, WritingArgs};
use crate::cli::open::{self, Place};
use crate::cli::problem::Problem;
use crate::cli::{Context, Outcome};
use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};
use servanda::log::{CHECKPOINT, MAX_CHECKPOINT};
use servanda::server::front::Front;
use servanda::server::metrics::Metrics;
use servanda::server::{add, api, ask, events, health, problem, public};
use servanda::store::Read as _;
use servanda::store::dir::{PublicDir, open_any};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use utoipa::OpenApi as _;

const EXAMPLE: &str = "\
With the log's key at hand it takes statements, and so do all commands that name its URL; without, or with --read-only, it \
serves the log as it lies there. Anyone can verify what is read. SIGHUP takes up a renewed \
certificate, SIGTERM or Ctrl-C ends it.

EXAMPLE
    servanda serve paris --log-key keys/log --operator-key keys/registrar --guard /mnt/other/paris.guard
    servanda pledge … --log http://127.0.0.1:7660     # from another terminal
    servanda serve copy --read-only --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem";

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
    writing: WritingArgs,
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
    let ears = Ears::open()?;
    let path = options
        .log
        .as_deref()
        .ok_or_else(|| Problem::new("no log is named").hint("name its directory: servanda serve LOG"))?;
    let (folder, home) = folder(path)?;
    let keys = home.as_deref().map(|_| options.writing.keys()).transpose()?.flatten();
    options.trace.start()?;
    match (home, keys) {
        (Some(home), Some(keys)) => serve_writing(context, ears, &options, path, folder, &home, keys)?,
        _ => serve_reading(context, ears, &options, path, folder)?,
    }
    Ok(Outcome::Good)
}

fn serve_reading(
    context: &Context,
    ears: Ears,
    options: &Options,
    path: &Path,
    folder: PublicDir,
) -> Result<()> {
    let metrics = Arc::<Metrics>::default();
    let what = format!("serving {}, for reading,", path.display());
    options.listen.serve(context, ears, &what, Arc::clone(&metrics), |_| {
        let ready = readiness(folder.clone());
        let routes = public::routes(folder)
            .merge(health::routes(Arc::clone(&metrics), ready))
            .merge(problem::routes())
            .merge(api::routes(api::Reading::openapi()));
        Front::new(metrics, options.listen.rate()).before(routes)
    })
}

fn serve_writing(
    context: &Context,
    ears: Ears,
    options: &Options,
    path: &Path,
    folder: PublicDir,
    home: &Path,
    keys: writing::Keys,
) -> Result<()> {
    let metrics = Arc::<Metrics>::default();
    let work = options.writing.start(context, home, folder.clone(), keys, &metrics)?;
    let what = format!("serving {}", path.display());
    let served = options.listen.serve(context, ears, &what, Arc::clone(&metrics), |stop| {
        let progress = work.progress.clone();
        let ready: health::Ready = Arc::new(move || progress.ready());
        let asking = work.teller.asking();
        let mut document = api::Reading::openapi();
        document.merge(api::Writing::openapi());
        let routes = public::routes(folder.clone())
            .merge(health::routes(Arc::clone(&metrics), ready))
            .merge(problem::routes())
            .merge(api::routes(document))
            .merge(add::routes(work.writer.door()))
            .merge(ask::routes(asking.clone()))
            .merge(ask::entries(Arc::new(folder), work.progress.clone()))
            .merge(events::routes(asking, &metrics, stop.clone()));
        Front::new(metrics, options.listen.rate()).before(routes)
    });
    // Nobody asks any more: what was begun is finished, the writer's work last but for telling of it.
    work.end();
    served
}

/// The public part of the log in a directory, and its home where it is one.
fn folder(path: &Path) -> Result<(PublicDir, Option<PathBuf>)> {
    if let Some(url) = open::as_url(path) {
        return Err(Problem::new(format!("{url} is served already"))
            .hint("to serve a copy of it, give the directory that the copy lies in")
            .into());
    }
    // With a hint where it is another directory that was meant.
    let place = Place::find(path)?;
    Ok((open_any(path).map_err(open::store_problem)?, place.home))
}

/// A server of what lies in a directory is ready while there is a checkpoint.
fn readiness(folder: PublicDir) -> health::Ready {
    Arc::new(move || match folder.get(CHECKPOINT, MAX_CHECKPOINT) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err("there is no checkpoint".to_owned()),
        Err(error) => Err(error.to_string()),
    })
}
