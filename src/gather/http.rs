//! Requests to witnesses by HTTP: `POST URL/add-checkpoint`.

use super::{ANSWER_MAX, Answer, Transport, Unreached};
use crate::agent::{Agent, AgentError, Limits, Url};
use crate::policy::{Policy, Witness};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a witness may take until its answer is there whole.
pub const WHOLE: Duration = Duration::from_secs(10);

/// Why witnesses cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The policy does not say where a witness is.
    #[error("the policy gives no URL for witness {0}")]
    NoUrl(String),
    /// Its URL is none, or cannot be asked.
    #[error("witness {witness}: {why}")]
    Agent {
        /// Its name in the policy.
        witness: String,
        /// Why not.
        why: AgentError,
    },
}

/// The witnesses of a policy by the URLs in it.
#[derive(Debug)]
pub struct Http {
    /// By their names in the policy.
    agents: BTreeMap<String, (Agent, String)>,
}

impl Http {
    /// Takes the URLs out of a policy; of these limits, no answer may take longer than [`WHOLE`].
    ///
    /// # Errors
    /// [`HttpError`].
    pub fn new(policy: &Policy, limits: &Limits) -> Result<Self, HttpError> {
        let limits = Limits { whole: limits.whole.min(WHOLE), ..limits.clone() };
        let mut agents = BTreeMap::new();
        for witness in policy.witnesses() {
            let url = witness.url.as_deref().ok_or_else(|| HttpError::NoUrl(witness.name.clone()))?;
            let no = |why| HttpError::Agent { witness: witness.name.clone(), why };
            let url: Url = url.trim_end_matches('/').parse().map_err(|error| no(AgentError::Url(error)))?;
            let agent = Agent::new(&url, &limits).map_err(no)?;
            agents.insert(witness.name.clone(), (agent, url.at("add-checkpoint")));
        }
        Ok(Self { agents })
    }
}

impl Transport for Http {
    fn add_checkpoint(&self, witness: &Witness, body: &[u8]) -> Result<Answer, Unreached> {
        let Some((agent, url)) = self.agents.get(&witness.name) else {
            return Err(Unreached(Box::new(HttpError::NoUrl(witness.name.clone()))));
        };
        let headers = [("content-type", "text/plain; charset=utf-8")];
        let answer =
            agent.post(url, &headers, body, ANSWER_MAX).map_err(|error| Unreached(Box::new(error)))?;
        let media_type = answer.media_type().map(str::to_owned);
        Ok(Answer { status: answer.status, media_type, body: answer.body })
    }
}
