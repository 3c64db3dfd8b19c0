//! `init`: founds a log.

use super::desk::{self, open_index};
use super::problem::{Hint as _, Problem};
use super::{Context, Outcome, charter_shown, files, keys, rounds};
use serde_json::json;
use servanda::charter::KeySet;
use servanda::charter::file::{FileError, Founding};
use servanda::charter::rules::Witnesses;
use servanda::draft::Draft;
use servanda::entry::SignedEntry;
use servanda::field::{Class, Duration, Handle, Instant, Short};
use servanda::hash::ZEROS;
use servanda::key::SigningKey;
use servanda::key::vkey::Vkey;
use servanda::log::{COMMIT, LogError, Record};
use servanda::policy::Policy;
use servanda::statement::body::Found;
use servanda::statement::{Act, Head, Statement, VERSION};
use servanda::store::dir::Dir;
use servanda::store::guard::{Guard, GuardFile};
use servanda::store::{MAX_SWAP_BYTES, Read as _};
use servanda::submit::{self, Operator, SubmitError};
use servanda::text::count;
use servanda::trust::Trust;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

const AFTER: &str = "\
The charter names the partners with their key-set files, and the operator with its own and the vkey that `keygen --log` \
made. All of the operator's officers sign the founding statement here. What is founded cannot be taken back: \
partners, roles and rules change by motion only. Where [rules.witnesses] names witnesses, nothing is published before as many as \
it asks for have cosigned: that is `servanda serve --policy`.

EXAMPLE
  servanda init paris --charter charter.toml --key keys/officer --log-key keys/log --at https://guarantees.example/paris";

/// The trust file in the home, unless another place is named.
const TRUST: &str = "trust.toml";

/// How long tools let a statement live, in days, where the charter allows it.
const EXPIRY_DAYS: u64 = 7;

/// The arguments of `init`.
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The folder to make: the log's home, with public/ and private/ in it
    home: PathBuf,
    /// The charter as its founders wrote it
    #[arg(long, value_name = "FILE", default_value = "charter.toml")]
    charter: PathBuf,
    #[command(flatten)]
    signers: keys::SignerArgs,
    #[command(flatten)]
    log_key: keys::LogKeyArgs,
    /// Keep the last signed head in this file too, on another medium: then a restored backup is noticed
    #[arg(long, value_name = "FILE", env = "SERVANDA_GUARD", hide_env_values = true)]
    guard: Option<PathBuf>,
    /// Where the trust file goes [default: trust.toml in the home]
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Where the log will be read, for the trust file: a URL or folder
    #[arg(long, value_name = "PLACE")]
    at: Option<String>,
    /// Found it without asking
    #[arg(long)]
    yes: bool,
}

/// Founds a log.
pub fn run(context: &Context, args: Args) -> anyhow::Result<Outcome> {
    let founding = read(&args.charter)?;
    let trust_path = args.trust.clone().unwrap_or_else(|| args.home.join(TRUST));
    files::must_be_free(&trust_path)?;
    let signers = args.signers.load()?;
    let log_key = log_key(&args.log_key, &founding)?;
    let now = context.clock.now();
    let trust = trust(&founding, args.at.clone())?;
    let draft = sign(&founding, &signers, now)?;

    charter_shown::show(&context.screen, &founding);
    if args.guard.is_none() && founding.charter.rules.witnesses.is_none() {
        context.screen.note(
            "note: without witnesses and without --guard nothing would notice a restored backup, which signs a fork",
        );
    }
    confirm(args.yes)?;
    let operator = match resume(context, &args, &founding, &log_key)? {
        Some(operator) => operator,
        None => found(context, &args, &founding, draft, now, &log_key)?,
    };
    let log = operator.roster().log;
    drop(operator);
    let trust = Trust { log: Some(log), ..trust };
    let written = files::write_new(&trust_path, trust.to_string().as_bytes(), files::PUBLIC);
    written.or_hint(
        || format!("the log {log} was founded, but its trust file was not written"),
        || format!("keep the log's id; this is what the trust file should hold:\n\n{trust}"),
    )?;

    tell(context, &args, &founding, &trust, &trust_path)?;
    Ok(Outcome::Good)
}

/// Reads the charter and all that it names.
fn read(path: &Path) -> anyhow::Result<Founding> {
    Founding::read(path, &mut files::read).map_err(|error: FileError| {
        let hint = error.wrong.hint();
        let problem = Problem::new("the charter does not found a log").because(error);
        if let Some(hint) = hint { problem.hint(hint) } else { problem }.into()
    })
}

