//! The desk at which statements are signed: a log that was verified up to its head, and, with the operator's key, the
//! door into it.

use super::held::{self, Held};
use super::keys::LogKeyArgs;
use super::lookup::{self, Wanted};
use super::named;
use super::open::{self, Log, LogArgs, Place};
use super::plain::{plain, quoted};
use super::problem::{Hint, Problem};
use super::{Context, hints, kept};
use anyhow::Result;
use clap::Args;
use servanda::chain::Reason;
use servanda::client::Client;
use servanda::entry::SignedEntry;
use servanda::hash::Hash;
use servanda::history::History;
use servanda::key::SigningKey;
use servanda::log::{COMMIT, LogError};
use servanda::roster::Roster;
use servanda::store::StoreError;
use servanda::store::dir::Dir;
use servanda::store::guard::{Guard, GuardFile};
use servanda::store::index::{self, Index, IndexError};
use servanda::submit::{Admitted, Operator, SubmitError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Which log, and the operator's key where it is at hand.
#[derive(Args)]
pub struct DeskArgs {
    #[command(flatten)]
    pub log: LogArgs,
    #[command(flatten)]
    pub log_key: LogKeyArgs,
    /// Keep the last signed head in this file, on another medium, to notice a restored backup
    #[arg(long, env = "SERVANDA_GUARD", value_name = "FILE", hide_env_values = true)]
    pub guard: Option<PathBuf>,
}

/// A verified log, and perhaps the door into it.
pub struct Desk {
    door: Door,
}

enum Door {
    /// With the operator's key.
    Open(Box<Operator>, Box<SigningKey>),
    /// For reading only: what is signed goes to the operator as a file.
    Closed(Box<(History, Log)>),
}

impl Desk {
    /// Opens the log: as its operator where its home and key are at hand, else by verifying it.
    pub fn open(context: &Context, args: &DeskArgs) -> Result<Self> {
        let held = args.log.trust.read(&context.screen)?;
        let place = Place::named(args.log.log.as_ref(), held.as_ref())?;
        // A key without the log's home is of no use here, and is not asked for. Nothing can be written to a mirror.
        let home = place.home.clone().filter(|home| home.join(COMMIT).is_file());
        let key = home.as_ref().map(|_| args.log_key.load_any()).transpose()?.flatten();
        match (home, key) {
            (Some(home), Some(key)) => Self::open_as_operator(context, args, held.as_ref(), &home, key),
            _ => {
                let log = Log::at(place, held)?;
                log.caution(&context.screen);
                let history = kept::history(context, &log)?;
                Ok(Self { door: Door::Closed(Box::new((history, log))) })
            }
        }
    }

    fn open_as_operator(
        context: &Context,
        args: &DeskArgs,
        held: Option<&Held>,
        home: &Path,
        key: SigningKey,
    ) -> Result<Self> {
        let shown = home.display();
        let dir = Dir::open(home).or_hint(
            || format!("cannot write the log at {shown}"),
            || "are you its operator? without the operator's key, sign into a file with --draft".into(),
        )?;
        let index = open_index(context, home)?;
        let guard = args.guard.as_deref().map(GuardFile::open).transpose().or_hint(
            || "cannot read the guard file".into(),
            || "is its medium mounted? a guard file that is gone is never begun anew".into(),
        )?;
        let guard = guard.map(|guard| Box::new(guard) as Box<dyn Guard>);
        let operator = Operator::open(Box::new(dir), guard, index)
            .map_err(|error| failed(format!("cannot open the log at {shown} for writing"), error))?;
        let roster = operator.roster();
        if let Some(held) = held
            && let Some(want) = held.trust.log.filter(|want| *want != roster.log)
        {
            return Err(held::other_log(held, &roster.log, &want).into());
        }
        if *roster.vkey.key() != key.public() {
            return Err(Problem::new("this is not the key that the log's checkpoints are signed with")
                .hint(format!("its public half must be {}", roster.vkey))
                .into());
        }
        Ok(Self { door: Door::Open(Box::new(operator), Box::new(key)) })
    }

    /// What follows from the entries.
    pub fn history(&self) -> &History {
        match &self.door {
            Door::Open(operator, _) => operator.history(),
            Door::Closed(read) => &read.0,
        }
    }

    /// Who may sign.
    pub fn roster(&self) -> Result<&Roster> {
        Ok(self.history().roster().ok_or_else(|| Problem::new("entry 0 founds no log here"))?)
    }

    /// The door into the log, where it is open.
    pub fn operator(&mut self) -> Option<(&mut Operator, &SigningKey)> {
        match &mut self.door {
            Door::Open(operator, key) => Some((operator, key)),
            Door::Closed(_) => None,
        }
    }

    /// Whether statements can be put into the log from here.
    pub fn is_open(&self) -> bool {
        matches!(self.door, Door::Open(..))
    }

    /// The log on a server, which may take statements.
    #[cfg(feature = "net")]
    pub fn on_server(&self) -> Option<&Log> {
        match &self.door {
            Door::Closed(read) => Some(&read.1).filter(|log| log.place.is_remote),
            Door::Open(..) => None,
        }
    }

    /// Verified reads: of all that is committed where the door is open, else of what is published.
    pub fn client(&self) -> Result<Client<'_>> {
        match &self.door {
            Door::Closed(read) => read.1.client(),
            Door::Open(operator, _) => {
                let writer = operator.writer();
                Client::open(writer.store(), writer.size(), writer.root()).map_err(open::read_problem)
            }
        }
    }

    /// The whole id of a statement that is called by its first digits, by @ and its entry's index, or, of a pledge or record, by its
    /// author's reference.
    ///
    /// # Errors
    /// When nothing is called that, or several are, which are listed.
    pub fn whole_id(&self, context: &Context, text: &str) -> Result<Hash> {
        let called = |ledger| (ledger, named::by_reference(ledger, text));
        let called = self.history().ledger().map(called).filter(|(_, found)| !found.is_empty());
        let Some((ledger, _)) = called else {
            return match text.parse::<Wanted>() {
                Ok(Wanted::Reference(_)) => Err(named::none(text).into()),
                wanted => self.id_of(context, &wanted?),
            };
        };
        let pledge = named::one(ledger, text)?.said.id;
        // The digits of a reference may be the beginning of another statement's id.
        let other = match text.parse::<Wanted>() {
            Ok(wanted @ (Wanted::Id(_) | Wanted::Index(_))) => self.id_of(context, &wanted).ok(),
            _ => None,
        };
        match other.filter(|id| ledger.pledge_of(id).is_none_or(|of| of.said.id != pledge)) {
            None => Ok(pledge),
            Some(other) => Err(Problem::new(format!(
                "{} is the reference of the pledge {}, and names the statement {} as well",
                quoted(text),
                pledge.short(),
                other.short()
            ))
            .hint("name the one that you mean by its id")
            .into()),
        }
    }

    fn id_of(&self, context: &Context, wanted: &Wanted) -> Result<Hash> {
        let index = match (&self.door, wanted) {
            (Door::Open(..), Wanted::Index(index)) => *index,
            (Door::Open(operator, _), Wanted::Id(digits)) => {
                lookup::one(digits, &operator.index().starting_with(digits)?)?
            }
            (Door::Open(..), Wanted::Reference(text)) => return Err(named::none(text).into()),
            (Door::Closed(read), _) => lookup::find(&read.1, &context.screen, wanted)?,
        };
        let bytes = match &self.door {
            Door::Closed(read) => read.1.client()?.entry(index).map_err(open::read_problem)?,
            Door::Open(operator, _) => operator.entry(index)?,
        };
        Ok(SignedEntry::decode(&bytes).map_err(|e| Problem::new(format!("entry {index}: {e}")))?.id)
    }
}

