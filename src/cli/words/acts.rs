//! Each act in words: a sentence that says what it does, and all the fields of its body.

use super::charter::{aspects, charter, key_set, rules};
use super::count;
use super::page::{Page, listed};
use super::terms::{amount, annexes, document, labels, party, sealable, terms, when};
use crate::cli::plain::{quoted, word};
use servanda::charter::{Document, Sealable};
use servanda::codec::decode;
use servanda::field::Handle;
use servanda::hash::{Hash, sha256};
use servanda::statement::body::{
    Answer, Attest, Motion, Notice, NoticeKind, Obligation, Occasion, Propose, Received, Report, Respond,
    Reveal, Review, Subject, Withdrawn,
};
use servanda::statement::terms::{Bounded, Terms};
use servanda::statement::{Act, MAX_STATEMENT};

/// The sentence on top.
pub fn sentence(page: &Page<'_>, author: &Handle, act: &Act) -> String {
    let who = page.who(author);
    let who = who.strip_prefix("the ").map_or(who.clone(), |rest| format!("The {rest}"));
    format!("{who} {}", predicate(page, act))
}

/// What is done, to stand after the one who does it.
pub fn predicate(page: &Page<'_>, act: &Act) -> String {
    match act {
        Act::Found(f) => format!("founds the log {}", quoted(&f.charter.origin)),
        Act::Accede(a) if a.reservations.is_some() => "accedes to the charter, with reservations".to_owned(),
        Act::Accede(_) => "accedes to the charter".to_owned(),
        Act::Rotate(_) => "replaces its key set".to_owned(),
        Act::Propose(p) => format!("moves {}, and approves it", motion(page, &p.motion)),
        Act::Approve(_) => "approves a motion".to_owned(),
        Act::Anchor(_) => "records a cosigned checkpoint, which fixes the log's time".to_owned(),
        Act::Pledge(p) => format!("pledges to {}{}", page.all(&p.to), titled(&p.terms)),
        Act::Accept(a) if a.reservation.is_some() => {
            format!("accepts {}, with a reservation", count(a.statements.len(), "statement", "statements"))
        }
        Act::Accept(a) => format!("accepts {}", count(a.statements.len(), "statement", "statements")),
        Act::Join(_) => {
            "joins a pledge or amendment: owes it jointly where named there, else the same as an obligation of its own"
                .to_owned()
        }
        Act::Amend(a) => format!("gives new terms to {}, towards {}{}", short(&a.statement), page.all(&a.to), titled(&a.terms)),
        Act::Withdraw(w) => match &w.from {
            Withdrawn::Pledges(ids) => format!("withdraws from {}", count(ids.len(), "pledge", "pledges")),
            Withdrawn::Agreement(_) => "withdraws from all pledges that carry one agreement's annex".to_owned(),
        },
        Act::Notice(n) => format!("gives notice on {}: {}", short(&n.statement), notice(&n.notice)),
        Act::Record(r) => format!(
            "records what {} announced in public towards {}{}",
            party(page, &r.promisor),
            page.all(&r.to),
            titled(&r.terms)
        ),
        Act::Adopt(_) => "adopts a record: it is now a pledge of its own".to_owned(),
        Act::Report(r) => format!("reports {}", reported(r)),
        Act::Attest(a) => format!("attests {} of {}", aspects(&a.aspects), subject(&a.on)),
        Act::Dispute(d) => format!("disputes {} of {}", aspects(&d.aspects), subject(&d.on)),
        Act::Invoke(i) => format!("calls upon {}", count(i.pledges.len(), "pledge", "pledges")),
        Act::Respond(r) => format!("{} {}", answer(&r.answer), obligation_short(&r.obligation)),
        Act::Confirm(c) => format!("{} by the response {}", received(&c.received), short(&c.response)),
        Act::Review(r) => format!("records a review meeting held on {}", r.held_on),
        Act::Reveal(r) => format!("opens the sealed {} of {}", quoted(&r.field), short(&r.statement)),
    }
}

