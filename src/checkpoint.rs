//! Checkpoints: what a log says about itself, signed.
//!
//! Three lines, each with its end: the origin, the size in decimal, the root in base64 (c2sp.org/tlog-checkpoint), as
//! the text of a signed note:
//!
//! ```text
//! example.com/log/testdata
//! 15
//! rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=
//!
//! — example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=
//! ```
//!
//! The origin is the name of the log's key (c2sp.org/tlog-policy), 1 to 255 bytes; the size is at most 2^63 − 1; a log of
//! size 0 has the empty root. Extension lines are refused: nobody could check them.
//!
//! Three types keep the steps apart. A [`Checkpoint`] is what the log's writer makes, and signs. What arrives is a
//! [`SignedCheckpoint`]: its form is right, and what it says is a [`Claim`], good for nothing but to find out whom to ask.
//! Only [`open`] makes a [`VerifiedCheckpoint`] of it: signed by a log of the policy under its own origin, cosigned by a
//! quorum.

use crate::cosignature;
use crate::hash::{EMPTY_ROOT, Hash};
use crate::key::SigningKey;
use crate::key::vkey::{KEY_NAME_MAX, Kind, Vkey, is_vkey_name};
use crate::note::{Note, NoteError, NoteSignature, OpenError, Opened, signature_line};
use crate::policy::Policy;
use crate::text::{self, decimal_u64, hash_from_base64};
use std::fmt;

/// The greatest size of a log: implementations elsewhere count in signed 64-bit numbers.
pub const SIZE_MAX: u64 = i64::MAX as u64;

/// Why a text is not that of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// There are other than three lines: one is missing, or there are extension lines.
    #[error("checkpoint has {0} lines, want 3: origin, size, root")]
    Lines(usize),
    /// The origin is empty, too long, or holds what a key's name cannot.
    #[error("not an origin: {0:?}")]
    Origin(String),
    /// The size is not a decimal number in its one form, or greater than 2^63 − 1.
    #[error("not a size: {0:?}, want a decimal number up to {SIZE_MAX}")]
    Size(String),
    /// The root is not 32 bytes in base64.
    #[error("root is not 32 bytes in base64")]
    Root,
    /// The size is 0 and the root not the empty one.
    #[error("size is 0, but root {0} is not that of an empty tree")]
    EmptyRoot(Hash),
}

/// Why a checkpoint was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is no note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The note's text is no checkpoint.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The policy has no log of this origin.
    #[error("no key is known for origin {0:?}")]
    UnknownOrigin(String),
    /// A signature by a key of the policy is bad, or ambiguous.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Witnesses have cosigned, the log has not signed.
    #[error("not signed by the log {0:?}")]
    NotSigned(String),
    /// Those who cosigned are no quorum.
    #[error("cosigned by {} of {}{}: no quorum", .cosigned.len(), text::count(.of, "witness", "witnesses"), listed(.cosigned))]
    Quorum {
        /// The witnesses that did, by their names in the policy.
        cosigned: Vec<String>,
        /// The number of witnesses in the policy.
        of: usize,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

/// The state of a log: origin, size, root. Made by its writer, or found inside a [`VerifiedCheckpoint`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
}

impl Checkpoint {
    /// States size and root of the log of an origin.
    ///
    /// # Errors
    /// [`BodyError`], if they cannot stand in a checkpoint.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, BodyError> {
        if !is_vkey_name(origin) {
            return Err(BodyError::Origin(excerpt(origin)));
        }
        if size > SIZE_MAX {
            return Err(BodyError::Size(size.to_string()));
        }
        if size == 0 && root != EMPTY_ROOT {
            return Err(BodyError::EmptyRoot(root));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    fn parse(text: &str) -> Result<Self, BodyError> {
        let lines: Vec<&str> = text::lines(text).ok_or(BodyError::Lines(0))?.collect();
        let [origin, size, root] = lines[..] else { return Err(BodyError::Lines(lines.len())) };
        let size_of = |text: &str| decimal_u64(text).ok_or_else(|| BodyError::Size(excerpt(text)));
        Self::new(origin, size_of(size)?, hash_from_base64(root).ok_or(BodyError::Root)?)
    }

    /// The log's unique name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.root
    }

