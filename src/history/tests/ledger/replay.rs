//! Order and restart: folded in one go, in batches, or on from any snapshot, a log gives the same ledger, byte for byte.

use super::world::*;
use crate::codec::{decode_large, encode};
use crate::field::Class;
use crate::history::History;
use crate::history::sample::decoded;
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::*;

/// A log with something of every act.
fn eventful() -> World {
    let mut w = World::new();
    let jointly = Terms { owed_by: OwedBy::Jointly(handles("de fr")), ..due("about 5 EUR", 3) };
    let id = w.pledged(jointly.clone());
    w.say("fr", join(id));
    let own = w.pledged(called(Starts::Either));
    let join = w.say("fr", join(own));
    let amendment = w.say("de", amend(id, "it pl", jointly));
    w.say("pl", accept(&[amendment]));
    let sealed = w.sealed_pledge(&needing());
    w.say("it", accept(&[sealed]));
    w.say("de", reveal(sealed, "terms", &needing()));
    w.say("it", notice(sealed, NoticeKind::NeedMet(0)));
    let recorded = w.say("pl", record("fr", "it", Terms { reference: Some(short("r")), ..terms() }));
    w.say("fr", adopt(recorded));
    let incident = w.attack();
    w.say("fr", Act::Report(Report { joins: Some(incident), ..reported("attack", w.now()) }));
    w.say("fr", dispute(incident));
    let drill = w.say("de", exercise("attack", w.now()));
    w.say("it", invoke(&[own], Some(drill)));
    let response = w.say("de", deliver(on_due(id, 0), "2 EUR"));
    w.say("it", confirm_part(response, "1.5 EUR"));
    w.say("fr", respond(on_call(join, incident), Answer::Declined));
    assert_eq!(w.refused("pl", respond(on_due(id, 0), Answer::Declined)), "not-owed");
    w.log.put_bytes(b"no entry".to_vec());
    w.say("it", notice(own, NoticeKind::Suspended));
    w.carry(Motion::Suspend { handle: handle("pl") }, &["de", "fr"]);
    w.say("de", withdraw(&[own]));
    w.wait_days(5);
    let keys = crate::history::sample::set(&[(50, "GCOB")], [1, 1, 1, 1, 0]).digest(&handle("fr"));
    w.carry(Motion::Rekey { handle: handle("fr"), keys, disown_from: Some(12) }, &["de", "it"]);
    let held_on = "2026-01-05".parse().unwrap();
    let (attendance, remarks, decisions, annexes, next_on) = Default::default();
    w.say("de", Act::Review(Review { held_on, attendance, remarks, decisions, next_on, annexes }));
    w.log.say("de", Class::Observe, &report("ceasefire", w.now()));
    w
}

/// Kept, written, read and taken up again, the ledger apart.
fn again(history: &History) -> History {
    let snapshot = decode_large(&encode(&history.snapshot()), 1 << 24).expect("it was encoded");
    History::resume(snapshot, history.ledger().map(encode).as_deref()).expect("what was kept")
}

fn take(history: &mut History, w: &World, index: usize) {
    let bytes = &w.log.entries[index];
    let decoded = crate::entry::SignedEntry::decode(bytes);
    history.take(bytes, w.log.leaves[index], decoded.as_ref(), &mut &w.log.leaves[..], None);
}

#[test]
fn from_any_snapshot_on_the_same_ledger_follows_byte_for_byte() {
    let w = eventful();
    let (whole, digest) = (encode(w.ledger()), w.ledger().digest());
    let mut history = History::default();
    for index in 0..w.log.entries.len() {
        let mut resumed = again(&history);
        assert!(encode(&resumed.snapshot()) == encode(&history.snapshot()));
        (index..w.log.entries.len()).for_each(|n| take(&mut resumed, &w, n));
        let ledger = resumed.ledger().expect("derived");
        assert!(encode(ledger) == whole && ledger.digest() == digest, "resumed at {index}");
        take(&mut history, &w, index);
    }
    assert!(encode(&history.snapshot()) == encode(&w.log.history.snapshot()));
}

#[test]
fn in_any_batches_with_a_snapshot_after_each_the_same_ledger_follows() {
    let w = eventful();
    for size in 1..12 {
        let mut history = History::default();
        for index in 0..w.log.entries.len() {
            take(&mut history, &w, index);
            if index % size == 0 {
                history = again(&history);
            }
        }
        assert_eq!(history.ledger().expect("derived").digest(), w.ledger().digest(), "batches of {size}");
    }
}

#[test]
fn another_order_is_another_ledger() {
    let mut one = World::new();
    let mut other = one.clone();
    for (w, all) in [(&mut one, ["a", "b"]), (&mut other, ["b", "a"])] {
        for title in all {
            w.say("de", pledge("it", Terms { title: short(title), ..terms() }));
        }
    }
    assert_ne!(one.ledger().digest(), other.ledger().digest());
    assert!(decoded(&one.log.entries[0]).entry.index == 0);
}
