//! What a history says of entries good and bad.

mod agreement;
mod anchors;
mod bad_entries;
mod bad_govern;
mod carried;
mod keys;
mod ledger;
mod level;
mod motions;
mod new_keys;
mod seen;
mod snapshot;
mod time;
