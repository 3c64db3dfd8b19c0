//! How anything is signed: the log is verified, the statement is shown in full, in words, and only then the keys are
//! used; then it goes into the log, to the operator, or to the next officer.

use super::act::{self, Around, Fields};
use super::desk::{self, Desk, DeskArgs};
use super::keys::SignerArgs;
use super::plain::plain;
use super::problem::Problem;
use super::words::listed;
use super::{Context, Outcome, files, followed, prompts, rounds, words};
use anyhow::Result;
use clap::Args;
use servanda::armor::File;
use servanda::codec::List;
use servanda::draft::{Draft, DraftError};
use servanda::field::{Class, Duration, Handle, Instant};
use servanda::hash::Hash;
use servanda::history::History;
use servanda::key::SigningKey;
use servanda::ledger::{Said, Told};
use servanda::log::MAX_ROUND;
use servanda::seal::Opening;
use servanda::statement::{Act, Kind, Statement};
use servanda::submit::{Admitted, Signed, SubmitError};
use std::path::{Path, PathBuf};

/// Where one can see who may sign what.
pub const OFFICERS: &str = "`servanda roster` lists the officers, their keys and what they may sign";

/// How a statement is signed and where it goes.
#[derive(Args)]
pub struct SignArgs {
    #[command(flatten)]
    pub desk: DeskArgs,
    #[command(flatten)]
    pub signer: SignerArgs,
    /// The partner that signs; told by the key, unless you say it
    #[arg(long = "as", value_name = "HANDLE", env = "SERVANDA_AS", hide_env_values = true)]
    pub author: Option<Handle>,
    /// Sign in this class, where an act allows several
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// How long the statement may wait for the log
    #[arg(long, value_name = "DURATION", default_value = "7 days")]
    pub expires_in: Duration,
    /// Seal a field, e.g. terms.quantity or terms.annexes.0; may be repeated
    #[arg(long = "seal", value_name = "FIELD")]
    pub seal: Vec<String>,
    /// Write a draft for other officers to sign, instead of sending it
    #[arg(long, value_name = "FILE")]
    pub draft: Option<PathBuf>,
    /// Where to write the signed statement when the log cannot be written from here
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Sign without being asked
    #[arg(long, short)]
    pub yes: bool,
}

/// What the verbs of all acts share.
#[derive(Args)]
pub struct ActArgs {
    /// Read the fields from a TOML or JSON file; options override them
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    pub sign: SignArgs,
}

impl ActArgs {
    /// The fields in the file, if one is named.
    pub fn fields(&self) -> Result<Fields> {
        self.from.as_deref().map_or_else(|| Ok(Fields::default()), act::from_file)
    }

    /// Makes an act of fields and signs it; annexes that the file names lie beside it.
    pub fn say(self, context: &Context, kind: Kind, fields: Fields) -> Result<Outcome> {
        let folder = self.from.as_ref().and_then(|from| Some(from.parent()?.to_owned()));
        say(context, kind, fields, folder, self.sign)
    }
}

/// Makes an act of fields and signs it.
fn say(
    context: &Context,
    kind: Kind,
    mut fields: Fields,
    folder: Option<PathBuf>,
    args: SignArgs,
) -> Result<Outcome> {
    let desk = Desk::open(context, &args.desk)?;
    let mut keys = None;
    if fields.0.is_empty()
        && prompts::possible()
        && prompts::asks(kind)
        && let Some(ledger) = desk.history().ledger()
    {
        let loaded = args.signer.load_any()?;
        let author = author(&desk, args.author.as_ref(), &loaded)?;
        let (roster, now) = (desk.roster()?, context.clock.now());
        prompts::ask(kind, &mut fields, &prompts::Seat { author: &author, roster, ledger, now })?;
        keys = Some(loaded);
    }
    let complete = |text: &str| Ok(desk.whole_id(context, text)?.to_string());
    let around = Around {
        now: context.clock.now(),
        language: desk.roster()?.charter.language.to_string(),
        complete_id: &complete,
        folder: folder.as_deref(),
        roster: Some(desk.roster()?),
        ledger: desk.history().ledger(),
    };
    let act = act::act(kind, fields, &around)?;
    sign_with(context, desk, act, args, keys)
}

