//! Entry 0: the charter, the operator's keys, the checkpoint key; or why it founds no log.
//!
//! Whatever is wrong with it founds nothing, void or not: a wrong index or link alone is the operator's fault.

use super::keys::{Holder, Kept};
use super::{Member, Roster, anchor, signing};
use crate::chain::Reason;
use crate::charter::{KeySet, KeySetError, LEVEL, Rules};
use crate::entry::{Pointer, SignedEntry};
use crate::field::{Class, Handle};
use crate::hash::ZEROS;
use crate::key::VerifyingKey;
use crate::key::vkey::{Kind as VkeyKind, Vkey};
use crate::statement::body::Found;
use crate::statement::{Act, Kind};
use std::collections::{BTreeMap, BTreeSet, HashMap};

impl Roster {
    /// Founds the roster on entry 0.
    ///
    /// # Errors
    /// The first reason why the entry founds no log.
    pub fn found(e: &SignedEntry) -> Result<Self, Reason> {
        let found = admissible(e)?;
        let vkey: Vkey = found.vkey.parse().map_err(|error| no(&format!("its checkpoint key: {error}")))?;
        if vkey.name() != found.charter.origin.as_str() || vkey.kind() != VkeyKind::Log {
            return Err(no("its checkpoint key is not a log key of the origin's name"));
        }
        let partners = found.charter.partners.iter();
        let mut roster = Self {
            log: e.id,
            vkeys: vec![(1, vkey.clone())],
            vkey,
            members: partners.map(|p| (p.handle.clone(), Member::announced(p.keys))).collect(),
            last: Pointer { index: 0, leaf: e.leaf },
            unknown: None,
            witnesses: anchor::witnesses(&found.charter.rules),
            registered: HashMap::new(),
            time: e.entry.sequenced_at,
            proposals: BTreeMap::new(),
            suspended: BTreeSet::new(),
            rules_set_by: e.id,
            operator_set_by: e.id,
            charter: found.charter.clone(),
        };
        roster.register_other_keys()?;
        roster.take_operator(e, &found.keys)?;
        Ok(roster)
    }

    /// Witness keys and the checkpoint key may be nobody's statement key.
    fn register_other_keys(&mut self) -> Result<(), Reason> {
        self.registered.insert(self.vkey.key().to_bytes(), Holder::Checkpoint);
        for key in witness_keys(&self.charter.rules).map_err(|what| no(&what))? {
            if self.registered.insert(key.to_bytes(), Holder::Witness).is_some() {
                return Err(no("a witness's key serves twice"));
            }
        }
        Ok(())
    }

    fn take_operator(&mut self, e: &SignedEntry, keys: &KeySet) -> Result<(), Reason> {
        let operator = Handle::operator();
        let mut member = Member::announced(keys.digest(&operator));
        match self.admit_set(&operator, keys, Kept::None) {
            Ok(in_force) => {
                signing::all_signed(e, &in_force)?;
                self.register(&operator, &in_force);
                member.in_force = Some(in_force);
            }
            Err(Reason::KeySet { error: KeySetError::Algorithm { .. } }) if self.charter.level > LEVEL => {
                self.lose(0, e.statement.kind, super::motions::LATER_ALGORITHM);
            }
            Err(reason) => return Err(reason),
        }
        member.chain.advance(e.id);
        member.remember(e.entry.sequenced_at);
        self.members.insert(operator, member);
        Ok(())
    }
}

fn no(what: &str) -> Reason {
    Reason::NoFounding { what: what.to_owned() }
}

/// What entry 0 must be, its keys apart.
fn admissible(e: &SignedEntry) -> Result<&Found, Reason> {
    let s = &e.statement;
    if s.kind != Kind::Found.number() || s.class() != Class::Govern || !s.author.is_operator() {
        return Err(no("it is not the operator's \"found\""));
    }
    if (s.log, s.seq, s.prev, s.seen.size, s.seen.leaf) != (ZEROS, 0, ZEROS, 0, ZEROS) {
        return Err(no("log, seq, prev and seen must be zero in statement 0"));
    }
    if e.entry.roster != Pointer::default() {
        return Err(Reason::GovernPointer { got: e.entry.roster, want: Pointer::default() });
    }
    if e.entry.sequenced_at > s.expires_at {
        return Err(Reason::Expired { at: e.entry.sequenced_at, expires: s.expires_at });
    }
    let found = match e.act() {
        Ok(Act::Found(found)) => found,
        Ok(_) => return Err(no("its body is another act's")),
        Err(error) => return Err(Reason::KeyBody { what: error.to_string() }),
    };
    found.charter.check().map_err(|error| Reason::Charter { error })?;
    // Authentic and void, it would advance the operator's chain and do nothing else: no log.
    if !found.charter.rules.expiry_fits(s.issued_at, s.expires_at) {
        return Err(no(&Reason::LongestExpiry.to_string()));
    }
    Ok(found)
}

/// The keys of the witnesses that the rules name.
pub(super) fn witness_keys(rules: &Rules) -> Result<Vec<VerifyingKey>, String> {
    let mut keys = Vec::new();
    for text in rules.witnesses.iter().flat_map(|w| &w.vkeys) {
        let vkey: Vkey = text.parse().map_err(|error| format!("witness {text}: {error}"))?;
        if vkey.kind() != VkeyKind::Cosignature {
            return Err(format!("witness {text}: not a cosignature key (type 0x04)"));
        }
        if keys.contains(vkey.key()) {
            return Err(format!("witness {text}: the key serves twice"));
        }
        keys.push(*vkey.key());
    }
    Ok(keys)
}
