//! Motions: `propose`, `approve`.

use super::act::{self, Around, Fields, from_file};
use super::desk::Desk;
use super::problem::Problem;
use super::signing::{self, SignArgs};
use super::{Context, Outcome, files, init, send, words};
use anyhow::Result;
use clap::Args;
use serde_json::{Map, Value, json};
use servanda::field::{Duration, Handle};
use servanda::key::vkey::Vkey;
use servanda::roster::Roster;
use servanda::statement::{Act, Kind};
use std::path::{Path, PathBuf};

/// The longest file that holds a vkey, in bytes.
const MAX_VKEY_FILE: u64 = 4096;

/// How long a motion can be approved, unless its author says otherwise, in days.
const OPEN_DAYS: u64 = 30;

const PROPOSE_EXAMPLE: &str = "\
EXAMPLE
    servanda propose --log paris --suspend de --lapses-at 2026-12-31 --key keys/fr-minister
    servanda propose --log paris --re-key de --keys de-2.keys.toml --disown-from 117 --key keys/fr-minister
    servanda propose --log paris --admit se --name Sweden --role guarantor --keys se.keys.toml --key …
    servanda propose --log paris --rules charter-2027.toml --key …       # its [rules], whole
    servanda propose --log paris --operator keys/next.vkey --keys operator-2.keys.toml --key …

Proposing approves. The others approve with `servanda approve ID`; the approval that completes the quorum carries the
motion.";

/// Make a motion: admit, suspend or re-key a partner, replace the rules or the operator
#[derive(Args)]
#[command(after_help = PROPOSE_EXAMPLE)]
pub struct Propose {
    #[command(flatten)]
    motion: MotionArgs,
    /// Until when it can be approved; 30 days from now, unless you say otherwise
    #[arg(long, value_name = "TIME")]
    lapses_at: Option<String>,
    /// Read the motion from a TOML or JSON file; options override it
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    sign: SignArgs,
}

/// What is moved.
#[derive(Args)]
struct MotionArgs {
    #[command(flatten)]
    what: What,
    /// The new key set, of --admit, --re-key or --operator: a key-set file
    #[arg(long = "keys", id = "key_set", value_name = "FILE", help_heading = "Motion")]
    set: Option<PathBuf>,
    /// The display name, of --admit
    #[arg(long, value_name = "TEXT", help_heading = "Motion")]
    name: Option<String>,
    /// guarantor, beneficiary or observer, of --admit; may be repeated
    #[arg(long = "role", value_name = "ROLE", help_heading = "Motion")]
    roles: Vec<String>,
    /// The entry from which on a thief signed, of --re-key: what follows is disowned
    #[arg(long, value_name = "INDEX", help_heading = "Motion")]
    disown_from: Option<u64>,
}

#[derive(Args)]
#[group(multiple = false)]
struct What {
    /// Admit a partner, with --name, --role and --keys
    #[arg(long, value_name = "HANDLE", help_heading = "Motion")]
    admit: Option<Handle>,
    /// Suspend a partner: all but its responses and confirmations is void then
    #[arg(long, value_name = "HANDLE", help_heading = "Motion")]
    suspend: Option<Handle>,
    /// End a partner's suspension
    #[arg(long, value_name = "HANDLE", help_heading = "Motion")]
    resume: Option<Handle>,
    /// Take a partner's keys from whoever holds them, and give it those of --keys
    #[arg(long, value_name = "HANDLE", help_heading = "Motion")]
    re_key: Option<Handle>,
    /// Replace the rules by those under [rules] in a TOML file, whole
    #[arg(long, value_name = "FILE", help_heading = "Motion")]
    rules: Option<PathBuf>,
    /// Raise the log's level
    #[arg(long, value_name = "NUMBER", help_heading = "Motion")]
    level: Option<u16>,
    /// Replace the operator: the new one's vkey, or a file that holds it, with --keys
    #[arg(long, value_name = "VKEY", help_heading = "Motion")]
    operator: Option<String>,
}

