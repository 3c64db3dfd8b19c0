//! Webhooks: alerts posted and signed, as Standard Webhooks has it.
//!
//! ```text
//! webhook-id: alert_IDENTITY
//! webhook-timestamp: SECONDS
//! webhook-signature: v1,BASE64(HMAC-SHA256(secret, id || "." || timestamp || "." || body))
//! ```
//!
//! The secret is a text `whsec_BASE64` of 24 to 64 bytes. The id is the alert's identity: whoever gets it twice has it once.

use crate::cli::files;
use crate::cli::problem::{Hint as _, Problem};
use anyhow::Result;
use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use servanda::agent::{Agent, AgentError, Url};
use sha2::Sha256;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The longest answer that is read, in bytes: nothing in it is used.
const MAX_ANSWER: u64 = 1 << 16;

/// The longest secret's file, in bytes.
const MAX_SECRET: u64 = 256;

/// How many bytes a secret has.
const SECRET_LEN: std::ops::RangeInclusive<usize> = 24..=64;

/// Where alerts are posted.
pub struct Webhook {
    agent: Agent,
    url: Url,
    secret: Vec<u8>,
}

/// Reads a secret.
///
/// # Errors
/// When the file holds none.
pub fn secret(path: &Path) -> Result<Vec<u8>> {
    let read = files::read(path, MAX_SECRET)
        .or_hint(|| format!("{} cannot be read", path.display()), || "look for a typing error".to_owned())?;
    let text = String::from_utf8(read).unwrap_or_default();
    let bytes = text.trim().strip_prefix("whsec_").and_then(|text| Base64::decode_vec(text).ok());
    bytes.filter(|bytes| SECRET_LEN.contains(&bytes.len())).ok_or_else(|| {
        Problem::new(format!("{} holds no webhook secret", path.display()))
            .hint("want whsec_ and the base64 of 24 to 64 random bytes: echo whsec_$(head -c 32 /dev/urandom | base64)")
            .into()
    })
}

impl Webhook {
    /// A webhook at a URL.
    ///
    /// # Errors
    /// When it is no URL, or servers like it cannot be asked.
    pub fn new(url: &str, secret: Vec<u8>) -> Result<Self> {
        let url: Url = url.parse().map_err(AgentError::from)?;
        let agent = Agent::new(&url, &crate::cli::net::limits())?;
        Ok(Self { agent, url, secret })
    }

    /// Posts an alert; only an answer of 2xx is one that has it.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub fn post(&self, id: &str, body: &str) -> Result<(), String> {
        let id = format!("alert_{id}");
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = since.as_secs().to_string();
        let signature = signature(&self.secret, &id, &timestamp, body);
        let headers = [
            ("content-type", "application/json"),
            ("webhook-id", id.as_str()),
            ("webhook-timestamp", timestamp.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        match self.agent.post(self.url.as_str(), &headers, body.as_bytes(), MAX_ANSWER) {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(format!("status {}", answer.status)),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn signature(secret: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length will do");
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", Base64::encode_string(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_example_is_signed_alike() {
        let secret = Base64::decode_vec("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        let got = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        assert_eq!(got, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
