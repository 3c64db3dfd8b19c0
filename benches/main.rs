//! How fast Servanda is, each figure beside its floor: the same cryptographic calls on the same bytes, alone, on as many
//! threads, in the same run.
//!
//! ```text
//! cargo bench                      everything, over a log of 1,000,000 entries by 30 authors
//! cargo bench -- verify quick      these parts alone
//! SERVANDA_BENCH_ENTRIES=100000    a smaller log
//! ```
//!
//! The log is made once, by the door that every statement goes through, and kept under the target directory. Ratios are
//! taken between runs in turn, the better half of each, since other work on the machine only ever makes a run slower.
//! `docs/performance.md` has figures and what they mean.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]
#![allow(missing_docs, clippy::cast_precision_loss, reason = "figures are rounded anyway")]

mod acts;
mod audit;
mod door;
mod made;
#[cfg(feature = "net")]
mod online;
mod reading;
#[cfg(feature = "net")]
mod serve;
mod signatures;
#[cfg(feature = "net")]
mod tiles;
#[cfg(feature = "net")]
mod watch;

/// Folders with keys and a log, and the binary run there.
#[path = "../tests/support/office.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod office;

use std::time::{Duration, Instant};

type Part = (&'static str, fn());

const PARTS: &[Part] = &[
    ("signatures", signatures::by_tables),
    ("verify", audit::full),
    ("quick", audit::quick),
    ("ledger", audit::ledger),
    ("memory", audit::memory),
    ("import", door::import),
    ("one", door::one_statement),
    ("read", reading::proofs_and_start),
    #[cfg(feature = "net")]
    ("serve", serve::submissions),
    #[cfg(feature = "net")]
    ("writer", serve::writer),
    #[cfg(feature = "net")]
    ("alerts", watch::alerts),
    #[cfg(feature = "net")]
    ("catch-up", watch::catch_up),
    #[cfg(feature = "net")]
    ("tiles", tiles::tiles),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for &(name, part) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            println!("\n== {name}");
            part();
        }
    }
}

/// Runs the two in turn; gives the median of the better half of each, in seconds.
fn in_turn<A, B>(times: usize, mut ours: impl FnMut() -> A, mut floor: impl FnMut() -> B) -> (f64, f64) {
    let mut taken: (Vec<Duration>, Vec<Duration>) = (Vec::new(), Vec::new());
    for _ in 0..times {
        taken.0.push(timed(&mut ours));
        taken.1.push(timed(&mut floor));
    }
    (better(taken.0), better(taken.1))
}

fn timed<A>(work: &mut impl FnMut() -> A) -> Duration {
    let started = Instant::now();
    std::hint::black_box(work());
    started.elapsed()
}

fn better(mut taken: Vec<Duration>) -> f64 {
    taken.sort_unstable();
    taken[taken.len() / 4].as_secs_f64()
}

/// Runs work on so many threads.
fn on<A: Send>(threads: usize, work: impl FnOnce() -> A + Send) -> A {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// Prints a line: what, entries and bytes a second, and the ratio to the floor.
fn line(what: &str, entries: u64, bytes: u64, seconds: f64, floor: f64) {
    let (entries, mib) = (entries as f64, bytes as f64 / f64::from(1 << 20));
    println!(
        "{what:<28} {:>10.0} entries/s {:>8.1} MiB/s   floor {:>10.0} entries/s   {:.2} of it",
        entries / seconds,
        mib / seconds,
        entries / floor,
        floor / seconds
    );
}
