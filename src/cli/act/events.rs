//! Shorthand of the acts about events: what stands in one word or line becomes the field that the act's body has.
//!
//! ```text
//! quantity, received          2 batteries | in full | in part 1 batteries | not received
//! figures                     measure; value; region; period
//! remarks                     ID; what was said
//! notice                      need_met 0 | need_met ratification | objection …
//! actor, against              a partner's handle or name; anybody else by name, `name:x` where that could be a handle
//! obligation, on              see `obligation`
//! ```

use super::obligation::{parse, the_open_one};
use super::{Around, written};
use crate::cli::plain::quoted;
use crate::cli::problem::Problem;
use serde_json::{Map, Value, json};
use servanda::field::{Decimal, Handle};
use servanda::hash::Hash;
use servanda::ledger::Thing;
use servanda::statement::Kind;
use servanda::statement::terms::Amount;

/// Before a name that could be taken for a handle.
const NAME: &str = "name:";

/// Writes out what stands in short, for the kinds that have any of it.
pub fn expand(kind: Kind, fields: &mut Map<String, Value>, around: &Around<'_>) -> anyhow::Result<()> {
    match kind {
        Kind::Report => report(fields, around),
        Kind::Attest | Kind::Dispute => stance(fields, around),
        Kind::Invoke => {
            fields.entry("requested_at").or_insert_with(|| json!(around.now));
            Ok(())
        }
        Kind::Respond => respond(fields, around),
        Kind::Confirm => each_text(fields, "received", &received),
        Kind::Review => written::each(fields, "remarks", |value| {
            written::parts(value, &["statement", "text"], "a remark is written `ID; what was said`")
        }),
        Kind::Notice => notice(fields, around),
        _ => Ok(()),
    }
}

fn each_text(
    fields: &mut Map<String, Value>,
    name: &str,
    read: &dyn Fn(&str) -> anyhow::Result<Value>,
) -> anyhow::Result<()> {
    if let Some(value) = fields.get_mut(name)
        && let Some(text) = value.as_str()
    {
        *value = read(text)?;
    }
    Ok(())
}

fn report(fields: &mut Map<String, Value>, around: &Around<'_>) -> anyhow::Result<()> {
    fields.get_mut("actor").into_iter().for_each(|actor| party(actor, around));
    written::each(fields, "against", |value| {
        party(value, around);
        Ok(())
    })?;
    let hint =
        "a figure is written `measure; value; region; period`, e.g. `explosions; 1,204; Donetsk; 2026-11`";
    written::each(fields, "figures", |value| {
        written::parts(value, &["measure", "value", "region", "period"], hint)?;
        match value.get_mut("value") {
            Some(value) => number(value),
            None => Ok(()),
        }
    })?;
    // What has no end lasted no longer than is known.
    if let (false, Some(from)) = (fields.contains_key("to"), fields.get("from").cloned()) {
        fields.insert("to".to_owned(), from);
    }
    each_text(fields, "exercise", &|text| match text {
        "true" | "yes" => Ok(json!(true)),
        "false" | "no" => Ok(json!(false)),
        other => Err(Problem::new(format!("exercise: want yes or no, not {}", quoted(other))).into()),
    })
}

/// A number as people and table programs write it.
fn number(value: &mut Value) -> anyhow::Result<()> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Ok(()),
    };
    let number = Decimal::from_human(&text)
        .map_err(|error| Problem::new(format!("the value {} is no number: {error}", quoted(&text))))?;
    *value = json!(number);
    Ok(())
}

/// A partner by handle or shown name, or somebody else by name.
pub fn party(value: &mut Value, around: &Around<'_>) {
    let Some(text) = value.as_str() else { return };
    let partners = around.roster.map_or(&[][..], |roster| &roster.charter.partners[..]);
    *value = if let Some(name) = text.strip_prefix(NAME) {
        json!({ "name": name.trim() })
    } else if let Some(partner) = partners.iter().find(|p| *p.name == *text) {
        json!(partner.handle)
    } else if text.parse::<Handle>().is_ok() {
        json!(text)
    } else {
        json!({ "name": text })
    };
}

