//! What is counted and measured, for Prometheus: names begin with `servanda_`.
//!
//! Labels have few values: the path as it was routed, never as it was asked, and the status.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

/// The media type of the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a request was about, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Answered {
    /// The path as it was routed.
    pub path: String,
    /// The status.
    pub status: u32,
}

/// What a request was about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Asked {
    /// The path as it was routed.
    pub path: String,
}

/// What every server counts; whoever runs one registers more.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    /// Connections that are open.
    pub connections: Gauge,
    /// Connections that were closed at once, since their source had its share.
    pub turned_away: Counter,
    /// Requests that were answered.
    pub requests: Family<Answered, Counter>,
    /// Seconds until the head of an answer.
    pub seconds: Family<Asked, Histogram, fn() -> Histogram>,
}

/// A histogram of times, from 50 microseconds to 13 seconds.
#[must_use]
pub fn times() -> Histogram {
    Histogram::new(exponential_buckets(0.000_05, 2.0, 19))
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("servanda")),
            connections: Gauge::default(),
            turned_away: Counter::default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(times as fn() -> Histogram),
        };
        metrics.register(|registry| {
            registry.register("connections", "Connections that are open", metrics.connections.clone());
            let about = "Connections that were closed at once, since their source had its share";
            registry.register("connections_turned_away", about, metrics.turned_away.clone());
            registry.register("requests", "Requests that were answered", metrics.requests.clone());
            let about = "Seconds until the head of an answer";
            registry.register("request_seconds", about, metrics.seconds.clone());
        });
        metrics
    }
}

impl Metrics {
    /// Lets someone register more.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().expect("nothing panics while it holds this"));
    }

    /// Counts an answer.
    pub fn answered(&self, path: &str, status: u16, took: Duration) {
        let path = path.to_owned();
        self.requests.get_or_create(&Answered { path: path.clone(), status: status.into() }).inc();
        self.seconds.get_or_create(&Asked { path }).observe(took.as_secs_f64());
    }
}

/// All of it, in the text form of OpenMetrics.
impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encode(f, &self.registry.lock().expect("nothing panics while it holds this"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told() {
        let metrics = Metrics::default();
        metrics.connections.inc();
        metrics.answered("/checkpoint", 200, Duration::from_millis(3));
        metrics.answered("/checkpoint", 200, Duration::from_millis(3));
        let text = metrics.to_string();
        for line in [
            "servanda_connections 1",
            "servanda_requests_total{path=\"/checkpoint\",status=\"200\"} 2",
            "servanda_request_seconds_count{path=\"/checkpoint\"} 2",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
