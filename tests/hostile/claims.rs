//! What holds of every parser of bytes that others wrote, whatever the bytes are: it does not panic, what it accepts is in
//! its one form, two ways to read it agree, and nothing that was changed passes for what somebody signed.
//!
//! Each claim takes bytes and panics where it does not hold. The tests of this chapter and the programs in `fuzz/` run the
//! same claims: the former on some bytes with each test run, the latter on as many as there is time for.

use super::golden::{LOG, ROSTER, stored};
use serde::Serialize;
use serde::de::DeserializeOwned;
use servanda::armor::File;
use servanda::charter::file::{Founding, keys};
use servanda::charter::{KeySet, Officer};
use servanda::checkpoint::{self, Checkpoint, SignedCheckpoint};
use servanda::client::Client;
use servanda::codec::{decode, decode_large, encode};
use servanda::draft::Draft;
use servanda::entry::{Entry, MAX_ENTRY, SignedEntry};
use servanda::evidence::{self, Evidence, Guilt};
use servanda::field::bits::{Class, Classes};
use servanda::field::{Day, Decimal, Duration, Handle, Instant, Long, Short};
use servanda::gather::{Answer, Asked, SIZE_TYPE, Transport, Unreached};
use servanda::hash::{Hash, leaf_hash, sha256};
use servanda::history::{History, Snapshot};
use servanda::key::openssh::{self, PublicLine};
use servanda::key::vkey::Vkey;
use servanda::key::{ED25519, SigningKey};
use servanda::log::Record;
use servanda::merkle::bundle;
use servanda::merkle::tile::TilePath;
use servanda::note::Note;
use servanda::policy::{Policy, Witness};
use servanda::promise::Promise;
use servanda::proof::RosterFile;
use servanda::roster::signing;
use servanda::seal::{Opening, seal};
use servanda::statement::terms::{Amount, Bounded};
use servanda::statement::{self, Act, Kind, Statement, signed_bytes};
use servanda::store::memory::Memory;
use servanda::tlog_proof::TlogProof;
use servanda::trust::Trust;
use servanda::witness::judge;
use servanda::witness::logs::Logs;
use servanda::witness::request::Request;
use std::fmt::{Debug, Display};
use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A claim about bytes.
pub type Claim = fn(&[u8]);

/// All claims, each with the name of its target and of the folder of its seeds.
pub const CLAIMS: [(&str, Claim); 15] = [
    ("add_body", add_body),
    ("add_checkpoint", add_checkpoint),
    ("armor_files", armor_files),
    ("charter_file", charter_file),
    ("entry", entry),
    ("evidence", evidence),
    ("fields", fields),
    ("note_checkpoint", note_checkpoint),
    ("openssh_key", openssh_key),
    ("snapshot", snapshot),
    ("statement_acts", statement_acts),
    ("tiles_bundle", tiles_bundle),
    ("tlog_proof", tlog_proof),
    ("trust_policy", trust_policy),
    ("witness_answer", witness_answer),
];

/// What a text reads as reads the same again once it is written.
fn written_reads_back<T>(text: &str)
where
    T: FromStr + Display + PartialEq + Debug,
{
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        assert!(written.parse::<T>().is_ok_and(|read| read == value), "{text:?} -> {written:?}");
    }
}

/// What bytes decode to encodes to the same bytes.
fn one_form<T: DeserializeOwned + Serialize>(bytes: &[u8], limit: usize) -> Option<T> {
    let value: T = decode_large(bytes, limit).ok()?;
    assert!(encode(&value) == bytes, "it has another form");
    Some(value)
}

// - what partners say -

/// A statement's bytes, and one act's body behind a byte that picks its kind: one form each, and JSON says all of it.
pub fn statement_acts(bytes: &[u8]) {
    if let Ok(statement) = Statement::decode(bytes) {
        assert_eq!(statement.encode().unwrap(), bytes);
    }
    let Some((kind, body)) = bytes.split_first() else { return };
    let kind = Kind::ALL[usize::from(*kind) % Kind::ALL.len()];
    if let Ok(act) = Act::decode_body(kind, body) {
        assert_eq!((act.kind(), act.encode_body()), (kind, body.to_vec()));
        let json = serde_json::to_string(&act).unwrap();
        assert_eq!(serde_json::from_str::<Act>(&json).unwrap(), act, "{json}");
    }
}

