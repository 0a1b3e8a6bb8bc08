//! Files of rates: exchange rates and the funding rates of perpetual contracts.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use tidegate_data::Table;
use tidegate_market::{RateSeries, Timestamp};

use crate::ExperimentError;

/// What a rate is of, which says what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RateKind {
    /// Money of the account for one unit of another currency.
    Exchange,
    /// What a long position pays as a fraction of its value.
    Funding,
}

impl RateKind {
    /// Returns the range of a rate, with its words and the next step where it is left.
    const fn range(self) -> (RangeInclusive<f64>, &'static str, &'static str) {
        match self {
            Self::Exchange => (
                1e-9..=1e9,
                "an exchange rate must be in [1e-9, 1e9]",
                "it is money of the account for one unit of the currency",
            ),
            Self::Funding => (-1.0..=1.0, "a funding rate must be in [-1, 1]", "it is a fraction, not a percentage"),
        }
    }
}

/// Reads the columns `time, rate`, sorted by time.
///
/// A rate is known at its time. Where every time is a midnight in UTC the file is one of dates, which do not say when in the day the rate was known:
/// each is known at the end of its day.
///
/// # Errors
/// When the file or a column is missing, times do not ascend, or a rate is not what its kind may be.
pub(crate) fn read_rates(path: &Path, kind: RateKind) -> Result<Arc<RateSeries>, ExperimentError> {
    let table = Table::read(path)?;
    let (times, rates) = (table.times("time")?, table.floats("rate")?);
    let damaged = |reason: String, hint| ExperimentError::Damaged { path: path.to_owned(), reason, hint };
    if times.is_empty() {
        return Err(damaged("it has no rows".to_owned(), "state `time, rate` rows"));
    }
    let (range, rule, hint) = kind.range();
    if let Some(row) = rates.iter().position(|rate| !range.contains(rate)) {
        return Err(damaged(format!("{rule}, was `{}` in data row `{}`", rates[row], row + 1), hint));
    }
    let series = RateSeries::new(known_times(times), rates);
    Ok(Arc::new(series.map_err(|error| damaged(error.to_string(), "sort the rows by time and name each time once"))?))
}

fn known_times(times: Vec<Timestamp>) -> Vec<Timestamp> {
    let is_date = |time: &Timestamp| time.nanos().rem_euclid(Timestamp::NANOS_PER_DAY) == 0;
    if !times.iter().all(is_date) {
        return times;
    }
    times.into_iter().map(|time| time.plus_nanos(Timestamp::NANOS_PER_DAY)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, kind: RateKind) -> Result<Arc<RateSeries>, ExperimentError> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("rates.csv");
        std::fs::write(&path, text).expect("the folder is writable");
        read_rates(&path, kind)
    }

    fn known(text: &str) -> Vec<String> {
        let series = read(text, RateKind::Funding).expect("sane rates");
        series.known_time().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_rate_of_a_date_is_known_when_its_day_ends() {
        let dates = "time,rate\n2024-01-02,0.25\n2024-01-03,0.5\n";
        assert_eq!(known(dates), ["2024-01-03", "2024-01-04"]);
        assert_eq!(read(dates, RateKind::Exchange).expect("above zero").value(), [0.25, 0.5]);
    }

    #[test]
    fn the_rate_of_a_moment_is_known_then() {
        let text = "time,rate\n2024-01-02 00:00:00,0.0001\n2024-01-02 08:00:00,-0.0002\n";
        assert_eq!(known(text), ["2024-01-02", "2024-01-02T08:00:00Z"]);
    }

    #[test]
    fn what_is_no_series_of_rates_is_refused() {
        let error = |text: &str| read(text, RateKind::Exchange).expect_err(text).to_string();
        assert!(error("time,rate\n").contains("no rows"), "{}", error("time,rate\n"));
        let zero = error("time,rate\n2024-01-02,1.25\n2024-01-03,0\n");
        assert!(zero.contains("an exchange rate must be in [1e-9, 1e9], was `0` in data row `2`"), "{zero}");
        let twice = error("time,rate\n2024-01-02,1.25\n2024-01-02,1.5\n");
        assert!(twice.contains("time must come after the row before"), "{twice}");
        let percent = read("time,rate\n2024-01-02,5\n", RateKind::Funding).expect_err("not a fraction").to_string();
        assert!(percent.contains("a funding rate must be in [-1, 1], was `5` in data row `1`"), "{percent}");
        assert!(error("time,value\n2024-01-02,1.25\n").contains("rate"));
    }
}
