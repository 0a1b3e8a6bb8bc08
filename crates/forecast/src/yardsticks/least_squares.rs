//! The normal equations of a penalised regression on the last step of every scale's window.

use nalgebra::{Cholesky, DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::{finite, targets, weighted_mean, weights};
use crate::{ForecastError, Windows};

/// How many samples are standardised at a time: bounds memory, and keeps the block in cache.
const BLOCK: usize = 256;

/// Least squares over standardised features, reduced to its normal equations.
pub(super) struct Problem {
    count: f64,
    /// How each feature is standardised.
    pub(super) scaling: Vec<Standardised>,
    /// The labels' weighted mean.
    pub(super) intercept: f64,
    /// `Z'WZ / n`, where the weights have mean 1.
    gram: DMatrix<f64>,
    /// `Z'W(y - mean(y)) / n`.
    moment: DVector<f64>,
    /// `sum w (y - mean(y))^2 / n`.
    target_variance: f64,
}

/// How one feature is standardised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Standardised {
    mean: f64,
    /// 0 for a feature that is constant in training, which makes it 0 everywhere.
    inverse_deviation: f64,
}

/// The weights of one penalty.
pub(super) struct Solution {
    /// One per standardised feature.
    pub(super) weights: Vec<f64>,
    /// `RSS / (n - 1 - df)`.
    pub(super) residual_variance: f64,
}

impl Problem {
    pub(super) fn new(train: &Windows) -> Result<Self, ForecastError> {
        let targets = targets("training set", train, 2)?;
        let count = targets.len() as f64;
        let weights = weights(train);
        let total: f64 = weights.iter().sum();
        let intercept = weighted_mean(targets.iter().copied(), &weights);
        let scaling = standardise(train, &weights)?;
        let features = scaling.len();
        let mut gram = DMatrix::zeros(features, features);
        let mut moment = DVector::zeros(features);
        let mut block = DMatrix::zeros(features, BLOCK);
        for (place, (targets, weights)) in targets.chunks(BLOCK).zip(weights.chunks(BLOCK)).enumerate() {
            let mut block = block.columns_mut(0, targets.len());
            for (offset, mut sample) in block.column_iter_mut().enumerate() {
                let values = last_steps(train, place * BLOCK + offset).zip(&scaling);
                sample.iter_mut().zip(values).for_each(|(slot, (value, scaling))| *slot = scaling.apply(value));
            }
            let centered = targets.iter().zip(weights).map(|(target, weight)| weight * (target - intercept));
            let centered = DVector::from_iterator(targets.len(), centered);
            let mut weighted = block.transpose();
            for (mut sample, weight) in weighted.row_iter_mut().zip(weights) {
                sample *= *weight;
            }
            gram.gemm(1.0, &block, &weighted, 1.0);
            moment.gemv(1.0, &block, &centered, 1.0);
        }
        let target_variance = weighted_mean(targets.iter().map(|target| (target - intercept).powi(2)), &weights);
        Ok(Self { count, scaling, intercept, gram: gram / total, moment: moment / total, target_variance })
    }

    /// Solves for the weights of one penalty.
    pub(super) fn solve(&self, lambda: f64) -> Result<Solution, ForecastError> {
        let features = self.scaling.len();
        let penalised = &self.gram + DMatrix::identity(features, features) * lambda;
        let factor = Cholesky::new(penalised)
            .ok_or_else(|| ForecastError::Model("the features' covariance is not positive definite".to_owned()))?;
        let weights = factor.solve(&self.moment);
        let degrees_of_freedom = factor.solve(&self.gram).trace();
        // |y - Zw|^2 / n, expanded; rounding must not take an exact fit below 0.
        let fitted = (&self.gram * &weights).dot(&weights) - 2.0 * weights.dot(&self.moment);
        let residual = (self.target_variance + fitted).max(0.0) * self.count / (self.count - 1.0 - degrees_of_freedom);
        let residual_variance = finite(residual, || "the residual variance".to_owned())?;
        let weights =
            weights.iter().map(|&weight| finite(weight, || "a weight".to_owned())).collect::<Result<_, _>>()?;
        Ok(Solution { weights, residual_variance })
    }
}

impl Standardised {
    pub(super) fn apply(self, value: f64) -> f64 {
        (value - self.mean) * self.inverse_deviation
    }
}

/// Returns the last step of every scale's window, one feature after another.
pub(super) fn last_steps(windows: &Windows, sample: usize) -> impl Iterator<Item = f64> + '_ {
    windows.scales.iter().flat_map(move |scale| scale.last_step(sample)).map(|&value| f64::from(value))
}

/// Returns each feature's weighted mean and deviation over the training set.
fn standardise(train: &Windows, weights: &[f64]) -> Result<Vec<Standardised>, ForecastError> {
    let total: f64 = weights.iter().sum();
    let features = feature_count(train);
    let mut mean = vec![0.0; features];
    let mut variance = vec![0.0; features];
    for (sample, weight) in weights.iter().enumerate() {
        mean.iter_mut().zip(last_steps(train, sample)).for_each(|(sum, value)| *sum += value * weight / total);
    }
    for (sample, weight) in weights.iter().enumerate() {
        let deviations = last_steps(train, sample).zip(&mean).map(|(value, mean)| value - mean);
        variance.iter_mut().zip(deviations).for_each(|(sum, deviation)| *sum += deviation * deviation * weight / total);
    }
    let columns = mean.into_iter().zip(variance).enumerate().map(|(feature, (mean, variance))| {
        let deviation = finite(variance.sqrt(), || format!("the standard deviation of feature `{feature}`"))?;
        // The features are single precision: a spread below its rounding is no spread.
        let constant = deviation <= f64::from(f32::EPSILON) * mean.abs();
        Ok(Standardised { mean, inverse_deviation: if constant { 0.0 } else { deviation.recip() } })
    });
    columns.collect()
}

/// Returns how many features the last steps of a sample have.
pub(super) fn feature_count(windows: &Windows) -> usize {
    windows.scales.iter().map(|scale| scale.features).sum()
}
