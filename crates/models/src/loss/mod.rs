//! Losses: what a training minimises and what epochs are compared by.
//!
//! Each file has one loss, as values per sample and horizon, `[B, K]`. They are averaged with the samples' weights over the labels
//! that are there: `sum(weight * loss) / sum(weight)`. A missing label counts nothing, neither in the loss nor in a gradient.

mod beta_nll;
mod crps_gaussian;
mod crps_student_t;
mod gaussian_nll;
mod huber;
mod mse;
mod pinball;
mod sharpe;
mod student_t_nll;

use tch::{Kind, Tensor};

#[cfg(test)]
pub(crate) use self::gaussian_nll::gaussian_nll;
#[cfg(test)]
pub(crate) use self::mse::squared_error;
use crate::network::NetworkOutput;
use crate::samples::Batch;
use crate::spec::Loss;

impl Loss {
    /// Returns what the training minimises, a scalar.
    pub(crate) fn training(&self, output: &NetworkOutput, batch: &Batch) -> Tensor {
        let labels = Labels::of(batch);
        match (self, output) {
            (Self::Sharpe { cost_bps, position }, NetworkOutput::Point { mean }) => {
                sharpe::negative_sharpe_ratio(mean, &labels, batch, *cost_bps, *position)
            }
            (Self::BetaNll { beta }, NetworkOutput::Gaussian { mean, variance }) => {
                labels.mean(&beta_nll::beta_nll(mean, variance, &labels.targets, *beta), Kind::Float)
            }
            _ => labels.mean(&self.score(output, &labels.targets), Kind::Float),
        }
    }

    /// Returns the loss that epochs are compared by, over a whole validation set.
    ///
    /// It is what the training minimises, but for the beta-weighted likelihood, which is a device for gradients and no score: its
    /// validation loss is the plain one.
    pub(crate) fn validation(&self, output: &NetworkOutput, samples: &Batch) -> f64 {
        if self.needs_order() {
            return self.training(output, samples).double_value(&[]);
        }
        let labels = Labels::of(samples);
        labels.mean(&self.score(output, &labels.targets), Kind::Double).double_value(&[])
    }

    /// Returns the score of every forecast, `[B, K]`.
    fn score(&self, output: &NetworkOutput, targets: &Tensor) -> Tensor {
        match (self, output) {
            (Self::Mse, NetworkOutput::Point { mean }) => mse::squared_error(mean, targets),
            (Self::Huber { delta }, NetworkOutput::Point { mean }) => huber::huber(mean, targets, *delta),
            (Self::GaussianNll | Self::BetaNll { .. }, NetworkOutput::Gaussian { mean, variance }) => {
                gaussian_nll::gaussian_nll(mean, variance, targets)
            }
            (Self::Crps, NetworkOutput::Gaussian { mean, variance }) => {
                crps_gaussian::gaussian_crps(mean, variance, targets)
            }
            (Self::StudentTNll, NetworkOutput::StudentT { location, scale_squared, degrees_of_freedom }) => {
                student_t_nll::student_t_nll(location, scale_squared, degrees_of_freedom, targets)
            }
            (Self::Crps, NetworkOutput::StudentT { location, scale_squared, degrees_of_freedom }) => {
                crps_student_t::student_t_crps(location, scale_squared, degrees_of_freedom, targets)
            }
            (Self::Pinball, NetworkOutput::Quantiles { levels, values }) => pinball::pinball(values, levels, targets),
            _ => unreachable!("validate() refuses this loss for the head"),
        }
    }
}

/// The labels of a batch and how much each counts.
#[derive(Debug)]
struct Labels {
    /// Standardised targets, 0 where there is none, `[B, K]`.
    targets: Tensor,
    /// The sample's weight, 0 where there is no target, `[B, K]`.
    weights: Tensor,
}

impl Labels {
    fn of(batch: &Batch) -> Self {
        let targets = batch.targets.as_ref().expect("samples of a training have targets");
        let missing = targets.isnan();
        let there = missing.logical_not().to_kind(Kind::Float);
        let weights = match &batch.weights {
            None => there,
            Some(weights) => there * weights.unsqueeze(1),
        };
        Self { targets: targets.masked_fill(&missing, 0.0), weights }
    }

    /// Returns the weighted mean of values `[B, K]`; 0 where there are no labels at all.
    fn mean(&self, values: &Tensor, kind: Kind) -> Tensor {
        let weights = self.weights.to_kind(values.kind());
        // A weight is above 0, so that only a sum over nothing is below this.
        let divisor = weights.sum(kind).clamp_min(f64::from(f32::MIN_POSITIVE));
        (values * weights).sum(kind) / divisor
    }
}

#[cfg(test)]
mod check;
#[cfg(test)]
mod tests;
