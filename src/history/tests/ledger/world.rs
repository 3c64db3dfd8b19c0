//! A small world for the ledger's tests: a log in which `de` and `fr` give guarantees, `it` receives them, `fr` and `pl`
//! observe. Two of those who guarantee or observe establish an incident, on what occurred and of which kind.

use crate::chain::Reason;
use crate::charter::rules::{Disputes, IncidentKind, IncidentQuorum};
use crate::charter::{Annex, Aspect, Document, Rules, Sealable, Standing};
use crate::codec::{List, encode};
use crate::entry::SignedEntry;
use crate::field::{Class, Duration, Handle, Instant, Long, Role, Roles};
use crate::hash::{Hash, ZEROS, sha256};
use crate::history::History;
pub use crate::history::sample::{DAY, Sample, handle, short, start};
use crate::history::sample::{founding, rules as sample_rules};
use crate::ledger::verdict::{Owed, Verdict};
use crate::ledger::{Ledger, Line, Moment, State};
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::*;

/// Roles of these.
pub fn roles(all: &[Role]) -> Roles {
    all.iter().fold(Roles::default(), |roles, role| roles.with(*role))
}

pub fn rules() -> Rules {
    let kind = |label: &str| IncidentKind { label: short(label), definition: long("…"), breaches: None };
    Rules {
        instruments: vec![short("space")].into(),
        incident_kinds: vec![kind("attack"), kind("ceasefire")].into(),
        incident_quorum: IncidentQuorum {
            count: 2,
            roles: roles(&[Role::Guarantor, Role::Observer]),
            aspects: vec![Aspect::Occurred, Aspect::Kind].into(),
            disputes: Disputes::Against,
        },
        ..sample_rules()
    }
}

pub fn long(text: &str) -> Long {
    Long::new(text).expect("long")
}

pub fn handles(names: &str) -> List<Handle> {
    names.split_whitespace().map(handle).collect()
}

/// A log that derives its ledger.
#[derive(Clone)]
pub struct World {
    pub log: Sample,
}

impl World {
    pub fn new() -> Self {
        Self::ruled(rules())
    }

    pub fn ruled(rules: Rules) -> Self {
        let mut found = founding();
        found.charter.rules = rules;
        for (n, all) in [
            &[Role::Guarantor][..],
            &[Role::Guarantor, Role::Observer],
            &[Role::Beneficiary],
            &[Role::Observer],
        ]
        .iter()
        .enumerate()
        {
            found.charter.partners[n].roles = roles(all);
        }
        let mut log = Sample { now: start(), history: History::default(), ..Sample::default() };
        let draft = log.draft("operator", Class::Govern, &Act::Found(found));
        assert_eq!(log.put(&draft), []);
        for who in ["de", "fr", "it", "pl"] {
            log.say(who, Class::Govern, &crate::history::sample::accede(who));
        }
        Self { log }
    }

    pub fn ledger(&self) -> &Ledger {
        self.log.history.ledger().expect("it is derived")
    }

    pub fn now(&self) -> Instant {
        self.log.now
    }

    pub fn wait_days(&mut self, days: u64) {
        self.log.wait(days * DAY);
    }

    /// Says something in the usual class of its kind.
    pub fn say(&mut self, by: &str, act: impl Into<Act>) -> Hash {
        let act = act.into();
        self.log.say(by, act.kind().classes()[0], &act)
    }

    pub fn say_in(&mut self, class: Class, by: &str, act: impl Into<Act>) -> Hash {
        self.log.say(by, class, &act.into())
    }

