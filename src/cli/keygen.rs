//! `keygen`: makes the key of an officer, of a log, or of a witness.

use super::problem::Problem;
use super::{Context, Outcome, files, keys};
use serde_json::json;
use servanda::key::SigningKey;
use servanda::key::openssh::{KeyFileError, PublicLine, write_private};
use servanda::key::vkey::Vkey;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const AFTER: &str = "\
Officers' keys are OpenSSH keys: ssh-keygen shows them, and changes their passphrases. Of a log's key the public half \
is a vkey, the line that a charter, a policy and a trust file hold.

EXAMPLES
  servanda keygen keys/defence --comment \"Minister of Defence, de\"
  servanda keygen --log guarantees.example/paris-2026 --passphrase-file /run/secrets/log
  servanda keygen --witness witness.example/w1";

/// The arguments of `keygen`.
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Where the private key goes; the public one goes beside it [default: keys/officer, keys/log or keys/witness]
    path: Option<PathBuf>,
    /// What is said about the key in its files, for people [default: the origin or name]
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// A file with the passphrase to encrypt the key with on its first line, instead of asking
    #[arg(long, value_name = "FILE", env = "SERVANDA_PASSPHRASE_FILE", hide_env_values = true)]
    passphrase_file: Option<PathBuf>,
    /// Leave the private key unencrypted: whoever reads the file can sign
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
    /// Make the key that signs the checkpoints of the log of this origin
    #[arg(long, value_name = "ORIGIN")]
    log: Option<String>,
    /// Make the key with which a witness of this name cosigns checkpoints
    #[arg(long, value_name = "NAME", conflicts_with = "log")]
    witness: Option<String>,
}

impl Args {
    /// The usual place of such a key, and what the name of its public half ends with.
    fn usual(&self) -> (&'static str, &'static str) {
        match (&self.log, &self.witness) {
            (Some(_), _) => (keys::LOG, ".vkey"),
            (None, Some(_)) => (keys::WITNESS, ".vkey"),
            (None, None) => (keys::OFFICER, ".pub"),
        }
    }
}

/// Makes a key.
pub fn run(context: &Context, args: Args) -> anyhow::Result<Outcome> {
    let (usual, suffix) = args.usual();
    let path = args.path.clone().unwrap_or_else(|| usual.into());
    let beside = with_suffix(&path, suffix);
    let key = SigningKey::generate().map_err(|error| Problem::new("no key could be made").because(error))?;
    let made = made(&key, &args)?;
    files::must_be_free(&path)?;
    files::must_be_free(&beside)?;
    let passphrase = passphrase(&args, &path)?;
    let private = write_private(&key, &made.comment, passphrase.as_ref().map(|given| given.as_str()))
        .map_err(|error| Problem::new("no key could be made").because(error))?;
    files::write_new(&path, private.as_bytes(), files::SECRET)?;
    files::write_new(&beside, format!("{}\n", made.line).as_bytes(), files::PUBLIC)?;

    let encrypted = passphrase.is_some();
    say(context, &args, &made, (path.as_path(), beside.as_path()), encrypted);
    context.screen.json(&json!({
        "private": path, "public": beside, "line": made.line, "fingerprint": made.fingerprint, "encrypted": encrypted,
    }))?;
    Ok(Outcome::Good)
}

/// What is shown of a new key.
struct Made {
    /// The public line or the vkey.
    line: String,
    /// As `ssh-keygen -l` shows it; none of a log's or a witness's key.
    fingerprint: Option<String>,
    comment: String,
}

fn made(key: &SigningKey, args: &Args) -> anyhow::Result<Made> {
    let named = args.log.as_ref().or(args.witness.as_ref());
    let comment = args.comment.clone().or_else(|| named.cloned()).unwrap_or_default();
    match (&args.log, &args.witness) {
        (None, Some(name)) => {
            let vkey = Vkey::witness(name, key.public()).map_err(|_| {
                Problem::new(format!("{name:?} cannot be a witness's name"))
                    .hint("a name is a URL without its scheme, e.g. witness.example/w1; no blanks, no +")
            })?;
            Ok(Made { line: vkey.to_string(), fingerprint: None, comment })
        }
        (Some(origin), _) => {
            let vkey = Vkey::log(origin, key.public()).map_err(|_| {
                Problem::new(format!("{origin:?} cannot be an origin"))
                    .hint("an origin is a URL without its scheme, e.g. guarantees.example/paris-2026; no blanks, no +")
            })?;
            Ok(Made { line: vkey.to_string(), fingerprint: None, comment })
        }
        (None, None) => {
            let public = PublicLine { key: key.public(), comment: comment.clone() };
            Ok(Made { line: public.to_string(), fingerprint: Some(public.fingerprint()), comment })
        }
    }
}

fn passphrase(args: &Args, path: &Path) -> anyhow::Result<Option<Zeroizing<String>>> {
    if args.no_passphrase {
        return Ok(None);
    }
    if let Some(file) = &args.passphrase_file {
        return keys::passphrase_in(file).map(Some);
    }
    let given = keys::ask_new(path).map_err(|error: io::Error| {
        Problem::new("no passphrase could be read").because(error).hint(
            "name a file that holds one: --passphrase-file FILE; or leave the key unencrypted: --no-passphrase",
        )
    })?;
    if given.is_empty() {
        let empty = Problem::new("no key was made").because(KeyFileError::EmptyPassphrase);
        return Err(empty.hint("to leave the key unencrypted, say --no-passphrase").into());
    }
    Ok(Some(given))
}

fn say(context: &Context, args: &Args, made: &Made, (path, beside): (&Path, &Path), encrypted: bool) {
    let screen = &context.screen;
    let how = if encrypted { "encrypted" } else { "NOT encrypted" };
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = vec![
        row("private key", format!("{}  (mode 0600, {how}; keep it to yourself)", path.display())),
        row(if made.fingerprint.is_some() { "public key" } else { "vkey" }, beside.display().to_string()),
    ];
    rows.extend(made.fingerprint.iter().map(|fingerprint| row("fingerprint", fingerprint.clone())));
    screen.table(&rows);
    screen.say(format!("\n{}\n", made.line));
    if args.witness.is_some() {
        screen.say(
            "Next: send this line to those who run logs, for their policies; and cosign their checkpoints:\n",
        );
        return screen.say("servanda witness STATE --log-list FILE");
    }
    if made.fingerprint.is_none() {
        screen.say("Next: name it in charter.toml, below [operator], by a path relative to that file:\n");
        return screen.say(format!("vkey = {}", toml(&beside.display().to_string())));
    }
    screen.say("Next: send the public key to whoever writes your key-set file, where it becomes\n");
    let title = if made.comment.is_empty() { "…" } else { &made.comment };
    screen.say(format!("[[officer]]\ntitle = {}\nkey = {}", toml(title), toml(&made.line)));
    screen.say("classes = [\"govern\", \"commit\"]       # some of govern, commit, operate, observe");
}

fn toml(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
