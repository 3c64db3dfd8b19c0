//! The logs that a witness knows, from a file.
//!
//! The witness network's format (`logs/v0`): empty lines and lines that begin with `#` count for nothing, blanks around a
//! line neither; then, for each log, in this order:
//!
//! ```
//! # use servanda::witness::logs::Logs;
//! let text = "\
//! logs/v0
//!
//! ## The guarantees of Paris.
//! vkey log.example/audit+001e8832+AaodAL4JEwgdUh1uhHqXav0zmPRqV4kGGGoXF5f9V5AH
//! qpd 86400
//! contact audit@log.example
//! ";
//! let logs: Logs = text.parse()?;
//! assert!(logs.keys("log.example/audit").is_some());
//! # Ok::<(), servanda::witness::logs::LogsError>(())
//! ```
//!
//! Between `vkey` and `qpd` there may be `origin ORIGIN`, where the origin is not the key's name. An origin that stands
//! there twice has two keys, either of which may sign: so an operator is replaced without a gap. The requests a day are
//! checked for their form, and not counted: what anyone can send again in a log's name must not use up what it may send.

use crate::checkpoint::{BodyError, Checkpoint};
use crate::hash::EMPTY_ROOT;
use crate::key::vkey::{Kind, Vkey, VkeyError};
use crate::text::decimal_u64;
use std::collections::BTreeMap;
use std::str::FromStr;

/// The longest file, in bytes: the public lists have tens of thousands of logs.
pub const LOGS_MAX_BYTES: usize = 32 << 20;

/// The most logs.
pub const LOGS_MAX: usize = 100_000;

/// The most keys of one log.
pub const KEYS_MAX: usize = 8;

const FORMAT: &str = "logs/v0";

