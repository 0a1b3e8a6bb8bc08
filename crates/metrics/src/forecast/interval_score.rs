//! Interval score.

use super::PredictionInterval;
use super::scored_forecast::Stated;
use crate::sample::mean;

/// Computes the interval score (Winkler score) of a central prediction interval, in units of the observation; lower is better.
///
/// `(u - l) + 2 / alpha (l - y) [y < l] + 2 / alpha (y - u) [y > u]`, `alpha = 1 - coverage`. Sources: Winkler (1972), "A
/// Decision-Theoretic Approach to Interval Estimation"; Gneiting and Raftery (2007), "Strictly Proper Scoring Rules".
pub fn interval_score(interval: &PredictionInterval, actual: f64) -> f64 {
    let PredictionInterval { coverage, lower, upper } = *interval;
    let outside = (lower - actual).max(0.0) + (actual - upper).max(0.0);
    (upper - lower) + 2.0 / (1.0 - coverage) * outside
}

/// Computes the mean interval score of distributions; `None` without any, or when one is a point.
pub(super) fn mean_interval_score(rows: &[Stated], coverage: f64) -> Option<f64> {
    let score = |row: &Stated| {
        let interval = row.distribution.interval(coverage).filter(|_| row.distribution.states_spread())?;
        Some(interval_score(&interval, row.actual))
    };
    let scores: Option<Vec<f64>> = rows.iter().map(score).collect();
    mean(&scores?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_costs_its_distance_times_two_over_alpha() {
        let interval = PredictionInterval { coverage: 0.75, lower: -1.0, upper: 2.0 };
        assert_eq!(interval_score(&interval, 0.0), 3.0);
        assert_eq!(interval_score(&interval, 2.0), 3.0);
        // alpha = 0.25: 3 + 8 * 0.5.
        assert_eq!(interval_score(&interval, 2.5), 7.0);
        assert_eq!(interval_score(&interval, -1.5), 7.0);
    }
}
