//! Terms as a list of fields, and what a later version changed: `history` shows amendments by these.
//!
//! ```text
//! quantity      exactly 7,100,000,000 EUR
//!               → exactly 7,200,000,000 EUR
//! text          - | Tanks in 2026.
//!               + | Tanks in 2027.
//! ```

use super::page::Page;
use super::terms::{
    annex, bounded, due, instruments, need, owed_by, quantity, response, sealed, trigger, validity,
    withdrawal,
};
use crate::cli::plain::quoted;
use serde_json::{Value, json};
use servanda::charter::Sealable;
use servanda::field::Handle;
use servanda::statement::terms::{Quantity, Terms};

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Words fit to be shown.
    Words(String),
    /// A text of the author's, as it was written.
    Text(String),
}

impl Held {
    /// As it was written, or in words.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Words(text) | Self::Text(text) => text,
        }
    }
}

/// A field that differs: its name, what it held, what it holds; none where it is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The field.
    pub field: String,
    /// Before.
    pub old: Option<Held>,
    /// After.
    pub new: Option<Held>,
}

impl Change {
    /// For programs.
    pub fn json(&self) -> Value {
        let held = |side: &Option<Held>| side.as_ref().map(|h| h.as_str().to_owned());
        json!({"field": self.field, "old": held(&self.old), "new": held(&self.new)})
    }
}

/// The fields that differ between two versions, with whom they are addressed to.
pub fn changes(
    page: &Page<'_>,
    (old_to, old): (&[Handle], &Sealable<Terms>),
    (new_to, new): (&[Handle], &Sealable<Terms>),
) -> Vec<Change> {
    let all = |to: &[Handle], terms: &Sealable<Terms>| {
        let mut all = vec![("to".to_owned(), Held::Words(page.all(to)))];
        match terms {
            Sealable::Open(terms) => all.extend(fields(page, terms)),
            Sealable::Sealed(seal) => all.push(("terms".to_owned(), Held::Words(sealed(seal)))),
        }
        all
    };
    let (old, new) = (all(old_to, old), all(new_to, new));
    let find = |list: &[(String, Held)], field: &str| {
        list.iter().find(|(name, _)| name == field).map(|(_, held)| held.clone())
    };
    let gone = old.iter().filter(|(field, _)| find(&new, field).is_none());
    let names = new.iter().chain(gone).map(|(field, _)| field.clone());
    let pairs = names.map(|field| Change { old: find(&old, &field), new: find(&new, &field), field });
    pairs.filter(|change| change.old != change.new).collect()
}

/// All fields that terms fill, in the order in which they are shown.
fn fields(page: &Page<'_>, t: &Terms) -> Vec<(String, Held)> {
    let mut out: Vec<(String, Held)> = Vec::new();
    let mut put = |field: &str, held: Held| out.push((field.to_owned(), held));
    let words = |text: String| Held::Words(text);
    put("title", words(quoted(&t.title)));
    if let Some(reference) = &t.reference {
        put("reference", words(quoted(reference)));
    }
    if !t.text.is_empty() {
        put("text", Held::Text(t.text.to_string()));
    }
    put("instruments", words(instruments(t)));
    if let Some(stated) = quantity(&t.quantity) {
        put("quantity", words(stated));
    }
    if let Some(within) = t.within {
        put("part of", words(within.to_string()));
    }
    put("force", words(super::force(t.force).to_owned()));
    if let Some(day) = t.made_on {
        put("made on", words(day.to_string()));
    }
    if let Some(source) = &t.source {
        put("source", Held::Text(source.to_string()));
    }
    if let Some(clause) = &t.clause {
        put("clause", words(format!("in annex {}: {}", clause.annex, quoted(&clause.text))));
    }
    put("valid", words(validity(t)));
    put("withdrawal", words(withdrawal(t.notice_period)));
    put("owed by", words(owed_by(page, t)));
    if let Some(condition) = &t.trigger {
        put("condition", words(trigger(page, condition)));
    }
    if let Some(within) = response(t) {
        put("response", words(within));
    }
    for (i, one) in t.dues.iter().enumerate() {
        put(&format!("due {i}"), words(due(one)));
    }
    for (i, one) in t.needs.iter().enumerate() {
        put(&format!("need {i}"), words(need(page, one)));
    }
    for (i, one) in t.annexes.iter().enumerate() {
        put(&format!("annex {i}"), words(annex(one)));
    }
    out
}

/// A quantity that stands open, with its bound.
pub fn open_quantity(q: &Quantity) -> Option<String> {
    match q {
        Quantity::Open(q) => Some(bounded(q)),
        Quantity::None | Quantity::Sealed(_) => None,
    }
}
