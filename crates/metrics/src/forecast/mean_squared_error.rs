//! Mean squared error.

use super::ScoredForecast;
use crate::sample::mean;

/// Computes `mean((actual - mean)^2)`; `None` without forecasts. Source: the definition.
pub(super) fn mean_squared_error(forecasts: &[ScoredForecast]) -> Option<f64> {
    let squares: Vec<f64> = forecasts.iter().map(|forecast| (forecast.actual - forecast.mean).powi(2)).collect();
    mean(&squares)
}
