//! From a row's fields to an act: what a table program wrote is read as it was meant where that is plain, and what is
//! wrong is said with the field's name. Nothing is guessed.

use super::refusal::Refusal;
use crate::cli::act::{self, Around, Fields};
use crate::cli::problem::Problem;
use serde_json::{Value, json};
use servanda::field::{Day, Handle, Instant, Long, Short};
use servanda::ledger::Ledger;
use servanda::roster::Roster;
use servanda::statement::Kind;
use servanda::statement::terms::Bounded;
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization as _;

/// Fields that name a day.
const DAYS: [&str; 3] = ["made_on", "held_on", "next_on"];

/// Fields that name a moment.
const MOMENTS: [&str; 6] =
    ["valid_from", "valid_until", "effective_at", "requested_at", "done_at", "lapses_at"];

/// Fields that name a day or a moment in a report; in pledges and records `to` names partners.
const WHEN: [&str; 2] = ["from", "to"];

/// Fields that name somebody who need not be a partner.
const PARTIES: [&str; 3] = ["promisor", "actor", "against"];

/// What acts are made with.
pub struct Judge<'a> {
    kind: Kind,
    now: Instant,
    language: String,
    folder: Option<&'a Path>,
    roster: &'a Roster,
    ledger: Option<&'a Ledger>,
    /// Partners by the names that the charter shows.
    names: HashMap<&'a str, &'a Handle>,
}

/// A row's act.
#[derive(Debug)]
pub struct Judged {
    /// What it does.
    pub kind: Kind,
    /// Its body, encoded.
    pub body: Vec<u8>,
}

/// Whether acts of a kind can be signed many at a time: those that carry keys, or a checkpoint, have signers of their
/// own.
pub fn is_for_many(kind: Kind) -> bool {
    !matches!(kind, Kind::Found | Kind::Accede | Kind::Rotate | Kind::Anchor)
}

/// The kind of this name, if it can be signed many at a time.
pub fn kind_named(name: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|kind| kind.name() == name && is_for_many(*kind))
}

/// The reference by which a row is told from others, in the form in which it is signed.
pub fn reference(fields: &Fields) -> Option<String> {
    Some(fields.0.get("reference")?.as_str()?.nfc().collect())
}

impl<'a> Judge<'a> {
    /// Makes acts of `kind` where a row does not name another.
    pub fn new(
        kind: Kind,
        now: Instant,
        roster: &'a Roster,
        ledger: Option<&'a Ledger>,
        folder: Option<&'a Path>,
    ) -> Self {
        let partners = &roster.charter.partners;
        let names = partners.iter().map(|partner| (partner.name.as_str(), &partner.handle)).collect();
        Self { kind, now, language: roster.charter.language.to_string(), folder, roster, ledger, names }
    }

    /// Makes the act of a row's fields, whose ids are whole.
    ///
    /// # Errors
    /// When a field is not what it should be, is missing, or is none of the act's.
    pub fn act(&self, mut fields: Fields) -> Result<Judged, Refusal> {
        let kind = match fields.0.shift_remove("kind") {
            None => self.kind,
            Some(Value::String(name)) => kind_named(&name).ok_or(Refusal::Kind(name))?,
            Some(other) => return Err(Refusal::Kind(other.to_string())),
        };
        if kind == Kind::Report
            && let Some(Value::Array(one)) = fields.0.get_mut("to")
            && one.len() == 1
        {
            // Mapped as the list that it is elsewhere.
            let moment = one.remove(0);
            fields.0.insert("to".to_owned(), moment);
        }
        for (name, value) in &mut fields.0 {
            self.adjust(name, value, kind);
            check(name, value, kind)?;
        }
        let around = Around {
            now: self.now,
            language: self.language.clone(),
            complete_id: &|text| Err(Problem::new(format!("{text:?} is no whole id")).into()),
            folder: self.folder,
            roster: Some(self.roster),
            ledger: self.ledger,
        };
        let act = act::act(kind, fields, &around).map_err(Refusal::Act)?;
        Ok(Judged { kind, body: act.encode_body() })
    }

    /// Puts what the user chose into fields of which the row says nothing, or nothing that can be read.
    pub fn fall_back(&self, fields: &mut Fields, otherwise: &[(String, String)]) {
        let named = fields.0.get("kind").and_then(Value::as_str).and_then(kind_named);
        let kind = named.unwrap_or(self.kind);
        for (name, instead) in otherwise {
            let reads = fields.0.get(name).is_some_and(|value| {
                let mut value = value.clone();
                self.adjust(name, &mut value, kind);
                check(name, &value, kind).is_ok()
            });
            if reads {
                continue;
            }
            if instead.is_empty() {
                fields.0.shift_remove(name);
            } else {
                fields.0.insert(name.clone(), json!(instead));
            }
        }
    }

