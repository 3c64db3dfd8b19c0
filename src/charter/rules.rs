//! The rules that a charter sets, and a rules motion replaces whole: at most 12,288 bytes encoded.

use super::{Clause, MAX_RULES};
use crate::codec::{List, encode};
use crate::field::{Decimal, Duration, Instant, Long, Roles, Short};
use crate::key::vkey::Vkey;
use serde::{Deserialize, Serialize};

/// The rules of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Instruments besides military, economic, political and humanitarian.
    #[serde(default)]
    pub instruments: List<Short>,
    /// What can be reported as an incident.
    #[serde(default)]
    pub incident_kinds: List<IncidentKind>,
    /// When an incident counts as established.
    pub incident_quorum: IncidentQuorum,
    /// When a motion is carried.
    #[serde(default)]
    pub motions: MotionRules,
    /// How pledges come about and are judged.
    #[serde(default)]
    pub pledges: PledgeRules,
    /// Who cosigns checkpoints, or nobody.
    #[serde(default)]
    pub witnesses: Option<Witnesses>,
    /// How far a statement's `expires_at` may lie past its `issued_at`.
    #[serde(default = "thirty_days")]
    pub longest_expiry: Duration,
}

fn thirty_days() -> Duration {
    Duration::of_days(30)
}

/// A kind of incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentKind {
    /// The word that triggers and reports use.
    pub label: Short,
    /// What counts as one.
    pub definition: Long,
    /// The clause of a charter annex that it breaches.
    pub breaches: Option<Clause>,
}

/// Who must say what before an incident is established.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentQuorum {
    /// How many distinct partners, the reporter included.
    pub count: u64,
    /// Of which roles.
    pub roles: Roles,
    /// On which aspects.
    pub aspects: List<Aspect>,
    /// How a dispute counts.
    pub disputes: Disputes,
}

/// What an attestation or dispute is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// That it happened.
    Occurred,
    /// That it is of the kinds named.
    Kind,
    /// Who did it.
    Attribution,
    /// The figures.
    Figures,
    /// That something was delivered.
    Delivered,
}

/// How a dispute counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disputes {
    /// One dispute takes one attestation away.
    Against,
    /// One dispute is enough to prevent it.
    Vetoes,
}

/// When a motion is carried.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MotionRules {
    /// The share of partners as a fraction of at least one half; none: more than half.
    pub share: Option<(u64, u64)>,
    /// Never fewer partners than this.
    pub floor: u64,
}

/// How pledges come about and are judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PledgeRules {
    /// Whether a pledge is in force only once accepted.
    pub need_acceptance: bool,
    /// How far "about" may be missed, as a fraction: `0.1` is a tenth.
    pub tolerance: Decimal,
    /// How much later than a deadline a timely act may reach the log.
    pub filing_grace: Duration,
}

impl Default for PledgeRules {
    fn default() -> Self {
        Self { need_acceptance: true, tolerance: Decimal::zero(), filing_grace: Duration::default() }
    }
}

/// Who cosigns checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witnesses {
    /// Their vkeys (c2sp.org/signed-note, type 0x04).
    pub vkeys: List<Short>,
    /// How many of them must cosign.
    pub quorum: u64,
}

impl Witnesses {
    /// Their keys with their names; one that is no vkey is in no log's rules.
    pub fn keys(&self) -> impl Iterator<Item = Vkey> {
        self.vkeys.iter().filter_map(|vkey| vkey.parse().ok())
    }
}

/// Why rules cannot be a log's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The encoded rules are too long.
    #[error("the rules have {0} bytes encoded, at most {MAX_RULES} are allowed")]
    TooLong(usize),
    /// Two incident kinds have one label.
    #[error("incident kind {0:?} is defined twice")]
    KindTwice(Short),
    /// Nobody could ever establish an incident.
    #[error("the incident quorum needs a count of at least 1, a role and an aspect")]
    IncidentQuorum,
    /// A share of less than half, of more than all, or of nothing.
    #[error("motions: a share of {0}/{1} is not between one half and one")]
    Share(u64, u64),
    /// More witnesses demanded than there are, or none.
    #[error("witnesses: a quorum of {quorum} of {of} cannot be met or demands nothing")]
    Quorum {
        /// How many must cosign.
        quorum: u64,
        /// How many there are.
        of: usize,
    },
    /// Statements would never expire, or at once.
    #[error("the longest expiry must be more than no time")]
    Expiry,
}

impl Rules {
    /// Checks what rules must satisfy, as far as they alone tell.
    ///
    /// # Errors
    /// [`RulesError`] names the first rule that does not fit.
    pub fn check(&self) -> Result<(), RulesError> {
        let len = encode(self).len();
        if len > MAX_RULES {
            return Err(RulesError::TooLong(len));
        }
        let mut labels = std::collections::HashSet::new();
        if let Some(kind) = self.incident_kinds.iter().find(|k| !labels.insert(k.label.clone())) {
            return Err(RulesError::KindTwice(kind.label.clone()));
        }
        let q = &self.incident_quorum;
        if q.count == 0 || q.roles.is_empty() || q.aspects.is_empty() {
            return Err(RulesError::IncidentQuorum);
        }
        if let Some((of, all)) = self.motions.share
            && (of > all || u128::from(of) * 2 < u128::from(all) || all == 0)
        {
            return Err(RulesError::Share(of, all));
        }
        if let Some(w) = &self.witnesses
            && !(1..=w.vkeys.len()).contains(&usize::try_from(w.quorum).unwrap_or(usize::MAX))
        {
            return Err(RulesError::Quorum { quorum: w.quorum, of: w.vkeys.len() });
        }
        if self.longest_expiry == Duration::default() {
            return Err(RulesError::Expiry);
        }
        Ok(())
    }

    /// Whether a statement of these times stays within the longest expiry.
    #[must_use]
    pub fn expiry_fits(&self, issued_at: Instant, expires_at: Instant) -> bool {
        expires_at <= issued_at.plus(self.longest_expiry)
    }
}
