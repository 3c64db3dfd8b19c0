//! Key-set files: who signs for a partner, and how many of them must.
//!
//! ```toml
//! [thresholds]
//! govern = 2
//! commit = 2
//! operate = 1
//!
//! [[officer]]
//! title = "Minister of Defence"
//! key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqIxc4yFbfaC/gZJX6Ge2zYTcz3mXBrhPQLf1ml1nXA de-defence"
//! classes = ["govern", "commit"]
//!
//! [[officer]]
//! title = "Foreign Minister"
//! key_file = "foreign.pub"        # relative to this file
//! classes = ["govern", "commit", "operate"]
//! ```
//!
//! The officer number is the position. A threshold may be left out only where nobody holds the class. Order and content
//! decide the set's digest; comments of keys are for people and no part of it.

use super::{At, Content, FileError, Owner, ReadFile, Source, Wrong, bytes, one_line};
use crate::charter::{KeySet, KeySetError, Officer};
use crate::codec::encode;
use crate::field::{Class, Classes, Handle, Short};
use crate::key::openssh::{KeyFileError, MAX_LINE_LEN, PublicLine};
use crate::key::{ED25519, VerifyingKey};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;

/// The longest key-set file, in bytes.
pub const MAX_KEYS_FILE: u64 = 1 << 20;

/// The most bytes of an encoded key set: the statement that brings it into force, of class 0, has at most 16,384, of which
/// all else takes less than 300. A charter could bind a partner to a longer one, with which it could never accede.
pub const MAX_KEY_SET: usize = 16_000;

/// Reads a key-set file, and checks it as the set of that partner or of the operator.
///
/// # Errors
/// [`FileError`] names file, line and what is wrong there.
pub fn read(path: &Path, handle: &Handle, read: &mut ReadFile) -> Result<KeySet, FileError> {
    read_owned(path, handle, read, &mut Owners::default())
}

/// Writes a key set as such a file. A key that could not be registered is shown as what it is, and not read back.
#[must_use]
pub fn to_toml(set: &KeySet) -> String {
    let mut text = String::new();
    write(&mut text, set, "").expect("writing to a text does not fail");
    text
}

/// The keys seen so far, each with whose it is.
#[derive(Default)]
pub(super) struct Owners(BTreeMap<[u8; 32], Owner>);

impl Owners {
    /// Refuses a key that has an owner already.
    pub(super) fn add(&mut self, key: &VerifyingKey, here: Owner) -> Result<(), Wrong> {
        match self.0.get(&key.to_bytes()) {
            Some(there) => Err(Wrong::KeyTwice { here, there: there.clone() }),
            None => {
                self.0.insert(key.to_bytes(), here);
                Ok(())
            }
        }
    }
}

/// The same, with the keys of all sets read so far.
pub(super) fn read_owned(
    path: &Path,
    handle: &Handle,
    read: &mut ReadFile,
    owners: &mut Owners,
) -> Result<KeySet, FileError> {
    let unreadable = |why| Wrong::Unreadable { content: Content::Keys, why };
    let text = bytes(path, MAX_KEYS_FILE, read).map_err(unreadable);
    let text = text.map_err(|wrong| FileError { file: path.to_owned(), line: None, wrong })?;
    let source = Source::of(path, &text)?;
    let raw: RawKeys = source.parse()?;
    let mut public = |named: &str| {
        let line = source.named(named, Content::PublicKey, MAX_LINE_LEN as u64, read)?;
        let line = std::str::from_utf8(&line).map_err(|_| KeyFileError::NotAPublicLine);
        line.and_then(PublicLine::parse).map_err(|error| Wrong::KeyFile { path: source.path(named), error })
    };
    let placed = raw.check(handle, &mut public).map_err(|at| source.error(at))?;
    let len = encode(&placed.set).len();
    if len > MAX_KEY_SET {
        return Err(FileError { file: path.to_owned(), line: None, wrong: Wrong::SetTooLong(len) });
    }
    for (officer, (key, span)) in placed.keys.iter().zip(placed.spans).enumerate() {
        owners
            .add(key, Owner::Officer(handle.clone(), officer))
            .map_err(|wrong| source.error(At::new(span, wrong)))?;
    }
    Ok(placed.set)
}

/// Writes a key set; its tables stand below `parent`, which is empty or ends in a dot.
pub(crate) fn write(text: &mut impl std::fmt::Write, set: &KeySet, parent: &str) -> std::fmt::Result {
    writeln!(text, "[{parent}thresholds]")?;
    for class in Class::ALL.iter().filter(|class| set.threshold(**class) > 0) {
        writeln!(text, "{} = {}", field(*class), set.threshold(*class))?;
    }
    for officer in &set.officers {
        let key = VerifyingKey::admit(&officer.key);
        let key = key.map(|key| PublicLine { key, comment: String::new() }.to_string());
        let classes: Vec<_> = officer.classes.iter().map(|class| quoted(class.name())).collect();
        writeln!(text, "\n[[{parent}officer]]")?;
        writeln!(text, "title = {}", quoted(&officer.title))?;
        writeln!(text, "key = {}", quoted(&key.unwrap_or_else(|_| hex::encode(&*officer.key))))?;
        writeln!(text, "classes = [{}]", classes.join(", "))?;
    }
    Ok(())
}

