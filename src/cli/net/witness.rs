//! `servanda witness`: cosigns what logs sign, if it contains what was there before.

use super::config;
use super::listen::{Ears, ListenArgs};
use super::trace::TraceArgs;
use crate::cli::problem::{Hint as _, Problem};
use crate::cli::{Context, Outcome, files, keys, open, plain};
use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};
use servanda::key::SigningKey;
use servanda::key::vkey::{Kind, VKEY_MAX, Vkey};
use servanda::server::cosigning::{Cosigning, Desk, routes};
use servanda::server::front::Front;
use servanda::server::metrics::Metrics;
use servanda::server::{api, health, problem};
use servanda::store::dir::{Dir, PublicDir};
use servanda::text::count;
use servanda::witness::Witness as Core;
use servanda::witness::logs::{LOGS_MAX_BYTES, Logs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi as _;

const AFTER: &str = "\
The list of logs has the witness network's format: a line \"logs/v0\", then for each log the lines \"vkey VKEY\", \"qpd 86400\", \
\"contact TEXT\". SIGHUP reads it again, and the certificate where there is one; \
that adds logs, and never changes a log's key. SIGTERM or Ctrl-C ends the witness.

The state is what makes it a witness. Never restore it from a backup: where it is lost, begin anew with a new key.

EXAMPLE
    servanda keygen --witness w1.example
    servanda witness state --log-list logs.txt --listen 127.0.0.1:7671";

/// Cosign the checkpoints of other people's logs
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Witness {
    /// Complete these options from a file, its section [witness]
    #[arg(long, env = "SERVANDA_CONFIG", value_name = "FILE", hide_env_values = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// What a configuration file can say as well.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Options {
    /// The folder of its state; made where there is none
    #[arg(env = "SERVANDA_WITNESS_STATE", value_name = "STATE", hide_env_values = true)]
    state: Option<PathBuf>,
    /// The logs that it cosigns
    #[arg(long, env = "SERVANDA_LOG_LIST", value_name = "FILE", hide_env_values = true)]
    log_list: Option<PathBuf>,
    /// Its private key; beside it lies FILE.vkey, which says its name [default: keys/witness]
    #[arg(long, env = "SERVANDA_WITNESS_KEY", value_name = "FILE", hide_env_values = true)]
    key: Option<PathBuf>,
    /// A file with the passphrase of the key on its first line, instead of asking
    #[arg(long, env = "SERVANDA_WITNESS_PASSPHRASE_FILE", value_name = "FILE", hide_env_values = true)]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    #[serde(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    #[serde(flatten)]
    trace: TraceArgs,
}

/// Runs the verb.
pub fn run(context: &Context, args: Witness) -> Result<Outcome> {
    let options = config::completed(args.options, args.config.as_deref(), "witness")?;
    let ears = Ears::open()?;
    let state = options.state.as_deref().ok_or_else(|| {
        Problem::new("no state is named").hint("name its folder: servanda witness STATE --log-list FILE")
    })?;
    let list = options.log_list.clone().ok_or_else(|| {
        Problem::new("no logs are named").hint("name a file of the logs to cosign: --log-list FILE")
    })?;
    let logs = read_list(&list)?;
    let (key, name) = key(&options)?;
    let store = Dir::create(state).map_err(open::store_problem)?;
    let folder = PublicDir::open(&state.join("public")).map_err(open::store_problem)?;
    let witness = Core::open(Box::new(store), &name, key).or_hint(
        || format!("{} cannot be a witness's name", plain::plain(&name)),
        || "a name has no blanks and no +".to_owned(),
    )?;
    options.trace.start()?;
    let metrics = Arc::<Metrics>::default();
    let (vkey, known) = (witness.vkey().to_string(), count(logs.origins().count(), "log", "logs"));
    let clock = context.clock;
    let clock = Box::new(move || clock.now().ms() / 1000);
    let desk = Arc::new(Desk::new(witness, logs, clock, &metrics));
    options.listen.serve(
        context,
        ears,
        &format!("{vkey} cosigns {known},"),
        Arc::clone(&metrics),
        |stop| {
            tokio::spawn(reread(list, Arc::clone(&desk), stop.clone()));
            let ready = Arc::clone(&desk);
            let routes = routes(desk, folder)
                .merge(health::routes(Arc::clone(&metrics), Arc::new(move || ready.ready())))
                .merge(problem::routes())
                .merge(api::routes(Cosigning::openapi()));
            Front::new(metrics, options.listen.rate()).before(routes)
        },
    )?;
    Ok(Outcome::Good)
}

/// Reads the list again on each SIGHUP; one that cannot be used changes nothing.
async fn reread(list: PathBuf, desk: Arc<Desk>, stop: CancellationToken) {
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => hangups,
        Err(error) => return tracing::error!(%error, "SIGHUP cannot be heard"),
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            heard = hangups.recv() => if heard.is_none() { return },
        }
        let file = list.display().to_string();
        let read = read_list(&list).and_then(|logs| Ok(desk.renew(&logs)?));
        match read {
            Ok(logs) => tracing::info!(file, logs, "the list of logs was read again"),
            Err(error) => {
                tracing::error!(file, error = format!("{error:#}"), "the list of logs stays as it was")
            }
        }
    }
}

fn read_list(path: &Path) -> Result<Logs> {
    let shown = path.display();
    let limit = u64::try_from(LOGS_MAX_BYTES).expect("limits fit");
    let bytes = files::read(path, limit)
        .or_hint(|| format!("{shown} cannot be read"), || "look for a typing error".to_owned())?;
    Logs::parse(&bytes).or_hint(
        || format!("{shown} cannot be used"),
        || "want \"logs/v0\", then for each log: vkey VKEY, qpd NUMBER, contact TEXT".to_owned(),
    )
}

/// The key, and the name that the file beside it says.
fn key(options: &Options) -> Result<(SigningKey, String)> {
    let path = options.key.clone().unwrap_or_else(|| keys::WITNESS.into());
    if options.key.is_none() && !path.exists() {
        let problem = Problem::new(format!("no key was named, and {} is not there", keys::WITNESS));
        return Err(problem
            .hint("name it with --key FILE, or make one with: servanda keygen --witness NAME")
            .into());
    }
    let beside = PathBuf::from(format!("{}.vkey", path.display()));
    let shown = beside.display();
    let hint = || "it is the line that servanda keygen --witness NAME puts beside the key".to_owned();
    let limit = u64::try_from(VKEY_MAX + 1).expect("limits fit");
    let line = files::read(&beside, limit).or_hint(|| format!("{shown} cannot be read"), hint)?;
    let line = String::from_utf8_lossy(&line).into_owned();
    let vkey: Vkey = line.trim_end().parse().or_hint(|| format!("{shown} is no vkey"), hint)?;
    let key = keys::load(&path, options.passphrase_file.as_deref())?;
    if vkey.kind() != Kind::Cosignature || *vkey.key() != key.public() {
        let problem = Problem::new(format!("{shown} is not the witness's key that lies beside it"));
        return Err(problem.hint(hint()).into());
    }
    Ok((key, vkey.name().to_owned()))
}
