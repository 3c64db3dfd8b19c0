//! Succession: taking a log over from a copy of its public part, with the motion for a new operator that the old one does
//! not append.
//!
//! The successor takes any tree that contains all that the motion's statements have seen, appends them, and signs from
//! there on with its own key. What the old operator knows and never published is not needed, and does not come along.

use super::{CHARTER, Operator, Signed, SubmitError};
use crate::client::Client;
use crate::field::Instant;
use crate::key::SigningKey;
use crate::log::Writer;
use crate::merkle::tile::TILE_WIDTH;
use crate::store::Store;
use crate::store::index::Index;

impl Operator {
    /// Copies a log into an empty store, appends the statements that carry the motion, and publishes the result with the
    /// key that the motion names; where the rules name witnesses, that is left to whoever gathers their cosignatures. The
    /// copy's root must have been verified.
    ///
    /// # Errors
    /// [`SubmitError::NotCarried`] where the statements replace no operator; else where one is refused, the key is another,
    /// or a store fails. What was written by then is of no use, and can be removed.
    pub fn take_over(
        store: Box<dyn Store>,
        index: Index,
        copy: (&mut Client<'_>, Option<Vec<u8>>),
        motion: &[Signed<'_>],
        now: Instant,
        log_key: &SigningKey,
    ) -> Result<Self, SubmitError> {
        let (copy, charter_text) = copy;
        let mut writer = Writer::create(store, None)?;
        let charter = charter_text.map(|text| (CHARTER.to_owned(), text));
        writer.store().put_all(&charter.into_iter().collect::<Vec<_>>())?;
        for number in 0..copy.size().div_ceil(u64::from(TILE_WIDTH)) {
            writer.append(&copy.bundle(number)?)?;
        }
        let mut operator = Self::take_up(writer, index)?;
        for answer in operator.admit_all(motion, now) {
            answer?;
        }
        if operator.replaced.take().is_none() {
            return Err(SubmitError::NotCarried);
        }
        operator.publish_unless_witnessed(log_key)?;
        Ok(operator)
    }
}
