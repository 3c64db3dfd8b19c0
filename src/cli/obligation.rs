//! Obligations: `invoke` calls upon pledges, `respond` answers, `confirm` says what arrived.

use super::signing::ActArgs;
use super::{Context, Outcome};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use servanda::statement::Kind;

const INVOKE_EXAMPLE: &str = "\
EXAMPLE
    servanda invoke 3f8a 77c0 --incident 93ab --log paris --key keys/ua-duty
    servanda invoke 3f8a --text \"Consultations on the attack of this morning\" --log paris --key keys/ua-duty

Run bare on a terminal it lists what you may call upon.";

/// Call upon pledges that start on request
#[derive(Args)]
#[command(after_help = INVOKE_EXAMPLE)]
pub struct InvokeArgs {
    /// The pledges, each by its author's reference, its id or the first digits, or @ and its entry's index
    #[arg(value_name = "PLEDGE")]
    ids: Vec<String>,
    /// The incident because of which: its first report, by its id or the first digits, or @ and its entry's index
    #[arg(long, value_name = "ID")]
    incident: Option<String>,
    /// When it was requested; now, unless you say otherwise
    #[arg(long, value_name = "TIME")]
    requested_at: Option<String>,
    /// In words
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    #[command(flatten)]
    common: ActArgs,
}

/// Signs a call.
pub fn invoke(context: &Context, args: InvokeArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    fields.set_list("pledges", &args.ids).set("incident", args.incident)?;
    fields.set("requested_at", args.requested_at)?.set("text", args.text)?;
    args.common.say(context, Kind::Invoke, fields)
}

const RESPOND_EXAMPLE: &str = "\
EXAMPLE
    servanda respond def4/due/0 --delivered --quantity \"1 batteries\" --done-at 2027-05-30 --log paris --key …
    servanda respond def4/call/93ab --acknowledged --log paris --key keys/de-duty
    servanda respond DEU-M1 --declined --note \"No stocks left\" --log paris --key keys/de-duty

The third form does where one obligation of the pledge is open. What is delivered in parts takes a response for each.
Run bare on a terminal it lists what you owe.";

/// Answer an obligation: seen, delivered, or declined
#[derive(Args)]
#[command(after_help = RESPOND_EXAMPLE)]
pub struct RespondArgs {
    /// The obligation: PLEDGE/due/N, PLEDGE/call/ID, or PLEDGE where one is open; PLEDGE as everywhere: DEU-M1, 3f8a or @12
    obligation: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
    /// How much was delivered, in the unit of the terms, e.g. "2 batteries"; all that was owed, unless you say it
    #[arg(long, value_name = "AMOUNT")]
    quantity: Option<String>,
    /// When it was delivered; it counts once it is confirmed
    #[arg(long, value_name = "TIME")]
    done_at: Option<String>,
    /// In words
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// A document, bound by its digest: "file; label; language; standing"; may be repeated
    #[arg(long = "annex", value_name = "ANNEX")]
    annexes: Vec<String>,
    #[command(flatten)]
    common: ActArgs,
}

#[derive(Args)]
#[group(multiple = false)]
struct AnswerArgs {
    /// Seen, under way
    #[arg(long, help_heading = "Answer")]
    acknowledged: bool,
    /// Delivered
    #[arg(long, help_heading = "Answer")]
    delivered: bool,
    /// Declined
    #[arg(long, help_heading = "Answer")]
    declined: bool,
}

impl AnswerArgs {
    fn word(&self) -> Option<&'static str> {
        let flags =
            [("acknowledged", self.acknowledged), ("delivered", self.delivered), ("declined", self.declined)];
        flags.iter().find(|(_, given)| *given).map(|(word, _)| *word)
    }
}

/// Signs a response.
pub fn respond(context: &Context, args: RespondArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    fields.set("obligation", args.obligation)?.set("answer", args.answer.word())?;
    fields.set("quantity", args.quantity)?.set("done_at", args.done_at)?.set("note", args.note)?;
    fields.set_list("annexes", &args.annexes);
    args.common.say(context, Kind::Respond, fields)
}

const CONFIRM_EXAMPLE: &str = "\
EXAMPLE
    servanda confirm 61d0 --in-full --log paris --key keys/ua-duty
    servanda confirm 61d0 --in-part \"1 batteries\" --note \"One came without radar\" --log paris --key keys/ua-duty

Your last word on a response counts. Run bare on a terminal it lists what waits for you to confirm.";

/// Say what arrived of what was claimed to be delivered
#[derive(Args)]
#[command(after_help = CONFIRM_EXAMPLE)]
pub struct ConfirmArgs {
    /// The response: its id or the first digits, or @ and its entry's index
    response: Option<String>,
    #[command(flatten)]
    received: ReceivedArgs,
    /// In words
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    common: ActArgs,
}

#[derive(Args)]
#[group(multiple = false)]
struct ReceivedArgs {
    /// All of it
    #[arg(long, help_heading = "Received")]
    in_full: bool,
    /// So much of it, in the unit of the terms
    #[arg(long, value_name = "AMOUNT", help_heading = "Received")]
    in_part: Option<String>,
    /// Nothing
    #[arg(long, help_heading = "Received")]
    not_received: bool,
}

impl ReceivedArgs {
    fn into_value(self) -> Option<Value> {
        match self {
            Self { in_full: true, .. } => Some(json!("in_full")),
            Self { not_received: true, .. } => Some(json!("not_received")),
            Self { in_part, .. } => in_part.map(|amount| json!(format!("in part {amount}"))),
        }
    }
}

/// Signs a confirmation.
pub fn confirm(context: &Context, args: ConfirmArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    fields.set("response", args.response)?.set("received", args.received.into_value())?;
    fields.set("note", args.note)?;
    args.common.say(context, Kind::Confirm, fields)
}
