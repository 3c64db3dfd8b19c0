//! From acts to statements, one behind the other in their author's chains, and to signatures.
//!
//! A statement's id does not depend on its signatures, so the whole chain is made first, and signed on all cores after.

use super::refusal::Refusal;
use super::sorting::{Ready, Refused};
use crate::cli::desk::Desk;
use crate::cli::problem::Problem;
use crate::cli::signing;
use anyhow::Result;
use rayon::prelude::*;
use servanda::codec::Bytes;
use servanda::field::{Class, Duration, Handle, Instant};
use servanda::hash::Hash;
use servanda::key::SigningKey;
use servanda::statement::{self, Kind, Signature, Statement, VERSION};
use servanda::text::count;
use std::collections::{HashMap, HashSet};

/// A statement that waits to be signed.
#[derive(Debug)]
pub struct Unsigned {
    /// Its id.
    pub id: Hash,
    /// The statement, encoded.
    pub bytes: Vec<u8>,
    /// Statements of one group come into the log together, or not at all.
    pub group: Option<u32>,
    class: Class,
}

#[cfg(test)]
impl Unsigned {
    /// One of these parts.
    pub fn new(id: Hash, bytes: Vec<u8>, group: Option<u32>, class: Class) -> Self {
        Self { id, bytes, group, class }
    }
}

/// Who signs, and how.
pub struct Author<'a> {
    /// The partner.
    pub handle: Handle,
    /// The keys at hand.
    pub keys: &'a [SigningKey],
    /// The class that was asked for.
    pub class: Option<&'a str>,
    /// When.
    pub now: Instant,
    /// How long the statements may wait for the log.
    pub expires_in: Duration,
}

/// The officers who sign, by class.
pub type Signers<'a> = HashMap<Class, Vec<(u8, &'a SigningKey)>>;

/// Makes statements of acts. All have seen the head that was verified here; one that is too long is refused, and the
/// chain goes on without it.
///
/// # Errors
/// When an act cannot be signed in the class asked for.
pub fn chained(
    desk: &Desk,
    author: &Author<'_>,
    ready: Vec<Ready>,
    refused: &mut Vec<Refused>,
) -> Result<Vec<Unsigned>> {
    let classes = classes(desk, author, &ready)?;
    let history = desk.history();
    let log = desk.roster()?.log;
    let expires_at = author.now.plus(author.expires_in);
    let mut chains: HashMap<Class, _> =
        classes.values().map(|class| (*class, history.chain(&author.handle, *class))).collect();
    let mut statements = Vec::with_capacity(ready.len());
    for Ready { line, reference, kind, body, group, .. } in ready {
        let class = classes[&kind];
        let chain = chains.get_mut(&class).expect("there is one for each class");
        let made = Statement {
            version: VERSION,
            log,
            author: author.handle.clone(),
            class: class.number(),
            seq: chain.seq,
            prev: chain.prev,
            seen: history.head(),
            issued_at: author.now,
            expires_at,
            kind: kind.number(),
            body: Bytes(body),
        };
        match made.encode() {
            Ok(bytes) => {
                let id = statement::id(&bytes);
                chain.advance(id);
                statements.push(Unsigned { id, bytes, group, class });
            }
            Err(error) => refused.push(Refused::new(line, reference, Refusal::Statement(error))),
        }
    }
    Ok(statements)
}

fn classes(desk: &Desk, author: &Author<'_>, ready: &[Ready]) -> Result<HashMap<Kind, Class>> {
    let kinds: HashSet<Kind> = ready.iter().map(|row| row.kind).collect();
    let class = |kind| Ok((kind, signing::class(desk, author.class, &author.handle, kind, author.keys)?));
    kinds.into_iter().map(class).collect()
}

/// The officers whose keys are at hand, for each class that is signed in.
///
/// # Errors
/// When a key is no officer's or may not sign in the class, or there are fewer than the threshold asks for: many
/// statements do not go from officer to officer.
pub fn signers<'a>(desk: &Desk, author: &Author<'a>, statements: &[Unsigned]) -> Result<Signers<'a>> {
    let mut signers = Signers::new();
    for &class in Class::ALL.iter().filter(|class| statements.iter().any(|s| s.class == **class)) {
        signers.insert(class, officers(desk, author, class)?);
    }
    Ok(signers)
}

fn officers<'a>(desk: &Desk, author: &Author<'a>, class: Class) -> Result<Vec<(u8, &'a SigningKey)>> {
    let handle = &author.handle;
    let in_force = desk.roster()?.keys(handle).ok_or_else(|| {
        Problem::refused(format!("{handle} has no keys in this log"))
            .hint("a partner accedes first, with `servanda accede`")
    })?;
    let refused = |what: String| Problem::refused(what).hint(signing::OFFICERS);
    let mut officers = Vec::new();
    for key in author.keys {
        let public = key.public();
        let at = in_force.keys.iter().position(|known| *known == public);
        let at = at.ok_or_else(|| refused(format!("a key belongs to no officer of {handle}")))?;
        let officer = &in_force.set.officers[at];
        if !officer.classes.has(class) {
            let what = format!("officer {at} ({}) may not sign in class \"{class}\"", officer.title);
            return Err(refused(what).into());
        }
        officers.push((u8::try_from(at).expect("a set has at most 128"), key));
    }
    officers.sort_by_key(|(at, _)| *at);
    officers.dedup_by_key(|(at, _)| *at);
    let want = usize::from(in_force.set.threshold(class)).max(1);
    if officers.len() < want {
        return Err(Problem::refused(format!(
            "{} of {handle} must sign in class \"{class}\", and {} here",
            count(want, "officer", "officers"),
            count(officers.len(), "key is", "keys are")
        ))
        .hint("name all their keys, each with --key: an import does not go from officer to officer")
        .into());
    }
    Ok(officers)
}

/// Signs statements on all cores.
pub fn sign(statements: &[Unsigned], signers: &Signers<'_>) -> Vec<Vec<Signature>> {
    let sign = |s: &Unsigned| {
        let officers = signers.get(&s.class).map_or(&[][..], Vec::as_slice);
        officers.iter().map(|(officer, key)| statement::sign(&s.id, *officer, key)).collect()
    };
    statements.par_iter().map(sign).collect()
}
