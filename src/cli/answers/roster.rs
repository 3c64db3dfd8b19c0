//! `roster`: whose keys counted, from which entry to which; who is suspended; which motions are open.

use super::basis::{Basis, BasisArgs};
use super::cells;
use crate::cli::plain::quoted;
use crate::cli::words::{self, Page};
use crate::cli::{Context, Outcome};
use serde_json::json;
use servanda::field::{Class, Handle};
use servanda::key::VerifyingKey;
use servanda::key::openssh::PublicLine;
use servanda::ledger::answers::{MemberRow, SetRow, motions, service};
use servanda::statement::body::Motion;

const AFTER: &str = "\
A key set counts from the entry that brought it, which its own keys signed, to the one that replaced it: \
`servanda show @ENTRY` shows either.

EXAMPLE
  servanda roster --log paris
  servanda roster de --log paris --at 2026-12-31";

/// Show which officers and keys counted from which entry to which, and open motions
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// One partner alone, or the operator
    #[arg(value_name = "PARTNER")]
    partner: Option<Handle>,
    #[command(flatten)]
    basis: BasisArgs,
}

/// Runs the verb.
///
/// # Errors
/// When the log cannot be read, or has no such partner.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let basis = Basis::open(context, &args.basis)?;
    if let Some(partner) = args.partner.as_ref().filter(|partner| !partner.is_operator()) {
        basis.check_partner(partner)?;
    }
    let members = service(basis.roster(), args.partner.as_ref());
    let mut open = motions(basis.roster(), args.partner.as_ref());
    open.retain(|m| m.lapses_at >= basis.when.at || matches!(m.motion, Motion::Operator { .. }));
    basis.json(context, "roster", &json!({"members": members, "motions": open}))?;
    let name = |handle: &Handle| basis.name(handle);
    let mut page = Page::new(&name);
    page.sentence(format!("Roster at {}", basis.moment()));
    members.iter().for_each(|member| show(&mut page, member));
    page.gap();
    if open.is_empty() {
        page.sentence("No motion is open.");
    }
    for motion in &open {
        page.sentence(format!(
            "Open motion {}: approved by {}, {} of the {} that it takes; lapses {}: {}",
            words::moved(&motion.motion, &name),
            cells::handles(&motion.approved_by),
            motion.approved_by.len(),
            motion.quorum,
            motion.lapses_at,
            motion.id.short()
        ));
    }
    page.finish().iter().for_each(|line| context.screen.say(line));
    Ok(basis.finish(context))
}

fn show(page: &mut Page<'_>, member: &MemberRow) {
    page.gap();
    let roles = member.roles.map_or_else(String::new, |roles| format!(": {roles}"));
    let suspended = if member.suspended { "; suspended" } else { "" };
    let who = page.who(&member.handle);
    page.sentence(format!("{who}{roles}{suspended}"));
    if let Some(index) = member.rekeyed {
        page.row("re-keyed", format!("by a motion that entry {index} carried: @{index}"));
    }
    member.sets.iter().for_each(|set| show_set(page, set));
    if member.sets.last().is_none_or(|set| set.until.is_some()) {
        page.row("keys", "none in force: it has not acceded with the set that was announced");
    }
}

fn show_set(page: &mut Page<'_>, set: &SetRow) {
    let until = match set.until {
        Some(until) => format!("entry {until}, which replaced it: @{} @{until}", set.from),
        None => format!("now: @{}", set.from),
    };
    page.row("keys", format!("from entry {} to {until}", set.from));
    for officer in &set.officers {
        let key = VerifyingKey::admit(&officer.key).ok();
        let key = key.map(|key| PublicLine { key, comment: String::new() }.fingerprint());
        let title = quoted(&officer.title);
        page.row(&format!("officer {}", officer.number), format!("{title} ({})", officer.classes));
        page.row("", key.unwrap_or_else(|| "a key that this program cannot read".to_owned()));
    }
    let needed = Class::ALL.iter().zip(set.thresholds).filter(|(_, n)| *n > 0);
    let needed: Vec<_> = needed.map(|(class, n)| format!("{n} to {class}")).collect();
    page.row("must sign", needed.join(", "));
}
