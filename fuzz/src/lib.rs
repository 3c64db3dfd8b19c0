//! The claims of `tests/hostile`, for libFuzzer to break.
#![allow(clippy::unwrap_used)]

#[path = "../../tests/hostile/claims.rs"]
pub mod claims;
#[path = "../../tests/hostile/golden.rs"]
pub mod golden;

/// The checkout.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
