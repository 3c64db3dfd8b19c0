//! What changed between the last meeting and now: verdicts and states, amendments field by field;
//! and which statements were entered.

use super::super::history::refers;
use super::super::plain::quoted;
use super::super::words::{self as said, Change as Field, Page};
use super::html::{Html, element, table, text, words};
use super::{Pack, chip, entry};
use servanda::charter::Sealable;
use servanda::client::Client;
use servanda::codec::decode;
use servanda::field::{Class, Handle};
use servanda::hash::Hash;
use servanda::ledger::Said;
use servanda::ledger::answers::{Change, Changed, changes};
use servanda::ledger::pledge::Version;
use servanda::statement::terms::Terms;
use servanda::statement::{Act, MAX_STATEMENT};
use servanda::text::count;
use std::collections::HashSet;

/// The most statements that are named because they were entered since; how many more there are is told.
const NAMED_MAX: usize = 500;

impl Pack<'_> {
    /// The section.
    pub(super) fn changed(&self, client: &mut Client<'_>) -> anyhow::Result<Html> {
        let mut all = changes(&self.before, &self.now);
        // What became of what is owed comes first.
        all.sort_by_key(|change| change.occasion.is_none());
        let none =
            Html::from(element("p").words("Nothing became of anything, and no pledge was made, since then."));
        let moved = if all.is_empty() {
            none
        } else {
            table(
                "changed",
                &["who", "what", "before", "now", "rests on"],
                all.iter().map(|c| self.change(c)),
            )
        };
        Ok(Html::all([moved, self.amended(client)?]))
    }

    fn change(&self, change: &Change) -> Vec<Html> {
        let title = change.title.as_ref().map_or_else(|| words("sealed terms"), |t| text(t));
        let reference = change.reference.as_ref().map(|r| format!("{} · ", quoted(r))).unwrap_or_default();
        let what = change.label.as_ref().map_or(Html::none(), |label| Html::all([words(", "), text(label)]));
        let towards =
            change.towards.as_ref().map_or(String::new(), |to| format!(", towards {}", self.who(to)));
        let (before, now) = match &change.what {
            Changed::New(stands) => (words("—"), Html::all([words("new: "), state(stands)])),
            Changed::State { from, to } => (state(from), state(to)),
            Changed::Version { from, to } => (words(&terms_of(*from)), words(&terms_of(*to))),
            Changed::Owed(verdict) => (words("—"), chip(*verdict, "")),
            Changed::Verdict { from, to } => (chip(*from, ""), chip(*to, "")),
            Changed::NotOwed(verdict) => (chip(*verdict, ""), words("does not fall due any more")),
            Changed::Contested { from, to } => (disputes(*from), disputes(*to)),
            Changed::Opened(what) => (words("sealed"), Html::all([words("revealed: "), text(what)])),
        };
        vec![
            words(&self.all(&change.by)),
            Html::all([words(&reference), title, what, words(&towards)]),
            before,
            now,
            self.cited.cite(&change.rests_on),
        ]
    }

    /// Amendments made since, field by field.
    fn amended(&self, client: &mut Client<'_>) -> anyhow::Result<Html> {
        let names = |handle: &Handle| self.folded.name(handle);
        let page = Page::new(&names);
        let mut parts = Vec::new();
        let shown: HashSet<Hash> =
            self.now.pledges.iter().chain(&self.now.recorded).map(|r| r.pledge).collect();
        for pledge in self.folded.ledger().pledges().iter().filter(|p| shown.contains(&p.said.id)) {
            for (old, new) in pledge.versions.iter().zip(pledge.versions.iter().skip(1)) {
                if new.said.at <= self.since.at || !self.when.has(&new.said) {
                    continue;
                }
                let (Some(before), Some(after)) = (self.terms(client, old)?, self.terms(client, new)?) else {
                    continue;
                };
                let fields = said::changes(&page, (&old.to, &before), (&new.to, &after));
                let title = new.gist().map_or_else(|| words("sealed terms"), |g| text(&g.title));
                let heading =
                    element("h3").words(format!("{} gave new terms to ", self.who(&new.said.by))).add(title);
                let heading = heading.words(", ").add(self.cited.cite(&new.said));
                let accepted = accepted(&page, &new.accepted.keys().cloned().collect::<Vec<_>>());
                let rows = fields.iter().map(field);
                let table = table("fields", &["field", "before", "now"], rows);
                parts.extend([heading.into(), element("p").class("note").words(accepted).into(), table]);
            }
        }
        Ok(Html::all(parts))
    }

    /// The terms of a version: those that its statement carries, with what was revealed since in the seals' place.
    fn terms(&self, client: &mut Client<'_>, version: &Version) -> anyhow::Result<Option<Sealable<Terms>>> {
        let mut terms = self.carried(client, &version.said)?;
        let Some(gist) = version.gist() else { return Ok(terms) };
        if matches!(terms, Some(Sealable::Sealed(_)))
            && let Some(e) = entry(client, version.open_from)?
            && let Ok(Act::Reveal(body)) = e.act()
        {
            terms = decode(&body.value, MAX_STATEMENT).ok().map(Sealable::Open);
        }
        if let Some(Sealable::Open(terms)) = &mut terms {
            terms.quantity = gist.quantity.clone();
            let both = terms.dues.0.iter_mut().zip(&gist.dues);
            both.for_each(|(due, known)| due.quantity = known.quantity.clone());
        }
        Ok(terms)
    }

    fn carried(&self, client: &mut Client<'_>, version: &Said) -> anyhow::Result<Option<Sealable<Terms>>> {
        let Some(e) = entry(client, version.index)? else { return Ok(None) };
        Ok(match e.act() {
            Ok(Act::Pledge(b)) => Some(b.terms.clone()),
            Ok(Act::Record(b)) => Some(b.terms.clone()),
            Ok(Act::Amend(b)) => Some(b.terms.clone()),
            Ok(Act::Adopt(b)) => {
                // The terms of the record as it stood.
                let record = self.folded.ledger().pledge_of(&b.record);
                let last =
                    record.and_then(|r| r.versions.iter().rev().find(|v| v.said.index < version.index));
                let Some(last) = last.map(|v| v.said.clone()) else { return Ok(None) };
                return self.carried(client, &last);
            }
            _ => None,
        })
    }

    /// Names every statement since, of classes 1 to 3; with --for, those by the partner or about what it owes. Gives the
    /// first entry since, and how many statements were too many.
    pub(super) fn name_statements(&self, client: &mut Client<'_>) -> anyhow::Result<(u64, u64)> {
        let mut about: HashSet<Hash> = self.now.pledges.iter().flat_map(|r| [r.id, r.pledge]).collect();
        let responses = self.owed.iter().filter_map(|o| o.obligation).flat_map(|o| o.responses.iter());
        about.extend(responses.map(|r| r.said.id));
        let first = self.first_since(client)?;
        let (mut named, mut more) = (0, 0u64);
        for index in first..self.folded.size() {
            let Some(e) = entry(client, index)? else { continue };
            let concerns = e.act().is_ok_and(|act| refers(act).iter().any(|id| about.contains(id)));
            let wanted = match &self.partner {
                None => !matches!(e.statement.class(), Class::Govern | Class::OperateLog),
                Some(p) => e.statement.author == *p || concerns,
            };
            if !wanted || !self.folded.is_authentic(index) {
                continue;
            }
            if concerns {
                about.insert(e.id);
            }
            if named < NAMED_MAX {
                named += 1;
                self.cited.name(index, &e.id);
            } else {
                more += 1;
            }
        }
        Ok((first, more))
    }

    /// The first entry after the time since which changes are told, found by halving: time only grows, but for a new
    /// operator.
    fn first_since(&self, client: &mut Client<'_>) -> anyhow::Result<u64> {
        let (mut first, mut end) = (0, self.folded.size());
        while first < end {
            let middle = first + (end - first) / 2;
            let after = entry(client, middle)?.is_none_or(|e| e.entry.sequenced_at > self.since.at);
            if after { end = middle } else { first = middle + 1 }
        }
        Ok(first)
    }
}

