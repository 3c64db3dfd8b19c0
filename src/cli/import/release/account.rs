//! What became of each row of a release, and of each statement that the log had: two lists that add up.
//!
//! ```text
//! rows        = unchanged + amended + new + refused
//! in the log  = unchanged + amended + withdrawn + left as they were
//! ```

use super::compared::Changed;
use crate::cli::import::sorting::Refused;
use crate::cli::plain::{plain, quoted};
use serde_json::{Value, json};
use servanda::field::Instant;
use servanda::hash::Hash;
use servanda::text::count;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// It says what the log says.
    Unchanged,
    /// New terms of what the log has.
    Amended(Changed),
    /// A statement that the log had not.
    New,
    /// Nothing.
    Refused,
}

/// A row.
#[derive(Clone, Debug)]
pub struct RowTold {
    /// The line that it starts in.
    pub line: u64,
    /// Its reference: of what it continues, the log's; of what is new, the one that it was given.
    pub reference: Option<String>,
    /// What became of it.
    pub became: Became,
    /// The fields that it changes, by the names that `history` shows them by.
    pub fields: Vec<String>,
    /// Which statement it continues, by its position.
    pub continues: Option<usize>,
}

/// What became of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A row says the same.
    Unchanged,
    /// A row gives it new terms.
    Amended,
    /// No row has it. With the moment from which that counts, where it is a later one.
    Withdrawn(Option<Instant>),
    /// Nothing is said, and why, in words fit to be shown.
    Left(String),
}

/// A statement that the log had.
#[derive(Clone, Debug)]
pub struct LogTold {
    /// Its reference.
    pub reference: String,
    /// Its id.
    pub id: Hash,
    /// Its entry.
    pub index: u64,
    /// In a few words.
    pub title: String,
    /// What became of it.
    pub fate: Fate,
}

/// The whole account.
#[derive(Debug, Default)]
pub struct Account {
    /// All rows, in the file's order.
    pub rows: Vec<RowTold>,
    /// All statements that the log had under these references.
    pub log: Vec<LogTold>,
    /// How many statements of the author could not be compared: sealed, or without a reference.
    pub apart: usize,
    /// Whether amendments wait to be accepted.
    pub to_accept: bool,
}

impl Account {
    /// How many rows became this.
    fn rows_that(&self, is: impl Fn(Became) -> bool) -> usize {
        self.rows.iter().filter(|row| is(row.became)).count()
    }

    fn changed(&self, changed: Changed) -> usize {
        self.rows_that(|became| became == Became::Amended(changed))
    }

    fn log_that(&self, is: impl Fn(&Fate) -> bool) -> usize {
        self.log.iter().filter(|told| is(&told.fate)).count()
    }

    /// How many statements are withdrawn.
    pub fn withdrawn(&self) -> usize {
        self.log_that(|fate| matches!(fate, Fate::Withdrawn(_)))
    }

    /// Whether the release says nothing that the log does not.
    pub fn is_unchanged(&self) -> bool {
        self.rows.iter().all(|row| row.became == Became::Unchanged) && self.withdrawn() == 0
    }

    /// Notes that a row was refused after all; what it would have changed stays as it was.
    pub fn refuse(&mut self, line: u64, why: &str) {
        let Ok(row) = self.rows.binary_search_by_key(&line, |row| row.line) else { return };
        let row = &mut self.rows[row];
        row.became = Became::Refused;
        row.fields.clear();
        if let Some(at) = row.continues {
            self.log[at].fate = Fate::Left(format!("line {line} was refused: {why}"));
        }
    }

