//! What a reader waits for: a proof, and the program's start.

use super::{better, made, timed};
use servanda::checkpoint::SignedCheckpoint;
use servanda::client::Client;
use servanda::proof::prove;
use servanda::store::Read;
use servanda::store::dir::open_any;
use std::process::{Command, Stdio};

pub fn proofs_and_start() {
    let size = made::entries();
    let home = made::log(size);
    let store = open_any(&home).unwrap();
    let note = store.get("public/checkpoint", 1 << 20).unwrap().unwrap();
    let signed = SignedCheckpoint::parse(&note).unwrap();
    let (root, note) = (signed.claim().root, String::from_utf8(note.clone()).unwrap());
    // From nothing each time: right edge, tiles, bundle.
    let mut taken: Vec<_> = (0..1000)
        .map(|n: u64| {
            let index = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
            timed(&mut || prove(&mut Client::open(&store, size, root).unwrap(), index, &note).unwrap())
        })
        .collect();
    taken.sort_unstable();
    println!("a proof of one of {size} entries: median {:?}, slowest of 1000 {:?}", taken[500], taken[999]);

    let mut client = Client::open(&store, size, root).unwrap();
    let mut index = 0;
    let taken = timed(&mut || {
        for _ in 0..1000 {
            index = (index + 7_919) % size;
            std::hint::black_box(client.inclusion_proof(index).unwrap());
        }
    });
    println!("an inclusion proof by a client that stays: {:?}", taken / 1000);

    let mut start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        assert!(command.arg("--version").stdout(Stdio::null()).status().unwrap().success());
    };
    let taken = (0..100).map(|_| timed(&mut start)).collect();
    println!("servanda --version: {:.1} ms", better(taken) * 1e3);
}
