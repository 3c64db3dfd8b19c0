//! `review` records a meeting; `reveal` opens to everyone what its author had sealed.

use super::act::Fields;
use super::desk::Desk;
use super::files::read_whole;
use super::problem::{Hint as _, Problem};
use super::signing::{self, ActArgs, SignArgs};
use super::{Context, Outcome};
use anyhow::Result;
use clap::Args;
use servanda::armor::File;
use servanda::seal::Opening;
use servanda::statement::body::Reveal;
use servanda::statement::{Act, Kind};
use std::path::{Path, PathBuf};

const REVIEW_EXAMPLE: &str = "\
EXAMPLE
    servanda review --held-on 2027-06-15 --attended \"de, Minister of Defence\" --attended \"ua, Minister\" \\
        --remark \"def4; two batteries arrived late\" --decision \"The second half is handed over in Lviv\" \\
        --next-on 2027-12-15 --annex \"minutes.pdf; Minutes\" --log paris --key keys/de-duty";

/// Record a review meeting: who attended, what was said on which pledge, what was decided
#[derive(Args)]
#[command(after_help = REVIEW_EXAMPLE)]
pub struct ReviewArgs {
    /// The day it was held
    #[arg(long, value_name = "DAY")]
    held_on: Option<String>,
    /// Who attended; may be repeated
    #[arg(long = "attended", value_name = "WHO")]
    attendance: Vec<String>,
    /// A remark: "ID; what was said on that statement"; may be repeated
    #[arg(long = "remark", value_name = "REMARK")]
    remarks: Vec<String>,
    /// What was decided; may be repeated
    #[arg(long = "decision", value_name = "TEXT")]
    decisions: Vec<String>,
    /// The day of the next one
    #[arg(long, value_name = "DAY")]
    next_on: Option<String>,
    /// The minutes, bound by their digest: "file; label; language; standing"; may be repeated
    #[arg(long = "annex", value_name = "ANNEX")]
    annexes: Vec<String>,
    #[command(flatten)]
    common: ActArgs,
}

/// Signs the record of a review.
pub fn review(context: &Context, args: ReviewArgs) -> Result<Outcome> {
    let mut fields: Fields = args.common.fields()?;
    fields.set("held_on", args.held_on)?.set("next_on", args.next_on)?;
    fields.set_list("attendance", &args.attendance).set_list("remarks", &args.remarks);
    fields.set_list("decisions", &args.decisions).set_list("annexes", &args.annexes);
    args.common.say(context, Kind::Review, fields)
}

const REVEAL_EXAMPLE: &str = "\
EXAMPLE
    servanda reveal 3f9c02ab44d1.terms.quantity.opening --log paris --key keys/de-minister

The opening is the file that was written when the value was sealed. To show it to some and not to all, hand them that
file instead: `servanda open --opening` checks it against the log.";

/// Open a sealed value to everyone, for good
#[derive(Args)]
#[command(after_help = REVEAL_EXAMPLE)]
pub struct RevealArgs {
    /// What opens it: the file that was kept when it was sealed
    #[arg(value_name = "OPENING", required_unless_present = "from", conflicts_with = "from")]
    opening: Option<PathBuf>,
    #[command(flatten)]
    common: ActArgs,
}

/// Signs what opens a sealed value.
pub fn reveal(context: &Context, args: RevealArgs) -> Result<Outcome> {
    let Some(path) = args.opening else {
        let fields = args.common.fields()?;
        return args.common.say(context, Kind::Reveal, fields);
    };
    let text = read_whole(&path, File::Opening.text_limit())?;
    let opening: Opening = File::Opening.read(&text).or_hint(
        || format!("{} opens nothing", path.display()),
        || "want a file that begins with -----BEGIN SERVANDA OPENING-----".to_owned(),
    )?;
    let sign: SignArgs = args.common.sign;
    let desk = Desk::open(context, &sign.desk)?;
    let act = opened(&desk, &path, opening)?;
    let sign = SignArgs { author: sign.author.or(act.1), ..sign };
    signing::sign(context, desk, act.0, sign)
}

/// The act that publishes an opening, and whose it must be.
fn opened(desk: &Desk, path: &Path, opening: Opening) -> Result<(Act, Option<servanda::field::Handle>)> {
    let shown = path.display();
    let log = desk.roster()?.log;
    if opening.log != log {
        let why = format!("{shown} is for log {}, and this is {}", opening.log.short(), log.short());
        return Err(Problem::refused(why).hint("name the log that it belongs to with --log").into());
    }
    let sealed = desk.history().ledger().and_then(|ledger| ledger.sealed_as(&opening));
    let statement = *sealed.ok_or_else(|| {
        let what = format!("nothing of {} is sealed now that {shown} would open", opening.author);
        Problem::refused(what).hint(
            "it is open by now, the statement is not in the log, or what was sealed lies inside sealed terms: reveal those \
             first",
        )
    })?;
    let Opening { author, field, salt, value, .. } = opening;
    Ok((Act::Reveal(Reveal { statement, field, salt, value }), Some(author)))
}