/// How long a command waits for another one that is at work on the same log.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the index of ids; one that was not left in order is made anew. Waits for whoever is at work on the log, and does
/// not take over from it.
pub fn open_index(context: &Context, home: &Path) -> Result<Index> {
    let path = home.join(index::FILE);
    let (mut waited, step) = (Duration::ZERO, Duration::from_millis(20));
    loop {
        match Index::open(&path) {
            Err(IndexError::Held) if waited < PATIENCE => {
                if waited.is_zero() {
                    context.screen.note("another servanda is at work on this log: waiting");
                }
                thread::sleep(step);
                waited += step;
            }
            Err(error @ IndexError::Held) => {
                return Err(Problem::new("another servanda is at work on this log; nothing was appended")
                    .hint("wait until it is done. if it hangs, end it: what it committed stays")
                    .because(error)
                    .into());
            }
            opened => {
                return opened.or_hint(
                    || format!("cannot open {}", path.display()),
                    || "it must be writable, and the disk must have room; nothing was appended".into(),
                );
            }
        }
    }
}

/// Says where a statement stands now.
pub fn said(admitted: Admitted) -> String {
    match admitted {
        Admitted::New { index } => format!("entry {index}"),
        Admitted::Already { index } => format!("entry {index} (it was in the log already)"),
    }
}

/// A failure of the writer as a problem: exit code 2, and what to do about it.
pub fn failed(what: impl Into<String>, error: SubmitError) -> anyhow::Error {
    let hint = match &error {
        SubmitError::Log(LogError::Fenced { .. } | LogError::Stopped) => {
            "what was committed is kept: wait until the other servanda is done, then send the same again"
        }
        SubmitError::Replaced { .. } => {
            "nothing of this round was appended: send the approval that replaces the operator last, and what comes after \
             it to the new one"
        }
        SubmitError::Log(LogError::Ahead { .. }) => {
            "find the newest copy of the log, public and private together, and go on from that; leave the guard file \
             as it is. `servanda verify --since` tells two copies apart"
        }
        SubmitError::Log(LogError::Store(StoreError::Io { .. }))
        | SubmitError::Store(StoreError::Io { .. })
        | SubmitError::Index(_) => {
            "has the disk room, may you write there? what was committed is kept: when that is mended, send the same again"
        }
        _ => "`servanda verify` tells what is wrong with the log",
    };
    Problem::new(what).hint(hint).because(error).into()
}

/// A refusal as a problem: exit code 1.
pub fn refusal(error: SubmitError) -> anyhow::Error {
    match &error {
        SubmitError::Refused(findings) => {
            let rule = findings.iter().find_map(|finding| match &finding.reason {
                Reason::Rule { rule } => Some(rule),
                _ => None,
            });
            let (what, hint) = match rule {
                Some(rule) => {
                    let what = format!("refused by rule {}: {}", rule.code(), plain(&rule.to_string()));
                    (what, hints::of(rule))
                }
                None => (error.to_string(), Some("`servanda log` and `servanda show` tell how things stand")),
            };
            let hint = hint.map_or(String::new(), |hint| format!("; {hint}"));
            Problem::refused(what).hint(format!("nothing was appended{hint}")).into()
        }
        SubmitError::Clock { .. } => Problem::new(error.to_string()).hint("set the clock, or wait").into(),
        _ => failed("cannot append to the log", error),
    }
}
