//! Configuration of commands that run for long: a file, a section for each of them, with the names of their options.
//!
//! ```toml
//! [serve]
//! log = "/var/lib/servanda/paris"
//! listen = "127.0.0.1:8080"
//! ```
//!
//! What is given on the command line or in the environment goes before what the file says. A flag that the file sets cannot be
//! unset there.

use crate::cli::files;
use crate::cli::problem::{Hint, Problem};
use anyhow::Result;
use clap::{Args, Command};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use toml::{Table, Value};

/// The longest configuration that is read, in bytes.
const MAX_CONFIG: u64 = 1 << 20;

/// Completes a command's options from its section of a file.
///
/// # Errors
/// When the file cannot be read, is no TOML, or has an option in that section that the command has not.
pub fn completed<T: Args + Serialize + DeserializeOwned>(
    given: T,
    file: Option<&Path>,
    section: &str,
) -> Result<T> {
    let Some(path) = file else { return Ok(given) };
    let shown = path.display();
    let bytes = files::read(path, MAX_CONFIG)
        .or_hint(|| format!("{shown} cannot be read"), || "look for a typing error".to_owned())?;
    let text = String::from_utf8(bytes).map_err(|_| Problem::new(format!("{shown} is not a text")))?;
    merged(given, &text, section).map_err(|error| {
        let hint = format!("want TOML with a section [{section}] of this command's options");
        Problem::new(format!("{shown} cannot be used")).hint(hint).because(error).into()
    })
}

fn merged<T: Args + Serialize + DeserializeOwned>(given: T, text: &str, section: &str) -> Result<T> {
    let mut file: Table = text.parse()?;
    let mut all = match file.remove(section) {
        None => Table::new(),
        Some(Value::Table(table)) => table,
        Some(_) => return Err(Problem::new(format!("{section} is no section")).into()),
    };
    let known = T::augment_args(Command::new("known"));
    let known: Vec<String> =
        known.get_arguments().map(|arg| arg.get_id().as_str().replace('_', "-")).collect();
    if let Some(name) = all.keys().find(|name| !known.contains(name)) {
        return Err(Problem::new(format!("[{section}] has no option {name}")).into());
    }
    let given = Table::try_from(&given)?;
    let said = |value: &Value| match value {
        Value::Boolean(flag) => *flag,
        Value::Array(all) => !all.is_empty(),
        _ => true,
    };
    all.extend(given.into_iter().filter(|(_, value)| said(value)));
    Ok(all.try_into()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case", default)]
    struct Whole {
        #[arg(long)]
        some_name: Option<String>,
        #[arg(long)]
        names: Vec<String>,
        #[command(flatten)]
        #[serde(flatten)]
        part: Part,
    }

    #[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case", default)]
    struct Part {
        #[arg(long)]
        plain_http: bool,
        #[arg(long)]
        port: Option<u16>,
    }

    fn merge(given: Whole, text: &str) -> Result<Whole, String> {
        merged(given, text, "serve").map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_given_goes_before_what_the_file_says() {
        let file =
            "[serve]\nsome-name = \"file\"\nnames = [\"a\"]\nplain-http = true\nport = 1\n[other]\nx = 1\n";
        let all = merge(Whole::default(), file).unwrap();
        let part = Part { plain_http: true, port: Some(1) };
        assert_eq!(all, Whole { some_name: Some("file".into()), names: vec!["a".into()], part });
        let part = Part { plain_http: false, port: Some(2) };
        let given = Whole { some_name: Some("given".into()), names: vec!["b".into()], part };
        let all = merge(given.clone(), file).unwrap();
        assert_eq!(all, Whole { part: Part { plain_http: true, port: Some(2) }, ..given.clone() });
        assert_eq!(merge(given.clone(), "").unwrap(), given);
    }

    #[test]
    fn what_the_command_has_not_is_refused() {
        for (text, want) in [
            ("[serve]\nsome_name = \"a\"", "[serve] has no option some_name"),
            ("[serve]\nport2 = 1", "[serve] has no option port2"),
            ("serve = 1", "serve is no section"),
        ] {
            assert_eq!(merge(Whole::default(), text), Err(want.to_owned()), "{text}");
        }
        for text in ["[serve]\nport = 65536", "[serve]\nport = \"a\"", "[serve", "[serve]\nnames = 1"] {
            assert!(merge(Whole::default(), text).is_err(), "{text}");
        }
    }
}
