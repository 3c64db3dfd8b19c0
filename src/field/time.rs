//! Moments, days and durations.
//!
//! An [`Instant`] is milliseconds since 1970-01-01T00:00Z, a [`Day`] is days since 1970-01-01, both within the years up
//! to 9999. A [`Duration`] is (months, days, milliseconds), since treaties say "six months": added in that order in UTC,
//! clamped to the month's end, and never past the year 9999. Nothing here reads a clock.

use jiff::civil::{Date, DateTime};
use jiff::{Span, Timestamp, Unit};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// The last millisecond of the year 9999.
pub const LAST_INSTANT_MS: u64 = 253_402_300_799_999;

/// The day of [`LAST_INSTANT_MS`]: 9999-12-31.
pub const LAST_DAY: i64 = 2_932_896;

/// The first day that can be told: 0000-01-01.
pub const FIRST_DAY: i64 = -719_528;

/// The most months in a duration.
pub const MAX_MONTHS: u64 = 120_000;

/// The most days in a duration.
pub const MAX_DAYS: u64 = 3_700_000;

/// The most milliseconds in a duration.
pub const MAX_MS: u64 = 320_000_000_000_000;

const DAY_MS: u64 = 86_400_000;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// A moment: milliseconds since the Unix epoch, UTC, at most [`LAST_INSTANT_MS`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Instant(u64);

/// A whole day in UTC: days since 1970-01-01, from [`FIRST_DAY`] to [`LAST_DAY`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(i64);

/// A length of time in calendar units: each part at most about 10,000 years.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Duration {
    months: u64,
    days: u64,
    ms: u64,
}

/// Why a text or number is no moment, day or duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not a moment.
    #[error(
        "not a moment: want e.g. 2026-12-01T12:00Z or 2026-12-01T14:00+02:00, with its time zone, or 2026-12-01 for midnight UTC"
    )]
    Instant,
    /// Not a day.
    #[error("not a day: want e.g. 2026-12-01")]
    Day,
    /// Not a duration.
    #[error("not a duration: want e.g. 72h, 6 months, 1 year 6 months, or P3D")]
    Duration,
    /// Outside the years that can be told.
    #[error("outside the years 0000 to 9999")]
    Range,
}

impl Instant {
    /// The moment of so many milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`TimeError::Range`] past [`LAST_INSTANT_MS`].
    pub fn from_ms(ms: u64) -> Result<Self, TimeError> {
        if ms > LAST_INSTANT_MS { Err(TimeError::Range) } else { Ok(Self(ms)) }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn ms(self) -> u64 {
        self.0
    }

    /// The moment a duration later: months, then days, then milliseconds; not past [`LAST_INSTANT_MS`].
    #[must_use]
    pub fn plus(self, d: Duration) -> Self {
        if d.months == 0 {
            // In UTC all days are as long, and only months ask for the calendar.
            return self.plus_ms(d.days * DAY_MS + d.ms);
        }
        let months = Span::new().months(i64::try_from(d.months).expect("at most MAX_MONTHS"));
        let days = Span::new().days(i64::try_from(d.days).expect("at most MAX_DAYS"));
        let date = self.day().date().checked_add(months).and_then(|date| date.checked_add(days));
        match date.map(Day::of) {
            Ok(day) => Self::of(day, self.0 % DAY_MS).plus_ms(d.ms),
            Err(_) => Self(LAST_INSTANT_MS),
        }
    }

    /// The moment so many milliseconds later; not past [`LAST_INSTANT_MS`].
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms).min(LAST_INSTANT_MS))
    }

    /// The day it falls on, in UTC.
    #[must_use]
    pub fn day(self) -> Day {
        Day(i64::try_from(self.0 / DAY_MS).expect("days of an instant fit"))
    }

    /// The moment within a day that does not lie before the epoch.
    fn of(day: Day, ms: u64) -> Self {
        Self(u64::try_from(day.0).expect("not before the epoch") * DAY_MS + ms)
    }
}

impl Day {
    /// The day of so many days since 1970-01-01.
    ///
    /// # Errors
    /// [`TimeError::Range`] before [`FIRST_DAY`] or past [`LAST_DAY`].
    pub fn from_days(days: i64) -> Result<Self, TimeError> {
        if (FIRST_DAY..=LAST_DAY).contains(&days) { Ok(Self(days)) } else { Err(TimeError::Range) }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(self) -> i64 {
        self.0
    }

    /// Its first moment, UTC; the epoch for days before it.
    #[must_use]
    pub fn start(self) -> Instant {
        Instant(u64::try_from(self.0).unwrap_or(0) * DAY_MS)
    }

    /// Its last millisecond, UTC; the epoch for days before it.
    #[must_use]
    pub fn end(self) -> Instant {
        if self.0 < 0 { self.start() } else { self.start().plus_ms(DAY_MS - 1) }
    }

    fn of(date: Date) -> Self {
        let since = EPOCH.until((Unit::Day, date)).expect("dates lie within the calendar");
        Self(i64::from(since.get_days()))
    }

    fn date(self) -> Date {
        EPOCH.checked_add(Span::new().days(self.0)).expect("a day lies within the calendar")
    }
}

impl Duration {
    /// So many months, days and milliseconds.
    ///
    /// # Errors
    /// [`TimeError::Range`] where one of them is past its limit.
    pub fn new(months: u64, days: u64, ms: u64) -> Result<Self, TimeError> {
        let fits = months <= MAX_MONTHS && days <= MAX_DAYS && ms <= MAX_MS;
        if fits { Ok(Self { months, days, ms }) } else { Err(TimeError::Range) }
    }

