//! A thread for each witness: each sends the newest note, tries again after a pause, and hands back what came.

use super::{AskError, Asked, Clock, Cosigned, Round, Transport};
use crate::store::Read;
use std::sync::Arc;

/// What came of asking a witness.
#[derive(Debug)]
pub enum Told {
    /// A cosignature, verified: for [`Round::take`]. It may be of a note that was replaced meanwhile.
    Cosigned(Cosigned),
    /// None, and why. The same note, or the one that has replaced it, is sent again after a pause, unless
    /// [`AskError::stops_the_writer`]: such a witness is not asked again.
    Failed(AskError),
}

/// The threads. Dropping it ends them: at once, or when the answer that one waits for has come.
#[derive(Debug)]
pub struct Crew {}

impl Crew {
    /// Starts a thread for each witness. `hand` is called by these threads with all that comes, and must not wait long.
    ///
    /// `tiles` must hold the tiles of every note that is to be sent, before it is.
    pub fn start(
        asked: Vec<Asked>,
        tiles: Arc<dyn Read>,
        transport: Arc<dyn Transport>,
        clock: Arc<Clock>,
        hand: impl Fn(Told) + Send + Sync + 'static,
    ) -> Self {
        let _ = (asked, tiles, transport, clock, hand);
        todo!()
    }

    /// Has a note sent to every witness; it takes the place of one that is not sent yet. Does not wait.
    pub fn ask(&self, round: &Round) {
        let _ = round;
        todo!()
    }
}