/// An entry's bytes: one form; its parts agree with it; and it takes no place in the golden log, unless it holds the very
/// statement that stands there, whatever else its operator says of it. What then follows is kept and taken up again.
pub fn entry(bytes: &[u8]) {
    let decoded = SignedEntry::decode(bytes);
    let bare = decode::<Entry>(bytes, MAX_ENTRY);
    if let Ok(e) = &decoded {
        assert_eq!((e.entry.encode().unwrap(), e.leaf), (bytes.to_vec(), leaf_hash(bytes)));
        assert_eq!(bare.as_ref().ok(), Some(&e.entry));
        assert_eq!(e.statement.encode().unwrap(), *e.entry.statement);
        assert_eq!(e.id, statement::id(&e.entry.statement));
        assert_eq!(e.act().ok(), e.statement.act().ok().as_ref());
    }
    let wanted = decoded.as_ref().map_or(0, |e| e.entry.index);
    let at = usize::try_from(wanted).unwrap_or(usize::MAX).min(LOG.leaves.len());
    let mut history = LOG.histories[at].clone();
    if let (Ok(e), Some(roster)) = (&decoded, history.roster())
        && e.statement.class() != Class::Govern
    {
        let quick = roster.alone_by(e, signing::signers).reasons;
        let whole = roster.alone(wanted, e).reasons;
        assert!(!whole.is_empty() || quick.is_empty(), "quick {quick:?}, whole {whole:?}");
    }
    let findings = history.take(bytes, leaf_hash(bytes), decoded.as_ref(), &mut &LOG.hashes[..], None);
    match &decoded {
        Err(_) => assert!(!findings.is_empty(), "no entry, and nothing was found"),
        Ok(e) if findings.is_empty() => {
            let there = LOG.leaves.get(at).and_then(|leaf| SignedEntry::decode(leaf).ok());
            assert_eq!(there.map(|there| there.id), Some(e.id), "nobody signed that");
        }
        Ok(_) => {}
    }
    let kept = history.snapshot();
    assert_eq!(
        History::resume(kept.clone(), history.ledger().map(encode).as_deref())
            .map(|history| history.snapshot()),
        Ok(kept)
    );
}

/// What is sent to a server, judged at the golden log's end: nothing goes in but what the seeds' authors signed.
pub fn add_body(bytes: &[u8]) {
    let Ok(draft) = File::Statement.read::<Draft>(bytes) else { return };
    let Ok(statement) = draft.statement() else { return };
    assert_eq!(statement.encode().unwrap(), *draft.statement);
    let id = draft.id();
    if LOG.found_next(draft).is_some_and(|found| found.is_empty()) {
        assert!(SIGNED.contains(&id), "nobody signed that");
    }
}

/// The statements that the seeds' authors signed for the golden log's end.
static SIGNED: LazyLock<Vec<Hash>> = LazyLock::new(|| {
    let folder = Path::new(super::ROOT).join("fuzz/seeds/add_body");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        File::Statement.read::<Draft>(&fs::read(entry.unwrap().path()).unwrap()).unwrap().id()
    };
    fs::read_dir(folder).unwrap().map(read).collect()
});

