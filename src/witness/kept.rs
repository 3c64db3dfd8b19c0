//! What a log signed, and the witness refused: kept, so that it can be shown.
//!
//! Two checkpoints of one size with different roots, both signed by the log, prove a fork to anyone: `servanda check ONE
//! OTHER` says so, and with a roster file beside them it writes evidence. A checkpoint that came without a proof that holds
//! proves nothing yet, since anyone can send a log's checkpoint with a wrong proof: it is kept for `servanda verify
//! --since`, apart, so that such ones cannot use up the room for the others.

use super::folder;
use super::judge::{Admitted, Refusal};
use crate::checkpoint::{Claim, SignedCheckpoint};
use crate::hash::Hash;
use crate::store::{Store, StoreError};

/// The most checkpoints of each kind that are kept of one log.
pub const EVIDENCE_MAX: usize = 1000;

/// What was kept of a refused request.
#[derive(Debug)]
pub enum Kept {
    /// Nothing: there is nothing against the log in it.
    Nothing,
    /// Two checkpoints that one history cannot have, under these names.
    Fork([String; 2]),
    /// A checkpoint that may be of another history, under this name.
    Unproven(String),
    /// Nothing, since there are [`EVIDENCE_MAX`] already.
    Full,
    /// Nothing, since the storage failed.
    Failed(StoreError),
}

/// Keeps what a refused checkpoint shows, durable; `last` is what `note`, which was cosigned last, says.
pub(super) fn keep(
    store: &dyn Store,
    admitted: &Admitted,
    why: &Refusal,
    last: Option<(u64, Hash)>,
    note: Option<&[u8]>,
) -> Kept {
    let checkpoint = admitted.checkpoint();
    let origin = checkpoint.claim().origin;
    let kept = match note.and_then(|note| SignedCheckpoint::parse(note).ok()) {
        Some(before) if admitted.contradicts(last) => {
            let [one, other] = [&before, checkpoint].map(|each| named(origin, "fork", each));
            let names = [one.0.clone(), other.0.clone()];
            put(store, origin, "fork", vec![one, other]).map(|put| put.then_some(Kept::Fork(names)))
        }
        _ if matches!(why, Refusal::Proof(_)) => {
            let object = named(origin, "unproven", checkpoint);
            let name = object.0.clone();
            put(store, origin, "unproven", vec![object]).map(|put| put.then_some(Kept::Unproven(name)))
        }
        _ => return Kept::Nothing,
    };
    match kept {
        Ok(kept) => kept.unwrap_or(Kept::Full),
        Err(error) => Kept::Failed(error),
    }
}

/// A checkpoint and its name, which says what it is: the same one comes twice under one name.
fn named(origin: &str, kind: &str, checkpoint: &SignedCheckpoint) -> (String, Vec<u8>) {
    let Claim { size, root, .. } = checkpoint.claim();
    let name = format!("private/evidence/{}/{kind}/{size}-{}", folder(origin), hex::encode(root.0));
    (name, checkpoint.as_str().as_bytes().to_vec())
}

/// Puts those that are not there yet; tells whether there was room.
fn put(
    store: &dyn Store,
    origin: &str,
    kind: &str,
    mut objects: Vec<(String, Vec<u8>)>,
) -> Result<bool, StoreError> {
    let there = store.list(&format!("private/evidence/{}/{kind}", folder(origin)))?;
    objects.retain(|(name, _)| there.binary_search(name).is_err());
    if there.len() + objects.len() > EVIDENCE_MAX {
        return Ok(false);
    }
    for object in objects {
        match store.put_all(&[object]) {
            // Someone put the same checkpoint at the same moment, with another line below it.
            Ok(()) | Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}
