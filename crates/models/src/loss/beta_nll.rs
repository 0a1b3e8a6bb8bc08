//! The likelihood of a normal distribution, with large variances weighted up again.

use tch::Tensor;

use super::gaussian_nll::gaussian_nll;

/// Returns the likelihood weighted by `v^beta`, through which no gradient flows (Seitzer et al. 2022).
pub(super) fn beta_nll(mean: &Tensor, variance: &Tensor, target: &Tensor, beta: f64) -> Tensor {
    let weights = variance.detach().pow_tensor_scalar(beta);
    gaussian_nll(mean, variance, target) * weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::check::{assert_close, gradients, values};

    #[test]
    fn beta_1_gives_the_mean_the_gradient_of_half_the_squared_error() {
        // mu - y = -1.5 whatever the variance; the variance's own gradient is v times the likelihood's: 2 * -0.03125.
        let [mean, variance, _] = gradients(|[m, v, y]| beta_nll(m, v, y, 1.0), [0.5, 2.0, 2.0]);
        assert_close(mean, -1.5);
        assert_close(variance, -0.0625);
    }

    #[test]
    fn beta_0_is_the_plain_likelihood() {
        let arguments = [0.3, 0.7, -0.2];
        let plain = values(|[m, v, y]| gaussian_nll(m, v, y), arguments);
        assert_eq!(values(|[m, v, y]| beta_nll(m, v, y, 0.0), arguments), plain);
    }
}
