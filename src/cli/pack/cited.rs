//! The statements that a page names, each with its proof: a tlog-proof file and one roster file for all of them, as
//! `servanda prove` writes them, in links that carry their content.

use super::super::folded::Folded;
use super::super::open::Log;
use super::super::{signatories, words as said};
use super::html::{Html, element, table, text, words};
use servanda::armor::File;
use servanda::client::{Client, ReadError};
use servanda::entry::SignedEntry;
use servanda::hash::Hash;
use servanda::ledger::Said;
use servanda::proof::{self, RosterFile};
use servanda::text::{base64, count};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Statements by their entries' indexes.
#[derive(Default)]
pub struct Cited(RefCell<BTreeMap<u64, Hash>>);

impl Cited {
    /// Names a statement: a link to its proof.
    pub fn cite(&self, said: &Said) -> Html {
        self.cite_entry(said.index, &said.id)
    }

    /// The same by index and id.
    pub fn cite_entry(&self, index: u64, id: &Hash) -> Html {
        self.name(index, id);
        let link = element("a").class("id").attr("href", format!("#s-{index}")).words(id.short());
        element("span").class("whole").add(link).words(format!(" (entry {index})")).into()
    }

    /// Has a statement in the table of proofs.
    pub fn name(&self, index: u64, id: &Hash) {
        self.0.borrow_mut().insert(index, *id);
    }

    /// How many were named.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// The tables of all that were named, with their proofs: first those from entry `since` on, then those before.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn proofs(
        &self,
        log: &Log,
        folded: &Folded,
        client: &mut Client<'_>,
        (since, more): (u64, u64),
    ) -> Result<Html, ReadError> {
        let mut parts = vec![how(client.size(), client)];
        let all = self.0.borrow().clone();
        let (old, new): (Vec<_>, Vec<_>) = all.into_iter().partition(|(index, _)| *index < since);
        for (title, named) in [("Entered since then", new), ("Entered before", old)] {
            let rows = named.iter().map(|(index, id)| row(log, folded, client, *index, id));
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            if !rows.is_empty() {
                let heading = ["entry", "sequenced", "id", "what it says", "signed by", "proof"];
                parts.extend([element("h3").words(title).into(), table("named", &heading, rows)]);
            }
            if more > 0 && title.ends_with("then") {
                let more = count(more, "more statement was", "more statements were");
                let more = format!("And {more} entered since then: \"servanda log\" lists them.");
                parts.push(element("p").class("note").words(more).into());
            }
        }
        Ok(Html::all(parts))
    }
}

fn row(
    log: &Log,
    folded: &Folded,
    client: &mut Client<'_>,
    index: u64,
    id: &Hash,
) -> Result<Vec<Html>, ReadError> {
    let proof = proof::prove(client, index, log.checkpoint.as_str())?;
    let decoded = proof.extra.as_deref().and_then(|bytes| SignedEntry::decode(bytes).ok());
    let (mut at, mut what, mut signed) = (Html::none(), Html::none(), Html::none());
    if let Some(e) = &decoded {
        at = words(&e.entry.sequenced_at.to_string());
        let void = folded.void(index).into_iter();
        let void = void.map(|rule| Html::from(element("div").class("note").words("Void: ").text(&rule)));
        what = Html::all([words(&said::summary(&e.statement))].into_iter().chain(void));
        signed = words(&signatories::words(&signatories::titles(folded.roster(), index, e)));
    }
    let name = format!("{}.tlog-proof", id.short());
    Ok(vec![
        element("span").attr("id", format!("s-{index}")).words(index.to_string()).into(),
        at,
        element("span").class("id").words(id.short()).into(),
        what,
        signed,
        carried(&name, "proof", proof.to_string().as_bytes()),
    ])
}

/// How a reader checks them.
fn how(size: u64, client: &mut Client<'_>) -> Html {
    let name = format!("{size}.roster");
    let roster = RosterFile::make(client).ok().and_then(|file| File::Roster.write(&file).ok());
    let roster = match roster {
        Some(text) => Html::all([
            words("Save a statement's proof and the "),
            carried(&name, "roster file", text.as_bytes()),
            words(" in one folder, and check them offline with "),
            element("span").class("id").text("servanda check ID.tlog-proof --trust trust.toml").into(),
            words(
                ". Each proof holds the whole statement with its signatures, and leads to the checkpoint above.",
            ),
        ]),
        None => words("No roster file could be made, so these proofs do not tell who signed."),
    };
    element("p").add(roster).into()
}

/// A link that carries a file.
fn carried(name: &str, shown: &str, bytes: &[u8]) -> Html {
    let href = format!("data:text/plain;charset=utf-8;base64,{}", base64(bytes));
    element("a").attr("href", href).attr("download", name).add(text(shown)).into()
}
