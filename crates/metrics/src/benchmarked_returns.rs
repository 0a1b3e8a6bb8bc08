//! Returns beside those of a benchmark.

use crate::{MetricsError, Returns};

/// Returns and a benchmark's returns of the same periods.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchmarkedReturns {
    returns: Returns,
    benchmark: Returns,
}

impl BenchmarkedReturns {
    /// Pairs returns with a benchmark, row by row.
    ///
    /// # Errors
    /// [`MetricsError::Length`] when they differ in number, [`MetricsError::Benchmark`] when both have times that differ.
    pub fn new(returns: Returns, benchmark: Returns) -> Result<Self, MetricsError> {
        if returns.len() != benchmark.len() {
            let (expected, found) = (returns.len(), benchmark.len());
            return Err(MetricsError::Length { name: "the benchmark", expected, found });
        }
        if let (Some(expected), Some(found)) = (returns.time(), benchmark.time())
            && let Some(row) = expected.iter().zip(found).position(|(expected, found)| expected != found)
        {
            return Err(MetricsError::Benchmark { row, expected: expected[row], found: found[row] });
        }
        Ok(Self { returns, benchmark })
    }

    /// Returns the returns.
    pub const fn returns(&self) -> &Returns {
        &self.returns
    }

    /// Returns the benchmark's returns.
    pub const fn benchmark(&self) -> &Returns {
        &self.benchmark
    }

    /// Returns how much the returns exceed the benchmark, period by period.
    pub fn active(&self) -> Vec<f64> {
        self.returns.values().iter().zip(self.benchmark.values()).map(|(own, benchmark)| own - benchmark).collect()
    }
}

#[cfg(test)]
mod tests {
    use tidegate_market::Timestamp;

    use super::*;
    use crate::vectors::periods;

    fn on_days(days: &[i64]) -> Returns {
        let time = days.iter().map(|day| Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)).collect();
        Returns::from_times(time, vec![0.0; days.len()], 252.0).expect("valid")
    }

    #[test]
    fn a_benchmark_of_other_days_is_refused_with_the_first_difference() {
        let error = BenchmarkedReturns::new(on_days(&[0, 1]), on_days(&[0, 2])).expect_err("other days").to_string();
        assert!(error.contains("row `1` is at `1970-01-02`, the benchmark's at `1970-01-03`"), "{error}");
        let error = BenchmarkedReturns::new(on_days(&[0, 1]), on_days(&[0])).expect_err("shorter").to_string();
        assert_eq!(error, "the benchmark must have `2` rows, has `1`");
    }

    #[test]
    fn without_times_rows_are_paired() {
        let pair = BenchmarkedReturns::new(periods(&[0.5, 0.25]), periods(&[0.25, 0.5])).expect("same length");
        assert_eq!(pair.active(), [0.25, -0.25]);
    }
}
