//! Seals: noted where a statement has them, opened by their author alone.

use super::pledge::{Gist, Origin};
use super::{Ledger, Said, Sealed, Thing, Told, at};
use crate::charter::{Annex, Document, Sealable};
use crate::codec::decode;
use crate::field::Short;
use crate::hash::Hash;
use crate::rule::Rule;
use crate::seal::{Opening, seal};
use crate::statement::terms::{Bounded, Quantity, Terms};
use crate::statement::{Act, MAX_STATEMENT, body::Reveal};

/// A field of a body that can be sealed.
enum Field {
    Terms,
    Quantity,
    Due(usize),
    Annex,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        let number = |n: &str| n.parse::<usize>().ok();
        match name {
            "terms" => Some(Self::Terms),
            "terms.quantity" => Some(Self::Quantity),
            _ => match name.strip_prefix("terms.dues.").and_then(|rest| rest.strip_suffix(".quantity")) {
                Some(due) => number(due).map(Self::Due),
                None => {
                    let rest = name.strip_prefix("terms.").unwrap_or(name).strip_prefix("annexes.")?;
                    number(rest).map(|_| Self::Annex)
                }
            },
        }
    }
}

impl Ledger {
    /// The statement that holds the seal which an opening opens, if it is closed still.
    #[must_use]
    pub fn sealed_as(&self, opening: &Opening) -> Option<&Hash> {
        let want = opening.seal();
        let fits = |field: &Short, sealed: &Sealed| {
            sealed.seal == want && sealed.by == opening.author && *field == opening.field
        };
        self.seals.iter().find(|((_, field), sealed)| fits(field, sealed)).map(|((id, _), _)| id)
    }

    /// Notes what a statement keeps under seal.
    pub(super) fn seal(&mut self, told: &Told<'_>) {
        let mut found: Vec<(String, Hash)> = Vec::new();
        match told.act {
            Act::Pledge(b) => of_terms(&b.terms, &mut found),
            Act::Amend(b) => of_terms(&b.terms, &mut found),
            Act::Record(b) => of_terms(&b.terms, &mut found),
            Act::Notice(b) => of_annexes("annexes", &b.annexes, &mut found),
            Act::Report(b) => of_annexes("annexes", &b.annexes, &mut found),
            Act::Attest(b) => of_annexes("annexes", &b.annexes, &mut found),
            Act::Dispute(b) => of_annexes("annexes", &b.annexes, &mut found),
            Act::Respond(b) => of_annexes("annexes", &b.annexes, &mut found),
            Act::Review(b) => of_annexes("annexes", &b.annexes, &mut found),
            _ => {}
        }
        self.note_seals(told.said, told.said.id, found);
    }

    /// The same of an accession.
    pub(super) fn seal_annexes(&mut self, said: &Said, annexes: &[Annex]) {
        let mut found = Vec::new();
        of_annexes("annexes", annexes, &mut found);
        self.note_seals(said, said.id, found);
    }

    fn note_seals(&mut self, said: &Said, id: Hash, found: Vec<(String, Hash)>) {
        for (name, seal) in found {
            let name = Short::new(name).expect("names of fields are short");
            self.seals.insert((id, name), Sealed { seal, by: said.by.clone() });
        }
    }

