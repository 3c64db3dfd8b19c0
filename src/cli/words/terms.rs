//! Terms, documents and the charter's structures in words.

use super::page::{Page, grouped, listed, quoted_list};
use crate::cli::plain::{quoted, word};
use servanda::charter::{Annex, Clause, Document, Sealable, Standing};
use servanda::field::Duration;
use servanda::hash::Hash;
use servanda::statement::body::{Party, When};
use servanda::statement::terms::{
    Amount, Bounded, Due, Force, Need, OwedBy, Quantity, Starts, Terms, Trigger,
};
use servanda::text::count;

/// What stands in the place of a sealed value.
pub fn sealed(seal: &Hash) -> String {
    format!("sealed (cannot be read here): {seal}")
}

/// A quantity with its bound.
pub fn bounded(q: &Bounded) -> String {
    format!("{} {} {}", q.bound.words(), q.amount.grouped(), word(&q.unit))
}

/// A number with its unit.
pub fn amount(a: &Amount) -> String {
    format!("{} {}", a.amount.grouped(), word(&a.unit))
}

/// A quantity, if one is stated.
pub fn quantity(q: &Quantity) -> Option<String> {
    match q {
        Quantity::None => None,
        Quantity::Open(q) => Some(bounded(q)),
        Quantity::Sealed(seal) => Some(sealed(seal)),
    }
}

/// How strongly a pledge binds.
pub fn force(force: Force) -> &'static str {
    match force {
        Force::Binding => "binding",
        Force::Political => "political",
        Force::BestEfforts => "best efforts",
        Force::Target => "target",
    }
}

/// A document's weight.
pub fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Prevailing => "prevailing text",
        Standing::Authentic => "authentic text",
        Standing::Translation => "translation",
        Standing::Extract => "extract",
    }
}

/// A partner, or somebody else.
pub fn party(page: &Page<'_>, party: &Party) -> String {
    match party {
        Party::Handle(handle) => page.who(handle),
        Party::Name(name) => format!("{} (not by handle)", quoted(name)),
    }
}

/// A moment or a day.
pub fn when(when: &When) -> String {
    match when {
        When::Instant(at) => at.to_string(),
        When::Day(day) => format!("{day} (the whole day, UTC)"),
    }
}

/// Where in a document.
pub fn clause(page: &mut Page<'_>, key: &str, clause: &Clause) {
    page.row(key, format!("in annex {}:", clause.annex));
    page.text_if("", Some(&clause.text));
}

/// Documents, numbered as other statements refer to them.
pub fn annexes(page: &mut Page<'_>, annexes: &[Annex]) {
    for (i, annex) in annexes.iter().enumerate() {
        let key = format!("annex {i}");
        match annex {
            Sealable::Sealed(seal) => page.row(&key, sealed(seal)),
            Sealable::Open(document) => self::document(page, &key, document),
        }
    }
}

/// A document by its digest.
pub fn document(page: &mut Page<'_>, key: &str, d: &Document) {
    page.short(key, &d.label);
    page.row("", format!("{}, SHA-256", kind(d)));
    page.hash("", &d.sha256);
}

/// Terms, sealed or open.
pub fn sealable(page: &mut Page<'_>, terms: &Sealable<Terms>) {
    match terms {
        Sealable::Sealed(seal) => page.row("terms", sealed(seal)),
        Sealable::Open(open) => self::terms(page, open),
    }
}

/// Terms, field by field.
pub fn terms(page: &mut Page<'_>, t: &Terms) {
    page.short("title", &t.title);
    page.row_if("reference", t.reference.as_ref().map(|r| quoted(r)));
    page.text("text", &t.text);
    page.row("instruments", instruments(t));
    page.row("quantity", quantity(&t.quantity).unwrap_or_else(|| "none stated".to_owned()));
    page.hash_if("part of", t.within.as_ref());
    page.row("force", force(t.force));
    page.row_if("made on", t.made_on.map(|day| day.to_string()));
    page.text_if("source", t.source.as_deref());
    if let Some(c) = &t.clause {
        clause(page, "clause", c);
    }
    page.row("valid", validity(t));
    page.row("withdrawal", withdrawal(t.notice_period));
    let owed_by = owed_by(page, t);
    page.row("owed by", owed_by);
    if let Some(trigger) = &t.trigger {
        let sentence = self::trigger(page, trigger);
        page.row("condition", sentence);
    }
    page.row_if("response", response(t));
    for (i, one) in t.dues.iter().enumerate() {
        page.row(&format!("due {i}"), due(one));
    }
    for (i, one) in t.needs.iter().enumerate() {
        let need = need(page, one);
        page.row(&format!("need {i}"), need);
    }
    annexes(page, &t.annexes);
}

