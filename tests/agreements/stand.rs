//! How things stand at a named moment, past or future: what the ledger must answer, in its own words.
//!
//! ```text
//! TIME  ALB-C24: is in force                              the state of a pledge towards those whom it addresses
//! TIME  ISL-25/0: overdue; by 2025-12-31T23:59:59Z; of at least 4,000,000,000 ISK: claimed none, confirmed none
//!                                                         the verdict, and as much more as is to be compared
//! TIME  FRA-M1/0: not owed                                no obligation
//! TIME  totals: at least 5 EUR, 2 claimed, 1 confirmed; exactly 3 SEK; 1 part; 2 undisclosed; 1 not in force
//! TIME  last day to give notice: DEU-C24 2033-08-16T23:59:59Z
//! ```

use super::play::Play;
use servanda::field::Instant;
use servanda::ledger::answers::{Filter, Item, Status, Sums, What, agenda};
use servanda::ledger::verdict::Owed;
use servanda::ledger::{Ledger, Moment};

/// Whether a line asks how things stand.
pub fn is_question(line: &str) -> bool {
    let subject = line.split_once(": ").map_or("", |(subject, _)| subject);
    matches!(subject, "totals" | "last day to give notice") || (!subject.is_empty() && !subject.contains(' '))
}

/// Asks, and compares.
pub fn check(play: &Play<'_>, now: Instant, line: &str) {
    let ledger = play.log.history().ledger().unwrap();
    let when = Moment::at(now);
    let (subject, want) = line.split_once(": ").unwrap();
    let is = match subject {
        "totals" => totals(ledger, when),
        "last day to give notice" => notices(play, when),
        owed if owed.contains('/') => return check_owed(play, when, owed, want),
        pledge => state(ledger, play, pledge, when),
    };
    assert_eq!(is, want, "{now} {line}");
}

fn state(ledger: &Ledger, play: &Play<'_>, name: &str, when: Moment) -> String {
    let (pledge, line) = ledger.line(&play.id(name)).unwrap();
    let states = pledge.addressees().into_iter().map(|to| pledge.state(line, to, when).to_string());
    let mut states: Vec<String> = states.collect();
    states.dedup();
    states.join("; ")
}

fn check_owed(play: &Play<'_>, when: Moment, name: &str, want: &str) {
    let key = play.obligation(name);
    let ledger = play.log.history().ledger().unwrap();
    let owed = ledger.owed(when).into_iter().find(|owed| owed.key == key);
    let is = owed.map_or_else(|| vec!["not owed".to_owned()], |owed| parts(&owed, when));
    let mut want = want.split("; ");
    assert_eq!(want.next(), is.first().map(String::as_str), "{} {name}: {is:?}", when.at);
    for part in want {
        assert!(is.iter().any(|is| is == part), "{} {name}: {part:?} is not in {is:?}", when.at);
    }
}

/// The verdict, the deadline, the sums, and whether it is contested.
fn parts(owed: &Owed<'_>, when: Moment) -> Vec<String> {
    let mut parts = vec![owed.verdict.words().to_owned()];
    parts.extend(owed.deadline.map(|by| format!("by {by}")));
    if let Some(Sums { bound, unit, promised, claimed, confirmed, .. }) = Sums::of(owed, when) {
        let sum = |sum: Option<servanda::field::Sum>| sum.map_or("none".to_owned(), |sum| sum.to_string());
        let (claimed, confirmed) = (sum(claimed), sum(confirmed));
        parts.push(format!(
            "of {} {promised} {unit}: claimed {claimed}, confirmed {confirmed}",
            bound.words()
        ));
    }
    if !owed.contested.is_empty() {
        parts.push("contested".to_owned());
    }
    parts
}

fn totals(ledger: &Ledger, when: Moment) -> String {
    let status = Status::of(ledger, when, &Filter::default());
    let mut parts = Vec::new();
    for total in &status.totals.by {
        let mut part = format!("{} {} {}", total.bound.words(), total.promised, total.unit);
        part += &total.claimed.as_ref().map_or(String::new(), |sum| format!(", {sum} claimed"));
        part += &total.confirmed.as_ref().map_or(String::new(), |sum| format!(", {sum} confirmed"));
        parts.push(part);
    }
    for (count, what) in [
        (status.totals.parts, "part"),
        (status.totals.undisclosed, "undisclosed"),
        (status.totals.unmeasured, "unmeasured"),
        (status.totals.not_in_force, "not in force"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

/// Until when notice, or an extension, can still be given before a pledge ends.
fn notices(play: &Play<'_>, when: Moment) -> String {
    let (ledger, roster) = (play.log.history().ledger().unwrap(), play.log.history().roster().unwrap());
    let until = "9999-12-31".parse().unwrap();
    let items = agenda(ledger, roster, when, until);
    let line = |item: &Item| match (&item.what, item.by) {
        (What::Notice { .. }, Some(by)) => {
            Some(format!("{} {by}", item.about.as_ref().map_or("", |a| a.as_str())))
        }
        _ => None,
    };
    items.iter().filter_map(line).collect::<Vec<_>>().join("; ")
}