/// How a pledge stands, which the ledger says as a predicate.
fn state(stands: &str) -> Html {
    text(stands.strip_prefix("is ").unwrap_or(stands))
}

fn terms_of(version: u32) -> String {
    if version == 0 { "the first terms".to_owned() } else { format!("amendment {version}") }
}

fn disputes(n: usize) -> Html {
    words(&if n == 0 { "not contested".to_owned() } else { count(n, "dispute", "disputes") })
}

fn accepted(page: &Page<'_>, by: &[Handle]) -> String {
    if by.is_empty() {
        "Accepted by nobody yet.".to_owned()
    } else {
        format!("Accepted by {}.", page.all(by))
    }
}

fn field(change: &Field) -> Vec<Html> {
    let side = |held: &Option<said::Held>, class: &'static str| match held {
        None => words("—"),
        Some(said::Held::Words(shown)) => element("span").class(class).words(shown).into(),
        Some(said::Held::Text(written)) => {
            let lines = written.split('\n').enumerate();
            let lines = lines.map(|(n, line)| {
                let gap = if n == 0 { Html::none() } else { element("br").into() };
                Html::all([gap, text(line)])
            });
            element("span").class(class).adds(lines).into()
        }
    };
    vec![words(&change.field), side(&change.old, "old"), side(&change.new, "new")]
}
