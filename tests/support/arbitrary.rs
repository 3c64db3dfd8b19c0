//! Strategies for everything that can be encoded: each field type, each act with every variant and option, statements,
//! entries, and what a hostile hand does to bytes ([`Mutation`]).
//!
//! Numbers lie at the edges of the varint more often than between them; texts hold any characters; lists are short, so
//! that each act fits a statement. What comes out is well-formed, and rarely makes sense.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::{array, bool, option};
use servanda::charter::rules::{Disputes, IncidentKind, IncidentQuorum, MotionRules, PledgeRules};
use servanda::charter::{
    Annex, Aspect, Charter, Clause, Document, KeySet, Officer, Partner, Rules, Sealable, Standing, Witnesses,
};
use servanda::codec::{Bytes, List};
use servanda::entry::{Entry, Pointer};
use servanda::field::bits::{Classes, Roles};
use servanda::field::time::{FIRST_DAY, LAST_DAY, LAST_INSTANT_MS, MAX_DAYS, MAX_MONTHS, MAX_MS};
use servanda::field::{Day, Decimal, Duration, Handle, Instant, Text};
use servanda::hash::Hash;
use servanda::statement::body::*;
use servanda::statement::terms::*;
use servanda::statement::{Act, Head, Kind, Signature, Statement};
use std::fmt::Debug;

/// Any strategy of this type, by value.
pub type Any<T> = BoxedStrategy<T>;

fn list<T: Debug + Clone + 'static>(of: impl Strategy<Value = T> + 'static) -> Any<List<T>> {
    vec(of, 0..4).prop_map(List).boxed()
}

fn maybe<T: Debug + Clone + 'static>(of: impl Strategy<Value = T> + 'static) -> Any<Option<T>> {
    option::of(of).boxed()
}

fn among<T: Debug + Clone + 'static>(all: &[T]) -> Any<T> {
    prop::sample::select(all.to_vec()).boxed()
}

/// Unsigned integers, half of them where the varint changes its length.
pub fn number() -> Any<u64> {
    let edges = [0, 1, 250, 251, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, i64::MAX as u64, u64::MAX];
    prop_oneof![among(&edges), any::<u64>(), 0..1000u64].boxed()
}

pub fn hash() -> Any<Hash> {
    prop_oneof![Just(Hash([0; 32])), any::<[u8; 32]>().prop_map(Hash)].boxed()
}

pub fn bytes(max: usize) -> Any<Bytes> {
    vec(any::<u8>(), 0..=max).prop_map(Bytes).boxed()
}

/// Texts of any characters, control characters included.
pub fn text<const MAX: usize>() -> Any<Text<MAX>> {
    let any_chars = vec(any::<char>(), 0..12).prop_map(String::from_iter);
    let long = (0..=MAX.min(300)).prop_map(|len| "x".repeat(len));
    prop_oneof![4 => "[a-zA-Z0-9 .-]{0,20}", 4 => any_chars, 1 => long]
        .prop_map(|text| Text::new(text).expect("short enough"))
        .boxed()
}

pub fn handle() -> Any<Handle> {
    prop_oneof!["[a-z0-9][a-z0-9.-]{0,5}", "[a-z0-9][a-z0-9.-]{62}", Just("operator".to_owned())]
        .prop_map(|handle| handle.parse().expect("a handle"))
        .boxed()
}

pub fn decimal() -> Any<Decimal> {
    prop_oneof!["0|[1-9][0-9]{0,26}", "(0|[1-9][0-9]{0,26})\\.[0-9]{0,17}[1-9]"]
        .prop_map(|number| number.parse().expect("canonical"))
        .boxed()
}

pub fn instant() -> Any<Instant> {
    let ms = prop_oneof![among(&[0, LAST_INSTANT_MS, 86_400_000]), 0..=LAST_INSTANT_MS];
    ms.prop_map(|ms| Instant::from_ms(ms).expect("in range")).boxed()
}

pub fn day() -> Any<Day> {
    let days = prop_oneof![among(&[FIRST_DAY, -1, 0, 1, LAST_DAY]), FIRST_DAY..=LAST_DAY];
    days.prop_map(|days| Day::from_days(days).expect("in range")).boxed()
}

pub fn duration() -> Any<Duration> {
    let some = (0..=MAX_MONTHS, 0..=MAX_DAYS, 0..=MAX_MS);
    prop_oneof![some, among(&[(0, 0, 0), (MAX_MONTHS, MAX_DAYS, MAX_MS)])]
        .prop_map(|(months, days, ms)| Duration::new(months, days, ms).expect("in range"))
        .boxed()
}

