//! A coalition's first months as a small log: pledges, amendments, an attack and who answered, parts paid, a review.
//!
//! Nothing in it is true of anybody. Entry by entry it is what `history` and `review-pack` are tried on:
//!
//! ```text
//!  0 …  5  founded, everyone acceded
//!  6,  7   de pledges 100,000,000 EUR in two instalments (DE-M1); ua accepts, with a reservation
//!  8,  9   fr pledges consultations within 24 hours of an attack (FR-C1); ua accepts
//! 10, 11   pl pledges the same, but only after a ceasefire (PL-C1); ua accepts
//! 12, 13   pl pledges at most 5 vehicles, once its parliament approves (PL-M1); ua accepts
//! 14       kiel records what Nordland announced
//! 15       a review meeting on 2027-01-15
//! 16, 17   de amends DE-M1; ua accepts
//! 18, 19   ua reports an attack, kiel attests it: fr is called upon
//! 20, 21   fr consulted within hours; ua confirms
//! 22, 23   pl disputes the attack's attribution; ua says a second attack, in an exercise
//! 24       kiel attests the exercise: fr is called upon, and owes nothing
//! 25 … 28  de pays 40 and 20 million of the first instalment; ua confirms the first, kiel attests it
//! 29       fr joins DE-M1 on its own account
//! ```

#![allow(dead_code, reason = "each chapter uses a part")]
#![allow(clippy::unwrap_used)]

use super::small_log::{SmallLog, accept, at, decimal, handle, handles, long, pledge, short, terms};
use servanda::charter::{Annex, Aspect, Clause, Document, Sealable, Standing};
use servanda::field::{Decimal, Duration};
use servanda::hash::{Hash, sha256};
use servanda::statement::Act;
use servanda::statement::body::{
    Accept, Amend, Answer, Attest, Confirm, Dispute, Figure, Join, Obligation, Occasion, Party, Received,
    Record, Remark, Report, Respond, Review, Subject, When,
};
use servanda::statement::terms::{Amount, Due, Force, Instrument, Need, Quantity, Starts, Terms, Trigger};

/// The log, and the ids of its pledges.
pub struct Coalition {
    pub log: SmallLog,
    pub de_m1: Hash,
    pub fr_c1: Hash,
    pub pl_c1: Hash,
    pub pl_m1: Hash,
    pub record: Hash,
    pub review: Hash,
    pub attack: Hash,
}

