//! Servanda: a verifiable log of commitments.
// The order below is the order in which data flows: a module uses only those above it.

// - bytes, and who signed them -
pub mod codec;
pub mod field;
pub mod hash;
pub mod key;
pub mod text;
// pub mod note;
pub mod seal;
// - what partners say, and what it adds up to (pure) -
pub mod charter;
pub mod entry;
pub mod statement;
// pub mod roster;
// pub mod chain;
// - what the log commits to (pure) -
