//! Files right and wrong, in memory: what they give, and in which line they are wrong.

use super::*;
use crate::charter::rules::Disputes;
use crate::charter::{Aspect, KeySet, Standing};
use crate::field::{Duration, Long};
use crate::hash::sha256;
use crate::key::SigningKey;
use crate::key::openssh::PublicLine;
use crate::key::vkey::Vkey;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Files by their paths.
#[derive(Clone, Default)]
struct Files(BTreeMap<PathBuf, Vec<u8>>);

impl Files {
    fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.into(), content.into());
        self
    }

    fn read(&self) -> impl FnMut(&Path, u64) -> io::Result<Vec<u8>> {
        let files = self.0.clone();
        move |path, _| files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn keys(&self, path: &str, handle: &str) -> Result<KeySet, FileError> {
        keys::read(Path::new(path), &handle.parse().unwrap(), &mut self.read())
    }

    fn founding(&self) -> Result<Founding, FileError> {
        Founding::read(Path::new("paris/charter.toml"), &mut self.read())
    }
}

fn line(seed: u8) -> String {
    PublicLine { key: SigningKey::from_seed(&[seed; 32]).public(), comment: format!("key {seed}") }
        .to_string()
}

fn officer(title: &str, seed: u8, classes: &str) -> String {
    format!("[[officer]]\ntitle = \"{title}\"\nkey = \"{}\"\nclasses = [{classes}]\n", line(seed))
}

fn log_vkey() -> Vkey {
    Vkey::log("guarantees.example/paris-2026", SigningKey::from_seed(&[90; 32]).public()).unwrap()
}

fn witness(seed: u8) -> Vkey {
    Vkey::witness(&format!("witness.example/{seed}"), SigningKey::from_seed(&[seed; 32]).public()).unwrap()
}

const DE: &str = "[thresholds]\ngovern = 2\ncommit = 1\n\n";

/// Two ministers; the second one's key stands in a file of its own.
fn de() -> Files {
    let text = format!(
        "{DE}{}[[officer]]\ntitle = \"Foreign Minister\"\nkey_file = \"pub/foreign.pub\"\nclasses = [\"govern\"]\n",
        officer("Minister of Defence", 1, "\"govern\", \"commit\"")
    );
    Files::default().with("paris/de.keys.toml", text).with("paris/pub/foreign.pub", line(2) + "\n")
}

const CHARTER: &str = r#"origin = "guarantees.example/paris-2026"
title = "Paris Framework"
language = "en"

[operator]
keys = "operator.keys.toml"
vkey = "keys/log.vkey"

[[partner]]
handle = "de"
name = "Germany"
roles = ["guarantor"]
keys = "de.keys.toml"

[[partner]]
handle = "ua"
name = "Ukraine"
roles = ["beneficiary", "observer"]
keys = "ua.keys.toml"

[[annex]]
label = "Treaty"
media_type = "application/pdf"
language = "en"
standing = "authentic"
file = "treaty.pdf"
"#;

fn paris_with(charter: &str) -> Files {
    de().with("paris/charter.toml", charter)
        .with(
            "paris/operator.keys.toml",
            format!(
                "[thresholds]\ngovern = 1\n\"operate the log\" = 1\n{}",
                officer("Operator", 10, "\"govern\", \"operate the log\"")
            ),
        )
        .with(
            "paris/ua.keys.toml",
            format!("[thresholds]\ngovern = 1\n{}", officer("Minister", 20, "\"govern\"")),
        )
        .with("paris/keys/log.vkey", format!("{}\n", log_vkey()))
        .with("paris/treaty.pdf", "the treaty")
}

/// The text of the error that a charter with this change gives.
fn refused(old: &str, new: &str) -> String {
    assert!(CHARTER.contains(old), "{old}");
    paris_with(&CHARTER.replacen(old, new, 1)).founding().unwrap_err().to_string()
}

/// The text of the error that a charter with these lines at its end gives: they begin in line 28.
fn refused_with(more: &str) -> String {
    paris_with(&format!("{CHARTER}\n{more}")).founding().unwrap_err().to_string()
}

