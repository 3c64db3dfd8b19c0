//! Whether bytes are the canonical encoding of an act's body, told without building it.
//!
//! Of the millions of bodies that an audit passes, most need only be told good from void. [`holds`] walks the body's
//! grammar over the bytes where they lie: what it says is what [`Act::decode_body`] says, which stays the rule.
//!
//! ```
//! use servanda::statement::{Kind, check::holds};
//! let adopt = [7; 32];
//! assert!(holds(Kind::Adopt, &adopt));
//! assert!(!holds(Kind::Adopt, &adopt[1..]), "cut short");
//! assert!(holds(Kind::Notice, &[&adopt[..], &[2, 0, 0, 0]].concat()), "a reservation, no moment, no words, no annex");
//! assert!(!holds(Kind::Notice, &[&adopt[..], &[2, 0, 0, 251, 0, 0]].concat()), "an over-long length");
//! ```
//!
//! The grammar repeats the types of [`super::body`] and [`super::terms`] field by field; one that is left out, or of
//! another type, does not compile. Bodies that carry keys or motions are rare, and decoded.

use super::body::{
    Accept, Adopt, Amend, Anchor, Answer, Attest, Confirm, Dispute, Figure, Invoke, Join, Notice, NoticeKind,
    Obligation, Occasion, Party, Pledge, Received, Record, Remark, Report, Respond, Reveal, Review, Subject,
    When, Withdraw, Withdrawn,
};
use super::terms::{
    Amount, Bound, Bounded, Due, Force, Instrument, Need, OwedBy, Quantity, Starts, Terms, Trigger,
};
use super::{Act, Kind, MAX_STATEMENT};
use crate::charter::{Annex, Aspect, Clause, Document, Sealable, Standing};
use crate::codec::{Bytes, List, Parts};
use crate::field::{Day, Decimal, Duration, Handle, Instant, Long, Short, Text};
use crate::hash::Hash;

/// Whether these bytes are the body of such an act, in its one encoding.
#[must_use]
pub fn holds(kind: Kind, body: &[u8]) -> bool {
    let mut parts = Parts::of(body);
    let passed = match kind {
        Kind::Found | Kind::Accede | Kind::Rotate | Kind::Propose | Kind::Approve => {
            return Act::decode_body(kind, body).is_ok();
        }
        Kind::Anchor => Anchor::pass(&mut parts),
        Kind::Pledge => Pledge::pass(&mut parts),
        Kind::Accept => Accept::pass(&mut parts),
        Kind::Join => Join::pass(&mut parts),
        Kind::Amend => Amend::pass(&mut parts),
        Kind::Withdraw => Withdraw::pass(&mut parts),
        Kind::Notice => Notice::pass(&mut parts),
        Kind::Record => Record::pass(&mut parts),
        Kind::Adopt => Adopt::pass(&mut parts),
        Kind::Report => Report::pass(&mut parts),
        Kind::Attest => Attest::pass(&mut parts),
        Kind::Dispute => Dispute::pass(&mut parts),
        Kind::Invoke => Invoke::pass(&mut parts),
        Kind::Respond => Respond::pass(&mut parts),
        Kind::Confirm => Confirm::pass(&mut parts),
        Kind::Review => Review::pass(&mut parts),
        Kind::Reveal => Reveal::pass(&mut parts),
    };
    passed.is_some() && parts.rest().is_empty() && body.len() <= MAX_STATEMENT
}

