//! A stretch of time as text: `250ms`, `5s`, `1h`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The units, largest first, in nanoseconds.
const UNITS: [(&str, i64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A stretch of time above zero: a whole number with the unit `ns`, `us`, `ms`, `s`, `m`, `h` or `d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Delay {
    nanos: i64,
}

impl Delay {
    /// Returns the length in nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.nanos
    }
}

impl TryFrom<String> for Delay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let unit_at = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (count, unit) = text.split_at(unit_at);
        let unit = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, nanos)| *nanos);
        let nanos = unit.zip(count.parse::<i64>().ok()).and_then(|(unit, count)| count.checked_mul(unit));
        nanos.filter(|nanos| *nanos > 0).map(|nanos| Self { nanos }).ok_or_else(|| {
            format!("must be a time above zero such as `250ms`, `5s`, `10m`, `1h` or `1d`, was `{text}`")
        })
    }
}

impl From<Delay> for String {
    fn from(delay: Delay) -> Self {
        delay.to_string()
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, unit) = UNITS.iter().find(|(_, unit)| self.nanos % unit == 0).expect("a nanosecond divides all");
        write!(f, "{}{name}", self.nanos / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, nanos, shown) in [
            ("5s", 5_000_000_000, "5s"),
            ("250ms", 250_000_000, "250ms"),
            ("90m", 5_400_000_000_000, "90m"),
            ("1000us", 1_000_000, "1ms"),
            ("24h", 86_400_000_000_000, "1d"),
            ("7ns", 7, "7ns"),
        ] {
            let delay = Delay::try_from(text.to_owned()).expect(text);
            assert_eq!((delay.nanos(), delay.to_string().as_str()), (nanos, shown));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["0s", "5", "s", "-1s", "1.5s", "5 fortnights", "", "99999999999d"] {
            let error = Delay::try_from(text.to_owned()).expect_err(text);
            assert!(error.ends_with(&format!("was `{text}`")), "{error}");
        }
    }
}
