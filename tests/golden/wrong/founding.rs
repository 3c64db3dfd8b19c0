//! Entry 0 with one defect.

use super::{Cases, approve, days};
use crate::golden::story::full_founding;
use crate::support::small_log::*;
use servanda::charter::KeySet;
use servanda::field::{Class, Duration};
use servanda::hash::Hash;
use servanda::key::vkey::Vkey;
use servanda::statement::body::*;
use servanda::statement::{Act, Statement};

impl Cases<'_> {
    /// A founding act, changed before it is signed by the officers in it.
    fn found(&mut self, name: &'static str, change: impl FnOnce(&mut Found)) {
        let mut found = founding();
        found.charter.rules.witnesses = full_founding().charter.rules.witnesses;
        change(&mut found);
        self.at(0, name, |log| {
            log.say("operator", Act::Found(found));
        });
    }

    fn found_statement(&mut self, name: &'static str, change: impl FnOnce(&mut Statement)) {
        self.at(0, name, |log| {
            let mut s = log.draft("operator", Act::Found(founding()));
            change(&mut s);
            log.post(&s);
        });
    }

    pub(super) fn founding(&mut self) {
        self.at(0, "found: by a partner", |log| {
            log.say("de", Act::Found(founding()));
        });
        self.at(0, "found: another act at index 0", |log| {
            log.say("operator", approve(log));
        });
        self.at(0, "found: nobody can sign after a bad one", |log| {
            log.push(vec![0]);
            log.say("operator", Act::Found(founding()));
        });
        self.found_statement("found: log not zeros", |s| s.log = Hash([1; 32]));
        self.found_statement("found: seq 1", |s| s.seq = 1);
        self.found_statement("found: seen not zero", |s| s.seen.size = 1);
        self.found_statement("found: in class 4", |s| s.class = 4);
        self.found_statement("found: trailing byte in its body", |s| s.body.0.push(0));
        self.found_statement("found: expires beyond the longest expiry", |s| {
            s.expires_at = s.issued_at.plus(days(30)).plus_ms(1);
        });
        self.at(0, "found: sequenced after its expiry", |log| {
            let s = log.draft("operator", Act::Found(founding()));
            log.now = s.expires_at.plus_ms(1);
            log.post(&s);
        });
        self.found("found: level 0", |f| f.charter.level = 0);
        self.found("found: no partners", |f| f.charter.partners.clear());
        self.found("found: two partners of one handle", |f| {
            let again = f.charter.partners[0].clone();
            f.charter.partners.push(again);
        });
        self.found("found: a partner called operator", |f| {
            f.charter.partners[0].handle = handle("operator");
        });
        self.found("found: a partner without a role", |f| f.charter.partners[0].roles = Default::default());
        self.found("found: a space in the origin", |f| f.charter.origin = short("guarantees example"));
        self.found("found: motions by less than half", |f| f.charter.rules.motions.share = Some((1, 3)));
        self.found("found: incident quorum of nobody", |f| f.charter.rules.incident_quorum.count = 0);
        self.found("found: longest expiry of no time", |f| {
            f.charter.rules.longest_expiry = Duration::default();
        });
        self.found("found: an incident kind defined twice", |f| {
            let again = f.charter.rules.incident_kinds[0].clone();
            f.charter.rules.incident_kinds.push(again);
        });
        self.found("found: a quorum of two of one witness", |f| {
            f.charter.rules.witnesses.as_mut().unwrap().quorum = 2;
        });
    }

    pub(super) fn founding_keys(&mut self) {
        let vkey = |vkey: Vkey| short(&vkey.to_string());
        let checkpoint = key("operator/checkpoint").public();
        self.found("found: checkpoint key of another name", |f| {
            f.vkey = vkey(Vkey::log("other.example", checkpoint).unwrap());
        });
        self.found("found: checkpoint key of a witness's type", |f| {
            f.vkey = vkey(Vkey::witness(ORIGIN, checkpoint).unwrap());
        });
        self.found("found: key id that does not fit", |f| {
            f.vkey = short(&f.vkey.replacen(&hex::encode(log_vkey().key_id()), "00000000", 1));
        });
        self.found("found: witness key of a log's type", |f| {
            let log_key = Vkey::log(WITNESS, key("witness/0").public()).unwrap();
            f.charter.rules.witnesses.as_mut().unwrap().vkeys[0] = vkey(log_key);
        });
        self.found("found: witness with the checkpoint key", |f| {
            let same = Vkey::witness(WITNESS, checkpoint).unwrap();
            f.charter.rules.witnesses.as_mut().unwrap().vkeys[0] = vkey(same);
        });
        self.found("found: officer with the checkpoint key", |f| {
            f.keys.officers[0].key = checkpoint.to_bytes().to_vec().into();
        });
        self.found("found: operator's officer with a partner's class", |f| {
            f.keys = KeySet {
                officers: vec![officer("operator/0", &[Class::Govern, Class::Commit])].into(),
                thresholds: [1, 1, 0, 0, 0],
            };
        });
        self.at(0, "found: one officer did not sign", |log| {
            let mut found = founding();
            found.keys.officers.push(officer("operator/1", &[Class::OperateLog]));
            let s = log.draft("operator", Act::Found(found));
            let entry = log.sequence(&s, log.sign_as(&s, &[(0, "operator/0")]));
            log.push_entry(&entry);
        });
    }
}
