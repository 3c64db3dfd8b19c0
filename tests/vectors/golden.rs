//! Whole proofs, made by an independent implementation in Python: one of its own log, which is made here again byte for
//! byte, one of Tessera's log, one of Sunlight's mirror.

use super::text;
use servanda::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint, open};
use servanda::cosignature::{self, cosign};
use servanda::hash::{Hash, leaf_hash, sha256};
use servanda::key::SigningKey;
use servanda::key::vkey::Vkey;
use servanda::merkle::builder::TileBuilder;
use servanda::merkle::prove::StoredTree;
use servanda::merkle::tile::TilePath;
use servanda::merkle::verify::{verify_consistency, verify_inclusion};
use servanda::note::Note;
use servanda::policy::Policy;
use servanda::text::hash_from_base64;
use servanda::tlog_proof::{CheckError, TlogProof};
use servanda::witness::request::Request;
use servanda::witness::{Refusal, judge};
use std::collections::HashMap;

const ORIGIN: &str = "log.example/audit";

fn leaf(index: u64) -> Hash {
    leaf_hash(format!("entry {index}").as_bytes())
}

fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(&sha256(format!("golden seed {name}").as_bytes()).0)
}

/// The log of 1,000 entries: its tiles, and its root at a size.
fn log() -> (HashMap<TilePath, Vec<u8>>, Hash) {
    let mut builder = TileBuilder::default();
    let mut tiles: HashMap<_, _> =
        (0..1000).flat_map(|index| builder.push(leaf(index))).map(|tile| (tile.path, tile.bytes)).collect();
    tiles.extend(builder.partial().map(|tile| (tile.path, tile.bytes)));
    (tiles, builder.root())
}

#[test]
fn the_full_proof_verifies_and_is_made_again() {
    let Some(file) = text("golden/full-idx613.tlog-proof") else { return };
    let policy: Policy = text("golden/full.policy").unwrap().parse().unwrap();
    let proof = TlogProof::parse(file.as_bytes()).unwrap();
    let verified = proof.verify(&leaf(613), &policy).unwrap();
    assert_eq!((verified.size(), verified.cosigners().len()), (1000, 2));
    assert!(proof.verify(&leaf(614), &policy).is_err());

    let (tiles, root) = log();
    let mut tree = StoredTree::open(|path| tiles.get(&path).cloned().ok_or(()), 1000, root).unwrap();
    let checkpoint = Checkpoint::new(ORIGIN, 1000, root).unwrap();
    let mut note = checkpoint.sign(&key(ORIGIN));
    for cosigner in verified.cosigners() {
        let name = cosigner.vkey.name();
        note += &cosign(name, &key(name), cosigner.time_s, &checkpoint.to_string()).unwrap();
    }
    let path = tree.inclusion_proof(613).unwrap();
    assert_eq!(TlogProof { extra: None, index: 613, path, checkpoint: note }.to_string(), file);
}

#[test]
fn without_one_of_two_cosignatures_the_full_proof_falls() {
    let Some(file) = text("golden/full-idx613.tlog-proof") else { return };
    let policy: Policy = text("golden/full.policy").unwrap().parse().unwrap();
    let mut proof = TlogProof::parse(file.as_bytes()).unwrap();
    let last = proof.checkpoint.trim_end().rfind('\n').unwrap();
    proof.checkpoint.truncate(last + 1);
    let refused = proof.verify(&leaf(613), &policy);
    assert!(matches!(refused, Err(CheckError::Checkpoint(CheckpointError::Quorum { of: 3, .. }))));
    assert!(proof.verify(&leaf(613), &policy.without_quorum()).unwrap().quorum_is_none());
}

