//! Where a command listens, by which certificate, and until when.

#[cfg(feature = "tls")]
use super::certificate::Certificate;
use crate::cli::Context;
use crate::cli::problem::{Hint as _, Problem};
use anyhow::Result;
use axum::Router;
use clap::Args;
use serde::{Deserialize, Serialize};
use servanda::server::front::RATE;
use servanda::server::listen::{self, Limits, Tls};
use servanda::server::metrics::Metrics;
use servanda::server::rates::Rate;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// The most threads that read and write files for requests.
const FILE_THREADS: usize = 64;

/// Where to listen.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ListenArgs {
    /// Listen here; port 0 takes a free one [default: 127.0.0.1:7660]
    #[arg(long, env = "SERVANDA_LISTEN", value_name = "ADDRESS", hide_env_values = true)]
    listen: Option<SocketAddr>,
    /// The certificate to show, with those that lead to it (PEM); SIGHUP reads it and its key again
    #[arg(long, env = "SERVANDA_TLS_CERT", value_name = "FILE", hide_env_values = true)]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, env = "SERVANDA_TLS_KEY", value_name = "FILE", hide_env_values = true)]
    tls_key: Option<PathBuf>,
    /// Listen beyond this machine without a certificate, since something in front has one
    #[arg(long, env = "SERVANDA_PLAIN_HTTP", hide_env_values = true)]
    plain_http: bool,
    /// The most connections at once [default: 1024]
    #[arg(long, env = "SERVANDA_MAX_CONNECTIONS", value_name = "N", hide_env_values = true)]
    max_connections: Option<usize>,
    /// The most connections of one address at once [default: 128]
    #[arg(long, env = "SERVANDA_MAX_CONNECTIONS_EACH", value_name = "N", hide_env_values = true)]
    max_connections_each: Option<usize>,
    /// How many requests a second one address may make, 0 for any number [default: 2000]
    #[arg(long, env = "SERVANDA_RATE", value_name = "N", hide_env_values = true)]
    rate: Option<u32>,
}

/// The usual port, where no other is named.
const PORT: u16 = 7660;

/// What a server runs on, which hears SIGHUP from then on: one that came while a log is opened would end the process.
pub struct Ears {
    runtime: Runtime,
    hangups: Signal,
}

impl Ears {
    /// Begins to hear.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn open() -> Result<Self> {
        let runtime = runtime()?;
        let within = runtime.enter();
        let hangups = signal(SignalKind::hangup())?;
        drop(within);
        Ok(Self { runtime, hangups })
    }
}

impl ListenArgs {
    /// Serves until the process is asked to end; `routes` is given the token that is cancelled then.
    ///
    /// # Errors
    /// When it cannot listen there, or the certificate cannot be used.
    pub fn serve(
        &self,
        context: &Context,
        ears: Ears,
        what: &str,
        metrics: Arc<Metrics>,
        routes: impl FnOnce(&CancellationToken) -> Router,
    ) -> Result<()> {
        let address = self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, PORT).into());
        let certificate = self.certificate()?;
        let tls: Tls = certificate.as_ref().map(Certificate::config).transpose()?;
        if tls.is_none() && !self.plain_http && !address.ip().is_loopback() {
            return Err(Problem::new(format!("without a certificate, {address} is not listened on"))
                .hint("give --tls-cert and --tls-key, or --plain-http where something in front does TLS")
                .into());
        }
        let scheme = if tls.is_some() { "https" } else { "http" };
        let Ears { runtime, hangups } = ears;
        runtime.block_on(async {
            let listener = TcpListener::bind(address).await.or_hint(
                || format!("cannot listen on {address}"),
                || "is another server running there? name another address with --listen".to_owned(),
            )?;
            // Before it is said that anyone may come, so that whoever is told can end it.
            let mut ends = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
            let url = format!("{scheme}://{}/", listener.local_addr()?);
            context.screen.say(format!("{what} at {url}"));
            context.screen.json(&serde_json::json!({ "url": url }))?;
            let stop = CancellationToken::new();
            let router = routes(&stop);
            let serving = listen::serve(listener, router, tls, self.limits(), metrics, stop.clone());
            let mut serving = std::pin::pin!(serving);
            tokio::select! {
                () = serving.as_mut() => {}
                () = renewing(hangups, certificate) => {}
                () = asked_to_end(&mut ends) => {
                    tracing::info!("asked to end");
                    stop.cancel();
                    tokio::select! {
                        () = serving.as_mut() => {}
                        // Whoever asks twice does not wait for those that are being answered.
                        () = asked_to_end(&mut ends) => {}
                    }
                }
            }
            Ok(())
        })
    }

    /// How often one address may ask; none: as often as it likes.
    pub fn rate(&self) -> Option<Rate> {
        let per_second = self.rate.unwrap_or(RATE.per_second);
        (per_second > 0).then(|| Rate { per_second, burst: per_second.saturating_mul(2) })
    }

    fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            connections: self.max_connections.unwrap_or(usual.connections).min(Semaphore::MAX_PERMITS),
            connections_each: self.max_connections_each.unwrap_or(usual.connections_each),
            ..usual
        }
    }

    #[cfg(feature = "tls")]
    fn certificate(&self) -> Result<Option<Certificate>> {
        match (&self.tls_cert, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(file), Some(key)) => Certificate::read(file, key).map(Some),
            _ => Err(half()),
        }
    }

    #[cfg(not(feature = "tls"))]
    fn certificate(&self) -> Result<Option<Certificate>> {
        match (&self.tls_cert, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(Problem::new("this program was built without TLS")
                .hint("leave out --tls-cert and --tls-key, and let something in front do TLS")
                .into()),
            _ => Err(half()),
        }
    }
}

/// There is none where this program was built without TLS.
#[cfg(not(feature = "tls"))]
enum Certificate {}

#[cfg(not(feature = "tls"))]
impl Certificate {
    fn config(&self) -> Result<std::convert::Infallible> {
        match *self {}
    }

    fn renew(&self) {
        match *self {}
    }
}

fn half() -> anyhow::Error {
    Problem::new("a certificate and its key belong together")
        .hint("give both --tls-cert and --tls-key")
        .into()
}

/// Reads the certificate again on each SIGHUP; without one, that changes nothing here.
async fn renewing(mut hangups: Signal, certificate: Option<Certificate>) {
    while hangups.recv().await.is_some() {
        certificate.iter().for_each(Certificate::renew);
    }
    std::future::pending().await
}

async fn asked_to_end(ends: &mut [Signal; 2]) {
    let [terminate, interrupt] = ends;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn runtime() -> Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.enable_all().thread_name("http").max_blocking_threads(FILE_THREADS).build()?)
}
