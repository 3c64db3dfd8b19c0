//! From what a person writes to an act: fields from options, files (TOML, JSON) and table rows, in one form.
//!
//! A person writes the fields of the act's body by their names; the terms of a pledge stand flat beside them. Shorthand
//! is understood: one value for a list of one, `up to 5 EUR` for a quantity, a file's name for an annex, a shortened id
//! for an id. Texts are brought to Unicode NFC here, before anything is signed.

mod events;
pub mod obligation;
pub mod seal;
mod written;

pub use written::{Fields, from_file, whole_day};

use super::named;
use super::problem::Problem;
use serde_json::{Map, Value, json};
use servanda::field::Instant;
use servanda::hash::Hash;
use servanda::ledger::{Gist, Ledger};
use servanda::roster::Roster;
use servanda::statement::terms::Instrument;
use servanda::statement::{Act, Kind};
use std::path::Path;

/// What the form needs from around it.
pub struct Around<'a> {
    /// The time, where a pledge does not say from when it holds.
    pub now: Instant,
    /// The language of annexes that do not say theirs.
    pub language: String,
    /// Completes a shortened id.
    pub complete_id: &'a dyn Fn(&str) -> anyhow::Result<String>,
    /// Where annexes' files lie, if not here.
    pub folder: Option<&'a Path>,
    /// The partners, by whose shown names they may be called.
    pub roster: Option<&'a Roster>,
    /// What an id stands for, where an obligation or a need is called by less than all of it.
    pub ledger: Option<&'a Ledger>,
}

/// The fields of bodies that hold ids, by name.
const ID_FIELDS: [&str; 10] = [
    "statement",
    "motion",
    "record",
    "response",
    "incident",
    "joins",
    "supersedes",
    "within",
    "statements",
    "pledges",
];

/// The fields of a pledge's, amendment's or record's body beside its terms.
const BESIDE_TERMS: [&str; 5] = ["to", "statement", "promisor", "source", "terms"];

/// Fields that are lists, so that one value may stand for a list of one.
pub const LISTS: [&str; 14] = [
    "to",
    "statements",
    "pledges",
    "kinds",
    "against",
    "aspects",
    "instruments",
    "annexes",
    "attendance",
    "decisions",
    "dues",
    "needs",
    "figures",
    "remarks",
];

/// Makes the act of a kind from what a person wrote.
pub fn act(kind: Kind, mut fields: Fields, around: &Around<'_>) -> anyhow::Result<Act> {
    normalise(&mut fields.0);
    lists(kind, &mut fields.0);
    if kind == Kind::Accept {
        latest_terms(&mut fields.0, around)?;
    }
    whole_ids(&mut fields.0, &mut |text| (around.complete_id)(text))?;
    if kind == Kind::Withdraw
        && let Some(pledges) = fields.0.remove("pledges")
    {
        fields.0.insert("from".to_owned(), json!({ "pledges": pledges }));
    }
    if let Some(promisor) = fields.0.get_mut("promisor") {
        events::party(promisor, around);
    }
    events::expand(kind, &mut fields.0, around)?;
    if let Some(annexes) = fields.0.get_mut("annexes").and_then(Value::as_array_mut) {
        annexes.iter_mut().try_for_each(|annex| written::annex(annex, around))?;
    }
    let has_terms = matches!(kind, Kind::Pledge | Kind::Amend | Kind::Record);
    let body = if has_terms { with_terms(kind, fields.0, around)? } else { fields.0 };
    read(kind, Value::Object(body))
}

fn read(kind: Kind, body: Value) -> anyhow::Result<Act> {
    // Through the act itself, so that the one definition of each body serves people as well.
    let tagged = json!({ kind.name(): body });
    serde_json::from_value(tagged).map_err(|error| {
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or_default().to_owned();
        let missing = why.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        let options = missing.and_then(|field| options_for(kind, field));
        let hint = options.map_or_else(
            || format!("`servanda {} --help` lists the fields and an example", kind.name()),
            |options| format!("say it with {options}, or in the file of --from"),
        );
        Problem::new(format!("{}: {why}", kind.name())).hint(hint).into()
    })
}

/// The options that say a field which must be there, where they are not called as it is.
fn options_for(kind: Kind, field: &str) -> Option<&'static str> {
    Some(match (kind, field) {
        (Kind::Report, "from" | "to") => "--began, and --ended where it lasted",
        (Kind::Notice, "notice") => {
            "one of --need-met, --need-failed, --reservation, --objection, --suspended, --resumed, --clarification and \
             --correction"
        }
        (Kind::Attest | Kind::Dispute, "on") => {
            "a report or response, by its id or as @12, or an obligation: PLEDGE/due/N or PLEDGE/call/ID"
        }
        (Kind::Attest | Kind::Dispute, "aspects") => "--aspect: occurred, kind, attribution or figures",
        (Kind::Respond, "obligation") => "PLEDGE/due/N or PLEDGE/call/ID",
        (Kind::Respond, "answer") => "one of --acknowledged, --delivered and --declined",
        (Kind::Confirm, "response") => "the response, by its id or as @12",
        (Kind::Confirm, "received") => "one of --in-full, --in-part and --not-received",
        (Kind::Join | Kind::Notice | Kind::Amend, "statement") => {
            "the pledge or amendment, by its id, as @12, or by its reference"
        }
        (Kind::Adopt, "record") => "the record, by its id, as @12, or by its reference",
        (Kind::Accept, "statements") | (Kind::Invoke, "pledges") => {
            "the pledges, each by its id, as @12, or by its reference"
        }
        (Kind::Review, "held_on") => "--held-on",
        _ => return None,
    })
}