/// From when until when.
pub fn validity(t: &Terms) -> String {
    let until = t.valid_until.map_or("without end".to_owned(), |at| format!("until {at}"));
    format!("from {}, {until}", t.valid_from)
}

/// Who owes it.
pub fn owed_by(page: &Page<'_>, t: &Terms) -> String {
    match &t.owed_by {
        OwedBy::Author => "its author".to_owned(),
        OwedBy::Jointly(handles) => format!("{}, jointly, once each has joined", page.all(handles)),
    }
}

/// How fast a call is to be answered, if it can be called upon.
pub fn response(t: &Terms) -> Option<String> {
    match t.respond_within {
        Some(within) => Some(format!("due within {within} of the call")),
        None => t.trigger.is_some().then(|| "called upon, no deadline".to_owned()),
    }
}

/// By which means.
pub fn instruments(t: &Terms) -> String {
    use servanda::statement::terms::Instrument;
    let one = |i: &Instrument| match i {
        Instrument::Other(name) => format!("other: {}", quoted(name)),
        known => known.name().to_owned(),
    };
    if t.instruments.is_empty() { "none".to_owned() } else { listed(t.instruments.iter().map(one), "and") }
}

/// When a withdrawal takes effect.
pub fn withdrawal(notice: Duration) -> String {
    if notice == Duration::default() {
        format!("takes effect at once ({notice})")
    } else {
        format!("takes effect {notice} after notice of it")
    }
}

/// The condition as a sentence.
pub fn trigger(page: &Page<'_>, t: &Trigger) -> String {
    let kinds = match &t.kinds[..] {
        [] => "an incident (of no kind named)".to_owned(),
        kinds => {
            format!("an incident of the kind {}", listed(kinds.iter().map(|k| quoted(k)), "or"))
        }
    };
    let against = match &t.against {
        None => "any partner".to_owned(),
        Some(handles) => page.any(handles),
    };
    let incident = format!("{kinds} against {against}");
    let requesters = match &t.requesters[..] {
        [] => "whoever it is pledged to".to_owned(),
        named => page.any(named),
    };
    let mut out = match t.starts {
        Starts::OnRequest if t.kinds.is_empty() => {
            format!("called on request of {requesters}, without an incident or because of {incident}")
        }
        Starts::OnRequest => format!("called on request of {requesters} once {incident} was reported"),
        Starts::OnceEstablished if t.requesters.is_empty() => {
            format!("called once {incident} is established")
        }
        Starts::OnceEstablished => {
            format!("called once {incident} is established (requesters are named without need: {requesters})")
        }
        Starts::Either => format!(
            "called on request of {requesters} once {incident} was reported, or without a request once it is established"
        ),
    };
    if let Some(kind) = &t.only_after {
        out += &format!(", but only after an incident of the kind {}", quoted(kind));
    }
    if let Some(pledge) = &t.after {
        out += &format!(", and only after this pledge was called: {pledge}");
    }
    out
}

/// One due.
pub fn due(due: &Due) -> String {
    let quantity = quantity(&due.quantity).map_or(String::new(), |q| format!(", {q}"));
    format!("{} by {}{quantity}", quoted(&due.label), due.by)
}

/// One need.
pub fn need(page: &Page<'_>, need: &Need) -> String {
    let due = need.due.map_or(String::new(), |at| format!(", by {at}"));
    format!("{}, declared by {}{due}", quoted(&need.label), page.who(&need.declared_by))
}

/// One document in one line.
pub fn annex(annex: &Annex) -> String {
    match annex {
        Sealable::Sealed(seal) => sealed(seal),
        Sealable::Open(d) => format!("{}, {}, SHA-256 {}", quoted(&d.label), kind(d), d.sha256),
    }
}

/// What a document is, beside its label and digest.
fn kind(d: &Document) -> String {
    let (media, language, standing) = (word(&d.media_type), word(&d.language), standing(d.standing));
    format!("{media}, language {language}, {standing}, {}", count(grouped(d.size), "byte", "bytes"))
}

/// Short texts, or that there are none.
pub fn labels(texts: &[servanda::field::Short]) -> String {
    if texts.is_empty() { "none".to_owned() } else { quoted_list(texts.iter().map(|t| &**t)) }
}
