//! What refusals look like: problem documents (RFC 9457), each of a kind that is described at `/problems/NAME`.
//!
//! ```text
//! {"type": "/problems/no-object", "title": "There is no such object", "status": 404, "detail": "tile/0/007"}
//! ```
//!
//! A kind and its status belong together, and never change. Members beyond these are added by whoever refuses.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value};
use std::time::Duration;

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name, the last part of its type.
    pub name: &'static str,
    /// The status that goes with it.
    pub status: StatusCode,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What it means, and what to do.
    pub about: &'static str,
}

/// Nothing is served under this path.
pub const NO_PATH: Kind = Kind {
    name: "no-path",
    status: StatusCode::NOT_FOUND,
    title: "Nothing is served under this path",
    about: "The paths are those of c2sp.org/tlog-tiles and of /openapi.json.",
};

/// The path is in order, and the object is not there.
pub const NO_OBJECT: Kind = Kind {
    name: "no-object",
    status: StatusCode::NOT_FOUND,
    title: "There is no such object",
    about: "A partial tile is deleted once the full one is there: ask for that. An object that a checkpoint commits to, and \
            that is not there, is held against the log by whoever verifies it.",
};

/// Another method is used than the path has.
pub const METHOD: Kind = Kind {
    name: "method",
    status: StatusCode::METHOD_NOT_ALLOWED,
    title: "This path has other methods",
    about: "See the header Allow.",
};

/// Someone asks too often.
pub const TOO_OFTEN: Kind = Kind {
    name: "too-often",
    status: StatusCode::TOO_MANY_REQUESTS,
    title: "Too many requests",
    about: "Wait for as many seconds as the header Retry-After says.",
};

/// The request's body is too long.
pub const TOO_LONG: Kind = Kind {
    name: "too-long",
    status: StatusCode::PAYLOAD_TOO_LARGE,
    title: "The body is too long",
    about: "No statement or checkpoint is as long as this.",
};

/// The request's body did not come, or not in time.
pub const NO_BODY: Kind = Kind {
    name: "no-body",
    status: StatusCode::REQUEST_TIMEOUT,
    title: "The body did not come in time",
    about: "Send it again.",
};

/// There is no answer in time.
pub const BUSY: Kind = Kind {
    name: "busy",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "The server has too much to do",
    about: "Send the same again after as many seconds as the header Retry-After says. The same statement goes in once.",
};

/// The server cannot do its work.
pub const FAILED: Kind = Kind {
    name: "failed",
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "The server cannot read what it serves",
    about: "Its operator finds the reason in its own log.",
};

/// All kinds.
pub const ALL: [&Kind; 8] = [&NO_PATH, &NO_OBJECT, &METHOD, &TOO_OFTEN, &TOO_LONG, &NO_BODY, &BUSY, &FAILED];

/// A refusal.
#[derive(Debug)]
pub struct Problem {
    kind: &'static Kind,
    detail: Option<String>,
    retry_after: Option<Duration>,
    more: Map<String, Value>,
}

impl Problem {
    /// A problem of a kind.
    #[must_use]
    pub fn new(kind: &'static Kind) -> Self {
        Self { kind, detail: None, retry_after: None, more: Map::new() }
    }

    /// Says what is wrong in this case.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Says how long to wait.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut all = Map::new();
        all.insert("type".to_owned(), format!("/problems/{}", self.kind.name).into());
        all.insert("title".to_owned(), self.kind.title.into());
        all.insert("status".to_owned(), self.kind.status.as_u16().into());
        all.extend(self.detail.map(|detail| ("detail".to_owned(), detail.into())));
        all.extend(self.more);
        let headers = [(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")];
        let mut response = (self.kind.status, headers, Value::Object(all).to_string()).into_response();
        if let Some(wait) = self.retry_after {
            // Whole seconds, and never too few.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The pages that say what each kind means.
pub fn routes() -> Router {
    Router::new().route("/problems/{name}", get(describe))
}

/// Says what a kind of problem means.
#[utoipa::path(get, path = "/problems/{name}", tag = "service", responses(
    (status = 200, description = "what a problem of this kind means", content_type = "text/plain"),
    (status = 404, description = "there is no such kind"),
))]
pub(super) async fn describe(Path(name): Path<String>) -> Result<String, Problem> {
    let kind = ALL.iter().find(|kind| kind.name == name).ok_or_else(|| Problem::new(&NO_PATH))?;
    Ok(format!("{} ({})\n\n{}\n", kind.title, kind.status.as_u16(), kind.about))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_its_type_status_and_more() {
        let wait = Duration::from_millis(1001);
        let response = Problem::new(&TOO_OFTEN)
            .detail("200 a second")
            .retry_after(wait)
            .with("rule", "R7")
            .into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let body = runtime.block_on(axum::body::to_bytes(response.into_body(), 999)).unwrap();
        let want = r#"{"type":"/problems/too-often","title":"Too many requests","status":429,"detail":"200 a second","rule":"R7"}"#;
        assert_eq!(body, want);
    }

    #[test]
    fn names_are_words_and_each_is_there_once() {
        for (at, kind) in ALL.iter().enumerate() {
            assert!(kind.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", kind.name);
            assert!(ALL[..at].iter().all(|before| before.name != kind.name), "{}", kind.name);
            assert!(kind.status.is_client_error() || kind.status.is_server_error());
        }
    }
}
