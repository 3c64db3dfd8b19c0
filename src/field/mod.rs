//! The field types that statements are made of: each one admits only what the format allows, so that what was decoded
//! needs no second check.
//!
//! In the canonical encoding they are texts and integers; where people read and write (JSON, TOML, options) they are
//! dates, durations and names. Limits: `docs/spec.md`, "Field types".

pub mod bits;
pub mod decimal;
pub mod handle;
pub mod sum;
pub mod text;
pub mod time;

pub use bits::{Class, Classes, Role, Roles};
pub use decimal::Decimal;
pub use handle::Handle;
pub use sum::Sum;
pub use text::{Long, Short, Text};
pub use time::{Day, Duration, Instant};

/// Implements serde for a type that is a text everywhere, through its `FromStr` and `Display`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                $crate::field::visit_text(d, |s| s.parse::<$type>())
            }
        }
    };
}
pub(crate) use serde_as_text;

/// Reads a text without allocating on the word of its length, and parses it.
pub(crate) fn visit_text<'de, D, T, E>(d: D, parse: impl Fn(&str) -> Result<T, E>) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    E: std::fmt::Display,
{
    struct Borrowed<F>(F);
    impl<T, E: std::fmt::Display, F: Fn(&str) -> Result<T, E>> serde::de::Visitor<'_> for Borrowed<F> {
        type Value = T;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text")
        }
        fn visit_str<X: serde::de::Error>(self, v: &str) -> Result<T, X> {
            (self.0)(v).map_err(X::custom)
        }
    }
    d.deserialize_str(Borrowed(parse))
}
