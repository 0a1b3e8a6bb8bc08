//! Share of the variation that forecasts explain out of sample.

use super::ScoredForecast;
use crate::sample::finite;

/// Computes `1 - sum((actual - mean)^2) / sum((actual - b)^2)` for a forecast `b` that knows nothing; `None` without forecasts, when
/// `b` is not known for all, or when it is never wrong. It is negative for forecasts worse than `b`, and not a squared correlation.
///
/// Sources: Campbell and Thompson (2008), "Predicting Excess Stock Returns Out of Sample", with the training mean; Gu, Kelly and
/// Xiu (2020), "Empirical Asset Pricing via Machine Learning", with 0.
pub(super) fn r2_out_of_sample(
    forecasts: &[ScoredForecast],
    knows_nothing: impl Fn(&ScoredForecast) -> Option<f64>,
) -> Option<f64> {
    let (mut own, mut other) = (0.0, 0.0);
    for forecast in forecasts {
        own += (forecast.actual - forecast.mean).powi(2);
        other += (forecast.actual - knows_nothing(forecast)?).powi(2);
    }
    if other > 0.0 { finite(1.0 - own / other) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(mean: f64, actual: f64, train_mean: Option<f64>) -> ScoredForecast {
        ScoredForecast { train_mean, ..ScoredForecast::from_moments(mean, None, actual) }
    }

    #[test]
    fn against_zero_and_against_the_training_mean_by_hand() {
        let rows = [forecast(1.0, 2.0, Some(1.0)), forecast(0.0, -1.0, Some(1.0))];
        // Errors 1 and -1; against 0: 1 - 2 / 5; against the training mean 1: 1 - 2 / (1 + 4).
        assert_eq!(r2_out_of_sample(&rows, |_| Some(0.0)), Some(1.0 - 2.0 / 5.0));
        assert_eq!(r2_out_of_sample(&rows, |row| row.train_mean), Some(1.0 - 2.0 / 5.0));
        let rows = [forecast(1.0, 2.0, Some(2.0)), forecast(0.0, -1.0, Some(1.0))];
        assert_eq!(r2_out_of_sample(&rows, |row| row.train_mean), Some(0.5));
    }

    #[test]
    fn a_forecast_of_what_knows_nothing_explains_nothing() {
        assert_eq!(r2_out_of_sample(&[forecast(0.0, 0.5, None)], |_| Some(0.0)), Some(0.0));
    }

    #[test]
    fn without_the_training_mean_of_every_row_there_is_none() {
        let rows = [forecast(1.0, 2.0, Some(1.0)), forecast(0.0, -1.0, None)];
        assert_eq!(r2_out_of_sample(&rows, |row| row.train_mean), None);
        assert_eq!(r2_out_of_sample(&[], |_| Some(0.0)), None);
        assert_eq!(r2_out_of_sample(&[forecast(1.0, 0.0, None)], |_| Some(0.0)), None);
    }
}
