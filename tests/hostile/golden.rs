//! The golden log of `docs/vectors.json`, as far as claims are held against it: its leaves, what they add up to, and what
//! its operator signed.

use serde_json::Value;
use servanda::chain::Finding;
use servanda::client::Client;
use servanda::codec::encode;
use servanda::draft::Draft;
use servanda::entry::{Entry, SignedEntry, VERSION};
use servanda::hash::{Hash, leaf_hash};
use servanda::history::History;
use servanda::key::vkey::Vkey;
use servanda::merkle::builder::TileBuilder;
use servanda::merkle::bundle;
use servanda::merkle::tile::{TILE_WIDTH, bundles};
use servanda::policy::Policy;
use servanda::store::memory::Memory;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// The log.
pub static LOG: LazyLock<Golden> = LazyLock::new(Golden::read);

/// A log that is known.
pub struct Golden {
    /// Its id.
    pub id: Hash,
    /// The leaves' data.
    pub leaves: Vec<Vec<u8>>,
    /// The leaf hashes.
    pub hashes: Vec<Hash>,
    /// What follows from the first 0, 1, 2 … leaves.
    pub histories: Vec<History>,
    /// The checkpoint of all of them, signed by the log alone.
    pub checkpoint: String,
    /// The same, cosigned.
    pub cosigned: String,
    /// The log's key, and the witness's.
    pub vkeys: [Vkey; 2],
    /// A proof file.
    pub proof: String,
}

impl Golden {
    /// What is found where a statement comes next; none where it fits no entry.
    pub fn found_next(&self, draft: Draft) -> Option<Vec<Finding>> {
        let mut history = self.history().clone();
        let entry = Entry {
            version: VERSION,
            index: history.head().size,
            link: history.head().leaf,
            roster: history.pointer(),
            sequenced_at: history.times().1,
            statement: draft.statement,
            signatures: draft.signatures,
        };
        let leaf = entry.encode().ok()?;
        let decoded = SignedEntry::decode(&leaf);
        Some(history.take(&leaf, leaf_hash(&leaf), decoded.as_ref(), &mut &self.hashes[..], None))
    }

    fn read() -> Self {
        let text = fs::read(Path::new(super::ROOT).join("docs/vectors.json")).unwrap();
        let vectors: Value = serde_json::from_slice(&text).unwrap();
        let log = &vectors["log"];
        let said = |name: &str| log[name].as_str().unwrap().to_owned();
        let entries = log["entries"].as_array().unwrap().iter();
        let leaves: Vec<_> =
            entries.map(|entry| hex::decode(entry["entry"].as_str().unwrap()).unwrap()).collect();
        let hashes: Vec<_> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let mut histories = vec![History::default()];
        for (leaf, hash) in leaves.iter().zip(&hashes) {
            let mut next = histories[histories.len() - 1].clone();
            assert_eq!(
                next.take(leaf, *hash, SignedEntry::decode(leaf).as_ref(), &mut &hashes[..], None),
                []
            );
            histories.push(next);
        }
        Self {
            id: said("id").parse().unwrap(),
            leaves,
            hashes,
            histories,
            checkpoint: said("checkpoint"),
            cosigned: said("cosigned"),
            vkeys: [said("vkey").parse().unwrap(), said("witness").parse().unwrap()],
            proof: said("proof"),
        }
    }

    /// What follows from all of it.
    pub fn history(&self) -> &History {
        &self.histories[self.leaves.len()]
    }

    /// A policy that accepts the log's checkpoints, cosigned or not.
    pub fn policy(&self, cosigned: bool) -> Policy {
        let [log, witness] = self.vkeys.clone();
        Policy::of(&[log], &[witness], cosigned.then_some(1)).unwrap()
    }
}

/// A log of these leaves as it is stored, without a checkpoint; and its root.
pub fn stored(leaves: &[Vec<u8>]) -> (BTreeMap<String, Vec<u8>>, Hash) {
    let mut builder = TileBuilder::default();
    let mut tiles: Vec<_> = leaves.iter().flat_map(|leaf| builder.push(leaf_hash(leaf))).collect();
    tiles.extend(builder.partial());
    let mut objects: BTreeMap<_, _> =
        tiles.into_iter().map(|tile| (format!("public/{}", tile.path), tile.bytes)).collect();
    let chunks = leaves.chunks(TILE_WIDTH.into());
    for (path, entries) in bundles(leaves.len().try_into().unwrap()).zip(chunks) {
        objects.insert(format!("public/{path}"), bundle::encode(entries).unwrap());
    }
    (objects, builder.root())
}

/// The roster file under the golden log's checkpoint, encoded.
pub static ROSTER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (objects, root) = stored(&LOG.leaves);
    let store = Memory::holding(objects);
    let mut client = Client::open(&store, LOG.history().head().size, root).unwrap();
    encode(&servanda::proof::RosterFile::make(&mut client).unwrap())
});
