//! Jensen's alpha against a benchmark.

use crate::sample::{finite, mean};
use crate::{BenchmarkedReturns, Convention, MetricOptions, beta};

/// Computes the annualized alpha, a fraction a year; `None` where [`beta`] is.
///
/// `(1 + a)^periods_per_year - 1` with `a = mean((r - rf) - beta (b - rf))`, as empyrical. [`Convention::Quantstats`]:
/// `(mean(r) - beta mean(b)) * periods_per_year`, without a risk-free rate.
/// Source: Jensen (1968), "The Performance of Mutual Funds in the Period 1945-1964".
pub fn alpha(pair: &BenchmarkedReturns, options: &MetricOptions) -> Option<f64> {
    let beta = beta(pair)?;
    let (own, benchmark) = (mean(pair.returns().values())?, mean(pair.benchmark().values())?);
    let periods_per_year = pair.returns().periods_per_year();
    match options.convention {
        Convention::Tidegate | Convention::Empyrical => {
            let risk_free = options.risk_free_per_period(periods_per_year);
            let per_period = (own - risk_free) - beta * (benchmark - risk_free);
            finite((1.0 + per_period).powf(periods_per_year) - 1.0)
        }
        Convention::Quantstats => finite((own - beta * benchmark) * periods_per_year),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Returns;
    use crate::vectors::{assert_close, benchmarked, periods, published};

    fn check(convention: Convention, expected: f64) {
        assert_close(alpha(&benchmarked(), &MetricOptions::new(convention)), expected);
    }

    #[test]
    fn it_equals_empyrical() {
        check(Convention::Tidegate, published("empyrical", "alpha(rf=0,daily)"));
        check(Convention::Empyrical, published("empyrical", "alpha(rf=0,daily)"));
    }

    #[test]
    fn quantstats_multiplies() {
        check(Convention::Quantstats, published("quantstats", "greeks.alpha(periods=252)"));
    }

    #[test]
    fn half_the_benchmark_plus_a_constant_has_that_constant() {
        // r = 0.5 b + 0.01, one period a year, rf 0.02: (0.5 b - 0.01) - 0.5 (b - 0.02) = 0.
        let benchmark = Returns::from_periods(vec![0.1, -0.1, 0.2], 1.0).expect("valid");
        let own = Returns::from_periods(vec![0.06, -0.04, 0.11], 1.0).expect("valid");
        let pair = BenchmarkedReturns::new(own, benchmark).expect("same length");
        let options = MetricOptions { risk_free_annual: 0.02, ..MetricOptions::new(Convention::Tidegate) };
        assert_close(alpha(&pair, &options), 0.0);
        assert_close(alpha(&pair, &MetricOptions::new(Convention::Tidegate)), 0.01);
    }

    #[test]
    fn a_benchmark_that_does_not_vary_has_none() {
        let pair = BenchmarkedReturns::new(periods(&[0.1, 0.2]), periods(&[0.01, 0.01])).expect("same length");
        assert_eq!(alpha(&pair, &MetricOptions::new(Convention::Tidegate)), None);
    }
}
