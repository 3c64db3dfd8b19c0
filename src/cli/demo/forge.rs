//! Histories as a dishonest operator builds them: links, roster pointers, tiles, root and checkpoint are all made anew and
//! fit together, and the checkpoint bears the operator's own signature. What it cannot make is other people's signatures.

use super::cast::{Cast, ORIGIN};
use super::play::Door;
use servanda::checkpoint::Checkpoint;
use servanda::codec::{Bytes, List};
use servanda::draft::Draft;
use servanda::entry::{Entry, SignedEntry, VERSION};
use servanda::field::Instant;
use servanda::hash::{Hash, leaf_hash};
use servanda::history::History;
use servanda::key::SigningKey;
use servanda::merkle::builder::TileBuilder;
use servanda::merkle::bundle;
use servanda::merkle::tile::{TILE_WIDTH, bundles};
use servanda::statement::Signature;
use std::fs;
use std::path::Path;

/// A history of the operator's own making.
#[derive(Clone)]
pub struct Forgery {
    history: History,
    entries: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
    log_key: SigningKey,
}

impl Forgery {
    /// An empty one.
    pub fn new(cast: &Cast) -> Self {
        let log_key = cast.log_key.clone();
        Self { history: History::default(), entries: Vec::new(), leaves: Vec::new(), log_key }
    }

    /// Keeps entries as they are.
    pub fn keep(&mut self, entries: &[Vec<u8>]) {
        for bytes in entries {
            self.push(bytes.clone());
        }
    }

    /// Sequences statements of other entries anew, one after the other.
    pub fn sequence_again(&mut self, entries: &[Vec<u8>]) -> anyhow::Result<()> {
        for bytes in entries {
            let e = SignedEntry::decode(bytes)?.entry;
            self.sequence(e.statement, e.signatures, e.sequenced_at)?;
        }
        Ok(())
    }

    /// Sequences a statement as the next entry, whoever signed it.
    pub fn sequence(
        &mut self,
        statement: Bytes,
        signatures: List<Signature>,
        sequenced_at: Instant,
    ) -> anyhow::Result<u64> {
        let head = self.history.head();
        let entry = Entry {
            version: VERSION,
            index: head.size,
            link: head.leaf,
            roster: self.history.pointer(),
            sequenced_at,
            statement,
            signatures,
        };
        self.push(entry.encode()?);
        Ok(head.size)
    }

    /// The last entry alone; none of an empty history.
    pub fn last(&self) -> &[Vec<u8>] {
        &self.entries[self.entries.len().saturating_sub(1)..]
    }

    /// Takes an entry in, whatever others will find.
    fn push(&mut self, bytes: Vec<u8>) {
        let leaf = leaf_hash(&bytes);
        self.history.take(&bytes, leaf, SignedEntry::decode(&bytes).as_ref(), &mut &self.leaves[..], None);
        self.leaves.push(leaf);
        self.entries.push(bytes);
    }

    /// Signs a checkpoint over it.
    pub fn checkpoint(&self) -> anyhow::Result<String> {
        let tree = self.tree();
        Ok(Checkpoint::new(ORIGIN, tree.size(), tree.root())?.sign(&self.log_key))
    }

    /// Publishes it: the same files as an honest log has.
    pub fn publish(&self, folder: &Path, charter: &[u8]) -> anyhow::Result<String> {
        let mut tree = TileBuilder::default();
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let full = self.leaves.iter().flat_map(|leaf| tree.push(*leaf)).collect::<Vec<_>>();
        files.extend(full.into_iter().chain(tree.partial()).map(|tile| (tile.path.to_string(), tile.bytes)));
        for (path, entries) in bundles(tree.size()).zip(self.entries.chunks(TILE_WIDTH.into())) {
            files.push((path.to_string(), bundle::encode(entries)?));
        }
        let note = self.checkpoint()?;
        files.push(("checkpoint".to_owned(), note.clone().into_bytes()));
        files.push(("charter.toml".to_owned(), charter.to_vec()));
        for (name, bytes) in files {
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, bytes)?;
        }
        Ok(note)
    }

    fn tree(&self) -> TileBuilder {
        let mut tree = TileBuilder::default();
        for leaf in &self.leaves {
            tree.push(*leaf);
        }
        tree
    }
}

/// The door into a log that one operator makes up alone.
impl Door for Forgery {
    fn history(&self) -> &History {
        &self.history
    }

    fn admit(&mut self, draft: Draft, now: Instant) -> anyhow::Result<u64> {
        self.sequence(draft.statement, draft.signatures, now)
    }

    fn close(&mut self) -> anyhow::Result<String> {
        self.checkpoint()
    }
}
