//! Going through a log's entries under its checkpoint, forward or backward, one bundle in memory at a time.

use super::open::read_problem;
use servanda::client::Client;
use servanda::merkle::tile::TILE_WIDTH;
use std::ops::{ControlFlow, Range};

/// In which order entries come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the first on.
    Forward,
    /// From the last on.
    Backward,
}

/// What is done with an entry: its index and bytes; whether to go on.
pub type Each<'a> = dyn FnMut(u64, &[u8]) -> anyhow::Result<ControlFlow<()>> + 'a;

/// Gives each entry of a range, until it is told to stop.
///
/// # Errors
/// When entries cannot be read, or are not those that the root commits to; and those of `each`.
pub fn walk(
    client: &mut Client<'_>,
    range: Range<u64>,
    order: Order,
    each: &mut Each<'_>,
) -> anyhow::Result<()> {
    let width = u64::from(TILE_WIDTH);
    let (first, last) = (range.start / width, range.end.div_ceil(width));
    for i in first..last {
        let number = if order == Order::Forward { i } else { first + (last - 1 - i) };
        let mut entries: Vec<_> =
            (number * width..).zip(client.bundle(number).map_err(read_problem)?).collect();
        if order == Order::Backward {
            entries.reverse();
        }
        for (index, bytes) in entries.iter().filter(|(index, _)| range.contains(index)) {
            if each(*index, bytes)?.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