pub fn quantity(text: &str) -> Quantity {
    Quantity::Open(text.parse().unwrap())
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn document(label: &str, language: &str, standing: Standing) -> Annex {
    Sealable::Open(Document {
        label: short(label),
        media_type: short("application/pdf"),
        language: short(language),
        standing,
        size: 48_211,
        sha256: sha256(label.as_bytes()),
    })
}

fn due(label: &str, by: &str, quantity: Quantity) -> Due {
    Due { label: short(label), by: at(by), quantity }
}

fn duration(text: &str) -> Duration {
    text.parse().unwrap()
}

/// What Germany pledges in the sample.
pub fn assistance() -> Terms {
    let half = || quantity("exactly 50000000 EUR");
    Terms {
        reference: Some(short("DE-M1")),
        text: long("Germany pays one hundred million euros in two instalments."),
        quantity: quantity("exactly 100000000 EUR"),
        clause: Some(Clause { annex: 0, text: long("Article 3, paragraph 1") }),
        valid_until: Some(at("2027-12-31T23:59:59Z")),
        notice_period: duration("6 months"),
        dues: vec![
            due("first instalment", "2027-03-31T23:59:59Z", half()),
            due("second instalment", "2027-09-30T23:59:59Z", half()),
        ]
        .into(),
        annexes: vec![
            document("Agreement (English)", "en", Standing::Prevailing),
            document("Угода (українською)", "uk", Standing::Translation),
        ]
        .into(),
        ..terms("Military assistance in 2027")
    }
}

fn consultations(reference: &str, only_after: Option<&str>) -> Terms {
    Terms {
        reference: Some(short(reference)),
        instruments: vec![Instrument::Political].into(),
        trigger: Some(Trigger {
            kinds: vec![short("armed attack")].into(),
            against: Some(handles(&["ua"])),
            only_after: only_after.map(short),
            after: None,
            starts: Starts::Either,
            requesters: handles(&["ua"]),
        }),
        respond_within: Some(duration("24h")),
        valid_until: Some(at("2036-12-01")),
        ..terms("Consultations within 24 hours of an attack")
    }
}

/// A report of an armed attack on Ukraine.
pub fn attack(from: &str, exercise: bool) -> Report {
    Report {
        kinds: vec![short("armed attack")].into(),
        actor: (!exercise).then(|| Party::Name(short("Ruritania"))),
        against: vec![Party::Handle(handle("ua"))].into(),
        place: short("Sumy"),
        from: When::Instant(at(from)),
        to: When::Instant(at(from)),
        figures: vec![Figure {
            measure: short("missiles"),
            region: short("Sumy"),
            period: short(""),
            value: decimal("12"),
        }]
        .into(),
        text: long(""),
        annexes: Default::default(),
        joins: None,
        supersedes: None,
        exercise,
    }
}

pub fn attest(id: Hash, aspects: &[Aspect]) -> Act {
    let on = Subject::Statement(id);
    Act::Attest(Attest { on, aspects: aspects.to_vec().into(), text: long(""), annexes: Default::default() })
}

pub fn delivered(pledge: Hash, occasion: Occasion, quantity: Option<&str>, done_at: Option<&str>) -> Act {
    Act::Respond(Respond {
        obligation: Obligation { pledge, occasion },
        answer: Answer::Delivered,
        quantity: quantity.map(amount),
        done_at: done_at.map(at),
        note: long(""),
        annexes: Default::default(),
    })
}

pub fn confirm(response: Hash, received: Received) -> Act {
    Act::Confirm(Confirm { response, received, note: long("") })
}

impl Coalition {
    /// The whole of it.
    pub fn new() -> Self {
        let mut log = SmallLog::ready();
        let accepted = |log: &mut SmallLog, by: &str, terms: Terms| {
            let id = log.say(by, pledge(&["ua"], terms));
            log.say("ua", accept(&[id]));
            id
        };
        let de_m1 = log.say("de", pledge(&["ua"], assistance()));
        let reservation = Some(long("Ukraine reads \"pays\" as \"has credited to its account\"."));
        log.say("ua", Act::Accept(Accept { statements: vec![de_m1].into(), reservation }));
        let fr_c1 = accepted(&mut log, "fr", consultations("FR-C1", None));
        let pl_c1 = accepted(&mut log, "pl", consultations("PL-C1", Some("ceasefire")));
        let need = Need {
            label: short("approval by the Sejm"),
            declared_by: handle("pl"),
            due: Some(at("2027-06-30")),
        };
        let vehicles = Terms {
            reference: Some(short("PL-M1")),
            quantity: quantity("up to 5 vehicles"),
            force: Force::Political,
            needs: vec![need].into(),
            ..terms("Armoured vehicles")
        };
        let pl_m1 = accepted(&mut log, "pl", vehicles);
        let record = log.say("kiel", recorded());
        log.now = at("2027-01-16T10:00Z");
        let review = log.say("kiel", reviewed(de_m1));
        let mut all = Self { log, de_m1, fr_c1, pl_c1, pl_m1, record, review, attack: de_m1 };
        all.amended();
        all.attacked();
        all.paid();
        assert_eq!(all.log.findings(), []);
        all
    }

    fn amended(&mut self) {
        self.log.now = at("2027-02-01T10:00Z");
        let mut new = assistance();
        new.text = long("Germany pays one hundred and ten million euros in two instalments.");
        new.quantity = quantity("exactly 110000000 EUR");
        new.dues.0[0].quantity = quantity("exactly 60000000 EUR");
        new.valid_until = None;
        let body = Amend { statement: self.de_m1, to: handles(&["ua"]), terms: Sealable::Open(new) };
        let id = self.log.say("de", Act::Amend(body));
        self.log.say("ua", accept(&[id]));
    }

    fn attacked(&mut self) {
        let log = &mut self.log;
        log.now = at("2027-02-10T03:30Z");
        self.attack = log.say("ua", Act::Report(attack("2027-02-10T02:00Z", false)));
        log.say("kiel", attest(self.attack, &[Aspect::Occurred, Aspect::Kind]));
        log.now = at("2027-02-10T15:00Z");
        let call = Occasion::Call(self.attack);
        let consulted = log.say("fr", delivered(self.fr_c1, call, None, Some("2027-02-10T12:00Z")));
        log.say("ua", confirm(consulted, Received::InFull));
        let on = Subject::Statement(self.attack);
        let aspects = vec![Aspect::Attribution].into();
        let text = long("Who fired is not known to us.");
        log.say("pl", Act::Dispute(Dispute { on, aspects, text, annexes: Default::default() }));
        log.now = at("2027-02-20T09:00Z");
        let exercise = log.say("ua", Act::Report(attack("2027-02-20T08:00Z", true)));
        log.say("kiel", attest(exercise, &[Aspect::Occurred]));
    }

    fn paid(&mut self) {
        let log = &mut self.log;
        let due = || Occasion::Due(0);
        log.now = at("2027-03-10T09:00Z");
        let first = log.say("de", delivered(self.de_m1, due(), Some("40000000 EUR"), Some("2027-03-09")));
        log.say("ua", confirm(first, Received::InFull));
        log.say("kiel", attest(first, &[Aspect::Delivered]));
        log.now = at("2027-03-30T09:00Z");
        log.say("de", delivered(self.de_m1, due(), Some("20000000 EUR"), None));
        log.now = at("2027-04-02T09:00Z");
        log.say("fr", Act::Join(Join { statement: self.de_m1 }));
    }
}

fn recorded() -> Act {
    let announced = Terms {
        reference: Some(short("NOR-7")),
        instruments: vec![Instrument::Humanitarian].into(),
        quantity: quantity("about 10 generators"),
        force: Force::Political,
        ..terms("Generators for the winter")
    };
    Act::Record(Record {
        promisor: Party::Name(short("Nordland")),
        to: handles(&["ua"]),
        terms: Sealable::Open(announced),
        source: long("Press release of 2026-11-20"),
    })
}

fn reviewed(remarked: Hash) -> Act {
    Act::Review(Review {
        held_on: "2027-01-15".parse().unwrap(),
        attendance: vec![short("all partners")].into(),
        remarks: vec![Remark { statement: remarked, text: long("Germany will raise the first instalment.") }]
            .into(),
        decisions: vec![long("Next meeting in April.")].into(),
        next_on: Some("2027-04-15".parse().unwrap()),
        annexes: Default::default(),
    })
}

/// Nothing, for tests that change one field.
pub fn zero() -> Decimal {
    decimal("0")
}
