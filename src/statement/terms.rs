//! The terms of a pledge: what, how much, for whom, when, under which condition.

use crate::charter::{Annex, Clause};
use crate::codec::List;
use crate::field::{Day, Decimal, Duration, Handle, Instant, Long, Short};
use crate::hash::Hash;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// The terms of a pledge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The author's own reference, e.g. `DEU-M1`; unique among the author's live pledges.
    pub reference: Option<Short>,
    /// In a few words.
    pub title: Short,
    /// In the charter's language; the annex decides where they differ.
    #[serde(default)]
    pub text: Long,
    /// By which means: one or more.
    pub instruments: List<Instrument>,
    /// How much.
    #[serde(default)]
    pub quantity: Quantity,
    /// The pledge that this one is part of: then left out of totals.
    pub within: Option<Hash>,
    /// How strongly it binds.
    pub force: Force,
    /// When it was given outside this log.
    pub made_on: Option<Day>,
    /// Where it was given outside this log.
    pub source: Option<Long>,
    /// Annex and article.
    pub clause: Option<Clause>,
    /// From when it holds.
    pub valid_from: Instant,
    /// Until when it holds.
    pub valid_until: Option<Instant>,
    /// How long after its receipt or dispatch a withdrawal takes effect.
    #[serde(default)]
    pub notice_period: Duration,
    /// Who owes it.
    #[serde(default)]
    pub owed_by: OwedBy,
    /// The condition on which it is called, if it waits for one.
    pub trigger: Option<Trigger>,
    /// How long after a call a response is due; none: never overdue.
    pub respond_within: Option<Duration>,
    /// Instalments, yearly sums, reviews, written out.
    #[serde(default)]
    pub dues: List<Due>,
    /// What must happen first.
    #[serde(default)]
    pub needs: List<Need>,
    /// The documents that it rests on.
    #[serde(default)]
    pub annexes: List<Annex>,
}

/// By which means a pledge is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    /// Arms, training, forces.
    Military,
    /// Money, trade, sanctions.
    Economic,
    /// Consultation, diplomacy.
    Political,
    /// Relief.
    Humanitarian,
    /// One of the charter's own, or another.
    Other(Short),
}

impl Instrument {
    /// The instrument of this name; names besides the four are kept as they are.
    ///
    /// # Errors
    /// When the name is longer than a short text.
    pub fn named(name: &str) -> Result<Self, crate::field::text::TextTooLong> {
        Ok(match name.to_lowercase().as_str() {
            "military" => Self::Military,
            "economic" => Self::Economic,
            "political" => Self::Political,
            "humanitarian" => Self::Humanitarian,
            _ => Self::Other(Short::new(name)?),
        })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Military => "military",
            Self::Economic => "economic",
            Self::Political => "political",
            Self::Humanitarian => "humanitarian",
            Self::Other(name) => name,
        }
    }
}

/// How a stated number is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// This much.
    Exactly,
    /// This much or more ("a minimum of").
    AtLeast,
    /// This much or less ("up to").
    AtMost,
    /// Around this much.
    About,
}

impl Bound {
    /// The words for it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Exactly => "exactly",
            Self::AtLeast => "at least",
            Self::AtMost => "at most",
            Self::About => "about",
        }
    }
}

/// A number with its unit, as responses and confirmations state it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// The number.
    pub amount: Decimal,
    /// The unit, compared byte by byte: an ISO 4217 currency code, a UCUM unit, a word.
    pub unit: Short,
}

/// A number with its bound and unit, as pledges state it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounded {
    /// How it is meant.
    pub bound: Bound,
    /// The number.
    pub amount: Decimal,
    /// The unit.
    pub unit: Short,
}

impl Bounded {
    /// The number with its unit, however it is meant.
    #[must_use]
    pub fn amount(&self) -> Amount {
        Amount { amount: self.amount.clone(), unit: self.unit.clone() }
    }
}

/// How much is pledged: nothing said, a bounded number, or sealed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Quantity {
    /// No measure.
    #[default]
    None,
    /// So much.
    Open(Bounded),
    /// The seal of a [`Bounded`].
    Sealed(Hash),
}

