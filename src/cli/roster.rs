//! Who may sign: `accede`, `rotate`.

use super::act::{self, Around, Fields};
use super::desk::Desk;
use super::problem::Problem;
use super::signing::{self, SignArgs};
use super::{Context, Outcome, init};
use anyhow::Result;
use clap::Args;
use servanda::field::Handle;
use servanda::statement::body::Rotate as RotateBody;
use servanda::statement::{Act, Kind};
use std::path::PathBuf;

const ACCEDE_EXAMPLE: &str = "\
EXAMPLE
    servanda accede --log paris --as de --keys de.keys.toml \\
        --key keys/de-minister --key keys/de-defence --key keys/de-duty

Every officer of the set signs, which proves that each holds the key. Officers elsewhere sign a draft (--draft).";

/// Accede to the charter as a partner: before anything else, signed by all your officers
#[derive(Args)]
#[command(after_help = ACCEDE_EXAMPLE)]
pub struct Accede {
    /// The key-set file that the charter announced
    #[arg(long = "keys", id = "key_set", value_name = "FILE")]
    set: PathBuf,
    /// Reservations
    #[arg(long, value_name = "TEXT")]
    reservations: Option<String>,
    /// A document, bound by its digest: "file; label; language; standing"; may be repeated
    #[arg(long = "annex", value_name = "ANNEX")]
    annexes: Vec<String>,
    #[command(flatten)]
    sign: SignArgs,
}

/// Signs an accession.
pub fn accede(context: &Context, mut args: Accede) -> Result<Outcome> {
    let anyone: Handle = "anyone".parse()?;
    let keys = init::key_set(&args.set, args.sign.author.as_ref().unwrap_or(&anyone))?;
    let desk = Desk::open(context, &args.sign.desk)?;
    if args.sign.author.is_none() {
        let announced = |m: &servanda::roster::Member, h| keys.digest(h) == m.announced;
        let author = desk.roster()?.members.iter().find(|(h, m)| announced(m, h)).map(|(h, _)| h.clone());
        args.sign.author = Some(author.ok_or_else(|| {
            Problem::new("neither the charter nor a motion announced this key set for anybody")
                .hint("the set must be exactly the one whose digest the charter, or the motion, gives")
        })?);
    }
    let mut fields = Fields::default();
    fields
        .set("keys", Some(&keys))?
        .set("reservations", args.reservations)?
        .set_list("annexes", &args.annexes);
    let around = Around {
        now: context.clock.now(),
        language: desk.roster()?.charter.language.to_string(),
        complete_id: &|id| Ok(id.to_owned()),
        folder: None,
        roster: None,
        ledger: None,
    };
    let act = act::act(Kind::Accede, fields, &around)?;
    signing::sign(context, desk, act, args.sign)
}

const ROTATE_EXAMPLE: &str = "\
EXAMPLE
    servanda keygen keys/de-minister-2027
    servanda rotate --log paris --keys de-2027.keys.toml \\
        --key keys/de-defence --key keys/de-minister --key keys/de-minister-2027

Old officers who may govern sign, as many as their threshold says, and every key that is new.";

/// Replace your key set: a key lost or stolen, an officer who leaves
#[derive(Args)]
#[command(after_help = ROTATE_EXAMPLE)]
pub struct Rotate {
    /// The new key-set file
    #[arg(long = "keys", id = "key_set", value_name = "FILE")]
    set: PathBuf,
    #[command(flatten)]
    sign: SignArgs,
}

/// Signs a rotation.
pub fn rotate(context: &Context, args: Rotate) -> Result<Outcome> {
    let anyone: Handle = "anyone".parse()?;
    let keys = init::key_set(&args.set, args.sign.author.as_ref().unwrap_or(&anyone))?;
    let desk = Desk::open(context, &args.sign.desk)?;
    signing::sign(context, desk, Act::Rotate(RotateBody { keys }), args.sign)
}
