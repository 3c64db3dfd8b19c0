//! Whose signatures an entry must bear: ascending by officer, each one good, all of the class, the threshold reached;
//! and the rules of their own that kinds 0 to 2 follow.

use super::InForce;
use crate::chain::Reason;
use crate::entry::SignedEntry;
use crate::field::Class;
use crate::key::{self, Claim, ED25519, VerifyingKey};
use crate::statement::{Signature, signed_bytes};

/// The number from which on officers are those of a rotation's new set.
pub const NEW: u8 = 128;

/// Checks the signatures of an ordinary entry.
///
/// # Errors
/// The first reason why they do not count.
pub fn signed(e: &SignedEntry, keys: &InForce) -> Result<(), Reason> {
    signers(e, keys)?;
    let signatures = &e.entry.signatures;
    signatures.iter().try_for_each(|s| holds(e, s, &keys.keys[usize::from(s.officer)]))
}

/// Checks the signatures of many ordinary entries at once, each under the key set beside it: what [`signed`] says of each
/// alone. Where there is no key set, nothing is said.
#[must_use]
pub fn signed_all(entries: &[(&SignedEntry, Option<&InForce>)]) -> Vec<Result<(), Reason>> {
    let judged: Vec<_> =
        entries.iter().map(|(e, keys)| keys.map_or(Ok(()), |keys| signers(e, keys))).collect();
    let messages: Vec<_> = entries.iter().map(|(e, _)| signed_bytes(&e.id)).collect();
    let mut claims = Vec::with_capacity(entries.len());
    for (((e, keys), message), judged) in entries.iter().zip(&messages).zip(&judged) {
        let (Some(keys), Ok(())) = (keys, judged) else { continue };
        claims.extend(e.entry.signatures.iter().map(|s| {
            let key = keys.keys[usize::from(s.officer)];
            Claim { key, message, signature: &s.bytes }
        }));
    }
    let mut held = key::hold(&claims).into_iter();
    let check = |((e, keys), judged): (&(&SignedEntry, Option<&InForce>), Result<(), Reason>)| {
        judged?;
        let signatures = keys.map_or(&[][..], |_| &e.entry.signatures);
        let held: Vec<_> = held.by_ref().take(signatures.len()).collect();
        let bad = signatures.iter().zip(held).find(|(_, held)| !held);
        bad.map_or(Ok(()), |(s, _)| Err(Reason::BadSignature { officer: s.officer }))
    };
    entries.iter().zip(judged).map(check).collect()
}

/// Checks who signed an ordinary entry, and not whether the signatures hold.
///
/// # Errors
/// The first reason why these signers do not suffice.
pub fn signers(e: &SignedEntry, keys: &InForce) -> Result<(), Reason> {
    let signatures = &e.entry.signatures;
    in_order(signatures)?;
    let class = e.statement.class();
    for s in signatures {
        of_class(s, keys, class)?;
    }
    reached(signatures.len(), keys, class)
}

/// Checks that exactly all officers of a set signed: `found`, `accede`.
///
/// # Errors
/// The first reason why not.
pub fn all_signed(e: &SignedEntry, keys: &InForce) -> Result<(), Reason> {
    let signatures = &e.entry.signatures;
    in_order(signatures)?;
    for s in signatures {
        known(s, keys)?;
    }
    if signatures.len() != keys.keys.len() {
        return Err(Reason::NotAllSigned { got: signatures.len(), want: keys.keys.len() });
    }
    signatures.iter().try_for_each(|s| holds(e, s, &keys.keys[usize::from(s.officer)]))
}

/// Checks a rotation's signatures by the old set: govern holders reaching the threshold.
///
/// # Errors
/// The first reason why they do not count.
pub fn old_officers_signed(e: &SignedEntry, old: &InForce) -> Result<(), Reason> {
    let signatures = &e.entry.signatures;
    in_order(signatures)?;
    let (by_old, _) = halves(signatures);
    for s in by_old {
        of_class(s, old, Class::Govern)?;
    }
    reached(by_old.len(), old, Class::Govern)?;
    by_old.iter().try_for_each(|s| holds(e, s, &old.keys[usize::from(s.officer)]))
}

/// Checks a rotation's signatures by the new set: exactly the keys that the old set had not.
///
/// # Errors
/// The first reason why not.
pub fn new_officers_signed(e: &SignedEntry, old: &InForce, new: &InForce) -> Result<(), Reason> {
    let (_, by_new) = halves(&e.entry.signatures);
    let mut want = (0..new.keys.len()).filter(|j| !old.keys.contains(&new.keys[*j]));
    let mut given = by_new.iter();
    loop {
        match (want.next(), given.next()) {
            (None, None) => return Ok(()),
            (Some(j), Some(s)) if j == usize::from(s.officer - NEW) => {
                algorithm(s, new.set.officers[j].algorithm)?;
                holds(e, s, &new.keys[j])?;
            }
            (w, g) => {
                // Whichever comes first is the one missing or too many.
                let j = w.into_iter().chain(g.map(|s| usize::from(s.officer - NEW))).min();
                let j = j.expect("one of them is there");
                return Err(Reason::NewKeysSigned {
                    officer: u8::try_from(j).expect("officers are below 128"),
                });
            }
        }
    }
}

fn halves(signatures: &[Signature]) -> (&[Signature], &[Signature]) {
    signatures.split_at(signatures.partition_point(|s| s.officer < NEW))
}

fn in_order(signatures: &[Signature]) -> Result<(), Reason> {
    if signatures.is_empty() {
        return Err(Reason::NoSignatures);
    }
    if signatures.is_sorted_by(|a, b| a.officer < b.officer) { Ok(()) } else { Err(Reason::SignatureOrder) }
}

fn known(s: &Signature, keys: &InForce) -> Result<(), Reason> {
    let officer = keys.set.officers.get(usize::from(s.officer));
    algorithm(s, officer.ok_or(Reason::UnknownOfficer { officer: s.officer })?.algorithm)
}

fn algorithm(s: &Signature, want: u8) -> Result<(), Reason> {
    if s.algorithm == want && want == ED25519 {
        Ok(())
    } else {
        Err(Reason::Algorithm { officer: s.officer, algorithm: s.algorithm })
    }
}

fn of_class(s: &Signature, keys: &InForce, class: Class) -> Result<(), Reason> {
    known(s, keys)?;
    if keys.set.officers[usize::from(s.officer)].classes.has(class) {
        Ok(())
    } else {
        Err(Reason::WrongClass { officer: s.officer, class })
    }
}

fn reached(got: usize, keys: &InForce, class: Class) -> Result<(), Reason> {
    let want = keys.set.threshold(class);
    if want > 0 && got >= usize::from(want) {
        Ok(())
    } else {
        Err(Reason::BelowThreshold { got, want, class })
    }
}

fn holds(e: &SignedEntry, s: &Signature, key: &VerifyingKey) -> Result<(), Reason> {
    if key.holds(&signed_bytes(&e.id), &s.bytes) {
        Ok(())
    } else {
        Err(Reason::BadSignature { officer: s.officer })
    }
}