/// Moves the fields of the terms below `terms`.
fn with_terms(
    kind: Kind,
    fields: Map<String, Value>,
    around: &Around<'_>,
) -> anyhow::Result<Map<String, Value>> {
    let mut body = Map::new();
    let mut terms = Map::new();
    for (name, value) in fields {
        // `source` of a record is the body's own; of a pledge, its terms'.
        let beside = BESIDE_TERMS.contains(&name.as_str()) && (name != "source" || kind == Kind::Record);
        if beside {
            body.insert(name, value)
        } else {
            terms.insert(name, value)
        };
    }
    if body.contains_key("terms") {
        return Ok(body);
    }
    // New terms that do not say it are as strong as the old ones, and hold from the same time on.
    let before = amended(kind, &body, around);
    terms.entry("force").or_insert_with(|| before.map_or_else(|| json!("political"), |old| json!(old.force)));
    terms
        .entry("valid_from")
        .or_insert_with(|| before.map_or_else(|| json!(around.now), |old| json!(old.valid_from)));
    if let Some(day) = terms.get_mut("valid_until") {
        written::whole_day(day);
    }
    if let Some(instruments) = terms.get_mut("instruments").and_then(Value::as_array_mut) {
        for instrument in instruments {
            if let Some(name) = instrument.as_str() {
                *instrument = serde_json::to_value(Instrument::named(name)?)?;
            }
        }
    }
    written::each(&mut terms, "dues", written::due)?;
    written::each(&mut terms, "needs", written::need)?;
    if let Some(owed_by) = terms.get_mut("owed_by").filter(|value| value.is_array()) {
        *owed_by = json!({ "jointly": owed_by.take() });
    }
    body.insert("terms".to_owned(), json!({ "open": terms }));
    Ok(body)
}

/// The last terms of what is amended, where they stand open.
fn amended<'a>(kind: Kind, body: &Map<String, Value>, around: &Around<'a>) -> Option<&'a Gist> {
    let id = body.get("statement").filter(|_| kind == Kind::Amend)?.as_str()?.parse::<Hash>().ok()?;
    around.ledger?.pledge_of(&id)?.latest().gist()
}

fn normalise(fields: &mut Map<String, Value>) {
    use unicode_normalization::UnicodeNormalization;
    let mut open: Vec<&mut Value> = fields.values_mut().collect();
    while let Some(value) = open.pop() {
        match value {
            // ASCII is in NFC.
            Value::String(text) if text.is_ascii() => {}
            Value::String(text) => *text = text.nfc().collect(),
            Value::Array(values) => open.extend(values),
            Value::Object(inner) => open.extend(inner.values_mut()),
            _ => {}
        }
    }
}

fn lists(kind: Kind, fields: &mut Map<String, Value>) {
    for name in LISTS {
        // A report says from when to when.
        if let Some(one) = fields.get_mut(name)
            && !one.is_array()
            && !(kind == Kind::Report && name == "to")
        {
            *one = Value::Array(vec![one.take()]);
        }
    }
}

/// Who accepts what is called by a reference means its latest terms.
fn latest_terms(fields: &mut Map<String, Value>, around: &Around<'_>) -> anyhow::Result<()> {
    let Some(ledger) = around.ledger else { return Ok(()) };
    for value in fields.get_mut("statements").and_then(Value::as_array_mut).into_iter().flatten() {
        let reference = value.as_str().filter(|text| !named::by_reference(ledger, text).is_empty());
        let Some(reference) = reference else { continue };
        let id: Option<Hash> = (around.complete_id)(reference)?.parse().ok();
        if let Some(pledge) = id.and_then(|id| ledger.pledge_of(&id)) {
            *value = json!(pledge.latest().said.id);
        }
    }
    Ok(())
}

/// Completes shortened ids wherever a field holds ids.
pub fn whole_ids(
    fields: &mut Map<String, Value>,
    complete: &mut dyn FnMut(&str) -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    let mut complete =
        |text: &str| if text.parse::<Hash>().is_err() { complete(text) } else { Ok(text.to_owned()) };
    for name in ID_FIELDS {
        match fields.get_mut(name) {
            Some(Value::Array(values)) => values.iter_mut().try_for_each(|v| whole_id(v, &mut complete))?,
            Some(value) => whole_id(value, &mut complete)?,
            None => {}
        }
    }
    whole_inner_ids(fields, &mut complete)
}

/// The same for ids that lie deeper.
fn whole_inner_ids(
    fields: &mut Map<String, Value>,
    complete: &mut dyn FnMut(&str) -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    if let Some(after) = fields.get_mut("trigger").and_then(|trigger| trigger.get_mut("after")) {
        whole_id(after, complete)?;
    }
    for remark in fields.get_mut("remarks").and_then(Value::as_array_mut).into_iter().flatten() {
        match remark.as_str().and_then(|text| text.split_once(';')) {
            Some((id, said)) => *remark = json!(format!("{};{said}", complete(id.trim())?)),
            None => remark.get_mut("statement").map_or(Ok(()), |id| whole_id(id, complete))?,
        }
    }
    for name in ["obligation", "on"] {
        let Some(value) = fields.get_mut(name) else { continue };
        if let Some(text) = value.as_str() {
            *value = json!(obligation::whole(text, complete)?);
            continue;
        }
        for path in
            ["/statement", "/pledge", "/occasion/call", "/obligation/pledge", "/obligation/occasion/call"]
        {
            value.pointer_mut(path).map_or(Ok(()), |id| whole_id(id, complete))?;
        }
    }
    Ok(())
}

fn whole_id(
    value: &mut Value,
    complete: &mut dyn FnMut(&str) -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    if let Some(text) = value.as_str() {
        *value = Value::String(complete(text)?);
    }
    Ok(())
}
