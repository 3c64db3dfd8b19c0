//! Answers from the ledger: `status`, `brief`, `agenda`, `incidents`, `what-if`, `roster`.
//!
//! What they say is derived in `servanda::ledger::answers`; here are the words and tables. A log is verified before
//! anything is said about it, and every answer ends with the entry it rests on and with what no log can show.
//! [`basis`] opens and folds the log, `cells` has the words that tables and prompts share.

pub mod agenda;
pub mod basis;
pub mod brief;
pub mod cells;
pub mod incidents;
pub mod roster;
pub mod status;
pub mod what_if;
