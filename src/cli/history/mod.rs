//! `history`: everything about one pledge or record, in the order of the log, and what became of it.
//!
//! The entries that belong to it are found in `trail`; what they say, what each amendment changed and who signed stands
//! in [`Chapter`]s; `page` shows them on a terminal, `object` to programs. Verdicts are the ledger's, each with its rule.

mod object;
mod page;
mod trail;

pub use trail::refers;

use super::folded::Folded;
use super::open::{Log, LogArgs};
use super::words::{self, Change, Page};
use super::{Context, Outcome, named, signatories};
use servanda::charter::Sealable;
use servanda::codec::decode;
use servanda::field::{Handle, Instant, Short};
use servanda::hash::Hash;
use servanda::ledger::Pledge;
use servanda::statement::body::Reveal;
use servanda::statement::terms::{Bounded, Quantity, Terms};
use servanda::statement::{Act, MAX_STATEMENT};
use std::collections::BTreeMap;
use trail::{Step, trail};

const AFTER: &str = "\
A pledge is named by its id, of which four digits will do, by @ and its entry's index, or by its author's own reference. \
What is void is shown with the rule that it broke. The log is verified first; the time may lie in the past, where later \
entries are left out, or in the future.

EXAMPLE
  servanda history DEU-M1 --log paris
  servanda history 3f9c02 --log paris --at 2027-01-31";

/// Tell everything about one pledge: terms, amendments, acceptances, calls, responses, verdicts
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The pledge or record: its id or the first digits, @ and its entry's index, or its author's reference
    #[arg(value_name = "PLEDGE")]
    pledge: String,
    /// As of which time, e.g. 2026-12-01T12:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Instant>,
    #[command(flatten)]
    log: LogArgs,
}

/// One entry about the pledge, ready to be shown.
pub struct Chapter {
    step: Step,
    signers: Vec<Option<Short>>,
    /// What an amendment changed.
    changes: Option<Vec<Change>>,
}

/// A pledge, and all that there is to tell of it.
pub struct Story<'a> {
    log: &'a Log,
    folded: &'a Folded,
    pledge: &'a Pledge,
    chapters: Vec<Chapter>,
    /// The terms of each version, by its statement's id.
    texts: BTreeMap<Hash, Sealable<Terms>>,
}

/// Runs the verb.
///
/// # Errors
/// When no pledge is meant, or several; when the log cannot be read.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let screen = &context.screen;
    let log = Log::open(&args.log, screen)?;
    log.caution(screen);
    let folded = Folded::read(context, &log, args.at)?;
    let pledge = named::one(folded.ledger(), &args.pledge)?;
    let story = Story::read(&log, &folded, pledge)?;
    screen.json(&story.json())?;
    for line in story.lines() {
        screen.say(line);
    }
    Ok(folded.outcome())
}

impl<'a> Story<'a> {
    /// Reads all entries that belong to a pledge, and compares its versions.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn read(log: &'a Log, folded: &'a Folded, pledge: &'a Pledge) -> anyhow::Result<Self> {
        let mut story = Self { log, folded, pledge, chapters: Vec::new(), texts: BTreeMap::new() };
        let names = |handle: &Handle| folded.name(handle);
        let page = Page::new(&names);
        let mut last: Option<(Hash, Vec<Handle>)> = None;
        // The pledge that adopted a record, and how the record stood then.
        let mut adopted: Option<(Hash, Hash)> = None;
        for step in trail(log, folded, pledge)? {
            let signers = signatories::titles(folded.roster(), step.index, &step.entry);
            let id = step.entry.id;
            let mut changes = None;
            if let Ok(act) = step.entry.act()
                && step.void.is_empty()
            {
                if let Some((to, terms)) = terms_of(act) {
                    let before = last.as_ref().and_then(|(id, to)| Some((&to[..], story.texts.get(id)?)));
                    let amends = matches!(act, Act::Amend(_));
                    changes = before.filter(|_| amends).map(|old| words::changes(&page, old, (to, terms)));
                    story.texts.insert(id, terms.clone());
                    last = Some((id, to.to_vec()));
                } else if let (Act::Adopt(_), Some((record, to))) = (act, &last) {
                    if let Some(terms) = story.texts.get(record).cloned() {
                        story.texts.insert(id, terms);
                    }
                    adopted = Some((id, *record));
                    last = Some((id, to.clone()));
                } else if let Act::Reveal(body) = act {
                    let copy = adopted.filter(|(_, record)| *record == body.statement).map(|(id, _)| id);
                    for id in std::iter::once(body.statement).chain(copy) {
                        story.texts.entry(id).and_modify(|terms| open(terms, body));
                    }
                }
            }
            story.chapters.push(Chapter { step, signers, changes });
        }
        Ok(story)
    }
}

/// Puts what was revealed in the seal's place.
fn open(terms: &mut Sealable<Terms>, body: &Reveal) {
    let number =
        |name: &str| name.strip_prefix("terms.dues.")?.strip_suffix(".quantity")?.parse::<usize>().ok();
    let quantity = || decode::<Bounded>(&body.value, MAX_STATEMENT).map(Quantity::Open);
    match (body.field.as_str(), terms) {
        ("terms", terms) => {
            if let Ok(open) = decode(&body.value, MAX_STATEMENT) {
                *terms = Sealable::Open(open);
            }
        }
        ("terms.quantity", Sealable::Open(terms)) => {
            terms.quantity = quantity().unwrap_or_else(|_| terms.quantity.clone());
        }
        (field, Sealable::Open(terms)) => {
            let due = number(field).and_then(|n| terms.dues.0.get_mut(n));
            if let (Some(due), Ok(quantity)) = (due, quantity()) {
                due.quantity = quantity;
            }
        }
        (_, Sealable::Sealed(_)) => {}
    }
}

/// To whom, and the terms, where an act has them.
fn terms_of(act: &Act) -> Option<(&[Handle], &Sealable<Terms>)> {
    match act {
        Act::Pledge(b) => Some((&b.to, &b.terms)),
        Act::Record(b) => Some((&b.to, &b.terms)),
        Act::Amend(b) => Some((&b.to, &b.terms)),
        _ => None,
    }
}
