//! One factor on every variance.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{ForecastError, Predictive, PredictiveShape, Quantile};

/// Multiplies variances by the mean squared standardised residual, `mean((y - mean)^2 / variance)`, of forecasts whose labels
/// are known: the factor under which a normal likelihood of those labels is largest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VarianceScaling {
    /// What variances are multiplied by; above 0, 1 for a forecaster that is right about its errors.
    pub factor: f64,
}

impl VarianceScaling {
    /// Takes the factor from forecasts and their labels; those without a variance do not count.
    ///
    /// # Errors
    /// [`ForecastError::TooFewSamples`] without a single variance, [`ForecastError::Range`] when every forecast is exact,
    /// [`ForecastError::NotFinite`] for a label that is not.
    pub fn fit<'a>(known: impl IntoIterator<Item = (&'a Predictive, f64)>) -> Result<Self, ForecastError> {
        let (mut sum, mut count) = (0.0, 0_usize);
        for (forecast, label) in known {
            if let Some(variance) = forecast.variance {
                sum += (label - forecast.mean).powi(2) / variance;
                count += 1;
            }
        }
        if count == 0 {
            let set = "the labelled forecasts with a variance of the validation set";
            return Err(ForecastError::TooFewSamples { set, needed: 1, found: 0 });
        }
        let factor = sum / count as f64;
        if !factor.is_finite() {
            return Err(ForecastError::NotFinite { what: "the factor of the variances".to_owned(), value: factor });
        }
        if factor <= 0.0 {
            let rule = "above 0".to_owned();
            return Err(ForecastError::Range { name: "the factor of the variances", rule, value: factor.to_string() });
        }
        Ok(Self { factor })
    }

    /// Returns the forecast with its variances times the factor, and its quantiles as much farther from the mean as its
    /// standard deviation.
    #[must_use]
    pub fn apply(&self, forecast: &Predictive) -> Predictive {
        let scale = |variance: Option<f64>| variance.map(|variance| variance * self.factor);
        let shape = match &forecast.shape {
            PredictiveShape::Quantiles(points) => PredictiveShape::Quantiles(self.spread(forecast.mean, points)),
            other => other.clone(),
        };
        Predictive {
            mean: forecast.mean,
            variance: scale(forecast.variance),
            epistemic_variance: scale(forecast.epistemic_variance),
            shape,
        }
    }

    fn spread(self, mean: f64, points: &[Quantile]) -> Arc<[Quantile]> {
        let stretch = self.factor.sqrt();
        let point = |one: &Quantile| Quantile { level: one.level, value: mean + stretch * (one.value - mean) };
        points.iter().map(point).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(mean: f64, variance: Option<f64>) -> Predictive {
        Predictive { mean, variance, epistemic_variance: None, shape: PredictiveShape::Normal }
    }

    #[test]
    fn the_factor_is_the_mean_squared_standardised_residual() {
        // Residuals 2, -1 and 3 with variances 1, 4 and 1: (4 + 0.25 + 9) / 3; the forecast without a variance does not count.
        let forecasts = [normal(1.0, Some(1.0)), normal(0.0, Some(4.0)), normal(0.0, None), normal(0.0, Some(1.0))];
        let scaling = VarianceScaling::fit(forecasts.iter().zip([3.0, -1.0, 9.0, 3.0])).expect("three variances");
        assert_eq!(scaling.factor, 13.25 / 3.0);
        let again: Vec<Predictive> = forecasts.iter().map(|forecast| scaling.apply(forecast)).collect();
        let right = VarianceScaling::fit(again.iter().zip([3.0, -1.0, 9.0, 3.0])).expect("three variances");
        assert!((right.factor - 1.0).abs() < 1e-15);
    }

    #[test]
    fn variances_and_quantiles_are_stretched_and_means_stay() {
        let points = [(0.1, -1.0), (0.9, 3.0)].map(|(level, value)| Quantile { level, value });
        let forecast = Predictive {
            mean: 1.0,
            variance: Some(2.0),
            epistemic_variance: Some(0.5),
            shape: PredictiveShape::Quantiles(Arc::new(points)),
        };
        let scaled = VarianceScaling { factor: 4.0 }.apply(&forecast);
        assert_eq!((scaled.mean, scaled.variance, scaled.epistemic_variance), (1.0, Some(8.0), Some(2.0)));
        let points = [(0.1, -3.0), (0.9, 5.0)].map(|(level, value)| Quantile { level, value });
        assert_eq!(scaled.shape, PredictiveShape::Quantiles(Arc::new(points)));
        let heavy = PredictiveShape::StudentT { degrees_of_freedom: 5.0 };
        let scaled = VarianceScaling { factor: 4.0 }.apply(&Predictive { shape: heavy.clone(), ..forecast });
        assert_eq!(scaled.shape, heavy);
    }

    #[test]
    fn nothing_to_learn_from_is_an_error() {
        let error = VarianceScaling::fit([(&normal(0.0, None), 1.0)]).expect_err("no variance").to_string();
        assert!(error.contains("must have at least `1` samples, has `0`"), "{error}");
        let error = VarianceScaling::fit([(&normal(2.0, Some(1.0)), 2.0)]).expect_err("exact").to_string();
        assert_eq!(error, "the factor of the variances must be above 0, was `0`");
        let error = VarianceScaling::fit([(&normal(2.0, Some(1.0)), f64::NAN)]).expect_err("not a number").to_string();
        assert_eq!(error, "the factor of the variances must be finite, was `NaN`");
    }
}
