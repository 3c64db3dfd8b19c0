//! Commitments: `pledge`, `record`, `amend`, `accept`, `join`, `adopt`, `withdraw`, `notice`.

use super::act::Fields;
use super::signing::ActArgs;
use super::{Context, Outcome};
use anyhow::Result;
use clap::Args;
use serde_json::{Map, Value, json};
use servanda::statement::Kind;

/// The terms of a pledge, as options.
#[derive(Args, Default)]
pub struct TermsArgs {
    /// To whom: a handle; may be repeated
    #[arg(long, value_name = "HANDLE", help_heading = "Terms")]
    to: Vec<String>,
    /// Your own reference, e.g. DEU-M1
    #[arg(long, value_name = "TEXT", help_heading = "Terms")]
    reference: Option<String>,
    /// What is pledged, in a few words
    #[arg(long, value_name = "TEXT", help_heading = "Terms")]
    title: Option<String>,
    /// What is pledged, in full
    #[arg(long, value_name = "TEXT", help_heading = "Terms")]
    text: Option<String>,
    /// military, economic, political, humanitarian, or one of the charter's own; may be repeated
    #[arg(long = "instrument", value_name = "NAME", help_heading = "Terms")]
    instruments: Vec<String>,
    /// How much: "exactly 5 EUR", "at least …", "up to …", "about …"
    #[arg(long, value_name = "QUANTITY", help_heading = "Terms")]
    quantity: Option<String>,
    /// binding, political (unless you say otherwise), `best_efforts` or target
    #[arg(long, value_name = "FORCE", help_heading = "Terms")]
    force: Option<String>,
    /// The day it was given outside this log
    #[arg(long, value_name = "DAY", help_heading = "Terms")]
    made_on: Option<String>,
    /// Where it was given or announced outside this log
    #[arg(long, value_name = "TEXT", help_heading = "Terms")]
    source: Option<String>,
    /// From when it holds; now, unless you say otherwise
    #[arg(long, value_name = "TIME", help_heading = "Terms")]
    valid_from: Option<String>,
    /// Until when it holds
    #[arg(long, value_name = "TIME", help_heading = "Terms")]
    valid_until: Option<String>,
    /// How long after its notice a withdrawal takes effect, e.g. "6 months"
    #[arg(long, value_name = "DURATION", help_heading = "Terms")]
    notice_period: Option<String>,
    /// How long after a call a response is due, e.g. 24h
    #[arg(long, value_name = "DURATION", help_heading = "Terms")]
    respond_within: Option<String>,
    #[command(flatten)]
    trigger: TriggerArgs,
    /// An instalment: "label; by when; quantity"; may be repeated
    #[arg(long = "due", value_name = "DUE", help_heading = "Terms")]
    dues: Vec<String>,
    /// What must happen first: "label; declared by; by when"; may be repeated
    #[arg(long = "need", value_name = "NEED", help_heading = "Terms")]
    needs: Vec<String>,
    /// Those who owe it jointly, you among them, each once it has joined; may be repeated
    #[arg(long = "owed-by", value_name = "HANDLE", help_heading = "Terms")]
    owed_by: Vec<String>,
    /// The pledge that this one is part of: then totals leave it out
    #[arg(long, value_name = "PLEDGE", help_heading = "Terms")]
    within: Option<String>,
    /// A document, bound by its digest: "file; label; language; standing"; may be repeated
    #[arg(long = "annex", value_name = "ANNEX", help_heading = "Terms")]
    annexes: Vec<String>,
}

