//! Statements in words: all that a signer signs, so that nobody signs what they have not read.
//!
//! [`statement`] leaves nothing out: what the bytes say stands in the words, and two statements that differ read
//! differently. [`summary`] is one line for lists; [`json`] the same content for programs. Texts of others are shown by
//! [`super::plain`] alone.

mod acts;
mod charter;
mod fields;
mod page;
mod terms;

pub use acts::{body, opened, sentence};
pub use charter::{aspect, aspects};
pub use fields::{Change, Held, changes, open_quantity};
pub use page::{Names, Page, grouped};
pub use servanda::ledger::answers::entry as json;
pub use servanda::text::count;
pub use terms::{annex, force, party, standing, when};

pub use page::listed;
use page::ordinal;
use terms::bounded;

use super::plain::plain;
use servanda::charter::Sealable;
use servanda::codec::encode;
use servanda::field::{Class, Handle};
use servanda::hash::ZEROS;
use servanda::roster::Open;
use servanda::statement::body::{Motion, Party, Withdrawn};
use servanda::statement::terms::{Quantity, Terms};
use servanda::statement::{self, Act, ActError, Kind, Statement};

/// Everything that a statement says, line by line; `names` gives partners' display names.
pub fn statement(s: &Statement, names: Names<'_>) -> Vec<String> {
    let mut page = Page::new(names);
    match s.act() {
        Ok(act) => {
            let sentence = acts::sentence(&page, &s.author, &act);
            page.sentence(format!("{sentence}."));
            page.gap();
            acts::body(&mut page, &act);
        }
        Err(error) => not_understood(&mut page, s, &error),
    }
    page.gap();
    frame(&mut page, s);
    page.finish()
}

/// A motion that can be approved, and how it stands.
pub fn motion(open: &Open<'_>, quorum: u64, names: Names<'_>) -> Vec<String> {
    let mut page = Page::new(names);
    page.sentence(format!("The motion: {}.", acts::motion(&page, &open.propose.motion)));
    page.gap();
    acts::body(&mut page, &Act::Propose(open.propose.clone()));
    page.row("approvals", format!("{} of the {quorum} that it takes", open.approved_by.len()));
    if !open.approved_by.is_empty() {
        page.row("approved by", listed(open.approved_by.iter().map(|h| page.who(h)), "and"));
    }
    page.hash("id", &open.id);
    page.finish()
}

/// A motion in one line.
pub fn moved(motion: &Motion, names: Names<'_>) -> String {
    acts::motion(&Page::new(names), motion)
}

fn not_understood(page: &mut Page<'_>, s: &Statement, error: &ActError) {
    let who = page.who(&s.author);
    let what = match error {
        ActError::UnknownKind(kind) => format!("act {kind}, not understood"),
        ActError::Body { kind, error } => {
            format!(
                "act {} ({}), whose body cannot be read: {}",
                s.kind,
                kind.name(),
                plain(&error.to_string())
            )
        }
    };
    page.sentence(format!("A statement of {who}: {what}."));
    page.gap();
    page.row("body", count(s.body.len(), "byte", "bytes"));
    page.hex("", &s.body);
}

/// Who says it, where in their chain, in which log, and when.
fn frame(page: &mut Page<'_>, s: &Statement) {
    page.row("author", page.who(&s.author));
    let (class, meaning) = class(s.class);
    page.row("class", format!("{class} ({}): {meaning}", s.class));
    page.row(
        "act",
        match Kind::from_number(s.kind) {
            Some(kind) => format!("{} ({})", kind.name(), s.kind),
            None => format!("{}, not understood", s.kind),
        },
    );
    let place = ordinal(s.seq.saturating_add(1));
    page.row("place", format!("the {place} statement of {} in class {class} (seq {})", s.author, s.seq));
    if s.prev == ZEROS {
        page.row("prev", "none (zeros)");
    } else {
        page.hash("prev", &s.prev);
    }
    if s.seen.size == 0 && s.seen.leaf == ZEROS {
        page.row("seen", "nothing (size 0, zeros)");
    } else {
        page.row("seen", format!("a log of size {}, whose last leaf hash was", s.seen.size));
        page.hash("", &s.seen.leaf);
    }
    page.row("issued", format!("at {} by the author's clock", s.issued_at));
    page.row("expires", format!("at {}, unless it is in the log by then", s.expires_at));
    if s.log == ZEROS {
        page.row("log", "the one that it founds (zeros)");
    } else {
        page.hash("log", &s.log);
    }
    page.row("version", s.version.to_string());
    page.hash("id", &statement::id(&encode(s)));
}

