//! A row beside the statement that it continues: what the terms are now, and what differs.
//!
//! A table speaks of the fields that the mapping names, and of no other: what the author added to its terms by hand stays
//! as it is. `source` of a record stands beside its terms and cannot be amended there; a later one stands in the terms.

use super::pairing::Marks;
use super::spoken::Spoken;
use crate::cli::import::mapping::Mapping;
use crate::cli::import::sorting::Written;
use servanda::charter::Sealable;
use servanda::codec::{List, encode};
use servanda::field::{Handle, Instant, Long, Short};
use servanda::hash::{Hash, labelled};
use servanda::statement::body::{Party, Pledge, Record};
use servanda::statement::terms::{Force, OwedBy, Quantity, Terms};
use servanda::statement::{Act, Kind};
use unicode_normalization::UnicodeNormalization as _;

/// What a row commits its author to, or says that somebody announced.
#[derive(Clone, Debug)]
pub struct Offer {
    /// To whom.
    pub to: List<Handle>,
    /// The terms.
    pub terms: Terms,
    /// Of a record: who promised, and where it was announced.
    pub record: Option<(Party, Long)>,
}

/// Which fields a row speaks of.
pub struct Says<'a> {
    /// The table's mapping.
    pub mapping: &'a Mapping,
    /// The row.
    pub written: Option<&'a Written>,
}

/// Sets each of these fields of terms to that of others, unless a row speaks of it.
macro_rules! keep_unsaid {
    ($says:expr, $old:expr, $new:expr; $($field:ident),+) => {
        $(if !$says(stringify!($field)) { $new.$field.clone_from(&$old.$field); })+
    };
}

fn keep(says: &dyn Fn(&str) -> bool, old: &Terms, new: &mut Terms) {
    keep_unsaid!(
        says, old, new;
        reference, title, text, instruments, quantity, within, force, made_on, source, clause, valid_from, valid_until,
        notice_period, owed_by, trigger, respond_within, dues, needs, annexes
    );
}

impl Says<'_> {
    fn of(&self, field: &str) -> bool {
        // Where a row does not say from when it holds, the terms begin when they were signed.
        let is_said = || self.written.is_some_and(|written| written.fields.0.contains_key(field));
        self.mapping.mentions(field) && (field != "valid_from" || is_said())
    }
}

impl Offer {
    /// Reads a row's act; none where its terms are sealed, or it is another act.
    pub fn of(kind: Kind, body: &[u8]) -> Option<Self> {
        let (to, terms, record) = match Act::decode_body(kind, body).ok()? {
            Act::Record(Record { promisor, to, terms, source }) => (to, terms, Some((promisor, source))),
            Act::Pledge(Pledge { to, terms }) => (to, terms, None),
            _ => return None,
        };
        match terms {
            Sealable::Open(terms) => Some(Self { to, terms, record }),
            Sealable::Sealed(_) => None,
        }
    }

    /// The terms that the row gives a statement.
    pub fn terms_for(&self, spoken: &Spoken, says: &Says<'_>) -> Terms {
        let is_record = self.record.is_some();
        let mut terms = self.terms.clone();
        keep(
            &|field| field != "reference" && !(is_record && field == "source") && says.of(field),
            &spoken.terms,
            &mut terms,
        );
        if let (Some((_, now)), Some((_, first))) = (&self.record, &spoken.record) {
            terms.source = Some(now.clone()).filter(|now| now != first);
        }
        terms
    }

    /// By what the row is known again.
    pub fn marks(&self, mapping: &Mapping) -> Marks {
        marks(mapping, &self.to, &self.terms, self.record.as_ref())
    }
}

impl Spoken {
    /// By what the statement is known again.
    pub fn marks(&self, mapping: &Mapping) -> Marks {
        let source = self.terms.source.clone();
        let record =
            self.record.as_ref().map(|(who, first)| (who.clone(), source.unwrap_or_else(|| first.clone())));
        marks(mapping, &self.to, &self.terms, record.as_ref())
    }
}

