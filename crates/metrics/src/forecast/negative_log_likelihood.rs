//! Negative log likelihood.

use super::scored_forecast::Standardized;
use crate::sample::mean;

/// Computes the negative log likelihood of an observation under a normal distribution, in nats.
///
/// `0.5 (ln(2 pi variance) + (actual - mean)^2 / variance)`, the constant included. Source: Gneiting and Raftery (2007), "Strictly
/// Proper Scoring Rules", the logarithmic score. `variance` must be above 0.
pub fn gaussian_negative_log_likelihood(mean: f64, variance: f64, actual: f64) -> f64 {
    0.5 * ((std::f64::consts::TAU * variance).ln() + (actual - mean).powi(2) / variance)
}

/// Computes the mean negative log likelihood of standardized errors; `None` without any.
pub(super) fn mean_negative_log_likelihood(errors: &[Standardized]) -> Option<f64> {
    let scores: Vec<f64> =
        errors.iter().map(|row| gaussian_negative_log_likelihood(0.0, 1.0, row.error) + row.deviation.ln()).collect();
    mean(&scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::assert_close;

    #[test]
    fn the_standard_normal_by_hand() {
        // 0.5 ln(2 pi) + 0.5 = 0.918939 + 0.5.
        assert!((gaussian_negative_log_likelihood(0.0, 1.0, 1.0) - 1.418_939).abs() < 5e-7);
    }

    #[test]
    fn standardizing_changes_nothing() {
        let row = Standardized { error: (0.3 - 0.1) / 0.5, deviation: 0.5 };
        assert_close(mean_negative_log_likelihood(&[row]), gaussian_negative_log_likelihood(0.1, 0.25, 0.3));
    }
}
