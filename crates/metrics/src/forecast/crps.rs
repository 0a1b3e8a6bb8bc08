//! Continuous ranked probability score.

use super::scored_forecast::Standardized;
use crate::normal::{standard_cumulative, standard_density};
use crate::sample::{finite, mean, sorted};

/// Computes the continuous ranked probability score of a normal distribution, in units of the observation; lower is better.
///
/// `s (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))`, `z = (actual - mean) / s`, `s = sqrt(variance)`.
/// Source: Gneiting and Raftery (2007), "Strictly Proper Scoring Rules". `variance` must be above 0.
pub fn gaussian_crps(mean: f64, variance: f64, actual: f64) -> f64 {
    let deviation = variance.sqrt();
    deviation * standard_crps((actual - mean) / deviation)
}

/// Computes the continuous ranked probability score of an ensemble, in units of the observation; `None` without members or
/// when a number is not finite.
///
/// `mean |x - actual| - 0.5 mean |x - x'|` over all members `x` and all ordered pairs `(x, x')`: the score of the empirical
/// distribution itself. Source: Gneiting and Raftery (2007).
pub fn ensemble_crps(members: &[f64], actual: f64) -> Option<f64> {
    let distances: Vec<f64> = members.iter().map(|member| (member - actual).abs()).collect();
    // In ascending order, the pairs' distances add up to twice the sum of (2 i - m + 1) x_i.
    let count = members.len() as f64;
    let spread: f64 =
        sorted(members).iter().enumerate().map(|(rank, member)| (2.0 * rank as f64 - count + 1.0) * member).sum();
    finite(mean(&distances)? - spread / (count * count))
}

/// Computes the mean score of standardized errors; `None` without any.
pub(super) fn mean_crps(errors: &[Standardized]) -> Option<f64> {
    let scores: Vec<f64> = errors.iter().map(|row| row.deviation * standard_crps(row.error)).collect();
    mean(&scores)
}

fn standard_crps(z: f64) -> f64 {
    let constant = std::f64::consts::FRAC_2_SQRT_PI / 2.0;
    z * (2.0 * standard_cumulative(z) - 1.0) + 2.0 * standard_density(z) - constant
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{FORECAST, assert_close, floats};

    #[test]
    fn three_normal_distributions_by_the_formula() {
        // SciPy 1.17.1, to seven decimals.
        for (mean, variance, actual, expected) in
            [(0.0, 1.0, 0.0, 0.233_695_0), (0.0, 1.0, 1.0, 0.602_441_4), (1.0, 4.0, -0.5, 0.896_288_5)]
        {
            assert!((gaussian_crps(mean, variance, actual) - expected).abs() < 5e-8);
        }
    }

    #[test]
    fn every_normal_score_equals_the_reference() {
        let read = |key: &str| floats(&FORECAST[key]);
        let (mean, deviation, actual, expected) = (read("mu"), read("sigma"), read("y"), read("crps"));
        for row in 0..expected.len() {
            assert_close(Some(gaussian_crps(mean[row], deviation[row].powi(2), actual[row])), expected[row]);
        }
    }

    #[test]
    fn every_ensemble_score_equals_the_reference() {
        let ensemble = &FORECAST["ensemble"];
        let (actual, expected) = (floats(&ensemble["y"]), floats(&ensemble["crps"]));
        for (row, members) in ensemble["members"].as_array().expect("a list").iter().enumerate() {
            assert_close(ensemble_crps(&floats(members), actual[row]), expected[row]);
        }
    }

    #[test]
    fn one_member_scores_its_distance_and_none_nothing() {
        assert_eq!(ensemble_crps(&[1.0], 3.0), Some(2.0));
        assert_eq!(ensemble_crps(&[], 3.0), None);
    }
}