/// The fields of the body.
pub fn body(page: &mut Page<'_>, act: &Act) {
    match act {
        Act::Found(f) => {
            charter(page, &f.charter);
            page.row("charter.toml", "as its founders wrote it, with SHA-256");
            page.hash("", &f.text);
            page.row("vkey", quoted(&f.vkey));
            key_set(page, &f.keys);
        }
        Act::Accede(a) => {
            key_set(page, &a.keys);
            page.text_if("reservations", a.reservations.as_deref());
            annexes(page, &a.annexes);
        }
        Act::Rotate(r) => key_set(page, &r.keys),
        Act::Propose(p) => propose(page, p),
        Act::Approve(a) => page.hash("motion", &a.motion),
        Act::Anchor(a) => match std::str::from_utf8(&a.checkpoint) {
            Ok(note) => page.text_if("checkpoint", Some(note)),
            Err(_) => page.hex("checkpoint", &a.checkpoint),
        },
        Act::Pledge(p) => {
            page.row("to", page.all(&p.to));
            sealable(page, &p.terms);
        }
        Act::Accept(a) => {
            page.hashes("accepted", &a.statements);
            page.text_if("reservation", a.reservation.as_deref());
        }
        Act::Join(j) => page.hash("joined", &j.statement),
        Act::Amend(a) => {
            page.hash("amended", &a.statement);
            page.row("to", page.all(&a.to));
            sealable(page, &a.terms);
        }
        Act::Withdraw(w) => {
            match &w.from {
                Withdrawn::Pledges(ids) => page.hashes("pledges", ids),
                Withdrawn::Agreement(annex) => page.hash("annex SHA-256", annex),
            }
            page.text("text", &w.text);
        }
        Act::Notice(n) => notice_body(page, n),
        Act::Record(r) => {
            page.row("promisor", party(page, &r.promisor));
            page.row("to", page.all(&r.to));
            page.text_if("announced in", Some(&r.source));
            sealable(page, &r.terms);
        }
        Act::Adopt(a) => page.hash("record", &a.record),
        Act::Report(r) => report(page, r),
        Act::Attest(a) => attest(page, a),
        Act::Dispute(d) => {
            let (on, aspects) = (d.on.clone(), d.aspects.clone());
            attest(page, &Attest { on, aspects, text: d.text.clone(), annexes: d.annexes.clone() });
        }
        Act::Invoke(i) => {
            page.hashes("pledges", &i.pledges);
            page.hash_if("incident", i.incident.as_ref());
            page.row("requested", format!("at {}", i.requested_at));
            page.text("text", &i.text);
        }
        Act::Respond(r) => respond(page, r),
        Act::Confirm(c) => {
            page.hash("response", &c.response);
            page.row("received", received_words(&c.received));
            page.text("note", &c.note);
        }
        Act::Review(r) => review(page, r),
        Act::Reveal(r) => reveal(page, r),
    }
}

fn propose(page: &mut Page<'_>, p: &Propose) {
    page.row("lapses", format!("at {}, unless carried before", p.lapses_at));
    match &p.motion {
        Motion::Admit { handle, name, roles, keys } => {
            page.row("handle", handle.as_str());
            page.short("name", name);
            page.row("roles", if roles.is_empty() { "none".to_owned() } else { roles.to_string() });
            page.hash("key set", keys);
        }
        Motion::Suspend { handle } | Motion::Resume { handle } => page.row("partner", page.who(handle)),
        Motion::Rekey { handle, keys, disown_from } => {
            page.row("partner", page.who(handle));
            page.hash("new key set", keys);
            let disowned = disown_from.map_or("none".to_owned(), |from| {
                format!("its statements from entry {from} on: a thief signed them")
            });
            page.row("disowned", disowned);
        }
        Motion::Rules { rules: new, replaces } => {
            page.hash("replaces", replaces);
            rules(page, new);
        }
        Motion::Level { level } => page.row("new level", level.to_string()),
        Motion::Operator { vkey, keys, replaces } => {
            page.row("vkey", quoted(vkey));
            page.hash("key set", keys);
            page.hash("replaces", replaces);
        }
    }
}

