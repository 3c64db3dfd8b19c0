//! What stands before all routes: how often someone may ask, how long an answer may take, who may read it in a browser, and
//! a line in the server's own log for each request.

use super::listen::Peer;
use super::metrics::Metrics;
use super::problem::{BUSY, METHOD, NO_PATH, Problem, TOO_OFTEN};
use super::rates::{Rate, Rates, Source};
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How often one source ([`Source`]) may ask: as often as it takes to read a long log in one go.
pub const RATE: Rate = Rate { burst: 4000, per_second: 2000 };

/// How many sources are remembered.
pub const SOURCES: usize = 65_536;

/// How long the head of an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The longest path that is written to the server's log, in bytes.
const MAX_LOGGED: usize = 200;

/// What scripts of any site may do here: all that anyone may do without them.
const CORS: [(header::HeaderName, &str); 5] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, OPTIONS"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type, If-None-Match, If-Range, Last-Event-ID, Range"),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Content-Range, ETag, Retry-After"),
    (header::ACCESS_CONTROL_MAX_AGE, "86400"),
];

/// What stands before the routes of a server.
#[derive(Debug)]
pub struct Front {
    metrics: Arc<Metrics>,
    rates: Option<Rates<Source>>,
    patience: Duration,
}

impl Front {
    /// Lets each source ask at a rate; none: as often as it likes.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, rate: Option<Rate>) -> Self {
        Self { metrics, rates: rate.map(|rate| Rates::new(rate, SOURCES)), patience: PATIENCE }
    }

    /// Puts it before routes; what none of them is for is refused.
    pub fn before(self, routes: Router) -> Router {
        let routes = routes.fallback(no_path).method_not_allowed_fallback(no_method);
        routes.layer(from_fn_with_state(Arc::new(self), pass))
    }

    async fn answer(&self, request: Request, next: Next) -> Response {
        let peer = request.extensions().get::<Peer>();
        if let (Some(Peer(address)), Some(rates)) = (peer, &self.rates)
            && let Err(wait) = rates.take(&Source::of(address.ip()), Instant::now())
        {
            let Rate { burst, per_second } = rates.rate();
            let detail = format!("{per_second} a second, {burst} at once");
            return Problem::new(&TOO_OFTEN).detail(detail).retry_after(wait).into_response();
        }
        if request.method() == Method::OPTIONS {
            return StatusCode::NO_CONTENT.into_response();
        }
        match timeout(self.patience, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::new(&BUSY).retry_after(Duration::from_secs(1)).into_response(),
        }
    }
}

async fn pass(State(front): State<Arc<Front>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = matched.unwrap_or_else(|| "none".to_owned());
    let peer = request.extensions().get::<Peer>().map(|Peer(address)| *address);
    let method = request.method().clone();
    // A path is visible ASCII, or it would not have come this far.
    let mut path = request.uri().path().to_owned();
    path.truncate(MAX_LOGGED);
    let mut response = front.answer(request, next).await;
    for (name, value) in CORS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    front.metrics.answered(&route, status, took);
    let length = response.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let peer = peer.map(|peer| peer.to_string());
    tracing::info!(target: "servanda::request", %method, path, status, length, us, peer, "answered");
    response
}

async fn no_path() -> Problem {
    Problem::new(&NO_PATH)
}

async fn no_method() -> Problem {
    Problem::new(&METHOD)
}
