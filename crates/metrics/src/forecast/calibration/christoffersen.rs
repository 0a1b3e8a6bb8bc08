//! Christoffersen's tests of independence and of conditional coverage.

use std::collections::BTreeMap;

use super::kupiec::{kupiec_of, log_likelihood};
use super::probability_integral_transform::Transform;
use crate::TestOutcome;
use crate::chi_squared::upper_tail;

/// How often an interval was missed, and what followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Misses {
    /// Observations.
    pub(super) observations: u64,
    /// Observations outside the interval.
    pub(super) outside: u64,
    /// How often state `i` was followed by state `j` within a series; 0 is inside, 1 outside.
    transitions: [[u64; 2]; 2],
}

impl Misses {
    /// Counts the misses of the central interval of a probability, and what followed within each series.
    pub(super) fn count(transforms: &[Transform], coverage: f64) -> Self {
        let mut counts = Self { observations: transforms.len() as u64, ..Self::default() };
        let mut last = BTreeMap::new();
        for transform in transforms {
            let outside = usize::from(!transform.inside(coverage));
            counts.outside += outside as u64;
            if let Some(before) = last.insert(transform.series, outside) {
                counts.transitions[before][outside] += 1;
            }
        }
        counts
    }

    /// Tests whether a miss makes a miss of the next observation neither likelier nor less likely; `None` unless both a hit and
    /// a miss were followed by something.
    ///
    /// `LR = -2 ln((1 - q)^(n00 + n10) q^(n01 + n11) / ((1 - q0)^n00 q0^n01 (1 - q1)^n10 q1^n11))`, `q0 = n01 / (n00 + n01)`,
    /// `q1 = n11 / (n10 + n11)`, `q = (n01 + n11) / n`, `0 ln 0 = 0`; chi-squared with one degree of freedom. Source: Christoffersen
    /// (1998), "Evaluating Interval Forecasts".
    pub(super) fn independence(&self) -> Option<TestOutcome> {
        let [[n00, n01], [n10, n11]] = self.transitions;
        if n00 + n01 == 0 || n10 + n11 == 0 {
            return None;
        }
        let two = |inside: u64, outside: u64| {
            let count = (inside + outside) as f64;
            log_likelihood(inside, inside as f64 / count) + log_likelihood(outside, outside as f64 / count)
        };
        let statistic = (2.0 * (two(n00, n01) + two(n10, n11) - two(n00 + n10, n01 + n11))).max(0.0);
        Some(TestOutcome { statistic, p_value: upper_tail(statistic, 1.0) })
    }

    /// Tests both at once: the sum of Kupiec's ratio over all observations and that of independence, chi-squared with two degrees
    /// of freedom.
    pub(super) fn conditional_coverage(&self, coverage: f64) -> Option<TestOutcome> {
        let unconditional = kupiec_of(self.outside, self.observations, coverage)?;
        let statistic = unconditional.statistic + self.independence()?.statistic;
        Some(TestOutcome { statistic, p_value: upper_tail(statistic, 2.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::assert_close;

    /// A row inside or outside of the central half.
    fn row(outside: bool, series: u32) -> Transform {
        let at_most = if outside { 0.1 } else { 0.4 };
        Transform { at_most, below: at_most, series }
    }

    #[test]
    fn transitions_are_counted_within_a_series() {
        // Series 0: in, out, out; series 1: out, in. Read as one series the middle would be out, out, out.
        let rows = [row(false, 0), row(true, 1), row(true, 0), row(false, 1), row(true, 0)];
        let counts = Misses::count(&rows, 0.5);
        assert_eq!((counts.observations, counts.outside, counts.transitions), (5, 3, [[0, 1], [1, 1]]));
    }

    #[test]
    fn strict_alternation_by_hand() {
        // in, out, in, out, in: n01 = 2, n10 = 2. Alternative: likelihood 1. Null: 0.5^4, so LR = 8 ln 2.
        let rows: Vec<Transform> = (0..5).map(|step| row(step % 2 == 1, 0)).collect();
        let found = Misses::count(&rows, 0.5).independence().expect("both states");
        assert_close(Some(found.statistic), 8.0 * 2.0_f64.ln());
    }

    #[test]
    fn without_a_miss_nothing_can_follow_one() {
        let counts = Misses::count(&[row(false, 0), row(false, 0), row(true, 0)], 0.5);
        assert_eq!((counts.independence(), counts.conditional_coverage(0.5)), (None, None));
    }
}
