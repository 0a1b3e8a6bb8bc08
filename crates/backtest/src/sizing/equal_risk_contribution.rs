//! Weights at which every instrument carries the same part of the risk.

use super::normalize;
use crate::BacktestError;
use crate::error::require;

/// Sweeps over all weights before the search is given up.
const SWEEPS_MAX: u32 = 1_000;

/// How far a risk contribution may be from its share, as a fraction of the share.
const TOLERANCE: f64 = 1e-11;

/// Writes the long-only weights, summing to one, for which every risk contribution `w_i (C w)_i / (w' C w)` is `1 / n`.
///
/// `covariance` is `n` by `n`, row by row, where `n` is the number of weights; its scale does not matter. The weights are the
/// minimum of `x' C x / 2 - sum(ln x_i) / n`, scaled to a sum of one (Maillard, Roncalli, Teiletche 2010, The Properties of Equally
/// Weighted Risk Contribution Portfolios). It is found by cyclical coordinate descent: each weight in turn becomes
/// `x_i = (-b_i + sqrt(b_i^2 + 4 c_ii / n)) / (2 c_ii)` with `b_i = sum of c_ij x_j over j != i` (Griveau-Billion, Richard, Roncalli 2013, A
/// Fast Algorithm for Computing High-Dimensional Risk Parity Portfolios), from weights of inverse volatility.
///
/// # Errors
/// [`BacktestError::Range`] for a variance that is not finite and above zero or a covariance that is not finite, and
/// [`BacktestError::RiskContributions`] when the contributions do not become equal, as for instruments that hedge each other
/// perfectly; the weights are then undefined.
///
/// # Panics
/// When `covariance` is not `n` by `n`.
pub fn equal_risk_contribution(covariance: &[f64], weights: &mut [f64]) -> Result<(), BacktestError> {
    let n = weights.len();
    assert_eq!(covariance.len(), n * n, "a covariance per pair of weights");
    if n == 0 {
        return Ok(());
    }
    for &value in covariance {
        require("covariance", "finite", value, value.is_finite())?;
    }
    for (weight, row) in weights.iter_mut().zip(0..) {
        let variance = covariance[row * n + row];
        require("variance", "above 0", variance, variance > 0.0)?;
        *weight = (variance * n as f64).sqrt().recip();
    }
    for _ in 0..SWEEPS_MAX {
        sweep(covariance, weights);
        if largest_deviation(covariance, weights) <= TOLERANCE {
            normalize(weights);
            return Ok(());
        }
    }
    let deviation = largest_deviation(covariance, weights);
    Err(BacktestError::RiskContributions { instruments: n, sweeps: SWEEPS_MAX, deviation })
}

/// Moves each weight in turn to its best value given all others.
fn sweep(covariance: &[f64], weights: &mut [f64]) {
    let n = weights.len();
    for (index, row) in covariance.chunks_exact(n).enumerate() {
        let variance = row[index];
        let others = dot(row, weights) - variance * weights[index];
        let root = (others * others + 4.0 * variance / n as f64).sqrt();
        // The two forms are equal; each is used where it does not subtract numbers that nearly cancel.
        weights[index] =
            if others > 0.0 { 2.0 / n as f64 / (others + root) } else { (root - others) / (2.0 * variance) };
    }
}

/// Returns how far the risk contribution furthest from `1 / n` is from it, as a fraction of `1 / n`.
fn largest_deviation(covariance: &[f64], weights: &[f64]) -> f64 {
    let n = weights.len() as f64;
    let rows = covariance.chunks_exact(weights.len()).zip(weights);
    rows.map(|(row, weight)| (weight * dot(row, weights) * n - 1.0).abs()).fold(0.0, f64::max)
}

