//! A series of simple returns.

use tidegate_market::Timestamp;

use crate::MetricsError;

/// Nanoseconds in a year of 365.25 days.
const NANOS_PER_YEAR: f64 = 365.25 * Timestamp::NANOS_PER_DAY as f64;

/// Simple returns of consecutive periods, as fractions, and how many such periods make a year.
///
/// Every value is finite. A return of -1 or below is ruin; nothing but zeros may follow it. Times, where known, label the
/// periods and ascend; `start`, where known, is the moment before the first period.
#[derive(Debug, Clone, PartialEq)]
pub struct Returns {
    start: Option<Timestamp>,
    time: Option<Vec<Timestamp>>,
    values: Vec<f64>,
    periods_per_year: f64,
}

/// How many years a series spans, and what says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Elapsed {
    /// Calendar time from the start to the last label, in years of 365.25 days.
    Calendar(f64),
    /// The number of periods over the periods per year, because no times are known.
    Periods(f64),
}

impl Elapsed {
    /// Returns the number of years.
    pub const fn years(self) -> f64 {
        match self {
            Self::Calendar(years) | Self::Periods(years) => years,
        }
    }
}

impl Returns {
    /// Wraps returns with the times that label their periods.
    ///
    /// # Errors
    /// [`MetricsError::Length`] when times and values differ in number, [`MetricsError::Unsorted`] when times do not ascend,
    /// and the errors of [`Returns::from_periods`].
    pub fn from_times(time: Vec<Timestamp>, values: Vec<f64>, periods_per_year: f64) -> Result<Self, MetricsError> {
        if time.len() != values.len() {
            return Err(MetricsError::Length { name: "returns", expected: time.len(), found: values.len() });
        }
        check_ascending(&time)?;
        Ok(Self { time: Some(time), ..Self::from_periods(values, periods_per_year)? })
    }

    /// Wraps returns of which only the order is known.
    ///
    /// # Errors
    /// [`MetricsError::Setting`] for periods per year that are not finite and above 0, [`MetricsError::Row`] for a return
    /// that is not finite, [`MetricsError::AfterRuin`] for a return other than 0 after one of -1 or below.
    pub fn from_periods(values: Vec<f64>, periods_per_year: f64) -> Result<Self, MetricsError> {
        if !periods_per_year.is_finite() || periods_per_year <= 0.0 {
            let (name, rule) = ("periods per year", "finite and above 0");
            return Err(MetricsError::Setting { name, rule, value: periods_per_year });
        }
        let mut ruined = false;
        for (row, &value) in values.iter().enumerate() {
            if !value.is_finite() {
                return Err(MetricsError::Row { name: "a return", rule: "finite", value, row });
            }
            if ruined && value != 0.0 {
                return Err(MetricsError::AfterRuin { row, value });
            }
            ruined |= value <= -1.0;
        }
        Ok(Self { start: None, time: None, values, periods_per_year })
    }

    /// Returns the same series with the moment before its first period.
    ///
    /// # Errors
    /// [`MetricsError::Unsorted`] when the first label does not come after it.
    pub fn with_start(self, start: Timestamp) -> Result<Self, MetricsError> {
        match self.time.as_ref().and_then(|time| time.first()) {
            Some(&time) if time <= start => Err(MetricsError::Unsorted { row: 0, time, before: start }),
            _ => Ok(Self { start: Some(start), ..self }),
        }
    }

    /// Returns the number of periods.
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether there are no periods.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the simple returns.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Returns the labels of the periods, when known.
    pub fn time(&self) -> Option<&[Timestamp]> {
        self.time.as_deref()
    }

    /// Returns the moment before the first period, when known.
    pub const fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// Returns how many periods make a year.
    pub const fn periods_per_year(&self) -> f64 {
        self.periods_per_year
    }

    /// Returns whether a return of -1 or below took everything; ratios are undefined then.
    pub fn is_ruined(&self) -> bool {
        self.values.iter().any(|&value| value <= -1.0)
    }

    /// Returns what one unit of money became: the initial 1, then the value after every period.
    pub fn growth(&self) -> Vec<f64> {
        let mut growth = Vec::with_capacity(self.len() + 1);
        let mut value = 1.0;
        growth.push(value);
        for return_ in &self.values {
            value *= 1.0 + return_;
            growth.push(value);
        }
        growth
    }

