//! A point in time: UTC nanoseconds.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::MarketError;

/// A point in time, in nanoseconds since 1970-01-01 UTC.
///
/// Shown as a date when it falls on midnight, else as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The nanoseconds of a civil day.
    pub const NANOS_PER_DAY: i64 = 86_400 * 1_000_000_000;

    /// Wraps nanoseconds since 1970-01-01 UTC.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Returns nanoseconds since 1970-01-01 UTC.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Returns midnight UTC of a date; `None` outside the years 1677 to 2262.
    pub fn from_date(date: NaiveDate) -> Option<Self> {
        date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_nanos_opt().map(Self)
    }

    /// Returns the time as a `chrono` value.
    pub const fn datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }

    /// Returns the UTC date.
    pub fn date(self) -> NaiveDate {
        self.datetime().date_naive()
    }

    /// Returns the time `nanos` later, saturating at the ends of the range.
    #[must_use]
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let datetime = self.datetime();
        if self.0.rem_euclid(Self::NANOS_PER_DAY) == 0 {
            write!(f, "{}", datetime.date_naive())
        } else {
            write!(f, "{}", datetime.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
        }
    }
}

impl FromStr for Timestamp {
    type Err = MarketError;

    fn from_str(text: &str) -> Result<Self, MarketError> {
        let error = || MarketError::Timestamp { text: text.to_owned() };
        let trimmed = text.trim();
        if let Ok(date) = NaiveDate::parse_from_str(trimmed, "%Y-%m-%d") {
            return Self::from_date(date).ok_or_else(error);
        }
        let utc = DateTime::parse_from_rfc3339(trimmed).map(|time| time.with_timezone(&Utc)).or_else(|_| {
            NaiveDateTime::parse_from_str(trimmed, "%Y-%m-%d %H:%M:%S%.f")
                .or_else(|_| NaiveDateTime::parse_from_str(trimmed, "%Y-%m-%dT%H:%M:%S%.f"))
                .map(|naive| naive.and_utc())
        });
        utc.ok().and_then(|time| time.timestamp_nanos_opt()).map(Self).ok_or_else(error)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = MarketError;

    fn try_from(text: String) -> Result<Self, MarketError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, nanos: i64, shown: &str) {
        let time: Timestamp = text.parse().expect("valid time");
        assert_eq!(time.nanos(), nanos);
        assert_eq!(time.to_string(), shown);
    }

    #[test]
    fn a_date_is_midnight_utc() {
        check("1970-01-02", Timestamp::NANOS_PER_DAY, "1970-01-02");
    }

    #[test]
    fn a_time_with_an_offset_becomes_utc() {
        check("1970-01-01T01:00:30+01:00", 30_000_000_000, "1970-01-01T00:00:30Z");
    }

    #[test]
    fn a_naive_time_is_taken_as_utc() {
        check("1970-01-01 00:01:00", 60_000_000_000, "1970-01-01T00:01:00Z");
    }

    #[test]
    fn nonsense_is_named() {
        let error = "31/12/2018".parse::<Timestamp>().expect_err("invalid");
        assert!(error.to_string().contains("`31/12/2018`"), "{error}");
    }
}
