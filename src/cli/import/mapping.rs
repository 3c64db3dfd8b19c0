//! From a row to an act's fields: which column goes where, as the user states for each file.

use super::refusal::Refusal;
use super::rows::Cells;
use super::template::{Part, Template, TemplateError, column, split};
use crate::cli::act::{Fields, LISTS};
use serde_json::{Map, Value};
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
                Some(Cell::Words(words)) => text.push_str(&with_lf(words)),
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
mod tests {
    use super::*;
    use crate::cli::import::rows::{Row, read};
    use proptest::prelude::*;

    fn args(maps: &[&str], constants: &[&str], absent: &[&str], aliases: &[&str]) -> MappingArgs {
        let owned = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect();
        MappingArgs {
            maps: owned(maps),
            constants: owned(constants),
            absent: owned(absent),
            aliases: owned(aliases),
            once: Vec::new(),
        }
    }

    /// The fields of each row, as JSON.
    fn fields(args: &MappingArgs, file: &str) -> Vec<String> {
        let table = read(file.as_bytes(), b',').expect("a table");
        let mapping = Mapping::new(args, &table.columns).expect("a mapping");
        let mut numbers = Numbers::default();
        let shown = |row: &Row| match mapping.fields(row.cells.as_ref().expect("cells"), &mut numbers) {
            Ok(fields) => Value::Object(fields.0).to_string(),
            Err(refusal) => refusal.to_string(),
        };
        table.rows.iter().map(shown).collect()
    }

    const FILE: &str = "ID,Kind,Sum,Unit,Text\nA1,Financial,5.0,EUR,one\nA1,Military,.,EUR,\" two \r\nlines\"\nB2,x,Not given,.,\n";

    #[test]
    fn rows_with_the_same_value_are_numbered() {
        let args = args(&["reference={ID}.{#ID}"], &[], &[], &[]);
        assert_eq!(
            fields(&args, FILE),
            [r#"{"reference":"A1.1"}"#, r#"{"reference":"A1.2"}"#, r#"{"reference":"B2.1"}"#]
        );
    }

    #[test]
    fn a_template_with_a_column_that_says_nothing_has_no_value() {
        let args = args(&["quantity=exactly {Sum} {Unit}"], &[], &["Not given", "."], &[]);
        assert_eq!(fields(&args, FILE), [r#"{"quantity":"exactly 5.0 EUR"}"#, "{}", "{}"]);
    }

    #[test]
    fn a_text_that_is_mapped_twice_has_a_line_for_each_and_a_list_a_value() {
        let args = args(
            &["text=Text,text=Kind: {Kind},instruments=Kind,instruments=Unit"],
            &["to=ua", "to=md"],
            &["."],
            &["instruments:Financial=economic", "instruments:x="],
        );
        assert_eq!(
            fields(&args, FILE),
            [
                r#"{"text":"one\nKind: Financial","instruments":["economic","EUR"],"to":["ua","md"]}"#,
                r#"{"text":"two \nlines\nKind: Military","instruments":["Military","EUR"],"to":["ua","md"]}"#,
                r#"{"text":"Kind: x","to":["ua","md"]}"#,
            ]
        );
    }

    #[test]
    fn without_a_mapping_columns_are_fields_and_what_is_set_comes_first() {
        let args = args(&[], &["to=ua"], &[], &[]);
        assert_eq!(fields(&args, "title,to,\nx,de,\n"), [r#"{"title":"x","to":["ua"]}"#]);
    }

    #[test]
    fn json_lines_keep_what_is_nested_and_no_digit_is_lost() {
        let file = r#"{"a":"x","b":{"c":[1]},"n":12,"t":true,"z":null}
{"a":"x","b":{"c":[1]},"n":0.1}
{"n":12345678901234567890123}"#;
        let all = fields(&args(&[], &[], &[], &[]), file);
        assert_eq!(all[0], r#"{"a":"x","b":{"c":[1]},"n":"12","t":true}"#);
        assert!(
            all[1].starts_with("n: write a number") && all[2].starts_with("n: write a number"),
            "{all:?}"
        );
        let all = fields(&args(&["x={a}{b}"], &[], &[], &[]), file);
        assert_eq!(all[..2], ["x: a list or an object cannot stand among words"; 2]);
    }

    #[test]
    fn the_first_of_several_columns_that_says_something_is_taken() {
        let args = args(&["title={Text|Kind}"], &[], &["x"], &[]);
        assert_eq!(fields(&args, FILE), [r#"{"title":"one"}"#, r#"{"title":"two \nlines"}"#, "{}"]);
    }

    #[test]
    fn mappings_that_cannot_be_meant_are_refused() {
        let columns = ["A".to_owned(), "B".to_owned()];
        let error = |a: &MappingArgs| Mapping::new(a, &columns).expect_err("refused").to_string();
        for (args, want) in [
            (args(&["to"], &[], &[], &[]), "--map \"to\": want field=Column"),
            (args(&["=A"], &[], &[], &[]), "--map \"=A\": want field=Column"),
            (args(&["to=C"], &[], &[], &[]), "to: there is no column \"C\" in the file"),
            (args(&["title=A,title=B"], &[], &[], &[]), "title is given twice, and can hold one value"),
            (args(&["title=A"], &["title=x"], &[], &[]), "title is both mapped and set"),
            (args(&[], &["x"], &[], &[]), "--set \"x\": want field=value"),
            (args(&[], &[], &[], &["x=y"]), "--alias \"x=y\": want field:value=other"),
        ] {
            assert_eq!(error(&args), want);
        }
        let once = MappingArgs { once: vec!["quantity=A,C".to_owned()], ..MappingArgs::default() };
        assert_eq!(error(&once), "quantity: there is no column \"C\" in the file");
    }

    proptest! {
        #[test]
        fn no_row_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), map in "[{}|#=,\\\\a]{0,10}") {
            if let Ok(table) = read(&bytes, b',') {
                let mapped = Mapping::new(&args(&[&map], &[], &["a"], &[]), &table.columns);
                let plain = Mapping::new(&args(&[], &["to=ua"], &["a"], &["a:b=c"]), &table.columns);
                for mapping in mapped.into_iter().chain(plain) {
                    let mut numbers = Numbers::default();
                    for cells in table.rows.iter().filter_map(|row| row.cells.as_ref().ok()) {
                        let _ = mapping.fields(cells, &mut numbers);
                        let _ = mapping.once(cells);
                    }
                }
            }
        }
    }
}
