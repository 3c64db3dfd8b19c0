//! Author chains, and the findings that a bad entry leaves behind.
//!
//! Chains run per author and class: `seq` counts from 0, `prev` is the id of the author's statement of that class
//! before, and `seen` never goes back. A [`Reason`] says what is wrong with an entry, and its [`Effect`] what that does
//! (the design's table "What a bad entry does"): every verifier derives the same effect.
//!
//! Reasons are told completely, as far as the first does not take the ground from under the next: without a partner
//! there is no chain, without a place in the chain no `prev`, without the signers no signatures. An unauthentic entry
//! does nothing, whatever else is wrong with it; its operator's faults are found all the same.

use crate::charter::{CharterError, KeySetError};
use crate::checkpoint::CheckpointError;
use crate::entry::Pointer;
use crate::field::{Class, Handle, Instant};
use crate::hash::{Hash, ZEROS};
use crate::rule::Rule;
use crate::statement::{Head, Statement};
use crate::text::count;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an author stands in one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuthorChain {
    /// The `seq` of the next statement.
    pub seq: u64,
    /// The id of the last statement; zeros before the first.
    pub prev: Hash,
    /// The size in the last statement's `seen`.
    pub seen: u64,
}

impl AuthorChain {
    /// Tells what is wrong with a statement's place in the chain, if anything.
    #[must_use]
    pub fn reason(&self, s: &Statement) -> Option<Reason> {
        if s.seq != self.seq {
            Some(Reason::Seq { got: s.seq, want: self.seq })
        } else if s.prev != self.prev {
            Some(Reason::Prev { got: s.prev, want: self.prev })
        } else {
            None
        }
    }

    /// Tells what is wrong with what the author says to have seen, if anything. `index` is the entry's place, `leaf_at`
    /// gives the leaf hash of any entry before.
    ///
    /// # Errors
    /// The first of [`Reason::SeenRange`], [`Reason::SeenBack`], [`Reason::SeenOther`].
    pub fn check_seen(
        &self,
        index: u64,
        seen: Head,
        leaf_at: &mut dyn FnMut(u64) -> Option<Hash>,
    ) -> Result<(), Reason> {
        if !(1..=index).contains(&seen.size) {
            return Err(Reason::SeenRange { size: seen.size, index });
        }
        if seen.size < self.seen {
            return Err(Reason::SeenBack { size: seen.size, before: self.seen });
        }
        if leaf_at(seen.size - 1) != Some(seen.leaf) {
            return Err(Reason::SeenOther { size: seen.size });
        }
        Ok(())
    }

    /// Takes the place of a statement that counts.
    pub fn advance(&mut self, id: Hash) {
        self.seq += 1;
        self.prev = id;
    }

    /// Whether the chain has no statement yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.seq == 0
    }
}

/// What a bad entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The statement does not count at all.
    Unauthentic,
    /// The statement advances its author's chain, and does nothing else.
    Void,
    /// The operator did wrong; the statement counts.
    OperatorsFault,
    /// The statement counts, but what its author says to have seen is not this log.
    Seen,
    /// What is published is not what the entries add up to.
    Log,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unauthentic => "unauthentic",
            Self::Void => "void",
            Self::OperatorsFault => "operator's fault",
            Self::Seen => "does not fit what its author saw",
            Self::Log => "log",
        })
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident : $type:ty),+ })? $code:literal $effect:ident $text:literal $(($($arg:expr),+))?;)+) => {
        /// What is wrong with an entry.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "fields are named by what they hold")]
        pub enum Reason { $($(#[$doc])* $name $({ $($field: $type),+ })?,)+ }

        impl Reason {
            /// What it does to the entry.
            #[must_use]
            pub fn effect(&self) -> Effect {
                match self { $(Self::$name { .. } => Effect::$effect,)+ }
            }

            /// A word for programs that never changes.
            #[must_use]
            pub fn code(&self) -> &'static str {
                if let Self::Rule { rule } = self {
                    return rule.code();
                }
                match self { $(Self::$name { .. } => $code,)+ }
            }
        }

        impl fmt::Display for Reason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$name $({ $($field),+ })? => write!(f, $text $(, $($arg),+)?),)+ }
            }
        }
    };
}

