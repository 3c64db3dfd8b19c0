//! What is wrong, where, and what to do about it.

use anyhow::Error;
use std::fmt;
use std::io::Write as _;

/// An error with a hint for its reader.
#[derive(Debug)]
pub struct Problem {
    what: String,
    hint: Option<String>,
    refusal: bool,
    source: Option<Error>,
}

impl Problem {
    /// Something that could not be done: exit code 2.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None, refusal: false, source: None }
    }

    /// Something that a rule refuses: exit code 1.
    pub fn refused(what: impl Into<String>) -> Self {
        Self { refusal: true, ..Self::new(what) }
    }

    /// Says what to do.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Says what caused it.
    pub fn because(self, source: impl Into<Error>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// Whether a rule refused, anywhere in the chain of causes.
    pub fn is_refusal(error: &Error) -> bool {
        error.chain().any(|e| e.downcast_ref::<Self>().is_some_and(|p| p.refusal))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(AsRef::as_ref)
    }
}

/// Adds a hint to any error on its way.
pub trait Hint<T> {
    /// Says what was being done, and what to do.
    fn or_hint(self, what: impl FnOnce() -> String, hint: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T, E: Into<Error>> Hint<T> for Result<T, E> {
    fn or_hint(self, what: impl FnOnce() -> String, hint: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|e| Problem::new(what()).hint(hint()).because(e).into())
    }
}

/// Prints an error: each cause once, then the hints.
pub fn print(error: &Error) {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Some errors print their cause as well: say nothing twice.
        if !said.iter().any(|s| s.contains(&text)) {
            said.push(text);
        }
    }
    let mut out = anstream::stderr();
    // Where nobody hears it, the exit code has to do.
    let _ = writeln!(out, "error: {}", said.join(": "));
    for hint in error.chain().filter_map(|e| e.downcast_ref::<Problem>()?.hint.as_ref()) {
        let _ = writeln!(out, "hint: {hint}");
    }
}
