//! Requests to other servers, blocking: the one place that knows their limits.
//!
//! An answer is bytes and a status, and nothing is believed of either. Time and length are bounded throughout, length
//! after decompression as well as before; redirects are not followed, since who named a server did not name another. A read
//! is tried again where that may help ([`AgentError::is_passing`]); what is sent is sent once, and its sender decides.
//!
//! Connections are kept and used again. An [`Agent`] may be used by many threads.

mod url;

#[cfg(test)]
pub(crate) mod tests;

pub use url::{Url, UrlError};

use std::io::{self, Read};
use std::thread;
use std::time::Duration;
use ureq::config::AutoHeaderValue;
use ureq::http::{HeaderMap, header};
use ureq::{Body, http};

/// How long a connection may take to come about, TLS included.
pub const CONNECT: Duration = Duration::from_secs(5);

/// How long a request may take until its answer is there whole.
pub const WHOLE: Duration = Duration::from_secs(30);

/// How long is waited before a read is tried again: as often as this has entries.
pub const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(800), Duration::from_millis(3200)];

/// How long a stream may say nothing: servers send a comment every 15 seconds.
pub const SILENCE: Duration = Duration::from_secs(45);

/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 16 << 10;

/// The most bytes that are read of an answer that is not the one asked for, in bytes.
const MAX_REFUSAL: u64 = 64 << 10;

/// How many connections to one server are kept for later.
const KEPT_CONNECTIONS: usize = 16;

/// How requests are made.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long a connection may take to come about.
    pub connect: Duration,
    /// How long a request may take until its answer is there whole.
    pub whole: Duration,
    /// How long is waited before a read is tried again, each time.
    pub pauses: Vec<Duration>,
    /// Certificates (PEM) that a server's must lead to, in place of the system's own.
    pub roots: Option<Vec<u8>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: CONNECT, whole: WHOLE, pauses: PAUSES.to_vec(), roots: None }
    }
}

/// Why there is no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The address is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// This program was built without TLS.
    #[error("this program was built without TLS, and cannot ask {0}")]
    NoTls(Url),
    /// The certificates to start from are none.
    #[error("no certificate (PEM) in what was given to check servers with")]
    Roots,
    /// The server answered with another status than the one asked for.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The server says that it is elsewhere.
    #[error("the server says it is at {to:?}; name that if you trust it, redirects are not followed")]
    Redirect {
        /// Where; empty where it does not say.
        to: String,
    },
    /// The answer is longer than what was asked for can be.
    #[error("the answer has more than {limit} bytes")]
    TooLong {
        /// The most it may have.
        limit: u64,
    },
    /// There was no answer in time, or not all of it.
    #[error("no answer in time")]
    TimedOut,
    /// There is no server of this name.
    #[error("there is no host of this name")]
    NoHost,
    /// The connection, or what came through it, is not in order.
    #[error("the connection failed: {0}")]
    Connection(#[source] Box<ureq::Error>),
}

impl AgentError {
    /// Whether asking again in a moment may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 429 | 502 | 503 | 504),
            Self::TimedOut => true,
            Self::Connection(error) => match &**error {
                ureq::Error::Io(error) => matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::BrokenPipe
                        | io::ErrorKind::UnexpectedEof
                        | io::ErrorKind::TimedOut
                ),
                ureq::Error::ConnectionFailed | ureq::Error::BodyStalled => true,
                _ => false,
            },
            _ => false,
        }
    }
}

impl From<ureq::Error> for AgentError {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::TimedOut,
            ureq::Error::HostNotFound => Self::NoHost,
            ureq::Error::BodyExceedsLimit(limit) => Self::TooLong { limit },
            other => Self::Connection(Box::new(other)),
        }
    }
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The content; of a refusal that is too long, nothing.
    pub body: Vec<u8>,
    headers: HeaderMap,
}

impl Answer {
    /// A header's value, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The media type, without its parameters.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        Some(self.header("content-type")?.split(';').next()?.trim())
    }
}

/// Makes requests of one server.
#[derive(Clone, Debug)]
pub struct Agent {
    agent: ureq::Agent,
    pauses: Vec<Duration>,
}

