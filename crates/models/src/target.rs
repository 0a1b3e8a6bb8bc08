//! The scale of the targets: networks learn standardised returns and forecasts are scaled back.

use serde::{Deserialize, Serialize};
#[cfg(feature = "libtorch")]
use tidegate_forecast::{ForecastError, Windows};

/// Mean and standard deviation of the training targets of one horizon; stored with the weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetScale {
    /// Mean of the training targets.
    pub(crate) mean: f64,
    /// Their standard deviation (divisor n); 1 where they are all equal.
    pub(crate) standard_deviation: f64,
}

#[cfg(feature = "libtorch")]
impl TargetScale {
    /// Measures the training targets of every horizon, one scale each; labels that are missing do not count.
    pub(crate) fn of(windows: &Windows) -> Result<Vec<Self>, ForecastError> {
        check_labels(windows)?;
        (0..windows.horizons).map(|horizon| Self::of_horizon(windows, horizon)).collect()
    }

    fn of_horizon(windows: &Windows, horizon: usize) -> Result<Self, ForecastError> {
        let labels: Vec<f64> =
            windows.target.iter().skip(horizon).step_by(windows.horizons).copied().flatten().collect();
        if labels.len() < 2 {
            return Err(ForecastError::TooFewSamples { set: "training set", needed: 2, found: labels.len() });
        }
        let count = labels.len() as f64;
        let mean = labels.iter().sum::<f64>() / count;
        let variance = labels.iter().map(|label| (label - mean).powi(2)).sum::<f64>() / count;
        Ok(Self { mean, standard_deviation: if variance > 0.0 { variance.sqrt() } else { 1.0 } })
    }

    /// Returns a label in units in which the training set has mean 0 and variance 1.
    pub(crate) fn standardize(self, label: f64) -> f64 {
        (label - self.mean) / self.standard_deviation
    }
}

impl TargetScale {
    /// Turns a network's mean into the target's units.
    pub(crate) fn mean(self, standardized: f64) -> f64 {
        self.mean + self.standard_deviation * standardized
    }

    /// Turns a network's variance into the target's units, squared.
    pub(crate) fn variance(self, standardized: f64) -> f64 {
        self.standard_deviation.powi(2) * standardized
    }
}

/// Names the first sample without any label, or with one that is not finite.
#[cfg(feature = "libtorch")]
fn check_labels(windows: &Windows) -> Result<(), ForecastError> {
    for (sample, labels) in windows.target.chunks(windows.horizons).enumerate() {
        if labels.iter().all(Option::is_none) {
            return Err(ForecastError::MissingTarget { sample });
        }
        if let Some(value) = labels.iter().flatten().find(|label| !label.is_finite()) {
            return Err(ForecastError::NotFinite { what: format!("the target of sample `{sample}`"), value: *value });
        }
    }
    Ok(())
}

#[cfg(all(test, feature = "libtorch"))]
mod tests {
    use super::*;

    fn scales(horizons: usize, target: &[Option<f64>]) -> Result<Vec<TargetScale>, ForecastError> {
        TargetScale::of(&Windows { horizons, target: target.to_vec(), ..Windows::default() })
    }

    #[test]
    fn targets_are_standardised_and_scaled_back() {
        // Mean 3, deviations -2, 0, 2: variance 8 / 3.
        let scale = scales(1, &[Some(1.0), Some(3.0), Some(5.0)]).expect("three labels")[0];
        assert_eq!((scale.mean, scale.variance(1.0)), (3.0, (8.0_f64 / 3.0).sqrt().powi(2)));
        assert!((scale.standardize(5.0) - 1.224_745).abs() < 1e-6);
        assert!((scale.mean(scale.standardize(1.0)) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn every_horizon_has_its_own_scale_of_the_labels_that_it_has() {
        let found = scales(2, &[Some(1.0), Some(10.0), Some(3.0), None, Some(5.0), Some(30.0)]).expect("labels");
        assert_eq!((found[0].mean, found[1].mean, found[1].standard_deviation), (3.0, 20.0, 10.0));
    }

    #[test]
    fn equal_targets_keep_their_unit() {
        let scale = scales(1, &[Some(0.5), Some(0.5)]).expect("two labels");
        assert_eq!(scale, [TargetScale { mean: 0.5, standard_deviation: 1.0 }]);
    }

    #[test]
    fn a_missing_label_is_named_by_its_place() {
        assert_eq!(scales(1, &[Some(0.1), None]), Err(ForecastError::MissingTarget { sample: 1 }));
        assert_eq!(scales(2, &[Some(0.1), None, None, None]), Err(ForecastError::MissingTarget { sample: 1 }));
        let message = scales(1, &[Some(f64::NAN)]).expect_err("not a number").to_string();
        assert_eq!(message, "the target of sample `0` must be finite, was `NaN`");
    }

    #[test]
    fn one_sample_is_too_few() {
        assert!(matches!(scales(1, &[Some(0.1)]), Err(ForecastError::TooFewSamples { needed: 2, found: 1, .. })));
    }
}
