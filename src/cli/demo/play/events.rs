//! What happens in the demo after everyone signed, all of it made up and said to be: an attack is reported, attested, its
//! attribution disputed; Ukraine calls for consultations; most come in time, one comes late, one declines, one is silent; a
//! yearly sum is paid in two parts.
//!
//! Who is late, declines or is silent, only the order of the pledges decides. Every text says that it is made up.

use super::{BENEFICIARY, Stage};
use anyhow::Context as _;
use servanda::charter::Aspect;
use servanda::codec::List;
use servanda::field::{Decimal, Duration, Handle, Instant, Long, Short};
use servanda::hash::Hash;
use servanda::ledger::{Ledger, Line, Moment, State};
use servanda::statement::Act;
use servanda::statement::body::{
    Answer, Attest, Confirm, Dispute, Figure, Invoke, Notice, NoticeKind, Obligation, Occasion, Party,
    Received, Report, Respond, Subject, When,
};
use servanda::statement::terms::{Amount, Quantity, Starts};

/// The kind of what is reported.
const KIND: &str = "armed attack";

/// The observers, of whom the first attests, and the second disputes who did it.
const OBSERVERS: [&str; 2] = ["mission", "kiel"];

/// The pledge whose yearly sum is paid in two parts, and the one whose parliament approves.
const PAID: &str = "ISL-M1";
const APPROVED: [&str; 2] = ["DEU-M1", PAID];

/// How long after a step the next one comes, in hours.
const STEP_HOURS: u64 = 1;

/// What happened, as far as the ledger does not tell.
#[derive(Clone, Debug)]
pub struct Events {
    /// The report.
    pub incident: Hash,
    /// The call upon pledges.
    pub invoke: Hash,
    /// Who came late, declined, and did not answer.
    pub late: Handle,
    pub declined: Handle,
    pub silent: Handle,
    /// The due that was paid in two parts, if one lay ahead.
    pub paid: Option<Obligation>,
}

/// Plays it.
pub fn play(stage: &mut Stage<'_>) -> anyhow::Result<Events> {
    approve(stage)?;
    let incident = attack(stage)?;
    let invoke = invoke(stage, &incident)?;
    let called = called(ledger(stage)?, &incident);
    let [in_time @ .., (late, late_by), (no, declined), (_, silent)] = called.as_slice() else {
        anyhow::bail!("too few pledges of the example can be called upon")
    };
    let (declined, silent) = (declined.clone(), silent.clone());
    consult(stage, in_time)?;
    let body = respond(no, Answer::Declined, None, None, "declined")?;
    stage.duty(declined.as_str(), &Act::Respond(body))?;
    // A day and some hours after the call: past what the agreements give.
    stage.wait(30)?;
    consult(stage, &[(late.clone(), late_by.clone())])?;
    let paid = pay(stage)?;
    Ok(Events { incident, invoke, late: late_by.clone(), declined, silent, paid })
}

impl Stage<'_> {
    /// Ends a round, and lets some hours pass.
    fn wait(&mut self, hours: u64) -> anyhow::Result<()> {
        self.close()?;
        self.now = self.now.plus(Duration::new(0, 0, hours * 3_600_000)?);
        Ok(())
    }
}

fn ledger<'s>(stage: &'s Stage<'_>) -> anyhow::Result<&'s Ledger> {
    stage.door.history().ledger().context("the demo's log has a ledger")
}

fn made_up(text: &str) -> anyhow::Result<Long> {
    Ok(Long::new(format!("Made up for this demo: {text}."))?)
}

/// What waits for parliaments waits no longer; what waits for Albania's notification still does.
fn approve(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    for reference in APPROVED {
        let (author, id) = (stage.played.pledge(reference).author.clone(), stage.played.pledge(reference).id);
        let notice = Notice {
            statement: id,
            notice: NoticeKind::NeedMet(0),
            effective_at: None,
            text: made_up("parliament approves")?,
            annexes: List::default(),
        };
        stage.duty(author.as_str(), &Act::Notice(notice))?;
    }
    stage.wait(STEP_HOURS)
}

/// An attack is reported and attested, so that it is established; who did it is disputed.
fn attack(stage: &mut Stage<'_>) -> anyhow::Result<Hash> {
    let from = When::Instant(stage.now);
    stage.wait(STEP_HOURS)?;
    let figure = Figure {
        measure: Short::new("missiles")?,
        region: Short::new("")?,
        period: Short::new("")?,
        value: "14".parse()?,
    };
    let report = Report {
        kinds: vec![Short::new(KIND)?].into(),
        actor: Some(Party::Name(Short::new("an invented aggressor")?)),
        against: vec![Party::Handle(BENEFICIARY.parse()?)].into(),
        place: Short::new("an invented place")?,
        from,
        to: from,
        figures: vec![figure].into(),
        text: made_up("an armed attack")?,
        annexes: List::default(),
        joins: None,
        supersedes: None,
        exercise: false,
    };
    let incident = stage.duty(BENEFICIARY, &Act::Report(report))?;
    stage.wait(STEP_HOURS)?;
    let on = Subject::Statement(incident);
    let attest = Attest {
        on: on.clone(),
        aspects: vec![Aspect::Occurred, Aspect::Kind].into(),
        text: made_up("it was seen")?,
        annexes: List::default(),
    };
    stage.duty(OBSERVERS[0], &Act::Attest(attest))?;
    stage.wait(STEP_HOURS)?;
    let dispute = Dispute {
        on,
        aspects: vec![Aspect::Attribution].into(),
        text: made_up("who did it was not seen")?,
        annexes: List::default(),
    };
    stage.duty(OBSERVERS[1], &Act::Dispute(dispute))?;
    stage.wait(STEP_HOURS)?;
    Ok(incident)
}