/// Why a text is no list of logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogsError {
    /// It is longer than a list may be.
    #[error("a list of {0} bytes, more than {LOGS_MAX_BYTES}")]
    TooLong(usize),
    /// It is not UTF-8.
    #[error("not UTF-8 from byte {0} on")]
    Utf8(usize),
    /// The last line has no end: the list may be cut off.
    #[error("the last line of the list has no line feed")]
    Unfinished,
    /// The first line that counts is another one.
    #[error("the list does not begin with the line {FORMAT}")]
    Format,
    /// A line is wrong.
    #[error("line {line}: {reason}")]
    Line {
        /// The number of the line, from 1 on.
        line: usize,
        /// What is wrong with it.
        reason: LineError,
    },
    /// The last log lacks lines.
    #[error("the last log lacks a line: want vkey, perhaps origin, qpd, contact")]
    Incomplete,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Another line belongs here.
    #[error("want {0}")]
    Expected(&'static str),
    /// The key is malformed or cannot be admitted.
    #[error(transparent)]
    Vkey(#[from] VkeyError),
    /// The key is a witness's.
    #[error("key {0} does not sign checkpoints")]
    Role(Box<Vkey>),
    /// No checkpoint that this program reads has such an origin.
    #[error(transparent)]
    Origin(#[from] BodyError),
    /// The requests a day are not a number from 1 to 2^31 − 1.
    #[error("want a decimal number from 1 to 2147483647")]
    Qpd,
    /// The same key stands there for the same log already.
    #[error("this key of {0} stands there already")]
    Twice(String),
    /// There are more logs than a list may have, or more keys than a log may have.
    #[error("more than {LOGS_MAX} logs, or more than {KEYS_MAX} keys of one")]
    TooMany,
}

/// Why a list cannot take the place of another while the witness works.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenewError {
    /// A log has other keys in it.
    #[error("log {0} has other keys in the new list: restart the witness if that is meant")]
    Rekeyed(String),
}

/// Logs by their origins, and the keys of each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logs(BTreeMap<String, Vec<Vkey>>);

impl Logs {
    /// Reads a list.
    ///
    /// # Errors
    /// [`LogsError`] says which line is wrong, and why.
    pub fn parse(bytes: &[u8]) -> Result<Self, LogsError> {
        if bytes.len() > LOGS_MAX_BYTES {
            return Err(LogsError::TooLong(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|e| LogsError::Utf8(e.valid_up_to()))?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(LogsError::Unfinished);
        }
        let numbered = (1..).zip(text.lines().map(str::trim));
        let mut lines = numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        if lines.next().is_none_or(|(_, line)| line != FORMAT) {
            return Err(LogsError::Format);
        }
        let mut reader = Reader::default();
        for (line, text) in lines {
            reader.line(text).map_err(|reason| LogsError::Line { line, reason })?;
        }
        if reader.want == Want::Vkey { Ok(reader.logs) } else { Err(LogsError::Incomplete) }
    }

    /// The keys that may sign for an origin; none where the log is not known.
    #[must_use]
    pub fn keys(&self, origin: &str) -> Option<&[Vkey]> {
        self.0.get(origin).map(Vec::as_slice)
    }

    /// The origins, in ascending order.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Adds the logs of another list to these. A log that is not in it stays; one that has other keys in it is an error,
    /// and then nothing is added.
    ///
    /// # Errors
    /// [`RenewError`].
    pub fn renewed(&self, new: &Self) -> Result<Self, RenewError> {
        let mut logs = self.clone();
        for (origin, keys) in &new.0 {
            let known = logs.0.entry(origin.clone()).or_insert_with(|| keys.clone());
            if known != keys {
                return Err(RenewError::Rekeyed(origin.clone()));
            }
        }
        Ok(logs)
    }

    fn add(&mut self, origin: String, vkey: Vkey) -> Result<(), LineError> {
        let full = self.0.len() >= LOGS_MAX && !self.0.contains_key(&origin);
        let keys = self.0.entry(origin).or_default();
        if keys.contains(&vkey) {
            return Err(LineError::Twice(vkey.to_string()));
        }
        if full || keys.len() == KEYS_MAX {
            return Err(LineError::TooMany);
        }
        keys.push(vkey);
        Ok(())
    }
}

impl FromStr for Logs {
    type Err = LogsError;

    fn from_str(text: &str) -> Result<Self, LogsError> {
        Self::parse(text.as_bytes())
    }
}

/// Which line comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Want {
    #[default]
    Vkey,
    OriginOrQpd,
    Qpd,
    Contact,
}

#[derive(Default)]
struct Reader {
    logs: Logs,
    want: Want,
    /// The log that is being read.
    vkey: Option<Vkey>,
    origin: Option<String>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), LineError> {
        let (word, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let value = value.trim_start();
        self.want = match (self.want, word) {
            (Want::Vkey, "vkey") => {
                let vkey: Vkey = value.parse()?;
                if vkey.kind() != Kind::Log {
                    return Err(LineError::Role(Box::new(vkey)));
                }
                self.vkey = Some(vkey);
                Want::OriginOrQpd
            }
            (Want::OriginOrQpd, "origin") => {
                Checkpoint::new(value, 0, EMPTY_ROOT)?;
                self.origin = Some(value.to_owned());
                Want::Qpd
            }
            (Want::OriginOrQpd | Want::Qpd, "qpd") => {
                let number = decimal_u64(value).filter(|n| (1..1 << 31).contains(n));
                number.ok_or(LineError::Qpd)?;
                Want::Contact
            }
            (Want::Contact, "contact") if !value.is_empty() => {
                let vkey = self.vkey.take().expect("a key was read before");
                let origin = self.origin.take().unwrap_or_else(|| vkey.name().to_owned());
                self.logs.add(origin, vkey)?;
                Want::Vkey
            }
            (Want::Vkey, _) => return Err(LineError::Expected("vkey VKEY")),
            (Want::OriginOrQpd, _) => return Err(LineError::Expected("origin ORIGIN, or qpd NUMBER")),
            (Want::Qpd, _) => return Err(LineError::Expected("qpd NUMBER")),
            (Want::Contact, _) => return Err(LineError::Expected("contact TEXT")),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;
    use proptest::prelude::*;

    fn vkey(name: &str, seed: u8) -> Vkey {
        Vkey::log(name, SigningKey::from_seed(&[seed; 32]).public()).unwrap()
    }

    fn log(vkey: &Vkey) -> String {
        format!("vkey {vkey}\nqpd 24\ncontact someone (at) there\n")
    }

    fn parse(logs: &str) -> Result<Logs, LogsError> {
        format!("logs/v0\n{logs}").parse()
    }

    fn wrong(line: usize, reason: LineError) -> Result<Logs, LogsError> {
        Err(LogsError::Line { line, reason })
    }

    #[test]
    fn logs_are_known_by_their_origins() {
        let (a, b) = (vkey("a.example", 1), vkey("b.example", 2));
        let with_origin = log(&b).replace("qpd", "origin other.example\nqpd");
        let text = format!("# a list\n\nlogs/v0\n  \n {}# no more\n{with_origin}", log(&a));
        let logs: Logs = text.parse().unwrap();
        assert_eq!(logs.keys("a.example"), Some(&[a][..]));
        assert_eq!(logs.keys("other.example"), Some(&[b][..]));
        assert_eq!(logs.keys("b.example"), None);
        assert_eq!(logs.origins().count(), 2);
        assert_eq!(parse("").unwrap(), Logs::default());
    }

    #[test]
    fn a_log_may_have_two_keys_and_none_twice() {
        let (old, new) = (vkey("a.example", 1), vkey("a.example", 2));
        let logs = parse(&(log(&old) + &log(&new))).unwrap();
        assert_eq!(logs.keys("a.example"), Some(&[old.clone(), new][..]));
        let twice = wrong(7, LineError::Twice(old.to_string()));
        assert_eq!(parse(&(log(&old) + &log(&old))), twice);
        let keys = |n: u8| (0..n).map(|seed| log(&vkey("a", seed))).collect::<String>();
        assert!(parse(&keys(8)).is_ok());
        assert_eq!(parse(&keys(9)), wrong(28, LineError::TooMany));
    }

    #[test]
    fn lines_stand_in_their_order() {
        let a = vkey("a.example", 1);
        let log = log(&a);
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(parse("qpd 24\n"), wrong(2, LineError::Expected("vkey VKEY")));
        let doubled = format!("{}\n{}\n", lines[0], lines[0]);
        assert_eq!(parse(&doubled), wrong(3, LineError::Expected("origin ORIGIN, or qpd NUMBER")));
        let no_contact = format!("{}\n{}\n", lines[0], lines[1]);
        assert_eq!(parse(&no_contact), Err(LogsError::Incomplete));
        assert_eq!(parse(&(no_contact + "contact\n")), wrong(4, LineError::Expected("contact TEXT")));
        assert_eq!("logs/v1\n".parse::<Logs>(), Err(LogsError::Format));
        assert_eq!("".parse::<Logs>(), Err(LogsError::Format));
        assert_eq!("logs/v0".parse::<Logs>(), Err(LogsError::Unfinished));
    }

    #[test]
    fn numbers_keys_and_origins_are_checked() {
        let a = vkey("a.example", 1);
        for bad in ["0", "2147483648", "+1", "01", "", "many"] {
            let text = log(&a).replace("qpd 24", &format!("qpd {bad}"));
            assert_eq!(parse(&text), wrong(3, LineError::Qpd), "{bad}");
        }
        assert!(parse(&log(&a).replace("qpd 24", "qpd 2147483647")).is_ok());
        let witness = Vkey::witness("w", SigningKey::from_seed(&[1; 32]).public()).unwrap();
        assert_eq!(parse(&log(&witness)), wrong(2, LineError::Role(Box::new(witness))));
        let text = log(&a).replace("qpd", "origin a tree\nqpd");
        assert!(matches!(
            parse(&text),
            Err(LogsError::Line { line: 3, reason: LineError::Origin(BodyError::Origin(_)) })
        ));
    }

    #[test]
    fn a_list_that_is_read_again_adds_and_never_rekeys() {
        let (a, b) = (vkey("a", 1), vkey("b", 2));
        let logs = parse(&log(&a)).unwrap();
        let both = logs.renewed(&parse(&log(&b)).unwrap()).unwrap();
        assert_eq!((both.keys("a"), both.keys("b")), (Some(&[a.clone()][..]), Some(&[b][..])));
        let other = vkey("a", 3);
        for text in [log(&other), log(&a) + &log(&other)] {
            let refused = logs.renewed(&parse(&text).unwrap());
            assert_eq!(refused, Err(RenewError::Rekeyed("a".to_owned())));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read(bytes: Vec<u8>) {
            let _ = Logs::parse(&bytes);
            let _ = Logs::parse(&[b"logs/v0\n", &bytes[..]].concat());
        }
    }
}
