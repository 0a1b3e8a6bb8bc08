//! Information coefficient.

use super::ScoredForecast;
use crate::sample::correlation;

/// Computes the Pearson correlation of forecast means and actual returns; `None` when either does not vary.
///
/// Source: Grinold and Kahn (2000), "Active Portfolio Management".
pub(super) fn information_coefficient(forecasts: &[ScoredForecast]) -> Option<f64> {
    let means: Vec<f64> = forecasts.iter().map(|forecast| forecast.mean).collect();
    let actuals: Vec<f64> = forecasts.iter().map(|forecast| forecast.actual).collect();
    correlation(&means, &actuals)
}
