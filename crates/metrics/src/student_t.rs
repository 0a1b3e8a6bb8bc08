//! The standard Student-t distribution: location 0, scale 1.
//!
//! Written for any number of degrees of freedom: differences of log gamma functions lose their digits above some thousands,
//! and the usual argument `nu / (nu + z^2)` of the incomplete beta function loses `z` near 0.

use std::f64::consts::PI;

use statrs::function::beta::{beta_reg, inv_beta_reg};
use statrs::function::gamma::ln_gamma;

use crate::normal::{standard_cumulative, standard_density, standard_quantile};

/// From here on the expansion around the normal distribution is good to 1e-12: its next term is `O(nu^-3)`.
const NEARLY_NORMAL: f64 = 1e4;

/// From here on the expansion of the quantile is good to 1e-6 and better than the inverse incomplete beta function.
const NORMAL_START: f64 = 1e3;

/// Returns the probability of a value at most `z`.
///
/// `(1 + sign(z) I(z^2 / (nu + z^2); 1/2, nu/2)) / 2`. Source: Abramowitz and Stegun (1964), 26.7.1 and 26.5.27; the expansion
/// for large `nu` is Fisher's (1925).
pub(crate) fn cumulative(z: f64, degrees_of_freedom: f64) -> f64 {
    let nu = degrees_of_freedom;
    if nu >= NEARLY_NORMAL {
        let square = z * z;
        let first = z * (square + 1.0) / (4.0 * nu);
        let second = z * (((3.0 * square - 7.0) * square - 5.0) * square - 3.0) / (96.0 * nu * nu);
        // Far out the density is 0 and the polynomial may be infinite.
        let density = standard_density(z);
        let correction = if density > 0.0 { density * (first + second) } else { 0.0 };
        return (standard_cumulative(z) - correction).clamp(0.0, 1.0);
    }
    if z * z > nu {
        let tail = 0.5 * beta_reg(0.5 * nu, 0.5, nu / (nu + z * z));
        return if z < 0.0 { tail } else { 1.0 - tail };
    }
    let half = 0.5 * beta_reg(0.5, 0.5 * nu, z * z / (nu + z * z));
    if z < 0.0 { 0.5 - half } else { 0.5 + half }
}

/// Returns the natural logarithm of the density at `z`.
///
/// `ln(G(nu/2 + 1/2) / (G(nu/2) sqrt(nu pi))) - (nu + 1) / 2 ln(1 + z^2 / nu)`, `G` the gamma function.
pub(crate) fn log_density(z: f64, degrees_of_freedom: f64) -> f64 {
    let nu = degrees_of_freedom;
    (half_step(0.5 * nu) / (nu * PI).sqrt()).ln() - 0.5 * (nu + 1.0) * (z * z / nu).ln_1p()
}

/// Returns the value that is not exceeded with a probability; `None` outside (0, 1).
pub(crate) fn quantile(probability: f64, degrees_of_freedom: f64) -> Option<f64> {
    let nu = degrees_of_freedom;
    let start = if nu >= NORMAL_START {
        normal_start(standard_quantile(probability)?, nu)
    } else {
        standard_quantile(probability)?;
        let tail = inv_beta_reg(0.5 * nu, 0.5, 2.0 * probability.min(1.0 - probability));
        let size = (nu * (1.0 - tail) / tail).sqrt();
        if probability < 0.5 { -size } else { size }
    };
    if nu >= NEARLY_NORMAL {
        return Some(start);
    }
    // Either start is good to six digits or more: Newton's method finds the rest.
    let newton = |z: f64| {
        let step = (cumulative(z, nu) - probability) / log_density(z, nu).exp();
        if step.is_finite() { z - step } else { z }
    };
    Some(newton(newton(start)))
}

/// Returns the quantile by its expansion around the normal quantile `x`. Source: Abramowitz and Stegun (1964), 26.7.5.
fn normal_start(x: f64, nu: f64) -> f64 {
    let square = x * x;
    let first = (square + 1.0) / 4.0;
    let second = ((5.0 * square + 16.0) * square + 3.0) / 96.0;
    let third = (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) / 384.0;
    x * (1.0 + (first + (second + third / nu) / nu) / nu)
}

