//! Hostile bytes and hostile sizes: what reads what others wrote neither panics nor goes on for ever, what it accepts is
//! in its one form, and limits hold from the author's desk to the proof.

#![allow(clippy::unwrap_used)]

mod endless;
