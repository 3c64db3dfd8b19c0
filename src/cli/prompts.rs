//! Questions on a terminal.

use super::act::Fields;
use super::problem::Problem;
use anyhow::Result;
use dialoguer::{Confirm, Input};
use servanda::statement::Kind;
use std::io::IsTerminal;

/// Whether there is somebody to ask.
pub fn possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a yes, unless it was given.
pub fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !possible() {
        return Err(Problem::new("there is no terminal to ask on")
            .hint("add --yes if this is what you want")
            .into());
    }
    if Confirm::new().with_prompt(question).default(false).interact()? {
        Ok(())
    } else {
        Err(Problem::new("not signed, as you said").into())
    }
}

/// What to ask for each kind: field, question, whether it must be answered, whether it is a list.
fn questions(kind: Kind) -> &'static [(&'static str, &'static str, bool, bool)] {
    const TERMS: &[(&str, &str, bool, bool)] = &[
        ("to", "To whom (handles, separated by commas)", true, true),
        ("title", "What, in a few words", true, false),
        ("text", "In full (may be empty)", false, false),
        ("instruments", "By which means (military, economic, political, humanitarian)", true, true),
        ("quantity", "How much (e.g. \"up to 5 EUR\"; may be empty)", false, false),
        ("valid_until", "Until when (e.g. 2034-02-16; may be empty)", false, false),
        ("respond_within", "How soon to respond when called upon (e.g. 24h; may be empty)", false, false),
    ];
    const RECORD: &[(&str, &str, bool, bool)] = &[
        ("promisor", "Who gave it (a handle or a name)", true, false),
        ("to", "To whom (handles, separated by commas)", true, true),
        ("title", "What, in a few words", true, false),
        ("text", "In full (may be empty)", false, false),
        ("instruments", "By which means (military, economic, political, humanitarian)", true, true),
        ("quantity", "How much (e.g. \"up to 5 EUR\"; may be empty)", false, false),
        ("made_on", "When it was announced (e.g. 2024-02-16; may be empty)", false, false),
        ("source", "Where it was announced", true, false),
    ];
    const ACCEPT: &[(&str, &str, bool, bool)] = &[
        ("statements", "The ids of the pledges or amendments (separated by commas)", true, true),
        ("reservation", "A reservation (may be empty)", false, false),
    ];
    const WITHDRAW: &[(&str, &str, bool, bool)] = &[
        ("pledges", "The ids of the pledges (separated by commas)", true, true),
        ("text", "Why (may be empty)", false, false),
    ];
    match kind {
        Kind::Pledge => TERMS,
        Kind::Record => RECORD,
        Kind::Accept => ACCEPT,
        Kind::Withdraw => WITHDRAW,
        _ => &[],
    }
}

/// Asks for the fields of an act.
pub fn ask(kind: Kind, fields: &mut Fields) -> Result<()> {
    for (name, question, needed, list) in questions(kind) {
        let answer: String = Input::new().with_prompt(*question).allow_empty(!needed).interact_text()?;
        let parts: Vec<String> =
            answer.split(',').map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect();
        if *list {
            fields.set_list(name, &parts);
        } else if !answer.trim().is_empty() {
            fields.set(name, Some(answer.trim()))?;
        }
    }
    Ok(())
}
