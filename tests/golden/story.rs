//! The golden log: every act at least once, its options set in one place and unset in another.

use crate::support::small_log::*;
use servanda::charter::annex::{Annex, Clause, Document, Sealable, Standing};
use servanda::charter::rules::Disputes;
use servanda::charter::{Aspect, Witnesses};
use servanda::codec::{List, encode};
use servanda::field::{Class, Duration, Handle};
use servanda::hash::{Hash, sha256};
use servanda::seal::seal;
use servanda::statement::Act;
use servanda::statement::body::*;
use servanda::statement::terms::*;

/// A sealed value of the log with all that opens it.
pub struct Opening {
    pub what: &'static str,
    pub log: Hash,
    pub author: Handle,
    pub salt: Hash,
    pub field: &'static str,
    pub value: Vec<u8>,
}

impl Opening {
    pub fn seal(&self) -> Hash {
        seal(&self.log, &self.author, &self.salt, &short(self.field), &self.value)
    }
}

/// The log, and what is sealed in it.
pub struct Story {
    pub log: SmallLog,
    pub openings: Vec<Opening>,
}

pub fn document(label: &str, standing: Standing) -> Document {
    Document {
        label: short(label),
        media_type: short("text/plain"),
        language: short("en"),
        standing,
        size: label.len().try_into().unwrap(),
        sha256: sha256(label.as_bytes()),
    }
}

fn annex(label: &str) -> Annex {
    Sealable::Open(document(label, Standing::Prevailing))
}

/// The founding act, with everything in the charter that may be in one.
pub fn full_founding() -> Found {
    let mut found = founding();
    let charter = &mut found.charter;
    charter.annexes =
        vec![annex("the treaty"), Sealable::Sealed(sha256(b"the seal of a secret protocol"))].into();
    let rules = &mut charter.rules;
    rules.instruments = vec![short("cyber defence")].into();
    rules.incident_kinds[0].breaches = Some(Clause { annex: 0, text: long("Article 1") });
    rules.incident_quorum.aspects = vec![Aspect::Occurred, Aspect::Attribution].into();
    rules.incident_quorum.disputes = Disputes::Vetoes;
    rules.motions.share = Some((2, 3));
    rules.motions.floor = 3;
    rules.pledges.tolerance = decimal("0.1");
    rules.pledges.filing_grace = Duration::new(0, 0, 7_200_000).unwrap();
    rules.witnesses = Some(Witnesses { vkeys: vec![short(&witness_vkey().to_string())].into(), quorum: 1 });
    found
}

/// Terms with every option set.
pub fn full_terms(within: Hash, after: Hash) -> Terms {
    let bounded = |text: &str| Quantity::Open(text.parse().unwrap());
    let due = |label: &str, by: &str, quantity| Due { label: short(label), by: at(by), quantity };
    Terms {
        reference: Some(short("DEU-M1")),
        text: long("Forty vehicles in two instalments, once the parliament has agreed."),
        instruments: vec![Instrument::Military, Instrument::Other(short("cyber defence"))].into(),
        quantity: bounded("at least 40 vehicles"),
        within: Some(within),
        made_on: Some("2026-02-28".parse().unwrap()),
        source: Some(long("joint declaration of 28 February 2026")),
        clause: Some(Clause { annex: 0, text: long("Article 3 (2)") }),
        valid_from: at("2026-12-01T00:00Z"),
        valid_until: Some(at("2036-12-01T00:00Z")),
        notice_period: "6 months".parse().unwrap(),
        trigger: Some(Trigger {
            kinds: vec![short("armed attack")].into(),
            against: Some(handles(&["ua"])),
            only_after: Some(short("ceasefire")),
            after: Some(after),
            starts: Starts::Either,
            requesters: handles(&["ua"]),
        }),
        respond_within: Some("72h".parse().unwrap()),
        dues: vec![
            due("first half", "2027-06-30T22:00Z", bounded("exactly 20 vehicles")),
            due("second half", "2027-12-31T23:00Z", Quantity::None),
        ]
        .into(),
        needs: vec![
            Need { label: short("appropriation"), declared_by: handle("de"), due: Some(at("2027-03-31")) },
            Need { label: short("ratification"), declared_by: handle("de"), due: None },
        ]
        .into(),
        annexes: vec![annex("Annex A"), Sealable::Open(document("Annex B", Standing::Translation))].into(),
        ..terms("Armoured vehicles")
    }
}

