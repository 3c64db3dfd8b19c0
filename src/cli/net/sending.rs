//! Statements on their way to a server: sent until there is an answer, and the answer verified before anything is said of it.
//!
//! The same statement goes in once, however often it is sent, so that a lost answer is asked for again. A proof must be that of
//! this very statement, under a checkpoint that the policy accepts, which goes on from the newest one seen; a promise must be
//! signed by the operator's officers in force.

use super::limits;
use crate::cli::desk::Desk;
use crate::cli::open::{self, Log, as_url};
use crate::cli::plain::plain;
use crate::cli::problem::{Hint as _, Problem};
use crate::cli::{Context, Outcome, files, kept, signing, words};
use anyhow::Result;
use serde_json::{Value, json};
use servanda::agent::{Agent, AgentError, Answer, Url};
use servanda::armor::File;
use servanda::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use servanda::codec::List;
use servanda::draft::Draft;
use servanda::entry::SignedEntry;
use servanda::field::Handle;
use servanda::hash::{Hash, leaf_hash};
use servanda::promise::Promise;
use servanda::submit::Admitted;
use servanda::tlog_proof::{PROOF_MAX, TlogProof};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// How long is waited before a statement is sent again: as often as this has entries.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(800),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// The longest that a server may ask to wait; beyond that it is for its author to decide.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// What became of a statement.
enum Sent {
    /// It is published, under this checkpoint.
    Published(u64, Box<VerifiedCheckpoint>),
    /// It is promised, by the word in this file.
    Promised(u64, PathBuf),
}

/// Sends signed statements to the server that the desk reads from, one after the other.
///
/// # Errors
/// Where one is refused, or it is not known what became of it: those before are in the log.
pub fn send(context: &Context, desk: &Desk, log: &Log, drafts: &[Draft]) -> Result<Outcome> {
    let url: Url = as_url(&log.place.path).unwrap_or_default().parse().map_err(AgentError::from)?;
    let agent = Agent::new(&url, &limits())?;
    let address = url.at("add");
    let mut sent = Vec::with_capacity(drafts.len());
    let bar = context.screen.progress(u64::try_from(drafts.len())?, "sending");
    for draft in drafts {
        let answer = ask(&agent, &address, draft)?;
        let became = match answer.status {
            200 => published(log, draft, &answer.body)?,
            202 => promised(desk, draft, &answer.body)?,
            status => return Err(refusal(status, &answer)),
        };
        sent.push(became);
        bar.inc(1);
    }
    bar.finish_and_clear();
    // What followed is for the ledger to say: so the log is verified as far as it is published now.
    let now = sent.iter().any(|sent| matches!(sent, Sent::Published(..))).then(|| {
        let log = Log::at(log.place.clone(), log.held.clone())?;
        kept::history(context, &log)
    });
    let history = now.transpose()?;
    let mut out = Vec::new();
    for (draft, sent) in drafts.iter().zip(&sent) {
        let id = draft.id();
        let (index, size, promise) = match sent {
            Sent::Published(index, checkpoint) => (*index, Some(checkpoint.size()), None),
            Sent::Promised(index, path) => (*index, None, Some(path)),
        };
        context.screen.say(match (&size, &promise) {
            (Some(size), _) => {
                let entries = words::count(*size, "entry", "entries");
                format!("{id}\n  entry {index}, published in the checkpoint of {entries}")
            }
            (None, promise) => {
                let path = promise.as_ref().map_or_else(String::new, |path| path.display().to_string());
                format!(
                    "{id}\n  entry {index}, promised and not published yet\n  The operator's word is in {path}: \
                     `servanda verify LOG --promise {path}` tells whether it was kept."
                )
            }
        });
        let lines = match (&history, size) {
            (Some(history), Some(_)) => signing::followed(history, draft, Admitted::New { index }),
            _ => Vec::new(),
        };
        lines.iter().for_each(|line| context.screen.say(format!("  {line}")));
        out.push(
            json!({ "id": id, "index": index, "published": size, "promise": promise, "followed": lines }),
        );
    }
    context.screen.json(&out)?;
    Ok(Outcome::Good)
}

/// Sends a statement until there is an answer that says something about it.
fn ask(agent: &Agent, address: &str, draft: &Draft) -> Result<Answer> {
    // What opens sealed values stays here; its keys the server knows.
    let mut bare = draft.clone();
    (bare.openings, bare.keys) = (List::default(), None);
    let text = File::Statement.write(&bare)?;
    let headers = [("content-type", "text/plain; charset=utf-8")];
    let limit = u64::try_from(PROOF_MAX).expect("fits");
    let mut pauses = PAUSES.iter();
    loop {
        let answer = agent.post(address, &headers, text.as_bytes(), limit);
        let again = match &answer {
            Ok(answer) => matches!(answer.status, 429 | 502 | 503 | 504),
            Err(error) => error.is_passing(),
        };
        let wait = answer.as_ref().ok().and_then(|answer| answer.header("retry-after")?.parse().ok());
        let wait = wait.map(Duration::from_secs);
        match pauses.next() {
            Some(pause) if again && wait.is_none_or(|wait| wait <= MAX_WAIT) => {
                thread::sleep(wait.unwrap_or(*pause).max(*pause));
            }
            _ => {
                return answer.or_hint(
                    || {
                        format!(
                            "no answer from {address}: it is not known whether the statement is in the log"
                        )
                    },
                    || "send the same again later: it goes in once".to_owned(),
                );
            }
        }
    }
}

