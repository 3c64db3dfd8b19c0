//! Output: sentences and tables for people, JSON for programs; a progress bar on what takes more than a second.

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::{IsTerminal, Write as _};
use std::time::Duration;

/// Where output goes.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    json: bool,
}

impl Screen {
    /// Output for programs or for people.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether programs read it.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Says something to people; nothing where programs read.
    pub fn say(&self, line: impl AsRef<str>) {
        if !self.json {
            put(format_args!("{}\n", line.as_ref()));
        }
    }

    /// Says something beside the result, on standard error.
    pub fn note(&self, line: impl AsRef<str>) {
        if !self.json {
            // Where nobody hears it, the work goes on.
            let _ = writeln!(anstream::stderr(), "{}", line.as_ref());
        }
    }

    /// Prints a value for programs; nothing where people read.
    pub fn json<T: Serialize>(&self, value: &T) -> anyhow::Result<()> {
        if self.json {
            put(format_args!("{}\n", serde_json::to_string(value)?));
        }
        Ok(())
    }

    /// Prints aligned columns; the first row is the heading.
    pub fn table(&self, rows: &[Vec<String>]) {
        for line in table(rows) {
            self.say(line);
        }
    }

    /// A bar on standard error for work of so many steps, if they are several; it shows only on a terminal.
    pub fn progress(&self, steps: u64, what: &'static str) -> ProgressBar {
        if steps < 2 || self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(steps).with_message(what);
        let style =
            ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {per_sec}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_secs(1));
        bar
    }
}

/// Writes to standard output. Where that is full, or nobody reads any more, the command has not said what it was asked, so
/// it ends as one that could not: what it committed before stays.
pub fn put(text: std::fmt::Arguments<'_>) {
    if let Err(error) = anstream::stdout().write_fmt(text) {
        if error.kind() != std::io::ErrorKind::BrokenPipe {
            let what = "error: could not write the output";
            let hint = "hint: has its disk room? what was committed is kept: `servanda log` tells what is in the log";
            let _ = writeln!(anstream::stderr(), "{what}: {error}\n{hint}");
        }
        std::process::exit(2);
    }
}

/// Ends quietly where whoever reads the output has read enough.
pub fn until_closed<T>(result: anyhow::Result<T>, done: T) -> anyhow::Result<T> {
    let closed = |e: &anyhow::Error| {
        e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    };
    match result {
        Err(error) if closed(&error) => Ok(done),
        result => result,
    }
}

/// Aligns columns by the characters that are seen.
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, w)| format!("{cell:w$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}