#[test]
fn a_key_set_reads_as_written_with_keys_in_it_and_beside_it() {
    let set = de().keys("paris/de.keys.toml", "de").unwrap();
    assert_eq!(set.thresholds, [2, 1, 0, 0, 0]);
    let titles: Vec<_> = set.officers.iter().map(|officer| officer.title.as_str()).collect();
    assert_eq!(titles, ["Minister of Defence", "Foreign Minister"]);
    assert_eq!(*set.officers[1].key, SigningKey::from_seed(&[2; 32]).public().to_bytes());
}

#[test]
fn each_fault_in_a_key_set_is_told_with_its_line() {
    let file = |text: String| de().with("paris/de.keys.toml", text).keys("paris/de.keys.toml", "de");
    let told = |text: String| file(text).unwrap_err().to_string();
    let good = officer("Minister", 1, "\"govern\"");
    let one = |rest: &str| format!("[thresholds]\ngovern = 1\n{rest}");
    let weak = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (text, want) in [
        (one(&good.replace("title", "titel")), "line 4: unknown field `titel`"),
        (
            one(&good.replace("\"govern\"", "\"comit\"")),
            "line 6: unknown \"comit\": want some of govern, commit",
        ),
        (one(&good) + "colour = 1\n", "line 7: unknown field `colour`"),
        (one(&good.replace("ssh-ed25519 A", "ssh-ed25519 B")), "line 5: not a public key line"),
        (one(&good.replace(&line(1), "ssh-rsa AAAA")), "line 5: the key's algorithm is ssh-rsa"),
        (one(&good.replace(&line(1), weak)), "line 5: public key is weak"),
        (one(&format!("{good}{good}")), "line 9: officers 0 and 1 have the same key"),
        (one(&good.replace("key =", "key_file =")), "line 5: public key paris/ssh-ed25519"),
        (
            one(&good.replace("classes", "key_file = \"a\"\nclasses")),
            "line 6: an officer needs one of key and key_file",
        ),
        (
            one(&good.replace(&format!("key = \"{}\"\n", line(1)), "")),
            "line 4: an officer needs one of key and key_file",
        ),
        (one(&good.replace("Minister", " ")), "line 4: want a text of one line"),
        (one(&good.replace("Minister", "Minister\\u001b[2J")), "line 4: want a text of one line"),
        (String::new(), "paris/de.keys.toml: no officer holds \"govern\""),
        ("[thresholds\n".into(), "line 1: "),
        ("a = 1\na = 2\n".into(), "line 2: duplicate key"),
    ] {
        let told = told(text.clone());
        assert!(told.starts_with("paris/de.keys.toml") && told.contains(want), "{text}\n{told}");
    }
}

#[test]
fn each_wrong_threshold_is_told_with_its_line() {
    let good = officer("Minister", 1, "\"govern\"");
    for (text, want) in [
        (
            format!(
                "[thresholds]\ngovern = 1\n{}",
                good.replace("[\"govern\"", "[\"govern\", \"operate the log\"")
            ),
            "line 1: no threshold for class \"operate the log\"",
        ),
        (
            format!(
                "[thresholds]\ngovern = 1\n\"operate the log\" = 1\n{}",
                good.replace("[\"govern\"", "[\"govern\", \"operate the log\"")
            ),
            "line 7: officer 0 holds class \"operate the log\", which is not for a partner",
        ),
        (
            format!("[thresholds]\ngovern = 2\n{good}"),
            "line 2: threshold of class \"govern\" is 2, but 1 officer holds it",
        ),
        (
            format!("[thresholds]\ngovern = 0\n{good}"),
            "line 2: threshold of class \"govern\" is 0, but 1 officer holds it",
        ),
        (
            format!("[thresholds]\ngovern = 1\ncommit = 1\n{good}"),
            "line 3: threshold of class \"commit\" is 1, but 0 officers hold it",
        ),
        (format!("[thresholds]\ngovern = 300\n{good}"), "line 2: invalid value: integer `300`"),
        (
            format!("[thresholds]\ngovern = 1\nrule = 1\n{good}"),
            "line 3: unknown class \"rule\": want some of",
        ),
        (good.clone(), "paris/de.keys.toml: no threshold for class \"govern\"; officers that hold it: 1"),
        (
            format!("[thresholds]\ncommit = 1\n{}", good.replace("govern", "commit")),
            "line 1: no officer holds \"govern\"",
        ),
    ] {
        let told = de().with("paris/de.keys.toml", text.clone()).keys("paris/de.keys.toml", "de");
        let told = told.unwrap_err().to_string();
        assert!(told.starts_with("paris/de.keys.toml") && told.contains(want), "{text}\n{told}");
    }
}