/// Builds the log.
pub fn story() -> Story {
    let mut log = SmallLog::empty();
    log.say("operator", Act::Found(full_founding()));
    let mut story = Story { log, openings: Vec::new() };
    story.accede();
    let pledges = story.commit();
    story.roster();
    story.observe(&pledges);
    story.oblige(&pledges);
    story.reveal(&pledges);
    story
}

/// The ids of pledges that later acts refer to.
struct Pledges {
    vehicles: Hash,
    training: Hash,
    secret: Hash,
    joint: Hash,
}

impl Story {
    fn accede(&mut self) {
        let reservations = Some(long("Article 9 does not bind us."));
        let annexes = vec![annex("instrument of accession")].into();
        let keys = key_set("de");
        self.log.say("de", Act::Accede(Accede { keys, reservations, annexes }));
        for name in &PARTNERS[1..] {
            self.log.say(name, accede(name));
        }
    }

    /// Seals a value as this author; the salt is derived from what it is, so that all can see it keeps nothing secret.
    fn seal(&mut self, author: &str, what: &'static str, field: &'static str, value: Vec<u8>) -> Hash {
        let salt = sha256(what.as_bytes());
        let opening = Opening { what, log: self.log.log_id(), author: handle(author), salt, field, value };
        let seal = opening.seal();
        self.openings.push(opening);
        seal
    }

    fn commit(&mut self) -> Pledges {
        let training = self.log.say("fr", pledge(&["ua"], terms("Training")));
        let of_training = full_terms(training, training);
        let vehicles = self.log.say("de", pledge(&["ua", "pl"], of_training.clone()));
        let sealed = self.seal("pl", "sealed terms", "terms", encode(&terms("Ammunition")));
        let to = handles(&["ua"]);
        let secret = self.log.say("pl", Act::Pledge(Pledge { to, terms: Sealable::Sealed(sealed) }));
        let joint = self.joint_pledge();
        let statements = vec![vehicles, training, secret, joint].into();
        let reservation = Some(long("Subject to the budget."));
        self.log.say("ua", Act::Accept(Accept { statements, reservation }));
        self.log.say("fr", Act::Join(Join { statement: joint }));
        let terms = Sealable::Open(Terms { valid_until: None, ..of_training });
        let amended =
            self.log.say("de", Act::Amend(Amend { statement: vehicles, to: handles(&["ua"]), terms }));
        self.log.say("ua", accept(&[amended]));
        self.notices(vehicles);
        Pledges { vehicles, training, secret, joint }
    }

    /// A pledge whose quantities and one annex are sealed, owed by two.
    fn joint_pledge(&mut self) -> Hash {
        let bounded = |text: &str| encode(&text.parse::<Bounded>().unwrap());
        let quantity =
            self.seal("de", "sealed quantity", "terms.quantity", bounded("at most 7100000000 EUR"));
        let part = self.seal("de", "sealed due", "terms.dues.0.quantity", bounded("about 1500000000.5 EUR"));
        let protocol = encode(&document("secret protocol", Standing::Extract));
        let protocol = self.seal("de", "sealed annex", "terms.annexes.0", protocol);
        let due = Due { label: short("2027"), by: at("2027-12-31"), quantity: Quantity::Sealed(part) };
        let terms = Terms {
            instruments: vec![Instrument::Economic, Instrument::Political, Instrument::Humanitarian].into(),
            quantity: Quantity::Sealed(quantity),
            force: Force::Political,
            owed_by: OwedBy::Jointly(handles(&["de", "fr"])),
            dues: vec![due].into(),
            annexes: vec![Sealable::Sealed(protocol)].into(),
            ..terms("Loan")
        };
        self.log.say("de", pledge(&["ua"], terms))
    }