fn marks(mapping: &Mapping, to: &List<Handle>, terms: &Terms, record: Option<&(Party, Long)>) -> Marks {
    let hash = |bytes: Vec<u8>| labelled("import\n", &bytes);
    let who = record.map(|(who, _)| encode(who)).unwrap_or_default();
    let of = |rest: Vec<u8>| hash(encode(&(&who[..], &rest[..])));
    let (title, text) = (&terms.title, &terms.text);
    let keys = [
        of(encode(&(to, considered(mapping, terms, record.is_some()), record.map(|(_, source)| source)))),
        of(encode(&(title, text))),
        of(encode(&(title, terms.made_on))),
        of(encode(title)),
        of(encode(&letters(title))),
    ];
    let text = (!text.is_empty()).then(|| of(encode(text)));
    Marks { keys, text, who: of(Vec::new()) }
}

/// A title without capitals, blanks and punctuation; where nothing else is in it, as it is.
fn letters(title: &str) -> String {
    let letters: String =
        title.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if letters.is_empty() { title.to_owned() } else { letters }
}

/// The terms without what the table does not say of each row by itself.
fn considered(mapping: &Mapping, terms: &Terms, is_record: bool) -> Terms {
    let beside =
        |field: &str| field == "reference" || (is_record && field == "source") || mapping.is_once(field);
    let mut terms = terms.clone();
    keep(&|field| !beside(field) && mapping.mentions(field), &nothing(), &mut terms);
    terms
}

/// Terms that say nothing.
fn nothing() -> Terms {
    Terms {
        reference: None,
        title: Short::default(),
        text: Long::default(),
        instruments: List::default(),
        quantity: Quantity::None,
        within: None,
        force: Force::Political,
        made_on: None,
        source: None,
        clause: None,
        valid_from: Instant::default(),
        valid_until: None,
        notice_period: Default::default(),
        owed_by: OwedBy::Author,
        trigger: None,
        respond_within: None,
        dues: List::default(),
        needs: List::default(),
        annexes: List::default(),
    }
}

/// Whether two terms agree in a field.
pub fn agree(field: &str, a: &Terms, b: &Terms) -> bool {
    let only = |terms: &Terms| {
        let mut terms = terms.clone();
        keep(&|name| name == field, &nothing(), &mut terms);
        terms
    };
    only(a) == only(b)
}

/// What an amendment changes, for those who count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// How much: quantity, dues.
    Amount,
    /// What it says: title, text.
    Text,
    /// Amount and text.
    Both,
    /// Neither: dates, sources, whom it is for, conditions.
    Other,
}

impl Changed {
    /// What is changed where these fields differ, by the names that `history` shows them by.
    pub fn of<'a>(fields: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut amount, mut text) = (false, false);
        for field in fields {
            amount |= field == "quantity" || field.starts_with("due ");
            text |= matches!(field, "title" | "text");
        }
        match (amount, text) {
            (true, true) => Self::Both,
            (true, false) => Self::Amount,
            (false, true) => Self::Text,
            (false, false) => Self::Other,
        }
    }

    /// The word for it, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::Text => "text",
            Self::Both => "both",
            Self::Other => "other",
        }
    }
}

/// What tells one release from another: the file's name, and its digest.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's name, without its folder.
    pub name: String,
    /// The SHA-256 of it.
    pub digest: Hash,
}

impl Source {
    /// Why a statement is withdrawn, in words that everyone can check who has the file.
    pub fn reason(&self, reference: &str, is_gone: bool) -> Long {
        let name: String = self.name.nfc().take(NAME_MAX).collect();
        let what = if is_gone { "is not in" } else { "is another's promise in" };
        let text = format!("{reference} {what} the release {name}, SHA-256 {}", self.digest);
        Long::new(text).expect("a reference, a name and a digest are short")
    }
}