fn dot(row: &[f64], weights: &[f64]) -> f64 {
    row.iter().zip(weights).map(|(covariance, weight)| covariance * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solve(volatilities: &[f64], correlations: &[f64]) -> Vec<f64> {
        let n = volatilities.len();
        let covariance = covariance(volatilities, correlations);
        let mut weights = vec![0.0; n];
        equal_risk_contribution(&covariance, &mut weights).expect("solvable");
        let risks: Vec<_> =
            weights.iter().zip(covariance.chunks_exact(n)).map(|(weight, row)| weight * dot(row, &weights)).collect();
        let variance: f64 = risks.iter().sum();
        for risk in risks {
            assert!((risk / variance - 1.0 / n as f64).abs() < 1e-10);
        }
        weights
    }

    fn covariance(volatilities: &[f64], correlations: &[f64]) -> Vec<f64> {
        let n = volatilities.len();
        (0..n * n).map(|at| correlations[at] * volatilities[at / n] * volatilities[at % n]).collect()
    }

    #[track_caller]
    fn check(volatilities: &[f64], correlations: &[f64], expected: &[f64]) {
        let weights = solve(volatilities, correlations);
        for (weight, expected) in weights.iter().zip(expected) {
            assert!((weight - expected).abs() < 1e-10, "{weights:?}");
        }
    }

    #[test]
    fn two_instruments_are_weighted_by_inverse_volatility_whatever_their_correlation() {
        for correlation in [-0.99, -0.5, 0.0, 0.5, 0.99] {
            check(&[0.1, 0.3], &[1.0, correlation, correlation, 1.0], &[0.75, 0.25]);
        }
    }

    #[test]
    fn one_instrument_has_all_the_weight() {
        check(&[0.2], &[1.0], &[1.0]);
    }

    /// Maillard, Roncalli, Teiletche 2010 print 38.4 %, 19.2 %, 24.3 % and 18.2 %; the digits are `scipy.optimize.root` on
    /// `x_i (C x)_i = 1 / n`.
    #[test]
    fn the_published_example_of_four_instruments_is_met() {
        #[rustfmt::skip]
        let correlations = [
            1.0, 0.8, 0.0, 0.0,
            0.8, 1.0, 0.0, 0.0,
            0.0, 0.0, 1.0, -0.5,
            0.0, 0.0, -0.5, 1.0,
        ];
        let expected = [0.383_612_506_283_968, 0.191_806_253_141_984, 0.242_617_851_756_599, 0.181_963_388_817_449];
        check(&[0.1, 0.2, 0.3, 0.4], &correlations, &expected);
    }

    /// Expected from `scipy.optimize.root` on `x_i (C x)_i = 1 / n`.
    #[test]
    fn three_daily_volatilities_equal_scipy() {
        let correlations = [1.0, 0.3, -0.2, 0.3, 1.0, 0.55, -0.2, 0.55, 1.0];
        let expected = [0.349_604_631_670_783, 0.095_555_723_405_576, 0.554_839_644_923_641];
        check(&[0.012, 0.03, 0.007], &correlations, &expected);
    }

    #[test]
    fn a_hundred_instruments_with_one_factor_share_the_risk() {
        let volatilities: Vec<_> = (0..100).map(|index| 0.005 + 0.0004 * f64::from(index)).collect();
        let loading = |index: usize| -0.3 + 0.012 * index as f64;
        let correlation = |at: usize| if at / 100 == at % 100 { 1.0 } else { loading(at / 100) * loading(at % 100) };
        let correlations: Vec<_> = (0..10_000).map(correlation).collect();
        let weights = solve(&volatilities, &correlations);
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(weights.iter().all(|&weight| weight > 0.0));
    }

    #[test]
    fn what_has_no_answer_is_refused() {
        let mut weights = [0.0; 2];
        let mut refused = |covariance: [f64; 4]| {
            equal_risk_contribution(&covariance, &mut weights).expect_err("no answer").to_string()
        };
        assert_eq!(refused([0.0, 0.0, 0.0, 1.0]), "variance must be above 0, was `0`");
        assert_eq!(refused([1.0, f64::NAN, 0.0, 1.0]), "covariance must be finite, was `NaN`");
        let hedged = refused([1.0, -1.0, -1.0, 1.0]);
        assert!(hedged.starts_with("risk contributions of `2` instruments must be equal"), "{hedged}");
    }
}
