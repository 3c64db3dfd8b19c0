//! The `servanda` command: parse, run, exit code.
fn main() {}