    /// Has something refused, with nothing changed; gives the rule's code.
    pub fn refused(&mut self, by: &str, act: impl Into<Act>) -> &'static str {
        let act = act.into();
        self.refused_in(act.kind().classes()[0], by, &act)
    }

    /// The same at the door, and in the log of an operator who let it in.
    pub fn refused_in(&mut self, class: Class, by: &str, act: &Act) -> &'static str {
        self.log.wait(1000);
        let draft = self.log.draft(by, class, act);
        let bytes = encode(&self.log.entry(&draft));
        let e = SignedEntry::decode(&bytes).expect("an entry");
        let (before, digest) = (encode(&self.log.history.snapshot()), self.ledger().digest());
        let leaves = &self.log.leaves;
        let refused = self.log.history.try_take(&bytes, &e, &mut &leaves[..], None);
        let at_door: Vec<_> = refused.expect_err("refused").into_iter().map(|f| f.reason).collect();
        assert!(before == encode(&self.log.history.snapshot()), "the door left a trace");
        let in_log = self.log.put(&draft);
        assert_eq!(at_door, in_log);
        assert!(matches!(in_log[..], [Reason::Rule { .. }]), "{in_log:?}");
        assert!(!in_log[0].to_string().is_empty());
        assert_eq!(digest, self.ledger().digest(), "void, it changed the ledger");
        in_log[0].code()
    }

    pub fn state(&self, pledge: &Hash) -> State {
        self.state_at(pledge, self.now())
    }

    /// How the line that an id names stands altogether.
    pub fn state_at(&self, id: &Hash, at: Instant) -> State {
        let (pledge, line) = self.ledger().line(id).expect("a pledge or join");
        pledge.overall(line, Moment::at(at))
    }

    /// How a pledge stands towards one addressee.
    pub fn towards(&self, pledge: &Hash, to: &str) -> State {
        let pledge = self.ledger().pledge_of(pledge).expect("a pledge");
        pledge.state(Line::Author, &handle(to), Moment::at(self.now()))
    }

    pub fn owed(&self, at: Instant) -> Vec<Owed<'_>> {
        self.ledger().owed(Moment::at(at))
    }

    /// The verdict on the only obligation there is, at a time.
    pub fn verdict_at(&self, at: Instant) -> Verdict {
        let owed = self.owed(at);
        assert_eq!(owed.len(), 1, "{owed:?}");
        owed[0].verdict
    }

    pub fn verdict(&self) -> Verdict {
        self.verdict_at(self.now())
    }

    /// Makes and carries a motion.
    pub fn carry(&mut self, motion: Motion, who: &[&str]) {
        self.log.carry(motion, who);
    }

    /// `de` pledges to `it`, who accepts.
    pub fn pledged(&mut self, terms: Terms) -> Hash {
        let id = self.say("de", pledge("it", terms));
        self.say("it", accept(&[id]));
        id
    }

    /// An attack on `it` that is reported by `de` and attested by `pl`: established.
    pub fn attack(&mut self) -> Hash {
        let id = self.say("de", report("attack", self.now()));
        self.say("pl", attest(id));
        id
    }
}

/// Terms that say as little as they can.
pub fn terms() -> Terms {
    Terms {
        reference: None,
        title: short("a pledge"),
        text: Long::default(),
        instruments: vec![Instrument::Political].into(),
        quantity: Quantity::None,
        within: None,
        force: Force::Binding,
        made_on: None,
        source: None,
        clause: None,
        valid_from: start(),
        valid_until: None,
        notice_period: Duration::default(),
        owed_by: OwedBy::Author,
        trigger: None,
        respond_within: None,
        dues: List::default(),
        needs: List::default(),
        annexes: List::default(),
    }
}

/// So many days after the log was founded.
pub fn day(n: u64) -> Instant {
    start().plus_ms(n * DAY)
}

/// Terms with one due of so much by that day.
pub fn due(quantity: &str, by: u64) -> Terms {
    let quantity = if quantity.is_empty() { Quantity::None } else { open(quantity) };
    Terms { dues: vec![Due { label: short("first"), by: day(by), quantity }].into(), ..terms() }
}

pub fn open(quantity: &str) -> Quantity {
    Quantity::Open(quantity.parse().expect("a quantity"))
}

pub fn trigger(starts: Starts) -> Trigger {
    Trigger {
        kinds: vec![short("attack")].into(),
        against: None,
        only_after: None,
        after: None,
        starts,
        requesters: List::default(),
    }
}

/// Terms called upon by an attack: an answer within a day.
pub fn called(starts: Starts) -> Terms {
    Terms { trigger: Some(trigger(starts)), respond_within: Some(Duration::of_days(1)), ..terms() }
}

/// Terms with a need that `it` declares.
pub fn needing() -> Terms {
    let need = Need { label: short("ratification"), declared_by: handle("it"), due: None };
    Terms { needs: vec![need].into(), ..terms() }
}

pub fn document(sha256: Hash) -> Annex {
    Sealable::Open(Document {
        label: short("treaty"),
        media_type: short("text/plain"),
        language: short("en"),
        standing: Standing::Authentic,
        size: 1,
        sha256,
    })
}

pub fn pledge(to: &str, terms: Terms) -> Act {
    Act::Pledge(Pledge { to: handles(to), terms: Sealable::Open(terms) })
}

pub fn record(promisor: &str, to: &str, terms: Terms) -> Act {
    let terms = Sealable::Open(terms);
    let promisor = Party::Handle(handle(promisor));
    Act::Record(Record { promisor, to: handles(to), terms, source: Long::default() })
}

pub fn adopt(record: Hash) -> Act {
    Act::Adopt(Adopt { record })
}

pub fn amend(statement: Hash, to: &str, terms: Terms) -> Act {
    Act::Amend(Amend { statement, to: handles(to), terms: Sealable::Open(terms) })
}

pub fn accept(ids: &[Hash]) -> Act {
    Act::Accept(Accept { statements: ids.to_vec().into(), reservation: None })
}

pub fn join(statement: Hash) -> Act {
    Act::Join(Join { statement })
}

