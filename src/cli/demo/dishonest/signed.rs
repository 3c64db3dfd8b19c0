//! Attacks that fail on what partners signed, or on who they are: a changed amount, a dropped statement, a partner that
//! nobody announced, a log of the operator's own.

use super::{Attack, SEEN, Scene, decoded, findings, rebuilt};
use crate::cli::demo::cast::{Cast, Member};
use crate::cli::demo::examine;
use crate::cli::demo::forge::Forgery;
use crate::cli::demo::founding::{TRUST, statement_0};
use crate::cli::demo::play::{Door, begin, play};
use crate::cli::demo::sign::sign;
use crate::cli::words::count;
use anyhow::Context as _;
use servanda::charter::Sealable;
use servanda::charter::file::Founding;
use servanda::codec::Bytes;
use servanda::field::{Class, Long, Short};
use servanda::statement::body::{Accede, Pledge};
use servanda::statement::terms::{Amount, Bounded, Quantity, Terms};
use servanda::statement::{Act, Statement};
use std::io;
use std::path::Path;

/// The pledge whose amount is changed, and to what.
const CHANGED: (&str, &str) = ("DEU-M1", "exactly 710000000 EUR");

/// The pledge that is dropped.
const DROPPED: &str = "SWE-M1";

/// What a partner pledges who does not exist.
const INVENTED: &str = "exactly 1000000000000 EUR";

/// Changes an amount.
pub fn amount(scene: &Scene<'_>) -> anyhow::Result<Attack> {
    let (reference, amount) = CHANGED;
    let pledge = scene.honest.played.pledge(reference);
    let amount: Bounded = amount.parse()?;
    let was = crate::cli::demo::facts::sum(&pledge.terms).context("it states a sum")?;
    let name = scene.name(&pledge.author)?;
    let was = Amount { amount: was.amount.clone(), unit: was.unit.clone() };
    let did = format!("{reference} of {name} now says {amount} instead of {was}");

    let mut forgery = scene.up_to(pledge.index)?;
    let rest = scene.from(pledge.index)?;
    let entry = decoded(&rest[0])?;
    let changed = with_amount(&entry.statement, &amount)?;
    forgery.sequence(changed, entry.entry.signatures, entry.entry.sequenced_at)?;
    forgery.sequence_again(&rest[1..])?;

    let folder = scene.publish("1-amount", &forgery)?;
    let verdict = scene.verify(&folder, None)?;
    let mut caught = findings(&verdict)?;
    let is_caught = verdict.entries().any(|f| f.index == pledge.index && f.reason.code() == "bad-signature");
    caught.push(scene.convince("1-amount.evidence", scene.evidence_at(&folder, pledge.index)?)?);
    Ok(Attack {
        name: "amount",
        title: "It changes an amount",
        did,
        rebuilt: rebuilt(pledge.index, scene.size()),
        caught,
        is_caught,
        files: vec!["1-amount".to_owned(), "1-amount.evidence".to_owned()],
    })
}

/// The statement with another sum, in its dues as well.
fn with_amount(statement: &Statement, amount: &Bounded) -> anyhow::Result<Bytes> {
    let Act::Pledge(mut body) = statement.act()? else { anyhow::bail!("no pledge") };
    let Sealable::Open(terms) = &mut body.terms else { anyhow::bail!("sealed") };
    set_amount(terms, amount);
    let changed = Statement { body: Act::Pledge(body).encode_body().into(), ..statement.clone() };
    Ok(Bytes(changed.encode()?))
}

fn set_amount(terms: &mut Terms, amount: &Bounded) {
    terms.quantity = Quantity::Open(amount.clone());
    for due in terms.dues.iter_mut() {
        due.quantity = Quantity::Open(amount.clone());
    }
}

/// Drops a statement from the middle.
pub fn dropped(scene: &Scene<'_>) -> anyhow::Result<Attack> {
    let pledge = scene.honest.played.pledge(DROPPED);
    let mut forgery = scene.up_to(pledge.index)?;
    forgery.sequence_again(scene.from(pledge.index + 1)?)?;
    let folder = scene.publish("2-dropped", &forgery)?;
    let verdict = scene.verify(&folder, None)?;
    let mut caught = findings(&verdict)?;
    let (seen, _) = verdict.count(SEEN, pledge.index);
    caught.push(
        "only a finding: to prove it to others takes a checkpoint, proof or promise that was kept".to_owned(),
    );
    let by_author = verdict.entries().any(|f| f.author.as_ref() == Some(&pledge.author));
    Ok(Attack {
        name: "dropped",
        title: "It drops a statement",
        did: format!(
            "{DROPPED} of {} is gone, and what stood behind it has moved up",
            scene.name(&pledge.author)?
        ),
        rebuilt: rebuilt(pledge.index, scene.size() - 1),
        is_caught: by_author && seen > 0,
        caught,
        files: vec!["2-dropped".to_owned()],
    })
}