/// Who owes a pledge.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwedBy {
    /// Its author.
    #[default]
    Author,
    /// All those named, jointly, once each has joined.
    Jointly(List<Handle>),
}

/// The condition on which a pledge is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Kinds of incident, by their labels in the charter.
    pub kinds: List<Short>,
    /// Against whom; none: any partner.
    pub against: Option<List<Handle>>,
    /// The kind of incident that must have come first, e.g. a ceasefire.
    pub only_after: Option<Short>,
    /// The pledge that must have been called first.
    pub after: Option<Hash>,
    /// What starts it.
    pub starts: Starts,
    /// Who may call upon it.
    #[serde(default)]
    pub requesters: List<Handle>,
}

/// What starts a triggered pledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Starts {
    /// An `invoke` of a requester.
    OnRequest,
    /// The establishment of the incident.
    OnceEstablished,
    /// Whichever comes first.
    Either,
}

/// How strongly a pledge binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// In law.
    Binding,
    /// Politically.
    Political,
    /// As far as its author can.
    BestEfforts,
    /// An aim.
    Target,
}

/// A part with a date of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// Which part, e.g. `2026`.
    pub label: Short,
    /// By when.
    pub by: Instant,
    /// How much of it.
    #[serde(default)]
    pub quantity: Quantity,
}

/// What must happen before a pledge is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// What, e.g. `ratification`.
    pub label: Short,
    /// Who declares that it was met.
    pub declared_by: Handle,
    /// By when.
    pub due: Option<Instant>,
}

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAQuantity {
    /// It is not written as one.
    #[error(
        "not a quantity: want e.g. \"exactly 7100000000 EUR\", \"up to 3000000000 EUR\", \"at least 5 vehicles\", \"about 10 t\""
    )]
    Form,
    /// A number that goes on in a word: as a unit it would never add up, and a billion is not the same in all languages.
    #[error(
        "not a quantity: write the number out in digits, e.g. 7100000000 or 7,100,000,000, without {word:?}"
    )]
    NumberWord {
        /// The word.
        word: &'static str,
    },
}

/// Words that go on with a number; a unit does not begin with them.
const NUMBER_WORDS: [&str; 12] = [
    "thousand",
    "thousands",
    "million",
    "millions",
    "billion",
    "billions",
    "trillion",
    "trillions",
    "mn",
    "mln",
    "bn",
    "bln",
];

impl FromStr for Bounded {
    type Err = NotAQuantity;
    fn from_str(s: &str) -> Result<Self, NotAQuantity> {
        const WORDS: [(&str, Bound); 8] = [
            ("exactly ", Bound::Exactly),
            ("at least ", Bound::AtLeast),
            ("a minimum of ", Bound::AtLeast),
            ("at most ", Bound::AtMost),
            ("up to ", Bound::AtMost),
            ("about ", Bound::About),
            ("around ", Bound::About),
            ("", Bound::Exactly),
        ];
        let (rest, bound) = WORDS
            .iter()
            .find_map(|(w, b)| s.strip_prefix(w).map(|rest| (rest, *b)))
            .ok_or(NotAQuantity::Form)?;
        let Amount { amount, unit } = rest.parse()?;
        Ok(Self { bound, amount, unit })
    }
}

impl FromStr for Amount {
    type Err = NotAQuantity;
    fn from_str(s: &str) -> Result<Self, NotAQuantity> {
        let (number, unit) = s.trim().split_once(' ').ok_or(NotAQuantity::Form)?;
        let amount = Decimal::from_human(number).map_err(|_| NotAQuantity::Form)?;
        let unit = Short::new(unit.trim()).map_err(|_| NotAQuantity::Form)?;
        let first = unit.split([' ', '.']).next().unwrap_or_default().to_lowercase();
        if let Some(word) = NUMBER_WORDS.iter().find(|word| **word == first) {
            return Err(NotAQuantity::NumberWord { word });
        }
        if unit.is_empty() { Err(NotAQuantity::Form) } else { Ok(Self { amount, unit }) }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount.grouped(), self.unit)
    }
}

impl fmt::Display for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.bound.words(), self.amount.grouped(), self.unit)
    }
}

