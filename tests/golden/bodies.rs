//! Bodies that the golden log has not: the other variants of each choice, options the other way round.

use super::story::{document, empty_report, full_founding, full_report};
use crate::support::small_log::*;
use servanda::charter::{Aspect, Sealable, Standing};
use servanda::codec::List;
use servanda::field::Duration;
use servanda::hash::Hash;
use servanda::statement::Act;
use servanda::statement::body::*;
use servanda::statement::terms::*;

fn id(n: u8) -> Hash {
    Hash([n; 32])
}

/// Each body with a name that says what is special about it.
pub fn bodies() -> Vec<(String, Act)> {
    let mut all = motions();
    all.extend(commitments());
    all.extend(events());
    all
}

fn motions() -> Vec<(String, Act)> {
    let (of, keys) = (|name: &str| handle(name), key_set("fr").digest(&handle("fr")));
    let (rules, replaces) = (full_founding().charter.rules, id(1));
    let motions = [
        ("admit with all roles", {
            let (name, roles) = (short("Größe ₴"), servanda::field::Roles::from_bits(7).unwrap());
            Motion::Admit { handle: of("x.y-0"), name, roles, keys }
        }),
        ("suspend", Motion::Suspend { handle: of("fr") }),
        ("resume", Motion::Resume { handle: of("fr") }),
        ("re-key", Motion::Rekey { handle: of("fr"), keys, disown_from: None }),
        ("re-key that disowns", Motion::Rekey { handle: of("fr"), keys, disown_from: Some(70_000) }),
        ("rules", Motion::Rules { rules, replaces }),
        ("rules without options", Motion::Rules { rules: founding().charter.rules, replaces }),
        ("level", Motion::Level { level: 300 }),
        ("operator", {
            let vkey = servanda::key::vkey::Vkey::log("guarantees.example/next", key("next").public());
            Motion::Operator { vkey: short(&vkey.unwrap().to_string()), keys, replaces }
        }),
    ];
    let propose = |motion| Act::Propose(Propose { motion, lapses_at: at("9999-12-31T23:59:59.999Z") });
    motions.into_iter().map(|(name, motion)| (format!("propose: {name}"), propose(motion))).collect()
}

fn commitments() -> Vec<(String, Act)> {
    let notice = |notice| {
        let (text, annexes) = (long(""), List::default());
        Act::Notice(Notice { statement: id(2), notice, effective_at: None, text, annexes })
    };
    use NoticeKind::*;
    let notices = [
        ("need met", NeedMet(250)),
        ("need failed", NeedFailed(251)),
        ("reservation", Reservation),
        ("objection", Objection),
        ("suspended", Suspended),
        ("resumed", Resumed),
        ("clarification", Clarification),
        ("correction", Correction),
    ];
    let mut all: Vec<_> =
        notices.into_iter().map(|(name, kind)| (format!("notice: {name}"), notice(kind))).collect();
    let triggered = |starts, against| {
        let trigger = Trigger {
            kinds: List::default(),
            against,
            only_after: None,
            after: None,
            starts,
            requesters: List::default(),
        };
        Terms { trigger: Some(trigger), ..terms("") }
    };
    let standing = |standing| Terms {
        annexes: vec![Sealable::Open(document("", standing))].into(),
        valid_from: at("1970-01-01"),
        made_on: Some("0000-01-01".parse().unwrap()),
        notice_period: Duration::new(14, 3, 4_000_000_000).unwrap(),
        ..terms("")
    };
    let quantity = |bound| Terms {
        quantity: Quantity::Open(Bounded { bound, amount: decimal("0.25"), unit: short("t") }),
        ..terms("")
    };
    let some = [
        ("starts on request, against any partner", triggered(Starts::OnRequest, None)),
        (
            "starts once established, against nobody",
            triggered(Starts::OnceEstablished, Some(List::default())),
        ),
        ("authentic annex, day before 1970", standing(Standing::Authentic)),
        ("extract", standing(Standing::Extract)),
        ("exactly", quantity(Bound::Exactly)),
        ("at most", quantity(Bound::AtMost)),
        ("best efforts", Terms { force: Force::BestEfforts, ..terms("") }),
        ("target", Terms { force: Force::Target, made_on: Some("9999-12-31".parse().unwrap()), ..terms("") }),
    ];
    all.extend(some.into_iter().map(|(name, terms)| (format!("pledge: {name}"), pledge(&["ua"], terms))));
    let terms = Sealable::Sealed(id(3));
    let (promisor, to, source) = (Party::Handle(handle("pl")), List::default(), long("x"));
    all.push(("record: sealed".into(), Act::Record(Record { promisor, to, terms: terms.clone(), source })));
    let to = handles(&["ua", "kiel"]);
    all.push(("amend: sealed".into(), Act::Amend(Amend { statement: id(4), to, terms })));
    all
}

fn events() -> Vec<(String, Act)> {
    let exercise = Report {
        actor: Some(Party::Handle(handle("fr"))),
        exercise: true,
        ..full_report(Some(id(5)), Some(id(6)))
    };
    let on = Subject::Obligation(Obligation { pledge: id(7), occasion: Occasion::Due(1000) });
    let aspects = List(vec![Aspect::Figures, Aspect::Delivered]);
    let attest =
        Attest { on: on.clone(), aspects: aspects.clone(), text: long(""), annexes: List::default() };
    let dispute = Dispute {
        on: Subject::Statement(id(8)),
        aspects: vec![Aspect::Kind].into(),
        text: long("no"),
        annexes: vec![Sealable::Sealed(id(9))].into(),
    };
    let declined = Respond {
        obligation: Obligation { pledge: id(7), occasion: Occasion::Call(id(10)) },
        answer: Answer::Declined,
        quantity: None,
        done_at: None,
        note: long("no"),
        annexes: List::default(),
    };
    let confirm = |received| Act::Confirm(Confirm { response: id(11), received, note: long("") });
    let review = Review {
        held_on: "1969-12-31".parse().unwrap(),
        attendance: List::default(),
        remarks: List::default(),
        decisions: List::default(),
        next_on: None,
        annexes: List::default(),
    };
    vec![
        ("report: exercise, joins and supersedes".into(), Act::Report(exercise)),
        ("report: observation".into(), Act::Report(empty_report(None))),
        ("attest: obligation".into(), Act::Attest(attest)),
        ("dispute: statement".into(), Act::Dispute(dispute)),
        ("respond: declined".into(), Act::Respond(declined)),
        ("confirm: in full".into(), confirm(Received::InFull)),
        ("confirm: not received".into(), confirm(Received::NotReceived)),
        ("review: bare".into(), Act::Review(review)),
    ]
}
