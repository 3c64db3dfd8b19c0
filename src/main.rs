//! The `servanda` command: parse, run, exit code. All else is in [`cli`], and reaches the library's public API alone.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
