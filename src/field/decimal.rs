//! Exact decimal numbers, as text.

use super::serde_as_text;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The most digits before the point.
pub const MAX_WHOLE: usize = 27;

/// The most digits after the point.
pub const MAX_FRACTION: usize = 18;

/// A number that is not negative, in its one canonical text: `0`, `7100000000`, `0.25`. Compared as a number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

/// A text is not a canonical decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a decimal: want digits without leading zeros, at most 27, and after a point at most 18 without trailing zeros"
)]
pub struct NotADecimal;

impl Decimal {
    /// The number nought.
    #[must_use]
    pub fn zero() -> Self {
        Self("0".to_owned())
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a number as people and spreadsheets write it: leading and trailing zeros are dropped, `1,000` is 1000.
    ///
    /// # Errors
    /// When it is no plain decimal number, or has more digits than the format holds.
    pub fn from_human(text: &str) -> Result<Self, NotADecimal> {
        let plain = if grouped(text) { text.replace(',', "") } else { text.to_owned() };
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(NotADecimal);
        }
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            w => w,
        };
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { whole.parse() } else { format!("{whole}.{fraction}").parse() }
    }

    fn parts(&self) -> (&str, &str) {
        self.0.split_once('.').unwrap_or((&self.0, ""))
    }

    /// The number with its thousands set apart by commas, for people: `7,100,000,000`.
    #[must_use]
    pub fn grouped(&self) -> String {
        let (whole, fraction) = self.parts();
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{point}{fraction}", thousands(whole))
    }
}

/// Digits with their thousands set apart by commas.
pub(super) fn thousands(whole: &str) -> String {
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Whether commas stand exactly where thousands end.
fn grouped(text: &str) -> bool {
    let whole = text.split_once('.').map_or(text, |(w, _)| w);
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or("");
    whole.contains(',') && (1..=3).contains(&first.len()) && groups.all(|g| g.len() == 3)
}

impl Decimal {
    /// Whether this is the canonical text of a number.
    #[must_use]
    pub fn fits(s: &str) -> bool {
        let digits =
            |s: &str, max: usize| (1..=max).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
        let (whole, fraction) = match s.split_once('.') {
            Some((w, f)) => (w, Some(f)),
            None => (s, None),
        };
        let whole_fits = digits(whole, MAX_WHOLE) && (whole == "0" || !whole.starts_with('0'));
        let fraction_fits = fraction.is_none_or(|f| digits(f, MAX_FRACTION) && !f.ends_with('0'));
        whole_fits && fraction_fits
    }
}

impl FromStr for Decimal {
    type Err = NotADecimal;
    fn from_str(s: &str) -> Result<Self, NotADecimal> {
        if Self::fits(s) { Ok(Self(s.to_owned())) } else { Err(NotADecimal) }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((a, af), (b, bf)) = (self.parts(), other.parts());
        // Without leading zeros the longer whole part is the greater; fractions compare like words.
        a.len().cmp(&b.len()).then_with(|| a.cmp(b)).then_with(|| af.cmp(bf))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(Decimal);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_text() {
        for good in ["0", "7100000000", "0.25", "10", &"9".repeat(27), &format!("0.{}1", "0".repeat(17))] {
            assert!(good.parse::<Decimal>().is_ok(), "{good}");
        }
        let long = ["9".repeat(28), format!("0.{}1", "0".repeat(18))];
        for bad in [
            "", "00", "01", "1.", ".5", "1.0", "0.50", "-1", "+1", "1e3", "1,000", " 1", "1 ", &long[0],
            &long[1],
        ] {
            assert_eq!(bad.parse::<Decimal>(), Err(NotADecimal), "{bad}");
        }
    }

    #[test]
    fn numbers_compare_as_numbers() {
        let d = |s: &str| s.parse::<Decimal>().expect("decimal");
        for (less, more) in
            [("9", "10"), ("0.25", "0.3"), ("0.3", "1"), ("1", "1.000000000000000001"), ("99.9", "100")]
        {
            assert!(d(less) < d(more), "{less} < {more}");
        }
    }

    #[test]
    fn what_spreadsheets_write_is_understood_exactly() {
        for (written, meant) in
            [("75000000000.0", "75000000000"), ("1,234,567.50", "1234567.5"), ("007", "7"), ("0.0", "0")]
        {
            assert_eq!(Decimal::from_human(written).map(|d| d.0), Ok(meant.to_owned()), "{written}");
        }
        for bad in ["1,23", "1,2345", "Not given", ".", "1.5e9", "", "1..2", "12,34,567"] {
            assert_eq!(Decimal::from_human(bad), Err(NotADecimal), "{bad}");
        }
    }
}
