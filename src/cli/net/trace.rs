//! A server's own log: to standard error, a line for each request and for what goes wrong.

use crate::cli::problem::Hint as _;
use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::io::{IsTerminal as _, stderr};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

/// What is written, where nothing is said: requests, and what goes wrong.
const USUAL: &str = "servanda=info";

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// What a server writes about its work.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct TraceArgs {
    /// What to write: error, warn, info, debug, off, or by part, e.g. servanda=info
    #[arg(long, env = "SERVANDA_TRACE", value_name = "FILTER", hide_env_values = true)]
    trace: Option<String>,
    /// How to write it
    #[arg(long, env = "SERVANDA_TRACE_FORMAT", value_enum, hide_env_values = true)]
    trace_format: Option<Format>,
}

impl TraceArgs {
    /// Writes from now on.
    ///
    /// # Errors
    /// When the filter is none.
    pub fn start(&self) -> Result<()> {
        let filter = self.trace.as_deref().unwrap_or(USUAL);
        let filter: Targets = filter.parse().or_hint(
            || format!("{filter} says not what to write"),
            || "want error, warn, info, debug, trace, off, or a list such as servanda=debug".to_owned(),
        )?;
        let lines = fmt::layer().with_writer(stderr);
        // Where something writes already, as in a test, that goes on.
        let _ = match self.trace_format.unwrap_or_default() {
            Format::Text => {
                registry().with(lines.with_ansi(stderr().is_terminal()).with_filter(filter)).try_init()
            }
            Format::Json => registry().with(lines.json().flatten_event(true).with_filter(filter)).try_init(),
        };
        Ok(())
    }
}
