//! An entry that the operator should have refused, or that names the wrong roster, as far as the entry and the roster
//! chain of the operator's own checkpoint show it.
//!
//! A gap in a chain of classes 1 to 4, or a `seen` that does not fit, takes more of the log than a file holds: these are
//! findings, and no evidence. Bytes that are no entry need no roster.

use super::{Accused, Claim, Evidence, EvidenceError, Included, Opened, Signed, Trial};
use crate::chain::{Effect, Reason};
use crate::charter::LEVEL;
use crate::client::ReadError;
use crate::codec::CodecError;
use crate::entry::{EntryError, SignedEntry, VERSION};
use crate::hash::leaf_hash;
use crate::key::vkey::Vkey;
use crate::proof;
use serde::{Deserialize, Serialize};

/// An entry in the log, and the roster to judge it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admitted {
    /// With its roster file, unless the entry is none.
    signed: Signed,
    index: u64,
    entry: Included,
}

impl Admitted {
    pub(super) fn check(&self, trial: &Trial) -> Result<(Vkey, String), EvidenceError> {
        let index = self.index;
        let opened = self.signed.open(trial, Some(index))?;
        opened.includes(index, &leaf_hash(&self.entry.entry), &self.entry.path)?;
        let reasons = match SignedEntry::decode(&self.entry.entry) {
            Ok(e) => judge(&opened, index, &e, trial)?,
            Err(error) => vec![self.undecodable(&opened, error, trial)?],
        };
        // An anchor's time is a fault, and shown as one.
        let guilty = |r: &&Reason| match r {
            Reason::AnchorTime { .. } => false,
            _ => matches!(r.effect(), Effect::Unauthentic | Effect::OperatorsFault),
        };
        let reasons: Vec<_> = reasons.iter().filter(guilty).map(ToString::to_string).collect();
        if reasons.is_empty() {
            return Err(EvidenceError::Nothing);
        }
        Ok((opened.key(), format!("let entry {index} in, which {}", reasons.join(", and "))))
    }

    /// Bytes of this program's version that are no entry will never be one; of others only the roster can tell.
    fn undecodable(
        &self,
        opened: &Opened,
        error: EntryError,
        trial: &Trial,
    ) -> Result<Reason, EvidenceError> {
        let ours = self.entry.entry.first().is_none_or(|version| *version == VERSION);
        let what = error.to_string();
        let level = match (&error, &opened.chain) {
            (EntryError::Codec(CodecError::TooLong { .. }), _) => return Ok(Reason::Undecodable { what }),
            (EntryError::Codec(_) | EntryError::Signatures(_), _) if ours => {
                return Ok(Reason::Undecodable { what });
            }
            (_, Some(chain)) => super::roster(chain, self.index, trial)?.charter.level,
            (_, None) => return Err(EvidenceError::NoRoster),
        };
        if level > LEVEL { Err(EvidenceError::Level(level)) } else { Ok(Reason::Undecodable { what }) }
    }
}

fn judge(opened: &Opened, index: u64, e: &SignedEntry, trial: &Trial) -> Result<Vec<Reason>, EvidenceError> {
    // Of entry 0, the verifier has pinned the statement.
    if index == 0 {
        return Err(EvidenceError::Nothing);
    }
    let chain = opened.chain.as_ref().ok_or(EvidenceError::NoRoster)?;
    let judged = proof::judge(chain, index, e, Some(&trial.log))?;
    match judged.roster.unknown {
        Some(unknown) => Err(EvidenceError::NotUnderstood(unknown)),
        None => Ok(judged.reasons),
    }
}

impl Accused<'_> {
    /// Evidence that the entry at an index should not have been let in, or names the wrong roster. None where entry and
    /// roster chain do not show it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn admitted(&mut self, index: u64) -> Result<Option<Evidence>, ReadError> {
        let (entry, roster) = (self.included(index)?, self.roster()?);
        let signed = Signed::new(self.checkpoint, roster);
        let claim = Claim::Admitted(Admitted { signed, index, entry });
        if let Some(evidence) = self.accuse(claim.clone()) {
            return Ok(Some(evidence));
        }
        // A broken roster need not stand in the way of what needs none.
        let Claim::Admitted(alone) = claim else { return Ok(None) };
        let signed = Signed::new(self.checkpoint, None);
        Ok(self.accuse(Claim::Admitted(Admitted { signed, ..alone })))
    }
}
