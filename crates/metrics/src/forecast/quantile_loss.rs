//! Pinball loss at each level of a set of levels.

use serde::{Deserialize, Serialize};

use super::scored_forecast::stated;
use super::{ScoredForecast, pinball_loss};
use crate::MetricsError;
use crate::sample::mean;

/// The mean pinball loss of the forecast quantiles at one level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantileLoss {
    /// The level in (0, 1).
    pub level: f64,
    /// The mean of [`pinball_loss`], in units of the observation; lower is better.
    pub loss: f64,
}

/// Computes the mean pinball loss at each level; empty unless every forecast states a distribution.
///
/// # Errors
/// [`MetricsError::Row`] for a number that is not finite, a variance that is not above 0, a level outside (0, 1);
/// [`MetricsError::Distribution`] for an invalid distribution.
pub fn quantile_losses(forecasts: &[ScoredForecast], levels: &[f64]) -> Result<Vec<QuantileLoss>, MetricsError> {
    ScoredForecast::validate_all(forecasts)?;
    if let Some(row) = levels.iter().position(|&level| !(level > 0.0 && level < 1.0)) {
        let (name, rule, value) = ("a quantile level", "in (0, 1)", levels[row]);
        return Err(MetricsError::Row { name, rule, value, row });
    }
    let Some(rows) = stated(forecasts) else { return Ok(Vec::new()) };
    let loss = |&level: &f64| {
        let losses = rows.iter().map(|row| Some(pinball_loss(row.distribution.quantile(level)?, level, row.actual)));
        Some(QuantileLoss { level, loss: mean(&losses.collect::<Option<Vec<f64>>>()?)? })
    };
    Ok(levels.iter().filter_map(loss).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{FORECAST, assert_close, floats};

    #[test]
    fn every_level_equals_the_reference() {
        let read = |key: &str| floats(&FORECAST[key]);
        let (means, deviations, actuals) = (read("mu"), read("sigma"), read("y"));
        let row = |row: usize| ScoredForecast::from_moments(means[row], Some(deviations[row].powi(2)), actuals[row]);
        let rows: Vec<ScoredForecast> = (0..means.len()).map(row).collect();
        for (level, expected) in FORECAST["pinball_mean"].as_object().expect("an object") {
            let found = quantile_losses(&rows, &[level.parse().expect("a level")]).expect("valid");
            assert_close(Some(found[0].loss), expected.as_f64().expect("a number"));
        }
    }

    #[test]
    fn a_forecast_without_a_distribution_leaves_none() {
        assert_eq!(quantile_losses(&[ScoredForecast::from_moments(0.0, None, 0.0)], &[0.5]), Ok(Vec::new()));
        let error = quantile_losses(&[], &[1.0]).expect_err("not a level").to_string();
        assert_eq!(error, "a quantile level must be in (0, 1), was `1` at row `0`");
    }
}