/// What is moved, to stand after "moves".
pub fn motion(page: &Page<'_>, motion: &Motion) -> String {
    match motion {
        Motion::Admit { handle, name, .. } => format!("to admit {} ({handle})", word(name)),
        Motion::Suspend { handle } => format!("to suspend {}", page.who(handle)),
        Motion::Resume { handle } => format!("to end the suspension of {}", page.who(handle)),
        Motion::Rekey { handle, .. } => format!("to give {} a new key set", page.who(handle)),
        Motion::Rules { .. } => "to replace the rules".to_owned(),
        Motion::Level { level } => format!("to raise the level to {level}"),
        Motion::Operator { .. } => "to replace the operator".to_owned(),
    }
}

fn notice_body(page: &mut Page<'_>, n: &Notice) {
    page.hash("on", &n.statement);
    page.row("notice", notice(&n.notice));
    page.row_if("effective", n.effective_at.map(|at| format!("at {at}")));
    page.text("text", &n.text);
    annexes(page, &n.annexes);
}

fn notice(kind: &NoticeKind) -> String {
    match kind {
        NoticeKind::NeedMet(n) => format!("need {n} is met"),
        NoticeKind::NeedFailed(n) => format!("need {n} has failed"),
        NoticeKind::Reservation => "reservation".to_owned(),
        NoticeKind::Objection => "objection".to_owned(),
        NoticeKind::Suspended => "suspended".to_owned(),
        NoticeKind::Resumed => "resumed".to_owned(),
        NoticeKind::Clarification => "clarification".to_owned(),
        NoticeKind::Correction => "correction".to_owned(),
    }
}

fn reported(r: &Report) -> String {
    let what = match &r.kinds[..] {
        [] => "an observation".to_owned(),
        kinds => format!("an incident: {}", labels(kinds)),
    };
    if r.exercise { format!("as an exercise, in which nothing is owed, {what}") } else { what }
}

fn report(page: &mut Page<'_>, r: &Report) {
    page.row("kinds", if r.kinds.is_empty() { "none: an observation".to_owned() } else { labels(&r.kinds) });
    page.row("exercise", if r.exercise { "yes: nothing is owed" } else { "no" });
    page.row_if("actor", r.actor.as_ref().map(|p| party(page, p)));
    if !r.against.is_empty() {
        page.row("against", listed(r.against.iter().map(|p| party(page, p)), "and"));
    }
    if !r.place.is_empty() {
        page.short("place", &r.place);
    }
    page.row("time", format!("from {} to {}", when(&r.from), when(&r.to)));
    for (i, f) in r.figures.iter().enumerate() {
        let mut words = format!("{}: {}", quoted(&f.measure), f.value.grouped());
        for (name, text) in [("region", &f.region), ("period", &f.period)] {
            if !text.is_empty() {
                words += &format!(", {name} {}", quoted(text));
            }
        }
        page.row(&format!("figure {i}"), words);
    }
    page.text("text", &r.text);
    annexes(page, &r.annexes);
    page.hash_if("joins", r.joins.as_ref());
    page.hash_if("supersedes", r.supersedes.as_ref());
}

fn attest(page: &mut Page<'_>, a: &Attest) {
    match &a.on {
        Subject::Statement(id) => page.hash("statement", id),
        Subject::Obligation(o) => obligation(page, o),
    }
    page.row("aspects", aspects(&a.aspects));
    page.text("text", &a.text);
    annexes(page, &a.annexes);
}

fn obligation(page: &mut Page<'_>, o: &Obligation) {
    page.hash("obligation of", &o.pledge);
    match &o.occasion {
        Occasion::Due(n) => page.row("occasion", format!("due {n}")),
        Occasion::Call(id) => {
            page.row("occasion", "the call");
            page.hash("", id);
        }
    }
}