pub fn classes() -> Any<Classes> {
    (0..32u8).prop_map(|bits| Classes::from_bits(bits).expect("known bits")).boxed()
}

pub fn roles() -> Any<Roles> {
    (0..8u8).prop_map(|bits| Roles::from_bits(bits).expect("known bits")).boxed()
}

// - charter -

pub fn sealable<T: Debug + Clone + 'static>(open: Any<T>) -> Any<Sealable<T>> {
    prop_oneof![open.prop_map(Sealable::Open), hash().prop_map(Sealable::Sealed)].boxed()
}

pub fn annex() -> Any<Annex> {
    use Standing::*;
    let standing = among(&[Prevailing, Authentic, Translation, Extract]);
    let document = (text(), text(), text(), standing, number(), hash());
    sealable(
        document
            .prop_map(|(label, media_type, language, standing, size, sha256)| Document {
                label,
                media_type,
                language,
                standing,
                size,
                sha256,
            })
            .boxed(),
    )
}

pub fn clause() -> Any<Clause> {
    (number(), text()).prop_map(|(annex, text)| Clause { annex, text }).boxed()
}

pub fn aspects() -> Any<List<Aspect>> {
    use Aspect::*;
    list(among(&[Occurred, Kind, Attribution, Figures, Delivered]))
}

/// Key sets of any form, admissible or not.
pub fn key_set() -> Any<KeySet> {
    let officer = (text(), any::<u8>(), bytes(40), classes());
    let officer =
        officer.prop_map(|(title, algorithm, key, classes)| Officer { title, algorithm, key, classes });
    (list(officer), any::<[u8; 5]>())
        .prop_map(|(officers, thresholds)| KeySet { officers, thresholds })
        .boxed()
}

pub fn rules() -> Any<Rules> {
    let kind = (text(), text(), maybe(clause()));
    let kind = kind.prop_map(|(label, definition, breaches)| IncidentKind { label, definition, breaches });
    let disputes = among(&[Disputes::Against, Disputes::Vetoes]);
    let quorum = (number(), roles(), aspects(), disputes)
        .prop_map(|(count, roles, aspects, disputes)| IncidentQuorum { count, roles, aspects, disputes });
    let motions = (maybe((number(), number())), number());
    let motions = motions.prop_map(|(share, floor)| MotionRules { share, floor });
    let pledges = (bool::ANY, decimal(), duration());
    let pledges = pledges.prop_map(|(need_acceptance, tolerance, filing_grace)| PledgeRules {
        need_acceptance,
        tolerance,
        filing_grace,
    });
    let witnesses = (list(text()), number()).prop_map(|(vkeys, quorum)| Witnesses { vkeys, quorum });
    (list(text()), list(kind), quorum, motions, pledges, maybe(witnesses), duration())
        .prop_map(
            |(instruments, incident_kinds, incident_quorum, motions, pledges, witnesses, longest_expiry)| {
                Rules {
                    instruments,
                    incident_kinds,
                    incident_quorum,
                    motions,
                    pledges,
                    witnesses,
                    longest_expiry,
                }
            },
        )
        .boxed()
}

pub fn charter() -> Any<Charter> {
    let partner = (handle(), text(), roles(), hash());
    let partner = partner.prop_map(|(handle, name, roles, keys)| Partner { handle, name, roles, keys });
    (text(), text(), text(), any::<u16>(), list(partner), list(annex()), rules())
        .prop_map(|(origin, title, language, level, partners, annexes, rules)| Charter {
            origin,
            title,
            language,
            level,
            partners,
            annexes,
            rules,
        })
        .boxed()
}

// - terms -

pub fn amount() -> Any<Amount> {
    (decimal(), text()).prop_map(|(amount, unit)| Amount { amount, unit }).boxed()
}

pub fn quantity() -> Any<Quantity> {
    use Bound::*;
    let bounded = (among(&[Exactly, AtLeast, AtMost, About]), amount());
    let bounded = bounded.prop_map(|(bound, Amount { amount, unit })| Bounded { bound, amount, unit });
    prop_oneof![Just(Quantity::None), bounded.prop_map(Quantity::Open), hash().prop_map(Quantity::Sealed)]
        .boxed()
}

fn instrument() -> Any<Instrument> {
    use Instrument::*;
    prop_oneof![4 => among(&[Military, Economic, Political, Humanitarian]), 1 => text().prop_map(Other)]
        .boxed()
}

