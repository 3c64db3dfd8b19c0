//! Documents bound by digest, and what may be sealed.

use crate::field::{Long, Short};
use crate::hash::Hash;
use serde::{Deserialize, Serialize};

/// A value that stands open or is sealed: then only its seal is shown (`seal`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sealable<T> {
    /// For all to read.
    Open(T),
    /// The seal of the value.
    Sealed(Hash),
}

impl<T> Sealable<T> {
    /// The value, where it stands open.
    pub fn open(&self) -> Option<&T> {
        match self {
            Self::Open(value) => Some(value),
            Self::Sealed(_) => None,
        }
    }
}

/// A document beside the log: open, or sealed with its label, type and size inside the seal.
pub type Annex = Sealable<Document>;

/// What is known of a document that stands open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What it is, for people.
    pub label: Short,
    /// Its media type, e.g. `application/pdf`.
    pub media_type: Short,
    /// Its language (BCP 47).
    pub language: Short,
    /// What weight it has.
    pub standing: Standing,
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: Hash,
}

/// What weight a document has among those of one agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Decides where texts differ.
    Prevailing,
    /// Equally authentic.
    Authentic,
    /// A translation, for convenience.
    Translation,
    /// A part of the whole.
    Extract,
}

/// A place in an annex: the annex's number in the same statement or charter, and article or paragraph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// The annex's position, from 0.
    pub annex: u64,
    /// The article or paragraph.
    pub text: Long,
}
