//! A proof: who signed, as whom, when, at which index of which log, seen by whom, and what that is worth.

use super::super::plain::plain;
use super::super::words::{self, count, listed};
use super::super::{Outcome, held, open};
use super::{Known, Seen, Told};
use serde_json::json;
use servanda::chain::{Effect, Reason};
use servanda::charter::KeySet;
use servanda::checkpoint::{CheckpointError, SignedCheckpoint, VerifiedCheckpoint};
use servanda::entry::SignedEntry;
use servanda::field::Handle;
use servanda::hash::{Hash, leaf_hash};
use servanda::policy::Policy;
use servanda::proof::{self, Chain, RosterFile};
use servanda::roster::signing::{self, NEW};
use servanda::roster::{InForce, Roster};
use servanda::statement::{Act, log_id};
use servanda::tlog_proof::{CheckError, TlogProof};

/// What a checkpoint is checked by.
pub struct Authority {
    /// Whose signatures count.
    pub policy: Policy,
    /// The operator's declared chain of class 0, where there is a roster file.
    pub chain: Option<Chain>,
    /// The roster at the checkpoint's end.
    pub roster: Option<Roster>,
}

/// Finds what a checkpoint is checked by: the trust file, the roster file, or both.
pub fn authority(
    signed: &SignedCheckpoint,
    file: Option<&RosterFile>,
    known: &Known,
    told: &mut Told,
) -> Option<Authority> {
    let claim = signed.claim();
    let (mut chain, mut roster) = (None, None);
    if let Some(file) = file {
        // Read under a root that nobody vouches for yet: the signature is over it.
        let verified = file.verify(claim.size, &claim.root);
        let read = verified.and_then(|c| Ok((c.roster_before(claim.size, known.pinned())?, c)));
        match read {
            Ok((now, proven)) => (chain, roster) = (Some(proven), Some(now)),
            Err(error) => {
                told.bad(format!("the roster file does not hold: {error}"));
                return None;
            }
        }
    }
    if let Some(unknown) = roster.as_ref().and_then(|r| r.unknown.as_ref()) {
        told.unchecked(unknown.to_string());
        return None;
    }
    let policy = match (&known.held, &roster) {
        // From a pinned founding follows who signs for the log now.
        (Some(held), Some(roster)) if held.trust.log.is_some() => {
            held.trust.policy.with_logs([roster.vkey.clone()]).ok()
        }
        (Some(held), _) => Some(held.trust.policy.clone()),
        (None, Some(roster)) => Some(open::founding_policy(&roster.vkey)),
        (None, None) => None,
    };
    let Some(policy) = policy else {
        told.unchecked(
            "nothing to check it by: give the log's trust file with --trust, and the roster file beside it",
        );
        return None;
    };
    Some(Authority { policy, chain, roster })
}

/// Checks a proof.
pub fn tell(proof: &TlogProof, known: &Known, seen: &mut Seen) -> Told {
    let mut told = Told::new("proof");
    told.set("index", proof.index);
    let Some(bytes) = &proof.extra else {
        told.unchecked("this proof carries no entry, so it says nothing about a statement");
        return told;
    };
    let signed = match SignedCheckpoint::parse(proof.checkpoint.as_bytes()) {
        Ok(signed) => signed,
        Err(error) => {
            told.bad(format!("the checkpoint in it is none: {error}"));
            return told;
        }
    };
    let claim = signed.claim();
    let file = known.roster(claim.size, &claim.root);
    let Some(authority) = authority(&signed, file, known, &mut told) else { return told };
    if let Ok(checkpoint) = signed.open(&authority.policy.without_quorum()) {
        seen.take(checkpoint);
    }
    let checkpoint = match proof.verify(&leaf_hash(bytes), &authority.policy) {
        Ok(checkpoint) => checkpoint,
        Err(CheckError::Checkpoint(error)) => {
            told.bad(refused(&error));
            return told;
        }
        Err(CheckError::Inclusion(error)) => {
            told.bad(format!("the entry is not in the log at this index: {error}"));
            return told;
        }
    };
    match SignedEntry::decode(bytes) {
        Ok(e) => entry(&mut told, proof.index, &e, &checkpoint, &authority, known),
        Err(error) => told.bad(format!("what the log holds at entry {} is none: {error}", proof.index)),
    }
    told
}