// In the canonical encoding an enumeration of three; for people a table, or the words of `Bounded`.
#[derive(Serialize, Deserialize)]
enum Encoded {
    None,
    Open(Bounded),
    Sealed(Hash),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Words(String),
    Sealed { sealed: Hash },
    Table(Bounded),
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            match self.clone() {
                Self::None => s.serialize_none(),
                Self::Open(b) => Written::Table(b).serialize(s),
                Self::Sealed(sealed) => Written::Sealed { sealed }.serialize(s),
            }
        } else {
            match self.clone() {
                Self::None => Encoded::None,
                Self::Open(b) => Encoded::Open(b),
                Self::Sealed(h) => Encoded::Sealed(h),
            }
            .serialize(s)
        }
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            Ok(match Option::<Written>::deserialize(d)? {
                None => Self::None,
                Some(Written::Words(w)) if w == "none" => Self::None,
                Some(Written::Words(w)) => Self::Open(w.parse().map_err(de::Error::custom)?),
                Some(Written::Sealed { sealed }) => Self::Sealed(sealed),
                Some(Written::Table(b)) => Self::Open(b),
            })
        } else {
            Ok(match Encoded::deserialize(d)? {
                Encoded::None => Self::None,
                Encoded::Open(b) => Self::Open(b),
                Encoded::Sealed(h) => Self::Sealed(h),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_as_people_write_them() {
        for (written, shown) in [
            ("exactly 7100000000 EUR", "exactly 7,100,000,000 EUR"),
            ("up to 3,000,000,000.00 EUR", "at most 3,000,000,000 EUR"),
            ("a minimum of 4000000000 ISK", "at least 4,000,000,000 ISK"),
            ("about 10 infantry fighting vehicles", "about 10 infantry fighting vehicles"),
            ("5 t", "exactly 5 t"),
        ] {
            assert_eq!(written.parse::<Bounded>().expect(written).to_string(), shown);
        }
        assert_eq!("7100000000 EUR".parse::<Amount>().expect("amount").to_string(), "7,100,000,000 EUR");
        for word in ["up to 3 billion EUR", "exactly 7.1 Million EUR", "at least 5 bn", "about 400 mln. EUR"]
        {
            assert!(matches!(word.parse::<Bounded>(), Err(NotAQuantity::NumberWord { .. })), "{word}");
        }
        assert!("5 millions".parse::<Amount>().is_err() && "5 millimetres".parse::<Amount>().is_ok());
        for bad in ["", "EUR", "10", "some 5 EUR", "up to x EUR", "at least -5 EUR", "1e9 EUR"] {
            assert!(bad.parse::<Bounded>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_four_instruments_have_their_names_and_others_keep_theirs() {
        use Instrument::*;
        for (name, want) in [
            ("military", Military),
            ("economic", Economic),
            ("political", Political),
            ("humanitarian", Humanitarian),
            ("Sport", Other(Short::new("Sport").expect("short"))),
        ] {
            assert_eq!(Instrument::named(name).expect("short"), want);
            assert_eq!(want.name(), name);
        }
        assert_eq!(Instrument::named("Economic").expect("short"), Economic);
        assert_eq!(Instrument::named("MILITARY").expect("short"), Military);
    }

    #[test]
    fn a_quantity_is_one_of_three_in_the_encoding() {
        use crate::codec::encode;
        let open = Quantity::Open("at most 5 EUR".parse().expect("quantity"));
        assert_eq!(encode(&Quantity::None), [0]);
        assert_eq!(encode(&open), [1, 2, 1, b'5', 3, b'E', b'U', b'R']);
        assert_eq!(encode(&Quantity::Sealed(Hash([7; 32])))[..2], [2, 7]);
        let json = serde_json::to_string(&open).expect("json");
        assert_eq!(json, r#"{"bound":"at_most","amount":"5","unit":"EUR"}"#);
        assert_eq!(serde_json::from_str::<Quantity>(&json).expect("json"), open);
        assert_eq!(serde_json::from_str::<Quantity>("\"up to 5 EUR\"").expect("json"), open);
        for none in ["null", "\"none\""] {
            assert_eq!(serde_json::from_str::<Quantity>(none).expect("json"), Quantity::None);
        }
    }
}
