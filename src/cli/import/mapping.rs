//! From a row to an act's fields: which column goes where, as the user states for each file.

use super::refusal::Refusal;
use super::rows::Cells;
use super::template::{Part, Template, TemplateError, column, split};
use crate::cli::act::{Fields, LISTS};
use serde_json::{Map, Value};
use servanda::field::Day;
use std::collections::{HashMap, HashSet};

/// The fields that are texts of several lines, so that several values may stand in them, one a line.
const TEXTS: [&str; 5] = ["text", "source", "note", "reservation", "reservations"];

/// The mapping, as options.
#[derive(clap::Args, Debug, Default)]
pub struct MappingArgs {
    /// Which column says what: "field=Column, …" or a template, e.g. "quantity=exactly {Sum} {Currency}"; may be
    /// repeated. Without any, the columns are called as the fields are
    #[arg(long = "map", value_name = "FIELD=COLUMN,…", help_heading = "Mapping")]
    pub maps: Vec<String>,
    /// The same value in every row, e.g. to=ua; may be repeated
    #[arg(long = "set", value_name = "FIELD=VALUE", help_heading = "Mapping")]
    pub constants: Vec<String>,
    /// A value that says nothing in this file, e.g. "Not given"; empty cells never do; may be repeated
    #[arg(long = "absent", value_name = "VALUE", help_heading = "Mapping")]
    pub absent: Vec<String>,
    /// What a value stands for, e.g. instruments:Financial=economic; may be repeated
    #[arg(long = "alias", value_name = "FIELD:VALUE=OTHER", help_heading = "Mapping")]
    pub aliases: Vec<String>,
    /// Where several rows repeat one sum: the field stands in the first good row alone of those that agree in all these
    /// columns, e.g. "quantity=Package,Date"; may be repeated
    #[arg(long = "once", value_name = "FIELD=COLUMN,…", help_heading = "Mapping")]
    pub once: Vec<String>,
    /// What stands in a field where the row says nothing that can be read there, e.g. valid_from=2022-01-24; made_on= for
    /// nothing at all; may be repeated
    #[arg(long = "else", value_name = "FIELD=VALUE", help_heading = "Mapping")]
    pub otherwise: Vec<String>,
}

/// Why a mapping cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Not written as it should be.
    #[error("{option} {given:?}: want {want}")]
    Form {
        /// The option.
        option: &'static str,
        /// What was given.
        given: String,
        /// The form that it has.
        want: &'static str,
    },
    /// A template that does not fit.
    #[error("{field}: {error}")]
    Template {
        /// The field.
        field: String,
        /// What is wrong.
        error: TemplateError,
    },
    /// Neither a list nor a text of several lines.
    #[error("{0} is given twice, and can hold one value")]
    Twice(String),
    /// Both mapped and constant.
    #[error("{0} is both mapped and set")]
    MappedAndSet(String),
}

/// A mapping for a table.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    columns: Vec<String>,
    fields: Vec<(String, Vec<Template>)>,
    constants: Vec<(String, Vec<String>)>,
    absent: HashSet<String>,
    aliases: HashMap<(String, String), String>,
    once: Vec<(String, Vec<usize>)>,
    otherwise: Vec<(String, String)>,
    /// The columns whose equal values are numbered.
    numbered: Vec<usize>,
}

/// How often each value of the numbered columns came so far.
#[derive(Debug, Default)]
pub struct Numbers(HashMap<(usize, String), u64>);

