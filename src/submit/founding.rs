//! Founding a log: entry 0, the charter's text, the first checkpoint.

use super::{Operator, SubmitError, check_log_key};
use crate::chain::Finding;
use crate::codec::{Bytes, List};
use crate::entry::{Entry, Pointer, SignedEntry, VERSION};
use crate::field::Instant;
use crate::hash::{ZEROS, leaf_hash, sha256};
use crate::history::{History, Nothing};
use crate::key::SigningKey;
use crate::log::Writer;
use crate::statement::{Act, Signature, Statement};
use crate::store::Store;
use crate::store::guard::Guard;
use crate::store::index::Index;

/// The name of the charter as its founders wrote it.
pub const CHARTER: &str = "public/charter.toml";

/// What founds a log.
#[derive(Clone, Debug)]
pub struct Founding {
    /// Statement 0, encoded.
    pub statement: Vec<u8>,
    /// Signatures of all the operator's officers.
    pub signatures: Vec<Signature>,
    /// The charter as its founders wrote it, whose SHA-256 statement 0 carries.
    pub charter_text: Vec<u8>,
}

impl Operator {
    /// Founds a log and publishes its first checkpoint; where its rules name witnesses, that is left to whoever gathers their
    /// cosignatures, and the log is durable. A founding that broke off before entry 0 was committed may be
    /// made again, with the same text of the charter; one that broke off later is finished by opening and publishing.
    ///
    /// # Errors
    /// When the founding is not in order (nothing is written then), a log is there already, or the storage fails.
    pub fn found(
        store: Box<dyn Store>,
        guard: Option<Box<dyn Guard>>,
        index: Index,
        founding: Founding,
        now: Instant,
        log_key: &SigningKey,
    ) -> Result<Self, SubmitError> {
        Statement::decode(&founding.statement)?;
        let entry = Entry {
            version: VERSION,
            index: 0,
            link: ZEROS,
            roster: Pointer::default(),
            sequenced_at: now,
            statement: Bytes(founding.statement),
            signatures: List(founding.signatures),
        };
        let bytes = entry.encode()?;
        let signed = SignedEntry::decode(&bytes)?;
        let mut history = History::default();
        let findings: Vec<Finding> = history.take(&bytes, leaf_hash(&bytes), Ok(&signed), &mut Nothing, None);
        if !findings.is_empty() {
            return Err(SubmitError::Refused(findings));
        }
        check_log_key(history.roster().expect("it was founded without a finding"), log_key)?;
        if let Ok(Act::Found(found)) = signed.act()
            && let got = sha256(&founding.charter_text)
            && got != found.text
        {
            return Err(SubmitError::CharterText { got, want: found.text });
        }
        let mut writer = Writer::create(store, guard)?;
        writer.store().put_all(&[(CHARTER.to_owned(), founding.charter_text)])?;
        writer.append(&[bytes])?;
        let mut operator = Self::take_up(writer, index)?;
        operator.publish_unless_witnessed(log_key)?;
        Ok(operator)
    }
}