    /// Adds the rows that were refused before they could be compared.
    pub fn add_refused<'a>(&mut self, refused: impl IntoIterator<Item = &'a Refused>) {
        let told = |row: &Refused| RowTold {
            line: row.line,
            reference: row.reference.clone(),
            became: Became::Refused,
            fields: Vec::new(),
            continues: None,
        };
        let is_new = |row: &&Refused| self.rows.binary_search_by_key(&row.line, |told| told.line).is_err();
        let early: Vec<RowTold> = refused.into_iter().filter(is_new).map(told).collect();
        self.rows.extend(early);
        self.rows.sort_by_key(|row| row.line);
    }

    /// The account in words.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for told in &self.log {
            let named = format!("{} (entry {}, {})", plain(&told.reference), told.index, quoted(&told.title));
            match &told.fate {
                Fate::Withdrawn(None) => lines.push(format!("withdrawn: {named}")),
                Fate::Withdrawn(Some(from)) => {
                    lines.push(format!("withdrawn with effect from {from}: {named}"))
                }
                Fate::Left(why) => lines.push(format!("left as it was: {named}: {why}")),
                Fate::Unchanged | Fate::Amended => {}
            }
        }
        let unchanged = self.rows_that(|became| became == Became::Unchanged);
        let amended = self.rows_that(|became| matches!(became, Became::Amended(_)));
        let parts = [
            (Changed::Amount, "of the amount"),
            (Changed::Text, "of the text"),
            (Changed::Both, "of both"),
            (Changed::Other, "of other fields"),
        ];
        let parts: Vec<String> =
            parts.iter().map(|(changed, words)| format!("{} {words}", self.changed(*changed))).collect();
        lines.push(format!(
            "{}: {unchanged} unchanged, {amended} amended ({}), {} new, {} refused.",
            count(self.rows.len(), "row", "rows"),
            parts.join(", "),
            self.rows_that(|became| became == Became::New),
            self.rows_that(|became| became == Became::Refused),
        ));
        lines.push(format!(
            "{} in the log before: {} unchanged, {} amended, {} withdrawn, {} left as they were.",
            self.log.len(),
            self.log_that(|fate| *fate == Fate::Unchanged),
            self.log_that(|fate| *fate == Fate::Amended),
            self.withdrawn(),
            self.log_that(|fate| matches!(fate, Fate::Left(_))),
        ));
        if self.apart > 0 {
            lines.push(format!(
                "{} of this author could not be compared: sealed, or without a reference.",
                count(self.apart, "more statement", "more statements")
            ));
        }
        if self.to_accept && amended > 0 {
            lines.push(
                "New terms hold towards each addressee once it accepts them; until then the old ones do."
                    .to_owned(),
            );
        }
        lines
    }

    /// The account for programs.
    pub fn json(&self) -> Value {
        let row = |row: &RowTold| {
            let (became, changed) = match row.became {
                Became::Unchanged => ("unchanged", None),
                Became::Amended(changed) => ("amended", Some(changed)),
                Became::New => ("new", None),
                Became::Refused => ("refused", None),
            };
            let entry = row.continues.map(|at| self.log[at].index);
            json!({
                "line": row.line, "reference": row.reference, "became": became, "changed": changed.map(Changed::name),
                "fields": row.fields, "entry": entry,
            })
        };
        let told = |told: &LogTold| {
            let (fate, from, why) = match &told.fate {
                Fate::Unchanged => ("unchanged", None, None),
                Fate::Amended => ("amended", None, None),
                Fate::Withdrawn(from) => ("withdrawn", from.as_ref(), None),
                Fate::Left(why) => ("left", None, Some(why)),
            };
            json!({
                "reference": told.reference, "id": told.id, "entry": told.index, "became": fate, "effective": from, "why": why,
            })
        };
        json!({
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "log": self.log.iter().map(told).collect::<Vec<_>>(),
            "not_compared": self.apart,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: u64, became: Became, continues: Option<usize>) -> RowTold {
        RowTold {
            line,
            reference: Some(format!("A{line}")),
            became,
            fields: vec!["text".to_owned()],
            continues,
        }
    }

    fn told(reference: &str, fate: Fate) -> LogTold {
        let id = servanda::hash::ZEROS;
        LogTold { reference: reference.to_owned(), id, index: 7, title: "ten\u{202e} tanks".to_owned(), fate }
    }

    #[test]
    fn an_account_adds_up_and_a_row_that_is_refused_leaves_its_statement_as_it_was() {
        let mut account = Account {
            rows: vec![
                row(2, Became::Unchanged, Some(0)),
                row(3, Became::Amended(Changed::Text), Some(1)),
                row(4, Became::New, None),
            ],
            log: vec![
                told("A1", Fate::Unchanged),
                told("A2", Fate::Amended),
                told("A3", Fate::Withdrawn(None)),
            ],
            ..Account::default()
        };
        assert!(!account.is_unchanged());
        assert_eq!(
            account.lines(),
            [
                "withdrawn: A3 (entry 7, \"ten\\u{202e} tanks\")",
                "3 rows: 1 unchanged, 1 amended (0 of the amount, 1 of the text, 0 of both, 0 of other fields), 1 new, \
                 0 refused.",
                "3 in the log before: 1 unchanged, 1 amended, 1 withdrawn, 0 left as they were.",
            ]
        );
        account.refuse(3, "too long");
        let lines = account.lines();
        assert_eq!(
            lines[0],
            "left as it was: A2 (entry 7, \"ten\\u{202e} tanks\"): line 3 was refused: too long"
        );
        assert_eq!(
            lines[2],
            "3 rows: 1 unchanged, 0 amended (0 of the amount, 0 of the text, 0 of both, 0 of other fields), 1 new, \
             1 refused."
        );
        assert_eq!(
            lines[3],
            "3 in the log before: 1 unchanged, 0 amended, 1 withdrawn, 1 left as they were."
        );
        assert_eq!(account.json()["rows"][1]["became"], "refused");
    }
}