fn trigger() -> Any<Trigger> {
    use Starts::*;
    let starts = among(&[OnRequest, OnceEstablished, Either]);
    (list(text()), maybe(list(handle())), maybe(text()), maybe(hash()), starts, list(handle()))
        .prop_map(|(kinds, against, only_after, after, starts, requesters)| Trigger {
            kinds,
            against,
            only_after,
            after,
            starts,
            requesters,
        })
        .boxed()
}

pub fn terms() -> Any<Terms> {
    let force = among(&[Force::Binding, Force::Political, Force::BestEfforts, Force::Target]);
    let owed_by = prop_oneof![Just(OwedBy::Author), list(handle()).prop_map(OwedBy::Jointly)];
    let due = (text(), instant(), quantity());
    let due = due.prop_map(|(label, by, quantity)| Due { label, by, quantity });
    let need = (text(), handle(), maybe(instant()));
    let need = need.prop_map(|(label, declared_by, due)| Need { label, declared_by, due });
    let what = (maybe(text()), text(), text(), list(instrument()), quantity(), maybe(hash()), force);
    let whence = (maybe(day()), maybe(text()), maybe(clause()));
    let when = (instant(), maybe(instant()), duration(), owed_by, maybe(trigger()), maybe(duration()));
    (what, whence, when, (list(due), list(need), list(annex())))
        .prop_map(|(what, whence, when, lists)| {
            let (reference, title, text, instruments, quantity, within, force) = what;
            let (made_on, source, clause) = whence;
            let (valid_from, valid_until, notice_period, owed_by, trigger, respond_within) = when;
            let (dues, needs, annexes) = lists;
            Terms {
                reference,
                title,
                text,
                instruments,
                quantity,
                within,
                force,
                made_on,
                source,
                clause,
                valid_from,
                valid_until,
                notice_period,
                owed_by,
                trigger,
                respond_within,
                dues,
                needs,
                annexes,
            }
        })
        .boxed()
}

// - acts -

fn motion() -> Any<Motion> {
    prop_oneof![
        (handle(), text(), roles(), hash()).prop_map(|(handle, name, roles, keys)| Motion::Admit {
            handle,
            name,
            roles,
            keys
        }),
        handle().prop_map(|handle| Motion::Suspend { handle }),
        handle().prop_map(|handle| Motion::Resume { handle }),
        (handle(), hash(), maybe(number())).prop_map(|(handle, keys, disown_from)| Motion::Rekey {
            handle,
            keys,
            disown_from
        }),
        (rules(), hash()).prop_map(|(rules, replaces)| Motion::Rules { rules, replaces }),
        any::<u16>().prop_map(|level| Motion::Level { level }),
        (text(), hash(), hash()).prop_map(|(vkey, keys, replaces)| Motion::Operator { vkey, keys, replaces }),
    ]
    .boxed()
}

fn party() -> Any<Party> {
    prop_oneof![handle().prop_map(Party::Handle), text().prop_map(Party::Name)].boxed()
}

fn when() -> Any<When> {
    prop_oneof![instant().prop_map(When::Instant), day().prop_map(When::Day)].boxed()
}

fn obligation() -> Any<Obligation> {
    let occasion = prop_oneof![number().prop_map(Occasion::Due), hash().prop_map(Occasion::Call)];
    (hash(), occasion).prop_map(|(pledge, occasion)| Obligation { pledge, occasion }).boxed()
}

fn subject() -> Any<Subject> {
    prop_oneof![hash().prop_map(Subject::Statement), obligation().prop_map(Subject::Obligation)].boxed()
}

fn notice_kind() -> Any<NoticeKind> {
    use NoticeKind::*;
    prop_oneof![
        1 => number().prop_map(NeedMet),
        1 => number().prop_map(NeedFailed),
        4 => among(&[Reservation, Objection, Suspended, Resumed, Clarification, Correction]),
    ]
    .boxed()
}

fn report() -> Any<Report> {
    let figure = (text(), text(), text(), decimal());
    let figure =
        figure.prop_map(|(measure, region, period, value)| Figure { measure, region, period, value });
    let what = (list(text()), maybe(party()), list(party()), text(), when(), when());
    let rest = (list(figure), text(), list(annex()), maybe(hash()), maybe(hash()), bool::ANY);
    (what, rest)
        .prop_map(|((kinds, actor, against, place, from, to), rest)| {
            let (figures, text, annexes, joins, supersedes, exercise) = rest;
            Report {
                kinds,
                actor,
                against,
                place,
                from,
                to,
                figures,
                text,
                annexes,
                joins,
                supersedes,
                exercise,
            }
        })
        .boxed()
}

