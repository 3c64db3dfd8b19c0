//! A witness over HTTP: add-checkpoint, and what it cosigned last (c2sp.org/tlog-witness).
//!
//! ```text
//! POST /add-checkpoint       200 the cosignature's line; 409 the size, text/x.tlog.size; 400, 403, 404, 422 a sentence
//! GET  /HEX/checkpoint       cosigned last; HEX is SHA-256(origin); 404 before the first time
//! ```
//!
//! Which refusal has which status is [`crate::witness::judge`]'s. A failure of the witness itself is 500, its reason in the
//! server's own log; 503 says to ask again.

use super::metrics::Metrics;
use super::problem::{BUSY, FAILED, NO_OBJECT, Problem};
use super::{body, health, problem, public};
use crate::store::dir::PublicDir;
use crate::witness::logs::{Logs, RenewError};
use crate::witness::request::REQUEST_MAX;
use crate::witness::{Cosigned, Kept, Refusal, Refused, Witness, WitnessError};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use utoipa::OpenApi;

/// The most requests that are judged, or wait for it, at once.
pub const AT_ONCE: usize = 256;

/// The media type of an answer that is a size.
const SIZE: &str = "text/x.tlog.size";

const TEXT: &str = "text/plain; charset=utf-8";

/// The time, in seconds since the Unix epoch.
pub type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

/// The description of what a witness answers.
#[derive(OpenApi)]
#[openapi(
    info(title = "Servanda witness", description = "Cosigns a log's checkpoint if it contains the one before: c2sp.org/tlog-witness."),
    paths(
        add_checkpoint,
        monitored,
        health::lives,
        health::readiness,
        health::counted,
        problem::describe,
    ),
    tags(
        (name = "witness", description = "c2sp.org/tlog-witness"),
        (name = "service", description = "About this server"),
    ),
)]
pub struct Cosigning;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Log {
    origin: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Evidence {
    kind: &'static str,
}

/// What a witness counts.
#[derive(Debug, Default)]
struct Counted {
    cosigned: Family<Log, Counter>,
    size: Family<Log, Gauge>,
    evidence: Family<Evidence, Counter>,
}

/// A witness at work.
pub struct Desk {
    witness: Witness,
    logs: RwLock<Arc<Logs>>,
    clock: Clock,
    room: Arc<Semaphore>,
    counted: Counted,
}

impl Desk {
    /// Puts a witness to work for these logs.
    #[must_use]
    pub fn new(witness: Witness, logs: Logs, clock: Clock, metrics: &Metrics) -> Self {
        let counted = Counted::default();
        metrics.register(|registry| {
            let about = "Checkpoints that were cosigned";
            registry.register("witness_cosigned", about, counted.cosigned.clone());
            let about = "The size that was cosigned last";
            registry.register("witness_size", about, counted.size.clone());
            let about = "Checkpoints that a log signed and that were refused as inconsistent";
            registry.register("witness_evidence", about, counted.evidence.clone());
        });
        let room = Arc::new(Semaphore::new(AT_ONCE));
        Self { witness, logs: RwLock::new(Arc::new(logs)), clock, room, counted }
    }

