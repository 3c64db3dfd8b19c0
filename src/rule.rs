//! The rules by which an act is void: each with a word for programs, and with what it says to people.
//!
//! A rule tells how things stand, and what would be allowed instead: the door refuses with these words, and every
//! verifier repeats them where an operator let such an act in. `docs/ledger.md` has them in one table; `ledger` applies
//! them. To a partner, a pledge or a report a rule is the same wherever it is broken.

use crate::field::{Handle, Instant, Short};
use crate::hash::Hash;
use std::fmt;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident : $type:ty),+ })? $code:literal $text:literal $(($($arg:expr),+))?;)+) => {
        /// Why an act is void.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "fields are named by what they hold")]
        pub enum Rule { $($(#[$doc])* $name $({ $($field: $type),+ })?,)+ }

        impl Rule {
            /// The words for programs, of all rules, in the order of `docs/ledger.md`.
            pub const CODES: &'static [&'static str] = &[$($code,)+];

            /// A word for programs that never changes.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code,)+ }
            }
        }

        impl fmt::Display for Rule {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$name $({ $($field),+ })? => write!(f, $text $(, $($arg),+)?),)+ }
            }
        }
    };
}

rules! {
    // What terms and addressees may be.
    /// It is addressed to nobody, or names nothing.
    NothingNamed { what: &'static str } "nothing-named" "names no {what}: name at least one";
    /// A handle that is no partner's.
    NoPartner { handle: Handle } "no-partner" "names {handle}, which is no partner's handle here";
    /// Addressed to its own author.
    ToItself "to-itself" "is addressed to its own author";
    /// The same twice.
    Twice { what: String } "twice" "names {what} twice";
    /// An incident kind that the rules do not define.
    NoKind { kind: Short } "no-incident-kind" "speaks of the incident kind {:?}, which the charter's rules do not define" (kind.as_str());
    /// An instrument that the rules do not name.
    NoInstrument { name: Short } "no-instrument" "speaks of the instrument {:?}, which the charter's rules do not name" (name.as_str());
    /// Ends before it begins.
    EndsFirst "ends-first" "ends before it begins";
    /// The one who pledges owes, too.
    NotOwing "not-owing" "names those who owe it jointly, and not its author among them";
    /// A clause of an annex that it has not.
    NoAnnex { annex: u64 } "no-annex" "refers to annex {annex}, which it has not: annexes are counted from 0";
    /// The author's reference stands for another live pledge.
    ReferenceTaken { reference: Short, pledge: Hash } "reference-taken" "calls itself {:?}, as its author's pledge {} does, which has not ended" (reference.as_str(), pledge.short());
    // References to other statements.
    /// The id names no such thing.
    Unknown { id: Hash, want: &'static str } "unknown" "names {}, which is no {want} in this log" (id.short());
    /// What it speaks of is over.
    Ended { id: Hash, state: String } "ended" "speaks of {}, which {state}" (id.short());
    /// Not the author's.
    NotAuthor { id: Hash, author: Handle } "not-author" "changes {}, which is {author}'s: only {author} may" (id.short());
    /// Neither author nor addressee.
    NoPart { id: Hash } "no-part" "speaks of {}, to which its author is no party: neither pledged by it nor to it" (id.short());
    /// The class does not fit what it refers to.
    ClassOf { id: Hash, want: &'static str } "class-of" "speaks of {} in another class: that takes \"{want}\"" (id.short());
    // Acceptance, joining, needs.
    /// Not pledged to this partner.
    NotAddressed { id: Hash } "not-addressed" "accepts {}, which is not addressed to its author" (id.short());
    /// Already accepted.
    Accepted { id: Hash } "accepted-already" "accepts {}, which its author has accepted already, or something later in its place" (id.short());
    /// A record is nobody's word yet.
    OnlyRecorded { id: Hash } "only-recorded" "speaks of {}, which is recorded, not pledged: its promisor adopts it first" (id.short());
    /// Already joined.
    Joined { id: Hash } "joined-already" "joins {}, which its author has joined already" (id.short());
    /// One cannot join one's own.
    JoinsOwn { id: Hash } "joins-own" "joins {}, which is its author's own" (id.short());
    /// There is no need of this number.
    NoNeed { need: u64, of: usize } "no-need" "speaks of need {need}: there are {of}, counted from 0";
    /// Somebody else declares it.
    NotDeclarer { label: Short, by: Handle } "not-declarer" "speaks of the need {:?}, which {by} declares" (label.as_str());
    /// The need was declared met or failed.
    NeedTold { label: Short } "need-told" "speaks of the need {:?}, which was declared before" (label.as_str());
    /// Suspended already, or not suspended by this partner.
    NotPaused { paused: bool } "suspension" "{}" (if *paused { "suspends what its author has suspended already" } else { "resumes what its author has not suspended" });
    // Records.
    /// A record is not for the promisor.
    OwnRecord "own-record" "records what its author promised itself: `pledge` says that";
    /// Not the promisor.
    NotPromisor { id: Hash } "not-promisor" "adopts {}, which records another's promise" (id.short());
    /// Adopted already.
    Adopted { id: Hash } "adopted-already" "speaks of {}, which its promisor has adopted" (id.short());
    /// The author has none of the roles.
    Role { want: String } "role" "is for partners of the role {want}, which its author has not";
    // Incidents.
    /// Something that has not happened yet.
    Future { at: Instant } "future" "speaks of what happened after {at}, when it entered the log";
    /// Not one's own report.
    NotReporter { id: Hash } "not-reporter" "supersedes {}, which another reported: a report of its own may join it" (id.short());
    /// Superseded by another.
    Superseded { id: Hash, by: Hash } "superseded" "speaks of {}, which {} supersedes" (id.short(), by.short());
    /// Exercise and real thing mixed.
    Mixed { id: Hash } "mixes-exercise" "mixes an exercise with the real thing: {} is the other of the two" (id.short());
    /// The aspect does not fit.
    Aspect "aspect" "speaks of an aspect that what it is about has not: occurred, kind, attribution and figures are a report's, delivered is a response's or an obligation's";
    /// Nobody vouches for oneself.
    OwnWord "own-word" "attests its author's own delivery";
    // Calls.
    /// Not triggered.
    NoTrigger { id: Hash } "no-trigger" "calls upon {}, which cannot be called upon: its terms have no trigger" (id.short());
    /// Starts by itself only.
    NotOnRequest { id: Hash } "not-on-request" "calls upon {}, which starts once an incident is established, not on request" (id.short());
    /// Not a requester.
    NotRequester { id: Hash, may: String } "not-requester" "calls upon {}, upon which may call: {may}" (id.short());
    /// Not in force.
    NotInForce { id: Hash, state: String } "not-in-force" "calls upon {}, which {state}" (id.short());
    /// It takes an incident.
    NeedsIncident { id: Hash, kinds: String } "needs-incident" "calls upon {} without an incident: its trigger takes one of the kind {kinds}" (id.short());
    /// The trigger does not fit the incident.
    DoesNotFit { id: Hash, why: String } "does-not-fit" "calls upon {}, whose trigger does not fit: {why}" (id.short());
    /// Called because of this already.
    Called { id: Hash } "called-already" "calls upon {}, which was called upon for this already" (id.short());
    // Obligations.
    /// Not owed by anyone.
    NoObligation { pledge: Hash, why: String } "no-obligation" "answers what is not owed under {}: {why}" (pledge.short());
    /// Owed by somebody else.
    NotOwed { by: String } "not-owed" "answers what is owed by {by}";
    /// Only deliveries have a quantity and a moment.
    OnlyDelivered "only-delivered" "states a quantity or a moment of delivery, and does not say \"delivered\"";
    /// Another unit than the terms have.
    Unit { got: Short, want: String } "unit" "counts in {:?}, the terms count in {want}" (got.as_str());
    /// Not owed to this partner.
    NotOwedTo { id: Hash, to: String } "not-owed-to" "confirms {}, which is for {to} to confirm" (id.short());
    /// Nothing was claimed.
    NotClaimed { id: Hash } "not-claimed" "confirms {}, which claims no delivery" (id.short());
    /// More than was claimed.
    MoreThanClaimed { claimed: String } "more-than-claimed" "confirms more than the {claimed} that were claimed";
    // Seals.
    /// No seal of this name.
    NoSeal { id: Hash, field: Short } "no-seal" "opens {:?} of {}, which is not sealed, or is open by now" (field.as_str(), id.short());
    /// Another's seal.
    NotSealer { by: Handle } "not-sealer" "opens a seal of {by}'s: only {by} may";
    /// The seal is another.
    SealDiffers "seal-differs" "does not open the seal: salt, value or author are others";
    /// The value is none of its field.
    SealedValue "sealed-value" "opens the seal to a value that its field cannot have";
}