/// Computes the continuous ranked probability score at `z`; infinite unless `nu` is above 1.
///
/// `z (2 F(z) - 1) + 2 f(z) (nu + z^2) / (nu - 1) - 2 sqrt(nu) / (nu - 1) B(1/2, nu - 1/2) / B(1/2, nu/2)^2`. Source: Jordan,
/// Krueger and Lerch (2019), "Evaluating Probabilistic Forecasts with scoringRules".
pub(crate) fn crps(z: f64, degrees_of_freedom: f64) -> f64 {
    let nu = degrees_of_freedom;
    let density = log_density(z, nu).exp();
    // B(1/2, a) = sqrt(pi) G(a) / G(a + 1/2).
    let spread = half_step(0.5 * nu).powi(2) / (half_step(nu - 0.5) * PI.sqrt());
    let weight = 2.0 / (nu - 1.0);
    z * (2.0 * cumulative(z, nu) - 1.0) + weight * (density * (nu + z * z) - nu.sqrt() * spread)
}

/// Returns `G(x + 1/2) / G(x)`, `G` the gamma function.
///
/// Source of the series for large `x`: Tricomi and Erdelyi (1951), "The Asymptotic Expansion of a Ratio of Gamma Functions".
fn half_step(x: f64) -> f64 {
    if x < 50.0 {
        return (ln_gamma(x + 0.5) - ln_gamma(x)).exp();
    }
    let y = 1.0 / x;
    let series = [1.0, -1.0 / 8.0, 1.0 / 128.0, 5.0 / 1024.0, -21.0 / 32768.0, -399.0 / 262_144.0];
    x.sqrt() * series.iter().rev().fold(0.0, |sum, term| sum * y + term)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::FORECAST_REFERENCE;

    #[track_caller]
    fn check(found: f64, expected: f64, what: &str) {
        let error = (found - expected).abs() / expected.abs().max(1.0);
        assert!(error < 1e-10, "{what}: found {found}, expected {expected}");
    }

    #[test]
    fn the_distribution_function_and_the_density_are_those_of_mpmath() {
        let rows = FORECAST_REFERENCE["student_t"].as_array().expect("a list");
        assert_eq!(rows.len(), 80);
        for row in rows {
            let read = |key: &str| row[key].as_f64().expect("a number");
            let (z, nu) = (read("z"), read("degrees_of_freedom"));
            check(cumulative(z, nu), read("cumulative"), &format!("cumulative({z}, {nu})"));
            check(log_density(z, nu), read("log_density"), &format!("log_density({z}, {nu})"));
        }
    }

    #[test]
    fn the_quantiles_are_those_of_mpmath() {
        let rows = FORECAST_REFERENCE["student_t_quantile"].as_array().expect("a list");
        assert_eq!(rows.len(), 80);
        for row in rows {
            let read = |key: &str| row[key].as_f64().expect("a number");
            let (level, nu) = (read("level"), read("degrees_of_freedom"));
            check(quantile(level, nu).expect("inside"), read("value"), &format!("quantile({level}, {nu})"));
        }
        assert_eq!((quantile(0.0, 4.0), quantile(1.0, 4.0), quantile(f64::NAN, 4.0)), (None, None, None));
    }

    #[test]
    fn the_score_is_the_integral_of_its_definition() {
        let rows = FORECAST_REFERENCE["student_t_crps"].as_array().expect("a list");
        assert_eq!(rows.len(), 20);
        for row in rows {
            let read = |key: &str| row[key].as_f64().expect("a number");
            let (z, nu) = (read("z"), read("degrees_of_freedom"));
            check(crps(z, nu), read("crps"), &format!("crps({z}, {nu})"));
        }
    }

    #[test]
    fn with_many_degrees_of_freedom_it_is_the_normal_distribution() {
        // The normal scores of SciPy 1.17.1 at 0 and 1: 0.2336950 and 0.6024414.
        assert!((crps(0.0, 1e12) - 0.233_695_0).abs() < 5e-8);
        assert!((crps(1.0, 1e12) - 0.602_441_4).abs() < 5e-8);
        assert_eq!((cumulative(1e200, 1e6), cumulative(-1e200, 1e6), cumulative(1e200, 3.0)), (1.0, 0.0, 1.0));
    }
}