/// Signs an act and sends it on.
pub fn sign(context: &Context, desk: Desk, act: Act, args: SignArgs) -> Result<Outcome> {
    sign_with(context, desk, act, args, None)
}

/// Signs an act with keys that were loaded already, so that a passphrase is asked for once.
fn sign_with(
    context: &Context,
    mut desk: Desk,
    mut act: Act,
    args: SignArgs,
    keys: Option<Vec<SigningKey>>,
) -> Result<Outcome> {
    let keys = keys.map_or_else(|| args.signer.load_any(), Ok)?;
    let author = author(&desk, args.author.as_ref(), &keys)?;
    let log = desk.roster()?.log;
    let openings = act::seal::seal(&mut act, &args.seal, &log, &author)?;
    let class = class(&desk, args.class.as_deref(), &author, act.kind(), &keys)?;
    let now = context.clock.now();
    let statement = statement(&desk, author, class, &act, now, args.expires_in)?;
    let set = desk.roster()?.keys(&statement.author).map(|k| k.set.clone());
    let mut draft = Draft::new(&statement, set)?;
    draft.openings = List(openings.clone());
    show(context, &desk, &statement)?;
    if args.draft.is_some() || !desk.is_open() {
        foresee(context, &desk, &statement, &draft.id(), &act)?;
    }
    if !keys.is_empty() {
        prompts::confirm("Sign this?", args.yes)?;
    }
    for key in &keys {
        draft.sign(key).map_err(may_not_sign)?;
    }
    keep_openings(context, &draft.id(), &openings)?;
    let missing = draft.missing();
    if let Some(path) = &args.draft {
        return write_draft(context, &draft, path, missing);
    }
    if missing > 0 {
        let path = PathBuf::from(format!("{}.statement", draft.id().short()));
        write_draft(context, &draft, &path, missing)?;
        return Ok(Outcome::Unchecked);
    }
    #[cfg(feature = "net")]
    if let Some(log) = desk.on_server().filter(|_| args.out.is_none()) {
        let sent = super::net::sending::send(context, &desk, log, std::slice::from_ref(&draft));
        return sent.inspect_err(|error| keep_unsent(context, draft, error));
    }
    if desk.operator().is_none() {
        let path = args.out.unwrap_or_else(|| format!("{}.statement", draft.id().short()).into());
        files::write_new(&path, File::Statement.write(&without_openings(draft))?.as_bytes(), files::PUBLIC)?;
        context
            .screen
            .say(format!("Signed. Send {} to the log's operator, to `servanda submit`.", path.display()));
        return Ok(Outcome::Good);
    }
    let sent = send(context, &mut desk, std::slice::from_ref(&draft));
    sent.inspect_err(|error| keep_unsent(context, draft, error))
}

/// Says before it is signed that the log would refuse it as things stand, where it does not go there at once.
fn foresee(context: &Context, desk: &Desk, statement: &Statement, id: &Hash, act: &Act) -> Result<()> {
    let history = desk.history();
    let Some(mut ledger) = history.ledger().cloned() else { return Ok(()) };
    let (at, by) = (statement.issued_at, statement.author.clone());
    let said = Said { index: history.head().size, id: *id, at, by };
    let class = Class::from_number(statement.class).expect("this program made the statement");
    if let Err(rule) = ledger.take(&Told { said: &said, class, act, roster: desk.roster()? }) {
        context.screen.note(format!(
            "As the log stands, it would refuse this by its rule {}: it {}",
            rule.code(),
            plain(&rule.to_string())
        ));
    }
    Ok(())
}

/// Keeps a statement of which it is not known whether it went in: signing it anew could make two of it.
fn keep_unsent(context: &Context, draft: Draft, error: &anyhow::Error) {
    if Problem::is_refusal(error) {
        return;
    }
    let path = PathBuf::from(format!("{}.statement", draft.id().short()));
    let text = File::Statement.write(&without_openings(draft));
    let written =
        text.map_err(Into::into).and_then(|t| files::write_once(&path, t.as_bytes(), files::PUBLIC));
    if written.is_ok() {
        let shown = path.display();
        context.screen.note(format!(
            "The signed statement is in {shown}. Do not sign it anew: `servanda submit {shown}` puts it in, and only once."
        ));
    }
}

