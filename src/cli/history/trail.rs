//! The entries that belong to a pledge: its own, and whatever speaks of it, of its amendments, joins and responses, or
//! of the incidents because of which it was called.
//!
//! Found in one walk through the log: what an entry refers to is known by the time it comes. Void acts are kept with the
//! rule that they broke; what is unauthentic is nobody's word, and is left out.

use super::super::folded::Folded;
use super::super::open::Log;
use super::super::walk::{Order, walk};
use servanda::entry::SignedEntry;
use servanda::hash::Hash;
use servanda::ledger::pledge::Origin;
use servanda::ledger::{Ledger, Pledge, Thing};
use servanda::statement::Act;
use servanda::statement::body::{Subject, Withdrawn};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// An entry that belongs to a pledge.
pub struct Step {
    /// Its index.
    pub index: u64,
    /// The entry, whose act is known.
    pub entry: SignedEntry,
    /// Why it is void; empty: it counts.
    pub void: Vec<String>,
}

/// All of them up to the moment that was folded, in the log's order.
///
/// # Errors
/// When the log cannot be read.
pub fn trail(log: &Log, folded: &Folded, pledge: &Pledge) -> anyhow::Result<Vec<Step>> {
    let mut known = beginnings(folded.ledger(), pledge);
    let mut steps = Vec::new();
    let mut client = log.client()?;
    walk(&mut client, 0..folded.size(), Order::Forward, &mut |index, bytes| {
        let Ok(entry) = SignedEntry::decode(bytes) else { return Ok(ControlFlow::Continue(())) };
        let Ok(act) = entry.act() else { return Ok(ControlFlow::Continue(())) };
        let belongs = known.contains(&entry.id) || refers(act).iter().any(|id| known.contains(id));
        if belongs && folded.is_authentic(index) {
            if is_about_it_alone(act) {
                known.insert(entry.id);
            }
            steps.push(Step { index, void: folded.void(index), entry });
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(steps)
}

/// The ids from which everything else is found: the pledge, the record that it adopts, what ended it, and the reports
/// of the incidents because of which it was called.
fn beginnings(ledger: &Ledger, pledge: &Pledge) -> HashSet<Hash> {
    let mut ids = HashSet::from([pledge.said.id]);
    if let Origin::Adopted { record } = pledge.origin {
        ids.insert(record);
    }
    ids.extend(pledge.ends.iter().map(|end| end.said.id));
    let lines: Vec<Hash> = pledge.lines().map(|line| pledge.line_id(line)).collect();
    for (key, _) in ledger.obligations().iter().filter(|(key, _)| lines.contains(&key.pledge)) {
        let Some(call) = Ledger::call_of(key) else { continue };
        ids.insert(call);
        if let Some(Thing::Report(first)) = ledger.thing(&call)
            && let Some(incident) = ledger.report_at(*first).incident
        {
            let reports = ledger.incident_at(incident).reports.iter();
            ids.extend(reports.map(|n| ledger.report_at(*n).said.id));
        }
    }
    ids
}

/// The statements that an act speaks of; of an obligation, the pledge or join.
pub fn refers(act: &Act) -> Vec<Hash> {
    let subject = |on: &Subject| match on {
        Subject::Statement(id) => *id,
        Subject::Obligation(o) => o.pledge,
    };
    match act {
        Act::Accept(b) => b.statements.to_vec(),
        Act::Join(b) => vec![b.statement],
        Act::Amend(b) => vec![b.statement],
        Act::Withdraw(b) => match &b.from {
            Withdrawn::Pledges(ids) => ids.to_vec(),
            Withdrawn::Agreement(_) => Vec::new(),
        },
        Act::Notice(b) => vec![b.statement],
        Act::Adopt(b) => vec![b.record],
        Act::Report(b) => b.joins.into_iter().chain(b.supersedes).collect(),
        Act::Attest(b) => vec![subject(&b.on)],
        Act::Dispute(b) => vec![subject(&b.on)],
        Act::Invoke(b) => b.pledges.to_vec(),
        Act::Respond(b) => vec![b.obligation.pledge],
        Act::Confirm(b) => vec![b.response],
        Act::Review(b) => b.remarks.iter().map(|r| r.statement).collect(),
        Act::Reveal(b) => vec![b.statement],
        Act::Found(_)
        | Act::Accede(_)
        | Act::Rotate(_)
        | Act::Propose(_)
        | Act::Approve(_)
        | Act::Anchor(_)
        | Act::Pledge(_)
        | Act::Record(_) => Vec::new(),
    }
}

/// Whether what speaks of this act speaks of the pledge, and not of others beside it.
fn is_about_it_alone(act: &Act) -> bool {
    let of_several =
        matches!(act, Act::Accept(_) | Act::Invoke(_) | Act::Withdraw(_)) && refers(act).len() > 1;
    !of_several && !matches!(act, Act::Review(_) | Act::Adopt(_))
}