    /// Signs it as the log, under the origin's name; gives the whole note.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let vkey = Vkey::log(&self.origin, key.public()).expect("an origin is a key name");
        let text = self.to_string();
        let line = signature_line(&vkey, &key.sign(text.as_bytes()));
        format!("{text}\n{line}")
    }
}

/// The text that is signed: three lines.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, text::base64(&self.root.0))
    }
}

/// What a checkpoint that nobody verified says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The log that it claims to be of.
    pub origin: &'a str,
    /// The size that it claims.
    pub size: u64,
    /// The root that it claims.
    pub root: Hash,
}

/// A checkpoint as it arrived: its form was checked, its signatures were not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    bytes: String,
    note: Note,
    body: Checkpoint,
}

impl SignedCheckpoint {
    /// Reads a note whose text is a checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError::Note`] and [`CheckpointError::Body`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        let body = Checkpoint::parse(note.text())?;
        let bytes = std::str::from_utf8(bytes).expect("a note is UTF-8").to_owned();
        Ok(Self { bytes, note, body })
    }

    /// What it says, unverified: for finding the key or the tiles to verify it with, and for messages.
    #[must_use]
    pub fn claim(&self) -> Claim<'_> {
        Claim { origin: &self.body.origin, size: self.body.size, root: self.body.root }
    }

    /// The note, byte for byte.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.bytes
    }

    /// The text that is signed: three lines.
    #[must_use]
    pub fn text(&self) -> &str {
        self.note.text()
    }

    /// The note, for whoever knows the keys without a policy.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Adds what witnesses answered: of these lines, those that are good cosignatures by witnesses of the policy, each in
    /// place of an earlier one by the same key. All others are dropped.
    ///
    /// # Errors
    /// [`CheckpointError::Note`], if the note grows beyond its limits.
    pub fn with_cosignatures(&self, lines: &str, policy: &Policy) -> Result<Self, CheckpointError> {
        let text = self.note.text();
        let good = |line: &str| {
            let signature = NoteSignature::parse(line)?;
            let named = |vkey: &Vkey| vkey.name() == signature.name && vkey.key_id() == signature.key_id;
            let witness = policy.witnesses().iter().find(|witness| named(&witness.vkey))?;
            cosignature::verify(witness.vkey.key(), text, &signature.bytes).map(|_| signature)
        };
        let mut signatures = self.note.signatures().to_vec();
        for new in lines.lines().filter_map(good) {
            signatures.retain(|old| (&old.name, old.key_id) != (&new.name, new.key_id));
            signatures.push(new);
        }
        let lines: String = signatures.iter().map(|signature| format!("{}\n", signature.line)).collect();
        Self::parse(format!("{text}\n{lines}").as_bytes())
    }

    /// Verifies who of these, logs and witnesses, has signed it: of a witness with the time at which it did, in seconds
    /// since the Unix epoch. Whether they suffice is the caller's question.
    ///
    /// # Errors
    /// [`OpenError`], if one of them has a signature on it that does not hold, or none has signed.
    pub fn signers<'k>(&self, keys: &[&'k Vkey]) -> Result<Opened<'k, Option<u64>>, OpenError> {
        let text = self.note.text();
        self.note.open(keys, |vkey, bytes| match vkey.kind() {
            Kind::Log => vkey.key().holds(text.as_bytes(), bytes).then_some(None),
            Kind::Cosignature => cosignature::verify(vkey.key(), text, bytes).map(Some),
        })
    }

    /// Verifies it under a policy: the one way to a [`VerifiedCheckpoint`].
    ///
    /// Known to the note are the policy's logs of this origin, and all of its witnesses.
    ///
    /// # Errors
    /// [`CheckpointError`] says what is missing or bad.
    pub fn open(&self, policy: &Policy) -> Result<VerifiedCheckpoint, CheckpointError> {
        let origin = &self.body.origin;
        let logs = || policy.logs().iter().map(|log| &log.vkey).filter(|vkey| vkey.name() == origin);
        if logs().next().is_none() {
            return Err(CheckpointError::UnknownOrigin(origin.clone()));
        }
        let keys: Vec<&Vkey> = logs().chain(policy.witnesses().iter().map(|w| &w.vkey)).collect();
        let opened = self.signers(&keys)?;
        let log = opened.verified.iter().find(|(vkey, _)| vkey.kind() == Kind::Log);
        let (log, _) = log.ok_or_else(|| CheckpointError::NotSigned(origin.clone()))?;
        let cosigners: Vec<Cosigner> = opened
            .verified
            .iter()
            .filter_map(|(vkey, time)| {
                let witness = policy.witnesses().iter().find(|witness| witness.vkey == **vkey)?;
                Some(Cosigner { name: witness.name.clone(), vkey: witness.vkey.clone(), time_s: (*time)? })
            })
            .collect();
        if !policy.satisfied(cosigners.iter().map(|cosigner| &*cosigner.name)) {
            let cosigned = cosigners.into_iter().map(|cosigner| cosigner.name).collect();
            return Err(CheckpointError::Quorum { cosigned, of: policy.witnesses().len() });
        }
        Ok(VerifiedCheckpoint {
            bytes: self.bytes.clone(),
            checkpoint: self.body.clone(),
            log: (*log).clone(),
            cosigners,
            unchecked: opened.unchecked,
            quorum_is_none: policy.quorum_is_none(),
        })
    }
}

