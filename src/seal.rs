//! Sealed values: a digest that shows nothing, and can be opened later by its author alone.
//!
//! A seal is SHA-256("servanda/seal/1\n" || encoded (log, author, salt \[32\], field's name, value)), the value being the
//! encoding of the field's type as length-prefixed bytes. Bound to log, author and field, it cannot be copied by anyone
//! who would open it as their own. With a salt of 256 bits it can be opened only by guessing the salt; erasing salt and
//! value erases the content for good.

use crate::codec::{Bytes, encode};
use crate::field::{Handle, Short};
use crate::hash::{Hash, labelled};
use serde::{Deserialize, Serialize};

/// Seals a value: `name` is the path from the body, e.g. `terms.dues.2.quantity`; `value` the field's encoding.
#[must_use]
pub fn seal(log: &Hash, author: &Handle, salt: &Hash, name: &Short, value: &[u8]) -> Hash {
    labelled("servanda/seal/1\n", &encode(&(log, author, salt, name, Bytes(value.to_vec()))))
}

/// What opens a sealed value: kept by its author, given to whom it may concern, published by `reveal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The log's id.
    pub log: Hash,
    /// Who sealed it.
    pub author: Handle,
    /// The name of the field.
    pub field: Short,
    /// The salt.
    pub salt: Hash,
    /// The encoded value.
    pub value: Bytes,
}

impl Opening {
    /// The seal that it opens.
    #[must_use]
    pub fn seal(&self) -> Hash {
        seal(&self.log, &self.author, &self.salt, &self.field, &self.value)
    }
}

/// Makes a salt from the system's randomness: 256 bits.
///
/// # Errors
/// When the system has no randomness to give.
pub fn salt() -> Result<Hash, getrandom::Error> {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt)?;
    Ok(Hash(salt))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::ZEROS;

    #[test]
    fn salts_differ() {
        assert_ne!(salt().expect("randomness"), salt().expect("randomness"));
    }

    #[test]
    fn a_seal_is_bound_to_log_author_salt_field_and_value() {
        let short = |s: &str| Short::new(s).expect("short");
        let (de, fr): (Handle, Handle) = ("de".parse().expect("handle"), "fr".parse().expect("handle"));
        let one = seal(&ZEROS, &de, &ZEROS, &short("terms"), b"value");
        let other = Hash([1; 32]);
        for changed in [
            seal(&other, &de, &ZEROS, &short("terms"), b"value"),
            seal(&ZEROS, &fr, &ZEROS, &short("terms"), b"value"),
            seal(&ZEROS, &de, &other, &short("terms"), b"value"),
            seal(&ZEROS, &de, &ZEROS, &short("annexes.0"), b"value"),
            seal(&ZEROS, &de, &ZEROS, &short("terms"), b"Value"),
        ] {
            assert_ne!(one, changed);
        }
    }
}
