//! The layout of what is read before it is signed: a sentence on top, then rows of a word and what belongs to it.
//!
//! ```text
//! Germany (de) pledges to Ukraine (ua): "Military assistance in 2024".
//!
//!   title         "Military assistance in 2024"
//!   text          | Germany has decided to make 7.1 billion euros available for
//!                 | military assistance in 2024.
//!   quantity      exactly 7,100,000,000 EUR
//! ```
//!
//! The first columns are ours alone: a row's own lines start below the first of them, and long texts of others stand
//! behind a margin mark. So no text can pass for a row.

use crate::cli::plain::{self, WIDTH, quoted};
use servanda::field::Handle;
use servanda::hash::Hash;

/// The column at which a row's content starts: a digest just fits behind it.
const COLUMN: usize = 16;

/// Gives a partner's display name.
pub type Names<'a> = &'a dyn Fn(&Handle) -> Option<String>;

/// Lines as they grow, and the names to use in them.
pub struct Page<'a> {
    lines: Vec<String>,
    names: Names<'a>,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub fn new(names: Names<'a>) -> Self {
        Self { lines: Vec::new(), names }
    }

    /// The lines.
    pub fn finish(self) -> Vec<String> {
        self.lines
    }

    /// A partner by name and handle.
    pub fn who(&self, handle: &Handle) -> String {
        match (self.names)(handle) {
            _ if handle.is_operator() => "the operator".to_owned(),
            Some(name) => format!("{} ({handle})", plain::word(&name)),
            None => handle.to_string(),
        }
    }

    /// Partners, with "and" before the last.
    pub fn all(&self, handles: &[Handle]) -> String {
        listed(handles.iter().map(|h| self.who(h)), "and")
    }

    /// Partners, with "or" before the last.
    pub fn any(&self, handles: &[Handle]) -> String {
        listed(handles.iter().map(|h| self.who(h)), "or")
    }

    /// A sentence from the first column on; what follows of it stands as far in as a row's content, since there may be
    /// texts of others in it.
    pub fn sentence(&mut self, text: impl AsRef<str>) {
        for (i, line) in plain::wrap_hanging(text.as_ref(), WIDTH, WIDTH - COLUMN).into_iter().enumerate() {
            self.push(if i == 0 { 0 } else { COLUMN }, &line);
        }
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.lines.push(String::new());
    }

    /// A row of words of ours, with texts of others between quotation marks.
    pub fn row(&mut self, key: &str, words: impl AsRef<str>) {
        self.rows(key, plain::wrap(words.as_ref(), WIDTH - COLUMN));
    }

    /// A row for something that may be left open; nothing where it is.
    pub fn row_if(&mut self, key: &str, words: Option<impl AsRef<str>>) {
        if let Some(words) = words {
            self.row(key, words);
        }
    }

    /// A row of a digest.
    pub fn hash(&mut self, key: &str, hash: &Hash) {
        self.row(key, hash.to_string());
    }

    /// A row of a digest that may be left open.
    pub fn hash_if(&mut self, key: &str, hash: Option<&Hash>) {
        self.row_if(key, hash.map(ToString::to_string));
    }

    /// Rows of one digest each.
    pub fn hashes(&mut self, key: &str, hashes: &[Hash]) {
        if hashes.is_empty() {
            self.row(key, "none");
        }
        self.rows(key, hashes.iter().map(ToString::to_string).collect());
    }

    /// A short text of the author's.
    pub fn short(&mut self, key: &str, text: &str) {
        self.row(key, quoted(text));
    }

    /// A text of the author's behind a margin mark; nothing where it is empty.
    pub fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.block(key, text);
        }
    }

    /// The same for a text that may be left out, which is not the same as an empty one.
    pub fn text_if(&mut self, key: &str, text: Option<&str>) {
        match text {
            Some("") => self.row(key, "(an empty text)"),
            Some(text) => self.block(key, text),
            None => {}
        }
    }

    /// Bytes in hexadecimal, behind a margin mark.
    pub fn hex(&mut self, key: &str, bytes: &[u8]) {
        self.block(key, &hex::encode(bytes));
    }

    fn block(&mut self, key: &str, text: &str) {
        let lines = plain::lines(text, WIDTH - COLUMN - 2);
        self.rows(key, lines.into_iter().map(|line| format!("| {line}")).collect());
    }

    fn rows(&mut self, key: &str, lines: Vec<String>) {
        debug_assert!(key.len() < COLUMN - 2, "{key} leaves no blank before what follows");
        for (i, line) in lines.into_iter().enumerate() {
            let line = if i == 0 { format!("{key:w$}{line}", w = COLUMN - 2) } else { line };
            self.push(if i == 0 { 2 } else { COLUMN }, &line);
        }
    }

    fn push(&mut self, indent: usize, line: &str) {
        self.lines.push(format!("{:indent$}{line}", "").trim_end().to_owned());
    }
}

/// Words with commas, and a word before the last one.
pub fn listed(items: impl IntoIterator<Item = String>, last: &str) -> String {
    let mut items: Vec<String> = items.into_iter().collect();
    match items.pop() {
        None => "nobody".to_owned(),
        Some(only) if items.is_empty() => only,
        Some(end) => format!("{} {last} {end}", items.join(", ")),
    }
}

/// Short texts between quotation marks.
pub fn quoted_list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    texts.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// A whole number with its thousands set apart.
pub fn grouped(n: u64) -> String {
    n.to_string().parse::<servanda::field::Decimal>().expect("a whole number is a decimal").grouped()
}

/// The number of a place in a row, counted from 1: "the 3rd".
pub fn ordinal(n: u64) -> String {
    let end = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{}{end}", grouped(n))
}
