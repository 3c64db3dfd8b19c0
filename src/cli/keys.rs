//! Private keys: where they are found, that nobody else can read them, and how their passphrases are asked for.
//!
//! A passphrase comes from a file or from whoever sits at the terminal, who is asked only where the key is encrypted. It
//! is wiped from memory after use. A key that others may read is refused, as `ssh` does.

use super::problem::Problem;
use servanda::key::SigningKey;
use servanda::key::openssh::{KeyFileError, MAX_PRIVATE_LEN, read_private};
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal as _, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The longest passphrase file, in bytes.
pub const MAX_PASSPHRASE: u64 = 1024;

/// Where an officer's key lies, unless it is named.
pub const OFFICER: &str = "keys/officer";

/// Where the log's key lies, unless it is named.
pub const LOG: &str = "keys/log";

/// Where a witness's key lies, unless it is named.
pub const WITNESS: &str = "keys/witness";

/// How often a passphrase is asked for.
const TRIES: usize = 3;

/// The keys of those who sign.
#[derive(clap::Args, Clone, Debug)]
pub struct SignerArgs {
    /// The private key to sign with; once for each officer who signs here [default: keys/officer, if it is there]
    #[arg(long = "key", value_name = "FILE", env = "SERVANDA_KEY", hide_env_values = true)]
    keys: Vec<PathBuf>,
    /// A file with the passphrase of these keys on its first line, instead of asking
    #[arg(long, value_name = "FILE", env = "SERVANDA_PASSPHRASE_FILE", hide_env_values = true)]
    passphrase_file: Option<PathBuf>,
}

impl SignerArgs {
    /// Loads all keys, in the order given.
    pub fn load(&self) -> anyhow::Result<Vec<SigningKey>> {
        let mut paths = self.keys.clone();
        if paths.is_empty() {
            paths = vec![or_default(None, OFFICER, "--key FILE", "servanda keygen")?];
        }
        paths.iter().map(|path| load(path, self.passphrase_file.as_deref())).collect()
    }
}

/// The key that checkpoints are signed with.
#[derive(clap::Args, Clone, Debug)]
pub struct LogKeyArgs {
    /// The private key that signs checkpoints [default: keys/log, if it is there]
    #[arg(long = "log-key", value_name = "FILE", env = "SERVANDA_LOG_KEY", hide_env_values = true)]
    log_key: Option<PathBuf>,
    /// A file with the passphrase of the log's key on its first line, instead of asking
    #[arg(long, value_name = "FILE", env = "SERVANDA_LOG_PASSPHRASE_FILE", hide_env_values = true)]
    log_passphrase_file: Option<PathBuf>,
}

impl SignerArgs {
    /// Loads the keys that are named, or the usual one where it is there; perhaps none.
    pub fn load_any(&self) -> anyhow::Result<Vec<SigningKey>> {
        if self.keys.is_empty() && !Path::new(OFFICER).exists() { Ok(Vec::new()) } else { self.load() }
    }
}

impl LogKeyArgs {
    /// Loads the key where it is named or lies in its usual place.
    pub fn load_any(&self) -> anyhow::Result<Option<SigningKey>> {
        if self.log_key.is_none() && !Path::new(LOG).exists() {
            return Ok(None);
        }
        self.load().map(|(key, _)| Some(key))
    }

    /// Loads the key, and tells where it lay.
    pub fn load(&self) -> anyhow::Result<(SigningKey, PathBuf)> {
        let path = or_default(self.log_key.as_ref(), LOG, "--log-key FILE", "servanda keygen --log ORIGIN")?;
        Ok((load(&path, self.log_passphrase_file.as_deref())?, path))
    }
}

/// Loads a private key; asks for its passphrase where it has one and no file holds it.
pub fn load(path: &Path, passphrase_file: Option<&Path>) -> anyhow::Result<SigningKey> {
    let bytes = read_secret(path, MAX_PRIVATE_LEN as u64).map_err(|problem| {
        if problem.1 { problem.0.hint("make a key with: servanda keygen") } else { problem.0 }
    })?;
    for attempt in 1.. {
        let passphrase = || match passphrase_file {
            Some(file) => passphrase_in(file).map_err(io::Error::other),
            None => ask(&format!("Passphrase of {}", path.display())),
        };
        match read_private(&bytes, passphrase) {
            Ok((key, _)) => return Ok(key),
            Err(KeyFileError::WrongPassphrase) if passphrase_file.is_none() && attempt < TRIES => {
                anstream::eprintln!("That is not its passphrase; once more.");
            }
            Err(error) => return Err(unusable(path, passphrase_file, error)),
        }
    }
    unreachable!("the last attempt returns")
}

