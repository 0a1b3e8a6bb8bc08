//! When a portfolio is brought back to its weights, decided from nothing but the times of closes.
//!
//! The day of a close is the UTC date of the moment just before it, so that a daily bar that ends at midnight belongs to the day
//! that it covers. Invariant: whether a close is due depends on that close and those before it, never on a later one.

use std::num::NonZeroUsize;

use tidegate_market::{Timestamp, TradingCalendar};

use crate::BacktestError;
use crate::calendar::month_of_day;
use crate::error::require;

/// 1970-01-05, in days since 1970-01-01.
const A_MONDAY: i64 = 4;

/// The closes at which a portfolio is brought back to its weights. The first is the first close at which the strategy can.
///
/// The end of a week, month, quarter or year is the first close on its last trading day: the one after which the next trading day
/// lies in another week, month, quarter or year, which a calendar knows in advance. Trading days are Monday to Friday on
/// [`TradingCalendar::Sessions`], all days on [`TradingCalendar::RoundTheClock`]; holidays are not known. Where that day has no bar, the
/// first close after it counts instead. A week begins on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebalanceSchedule {
    /// One close out of so many; one is every close.
    EveryBars(NonZeroUsize),
    /// The first close of each day.
    Daily,
    /// The end of each week.
    Weekly(TradingCalendar),
    /// The end of each month.
    MonthEnd(TradingCalendar),
    /// The end of each quarter.
    QuarterEnd(TradingCalendar),
    /// The end of each year.
    YearEnd(TradingCalendar),
}

/// When weights are looked at, and how far off they must be to be corrected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rebalancing {
    /// The closes at which weights are looked at.
    pub schedule: RebalanceSchedule,
    /// How far a weight may be from its target before it is corrected, at least zero; leaving an instrument is never put off.
    pub tolerance: f64,
}

impl Rebalancing {
    pub(crate) fn validate(&self) -> Result<(), BacktestError> {
        let holds = self.tolerance.is_finite() && self.tolerance >= 0.0;
        require("rebalance_tolerance", "finite and at least 0", self.tolerance, holds)
    }
}

/// A schedule and how far it has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RebalanceClock {
    schedule: RebalanceSchedule,
    is_due: bool,
    bars_to_wait: usize,
    /// The day of the last close and the period of the trading day after it.
    last: Option<(i64, i64)>,
}

impl RebalanceClock {
    pub(crate) const fn new(schedule: RebalanceSchedule) -> Self {
        Self { schedule, is_due: true, bars_to_wait: 0, last: None }
    }

    /// Takes the next close and returns whether a rebalance is due; it stays due until [`Self::done`].
    #[inline]
    pub(crate) fn is_due_at(&mut self, close: Timestamp) -> bool {
        if matches!(self.schedule, RebalanceSchedule::EveryBars(_)) {
            self.is_due = self.bars_to_wait == 0;
            self.bars_to_wait = self.bars_to_wait.saturating_sub(1);
        } else {
            let day = close.plus_nanos(-1).nanos().div_euclid(Timestamp::NANOS_PER_DAY);
            if self.last.is_none_or(|(last_day, _)| last_day != day) {
                let period = self.schedule.period_after(day);
                self.is_due |= self.last.is_some_and(|(_, last_period)| last_period != period);
                self.last = Some((day, period));
            }
        }
        self.is_due
    }

    /// Notes that the portfolio was brought back to its weights at the last close.
    #[inline]
    pub(crate) const fn done(&mut self) {
        self.is_due = false;
        if let RebalanceSchedule::EveryBars(bars) = self.schedule {
            self.bars_to_wait = bars.get() - 1;
        }
    }
}

impl RebalanceSchedule {
    /// Returns a number that differs from that of an earlier day when a period has ended since, up to the end of the day; days are counted
    /// from 1970-01-01.
    fn period_after(self, day: i64) -> i64 {
        match self {
            // A schedule in bars has no periods: all days belong to one.
            Self::EveryBars(_) => 0,
            Self::Daily => day,
            Self::Weekly(calendar) => (next_trading_day(day, calendar) - A_MONDAY).div_euclid(7),
            Self::MonthEnd(calendar) => month_of_day(next_trading_day(day, calendar)),
            Self::QuarterEnd(calendar) => month_of_day(next_trading_day(day, calendar)).div_euclid(3),
            Self::YearEnd(calendar) => month_of_day(next_trading_day(day, calendar)).div_euclid(12),
        }
    }
}

