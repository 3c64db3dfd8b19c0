//! Listening: how many connections there may be, from where, and how long they may take; and how it ends.
//!
//! A connection above the limit waits in the system's queue until another one ends; one of an address that has its share
//! is closed at once. When it is told to stop, a server accepts nothing more, lets those finish that are being answered, and
//! leaves after [`Limits::grace`] whoever is not done.

use super::metrics::Metrics;
use super::patience::Patient;
use super::rates::Source;
use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 16 << 10;

/// The most fields of a request's head.
const MAX_FIELDS: usize = 64;

/// How long is waited after the system refused to accept a connection: too many files are open, mostly.
const BREATH: Duration = Duration::from_millis(100);

/// Within what a server listens.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most connections at once.
    pub connections: usize,
    /// The most connections of one source ([`Source`]) at once.
    pub connections_each: usize,
    /// How long a request's head may take to come, from the end of the one before; so long may a connection be idle.
    pub head: Duration,
    /// How long a write may wait for whoever does not read.
    pub write: Duration,
    /// How long those that are being answered may take to finish when the server stops.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_each: 128,
            head: Duration::from_secs(30),
            write: Duration::from_secs(60),
            grace: Duration::from_secs(10),
        }
    }
}

/// Where a request came from; among the extensions of each.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// How connections are made secure; none: they are not.
#[cfg(feature = "tls")]
pub type Tls = Option<Arc<rustls::ServerConfig>>;

/// How connections are made secure: this program was built without TLS.
#[cfg(not(feature = "tls"))]
pub type Tls = Option<std::convert::Infallible>;

/// Serves until it is told to stop, and all that was begun is answered or given up.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Tls,
    limits: Limits,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let (free, shares) = (Arc::new(Semaphore::new(limits.connections)), Arc::<Shares>::default());
    let tracker = TaskTracker::new();
    // Given up at the end, when their time is over.
    let give_up = CancellationToken::new();
    loop {
        let accept = async {
            let permit = Arc::clone(&free).acquire_owned().await.expect("it is never closed");
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                sleep(BREATH).await;
                continue;
            }
        };
        let Some(share) = Shares::take(&shares, Source::of(address.ip()), limits.connections_each) else {
            metrics.turned_away.inc();
            continue;
        };
        let (router, tls, metrics) = (router.clone(), tls.clone(), Arc::clone(&metrics));
        let (stop, give_up) = (stop.clone(), give_up.clone());
        tracker.spawn(async move {
            metrics.connections.inc();
            tokio::select! {
                () = give_up.cancelled() => {}
                () = connection(stream, address, router, tls, limits, stop) => {}
            }
            metrics.connections.dec();
            drop((permit, share));
        });
    }
    drop(listener);
    tracker.close();
    if timeout(limits.grace, tracker.wait()).await.is_err() {
        tracing::warn!(connections = tracker.len(), "stopped before all was answered");
        give_up.cancel();
        tracker.wait().await;
    }
}

/// Answers the requests of one connection.
async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    tls: Tls,
    limits: Limits,
    stop: CancellationToken,
) {
    // An answer of one small packet is not kept back for a second one.
    let _ = stream.set_nodelay(true);
    let stream = Patient::new(stream, limits.write);
    #[cfg(feature = "tls")]
    if let Some(tls) = tls {
        let handshake = tokio_rustls::TlsAcceptor::from(tls).accept(stream);
        match timeout(limits.head, handshake).await {
            Ok(Ok(stream)) => return requests(stream, address, router, limits, stop).await,
            Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS came about"),
            Err(_) => tracing::debug!(%address, "no TLS came about in time"),
        }
        return;
    }
    #[cfg(not(feature = "tls"))]
    let None = tls;
    requests(stream, address, router, limits, stop).await;
}

async fn requests<I: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    io: I,
    address: SocketAddr,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let routes = TowerToHyperService::new(router);
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(address));
        routes.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(MAX_FIELDS)
        .max_buf_size(MAX_HEAD);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(io), answer));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%address, %error, "a connection ended before its time");
    }
}

/// How many connections each source has.
#[derive(Debug, Default)]
struct Shares(Mutex<HashMap<Source, usize>>);

/// A source's share, given back when it is dropped.
struct Share(Arc<Shares>, Source);

impl Shares {
    fn take(shares: &Arc<Self>, source: Source, most: usize) -> Option<Share> {
        let mut all = shares.0.lock().expect("nothing panics while it holds this");
        let taken = all.entry(source).or_default();
        if *taken >= most {
            return None;
        }
        *taken += 1;
        Some(Share(Arc::clone(shares), source))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut all = self.0.0.lock().expect("nothing panics while it holds this");
        if let Some(taken) = all.get_mut(&self.1) {
            *taken -= 1;
            if *taken == 0 {
                all.remove(&self.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_given_back() {
        let shares = Arc::<Shares>::default();
        let source = Source::of([127, 0, 0, 1].into());
        let held: Vec<_> = (0..2).map(|_| Shares::take(&shares, source, 2).unwrap()).collect();
        assert!(Shares::take(&shares, source, 2).is_none());
        assert!(Shares::take(&shares, Source::of([127, 0, 0, 2].into()), 2).is_some());
        drop(held);
        assert!(shares.0.lock().unwrap().is_empty(), "nobody is remembered who has no connection");
        assert!(Shares::take(&shares, source, 2).is_some());
    }
}
