//! A charter in words, for those who are about to sign it.

use super::screen::Screen;
use super::words::listed;
use servanda::charter::file::Founding;
use servanda::charter::rules::{Disputes, IncidentQuorum, MotionRules, PledgeRules, Rules};
use servanda::charter::{Aspect, Charter, KeySet, Standing};
use servanda::field::{Class, Decimal, Duration};
use servanda::text::count;

/// Shows what is to be founded.
pub fn show(screen: &Screen, founding: &Founding) {
    let charter = &founding.charter;
    screen.say("This founds a log:\n");
    screen.table(&[
        row(["", "origin", charter.origin.as_str()]),
        row(["", "title", &format!("{} ({})", charter.title, charter.language)]),
        row(["", "checkpoints", &format!("signed by {}", founding.vkey)]),
        row(["", "operator", &thresholds(&founding.operator)]),
    ]);
    screen.say("\nPartners, and how many of their officers must sign:\n");
    let partner = |p: &servanda::charter::Partner| {
        let set = founding.partners.get(&p.handle).map(thresholds).unwrap_or_default();
        row(["", p.handle.as_str(), p.name.as_str(), &p.roles.to_string(), &set])
    };
    screen.table(&charter.partners.iter().map(partner).collect::<Vec<_>>());
    annexes(screen, charter);
    screen.say("\nRules:\n");
    let rules = rules(&charter.rules);
    screen.table(&rules.iter().map(|(name, words)| row(["", name, words])).collect::<Vec<_>>());
    screen.say("");
}

/// The cells of a line; an empty one at its start indents it.
fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// Thresholds in words: "2 of 3 govern, 1 of 2 operate".
fn thresholds(set: &KeySet) -> String {
    let held = Class::ALL.iter().filter(|class| set.holders(**class) > 0);
    let words = held.map(|class| format!("{} of {} {class}", set.threshold(*class), set.holders(*class)));
    words.collect::<Vec<_>>().join(", ")
}

fn annexes(screen: &Screen, charter: &Charter) {
    if charter.annexes.is_empty() {
        return;
    }
    screen.say("\nTexts that it binds:\n");
    let text = |(number, annex): (usize, &servanda::charter::Annex)| {
        let document = annex.open()?;
        let standing = match document.standing {
            Standing::Prevailing => "prevailing",
            Standing::Authentic => "authentic",
            Standing::Translation => "translation",
            Standing::Extract => "extract",
        };
        let about = format!("{standing}, {}, {}", document.language, count(document.size, "byte", "bytes"));
        Some(row(["", &number.to_string(), &document.label, &about, &document.sha256.to_string()]))
    };
    screen.table(&charter.annexes.iter().enumerate().filter_map(text).collect::<Vec<_>>());
}

fn rules(rules: &Rules) -> Vec<(&'static str, String)> {
    let mut words = Vec::new();
    if !rules.instruments.is_empty() {
        words.push(("instruments", format!("the four, and {}", join(rules.instruments.iter()))));
    }
    let kinds = &rules.incident_kinds;
    let named =
        if kinds.is_empty() { "none defined".to_owned() } else { join(kinds.iter().map(|k| &k.label)) };
    words.push(("incident kinds", named));
    words.push(("incidents", quorum(&rules.incident_quorum)));
    words.push(("motions", motions(&rules.motions)));
    words.push(("pledges", pledges(&rules.pledges)));
    words.push(("expiry", format!("a statement is sequenced within {} or never", rules.longest_expiry)));
    words.push((
        "witnesses",
        match &rules.witnesses {
            None => "none: nobody outside sees that all are shown the same log".to_owned(),
            Some(witnesses) => {
                format!("{} of {} cosign every checkpoint", witnesses.quorum, witnesses.vkeys.len())
            }
        },
    ));
    words
}

fn motions(rules: &MotionRules) -> String {
    let mut words = "carried by more than half of the partners".to_owned();
    if let Some((of, all)) = rules.share {
        words.push_str(&format!(", and at least {of}/{all} of them"));
    }
    if rules.floor > 1 {
        words.push_str(&format!(", and no fewer than {}", rules.floor));
    }
    words
}

fn quorum(quorum: &IncidentQuorum) -> String {
    let aspect = |aspect: &Aspect| match aspect {
        Aspect::Occurred => "that it occurred",
        Aspect::Kind => "its kind",
        Aspect::Attribution => "who did it",
        Aspect::Figures => "the figures",
        Aspect::Delivered => "what was delivered",
    };
    let disputes = match quorum.disputes {
        Disputes::Against => "each dispute takes one away",
        Disputes::Vetoes => "one dispute prevents it",
    };
    let aspects = listed(quorum.aspects.iter().map(|of| aspect(of).to_owned()), "and");
    let roles = listed(quorum.roles.iter().map(|role| role.name().to_owned()), "or");
    format!(
        "established once {} {aspects}; {disputes}",
        match quorum.count {
            1 => format!("1 partner of role {roles} attests"),
            n => format!("{n} partners of role {roles} attest"),
        }
    )
}

fn pledges(rules: &PledgeRules) -> String {
    let force = if rules.need_acceptance { "in force once accepted" } else { "in force at once" };
    let mut words = force.to_owned();
    if rules.tolerance != Decimal::zero() {
        words.push_str(&format!("; \"about\" may be missed by {} of the quantity", rules.tolerance));
    }
    if rules.filing_grace != Duration::default() {
        words.push_str(&format!("; an act may be filed {} late", rules.filing_grace));
    }
    words
}

fn join(words: impl Iterator<Item = impl ToString>) -> String {
    words.map(|word| word.to_string()).collect::<Vec<_>>().join(", ")
}
