//! Signed notes: a text, and under it the signatures of named keys.
//!
//! A note is text that ends in a line feed, an empty line, and one line per signature: an em dash (U+2014), a space, the
//! key's name, a space, and base64 of the four bytes of the key id before the signature (c2sp.org/signed-note):
//!
//! ```text
//! This is an example message.
//!
//! — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
//! ```
//!
//! The text may hold empty lines: the last one divides. [`Note::parse`] says only that the form is right;
//! [`Note::open`] says who signed. It owns the rules for known and unknown keys; what the bytes of a signature are
//! is the caller's to say, who knows what such a key signs.

use crate::key::vkey::{KEY_ID_LEN, Vkey, is_key_name};
use crate::text;

/// The longest note, in bytes: as in Go's `note` package.
pub const NOTE_MAX: usize = 1_000_000;

/// The most signatures on one note: as in Go's `note` package.
pub const SIGNATURES_MAX: usize = 100;

const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// Why bytes are not a note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The bytes are more than any note may have.
    #[error("note has {0} bytes, more than {NOTE_MAX}")]
    TooLong(usize),
    /// The bytes are not UTF-8.
    #[error("note is not UTF-8 from byte {0} on")]
    Utf8(usize),
    /// There is a control character other than the line feed.
    #[error("note has control character {byte:#04x} at byte {at}")]
    Control {
        /// The character.
        byte: u8,
        /// Where it stands, in bytes.
        at: usize,
    },
    /// No empty line divides text and signatures, nothing follows it, or the last line has no end.
    #[error("note has no block of signature lines, or an unfinished one")]
    NoSignatures,
    /// There are more signatures than a note may have.
    #[error("note has {0} signatures, more than {SIGNATURES_MAX}")]
    TooManySignatures(usize),
    /// A line below the text is no signature line.
    #[error(
        "line {0} of the signatures is not one: want an em dash, a key name, and base64 of key id and signature"
    )]
    SignatureLine(usize),
}

/// Why a note was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A known key's signature does not verify: the note was tampered with, whoever else signed it.
    #[error("signature by known key {name}+{} does not verify", hex::encode(.key_id))]
    BadSignature {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: [u8; KEY_ID_LEN],
    },
    /// Two of the keys given have the name and id of a signature.
    #[error("two known keys are called {name}+{}", hex::encode(.key_id))]
    AmbiguousKey {
        /// The keys' name.
        name: String,
        /// The keys' id.
        key_id: [u8; KEY_ID_LEN],
    },
    /// None of the keys given has signed.
    #[error("no signature by a known key")]
    NoKnownSignature,
}

/// A note whose form was checked, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A signature line, unverified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key that is said to have signed.
    pub name: String,
    /// The id of that key.
    pub key_id: [u8; KEY_ID_LEN],
    /// The signature, without the key id: at least one byte.
    pub bytes: Vec<u8>,
    /// The line as it stands in the note, without its end.
    pub line: String,
}

/// Whose signatures on a note verified, and which lines nobody could check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'k, T> {
    /// The keys that signed, in the order of their lines, each once, with what `check` made of the signature.
    pub verified: Vec<(&'k Vkey, T)>,
    /// The lines of unknown keys, each once, without their ends.
    pub unchecked: Vec<String>,
}

impl Note {
    /// Reads a note, and checks its form alone.
    ///
    /// # Errors
    /// [`NoteError`] says what is malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_MAX {
            return Err(NoteError::TooLong(bytes.len()));
        }
        let note = std::str::from_utf8(bytes).map_err(|e| NoteError::Utf8(e.valid_up_to()))?;
        if let Some(at) = bytes.iter().position(|&b| b < 0x20 && b != b'\n') {
            return Err(NoteError::Control { byte: bytes[at], at });
        }
        let divide = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, signatures) = (&note[..=divide], &note[divide + 2..]);
        let lines = text::lines(signatures).ok_or(NoteError::NoSignatures)?;
        let count = lines.clone().count();
        if count > SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures(count));
        }
        let signatures = lines
            .enumerate()
            .map(|(i, line)| NoteSignature::parse(line).ok_or(NoteError::SignatureLine(i + 1)))
            .collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text that is signed, its last line feed included.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in the order of their lines.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Verifies the signatures of known keys; lines by others are left unchecked (c2sp.org/signed-note).
    ///
    /// `check` gets a key and the bytes signed under its name and id, without the id, and says none if they do not
    /// verify over this note's text. Every line of a known key must verify; of several by one key the first counts.
    ///
    /// # Errors
    /// [`OpenError`], if a known key's signature is bad, two keys share name and id, or no known key signed.
    pub fn open<'k, T>(
        &self,
        keys: &[&'k Vkey],
        check: impl Fn(&'k Vkey, &[u8]) -> Option<T>,
    ) -> Result<Opened<'k, T>, OpenError> {
        let ids: Vec<_> = keys.iter().map(|key| key.key_id()).collect();
        let mut opened = Opened { verified: Vec::new(), unchecked: Vec::new() };
        for NoteSignature { name, key_id, bytes, line } in &self.signatures {
            let mut known = keys
                .iter()
                .zip(&ids)
                .filter(|(key, id)| key.name() == name && *id == key_id)
                .map(|(key, _)| *key);
            let Some(key) = known.next() else {
                if !opened.unchecked.contains(line) {
                    opened.unchecked.push(line.clone());
                }
                continue;
            };
            if known.next().is_some() {
                return Err(OpenError::AmbiguousKey { name: name.clone(), key_id: *key_id });
            }
            let Some(proof) = check(key, bytes) else {
                return Err(OpenError::BadSignature { name: name.clone(), key_id: *key_id });
            };
            if !opened.verified.iter().any(|(seen, _)| *seen == key) {
                opened.verified.push((key, proof));
            }
        }
        if opened.verified.is_empty() { Err(OpenError::NoKnownSignature) } else { Ok(opened) }
    }
}