/// Reads a checkpoint and verifies it under a policy.
///
/// # Errors
/// [`CheckpointError`] says what is malformed, missing or bad.
pub fn open(note: &[u8], policy: &Policy) -> Result<VerifiedCheckpoint, CheckpointError> {
    SignedCheckpoint::parse(note)?.open(policy)
}

/// A witness whose cosignature verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigner {
    /// Its name in the policy.
    pub name: String,
    /// Its key.
    pub vkey: Vkey,
    /// When it saw the checkpoint, in seconds since the Unix epoch, by its own clock.
    pub time_s: u64,
}

/// A checkpoint that a log of the policy signed and a quorum cosigned. Only [`open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    bytes: String,
    checkpoint: Checkpoint,
    log: Vkey,
    cosigners: Vec<Cosigner>,
    unchecked: Vec<String>,
    quorum_is_none: bool,
}

impl VerifiedCheckpoint {
    /// What was verified.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The log's unique name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.checkpoint.origin
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.checkpoint.root
    }

    /// The same, as whoever did not verify it has it.
    #[must_use]
    pub fn claim(&self) -> Claim<'_> {
        Claim { origin: self.origin(), size: self.size(), root: self.root() }
    }

    /// The key of the log that signed; of several, the first on the note.
    #[must_use]
    pub fn log(&self) -> &Vkey {
        &self.log
    }

    /// The witnesses that cosigned, in the order of their lines.
    #[must_use]
    pub fn cosigners(&self) -> &[Cosigner] {
        &self.cosigners
    }

    /// The signature lines by keys outside the policy, which nobody checked.
    #[must_use]
    pub fn unchecked(&self) -> &[String] {
        &self.unchecked
    }

    /// Tells whether the policy asked for no cosignature at all: say so wherever this is relied on.
    #[must_use]
    pub fn quorum_is_none(&self) -> bool {
        self.quorum_is_none
    }

    /// The note, byte for byte, unchecked lines included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.bytes
    }
}