/// A class's name and meaning.
fn class(number: u8) -> (String, &'static str) {
    match Class::from_number(number) {
        None => (format!("{number}"), "does not exist"),
        Some(class) => {
            let meaning = match class {
                Class::Govern => "keys, roster, motions",
                Class::Commit => "commitments",
                Class::Operate => "duty: calls, responses, confirmations",
                Class::Observe => "observations, records",
                Class::OperateLog => "the operator's own",
            };
            (class.name().to_owned(), meaning)
        }
    }
}

/// One line: who does what, by handles.
pub fn summary(s: &Statement) -> String {
    let author = &s.author;
    match s.act() {
        Ok(act) => format!("{author} {}", summarised(&act)),
        Err(ActError::UnknownKind(kind)) => format!("{author}: act {kind}, not understood"),
        Err(ActError::Body { kind, .. }) => format!("{author}: {}, whose body cannot be read", kind.name()),
    }
}

fn summarised(act: &Act) -> String {
    let to = |handles: &[Handle]| listed(handles.iter().map(ToString::to_string), "and");
    match act {
        Act::Pledge(p) => format!("pledges to {}: {}", to(&p.to), title(&p.terms)),
        Act::Amend(a) => format!("amends {} towards {}: {}", a.statement.short(), to(&a.to), title(&a.terms)),
        Act::Record(r) => {
            let promisor = match &r.promisor {
                Party::Handle(handle) => handle.to_string(),
                Party::Name(name) => plain(name),
            };
            format!("records of {promisor} towards {}: {}", to(&r.to), title(&r.terms))
        }
        Act::Accept(a) => format!("accepts {}", ids(&a.statements)),
        Act::Join(j) => format!("joins {}", j.statement.short()),
        Act::Adopt(a) => format!("adopts {}", a.record.short()),
        Act::Approve(a) => format!("approves {}", a.motion.short()),
        Act::Withdraw(w) => match &w.from {
            Withdrawn::Pledges(pledges) => format!("withdraws from {}", ids(pledges)),
            Withdrawn::Agreement(annex) => format!("withdraws from all pledges with annex {}", annex.short()),
        },
        Act::Invoke(i) => format!("calls upon {}", ids(&i.pledges)),
        Act::Anchor(_) => "anchors the log's time".to_owned(),
        Act::Reveal(r) => format!("opens {} of {}", plain(&r.field), r.statement.short()),
        other => acts::predicate(&Page::new(&|_| None), other),
    }
}

fn title(terms: &Sealable<Terms>) -> String {
    match terms {
        Sealable::Sealed(_) => "sealed terms".to_owned(),
        Sealable::Open(t) => {
            let quantity = match &t.quantity {
                Quantity::None => String::new(),
                Quantity::Open(q) => format!(" ({})", bounded(q)),
                Quantity::Sealed(_) => " (quantity sealed)".to_owned(),
            };
            format!("{}{quantity}", plain(&t.title))
        }
    }
}

fn ids(ids: &[servanda::hash::Hash]) -> String {
    match ids {
        [one, two, three, _, ..] => {
            format!("{}, {}, {} and {} more", one.short(), two.short(), three.short(), ids.len() - 3)
        }
        [] => "nothing".to_owned(),
        few => listed(few.iter().map(servanda::hash::Hash::short), "and"),
    }
}

#[cfg(test)]
mod tests;
