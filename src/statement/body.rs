//! The bodies of the acts, field by field (level 1). Their order is the encoding's.

use super::terms::{Amount, Terms};
use crate::charter::{Annex, Aspect, Charter, KeySet, Rules, Sealable};
use crate::codec::{Bytes, List};
use crate::field::{Day, Decimal, Handle, Instant, Long, Roles, Short};
use crate::hash::Hash;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $type:ty,)+ })+) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)+ })+
    };
}

bodies! {
    /// Founds a log; statement 0.
    Found {
        /// The charter.
        charter: Charter,
        /// The SHA-256 of `charter.toml` as its founders wrote it.
        text: Hash,
        /// The operator's key set.
        keys: KeySet,
        /// The vkey that checkpoints are signed with; its name is the origin.
        vkey: Short,
    }
    /// Binds its author to the charter.
    Accede {
        /// The key set that charter or motion announced.
        keys: KeySet,
        /// Reservations.
        reservations: Option<Long>,
        /// Documents.
        #[serde(default)]
        annexes: List<Annex>,
    }
    /// Replaces a key set.
    Rotate {
        /// The new set.
        keys: KeySet,
    }
    /// Makes a motion.
    Propose {
        /// What is moved.
        motion: Motion,
        /// When it lapses, unless carried.
        lapses_at: Instant,
    }
    /// Approves a motion.
    Approve {
        /// The id of the propose.
        motion: Hash,
    }
    /// A cosigned checkpoint.
    Anchor {
        /// The signed note, byte for byte.
        checkpoint: Bytes,
    }
    /// A pledge.
    Pledge {
        /// To whom.
        to: List<Handle>,
        /// What.
        terms: Sealable<Terms>,
    }
    /// Accepts exactly these statements.
    Accept {
        /// Pledges or amendments.
        statements: List<Hash>,
        /// A reservation.
        reservation: Option<Long>,
    }
    /// Joins a pledge or amendment.
    Join {
        /// Its id.
        statement: Hash,
    }
    /// New terms for a pledge or record.
    Amend {
        /// The pledge's or record's id.
        statement: Hash,
        /// To whom, from now on.
        to: List<Handle>,
        /// The terms, whole.
        terms: Sealable<Terms>,
    }
    /// Withdraws.
    Withdraw {
        /// From what.
        from: Withdrawn,
        /// Why.
        #[serde(default)]
        text: Long,
    }
    /// Gives notice.
    Notice {
        /// On which statement.
        statement: Hash,
        /// Of what.
        notice: NoticeKind,
        /// From when.
        effective_at: Option<Instant>,
        /// In words.
        #[serde(default)]
        text: Long,
        /// Documents.
        #[serde(default)]
        annexes: List<Annex>,
    }
    /// A commitment announced in public, not signed by its promisor.
    Record {
        /// Who announced it.
        promisor: Party,
        /// To whom.
        to: List<Handle>,
        /// What.
        terms: Sealable<Terms>,
        /// Where it was announced.
        source: Long,
    }
    /// Makes a record one's own pledge.
    Adopt {
        /// The record's id.
        record: Hash,
    }
    /// An incident, or an observation where it names no kind.
    Report {
        /// Kinds of incident, by their labels.
        #[serde(default)]
        kinds: List<Short>,
        /// Who did it.
        actor: Option<Party>,
        /// Against whom.
        #[serde(default)]
        against: List<Party>,
        /// Where.
        #[serde(default)]
        place: Short,
        /// From when.
        from: When,
        /// Until when.
        to: When,
        /// Figures.
        #[serde(default)]
        figures: List<Figure>,
        /// In words.
        #[serde(default)]
        text: Long,
        /// Documents.
        #[serde(default)]
        annexes: List<Annex>,
        /// The incident that it is part of, by its first report.
        joins: Option<Hash>,
        /// The author's own report that it replaces.
        supersedes: Option<Hash>,
        /// An exercise: nothing is owed.
        #[serde(default)]
        exercise: bool,
    }
    /// Says that something is so.
    Attest {
        /// What it is about.
        on: Subject,
        /// In which respects.
        aspects: List<Aspect>,
        /// On which grounds.
        #[serde(default)]
        text: Long,
        /// Documents.
        #[serde(default)]
        annexes: List<Annex>,
    }
    /// Says that something is not so.
    Dispute {
        /// What it is about.
        on: Subject,
        /// In which respects.
        aspects: List<Aspect>,
        /// On which grounds.
        #[serde(default)]
        text: Long,
        /// Documents.
        #[serde(default)]
        annexes: List<Annex>,
    }
    /// Calls upon pledges.
    Invoke {
        /// Which.
        pledges: List<Hash>,
        /// Because of which incident, by its first report.
        incident: Option<Hash>,
        /// When it was requested.
        requested_at: Instant,
        /// In words.
        #[serde(default)]
        text: Long,
    }
    /// Answers an obligation.
    Respond {
        /// Which.
        obligation: Obligation,
        /// How.
        answer: Answer,
        /// How much.
        quantity: Option<Amount>,
        /// When it was done.
        done_at: Option<Instant>,
        /// In words.
        #[serde(default)]
        note: Long,
        /// Documents.
        #[serde(default)]
        annexes: List<Annex>,
    }
    /// Confirms a response.
    Confirm {
        /// The response's id.
        response: Hash,
        /// What was received.
        received: Received,
        /// In words.
        #[serde(default)]
        note: Long,
    }
    /// A review meeting.
    Review {
        /// The day it was held.
        held_on: Day,
        /// Who attended.
        #[serde(default)]
        attendance: List<Short>,
        /// What was said on which statement.
        #[serde(default)]
        remarks: List<Remark>,
        /// What was decided.
        #[serde(default)]
        decisions: List<Long>,
        /// The day of the next one.
        next_on: Option<Day>,
        /// The minutes.
        #[serde(default)]
        annexes: List<Annex>,
    }
    /// Opens a sealed value.
    Reveal {
        /// The statement that holds the seal.
        statement: Hash,
        /// The name of the field, e.g. `terms.dues.2.quantity`.
        field: Short,
        /// The salt, 32 bytes.
        salt: Hash,
        /// The encoded value.
        value: Bytes,
    }
    /// A figure of a report.
    Figure {
        /// What is counted.
        measure: Short,
        /// Where.
        #[serde(default)]
        region: Short,
        /// In which period.
        #[serde(default)]
        period: Short,
        /// How many.
        value: Decimal,
    }
    /// A remark of a review.
    Remark {
        /// On which statement.
        statement: Hash,
        /// What was said.
        text: Long,
    }
    /// One occasion on which a pledge must be kept.
    #[derive(PartialOrd, Ord)]
    Obligation {
        /// The id of the pledge or join.
        pledge: Hash,
        /// Which occasion.
        occasion: Occasion,
    }
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($variants:tt)* })+) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(clippy::large_enum_variant, reason = "acts are few and short-lived")]
        pub enum $name { $($variants)* })+
    };
}

