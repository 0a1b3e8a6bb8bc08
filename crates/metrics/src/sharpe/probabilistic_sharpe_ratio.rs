//! Probabilistic Sharpe ratio.

use crate::{MetricOptions, Returns, SharpeStatistics};

/// Computes the probability that the true annualized Sharpe ratio exceeds a benchmark; `None` below two periods, for returns that
/// do not vary, and after ruin.
///
/// [`SharpeStatistics::probability_above`] of the benchmark brought down to one period, `benchmark / sqrt(periods_per_year)`.
/// Source: Bailey and Lopez de Prado (2012), "The Sharpe Ratio Efficient Frontier".
pub fn probabilistic_sharpe_ratio(returns: &Returns, benchmark_annual: f64, options: &MetricOptions) -> Option<f64> {
    let benchmark = benchmark_annual / returns.periods_per_year().sqrt();
    SharpeStatistics::of(returns, options)?.probability_above(benchmark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Convention;
    use crate::vectors::{assert_close, periods, published, returns};

    fn check(convention: Convention, expected: f64) {
        assert_close(probabilistic_sharpe_ratio(&returns(), 0.0, &MetricOptions::new(convention)), expected);
    }

    #[test]
    fn quantstats_reads_moments_corrected_for_bias() {
        check(Convention::Quantstats, published("quantstats", "probabilistic_sharpe_ratio(rf=0)"));
    }

    #[test]
    fn it_is_the_formula_on_the_moments_of_scipy() {
        // SciPy 1.17.1 on the same returns: norm.cdf(sr sqrt(749) / sqrt(1 - skew sr + (kurtosis + 2) / 4 sr^2)) with
        // sr = mean / std(ddof=1) and the biased skew and excess kurtosis; forgetting the 3 gives 0.7661683.
        check(Convention::Tidegate, 0.766_109_555_974_254_5);
    }

    #[test]
    fn against_the_own_sharpe_ratio_it_is_one_half() {
        let options = MetricOptions::new(Convention::Tidegate);
        let own = crate::sharpe_ratio(&returns(), &options).expect("varies");
        assert_close(probabilistic_sharpe_ratio(&returns(), own, &options), 0.5);
    }

    #[test]
    fn undefined_sharpe_ratios_have_none() {
        let options = MetricOptions::new(Convention::Tidegate);
        for values in [&[][..], &[0.01], &[0.01, 0.01], &[0.1, -1.0]] {
            assert_eq!(probabilistic_sharpe_ratio(&periods(values), 0.0, &options), None, "{values:?}");
        }
    }
}
