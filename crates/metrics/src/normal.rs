//! The standard normal distribution.

use statrs::distribution::{Continuous, ContinuousCDF, Normal};

/// Returns the probability of a value at most `z`.
pub(crate) fn standard_cumulative(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// Returns the density at `z`.
pub(crate) fn standard_density(z: f64) -> f64 {
    Normal::standard().pdf(z)
}

/// Returns the value that is not exceeded with a probability; `None` outside (0, 1).
pub(crate) fn standard_quantile(probability: f64) -> Option<f64> {
    (probability > 0.0 && probability < 1.0).then(|| Normal::standard().inverse_cdf(probability))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantile_and_the_probability_are_those_of_the_tables() {
        // SciPy 1.17.1: norm.ppf(0.05), norm.cdf(-5), norm.ppf(1e-6).
        assert!((standard_quantile(0.05).expect("inside") + 1.644_853_626_951_472_2).abs() < 1e-12);
        assert!((standard_cumulative(-5.0) / 2.866_515_718_791_94e-7 - 1.0).abs() < 1e-9);
        assert!((standard_quantile(1e-6).expect("inside") + 4.753_424_308_822_899).abs() < 1e-12);
        assert_eq!(standard_quantile(1.0), None);
    }
}