#[test]
fn a_file_that_is_not_utf_8_is_told_with_its_line() {
    let latin = de().with("paris/de.keys.toml", b"[thresholds]\n# M\xfcller\n");
    assert_eq!(
        latin.keys("paris/de.keys.toml", "de").unwrap_err().to_string(),
        "paris/de.keys.toml, line 2: not UTF-8 text"
    );
}

#[test]
fn files_that_are_missing_or_hold_something_else_are_named_with_a_way_out() {
    let error = Files::default().keys("de.keys.toml", "de").unwrap_err();
    assert_eq!(error.to_string(), "de.keys.toml: could not be read: entity not found");
    assert!(error.wrong.hint().unwrap().contains("ask the partner"));
    let mut files = de();
    files.0.remove(Path::new("paris/pub/foreign.pub"));
    let error = files.keys("paris/de.keys.toml", "de").unwrap_err();
    assert_eq!(
        error.to_string(),
        "paris/de.keys.toml, line 11: public key paris/pub/foreign.pub could not be read: entity not found"
    );
    assert!(error.wrong.hint().unwrap().contains(".pub file"));
    let private = de().with("paris/pub/foreign.pub", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    let error = private.keys("paris/de.keys.toml", "de").unwrap_err();
    assert_eq!(
        error.to_string(),
        "paris/de.keys.toml, line 11: paris/pub/foreign.pub: this is a private key file, want the public one"
    );
    assert!(error.wrong.hint().unwrap().contains("ssh-keygen -y"));
}

#[test]
fn a_file_is_read_up_to_its_limit() {
    let limit = usize::try_from(keys::MAX_KEYS_FILE).unwrap();
    let mut text = de().0[Path::new("paris/de.keys.toml")].clone();
    text.push(b'#');
    text.resize(limit, b'x');
    assert!(de().with("paris/de.keys.toml", text.clone()).keys("paris/de.keys.toml", "de").is_ok());
    text.push(b'x');
    let error = de().with("paris/de.keys.toml", text).keys("paris/de.keys.toml", "de").unwrap_err();
    assert_eq!(error.to_string(), "paris/de.keys.toml: has more than 1048576 bytes");
}

#[test]
fn a_charter_reads_with_all_that_it_names() {
    let found = paris_with(CHARTER).founding().unwrap();
    let handles: Vec<_> = found.charter.partners.iter().map(|p| p.handle.as_str()).collect();
    assert_eq!(handles, ["de", "ua"]);
    for partner in &found.charter.partners {
        assert_eq!(partner.keys, found.partners[&partner.handle].digest(&partner.handle));
    }
    assert_eq!(found.vkey, log_vkey());
    assert_eq!(found.operator.thresholds, [1, 0, 0, 0, 1]);
    assert_eq!(
        (found.text.as_slice(), found.text_digest()),
        (CHARTER.as_bytes(), sha256(CHARTER.as_bytes()))
    );
    let treaty = found.charter.annexes[0].open().unwrap();
    assert_eq!(
        (treaty.size, treaty.sha256, treaty.standing),
        (10, sha256(b"the treaty"), Standing::Authentic)
    );
    assert_eq!(found.charter.level, 1);
    assert_eq!(found.charter.check(), Ok(()));
}

#[test]
fn rules_left_out_have_defaults_and_rules_given_count() {
    let rules = paris_with(CHARTER).founding().unwrap().charter.rules;
    assert_eq!((rules.incident_quorum.count, rules.incident_quorum.roles.bits()), (2, 7));
    assert_eq!(*rules.incident_quorum.aspects, [Aspect::Occurred, Aspect::Kind]);
    assert_eq!(rules.incident_quorum.disputes, Disputes::Against);
    assert_eq!((rules.longest_expiry, rules.motions.share), (Duration::of_days(30), None));
    assert!(rules.pledges.need_acceptance && rules.witnesses.is_none());

    let given = format!(
        "{CHARTER}[rules]\ninstruments = [\"cyber\"]\nlongest_expiry = \"2 weeks\"\n\
         motions = {{ share = [2, 3], floor = 3 }}\npledges = {{ tolerance = \"0.1\" }}\n\
         [rules.incident_quorum]\ncount = 3\ndisputes = \"vetoes\"\n\
         [[rules.incident_kinds]]\nlabel = \"attack\"\ndefinition = \"…\"\nbreaches = {{ annex = 0, text = \"5\" }}\n\
         [rules.witnesses]\nvkeys = [\"{}\", \"{}\"]\nquorum = 2\n",
        witness(50),
        witness(51)
    );
    let rules = paris_with(&given).founding().unwrap().charter.rules;
    assert_eq!((rules.incident_quorum.count, rules.incident_quorum.disputes), (3, Disputes::Vetoes));
    assert_eq!(*rules.incident_quorum.aspects, [Aspect::Occurred, Aspect::Kind]);
    assert_eq!((rules.motions.share, rules.motions.floor), (Some((2, 3)), 3));
    assert!(rules.pledges.need_acceptance);
    assert_eq!(rules.pledges.tolerance.to_string(), "0.1");
    assert_eq!(rules.longest_expiry, Duration::of_days(14));
    assert_eq!(rules.incident_kinds[0].breaches.as_ref().unwrap().text, Long::new("5").unwrap());
    assert_eq!(rules.witnesses.unwrap().quorum, 2);
}

#[test]
fn the_vkey_stands_in_a_file_or_in_the_charter() {
    let inline = CHARTER.replace("keys/log.vkey", &log_vkey().to_string());
    assert_eq!(paris_with(&inline).founding().unwrap().vkey, log_vkey());
}

#[test]
fn an_annex_is_given_by_its_file_or_by_size_and_digest() {
    let digest = sha256(b"the treaty");
    let given = CHARTER.replace("file = \"treaty.pdf\"", &format!("size = 10\nsha256 = \"{digest}\""));
    let (one, other) = (paris_with(&given).founding().unwrap(), paris_with(CHARTER).founding().unwrap());
    assert_eq!(one.charter, other.charter);
    for bad in ["size = 10", "file = \"treaty.pdf\"\nsize = 10"] {
        assert_eq!(
            refused("file = \"treaty.pdf\"", bad),
            "paris/charter.toml, line 22: an annex needs file, or else size and sha256"
        );
    }
}

#[test]
fn each_fault_in_a_charter_is_told_with_its_line() {
    let other = Vkey::log("other.example", SigningKey::from_seed(&[91; 32]).public()).unwrap();
    let vkey = |vkey: &Vkey| refused("keys/log.vkey", &vkey.to_string());
    for (told, want) in [
        (refused("title", "tilte"), "line 2: unknown field `tilte`, expected one of"),
        (refused("title = \"Paris Framework\"\n", ""), "line 1: missing field `title`"),
        (refused("Paris Framework", ""), "line 2: want a text of one line"),
        (refused("paris-2026", "paris 2026"), "line 1: origin \"guarantees.example/paris 2026\" must have"),
        (refused("language = \"en\"", "language = \"en\"\nlevel = 0"), "line 4: level 0 does not exist"),
        (refused("language = \"en\"", "language = \"en\"\nlevel = 2"), "line 4: level 2, this program knows"),
        (refused("\"ua\"", "\"de\""), "line 16: handle de is taken twice"),
        (refused("\"ua\"", "\"operator\""), "line 16: handle operator is taken twice, or is the operator's"),
        (refused("\"ua\"", "\"UA\""), "line 16: not a handle"),
        (refused("[\"guarantor\"]", "[]"), "line 12: de has no role"),
        (refused("guarantor", "garantor"), "line 12: unknown \"garantor\": want some of guarantor"),
        (refused("Germany", "Ger\\nmany"), "line 11: want a text of one line"),
        (refused("roles", "role"), "line 12: unknown field `role`"),
        (
            refused("operator.keys", "oprator.keys"),
            "line 6: key set paris/oprator.keys.toml could not be read",
        ),
        (refused("\"de.keys", "\"den.keys"), "line 13: key set paris/den.keys.toml could not be read"),
        (refused("log.vkey", "lock.vkey"), "line 7: vkey paris/keys/lock.vkey could not be read"),
        (refused("treaty.pdf", "traty.pdf"), "line 26: annex paris/traty.pdf could not be read"),
        (refused("authentic", "real"), "line 25: unknown variant `real`"),
        (refused("keys/log.vkey", "treaty.pdf"), "line 7: not a vkey: vkey is not name+id+key"),
        (vkey(&witness(50)), "line 7: the vkey of \"witness.example/50\" is for the other role"),
        (vkey(&other), "line 7: the vkey's name is \"other.example\", and must be the origin \"guarantees"),
    ] {
        assert!(told.starts_with("paris/charter.toml, line ") && told.contains(want), "{told}\nwant {want}");
    }
    let partners = CHARTER.find("[[partner]]").unwrap()..CHARTER.find("[[annex]]").unwrap();
    let mut nobody = CHARTER.to_owned();
    nobody.replace_range(partners, "");
    assert_eq!(paris_with(&nobody).founding().unwrap_err().to_string(), "paris/charter.toml: no partners");
    assert_eq!(
        Files::default().founding().unwrap_err().to_string(),
        "paris/charter.toml: could not be read: entity not found"
    );
}

#[test]
fn each_fault_in_the_rules_is_told_with_its_line() {
    let (w, log) = (witness(50), log_vkey());
    let kind = "[[rules.incident_kinds]]\nlabel = \"attack\"\ndefinition = \"…\"\n";
    for (more, want) in [
        ("[rules]\nlongest_expiri = \"1 day\"".to_owned(), "line 29: unknown field `longest_expiri`"),
        ("[rules]\nlongest_expiry = \"1 dy\"".into(), "line 29: "),
        ("[rules]\nlongest_expiry = \"no time\"".into(), "line 29: the longest expiry must be more"),
        ("[rules]\nmotions = { share = [1, 3] }".into(), "line 29: motions: a share of 1/3"),
        ("[rules]\nmotions = { share = [0, 0] }".into(), "line 29: motions: a share of 0/0"),
        ("[rules.incident_quorum]\ncount = 0".into(), "line 28: the incident quorum needs a count"),
        ("[rules.incident_quorum]\nrolls = []".into(), "line 29: unknown field `rolls`"),
        (format!("{kind}{kind}"), "line 31: incident kind \"attack\" is defined twice"),
        (
            format!("{kind}breaches = {{ annex = 1, text = \"5\" }}"),
            "line 28: clause of annex 1, but the charter's annexes are 1",
        ),
        (
            format!("[rules.witnesses]\nvkeys = [\"{w}\"]\nquorum = 2"),
            "line 28: witnesses: a quorum of 2 of 1",
        ),
        ("[rules.witnesses]\nvkeys = []\nquorum = 0".into(), "line 28: witnesses: a quorum of 0 of 0"),
        ("[rules.witnesses]\nvkeys = [\"w\"]\nquorum = 1".into(), "line 29: not a vkey: "),
        (
            format!("[rules.witnesses]\nvkeys = [\n\"{w}\",\n\"{log}\"]\nquorum = 1"),
            "line 31: the vkey of \"guarantees.example/paris-2026\" is for the other role",
        ),
    ] {
        let told = refused_with(&more);
        assert!(told.starts_with("paris/charter.toml, ") && told.contains(want), "{more}\n{told}");
    }
}

#[test]
fn a_public_key_stands_once_in_the_whole_charter() {
    let same = |files: Files| files.founding().unwrap_err().to_string();
    let ua = |seed| {
        let text = format!("[thresholds]\ngovern = 1\n\n{}", officer("Minister", seed, "\"govern\""));
        paris_with(CHARTER).with("paris/ua.keys.toml", text)
    };
    for (seed, whose) in [(1, "officer 0 of de"), (10, "officer 0 of operator"), (90, "the log itself")] {
        assert_eq!(
            same(ua(seed)),
            format!(
                "paris/ua.keys.toml, line 6: the key of officer 0 of ua is also that of {whose}; each must be used once"
            )
        );
    }
    for (seed, whose) in [(20, "officer 0 of ua"), (90, "the log itself"), (50, "witness witness.example/50")]
    {
        let [one, other] = [witness(50), witness(seed)];
        let told =
            refused_with(&format!("[rules.witnesses]\nvkeys = [\"{one}\",\n\"{other}\"]\nquorum = 1\n"));
        assert_eq!(
            told,
            format!(
                "paris/charter.toml, line 30: the key of witness witness.example/{seed} is also that of {whose}; each must be used once"
            )
        );
    }
}

#[test]
fn texts_are_signed_composed_and_the_digest_is_of_the_file_as_it_is() {
    let decomposed = CHARTER.replace("Germany", "Re\u{301}publique");
    let found = paris_with(&decomposed).founding().unwrap();
    assert_eq!(found.charter.partners[0].name.as_str(), "R\u{e9}publique");
    assert_eq!(found.text_digest(), sha256(decomposed.as_bytes()));
}

proptest! {
    #[test]
    fn any_bytes_as_a_file_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = de().with("paris/de.keys.toml", bytes.clone()).keys("paris/de.keys.toml", "de");
        let _ = Files::default().with("paris/charter.toml", bytes).founding();
    }

    #[test]
    fn a_charter_with_a_changed_byte_is_read_or_refused(at in 0..CHARTER.len(), to in any::<u8>()) {
        let mut bytes = CHARTER.as_bytes().to_vec();
        bytes[at] = to;
        if let Ok(found) = paris_with("").with("paris/charter.toml", bytes).founding() {
            prop_assert_eq!(found.charter.check(), Ok(()));
        }
    }

    #[test]
    fn every_key_set_reads_back(
        titles in proptest::collection::vec("[^\\p{C}\\s][^\\p{C}]{0,20}", 1..5),
        classes in proptest::collection::vec(1u8..16, 5),
        want in any::<[u8; 4]>(),
    ) {
        let handle: Handle = "de".parse().unwrap();
        let officers: Vec<_> = titles.iter().zip(&classes).enumerate().map(|(i, (title, bits))| {
            crate::charter::Officer {
                title: title.nfc().collect::<String>().parse().unwrap(),
                algorithm: 1,
                key: SigningKey::from_seed(&[u8::try_from(i).unwrap(); 32]).public().to_bytes().to_vec().into(),
                classes: crate::field::Classes::from_bits(bits | 1).unwrap(),
            }
        }).collect();
        let mut set = KeySet { officers: officers.into(), thresholds: [0; 5] };
        for (class, want) in Class::ALL.iter().zip(want) {
            let holders = u8::try_from(set.holders(*class)).unwrap();
            if holders > 0 {
                set.thresholds[usize::from(class.number())] = 1 + want % holders;
            }
        }
        prop_assume!(set.admit(&handle).is_ok());
        let text = keys::to_toml(&set);
        let back = Files::default().with("k", text.clone()).keys("k", "de");
        prop_assert!(back.is_ok(), "{}\n{:?}", text, back);
        prop_assert_eq!(back.unwrap(), set);
    }
}
