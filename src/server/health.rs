//! Whether a server lives, whether it does its work, and what it has counted.

use super::metrics::{MEDIA_TYPE, Metrics};
use super::problem::{BUSY, Problem};
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;

/// Tells whether the work is done, or what keeps it from being done; asked often, so it must be cheap.
pub type Ready = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// `/healthz`, `/readyz`, `/metrics`.
pub fn routes(metrics: Arc<Metrics>, ready: Ready) -> Router {
    let counted = Router::new().route("/metrics", get(counted)).with_state(metrics);
    let ready = Router::new().route("/readyz", get(readiness)).with_state(ready);
    Router::new().route("/healthz", get(lives)).merge(counted).merge(ready)
}

/// Lives.
#[utoipa::path(get, path = "/healthz", tag = "service", responses(
    (status = 200, description = "the server lives", content_type = "text/plain"),
))]
pub(super) async fn lives() -> &'static str {
    "ok\n"
}

/// Does its work.
#[utoipa::path(get, path = "/readyz", tag = "service", responses(
    (status = 200, description = "the server does its work", content_type = "text/plain"),
    (status = 503, description = "it does not, for the reason in `detail`", content_type = "application/problem+json"),
))]
pub(super) async fn readiness(State(ready): State<Ready>) -> Result<&'static str, Problem> {
    match ready() {
        Ok(()) => Ok("ok\n"),
        Err(why) => Err(Problem::new(&BUSY).detail(why).retry_after(Duration::from_secs(1))),
    }
}

/// What was counted.
#[utoipa::path(get, path = "/metrics", tag = "service", responses(
    (status = 200, description = "what was counted and measured", content_type = "application/openmetrics-text"),
))]
pub(super) async fn counted(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")], metrics.to_string())
}
