//! Coarser bars from finer ones. A coarse bar is known at the close of its last fine bar or later; a partial one is never visible.

use std::num::NonZeroUsize;
use std::ops::Range;

use tidegate_market::{BarColumns, BarInterval, BarLabel, Bars, IntervalUnit, Timestamp};

use crate::DataError;

/// Merges every `multiple` neighbouring bars into one; a last incomplete group is left out.
///
/// A coarse bar is labelled by the close of its last fine bar, whatever the fine bars' label: five sessions may span a weekend, and the label of
/// the first plus five days would come too early.
///
/// # Errors
/// [`DataError::Interval`] when the coarse interval is longer than an interval can be.
pub fn resample(bars: &Bars, multiple: NonZeroUsize) -> Result<Bars, DataError> {
    let multiple = multiple.get();
    let interval = times(bars.interval(), multiple)
        .ok_or_else(|| DataError::Interval { from: bars.interval(), to: bars.interval() })?;
    let groups = (0..bars.len() / multiple).map(|group| group * multiple..(group + 1) * multiple);
    let columns = merge(bars, groups, |rows| bars.close_time(rows.end - 1));
    Ok(Bars::new(columns, BarLabel::Close, interval).expect("groups of sane bars are sane"))
}

/// Merges the bars that open within each interval of the civil clock: hours from the full hour, days from midnight UTC, weeks from Monday.
///
/// A coarse bar is labelled by the start of its interval and known at its end. The first is left out unless a bar opens at its start, and the last unless a
/// bar closes at its end, so that none is partial; holes inside are not looked for. A last week of daily bars is complete when it has a Friday.
///
/// # Errors
/// [`DataError::Interval`] unless `to` is a whole multiple of the bars' interval.
pub fn resample_to(bars: &Bars, to: BarInterval) -> Result<Bars, DataError> {
    let from = bars.interval();
    if to.nanos() % from.nanos() != 0 || to.nanos() < from.nanos() {
        return Err(DataError::Interval { from, to });
    }
    let start = |row: usize| bucket_start(bars.open_time(row), to);
    let mut groups: Vec<Range<usize>> = Vec::new();
    for row in 0..bars.len() {
        match groups.last_mut() {
            Some(group) if start(group.start) == start(row) => group.end = row + 1,
            _ => groups.push(row..row + 1),
        }
    }
    if groups.first().is_some_and(|first| bars.open_time(first.start) != start(first.start)) {
        groups.remove(0);
    }
    if groups.last().is_some_and(|last| !reaches_end(bars, last, start(last.start), to)) {
        groups.pop();
    }
    let columns = merge(bars, groups.into_iter(), |rows| start(rows.start));
    Ok(Bars::new(columns, BarLabel::Open, to).expect("groups of sane bars are sane"))
}

/// Tells whether a group's last bar closes at the end of its interval; a week of daily bars ends with Friday.
fn reaches_end(bars: &Bars, rows: &Range<usize>, start: Timestamp, to: BarInterval) -> bool {
    let mut end = start.plus_nanos(to.nanos());
    if to.unit() == IntervalUnit::Week && bars.interval().unit() == IntervalUnit::Day {
        end = end.plus_nanos(-2 * Timestamp::NANOS_PER_DAY);
    }
    bars.close_time(rows.end - 1) >= end
}

/// Returns the start of the interval in which a time lies. Weeks start on Mondays, and 1970-01-05 was one.
fn bucket_start(time: Timestamp, interval: BarInterval) -> Timestamp {
    let origin = if interval.unit() == IntervalUnit::Week { 4 * Timestamp::NANOS_PER_DAY } else { 0 };
    Timestamp::from_nanos((time.nanos() - origin).div_euclid(interval.nanos()) * interval.nanos() + origin)
}

fn merge(
    bars: &Bars,
    groups: impl Iterator<Item = Range<usize>>,
    label: impl Fn(&Range<usize>) -> Timestamp,
) -> BarColumns {
    let mut columns = BarColumns::default();
    for rows in groups {
        columns.time.push(label(&rows));
        columns.open.push(bars.open()[rows.start]);
        columns.high.push(bars.high()[rows.clone()].iter().copied().fold(f64::MIN, f64::max));
        columns.low.push(bars.low()[rows.clone()].iter().copied().fold(f64::MAX, f64::min));
        columns.close.push(bars.close()[rows.end - 1]);
        columns.volume.push(bars.volume()[rows].iter().sum());
    }
    columns
}

