//! Rank information coefficient.

use super::ScoredForecast;
use crate::sample::correlation;

/// Computes the Spearman correlation of forecast means and actual returns: the Pearson correlation of their ranks, equal values
/// sharing the average of their ranks; `None` when either does not vary.
///
/// Source: Spearman (1904), with ties as in `scipy.stats.spearmanr`.
pub(super) fn rank_information_coefficient(forecasts: &[ScoredForecast]) -> Option<f64> {
    let means: Vec<f64> = forecasts.iter().map(|forecast| forecast.mean).collect();
    let actuals: Vec<f64> = forecasts.iter().map(|forecast| forecast.actual).collect();
    correlation(&average_ranks(&means), &average_ranks(&actuals))
}

/// Ranks values from 1, equal values sharing the average of their ranks.
fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for equals in order.chunk_by(|&a, &b| values[a] == values[b]) {
        // The middle of the ranks first + 1 to first + len.
        let rank = first as f64 + f64::midpoint(1.0, equals.len() as f64);
        for &row in equals {
            ranks[row] = rank;
        }
        first += equals.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::assert_close;

    fn of(pairs: &[(f64, f64)]) -> Option<f64> {
        let row = |&(mean, actual)| ScoredForecast::from_moments(mean, None, actual);
        rank_information_coefficient(&pairs.iter().map(row).collect::<Vec<_>>())
    }

    #[test]
    fn equal_values_share_the_average_of_their_ranks() {
        assert_eq!(average_ranks(&[0.3, 0.1, 0.3, 0.0, -0.0]), [4.5, 3.0, 4.5, 1.5, 1.5]);
    }

    #[test]
    fn any_rising_relation_is_perfect() {
        assert_close(of(&[(1.0, 1.0), (2.0, 8.0), (3.0, 1000.0)]), 1.0);
        assert_close(of(&[(1.0, 3.0), (2.0, 2.0), (3.0, -50.0)]), -1.0);
    }

    #[test]
    fn ties_are_as_in_scipy() {
        // SciPy 1.17.1: spearmanr([1, 2, 2, 3, 5], [2, 1, 3, 3, 4]) = 0.7631578947368421.
        let pairs = [(1.0, 2.0), (2.0, 1.0), (2.0, 3.0), (3.0, 3.0), (5.0, 4.0)];
        assert_close(of(&pairs), 0.763_157_894_736_842_1);
    }

    #[test]
    fn a_forecast_that_does_not_vary_has_none() {
        assert_eq!(of(&[(0.0, 1.0), (0.0, 2.0)]), None);
        assert_eq!(of(&[]), None);
    }
}