    /// Reads a value as it was meant: partners by their names, days with a midnight.
    fn adjust(&self, name: &str, value: &mut Value, kind: Kind) {
        if PARTIES.contains(&name) {
            each(value, &|value| self.party(value));
        } else if name == "to" && has_terms(kind) {
            each(value, &|value| self.partner(value));
        } else if DAYS.contains(&name) || MOMENTS.contains(&name) || WHEN.contains(&name) {
            midnight(value);
        }
    }

    /// A partner by its handle or shown name; anybody else is a name.
    fn party(&self, value: &mut Value) {
        self.partner(value);
        if let Some(name) = value.as_str()
            && !name.parse().is_ok_and(|handle: Handle| self.roster.members.contains_key(&handle))
        {
            *value = json!({ "name": name });
        }
    }

    /// A partner's handle where the charter shows a partner by this name.
    fn partner(&self, value: &mut Value) {
        if let Some(handle) = value.as_str().and_then(|name| self.names.get(name)) {
            *value = json!(handle);
        }
    }
}

fn has_terms(kind: Kind) -> bool {
    matches!(kind, Kind::Pledge | Kind::Record | Kind::Amend)
}

fn each(value: &mut Value, change: &dyn Fn(&mut Value)) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(change),
        value => change(value),
    }
}

/// A day as table programs write it: `2022-03-01 00:00:00`.
fn midnight(value: &mut Value) {
    if let Some(text) = value.as_str()
        && let Some((day, time)) = text.split_once([' ', 'T'])
        && matches!(time, "00:00:00" | "00:00:00.000" | "00:00")
        && day.parse::<Day>().is_ok()
    {
        *value = json!(day);
    }
}

/// Checks the fields whose faults are common, so that they can be named.
fn check(name: &str, value: &Value, kind: Kind) -> Result<(), Refusal> {
    let has_terms = has_terms(kind);
    match name {
        "from" | "to" if kind == Kind::Report => reads::<Instant>(name, value),
        _ if DAYS.contains(&name) => reads::<Day>(name, value),
        _ if MOMENTS.contains(&name) => reads::<Instant>(name, value),
        "quantity" if has_terms && *value != json!("none") => reads::<Bounded>(name, value),
        "reference" | "title" | "place" => reads::<Short>(name, value),
        "text" | "source" | "note" => reads::<Long>(name, value),
        "to" if has_terms => match value {
            Value::Array(values) => values.iter().try_for_each(|value| reads::<Handle>(name, value)),
            value => reads::<Handle>(name, value),
        },
        _ => Ok(()),
    }
}

/// Checks that a text is what its field holds; what is no text is left to the act.
fn reads<T: FromStr>(field: &str, value: &Value) -> Result<(), Refusal>
where
    T::Err: Error + Send + Sync + 'static,
{
    let Some(text) = value.as_str() else { return Ok(()) };
    match text.parse::<T>() {
        Ok(_) => Ok(()),
        Err(why) => {
            Err(Refusal::Field { field: field.to_owned(), why: Box::new(why), given: text.to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_with_a_midnight_is_a_day_and_another_hour_is_not() {
        for (written, meant) in [
            ("2022-03-01 00:00:00", "2022-03-01"),
            ("2022-03-01T00:00:00", "2022-03-01"),
            ("2022-03-01 00:00:01", "2022-03-01 00:00:01"),
            ("2022-13-01 00:00:00", "2022-13-01 00:00:00"),
            ("until 7/27/2022", "until 7/27/2022"),
        ] {
            let mut value = json!(written);
            midnight(&mut value);
            assert_eq!(value, json!(meant));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_field_and_shortened() {
        let said = |name, value| check(name, &value, Kind::Pledge).map_err(|refusal| refusal.to_string());
        assert_eq!(said("quantity", json!("exactly 35000000.0 AUD")), Ok(()));
        assert_eq!(said("quantity", json!("none")), Ok(()));
        assert_eq!(said("made_on", json!("2022-03-01")), Ok(()));
        assert_eq!(
            said("made_on", json!("until 7/27/2022")),
            Err("made_on: not a day: want e.g. 2026-12-01; the row says \"until 7/27/2022\"".to_owned())
        );
        let said_of_sum = said("quantity", json!("exactly 1.5e9 EUR")).expect_err("refused");
        assert!(
            said_of_sum.starts_with("quantity: not a quantity")
                && said_of_sum.ends_with("\"exactly 1.5e9 EUR\"")
        );
        let long = said("title", json!("é".repeat(200))).expect_err("refused");
        let shown = format!("the row says \"{}\" …", "é".repeat(60));
        assert!(
            long.starts_with("title: text has 400 bytes, at most 256") && long.ends_with(&shown),
            "{long}"
        );
        assert!(said("to", json!(["ua", "Ukraine"])).expect_err("refused").ends_with("\"Ukraine\""));
    }

    #[test]
    fn acts_with_signers_of_their_own_are_not_for_many() {
        assert_eq!(kind_named("pledge"), Some(Kind::Pledge));
        assert_eq!(kind_named("report"), Some(Kind::Report));
        for name in ["found", "accede", "rotate", "anchor", "Pledge", ""] {
            assert_eq!(kind_named(name), None, "{name}");
        }
    }
}