    /// The logs that it works for.
    #[must_use]
    pub fn logs(&self) -> Arc<Logs> {
        Arc::clone(&self.logs.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds the logs of a list; gives how many there are now.
    ///
    /// # Errors
    /// [`RenewError`]: then the logs are those of before.
    pub fn renew(&self, list: &Logs) -> Result<usize, RenewError> {
        let mut logs = self.logs.write().unwrap_or_else(PoisonError::into_inner);
        *logs = Arc::new(logs.renewed(list)?);
        Ok(logs.origins().count())
    }

    /// Whether what was cosigned can be read.
    ///
    /// # Errors
    /// Why not.
    pub fn ready(&self) -> Result<(), String> {
        let logs = self.logs();
        let Some(first) = logs.origins().next() else { return Err("no log is known".to_owned()) };
        self.witness.last(&logs, first).map(|_| ()).map_err(|error| error.to_string())
    }

    fn judge(&self, body: &[u8]) -> Result<Cosigned, Refused> {
        let judged = self.witness.add_checkpoint(&self.logs(), body, (self.clock)());
        match &judged {
            Ok(Cosigned { origin, size, .. }) => {
                let log = Log { origin: origin.clone() };
                self.counted.cosigned.get_or_create(&log).inc();
                self.counted.size.get_or_create(&log).set(i64::try_from(*size).unwrap_or(i64::MAX));
            }
            Err(Refused::Because { why, about: Some((origin, size)), kept }) => {
                if let Some(kind) = told(origin, *size, why, kept) {
                    self.counted.evidence.get_or_create(&Evidence { kind }).inc();
                }
            }
            Err(_) => {}
        }
        judged
    }
}

/// Tells the witness's operator what was kept of a refused checkpoint; gives its kind.
fn told(origin: &str, size: u64, why: &Refusal, kept: &Kept) -> Option<&'static str> {
    match kept {
        Kept::Nothing => None,
        Kept::Fork([one, other]) => {
            tracing::error!(origin, size, one, other, "the log signed two histories");
            Some("fork")
        }
        Kept::Unproven(name) => {
            tracing::warn!(origin, size, %why, name, "signed by the log, and not proven");
            Some("unproven")
        }
        Kept::Full => {
            tracing::error!(origin, size, %why, "inconsistent, and no room to keep it");
            Some("not_kept")
        }
        Kept::Failed(error) => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::error!(origin, size, %why, %error, cause, "inconsistent, and could not be kept");
            Some("not_kept")
        }
    }
}

/// The routes of a witness; `folder` is the public part of its state.
pub fn routes(desk: Arc<Desk>, folder: PublicDir) -> Router {
    let submission = Router::new().route("/add-checkpoint", post(add_checkpoint)).with_state(desk);
    let monitoring = Router::new().route("/{hash}/checkpoint", get(monitored)).with_state(Arc::new(folder));
    submission.merge(monitoring)
}

/// Asks for a cosignature.
#[utoipa::path(post, path = "/add-checkpoint", tag = "witness",
    request_body(content = String, content_type = "text/plain", description = "old size, consistency proof, checkpoint"),
    responses(
        (status = 200, description = "the cosignature, a line of a note", content_type = "text/plain"),
        (status = 400, description = "the request or the checkpoint is malformed, or old is greater than size"),
        (status = 403, description = "no key of the log signed, or a line under its name is bad"),
        (status = 404, description = "no log of this origin is known"),
        (status = 408, description = "the body did not come in time", content_type = "application/problem+json"),
        (status = 409, description = "old is not the size cosigned last, which is the body", content_type = "text/x.tlog.size"),
        (status = 413, description = "the body is too long", content_type = "application/problem+json"),
        (status = 422, description = "it does not contain what was cosigned last, or no proof shows it"),
        (status = 503, description = "too much to do", content_type = "application/problem+json"),
    ),
)]
async fn add_checkpoint(State(desk): State<Arc<Desk>>, body: Body) -> Response {
    let body: Bytes = match body::whole(body, REQUEST_MAX).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let Ok(permit) = Arc::clone(&desk.room).try_acquire_owned() else { return busy() };
    let judged = spawn_blocking(move || {
        let judged = desk.judge(&body);
        drop(permit);
        judged
    });
    match judged.await {
        Ok(judged) => answer(judged),
        Err(error) => {
            tracing::error!(%error, "judging a checkpoint broke off");
            Problem::new(&FAILED).into_response()
        }
    }
}

fn answer(judged: Result<Cosigned, Refused>) -> Response {
    let text = |status: u16, media: &'static str, body: String| {
        let status = StatusCode::from_u16(status).expect("a status");
        (status, [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, "no-store")], body).into_response()
    };
    match judged {
        Ok(Cosigned { line, .. }) => text(200, TEXT, line),
        Err(Refused::Because { why, .. }) => match *why {
            Refusal::Moved(size) => text(409, SIZE, format!("{size}\n")),
            why => text(why.status(), TEXT, format!("{why}\n")),
        },
        Err(Refused::Failed(WitnessError::Busy)) => busy(),
        Err(Refused::Failed(error)) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, "could not cosign");
            Problem::new(&FAILED).into_response()
        }
    }
}

fn busy() -> Response {
    Problem::new(&BUSY).retry_after(Duration::from_secs(1)).into_response()
}

/// What was cosigned last.
#[utoipa::path(get, path = "/{hash}/checkpoint", tag = "witness", params(
    ("hash" = String, Path, description = "SHA-256 of the log's origin, in lower-case hexadecimal"),
), responses(
    (status = 200, description = "a checkpoint with the log's lines and the witness's", content_type = "text/plain"),
    (status = 304, description = "it has the entity tag that was named"),
    (status = 404, description = "none was cosigned", content_type = "application/problem+json"),
))]
async fn monitored(
    State(folder): State<Arc<PublicDir>>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Response {
    let is_hash = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hash {
        return Problem::new(&NO_OBJECT).into_response();
    }
    public::text(folder, format!("{hash}/checkpoint"), headers).await
}
