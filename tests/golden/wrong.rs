//! Entries with one defect each, pushed onto the golden log or onto its beginning, and what each one must leave behind;
//! and entries that look wrong and are not.

mod anchors;
mod carried;
mod founding;
mod keys;
mod order;

use crate::support::small_log::*;
use servanda::chain::Finding;
use servanda::charter::Sealable;
use servanda::codec::{List, encode};
use servanda::entry::{Entry, Pointer};
use servanda::field::{Class, Duration};
use servanda::hash::{Hash, ZEROS};
use servanda::statement::body::*;
use servanda::statement::{Act, Kind, Statement};

/// Entries after a prefix of the golden log, with their findings.
pub struct Case {
    /// The defect.
    pub name: &'static str,
    /// The size of the prefix.
    pub after: usize,
    /// The entries.
    pub entries: Vec<Vec<u8>>,
    /// What each verifier must find.
    pub findings: Vec<Finding>,
}

/// Collects cases on the golden log.
struct Cases<'a> {
    log: &'a SmallLog,
    all: Vec<Case>,
}

/// All cases on this log.
pub fn cases(log: &SmallLog) -> Vec<Case> {
    let mut cases = Cases { log, all: Vec::new() };
    cases.undecodable();
    cases.founding();
    cases.founding_keys();
    cases.chains();
    cases.seen();
    cases.times();
    cases.signatures();
    cases.officers();
    cases.key_sets();
    cases.rotations();
    cases.void();
    cases.motions();
    cases.carried();
    cases.operators_faults();
    cases.class_0();
    cases.flood();
    cases.anchors();
    cases.all
}

fn days(n: u64) -> Duration {
    Duration::of_days(n)
}

/// An approval of the motion that the golden log leaves open; it would need four of the five partners.
fn approve(log: &SmallLog) -> Act {
    let of = |n: usize| log.entry(n);
    let motion = (0..log.leaves().len()).map(of).find(|e| e.statement.kind == Kind::Propose.number());
    Act::Approve(Approve { motion: motion.map_or(ZEROS, |e| e.id) })
}

fn pledge_of(title: &str) -> Act {
    pledge(&["ua"], terms(title))
}

