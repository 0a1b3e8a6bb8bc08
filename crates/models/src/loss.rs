//! Losses: pure functions of a forecast and its targets, each the mean over the batch.

use std::f64::consts::TAU;

use tch::{Kind, Reduction, Tensor};

use crate::network::NetworkOutput;
use crate::spec::Loss;

impl Loss {
    /// Returns what the training minimises, a scalar.
    pub(crate) fn training(&self, output: &NetworkOutput, target: &Tensor) -> Tensor {
        match (self, &output.variance) {
            (Self::Mse, _) => mse(&output.mean, target),
            (Self::GaussianNll, Some(variance)) => gaussian_nll(&output.mean, variance, target),
            (Self::BetaNll { beta }, Some(variance)) => beta_nll(&output.mean, variance, target, *beta),
            (Self::GaussianNll | Self::BetaNll { .. }, None) => {
                unreachable!("validate() refuses this loss for a point head")
            }
        }
    }

    /// Returns the loss that epochs are compared by, one value per sample: the squared error or the full likelihood.
    ///
    /// The beta-weighted likelihood is a device for gradients and no score, so its validation loss is the plain one.
    pub(crate) fn validation(output: &NetworkOutput, target: &Tensor) -> Tensor {
        match &output.variance {
            None => (&output.mean - target).square(),
            Some(variance) => gaussian_nll_each(&output.mean, variance, target),
        }
    }
}

/// Returns the mean squared error.
pub(crate) fn mse(mean: &Tensor, target: &Tensor) -> Tensor {
    mean.mse_loss(target, Reduction::Mean)
}

/// Returns `0.5 (ln(2 pi v) + (y - mu)^2 / v)` for every sample.
fn gaussian_nll_each(mean: &Tensor, variance: &Tensor, target: &Tensor) -> Tensor {
    let squares = (target - mean).square();
    ((variance * TAU).log() + squares / variance) * 0.5
}

/// Returns the negative log-likelihood of normal distributions, its constant included.
pub(crate) fn gaussian_nll(mean: &Tensor, variance: &Tensor, target: &Tensor) -> Tensor {
    gaussian_nll_each(mean, variance, target).mean(Kind::Float)
}

/// Returns the likelihood weighted by `v^beta`, through which no gradient flows (Seitzer et al. 2022).
fn beta_nll(mean: &Tensor, variance: &Tensor, target: &Tensor, beta: f64) -> Tensor {
    let weights = variance.detach().pow_tensor_scalar(beta);
    (gaussian_nll_each(mean, variance, target) * weights).mean(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gradients with respect to mean and variance.
    fn gradients(loss: impl Fn(&Tensor, &Tensor) -> Tensor, mean: f32, variance: f32) -> (f64, f64) {
        let mean = Tensor::from_slice(&[mean]).set_requires_grad(true);
        let variance = Tensor::from_slice(&[variance]).set_requires_grad(true);
        loss(&mean, &variance).backward();
        (mean.grad().double_value(&[0]), variance.grad().double_value(&[0]))
    }

    #[test]
    fn the_likelihood_of_1_under_the_standard_normal_has_its_constant() {
        let [mean, variance, target] = [0.0_f32, 1.0, 1.0].map(|value| Tensor::from_slice(&[value]));
        // 0.5 (ln(2 pi) + 1) = 1.418939.
        assert!((gaussian_nll(&mean, &variance, &target).double_value(&[]) - 1.418_939).abs() < 1e-6);
    }

    #[test]
    fn likelihood_gradients_are_the_derivatives_on_paper() {
        // mu = 0.5, v = 2, y = 2: (mu - y) / v = -0.75; (v - (y - mu)^2) / (2 v^2) = (2 - 2.25) / 8 = -0.03125.
        let target = Tensor::from_slice(&[2.0_f32]);
        let (mean, variance) = gradients(|mean, variance| gaussian_nll(mean, variance, &target), 0.5, 2.0);
        assert!((mean + 0.75).abs() < 1e-6 && (variance + 0.03125).abs() < 1e-6, "{mean} {variance}");
    }

    #[test]
    fn beta_1_gives_the_mean_the_gradient_of_half_the_squared_error() {
        // mu - y = -1.5 whatever the variance; the variance's own gradient is v times the likelihood's: 2 * -0.03125.
        let target = Tensor::from_slice(&[2.0_f32]);
        let (mean, variance) = gradients(|mean, variance| beta_nll(mean, variance, &target, 1.0), 0.5, 2.0);
        assert!((mean + 1.5).abs() < 1e-6 && (variance + 0.0625).abs() < 1e-6, "{mean} {variance}");
    }

    #[test]
    fn beta_0_is_the_plain_likelihood() {
        let [mean, variance, target] = [0.3_f32, 0.7, -0.2].map(|value| Tensor::from_slice(&[value]));
        let plain = gaussian_nll(&mean, &variance, &target).double_value(&[]);
        assert_eq!(beta_nll(&mean, &variance, &target, 0.0).double_value(&[]), plain);
    }

    #[test]
    fn the_squared_error_is_averaged_over_the_batch() {
        let mean = Tensor::from_slice(&[1.0_f32, 2.0]);
        let target = Tensor::from_slice(&[0.0_f32, 4.0]);
        assert_eq!(mse(&mean, &target).double_value(&[]), 2.5);
    }
}
