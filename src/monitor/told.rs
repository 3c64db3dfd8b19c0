//! Sentences: news of the ledger, and findings of the audit, as alerts.
//!
//! Honest words: what is not on record is said not to be on record, what somebody says is said to be said.

use super::alert::{Alert, Kind};
use crate::chain::{Effect, Finding, Reason};
use crate::field::{Handle, Instant};
use crate::ledger::answers::{Happened, News};

/// The alert that brings a piece of news.
pub(super) fn news(news: News, at: Instant) -> Alert {
    let mut sentence = sentence(&news);
    if news.exercise {
        sentence.insert_str(0, "exercise: ");
    }
    let subject = news.key.clone();
    Alert { news: Some(Box::new(news.clone())), ..Alert::new(Kind::News(news.what), subject, sentence, at) }
}

fn sentence(news: &News) -> String {
    let by = all(&news.by);
    let to = if news.to.is_empty() { String::new() } else { format!(" towards {}", all(&news.to)) };
    let deadline = news.deadline.map_or(String::new(), |at| format!(", by {at}"));
    let what = thing(news);
    let how = news.how.unwrap_or_default().replace('_', " ");
    match news.what {
        Happened::Pledged => format!("{by} pledged{to}: {what}"),
        Happened::Recorded => format!("{by} recorded a commitment{to}: {what}"),
        Happened::InForce => format!("{what} of {by} is in force{to}"),
        Happened::Withdrawn => match news.deadline {
            Some(at) => format!("{by} withdrew from {what}{to}, with effect from {at} at the latest"),
            None => format!("{by} withdrew from {what}{to}"),
        },
        Happened::IncidentEstablished => {
            format!("incident {} is established, as {by} reported it", news.about.short())
        }
        Happened::CalledUpon => format!("{by}: called upon{to}, under {what}{deadline}"),
        Happened::DueSoon => format!("{by}: due soon{to}, under {what}{deadline}"),
        Happened::Overdue => format!("no delivery by {by} on record{to}, under {what}{deadline}"),
        Happened::Responded => format!("{by} says of {what}: {how}"),
        Happened::Confirmed => format!("{by} says of what was delivered under {what}: {how}"),
        Happened::Contested => format!("{by} disputes {what}"),
    }
}

/// What it is about: title and id, as far as they are known.
fn thing(news: &News) -> String {
    let id = news.about.short();
    match (&news.title, &news.reference) {
        (Some(title), _) => format!("\"{}\" ({id})", title.as_str()),
        (None, Some(reference)) => format!("\"{}\" ({id})", reference.as_str()),
        (None, None) => id,
    }
}

fn all(handles: &[Handle]) -> String {
    handles.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The alert about a bad entry.
pub(super) fn finding(finding: &Finding, at: Instant) -> Alert {
    let id = finding.id.map_or_else(|| "undecodable".to_owned(), |id| id.to_string());
    let subject = format!("entry {} {} {id}", finding.index, finding.reason.code());
    Alert::new(kind(&finding.reason), subject, finding.to_string(), at)
}

fn kind(reason: &Reason) -> Kind {
    match (reason, reason.effect()) {
        (Reason::Seq { got, want }, _) if got > want => Kind::MissingStatement,
        (Reason::Prev { .. }, _) => Kind::MissingStatement,
        // The operator signed both.
        (Reason::AnchorRoot { .. }, _) => Kind::Fork,
        (Reason::SeenOther { .. } | Reason::GovernSeenOther { .. }, _) => Kind::SeenOther,
        (_, Effect::Unauthentic) => Kind::Unauthentic,
        (_, Effect::OperatorsFault) => Kind::OperatorsFault,
        (_, Effect::Void | Effect::Seen | Effect::Log) => Kind::VoidAct,
    }
}
