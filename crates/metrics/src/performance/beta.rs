//! Beta against a benchmark.

use crate::BenchmarkedReturns;
use crate::sample::{finite, is_constant, mean};

/// Computes beta; `None` below two periods and for a benchmark that does not vary.
///
/// `cov(r, b) / var(b)`: the slope of the regression of the returns on the benchmark's. A constant risk-free rate cancels.
/// Source: Sharpe (1964), "Capital Asset Prices".
pub fn beta(pair: &BenchmarkedReturns) -> Option<f64> {
    let (own, benchmark) = (pair.returns().values(), pair.benchmark().values());
    if own.len() < 2 || is_constant(benchmark) {
        return None;
    }
    let (mean_own, mean_benchmark) = (mean(own)?, mean(benchmark)?);
    let deviations = own.iter().zip(benchmark).map(|(own, benchmark)| (own - mean_own, benchmark - mean_benchmark));
    let (covariance, variance) = deviations.fold((0.0, 0.0), |(covariance, variance), (own, benchmark)| {
        (covariance + own * benchmark, variance + benchmark * benchmark)
    });
    finite(covariance / variance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, benchmarked, periods, published};

    #[test]
    fn it_equals_empyrical_and_quantstats() {
        assert_close(beta(&benchmarked()), published("empyrical", "beta(rf=0)"));
        assert_close(beta(&benchmarked()), published("quantstats", "greeks.beta"));
    }

    #[test]
    fn a_benchmark_that_does_not_vary_has_none() {
        let pair = BenchmarkedReturns::new(periods(&[0.1, 0.2]), periods(&[0.01, 0.01])).expect("same length");
        assert_eq!(beta(&pair), None);
    }

    #[test]
    fn a_benchmark_against_itself_has_one() {
        let own = periods(&[0.01, -0.02, 0.03]);
        assert_close(beta(&BenchmarkedReturns::new(own.clone(), own).expect("same length")), 1.0);
    }
}
