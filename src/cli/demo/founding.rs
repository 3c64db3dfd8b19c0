//! The honest log of the demo: its files, its founding, and the door through which all statements go.
//!
//! ```text
//! DIR/charter.toml  partners/*.keys.toml    what the log is founded on
//! DIR/keys/         log, de/0, de/0.pub …   everyone's keys, so that the reader can go on; anyone can derive them
//! DIR/log/          public/ private/        the log's home
//! DIR/trust.toml                            what its readers hold
//! DIR/kept/                                 and keep: a checkpoint, a proof with its roster file, a promise
//! ```

use super::cast::{CHARTER, Cast, Member};
use super::play::{Door, Played, begin, play};
use super::sign::sign;
use crate::cli::files;
use crate::cli::problem::{Hint as _, Problem};
use anyhow::Context as _;
use servanda::charter::file::Founding;
use servanda::draft::Draft;
use servanda::field::{Class, Instant, Short};
use servanda::hash::Hash;
use servanda::history::History;
use servanda::key::SigningKey;
use servanda::key::openssh::write_private;
use servanda::ledger::Ledger;
use servanda::policy::Policy;
use servanda::statement::body::Found;
use servanda::statement::{Act, Head};
use servanda::store::dir::Dir;
use servanda::store::index::{self, Index};
use servanda::submit::{self, Operator};
use servanda::trust::Trust;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The folder of the log's home.
pub const LOG: &str = "log";

/// The folder of everyone's keys.
pub const KEYS: &str = "keys";

/// The name of the trust file.
pub const TRUST: &str = "trust.toml";

/// The folder of what readers keep: a proof with its roster file, a checkpoint, a promise.
pub const KEPT: &str = "kept";

/// What the folder says to whoever finds it.
const NOTICE: &str = "\
# An example that nobody signed

`servanda demo` made this folder. **No government signed this log.** Nobody named in it was asked, and nobody took part.
The pledges are facts from published agreements; where words differ, the agreement decides. What an observer counts are
figures from published reports, with their dates moved, as each of them says. All that happens then is made up. Every key
was made from a published seed, so that anyone can sign with it: no signature here proves anything about those named. The
folder `attacks` holds forgeries, as what they are.
";

/// The honest log.
pub struct Honest {
    /// What is trusted about it.
    pub trust: Trust,
    /// The log's id.
    pub log: Hash,
    /// The charter's text.
    pub charter: Vec<u8>,
    /// What was said.
    pub played: Played,
    /// What follows from it.
    pub ledger: Ledger,
    /// The effective time of the last entry.
    pub until: Instant,
}

/// Founds the log and plays it all.
pub fn found(dir: &Path, cast: &Cast, now: Instant) -> anyhow::Result<Honest> {
    write_files(dir, cast).or_hint(
        || format!("cannot write into {}", dir.display()),
        || "may you write there, and is there room?".to_owned(),
    )?;
    let founding = Founding::read(&dir.join(CHARTER), &mut files::read)?;
    let founded = begin(now);
    let draft = statement_0(&founding, &cast.operator, founded)?;
    let log = draft.id();
    let trust = Trust {
        log: Some(log),
        origin: founding.charter.origin.to_string(),
        at: Some(LOG.to_owned()),
        policy: Policy::of(std::slice::from_ref(&founding.vkey), &[], None)?,
        partners: BTreeMap::new(),
    };
    fs::write(dir.join(TRUST), trust.to_string())?;
    let home = dir.join(LOG);
    let store = Dir::create(&home)?;
    let index = Index::open(&home.join(index::FILE))?;
    let charter = founding.text;
    let founding = submit::Founding {
        statement: draft.statement.0,
        signatures: draft.signatures.0,
        charter_text: charter.clone(),
    };
    let operator = Operator::found(Box::new(store), None, index, founding, founded, &cast.log_key)?;
    let mut door = HonestDoor { operator, log_key: cast.log_key.clone() };
    let played = play(&mut door, cast, now)?;
    let history = door.history();
    let ledger = history.ledger().cloned().context("a founded log has a ledger")?;
    let until = history.times().1;
    Ok(Honest { trust, log, charter, played, ledger, until })
}

/// Statement 0, signed by all of the operator's officers.
pub fn statement_0(founding: &Founding, operator: &Member, now: Instant) -> anyhow::Result<Draft> {
    let found = Act::Found(Found {
        charter: founding.charter.clone(),
        text: founding.text_digest(),
        keys: founding.operator.clone(),
        vkey: Short::new(founding.vkey.to_string())?,
    });
    sign(operator, Class::Govern, &found, &History::default(), Head::default(), now)
}

struct HonestDoor {
    operator: Operator,
    log_key: SigningKey,
}

impl Door for HonestDoor {
    fn history(&self) -> &History {
        self.operator.history()
    }

    fn admit(&mut self, draft: Draft, now: Instant) -> anyhow::Result<u64> {
        Ok(self.operator.admit(&draft.statement, &draft.signatures, now)?.index())
    }

    fn close(&mut self) -> anyhow::Result<String> {
        Ok(self.operator.publish(&self.log_key)?)
    }
}

/// Refuses a folder that is not empty; makes one that is not there.
pub fn take_folder(dir: &Path) -> anyhow::Result<()> {
    let shown = dir.display();
    let empty = match fs::read_dir(dir) {
        Ok(mut inside) => inside.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(dir).or_hint(
                || format!("{shown} cannot be made"),
                || "name a folder where you may write, or none: then a temporary one is made".to_owned(),
            )?;
            true
        }
        Err(error) => return Err(Problem::new(format!("{shown} cannot be used")).because(error).into()),
    };
    if empty {
        return Ok(());
    }
    Err(Problem::new(format!("{shown} is not empty; nothing was written"))
        .hint("name a new folder, or none: then a temporary one is made")
        .into())
}

fn write_files(dir: &Path, cast: &Cast) -> anyhow::Result<()> {
    fs::write(dir.join("README.md"), NOTICE)?;
    fs::create_dir(dir.join("partners"))?;
    fs::create_dir(dir.join(KEPT))?;
    let keys = dir.join(KEYS);
    let folder = |path: &Path| DirBuilder::new().mode(0o700).create(path);
    folder(&keys)?;
    for (name, text) in cast.files()? {
        fs::write(dir.join(name), text)?;
    }
    write_key(&keys.join("log"), &cast.log_key, "the log's checkpoints, made up for an example")?;
    for member in cast.partners.iter().chain([&cast.operator]) {
        let own = keys.join(member.handle.as_str());
        folder(&own)?;
        for (n, key) in member.keys.iter().enumerate() {
            let line = member.public_line(n);
            write_key(&own.join(n.to_string()), key, &line.comment)?;
            fs::write(own.join(format!("{n}.pub")), format!("{line}\n"))?;
        }
    }
    Ok(())
}

/// Writes a private key without a passphrase: its seed is published anyway.
fn write_key(path: &Path, key: &SigningKey, comment: &str) -> anyhow::Result<()> {
    let text = write_private(key, comment, None)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}