/// A charter as its founders write it, and a key set.
pub fn charter_file(bytes: &[u8]) {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let path = Path::new("charter.toml");
    let mut read = |path: &Path, _| match path.to_str() {
        Some("charter.toml") => Ok(bytes.to_vec()),
        Some("log.vkey") => Ok(format!("{}\n", LOG.vkeys[0]).into_bytes()),
        Some("treaty.pdf") => Ok(b"the treaty".to_vec()),
        Some(name) if name.ends_with(".keys.toml") => Ok(key_set_of(name).into_bytes()),
        _ => Err(Error::from(ErrorKind::NotFound)),
    };
    match Founding::read(path, &mut read) {
        Ok(founding) => {
            assert_eq!((founding.text_digest(), &*founding.text), (sha256(bytes), bytes));
            assert_eq!(founding.charter.check(), Ok(()));
            let encoded = encode(&founding.charter);
            assert_eq!(
                decode_large::<servanda::charter::Charter>(&encoded, 1 << 20).unwrap(),
                founding.charter
            );
        }
        Err(error) => assert!(!error.to_string().is_empty() && error.line.is_none_or(|line| line <= lines)),
    }
    let handle = "de".parse().unwrap();
    if let Ok(set) = keys::read(path, &handle, &mut |_, _| Ok(bytes.to_vec())) {
        assert!(set.admit(&handle).is_ok());
        let written = keys::to_toml(&set).into_bytes();
        assert_eq!(keys::read(path, &handle, &mut |_, _| Ok(written.clone())).unwrap(), set);
    }
}

/// A key set with a key of its own for each name of a file.
fn key_set_of(name: &str) -> String {
    let key = SigningKey::from_seed(&sha256(name.as_bytes()).0).public();
    let (one, other) = if name == "operator.keys.toml" {
        (Class::Govern, Class::OperateLog)
    } else {
        (Class::Govern, Class::Commit)
    };
    let classes: Classes = [one, other].into_iter().collect();
    let officer = Officer {
        title: Short::new("Minister").unwrap(),
        algorithm: ED25519,
        key: key.to_bytes().to_vec().into(),
        classes,
    };
    let thresholds = [0, 1, 2, 3, 4].map(|n| u8::from(classes.bits() >> n & 1 == 1));
    keys::to_toml(&KeySet { officers: vec![officer].into(), thresholds })
}

/// The values that people write in fields.
pub fn fields(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    written_reads_back::<Handle>(text);
    written_reads_back::<Decimal>(text);
    written_reads_back::<Instant>(text);
    written_reads_back::<Day>(text);
    written_reads_back::<Duration>(text);
    written_reads_back::<Hash>(text);
    written_reads_back::<Short>(text);
    written_reads_back::<Long>(text);
    written_reads_back::<Amount>(text);
    written_reads_back::<Bounded>(text);
    if let Ok(decimal) = Decimal::from_human(text) {
        assert_eq!(decimal.as_str().parse().ok().as_ref(), Some(&decimal));
        assert_eq!(Decimal::from_human(&decimal.grouped()).ok().as_ref(), Some(&decimal));
    }
    if let (Ok(at), Ok(duration)) = (text.parse::<Instant>(), "1 month 1 day".parse::<Duration>()) {
        assert!(at.plus(duration) >= at && Instant::from_ms(at.ms()) == Ok(at));
    }
    // The same bytes as a field's encoding.
    one_form::<Handle>(bytes, MAX_ENTRY);
    one_form::<Decimal>(bytes, MAX_ENTRY);
    one_form::<Instant>(bytes, MAX_ENTRY);
    one_form::<Day>(bytes, MAX_ENTRY);
    one_form::<Duration>(bytes, MAX_ENTRY);
    one_form::<Classes>(bytes, MAX_ENTRY);
}

// - what the log commits to -