/// Reads a key-set file.
pub fn key_set(path: &Path, handle: &Handle) -> anyhow::Result<KeySet> {
    servanda::charter::file::keys::read(path, handle, &mut files::read).map_err(|error: FileError| {
        let hint = error.wrong.hint();
        let problem = Problem::new("this is no key set").because(error);
        if let Some(hint) = hint { problem.hint(hint) } else { problem }.into()
    })
}

/// The key that the charter's vkey is the public half of.
fn log_key(args: &keys::LogKeyArgs, founding: &Founding) -> anyhow::Result<SigningKey> {
    let (key, path) = args.load()?;
    if key.public() == *founding.vkey.key() {
        return Ok(key);
    }
    let problem =
        Problem::new(format!("{} is not the key of the charter's vkey {}", path.display(), founding.vkey));
    Err(problem.hint("name the private key that was made together with this vkey: --log-key FILE").into())
}

/// Statement 0, signed by all officers of the operator.
fn sign(founding: &Founding, signers: &[SigningKey], now: Instant) -> anyhow::Result<Draft> {
    let found = Found {
        charter: founding.charter.clone(),
        text: founding.text_digest(),
        keys: founding.operator.clone(),
        vkey: Short::new(founding.vkey.to_string())?,
    };
    let longest = now.plus(founding.charter.rules.longest_expiry);
    let statement = Statement {
        version: VERSION,
        log: ZEROS,
        author: Handle::operator(),
        class: Class::Govern.number(),
        seq: 0,
        prev: ZEROS,
        seen: Head::default(),
        issued_at: now,
        expires_at: now.plus(Duration::of_days(EXPIRY_DAYS)).min(longest),
        kind: servanda::statement::Kind::Found.number(),
        body: Act::Found(found).encode_body().into(),
    };
    let mut draft = Draft::new(&statement, None).or_hint(
        || "the charter is too long for statement 0".to_owned(),
        || "shorten its definitions, or name fewer partners: more can be admitted by motion".to_owned(),
    )?;
    for key in signers {
        draft.sign(key).or_hint(
            || format!("the key {} is not one of the operator's", fingerprint(key)),
            || "name with --key the operator's officers' keys, those in its key-set file".to_owned(),
        )?;
    }
    let signed = |officer: &usize| draft.signatures.iter().any(|s| usize::from(s.officer) == *officer);
    let officers = founding.operator.officers.iter().enumerate();
    let missing: Vec<_> = officers.filter(|(n, _)| !signed(n)).map(|(_, o)| o.title.to_string()).collect();
    if missing.is_empty() {
        return Ok(draft);
    }
    Err(Problem::new(format!("all officers of the operator must sign, missing: {}", missing.join(", ")))
        .hint("name each one's private key: --key FILE --key FILE …")
        .into())
}

fn fingerprint(key: &SigningKey) -> String {
    servanda::key::openssh::PublicLine { key: key.public(), comment: String::new() }.fingerprint()
}

/// The trust file, but for the log's id: the witnesses and the quorum are those of the rules.
fn trust(founding: &Founding, at: Option<String>) -> anyhow::Result<Trust> {
    let rules = founding.charter.rules.witnesses.as_ref();
    let witnesses: Vec<Vkey> = rules.into_iter().flat_map(Witnesses::keys).collect();
    let quorum = rules.map(|rules| usize::try_from(rules.quorum)).transpose()?;
    let policy = Policy::of(std::slice::from_ref(&founding.vkey), &witnesses, quorum).or_hint(
        || "the witnesses of the charter make no policy".to_owned(),
        || "give each of them a name of its own, and none the name \"none\"".to_owned(),
    )?;
    let trust = Trust {
        log: None,
        origin: founding.charter.origin.to_string(),
        at,
        policy,
        partners: BTreeMap::new(),
    };
    // What is handed out must be readable: --at may be no place.
    let read = Trust::parse(&trust.to_string());
    read.map_err(|error| Problem::new("the trust file would not be readable").because(error).into())
}

