//! The rules in `charter.toml`: each may be left out, and has a default then.
//!
//! ```toml
//! [rules]
//! instruments = ["cyber"]                       # besides the four
//! longest_expiry = "30 days"
//! motions = { share = [2, 3], floor = 3 }       # default: more than half
//! pledges = { need_acceptance = true, tolerance = "0.1", filing_grace = "2 hours" }
//!
//! [rules.incident_quorum]                       # these are the defaults
//! count = 2
//! roles = ["guarantor", "beneficiary", "observer"]
//! aspects = ["occurred", "kind"]
//! disputes = "against"
//!
//! [[rules.incident_kinds]]
//! label = "armed-attack"
//! definition = "Use of armed force across the line of contact."
//! breaches = { annex = 0, text = "Article 5" }
//!
//! [rules.witnesses]                             # default: none
//! vkeys = ["witness.example/w1+…", "witness.example/w2+…", "witness.example/w3+…"]
//! quorum = 2
//! ```

use super::keys::Owners;
use super::{At, Owner, Wrong};
use crate::charter::rules::{
    Disputes, IncidentKind, IncidentQuorum, MotionRules, PledgeRules, RulesError, Witnesses,
};
use crate::charter::{Aspect, Rules};
use crate::codec::List;
use crate::field::{Duration, Role, Roles, Short};
use crate::key::vkey::{Kind, Vkey};
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

/// How long a statement may live, where the charter does not say.
const LONGEST_EXPIRY_DAYS: u64 = 30;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRules {
    instruments: List<Short>,
    incident_kinds: Vec<Spanned<IncidentKind>>,
    incident_quorum: Option<Spanned<RawQuorum>>,
    motions: Option<Spanned<MotionRules>>,
    pledges: PledgeRules,
    witnesses: Option<Spanned<RawWitnesses>>,
    longest_expiry: Option<Spanned<Duration>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawQuorum {
    count: u64,
    roles: Roles,
    aspects: List<Aspect>,
    disputes: Disputes,
}

impl Default for RawQuorum {
    fn default() -> Self {
        Self {
            count: 2,
            roles: Role::ALL.iter().copied().collect(),
            aspects: vec![Aspect::Occurred, Aspect::Kind].into(),
            disputes: Disputes::Against,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWitnesses {
    vkeys: Vec<Spanned<Short>>,
    quorum: u64,
}

/// Where the rules stand that may contradict themselves.
pub(super) struct Places {
    kinds: Vec<Range<usize>>,
    quorum: Option<Range<usize>>,
    motions: Option<Range<usize>>,
    witnesses: Option<Range<usize>>,
    longest_expiry: Option<Range<usize>>,
}

impl RawRules {
    /// Fills in the defaults; `annexes` is how many the charter has.
    pub(super) fn fill(self, annexes: usize, owners: &mut Owners) -> Result<(Rules, Places), At> {
        let places = Places {
            kinds: self.incident_kinds.iter().map(Spanned::span).collect(),
            quorum: self.incident_quorum.as_ref().map(Spanned::span),
            motions: self.motions.as_ref().map(Spanned::span),
            witnesses: self.witnesses.as_ref().map(Spanned::span),
            longest_expiry: self.longest_expiry.as_ref().map(Spanned::span),
        };
        for kind in &self.incident_kinds {
            if let Some(clause) = &kind.get_ref().breaches
                && usize::try_from(clause.annex).map_or(true, |annex| annex >= annexes)
            {
                return Err(At::new(kind.span(), Wrong::Clause { annex: clause.annex, of: annexes }));
            }
        }
        let witnesses = self.witnesses.map(|raw| witnesses(raw.into_inner(), owners)).transpose()?;
        let quorum = self.incident_quorum.map(Spanned::into_inner).unwrap_or_default();
        let rules = Rules {
            instruments: self.instruments,
            incident_kinds: self.incident_kinds.into_iter().map(Spanned::into_inner).collect(),
            incident_quorum: IncidentQuorum {
                count: quorum.count,
                roles: quorum.roles,
                aspects: quorum.aspects,
                disputes: quorum.disputes,
            },
            motions: self.motions.map(Spanned::into_inner).unwrap_or_default(),
            pledges: self.pledges,
            witnesses,
            longest_expiry: self
                .longest_expiry
                .map_or(Duration::of_days(LONGEST_EXPIRY_DAYS), Spanned::into_inner),
        };
        Ok((rules, places))
    }
}

impl Places {
    /// Where the rule stands that an error is about.
    pub(super) fn of(&self, error: &RulesError, rules: &Rules) -> Option<Range<usize>> {
        match error {
            RulesError::TooLong(_) => None,
            RulesError::KindTwice(label) => {
                let last = rules.incident_kinds.iter().rposition(|kind| kind.label == *label)?;
                self.kinds.get(last).cloned()
            }
            RulesError::IncidentQuorum => self.quorum.clone(),
            RulesError::Share(..) => self.motions.clone(),
            RulesError::Quorum { .. } => self.witnesses.clone(),
            RulesError::Expiry => self.longest_expiry.clone(),
        }
    }
}

fn witnesses(raw: RawWitnesses, owners: &mut Owners) -> Result<Witnesses, At> {
    for text in &raw.vkeys {
        let checked = text.get_ref().parse::<Vkey>().map_err(Wrong::Vkey).and_then(|vkey| {
            if vkey.kind() != Kind::Cosignature {
                return Err(Wrong::VkeyRole(vkey.name().to_owned()));
            }
            owners.add(vkey.key(), Owner::Witness(vkey.name().to_owned()))
        });
        checked.map_err(|wrong| At::new(text.span(), wrong))?;
    }
    let vkeys = raw.vkeys.into_iter().map(Spanned::into_inner).collect();
    Ok(Witnesses { vkeys, quorum: raw.quorum })
}