    /// Returns how many years the series spans.
    ///
    /// Calendar time from `start` to the last label. Where the start is not known, the first period is taken to be as long as
    /// the others on average. Where there are no times, or one and no start, the number of periods over the periods per year.
    pub fn elapsed(&self) -> Elapsed {
        let count = self.len() as f64;
        let ends = self.time.as_ref().and_then(|time| Some((*time.first()?, *time.last()?)));
        match (self.start, ends) {
            (Some(start), Some((_, last))) => Elapsed::Calendar(years_between(start, last)),
            (None, Some((first, last))) if first < last => {
                Elapsed::Calendar(years_between(first, last) * count / (count - 1.0))
            }
            _ => self.elapsed_by_periods(),
        }
    }

    /// Returns the number of periods over the periods per year.
    pub fn elapsed_by_periods(&self) -> Elapsed {
        Elapsed::Periods(self.len() as f64 / self.periods_per_year)
    }
}

/// Returns the calendar time from one moment to another, in years of 365.25 days.
pub(crate) fn years_between(from: Timestamp, to: Timestamp) -> f64 {
    (to.nanos() as f64 - from.nanos() as f64) / NANOS_PER_YEAR
}

/// Checks that each time comes after the one before.
pub(crate) fn check_ascending(time: &[Timestamp]) -> Result<(), MetricsError> {
    match time.windows(2).position(|pair| pair[1] <= pair[0]) {
        Some(row) => Err(MetricsError::Unsorted { row: row + 1, time: time[row + 1], before: time[row] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: &[i64]) -> Vec<Timestamp> {
        days.iter().map(|day| Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)).collect()
    }

    fn check(time: &[i64], values: &[f64], message: &str) {
        let error = Returns::from_times(days(time), values.to_vec(), 252.0).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn broken_returns_do_not_construct() {
        check(&[0, 1], &[0.1], "returns must have `2` rows, has `1`");
        check(&[1, 1], &[0.1, 0.1], "times must ascend: row `1` is at `1970-01-02`");
        check(&[0, 1], &[0.1, f64::NAN], "a return must be finite, was `NaN` at row `1`");
        check(&[0, 1], &[-1.0, 0.2], "row `1` has a return of `0.2`");
        let error = Returns::from_periods(vec![], 0.0).expect_err("no periods").to_string();
        assert_eq!(error, "periods per year must be finite and above 0, was `0`");
    }

    #[test]
    fn zeros_may_follow_ruin() {
        assert!(Returns::from_periods(vec![0.1, -1.0, 0.0], 252.0).expect("valid").is_ruined());
    }

    #[test]
    fn growth_starts_at_one() {
        let returns = Returns::from_periods(vec![-0.5, 1.0], 252.0).expect("valid");
        assert_eq!(returns.growth(), [1.0, 0.5, 1.0]);
    }

    #[test]
    fn calendar_time_counts_from_the_start() {
        let returns = Returns::from_times(days(&[10, 1461]), vec![0.0, 0.0], 252.0).expect("valid");
        // 1461 days are four years of 365.25.
        let started = returns.clone().with_start(Timestamp::from_nanos(0)).expect("before the first");
        assert_eq!(started.elapsed(), Elapsed::Calendar(4.0));
        // Two labels 1451 days apart: the unseen first period is taken to be 1451 days long too.
        assert_eq!(returns.elapsed(), Elapsed::Calendar(2.0 * 1451.0 / 365.25));
    }

    #[test]
    fn without_times_the_periods_are_counted() {
        let returns = Returns::from_periods(vec![0.0; 126], 252.0).expect("valid");
        assert_eq!(returns.elapsed(), Elapsed::Periods(0.5));
        let one = Returns::from_times(days(&[3]), vec![0.01], 252.0).expect("valid");
        assert_eq!(one.elapsed(), Elapsed::Periods(1.0 / 252.0));
    }

    #[test]
    fn a_start_must_come_first() {
        let returns = Returns::from_times(days(&[3]), vec![0.01], 252.0).expect("valid");
        let error = returns.with_start(Timestamp::from_nanos(3 * Timestamp::NANOS_PER_DAY)).expect_err("not before");
        assert!(error.to_string().contains("times must ascend"), "{error}");
    }
}