/// So much of a text that is not what it should be as an error needs to show.
fn excerpt(text: &str) -> String {
    text.chars().take(KEY_NAME_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosignature::cosign;
    use proptest::prelude::*;

    const ORIGIN: &str = "log.example";

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    fn log(seed: u8) -> Vkey {
        Vkey::log(ORIGIN, key(seed).public()).unwrap()
    }

    /// Witness `w1` has seed 1, and so on.
    fn cosignature(seed: u8, text: &str) -> String {
        cosign(&format!("w{seed}"), &key(seed), 1_767_139_200, text).unwrap()
    }

    fn policy(witnesses: u8, threshold: Option<usize>) -> Policy {
        let witness = |seed| Vkey::witness(&format!("w{seed}"), key(seed).public()).unwrap();
        Policy::of(&[log(100)], &(1..=witnesses).map(witness).collect::<Vec<_>>(), threshold).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint::new(ORIGIN, 7, Hash([7; 32])).unwrap()
    }

    fn names(verified: &VerifiedCheckpoint) -> Vec<&str> {
        verified.cosigners().iter().map(|cosigner| &*cosigner.name).collect()
    }

    #[test]
    fn what_the_log_signs_is_opened() {
        let note = checkpoint().sign(&key(100));
        let verified = open(note.as_bytes(), &policy(0, None)).unwrap();
        assert_eq!((verified.checkpoint(), verified.log()), (&checkpoint(), &log(100)));
        assert_eq!(verified.as_str(), note);
        assert_eq!(SignedCheckpoint::parse(note.as_bytes()).unwrap().as_str(), note);
        let want = (ORIGIN, 7, Hash([7; 32]));
        assert_eq!((verified.origin(), verified.size(), verified.root()), want);
        let read = verified.checkpoint();
        assert_eq!((read.origin(), read.size(), read.root()), want);
        assert!(verified.quorum_is_none() && verified.cosigners().is_empty());
    }

    #[test]
    fn a_quorum_must_have_cosigned() {
        let text = checkpoint().to_string();
        let signed = checkpoint().sign(&key(100));
        let cosigned = format!("{signed}{}{}", cosignature(3, &text), cosignature(1, &text));
        let verified = open(cosigned.as_bytes(), &policy(3, Some(2))).unwrap();
        assert_eq!(names(&verified), ["w3", "w1"]);
        assert_eq!(verified.cosigners()[0].time_s, 1_767_139_200);
        assert!(!verified.quorum_is_none());
        let refused = open(cosigned.as_bytes(), &policy(3, Some(3)));
        assert_eq!(refused, Err(CheckpointError::Quorum { cosigned: vec!["w3".into(), "w1".into()], of: 3 }));
        // One witness twice is one witness.
        let twice = format!("{signed}{}{}", cosignature(1, &text), cosignature(1, &text));
        assert!(matches!(open(twice.as_bytes(), &policy(3, Some(2))), Err(CheckpointError::Quorum { .. })));
    }

    #[test]
    fn lines_by_others_are_listed_as_unchecked() {
        let text = checkpoint().to_string();
        let line = cosignature(9, &text);
        let verified = open((checkpoint().sign(&key(100)) + &line).as_bytes(), &policy(1, None)).unwrap();
        assert_eq!(verified.unchecked(), [line.trim_end()]);
        // So is the line of the log's next key, as long as the policy has only the old one.
        let next = signature_line(&log(101), &key(101).sign(text.as_bytes()));
        assert!(open((checkpoint().sign(&key(100)) + &next).as_bytes(), &policy(1, None)).is_ok());
    }

    #[test]
    fn a_bad_cosignature_by_a_known_witness_spoils_the_checkpoint() {
        let other = Checkpoint::new(ORIGIN, 8, Hash([7; 32])).unwrap().to_string();
        let note = checkpoint().sign(&key(100)) + &cosignature(1, &other);
        let refused = open(note.as_bytes(), &policy(1, None));
        assert!(matches!(refused, Err(CheckpointError::Open(OpenError::BadSignature { .. }))));
    }

    #[test]
    fn witnesses_alone_or_another_log_or_another_origin_do_not_do() {
        let text = checkpoint().to_string();
        let cosigned = format!("{text}\n{}", cosignature(1, &text));
        let refused = open(cosigned.as_bytes(), &policy(1, Some(1)));
        assert_eq!(refused, Err(CheckpointError::NotSigned(ORIGIN.into())));
        let refused = open(checkpoint().sign(&key(101)).as_bytes(), &policy(1, None));
        assert_eq!(refused, Err(CheckpointError::Open(OpenError::NoKnownSignature)));
        let other = Checkpoint::new("other.example", 7, Hash([7; 32])).unwrap().sign(&key(100));
        let refused = open(other.as_bytes(), &policy(1, None));
        assert_eq!(refused, Err(CheckpointError::UnknownOrigin("other.example".into())));
    }

    #[test]
    fn a_key_of_the_policy_signs_under_its_own_origin_alone() {
        // The log of another origin, known to the policy, has signed this one's text under its own name.
        let other = Vkey::log("other.example", key(101).public()).unwrap();
        let policy = policy(0, None).with_logs([log(100), other.clone()]).unwrap();
        let text = checkpoint().to_string();
        let note = format!("{text}\n{}", signature_line(&other, &key(101).sign(text.as_bytes())));
        let refused = open(note.as_bytes(), &policy);
        assert_eq!(refused, Err(CheckpointError::Open(OpenError::NoKnownSignature)));
    }

    #[test]
    fn of_what_witnesses_answer_only_good_lines_are_kept() {
        let text = checkpoint().to_string();
        let other = Checkpoint::new(ORIGIN, 8, Hash([7; 32])).unwrap().to_string();
        let mut other_id = NoteSignature::parse(cosignature(2, &text).trim_end()).unwrap();
        other_id.key_id[0] ^= 1;
        let other_id = text::base64(&[&other_id.key_id[..], &other_id.bytes].concat());
        let answer = [
            cosignature(1, &text),
            format!("\u{2014} w2 {other_id}\n"),
            "rubbish\n".to_owned(),
            cosignature(2, &other),
            cosignature(9, &text),
            cosign("w3", &key(3), 5, &text).unwrap(),
        ];
        let signed = SignedCheckpoint::parse(checkpoint().sign(&key(100)).as_bytes()).unwrap();
        let cosigned = signed.with_cosignatures(&answer.concat(), &policy(3, None)).unwrap();
        let later = cosign("w3", &key(3), 6, &text).unwrap();
        let cosigned = cosigned.with_cosignatures(&later, &policy(3, None)).unwrap();
        let verified = cosigned.open(&policy(3, Some(2))).unwrap();
        assert_eq!(names(&verified), ["w1", "w3"]);
        assert_eq!(verified.cosigners()[1].time_s, 6);
        assert!(verified.unchecked().is_empty());
    }

    #[test]
    fn a_body_has_one_form() {
        let good = checkpoint().to_string();
        assert_eq!(Checkpoint::parse(&good), Ok(checkpoint()));
        let refused = |from: &str, to: &str| Checkpoint::parse(&good.replace(from, to)).unwrap_err();
        for size in ["007", "+7", "-7", "7 ", " 7", "", "9223372036854775808", "18446744073709551616"] {
            assert_eq!(refused("\n7\n", &format!("\n{size}\n")), BodyError::Size(size.into()));
        }
        for origin in ["", "a b", "a+b", "a\u{a0}", &"o".repeat(256)] {
            let want = BodyError::Origin(origin.chars().take(255).collect());
            assert_eq!(refused(ORIGIN, origin), want);
        }
        let root = text::base64(&[7; 32]);
        for len in [31, 33] {
            assert_eq!(refused(&root, &text::base64(&vec![7; len])), BodyError::Root);
        }
        assert_eq!(refused("c=\n", "d=\n"), BodyError::Root); // stray bits
        assert_eq!(refused("=\n", "=\nextension\n"), BodyError::Lines(4));
        assert_eq!(refused("=\n", "=\n\n"), BodyError::Lines(4));
        assert_eq!(refused("7\n", ""), BodyError::Lines(2));
        assert_eq!(refused("\n7\n", "\n0\n"), BodyError::EmptyRoot(Hash([7; 32])));
        assert_eq!(Checkpoint::parse(good.trim_end()), Err(BodyError::Lines(0)));
        assert!(matches!(refused("\n", "\r\n"), BodyError::Origin(_) | BodyError::Root | BodyError::Size(_)));
    }

    #[test]
    fn the_limits_of_origin_and_size_are_within() {
        let longest = "o".repeat(255);
        for (origin, size, root) in [(&*longest, SIZE_MAX, Hash([7; 32])), ("o", 0, EMPTY_ROOT)] {
            let checkpoint = Checkpoint::new(origin, size, root).unwrap();
            assert_eq!(Checkpoint::parse(&checkpoint.to_string()), Ok(checkpoint));
        }
        assert!(Checkpoint::new("o", SIZE_MAX + 1, EMPTY_ROOT).is_err());
        assert!(Checkpoint::new("o", 0, Hash([0; 32])).is_err());
    }

    proptest! {
        #[test]
        fn a_changed_byte_of_the_text_or_signature_is_found(at: prop::sample::Index, bit in 0..8u8) {
            let mut note = checkpoint().sign(&key(100)).into_bytes();
            let at = at.index(note.len());
            note[at] ^= 1 << bit;
            prop_assert!(open(&note, &policy(0, None)).is_err());
        }

        #[test]
        fn any_text_is_refused_or_written_the_same(text in "[a+ ]{0,3}\n[+0-9]{0,3}\n([A-D]{43}=|BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=)\n?") {
            if let Ok(checkpoint) = Checkpoint::parse(&text) {
                prop_assert_eq!(checkpoint.to_string(), text);
            }
        }
    }
}
