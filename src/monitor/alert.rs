//! Alerts: what a monitor tells, in four classes that can be routed apart, each alert under an identity of its own.
//!
//! ```text
//! identity = SHA-256("servanda/alert/1\n" || log id [32] || class || "\n" || kind || "\n" || subject)
//! ```
//!
//! A subject is made of what cannot vary while the same thing is seen again: of a fork, the entry where two histories part
//! and its two leaves; of a call, its key in the ledger; of a stale checkpoint, the head that went stale. So what is found
//! twice, after a crash or by two monitors, has one identity, and a new episode has another.

use crate::field::Instant;
use crate::hash::{Hash, labelled};
use crate::ledger::answers::{Happened, News};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// What kind of attention an alert asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Somebody did what the log's rules make impossible to do honestly.
    Misbehaviour,
    /// Something is not there, or not in time.
    Availability,
    /// Something is not as the rules or the verifier ask for, and need not be anybody's ill will.
    Policy,
    /// What the ledger says.
    Information,
}

/// There is no class of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no class of alerts: {0:?}, want misbehaviour, availability, policy or information")]
pub struct NoClass(pub String);

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Misbehaviour, Self::Availability, Self::Policy, Self::Information];

    /// The word for programs, which never changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Misbehaviour => "misbehaviour",
            Self::Availability => "availability",
            Self::Policy => "policy",
            Self::Information => "information",
        }
    }
}

impl FromStr for Class {
    type Err = NoClass;

    fn from_str(text: &str) -> Result<Self, NoClass> {
        let found = Self::ALL.into_iter().find(|class| class.name() == text);
        found.ok_or_else(|| NoClass(text.to_owned()))
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Two histories under one log.
    Fork,
    /// A source went back behind what it gave before.
    Rollback,
    /// A source gives what its checkpoint does not commit to.
    Tampering,
    /// A source's checkpoint is none that the log's operator in force signed.
    Unaccepted,
    /// A statement of an author before this one is missing.
    MissingStatement,
    /// An author saw another history.
    SeenOther,
    /// An entry was let in that does not count.
    Unauthentic,
    /// An entry was sequenced wrongly.
    OperatorsFault,
    /// Another entry was published than was promised.
    BrokenPromise,
    /// A source does not answer, or has no checkpoint.
    Unreachable,
    /// A source's checkpoint is old.
    Stale,
    /// A promise was not kept within a day.
    PromiseLate,
    /// No anchor came for hours, where the log's rules name witnesses.
    AnchorMissing,
    /// A checkpoint lacks the quorum of witnesses.
    NoQuorum,
    /// The partners replaced the operator, and the one before shows another history, which does not stand.
    Replaced,
    /// An act is void.
    VoidAct,
    /// The log's time, or a witness's, is ahead of this monitor's clock.
    ClockAhead,
    /// The log goes beyond what this program understands.
    NotUnderstood,
    /// A promise is expected that this log's operator is not shown to have given.
    UnprovenPromise,
    /// More was found in one round than is told one by one.
    ManyFindings,
    /// A promise was kept.
    PromiseKept,
    /// News of the ledger.
    News(Happened),
}

impl Kind {
    /// Its class.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::Fork
            | Self::Rollback
            | Self::Tampering
            | Self::Unaccepted
            | Self::MissingStatement
            | Self::SeenOther
            | Self::Unauthentic
            | Self::OperatorsFault
            | Self::ManyFindings
            | Self::BrokenPromise => Class::Misbehaviour,
            Self::Unreachable | Self::Stale | Self::PromiseLate | Self::AnchorMissing => Class::Availability,
            Self::NoQuorum
            | Self::Replaced
            | Self::VoidAct
            | Self::ClockAhead
            | Self::NotUnderstood
            | Self::UnprovenPromise => Class::Policy,
            Self::PromiseKept | Self::News(_) => Class::Information,
        }
    }

    /// The word for programs, which never changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Rollback => "rollback",
            Self::Tampering => "tampering",
            Self::Unaccepted => "checkpoint_not_accepted",
            Self::MissingStatement => "missing_statement",
            Self::SeenOther => "seen_other",
            Self::Unauthentic => "unauthentic",
            Self::OperatorsFault => "operators_fault",
            Self::BrokenPromise => "broken_promise",
            Self::Unreachable => "unreachable",
            Self::Stale => "stale",
            Self::PromiseLate => "promise_late",
            Self::AnchorMissing => "anchor_missing",
            Self::NoQuorum => "no_quorum",
            Self::Replaced => "operator_replaced",
            Self::VoidAct => "void_act",
            Self::ClockAhead => "clock_ahead",
            Self::NotUnderstood => "not_understood",
            Self::UnprovenPromise => "unproven_promise",
            Self::ManyFindings => "many_findings",
            Self::PromiseKept => "promise_kept",
            Self::News(happened) => happened.name(),
        }
    }
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What it is about.
    pub kind: Kind,
    /// What tells it from others of its kind.
    pub subject: String,
    /// The same for people, in a sentence. It may hold texts from the log, which whoever shows it must make fit.
    pub sentence: String,
    /// When it was noticed.
    pub at: Instant,
    /// Where, if it is about one source.
    pub source: Option<String>,
    /// The evidence's name in the monitor's state, if there is any.
    pub evidence: Option<String>,
    /// News of the ledger, whole.
    pub news: Option<Box<News>>,
}