    /// So many days.
    ///
    /// # Panics
    /// Past 3,700,000 days.
    #[must_use]
    pub fn of_days(days: u64) -> Self {
        Self::new(0, days, 0).expect("a few days")
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, ms) = (self.0 % DAY_MS / 1000, self.0 % 1000);
        let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let fraction = if ms == 0 { String::new() } else { format!(".{ms:03}") };
        f.pad(&format!("{}T{h:02}:{m:02}:{s:02}{fraction}Z", self.day()))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Instant {
    type Err = TimeError;
    fn from_str(s: &str) -> Result<Self, TimeError> {
        let on =
            |day: Day, ms| if day.0 < 0 { Err(TimeError::Range) } else { Self::from_ms(Self::of(day, ms).0) };
        if let Ok(day) = s.parse::<Day>() {
            return on(day, 0);
        }
        if let Some(at) = s.strip_suffix('Z').and_then(|civil| civil.parse::<DateTime>().ok()) {
            let since = at.date().to_datetime(jiff::civil::Time::midnight()).until((Unit::Millisecond, at));
            let ms = since.map_err(|_| TimeError::Instant)?.get_milliseconds();
            return on(Day::of(at.date()), u64::try_from(ms).map_err(|_| TimeError::Instant)?);
        }
        let at: Timestamp = s.parse().map_err(|_| TimeError::Instant)?;
        Self::from_ms(u64::try_from(at.as_millisecond()).map_err(|_| TimeError::Range)?)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.date().to_string())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Day {
    type Err = TimeError;
    fn from_str(s: &str) -> Result<Self, TimeError> {
        // jiff reads more than a plain date; here the ten characters are all.
        let date: Date =
            if s.len() == 10 { s.parse().map_err(|_| TimeError::Day)? } else { return Err(TimeError::Day) };
        Self::from_days(Self::of(date).0)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let mut say = |n: u64, unit: &str| {
            if n > 0 {
                parts.push(format!("{n} {unit}{}", if n == 1 { "" } else { "s" }));
            }
        };
        say(self.months / 12, "year");
        say(self.months % 12, "month");
        say(self.days, "day");
        say(self.ms / 3_600_000, "hour");
        say(self.ms / 60_000 % 60, "minute");
        say(self.ms / 1000 % 60, "second");
        say(self.ms % 1000, "millisecond");
        if parts.is_empty() { f.pad("no time") } else { f.pad(&parts.join(" ")) }
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Duration {
    type Err = TimeError;
    fn from_str(s: &str) -> Result<Self, TimeError> {
        if s == "no time" {
            return Ok(Self::default());
        }
        let span: Span = s.parse().map_err(|_| TimeError::Duration)?;
        if span.is_negative() {
            return Err(TimeError::Duration);
        }
        let unsigned = |n: i64| u64::try_from(n).map_err(|_| TimeError::Duration);
        let clock = [
            (unsigned(i64::from(span.get_hours()))?, 3_600_000),
            (unsigned(span.get_minutes())?, 60_000),
            (unsigned(span.get_seconds())?, 1000),
            (unsigned(span.get_milliseconds())?, 1),
        ];
        if span.get_microseconds() != 0 || span.get_nanoseconds() != 0 {
            return Err(TimeError::Duration);
        }
        let ms = clock.iter().try_fold(0u64, |sum, (n, unit)| sum.checked_add(n.checked_mul(*unit)?));
        let months = unsigned(i64::from(span.get_years()) * 12 + i64::from(span.get_months()))?;
        let days = unsigned(i64::from(span.get_weeks()) * 7 + i64::from(span.get_days()))?;
        Self::new(months, days, ms.ok_or(TimeError::Range)?)
    }
}

// Numbers in the canonical encoding, texts where people read them.
macro_rules! serde_number_or_text {
    ($type:ty, $raw:ty, $to:expr, $from:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { $to(self).serialize(s) }
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    super::visit_text(d, str::parse)
                } else {
                    $from(<$raw>::deserialize(d)?).map_err(de::Error::custom)
                }
            }
        }
    };
}

serde_number_or_text!(Instant, u64, |x: &Instant| x.0, Instant::from_ms);
serde_number_or_text!(Day, i64, |x: &Day| x.0, Day::from_days);
serde_number_or_text!(Duration, (u64, u64, u64), |x: &Duration| (x.months, x.days, x.ms), |(m, d, ms)| {
    Duration::new(m, d, ms)
});

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: &str) -> Instant {
        s.parse().expect("instant")
    }

