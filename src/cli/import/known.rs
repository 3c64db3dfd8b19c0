//! The references that an author's statements have in the log already.

use crate::cli::Context;
use crate::cli::desk::Desk;
use crate::cli::open::read_problem;
use rayon::prelude::*;
use servanda::entry::SignedEntry;
use servanda::field::Handle;
use servanda::merkle::tile::TILE_WIDTH;
use servanda::statement::Act;
use std::collections::HashMap;

/// Reads the author's references out of the log, each with the first entry that has it. At the operator's desk that
/// includes what was committed and not published yet, as by an import that was interrupted.
pub fn references(context: &Context, desk: &Desk, author: &Handle) -> anyhow::Result<HashMap<String, u64>> {
    let mut client = desk.client()?;
    let (size, width) = (client.size(), u64::from(TILE_WIDTH));
    let bar = context.screen.progress(size, "looking for known references");
    let mut known = HashMap::new();
    for number in 0..size.div_ceil(width) {
        let entries = client.bundle(number).map_err(read_problem)?;
        let found: Vec<Option<String>> = entries.par_iter().map(|bytes| reference(bytes, author)).collect();
        for (index, reference) in (number * width..).zip(found) {
            if let Some(reference) = reference {
                known.entry(reference).or_insert(index);
            }
        }
        bar.set_position((number + 1) * width);
    }
    bar.finish_and_clear();
    Ok(known)
}

/// The reference of the author's own pledge or record.
fn reference(bytes: &[u8], author: &Handle) -> Option<String> {
    let e = SignedEntry::decode(bytes).ok().filter(|e| e.statement.author == *author)?;
    let terms = match e.act().ok()? {
        Act::Pledge(pledge) => &pledge.terms,
        Act::Record(record) => &record.terms,
        _ => return None,
    };
    terms.open()?.reference.as_ref().map(ToString::to_string)
}