/// Lets a partner pledge who does not exist.
pub fn invented(scene: &Scene<'_>) -> anyhow::Result<Attack> {
    let mut forgery = scene.up_to(scene.size())?;
    let atlantis = scene.cast.invented()?;
    let accede = Accede { keys: atlantis.set.clone(), reservations: None, annexes: Vec::new().into() };
    let at = say(scene, &mut forgery, &atlantis, Class::Govern, &Act::Accede(accede))?;
    let pledge = pledge_of(scene, &atlantis)?;
    say(scene, &mut forgery, &atlantis, Class::Commit, &pledge)?;
    let folder = scene.publish("5-invented", &forgery)?;
    let verdict = scene.verify(&folder, None)?;
    let first = verdict.entries().next().context("this should be found")?;
    let mut caught = vec![first.to_string()];
    let is_caught = [at, at + 1]
        .iter()
        .all(|index| verdict.entries().any(|f| f.index == *index && f.reason.code() == "unknown-author"));
    caught.push(scene.convince("5-invented.evidence", scene.evidence_at(&folder, at)?)?);
    Ok(Attack {
        name: "invented",
        title: "It invents a partner",
        did: "Atlantis accedes, and pledges 1,000,000,000,000 EUR, with keys that the operator made"
            .to_owned(),
        rebuilt: "a checkpoint: both statements stand at the log's end, and their signatures hold".to_owned(),
        caught,
        is_caught,
        files: vec!["5-invented".to_owned(), "5-invented.evidence".to_owned()],
    })
}

/// Makes up a log of its own, with a charter that has the invented partner in it.
pub fn own_log(scene: &Scene<'_>) -> anyhow::Result<Attack> {
    let cast = scene.cast.made_up()?;
    let files = cast.files()?;
    let mut read = |path: &Path, _: u64| {
        let found = files.get(path.to_string_lossy().as_ref()).map(|text| text.clone().into_bytes());
        found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    let founding = Founding::read(Path::new(crate::cli::demo::cast::CHARTER), &mut read)?;
    let folder = scene.dir.join(super::ATTACKS).join("5-own-log");
    let forgery = made_up(scene, &cast, &founding)?;
    forgery.publish(&folder, &founding.text)?;

    let alone = examine::verify(&folder, None, None)?;
    let refused = examine::open(&folder, Some(&scene.honest.trust)).err();
    let looks = if alone.is_clean() { "by itself it verifies" } else { "even by itself it does not verify" };
    let statements = count(usize::try_from(alone.checkpoint.size())?, "statement", "statements");
    Ok(Attack {
        name: "own-log",
        title: "It makes up a log of its own, with Atlantis in the charter",
        did: format!("{statements} under the same name, all signed, with keys that it made up for everyone"),
        rebuilt: format!("everything: {looks}, for a reader who was never told the log's id"),
        is_caught: alone.is_clean() && refused.is_some(),
        caught: vec![match refused {
            Some(error) => format!("whoever has {TRUST} is told: {error}"),
            None => format!("nothing: {TRUST} pins the same id"),
        }],
        files: vec!["5-own-log".to_owned()],
    })
}

fn made_up(scene: &Scene<'_>, cast: &Cast, founding: &Founding) -> anyhow::Result<Forgery> {
    let mut forgery = Forgery::new(cast);
    let founded = begin(scene.now);
    let draft = statement_0(founding, &cast.operator, founded)?;
    forgery.admit(draft, founded)?;
    play(&mut forgery, cast, scene.now)?;
    let atlantis = cast.partners.last().context("it was put at the end")?;
    let pledge = pledge_of(scene, atlantis)?;
    say(scene, &mut forgery, atlantis, Class::Commit, &pledge)?;
    Ok(forgery)
}

/// What Atlantis pledges: the terms of another, with a sum and name of its own.
fn pledge_of(scene: &Scene<'_>, atlantis: &Member) -> anyhow::Result<Act> {
    let model = scene.honest.played.pledge(CHANGED.0);
    let mut terms = model.terms.clone();
    set_amount(&mut terms, &INVENTED.parse()?);
    terms.reference = Some(Short::new("ATL-M1")?);
    terms.title = Short::new("More than all the others together")?;
    terms.text = Long::new(format!("{} sends its regards.", atlantis.name))?;
    (terms.needs, terms.annexes, terms.clause) = (Vec::new().into(), Vec::new().into(), None);
    terms.source = None;
    let to = vec![crate::cli::demo::play::BENEFICIARY.parse()?].into();
    Ok(Act::Pledge(Pledge { to, terms: Sealable::Open(terms) }))
}

/// Signs as a member and sequences it; gives the index.
pub(super) fn say(
    scene: &Scene<'_>,
    forgery: &mut Forgery,
    member: &Member,
    class: Class,
    act: &Act,
) -> anyhow::Result<u64> {
    let seen = forgery.history().head();
    let draft = sign(member, class, act, forgery.history(), seen, scene.now)?;
    forgery.admit(draft, scene.now)
}
