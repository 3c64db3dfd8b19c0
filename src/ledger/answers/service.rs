//! Whose keys counted, from which entry to which; who is suspended; which motions are open.

use crate::charter::KeySet;
use crate::codec::Bytes;
use crate::field::{Classes, Handle, Instant, Roles, Short};
use crate::hash::Hash;
use crate::roster::{InForce, Member, Roster};
use crate::statement::body::Motion;
use serde::Serialize;

/// An officer in one key set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfficerRow {
    /// The number in the set.
    pub number: usize,
    /// The title.
    pub title: Short,
    /// The public key, raw.
    pub key: Bytes,
    /// In which classes the officer may sign.
    pub classes: Classes,
}

/// A key set, and from which entry to which it counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetRow {
    /// The entry that brought it, which its own keys signed.
    pub from: u64,
    /// The entry that replaced it, the last one that it could sign; none: in force.
    pub until: Option<u64>,
    /// Its officers.
    pub officers: Vec<OfficerRow>,
    /// How many of them must sign, by class number.
    pub thresholds: [u8; 5],
}

/// One who may sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberRow {
    /// The handle; the operator has one, too.
    pub handle: Handle,
    /// The name for people; none of the operator.
    pub name: Option<Short>,
    /// What it may do; none of the operator.
    pub roles: Option<Roles>,
    /// Whether it is suspended.
    pub suspended: bool,
    /// The digest of the key set that charter or motion announced.
    pub announced: Hash,
    /// The entry that carried the last motion to re-key it.
    pub rekeyed: Option<u64>,
    /// Its key sets, in the order in which they counted; none before it has acceded.
    pub sets: Vec<SetRow>,
}

/// A motion that can still be approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MotionRow {
    /// The id of its propose.
    pub id: Hash,
    /// What is moved.
    pub motion: Motion,
    /// When it lapses.
    pub lapses_at: Instant,
    /// Those whose approvals count now.
    pub approved_by: Vec<Handle>,
    /// How many it takes.
    pub quorum: u64,
}

/// All who may ever sign, or one of them.
#[must_use]
pub fn service(roster: &Roster, only: Option<&Handle>) -> Vec<MemberRow> {
    let wanted = roster.members.iter().filter(|(handle, _)| only.is_none_or(|only| only == *handle));
    wanted.map(|(handle, member)| row(roster, handle, member)).collect()
}

/// The motions that can still be approved, or those of them about one partner.
#[must_use]
pub fn motions(roster: &Roster, about: Option<&Handle>) -> Vec<MotionRow> {
    let open = roster.proposals().filter(|open| {
        let whom = match &open.propose.motion {
            Motion::Admit { handle, .. } => Some(handle),
            other => other.target(),
        };
        about.is_none_or(|about| whom == Some(about))
    });
    let row = |open: crate::roster::Open<'_>| MotionRow {
        id: open.id,
        motion: open.propose.motion.clone(),
        lapses_at: open.propose.lapses_at,
        approved_by: open.approved_by.iter().map(|h| (*h).clone()).collect(),
        quorum: roster.quorum(&open.propose.motion),
    };
    open.map(row).collect()
}

fn row(roster: &Roster, handle: &Handle, member: &Member) -> MemberRow {
    let partner = roster.charter.partner(handle);
    let past = member.past.iter().map(|replaced| set(&replaced.keys, Some(replaced.until)));
    let now = member.in_force.iter().map(|keys| set(keys, None));
    MemberRow {
        handle: handle.clone(),
        name: partner.map(|p| p.name.clone()),
        roles: partner.map(|p| p.roles),
        suspended: roster.is_suspended(handle),
        announced: member.announced,
        rekeyed: member.rekeyed,
        sets: past.chain(now).collect(),
    }
}

fn set(keys: &InForce, until: Option<u64>) -> SetRow {
    let KeySet { officers, thresholds } = &keys.set;
    let officers = (0..).zip(officers.iter()).map(|(number, officer)| OfficerRow {
        number,
        title: officer.title.clone(),
        key: officer.key.clone(),
        classes: officer.classes,
    });
    SetRow { from: keys.since, until, officers: officers.collect(), thresholds: *thresholds }
}
