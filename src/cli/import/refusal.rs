//! Why a row is refused: said with its line, so that it can be found and mended.

use crate::cli::plain::{plain, quoted};
use servanda::rule::Rule;
use servanda::statement::StatementError;
use servanda::text::count;
use std::error::Error;

/// How much of a cell is shown, in characters.
const SHOWN: usize = 60;

/// Why a row is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It has more or fewer cells than there are columns.
    #[error("it has {}, the first row {want}", count(.got, "cell", "cells"))]
    Cells {
        /// How many it has.
        got: usize,
        /// How many columns there are.
        want: usize,
    },
    /// A quote takes in the rest of the file.
    #[error("a quote that is opened here is never closed; what follows was not read")]
    Unclosed,
    /// Quotes that do not match.
    #[error("something stands between a closing quote and the end of the cell")]
    AfterQuote,
    /// Not text.
    #[error("it is not UTF-8 text")]
    Encoding,
    /// Not JSON; the parser's words.
    #[error("it is not JSON: {}", plain(.0))]
    Json(String),
    /// Not an object.
    #[error("it is no JSON object")]
    NotAnObject,
    /// A number of which the JSON parser may have lost digits.
    #[error(
        "{0}: write a number with a fraction, or of more than 19 digits, in quotes, so that it stays exact"
    )]
    Inexact(String),
    /// A list or an object where words are put together.
    #[error("{}: a list or an object cannot stand among words", plain(.0))]
    Nested(String),
    /// No such act.
    #[error("kind: {} is no act that can be imported", quoted(.0))]
    Kind(String),
    /// A field's value is not what it should be.
    #[error("{}: {why}; the row says {}", plain(field), cut(given))]
    Field {
        /// The field.
        field: String,
        /// What is wrong with it.
        why: Box<dyn Error + Send + Sync>,
        /// What the row says.
        given: String,
    },
    /// The fields are not those of the act.
    #[error("{}", plain(&format!("{:#}", .0)))]
    Act(anyhow::Error),
    /// The statement is too long.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Another row has the reference.
    #[error("line {0} has the same reference")]
    Twice(u64),
    /// A statement of the same author has the reference.
    #[error("entry {0} of the log has the same reference; --skip-known passes over such rows")]
    Known(u64),
    /// Whether the log has it cannot be told.
    #[error("it has no reference, so that --skip-known cannot tell whether the log has it")]
    NoReference,
    /// It cannot be compared with the log.
    #[error("it has no reference by which it could be compared with the log")]
    Unreferenced,
    /// It is something else than what is compared.
    #[error("it is a {got}, and each {want} is compared with the log")]
    OtherKind {
        /// What it is.
        got: &'static str,
        /// What is compared.
        want: &'static str,
    },
    /// Nobody can compare what is sealed.
    #[error("its terms are sealed, and cannot be compared with the log")]
    Sealed,
    /// It is outside of what was asked for.
    #[error("its reference does not begin as --among says")]
    NotAmong,
    /// Rows of its ID are missing.
    #[error(
        "rows that were refused may be of the same ID, so that it cannot be told which of its statements this one continues"
    )]
    InDoubt,
    /// What it changes is over.
    #[error("entry {entry} has the reference and takes no new terms: it {}", plain(state))]
    Over {
        /// The entry.
        entry: u64,
        /// How it stands.
        state: String,
    },
    /// The ledger would refuse it.
    #[error("refused by rule {}: it {}", .0.code(), plain(&.0.to_string()))]
    Rule(Box<Rule>),
}

fn cut(given: &str) -> String {
    match given.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", quoted(&given[..end])),
        None => quoted(given),
    }
}
