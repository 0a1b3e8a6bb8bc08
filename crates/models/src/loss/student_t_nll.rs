//! The likelihood of Student's t.

use std::f64::consts::PI;

use tch::{Kind, Tensor};

/// Returns the negative log-likelihood, its constant included, in double precision: with `z^2 = (y - mu)^2 / s^2`,
/// `ln G(nu / 2) - ln G((nu + 1) / 2) + 0.5 ln(pi nu s^2) + 0.5 (nu + 1) ln(1 + z^2 / nu)`.
///
/// The difference of the two logarithms of the gamma function would lose three digits in single precision at `nu = 1000`.
pub(super) fn student_t_nll(
    location: &Tensor,
    scale_squared: &Tensor,
    degrees_of_freedom: &Tensor,
    target: &Tensor,
) -> Tensor {
    let [location, scale_squared, nu, target] =
        [location, scale_squared, degrees_of_freedom, target].map(|tensor| tensor.to_kind(Kind::Double));
    let square = (target - location).square() / &scale_squared;
    let constant = (&nu / 2.0).lgamma() - ((&nu + 1.0) / 2.0).lgamma() + (&nu * scale_squared * PI).log() * 0.5;
    constant + (&nu + 1.0) * (square / &nu).log1p() * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::check::{assert_close, assert_gradients, values};

    fn nll([location, scale_squared, nu, target]: [&Tensor; 4]) -> Tensor {
        student_t_nll(location, scale_squared, nu, target)
    }

    #[test]
    fn it_equals_scipys() {
        // -scipy.stats.t.logpdf(y, nu, mu, s), scipy 1.17.1.
        for (arguments, expected) in [
            ([0.0, 1.0, 4.0, 0.7], 1.269_725_105),
            ([0.3, 0.25, 3.2, -1.5], 3.703_478_974),
            ([-1.0, 2.0, 250.0, 3.0], 5.219_594_837),
            ([0.0, 1.0, 1e5, 2.0], 2.918_921_034),
        ] {
            assert_close(values(nll, arguments), expected);
        }
    }

    #[test]
    fn its_gradients_are_its_differences() {
        assert_gradients(nll, [0.2, 0.5, 3.7, -1.1]);
        assert_gradients(nll, [0.2, 1.5, 45.0, 4.0]);
    }
}
