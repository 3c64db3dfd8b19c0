//! Questions on a terminal: a yes before anything is signed, and the fields of an act that was named and nothing else.

mod choices;

pub use choices::Seat;

use super::act::Fields;
use super::plain::cut;
use super::problem::Problem;
use anyhow::Result;
use choices::Choice;
use dialoguer::console::Term;
use dialoguer::{Confirm, Input, MultiSelect, Select};
use servanda::statement::Kind;
use std::io::IsTerminal;

/// The columns that stand before what is to be chosen.
const MARGIN: usize = 8;

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
    const WITHDRAW: &[(&str, &str, bool, bool)] = &[
        ("pledges", "The ids of the pledges (separated by commas)", true, true),
        ("text", "Why (may be empty)", false, false),
    ];
    match kind {
        Kind::Pledge => TERMS,
        Kind::Record => RECORD,
        Kind::Withdraw => WITHDRAW,
        _ => &[],
    }
}

/// Whether there is anything to ask for an act that was named and nothing else.
pub fn asks(kind: Kind) -> bool {
    let chosen = [Kind::Accept, Kind::Invoke, Kind::Respond, Kind::Confirm, Kind::Report];
    chosen.contains(&kind) || !questions(kind).is_empty()
}

/// Asks for the fields of an act: what the ledger knows is chosen, the rest is typed.
///
/// # Errors
/// When there is nothing to choose from, or the terminal fails.
pub fn ask(kind: Kind, fields: &mut Fields, seat: &Seat<'_>) -> Result<()> {
    match kind {
        Kind::Accept => accept(fields, seat),
        Kind::Invoke => invoke(fields, seat),
        Kind::Respond => respond(fields, seat),
        Kind::Confirm => confirm_delivery(fields, seat),
        Kind::Report => report(fields, seat),
        _ => ask_each(questions(kind), fields),
    }
}

fn ask_each(questions: &[(&str, &str, bool, bool)], fields: &mut Fields) -> Result<()> {
    for (name, question, needed, list) in questions {
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

fn accept(fields: &mut Fields, seat: &Seat<'_>) -> Result<()> {
    let proposed = some(seat.proposed(), format!("nothing waits for {} to accept it", seat.author))?;
    fields.set_list("statements", &some_of("Accept which", proposed)?);
    ask_each(&[("reservation", "A reservation (may be empty)", false, false)], fields)
}

fn invoke(fields: &mut Fields, seat: &Seat<'_>) -> Result<()> {
    let callable = format!("no pledge in force can be called upon by {}", seat.author);
    fields.set_list("pledges", &some_of("Call upon which", some(seat.callable(), callable)?)?);
    let mut incidents = seat.incidents();
    if !incidents.is_empty() {
        incidents.push(Choice::word("none of these", ""));
        let incident = one_of("Because of which incident", incidents)?;
        fields.set("incident", Some(incident).filter(|id| !id.is_empty()))?;
    }
    ask_each(&[("text", "In words (may be empty)", false, false)], fields)
}

fn respond(fields: &mut Fields, seat: &Seat<'_>) -> Result<()> {
    let owed = some(seat.owed(), format!("{} owes nothing that is open", seat.author))?;
    fields.set("obligation", Some(one_of("Answer which", owed)?))?;
    let answers = [("delivered", "delivered"), ("seen, under way", "acknowledged"), ("declined", "declined")];
    let answer = one_of("Your answer", words(&answers))?;
    if answer == "delivered" {
        ask_each(
            &[
                (
                    "quantity",
                    "How much, in the unit of the terms (e.g. 2 batteries; empty: all of it)",
                    false,
                    false,
                ),
                ("done_at", "When (e.g. 2027-05-30; may be empty)", false, false),
            ],
            fields,
        )?;
    }
    fields.set("answer", Some(answer))?;
    ask_each(&[("note", "In words (may be empty)", false, false)], fields)
}

fn confirm_delivery(fields: &mut Fields, seat: &Seat<'_>) -> Result<()> {
    let claimed = some(seat.claimed(), format!("no delivery waits for {} to confirm it", seat.author))?;
    fields.set("response", Some(one_of("Confirm which", claimed)?))?;
    let received = [
        ("all of it arrived", "in_full"),
        ("a part arrived", "in part"),
        ("nothing arrived", "not_received"),
    ];
    let mut received = one_of("What arrived", words(&received))?;
    if received == "in part" {
        let much: String = Input::new()
            .with_prompt("How much, in the unit of the terms (e.g. 1 batteries)")
            .interact_text()?;
        received = format!("in part {much}");
    }
    fields.set("received", Some(received))?;
    ask_each(&[("note", "In words (may be empty)", false, false)], fields)
}

fn report(fields: &mut Fields, seat: &Seat<'_>) -> Result<()> {
    let kinds = seat.kinds();
    if !kinds.is_empty() {
        let none = "Which kind of incident (none: an observation)";
        fields.set_list("kinds", &chosen(none, kinds)?);
    }
    ask_each(
        &[
            ("against", "Against whom (handles or names, separated by commas; may be empty)", false, true),
            ("actor", "Who did it (a handle or a name; may be empty)", false, false),
            ("place", "Where (may be empty)", false, false),
            ("from", "When it began (e.g. 2026-11-30 or 2026-11-30T04:10Z)", true, false),
            ("to", "When it ended (may be empty)", false, false),
            ("figures", "A figure (measure; value; region; period; may be empty)", false, false),
            ("text", "In words (may be empty)", false, false),
        ],
        fields,
    )
}

fn words(all: &[(&str, &str)]) -> Vec<Choice> {
    all.iter().map(|(shown, value)| Choice::word(shown, value)).collect()
}

/// What there is to choose from, if there is anything.
fn some(choices: Vec<Choice>, none: String) -> Result<Vec<Choice>> {
    if choices.is_empty() {
        return Err(Problem::new(none).hint("`servanda agenda` lists what waits for whose word").into());
    }
    Ok(choices)
}

fn one_of(question: &str, mut choices: Vec<Choice>) -> Result<String> {
    let at = Select::new().with_prompt(question).items(shown(&choices)).default(0).interact()?;
    Ok(choices.swap_remove(at).value)
}

fn some_of(question: &str, choices: Vec<Choice>) -> Result<Vec<String>> {
    let chosen = chosen(question, choices)?;
    if chosen.is_empty() {
        return Err(Problem::new("nothing was chosen").hint("the space bar marks a line, Enter ends").into());
    }
    Ok(chosen)
}

fn chosen(question: &str, choices: Vec<Choice>) -> Result<Vec<String>> {
    let question = format!("{question} (space marks, Enter ends)");
    let marked = MultiSelect::new().with_prompt(question).items(shown(&choices)).interact()?;
    Ok(choices.into_iter().enumerate().filter(|(n, _)| marked.contains(n)).map(|(_, c)| c.value).collect())
}

/// One line each: what is longer than the terminal is wide would be drawn over itself.
fn shown(choices: &[Choice]) -> Vec<String> {
    let width = usize::from(Term::stderr().size().1).saturating_sub(MARGIN).max(MARGIN);
    choices.iter().map(|choice| cut(&choice.shown, width)).collect()
}