    fn long(s: &str) -> Duration {
        s.parse().expect("duration")
    }

    #[test]
    fn a_duration_without_months_is_added_as_the_calendar_does() {
        let by_calendar = |at: Instant, d: Duration| {
            let date = at.day().date().checked_add(Span::new().days(i64::try_from(d.days).expect("few")));
            let day = date.map(|date| Instant::of(Day::of(date), at.0 % DAY_MS));
            day.map_or(Instant(LAST_INSTANT_MS), |at| at.plus_ms(d.ms))
        };
        for ms in [0, 1, DAY_MS - 1, DAY_MS, 951_782_400_000, LAST_INSTANT_MS - DAY_MS, LAST_INSTANT_MS] {
            let at = Instant::from_ms(ms).expect("in range");
            for days in [0, 1, 30, 365, 2_932_895, 2_932_896, 2_932_897, MAX_DAYS] {
                for ms in [0, 1, DAY_MS, MAX_MS] {
                    let d = Duration::new(0, days, ms).expect("in range");
                    assert_eq!(at.plus(d), by_calendar(at, d), "{at} and {d}");
                }
            }
        }
    }

    #[test]
    fn months_are_added_first_and_clamped_to_the_months_end() {
        assert_eq!(at("2026-01-31").plus(long("1 month")), at("2026-02-28"));
        assert_eq!(at("2024-01-31").plus(long("1 month 1 day")), at("2024-03-01"));
        assert_eq!(at("2026-12-01T12:00Z").plus(long("72h")), at("2026-12-04T12:00Z"));
        assert_eq!(at("2024-02-29").plus(long("1 year")), at("2025-02-28"));
    }

    #[test]
    fn nothing_lies_past_the_year_9999() {
        let end = Instant::from_ms(LAST_INSTANT_MS).expect("the last");
        assert_eq!(end.plus(long("10000 years")), end);
        assert_eq!(end.plus(Duration::new(MAX_MONTHS, MAX_DAYS, MAX_MS).expect("the longest")), end);
        assert_eq!(at("2026-01-01").plus(long("9000 years")), end);
        assert_eq!(end.to_string(), "9999-12-31T23:59:59.999Z");
        assert!(Instant::from_ms(LAST_INSTANT_MS + 1).is_err());
        assert_eq!(Day::from_days(LAST_DAY).expect("last").to_string(), "9999-12-31");
        assert_eq!(Day::from_days(FIRST_DAY).expect("first").to_string(), "0000-01-01");
        assert!(Day::from_days(LAST_DAY + 1).is_err() && Day::from_days(FIRST_DAY - 1).is_err());
    }

    #[test]
    fn moments_read_as_people_write_them_with_their_zone() {
        assert_eq!(at("2026-12-01T14:00+02:00"), at("2026-12-01T12:00:00Z"));
        assert_eq!(at("2026-12-01").to_string(), "2026-12-01T00:00:00Z");
        assert_eq!(at("1970-01-01T00:00:00.120Z").to_string(), "1970-01-01T00:00:00.120Z");
        for bad in ["2026-12-01T12:00", "1969-12-31", "tomorrow", "2026-13-01", "2026-12-01 ", "12:00Z"] {
            assert!(bad.parse::<Instant>().is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_read_as_people_write_them() {
        for (written, meant) in [
            ("72h", "72 hours"),
            ("6 months", "6 months"),
            ("P3D", "3 days"),
            ("1 year 6 months", "1 year 6 months"),
            ("18 months", "1 year 6 months"),
            ("P1Y", "1 year"),
            ("PT24H", "24 hours"),
            ("90 min", "1 hour 30 minutes"),
            ("2 weeks", "14 days"),
            ("no time", "no time"),
        ] {
            assert_eq!(long(written).to_string(), meant, "{written}");
            assert_eq!(long(meant), long(written), "{meant} reads back");
        }
        for bad in ["", "-3 days", "six", "3", "1 fortnight", "1.5 months", "999999999 years"] {
            assert!(bad.parse::<Duration>().is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_instant_reads_back(ms in 0..=LAST_INSTANT_MS) {
            let x = Instant::from_ms(ms).expect("in range");
            proptest::prop_assert_eq!(x.to_string().parse::<Instant>(), Ok(x));
        }

        #[test]
        fn every_day_reads_back(days in FIRST_DAY..=LAST_DAY) {
            let x = Day::from_days(days).expect("in range");
            proptest::prop_assert_eq!(x.to_string().parse::<Day>(), Ok(x));
        }

        #[test]
        fn every_duration_reads_back(months in 0..=MAX_MONTHS, days in 0..=MAX_DAYS, ms in 0..=MAX_MS) {
            let x = Duration::new(months, days, ms).expect("in range");
            proptest::prop_assert_eq!(x.to_string().parse::<Duration>(), Ok(x));
            let _ = Instant::from_ms(ms % LAST_INSTANT_MS).expect("in range").plus(x);
        }
    }
}
