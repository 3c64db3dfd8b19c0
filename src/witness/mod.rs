//! A witness: who cosigns a log's checkpoint only if it contains the one before.
//!
//! c2sp.org/tlog-witness. A witness knows some logs, and of each the last checkpoint that it cosigned; it is believed not
//! to cosign two histories. [`request`] is what it is asked.

pub mod request;