fn review() -> Any<Review> {
    let remark = (hash(), text()).prop_map(|(statement, text)| Remark { statement, text });
    (day(), list(text()), list(remark), list(text()), maybe(day()), list(annex()))
        .prop_map(|(held_on, attendance, remarks, decisions, next_on, annexes)| Review {
            held_on,
            attendance,
            remarks,
            decisions,
            next_on,
            annexes,
        })
        .boxed()
}

/// Acts of one kind, every field of theirs free.
pub fn act_of(kind: Kind) -> Any<Act> {
    match kind {
        Kind::Found | Kind::Accede | Kind::Rotate | Kind::Propose | Kind::Approve | Kind::Anchor => {
            act_of_rule(kind)
        }
        Kind::Report | Kind::Attest | Kind::Dispute | Kind::Invoke | Kind::Respond | Kind::Confirm => {
            act_of_event(kind)
        }
        _ => act_of_commitment(kind),
    }
}

fn act_of_rule(kind: Kind) -> Any<Act> {
    match kind {
        Kind::Found => (charter(), hash(), key_set(), text())
            .prop_map(|(charter, text, keys, vkey)| Act::Found(Found { charter, text, keys, vkey }))
            .boxed(),
        Kind::Accede => (key_set(), maybe(text()), list(annex()))
            .prop_map(|(keys, reservations, annexes)| Act::Accede(Accede { keys, reservations, annexes }))
            .boxed(),
        Kind::Rotate => key_set().prop_map(|keys| Act::Rotate(Rotate { keys })).boxed(),
        Kind::Propose => (motion(), instant())
            .prop_map(|(motion, lapses_at)| Act::Propose(Propose { motion, lapses_at }))
            .boxed(),
        Kind::Approve => hash().prop_map(|motion| Act::Approve(Approve { motion })).boxed(),
        _ => bytes(300).prop_map(|checkpoint| Act::Anchor(Anchor { checkpoint })).boxed(),
    }
}

fn act_of_commitment(kind: Kind) -> Any<Act> {
    let (to, some_terms) = (list(handle()), sealable(terms()));
    match kind {
        Kind::Pledge => (to, some_terms).prop_map(|(to, terms)| Act::Pledge(Pledge { to, terms })).boxed(),
        Kind::Accept => (list(hash()), maybe(text()))
            .prop_map(|(statements, reservation)| Act::Accept(Accept { statements, reservation }))
            .boxed(),
        Kind::Join => hash().prop_map(|statement| Act::Join(Join { statement })).boxed(),
        Kind::Amend => (hash(), to, some_terms)
            .prop_map(|(statement, to, terms)| Act::Amend(Amend { statement, to, terms }))
            .boxed(),
        Kind::Withdraw => {
            let from =
                prop_oneof![list(hash()).prop_map(Withdrawn::Pledges), hash().prop_map(Withdrawn::Agreement)];
            (from, text()).prop_map(|(from, text)| Act::Withdraw(Withdraw { from, text })).boxed()
        }
        Kind::Notice => (hash(), notice_kind(), maybe(instant()), text(), list(annex()))
            .prop_map(|(statement, notice, effective_at, text, annexes)| {
                Act::Notice(Notice { statement, notice, effective_at, text, annexes })
            })
            .boxed(),
        Kind::Record => (party(), to, some_terms, text())
            .prop_map(|(promisor, to, terms, source)| Act::Record(Record { promisor, to, terms, source }))
            .boxed(),
        Kind::Adopt => hash().prop_map(|record| Act::Adopt(Adopt { record })).boxed(),
        Kind::Review => review().prop_map(Act::Review).boxed(),
        Kind::Reveal => (hash(), text(), hash(), bytes(300))
            .prop_map(|(statement, field, salt, value)| Act::Reveal(Reveal { statement, field, salt, value }))
            .boxed(),
        _ => unreachable!("{kind:?} is in another family"),
    }
}

