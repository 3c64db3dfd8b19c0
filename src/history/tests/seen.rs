//! What authors say to have seen: in classes 1 to 4 it must fit, in class 0 it is noted.

use crate::chain::{Effect, Reason};
use crate::hash::sha256;
use crate::history::sample::*;
use crate::statement::Head;

/// Reasons of a statement of `fr` that says to have seen this.
fn saw(log: &mut Sample, class: crate::field::Class, seen: Head) -> Vec<Reason> {
    let act = if class == G { rotate(first_set("fr")) } else { adopt(0) };
    let mut draft = log.draft("fr", class, &act);
    draft.statement.seen = seen;
    log.put(&draft)
}

fn head(log: &Sample, size: usize) -> Head {
    Head { size: u64::try_from(size).expect("small"), leaf: log.leaves[size - 1] }
}

#[test]
fn a_head_outside_the_entries_before_makes_a_statement_unauthentic() {
    let mut log = Sample::new();
    for size in [0, 7, 8, u64::MAX] {
        let index = log.size();
        let seen = Head { size, leaf: log.leaves[0] };
        let reasons = saw(&mut log, C, seen);
        if size == 7 && index == 7 {
            unreachable!("the log grows by one each time");
        }
        assert_eq!(reasons, [Reason::SeenRange { size, index }]);
        assert_eq!(effect(&reasons), Effect::Unauthentic);
    }
    let (last, first) = (head(&log, log.leaves.len()), head(&log, 1));
    assert_eq!(saw(&mut log, C, first), []);
    assert_eq!(saw(&mut log, C, last), []);
}

#[test]
fn a_head_before_the_one_seen_last_makes_a_statement_unauthentic() {
    let mut log = Sample::new();
    log.say("fr", C, &adopt(0));
    let (less, same) = (head(&log, 4), head(&log, 5));
    assert_eq!(saw(&mut log, C, less), [Reason::SeenBack { size: 4, before: 5 }]);
    assert_eq!(saw(&mut log, C, same), []);
    // Each class by itself.
    let mut other = log.draft("fr", B, &withdraw());
    other.statement.seen = head(&log, 1);
    assert_eq!(log.put(&other), []);
}

#[test]
fn another_history_makes_a_statement_unauthentic() {
    let mut log = Sample::new();
    for size in [1, 5] {
        let reasons = saw(&mut log, C, Head { size, leaf: sha256(b"other") });
        assert_eq!(reasons, [Reason::SeenOther { size }]);
        assert_eq!(effect(&reasons), Effect::Unauthentic);
    }
}

#[test]
fn what_an_unauthentic_statement_saw_binds_nobody() {
    let mut log = Sample::new();
    let early = head(&log, 1);
    let mut draft = log.draft("fr", C, &adopt(0));
    draft.signers = vec![(0, 21)];
    assert_eq!(log.put(&draft), [Reason::BadSignature { officer: 0 }]);
    assert_eq!(saw(&mut log, C, early), []);
}

#[test]
fn in_class_0_it_is_noted_only_and_the_statement_counts() {
    for (seen, want) in [
        (Head { size: 0, leaf: sha256(b"") }, Reason::GovernSeenRange { size: 0, index: 5 }),
        (Head { size: 6, leaf: sha256(b"") }, Reason::GovernSeenRange { size: 6, index: 5 }),
        (Head { size: 1, leaf: sha256(b"") }, Reason::GovernSeenBack { size: 1, before: 2 }),
        (Head { size: 5, leaf: sha256(b"") }, Reason::GovernSeenOther { size: 5 }),
    ] {
        let mut log = Sample::new();
        assert_eq!(log.chain("fr", G).seen, 2);
        assert_eq!(saw(&mut log, G, seen), std::slice::from_ref(&want));
        assert_eq!(want.effect(), Effect::Seen);
        assert_eq!((log.chain("fr", G).seq, log.history.pointer().index), (2, 5), "{want}");
    }
}

#[test]
fn in_class_0_the_next_is_not_compared_with_one_that_does_not_fit() {
    let mut log = Sample::new();
    let (early, late) = (head(&log, 3), Head { size: 5, leaf: sha256(b"another history") });
    assert_eq!(saw(&mut log, G, late), [Reason::GovernSeenOther { size: 5 }]);
    assert_eq!(saw(&mut log, G, early), [], "compared with the accede, which saw 2");
    let before = head(&log, 2);
    assert_eq!(saw(&mut log, G, before), [Reason::GovernSeenBack { size: 2, before: 3 }]);
}
