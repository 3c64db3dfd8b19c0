//! Servanda: a verifiable log of commitments.
// The order below is the order in which data flows: a module uses only those above it.

// - bytes, and who signed them -
pub mod codec;
pub mod hash;
pub mod key;
pub mod note;
pub mod seal;
pub mod text;
// - what partners say, and what it adds up to (pure) -
pub mod chain;
pub mod charter;
pub mod entry;
pub mod roster;
pub mod statement;
// - what the log commits to (pure) -
pub mod checkpoint;
pub mod cosignature;
pub mod merkle;
pub mod policy;
pub mod tlog_proof;
// - where it is kept, written, read -
pub mod log;
pub mod store;