/// On which condition a pledge is called upon.
#[derive(Args, Default)]
struct TriggerArgs {
    /// The incident kind on which it is called; may be repeated
    #[arg(long = "trigger", value_name = "KIND", help_heading = "Terms")]
    triggers: Vec<String>,
    /// Against whom the incident is; anyone, unless you say otherwise; may be repeated
    #[arg(long = "trigger-against", value_name = "HANDLE", help_heading = "Terms")]
    trigger_against: Vec<String>,
    /// The incident kind that must have come first, e.g. "cessation of hostilities"
    #[arg(long, value_name = "KIND", help_heading = "Terms")]
    trigger_only_after: Option<String>,
    /// What starts it: `on_request`, `once_established` or either
    #[arg(long, value_name = "HOW", help_heading = "Terms")]
    trigger_starts: Option<String>,
    /// Who may call upon it; may be repeated
    #[arg(long = "requester", value_name = "HANDLE", help_heading = "Terms")]
    requesters: Vec<String>,
    /// The pledge that must have been called upon first
    #[arg(long, value_name = "PLEDGE", help_heading = "Terms")]
    trigger_after: Option<String>,
}

impl TriggerArgs {
    /// The trigger as the terms have it; none where no option speaks of one.
    fn into_value(self) -> Option<Map<String, Value>> {
        let mut trigger = Map::new();
        let mut set = |name: &str, value: Option<Value>| trigger.extend(value.map(|v| (name.to_owned(), v)));
        let list = |values: &[String]| (!values.is_empty()).then(|| json!(values));
        set("kinds", list(&self.triggers));
        set("against", list(&self.trigger_against));
        set("only_after", self.trigger_only_after.map(Value::from));
        set("after", self.trigger_after.map(Value::from));
        set("starts", self.trigger_starts.map(Value::from));
        set("requesters", list(&self.requesters));
        if trigger.is_empty() {
            return None;
        }
        // Without a kind nothing could establish it: it waits for a request.
        let starts = if self.triggers.is_empty() { "on_request" } else { "either" };
        trigger.entry("kinds").or_insert_with(|| json!([]));
        trigger.entry("starts").or_insert_with(|| json!(starts));
        Some(trigger)
    }
}

impl TermsArgs {
    fn into_fields(self, fields: &mut Fields) -> Result<()> {
        fields.set("reference", self.reference)?.set("title", self.title)?.set("text", self.text)?;
        fields.set("quantity", self.quantity)?.set("force", self.force)?.set("made_on", self.made_on)?;
        fields.set("source", self.source)?.set("valid_from", self.valid_from)?;
        fields.set("valid_until", self.valid_until)?.set("notice_period", self.notice_period)?;
        fields.set("respond_within", self.respond_within)?;
        fields
            .set_list("to", &self.to)
            .set_list("instruments", &self.instruments)
            .set_list("dues", &self.dues);
        fields.set_list("needs", &self.needs).set_list("annexes", &self.annexes);
        if !self.owed_by.is_empty() {
            fields.set("owed_by", Some(json!({ "jointly": self.owed_by })))?;
        }
        fields.set("within", self.within)?.set("trigger", self.trigger.into_value())?;
        Ok(())
    }
}

const PLEDGE_EXAMPLE: &str = "\
EXAMPLE
    servanda pledge --log paris --key keys/de-defence --to ua --title \"Air defence in 2026\" \\
        --instrument military --quantity \"at least 3 batteries\" --due \"2026; 2026-12-31\"

Run bare on a terminal it asks for what it needs. All fields can come from a TOML or JSON file (--from).";

/// Pledge something to one or more partners
#[derive(Args)]
#[command(after_help = PLEDGE_EXAMPLE)]
pub struct PledgeArgs {
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    common: ActArgs,
}

/// Signs a pledge.
pub fn pledge(context: &Context, args: PledgeArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    args.terms.into_fields(&mut fields)?;
    args.common.say(context, Kind::Pledge, fields)
}

const RECORD_EXAMPLE: &str = "\
EXAMPLE
    servanda record --log paris --key keys/kiel --promisor se --to ua --title \"Archer howitzers\" \\
        --instrument military --quantity \"exactly 8 units\" --made-on 2023-01-19 \\
        --source \"https://government.example/press\"";

/// Record a commitment that was announced in public, not signed here by who gave it
#[derive(Args)]
#[command(after_help = RECORD_EXAMPLE)]
pub struct RecordArgs {
    /// Who gave it: a partner's handle, or a name
    #[arg(long, value_name = "WHO")]
    promisor: Option<String>,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    common: ActArgs,
}

