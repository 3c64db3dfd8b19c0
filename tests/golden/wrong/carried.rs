//! What follows from motions that are carried. Names that begin with "carried", "not wrong" apart, need a verifier that
//! counts motions.

use super::{Cases, approve, days, pledge_of};
use crate::support::small_log::*;
use servanda::charter::KeySet;
use servanda::field::{Class, Handle};
use servanda::hash::Hash;
use servanda::key::vkey::Vkey;
use servanda::statement::body::*;
use servanda::statement::{Act, Head};

fn of(name: &str) -> Handle {
    handle(name)
}

/// A set with a key that `fr` has, and one that it has not.
fn rekeyed_set() -> KeySet {
    let officers =
        vec![officer("fr/0", &[Class::Govern, Class::Commit]), officer("fr/2b", &[Class::Operate])];
    KeySet { officers: officers.into(), thresholds: [1, 1, 1, 0, 0] }
}

fn rekey(keys: &KeySet, disown_from: Option<u64>) -> Motion {
    Motion::Rekey { handle: of("fr"), keys: keys.digest(&of("fr")), disown_from }
}

fn accede_with(keys: KeySet) -> Act {
    Act::Accede(Accede { keys, reservations: None, annexes: Vec::new().into() })
}

fn next_set() -> KeySet {
    let only = officer("de/4b", &[Class::Govern, Class::OperateLog]);
    KeySet { officers: vec![only].into(), thresholds: [1, 0, 0, 0, 1] }
}

fn next_operator(log: &SmallLog) -> Motion {
    let vkey = Vkey::log("guarantees.example/next", key("next").public()).unwrap();
    let keys = next_set().digest(&Handle::operator());
    Motion::Operator { vkey: short(&vkey.to_string()), keys, replaces: log.log_id() }
}

/// An answer to what a partner owes.
fn respond(log: &SmallLog, by: &str) -> Act {
    let ledger = log.history().ledger().unwrap();
    let owed = ledger.obligations().iter().find(|(key, owed)| ledger.owing(key, owed).contains(&of(by)));
    let obligation = owed.expect("it owes something").0.clone();
    let (quantity, done_at, note, annexes) = (None, None, long(""), Vec::new().into());
    Act::Respond(Respond { obligation, answer: Answer::Acknowledged, quantity, done_at, note, annexes })
}

/// Of the first entries, under the name that the log had then.
fn anchor(log: &SmallLog) -> Act {
    Act::Anchor(Anchor { checkpoint: log.anchor_note(20, log.now).into_bytes().into() })
}

