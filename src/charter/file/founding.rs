//! The charter as its founders write it: `charter.toml`, and the files that it names.
//!
//! ```toml
//! origin = "guarantees.example/paris-2026"
//! title = "Paris Framework of Guarantees"
//! language = "en"
//! level = 1                           # may be left out
//!
//! [operator]
//! keys = "operator.keys.toml"         # a key set of the classes "govern" and "operate the log"
//! vkey = "keys/log.vkey"              # the file, or the vkey itself
//!
//! [[partner]]
//! handle = "de"
//! name = "Germany"
//! roles = ["guarantor"]
//! keys = "de.keys.toml"
//!
//! [[annex]]
//! label = "Treaty"
//! media_type = "application/pdf"
//! language = "en"
//! standing = "authentic"
//! file = "treaty.pdf"                 # or: size = 123456, sha256 = "64 hex"
//!
//! [rules]                             # may be left out, and any of them
//! longest_expiry = "30 days"
//! ```
//!
//! The rules are those of [`Rules`](crate::charter::Rules), field by field. A public key stands once in all these files,
//! whether of an officer, a witness or the log. What decides is the encoded charter that this gives; the file's bytes go
//! into the log's public part, and their SHA-256 into statement 0.

use super::keys::{self, Owners};
use super::rules::{Places, RawRules};
use super::{At, Content, FileError, Owner, ReadFile, Source, Wrong, bytes, one_line};
use crate::charter::{
    Annex, Charter, CharterError, Document, KeySet, LEVEL, Partner, Sealable, Standing, origin_fits,
};
use crate::field::{Handle, Roles, Short};
use crate::hash::{Hash, sha256};
use crate::key::vkey::{Kind, VKEY_MAX, Vkey, VkeyError};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;

/// The longest `charter.toml`, in bytes.
pub const MAX_CHARTER_FILE: u64 = 1 << 20;

/// The longest annex that is read to take its digest, in bytes. Of a longer one, size and sha256 can be given.
pub const MAX_ANNEX_FILE: u64 = 1 << 30;

/// What a log is founded on: a charter with all that it names, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// The charter.
    pub charter: Charter,
    /// The operator's key set.
    pub operator: KeySet,
    /// Each partner's key set, of which the charter holds the digest.
    pub partners: BTreeMap<Handle, KeySet>,
    /// The key that checkpoints are signed with.
    pub vkey: Vkey,
    /// `charter.toml`, byte for byte.
    pub text: Vec<u8>,
}

impl Founding {
    /// Reads a charter and what it names.
    ///
    /// # Errors
    /// [`FileError`] names file, line and what is wrong there.
    pub fn read(path: &Path, read: &mut ReadFile) -> Result<Self, FileError> {
        let unreadable = |why| Wrong::Unreadable { content: Content::Charter, why };
        let text = bytes(path, MAX_CHARTER_FILE, read).map_err(unreadable);
        let text = text.map_err(|wrong| FileError { file: path.to_owned(), line: None, wrong })?;
        let source = Source::of(path, &text)?;
        let raw: RawCharter = source.parse()?;
        Reader { source: &source, read, owners: Owners::default() }.founding(raw, text)
    }