    fn notices(&mut self, pledge: Hash) {
        self.log.say(
            "de",
            Act::Notice(Notice {
                statement: pledge,
                notice: NoticeKind::NeedMet(0),
                effective_at: Some(at("2026-12-02T08:00Z")),
                text: long("The appropriation was passed."),
                annexes: vec![annex("gazette")].into(),
            }),
        );
        self.log.say(
            "fr",
            Act::Notice(Notice {
                statement: pledge,
                notice: NoticeKind::Objection,
                effective_at: None,
                text: long(""),
                annexes: List::default(),
            }),
        );
    }

    fn roster(&mut self) {
        // Officer 1 gets a new key, the duty officer a new title, and a second one comes; ministers 0 and 2 stay.
        let mut keys = key_set("de");
        keys.officers[1] = officer("de/1b", &[Class::Govern, Class::Commit]);
        keys.officers[3].title = short("duty officer, first");
        keys.officers.push(officer("de/4", &[Class::Operate, Class::Observe]));
        self.log.say("de", Act::Rotate(Rotate { keys }));
        let admit = Motion::Admit {
            handle: handle("se"),
            name: short("Partner se"),
            roles: [servanda::field::Role::Guarantor].into_iter().collect(),
            keys: key_set("se").digest(&handle("se")),
        };
        let propose = Propose { motion: admit, lapses_at: at("2027-01-31") };
        let motion = self.log.say("de", Act::Propose(propose));
        self.log.say("fr", Act::Approve(Approve { motion }));
        let size = 20.min(self.log.leaves().len());
        let checkpoint = cosign(&self.log.checkpoint_at(size), self.log.now);
        self.log.say("operator", Act::Anchor(Anchor { checkpoint: checkpoint.into_bytes().into() }));
    }

    fn observe(&mut self, pledges: &Pledges) {
        let to = handles(&["ua"]);
        let record = |promisor, title: &str| {
            let (to, terms) = (to.clone(), Sealable::Open(terms(title)));
            Act::Record(Record { promisor, to, terms, source: long("press release of 30 November 2026") })
        };
        let elsewhere = self.log.say("kiel", record(Party::Name(short("Ruritania")), "Field hospital"));
        let ours = self.log.say("kiel", record(Party::Handle(handle("pl")), "Fuel"));
        self.log.say("pl", Act::Adopt(Adopt { record: ours }));
        let terms = Sealable::Open(terms("Two field hospitals"));
        let amend = Act::Amend(Amend { statement: elsewhere, to, terms });
        let amend = self.log.draft_in("kiel", Class::Observe, amend);
        self.log.post(&amend);
        let attest = Attest {
            on: Subject::Statement(pledges.vehicles),
            aspects: vec![Aspect::Occurred, Aspect::Kind, Aspect::Attribution].into(),
            text: long("Seen by our staff."),
            annexes: vec![annex("photographs")].into(),
        };
        self.log.say("ua", Act::Attest(attest));
        self.log.say(
            "kiel",
            Act::Review(Review {
                held_on: "2026-12-01".parse().unwrap(),
                attendance: vec![short("de"), short("ua"), short("Ruritania")].into(),
                remarks: vec![Remark { statement: pledges.training, text: long("Courses have begun.") }]
                    .into(),
                decisions: vec![long("To meet again.")].into(),
                next_on: Some("2027-06-01".parse().unwrap()),
                annexes: vec![annex("minutes")].into(),
            }),
        );
    }

