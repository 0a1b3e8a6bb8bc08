//! The continuous ranked probability score of a normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

use tch::Tensor;

/// Returns `s (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))` with `z = (y - mu) / s`, `s^2` the variance (Gneiting and Raftery 2007).
pub(super) fn gaussian_crps(mean: &Tensor, variance: &Tensor, target: &Tensor) -> Tensor {
    let deviation = variance.sqrt();
    let z = (target - mean) / &deviation;
    let twice_density = (z.square() * -0.5).exp() * (2.0 / TAU.sqrt());
    deviation * (&z * (&z * FRAC_1_SQRT_2).erf() + twice_density - 1.0 / PI.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::check::{assert_close, assert_gradients, values};

    fn crps([mean, variance, target]: [&Tensor; 3]) -> Tensor {
        gaussian_crps(mean, variance, target)
    }

    #[test]
    fn it_equals_the_closed_form_of_the_paper() {
        assert_close(values(crps, [0.0, 1.0, 0.0]), 0.233_695_0);
        assert_close(values(crps, [0.0, 1.0, 1.0]), 0.602_441_4);
        assert_close(values(crps, [1.0, 4.0, -0.5]), 0.896_288_5);
    }

    #[test]
    fn its_gradients_are_its_differences() {
        assert_gradients(crps, [0.2, 0.5, -1.1]);
        assert_gradients(crps, [0.2, 2.5, 0.3]);
    }
}
