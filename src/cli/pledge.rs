//! Commitments: `pledge`, `record`, `amend`, `accept`, `withdraw`, and every other act from a file.

use super::act::{Fields, from_file};
use super::signing::{self, SignArgs};
use super::{Context, Outcome};
use anyhow::Result;
use clap::Args;
use serde_json::{Map, json};
use servanda::statement::Kind;
use std::path::PathBuf;

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
    /// An instalment: "label; by when; quantity"; may be repeated
    #[arg(long = "due", value_name = "DUE", help_heading = "Terms")]
    dues: Vec<String>,
    /// What must happen first: "label; declared by; by when"; may be repeated
    #[arg(long = "need", value_name = "NEED", help_heading = "Terms")]
    needs: Vec<String>,
    /// A document, bound by its digest: "file; label; language; standing"; may be repeated
    #[arg(long = "annex", value_name = "ANNEX", help_heading = "Terms")]
    annexes: Vec<String>,
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
        if !self.triggers.is_empty() {
            let mut trigger = Map::new();
            trigger.insert("kinds".into(), json!(self.triggers));
            if !self.trigger_against.is_empty() {
                trigger.insert("against".into(), json!(self.trigger_against));
            }
            trigger.insert("only_after".into(), json!(self.trigger_only_after));
            trigger.insert("starts".into(), json!(self.trigger_starts.unwrap_or_else(|| "either".into())));
            trigger.insert("requesters".into(), json!(self.requesters));
            fields.set("trigger", Some(trigger))?;
        }
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
    common: Common,
}

/// What all acts of this family share.
#[derive(Args)]
struct Common {
    /// Read the fields from a TOML or JSON file; options override them
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    sign: SignArgs,
}

impl Common {
    fn fields(&self) -> Result<Fields> {
        self.from.as_deref().map_or_else(|| Ok(Fields::default()), from_file)
    }

    fn folder(&self) -> Option<PathBuf> {
        Some(self.from.as_ref()?.parent()?.to_owned())
    }
}

/// Signs a pledge.
pub fn pledge(context: &Context, args: PledgeArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    args.terms.into_fields(&mut fields)?;
    let folder = args.common.folder();
    signing::say(context, Kind::Pledge, fields, folder, args.common.sign)
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
    common: Common,
}

/// Signs a record.
pub fn record(context: &Context, args: RecordArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    args.terms.into_fields(&mut fields)?;
    fields.set("promisor", args.promisor)?;
    let folder = args.common.folder();
    signing::say(context, Kind::Record, fields, folder, args.common.sign)
}

const AMEND_EXAMPLE: &str = "\
EXAMPLE
    servanda show 3f8a --log paris            # the pledge as it stands
    servanda amend 3f8a --log paris --key keys/de-defence --from new-terms.toml

The terms are given whole; they replace the old ones towards each addressee once that one accepts.";

/// Amend your own pledge or record: new terms, whole
#[derive(Args)]
#[command(after_help = AMEND_EXAMPLE)]
pub struct AmendArgs {
    /// The id of the pledge or record
    id: Option<String>,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    common: Common,
}

/// Signs an amendment.
pub fn amend(context: &Context, args: AmendArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    args.terms.into_fields(&mut fields)?;
    fields.set("statement", args.id)?;
    let folder = args.common.folder();
    signing::say(context, Kind::Amend, fields, folder, args.common.sign)
}

const ACCEPT_EXAMPLE: &str = "\
EXAMPLE
    servanda accept 3f8a 77c0 --log paris --key keys/ua-minister";

/// Accept pledges or amendments: exactly those named
#[derive(Args)]
#[command(after_help = ACCEPT_EXAMPLE)]
pub struct AcceptArgs {
    /// The ids of the pledges or amendments
    ids: Vec<String>,
    /// A reservation that you make
    #[arg(long, value_name = "TEXT")]
    reservation: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Signs an acceptance.
pub fn accept(context: &Context, args: AcceptArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    fields.set_list("statements", &args.ids).set("reservation", args.reservation)?;
    let folder = args.common.folder();
    signing::say(context, Kind::Accept, fields, folder, args.common.sign)
}

const WITHDRAW_EXAMPLE: &str = "\
EXAMPLE
    servanda withdraw 3f8a --log paris --key keys/de-minister --text \"superseded by a treaty\"";

/// Withdraw from pledges; what is owed by the end of the notice period stays owed
#[derive(Args)]
#[command(after_help = WITHDRAW_EXAMPLE)]
pub struct WithdrawArgs {
    /// The ids of the pledges
    ids: Vec<String>,
    /// Instead of ids: the SHA-256 of an agreement, for all pledges that carry it as annex
    #[arg(long, value_name = "SHA256", conflicts_with = "ids")]
    agreement: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Signs a withdrawal.
pub fn withdraw(context: &Context, args: WithdrawArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    fields.set_list("pledges", &args.ids).set("text", args.text)?;
    if let Some(agreement) = args.agreement {
        fields.set("from", Some(json!({ "agreement": agreement })))?;
    }
    let folder = args.common.folder();
    signing::say(context, Kind::Withdraw, fields, folder, args.common.sign)
}
