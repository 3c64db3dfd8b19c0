//! Statements of the cast: made at a place in a history, and signed by as many officers as it takes.

use super::cast::Member;
use servanda::draft::Draft;
use servanda::field::{Class, Duration, Instant};
use servanda::hash::ZEROS;
use servanda::history::History;
use servanda::statement::{Act, Head, Statement, VERSION};

/// How long a statement may wait for the log, in days.
const EXPIRY_DAYS: u64 = 7;

/// Makes a statement and signs it: its author's next of that class in a history, of which the author has verified what
/// lies up to `seen`.
pub fn sign(
    member: &Member,
    class: Class,
    act: &Act,
    history: &History,
    seen: Head,
    now: Instant,
) -> anyhow::Result<Draft> {
    let chain = history.chain(&member.handle, class);
    let statement = Statement {
        version: VERSION,
        log: history.roster().map_or(ZEROS, |roster| roster.log),
        author: member.handle.clone(),
        class: class.number(),
        seq: chain.seq,
        prev: chain.prev,
        seen,
        issued_at: now,
        expires_at: now.plus(Duration::of_days(EXPIRY_DAYS)),
        kind: act.kind().number(),
        body: act.encode_body().into(),
    };
    let mut draft = Draft::new(&statement, Some(member.set.clone()))?;
    for key in member.signers(class, act.kind()) {
        draft.sign(key)?;
    }
    Ok(draft)
}