fn next_trading_day(day: i64, calendar: TradingCalendar) -> i64 {
    let days_since_monday = (day - A_MONDAY).rem_euclid(7);
    match calendar {
        TradingCalendar::Sessions if days_since_monday >= 4 => day + 7 - days_since_monday,
        TradingCalendar::Sessions | TradingCalendar::RoundTheClock => day + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_market::TradingCalendar::{RoundTheClock, Sessions};

    /// Bars labelled by these dates; returns the labels of those whose close is due.
    fn due<'a>(schedule: RebalanceSchedule, labels: &[&'a str]) -> Vec<&'a str> {
        let mut clock = RebalanceClock::new(schedule);
        let is_due = |label: &&&str| {
            let open: Timestamp = label.parse().expect("a date");
            let due = clock.is_due_at(open.plus_nanos(Timestamp::NANOS_PER_DAY));
            clock.done();
            due
        };
        labels.iter().filter(is_due).copied().collect()
    }

    #[test]
    fn a_week_of_sessions_ends_on_friday() {
        // 2024-01-03 is a Wednesday.
        let days = ["2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-11", "2024-01-12", "2024-01-15"];
        assert_eq!(due(RebalanceSchedule::Weekly(Sessions), &days), ["2024-01-03", "2024-01-05", "2024-01-12"]);
    }

    #[test]
    fn a_week_without_its_friday_ends_at_the_next_close() {
        // Good Friday was 2024-03-29; the week after it has no bar at all.
        let days = ["2024-03-27", "2024-03-28", "2024-04-01", "2024-04-04", "2024-04-16", "2024-04-17"];
        let expected = ["2024-03-27", "2024-04-01", "2024-04-16"];
        assert_eq!(due(RebalanceSchedule::Weekly(Sessions), &days), expected);
    }

    #[test]
    fn a_week_round_the_clock_ends_on_sunday() {
        let days = ["2024-01-03", "2024-01-05", "2024-01-06", "2024-01-07", "2024-01-08", "2024-01-14", "2024-01-15"];
        let expected = ["2024-01-03", "2024-01-07", "2024-01-14"];
        assert_eq!(due(RebalanceSchedule::Weekly(RoundTheClock), &days), expected);
    }

    #[test]
    fn a_month_of_sessions_ends_on_its_last_weekday() {
        // The last weekdays: 2024-05-31 (Friday), 2024-06-28 (Friday before a weekend that ends the month), 2024-07-31 (Wednesday).
        let days = [
            "2024-05-15",
            "2024-05-30",
            "2024-05-31",
            "2024-06-03",
            "2024-06-27",
            "2024-06-28",
            "2024-07-01",
            "2024-07-30",
            "2024-07-31",
            "2024-08-01",
        ];
        let expected = ["2024-05-15", "2024-05-31", "2024-06-28", "2024-07-31"];
        assert_eq!(due(RebalanceSchedule::MonthEnd(Sessions), &days), expected);
    }

    #[test]
    fn a_month_without_its_last_weekday_ends_at_the_first_close_of_the_next() {
        let days = ["2024-03-27", "2024-03-28", "2024-04-01", "2024-04-02", "2024-04-30", "2024-05-01"];
        let expected = ["2024-03-27", "2024-04-01", "2024-04-30"];
        assert_eq!(due(RebalanceSchedule::MonthEnd(Sessions), &days), expected);
    }

    #[test]
    fn a_month_round_the_clock_ends_on_its_last_day() {
        let days = ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01", "2024-03-30", "2024-03-31", "2024-04-01"];
        let expected = ["2024-02-27", "2024-02-29", "2024-03-31"];
        assert_eq!(due(RebalanceSchedule::MonthEnd(RoundTheClock), &days), expected);
    }

    #[test]
    fn quarters_and_years_end_with_their_last_month() {
        let days = ["2023-12-28", "2023-12-29", "2024-01-31", "2024-02-29", "2024-03-29", "2024-12-31", "2025-01-01"];
        let quarters = ["2023-12-28", "2023-12-29", "2024-03-29", "2024-12-31"];
        assert_eq!(due(RebalanceSchedule::QuarterEnd(Sessions), &days), quarters);
        assert_eq!(due(RebalanceSchedule::YearEnd(Sessions), &days), ["2023-12-28", "2023-12-29", "2024-12-31"]);
    }

    #[test]
    fn of_several_closes_a_day_the_first_is_due() {
        let hours = |schedule| {
            let mut clock = RebalanceClock::new(schedule);
            let is_due = |&hour: &i64| {
                // From 2024-01-30 00:00 on.
                let start: Timestamp = "2024-01-30".parse().expect("a date");
                let due = clock.is_due_at(start.plus_nanos(hour * 3_600_000_000_000));
                clock.done();
                due
            };
            (1..=72).filter(is_due).collect::<Vec<_>>()
        };
        assert_eq!(hours(RebalanceSchedule::Daily), [1, 25, 49]);
        assert_eq!(hours(RebalanceSchedule::MonthEnd(Sessions)), [1, 25]);
    }

    #[test]
    fn every_third_bar_is_due_from_the_first_rebalance_on() {
        let mut clock = RebalanceClock::new(RebalanceSchedule::EveryBars(NonZeroUsize::new(3).expect("above zero")));
        let mut rebalanced = Vec::new();
        for close in 0..12 {
            // The strategy cannot rebalance before close 2.
            if clock.is_due_at(Timestamp::from_nanos(close)) && close >= 2 {
                clock.done();
                rebalanced.push(close);
            }
        }
        assert_eq!(rebalanced, [2, 5, 8, 11]);
    }

    #[test]
    fn what_is_due_stays_due_until_it_is_done() {
        let mut clock = RebalanceClock::new(RebalanceSchedule::MonthEnd(Sessions));
        let mut is_due = |date: &str, can: bool| {
            let due = clock.is_due_at(date.parse::<Timestamp>().expect("a date").plus_nanos(1));
            if due && can {
                clock.done();
            }
            due
        };
        assert!(is_due("2024-01-10", true));
        assert!(!is_due("2024-01-30", true));
        assert!(is_due("2024-01-31", false));
        assert!(is_due("2024-02-01", true));
        assert!(!is_due("2024-02-02", true));
    }

    #[test]
    fn a_tolerance_below_zero_is_refused() {
        let rebalancing = Rebalancing { schedule: RebalanceSchedule::Daily, tolerance: -0.1 };
        let error = rebalancing.validate().expect_err("negative");
        assert_eq!(error.to_string(), "rebalance_tolerance must be finite and at least 0, was `-0.1`");
    }
}