/// What can be passed in an encoding where it stands in its one form.
trait Canonical {
    fn pass(parts: &mut Parts<'_>) -> Option<()>;
}

macro_rules! structures {
    ($($name:ident { $($field:ident: $type:ty),+ $(,)? })+) => {$(
        impl Canonical for $name {
            fn pass(parts: &mut Parts<'_>) -> Option<()> {
                let _every_field: fn(Self) = |Self { $($field),+ }| { $(let _: $type = $field;)+ };
                $(<$type>::pass(parts)?;)+
                Some(())
            }
        }
    )+};
}

macro_rules! choices {
    ($($name:ident { $($number:literal $variant:ident $(($type:ty))?),+ $(,)? })+) => {$(
        impl Canonical for $name {
            fn pass(parts: &mut Parts<'_>) -> Option<()> {
                let _every_variant: fn(Self) = |one| match one { $(Self::$variant { .. } => {})+ };
                match parts.number()? {
                    $($number => { $(<$type>::pass(parts)?;)? })+
                    _ => return None,
                }
                Some(())
            }
        }
    )+};
}

structures! {
    Anchor { checkpoint: Bytes }
    Pledge { to: List<Handle>, terms: Sealable<Terms> }
    Accept { statements: List<Hash>, reservation: Option<Long> }
    Join { statement: Hash }
    Amend { statement: Hash, to: List<Handle>, terms: Sealable<Terms> }
    Withdraw { from: Withdrawn, text: Long }
    Notice {
        statement: Hash, notice: NoticeKind, effective_at: Option<Instant>, text: Long, annexes: List<Annex>,
    }
    Record { promisor: Party, to: List<Handle>, terms: Sealable<Terms>, source: Long }
    Adopt { record: Hash }
    Report {
        kinds: List<Short>, actor: Option<Party>, against: List<Party>, place: Short, from: When, to: When,
        figures: List<Figure>, text: Long, annexes: List<Annex>, joins: Option<Hash>,
        supersedes: Option<Hash>, exercise: bool,
    }
    Attest { on: Subject, aspects: List<Aspect>, text: Long, annexes: List<Annex> }
    Dispute { on: Subject, aspects: List<Aspect>, text: Long, annexes: List<Annex> }
    Invoke { pledges: List<Hash>, incident: Option<Hash>, requested_at: Instant, text: Long }
    Respond {
        obligation: Obligation, answer: Answer, quantity: Option<Amount>, done_at: Option<Instant>, note: Long,
        annexes: List<Annex>,
    }
    Confirm { response: Hash, received: Received, note: Long }
    Review {
        held_on: Day, attendance: List<Short>, remarks: List<Remark>, decisions: List<Long>,
        next_on: Option<Day>, annexes: List<Annex>,
    }
    Reveal { statement: Hash, field: Short, salt: Hash, value: Bytes }
    Figure { measure: Short, region: Short, period: Short, value: Decimal }
    Remark { statement: Hash, text: Long }
    Obligation { pledge: Hash, occasion: Occasion }

    Terms {
        reference: Option<Short>, title: Short, text: Long, instruments: List<Instrument>, quantity: Quantity,
        within: Option<Hash>, force: Force, made_on: Option<Day>, source: Option<Long>,
        clause: Option<Clause>, valid_from: Instant, valid_until: Option<Instant>, notice_period: Duration,
        owed_by: OwedBy, trigger: Option<Trigger>, respond_within: Option<Duration>, dues: List<Due>,
        needs: List<Need>, annexes: List<Annex>,
    }
    Amount { amount: Decimal, unit: Short }
    Bounded { bound: Bound, amount: Decimal, unit: Short }
    Trigger {
        kinds: List<Short>, against: Option<List<Handle>>, only_after: Option<Short>, after: Option<Hash>,
        starts: Starts, requesters: List<Handle>,
    }
    Due { label: Short, by: Instant, quantity: Quantity }
    Need { label: Short, declared_by: Handle, due: Option<Instant> }
    Clause { annex: u64, text: Long }
    Document {
        label: Short, media_type: Short, language: Short, standing: Standing, size: u64, sha256: Hash,
    }
}

choices! {
    Withdrawn { 0 Pledges(List<Hash>), 1 Agreement(Hash) }
    NoticeKind {
        0 NeedMet(u64), 1 NeedFailed(u64), 2 Reservation, 3 Objection, 4 Suspended, 5 Resumed, 6 Clarification,
        7 Correction,
    }
    Subject { 0 Statement(Hash), 1 Obligation(Obligation) }
    Occasion { 0 Due(u64), 1 Call(Hash) }
    Answer { 0 Acknowledged, 1 Delivered, 2 Declined }
    Received { 0 InFull, 1 InPart(Amount), 2 NotReceived }
    Party { 0 Handle(Handle), 1 Name(Short) }
    When { 0 Instant(Instant), 1 Day(Day) }

    Instrument { 0 Military, 1 Economic, 2 Political, 3 Humanitarian, 4 Other(Short) }
    Bound { 0 Exactly, 1 AtLeast, 2 AtMost, 3 About }
    Quantity { 0 None, 1 Open(Bounded), 2 Sealed(Hash) }
    OwedBy { 0 Author, 1 Jointly(List<Handle>) }
    Starts { 0 OnRequest, 1 OnceEstablished, 2 Either }
    Force { 0 Binding, 1 Political, 2 BestEfforts, 3 Target }
    Aspect { 0 Occurred, 1 Kind, 2 Attribution, 3 Figures, 4 Delivered }
    Standing { 0 Prevailing, 1 Authentic, 2 Translation, 3 Extract }
}

impl<T: Canonical> Canonical for Sealable<T> {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        match parts.number()? {
            0 => T::pass(parts),
            1 => Hash::pass(parts),
            _ => None,
        }
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        match parts.byte()? {
            0 => Some(()),
            1 => T::pass(parts),
            _ => None,
        }
    }
}

impl<T: Canonical> Canonical for List<T> {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        // Each element takes bytes, so that a number that lies ends with them.
        for _ in 0..parts.number()? {
            T::pass(parts)?;
        }
        Some(())
    }
}

impl<const MAX: usize> Canonical for Text<MAX> {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        (parts.text()?.len() <= MAX).then_some(())
    }
}

impl Canonical for Handle {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        Self::fits(parts.bytes()?).then_some(())
    }
}

impl Canonical for Decimal {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        Self::fits(parts.text()?).then_some(())
    }
}

impl Canonical for Bytes {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        parts.bytes().map(drop)
    }
}

impl Canonical for Hash {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        parts.hash().map(drop)
    }
}

impl Canonical for u64 {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        parts.number().map(drop)
    }
}

impl Canonical for bool {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        (parts.byte()? <= 1).then_some(())
    }
}

impl Canonical for Instant {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        Self::from_ms(parts.number()?).ok().map(drop)
    }
}

impl Canonical for Day {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        Self::from_days(parts.signed()?).ok().map(drop)
    }
}

impl Canonical for Duration {
    fn pass(parts: &mut Parts<'_>) -> Option<()> {
        Self::new(parts.number()?, parts.number()?, parts.number()?).ok().map(drop)
    }
}
