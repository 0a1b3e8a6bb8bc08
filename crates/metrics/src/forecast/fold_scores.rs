//! Forecast scores by fold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ForecastScores, ScoredForecast, forecast_scores};
use crate::MetricsError;

/// The scores of all forecasts, and of each walk-forward fold's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldScores {
    /// The scores of all forecasts together.
    pub pooled: ForecastScores,
    /// The scores of each fold's forecasts, by the fold's number.
    pub by_fold: BTreeMap<u32, ForecastScores>,
}

/// Computes the scores of all forecasts and of each fold's, from forecasts with the number of their fold.
///
/// # Errors
/// [`MetricsError::Row`] as [`forecast_scores`], the row counted over all forecasts.
pub fn forecast_scores_by_fold(forecasts: &[(u32, ScoredForecast)]) -> Result<FoldScores, MetricsError> {
    let all: Vec<ScoredForecast> = forecasts.iter().map(|(_, forecast)| forecast.clone()).collect();
    let pooled = forecast_scores(&all)?;
    let mut folds: BTreeMap<u32, Vec<ScoredForecast>> = BTreeMap::new();
    for (fold, forecast) in forecasts {
        folds.entry(*fold).or_default().push(forecast.clone());
    }
    let by_fold = folds.into_iter().map(|(fold, rows)| Ok((fold, forecast_scores(&rows)?)));
    Ok(FoldScores { pooled, by_fold: by_fold.collect::<Result<_, MetricsError>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(mean: f64, actual: f64) -> ScoredForecast {
        ScoredForecast::from_moments(mean, None, actual)
    }

    #[test]
    fn each_fold_is_scored_alone_and_all_together() {
        let rows = [(1, forecast(1.0, 2.0)), (0, forecast(0.0, 3.0)), (1, forecast(2.0, 2.0))];
        let scores = forecast_scores_by_fold(&rows).expect("valid");
        assert_eq!(scores.pooled.mse, Some(10.0 / 3.0));
        let mse: Vec<_> = scores.by_fold.iter().map(|(fold, scores)| (*fold, scores.mse)).collect();
        assert_eq!(mse, [(0, Some(9.0)), (1, Some(0.5))]);
    }

    #[test]
    fn the_row_of_an_error_is_counted_over_all() {
        let error = forecast_scores_by_fold(&[(0, forecast(0.0, 0.0)), (1, forecast(f64::NAN, 0.0))]);
        assert!(error.expect_err("NaN").to_string().contains("at row `1`"));
    }
}
