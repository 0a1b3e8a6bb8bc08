//! Root relative squared error.

use super::ScoredForecast;
use crate::sample::{finite, is_constant, mean};

/// Computes `sqrt(sum((actual - mean)^2) / sum((actual - average of the actuals)^2))` over all series together: 1 is as good as
/// knowing the average of the test rows beforehand; `None` when the actual values do not vary.
///
/// Source: Lai, Chang, Yang and Liu (2018), "Modeling Long- and Short-Term Temporal Patterns with Deep Neural Networks" (`LSTNet`).
pub(super) fn relative_squared_error(forecasts: &[ScoredForecast]) -> Option<f64> {
    let actuals: Vec<f64> = forecasts.iter().map(|forecast| forecast.actual).collect();
    if is_constant(&actuals) {
        return None;
    }
    let average = mean(&actuals)?;
    let own: f64 = forecasts.iter().map(|forecast| (forecast.actual - forecast.mean).powi(2)).sum();
    let other: f64 = actuals.iter().map(|actual| (actual - average).powi(2)).sum();
    finite((own / other).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(f64, f64)]) -> Option<f64> {
        let row = |&(mean, actual)| ScoredForecast::from_moments(mean, None, actual);
        relative_squared_error(&pairs.iter().map(row).collect::<Vec<_>>())
    }

    #[test]
    fn the_average_of_the_test_rows_scores_one() {
        assert_eq!(of(&[(2.0, 1.0), (2.0, 3.0)]), Some(1.0));
    }

    #[test]
    fn by_hand() {
        // Errors 1, 0, 1 against distances 2, 0, 2 from the average 3: sqrt(2 / 8).
        assert_eq!(of(&[(2.0, 1.0), (3.0, 3.0), (4.0, 5.0)]), Some(0.5));
    }

    #[test]
    fn actual_values_that_do_not_vary_have_none() {
        assert_eq!(of(&[(2.0, 1.0), (3.0, 1.0)]), None);
        assert_eq!(of(&[]), None);
    }
}