fn act_of_event(kind: Kind) -> Any<Act> {
    match kind {
        Kind::Report => report().prop_map(Act::Report).boxed(),
        Kind::Attest => (subject(), aspects(), text(), list(annex()))
            .prop_map(|(on, aspects, text, annexes)| Act::Attest(Attest { on, aspects, text, annexes }))
            .boxed(),
        Kind::Dispute => (subject(), aspects(), text(), list(annex()))
            .prop_map(|(on, aspects, text, annexes)| Act::Dispute(Dispute { on, aspects, text, annexes }))
            .boxed(),
        Kind::Invoke => (list(hash()), maybe(hash()), instant(), text())
            .prop_map(|(pledges, incident, requested_at, text)| {
                Act::Invoke(Invoke { pledges, incident, requested_at, text })
            })
            .boxed(),
        Kind::Respond => {
            let answer = among(&[Answer::Acknowledged, Answer::Delivered, Answer::Declined]);
            (obligation(), answer, maybe(amount()), maybe(instant()), text(), list(annex()))
                .prop_map(|(obligation, answer, quantity, done_at, note, annexes)| {
                    Act::Respond(Respond { obligation, answer, quantity, done_at, note, annexes })
                })
                .boxed()
        }
        _ => {
            let received = prop_oneof![
                Just(Received::InFull),
                amount().prop_map(Received::InPart),
                Just(Received::NotReceived)
            ];
            (hash(), received, text())
                .prop_map(|(response, received, note)| Act::Confirm(Confirm { response, received, note }))
                .boxed()
        }
    }
}

/// Acts of every kind.
pub fn act() -> Any<Act> {
    among(Kind::ALL).prop_flat_map(act_of).boxed()
}

// - statements and entries -

pub fn head() -> Any<Head> {
    (number(), hash()).prop_map(|(size, leaf)| Head { size, leaf }).boxed()
}

/// Statements of every kind, each in a class in which it may be signed, and of kinds that nobody knows.
pub fn statement() -> Any<Statement> {
    let known = act().prop_map(|act| {
        let kind = act.kind();
        (kind.classes()[0].number(), kind.number(), Bytes(act.encode_body()))
    });
    let unknown = (0..5u8, 100..=u16::MAX, bytes(50));
    let what = prop_oneof![9 => known, 1 => unknown];
    ((hash(), handle(), number(), hash(), head()), instant(), instant(), what)
        .prop_map(|((log, author, seq, prev, seen), issued_at, expires_at, (class, kind, body))| Statement {
            version: servanda::statement::VERSION,
            log,
            author,
            class,
            seq,
            prev,
            seen,
            issued_at,
            expires_at,
            kind,
            body,
        })
        .boxed()
}

pub fn signature() -> Any<Signature> {
    (any::<u8>(), any::<u8>(), array::uniform32(any::<u8>()), 0..=64usize)
        .prop_map(|(officer, algorithm, half, len)| Signature {
            officer,
            algorithm,
            bytes: [half, half].concat()[..len].to_vec().into(),
        })
        .boxed()
}

pub fn entry() -> Any<Entry> {
    let roster = (number(), hash()).prop_map(|(index, leaf)| Pointer { index, leaf });
    (number(), hash(), roster, instant(), statement(), list(signature()))
        .prop_map(|(index, link, roster, sequenced_at, statement, signatures)| Entry {
            version: servanda::entry::VERSION,
            index,
            link,
            roster,
            sequenced_at,
            statement: statement.encode().expect("short enough").into(),
            signatures,
        })
        .boxed()
}

/// A change to bytes.
#[derive(Clone, Debug)]
pub enum Mutation {
    /// One bit turned over.
    Flip(Index, u8),
    /// One byte set.
    Set(Index, u8),
    /// Cut off from here on.
    Truncate(Index),
    /// Bytes behind the end.
    Append(Vec<u8>),
    /// A byte too many.
    Insert(Index, u8),
    /// A byte missing.
    Remove(Index),
}

impl Mutation {
    /// Applies it to bytes that are not empty.
    pub fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        match self {
            Self::Flip(at, bit) => out[at.index(bytes.len())] ^= 1 << bit,
            Self::Set(at, byte) => out[at.index(bytes.len())] = *byte,
            Self::Truncate(at) => out.truncate(at.index(bytes.len())),
            Self::Append(more) => out.extend(more),
            Self::Insert(at, byte) => out.insert(at.index(bytes.len() + 1), *byte),
            Self::Remove(at) => drop(out.remove(at.index(bytes.len()))),
        }
        out
    }
}

/// Changes of every sort; the bytes that begin longer integers, and lengths, are tried often.
pub fn mutation() -> Any<Mutation> {
    let byte = || prop_oneof![any::<u8>(), among(&[0, 1, 250, 251, 252, 253, 254, 255])];
    prop_oneof![
        (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        (any::<Index>(), byte()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        any::<Index>().prop_map(Mutation::Truncate),
        vec(any::<u8>(), 1..10).prop_map(Mutation::Append),
        (any::<Index>(), byte()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        any::<Index>().prop_map(Mutation::Remove),
    ]
    .boxed()
}
