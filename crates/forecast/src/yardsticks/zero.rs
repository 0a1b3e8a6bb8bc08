//! The forecast that nothing is expected to happen.

use serde::{Deserialize, Serialize};

use super::{ensure_one_horizon, finite, predictive, targets, weighted_mean, weights};
use crate::{FitTask, FittedForecaster, ForecastError, Forecaster, Predictive, TrainingReport, Windows, checkpoint};

const NAME: &str = "zero";

/// Forecasts a mean of 0 with the training set's second moment, `sum(w y^2) / sum(w)`, as the variance.
///
/// For a target that is a return or a difference this is the last value, often called naive or persistence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zero;

impl Forecaster for Zero {
    fn name(&self) -> &str {
        NAME
    }

    fn fit(&self, task: &FitTask<'_>) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        task.ensure_running()?;
        let targets = targets("training set", task.train, 1)?;
        let moment = weighted_mean(targets.iter().map(|target| target * target), &weights(task.train));
        Ok(Box::new(FittedZero { variance: finite(moment, || "the second moment of the labels".to_owned())? }))
    }

    fn restore(&self, checkpoint: &[u8]) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        Ok(Box::new(checkpoint::read::<FittedZero>(NAME, checkpoint)?))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedZero {
    variance: f64,
}

impl FittedForecaster for FittedZero {
    fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
        ensure_one_horizon(windows)?;
        Ok(vec![predictive(0.0, Some(self.variance)); windows.len()])
    }

    fn checkpoint(&self) -> Result<Vec<u8>, ForecastError> {
        checkpoint::write(NAME, self)
    }

    fn report(&self) -> TrainingReport {
        TrainingReport { parameters: 1, ..TrainingReport::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::tabular;
    use crate::{NoMonitor, NoStore};

    #[test]
    fn the_variance_is_the_second_moment_of_training() {
        // (1 + 4 + 4) / 3 = 3.
        let train = tabular(&[&[0.0], &[0.0], &[0.0]], &[1.0, -2.0, 2.0]);
        let task = FitTask { train: &train, valid: &Windows::default(), seed: 0, monitor: &NoMonitor, store: &NoStore };
        let fitted = Zero.fit(&task).expect("fits");
        let forecast = fitted.forecast(&train).expect("same shape");
        assert_eq!(forecast, vec![predictive(0.0, Some(3.0)); 3]);
        let restored = Zero.restore(&fitted.checkpoint().expect("writes")).expect("its own bytes");
        assert_eq!(restored.forecast(&train).expect("same shape"), forecast);
    }

    #[test]
    fn an_empty_training_set_is_refused() {
        let empty = Windows::default();
        let task = FitTask { train: &empty, valid: &empty, seed: 0, monitor: &NoMonitor, store: &NoStore };
        let error = Zero.fit(&task).err().expect("nothing to fit").to_string();
        assert!(error.starts_with("training set must have at least `1` samples, has `0`"), "{error}");
    }

    #[test]
    fn a_sample_without_a_label_is_refused() {
        let mut train = tabular(&[&[0.0], &[0.0]], &[1.0, 2.0]);
        train.target[1] = None;
        let task = FitTask { train: &train, valid: &Windows::default(), seed: 0, monitor: &NoMonitor, store: &NoStore };
        assert_eq!(Zero.fit(&task).err(), Some(ForecastError::MissingTarget { sample: 1 }));
    }
}
