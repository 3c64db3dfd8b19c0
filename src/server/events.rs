//! `GET /events`: server-sent events, from a place in the journal on.
//!
//! ```text
//! id: 18c4f0a2b31-17
//! event: called_upon
//! data: {"key":"called_upon:…","index":12,"at":"2026-12-01T12:00:00Z","exercise":false,"state":"published",…}
//! ```
//!
//! Whoever names no place hears what comes from now on; `Last-Event-ID: JOURNAL-0` asks for all there is. Whoever asks from a
//! place that is gone gets `reset`, from which to go on, and reads the log. A listener has a place and no queue, so a slow one
//! costs a socket. Nobody is to believe an event: it says when to look.

use super::journal::{Event, Events, Gone};
use super::problem::{BUSY, Problem};
use super::teller::Asking;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use prometheus_client::metrics::gauge::Gauge;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;

/// The most listeners at once.
pub const MAX_LISTENERS: usize = 4096;

/// How long nothing is said before a comment is, so that whatever is between does not close the connection.
const SILENCE: Duration = Duration::from_secs(15);

/// How many events are given out at once.
const AT_ONCE: usize = 64;

/// The longest place that is read, in bytes.
const MAX_PLACE: usize = 64;

#[derive(Clone)]
pub(super) struct Listening {
    asking: Asking,
    places: Arc<Semaphore>,
    listeners: Gauge,
    stop: CancellationToken,
}

/// `/events`, until the server ends.
pub fn routes(asking: Asking, metrics: &Metrics, stop: CancellationToken) -> Router {
    let listeners = Gauge::default();
    metrics.register(|registry| {
        registry.register("listeners", "Those who listen to events", listeners.clone());
    });
    let places = Arc::new(Semaphore::new(MAX_LISTENERS));
    Router::new().route("/events", get(events)).with_state(Listening { asking, places, listeners, stop })
}

/// Tells what happens as it happens.
#[utoipa::path(get, path = "/events", tag = "ledger", params(
    ("Last-Event-ID" = Option<String>, Header, description = "the id of the last event that was received"),
), responses(
    (status = 200, description = "server-sent events", content_type = "text/event-stream"),
    (status = 503, description = "too many listen", content_type = "application/problem+json"),
))]
pub(super) async fn events(
    State(listening): State<Listening>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Listening { asking, places, listeners, stop } = listening;
    let place = places.try_acquire_owned().map_err(|_| {
        Problem::new(&BUSY).detail(format!("{MAX_LISTENERS} listen already")).retry_after(SILENCE)
    })?;
    let events = Arc::clone(asking.events());
    let asked = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let last = events.last();
    let now = *last.borrow();
    let from = asked.map_or(Ok(now), |asked| number(&events, asked));
    listeners.inc();
    let listener =
        Listener { events, last, stop, from, said: None, counted: Counted(listeners), _place: place };
    let body = Body::from_stream(stream::unfold(listener, |mut listener| async move {
        let bytes = listener.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), listener))
    }));
    let head = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((head, [("x-accel-buffering", "no")], body).into_response())
}

/// The number in an id of this journal.
fn number(events: &Events, id: &str) -> Result<u64, Gone> {
    let (name, number) = id.split_once('-').filter(|_| id.len() <= MAX_PLACE).ok_or(Gone)?;
    let number = crate::text::decimal_u64(number).ok_or(Gone)?;
    if name == events.name() { events.after(number, 0).map(|_| number) } else { Err(Gone) }
}

/// Counts one who listens, for as long as it does.
struct Counted(Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

struct Listener {
    events: Arc<Events>,
    last: watch::Receiver<u64>,
    stop: CancellationToken,
    /// The last number that was given out.
    from: Result<u64, Gone>,
    /// Whether the first words were said.
    said: Option<()>,
    #[allow(dead_code, reason = "dropped with the listener")]
    counted: Counted,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    async fn next(&mut self) -> Option<Bytes> {
        if self.said.replace(()).is_none() && self.from.is_ok() {
            // So that the head of the answer goes out at once, and a place is known before anything happens.
            let from = self.from.unwrap_or_default();
            return Some(format!("id: {}-{from}\n\n", self.events.name()).into());
        }
        loop {
            let now = *self.last.borrow_and_update();
            match self.from.and_then(|from| Ok((from, self.events.after(from, AT_ONCE)?))) {
                Err(Gone) => {
                    self.from = Ok(now);
                    let id = format!("{}-{now}", self.events.name());
                    let data = r#"{"key":"reset","index":null,"exercise":false}"#;
                    return Some(format!("id: {id}\nevent: reset\ndata: {data}\n\n").into());
                }
                Ok((_, new)) if !new.is_empty() => {
                    self.from = Ok(new.last().map_or(now, |event| event.number));
                    return Some(
                        new.iter().map(|event| text(self.events.name(), event)).collect::<String>().into(),
                    );
                }
                Ok(_) => {}
            }
            let changed = tokio::select! {
                () = self.stop.cancelled() => return None,
                changed = timeout(SILENCE, self.last.changed()) => changed,
            };
            match changed {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }
}

fn text(journal: &str, Event { number, name, data }: &Event) -> String {
    format!("id: {journal}-{number}\nevent: {name}\ndata: {data}\n\n")
}