/// Asks twice for a new passphrase.
pub fn ask_new(path: &Path) -> io::Result<Zeroizing<String>> {
    let prompt = format!("New passphrase for {}", path.display());
    prompt_for(dialoguer::Password::new().with_prompt(prompt).with_confirmation("Once more", "They differ."))
}

/// Reads the passphrase on the one line of a file.
pub fn passphrase_in(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let bytes = read_secret(path, MAX_PASSPHRASE).map_err(|problem| problem.0)?;
    let text = std::str::from_utf8(&bytes).ok();
    let line = text.map(|text| text.strip_suffix('\n').unwrap_or(text));
    match line.map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        Some(line) if !line.is_empty() && !line.contains(['\n', '\r']) => Ok(Zeroizing::new(line.to_owned())),
        _ => Err(Problem::new(format!("{} must hold a passphrase on one line", path.display())).into()),
    }
}

fn ask(prompt: &str) -> io::Result<Zeroizing<String>> {
    prompt_for(dialoguer::Password::new().with_prompt(prompt))
}

fn prompt_for(password: dialoguer::Password<'_>) -> io::Result<Zeroizing<String>> {
    if !io::stderr().is_terminal() {
        return Err(io::Error::new(ErrorKind::NotConnected, "there is no terminal to ask at"));
    }
    // The end of the input reads as an empty line: it must not be asked for without end.
    let given = password.allow_empty_password(true).report(false).interact();
    given.map(Zeroizing::new).map_err(|dialoguer::Error::IO(error)| error)
}

/// Reads a file that nobody but its owner may read; with an error comes whether there is no such file.
fn read_secret(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, (Problem, bool)> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        let missing = error.kind() == ErrorKind::NotFound;
        (Problem::new(format!("{shown} cannot be read")).because(error), missing)
    };
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    let mode = about.permissions().mode() & 0o777;
    // Pipes, as of process substitution, belong to this process and its parent.
    if about.is_file() && mode & 0o077 != 0 {
        let problem = Problem::new(format!("{shown} can be read or changed by others (mode {mode:04o})"))
            .hint(format!("chmod 600 {shown}; and replace it, if others may have read it"));
        return Err((problem, false));
    }
    // Room for all of it from the start: growing would leave copies behind.
    let room = usize::try_from(limit + 1).expect("limits on secrets are small");
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() < room {
        return Ok(bytes);
    }
    Err((Problem::new(format!("{shown} has more than {limit} bytes")), false))
}

fn unusable(path: &Path, passphrase_file: Option<&Path>, error: KeyFileError) -> anyhow::Error {
    let problem = Problem::new(format!("the key {} cannot be used", path.display()));
    let problem = match (&error, passphrase_file) {
        (KeyFileError::NoPassphrase(_), None) => problem.hint(
            "name a file that holds the passphrase: --passphrase-file for officers' keys, \
             --log-passphrase-file for the log's",
        ),
        (KeyFileError::WrongPassphrase, Some(file)) => {
            problem.hint(format!("the passphrase was read from {}", file.display()))
        }
        _ => match error.hint() {
            Some(hint) => problem.hint(hint.replace("FILE", &path.display().to_string())),
            None => problem,
        },
    };
    problem.because(error).into()
}

/// The path given, or the usual one if a file is there.
fn or_default(given: Option<&PathBuf>, usual: &str, option: &str, make: &str) -> anyhow::Result<PathBuf> {
    match given {
        Some(path) => Ok(path.clone()),
        None if Path::new(usual).exists() => Ok(usual.into()),
        None => Err(Problem::new(format!("no key was named, and {usual} is not there"))
            .hint(format!("name it with {option}, or make one with: {make}"))
            .into()),
    }
}
