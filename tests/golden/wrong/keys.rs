//! Signatures, officers, key sets and rotations with one defect.

use super::{Case, Cases, approve, days, pledge_of};
use crate::support::small_log::*;
use servanda::charter::KeySet;
use servanda::codec::{Bytes, List, encode};
use servanda::field::Class;
use servanda::hash::Hash;
use servanda::key::SigningKey;
use servanda::statement::body::*;
use servanda::statement::{self, Act, Signature};

impl Cases<'_> {
    /// A pledge by `fr` with these changes to its signatures.
    fn signed(&mut self, name: &'static str, change: impl FnOnce(&mut Vec<Signature>)) {
        self.entry(name, "fr", pledge_of("x"), |e| change(&mut e.signatures));
    }

    pub(super) fn signatures(&mut self) {
        self.signed("no signatures", Vec::clear);
        self.signed("a signature missing", |s| {
            s.pop();
        });
        self.signed("signatures in the wrong order", |s| s.reverse());
        self.signed("a signature twice", |s| s.push(s[1].clone()));
        self.signed("an officer that does not exist", |s| s[1].officer = 4);
        self.signed("officer 128 outside a rotation", |s| s[1].officer = 128);
        self.signed("another algorithm's number", |s| s[0].algorithm = 6);
        self.signed("a bit flipped in a signature", |s| s[0].bytes.0[40] ^= 1);
        self.signed("a signature of 63 bytes", |s| {
            s[0].bytes.0.pop();
        });
        self.signed("another officer's signature", |s| s[0].bytes = s[1].bytes.clone());
        self.signed("S plus the order of the group", |s| s[0].bytes = plus_order(&s[0].bytes));
        self.on("R is the identity, the equation holds", |log| {
            let s = log.draft("fr", pledge_of("x"));
            let id = statement::id(&encode(&s));
            let mut signatures = log.sign(&s);
            signatures[0].bytes = identity_signature("fr/0", &statement::signed_bytes(&id)).into();
            let entry = log.sequence(&s, signatures);
            log.push_entry(&entry);
        });
        self.on("one good signature too many does not help a bad one", |log| {
            let s = log.draft("fr", pledge_of("x"));
            let signatures = log.sign_as(&s, &[(0, "fr/0"), (1, "fr/1"), (2, "fr/3")]);
            let entry = log.sequence(&s, signatures);
            log.push_entry(&entry);
        });
        self.on("not wrong: more officers than needed", |log| {
            let s = log.draft("fr", pledge_of("x"));
            let signatures = log.sign_as(&s, &[(0, "fr/0"), (1, "fr/1"), (2, "fr/2")]);
            let entry = log.sequence(&s, signatures);
            log.push_entry(&entry);
        });
    }

    /// A statement signed as these officers with these keys.
    pub(super) fn signed_as(
        &mut self,
        name: &'static str,
        author: &str,
        class: Class,
        act: Act,
        by: &[(u8, &str)],
    ) {
        self.on(name, |log| {
            let s = log.draft_in(author, class, act);
            let entry = log.sequence(&s, log.sign_as(&s, by));
            log.push_entry(&entry);
        });
    }

    pub(super) fn officers(&mut self) {
        use Class::{Commit, Govern, Operate, OperateLog};
        let by_duty = &[(3, "fr/3")];
        self.signed_as("an officer of another class", "fr", Commit, pledge_of("x"), by_duty);
        let with_duty = &[(0, "fr/0"), (3, "fr/3")];
        self.signed_as("one of two is of another class", "fr", Commit, pledge_of("x"), with_duty);
        self.signed_as("class 0 below its threshold", "fr", Govern, approve(self.log), &[(0, "fr/0")]);
        let replaced = &[(0, "de/0"), (1, "de/1")];
        self.signed_as("a replaced key", "de", Commit, pledge_of("x"), replaced);
        let invoke = || {
            let (pledges, text) = (vec![Hash([1; 32])].into(), long(""));
            Act::Invoke(Invoke { pledges, incident: None, requested_at: at(START), text })
        };
        self.signed_as("the operator invokes", "operator", Operate, invoke(), &[(0, "operator/0")]);
        let anchor = || Act::Anchor(Anchor { checkpoint: Bytes(Vec::new()) });
        self.signed_as("a partner anchors", "fr", OperateLog, anchor(), &[(0, "fr/0"), (1, "fr/1")]);
        let ministers = &[(0, "ua/0"), (1, "ua/1")];
        self.signed_as("the wrong ministers", "fr", Commit, pledge_of("x"), ministers);
    }

    /// An accede by `de` in a log whose charter announces this set.
    fn set(&mut self, name: &'static str, change: impl FnOnce(&mut KeySet)) {
        let mut keys = key_set("de");
        change(&mut keys);
        let mut log = SmallLog::founded_with(|f| f.charter.partners[0].keys = keys.digest(&handle("de")));
        // Those who cannot sign sign nothing: the set is refused before.
        let act = Accede { keys, reservations: None, annexes: List::default() };
        let s = log.draft("de", Act::Accede(act));
        let signatures = log.sign_as(&s, &[(0, "de/0"), (1, "de/1"), (2, "de/2"), (3, "de/3")]);
        let entry = log.sequence(&s, signatures);
        log.push_entry(&entry);
        let (entries, findings) = (log.leaves().to_vec(), log.findings().to_vec());
        self.all.push(Case { name, after: 0, entries, findings });
    }

    pub(super) fn key_sets(&mut self) {
        let key_of = |hex_digits: &str| Bytes(hex::decode(hex_digits).unwrap());
        self.set("not wrong: accede with the announced set", |_| {});
        self.set("key set: threshold above its holders", |k| k.thresholds[0] = 4);
        self.set("key set: threshold 0 with holders", |k| k.thresholds[1] = 0);
        self.set("key set: threshold without holders", |k| k.thresholds[4] = 1);
        self.set("key set: nobody holds govern", |k| {
            k.officers.iter_mut().for_each(|o| o.classes = [Class::Observe].into_iter().collect());
            k.thresholds = [0, 0, 0, 1, 0];
        });
        self.set("key set: a partner's officer of the operator's class", |k| {
            k.officers[3].classes = k.officers[3].classes.with(Class::OperateLog);
            k.thresholds[4] = 1;
        });
        self.set("key set: one key for two officers", |k| k.officers[1].key = k.officers[0].key.clone());
        self.set("key set: algorithm 6", |k| k.officers[0].algorithm = 6);
        self.set("key set: key of 31 bytes", |k| {
            k.officers[0].key.0.pop();
        });
        self.set("key set: key is the identity", |k| {
            k.officers[0].key = key_of(&format!("01{}", "00".repeat(31)));
        });
        self.set("key set: key of small order", |k| {
            k.officers[0].key = key_of("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
        });
        self.set("key set: key not canonical", |k| {
            k.officers[0].key = key_of(&format!("ee{}7f", "ff".repeat(30)));
        });
        self.set("key set: key with a part of small order", |k| k.officers[0].key = mixed_order("de/0"));
        self.set("key set: the checkpoint key", |k| {
            k.officers[0].key = key("operator/checkpoint").public().to_bytes().to_vec().into();
        });
        self.at(1, "accede: with a set that nobody announced", |log| {
            let mut keys = key_set("de");
            keys.thresholds[0] = 1;
            let act = Accede { keys, reservations: None, annexes: List::default() };
            log.say("de", Act::Accede(act));
        });
        self.at(1, "accede: one officer did not sign", |log| {
            let s = log.draft("de", accede("de"));
            let mut signatures = log.sign(&s);
            signatures.pop();
            let entry = log.sequence(&s, signatures);
            log.push_entry(&entry);
        });
        self.at(1, "accede: trailing byte in its body", |log| {
            let mut s = log.draft("de", accede("de"));
            s.body.0.push(0);
            let signatures = log.sign_as(&s, &[(0, "de/0"), (1, "de/1"), (2, "de/2"), (3, "de/3")]);
            let entry = log.sequence(&s, signatures);
            log.push_entry(&entry);
        });
        self.statement("accede: a second time", "fr", accede("fr"), |_| {});
        self.at(1, "accede: void by its expiry, brings no keys into force", |log| {
            let mut s = log.draft("de", accede("de"));
            s.expires_at = s.issued_at.plus(days(31));
            log.post(&s);
            log.say("de", pledge_of("x"));
            log.say("de", accede("de"));
            log.say("de", pledge_of("x"));
        });
    }

    /// A rotation of `fr` to officers 0 and 1 of before, a new one, and the duty officer; signed as these.
    fn rotation(&mut self, name: &'static str, change: impl FnOnce(&mut KeySet), by: &[(u8, &str)]) {
        let mut keys = key_set("fr");
        keys.officers[2] = officer("fr/2b", &[Class::Govern, Class::Commit]);
        change(&mut keys);
        self.signed_as(name, "fr", Class::Govern, Act::Rotate(Rotate { keys }), by);
    }

    pub(super) fn rotations(&mut self) {
        let good = &[(0, "fr/0"), (1, "fr/1"), (130, "fr/2b")];
        self.rotation("not wrong: rotate, signed by two old ministers and the new key", |_| {}, good);
        self.rotation("rotate: the new key did not sign", |_| {}, &good[..2]);
        self.rotation("rotate: one old minister", |_| {}, &good[1..]);
        let duty = &[(0, "fr/0"), (3, "fr/3"), (130, "fr/2b")];
        self.rotation("rotate: an old officer of another class", |_| {}, duty);
        let kept = &[(0, "fr/0"), (1, "fr/1"), (128, "fr/0"), (130, "fr/2b")];
        self.rotation("rotate: a kept key signs as a new one", |_| {}, kept);
        let stolen = &[(0, "fr/0"), (1, "fr/1"), (130, "fr/2")];
        self.rotation("rotate: the new key's signature is another's", |_| {}, stolen);
        let beyond = &[(0, "fr/0"), (1, "fr/1"), (130, "fr/2b"), (132, "fr/2b")];
        self.rotation("rotate: a new officer that does not exist", |_| {}, beyond);
        let taken = |k: &mut KeySet| k.officers[2].key = key("ua/0").public().to_bytes().to_vec().into();
        let by = &[(0, "fr/0"), (1, "fr/1"), (130, "ua/0")];
        self.rotation("rotate: to another partner's key", taken, by);
        self.rotation(
            "not wrong: rotate, officers in another order",
            |k| k.officers.swap(0, 2),
            &[(0, "fr/0"), (1, "fr/1"), (128, "fr/2b")],
        );
        let sixth = |k: &mut KeySet| k.officers[0].algorithm = 6;
        self.rotation("rotate: a kept key changes its algorithm", sixth, good);
        self.on("rotate: back to a key given up before", |log| {
            let keys = key_set("de");
            log.say("de", Act::Rotate(Rotate { keys }));
        });
    }
}

/// The same scalar S, not reduced: S + L.
fn plus_order(signature: &[u8]) -> Bytes {
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let (mut out, mut carry) = (signature.to_vec(), 0);
    for (byte, add) in out[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    out.into()
}

/// R is the identity and S = k·a, so that S·B = R + k·A.
fn identity_signature(name: &str, message: &[u8]) -> Vec<u8> {
    use curve25519_dalek::Scalar;
    use sha2::{Digest, Sha512};
    let secret = ed25519_dalek::hazmat::ExpandedSecretKey::from(&seed(name));
    let mut r = [0; 32];
    r[0] = 1;
    let public = SigningKey::from_seed(&seed(name)).public().to_bytes();
    let digest = Sha512::new().chain_update(r).chain_update(public).chain_update(message).finalize();
    let k = Scalar::from_bytes_mod_order_wide(&digest.into());
    [r, (k * secret.scalar).to_bytes()].concat()
}

/// A key with a point of order 8 added.
fn mixed_order(name: &str) -> Bytes {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::edwards::CompressedEdwardsY;
    let point = CompressedEdwardsY(key(name).public().to_bytes()).decompress().unwrap();
    Bytes((point + EIGHT_TORSION[1]).compress().0.to_vec())
}
