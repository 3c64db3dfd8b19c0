//! Checkpoints, promises, drafts and evidence.

use super::super::plain::plain;
use super::super::problem::Problem;
use super::super::words::{self, listed};
use super::super::{open, screen};
use super::proof::{authority, pinning, refused};
use super::{Known, Seen, Told};
use serde_json::json;
use servanda::armor::{ArmorError, File};
use servanda::charter::KeySet;
use servanda::checkpoint::SignedCheckpoint;
use servanda::draft::Draft;
use servanda::entry::SignedEntry;
use servanda::evidence::{self, Evidence};
use servanda::field::Handle;
use servanda::key::VerifyingKey;
use servanda::promise::Promise;
use servanda::roster::InForce;
use servanda::roster::signing::NEW;
use servanda::statement::{Act, Signature, Statement, signed_bytes};
use std::path::Path;

/// Checks a checkpoint.
pub fn checkpoint(signed: &SignedCheckpoint, known: &Known, seen: &mut Seen) -> Told {
    let mut told = Told::new("checkpoint");
    let claim = signed.claim();
    told.set("size", claim.size);
    told.set("root", claim.root.to_string());
    // One under another checkpoint says nothing about this one.
    let file = known.roster(claim.size, &claim.root).filter(|f| f.verify(claim.size, &claim.root).is_ok());
    let Some(authority) = authority(signed, file, known, &mut told) else { return told };
    if let Ok(checkpoint) = signed.open(&authority.policy.without_quorum()) {
        seen.take(checkpoint);
    }
    match signed.open(&authority.policy) {
        Err(error) => told.bad(refused(&error)),
        Ok(checkpoint) => {
            let row = |name: &str, value: String| vec![name.to_owned(), value];
            let rows = [
                row("origin", plain(checkpoint.origin())),
                row("entries", checkpoint.size().to_string()),
                row("root", checkpoint.root().to_string()),
            ];
            screen::table(&rows).into_iter().for_each(|line| told.say(line));
            open::vouched(&checkpoint).into_iter().for_each(|line| told.say(line));
            told.set("quorum_none", checkpoint.quorum_is_none());
            if known.pinned().is_none() {
                told.unchecked("not pinned: the key that signed it is all that says which log this is");
            }
        }
    }
    told
}

/// Checks a file that is told by its label.
///
/// # Errors
/// When it is damaged.
pub fn pem(file: File, bytes: &[u8], path: &Path, known: &Known) -> anyhow::Result<Told> {
    let damaged = |e: ArmorError| {
        Problem::new(format!("{} is damaged", path.display())).hint("ask for it again").because(e)
    };
    Ok(match file {
        File::Promise => promise(&File::Promise.read(bytes).map_err(damaged)?, known),
        File::Statement => draft(&File::Statement.read(bytes).map_err(damaged)?, known),
        File::Evidence => evidence(&File::Evidence.read(bytes).map_err(damaged)?, known),
        File::Roster => {
            let mut told = Told::new("roster");
            told.unchecked("a roster file proves nothing by itself: give it with a proof or a checkpoint");
            told
        }
        File::Opening => {
            let mut told = Told::new("opening");
            told.unchecked(
                "what opens a sealed value is checked with `servanda open`, against its statement",
            );
            told
        }
    })
}

/// Checks evidence. That it holds is good: of the file, not of the operator.
fn evidence(evidence: &Evidence, known: &Known) -> Told {
    let mut told = Told::new("evidence");
    match evidence::check(evidence, known.pinned()) {
        Ok(guilt) => {
            told.set("misdeed", json!(guilt.kind));
            told.say(format!("{}: the operator {}", guilt.kind, plain(&guilt.what)));
            told.say(format!("signed with the operator's key {}", guilt.key));
            pinning(&mut told, &guilt.log, known);
            told.say("It cannot tell whether the operator or a thief held that key.");
        }
        Err(error) if error.is_not_understood() => told.unchecked(error.to_string()),
        Err(error) => told.bad(format!("this evidence shows nothing: {error}")),
    }
    told
}

