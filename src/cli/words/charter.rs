//! The charter, its rules and key sets in words.

use super::count;
use super::page::{Page, listed};
use super::terms::{annexes, clause, labels};
use crate::cli::plain::{quoted, word};
use servanda::charter::rules::{Disputes, IncidentQuorum};
use servanda::charter::{Aspect, Charter, KeySet, Officer, Rules};
use servanda::codec::List;
use servanda::field::Class;
use servanda::hash::sha256;
use servanda::key::openssh::PublicLine;
use servanda::key::{ED25519, VerifyingKey};
use servanda::text::{base64, from_base64};

/// The charter.
pub fn charter(page: &mut Page<'_>, c: &Charter) {
    page.short("origin", &c.origin);
    page.short("title", &c.title);
    page.row("language", word(&c.language));
    page.row("level", c.level.to_string());
    for p in &c.partners {
        let roles = if p.roles.is_empty() { "no role".to_owned() } else { p.roles.to_string() };
        page.row("partner", format!("{}, {}: {roles}; key set digest", p.handle, quoted(&p.name)));
        page.hash("", &p.keys);
    }
    annexes(page, &c.annexes);
    rules(page, &c.rules);
}

/// The rules.
pub fn rules(page: &mut Page<'_>, r: &Rules) {
    page.row(
        "instruments",
        match &r.instruments[..] {
            [] => "military, economic, political, humanitarian".to_owned(),
            own => format!("military, economic, political, humanitarian; and of its own: {}", labels(own)),
        },
    );
    for kind in &r.incident_kinds {
        page.row("incident", format!("{}, defined as", quoted(&kind.label)));
        page.text_if("", Some(&kind.definition));
        if let Some(c) = &kind.breaches {
            clause(page, "  breaches", c);
        }
    }
    page.row("established", incident_quorum(&r.incident_quorum));
    let share = r
        .motions
        .share
        .map_or("more than half".to_owned(), |(of, all)| format!("more than half, and at least {of}/{all},"));
    page.row("motions", format!("carried by {share} of the partners, never fewer than {}", r.motions.floor));
    let acceptance = if r.pledges.need_acceptance { "once accepted" } else { "at once, without acceptance" };
    page.row("pledges", format!("in force {acceptance}"));
    page.row("tolerance", format!("\"about\" may be missed by the fraction {}", r.pledges.tolerance));
    page.row("filing grace", r.pledges.filing_grace.to_string());
    match &r.witnesses {
        None => page.row("witnesses", "none: nobody cosigns checkpoints"),
        Some(w) => {
            page.row("witnesses", format!("at least {} of {} must cosign", w.quorum, w.vkeys.len()));
            for vkey in &w.vkeys {
                page.row("", quoted(vkey));
            }
        }
    }
    page.row("expiry", format!("statements expire {} after their issue at the latest", r.longest_expiry));
}

fn incident_quorum(q: &IncidentQuorum) -> String {
    let disputes = match q.disputes {
        Disputes::Against => "a dispute counts against: it takes one attestation away",
        Disputes::Vetoes => "a single dispute vetoes",
    };
    let roles = if q.roles.is_empty() { "no role".to_owned() } else { q.roles.to_string() };
    let partners = count(q.count, "partner", "partners");
    format!("by {partners} of these roles: {roles}; on: {}; {disputes}", aspects(&q.aspects))
}

/// The word for an aspect.
pub fn aspect(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Occurred => "occurred",
        Aspect::Kind => "kind",
        Aspect::Attribution => "attribution",
        Aspect::Figures => "figures",
        Aspect::Delivered => "delivered",
    }
}

/// Aspects by their names.
pub fn aspects(all: &List<Aspect>) -> String {
    if all.is_empty() {
        "no aspect".to_owned()
    } else {
        listed(all.iter().map(|a| aspect(*a).to_owned()), "and")
    }
}

/// A key set: officers with what they may sign and their keys, and how many must sign.
pub fn key_set(page: &mut Page<'_>, set: &KeySet) {
    for (i, officer) in set.officers.iter().enumerate() {
        self::officer(page, i, officer);
    }
    for &class in Class::ALL {
        let (threshold, holders) = (set.threshold(class), set.holders(class));
        if threshold > 0 || holders > 0 {
            let holders = count(holders, "holder", "holders");
            page.row("threshold", format!("{class}: {threshold} of {holders} must sign"));
        }
    }
}

fn officer(page: &mut Page<'_>, number: usize, o: &Officer) {
    let classes = if o.classes.is_empty() { "nothing".to_owned() } else { o.classes.to_string() };
    page.row(&format!("officer {number}"), format!("{} may sign: {classes}", quoted(&o.title)));
    let algorithm = if o.algorithm == ED25519 { " (Ed25519)" } else { ", which is not known here" };
    page.row("", format!("key of algorithm {}{algorithm}", o.algorithm));
    page.row("", hex::encode(&*o.key));
    if o.algorithm == ED25519 {
        page.row("", fingerprint(&o.key));
    }
}

/// The fingerprint that `ssh-keygen -l` shows for a key: SHA-256 of it as SSH sends it, in base64 without padding.
pub fn fingerprint(key: &[u8]) -> String {
    let key = match VerifyingKey::admit(key) {
        Ok(key) => key,
        Err(error) => return format!("not an admissible key: {error}"),
    };
    let line = PublicLine { key, comment: String::new() }.to_string();
    let blob = line.split(' ').nth(1).and_then(from_base64).expect("a public line holds base64");
    format!("SHA256:{}", base64(&sha256(&blob).0).trim_end_matches('='))
}