/// Why a checkpoint does not count.
pub fn refused(error: &CheckpointError) -> String {
    format!("the checkpoint is not accepted: {error}")
}

fn entry(
    told: &mut Told,
    index: u64,
    e: &SignedEntry,
    checkpoint: &VerifiedCheckpoint,
    authority: &Authority,
    known: &Known,
) {
    let names = |h: &Handle| {
        let charter = &authority.roster.as_ref()?.charter;
        charter.partner(h).map(|p| p.name.to_string())
    };
    signers(told, index, e, authority, known, &names);
    let origin = plain(checkpoint.origin());
    told.say(format!(
        "entry {index} of {} in {origin}, sequenced {} by the operator's clock",
        checkpoint.size(),
        e.entry.sequenced_at
    ));
    pinning(told, &log_id(&e.statement, &e.id), known);
    open::vouched(checkpoint).into_iter().for_each(|line| told.say(line));
    later(told, index, e, authority);
    if told.outcome == Outcome::Good {
        told.say(
            "This shows that they signed the words below and that the log holds them. It never says that they are in \
             force: what became of them since, and whether anything was skipped or repeated, the whole log tells.",
        );
    }
    told.say("");
    words::statement(&e.statement, &names).into_iter().for_each(|line| told.say(line));
    let cosigners = checkpoint.cosigners().iter();
    told.set("size", checkpoint.size());
    told.set("quorum_none", checkpoint.quorum_is_none());
    told.set("witnesses", cosigners.map(|c| json!({"name": c.name, "time_s": c.time_s})).collect::<Vec<_>>());
    told.set("entry", words::json(e));
}

/// Says whether the trust file pins this log.
pub fn pinning(told: &mut Told, log: &Hash, known: &Known) {
    told.set("log", log.to_string());
    told.set("pinned", known.pinned() == Some(log));
    match (known.pinned(), &known.held) {
        (Some(pinned), Some(held)) if pinned == log => {
            told.say(format!("log {}, as pinned by {}", log.short(), held.path.display()));
        }
        (Some(pinned), _) => {
            told.bad(format!("it is meant for log {}, and not {}", log.short(), pinned.short()))
        }
        (None, _) => told.unchecked(held::not_pinned(log)),
    }
}

/// Says who signed, and how far that is known.
fn signers(
    told: &mut Told,
    index: u64,
    e: &SignedEntry,
    authority: &Authority,
    known: &Known,
    names: words::Names<'_>,
) {
    let author = &e.statement.author;
    let page = words::Page::new(names);
    let who = page.who(author);
    let class = e.statement.class().name();
    let pinned = known.held.as_ref().and_then(|held| held.trust.partners.get(author));
    match (&authority.chain, pinned) {
        (Some(chain), _) => match proof::judge(chain, index, e, known.pinned()) {
            Ok(judged) => {
                let keys = judged.roster.keys(author).map(|k| &k.set);
                if index > 0 && keys.is_some() && pinned.is_some() && keys != pinned {
                    told.say(format!("your trust file has other keys for {author} than were in force there"));
                }
                told.set("author_checked", "roster");
                let by = officers(e, keys);
                verdict(told, &judged.reasons, &format!("{by} of {who}, in class \"{class}\""), "by the roster that the operator declared");
            }
            Err(error) => told.bad(format!("the roster file does not hold: {error}")),
        },
        (None, Some(set)) => match by_pinned(e, set, author) {
            Some(reasons) => {
                told.set("author_checked", "trust file");
                let by = officers(e, Some(set));
                verdict(told, &reasons, &format!("{by} of {who}, in class \"{class}\""), "by the keys in your trust file");
            }
            None => told.unchecked("author not checked: a rotation takes the roster file that goes with this proof"),
        },
        (None, None) => told.unchecked(format!(
            "author not checked: it claims to be by {who}; to check that, give the roster file, or a trust file that \
             holds the keys of {author}"
        )),
    }
}

