//! The likelihood of a normal distribution.

use std::f64::consts::TAU;

use tch::Tensor;

/// Returns `0.5 (ln(2 pi v) + (y - mu)^2 / v)`: the negative log-likelihood, its constant included.
pub(crate) fn gaussian_nll(mean: &Tensor, variance: &Tensor, target: &Tensor) -> Tensor {
    let squares = (target - mean).square();
    ((variance * TAU).log() + squares / variance) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::check::{assert_close, assert_gradients, gradients, values};

    fn nll([mean, variance, target]: [&Tensor; 3]) -> Tensor {
        gaussian_nll(mean, variance, target)
    }

    #[test]
    fn the_likelihood_of_1_under_the_standard_normal_has_its_constant() {
        // 0.5 (ln(2 pi) + 1) = 1.418939.
        assert_close(values(nll, [0.0, 1.0, 1.0]), 1.418_939);
    }

    #[test]
    fn its_gradients_are_the_derivatives_on_paper() {
        // mu = 0.5, v = 2, y = 2: (mu - y) / v = -0.75; (v - (y - mu)^2) / (2 v^2) = (2 - 2.25) / 8 = -0.03125.
        let [mean, variance, _] = gradients(nll, [0.5, 2.0, 2.0]);
        assert_close(mean, -0.75);
        assert_close(variance, -0.03125);
        assert_gradients(nll, [-0.3, 0.4, 1.2]);
    }
}