/// What a column says in a row.
enum Cell<'a> {
    Nothing,
    Words(&'a str),
    Value(&'a Value),
}

impl Mapping {
    /// Reads a mapping for a table with these columns.
    ///
    /// # Errors
    /// When it is not in form, or names columns that are not there.
    pub fn new(args: &MappingArgs, columns: &[String]) -> Result<Self, MappingError> {
        let mut mapping = Self {
            columns: columns.to_vec(),
            absent: args.absent.iter().map(|value| value.trim().to_owned()).collect(),
            ..Self::default()
        };
        for given in args.maps.iter().flat_map(|map| split(map)) {
            let (field, value) = halves("--map", &given, "field=Column")?;
            let template = Template::parse(value, columns)
                .map_err(|error| MappingError::Template { field: field.to_owned(), error })?;
            push(&mut mapping.fields, field, template);
        }
        for given in &args.constants {
            let (field, value) = halves("--set", given, "field=value")?;
            push(&mut mapping.constants, field, value.trim().to_owned());
        }
        if args.maps.is_empty() {
            for (at, name) in columns.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
                // What is set on the command line comes before what the row says.
                if !mapping.constants.iter().any(|(set, _)| set == name) {
                    push(&mut mapping.fields, name, Template(vec![Part::Cell(vec![at])]));
                }
            }
        }
        for given in &args.aliases {
            let want = "field:value=other";
            let (from, to) = halves("--alias", given, want)?;
            let (field, value) = from.split_once(':').ok_or_else(|| form("--alias", given, want))?;
            let key = (field.trim().to_owned(), value.trim().to_owned());
            mapping.aliases.insert(key, to.trim().to_owned());
        }
        for given in &args.once {
            let (field, names) = halves("--once", given, "field=Column,…")?;
            let named = split(names).iter().map(|name| column(&unescaped(name), columns)).collect();
            let named: Result<_, _> = named;
            let named = named.map_err(|error| MappingError::Template { field: field.to_owned(), error })?;
            mapping.once.push((field.to_owned(), named));
        }
        for given in &args.otherwise {
            let (field, value) = halves("--else", given, "field=value, or field= for nothing")?;
            mapping.otherwise.push((field.to_owned(), value.trim().to_owned()));
        }
        mapping.checked()
    }

    fn checked(mut self) -> Result<Self, MappingError> {
        let many = |name: &str| LISTS.contains(&name) || TEXTS.contains(&name);
        let twice = self.fields.iter().filter(|(_, t)| t.len() > 1).map(|(name, _)| name);
        let twice = twice.chain(self.constants.iter().filter(|(_, v)| v.len() > 1).map(|(name, _)| name));
        if let Some(name) = twice.into_iter().find(|name| !many(name)) {
            return Err(MappingError::Twice(name.clone()));
        }
        let set = |name: &String| self.constants.iter().any(|(other, _)| other == name);
        if let Some((name, _)) = self.fields.iter().find(|(name, _)| set(name)) {
            return Err(MappingError::MappedAndSet(name.clone()));
        }
        let parts = self.fields.iter().flat_map(|(_, templates)| templates).flat_map(|t| &t.0);
        let numbered = parts.filter_map(|part| match part {
            Part::Number(column) => Some(*column),
            _ => None,
        });
        self.numbered = numbered.collect::<HashSet<_>>().into_iter().collect();
        Ok(self)
    }

    /// The fields of a row, which comes after those that `numbers` counted.
    ///
    /// # Errors
    /// When a value cannot stand where it should.
    pub fn fields(&self, cells: &Cells, numbers: &mut Numbers) -> Result<Fields, Refusal> {
        let number = |column: &usize| Some((*column, self.number(cells, *column, numbers)?));
        let counted: HashMap<usize, u64> = self.numbered.iter().filter_map(number).collect();
        let mut fields = Map::new();
        for (name, templates) in &self.fields {
            let mut values = Vec::new();
            for template in templates {
                values.extend(self.value(name, template, cells, &counted)?);
            }
            set(&mut fields, name, values)?;
        }
        for (name, values) in &self.constants {
            set(&mut fields, name, values.iter().map(|value| Value::String(value.clone())).collect())?;
        }
        Ok(Fields(fields))
    }

    /// The fields that stand once in rows that agree: each with what the row says in the columns concerned.
    pub fn once(&self, cells: &Cells) -> Vec<(&str, Vec<String>)> {
        let said = |column: &usize| match self.cell(cells, *column) {
            Cell::Nothing => String::new(),
            Cell::Words(words) => words.to_owned(),
            Cell::Value(value) => value.to_string(),
        };
        self.once.iter().map(|(field, by)| (field.as_str(), by.iter().map(said).collect())).collect()
    }

    /// Whether any field stands once in several rows.
    pub fn has_once(&self) -> bool {
        !self.once.is_empty()
    }

    /// Whether a field stands once in rows that agree.
    pub fn is_once(&self, field: &str) -> bool {
        self.once.iter().any(|(name, _)| name == field)
    }

    /// What stands in fields of which a row says nothing that can be read; an empty text for nothing.
    pub fn otherwise(&self) -> &[(String, String)] {
        &self.otherwise
    }

    /// Whether the table speaks of a field at all.
    pub fn mentions(&self, field: &str) -> bool {
        let mapped = self.fields.iter().map(|(name, _)| name);
        let mut all = mapped.chain(self.constants.iter().map(|(name, _)| name));
        all.any(|name| name == field || name == "terms")
            || self.otherwise.iter().any(|(name, _)| name == field)
    }

    /// The template of references.
    pub fn reference(&self) -> Option<&Template> {
        self.fields.iter().find(|(name, _)| name == "reference").and_then(|(_, templates)| templates.first())
    }

    /// What a template says in a row in which it numbers nothing, whatever stands for it elsewhere.
    pub fn words(&self, template: &Template, cells: &Cells) -> Option<String> {
        if template.0.is_empty() {
            return Some(String::new());
        }
        let value = self.value("", template, cells, &HashMap::new()).ok()??;
        Some(value.as_str()?.to_owned())
    }

    fn number(&self, cells: &Cells, column: usize, numbers: &mut Numbers) -> Option<u64> {
        let value = match self.cell(cells, column) {
            Cell::Nothing => return None,
            Cell::Words(words) => words.to_owned(),
            Cell::Value(value) => value.to_string(),
        };
        let count = numbers.0.entry((column, value)).or_default();
        *count += 1;
        Some(*count)
    }

    fn cell<'a>(&self, cells: &'a Cells, column: usize) -> Cell<'a> {
        let words = |text: &'a str| match text.trim() {
            text if text.is_empty() || self.absent.contains(text) => Cell::Nothing,
            text => Cell::Words(text),
        };
        match cells {
            Cells::Record(record) => record.get(column).map_or(Cell::Nothing, words),
            Cells::Object(object) => match object.get(&self.columns[column]) {
                None | Some(Value::Null) => Cell::Nothing,
                Some(Value::String(text)) => words(text),
                Some(value) => Cell::Value(value),
            },
        }
    }

    /// A template's value in a row, unless it has none.
    fn value(
        &self,
        field: &str,
        template: &Template,
        cells: &Cells,
        counted: &HashMap<usize, u64>,
    ) -> Result<Option<Value>, Refusal> {
        let mut text = String::new();
        for part in &template.0 {
            let found = match part {
                Part::Words(words) => {
                    text.push_str(words);
                    continue;
                }
                Part::Number(column) => {
                    let Some(number) = counted.get(column) else { return Ok(None) };
                    text.push_str(&number.to_string());
                    continue;
                }
                Part::Cell(columns) => columns
                    .iter()
                    .map(|column| self.cell(cells, *column))
                    .find(|cell| !matches!(cell, Cell::Nothing)),
            };
            match found {
                None | Some(Cell::Nothing) => return Ok(None),
                Some(Cell::Words(words)) => text.push_str(&with_lf(day_of(words))),
                Some(Cell::Value(Value::Number(n))) if n.is_f64() => {
                    return Err(Refusal::Inexact(field.to_owned()));
                }
                Some(Cell::Value(value @ Value::Number(_))) => text.push_str(&value.to_string()),
                Some(Cell::Value(value)) if template.0.len() == 1 => return Ok(Some(value.clone())),
                Some(Cell::Value(_)) => return Err(Refusal::Nested(field.to_owned())),
            }
        }
        let alias = self.aliases.get(&(field.to_owned(), text.clone()));
        let text = alias.cloned().unwrap_or(text);
        Ok((!text.is_empty()).then_some(Value::String(text)))
    }
}