/// Returns `multiple` times an interval, in its own unit.
fn times(interval: BarInterval, multiple: usize) -> Option<BarInterval> {
    let text = interval.to_string();
    let (count, unit) = text.split_at(text.len() - 1);
    let count = count.parse::<u64>().ok()?.checked_mul(multiple as u64)?;
    format!("{count}{unit}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bars whose open is 10, 11, 12, ..., with high two above, low one below and close one above.
    fn bars(interval: &str, times: &[&str]) -> Bars {
        let open: Vec<f64> = (0..times.len()).map(|row| 10.0 + row as f64).collect();
        let columns = BarColumns {
            time: times.iter().map(|time| time.parse().expect("valid")).collect(),
            high: open.iter().map(|price| price + 2.0).collect(),
            low: open.iter().map(|price| price - 1.0).collect(),
            close: open.iter().map(|price| price + 1.0).collect(),
            volume: vec![100.0; times.len()],
            open,
        };
        Bars::new(columns, BarLabel::Open, interval.parse().expect("valid")).expect("sane")
    }

    /// Wednesday to Thursday of the next week.
    const SESSIONS: [&str; 7] =
        ["2018-12-05", "2018-12-06", "2018-12-07", "2018-12-10", "2018-12-11", "2018-12-12", "2018-12-13"];

    #[test]
    fn three_sessions_become_one_bar_known_at_the_close_of_the_third() {
        let coarse = resample(&bars("1d", &SESSIONS), NonZeroUsize::new(3).expect("not zero")).expect("fits");
        // Rows 0..3 and 3..6; row 6 starts a group that is not complete.
        assert_eq!(coarse.open(), [10.0, 13.0]);
        assert_eq!(coarse.high(), [14.0, 17.0]);
        assert_eq!(coarse.low(), [9.0, 12.0]);
        assert_eq!(coarse.close(), [13.0, 16.0]);
        assert_eq!(coarse.volume(), [300.0, 300.0]);
        assert_eq!(coarse.close_time(0).to_string(), "2018-12-08");
        assert_eq!(coarse.close_time(1).to_string(), "2018-12-13");
        assert_eq!(coarse.interval().to_string(), "3d");
    }

    #[test]
    fn more_fine_bars_never_change_the_coarse_bars_before() {
        let all = bars("1d", &SESSIONS);
        let multiple = NonZeroUsize::new(2).expect("not zero");
        let whole = resample(&all, multiple).expect("fits");
        for rows in 0..=all.len() {
            let part = resample(&all.prefix(rows), multiple).expect("fits");
            assert_eq!(part, whole.prefix(rows / 2));
        }
    }

    #[test]
    fn a_week_starts_on_monday_and_partial_weeks_are_left_out() {
        let days = [
            "2018-12-06",
            "2018-12-07",
            "2018-12-10",
            "2018-12-11",
            "2018-12-12",
            "2018-12-13",
            "2018-12-14",
            "2018-12-17",
        ];
        let coarse = resample_to(&bars("1d", &days), "1w".parse().expect("valid")).expect("a multiple");
        assert_eq!(coarse.len(), 1);
        assert_eq!(coarse.time()[0].to_string(), "2018-12-10");
        assert_eq!(coarse.close_time(0).to_string(), "2018-12-17");
        assert_eq!([coarse.open()[0], coarse.close()[0], coarse.volume()[0]], [12.0, 17.0, 500.0]);
    }

    #[test]
    fn half_hours_become_full_hours() {
        let times = ["2018-12-06T14:30:00Z", "2018-12-06T15:00:00Z", "2018-12-06T15:30:00Z", "2018-12-06T16:00:00Z"];
        let coarse = resample_to(&bars("30m", &times), "1h".parse().expect("valid")).expect("a multiple");
        assert_eq!(coarse.len(), 1);
        assert_eq!(coarse.time()[0].to_string(), "2018-12-06T15:00:00Z");
        assert_eq!([coarse.open()[0], coarse.high()[0], coarse.low()[0], coarse.close()[0]], [11.0, 14.0, 10.0, 13.0]);
    }

    #[test]
    fn an_interval_that_does_not_divide_is_refused() {
        let error = resample_to(&bars("30m", &[]), "45m".parse().expect("valid")).expect_err("no multiple");
        assert_eq!(error.to_string(), "resampling needs a whole multiple of the bars' interval `30m`, was `45m`");
    }
}
