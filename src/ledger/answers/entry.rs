//! An entry for programs: all that it says, the act in the form in which it can be drafted.

use crate::entry::SignedEntry;
use crate::field::Class;
use serde_json::{Value, json};

/// All that an entry says.
///
/// # Panics
/// Never.
#[must_use]
pub fn entry(e: &SignedEntry) -> Value {
    let s = &e.statement;
    let act = s.act();
    let mut out = json!({
        "index": e.entry.index,
        "id": e.id,
        "sequenced_at": e.entry.sequenced_at,
        "author": s.author,
        "class": Class::from_number(s.class).map(Class::name),
        "kind": s.kind,
        "act": act.as_ref().ok(),
    });
    let fields = out.as_object_mut().expect("an object");
    if let Err(error) = &act {
        fields.insert("not_understood".to_owned(), json!(error.to_string()));
        fields.insert("body".to_owned(), json!(s.body));
    }
    for (key, value) in [
        ("seq", json!(s.seq)),
        ("prev", json!(s.prev)),
        ("seen", json!(s.seen)),
        ("issued_at", json!(s.issued_at)),
        ("expires_at", json!(s.expires_at)),
        ("log", json!(s.log)),
        ("version", json!(s.version)),
        ("signatures", json!(e.entry.signatures)),
        ("link", json!(e.entry.link)),
        ("roster", json!(e.entry.roster)),
        ("leaf", json!(e.leaf)),
    ] {
        fields.insert(key.to_owned(), value);
    }
    out
}