/// A day without the midnight that table programs write behind it in some releases, and in others not:
/// `2022-03-01 00:00:00`.
fn day_of(text: &str) -> &str {
    text.strip_suffix(" 00:00:00").filter(|day| day.parse::<Day>().is_ok()).unwrap_or(text)
}

/// Line ends as they are in the log.
fn with_lf(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

/// Sets a field to its values: a list, the lines of a text, or the one that there is.
fn set(fields: &mut Map<String, Value>, name: &str, mut values: Vec<Value>) -> Result<(), Refusal> {
    if values.is_empty() {
        return Ok(());
    }
    let value = if LISTS.contains(&name) {
        let flat = values.into_iter().flat_map(|value| match value {
            Value::Array(values) => values,
            value => vec![value],
        });
        Value::Array(flat.collect())
    } else if values.len() == 1 {
        values.remove(0)
    } else {
        let lines: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
        Value::String(lines.ok_or_else(|| Refusal::Nested(name.to_owned()))?.join("\n"))
    };
    fields.insert(name.to_owned(), value);
    Ok(())
}

fn push<T>(fields: &mut Vec<(String, Vec<T>)>, name: &str, value: T) {
    match fields.iter_mut().find(|(other, _)| other == name) {
        Some((_, values)) => values.push(value),
        None => fields.push((name.to_owned(), vec![value])),
    }
}

fn form(option: &'static str, given: &str, want: &'static str) -> MappingError {
    MappingError::Form { option, given: given.to_owned(), want }
}

fn halves<'a>(
    option: &'static str,
    given: &'a str,
    want: &'static str,
) -> Result<(&'a str, &'a str), MappingError> {
    let (field, value) = given.split_once('=').ok_or_else(|| form(option, given, want))?;
    if field.trim().is_empty() { Err(form(option, given, want)) } else { Ok((field.trim(), value)) }
}

/// A column's name without the backslashes before commas.
fn unescaped(name: &str) -> String {
    name.replace("\\,", ",").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests;
