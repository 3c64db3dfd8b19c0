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
use std::collections::HashMap;

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
    let by_name = |list: &'_ [(String, Held)]| -> HashMap<String, Held> { list.iter().cloned().collect() };
    let (before, after) = (by_name(&old), by_name(&new));
    let gone = old.iter().filter(|(field, _)| !after.contains_key(field));
    let names = new.iter().chain(gone).map(|(field, _)| field.clone());
    let held = |all: &HashMap<String, Held>, field: &str| all.get(field).cloned();
    let pairs = names.map(|field| Change { old: held(&before, &field), new: held(&after, &field), field });
    pairs.filter(|change| change.old != change.new).collect()
}

/// All fields that terms fill, in the order in which they are shown.
fn fields(page: &Page<'_>, t: &Terms) -> Vec<(String, Held)> {
    // Without "..": a field that is added to the terms is to be told here. What is left unnamed is read by a function.
    let Terms {
        reference,
        title,
        text,
        instruments: _,
        quantity: amount,
        within,
        force: _,
        made_on,
        source,
        clause,
        valid_from: _,
        valid_until: _,
        notice_period,
        owed_by: _,
        trigger: condition,
        respond_within: _,
        dues,
        needs,
        annexes,
    } = t;
    let words = |text: String| Some(Held::Words(text));
    let written = |text: &str| Some(Held::Text(text.to_owned()));
    let single = [
        ("title", words(quoted(title))),
        ("reference", reference.as_ref().and_then(|r| words(quoted(r)))),
        ("text", Some(text).filter(|t| !t.is_empty()).and_then(|t| written(t))),
        ("instruments", words(instruments(t))),
        ("quantity", quantity(amount).and_then(words)),
        ("part of", within.and_then(|id| words(id.to_string()))),
        ("force", words(super::force(t.force).to_owned())),
        ("made on", made_on.and_then(|day| words(day.to_string()))),
        ("source", source.as_ref().and_then(|s| written(s))),
        ("clause", clause.as_ref().and_then(|c| words(format!("in annex {}: {}", c.annex, quoted(&c.text))))),
        ("valid", words(validity(t))),
        ("withdrawal", words(withdrawal(*notice_period))),
        ("owed by", words(owed_by(page, t))),
        ("condition", condition.as_ref().and_then(|c| words(trigger(page, c)))),
        ("response", response(t).and_then(words)),
    ];
    let single = single.into_iter().filter_map(|(field, held)| Some((field.to_owned(), held?)));
    let numbered =
        |name: &'static str| move |(n, words): (usize, String)| (format!("{name} {n}"), Held::Words(words));
    single
        .chain(dues.iter().map(due).enumerate().map(numbered("due")))
        .chain(needs.iter().map(|one| need(page, one)).enumerate().map(numbered("need")))
        .chain(annexes.iter().map(annex).enumerate().map(numbered("annex")))
        .collect()
}

/// A quantity that stands open, with its bound.
pub fn open_quantity(q: &Quantity) -> Option<String> {
    match q {
        Quantity::Open(q) => Some(bounded(q)),
        Quantity::None | Quantity::Sealed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn terms(more: &Value) -> Sealable<Terms> {
        let mut all = json!({
            "title": "Tanks", "instruments": ["military"], "force": "binding", "valid_from": "2026-12-01",
        });
        all.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        Sealable::Open(serde_json::from_value(all).expect("terms"))
    }

    fn changed(old: &Value, new: &Value) -> Vec<String> {
        let page = Page::new(&|_| None);
        let ua: [Handle; 1] = ["ua".parse().expect("a handle")];
        changes(&page, (&ua, &terms(old)), (&ua, &terms(new))).into_iter().map(|c| c.field).collect()
    }

    #[test]
    fn every_field_that_differs_is_told_and_no_other() {
        let plain = json!({});
        assert!(changed(&plain, &plain).is_empty());
        let id = "ab".repeat(32);
        for (field, more) in [
            ("title", json!({"title": "Trucks"})),
            ("reference", json!({"reference": "A-1"})),
            ("text", json!({"text": "Ten tanks."})),
            ("instruments", json!({"instruments": ["economic"]})),
            ("quantity", json!({"quantity": "up to 5 EUR"})),
            ("part of", json!({"within": id})),
            ("force", json!({"force": "target"})),
            ("made on", json!({"made_on": "2024-02-16"})),
            ("source", json!({"source": "a speech"})),
            ("clause", json!({"clause": {"annex": 0, "text": "Article 3"}})),
            ("valid", json!({"valid_from": "2027-01-01"})),
            ("valid", json!({"valid_until": "2028-01-01"})),
            ("withdrawal", json!({"notice_period": "P6M"})),
            ("owed by", json!({"owed_by": {"jointly": ["de", "fr"]}})),
            ("response", json!({"respond_within": "P3D"})),
            ("due 0", json!({"dues": [{"label": "first", "by": "2027-01-01"}]})),
            ("need 0", json!({"needs": [{"label": "approval", "declared_by": "de"}]})),
            ("annex 0", json!({"annexes": [{"sealed": id}]})),
        ] {
            assert_eq!(changed(&plain, &more), [field], "there");
            assert_eq!(changed(&more, &plain), [field], "back");
        }
        let trigger = json!({"trigger": {"kinds": ["attack"], "starts": "either"}});
        assert_eq!(changed(&plain, &trigger), ["condition", "response"]);
    }

    #[test]
    fn who_it_is_addressed_to_and_what_is_sealed_is_told() {
        let page = Page::new(&|_| None);
        let to = |name: &str| -> [Handle; 1] { [name.parse().expect("a handle")] };
        let (open, ua, pl) = (terms(&json!({})), to("ua"), to("pl"));
        let told = changes(&page, (&ua, &open), (&pl, &open));
        assert_eq!(told.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(), ["to"]);
        let sealed = Sealable::Sealed(servanda::hash::ZEROS);
        let told = changes(&page, (&ua, &open), (&ua, &sealed));
        assert!(["terms", "title"].iter().all(|field| told.iter().any(|c| c.field == *field)), "{told:?}");
    }
}