/// Signs a record.
pub fn record(context: &Context, args: RecordArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    args.terms.into_fields(&mut fields)?;
    fields.set("promisor", args.promisor)?;
    args.common.say(context, Kind::Record, fields)
}

const AMEND_EXAMPLE: &str = "\
EXAMPLE
    servanda show 3f8a --log paris            # the pledge as it stands
    servanda amend 3f8a --log paris --key keys/de-defence --from new-terms.toml

The terms are given whole; they replace the old ones towards each addressee once that one accepts. Only force and the
beginning of validity stay as they were where the new terms do not say them.";

/// Amend your own pledge or record: new terms, whole
#[derive(Args)]
#[command(after_help = AMEND_EXAMPLE)]
pub struct AmendArgs {
    /// The pledge or record: its author's reference, its id or the first digits, or @ and its entry's index
    #[arg(value_name = "PLEDGE")]
    id: Option<String>,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    common: ActArgs,
}

/// Signs an amendment.
pub fn amend(context: &Context, args: AmendArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    args.terms.into_fields(&mut fields)?;
    fields.set("statement", args.id)?;
    args.common.say(context, Kind::Amend, fields)
}

const ACCEPT_EXAMPLE: &str = "\
EXAMPLE
    servanda accept 3f8a 77c0 --log paris --key keys/ua-minister

Run bare on a terminal it lists what waits for you to accept it.";

/// Accept pledges or amendments: exactly those named
#[derive(Args)]
#[command(after_help = ACCEPT_EXAMPLE)]
pub struct AcceptArgs {
    /// The pledges or amendments, each by its author's reference, its id or the first digits, or @ and its entry's index;
    /// a reference stands for the latest terms
    #[arg(value_name = "PLEDGE")]
    ids: Vec<String>,
    /// A reservation that you make
    #[arg(long, value_name = "TEXT")]
    reservation: Option<String>,
    #[command(flatten)]
    common: ActArgs,
}

/// Signs an acceptance.
pub fn accept(context: &Context, args: AcceptArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    fields.set_list("statements", &args.ids).set("reservation", args.reservation)?;
    args.common.say(context, Kind::Accept, fields)
}

const WITHDRAW_EXAMPLE: &str = "\
EXAMPLE
    servanda withdraw 3f8a --log paris --key keys/de-minister --text \"superseded by a treaty\"";

/// Withdraw from pledges; what is owed by the end of the notice period stays owed
#[derive(Args)]
#[command(after_help = WITHDRAW_EXAMPLE)]
pub struct WithdrawArgs {
    /// The pledges, each by its author's reference, its id or the first digits, or @ and its entry's index
    #[arg(value_name = "PLEDGE")]
    ids: Vec<String>,
    /// Instead of ids: the SHA-256 of an agreement, for all pledges that carry it as annex
    #[arg(long, value_name = "SHA256", conflicts_with = "ids")]
    agreement: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    #[command(flatten)]
    common: ActArgs,
}

/// Signs a withdrawal.
pub fn withdraw(context: &Context, args: WithdrawArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    fields.set_list("pledges", &args.ids).set("text", args.text)?;
    if let Some(agreement) = args.agreement {
        fields.set("from", Some(json!({ "agreement": agreement })))?;
    }
    args.common.say(context, Kind::Withdraw, fields)
}

const JOIN_EXAMPLE: &str = "\
EXAMPLE
    servanda join 3f8a --log paris --key keys/fr-minister

Who is named in the pledge as owing it jointly owes it from then on; anybody else takes on the same as an obligation of
its own. An amendment is joined by its own id.";

/// Join a pledge or amendment: owe it jointly where you are named, else the same on your own account
#[derive(Args)]
#[command(after_help = JOIN_EXAMPLE)]
pub struct JoinArgs {
    /// The pledge: its author's reference, its id or the first digits, or @ and its entry's index;
    /// or the amendment, by its own id or index
    #[arg(value_name = "PLEDGE")]
    id: Option<String>,
    #[command(flatten)]
    common: ActArgs,
}

