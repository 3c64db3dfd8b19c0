//! A pledge's history on a terminal: the entries, how it stands, the verdicts, the text that they rest on.
//!
//! ```text
//! entry 9, 2026-12-01T09:09:00Z, 64f0a1c2b3d4: Germany (de) gives new terms to 3f9c02aa77be, …
//!   signed by     "Chancellor" and "Foreign Minister"
//!   quantity      exactly 5 EUR
//!                 → exactly 7 EUR
//! ```

use super::super::plain::{plain, quoted};
use super::super::signatories;
use super::super::words::{self, Change, Held, Page, listed};
use super::{Chapter, Story};
use servanda::charter::{Annex, Sealable, Standing};
use servanda::field::Handle;
use servanda::hash::Hash;
use servanda::ledger::Said;
use servanda::ledger::pledge::{Line, Origin};
use servanda::ledger::verdict::Owed;
use servanda::statement::Act;
use servanda::statement::body::{Answer, Occasion};
use servanda::statement::terms::Terms;

/// What no answer of this log can tell.
pub const NOT_SHOWN: &str =
    "What this log cannot show: what was promised, done or agreed elsewhere, and was never entered here.";

impl Story<'_> {
    /// All of it, line by line.
    pub fn lines(&self) -> Vec<String> {
        let names = |handle: &Handle| self.folded.name(handle);
        let mut page = Page::new(&names);
        self.heading(&mut page);
        for chapter in &self.chapters {
            page.gap();
            chapter.show(&mut page);
        }
        page.gap();
        page.sentence(format!("How it stands at {}", self.folded.when.at));
        self.states(&mut page);
        for owed in self.folded.ledger().owed_under(self.pledge, self.folded.when) {
            page.gap();
            self.owed(&mut page, &owed);
        }
        page.gap();
        page.sentence(NOT_SHOWN);
        for line in self.folded.basis(self.log) {
            page.sentence(line);
        }
        page.finish()
    }

    fn heading(&self, page: &mut Page<'_>) {
        let latest = self.pledge.latest();
        let title = latest.gist().map_or("sealed terms".to_owned(), |g| quoted(&g.title));
        let (by, to) = (page.who(&self.pledge.said.by), page.all(&latest.to));
        page.sentence(match &self.pledge.origin {
            Origin::Recorded { promisor, .. } => {
                let promisor = words::party(page, promisor);
                format!("What {by} recorded of {promisor} towards {to}: {title}")
            }
            Origin::Pledged | Origin::Adopted { .. } => format!("{by} to {to}: {title}"),
        });
        page.hash("id", &self.pledge.said.id);
        page.row_if("reference", latest.gist().and_then(|g| g.reference.as_ref()).map(|r| quoted(r)));
        match &self.pledge.origin {
            Origin::Recorded { adopted: None, .. } => {
                page.row(
                    "standing",
                    "a record: announced in public, not signed by its promisor, never in force",
                );
            }
            Origin::Recorded { adopted: Some(said), .. } => {
                page.row("standing", format!("a record, adopted by its promisor in entry {}", said.index));
                page.hash("", &said.id);
            }
            Origin::Adopted { record } => {
                page.row("adopts", "the record");
                page.hash("", record);
            }
            Origin::Pledged => {}
        }
    }

    fn states(&self, page: &mut Page<'_>) {
        let when = self.folded.when;
        for line in self.pledge.lines() {
            for to in self.pledge.addressees() {
                let state = self.pledge.state(line, to, when);
                let bound = self.pledge.bound_by(line, to, when);
                let terms = bound.map_or(String::new(), |n| {
                    format!(", by the terms of entry {}", self.pledge.version(n).said.index)
                });
                let who = match line {
                    Line::Author => String::new(),
                    Line::Join(_) => format!("as joined by {}: ", page.who(self.pledge.owner(line))),
                };
                let towards = page.who(to);
                page.row("towards", format!("{towards}: {who}{}{terms}", plain(&state.to_string())));
            }
        }
    }

    fn owed(&self, page: &mut Page<'_>, owed: &Owed<'_>) {
        let by = listed(owed.by().into_iter().map(|h| page.who(h)), "and");
        let occasion = match &owed.key.occasion {
            Occasion::Due(n) => format!("Due {n}, {}", quoted(&owed.label())),
            Occasion::Call(id) => format!("The call {}", id.short()),
        };
        let exercise = if owed.is_exercise() { " In an exercise: nothing is owed." } else { "" };
        let (to, verdict) = (page.all(&owed.facet.to), owed.verdict.words());
        page.sentence(format!("{occasion}, owed by {by} to {to}: {verdict}.{exercise}"));
        page.row("rule", owed.why);
        page.row("deadline", owed.deadline.map_or("none".to_owned(), |at| at.to_string()));
        self.grades(page, owed);
        let voices =
            |all: &[&Said]| listed(all.iter().map(|s| format!("{} (entry {})", s.by, s.index)), "and");
        if !owed.attested.is_empty() {
            page.row("attested", format!("by {}", voices(&owed.attested)));
        }
        if !owed.contested.is_empty() {
            page.row("contested", format!("by {}", voices(&owed.contested)));
        }
        if owed.is_disowned() {
            page.row("disowned", "it rests on what was said with stolen keys");
        }
        self.rests_on(page, owed);
    }

    /// What is claimed by the promisor, and what is confirmed by those to whom it is owed.
    fn grades(&self, page: &mut Page<'_>, owed: &Owed<'_>) {
        let when = self.folded.when;
        let claims: Vec<_> = owed.responses(when).filter(|r| r.answer == Answer::Delivered).collect();
        let entries = |all: Vec<u64>| {
            let word = if all.len() == 1 { "entry" } else { "entries" };
            format!("{word} {}", listed(all.iter().map(u64::to_string), "and"))
        };
        let claimed: Vec<u64> = claims.iter().map(|r| r.said.index).collect();
        let heard = |said: &&Said| said.index < when.before && said.at <= when.at;
        let confirmed = claims.iter().flat_map(|r| r.confirmed.values()).map(|c| &c.said).filter(heard);
        let confirmed: Vec<u64> = confirmed.map(|said| said.index).collect();
        let unit = owed.measured.as_ref().map(|m| super::super::plain::word(&m.unit));
        let unit = unit.unwrap_or_default();
        if let Some(m) = &owed.measured {
            page.row("promised", format!("{} {} {unit}", m.bound.words(), m.promised));
        }
        let line = |entries_of: Vec<u64>, sum: Option<String>| match (entries_of.is_empty(), sum) {
            (true, _) => "not recorded".to_owned(),
            (false, Some(sum)) => format!("{sum} {unit}, {}", entries(entries_of)),
            (false, None) => entries(entries_of),
        };
        let sums = owed.measured.as_ref();
        page.row("claimed", line(claimed, sums.map(|m| m.claimed.to_string())));
        page.row("confirmed", line(confirmed, sums.map(|m| m.confirmed.to_string())));
    }

    fn rests_on(&self, page: &mut Page<'_>, owed: &Owed<'_>) {
        let version = self.pledge.version(owed.facet.version);
        page.row("rests on", format!("the terms of entry {}", version.said.index));
        page.hash("", &version.said.id);
        let Some(terms) = self.texts.get(&version.said.id).and_then(Sealable::open) else { return };
        if let Some(clause) = &terms.clause {
            page.row("clause", format!("in annex {}: {}", clause.annex, quoted(&clause.text)));
        }
        for (key, text) in authentic(terms) {
            page.row(&key, text);
        }
    }

    /// The terms of a version, where they stand open.
    pub fn text(&self, id: &Hash) -> Option<&Terms> {
        self.texts.get(id).and_then(Sealable::open)
    }
}

