//! Continuous ranked probability score.

use super::scored_forecast::Stated;
use super::{Distribution, ScoredForecast};
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

/// Computes the skill of a mean score against a reference's: `1 - crps / reference`, above 0 is better; `None` when the reference
/// is never wrong.
///
/// Source: Gneiting and Raftery (2007), "Strictly Proper Scoring Rules", section 2.3.
pub fn crps_skill(crps: f64, reference: f64) -> Option<f64> {
    if reference > 0.0 { finite(1.0 - crps / reference) } else { None }
}

/// Computes the mean score of distributions; `None` without any.
pub(super) fn mean_crps(rows: &[Stated]) -> Option<f64> {
    let scores: Vec<f64> = rows.iter().map(|row| row.distribution.crps(row.actual)).collect();
    mean(&scores)
}

/// Computes the mean score of the reference forecasts; `None` without any, or unless every forecast has one.
pub(super) fn mean_reference_crps(forecasts: &[ScoredForecast]) -> Option<f64> {
    let score = |row: &ScoredForecast| row.reference.as_ref().map(|it: &Distribution| it.crps(row.actual));
    let scores: Option<Vec<f64>> = forecasts.iter().map(score).collect();
    mean(&scores?)
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
    fn half_the_score_of_the_reference_is_a_skill_of_a_half() {
        assert_eq!((crps_skill(1.0, 2.0), crps_skill(3.0, 2.0), crps_skill(1.0, 0.0)), (Some(0.5), Some(-0.5), None));
    }

    #[test]
    fn one_member_scores_its_distance_and_none_nothing() {
        assert_eq!(ensemble_crps(&[1.0], 3.0), Some(2.0));
        assert_eq!(ensemble_crps(&[], 3.0), None);
    }
}