impl MotionArgs {
    /// Refuses what belongs to another motion: nobody may believe that it was moved.
    fn check_belongs(&self) -> Result<()> {
        let What { admit, re_key, operator, .. } = &self.what;
        let (admits, re_keys) = (admit.is_some(), re_key.is_some());
        let stray = [
            ("--name", "--admit", self.name.is_some() && !admits),
            ("--role", "--admit", !self.roles.is_empty() && !admits),
            ("--disown-from", "--re-key", self.disown_from.is_some() && !re_keys),
            ("--keys", "--admit, --re-key or --operator", {
                self.set.is_some() && !admits && !re_keys && operator.is_none()
            }),
        ];
        match stray.iter().find(|(.., is_stray)| *is_stray) {
            Some((option, of, _)) => Err(Problem::new(format!("{option} goes with {of} alone")).into()),
            None => Ok(()),
        }
    }

    /// The motion as its act has it; none where no option names one.
    fn into_value(self) -> Result<Option<Value>> {
        self.check_belongs()?;
        let set = self.set;
        let keys = |handle: &Handle| {
            let path = set.as_deref().ok_or_else(|| {
                Problem::new("no key set is named")
                    .hint("name the key-set file that is announced: --keys FILE")
            })?;
            Ok::<_, anyhow::Error>(init::key_set(path, handle)?.digest(handle))
        };
        let What { admit, suspend, resume, re_key, rules, level, operator } = self.what;
        Ok(Some(if let Some(handle) = admit {
            let name = self.name.ok_or_else(|| Problem::new("no display name: say it with --name"))?;
            let keys = keys(&handle)?;
            json!({ "admit": { "handle": handle, "name": name, "roles": self.roles, "keys": keys } })
        } else if let Some(handle) = suspend {
            json!({ "suspend": { "handle": handle } })
        } else if let Some(handle) = resume {
            json!({ "resume": { "handle": handle } })
        } else if let Some(handle) = re_key {
            let keys = keys(&handle)?;
            json!({ "rekey": { "handle": handle, "keys": keys, "disown_from": self.disown_from } })
        } else if let Some(path) = rules {
            json!({ "rules": { "rules": rules_in(&path)? } })
        } else if let Some(level) = level {
            json!({ "level": { "level": level } })
        } else if let Some(vkey) = operator {
            let keys = keys(&Handle::operator())?;
            json!({ "operator": { "vkey": vkey_of(&vkey)?, "keys": keys } })
        } else {
            return Ok(None);
        }))
    }
}

/// The rules in a file: those under `[rules]`, as in `charter.toml`.
fn rules_in(path: &Path) -> Result<Value> {
    let mut fields = from_file(path)?.0;
    fields.remove("rules").ok_or_else(|| {
        Problem::new(format!("{} has no [rules]", path.display()))
            .hint("write them as in charter.toml; all of them, since they replace the old ones whole")
            .into()
    })
}

/// A vkey that was typed, or the one in a file.
fn vkey_of(text: &str) -> Result<String> {
    let text = if text.parse::<Vkey>().is_ok() {
        text.to_owned()
    } else {
        String::from_utf8_lossy(&files::read_whole(Path::new(text), MAX_VKEY_FILE)?).trim_end().to_owned()
    };
    text.parse::<Vkey>().map_err(|error| Problem::new(format!("this is no vkey: {error}")))?;
    Ok(text)
}

/// A motion for rules or an operator names whose it replaces: those in force, unless the file says otherwise.
fn fill_in_replaced(fields: &mut Map<String, Value>, roster: &Roster) {
    let Some(motion) = fields.get_mut("motion").and_then(Value::as_object_mut) else { return };
    for (kind, set_by) in [("rules", roster.rules_set_by()), ("operator", roster.operator_set_by())] {
        if let Some(body) = motion.get_mut(kind).and_then(Value::as_object_mut) {
            body.entry("replaces").or_insert_with(|| json!(set_by));
        }
    }
}