fn verdict(told: &mut Told, reasons: &[Reason], by: &str, how: &str) {
    let list = |effect: fn(Effect) -> bool| {
        let some = reasons.iter().filter(|r| effect(r.effect()));
        some.map(ToString::to_string).collect::<Vec<_>>().join(", and ")
    };
    let unauthentic = list(|e| e == Effect::Unauthentic);
    if unauthentic.is_empty() {
        told.say(format!("signed by {by}, {how}"));
    } else {
        told.bad(format!("it claims to be signed by {by}, and does not count: it {unauthentic}"));
    }
    let void = list(|e| e == Effect::Void);
    if !void.is_empty() {
        told.bad(format!("it is void: it {void}"));
    }
    let fault = list(|e| e == Effect::OperatorsFault);
    if !fault.is_empty() {
        told.bad(format!("the operator sequenced it wrongly: it {fault}"));
    }
    told.set(
        "reasons",
        reasons
            .iter()
            .map(|r| json!({"code": r.code(), "effect": r.effect(), "text": r.to_string()}))
            .collect::<Vec<_>>(),
    );
}

/// Judges an entry by keys that the verifier holds; none where these do not tell.
fn by_pinned(e: &SignedEntry, set: &KeySet, author: &Handle) -> Option<Vec<Reason>> {
    let s = &e.statement;
    let keys = match set.admit(author) {
        Ok(keys) => InForce { set: set.clone(), keys, since: 0 },
        Err(error) => return Some(vec![Reason::KeySet { error }]),
    };
    let checked = match s.act() {
        Ok(Act::Rotate(_)) => return None,
        Ok(Act::Found(found)) if found.keys != *set => Err(Reason::NotAnnounced),
        Ok(Act::Accede(accede)) if accede.keys != *set => Err(Reason::NotAnnounced),
        Ok(Act::Found(_) | Act::Accede(_)) => signing::all_signed(e, &keys),
        _ => signing::signed(e, &keys),
    };
    let expired = (e.entry.sequenced_at > s.expires_at)
        .then_some(Reason::Expired { at: e.entry.sequenced_at, expires: s.expires_at });
    Some(checked.err().into_iter().chain(expired).collect())
}

/// The titles of those who signed, by the author's key set or the one in the statement itself.
fn officers(e: &SignedEntry, keys: Option<&KeySet>) -> String {
    let own = match e.statement.act() {
        Ok(Act::Found(found)) => Some(found.keys),
        Ok(Act::Accede(accede)) => Some(accede.keys),
        Ok(Act::Rotate(rotate)) => Some(rotate.keys),
        _ => None,
    };
    let rotates = matches!(e.statement.act(), Ok(Act::Rotate(_)));
    let title = |officer: u8| {
        let (set, at) = match (rotates, officer.checked_sub(NEW)) {
            (true, Some(new)) => (own.as_ref(), new),
            (false, _) if own.is_some() => (own.as_ref(), officer),
            _ => (keys, officer),
        };
        set.and_then(|set| set.officers.get(usize::from(at))).map(|o| plain(&o.title))
    };
    let signed = e.entry.signatures.iter().map(|s| {
        let title = title(s.officer).unwrap_or_else(|| "someone unknown".to_owned());
        format!("{title} (officer {})", s.officer)
    });
    if e.entry.signatures.is_empty() { count(0, "officer", "officers") } else { listed(signed, "and") }
}

/// What changed in the roster since, up to the checkpoint.
fn later(told: &mut Told, index: u64, e: &SignedEntry, authority: &Authority) {
    let Some(roster) = &authority.roster else { return };
    let author = &e.statement.author;
    match (roster.keys(author), taken_at(roster, author)) {
        (None, Some(at)) if at >= index => {
            told.set("keys_taken_at", at);
            told.say(format!(
                "since then, a motion that entry {at} carried took the keys of {author} from it; it has not acceded with \
                 others"
            ));
        }
        (Some(keys), _) if keys.since > index => {
            told.set("keys_replaced_at", keys.since);
            told.say(format!("since then, {author} has replaced its keys, last with entry {}", keys.since));
        }
        _ if roster.last.index > index => told.say(format!(
            "since then, the roster changed, last with entry {}; the keys of {author} did not",
            roster.last.index
        )),
        _ => {}
    }
    if roster.is_suspended(author) {
        told.set("suspended", true);
        told.say(format!("{author} is suspended at the checkpoint's end"));
    }
}

/// The entry that carried the motion which left an author without keys.
fn taken_at(roster: &Roster, author: &Handle) -> Option<u64> {
    let member = roster.members.get(author)?;
    member.past.last().filter(|_| member.in_force.is_none()).map(|replaced| replaced.until)
}