#[test]
fn the_request_to_a_witness_has_the_proof_that_is_made_here() {
    let Some(file) = text("golden/add-checkpoint-700-1000.req") else { return };
    let policy: Policy = text("golden/full.policy").unwrap().parse().unwrap();
    let (head, note) = file.split_once("\n\n").unwrap();
    let given: Vec<Hash> = head.lines().skip(1).map(|line| hash_from_base64(line).unwrap()).collect();
    let verified = open(note.as_bytes(), &policy.without_quorum()).unwrap();
    let (tiles, root) = log();
    assert_eq!(verified.root(), root);
    let mut tree = StoredTree::open(|path| tiles.get(&path).cloned().ok_or(()), 1000, root).unwrap();
    assert_eq!(tree.consistency_proof(700).unwrap(), given);
    let old = tree.root_at(700).unwrap();
    assert_eq!(verify_consistency(700, 1000, &old, &root, &given), Ok(()));
}

#[test]
fn a_witness_that_recorded_size_700_cosigns_the_request() {
    let Some(file) = text("golden/add-checkpoint-700-1000.req") else { return };
    let vkey = Vkey::log(ORIGIN, key(ORIGIN).public()).unwrap();
    let logs = format!("logs/v0\nvkey {vkey}\nqpd 1\ncontact nobody\n").parse().unwrap();
    let (tiles, root) = log();
    let mut tree = StoredTree::open(|path| tiles.get(&path).cloned().ok_or(()), 1000, root).unwrap();
    let admitted = judge::admit(file.as_bytes(), &logs).unwrap();
    assert_eq!(admitted.follows(Some((700, tree.root_at(700).unwrap()))), Ok(()));
    assert_eq!(admitted.follows(Some((699, tree.root_at(699).unwrap()))), Err(Refusal::Moved(699)));
    assert_eq!(admitted.follows(Some((700, root))).map_err(|refusal| refusal.status()), Err(422));
    let given: Vec<Hash> = tree.consistency_proof(700).unwrap();
    let (_, note) = file.split_once("\n\n").unwrap();
    assert_eq!(Request::write(700, &given, note), file);
}

#[test]
fn the_proof_from_tesseras_log_verifies() {
    let Some(file) = text("golden/tessera-idx7.tlog-proof") else { return };
    let vkey: Vkey = text("tiles/tessera_testlog/VKEY").unwrap().trim_end().parse().unwrap();
    let policy = Policy::of(&[vkey], &[], None).unwrap();
    let verified = TlogProof::parse(file.as_bytes()).unwrap().verify(&leaf_hash(b"eit"), &policy).unwrap();
    assert!(verified.quorum_is_none());
    assert_eq!(verified.size(), 15);
}

/// The mirror has cosigned what it copied, and the log's own signature is not on it: a policy, which asks for a log,
/// does not accept it. Its parts hold.
#[test]
fn the_proof_from_sunlights_mirror_holds_but_for_the_logs_signature() {
    let Some(file) = text("golden/sunlight-mirror-idx123.tlog-proof") else { return };
    let mirror: Vkey =
        "mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O".parse().unwrap();
    let proof = TlogProof::parse(file.as_bytes()).unwrap();
    let signed = SignedCheckpoint::parse(proof.checkpoint.as_bytes()).unwrap();
    let claim = signed.claim();
    assert_eq!((claim.origin, claim.size), ("rome2026h1.example.org", 300));
    let leaf = leaf_hash(b"record 123");
    assert_eq!(verify_inclusion(proof.index, claim.size, &leaf, &proof.path, &claim.root), Ok(()));
    let note = Note::parse(proof.checkpoint.as_bytes()).unwrap();
    let opened =
        note.open(&[&mirror], |vkey, bytes| cosignature::verify(vkey.key(), note.text(), bytes)).unwrap();
    assert_eq!(opened.verified, [(&mirror, 1_767_139_200)]);

    let log = Vkey::log(claim.origin, key("someone").public()).unwrap();
    let policy = Policy::of(&[log], &[mirror], Some(1)).unwrap();
    let refused = proof.verify(&leaf, &policy);
    assert!(matches!(refused, Err(CheckError::Checkpoint(CheckpointError::NotSigned(_)))));
}
