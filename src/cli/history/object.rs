//! A pledge's history for programs.

use super::super::words;
use super::page::{NOT_SHOWN, authentic};
use super::{Chapter, Story};
use serde_json::{Value, json};
use servanda::ledger::Said;
use servanda::ledger::pledge::Origin;
use servanda::ledger::verdict::Owed;

impl Story<'_> {
    /// All of it.
    pub fn json(&self) -> Value {
        let ledger = self.folded.ledger();
        let owed = ledger.owed_under(self.pledge, self.folded.when);
        let latest = self.pledge.latest();
        json!({
            "pledge": self.pledge.said.id,
            "by": self.pledge.said.by,
            "to": latest.to,
            "title": latest.gist().map(|g| &g.title),
            "reference": latest.gist().and_then(|g| g.reference.as_ref()),
            "origin": match &self.pledge.origin {
                Origin::Pledged => json!("pledged"),
                Origin::Adopted { record } => json!({"adopts": record}),
                Origin::Recorded { promisor, adopted } => {
                    json!({"records": promisor, "adopted": adopted.as_ref().map(|said| said.id)})
                }
            },
            "entries": self.chapters.iter().map(Chapter::json).collect::<Vec<_>>(),
            "stands": self.stands(),
            "obligations": owed.iter().map(|o| self.owed_json(o)).collect::<Vec<_>>(),
            "not_shown": NOT_SHOWN,
            "basis": self.folded.json(self.log),
        })
    }

    fn stands(&self) -> Vec<Value> {
        let (pledge, when) = (self.pledge, self.folded.when);
        let one = |line, to| {
            let state = pledge.state(line, to, when);
            let version = pledge.bound_by(line, to, when).map(|n| pledge.version(n).said.id);
            json!({
                "line": pledge.line_id(line), "owner": pledge.owner(line), "to": to, "state": state.word(),
                "text": state.to_string(), "terms": version,
            })
        };
        pledge.lines().flat_map(|line| pledge.addressees().into_iter().map(move |to| one(line, to))).collect()
    }

    fn owed_json(&self, owed: &Owed<'_>) -> Value {
        let when = self.folded.when;
        let terms = self.pledge.version(owed.facet.version).said.id;
        let responses = owed.responses(when).map(|r| {
            let heard = |said: &Said| said.index < when.before && said.at <= when.at;
            let confirmed = r.confirmed.values().filter(|c| heard(&c.said));
            json!({
                "id": r.said.id, "index": r.said.index, "by": r.said.by, "answer": r.answer, "quantity": r.quantity,
                "done_at": r.done_at,
                "confirmed": confirmed.map(|c| json!({
                    "id": c.said.id, "index": c.said.index, "by": c.said.by, "received": c.received,
                })).collect::<Vec<_>>(),
            })
        });
        json!({
            "obligation": owed.key,
            "label": owed.label(),
            "by": owed.by(),
            "to": owed.facet.to,
            "exercise": owed.is_exercise(),
            "disowned": owed.is_disowned(),
            "deadline": owed.deadline,
            "verdict": owed.verdict.words(),
            "rule": owed.why,
            "measured": owed.measured.as_ref().map(|m| json!({
                "bound": m.bound, "unit": m.unit, "promised": m.promised.to_string(),
                "claimed": m.claimed.to_string(), "confirmed": m.confirmed.to_string(),
            })),
            "responses": responses.collect::<Vec<_>>(),
            "attested": owed.attested.iter().map(|s| said(s)).collect::<Vec<_>>(),
            "contested": owed.contested.iter().map(|s| said(s)).collect::<Vec<_>>(),
            "terms": terms,
            "clause": self.text(&terms).and_then(|t| t.clause.as_ref()),
            "text": self.text(&terms).map(|t| authentic(t).into_iter().map(|(_, text)| text).collect::<Vec<_>>()),
        })
    }
}

fn said(said: &Said) -> Value {
    json!({"id": said.id, "index": said.index, "by": said.by})
}

impl Chapter {
    fn json(&self) -> Value {
        let mut out = words::json(&self.step.entry);
        let fields = out.as_object_mut().expect("an object");
        fields.insert("signed_by".to_owned(), json!(self.signers));
        fields.insert("void".to_owned(), json!(self.step.void));
        if let Some(changes) = &self.changes {
            let changes: Vec<Value> = changes.iter().map(words::Change::json).collect();
            fields.insert("changes".to_owned(), json!(changes));
        }
        out
    }
}
