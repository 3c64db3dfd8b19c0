//! Statements out of place: chains, `seen`, time.

use super::{Cases, approve, days, pledge_of};
use crate::support::small_log::*;
use servanda::field::Class;
use servanda::hash::{Hash, ZEROS};
use servanda::key::vkey::Vkey;
use servanda::statement::body::*;
use servanda::statement::{Act, Head, Statement};

impl Cases<'_> {
    pub(super) fn chains(&mut self) {
        self.statement("replayed from another log", "fr", pledge_of("x"), |s| s.log = Hash([1; 32]));
        self.statement("by nobody", "xx", pledge_of("x"), |_| {});
        self.at(1, "by a partner that has not acceded", |log| {
            log.say("de", pledge_of("x"));
        });
        self.at(1, "rotates before acceding", |log| {
            let keys = key_set("de");
            log.say("de", Act::Rotate(Rotate { keys }));
        });
        self.statement("seq skipped", "fr", pledge_of("x"), |s| s.seq += 1);
        self.statement("prev is another", "fr", pledge_of("x"), |s| s.prev = Hash([1; 32]));
        self.statement("seq skipped in class 0", "fr", approve(self.log), |s| s.seq += 1);
        self.statement("prev is another in class 0", "fr", approve(self.log), |s| s.prev = ZEROS);
        self.on("the same entry again", |log| {
            let last = log.leaves().last().unwrap().clone();
            log.push(last);
        });
        self.on("two statements in the wrong order", |log| {
            let mut later = log.clone();
            let first = log.draft("fr", pledge_of("first"));
            later.post(&first);
            let second = Statement { seen: log.history().head(), ..later.draft("fr", pledge_of("second")) };
            log.post(&second);
            log.post(&Statement { seen: first.seen, ..first });
        });
    }

    pub(super) fn seen(&mut self) {
        let entry = self.log.size();
        self.statement("seen nothing", "fr", pledge_of("x"), |s| s.seen = Head::default());
        self.statement("seen more than there is", "fr", pledge_of("x"), |s| s.seen.size = entry + 1);
        self.statement("seen less than before", "fr", pledge_of("x"), |s| s.seen.size = 2);
        self.statement("seen another history", "fr", pledge_of("x"), |s| s.seen.leaf = Hash([1; 32]));
        self.statement("class 0: seen nothing", "fr", approve(self.log), |s| s.seen = Head::default());
        self.statement("class 0: seen less than before", "fr", approve(self.log), |s| s.seen.size = 2);
        self.on("class 0: seen another history, and the next goes on from before", |log| {
            let before = log.history().chain(&handle("fr"), Class::Govern).seen;
            let mut s = log.draft("fr", approve(log));
            s.seen.leaf = Hash([1; 32]);
            log.post(&s);
            let mut s = log.draft("fr", approve(log));
            let leaf = log.hashes()[usize::try_from(before).unwrap() - 1];
            s.seen = Head { size: before, leaf };
            log.post(&s);
        });
    }

    pub(super) fn times(&mut self) {
        let sequenced = |late: u64, act: Act| {
            move |log: &mut SmallLog| {
                let s = log.draft("fr", act);
                log.now = s.expires_at.plus_ms(late);
                log.post(&s);
            }
        };
        self.on("sequenced after its expiry", sequenced(1, pledge_of("x")));
        self.on("class 0: sequenced after its expiry", sequenced(1, approve(self.log)));
        self.on("not wrong: sequenced at its expiry", sequenced(0, pledge_of("x")));
        self.on("not wrong: class 0, sequenced at its expiry", sequenced(0, approve(self.log)));
        self.on("the log's time has passed its expiry, the operator's clock went back", |log| {
            let late = log.draft("de", pledge_of("x"));
            let then = log.now;
            log.wait_ms(6 * 86_400_000);
            let other = log.draft("fr", pledge_of("y"));
            log.now = late.expires_at.plus_ms(1);
            log.post(&other);
            log.now = then;
            log.post(&late);
        });
        self.on("class 0: the roster's time has passed its expiry", |log| {
            let late = log.draft("de", approve(log));
            let then = log.now;
            log.wait_ms(6 * 86_400_000);
            let other = log.draft("fr", approve(log));
            log.now = late.expires_at.plus_ms(1);
            log.post(&other);
            log.now = then;
            log.post(&Statement { seen: log.history().head(), ..late });
        });
        self.on("not wrong: class 0, only an entry of another class is later than its expiry", |log| {
            let late = log.draft("de", approve(log));
            let then = log.now;
            log.wait_ms(6 * 86_400_000);
            let other = log.draft("fr", pledge_of("y"));
            log.now = late.expires_at.plus_ms(1);
            let mut entry = log.sequence(&other, log.sign(&other));
            log.push_entry(&entry);
            log.now = then;
            entry = log.sequence(&late, log.sign(&late));
            log.push_entry(&entry);
        });
        self.on("not wrong: a motion for a new operator does not expire", |log| {
            let vkey = Vkey::log("guarantees.example/next", key("next").public()).unwrap();
            let (vkey, keys) = (short(&vkey.to_string()), Hash([1; 32]));
            let motion = Motion::Operator { vkey, keys, replaces: log.log_id() };
            let s = log.draft("fr", Act::Propose(Propose { motion, lapses_at: log.now }));
            log.now = s.expires_at.plus(days(300));
            log.post(&s);
        });
        self.statement("expires beyond the longest expiry", "fr", pledge_of("x"), |s| {
            s.expires_at = s.issued_at.plus(days(30)).plus_ms(1);
        });
        self.statement("not wrong: expires at the longest expiry", "fr", pledge_of("x"), |s| {
            s.expires_at = s.issued_at.plus(days(30));
        });
    }
}
