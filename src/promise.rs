//! Promises: the operator's signed word that a durable statement will be published at an index.
//!
//! Signed by the operator's class 4 over "servanda/promise/1\n" || SHA-256(log \[32\] || index as u64, most significant
//! byte first || leaf hash \[32\]). The file carries the entry, so that the leaf hash is computed and not believed.

use crate::codec::{Bytes, List};
use crate::entry::SignedEntry;
use crate::field::Class;
use crate::hash::{Hash, leaf_hash, sha256};
use crate::key::{ED25519, SigningKey};
use crate::roster::InForce;
use crate::statement::Signature;
use crate::text::count;
use serde::{Deserialize, Serialize};

const LABEL: &[u8; 19] = b"servanda/promise/1\n";

/// A promise with the entry that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// The log's id.
    pub log: Hash,
    /// Where the entry will be published.
    pub index: u64,
    /// The entry.
    pub entry: Bytes,
    /// Signatures by officers of the operator.
    pub signatures: List<Signature>,
}

/// Why a promise is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromiseError {
    /// Its signatures are missing or not in order.
    #[error("the promise is signed by {} in order, it needs {want}", count(.got, "officer", "officers"))]
    Signatures {
        /// How many signed, in ascending order.
        got: usize,
        /// The threshold of class 4.
        want: u8,
    },
    /// An officer who may not give promises.
    #[error("officer {0} may not give promises")]
    Officer(u8),
    /// A signature that does not hold.
    #[error("the signature of officer {0} does not hold")]
    Bad(u8),
    /// The entry in it is none.
    #[error("the promise holds no entry")]
    Entry,
}

/// The bytes that are signed.
#[must_use]
pub fn signed_bytes(log: &Hash, index: u64, leaf: &Hash) -> Vec<u8> {
    let content = [&log.0[..], &index.to_be_bytes(), &leaf.0].concat();
    [&LABEL[..], &sha256(&content).0].concat()
}

impl Promise {
    /// Promises to publish an entry.
    #[must_use]
    pub fn sign(log: Hash, index: u64, entry: Vec<u8>, officers: &[(u8, &SigningKey)]) -> Self {
        let message = signed_bytes(&log, index, &leaf_hash(&entry));
        let sign = |(officer, key): &(u8, &SigningKey)| Signature {
            officer: *officer,
            algorithm: ED25519,
            bytes: key.sign(&message).to_vec().into(),
        };
        Self { log, index, signatures: officers.iter().map(sign).collect(), entry: Bytes(entry) }
    }

    /// Checks it against the operator's key set in force.
    ///
    /// # Errors
    /// [`PromiseError`] says why it is none.
    pub fn check(&self, operator: &InForce) -> Result<SignedEntry, PromiseError> {
        let (got, want) = (self.signatures.len(), operator.set.threshold(Class::OperateLog));
        if got < usize::from(want).max(1) || !self.signatures.is_sorted_by(|a, b| a.officer < b.officer) {
            return Err(PromiseError::Signatures { got, want });
        }
        let message = signed_bytes(&self.log, self.index, &leaf_hash(&self.entry));
        for s in &self.signatures {
            let at = usize::from(s.officer);
            let officer = operator.set.officers.get(at).ok_or(PromiseError::Officer(s.officer))?;
            if !officer.classes.has(Class::OperateLog) || officer.algorithm != s.algorithm {
                return Err(PromiseError::Officer(s.officer));
            }
            if !operator.keys[at].holds(&message, &s.bytes) {
                return Err(PromiseError::Bad(s.officer));
            }
        }
        SignedEntry::decode(&self.entry).map_err(|_| PromiseError::Entry)
    }
}