fn stance(fields: &mut Map<String, Value>, around: &Around<'_>) -> anyhow::Result<()> {
    let mut of_delivery = false;
    if let Some(on) = fields.get_mut("on") {
        if let Some(text) = on.as_str() {
            *on = match parse(text)? {
                Some(obligation) => json!({ "obligation": obligation }),
                None => subject(text, around)?,
            };
        }
        of_delivery = on.get("obligation").is_some()
            || on.get("statement").and_then(Value::as_str).is_some_and(|id| is_response(id, around));
    }
    if of_delivery {
        // There is nothing else that could be meant.
        fields.entry("aspects").or_insert_with(|| json!(["delivered"]));
    }
    Ok(())
}

fn is_response(id: &str, around: &Around<'_>) -> bool {
    let thing = id.parse::<Hash>().ok().and_then(|id| around.ledger?.thing(&id));
    matches!(thing, Some(Thing::Response(..)))
}

/// What an id alone stands for: a pledge's, for its one open obligation; else the statement.
fn subject(text: &str, around: &Around<'_>) -> anyhow::Result<Value> {
    if let (Ok(id), Some(ledger)) = (text.parse::<Hash>(), around.ledger)
        && ledger.line(&id).is_some()
    {
        return Ok(json!({ "obligation": the_open_one(ledger, &id, around.now)? }));
    }
    Ok(json!({ "statement": text }))
}

fn respond(fields: &mut Map<String, Value>, around: &Around<'_>) -> anyhow::Result<()> {
    each_text(fields, "obligation", &|text| {
        Ok(match (parse(text)?, text.parse::<Hash>(), around.ledger) {
            (Some(obligation), ..) => obligation,
            (None, Ok(id), Some(ledger)) => json!(the_open_one(ledger, &id, around.now)?),
            _ => json!(text),
        })
    })?;
    each_text(fields, "quantity", &amount)
}

fn amount(text: &str) -> anyhow::Result<Value> {
    let amount: Amount = text.parse().map_err(|_| {
        Problem::new(format!("{} is no quantity", quoted(text)))
            .hint("write a number and the unit of the terms, e.g. `2 batteries` or `1,500,000 EUR`")
    })?;
    Ok(json!(amount))
}

fn received(text: &str) -> anyhow::Result<Value> {
    let words = text.trim().to_lowercase().replace('_', " ");
    Ok(match words.as_str() {
        "in full" => json!("in_full"),
        "not received" => json!("not_received"),
        // The unit is kept as it was written.
        _ => {
            let part = text.trim();
            let part = part.strip_prefix("in part").or(part.strip_prefix("in_part")).unwrap_or(part);
            json!({ "in_part": amount(part)? })
        }
    })
}

fn notice(fields: &mut Map<String, Value>, around: &Around<'_>) -> anyhow::Result<()> {
    each_text(fields, "notice", &|text| {
        Ok(match text.split_once([' ', ':']) {
            Some((kind @ ("need_met" | "need_failed"), need)) => json!({ kind: need.trim() }),
            _ => json!(text),
        })
    })?;
    let of = fields.get("statement").and_then(Value::as_str).and_then(|id| id.parse::<Hash>().ok());
    let Some(notice) = fields.get_mut("notice").and_then(Value::as_object_mut) else { return Ok(()) };
    for need in notice.values_mut() {
        if let Some(text) = need.as_str() {
            *need = json!(need_number(text, of.as_ref(), around)?);
        }
    }
    Ok(())
}

/// The number of a need that is called by its number or label.
fn need_number(text: &str, of: Option<&Hash>, around: &Around<'_>) -> anyhow::Result<u64> {
    if let Some(number) = servanda::text::decimal_u64(text) {
        return Ok(number);
    }
    let pledge = of.and_then(|id| around.ledger?.pledge_of(id).map(|pledge| (id, pledge)));
    let version =
        pledge.map(|(id, p)| p.versions.iter().find(|v| v.said.id == *id).unwrap_or(&p.versions[0]));
    let needs = version.and_then(|v| v.gist()).map_or(&[][..], |gist| &gist.needs[..]);
    let found = needs.iter().zip(0..).find(|(need, _)| *need.label == *text);
    found.map(|(_, number)| number).ok_or_else(|| {
        let labels: Vec<String> =
            needs.iter().zip(0..).map(|(need, n): (_, u64)| format!("{n} {}", quoted(&need.label))).collect();
        let hint = if labels.is_empty() {
            "it has no open needs".to_owned()
        } else {
            format!("its needs are: {}", labels.join(", "))
        };
        Problem::new(format!("there is no need called {}", quoted(text))).hint(hint).into()
    })
}
