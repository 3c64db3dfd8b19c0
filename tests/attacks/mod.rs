//! Attacks by partners, thieves and operators: what an honest operator refuses, a verifier finds in the log of one who let
//! it in. The two must agree, finding by finding.

#![allow(clippy::unwrap_used)]

mod anchors;
mod framing;
mod keys;
mod motions;
mod operator;
mod partners;
mod proofs;
mod shown;
mod statements;

use crate::support::check_log::verified;
use crate::support::forge::{forge, operate};
use crate::support::small_log::{SmallLog, codes, pledge, terms};
use crate::tamper::witnessed_model as model;
use servanda::chain::Finding;
use servanda::codec::encode;
use servanda::statement::{Act, Signature, Statement};
use servanda::store::memory::Memory;
use servanda::submit::{Operator, SubmitError};
use servanda::verify::{Found, Held};

/// An honest operator of this log.
pub fn operator_of(log: &SmallLog) -> (Operator, Memory) {
    let store = Memory::new();
    (operate(Box::new(store.clone()), log), store)
}

/// What is held against a statement with these signatures: by the operator, who refuses it and stays as it was, and by a
/// verifier, where another operator let it in.
fn held_against(log: &SmallLog, s: &Statement, signatures: &[Signature]) -> Vec<&'static str> {
    let (mut operator, store) = operator_of(log);
    let (before, head) = (store.objects(), operator.history().head());
    let refused = match operator.admit(&encode(s), signatures, log.now) {
        Err(SubmitError::Refused(findings)) => findings,
        Ok(_) => vec![],
        Err(other) => panic!("{other}"),
    };
    assert!(refused.is_empty() || operator.history().head() == head);
    assert_eq!(store.objects(), before, "nothing is stored");

    let mut let_in = log.clone();
    let_in.push_entry(&log.sequence(s, signatures.to_vec()));
    let policy = log.policy(false);
    let held = Held { policy: Some(&policy), log: Some(log.log_id()), checkpoint: None };
    let found = verified(&Memory::holding(forge(let_in.leaves())), held).0;
    let entries: Vec<Finding> = found
        .into_iter()
        .map(|found| match found {
            Found::Entry(finding) => finding,
            Found::Object(finding) => panic!("{finding}"),
        })
        .collect();
    assert_eq!(entries, refused, "operator and verifier agree");
    assert!(entries.iter().all(|f| f.index == log.size()));
    codes(&entries)
}

/// The same of what `author` would say, signed as these officers with the keys of these names.
fn said_by(log: &SmallLog, author: &str, act: Act, signers: &[(u8, &str)]) -> Vec<&'static str> {
    let statement = log.draft(author, act);
    held_against(log, &statement, &log.sign_as(&statement, signers))
}

fn a_pledge() -> Act {
    pledge(&["ua"], terms("everything"))
}
