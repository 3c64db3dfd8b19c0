//! What acts carry besides their fields: documents by digest, and seals; each under its name.
//!
//! A name is the path from the body, as seals bind it: `terms`, `terms.quantity`, `terms.dues.2.quantity`,
//! `terms.annexes.0`, `annexes.0`; the charter's documents are
//! `charter.annexes.0`, and its own text is `charter.toml`.

use servanda::charter::{Annex, Document, Sealable};
use servanda::hash::Hash;
use servanda::statement::Act;
use servanda::statement::terms::{Quantity, Terms};

/// A part of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A document that stands open.
    Document(Document),
    /// The digest of the charter's text, of which nothing else is said.
    Text(Hash),
    /// A seal.
    Seal(Hash),
}

/// The parts of an act, with their names.
pub fn of_act(act: &Act) -> Vec<(String, Part)> {
    let (terms, at, annexes): (Option<&Sealable<Terms>>, &str, &[Annex]) = match act {
        Act::Pledge(x) => (Some(&x.terms), "", &[]),
        Act::Amend(x) => (Some(&x.terms), "", &[]),
        Act::Record(x) => (Some(&x.terms), "", &[]),
        Act::Found(x) => (None, "charter.annexes", &x.charter.annexes),
        Act::Accede(x) => (None, "annexes", &x.annexes),
        Act::Notice(x) => (None, "annexes", &x.annexes),
        Act::Report(x) => (None, "annexes", &x.annexes),
        Act::Attest(x) => (None, "annexes", &x.annexes),
        Act::Dispute(x) => (None, "annexes", &x.annexes),
        Act::Respond(x) => (None, "annexes", &x.annexes),
        Act::Review(x) => (None, "annexes", &x.annexes),
        _ => (None, "", &[]),
    };
    if let Act::Found(found) = act {
        let text = [("charter.toml".to_owned(), Part::Text(found.text))];
        return text.into_iter().chain(of_annexes(at, annexes)).collect();
    }
    match terms {
        Some(Sealable::Sealed(seal)) => vec![("terms".to_owned(), Part::Seal(*seal))],
        Some(Sealable::Open(terms)) => of_terms(terms),
        None => of_annexes(at, annexes),
    }
}

/// The parts of open terms, with their names.
pub fn of_terms(terms: &Terms) -> Vec<(String, Part)> {
    let dues =
        terms.dues.iter().enumerate().map(|(i, due)| (format!("terms.dues.{i}.quantity"), &due.quantity));
    let quantities = std::iter::once(("terms.quantity".to_owned(), &terms.quantity)).chain(dues);
    let sealed = quantities.filter_map(|(name, quantity)| match quantity {
        Quantity::Sealed(seal) => Some((name, Part::Seal(*seal))),
        _ => None,
    });
    sealed.chain(of_annexes("terms.annexes", &terms.annexes)).collect()
}

fn of_annexes(at: &str, annexes: &[Annex]) -> Vec<(String, Part)> {
    let part = |annex: &Annex| match annex {
        Sealable::Open(document) => Part::Document(document.clone()),
        Sealable::Sealed(seal) => Part::Seal(*seal),
    };
    annexes.iter().enumerate().map(|(i, annex)| (format!("{at}.{i}"), part(annex))).collect()
}

/// Whether the part of this name is a document, sealed or not.
pub fn is_annex(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(at, _)| at.ends_with("annexes"))
}
