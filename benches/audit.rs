//! Verifying the whole log: all signatures, and `--quick`.

use super::{in_turn, line, made, on};
use rayon::prelude::*;
use servanda::entry::SignedEntry;
use servanda::hash::{Hash, leaf_hash, node_hash};
use servanda::history::History;
use servanda::key::{Claim, VerifyingKey, hold};
use servanda::merkle::builder::TileBuilder;
use servanda::merkle::bundle;
use servanda::merkle::tile::{TILE_WIDTH, bundles};
use servanda::statement::{self, signed_bytes};
use servanda::store::Read;
use servanda::store::dir::open_any;
use servanda::verify::{Audit, Options};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

/// What the floor works on: the same bytes, read and parsed beforehand.
struct Bytes {
    entries: Vec<Vec<u8>>,
    statements: Vec<Vec<u8>>,
    ids: Vec<Hash>,
    signatures: Vec<(VerifyingKey, Vec<u8>)>,
}

impl Bytes {
    fn read(home: &Path, size: u64) -> Self {
        let store = open_any(home).unwrap();
        let keys: HashMap<String, VerifyingKey> = (0..made::AUTHORS)
            .map(|at| format!("p{at:02}"))
            .chain(["operator".to_owned()])
            .map(|name| (name.clone(), made::key(&name).public()))
            .collect();
        let mut bytes =
            Self { entries: Vec::new(), statements: Vec::new(), ids: Vec::new(), signatures: Vec::new() };
        for path in bundles(size) {
            let read = store.get(&format!("public/{path}"), u64::MAX).unwrap().unwrap();
            for entry in bundle::parse(&read, path.width).unwrap() {
                let e = SignedEntry::decode(entry).unwrap();
                let key = keys[e.statement.author.as_str()];
                bytes.entries.push(entry.to_vec());
                bytes.statements.push(e.entry.statement.to_vec());
                bytes.ids.push(e.id);
                bytes.signatures.push((key, e.entry.signatures[0].bytes.to_vec()));
            }
        }
        bytes
    }

    /// Leaf hashes, ids, the tree's nodes.
    fn hashes(&self) -> Hash {
        let width = usize::from(TILE_WIDTH);
        let tile = |(entries, statements): (&[Vec<u8>], &[Vec<u8>])| {
            for statement in statements {
                std::hint::black_box(statement::id(statement));
            }
            fold(entries.iter().map(|entry| leaf_hash(entry)).collect())
        };
        let tiles = self.entries.par_chunks(width).zip(self.statements.par_chunks(width)).map(tile);
        fold(tiles.collect())
    }

    fn signatures(&self) -> bool {
        // In the portions of the audit, with their ids at hand.
        let portions = self.signatures.chunks(1 << 14).zip(self.ids.chunks(1 << 14));
        let mut portions = portions.map(|(signatures, ids)| {
            let messages: Vec<_> = ids.iter().map(signed_bytes).collect();
            let claim = |((key, signature), message): (&'_ (VerifyingKey, Vec<u8>), &'_ [u8; 47])| {
                // Each claim lives as long as its portion.
                (*key, *message, signature.clone())
            };
            let owned: Vec<_> = signatures.iter().zip(&messages).map(claim).collect();
            let claims: Vec<_> = owned
                .iter()
                .map(|(key, message, signature)| Claim { key: *key, message, signature })
                .collect();
            hold(&claims).into_iter().all(|held| held)
        });
        portions.all(|held| held)
    }

    fn len(&self) -> u64 {
        self.entries.iter().map(|entry| entry.len() as u64).sum()
    }
}

/// The nodes over some hashes, level by level: as many as a tree has, whatever its shape.
fn fold(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        hashes =
            hashes.chunks(2).map(|pair| if let [a, b] = pair { node_hash(a, b) } else { pair[0] }).collect();
    }
    hashes[0]
}

fn audit(home: &Path, size: u64, quick: bool, history: History) {
    let store = open_any(home).unwrap();
    let mut findings = 0;
    let mut report = |_| findings += 1;
    let audit = Audit::resume(&store, Options { quick }, history, TileBuilder::default(), &mut report);
    let report = audit.run(size, &|_| {}).unwrap();
    assert_eq!((findings, report.history.head().size), (0, size));
}

pub fn full() {
    let size = made::entries();
    let home = made::log(size);
    let bytes = Bytes::read(&home, size);
    for threads in [1, 2] {
        let ours = || on(threads, || audit(&home, size, false, History::without_ledger()));
        let floor = || on(threads, || assert!(bytes.hashes() != Hash::default() && bytes.signatures()));
        let (ours, floor) = in_turn(4, ours, floor);
        line(&format!("verify, {threads} thread(s)"), size, bytes.len(), ours, floor);
    }
}

pub fn quick() {
    let size = made::entries();
    let home = made::log(size);
    let bytes = Bytes::read(&home, size);
    for threads in [1, 2] {
        let (ours, floor) = in_turn(
            8,
            || on(threads, || audit(&home, size, true, History::without_ledger())),
            || on(threads, || bytes.hashes()),
        );
        line(&format!("verify --quick, {threads} thread(s)"), size, bytes.len(), ours, floor);
    }
}

/// Verifying and folding the ledger, beside verifying alone.
pub fn ledger() {
    let size = made::entries();
    let home = made::log(size);
    for threads in [1, 2] {
        let with = || on(threads, || audit(&home, size, false, History::default()));
        let without = || on(threads, || audit(&home, size, false, History::without_ledger()));
        let (with, without) = in_turn(4, with, without);
        line(&format!("verify with the ledger, {threads} thread(s)"), size, 0, with, without);
    }
}

/// The peak memory of `servanda verify` (which ends with 2, since nothing pins this log), over the log and over one a tenth as long.
pub fn memory() {
    for size in [made::entries() / 10, made::entries()] {
        let home = made::log(size);
        let mut command = Command::new("/usr/bin/env");
        let script = "\"$0\" verify \"$1\" >/dev/null & pid=$!; peak=0; \
                      while line=$(grep VmHWM /proc/$pid/status 2>/dev/null); do peak=$line; sleep 0.05; done; \
                      wait $pid; [ $? = 2 ] && echo $peak";
        command.args(["sh", "-c", script, env!("CARGO_BIN_EXE_servanda")]).arg(&home);
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        println!("verify {size} entries: {}", String::from_utf8_lossy(&ended.stdout).trim());
    }
}
