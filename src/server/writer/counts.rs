//! What the writer counts and measures: each of three states with its latency from a statement's arrival.
//!
//! | state | from when on | what the author holds |
//! | --- | --- | --- |
//! | durable | the commit record was swapped | a promise, if asked for |
//! | published | a checkpoint over it stands in `public/` | a proof |
//! | cosigned | that checkpoint satisfies the log's quorum; with `quorum none` never | the same proof |

use crate::server::metrics::{Metrics, times};
use crate::server::progress::Reached;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use std::time::Instant;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// A state that a statement comes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Came {
    Durable,
    Published,
    Cosigned,
}

/// What is counted.
pub(super) struct Counts {
    seconds: Family<State, Histogram, fn() -> Histogram>,
    submissions: Family<Outcome, Counter>,
    pub(super) rounds: Counter,
    pub(super) failures: Counter,
    entries: Gauge,
    published: Gauge,
}

impl Counts {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let counts = Self {
            seconds: Family::new_with_constructor(times as fn() -> Histogram),
            submissions: Family::default(),
            rounds: Counter::default(),
            failures: Counter::default(),
            entries: Gauge::default(),
            published: Gauge::default(),
        };
        metrics.register(|registry| {
            let about = "Seconds from a statement's arrival until it was durable, published, cosigned";
            registry.register("statement_seconds", about, counts.seconds.clone());
            registry.register("submissions", "Statements by what came of them", counts.submissions.clone());
            registry.register("rounds", "Rounds that were committed", counts.rounds.clone());
            registry.register("writer_failures", "Failures of the writer", counts.failures.clone());
            registry.register("entries", "Entries that are durable", counts.entries.clone());
            let about = "Entries under the published checkpoint";
            registry.register("entries_published", about, counts.published.clone());
        });
        // Each is there from the start, so that a first one can be noticed.
        for came in [Came::Durable, Came::Published, Came::Cosigned] {
            drop(counts.seconds.get_or_create(&State { state: came.word() }));
        }
        counts
    }

    /// A statement that arrived then came to a state now.
    pub(super) fn came(&self, came: Came, arrived: Instant) {
        let taken = arrived.elapsed().as_secs_f64();
        self.seconds.get_or_create(&State { state: came.word() }).observe(taken);
    }

    /// Counts a submission: `new`, `known`, `refused`, `failed`.
    pub(super) fn submission(&self, outcome: &'static str) {
        self.submissions.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn reached(&self, reached: Reached) {
        let gauge = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.entries.set(gauge(reached.size));
        self.published.set(gauge(reached.published));
    }
}

impl Came {
    fn word(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Published => "published",
            Self::Cosigned => "cosigned",
        }
    }
}
