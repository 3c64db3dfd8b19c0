//! Servanda: a verifiable log of commitments.
// The order below is the order in which data flows: a module uses only those above it.

// - bytes, and who signed them -
pub mod hash;
pub mod codec;
pub mod text;
pub mod field;
pub mod key;
pub mod note;
pub mod cosignature;
pub mod policy;
pub mod checkpoint;
pub mod seal;
// - what partners say, and what it adds up to (pure) -
pub mod charter;
pub mod statement;
pub mod entry;
pub mod rule;
pub mod chain;
pub mod roster;
pub mod ledger;
pub mod history;
// - what the log commits to (pure) -
pub mod merkle;
pub mod tlog_proof;
// - where it is kept, written, read -
#[cfg(feature = "net")]
pub mod agent;
pub mod store;
pub mod client;
pub mod log;
// - who decides, who checks -
pub mod trust;
pub mod armor;
pub mod draft;
pub mod promise;
pub mod proof;
pub mod submit;
pub mod verify;
pub mod evidence;
pub mod mirror;
pub mod monitor;
// - over the network -
pub mod witness;
pub mod gather;
#[cfg(feature = "net")]
pub mod server;