impl NoteSignature {
    /// Reads a signature line, given without its end; none if it is not one.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
        let bytes = text::from_base64(base64)?;
        let (key_id, bytes) = bytes.split_first_chunk()?;
        if !is_key_name(name) || bytes.is_empty() {
            return None;
        }
        Some(Self { name: name.to_owned(), key_id: *key_id, bytes: bytes.to_vec(), line: line.to_owned() })
    }
}

/// Writes the line of a signature, its end included.
#[must_use]
pub fn signature_line(vkey: &Vkey, signature: &[u8]) -> String {
    let mut bytes = vkey.key_id().to_vec();
    bytes.extend(signature);
    format!("{SIGNATURE_PREFIX}{} {}\n", vkey.name(), text::base64(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;
    use proptest::prelude::*;

    const EXAMPLE: &str = "This is an example message.\n\n\
        — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    const FOO: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    fn open<'k>(note: &str, keys: &[&'k Vkey]) -> Result<Opened<'k, ()>, OpenError> {
        let note = Note::parse(note.as_bytes()).unwrap();
        note.open(keys, |vkey, bytes| vkey.key().holds(note.text().as_bytes(), bytes).then_some(()))
    }

    fn signed(text: &str, name: &str, seed: u8) -> (Vkey, String) {
        let key = SigningKey::from_seed(&[seed; 32]);
        let vkey = Vkey::log(name, key.public()).unwrap();
        let line = signature_line(&vkey, &key.sign(text.as_bytes()));
        (vkey, line)
    }

    #[test]
    fn the_example_of_the_specification_opens() {
        let foo: Vkey = FOO.parse().unwrap();
        assert_eq!(open(EXAMPLE, &[&foo]).unwrap(), Opened { verified: vec![(&foo, ())], unchecked: vec![] });
    }

    #[test]
    fn a_signature_line_is_written_as_it_is_read() {
        let (_, line) = signed("text\n", "a", 1);
        let note = Note::parse(format!("text\n\n{line}").as_bytes()).unwrap();
        assert_eq!(format!("{}\n", note.signatures()[0].line), line);
        assert_eq!(note.text(), "text\n");
    }

    #[test]
    fn a_name_or_an_id_alone_makes_no_known_key() {
        let (a, line_a) = signed("t\n", "a", 1);
        let (same_name, _) = signed("t\n", "a", 2);
        let note = format!("t\n\n{line_a}");
        assert_eq!(open(&note, &[&same_name]), Err(OpenError::NoKnownSignature));
        let renamed = note.replace("— a ", "— b ");
        assert_eq!(open(&renamed, &[&a]), Err(OpenError::NoKnownSignature));
    }

    #[test]
    fn a_bad_signature_by_a_known_key_spoils_a_good_one() {
        let ((a, good), (b, bad)) = (signed("t\n", "a", 1), signed("other\n", "b", 2));
        let bad_b = OpenError::BadSignature { name: "b".into(), key_id: b.key_id() };
        assert_eq!(open(&format!("t\n\n{good}{bad}"), &[&a, &b]), Err(bad_b));
        let opened = open(&format!("t\n\n{good}{bad}{bad}"), &[&a]).unwrap();
        assert_eq!((opened.verified.len(), opened.unchecked), (1, vec![bad.trim_end().to_owned()]));
        // A second line by the same key is checked like the first.
        let (_, again) = signed("other\n", "a", 1);
        assert!(matches!(open(&format!("t\n\n{good}{again}"), &[&a]), Err(OpenError::BadSignature { .. })));
    }

    #[test]
    fn whoever_signs_twice_counts_once_among_all_who_signed() {
        let ((a, line_a), (b, line_b)) = (signed("t\n", "a", 1), signed("t\n", "b", 2));
        let opened = open(&format!("t\n\n{line_a}{line_b}{line_a}"), &[&a, &b]).unwrap();
        assert_eq!(opened, Opened { verified: vec![(&a, ()), (&b, ())], unchecked: vec![] });
    }

    #[test]
    fn the_same_key_twice_is_ambiguous_once_it_signed() {
        let ((a, line), (b, line_b)) = (signed("t\n", "a", 1), signed("t\n", "b", 2));
        let twice = [&a, &b, &a];
        assert!(matches!(open(&format!("t\n\n{line}"), &twice), Err(OpenError::AmbiguousKey { .. })));
        assert!(open(&format!("t\n\n{line_b}"), &twice).is_ok());
    }

    #[test]
    fn malformed_notes_are_refused() {
        use NoteError::*;
        let refused = |note: &str| Note::parse(note.as_bytes()).unwrap_err();
        assert_eq!(refused(&EXAMPLE.replace('—', "-")), SignatureLine(1));
        assert_eq!(refused(&EXAMPLE.replace("foo ", "foo  ")), SignatureLine(1));
        assert_eq!(refused(&EXAMPLE.replace("/foo", "+foo")), SignatureLine(1));
        assert_eq!(refused(&EXAMPLE.replace("/foo", "\u{a0}foo")), SignatureLine(1));
        assert_eq!(refused(&EXAMPLE.replace("aQM=", "aQN=")), SignatureLine(1));
        assert_eq!(refused("t\n\n— a AAAAAA==\n"), SignatureLine(1)); // a key id and no signature
        assert_eq!(refused(&format!("{EXAMPLE}stray\n")), SignatureLine(2));
        assert_eq!(refused(&format!("{EXAMPLE}\n")), NoSignatures);
        assert_eq!(refused(&EXAMPLE.replace("example message", "\t")), Control { byte: b'\t', at: 11 });
        assert_eq!(refused(&EXAMPLE.replace('\n', "\r\n")), Control { byte: b'\r', at: 27 });
        assert_eq!(refused(EXAMPLE.trim_end()), NoSignatures);
        assert_eq!(refused("t\n\n"), NoSignatures);
        assert_eq!(refused("t\n"), NoSignatures);
        assert_eq!(Note::parse(b"t\xff\n\n"), Err(Utf8(1)));
    }

    #[test]
    fn empty_lines_belong_to_the_text() {
        let foo: Vkey = FOO.parse().unwrap();
        let refused = open(&EXAMPLE.replace("\n\n", "\n\n\n"), &[&foo]);
        assert!(matches!(refused, Err(OpenError::BadSignature { .. })));
        let (_, line) = signed("a\n\nb\n\n", "a", 1);
        assert_eq!(Note::parse(format!("a\n\nb\n\n\n{line}").as_bytes()).unwrap().text(), "a\n\nb\n\n");
    }

    #[test]
    fn the_101st_signature_and_the_byte_past_the_limit_are_refused() {
        let line = EXAMPLE.split("\n\n").last().unwrap();
        let note = |signatures: usize| format!("t\n\n{}", line.repeat(signatures));
        assert!(Note::parse(note(SIGNATURES_MAX).as_bytes()).is_ok());
        let refused = Note::parse(note(SIGNATURES_MAX + 1).as_bytes());
        assert_eq!(refused, Err(NoteError::TooManySignatures(SIGNATURES_MAX + 1)));
        let padded = |len: usize| format!("{}{EXAMPLE}", "x".repeat(len - EXAMPLE.len()));
        assert!(Note::parse(padded(NOTE_MAX).as_bytes()).is_ok());
        assert_eq!(Note::parse(padded(NOTE_MAX + 1).as_bytes()), Err(NoteError::TooLong(NOTE_MAX + 1)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_kept_whole(bytes: Vec<u8>) {
            let _ = Note::parse(&bytes);
        }

        #[test]
        fn what_was_parsed_is_all_there_was(note in "([ab \n—]{0,8}\n\n)?(— [ab]{0,2} [A-Z]{8}(==)?\n){0,3}") {
            if let Ok(parsed) = Note::parse(note.as_bytes()) {
                let lines: String = parsed.signatures().iter().map(|s| format!("{}\n", s.line)).collect();
                prop_assert_eq!(format!("{}\n{lines}", parsed.text()), note);
            }
        }
    }
}
