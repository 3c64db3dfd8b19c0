//! What the ledger would refuse, told before anything is signed: the acts are tried one after the other on a copy of it.

use super::account::{Account, Fate};
use super::planning::Planned;
use crate::cli::desk::Desk;
use crate::cli::import::refusal::Refusal;
use crate::cli::import::sorting::Refused;
use crate::cli::plain::plain;
use anyhow::Result;
use servanda::field::{Class, Handle, Instant};
use servanda::hash::{Hash, sha256};
use servanda::ledger::{Ledger, Said, Told};
use servanda::statement::Act;

/// Keeps what the ledger takes. What it refuses is told, its row refused, and its statement left as it was.
///
/// # Errors
/// When the log has no roster.
pub fn tried(
    desk: &Desk,
    (author, class, now): (&Handle, Class, Instant),
    planned: Vec<Planned>,
    account: &mut Account,
    refused: &mut Vec<Refused>,
) -> Result<Vec<Planned>> {
    let Some(mut ledger) = desk.history().ledger().cloned() else { return Ok(planned) };
    let roster = desk.roster()?;
    let first = desk.history().head().size;
    let mut kept = Vec::with_capacity(planned.len());
    for (index, one) in (first..).zip(planned) {
        let Ok(act) = Act::decode_body(one.ready.kind, &one.ready.body) else { continue };
        // Its id is not known before the chain is; none of these acts speaks of another.
        let said = Said { index, id: sha256(&index.to_be_bytes()), at: now, by: author.clone() };
        match ledger.take(&Told { said: &said, class, act: &act, roster }) {
            Ok(()) => {
                if let (None, Some(at)) = (one.row, one.statement) {
                    account.log[at].fate = Fate::Withdrawn(effective(&ledger, account.log[at].id, now));
                }
                kept.push(one);
            }
            Err(rule) => match (one.row, one.statement) {
                (None, Some(at)) => {
                    let why = format!("refused by rule {}: it {}", rule.code(), plain(&rule.to_string()));
                    account.log[at].fate = Fate::Left(why);
                }
                _ => {
                    let (line, reference) = (one.ready.line, one.ready.reference);
                    let refusal = Refusal::Rule(Box::new(rule));
                    account.refuse(line, &refusal.to_string());
                    refused.push(Refused::new(line, reference, refusal));
                }
            },
        }
    }
    Ok(kept)
}

/// From when a withdrawal counts, where that is later than now.
fn effective(ledger: &Ledger, id: Hash, now: Instant) -> Option<Instant> {
    let pledge = ledger.pledge_of(&id)?;
    let ends = pledge.addressees().into_iter().filter_map(|to| pledge.ends_at(to));
    ends.max().filter(|end| *end > now)
}