    /// The SHA-256 of `charter.toml`.
    #[must_use]
    pub fn text_digest(&self) -> Hash {
        sha256(&self.text)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCharter {
    origin: Spanned<Short>,
    title: Spanned<Short>,
    language: Spanned<Short>,
    level: Option<Spanned<u16>>,
    operator: RawOperator,
    #[serde(default)]
    partner: Vec<RawPartner>,
    #[serde(default)]
    annex: Vec<RawAnnex>,
    #[serde(default)]
    rules: RawRules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOperator {
    keys: Spanned<String>,
    vkey: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPartner {
    handle: Spanned<Handle>,
    name: Spanned<Short>,
    roles: Spanned<Roles>,
    keys: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnnex {
    label: Spanned<Short>,
    media_type: Spanned<Short>,
    language: Spanned<Short>,
    standing: Standing,
    file: Option<Spanned<String>>,
    size: Option<u64>,
    sha256: Option<Hash>,
}

/// Reads what the charter names.
struct Reader<'a, 'r> {
    source: &'a Source,
    read: &'a mut ReadFile<'r>,
    owners: Owners,
}

impl Reader<'_, '_> {
    fn founding(mut self, raw: RawCharter, text: Vec<u8>) -> Result<Founding, FileError> {
        for line in [&raw.origin, &raw.title, &raw.language] {
            one_line(line).map_err(|at| self.source.error(at))?;
        }
        if !origin_fits(raw.origin.get_ref()) {
            let wrong = Wrong::Charter(CharterError::Origin(raw.origin.get_ref().clone()));
            return Err(self.source.error(At::new(raw.origin.span(), wrong)));
        }
        let vkey = self.vkey(&raw)?;
        let operator = self.keys(&Handle::operator(), &raw.operator.keys)?;
        let mut partners = BTreeMap::new();
        let mut named = Vec::new();
        // Handles before the files that they name: two alike would only show as keys used twice.
        self.handles(&raw.partner)?;
        for partner in &raw.partner {
            one_line(&partner.name).map_err(|at| self.source.error(at))?;
            let handle = partner.handle.get_ref();
            let set = self.keys(handle, &partner.keys)?;
            named.push(Partner {
                handle: handle.clone(),
                name: partner.name.get_ref().clone(),
                roles: *partner.roles.get_ref(),
                keys: set.digest(handle),
            });
            partners.insert(handle.clone(), set);
        }
        let mut annexes = Vec::new();
        for annex in &raw.annex {
            annexes.push(self.annex(annex)?);
        }
        let (rules, places) =
            raw.rules.fill(annexes.len(), &mut self.owners).map_err(|at| self.source.error(at))?;
        let level = raw.level.as_ref().map_or(LEVEL, |level| *level.get_ref());
        let charter = Charter {
            origin: raw.origin.get_ref().clone(),
            title: raw.title.into_inner(),
            language: raw.language.into_inner(),
            level,
            partners: named.into(),
            annexes: annexes.into(),
            rules,
        };
        self.check(&charter, raw.level.map(|level| level.span()), &raw.partner, &places)?;
        Ok(Founding { charter, operator, partners, vkey, text })
    }

    fn check(
        &self,
        charter: &Charter,
        level: Option<Range<usize>>,
        partners: &[RawPartner],
        places: &Places,
    ) -> Result<(), FileError> {
        let error = |span, wrong| self.source.error(At { span, wrong });
        charter.check().map_err(|wrong| {
            let span = match &wrong {
                CharterError::Level => level.clone(),
                CharterError::NoRole(handle) => {
                    let partner = partners.iter().find(|partner| partner.handle.get_ref() == handle);
                    partner.map(|partner| partner.roles.span())
                }
                CharterError::Rules(wrong) => places.of(wrong, &charter.rules),
                CharterError::Origin(_) | CharterError::NoPartners | CharterError::Handle(_) => None,
            };
            error(span, Wrong::Charter(wrong))
        })?;
        if charter.level > LEVEL {
            return Err(error(level, Wrong::Level(charter.level)));
        }
        Ok(())
    }

    /// Refuses a handle that is taken, or the operator's.
    fn handles(&self, partners: &[RawPartner]) -> Result<(), FileError> {
        let mut taken = vec![Handle::operator()];
        for handle in partners.iter().map(|partner| &partner.handle) {
            if taken.contains(handle.get_ref()) {
                let wrong = CharterError::Handle(handle.get_ref().clone());
                return Err(self.source.error(At::new(handle.span(), Wrong::Charter(wrong))));
            }
            taken.push(handle.get_ref().clone());
        }
        Ok(())
    }

    /// The key set in a file, whose keys were not seen in any before.
    fn keys(&mut self, handle: &Handle, file: &Spanned<String>) -> Result<KeySet, FileError> {
        let path = self.source.path(file.get_ref());
        keys::read_owned(&path, handle, self.read, &mut self.owners).map_err(|error| match error.wrong {
            // A file that is not there is wrong in the line that names it.
            Wrong::Unreadable { content, why } => {
                self.source.error(At::new(file.span(), Wrong::Named { content, path, why }))
            }
            wrong => FileError { wrong, ..error },
        })
    }

    fn vkey(&mut self, raw: &RawCharter) -> Result<Vkey, FileError> {
        let given = &raw.operator.vkey;
        let error = |wrong| self.source.error(At::new(given.span(), wrong));
        // No vkey is without a plus.
        let text = if given.get_ref().contains('+') {
            given.get_ref().clone()
        } else {
            let limit = VKEY_MAX as u64 + 2;
            let bytes = self.source.named(given.get_ref(), Content::Vkey, limit, self.read).map_err(error)?;
            String::from_utf8(bytes).map_err(|_| error(Wrong::Vkey(VkeyError::Parts)))?
        };
        let vkey: Vkey = text.trim_end().parse().map_err(|wrong| error(Wrong::Vkey(wrong)))?;
        if vkey.kind() != Kind::Log {
            return Err(error(Wrong::VkeyRole(vkey.name().to_owned())));
        }
        let origin = raw.origin.get_ref().as_str();
        if vkey.name() != origin {
            let (name, origin) = (vkey.name().to_owned(), origin.to_owned());
            return Err(error(Wrong::VkeyName { name, origin }));
        }
        Short::new(vkey.to_string())
            .map_err(|long| self.source.error(At::new(raw.origin.span(), Wrong::VkeyTooLong(long))))?;
        self.owners.add(vkey.key(), Owner::Log).map_err(error)?;
        Ok(vkey)
    }

    fn annex(&mut self, raw: &RawAnnex) -> Result<Annex, FileError> {
        let error = |at| self.source.error(at);
        for line in [&raw.label, &raw.media_type, &raw.language] {
            one_line(line).map_err(error)?;
        }
        let (size, sha256) = match (&raw.file, raw.size, raw.sha256) {
            (None, Some(size), Some(digest)) => (size, digest),
            (Some(file), None, None) => {
                let content = self.source.named(file.get_ref(), Content::Annex, MAX_ANNEX_FILE, self.read);
                let content = content.map_err(|wrong| error(At::new(file.span(), wrong)))?;
                (u64::try_from(content.len()).expect("a length fits"), sha256(&content))
            }
            _ => return Err(error(At::new(raw.label.span(), Wrong::AnnexContent))),
        };
        Ok(Sealable::Open(Document {
            label: raw.label.get_ref().clone(),
            media_type: raw.media_type.get_ref().clone(),
            language: raw.language.get_ref().clone(),
            standing: raw.standing,
            size,
            sha256,
        }))
    }
}
