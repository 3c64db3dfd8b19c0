//! What everyone says in the demo, round by round: all accede; then, for each day on which agreements were signed, those
//! who signed them pledge, and Ukraine accepts what was pledged in the round before. Then an observer reports figures
//! that are real, moved in time ([`observations`]); what happens after that is made up ([`events`]).
//!
//! The same play goes through the honest door into the log ([`super::founding`]) and through that of an operator who makes
//! up a log of its own ([`super::forge`]). Within a round all have seen the same: the log as the round before left it.

mod events;
mod observations;

pub use events::Events;
pub use observations::Observed;

use super::cast::{Cast, Member, Pledge};
use super::sign::sign;
use servanda::charter::Sealable;
use servanda::codec::List;
use servanda::draft::Draft;
use servanda::field::{Class, Duration, Handle, Instant};
use servanda::hash::Hash;
use servanda::history::History;
use servanda::statement::body::{Accede, Accept};
use servanda::statement::terms::Terms;
use servanda::statement::{Act, Head};
use std::collections::BTreeSet;

/// How long before the end the play begins, and before what is made up, in days.
const DAYS: u64 = 12;
const DAYS_SIGNED: u64 = 8;

/// Who accepts.
pub const BENEFICIARY: &str = "ua";

/// A way for statements into a log.
pub trait Door {
    /// What follows from the entries so far.
    fn history(&self) -> &History;

    /// Sequences a signed statement; gives its index.
    fn admit(&mut self, draft: Draft, now: Instant) -> anyhow::Result<u64>;

    /// Ends a round; gives the checkpoint, signed.
    fn close(&mut self) -> anyhow::Result<String>;
}

/// A pledge in the log.
#[derive(Clone, Debug)]
pub struct Pledged {
    /// Whose it is.
    pub author: Handle,
    /// Its author's own reference.
    pub reference: String,
    /// Its id.
    pub id: Hash,
    /// Its index.
    pub index: u64,
    /// What it says.
    pub terms: Terms,
}

/// What was played.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// The pledges, in the log's order.
    pub pledges: Vec<Pledged>,
    /// How many statements accept them.
    pub acceptances: usize,
    /// The size after each round, with its checkpoint.
    pub rounds: Vec<(u64, String)>,
    /// On how many days agreements were signed.
    pub days: usize,
    /// What observers counted.
    pub observed: Option<Observed>,
    /// What happened then.
    pub events: Option<Events>,
}

impl Played {
    /// The pledge of a reference.
    ///
    /// # Panics
    /// When the example has no such pledge.
    pub fn pledge(&self, reference: &str) -> &Pledged {
        self.pledges.iter().find(|p| p.reference == reference).expect("the example has the pledge")
    }
}

/// When the play begins that ends by `now`.
pub fn begin(now: Instant) -> Instant {
    Instant::from_ms(now.ms().saturating_sub(DAYS * 86_400_000)).unwrap_or(now)
}

/// Plays it all, so that it ends by `now`.
pub fn play(door: &mut dyn Door, cast: &Cast, now: Instant) -> anyhow::Result<Played> {
    let seen = door.history().head();
    let now = begin(now);
    let mut stage = Stage { door, cast, now, seen, played: Played::default(), open: Vec::new() };
    for member in &cast.partners {
        let accede = Accede { keys: member.set.clone(), reservations: None, annexes: Vec::new().into() };
        stage.say(member, Class::Govern, &Act::Accede(accede))?;
    }
    stage.close()?;
    let pledges = Pledge::all()?;
    let days: BTreeSet<_> = pledges.iter().map(|p| p.made_on).collect();
    stage.played.days = days.len();
    for day in days {
        let before = std::mem::take(&mut stage.open);
        for pledge in pledges.iter().filter(|p| p.made_on == day) {
            stage.pledge(pledge)?;
        }
        stage.accept(before)?;
        stage.close()?;
    }
    let last = std::mem::take(&mut stage.open);
    stage.accept(last)?;
    stage.close()?;
    let signed = stage.now;
    let day_before = signed.plus(Duration::of_days(DAYS_SIGNED - 1)).day();
    stage.played.observed = Some(observations::play(&mut stage, day_before)?);
    stage.now = signed.plus(Duration::of_days(DAYS_SIGNED));
    stage.played.events = Some(events::play(&mut stage)?);
    Ok(stage.played)
}

struct Stage<'p> {
    door: &'p mut dyn Door,
    cast: &'p Cast,
    now: Instant,
    /// The log as the last round left it.
    seen: Head,
    played: Played,
    /// Pledges that were not accepted yet.
    open: Vec<Hash>,
}

impl Stage<'_> {
    /// Signs and sends a statement; gives its id and index.
    fn say(&mut self, member: &Member, class: Class, act: &Act) -> anyhow::Result<(Hash, u64)> {
        let draft = sign(member, class, act, self.door.history(), self.seen, self.now)?;
        let id = draft.id();
        Ok((id, self.door.admit(draft, self.now)?))
    }

    /// Lets a partner say something in the class in which it usually is said.
    fn duty(&mut self, handle: &str, act: &Act) -> anyhow::Result<Hash> {
        Ok(self.say(self.cast.member(handle)?, act.kind().classes()[0], act)?.0)
    }

    fn pledge(&mut self, pledge: &Pledge) -> anyhow::Result<()> {
        let ids = self.played.pledges.iter().map(|p| (p.reference.clone(), p.id)).collect();
        let act = pledge.act(self.now, &ids)?;
        let (id, index) = self.say(self.cast.member(pledge.author.as_str())?, Class::Commit, &act)?;
        let Act::Pledge(body) = act else { anyhow::bail!("{} is no pledge", pledge.reference) };
        let Sealable::Open(terms) = body.terms else { anyhow::bail!("{} is sealed", pledge.reference) };
        let (author, reference) = (pledge.author.clone(), pledge.reference.clone());
        self.played.pledges.push(Pledged { author, reference, id, index, terms });
        self.open.push(id);
        Ok(())
    }

    fn accept(&mut self, pledges: Vec<Hash>) -> anyhow::Result<()> {
        if pledges.is_empty() {
            return Ok(());
        }
        self.played.acceptances += 1;
        let accept = Accept { statements: List(pledges), reservation: None };
        self.say(self.cast.member(BENEFICIARY)?, Class::Commit, &Act::Accept(accept)).map(|_| ())
    }

    fn close(&mut self) -> anyhow::Result<()> {
        let note = self.door.close()?;
        self.seen = self.door.history().head();
        self.played.rounds.push((self.seen.size, note));
        Ok(())
    }
}