    pub(super) fn reveal(&mut self, told: &Told<'_>, body: &Reveal) -> Result<(), Rule> {
        let key = (body.statement, body.field.clone());
        let none = Rule::NoSeal { id: body.statement, field: body.field.clone() };
        let Some(sealed) = self.seals.get(&key) else { return Err(none) };
        if sealed.by != told.said.by {
            return Err(Rule::NotSealer { by: sealed.by.clone() });
        }
        if seal(&self.log, &sealed.by, &body.salt, &body.field, &body.value) != sealed.seal {
            return Err(Rule::SealDiffers);
        }
        let field = Field::named(&body.field).ok_or(none)?;
        let malformed = |_| Rule::SealedValue;
        match field {
            Field::Terms => {
                let terms: Terms = decode(&body.value, MAX_STATEMENT).map_err(malformed)?;
                let terms = Sealable::Open(terms);
                let number = self.number_of(&body.statement);
                let promisor = number.and_then(|n| self.pledge_at(n).promisor());
                self.check_terms(told, &terms, promisor, number)?;
                let versions = self.versions_of(&body.statement);
                let reference = terms.open().and_then(|t| t.reference.as_ref());
                for (number, _) in &versions {
                    let author = &self.pledge_at(*number).said.by;
                    reference.map_or(Ok(()), |r| self.check_reference(told, author, r, Some(*number)))?;
                }
                let mut found = Vec::new();
                of_terms(&terms, &mut found);
                if let Sealable::Open(terms) = &terms {
                    versions.into_iter().for_each(|v| self.open_terms(told, v, Gist::from(terms)));
                }
                self.note_seals(told.said, body.statement, found);
            }
            Field::Quantity | Field::Due(_) => {
                let quantity: Bounded = decode(&body.value, MAX_STATEMENT).map_err(malformed)?;
                for version in self.versions_of(&body.statement) {
                    self.open_quantity(version, &field, &quantity);
                }
            }
            Field::Annex => {
                decode::<Document>(&body.value, MAX_STATEMENT).map_err(malformed)?;
            }
        }
        self.seals.remove(&key);
        self.things.insert(told.said.id, Thing::Other);
        Ok(())
    }

    fn open_terms(&mut self, told: &Told<'_>, (number, version): (u32, usize), gist: Gist) {
        let author = self.pledge_at(number).said.by.clone();
        self.watch(number, &author, &gist);
        let of = u32::try_from(version).expect("few versions");
        let version = &mut self.pledges[at(number)].versions[version];
        version.terms = Sealable::Open(gist);
        version.open_from = told.said.index;
        if self.pledge_at(number).taken.values().any(|taken| taken.contains(&of)) {
            self.wait(number, of);
        }
    }

    fn open_quantity(&mut self, (number, version): (u32, usize), field: &Field, opened: &Bounded) {
        let Sealable::Open(gist) = &mut self.pledges[at(number)].versions[version].terms else { return };
        match field {
            Field::Due(n) => {
                if let Some(due) = gist.dues.get_mut(*n) {
                    due.quantity = Quantity::Open(opened.clone());
                }
            }
            _ => gist.quantity = Quantity::Open(opened.clone()),
        }
    }

    /// The version that a statement gave; and, where that is how a record stood when it was adopted, the pledge's.
    fn versions_of(&self, statement: &Hash) -> Vec<(u32, usize)> {
        let Some((number, version)) = self.version_of(statement) else { return Vec::new() };
        let record = self.pledge_at(number);
        let adopted = match &record.origin {
            Origin::Recorded { adopted: Some(said), .. } if version + 1 == record.versions.len() => {
                self.version_of(&said.id)
            }
            _ => None,
        };
        std::iter::once((number, version)).chain(adopted).collect()
    }

    fn version_of(&self, statement: &Hash) -> Option<(u32, usize)> {
        match self.things.get(statement)? {
            Thing::Pledge(n) => Some((*n, 0)),
            Thing::Amendment(n, version) => Some((*n, at(*version))),
            _ => None,
        }
    }
}

fn of_terms(terms: &Sealable<Terms>, found: &mut Vec<(String, Hash)>) {
    match terms {
        Sealable::Sealed(seal) => found.push(("terms".to_owned(), *seal)),
        Sealable::Open(terms) => {
            if let Quantity::Sealed(seal) = &terms.quantity {
                found.push(("terms.quantity".to_owned(), *seal));
            }
            for (n, due) in terms.dues.iter().enumerate() {
                if let Quantity::Sealed(seal) = &due.quantity {
                    found.push((format!("terms.dues.{n}.quantity"), *seal));
                }
            }
            of_annexes("terms.annexes", &terms.annexes, found);
        }
    }
}

fn of_annexes(path: &str, annexes: &[Annex], found: &mut Vec<(String, Hash)>) {
    for (n, annex) in annexes.iter().enumerate() {
        if let Sealable::Sealed(seal) = annex {
            found.push((format!("{path}.{n}"), *seal));
        }
    }
}
