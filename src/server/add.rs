//! `POST /add`: a signed statement goes in, its proof comes back; `GET /promised/INDEX`.
//!
//! ```text
//! POST /add                  an armoured statement     200 its proof (c2sp.org/tlog-proof), once it is published
//! POST /add?wait=durable                               202 the operator's promise, as soon as it is durable
//! ```
//!
//! Whoever waits for a proof has the promise after [`PATIENCE`]. The same statement sent again is answered with what there is by
//! then, at the same index. The statement's signatures are all the authentication there is.

use super::body;
use super::door::{Answer, Door, Refusal, Until};
use super::problem::{BUSY, NO_QUESTION, NO_STATEMENT, NOT_THERE, Problem};
use crate::armor::File;
use crate::draft::Draft;
use crate::text::decimal_u64;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::time::Duration;
use tokio::time::timeout;

/// The longest armoured statement that is read, in bytes: the longest statement, its signatures and the key set that its draft
/// carries, in base64.
pub const MAX_BODY: usize = 128 << 10;

/// How long a proof is waited for.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long the writer may take to say what is durable.
const WRITERS_PATIENCE: Duration = Duration::from_secs(10);

const TEXT: &str = "text/plain; charset=utf-8";

/// `/add`, `/promised/INDEX`.
pub fn routes(door: Door) -> Router {
    Router::new().route("/add", post(add)).route("/promised/{index}", get(promised)).with_state(door)
}

/// Takes a signed statement.
#[utoipa::path(post, path = "/add", tag = "statements", params(
    ("wait" = Option<String>, Query, description = "`durable`: do not wait until it is published"),
), request_body(content = String, content_type = "text/plain", description = "an armoured statement, signed"), responses(
    (status = 200, description = "published: its proof, c2sp.org/tlog-proof", content_type = "text/plain"),
    (status = 202, description = "durable: the operator's promise, armoured", content_type = "text/plain"),
    (status = 400, description = "no signed statement", content_type = "application/problem+json"),
    (status = 409, description = "drafted on another state of its author's chain", content_type = "application/problem+json"),
    (status = 410, description = "the operator was replaced, by `successor`", content_type = "application/problem+json"),
    (status = 413, description = "too long", content_type = "application/problem+json"),
    (status = 422, description = "refused by a rule: `rule`, `findings`", content_type = "application/problem+json"),
    (status = 429, description = "too many requests, or statements of this partner", content_type = "application/problem+json"),
    (status = 503, description = "the queue is full, or nothing is written: send the same again", content_type = "application/problem+json"),
    (status = 507, description = "no room", content_type = "application/problem+json"),
))]
pub(super) async fn add(
    State(door): State<Door>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, Problem> {
    let until = match query.as_deref() {
        None | Some("") => Until::Published,
        Some("wait=durable") => Until::Durable,
        Some(_) => return Err(Problem::new(&NO_QUESTION).detail("want no question, or ?wait=durable")),
    };
    let text = body::whole(body, MAX_BODY).await?;
    let draft = read(&text)?;
    let answered = door.submit(draft.statement.to_vec(), draft.signatures.to_vec(), until)?;
    if until == Until::Durable {
        return promise(answered).await;
    }
    if let Ok(answer) = timeout(PATIENCE, answered).await {
        return Ok(given(answer.map_err(|_| Refusal::Ended)??));
    }
    // It is durable by now, or the writer does not get on: the same once more, for what there is.
    promise(door.submit(draft.statement.0, draft.signatures.0, Until::Durable)?).await
}

type Answered = tokio::sync::oneshot::Receiver<Result<Answer, Refusal>>;

async fn promise(answered: Answered) -> Result<Response, Problem> {
    match timeout(WRITERS_PATIENCE, answered).await {
        Ok(answer) => Ok(given(answer.map_err(|_| Refusal::Ended)??)),
        Err(_) => Err(Problem::new(&BUSY).retry_after(Duration::from_secs(1))),
    }
}

fn given(answer: Answer) -> Response {
    let (status, text) = match answer {
        Answer::Proof(proof) => (StatusCode::OK, proof),
        Answer::Promise(promise) => (StatusCode::ACCEPTED, promise),
    };
    (status, [(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

/// Reads a statement that can go in.
fn read(text: &[u8]) -> Result<Draft, Problem> {
    let no_statement = |why: String| Problem::new(&NO_STATEMENT).detail(why);
    let draft: Draft = File::Statement.read(text).map_err(|error| no_statement(error.to_string()))?;
    draft.statement().map_err(|error| no_statement(error.to_string()))?;
    if !draft.openings.is_empty() {
        let why =
            "it carries what opens sealed values, which is for nobody here: they are no secret any more";
        return Err(no_statement(why.to_owned()));
    }
    if draft.signatures.is_empty() {
        return Err(no_statement("nobody has signed it".to_owned()));
    }
    Ok(draft)
}

/// Gives the promise of an entry beyond the checkpoint.
#[utoipa::path(get, path = "/promised/{index}", tag = "statements", params(
    ("index" = u64, Path, description = "the entry's index"),
), responses(
    (status = 200, description = "the operator's promise, armoured, with the entry in it", content_type = "text/plain"),
    (status = 404, description = "it is published, or not in the log", content_type = "application/problem+json"),
    (status = 503, description = "nothing is written", content_type = "application/problem+json"),
))]
pub(super) async fn promised(
    State(door): State<Door>,
    Path(index): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let index =
        decimal_u64(&index).ok_or_else(|| Problem::new(&NOT_THERE).detail("want an index in decimal"))?;
    let promise = timeout(WRITERS_PATIENCE, door.promise(index)).await;
    let promise = promise.map_err(|_| Problem::new(&BUSY).retry_after(Duration::from_secs(1)))??;
    Ok(([(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, "no-store")], promise))
}
