//! The times at which simulated bars open.

use tidegate_market::{BarInterval, IntervalUnit, Timestamp, TradingCalendar};

use crate::DataError;

const MINUTE: i64 = 60 * 1_000_000_000;
/// Sessions are Mondays to Fridays, 14:30 to 21:00 UTC: New York's in winter, all year round and without holidays.
const SESSION_OPEN: i64 = (14 * 60 + 30) * MINUTE;
const SESSION_CLOSE: i64 = 21 * 60 * MINUTE;

/// Returns the open times of `bars` bars.
pub(super) fn axis(
    start: Timestamp,
    interval: BarInterval,
    calendar: TradingCalendar,
    bars: usize,
) -> Result<Vec<Timestamp>, DataError> {
    let step = interval.nanos();
    let intraday = matches!(interval.unit(), IntervalUnit::Minute | IntervalUnit::Hour);
    let sessions = calendar == TradingCalendar::Sessions;
    if sessions && intraday && step > SESSION_CLOSE - SESSION_OPEN {
        let rule = "at most 390m, the length of a session";
        return Err(DataError::Simulation { name: "interval", rule, value: interval.to_string() });
    }
    let mut time = start.nanos();
    let mut times = Vec::with_capacity(bars);
    while times.len() < bars {
        if sessions {
            time = next_open(time, step, intraday, interval.unit() == IntervalUnit::Week);
        }
        times.push(Timestamp::from_nanos(time));
        time = time.checked_add(step).ok_or_else(|| DataError::Simulation {
            name: "bars",
            rule: "fewer, so that they end before the year 2262",
            value: bars.to_string(),
        })?;
    }
    Ok(times)
}

/// Returns the time itself when a bar of a session can open then, else the next such time.
fn next_open(time: i64, step: i64, intraday: bool, weekly: bool) -> i64 {
    if weekly {
        return time;
    }
    let mut day = time.div_euclid(Timestamp::NANOS_PER_DAY);
    let mut clock = time.rem_euclid(Timestamp::NANOS_PER_DAY);
    if intraday && clock + step > SESSION_CLOSE {
        day += 1;
        clock = 0;
    }
    let work_day = next_work_day(day);
    if work_day != day && intraday {
        clock = 0;
    }
    if intraday {
        clock = clock.max(SESSION_OPEN);
    }
    work_day * Timestamp::NANOS_PER_DAY + clock
}

/// Returns the day itself, or the Monday after a weekend. 1970-01-01, day 0, was a Thursday.
fn next_work_day(day: i64) -> i64 {
    match day.rem_euclid(7) {
        2 => day + 2,
        3 => day + 1,
        _ => day,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start: &str, interval: &str, calendar: TradingCalendar, expected: &[&str]) {
        let interval = interval.parse().expect("valid");
        let times = axis(start.parse().expect("valid"), interval, calendar, expected.len()).expect("fits");
        assert_eq!(times.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn daily_sessions_skip_weekends() {
        let days = ["2018-12-06", "2018-12-07", "2018-12-10", "2018-12-11"];
        check("2018-12-06", "1d", TradingCalendar::Sessions, &days);
        check("2018-12-08", "1d", TradingCalendar::Sessions, &["2018-12-10"]);
    }

    #[test]
    fn a_session_has_six_and_a_half_hours() {
        check(
            "2018-12-07",
            "2h",
            TradingCalendar::Sessions,
            &["2018-12-07T14:30:00Z", "2018-12-07T16:30:00Z", "2018-12-07T18:30:00Z", "2018-12-10T14:30:00Z"],
        );
    }

    #[test]
    fn a_market_that_never_closes_has_no_holes() {
        let days = ["2018-12-07", "2018-12-08", "2018-12-09"];
        check("2018-12-07", "1d", TradingCalendar::RoundTheClock, &days);
    }
}