reasons! {
    /// The bytes are no entry, or hold no statement.
    Undecodable { what: String } "undecodable" Unauthentic "{what}";
    /// Entry 0 founds no log.
    NoFounding { what: String } "no-founding" Unauthentic "founds no log: {what}";
    /// A statement for another log, or replayed from one.
    OtherLog { log: Hash } "other-log" Unauthentic "is meant for log {}" (log.short());
    /// Nobody of this handle.
    UnknownAuthor "unknown-author" Unauthentic "its author is no partner of this log";
    /// The author has not acceded.
    NotAcceded "not-acceded" Unauthentic "its author had not acceded";
    /// A gap or repetition in the author's chain.
    Seq { got: u64, want: u64 } "wrong-seq" Unauthentic "is number {got} of its author in this class, where number {want} was to come: statements are missing, repeated or out of order";
    /// Another statement before than the author says.
    Prev { got: Hash, want: Hash } "wrong-prev" Unauthentic "its author signed it after {}, but {} comes before it here" (if *got == ZEROS { "nothing".to_owned() } else { got.short() }, if *want == ZEROS { "nothing".to_owned() } else { want.short() });
    /// `seen` outside the entries before.
    SeenRange { size: u64, index: u64 } "seen-range" Unauthentic "its author claims to have seen {}, where 1 to {index} are possible" (count(size, "entry", "entries"));
    /// `seen` goes back.
    SeenBack { size: u64, before: u64 } "seen-back" Unauthentic "its author had seen {} before, and now {size}" (count(before, "entry", "entries"));
    /// `seen` is another history.
    SeenOther { size: u64 } "seen-other" Unauthentic "its author saw another entry {} than this log has" (size - 1);
    /// In class 0: `seen` outside the entries before; the statement counts.
    GovernSeenRange { size: u64, index: u64 } "seen-range" Seen "its author claims to have seen {}, where 1 to {index} are possible" (count(size, "entry", "entries"));
    /// In class 0: `seen` goes back; the statement counts.
    GovernSeenBack { size: u64, before: u64 } "seen-back" Seen "its author had seen {} before, and now {size}" (count(before, "entry", "entries"));
    /// In class 0: `seen` is another history; the statement counts.
    GovernSeenOther { size: u64 } "seen-other" Seen "its author saw another entry {} than this log has" (size - 1);
    /// Sequenced after its expiry.
    Expired { at: Instant, expires: Instant } "expired" Unauthentic "expired {expires}, was sequenced {at}";
    /// `found` anywhere but at index 0.
    FoundAgain "found-again" Unauthentic "founds a log that is already founded";
    /// A class-0 entry that does not point at the last one.
    GovernPointer { got: Pointer, want: Pointer } "roster-pointer" Unauthentic "points at entry {} as the last of class 0, which is entry {}" (got.index, want.index);
    /// Kinds 0 to 2: the body does not decode.
    KeyBody { what: String } "key-body" Unauthentic "{what}";
    /// A key set that cannot be registered.
    KeySet { error: KeySetError } "key-set" Unauthentic "its key set is not admissible: {error}";
    /// A charter that founds no log.
    Charter { error: CharterError } "charter" Unauthentic "its charter is not admissible: {error}";
    /// A key set that neither charter nor motion announced.
    NotAnnounced "not-announced" Unauthentic "its key set was not announced by the charter or a motion";
    /// A key that was registered before in this log.
    KeyRegistered { officer: usize } "key-registered" Unauthentic "the key of officer {officer} was registered in this log before";
    /// A kept key with another algorithm.
    KeptAlgorithm { officer: usize } "kept-algorithm" Unauthentic "the kept key of officer {officer} changes its algorithm";
    /// More than 32 statements of class 0 one by one author within 30 days.
    Flood "flood" Unauthentic "is its author's 33rd or later statement of class 0 within 30 days";
    /// No signature at all.
    NoSignatures "no-signatures" Unauthentic "bears no signature";
    /// Signatures not strictly ascending by officer number.
    SignatureOrder "signature-order" Unauthentic "its signatures do not ascend by officer number";
    /// A signature by an officer that the key set has not.
    UnknownOfficer { officer: u8 } "unknown-officer" Unauthentic "is signed by officer {officer}, whom its author's key set has not";
    /// A signature under an algorithm other than the officer's.
    Algorithm { officer: u8, algorithm: u8 } "algorithm" Unauthentic "the signature of officer {officer} is of algorithm {algorithm}, the key is not";
    /// A signature that does not hold.
    BadSignature { officer: u8 } "bad-signature" Unauthentic "the signature of officer {officer} does not hold";
    /// An officer of another class.
    WrongClass { officer: u8, class: Class } "wrong-class" Unauthentic "officer {officer} may not sign in class \"{class}\"";
    /// Too few officers.
    BelowThreshold { got: usize, want: u8, class: Class } "below-threshold" Unauthentic "is signed by {}, class \"{class}\" needs {want}" (count(got, "officer", "officers"));
    /// `found` or `accede` not signed by exactly all officers.
    NotAllSigned { got: usize, want: usize } "not-all-signed" Unauthentic "is signed by {got} of {}, all must prove that they hold their keys" (count(want, "officer", "officers"));
    /// `rotate` not signed by exactly the new keys beside the old officers.
    NewKeysSigned { officer: u8 } "new-keys-signed" Unauthentic "new officer {officer} did not sign, or signed without being new";
    /// By a suspended partner, and none of the few acts that are left to it.
    Suspended "suspended" Void "its author is suspended";
    /// Expires later than the charter allows.
    LongestExpiry "longest-expiry" Void "expires later than the charter's longest expiry allows";
    /// Expired by the log's effective time.
    ExpiredEffective { at: Instant, expires: Instant } "expired-effective" Void "expired {expires}, the log's time was already {at}";
    /// A kind that the log's level does not have.
    Level { kind: u16, level: u16 } "level" Void "act {kind} does not exist at level {level}";
    /// A kind of another class.
    OtherClass { kind: &'static str, class: Class } "other-class" Void "\"{kind}\" is not for class \"{class}\"";
    /// The body does not decode.
    Body { what: String } "body" Void "{what}";
    /// An approval of nothing.
    NoMotion "no-motion" Void "approves a motion that was never made here, or is no longer open";
    /// Made or approved after it lapsed.
    MotionLapsed { at: Instant, lapses: Instant } "motion-lapsed" Void "is for a motion that lapsed {lapses}; the roster's time was {at}";
    /// What the motion replaces is not, or no longer, in force.
    MotionOutdated { replaces: Hash } "motion-outdated" Void "is for a motion to replace what {} set, which is not in force" (replaces.short());
    /// The approval that completes a motion which cannot take effect; the motion lapses.
    Motion { what: &'static str } "motion" Void "completes a motion that cannot take effect: {what}";
    /// Partners' acts by the operator.
    NotForOperator { kind: &'static str } "not-for-operator" Void "\"{kind}\" is not for the operator";
    /// An anchor where there is nobody to have cosigned it.
    AnchorUnnamed "anchor-unnamed" Void "anchors the log where its rules name no witnesses";
    /// An anchor that holds no checkpoint.
    AnchorNote { error: CheckpointError } "anchor-note" Void "anchors what is no checkpoint: {error}";
    /// An anchor of nothing, or of more than comes before it.
    AnchorSize { size: u64, index: u64 } "anchor-size" Void "anchors {}, where 1 to {index} are possible" (count(size, "entry", "entries"));
    /// An anchor of another log, or under a name that this one had not at that size.
    AnchorOrigin { got: String, want: String } "anchor-origin" Void "anchors {got:?}, but this log was {want:?} at that size";
    /// An anchor that the operator of that size did not sign, or with a signature that does not hold.
    AnchorSigned { error: CheckpointError } "anchor-signed" Void "anchors a checkpoint that is not in order: {error}";
    /// An anchor that too few of the witnesses cosigned whom the rules name.
    AnchorQuorum { got: usize, want: u64, of: usize } "anchor-quorum" Void "is cosigned by {got} of {} whom the rules name, {want} must have" (count(of, "witness", "witnesses"));
    /// An anchor of another history.
    AnchorRoot { size: u64 } "anchor-root" Void "anchors another history: its first {} have another root here" (count(size, "entry", "entries"));
    /// The ledger's rules forbid it.
    Rule { rule: Rule } "rule" Void "{rule}";
    /// Another index than its place.
    Index { got: u64 } "wrong-index" OperatorsFault "calls itself entry {got}";
    /// Another entry before than it says.
    Link { got: Hash, want: Hash } "wrong-link" OperatorsFault "links to {}, but the entry before is {}" (got.short(), want.short());
    /// Not the last entry of class 0.
    Pointer { got: Pointer, want: Pointer } "roster-pointer" OperatorsFault "points at entry {} as the last of class 0, which is entry {}" (got.index, want.index);
    /// Earlier than the entry before.
    TimeBack { at: Instant, before: Instant } "time-back" OperatorsFault "is dated {at}, the entry before it {before}";
    /// An anchor whose own time is far from its witnesses'.
    AnchorTime { at: Instant, witnessed: Instant } "anchor-time" OperatorsFault "is dated {at}, more than 5 minutes from {witnessed}, when its witnesses cosigned it";
}

/// Whether an entry with these reasons is authentic: void, faulty or in order.
#[must_use]
pub fn counts(reasons: &[Reason]) -> bool {
    reasons.iter().all(|r| r.effect() != Effect::Unauthentic)
}

/// Whether an entry with these reasons does what its act says: faulty or in order, and not void.
#[must_use]
pub fn acts(reasons: &[Reason]) -> bool {
    reasons.iter().all(|r| !matches!(r.effect(), Effect::Unauthentic | Effect::Void))
}

impl Reason {
    /// Whether it was for the operator to prevent, so that there may be evidence against it: a bad entry let in, one
    /// sequenced wrongly, another history signed.
    #[must_use]
    pub fn is_operators(&self) -> bool {
        matches!(self, Self::AnchorRoot { .. })
            || matches!(self.effect(), Effect::Unauthentic | Effect::OperatorsFault)
    }

    /// The same about a statement of class 0, where what the author saw does no harm to the statement.
    #[must_use]
    pub fn in_govern(self) -> Self {
        match self {
            Self::SeenRange { size, index } => Self::GovernSeenRange { size, index },
            Self::SeenBack { size, before } => Self::GovernSeenBack { size, before },
            Self::SeenOther { size } => Self::GovernSeenOther { size },
            other => other,
        }
    }
}

/// Something held against the log, with the entry's index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The entry's index.
    pub index: u64,
    /// The author named in it, where it decodes.
    pub author: Option<Handle>,
    /// The statement's id, where it decodes.
    pub id: Option<Hash>,
    /// What is wrong.
    pub reason: Reason,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}", self.index)?;
        if let Some(author) = &self.author {
            write!(f, " by {author}")?;
        }
        write!(f, ": {} ({})", self.reason, self.reason.effect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_where_by_whom_what_and_what_it_does() {
        let reason = Reason::Seq { got: 3, want: 2 };
        let mut finding = Finding { index: 17, author: None, id: None, reason };
        let what = "is number 3 of its author in this class, where number 2 was to come: \
                    statements are missing, repeated or out of order (unauthentic)";
        assert_eq!(finding.to_string(), format!("entry 17: {what}"));
        finding.author = Some("de".parse().expect("handle"));
        assert_eq!(finding.to_string(), format!("entry 17 by de: {what}"));
    }

    #[test]
    fn what_does_not_count_does_not_act() {
        let bad = |reason: Reason| (counts(std::slice::from_ref(&reason)), acts(&[reason]));
        assert_eq!(bad(Reason::NoSignatures), (false, false));
        assert_eq!(bad(Reason::LongestExpiry), (true, false));
        assert_eq!(bad(Reason::Index { got: 1 }), (true, true));
        assert_eq!(bad(Reason::GovernSeenOther { size: 1 }), (true, true));
        assert!(!counts(&[Reason::LongestExpiry, Reason::NoSignatures]));
    }
}