impl Agent {
    /// An agent for the server of a URL.
    ///
    /// # Errors
    /// [`AgentError::NoTls`], [`AgentError::Roots`].
    pub fn new(url: &Url, limits: &Limits) -> Result<Self, AgentError> {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .https_only(url.is_secure())
            .max_redirects(0)
            .user_agent(concat!("servanda/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(limits.connect))
            .timeout_global(Some(limits.whole))
            .max_response_header_size(MAX_HEAD)
            .max_idle_connections(KEPT_CONNECTIONS)
            .max_idle_connections_per_host(KEPT_CONNECTIONS);
        if url.is_loopback() {
            // Nothing is won by packing what does not leave this machine.
            config = config.accept_encoding(AutoHeaderValue::None).proxy(None);
        }
        if url.is_secure() {
            config = secure(config, url, limits)?;
        }
        Ok(Self { agent: config.build().new_agent(), pauses: limits.pauses.clone() })
    }

    /// Reads what lies at an address, of at most `limit` bytes; tries again where that may help.
    ///
    /// # Errors
    /// [`AgentError`]; of answers, those with a status that may pass.
    pub fn get(&self, address: &str, limit: u64) -> Result<Answer, AgentError> {
        let mut pauses = self.pauses.iter();
        loop {
            let answer = match self.agent.get(address).call() {
                Ok(response) => take(response, limit),
                Err(error) => Err(error.into()),
            };
            let error = match answer {
                Ok(answer) => match AgentError::Status(answer.status) {
                    passing if passing.is_passing() => passing,
                    _ => return Ok(answer),
                },
                Err(error) => error,
            };
            match pauses.next() {
                Some(pause) if error.is_passing() => thread::sleep(*pause),
                _ => return Err(error),
            }
        }
    }

    /// Sends something, once; gives the answer of at most `limit` bytes, whatever its status.
    ///
    /// # Errors
    /// [`AgentError`]: then it is not known whether the server did what it was asked.
    pub fn post(
        &self,
        address: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        limit: u64,
    ) -> Result<Answer, AgentError> {
        let request = self.agent.post(address);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        take(request.send(body)?, limit)
    }

    /// Opens a stream without an end, each part of which must come within [`SILENCE`].
    ///
    /// # Errors
    /// [`AgentError`], where it does not begin.
    pub fn stream(&self, address: &str, headers: &[(&str, &str)]) -> Result<Stream, AgentError> {
        let request =
            headers.iter().fold(self.agent.get(address), |r, (name, value)| r.header(*name, *value));
        let config = request.config().timeout_global(None).timeout_per_read(Some(SILENCE));
        let response = config.timeout_recv_response(Some(WHOLE)).accept_encoding("").build().call()?;
        match response.status().as_u16() {
            200 => Ok(Stream(response.into_body().into_reader())),
            status => Err(AgentError::Status(status)),
        }
    }
}

/// The bytes of a stream as they come.
pub struct Stream(ureq::BodyReader<'static>);

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

/// Reads an answer whole.
fn take(response: http::Response<Body>, limit: u64) -> Result<Answer, AgentError> {
    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    if head.status.is_redirection() && status != 304 {
        let to = head.headers.get(header::LOCATION).and_then(|to| to.to_str().ok());
        return Err(AgentError::Redirect { to: to.unwrap_or_default().to_owned() });
    }
    // Of what was announced as too long not a byte is read.
    let plain = !head.headers.contains_key(header::CONTENT_ENCODING);
    if status == 200 && plain && body.content_length().is_some_and(|announced| announced > limit) {
        return Err(AgentError::TooLong { limit });
    }
    let limit = if status == 200 { limit } else { limit.min(MAX_REFUSAL) };
    let body = match body.into_with_config().limit(limit).read_to_vec().map_err(AgentError::from) {
        Ok(body) => body,
        Err(AgentError::TooLong { .. }) if status != 200 => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(Answer { status, body, headers: head.headers })
}

type Config = ureq::config::ConfigBuilder<ureq::typestate::AgentScope>;

#[cfg(feature = "tls")]
fn secure(config: Config, _: &Url, limits: &Limits) -> Result<Config, AgentError> {
    use std::sync::Arc;
    use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
    let roots = match &limits.roots {
        None => RootCerts::PlatformVerifier,
        Some(pem) => {
            let mut certificates = Vec::new();
            for item in parse_pem(pem) {
                if let PemItem::Certificate(certificate) = item.map_err(|_| AgentError::Roots)? {
                    certificates.push(certificate);
                }
            }
            if certificates.is_empty() {
                return Err(AgentError::Roots);
            }
            RootCerts::from(certificates)
        }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider);
    Ok(config.tls_config(tls.build()))
}

#[cfg(not(feature = "tls"))]
fn secure(_: Config, url: &Url, _: &Limits) -> Result<Config, AgentError> {
    Err(AgentError::NoTls(url.clone()))
}
