//! Obligations as people write them: `PLEDGE/due/N`, `PLEDGE/call/ID`, or `PLEDGE` where one of it is open.
//!
//! ```text
//! def47d0c/due/1              the second due of the pledge (or join) def47d0c…
//! def47d0c/call/93ab01ff      its call because of the incident first reported as 93ab01ff…, or by that invoke
//! def47d0c                    the one obligation of it that is open, by the ledger
//! DEU-M1/due/1, @12/due/1     the pledge by its author's reference, or by its entry's index
//! ```

use crate::cli::plain::quoted;
use crate::cli::problem::Problem;
use crate::cli::words::count;
use serde_json::{Value, json};
use servanda::field::Instant;
use servanda::hash::Hash;
use servanda::ledger::verdict::{Owed, Verdict};
use servanda::ledger::{Ledger, Moment};
use servanda::statement::body::{Obligation, Occasion};

/// How many obligations are listed where several are meant.
const LISTED_MAX: usize = 12;

/// The short form of an obligation, as it can be typed.
pub fn short(key: &Obligation) -> String {
    match &key.occasion {
        Occasion::Due(n) => format!("{}/due/{n}", key.pledge.short()),
        Occasion::Call(id) => format!("{}/call/{}", key.pledge.short(), id.short()),
    }
}

/// Completes the ids in the written form.
pub fn whole(text: &str, complete: &mut dyn FnMut(&str) -> anyhow::Result<String>) -> anyhow::Result<String> {
    // From the end, since a reference may have strokes of its own.
    let parts: Vec<&str> = text.rsplitn(3, '/').map(str::trim).collect();
    Ok(match parts.as_slice() {
        [n, "due", pledge] => format!("{}/due/{n}", complete(pledge)?),
        [id, "call", pledge] => format!("{}/call/{}", complete(pledge)?, complete(id)?),
        [pledge] => complete(pledge)?,
        _ => complete(text.trim()).map_err(|_| not_written(text))?,
    })
}

/// The written form, its ids whole, as an act's body has it; none where it is an id alone.
pub fn parse(text: &str) -> anyhow::Result<Option<Value>> {
    let parts: Vec<&str> = text.split('/').collect();
    Ok(match parts.as_slice() {
        [_] => None,
        [pledge, "due", n] => {
            let n = servanda::text::decimal_u64(n).ok_or_else(|| not_written(text))?;
            Some(json!({ "pledge": pledge, "occasion": { "due": n } }))
        }
        [pledge, "call", id] => Some(json!({ "pledge": pledge, "occasion": { "call": id } })),
        _ => return Err(not_written(text).into()),
    })
}

fn not_written(text: &str) -> Problem {
    Problem::new(format!("{} is no obligation", quoted(text))).hint(
        "write PLEDGE/due/N (dues are counted from 0), PLEDGE/call/ID, or PLEDGE where one of it is open",
    )
}

/// The one obligation of a pledge or join that is open; where none is, the only one that there is.
///
/// # Errors
/// When there are several, or none: they are listed.
pub fn the_open_one(ledger: &Ledger, id: &Hash, now: Instant) -> anyhow::Result<Obligation> {
    let Some((pledge, line)) = ledger.line(id) else {
        return Err(Problem::new(format!("{} is no pledge, nor one's own join", id.short()))
            .hint("an obligation is called after the pledge that it is of: PLEDGE/due/N or PLEDGE/call/ID")
            .into());
    };
    let mut all = ledger.owed_under(pledge, Moment::at(now));
    all.retain(|owed| owed.line == line);
    all.dedup_by(|a, b| a.key == b.key);
    let is_open =
        |owed: &&Owed<'_>| !matches!(owed.verdict, Verdict::Kept | Verdict::KeptLate | Verdict::Declined);
    let open: Vec<_> = all.iter().filter(is_open).collect();
    match (open.as_slice(), all.as_slice()) {
        ([one], _) => Ok(one.key.clone()),
        ([], [one]) => Ok(one.key.clone()),
        (_, []) => {
            let state = pledge.overall(line, Moment::at(now));
            Err(Problem::refused(format!("nothing is owed under {}, which {state}", id.short()))
                .hint("an obligation arises from a due, or once the pledge is called upon")
                .into())
        }
        ([], several) => Err(several_of(id, several.iter(), "has no open obligation, and several others")),
        (several, _) => Err(several_of(id, several.iter().copied(), "has several open obligations")),
    }
}

fn several_of<'a>(
    id: &Hash,
    several: impl ExactSizeIterator<Item = &'a Owed<'a>>,
    what: &str,
) -> anyhow::Error {
    let more = several.len().saturating_sub(LISTED_MAX);
    let lines: String = several.take(LISTED_MAX).map(|owed| format!("\n  {}", line(owed))).collect();
    let more = if more > 0 { format!("\n  and {}", count(more, "more", "more")) } else { String::new() };
    Problem::new(format!("{} {what}", id.short())).hint(format!("say which one:{lines}{more}")).into()
}

/// An obligation in one line: how to write it, until when, how it stands.
pub fn line(owed: &Owed<'_>) -> String {
    let label = match owed.key.occasion {
        Occasion::Due(_) => format!(" {}", quoted(&owed.label())),
        Occasion::Call(_) => String::new(),
    };
    let by = owed.deadline.map_or("no deadline".to_owned(), |by| format!("by {by}"));
    let why = if owed.verdict == Verdict::Overdue { format!(", {}", owed.why) } else { String::new() };
    format!("{}{label}, {by}: {}{why}", short(&owed.key), owed.verdict.words())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obligations_are_written_in_three_ways_and_no_other() {
        let a = "ab".repeat(32);
        assert_eq!(parse(&a).expect("an id"), None);
        assert_eq!(
            parse(&format!("{a}/due/3")).expect("a due"),
            Some(json!({ "pledge": a, "occasion": { "due": 3 } }))
        );
        assert_eq!(
            parse(&format!("{a}/call/{a}")).expect("a call"),
            Some(json!({ "pledge": a, "occasion": { "call": a } }))
        );
        for bad in ["a/due", "a/due/x", "a/due/-1", "a/Due/1", "a/b/c", "a/due/1/2", "a/", "/"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_id_in_an_obligation_is_completed() {
        let mut complete = |text: &str| match text {
            "ab/cd" | "" => Err(not_written(text).into()),
            text => Ok(text.to_uppercase()),
        };
        assert_eq!(whole("ab/due/0", &mut complete).expect("whole"), "AB/due/0");
        assert_eq!(whole("ab / call / cd", &mut complete).expect("whole"), "AB/call/CD");
        assert_eq!(whole("ab", &mut complete).expect("whole"), "AB");
        assert_eq!(whole("a/b 1/due/0", &mut complete).expect("whole"), "A/B 1/due/0");
        assert_eq!(whole("a/b", &mut complete).expect("whole"), "A/B");
        for bad in ["ab/cd", "/due/0", ""] {
            assert!(whole(bad, &mut complete).is_err(), "{bad}");
        }
    }
}
