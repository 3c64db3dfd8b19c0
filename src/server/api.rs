//! What a server answers, described for programs: `/openapi.json`, made from the same code that answers.

use super::{health, problem, public};
use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

/// The description of what any server of a log's public part answers.
#[derive(OpenApi)]
#[openapi(
    info(title = "Servanda", description = "A verifiable log of commitments. Nothing that is read here needs to be believed."),
    paths(
        public::checkpoint,
        public::charter,
        public::tile,
        health::lives,
        health::readiness,
        health::counted,
        problem::describe,
    ),
    tags(
        (name = "log", description = "The log itself, c2sp.org/tlog-tiles"),
        (name = "service", description = "About this server"),
    ),
)]
pub struct Reading;

/// The document of all that a server answers.
pub fn routes(document: Document) -> Router {
    Router::new().route("/openapi.json", get(|| async move { Json(document) }))
}
