//! The scale of the targets: networks learn standardised returns and forecasts are scaled back.

use serde::{Deserialize, Serialize};
use tidegate_forecast::ForecastError;

/// Mean and standard deviation of the training targets; stored with the weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetScale {
    /// Mean of the training targets.
    pub(crate) mean: f64,
    /// Their standard deviation (divisor n); 1 where they are all equal.
    pub(crate) standard_deviation: f64,
}

impl TargetScale {
    /// Measures the training targets.
    pub(crate) fn of(targets: &[Option<f64>]) -> Result<Self, ForecastError> {
        let targets = labels(targets)?;
        if targets.len() < 2 {
            return Err(ForecastError::TooFewSamples { set: "training set", needed: 2, found: targets.len() });
        }
        let count = targets.len() as f64;
        let mean = targets.iter().sum::<f64>() / count;
        let variance = targets.iter().map(|target| (target - mean).powi(2)).sum::<f64>() / count;
        Ok(Self { mean, standard_deviation: if variance > 0.0 { variance.sqrt() } else { 1.0 } })
    }

    /// Returns targets with mean 0 and variance 1 over the training set.
    pub(crate) fn standardize(self, targets: &[Option<f64>]) -> Result<Vec<f32>, ForecastError> {
        Ok(labels(targets)?.iter().map(|target| ((target - self.mean) / self.standard_deviation) as f32).collect())
    }

    /// Turns a network's mean into the target's units.
    pub(crate) fn mean(self, standardized: f64) -> f64 {
        self.mean + self.standard_deviation * standardized
    }

    /// Turns a network's variance into the target's units, squared.
    pub(crate) fn variance(self, standardized: f64) -> f64 {
        self.standard_deviation.powi(2) * standardized
    }
}

/// Returns every sample's label.
fn labels(targets: &[Option<f64>]) -> Result<Vec<f64>, ForecastError> {
    let label = |(sample, target): (usize, &Option<f64>)| {
        let value = target.ok_or(ForecastError::MissingTarget { sample })?;
        if value.is_finite() {
            return Ok(value);
        }
        Err(ForecastError::NotFinite { what: format!("the target of sample `{sample}`"), value })
    };
    targets.iter().enumerate().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_standardised_and_scaled_back() {
        // Mean 3, deviations -2, 0, 2: variance 8 / 3.
        let targets = [Some(1.0), Some(3.0), Some(5.0)];
        let scale = TargetScale::of(&targets).expect("three labels");
        assert_eq!((scale.mean, scale.variance(1.0)), (3.0, (8.0_f64 / 3.0).sqrt().powi(2)));
        let standardized = scale.standardize(&targets).expect("three labels");
        assert!((standardized[2] - 1.224_745).abs() < 1e-6, "{standardized:?}");
        assert!((scale.mean(f64::from(standardized[0])) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn equal_targets_keep_their_unit() {
        let scale = TargetScale::of(&[Some(0.5), Some(0.5)]).expect("two labels");
        assert_eq!(scale, TargetScale { mean: 0.5, standard_deviation: 1.0 });
    }

    #[test]
    fn a_missing_label_is_named_by_its_place() {
        assert_eq!(TargetScale::of(&[Some(0.1), None]), Err(ForecastError::MissingTarget { sample: 1 }));
        let message = TargetScale::of(&[Some(f64::NAN)]).expect_err("not a number").to_string();
        assert_eq!(message, "the target of sample `0` must be finite, was `NaN`");
    }

    #[test]
    fn one_sample_is_too_few() {
        assert!(matches!(TargetScale::of(&[Some(0.1)]), Err(ForecastError::TooFewSamples { needed: 2, found: 1, .. })));
    }
}
