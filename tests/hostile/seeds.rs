//! Seeds: good bytes of each sort, to be changed. `SERVANDA_BLESS=1 cargo test hostile` writes them below `fuzz/seeds`.

use super::claims::CLAIMS;
use super::golden::{LOG, ROSTER, stored};
use crate::evidence::EVIDENCE;
use crate::support::small_log::{handle, key, key_set, log_vkey, pledge, review, seed, short, terms};
use servanda::armor::File;
use servanda::charter::file::keys;
use servanda::client::Client;
use servanda::codec::encode;
use servanda::draft::Draft;
use servanda::entry::SignedEntry;
use servanda::evidence;
use servanda::field::{Class, Duration};
use servanda::hash::{Hash, sha256};
use servanda::key::SigningKey;
use servanda::key::openssh::{PublicLine, write_private};
use servanda::log::Record;
use servanda::merkle::bundle;
use servanda::promise::Promise;
use servanda::seal::Opening;
use servanda::statement::{self, Act, Kind, Statement};
use servanda::store::memory::Memory;
use servanda::text::{base64, from_base64};
use servanda::trust::Trust;
use servanda::witness::request::Request;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Seeds of each target by name.
pub type Seeds = BTreeMap<&'static str, BTreeMap<String, Vec<u8>>>;

const CHARTER: &str = r#"origin = "guarantees.example/paris-2026"
title = "Paris Framework of Guarantees"
language = "en"

[operator]
keys = "operator.keys.toml"
vkey = "log.vkey"

[[partner]]
handle = "de"
name = "Germany"
roles = ["guarantor"]
keys = "de.keys.toml"

[[partner]]
handle = "ua"
name = "Ukraine"
roles = ["beneficiary"]
keys = "ua.keys.toml"

[[annex]]
label = "Treaty"
media_type = "application/pdf"
language = "en"
standing = "authentic"
file = "treaty.pdf"

[rules]
longest_expiry = "30 days"
instruments = ["cyber defence"]

[[rules.incident_kinds]]
label = "armed attack"
definition = "as Article 1 defines it"
breaches = { annex = 0, text = "Article 1" }
"#;

/// All seeds.
pub fn seeds() -> Seeds {
    let seeds = BTreeMap::from([
        ("add_body", bodies()),
        ("add_checkpoint", requests()),
        ("armor_files", armor_files()),
        (
            "charter_file",
            named([("charter", CHARTER.into()), ("keys", keys::to_toml(&key_set("de")).into())]),
        ),
        ("entry", entries().into_iter().map(|(kind, e, bytes)| (name(kind, &e), bytes)).collect()),
        ("evidence", evidences().map(|(name, e)| (name, encode(e))).collect()),
        ("fields", fields()),
        ("note_checkpoint", notes()),
        ("openssh_key", openssh_keys()),
        ("snapshot", snapshots()),
        ("statement_acts", statements()),
        ("tiles_bundle", tiles()),
        ("tlog_proof", named([("proof", LOG.proof.clone().into())])),
        ("trust_policy", trust()),
        ("witness_answer", answers()),
    ]);
    assert!(seeds.keys().eq(CLAIMS.iter().map(|(name, _)| name)), "seeds for each claim");
    seeds
}