/// Puts signed statements into the log and publishes it.
pub fn send(context: &Context, desk: &mut Desk, drafts: &[Draft]) -> Result<Outcome> {
    #[cfg(feature = "net")]
    if let Some(log) = desk.on_server() {
        return super::net::sending::send(context, desk, log, drafts);
    }
    let now = context.clock.now();
    let Some((operator, key)) = desk.operator() else {
        return Err(Problem::new("the log cannot be written from here")
            .hint("--log must be the log's home, and --log-key the key its checkpoints are signed with; or the URL it is served at")
            .into());
    };
    let mut admitted = Vec::with_capacity(drafts.len());
    let bar = context.screen.progress(u64::try_from(drafts.len())?, "appending");
    for round in drafts.chunks(MAX_ROUND) {
        let signed: Vec<Signed<'_>> = round.iter().map(|d| (&d.statement[..], &d.signatures[..])).collect();
        let answers = rounds::round(operator, &signed, now, admitted.len())?;
        admitted.extend(round.iter().map(Draft::id).zip(answers));
        bar.set_position(u64::try_from(admitted.len())?);
    }
    bar.finish_and_clear();
    let followed: Vec<_> =
        drafts.iter().zip(&admitted).map(|(d, (_, at))| followed(operator.history(), d, *at)).collect();
    if let Err(replaced) = operator.check_in_office() {
        return hand_over(context, &admitted, &replaced);
    }
    let size = rounds::publish(operator, key)?;
    let published = rounds::published(size);
    for ((id, at), lines) in admitted.iter().zip(&followed) {
        context.screen.say(format!("{id}\n  {}, {published}", desk::said(*at)));
        lines.iter().for_each(|line| context.screen.say(format!("  {line}")));
    }
    let json: Vec<_> = admitted
        .iter()
        .zip(&followed)
        .map(|((id, at), lines)| {
            serde_json::json!({ "id": id, "index": at.index(), "published": size, "followed": lines })
        })
        .collect();
    context.screen.json(&json)?;
    Ok(Outcome::Good)
}

/// What followed from a statement that is new in the log: how its motion stands, or what the ledger says.
pub fn followed(history: &History, draft: &Draft, at: Admitted) -> Vec<String> {
    let Admitted::New { index } = at else { return Vec::new() };
    let Some(act) = draft.statement().ok().and_then(|s| s.act().ok()) else { return Vec::new() };
    let motion = match &act {
        Act::Propose(_) => draft.id(),
        Act::Approve(approve) => approve.motion,
        Act::Rotate(_) => {
            return vec![format!("from entry {} on these keys sign, and no others", index + 1)];
        }
        _ => return followed::lines(history, &draft.id(), &act),
    };
    let Some(roster) = history.roster() else { return Vec::new() };
    vec![match roster.proposals().find(|open| open.id == motion) {
        Some(open) => {
            let approvals = words::count(open.approved_by.len(), "approval", "approvals");
            format!("the motion has {approvals} of the {} that it takes", roster.quorum(&open.propose.motion))
        }
        // What would complete a motion that cannot take effect is refused.
        None => format!("the motion is carried, and in force from entry {} on", index + 1),
    }]
}

/// Says what is left to do where the operator at work was replaced: nothing more is signed with its key.
fn hand_over(context: &Context, admitted: &[(Hash, Admitted)], replaced: &SubmitError) -> Result<Outcome> {
    for (id, at) in admitted {
        context.screen.say(format!("{id}\n  {}, committed and not published", desk::said(*at)));
    }
    context.screen.say(format!("{replaced}. Hand the log's home over, or all that it publishes."));
    let json: Vec<_> = admitted
        .iter()
        .map(|(id, at)| serde_json::json!({ "id": id, "index": at.index(), "published": null }))
        .collect();
    context.screen.json(&json)?;
    Ok(Outcome::Good)
}

/// A key that may not sign this: refused here as the log would refuse it.
pub fn may_not_sign(error: DraftError) -> anyhow::Error {
    match error {
        DraftError::NotAnOfficer(_) | DraftError::Class { .. } => {
            Problem::refused(plain(&error.to_string())).hint(OFFICERS).into()
        }
        DraftError::Version(_) | DraftError::Statement(_) => error.into(),
    }
}

/// Shows a statement to its signer: everything that it says.
pub fn show(context: &Context, desk: &Desk, statement: &Statement) -> Result<()> {
    let roster = desk.roster()?;
    let names = |h: &Handle| roster.charter.partner(h).map(|p| p.name.to_string());
    for line in words::statement(statement, &names) {
        context.screen.note(line);
    }
    Ok(())
}

