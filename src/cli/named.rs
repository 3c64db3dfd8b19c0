//! What people call a pledge or record: by its id, by @ and its entry's index, or by its author's own reference. All commands
//! take the same, and who could mean several is shown them.

use super::lookup::{DIGITS_MIN, Wanted};
use super::plain::quoted;
use super::problem::Problem;
use servanda::field::Short;
use servanda::ledger::{Ledger, Pledge};

/// The pledges and records that have this reference, in any of their versions.
pub fn by_reference<'l>(ledger: &'l Ledger, reference: &str) -> Vec<&'l Pledge> {
    ledger.pledges().iter().filter(|pledge| has_reference(pledge, reference)).collect()
}

/// The one pledge or record that is meant.
///
/// # Errors
/// When there is none, or several, which are listed.
pub fn one<'l>(ledger: &'l Ledger, wanted: &str) -> anyhow::Result<&'l Pledge> {
    let found: Vec<&Pledge> = ledger.pledges().iter().filter(|p| is_called(p, wanted)).collect();
    match found[..] {
        [one] => Ok(one),
        [] => Err(none(wanted).into()),
        _ => Err(several(wanted, &found).into()),
    }
}

/// Nothing is called that.
pub fn none(wanted: &str) -> Problem {
    Problem::new(format!("no pledge or record here is called {}", quoted(wanted))).hint(format!(
        "name it by its id, {DIGITS_MIN} digits or more, by @ and its entry's index, or by its author's reference; \
         \"servanda log --kind pledge\" lists them"
    ))
}

fn several(wanted: &str, found: &[&Pledge]) -> Problem {
    let line = |p: &&Pledge| {
        let title = p.latest().gist().map_or("sealed terms".to_owned(), |g| quoted(&g.title));
        format!("\n  {}  @{}  {}: {title}", p.said.id.short(), p.said.index, p.said.by)
    };
    let lines: String = found.iter().map(line).collect();
    ambiguous(wanted, &found.len().to_string(), &lines)
}

/// So many are called that, a line each.
pub fn ambiguous(wanted: &str, many: &str, lines: &str) -> Problem {
    Problem::new(format!("{} is what {many} pledges are called", quoted(wanted)))
        .hint(format!("name the one that you mean by its id:{lines}"))
}

fn is_called(pledge: &Pledge, wanted: &str) -> bool {
    if has_reference(pledge, wanted) {
        return true;
    }
    let statements = pledge.versions.iter().map(|v| &v.said);
    let mut statements = statements.chain(pledge.joins.iter().map(|j| &j.said));
    match wanted.parse::<Wanted>() {
        Ok(Wanted::Index(index)) => statements.any(|said| said.index == index),
        Ok(Wanted::Id(digits)) => statements.any(|said| said.id.to_string().starts_with(&digits)),
        Ok(Wanted::Reference(_)) | Err(_) => false,
    }
}

fn has_reference(pledge: &Pledge, reference: &str) -> bool {
    let is_it = |of: &Short| of.as_str() == reference;
    pledge.versions.iter().any(|v| v.gist().and_then(|g| g.reference.as_ref()).is_some_and(is_it))
}
