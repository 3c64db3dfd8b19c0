//! Exact sums of decimals: no floats, no rounding, no limit on how many are added.

use super::Decimal;
use super::decimal::MAX_FRACTION;
use num_bigint::BigUint;
use serde::{Serialize, Serializer};
use std::fmt;

/// A sum that is not negative, exact to the last of its 18 fractional digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Sum(BigUint);

impl Sum {
    /// Nothing.
    #[must_use]
    pub fn zero() -> Self {
        Self::default()
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::zero()
    }

    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    /// What is left of it when another is taken away; nothing where that is as much or more.
    #[must_use]
    pub fn less(&self, other: &Self) -> Self {
        if self.0 > other.0 { Self(&self.0 - &other.0) } else { Self::zero() }
    }

    /// Whether it is at least `of`, of which a share may be missing: `0.1` is a tenth, 1 or more all of it.
    #[must_use]
    pub fn reaches(&self, of: &Self, missing: &Decimal) -> bool {
        let one = Self::from(&"1".parse().expect("a decimal"));
        let share = one.less(&Self::from(missing));
        &self.0 * &one.0 >= &of.0 * &share.0
    }
}

impl From<&Decimal> for Sum {
    fn from(d: &Decimal) -> Self {
        let (whole, fraction) = d.as_str().split_once('.').unwrap_or((d.as_str(), ""));
        let digits = format!("{whole}{fraction:0<MAX_FRACTION$}");
        Self(digits.parse().expect("digits of a decimal"))
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>width$}", self.0.to_string(), width = MAX_FRACTION + 1);
        let (whole, fraction) = digits.split_at(digits.len() - MAX_FRACTION);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        f.pad(&format!("{}{point}{fraction}", super::decimal::thousands(whole)))
    }
}

impl Serialize for Sum {
    /// As text without separators, e.g. `7100000000`.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.to_string().replace(',', ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(parts: &[&str]) -> Sum {
        let mut sum = Sum::zero();
        parts.iter().for_each(|p| sum.add(&Sum::from(&p.parse().expect("decimal"))));
        sum
    }

    #[test]
    fn sums_are_exact_to_the_last_digit() {
        assert_eq!(sum(&["0.1", "0.2"]), sum(&["0.3"]));
        assert_eq!(sum(&["1500000000", "250.25"]).to_string(), "1,500,000,250.25");
        let most = "9".repeat(27) + "." + &"9".repeat(18);
        assert_eq!(
            sum(&[&most, "0.000000000000000001"]).to_string().replace(',', ""),
            "1".to_owned() + &"0".repeat(27)
        );
        assert_eq!(sum(&[]).to_string(), "0");
    }

    #[test]
    fn nothing_is_left_where_more_is_taken_away() {
        assert_eq!(sum(&["5"]).less(&sum(&["3.5"])), sum(&["1.5"]));
        assert!(sum(&["5"]).less(&sum(&["7"])).is_zero());
    }

    #[test]
    fn a_share_may_be_missing() {
        let tenth = "0.1".parse().expect("decimal");
        assert!(sum(&["90"]).reaches(&sum(&["100"]), &tenth));
        assert!(!sum(&["89.999999999999999999".get(..20).expect("digits")]).reaches(&sum(&["100"]), &tenth));
        assert!(sum(&[]).reaches(&sum(&["100"]), &"1".parse().expect("decimal")));
        assert!(sum(&[]).reaches(&sum(&["100"]), &"2".parse().expect("decimal")));
        assert!(!sum(&["99"]).reaches(&sum(&["100"]), &Decimal::zero()));
    }
}
