//! Answers over small ledgers.
