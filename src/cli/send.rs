//! Statements on their way: `sign` and `submit`.

use super::desk::{Desk, DeskArgs};
use super::files::read_whole;
use super::keys::SignerArgs;
use super::problem::Problem;
use super::signing;
use super::{Context, Outcome, files, prompts, take_over, words};
use anyhow::Result;
use clap::Args;
use servanda::armor::{ArmorError, File};
use servanda::draft::Draft;
use servanda::field::Handle;
use servanda::promise::Promise;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest file of statements that is read, in bytes.
pub const MAX_STATEMENTS: u64 = 1 << 29;

const SIGN_EXAMPLE: &str = "\
EXAMPLE
    servanda pledge … --draft air-defence.statement      # the first officer
    servanda sign air-defence.statement --key second     # the next one, perhaps without a network
    servanda submit air-defence.statement --log paris    # whoever runs the log";

/// Sign a draft as a further officer; needs no log and no network
#[derive(Args)]
#[command(after_help = SIGN_EXAMPLE)]
pub struct Sign {
    /// The draft
    file: PathBuf,
    #[command(flatten)]
    signer: SignerArgs,
    /// Sign without being asked
    #[arg(long, short)]
    yes: bool,
}

/// Adds signatures to a draft.
pub fn sign(context: &Context, args: Sign) -> Result<Outcome> {
    let shown = args.file.display();
    let mut draft = read(&args.file)?;
    let statement = draft.statement()?;
    if context.clock.now() > statement.expires_at {
        return Err(Problem::refused(format!("this draft expired {}", statement.expires_at))
            .hint("the log would refuse it: draft it anew")
            .into());
    }
    for line in words::statement(&statement, &|_: &Handle| None) {
        context.screen.note(line);
    }
    for opening in &draft.openings {
        let seal = opening.seal();
        context.screen.note(format!("The draft carries what opens {}, whose seal is {seal}.", opening.field));
    }
    let keys = args.signer.load()?;
    if keys.is_empty() {
        return Err(Problem::new("no key to sign with").hint("name it with --key FILE").into());
    }
    prompts::confirm("Sign this?", args.yes)?;
    for key in &keys {
        draft.sign(key).map_err(signing::may_not_sign)?;
    }
    let text = File::Statement.write(&draft)?;
    replace(&args.file, &text)?;
    context.screen.say(match draft.missing() {
        0 => format!("Signed. {shown} has all the signatures it needs: `servanda submit {shown}` sends it."),
        n => format!("Signed. {n} more must sign {shown}."),
    });
    Ok(Outcome::Good)
}

const SUBMIT_EXAMPLE: &str = "\
EXAMPLE
    servanda submit air-defence.statement --log paris --log-key keys/log
    servanda submit *.statement --log paris --promise promises --operator-key keys/operator
    servanda submit motion.statement approvals/* --take-over copy --log next --log-key keys/next-log

The last one takes the log over: as its next operator, from a copy of its public part, with the motion and approvals that
the old one does not append.";

/// Put signed statements into the log, as its operator
#[derive(Args)]
#[command(after_help = SUBMIT_EXAMPLE)]
pub struct Submit {
    /// The signed statements; a file may hold several, as `import --out` writes them
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    desk: DeskArgs,
    /// Write a promise for each statement into this folder: the operator's word that it will be published
    #[arg(long, value_name = "FOLDER", requires = "operator_key")]
    promise: Option<PathBuf>,
    /// The key of an officer of the operator who may give promises
    #[arg(long, value_name = "FILE")]
    operator_key: Option<PathBuf>,
    /// The passphrase of that key
    #[arg(long, value_name = "FILE", env = "SERVANDA_PASSPHRASE_FILE", hide_env_values = true)]
    passphrase_file: Option<PathBuf>,
    /// Take the log over from this copy of it, as its next operator: makes the home that --log names
    #[arg(long, value_name = "COPY", conflicts_with = "promise")]
    take_over: Option<PathBuf>,
}

/// Sends statements to the log.
pub fn submit(context: &Context, args: Submit) -> Result<Outcome> {
    let mut drafts = Vec::new();
    for file in &args.files {
        drafts.append(&mut read_all(file)?);
    }
    if let Some(copy) = &args.take_over {
        return take_over::run(context, &args.desk.log, &args.desk.log_key, copy, &drafts);
    }
    let mut desk = Desk::open(context, &args.desk)?;
    let outcome = signing::send(context, &mut desk, &drafts)?;
    if let (Some(folder), Some(key)) = (&args.promise, &args.operator_key) {
        let key = super::keys::load(key, args.passphrase_file.as_deref())?;
        promise(context, &mut desk, &drafts, folder, &key)?;
    }
    Ok(outcome)
}

fn promise(
    context: &Context,
    desk: &mut Desk,
    drafts: &[Draft],
    folder: &Path,
    key: &servanda::key::SigningKey,
) -> Result<()> {
    let log = desk.roster()?.log;
    let set = desk.roster()?.keys(&Handle::operator());
    let officer = set.and_then(|k| k.keys.iter().position(|x| *x == key.public()));
    let officer = officer.and_then(|n| u8::try_from(n).ok()).ok_or_else(|| {
        Problem::refused("this key belongs to no officer of the operator")
            .hint("name one with --operator-key")
    })?;
    let now = context.clock.now();
    fs::create_dir_all(folder)?;
    let Some((operator, _)) = desk.operator() else { return Ok(()) };
    for draft in drafts {
        let index = operator.admit(&draft.statement, &draft.signatures, now)?.index();
        let promise = Promise::sign(log, index, operator.entry(index)?, &[(officer, key)]);
        let path = folder.join(format!("{}.promise", draft.id().short()));
        files::write_new(&path, File::Promise.write(&promise)?.as_bytes(), files::PUBLIC)?;
        context.screen.say(format!("Wrote {}.", path.display()));
    }
    Ok(())
}

/// Reads a file of one statement.
pub fn read(path: &Path) -> Result<Draft> {
    let bytes = read_whole(path, File::Statement.text_limit())?;
    checked(path, File::Statement.read(&bytes).map(|draft| vec![draft]))?
        .pop()
        .ok_or_else(|| Problem::new("no statement").into())
}

/// Reads a file of one statement or several, one after the other.
pub fn read_all(path: &Path) -> Result<Vec<Draft>> {
    let bytes = read_whole(path, MAX_STATEMENTS)?;
    checked(path, File::Statement.read_all(&bytes))
}

fn checked(path: &Path, drafts: Result<Vec<Draft>, ArmorError>) -> Result<Vec<Draft>> {
    let drafts = drafts.map_err(|error| {
        let hint = "want a file that `--draft` or `--out` wrote, with \"BEGIN SERVANDA STATEMENT\" in its first line";
        Problem::new(format!("{}: {error}", path.display())).hint(hint)
    })?;
    for draft in &drafts {
        draft.statement().map_err(|error| Problem::new(format!("{}: {error}", path.display())))?;
    }
    Ok(drafts)
}

/// Replaces a file as a whole.
fn replace(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
