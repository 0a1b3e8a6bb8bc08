//! The length of a bar, and how many of them make a year.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{MarketError, Timestamp};

/// The unit of a bar interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalUnit {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// A session or a civil day.
    Day,
    /// Seven days.
    Week,
}

/// When a market trades, as far as annualising needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradingCalendar {
    /// Exchange sessions: 252 a year, 6.5 hours each.
    Sessions,
    /// Round the clock: 365 days of 24 hours.
    RoundTheClock,
}

/// The length of a bar: `1m`, `15m`, `1h`, `1d`, `1w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BarInterval {
    count: NonZeroU32,
    unit: IntervalUnit,
}

impl BarInterval {
    /// Returns the unit.
    pub const fn unit(self) -> IntervalUnit {
        self.unit
    }

    /// Returns the nominal length in nanoseconds.
    pub fn nanos(self) -> i64 {
        let unit = match self.unit {
            IntervalUnit::Minute => 60 * 1_000_000_000,
            IntervalUnit::Hour => 3_600 * 1_000_000_000,
            IntervalUnit::Day => Timestamp::NANOS_PER_DAY,
            IntervalUnit::Week => 7 * Timestamp::NANOS_PER_DAY,
        };
        unit * i64::from(self.count.get())
    }

    /// Returns how many bars make a year on a calendar: 252 daily bars for sessions, 365 round the clock.
    ///
    /// A bar as long as a session or longer, up to a day, is one a session, whatever its unit.
    pub fn periods_per_year(self, calendar: TradingCalendar) -> f64 {
        const MINUTES_PER_DAY: f64 = 1_440.0;
        let (days, open_minutes) = match calendar {
            TradingCalendar::Sessions => (252.0, 390.0),
            TradingCalendar::RoundTheClock => (365.0, MINUTES_PER_DAY),
        };
        let minutes = self.nanos() as f64 / 60e9;
        match self.unit {
            IntervalUnit::Week => 52.0 / f64::from(self.count.get()),
            IntervalUnit::Day => days / f64::from(self.count.get()),
            IntervalUnit::Minute | IntervalUnit::Hour if minutes >= open_minutes => {
                days / (minutes / MINUTES_PER_DAY).max(1.0)
            }
            IntervalUnit::Minute | IntervalUnit::Hour => days * open_minutes / minutes,
        }
    }
}

impl fmt::Display for BarInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            IntervalUnit::Minute => 'm',
            IntervalUnit::Hour => 'h',
            IntervalUnit::Day => 'd',
            IntervalUnit::Week => 'w',
        };
        write!(f, "{}{unit}", self.count)
    }
}

impl FromStr for BarInterval {
    type Err = MarketError;

    fn from_str(text: &str) -> Result<Self, MarketError> {
        let error = || MarketError::Interval { text: text.to_owned() };
        let unit = match text.chars().last().ok_or_else(error)? {
            'm' => IntervalUnit::Minute,
            'h' => IntervalUnit::Hour,
            'd' => IntervalUnit::Day,
            'w' => IntervalUnit::Week,
            _ => return Err(error()),
        };
        let count = text[..text.len() - 1].parse().map_err(|_| error())?;
        Ok(Self { count, unit })
    }
}

impl TryFrom<String> for BarInterval {
    type Error = MarketError;

    fn try_from(text: String) -> Result<Self, MarketError> {
        text.parse()
    }
}

impl From<BarInterval> for String {
    fn from(interval: BarInterval) -> Self {
        interval.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, calendar: TradingCalendar, periods_per_year: f64) {
        let interval: BarInterval = text.parse().expect("valid interval");
        assert_eq!(interval.to_string(), text);
        assert_eq!(interval.periods_per_year(calendar), periods_per_year);
    }

    #[test]
    fn a_year_of_sessions() {
        check("1d", TradingCalendar::Sessions, 252.0);
        check("1w", TradingCalendar::Sessions, 52.0);
        check("5m", TradingCalendar::Sessions, 252.0 * 78.0);
        check("1h", TradingCalendar::Sessions, 252.0 * 6.5);
        check("24h", TradingCalendar::Sessions, 252.0);
        check("1440m", TradingCalendar::Sessions, 252.0);
    }

    #[test]
    fn a_year_round_the_clock() {
        check("1d", TradingCalendar::RoundTheClock, 365.0);
        check("1h", TradingCalendar::RoundTheClock, 8_760.0);
    }

    #[test]
    fn nonsense_is_named() {
        for text in ["", "d", "0d", "1y", "-1d", "1.5h", "5分"] {
            let error = text.parse::<BarInterval>().expect_err(text);
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
    }
}