/// Ukraine calls upon every pledge that can be called upon because of this.
fn invoke(stage: &mut Stage<'_>, incident: &Hash) -> anyhow::Result<Hash> {
    let kind = Short::new(KIND)?;
    let now = Moment::at(stage.now);
    let fits = |pledge: &&servanda::ledger::Pledge| {
        let trigger = pledge.latest().gist().and_then(|gist| gist.trigger.as_ref());
        pledge.overall(Line::Author, now) == State::InForce
            && trigger.is_some_and(|t| {
                t.starts != Starts::OnceEstablished && t.only_after.is_none() && t.kinds.contains(&kind)
            })
    };
    let pledges: Vec<Hash> = ledger(stage)?.pledges().iter().filter(fits).map(|p| p.said.id).collect();
    let body = Invoke {
        pledges: pledges.into(),
        incident: Some(*incident),
        requested_at: stage.now,
        text: made_up("Ukraine asks for consultations")?,
    };
    let id = stage.duty(BENEFICIARY, &Act::Invoke(body))?;
    stage.wait(STEP_HOURS)?;
    Ok(id)
}

/// What an incident called upon, by itself and on request, in the order of the pledges, each with who owes it.
fn called(ledger: &Ledger, incident: &Hash) -> Vec<(Obligation, Handle)> {
    let arose = ledger.obligations().iter().filter(|(key, _)| Ledger::call_of(key) == Some(*incident));
    let owing = arose.filter_map(|(key, o)| Some((key.clone(), ledger.owing(key, o).into_iter().next()?)));
    let mut all: Vec<_> = owing.collect();
    all.sort_by_key(|(key, _)| ledger.pledge_of(&key.pledge).map(|p| p.said.index));
    all
}

/// They consult, and Ukraine confirms it.
fn consult(stage: &mut Stage<'_>, obligations: &[(Obligation, Handle)]) -> anyhow::Result<()> {
    let at = stage.now;
    stage.wait(STEP_HOURS)?;
    let mut responses = Vec::new();
    for (key, by) in obligations {
        let body = respond(key, Answer::Delivered, None, Some(at), "consultations were held")?;
        responses.push(stage.duty(by.as_str(), &Act::Respond(body))?);
    }
    stage.wait(STEP_HOURS)?;
    responses.iter().try_for_each(|response| confirm(stage, response))?;
    stage.wait(STEP_HOURS)
}

/// The next yearly sum comes in two parts.
fn pay(stage: &mut Stage<'_>) -> anyhow::Result<Option<Obligation>> {
    let pledge = stage.played.pledge(PAID);
    let (author, id) = (pledge.author.clone(), pledge.id);
    let ahead = pledge.terms.dues.iter().zip(0..).find(|(due, _)| due.by > stage.now);
    let Some((Quantity::Open(sum), number)) = ahead.map(|(due, n)| (due.quantity.clone(), n)) else {
        return Ok(None);
    };
    let key = Obligation { pledge: id, occasion: Occasion::Due(number) };
    let whole: u64 = sum.amount.as_str().parse()?;
    for part in [whole / 4, whole - whole / 4] {
        let amount: Decimal = part.to_string().parse()?;
        let amount = Amount { amount, unit: sum.unit.clone() };
        let body = respond(&key, Answer::Delivered, Some(amount), Some(stage.now), "a part is paid")?;
        let response = stage.duty(author.as_str(), &Act::Respond(body))?;
        stage.wait(STEP_HOURS)?;
        confirm(stage, &response)?;
        stage.wait(STEP_HOURS)?;
    }
    Ok(Some(key))
}

fn respond(
    key: &Obligation,
    answer: Answer,
    quantity: Option<Amount>,
    done_at: Option<Instant>,
    note: &str,
) -> anyhow::Result<Respond> {
    let note = made_up(note)?;
    Ok(Respond { obligation: key.clone(), answer, quantity, done_at, note, annexes: List::default() })
}

fn confirm(stage: &mut Stage<'_>, response: &Hash) -> anyhow::Result<()> {
    let body = Confirm { response: *response, received: Received::InFull, note: made_up("it arrived")? };
    stage.duty(BENEFICIARY, &Act::Confirm(body)).map(|_| ())
}
