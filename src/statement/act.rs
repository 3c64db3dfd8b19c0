//! What a statement does: the acts, their numbers and classes (level 1).
//!
//! An act is encoded as its body alone; its number stands in the statement, so that chains and signatures can be
//! verified without knowing it.

use super::body::{
    Accede, Accept, Adopt, Amend, Anchor, Approve, Attest, Confirm, Dispute, Found, Invoke, Join, Notice,
    Pledge, Propose, Record, Report, Respond, Reveal, Review, Rotate, Withdraw,
};
use super::check::holds;
use crate::codec::{CodecError, decode, decode_checked, encode};
use crate::field::Class;
use serde::{Deserialize, Serialize};

macro_rules! acts {
    ($($(#[$doc:meta])* $number:literal $name:ident $word:literal by [$($class:ident),+];)+) => {
        /// An act with its body.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(clippy::large_enum_variant, reason = "acts are few and short-lived")]
        pub enum Act { $($(#[$doc])* $name($name),)+ }

        /// The number of an act that this program knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $name,)+ }

        impl Kind {
            /// All kinds, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The number, as encoded.
            #[must_use]
            pub fn number(self) -> u16 {
                match self { $(Self::$name => $number,)+ }
            }

            /// The kind of this number, if this program knows it.
            #[must_use]
            pub fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)+ _ => None }
            }

            /// The word for it, as on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The classes in which it may be signed; the first is the usual one.
            #[must_use]
            pub fn classes(self) -> &'static [Class] {
                match self { $(Self::$name => &[$(Class::$class),+],)+ }
            }
        }

        impl Act {
            /// Its number's kind.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self { $(Self::$name(_) => Kind::$name,)+ }
            }

            /// Encodes the body.
            #[must_use]
            pub fn encode_body(&self) -> Vec<u8> {
                match self { $(Self::$name(body) => encode(body),)+ }
            }

            /// Decodes the body of an act of a known kind.
            ///
            /// # Errors
            /// [`CodecError`] where the bytes are not the canonical encoding of such a body.
            pub fn decode_body(kind: Kind, body: &[u8]) -> Result<Self, CodecError> {
                let limit = super::MAX_STATEMENT;
                Ok(match kind { $(Kind::$name => Self::$name(decode(body, limit)?),)+ })
            }

            /// The same, where it is told beforehand that a body [`holds`]: then it need not be encoded again.
            pub(super) fn read_body(kind: Kind, body: &[u8]) -> Result<Self, CodecError> {
                if !holds(kind, body) {
                    return Self::decode_body(kind, body);
                }
                Ok(match kind { $(Kind::$name => Self::$name(decode_checked(body, super::MAX_STATEMENT)?),)+ })
            }
        }
    };
}

acts! {
    /// Founds the log.
    0 Found "found" by [Govern];
    /// Accedes to the charter and proves possession of all keys.
    1 Accede "accede" by [Govern];
    /// Replaces the author's key set.
    2 Rotate "rotate" by [Govern];
    /// Makes a motion, and approves it.
    3 Propose "propose" by [Govern];
    /// Approves a motion.
    4 Approve "approve" by [Govern];
    /// Fixes the log's time to its witnesses'.
    16 Anchor "anchor" by [OperateLog];
    /// Pledges.
    32 Pledge "pledge" by [Commit];
    /// Accepts pledges or amendments.
    33 Accept "accept" by [Commit];
    /// Joins a pledge or amendment.
    34 Join "join" by [Commit];
    /// Amends one's own pledge or record.
    35 Amend "amend" by [Commit, Observe];
    /// Withdraws from pledges.
    36 Withdraw "withdraw" by [Commit, Observe];
    /// Gives notice on a statement.
    37 Notice "notice" by [Commit];
    /// Records a commitment announced elsewhere.
    38 Record "record" by [Observe];
    /// Adopts a record as one's own pledge.
    39 Adopt "adopt" by [Commit];
    /// Reports an incident or observation.
    64 Report "report" by [Observe];
    /// Attests a statement or obligation.
    65 Attest "attest" by [Observe];
    /// Disputes a statement or obligation.
    66 Dispute "dispute" by [Observe];
    /// Calls upon pledges.
    67 Invoke "invoke" by [Operate];
    /// Responds to an obligation.
    68 Respond "respond" by [Operate];
    /// Confirms a response.
    69 Confirm "confirm" by [Operate];
    /// Records a review meeting.
    96 Review "review" by [Observe];
    /// Opens a sealed value.
    97 Reveal "reveal" by [Commit];
}
