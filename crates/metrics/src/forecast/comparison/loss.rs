//! What a forecast loses by being wrong.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidegate_market::Timestamp;

use crate::MetricsError;
use crate::forecast::ScoredForecast;
use crate::sample::mean;

/// What a forecast loses by being wrong; lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `(actual - mean)^2`.
    SquaredError,
    /// `|actual - mean|`.
    AbsoluteError,
    /// Less the logarithm of the density, in nats: see [`Distribution::log_density`](crate::Distribution::log_density).
    NegativeLogLikelihood,
    /// The continuous ranked probability score: see [`Distribution::crps`](crate::Distribution::crps).
    Crps,
}

impl Loss {
    /// Returns whether the loss is 0 for a perfect forecast, so that a ratio of two means something.
    pub fn has_zero(self) -> bool {
        self != Self::NegativeLogLikelihood
    }

    fn of(self, forecast: &ScoredForecast) -> Option<f64> {
        let error = forecast.actual - forecast.mean;
        match self {
            Self::SquaredError => Some(error * error),
            Self::AbsoluteError => Some(error.abs()),
            Self::NegativeLogLikelihood => Some(-forecast.stated()?.log_density(forecast.actual)?),
            Self::Crps => Some(forecast.stated()?.crps(forecast.actual)),
        }
    }
}

/// Computes the loss of each forecast; `None` when one does not state the distribution that the loss needs.
///
/// # Errors
/// [`MetricsError::Row`] for a number that is not finite or a variance that is not above 0, [`MetricsError::Distribution`] for an
/// invalid distribution.
pub fn losses(loss: Loss, forecasts: &[ScoredForecast]) -> Result<Option<Vec<f64>>, MetricsError> {
    ScoredForecast::validate_all(forecasts)?;
    Ok(forecasts.iter().map(|forecast| loss.of(forecast)).collect())
}

/// Averages the values of each time, in ascending order of time: one value for all instruments of a date.
///
/// # Errors
/// [`MetricsError::Length`] when times and values differ in number.
pub fn mean_by_time(times: &[Timestamp], values: &[f64]) -> Result<Vec<f64>, MetricsError> {
    if times.len() != values.len() {
        return Err(MetricsError::Length { name: "values", expected: times.len(), found: values.len() });
    }
    let mut groups: BTreeMap<Timestamp, Vec<f64>> = BTreeMap::new();
    for (&time, &value) in times.iter().zip(values) {
        groups.entry(time).or_default().push(value);
    }
    Ok(groups.values().filter_map(|group| mean(group)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_by_hand() {
        let rows = [ScoredForecast::from_moments(1.0, Some(1.0), 0.0)];
        let check = |loss, expected: f64| {
            let found = losses(loss, &rows).expect("valid").expect("a variance")[0];
            assert!((found - expected).abs() < 5e-7, "{loss:?}: {found}");
        };
        check(Loss::SquaredError, 1.0);
        check(Loss::AbsoluteError, 1.0);
        // The published values of N(0, 1) at 1.
        check(Loss::NegativeLogLikelihood, 1.418_939);
        check(Loss::Crps, 0.602_441_4);
        assert_eq!(losses(Loss::Crps, &[ScoredForecast::from_moments(1.0, None, 0.0)]), Ok(None));
    }

    #[test]
    fn instruments_of_one_time_count_once() {
        let time = |day: i64| Timestamp::from_nanos(day);
        let times = [time(2), time(1), time(2), time(1), time(3)];
        assert_eq!(mean_by_time(&times, &[1.0, 2.0, 3.0, 6.0, 5.0]), Ok(vec![4.0, 2.0, 5.0]));
        assert!(mean_by_time(&times, &[1.0]).is_err());
    }
}