impl Alert {
    /// An alert about a log as a whole.
    #[must_use]
    pub fn new(kind: Kind, subject: impl Into<String>, sentence: impl Into<String>, at: Instant) -> Self {
        let (subject, sentence) = (subject.into(), sentence.into());
        Self { kind, subject, sentence, at, source: None, evidence: None, news: None }
    }

    /// Says at which source it was noticed.
    #[must_use]
    pub fn of(self, source: &str) -> Self {
        Self { source: Some(source.to_owned()), ..self }
    }

    /// Its identity among the alerts about a log.
    #[must_use]
    pub fn id(&self, log: &Hash) -> Hash {
        let words = format!("{}\n{}\n{}", self.kind.class(), self.kind.name(), self.subject);
        labelled("servanda/alert/1\n", &[&log.0[..], words.as_bytes()].concat())
    }

    /// The alert for programs, as it is recorded and delivered.
    #[must_use]
    pub fn json(&self, log: &Hash) -> Value {
        json!({
            "id": self.id(log), "log": log, "class": self.kind.class(), "kind": self.kind.name(),
            "subject": self.subject, "text": self.sentence, "at": self.at, "source": self.source,
            "evidence": self.evidence, "exercise": self.news.as_ref().is_some_and(|news| news.exercise),
            "news": self.news,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_of_what_cannot_vary_and_of_that_alone() {
        let (log, other) = (Hash([1; 32]), Hash([2; 32]));
        let alert = Alert::new(Kind::Fork, "entry 7", "one", Instant::default());
        let id = alert.id(&log);
        let later = Instant::from_ms(1_800_000_000_000).expect("an instant");
        let again = Alert { sentence: "two".into(), at: later, evidence: Some("a".into()), ..alert.clone() };
        assert_eq!(again.of("paris").id(&log), id);
        assert_ne!(alert.id(&other), id);
        assert_ne!(Alert { subject: "entry 8".into(), ..alert.clone() }.id(&log), id);
        assert_ne!(Alert { kind: Kind::Rollback, ..alert }.id(&log), id);
        let want = labelled("servanda/alert/1\n", &[&[1; 32][..], b"misbehaviour\nfork\nentry 7"].concat());
        assert_eq!(id, want);
    }

    #[test]
    fn classes_are_read_by_their_names() {
        for class in Class::ALL {
            assert_eq!(class.name().parse(), Ok(class));
        }
        assert_eq!("fork".parse::<Class>(), Err(NoClass("fork".into())));
    }
}