/// Verifies a proof: of this statement, under a checkpoint that is accepted, and that goes on from what was seen before.
fn published(log: &Log, draft: &Draft, body: &[u8]) -> Result<Sent> {
    let proof = TlogProof::parse(body).map_err(|error| lie("it answered with no proof").because(error))?;
    let bytes = proof.extra.as_deref().unwrap_or_default();
    let entry = of_draft(draft, bytes, proof.index)?;
    let signed = SignedCheckpoint::parse(proof.checkpoint.as_bytes())
        .map_err(|error| open::checkpoint_problem(&error, log.held.as_ref()))?;
    let policy = log.policy_for(&signed)?;
    let checkpoint = proof
        .verify(&leaf_hash(bytes), &policy)
        .map_err(|error| lie("the proof that it gave does not hold").because(error))?;
    kept::compare_with_seen(&log.place, &log.id(), &checkpoint)?;
    Ok(Sent::Published(entry.entry.index, Box::new(checkpoint)))
}

/// Verifies a promise: of this statement, signed by the operator in force.
fn promised(desk: &Desk, draft: &Draft, body: &[u8]) -> Result<Sent> {
    let promise: Promise =
        File::Promise.read(body).map_err(|error| lie("it answered with no promise").because(error))?;
    of_draft(draft, &promise.entry, promise.index)?;
    let roster = desk.roster()?;
    if promise.log != roster.log {
        return Err(lie("it promised to publish in another log").into());
    }
    let keys = roster.keys(&Handle::operator());
    let keys = keys.ok_or_else(|| Problem::new("the log has no operator that could promise anything"))?;
    promise.check(keys).map_err(|error| lie("the promise that it gave does not hold").because(error))?;
    if promise.index < desk.history().head().size {
        return Err(lie("it promised an index that the log has filled already").into());
    }
    // Before anything else can go wrong: it may be all that there is against who gave it.
    Ok(Sent::Promised(promise.index, keep(&draft.id(), promise.index, body)?))
}

/// The entry that is said to hold a statement, if it does, at this index.
fn of_draft(draft: &Draft, bytes: &[u8], index: u64) -> Result<SignedEntry> {
    let entry =
        SignedEntry::decode(bytes).map_err(|error| lie("what it answered holds no entry").because(error))?;
    if entry.id != draft.id() || entry.entry.index != index {
        return Err(lie("its answer is about another statement").into());
    }
    Ok(entry)
}

/// What is wrong with an answer that cannot be believed.
fn lie(what: &str) -> Problem {
    Problem::new(format!("the server cannot be believed: {what}"))
        .hint("it is not known whether the statement is in the log: ask its operator")
}

/// Writes a promise where its author finds it; beside another one about the same statement, since not both can be kept.
fn keep(id: &Hash, index: u64, text: &[u8]) -> Result<PathBuf> {
    let path = PathBuf::from(format!("{}.promise", id.short()));
    let is_another = path.is_file() && !fs::read(&path).is_ok_and(|there| there == text);
    let beside = || PathBuf::from(format!("{}-{index}.promise", id.short()));
    let path = if is_another { beside() } else { path };
    files::write_once(&path, text, files::PUBLIC)?;
    Ok(path)
}

/// A refusal as the server put it.
fn refusal(status: u16, answer: &Answer) -> anyhow::Error {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(plain);
    let title = text("title").unwrap_or_else(|| format!("the server answered with status {status}"));
    let detail = text("detail").map_or(String::new(), |detail| format!(": {detail}"));
    let problem = match (status, text("rule")) {
        (409 | 422, Some(rule)) => {
            let hint = match status {
                409 => "nothing was appended; the log has gone on: say it anew",
                _ => "nothing was appended; `servanda log` and `servanda show` tell how things stand",
            };
            Problem::refused(format!("refused by rule {rule}{detail}")).hint(hint)
        }
        (400 | 413, _) => Problem::refused(format!("{title}{detail}")),
        (410, _) => Problem::refused(format!("{title}{detail}"))
            .hint("the trust file tells where the log is read; ask the partners where its new operator takes statements"),
        (404 | 405, _) => Problem::new("this server takes no statements")
            .hint("it serves the log for reading: ask the operator for the URL to send statements to"),
        _ => Problem::new(format!("{title}{detail}")).hint("send the same again later: it goes in once"),
    };
    problem.into()
}