fn named<const N: usize>(all: [(&str, Vec<u8>); N]) -> BTreeMap<String, Vec<u8>> {
    all.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// The golden log's longest entry of each kind.
fn entries() -> Vec<(u8, SignedEntry, Vec<u8>)> {
    let all: Vec<_> = LOG.leaves.iter().map(|leaf| (SignedEntry::decode(leaf).unwrap(), leaf)).collect();
    let longest = |(at, kind): (u8, &Kind)| {
        let of_kind = all.iter().filter(|(e, _)| e.statement.kind == kind.number());
        of_kind.max_by_key(|(_, leaf)| leaf.len()).map(|(e, leaf)| (at, e.clone(), leaf.to_vec()))
    };
    (0..).zip(Kind::ALL).filter_map(longest).collect()
}

fn name(kind: u8, _: &SignedEntry) -> String {
    Kind::ALL[usize::from(kind)].name().to_owned()
}

/// A body of each kind behind its place in the list of kinds, and a statement.
fn statements() -> BTreeMap<String, Vec<u8>> {
    let entries = entries();
    let body = |(kind, e, _): &(u8, SignedEntry, Vec<u8>)| {
        (name(*kind, e), [&[*kind][..], &e.statement.body].concat())
    };
    let mut all: BTreeMap<_, _> = entries.iter().map(body).collect();
    all.insert("statement".to_owned(), entries[6].1.entry.statement.0.clone());
    all
}

fn evidences() -> impl Iterator<Item = (String, &'static evidence::Evidence)> {
    let name = |(n, e): (usize, &'static evidence::Evidence)| {
        let kind = evidence::check(e, None).unwrap().kind.to_string();
        (format!("{n}-{}", kind.replace([' ', '\''], "-")), e)
    };
    EVIDENCE.iter().enumerate().map(name)
}

/// One file of each sort as text, and its inside behind its number.
fn armor_files() -> BTreeMap<String, Vec<u8>> {
    let last = LOG.leaves.len() - 1;
    let entry = LOG.leaves[last].clone();
    let promise = Promise::sign(LOG.id, last.try_into().unwrap(), entry, &[(0, &key("operator/0"))]);
    assert!(promise.check(LOG.history().roster().unwrap().keys(&handle("operator")).unwrap()).is_ok());
    let pledge = entries().into_iter().find(|(_, e, _)| e.statement.kind == Kind::Pledge.number()).unwrap().1;
    let mut draft = Draft::new(&pledge.statement, Some(key_set("de"))).unwrap();
    draft.sign(&key("de/0")).unwrap();
    let opening = Opening {
        log: LOG.id,
        author: handle("de"),
        field: short("terms"),
        salt: Hash([7; 32]),
        value: b"sealed".to_vec().into(),
    };
    let roster: servanda::proof::RosterFile = servanda::codec::decode_large(&ROSTER, 1 << 24).unwrap();
    let (_, proof) = evidences().next().unwrap();
    let inside = |kind: u8, bytes: Vec<u8>| [vec![kind], bytes].concat();
    named([
        ("draft.txt", File::Statement.write(&draft).unwrap().into()),
        ("draft", inside(0, encode(&draft))),
        ("promise.txt", File::Promise.write(&promise).unwrap().into()),
        ("promise", inside(1, encode(&promise))),
        ("roster.txt", File::Roster.write(&roster).unwrap().into()),
        ("roster", inside(2, ROSTER.clone())),
        ("evidence.txt", File::Evidence.write(proof).unwrap().into()),
        ("evidence", inside(3, encode(proof))),
        ("opening.txt", File::Opening.write(&opening).unwrap().into()),
        ("opening", inside(4, encode(&opening))),
    ])
}

fn fields() -> BTreeMap<String, Vec<u8>> {
    named([
        ("handle", b"kiel".to_vec()),
        ("decimal", b"7,100,000,000.25".to_vec()),
        ("instant", b"2026-12-01T09:00:00.001Z".to_vec()),
        ("day", b"2028-02-29".to_vec()),
        ("duration", b"6 months 2 days 24h".to_vec()),
        ("hash", LOG.id.to_string().into_bytes()),
        ("bounded", b"at least 40 vehicles".to_vec()),
        ("encoded-instant", encode(&crate::support::small_log::at("2026-12-01T09:00Z"))),
    ])
}

fn notes() -> BTreeMap<String, Vec<u8>> {
    let witness = LOG.cosigned.lines().last().unwrap();
    named([
        ("checkpoint", LOG.checkpoint.clone().into()),
        ("cosigned", LOG.cosigned.clone().into()),
        ("cosignature", format!("{witness}\n").into()),
        ("vkey", log_vkey().to_string().into()),
    ])
}

/// Statements that go in at the golden log's end: the first partner's that has the keys which it began with.
fn bodies() -> BTreeMap<String, Vec<u8>> {
    let history = LOG.history();
    let draft = |act: &Act, class: Class, officers: &[u8]| {
        let author = handle("pl");
        let chain = history.chain(&author, class);
        let statement = Statement {
            version: statement::VERSION,
            log: LOG.id,
            author,
            class: class.number(),
            seq: chain.seq,
            prev: chain.prev,
            seen: history.head(),
            issued_at: history.times().1,
            expires_at: history.times().1.plus(Duration::of_days(7)),
            kind: act.kind().number(),
            body: act.encode_body().into(),
        };
        let mut draft = Draft::new(&statement, Some(key_set("pl"))).unwrap();
        officers.iter().for_each(|n| assert_eq!(draft.sign(&key(&format!("pl/{n}"))).unwrap(), *n));
        File::Statement.write(&draft).unwrap().into_bytes()
    };
    named([
        ("pledge", draft(&pledge(&["ua"], terms("tanks")), Class::Commit, &[0, 1])),
        ("review", draft(&review(20_000), Class::Observe, &[3])),
    ])
}

/// What a witness answers: its line, a size, a refusal.
fn answers() -> BTreeMap<String, Vec<u8>> {
    let line = LOG.cosigned.lines().last().unwrap();
    named([
        ("line", [&[0, 1], line.as_bytes(), b"\n"].concat()),
        ("size", b"\x01\x005\n".to_vec()),
        ("fork", b"\x02\x01another root of this size\n".to_vec()),
        ("unknown", b"\x03\x01no such log\n".to_vec()),
    ])
}

/// Requests to a witness that knows nothing yet, or the golden log's first entries, or all; and its list of logs.
fn requests() -> BTreeMap<String, Vec<u8>> {
    let size = LOG.history().head().size;
    let (objects, root) = stored(&LOG.leaves);
    let store = Memory::holding(objects);
    let mut client = Client::open(&store, size, root).unwrap();
    let proof = client.consistency_proof(5).unwrap();
    let list = format!("logs/v0\n\n# golden\nvkey {}\nqpd 86400\ncontact nobody\n", LOG.vkeys[0]);
    named([
        ("first", Request::write(0, &[], &LOG.checkpoint).into()),
        ("next", Request::write(5, &proof, &LOG.checkpoint).into()),
        ("same", Request::write(size, &[], &LOG.cosigned).into()),
        ("logs", list.into()),
    ])
}

/// A public line, and an unencrypted private key without its armour. Its four bytes of chance, told twice, are zeros.
fn openssh_keys() -> BTreeMap<String, Vec<u8>> {
    let key = SigningKey::from_seed(&seed("de/0"));
    let line = PublicLine { key: key.public(), comment: "de/0".to_owned() };
    let file = write_private(&key, "de/0", None).unwrap();
    let inside: String = file.lines().filter(|line| !line.starts_with('-')).collect();
    let mut inside = from_base64(&inside).unwrap();
    // The private part is behind: magic, "none" twice, no options, one key, the public key's 51 bytes, its own length.
    let part = 15 + 8 + 8 + 4 + 4 + (4 + 51) + 4;
    assert_eq!(inside[part..part + 4], inside[part + 4..part + 8]);
    inside[part..part + 8].fill(0);
    assert!(base64(&inside).starts_with("b3BlbnNzaC1rZXktdjE"));
    named([("public", line.to_string().into()), ("blank", format!("{line} \n").into()), ("private", inside)])
}

fn snapshots() -> BTreeMap<String, Vec<u8>> {
    let kept = |at: usize| encode(&(sha256(b"the root"), LOG.histories[at].snapshot()));
    named([
        ("empty", kept(0)),
        ("whole", kept(LOG.leaves.len())),
        ("record", Record::staging(7, 700, Hash([1; 32])).encode()),
    ])
}

fn tiles() -> BTreeMap<String, Vec<u8>> {
    let entries: Vec<Vec<u8>> = (0..5u8).map(|n| vec![n; n.into()]).collect();
    named([
        ("tile", b"tile/1/x001/234.p/5".to_vec()),
        ("entries", b"tile/entries/x001/x234/067".to_vec()),
        ("bundle", [vec![5], bundle::encode(&entries).unwrap()].concat()),
    ])
}

fn trust() -> BTreeMap<String, Vec<u8>> {
    let policy = LOG.policy(true);
    let partners = BTreeMap::from([(handle("de"), key_set("de"))]);
    let origin = LOG.vkeys[0].name().to_owned();
    let trust =
        Trust { log: Some(LOG.id), origin, at: Some("paris".into()), policy: policy.clone(), partners };
    named([("trust", trust.to_string().into()), ("policy", policy.to_string().into())])
}

#[test]
fn the_seeds_in_the_checkout_are_those_of_the_golden_log() {
    let folder = Path::new(super::ROOT).join("fuzz/seeds");
    if std::env::var_os("SERVANDA_BLESS").is_some() {
        let _ = fs::remove_dir_all(&folder);
        for (target, seeds) in seeds() {
            fs::create_dir_all(folder.join(target)).unwrap();
            seeds.iter().for_each(|(name, bytes)| fs::write(folder.join(target).join(name), bytes).unwrap());
        }
    }
    for (target, seeds) in seeds() {
        let files = fs::read_dir(folder.join(target)).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())
        });
        assert!(files.collect::<BTreeMap<_, _>>() == seeds, "{target}: bless the seeds");
    }
}

#[test]
fn the_seeds_of_what_is_sent_go_in_at_the_golden_logs_end() {
    for (name, text) in bodies() {
        let draft: Draft = File::Statement.read(&text).unwrap();
        assert_eq!(LOG.found_next(draft).unwrap(), [], "{name}");
    }
}