    fn oblige(&mut self, pledges: &Pledges) {
        let incident = self.log.say("kiel", Act::Report(full_report(None, None)));
        let joined = Report { text: long(""), ..empty_report(Some(incident)) };
        self.log.say("ua", Act::Report(joined));
        let (requested_at, text) = (self.log.now, long("Now."));
        let (called, incident_of) = (vec![pledges.vehicles, pledges.training].into(), Some(incident));
        self.log
            .say("ua", Act::Invoke(Invoke { pledges: called, incident: incident_of, requested_at, text }));
        let (called, text) = (vec![pledges.secret].into(), long(""));
        self.log.say("ua", Act::Invoke(Invoke { pledges: called, incident: None, requested_at, text }));
        let call = Obligation { pledge: pledges.training, occasion: Occasion::Call(incident) };
        let acknowledged = Respond {
            obligation: call.clone(),
            answer: Answer::Acknowledged,
            quantity: None,
            done_at: None,
            note: long(""),
            annexes: List::default(),
        };
        self.log.say("fr", Act::Respond(acknowledged.clone()));
        let delivered = Respond {
            obligation: Obligation { pledge: pledges.vehicles, occasion: Occasion::Due(0) },
            answer: Answer::Delivered,
            quantity: Some("19.5 vehicles".parse().unwrap()),
            done_at: Some(at("2026-12-01T08:30:00.250Z")),
            note: long("Handed over at the border."),
            annexes: vec![annex("bill of lading")].into(),
        };
        let response = self.log.say("de", Act::Respond(delivered));
        let received = Received::InPart("19 vehicles".parse().unwrap());
        let note = long("One broke down.");
        self.log.say("ua", Act::Confirm(Confirm { response, received, note }));
        let dispute = Dispute {
            on: Subject::Obligation(call),
            aspects: vec![Aspect::Delivered].into(),
            text: long(""),
            annexes: List::default(),
        };
        self.log.say("pl", Act::Dispute(dispute));
    }

    fn reveal(&mut self, pledges: &Pledges) {
        for at in 0..self.openings.len() {
            let Opening { author, salt, field, value, .. } = &self.openings[at];
            let author = author.as_str().to_owned();
            let statement = if author == "pl" { pledges.secret } else { pledges.joint };
            let (salt, field, value) = (*salt, short(field), value.clone().into());
            self.log.say(&author, Act::Reveal(Reveal { statement, field, salt, value }));
        }
        let from = Withdrawn::Pledges(vec![pledges.training].into());
        self.log.say("fr", Act::Withdraw(Withdraw { from, text: long("By agreement.") }));
        let from = Withdrawn::Agreement(sha256(b"Annex A"));
        self.log.say("ua", Act::Withdraw(Withdraw { from, text: long("") }));
    }
}

/// A report with every option set.
pub fn full_report(joins: Option<Hash>, supersedes: Option<Hash>) -> Report {
    let figure = |region: &str, period: &str, value: &str| Figure {
        measure: short("violations"),
        region: short(region),
        period: short(period),
        value: decimal(value),
    };
    Report {
        kinds: vec![short("armed attack")].into(),
        actor: Some(Party::Name(short("Freedonia"))),
        against: vec![Party::Handle(handle("ua")), Party::Name(short("a merchant ship"))].into(),
        place: short("at sea"),
        from: When::Instant(at("2026-12-01T04:05:06Z")),
        to: When::Day("2026-12-01".parse().unwrap()),
        figures: vec![figure("north", "2026-12-01", "17"), figure("", "", "0.5")].into(),
        text: long("Rockets — eleven of them."),
        annexes: vec![annex("log book")].into(),
        joins,
        supersedes,
        exercise: false,
    }
}

/// A report with no option set, on one day.
pub fn empty_report(joins: Option<Hash>) -> Report {
    let day = When::Day("2026-12-01".parse().unwrap());
    Report {
        kinds: List::default(),
        actor: None,
        against: List::default(),
        place: short(""),
        from: day,
        to: day,
        figures: List::default(),
        text: long(""),
        annexes: List::default(),
        joins,
        supersedes: None,
        exercise: false,
    }
}