pub fn withdraw(ids: &[Hash]) -> Act {
    Act::Withdraw(Withdraw { from: Withdrawn::Pledges(ids.to_vec().into()), text: Long::default() })
}

pub fn leave(agreement: Hash) -> Act {
    Act::Withdraw(Withdraw { from: Withdrawn::Agreement(agreement), text: Long::default() })
}

pub fn notice(statement: Hash, notice: NoticeKind) -> Act {
    notice_from(statement, notice, None)
}

pub fn notice_from(statement: Hash, notice: NoticeKind, effective_at: Option<Instant>) -> Act {
    let (text, annexes) = Default::default();
    Act::Notice(Notice { statement, notice, effective_at, text, annexes })
}

/// What is reported: of one kind, or none, against `it`.
pub fn reported(kind: &str, from: Instant) -> Report {
    Report {
        kinds: kind.split_whitespace().map(short).collect(),
        actor: None,
        against: vec![Party::Handle(handle("it"))].into(),
        place: short(""),
        from: When::Instant(from),
        to: When::Instant(from),
        figures: List::default(),
        text: Long::default(),
        annexes: List::default(),
        joins: None,
        supersedes: None,
        exercise: false,
    }
}

pub fn report(kind: &str, from: Instant) -> Act {
    Act::Report(reported(kind, from))
}

pub fn exercise(kind: &str, from: Instant) -> Act {
    Act::Report(Report { exercise: true, ..reported(kind, from) })
}

pub fn attest(id: Hash) -> Act {
    attest_on(Subject::Statement(id), &[Aspect::Occurred, Aspect::Kind])
}

pub fn attest_on(on: Subject, aspects: &[Aspect]) -> Act {
    let (text, annexes) = Default::default();
    Act::Attest(Attest { on, aspects: aspects.to_vec().into(), text, annexes })
}

pub fn dispute(id: Hash) -> Act {
    dispute_on(Subject::Statement(id), &[Aspect::Occurred, Aspect::Kind])
}

pub fn dispute_on(on: Subject, aspects: &[Aspect]) -> Act {
    let (text, annexes) = Default::default();
    Act::Dispute(Dispute { on, aspects: aspects.to_vec().into(), text, annexes })
}

pub fn invoke(pledges: &[Hash], incident: Option<Hash>) -> Act {
    let requested_at = start();
    let pledges = pledges.to_vec().into();
    Act::Invoke(Invoke { pledges, incident, requested_at, text: Long::default() })
}

pub fn on_due(pledge: Hash, due: u64) -> Obligation {
    Obligation { pledge, occasion: Occasion::Due(due) }
}

pub fn on_call(pledge: Hash, call: Hash) -> Obligation {
    Obligation { pledge, occasion: Occasion::Call(call) }
}

pub fn respond(obligation: Obligation, answer: Answer) -> Act {
    respond_with(obligation, answer, None, None)
}

/// Claims to have delivered so much; nothing stated where it is empty.
pub fn deliver(obligation: Obligation, quantity: &str) -> Act {
    respond_with(obligation, Answer::Delivered, Some(quantity).filter(|q| !q.is_empty()), None)
}

pub fn respond_with(
    obligation: Obligation,
    answer: Answer,
    quantity: Option<&str>,
    done_at: Option<Instant>,
) -> Act {
    let quantity = quantity.map(|q| q.parse().expect("an amount"));
    let (note, annexes) = Default::default();
    Act::Respond(Respond { obligation, answer, quantity, done_at, note, annexes })
}

pub fn confirm(response: Hash) -> Act {
    confirm_as(response, Received::InFull)
}

pub fn confirm_part(response: Hash, quantity: &str) -> Act {
    confirm_as(response, Received::InPart(quantity.parse().expect("an amount")))
}

pub fn confirm_as(response: Hash, received: Received) -> Act {
    Act::Confirm(Confirm { response, received, note: Long::default() })
}

/// The salt of all seals here.
pub fn salt() -> Hash {
    sha256(b"salt")
}

pub fn reveal(statement: Hash, field: &str, value: &impl serde::Serialize) -> Act {
    Act::Reveal(Reveal { statement, field: short(field), salt: salt(), value: encode(value).into() })
}

impl World {
    /// The seal of a value that `by` keeps to itself.
    pub fn sealed(&self, by: &str, field: &str, value: &impl serde::Serialize) -> Hash {
        crate::seal::seal(&self.log.roster().log, &handle(by), &salt(), &short(field), &encode(value))
    }

    /// A pledge whose terms are sealed.
    pub fn sealed_pledge(&mut self, terms: &Terms) -> Hash {
        let terms = Sealable::Sealed(self.sealed("de", "terms", terms));
        self.say("de", Act::Pledge(Pledge { to: handles("it"), terms }))
    }
}

/// An id of nothing.
pub const NOTHING: Hash = ZEROS;