/// Signs a motion.
pub fn propose(context: &Context, args: Propose) -> Result<Outcome> {
    let mut fields = args.from.as_deref().map_or_else(|| Ok(Fields::default()), from_file)?;
    fields.set("motion", args.motion.into_value()?)?.set("lapses_at", args.lapses_at)?;
    if !fields.0.contains_key("motion") {
        return Err(Problem::new("nothing is moved")
            .hint("say what with one of --admit, --suspend, --resume, --re-key, --rules, --level, --operator")
            .into());
    }
    let now = context.clock.now();
    let lapses_at =
        fields.0.entry("lapses_at").or_insert_with(|| json!(now.plus(Duration::of_days(OPEN_DAYS))));
    act::whole_day(lapses_at);
    let desk = Desk::open(context, &args.sign.desk)?;
    let roster = desk.roster()?;
    fill_in_replaced(&mut fields.0, roster);
    let language = roster.charter.language.to_string();
    let complete = |id: &str| Ok(id.to_owned());
    let around = Around { now, language, complete_id: &complete, folder: None, roster: None, ledger: None };
    let act = act::act(Kind::Propose, fields, &around)?;
    signing::sign(context, desk, act, args.sign)
}

const APPROVE_EXAMPLE: &str = "\
EXAMPLE
    servanda approve 3f8a --log paris --key keys/it-minister
    servanda approve motion.statement --log copy --key keys/it-minister --draft it.statement

The last one approves a motion that the operator does not append, such as one that replaces it.";

/// Approve a motion; the approval that completes the quorum carries it
#[derive(Args)]
#[command(after_help = APPROVE_EXAMPLE)]
pub struct Approve {
    /// The id of the motion: of its `propose`; or the file that holds the `propose`
    id: String,
    #[command(flatten)]
    sign: SignArgs,
}

/// Signs an approval, after the motion was shown.
pub fn approve(context: &Context, args: Approve) -> Result<Outcome> {
    let desk = Desk::open(context, &args.sign.desk)?;
    let file = Path::new(&args.id);
    if file.is_file() {
        let motion = moved_in(context, &desk, file)?;
        return signing::sign(context, desk, motion, args.sign);
    }
    let motion = desk.whole_id(context, &args.id)?;
    let roster = desk.roster()?;
    let open = roster.proposals().find(|open| open.id == motion).ok_or_else(|| {
        Problem::refused(format!("{} is no motion that can be approved", motion.short())).hint(
            "it was carried, has lapsed, replaces what is no longer in force, or was never a motion: `servanda show` \
             tells what it is",
        )
    })?;
    let names = |h: &Handle| roster.charter.partner(h).map(|p| p.name.to_string());
    for line in words::motion(&open, roster.quorum(&open.propose.motion), &names) {
        context.screen.note(line);
    }
    context.screen.note("");
    let act = Act::Approve(servanda::statement::body::Approve { motion });
    signing::sign(context, desk, act, args.sign)
}

/// The approval of a motion whose `propose` is in a file, and not in the log; shown before it is approved.
fn moved_in(context: &Context, desk: &Desk, file: &Path) -> Result<Act> {
    let draft = send::read(file)?;
    let statement = draft.statement()?;
    let roster = desk.roster()?;
    if !matches!(statement.act(), Ok(Act::Propose(_))) || statement.log != roster.log {
        return Err(Problem::new(format!("{} holds no motion of this log", file.display()))
            .hint("name the file that `servanda propose` wrote")
            .into());
    }
    let names = |h: &Handle| roster.charter.partner(h).map(|p| p.name.to_string());
    for line in words::statement(&statement, &names) {
        context.screen.note(line);
    }
    context.screen.note("");
    Ok(Act::Approve(servanda::statement::body::Approve { motion: draft.id() }))
}
