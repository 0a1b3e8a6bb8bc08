//! Minimum track record length.

use crate::{MetricOptions, Returns, SharpeStatistics};

/// Computes how many periods it takes until this Sharpe ratio exceeds an annualized benchmark with a confidence such as 0.95;
/// `None` when it does not exceed it, for a confidence outside (0.5, 1), and where the Sharpe ratio is undefined.
///
/// [`SharpeStatistics::track_record_length`] of the benchmark brought down to one period.
/// Source: Bailey and Lopez de Prado (2012), "The Sharpe Ratio Efficient Frontier".
pub fn minimum_track_record_length(
    returns: &Returns,
    benchmark_annual: f64,
    confidence: f64,
    options: &MetricOptions,
) -> Option<f64> {
    let benchmark = benchmark_annual / returns.periods_per_year().sqrt();
    SharpeStatistics::of(returns, options)?.track_record_length(benchmark, confidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::returns;
    use crate::{Convention, probabilistic_sharpe_ratio};

    /// Years of track record that a normal Sharpe ratio of 2 needs over 1, both annualized, at 95 %.
    fn years(periods_per_year: f64) -> f64 {
        let annual = |sharpe_ratio: f64| sharpe_ratio / periods_per_year.sqrt();
        let statistics = SharpeStatistics { sharpe_ratio: annual(2.0), periods: 100, skewness: 0.0, raw_kurtosis: 3.0 };
        statistics.track_record_length(annual(1.0), 0.95).expect("2 exceeds 1") / periods_per_year
    }

    #[test]
    fn the_table_of_2012_is_reproduced() {
        // Bailey and Lopez de Prado (2012): 2.73 years of daily (250), 2.83 of weekly (52), 3.24 of monthly returns.
        for (periods_per_year, expected) in [(250.0, 2.7312), (52.0, 2.8288), (12.0, 3.2398)] {
            assert!((years(periods_per_year) - expected).abs() < 5e-5, "{periods_per_year}");
        }
    }

    #[test]
    fn a_track_record_of_that_length_has_that_confidence() {
        let options = MetricOptions::new(Convention::Tidegate);
        let confidence = probabilistic_sharpe_ratio(&returns(), 0.0, &options).expect("varies");
        let length = minimum_track_record_length(&returns(), 0.0, confidence, &options).expect("above 0");
        assert!((length - 750.0).abs() < 1e-6, "{length}");
    }

    #[test]
    fn a_benchmark_that_is_not_exceeded_has_none() {
        let options = MetricOptions::new(Convention::Tidegate);
        assert_eq!(minimum_track_record_length(&returns(), 5.0, 0.95, &options), None);
        assert_eq!(minimum_track_record_length(&returns(), 0.0, 1.0, &options), None);
    }
}
