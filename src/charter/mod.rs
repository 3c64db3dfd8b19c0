//! The charter: the founding document that statement 0 carries. It names the log, its partners with the digests of
//! their key sets, and the rules.
//!
//! Its parts: key sets in [`keyset`], rules in [`rules`], documents bound by digest in [`annex`]. What makes a charter
//! admissible stands in [`Charter::check`]; what follows from it is for `roster` and `ledger`.

pub mod annex;
pub mod file;
pub mod keyset;
pub mod rules;

pub use annex::{Annex, Clause, Document, Sealable, Standing};
pub use keyset::{KeySet, KeySetError, Officer};
pub use rules::{Aspect, Rules, Witnesses};

use crate::codec::{List, encode};
use crate::field::{Handle, Roles, Short};
use crate::hash::Hash;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The highest level that this program knows.
pub const LEVEL: u16 = 1;

/// The most bytes that the encoded rules may have.
pub const MAX_RULES: usize = 12_288;

/// The most bytes of an origin (c2sp.org/tlog-cosignature needs it to fit a byte).
pub const MAX_ORIGIN: usize = 255;

/// The founding document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charter {
    /// The log's unique name, a URL without its scheme.
    pub origin: Short,
    /// What the log is about.
    pub title: Short,
    /// The language of the texts in it (BCP 47).
    pub language: Short,
    /// The level: which kinds, motions and algorithms count.
    pub level: u16,
    /// The partners, the operator not among them.
    pub partners: List<Partner>,
    /// The treaty's texts.
    pub annexes: List<Annex>,
    /// The rules, replaced whole by a rules motion.
    pub rules: Rules,
}

/// A partner as the charter names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// The name in the log.
    pub handle: Handle,
    /// The name for people.
    pub name: Short,
    /// One or more of guarantor, beneficiary, observer.
    pub roles: Roles,
    /// The digest of (handle, key set): [`KeySet::digest`].
    pub keys: Hash,
}

/// Why a charter founds no log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CharterError {
    /// The origin is no key name.
    #[error("origin {0:?} must have 1 to 255 bytes, and neither blanks, control characters nor +")]
    Origin(Short),
    /// There is no level 0.
    #[error("level 0 does not exist")]
    Level,
    /// Nobody could ever sign.
    #[error("no partners")]
    NoPartners,
    /// Two partners have one handle, or one has the operator's.
    #[error("handle {0} is taken twice, or is the operator's")]
    Handle(Handle),
    /// A partner without a role.
    #[error("{0} has no role")]
    NoRole(Handle),
    /// The rules contradict themselves.
    #[error(transparent)]
    Rules(#[from] rules::RulesError),
}

impl Charter {
    /// Checks what a charter must satisfy to found a log.
    ///
    /// # Errors
    /// [`CharterError`] names the first part that does not.
    pub fn check(&self) -> Result<(), CharterError> {
        if !origin_fits(&self.origin) {
            return Err(CharterError::Origin(self.origin.clone()));
        }
        if self.level == 0 {
            return Err(CharterError::Level);
        }
        if self.partners.is_empty() {
            return Err(CharterError::NoPartners);
        }
        let mut taken = HashSet::from([Handle::operator()]);
        for partner in &self.partners {
            if !taken.insert(partner.handle.clone()) {
                return Err(CharterError::Handle(partner.handle.clone()));
            }
            if partner.roles.is_empty() {
                return Err(CharterError::NoRole(partner.handle.clone()));
            }
        }
        Ok(self.rules.check()?)
    }

    /// The partner of this handle.
    #[must_use]
    pub fn partner(&self, handle: &Handle) -> Option<&Partner> {
        self.partners.iter().find(|p| p.handle == *handle)
    }

    /// The length of the rules as encoded, in bytes.
    #[must_use]
    pub fn rules_len(&self) -> usize {
        encode(&self.rules).len()
    }
}

/// Whether a text can be an origin, and with it a key name (c2sp.org/signed-note): no blanks, no `+`.
#[must_use]
pub fn origin_fits(origin: &str) -> bool {
    (1..=MAX_ORIGIN).contains(&origin.len())
        && !origin.chars().any(|c| c == '+' || c.is_whitespace() || c.is_control())
}
