//! Other people's programs: Go's sumdb packages, Tessera's client and fsck (`tests/interop`, a program of its own), OpenSSL,
//! curl, nginx, and a witness (litewitness).
//!
//! They read logs, proofs and statements that the real writer and the real binary made. Whatever they accept here, they
//! refuse in another test once it was changed. Where a program is missing, its tests say so and are skipped;
//! `SERVANDA_INTEROP=required` makes them fail instead.

#![allow(clippy::unwrap_used)]

mod go;
#[cfg(feature = "net")]
mod litewitness;
#[cfg(feature = "net")]
mod nginx;
mod openssl;
#[cfg(feature = "net")]
mod served;
