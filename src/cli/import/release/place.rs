//! Where references belong: those that a template numbers, `{ID}.{#ID}`, belong to one ID, whatever their numbers.
//!
//! ```text
//! {ID}.{#ID}     DEM1.17     stem "DEM1." and "", number 17
//! {ID}           USH7        stem "USH7", no number
//! ```
//!
//! A number tells the row of a table that listed it first. In the next release rows may have moved, so what is compared
//! is all that stands under one stem; the numbers stay with what the log has.

use crate::cli::import::mapping::Mapping;
use crate::cli::import::rows::Cells;
use crate::cli::import::template::{Part, Template};
use unicode_normalization::UnicodeNormalization as _;

/// What all references of one ID share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stem {
    /// A reference that is not numbered.
    Whole(String),
    /// What stands before the number, and behind it.
    Around(String, String),
}

/// Where a reference belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The ID.
    pub stem: Stem,
    /// Its number there, where it has one.
    pub number: Option<u64>,
}

/// How a mapping numbers references.
#[derive(Clone, Debug)]
pub struct Numbering(Option<(Template, Template)>);

/// Why numbered references could not be told apart in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// No column is mapped to it.
    #[error("no column is mapped to the reference, by which rows are compared with the log")]
    NoReference,
    /// Several numbers in one reference.
    #[error("a reference that is compared with the log holds one number at most")]
    SeveralNumbers,
    /// A number beside something that may end or begin with a digit.
    #[error(
        "words that are no digits must stand between the number of a reference and its columns, e.g. {{ID}}.{{#ID}}"
    )]
    NotApart,
}

impl Numbering {
    /// Reads how a mapping numbers references.
    ///
    /// # Errors
    /// Where numbers could not be told from what stands beside them, or there are no references.
    pub fn of(mapping: &Mapping) -> Result<Self, PlaceError> {
        let template = mapping.reference().ok_or(PlaceError::NoReference)?;
        let is_number = |part: &&Part| matches!(part, Part::Number(_));
        let Some(at) = template.0.iter().position(|part| is_number(&part)) else { return Ok(Self(None)) };
        if template.0.iter().filter(is_number).count() > 1 {
            return Err(PlaceError::SeveralNumbers);
        }
        let (before, after) = (&template.0[..at], &template.0[at + 1..]);
        let apart = |part: Option<&Part>, edge: fn(&str) -> Option<char>| match part {
            None => true,
            Some(Part::Words(words)) => edge(words).is_some_and(|c| !c.is_ascii_digit()),
            Some(Part::Cell(_) | Part::Number(_)) => false,
        };
        if apart(before.last(), |words| words.chars().next_back())
            && apart(after.first(), |words| words.chars().next())
        {
            Ok(Self(Some((Template(before.to_vec()), Template(after.to_vec())))))
        } else {
            Err(PlaceError::NotApart)
        }
    }

    /// Where a row's reference belongs.
    pub fn place(&self, mapping: &Mapping, cells: &Cells, reference: &str) -> Place {
        let around = self.0.as_ref().and_then(|(before, after)| {
            let side = |template| Some(mapping.words(template, cells)?.nfc().collect::<String>());
            let (before, after) = (side(before)?, side(after)?);
            let number = number(reference.strip_prefix(&before)?.strip_suffix(&after)?)?;
            Some(Place { stem: Stem::Around(before, after), number: Some(number) })
        });
        around.unwrap_or_else(|| Place { stem: Stem::Whole(reference.to_owned()), number: None })
    }

    /// All places where a reference of the log may belong.
    pub fn places(&self, reference: &str) -> Vec<Place> {
        let mut places = vec![Place { stem: Stem::Whole(reference.to_owned()), number: None }];
        if self.0.is_none() {
            return places;
        }
        let mut rest = 0;
        while let Some(start) = reference[rest..].find(|c: char| c.is_ascii_digit()).map(|at| rest + at) {
            let digits = reference[start..].find(|c: char| !c.is_ascii_digit());
            let end = digits.map_or(reference.len(), |digits| start + digits);
            if let Some(number) = number(&reference[start..end]) {
                let stem = Stem::Around(reference[..start].to_owned(), reference[end..].to_owned());
                places.push(Place { stem, number: Some(number) });
            }
            rest = end;
        }
        places
    }
}