/// The annexes that decide what terms mean: the prevailing texts, else the authentic ones.
pub fn authentic(terms: &Terms) -> Vec<(String, String)> {
    let of = |standing: Standing| {
        let has = move |annex: &Annex| annex.open().is_some_and(|d| d.standing == standing);
        let all = terms.annexes.iter().enumerate().filter(move |(_, annex)| has(annex));
        all.map(|(i, annex)| (format!("annex {i}"), words::annex(annex))).collect::<Vec<_>>()
    };
    let prevailing = of(Standing::Prevailing);
    let decisive = if prevailing.is_empty() { of(Standing::Authentic) } else { prevailing };
    if decisive.is_empty() {
        let none =
            if terms.annexes.is_empty() { "no document is annexed" } else { "no annex is an authentic text" };
        return vec![("text".to_owned(), format!("{none}: these terms are all there is"))];
    }
    decisive
}

impl Chapter {
    fn show(&self, page: &mut Page<'_>) {
        let e = &self.step.entry;
        let Ok(act) = e.act() else { return };
        let said = words::sentence(page, &e.statement.author, act);
        page.sentence(format!(
            "entry {}, {}, {}: {said}.",
            self.step.index,
            e.entry.sequenced_at,
            e.id.short()
        ));
        for rule in &self.step.void {
            page.row("void", plain(rule));
        }
        page.row("signed by", signatories::words(&self.signers));
        match (&self.changes, act) {
            (Some(changes), Act::Amend(_)) if changes.is_empty() => page.row("changes", "nothing"),
            (Some(changes), Act::Amend(_)) => changes.iter().for_each(|change| show_change(page, change)),
            _ => words::body(page, act),
        }
    }
}

fn show_change(page: &mut Page<'_>, change: &Change) {
    if let (Some(Held::Text(_)), _) | (_, Some(Held::Text(_))) = (&change.old, &change.new) {
        let side = |page: &mut Page<'_>, sign: &str, held: &Option<Held>, key: &str| {
            let Some(held) = held else { return };
            let key = if key.is_empty() { format!("{:11}{sign}", "") } else { format!("{key:11}{sign}") };
            page.text_if(&key, Some(held.as_str()));
        };
        side(page, "-", &change.old, &change.field);
        side(page, "+", &change.new, if change.old.is_none() { &change.field } else { "" });
        return;
    }
    let side = |held: &Option<Held>| held.as_ref().map_or("(none)".to_owned(), |h| h.as_str().to_owned());
    page.row(&change.field, side(&change.old));
    page.row("", format!("→ {}", side(&change.new)));
}
