//! Hostile bytes and hostile sizes: what reads what others wrote neither panics nor goes on for ever, what it accepts is
//! in its one form, and limits hold from the author's desk to the proof.
//!
//! [`claims`] says what holds of each parser; [`bytes`] holds it against bytes of all sorts, made from [`seeds`], as do the
//! programs in `fuzz/` against more of them.

#![allow(clippy::unwrap_used)]

mod bytes;
mod claims;
mod endless;
mod golden;
mod limits;
mod seeds;
mod stored;

/// The checkout.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
