//! Addresses of servers: `http://` or `https://`, a host, perhaps a port and a path.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The longest URL, in bytes.
pub const MAX_URL: usize = 2048;

/// Why a text is no address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is longer than a URL may be.
    #[error("a URL of {0} bytes, more than {MAX_URL}")]
    TooLong(usize),
    /// It begins with another scheme, or none.
    #[error("not a URL that begins with http:// or https://: {0:?}")]
    Scheme(String),
    /// It names no host, or not in the form that hosts have.
    #[error("the URL names no host: {0:?}")]
    Host(String),
    /// It holds a user's name, a question or a fragment, which nothing here needs.
    #[error("a URL with {what} in it: {url:?}")]
    Surplus {
        /// What it holds.
        what: &'static str,
        /// The URL.
        url: String,
    },
    /// It holds a character that no URL has.
    #[error("a URL cannot hold {0:?}")]
    Character(char),
}

/// The address of a server, or of a place on it: a prefix, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url(String);

impl Url {
    /// The address of what lies below the prefix, by its path without a slash before it.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.0)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is asked is asked by TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether the server is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        host == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// The host's name or address, as it was written.
    fn host(&self) -> &str {
        host_of(self.0.split_once("://").map_or("", |(_, rest)| rest).split('/').next().unwrap_or(""))
    }
}

fn host_of(authority: &str) -> &str {
    match authority.rfind(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next().unwrap_or(""),
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        if text.len() > MAX_URL {
            return Err(UrlError::TooLong(text.len()));
        }
        let no = |error: fn(String) -> UrlError| error(text.to_owned());
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let rest = rest.ok_or_else(|| no(UrlError::Scheme))?;
        let is_url = |c: &char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(*c);
        if let Some(bad) = text.chars().find(|c| !is_url(c)) {
            return Err(UrlError::Character(bad));
        }
        for (sign, what) in [('@', "a user's name"), ('?', "a question"), ('#', "a fragment")] {
            if text.contains(sign) {
                return Err(UrlError::Surplus { what, url: text.to_owned() });
            }
        }
        let authority = rest.split('/').next().unwrap_or("");
        let host = host_of(authority);
        let port = &authority[host.len()..];
        let good_port = port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok());
        let good_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
            }
        };
        if !good_host || !good_port {
            return Err(no(UrlError::Host));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> Result<Url, UrlError> {
        text.parse()
    }

    #[test]
    fn a_url_is_a_prefix() {
        for (text, object) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/checkpoint"),
            ("https://log.example/paris//", "https://log.example/paris/checkpoint"),
            ("http://[::1]:80/", "http://[::1]:80/checkpoint"),
        ] {
            assert_eq!(url(text).unwrap().at("checkpoint"), object);
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        let scheme = |t: &str| UrlError::Scheme(t.to_owned());
        let host = |t: &str| UrlError::Host(t.to_owned());
        let surplus = |what, t: &str| UrlError::Surplus { what, url: t.to_owned() };
        for (text, want) in [
            ("", scheme("")),
            ("ftp://a", scheme("ftp://a")),
            ("HTTP://a", scheme("HTTP://a")),
            ("http://", host("http://")),
            ("http:///a", host("http:///a")),
            ("http://:80", host("http://:80")),
            ("http://a:b", host("http://a:b")),
            ("http://a:65536", host("http://a:65536")),
            ("http://[::1", host("http://[::1")),
            ("http://[1.2.3.4]", host("http://[1.2.3.4]")),
            ("http://[::1]x", host("http://[::1]x")),
            ("http://me@a", surplus("a user's name", "http://me@a")),
            ("http://a?b", surplus("a question", "http://a?b")),
            ("http://a#b", surplus("a fragment", "http://a#b")),
            ("http://a b", UrlError::Character(' ')),
            ("http://a\n", UrlError::Character('\n')),
            ("http://ä", UrlError::Character('ä')),
        ] {
            assert_eq!(url(text), Err(want), "{text:?}");
        }
        let longest = format!("http://{}", "a".repeat(MAX_URL - 7));
        assert!(url(&longest).is_ok());
        assert_eq!(url(&(longest + "a")), Err(UrlError::TooLong(MAX_URL + 1)));
    }

    #[test]
    fn this_machine_is_known_by_its_addresses_and_by_name() {
        for text in ["http://localhost", "http://127.1.2.3:80/a", "https://[::1]:443"] {
            assert!(url(text).unwrap().is_loopback(), "{text}");
        }
        for text in
            ["http://localhost.example", "http://10.0.0.1", "http://[fe80::1]", "http://127.0.0.1.example"]
        {
            assert!(!url(text).unwrap().is_loopback(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_url_or_refused_and_reads_back(text in "(https?://)?[ -~]{0,40}|.{0,40}") {
            if let Ok(read) = url(&text) {
                prop_assert_eq!(url(read.as_str()), Ok(read.clone()));
            }
        }
    }
}
