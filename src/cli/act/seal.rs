//! Sealing fields of an act before it is signed.

use crate::cli::problem::Problem;
use servanda::charter::{Annex, Sealable};
use servanda::codec::{Bytes, encode};
use servanda::field::{Handle, Short};
use servanda::hash::Hash;
use servanda::seal::{Opening, salt};
use servanda::statement::Act;
use servanda::statement::terms::{Quantity, Terms};

/// Seals the named fields; gives what opens them. Inner fields go first, so that `terms` may be sealed around them.
pub fn seal(act: &mut Act, fields: &[String], log: &Hash, author: &Handle) -> anyhow::Result<Vec<Opening>> {
    let mut names: Vec<&String> = fields.iter().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.matches('.').count()));
    let mut openings = Vec::new();
    for name in names {
        let field = Short::new(name.clone())?;
        let opening = |value: Vec<u8>| -> anyhow::Result<Opening> {
            Ok(Opening {
                log: *log,
                author: author.clone(),
                field: field.clone(),
                salt: salt()?,
                value: Bytes(value),
            })
        };
        openings.push(one(act, name, &opening)?);
    }
    Ok(openings)
}

type MakeOpening<'a> = dyn Fn(Vec<u8>) -> anyhow::Result<Opening> + 'a;

fn one(act: &mut Act, name: &str, opening: &MakeOpening<'_>) -> anyhow::Result<Opening> {
    let unknown = || {
        Problem::new(format!("there is nothing to seal at {name:?}")).hint(
            "sealed can be `terms`, `terms.quantity`, `terms.dues.0.quantity`, `terms.annexes.0`, or `annexes.0` of other acts",
        )
    };
    let (terms, annexes) = match act {
        Act::Pledge(x) => (Some(&mut x.terms), None),
        Act::Amend(x) => (Some(&mut x.terms), None),
        Act::Record(x) => (Some(&mut x.terms), None),
        Act::Accede(x) => (None, Some(&mut x.annexes)),
        Act::Notice(x) => (None, Some(&mut x.annexes)),
        Act::Report(x) => (None, Some(&mut x.annexes)),
        Act::Attest(x) => (None, Some(&mut x.annexes)),
        Act::Dispute(x) => (None, Some(&mut x.annexes)),
        Act::Respond(x) => (None, Some(&mut x.annexes)),
        Act::Review(x) => (None, Some(&mut x.annexes)),
        _ => (None, None),
    };
    let parts: Vec<&str> = name.split('.').collect();
    match (parts.as_slice(), terms, annexes) {
        (["annexes", n], _, Some(annexes)) => annex(annexes, n, opening)?.ok_or_else(|| unknown().into()),
        (["terms"], Some(terms), _) => {
            let made = opening(encode(terms.open().ok_or_else(unknown)?))?;
            *terms = Sealable::Sealed(made.seal());
            Ok(made)
        }
        (["terms", inner @ ..], Some(Sealable::Open(terms)), _) => {
            inside(terms, inner, opening)?.ok_or_else(|| unknown().into())
        }
        _ => Err(unknown().into()),
    }
}

fn inside(terms: &mut Terms, parts: &[&str], opening: &MakeOpening<'_>) -> anyhow::Result<Option<Opening>> {
    let place = match parts {
        ["quantity"] => Some(&mut terms.quantity),
        ["dues", n, "quantity"] => {
            n.parse().ok().and_then(|n: usize| terms.dues.get_mut(n)).map(|d| &mut d.quantity)
        }
        ["annexes", n] => return annex(&mut terms.annexes, n, opening),
        _ => None,
    };
    let Some(quantity) = place else { return Ok(None) };
    let Quantity::Open(value) = &*quantity else { return Ok(None) };
    let made = opening(encode(value))?;
    *quantity = Quantity::Sealed(made.seal());
    Ok(Some(made))
}

fn annex(annexes: &mut [Annex], n: &str, opening: &MakeOpening<'_>) -> anyhow::Result<Option<Opening>> {
    let Some(annex) = n.parse().ok().and_then(|n: usize| annexes.get_mut(n)) else { return Ok(None) };
    let Some(document) = annex.open() else { return Ok(None) };
    let made = opening(encode(document))?;
    *annex = Sealable::Sealed(made.seal());
    Ok(Some(made))
}