impl Stem {
    /// The reference of a number.
    pub fn reference(&self, number: u64) -> String {
        match self {
            Self::Whole(reference) => reference.clone(),
            Self::Around(before, after) => format!("{before}{number}{after}"),
        }
    }
}

/// A number as `{#Column}` writes it.
fn number(digits: &str) -> Option<u64> {
    let number: u64 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::import::mapping::{MappingArgs, Numbers};
    use crate::cli::import::rows::read;
    use proptest::prelude::*;

    fn mapping(template: &str) -> Mapping {
        let maps = vec![format!("reference={template}")];
        let columns = ["ID".to_owned(), "Year".to_owned()];
        Mapping::new(&MappingArgs { maps, ..MappingArgs::default() }, &columns).expect("a mapping")
    }

    #[test]
    fn numbers_must_stand_apart_from_columns() {
        for (template, want) in [
            ("{ID}.{#ID}", None),
            ("{#ID}/{ID}", None),
            ("{ID}", None),
            ("{Year}-{#Year}-{ID}", None),
            ("{ID}{#ID}", Some(PlaceError::NotApart)),
            ("{ID}.{#ID}{Year}", Some(PlaceError::NotApart)),
            ("{ID} 1{#ID}", Some(PlaceError::NotApart)),
            ("{ID}.{#ID}.{#Year}", Some(PlaceError::SeveralNumbers)),
        ] {
            assert_eq!(Numbering::of(&mapping(template)).err(), want, "{template}");
        }
        let nothing = Mapping::new(&MappingArgs::default(), &["ID".to_owned()]).expect("a mapping");
        assert_eq!(Numbering::of(&nothing).err(), Some(PlaceError::NoReference));
    }

    #[test]
    fn a_row_and_its_reference_in_the_log_belong_to_the_same_id() {
        let mapping = mapping("{ID}.{#ID}");
        let numbering = Numbering::of(&mapping).expect("apart");
        let table = read(b"ID,Year\nA,1\nA,2\nA.1,3\ne\xcc\x81,4\n", b',').expect("a table");
        let mut numbers = Numbers::default();
        for (row, (stem, number)) in table.rows.iter().zip([("A.", 1), ("A.", 2), ("A.1.", 1), ("é.", 1)]) {
            let cells = row.cells.as_ref().expect("cells");
            let fields = mapping.fields(cells, &mut numbers).expect("fields");
            let reference = crate::cli::import::judge::reference(&fields).expect("a reference");
            let place = numbering.place(&mapping, cells, &reference);
            let want = Place { stem: Stem::Around(stem.to_owned(), String::new()), number: Some(number) };
            assert_eq!(place, want);
            assert!(numbering.places(&reference).contains(&want));
            assert_eq!(want.stem.reference(number), reference);
        }
    }

    #[test]
    fn a_number_has_one_form() {
        let numbering = Numbering::of(&mapping("{ID}.{#ID}")).expect("apart");
        let numbers = |text: &str| numbering.places(text).iter().filter_map(|p| p.number).collect::<Vec<_>>();
        assert_eq!(numbers("A.17"), [17]);
        assert_eq!(numbers("A7.017"), [7]);
        assert_eq!(numbers("A.99999999999999999999"), [0; 0]);
        assert_eq!(numbers("é"), [0; 0]);
    }

    proptest! {
        #[test]
        fn whatever_stands_in_the_log_is_taken_apart_without_panic(reference in "[A.0-9é]{0,12}") {
            for place in Numbering::of(&mapping("{ID}.{#ID}")).expect("apart").places(&reference) {
                let number = place.number.unwrap_or_default();
                prop_assert_eq!(place.stem.reference(number), reference.clone());
            }
        }
    }
}
