//! Test that a series has a mean of 0 although its neighbors may depend on each other.

use serde::{Deserialize, Serialize};

use crate::sample::{ROUNDING, mean};
use crate::{MetricsError, student_t};

/// How the variance of a mean of dependent values is estimated, from the autocovariances `g_k` up to lag `horizon - 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongRunVariance {
    /// `g_0 + 2 sum_k g_k`: right for the errors of optimal forecasts `horizon` steps ahead, but it can be negative; then
    /// [`Bartlett`](Self::Bartlett) takes its place. Source: Diebold and Mariano (1995).
    Truncated,
    /// `g_0 + 2 sum_k (1 - k / horizon) g_k`, never negative. Source: Newey and West (1987).
    Bartlett,
}

/// A test that the mean of a series is 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanTest {
    /// How many values there were.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// The mean over its standard error, corrected for few values.
    pub statistic: f64,
    /// The probability of a statistic at least as far from 0 on either side, by Student's t with `count - 1` degrees of freedom.
    pub p_value: f64,
    /// How the variance was estimated in the end.
    pub variance: LongRunVariance,
}

/// Tests whether the mean of a series is 0, when each value may depend on the `horizon - 1` before it; `None` unless there are
/// more values than the horizon, at least two, and they vary.
///
/// `statistic = sqrt((n + 1 - 2 h + h (h - 1) / n) / n) mean / sqrt(v / n)`, `v` the long-run variance with autocovariances over `n`.
/// With a horizon of 1 it is the t-test of a mean. Source: Harvey, Leybourne and Newbold (1997), "Testing the Equality of
/// Prediction Mean Squared Errors".
///
/// # Errors
/// [`MetricsError::Row`] for a value that is not finite, [`MetricsError::NoHorizon`] for a horizon of 0.
pub fn mean_test(values: &[f64], horizon: usize, variance: LongRunVariance) -> Result<Option<MeanTest>, MetricsError> {
    if horizon == 0 {
        return Err(MetricsError::NoHorizon);
    }
    if let Some(row) = values.iter().position(|value| !value.is_finite()) {
        let (name, rule, value) = ("a value of a tested mean", "finite", values[row]);
        return Err(MetricsError::Row { name, rule, value, row });
    }
    Ok(if varies(values, largest(values)) { test_of(values, horizon, variance) } else { None })
}

/// Returns the largest absolute value, 0 of nothing.
pub(super) fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()))
}

/// Returns whether values differ by more than rounding of numbers of a size; losses may be far below 1.
pub(super) fn varies(values: &[f64], size: f64) -> bool {
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    high - low > ROUNDING * size
}

fn test_of(values: &[f64], horizon: usize, wanted: LongRunVariance) -> Option<MeanTest> {
    let count = values.len();
    if count < 2 || count <= horizon {
        return None;
    }
    let center = mean(values)?;
    let covariances = autocovariances(values, center, horizon);
    let truncated = long_run(&covariances, |_| 1.0);
    let (variance, estimate) = match wanted {
        LongRunVariance::Truncated if truncated > f64::EPSILON * covariances[0] => (wanted, truncated),
        _ => (LongRunVariance::Bartlett, long_run(&covariances, |lag| 1.0 - lag as f64 / horizon as f64)),
    };
    let (n, h) = (count as f64, horizon as f64);
    let correction = ((n + 1.0 - 2.0 * h + h * (h - 1.0) / n) / n).sqrt();
    let statistic = correction * center / (estimate / n).sqrt();
    if !statistic.is_finite() {
        return None;
    }
    let p_value = (2.0 * student_t::cumulative(-statistic.abs(), n - 1.0)).min(1.0);
    Some(MeanTest { count, mean: center, statistic, p_value, variance })
}

/// Returns the autocovariances at lags 0 to `lags - 1`, each a sum over `n`.
fn autocovariances(values: &[f64], center: f64, lags: usize) -> Vec<f64> {
    let covariance = |lag: usize| {
        let pairs = values.iter().zip(&values[lag..]);
        pairs.map(|(a, b)| (a - center) * (b - center)).sum::<f64>() / values.len() as f64
    };
    (0..lags).map(covariance).collect()
}

fn long_run(covariances: &[f64], weight: impl Fn(usize) -> f64) -> f64 {
    let lagged = covariances.iter().enumerate().skip(1).map(|(lag, covariance)| weight(lag) * covariance);
    covariances[0] + 2.0 * lagged.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::assert_close;

    #[test]
    fn one_step_ahead_it_is_the_t_test_of_a_mean() {
        // 1, 2, 3, 6: mean 3, sd sqrt(14 / 3), t = 3 / sqrt(14 / 12) = 2.7774602993. SciPy 1.17.1: ttest_1samp p = 0.06913686926442872.
        let found = mean_test(&[1.0, 2.0, 3.0, 6.0], 1, LongRunVariance::Truncated).expect("valid").expect("varies");
        assert_close(Some(found.statistic), 3.0 / (14.0_f64 / 12.0).sqrt());
        assert!((found.p_value - 0.069_136_869_264_428_72).abs() < 1e-9);
    }

    #[test]
    fn two_steps_ahead_by_hand() {
        // 0, 2, 1, 3, 4 around 2: -2, 0, -1, 1, 2. g_0 = 10 / 5 = 2, g_1 = (0 + 0 - 1 + 2) / 5 = 0.2.
        // Truncated 2.4, Bartlett 2.2; factor (6 - 4 + 0.4) / 5 = 0.48.
        let values = [0.0, 2.0, 1.0, 3.0, 4.0];
        for (variance, estimate) in [(LongRunVariance::Truncated, 2.4_f64), (LongRunVariance::Bartlett, 2.2)] {
            let found = mean_test(&values, 2, variance).expect("valid").expect("varies");
            assert_close(Some(found.statistic), 0.48_f64.sqrt() * 2.0 / (estimate / 5.0).sqrt());
            assert_eq!((found.mean, found.count, found.variance), (2.0, 5, variance));
        }
    }

    #[test]
    fn the_unit_of_the_values_does_not_matter() {
        let test =
            |unit: f64| mean_test(&[1.0, 2.0, 3.0, 6.0].map(|value| value * unit), 1, LongRunVariance::Truncated);
        let (small, large) = (test(1e-20).expect("valid").expect("varies"), test(1.0).expect("valid").expect("varies"));
        assert_close(Some(small.statistic), large.statistic);
    }

    #[test]
    fn too_few_or_equal_values_have_no_test() {
        let check =
            |values: &[f64], horizon| assert_eq!(mean_test(values, horizon, LongRunVariance::Bartlett), Ok(None));
        check(&[], 1);
        check(&[1.0], 1);
        check(&[1.0, 2.0, 3.0], 3);
        check(&[0.5; 10], 1);
        check(&[0.0; 10], 1);
    }

    #[test]
    fn a_horizon_of_zero_is_refused() {
        let error = mean_test(&[1.0, 2.0], 0, LongRunVariance::Bartlett).expect_err("0").to_string();
        assert_eq!(error, "the horizon of a test must be at least 1 step, was `0`");
        assert!(mean_test(&[1.0, f64::NAN], 1, LongRunVariance::Bartlett).is_err());
    }
}
