//! Mean absolute error.

use super::ScoredForecast;
use crate::sample::mean;

/// Computes `mean(|actual - mean|)`, a fraction; `None` without forecasts. Source: the definition.
pub(super) fn mean_absolute_error(forecasts: &[ScoredForecast]) -> Option<f64> {
    let errors: Vec<f64> = forecasts.iter().map(|forecast| (forecast.actual - forecast.mean).abs()).collect();
    mean(&errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_count_alike() {
        // Errors 1 and -3: mean 2.
        let rows = [(1.0, 2.0), (0.0, -3.0)].map(|(mean, actual)| ScoredForecast::from_moments(mean, None, actual));
        assert_eq!(mean_absolute_error(&rows), Some(2.0));
        assert_eq!(mean_absolute_error(&[]), None);
    }
}
