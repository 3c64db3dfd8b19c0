//! Signing apart from publishing: what only witnesses see, and what may take the published checkpoint's place.

use super::*;
use crate::store::Read as _;
use crate::store::memory::Memory;

const ORIGIN: &str = "log.example";

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn leaves(range: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    range.map(|n| n.to_be_bytes().to_vec()).collect()
}

fn writer() -> (Memory, Writer) {
    let store = Memory::new();
    let writer = Writer::create(Box::new(store.reopen()), None).unwrap();
    (store, writer)
}

fn published(store: &Memory) -> Option<String> {
    let note = store.reopen().get(CHECKPOINT, MAX_CHECKPOINT).unwrap()?;
    Some(String::from_utf8(note).unwrap())
}

#[test]
fn what_is_signed_is_published_only_when_it_is_asked_for() {
    let (store, mut writer) = writer();
    writer.append(&leaves(0..3)).unwrap();
    let three = writer.sign(ORIGIN, &key()).unwrap();
    assert_eq!(published(&store), None);
    assert_eq!(writer.published(), 0);
    // Witnesses take their time, and statements do not wait for them.
    writer.append(&leaves(3..300)).unwrap();
    writer.publish_cosigned(&three).unwrap();
    assert_eq!((published(&store), writer.published()), (Some(three.clone()), 3));
    // Everything that the published one commits to is there, whatever came after it.
    assert!(store.reopen().get("public/tile/0/000.p/3", 96).unwrap().is_some());
    let all = writer.sign(ORIGIN, &key()).unwrap();
    assert_eq!(writer.sign(ORIGIN, &key()).unwrap(), all, "the same is signed in the same way");
    writer.publish_cosigned(&all).unwrap();
    assert_eq!(published(&store), Some(all.clone()));
    assert_eq!(store.reopen().list("public/tile/0/000.p").unwrap(), [""; 0], "outgrown tiles go");
    assert!(matches!(writer.publish_cosigned(&three), Err(LogError::Ahead { ahead: 300, size: 3, .. })));
    assert_eq!(published(&store), Some(all));
}

#[test]
fn more_cosignatures_take_the_place_of_fewer() {
    let (store, mut writer) = writer();
    writer.append(&leaves(0..3)).unwrap();
    let note = writer.sign(ORIGIN, &key()).unwrap();
    writer.publish_cosigned(&note).unwrap();
    let more = format!("{note}— witness.example {}\n", crate::text::base64(&[9; 76]));
    writer.publish_cosigned(&more).unwrap();
    assert_eq!(published(&store), Some(more));
    writer.append(&leaves(3..5)).unwrap();
    assert!(writer.publish(ORIGIN, &key()).unwrap().contains("\n5\n"));
}

#[test]
fn a_note_of_another_history_is_not_published() {
    let (store, mut writer) = writer();
    let (_, mut other) = self::writer();
    writer.append(&leaves(0..3)).unwrap();
    other.append(&leaves(1..4)).unwrap();
    let note = other.sign(ORIGIN, &key()).unwrap();
    assert!(matches!(writer.publish_cosigned(&note), Err(LogError::Ahead { ahead: 3, size: 3, .. })));
    other.append(&leaves(4..9)).unwrap();
    let note = other.sign(ORIGIN, &key()).unwrap();
    assert!(matches!(writer.publish_cosigned(&note), Err(LogError::Ahead { ahead: 8, size: 3, .. })));
    assert!(matches!(writer.publish_cosigned("no note\n"), Err(LogError::Checkpoint(_))));
    assert_eq!(published(&store), None);
    writer.append(&leaves(3..4)).unwrap();
}

#[test]
fn whoever_was_overtaken_publishes_nothing() {
    let (store, mut writer) = writer();
    writer.append(&leaves(0..3)).unwrap();
    let note = writer.sign(ORIGIN, &key()).unwrap();
    let mut next = Writer::open(Box::new(store.reopen()), None).unwrap();
    next.append(&leaves(3..5)).unwrap();
    next.publish(ORIGIN, &key()).unwrap();
    assert!(writer.publish_cosigned(&note).is_err());
    assert!(published(&store).unwrap().contains("\n5\n"));
}