/// A class as the name of a field: quoted where it has blanks.
fn field(class: Class) -> String {
    let name = class.name();
    if name.contains(' ') { quoted(name) } else { name.to_owned() }
}

/// A text as TOML writes it on one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                write!(out, "\\u{:04X}", u32::from(c)).expect("writing to a text does not fail")
            }
            c => out.push(c),
        }
    }
    out + "\""
}

/// A key set as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawKeys {
    #[serde(default)]
    pub(crate) thresholds: Option<Spanned<Thresholds>>,
    #[serde(default)]
    pub(crate) officer: Vec<RawOfficer>,
}

/// Thresholds as written, by the names of classes.
pub(crate) type Thresholds = BTreeMap<Spanned<String>, Spanned<u8>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOfficer {
    title: Spanned<Short>,
    key: Option<Spanned<String>>,
    key_file: Option<Spanned<String>>,
    classes: Spanned<Classes>,
}

/// A key set that was checked, and where each officer's key stands.
pub(crate) struct Placed {
    pub(crate) set: KeySet,
    pub(crate) keys: Vec<VerifyingKey>,
    pub(crate) spans: Vec<Range<usize>>,
}

impl RawKeys {
    /// Checks it as the set of that partner or of the operator; `public` gives what stands in a `key_file`.
    pub(crate) fn check(
        self,
        handle: &Handle,
        public: &mut dyn FnMut(&str) -> Result<PublicLine, Wrong>,
    ) -> Result<Placed, At> {
        let mut spans = Vec::new();
        let mut classes = Vec::new();
        let mut officers = Vec::new();
        for raw in self.officer {
            one_line(&raw.title)?;
            let (key, span) = key(&raw, public)?;
            spans.push(span);
            classes.push(raw.classes.span());
            officers.push(Officer {
                title: raw.title.into_inner(),
                algorithm: ED25519,
                key: key.to_bytes().to_vec().into(),
                classes: raw.classes.into_inner(),
            });
        }
        let mut set = KeySet { officers: officers.into(), thresholds: [0; 5] };
        let section = self.thresholds.as_ref().map(Spanned::span);
        let lines = thresholds(&mut set, self.thresholds.map(Spanned::into_inner).unwrap_or_default())?;
        for &class in Class::ALL {
            let (holders, given) = (set.holders(class), lines.contains_key(&class));
            if holders > 0 && !given {
                return Err(At { span: section, wrong: Wrong::NoThreshold { class, holders } });
            }
        }
        let keys = set.admit(handle).map_err(|error| {
            let span = match &error {
                KeySetError::TooMany(_) => spans.get(crate::charter::keyset::MAX_OFFICERS),
                KeySetError::Algorithm { officer, .. }
                | KeySetError::Key { officer, .. }
                | KeySetError::Twice(_, officer) => spans.get(*officer),
                KeySetError::Class { officer, .. } => classes.get(*officer),
                KeySetError::Threshold { class, .. } => lines.get(class),
                KeySetError::NoGovern => section.as_ref(),
            };
            At { span: span.cloned(), wrong: Wrong::Set(error) }
        })?;
        Ok(Placed { set, keys, spans })
    }
}

/// Takes over the thresholds, and tells where each stands.
fn thresholds(set: &mut KeySet, given: Thresholds) -> Result<BTreeMap<Class, Range<usize>>, At> {
    let mut lines = BTreeMap::new();
    for (name, threshold) in given {
        let span = name.span();
        let class = Class::from_name(name.get_ref());
        let class = class.ok_or_else(|| At::new(span.clone(), Wrong::Class(name.into_inner())))?;
        set.thresholds[usize::from(class.number())] = threshold.into_inner();
        lines.insert(class, span);
    }
    Ok(lines)
}

/// The officer's key, and where it stands.
fn key(
    raw: &RawOfficer,
    public: &mut dyn FnMut(&str) -> Result<PublicLine, Wrong>,
) -> Result<(VerifyingKey, Range<usize>), At> {
    let (line, span) = match (&raw.key, &raw.key_file) {
        (Some(line), None) => (PublicLine::parse(line.get_ref()).map_err(Wrong::Key), line.span()),
        (None, Some(file)) => (public(file.get_ref()), file.span()),
        (None, None) => (Err(Wrong::OneKey), raw.title.span()),
        (Some(_), Some(file)) => (Err(Wrong::OneKey), file.span()),
    };
    match line {
        Ok(line) => Ok((line.key, span)),
        Err(wrong) => Err(At::new(span, wrong)),
    }
}
