//! Questions to the ledger, as JSON; and entries, committed or published.

use super::problem::{FAILED, NO_QUESTION, NOT_THERE, Problem};
use super::progress::Progress;
use super::teller::{Ask, Asking, Filtered};
use crate::client::{Client, ReadError};
use crate::entry::SignedEntry;
use crate::ledger::answers;
use crate::store::Read;
use crate::text::decimal_u64;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// `/status`, `/pledges`, `/pledges/ID`, `/incidents`, `/agenda`, `/roster`.
pub fn routes(asking: Asking) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/pledges", get(pledges))
        .route("/pledges/{id}", get(pledge))
        .route("/incidents", get(incidents))
        .route("/agenda", get(agenda))
        .route("/roster", get(roster))
        .with_state(asking)
}

/// `/entries/INDEX`.
pub fn entries(store: Arc<dyn Read>, progress: Progress) -> Router {
    Router::new().route("/entries/{index}", get(entry)).with_state((store, progress))
}

fn answered(answer: Value) -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], Json(answer)).into_response()
}

/// A question that is put in a way that nobody understands.
fn misput(rejection: QueryRejection) -> Problem {
    Problem::new(&NO_QUESTION).detail(rejection.body_text())
}

type Put<T> = Result<Query<T>, QueryRejection>;

/// Says how things stand.
#[utoipa::path(get, path = "/status", tag = "ledger", params(
    ("partner" = Option<String>, Query, description = "only what this partner owes"),
    ("to" = Option<String>, Query, description = "only what is owed to this partner"),
    ("instrument" = Option<String>, Query, description = "only by this means"),
    ("state" = Option<String>, Query, description = "only pledges that stand so"),
    ("verdict" = Option<String>, Query, description = "only obligations of which this became"),
), responses(
    (status = 200, description = "as `servanda status --json`, unverified", content_type = "application/json"),
    (status = 400, description = "not understood", content_type = "application/problem+json"),
    (status = 503, description = "too many questions", content_type = "application/problem+json"),
))]
pub(super) async fn status(State(asking): State<Asking>, query: Put<Filtered>) -> Result<Response, Problem> {
    Ok(answered(asking.ask(Ask::Status(query.map_err(misput)?.0)).await?))
}

/// Lists pledges and records as they stand.
#[utoipa::path(get, path = "/pledges", tag = "ledger", params(
    ("partner" = Option<String>, Query, description = "only what this partner owes"),
    ("to" = Option<String>, Query, description = "only what is owed to this partner"),
    ("instrument" = Option<String>, Query, description = "only by this means"),
    ("state" = Option<String>, Query, description = "only pledges that stand so"),
), responses(
    (status = 200, description = "pledges, and what was recorded", content_type = "application/json"),
    (status = 400, description = "not understood", content_type = "application/problem+json"),
    (status = 503, description = "too many questions", content_type = "application/problem+json"),
))]
pub(super) async fn pledges(State(asking): State<Asking>, query: Put<Filtered>) -> Result<Response, Problem> {
    Ok(answered(asking.ask(Ask::Pledges(query.map_err(misput)?.0)).await?))
}

/// Tells one pledge, and what is owed under it.
#[utoipa::path(get, path = "/pledges/{id}", tag = "ledger", params(
    ("id" = String, Path, description = "its id, or the first digits; an amendment's or a join's will do"),
), responses(
    (status = 200, description = "how it stands, and what is owed under it", content_type = "application/json"),
    (status = 404, description = "no pledge, or more than one, is called so", content_type = "application/problem+json"),
    (status = 503, description = "too many questions", content_type = "application/problem+json"),
))]
pub(super) async fn pledge(
    State(asking): State<Asking>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(answered(asking.ask(Ask::Pledge(id)).await?))
}

/// Lists incidents as each observer reported them.
#[utoipa::path(get, path = "/incidents", tag = "ledger", responses(
    (status = 200, description = "as `servanda incidents --json`, unverified", content_type = "application/json"),
    (status = 503, description = "too many questions", content_type = "application/problem+json"),
))]
pub(super) async fn incidents(State(asking): State<Asking>) -> Result<Response, Problem> {
    Ok(answered(asking.ask(Ask::Incidents).await?))
}

/// Until when.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Until {
    until: Option<String>,
}

/// Lists what falls due, and what waits for somebody's word.
#[utoipa::path(get, path = "/agenda", tag = "ledger", params(
    ("until" = Option<String>, Query, description = "a day or a moment; 90 days ahead where it is left out"),
), responses(
    (status = 200, description = "as `servanda agenda --json`, unverified", content_type = "application/json"),
    (status = 400, description = "not understood", content_type = "application/problem+json"),
    (status = 503, description = "too many questions", content_type = "application/problem+json"),
))]
pub(super) async fn agenda(State(asking): State<Asking>, query: Put<Until>) -> Result<Response, Problem> {
    Ok(answered(asking.ask(Ask::Agenda(query.map_err(misput)?.0.until)).await?))
}

/// Tells whose keys counted when.
#[utoipa::path(get, path = "/roster", tag = "ledger", responses(
    (status = 200, description = "as `servanda roster --json`, unverified", content_type = "application/json"),
    (status = 503, description = "too many questions", content_type = "application/problem+json"),
))]
pub(super) async fn roster(State(asking): State<Asking>) -> Result<Response, Problem> {
    Ok(answered(asking.ask(Ask::Roster).await?))
}

/// Tells an entry, published or promised.
#[utoipa::path(get, path = "/entries/{index}", tag = "ledger", params(
    ("index" = u64, Path, description = "its index"),
), responses(
    (status = 200, description = "all that it says; `published` tells whether the checkpoint is over it", content_type = "application/json"),
    (status = 404, description = "there is no such entry", content_type = "application/problem+json"),
))]
pub(super) async fn entry(
    State((store, progress)): State<(Arc<dyn Read>, Progress)>,
    Path(index): Path<String>,
) -> Result<Response, Problem> {
    let no = || Problem::new(&NOT_THERE).detail("want the index of an entry");
    let index = decimal_u64(&index).ok_or_else(no)?;
    let reached = progress.reached();
    if index >= reached.size {
        return Err(no());
    }
    let read = spawn_blocking(move || Client::open(&store, reached.size, reached.root)?.entry(index)).await;
    let bytes: Result<Vec<u8>, ReadError> = read.map_err(|_| Problem::new(&FAILED))?;
    let bytes = bytes.map_err(|error| {
        tracing::error!(%error, index, "could not read an entry");
        Problem::new(&FAILED)
    })?;
    let mut said = match SignedEntry::decode(&bytes) {
        Ok(e) => answers::entry(&e),
        Err(error) => json!({"index": index, "undecodable": error.to_string(), "bytes": hex::encode(&bytes)}),
    };
    let fields = said.as_object_mut().expect("an object");
    fields.insert("published".to_owned(), json!(index < reached.published));
    Ok(answered(said))
}
