//! A log read from where a server publishes it: object `public/tile/0/000` lies at `PREFIX/tile/0/000`.
//!
//! Any server of static files will do (c2sp.org/tlog-tiles). It can keep a reader from reading, and nothing else: what it
//! gives is unverified, as what any store gives. That it says that an object is not there (404, 410) is an answer; that it
//! says anything else than the object, or nothing, is an error.

use super::{Read, StoreError, check_name};
use crate::agent::{Agent, AgentError, Limits, Url};

/// A log's public part on a server, for reading. Private objects are not there.
#[derive(Clone, Debug)]
pub struct Http {
    agent: Agent,
    prefix: Url,
}

impl Http {
    /// Reads below a prefix.
    ///
    /// # Errors
    /// As for [`Agent::new`]; nothing is asked yet.
    pub fn new(prefix: Url, limits: &Limits) -> Result<Self, AgentError> {
        Ok(Self { agent: Agent::new(&prefix, limits)?, prefix })
    }

    /// The prefix.
    #[must_use]
    pub fn prefix(&self) -> &Url {
        &self.prefix
    }
}

impl Read for Http {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        check_name(name)?;
        let Some(path) = name.strip_prefix("public/") else { return Ok(None) };
        let url = self.prefix.at(path);
        match self.agent.get(&url, limit) {
            Ok(answer) => match answer.status {
                200 => Ok(Some(answer.body)),
                404 | 410 => Ok(None),
                status => Err(StoreError::Fetch { url, source: AgentError::Status(status) }),
            },
            Err(AgentError::TooLong { limit }) => {
                Err(StoreError::TooLarge { name: name.to_owned(), size: limit.saturating_add(1), limit })
            }
            Err(source) => Err(StoreError::Fetch { url, source }),
        }
    }
}