impl Cases<'_> {
    /// Whatever `push` pushes onto the log of this size.
    fn at(&mut self, after: usize, name: &'static str, push: impl FnOnce(&mut SmallLog)) {
        let mut log = self.log.cut(after);
        let before = log.findings().len();
        push(&mut log);
        let (entries, findings) = (log.leaves()[after..].to_vec(), log.findings()[before..].to_vec());
        self.all.push(Case { name, after, entries, findings });
    }

    /// The same onto the whole log.
    fn on(&mut self, name: &'static str, push: impl FnOnce(&mut SmallLog)) {
        self.at(self.log.leaves().len(), name, push);
    }

    /// An honest statement, changed before it is signed.
    fn statement(&mut self, name: &'static str, author: &str, act: Act, change: impl FnOnce(&mut Statement)) {
        self.on(name, |log| {
            let mut s = log.draft(author, act);
            change(&mut s);
            log.post(&s);
        });
    }

    /// An honest entry, changed after its statement was signed.
    fn entry(&mut self, name: &'static str, author: &str, act: Act, change: impl FnOnce(&mut Entry)) {
        self.on(name, |log| {
            let s = log.draft(author, act);
            let mut entry = log.sequence(&s, log.sign(&s));
            change(&mut entry);
            log.push_entry(&entry);
        });
    }

    fn undecodable(&mut self) {
        let mut bytes = |name, change: fn(&mut Vec<u8>)| {
            self.on(name, |log| {
                let s = log.draft("fr", pledge_of("x"));
                let mut bytes = encode(&log.sequence(&s, log.sign(&s)));
                change(&mut bytes);
                log.push(bytes);
            });
        };
        bytes("entry: empty", Vec::clear);
        bytes("entry: trailing byte", |b| b.push(0));
        bytes("entry: cut short", |b| b.truncate(b.len() - 1));
        bytes("entry: version 2", |b| b[0] = 2);
        bytes("entry: over-long index", |b| {
            let index = b[1];
            b.splice(1..2, [251, index, 0]);
        });
        bytes("entry: signature longer than its length says", |b| {
            let at = b.len() - 65;
            assert_eq!(b[at], 64);
            b[at] = 63;
        });
        bytes("entry: length past the end", |b| {
            let at = b.len() - 65;
            b.splice(at..=at, [253, 255, 255, 255, 255, 255, 255, 255, 127]);
        });
        let mut inner = |name, change: fn(&mut Vec<u8>)| {
            self.entry(name, "fr", pledge_of("x"), |e| change(&mut e.statement.0));
        };
        inner("statement: trailing byte", |b| b.push(0));
        inner("statement: version 0", |b| b[0] = 0);
        inner("statement: class 5", |b| {
            assert_eq!(b[33..37], [2, b'f', b'r', 1]);
            b[36] = 5;
        });
        inner("statement: upper-case author", |b| b[34] = b'F');
        inner("statement: over-long kind", |b| {
            let at = b.windows(3).rposition(|w| w[0] == 32 && w[1] < 250 && w[2] == 1).unwrap();
            b.splice(at..=at, [251, 32, 0]);
        });
        self.on("statement: instant past the year 9999", |log| {
            let mut s = log.draft("fr", pledge_of("x"));
            s.expires_at = at("9999-12-31T23:59:59.999Z");
            let mut entry = log.sequence(&s, log.sign(&s));
            let last = [253, 0xff, 0xdb, 0x1f, 0xd2, 0x77, 0xe6, 0, 0];
            let at = entry.statement.windows(9).position(|w| w == last).unwrap();
            entry.statement.0[at + 1..at + 3].copy_from_slice(&[0, 0xdc]);
            log.push_entry(&entry);
        });
    }

    fn void(&mut self) {
        self.statement("a kind that level 1 has not", "fr", pledge_of("x"), |s| s.kind = 71);
        self.statement("class 0: a kind that level 1 has not", "fr", approve(self.log), |s| s.kind = 5);
        self.statement("a body that does not decode", "fr", pledge_of("x"), |s| s.body.0.push(0));
        self.statement("class 0: a body that does not decode", "fr", approve(self.log), |s| {
            s.body.0.pop();
        });
        self.statement("a body whose integer is over-long", "fr", pledge_of("x"), |s| {
            assert_eq!(s.body.0[0], 1);
            s.body.0.splice(0..1, [251, 1, 0]);
        });
        self.on("a pledge in class 3", |log| {
            let s = log.draft_in("fr", Class::Observe, pledge_of("x"));
            log.post(&s);
        });
        self.signed_as(
            "accede in class 1, signed as class 1 asks",
            "fr",
            Class::Commit,
            accede("fr"),
            &[(0, "fr/0"), (1, "fr/1")],
        );
        let bad = self.log.draft_in("fr", Class::Commit, accede("fr"));
        self.on("accede in class 1 with a bad body", |log| {
            let mut s = bad;
            s.body.0.push(0);
            let entry = log.sequence(&s, log.sign_as(&s, &[(0, "fr/0"), (1, "fr/1")]));
            log.push_entry(&entry);
        });
        self.statement("the operator approves", "operator", approve(self.log), |_| {});
        self.on("a void statement advances its author's chain", |log| {
            let mut s = log.draft("fr", pledge_of("x"));
            s.kind = 71;
            log.post(&s);
            log.say("fr", pledge_of("y"));
        });
    }

    fn motions(&mut self) {
        let propose = |motion, lapses_at| Act::Propose(Propose { motion, lapses_at });
        let suspend = |name: &str| Motion::Suspend { handle: handle(name) };
        let end = at("2027-01-31");
        let unknown = Act::Approve(Approve { motion: Hash([7; 32]) });
        self.statement("approves what nobody proposed", "ua", unknown, |_| {});
        self.on("approves a motion that has lapsed", |log| {
            log.now = end.plus_ms(1);
            log.say("ua", approve(log));
        });
        self.on("not wrong: approves a motion at the moment when it lapses", |log| {
            log.now = end;
            log.say("ua", approve(log));
        });
        let lapsed = propose(suspend("fr"), at(START));
        self.statement("proposes a motion that has lapsed", "de", lapsed, |_| {});
        let Found { charter, .. } = founding();
        let outdated = Motion::Rules { rules: charter.rules, replaces: Hash([7; 32]) };
        self.statement("proposes to replace what is not in force", "de", propose(outdated, end), |_| {});
        self.on("completes a motion that cannot take effect, which lapses", |log| {
            let motion = log.say("de", propose(suspend("xx"), end));
            for name in ["fr", "pl", "ua", "kiel"] {
                log.say(name, Act::Approve(Approve { motion }));
            }
        });
    }

    fn operators_faults(&mut self) {
        self.entry("index of another", "fr", pledge_of("x"), |e| e.index += 1);
        self.entry("link to another", "fr", pledge_of("x"), |e| e.link = ZEROS);
        self.entry("earlier than the entry before", "fr", pledge_of("x"), |e| {
            e.sequenced_at = at("2026-12-01T09:00Z");
        });
        self.entry("roster pointer to entry 0", "fr", pledge_of("x"), |e| e.roster = Pointer::default());
        self.entry("class 0: roster pointer to entry 0", "fr", approve(self.log), |e| {
            e.roster = Pointer::default()
        });
        self.at(0, "found: roster pointer not zero", |log| {
            let s = log.draft("operator", Act::Found(founding()));
            let mut entry = log.sequence(&s, log.sign(&s));
            entry.roster.index = 1;
            log.push_entry(&entry);
        });
        self.entry("four faults at once", "fr", pledge_of("x"), |e| {
            e.index = 0;
            e.link = Hash([1; 32]);
            e.roster.index += 1;
            e.sequenced_at = at(START);
        });
        self.on("after an undecodable entry time and pointer go on, the link does not", |log| {
            log.push(vec![1, 2, 3]);
            log.say("fr", pledge_of("x"));
        });
    }

    fn class_0(&mut self) {
        let found = Act::Found(founding());
        self.on("found again", |log| {
            let s = log.draft("operator", found);
            let entry = log.sequence(&s, log.sign_as(&s, &[(0, "operator/0")]));
            log.push_entry(&entry);
        });
        self.on("class 0: a void one is pointed at", |log| {
            let mut s = log.draft("fr", approve(log));
            s.kind = 5;
            log.post(&s);
            log.say("de", pledge_of("x"));
        });
        let pledge = Pledge { to: List::default(), terms: Sealable::Open(terms("x")) };
        self.on("class 0: a pledge", |log| {
            let s = log.draft_in("fr", Class::Govern, Act::Pledge(pledge));
            log.post(&s);
        });
    }

    fn flood(&mut self) {
        // `kiel` has acceded, which does not count.
        self.on("class 0: the 33rd within 30 days, and one 30 days after the first", |log| {
            let first = log.now;
            for _ in 0..33 {
                log.say("kiel", approve(log));
            }
            log.now = first.plus(days(30));
            log.say("kiel", approve(log));
        });
    }
}
