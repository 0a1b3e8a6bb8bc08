//! Holes in the time axis of bars.

use serde::Serialize;
use tidegate_market::{Bars, IntervalUnit, Sessions, Timestamp};

use crate::{DataError, SessionSpec, sessions};

/// A step between two neighbouring bars that is longer than it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The symbol.
    pub symbol: String,
    /// The time label of the last bar before.
    pub from: Timestamp,
    /// The time label of the first bar after.
    pub to: Timestamp,
}

impl Gap {
    /// Returns the length in nanoseconds.
    pub const fn nanos(&self) -> i64 {
        self.to.nanos() - self.from.nanos()
    }
}

/// How many gaps there are, and the longest. Gaps are reported and never filled.
///
/// Where sessions are stated, a step is a gap when a session was open between the end of a bar and the next one; for daily bars, when a day
/// with a session lies between their dates. Elsewhere it goes by the bars:
///
/// For a symbol with bars on both Saturdays and Sundays (UTC), a step longer than the interval is a gap. For others, a step is a gap when it
/// is longer than the interval within one date, or longer than the interval and three days of weekend and holiday.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GapSummary {
    /// How many there are.
    pub count: usize,
    /// The longest [`GapSummary::LONGEST`], longest first.
    pub longest: Vec<Gap>,
}

impl GapSummary {
    /// How many gaps a report shows.
    pub const LONGEST: usize = 5;

    /// Adds one symbol's gaps.
    pub(crate) fn add(&mut self, symbol: &str, bars: &Bars, hours: Option<&OpenHours<'_>>) {
        let interval = bars.interval().nanos();
        let round_the_clock = trades_on_weekends(bars);
        for (row, pair) in bars.time().windows(2).enumerate() {
            let step = pair[1].nanos() - pair[0].nanos();
            if step <= interval {
                continue;
            }
            let gap = match hours.and_then(|hours| hours.is_gap(bars, row)) {
                Some(gap) => gap,
                None => round_the_clock || is_gap(pair[0], pair[1], interval),
            };
            if !gap {
                continue;
            }
            self.count += 1;
            if self.longest.len() < Self::LONGEST || self.longest.last().is_some_and(|gap| gap.nanos() < step) {
                let gap = Gap { symbol: symbol.to_owned(), from: pair[0], to: pair[1] };
                let place = self.longest.partition_point(|longer| longer.nanos() >= step);
                self.longest.insert(place, gap);
                self.longest.truncate(Self::LONGEST);
            }
        }
    }
}

/// When a market was open, over the span of some bars.
pub(crate) struct OpenHours<'a> {
    spec: &'a SessionSpec,
    sessions: Sessions,
}

impl<'a> OpenHours<'a> {
    pub(crate) fn new(spec: &'a SessionSpec, first: Timestamp, last: Timestamp) -> Result<Self, DataError> {
        Ok(Self { spec, sessions: sessions(spec, first, last)? })
    }

    /// Tells whether the market was open between a bar and the next; `None` for bars longer than a day, which sessions say nothing of.
    fn is_gap(&self, bars: &Bars, row: usize) -> Option<bool> {
        match bars.interval().unit() {
            IntervalUnit::Minute | IntervalUnit::Hour => {
                let (from, to) = (bars.close_time(row), bars.open_time(row + 1));
                let open = |place: usize| self.sessions.all().get(place).is_some_and(|session| session.open < to);
                Some(from < to && open(self.sessions.place(from)))
            }
            IntervalUnit::Day if bars.interval().nanos() == Timestamp::NANOS_PER_DAY => {
                let (from, to) = (bars.open_time(row).date(), bars.open_time(row + 1).date());
                Some(from.iter_days().skip(1).take_while(|day| *day < to).any(|day| self.spec.has_session(day)))
            }
            IntervalUnit::Day | IntervalUnit::Week => None,
        }
    }
}

/// Tells whether a step on a market of sessions is a gap.
fn is_gap(from: Timestamp, to: Timestamp, interval: i64) -> bool {
    let day = |time: Timestamp| time.nanos().div_euclid(Timestamp::NANOS_PER_DAY);
    let step = to.nanos() - from.nanos();
    (interval < Timestamp::NANOS_PER_DAY && day(from) == day(to)) || step > interval + 3 * Timestamp::NANOS_PER_DAY
}

