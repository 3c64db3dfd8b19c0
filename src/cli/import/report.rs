//! What became of a file, at the end: its rows add up.

use super::release::Account;
use super::sorting::Refused;
use crate::cli::{Context, Outcome};
use anyhow::Result;
use serde_json::json;
use servanda::hash::Hash;
use servanda::text::count;

/// What became of a file.
pub struct Report {
    /// How many rows it had.
    pub rows: usize,
    /// How many statements are, or would be, signed.
    pub statements: usize,
    /// What was refused.
    pub refused: Vec<Refused>,
    /// How many rows the log has already.
    pub skipped: usize,
    /// Over all acts.
    pub digest: Hash,
    /// Of a new release: what became of each row, and of what the log had.
    pub account: Option<Account>,
    /// Whether the statements were signed.
    pub signed: bool,
    /// Whether none was to be.
    pub dry_run: bool,
}

impl Report {
    /// Says what became of the file: its rows add up.
    ///
    /// # Errors
    /// When it cannot be written for programs.
    pub fn end(self, context: &Context, place: Option<serde_json::Value>) -> Result<Outcome> {
        let refused = self.refused.len();
        let (signed, good) = if self.signed { (self.statements, 0) } else { (0, self.statements) };
        let says = |line: String| context.screen.say(line);
        match &self.account {
            Some(account) => {
                if good > 0 {
                    says("Not signed: this is what the release would change.".to_owned());
                }
                account.lines().into_iter().for_each(says);
                says(match account.is_unchanged() {
                    true => "Nothing changed.".to_owned(),
                    false if good > 0 => format!("{} not signed.", count(good, "statement", "statements")),
                    false => format!("{} signed.", count(signed, "statement", "statements")),
                });
            }
            None => {
                let mut parts = vec![format!("{signed} signed"), format!("{refused} refused")];
                if good > 0 {
                    parts.push(format!("{good} good and not signed"));
                }
                if self.skipped > 0 {
                    parts.push(format!("{} in the log already", self.skipped));
                }
                says(format!("{}: {}.", count(self.rows, "row", "rows"), parts.join(", ")));
            }
        }
        match (good, self.dry_run) {
            (0, _) => {}
            (_, true) => context.screen.note("Nothing was signed, as --dry-run asks."),
            _ if refused == 0 => {}
            _ => context
                .screen
                .note("Nothing was signed. Mend these rows, or leave them out with --keep-going."),
        }
        let rows = self.refused.iter().map(
            |row| json!({ "line": row.line, "reference": row.reference, "reason": row.refusal.to_string() }),
        );
        let mut json = json!({
            "rows": self.rows, "statements": signed, "skipped": self.skipped,
            "refused": rows.collect::<Vec<_>>(), "digest": self.digest, "to": place,
        });
        if let Some(account) = &self.account {
            json["release"] = account.json();
        }
        context.screen.json(&json)?;
        Ok(if refused > 0 { Outcome::Bad } else { Outcome::Good })
    }
}
