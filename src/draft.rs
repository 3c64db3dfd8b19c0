//! Statements on their way to the log: signed by none, some or all of the officers they need.
//!
//! A draft goes from officer to officer, over an air gap if need be, as a file ([`crate::armor::File::Statement`]). It
//! carries the author's key set as its maker knew it, so that each officer's number is found by the key alone; a wrong
//! set there leads to signatures that do not count, and to nothing else, since what is signed is the statement's id.

use crate::charter::KeySet;
use crate::codec::{Bytes, List};
use crate::field::Class;
use crate::hash::Hash;
use crate::key::SigningKey;
use crate::roster::signing::NEW;
use crate::seal::Opening;
use crate::statement::{self, Act, Signature, Statement, StatementError};
use serde::{Deserialize, Serialize};

/// A statement with the signatures that it has so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    version: u8,
    /// The statement, encoded.
    pub statement: Bytes,
    /// The author's key set in force as its maker knew it; none before the author has acceded.
    pub keys: Option<KeySet>,
    /// The signatures, by officer number.
    pub signatures: List<Signature>,
    /// What opens the sealed values in it; never sent to the log.
    pub openings: List<Opening>,
}

/// Why a draft cannot be signed with a key, or is not ready.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// A version that this program does not know.
    #[error("draft of version {0}, this program knows version 1")]
    Version(u8),
    /// What it holds is no statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The key is no officer's.
    #[error("this key belongs to no officer of {0}")]
    NotAnOfficer(crate::field::Handle),
    /// The officer may not sign this.
    #[error("officer {officer} ({title}) may not sign in class \"{class}\"")]
    Class {
        /// The officer's number.
        officer: usize,
        /// The officer's title.
        title: crate::field::Short,
        /// The statement's class.
        class: Class,
    },
}

impl Draft {
    /// A draft without signatures.
    ///
    /// # Errors
    /// When the statement is too long.
    pub fn new(statement: &Statement, keys: Option<KeySet>) -> Result<Self, StatementError> {
        let statement = Bytes(statement.encode()?);
        Ok(Self { version: 1, statement, keys, signatures: List::default(), openings: List::default() })
    }

    /// The statement in it.
    ///
    /// # Errors
    /// When it holds none, or is of a version that this program does not know.
    pub fn statement(&self) -> Result<Statement, DraftError> {
        if self.version != 1 {
            return Err(DraftError::Version(self.version));
        }
        Ok(Statement::decode(&self.statement)?)
    }

    /// The statement's id.
    #[must_use]
    pub fn id(&self) -> Hash {
        statement::id(&self.statement)
    }

    /// Signs as the officer whose key this is; a signature that is there already stays. Gives the officer's number.
    ///
    /// # Errors
    /// When the key is no officer's, or the officer may not sign this.
    pub fn sign(&mut self, key: &SigningKey) -> Result<u8, DraftError> {
        let statement = self.statement()?;
        let officer = self.officer(&statement, key)?;
        let id = self.id();
        if let Err(place) = self.signatures.binary_search_by_key(&officer, |s| s.officer) {
            self.signatures.insert(place, statement::sign(&id, officer, key));
        }
        Ok(officer)
    }

    /// The number under which a key's officer signs.
    fn officer(&self, s: &Statement, key: &SigningKey) -> Result<u8, DraftError> {
        let public = key.public().to_bytes();
        let place = |set: &KeySet| set.officers.iter().position(|o| *o.key == public);
        let number = |n: usize| u8::try_from(n).map_err(|_| DraftError::NotAnOfficer(s.author.clone()));
        let old = self.keys.as_ref().and_then(|set| place(set).map(|n| (n, set)));
        match (old, s.act()) {
            (_, Ok(Act::Accede(accede))) => {
                number(place(&accede.keys).ok_or(DraftError::NotAnOfficer(s.author.clone()))?)
            }
            (_, Ok(Act::Found(found))) => {
                number(place(&found.keys).ok_or(DraftError::NotAnOfficer(s.author.clone()))?)
            }
            (Some((officer, set)), _) => {
                let o = &set.officers[officer];
                if !o.classes.has(s.class()) {
                    return Err(DraftError::Class { officer, title: o.title.clone(), class: s.class() });
                }
                number(officer)
            }
            (None, Ok(Act::Rotate(rotate))) => {
                let new = place(&rotate.keys).ok_or(DraftError::NotAnOfficer(s.author.clone()))?;
                Ok(number(new)?.saturating_add(NEW))
            }
            (None, _) => Err(DraftError::NotAnOfficer(s.author.clone())),
        }
    }

    /// How many more officers must sign, as far as the draft tells.
    #[must_use]
    pub fn missing(&self) -> usize {
        let Ok(s) = self.statement() else { return 0 };
        let by_old = self.signatures.iter().filter(|x| x.officer < NEW).count();
        let threshold = |class| self.keys.as_ref().map_or(1, |k| usize::from(k.threshold(class)).max(1));
        match s.act() {
            Ok(Act::Accede(a)) => a.keys.officers.len().saturating_sub(self.signatures.len()),
            Ok(Act::Found(f)) => f.keys.officers.len().saturating_sub(self.signatures.len()),
            Ok(Act::Rotate(r)) => {
                let had = |o: &crate::charter::Officer| {
                    self.keys.as_ref().is_some_and(|k| k.officers.iter().any(|old| old.key == o.key))
                };
                let fresh = r.keys.officers.iter().filter(|o| !had(o)).count();
                let by_new = self.signatures.len() - by_old;
                threshold(Class::Govern).saturating_sub(by_old) + fresh.saturating_sub(by_new)
            }
            _ => threshold(s.class()).saturating_sub(self.signatures.len()),
        }
    }
}
