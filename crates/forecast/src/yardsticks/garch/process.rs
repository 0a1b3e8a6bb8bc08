//! A GARCH(1,1) process with known parameters.

use serde::{Deserialize, Serialize};

/// `h_{t+1} = omega + alpha (r_t - mean)^2 + beta h_t`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Process {
    /// The mean return of one bar.
    pub(super) mean: f64,
    /// Above 0.
    pub(super) omega: f64,
    /// At least 0; `alpha + beta` is at most 1.
    pub(super) alpha: f64,
    /// At least 0.
    pub(super) beta: f64,
    /// The variance that stands for everything before the first return.
    pub(super) backcast: f64,
}

impl Process {
    /// The variance of the first return.
    pub(super) fn first_variance(&self) -> f64 {
        self.expected_next(self.backcast)
    }

    /// The variance after a return, or after one that is missing and counts as expected.
    pub(super) fn next_variance(&self, variance: f64, one: Option<f64>) -> f64 {
        match one {
            Some(one) => self.omega + self.alpha * (one - self.mean).powi(2) + self.beta * variance,
            None => self.expected_next(variance),
        }
    }

    /// The variance of the sum of the next returns, the first of which has the variance `next`.
    pub(super) fn variance_over(&self, next: f64, bars: u32) -> f64 {
        let each = std::iter::successors(Some(next), |&variance| Some(self.expected_next(variance)));
        each.take(bars as usize).sum()
    }

    fn expected_next(&self, variance: f64) -> f64 {
        self.omega + (self.alpha + self.beta) * variance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROCESS: Process = Process { mean: 1.0, omega: 0.5, alpha: 0.25, beta: 0.5, backcast: 4.0 };

    #[test]
    fn the_variance_follows_the_recursion() {
        // 0.5 + 0.75 * 4 = 3.5; then 0.5 + 0.25 * (3 - 1)^2 + 0.5 * 3.5 = 3.25; a missing return: 0.5 + 0.75 * 3.25 = 2.9375.
        assert_eq!(PROCESS.first_variance(), 3.5);
        assert_eq!(PROCESS.next_variance(3.5, Some(3.0)), 3.25);
        assert_eq!(PROCESS.next_variance(3.25, None), 2.9375);
    }

    #[test]
    fn the_variance_over_a_horizon_is_the_sum_of_what_is_expected() {
        // 4, then 0.5 + 0.75 * 4 = 3.5, then 0.5 + 0.75 * 3.5 = 3.125.
        assert_eq!(PROCESS.variance_over(4.0, 1), 4.0);
        assert_eq!(PROCESS.variance_over(4.0, 3), 10.625);
    }
}
