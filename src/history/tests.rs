//! What a history says of entries good and bad.

mod agreement;
mod bad_entries;
mod bad_govern;
mod keys;
mod level;
mod motions;
mod seen;
mod snapshot;
mod time;
