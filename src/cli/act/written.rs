//! Files and shorthand: how people write fields.

use super::Around;
use crate::cli::files::read_whole;
use crate::cli::problem::Problem;
use serde_json::{Map, Value, json};
use servanda::field::Day;
use servanda::hash::sha256;
use std::path::Path;

/// The largest file of fields that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The largest annex that is read, in bytes.
const MAX_ANNEX: u64 = 1 << 30;

/// The fields of an act as a person wrote them.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub Map<String, Value>);

impl Fields {
    /// Sets a field, if there is a value for it.
    pub fn set(&mut self, name: &str, value: Option<impl serde::Serialize>) -> anyhow::Result<&mut Self> {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), serde_json::to_value(value)?);
        }
        Ok(self)
    }

    /// Sets a list, if it has anything in it.
    pub fn set_list(&mut self, name: &str, values: &[String]) -> &mut Self {
        if !values.is_empty() {
            self.0.insert(name.to_owned(), json!(values));
        }
        self
    }
}

/// Reads fields from a TOML or JSON file, by its ending.
pub fn from_file(path: &Path) -> anyhow::Result<Fields> {
    let shown = path.display();
    let text = read_whole(path, MAX_FILE)?;
    let text = String::from_utf8(text).map_err(|_| Problem::new(format!("{shown} is not UTF-8 text")))?;
    let value = if path.extension().is_some_and(|e| e == "json") {
        serde_json::from_str::<Value>(&text).map_err(|e| Problem::new(format!("{shown}: {e}")))?
    } else {
        let table: toml::Table =
            text.parse().map_err(|e: toml::de::Error| Problem::new(format!("{shown}: {e}")))?;
        plain_json(toml::Value::Table(table))?
    };
    match value {
        Value::Object(fields) => Ok(Fields(fields)),
        _ => Err(Problem::new(format!("{shown} holds no fields"))
            .hint("write `name = value` lines, or a JSON object")
            .into()),
    }
}

/// TOML as JSON; dates become texts.
pub fn plain_json(value: toml::Value) -> anyhow::Result<Value> {
    Ok(match value {
        toml::Value::Datetime(at) => Value::String(at.to_string()),
        toml::Value::Array(values) => {
            Value::Array(values.into_iter().map(plain_json).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => {
            let fields = table.into_iter().map(|(name, value)| Ok((name, plain_json(value)?)));
            Value::Object(fields.collect::<anyhow::Result<_>>()?)
        }
        other => serde_json::to_value(other)?,
    })
}

/// An annex: `{ file = "treaty.pdf", label = …, language = …, standing = … }`, or its digest and size given; or
/// `treaty.pdf; label; language; standing` from an option.
pub fn annex(value: &mut Value, around: &Around<'_>) -> anyhow::Result<()> {
    if let Some(text) = value.as_str() {
        let mut parts = text.split(';').map(str::trim);
        let mut fields = Map::new();
        for name in ["file", "label", "language", "standing"] {
            if let Some(part) = parts.next().filter(|p| !p.is_empty()) {
                fields.insert(name.to_owned(), json!(part));
            }
        }
        *value = Value::Object(fields);
    }
    let Some(fields) = value.as_object_mut() else { return Ok(()) };
    if fields.contains_key("open") || fields.contains_key("sealed") {
        return Ok(());
    }
    if let Some(file) = fields.remove("file") {
        let name = file.as_str().unwrap_or_default().to_owned();
        let path = around.folder.map_or_else(|| name.clone().into(), |folder| folder.join(&name));
        let bytes = read_whole(&path, MAX_ANNEX)?;
        fields.insert("size".to_owned(), json!(bytes.len()));
        fields.insert("sha256".to_owned(), json!(sha256(&bytes)));
        let label = Path::new(&name).file_name().map(|n| n.to_string_lossy().into_owned());
        fields.entry("label").or_insert_with(|| json!(label));
        fields.entry("media_type").or_insert_with(|| json!(media_type(&name)));
    }
    fields.entry("language").or_insert_with(|| json!(around.language));
    fields.entry("standing").or_insert_with(|| json!("authentic"));
    let open = std::mem::take(fields);
    *value = json!({ "open": open });
    Ok(())
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().map(str::to_lowercase).as_deref() {
        Some("pdf") => "application/pdf",
        Some("txt") => "text/plain",
        Some("md") => "text/markdown",
        Some("html" | "htm") => "text/html",
        Some("xml") => "application/xml",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("odt") => "application/vnd.oasis.opendocument.text",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        _ => "application/octet-stream",
    }
}

/// A due from an option: `label; by; quantity`.
pub fn due(value: &mut Value) -> anyhow::Result<()> {
    parts(
        value,
        &["label", "by", "quantity"],
        "a due is written `label; by when; quantity`, e.g. `2026; 2026-12-31; up to 5 EUR`",
    )?;
    if let Some(day) = value.get_mut("by") {
        whole_day(day);
    }
    Ok(())
}

/// A need from an option: `label; declared by; by when`.
pub fn need(value: &mut Value) -> anyhow::Result<()> {
    parts(
        value,
        &["label", "declared_by", "due"],
        "a need is written `label; declared by; by when`, e.g. `ratification; de`",
    )?;
    if let Some(day) = value.get_mut("due") {
        whole_day(day);
    }
    Ok(())
}

/// A deadline given as a day is that day's last second: whoever delivers on it is in time.
pub fn whole_day(value: &mut Value) {
    if let Some(day) = value.as_str().and_then(|text| text.parse::<Day>().ok()) {
        *value = json!(format!("{day}T23:59:59Z"));
    }
}

/// Changes each value of a list.
pub fn each(
    fields: &mut Map<String, Value>,
    name: &str,
    change: impl FnMut(&mut Value) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    fields.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().try_for_each(change)
}

/// A text whose parts stand between semicolons, as an object; at least the first two must be there.
pub fn parts(value: &mut Value, names: &[&str], hint: &str) -> anyhow::Result<()> {
    let Some(text) = value.as_str() else { return Ok(()) };
    let given: Vec<&str> = text.split(';').map(str::trim).collect();
    if given.len() < 2 || given.len() > names.len() {
        return Err(Problem::new(format!("cannot read {text:?}")).hint(hint).into());
    }
    let fields = names.iter().zip(given).filter(|(_, part)| !part.is_empty());
    *value = Value::Object(fields.map(|(name, part)| ((*name).to_owned(), json!(part))).collect());
    Ok(())
}