choices! {
    /// What is moved.
    Motion {
        /// Admits a partner.
        Admit {
            /// Its handle.
            handle: Handle,
            /// Its display name.
            name: Short,
            /// Its roles.
            roles: Roles,
            /// The digest of its key set.
            keys: Hash,
        },
        /// Suspends a partner.
        Suspend {
            /// Its handle.
            handle: Handle,
        },
        /// Ends a suspension.
        Resume {
            /// Its handle.
            handle: Handle,
        },
        /// Gives a partner a new key set against its old one's will.
        Rekey {
            /// Its handle.
            handle: Handle,
            /// The digest of its new key set.
            keys: Hash,
            /// The index from which on its statements are a thief's.
            disown_from: Option<u64>,
        },
        /// Replaces the rules whole.
        Rules {
            /// The new rules.
            rules: Rules,
            /// The id of found, or of the propose last carried, whose rules these replace.
            replaces: Hash,
        },
        /// Raises the level.
        Level {
            /// The new level.
            level: u16,
        },
        /// Replaces the operator.
        Operator {
            /// The new operator's checkpoint vkey; its name was never used in this log.
            vkey: Short,
            /// The digest of its key set.
            keys: Hash,
            /// The id of found, or of the propose last carried, whose operator this one replaces.
            replaces: Hash,
        },
    }
    /// From what a statement withdraws.
    Withdrawn {
        /// These pledges.
        Pledges(List<Hash>),
        /// All pledges that carry the annex of this SHA-256.
        Agreement(Hash),
    }
    /// Of what notice is given.
    NoticeKind {
        /// The need of this number is met.
        NeedMet(u64),
        /// The need of this number has failed.
        NeedFailed(u64),
        /// A reservation.
        Reservation,
        /// An objection.
        Objection,
        /// It is suspended.
        Suspended,
        /// It is resumed.
        Resumed,
        /// What was meant.
        Clarification,
        /// What was mistaken.
        Correction,
    }
    /// What an attestation or dispute is about.
    Subject {
        /// A statement.
        Statement(Hash),
        /// An obligation.
        Obligation(Obligation),
    }
    /// An occasion.
    #[derive(PartialOrd, Ord)]
    Occasion {
        /// The due of this number.
        Due(u64),
        /// A call: the id of the incident's first report, else of the invoke.
        Call(Hash),
    }
    /// How an obligation is answered.
    Answer {
        /// Seen, under way.
        Acknowledged,
        /// Delivered.
        Delivered,
        /// Declined.
        Declined,
    }
    /// What was received.
    Received {
        /// All of it.
        InFull,
        /// So much of it.
        InPart(Amount),
        /// Nothing.
        NotReceived,
    }
}

