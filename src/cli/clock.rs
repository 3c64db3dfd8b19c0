//! The clock: the one place that reads it.

use servanda::field::Instant;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time that verbs go by.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Option<Instant>);

impl Clock {
    /// A clock that stands at a given time, or goes.
    pub fn new(fixed: Option<Instant>) -> Self {
        Self(fixed)
    }

    /// Now.
    pub fn now(&self) -> Instant {
        self.0.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
            Instant::from_ms(ms).unwrap_or_default()
        })
    }

    /// What the system's clock says, in milliseconds since the Unix epoch, whatever verbs go by: for names that must differ.
    #[cfg(feature = "net")]
    pub fn real_ms(&self) -> u128 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
    }
}