/// Checks a promise by the operator's keys in the trust file.
fn promise(promise: &Promise, known: &Known) -> Told {
    let mut told = Told::new("promise");
    told.set("index", promise.index);
    told.say(format!("the operator's word that this will be entry {}:", promise.index));
    pinning(&mut told, &promise.log, known);
    let operator = Handle::operator();
    let set = known.held.as_ref().and_then(|held| held.trust.partners.get(&operator));
    match set.map(|set| set.admit(&operator).map(|keys| InForce { set: set.clone(), keys, since: 0 })) {
        None => told.unchecked(
            "its signature was not checked, since no trust file gives the operator's keys: to check it by the log's own \
             roster, and whether it was kept, use `servanda verify LOG --promise FILE`; to check it without the log, put \
             the operator's key set into the trust file, as a [[partner]] with handle = \"operator\"",
        ),
        Some(Err(error)) => told.unchecked(format!("the operator's keys in the trust file: {error}")),
        Some(Ok(keys)) => match promise.check(&keys) {
            Ok(_) => told.say("signed by the operator, by the keys in your trust file"),
            Err(error) => told.bad(error.to_string()),
        },
    }
    if let Ok(e) = SignedEntry::decode(&promise.entry) {
        told.say("");
        words::statement(&e.statement, &|_| None).into_iter().for_each(|line| told.say(line));
        told.set("entry", words::json(&e));
    } else {
        told.bad("it holds no entry");
    }
    told
}

/// Checks a draft's signatures, by the keys that it carries.
fn draft(draft: &Draft, known: &Known) -> Told {
    let mut told = Told::new("statement");
    let statement = match draft.statement() {
        Ok(statement) => statement,
        Err(error) => {
            told.unchecked(error.to_string());
            return told;
        }
    };
    let id = draft.id();
    told.set("id", id.to_string());
    told.say("a statement on its way, in no log yet");
    let mut signed = Vec::new();
    for signature in &draft.signatures {
        match signer(draft, &statement, signature) {
            Some((title, key)) if key.holds(&signed_bytes(&id), &signature.bytes) => signed.push(title),
            Some((title, _)) => told.bad(format!("the signature of {title} does not hold")),
            None => {
                told.bad(format!("it is signed by officer {}, whom its keys have not", signature.officer))
            }
        }
    }
    told.say(format!("signed by {}; {} more must sign", listed(signed, "and"), draft.missing()));
    let author = &statement.author;
    let pinned = known.held.as_ref().and_then(|held| held.trust.partners.get(author));
    match (pinned, &draft.keys) {
        (Some(pinned), Some(keys)) if pinned == keys => {}
        (Some(_), Some(_)) => told.bad(format!("it carries other keys of {author} than your trust file has")),
        _ => told.unchecked(format!(
            "author not checked: the keys are those that the file itself gives for {author}"
        )),
    }
    told.say("");
    words::statement(&statement, &|_| None).into_iter().for_each(|line| told.say(line));
    told
}

/// Title and key of an officer who signed a draft.
fn signer(draft: &Draft, statement: &Statement, signature: &Signature) -> Option<(String, VerifyingKey)> {
    let (own, rotates): (Option<KeySet>, bool) = match statement.act() {
        Ok(Act::Found(found)) => (Some(found.keys), false),
        Ok(Act::Accede(accede)) => (Some(accede.keys), false),
        Ok(Act::Rotate(rotate)) => (Some(rotate.keys), true),
        _ => (None, false),
    };
    let (set, at) = match (rotates, signature.officer.checked_sub(NEW)) {
        (true, Some(new)) => (own.as_ref(), new),
        (true, None) => (draft.keys.as_ref(), signature.officer),
        (false, _) => (own.as_ref().or(draft.keys.as_ref()), signature.officer),
    };
    let officer = set?.officers.get(usize::from(at))?;
    Some((plain(&officer.title), VerifyingKey::admit(&officer.key).ok()?))
}
