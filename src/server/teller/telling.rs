//! What events say: the ledger's news in JSON, with the place of each in the log's own states.

use crate::entry::SignedEntry;
use crate::field::Instant;
use crate::ledger::answers::{News, news};
use crate::ledger::{Ledger, Said};
use crate::statement::{Act, Kind};
use serde_json::{Value, json};

/// How long before a deadline it is told, in milliseconds: a week.
const SOON_MS: u64 = 7 * 24 * 3600 * 1000;

/// Whether what is told rests on published entries alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct State(bool);

impl State {
    /// Of what rests on the first `size` entries.
    pub(super) fn of(size: u64, published: u64) -> Self {
        Self(size <= published)
    }

    fn word(self) -> &'static str {
        if self.0 { "published" } else { "durable" }
    }
}

/// That an entry is there.
pub(super) fn entry(e: &SignedEntry, said: &Said, state: State) -> (String, String) {
    let class = crate::field::Class::from_number(e.statement.class).map(crate::field::Class::name);
    let data = json!({
        "key": format!("entry:{}", said.id),
        "index": said.index,
        "at": said.at,
        "exercise": false,
        "state": state.word(),
        "id": said.id,
        "author": said.by,
        "class": class,
        "kind": e.statement.kind,
        "act": Kind::from_number(e.statement.kind).map(Kind::name),
    });
    ("entry".to_owned(), data.to_string())
}

/// What an entry brought.
pub(super) fn of_entry(ledger: &Ledger, said: &Said, act: &Act, state: State) -> Vec<(String, String)> {
    news::of_entry(ledger, said, act).iter().map(|news| told(news, state)).collect()
}

/// What time brought.
pub(super) fn of_time(ledger: &Ledger, from: Instant, to: Instant, state: State) -> Vec<(String, String)> {
    if from >= to {
        return Vec::new();
    }
    news::of_time(ledger, from, to, SOON_MS).iter().map(|news| told(news, state)).collect()
}

/// That a checkpoint of this size is published.
pub(super) fn published(size: u64, at: Instant) -> (String, String) {
    let data = json!({
        "key": format!("published:{size}"), "index": null, "at": at, "exercise": false, "state": "published", "size": size,
    });
    ("published".to_owned(), data.to_string())
}

fn told(news: &News, state: State) -> (String, String) {
    let mut data = json!({
        "key": news.key, "index": news.index, "at": news.at, "exercise": news.exercise, "state": state.word(),
    });
    let fields = data.as_object_mut().expect("an object");
    let said = serde_json::to_value(news).unwrap_or(Value::Null);
    for (name, value) in said.as_object().into_iter().flatten() {
        if name != "what" && !value.is_null() {
            fields.entry(name).or_insert_with(|| value.clone());
        }
    }
    (news.what.name().to_owned(), data.to_string())
}
