//! The forecast that the future is, on average, the past.

use serde::{Deserialize, Serialize};

use super::{ensure_one_horizon, finite, predictive, targets, weighted_mean, weights};
use crate::{FitTask, FittedForecaster, ForecastError, Forecaster, Predictive, TrainingReport, Windows, checkpoint};

const NAME: &str = "historical_mean";

/// Forecasts the training labels' weighted mean with their sample variance (ddof 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoricalMean;

impl Forecaster for HistoricalMean {
    fn name(&self) -> &str {
        NAME
    }

    fn fit(&self, task: &FitTask<'_>) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        task.ensure_running()?;
        let targets = targets("training set", task.train, 2)?;
        let count = targets.len() as f64;
        let weights = weights(task.train);
        let mean = weighted_mean(targets.iter().copied(), &weights);
        let squares = weighted_mean(targets.iter().map(|target| (target - mean).powi(2)), &weights);
        let variance = squares * (count / (count - 1.0));
        let variance = finite(variance, || "the variance of the labels".to_owned())?;
        Ok(Box::new(FittedMean { mean, variance }))
    }

    fn restore(&self, checkpoint: &[u8]) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        Ok(Box::new(checkpoint::read::<FittedMean>(NAME, checkpoint)?))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedMean {
    mean: f64,
    variance: f64,
}

impl FittedForecaster for FittedMean {
    fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
        ensure_one_horizon(windows)?;
        Ok(vec![predictive(self.mean, Some(self.variance)); windows.len()])
    }

    fn checkpoint(&self) -> Result<Vec<u8>, ForecastError> {
        checkpoint::write(NAME, self)
    }

    fn report(&self) -> TrainingReport {
        TrainingReport { parameters: 2, ..TrainingReport::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::tabular;
    use crate::{NoMonitor, NoStore};

    #[test]
    fn the_forecast_is_the_training_mean_with_the_sample_variance() {
        // 1, 2, 6: mean 3, squared deviations 4 + 1 + 9 = 14, over 2 is 7.
        let train = tabular(&[&[0.0], &[0.0], &[0.0]], &[1.0, 2.0, 6.0]);
        let task = FitTask { train: &train, valid: &Windows::default(), seed: 0, monitor: &NoMonitor, store: &NoStore };
        let fitted = HistoricalMean.fit(&task).expect("fits");
        let forecast = fitted.forecast(&train).expect("same shape");
        assert_eq!(forecast, vec![predictive(3.0, Some(7.0)); 3]);
        let restored = HistoricalMean.restore(&fitted.checkpoint().expect("writes")).expect("its own bytes");
        assert_eq!(restored.forecast(&train).expect("same shape"), forecast);
    }

    #[test]
    fn heavier_samples_count_for_more() {
        // Weights 3/2, 1, 1/2: mean (1.5 + 2 + 3) / 3 = 13/6; squares (1.5 (7/6)^2 + (1/6)^2 + 0.5 (23/6)^2) / 3 * 3/2.
        let mut train = tabular(&[&[0.0], &[0.0], &[0.0]], &[1.0, 2.0, 6.0]);
        train.weight = vec![1.5, 1.0, 0.5];
        let task = FitTask { train: &train, valid: &Windows::default(), seed: 0, monitor: &NoMonitor, store: &NoStore };
        let forecast = HistoricalMean.fit(&task).expect("fits").forecast(&train).expect("same shape")[0].clone();
        assert!((forecast.mean - 13.0 / 6.0).abs() < 1e-15);
        let squares = (1.5 * 49.0 + 1.0 + 0.5 * 529.0) / 36.0 / 2.0;
        assert!((forecast.variance.expect("stated") - squares).abs() < 1e-14);
    }

    #[test]
    fn one_sample_has_no_variance() {
        let train = tabular(&[&[0.0]], &[1.0]);
        let task = FitTask { train: &train, valid: &Windows::default(), seed: 0, monitor: &NoMonitor, store: &NoStore };
        let error = ForecastError::TooFewSamples { set: "training set", needed: 2, found: 1 };
        assert_eq!(HistoricalMean.fit(&task).err(), Some(error));
    }
}