/// Notes, checkpoints, their cosignatures, and vkeys.
pub fn note_checkpoint(bytes: &[u8]) {
    let signed = SignedCheckpoint::parse(bytes);
    if let Ok(note) = Note::parse(bytes) {
        let lines: String = note.signatures().iter().map(|s| s.line.clone() + "\n").collect();
        assert_eq!(format!("{}\n{lines}", note.text()).as_bytes(), bytes);
        if let Ok(signed) = &signed {
            let claim = signed.claim();
            let body = Checkpoint::new(claim.origin, claim.size, claim.root).unwrap();
            assert_eq!(body.to_string(), note.text());
        }
    } else {
        assert!(signed.is_err(), "a checkpoint is a note");
    }
    if let Ok(signed) = &signed {
        assert_eq!(signed.as_str().as_bytes(), bytes);
    }
    for cosigned in [false, true] {
        let policy = LOG.policy(cosigned);
        let opened = checkpoint::open(bytes, &policy);
        assert_eq!(opened, signed.clone().and_then(|signed| signed.open(&policy)));
        if let Ok(opened) = opened {
            assert_eq!(opened.root(), checkpoint::open(LOG.cosigned.as_bytes(), &policy).unwrap().root());
            assert_eq!(opened.size(), LOG.history().head().size);
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    written_reads_back::<Vkey>(text);
    let golden = SignedCheckpoint::parse(LOG.checkpoint.as_bytes()).unwrap();
    if let Ok(more) = golden.with_cosignatures(text, &LOG.policy(true)) {
        assert!(more.open(&LOG.policy(false)).is_ok());
        let last = more.as_str().lines().last().unwrap_or_default();
        assert!(more.open(&LOG.policy(true)).is_err() || LOG.cosigned.lines().any(|line| line == last));
    }
}

/// What a witness is sent, and its list of logs: a request has one form, a body is admitted only with what the golden log
/// signed, and such a one follows the log's beginnings only with their proof.
pub fn add_checkpoint(bytes: &[u8]) {
    if let Ok(logs) = Logs::parse(bytes) {
        assert_eq!(logs.renewed(&logs), Ok(logs.clone()));
        assert!(logs.origins().all(|origin| logs.keys(origin).is_some()));
    }
    if let Ok(Request { old, proof, note }) = Request::parse(bytes) {
        let lines: String = note.signatures().iter().map(|s| s.line.clone() + "\n").collect();
        assert_eq!(Request::write(old, &proof, &format!("{}\n{lines}", note.text())).as_bytes(), bytes);
    }
    let logs = format!("logs/v0\nvkey {}\nqpd 1\ncontact nobody\n", LOG.vkeys[0]).parse().unwrap();
    let Ok(admitted) = judge::admit(bytes, &logs) else { return };
    let golden = SignedCheckpoint::parse(LOG.checkpoint.as_bytes()).unwrap();
    assert_eq!(admitted.checkpoint(), &golden);
    let old = Request::parse(bytes).unwrap().old;
    assert!(admitted.follows(Some((old, Hash([7; 32])))).is_err() || old == 0, "it contains anything");
    if let Some(leaves) = usize::try_from(old).ok().and_then(|old| LOG.leaves.get(..old)).filter(|_| old > 0)
    {
        // The golden log's own beginning is followed with its proof, and that has one form.
        let (objects, root) = stored(&LOG.leaves);
        let store = Memory::holding(objects);
        let mut log = Client::open(&store, golden.claim().size, root).unwrap();
        let right = log.consistency_proof(old).unwrap() == Request::parse(bytes).unwrap().proof;
        assert_eq!(admitted.follows(Some((old, stored(leaves).1))).is_ok(), right);
    }
}

/// A proof file: one form, and it proves nothing but the golden log's leaves, each at its index.
pub fn tlog_proof(bytes: &[u8]) {
    let Ok(proof) = TlogProof::parse(bytes) else { return };
    assert_eq!(proof.to_string().as_bytes(), bytes);
    let policy = LOG.policy(false);
    for leaf in proof.extra.iter().map(|entry| leaf_hash(entry)).chain(LOG.hashes.iter().copied()) {
        if proof.verify(&leaf, &policy).is_ok() {
            assert_eq!(LOG.hashes.get(usize::try_from(proof.index).unwrap()), Some(&leaf));
        }
    }
}

/// Paths of tiles, bundles, and a log of 300 leaves of which one object, picked by the first byte, holds other bytes: no
/// other entry is ever given out.
pub fn tiles_bundle(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(path) = text.parse::<TilePath>()
    {
        assert_eq!(path.to_string(), text);
    }
    let Some((first, rest)) = bytes.split_first() else { return };
    let width = u16::from(*first);
    if let Ok(entries) = bundle::parse(rest, width) {
        assert_eq!(bundle::encode(&entries).unwrap(), rest);
        assert_eq!(bundle::truncated(rest, width), Some(rest));
    } else if let Some(cut) = bundle::truncated(rest, width) {
        assert!(cut.len() < rest.len() && bundle::parse(cut, width).is_ok());
    }
    let (objects, root) = &*SMALL;
    let (name, _) = objects.iter().nth(usize::from(*first) % objects.len()).unwrap();
    let mut objects = objects.clone();
    objects.insert(name.clone(), rest.to_vec());
    let store = Memory::holding(objects);
    let Ok(mut client) = Client::open(&store, SMALL_LEAVES, *root) else { return };
    for index in [0, 255, 256, SMALL_LEAVES - 1] {
        if let Ok(entry) = client.entry(index) {
            assert_eq!(entry, small_leaf(index));
        }
    }
    if let Ok(entries) = client.bundle(u64::from(*first) % 2) {
        assert_eq!(entries[0], small_leaf(u64::from(*first) % 2 * 256));
    }
}

const SMALL_LEAVES: u64 = 300;

fn small_leaf(index: u64) -> Vec<u8> {
    index.to_string().into_bytes()
}

static SMALL: LazyLock<(std::collections::BTreeMap<String, Vec<u8>>, Hash)> =
    LazyLock::new(|| stored(&(0..SMALL_LEAVES).map(small_leaf).collect::<Vec<_>>()));

// - files -

/// Servanda's own files: as text, and as what is inside behind a byte that picks the kind.
pub fn armor_files(bytes: &[u8]) {
    match File::of(bytes) {
        Some(File::Statement) => armored(File::Statement, bytes, draft),
        Some(File::Promise) => armored(File::Promise, bytes, promise),
        Some(File::Roster) => armored(File::Roster, bytes, roster),
        Some(File::Evidence) => armored(File::Evidence, bytes, guilt),
        Some(File::Opening) => armored(File::Opening, bytes, opening),
        None => {
            let Some((kind, inside)) = bytes.split_first() else { return };
            match kind % 5 {
                0 => bare(File::Statement, inside, draft),
                1 => bare(File::Promise, inside, promise),
                2 => bare(File::Roster, inside, roster),
                3 => bare(File::Evidence, inside, guilt),
                _ => bare(File::Opening, inside, opening),
            }
        }
    }
}

fn armored<T>(file: File, text: &[u8], holds: fn(&T))
where
    T: DeserializeOwned + Serialize + PartialEq + Debug,
{
    let all = file.read_all::<T>(text);
    if let Ok(value) = file.read::<T>(text) {
        let written = file.write(&value).unwrap();
        assert_eq!(file.read::<T>(written.as_bytes()).unwrap(), value);
        assert_eq!(all.unwrap(), [value]);
    } else {
        all.iter().flatten().for_each(holds);
    }
}

fn bare<T>(file: File, bytes: &[u8], holds: fn(&T))
where
    T: DeserializeOwned + Serialize + PartialEq + Debug,
{
    let Some(value) = one_form::<T>(bytes, file.limit()) else { return };
    holds(&value);
    let written = file.write(&value).unwrap();
    assert_eq!(File::of(written.as_bytes()), Some(file));
    assert_eq!(file.read::<T>(written.as_bytes()).unwrap(), value);
}

/// A draft whose statement is none is signed by nobody; else a signature that is added holds.
fn draft(draft: &Draft) {
    let key = SigningKey::from_seed(&[1; 32]);
    let (mut signed, before) = (draft.clone(), draft.signatures.len());
    match signed.sign(&key) {
        Ok(officer) => {
            let id = statement::id(&draft.statement);
            let added = signed.signatures.iter().find(|s| s.officer == officer).unwrap();
            assert!(key.public().holds(&signed_bytes(&id), &added.bytes) && signed.signatures.len() > before);
            assert!(signed.statement().is_ok() && signed.id() == id);
        }
        Err(_) => assert_eq!(signed.signatures.len(), before),
    }
    let _ = draft.missing();
}

/// Only the promise among the seeds is one.
fn promise(promise: &Promise) {
    let operator = LOG.history().roster().unwrap().keys(&Handle::operator()).unwrap();
    if promise.check(operator).is_ok() {
        let last = LOG.leaves.len() - 1;
        assert_eq!(
            (promise.log, promise.index, &*promise.entry),
            (LOG.id, last.try_into().unwrap(), &*LOG.leaves[last])
        );
    }
}

/// Only one file is the roster under a root.
fn roster(file: &RosterFile) {
    let (size, root) = SignedCheckpoint::parse(LOG.checkpoint.as_bytes())
        .map(|signed| (signed.claim().size, signed.claim().root))
        .unwrap();
    if file.verify(size, &root).is_ok() {
        assert!(encode(file) == *ROSTER, "another roster under the same root");
    }
    let _ = file.verify(file.size, &Hash([7; 32]));
}

fn opening(opening: &Opening) {
    let Opening { log, author, field, salt, value } = opening;
    assert_eq!(opening.seal(), seal(log, author, salt, field, value));
}

/// Evidence: one form, and it accuses nobody of anything but what the seeds do.
pub fn evidence(bytes: &[u8]) {
    if let Some(evidence) = one_form::<Evidence>(bytes, File::Evidence.limit()) {
        guilt(&evidence);
    }
}

fn guilt(evidence: &Evidence) {
    let pinned = GUILTS[0].log;
    if let Ok(guilt) = evidence::check(evidence, Some(&pinned)) {
        assert!(GUILTS.contains(&guilt), "{guilt:?}");
    }
    let _ = evidence::check(evidence, None);
}

/// What the seeds of evidence show.
static GUILTS: LazyLock<Vec<Guilt>> = LazyLock::new(|| {
    let folder = Path::new(super::ROOT).join("fuzz/seeds/evidence");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let evidence: Evidence = decode_large(&fs::read(entry.unwrap().path()).unwrap(), 1 << 24).unwrap();
        evidence::check(&evidence, None).unwrap()
    };
    let guilts: Vec<Guilt> = fs::read_dir(folder).unwrap().map(read).collect();
    assert!(guilts.len() > 4 && guilts.iter().all(|guilt| guilt.log == guilts[0].log));
    guilts
});

/// Public keys as OpenSSH lines; private keys, as a file and as what stands between its lines. An encrypted one is opened
/// as far as it goes without a passphrase.
pub fn openssh_key(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(line) = text.parse::<PublicLine>()
    {
        let (written, given) = (line.to_string(), text.strip_suffix('\n').unwrap_or(text));
        let given = if text.ends_with("\r\n") { &given[..given.len() - 1] } else { given };
        // An empty comment may have its blank.
        assert!(written == given || written + " " == given, "{given:?}");
        written_reads_back::<PublicLine>(text);
    }
    let base64 = servanda::text::base64(bytes);
    let lines = base64.as_bytes().chunks(70).map(|line| [line, b"\n"].concat());
    let armoured = [
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n".to_vec(),
        lines.collect::<Vec<_>>().concat(),
        b"-----END OPENSSH PRIVATE KEY-----\n".to_vec(),
    ];
    let no_passphrase = || Err(Error::from(ErrorKind::NotFound));
    for file in [bytes, &armoured.concat()] {
        if let Ok((key, comment)) = openssh::read_private(file, no_passphrase) {
            let written = openssh::write_private(&key, &comment, None).unwrap();
            let (read, said) = openssh::read_private(written.as_bytes(), no_passphrase).unwrap();
            assert_eq!((read.public(), said), (key.public(), comment));
        }
    }
}

/// A kept history, as it is and under a digest that fits; and the writer's record.
pub fn snapshot(bytes: &[u8]) {
    if let Ok(record) = Record::decode(bytes) {
        assert_eq!(record.encode(), bytes);
    }
    if let Some((_, snapshot)) = one_form::<(Hash, Snapshot)>(bytes, 1 << 24) {
        resumes(snapshot);
    }
    // The digest finds damage, and fits whatever whoever writes snapshots likes.
    let Some((kept, _)) = bytes.split_last_chunk::<32>() else { return };
    let Some((root, inside)) = kept.split_at_checked(32) else { return };
    let digest = servanda::hash::labelled("servanda/snapshot/1\n", inside);
    if let Ok((_, snapshot)) = decode_large::<(Hash, Snapshot)>(&[root, inside, &digest.0].concat(), 1 << 24)
    {
        resumes(snapshot);
    }
}

/// What is taken up is kept the same, and goes on.
fn resumes(snapshot: Snapshot) {
    // A ledger that belongs to it is nothing that bytes could bring along: its digest would have to fit.
    let Ok(mut history) = History::resume(snapshot.clone(), None) else { return };
    assert_eq!(history.snapshot(), snapshot);
    let leaf = &LOG.leaves[LOG.leaves.len() - 1];
    let decoded = SignedEntry::decode(leaf);
    if history.head().size < u64::MAX {
        history.take(leaf, leaf_hash(leaf), decoded.as_ref(), &mut servanda::history::Nothing, None);
    }
}

/// A witness that answers the same whatever it is asked: status and media type by the first two bytes.
struct Says {
    answer: Answer,
    asked: AtomicU64,
}

impl Transport for Says {
    fn add_checkpoint(&self, _: &Witness, body: &[u8]) -> Result<Answer, Unreached> {
        assert!(Request::parse(body).is_ok() && self.asked.fetch_add(1, Ordering::Relaxed) < 2);
        Ok(self.answer.clone())
    }
}

/// What a witness answers to the golden log's writer: it is asked twice at most, and no line counts but the witness's own over
/// this very checkpoint.
pub fn witness_answer(bytes: &[u8]) {
    let Some(([status, media], body)) = bytes.split_first_chunk() else { return };
    let status = [200, 409, 422, 404, 500][usize::from(*status) % 5];
    let media = [SIZE_TYPE, "text/plain"].get(usize::from(*media) % 3).map(|media| (*media).to_owned());
    let answer = Answer { status, media_type: media, body: body.to_vec() };
    let cosigned = checkpoint::open(LOG.cosigned.as_bytes(), &LOG.policy(true)).unwrap();
    let time_s = cosigned.cosigners()[0].time_s;
    let note = SignedCheckpoint::parse(LOG.checkpoint.as_bytes()).unwrap();
    let tiles = Memory::holding(stored(&LOG.leaves).0);
    let says = |answer: &Answer| Says { answer: answer.clone(), asked: AtomicU64::new(0) };
    let clock = move || time_s;
    let is_its = |line: &str| assert!(LOG.cosigned.ends_with(&format!("\n{line}")), "{line}");
    let mut asked = Asked::new(LOG.policy(true).witnesses()[0].clone());
    match asked.learn(&note, &says(&answer), &clock) {
        Ok(Some(cosigned)) => is_its(&cosigned.line),
        Ok(None) => assert_eq!(status, 409),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // From what it learnt by that answer, and from nothing.
    for mut asked in [asked, Asked::new(LOG.policy(true).witnesses()[0].clone())] {
        match asked.ask(&note, &tiles, &says(&answer), &clock) {
            Ok(cosigned) => {
                is_its(&cosigned.line);
                assert_eq!(
                    (cosigned.time_s, cosigned.head),
                    (time_s, (note.claim().size, note.claim().root))
                );
                assert_eq!((asked.size(), asked.pause().is_zero()), (note.claim().size, true));
            }
            Err(error) => {
                assert!(!asked.pause().is_zero() && error.witness() == LOG.vkeys[1].name());
                assert!(!error.stops_the_writer() || [409, 422].contains(&status), "{error}");
            }
        }
    }
}

/// Trust files and policies.
pub fn trust_policy(bytes: &[u8]) {
    if let Ok(policy) = Policy::parse(bytes) {
        assert_eq!(Policy::parse(policy.to_string().as_bytes()).as_ref(), Ok(&policy));
        let all: Vec<_> = policy.witnesses().iter().map(|witness| &*witness.name).collect();
        assert!(policy.satisfied(all.iter().copied()), "a quorum that nobody can reach");
        assert_eq!(policy.satisfied([]), policy.quorum_is_none());
        assert!(policy.without_quorum().satisfied([]));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Trust::parse(text) {
        Ok(trust) => assert_eq!(Trust::parse(&trust.to_string()).unwrap(), trust),
        Err(error) => {
            assert!(error.line.is_none_or(|line| line <= bytes.iter().filter(|b| **b == b'\n').count() + 1));
        }
    }
}
