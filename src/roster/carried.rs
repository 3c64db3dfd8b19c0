//! What a carried motion does to the roster, from the next entry on; and what keeps one from taking effect.
//!
//! ```text
//! admit             a member announced, and a partner in the charter's list
//! suspend, resume   all that the suspended sign is void, but `respond`, `confirm`, and the accede after a re-key
//! re-key            the old set signs nothing, the new one after an accede; 32 statements of class 0 anew; the
//!                   partner's approvals of open motions are gone
//! rules, level      the charter's
//! operator          the key for checkpoints; the operator's old set signs nothing; time starts anew
//! ```
//!
//! The entry that carries the motion is itself judged by what was in force before. What a re-key disowns is for the
//! ledger: it gets [`Carried`], whole.

use super::founding::witness_keys;
use super::keys::{Holder, Member};
use super::{Roster, anchor};
use crate::charter::{Partner, Rules};
use crate::field::{Handle, Instant};
use crate::hash::Hash;
use crate::key::vkey::{Kind as VkeyKind, Vkey};
use crate::statement::Kind;
use crate::statement::Statement;
use crate::statement::body::Motion;
use std::collections::BTreeSet;

/// A motion that an entry carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The id of its propose.
    pub motion: Hash,
    /// What was moved.
    pub what: Motion,
    /// Those whose approvals counted, the last one's included.
    pub approved_by: BTreeSet<Handle>,
}

impl Carried {
    /// Whether the operator is replaced: then the log's time starts anew.
    #[must_use]
    pub fn is_for_operator(&self) -> bool {
        matches!(self.what, Motion::Operator { .. })
    }
}

impl Roster {
    /// Does what a carried motion says; `index` and `at` are those of the entry that carries it.
    pub(super) fn carry(&mut self, index: u64, at: Instant, carried: &Carried) {
        let Carried { motion, what, .. } = carried;
        match what {
            Motion::Admit { handle, name, roles, keys } => {
                self.members.insert(handle.clone(), Member::announced(*keys));
                let partner =
                    Partner { handle: handle.clone(), name: name.clone(), roles: *roles, keys: *keys };
                self.charter.partners.push(partner);
            }
            Motion::Suspend { handle } => {
                self.suspended.insert(handle.clone());
            }
            Motion::Resume { handle } => {
                self.suspended.remove(handle);
            }
            Motion::Rekey { handle, keys, .. } => self.rekey(index, handle, *keys),
            Motion::Rules { rules, .. } => {
                let witnesses = witness_keys(rules).expect("rules that fit name keys");
                self.registered.extend(witnesses.iter().map(|key| (key.to_bytes(), Holder::Witness)));
                self.witnesses = anchor::witnesses(rules);
                self.charter.rules = rules.clone();
                self.rules_set_by = *motion;
            }
            Motion::Level { level } => self.charter.level = *level,
            Motion::Operator { vkey, keys, .. } => {
                let vkey: Vkey = vkey.parse().expect("a vkey that fits is one");
                self.registered.insert(vkey.key().to_bytes(), Holder::Checkpoint);
                self.vkeys.push((index + 1, vkey.clone()));
                self.vkey = vkey;
                self.operator_set_by = *motion;
                let operator = self.members.get_mut(&Handle::operator()).expect("founded with one");
                operator.announce(*keys, index);
                // What has lapsed before time starts anew does not come back.
                self.forget_lapsed();
                self.time = at;
            }
        }
    }

    fn rekey(&mut self, index: u64, handle: &Handle, keys: Hash) {
        let member = self.members.get_mut(handle).expect("a partner is a member");
        member.announce(keys, index);
        member.rekeyed = Some(index);
        let partners = self.charter.partners.iter_mut();
        partners.filter(|p| p.handle == *handle).for_each(|p| p.keys = keys);
        self.withdraw_approvals(handle);
    }

    /// Whether a motion carried by the entry at `index` can take effect.
    pub(super) fn check_applies(&self, index: u64, motion: &Motion) -> Result<(), &'static str> {
        let or = |fits: bool, why| if fits { Ok(()) } else { Err(why) };
        let partner = |handle| or(self.charter.partner(handle).is_some(), "there is no such partner");
        match motion {
            Motion::Admit { roles, .. } if roles.is_empty() => Err("it gives no role"),
            Motion::Admit { handle, .. } => or(!self.members.contains_key(handle), "the handle is taken"),
            Motion::Suspend { handle } => {
                partner(handle)?;
                or(!self.is_suspended(handle), "the partner is suspended already")
            }
            Motion::Resume { handle } => {
                partner(handle)?;
                or(self.is_suspended(handle), "the partner is not suspended")
            }
            Motion::Rekey { handle, disown_from, .. } => {
                partner(handle)?;
                or(disown_from.is_none_or(|from| from <= index), "it disowns what is yet to come")
            }
            Motion::Rules { rules, .. } => or(self.rules_fit(rules), "the rules are not admissible"),
            Motion::Level { level } => or(*level > self.charter.level, "it does not raise the level"),
            Motion::Operator { vkey, .. } => self.vkey_fits(vkey),
        }
    }

    /// Whether rules can replace the log's: their witnesses' keys may serve for nothing else.
    fn rules_fit(&self, rules: &Rules) -> bool {
        let free = |key: &[u8; 32]| matches!(self.registered.get(key), None | Some(Holder::Witness));
        rules.check().is_ok()
            && witness_keys(rules).is_ok_and(|keys| keys.iter().all(|key| free(&key.to_bytes())))
    }

    fn vkey_fits(&self, vkey: &str) -> Result<(), &'static str> {
        let Ok(vkey) = vkey.parse::<Vkey>() else { return Err("the checkpoint key is none") };
        if vkey.kind() != VkeyKind::Log {
            Err("the checkpoint key is not a log key")
        } else if self.vkeys.iter().any(|(_, used)| used.name() == vkey.name()) {
            Err("its origin was used in this log before")
        } else if self.is_registered(vkey.key()) {
            Err("the checkpoint key was registered in this log before")
        } else {
            Ok(())
        }
    }

    /// Whether a partner is suspended: what it signs is void, with few exceptions, and it counts for no quorum.
    #[must_use]
    pub fn is_suspended(&self, handle: &Handle) -> bool {
        self.suspended.contains(handle)
    }

    /// Whether a statement is void because its author is suspended.
    pub(super) fn is_barred(&self, s: &Statement) -> bool {
        let barred = match Kind::from_number(s.kind) {
            Some(Kind::Respond | Kind::Confirm) => false,
            Some(Kind::Accede) => !self.members.get(&s.author).is_some_and(Member::awaits_new_keys),
            _ => true,
        };
        barred && self.is_suspended(&s.author)
    }

    /// The id of the found, or of the propose last carried, that set the rules: what a motion for others must name.
    #[must_use]
    pub fn rules_set_by(&self) -> Hash {
        self.rules_set_by
    }

    /// The id of the found, or of the propose last carried, that set the operator: what a motion for another must name.
    #[must_use]
    pub fn operator_set_by(&self) -> Hash {
        self.operator_set_by
    }
}