/// A partner by its handle, or somebody else by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// A partner.
    Handle(Handle),
    /// Somebody who is no partner.
    Name(Short),
}

/// A moment, or a day where no hour is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// A moment.
    Instant(Instant),
    /// A whole day in UTC.
    Day(Day),
}

// Two variants in the canonical encoding; for people `"de"` or `{ name = "…" }`, and a moment or a date.
#[derive(Serialize, Deserialize)]
enum EncodedParty {
    Handle(Handle),
    Name(Short),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenParty {
    Handle(Handle),
    Name { name: Short },
}

#[derive(Serialize, Deserialize)]
enum EncodedWhen {
    Instant(Instant),
    Day(Day),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenWhen {
    Day(Day),
    Instant(Instant),
}

macro_rules! two_forms {
    ($type:ident, $encoded:ident, $written:ident, $a:ident, $b:pat => $bx:expr, $rb:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                match (self.clone(), s.is_human_readable()) {
                    (Self::$a(x), true) => $written::$a(x).serialize(s),
                    (Self::$a(x), false) => $encoded::$a(x).serialize(s),
                    ($b, true) => $bx.serialize(s),
                    ($b, false) => $rb.serialize(s),
                }
            }
        }
    };
}

two_forms!(Party, EncodedParty, WrittenParty, Handle, Self::Name(name) => WrittenParty::Name { name }, EncodedParty::Name(name));
two_forms!(When, EncodedWhen, WrittenWhen, Instant, Self::Day(day) => WrittenWhen::Day(day), EncodedWhen::Day(day));

impl<'de> Deserialize<'de> for Party {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(if d.is_human_readable() {
            match WrittenParty::deserialize(d)? {
                WrittenParty::Handle(h) => Self::Handle(h),
                WrittenParty::Name { name } => Self::Name(name),
            }
        } else {
            match EncodedParty::deserialize(d)? {
                EncodedParty::Handle(h) => Self::Handle(h),
                EncodedParty::Name(name) => Self::Name(name),
            }
        })
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(if d.is_human_readable() {
            match WrittenWhen::deserialize(d)? {
                WrittenWhen::Day(day) => Self::Day(day),
                WrittenWhen::Instant(at) => Self::Instant(at),
            }
        } else {
            match EncodedWhen::deserialize(d)? {
                EncodedWhen::Day(day) => Self::Day(day),
                EncodedWhen::Instant(at) => Self::Instant(at),
            }
        })
    }
}
