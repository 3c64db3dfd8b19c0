//! What partners saw: `report`, and who vouches for it or disputes it: `attest`, `dispute`.

use super::signing::ActArgs;
use super::{Context, Outcome};
use anyhow::Result;
use clap::Args;
use servanda::statement::Kind;

const REPORT_EXAMPLE: &str = "\
EXAMPLE
    servanda report --kind \"armed attack\" --actor \"Unmarked forces\" --against ua --place \"Odesa\" \\
        --began 2026-11-30T04:10Z --text \"Missiles on the port\" --log paris --key keys/ua-duty
    servanda report --began 2026-11-01 --ended 2026-11-30 --place \"Donetsk\" --figure \"explosions; 1,204\" \\
        --text \"Monthly report\" --log paris --key keys/observer              # an observation, no incident
    servanda report --joins 93ab --kind \"armed attack\" --against ua --began 2026-11-30 --log paris --key …

Who is no partner is called by name; write name:x where the name could be taken for a handle. Run bare on a terminal it
asks for what it needs.";

/// Report an incident, or with no --kind an observation
#[derive(Args)]
#[command(after_help = REPORT_EXAMPLE)]
pub struct ReportArgs {
    /// The kind of incident, as the charter's rules call it; may be repeated
    #[arg(long = "kind", value_name = "KIND", help_heading = "Report")]
    kinds: Vec<String>,
    /// Who did it: a partner's handle, or a name
    #[arg(long, value_name = "WHO", help_heading = "Report")]
    actor: Option<String>,
    /// Against whom: a partner's handle, or a name; may be repeated
    #[arg(long, value_name = "WHO", help_heading = "Report")]
    against: Vec<String>,
    /// Where
    #[arg(long, value_name = "TEXT", help_heading = "Report")]
    place: Option<String>,
    /// When it began: a day, or a moment
    #[arg(long, value_name = "TIME", help_heading = "Report")]
    began: Option<String>,
    /// When it ended; the same day or moment, unless you say otherwise
    #[arg(long, value_name = "TIME", help_heading = "Report")]
    ended: Option<String>,
    /// A figure: "measure; value; region; period"; may be repeated
    #[arg(long = "figure", value_name = "FIGURE", help_heading = "Report")]
    figures: Vec<String>,
    /// In words
    #[arg(long, value_name = "TEXT", help_heading = "Report")]
    text: Option<String>,
    /// A document, bound by its digest: "file; label; language; standing"; may be repeated
    #[arg(long = "annex", value_name = "ANNEX", help_heading = "Report")]
    annexes: Vec<String>,
    /// A report of the same incident: where both say the same, this one attests that one
    #[arg(long, value_name = "ID", help_heading = "Report")]
    joins: Option<String>,
    /// Your own report that this one replaces
    #[arg(long, value_name = "ID", help_heading = "Report")]
    supersedes: Option<String>,
    /// An exercise: everything follows, and nothing is owed
    #[arg(long, help_heading = "Report")]
    exercise: bool,
    #[command(flatten)]
    common: ActArgs,
}

/// Signs a report.
pub fn report(context: &Context, args: ReportArgs) -> Result<Outcome> {
    let mut fields = args.common.fields()?;
    fields.set_list("kinds", &args.kinds).set_list("against", &args.against);
    fields.set_list("figures", &args.figures).set_list("annexes", &args.annexes);
    fields.set("actor", args.actor)?.set("place", args.place)?.set("text", args.text)?;
    fields.set("from", args.began)?.set("to", args.ended)?;
    fields.set("joins", args.joins)?.set("supersedes", args.supersedes)?;
    fields.set("exercise", args.exercise.then_some(true))?;
    args.common.say(context, Kind::Report, fields)
}

/// What is attested or disputed.
#[derive(Args)]
struct StanceArgs {
    /// A report or response, by its id or the first digits, or @ and its entry's index; or an obligation: PLEDGE/due/N,
    /// PLEDGE/call/ID, or PLEDGE where one is open
    on: Option<String>,
    /// occurred, kind, attribution or figures of a report; delivered of a response or obligation, which goes without
    /// saying there; may be repeated
    #[arg(long = "aspect", value_name = "ASPECT")]
    aspects: Vec<String>,
    /// On which grounds
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// A document, bound by its digest: "file; label; language; standing"; may be repeated
    #[arg(long = "annex", value_name = "ANNEX")]
    annexes: Vec<String>,
    #[command(flatten)]
    common: ActArgs,
}

impl StanceArgs {
    fn say(self, context: &Context, kind: Kind) -> Result<Outcome> {
        let mut fields = self.common.fields()?;
        fields.set("on", self.on)?.set("text", self.text)?;
        fields.set_list("aspects", &self.aspects).set_list("annexes", &self.annexes);
        self.common.say(context, kind, fields)
    }
}

const ATTEST_EXAMPLE: &str = "\
EXAMPLE
    servanda attest 93ab --aspect occurred --aspect kind --log paris --key keys/de-duty
    servanda attest def4/due/0 --text \"Our mission saw them arrive\" --log paris --key keys/observer";

/// Attest what a report says, or that something was delivered
#[derive(Args)]
#[command(after_help = ATTEST_EXAMPLE)]
pub struct AttestArgs {
    #[command(flatten)]
    stance: StanceArgs,
}

/// Signs an attestation.
pub fn attest(context: &Context, args: AttestArgs) -> Result<Outcome> {
    args.stance.say(context, Kind::Attest)
}

const DISPUTE_EXAMPLE: &str = "\
EXAMPLE
    servanda dispute 93ab --aspect attribution --text \"No evidence was shown\" --log paris --key keys/fr-duty
    servanda dispute def4/call/93ab --text \"Nothing arrived\" --log paris --key keys/ua-duty

Your last word on an aspect counts: an attestation takes back a dispute, and the other way round.";

/// Dispute what a report says, or that something was delivered
#[derive(Args)]
#[command(after_help = DISPUTE_EXAMPLE)]
pub struct DisputeArgs {
    #[command(flatten)]
    stance: StanceArgs,
}

/// Signs a dispute.
pub fn dispute(context: &Context, args: DisputeArgs) -> Result<Outcome> {
    args.stance.say(context, Kind::Dispute)
}
