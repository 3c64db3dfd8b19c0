//! A log read from where a server publishes it: object `public/tile/0/000` lies at `PREFIX/tile/0/000`.
//!
//! Any server of static files will do (c2sp.org/tlog-tiles). It can keep a reader from reading, and nothing else: what it
//! gives is unverified, as what any store gives. That it says that an object is not there (404, 410) is an answer; that it
//! says anything else than the object, or nothing, is an error.

use super::{Read, StoreError, check_name};
use crate::agent::{Agent, AgentError, Limits, Url};

/// How many requests are in flight where much is read: enough that an answer of 50 ms does not slow an audit down much.
const AT_ONCE: usize = 8;

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

    fn at_once(&self) -> usize {
        AT_ONCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::tests::{Server, answer, quick};

    const TILE: &str = "public/tile/0/000";

    #[test]
    fn a_log_on_a_server_tells_what_is_not_there_from_what_could_not_be_fetched() {
        let store = |status: &str, body: &[u8]| {
            let server = Server::of(&[&answer(status, body)]);
            (Http::new(server.url.clone(), &quick()).unwrap(), server)
        };
        let (http, server) = store("200 OK", b"hashes");
        assert_eq!(http.get(TILE, 6).unwrap().unwrap(), b"hashes");
        assert!(server.asked.lock().unwrap()[0].starts_with("get /log/tile/0/000 http/1.1\r\n"));
        assert!(matches!(http.get(TILE, 5), Err(StoreError::TooLarge { size: 6, limit: 5, .. })));
        assert_eq!(http.get("private/commit", 9).unwrap(), None);
        assert!(matches!(http.get("public/../a", 9), Err(StoreError::BadName { .. })));
        assert_eq!(server.asked(), 2, "what is private, or no name, is never asked for");
        for status in ["404 Not Found", "410 Gone"] {
            assert_eq!(store(status, b"no").0.get(TILE, 9).unwrap(), None);
        }
        for status in
            ["204 No Content", "206 Partial Content", "304 Not Modified", "401 Unauthorized", "500 Oh"]
        {
            let error = store(status, b"").0.get(TILE, 9).unwrap_err();
            assert!(
                matches!(error, StoreError::Fetch { source: AgentError::Status(_), .. }),
                "{status}: {error:?}"
            );
        }
    }
}