/// Takes up a founding that broke off after it was committed: a log of one entry, of this charter, whose trust file is not
/// there. None where there is no such log.
fn resume(
    context: &Context,
    args: &Args,
    founding: &Founding,
    log_key: &SigningKey,
) -> anyhow::Result<Option<Operator>> {
    let home = &args.home;
    if !home.join(COMMIT).is_file() || home.join(TRUST).exists() {
        return Ok(None);
    }
    let failed = || format!("the log in {} was founded and cannot be opened", home.display());
    let dir = Dir::open(home).or_hint(failed, || "may you read and write there?".to_owned())?;
    let record = dir.get(COMMIT, MAX_SWAP_BYTES).ok().flatten().and_then(|bytes| Record::decode(&bytes).ok());
    if record.is_none_or(|record| record.size != 1) {
        return Ok(None);
    }
    let guard = args
        .guard
        .as_deref()
        .map(GuardFile::open)
        .transpose()
        .or_hint(failed, || "name the guard file that it was founded with".to_owned())?;
    let guard = guard.map(|guard| Box::new(guard) as Box<dyn Guard>);
    let index = open_index(context, home)?;
    let mut operator =
        Operator::open(Box::new(dir), guard, index).map_err(|error| desk::failed(failed(), error))?;
    let there = SignedEntry::decode(&operator.entry(0)?)?;
    let same = matches!(there.act(), Ok(Act::Found(found)) if found.charter == founding.charter
        && found.text == founding.text_digest()
        && found.keys == founding.operator
        && found.vkey.to_string() == founding.vkey.to_string());
    if !same {
        return Ok(None);
    }
    rounds::publish(&mut operator, log_key)?;
    context.screen.note("An earlier init was interrupted here: the log that it founded is taken up.");
    Ok(Some(operator))
}

fn found(
    context: &Context,
    args: &Args,
    founding: &Founding,
    draft: Draft,
    now: Instant,
    log_key: &SigningKey,
) -> anyhow::Result<Operator> {
    let home = &args.home;
    let failed = || format!("no log was founded in {}", home.display());
    let guard = args.guard.as_deref().map(GuardFile::create).transpose().or_hint(failed, || {
        "each log has a guard file of its own, in a folder that is there, on another medium".to_owned()
    })?;
    let store = Dir::create(home).or_hint(failed, || "name a folder that can be made".to_owned())?;
    let index = open_index(context, home)?;
    let founding = submit::Founding {
        statement: draft.statement.0,
        signatures: draft.signatures.0,
        charter_text: founding.text.clone(),
    };
    let guard = guard.map(|guard| Box::new(guard) as Box<dyn Guard>);
    Operator::found(Box::new(store), guard, index, founding, now, log_key).map_err(|error| {
        let hint = match error {
            SubmitError::Log(LogError::Exists) => "name another folder: what was founded stays",
            _ => "mend that, then run the same init again: it takes up where this one broke off",
        };
        Problem::new(failed()).hint(hint).because(error).into()
    })
}

fn confirm(yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stderr().is_terminal() || !io::stdin().is_terminal() {
        return Err(Problem::new(
            "nobody confirmed that this log be founded, and there is no terminal to ask at",
        )
        .hint("read the above, then say --yes")
        .into());
    }
    let asked = dialoguer::Confirm::new().with_prompt("Found this log?").default(false).interact()?;
    if asked { Ok(()) } else { Err(Problem::new("nothing was founded").into()) }
}

fn tell(
    context: &Context,
    args: &Args,
    founding: &Founding,
    trust: &Trust,
    trust_path: &Path,
) -> anyhow::Result<()> {
    let (screen, home, log) = (&context.screen, args.home.display(), trust.log.unwrap_or(ZEROS));
    screen.say(format!("Founded {} in {home}.\n", trust.origin));
    screen.table(&[
        vec!["log id".to_owned(), log.to_string()],
        vec!["trust file".to_owned(), trust_path.display().to_string()],
    ]);
    if let Some(witnesses) = &founding.charter.rules.witnesses {
        screen.say(format!(
            "\nNext: nothing of it is published without the cosignatures of {} of its {}. Send each this for its list of \
             logs:\n\nvkey {}\nqpd 86400\ncontact YOU\n\nWrite a policy that says where they are, and serve the log:\n\n\
             {}servanda serve {home} --policy FILE",
            witnesses.quorum,
            count(witnesses.vkeys.len(), "witness", "witnesses"),
            founding.vkey,
            with_places(&trust.policy),
        ));
    }
    screen.say(
        "\nNext: hand out the trust file by a channel that its readers trust; it pins who the partners are.\n\
         Then each partner accedes, signed by all officers of its key set: see servanda accede --help",
    );
    let published = founding.charter.rules.witnesses.is_none();
    screen.json(&json!({
        "log": log, "origin": trust.origin, "home": args.home, "trust": trust_path, "published": published,
    }))
}

/// The policy to gather cosignatures by: that of the trust file, with a place for each witness's URL.
fn with_places(policy: &Policy) -> String {
    let line = |line: &str| {
        let place = if line.starts_with("witness ") { " https://…" } else { "" };
        format!("{line}{place}\n")
    };
    policy.to_string().lines().map(line).collect::<String>() + "\n"
}