fn obligation_short(o: &Obligation) -> String {
    match &o.occasion {
        Occasion::Due(n) => format!("due {n} of {}", short(&o.pledge)),
        Occasion::Call(id) => format!("the call {} upon {}", short(id), short(&o.pledge)),
    }
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Statement(id) => short(id),
        Subject::Obligation(o) => obligation_short(o),
    }
}

fn respond(page: &mut Page<'_>, r: &Respond) {
    obligation(page, &r.obligation);
    page.row(
        "answer",
        match r.answer {
            Answer::Acknowledged => "acknowledged",
            Answer::Delivered => "delivered",
            Answer::Declined => "declined",
        },
    );
    page.row_if("quantity", r.quantity.as_ref().map(amount));
    page.row_if("done", r.done_at.map(|at| format!("at {at}")));
    page.text("note", &r.note);
    annexes(page, &r.annexes);
}

fn answer(answer: &Answer) -> &'static str {
    match answer {
        Answer::Acknowledged => "acknowledges",
        Answer::Delivered => "claims to have delivered on",
        Answer::Declined => "declines",
    }
}

fn received(received: &Received) -> String {
    match received {
        Received::InFull => "confirms in full what was delivered".to_owned(),
        Received::InPart(a) => format!("confirms {} of what was delivered", amount(a)),
        Received::NotReceived => "says that nothing was received of what was delivered".to_owned(),
    }
}

fn received_words(received: &Received) -> String {
    match received {
        Received::InFull => "in full".to_owned(),
        Received::InPart(a) => format!("in part: {}", amount(a)),
        Received::NotReceived => "not received".to_owned(),
    }
}

fn review(page: &mut Page<'_>, r: &Review) {
    page.row("held on", r.held_on.to_string());
    if !r.attendance.is_empty() {
        page.row("attended", labels(&r.attendance));
    }
    for (i, remark) in r.remarks.iter().enumerate() {
        page.row(&format!("remark {i}"), "on the statement");
        page.hash("", &remark.statement);
        page.text_if("", Some(&remark.text));
    }
    for (i, decision) in r.decisions.iter().enumerate() {
        page.text_if(&format!("decision {i}"), Some(decision));
    }
    page.row_if("next on", r.next_on.map(|day| day.to_string()));
    annexes(page, &r.annexes);
}

fn reveal(page: &mut Page<'_>, r: &Reveal) {
    page.hash("statement", &r.statement);
    page.short("field", &r.field);
    page.hash("salt", &r.salt);
    page.row("value", count(r.value.len(), "byte", "bytes") + ", SHA-256");
    page.hash("", &sha256(&r.value));
    opened(page, &r.field, &r.value);
}

/// The value of a sealed field, read by the field's type.
pub fn opened(page: &mut Page<'_>, field: &str, value: &[u8]) {
    let last = field.rsplit('.').next().unwrap_or(field);
    if field == "terms" {
        match decode::<Terms>(value, MAX_STATEMENT) {
            Ok(t) => return terms(page, &t),
            Err(error) => page.row("", format!("which are no terms: {error}")),
        }
    } else if last == "quantity" {
        match decode::<Bounded>(value, MAX_STATEMENT) {
            Ok(q) => return page.row("quantity", super::terms::bounded(&q)),
            Err(error) => page.row("", format!("which is no quantity: {error}")),
        }
    } else if field.contains("annexes.") {
        match decode::<Document>(value, MAX_STATEMENT) {
            Ok(d) => return document(page, "document", &d),
            Err(error) => page.row("", format!("which is no document: {error}")),
        }
    } else {
        page.row("", "of a field that cannot be sealed");
    }
    page.hex("", value);
}

/// The title of terms after a colon, or that they are sealed.
fn titled(terms: &Sealable<Terms>) -> String {
    match terms {
        Sealable::Open(t) => format!(": {}", quoted(&t.title)),
        Sealable::Sealed(_) => " under sealed terms".to_owned(),
    }
}

fn short(id: &Hash) -> String {
    id.short()
}