/// The partner that signs: the one said, else the one whose officer has one of the keys.
pub fn author(desk: &Desk, said: Option<&Handle>, keys: &[SigningKey]) -> Result<Handle> {
    if let Some(author) = said {
        return Ok(author.clone());
    }
    let roster = desk.roster()?;
    let holds = |key: &SigningKey| {
        let public = key.public();
        roster.members.iter().find(|(_, m)| m.in_force.as_ref().is_some_and(|k| k.keys.contains(&public)))
    };
    if let Some((handle, _)) = keys.iter().find_map(holds) {
        return Ok(handle.clone());
    }
    let replaced = |key: &SigningKey| {
        let public = key.public();
        let mut past =
            roster.members.iter().flat_map(|(handle, m)| m.past.iter().map(move |past| (handle, past)));
        past.rfind(|(_, past)| past.keys.keys.contains(&public))
    };
    Err(match keys.iter().find_map(replaced) {
        Some((handle, past)) => {
            let until = past.until;
            Problem::refused(format!("this key was {handle}'s until entry {until}: it signs nothing any more"))
                .hint(format!("`servanda roster {handle}` tells whose keys count from which entry on"))
        }
        None => Problem::refused("no partner of this log has this key now").hint(
            "say who signs with --as HANDLE; a partner who has not acceded does that first, with `servanda accede`",
        ),
    }
    .into())
}

/// The class to sign in: the one said, else the first of the act's that the first key's officer holds.
pub fn class(
    desk: &Desk,
    said: Option<&str>,
    author: &Handle,
    kind: Kind,
    keys: &[SigningKey],
) -> Result<Class> {
    let classes = kind.classes();
    if let Some(name) = said {
        let hint = listed(classes.iter().map(|class| format!("\"{class}\"")), "or");
        let hint = format!("it is signed in class {hint}");
        let Some(class) = Class::from_name(name) else {
            return Err(Problem::new(format!("there is no class {name:?}")).hint(hint).into());
        };
        if !classes.contains(&class) {
            let what = format!("{} cannot be signed in class {name:?}", kind.name());
            return Err(Problem::refused(what).hint(hint).into());
        }
        return Ok(class);
    }
    let first = keys.first().map(SigningKey::public);
    let officer = desk.roster()?.keys(author).and_then(|k| {
        let at = k.keys.iter().position(|key| Some(*key) == first)?;
        k.set.officers.get(at)
    });
    let held = classes.iter().find(|c| officer.is_some_and(|o| o.classes.has(**c)));
    Ok(*held.unwrap_or(&classes[0]))
}

/// The statement of an act by an author at the head of the log.
pub fn statement(
    desk: &Desk,
    author: Handle,
    class: Class,
    act: &Act,
    now: Instant,
    expires_in: Duration,
) -> Result<Statement> {
    let log = desk.roster()?.log;
    Ok(desk.history().next_statement(log, author, class, act, now..now.plus(expires_in)))
}

/// What opens sealed values is kept beside the statement, and nowhere else.
fn keep_openings(context: &Context, id: &Hash, openings: &[Opening]) -> Result<()> {
    for opening in openings {
        let path = PathBuf::from(format!("{}.{}.opening", id.short(), opening.field.as_str()));
        files::write_new(&path, File::Opening.write(opening)?.as_bytes(), files::SECRET)?;
        context.screen.say(format!(
            "What opens {} is in {}: without it, nobody can.",
            opening.field,
            path.display()
        ));
    }
    Ok(())
}

fn without_openings(mut draft: Draft) -> Draft {
    draft.openings = List::default();
    draft
}

fn write_draft(context: &Context, draft: &Draft, path: &Path, missing: usize) -> Result<Outcome> {
    files::write_new(path, File::Statement.write(draft)?.as_bytes(), files::PUBLIC)?;
    let shown = path.display();
    context.screen.say(match missing {
        0 => format!("Wrote {shown}, with all the signatures it needs: `servanda submit {shown}` sends it."),
        n => format!("Wrote {shown}: {n} more must sign it (`servanda sign {shown} --key …`) before `servanda submit {shown}`."),
    });
    Ok(Outcome::Good)
}
