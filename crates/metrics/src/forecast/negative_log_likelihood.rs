//! Negative log likelihood.

use super::scored_forecast::Stated;
use crate::sample::mean;

/// Computes the negative log likelihood of an observation under a normal distribution, in nats.
///
/// `0.5 (ln(2 pi variance) + (actual - mean)^2 / variance)`, the constant included. Source: Gneiting and Raftery (2007), "Strictly
/// Proper Scoring Rules", the logarithmic score. `variance` must be above 0.
pub fn gaussian_negative_log_likelihood(mean: f64, variance: f64, actual: f64) -> f64 {
    0.5 * ((std::f64::consts::TAU * variance).ln() + (actual - mean).powi(2) / variance)
}

/// Computes the mean negative log likelihood of distributions; `None` without any, or when one has no density.
pub(super) fn mean_negative_log_likelihood(rows: &[Stated]) -> Option<f64> {
    let scores: Option<Vec<f64>> = rows.iter().map(|row| Some(-row.distribution.log_density(row.actual)?)).collect();
    mean(&scores?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Distribution;
    use crate::vectors::assert_close;

    #[test]
    fn the_standard_normal_by_hand() {
        // 0.5 ln(2 pi) + 0.5 = 0.918939 + 0.5.
        assert!((gaussian_negative_log_likelihood(0.0, 1.0, 1.0) - 1.418_939).abs() < 5e-7);
    }

    #[test]
    fn a_distribution_of_the_same_moments_is_as_likely() {
        let distribution = Distribution::Normal { mean: 0.1, standard_deviation: 0.5 };
        let row = Stated { distribution, actual: 0.3, series: 0 };
        assert_close(mean_negative_log_likelihood(&[row]), gaussian_negative_log_likelihood(0.1, 0.25, 0.3));
    }
}