fn trades_on_weekends(bars: &Bars) -> bool {
    // 1970-01-01 was a Thursday: day 2 of that count modulo 7 is a Saturday.
    let weekday = |time: &Timestamp| time.nanos().div_euclid(Timestamp::NANOS_PER_DAY).rem_euclid(7);
    let has = |wanted: i64| bars.time().iter().any(|time| weekday(time) == wanted);
    has(2) && has(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_market::{BarColumns, BarLabel};

    fn check(interval: &str, times: &[&str], expected: &[(&str, &str)]) {
        check_within(None, interval, times, expected);
    }

    fn check_within(spec: Option<&SessionSpec>, interval: &str, times: &[&str], expected: &[(&str, &str)]) {
        let flat = vec![1.0; times.len()];
        let columns = BarColumns {
            time: times.iter().map(|time| time.parse().expect("valid")).collect(),
            open: flat.clone(),
            high: flat.clone(),
            low: flat.clone(),
            close: flat.clone(),
            volume: flat,
        };
        let bars = Bars::new(columns, BarLabel::Open, interval.parse().expect("valid")).expect("sane");
        let mut gaps = GapSummary::default();
        let last = bars.time()[bars.len() - 1];
        let hours = spec.map(|spec| OpenHours::new(spec, bars.time()[0], last).expect("valid"));
        gaps.add("X", &bars, hours.as_ref());
        let found: Vec<_> = gaps.longest.iter().map(|gap| (gap.from.to_string(), gap.to.to_string())).collect();
        let expected: Vec<_> = expected.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        assert_eq!(found, expected);
        assert_eq!(gaps.count, expected.len());
    }

    #[test]
    fn a_long_weekend_is_no_gap_and_a_closed_week_is() {
        let days = ["2001-08-30", "2001-09-04", "2001-09-10", "2001-09-17"];
        check("1d", &days, &[("2001-09-10", "2001-09-17"), ("2001-09-04", "2001-09-10"), ("2001-08-30", "2001-09-04")]);
        check("1d", &["2001-08-31", "2001-09-04", "2001-09-05"], &[]);
    }

    #[test]
    fn a_missing_day_of_a_market_that_never_closes_is_a_gap() {
        let days = ["2021-01-01", "2021-01-02", "2021-01-03", "2021-01-05"];
        check("1d", &days, &[("2021-01-03", "2021-01-05")]);
    }

    #[test]
    fn a_night_is_no_gap_and_a_missing_minute_is() {
        let times = ["2021-01-04T15:00:00Z", "2021-01-04T15:01:00Z", "2021-01-04T15:03:00Z", "2021-01-05T14:30:00Z"];
        check("1m", &times, &[("2021-01-04T15:01:00Z", "2021-01-04T15:03:00Z")]);
    }

    fn new_york() -> SessionSpec {
        let text =
            r#"{"time_zone": "America/New_York", "open": "09:30", "close": "16:00", "holidays": ["2021-01-18"]}"#;
        serde_json::from_str(text).expect("valid")
    }

    #[test]
    fn inside_sessions_a_missing_minute_is_a_gap_and_outside_of_them_none_is() {
        // New York is five hours behind: 14:30 to 21:00 UTC.
        let times = [
            "2021-01-15T12:00:00Z",
            "2021-01-15T12:07:00Z",
            "2021-01-15T14:30:00Z",
            "2021-01-15T14:32:00Z",
            "2021-01-15T20:59:00Z",
            "2021-01-15T22:30:00Z",
            // Monday is a holiday; on Tuesday the first minute is missing.
            "2021-01-19T14:31:00Z",
        ];
        let expected = [(times[5], times[6]), (times[3], times[4]), (times[2], times[3])];
        check_within(Some(&new_york()), "1m", &times, &expected);
        check_within(Some(&new_york()), "1m", &["2021-01-15T20:59:00Z", "2021-01-19T14:30:00Z"], &[]);
    }

    #[test]
    fn a_day_with_a_session_and_without_a_bar_is_a_gap() {
        let days = ["2021-01-14", "2021-01-15", "2021-01-19", "2021-01-21"];
        check_within(Some(&new_york()), "1d", &days, &[("2021-01-19", "2021-01-21")]);
    }
}
