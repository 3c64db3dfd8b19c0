//! Checkpoints that several files hold, held against each other.

use super::super::{files, plain, problem};
use super::{Known, Told};
use serde_json::json;
use servanda::armor::File;
use servanda::checkpoint::VerifiedCheckpoint;
use servanda::evidence::{Evidence, EvidenceError, check, fork};
use servanda::text::count;
use std::path::Path;

/// The checkpoints that were seen, each signed by the operator, cosigned or not.
#[derive(Default)]
pub struct Seen(Vec<VerifiedCheckpoint>);

impl Seen {
    /// Takes a checkpoint.
    pub fn take(&mut self, checkpoint: VerifiedCheckpoint) {
        self.0.push(checkpoint);
    }

    /// Two of one log and one size with different roots: writes evidence, where a roster file gives the founding.
    pub fn conflict(&self, known: &Known, out: &Path) -> Option<Told> {
        let (one, other) = self.0.iter().enumerate().find_map(|(at, one)| {
            let conflicts = |other: &&VerifiedCheckpoint| {
                (one.log(), one.size()) == (other.log(), other.size()) && one.root() != other.root()
            };
            self.0[at + 1..].iter().find(conflicts).map(|other| (one, other))
        })?;
        let mut told = Told::new("fork");
        told.bad(format!(
            "two of these files are of two histories: {} with root {}, and as many with root {}; \
             {} signed both",
            count(one.size(), "entry", "entries"),
            one.root().short(),
            other.root().short(),
            plain::plain(one.origin()),
        ));
        match evidence(known, one, other) {
            Some(evidence) => {
                let text = File::Evidence.write(&evidence).map_err(anyhow::Error::from);
                match text.and_then(|text| files::write_once(out, text.as_bytes(), files::PUBLIC)) {
                    Ok(()) => {
                        told.say(format!("{}: evidence for whoever pins the log's id", out.display()));
                        told.set("evidence", json!(out));
                    }
                    Err(error) => problem::print(&error),
                }
            }
            None => told.say(
                "give a roster file as well, and evidence is written for whoever pins the log's id; \
                 or use `servanda verify LOG --against`",
            ),
        }
        Some(told)
    }
}

fn evidence(known: &Known, one: &VerifiedCheckpoint, other: &VerifiedCheckpoint) -> Option<Evidence> {
    let (roster, founding) = known.rosters.iter().find_map(|roster| {
        let chain = [one, other].into_iter().find_map(|c| roster.verify(c.size(), &c.root()).ok())?;
        Some((roster, chain.at(0)?.entry.statement.clone()))
    })?;
    let made: Result<Evidence, EvidenceError> = fork::of_checkpoints(&founding, one, other, Some(roster));
    let evidence = made.ok()?;
    check(&evidence, known.pinned()).ok().map(|_| evidence)
}
