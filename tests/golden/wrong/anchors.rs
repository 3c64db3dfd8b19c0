//! Anchors that are void, and one whose time is the operator's fault.

use super::Cases;
use crate::support::small_log::*;
use servanda::checkpoint::Checkpoint;
use servanda::hash::Hash;
use servanda::statement::Act;
use servanda::statement::body::Anchor;

fn anchor(note: &str) -> Act {
    Act::Anchor(Anchor { checkpoint: note.as_bytes().to_vec().into() })
}

/// A checkpoint of whatever the operator says, cosigned.
fn checkpoint(log: &SmallLog, origin: &str, size: u64, root: Hash) -> Act {
    let signed = Checkpoint::new(origin, size, root).unwrap().sign(&key("operator/checkpoint"));
    anchor(&cosign(&signed, log.now))
}

impl Cases<'_> {
    /// What the operator anchors after the golden log.
    fn anchored(&mut self, name: &'static str, act: impl FnOnce(&SmallLog) -> Act) {
        self.on(name, |log| {
            let act = act(log);
            log.say("operator", act);
        });
    }

    pub(super) fn anchors(&mut self) {
        const SKEW_MS: u64 = 300_000;
        self.anchored("anchor: an empty note", |_| anchor(""));
        self.anchored("anchor: a checkpoint without a signature line", |log| {
            anchor(&log.checkpoint().split_inclusive('\n').take(4).collect::<String>())
        });
        self.anchored("anchor: a checkpoint with an extension line", |log| {
            anchor(&cosign(&log.checkpoint(), log.now).replacen("\n\n", "\nmore\n\n", 1))
        });
        self.anchored("anchor: of no entry", |log| checkpoint(log, ORIGIN, 0, log.root_at(0)));
        self.anchored("anchor: of itself", |log| checkpoint(log, ORIGIN, log.size() + 1, log.root()));
        self.anchored("anchor: of another log", |log| {
            checkpoint(log, "guarantees.example/other", log.size(), log.root())
        });
        self.anchored("anchor: signed by the witness alone", |log| {
            let note = cosign(&log.checkpoint(), log.now);
            let lines: Vec<&str> = note.split_inclusive('\n').collect();
            anchor(&[&lines[..4], &lines[5..]].concat().concat())
        });
        self.anchored("anchor: the operator's signature is of another size", |log| {
            anchor(&cosign(&log.checkpoint(), log.now).replacen("\n42\n", "\n41\n", 1))
        });
        self.anchored("anchor: a cosignature of another size beside a good one", |log| {
            let (good, other) = (log.anchor_note(20, log.now), log.anchor_note(19, log.now));
            anchor(&format!("{good}{}\n", other.lines().last().unwrap()))
        });
        self.anchored("anchor: cosigned by nobody", |log| anchor(&log.checkpoint()));
        self.anchored("anchor: the root of another size", |log| checkpoint(log, ORIGIN, 41, log.root_at(40)));
        self.anchored("anchor: cosigned 5 minutes and a second before", |log| {
            anchor(&log.anchor_note(20, earlier(log.now, SKEW_MS + 1000)))
        });
        self.anchored("anchor: cosigned 5 minutes and a second after", |log| {
            anchor(&log.anchor_note(20, log.now.plus_ms(SKEW_MS + 1000)))
        });
        self.anchored("anchor: two cosignatures of one witness, the first of which is early", |log| {
            let early = log.anchor_note(20, earlier(log.now, SKEW_MS + 1000));
            let good = log.anchor_note(20, log.now);
            anchor(&format!("{early}{}\n", good.lines().last().unwrap()))
        });
        self.anchored("anchor: early, and the root of another size", |log| {
            let signed = Checkpoint::new(ORIGIN, 41, log.root_at(40)).unwrap();
            let signed = signed.sign(&key("operator/checkpoint"));
            anchor(&cosign(&signed, earlier(log.now, SKEW_MS + 1000)))
        });
        self.anchored("not wrong: anchor: cosigned 5 minutes before", |log| {
            anchor(&log.anchor_note(20, earlier(log.now, SKEW_MS)))
        });
        self.anchored("not wrong: anchor: of the whole log, cosigned 5 minutes after", |log| {
            anchor(&log.anchor_note(42, log.now.plus_ms(SKEW_MS)))
        });
        self.anchored("not wrong: anchor: of entry 0 alone", |log| anchor(&log.anchor_note(1, log.now)));
        self.unnamed();
    }

    fn unnamed(&mut self) {
        let mut log = SmallLog::ready();
        let act = anchor(&log.anchor_note(6, log.now));
        log.say("operator", act);
        self.all.push(super::Case {
            name: "anchor: where the rules name no witnesses",
            after: 0,
            entries: log.leaves().to_vec(),
            findings: log.findings().to_vec(),
        });
    }
}