/// How much of a file's name is said, in characters.
const NAME_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::import::mapping::MappingArgs;
    use serde_json::{Value, json};

    fn terms(more: &Value) -> Terms {
        let mut all = json!({
            "title": "Tanks", "instruments": ["military"], "force": "binding", "valid_from": "2026-12-01",
        });
        all.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        serde_json::from_value(all).expect("terms")
    }

    fn mapping(maps: &[&str], once: &[&str]) -> Mapping {
        let owned = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect();
        let args = MappingArgs { maps: owned(maps), once: owned(once), ..MappingArgs::default() };
        Mapping::new(&args, &["A".to_owned(), "B".to_owned()]).expect("a mapping")
    }

    fn record(terms: Terms, source: &str) -> Offer {
        let party = Party::Name(Short::new("Ruritania").expect("short"));
        let source = Long::new(source).expect("short");
        Offer { to: List::default(), terms, record: Some((party, source)) }
    }

    fn spoken(terms: Terms, source: &str) -> Spoken {
        let Offer { to, terms, record } = record(terms, source);
        let id = servanda::hash::ZEROS;
        Spoken { id, index: 1, reference: "A.1".to_owned(), to, terms, record, over: None }
    }

    #[test]
    fn a_table_changes_the_fields_that_it_speaks_of_and_keeps_the_reference() {
        let mapping = mapping(&["title=A,quantity=B,source=A,reference=A,valid_from=B"], &[]);
        let says = Says { mapping: &mapping, written: None };
        let before = json!({"reference": "A.1", "quantity": "up to 5 EUR", "made_on": "2026-11-20",
            "valid_until": "2027-12-31"});
        let now = terms(&json!({"reference": "A.7", "title": "Trucks", "valid_from": "2028-01-01"}));
        let got = record(now, "a speech").terms_for(&spoken(terms(&before), "a speech"), &says);
        let want = json!({"reference": "A.1", "title": "Trucks", "made_on": "2026-11-20", "valid_until": "2027-12-31"});
        assert_eq!(got, terms(&want), "no sum any more, and from when it holds was not said");
    }

    #[test]
    fn a_records_later_source_stands_in_its_terms_until_it_is_the_first_again() {
        let mapping = mapping(&["title=A,source=B"], &[]);
        let says = Says { mapping: &mapping, written: None };
        let source = |now: &str, then: &Value| {
            let terms = record(terms(&json!({})), now).terms_for(&spoken(terms(then), "first"), &says);
            terms.source.map(|source| source.to_string())
        };
        assert_eq!(source("first", &json!({})), None);
        assert_eq!(source("second", &json!({})), Some("second".to_owned()));
        assert_eq!(source("second", &json!({"source": "second"})), Some("second".to_owned()));
        assert_eq!(source("first", &json!({"source": "second"})), None);
    }

    #[test]
    fn rows_are_known_again_whatever_stands_once_and_whatever_the_table_does_not_say() {
        let mapping = mapping(&["title=A,quantity=B,reference=A"], &["quantity=A"]);
        let marks = |terms: Terms| record(terms, "press").marks(&mapping);
        let one = marks(terms(&json!({"reference": "A.1", "quantity": "5 EUR", "made_on": "2026-11-20"})));
        let other = marks(terms(&json!({"reference": "A.2"})));
        assert_eq!(one.keys[0], other.keys[0]);
        assert_ne!(one.keys[2], other.keys[2], "the day");
        assert_ne!(one.keys[0], marks(terms(&json!({"title": "Trucks"}))).keys[0]);
        let aid = |title: &str| marks(terms(&json!({"title": title}))).keys;
        assert_eq!(aid("First-aid kit")[4], aid("first aid Kit")[4]);
        assert_ne!(aid("First-aid kit")[3], aid("first aid Kit")[3]);
        assert_ne!(aid("?")[4], aid("!")[4]);
        assert_eq!(spoken(terms(&json!({})), "press").marks(&mapping).keys, other.keys);
        assert!(agree("quantity", &terms(&json!({})), &terms(&json!({"title": "x"}))));
        assert!(!agree("title", &terms(&json!({})), &terms(&json!({"title": "x"}))));
    }

    #[test]
    fn changes_are_counted_once() {
        for (fields, want) in [
            (&["quantity"][..], Changed::Amount),
            (&["due 1", "made on"], Changed::Amount),
            (&["title"], Changed::Text),
            (&["text", "source"], Changed::Text),
            (&["text", "quantity"], Changed::Both),
            (&["valid", "made on"], Changed::Other),
        ] {
            assert_eq!(Changed::of(fields.iter().copied()), want, "{fields:?}");
        }
    }

    #[test]
    fn a_withdrawal_says_which_release_lacks_it_however_the_file_is_called() {
        let source = Source { name: "\u{202e}".repeat(999), digest: servanda::hash::ZEROS };
        let text = source.reason(&"é".repeat(128), true);
        assert!(text.as_str().ends_with(&"0".repeat(64)), "{text}");
    }
}