/// Signs a join.
pub fn join(context: &Context, args: JoinArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    fields.set("statement", args.id)?;
    args.common.say(context, Kind::Join, fields)
}

const ADOPT_EXAMPLE: &str = "\
EXAMPLE
    servanda adopt 3f8a --log paris --key keys/se-minister";

/// Adopt a record of what you promised: from then on it is your own pledge, by the recorded terms
#[derive(Args)]
#[command(after_help = ADOPT_EXAMPLE)]
pub struct AdoptArgs {
    /// The record: its author's reference, its id or the first digits, or @ and its entry's index
    #[arg(value_name = "RECORD")]
    id: Option<String>,
    #[command(flatten)]
    common: ActArgs,
}

/// Signs an adoption.
pub fn adopt(context: &Context, args: AdoptArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    fields.set("record", args.id)?;
    args.common.say(context, Kind::Adopt, fields)
}

const NOTICE_EXAMPLE: &str = "\
EXAMPLE
    servanda notice 3f8a --need-met ratification --log paris --key keys/de-minister
    servanda notice 3f8a --suspended --text \"while talks go on\" --log paris --key keys/ua-minister
    servanda notice 77c0 --objection --text \"The reservation defeats the purpose\" --log paris --key …";

/// Give notice on a statement: a need met or failed, a suspension, an objection, a clarification
#[derive(Args)]
#[command(after_help = NOTICE_EXAMPLE)]
pub struct NoticeArgs {
    /// The statement: its id or the first digits, @ and its entry's index, or a pledge's reference; for a need, the pledge or
    /// amendment that has it
    #[arg(value_name = "STATEMENT")]
    id: Option<String>,
    #[command(flatten)]
    notice: NoticeOf,
    /// From when it holds; at once, unless you say otherwise
    #[arg(long, value_name = "TIME")]
    effective_at: Option<String>,
    /// In words
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// A document, bound by its digest: "file; label; language; standing"; may be repeated
    #[arg(long = "annex", value_name = "ANNEX")]
    annexes: Vec<String>,
    #[command(flatten)]
    common: ActArgs,
}

/// Of what notice is given.
#[derive(Args)]
#[group(multiple = false)]
#[allow(clippy::struct_excessive_bools, reason = "one of them at most")]
struct NoticeOf {
    /// A need is met: its number, from 0, or its label
    #[arg(long, value_name = "NEED", help_heading = "Notice")]
    need_met: Option<String>,
    /// A need has failed
    #[arg(long, value_name = "NEED", help_heading = "Notice")]
    need_failed: Option<String>,
    /// A reservation
    #[arg(long, help_heading = "Notice")]
    reservation: bool,
    /// An objection
    #[arg(long, help_heading = "Notice")]
    objection: bool,
    /// It is suspended: by its author after the notice period, by an addressee for itself
    #[arg(long, help_heading = "Notice")]
    suspended: bool,
    /// It is resumed
    #[arg(long, help_heading = "Notice")]
    resumed: bool,
    /// What was meant
    #[arg(long, help_heading = "Notice")]
    clarification: bool,
    /// What was mistaken
    #[arg(long, help_heading = "Notice")]
    correction: bool,
}

impl NoticeOf {
    fn into_value(self) -> Option<Value> {
        let flags = [
            ("reservation", self.reservation),
            ("objection", self.objection),
            ("suspended", self.suspended),
            ("resumed", self.resumed),
            ("clarification", self.clarification),
            ("correction", self.correction),
        ];
        let need = |kind: &str, need: Option<String>| need.map(|need| json!({ kind: need }));
        let flag = flags.iter().find(|(_, given)| *given).map(|(name, _)| json!(name));
        need("need_met", self.need_met).or(need("need_failed", self.need_failed)).or(flag)
    }
}

/// Signs a notice.
pub fn notice(context: &Context, args: NoticeArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    fields.set("statement", args.id)?.set("notice", args.notice.into_value())?;
    fields.set("effective_at", args.effective_at)?.set("text", args.text)?;
    fields.set_list("annexes", &args.annexes);
    args.common.say(context, Kind::Notice, fields)
}
