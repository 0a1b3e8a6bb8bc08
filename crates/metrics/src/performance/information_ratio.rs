//! Information ratio against a benchmark.

use crate::sample::{finite, mean, ratio, standard_deviation};
use crate::{BenchmarkedReturns, Convention};

/// Computes the information ratio; `None` below two periods, when the active returns do not vary, and after ruin.
///
/// `mean(r - b) / sd(r - b) * sqrt(periods_per_year)`, `sd` the sample standard deviation (ddof 1): annualized as the Sharpe
/// ratio is. [`Convention::Empyrical`] (`excess_sharpe`) and [`Convention::Quantstats`] leave it per period.
/// Source: Grinold and Kahn (2000), "Active Portfolio Management".
pub fn information_ratio(pair: &BenchmarkedReturns, convention: Convention) -> Option<f64> {
    if pair.returns().is_ruined() {
        return None;
    }
    let active = pair.active();
    let per_period = ratio(mean(&active)?, standard_deviation(&active)?)?;
    match convention {
        Convention::Tidegate => finite(per_period * pair.returns().periods_per_year().sqrt()),
        Convention::Empyrical | Convention::Quantstats => Some(per_period),
    }
}

/// Computes the annualized tracking error, a fraction; `None` below two periods.
///
/// `sd(r - b) * sqrt(periods_per_year)`: the information ratio's denominator, with the same source.
pub fn tracking_error(pair: &BenchmarkedReturns) -> Option<f64> {
    finite(standard_deviation(&pair.active())? * pair.returns().periods_per_year().sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, benchmarked, periods, published};

    #[test]
    fn it_equals_empyrical_and_quantstats_per_period() {
        let expected = published("empyrical", "excess_sharpe (information ratio, not annualised)");
        assert_close(information_ratio(&benchmarked(), Convention::Empyrical), expected);
        let expected = published("quantstats", "information_ratio (not annualised)");
        assert_close(information_ratio(&benchmarked(), Convention::Quantstats), expected);
    }

    #[test]
    fn it_is_annualized_here() {
        let per_period = published("quantstats", "information_ratio (not annualised)");
        assert_close(information_ratio(&benchmarked(), Convention::Tidegate), per_period * 252.0_f64.sqrt());
    }

    #[test]
    fn following_the_benchmark_exactly_has_none() {
        let own = periods(&[0.01, -0.02, 0.03]);
        let pair = BenchmarkedReturns::new(own.clone(), own).expect("same length");
        assert_eq!(information_ratio(&pair, Convention::Tidegate), None);
        assert_eq!(tracking_error(&pair), Some(0.0));
    }

    #[test]
    fn a_benchmark_that_does_not_vary_is_still_one() {
        // Active 0.01 and 0.03: mean 0.02, sd 0.02 / sqrt(2), times sqrt(252).
        let pair = BenchmarkedReturns::new(periods(&[0.02, 0.04]), periods(&[0.01, 0.01])).expect("same length");
        assert_close(information_ratio(&pair, Convention::Tidegate), (2.0_f64 * 252.0).sqrt());
    }
}