impl Cases<'_> {
    pub(super) fn carried(&mut self) {
        self.suspensions();
        self.re_keys();
        self.new_rules();
        self.new_operators();
        self.on("not wrong: carried, and the admitted partner accedes and pledges", |log| {
            for name in ["pl", "ua"] {
                log.say(name, approve(log));
            }
            log.say("se", accede("se"));
            log.say("se", pledge_of("x"));
        });
    }

    fn suspensions(&mut self) {
        let suspend = || Motion::Suspend { handle: of("fr") };
        self.on("carried: what the suspended sign", |log| {
            log.carry(suspend());
            log.say("fr", pledge_of("x"));
            log.say("fr", approve(log));
            let mut keys = key_set("fr");
            keys.officers[3].title = short("another title");
            log.say("fr", Act::Rotate(Rotate { keys }));
            let mut s = log.draft("fr", pledge_of("y"));
            s.kind = 71;
            log.post(&s);
        });
        self.on(
            "not wrong: carried, and the suspended responds, is re-keyed, accedes, resumes, pledges",
            |log| {
                log.carry(suspend());
                let answer = respond(log, "fr");
                log.say("fr", answer);
                log.carry(rekey(&rekeyed_set(), None));
                log.say("fr", accede_with(rekeyed_set()));
                log.carry(Motion::Resume { handle: of("fr") });
                log.say("fr", pledge_of("x"));
            },
        );
        self.on("carried: the approval of one who is suspended does not count, and then does again", |log| {
            let lapses_at = at("2027-06-01");
            let motion = Motion::Level { level: 1 };
            let motion = log.say("fr", Act::Propose(Propose { motion, lapses_at }));
            log.carry(suspend());
            for name in ["de", "pl"] {
                log.say(name, Act::Approve(Approve { motion }));
            }
            log.carry(Motion::Resume { handle: of("fr") });
            // It raises no level: the approval that completes the quorum is void, and says which one that was.
            log.say("ua", Act::Approve(Approve { motion }));
        });
        self.on("carried: a second suspension, and an end to one that is not", |log| {
            log.carry(suspend());
            log.carry(suspend());
            log.carry(Motion::Resume { handle: of("pl") });
        });
    }

    fn re_keys(&mut self) {
        self.on("carried: a re-keyed partner's old keys, and its founding set", |log| {
            let s = log.draft("fr", pledge_of("x"));
            let signatures = log.sign(&s);
            log.carry(rekey(&rekeyed_set(), Some(7)));
            let (roster, seen) = (log.history().pointer(), log.history().head());
            let mut entry = log.sequence(&s, signatures);
            entry.roster = roster;
            log.push_entry(&entry);
            let s = log.draft("fr", Act::Rotate(Rotate { keys: key_set("fr") }));
            let entry = log.sequence(&s, log.sign_as(&s, &[(0, "fr/0"), (1, "fr/1")]));
            log.push_entry(&entry);
            let mut s = log.draft("fr", accede("fr"));
            s.seen = Head { ..seen };
            log.post(&s);
        });
        self.on(
            "not wrong: carried, and the re-keyed partner accedes with a key of its own, and pledges",
            |log| {
                log.carry(rekey(&rekeyed_set(), None));
                log.say("fr", accede_with(rekeyed_set()));
                log.say("fr", pledge_of("x"));
            },
        );
        self.on("carried: re-keyed to a set with another partner's key", |log| {
            let mut keys = rekeyed_set();
            keys.officers[1] = officer("pl/2", &[Class::Operate]);
            log.carry(rekey(&keys, None));
            log.say("fr", accede_with(keys));
        });
        self.on("carried: a re-key that disowns what is yet to come", |log| {
            // The third voice carries it, two entries on.
            let index = log.size() + 3;
            log.carry(rekey(&rekeyed_set(), Some(index)));
        });
    }

    fn new_rules(&mut self) {
        let rules = |log: &SmallLog| {
            let mut rules = log.history().roster().unwrap().charter.rules.clone();
            rules.longest_expiry = days(5);
            Motion::Rules { rules, replaces: log.log_id() }
        };
        self.on("carried: expires later than the new rules allow", |log| {
            log.carry(rules(log));
            log.say("fr", pledge_of("x"));
        });
        self.on("carried: replaces the rules of found, when others are in force", |log| {
            let (motion, lapses_at) = (rules(log), at("2027-06-01"));
            log.carry(motion.clone());
            let mut s = log.draft("ua", Act::Propose(Propose { motion, lapses_at }));
            s.expires_at = s.issued_at.plus(days(5));
            log.post(&s);
        });
    }

    fn new_operators(&mut self) {
        self.on("carried: the old operator's keys", |log| {
            let motion = next_operator(log);
            let s = log.draft("operator", anchor(log));
            let signatures = log.sign(&s);
            log.carry(motion);
            let entry = log.sequence(&s, signatures);
            log.push_entry(&entry);
        });
        self.on("carried: an operator whose origin was used before", |log| {
            let first = log.carry(next_operator(log));
            let vkey = Vkey::log(ORIGIN, key("de/4b").public()).unwrap();
            let vkey = short(&vkey.to_string());
            log.carry(Motion::Operator { vkey, keys: Hash([1; 32]), replaces: first });
        });
        self.on("not wrong: carried, and with a new operator time starts anew", |log| {
            let (motion, now) = (next_operator(log), log.now);
            log.now = at("2090-01-01");
            let id = log.say("de", Act::Propose(Propose { motion, lapses_at: now }));
            log.say("fr", Act::Approve(Approve { motion: id }));
            log.say("pl", Act::Approve(Approve { motion: id }));
            log.now = now;
            log.say("ua", Act::Approve(Approve { motion: id }));
            log.say("operator", accede_with(next_set()));
            log.say("operator", anchor(log));
            log.say("fr", pledge_of("x"));
            log.say("kiel", Act::Rotate(Rotate { keys: key_set("kiel") }));
        });
    }
}
